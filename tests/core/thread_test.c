/* SPDX-License-Identifier: MIT */
/*
 * thread_test.c - several threads: maps and unmaps of disjoint ranges, changes
 * of domain, DMA and polling side by side. Threads count what went wrong and
 * never assert. tsan.supp says how to run it under ThreadSanitizer.
 */
#include "tests/core/doorbells.h"
#include "tests/core/handover.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAPPERS = 3, ROUNDS = 40, PAGES = 4 };

struct shared {
    struct rig *rig;
    struct uiommu_domain *d;   /* that mappers work on                        */
    struct uiommu_domain *b;   /* maps nothing                                */
    unsigned dev[2];           /* engines 0 and 1                             */
    unsigned n_dev;            /* those that mappers look through             */
    struct uiommu_endpoint *other; /* engine 1's                              */
    struct uiommu_domain *ring[ROUNDS]; /* for messages of both              */
    uint64_t phys[MAPPERS];
    _Atomic bool stop;
    _Atomic unsigned failed, missed, stayed, found;
    _Atomic unsigned status; /* of the last call that failed                */
};

struct thread {
    struct shared *s;
    unsigned index;
    pthread_t id;
};

static bool succeeds(struct shared *s, enum uiommu_status status)
{
    if (status == UIOMMU_OK)
        return true;
    s->status = status;
    s->failed++;
    return false;
}

static bool reaches(struct shared *s, unsigned dev, uint64_t iova)
{
    uint64_t value = iova;

    return machine_dma(s->rig->m, dev, true, iova, &value, sizeof(value)) ==
           MACHINE_DMA_DONE;
}

/* ---- what threads do ----------------------------------------------------- */

static void map_one_round(struct shared *s, uint64_t iova, uint64_t phys,
                          uint64_t size)
{
    (void)succeeds(s, uiommu_map(s->d, iova, phys, size, RIG_RW));
    if (!reaches(s, s->dev[0], iova) ||
        !reaches(s, s->dev[0], iova + size - RIG_PAGE))
        s->missed++;
    for (unsigned i = 1; i < s->n_dev; i++)
        (void)reaches(s, s->dev[i], iova);
    (void)succeeds(s, uiommu_unmap(s->d, iova, size, NULL));
    for (unsigned i = 0; i < s->n_dev; i++)
        if (reaches(s, s->dev[i], iova) ||
            reaches(s, s->dev[i], iova + size - RIG_PAGE))
            s->stayed++;
}

/* Ranges of different mappers share tables, and are never the same. */
static void *mapper(void *ctx)
{
    struct thread *t = ctx;
    uint64_t seed = t->index + 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t size = (1 + pick(&seed, PAGES)) * (uint64_t)RIG_PAGE;
        uint64_t slot = pick(&seed, 600) * MAPPERS + t->index;

        map_one_round(t->s, BASE + slot * PAGES * RIG_PAGE,
                      t->s->phys[t->index], size);
    }
    return NULL;
}

static void *dma(void *ctx)
{
    struct thread *t = ctx;
    uint64_t seed = 0xd3a;

    while (!t->s->stop)
        (void)reaches(t->s, t->s->dev[t->index],
                      BASE + (uint64_t)pick(&seed, 600 * MAPPERS * PAGES) *
                                 RIG_PAGE);
    return NULL;
}

static void *poller(void *ctx)
{
    struct thread *t = ctx;

    while (!t->s->stop)
        uiommu_poll(t->s->rig->u);
    return NULL;
}

static void count_finding(void *ctx, const struct uiommu_audit *row)
{
    struct shared *s = ctx;

    s->found += uiommu_audit_is_finding(row->kind);
}

/* Whatever the others are doing, everybody is confined. */
static void *auditor(void *ctx)
{
    struct thread *t = ctx;

    while (!t->s->stop)
        (void)succeeds(t->s, uiommu_audit(t->s->rig->u, count_finding, t->s));
    return NULL;
}

/* Engine 1 sees the mappers' domain, another, nothing, and so on. */
static void *changer(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    struct uiommu_domain *next[] = { s->d, s->b, s->d,
                                     uiommu_blocked(s->rig->u) };

    for (unsigned i = 0; !s->stop; i++)
        (void)succeeds(s, uiommu_set_domain(s->other, next[i % 4], NULL));
    return NULL;
}

/* ---- together ------------------------------------------------------------ */

static bool on_fault_quiet(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    return true;
}

static bool quiet(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.on_fault = on_fault_quiet;
    return true;
}

static bool quiet_with_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return quiet(rig, why);
}

static void shared_open(struct rig *rig, struct shared *s)
{
    memset(s, 0, sizeof(*s));
    s->rig = rig;
    s->d = rig_attached(rig, 0);
    s->b = rig_domain(rig, 1);
    s->dev[0] = rig_engine(rig, 0);
    s->dev[1] = rig_engine(rig, 1);
    s->n_dev = 1;
    s->other = rig_endpoint(rig, 1);
    for (unsigned i = 0; i < MAPPERS; i++)
        s->phys[i] = rig_pages(rig, 2);
}

/* DMA that runs beside an unmap may use what is being removed: that is no fault
 * of anybody, and the mappers look for themselves once unmap has returned. */
static void shared_close(struct rig *rig, struct shared *s)
{
    if (s->failed > 0)
        fail_msg("%u calls failed, the last with %s: %s", s->failed,
                 uiommu_status_name((enum uiommu_status)s->status),
                 sim_last_log(rig->m));
    assert_int_equal(s->missed, 0);
    assert_int_equal(s->stayed, 0);
    assert_int_equal(s->found, 0);
    if (sim_violations(rig->m) > 0)
        fail_msg("%s", sim_violation(rig->m, 0));
    sim_forget(rig->m);
    assert_int_equal(unmap_all(s->d), 0);
    set(rig, 1, uiommu_blocked(rig->u));
    uiommu_domain_put(s->b);
    rig_drop(rig, 0, s->d);
}

static void spawn(struct thread *t, struct shared *s, unsigned index,
                  void *(*run)(void *))
{
    t->s = s;
    t->index = index;
    assert_int_equal(pthread_create(&t->id, NULL, run, t), 0);
}

/* Mappers, DMA of engine 0, a poller and audits; with `change`, engine 1 moves
 * about. */
static void run_together(struct rig *rig, bool change)
{
    struct thread workers[MAPPERS], others[5];
    unsigned n_others = 0;
    struct shared s;

    shared_open(rig, &s);
    s.n_dev = change ? 2 : 1;
    spawn(&others[n_others++], &s, 0, dma);
    spawn(&others[n_others++], &s, 0, poller);
    spawn(&others[n_others++], &s, 0, auditor);
    if (change) {
        spawn(&others[n_others++], &s, 1, dma);
        spawn(&others[n_others++], &s, 0, changer);
    }
    for (unsigned i = 0; i < MAPPERS; i++)
        spawn(&workers[i], &s, i, mapper);
    for (unsigned i = 0; i < MAPPERS; i++)
        pthread_join(workers[i].id, NULL);
    s.stop = true;
    for (unsigned i = 0; i < n_others; i++)
        pthread_join(others[i].id, NULL);
    shared_close(rig, &s);
}

static void disjoint_ranges_are_mapped_in_parallel(struct rig *rig)
{
    run_together(rig, false);
}

static void a_device_moves_while_its_domain_is_unmapped(struct rig *rig)
{
    run_together(rig, true);
}

static void disjoint_ranges_are_mapped_beside_device_tlbs(struct rig *rig)
{
    run_together(rig, false);
}

static void
a_device_with_a_tlb_moves_while_its_domain_is_unmapped(struct rig *rig)
{
    run_together(rig, true);
}

/* ---- domains of their own ------------------------------------------------ */

/* One engine, one thread: domains made, seen, filled, emptied and put. */
static void *owner(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    struct uiommu_endpoint *ep =
        uiommu_device_endpoint(s->rig->device[s->dev[t->index]]);

    for (unsigned i = 0; i < ROUNDS / 2; i++) {
        struct uiommu_domain *d;

        if (!succeeds(s, uiommu_domain_create(ep, NULL, &d)))
            return NULL;
        (void)succeeds(s, uiommu_set_domain(ep, d, NULL));
        (void)succeeds(
            s, uiommu_map(d, BASE, s->phys[t->index], RIG_PAGE, RIG_RW));
        s->missed += !reaches(s, s->dev[t->index], BASE);
        (void)succeeds(s,
                       uiommu_set_domain(ep, uiommu_blocked(s->rig->u), NULL));
        uiommu_domain_put(d);
        s->stayed += reaches(s, s->dev[t->index], BASE);
    }
    return NULL;
}

static void devices_change_domains_in_parallel(struct rig *rig)
{
    struct thread owners[2], others[1];
    struct shared s;

    shared_open(rig, &s);
    set(rig, 0, uiommu_blocked(rig->u));
    spawn(&others[0], &s, 0, poller);
    for (unsigned i = 0; i < 2; i++)
        spawn(&owners[i], &s, i, owner);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(owners[i].id, NULL);
    s.stop = true;
    pthread_join(others[0].id, NULL);
    shared_close(rig, &s);
}

/* ---- interrupts ---------------------------------------------------------- */

static bool quiet_remapped(struct rig *rig, const char **why)
{
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return quiet(rig, why) && rig_does(rig, RIG_INTERRUPTS, why);
}

static bool sends(struct shared *s, unsigned dev,
                  const struct uiommu_irq_message *m)
{
    uint32_t data = 0;

    return machine_dma(s->rig->m, dev, true, m->addr, &data, sizeof(data)) ==
           MACHINE_DMA_DONE;
}

/* Interrupts of one engine come, move and go. */
static void *interrupter(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    const unsigned dev = s->dev[t->index];
    struct uiommu_endpoint *ep = uiommu_device_endpoint(s->rig->device[dev]);
    struct uiommu_irq_target target = { .vector = 0x41 };

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct uiommu_irq_message m;
        struct uiommu_irq *irq;

        target.destination = i;
        if (!succeeds(s, uiommu_irq_map(ep, &target, 1, &irq)))
            return NULL;
        uiommu_irq_message(irq, &m);
        s->missed += !sends(s, dev, &m);
        s->stayed += sends(s, s->dev[!t->index], &m); /* another's */
        target.destination = i + 1;
        (void)succeeds(s, uiommu_irq_retarget(irq, 0, &target));
        s->missed += !sends(s, dev, &m);
        if (uiommu_device_remove(s->rig->device[dev]) != UIOMMU_BUSY ||
            uiommu_stop(s->rig->u) != UIOMMU_BUSY)
            s->stayed++;
        (void)succeeds(s, uiommu_irq_unmap(irq));
    }
    return NULL;
}

/* Engine 2 comes and goes meanwhile, with an interrupt each time. */
static void *plugger(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    const struct uiommu_irq_target target = { .vector = 0x41 };
    unsigned dev = rig_engine(s->rig, 2);

    while (!s->stop) {
        struct uiommu_device **d = &s->rig->device[dev];
        struct uiommu_irq *irq;

        if (succeeds(s, uiommu_irq_map(uiommu_device_endpoint(*d), &target, 1,
                                       &irq)))
            (void)succeeds(s, uiommu_irq_unmap(irq));
        if (!succeeds(s, uiommu_device_remove(*d)) ||
            !succeeds(s, rig_add(s->rig, dev)))
            return NULL;
    }
    return NULL;
}

static void interrupts_come_and_go_in_parallel(struct rig *rig)
{
    struct thread workers[2], others[2];
    struct shared s;

    shared_open(rig, &s);
    spawn(&others[0], &s, 0, poller);
    spawn(&others[1], &s, 0, plugger);
    for (unsigned i = 0; i < 2; i++)
        spawn(&workers[i], &s, i, interrupter);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(workers[i].id, NULL);
    s.stop = true;
    for (unsigned i = 0; i < 2; i++)
        pthread_join(others[i].id, NULL);
    shared_close(rig, &s);
}

/* The last interrupt goes while another thread waits to stop and destroy. */
static void *last_of_all(void *ctx)
{
    (void)!uiommu_irq_unmap(ctx);
    return NULL;
}

static void an_instance_ends_behind_its_last_interrupt(struct rig *rig)
{
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_irq *irq;
    pthread_t last;

    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        up_to_start(rig);
        rig_ok(
            uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, 0, &target, &irq));
        assert_int_equal(pthread_create(&last, NULL, last_of_all, irq), 0);
        while (uiommu_stop(rig->u) == UIOMMU_BUSY)
            ;
        rig_ok(uiommu_destroy(rig->u));
        rig->u = NULL;
        rig->started = false;
        pthread_join(last, NULL);
        assert_int_equal(sim_violations(rig->m), 0);
    }
}

/* ---- the end of an adoption ------------------------------------------------ */

static void *ender(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;

    for (unsigned i = 0; i < 3; i++)
        (void)succeeds(s, uiommu_adopted_end(s->rig->u));
    return NULL;
}

/* Whoever asks meanwhile is told of one or two, or of nobody. */
static void *asker(void *ctx)
{
    struct thread *t = ctx;

    while (!t->s->stop)
        t->s->stayed += adopted(t->s->rig) > 2;
    return NULL;
}

static bool quiet_adopted(struct rig *rig, const char **why)
{
    return quiet(rig, why) && rig_does(rig, RIG_ADOPTION, why);
}

/* Engines 1 and 2 see what an owner left: one page, and everything. */
static void adopt_two(struct rig *rig)
{
    struct uiommu_domain *d;

    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_ADOPT;
    rig->setup.record = NULL;
    up(rig);
    d = attached_with(rig, 1, BASE, rig_pages(rig, 0));
    set(rig, 2, uiommu_identity(rig->u));
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(d);
    first_is_gone(rig);
    up(rig);
    assert_int_equal(adopted(rig), 2);
}

/* Engine 1 is moved, in one round before the end and in another after it; engine 2 is
 * left to the end. */
static void one_end(struct rig *rig, bool late)
{
    struct thread workers[MAPPERS], end, others[4];
    void *(*const run[])(void *) = { dma, poller, asker, changer };
    struct shared s;

    shared_open(rig, &s);
    for (unsigned i = 0; i < 4; i++)
        spawn(&others[i], &s, i == 0, run[i]);
    for (unsigned i = 0; i < MAPPERS; i++)
        spawn(&workers[i], &s, i, mapper);
    for (unsigned i = 0; i < (late ? 200 : 0); i++)
        (void)adopted(rig);
    spawn(&end, &s, 0, ender);
    pthread_join(end.id, NULL);
    for (unsigned i = 0; i < MAPPERS; i++)
        pthread_join(workers[i].id, NULL);
    s.stop = true;
    for (unsigned i = 0; i < 4; i++)
        pthread_join(others[i].id, NULL);
    assert_int_equal(adopted(rig), 0);
    sim_reclaim(rig->m);
    assert_true(rig_refused(rig, 2, BASE));
    shared_close(rig, &s);
}

static void an_adoption_ends_beside_other_calls(struct rig *rig)
{
    for (unsigned i = 0; i < 4; i++) {
        adopt_two(rig);
        one_end(rig, i % 2 != 0);
        rig_down(rig);
    }
}

/* ---- doorbells -------------------------------------------------------------- */

static bool quiet_messages(struct rig *rig, const char **why)
{
    return quiet(rig, why) && translates_messages(rig, why);
}

static void *ringer(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    struct uiommu_endpoint *ep = rig_endpoint(s->rig, t->index);
    uint64_t addr;

    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)succeeds(s, uiommu_set_domain(ep, s->ring[i], NULL));
        (void)succeeds(s, uiommu_irq_doorbell(ep, SIM_TRANSLATER, &addr));
        s->missed += addr != MIB(128) + 0x40;
    }
    return NULL;
}

/* Two groups come to one domain after another: neither finds the doorbell half mapped,
 * nor maps it a second time (D-75). */
static void a_doorbell_is_set_up_by_two_at_once(struct rig *rig)
{
    struct thread ringers[2];
    struct shared s;

    find_and_start(rig);
    shared_open(rig, &s);
    for (unsigned i = 0; i < ROUNDS; i++)
        s.ring[i] = rig_domain(rig, 0);
    for (unsigned i = 0; i < 2; i++)
        spawn(&ringers[i], &s, i, ringer);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(ringers[i].id, NULL);
    assert_true(arrives(rig, 0, MIB(128) + 0x40));
    assert_true(arrives(rig, 1, MIB(128) + 0x40));
    set(rig, 0, s.d);
    set(rig, 1, s.b);
    for (unsigned i = 0; i < ROUNDS; i++)
        uiommu_domain_put(s.ring[i]);
    shared_close(rig, &s);
}

/* ---- storms --------------------------------------------------------------- */

/* More than engine 0 comes to, which asks for what was unmapped. */
enum { BUDGET = 2000 };

static bool quiet_with_budget(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = BUDGET;
    return quiet_with_ats(rig, why);
}

static void *stormer(void *ctx)
{
    struct thread *t = ctx;
    const struct uiommu_endpoint *ep = t->s->other;

    while (!t->s->stop) {
        for (unsigned i = 0; i <= BUDGET; i++) {
            struct uiommu_fault f = { .driver = "", .id = ep->id };

            uim_fault(ep->unit, &f);
        }
    }
    return NULL;
}

static void *rearmer(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;

    while (!s->stop)
        (void)succeeds(s, uiommu_device_rearm(s->rig->device[s->dev[1]]));
    return NULL;
}

/* Engine 1 is shut off and armed while it moves: it never reaches what is unmapped, and
 * at last what its domain has. */
static void a_storm_comes_and_goes_beside_moves(struct rig *rig)
{
    static void *(*const run[])(void *) = { stormer, rearmer, changer, poller,
                                            auditor };
    enum { OTHERS = sizeof(run) / sizeof(run[0]) };
    struct thread workers[MAPPERS], others[OTHERS];
    struct shared s;

    shared_open(rig, &s);
    s.n_dev = 2;
    for (unsigned i = 0; i < OTHERS; i++)
        spawn(&others[i], &s, 1, run[i]);
    for (unsigned i = 0; i < MAPPERS; i++)
        spawn(&workers[i], &s, i, mapper);
    for (unsigned i = 0; i < MAPPERS; i++)
        pthread_join(workers[i].id, NULL);
    s.stop = true;
    for (unsigned i = 0; i < OTHERS; i++)
        pthread_join(others[i].id, NULL);
    rig_ok(uiommu_device_rearm(rig->device[s.dev[1]]));
    set(rig, 1, s.d);
    map_page(s.d, BASE, s.phys[0]);
    assert_true(rig_reaches(rig, 1, BASE, s.phys[0]));
    rig_ok(uiommu_unmap(s.d, BASE, RIG_PAGE, NULL));
    shared_close(rig, &s);
}

/* ---- what a domain remembers ------------------------------------------------ */

enum { EVENTS = 16, CHANGES_EACH = 500 };

static void *recorded(void *ctx)
{
    struct thread *t = ctx;
    struct shared *s = t->s;
    uint64_t iova = BASE + t->index * GIB(1);

    for (unsigned i = 0; i < CHANGES_EACH; i++) {
        (void)succeeds(
            s, uiommu_map(s->d, iova, s->phys[t->index], RIG_PAGE, RIG_RW));
        (void)succeeds(s, uiommu_unmap(s->d, iova, RIG_PAGE, NULL));
    }
    return NULL;
}

/* Each event is whole, and none is there twice; some may have gone between two batches. */
static unsigned broken_events(const struct uiommu_event *e, size_t n)
{
    unsigned broken = 0;

    for (size_t i = 0; i < n; i++)
        broken += (i > 0 && (e[i].sequence <= e[i - 1].sequence ||
                             e[i].time_ns < e[i - 1].time_ns)) ||
                  (e[i].iova - BASE) % GIB(1) != 0 || e[i].size != RIG_PAGE ||
                  e[i].bytes != RIG_PAGE;
    return broken;
}

static void several_write_events_while_one_reads(struct rig *rig)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .events = EVENTS };
    struct thread workers[MAPPERS];
    struct uiommu_domain *plain;
    struct uiommu_event e[EVENTS / 2], last;
    struct shared s;

    shared_open(rig, &s);
    plain = s.d;
    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &s.d));
    for (unsigned i = 0; i < MAPPERS; i++)
        spawn(&workers[i], &s, i, recorded);
    for (unsigned i = 0; i < CHANGES_EACH; i++)
        s.found += broken_events(
            e, uiommu_recorder_read(s.d, 0, e, sizeof(e) / sizeof(e[0])));
    for (unsigned i = 0; i < MAPPERS; i++)
        pthread_join(workers[i].id, NULL);
    assert_int_equal(
        uiommu_recorder_read(s.d, 2 * MAPPERS * CHANGES_EACH, &last, 1), 1);
    assert_int_equal(last.sequence, 2 * MAPPERS * CHANGES_EACH);
    uiommu_domain_put(s.d);
    s.d = plain;
    shared_close(rig, &s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(disjoint_ranges_are_mapped_in_parallel, quiet),
    RIG_TEST_ON(a_device_moves_while_its_domain_is_unmapped, quiet),
    RIG_TEST_ON(disjoint_ranges_are_mapped_beside_device_tlbs, quiet_with_ats),
    RIG_TEST_ON(a_device_with_a_tlb_moves_while_its_domain_is_unmapped,
                quiet_with_ats),
    RIG_TEST_ON(devices_change_domains_in_parallel, quiet),
    RIG_TEST_ON(interrupts_come_and_go_in_parallel, quiet_remapped),
    RIG_COLD_ON(an_instance_ends_behind_its_last_interrupt, quiet_remapped),
    RIG_COLD_ON(an_adoption_ends_beside_other_calls, quiet_adopted),
    RIG_COLD_ON(a_doorbell_is_set_up_by_two_at_once, quiet_messages),
    RIG_TEST_ON(a_storm_comes_and_goes_beside_moves, quiet_with_budget),
    RIG_TEST_ON(several_write_events_while_one_reads, quiet),
    { 0 },
};

int main(void)
{
    return rig_run("thread", tests);
}
