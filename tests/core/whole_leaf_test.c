/* SPDX-License-Identifier: MIT */
/*
 * whole_leaf_test.c - units that want a leaf to be unmapped before its size changes
 * (break before make; IHI 0070 3.21.1, IDR3.BBML below 2): split is refused where it
 * had to change one, and unmap takes leaves as a whole, as everywhere.
 */
#include "tests/core/help.h"

#define BASE  GIB(2)
#define LARGE MIB(2)
#define PHYS  MIB(32)

static bool with_bbml(struct rig *rig, const char **why, const char *args)
{
    *why = "VT-d lets the size of a leaf change";
    rig->config.args = args;
    return rig->config.mode >= SIM_STAGE_1;
}

static bool breaks_first(struct rig *rig, const char **why)
{
    return with_bbml(rig, why, "bbml=0");
}

static bool breaks_first_or_says_so(struct rig *rig, const char **why)
{
    return with_bbml(rig, why, "bbml=1");
}

static bool takes_any_size(struct rig *rig, const char **why)
{
    return with_bbml(rig, why, "bbml=2");
}

static struct uiommu_domain *with_large_leaf(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_trace t;

    rig_ok(uiommu_map(d, BASE, PHYS, LARGE, RIG_RW));
    rig_ok(uiommu_walk(d, BASE, &t));
    assert_int_equal(t.page_size, LARGE);
    return d;
}

static void is_whole(struct rig *rig, struct uiommu_domain *d)
{
    struct uiommu_trace t;

    rig_ok(uiommu_walk(d, BASE + RIG_PAGE, &t));
    assert_int_equal(t.page_size, LARGE);
    assert_true(rig_reaches(rig, 0, BASE, PHYS));
    assert_true(rig_reaches(rig, 0, BASE + LARGE - 8, PHYS + LARGE - 8));
}

static void a_split_of_a_leaf_is_refused_and_explained(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);
    struct rig_state before = rig_state(rig);

    rig_is(uiommu_split(d, BASE + RIG_PAGE, RIG_PAGE), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "split at iova 0x80001000: a unit");
    assert_says(sim_last_log(rig->m), "break before make");
    rig_is(uiommu_split(d, BASE - LARGE, LARGE + RIG_PAGE), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_split(d, BASE + LARGE - RIG_PAGE, LARGE), UIOMMU_OPNOTSUPP);
    rig_assert_same(rig, &before);
    is_whole(rig, d);
    rig_drop(rig, 0, d);
}

/* No leaf straddles an end: there is nothing to change. */
static void a_split_between_leaves_is_done(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);

    rig_ok(uiommu_split(d, BASE, LARGE));
    rig_ok(uiommu_split(d, BASE - LARGE, 3 * LARGE));
    rig_ok(uiommu_split(d, BASE + LARGE, RIG_PAGE));
    is_whole(rig, d);
    rig_drop(rig, 0, d);
}

static void a_part_of_a_leaf_is_not_unmapped(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);
    uint64_t gone = 1;

    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, &gone), UIOMMU_INVAL);
    rig_is(uiommu_unmap(d, BASE + RIG_PAGE, LARGE, &gone), UIOMMU_INVAL);
    assert_int_equal(gone, 1);
    is_whole(rig, d);
    rig_drop(rig, 0, d);
}

/* Holes and small leaves around it go along. */
static void whole_leaves_are_unmapped(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);
    uint64_t gone;

    map_page(d, BASE - RIG_PAGE, PHYS);
    map_page(d, BASE + LARGE + RIG_PAGE, PHYS);
    assert_true(rig_reaches(rig, 0, BASE, PHYS));
    rig_ok(uiommu_unmap(d, BASE - RIG_PAGE, LARGE + 3 * RIG_PAGE, &gone));
    assert_int_equal(gone, LARGE + 2 * RIG_PAGE);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 0, BASE + LARGE - 8));
    assert_true(rig_refused(rig, 0, BASE - 8));
    rig_drop(rig, 0, d);
}

/* The break that the unit wants is the unmap: what the device had cached of the large
 * leaf, and of small ones afterwards, does not meet. */
static void sizes_change_by_unmapping_first(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);
    const uint64_t other = PHYS + LARGE + RIG_PAGE;

    is_whole(rig, d);
    rig_ok(uiommu_unmap(d, BASE, LARGE, NULL));
    map_page(d, BASE + RIG_PAGE, other);
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, other));
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_unmap(d, BASE, LARGE, NULL)); /* and the table with it */
    rig_ok(uiommu_map(d, BASE, PHYS, LARGE, RIG_RW));
    is_whole(rig, d);
    rig_drop(rig, 0, d);
}

static void a_unit_that_takes_any_size_is_split_for(struct rig *rig)
{
    struct uiommu_domain *d = with_large_leaf(rig);
    uint64_t gone;

    is_whole(rig, d);
    rig_ok(uiommu_split(d, BASE, RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, &gone));
    assert_int_equal(gone, RIG_PAGE);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, PHYS + RIG_PAGE));
    rig_drop(rig, 0, d);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(a_split_of_a_leaf_is_refused_and_explained, breaks_first),
        RIG_TEST_ON(a_split_between_leaves_is_done, breaks_first),
        RIG_TEST_ON(a_part_of_a_leaf_is_not_unmapped, breaks_first),
        RIG_TEST_ON(whole_leaves_are_unmapped, breaks_first),
        RIG_TEST_ON(sizes_change_by_unmapping_first, breaks_first),
        { .name = "a_split_of_a_leaf_is_refused_with_bbml_1",
          .run = a_split_of_a_leaf_is_refused_and_explained,
          .prepare = breaks_first_or_says_so },
        RIG_TEST_ON(a_unit_that_takes_any_size_is_split_for, takes_any_size),
        { .name = NULL },
    };

    return rig_run("whole leaves", tests);
}
