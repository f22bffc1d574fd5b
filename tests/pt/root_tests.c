/* SPDX-License-Identifier: MIT */
/* Tables side by side at the root, addresses in two pieces: what only some formats
 * have. */
#include "pt_rig.h"

/* Each of the tables is reached, and each for itself. */
static void every_table_at_the_root(struct pt_rig *r)
{
    const uint64_t span = UIM_BIT(uim_walk_shift(&r->walk, r->c.levels));
    const unsigned n = 1u << r->c.side_by_side;
    unsigned i;

    if (n == 1)
        RIG_NOT_APPLICABLE(r, "one table at the root");
    assert_int_equal(r->pt.root_lg2, r->c.side_by_side);
    assert_true(span * n == r->last_iova + 1);
    assert_true(r->pt.root_phys % (r->page * n) == 0);
    for (i = 0; i < n; i++)
        assert_int_equal(rig_map(r, i * span, DATA + i * r->large, r->page, RW),
                         UIOMMU_OK);
    for (i = 0; i < n; i++) {
        rig_assert_mapped(r, i * span, DATA + i * r->large, r->page, RW);
        rig_assert_hole(r, i * span + r->large, span - r->large);
    }
    /* Across the seam of two of them, and all at once. */
    assert_int_equal(rig_map(r, span - r->page, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, span - r->page, 2 * r->page, NULL),
                     UIOMMU_OK);
    rig_assert_hole(r, 0 + r->large, span);
    assert_int_equal(rig_map(r, span - r->large, DATA, 2 * r->large, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, span - r->large, DATA, 2 * r->large, RW);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
}

/* As many as the width needs, of which the unit is told no less than it walks
 * from that level. */
static void as_many_as_needed(struct pt_rig *r)
{
    const unsigned full = uim_walk_shift(&r->walk, r->c.levels);
    const unsigned least = uim_walk_shift(&r->walk, r->c.levels - 1) + 1;
    unsigned bits;

    if (!r->c.side_by_side)
        RIG_NOT_APPLICABLE(r, "one table at the root");
    for (bits = r->c.ops->min_bits; bits <= pt_case_bits(&r->c); bits++) {
        const struct uim_pt_config config = {
            .host = memory_host_api(r->m),
            .iova_bits = (uint8_t)bits,
            .levels = (uint8_t)r->c.levels,
            .phys_bits = 46,
            .page_sizes = r->c.page_sizes,
            .coherent = r->c.coherent,
        };
        struct uim_pt pt;

        assert_int_equal(r->c.ops->create(&pt, &config), UIOMMU_OK);
        assert_int_equal(pt.root_lg2, bits > full ? bits - full : 0);
        assert_int_equal(pt.input_bits, bits > least ? bits : least);
        r->c.ops->destroy(&pt);
    }
}

/* Where the address in an entry does not carry into the next bit. */
static void across_the_seam_of_addresses(struct pt_rig *r)
{
    const unsigned low = r->c.format->page_lg2 == 16 ? 48 : 50;
    const uint64_t size = 8 * r->page, seam = UIM_BIT(low);
    const uint64_t larger = 2 * r->large + 2 * r->page;

    if (!r->c.format->high)
        RIG_NOT_APPLICABLE(r, "addresses in one piece");
    /* With the tables there already, and without; in pages and in more. */
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(
        rig_map(r, r->large + 4 * r->page, seam - size / 2, size, RW),
        UIOMMU_OK);
    rig_assert_mapped(r, r->large + 4 * r->page, seam - size / 2, size, RW);
    assert_int_equal(rig_map(r, 4 * r->large, seam - size / 2, size, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, 4 * r->large, seam - size / 2, size, RW);
    assert_int_equal(rig_map(r, 9 * r->large - r->page,
                             3 * seam - r->large - r->page, larger, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, 9 * r->large - r->page, 3 * seam - r->large - r->page,
                      larger, RW);
    assert_int_equal(rig_unmap(r, 0, r->huge, NULL), UIOMMU_OK);
    assert_int_equal(rig_tree(r).leaves, 0);
}

const struct pt_test pt_root_tests[] = {
    { "every_table_at_the_root", every_table_at_the_root },
    { "as_many_as_needed", as_many_as_needed },
    { "across_the_seam_of_addresses", across_the_seam_of_addresses },
    { NULL, NULL },
};
