/* SPDX-License-Identifier: MIT */
/*
 * The units of IORT tables: where they are, what is said of them, and which
 * cannot be used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/iort.h"
#include "iort_table.h"

static struct blob machine(const char *id)
{
    char name[300];

    snprintf(name, sizeof(name), "acpi/%s/IORT.bin", id);
    return blob_read(name);
}

static unsigned n_units(const void *table)
{
    struct uim_fw_unit unit;
    unsigned n = 0;

    while (uim_fw_iort.unit(table, n, &unit) == UIOMMU_OK)
        n++;
    return n;
}

static void units_are_described(void **state)
{
    struct blob b = machine("morello-fvp");
    struct uim_fw_unit unit;
    struct uim_iort_smmu_v3 smmu;

    (void)state;
    assert_int_equal(uim_fw_iort.unit(b.data, 0, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0x4f400000);
    assert_int_equal(unit.size, 0x20000);
    assert_true(unit.usable);
    assert_false(unit.all || unit.remaps || unit.x2apic);
    assert_int_equal(unit.phys_bits, 0);
    uim_iort_smmu_v3(unit.record, &smmu);
    assert_true(smmu.coherent);
    assert_int_equal(smmu.httu, IORT_HTTU_NONE);
    assert_int_equal(smmu.model, IORT_SMMU_V3_MODEL_GENERIC);
    assert_int_equal(smmu.event_gsiv, 0x10b);
    assert_int_equal(smmu.pri_gsiv, 0);
    assert_int_equal(smmu.gerr_gsiv, 0x10d);
    assert_int_equal(smmu.sync_gsiv, 0x10c);
    assert_false(smmu.has_pxm);
    assert_int_equal(uim_fw_iort.unit(b.data, 1, &unit), UIOMMU_NOENT);
    blob_free(&b);
    b = machine("hisi-hip08-smmu");
    assert_int_equal(uim_fw_iort.unit(b.data, 3, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0x400148000000);
    uim_iort_smmu_v3(unit.record, &smmu);
    assert_true(smmu.has_pxm);
    assert_int_equal(smmu.pxm, 2);
    blob_free(&b);
}

/* Both kinds are units, in the order of the table. */
static void versions_1_and_2_are_units_that_cannot_be_used(void **state)
{
    struct blob b = machine("surface-laptop-7-qcom");
    struct uim_fw_unit unit;

    (void)state;
    assert_int_equal(n_units(b.data), 3);
    assert_int_equal(uim_fw_iort.unit(b.data, 1, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0x3da0000);
    assert_int_equal(unit.size, 0x40000);
    assert_false(unit.usable);
    assert_int_equal(uim_fw_iort.unit(b.data, 2, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0x15400000);
    assert_true(unit.usable);
    blob_free(&b);
}

static void fields_count_from_their_revision_on(void **state)
{
    struct uim_iort_smmu_v3 smmu;
    struct uim_fw_unit unit;
    struct table t;
    struct blob b;

    (void)state;
    for (unsigned revision = 0; revision < 2; revision++) {
        iort(&t, 0);
        iort_smmu_v3(&t, revision, 0x50000000);
        iort_set(&t, 24, 4, 0x1d); /* coherent, HTTU 2, proximity, device id */
        iort_set(&t, 32, 8, 0x50020000);
        iort_set(&t, 40, 4, 2);
        if (revision > 0)
            iort_set(&t, 60, 4, 5);
        b = table_end(&t);
        assert_int_equal(uim_fw_iort.check(b.data, b.size, NULL), UIOMMU_OK);
        assert_int_equal(uim_fw_iort.unit(b.data, 0, &unit), UIOMMU_OK);
        assert_int_equal(unit.size, 0x10000);
        uim_iort_smmu_v3(unit.record, &smmu);
        assert_int_equal(smmu.model, IORT_SMMU_V3_MODEL_CAVIUM_CN99XX);
        assert_int_equal(smmu.vatos_address, 0x50020000);
        assert_int_equal(smmu.httu, IORT_HTTU_ACCESS_DIRTY);
        assert_int_equal(smmu.has_pxm, revision);
        assert_int_equal(smmu.pxm, revision ? 5 : 0);
        blob_free(&b);
    }
}

/* Which mapping is that of the SMMU's own messages. */
static void own_mappings(void **state)
{
    static const struct {
        unsigned revision, flags;
        bool wired;
        uint32_t index, expected;
    } cases[] = {
        { 0, 0x10, false, 0, UINT32_MAX }, { 1, 0, false, 1, 1 },
        { 1, 0x10, true, 1, UINT32_MAX },  { 4, 0, false, 7, 7 },
        { 5, 0, false, 1, UINT32_MAX },    { 5, 0x10, true, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* Any of the four that is not wired is enough. */
        for (unsigned wire = 0; wire < 4; wire++) {
            struct uim_iort_node node = { 0 };
            struct table t;

            iort(&t, 0);
            iort_smmu_v3(&t, cases[i].revision, 0x50000000);
            iort_set(&t, 24, 4, cases[i].flags);
            if (!cases[i].wired)
                iort_set(&t, 44 + 4 * wire, 4, 0);
            if (cases[i].revision > 0)
                iort_set(&t, 64, 4, cases[i].index);
            memcpy(t.bytes + 4, "\0\10\0\0", 4); /* 2 KiB: more than is used */
            assert_true(uim_iort_next(t.bytes, &node));
            assert_int_equal(uim_iort_own_mapping(&node), cases[i].expected);
        }
    }
}

static void other_nodes_have_no_own_mapping(void **state)
{
    struct uim_iort_node node = { 0 };
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 0);
    iort_root(&t, 4, 0);
    b = table_end(&t);
    assert_true(uim_iort_next(b.data, &node));
    assert_int_equal(uim_iort_own_mapping(&node), UINT32_MAX);
    assert_false(uim_iort_next(b.data, &node));
    blob_free(&b);
}

static void two_units_in_one_place(void **state)
{
    static const struct {
        uint64_t first, second;
        bool usable;
    } cases[] = {
        { 0x50000000, 0x50000000, false }, { 0x50000000, 0x50010000, false },
        { 0x50010000, 0x50000000, false }, { 0x50000000, 0x50020000, true },
        { 0x50020000, 0x50000000, true },
    };
    struct uim_fw_unit unit;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct table t;
        struct blob b;

        iort(&t, 0);
        iort_smmu_v3(&t, 1, 0); /* what cannot be used takes no place */
        iort_smmu_v3(&t, 1, cases[i].first);
        iort_smmu(&t, cases[i].second);
        iort_pmcg(&t, 48);
        iort_smmu_v3(&t, 1, cases[i].second);
        b = table_end(&t);
        assert_int_equal(uim_fw_iort.check(b.data, b.size, NULL), UIOMMU_OK);
        assert_int_equal(uim_fw_iort.unit(b.data, 1, &unit), UIOMMU_OK);
        assert_true(unit.usable);
        assert_int_equal(uim_fw_iort.unit(b.data, 3, &unit), UIOMMU_OK);
        assert_int_equal(unit.usable, cases[i].usable);
        assert_int_equal(unit.base, cases[i].second);
        blob_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_described),
        cmocka_unit_test(versions_1_and_2_are_units_that_cannot_be_used),
        cmocka_unit_test(fields_count_from_their_revision_on),
        cmocka_unit_test(own_mappings),
        cmocka_unit_test(other_nodes_have_no_own_mapping),
        cmocka_unit_test(two_units_in_one_place),
    };

    return cmocka_run_group_tests_name("IORT units", tests, NULL, NULL);
}
