/* SPDX-License-Identifier: MIT */
/*
 * devices.c - programs about devices that ask for pages, are shut off for their faults,
 * and send interrupt messages.
 */
#include "tests/core/doorbells.h"
#include "tests/core/requests.h"
#include "tests/interleave/programs.h"

#include <uiommu/mode.h>

enum { GROUP = 7 };

/* What programs have beside their trial; before() makes it, after() ends it. */
static struct scene {
    struct trial *t;
    struct uiommu_domain *asks, *next; /* handlers: hear, hear_next           */
    struct uiommu_domain *others;      /* of PASID 2: hear_other              */
    struct uiommu_endpoint *other;
    struct uiommu_endpoint *ep;
    unsigned answered;     /* before                                          */
    _Atomic unsigned asked, late; /* groups; those while the endpoint moved   */
    _Atomic bool moves;            /* from here on the next may be asked      */
    _Atomic unsigned strangers;    /* groups that hear_next() had             */
    _Atomic unsigned storms;
    uint64_t addr;
    _Atomic bool started;
} s;

static void begin(struct trial *t)
{
    memset(&s, 0, sizeof(s));
    s.t = t;
}

/* ---- page requests ----------------------------------------------------------- */

/* Nobody hears of what was asked of a domain that was given up. */
static enum uiommu_response hear(void *ctx,
                                 const struct uiommu_request_group *group)
{
    struct scene *scene = ctx;
    struct uiommu_trace trace;

    (void)group;
    if (atomic_load(&scene->t->gone))
        say(scene->t, "a handler heard of a group after the domain was left");
    (void)!uiommu_walk(scene->t->d, scene->t->base, &trace); /* takes a while */
    if (atomic_load(&scene->t->gone))
        say(scene->t, "the domain was left while a handler was at work");
    return UIOMMU_RESPONSE_SUCCESS;
}

static enum uiommu_response hear_next(void *ctx,
                                      const struct uiommu_request_group *group)
{
    struct scene *scene = ctx;

    (void)group;
    atomic_fetch_add(&scene->strangers, 1);
    return UIOMMU_RESPONSE_SUCCESS;
}

static enum uiommu_response hear_other(void *ctx,
                                       const struct uiommu_request_group *group)
{
    const struct scene *scene = ctx;

    if (group->endpoint != scene->other)
        say(scene->t, "a group of a PASID went to another");
    return UIOMMU_RESPONSE_SUCCESS;
}

static struct uiommu_domain *pager(struct trial *t, uiommu_request_fn fn)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .on_request = fn,
                                                 .request_ctx = &s };
    struct uiommu_domain *d = NULL;

    expect_ok(t, uiommu_domain_create(rig_endpoint(t->rig, 0), &config, &d),
              "domain_create");
    return d;
}

static void asking(struct trial *t)
{
    begin(t);
    s.asks = pager(t, hear);
    s.next = pager(t, hear_next);
    s.answered = answers(t->rig, 0);
    sees(t, rig_endpoint(t->rig, 0), s.asks);
}

static void asking_with_a_pasid(struct trial *t)
{
    begin(t);
    s.asks = pager(t, hear);
    s.next = pager(t, hear_next);
    s.answered = answers(t->rig, 0);
    sees(t, rig_endpoint(t->rig, 0), uiommu_identity(t->rig->u));
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), NULL, &s.ep),
              "pasid_create");
    sees(t, s.ep, s.asks);
    s.others = pager(t, hear_other);
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), NULL, &s.other),
              "pasid_create");
    sees(t, s.other, s.others);
}

static void ask_with(struct trial *t, uint32_t pasid, uint16_t group)
{
    const struct sim_page_request r =
        request_of(t->rig, 0, pasid, t->base + AT, group, true);

    if (sim_page_request(t->rig->m, &r) != SIM_NOT_STOPPED)
        return;
    atomic_fetch_add(&s.asked, 1);
    if (atomic_load(&s.moves) && pasid != 2)
        atomic_fetch_add(&s.late, 1);
}

static void device_asks(void *ctx)
{
    ask_with(ctx, UIOMMU_NO_PASID, GROUP);
}

/* Of two PASIDs, the first of which ends. */
static void device_asks_for_both(void *ctx)
{
    for (unsigned i = 0; i < 4; i++)
        ask_with(ctx, 1 + i % 2, (uint16_t)(GROUP + i));
}

static void handlers(void *ctx)
{
    struct trial *t = ctx;

    for (unsigned i = 0; i < 2; i++) {
        (void)uiommu_poll(t->rig->u);
        uiommu_serve(t->rig->u);
    }
}

static void sees_nothing(void *ctx)
{
    struct trial *t = ctx;

    leave(t, 0);
    atomic_store(&t->gone, true);
}

/* BUSY: the device has not heard all its answers, and may not begin again. */
static bool asks_the_next(struct trial *t, struct uiommu_endpoint *ep)
{
    enum uiommu_status status;

    atomic_store(&s.moves, true);
    status = uiommu_set_domain(ep, s.next, NULL);
    if (status != UIOMMU_BUSY)
        expect_ok(t, status, "set_domain");
    return status == UIOMMU_OK;
}

static void sees_the_next(void *ctx)
{
    struct trial *t = ctx;

    if (asks_the_next(t, rig_endpoint(t->rig, 0)))
        atomic_store(&t->gone, true);
}

/* Its number is somebody else's at once. */
static void ends_and_is_used_again(void *ctx)
{
    const struct uiommu_pasid_config one = { .size = sizeof(one),
                                             .first = 1,
                                             .last = 1 };
    struct trial *t = ctx;

    atomic_store(&s.moves, true);
    expect_ok(t, uiommu_pasid_destroy(s.ep, true), "pasid_destroy");
    atomic_store(&t->gone, true);
    s.ep = NULL;
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), &one, &s.ep),
              "pasid_create");
    if (s.ep)
        (void)asks_the_next(t, s.ep);
}

/* Each group has one answer, and none of the old was heard by the next. */
static void answered_once(struct trial *t)
{
    unsigned n;

    for (unsigned i = 0; i < 2; i++)
        collect_and_serve(t->rig);
    n = answers(t->rig, 0) - s.answered;
    if (n != atomic_load(&s.asked))
        say(t, "%u groups, %u answers", atomic_load(&s.asked), n);
    if (atomic_load(&s.strangers) > atomic_load(&s.late))
        say(t, "somebody heard what was asked of another domain");
    for (unsigned i = s.answered; i < s.answered + n; i++)
        if (!sim_page_response_at(t->rig->m, rig_engine(t->rig, 0), i).expected)
            say(t, "an answer that nobody waits for");
    if (s.ep)
        expect_ok(t, uiommu_pasid_destroy(s.ep, true), "pasid_destroy");
    if (s.other) {
        expect_ok(t, uiommu_pasid_destroy(s.other, true), "pasid_destroy");
        uiommu_domain_put(s.others);
    }
    leave(t, 0);
    uiommu_domain_put(s.asks);
    uiommu_domain_put(s.next);
}

/* ---- storms ------------------------------------------------------------------ */

static bool hear_of_storm(void *ctx, const struct uiommu_fault *fault)
{
    struct scene *scene = ctx;

    if (fault->kind == UIOMMU_FAULT_STORM)
        atomic_fetch_add(&scene->storms, 1);
    return true;
}

/* As if the unit had told of it. */
static void one_more_fault(void *ctx)
{
    struct trial *t = ctx;
    const struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);
    struct uiommu_fault f = {
        .driver = rig_arch(t->rig)->driver->name,
        .id = ep->id,
        .pasid = UIOMMU_NO_PASID,
        .access = UIOMMU_WRITE,
    };

    uim_fault(ep->unit, &f);
}

/* The next one is too many. */
static void close_to_it(struct trial *t)
{
    begin(t);
    page_in(t, t->d, 0);
    page_in(t, t->e, 0);
    expect_ok(t, uiommu_device_rearm(t->rig->device[rig_engine(t->rig, 0)]),
              "rearm");
    uiommu_fault_handler(t->d, hear_of_storm, &s);
    uiommu_fault_handler(t->e, hear_of_storm, &s);
    one_more_fault(t);
}

static void armed_again(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_device_rearm(t->rig->device[rig_engine(t->rig, 0)]),
              "rearm");
}

static void sees_e(void *ctx)
{
    struct trial *t = ctx;

    sees(t, rig_endpoint(t->rig, 0), t->e);
}

/* What is said of it is so; and it is told once. */
static void mute_or_not(struct trial *t)
{
    struct uiommu_mode mode;
    const unsigned storms = atomic_load(&s.storms);

    uiommu_fault_handler(t->d, NULL, NULL);
    uiommu_fault_handler(t->e, NULL, NULL);
    expect_ok(t, uiommu_effective_mode(rig_endpoint(t->rig, 0), &mode), "mode");
    if (mode.muted == reached(t, 0, UIOMMU_NO_PASID))
        say(t, mode.muted ? "a device that is shut off reaches something"
                          : "a device that is armed reaches nothing");
    if (storms > 1 || (mode.muted && storms != 1))
        say(t, "a storm was told of %u times", storms);
    expect_ok(t, uiommu_device_rearm(t->rig->device[rig_engine(t->rig, 0)]),
              "rearm");
    if (!reached(t, 0, UIOMMU_NO_PASID))
        say(t, "a device that was armed again reaches nothing");
}

/* ---- doorbells ------------------------------------------------------------------ */

static void at_rest(struct trial *t)
{
    begin(t);
    leave(t, 0);
}

static void started(struct trial *t)
{
    at_rest(t);
    expect_ok(t, uiommu_dma_start(rig_endpoint(t->rig, 0), NULL), "dma_start");
}

static void start(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_dma_start(rig_endpoint(t->rig, 0), NULL), "dma_start");
    atomic_store(&s.started, true);
}

static void stop(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_dma_stop(rig_endpoint(t->rig, 0)), "dma_stop");
}

/* In which there is no doorbell yet. */
static void with_a_new_domain(struct trial *t)
{
    at_rest(t);
    s.next = rig_domain(t->rig, 0);
}

static void sees_the_new_one(void *ctx)
{
    struct trial *t = ctx;

    sees(t, rig_endpoint(t->rig, 0), s.next);
}

static enum uiommu_status doorbell_of(struct trial *t, uint64_t *addr)
{
    return uiommu_irq_doorbell(rig_endpoint(t->rig, 0), SIM_TRANSLATER, addr);
}

static void where_to_ring(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, doorbell_of(t, &s.addr), "irq_doorbell");
}

static void expect_arrives(struct trial *t, uint64_t addr, bool does)
{
    if (arrives(t->rig, 0, addr) != does)
        say(t, does ? "a message does not arrive where it was told to go"
                    : "a message of a device that sees nothing arrives");
}

/* Whoever asked first is asked for again; the answer is good then. */
static void rings_when_started(struct trial *t)
{
    uint64_t addr = 0;

    expect_ok(t, doorbell_of(t, &addr), "irq_doorbell");
    expect_arrives(t, addr, true);
    stop(t);
    expect_arrives(t, addr, false);
}

/* What was asked for before is mapped in what it sees later. */
static void rings_in_it(struct trial *t)
{
    expect_arrives(t, s.addr, true);
    leave(t, 0);
    uiommu_domain_put(s.next);
}

static void rings_nowhere(struct trial *t)
{
    uint64_t addr = 0;

    expect_arrives(t, s.addr, false);
    start(t);
    expect_ok(t, doorbell_of(t, &addr), "irq_doorbell");
    expect_arrives(t, addr, true);
    stop(t);
}

/* ---- all of them --------------------------------------------------------------- */

const struct program device_programs[] = {
    { "ask_beside_leave",
      asking,
      { device_asks, sees_nothing, handlers },
      answered_once,
      ON_PASIDS },
    { "ask_beside_set",
      asking,
      { device_asks, sees_the_next, handlers },
      answered_once,
      ON_PASIDS },
    { "ask_beside_reuse_of_a_pasid",
      asking_with_a_pasid,
      { device_asks_for_both, ends_and_is_used_again, handlers },
      answered_once,
      ON_PASIDS },
    { "storm_beside_set",
      close_to_it,
      { one_more_fault, sees_e },
      mute_or_not,
      ON_BUDGET },
    { "storm_beside_rearm_and_set",
      close_to_it,
      { one_more_fault, armed_again, sees_e },
      mute_or_not,
      ON_BUDGET },
    { "start_beside_doorbell",
      at_rest,
      { start, where_to_ring },
      rings_when_started,
      ON_DOORBELLS },
    { "set_beside_doorbell",
      with_a_new_domain,
      { sees_the_new_one, where_to_ring },
      rings_in_it,
      ON_DOORBELLS },
    { "stop_beside_doorbell",
      started,
      { stop, where_to_ring },
      rings_nowhere,
      ON_DOORBELLS },
    { 0 },
};
