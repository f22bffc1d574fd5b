/* SPDX-License-Identifier: MIT */
/*
 * sleep_test.c - around start, suspend, resume and stop: what is refused while
 * units take no commands, faults that come too early, handlers and pollers that
 * run meanwhile, and units that do not come back or do not stop (semantics
 * B.18, B.19, B.23). device_test.c has sleeps where all goes well.
 */
#include "tests/core/interrupts.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define BASE   GIB(2)
#define REGION MIB(32)

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void stop_and_destroy(struct rig *rig, enum uiommu_status stop)
{
    rig_is(uiommu_stop(rig->u), stop);
    rig->started = false;
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
}

/* ---- asleep -------------------------------------------------------------- */

static void assert_endpoints_stay(struct rig *rig, struct uiommu_domain *d)
{
    struct uiommu_domain *blocked = uiommu_blocked(rig->u);

    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), blocked, NULL),
           UIOMMU_AGAIN);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 2), d, NULL), UIOMMU_AGAIN);
    rig_is(uiommu_release(rig_endpoint(rig, 1), rig), UIOMMU_AGAIN);
    rig_is(uiommu_claim(rig_endpoint(rig, 2), rig), UIOMMU_AGAIN);
    for (unsigned n = 0; n < 3; n++)
        rig_is(uiommu_device_remove(rig->device[rig_engine(rig, n)]),
               UIOMMU_AGAIN);
}

static void while_asleep_nothing_is_said_to_be_done(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 10), bytes = NOWHERE;
    struct uiommu_domain *d = rig_attached(rig, 0), *unseen;

    rig_ok(uiommu_map(d, BASE, pages, MIB(2), RIG_RW));
    unseen = rig_domain(rig, 0);
    map_page(unseen, BASE, pages);
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), rig));
    assert_true(rig_reaches(rig, 0, BASE, pages));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_unmap(d, BASE, MIB(2), &bytes), UIOMMU_AGAIN);
    assert_true(bytes == NOWHERE);
    rig_is(uiommu_split(d, BASE, RIG_PAGE), UIOMMU_AGAIN);
    assert_endpoints_stay(rig, d);
    rig_ok(uiommu_unmap(unseen, BASE, RIG_PAGE, &bytes));
    assert_int_equal(bytes, RIG_PAGE);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_reaches(rig, 0, BASE, pages));
    rig_ok(uiommu_unmap(d, BASE, MIB(2), &bytes));
    assert_int_equal(bytes, MIB(2));
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), rig));
    uiommu_domain_put(unseen);
    rig_drop(rig, 0, d);
}

/* Every call that a host may make while its units have no power. */
static void try_everything(struct rig *rig, struct uiommu_domain *seen,
                           struct uiommu_domain *left, uint64_t pages)
{
    struct uiommu_unit_info info;
    struct uiommu_trace trace;
    struct uiommu_domain *d;

    assert_endpoints_stay(rig, left);
    rig_is(rig_add(rig, rig_engine(rig, 0)), UIOMMU_AGAIN);
    rig_is(uiommu_unmap(seen, BASE, RIG_PAGE, NULL), UIOMMU_AGAIN);
    map_page(seen, BASE + GIB(1), pages + RIG_PAGE);
    rig_is(uiommu_unmap(left, BASE, RIG_PAGE, NULL), UIOMMU_AGAIN);
    d = rig_domain(rig, 0);
    map_page(d, BASE, pages);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    uiommu_domain_put(d);
    uiommu_domain_put(left); /* its tables as well */
    uiommu_fault_handler(seen, NULL, NULL);
    rig_ok(uiommu_walk(seen, BASE, &trace));
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    uiommu_poll(rig->u);
    uiommu_irq(rig->u, 0, 0);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)), seen);
}

static void assert_all_caches_emptied(const struct trace *t)
{
    bool context = false, leaves = false;

    for (unsigned i = 0; i < t->n; i++) {
        if (t->cmd[i].scope != UIM_CHECK_GLOBAL)
            continue;
        context |= is_kind(&t->cmd[i], KIND(DEVICE));
        leaves |= is_kind(&t->cmd[i], KIND(IOTLB));
    }
    assert_true(context && leaves);
}

/* D-98. */
static void while_asleep_no_register_is_touched(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);
    struct uiommu_domain *left = attached_with(rig, 2, BASE, pages);
    struct sim_counts before, after;
    struct trace t;

    rig_ok(uiommu_claim(rig_endpoint(rig, 1), rig));
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_refused(rig, 0, BASE + GIB(1)));
    set(rig, 2, uiommu_blocked(rig->u));
    map_page(left, BASE + GIB(1), pages);
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    sim_counts(rig->m, &before);
    try_everything(rig, d, left, pages);
    sim_counts(rig->m, &after);
    assert_int_equal(after.mmio_reads, before.mmio_reads);
    assert_int_equal(after.mmio_writes, before.mmio_writes);
    trace_start(rig, &t);
    rig_ok(uiommu_resume(rig->u));
    trace_stop(rig, &t);
    assert_all_caches_emptied(&t);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_reaches(rig, 0, BASE + GIB(1), pages + RIG_PAGE));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), rig));
    rig_drop(rig, 0, d);
}

static bool with_caching_mode(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return with_ats(rig, why);
}

static void while_asleep_nobody_is_told_of_new_mappings(struct rig *rig)
{
    while_asleep_no_register_is_touched(rig);
}

static bool with_write_buffers(struct rig *rig, const char **why)
{
    *why = "units with PASIDs have no write buffers to flush";
    rig->config.args = "rwbf=1";
    return rig->config.mode == SIM_LEGACY;
}

static void while_asleep_no_write_buffer_is_flushed(struct rig *rig)
{
    while_asleep_no_register_is_touched(rig);
}

static void a_sleep_empties_device_tlbs(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    unsigned dev = rig_engine(rig, 0);

    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    assert_true(sim_devtlb_entries(rig->m, dev) > 0);
    rig_ok(uiommu_resume(rig->u));
    assert_int_equal(sim_devtlb_entries(rig->m, dev), 0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static void a_device_tlb_that_a_sleep_cannot_empty_is_cut_off(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    unsigned dev = rig_engine(rig, 0);

    set(rig, 1, d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_refused(rig, 0, BASE));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NODEV);
    assert_true(rig_reaches(rig, 1, BASE, page));
    set(rig, 0, uiommu_blocked(rig->u));
    rig_drop(rig, 1, d);
}

/* ---- faults that come early ---------------------------------------------- */

/* Engine 0 faults at the moment when translation is on, and the interrupt
 * arrives before the instance counts as started. */
static void fault_when_on(void *ctx, enum sim_event event, uint64_t where,
                          size_t size, uint64_t value)
{
    struct rig *rig = ctx;
    bool on;

    (void)size;
    if (event != SIM_MMIO_WRITTEN ||
        !rig_arch(rig)->switches(where, value, &on) || !on)
        return;
    sim_watch(rig->m, NULL, NULL);
    assert_false(rig_write(rig, 0, BASE, 0));
    assert_true(machine_run(rig->m));
    assert_int_equal(rig->faults, 0);
}

static void assert_interrupts_go_on(struct rig *rig)
{
    assert_int_equal(rig->faults, 1);
    if (rig->fault.has_iova)
        assert_int_equal(rig->fault.iova, BASE);
    for (unsigned i = 2; i < 6; i++) {
        assert_false(rig_write(rig, 0, BASE + i * RIG_PAGE, 0));
        assert_true(machine_run(rig->m));
        assert_int_equal(rig->faults, i);
    }
}

static void a_fault_during_start_is_heard_and_so_are_the_next(struct rig *rig)
{
    sim_watch(rig->m, fault_when_on, rig);
    up_to_start(rig);
    assert_interrupts_go_on(rig);
}

static void a_fault_during_resume_is_heard_and_so_are_the_next(struct rig *rig)
{
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    sim_watch(rig->m, fault_when_on, rig);
    rig_ok(uiommu_resume(rig->u));
    assert_interrupts_go_on(rig);
}

/* ---- a unit that does not fall asleep ------------------------------------ */

static struct {
    void (*write32)(void *ctx, void *mmio, size_t offset, uint32_t value);
    const struct rig_arch *arch;
    unsigned lost; /* commands still to lose */
} deaf;

static void write_but_commands(void *ctx, void *mmio, size_t offset,
                               uint32_t value)
{
    bool on;

    if (deaf.lost > 0 && deaf.arch->switches(offset, value, &on))
        deaf.lost--;
    else
        deaf.write32(ctx, mmio, offset, value);
}

static void a_suspend_that_fails_leaves_all_running(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    unsigned faults;

    deaf.arch = rig_arch(rig);
    deaf.lost = 0;
    deaf.write32 = rig->m->host.mmio_write32;
    rig->m->host.mmio_write32 = write_but_commands;
    up(rig);
    d = attached_with(rig, 0, BASE, page);
    deaf.lost = 1;
    rig_is(uiommu_suspend(rig->u), UIOMMU_TIMEDOUT);
    assert_int_equal(deaf.lost, 0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_refused(rig, 1, BASE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_poll(rig);
    faults = rig->faults;
    assert_false(rig_write(rig, 0, BASE, 0));
    assert_true(machine_run(rig->m));
    assert_int_equal(rig->faults, faults + 1);
    rig_ok(uiommu_suspend(rig->u));
    rig_ok(uiommu_resume(rig->u));
    rig_drop(rig, 0, d);
}

/* ---- handlers ------------------------------------------------------------ */

static struct {
    struct rig *rig;
    void (*relax)(void *ctx);
    unsigned calls, locks; /* of the handler; most locks held meanwhile      */
    pthread_t stopper;
    _Atomic unsigned relaxed;
    _Atomic bool stopped;
    bool overtaken; /* stop returned while a handler ran                     */
    enum uiommu_status status;
} heard;

static bool note_locks(void *ctx, const struct uiommu_fault *fault)
{
    struct sim_counts c;

    (void)ctx, (void)fault;
    sim_counts(heard.rig->m, &c);
    heard.calls++;
    if (c.locks_held > heard.locks)
        heard.locks = c.locks_held;
    return true;
}

static bool polling_and_heard(struct rig *rig, const char **why)
{
    (void)why;
    memset(&heard, 0, sizeof(heard));
    heard.rig = rig;
    rig->config.polling = true;
    rig->setup.on_fault = note_locks;
    return true;
}

static void no_lock_is_held_in_a_handler_around_a_sleep(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    uiommu_fault_handler(d, note_locks, NULL);
    assert_false(rig_write(rig, 0, BASE, 0));
    assert_false(rig_write(rig, 1, BASE, 0));
    rig_ok(uiommu_suspend(rig->u));
    assert_int_equal(heard.calls, 2); /* records would go with the registers */
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_int_equal(heard.locks, 0);
    rig_drop(rig, 0, d);
}

/* ---- stop beside others -------------------------------------------------- */

static void count_relax(void *ctx)
{
    heard.relaxed++;
    heard.relax(ctx);
}

static void *stop_it(void *ctx)
{
    struct rig *rig = ctx;

    heard.status = uiommu_stop(rig->u);
    heard.stopped = true;
    return NULL;
}

/* Another thread stops the instance while this handler runs: long enough for a
 * stop that does not wait. */
static bool stop_meanwhile(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    if (heard.calls++ > 0)
        return true;
    (void)!pthread_create(&heard.stopper, NULL, stop_it, heard.rig);
    while (!heard.stopped && heard.relaxed < 1000)
        sched_yield();
    heard.overtaken = heard.stopped;
    return true;
}

static bool stopped_meanwhile(struct rig *rig, const char **why)
{
    (void)polling_and_heard(rig, why);
    rig->setup.on_fault = stop_meanwhile;
    return true;
}

static void a_stop_waits_for_interrupts_under_way(struct rig *rig)
{
    heard.relax = rig->m->host.relax;
    rig->m->host.relax = count_relax;
    up_to_start(rig);
    assert_false(rig_write(rig, 0, BASE, 0));
    assert_false(rig_write(rig, 1, BASE, 0));
    uiommu_irq(rig->u, 0, 0);
    pthread_join(heard.stopper, NULL);
    rig->started = false;
    assert_false(heard.overtaken);
    rig_ok(heard.status);
    assert_true(heard.calls >= 1);
    assert_int_equal(sim_violations(rig->m), 0);
}

static void *poll_on(void *ctx)
{
    struct rig *rig = ctx;

    while (!heard.stopped) {
        uiommu_poll(rig->u);
        uiommu_irq(rig->u, 0, 0);
        heard.relaxed++;
    }
    return NULL;
}

static void a_stop_beside_pollers_breaks_nothing(struct rig *rig)
{
    pthread_t poller[2];

    up_to_start(rig);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&poller[i], NULL, poll_on, rig), 0);
    while (heard.relaxed < 100)
        sched_yield();
    (void)stop_it(rig);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(poller[i], NULL);
    rig->started = false;
    rig_ok(heard.status);
    assert_int_equal(sim_violations(rig->m), 0);
}

/* ---- units that do not come back ----------------------------------------- */

static void fail_to_resume(struct rig *rig, bool lose_registers)
{
    rig_ok(uiommu_suspend(rig->u));
    if (lose_registers)
        sim_reset_units(rig->m);
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_resume(rig->u), UIOMMU_TIMEDOUT);
}

static void a_resume_that_failed_may_be_given_up(struct rig *rig)
{
    up_to_start(rig);
    rig->dirty = true;
    fail_to_resume(rig, true);
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    stop_and_destroy(rig, UIOMMU_OK);
}

static void remove_all_but(struct rig *rig, unsigned but)
{
    for (unsigned i = RIG_DEVICES; i-- > 0;) {
        if (!rig->device[i] || i == but)
            continue;
        rig_ok(uiommu_device_remove(rig->device[i]));
        rig->device[i] = NULL;
    }
}

/* Whatever the host had goes first, although no unit confirms it. */
static void what_is_there_may_be_given_up_with_a_resume(struct rig *rig)
{
    const struct uiommu_irq_target target = to(0x41, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_irq *irq;

    map_page(d, BASE, rig_pages(rig, 0));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, rig));
    irq = map_irq(rig, 0, target);
    rig->dirty = true;
    fail_to_resume(rig, true);
    rig_is(uiommu_irq_retarget(irq, 0, &target), UIOMMU_AGAIN);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, rig), UIOMMU_AGAIN);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_irq_unmap(irq), UIOMMU_TIMEDOUT);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_release(rig_endpoint(rig, 0), rig), UIOMMU_TIMEDOUT);
    remove_all_but(rig, dev);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_TIMEDOUT);
    rig->device[dev] = NULL;
    uiommu_domain_put(d);
    stop_and_destroy(rig, UIOMMU_OK);
}

static void a_resume_that_failed_may_be_tried_again(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    fail_to_resume(rig, true);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY); /* devices are there */
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_AGAIN);
    uim_check_silent(sim_door(rig->m), false);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* ---- units that do not stop ---------------------------------------------- */

static void ignore(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static bool with_region_and_leaks(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { REGION, MIB(1), 0 } };

    (void)why;
    hurry(rig);
    rig->config.regions = region;
    rig->config.n_regions = 1;
    rig->config.on_problem = ignore;
    return true;
}

static unsigned live_pages(struct rig *rig)
{
    struct sim_counts c;

    sim_counts(rig->m, &c);
    return c.pages;
}

/* What had to stay allocated goes with this machine; the rig gets another. */
static void change_machine(struct rig *rig)
{
    char error[256];

    assert_null(rig->u);
    assert_true(sim_close(rig->m) > 0);
    rig->m = sim_open(&rig->config, error, sizeof(error));
    assert_non_null(rig->m);
}

static void assert_stuck_and_left_alone(struct rig *rig)
{
    unsigned pages = live_pages(rig);

    stop_and_destroy(rig, UIOMMU_TIMEDOUT);
    assert_int_equal(live_pages(rig), pages);
    (void)rig_write(rig, 0, REGION, 0);
    (void)rig_write(rig, 0, REGION + MIB(1) - 8, 0);
    (void)rig_write(rig, 1, BASE, 0);
    if (sim_violations(rig->m) > 0)
        fail_msg("%s", sim_violation(rig->m, 0));
    change_machine(rig);
}

static void a_unit_that_does_not_stop_keeps_its_tables(struct rig *rig)
{
    up_to_start(rig);
    assert_true(rig_reaches(rig, 0, REGION, REGION));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    assert_stuck_and_left_alone(rig);
}

static void a_unit_lost_in_a_sleep_that_is_on_keeps_its_tables(struct rig *rig)
{
    up_to_start(rig);
    rig->dirty = true;
    fail_to_resume(rig, false);
    assert_stuck_and_left_alone(rig);
}

/* It has the domain's tables cached and goes on reading them. */
static void a_unit_lost_in_a_sleep_keeps_what_is_taken_away(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_domain *d;
    uint64_t page;

    up(rig);
    page = rig_pages(rig, 0);
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig->dirty = true;
    fail_to_resume(rig, false);
    remove_all_but(rig, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_TIMEDOUT);
    rig->device[dev] = NULL;
    uiommu_domain_put(d);
    (void)rig_write(rig, 0, BASE, 0);
    (void)rig_write(rig, 0, BASE + RIG_PAGE, 0);
    assert_stuck_and_left_alone(rig);
}

static const struct rig_test tests[] = {
    RIG_TEST(while_asleep_nothing_is_said_to_be_done),
    RIG_TEST_ON(while_asleep_no_register_is_touched, with_ats),
    RIG_TEST_ON(while_asleep_nobody_is_told_of_new_mappings, with_caching_mode),
    RIG_TEST_ON(while_asleep_no_write_buffer_is_flushed, with_write_buffers),
    RIG_TEST_ON(a_sleep_empties_device_tlbs, with_ats),
    RIG_TEST_ON(a_device_tlb_that_a_sleep_cannot_empty_is_cut_off, with_ats),
    RIG_COLD(a_fault_during_start_is_heard_and_so_are_the_next),
    RIG_TEST(a_fault_during_resume_is_heard_and_so_are_the_next),
    RIG_TEST_ON(no_lock_is_held_in_a_handler_around_a_sleep, polling_and_heard),
    RIG_COLD_ON(a_stop_waits_for_interrupts_under_way, stopped_meanwhile),
    RIG_COLD_ON(a_stop_beside_pollers_breaks_nothing, polling_and_heard),
    RIG_COLD_ON(a_resume_that_failed_may_be_given_up, in_a_hurry),
    RIG_TEST_ON(what_is_there_may_be_given_up_with_a_resume,
                in_a_hurry_remapped),
    RIG_TEST_ON(a_resume_that_failed_may_be_tried_again, in_a_hurry),
    RIG_COLD_ON(a_unit_that_does_not_stop_keeps_its_tables,
                with_region_and_leaks),
    RIG_COLD_ON(a_unit_lost_in_a_sleep_that_is_on_keeps_its_tables,
                with_region_and_leaks),
    RIG_COLD_ON(a_unit_lost_in_a_sleep_keeps_what_is_taken_away,
                with_region_and_leaks),
    RIG_COLD_ON(a_suspend_that_fails_leaves_all_running, in_a_hurry),
    { 0 },
};

int main(void)
{
    return rig_run("sleep", tests);
}
