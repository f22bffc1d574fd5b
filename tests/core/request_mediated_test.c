/* SPDX-License-Identifier: MIT */
/*
 * request_mediated_test.c - page requests of parts of a device: who has the part is asked,
 * and answers for it, without knowing what the device sends (semantics C.6).
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"

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

static void a_part_with_a_number_is_asked(struct rig *rig)
{
    struct part part, other;
    struct pager p, q;

    set(rig, 0, uiommu_identity(rig->u));
    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    lend(rig, 0, &part);
    lend(rig, 0, &other);
    assert_true(are_served(part.ep));
    see(part.ep, p.d);
    see(other.ep, q.d);
    assert_true(may_ask(rig, 0));
    answer_of_part(rig, &p, part.ep, part.pasid, 1);
    answer_of_part(rig, &q, other.ep, other.pasid, 2);
    ask(rig, 0, part.pasid, BASE, 3, true);
    collect_and_serve(rig);
    rig_is(uiommu_page_respond(other.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    see(part.ep, uiommu_blocked(rig->u));
    is_answer(rig, 0, 2, 3, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(part.ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    take_home(&part);
    see(other.ep, p.d); /* it keeps its number */
    answer_of_part(rig, &p, other.ep, other.pasid, 4);
    take_home(&other);
    uiommu_domain_put(p.d);
    uiommu_domain_put(q.d);
}

/* Else it would not be known which of them asks. */
static void parts_that_are_asked_share_no_number(struct rig *rig)
{
    struct part one, two;
    struct pager p;

    set(rig, 0, uiommu_identity(rig->u));
    open_pager(rig, &p, 0);
    lend_as(rig, 0, &one, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    see(one.ep, p.d);
    see(two.ep, p.d);
    assert_int_not_equal(one.pasid, two.pasid);
    answer_of_part(rig, &p, one.ep, one.pasid, 1);
    answer_of_part(rig, &p, two.ep, two.pasid, 2);
    take_home(&one);
    take_home(&two);
    uiommu_domain_put(p.d);
}

static const struct uiommu_mediator no_numbers = {
    .parent_reset = part_reset,
};

static void who_inherits_is_asked(struct rig *rig)
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
    rig_ok(uiommu_set_domain(heir.ep, p.d, NULL));
    answer_of_part(rig, &p, heir.ep, UIOMMU_NO_PASID, 1);
    rig_ok(uiommu_set_domain(heir.ep, uiommu_blocked(rig->u), NULL));
    rig_ok(uiommu_mdev_unregister(heir.ep));
    set(rig, 0, p.d);
    answer_of_part(rig, &p, rig_endpoint(rig, 0), UIOMMU_NO_PASID, 2);
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

    set(rig, 0, uiommu_identity(rig->u));
    rig_ok(uiommu_request_queue_create(rig->u, NULL, &q));
    config.request_queue = q;
    lend(rig, 0, &part);
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

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_part_with_a_number_is_asked, with_pasid_requests),
    RIG_TEST_ON(parts_that_are_asked_share_no_number, with_pasid_requests),
    RIG_TEST_ON(who_inherits_is_asked, with_requests),
    RIG_TEST_ON(a_queue_says_which_part_asks, with_pasid_requests),
    RIG_TEST_ON(for_software_nothing_asks, with_requests),
    RIG_TEST_ON(a_part_can_what_its_parent_can, with_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("page requests of mediated devices", tests);
}
