/* SPDX-License-Identifier: MIT */
/*
 * request_sleep_test.c - when nobody will be there to answer: what devices asked for is
 * answered before the machine sleeps or units are handed over, and they ask again after
 * (semantics B.17.12, B.23).
 */
#include "tests/core/handover.h"

#undef BASE /* the same */
#include "tests/core/requests.h"

/* ---- sleep --------------------------------------------------------------------------- */

static void sleep_with_open_groups(struct rig *rig, struct pager *p,
                                   struct uiommu_endpoint *ep)
{
    const uint32_t number = uiommu_endpoint_pasid(ep);

    see(ep, p->d);
    open_groups(rig, p, number);
    rig_ok(uiommu_suspend(rig->u));
    are_answered(rig, SIM_PAGE_SUCCESS);
    assert_false(may_ask(rig, 0));
    rig_is(uiommu_page_respond(ep, p->cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    uiommu_serve(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_int_equal(p->groups, 1);
    assert_true(may_ask(rig, 0));
    p->response = UIOMMU_RESPONSE_SUCCESS;
    p->n = 0;
    /* Part of group 3 came before. */
    ask(rig, 0, number, BASE, 3, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 3, 3, SIM_PAGE_SUCCESS);
    assert_int_equal(p->n, 1);
}

static void a_sleep_answers_and_lets_ask_again(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    sleep_with_open_groups(rig, &p, rig_endpoint(rig, 0));
    rig_drop(rig, 0, p.d);
}

static void a_sleep_answers_what_pasids_asked(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    sleep_with_open_groups(rig, &p, ep);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* Who suspends what sleeps is told so, and nothing else happens. */
static void a_second_suspend_lets_nobody_ask(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_suspend(rig->u), UIOMMU_BUSY);
    assert_false(may_ask(rig, 0));
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(may_ask(rig, 0));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    rig_drop(rig, 0, p.d);
}

/* Its credits, too: as many groups as before. */
static void sleeps_cost_no_credit(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    for (unsigned round = 0; round < 40; round++) {
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, false);
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
        collect(rig);
        rig_ok(uiommu_suspend(rig->u));
        sim_reset_units(rig->m);
        rig_ok(uiommu_resume(rig->u));
        assert_int_equal(sim_page_groups(rig->m, rig_engine(rig, 0)), 0);
        assert_int_equal(answers(rig, 0), round + 1);
    }
    rig_drop(rig, 0, p.d);
}

/* A device that could not ask before cannot after. */
static void who_asked_for_nothing_does_not_begin(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_false(may_ask(rig, 0));
    rig_drop(rig, 0, d);
}

/* ---- in a reset ---------------------------------------------------------------------- */

/* It need not answer its unit until it is well again, and is not asked. */
static void sleep_in_a_reset(struct rig *rig, struct pager *p,
                             struct uiommu_endpoint *ep)
{
    const unsigned dev = rig_engine(rig, 0);
    struct trace t;

    see(ep, p->d);
    rig_ok(uiommu_device_reset_begin(rig->device[dev]));
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    trace_start(rig, &t);
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 0);
    assert_false(may_ask(rig, 0));
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_ok(uiommu_device_reset_end(rig->device[dev], true));
    assert_true(may_ask(rig, 0));
    ask(rig, 0, uiommu_endpoint_pasid(ep), BASE, 1, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    assert_int_equal(p->n, 1);
}

static void a_reset_goes_on_over_a_sleep(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    sleep_in_a_reset(rig, &p, rig_endpoint(rig, 0));
    rig_drop(rig, 0, p.d);
}

static void a_reset_goes_on_over_a_sleep_of_pasids(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    sleep_in_a_reset(rig, &p, ep);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* Nor who is out for good: but what it waits for is answered. */
static void who_is_quarantined_is_answered_and_not_asked(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct trace t;
    struct pager p;

    open_pager(rig, &p, 0);
    p.response = UIOMMU_RESPONSE_LATER;
    set(rig, 0, p.d);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    rig_ok(uim_quarantine(rig_endpoint(rig, 0)));
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    trace_start(rig, &t);
    rig_ok(uiommu_suspend(rig->u));
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 0);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_false(may_ask(rig, 0));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(p.d);
}

/* ---- hand-over --------------------------------------------------------------------------- */

static bool with_a_next_owner(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_ADOPTION, why) && with_requests(rig, why);
}

/* The next owner takes over what is mapped. */
static void who_is_handed_over_asks_no_more(struct rig *rig)
{
    uint64_t page;
    struct pager p;

    up(rig);
    page = rig_pages(rig, 0);
    open_pager(rig, &p, 0);
    map_page(p.d, GIB(3), page);
    set(rig, 0, p.d);
    open_groups(rig, &p, UIOMMU_NO_PASID);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    assert_says(sim_last_log(rig->m), "ask for pages no more");
    are_answered(rig, SIM_PAGE_SUCCESS);
    assert_false(may_ask(rig, 0));
    uiommu_domain_put(p.d);
    first_is_gone(rig);
    create_next(rig);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    assert_true(rig_reaches(rig, 0, GIB(3), page));
    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    assert_true(may_ask(rig, 0));
    p.response = UIOMMU_RESPONSE_INVALID;
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 3, true);
    collect_and_serve(rig);
    assert_int_equal(p.n, 1);
    rig_drop(rig, 0, p.d);
    end_adoption(rig);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_sleep_answers_and_lets_ask_again, with_requests),
    RIG_TEST_ON(a_sleep_answers_what_pasids_asked, with_pasid_requests),
    RIG_TEST_ON(a_second_suspend_lets_nobody_ask, with_requests),
    RIG_TEST_ON(sleeps_cost_no_credit, with_requests),
    RIG_TEST_ON(who_asked_for_nothing_does_not_begin, with_requests),
    RIG_TEST_ON(a_reset_goes_on_over_a_sleep, with_requests),
    RIG_TEST_ON(a_reset_goes_on_over_a_sleep_of_pasids, with_pasid_requests),
    RIG_TEST_ON(who_is_quarantined_is_answered_and_not_asked, with_requests),
    RIG_COLD_ON(who_is_handed_over_asks_no_more, with_a_next_owner),
    { 0 },
};

int main(void)
{
    return rig_run("page requests and owners that leave", tests);
}
