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
    return pt_has(r, r->large) != pt_has(r, r->huge) || r->c.levels == 5 ||
           pt_has(r, r->c.ops->run_sizes);
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
    struct uiommu_gather g = { 0 };

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
        uint64_t iova = w->r->huge - 64 * w->r->large + slice * w->r->large;
        uint64_t size = (1 + rig_random(&w->random) % 511) * w->r->page;
        uint64_t phys = DATA + w->r->page + slice * w->r->huge;

        EXPECT(w, ops->map(&w->r->pt, iova, phys, size, RW) == UIOMMU_OK);
        EXPECT(w,
               ops->map(&w->r->pt, iova, phys, w->r->page, RW) == UIOMMU_EXIST);
        expect_at(w, iova, phys);
        expect_at(w, iova + size - w->r->page, phys + size - w->r->page);
        unmap_all_of(w, iova, w->r->large, size);
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
        uint64_t iova = 2 * w->r->huge + page * w->r->page;

        EXPECT(w, ops->map(&w->r->pt, iova, DATA + iova, w->r->page, RW) ==
                      UIOMMU_OK);
        expect_at(w, iova, DATA + iova);
        unmap_all_of(w, iova, w->r->page, w->r->page);
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
        uint64_t region = 4 * w->r->huge * (1 + i % 16);
        uint64_t iova =
            region + w->r->large * w->number + w->r->page * (i % 512);
        bool unmaps = (i + w->number) % 2 != 0;
        struct uiommu_gather g = { 0 };

        pthread_barrier_wait(&barrier);
        if (unmaps)
            unmap_all_of(w, iova, w->r->page, 0);
        EXPECT(w, ops->split(&w->r->pt, iova, w->r->page, &g) == UIOMMU_OK);
        EXPECT(w, !g.any);
        EXPECT(w, ops->map(&w->r->pt, iova, DATA + iova, w->r->page, RW) ==
                      UIOMMU_OK);
        expect_at(w, iova, DATA + iova);
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
            unmap_all_of(w, region, w->r->huge, THREADS * w->r->page);
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
    const uint64_t sizes[] = { w->r->page, 16 * w->r->page, w->r->large,
                               2 * w->r->large, w->r->huge };
    const struct uim_pt_ops *ops = w->r->c.ops;
    uint64_t size = sizes[rig_random(&w->random) % 5];
    uint64_t iova =
        uim_align_down(rig_random(&w->random) % (2 * w->r->huge), size);
    struct uiommu_gather g = { 0 };
    struct uiommu_trace trace;
    struct uiommu_range below, above;

    switch (rig_random(&w->random) % 8) {
    case 0:
    case 1:
    case 2:
        if (size == w->r->huge && !pt_has(w->r, w->r->huge))
            size = 2 * w->r->large;
        (void)!ops->map(&w->r->pt, iova, DATA + iova, size, RW);
        break;
    case 3:
    case 4:
        (void)!ops->unmap(&w->r->pt, iova, size, &g);
        break;
    case 5:
        if (pt_has(w->r, w->r->large) || !pt_has(w->r, w->r->huge))
            (void)!ops->split(&w->r->pt, iova + w->r->page, w->r->page, &g);
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
