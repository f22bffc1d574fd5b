/* SPDX-License-Identifier: MIT */
/* split, and the bits that a unit sets by itself. */
#include "pt_rig.h"

/* The CPU's view of the word that translates iova. */
static uim_word *entry_of(struct pt_rig *r, uint64_t iova)
{
    struct uim_walk_result walk;

    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys, iova,
             &walk);
    assert_int_equal(walk.end.kind, UIM_WALK_LEAF);
    return (uim_word *)memory_host_virt(r->m, walk.entry_phys[walk.level]);
}

static bool no_large_leaves(const struct pt_rig *r)
{
    return !pt_has(r, r->large) && !pt_has(r, r->huge);
}

static uint64_t largest(const struct pt_rig *r)
{
    return pt_has(r, r->huge) ? r->huge : r->large;
}

static void nothing_to_split(struct pt_rig *r)
{
    struct uiommu_gather g = { 0 };
    struct rig_state before;

    assert_int_equal(rig_split(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    assert_int_equal(rig_map(r, 0, DATA + r->page, 16 * r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, r->huge, DATA, r->huge, RW), UIOMMU_OK);
    before = rig_state(r);
    assert_int_equal(rig_split(r, r->page, 3 * r->page, &g), UIOMMU_OK);
    assert_int_equal(rig_split(r, r->huge, r->huge, &g), UIOMMU_OK);
    assert_int_equal(rig_split(r, 0, 4 * r->huge, &g), UIOMMU_OK);
    assert_false(g.any);
    rig_assert_same(r, &before);
}

static void then_part_of_it_can_go(struct pt_rig *r)
{
    const uint64_t size = largest(r), iova = 6 * r->huge;
    const uint64_t start = iova + 5 * r->page, part = 3 * r->page;
    struct uiommu_gather g = { 0 };

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, iova, DATA, size, RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, start, part, &g), UIOMMU_OK);
    assert_true(g.any && g.non_leaf);
    assert_true(g.unmapped == 0 && g.tables == 0);
    assert_true(g.start == iova && g.last == iova + size - 1);
    rig_assert_mapped(r, iova, DATA, size, RW);
    assert_int_equal(rig_unmap(r, start, part, NULL), UIOMMU_OK);
    rig_assert_mapped(r, iova, DATA, 5 * r->page, RW);
    rig_assert_hole(r, start, part);
    rig_assert_mapped(r, start + part, DATA + 8 * r->page, size - 8 * r->page,
                      RW);
}

/* Ends in different leaves, each to be broken. */
static void both_ends(struct pt_rig *r)
{
    const uint64_t size = largest(r), iova = 8 * r->huge;
    struct uiommu_gather g = { 0 };

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, iova, DATA, 4 * size, UIOMMU_READ), UIOMMU_OK);
    assert_int_equal(rig_split(r, iova + r->page, 3 * size, &g), UIOMMU_OK);
    assert_true(g.start == iova && g.last == iova + 4 * size - 1);
    rig_assert_mapped(r, iova, DATA, 4 * size, UIOMMU_READ);
    assert_int_equal(rig_unmap(r, iova + r->page, 3 * size, NULL), UIOMMU_OK);
    rig_assert_mapped(r, iova, DATA, r->page, UIOMMU_READ);
    rig_assert_hole(r, iova + r->page, 3 * size);
    rig_assert_mapped(r, iova + 3 * size + r->page, DATA + 3 * size + r->page,
                      size - r->page, UIOMMU_READ);
}

/* Only as far as needed: the other leaves stay as large as they can be. */
static void no_further_than_needed(struct pt_rig *r)
{
    const uint64_t in_huge = r->huge / r->large;
    struct uiommu_trace trace;

    if (!pt_has(r, r->large) || !pt_has(r, r->huge))
        RIG_NOT_APPLICABLE(r, "there is no size in between");
    assert_int_equal(rig_map(r, 4 * r->huge, DATA, r->huge, RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, 4 * r->huge + r->large, r->large, NULL),
                     UIOMMU_OK);
    assert_true(rig_look(r, 4 * r->huge + 3 * r->large / 2, &trace));
    assert_true(trace.page_size == r->large);
    assert_int_equal(rig_tree(r).leaves, in_huge);
    assert_int_equal(rig_split(r, 4 * r->huge + r->page, r->page, NULL),
                     UIOMMU_OK);
    assert_true(rig_look(r, 4 * r->huge, &trace));
    assert_true(trace.page_size == r->page);
    assert_true(rig_look(r, 4 * r->huge + r->large, &trace));
    assert_true(trace.page_size == r->large);
    assert_int_equal(rig_tree(r).leaves, in_huge - 1 + r->large / r->page);
}

/* A domain without the size in between needs a table full of tables. */
static void a_size_left_out(struct pt_rig *r)
{
    if (pt_has(r, r->large) || !pt_has(r, r->huge))
        RIG_NOT_APPLICABLE(r, "no size is left out");
    assert_int_equal(rig_map(r, 4 * r->huge, DATA, r->huge, RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, 4 * r->huge + r->large, r->large, NULL),
                     UIOMMU_OK);
    rig_assert_mapped(r, 4 * r->huge, DATA, r->huge, RW);
    assert_int_equal(rig_tree(r).leaves, r->huge / r->page);
    assert_true(rig_tree(r).mapped == r->huge);
}

static void accessed_and_dirty_are_kept(struct pt_rig *r)
{
    const uint64_t bits = r->c.format->accessed | r->c.format->dirty;
    const uint64_t size = largest(r), iova = 2 * r->huge;
    struct uim_walk_result walk;
    uim_word *entry;

    if (no_large_leaves(r) || !r->c.coherent)
        RIG_NOT_APPLICABLE(r, "needs large leaves and a unit that snoops");
    assert_int_equal(rig_map(r, iova, DATA, size, RW), UIOMMU_OK);
    entry = entry_of(r, iova);
    uim_st64(entry, uim_ld64(entry) | bits);
    assert_int_equal(rig_split(r, iova + r->page, r->page, NULL), UIOMMU_OK);
    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys,
             iova + size - r->page, &walk);
    assert_int_equal(walk.end.kind, UIM_WALK_LEAF);
    assert_true(walk.end.accessed && walk.end.dirty);
    rig_assert_mapped(r, iova, DATA, size, RW);
}

/* The unit sets A and D just before the table takes the leaf's place. */
struct unit {
    uim_word *entry;
    uint64_t set, clear;
    unsigned times;
};

static void set_bits(void *ctx)
{
    struct unit *unit = ctx;

    if (unit->times++ == 0)
        uim_st64(unit->entry,
                 (uim_ld64(unit->entry) | unit->set) & ~unit->clear);
}

static void dirty_in_the_last_moment(struct pt_rig *r)
{
    struct unit unit = {
        .set = r->c.format->accessed | r->c.format->dirty,
        .clear = r->c.format->clean,
    };
    const uint64_t size = largest(r), iova = 2 * r->huge;
    const unsigned rights = r->c.format->modify ? RW : UIOMMU_READ;
    struct uim_walk_result walk;

    if (no_large_leaves(r) || !r->c.coherent)
        RIG_NOT_APPLICABLE(r, "needs large leaves and a unit that snoops");
    assert_int_equal(rig_map(r, iova, DATA, size, UIOMMU_READ), UIOMMU_OK);
    unit.entry = entry_of(r, iova);
    uim_st64(unit.entry, uim_ld64(unit.entry) | r->c.format->modify);
    memory_host_interrupt(r->m, set_bits, &unit);
    assert_int_equal(rig_split(r, iova + r->large / 2, r->page, NULL),
                     UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_true(unit.times > 0);
    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys,
             iova + r->large / 2 + r->page, &walk);
    assert_true(walk.end.accessed && walk.end.dirty);
    rig_assert_mapped(r, iova, DATA, size, rights);
}

/* The leaf goes while it is being split: the caller's error, but no more. */
struct thief {
    struct pt_rig *r;
    uint64_t iova, size;
    unsigned times;
};

static void steal(void *ctx)
{
    struct thief *thief = ctx;
    struct pt_rig *r = thief->r;
    struct uiommu_gather g = { 0 };

    if (thief->times++ > 0)
        return;
    assert_int_equal(r->c.ops->unmap(&r->pt, thief->iova, thief->size, &g),
                     UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
}

static void a_leaf_that_goes_meanwhile(struct pt_rig *r)
{
    struct thief thief = { .r = r, .iova = 2 * r->huge, .size = largest(r) };
    struct rig_state before;

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, 0, DATA, 2 * r->huge, RW), UIOMMU_OK);
    before = rig_state(r);
    assert_int_equal(rig_map(r, 2 * r->huge, DATA, thief.size, RW), UIOMMU_OK);
    memory_host_interrupt(r->m, steal, &thief);
    assert_int_equal(rig_split(r, 2 * r->huge + r->page, r->page, NULL),
                     UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_int_equal(rig_unmap(r, 2 * r->huge, r->huge, NULL), UIOMMU_OK);
    rig_assert_same(r, &before);
}

const struct pt_test pt_split_tests[] = {
    { "nothing_to_split", nothing_to_split },
    { "then_part_of_it_can_go", then_part_of_it_can_go },
    { "both_ends", both_ends },
    { "no_further_than_needed", no_further_than_needed },
    { "a_size_left_out", a_size_left_out },
    { "accessed_and_dirty_are_kept", accessed_and_dirty_are_kept },
    { "dirty_in_the_last_moment", dirty_in_the_last_moment },
    { "a_leaf_that_goes_meanwhile", a_leaf_that_goes_meanwhile },
    { NULL, NULL },
};
