/* SPDX-License-Identifier: MIT */
/*
 * Configuration space that is right, hostile, and gone (PCIe Base 6.x, 7 and 10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pci/pci.h"

/* One function with 4 KiB of configuration space, at 00:03.0. */
struct function {
    uint8_t space[4096];
    bool gone;
    unsigned reads, writes;
    unsigned ats;          /* offset of its ATS control register; 0: none */
    uint16_t ats_writable; /* bits of that which can be set               */
    uint16_t written[8];   /* to that, in order                           */
};

static const struct uiommu_pci here = { 0, 0, 0x18 };

static uint32_t fake_read(void *ctx, struct uiommu_pci at, unsigned offset,
                          unsigned width)
{
    struct function *f = ctx;
    uint32_t value = 0;

    assert_true(width == 1 || width == 2 || width == 4);
    assert_int_equal(offset % width, 0);
    assert_true(offset + width <= sizeof(f->space));
    f->reads++;
    /* Some hosts answer with ones in all 32 bits, whatever the width. */
    if (f->gone || at.devfn != here.devfn)
        return UINT32_MAX;
    for (unsigned i = width; i > 0; i--)
        value = value << 8 | f->space[offset + i - 1];
    return value;
}

static void fake_write(void *ctx, struct uiommu_pci at, unsigned offset,
                       unsigned width, uint32_t value)
{
    struct function *f = ctx;

    assert_int_equal(at.devfn, here.devfn);
    assert_int_equal(width, 2);
    assert_int_equal(offset, f->ats);
    assert_true(f->writes < 8);
    f->written[f->writes++] = (uint16_t)value;
    if (f->gone)
        return;
    value &= f->ats_writable;
    f->space[offset] = (uint8_t)value;
    f->space[offset + 1] = (uint8_t)(value >> 8);
}

static void put(struct function *f, unsigned offset, unsigned width,
                uint32_t value)
{
    for (unsigned i = 0; i < width; i++)
        f->space[offset + i] = (uint8_t)(value >> (8 * i));
}

static struct uiommu_host device(struct function *f)
{
    memset(f, 0, sizeof(*f));
    put(f, 0x00, 4, 0x5678abcd);
    put(f, 0x06, 2, 0x0010);
    put(f, 0x08, 4, 0x0c033007);
    return (struct uiommu_host){ .ctx = f,
                                 .pci_read = fake_read,
                                 .pci_write = fake_write };
}

static void cap(struct function *f, unsigned offset, unsigned id, unsigned next)
{
    put(f, offset, 2, id | next << 8);
}

static void ext_cap(struct function *f, unsigned offset, unsigned id,
                    unsigned next)
{
    put(f, offset, 4, id | 1u << 16 | next << 20);
}

/* ---- header -------------------------------------------------------------- */

static void header_fields(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    const struct uiommu_pci elsewhere = { 0, 0, 0x20 };

    (void)state;
    assert_true(uim_pci_present(&host, here));
    assert_false(uim_pci_present(&host, elsewhere));
    assert_int_equal(uim_pci_class(&host, here), 0x0c0330);
    assert_false(uim_pci_is_bridge(&host, here));
    put(&f, 0x0e, 1, 0x81);
    put(&f, 0x18, 4, 0x00090705);
    assert_true(uim_pci_is_bridge(&host, here));
    assert_int_equal(uim_pci_secondary_bus(&host, here), 7);
    f.gone = true;
    assert_false(uim_pci_is_bridge(&host, here));
}

/* ---- capabilities -------------------------------------------------------- */

static void capabilities_are_found(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    put(&f, 0x34, 1, 0x43); /* bits 1:0 are to be ignored */
    cap(&f, 0x40, PCI_CAP_MSI, 0x52);
    cap(&f, 0x50, PCI_CAP_EXP, 0xfc);
    cap(&f, 0xfc, PCI_CAP_MSIX, 0);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_MSI), 0x40);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0x50);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_MSIX), 0xfc);
    assert_int_equal(uim_pci_find(&host, here, 0x01), 0);
    put(&f, 0x06, 2, 0);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_MSI), 0);
}

static void capability_lists_without_an_end(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    put(&f, 0x34, 1, 0x40);
    cap(&f, 0x40, PCI_CAP_MSI, 0x40);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0);
    cap(&f, 0x40, PCI_CAP_MSI, 0x80);
    cap(&f, 0x80, PCI_CAP_MSIX, 0x40);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0);
    assert_true(f.reads < 200);
}

static void capability_pointers_into_the_header(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    cap(&f, 0x3c, PCI_CAP_EXP, 0);
    put(&f, 0x34, 1, 0x3c);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0);
    put(&f, 0x34, 1, 0x40);
    cap(&f, 0x40, PCI_CAP_MSI, 0x3c);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0);
}

static void longest_lists_are_walked_to_the_end(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    put(&f, 0x34, 1, 0x40);
    for (unsigned at = 0x40; at < 0xfc; at += 4)
        cap(&f, at, PCI_CAP_MSI, at + 4);
    cap(&f, 0xfc, PCI_CAP_EXP, 0);
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0xfc);
    for (unsigned at = 0x100; at < 0xff8; at += 8)
        ext_cap(&f, at, PCI_EXT_CAP_ACS, at + 8);
    ext_cap(&f, 0xff8, PCI_EXT_CAP_ATS, 0);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0xff8);
}

static void extended_capabilities_are_found(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0);
    ext_cap(&f, 0x100, PCI_EXT_CAP_ACS, 0x2a0);
    ext_cap(&f, 0x2a0, PCI_EXT_CAP_PRI, 0x150);
    ext_cap(&f, 0x150, PCI_EXT_CAP_ATS, 0);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ACS), 0x100);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_PRI), 0x2a0);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0x150);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_PASID), 0);
    f.gone = true;
    assert_int_equal(uim_pci_find_ext(&host, here, 0xffff), 0);
}

static void extended_lists_that_are_hostile(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    ext_cap(&f, 0x100, PCI_EXT_CAP_ACS, 0x140);
    ext_cap(&f, 0x140, PCI_EXT_CAP_PRI, 0x100);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0);
    assert_true(f.reads < 1000);
    ext_cap(&f, 0x140, PCI_EXT_CAP_PRI, 0x40);
    put(&f, 0x40, 4, PCI_EXT_CAP_ATS);
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0);
    ext_cap(&f, 0x140, PCI_EXT_CAP_PRI, 0xfff); /* aligned down by the reader */
    assert_int_equal(uim_pci_find_ext(&host, here, PCI_EXT_CAP_ATS), 0);
    put(&f, 0x100, 4, UINT32_MAX); /* only 256 bytes can be reached */
    assert_int_equal(uim_pci_find_ext(&host, here, 0xffff), 0);
}

/* Bytes, or capability headers with pointers to anywhere. */
static void scramble(struct function *f, uint32_t *seed, bool lists)
{
    for (unsigned i = 0; i < sizeof(f->space); i += 4) {
        *seed = *seed * 1664525 + 1013904223;
        put(f, i, 4, *seed ^ *seed << 13);
        if (lists && i < 0x100)
            cap(f, i, *seed >> 28, *seed >> 16 & 0xff);
        else if (lists)
            ext_cap(f, i, *seed >> 27, *seed >> 12 & 0xfff);
    }
    f->space[6] |= 0x10;
    f->space[0] = 0;
}

/* Any configuration space at all: bounded, and inside it (fake_read). */
static void random_spaces_are_survived(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    struct uim_pci_pasid pasid;
    struct uim_pci_ats ats;
    struct uim_pci_pri pri;
    uint32_t seed = 1;
    unsigned found = 0;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        scramble(&f, &seed, round % 4 != 0);
        f.reads = 0;
        (void)uim_pci_find(&host, here, PCI_CAP_MSI);
        (void)uim_pci_port(&host, here);
        if (uim_pci_ats(&host, here, &ats) == UIOMMU_OK) {
            assert_in_range(ats.queue_depth, 1, 32);
            found++;
        }
        if (uim_pci_pasid(&host, here, &pasid) == UIOMMU_OK)
            assert_in_range(pasid.bits, 0, 20);
        if (uim_pci_pri(&host, here, &pri) == UIOMMU_OK)
            assert_in_range(pri.offset, 0x100, 0xff0);
        assert_true(f.reads < 2000);
    }
    assert_true(found > 100);
}

static void ports_have_types(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    assert_int_equal(uim_pci_port(&host, here), UIM_PCI_NOT_PCIE);
    put(&f, 0x34, 1, 0x60);
    cap(&f, 0x60, PCI_CAP_EXP, 0);
    put(&f, 0x62, 2, 0x0002);
    assert_int_equal(uim_pci_port(&host, here), PCI_EXP_TYPE_ENDPOINT);
    put(&f, 0x62, 2, 0x0142);
    assert_int_equal(uim_pci_port(&host, here), PCI_EXP_TYPE_ROOT_PORT);
    put(&f, 0x62, 2, 0x0072);
    assert_int_equal(uim_pci_port(&host, here),
                     PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE);
    f.gone = true;
    assert_int_equal(uim_pci_port(&host, here), UIM_PCI_NOT_PCIE);
}

/* ---- ATS, PASID, PRI ----------------------------------------------------- */

static void ats_is_read(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    struct uim_pci_ats ats = { .queue_depth = 77 };

    (void)state;
    assert_int_equal(uim_pci_ats(&host, here, &ats), UIOMMU_NOENT);
    assert_int_equal(ats.queue_depth, 77);
    ext_cap(&f, 0x100, PCI_EXT_CAP_ATS, 0);
    put(&f, 0x104, 2, 0x0000);
    assert_int_equal(uim_pci_ats(&host, here, &ats), UIOMMU_OK);
    assert_int_equal(ats.offset, 0x100);
    assert_int_equal(ats.queue_depth, 32);
    assert_false(ats.page_aligned);
    assert_false(ats.global_invalidate);
    put(&f, 0x104, 2, 0x0065);
    assert_int_equal(uim_pci_ats(&host, here, &ats), UIOMMU_OK);
    assert_int_equal(ats.queue_depth, 5);
    assert_true(ats.page_aligned);
    assert_true(ats.global_invalidate);
}

static void capabilities_cut_off_at_the_end(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    struct uim_pci_ats ats;
    struct uim_pci_pri pri;

    (void)state;
    ext_cap(&f, 0x100, PCI_EXT_CAP_ACS, 0xffc);
    ext_cap(&f, 0xffc, PCI_EXT_CAP_ATS, 0);
    assert_int_equal(uim_pci_ats(&host, here, &ats), UIOMMU_NOENT);
    ext_cap(&f, 0x100, PCI_EXT_CAP_ACS, 0xff8);
    ext_cap(&f, 0xff8, PCI_EXT_CAP_ATS, 0);
    assert_int_equal(uim_pci_ats(&host, here, &ats), UIOMMU_OK);
    ext_cap(&f, 0x100, PCI_EXT_CAP_ACS, 0xff4);
    ext_cap(&f, 0xff4, PCI_EXT_CAP_PRI, 0);
    assert_int_equal(uim_pci_pri(&host, here, &pri), UIOMMU_NOENT);
    put(&f, 0x34, 1, 0xfc);
    cap(&f, 0xfc, PCI_CAP_EXP, 0);
    assert_int_equal(uim_pci_port(&host, here), PCI_EXP_TYPE_ENDPOINT);
}

/* The unit's size is written while ATS is off, then ATS goes on. */
static void ats_goes_on_and_off(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    ext_cap(&f, 0x100, PCI_EXT_CAP_ATS, 0);
    f.ats = 0x106;
    f.ats_writable = 0x801f;
    put(&f, 0x106, 2, 0x0003);
    uim_pci_ats_enable(&host, here, 0x100, 0);
    assert_int_equal(f.writes, 2);
    assert_int_equal(f.written[0], 0x0000);
    assert_int_equal(f.written[1], 0x8000);
    uim_pci_ats_disable(&host, here, 0x100);
    assert_int_equal(f.written[2], 0x0000);
    uim_pci_ats_enable(&host, here, 0x100, 9);
    assert_int_equal(f.written[3], 0x0009);
    assert_int_equal(f.written[4], 0x8009);
    /* Off first: that is what empties its cache. */
    uim_pci_ats_enable(&host, here, 0x100, 9);
    assert_int_equal(f.written[5], 0x0009);
    assert_int_equal(f.written[6], 0x8009);
}

static void ats_keeps_what_it_does_not_know(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    ext_cap(&f, 0x100, PCI_EXT_CAP_ATS, 0);
    f.ats = 0x106;
    f.ats_writable = 0xffff;
    put(&f, 0x106, 2, 0x4800);
    uim_pci_ats_enable(&host, here, 0x100, 1);
    assert_int_equal(f.written[0], 0x4801);
    assert_int_equal(f.written[1], 0xc801);
    uim_pci_ats_disable(&host, here, 0x100);
    assert_int_equal(f.written[2], 0x4801);
}

static void pasid_and_pri_are_read(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    struct uim_pci_pasid pasid;
    struct uim_pci_pri pri;

    (void)state;
    assert_int_equal(uim_pci_pasid(&host, here, &pasid), UIOMMU_NOENT);
    assert_int_equal(uim_pci_pri(&host, here, &pri), UIOMMU_NOENT);
    ext_cap(&f, 0x100, PCI_EXT_CAP_PASID, 0x200);
    ext_cap(&f, 0x200, PCI_EXT_CAP_PRI, 0);
    put(&f, 0x104, 2, 0x1404);
    put(&f, 0x206, 2, 0x8100);
    put(&f, 0x208, 4, 0x12345);
    assert_int_equal(uim_pci_pasid(&host, here, &pasid), UIOMMU_OK);
    assert_int_equal(pasid.offset, 0x100);
    assert_int_equal(pasid.bits, 20);
    assert_false(pasid.exec);
    assert_true(pasid.privileged);
    put(&f, 0x104, 2, 0x1f02); /* 31 bits: nobody has more than 20 */
    assert_int_equal(uim_pci_pasid(&host, here, &pasid), UIOMMU_OK);
    assert_int_equal(pasid.bits, 20);
    assert_true(pasid.exec);
    assert_int_equal(uim_pci_pri(&host, here, &pri), UIOMMU_OK);
    assert_int_equal(pri.offset, 0x200);
    assert_int_equal(pri.capacity, 0x12345);
    assert_true(pri.response_pasid);
    assert_int_equal(f.writes, 0);
}

/* ---- virtual functions --------------------------------------------------- */

static void virtual_functions_are_counted(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);
    struct uim_pci_sriov s;

    (void)state;
    assert_int_equal(uim_pci_sriov(&host, here, &s), UIOMMU_NOENT);
    ext_cap(&f, 0x100, PCI_EXT_CAP_SRIOV, 0);
    put(&f, 0x108, 2, 0x18); /* memory, ARI: not enabled */
    put(&f, 0x10c, 4, 0x00400040);
    put(&f, 0x110, 2, 7);
    put(&f, 0x114, 4, 0x00020080);
    put(&f, 0x118, 4, 0x10ca0000);
    assert_int_equal(uim_pci_sriov(&host, here, &s), UIOMMU_OK);
    assert_int_equal(s.n, 0);
    put(&f, 0x108, 2, 0x19);
    assert_int_equal(uim_pci_sriov(&host, here, &s), UIOMMU_OK);
    assert_int_equal(s.n, 7);
    assert_int_equal(s.offset, 0x80);
    assert_int_equal(s.stride, 2);
    assert_int_equal(s.device, 0x10ca);
    ext_cap(&f, 0x100, PCI_EXT_CAP_ATS, 0xfc4);
    ext_cap(&f, 0xfc4, PCI_EXT_CAP_SRIOV, 0);
    assert_int_equal(uim_pci_sriov(&host, here, &s), UIOMMU_NOENT);
}

/* Of n, from offset on in steps of stride, counted over buses. */
static void virtual_functions_have_numbers(void **state)
{
    struct uim_pci_sriov s = { .n = 3, .offset = 0xf0, .stride = 0x10 };
    const struct uiommu_pci pf = { 1, 2, 0x08 };

    (void)state;
    for (unsigned id = 0; id < 0x400; id++) {
        const struct uiommu_pci at = { 1, (uint8_t)(2 + (id >> 8)),
                                       (uint8_t)id };
        const struct uiommu_pci other = { 0, at.bus, at.devfn };

        assert_int_equal(uim_pci_is_virtual_of(&s, pf, at),
                         id == 0xf8 || id == 0x108 || id == 0x118);
        assert_false(uim_pci_is_virtual_of(&s, pf, other));
    }
    assert_false(
        uim_pci_is_virtual_of(&s, pf, (struct uiommu_pci){ 1, 1, 0xf8 }));
    s.stride = 0; /* only where there is one */
    assert_true(
        uim_pci_is_virtual_of(&s, pf, (struct uiommu_pci){ 1, 2, 0xf8 }));
    assert_false(
        uim_pci_is_virtual_of(&s, pf, (struct uiommu_pci){ 1, 3, 0x08 }));
    s.offset = 0;
    assert_false(uim_pci_is_virtual_of(&s, pf, pf));
    s.offset = 0xf0;
    s.n = 0;
    assert_false(
        uim_pci_is_virtual_of(&s, pf, (struct uiommu_pci){ 1, 2, 0xf8 }));
}

static void virtual_functions_have_no_vendor(void **state)
{
    struct function f;
    struct uiommu_host host = device(&f);

    (void)state;
    assert_false(uim_pci_is_virtual(&host, here));
    put(&f, 0x00, 4, UINT32_MAX);
    cap(&f, 0x40, PCI_CAP_EXP, 0);
    put(&f, 0x34, 1, 0x40);
    assert_true(uim_pci_is_virtual(&host, here));
    assert_true(uim_pci_present(&host, here));
    assert_int_equal(uim_pci_find(&host, here, PCI_CAP_EXP), 0x40);
    f.gone = true;
    assert_false(uim_pci_is_virtual(&host, here));
    assert_false(uim_pci_present(&host, here));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_fields),
        cmocka_unit_test(capabilities_are_found),
        cmocka_unit_test(capability_lists_without_an_end),
        cmocka_unit_test(capability_pointers_into_the_header),
        cmocka_unit_test(longest_lists_are_walked_to_the_end),
        cmocka_unit_test(extended_capabilities_are_found),
        cmocka_unit_test(extended_lists_that_are_hostile),
        cmocka_unit_test(random_spaces_are_survived),
        cmocka_unit_test(ports_have_types),
        cmocka_unit_test(ats_is_read),
        cmocka_unit_test(capabilities_cut_off_at_the_end),
        cmocka_unit_test(ats_goes_on_and_off),
        cmocka_unit_test(ats_keeps_what_it_does_not_know),
        cmocka_unit_test(pasid_and_pri_are_read),
        cmocka_unit_test(virtual_functions_are_counted),
        cmocka_unit_test(virtual_functions_have_numbers),
        cmocka_unit_test(virtual_functions_have_no_vendor),
    };

    return cmocka_run_group_tests_name("PCI configuration space", tests, NULL,
                                       NULL);
}
