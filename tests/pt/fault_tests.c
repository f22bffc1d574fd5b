/* SPDX-License-Identifier: MIT */
/* Every allocation fails once: nothing is left behind, and the next try
 * works. */
#include "pt_rig.h"

typedef enum uiommu_status (*fallible)(struct pt_rig *r);

/* Fails the first allocation of `op`, then the second, until it succeeds. What
 * it returns then is what it returned without failures; how many failed.     */
static unsigned fail_each(struct pt_rig *r, fallible op)
{
    struct rig_state before = rig_state(r);
    unsigned nth;

    for (nth = 1;; nth++) {
        enum uiommu_status status;

        memory_host_fail(r->m, nth);
        status = op(r);
        if (memory_host_could_fail(r->m) < nth) {
            memory_host_fail(r->m, 0);
            assert_int_equal(status, UIOMMU_OK);
            return nth - 1;
        }
        memory_host_fail(r->m, 0);
        assert_int_equal(status, UIOMMU_NOMEM);
        rig_assert_same(r, &before);
    }
}

static enum uiommu_status map_page(struct pt_rig *r)
{
    return rig_map(r, 3 * r->huge + r->large, DATA, r->page, RW);
}

static enum uiommu_status map_much(struct pt_rig *r)
{
    return rig_map(r, r->huge - 3 * r->large - r->page, DATA, 6 * r->large, RW);
}

/* Table after table, with something mapped on either side. */
static void map_fails(struct pt_rig *r)
{
    assert_int_equal(fail_each(r, map_page), r->c.levels - 1);
    assert_int_equal(rig_map(r, r->huge - 4 * r->large, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, r->huge + 4 * r->large, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_true(fail_each(r, map_much) > 5);
    rig_assert_mapped(r, r->huge - 3 * r->large - r->page, DATA, 6 * r->large,
                      RW);
}

static enum uiommu_status split_first(struct pt_rig *r)
{
    return rig_split(r, r->page, r->huge + r->large / 2, NULL);
}

static void split_fails(struct pt_rig *r)
{
    uint64_t size = pt_has(r, r->huge) ? 2 * r->huge : 2 * r->large;

    if (!pt_has(r, r->large))
        RIG_NOT_APPLICABLE(r, "all leaves are pages, or too many tables");
    assert_int_equal(rig_map(r, 0, DATA, size, RW), UIOMMU_OK);
    assert_int_equal(fail_each(r, split_first), pt_has(r, r->huge) ? 4 : 1);
    rig_assert_mapped(r, 0, DATA, size, RW);
}

static enum uiommu_status create_another(struct pt_rig *r)
{
    struct uim_pt_config config = {
        .host = memory_host_api(r->m),
        .iova_bits = 39,
        .phys_bits = 46,
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
    };
    struct uim_pt pt;
    enum uiommu_status status = r->c.ops->create(&pt, &config);

    if (status == UIOMMU_OK)
        r->c.ops->destroy(&pt);
    return status;
}

static void create_fails(struct pt_rig *r)
{
    assert_int_equal(fail_each(r, create_another), 3);
}

/* Unmap needs nothing that could fail. */
static enum uiommu_status unmap_all(struct pt_rig *r)
{
    return rig_unmap(r, 0, r->last_iova + 1, NULL);
}

static void unmap_does_not(struct pt_rig *r)
{
    assert_int_equal(rig_map(r, r->huge, DATA, 6 * r->large + r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(fail_each(r, unmap_all), 0);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
}

/* A map that needs more tables than there are. */
static void map_of_too_much(struct pt_rig *r)
{
    struct rig_state before = rig_state(r);

    if (r->order > 0)
        RIG_NOT_APPLICABLE(r, "as with small tables, but slower");
    assert_int_equal(rig_map(r, 0, DATA + r->page, 17 * r->huge, RW),
                     UIOMMU_NOMEM);
    rig_assert_same(r, &before);
}

const struct pt_test pt_fault_tests[] = {
    { "map_fails", map_fails },
    { "split_fails", split_fails },
    { "create_fails", create_fails },
    { "unmap_does_not", unmap_does_not },
    { "map_of_too_much", map_of_too_much },
    { NULL, NULL },
};
