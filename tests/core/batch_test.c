/* SPDX-License-Identifier: MIT */
/*
 * batch_test.c - segments mapped in one call, and unmaps that one invalidation ends
 * (semantics B.11, B.12, S3.33, S3.34).
 */
#include "tests/core/help.h"

#define BASE GIB(2)

enum { SEGMENTS = 5 };

/* Of 1, 3, 1, 2 and 1 pages, the last one first in memory, none beside its
 * neighbour in the list. */
static uint64_t scattered(struct rig *rig, struct uiommu_segment *segment)
{
    static const unsigned pages[SEGMENTS] = { 1, 3, 1, 2, 1 };
    uint64_t at = rig_pages(rig, 5) + 20 * RIG_PAGE, size = 0;

    for (unsigned i = 0; i < SEGMENTS; i++) {
        segment[i] =
            (struct uiommu_segment){ at, (uint64_t)pages[i] * RIG_PAGE };
        at -= 4 * RIG_PAGE;
        size += segment[i].size;
    }
    return size;
}

/* Engine 0 finds each of them behind the one before it, and nothing around. */
static void assert_in_order(struct rig *rig,
                            const struct uiommu_segment *segment, unsigned n,
                            uint64_t iova)
{
    assert_true(rig_refused(rig, 0, iova - RIG_PAGE));
    for (unsigned i = 0; i < n; i++) {
        for (uint64_t at = 0; at < segment[i].size; at += RIG_PAGE)
            assert_true(rig_reaches(rig, 0, iova + at, segment[i].phys + at));
        iova += segment[i].size;
    }
    assert_true(rig_refused(rig, 0, iova));
}

/* ---- segments ------------------------------------------------------------ */

static void segments_follow_each_other(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    uint64_t size = scattered(rig, segment), bytes;

    for (uint64_t at = BASE; at < BASE + MIB(4); at += MIB(2) - 3 * RIG_PAGE) {
        rig_ok(uiommu_map_sg(d, at, segment, SEGMENTS, RIG_RW));
        assert_in_order(rig, segment, SEGMENTS, at);
        rig_ok(uiommu_unmap(d, at, size, &bytes));
        assert_int_equal(bytes, size);
        assert_true(rig_refused(rig, 0, at));
    }
    rig_drop(rig, 0, d);
}

static bool with_cached_holes(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return rig_does(rig, RIG_HOLES, why);
}

static void segments_are_seen_where_holes_are_cached(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    uint64_t size = scattered(rig, segment);

    for (uint64_t at = 0; at < size; at += RIG_PAGE)
        assert_true(rig_refused(rig, 0, BASE + at));
    rig_ok(uiommu_map_sg(d, BASE, segment, SEGMENTS, RIG_RW));
    assert_in_order(rig, segment, SEGMENTS, BASE);
    assert_int_equal(unmap_all(d), size);
    rig_drop(rig, 0, d);
}

/* Two halves of a large leaf, given apart; and the other way round. */
static void segments_side_by_side_share_a_leaf(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 9);
    const struct uiommu_segment halves[] = { { phys, MIB(1) },
                                             { phys + MIB(1), MIB(1) } };
    const struct uiommu_segment swapped[] = { halves[1], halves[0] };
    struct uiommu_trace trace;

    rig_ok(uiommu_map_sg(d, BASE, halves, 2, RIG_RW));
    rig_ok(uiommu_walk(d, BASE + MIB(1), &trace));
    assert_int_equal(trace.page_size, MIB(2));
    assert_int_equal(unmap_all(d), MIB(2));
    rig_ok(uiommu_map_sg(d, BASE, swapped, 2, RIG_RW));
    rig_ok(uiommu_walk(d, BASE + MIB(1), &trace));
    assert_int_equal(trace.page_size, RIG_PAGE);
    assert_int_equal(trace.phys, phys);
    assert_int_equal(unmap_all(d), MIB(2));
    rig_drop(rig, 0, d);
}

static void assert_sg_refused(struct rig *rig, struct uiommu_domain *d,
                              uint64_t iova,
                              const struct uiommu_segment *segment, unsigned n,
                              enum uiommu_status status)
{
    struct rig_state before = rig_state(rig);

    rig_is(uiommu_map_sg(d, iova, segment, n, RIG_RW), status);
    rig_assert_same(rig, &before);
}

/* S3.33, D-93. */
static void one_malformed_segment_refuses_all(struct rig *rig)
{
    static const struct uiommu_segment bad[] = {
        { RIG_PAGE + 512, RIG_PAGE },
        { RIG_PAGE, RIG_PAGE - 1 },
        { RIG_PAGE, 0 },
        { RIG_PAGE, UINT64_MAX - RIG_PAGE + 1 },
        { UINT64_C(1) << 52, RIG_PAGE },
        { (UINT64_C(1) << 52) - RIG_PAGE, 2 * RIG_PAGE },
    };
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    char name[16];

    for (unsigned i = 0; i < SEGMENTS; i++) {
        for (unsigned b = 0; b < sizeof(bad) / sizeof(bad[0]); b++) {
            (void)scattered(rig, segment);
            segment[i] = bad[b];
            assert_sg_refused(rig, d, BASE, segment, SEGMENTS, UIOMMU_INVAL);
            snprintf(name, sizeof(name), "segment %u ", i);
            assert_says(sim_last_log(rig->m), name);
        }
    }
    assert_int_equal(unmap_all(d), 0);
    rig_drop(rig, 0, d);
}

static void segments_have_to_fit(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    uint64_t size = scattered(rig, segment), end = last_iova(d) + 1;

    assert_sg_refused(rig, d, BASE, segment, 0, UIOMMU_INVAL);
    assert_sg_refused(rig, d, BASE + 8, segment, SEGMENTS, UIOMMU_INVAL);
    assert_sg_refused(rig, d, end - size + RIG_PAGE, segment, SEGMENTS,
                      UIOMMU_INVAL);
    rig_is(uiommu_map_sg(d, BASE, segment, SEGMENTS, 0), UIOMMU_INVAL);
    rig_is(uiommu_map_sg(uiommu_blocked(rig->u), BASE, segment, 1, RIG_RW),
           UIOMMU_OPNOTSUPP);
    rig_is(uiommu_map_sg(uiommu_identity(rig->u), BASE, segment, 1, RIG_RW),
           UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_map_sg(d, end - size, segment, SEGMENTS, RIG_RW));
    assert_in_order(rig, segment, SEGMENTS, end - size);
    assert_int_equal(unmap_all(d), size);
    rig_drop(rig, 0, d);
}

/* Each page of the range in turn is taken. */
static void a_taken_page_refuses_all_segments(struct rig *rig)
{
    const uint64_t at = BASE + MIB(2) - 3 * RIG_PAGE;
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    uint64_t size = scattered(rig, segment), page = rig_pages(rig, 0);

    for (uint64_t hit = 0; hit < size; hit += RIG_PAGE) {
        map_page(d, at + hit, page);
        assert_sg_refused(rig, d, at, segment, SEGMENTS, UIOMMU_EXIST);
        assert_int_equal(unmap_all(d), RIG_PAGE);
    }
    rig_drop(rig, 0, d);
}

struct list {
    struct uiommu_domain *d;
    struct uiommu_segment segment[2];
};

/* Over the end of what a table of level 1 spans. */
static enum uiommu_status map_list(struct rig *rig, void *ctx)
{
    struct list *list = ctx;

    (void)rig;
    return uiommu_map_sg(list->d, GIB(3) - RIG_PAGE, list->segment, 2, RIG_RW);
}

static void unmap_list(struct rig *rig, void *ctx)
{
    (void)rig;
    assert_int_equal(unmap_all(((struct list *)ctx)->d), 2 * RIG_PAGE);
}

static void segments_that_find_no_memory_change_nothing(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 2);
    struct list list = { rig_attached(rig, 0),
                         { { page, RIG_PAGE },
                           { page + 2 * RIG_PAGE, RIG_PAGE } } };

    rig_each_failure(rig, map_list, unmap_list, &list, UIOMMU_NOMEM);
    rig_drop(rig, 0, list.d);
}

/* ---- gathers ------------------------------------------------------------- */

static void gather(struct uiommu_domain *d, uint64_t iova, uint64_t size,
                   struct uiommu_gather *g)
{
    rig_ok(uiommu_unmap_gather(d, iova, size, g));
}

/* 16 pages, every second one of 32, and a range of them at a gigabyte's distance. */
static void map_many(struct rig *rig, struct uiommu_domain *d)
{
    uint64_t pages = rig_pages(rig, 5);

    for (unsigned i = 0; i < 16; i++)
        map_page(d, BASE + 2 * i * RIG_PAGE, pages + i * RIG_PAGE);
    rig_ok(uiommu_map(d, BASE + GIB(1), pages, 16 * RIG_PAGE, RIG_RW));
}

static void gather_many(struct uiommu_domain *d, struct uiommu_gather *g)
{
    for (unsigned i = 0; i < 16; i++)
        gather(d, BASE + 2 * i * RIG_PAGE, RIG_PAGE, g);
    gather(d, BASE + GIB(1), 16 * RIG_PAGE, g);
}

static void assert_many_refused(struct rig *rig, unsigned n)
{
    for (unsigned i = 0; i < 16; i++) {
        assert_true(rig_refused(rig, n, BASE + 2 * i * RIG_PAGE));
        assert_true(rig_refused(rig, n, BASE + GIB(1) + i * RIG_PAGE));
    }
}

static void use_many(struct rig *rig, unsigned n)
{
    uint64_t value;

    for (unsigned i = 0; i < 16; i++) {
        assert_true(rig_read(rig, n, BASE + 2 * i * RIG_PAGE, &value));
        assert_true(rig_read(rig, n, BASE + GIB(1) + i * RIG_PAGE, &value));
    }
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void one_sync_ends_many_unmaps(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct trace t;

    set(rig, 1, d);
    map_many(rig, d);
    use_many(rig, 0);
    use_many(rig, 1);
    trace_start(rig, &t);
    gather_many(d, &g);
    assert_int_equal(t.n, 0);
    assert_int_equal(g.unmapped, 32 * RIG_PAGE);
    rig_ok(uiommu_sync(&g));
    trace_stop(rig, &t);
    assert_int_equal(g.unmapped, 0);
    assert_true(count_kinds(&t, KIND(IOTLB) | KIND(PASID_IOTLB)) <= 2);
    assert_many_refused(rig, 0);
    assert_many_refused(rig, 1);
    assert_int_equal(unmap_all(d), 0);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void device_tlbs_are_synced_too(struct rig *rig)
{
    one_sync_ends_many_unmaps(rig);
}

static void an_empty_gather_costs_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct trace t;

    map_page(d, BASE, rig_pages(rig, 0));
    trace_start(rig, &t);
    rig_ok(uiommu_sync(&g));
    gather(d, BASE + RIG_PAGE, 4 * RIG_PAGE, &g); /* nothing is there */
    assert_null(g.domain);
    rig_ok(uiommu_sync(&g));
    trace_stop(rig, &t);
    assert_int_equal(t.n, 0);
    rig_drop(rig, 0, d);
}

static unsigned live_pages(struct rig *rig)
{
    struct sim_counts c;

    sim_counts(rig->m, &c);
    return c.pages;
}

/* D-27. A unit may walk tables until it is told. */
static void tables_are_freed_by_the_sync(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    unsigned empty = live_pages(rig), full;
    uint64_t value;

    map_page(d, BASE, rig_pages(rig, 0));
    assert_true(rig_read(rig, 0, BASE, &value));
    full = live_pages(rig);
    assert_true(full > empty);
    gather(d, 0, last_iova(d) + 1, &g);
    assert_int_equal(live_pages(rig), full);
    rig_ok(uiommu_sync(&g));
    assert_int_equal(live_pages(rig), empty);
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void a_gather_is_of_one_domain(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *a = attached_with(rig, 0, BASE, page);
    struct uiommu_domain *b = attached_with(rig, 1, BASE, page);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    gather(a, BASE, RIG_PAGE, &g);
    rig_is(uiommu_unmap_gather(b, BASE, RIG_PAGE, &g), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 1, BASE, page));
    rig_ok(uiommu_sync(&g));
    gather(b, BASE, RIG_PAGE, &g); /* an empty one is anybody's */
    rig_ok(uiommu_sync(&g));
    assert_true(rig_refused(rig, 1, BASE));
    rig_drop(rig, 0, a);
    rig_drop(rig, 1, b);
}

/* Whoever put it last: what the gather holds is part of it. */
static void a_gather_keeps_its_domain(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    gather(d, 0, last_iova(d) + 1, &g);
    rig_drop(rig, 0, d);
    assert_ptr_equal(g.domain, d);
    rig_ok(uiommu_sync(&g));
    assert_null(g.domain);
}

static void malformed_gathers_remove_nothing(struct rig *rig)
{
    uint64_t phys = rig_pages(rig, 9);
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    rig_is(uiommu_unmap_gather(d, BASE, RIG_PAGE, &g), UIOMMU_INVAL);
    rig_is(uiommu_unmap_gather(d, BASE + 8, RIG_PAGE, &g), UIOMMU_INVAL);
    rig_is(uiommu_unmap_gather(d, BASE, 0, &g), UIOMMU_INVAL);
    rig_is(uiommu_unmap_gather(d, last_iova(d) + 1, RIG_PAGE, &g),
           UIOMMU_INVAL);
    rig_is(uiommu_unmap_gather(uiommu_blocked(rig->u), BASE, RIG_PAGE, &g),
           UIOMMU_OPNOTSUPP);
    assert_null(g.domain);
    assert_true(rig_reaches(rig, 0, BASE, phys));
    assert_int_equal(unmap_all(d), MIB(2));
    rig_drop(rig, 0, d);
}

static void a_gather_waits_for_the_end_of_a_sleep(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    map_page(d, BASE + RIG_PAGE, page + RIG_PAGE);
    gather(d, BASE, RIG_PAGE, &g);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_sync(&g), UIOMMU_AGAIN);
    rig_is(uiommu_unmap_gather(d, BASE + RIG_PAGE, RIG_PAGE, &g), UIOMMU_AGAIN);
    assert_ptr_equal(g.domain, d);
    rig_ok(uiommu_resume(rig->u));
    rig_ok(uiommu_sync(&g));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page + RIG_PAGE));
    rig_drop(rig, 0, d);
}

/* B.19: the pages must not be used again, the tables are not freed. */
static void what_a_silent_unit_may_reach_is_not_synced(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    unsigned pages = live_pages(rig);
    uint64_t value;

    assert_true(rig_read(rig, 0, BASE, &value));
    gather(d, 0, last_iova(d) + 1, &g);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_sync(&g), UIOMMU_TIMEDOUT);
    assert_null(g.domain);
    assert_int_equal(live_pages(rig), pages);
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* Sync sends commands, and asks the host for nothing that can fail. */
static void batches_never_sleep(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_segment segment[SEGMENTS];
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    uint64_t size = scattered(rig, segment), calls;

    sim_atomic(rig->m, true);
    rig_ok(uiommu_map_sg(d, BASE, segment, SEGMENTS, RIG_RW));
    calls = sim_calls(rig->m);
    gather(d, BASE, size, &g);
    rig_ok(uiommu_sync(&g));
    assert_int_equal(sim_calls(rig->m), calls);
    sim_atomic(rig->m, false);
    assert_int_equal(sim_violations(rig->m), 0);
    rig_drop(rig, 0, d);
}

static const struct rig_test tests[] = {
    RIG_TEST(segments_follow_each_other),
    RIG_TEST_ON(segments_are_seen_where_holes_are_cached, with_cached_holes),
    RIG_TEST(segments_side_by_side_share_a_leaf),
    RIG_TEST(one_malformed_segment_refuses_all),
    RIG_TEST(segments_have_to_fit),
    RIG_TEST(a_taken_page_refuses_all_segments),
    RIG_TEST(segments_that_find_no_memory_change_nothing),
    RIG_TEST(one_sync_ends_many_unmaps),
    RIG_TEST_ON(device_tlbs_are_synced_too, with_ats),
    RIG_TEST(an_empty_gather_costs_nothing),
    RIG_TEST(tables_are_freed_by_the_sync),
    RIG_TEST(a_gather_is_of_one_domain),
    RIG_TEST(a_gather_keeps_its_domain),
    RIG_TEST(malformed_gathers_remove_nothing),
    RIG_TEST(a_gather_waits_for_the_end_of_a_sleep),
    RIG_TEST_ON(what_a_silent_unit_may_reach_is_not_synced, in_a_hurry),
    RIG_TEST(batches_never_sleep),
    { 0 },
};

int main(void)
{
    return rig_run("batch", tests);
}
