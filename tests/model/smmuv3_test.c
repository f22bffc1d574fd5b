/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 model: where addresses lead, and who may do what there. Faults have
 * smmuv3_event_test, the unit around it smmuv3_unit_test.
 */
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    R = UIE_R,
    W = UIE_W,
    PAGE_X = VM_PAGES + VM_X,
};

static struct vm *started(const char *args)
{
    struct vm *vm = smmu_create(args);

    smmu_start(vm);
    return vm;
}

static void every_kind_of_stream(void **state)
{
    struct vm *vm = started("");
    struct uie_xlat x;

    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* the second time from caches */
        assert_int_equal(smmu_go(vm, SMMU_A, R | W, VM_X + 0x123),
                         PAGE_X + 0x123);
        assert_int_equal(smmu_go(vm, SMMU_B, R | W, VM_X + 0x123),
                         PAGE_X + 0x123);
        assert_int_equal(smmu_go(vm, SMMU_C, R | W, VM_X + 0x123),
                         PAGE_X + 0x123);
        assert_int_equal(smmu_go(vm, SMMU_D, R | W, VM_X + 0x123),
                         VM_X + 0x123);
        assert_int_equal(smmu_go_ssid(vm, SMMU_E, 3, R | W, VM_X), PAGE_X);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, 3, R | W, VM_X), PAGE_X);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE + 0x12345),
                         VM_LARGE + 0x12345);
        assert_int_equal(smmu_go(vm, SMMU_C, R, VM_LARGE + 0x12345),
                         VM_LARGE + 0x12345);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_READ_ONLY),
                         VM_PAGES + VM_READ_ONLY);
        assert_int_equal(smmu_go(vm, SMMU_B, W, VM_WRITE_ONLY),
                         VM_PAGES + VM_WRITE_ONLY);
        assert_int_equal(
            smmu_go_ssid(vm, SMMU_E, 1, R | UIE_PRIV, VM_WRITE_ONLY),
            VM_PAGES + VM_WRITE_ONLY);
    }
    assert_int_equal(smmu_event_id(vm), 0);
    assert_int_equal(smmu_ask(vm, SMMU_A, UIE_NO_PASID, R, 0, VM_LARGE, &x), 0);
    assert_int_equal(x.mask, 0x1fffff);
    assert_int_equal(x.domain, SMMU_ASID);
    assert_int_equal(smmu_ask(vm, SMMU_B, UIE_NO_PASID, R, 0, VM_X, &x), 0);
    assert_int_equal(x.domain, SMMU_VMID << 16);
    assert_int_equal(smmu_ask(vm, SMMU_C, UIE_NO_PASID, R, 0, VM_X, &x), 0);
    assert_int_equal(x.domain, SMMU_VMID_NESTED << 16 | SMMU_ASID_NESTED);
    vm_destroy(vm);
}

static void a_two_level_stream_table(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start_two_level(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(smmu_go(vm, SMMU_B, R, VM_Y), VM_PAGES + VM_Y);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

/* Granules, sizes of pages, numbers of levels. */
static void granules_and_levels(void **state)
{
    static const struct {
        unsigned tg, t0sz, lg2; /* of a table entry's index                */
        unsigned levels, block; /* log2 of the block's size, 0: a page     */
    } rows[] = {
        { 0, 16, 9, 4, 0 },  { 0, 25, 9, 3, 0 },   { 0, 34, 9, 2, 0 },
        { 0, 16, 9, 4, 21 }, { 0, 16, 9, 4, 30 },  { 2, 17, 11, 3, 0 },
        { 2, 16, 11, 4, 0 }, { 2, 17, 11, 3, 25 }, { 1, 22, 13, 2, 0 },
        { 1, 16, 13, 3, 0 }, { 1, 22, 13, 2, 29 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("");
        uint64_t tables = 0x100000;
        unsigned granule = rows[i].lg2 + 3, shift, level = rows[i].levels;
        uint64_t at = tables, iova = 0, page = UINT64_C(3) << 30;
        struct uie_xlat x;

        do { /* index 1 everywhere, but where tables are small */
            uint64_t next = at + UIM_BIT(granule);

            level--;
            shift = granule + level * rows[i].lg2;
            iova |= shift + 1 < 64 - rows[i].t0sz ? UIM_BIT(shift) : 0;
            if (shift == rows[i].block || level == 0)
                break;
            vm_poke(vm, at + (iova >> shift & 1) * 8, next | 3);
            at = next;
        } while (true);
        vm_poke(vm, at + (iova >> shift & 1) * 8,
                page | (S1_PAGE & ~(level ? UINT64_C(2) : 0)));
        vm_poke(vm, SMMU_CD,
                (vm_peek(vm, SMMU_CD) & ~UINT64_C(0xff)) | rows[i].t0sz |
                    rows[i].tg << 6);
        vm_poke(vm, SMMU_CD + 8, tables);
        smmu_start(vm);
        assert_int_equal(smmu_ask(vm, SMMU_A, UIE_NO_PASID, R, 0, iova + 5, &x),
                         0);
        assert_int_equal(x.gpa + (5 & x.mask), page + 5);
        assert_int_equal(x.mask, UIM_BIT(shift) - 1);
        vm_destroy(vm);
    }
}

/* 16 tables side by side at the top of stage 2. */
static void concatenated_root(void **state)
{
    struct vm *vm = smmu_create("oas=44");
    uint64_t tables = 0x100000, iova = UINT64_C(15) << 39 | 0x5000;

    (void)state;
    /* T0SZ 21: 43 bits; SL0 1: level 1 on top, 13 bits of index */
    vm_poke(vm, smmu_ste(SMMU_B) + 16,
            (vm_peek(vm, smmu_ste(SMMU_B) + 16) & ~(UINT64_C(0xff) << 32)) |
                UINT64_C(21) << 32 | UINT64_C(1) << 38);
    vm_poke(vm, smmu_ste(SMMU_B) + 24, tables);
    vm_poke(vm, tables + (iova >> 30) * 8, 0x120000 | 3);
    vm_poke(vm, 0x120000, 0x121000 | 3);
    vm_poke(vm, 0x121000 + 5 * 8, PAGE_X | S2_PAGE);
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_B, R, iova), PAGE_X);
    assert_int_equal(smmu_go(vm, SMMU_B, R, UIM_BIT(43)), 0);
    assert_int_equal(smmu_event_id(vm), 0x10);
    vm_destroy(vm);
}

/* TTB1: addresses that begin with ones; TBI: a tag in the upper byte. */
static void upper_half_and_tags(void **state)
{
    struct vm *vm = smmu_create("");
    uint64_t cd = vm_peek(vm, SMMU_CD), ones = UIM_MASK(63, 39);

    (void)state;
    /* T1SZ 25, TG1 4K, IR1, OR1, SH1; EPD1 off; three levels */
    vm_poke(vm, SMMU_CD,
            (cd & ~UIM_BIT(30)) | 25 << 16 | 2 << 22 | 1 << 24 | 1 << 26 |
                3 << 28);
    vm_poke(vm, SMMU_CD + 16, SMMU_S1 + 0x1000);
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, ones | VM_X), PAGE_X);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(smmu_event_id(vm), 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, UIM_BIT(60) | VM_X), 0);
    assert_int_equal(smmu_event_id(vm), 0x10);
    assert_int_equal(smmu_go(vm, SMMU_A, R, (ones | VM_X) & ~UIM_BIT(60)), 0);
    assert_int_equal(smmu_event_id(vm), 0x10);
    vm_poke(vm, SMMU_CD, vm_peek(vm, SMMU_CD) | UIM_BIT(38) | UIM_BIT(39));
    smmu_submit(vm, smmu_cfgi_cd(SMMU_A, 0), 1);
    assert_int_equal(smmu_go(vm, SMMU_A, R, UIM_BIT(60) | VM_X), PAGE_X);
    assert_int_equal(smmu_go(vm, SMMU_A, R, (ones | VM_X) & ~UIM_BIT(60)),
                     PAGE_X);
    vm_destroy(vm);
}

/* Who may do what with a page of stage 1. Pages of WXN and PAN besides. */
static void rights_of_stage_1(void **state)
{
    enum { X = UIE_X, P = UIE_PRIV };
    static const struct {
        uint64_t leaf, cd; /* bits put in; leaf instead of AP, PXN and UXN */
        uint32_t user, priv; /* what each may do */
    } rows[] = {
        { 1 << 6, 0, R | W | X, R | W },
        { 1 << 6 | 1 << 7, 0, R | X, R | X },
        { 0, 0, X, R | W | X },
        { 1 << 7, 0, X, R | X },
        { 1 << 7 | UIM_BIT(53), 0, X, R },
        { 1 << 7 | UIM_BIT(54), 0, 0, R | X },
        { 1 << 6 | UIM_BIT(54), 0, R | W, R | W },
        { 1 << 6, UIM_BIT(36), R | W, R | W },   /* WXN */
        { 0, UIM_BIT(36), X, R | W },
        { 1 << 6 | 1 << 7, UIM_BIT(36), R | X, R | X },
        { 1 << 6, UIM_BIT(40), R | W | X, 0 },   /* PAN */
        { 1 << 7, UIM_BIT(40), X, R | X },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("");

        vm_poke(vm, SMMU_S1 + 0x3000 + (VM_X >> 12) * 8,
                PAGE_X | (S1_PAGE & ~UIM_BIT(6)) | rows[i].leaf);
        vm_poke(vm, SMMU_CD_MANY + 64,
                vm_peek(vm, SMMU_CD_MANY + 64) | rows[i].cd);
        smmu_start(vm);
        for (uint32_t access = R; access <= X; access <<= 1) {
            struct uie_xlat x;

            assert_int_equal(smmu_ask(vm, SMMU_E, 1, access, 0, VM_X, &x) == 0,
                             (rows[i].user & access) != 0);
            assert_int_equal(smmu_ask(vm, SMMU_E, 1, access | P, 0, VM_X, &x) ==
                                 0,
                             (rows[i].priv & access) != 0);
            if (rows[i].priv & access)
                assert_int_equal(x.perm, rows[i].priv | P);
        }
        vm_destroy(vm);
    }
}

/* Tables take rights away, unless HAD0 says that they do not. */
static void rights_of_tables(void **state)
{
    static const struct {
        unsigned bit;
        uint32_t lost; /* of the unprivileged */
    } rows[] = { { 61, R | W }, { 62, W }, { 60, UIE_X }, { 59, 0 } };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("");
        uint32_t lost = i & 1 ? 0 : rows[i / 2].lost;

        vm_poke(vm, SMMU_S1 + 0x1000,
                vm_peek(vm, SMMU_S1 + 0x1000) | UIM_BIT(rows[i / 2].bit));
        if (i & 1)
            vm_poke(vm, SMMU_CD + 8, SMMU_S1 | 2);
        smmu_start(vm);
        for (uint32_t access = R; access <= UIE_X; access <<= 1)
            assert_int_equal(smmu_go(vm, SMMU_A, access, VM_X) != 0,
                             !(lost & access));
        vm_destroy(vm);
    }
}

static void rights_of_stage_2(void **state)
{
    static const struct {
        uint64_t leaf; /* S2AP and XN */
        uint32_t user, priv;
    } rows[] = {
        { 3 << 6, R | W | UIE_X, R | W | UIE_X },
        { 1 << 6, R | UIE_X, R | UIE_X },
        { 2 << 6, W | UIE_X, W | UIE_X },
        { 1 << 6 | UIM_BIT(53), R | UIE_X, R },
        { 1 << 6 | UIM_BIT(54), R, R },
        { 1 << 6 | UIM_BIT(53) | UIM_BIT(54), R, R | UIE_X },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("");

        vm_poke(vm, SMMU_S2_NESTED + 0x1000 + (PAGE_X >> 12) * 8,
                PAGE_X | (S2_PAGE & ~(UINT64_C(3) << 6)) | rows[i].leaf);
        vm_poke(vm, smmu_ste(SMMU_C), /* with substreams */
                (vm_peek(vm, smmu_ste(SMMU_C)) & ~UIM_MASK(55, 6)) |
                    SMMU_CD_MANY | UINT64_C(6) << 59);
        vm_poke(vm, SMMU_S1 + 0x3000 + (VM_X >> 12) * 8,
                PAGE_X | (S1_PAGE & ~UIM_BIT(6)));
        smmu_start(vm);
        for (uint32_t access = R; access <= UIE_X; access <<= 1)
            assert_int_equal(
                smmu_go_ssid(vm, SMMU_C, 1, access | UIE_PRIV, VM_X) != 0,
                (rows[i].priv & access) != 0);
        vm_poke(vm, SMMU_S1 + 0x3000 + (VM_X >> 12) * 8, PAGE_X | S1_PAGE);
        smmu_submit(vm, 0x30, 0);
        for (uint32_t access = R; access <= UIE_X; access <<= 1)
            assert_int_equal(smmu_go_ssid(vm, SMMU_C, 1, access, VM_X) != 0,
                             (rows[i].user & access) != 0);
        vm_destroy(vm);
    }
}

static void substreams_choose_the_descriptor(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_xlat x;

    (void)state;
    smmu_start(vm);
    for (uint32_t ssid = 0; ssid < 3; ssid++) {
        assert_int_equal(smmu_ask(vm, SMMU_E, ssid, R, 0, VM_X, &x), 0);
        assert_int_equal(x.domain, SMMU_ASID + ssid);
        assert_int_equal(smmu_ask(vm, SMMU_F, ssid, R, 0, VM_X, &x), 0);
        assert_int_equal(x.domain, SMMU_ASID + ssid);
    }
    /* S1DSS: no substream is bypass, or descriptor 0 */
    vm_poke(vm, smmu_ste(SMMU_E) + 8, vm_peek(vm, smmu_ste(SMMU_E) + 8) | 1);
    smmu_submit(vm, smmu_cfgi_ste(SMMU_E), 1);
    assert_int_equal(smmu_go(vm, SMMU_E, R, VM_X), VM_X);
    vm_poke(vm, smmu_ste(SMMU_E) + 8, vm_peek(vm, smmu_ste(SMMU_E) + 8) + 1);
    smmu_submit(vm, smmu_cfgi_ste(SMMU_E), 1);
    assert_int_equal(smmu_ask(vm, SMMU_E, UIE_NO_PASID, R, 0, VM_X, &x), 0);
    assert_int_equal(x.domain, SMMU_ASID);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

/* 5.2: with leaves of 64 KiB level 1 counts 1024 substreams, which all go with its link
 * (4.3.3). */
static void substreams_in_leaves_of_each_size(void **state)
{
    static const struct {
        unsigned fmt, max;
        uint32_t ssid, leaf, in_leaf;
    } rows[] = {
        { 1, 8, 3, 0, 3 },
        { 1, 8, 64 + 3, 1, 3 },
        { 1, 8, 192 + 63, 3, 63 },
        { 2, 11, 3, 0, 3 },
        { 2, 11, 1024 + 64 + 3, 1, 64 + 3 },
        { 2, 20, 0xffc00 + 63, 1023, 63 },
    };
    struct uie_xlat x;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vm *vm = smmu_create("");
        const uint64_t link = SMMU_L1CD + UINT64_C(8) * rows[i].leaf;
        const uint64_t leaf = SMMU_CD_MANY - rows[i].in_leaf / 64 * 4096;

        vm_poke(vm, SMMU_L1CD, 0);
        vm_poke(vm, smmu_ste(SMMU_F),
                SMMU_L1CD | (uint64_t)rows[i].max << 59 | rows[i].fmt << 4 |
                    0xb);
        smmu_start(vm);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, rows[i].ssid, R, VM_X), 0);
        assert_int_equal(smmu_event_id(vm), 0x08);
        vm_poke(vm, link, 0x100000 | 1);
        smmu_submit(vm, smmu_cfgi_cd(SMMU_F, rows[i].ssid), 0);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, rows[i].ssid, R, VM_X), 0);
        assert_int_equal(smmu_event_id(vm), 0x0a);
        vm_poke(vm, link, leaf | 1);
        smmu_submit(vm, smmu_cfgi_cd(SMMU_F, rows[i].ssid), 0);
        assert_int_equal(smmu_ask(vm, SMMU_F, rows[i].ssid, R, 0, VM_X, &x), 0);
        assert_int_equal(x.domain, SMMU_ASID + rows[i].in_leaf % 64);
        vm_destroy(vm);
    }
}

/* S1Fmt 3 is as 0 (5.2). */
static void a_reserved_format_is_linear(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_xlat x;

    (void)state;
    vm_poke(vm, smmu_ste(SMMU_E), vm_peek(vm, smmu_ste(SMMU_E)) | 3 << 4);
    smmu_start(vm);
    assert_int_equal(smmu_ask(vm, SMMU_E, 63, R, 0, VM_X, &x), 0);
    assert_int_equal(x.domain, SMMU_ASID + 63);
    vm_destroy(vm);
}

/* HTTU: access flag and dirty state of both stages. */
static void flags_are_set_by_the_unit(void **state)
{
    static const struct {
        const char *args;
        uint32_t sid, access;
        uint64_t leaf_at, leaf, want;
    } rows[] = {
        { "httu=1", SMMU_A, R, SMMU_S1 + 0x3028,
          PAGE_X | (S1_PAGE & ~UIM_BIT(10)), PAGE_X | S1_PAGE },
        { "httu=2", SMMU_A, R, SMMU_S1 + 0x3028,
          PAGE_X | S1_PAGE | UIM_BIT(51) | 1 << 7,
          PAGE_X | S1_PAGE | UIM_BIT(51) | 1 << 7 },
        { "httu=2", SMMU_A, W, SMMU_S1 + 0x3028,
          PAGE_X | S1_PAGE | UIM_BIT(51) | 1 << 7,
          PAGE_X | S1_PAGE | UIM_BIT(51) },
        { "httu=2", SMMU_B, W, SMMU_S2 + 0x3028,
          PAGE_X | (S2_PAGE & ~UIM_BIT(7)) | UIM_BIT(51),
          PAGE_X | S2_PAGE | UIM_BIT(51) },
        { "httu=1", SMMU_B, R, SMMU_S2 + 0x3028,
          PAGE_X | (S2_PAGE & ~UIM_BIT(10)), PAGE_X | S2_PAGE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);
        bool hd = strstr(rows[i].args, "httu=2");
        struct uie_xlat x;

        vm_poke(vm, SMMU_CD,
                vm_peek(vm, SMMU_CD) | UIM_BIT(43) | (hd ? UIM_BIT(42) : 0));
        vm_poke(vm, smmu_ste(SMMU_B) + 16,
                vm_peek(vm, smmu_ste(SMMU_B) + 16) | UIM_BIT(56) |
                    (hd ? UIM_BIT(55) : 0));
        vm_poke(vm, rows[i].leaf_at, rows[i].leaf);
        smmu_start(vm);
        assert_int_equal(smmu_ask(vm, rows[i].sid, UIE_NO_PASID, rows[i].access,
                                  UIE_REQ_PROBE, VM_X, &x),
                         0);
        assert_int_equal(vm_peek(vm, rows[i].leaf_at), rows[i].leaf);
        assert_int_equal(smmu_ask(vm, rows[i].sid, UIE_NO_PASID, rows[i].access,
                                  0, VM_X, &x),
                         0);
        assert_int_equal(vm_peek(vm, rows[i].leaf_at), rows[i].want);
        /* no W to keep while the page is clean */
        if (rows[i].want & UIM_BIT(51))
            assert_int_equal((x.perm & W) != 0, rows[i].access == W);
        vm_destroy(vm);
    }
}

static void a_race_for_the_flags_is_tried_again(void **state)
{
    struct vm *vm = smmu_create("httu=1");
    struct uie_xlat x;

    (void)state;
    vm_poke(vm, SMMU_CD, vm_peek(vm, SMMU_CD) | UIM_BIT(43));
    vm_poke(vm, SMMU_S1 + 0x3028, PAGE_X | (S1_PAGE & ~UIM_BIT(10)));
    smmu_start(vm);
    vm->cas_races = 2;
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    vm_poke(vm, SMMU_S1 + 0x3028, PAGE_X | (S1_PAGE & ~UIM_BIT(10)));
    smmu_submit(vm, 0x30, 0);
    vm->cas_races = 100;
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    assert_int_equal(smmu_event_id(vm), 0x0b);
    vm->cas_races = 0;
    vm->cas_fails = true;
    assert_int_not_equal(smmu_ask(vm, SMMU_A, UIE_NO_PASID, R, 0, VM_X, &x), 0);
    assert_int_equal(smmu_event_id(vm), 0x0b);
    vm_destroy(vm);
}

/* Attributes decide what fetches see: CR1, S1CIR, IR0, S2IR0. */
static void fetches_are_snooped_as_configured(void **state)
{
    static const struct {
        const char *args;
        uint64_t at, keep; /* which word loses bits */
        uint64_t fetched;
    } rows[] = {
        { "", 0, 0, 0 },
        { "", SMMU_STRTAB + SMMU_A * 64 + 8, ~UINT64_C(0xc), SMMU_CD },
        { "", SMMU_CD, ~UINT64_C(0x3000), SMMU_S1 },
        { "", SMMU_STRTAB + SMMU_B * 64 + 16, ~(UINT64_C(3) << 40), SMMU_S2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);
        bool found = false;

        if (rows[i].at)
            vm_poke(vm, rows[i].at, vm_peek(vm, rows[i].at) & rows[i].keep);
        smmu_start(vm);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
        assert_int_equal(smmu_go(vm, SMMU_B, R, VM_X), PAGE_X);
        for (unsigned n = 0; n < vm->n_fetch; n++) {
            bool here = vm->fetch[n].gpa == rows[i].fetched && rows[i].at;

            found |= here;
            if (here || !rows[i].at)
                assert_int_equal(vm->fetch[n].snooped, !here);
        }
        assert_int_equal(found, rows[i].at != 0);
        vm_destroy(vm);
    }
}

static void an_incoherent_unit_snoops_nothing(void **state)
{
    struct vm *vm = started("coherent=0");

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    smmu_sync(vm);
    assert_true(vm->n_fetch > 6);
    for (unsigned n = 0; n < vm->n_fetch; n++)
        assert_false(vm->fetch[n].snooped);
    vm_destroy(vm);
}

static void probes_record_nothing(void **state)
{
    struct vm *vm = started("");
    struct uie_xlat x;

    (void)state;
    assert_int_equal(
        smmu_ask(vm, SMMU_A, UIE_NO_PASID, W, UIE_REQ_PROBE, VM_READ_ONLY, &x),
        UIE_ERR_UR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    assert_int_equal(vm->n_irq, 0);
    vm_destroy(vm);
}

static void messages_are_writes_like_any_other(void **state)
{
    struct vm *vm = started("");
    uint64_t addr;
    uint32_t data;

    (void)state;
    assert_int_equal(
        vm->ops->remap_msi(vm->m, SMMU_A, 0, 0x8080040, 7, &addr, &data), 0);
    assert_int_equal(addr, 0x8080040);
    assert_int_equal(data, 7);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_stream),
        cmocka_unit_test(a_two_level_stream_table),
        cmocka_unit_test(granules_and_levels),
        cmocka_unit_test(concatenated_root),
        cmocka_unit_test(upper_half_and_tags),
        cmocka_unit_test(rights_of_stage_1),
        cmocka_unit_test(rights_of_tables),
        cmocka_unit_test(rights_of_stage_2),
        cmocka_unit_test(substreams_choose_the_descriptor),
        cmocka_unit_test(substreams_in_leaves_of_each_size),
        cmocka_unit_test(a_reserved_format_is_linear),
        cmocka_unit_test(flags_are_set_by_the_unit),
        cmocka_unit_test(a_race_for_the_flags_is_tried_again),
        cmocka_unit_test(fetches_are_snooped_as_configured),
        cmocka_unit_test(an_incoherent_unit_snoops_nothing),
        cmocka_unit_test(probes_record_nothing),
        cmocka_unit_test(messages_are_writes_like_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
