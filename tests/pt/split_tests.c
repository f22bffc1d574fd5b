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
    return !pt_has(r, 21) && !pt_has(r, 30);
}

static uint64_t largest(const struct pt_rig *r)
{
    return pt_has(r, 30) ? GIB(1) : MIB(2);
}

static void nothing_to_split(struct pt_rig *r)
{
    struct uim_gather g = { 0 };
    struct rig_state before;

    assert_int_equal(rig_split(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    assert_int_equal(rig_map(r, 0, DATA, KIB(64), RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, GIB(1), DATA, GIB(1), RW), UIOMMU_OK);
    before = rig_state(r);
    assert_int_equal(rig_split(r, PAGE, KIB(12), &g), UIOMMU_OK);
    assert_int_equal(rig_split(r, GIB(1), GIB(1), &g), UIOMMU_OK);
    assert_int_equal(rig_split(r, 0, GIB(4), &g), UIOMMU_OK);
    assert_false(g.any);
    rig_assert_same(r, &before);
}

static void then_part_of_it_can_go(struct pt_rig *r)
{
    const uint64_t size = largest(r), iova = GIB(6);
    const uint64_t start = iova + KIB(20), part = KIB(12);
    struct uim_gather g = { 0 };

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, iova, DATA, size, RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, start, part, &g), UIOMMU_OK);
    assert_true(g.any && g.non_leaf);
    assert_true(g.unmapped == 0 && g.tables == 0);
    assert_true(g.start == iova && g.last == iova + size - 1);
    rig_assert_mapped(r, iova, DATA, size, RW);
    assert_int_equal(rig_unmap(r, start, part, NULL), UIOMMU_OK);
    rig_assert_mapped(r, iova, DATA, KIB(20), RW);
    rig_assert_hole(r, start, part);
    rig_assert_mapped(r, start + part, DATA + KIB(32), size - KIB(32), RW);
}

/* Ends in different leaves, each to be broken. */
static void both_ends(struct pt_rig *r)
{
    const uint64_t size = largest(r), iova = GIB(8);
    struct uim_gather g = { 0 };

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, iova, DATA, 4 * size, UIOMMU_READ), UIOMMU_OK);
    assert_int_equal(rig_split(r, iova + PAGE, 3 * size, &g), UIOMMU_OK);
    assert_true(g.start == iova && g.last == iova + 4 * size - 1);
    rig_assert_mapped(r, iova, DATA, 4 * size, UIOMMU_READ);
    assert_int_equal(rig_unmap(r, iova + PAGE, 3 * size, NULL), UIOMMU_OK);
    rig_assert_mapped(r, iova, DATA, PAGE, UIOMMU_READ);
    rig_assert_hole(r, iova + PAGE, 3 * size);
    rig_assert_mapped(r, iova + 3 * size + PAGE, DATA + 3 * size + PAGE,
                      size - PAGE, UIOMMU_READ);
}

/* Only as far as needed: the other leaves stay as large as they can be. */
static void no_further_than_needed(struct pt_rig *r)
{
    struct uiommu_trace trace;

    if (!pt_has(r, 21) || !pt_has(r, 30))
        RIG_NOT_APPLICABLE(r, "there is no size in between");
    assert_int_equal(rig_map(r, GIB(4), DATA, GIB(1), RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, GIB(4) + MIB(2), MIB(2), NULL), UIOMMU_OK);
    assert_true(rig_look(r, GIB(4) + MIB(3), &trace));
    assert_true(trace.page_size == MIB(2));
    assert_int_equal(rig_tree(r).leaves, 512);
    assert_int_equal(rig_split(r, GIB(4) + PAGE, PAGE, NULL), UIOMMU_OK);
    assert_true(rig_look(r, GIB(4), &trace));
    assert_true(trace.page_size == PAGE);
    assert_true(rig_look(r, GIB(4) + MIB(2), &trace));
    assert_true(trace.page_size == MIB(2));
    assert_int_equal(rig_tree(r).leaves, 511 + 512);
}

/* A domain without the size in between needs a table full of tables. */
static void a_size_left_out(struct pt_rig *r)
{
    if (pt_has(r, 21) || !pt_has(r, 30))
        RIG_NOT_APPLICABLE(r, "no size is left out");
    assert_int_equal(rig_map(r, GIB(4), DATA, GIB(1), RW), UIOMMU_OK);
    assert_int_equal(rig_split(r, GIB(4) + MIB(2), MIB(2), NULL), UIOMMU_OK);
    rig_assert_mapped(r, GIB(4), DATA, GIB(1), RW);
    assert_int_equal(rig_tree(r).leaves, 512 * 512);
    assert_true(rig_tree(r).mapped == GIB(1));
}

static void accessed_and_dirty_are_kept(struct pt_rig *r)
{
    const uint64_t bits = r->c.format->accessed | r->c.format->dirty;
    const uint64_t size = largest(r), iova = GIB(2);
    struct uim_walk_result walk;
    uim_word *entry;

    if (no_large_leaves(r) || !r->c.coherent)
        RIG_NOT_APPLICABLE(r, "needs large leaves and a unit that snoops");
    assert_int_equal(rig_map(r, iova, DATA, size, RW), UIOMMU_OK);
    entry = entry_of(r, iova);
    uim_st64(entry, uim_ld64(entry) | bits);
    assert_int_equal(rig_split(r, iova + PAGE, PAGE, NULL), UIOMMU_OK);
    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys,
             iova + size - PAGE, &walk);
    assert_int_equal(walk.end.kind, UIM_WALK_LEAF);
    assert_true(walk.end.accessed && walk.end.dirty);
    rig_assert_mapped(r, iova, DATA, size, RW);
}

/* The unit sets A and D just before the table takes the leaf's place. */
struct unit {
    uim_word *entry;
    uint64_t bits;
    unsigned times;
};

static void set_bits(void *ctx)
{
    struct unit *unit = ctx;

    if (unit->times++ == 0)
        uim_st64(unit->entry, uim_ld64(unit->entry) | unit->bits);
}

static void dirty_in_the_last_moment(struct pt_rig *r)
{
    struct unit unit = {
        .bits = r->c.format->accessed | r->c.format->dirty,
    };
    const uint64_t size = largest(r), iova = GIB(2);
    struct uim_walk_result walk;

    if (no_large_leaves(r) || !r->c.coherent)
        RIG_NOT_APPLICABLE(r, "needs large leaves and a unit that snoops");
    assert_int_equal(rig_map(r, iova, DATA, size, UIOMMU_READ), UIOMMU_OK);
    unit.entry = entry_of(r, iova);
    memory_host_interrupt(r->m, set_bits, &unit);
    assert_int_equal(rig_split(r, iova + MIB(1), PAGE, NULL), UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_true(unit.times > 0);
    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys,
             iova + MIB(1) + PAGE, &walk);
    assert_true(walk.end.accessed && walk.end.dirty);
    rig_assert_mapped(r, iova, DATA, size, UIOMMU_READ);
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
    struct uim_gather g = { 0 };

    if (thief->times++ > 0)
        return;
    assert_int_equal(r->c.ops->unmap(&r->pt, thief->iova, thief->size, &g),
                     UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
}

static void a_leaf_that_goes_meanwhile(struct pt_rig *r)
{
    struct thief thief = { .r = r, .iova = GIB(2), .size = largest(r) };
    struct rig_state before;

    if (no_large_leaves(r))
        RIG_NOT_APPLICABLE(r, "all leaves are pages");
    assert_int_equal(rig_map(r, 0, DATA, GIB(2), RW), UIOMMU_OK);
    before = rig_state(r);
    assert_int_equal(rig_map(r, GIB(2), DATA, thief.size, RW), UIOMMU_OK);
    memory_host_interrupt(r->m, steal, &thief);
    assert_int_equal(rig_split(r, GIB(2) + PAGE, PAGE, NULL), UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_int_equal(rig_unmap(r, GIB(2), GIB(1), NULL), UIOMMU_OK);
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
