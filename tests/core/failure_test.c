/* SPDX-License-Identifier: MIT */
/*
 * failure_test.c - hardware that does not do what it should: units that do not
 * answer or refuse, device TLBs that keep silent, devices that are pulled out,
 * storms of faults (semantics B.18, B.19, D-69, D-79 to D-87). Nothing hangs,
 * who may still reach what was taken away is blocked, and the rest goes on.
 */
#include "tests/core/help.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define BASE  GIB(2)
#define MS(n) ((uint64_t)(n)*1000 * 1000)

static bool with_patience(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static bool with_ats(struct rig *rig, const char **why)
{
    hurry(rig);
    return with_patience(rig, why);
}

/* The unit answers again, and what it has cached is gone: what the tables
 * say. */
static void wake(struct rig *rig)
{
    uim_check_silent(sim_door(rig->m), false);
    uim_check_caches_drop(sim_door(rig->m));
    sim_forget(rig->m);
}

static void assert_quarantined(struct rig *rig, unsigned n,
                               struct uiommu_domain *d)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, n);

    assert_true(rig_refused(rig, n, BASE));
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_NODEV);
    rig_is(uiommu_set_domain(ep, uiommu_identity(rig->u), NULL), UIOMMU_NODEV);
    assert_true(rig_refused(rig, n, BASE));
    (void)!uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
}

static enum uiommu_status forget_engine(struct rig *rig, unsigned n)
{
    unsigned dev = rig_engine(rig, n);
    enum uiommu_status status = uiommu_device_remove(rig->device[dev]);

    rig->device[dev] = NULL;
    return status;
}

static void remove_engine(struct rig *rig, unsigned n)
{
    rig_ok(forget_engine(rig, n));
}

/* ---- silent units -------------------------------------------------------- */

static void an_unmap_without_an_answer_times_out_and_blocks(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), bytes = 0, start;
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_domain *e = attached_with(rig, 2, BASE, page);
    struct rig_state before;

    set(rig, 1, d);
    before = rig_state(rig);
    uim_check_silent(sim_door(rig->m), true);
    start = now_ns(rig);
    rig_is(uiommu_unmap(d, BASE, MIB(2), &bytes), UIOMMU_TIMEDOUT);
    assert_true(now_ns(rig) - start < MS(100));
    assert_int_equal(bytes, RIG_PAGE);
    /* The unit may still walk the table. */
    assert_int_equal(rig_state(rig).counts.pages, before.counts.pages);
    assert_says(sim_last_log(rig->m), "block");
    wake(rig);
    assert_quarantined(rig, 0, d);
    assert_quarantined(rig, 1, d);
    assert_true(rig_reaches(rig, 2, BASE, page));
    uiommu_domain_put(d);
    rig->dirty = true;
    /* Nothing that this unit is told is confirmed any more. */
    rig_is(forget_engine(rig, 2), UIOMMU_TIMEDOUT);
    uiommu_domain_put(e);
}

static void a_set_without_an_answer_times_out_and_blocks(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), start;
    struct uiommu_domain *a = attached_with(rig, 0, BASE, page);
    struct uiommu_domain *b = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    map_page(b, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    uim_check_silent(sim_door(rig->m), true);
    start = now_ns(rig);
    rig_is(uiommu_set_domain(ep, b, NULL), UIOMMU_TIMEDOUT);
    assert_true(now_ns(rig) - start < MS(100));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    wake(rig);
    assert_quarantined(rig, 0, a);
    assert_quarantined(rig, 0, b);
    uiommu_domain_put(a);
    uiommu_domain_put(b);
    rig->dirty = true;
}

static void blocking_on_a_silent_unit_blocks_in_the_tables(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    assert_true(rig_reaches(rig, 0, BASE, page));
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_TIMEDOUT);
    wake(rig);
    assert_quarantined(rig, 0, d);
    uiommu_domain_put(d);
    rig->dirty = true;
}

/* Whatever they answer. */
static void make_every_call(struct rig *rig, struct uiommu_domain *d)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 1);
    struct uiommu_domain *fresh = rig_domain(rig, 1);
    struct uiommu_trace t;

    map_page(d, 0, rig_pages(rig, 0));
    rig_ok(uiommu_walk(d, 0, &t));
    (void)!uiommu_split(d, 0, RIG_PAGE);
    (void)!uiommu_unmap(d, 0, RIG_PAGE, NULL);
    (void)!uiommu_set_domain(ep, fresh, NULL);
    (void)!uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL);
    if (uiommu_claim(ep, rig) == UIOMMU_OK)
        (void)!uiommu_release(ep, rig);
    uiommu_poll(rig->u);
    uiommu_irq(rig->u, 0, 0);
    uiommu_domain_put(fresh);
    (void)!forget_engine(rig, 1);
    (void)!rig_add(rig, rig_engine(rig, 1));
    (void)!forget_engine(rig, 0);
}

static void no_call_hangs_while_a_unit_is_silent(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t start;

    uim_check_silent(sim_door(rig->m), true);
    start = now_ns(rig);
    make_every_call(rig, d);
    assert_true(now_ns(rig) - start < MS(200));
    uim_check_silent(sim_door(rig->m), false);
    uiommu_domain_put(d);
    rig->dirty = true;
}

static void a_silent_unit_serves_again_after_a_sleep(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    wake(rig);
    uiommu_domain_put(d);
    rig_is(forget_engine(rig, 0), UIOMMU_TIMEDOUT);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* ---- errors of the queue ------------------------------------------------- */

/* What happens while uiommu waits for hardware: the host's relax is called then,
 * which cold tests may replace. */
static struct {
    void (*relax)(void *ctx);
    void (*meanwhile)(void);
    struct rig *rig;
    struct uim_check_inject error;
    uint64_t step_ns;          /* that each round takes as well               */
    _Atomic uint64_t fails_ns; /* when the platform gives up engine 0         */
    pthread_t second;
    _Atomic bool started;
    struct uiommu_domain *domain; /* of the second thread                     */
    enum uiommu_status status;
} wait;

static _Thread_local bool is_second;

static void relax(void *ctx)
{
    if (wait.meanwhile)
        wait.meanwhile();
    if (wait.step_ns > 0)
        sim_advance(wait.rig->m, wait.step_ns);
    if (wait.fails_ns > 0 && now_ns(wait.rig) > wait.fails_ns)
        sim_devtlb(wait.rig->m, rig_engine(wait.rig, 0), SIM_DEVTLB_FAILS);
    wait.relax(ctx);
}

static void up_with_own_relax(struct rig *rig)
{
    memset(&wait, 0, sizeof(wait));
    wait.rig = rig;
    wait.relax = rig->m->host.relax;
    rig->m->host.relax = relax;
    up(rig);
}

static void inject_now(void)
{
    wait.meanwhile = NULL;
    uim_check_inject(sim_door(wait.rig->m), &wait.error);
    uim_check_hold(sim_door(wait.rig->m), false);
}

/* The unit has the commands, and does this instead of the first one. */
static enum uiommu_status unmap_into(struct rig *rig, struct uiommu_domain *d,
                                     struct uim_check_inject error)
{
    enum uiommu_status status;

    wait.error = error;
    wait.meanwhile = inject_now;
    uim_check_hold(sim_door(rig->m), true);
    status = uiommu_unmap(d, BASE, RIG_PAGE, NULL);
    assert_null(wait.meanwhile);
    return status;
}

static void a_refused_command_fails_its_submitter_alone(struct rig *rig)
{
    struct uim_check_inject error = { .error = UIM_CHECK_ERROR_QUEUE,
                                      .code = rig_arch(rig)->refused };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d, *e;

    up_with_own_relax(rig);
    d = attached_with(rig, 0, BASE, page);
    e = attached_with(rig, 1, BASE, page);
    assert_true(rig_reaches(rig, 1, BASE, page));
    rig_is(unmap_into(rig, d, error), UIOMMU_IO);
    uim_check_caches_drop(sim_door(rig->m));
    assert_quarantined(rig, 0, d);
    assert_true(rig_reaches(rig, 1, BASE, page));
    rig_ok(uiommu_unmap(e, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 1, BASE));
    uiommu_domain_put(d);
    rig_drop(rig, 1, e);
}

static void another_devices_timeout_makes_a_submitter_try_again(struct rig *rig)
{
    struct uim_check_inject error = { .error = UIM_CHECK_ERROR_TIMEOUT };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up_with_own_relax(rig);
    error.rid = (uint32_t)rig->m->devices[rig_engine(rig, 1)].pci.devfn;
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(unmap_into(rig, d, error));
    assert_true(rig_refused(rig, 0, BASE));
    map_page(d, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static bool telling_of_strays(struct rig *rig, const char **why)
{
    hurry(rig);
    return rig_does(rig, RIG_STRAYS, why);
}

static void an_answer_that_nobody_waits_for_is_survived(struct rig *rig)
{
    struct uim_check_inject error = { .error = UIM_CHECK_ERROR_COMPLETION,
                                      .rid = 0x18 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    uim_check_inject(sim_door(rig->m), &error);
    uiommu_poll(rig->u);
    assert_says(sim_last_log(rig->m), "00:03.0");
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* ---- device TLBs that do not answer -------------------------------------- */

/* Engines 0 and 1 see one domain with two pages, and have cached both. */
static struct uiommu_domain *two_with_tlbs(struct rig *rig, uint64_t pages)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    map_page(d, BASE + RIG_PAGE, pages + RIG_PAGE);
    set(rig, 1, d);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(rig_reaches(rig, n, BASE, pages));
        assert_true(rig_reaches(rig, n, BASE + RIG_PAGE, pages + RIG_PAGE));
        assert_true(sim_devtlb_entries(rig->m, rig_engine(rig, n)) > 0);
    }
    return d;
}

static void a_device_that_fails_is_quarantined_alone(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = two_with_tlbs(rig, pages);
    unsigned dev = rig_engine(rig, 0);

    sim_devtlb(rig->m, dev, SIM_DEVTLB_FAILS);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_true(rig_refused(rig, 0, BASE)); /* not from any cache of the unit */
    assert_true(rig_refused(rig, 0, BASE + RIG_PAGE));
    assert_true(rig_refused(rig, 1, BASE));
    assert_true(rig_reaches(rig, 1, BASE + RIG_PAGE, pages + RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE + RIG_PAGE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 1, BASE + RIG_PAGE));
    map_page(d, BASE, pages);
    assert_true(rig_reaches(rig, 1, BASE, pages));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NODEV);
    rig_ok(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL));
    assert_true(rig_refused(rig, 0, BASE));
    remove_engine(rig, 0);
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_ok(rig_add(rig, dev));
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    set(rig, 0, uiommu_blocked(rig->u));
    rig_drop(rig, 1, d);
}

/* uiommu's patience ends before the platform's: what waits behind the silent
 * device has to wait for that, and is not blamed. */
static void a_silent_device_times_out_and_the_next_goes_on(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1), start;
    struct uiommu_domain *d, *e;

    up_with_own_relax(rig);
    d = two_with_tlbs(rig, pages);
    e = attached_with(rig, 2, BASE, pages);
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_SILENT);
    start = now_ns(rig);
    wait.fails_ns = start + MS(10);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_true(now_ns(rig) - start < MS(100));
    assert_true(rig_refused(rig, 1, BASE));
    assert_true(rig_reaches(rig, 1, BASE + RIG_PAGE, pages + RIG_PAGE));
    rig_ok(uiommu_unmap(e, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 2, BASE));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 1), d, NULL));
    wait.fails_ns = 0;
    remove_engine(rig, 0);
    rig_drop(rig, 2, e);
    rig_drop(rig, 1, d);
}

static void *unmap_beside(void *ctx)
{
    (void)ctx;
    is_second = true;
    wait.status = uiommu_unmap(wait.domain, BASE, RIG_PAGE, NULL);
    return NULL;
}

/* Engine 0 keeps the first thread waiting; when the second waits behind it, the
 * platform gives up engine 0, and hardware drops both waits. */
static void start_second(void)
{
    if (!atomic_exchange(&wait.started, true))
        pthread_create(&wait.second, NULL, unmap_beside, NULL);
    else if (is_second && wait.fails_ns == 0)
        wait.fails_ns = now_ns(wait.rig);
}

/* D-80. */
static void what_a_timeout_takes_along_is_repeated(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d;

    up_with_own_relax(rig);
    d = two_with_tlbs(rig, pages);
    wait.domain = attached_with(rig, 2, BASE, pages);
    assert_true(rig_reaches(rig, 2, BASE, pages));
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_SILENT);
    wait.meanwhile = start_second;
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    pthread_join(wait.second, NULL);
    wait.meanwhile = NULL;
    rig_ok(wait.status);
    assert_true(rig_refused(rig, 2, BASE));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 1), d, NULL));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 2), wait.domain, NULL));
    wait.fails_ns = 0;
    remove_engine(rig, 0);
    rig_drop(rig, 2, wait.domain);
    rig_drop(rig, 1, d);
}

static void
a_device_that_never_answers_does_not_hang_the_others(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1), start;
    struct uiommu_domain *d, *e;

    up_with_own_relax(rig);
    d = two_with_tlbs(rig, pages);
    e = attached_with(rig, 2, BASE, pages);
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_SILENT);
    wait.step_ns = MS(10);
    start = now_ns(rig);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    (void)!uiommu_unmap(e, BASE, RIG_PAGE, NULL);
    (void)!forget_engine(rig, 0);
    (void)!forget_engine(rig, 1);
    (void)!forget_engine(rig, 2);
    assert_true(now_ns(rig) - start < MS(1000 * 1000));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
    rig->dirty = true;
}

/* ---- surprise removal (D-69) --------------------------------------------- */

static void a_device_that_is_gone_can_be_removed(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1), start;
    struct uiommu_domain *d = two_with_tlbs(rig, pages);
    struct trace t;

    sim_unplug(rig->m, rig_engine(rig, 0));
    start = now_ns(rig);
    trace_start(rig, &t);
    remove_engine(rig, 0);
    trace_stop(rig, &t);
    assert_true(now_ns(rig) - start < MS(100));
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 0); /* nobody is there */
    assert_true(rig_reaches(rig, 1, BASE, pages));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 1, BASE));
    rig_drop(rig, 1, d);
}

static void a_device_gone_unnoticed_does_not_stop_an_unmap(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1), start;
    struct uiommu_domain *d = two_with_tlbs(rig, pages);

    sim_unplug(rig->m, rig_engine(rig, 0));
    start = now_ns(rig);
    (void)!uiommu_unmap(d, BASE, RIG_PAGE, NULL);
    (void)!uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u),
                             NULL);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_blocked(rig->u));
    remove_engine(rig, 0);
    assert_true(now_ns(rig) - start < MS(100));
    assert_true(rig_refused(rig, 1, BASE));
    assert_true(rig_reaches(rig, 1, BASE + RIG_PAGE, pages + RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE + RIG_PAGE, RIG_PAGE, NULL));
    rig_drop(rig, 1, d);
}

/* Blocked is where it rests, so it changes hands like any other. */
static void a_device_gone_before_a_set_can_be_claimed(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = two_with_tlbs(rig, pages);
    struct uiommu_domain *next = rig_domain(rig, 1);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    sim_unplug(rig->m, rig_engine(rig, 0));
    rig_is(uiommu_set_domain(ep, next, NULL), UIOMMU_TIMEDOUT);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(ep, rig));
    rig_is(uiommu_set_domain(ep, next, rig), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(ep, uiommu_blocked(rig->u), rig));
    rig_ok(uiommu_release(ep, rig));
    remove_engine(rig, 0);
    uiommu_domain_put(next);
    assert_true(rig_reaches(rig, 1, BASE, pages));
    rig_drop(rig, 1, d);
}

/* ---- storms (D-87) ------------------------------------------------------- */

enum { STORM = 10000, SENTENCES = 60 };

static bool unheard(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.on_fault = NULL;
    return true;
}

struct heard {
    unsigned faults, overflows;
};

static bool count_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct heard *h = ctx;

    h->faults++;
    h->overflows += fault->overflow;
    return false;
}

static uint64_t logged(struct rig *rig)
{
    struct sim_counts c;

    sim_counts(rig->m, &c);
    return c.logs[0] + c.logs[1] + c.logs[2] + c.logs[3];
}

static void a_storm_of_faults_is_logged_in_few_words(struct rig *rig)
{
    struct heard heard = { 0, 0 };
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t before = logged(rig);

    uiommu_fault_handler(d, count_fault, &heard);
    for (unsigned i = 0; i < STORM; i++) {
        assert_false(rig_write(rig, 0, BASE + (uint64_t)i * RIG_PAGE, 0));
        if (i % 50 == 0)
            rig_poll(rig);
    }
    rig_poll(rig);
    assert_true(heard.faults >= STORM / 50);
    assert_true(heard.overflows > 0);
    assert_true(logged(rig) - before > 0);
    assert_true(logged(rig) - before < SENTENCES);
    heard.faults = 0;
    heard.overflows = 0;
    rig_poll(rig);
    assert_int_equal(heard.faults, 0); /* all records were cleared */
    assert_false(rig_write(rig, 0, 0, 0));
    rig_poll(rig);
    assert_int_equal(heard.faults, 1);
    assert_int_equal(heard.overflows, 0);
    rig_drop(rig, 0, d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(an_unmap_without_an_answer_times_out_and_blocks, in_a_hurry),
    RIG_TEST_ON(a_set_without_an_answer_times_out_and_blocks, in_a_hurry),
    RIG_TEST_ON(blocking_on_a_silent_unit_blocks_in_the_tables, in_a_hurry),
    RIG_TEST_ON(no_call_hangs_while_a_unit_is_silent, in_a_hurry),
    RIG_TEST_ON(a_silent_unit_serves_again_after_a_sleep, in_a_hurry),
    RIG_COLD_ON(a_refused_command_fails_its_submitter_alone, in_a_hurry),
    RIG_COLD_ON(another_devices_timeout_makes_a_submitter_try_again,
                in_a_hurry),
    RIG_TEST_ON(an_answer_that_nobody_waits_for_is_survived, telling_of_strays),
    RIG_TEST_ON(a_device_that_fails_is_quarantined_alone, with_ats),
    RIG_COLD_ON(a_silent_device_times_out_and_the_next_goes_on, with_ats),
    RIG_COLD_ON(what_a_timeout_takes_along_is_repeated, with_patience),
    RIG_COLD_ON(a_device_that_never_answers_does_not_hang_the_others, with_ats),
    RIG_TEST_ON(a_device_that_is_gone_can_be_removed, with_ats),
    RIG_TEST_ON(a_device_gone_unnoticed_does_not_stop_an_unmap, with_ats),
    RIG_TEST_ON(a_device_gone_before_a_set_can_be_claimed, with_ats),
    RIG_TEST_ON(a_storm_of_faults_is_logged_in_few_words, unheard),
    { 0 },
};

int main(void)
{
    return rig_run("failure", tests);
}
