/* SPDX-License-Identifier: MIT */
/*
 * Which functions an IORT table says to have reserved memory, for who takes units over
 * before devices are added (semantics B.10, B.23).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/iort.h"
#include "iort_table.h"

/* ---- requesters ---------------------------------------------------------- */

/* Functions that are there; the one with a bus below is a bridge. */
static const struct present {
    uint16_t segment;
    uint8_t bus, devfn, below;
} machine_bus[] = {
    { 0, 0, 0x08, 1 },
    { 0, 1, 0x00, 0 },
    { 0, 1, 0x0a, 0 },
    { 1, 1, 0x03, 0 },
};

static uint32_t bus_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof(machine_bus) / sizeof(machine_bus[0]); i++) {
        const struct present *p = &machine_bus[i];

        if (p->segment != at.segment || p->bus != at.bus ||
            p->devfn != at.devfn)
            continue;
        if (offset == 0x0e)
            return 0x80u | (p->below ? 1u : 0u);
        if (offset == 0x19)
            return p->below;
        return offset == 8 && width == 4 ? 0x02000001 : 0x1234;
    }
    return UINT32_MAX;
}

static const struct uiommu_host host = { .pci_read = bus_read };

static enum uiommu_status requester(const struct blob *b, unsigned index,
                                    struct uim_fw_requester *out)
{
    return uim_fw_iort.requester(b->data, &host, index, out);
}

/* Bus 1 of segment 0 and of segment 1 are stream ids 0x1100 and on. */
static void requester_base(struct table *t, uint32_t unit[2])
{
    iort(t, 6);
    unit[0] = iort_smmu_v3(t, 5, 0x50000000);
    unit[1] = iort_smmu_v3(t, 5, 0x51000000);
    for (unsigned i = 0; i < 2; i++) {
        iort_root(t, 4, i);
        iort_map(t, 0x100, 0xff, 0x1100, unit[i], 0);
    }
}

static void requesters_are_where_their_ids_come_from(void **state)
{
    struct uim_fw_requester r;
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    requester_base(&t, unit);
    iort_rmr(&t, IORT_REMAP);
    iort_region(&t, 0x80000000, 0x10000);
    iort_region(&t, 0x90000000, 0x10000);
    iort_map(&t, 0, 0x13, 0x10f8, unit[0], 0); /* up to 01:01.3 */
    b = iort_finish(&t);
    for (unsigned i = 0; i < 24; i++) {
        enum uiommu_status status = requester(&b, i, &r);

        if (i / 2 != 0 && i / 2 != 10) {
            assert_int_equal(status, UIOMMU_NODEV);
            continue;
        }
        assert_int_equal(status, UIOMMU_OK);
        assert_null(r.device.acpi_path);
        assert_int_equal(r.device.pci.segment, 0);
        assert_int_equal(r.device.pci.bus, 1);
        assert_int_equal(r.device.pci.devfn, i / 2);
        assert_int_equal(r.device.class_code, 0x020000);
        assert_int_equal(r.device.n, 2);
        assert_int_equal(r.device.hop[0].devfn, 8);
        assert_int_equal(r.device.hop[1].bus, 1);
        assert_int_equal(r.device.hop[1].devfn, i / 2);
        assert_int_equal(r.region.start, i % 2 ? 0x90000000 : 0x80000000);
        assert_true(r.region.relaxable);
        assert_int_equal(iort_id_of(&b, &r.device, 0),
                         OWNED(0, 0x1100 + i / 2));
    }
    assert_int_equal(requester(&b, 24, &r), UIOMMU_NOENT);
    blob_free(&b);
}

static void requesters_of_several_sources(void **state)
{
    struct uim_fw_requester r;
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    requester_base(&t, unit);
    iort_component(&t, "\\_SB.DMA0");
    iort_map(&t, 0, 7, 0x1100, unit[1], IORT_SINGLE);
    iort_map(&t, 0, 1, 0x1200, unit[1], 0);
    iort_map(&t, 0, 3, 0xfffffffe, unit[1], 0);
    iort_root(&t, 4, 0x10001); /* of no segment */
    iort_map(&t, 0x100, 0xff, 0x1100, unit[1], 0);
    iort_root(&t, 4, 1); /* of no function */
    iort_map(&t, 0x10000, 0xff, 0x1100, unit[1], 0);
    iort_map(&t, 0, 0, 0x1100, unit[1], IORT_SINGLE);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_region(&t, 0x81000000, 0);
    iort_map(&t, 0, 0, 0x1103, unit[1], 0);
    iort_map(&t, 0, 0, 0x1103, unit[1], IORT_SINGLE); /* is ignored */
    iort_map(&t, 0, 0, 0x1100, unit[1], 0);
    iort_map(&t, 0, 0x1fff, 0x1201, unit[1], 0);
    b = iort_finish(&t);
    assert_int_equal(requester(&b, 0, &r), UIOMMU_OK);
    assert_int_equal(r.device.pci.segment, 1);
    assert_int_equal(r.device.pci.devfn, 3);
    assert_int_equal(r.device.n, 1); /* no bridge to that bus */
    assert_int_equal(requester(&b, 1, &r), UIOMMU_NODEV); /* empty region */
    assert_int_equal(requester(&b, 2, &r), UIOMMU_NODEV); /* 1:01:00.0 */
    assert_int_equal(requester(&b, 3, &r), UIOMMU_NODEV);
    assert_int_equal(requester(&b, 4, &r), UIOMMU_OK);
    assert_string_equal(r.device.acpi_path, "\\_SB.DMA0");
    assert_int_equal(iort_id_of(&b, &r.device, 0), OWNED(1, 0x1100));
    assert_int_equal(requester(&b, 5, &r), UIOMMU_NODEV);
    assert_int_equal(requester(&b, 6, &r), UIOMMU_OK); /* 0x1201 */
    assert_string_equal(r.device.acpi_path, "\\_SB.DMA0");
    assert_int_equal(requester(&b, 8, &r), UIOMMU_NOENT);
    blob_free(&b);
}

/* All ids of a segment; those above 0xffff are nobody's. */
static void requester_ids_have_16_bits(void **state)
{
    struct uim_fw_requester r;
    struct table t;
    struct blob b;
    uint32_t unit;

    (void)state;
    iort(&t, 6);
    unit = iort_smmu_v3(&t, 5, 0x50000000);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xffffffff, 0, unit, 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_map(&t, 0, 0xffffffff, 0, unit, 0);
    b = iort_finish(&t);
    assert_int_equal(requester(&b, 0x100, &r), UIOMMU_OK);
    assert_int_equal(r.device.pci.bus, 1);
    assert_int_equal(requester(&b, 0xffff, &r), UIOMMU_NODEV);
    assert_int_equal(requester(&b, 0x10000, &r), UIOMMU_NOENT);
    blob_free(&b);
}

/* So many requesters come from a root complex with this mapping. */
static unsigned n_requesters(uint32_t first, uint32_t count)
{
    struct uim_fw_requester r;
    struct table t;
    struct blob b;
    unsigned n = 0;
    uint32_t unit;

    iort(&t, 6);
    unit = iort_smmu_v3(&t, 5, 0x50000000);
    iort_root(&t, 4, 0xffff); /* the last one */
    iort_map(&t, first, count, 0x100000, unit, 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_map(&t, 0, 0xffffffff, 0, unit, 0);
    b = iort_finish(&t);
    while (requester(&b, n, &r) != UIOMMU_NOENT)
        n++;
    blob_free(&b);
    return n;
}

static void requester_ids_end_at_16_bits(void **state)
{
    (void)state;
    assert_int_equal(n_requesters(0xff00, 0xfe), 0xff);
    assert_int_equal(n_requesters(0xff00, 0xff), 0x100);
    assert_int_equal(n_requesters(0xff00, 0x100), 0x100);
    assert_int_equal(n_requesters(0xff00, 0xfffff), 0x100);
    assert_int_equal(n_requesters(0xffff, 0), 1);
    assert_int_equal(n_requesters(0xffff, 5), 1);
    assert_int_equal(n_requesters(0x10000, 5), 0);
}

/* Two mappings claim the function's id: it may be another's region. */
static void requesters_whose_ids_are_not_certain_are_not_there(void **state)
{
    struct uim_fw_requester r;
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    requester_base(&t, unit);
    iort_root(&t, 4, 2);
    iort_map(&t, 0x100, 0x3f, 0x3000, unit[0], 0);
    iort_map(&t, 0x100, 0x3f, 0x4000, unit[0], 0);
    iort_root(&t, 4, 0); /* after one that has the same ids */
    iort_map(&t, 0x10a, 0, 0x110b, unit[0], 0);
    iort_map(&t, 0x10a, 0, 0x110a, unit[1], 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_map(&t, 0, 0, 0x3000, unit[0], 0);
    iort_map(&t, 0, 0, 0x110b, unit[0], 0);
    iort_map(&t, 0, 0, 0x110a, unit[1], 0);
    b = iort_finish(&t);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(requester(&b, i, &r), UIOMMU_NODEV);
    assert_int_equal(requester(&b, 5, &r), UIOMMU_NOENT);
    blob_free(&b);
}

/* Whether a function is there cannot be known. */
static void functions_need_configuration_space(void **state)
{
    static const struct uiommu_host blind = { 0 };
    struct uim_fw_requester r;
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    requester_base(&t, unit);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_map(&t, 0, 0, 0x1100, unit[0], 0);
    b = iort_finish(&t);
    assert_int_equal(requester(&b, 0, &r), UIOMMU_OK);
    assert_int_equal(uim_fw_iort.requester(b.data, &blind, 0, &r),
                     UIOMMU_NODEV);
    blob_free(&b);
}

static uint32_t chain_read(void *ctx, struct uiommu_pci at, unsigned offset,
                           unsigned width)
{
    (void)ctx, (void)width;
    if (at.devfn != 0)
        return UINT32_MAX;
    if (offset == 0x19)
        return at.bus + 1u;
    return offset == 0x0e ? 1 : 0;
}

static void requester_paths_have_a_limit(void **state)
{
    static const struct uiommu_host chain = { .pci_read = chain_read };
    struct uim_fw_requester r;
    struct table t;
    struct blob b;
    uint32_t unit;

    (void)state;
    iort(&t, 6);
    unit = iort_smmu_v3(&t, 5, 0x50000000);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xffff, 0, unit, 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_map(&t, 0, 0xffff, 0, unit, 0);
    b = iort_finish(&t);
    assert_int_equal(
        uim_fw_iort.requester(b.data, &chain, (UIM_FW_HOPS - 1) << 8, &r),
        UIOMMU_OK);
    assert_int_equal(r.device.n, UIM_FW_HOPS);
    for (unsigned bus = UIM_FW_HOPS; bus <= UIM_FW_HOPS + 1; bus++)
        assert_int_equal(uim_fw_iort.requester(b.data, &chain, bus << 8, &r),
                         UIOMMU_NODEV);
    blob_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requesters_are_where_their_ids_come_from),
        cmocka_unit_test(requesters_of_several_sources),
        cmocka_unit_test(requester_ids_have_16_bits),
        cmocka_unit_test(requester_ids_end_at_16_bits),
        cmocka_unit_test(requesters_whose_ids_are_not_certain_are_not_there),
        cmocka_unit_test(functions_need_configuration_space),
        cmocka_unit_test(requester_paths_have_a_limit),
    };

    return cmocka_run_group_tests_name("IORT requesters", tests, NULL, NULL);
}
