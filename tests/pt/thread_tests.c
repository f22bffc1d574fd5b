/* SPDX-License-Identifier: MIT */
/*
 * Two and more threads. Disjoint ranges whose tables are shared and come and
 * go: every call has to behave as if alone. Overlapping ranges, which is an
 * error: what is mapped is anything, but no freed page is touched (it would be
 * a segmentation fault), and nothing is left at the end.
 */
#define _GNU_SOURCE /* pthread_barrier_t */
#include "pt_rig.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 400 };

struct worker {
    pthread_t thread;
    struct pt_rig *r;
    uint64_t random;
    unsigned number;
    unsigned wrong; /* cmocka asserts in the main thread only */
};

/* As all cases would do the same, and it takes time. */
static bool enough(const struct pt_rig *r)
{
    return pt_has(r, 21) != pt_has(r, 30) || r->c.levels == 5;
}

static void run_workers(struct pt_rig *r, void *(*fn)(void *))
{
    struct worker workers[THREADS];
    unsigned i, wrong = 0;

    memory_host_threads(r->m);
    for (i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){
            .r = r,
            .number = i,
            .random = rig_seed(77) * 1000003 + i + 1,
        };
        assert_int_equal(
            pthread_create(&workers[i].thread, NULL, fn, &workers[i]), 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong += workers[i].wrong;
    }
    assert_int_equal(wrong, 0);
}

#define EXPECT(w, condition) ((w)->wrong += !(condition))

static void unmap_all_of(struct worker *w, uint64_t iova, uint64_t size,
                         uint64_t unmapped)
{
    struct uim_gather g = { 0 };

    EXPECT(w, w->r->c.ops->unmap(&w->r->pt, iova, size, &g) == UIOMMU_OK);
    EXPECT(w, g.unmapped == unmapped);
    uim_pt_retire(&w->r->pt, &g);
}

static void expect_at(struct worker *w, uint64_t iova, uint64_t phys)
{
    struct uiommu_trace trace;

    EXPECT(w, w->r->c.ops->walk(&w->r->pt, iova, &trace) == UIOMMU_OK);
    EXPECT(w, trace.phys == phys);
}

/* Slices of 2 MiB in turn: all upper tables are shared, and every slice's own
 * table comes and goes with each round. */
static void *own_slices(void *arg)
{
    struct worker *w = arg;
    const struct uim_pt_ops *ops = w->r->c.ops;
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        uint64_t slice = rig_random(&w->random) % 64 * THREADS + w->number;
        uint64_t iova = GIB(1) - MIB(128) + slice * MIB(2);
        uint64_t size = (1 + rig_random(&w->random) % 511) * PAGE;
        uint64_t phys = DATA + PAGE + slice * GIB(1);

        EXPECT(w, ops->map(&w->r->pt, iova, phys, size, RW) == UIOMMU_OK);
        EXPECT(w, ops->map(&w->r->pt, iova, phys, PAGE, RW) == UIOMMU_EXIST);
        expect_at(w, iova, phys);
        expect_at(w, iova + size - PAGE, phys + size - PAGE);
        unmap_all_of(w, iova, MIB(2), size);
    }
    return NULL;
}

/* Pages of one table. */
static void *own_pages(void *arg)
{
    struct worker *w = arg;
    const struct uim_pt_ops *ops = w->r->c.ops;
    unsigned i;

    for (i = 0; i < ROUNDS * 4; i++) {
        uint64_t page = rig_random(&w->random) % 128 * THREADS + w->number;
        uint64_t iova = GIB(2) + page * PAGE;

        EXPECT(w,
               ops->map(&w->r->pt, iova, DATA + iova, PAGE, RW) == UIOMMU_OK);
        expect_at(w, iova, DATA + iova);
        unmap_all_of(w, iova, PAGE, PAGE);
    }
    return NULL;
}

static void disjoint_ranges(struct pt_rig *r)
{
    if (!enough(r))
        RIG_NOT_APPLICABLE(r, "as with other page sizes");
    run_workers(r, own_slices);
    run_workers(r, own_pages);
    assert_int_equal(rig_tree(r).leaves, 0);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
}

/* All at once, in tables that nobody has yet: one thread links them while
 * others look. What is empty stays empty for who owns it, whatever appears
 * around it. */
static pthread_barrier_t barrier;

static void *new_tables(void *arg)
{
    struct worker *w = arg;
    const struct uim_pt_ops *ops = w->r->c.ops;
    unsigned i;

    for (i = 0; i < 2 * ROUNDS; i++) {
        uint64_t region = GIB(4) * (1 + i % 16);
        uint64_t iova = region + MIB(2) * w->number + PAGE * (i % 512);
        bool unmaps = (i + w->number) % 2 != 0;
        struct uim_gather g = { 0 };

        pthread_barrier_wait(&barrier);
        if (unmaps)
            unmap_all_of(w, iova, PAGE, 0);
        EXPECT(w, ops->split(&w->r->pt, iova, PAGE, &g) == UIOMMU_OK);
        EXPECT(w, !g.any);
        EXPECT(w,
               ops->map(&w->r->pt, iova, DATA + iova, PAGE, RW) == UIOMMU_OK);
        expect_at(w, iova, DATA + iova);
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            unmap_all_of(w, region, GIB(1), THREADS * PAGE);
    }
    return NULL;
}

static void tables_made_at_once(struct pt_rig *r)
{
    if (!enough(r))
        RIG_NOT_APPLICABLE(r, "as with other page sizes");
    pthread_barrier_init(&barrier, NULL, THREADS);
    run_workers(r, new_tables);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
}

static void any_call(struct worker *w)
{
    static const uint64_t sizes[] = { PAGE, KIB(64), MIB(2), MIB(4), GIB(1) };
    const struct uim_pt_ops *ops = w->r->c.ops;
    uint64_t size = sizes[rig_random(&w->random) % 5];
    uint64_t iova = uim_align_down(rig_random(&w->random) % GIB(2), size);
    struct uim_gather g = { 0 };
    struct uiommu_trace trace;
    struct uiommu_range below, above;

    switch (rig_random(&w->random) % 8) {
    case 0:
    case 1:
    case 2:
        if (size == GIB(1) && !pt_has(w->r, 30))
            size = MIB(4);
        (void)!ops->map(&w->r->pt, iova, DATA + iova, size, RW);
        break;
    case 3:
    case 4:
        (void)!ops->unmap(&w->r->pt, iova, size, &g);
        break;
    case 5:
        if (pt_has(w->r, 21) || !pt_has(w->r, 30))
            (void)!ops->split(&w->r->pt, iova + PAGE, PAGE, &g);
        break;
    case 6:
        ops->neighbours(&w->r->pt, iova, &below, &above);
        break;
    default:
        (void)!ops->walk(&w->r->pt, iova, &trace);
        break;
    }
    uim_pt_retire(&w->r->pt, &g);
}

static void *anything(void *arg)
{
    struct worker *w = arg;
    unsigned i;

    for (i = 0; i < ROUNDS; i++)
        any_call(w);
    return NULL;
}

static void overlapping_ranges(struct pt_rig *r)
{
    if (!enough(r))
        RIG_NOT_APPLICABLE(r, "as with other page sizes");
    run_workers(r, anything);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    assert_int_equal(rig_tree(r).leaves, 0);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
}

const struct pt_test pt_thread_tests[] = {
    { "disjoint_ranges", disjoint_ranges },
    { "tables_made_at_once", tables_made_at_once },
    { "overlapping_ranges", overlapping_ranges },
    { NULL, NULL },
};
