/* SPDX-License-Identifier: MIT */
/*
 * The VT-d model through the C ABI: creation, registers, answers, accessed and
 * dirty bits, ATS. Faults, invalidation, staleness and guests that mean harm have tests
 * of their own beside this one.
 */
#include <string.h>

#include "tests/model/vm.h"

enum {
    A = VM_CONTEXT + VM_A * 16,
    E_RID = VM_PASID_TABLE + VM_RID_PASID * 64,
    E_FS = VM_PASID_TABLE + VM_PASID_FS * 64,
    FS_LEAF_X = VM_FS + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
    ACCESSED = 1 << 5,
    DIRTY = 1 << 6,
    RW = UIE_R | UIE_W,
    R = UIE_R,
    W = UIE_W,
};

#define FEE UINT64_C(0xfee00000)

/* ---- creation ---------------------------------------------------------------- */

static void unknown_arguments_are_refused_by_name(void **state)
{
    static const struct {
        const char *args, *said;
    } rows[] = {
        { "foo=1", "unknown key \"foo\"" },
        { "cm", "key cm does not take" },
        { "cm=2", "key cm does not take the value \"2\"" },
        { "cm=1,bits=48,xyz=on", "unknown key \"xyz\"" },
        { "pi=1", "unknown key \"pi\"" },
        { "cache=lazy", "\"lazy\"" },
        { "bits=40", "bits" },
        { "bits=0x1ffffffffffffffff", "bits" },
        { "scalable=1,fs=0,ss=0", "scalable" },
        { "scalable=1,rwbf=1", "rwbf" },
        { "prs=1", "prs" },
        { "prs=1,scalable=1,dt=0", "prs" },
        { "base=0x1234", "base" },
        { "ioapic=1", "ioapic" },
        { "ioapic=256:0", "ioapic" },
        { "rid=089", "rid" },
        { ",", "unknown key \"\"" },
        { "a\nb\x7f\xff=1", "unknown key \"a?b??\"" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
          "unknown key \"aaaa" },
    };
    struct vm *vm = vm_create_bare();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_null(vm->ops->create("vtd", &vm->host, rows[i].args));
        assert_int_equal(vm->n_log[UIE_LOG_ERROR], i + 1);
        if (!strstr(vm->last_log, rows[i].said))
            fail_msg("\"%s\": \"%s\"", rows[i].args, vm->last_log);
    }
    vm_destroy(vm);
}

static void hosts_are_checked(void **state)
{
    struct vm *vm = vm_create_bare();
    struct uie_host host = vm->host;
    void *m;

    (void)state;
    assert_null(uiommu_embed(2));
    assert_null(uiommu_embed(0));
    assert_string_equal(vm->ops->names[0], "vtd");
    assert_null(vm->ops->create("nothing", &host, ""));
    host.abi = 7;
    assert_null(vm->ops->create("vtd", &host, ""));
    host = vm->host;
    host.size--;
    assert_null(vm->ops->create("vtd", &host, ""));
    host = vm->host;
    host.mem_cas = NULL;
    assert_null(vm->ops->create("vtd", &host, ""));
    m = vm->ops->create("vtd", &vm->host, NULL);
    assert_non_null(m);
    vm->ops->destroy(m);
    vm->ops->destroy(NULL);
    vm_destroy(vm);
}

static void numbers_are_those_of_strtoull(void **state)
{
    struct vm *vm = vm_create("base=0xFED90000,bits=060,ioapic=2:0x00F8,irq=9,"
                              "rid=010,coherent=0");

    (void)state;
    assert_int_equal(vm_rd(vm, VTD_REG_ECAP) & 1, 0);
    assert_int_equal(vm_rd(vm, VTD_REG_CAP) >> 16 & 0x3f, 47);
    vm_destroy(vm);
}

static void capabilities(void **state)
{
    static const struct {
        const char *args;
        uint64_t cap;
    } rows[] = {
        { "", UINT64_C(0x00d2078c222f0606) },
        { "bits=39", UINT64_C(0x00d2078c22260206) },
        { "bits=57,cm=1,rwbf=1", UINT64_C(0x00d2078c22380e96) },
        { "scalable=1", UINT64_C(0x01d2078c222f0606) },
        { "scalable=1,bits=57", UINT64_C(0x11d2078c22380e06) },
        { "scalable=1,fs=0", UINT64_C(0x00d2078c222f0606) },
        { "esrtps=1", UINT64_C(0x80d2078c222f0606) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = vm_create(rows[i].args);

        assert_int_equal(vm_rd(vm, VTD_REG_CAP), rows[i].cap);
        assert_int_equal(vm_rd(vm, VTD_REG_VER), 0x10);
        vm_destroy(vm);
    }
}

static void extended_capabilities(void **state)
{
    static const struct {
        const char *args;
        uint64_t ecap;
    } rows[] = {
        { "", UINT64_C(0x0000000200000fc7) },
        { "coherent=0,dt=0", UINT64_C(0x0000000000000fc2) },
        { "scalable=1", UINT64_C(0x0013c99a80000fc7) },
        { "scalable=1,coherent=0", UINT64_C(0x0012c99a80000fc6) },
        { "scalable=1,ss=0", UINT64_C(0x0013899a80000fc7) },
        { "scalable=1,fs=0,dt=0", UINT64_C(0x0013499880000fc3) },
        { "scalable=1,prs=1", UINT64_C(0x0413cd9aa0000fc7) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = vm_create(rows[i].args);

        assert_int_equal(vm_rd(vm, VTD_REG_ECAP), rows[i].ecap);
        vm_destroy(vm);
    }
}

static void info(void **state)
{
    struct vm *vm = vm_create("bits=57");
    struct uie_info out = { .size = sizeof(out) };

    (void)state;
    vm->ops->info(vm->m, &out);
    assert_int_equal(out.n_windows, 1);
    assert_int_equal(out.window[0].size, 0x1000);
    assert_int_equal(out.window[0].preferred_base, 0xfed90000);
    assert_int_equal(out.n_irqs, 0);
    assert_int_equal(out.address_bits, 57);
    assert_int_equal(out.page_sizes, 1 << 12 | 1 << 21 | 1 << 30);
    assert_int_equal(out.msi_base, FEE);
    assert_int_equal(out.msi_len, 0x100000);
    vm_destroy(vm);
}

static unsigned byte_sum(const uint8_t *p, size_t n)
{
    unsigned sum = 0;

    while (n > 0)
        sum += p[--n];
    return sum & 0xff;
}

static void dmar(void **state)
{
    struct vm *vm = vm_create("base=0x12345000,ioapic=7:0x1af9,bits=57");
    uint8_t t[128] = { 0 };

    (void)state;
    assert_int_equal(vm->ops->acpi(vm->m, NULL, 0), 80);
    assert_int_equal(vm->ops->acpi(vm->m, t, 60), 80);
    assert_int_equal(t[60], 0);
    assert_int_equal(vm->ops->acpi(vm->m, t, sizeof(t)), 80);
    assert_memory_equal(t, "DMAR", 4);
    assert_int_equal(t[4], 80);
    assert_int_equal(t[8], 1);
    assert_int_equal(byte_sum(t, 80), 0);
    assert_int_equal(t[36], 51); /* host address width */
    assert_int_equal(t[37], 0);
    assert_int_equal(t[48] | t[50] << 8, 0x1800); /* DRHD of 24 bytes */
    assert_int_equal(t[52], 1);                   /* all of PCI */
    assert_memory_equal(t + 56, "\x00\x50\x34\x12\0\0\0\0", 8);
    assert_memory_equal(t + 64, "\x03\x08\0\0\x07\x1a\x1f\x01", 8);
    assert_memory_equal(t + 72, "\x02\0\x08\0\x01\0\0\0", 8); /* ATSR */
    vm_destroy(vm);

    vm = vm_create("dt=0");
    assert_int_equal(vm->ops->acpi(vm->m, t, sizeof(t)), 72);
    assert_int_equal(t[36], 47);
    assert_memory_equal(t + 56, "\x00\x00\xd9\xfe\0\0\0\0", 8);
    assert_memory_equal(t + 64, "\x03\x08\0\0\0\xff\0\0", 8);
    vm_destroy(vm);
}

static void what_is_not_offered_says_so(void **state)
{
    struct vm *vm = vm_create("");
    struct uie_page_request pr = { .size = sizeof(pr), .rid = VM_A };

    (void)state;
    vm_start(vm);
    assert_true(vm->ops->page_request(vm->m, &pr) < 0);
    assert_true(vm->ops->shadow(vm->m, VM_A, UIE_NO_PASID, 1) < 0);
    vm->ops->memory_changed(vm->m);
    vm_destroy(vm);
}

/* ---- registers ----------------------------------------------------------------- */

/* Writes ones, counts what sticks: 0 for everything that is not in the list. */
static void every_register_bit(void **state)
{
    static const struct {
        uint32_t off;
        uint32_t sticks;
    } rows[] = {
        { 0x20, 0xfffffc00 },
        { 0x24, 0xffffffff },
        { 0x3c, 0x0000ffff },
        { 0x40, 0xfffffffc },
        { 0x38, 0x80000000 },
        { 0x88, 0x0007fff0 },
        { 0x90, 0xfffff807 },
        { 0x94, 0xffffffff },
        { 0xa0, 0x80000000 },
        { 0xa4, 0x0000ffff },
        { 0xa8, 0xfffffffc },
        /* Without their start bits, CCMD and IOTLB are memory. */
        { 0x28, 0xffffffff },
        { 0x2c, 0x60000003 },
        { 0xfc, 0x3003ffff },
    };

    (void)state;
    for (uint32_t off = 0x18; off < 0x1000; off += 4) {
        struct vm *vm = vm_create("");
        uint32_t before = (uint32_t)vm->ops->mmio_read(vm->m, 0, off, 4);
        uint32_t ones = off == 0x2c || off == 0xfc ? 0x7fffffff : 0xffffffff;
        uint32_t sticks = before;

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            if (rows[i].off == off)
                sticks = rows[i].sticks;
        }
        if (off != 0x18) /* GCMD */
            vm->ops->mmio_write(vm->m, 0, off, ones, 4);
        assert_int_equal(vm->ops->mmio_read(vm->m, 0, off, 4), sticks);
        vm_destroy(vm);
    }
}

static void widths_that_registers_do_not_take(void **state)
{
    struct vm *vm = vm_create("");
    const struct uie_ops *ops = vm->ops;

    (void)state;
    for (uint32_t len = 1; len <= 2; len++) {
        for (uint32_t off = 0; off < 0x300; off += len) {
            ops->mmio_write(vm->m, 0, off, UINT64_MAX, len);
            assert_int_equal(ops->mmio_read(vm->m, 0, off, len), 0);
        }
    }
    assert_int_equal(vm_rd(vm, VTD_REG_RTADDR), 0);
    assert_int_equal(ops->mmio_read(vm->m, 0, 0x18, 8), 0); /* two of 32 bits */
    ops->mmio_write(vm->m, 0, 0x38, 0, 8);
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0x80000000);
    assert_int_equal(ops->mmio_read(vm->m, 1, 0, 4), 0); /* no such window */
    ops->mmio_write(vm->m, 1, 0x20, 0x5000, 8);
    ops->mmio_write(vm->m, 0, 0x24, 0x1234, 4);
    ops->mmio_write(vm->m, 0, 0x20, 0x5678f000, 4);
    assert_int_equal(vm_rd(vm, VTD_REG_RTADDR), UINT64_C(0x12345678f000));
    assert_int_equal(ops->mmio_read(vm->m, 0, 0x24, 4), 0x1234);
    assert_int_equal(ops->mmio_read(vm->m, 0, 0x0c, 4),
                     vm_rd(vm, VTD_REG_CAP) >> 32);
    vm_destroy(vm);
}

static void global_commands(void **state)
{
    struct vm *vm = vm_create("rwbf=1");

    (void)state;
    vm_wr(vm, VTD_REG_RTADDR, VM_ROOT);
    assert_int_equal(vm_rd(vm, VTD_REG_GCMD), 0);
    vm_gcmd(vm, 30, true);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0x40000000);
    vm_gcmd(vm, 26, true);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0x44000000);
    vm_gcmd(vm, 31, true);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0xc4000000);
    vm_gcmd(vm, 27, true);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0xc4000000);
    assert_int_equal(vm->command[0].kind, UIM_CHECK_WRITE_BUFFER);
    vm_gcmd(vm, 26, false);
    vm_gcmd(vm, 31, false);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0x40000000);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 0);
    vm_wr(vm, VTD_REG_GCMD, 0x84000000); /* two at once */
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0xc4000000);
    vm_wr(vm, VTD_REG_GCMD, 0x86000000); /* interrupt remapping */
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 2);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0xc4000000);
    vm_destroy(vm);
}

/* RTADDR counts when SRTP says so, and until then it shows that it is not done. */
static void root_is_latched(void **state)
{
    struct vm *vm = vm_create("cache=none");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_RTADDR, VM_OUTSIDE);
    assert_int_not_equal(vm_go(vm, R, VM_X), 0);
    uim_check_silent(vm->model, true);
    vm_gcmd(vm, 30, true);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS) >> 30 & 1, 0);
    assert_int_not_equal(vm_go(vm, R, VM_X), 0);
    uim_check_silent(vm->model, false);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS) >> 30 & 1, 1);
    assert_int_equal(vm_go(vm, R, VM_X), 0);
    vm_destroy(vm);
}

static void reset_forgets_everything(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_X);
    vm_go(vm, R, VM_HOLE);
    vm->ops->reset(vm->m);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_RTADDR), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_IQT), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0x80000000);
    assert_int_equal(vm_fault(vm, 0), 0);
    assert_int_equal(vm_go(vm, R, VM_X), VM_X);
    vm_start(vm);
    vm_go(vm, R, VM_X);
    assert_int_equal(vm_fetched(vm, VM_ROOT, 4096), 1);
    vm_destroy(vm);
}

/* ---- answers ---------------------------------------------------------------------- */

static void answer_is_a_page_with_rights(void **state)
{
    struct vm *vm = vm_create("");
    struct uie_xlat x;

    (void)state;
    vm_start(vm);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, W, 0, VM_X + 0x678, &x), 0);
    assert_int_equal(x.gpa, PAGE_X);
    assert_int_equal(x.mask, 0xfff);
    assert_int_equal(x.perm, RW | UIE_X);
    assert_int_equal(x.domain, VM_DID_A);
    assert_int_equal(x.flags, 0);
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, R, 0, VM_LARGE + 0x12345, &x), 0);
    assert_int_equal(x.gpa, VM_LARGE);
    assert_int_equal(x.mask, 0x1fffff);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, R, 0, VM_READ_ONLY, &x), 0);
    assert_int_equal(x.perm, R | UIE_X);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, W, 0, VM_WRITE_ONLY, &x),
                     0);
    assert_int_equal(x.perm, W);
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, 0, UIE_REQ_PROBE, VM_READ_ONLY, &x), 0);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, R | UIE_X, 0, VM_X, &x), 0);
    vm_destroy(vm);
}

static void same_address_when_off(void **state)
{
    struct vm *vm = vm_create("");
    struct uie_xlat x;

    (void)state;
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, RW, 0, UINT64_C(0x123456789abc), &x), 0);
    assert_int_equal(x.gpa, UINT64_C(0x123440000000));
    assert_int_equal(x.mask, 0x3fffffff);
    assert_int_equal(x.perm, RW | UIE_X);
    /* Nearer to the interrupt window pages get smaller. */
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, RW, 0, 0xc0001000, &x), 0);
    assert_int_equal(x.mask, 0x1fffff);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, RW, 0, 0xfef01000, &x), 0);
    assert_int_equal(x.mask, 0xfff);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, 0, &x),
                     UIE_ERR_UR);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_XLATED, 0, &x),
                     UIE_ERR_UR);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

static void pass_through(void **state)
{
    struct vm *vm = vm_create("");
    struct uie_xlat x;

    (void)state;
    vm_poke(vm, A, 1 | 2 << 2);
    vm_start(vm);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, RW, 0, 0x40001234, &x), 0);
    assert_int_equal(x.gpa, 0x40000000);
    assert_int_equal(x.mask, 0x3fffffff);
    assert_int_equal(x.domain, VM_DID_A);
    vm_destroy(vm);

    vm = vm_create("scalable=1");
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_PT, RW, 0x1234567), 0x1234567);
    vm_destroy(vm);
}

static void interrupt_window(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct uie_xlat x;
    uint64_t addr;
    uint32_t data;

    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        assert_int_equal(
            vm_ask(vm, VM_A, UIE_NO_PASID, W, 0, FEE + 0x12345, &x), 0);
        assert_int_equal(x.flags, UIE_XLAT_MSI);
        assert_int_equal(x.gpa, FEE);
        assert_int_equal(x.mask, 0xfffff);
        assert_int_equal(x.perm, W);
        assert_int_equal(
            vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_PROBE, FEE, &x),
            UIE_ERR_UR);
        vm_start(vm);
    }
    assert_int_equal(
        vm->ops->remap_msi(vm->m, VM_A, 0, FEE + 0x12344, 0x4041, &addr, &data),
        0);
    assert_int_equal(addr, FEE + 0x12344);
    assert_int_equal(data, 0x4041);

    /* With a PASID it is an address like any other. */
    vm_poke(vm, VM_FS + 3 * 0x1000 + 8, 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, W, FEE), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SFS_2);
    vm_destroy(vm);
}

/* A 1 GiB page over the window is answered in pieces that do not hold it. */
static void large_page_over_the_window(void **state)
{
    struct vm *vm = vm_create("");
    const uint64_t gib3 = UINT64_C(3) << 30;
    struct uie_xlat x;

    (void)state;
    vm_poke(vm, VM_SS + 0x1000 + 3 * 8, gib3 | 0x83);
    vm_poke(vm, VM_SS + 0x1000 + 8, gib3 | 0x83);
    vm_start(vm);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, W, 0, gib3, &x), 0);
    assert_int_equal(x.mask, 0x1fffff);
    /* Elsewhere in the device's view, but leading there. */
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, W, 0, 0x40000000, &x), 0);
    assert_int_equal(x.gpa, gib3);
    assert_int_equal(x.mask, 0x1fffff);
    assert_int_equal(vm_go(vm, W, 0x40000000 + (FEE - gib3)), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_LGN_4);
    vm_destroy(vm);
}

static void both_halves_of_a_scalable_root(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct uie_xlat x;

    (void)state;
    for (uint64_t i = 0; i < 4; i++)
        vm_poke(vm, VM_CONTEXT_UPPER + VM_A * 32 + i * 8,
                vm_peek(vm, VM_CONTEXT + VM_A * 32 + i * 8));
    vm_poke(vm, VM_ROOT, UINT64_MAX & ~UINT64_C(1)); /* the other half may be
                                                      * anything */
    vm_start(vm);
    assert_int_equal(vm_ask(vm, VM_A | 0x80, UIE_NO_PASID, R, 0, VM_X, &x), 0);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, R, 0, VM_X, &x),
                     UIE_ERR_UR);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SRT_2);
    vm_destroy(vm);
}

/* Root entries are by bus; the segment is not for the unit to see. */
static void requesters_on_other_buses(void **state)
{
    static const char *const args[] = { "", "scalable=1" };
    struct uie_xlat x;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = vm_create(args[i]);
        const uint32_t rid = 0x10000 | 0x3f << 8 | VM_A;

        vm_poke(vm, VM_ROOT + 0x3f * 16, VM_CONTEXT | 1);
        vm_poke(vm, VM_ROOT, 0);
        vm_start(vm);
        assert_int_equal(vm_ask(vm, rid, UIE_NO_PASID, R, 0, VM_X, &x), 0);
        assert_int_equal(vm_go(vm, R, VM_X), 0);
        vm_ask(vm, rid, UIE_NO_PASID, R, 0, VM_HOLE, &x);
        assert_int_equal(vm_rd(vm, 0x238) & 0xffff, 0x3f << 8 | VM_A);
        vm_destroy(vm);
    }
}

/* Fields that the PGTT of an entry ignores may hold anything (9.6). */
static void ignored_fields_of_pasid_entries(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    const uint64_t ss_fields = UIM_MASK(63, 12) | UIM_BIT(9) | UIM_MASK(4, 2);
    const uint64_t fs_fields = UIM_MASK(63, 12) | UIM_BIT(7) | UIM_MASK(3, 2);
    const uint64_t pt = VM_PASID_TABLE + VM_PASID_PT * 64;

    (void)state;
    vm_poke(vm, E_FS, vm_peek(vm, E_FS) | ss_fields);
    vm_poke(vm, E_RID + 16, fs_fields);
    vm_poke(vm, pt, vm_peek(vm, pt) | ss_fields);
    vm_poke(vm, pt + 16, fs_fields);
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, R, VM_X), PAGE_X);
    assert_int_equal(vm_go(vm, R, VM_X), PAGE_X);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_PT, R, VM_X), VM_X);
    vm_destroy(vm);
}

static void five_levels(void **state)
{
    struct vm *vm = vm_create("bits=57");
    const uint64_t iova = UINT64_C(0x0123000000000000) | VM_X;

    (void)state;
    vm_poke(vm, 0x40000 + (iova >> 48) * 8, VM_SS | 3);
    vm_poke(vm, A, 0x40000 | 1);
    vm_poke(vm, A + 8, VM_DID_A << 8 | 3);
    vm_start(vm);
    assert_int_equal(vm_go(vm, R, iova), PAGE_X);
    assert_int_equal(vm_go(vm, R, VM_X), 0);
    vm_destroy(vm);

    vm = vm_create("bits=57,scalable=1");
    vm_poke(vm, 0x40000 + 511 * 8, VM_FS | 7);
    vm_poke(vm, E_FS + 16, 0x40000 | 1 << 2);
    vm_start(vm);
    assert_int_equal(
        vm_go_pasid(vm, VM_PASID_FS, R, UINT64_C(0xffff000000000000) | VM_X),
        PAGE_X);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, R, UIM_BIT(56)), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SGN_1);
    vm_destroy(vm);
}

static void aborted_dma(void **state)
{
    struct vm *vm = vm_create("scalable=1");

    (void)state;
    vm_start(vm);
    vm_set_root(vm, VM_ROOT | 1 << 10);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 0);
    vm_set_root(vm, 3 << 10); /* ESRTPS is 0: not while TES is 1 */
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    assert_int_equal(vm_go(vm, R, VM_X), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_RTA_4);
    vm_submit(vm, vm_iotlb(1, 0), 0); /* the queue works in this mode */
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS) >> 4 & 7, 0);
    vm_destroy(vm);
}

/* ---- accessed and dirty ------------------------------------------------------------ */

static void a_in_every_entry_and_d_on_write(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct uie_xlat x;

    (void)state;
    vm_start(vm);
    vm_ask(vm, VM_A, VM_PASID_FS, R, UIE_REQ_PROBE, VM_X, &x);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), PAGE_X | 7);

    assert_int_equal(vm_ask(vm, VM_A, VM_PASID_FS, R, 0, VM_X, &x), 0);
    assert_int_equal(x.perm, R); /* a write has to come here again */
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(vm_peek(vm, VM_FS + i * 0x1000) & (ACCESSED | DIRTY),
                         ACCESSED);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), PAGE_X | 7 | ACCESSED);

    assert_int_equal(vm_ask(vm, VM_A, VM_PASID_FS, W, 0, VM_X, &x), 0);
    assert_int_equal(x.perm, RW);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), PAGE_X | 7 | ACCESSED | DIRTY);
    assert_int_equal(vm_ask(vm, VM_A, VM_PASID_FS, R, 0, VM_X, &x), 0);
    assert_int_equal(x.perm, RW);
    vm_destroy(vm);
}

static void denied_writes_set_nothing(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    const uint64_t at = FS_LEAF_X + ((VM_READ_ONLY - VM_X) >> 12) * 8;
    uint64_t before = vm_peek(vm, at);

    (void)state;
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, W, VM_READ_ONLY), 0);
    assert_int_equal(vm_peek(vm, at), before);
    vm_destroy(vm);
}

static void entries_that_change_meanwhile(void **state)
{
    struct vm *vm = vm_create("scalable=1");

    (void)state;
    vm_start(vm);
    vm->cas_races = 1; /* the walk starts over */
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, W, VM_X), PAGE_X);
    assert_int_equal(vm_peek(vm, FS_LEAF_X) & DIRTY, DIRTY);
    vm->cas_races = 1000;
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS_2, W, VM_X), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SFS_10);
    vm_destroy(vm);
}

/* Supervisor requests: read-only pages can be written unless WPE. */
static void supervisor_requests(void **state)
{
    struct vm *vm = vm_create("scalable=1");

    (void)state;
    vm_start(vm);
    assert_int_not_equal(
        vm_go_pasid(vm, VM_PASID_FS, W | UIE_PRIV, VM_READ_ONLY), 0);
    assert_int_not_equal(
        vm_go_pasid(vm, VM_PASID_FS, RW | UIE_PRIV, VM_WRITE_ONLY), 0);
    vm_poke(vm, E_FS + 16, VM_FS | 1 | 1 << 4);
    vm_submit(vm, vm_pc(1, VM_DID_FS, VM_PASID_FS), 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, W | UIE_PRIV, VM_READ_ONLY),
                     0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SGN_6);
    vm_destroy(vm);
}

/* ---- ATS ------------------------------------------------------------------------- */

static void ats_answers(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct uie_xlat x;

    (void)state;
    vm_start(vm);
    assert_int_equal(vm_ask(vm, VM_A, UIE_NO_PASID, RW, UIE_REQ_ATS, VM_X, &x),
                     0);
    assert_int_equal(x.gpa, PAGE_X);
    assert_int_equal(x.perm, RW | UIE_X);
    assert_int_equal(x.flags, 0);
    /* Without W asked for, none given: NWFS. */
    vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_X, &x);
    assert_int_equal(x.perm & RW, R);
    /* Effective rights are an answer, not a fault. */
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, RW, UIE_REQ_ATS, VM_READ_ONLY, &x), 0);
    assert_int_equal(x.perm & RW, R);
    /* W that is given away sets D. */
    assert_int_equal(vm_ask(vm, VM_A, VM_PASID_FS, RW, UIE_REQ_ATS, VM_X, &x),
                     0);
    assert_int_equal(x.perm, RW);
    assert_int_equal(vm_peek(vm, FS_LEAF_X) & DIRTY, DIRTY);
    /* The window, without PASID: writes only, and untranslated. */
    vm_ask(vm, VM_A, UIE_NO_PASID, RW, UIE_REQ_ATS, FEE, &x);
    assert_int_equal(x.perm, W);
    assert_int_equal(x.flags, UIE_XLAT_U);
    vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, FEE, &x);
    assert_int_equal(x.perm, 0);
    assert_int_equal(x.flags, 0);
    /* Translated requests pass as they are. */
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, RW, UIE_REQ_XLATED, 0x12345678, &x), 0);
    assert_int_equal(x.gpa + (0x12345678 & x.mask), 0x12345678);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

static void ats_says_what_must_be_snooped(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct uie_xlat x;

    (void)state;
    vm_poke(vm, VM_SS + 0x3000 + (VM_X >> 12) * 8, PAGE_X | 3 | 1 << 11);
    vm_start(vm);
    vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_X, &x);
    assert_int_equal(x.flags, UIE_XLAT_NOSNOOP);
    vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_Y, &x);
    assert_int_equal(x.flags, 0);
    vm_poke(vm, E_RID + 8, VM_DID_A | 1 << 24); /* PGSNP: every page */
    vm_submit(vm, vm_pc(3, 0, 0), 0);
    vm_submit(vm, vm_iotlb(1, 0), 0);
    vm_ask(vm, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_Y, &x);
    assert_int_equal(x.flags, UIE_XLAT_NOSNOOP);
    vm_destroy(vm);
}

/* ---- what fetches see ------------------------------------------------------------ */

static unsigned snooped_fetches(const struct vm *vm)
{
    unsigned n = 0;

    for (unsigned i = 0; i < vm->n_fetch && i < VM_MANY; i++)
        n += vm->fetch[i].snooped;
    return n;
}

static void snooping(void **state)
{
    static const struct {
        const char *args;
        uint64_t did_word; /* of RID_PASID's entry */
        unsigned fetches, snooped, walk; /* the walk is snooped */
    } rows[] = {
        { "coherent=0", 0, 6, 0, 0 },
        { "coherent=1", 0, 6, 6, 1 },
        /* Tables by ECAP.C, walks by PWSNP, which is there if SMPWCS is. */
        { "scalable=1,coherent=0", VM_DID_A, 8, 0, 0 },
        { "scalable=1", VM_DID_A, 8, 4, 0 },
        { "scalable=1", VM_DID_A | 1 << 23, 8, 8, 1 },
    };
    /* One more, of the whole line that the leaf is in. */
    const unsigned line = vm_cache("adversarial");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = vm_create(rows[i].args);

        if (rows[i].did_word)
            vm_poke(vm, E_RID + 8, rows[i].did_word);
        vm_start(vm);
        assert_int_equal(vm_go(vm, R, VM_X), PAGE_X);
        assert_int_equal(vm->n_fetch, rows[i].fetches + line);
        assert_int_equal(snooped_fetches(vm),
                         rows[i].snooped + line * rows[i].walk);
        vm_forget(vm); /* the queue and its status always are */
        vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
        assert_int_equal(vm->n_fetch, 2);
        assert_int_equal(snooped_fetches(vm), 2);
        vm_destroy(vm);
    }
}

/* Preset A and D bits are all a unit that cannot snoop can work with. */
static void first_stage_without_snooping(void **state)
{
    struct vm *vm = vm_create("scalable=1,coherent=0");

    (void)state;
    vm_poke(vm, E_FS + 8, VM_DID_FS);
    for (uint64_t i = 0; i < 3; i++)
        vm_poke(vm, VM_FS + i * 0x1000,
                vm_peek(vm, VM_FS + i * 0x1000) | ACCESSED);
    vm_poke(vm, FS_LEAF_X, PAGE_X | 7 | ACCESSED);
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, R, VM_X), PAGE_X);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, W, VM_X), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SFS_9);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_arguments_are_refused_by_name),
        cmocka_unit_test(hosts_are_checked),
        cmocka_unit_test(numbers_are_those_of_strtoull),
        cmocka_unit_test(capabilities),
        cmocka_unit_test(extended_capabilities),
        cmocka_unit_test(info),
        cmocka_unit_test(dmar),
        cmocka_unit_test(what_is_not_offered_says_so),
        cmocka_unit_test(every_register_bit),
        cmocka_unit_test(widths_that_registers_do_not_take),
        cmocka_unit_test(global_commands),
        cmocka_unit_test(root_is_latched),
        cmocka_unit_test(reset_forgets_everything),
        cmocka_unit_test(answer_is_a_page_with_rights),
        cmocka_unit_test(same_address_when_off),
        cmocka_unit_test(pass_through),
        cmocka_unit_test(interrupt_window),
        cmocka_unit_test(large_page_over_the_window),
        cmocka_unit_test(both_halves_of_a_scalable_root),
        cmocka_unit_test(requesters_on_other_buses),
        cmocka_unit_test(ignored_fields_of_pasid_entries),
        cmocka_unit_test(five_levels),
        cmocka_unit_test(aborted_dma),
        cmocka_unit_test(a_in_every_entry_and_d_on_write),
        cmocka_unit_test(denied_writes_set_nothing),
        cmocka_unit_test(entries_that_change_meanwhile),
        cmocka_unit_test(supervisor_requests),
        cmocka_unit_test(ats_answers),
        cmocka_unit_test(ats_says_what_must_be_snooped),
        cmocka_unit_test(snooping),
        cmocka_unit_test(first_stage_without_snooping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
