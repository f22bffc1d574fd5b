/* SPDX-License-Identifier: MIT */
/*
 * request_order_test.c - two PASIDs of a device ask for two pages each while a call drains
 * the first: all orders of these four requests and of what the call does; and handlers
 * (semantics B.17, D-05, D-20, D-21).
 *
 * Exhaustive, on one machine of each kind of unit: where the four requests come among the
 * instants (instants.h) of a call that destroys PASID 1 and of those that give its number
 * out again and let it see another domain; each with handlers after none to four of them,
 * which answer at once or later; and again with both requests of a PASID in one group. So
 * is where they come in a change of the domain and in the begin of a reset, there with those
 * of PASID 2 at one instant. Handlers at each instant, that before a lock included, meet
 * PASID 1 when it has asked before the call, and PASID 2 at each instant up to theirs.
 *
 * Not exhaustive: other machines, programs that see stores, and shares take every so many
 * instants. First-stage tables are other tables; what is asked, and how a drain goes on, is
 * what it is with the second stage. Nor are handlers beside a call: here they are one
 * instant. What they do with what they took from the queue is guarded by locks that the call
 * takes too, or done once they own a group, and for such the call only waits; so other orders
 * are those of locks, which schedule_devices_test takes one by one (ask_beside_leave,
 * ask_beside_set, ask_beside_reuse_of_a_pasid) and request_thread_test by chance.
 */
#include "tests/core/instants.h"
#include "tests/hook/hook.h"
#include "fuzz/share.h"

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
    bool moves;  /* to a handler that is asked once more                     */
    unsigned long least; /* orders                                           */
};

struct order {
    struct rig *rig;
    const struct call *call;
    const uint8_t *turn;
    unsigned at[SENDS];   /* instants, never less than the one before; 0 is
                           * before the call                                 */
    bool halves;          /* each PASID asks once, for two pages             */
    unsigned handler;     /* handlers run after so many were sent            */
    unsigned handler_at;  /* or at this instant                              */
    unsigned now, next;
    bool inside, due;
    unsigned answered;
    bool sent[GROUPS];
    bool early[GROUPS];   /* before the unit had done what it is asked to    */
    bool drained[GROUPS]; /* before the drain had returned                   */
    struct uiommu_endpoint *one, *two;
    struct pager old, new, other;
    unsigned long runs;
};

static struct order *order;

/* Requests have the numbers of groups; as halves, 2 ends group 1 and 4 ends group 3. */
static unsigned group_of(const struct order *o, unsigned n)
{
    return o->halves ? (n - 1) / 2 * 2 + 1 : n;
}

static bool is_last(const struct order *o, unsigned n)
{
    return !o->halves || n % 2 == 0;
}

static void send(struct order *o, unsigned n, bool last)
{
    const struct sim_page_request r =
        request_of(o->rig, 0, n > 2 ? 2 : 1, BASE + n * RIG_PAGE,
                   (uint16_t)group_of(o, n), last);

    o->sent[n] = sim_page_request(o->rig->m, &r) == SIM_NOT_STOPPED;
    o->early[n] = !drained;
    o->drained[n] = !drained || drains;
}

static bool may_send(const struct order *o)
{
    return o->next < SENDS && o->at[o->next] <= o->now &&
           (!o->call->silent || o->turn[o->next] > 2 || !drained);
}

static void act(struct order *o)
{
    while (may_send(o)) {
        const unsigned n = o->turn[o->next];

        send(o, n, is_last(o, n));
        if (++o->next == o->handler)
            o->due = true;
    }
    if (o->now++ == o->handler_at)
        o->due = true;
    if (!o->due || atomic_load(&spins) > 0)
        return;
    o->due = false;
    collect_and_serve(o->rig);
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
                  .least = 100000 },
    [CHANGE] = { .name = "moved",
                 .run = change,
                 .pairs = true,
                 .moves = true,
                 .least = 5000 },
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

static bool was_asked(const struct pager *p, unsigned n)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->asked[i].iova == BASE + n * RIG_PAGE)
            return true;
    return false;
}

/* By somebody who says yes. */
static bool is_served(const struct order *o, unsigned n)
{
    const bool old_says_yes = o->old.response == UIOMMU_RESPONSE_SUCCESS;

    if (n > 2)
        return was_asked(&o->other, n);
    return was_asked(&o->new, n) || (old_says_yes && was_asked(&o->old, n));
}

/* Nobody is to hear of it: it asks once more. */
static bool may_be_unheard(const struct order *o, unsigned n)
{
    return o->call->both || (o->call->moves && n < 3 && o->drained[n]);
}

/* The answer to the group says yes. */
static void check_served(const struct order *o, unsigned group)
{
    for (unsigned n = 1; n < GROUPS; n++)
        if (group_of(o, n) == group && o->sent[n] && !may_be_unheard(o, n) &&
            !is_served(o, n))
            fail_order(o, "is answered, and nobody heard of it", n);
}

static unsigned open_in_device(const struct order *o)
{
    return o->halves && o->sent[1] && !o->sent[2] ? 1 : 0;
}

/* Each that was sent has one answer: who goes on got its pages, and nobody is told that it
 * has what it has not. */
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
        if (r.code == SIM_PAGE_SUCCESS)
            check_served(o, r.group);
    }
    o->answered = n;
    for (unsigned i = 1; i < GROUPS; i++)
        if (is_last(o, i) && seen[group_of(o, i)] != o->sent[i])
            fail_order(o, "has no answer, or more", i);
    if (sim_page_groups(o->rig->m, rig_engine(o->rig, 0)) != open_in_device(o))
        fail_order(o, "or another is open", 0);
}

/* Who asked for the old memory is not served from the next. */
static void check_handlers(const struct order *o)
{
    for (unsigned n = 1; n < 3; n++) {
        if (was_asked(&o->other, n) || (was_asked(&o->new, n) && o->early[n]))
            fail_order(o, "went to the wrong handler", n);
        if (was_asked(&o->old, n + 2) || was_asked(&o->new, n + 2))
            fail_order(o, "went to the wrong handler", n + 2);
    }
}

/* Whoever was asked before answers first, and is late: it is for nothing that is open. */
static void answer_late(struct order *o, const struct pager *p, uint64_t before)
{
    assert_int_equal(
        uiommu_page_respond(o->one, before, UIOMMU_RESPONSE_SUCCESS),
        UIOMMU_NOENT);
    rig_ok(uiommu_page_respond(o->one, p->cookie, UIOMMU_RESPONSE_SUCCESS));
}

/* It may ask anew, with a number that it had before: for this page alone, whatever of that
 * number was on its way. */
static void ask_anew(struct order *o)
{
    struct pager *p = o->call == &calls[RESET] ? &o->old : &o->new;
    const enum uiommu_response usual = p->response;
    const bool halves = o->halves, late = o->old.groups > 0;
    const uint64_t before = o->old.cookie;

    forget(p);
    p->response = late ? UIOMMU_RESPONSE_LATER : UIOMMU_RESPONSE_SUCCESS;
    memset(o->sent, 0, sizeof(o->sent));
    o->halves = false;
    send(o, 1, true);
    collect_and_serve(o->rig);
    assert_int_equal(p->groups, 1);
    assert_int_equal(p->n, 1);
    if (late)
        answer_late(o, p, before);
    check_answers(o);
    p->response = usual;
    o->halves = halves;
}

/* Once the call returned. */
static void check_order(struct order *o)
{
    if (o->halves && o->sent[3] && !o->sent[4])
        send(o, 4, true);
    collect_and_serve(o->rig);
    check_answers(o);
    check_handlers(o);
    ask_anew(o);
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
    /* Before the call had told the unit: later there may be none. */
    rig_expect_stale(rig, sim_stale_count(rig->m));
    if (o->call != &calls[DESTROY])
        at_instant = NULL;
    go_on(o);
    rig_watch(rig, NULL, NULL);
    at_instant = NULL;
    check_order(o);
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
static void all_sends(struct order *o, unsigned step, unsigned least)
{
    const unsigned n = o->call->pairs ? TURNS_OF_PAIRS : TURNS;
    const unsigned most = o->call->pairs ? 0 : SENDS;

    for (unsigned i = 0; i < n; i++)
        for (unsigned handler = least; handler <= most; handler++) {
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

/* Elsewhere than on plain machines, every so many instants; and so where others wait. Neither
 * the stage of tables nor how interrupts are remapped is seen in what is asked. */
enum { FEW = 5 };

static unsigned step_of(struct order *o)
{
    const struct sim_config *c = &o->rig->config;
    const bool again = c->mode == SIM_FIRST_STAGE ||
                       (o->rig->setup.flags & UIOMMU_CONFIG_REMAP_INTERRUPTS);

    start_over(o, turns[0]);
    run_order(o);
    assert_true(o->now > 10);
    return uim_store_hooked() || share() > 1 || c->adversarial ||
                   c->non_coherent || again
               ? 1 + o->now / FEW
               : 1;
}

static void explore(struct order *o)
{
    unsigned step;

    o->runs = 0;
    step = step_of(o);
    all_sends(o, step, 0);
    all_handlers(o, step);
    o->old.response = UIOMMU_RESPONSE_LATER;
    all_sends(o, step, 1);
    all_handlers(o, step);
    o->old.response = UIOMMU_RESPONSE_SUCCESS;
    o->halves = o->call == &calls[DESTROY];
    if (o->halves)
        all_sends(o, step, 0);
    o->halves = false;
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
