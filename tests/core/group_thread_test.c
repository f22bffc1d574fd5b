/* SPDX-License-Identifier: MIT */
/*
 * group_thread_test.c - groups that move, merge and shrink while others map, unmap, do
 * DMA, fault and ask. Threads count what went wrong and never assert. tsan.supp says how
 * to run it under ThreadSanitizer.
 */
#include "tests/core/groups.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 60, MOVES = 20, ENGINES = 3 };

struct shared {
    struct rig *rig;
    struct uiommu_domain *d, *e;
    unsigned n_dev;
    unsigned dev[ENGINES];
    struct uiommu_endpoint *ep[ENGINES]; /* those that stay */
    uint64_t phys;
    _Atomic bool stop;
    _Atomic unsigned failed, stayed, moves;
    _Atomic unsigned status; /* of the last call that failed */
};

static bool on_fault_quiet(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    return true;
}

static void succeeds(struct shared *s, enum uiommu_status status)
{
    if (status == UIOMMU_OK)
        return;
    s->status = status;
    s->failed++;
}

static bool reaches(struct shared *s, unsigned dev, uint64_t iova)
{
    uint64_t value = iova;

    return machine_dma(s->rig->m, dev, true, iova, &value, sizeof(value)) ==
           MACHINE_DMA_DONE;
}

/* ---- what threads do -------------------------------------------------------- */

static void *mover(void *ctx)
{
    struct shared *s = ctx;
    struct uiommu_domain *next[] = { s->d, s->e, s->d,
                                     uiommu_blocked(s->rig->u) };

    for (unsigned i = 0; !s->stop; i++, s->moves++)
        succeeds(s, uiommu_set_domain(s->ep[i % s->n_dev], next[i % 4], NULL));
    return NULL;
}

static void *mapper(void *ctx)
{
    struct shared *s = ctx;

    for (unsigned i = 0; i < ROUNDS || s->moves < MOVES; i++) {
        uint64_t iova = BASE + i % ROUNDS * MIB(1);

        succeeds(s, uiommu_map(s->d, iova, s->phys, RIG_PAGE, RIG_RW));
        for (unsigned n = 0; n < s->n_dev; n++)
            (void)reaches(s, s->dev[n], iova);
        succeeds(s, uiommu_unmap(s->d, iova, RIG_PAGE, NULL));
        for (unsigned n = 0; n < s->n_dev; n++)
            s->stayed += reaches(s, s->dev[n], iova);
    }
    return NULL;
}

static void *poller(void *ctx)
{
    struct shared *s = ctx;
    uint64_t seed = 7;

    while (!s->stop) {
        (void)reaches(s, s->dev[0], BASE + pick(&seed, ROUNDS) * MIB(1));
        uiommu_poll(s->rig->u);
    }
    return NULL;
}

static void *asker(void *ctx)
{
    struct shared *s = ctx;

    while (!s->stop) {
        if (!uiommu_endpoint_group(s->ep[0]) ||
            !uiommu_endpoint_domain(s->ep[0]) ||
            uiommu_core_domain(s->ep[0]) != uiommu_blocked(s->rig->u))
            s->failed++;
    }
    return NULL;
}

/* f2 has a group of its own until f1, which nothing keeps from f0 either, is there. */
static void come_and_go(struct shared *s)
{
    static const unsigned order[2][2] = { { F2, F1 }, { F1, F2 } };
    struct rig *rig = s->rig;

    for (unsigned i = 0; i < ROUNDS; i++) {
        for (unsigned k = 0; k < 2; k++)
            succeeds(s, rig_add(rig, order[i % 2][k]));
        if (group_of(rig, F1) != group_of(rig, F0) ||
            group_of(rig, F2) != group_of(rig, F0))
            s->failed++;
        for (unsigned k = 0; k < 2; k++) {
            succeeds(s, uiommu_device_remove(rig->device[order[i / 2 % 2][k]]));
            rig->device[order[i / 2 % 2][k]] = NULL;
        }
    }
}

static void *plugger(void *ctx)
{
    come_and_go(ctx);
    return NULL;
}

/* ---- together ----------------------------------------------------------------- */

static void open_shared(struct rig *rig, struct shared *s, unsigned n_dev)
{
    memset(s, 0, sizeof(*s));
    s->rig = rig;
    s->n_dev = n_dev;
    for (unsigned n = 0; n < n_dev; n++) {
        s->dev[n] = rig_engine(rig, n);
        s->ep[n] = rig_endpoint(rig, n);
    }
    s->d = rig_domain(rig, 0);
    s->e = rig_domain(rig, 0);
    s->phys = rig_pages(rig, 0);
}

/* Whoever has an end of its own comes first. */
static void run(struct shared *s, void *(*const thread[])(void *), unsigned n,
                unsigned n_ending)
{
    pthread_t id[8];

    for (unsigned i = 0; i < n; i++)
        assert_int_equal(pthread_create(&id[i], NULL, thread[i], s), 0);
    for (unsigned i = 0; i < n; i++) {
        s->stop = i >= n_ending;
        pthread_join(id[i], NULL);
    }
}

static void close_shared(struct rig *rig, struct shared *s)
{
    if (s->failed > 0)
        fail_msg("%u calls failed, the last with %s: %s", s->failed,
                 uiommu_status_name((enum uiommu_status)s->status),
                 sim_last_log(rig->m));
    assert_int_equal(s->stayed, 0);
    if (sim_violations(rig->m) > 0)
        fail_msg("%s", sim_violation(rig->m, 0));
    sim_forget(rig->m);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(s->d);
    uiommu_domain_put(s->e);
}

static void a_group_moves_beside_maps_dma_and_faults(struct rig *rig)
{
    void *(*const threads[])(void *) = { mapper, mover, poller, asker };
    struct shared s;

    open_shared(rig, &s, ENGINES);
    run(&s, threads, 4, 1);
    close_shared(rig, &s);
}

static void devices_join_and_leave_a_group_that_moves(struct rig *rig)
{
    void *(*const threads[])(void *) = { plugger, mapper, mover, poller,
                                         asker };
    struct shared s;

    make_phantom(rig, F1);
    up_to_start(rig);
    rig_ok(rig_add(rig, F0));
    open_shared(rig, &s, 1);
    run(&s, threads, 5, 2);
    close_shared(rig, &s);
}

static bool quiet(struct rig *rig)
{
    rig->setup.on_fault = on_fault_quiet;
    return true;
}

static bool quiet_no_acs(struct rig *rig, const char **why)
{
    return quiet(rig) && with_no_acs_and_ats(rig, why);
}

static bool quiet_go_between(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return quiet(rig) && with_go_between(rig, why);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_group_moves_beside_maps_dma_and_faults, quiet_no_acs),
    RIG_COLD_ON(devices_join_and_leave_a_group_that_moves, quiet_go_between),
    { 0 },
};

int main(void)
{
    return rig_run("group_thread", tests);
}
