/* SPDX-License-Identifier: MIT */
/*
 * request_drain_test.c - a PASID ends and its number is used again while its device waits
 * for answers: two groups of it, as far as they may have come, and two of another PASID,
 * sent at every two instants of the call; handlers run at either of these, or at none
 * (semantics B.17, D-20, D-21).
 */
#include "tests/core/requests.h"

#include <pthread.h>
#include <time.h>

/* ---- one order of events ---------------------------------------------------------------- */

/* Of PASID 1, whose device has stopped: both groups are on their way; one was handled; one
 * is left for later. */
enum { BOTH_SENT, ONE_HANDLED, ONE_LEFT, BEFORE };

enum {
    HANDLERS_NOT_INSIDE,
    HANDLERS_AT_FIRST,
    HANDLERS_AT_SECOND,
    HANDLERS_ORDERS
};

struct order {
    struct rig *rig;
    unsigned first,
        second; /* instants, counted from 1; 0: before the call      */
    unsigned before, handlers;
    unsigned now, answered;
    unsigned sent[5]; /* by group: 1 and 2 of PASID 1, 3 and 4 of PASID 2  */
    bool inside;
    struct pager old, next, other;
};

/* Locks that a second thread must not wait for. */
static _Atomic unsigned spins;
static void (*lock_of_host)(void *ctx, void *lock);
static void (*unlock_of_host)(void *ctx, void *lock);

/* An instant of the call as well, where there is nothing to see from outside. */
static void (*at_lock)(void);

static void counting_lock(void *ctx, void *lock)
{
    if (at_lock && atomic_load(&spins) == 0)
        at_lock();
    lock_of_host(ctx, lock);
    atomic_fetch_add(&spins, 1);
}

static void counting_unlock(void *ctx, void *lock)
{
    atomic_fetch_sub(&spins, 1);
    unlock_of_host(ctx, lock);
}

static void count_spins(struct rig *rig, bool on)
{
    struct uiommu_host *h = &rig->u->host;

    if (on) {
        lock_of_host = h->spin_lock;
        unlock_of_host = h->spin_unlock;
        h->spin_lock = counting_lock;
        h->spin_unlock = counting_unlock;
    } else {
        h->spin_lock = lock_of_host;
        h->spin_unlock = unlock_of_host;
    }
}

static void send(struct order *o, uint32_t pasid, uint16_t group)
{
    const struct sim_page_request r =
        request_of(o->rig, 0, pasid, BASE + group * RIG_PAGE, group, true);

    o->sent[group] = sim_page_request(o->rig->m, &r) == SIM_NOT_STOPPED;
}

static void *handle(void *ctx)
{
    struct order *o = ctx;

    collect_and_serve(o->rig);
    return NULL;
}

static void handlers_run(struct order *o)
{
    pthread_t id;

    if (atomic_load(&spins) > 0)
        return;
    assert_int_equal(pthread_create(&id, NULL, handle, o), 0);
    assert_int_equal(pthread_join(id, NULL), 0);
}

static void begin(struct order *o)
{
    send(o, 1, 1);
    o->old.response =
        o->before == ONE_LEFT ? UIOMMU_RESPONSE_LATER : UIOMMU_RESPONSE_SUCCESS;
    if (o->before != BOTH_SENT)
        collect_and_serve(o->rig);
    send(o, 1, 2);
}

static void at(struct order *o, unsigned instant)
{
    if (instant == o->first) {
        send(o, 2, 3);
        if (o->handlers == HANDLERS_AT_FIRST)
            handlers_run(o);
    }
    if (instant == o->second) {
        send(o, 2, 4);
        if (o->handlers == HANDLERS_AT_SECOND)
            handlers_run(o);
    }
}

static void look(void *ctx)
{
    struct order *o = ctx;

    if (o->inside)
        return;
    o->inside = true;
    at(o, ++o->now);
    o->inside = false;
}

/* ---- what has to be so ------------------------------------------------------------------- */

/* Each that was sent has one answer, and PASID 2 got its pages. */
static void check_answers(struct order *o)
{
    unsigned seen[5] = { 0 };

    for (unsigned i = o->answered; i < answers(o->rig, 0); i++) {
        const struct sim_page_response r = answer(o->rig, 0, i);

        assert_true(r.expected && r.group < 5);
        seen[r.group]++;
        if (r.group > 2)
            assert_int_equal(r.code, SIM_PAGE_SUCCESS);
        else
            assert_true(r.code <= SIM_PAGE_INVALID);
    }
    for (unsigned group = 1; group < 5; group++)
        if (seen[group] != o->sent[group])
            fail_msg(
                "group %u, sent %u, has %u answers (at %u and %u, handlers %u)",
                group, o->sent[group], seen[group], o->first, o->second,
                o->handlers);
    assert_int_equal(sim_page_groups(o->rig->m, rig_engine(o->rig, 0)), 0);
}

static void run_order(struct order *o)
{
    struct rig *rig = o->rig;
    struct uiommu_endpoint *one = free_pasid(rig, 0), *two = pasid(rig, 0);

    see(one, o->old.d);
    see(two, o->other.d);
    o->answered = answers(rig, 0);
    o->now = 0;
    memset(o->sent, 0, sizeof(o->sent));
    begin(o);
    at(o, 0);
    rig_watch(rig, look, o);
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_watch(rig, NULL, NULL);
    /* Before the call had told the unit: later there may be none. */
    rig_expect_stale(rig, sim_stale_count(rig->m));
    one = pasid(rig, 0);
    assert_int_equal(uiommu_endpoint_pasid(one), 1);
    see(one, o->next.d);
    collect_and_serve(rig);
    assert_int_equal(o->next.groups, 0);
    check_answers(o);
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    rig_ok(uiommu_unmap(o->old.d, BASE, MIB(2), NULL));
    rig_ok(uiommu_unmap(o->other.d, BASE, MIB(2), NULL));
}

/* ---- all orders ------------------------------------------------------------------------------ */

/* How many groups of PASID 1 a handler had. */
static unsigned all_handlers(struct order *o)
{
    o->old.groups = 0;
    for (o->handlers = 0; o->handlers < HANDLERS_ORDERS; o->handlers++)
        run_order(o);
    return o->old.groups;
}

/* Where every store is one, every so many of them. */
enum { MOST = 24 };

static unsigned all_instants(struct order *o)
{
    unsigned instants, step, handled = 0;

    o->first = o->second = o->handlers = 0;
    run_order(o);
    instants = o->now;
    assert_true(instants > 10);
    step = 1 + instants / MOST;
    for (o->first = 0; o->first <= instants; o->first += step)
        for (o->second = o->first; o->second <= instants; o->second += step)
            handled += all_handlers(o);
    return handled;
}

static void no_answer_is_lost_and_none_is_for_the_next(struct rig *rig)
{
    struct order o = { .rig = rig };

    open_pager(rig, &o.old, 0);
    open_pager(rig, &o.next, 0);
    open_pager(rig, &o.other, 0);
    count_spins(rig, true);
    for (o.before = 0; o.before < BEFORE; o.before++)
        assert_true(all_instants(&o) > 0);
    count_spins(rig, false);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(o.old.d);
    uiommu_domain_put(o.next.d);
    uiommu_domain_put(o.other.d);
}

/* ---- a handler that takes its time --------------------------------------------------------- */

/* From one domain to another whose handler answers too, while the device goes on asking. */
struct change {
    struct rig *rig;
    struct pager old, next;
    unsigned instant, now;
    bool inside;
    pthread_t id, caller;
    bool started;
    _Atomic bool returned;
    _Atomic unsigned in_old, left_behind;
};

static struct change *change;

/* As long as the call, or a bit. */
static void take_time(struct pager *p)
{
    const struct timespec bit = { .tv_nsec = 100 * 1000 };

    (void)p;
    atomic_fetch_add(&change->in_old, 1);
    for (unsigned i = 0; i < 10 && !atomic_load(&change->returned); i++)
        nanosleep(&bit, NULL);
    atomic_fetch_sub(&change->in_old, 1);
}

static void *serve_slowly(void *ctx)
{
    struct change *c = ctx;

    (void)uiommu_poll(c->rig->u);
    uiommu_serve(c->rig->u);
    return NULL;
}

static void ask_at(struct change *c, unsigned instant)
{
    const struct sim_page_request r =
        request_of(c->rig, 0, UIOMMU_NO_PASID, BASE, 2, true);

    if (instant != c->instant || atomic_load(&spins) > 0)
        return;
    (void)sim_page_request(c->rig->m, &r);
    c->started = pthread_create(&c->id, NULL, serve_slowly, c) == 0;
    assert_true(c->started);
    /* It may come to the handler, or not. */
    for (unsigned i = 0; i < 50 && atomic_load(&c->in_old) == 0; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 }, NULL);
}

static void look_on(void *ctx)
{
    struct change *c = ctx;

    if (c->inside)
        return;
    c->inside = true;
    ask_at(c, ++c->now);
    c->inside = false;
}

static void look_at_lock(void)
{
    if (pthread_equal(change->caller, pthread_self()))
        look_on(change);
}

static void run_change(struct change *c)
{
    struct rig *rig = c->rig;
    unsigned behind;

    set(rig, 0, c->old.d);
    c->now = 0;
    c->started = false;
    atomic_store(&c->returned, false);
    ask_at(c, 0);
    rig_watch(rig, look_on, c);
    at_lock = look_at_lock;
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), c->next.d, NULL));
    behind = atomic_load(&c->in_old);
    atomic_store(&c->returned, true);
    at_lock = NULL;
    rig_watch(rig, NULL, NULL);
    if (c->started)
        assert_int_equal(pthread_join(c->id, NULL), 0);
    assert_int_equal(behind, 0);
    rig_expect_stale(rig, sim_stale_count(rig->m));
    collect_and_serve(rig);
    (void)answers(rig, 0);
    assert_int_equal(sim_page_groups(rig->m, rig_engine(rig, 0)), 0);
    rig_ok(uiommu_unmap(c->next.d, BASE, RIG_PAGE, NULL));
}

static void no_handler_is_left_behind(struct rig *rig)
{
    struct change c = { .rig = rig,
                        .instant = UINT32_MAX,
                        .caller = pthread_self() };
    unsigned instants;

    change = &c;
    open_pager(rig, &c.old, 0);
    open_pager(rig, &c.next, 0);
    c.old.response = UIOMMU_RESPONSE_INVALID;
    c.old.inside = take_time;
    count_spins(rig, true);
    run_change(&c);
    instants = c.now;
    for (c.instant = 0; c.instant <= instants; c.instant++)
        run_change(&c);
    /* Adversarial units show requests late. */
    assert_true(c.old.groups > 0 || rig->config.adversarial);
    count_spins(rig, false);
    rig_drop(rig, 0, c.next.d);
    uiommu_domain_put(c.old.d);
}

static const struct rig_test tests[] = {
    { .name = "no_handler_is_left_behind",
      .run = no_handler_is_left_behind,
      .prepare = with_requests,
      .once = "another thread calls inside" },
    { .name = "no_answer_is_lost_and_none_is_for_the_next",
      .run = no_answer_is_lost_and_none_is_for_the_next,
      .prepare = with_pasid_requests,
      .once = "another thread calls inside" },
    { 0 },
};

int main(void)
{
    return rig_run("page requests that drain", tests);
}
