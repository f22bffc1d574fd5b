/* SPDX-License-Identifier: MIT */
/*
 * audit_map_test.c - what an audit finds in page tables: a leaf on memory that no device
 * may have, and tables that cannot be read or do not end.
 */
#include "tests/core/audited.h"
#include "tests/core/doorbells.h"
#include "tests/core/handover.h"

#include "drv/vtd/vtd.h"

static void finds_at(struct rig *rig, enum uiommu_audit_kind kind,
                     struct uiommu_endpoint *ep, uint64_t iova,
                     const char *says)
{
    const struct uiommu_audit *row;

    finds(rig, kind, ep);
    row = row_of(audit(rig), ep);
    assert_true(row->has_iova);
    assert_int_equal(row->iova, iova);
    assert_says(row->text, says);
}

static void a_leaf_on_its_own_tables_is_found(struct rig *rig)
{
    struct scene s;
    uim_word *leaf;

    open_scene(rig, &s);
    leaf = pte_of(rig, s.d[0], BASE, 0);
    change_bits(&s.c, leaf, ADDRESS, s.d[0]->pt.root_phys);
    finds_at(rig, UIOMMU_AUDIT_MAPPING, s.ep[0], BASE, "very tables");
    change_back(&s.c);
    close_scene(rig, &s);
}

static void a_leaf_on_tables_of_its_unit_is_found(struct rig *rig)
{
    struct uim_unit_audit as;
    unsigned n = 0;
    struct scene s;

    open_scene(rig, &s);
    s.ep[0]->unit->ops->audit(s.ep[0]->unit, &as);
    for (unsigned i = 0; i < UIM_UNIT_OWN; i++) {
        const struct uim_unit_own *own = &as.own[i];

        if (own->size == 0)
            continue;
        change_bits(&s.c, pte_of(rig, s.d[0], BASE, 0), ADDRESS,
                    (own->phys + own->size - 1) & ADDRESS &
                        ~(uint64_t)(RIG_PAGE - 1));
        finds_at(rig, UIOMMU_AUDIT_MAPPING, s.ep[0], BASE, "of its unit");
        change_back(&s.c);
        n++;
    }
    assert_true(n >= 3);
    close_scene(rig, &s);
}

static void what_a_domain_cannot_have_is_found(struct rig *rig)
{
    struct scene s;
    uint64_t was;

    open_scene(rig, &s);
    was = s.d[0]->last_phys;
    s.d[0]->last_phys = s.page[0] - 1;
    finds_at(rig, UIOMMU_AUDIT_MAPPING, s.ep[0], BASE, "cannot have");
    s.d[0]->last_phys = was;
    was = s.d[0]->last_iova;
    s.d[0]->last_iova = BASE - 1;
    finds_at(rig, UIOMMU_AUDIT_MAPPING, s.ep[0], BASE, "does not have");
    s.d[0]->last_iova = was;
    close_scene(rig, &s);
}

/* Where the core maps them, and to them alone. */
static void a_doorbell_is_no_finding(struct rig *rig)
{
    struct scene s;
    uint64_t addr;

    open_scene(rig, &s);
    rig_ok(uiommu_irq_doorbell(s.ep[0], SIM_TRANSLATER, &addr));
    finds_nothing(rig);
    change_bits(&s.c, pte_of(rig, s.d[0], addr, 0), ADDRESS,
                SIM_DOORBELL + RIG_PAGE);
    finds_at(rig, UIOMMU_AUDIT_MAPPING, s.ep[0], addr & ~(RIG_PAGE - 1ull),
             "does not have");
    change_back(&s.c);
    close_scene(rig, &s);
}

/* A bit of the address that formats of Arm do not have; a leaf of a size that no VT-d
 * has. */
static void a_damaged_leaf_is_found(struct rig *rig)
{
    const bool vtd = rig_arch(rig)->driver == &uiommu_driver_vtd;
    const uint64_t bit = vtd ? UIM_BIT(7) : UIM_BIT(48);
    const unsigned level = vtd ? 3 : 0;
    struct scene s;

    open_scene(rig, &s);
    assert_true(s.d[0]->pt.top >= level);
    change_bits(&s.c, pte_of(rig, s.d[0], BASE, level), bit, bit);
    finds(rig, UIOMMU_AUDIT_DAMAGED, s.ep[0]);
    assert_says(row_of(audit(rig), s.ep[0])->text, "have to be 0");
    close_scene(rig, &s);
}

static void a_table_out_of_memory_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    sim_hostile(rig->m, true);
    change_bits(&s.c, pte_of(rig, s.d[0], BASE, 1), ADDRESS, GIB(3));
    finds_at(rig, UIOMMU_AUDIT_UNREADABLE, s.ep[0], BASE, "no memory");
    change_back(&s.c);
    sim_hostile(rig->m, false);
    close_scene(rig, &s);
}

static void a_table_in_itself_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    change_bits(&s.c, pte_of(rig, s.d[0], BASE, 1), ADDRESS,
                s.d[0]->pt.root_phys);
    assert_int_equal(audit(rig)->findings, 1);
    assert_int_equal(row_of(audit(rig), s.ep[0])->kind, UIOMMU_AUDIT_DAMAGED);
    assert_says(row_of(audit(rig), s.ep[0])->text, "leads to itself");
    close_scene(rig, &s);
}

static void whoever_sees_a_bad_table_is_told(struct rig *rig)
{
    const struct audited *a;
    struct scene s;

    open_scene(rig, &s);
    set(rig, 2, s.d[0]);
    change_bits(&s.c, pte_of(rig, s.d[0], BASE, 0), ADDRESS,
                s.d[0]->pt.root_phys);
    a = audit(rig);
    assert_int_equal(a->findings, 2);
    assert_int_equal(row_of(a, s.ep[0])->kind, UIOMMU_AUDIT_MAPPING);
    assert_int_equal(row_of(a, s.ep[2])->kind, UIOMMU_AUDIT_MAPPING);
    change_back(&s.c);
    set(rig, 2, uiommu_blocked(rig->u));
    close_scene(rig, &s);
}

/* What unmap takes out while it is about to be read. */
static struct {
    const void *(*map)(void *ctx, uint64_t phys, size_t size);
    struct uiommu_domain *d;
    uint64_t table;
} beside;

static const void *unmap_and_map(void *ctx, uint64_t phys, size_t size)
{
    if (phys == beside.table) {
        beside.table = 0;
        rig_ok(uiommu_unmap(beside.d, BASE, MIB(2), NULL));
    }
    return beside.map(ctx, phys, size);
}

static void a_table_that_goes_meanwhile_stays_readable(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    beside.map = rig->u->host.memory_map;
    beside.d = s.d[0];
    beside.table = uim_ld64(pte_of(rig, s.d[0], BASE, 1)) & ADDRESS;
    rig->u->host.memory_map = unmap_and_map;
    finds_nothing(rig);
    rig->u->host.memory_map = beside.map;
    assert_int_equal(beside.table, 0);
    close_scene(rig, &s);
}

static const struct rig_test tests[] = {
    RIG_TEST(a_leaf_on_its_own_tables_is_found),
    RIG_TEST(a_leaf_on_tables_of_its_unit_is_found),
    RIG_TEST(what_a_domain_cannot_have_is_found),
    RIG_TEST_ON(a_doorbell_is_no_finding, translates_messages),
    RIG_TEST(a_damaged_leaf_is_found),
    RIG_TEST(a_table_out_of_memory_is_found),
    RIG_TEST(a_table_in_itself_is_found),
    RIG_TEST(whoever_sees_a_bad_table_is_told),
    { .name = "a_table_that_goes_meanwhile_stays_readable",
      .run = a_table_that_goes_meanwhile_stays_readable,
      .once = "another call begins inside" },
    { 0 },
};

int main(void)
{
    return rig_run("audit of mappings", tests);
}
