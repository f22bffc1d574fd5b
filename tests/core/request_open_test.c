/* SPDX-License-Identifier: MIT */
/*
 * request_open_test.c - groups that somebody is to answer later, and what happens to their
 * device meanwhile (semantics B.17.11, B.17.12, B.19).
 */
#include "tests/core/requests.h"

/* ---- cut, shut off, let go ------------------------------------------------------------ */

static void leave_one(struct rig *rig, struct pager *p, uint32_t number,
                      uint16_t group)
{
    p->response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, group, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 0);
}

/* Nothing that it asks for is heard any more; what it waits for can still be answered. */
static void who_is_quarantined_can_be_answered(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct sim_page_request more =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    leave_one(rig, &p, UIOMMU_NO_PASID, 1);
    rig_ok(uim_quarantine(ep));
    more.rogue = true;
    assert_int_equal(sim_page_request(rig->m, &more), SIM_NOT_STOPPED);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(answers(rig, 0), 1);
    assert_int_equal(answer(rig, 0, 0).code, SIM_PAGE_INVALID);
    rig_ok(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 1, 1, SIM_PAGE_INVALID);
    rig_ok(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL));
    uiommu_domain_put(p.d);
}

/* And what nobody has answered is, once it sees nothing. */
static void who_is_quarantined_is_answered_when_it_goes(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    leave_one(rig, &p, UIOMMU_NO_PASID, 1);
    rig_ok(uim_quarantine(rig_endpoint(rig, 0)));
    set(rig, 0, uiommu_blocked(rig->u));
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(rig_endpoint(rig, 0), p.cookie,
                               UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    uiommu_domain_put(p.d);
}

enum { BUDGET = 8 };

static bool with_a_breaker(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = BUDGET;
    return with_requests(rig, why);
}

static void shut_off(struct rig *rig)
{
    const struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    for (unsigned i = 0; i <= BUDGET; i++) {
        struct uiommu_fault f = {
            .driver = rig_arch(rig)->driver->name,
            .id = ep->id,
            .pasid = UIOMMU_NO_PASID,
            .access = UIOMMU_WRITE,
        };

        uim_fault(ep->unit, &f);
    }
    assert_true(atomic_load(&ep->muted));
}

/* It sees the same as before: what it waits for is answered by whoever was to. */
static void a_group_outlives_a_storm(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    leave_one(rig, &p, UIOMMU_NO_PASID, 1);
    shut_off(rig);
    assert_int_equal(answers(rig, 0), 0);
    rig_ok(uiommu_device_rearm(rig->device[rig_engine(rig, 0)]));
    assert_int_equal(answers(rig, 0), 0);
    assert_true(may_ask(rig, 0));
    rig_ok(uiommu_page_respond(rig_endpoint(rig, 0), p.cookie,
                               UIOMMU_RESPONSE_SUCCESS));
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    rig_drop(rig, 0, p.d);
}

/* ---- pulled out ------------------------------------------------------------------------ */

/* Its PASID endpoint is there until it is destroyed, and stands for nothing. */
static void who_is_pulled_out_is_not_answered(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    see(ep, p.d);
    leave_one(rig, &p, 1, 1);
    sim_unplug(rig->m, dev);
    (void)!uiommu_device_remove(rig->device[dev]);
    rig->device[dev] = NULL;
    rig_is(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    uiommu_serve(rig->u);
    assert_int_equal(p.groups, 1);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* ---- time ------------------------------------------------------------------------------ */

/* Of whom the handler has left, from then on; not of who waits for a handler. */
static void time_begins_when_it_is_left(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_LATER);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect(rig);
    sim_advance(rig->m, 2 * rig->setup.request_limit_ns);
    collect(rig);
    assert_int_equal(answers(rig, 0), 0);
    uiommu_serve(rig->u);
    collect(rig);
    assert_int_equal(answers(rig, 0), 0);
    sim_advance(rig->m, rig->setup.request_limit_ns);
    collect(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    rig_drop(rig, 0, p.d);
}

/* ---- as it was found -------------------------------------------------------------------- */

static void asking_that_is_found_on_is_switched_off(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    const unsigned dev = rig_engine(rig, 0);
    const struct uiommu_pci at = rig->m->devices[dev].pci;
    const unsigned pri = uim_pci_find_ext(h, at, PCI_EXT_CAP_PRI);
    const unsigned ats = uim_pci_find_ext(h, at, PCI_EXT_CAP_ATS);
    struct pager p;

    assert_true(pri > 0 && ats > 0);
    up_to_start(rig);
    h->pci_write(h->ctx, at, ats + PCI_REG_ATS_CTRL, 2, 0x8000);
    assert_true(uim_pci_pri_enable(h, at, pri, 4));
    rig_add_all(rig);
    assert_false(may_ask(rig, 0));
    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    assert_true(may_ask(rig, 0));
    rig_drop(rig, 0, p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(who_is_quarantined_can_be_answered, with_requests),
    RIG_TEST_ON(who_is_quarantined_is_answered_when_it_goes, with_requests),
    RIG_TEST_ON(a_group_outlives_a_storm, with_a_breaker),
    RIG_TEST_ON(who_is_pulled_out_is_not_answered, with_pasid_requests),
    RIG_TEST_ON(time_begins_when_it_is_left, with_requests),
    RIG_COLD_ON(asking_that_is_found_on_is_switched_off, with_requests),
    { 0 },
};

int main(void)
{
    return rig_run("page requests that are open", tests);
}
