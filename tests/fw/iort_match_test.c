/* SPDX-License-Identifier: MIT */
/*
 * Which unit, stream ids, regions and interrupts a device gets from an IORT
 * table, of real machines and constructed (semantics B.10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/iort.h"
#include "iort_table.h"

/* ---- devices and questions ----------------------------------------------- */

static struct uim_fw_device function(unsigned segment, unsigned rid)
{
    return (struct uim_fw_device){
        .pci = { (uint16_t)segment, (uint8_t)(rid >> 8), (uint8_t)rid },
        .n = 1,
        .hop = { { (uint8_t)(rid >> 8), (uint8_t)rid, 0 } },
    };
}

static struct uim_fw_device component(const char *path)
{
    return (struct uim_fw_device){ .acpi_path = path };
}

static int64_t owner(const struct blob *b, unsigned segment, unsigned rid)
{
    struct uim_fw_device d = function(segment, rid);

    assert_int_equal(iort_id_of(b, &d, 1), -UIOMMU_NOENT);
    return iort_id_of(b, &d, 0);
}

static int64_t stream(const struct blob *b, const char *path, unsigned index)
{
    struct uim_fw_device d = component(path);

    return iort_id_of(b, &d, index);
}

/* ITS group's first identifier << 32 | device id, or -status. */
static int64_t its_of(const struct blob *b, const struct uim_fw_device *d)
{
    struct uim_iort_hop hop;
    enum uiommu_status status = uim_iort_its(b->data, d, &hop);

    if (status)
        return -(int64_t)status;
    assert_int_equal(uim_iort_its_count(&hop.node), 1);
    return OWNED(uim_iort_its_identifier(&hop.node, 0), hop.id);
}

static int64_t its(const struct blob *b, unsigned segment, unsigned rid)
{
    struct uim_fw_device d = function(segment, rid);

    return its_of(b, &d);
}

static struct blob machine(const char *name)
{
    struct blob b = blob_read(name);

    assert_int_equal(uim_fw_iort.check(b.data, b.size, NULL), UIOMMU_OK);
    return b;
}

/* ---- functions ----------------------------------------------------------- */

/* Bus 0 is behind the SMMU, all others are not. */
static void qemu_translates_for_its_root_bus(void **state)
{
    struct blob b = machine("qemu/qemu-aarch64-smmuv3/IORT.dat");
    struct uim_fw_device behind = function(0, 8), direct = function(0, 0x100);
    struct uim_iort_hop hop;

    (void)state;
    assert_int_equal(uim_iort_stream(b.data, &behind, 0, &hop), UIOMMU_OK);
    assert_int_equal(hop.node.type, IORT_NODE_SMMU_V3);
    assert_int_equal(hop.id, 8);
    assert_int_equal(uim_iort_stream(b.data, &direct, 0, &hop), UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0), OWNED(0, 0));
    assert_int_equal(owner(&b, 0, 0xff), OWNED(0, 0xff));
    assert_int_equal(owner(&b, 0, 0x100), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0xffff), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 1, 0), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 0, 0xff), OWNED(0, 0xff));
    assert_int_equal(its(&b, 0, 0x100), OWNED(0, 0x100));
    assert_int_equal(its(&b, 1, 0), -UIOMMU_NODEV);
    blob_free(&b);
    b = machine("qemu/qemu-aarch64-virtio-iommu/IORT.dat");
    assert_int_equal(owner(&b, 0, 8), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 0, 8), OWNED(0, 8));
    blob_free(&b);
}

/* Six units, ranges of ids in no order, counted one too high. */
static void ranges_that_touch_are_told_apart(void **state)
{
    struct blob b = machine("acpi/hisi-hip08-smmu/IORT.bin");

    (void)state;
    assert_int_equal(owner(&b, 0, 0x0000), OWNED(0, 0));
    assert_int_equal(owner(&b, 0, 0x3fff), OWNED(0, 0x3fff));
    assert_int_equal(owner(&b, 0, 0x7aff), -UIOMMU_NODEV); /* to the ITS */
    assert_int_equal(owner(&b, 0, 0x7b00), OWNED(0, 0x7b00));
    assert_int_equal(owner(&b, 0, 0x7bff), OWNED(0, 0x7bff));
    assert_int_equal(owner(&b, 0, 0x7c00), OWNED(1, 0x7c00));
    assert_int_equal(owner(&b, 0, 0x7400), OWNED(2, 0x7400));
    assert_int_equal(owner(&b, 0, 0x7a00), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0x8000), OWNED(3, 0x8000));
    assert_int_equal(owner(&b, 0, 0xbc00), OWNED(4, 0xbc00));
    assert_int_equal(owner(&b, 0, 0xb400), OWNED(5, 0xb400));
    assert_int_equal(owner(&b, 0, 0x6000), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 0, 0x7c00), OWNED(0, 0x7c00));
    assert_int_equal(its(&b, 0, 0x7a80), OWNED(0, 0x7a80));
    blob_free(&b);
}

/* Several segments behind one unit, which tells them apart by wider ids. */
static void stream_ids_are_wider_than_requester_ids(void **state)
{
    struct blob b = machine("acpi/surface-laptop-7-qcom/IORT.bin");

    (void)state;
    assert_int_equal(owner(&b, 0, 0x100), OWNED(2, 0x100));
    assert_int_equal(owner(&b, 7, 0x100), OWNED(2, 0x70100));
    assert_int_equal(owner(&b, 8, 0x100), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 7, 0x100), OWNED(0, 0xf0100));
    blob_free(&b);
}

/* The SMMU's own mapping is for no device. */
static void own_messages_go_to_another_its(void **state)
{
    struct blob b = machine("acpi/morello-fvp/IORT.bin");

    (void)state;
    assert_int_equal(owner(&b, 0, 0x1234), OWNED(0, 0x1234));
    assert_int_equal(its(&b, 0, 0x1234), OWNED(1, 0x1234));
    blob_free(&b);
}

static void unusable_units_keep_their_devices(void **state)
{
    struct blob b = machine("acpi/honeycomb-lx2160/IORT.bin");
    struct uim_fw_device usb = component("\\_SB.USB0");

    (void)state;
    assert_int_equal(owner(&b, 2, 0), -UIOMMU_NODEV);
    assert_int_equal(iort_id_of(&b, &usb, 0), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 2, 0x100), OWNED(0, 0x1801));
    blob_free(&b);
}

static void several_root_complexes_of_a_segment(void **state)
{
    struct table t;
    struct blob b;
    uint32_t unit[2];

    (void)state;
    iort(&t, 0);
    unit[0] = iort_smmu_v3(&t, 1, 0x50000000);
    unit[1] = iort_smmu_v3(&t, 1, 0x51000000);
    iort_root(&t, 4, 1);
    iort_map(&t, 0, 0xffff, 0, unit[1], 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0x100, 0xff, 0x1100, unit[1], 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0x1ff, 0, unit[0], 0);
    b = iort_finish(&t);
    assert_int_equal(owner(&b, 0, 0xff), OWNED(0, 0xff));
    assert_int_equal(owner(&b, 0, 0x100), OWNED(1, 0x1100));
    assert_int_equal(owner(&b, 0, 0x1ff), OWNED(1, 0x11ff));
    assert_int_equal(owner(&b, 0, 0x200), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 1, 0x200), OWNED(1, 0x200));
    blob_free(&b);
}

/* A root complex with mappings {first, count, output, flags} to the first of
 * two units; `to` says which go to the second. */
struct mapping {
    uint32_t first, count, output;
    unsigned flags;
    bool second;
};

static int64_t mapped(const struct mapping *m, unsigned n, unsigned rid)
{
    uint32_t unit[2];
    struct table t;
    struct blob b;
    int64_t result;

    iort(&t, 0);
    unit[0] = iort_smmu_v3(&t, 1, 0x50000000);
    unit[1] = iort_smmu_v3(&t, 1, 0x51000000);
    iort_root(&t, 4, 0);
    for (unsigned i = 0; i < n; i++)
        iort_map(&t, m[i].first, m[i].count, m[i].output, unit[m[i].second],
                 m[i].flags);
    b = iort_finish(&t);
    result = owner(&b, 0, rid);
    blob_free(&b);
    return result;
}

static void an_id_of_two_mappings_goes_nowhere(void **state)
{
    static const struct mapping differ[] = { { 0, 15, 0x100, 0, 0 },
                                             { 8, 15, 0x200, 0, 0 } };
    static const struct mapping agree[] = { { 0, 15, 0x100, 0, 0 },
                                            { 8, 15, 0x108, 0, 0 } };
    static const struct mapping units[] = { { 0, 15, 0x100, 0, 0 },
                                            { 8, 15, 0x108, 0, 1 } };
    static const struct mapping single[] = { { 0, 15, 0x100, 0, 0 },
                                             { 0, 0, 0x300, 1, 0 } };

    (void)state;
    assert_int_equal(mapped(differ, 2, 7), OWNED(0, 0x107));
    assert_int_equal(mapped(differ, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(differ, 2, 15), -UIOMMU_NODEV);
    assert_int_equal(mapped(differ, 2, 16), OWNED(0, 0x208));
    assert_int_equal(mapped(agree, 2, 8), OWNED(0, 0x108));
    assert_int_equal(mapped(agree, 2, 16), OWNED(0, 0x110));
    assert_int_equal(mapped(units, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(units, 2, 23), OWNED(1, 0x117));
    assert_int_equal(mapped(units, 2, 24), -UIOMMU_NODEV);
    assert_int_equal(mapped(single, 2, 16), OWNED(0, 0x300));
    assert_int_equal(mapped(single, 2, 15), -UIOMMU_NODEV);
}

/* What ends where another starts, whichever comes first; of one id it is
 * both. */
static void a_range_begins_where_another_was_to_end(void **state)
{
    static const struct mapping after[] = { { 0, 8, 0x100, 0, 0 },
                                            { 8, 8, 0x200, 0, 1 } };
    static const struct mapping before[] = { { 8, 8, 0x200, 0, 1 },
                                             { 0, 8, 0x100, 0, 0 } };
    static const struct mapping one[] = { { 0, 8, 0x100, 0, 0 },
                                          { 8, 0, 0x200, 0, 1 } };
    static const struct mapping ends[] = { { 0, 8, 0x100, 0, 0 },
                                           { 4, 4, 0x200, 0, 1 } };
    static const struct mapping three[] = { { 0, 8, 0x100, 0, 0 },
                                            { 4, 4, 0x200, 0, 0 },
                                            { 8, 4, 0x300, 0, 1 } };
    static const struct mapping inside[] = { { 0, 9, 0x100, 0, 0 },
                                             { 8, 8, 0x200, 0, 1 } };
    static const struct mapping twice[] = { { 8, 0, 0x100, 0, 0 },
                                            { 8, 0, 0x200, 0, 1 } };
    static const struct mapping single[] = { { 0, 8, 0x100, 0, 0 },
                                             { 8, 8, 0x100, 1, 0 } };

    (void)state;
    assert_int_equal(mapped(after, 2, 7), OWNED(0, 0x107));
    assert_int_equal(mapped(after, 2, 8), OWNED(1, 0x200));
    assert_int_equal(mapped(after, 2, 16), OWNED(1, 0x208));
    assert_int_equal(mapped(before, 2, 8), OWNED(1, 0x200));
    assert_int_equal(mapped(one, 2, 8), OWNED(1, 0x200));
    assert_int_equal(mapped(ends, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(three, 3, 8), OWNED(1, 0x300));
    assert_int_equal(mapped(inside, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(twice, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(single, 2, 8), -UIOMMU_NODEV);
    assert_int_equal(mapped(single, 2, 0), OWNED(0, 0x100));
}

/* Of a flawed mapping nothing counts but that it is there. */
static void ids_of_flawed_mappings_go_nowhere(void **state)
{
    struct table t;
    struct blob b;
    uint32_t unit, its_node;

    (void)state;
    iort(&t, 0);
    its_node = iort_its(&t, 1, 0);
    unit = iort_smmu_v3(&t, 1, 0x50000000);
    iort_map(&t, 0x10, 0, 0, unit, 0); /* of an SMMU to itself */
    iort_map(&t, 0x11, 0, 0, its_node, 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0x10, 1, 0x10, unit, 0);
    iort_map(&t, 0x20, 0, 0x10, unit + 1, 0);
    iort_map(&t, 0x30, 0xffffffff, 0x10, unit, 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xffff, 0, unit, 0);
    b = iort_finish(&t);
    assert_int_equal(owner(&b, 0, 0x10), OWNED(0, 0x10));
    assert_int_equal(its(&b, 0, 0x10), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 0, 0x11), OWNED(0, 0));
    assert_int_equal(owner(&b, 0, 0x20), -UIOMMU_NODEV);
    assert_int_equal(its(&b, 0, 0x20), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0x21), OWNED(0, 0x21));
    assert_int_equal(its(&b, 0, 0x21), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0x30), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, 0, 0xffff), -UIOMMU_NODEV);
    blob_free(&b);
}

static bool isolated(const struct blob *b, const struct uim_fw_device *device)
{
    return uim_fw_iort.isolates_messages(b->data, device);
}

/* Behind a unit, by its own number, and straight; a group of none is nothing that looks
 * at messages. */
static void messages_are_isolated_where_they_come_to_an_its(void **state)
{
    const struct uim_fw_device first = function(0, 0x10),
                               last = function(0, 0x1f),
                               beyond = function(0, 0x20),
                               straight = function(1, 0),
                               to_none = function(2, 0),
                               nobody = function(3, 0),
                               device = component("\\_SB.DMA0"),
                               lost = component("\\_SB.DMA1");
    uint32_t unit, group, empty;
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 0);
    group = iort_its(&t, 1, 5);
    empty = iort_its(&t, 0, 0);
    unit = iort_smmu_v3(&t, 1, 0x50000000);
    iort_map(&t, 0x10, 0xf, 0x10, group, 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xffff, 0, unit, 0);
    iort_root(&t, 4, 1);
    iort_map(&t, 0, 0xffff, 0, group, 0);
    iort_root(&t, 4, 2);
    iort_map(&t, 0, 0xffff, 0, empty, 0);
    iort_component(&t, "\\_SB.DMA0");
    iort_map(&t, 0, 0, 0x18, unit, IORT_SINGLE);
    iort_component(&t, "\\_SB.DMA1");
    iort_map(&t, 0, 0, 0x28, unit, IORT_SINGLE);
    b = iort_finish(&t);
    assert_true(isolated(&b, &first));
    assert_true(isolated(&b, &last));
    assert_false(isolated(&b, &beyond));
    assert_true(isolated(&b, &straight));
    assert_false(isolated(&b, &to_none));
    assert_false(isolated(&b, &nobody));
    assert_true(isolated(&b, &device));
    assert_false(isolated(&b, &lost));
    blob_free(&b);
}

/* ---- named components ---------------------------------------------------- */

static void components_are_found_by_name(void **state)
{
    struct blob b = machine("acpi/hisi-hip08-smmu/IORT.bin");
    struct uim_fw_device d = component("\\_SB_.MB30");

    (void)state;
    assert_int_equal(stream(&b, "\\_SB_.SEC0", 0), OWNED(2, 0x100));
    assert_int_equal(stream(&b, "_SB.SEC0", 0), OWNED(2, 0x100));
    assert_int_equal(stream(&b, "\\_SB_.SEC0", 1), -UIOMMU_NOENT);
    assert_int_equal(stream(&b, "\\_SB_.SEC1", 0), -UIOMMU_NODEV);
    assert_int_equal(stream(&b, "\\_SB_.SEC1", 1), -UIOMMU_NOENT);
    /* Straight to the ITS. */
    assert_int_equal(stream(&b, "\\_SB_.MB30", 0), -UIOMMU_NODEV);
    assert_int_equal(its_of(&b, &d), OWNED(0, 0x7fd1));
    d = component("\\_SB_.SEC0");
    assert_int_equal(its_of(&b, &d), -UIOMMU_NODEV);
    blob_free(&b);
}

static void a_component_may_have_several_ids(void **state)
{
    struct uim_fw_device d = component("\\_SB.DMA0");
    uint32_t unit[2], its_node;
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 0);
    its_node = iort_its(&t, 1, 5);
    unit[0] = iort_smmu_v3(&t, 1, 0x50000000);
    iort_map(&t, 0, 0xffff, 0x40000, its_node, 0);
    unit[1] = iort_smmu_v3(&t, 1, 0x51000000);
    iort_component(&t, "\\_SB.DMA1");
    iort_map(&t, 0, 0, 0x900, unit[1], IORT_SINGLE);
    iort_component(&t, "\\_SB.DMA0");
    iort_map(&t, 7, 5, 0x10, unit[0], IORT_SINGLE);
    iort_map(&t, 0, 9, 0x800, its_node, 0);
    iort_map(&t, 7, 2, 0x20, unit[1], 0);
    iort_map(&t, 0, 9, 0x30, unit[1] + 1, 0);
    iort_map(&t, 7, 0, 0x40, unit[0], 0);
    b = iort_finish(&t);
    assert_int_equal(iort_id_of(&b, &d, 0), OWNED(0, 0x10));
    assert_int_equal(iort_id_of(&b, &d, 1), OWNED(1, 0x20));
    assert_int_equal(iort_id_of(&b, &d, 3), OWNED(1, 0x22));
    assert_int_equal(iort_id_of(&b, &d, 4), -UIOMMU_NODEV);
    assert_int_equal(iort_id_of(&b, &d, 5), OWNED(0, 0x40));
    assert_int_equal(iort_id_of(&b, &d, 6), -UIOMMU_NOENT);
    assert_int_equal(its_of(&b, &d), OWNED(5, 0x40010));
    blob_free(&b);
}

/* Its ids go on where it is named a second time. */
static void a_component_may_be_named_twice(void **state)
{
    struct uim_fw_device d = component("\\_SB.DMA0");
    struct table t;
    struct blob b;
    uint32_t unit;

    (void)state;
    iort(&t, 0);
    unit = iort_smmu_v3(&t, 1, 0x50000000);
    iort_component(&t, "\\_SB.DMA0");
    iort_map(&t, 0, 0xffffffff, 0, unit, 0);
    iort_component(&t, "\\_SB.DMA0");
    iort_map(&t, 0, 0, 0x20, unit, IORT_SINGLE);
    b = iort_finish(&t);
    assert_int_equal(iort_id_of(&b, &d, UINT32_MAX), OWNED(0, UINT32_MAX));
    blob_free(&b);
}

/* ---- what is said of their DMA ------------------------------------------- */

static struct uim_iort_properties properties(const struct blob *b,
                                             struct uim_fw_device d)
{
    struct uim_iort_properties p;

    assert_int_equal(uim_iort_device(b->data, &d, &p), UIOMMU_OK);
    return p;
}

static void properties_of_root_complexes(void **state)
{
    static const struct {
        unsigned revision, address_bits, pasid_bits;
        bool flag;
    } cases[] = {
        { 0, 0, 0, true },   { 1, 48, 0, true },   { 2, 48, 0, true },
        { 3, 48, 20, true }, { 3, 48, 20, false }, { 4, 48, 20, true },
        { 4, 48, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uim_iort_properties p;
        struct table t;
        struct blob b;
        uint32_t unit;

        iort(&t, 0);
        unit = iort_smmu_v3(&t, 1, 0x50000000);
        iort_root(&t, cases[i].revision, 3);
        iort_set(&t, 16, 8, UINT64_C(0x0500000a00000001));
        iort_set(&t, 24, 4, 5);
        if (cases[i].revision >= 1)
            iort_set(&t, 33, 2, 0xffe0 | 20);
        if (cases[i].revision >= 4)
            iort_set(&t, 36, 4, cases[i].flag ? 1 : 0xfffffffe);
        iort_map(&t, 0, 0xffff, 0, unit, 0);
        b = iort_finish(&t);
        p = properties(&b, function(3, 9));
        assert_int_equal(p.address_bits, cases[i].address_bits);
        assert_int_equal(p.pasid_bits, cases[i].pasid_bits);
        assert_true(p.coherent && p.ats && p.pasid_forward);
        assert_false(p.pri || p.stall);
        assert_int_equal(p.hints, 0x0a);
        assert_int_equal(p.flags, 0x05);
        blob_free(&b);
    }
}

static void properties_of_components(void **state)
{
    struct uim_fw_device nobody = component("\\_SB.DMA1");
    struct uim_fw_device elsewhere = function(0, 0);
    struct uim_iort_properties p;
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 0);
    iort_component(&t, "\\_SB.DMA0");
    iort_set(&t, 16, 4, 0x29); /* stall, 20 bits of PASID */
    iort_set(&t, 20, 8, UINT64_C(0x0200000100000000));
    iort_set(&t, 28, 1, 65);
    b = iort_finish(&t);
    p = properties(&b, component("\\_SB.DMA0"));
    assert_true(p.stall);
    assert_int_equal(p.pasid_bits, 20);
    assert_int_equal(p.address_bits, 64);
    assert_false(p.coherent || p.ats || p.pri || p.pasid_forward);
    assert_int_equal(p.hints, 1);
    assert_int_equal(p.flags, 2);
    assert_int_equal(uim_iort_device(b.data, &nobody, &p), UIOMMU_NODEV);
    assert_int_equal(uim_iort_device(b.data, &elsewhere, &p), UIOMMU_NODEV);
    blob_free(&b);
}

static void ats_is_what_the_root_complex_says(void **state)
{
    struct uim_fw_device d = function(0, 8), other = function(1, 8);
    struct uim_fw_device named = component("\\_SB.DMA0");
    struct blob b = machine("acpi/morello-fvp/IORT.bin");

    (void)state;
    assert_true(uim_fw_iort.ats_allowed(b.data, &d, false));
    assert_true(uim_fw_iort.ats_allowed(b.data, &d, true));
    assert_false(uim_fw_iort.ats_allowed(b.data, &other, false));
    assert_false(uim_fw_iort.ats_allowed(b.data, &named, false));
    blob_free(&b);
    b = machine("qemu/qemu-aarch64-smmuv3/IORT.dat");
    assert_false(uim_fw_iort.ats_allowed(b.data, &d, false));
    blob_free(&b);
}

static void no_source_of_interrupts_is_in_this_table(void **state)
{
    struct blob b = machine("acpi/morello-fvp/IORT.bin");
    unsigned unit;
    uint32_t rid;

    (void)state;
    assert_int_equal(
        uim_fw_iort.irq_source(b.data, UIOMMU_IRQ_IOAPIC, 0, &unit, &rid),
        UIOMMU_NODEV);
    blob_free(&b);
}

/* ---- reserved memory ----------------------------------------------------- */

/* Two units; function 0:01.0 is 0x108 at the first and 1:01.0 is 0x108 at the
 * second; the component is 0x900 and 0x910 to 0x91f at the first. */
static void rmr_base(struct table *t, unsigned revision, uint32_t unit[2])
{
    iort(t, revision);
    unit[0] = iort_smmu_v3(t, 5, 0x50000000);
    unit[1] = iort_smmu_v3(t, 5, 0x51000000);
    for (unsigned i = 0; i < 2; i++) {
        iort_root(t, 4, i);
        iort_map(t, 0, 0xff, 0x100, unit[i], 0);
    }
    iort_component(t, "\\_SB.DMA0");
    iort_map(t, 0, 99, 0x900, unit[0], IORT_SINGLE);
    iort_map(t, 0, 15, 0x910, unit[0], 0);
}

/* start of the index-th region, or 0 */
static uint64_t region_of(const struct blob *b, struct uim_fw_device d,
                          unsigned index)
{
    struct uim_fw_region region;

    if (uim_fw_iort.region(b->data, &d, index, &region))
        return 0;
    return region.start;
}

static void regions_are_for_stream_ids_of_a_unit(void **state)
{
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    rmr_base(&t, 5, unit);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_region(&t, 0x81000000, 0);
    iort_region(&t, 0x82000000, 0x10000);
    iort_map(&t, 0, 0, 0x7fff, unit[0], 0);
    iort_map(&t, 0, 1, 0x107, unit[0], 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0x90000000, 0x10000);
    iort_map(&t, 0, 1, 0x108, unit[1], 0);
    iort_map(&t, 0, 0, 0x900, unit[0], 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0xa0000000, 0x10000);
    iort_map(&t, 0, 0x10f, 0x800, unit[0], 0); /* up to 0x90f */
    iort_map(&t, 0, 0, 0x910, unit[1], 0);
    iort_rmr(&t, 0);
    iort_region(&t, 0xb0000000, 0x10000);
    iort_map(&t, 0, 15, 0x91f, unit[0], 0);
    b = iort_finish(&t);
    assert_int_equal(region_of(&b, function(0, 6), 0), 0);
    assert_int_equal(region_of(&b, function(0, 7), 0), 0x80000000);
    assert_int_equal(region_of(&b, function(0, 8), 0), 0x80000000);
    assert_int_equal(region_of(&b, function(0, 8), 1), 0x82000000);
    assert_int_equal(region_of(&b, function(0, 8), 2), 0);
    assert_int_equal(region_of(&b, function(0, 9), 0), 0);
    assert_int_equal(region_of(&b, function(1, 8), 0), 0x90000000);
    assert_int_equal(region_of(&b, function(1, 8), 1), 0);
    assert_int_equal(region_of(&b, function(2, 8), 0), 0);
    assert_int_equal(region_of(&b, component("\\_SB.DMA0"), 0), 0x90000000);
    assert_int_equal(region_of(&b, component("\\_SB.DMA0"), 1), 0xa0000000);
    assert_int_equal(region_of(&b, component("\\_SB.DMA0"), 2), 0xb0000000);
    assert_int_equal(region_of(&b, component("\\_SB.DMA0"), 3), 0);
    assert_int_equal(region_of(&b, component("\\_SB.DMA1"), 0), 0);
    blob_free(&b);
}

static void flags_of_regions(void **state)
{
    static const struct {
        unsigned flags, expected;
        bool relaxable;
    } cases[] = {
        { 0 << IORT_ATTRIBUTES, UIOMMU_MMIO, false },
        { 1 << IORT_ATTRIBUTES | IORT_REMAP, UIOMMU_MMIO, true },
        { 3 << IORT_ATTRIBUTES | IORT_PRIVILEGED, UIOMMU_MMIO | UIOMMU_PRIV,
          false },
        { 4 << IORT_ATTRIBUTES, 0, false },
        { 5 << IORT_ATTRIBUTES, UIOMMU_CACHE, false },
        { 5 << IORT_ATTRIBUTES | IORT_PRIVILEGED | IORT_REMAP,
          UIOMMU_CACHE | UIOMMU_PRIV, true },
        { 6 << IORT_ATTRIBUTES, 0, false },
    };
    struct uim_fw_device d = function(0, 8);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uim_fw_region region;
        uint32_t unit[2];
        struct table t;
        struct blob b;

        rmr_base(&t, 6, unit);
        iort_rmr(&t, cases[i].flags);
        iort_region(&t, 0x80000fff, 2); /* of two pages one byte each */
        iort_map(&t, 0, 0, 0x108, unit[0], 0);
        b = iort_finish(&t);
        assert_int_equal(uim_fw_iort.region(b.data, &d, 0, &region), UIOMMU_OK);
        assert_int_equal(region.start, 0x80000000);
        assert_int_equal(region.last, 0x80001fff);
        assert_int_equal(region.flags,
                         cases[i].expected | UIOMMU_READ | UIOMMU_WRITE);
        assert_int_equal(region.relaxable, cases[i].relaxable);
        blob_free(&b);
    }
}

/* Drafts had nodes of this type that were something else. */
static void regions_of_older_tables_do_not_count(void **state)
{
    static const struct uiommu_host host = { 0 };
    struct uim_fw_requester r;
    uint32_t unit[2];
    struct table t;
    struct blob b;

    (void)state;
    for (unsigned revision = 4; revision <= 5; revision++) {
        rmr_base(&t, revision, unit);
        iort_rmr(&t, 0);
        iort_region(&t, 0x80000000, 0x10000);
        iort_map(&t, 0, 0, 0x900, unit[0], 0);
        b = iort_finish(&t);
        assert_int_equal(region_of(&b, component("\\_SB.DMA0"), 0),
                         revision == 5 ? 0x80000000 : 0);
        assert_int_equal(uim_fw_iort.requester(b.data, &host, 0, &r),
                         revision == 5 ? UIOMMU_OK : UIOMMU_NOENT);
        blob_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemu_translates_for_its_root_bus),
        cmocka_unit_test(ranges_that_touch_are_told_apart),
        cmocka_unit_test(stream_ids_are_wider_than_requester_ids),
        cmocka_unit_test(own_messages_go_to_another_its),
        cmocka_unit_test(unusable_units_keep_their_devices),
        cmocka_unit_test(several_root_complexes_of_a_segment),
        cmocka_unit_test(an_id_of_two_mappings_goes_nowhere),
        cmocka_unit_test(a_range_begins_where_another_was_to_end),
        cmocka_unit_test(ids_of_flawed_mappings_go_nowhere),
        cmocka_unit_test(messages_are_isolated_where_they_come_to_an_its),
        cmocka_unit_test(components_are_found_by_name),
        cmocka_unit_test(a_component_may_have_several_ids),
        cmocka_unit_test(a_component_may_be_named_twice),
        cmocka_unit_test(properties_of_root_complexes),
        cmocka_unit_test(properties_of_components),
        cmocka_unit_test(ats_is_what_the_root_complex_says),
        cmocka_unit_test(no_source_of_interrupts_is_in_this_table),
        cmocka_unit_test(regions_are_for_stream_ids_of_a_unit),
        cmocka_unit_test(flags_of_regions),
        cmocka_unit_test(regions_of_older_tables_do_not_count),
    };

    return cmocka_run_group_tests_name("IORT devices", tests, NULL, NULL);
}
