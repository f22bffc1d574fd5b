/* SPDX-License-Identifier: MIT */
/*
 * Facts of a function from configuration space, and access control switched on in it:
 * where the specification has it, at +8, and in the registers of a chipset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "spec/pch.h"

enum { PAGE = 0x1000 };

static const uint32_t BASE = 0xfed1c000; /* of the chipset's registers */

/* A root port at 00:1c.0, the bridge to the chipset at 00:1f.0, and its registers. */
struct fake {
    uint8_t port[4096], lpc[256];
    uint32_t mmio[PAGE / 4];
    unsigned writes, written_at; /* to configuration space, last */
    unsigned mmio_writes, mapped;
    uint16_t sticks; /* bits of ACS control that cannot be changed */
    bool no_mmio;
};

static const struct uiommu_pci here = { 0, 0, 0x1c << 3 };

static uint8_t *space_of(struct fake *k, struct uiommu_pci at)
{
    if (at.devfn == here.devfn)
        return k->port;
    return at.devfn == 0x1f << 3 ? k->lpc : NULL;
}

static uint32_t fake_read(void *ctx, struct uiommu_pci at, unsigned offset,
                          unsigned width)
{
    uint8_t *space = space_of(ctx, at);
    uint32_t value = 0;

    assert_int_equal(offset % width, 0);
    assert_true(offset + width <= 4096);
    assert_int_equal(at.bus, 0);
    if (space == NULL)
        return UINT32_MAX;
    for (unsigned i = width; i > 0; i--)
        value = value << 8 | space[offset + i - 1];
    /* Some hosts answer with what is beside it as well. */
    return width < 4 ? value | 0xabu << 8 * width : value;
}

static void put(uint8_t *space, unsigned offset, unsigned width, uint32_t value)
{
    for (unsigned i = 0; i < width; i++)
        space[offset + i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *space, unsigned offset, unsigned width)
{
    uint32_t value = 0;

    for (unsigned i = width; i > 0; i--)
        value = value << 8 | space[offset + i - 1];
    return value;
}

static void fake_write(void *ctx, struct uiommu_pci at, unsigned offset,
                       unsigned width, uint32_t value)
{
    struct fake *k = ctx;
    uint32_t before = get(k->port, offset, width);

    assert_int_equal(at.devfn, here.devfn);
    if (offset > 0x100)
        value = (value & ~k->sticks) | (before & k->sticks);
    put(k->port, offset, width, value);
    k->writes++;
    k->written_at = offset;
}

static void *fake_map(void *ctx, uint64_t phys, size_t size)
{
    struct fake *k = ctx;

    assert_int_equal(phys, BASE + PAGE);
    assert_int_equal(size, PAGE);
    if (k->no_mmio)
        return NULL;
    k->mapped++;
    return k->mmio;
}

static void fake_unmap(void *ctx, void *mmio, size_t size)
{
    struct fake *k = ctx;

    assert_ptr_equal(mmio, k->mmio);
    assert_int_equal(size, PAGE);
    assert_int_equal(k->mapped, 1);
    k->mapped--;
}

static uint32_t fake_mmio_read(void *ctx, void *mmio, size_t offset)
{
    struct fake *k = ctx;

    assert_ptr_equal(mmio, k->mmio);
    assert_int_equal(k->mapped, 1);
    return k->mmio[offset / 4];
}

static void fake_mmio_write(void *ctx, void *mmio, size_t offset,
                            uint32_t value)
{
    struct fake *k = ctx;

    assert_ptr_equal(mmio, k->mmio);
    assert_int_equal(k->mapped, 1);
    k->mmio[offset / 4] = value;
    k->mmio_writes++;
}

/* A root port with PCI Express at 0x60, which is of version 2. */
static struct uiommu_host new_host(struct fake *k)
{
    memset(k, 0, sizeof(*k));
    put(k->port, 0x00, 4, 0x56781234);
    put(k->port, 0x06, 2, 0x0010);
    put(k->port, 0x08, 4, 0x060400a3);
    put(k->port, 0x0e, 1, 0x81);
    put(k->port, 0x18, 4, 0x00090700);
    put(k->port, 0x34, 1, 0x60);
    put(k->port, 0x60, 2, 0x0010);
    put(k->port, 0x62, 2, 0x0042);
    return (struct uiommu_host){ .ctx = k,
                                 .pci_read = fake_read,
                                 .pci_write = fake_write,
                                 .mmio_map = fake_map,
                                 .mmio_unmap = fake_unmap,
                                 .mmio_read32 = fake_mmio_read,
                                 .mmio_write32 = fake_mmio_write };
}

static void put_acs(struct fake *k, uint16_t cap, uint16_t ctrl)
{
    put(k->port, 0x100, 4, 0x0001000d);
    put(k->port, 0x104, 2, cap);
    put(k->port, 0x106, 2, ctrl);
}

static struct uim_pci_function read_it(const struct uiommu_host *host)
{
    struct uim_pci_function f;

    memset(&f, 0xa5, sizeof(f));
    uim_pci_function_read(host, here, &f);
    return f;
}

/* ---- facts ---------------------------------------------------------------------- */

static void a_root_port_is_read(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);
    struct uim_pci_function f;

    (void)state;
    put(k.port, 0x84, 4, 1 << 21);
    put_acs(&k, 0x5f, 0x1d);
    f = read_it(&host);
    assert_memory_equal(&f.at, &here, sizeof(here));
    assert_null(f.bridge);
    assert_null(f.physical);
    assert_null(f.dma_device);
    assert_int_equal(f.vendor, 0x1234);
    assert_int_equal(f.device, 0x5678);
    assert_int_equal(f.subsystem_vendor, 0);
    assert_int_equal(f.class_code, 0x060400);
    assert_int_equal(f.revision, 0xa3);
    assert_int_equal(f.header, PCI_HEADER_BRIDGE);
    assert_true(f.multifunction);
    assert_int_equal(f.port, ROOT);
    assert_int_equal(f.secondary, 7);
    assert_int_equal(f.subordinate, 9);
    assert_false(f.own_memory);
    assert_true(f.end_end_prefix);
    assert_false(f.unseen);
    assert_int_equal(f.acs, 0x100);
    assert_int_equal(f.acs_cap, 0x5f);
    assert_int_equal(f.acs_ctrl, 0x1d);
    assert_false(f.quirk_enabled);
    assert_false(f.ivrs);
    assert_int_equal(f.n_devfns, 0);
    assert_int_equal(k.writes + k.mmio_writes, 0);
}

static void an_endpoint_is_read(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);
    struct uim_pci_function f;

    (void)state;
    put(k.port, 0x0e, 1, 0x00);
    put(k.port, 0x10, 4, 0xfe000000);
    put(k.port, 0x2c, 4, 0xcc08ea50);
    put(k.port, 0x62, 2, 0x0002);
    f = read_it(&host);
    assert_int_equal(f.header, PCI_HEADER_FUNCTION);
    assert_false(f.multifunction);
    assert_int_equal(f.port, END);
    assert_int_equal(f.subsystem_vendor, 0xea50);
    assert_int_equal(f.subsystem, 0xcc08);
    assert_int_equal(f.secondary, 0);
    assert_false(f.own_memory);
    assert_false(f.end_end_prefix);
    assert_int_equal(f.acs, 0);
    put(k.port, 0x34, 1, 0);
    assert_int_equal(read_it(&host).port, CONVENTIONAL);
}

static uint32_t read_seventh(void *ctx, struct uiommu_pci at, unsigned offset,
                             unsigned width)
{
    at.devfn &= 0xf8;
    return fake_read(ctx, at, offset, width);
}

/* What is not function 0 is not alone, whatever its own header says. */
static void functions_but_the_first_have_company(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);
    struct uim_pci_function f;

    (void)state;
    put(k.port, 0x0e, 1, 0x01);
    assert_false(read_it(&host).multifunction);
    host.pci_read = read_seventh;
    uim_pci_function_read(&host, (struct uiommu_pci){ 0, 0, 0x1c << 3 | 7 },
                          &f);
    assert_true(f.multifunction);
    assert_int_equal(f.at.devfn & 7, 7);
}

static void bridges_with_registers_of_their_own(void **state)
{
    static const struct {
        uint32_t low, high;
        bool memory;
    } rows[] = {
        { 0, 0, false },
        { 0xfe000000, 0, true },
        { 0, 0xfe000000, true },
        { 0x0000e001, 0, false }, /* ports, not memory */
        { 0x0000e001, 0xfe000000, true },
        { 0xc000000c, 0x0000002c, true },
        { 0x0000000c, 0, true }, /* not placed yet */
    };
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put(k.port, 0x10, 4, rows[i].low);
        put(k.port, 0x14, 4, rows[i].high);
        assert_int_equal(read_it(&host).own_memory, rows[i].memory);
    }
}

static void capabilities_that_are_old_or_cut_off(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    put(k.port, 0x84, 4, 1 << 21);
    put(k.port, 0x62, 2, 0x0041); /* version 1 ends before that */
    assert_false(read_it(&host).end_end_prefix);
    put(k.port, 0x62, 2, 0x0042);
    assert_true(read_it(&host).end_end_prefix);
    put(k.port, 0x34, 1, 0xd8);
    put(k.port, 0xd8, 4, 0x00420010);
    put(k.port, 0xfc, 4, 1 << 21);
    assert_true(read_it(&host).end_end_prefix);
    put(k.port, 0x34, 1, 0xdc);
    put(k.port, 0xdc, 4, 0x00420010);
    put(k.port, 0x100, 4, 1 << 21); /* an offset of 0x24 from there */
    assert_int_equal(read_it(&host).port, ROOT);
    assert_false(read_it(&host).end_end_prefix);

    put(k.port, 0x100, 4, 0xff80002a);
    put(k.port, 0xff8, 4, 0x0001000d);
    put(k.port, 0xffc, 4, 0x001d005f);
    assert_int_equal(read_it(&host).acs, 0xff8);
    assert_int_equal(read_it(&host).acs_ctrl, 0x1d);
    put(k.port, 0x100, 4, 0xffc0002a);
    put(k.port, 0xffc, 4, 0x0001000d);
    assert_int_equal(read_it(&host).acs, 0);
    put(k.port, 0x00, 4, 0xa1108086); /* with control at +8 */
    put(k.port, 0x100, 4, 0xff80002a);
    assert_int_equal(read_it(&host).acs, 0);
    put(k.port, 0x100, 4, 0xff40002a);
    put(k.port, 0xff4, 4, 0x0001000d);
    put(k.port, 0xff8, 4, 0x0000000f);
    put(k.port, 0xffc, 4, 0x0000000d);
    assert_int_equal(read_it(&host).acs, 0xff4);
    assert_int_equal(read_it(&host).acs_cap, 0x0f);
    assert_int_equal(read_it(&host).acs_ctrl, 0x0d);
}

static void functions_that_are_gone(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);
    struct uim_pci_function f;

    (void)state;
    put(k.port, 0, 4, UINT32_MAX);
    put(k.port, 4, 4, UINT32_MAX);
    f = read_it(&host);
    assert_int_equal(f.vendor, 0xffff);
    assert_int_equal(f.port, CONVENTIONAL);
    assert_int_equal(f.acs, 0);
    assert_int_equal(uim_pci_acs_enable(&host, here, uim_pci_acs_isolation),
                     uim_pci_acs_isolation);
    assert_int_equal(k.writes, 0);
}

/* Any configuration space is inside itself (fake_read), and read within bounds. */
static void random_spaces_are_survived(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);
    uint32_t seed = 7, seen = 0;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        struct uim_pci_function f;

        for (unsigned i = 0; i < sizeof(k.port); i += 4) {
            seed = seed * 1664525 + 1013904223;
            put(k.port, i, 4, seed ^ seed << 13);
        }
        put(k.port, 0x100, 4, (round * 8 % 0xf00 + 0x100) << 20 | 0x0002);
        put(k.port, round * 8 % 0xf00 + 0x100, 4, 0x0001000d);
        f = read_it(&host);
        seen += f.acs != 0;
        assert_true(f.acs == 0 || (f.acs >= 0x100 && f.acs <= 0xff8));
        (void)uim_pci_acs_enable(&host, here, PCI_ACS_TB);
    }
    assert_true(seen > 1000);
}

/* ---- ACS on ------------------------------------------------------------------------ */

static void acs_is_switched_on(void **state)
{
    const uint16_t want = uim_pci_acs_isolation;
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    put_acs(&k, 0x5f, 0x40);
    assert_int_equal(uim_pci_acs_enable(&host, here, want), 0);
    assert_int_equal(get(k.port, 0x106, 2), 0x5d); /* the rest as it was */
    assert_int_equal(k.writes, 1);
    assert_int_equal(k.written_at, 0x106);
    assert_int_equal(uim_pci_acs_enable(&host, here, want), 0);
    assert_int_equal(k.writes, 1); /* is already */
    assert_int_equal(uim_pci_acs_enable(&host, here, want | PCI_ACS_TB), 0);
    assert_int_equal(get(k.port, 0x106, 2), 0x5f);
    /* What it has not is no promise of its, but on: 6.12.1. */
    put_acs(&k, 0x05, 0);
    assert_int_equal(uim_pci_acs_enable(&host, here, want), 0);
    assert_int_equal(get(k.port, 0x106, 2), 0x05);
}

static void acs_that_cannot_be_switched_on(void **state)
{
    const uint16_t want = uim_pci_acs_isolation;
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    assert_int_equal(uim_pci_acs_enable(&host, here, want), want);
    assert_int_equal(k.writes, 0);
    put_acs(&k, 0x5f, 0);
    k.sticks = PCI_ACS_CR; /* a port that does not obey */
    assert_int_equal(uim_pci_acs_enable(&host, here, want), PCI_ACS_CR);
    assert_int_equal(get(k.port, 0x106, 2), 0x15);
    put(k.port, 0x62, 2, 0x0072); /* a bridge to PCI */
    assert_int_equal(uim_pci_acs_enable(&host, here, want), want);
}

/* With it some requests would pass that are to be redirected. */
static void egress_control_is_switched_off(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    put_acs(&k, 0x7f, PCI_ACS_EC);
    assert_int_equal(uim_pci_acs_enable(&host, here, PCI_ACS_SV), 0);
    assert_int_equal(get(k.port, 0x106, 2), PCI_ACS_EC | PCI_ACS_SV);
    assert_int_equal(uim_pci_acs_enable(&host, here, uim_pci_acs_isolation), 0);
    assert_int_equal(get(k.port, 0x106, 2), 0x1d);
    put_acs(&k, 0x7f, PCI_ACS_EC);
    k.sticks = PCI_ACS_EC;
    assert_int_equal(uim_pci_acs_enable(&host, here, uim_pci_acs_isolation),
                     PCI_ACS_RR);
}

static void control_at_8_is_where_it_is(void **state)
{
    struct fake k;
    struct uiommu_host host = new_host(&k);

    (void)state;
    put(k.port, 0x00, 4, 0xa1108086);
    put_acs(&k, 0x0f, 0x1d); /* at +6 is more of the capability */
    assert_int_equal(read_it(&host).acs_ctrl, 0);
    assert_int_equal(uim_pci_acs_enable(&host, here, uim_pci_acs_isolation), 0);
    assert_int_equal(k.written_at, 0x108);
    assert_int_equal(get(k.port, 0x106, 2), 0x1d);
    assert_int_equal(get(k.port, 0x108, 2), 0x0d);
    assert_int_equal(uim_pci_acs_missing(&(struct uim_pci_function){ 0 }, 0),
                     0);
}

/* ---- a chipset's own registers ----------------------------------------------------- */

static struct uiommu_host new_chipset(struct fake *k)
{
    struct uiommu_host host = new_host(k);

    put(k->port, 0x00, 4, 0x8c108086);
    put(k->lpc, 0x00, 4, 0x8c508086);
    put(k->lpc, 0xf0, 4, BASE | 1);
    k->mmio[0x14 / 4] = 0xffff003f;
    return host;
}

static void chipsets_are_asked(void **state)
{
    struct fake k;
    struct uiommu_host host = new_chipset(&k);

    (void)state;
    put(k.port, 0xd8, 4, 1 << 26);
    assert_false(read_it(&host).quirk_enabled); /* peers are decoded */
    k.mmio[0x104 / 4] = 0x100;
    assert_false(read_it(&host).quirk_enabled);
    k.mmio[0x104 / 4] = 0x200;
    assert_false(read_it(&host).quirk_enabled);
    k.mmio[0x104 / 4] = 0x300;
    assert_true(read_it(&host).quirk_enabled);
    k.mmio[0x104 / 4] = 0;
    k.mmio[0x14 / 4] = 0xffff0000;
    assert_true(read_it(&host).quirk_enabled);
    put(k.port, 0xd8, 4, (uint32_t) ~(1 << 26)); /* ids are not checked */
    assert_false(read_it(&host).quirk_enabled);
    assert_int_equal(k.mapped, 0);
    assert_int_equal(k.writes + k.mmio_writes, 0);
}

static void chipsets_that_cannot_be_asked(void **state)
{
    struct fake k;
    struct uiommu_host host = new_chipset(&k);

    (void)state;
    put(k.port, 0xd8, 4, 1 << 26);
    k.mmio[0x14 / 4] = 0;
    assert_true(read_it(&host).quirk_enabled);
    put(k.lpc, 0xf0, 4, BASE);
    assert_false(read_it(&host).quirk_enabled);
    put(k.lpc, 0xf0, 4, UINT32_MAX);
    assert_false(read_it(&host).quirk_enabled);
    put(k.lpc, 0xf0, 4, BASE | 1);
    k.no_mmio = true;
    assert_false(read_it(&host).quirk_enabled);
    k.no_mmio = false;
    host.mmio_map = NULL;
    assert_false(read_it(&host).quirk_enabled);
    host.mmio_map = fake_map;
    put(k.port, 0x62, 2, 0x0062); /* no root port */
    assert_false(read_it(&host).quirk_enabled);
}

static void chipsets_are_told(void **state)
{
    const uint16_t want = uim_pci_acs_isolation;
    struct fake k;
    struct uiommu_host host = new_chipset(&k);

    (void)state;
    put(k.port, 0xd8, 4, 0x12);
    put_acs(&k, 0x5f, 0); /* is not what counts, but is switched on as well */
    assert_int_equal(uim_pci_acs_enable(&host, here, want), 0);
    assert_int_equal(k.mmio[0x14 / 4], 0xffff0000);
    assert_int_equal(get(k.port, 0xd8, 4), 1 << 26 | 0x12);
    assert_int_equal(k.mmio_writes, 1);
    assert_int_equal(k.mapped, 0);
    /* It never blocks translated requests. */
    assert_int_equal(uim_pci_acs_enable(&host, here, want | PCI_ACS_TB),
                     PCI_ACS_TB);
    assert_int_equal(k.mmio_writes, 1);
    /* What firmware has locked for both kinds of requests is not touched. */
    k.mmio[0x14 / 4] = 0x3f;
    k.mmio[0x104 / 4] = 0x300;
    assert_int_equal(uim_pci_acs_enable(&host, here, want), 0);
    assert_int_equal(k.mmio[0x14 / 4], 0x3f);
    k.no_mmio = true;
    assert_int_equal(uim_pci_acs_enable(&host, here, want), want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_port_is_read),
        cmocka_unit_test(an_endpoint_is_read),
        cmocka_unit_test(functions_but_the_first_have_company),
        cmocka_unit_test(bridges_with_registers_of_their_own),
        cmocka_unit_test(capabilities_that_are_old_or_cut_off),
        cmocka_unit_test(functions_that_are_gone),
        cmocka_unit_test(random_spaces_are_survived),
        cmocka_unit_test(acs_is_switched_on),
        cmocka_unit_test(acs_that_cannot_be_switched_on),
        cmocka_unit_test(egress_control_is_switched_off),
        cmocka_unit_test(control_at_8_is_where_it_is),
        cmocka_unit_test(chipsets_are_asked),
        cmocka_unit_test(chipsets_that_cannot_be_asked),
        cmocka_unit_test(chipsets_are_told),
    };

    return cmocka_run_group_tests_name("PCI functions", tests, NULL, NULL);
}
