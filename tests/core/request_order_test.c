/* SPDX-License-Identifier: MIT */
/*
 * request_order_test.c - two PASIDs of a device ask for two pages each while a call drains
 * the first: all orders of these four requests and of what the call does; and handlers
 * (semantics B.17, D-20, D-21).
 */
#include "tests/core/instants.h"
#include "tests/hook/hook.h"
#include "fuzz/share.h"

#include <pthread.h>

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

static const struct rig_test tests[] = {
    { .name = "no_answer_is_lost_and_none_is_for_the_next",
      .run = no_answer_is_lost_and_none_is_for_the_next,
      .prepare = with_pasid_requests,
      .once = "the host call that fails may be another thread's" },
    { 0 },
};

int main(void)
{
    return rig_run("all orders of page requests and a drain", tests);
}
