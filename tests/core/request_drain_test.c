/* SPDX-License-Identifier: MIT */
/*
 * request_drain_test.c - two PASIDs of a device ask for two pages each while a call drains
 * the first: all orders of these four requests and of what the call does; and handlers
 * (semantics B.17, D-20, D-21).
 */
#include "tests/core/requests.h"
#include "tests/hook/hook.h"
#include "tests/share.h"

#include <pthread.h>
#include <time.h>

#include "core/driver.h"
#include "spec/smmuv3.h"
#include "spec/vtd.h"

/* ---- what a call does ------------------------------------------------------------------- */

/*
 * A request changes its device and the unit's queue, and what the unit does with it hangs on
 * its tables. So two instants are one for it if the call has meanwhile written no register
 * (what the unit is told to do it does inside of that write), none of the device, and read
 * none of the queue's. Between any two such accesses there is an instant here. What is stored
 * for the unit is one with the write that tells it: where stores can be seen (programs ending
 * in -hooked) each is an instant. Handlers share what locks guard, and for them it is an
 * instant, too, when the call is about to take a spin lock and has none.
 */
static struct uiommu_host of_host; /* as it was                              */
static const struct uim_unit_ops *of_unit;
static struct uim_unit_ops watched;
static void (*at_instant)(void);
static bool locks_are_instants, drains, drained, hushed;

/* Locks that a second thread must not wait for. */
static _Atomic unsigned spins;

static void instant_is_here(void)
{
    if (at_instant && !hushed)
        at_instant();
}

static void lock_watched(void *ctx, void *lock)
{
    if (locks_are_instants && atomic_load(&spins) == 0)
        instant_is_here();
    of_host.spin_lock(ctx, lock);
    atomic_fetch_add(&spins, 1);
}

static void unlock_watched(void *ctx, void *lock)
{
    atomic_fetch_sub(&spins, 1);
    of_host.spin_unlock(ctx, lock);
}

static bool is_of_queue(size_t offset)
{
    return offset == VTD_REG_PQT || offset == VTD_REG_PRS ||
           offset == SMMUV3_REG_PRIQ_PROD || offset == SMMUV3_REG_PRIQ_CONS;
}

static uint32_t read32_watched(void *ctx, void *mmio, size_t offset)
{
    if (is_of_queue(offset))
        instant_is_here();
    return of_host.mmio_read32(ctx, mmio, offset);
}

static uint64_t read64_watched(void *ctx, void *mmio, size_t offset)
{
    if (is_of_queue(offset))
        instant_is_here();
    return of_host.mmio_read64(ctx, mmio, offset);
}

/* What was on its way is there when the unit has done the first that a drain asks of it. */
static void written(void)
{
    drained |= drains;
    instant_is_here();
}

static void write32_watched(void *ctx, void *mmio, size_t offset,
                            uint32_t value)
{
    instant_is_here();
    of_host.mmio_write32(ctx, mmio, offset, value);
    written();
}

static void write64_watched(void *ctx, void *mmio, size_t offset,
                            uint64_t value)
{
    instant_is_here();
    of_host.mmio_write64(ctx, mmio, offset, value);
    written();
}

static void pci_write_watched(void *ctx, struct uiommu_pci where,
                              unsigned offset, unsigned bytes, uint32_t value)
{
    instant_is_here();
    of_host.pci_write(ctx, where, offset, bytes, value);
    instant_is_here();
}

static enum uiommu_status drain_watched(struct uiommu_endpoint *ep)
{
    enum uiommu_status status;

    drains = ep->pasid == 1;
    status = of_unit->drain(ep);
    drains = false;
    return status;
}

static void watch_locks(struct rig *rig)
{
    of_host = rig->u->host;
    rig->u->host.spin_lock = lock_watched;
    rig->u->host.spin_unlock = unlock_watched;
}

static void watch(struct rig *rig)
{
    struct uiommu_host *h = &rig->u->host;

    watch_locks(rig);
    h->mmio_read32 = read32_watched;
    h->mmio_read64 = read64_watched;
    h->mmio_write32 = write32_watched;
    h->mmio_write64 = write64_watched;
    h->pci_write = pci_write_watched;
    of_unit = rig->u->unit[0]->ops;
    watched = *of_unit;
    watched.drain = drain_watched;
    rig->u->unit[0]->ops = &watched;
}

static void watch_no_more(struct rig *rig)
{
    rig->u->host = of_host;
    if (of_unit)
        rig->u->unit[0]->ops = of_unit;
    of_unit = NULL;
}

/* ---- one order of events ---------------------------------------------------------------- */

enum { SENDS = 4, GROUPS, TURNS = 6 };

#define NEVER UINT32_MAX

/* Groups 1 and 2 of PASID 1, 3 and 4 of PASID 2. Of those of one PASID nothing tells which
 * is which. */
static const uint8_t turns[TURNS][SENDS] = { { 1, 2, 3, 4 }, { 1, 3, 4, 2 },
                                             { 3, 4, 1, 2 }, { 1, 3, 2, 4 },
                                             { 3, 1, 2, 4 }, { 3, 1, 4, 2 } };

/* The first of these, in which both of PASID 2 come one after the other. */
enum { TURNS_OF_PAIRS = 3 };

struct order;

struct call {
    const char *name;
    void (*run)(struct order *o);
    bool silent; /* the device has stopped: all of PASID 1 is on its way     */
    bool both;   /* of both PASIDs                                           */
    bool pairs;  /* no number is used again: both of PASID 2 come at once    */
    unsigned long least; /* orders                                           */
};

struct order {
    struct rig *rig;
    const struct call *call;
    const uint8_t *turn;
    unsigned at[SENDS];   /* instants, never less than the one before; 0 is
                           * before the call                                 */
    unsigned handler;     /* handlers run after so many were sent            */
    unsigned handler_at;  /* or at this instant                              */
    unsigned now, next;
    bool inside, due;
    unsigned answered;
    bool sent[GROUPS], early[GROUPS]; /* early: before PASID 1 was drained   */
    struct uiommu_endpoint *one, *two;
    struct pager old, new, other;
    unsigned long runs;
};

static struct order *order;

static void send(struct order *o, unsigned group)
{
    const struct sim_page_request r =
        request_of(o->rig, 0, group > 2 ? 2 : 1, BASE + group * RIG_PAGE,
                   (uint16_t)group, true);

    o->sent[group] = sim_page_request(o->rig->m, &r) == SIM_NOT_STOPPED;
    o->early[group] = !drained;
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

    assert_int_equal(pthread_create(&id, NULL, handle, o), 0);
    assert_int_equal(pthread_join(id, NULL), 0);
}

static bool may_send(const struct order *o)
{
    return o->next < SENDS && o->at[o->next] <= o->now &&
           (!o->call->silent || o->turn[o->next] > 2 || !drained);
}

static void act(struct order *o)
{
    while (may_send(o)) {
        send(o, o->turn[o->next]);
        if (++o->next == o->handler)
            o->due = true;
    }
    if (o->now++ == o->handler_at)
        o->due = true;
    if (!o->due || atomic_load(&spins) > 0)
        return;
    o->due = false;
    handlers_run(o);
}

/* Others come here too, from inside. */
static void see_instant(void)
{
    if (order->inside)
        return;
    order->inside = true;
    act(order);
    order->inside = false;
}

/* Stores, and what is an instant already. */
static void look(void *ctx)
{
    (void)ctx;
    if (uim_store_hooked())
        see_instant();
}

/* ---- calls ------------------------------------------------------------------------------- */

/* And the number is used again. */
static void destroy(struct order *o)
{
    rig_ok(uiommu_pasid_destroy(o->one, true));
}

static void change(struct order *o)
{
    rig_ok(uiommu_set_domain(o->one, o->new.d, NULL));
}

static void begin_reset(struct order *o)
{
    rig_ok(uiommu_device_reset_begin(o->rig->device[rig_engine(o->rig, 0)]));
}

enum { DESTROY, CHANGE, RESET, CALLS };

static const struct call calls[CALLS] = {
    [DESTROY] = { .name = "destroyed",
                  .run = destroy,
                  .silent = true,
                  .least = 30000 },
    [CHANGE] = { .name = "moved", .run = change, .pairs = true, .least = 5000 },
    [RESET] = { .name = "reset",
                .run = begin_reset,
                .both = true,
                .pairs = true,
                .least = 10000 },
};

static void go_on(struct order *o)
{
    if (o->call == &calls[DESTROY]) {
        o->one = pasid(o->rig, 0);
        assert_int_equal(uiommu_endpoint_pasid(o->one), 1);
        see(o->one, o->new.d);
    } else if (o->call == &calls[RESET]) {
        rig_ok(uiommu_device_reset_end(o->rig->device[rig_engine(o->rig, 0)],
                                       true));
    }
}

/* ---- what has to be so ------------------------------------------------------------------- */

static void fail_order(const struct order *o, const char *what, unsigned group)
{
    fail_msg("%s: %s: group %u %s: sent %u%u%u%u at %u %u %u %u, handlers "
             "after %u, at %u",
             o->rig->name, o->call->name, group, what, o->turn[0], o->turn[1],
             o->turn[2], o->turn[3], o->at[0], o->at[1], o->at[2], o->at[3],
             o->handler, o->handler_at);
}

/* Each that was sent has one answer, and who goes on got its pages. */
static void check_answers(struct order *o)
{
    unsigned seen[GROUPS] = { 0 }, n = answers(o->rig, 0);

    for (unsigned i = o->answered; i < n; i++) {
        const struct sim_page_response r =
            sim_page_response_at(o->rig->m, rig_engine(o->rig, 0), i);

        assert_true(r.expected && r.group < GROUPS);
        seen[r.group]++;
        if (r.code > (r.group > 2 && !o->call->both ? SIM_PAGE_SUCCESS
                                                    : SIM_PAGE_INVALID))
            fail_order(o, "has the wrong answer", r.group);
    }
    o->answered = n;
    for (unsigned group = 1; group < GROUPS; group++)
        if (seen[group] != o->sent[group])
            fail_order(o, "has no answer, or more", group);
    if (sim_page_groups(o->rig->m, rig_engine(o->rig, 0)) > 0)
        fail_order(o, "or another is open", 0);
}

static bool was_asked(const struct pager *p, unsigned group)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->asked[i].iova == BASE + group * RIG_PAGE)
            return true;
    return false;
}

/* Who asked for the old memory is not served from the next. */
static void check_handlers(const struct order *o)
{
    for (unsigned group = 1; group < 3; group++) {
        if (was_asked(&o->other, group) ||
            (was_asked(&o->new, group) && o->early[group]))
            fail_order(o, "went to the wrong handler", group);
        if (was_asked(&o->old, group + 2) || was_asked(&o->new, group + 2))
            fail_order(o, "went to the wrong handler", group + 2);
    }
}

static void forget(struct pager *p)
{
    if (p->groups > 0)
        rig_ok(uiommu_unmap(p->d, BASE, MIB(2), NULL));
    p->groups = p->n = 0;
}

/* It may ask anew, with a number that it had before. */
static void ask_anew(struct order *o)
{
    struct pager *p = o->call == &calls[RESET] ? &o->old : &o->new;
    const enum uiommu_response usual = p->response;

    forget(p);
    p->response = UIOMMU_RESPONSE_SUCCESS;
    memset(o->sent, 0, sizeof(o->sent));
    send(o, 1);
    collect_and_serve(o->rig);
    assert_int_equal(p->groups, 1);
    p->response = usual;
    check_answers(o);
}

static void run_order(struct order *o)
{
    struct rig *rig = o->rig;

    o->runs++;
    o->now = o->next = 0;
    o->due = drained = false;
    memset(o->sent, 0, sizeof(o->sent));
    act(o);
    at_instant = see_instant;
    rig_watch(rig, look, NULL);
    o->call->run(o);
    rig_watch(rig, NULL, NULL);
    at_instant = NULL;
    /* Before the call had told the unit: later there may be none. */
    rig_expect_stale(rig, sim_stale_count(rig->m));
    go_on(o);
    collect_and_serve(rig);
    check_answers(o);
    check_handlers(o);
    ask_anew(o);
    forget(&o->old);
    forget(&o->new);
    forget(&o->other);
    if (o->call != &calls[RESET])
        see(o->one, o->old.d);
}

/* ---- all orders ------------------------------------------------------------------------------ */

/* The next one in which some request comes `step` instants later: the last of those that were
 * sent, as the one after it would not be before the call ends. False: that was all. */
static bool next_order(struct order *o, unsigned step)
{
    unsigned i = o->next;

    if (i == 0)
        return false;
    if (o->call->pairs && o->turn[i - 1] == 4)
        i--;
    o->at[i - 1] += step;
    for (; i < SENDS; i++)
        o->at[i] = o->at[i - 1];
    return true;
}

static void start_over(struct order *o, const uint8_t *turn)
{
    memset(o->at, 0, sizeof(o->at));
    o->turn = turn;
    o->handler = 0;
    o->handler_at = NEVER;
}

/* Handlers at none of the instants, or, where a number is used again, once so many were
 * sent. */
static void all_sends(struct order *o, unsigned step)
{
    const unsigned n = o->call->pairs ? TURNS_OF_PAIRS : TURNS;
    const unsigned most = o->call->pairs ? 0 : SENDS;

    for (unsigned i = 0; i < n; i++)
        for (unsigned handler = 0; handler <= most; handler++) {
            start_over(o, turns[i]);
            o->handler = handler;
            do
                run_order(o);
            while (next_order(o, step));
        }
}

/* Handlers at each instant, while PASID 1 asked before and PASID 2 at each before it. */
static void all_handlers(struct order *o, unsigned step)
{
    locks_are_instants = true;
    start_over(o, turns[0]);
    do {
        o->at[3] = o->at[2];
        o->handler_at = o->at[2];
        do {
            run_order(o);
            o->handler_at += step;
        } while (o->handler_at < o->now);
        o->at[2] += step;
    } while (o->at[2] < o->now);
    locks_are_instants = false;
}

/* Elsewhere than on plain machines, every so many instants; and so where others wait. */
enum { FEW = 5 };

static unsigned step_of(struct order *o)
{
    const struct sim_config *c = &o->rig->config;

    start_over(o, turns[0]);
    run_order(o);
    assert_true(o->now > 10);
    return uim_store_hooked() || share() > 1 || c->adversarial ||
                   c->non_coherent
               ? 1 + o->now / FEW
               : 1;
}

static void explore(struct order *o)
{
    unsigned step;

    o->runs = 0;
    step = step_of(o);
    all_sends(o, step);
    o->old.response = UIOMMU_RESPONSE_LATER;
    all_handlers(o, step);
    o->old.response = UIOMMU_RESPONSE_SUCCESS;
    all_handlers(o, step);
    printf("%s: %s: %lu orders%s\n", o->rig->name, o->call->name, o->runs,
           step > 1 ? ", some of them" : "");
    assert_true(step > 1 || o->runs >= o->call->least);
}

static void no_answer_is_lost_and_none_is_for_the_next(struct rig *rig)
{
    struct order o = { .rig = rig };

    open_pager(rig, &o.old, 0);
    open_pager(rig, &o.new, 0);
    open_pager(rig, &o.other, 0);
    o.one = free_pasid(rig, 0);
    o.two = pasid(rig, 0);
    see(o.one, o.old.d);
    see(o.two, o.other.d);
    order = &o;
    watch(rig);
    for (unsigned i = 0; i < CALLS; i++) {
        o.call = &calls[i];
        explore(&o);
    }
    watch_no_more(rig);
    rig_ok(uiommu_pasid_destroy(o.one, true));
    rig_ok(uiommu_pasid_destroy(o.two, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(o.old.d);
    uiommu_domain_put(o.new.d);
    uiommu_domain_put(o.other.d);
}

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
    do {
        set(rig, 0, p.d);
        asked = move_beside(&b, uiommu_blocked(rig->u));
        (void)machine_run(rig->m);
        uiommu_serve(rig->u);
        if (asked && other.groups != 1)
            fail_msg("%s: lost at instant %u", rig->name, b.instant);
        forget(&other);
        b.instant++;
    } while (asked);
    assert_true(b.instant > 10);
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
    { .name = "no_handler_is_left_behind",
      .run = no_handler_is_left_behind,
      .prepare = with_requests,
      .once = "another thread calls inside" },
    { .name = "no_answer_is_lost_and_none_is_for_the_next",
      .run = no_answer_is_lost_and_none_is_for_the_next,
      .prepare = with_pasid_requests,
      .once = "another thread calls inside" },
    { .name = "an_interrupt_beside_a_drain_is_not_lost",
      .run = an_interrupt_beside_a_drain_is_not_lost,
      .prepare = with_prompt_requests,
      .once = "another thread calls inside" },
    { .name = "a_queue_gets_what_came_meanwhile",
      .run = a_queue_gets_what_came_meanwhile,
      .prepare = with_prompt_requests,
      .once = "another thread calls inside" },
    { .name = "a_queue_that_is_closed_gets_nothing",
      .run = a_queue_that_is_closed_gets_nothing,
      .prepare = with_prompt_requests,
      .once = "another thread calls inside" },
    { 0 },
};

int main(void)
{
    return rig_run("page requests that drain", tests);
}
