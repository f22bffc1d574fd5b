/* SPDX-License-Identifier: MIT */
/*
 * request_malformed_test.c - what no device may ask, or not now: it has its answer where one
 * is owed, and no handler hears of it (semantics B.17.2, D-11, D-12).
 */
#include "tests/core/requests.h"

/* A device that does not keep to the rules: what its capabilities say is not asked. */
static void break_rules(struct rig *rig, const struct sim_page_request *request)
{
    struct sim_page_request r = *request;

    r.rogue = true;
    assert_int_equal(sim_page_request(rig->m, &r), SIM_NOT_STOPPED);
}

static struct sim_page_request wrong_of(struct rig *rig, uint32_t number,
                                        unsigned i)
{
    struct sim_page_request r =
        request_of(rig, 0, number, BASE + i * RIG_PAGE, (uint16_t)i, true);

    switch (i) {
    case 0: /* execution without reading */
        r.access = UIOMMU_WRITE;
        r.exec = true;
        break;
    case 1: /* no function is let be privileged */
        r.access = UIOMMU_READ;
        r.priv = true;
        break;
    case 2: /* beyond all domains */
        r.iova = UINT64_C(1) << 60 | BASE;
        break;
    default: /* not canonical, where that means something */
        r.iova = UINT64_C(1) << 57;
        break;
    }
    return r;
}

enum { WRONG = 4 };

static void malformed_requests_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct pager p, own;

    open_pager(rig, &own, 0);
    set(rig, 0, own.d);
    ep = pasid(rig, 0);
    open_pager(rig, &p, 0);
    see(ep, p.d);
    for (unsigned i = 0; i < WRONG; i++) {
        const struct sim_page_request r = wrong_of(rig, 1, i);
        const unsigned before = answers(rig, 0);

        break_rules(rig, &r);
        collect_and_serve(rig);
        assert_int_equal(answers(rig, 0), before + 1);
        assert_int_equal(answer(rig, 0, before).group, i);
        assert_int_equal(answer(rig, 0, before).code, SIM_PAGE_INVALID);
    }
    assert_int_equal(p.groups + own.groups, 0);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_drop(rig, 0, own.d);
    uiommu_domain_put(p.d);
}

/* They make no group, take no credit of others, and are not owed an answer. */
static void what_is_not_the_last_is_dropped(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    see(ep, p.d);
    for (unsigned i = 0; i < 200; i++) {
        struct sim_page_request r = wrong_of(rig, 1, i % WRONG);

        r.last = false;
        r.group = 7;
        r.access = i % WRONG == 3 ? 0 : r.access;
        break_rules(rig, &r);
        collect(rig);
    }
    assert_int_equal(answers(rig, 0), 0);
    ask(rig, 0, 1, BASE, 8, false);
    ask(rig, 0, 1, BASE + RIG_PAGE, 8, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 1);
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.n, 2);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* The last is malformed: what came before it is nobody's, and takes no slot. */
static void a_group_whose_last_is_malformed_is_gone(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    p.response = UIOMMU_RESPONSE_INVALID;
    see(ep, p.d);
    for (unsigned i = 0; i < 100; i++) {
        struct sim_page_request r = wrong_of(rig, 1, 0);

        r.group = 9;
        r.last = false;
        r.access = RW;
        r.exec = false;
        break_rules(rig, &r);
        r.last = true;
        r.exec = true;
        r.access = UIOMMU_WRITE;
        break_rules(rig, &r);
        collect(rig);
        assert_int_equal(answers(rig, 0), i + 1);
    }
    uiommu_serve(rig->u);
    assert_int_equal(p.groups, 0);
    ask(rig, 0, 1, BASE, 9, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.n, 1);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* Stop markers have a PASID. VT-d takes it for one all the same, and then says nothing of
 * its group (7.10). */
static void for_nothing_without_a_pasid(struct rig *rig)
{
    const bool vtd = strcmp(rig_arch(rig)->driver->name, "vtd") == 0;
    struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 6, true);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    r.access = 0;
    break_rules(rig, &r);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(answers(rig, 0), !vtd);
    if (!vtd) {
        assert_int_equal(answer(rig, 0, 0).group, 6);
        assert_int_equal(answer(rig, 0, 0).code, SIM_PAGE_INVALID);
    }
    rig_drop(rig, 0, p.d);
}

/* Of a PASID that nobody has, the device has it all the same. */
static void numbers_that_nobody_has_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct sim_page_request r = request_of(rig, 0, 3, BASE, 4, true);
    struct pager p;

    open_pager(rig, &p, 0);
    see(ep, p.d);
    break_rules(rig, &r);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 1);
    assert_int_equal(answer(rig, 0, 0).code, SIM_PAGE_INVALID);
    assert_int_equal(p.groups, 0);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* ---- not now ------------------------------------------------------------------------- */

/* Units may collect what a device asks that does not hold still in its reset. */
static void who_is_reset_is_not_heard(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    const struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    rig_ok(uiommu_device_reset_begin(device));
    break_rules(rig, &r);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(answers(rig, 0), 1);
    assert_int_equal(answer(rig, 0, 0).code, SIM_PAGE_INVALID);
    rig_ok(uiommu_device_reset_end(device, true));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    rig_drop(rig, 0, p.d);
}

static bool with_a_breaker(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = 8;
    return with_requests(rig, why);
}

static bool with_pasids_and_a_breaker(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = 8;
    return with_pasid_requests(rig, why);
}

/* As if the unit had: a device that asks by ATS hears that it may not, and there is none. */
static void tell_of_fault(struct rig *rig)
{
    const struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_fault f = {
        .driver = rig_arch(rig)->driver->name,
        .id = ep->id,
        .pasid = UIOMMU_NO_PASID,
        .access = UIOMMU_WRITE,
        .has_iova = true,
        .iova = BASE,
    };

    uim_fault(ep->unit, &f);
}

static void shut_off(struct rig *rig)
{
    for (unsigned i = 0; i < 9; i++)
        tell_of_fault(rig);
    assert_true(atomic_load(&rig_endpoint(rig, 0)->muted));
}

/* Nor who is shut off for its faults. */
static void who_is_shut_off_is_not_heard(struct rig *rig)
{
    const struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    shut_off(rig);
    break_rules(rig, &r);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(answers(rig, 0), 1);
    assert_int_equal(answer(rig, 0, 0).code, SIM_PAGE_INVALID);
    rig_ok(uiommu_device_rearm(rig->device[rig_engine(rig, 0)]));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    rig_drop(rig, 0, p.d);
}

/* What came of a group before that is in the core, or in the unit's queue still; its last
 * comes to nothing. */
static void the_half_of_a_group_is_forgotten(struct rig *rig, uint32_t number,
                                             bool collected)
{
    ask(rig, 0, number, BASE, 5, false);
    (void)machine_run(rig->m);
    if (collected)
        collect(rig);
    shut_off(rig);
    ask(rig, 0, number, BASE + RIG_PAGE, 5, true);
    if (collected)
        collect(rig);
    rig_ok(uiommu_device_rearm(rig->device[rig_engine(rig, 0)]));
    ask(rig, 0, number, BASE + 2 * RIG_PAGE, 5, true);
    collect_and_serve(rig);
}

static void whose_last_was_not_heard_is_gone(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, p.d);
    for (unsigned i = 0; i < 2; i++) {
        p.groups = p.n = 0;
        the_half_of_a_group_is_forgotten(rig, UIOMMU_NO_PASID, i == 0);
        assert_int_equal(p.groups, 1);
        assert_int_equal(p.n, 1);
        rig_ok(uiommu_unmap(p.d, BASE, 4 * RIG_PAGE, NULL));
    }
    rig_drop(rig, 0, p.d);
}

static void nor_is_anything_left_of_pasids(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    see(ep, p.d);
    for (unsigned i = 0; i < 2; i++) {
        p.groups = p.n = 0;
        the_half_of_a_group_is_forgotten(rig, uiommu_endpoint_pasid(ep),
                                         i == 0);
        assert_int_equal(p.groups, 1);
        assert_int_equal(p.n, 1);
        rig_ok(uiommu_unmap(p.d, BASE, 4 * RIG_PAGE, NULL));
    }
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* One each for its endpoint and its PASID are left to be answered later. */
static void leave_two(struct rig *rig, struct pager *p, uint64_t cookie[2])
{
    p->response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    cookie[0] = p->cookie;
    ask(rig, 0, 1, BASE, 2, true);
    collect_and_serve(rig);
    cookie[1] = p->cookie;
    assert_int_equal(p->groups, 2);
    assert_int_equal(answers(rig, 0), 0);
}

/* It is out, and asks for nothing: nor does anybody who answers go on serving it. */
static void who_is_not_armed_is_not_served(struct rig *rig)
{
    const struct uiommu_host *h = &rig->u->host;
    const unsigned dev = rig_engine(rig, 0);
    struct uiommu_endpoint *own = rig_endpoint(rig, 0);
    struct uiommu_endpoint *ep;
    uint64_t cookie[2];
    struct uim_pci_ats ats;
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, p.d);
    ep = pasid(rig, 0);
    see(ep, p.d);
    leave_two(rig, &p, cookie);
    shut_off(rig);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    rig_is(uiommu_device_rearm(rig->device[dev]), UIOMMU_TIMEDOUT);
    assert_true(atomic_load(&own->quarantined));
    rig_ok(uim_pci_ats(h, rig->m->devices[dev].pci, &ats));
    assert_false(ats.enabled);
    assert_false(may_ask(rig, 0));
    rig_is(uiommu_page_respond(own, cookie[0], UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_page_respond(ep, cookie[1], UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig->dirty = true; /* what was not confirmed is not when it goes, either */
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(p.d);
}

/* Whether all came to the unit is for the device to say: who does not is out. */
static void who_does_not_answer_is_not_armed(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, p.d);
    shut_off(rig);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    rig_is(uiommu_device_rearm(rig->device[dev]), UIOMMU_TIMEDOUT);
    assert_true(atomic_load(&rig_endpoint(rig, 0)->quarantined));
    assert_true(atomic_load(&rig_endpoint(rig, 0)->muted));
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_is(uiommu_device_rearm(rig->device[dev]), UIOMMU_NODEV);
    assert_true(rig_refused(rig, 0, BASE));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(p.d);
}

/* A reset goes on over that: until its end the device need not answer its unit. */
static void who_is_armed_in_a_reset_is_not_asked(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct trace t;
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, p.d);
    rig_ok(uiommu_device_reset_begin(rig->device[dev]));
    shut_off(rig);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    trace_start(rig, &t);
    rig_ok(uiommu_device_rearm(rig->device[dev]));
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 0);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_ok(uiommu_device_reset_end(rig->device[dev], true));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    rig_drop(rig, 0, p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(malformed_requests_are_refused, with_pasid_requests),
    RIG_TEST_ON(what_is_not_the_last_is_dropped, with_pasid_requests),
    RIG_TEST_ON(a_group_whose_last_is_malformed_is_gone, with_pasid_requests),
    RIG_TEST_ON(for_nothing_without_a_pasid, with_requests),
    RIG_TEST_ON(numbers_that_nobody_has_are_refused, with_pasid_requests),
    RIG_TEST_ON(who_is_reset_is_not_heard, with_requests),
    RIG_TEST_ON(who_is_shut_off_is_not_heard, with_a_breaker),
    RIG_TEST_ON(whose_last_was_not_heard_is_gone, with_a_breaker),
    RIG_TEST_ON(nor_is_anything_left_of_pasids, with_pasids_and_a_breaker),
    RIG_TEST_ON(who_does_not_answer_is_not_armed, with_a_breaker),
    RIG_TEST_ON(who_is_not_armed_is_not_served, with_pasids_and_a_breaker),
    RIG_TEST_ON(who_is_armed_in_a_reset_is_not_asked, with_a_breaker),
    { 0 },
};

int main(void)
{
    return rig_run("page requests that are malformed", tests);
}
