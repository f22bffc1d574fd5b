/* SPDX-License-Identifier: MIT */
/*
 * unconfirmed_test.c - invalidations that hardware did not confirm: nobody may
 * say afterwards, or on another CPU meanwhile, that what it took away cannot be
 * reached, and tables that a broken unit may walk are not freed (semantics B.8,
 * B.19).
 */
#include "tests/core/help.h"

#include <pthread.h>
#include <stdio.h>

#include "core/core.h"

#define BASE   GIB(2)
#define SECOND (BASE + RIG_PAGE)

static bool with_cached_holes(struct rig *rig, const char **why)
{
    (void)why;
    hurry(rig);
    rig->config.caching_mode = true;
    return true;
}

static bool with_cached_holes_of_tables(struct rig *rig, const char **why)
{
    return with_cached_holes(rig, why) && rig_does(rig, RIG_HOLES, why);
}

static unsigned live_pages(struct rig *rig)
{
    struct sim_counts c;

    sim_counts(rig->m, &c);
    return c.pages;
}

static enum uiommu_status forget(struct rig *rig, unsigned n)
{
    unsigned dev = rig_engine(rig, n);
    enum uiommu_status status = uiommu_device_remove(rig->device[dev]);

    rig->device[dev] = NULL;
    return status;
}

/* The unit answers again, and knows nothing of before. */
static void sleep_well(struct rig *rig)
{
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
}

/* ---- a unit that does not confirm ---------------------------------------- */

static void what_a_silent_unit_may_reach_is_not_unmapped(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), bytes = 0;
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_domain *blocked = uiommu_blocked(rig->u);

    assert_true(rig_reaches(rig, 0, BASE, page));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), blocked, NULL),
           UIOMMU_TIMEDOUT);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, &bytes), UIOMMU_TIMEDOUT);
    assert_int_equal(bytes, RIG_PAGE);
    sleep_well(rig);
    assert_true(rig_refused(rig, 0, BASE));
    map_page(d, BASE, page);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    uiommu_domain_put(d);
}

static void tables_that_a_silent_unit_may_walk_stay(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    unsigned pages = live_pages(rig);

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_TIMEDOUT);
    uiommu_domain_put(d);
    assert_int_equal(live_pages(rig), pages);
    uim_check_silent(sim_door(rig->m), false);
}

/* With CM=1 the unit is told of entries that became present: it may have seen
 * this one when it did not confirm that. */
static void tables_of_a_set_that_timed_out_stay(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    unsigned pages;

    set(rig, 0, uiommu_blocked(rig->u));
    pages = live_pages(rig);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_TIMEDOUT);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    uiommu_domain_put(d);
    assert_int_equal(live_pages(rig), pages);
    uim_check_silent(sim_door(rig->m), false);
}

static void a_map_that_the_unit_did_not_notice_is_taken_back(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_trace t;

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_map(d, SECOND, page, RIG_PAGE, RIG_RW), UIOMMU_TIMEDOUT);
    rig_is(uiommu_walk(d, SECOND, &t), UIOMMU_NOENT);
    rig_ok(uiommu_walk(d, BASE, &t));
    sleep_well(rig);
    assert_true(rig_refused(rig, 0, SECOND));
    uiommu_domain_put(d);
}

static void a_remove_that_the_unit_did_not_confirm_says_so(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d[3];

    for (unsigned n = 0; n < 3; n++)
        d[n] = attached_with(rig, n, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d[0], BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 1), uiommu_blocked(rig->u), NULL),
        UIOMMU_TIMEDOUT);
    for (unsigned n = 0; n < 3; n++)
        rig_is(forget(rig, n), UIOMMU_TIMEDOUT);
    sleep_well(rig);
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    rig_ok(forget(rig, 0));
    for (unsigned n = 0; n < 3; n++)
        uiommu_domain_put(d[n]);
}

static void a_device_that_saw_nothing_leaves_a_broken_unit(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    rig_ok(forget(rig, 1)); /* blocked all the time */
    uim_check_silent(sim_door(rig->m), false);
    uiommu_domain_put(d);
}

static void
a_domain_put_after_the_stop_does_not_keep_the_instance(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    for (unsigned i = RIG_DEVICES; i-- > 0; rig->device[i] = NULL)
        if (rig->device[i])
            (void)!uiommu_device_remove(rig->device[i]);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    uiommu_domain_put(d);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
}

/* ---- another CPU between the mark and the cut ---------------------------- */

/* At the first host call after engine 0 was marked as quarantined, another CPU
 * lets it do DMA to the second page of `d`, and unmaps that. */
static struct {
    struct rig *rig;
    void *(*phys_to_virt)(void *ctx, uint64_t phys);
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);
    struct uiommu_endpoint *endpoint; /* NULL: not armed                     */
    struct uiommu_domain *d;
    unsigned dev;
    bool done, reached;
    enum uiommu_status status;
} beside;

static bool engine_reaches(uint64_t iova)
{
    uint64_t value = iova;

    return machine_dma(beside.rig->m, beside.dev, true, iova, &value,
                       sizeof(value)) == MACHINE_DMA_DONE;
}

static void *other_cpu(void *ctx)
{
    (void)ctx;
    (void)engine_reaches(SECOND); /* whoever can cache it, does */
    beside.status = uiommu_unmap(beside.d, SECOND, RIG_PAGE, NULL);
    beside.reached = engine_reaches(SECOND);
    return NULL;
}

static void at_host_call(void)
{
    pthread_t other;

    if (!beside.endpoint || beside.done ||
        !atomic_load(&beside.endpoint->quarantined))
        return;
    beside.done = true;
    assert_int_equal(pthread_create(&other, NULL, other_cpu, NULL), 0);
    pthread_join(other, NULL);
}

static void *watched_phys_to_virt(void *ctx, uint64_t phys)
{
    at_host_call();
    return beside.phys_to_virt(ctx, phys);
}

static void watched_log(void *ctx, enum uiommu_log_level level,
                        const char *text)
{
    at_host_call();
    beside.log(ctx, level, text);
}

static bool with_tlbs_watched(struct rig *rig, const char **why)
{
    (void)why;
    hurry(rig);
    rig->config.ats = true;
    rig->config.phys_to_virt = true;
    return true;
}

static void up_watched(struct rig *rig)
{
    memset(&beside, 0, sizeof(beside));
    beside.rig = rig;
    beside.dev = rig_engine(rig, 0);
    beside.phys_to_virt = rig->m->host.phys_to_virt;
    beside.log = rig->m->host.log;
    rig->m->host.phys_to_virt = watched_phys_to_virt;
    rig->m->host.log = watched_log;
    up(rig);
}

static void arm(struct uiommu_domain *d)
{
    beside.d = d;
    beside.endpoint = rig_endpoint(beside.rig, 0);
    sim_devtlb(beside.rig->m, beside.dev, SIM_DEVTLB_FAILS);
}

static void assert_other_cpu_was_right(void)
{
    beside.endpoint = NULL;
    assert_true(beside.done);
    rig_ok(beside.status);
    assert_false(beside.reached);
}

static struct uiommu_domain *with_two_pages(struct rig *rig, uint64_t pages)
{
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, BASE, pages);
    map_page(d, SECOND, pages + RIG_PAGE);
    return d;
}

static void an_unmap_beside_a_quarantine_waits_for_the_cut(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d;

    up_watched(rig);
    d = with_two_pages(rig, pages);
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_reaches(rig, 0, SECOND, pages + RIG_PAGE));
    rig->dirty = true; /* it uses its entries until it is cut */
    arm(d);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_other_cpu_was_right();
    assert_true(rig_refused(rig, 0, BASE));
    assert_int_equal(sim_violations(rig->m), 0);
    rig_ok(forget(rig, 0));
    uiommu_domain_put(d);
}

static void an_unmap_beside_a_failing_set_waits_for_the_cut(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *old, *next;

    up_watched(rig);
    old = attached_with(rig, 0, BASE, pages);
    next = with_two_pages(rig, pages);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    rig->dirty = true;
    arm(next);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), next, NULL),
           UIOMMU_TIMEDOUT);
    assert_other_cpu_was_right();
    assert_true(rig_refused(rig, 0, BASE));
    assert_int_equal(sim_violations(rig->m), 0);
    rig_ok(forget(rig, 0));
    uiommu_domain_put(old);
    uiommu_domain_put(next);
}

/* ---- a quarantine while an entry is programmed --------------------------- */

static struct {
    void (*unlock)(void *ctx, void *mutex);
    struct uiommu_endpoint *endpoint; /* NULL: not armed */
} meanwhile;

static void quarantine_at_unlock(void *ctx, void *mutex)
{
    struct uiommu_endpoint *ep = meanwhile.endpoint;

    meanwhile.unlock(ctx, mutex);
    if (!ep)
        return;
    meanwhile.endpoint = NULL;
    rig_ok(uim_quarantine(ep));
}

/* Another CPU cut the entry, then the set programmed it again. */
static void a_set_does_not_undo_a_quarantine(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    meanwhile.endpoint = NULL;
    meanwhile.unlock = rig->m->host.mutex_unlock;
    rig->m->host.mutex_unlock = quarantine_at_unlock;
    up(rig);
    d = rig_domain(rig, 0);
    map_page(d, BASE, page);
    meanwhile.endpoint = rig_endpoint(rig, 0);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_TIMEDOUT);
    assert_null(meanwhile.endpoint);
    assert_true(rig_refused(rig, 0, BASE));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NODEV);
    rig_ok(forget(rig, 0));
    uiommu_domain_put(d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(what_a_silent_unit_may_reach_is_not_unmapped, in_a_hurry),
    RIG_TEST_ON(tables_that_a_silent_unit_may_walk_stay, in_a_hurry),
    RIG_TEST_ON(tables_of_a_set_that_timed_out_stay, with_cached_holes),
    RIG_TEST_ON(a_map_that_the_unit_did_not_notice_is_taken_back,
                with_cached_holes_of_tables),
    RIG_TEST_ON(a_remove_that_the_unit_did_not_confirm_says_so, in_a_hurry),
    RIG_TEST_ON(a_device_that_saw_nothing_leaves_a_broken_unit, in_a_hurry),
    RIG_TEST_ON(a_domain_put_after_the_stop_does_not_keep_the_instance,
                in_a_hurry),
    RIG_COLD_ON(an_unmap_beside_a_quarantine_waits_for_the_cut,
                with_tlbs_watched),
    RIG_COLD_ON(an_unmap_beside_a_failing_set_waits_for_the_cut,
                with_tlbs_watched),
    { .name = "a_set_does_not_undo_a_quarantine",
      .run = a_set_does_not_undo_a_quarantine,
      .cold = true,
      .once = "the quarantine comes in the first call, whether that fails" },
    { 0 },
};

int main(void)
{
    return rig_run("unconfirmed", tests);
}
