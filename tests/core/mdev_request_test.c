/* SPDX-License-Identifier: MIT */
/*
 * mdev_request_test.c - mediated devices that ask for pages: who has the part is asked, and
 * answers for it, without knowing what the device sends; and when nobody is any more
 * (semantics C.4 to C.6).
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"

/* VT-d has no device TLB for who can do nothing without a PASID. */
static void lend_asking(struct rig *rig, struct part *part, uint32_t flags)
{
    set(rig, 0, uiommu_identity(rig->u));
    lend_as(rig, 0, part, flags);
}

static void end(struct part *part, struct pager *p)
{
    take_home(part);
    set(part->rig, 0, uiommu_blocked(part->rig->u));
    uiommu_domain_put(p->d);
}

static void answer_of_part(struct rig *rig, struct pager *p,
                           struct uiommu_endpoint *ep, uint32_t number,
                           uint16_t group)
{
    const unsigned before = answers(rig, 0), groups = p->groups;

    p->response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, group, true);
    collect_and_serve(rig);
    assert_int_equal(p->groups, groups + 1);
    assert_ptr_equal(p->endpoint, ep);
    assert_int_equal(answers(rig, 0), before);
    rig_ok(uiommu_page_respond(ep, p->cookie, UIOMMU_RESPONSE_SUCCESS));
    is_answer(rig, 0, before, group, SIM_PAGE_SUCCESS);
    rig_is(uiommu_page_respond(ep, p->cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
}

static bool are_served(struct uiommu_endpoint *ep)
{
    struct uiommu_mode mode;

    rig_ok(uiommu_effective_mode(ep, &mode));
    return mode.faults_served;
}

/* A group of it that the handler has left, to be answered later. */
static void leave_one(struct rig *rig, struct pager *p, uint32_t number,
                      uint16_t group)
{
    p->response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, group, true);
    collect_and_serve(rig);
}

/* A part that sees a domain that answers. */
static uint32_t open_part(struct rig *rig, struct part *part, struct pager *p)
{
    lend_asking(rig, part, 0);
    open_pager(rig, p, 0);
    see(part->ep, p->d);
    return uiommu_endpoint_pasid(part->ep);
}

/* The client's handler hears of the client's endpoint, and nobody else answers for it. */
static void a_part_asks_for_pages(struct rig *rig)
{
    struct part part, other;
    struct pager p, q;

    (void)open_part(rig, &part, &p);
    open_pager(rig, &q, 0);
    lend(rig, 0, &other);
    assert_true(are_served(part.ep));
    see(other.ep, q.d);
    assert_true(may_ask(rig, 0));
    ask(rig, 0, part.pasid, BASE, 1, true);
    collect_and_serve(rig);
    assert_ptr_equal(p.endpoint, part.ep);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    assert_true(reaches(rig, 0, part.ep, BASE, p.phys));
    answer_of_part(rig, &p, part.ep, part.pasid, 2);
    answer_of_part(rig, &q, other.ep, other.pasid, 3);
    leave_one(rig, &p, part.pasid, 4);
    rig_is(uiommu_page_respond(other.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_page_respond(rig_endpoint(rig, 0), p.cookie,
                               UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    see(part.ep, uiommu_blocked(rig->u));
    is_answer(rig, 0, 3, 4, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    take_home(&part);
    see(other.ep, p.d); /* it keeps its number */
    answer_of_part(rig, &p, other.ep, other.pasid, 5);
    uiommu_domain_put(q.d);
    end(&other, &p);
}

/* Else it would not be known which of them asks. */
static void parts_that_are_asked_share_no_number(struct rig *rig)
{
    struct part one, two;
    struct pager p;

    lend_asking(rig, &one, UIOMMU_MDEV_SHARE);
    open_pager(rig, &p, 0);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    see(one.ep, p.d);
    see(two.ep, p.d);
    assert_int_not_equal(one.pasid, two.pasid);
    answer_of_part(rig, &p, one.ep, one.pasid, 1);
    answer_of_part(rig, &p, two.ep, two.pasid, 2);
    take_home(&one);
    end(&two, &p);
}

/* While its mediator stops it, what it asked for waits; when it is over that was answered,
 * and the number is free. */
static unsigned answered_in_clear;

static void count_answers(struct part *part)
{
    answered_in_clear = answers(part->rig, 0);
}

static void what_it_asked_for_is_answered_before_it_ends(struct rig *rig)
{
    struct part part;
    struct pager p;
    uint32_t number;

    number = open_part(rig, &part, &p);
    leave_one(rig, &p, number, 1);
    ask(rig, 0, number, BASE + RIG_PAGE, 2, true);
    part.inside = count_answers;
    see(part.ep, uiommu_blocked(rig->u));
    assert_int_equal(part.clears, 1);
    assert_int_equal(answered_in_clear, 0);
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    part.inside = NULL;
    p.groups = 0;
    see(part.ep, p.d);
    assert_int_equal(uiommu_endpoint_pasid(part.ep), number);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(answers(rig, 0), 2);
    end(&part, &p);
}

/* It keeps its number, and whoever answers now is asked once more. */
static void another_domain_s_handler_is_asked_again(struct rig *rig)
{
    struct part part;
    struct pager p, q;
    uint32_t number;

    number = open_part(rig, &part, &p);
    open_pager(rig, &q, 0);
    ask(rig, 0, number, BASE, 1, true);
    see(part.ep, q.d);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    ask(rig, 0, number, BASE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(q.groups, 1);
    assert_ptr_equal(q.endpoint, part.ep);
    uiommu_domain_put(p.d);
    end(&part, &q);
}

/* What was asked is nobody's then, whoever has it; the client's endpoint goes on saying so. */
static void c_sc7_a_parent_is_pulled_out_with_requests_open(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct part part;
    struct pager p;
    uint32_t number;

    number = open_part(rig, &part, &p);
    leave_one(rig, &p, number, 1);
    assert_int_equal(p.groups, 1);
    ask(rig, 0, number, BASE + RIG_PAGE, 2, true);
    collect(rig);
    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    uiommu_serve(rig->u);
    assert_int_equal(p.groups, 1);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_set_domain(part.ep, p.d, NULL), UIOMMU_NODEV);
    take_home(&part);
    uiommu_domain_put(p.d);
}

/* Nothing of it is left when the parent has been reset, and it asks anew. */
static void c_sc8_a_reset_ends_what_a_part_asked_for(struct rig *rig)
{
    struct part part;
    struct pager p;
    uint32_t number;

    number = open_part(rig, &part, &p);
    leave_one(rig, &p, number, 1);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    assert_int_equal(answers(rig, 0), 1);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(uiommu_endpoint_pasid(part.ep), number);
    p.response = UIOMMU_RESPONSE_SUCCESS;
    ask(rig, 0, number, BASE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 2);
    is_answer(rig, 0, 1, 2, SIM_PAGE_SUCCESS);
    end(&part, &p);
}

static const struct uiommu_mediator no_numbers = {
    .parent_reset = part_reset,
};

/* It asks as its parent does; what is open is answered when it ends, and then its parent is
 * asked. */
static void an_heir_asks_for_pages(struct rig *rig)
{
    struct uiommu_mdev_config config;
    struct part heir = { 0 };
    struct pager p;

    config = part_config(&heir, rig, 0);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    config.mediator = &no_numbers;
    open_pager(rig, &p, 0);
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    assert_true(are_served(heir.ep));
    see(heir.ep, p.d);
    answer_of_part(rig, &p, heir.ep, UIOMMU_NO_PASID, 1);
    leave_one(rig, &p, UIOMMU_NO_PASID, 2);
    rig_ok(uiommu_page_respond(heir.ep, p.cookie, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 3, true);
    take_home(&heir);
    is_answer(rig, 0, 2, 3, SIM_PAGE_INVALID);
    set(rig, 0, p.d);
    answer_of_part(rig, &p, rig_endpoint(rig, 0), UIOMMU_NO_PASID, 4);
    rig_drop(rig, 0, p.d);
}

static void a_queue_says_which_part_asks(struct rig *rig)
{
    struct uiommu_domain_config config = { .size = sizeof(config) };
    struct uiommu_page_request one[1];
    struct uiommu_request_group group;
    struct uiommu_request_queue *q;
    struct uiommu_domain *d;
    struct part part;

    lend_asking(rig, &part, 0);
    rig_ok(uiommu_request_queue_create(rig->u, NULL, &q));
    config.request_queue = q;
    rig_ok(uiommu_domain_create(part.ep, &config, &d));
    see(part.ep, d);
    ask(rig, 0, part.pasid, BASE, 1, true);
    collect(rig);
    rig_ok(uiommu_request_queue_read(q, one, 1, &group));
    assert_ptr_equal(group.endpoint, part.ep);
    rig_ok(
        uiommu_request_queue_respond(q, group.cookie, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    take_home(&part);
    uiommu_domain_put(d);
    uiommu_request_queue_destroy(q);
}

static void forget(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                   uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

static const struct uiommu_mediator in_software = {
    .parent_reset = part_reset,
    .unmapped = forget,
};

static void for_software_nothing_asks(struct rig *rig)
{
    struct uiommu_mdev_config config;
    struct part part = { 0 };
    struct pager p;

    config = part_config(&part, rig, 0);
    config.kind = UIOMMU_MDEV_EMULATED;
    config.mediator = &in_software;
    open_pager(rig, &p, 0);
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    assert_false(are_served(part.ep));
    rig_is(uiommu_set_domain(part.ep, p.d, NULL), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "no hardware asks for it");
    rig_ok(uiommu_mdev_unregister(part.ep));
    uiommu_domain_put(p.d);
}

static void a_part_can_what_its_parent_can(struct rig *rig)
{
    struct part part;
    struct pager p;

    open_pager(rig, &p, 0);
    lend(rig, 0, &part);
    assert_false(are_served(part.ep));
    rig_is(uiommu_set_domain(part.ep, p.d, NULL), UIOMMU_OPNOTSUPP);
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), uiommu_blocked(rig->u));
    assert_int_equal(part.installs, 0);
    take_home(&part);
    uiommu_domain_put(p.d);
}

/* PCIe Base 10.4.2.2, VT-d 7.6.1: of what is asked with a number the answer has it on some
 * units, and some devices know none such. */
static void a_part_is_served_where_its_answers_are_known(struct rig *rig)
{
    struct part part = { 0 }, heir = { 0 };
    struct uiommu_mdev_config config = part_config(&heir, rig, 0);
    const bool known = rig_lacks(rig, RIG_DMAR) != NULL;
    struct pager p;

    open_pager(rig, &p, 0);
    lend(rig, 0, &part);
    assert_int_equal(are_served(part.ep), known);
    rig_is(uiommu_set_domain(part.ep, p.d, NULL),
           known ? UIOMMU_OK : UIOMMU_OPNOTSUPP);
    assert_int_equal(are_served(part.ep), known);
    rig_ok(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL));
    take_home(&part);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    assert_true(are_served(heir.ep));
    rig_ok(uiommu_set_domain(heir.ep, p.d, NULL));
    assert_true(are_served(heir.ep));
    take_home(&heir);
    uiommu_domain_put(p.d);
}

/* ---- of virtual functions (C-SC12) ----------------------------------------------------- */

enum { PF, VF };

static bool with_virtual(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "pf", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3,
          SIM_ATS | SIM_PRI | SIM_PASID | SIM_VFS_ON },
        { "vf", SIM_VIRTUAL, PF, 3 << 3 | 1, SIM_ATS },
    };

    rig->config.functions = functions;
    rig->config.n_functions = sizeof(functions) / sizeof(functions[0]);
    rig->setup.flags |= UIOMMU_CONFIG_WIDE_PASIDS;
    return with_pasid_requests(rig, why);
}

/* Its physical function could ask, and a part of that; what answers is for nobody else, and
 * what does not is for all. */
static void
c_sc12_a_part_of_a_virtual_function_asks_for_nothing(struct rig *rig)
{
    const uint64_t phys = rig_pages(rig, 0);
    struct uiommu_domain *plain = mapped(rig, BASE, phys);
    struct part part, above;
    struct pager p;

    open_pager(rig, &p, PF);
    lend_asking(rig, &above, 0);
    lend(rig, VF, &part);
    assert_true(are_served(above.ep));
    assert_false(are_served(part.ep));
    assert_false(are_served(rig_endpoint(rig, VF)));
    rig_is(uiommu_set_domain(part.ep, p.d, NULL), UIOMMU_OPNOTSUPP);
    assert_int_equal(part.installs, 0);
    see(part.ep, plain);
    assert_true(part.pasid > 0);
    assert_true(reaches(rig, VF, part.ep, BASE, phys));
    rig_is(uiommu_set_domain(part.ep, p.d, NULL), UIOMMU_OPNOTSUPP);
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), plain);
    see(above.ep, p.d);
    take_home(&part);
    uiommu_domain_put(plain);
    end(&above, &p);
}

static bool with_bare_answers(struct rig *rig, const char **why)
{
    if (!with_pasid_requests(rig, why))
        return false;
    rig->config.engine_caps |= SIM_PRI_PLAIN;
    return true;
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_part_asks_for_pages, with_pasid_requests),
    RIG_TEST_ON(parts_that_are_asked_share_no_number, with_pasid_requests),
    RIG_TEST_ON(what_it_asked_for_is_answered_before_it_ends,
                with_pasid_requests),
    RIG_TEST_ON(another_domain_s_handler_is_asked_again, with_pasid_requests),
    RIG_TEST_ON(c_sc7_a_parent_is_pulled_out_with_requests_open,
                with_pasid_requests),
    RIG_TEST_ON(c_sc8_a_reset_ends_what_a_part_asked_for, with_pasid_requests),
    RIG_TEST_ON(an_heir_asks_for_pages, with_requests),
    RIG_TEST_ON(a_queue_says_which_part_asks, with_pasid_requests),
    RIG_TEST_ON(for_software_nothing_asks, with_requests),
    RIG_TEST_ON(a_part_can_what_its_parent_can, with_pasids),
    RIG_TEST_ON(c_sc12_a_part_of_a_virtual_function_asks_for_nothing,
                with_virtual),
    RIG_TEST_ON(a_part_is_served_where_its_answers_are_known,
                with_bare_answers),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_request", tests);
}
