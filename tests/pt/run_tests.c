/* SPDX-License-Identifier: MIT */
/* Runs of leaves that a unit may cache as one (contiguous), which domains ask for
 * as they do for a page size. */
#include "pt_rig.h"

/* What a run of pages spans; 0: there are none. */
static uint64_t run_of_pages(const struct pt_rig *r)
{
    uint64_t run = r->page << r->c.format->run_lg2[0];

    return run > r->page && pt_has(r, run) ? run : 0;
}

static void assert_page_size(struct pt_rig *r, uint64_t iova, uint64_t size)
{
    struct uiommu_trace trace;

    assert_true(rig_look(r, iova, &trace));
    assert_true(trace.page_size == size);
}

/* As large as the unit may take it for, in front of and behind what is left of the
 * table. */
static void whole_runs_are_marked(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 2 * r->large + 3 * run;

    if (!run)
        RIG_NOT_APPLICABLE(r, "no runs");
    assert_int_equal(rig_map(r, iova - r->page, DATA + run - r->page,
                             2 * run + 2 * r->page, RW),
                     UIOMMU_OK);
    assert_page_size(r, iova - r->page, r->page);
    assert_page_size(r, iova, run);
    assert_page_size(r, iova + 2 * run - 1, run);
    assert_page_size(r, iova + 2 * run, r->page);
    rig_assert_mapped(r, iova - r->page, DATA + run - r->page,
                      2 * run + 2 * r->page, RW);
    assert_true(rig_tree(r).mapped == 2 * run + 2 * r->page);
}

/* A run begins at a multiple of its size in both spaces, and is had by one call. */
static void nothing_else_is_marked(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 4 * r->large;
    uint64_t i;

    if (!run)
        RIG_NOT_APPLICABLE(r, "no runs");
    assert_int_equal(rig_map(r, iova, DATA + r->page, 2 * run, RW), UIOMMU_OK);
    assert_page_size(r, iova, r->page);
    assert_page_size(r, iova + run, r->page);
    assert_int_equal(
        rig_map(r, iova + 2 * run, DATA + 2 * run, run - r->page, RW),
        UIOMMU_OK);
    assert_page_size(r, iova + 2 * run, r->page);
    for (i = 4 * run; i < 5 * run; i += r->page)
        assert_int_equal(rig_map(r, iova + i, DATA + i, r->page, RW),
                         UIOMMU_OK);
    assert_page_size(r, iova + 4 * run, r->page);
}

static void large_leaves_have_runs_too(struct pt_rig *r)
{
    const uint64_t run = r->large << r->c.format->run_lg2[1];
    const uint64_t iova = 8 * r->huge;

    if (run == r->large || !pt_has(r, run) || !pt_has(r, r->large))
        RIG_NOT_APPLICABLE(r, "no runs of large leaves");
    assert_int_equal(rig_map(r, iova + r->large, DATA + r->large, 2 * run, RW),
                     UIOMMU_OK);
    assert_page_size(r, iova + run - r->large, r->large);
    assert_page_size(r, iova + run, run);
    assert_page_size(r, iova + 2 * run, r->large);
    rig_assert_mapped(r, iova + r->large, DATA + r->large, 2 * run, RW);
    assert_int_equal(rig_unmap(r, iova + run, r->large, NULL), UIOMMU_INVAL);
    assert_int_equal(rig_unmap(r, iova + run + r->large, run - r->large, NULL),
                     UIOMMU_INVAL);
    assert_int_equal(rig_split(r, iova + run + r->page, r->page, NULL),
                     UIOMMU_OK);
    rig_assert_mapped(r, iova + r->large, DATA + r->large, 2 * run, RW);
    assert_page_size(r, iova + run, r->page);
    assert_page_size(r, iova + run + r->large, r->large);
    assert_int_equal(rig_unmap(r, iova + run + r->large, run - r->large, NULL),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, iova + r->large, run, NULL), UIOMMU_OK);
    assert_int_equal(rig_tree(r).leaves, 1);
}

static void refused(struct pt_rig *r, uint64_t iova, uint64_t size)
{
    struct rig_state before = rig_state(r);
    struct uiommu_gather g = { 0 };

    assert_int_equal(rig_unmap(r, iova, size, &g), UIOMMU_INVAL);
    assert_false(g.any);
    rig_assert_same(r, &before);
}

static void part_of_a_run_is_refused(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 2 * r->large + run;
    struct uiommu_gather g = { 0 };

    if (!run)
        RIG_NOT_APPLICABLE(r, "no runs");
    assert_int_equal(rig_map(r, iova, DATA, 2 * run, RW), UIOMMU_OK);
    refused(r, iova, r->page);
    refused(r, iova + r->page, r->page);
    refused(r, iova + run - r->page, r->page);
    refused(r, iova, run + r->page);
    refused(r, iova + r->page, 2 * run - r->page);
    refused(r, iova + run - r->page, 2 * r->large);
    refused(r, 0, iova + r->page);
    assert_int_equal(rig_unmap(r, iova, run, &g), UIOMMU_OK);
    assert_true(g.start == iova && g.last == iova + run - 1);
    assert_true(g.unmapped == run);
    rig_assert_mapped(r, iova + run, DATA + run, run, RW);
    assert_int_equal(rig_unmap(r, 0, 4 * r->large, NULL), UIOMMU_OK);
    assert_int_equal(rig_tree(r).leaves, 0);
}

/* At the last run of a table the end of the range is no entry of it. */
static void up_to_the_end_of_a_table(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 2 * r->large - run;

    if (!run)
        RIG_NOT_APPLICABLE(r, "no runs");
    assert_int_equal(rig_map(r, iova, DATA, 2 * run, RW), UIOMMU_OK);
    assert_page_size(r, iova, run);
    assert_page_size(r, iova + run, run);
    refused(r, iova + r->page, run - r->page);
    refused(r, iova, run + r->page);
    assert_int_equal(rig_unmap(r, iova, run, NULL), UIOMMU_OK);
    rig_assert_hole(r, iova, run);
    rig_assert_mapped(r, iova + run, DATA + run, run, RW);
}

/* The mark goes from the whole run, and what is mapped stays. */
static void a_run_can_be_split(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 6 * r->large;
    struct uiommu_gather g = { 0 };

    if (!run)
        RIG_NOT_APPLICABLE(r, "no runs");
    assert_int_equal(rig_map(r, iova, DATA, 3 * run, RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, iova + run + r->page, r->page, &g),
                     UIOMMU_OK);
    assert_true(g.any && g.unmapped == 0 && g.tables == 0);
    assert_true(g.start == iova + run && g.last == iova + 2 * run - 1);
    assert_page_size(r, iova, run);
    assert_page_size(r, iova + run, r->page);
    assert_page_size(r, iova + 2 * run - r->page, r->page);
    assert_page_size(r, iova + 2 * run, run);
    rig_assert_mapped(r, iova, DATA, 3 * run, RW);
    assert_int_equal(rig_unmap(r, iova + run + r->page, r->page, NULL),
                     UIOMMU_OK);
    rig_assert_hole(r, iova + run + r->page, r->page);
}

/* ---- break before make --------------------------------------------------- */

/* The unit does not stand a leaf that gives way to others while it is valid. */
static void whole_leaves_are_not_split(struct pt_rig *r)
{
    const uint64_t run = run_of_pages(r), iova = 2 * r->huge;
    struct uiommu_gather g = { 0 };
    struct rig_state before;

    r->pt.whole_leaves = true;
    assert_int_equal(rig_map(r, iova, DATA, r->large, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, iova + r->huge, DATA, r->huge, RW), UIOMMU_OK);
    before = rig_state(r);
    if (run || pt_has(r, r->large))
        assert_int_equal(rig_split(r, iova + r->page, r->page, &g),
                         UIOMMU_OPNOTSUPP);
    if (pt_has(r, r->large | r->huge))
        assert_int_equal(rig_split(r, iova, r->huge + r->page, &g),
                         UIOMMU_OPNOTSUPP);
    /* Nothing to be split is no reason to refuse. */
    assert_int_equal(rig_split(r, iova, 2 * r->huge, &g), UIOMMU_OK);
    assert_int_equal(rig_split(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    assert_false(g.any);
    rig_assert_same(r, &before);
}

const struct pt_test pt_run_tests[] = {
    { "whole_runs_are_marked", whole_runs_are_marked },
    { "nothing_else_is_marked", nothing_else_is_marked },
    { "large_leaves_have_runs_too", large_leaves_have_runs_too },
    { "part_of_a_run_is_refused", part_of_a_run_is_refused },
    { "up_to_the_end_of_a_table", up_to_the_end_of_a_table },
    { "a_run_can_be_split", a_run_can_be_split },
    { "whole_leaves_are_not_split", whole_leaves_are_not_split },
    { NULL, NULL },
};
