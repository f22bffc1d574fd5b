/* SPDX-License-Identifier: MIT */
/*
 * interleave_test.c - one thread is stopped at each store, register write,
 * flush and fence of its call in turn (at the stores only in the -hooked
 * program); a second one makes a whole call of its own there and looks at once
 * whether that did what it promises.
 */
#include "tests/core/help.h"

#include <pthread.h>

#include "tests/hook/hook.h"

#define BASE  GIB(2)
#define RANGE GIB(2) /* of one round: it needs tables of its own              */

struct pair {
    struct rig *rig;
    struct uiommu_domain *d;
    uint64_t page, base;
    void *(*second)(void *ctx);
    unsigned stop_at, events;
    bool inside;
    bool failed, missed, stayed; /* written by the second thread             */
};

static bool reaches(struct pair *p, uint64_t iova)
{
    return lands(p->rig, 0, iova, UIOMMU_WRITE) == p->page;
}

static void stop_here(void *ctx)
{
    struct pair *p = ctx;
    pthread_t id;

    if (p->inside || ++p->events != p->stop_at)
        return;
    p->inside = true;
    assert_int_equal(pthread_create(&id, NULL, p->second, p), 0);
    pthread_join(id, NULL);
    p->inside = false;
}

/* ---- the second thread's call -------------------------------------------- */

/* The page beside the first thread's, in the same new table. */
static void *map_beside(void *ctx)
{
    struct pair *p = ctx;
    uint64_t iova = p->base + RIG_PAGE;

    p->failed |= uiommu_map(p->d, iova, p->page, RIG_PAGE, RIG_RW) != UIOMMU_OK;
    p->missed |= !reaches(p, iova);
    return NULL;
}

/* A page whose smallest table is another one. */
static void *map_further_off(void *ctx)
{
    struct pair *p = ctx;
    uint64_t iova = p->base + MIB(6);

    p->failed |= uiommu_map(p->d, iova, p->page, RIG_PAGE, RIG_RW) != UIOMMU_OK;
    p->missed |= !reaches(p, iova);
    return NULL;
}

/* Same tables, gone again. No locks are needed while nobody sees the domain. */
static void *map_and_unmap_beside(void *ctx)
{
    struct pair *p = ctx;
    uint64_t iova = p->base + RIG_PAGE;

    p->failed |= uiommu_map(p->d, iova, p->page, RIG_PAGE, RIG_RW) != UIOMMU_OK;
    p->failed |= uiommu_unmap(p->d, iova, RIG_PAGE, NULL) != UIOMMU_OK;
    return NULL;
}

/* ---- the first thread's call --------------------------------------------- */

static void map_one(struct pair *p)
{
    rig_ok(uiommu_map(p->d, p->base, p->page, RIG_PAGE, RIG_RW));
    assert_true(reaches(p, p->base));
}

static void map_unseen(struct pair *p)
{
    struct uiommu_trace t;

    rig_ok(uiommu_map(p->d, p->base, p->page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_walk(p->d, p->base, &t));
    assert_int_equal(t.phys, p->page);
}

/* Takes its table out, beside which the other thread makes one. */
static void unmap_span(struct pair *p)
{
    rig_ok(uiommu_unmap(p->d, p->base, MIB(2), NULL));
    assert_false(reaches(p, p->base));
}

static void before_unmap(struct pair *p)
{
    rig_ok(uiommu_map(p->d, p->base, p->page, RIG_PAGE, RIG_RW));
    assert_true(reaches(p, p->base));
}

static void split_leaf(struct pair *p)
{
    rig_ok(uiommu_split(p->d, p->base, RIG_PAGE));
    assert_true(reaches(p, p->base));
}

static void before_split(struct pair *p)
{
    rig_ok(uiommu_map(p->d, p->base, p->page, MIB(2), RIG_RW));
}

/* ---- all interleavings of two calls -------------------------------------- */

/* Each event, but not each of the many that fill a table. */
static unsigned stride(const struct pair *p)
{
    return p->stop_at < 20 || p->stop_at + 60 > p->events ? 1 : 40;
}

static void each_interleaving(struct rig *rig, struct uiommu_domain *d,
                              void (*before)(struct pair *p),
                              void (*first)(struct pair *p),
                              void *(*second)(void *ctx))
{
    struct pair p = { .rig = rig, .d = d, .page = rig_pages(rig, 9) };
    unsigned events = 1;

    p.second = second;
    for (p.stop_at = 1; p.stop_at <= events; p.stop_at += stride(&p)) {
        p.base = BASE + p.stop_at * RANGE;
        p.events = 0;
        if (before)
            before(&p);
        rig_watch(rig, stop_here, &p);
        first(&p);
        rig_watch(rig, NULL, NULL);
        events = p.events;
        if (p.failed || p.missed)
            fail_msg("stopped at %u of %u: the second call %s", p.stop_at,
                     events, p.failed ? "failed" : "did not take effect");
    }
    assert_true(events > 0);
    sim_forget(rig->m); /* looks while the first call was under way */
}

static bool with_many_addresses(struct rig *rig, const char **why)
{
    (void)rig;
    *why = "nothing happens in a map that could be seen";
    return uim_store_hooked() || rig->config.non_coherent;
}

static void a_map_is_complete_whoever_made_its_tables(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    each_interleaving(rig, d, NULL, map_one, map_beside);
    (void)unmap_all(d);
    each_interleaving(rig, d, NULL, map_one, map_further_off);
    rig_drop(rig, 0, d);
}

static void maps_beside_an_unmap_that_frees_tables_stay(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    each_interleaving(rig, d, before_unmap, unmap_span, map_further_off);
    rig_drop(rig, 0, d);
}

static void maps_beside_a_split_stay(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    each_interleaving(rig, d, before_split, split_leaf, map_further_off);
    rig_drop(rig, 0, d);
}

static void unmaps_beside_a_map_take_nothing_of_it(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct rig_state before = rig_state(rig);

    each_interleaving(rig, d, NULL, map_unseen, map_and_unmap_beside);
    (void)unmap_all(d);
    rig_assert_same(rig, &before);
    uiommu_domain_put(d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_map_is_complete_whoever_made_its_tables, with_many_addresses),
    RIG_TEST(maps_beside_an_unmap_that_frees_tables_stay),
    RIG_TEST(maps_beside_a_split_stay),
    RIG_TEST_ON(unmaps_beside_a_map_take_nothing_of_it, with_many_addresses),
    { 0 },
};

int main(void)
{
    return rig_run("interleave", tests);
}
