/* SPDX-License-Identifier: MIT */
/*
 * mdev_gone_test.c - a parent is pulled out while it waits for pages, in every state that a
 * request can be in (semantics C-SC7, B.17, B.19): whoever has a part of it hears that it is
 * gone, nobody touches it, no handler hears of it, and nothing is left.
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static bool with_both(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_pasid_requests(rig, why);
}

/* ---- a parent with parts, which asks ---------------------------------------------------- */

enum { PARTS = 3 };

static const int owner;

struct scene {
    struct part
        part[PARTS]; /* two that see d, one of them claimed; one that is new */
    struct uiommu_domain *d;
    struct uiommu_endpoint
        *ep; /* a PASID of the parent's driver              */
    struct pager own,
        of_pasid; /* of the parent without a PASID; of ep        */
};

static void raise(struct rig *rig, struct scene *s)
{
    open_pager(rig, &s->own, 0);
    open_pager(rig, &s->of_pasid, 0);
    s->d = mapped(rig, BASE, rig_pages(rig, 0));
    set(rig, 0, s->own.d);
    s->ep = pasid(rig, 0);
    rig_ok(uiommu_set_domain(s->ep, s->of_pasid.d, NULL));
    for (unsigned i = 0; i < PARTS; i++)
        lend(rig, 0, &s->part[i]);
    see(s->part[0].ep, s->d);
    rig_ok(uiommu_claim(s->part[1].ep, &owner));
    rig_ok(uiommu_set_domain(s->part[1].ep, s->d, &owner));
}

/* One is left for later; one is whole, and no handler has it yet; one has not ended; the
 * unit has one of which nobody knows yet. The same without a PASID. */
static void ask_all(struct rig *rig, struct scene *s)
{
    const uint32_t number = uiommu_endpoint_pasid(s->ep);

    s->own.response = s->of_pasid.response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, number, BASE, 1, true);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(s->own.groups + s->of_pasid.groups, 2);
    ask(rig, 0, number, BASE, 3, true);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 4, true);
    ask(rig, 0, number, BASE, 5, false);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 6, false);
    collect(rig);
    ask(rig, 0, number, BASE, 7, true);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 8, true);
}

/* ---- what is done to the device meanwhile ----------------------------------------------- */

static struct {
    struct uiommu_pci where;
    void (*pci_write)(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value);
    unsigned writes;
} touched;

static void count_write(void *ctx, struct uiommu_pci where, unsigned offset,
                        unsigned width, uint32_t value)
{
    if (where.segment == touched.where.segment &&
        where.bus == touched.where.bus && where.devfn == touched.where.devfn)
        touched.writes++;
    touched.pci_write(ctx, where, offset, width, value);
}

/* Nothing is written to it and nothing is sent to its device TLB. */
static void pull_out(struct rig *rig, unsigned n)
{
    const unsigned dev = rig_engine(rig, n);
    struct trace t;

    sim_unplug(rig->m, dev);
    touched.where = rig->m->devices[dev].pci;
    touched.pci_write = rig->u->host.pci_write;
    touched.writes = 0;
    rig->u->host.pci_write = count_write;
    trace_start(rig, &t);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    trace_stop(rig, &t);
    rig->u->host.pci_write = touched.pci_write;
    rig->device[dev] = NULL;
    assert_int_equal(touched.writes, 0);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 0);
}

/* ---- what is left of it ------------------------------------------------------------------- */

static void assert_dead(struct rig *rig, struct uiommu_endpoint *ep,
                        struct uiommu_domain *d)
{
    struct uiommu_domain *e = NULL;
    struct uiommu_mode mode;

    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    rig_is(uiommu_domain_create(ep, NULL, &e), UIOMMU_NODEV);
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_effective_mode(ep, &mode));
    assert_true(mode.quarantined && mode.sees == UIOMMU_DOMAIN_BLOCKED);
}

/* No handler hears of it, late answers are nobody's, and the device gets none. */
static void assert_unasked(struct rig *rig, struct scene *s, unsigned answered)
{
    const unsigned groups = s->own.groups + s->of_pasid.groups;

    rig_is(
        uiommu_page_respond(s->ep, s->of_pasid.cookie, UIOMMU_RESPONSE_SUCCESS),
        UIOMMU_NOENT);
    sim_advance(rig->m, 2 * rig->setup.request_limit_ns);
    collect_and_serve(rig);
    assert_int_equal(s->own.groups + s->of_pasid.groups, groups);
    assert_int_equal(answers(rig, 0), answered);
}

static void bury(struct scene *s)
{
    rig_is(uiommu_mdev_unregister(s->part[1].ep), UIOMMU_BUSY);
    rig_ok(uiommu_release(s->part[1].ep, &owner));
    for (unsigned i = 0; i < PARTS; i++)
        take_home(&s->part[i]);
    rig_ok(uiommu_pasid_destroy(s->ep, true));
    uiommu_domain_put(
        s->d); /* nobody sees them: that they are gone is looked at */
    uiommu_domain_put(s->own.d);
    uiommu_domain_put(s->of_pasid.d);
}

static void c_sc7_a_parent_that_waits_for_pages_is_pulled_out(struct rig *rig)
{
    struct scene s;
    unsigned answered;
    uint64_t before;

    raise(rig, &s);
    ask_all(rig, &s);
    answered = answers(rig, 0);
    before = now_ns(rig);
    pull_out(rig, 0);
    assert_true(now_ns(rig) - before < 1000 * 1000);
    for (unsigned i = 0; i < PARTS; i += 2)
        assert_dead(rig, s.part[i].ep, s.d);
    rig_is(uiommu_set_domain(s.part[1].ep, s.d, &owner), UIOMMU_NODEV);
    assert_dead(rig, s.ep, s.of_pasid.d);
    assert_int_equal(s.part[0].clears + s.part[1].clears, 2);
    assert_unasked(rig, &s, answered);
    bury(&s);
}

/* Who comes to its place asks with the same numbers, and hears no answer to what the other
 * had asked for. */
static void c_sc7_who_comes_to_its_place_asks_anew(struct rig *rig)
{
    struct scene s;
    struct pager next;
    struct uiommu_endpoint *ep;
    unsigned before;

    raise(rig, &s);
    ask_all(rig, &s);
    pull_out(rig, 0);
    if (rig->config.adversarial) /* nothing is on its way for so long */
        (void)machine_run(rig->m);
    assert_true(sim_plug(rig->m, rig_engine(rig, 0)));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    open_pager(rig, &next, 0);
    ep = free_pasid(rig, 0);
    rig_ok(uiommu_set_domain(ep, next.d, NULL));
    before = answers(rig, 0);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), before);
    ask(rig, 0, uiommu_endpoint_pasid(ep), BASE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(next.groups, 1);
    assert_ptr_equal(next.endpoint, ep);
    is_answer(rig, 0, before, 1, SIM_PAGE_SUCCESS);
    rig_is(
        uiommu_page_respond(s.ep, s.of_pasid.cookie, UIOMMU_RESPONSE_SUCCESS),
        UIOMMU_NOENT);
    assert_int_equal(answers(rig, 0), before + 1);
    bury(&s);
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(next.d);
}

/* ---- a handler is at work ---------------------------------------------------------------- */

static struct {
    void (*relax)(void *ctx);
    _Atomic bool inside, goes_on, ended;
} handler;

/* Somebody waits: for the handler. */
static void let_go_on(void *ctx)
{
    atomic_store(&handler.goes_on, true);
    handler.relax(ctx);
}

static void take_long(struct pager *p)
{
    (void)p;
    atomic_store(&handler.inside, true);
    while (!atomic_load(&handler.goes_on))
        sched_yield();
    atomic_store(&handler.ended, true);
}

static void *serve(void *u)
{
    uiommu_serve(u);
    return NULL;
}

/* Whose domain it is may be freed afterwards. */
static void c_sc7_a_handler_at_work_is_waited_for(struct rig *rig)
{
    struct scene s;
    unsigned answered;
    pthread_t thread;

    raise(rig, &s);
    memset(&handler, 0, sizeof(handler));
    s.of_pasid.inside = take_long;
    s.of_pasid.response = UIOMMU_RESPONSE_INVALID;
    ask(rig, 0, uiommu_endpoint_pasid(s.ep), BASE, 1, true);
    collect(rig);
    answered = answers(rig, 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, rig->u), 0);
    while (!atomic_load(&handler.inside))
        sched_yield();
    handler.relax = rig->u->host.relax;
    rig->u->host.relax = let_go_on;
    pull_out(rig, 0);
    rig->u->host.relax = handler.relax;
    assert_true(atomic_load(&handler.ended));
    pthread_join(thread, NULL);
    assert_unasked(rig, &s, answered);
    bury(&s);
}

/* ATS of a device may have to pause while it moves without a PASID (SMMUv3): so does asking,
 * and then both go on. */
static void a_device_moves_while_a_pasid_of_it_asks(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0), *e = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, d);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    assert_true(may_ask(rig, 0));
    set(rig, 0, e);
    assert_true(may_ask(rig, 0));
    ask(rig, 0, uiommu_endpoint_pasid(ep), BASE, 1, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
    uiommu_domain_put(p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_device_moves_while_a_pasid_of_it_asks, with_both),
    RIG_TEST_ON(c_sc7_a_parent_that_waits_for_pages_is_pulled_out, with_both),
    RIG_TEST_ON(c_sc7_who_comes_to_its_place_asks_anew, with_both),
    RIG_TEST_ON(c_sc7_a_handler_at_work_is_waited_for, with_both),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_gone", tests);
}
