/* SPDX-License-Identifier: MIT */
/*
 * sva_life_test.c - how providers, their domains and those who are bound come and go
 * (semantics B.20, D-03, D-04, D-19, D-22, D-24), and providers without tables.
 */
#include "tests/core/audited.h"
#include "tests/core/sva.h"

/* ---- the last reference --------------------------------------------------------------- */

/* D-19, D-22: whoever comes last, the process hears of it once and never after. */
static void a_domain_outlives_who_made_its_provider(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *mine = pasid(rig, 0);
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_sva_domain(mine, s.provider, &d));
    assert_ptr_equal(d, uiommu_endpoint_domain(ep));
    see(mine, d);
    kernel_exit(s.p);
    uiommu_provider_put(s.provider);
    assert_int_equal(kernel_released(s.p), 0);
    unbind(ep);
    assert_int_equal(kernel_released(s.p), 0);
    uiommu_domain_put(d);
    assert_int_equal(kernel_released(s.p), 0);
    see(mine, uiommu_blocked(rig->u));
    assert_int_equal(kernel_released(s.p), 1);
    rig_ok(uiommu_pasid_destroy(mine, true));
    kernel_process_free(s.p);
    kernel_close(s.k);
}

static void an_instance_waits_for_its_providers(struct rig *rig)
{
    const struct uiommu_provider_config config = { .size = sizeof(config) };
    struct uiommu_provider *p = NULL;

    rig_ok(rig_create(rig));
    rig_ok(uiommu_provider_create(rig->u, &config, &p));
    uiommu_provider_get(p);
    uiommu_provider_put(p);
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    uiommu_provider_put(p);
}

/* ---- it is over ------------------------------------------------------------------------ */

static void ended(struct rig *rig, bool with_reset)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *other = bind(&s, 1), *mine;
    const uint32_t number = uiommu_endpoint_pasid(ep);
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct uiommu_domain *d = uiommu_endpoint_domain(ep), *e = NULL;

    mine = pasid(rig, 0);
    see(mine, d);
    assert_true(shares(&s, 0, number, VA));
    assert_true(shares(&s, 1, number, VA));
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(mine), VA));
    if (with_reset)
        rig_ok(uiommu_device_reset_begin(device));
    sim_atomic(rig->m, true);
    rig_ok(uiommu_provider_exit(s.provider));
    rig_ok(uiommu_provider_exit(s.provider));
    sim_atomic(rig->m, false);
    if (with_reset)
        rig_ok(uiommu_device_reset_end(device, true));
    assert_true(rig_pasid_refused(rig, 0, number, VA));
    assert_true(rig_pasid_refused(rig, 1, number, VA));
    assert_true(rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(mine), VA));
    assert_ptr_equal(uiommu_endpoint_domain(ep), d);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 0), s.provider, NULL, &mine),
           UIOMMU_NOENT);
    rig_is(uiommu_sva_domain(rig_endpoint(rig, 0), s.provider, &e),
           UIOMMU_NOENT);
    rig_is(uiommu_set_domain(mine, d, NULL), UIOMMU_NOENT);
    e = rig_domain(rig, 0);
    map_page(e, BASE, rig_pages(rig, 0));
    see(mine, e);
    assert_true(lands_with(rig, 0, uiommu_endpoint_pasid(mine), BASE,
                           UIOMMU_WRITE) != NOWHERE);
    rig_ok(uiommu_pasid_destroy(mine, true));
    uiommu_domain_put(e);
    unbind(ep);
    unbind(other);
    close_process(&s);
}

static void nobody_reaches_a_process_that_has_ended(struct rig *rig)
{
    ended(rig, false);
}

static void nor_behind_a_tlb(struct rig *rig)
{
    for (unsigned n = 0; n < 2; n++)
        set(rig, n, uiommu_identity(rig->u));
    ended(rig, false);
    for (unsigned n = 0; n < 2; n++)
        set(rig, n, uiommu_blocked(rig->u));
}

/* Who is let go after a reset sees what there is then: nothing. */
static void a_reset_brings_nothing_back(struct rig *rig)
{
    ended(rig, true);
}

static void remove_devices(struct rig *rig)
{
    for (unsigned i = RIG_DEVICES; i-- > 0;) {
        if (rig->device[i])
            (void)!uiommu_device_remove(rig->device[i]);
        rig->device[i] = NULL;
    }
}

static void who_was_pulled_out_is_unbound_all_the_same(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *other = bind(&s, 1);

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_true(shares(&s, 1, uiommu_endpoint_pasid(other), VA));
    kernel_munmap(s.p, VA, 1);
    unbind(ep);
    rig_is(uiommu_sva_invalidate(s.provider, VA, VA), UIOMMU_OK);
    unbind(other);
    close_process(&s);
}

static void plug_again(struct rig *rig, unsigned n)
{
    assert_true(sim_plug(rig->m, rig_engine(rig, n)));
    rig_ok(rig_add(rig, rig_engine(rig, n)));
}

/* Whoever is plugged in is bound anew, wherever its endpoint is in memory. */
static void who_is_plugged_in_is_bound_for_itself(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep[4];

    for (unsigned i = 0; i < 4; i++) {
        ep[i] = bind(&s, 0);
        assert_non_null(ep[i]->device);
        assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep[i]), VA));
        sim_unplug(rig->m, dev);
        rig_ok(uiommu_device_remove(rig->device[dev]));
        plug_again(rig, 0);
    }
    for (unsigned i = 0; i < 4; i++)
        unbind(ep[i]);
    close_process(&s);
}

static void a_machine_that_sleeps_says_so(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *other = NULL;

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_sva_invalidate(s.provider, 0, UINT64_MAX), UIOMMU_AGAIN);
    rig_is(uiommu_sva_tables_freed(rig->u), UIOMMU_AGAIN);
    rig_is(uiommu_sva_unbind(ep, true), UIOMMU_AGAIN);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), s.provider, NULL, &other),
           UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    unbind(ep);
    close_process(&s);
}

/* Its memory is its own until units have heard of the end. */
static void what_ends_in_sleep_is_shut_after_it(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t number = uiommu_endpoint_pasid(ep);
    bool dirty;

    assert_true(shares(&s, 0, number, VA));
    rig_ok(uiommu_suspend(rig->u));
    kernel_exit(s.p);
    assert_true(kernel_lookup(s.p, VA, &dirty) != 0);
    rig_is(uiommu_provider_exit(s.provider), UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_pasid_refused(rig, 0, number, VA));
    rig_poll(rig);
    assert_int_equal(rig->faults, 0);
    kernel_exit(s.p);
    assert_true(kernel_lookup(s.p, VA, &dirty) == 0);
    unbind(ep);
    close_process(&s);
}

static bool with_sva_in_a_hurry(struct rig *rig, const char **why)
{
    hurry(rig);
    return with_sva(rig, why);
}

/* Where no resume worked the end is said once more when the units are off, or are not. */
static void what_ends_in_sleep_that_stays_is_over_after_stop(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    kernel_follow(s.p, NULL); /* it is told here */
    rig_ok(uiommu_suspend(rig->u));
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_resume(rig->u), UIOMMU_TIMEDOUT);
    rig_is(uiommu_provider_exit(s.provider), UIOMMU_AGAIN);
    (void)!uiommu_sva_unbind(ep, true);
    uim_check_silent(sim_door(rig->m), false);
    rig->dirty = true;
    remove_devices(rig);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    rig_ok(uiommu_provider_exit(s.provider));
    rig_ok(uiommu_sva_tables_freed(rig->u));
    close_process(&s);
}

/* ---- who does not answer ------------------------------------------------------------------ */

/* Its device is shut off before it is said that there is no saying; others go on. */
static void who_does_not_answer_is_shut_off(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep[2];
    struct uiommu_mode mode;
    uint32_t number;

    for (unsigned n = 0; n < 2; n++) {
        set(rig, n, uiommu_identity(rig->u));
        ep[n] = bind(&s, n);
    }
    number = uiommu_endpoint_pasid(ep[0]);
    for (unsigned n = 0; n < 2; n++)
        assert_true(shares(&s, n, number, VA));
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_FAILS);
    kernel_follow(s.p, NULL); /* it is told here */
    kernel_munmap(s.p, VA + RIG_PAGE, 1);
    assert_true(uiommu_sva_invalidate(s.provider, VA + RIG_PAGE,
                                      VA + 2 * RIG_PAGE - 1) >=
                UIOMMU_TIMEDOUT);
    rig_ok(uiommu_effective_mode(ep[0], &mode));
    assert_true(mode.quarantined);
    assert_true(rig_pasid_refused(rig, 0, number, VA));
    assert_true(shares(&s, 1, number, VA));
    kernel_follow(s.p, s.provider);
    (void)!uiommu_sva_unbind(ep[0], true);
    unbind(ep[1]);
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_ANSWERS);
    close_process(&s);
    rig->dirty = true;
}

/* Nobody refers to what a unit did not confirm to have left, but the unit may still walk
 * it: whoever invalidates is not told that all is well, until the unit is off. */
static void what_a_unit_keeps_is_not_invalidated(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    kernel_follow(s.p, NULL); /* it is told here */
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_sva_invalidate(s.provider, VA, VA), UIOMMU_TIMEDOUT);
    (void)!uiommu_sva_unbind(ep, true);
    rig_is(uiommu_sva_invalidate(s.provider, VA, VA), UIOMMU_TIMEDOUT);
    rig_is(uiommu_sva_tables_freed(rig->u), UIOMMU_TIMEDOUT);
    rig_is(uiommu_provider_exit(s.provider), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    rig->dirty = true;
    remove_devices(rig);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    assert_int_equal(kernel_released(s.p), 0);
    rig_ok(uiommu_sva_invalidate(s.provider, VA, VA));
    close_process(&s);
}

static void no_problem(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static bool with_sva_and_leaks(struct rig *rig, const char **why)
{
    rig->config.on_problem = no_problem;
    return with_sva_in_a_hurry(rig, why);
}

/* Nor is it when the unit does not stop: it is never said to be, even when nobody has the
 * provider any more, which is never released. */
static void what_a_unit_keeps_for_ever_is_never_free(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    char error[256];

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_ok(uiommu_sva_tables_freed(rig->u));
    uim_check_silent(sim_door(rig->m), true);
    (void)!uiommu_sva_unbind(ep, true);
    remove_devices(rig);
    rig_is(uiommu_stop(rig->u), UIOMMU_TIMEDOUT);
    rig->started = false;
    rig_is(uiommu_sva_tables_freed(rig->u), UIOMMU_TIMEDOUT);
    rig_is(uiommu_sva_invalidate(s.provider, VA, VA), UIOMMU_TIMEDOUT);
    kernel_exit(s.p);
    rig_is(uiommu_provider_exit(s.provider), UIOMMU_TIMEDOUT);
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    uiommu_provider_put(s.provider);
    assert_int_equal(kernel_released(s.p), 0);
    rig_is(uiommu_sva_tables_freed(rig->u), UIOMMU_TIMEDOUT);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    kernel_process_free(s.p);
    kernel_close(s.k);
    assert_true(sim_close(rig->m) > 0);
    rig->m = sim_open(&rig->config, error, sizeof(error));
    assert_non_null(rig->m);
}

static void an_address_space_is_not_handed_over(struct rig *rig)
{
    const struct uiommu_record *record = NULL;
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    size_t size = 0;

    rig_is(
        uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS, &record, &size),
        UIOMMU_BUSY);
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    unbind(ep);
    close_process(&s);
}

/* D-03: until it is unbound. */
static void nobody_hears_of_what_has_ended(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *mine = pasid(rig, 0);
    const uint32_t number = uiommu_endpoint_pasid(ep);
    struct uiommu_domain *d = rig_domain(rig, 0);

    assert_true(shares(&s, 0, number, VA));
    rig_ok(uiommu_provider_exit(s.provider));
    for (unsigned i = 0; i < 3; i++)
        assert_true(rig_pasid_refused(rig, 0, number, VA + i * RIG_PAGE));
    rig_poll(rig);
    assert_int_equal(rig->faults, 0);
    unbind(ep);
    see(mine, d);
    assert_true(rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(mine), VA));
    rig_poll(rig);
    assert_true(rig->faults > 0);
    rig->faults = 0;
    rig_ok(uiommu_pasid_destroy(mine, true));
    uiommu_domain_put(d);
    close_process(&s);
}

/* Nor after what sees it was programmed anew, while a device asks all the time. */
static void nor_after_a_reset(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *mine = pasid(rig, 0);
    const uint32_t number = uiommu_endpoint_pasid(ep);
    struct uiommu_domain *d = uiommu_endpoint_domain(ep);

    see(mine, d);
    assert_true(shares(&s, 0, number, VA));
    rig_ok(uiommu_device_reset_begin(device));
    rig_ok(uiommu_provider_exit(s.provider));
    rig_ok(uiommu_device_reset_end(device, true));
    rig_ok(uiommu_device_reset_begin(device));
    rig_ok(uiommu_device_reset_end(device, true));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rig_pasid_refused(rig, 0, number, VA + i * RIG_PAGE));
        rig_ok(uiommu_device_rearm(device));
    }
    rig_poll(rig);
    assert_int_equal(rig->faults, 0);
    unbind(ep);
    assert_true(rig_pasid_refused(rig, 0, number, VA));
    rig_poll(rig);
    assert_true(rig->faults > 0);
    rig->faults = 0;
    rig_ok(uiommu_pasid_destroy(mine, true));
    close_process(&s);
}

/* Nor while what sees it is made anew, as after a storm, for which all of a device's
 * entries are. */
static void write_to_what_has_ended(void *ctx)
{
    struct rig *rig = ctx;
    uint64_t value = 0;

    assert_false(rig_dma(rig, 0, 1, true, VA, &value));
}

static void nor_after_a_storm(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *own = rig_endpoint(rig, 0);
    struct uiommu_fault f = { .driver = rig_arch(rig)->driver->name,
                              .id = own->id,
                              .pasid = UIOMMU_NO_PASID };

    assert_int_equal(uiommu_endpoint_pasid(ep), 1);
    assert_true(shares(&s, 0, 1, VA));
    rig_ok(uiommu_provider_exit(s.provider));
    for (unsigned i = 0; i < 2; i++)
        uim_fault(own->unit, &f);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
    rig->faults = 0;
    rig_watch(rig, write_to_what_has_ended, rig);
    rig_ok(uiommu_device_rearm(rig->device[rig_engine(rig, 0)]));
    rig_watch(rig, NULL, NULL);
    rig_expect_stale(rig, sim_stale_count(rig->m)); /* until it returned */
    rig_poll(rig);
    assert_int_equal(rig->faults, 0);
    unbind(ep);
    close_process(&s);
}

static bool with_sva_and_budget(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = 1;
    return with_sva(rig, why);
}

/* What a process was tagged with in caches tags another as soon as it is left. */
static void what_comes_after_it_is_not_reached(struct rig *rig)
{
    struct process first = open_process(rig), next;
    struct uiommu_endpoint *ep = bind(&first, 0), *other[2];
    const uint32_t number = uiommu_endpoint_pasid(ep);

    assert_true(shares(&first, 0, number, VA));
    kernel_exit(first.p);
    unbind(ep);
    next = start_process(rig, first.k, UIOMMU_PROVIDER_RESIDENT);
    assert_true(kernel_mmap(next.p, VA, 8, RW));
    for (unsigned n = 0; n < 2; n++)
        other[n] = bind(&next, n);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(shares(&next, n, uiommu_endpoint_pasid(other[n]), VA));
        assert_true(rig_pasid_refused(rig, n, number, VA));
    }
    rig->faults = 0;
    for (unsigned n = 0; n < 2; n++)
        unbind(other[n]);
    end_process(&next);
    close_process(&first);
}

/* The entry leads where it is to lead, and then nowhere. */
static void an_audit_finds_nothing(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    finds_nothing(rig);
    rig_ok(uiommu_provider_exit(s.provider));
    finds_nothing(rig);
    unbind(ep);
    finds_nothing(rig);
    close_process(&s);
}

/* What a device is refused is said to be a process's. */
static void a_fault_says_what_it_sees(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);

    assert_true(
        rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), VA + RIG_PAGE));
    rig_poll(rig);
    assert_true(rig->faults > 0);
    assert_ptr_equal(rig->fault.domain, uiommu_endpoint_domain(ep));
    assert_says(rig->sentence, "It sees the address space of a process.");
    assert_null(strstr(rig->sentence, "beyond"));
    rig->faults = 0;
    unbind(ep);
    close_process(&s);
}

/* ---- without tables ---------------------------------------------------------------------- */

/* Somebody who follows a process: it is at `phys` + (va - VA). */
struct follower {
    struct rig *rig;
    struct uiommu_provider *provider;
    uint64_t phys;
    unsigned faults, fills, released;
    bool resident;
};

static enum uiommu_status follow_fault(void *ctx, uint64_t va, unsigned access)
{
    struct follower *f = ctx;

    f->faults++;
    if (va < VA || va >= VA + 8 * RIG_PAGE || (access & UIOMMU_EXEC))
        return UIOMMU_PERM;
    return uiommu_provider_map(f->provider, va, f->phys + (va - VA), RIG_PAGE,
                               access);
}

static enum uiommu_status follow_fill(void *ctx)
{
    struct follower *f = ctx;

    f->fills++;
    return f->resident
               ? uiommu_provider_map(f->provider, VA, f->phys, 8 * RIG_PAGE, RW)
               : UIOMMU_OK;
}

static void follow_released(void *ctx)
{
    struct follower *f = ctx;

    f->released++;
}

static void open_follower(struct rig *rig, struct follower *f, bool resident)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .on_fault = resident ? NULL : follow_fault,
        .fill = follow_fill,
        .released = follow_released,
        .ctx = f,
    };

    memset(f, 0, sizeof(*f));
    f->rig = rig;
    f->phys = rig_pages(rig, 3);
    f->resident = resident;
    rig_ok(uiommu_provider_create(rig->u, &config, &f->provider));
}

static struct uiommu_endpoint *bind_follower(struct follower *f, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_sva_bind(rig_endpoint(f->rig, n), f->provider, NULL, &ep));
    return ep;
}

/* Domains that come later get what there is; who maps it once more changes nothing. */
static void a_provider_fills_tables_of_its_own(struct rig *rig)
{
    struct uiommu_endpoint *ep[2];
    struct follower f;
    uint32_t number;
    unsigned fills;

    open_follower(rig, &f, true);
    ep[0] = bind_follower(&f, 0);
    fills = f.fills;
    assert_true(fills > 0);
    ep[1] = bind_follower(&f, 1);
    assert_int_equal(f.fills, fills);
    number = uiommu_endpoint_pasid(ep[0]);
    for (unsigned n = 0; n < 2; n++)
        assert_true(rig_pasid_reaches(rig, n, number, VA, f.phys));
    sim_atomic(rig->m, true);
    rig_ok(uiommu_provider_unmap(f.provider, VA + RIG_PAGE, 2 * RIG_PAGE));
    sim_atomic(rig->m, false);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(rig_pasid_reaches(rig, n, number, VA, f.phys));
        assert_true(rig_pasid_refused(rig, n, number, VA + RIG_PAGE));
        assert_true(rig_pasid_refused(rig, n, number, VA + 2 * RIG_PAGE));
    }
    rig_ok(follow_fill(&f));
    for (unsigned n = 0; n < 2; n++)
        assert_true(rig_pasid_reaches(rig, n, number, VA + 2 * RIG_PAGE,
                                      f.phys + 2 * RIG_PAGE));
    rig_is(uiommu_provider_map(f.provider, VA, f.phys + RIG_PAGE, RIG_PAGE, RW),
           UIOMMU_EXIST);
    rig_is(
        uiommu_map(uiommu_endpoint_domain(ep[0]), BASE, f.phys, RIG_PAGE, RW),
        UIOMMU_OPNOTSUPP);
    rig_is(uiommu_provider_map(f.provider, VA + 1, f.phys, RIG_PAGE, RW),
           UIOMMU_INVAL);
    rig_ok(uiommu_provider_exit(f.provider));
    rig_is(uiommu_provider_map(f.provider, BASE, f.phys, RIG_PAGE, RW),
           UIOMMU_NOENT);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(rig_pasid_refused(rig, n, number, VA));
        unbind(ep[n]);
    }
    uiommu_provider_put(f.provider);
    assert_int_equal(f.released, 1);
}

/* What is kept for interrupts elsewhere: they carry no PASID, and all that does is
 * translated. */
static uint64_t kept(const struct rig *rig)
{
    return is_arm(rig) ? rig->u->config.doorbell_start : UINT64_C(0xfee00000);
}

static void addresses_of_interrupts_are_filled(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_endpoint *ep;
    struct follower f;

    open_follower(rig, &f, true);
    ep = bind_follower(&f, 0);
    rig_is(uiommu_map(d, kept(rig), f.phys, RIG_PAGE, RW), UIOMMU_INVAL);
    rig_ok(
        uiommu_provider_map(f.provider, kept(rig), f.phys, 2 * RIG_PAGE, RW));
    for (unsigned i = 0; i < 2; i++)
        assert_true(rig_pasid_reaches(rig, 0, uiommu_endpoint_pasid(ep),
                                      kept(rig) + i * RIG_PAGE,
                                      f.phys + i * RIG_PAGE));
    rig_ok(uiommu_provider_unmap(f.provider, kept(rig), 2 * RIG_PAGE));
    assert_true(
        rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), kept(rig)));
    unbind(ep);
    uiommu_provider_put(f.provider);
    uiommu_domain_put(d);
}

static void addresses_of_interrupts_are_a_processs(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);

    assert_true(kernel_mmap(s.p, kept(rig), 2, RW));
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), kept(rig)));
    kernel_munmap(s.p, kept(rig), 2);
    assert_true(
        rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), kept(rig)));
    unbind(ep);
    close_process(&s);
}

/* More rights than it has are something else. */
static void rights_are_not_widened_by_themselves(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct follower f;

    open_follower(rig, &f, true);
    ep = bind_follower(&f, 0);
    rig_ok(uiommu_provider_unmap(f.provider, VA, RIG_PAGE));
    rig_ok(uiommu_provider_map(f.provider, VA, f.phys, RIG_PAGE, UIOMMU_READ));
    rig_ok(uiommu_provider_map(f.provider, VA, f.phys, RIG_PAGE, UIOMMU_READ));
    rig_is(uiommu_provider_map(f.provider, VA, f.phys, RIG_PAGE, RW),
           UIOMMU_EXIST);
    assert_true(lands_with(rig, 0, uiommu_endpoint_pasid(ep), VA,
                           UIOMMU_WRITE) == NOWHERE);
    rig_is(uiommu_provider_map(f.provider, VA + RIG_PAGE, f.phys + RIG_PAGE,
                               RIG_PAGE, RW | UIOMMU_EXEC),
           is_arm(rig) ? UIOMMU_EXIST : UIOMMU_INVAL);
    unbind(ep);
    uiommu_provider_put(f.provider);
    assert_int_equal(f.released, 1);
}

/* What can be told from what is there is told: rights to execute, for the privileged
 * only, and the kind of memory. */
static void rare_rights_are_not_widened_either(struct rig *rig)
{
    const unsigned exec = RW | UIOMMU_EXEC, mmio = RW | UIOMMU_MMIO,
                   priv = RW | UIOMMU_PRIV;
    struct uiommu_endpoint *ep;
    struct follower f;

    open_follower(rig, &f, true);
    ep = bind_follower(&f, 0);
    rig_ok(uiommu_provider_unmap(f.provider, VA, 3 * RIG_PAGE));
    for (unsigned i = 0; i < 2; i++) {
        rig_ok(uiommu_provider_map(f.provider, VA, f.phys, RIG_PAGE, exec));
        rig_ok(uiommu_provider_map(f.provider, VA + RIG_PAGE, f.phys + RIG_PAGE,
                                   RIG_PAGE, mmio));
        rig_ok(uiommu_provider_map(f.provider, VA + 2 * RIG_PAGE,
                                   f.phys + 2 * RIG_PAGE, RIG_PAGE, priv));
    }
    rig_ok(uiommu_provider_map(f.provider, VA, f.phys, RIG_PAGE, RW));
    for (unsigned i = 1; i < 4; i++)
        rig_is(uiommu_provider_map(f.provider, VA + i * RIG_PAGE,
                                   f.phys + i * RIG_PAGE, RIG_PAGE, exec),
               UIOMMU_EXIST);
    rig_is(uiommu_provider_map(f.provider, VA + RIG_PAGE, f.phys + RIG_PAGE,
                               RIG_PAGE, RW),
           UIOMMU_EXIST);
    rig_is(uiommu_provider_map(f.provider, VA + 2 * RIG_PAGE,
                               f.phys + 2 * RIG_PAGE, RIG_PAGE, RW),
           UIOMMU_EXIST);
    unbind(ep);
    uiommu_provider_put(f.provider);
    assert_int_equal(f.released, 1);
}

static bool with_rare_rights(struct rig *rig, const char **why)
{
    if (!is_arm(rig))
        *why = "the units' tables have no rare rights";
    return is_arm(rig) && with_pasids(rig, why);
}

static void a_provider_maps_what_devices_ask_for(struct rig *rig)
{
    struct uiommu_endpoint *ep[2];
    struct follower f;
    uint64_t value = 1;
    uint32_t number;

    open_follower(rig, &f, false);
    for (unsigned n = 0; n < 2; n++) {
        set(rig, n, uiommu_identity(rig->u));
        ep[n] = bind_follower(&f, n);
    }
    number = uiommu_endpoint_pasid(ep[0]);
    assert_false(rig_dma(rig, 0, number, true, VA, &value));
    for (unsigned n = 0; n < 2; n++) {
        ask(rig, n, number, VA, 1, true);
        collect_and_serve(rig);
        is_answer(rig, n, 0, 1, SIM_PAGE_SUCCESS);
        assert_true(rig_pasid_reaches(rig, n, number, VA, f.phys));
    }
    ask(rig, 0, number, VA + GIB(1), 2, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    assert_int_equal(f.faults, 3);
    rig->faults = 0;
    rig_ok(uiommu_provider_unmap(f.provider, VA, 8 * RIG_PAGE));
    for (unsigned n = 0; n < 2; n++) {
        assert_true(rig_pasid_refused(rig, n, number, VA));
        unbind(ep[n]);
    }
    rig->faults = 0;
    uiommu_provider_put(f.provider);
    assert_int_equal(f.released, 1);
}

static bool with_followed_requests(struct rig *rig, const char **why)
{
    return with_pasid_requests(rig, why);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_domain_outlives_who_made_its_provider, with_sva),
    RIG_COLD_ON(an_instance_waits_for_its_providers, with_sva),
    RIG_TEST_ON(nobody_reaches_a_process_that_has_ended, with_sva),
    RIG_TEST_ON(nor_behind_a_tlb, with_sva_and_ats),
    RIG_TEST_ON(a_reset_brings_nothing_back, with_sva),
    RIG_TEST_ON(who_was_pulled_out_is_unbound_all_the_same, with_sva),
    RIG_TEST_ON(who_is_plugged_in_is_bound_for_itself, with_sva),
    RIG_TEST_ON(a_machine_that_sleeps_says_so, with_sva),
    RIG_TEST_ON(what_ends_in_sleep_is_shut_after_it, with_sva_and_ats),
    RIG_TEST_ON(what_ends_in_sleep_that_stays_is_over_after_stop,
                with_sva_in_a_hurry),
    RIG_TEST_ON(who_does_not_answer_is_shut_off, with_sva_and_ats),
    RIG_TEST_ON(what_a_unit_keeps_is_not_invalidated, with_sva_in_a_hurry),
    RIG_TEST_ON(what_a_unit_keeps_for_ever_is_never_free, with_sva_and_leaks),
    RIG_TEST_ON(an_address_space_is_not_handed_over, with_sva),
    RIG_TEST_ON(a_fault_says_what_it_sees, with_sva),
    RIG_TEST_ON(nobody_hears_of_what_has_ended, with_sva),
    RIG_TEST_ON(nor_after_a_reset, with_sva),
    RIG_TEST_ON(nor_after_a_storm, with_sva_and_budget),
    RIG_TEST_ON(what_comes_after_it_is_not_reached, with_sva),
    RIG_TEST_ON(an_audit_finds_nothing, with_sva),
    RIG_TEST_ON(a_provider_fills_tables_of_its_own, with_pasids_and_ats),
    RIG_TEST_ON(addresses_of_interrupts_are_filled, with_pasids),
    RIG_TEST_ON(addresses_of_interrupts_are_a_processs, with_sva),
    RIG_TEST_ON(rights_are_not_widened_by_themselves, with_pasids),
    RIG_TEST_ON(rare_rights_are_not_widened_either, with_rare_rights),
    RIG_TEST_ON(a_provider_maps_what_devices_ask_for, with_followed_requests),
    { 0 },
};

int main(void)
{
    return rig_run("life of address spaces", tests);
}
