/* SPDX-License-Identifier: MIT */
/*
 * Interrupt remapping of the VT-d model (chapter 5): what becomes of a message,
 * each reason to refuse it, the interrupt entry cache and its invalidation, and
 * that adversarial units say which invalidation was forgotten.
 */
#include <stdio.h>
#include <string.h>

#include "spec/vtd_intr.h"
#include "tests/model/vm.h"

enum {
    IRT = 0xa000, /* 256 entries of 16 bytes */
    IRT_S = 7,
    SIRTP = 24, /* bits of GCMD and GSTS */
    IRE = 25,
    CFI = 23,
    EIME = 1 << 11,
    OTHER_BUS = 3 << 8,
};

#define FEE        UINT64_C(0xfee00000)
#define IR         "ir=1"
#define FORMAT     0x10u
#define SHV        0x8u
#define COMPATIBLE (FEE | 0x5000) /* xAPIC 5 */

/* The address of a remappable message with this handle. */
static uint64_t message(unsigned handle)
{
    return FEE | (uint64_t)(handle & 0x7fff) << 5 | FORMAT |
           (uint64_t)(handle >> 15) << 2;
}

static uint64_t iec(unsigned granularity, unsigned index, unsigned mask)
{
    return vtd_qi_iec_lo_pack(
               &(struct vtd_qi_iec_lo_fields){ .type = VTD_QI_IEC,
                                               .g = granularity,
                                               .iidx = index,
                                               .im = mask })
        .raw;
}

static void set_entry(struct vm *vm, unsigned index, uint64_t lo, uint64_t hi)
{
    vm_poke(vm, IRT + index * 16 + 8, hi);
    vm_poke(vm, IRT + index * 16, lo);
}

/* Fixed, physical, edge; destination as xAPIC writes it. */
static uint64_t entry(unsigned vector, unsigned apic)
{
    return vtd_irte_remapped_lo_pack(
               &(struct vtd_irte_remapped_lo_fields){
                   .p = 1, .v = vector, .dst = (uint64_t)apic << 8 })
        .raw;
}

static uint64_t source(unsigned svt, unsigned sq, unsigned sid)
{
    return vtd_irte_remapped_hi_pack(&(struct vtd_irte_remapped_hi_fields){
                                         .svt = svt, .sq = sq, .sid = sid })
        .raw;
}

static struct vm *start_at(const char *args, uint64_t irta)
{
    struct vm *vm = vm_create(args);

    vm_queue_on(vm);
    vm_wr(vm, VTD_REG_IRTA, irta);
    vm_gcmd(vm, SIRTP, true);
    vm_gcmd(vm, IRE, true);
    vm_forget(vm);
    return vm;
}

static struct vm *start(const char *args)
{
    return start_at(args, IRT | IRT_S);
}

struct out {
    int r;
    uint64_t addr;
    uint32_t data;
};

static struct out send_as(struct vm *vm, uint32_t rid, uint32_t flags,
                          uint64_t addr, uint32_t data)
{
    struct out out;

    out.r =
        vm->ops->remap_msi(vm->m, rid, flags, addr, data, &out.addr, &out.data);
    return out;
}

static struct out send(struct vm *vm, unsigned handle)
{
    return send_as(vm, VM_A, 0, message(handle), 0);
}

/* ---- what becomes of a message ------------------------------------------- */

static void off_everything_passes(void **state)
{
    static const char *const args[] = { "", IR };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = vm_create(args[i]);
        struct out out = send_as(vm, VM_A, 0, COMPATIBLE, 0x41);

        assert_int_equal(out.r, 0);
        assert_true(out.addr == COMPATIBLE && out.data == 0x41);
        out = send(vm, 3);
        assert_int_equal(out.r, 0);
        assert_true(out.addr == message(3) && out.data == 0);
        vm_destroy(vm);
    }
}

/* Every field of an entry has its place in the message. */
static void fields_of_an_entry_become_the_message(void **state)
{
    static const struct {
        struct vtd_irte_remapped_lo_fields e;
        uint64_t addr;
        uint32_t data;
    } rows[] = {
        { { .v = 0x41 }, FEE, 0x41 },
        { { .v = 0xff, .dst = 0x500 }, FEE | 0x5000, 0xff },
        { { .v = 0x42, .dst = 0xff00, .dm = 1 }, FEE | 0xff004, 0x42 },
        { { .v = 0x43, .dm = 1, .rh = 1 }, FEE | 0xc, 0x43 },
        { { .v = 0x44, .dlm = VTD_DLM_LOWEST_PRIORITY }, FEE, 0x144 },
        { { .dlm = VTD_DLM_SMI }, FEE, 0x200 },
        { { .dlm = VTD_DLM_NMI }, FEE, 0x400 },
        { { .dlm = VTD_DLM_INIT }, FEE, 0x500 },
        { { .v = 0x45, .dlm = VTD_DLM_EXTINT }, FEE, 0x745 },
        { { .v = 0x46, .tm = 1 }, FEE, 0xc046 },
        { { .v = 0x47, .avail = 0xf, .fpd = 1 }, FEE, 0x47 },
    };
    struct vm *vm = start(IR);

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vtd_irte_remapped_lo_fields e = rows[i].e;
        struct out out;

        e.p = 1;
        set_entry(vm, i, vtd_irte_remapped_lo_pack(&e).raw, 0);
        out = send(vm, i);
        assert_int_equal(out.r, 0);
        assert_true(out.addr == rows[i].addr);
        assert_int_equal(out.data, rows[i].data);
    }
    assert_int_equal(vm_fault(vm, 0), 0);
    vm_destroy(vm);
}

/* Destination bits 31:8 are in address bits 63:40. */
static void extended_mode_has_32_bits_of_destination(void **state)
{
    struct vm *vm = start_at(IR ",eim=1", IRT | IRT_S | EIME);
    struct vtd_irte_remapped_lo_fields e = { .p = 1,
                                             .v = 0x51,
                                             .dst = 0x12345678 };
    struct out out;

    (void)state;
    set_entry(vm, 7, vtd_irte_remapped_lo_pack(&e).raw, 0);
    out = send(vm, 7);
    assert_int_equal(out.r, 0);
    assert_true(out.addr == (FEE | 0x78000 | UINT64_C(0x123456) << 40));
    assert_int_equal(out.data, 0x51);
    vm_destroy(vm);
}

/* Without EIM in ECAP the bit in IRTA is nothing. */
static void extended_mode_has_to_be_offered(void **state)
{
    struct vm *vm = start_at(IR, IRT | IRT_S | EIME);

    (void)state;
    set_entry(vm, 7, entry(0x51, 5), 0);
    assert_true(send(vm, 7).addr == (FEE | 0x5000));
    vm_destroy(vm);
}

static void subhandles_are_added(void **state)
{
    struct vm *vm = start(IR);

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        set_entry(vm, 16 + i, entry(0x60 + i, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(send_as(vm, VM_A, 0, message(16) | SHV, i).data,
                         0x60 + i);
    assert_int_equal(send_as(vm, VM_A, 0, message(17), 2).data, 0x61);
    assert_int_equal(send_as(vm, VM_A, 0, message(0x12) | 3, 0).data, 0x62);
    vm_destroy(vm);
}

static void tables_of_all_sizes(void **state)
{
    (void)state;
    for (unsigned s = 0; s <= 15; s++) {
        struct vm *vm = start_at(IR, 0x100000 | s);
        unsigned n = 2u << s;

        vm_poke(vm, 0x100000 + (n - 1) * 16, entry(0x33, 0));
        assert_int_equal(send(vm, n - 1).data, 0x33);
        assert_int_equal(vm_fault(vm, 0), 0);
        if (s < 15) {
            assert_int_equal(send(vm, n).r, UIE_ERR_UR);
            assert_int_equal(vm_fault(vm, 0), 0x21);
        }
        vm_destroy(vm);
    }
}

/* ---- who may send it ----------------------------------------------------- */

static void sources_are_checked(void **state)
{
    static const struct {
        unsigned svt, sq, sid, rid;
        bool passes;
    } rows[] = {
        { VTD_SVT_NONE, 0, 0, VM_A, true },
        { VTD_SVT_SID, VTD_SQ_ALL, VM_A, VM_A, true },
        { VTD_SVT_SID, VTD_SQ_ALL, VM_A, VM_A | 1, false },
        { VTD_SVT_SID, VTD_SQ_ALL, VM_A, VM_A | OTHER_BUS, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BIT2, VM_A, VM_A | 4, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BIT2, VM_A, VM_A | 2, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_1, VM_A, VM_A | 6, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_1, VM_A, VM_A | 1, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_0, VM_A, VM_A | 7, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_0, VM_A, VM_A + 8, false },
        { VTD_SVT_BUS_RANGE, 0, 0x0205, 0x0200, true },
        { VTD_SVT_BUS_RANGE, 0, 0x0205, 0x05ff, true },
        { VTD_SVT_BUS_RANGE, 0, 0x0205, 0x01ff, false },
        { VTD_SVT_BUS_RANGE, 0, 0x0205, 0x0600, false },
    };
    struct vm *vm = start(IR);

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct out out;

        set_entry(vm, i, entry(0x41, 0),
                  source(rows[i].svt, rows[i].sq, rows[i].sid));
        out = send_as(vm, rows[i].rid, 0, message(i), 0);
        assert_int_equal(out.r, rows[i].passes ? 0 : UIE_ERR_UR);
        assert_int_equal(vm_fault(vm, 0), rows[i].passes ? 0 : 0x26);
        vm_clear_fault(vm, 0);
        vm_gcmd(vm, IRE, false); /* the next record is the first again */
        vm_gcmd(vm, IRE, true);
    }
    vm_destroy(vm);
}

/* ---- reasons ------------------------------------------------------------- */

struct refusal {
    unsigned reason;
    bool qualified; /* FPD hides it */
    const char *args;
    uint64_t irta, lo, hi, addr;
    uint32_t data;
};

#define B(n)  (UINT64_C(1) << (n))
#define TABLE (IRT | IRT_S)

static const struct refusal refusals[] = {
    { 0x20, false, IR, TABLE, 1, 0, FEE | FORMAT | SHV, 0x10000 },
    { 0x21, false, IR, TABLE, 1, 0, FEE | FORMAT | 0x100 << 5, 0 },
    { 0x21, false, IR, TABLE, 1, 0, FEE | FORMAT | SHV, 0x100 },
    { 0x21, false, IR, TABLE, 1, 0, FEE | FORMAT | SHV | 0xffff << 5, 0xffff },
    { 0x21, false, IR, B(50) | IRT_S, 1, 0, FEE | FORMAT, 0 },
    { 0x21, false, IR, ~UINT64_C(0xfff) | 15, 1, 0, FEE | FORMAT | 256 << 5,
      0 }, /* behind the last address */
    { 0x22, true, IR, TABLE, 0, 0, FEE | FORMAT, 0 },
    { 0x23, false, IR, VM_OUTSIDE | IRT_S, 1, 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(12), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(14), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(15), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(24), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(32), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1 | B(48), 0, FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1, B(20), FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1, B(63), FEE | FORMAT, 0 },
    { 0x24, true, IR, TABLE, 1, UINT64_C(3) << 18, FEE | FORMAT, 0 },
    { 0x25, false, IR, TABLE, 1, 0, COMPATIBLE, 0x41 },
    { 0x25, false, IR ",eim=1", TABLE | EIME, 1, 0, COMPATIBLE, 0x41 },
    { 0x26, true, IR, TABLE, 1, B(18) | VM_B, FEE | FORMAT, 0 },
};

enum { N_REFUSALS = sizeof(refusals) / sizeof(refusals[0]), FPD = 2 };

static void refuse(const struct refusal *row, bool fpd)
{
    struct vm *vm = start_at(row->args, row->irta);
    bool hidden = fpd && row->qualified;
    struct out out;

    set_entry(vm, 0, row->lo | (fpd ? FPD : 0), row->hi);
    out = send_as(vm, VM_A, UIE_REQ_PROBE, row->addr, row->data);
    assert_int_equal(out.r, UIE_ERR_UR);
    assert_int_equal(vm_fault(vm, 0), 0);
    out = send_as(vm, VM_A, 0, row->addr, row->data);
    assert_int_equal(out.r, UIE_ERR_UR);
    assert_int_equal(vm_fault(vm, 0), hidden ? 0 : row->reason);
    vm_destroy(vm);
}

static void every_reason(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_REFUSALS; i++) {
        refuse(&refusals[i], false);
        refuse(&refusals[i], true);
    }
}

/* 7.3: FI has the index in bits 63:48, SID who it was. */
static void a_record_says_the_index(void **state)
{
    struct vm *vm = start(IR);
    uint64_t lo, hi;

    (void)state;
    (void)send_as(vm, VM_B, 0, message(0x57), 0);
    assert_int_equal(vm_fault(vm, 0), 0x22);
    lo = vm->ops->mmio_read(vm->m, 0, 0x220, 8);
    hi = vm->ops->mmio_read(vm->m, 0, 0x228, 8);
    assert_true(lo == UINT64_C(0x57) << 48);
    assert_int_equal(vtd_frcd_hi_sid((struct vtd_frcd_hi){ hi }), VM_B);
    assert_int_equal(vtd_frcd_hi_pp((struct vtd_frcd_hi){ hi }), 0);
    vm_destroy(vm);
}

static void compatibility_format_passes_with_cfi(void **state)
{
    struct vm *vm = start(IR);
    struct out out;

    (void)state;
    assert_int_equal(send_as(vm, VM_A, 0, COMPATIBLE, 0x41).r, UIE_ERR_UR);
    vm_gcmd(vm, CFI, true);
    out = send_as(vm, VM_A, 0, COMPATIBLE, 0x41);
    assert_int_equal(out.r, 0);
    assert_true(out.addr == COMPATIBLE && out.data == 0x41);
    vm_gcmd(vm, CFI, false);
    assert_int_equal(send_as(vm, VM_A, 0, COMPATIBLE, 0x41).r, UIE_ERR_UR);
    vm_destroy(vm);

    vm = start_at(IR ",eim=1", TABLE | EIME); /* never in extended mode */
    vm_gcmd(vm, CFI, true);
    assert_int_equal(send_as(vm, VM_A, 0, COMPATIBLE, 0x41).r, UIE_ERR_UR);
    vm_destroy(vm);
}

/* ---- what is offered ----------------------------------------------------- */

static uint64_t status(struct vm *vm)
{
    return vm_rd(vm, VTD_REG_GSTS) & (B(SIRTP) | B(IRE) | B(CFI));
}

static void what_is_not_offered_is_not_there(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    assert_int_equal(vtd_ecap_ir((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) }),
                     0);
    vm_wr(vm, VTD_REG_IRTA, IRT | IRT_S);
    assert_int_equal(vm_rd(vm, VTD_REG_IRTA), 0);
    vm_gcmd(vm, SIRTP, true);
    vm_gcmd(vm, IRE, true);
    assert_int_equal(status(vm), 0);
    vm_wr(vm, VTD_REG_FEUADDR, 5);
    assert_int_equal(vm_rd(vm, VTD_REG_FEUADDR), 0);
    vm_destroy(vm);

    vm = vm_create(IR ",eim=1");
    vm_wr(vm, VTD_REG_FEUADDR, 5);
    assert_int_equal(vm_rd(vm, VTD_REG_FEUADDR), 5);
    vm_wr(vm, VTD_REG_IRTA, UINT64_MAX);
    assert_true(vm_rd(vm, VTD_REG_IRTA) == ~UINT64_C(0x7f0));
    vm_destroy(vm);

    vm = vm_create_bare();
    assert_null(vm->ops->create("vtd", &vm->host, "eim=1"));
    assert_non_null(strstr(vm->last_log, "eim=1 needs ir=1"));
    vm_destroy(vm);
}

static void status_shows_what_is_on(void **state)
{
    struct vm *vm = start(IR);

    (void)state;
    assert_int_equal(status(vm), B(SIRTP) | B(IRE));
    vm_gcmd(vm, CFI, true);
    assert_int_equal(status(vm), B(SIRTP) | B(IRE) | B(CFI));
    vm_gcmd(vm, IRE, false);
    assert_int_equal(status(vm), B(SIRTP) | B(CFI));
    vm_destroy(vm);
}

/* The table is the one that was there at SIRTP. */
static void a_table_is_latched(void **state)
{
    struct vm *vm = start(IR);

    (void)state;
    set_entry(vm, 1, entry(0x41, 0), 0);
    vm_wr(vm, VTD_REG_IRTA, VM_OUTSIDE | IRT_S);
    assert_int_equal(send(vm, 1).data, 0x41);
    vm_submit(vm, iec(VTD_IEC_GLOBAL, 0, 0), 0);
    assert_int_equal(send(vm, 1).data, 0x41);
    vm_gcmd(vm, SIRTP, true);
    vm_submit(vm, iec(VTD_IEC_GLOBAL, 0, 0), 0);
    assert_int_equal(send(vm, 1).r, UIE_ERR_UR);
    assert_int_equal(vm_fault(vm, 0), 0x23);
    vm_destroy(vm);
}

/* ---- the cache ----------------------------------------------------------- */

#define CACHED IR ",cache=normal"

static void entries_are_cached_until_invalidated(void **state)
{
    static const struct {
        unsigned granularity, index, mask;
        bool hits;
    } rows[] = {
        { VTD_IEC_GLOBAL, 0, 0, true }, { VTD_IEC_INDEX, 9, 0, true },
        { VTD_IEC_INDEX, 8, 0, false }, { VTD_IEC_INDEX, 8, 1, true },
        { VTD_IEC_INDEX, 8, 3, true },  { VTD_IEC_INDEX, 0, 3, false },
        { VTD_IEC_INDEX, 0, 4, true },  { VTD_IEC_INDEX, 0, 15, true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vm *vm = start(CACHED);

        set_entry(vm, 9, entry(0x41, 0), 0);
        assert_int_equal(send(vm, 9).data, 0x41);
        set_entry(vm, 9, entry(0x42, 0), 0);
        assert_int_equal(send(vm, 9).data, 0x41);
        vm_forget(vm);
        vm_submit(vm, iec(rows[i].granularity, rows[i].index, rows[i].mask), 0);
        assert_int_equal(vm->n_inval, 1);
        assert_int_equal(vm->inval[0].what, UIE_INV_MSI);
        assert_int_equal(send(vm, 9).data, rows[i].hits ? 0x42 : 0x41);
        vm_destroy(vm);
    }
}

static void nothing_is_cached_with_cache_none(void **state)
{
    struct vm *vm = start(IR ",cache=none");

    (void)state;
    set_entry(vm, 9, entry(0x41, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x41);
    set_entry(vm, 9, entry(0x42, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x42);
    vm_destroy(vm);
}

/* Entries that are not present or wrong are cached where CAP.CM says so, only. */
static void holes_are_cached_with_caching_mode(void **state)
{
    static const char *const args[] = { CACHED, CACHED ",cm=1" };
    static const struct {
        uint64_t lo, hi;
    } rows[] = { { 0, 0 }, { 1 | B(12), 0 }, { 1 | B(48), 0 }, { 1, B(20) } };

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        bool cm = i & 1;
        struct vm *vm = start(args[cm]);

        set_entry(vm, 9, rows[i / 2].lo, rows[i / 2].hi);
        assert_int_equal(send(vm, 9).r, UIE_ERR_UR);
        set_entry(vm, 9, entry(0x42, 0), 0);
        assert_int_equal(send(vm, 9).r, cm ? UIE_ERR_UR : 0);
        vm_submit(vm, iec(VTD_IEC_INDEX, 9, 0), 0);
        assert_int_equal(send(vm, 9).r, 0);
        vm_destroy(vm);
    }
}

/* 5.1.4: which other source an entry is for says nothing about the entry. */
static void refused_sources_leave_the_entry_cached(void **state)
{
    struct vm *vm = start(CACHED);

    (void)state;
    set_entry(vm, 9, entry(0x41, 0), source(VTD_SVT_SID, VTD_SQ_ALL, VM_B));
    assert_int_equal(send(vm, 9).r, UIE_ERR_UR);
    set_entry(vm, 9, entry(0x42, 0), 0);
    assert_int_equal(send(vm, 9).r, UIE_ERR_UR);
    assert_int_equal(vm_fault(vm, 1), 0x26);
    vm_destroy(vm);
}

/* 11.4.4, TE: DMA caches only. */
static void translation_off_leaves_entries_cached(void **state)
{
    struct vm *vm = vm_create(CACHED ",scalable=1");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_IRTA, IRT | IRT_S);
    vm_gcmd(vm, SIRTP, true);
    vm_gcmd(vm, IRE, true);
    set_entry(vm, 9, entry(0x41, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x41);
    set_entry(vm, 9, entry(0x42, 0), 0);
    vm_gcmd(vm, 31, false);
    assert_int_equal(send(vm, 9).data, 0x41);
    vm_gcmd(vm, 31, true);
    assert_int_equal(send(vm, 9).data, 0x41);
    vm_destroy(vm);
}

/* Holes, which 256 slots have no room for. */
static void evictions_are_counted(void **state)
{
    struct vm *vm = start_at(CACHED ",cm=1", 0x100000 | 9);

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        (void)send(vm, i);
    assert_in_range(vm_counter(vm, "evictions"), 1000 - 256, 1000);
    vm_destroy(vm);
}

static void what_the_vmm_kept_is_taken_back(void **state)
{
    static const uint32_t commands[] = { SIRTP, CFI };
    struct vm *vm = start(IR);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        vm_forget(vm);
        vm_gcmd(vm, commands[i], true);
        assert_int_equal(vm->n_inval, 1);
        assert_int_equal(vm->inval[0].what, UIE_INV_MSI);
    }
    vm_forget(vm);
    vm_gcmd(vm, IRE, false);
    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(vm->inval[0].what, UIE_INV_MSI);
    vm_destroy(vm);
}

static void wide_masks_are_refused(void **state)
{
    struct vm *vm = start(IR);

    (void)state;
    vm_submit(vm, iec(VTD_IEC_INDEX, 0, 16), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS) & 0x10, 0x10);
    vm_destroy(vm);
}

/* ---- adversarial --------------------------------------------------------- */

static void a_forgotten_invalidation_is_named(void **state)
{
    struct vm *vm = start(IR ",cache=adversarial");

    (void)state;
    set_entry(vm, 9, entry(0x41, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x41);
    assert_int_equal(vm->n_stale, 0);
    set_entry(vm, 9, entry(0x42, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x41);
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm->stale[0].cache, UIM_CHECK_CACHE_INTERRUPT);
    assert_int_equal(vm->stale[0].missing.kind, UIM_CHECK_INTERRUPT);
    assert_int_equal(vm->stale[0].missing.addr, 9);
    assert_non_null(strstr(vm->stale_text, "missing: iec_inv index=9"));
    vm_forget(vm);
    vm_submit(vm, iec(VTD_IEC_INDEX, 9, 0), 0);
    assert_int_equal(send(vm, 9).data, 0x42);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Nothing is fetched where no table can be. */
static void early_fetches_stay_in_reach(void **state)
{
    static const uint64_t irta[] = { B(50) | IRT_S, ~UINT64_C(0xfff) | 15 };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = start_at(IR ",cache=adversarial", 0x100000 | 15);

        assert_int_equal(send(vm, 256).r, UIE_ERR_UR);
        vm_wr(vm, VTD_REG_IRTA, irta[i]);
        vm_gcmd(vm, SIRTP, true);
        vm_forget(vm);
        uim_check_memory_changed(vm->model, 0, 8);
        assert_int_equal(vm->n_fetch, 0);
        vm_destroy(vm);
    }
}

/* It fetches again what it knows as soon as memory changes. */
static void entries_are_fetched_early(void **state)
{
    struct vm *vm = start(IR ",cache=adversarial");

    (void)state;
    assert_int_equal(send(vm, 9).r, UIE_ERR_UR);
    set_entry(vm, 9, entry(0x41, 0), 0);
    uim_check_memory_changed(vm->model, IRT, 8);
    set_entry(vm, 9, 0, 0);
    assert_int_equal(send(vm, 9).data, 0x41);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_everything_passes),
        cmocka_unit_test(fields_of_an_entry_become_the_message),
        cmocka_unit_test(extended_mode_has_32_bits_of_destination),
        cmocka_unit_test(extended_mode_has_to_be_offered),
        cmocka_unit_test(subhandles_are_added),
        cmocka_unit_test(tables_of_all_sizes),
        cmocka_unit_test(sources_are_checked),
        cmocka_unit_test(every_reason),
        cmocka_unit_test(a_record_says_the_index),
        cmocka_unit_test(compatibility_format_passes_with_cfi),
        cmocka_unit_test(what_is_not_offered_is_not_there),
        cmocka_unit_test(status_shows_what_is_on),
        cmocka_unit_test(a_table_is_latched),
        cmocka_unit_test(entries_are_cached_until_invalidated),
        cmocka_unit_test(nothing_is_cached_with_cache_none),
        cmocka_unit_test(holes_are_cached_with_caching_mode),
        cmocka_unit_test(refused_sources_leave_the_entry_cached),
        cmocka_unit_test(translation_off_leaves_entries_cached),
        cmocka_unit_test(evictions_are_counted),
        cmocka_unit_test(what_the_vmm_kept_is_taken_back),
        cmocka_unit_test(wide_masks_are_refused),
        cmocka_unit_test(a_forgotten_invalidation_is_named),
        cmocka_unit_test(early_fetches_stay_in_reach),
        cmocka_unit_test(entries_are_fetched_early),
    };

    return cmocka_run_group_tests_name("VT-d model: interrupts", tests, NULL,
                                       NULL);
}
