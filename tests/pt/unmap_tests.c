/* SPDX-License-Identifier: MIT */
/* unmap, what it gathers, and what becomes of tables. */
#include "pt_rig.h"

static void assert_gathered(const struct uiommu_gather *g, uint64_t start,
                            uint64_t size, uint64_t unmapped)
{
    assert_true(g->any);
    assert_true(g->start == start);
    assert_true(g->last == start + (size - 1));
    assert_true(g->unmapped == unmapped);
}

static void one_page(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };

    assert_int_equal(rig_map(r, r->large, DATA, 3 * r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, r->large + r->page, r->page, &g), UIOMMU_OK);
    assert_gathered(&g, r->large + r->page, r->page, r->page);
    assert_false(g.non_leaf);
    assert_true(g.tables == 0);
    rig_assert_mapped(r, r->large, DATA, r->page, RW);
    rig_assert_hole(r, r->large + r->page, r->page);
    rig_assert_mapped(r, r->large + 2 * r->page, DATA + 2 * r->page, r->page,
                      RW);
}

/* Entry 0 of a table is changed by another instruction than the others. */
static void the_first_page_of_a_table(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };

    assert_int_equal(rig_map(r, 2 * r->large, DATA, 2 * r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 2 * r->large, r->page, &g), UIOMMU_OK);
    assert_gathered(&g, 2 * r->large, r->page, r->page);
    rig_assert_hole(r, 2 * r->large, r->page);
    assert_int_equal(rig_map(r, 2 * r->large, DATA + r->large / 2, r->page, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, 2 * r->large, DATA + r->large / 2, r->page, RW);
}

static void holes_count_for_nothing(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };
    uint64_t mib = r->large / 2;

    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    assert_false(g.any);
    assert_true(g.unmapped == 0);
    assert_int_equal(rig_map(r, mib + 4 * r->page, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, mib + 8 * r->page, DATA, 2 * r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, mib, r->large / 2 - r->page, &g), UIOMMU_OK);
    /* Only from the first to the last page that was mapped. */
    assert_gathered(&g, mib + 4 * r->page, 6 * r->page, 3 * r->page);
    g = (struct uiommu_gather){ 0 };
    assert_int_equal(rig_unmap(r, mib, r->large / 2 - r->page, &g), UIOMMU_OK);
    assert_false(g.any);
    assert_int_equal(rig_tree(r).leaves, 0);
}

static void a_gather_grows(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };

    assert_int_equal(rig_map(r, 3 * r->large / 2, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, 9 * r->large / 2, DATA, 2 * r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 9 * r->large / 2 + r->page, r->page, &g),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 3 * r->large / 2, r->page, &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 9 * r->large / 2, r->page, &g), UIOMMU_OK);
    assert_gathered(&g, 3 * r->large / 2, 3 * r->large + 2 * r->page,
                    3 * r->page);
}

static void part_of_a_leaf_is_refused(struct pt_rig *r)
{
    const uint64_t size = pt_has(r, r->huge) ? r->huge : r->large;
    const struct {
        uint64_t iova, size;
    } parts[] = {
        { 4 * r->huge, r->page },
        { 4 * r->huge + r->page, r->page },
        { 4 * r->huge + size - r->page, r->page },
        { 4 * r->huge + size - r->page, r->large },
        { 4 * r->huge - 2 * r->large, 2 * r->large + r->page },
        { 4 * r->huge + r->large / 2, size },
    };
    struct rig_state before;
    unsigned i;

    if (!pt_has(r, r->large) && !pt_has(r, r->huge))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, 4 * r->huge, DATA, size, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, 4 * r->huge - r->page, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, 4 * r->huge + size, DATA, 2 * r->page, RW),
                     UIOMMU_OK);
    before = rig_state(r);
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct uiommu_gather g = { 0 };

        assert_int_equal(rig_unmap(r, parts[i].iova, parts[i].size, &g),
                         UIOMMU_INVAL);
        assert_false(g.any);
        rig_assert_same(r, &before);
    }
    assert_int_equal(rig_unmap(r, 4 * r->huge, size, NULL), UIOMMU_OK);
    rig_assert_hole(r, 4 * r->huge, size);
}

static void large_leaves_by_themselves(struct pt_rig *r)
{
    const uint64_t sizes[] = { r->large, r->huge };
    unsigned i;

    for (i = 0; i < 2; i++) {
        struct uiommu_gather g = { 0 };

        assert_int_equal(rig_map(r, 2 * r->huge, DATA, sizes[i], RW),
                         UIOMMU_OK);
        assert_int_equal(rig_unmap(r, 2 * r->huge, sizes[i], &g), UIOMMU_OK);
        assert_gathered(&g, 2 * r->huge, sizes[i], sizes[i]);
        assert_true(g.non_leaf == (g.tables != 0));
        uim_pt_retire(&r->pt, &g);
        rig_assert_hole(r, 2 * r->huge, sizes[i]);
    }
}

static void a_run_of_mixed_leaves(struct pt_rig *r)
{
    uint64_t iova = r->huge - 2 * r->large - 2 * r->page;
    uint64_t size = r->huge + 2 * (2 * r->large + 2 * r->page);
    struct rig_state before = rig_state(r);
    struct uiommu_gather g = { 0 };

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
    const uint64_t cut[] = { r->page, r->large - r->page, r->large,
                             r->large + r->page, 3 * r->large };
    unsigned i;

    for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        uint64_t iova = r->huge * (i + 1), size = 8 * r->large;

        /* Aligned for pages only. */
        assert_int_equal(rig_map(r, iova, DATA + r->page, size, RW), UIOMMU_OK);
        assert_int_equal(rig_unmap(r, iova + cut[i], 2 * r->large, NULL),
                         UIOMMU_OK);
        rig_assert_mapped(r, iova, DATA + r->page, cut[i], RW);
        rig_assert_hole(r, iova + cut[i], 2 * r->large);
        rig_assert_mapped(r, iova + cut[i] + 2 * r->large,
                          DATA + r->page + cut[i] + 2 * r->large,
                          size - cut[i] - 2 * r->large, RW);
    }
}

static void tables_go_when_their_span_is_covered(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };
    unsigned tables;

    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, 2 * r->large, DATA, r->page, RW), UIOMMU_OK);
    tables = memory_host_live_pages(r->m);
    /* All but one page of the span: the table stays. */
    assert_int_equal(rig_unmap(r, r->large, r->large - r->page, NULL),
                     UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), tables);
    /* Its whole span, although it is empty by now: it goes. */
    assert_int_equal(rig_unmap(r, r->large, r->large, &g), UIOMMU_OK);
    assert_true(g.any && g.non_leaf && g.unmapped == 0);
    assert_true(g.start == r->large && g.last == 2 * r->large - 1);
    assert_int_equal(rig_tree(r).tables, tables - 1);
    /* But not before it is retired. */
    assert_int_equal(memory_host_live_pages(r->m), tables);
    uim_pt_retire(&r->pt, &g);
    assert_true(g.tables == 0);
    assert_int_equal(memory_host_live_pages(r->m), tables - 1);
    rig_assert_mapped(r, 2 * r->large, DATA, r->page, RW);
}

/* Level by level up to all but the root. */
static void all_tables_below_go_too(struct pt_rig *r)
{
    unsigned level;

    for (level = 1; level <= r->pt.top; level++) {
        uint64_t span = UIM_BIT(uim_walk_shift(&r->walk, level));
        uint64_t iova = 0;
        struct rig_state before = rig_state(r);

        assert_int_equal(rig_map(r, iova, DATA, r->page, RW), UIOMMU_OK);
        assert_int_equal(rig_map(r, span - r->page, DATA, r->page, RW),
                         UIOMMU_OK);
        assert_int_equal(rig_map(r, span / 2, DATA, 4 * r->page, RW),
                         UIOMMU_OK);
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
    struct uiommu_gather g = { 0 };
    unsigned i;

    for (i = 0; i < 20; i++)
        assert_int_equal(
            rig_map(r, r->huge * i, DATA, 2 * r->large + r->page, RW),
            UIOMMU_OK);
    for (i = 0; i < 20; i++)
        assert_int_equal(rig_unmap(r, r->huge * i, r->huge, &g), UIOMMU_OK);
    assert_true(g.unmapped == 20 * (2 * r->large + r->page));
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
    rig_assert_same(r, &before);
}

static void stranded_tables_stay_until_destroy(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 }, more = { 0 };
    unsigned live;

    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, 5 * r->huge, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 0, r->huge, &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 5 * r->huge, r->huge, &more), UIOMMU_OK);
    live = memory_host_live_pages(r->m);
    uim_pt_strand(&r->pt, &g);
    uim_pt_strand(&r->pt, &more);
    assert_true(g.tables == 0);
    assert_int_equal(memory_host_live_pages(r->m), live);
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 0, r->huge, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), live);
}

static void destroy_frees_what_is_mapped(struct pt_rig *r)
{
    assert_int_equal(rig_map(r, 0, DATA, 4 * r->large + r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, 7 * r->huge, DATA, r->huge, RW), UIOMMU_OK);
    assert_int_equal(
        rig_map(r, r->last_iova + 1 - 2 * r->large, DATA, 2 * r->large, RW),
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
