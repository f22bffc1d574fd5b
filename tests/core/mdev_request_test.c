/* SPDX-License-Identifier: MIT */
/*
 * mdev_request_test.c - mediated devices that ask for pages: who is asked, who is told,
 * and when nobody is any more (semantics C.4, C.5).
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

/* The client's handler hears of the client's endpoint, and answers for it. */
static void a_part_asks_for_pages(struct rig *rig)
{
    struct part part;
    struct pager p;
    uint32_t number;

    lend_asking(rig, &part, 0);
    open_pager(rig, &p, 0);
    see(part.ep, p.d);
    number = uiommu_endpoint_pasid(part.ep);
    ask(rig, 0, number, BASE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_ptr_equal(p.endpoint, part.ep);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    assert_true(reaches(rig, 0, part.ep, BASE, p.phys));
    p.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE + RIG_PAGE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 1);
    rig_is(uiommu_page_respond(rig_endpoint(rig, 0), p.cookie,
                               UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_ok(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_INVALID),
           UIOMMU_NOENT);
    end(&part, &p);
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

    lend_asking(rig, &part, 0);
    open_pager(rig, &p, 0);
    see(part.ep, p.d);
    number = uiommu_endpoint_pasid(part.ep);
    p.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, 1, true);
    collect_and_serve(rig);
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

    lend_asking(rig, &part, 0);
    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    see(part.ep, p.d);
    ask(rig, 0, uiommu_endpoint_pasid(part.ep), BASE, 1, true);
    see(part.ep, q.d);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    ask(rig, 0, uiommu_endpoint_pasid(part.ep), BASE, 2, true);
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

    lend_asking(rig, &part, 0);
    open_pager(rig, &p, 0);
    see(part.ep, p.d);
    number = uiommu_endpoint_pasid(part.ep);
    p.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, 1, true);
    collect_and_serve(rig);
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

    lend_asking(rig, &part, 0);
    open_pager(rig, &p, 0);
    see(part.ep, p.d);
    number = uiommu_endpoint_pasid(part.ep);
    p.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, 1, true);
    collect_and_serve(rig);
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

/* It asks as its parent does, and is answered when it ends. */
static void an_heir_asks_for_pages(struct rig *rig)
{
    struct uiommu_mdev_config config;
    struct part part;
    struct pager p;

    config = part_config(&part, rig, 0);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    part = (struct part){ .rig = rig };
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    open_pager(rig, &p, 0);
    see(part.ep, p.d);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    assert_ptr_equal(p.endpoint, part.ep);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    p.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, UIOMMU_NO_PASID, BASE + RIG_PAGE, 2, true);
    collect_and_serve(rig);
    rig_ok(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    ask(rig, 0, UIOMMU_NO_PASID, BASE + RIG_PAGE, 3, true);
    take_home(&part);
    is_answer(rig, 0, 2, 3, SIM_PAGE_INVALID);
    uiommu_domain_put(p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_part_asks_for_pages, with_pasid_requests),
    RIG_TEST_ON(what_it_asked_for_is_answered_before_it_ends,
                with_pasid_requests),
    RIG_TEST_ON(another_domain_s_handler_is_asked_again, with_pasid_requests),
    RIG_TEST_ON(c_sc7_a_parent_is_pulled_out_with_requests_open,
                with_pasid_requests),
    RIG_TEST_ON(c_sc8_a_reset_ends_what_a_part_asked_for, with_pasid_requests),
    RIG_TEST_ON(an_heir_asks_for_pages, with_requests),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_request", tests);
}
