/* SPDX-License-Identifier: MIT */
/*
 * request_drain_test.c - handlers, interrupts and queues beside a call that drains, at each
 * of its instants (semantics B.17). All orders of requests: request_order_test.
 */
#include "tests/core/instants.h"

#include <pthread.h>
#include <time.h>

/* ---- a handler that takes its time --------------------------------------------------------- */

/* From one domain to another whose handler answers too, while the device goes on asking. */
struct slow {
    struct rig *rig;
    struct pager old, next;
    unsigned instant, now;
    bool inside;
    pthread_t id, caller;
    bool started;
    _Atomic bool returned;
    _Atomic unsigned in_old, left_behind;
};

static struct slow *slow;

/* As long as the call, or a bit. */
static void take_time(struct pager *p)
{
    const struct timespec bit = { .tv_nsec = 100 * 1000 };

    (void)p;
    atomic_fetch_add(&slow->in_old, 1);
    for (unsigned i = 0; i < 10 && !atomic_load(&slow->returned); i++)
        nanosleep(&bit, NULL);
    atomic_fetch_sub(&slow->in_old, 1);
}

static void *serve_slowly(void *ctx)
{
    struct slow *c = ctx;

    (void)uiommu_poll(c->rig->u);
    uiommu_serve(c->rig->u);
    return NULL;
}

static void ask_at(struct slow *c, unsigned instant)
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
    struct slow *c = ctx;

    if (c->inside)
        return;
    c->inside = true;
    ask_at(c, ++c->now);
    c->inside = false;
}

static void look_at_lock(void)
{
    if (pthread_equal(slow->caller, pthread_self()))
        look_on(slow);
}

static void run_slow(struct slow *c)
{
    struct rig *rig = c->rig;
    unsigned behind;

    set(rig, 0, c->old.d);
    c->now = 0;
    c->started = false;
    atomic_store(&c->returned, false);
    ask_at(c, 0);
    rig_watch(rig, look_on, c);
    at_instant = look_at_lock;
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), c->next.d, NULL));
    behind = atomic_load(&c->in_old);
    atomic_store(&c->returned, true);
    at_instant = NULL;
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
    struct slow c = { .rig = rig,
                      .instant = UINT32_MAX,
                      .caller = pthread_self() };
    unsigned instants;

    slow = &c;
    open_pager(rig, &c.old, 0);
    open_pager(rig, &c.next, 0);
    c.old.response = UIOMMU_RESPONSE_INVALID;
    c.old.inside = take_time;
    watch_locks(rig);
    locks_are_instants = true;
    run_slow(&c);
    instants = c.now;
    for (c.instant = 0; c.instant <= instants; c.instant++)
        run_slow(&c);
    /* Adversarial units show requests late. */
    assert_true(c.old.groups > 0 || rig->config.adversarial);
    locks_are_instants = false;
    watch_no_more(rig);
    rig_drop(rig, 0, c.next.d);
    uiommu_domain_put(c.old.d);
}

/* ---- an interrupt inside ------------------------------------------------------------------- */

/* Somebody asks at one of the instants of a call, and an interrupt tells another CPU. */
struct beside {
    struct rig *rig;
    unsigned engine, groups; /* who asks, and for how many                   */
    unsigned instant, now;
    bool inside, due;
};

static struct beside *beside;

static void *interrupts_arrive(void *ctx)
{
    (void)machine_run(((struct rig *)ctx)->m);
    return NULL;
}

static void ask_beside(void)
{
    struct beside *b = beside;
    pthread_t id;

    if (b->inside)
        return;
    b->inside = true;
    b->due |= b->now++ == b->instant;
    if (b->due && atomic_load(&spins) == 0) {
        b->due = false;
        for (unsigned i = 1; i <= b->groups; i++)
            ask(b->rig, b->engine, UIOMMU_NO_PASID, BASE + i * RIG_PAGE,
                (uint16_t)i, true);
        assert_int_equal(pthread_create(&id, NULL, interrupts_arrive, b->rig),
                         0);
        assert_int_equal(pthread_join(id, NULL), 0);
    }
    b->inside = false;
}

/* True: it asked. */
static bool move_beside(struct beside *b, struct uiommu_domain *next)
{
    b->now = 0;
    b->due = false;
    beside = b;
    at_instant = ask_beside;
    rig_ok(uiommu_set_domain(rig_endpoint(b->rig, 0), next, NULL));
    at_instant = NULL;
    rig_expect_stale(b->rig, sim_stale_count(b->rig->m));
    return b->now > b->instant && !b->due;
}

/* Adversarial units show requests late. */
static bool with_prompt_requests(struct rig *rig, const char **why)
{
    *why = "it shows requests late";
    return !rig->config.adversarial && with_requests(rig, why);
}

/* Nobody polls but who is interrupted; whoever drains does not leave it to him whom it kept
 * out. */
static void an_interrupt_beside_a_drain_is_not_lost(struct rig *rig)
{
    struct beside b = { .rig = rig, .engine = 1, .groups = 1 };
    struct pager p, other;
    bool asked;

    open_pager(rig, &p, 0);
    open_pager(rig, &other, 1);
    set(rig, 1, other.d);
    watch(rig);
    locks_are_instants = true;
    do {
        set(rig, 0, p.d);
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
        asked = move_beside(&b, uiommu_blocked(rig->u));
        (void)machine_run(rig->m);
        uiommu_serve(rig->u);
        if (asked && other.groups != 1)
            fail_msg("%s: lost at instant %u", rig->name, b.instant);
        forget(&other);
        b.instant++;
    } while (asked);
    assert_true(b.instant > 10);
    locks_are_instants = false;
    watch_no_more(rig);
    rig_drop(rig, 1, other.d);
    uiommu_domain_put(p.d);
}

/* ---- from a handler to a queue --------------------------------------------------------------- */

struct reader {
    struct uiommu_request_queue *q;
    struct uiommu_domain *d;
};

/* That has room for one. */
static void open_reader(struct rig *rig, struct reader *r)
{
    const struct uiommu_request_queue_config config = { .size = sizeof(config),
                                                        .groups = 1 };
    struct uiommu_domain_config domain = { .size = sizeof(domain) };

    rig_ok(uiommu_request_queue_create(rig->u, &config, &r->q));
    domain.request_queue = r->q;
    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &domain, &r->d));
}

static unsigned read_all(struct reader *r)
{
    struct uiommu_page_request request;
    struct uiommu_request_group group;
    unsigned n = 0;

    for (; uiommu_request_queue_read(r->q, &request, 1, &group) == UIOMMU_OK;
         n++)
        rig_ok(uiommu_request_queue_respond(r->q, group.cookie,
                                            UIOMMU_RESPONSE_SUCCESS));
    return n;
}

static unsigned answers_of(struct rig *rig, unsigned from, uint32_t code)
{
    unsigned n = 0;

    for (unsigned i = from; i < answers(rig, 0); i++) {
        assert_true(answer(rig, 0, i).expected);
        n += answer(rig, 0, i).code == code;
    }
    return n;
}

/* How many are in the queue of those two that came while the endpoint moved to it; the others
 * have their answers. */
static unsigned queued(struct beside *b, struct reader *r)
{
    const unsigned before = answers(b->rig, 0);
    unsigned n, told;

    n = move_beside(b, r->d) ? b->groups : 0;
    told = answers(b->rig, 0) - before;
    n -= told;
    assert_int_equal(read_all(r), n);
    assert_int_equal(answers(b->rig, 0), before + told + n);
    assert_int_equal(sim_page_groups(b->rig->m, rig_engine(b->rig, 0)), 0);
    return n;
}

static void a_queue_gets_what_came_meanwhile(struct rig *rig)
{
    struct beside b = { .rig = rig, .groups = 2 };
    unsigned most = 0, least = 2;
    struct reader r;
    struct pager p;

    open_pager(rig, &p, 0);
    open_reader(rig, &r);
    watch(rig);
    locks_are_instants = true;
    do {
        unsigned n;

        set(rig, 0, p.d);
        n = queued(&b, &r);
        most = n > most ? n : most;
        least = n < least ? n : least;
        b.instant++;
    } while (b.now >= b.instant);
    locks_are_instants = false;
    watch_no_more(rig);
    assert_int_equal(least, 0);
    assert_int_equal(most, 1);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_request_queue_destroy(r.q);
    uiommu_domain_put(r.d);
    uiommu_domain_put(p.d);
}

/* Nobody reads it: what came is refused. */
static void a_queue_that_is_closed_gets_nothing(struct rig *rig)
{
    struct beside b = { .rig = rig, .groups = 2 };
    unsigned refused = 0, n;
    struct reader r;
    struct pager p;
    bool asked;

    open_pager(rig, &p, 0);
    open_reader(rig, &r);
    uiommu_request_queue_destroy(r.q);
    watch(rig);
    locks_are_instants = true;
    do {
        const unsigned before = answers(rig, 0);

        set(rig, 0, p.d);
        asked = move_beside(&b, r.d);
        n = answers(rig, 0) - before;
        assert_int_equal(n, asked ? b.groups : 0);
        refused += answers_of(rig, before, SIM_PAGE_INVALID);
        b.instant++;
    } while (asked);
    locks_are_instants = false;
    watch_no_more(rig);
    assert_true(refused > 0);
    rig_drop(rig, 0, r.d);
    uiommu_domain_put(p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(no_handler_is_left_behind, with_requests),
    RIG_TEST_ON(an_interrupt_beside_a_drain_is_not_lost, with_prompt_requests),
    RIG_TEST_ON(a_queue_gets_what_came_meanwhile, with_prompt_requests),
    RIG_TEST_ON(a_queue_that_is_closed_gets_nothing, with_prompt_requests),
    { 0 },
};

int main(void)
{
    return rig_run("page requests that drain", tests);
}
