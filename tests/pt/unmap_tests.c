/* SPDX-License-Identifier: MIT */
/* unmap, what it gathers, and what becomes of tables. */
#include "pt_rig.h"

static void assert_gathered(const struct uim_gather *g, uint64_t start,
                            uint64_t size, uint64_t unmapped)
{
    assert_true(g->any);
    assert_true(g->start == start);
    assert_true(g->last == start + (size - 1));
    assert_true(g->unmapped == unmapped);
}

static void one_page(struct pt_rig *r)
{
    struct uim_gather g = { 0 };

    assert_int_equal(rig_map(r, MIB(2), DATA, KIB(12), RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, MIB(2) + PAGE, PAGE, &g), UIOMMU_OK);
    assert_gathered(&g, MIB(2) + PAGE, PAGE, PAGE);
    assert_false(g.non_leaf);
    assert_true(g.tables == 0);
    rig_assert_mapped(r, MIB(2), DATA, PAGE, RW);
    rig_assert_hole(r, MIB(2) + PAGE, PAGE);
    rig_assert_mapped(r, MIB(2) + KIB(8), DATA + KIB(8), PAGE, RW);
}

/* Entry 0 of a table is changed by another instruction than the others. */
static void the_first_page_of_a_table(struct pt_rig *r)
{
    struct uim_gather g = { 0 };

    assert_int_equal(rig_map(r, MIB(4), DATA, KIB(8), RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, MIB(4), PAGE, &g), UIOMMU_OK);
    assert_gathered(&g, MIB(4), PAGE, PAGE);
    rig_assert_hole(r, MIB(4), PAGE);
    assert_int_equal(rig_map(r, MIB(4), DATA + MIB(1), PAGE, RW), UIOMMU_OK);
    rig_assert_mapped(r, MIB(4), DATA + MIB(1), PAGE, RW);
}

static void holes_count_for_nothing(struct pt_rig *r)
{
    struct uim_gather g = { 0 };
    uint64_t mib = MIB(1);

    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    assert_false(g.any);
    assert_true(g.unmapped == 0);
    assert_int_equal(rig_map(r, mib + KIB(16), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, mib + KIB(32), DATA, KIB(8), RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, mib, MIB(1) - PAGE, &g), UIOMMU_OK);
    /* Only from the first to the last page that was mapped. */
    assert_gathered(&g, mib + KIB(16), KIB(24), KIB(12));
    g = (struct uim_gather){ 0 };
    assert_int_equal(rig_unmap(r, mib, MIB(1) - PAGE, &g), UIOMMU_OK);
    assert_false(g.any);
    assert_int_equal(rig_tree(r).leaves, 0);
}

static void a_gather_grows(struct pt_rig *r)
{
    struct uim_gather g = { 0 };

    assert_int_equal(rig_map(r, MIB(3), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, MIB(9), DATA, KIB(8), RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, MIB(9) + PAGE, PAGE, &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, MIB(3), PAGE, &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, MIB(9), PAGE, &g), UIOMMU_OK);
    assert_gathered(&g, MIB(3), MIB(6) + KIB(8), KIB(12));
}

static void part_of_a_leaf_is_refused(struct pt_rig *r)
{
    const uint64_t size = pt_has(r, 30) ? GIB(1) : MIB(2);
    const struct {
        uint64_t iova, size;
    } parts[] = {
        { GIB(4), PAGE },
        { GIB(4) + PAGE, PAGE },
        { GIB(4) + size - PAGE, PAGE },
        { GIB(4) + size - PAGE, MIB(2) },
        { GIB(4) - MIB(4), MIB(4) + PAGE },
        { GIB(4) + MIB(1), size },
    };
    struct rig_state before;
    unsigned i;

    if (!pt_has(r, 21) && !pt_has(r, 30))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, GIB(4), DATA, size, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, GIB(4) - PAGE, DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, GIB(4) + size, DATA, KIB(8), RW), UIOMMU_OK);
    before = rig_state(r);
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct uim_gather g = { 0 };

        assert_int_equal(rig_unmap(r, parts[i].iova, parts[i].size, &g),
                         UIOMMU_INVAL);
        assert_false(g.any);
        rig_assert_same(r, &before);
    }
    assert_int_equal(rig_unmap(r, GIB(4), size, NULL), UIOMMU_OK);
    rig_assert_hole(r, GIB(4), size);
}

static void large_leaves_by_themselves(struct pt_rig *r)
{
    const uint64_t sizes[] = { MIB(2), GIB(1) };
    unsigned i;

    for (i = 0; i < 2; i++) {
        struct uim_gather g = { 0 };

        assert_int_equal(rig_map(r, GIB(2), DATA, sizes[i], RW), UIOMMU_OK);
        assert_int_equal(rig_unmap(r, GIB(2), sizes[i], &g), UIOMMU_OK);
        assert_gathered(&g, GIB(2), sizes[i], sizes[i]);
        assert_true(g.non_leaf == (g.tables != 0));
        uim_pt_retire(&r->pt, &g);
        rig_assert_hole(r, GIB(2), sizes[i]);
    }
}

static void a_run_of_mixed_leaves(struct pt_rig *r)
{
    uint64_t iova = GIB(1) - MIB(4) - KIB(8);
    uint64_t size = GIB(1) + 2 * (MIB(4) + KIB(8));
    struct rig_state before = rig_state(r);
    struct uim_gather g = { 0 };

    assert_int_equal(rig_map(r, iova, DATA + iova, size, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, iova, size, &g), UIOMMU_OK);
    assert_true(g.unmapped == size);
    assert_true(g.start <= iova && g.last >= iova + size - 1);
    assert_int_equal(rig_tree(r).leaves, 0);
    uim_pt_retire(&r->pt, &g);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    rig_assert_same(r, &before);
}

/* Whatever lies before and behind, to the page, stays. */
static void exactly_the_range(struct pt_rig *r)
{
    const uint64_t cut[] = { PAGE, MIB(2) - PAGE, MIB(2), MIB(2) + PAGE,
                             MIB(6) };
    unsigned i;

    for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        uint64_t iova = GIB(1) * (i + 1), size = MIB(16);

        /* Aligned for pages only. */
        assert_int_equal(rig_map(r, iova, DATA + PAGE, size, RW), UIOMMU_OK);
        assert_int_equal(rig_unmap(r, iova + cut[i], MIB(4), NULL), UIOMMU_OK);
        rig_assert_mapped(r, iova, DATA + PAGE, cut[i], RW);
        rig_assert_hole(r, iova + cut[i], MIB(4));
        rig_assert_mapped(r, iova + cut[i] + MIB(4),
                          DATA + PAGE + cut[i] + MIB(4), size - cut[i] - MIB(4),
                          RW);
    }
}

static void tables_go_when_their_span_is_covered(struct pt_rig *r)
{
    struct uim_gather g = { 0 };
    unsigned tables;

    assert_int_equal(rig_map(r, MIB(2), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, MIB(4), DATA, PAGE, RW), UIOMMU_OK);
    tables = memory_host_live_pages(r->m);
    /* All but one page of the span: the table stays. */
    assert_int_equal(rig_unmap(r, MIB(2), MIB(2) - PAGE, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), tables);
    /* Its whole span, although it is empty by now: it goes. */
    assert_int_equal(rig_unmap(r, MIB(2), MIB(2), &g), UIOMMU_OK);
    assert_true(g.any && g.non_leaf && g.unmapped == 0);
    assert_true(g.start == MIB(2) && g.last == MIB(4) - 1);
    assert_int_equal(rig_tree(r).tables, tables - 1);
    /* But not before it is retired. */
    assert_int_equal(memory_host_live_pages(r->m), tables);
    uim_pt_retire(&r->pt, &g);
    assert_true(g.tables == 0);
    assert_int_equal(memory_host_live_pages(r->m), tables - 1);
    rig_assert_mapped(r, MIB(4), DATA, PAGE, RW);
}

/* Level by level up to all but the root. */
static void all_tables_below_go_too(struct pt_rig *r)
{
    unsigned level;

    for (level = 1; level <= r->pt.top; level++) {
        uint64_t span = UIM_BIT(uim_walk_shift(&r->walk, level));
        uint64_t iova = 0;
        struct rig_state before = rig_state(r);

        assert_int_equal(rig_map(r, iova, DATA, PAGE, RW), UIOMMU_OK);
        assert_int_equal(rig_map(r, span - PAGE, DATA, PAGE, RW), UIOMMU_OK);
        assert_int_equal(rig_map(r, span / 2, DATA, KIB(16), RW), UIOMMU_OK);
        assert_int_equal(rig_unmap(r, iova, span, NULL), UIOMMU_OK);
        rig_assert_hole(r, iova, span);
        assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
        rig_assert_same(r, &before);
    }
}

/* One gather for several calls; retired once. */
static void a_gather_takes_tables_of_many_calls(struct pt_rig *r)
{
    struct rig_state before = rig_state(r);
    struct uim_gather g = { 0 };
    unsigned i;

    for (i = 0; i < 20; i++)
        assert_int_equal(rig_map(r, GIB(1) * i, DATA, MIB(4) + PAGE, RW),
                         UIOMMU_OK);
    for (i = 0; i < 20; i++)
        assert_int_equal(rig_unmap(r, GIB(1) * i, GIB(1), &g), UIOMMU_OK);
    assert_true(g.unmapped == 20 * (MIB(4) + PAGE));
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
    rig_assert_same(r, &before);
}

static void stranded_tables_stay_until_destroy(struct pt_rig *r)
{
    struct uim_gather g = { 0 }, more = { 0 };
    unsigned live;

    assert_int_equal(rig_map(r, MIB(2), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, GIB(5), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 0, GIB(1), &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, GIB(5), GIB(1), &more), UIOMMU_OK);
    live = memory_host_live_pages(r->m);
    uim_pt_strand(&r->pt, &g);
    uim_pt_strand(&r->pt, &more);
    assert_true(g.tables == 0);
    assert_int_equal(memory_host_live_pages(r->m), live);
    assert_int_equal(rig_map(r, MIB(2), DATA, PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 0, GIB(1), NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), live);
}

static void destroy_frees_what_is_mapped(struct pt_rig *r)
{
    assert_int_equal(rig_map(r, 0, DATA, MIB(8) + PAGE, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, GIB(7), DATA, GIB(1), RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, r->last_iova + 1 - MIB(4), DATA, MIB(4), RW),
                     UIOMMU_OK);
    /* pt_rig_close() looks whether it did. */
}

const struct pt_test pt_unmap_tests[] = {
    { "one_page", one_page },
    { "the_first_page_of_a_table", the_first_page_of_a_table },
    { "holes_count_for_nothing", holes_count_for_nothing },
    { "a_gather_grows", a_gather_grows },
    { "part_of_a_leaf_is_refused", part_of_a_leaf_is_refused },
    { "large_leaves_by_themselves", large_leaves_by_themselves },
    { "a_run_of_mixed_leaves", a_run_of_mixed_leaves },
    { "exactly_the_range", exactly_the_range },
    { "tables_go_when_their_span_is_covered",
      tables_go_when_their_span_is_covered },
    { "all_tables_below_go_too", all_tables_below_go_too },
    { "a_gather_takes_tables_of_many_calls",
      a_gather_takes_tables_of_many_calls },
    { "stranded_tables_stay_until_destroy",
      stranded_tables_stay_until_destroy },
    { "destroy_frees_what_is_mapped", destroy_frees_what_is_mapped },
    { NULL, NULL },
};
