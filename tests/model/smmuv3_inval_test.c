/* SPDX-License-Identifier: MIT */
/*
 * What the SMMUv3 model caches, and what each command removes: no less than the
 * manual says, and no more. And whom the commands tell: the VMM, devices, the
 * door.
 */
#include <stdio.h>
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    R = UIE_R,
    LEAF_X = SMMU_S1 + 0x3000 + (VM_X >> 12) * 8,
    S2_LEAF_X = SMMU_S2 + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
    OTHER = VM_PAGES + 0x10000 + VM_X,
    ALL_PAGES = 52,
    /* who asks: bits of a mask */
    A = 1, /* ASID 5, VMID 0 */
    B = 2, /* stage 2, VMID 9 */
    C = 4, /* ASID 6, VMID 7, nested */
    E = 8, /* ASID 6, VMID 0 */
    N_WHO = 4,
};

static const struct {
    uint32_t sid, ssid;
} who[N_WHO] = { { SMMU_A, UIE_NO_PASID },
                 { SMMU_B, UIE_NO_PASID },
                 { SMMU_C, UIE_NO_PASID },
                 { SMMU_E, 1 } };

static const char *const modes[] = { "normal", "adversarial" };

static struct vm *cached(const char *mode, const char *args)
{
    char all[96];

    snprintf(all, sizeof(all), "cache=%s%s%s", mode, *args ? "," : "", args);
    return smmu_create(all);
}

/* Which of them are led to `page` for the page X. */
static unsigned led_to(struct vm *vm, uint64_t page)
{
    unsigned mask = 0;

    for (unsigned i = 0; i < N_WHO; i++) {
        if (smmu_go_ssid(vm, who[i].sid, who[i].ssid, R, VM_X) == page)
            mask |= 1u << i;
    }
    return mask;
}

static void set_leaves(struct vm *vm, uint64_t page, uint64_t not_s1)
{
    vm_poke(vm, LEAF_X, page | (S1_PAGE & ~not_s1));
    vm_poke(vm, S2_LEAF_X, page | S2_PAGE);
}

/* ---- the TLB -------------------------------------------------------------------- */

/* Ranges: NUM, SCALE, TG, TTL. */
#define RANGE(num, scale) ((uint64_t)(num) << 12 | (uint64_t)(scale) << 20)
#define TG(tg, ttl)       ((uint64_t)(tg) << 10 | (uint64_t)(ttl) << 8)
#define TLBI(op, vmid, asid)                                                   \
    ((op) | (uint64_t)(vmid) << 32 | (uint64_t)(asid) << 48)

struct tlb_row {
    uint64_t lo, hi;
    unsigned gone, gone_if_global; /* whose entry of X; with nG 0            */
};

/* clang-format off */
static const struct tlb_row tlbis[] = {
    { TLBI(0x30, 0, 0), 0, A | B | C | E, A | B | C | E },
    { TLBI(0x10, 0, 0), 0, A | E, A | E },
    { TLBI(0x10, 7, 0), 0, C, C },
    { TLBI(0x10, 9, 0), 0, 0, 0 },
    { TLBI(0x11, 0, 5), 0, A, 0 },
    { TLBI(0x11, 0, 6), 0, E, 0 },
    { TLBI(0x11, 7, 6), 0, C, 0 },
    { TLBI(0x11, 7, 5), 0, 0, 0 },
    { TLBI(0x12, 0, 5), VM_X, A, A | E },
    { TLBI(0x12, 0, 5), VM_X | 1, A, A | E },
    { TLBI(0x12, 0, 5), VM_Y, 0, 0 },
    { TLBI(0x12, 0, 77), VM_X, 0, A | E },
    { TLBI(0x12, 7, 6), VM_X, C, C },
    { TLBI(0x12, 9, 6), VM_X, 0, 0 },
    { TLBI(0x13, 0, 5), VM_X, A | E, A | E },
    { TLBI(0x13, 7, 0), VM_X, C, C },
    { TLBI(0x13, 0, 0), VM_Y, 0, 0 },
    { TLBI(0x28, 9, 0), 0, B, B },
    { TLBI(0x28, 7, 0), 0, C, C },
    { TLBI(0x28, 0, 0), 0, A | E, A | E },
    { TLBI(0x2a, 9, 0), VM_X, B, B },
    { TLBI(0x2a, 9, 0), VM_Y, 0, 0 },
    { TLBI(0x2a, 7, 0), PAGE_X, 0, 0 }, /* what holds both stages stays */
    { TLBI(0x2a, 0, 0), VM_X, 0, 0 },
    /* ranges */
    { TLBI(0x12, 0, 5) | RANGE(0, 0), 0x4000 | TG(1, 3), 0, 0 },
    { TLBI(0x12, 0, 5) | RANGE(1, 0), 0x4000 | TG(1, 0), A, A | E },
    { TLBI(0x12, 0, 5) | RANGE(0, 1), 0x4000 | TG(1, 0), A, A | E },
    { TLBI(0x12, 0, 5) | RANGE(31, 31), 0 | TG(1, 0), A, A | E },
    { TLBI(0x12, 0, 5) | RANGE(4, 0), 0 | TG(1, 0), 0, 0 },
    { TLBI(0x12, 0, 5) | RANGE(5, 0), 0 | TG(1, 0), A, A | E },
    { TLBI(0x12, 0, 5), VM_X | TG(1, 3), A, A | E },
    { TLBI(0x12, 0, 5), VM_X | TG(1, 2), 0, 0 },
    { TLBI(0x12, 0, 5), VM_X | TG(0, 2), A, A | E },    /* no TTL without TG */
    { TLBI(0x12, 0, 5), VM_X | TG(2, 3), 0, 0 },        /* another granule */
    { TLBI(0x12, 0, 5), VM_X | TG(3, 3), 0, 0 },
    { TLBI(0x13, 0, 0) | RANGE(1, 0), 0x4000 | TG(1, 0), A | E, A | E },
    { TLBI(0x2a, 9, 0) | RANGE(1, 0), 0x4000 | TG(1, 3), B, B },
    { TLBI(0x2a, 9, 0) | RANGE(1, 0), 0x4000 | TG(1, 1), 0, 0 },
    /* to the end of all addresses, and no further */
    { TLBI(0x13, 0, 0) | RANGE(31, 31), UINT64_C(0xffff) << 48 | TG(3, 0), 0, 0 },
};
/* clang-format on */

static void check_tlbi(const char *mode, const struct tlb_row *row, bool global)
{
    struct vm *vm = cached(mode, "");
    uint64_t ng = global ? UIM_BIT(11) : 0;

    set_leaves(vm, PAGE_X, ng);
    smmu_start(vm);
    assert_int_equal(led_to(vm, PAGE_X), A | B | C | E);
    set_leaves(vm, OTHER, ng);
    assert_int_equal(led_to(vm, PAGE_X), A | B | C | E);
    smmu_submit(vm, row->lo, row->hi);
    assert_true(smmu_drained(vm));
    assert_int_equal(led_to(vm, OTHER),
                     global ? row->gone_if_global : row->gone);
    vm_destroy(vm);
}

static void each_tlbi_removes_what_it_says(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        for (size_t i = 0; i < sizeof(tlbis) / sizeof(*tlbis); i++) {
            print_message("# row %zu, %s\n", i, modes[mode]);
            check_tlbi(modes[mode], &tlbis[i], false);
            check_tlbi(modes[mode], &tlbis[i], true);
        }
    }
}

/* Without RIL the fields of a range are reserved: one page. */
static void ranges_without_ril(void **state)
{
    struct vm *vm = cached("normal", "ril=0");

    (void)state;
    smmu_start(vm);
    led_to(vm, PAGE_X);
    set_leaves(vm, OTHER, 0);
    smmu_submit(vm, TLBI(0x12, 0, 5) | RANGE(1, 0), 0x4000 | TG(1, 0));
    assert_int_equal(led_to(vm, OTHER), 0);
    smmu_submit(vm, TLBI(0x12, 0, 5), VM_X | TG(2, 1));
    assert_int_equal(led_to(vm, OTHER), A);
    vm_destroy(vm);
}

/* 16 KiB granules have no leaves at level 1 (without DS): TTL 1 is no hint. */
static void a_level_without_leaves_is_no_hint(void **state)
{
    struct vm *vm = cached("normal", "");

    (void)state;
    /* TG0 16K, T0SZ 38: 26 bits, two levels */
    vm_poke(vm, SMMU_CD,
            (vm_peek(vm, SMMU_CD) & ~UIM_MASK(7, 0)) | 38 | 2 << 6);
    vm_poke(vm, SMMU_CD + 8, 0x100000);
    vm_poke(vm, 0x100000, 0x104000 | 3);
    vm_poke(vm, 0x104000 + 8, 0x10000 | S1_PAGE);
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x5000), 0x11000);
    vm_poke(vm, 0x104000 + 8, 0);
    smmu_submit(vm, TLBI(0x12, 0, 5), 0x4000 | TG(2, 2));
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x5000), 0x11000);
    smmu_submit(vm, TLBI(0x12, 0, 5) | RANGE(1, 0), 0x4000 | TG(2, 1));
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x5000), 0);
    vm_destroy(vm);
}

/* One address of a block removes all of it. */
static void a_block_goes_by_any_of_its_pages(void **state)
{
    struct vm *vm = cached("normal", "");
    uint64_t at = SMMU_S1 + 0x2000 + 8;

    (void)state;
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE), VM_LARGE);
    vm_poke(vm, at, 0);
    smmu_submit(vm, TLBI(0x12, 0, 5), VM_LARGE - 0x1000);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE), VM_LARGE);
    smmu_submit(vm, TLBI(0x12, 0, 5), VM_LARGE + 0x7000);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE), 0);
    vm_destroy(vm);
}

/* ---- walk caches ------------------------------------------------------------------ */

static void tables_stay_with_leaf(void **state)
{
    static const struct {
        uint32_t sid;
        uint64_t entry, lo, hi;
    } rows[] = {
        { SMMU_A, SMMU_S1 + 0x2000, TLBI(0x12, 0, 5), VM_X },
        { SMMU_A, SMMU_S1 + 0x2000, TLBI(0x13, 0, 0), VM_X },
        { SMMU_A, SMMU_S1, TLBI(0x12, 0, 5) | RANGE(0, 9), TG(1, 0) },
        { SMMU_B, SMMU_S2 + 0x2000, TLBI(0x2a, 9, 0), VM_X },
        { SMMU_C, SMMU_S1 + 0x2000, TLBI(0x12, 7, 6), VM_X },
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = cached(modes[i & 1], "");
        uint64_t entry = vm_peek(vm, rows[i / 2].entry);
        uint32_t sid = rows[i / 2].sid;

        smmu_start(vm);
        assert_int_equal(smmu_go(vm, sid, R, VM_X), PAGE_X);
        vm_poke(vm, rows[i / 2].entry, 0);
        smmu_submit(vm, rows[i / 2].lo, rows[i / 2].hi | 1);
        assert_int_equal(smmu_go(vm, sid, R, VM_X), PAGE_X);
        smmu_submit(vm, rows[i / 2].lo, rows[i / 2].hi);
        assert_int_equal(smmu_go(vm, sid, R, VM_X), 0);
        vm_poke(vm, rows[i / 2].entry, entry);
        assert_int_equal(smmu_go(vm, sid, R, VM_X), PAGE_X);
        vm_destroy(vm);
    }
}

/* What is not there is not cached, nor is what has no access flag. */
static void faults_are_not_cached(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct vm *vm = cached(modes[i & 1], "");

        vm_poke(vm, LEAF_X, i & 2 ? 0 : PAGE_X | (S1_PAGE & ~UIM_BIT(10)));
        smmu_start(vm);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
        vm_poke(vm, LEAF_X, PAGE_X | S1_PAGE);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
        vm_destroy(vm);
    }
}

static void second_requests_fetch_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_WHO; i++) {
        struct vm *vm = cached("normal", "");

        smmu_start(vm);
        smmu_go_ssid(vm, who[i].sid, who[i].ssid, R, VM_X);
        assert_true(vm->n_fetch >= 5);
        vm_forget(vm);
        smmu_go_ssid(vm, who[i].sid, who[i].ssid, R, VM_X);
        assert_int_equal(vm->n_fetch, 0);
        /* the next page: one descriptor, and stage 2 of two */
        smmu_go_ssid(vm, who[i].sid, who[i].ssid, R, VM_Y);
        assert_int_equal(vm->n_fetch, 1 + (who[i].sid == SMMU_C));
        vm_destroy(vm);
    }
}

static void without_caches_every_request_fetches(void **state)
{
    struct vm *vm = smmu_create("cache=none");
    unsigned n;

    (void)state;
    smmu_start(vm);
    assert_int_equal(led_to(vm, PAGE_X), A | B | C | E);
    n = vm->n_fetch;
    assert_int_equal(led_to(vm, PAGE_X), A | B | C | E);
    assert_int_equal(vm->n_fetch, 2 * n);
    set_leaves(vm, OTHER, 0);
    assert_int_equal(led_to(vm, OTHER), A | B | C | E);
    vm_destroy(vm);
}

/* ---- configuration --------------------------------------------------------------- */

/* The ASID of what answers. */
static unsigned asid(struct vm *vm, uint32_t sid, uint32_t ssid)
{
    struct uie_xlat x;

    assert_int_equal(smmu_ask(vm, sid, ssid, R, 0, VM_X, &x), 0);
    return x.domain & 0xffff;
}

static void set_asid(struct vm *vm, uint64_t cd, unsigned to)
{
    vm_poke(vm, cd, (vm_peek(vm, cd) & UIM_MASK(47, 0)) | (uint64_t)to << 48);
}

#define STE(op, sid) ((op) | (uint64_t)(sid) << 32)
#define CFGI_CD(sid, ssid)                                                     \
    (UINT64_C(5) | (uint64_t)(ssid) << 12 | (uint64_t)(sid) << 32)

/* clang-format off */
static const struct config_row {
    uint64_t lo, hi;
    bool ste, cd;     /* of A: is it gone? */
    bool cd_1, cd_2;  /* of E, substreams 1 and 2 */
} cfgis[] = {
    { STE(3, SMMU_A), 1, true, true, false, false },
    { STE(3, SMMU_A), 0, true, true, false, false },
    { STE(3, SMMU_E), 1, false, false, true, true },
    { STE(3, SMMU_B), 0, false, false, false, false },
    { STE(4, 0), 31, true, true, true, true },
    { STE(4, SMMU_A), 2, true, true, false, false },        /* 0x18 to 0x1f */
    { STE(4, SMMU_A + 7), 2, true, true, false, false },
    { STE(4, SMMU_A), 5, true, true, true, true },          /* 0 to 0x3f */
    { STE(4, SMMU_A - 1), 2, false, false, false, false },
    { CFGI_CD(SMMU_A, 0), 1, false, true, false, false },
    { CFGI_CD(SMMU_A, 0), 0, false, true, false, false },
    { CFGI_CD(SMMU_A, 1), 1, false, false, false, false },
    { CFGI_CD(SMMU_E, 1), 1, false, false, true, false },
    { CFGI_CD(SMMU_E, 2), 0, false, false, false, true },
    { STE(6, SMMU_A), 0, false, true, false, false },
    { STE(6, SMMU_E), 0, false, false, true, true },
    { TLBI(0x30, 0, 0), 0, false, false, false, false },
};
/* clang-format on */

static void check_cfgi(const char *mode, const struct config_row *row)
{
    struct vm *vm = cached(mode, "");

    smmu_start(vm);
    assert_int_equal(asid(vm, SMMU_A, UIE_NO_PASID), 5);
    assert_int_equal(asid(vm, SMMU_E, 1), 6);
    assert_int_equal(asid(vm, SMMU_E, 2), 7);
    set_asid(vm, SMMU_CD, 50);
    set_asid(vm, SMMU_CD_MANY + 64, 60);
    set_asid(vm, SMMU_CD_MANY + 128, 70);
    smmu_submit(vm, row->lo, row->hi);
    assert_int_equal(asid(vm, SMMU_A, UIE_NO_PASID), row->cd ? 50 : 5);
    assert_int_equal(asid(vm, SMMU_E, 1), row->cd_1 ? 60 : 6);
    assert_int_equal(asid(vm, SMMU_E, 2), row->cd_2 ? 70 : 7);
    vm_poke(vm, smmu_ste(SMMU_A), 0);
    smmu_submit(vm, row->lo, row->hi);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X) == 0, row->ste);
    vm_destroy(vm);
}

static void each_cfgi_removes_what_it_says(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        for (size_t i = 0; i < sizeof(cfgis) / sizeof(*cfgis); i++) {
            print_message("# row %zu, %s\n", i, modes[mode]);
            check_cfgi(modes[mode], &cfgis[i]);
        }
    }
}

/* An entry with V=0 may be cached as well. */
static void invalid_entries_are_cached(void **state)
{
    struct vm *vm = cached("normal", "");
    uint64_t ste = vm_peek(vm, smmu_ste(SMMU_A));

    (void)state;
    vm_poke(vm, smmu_ste(SMMU_A), 0);
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    vm_poke(vm, smmu_ste(SMMU_A), ste);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    smmu_submit(vm, smmu_cfgi_ste(SMMU_A), 1);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    vm_destroy(vm);
}

/* Level 1 descriptors of both kinds stay with Leaf. */
static void level_1_stays_with_leaf(void **state)
{
    static const struct {
        uint64_t lo, lo_cd;
    } rows[] = {
        { STE(3, SMMU_A), CFGI_CD(SMMU_F, 1) },
        { STE(3, 2), CFGI_CD(SMMU_F, 2) }, /* another of the same descriptor */
        { STE(4, SMMU_A), STE(6, SMMU_F) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = cached("normal", "");

        smmu_start_two_level(vm);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
        assert_int_equal(asid(vm, SMMU_F, 1), 6);
        vm_poke(vm, SMMU_L1CD, 0x100000 | 1);
        smmu_submit(vm, CFGI_CD(SMMU_F, 1), 1);
        assert_int_equal(asid(vm, SMMU_F, 1), 6);
        smmu_submit(vm, rows[i].lo_cd, 0);
        smmu_submit(vm, CFGI_CD(SMMU_F, 1), 1);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, 1, R, VM_X), 0);

        vm_poke(vm, SMMU_L1STD, 0x100000 | 7);
        smmu_submit(vm, STE(3, SMMU_A), 1);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
        smmu_submit(vm, rows[i].lo, 0);
        smmu_submit(vm, STE(3, SMMU_A), 1);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
        vm_destroy(vm);
    }
}

/* Level 1 descriptors that lead nowhere: only adversarial units remember them. */
static void empty_level_1_descriptors(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        struct vm *vm = cached(modes[mode], "");

        vm_poke(vm, SMMU_L1STD, 0);
        vm_poke(vm, SMMU_L1CD, 0);
        smmu_start_two_level(vm);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
        vm_poke(vm, SMMU_L1STD, SMMU_STRTAB | 7);
        smmu_submit(vm, STE(3, SMMU_A), 1);
        assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), mode ? 0 : PAGE_X);
        smmu_submit(vm, STE(3, SMMU_A), 0);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, 1, R, VM_X), 0);
        vm_poke(vm, SMMU_L1CD, SMMU_CD_MANY | 1);
        smmu_submit(vm, CFGI_CD(SMMU_F, 1), 1);
        assert_int_equal(smmu_go_ssid(vm, SMMU_F, 1, R, VM_X),
                         mode ? 0 : PAGE_X);
        vm_destroy(vm);
    }
}

/* SMMUEN invalidates nothing by itself (6.3.9). */
static void switching_off_keeps_the_caches(void **state)
{
    struct vm *vm = cached("normal", "");

    (void)state;
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(vm->n_fetch, 0);
    uim_check_caches_drop(vm->model);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(vm->n_fetch, 6);
    uim_check_caches_keep(vm->model, false);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(vm->n_fetch, 6);
    vm_destroy(vm);
}

/* ---- the VMM --------------------------------------------------------------------- */

#define EVERYBODY UIE_ANY_PASID

/* clang-format off */
static const struct note_row {
    uint64_t lo, hi;
    unsigned n;
    uint32_t what, rid, domain;
    uint64_t iova, len;
} notes[] = {
    { STE(3, SMMU_A), 0, 1, UIE_INV_RID, SMMU_A, 0, 0, 0 },
    { STE(4, SMMU_A), 2, 8, UIE_INV_RID, SMMU_A, 0, 0, 0 },
    { STE(4, SMMU_A), 3, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { STE(4, 0), 31, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { CFGI_CD(SMMU_E, 1), 1, 1, UIE_INV_RID, SMMU_E, 0, 0, 0 },
    { STE(6, SMMU_E), 0, 1, UIE_INV_RID, SMMU_E, 0, 0, 0 },
    { TLBI(0x30, 0, 0), 0, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { TLBI(0x10, 7, 0), 0, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { TLBI(0x28, 7, 0), 0, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { TLBI(0x13, 7, 0), VM_X, 1, UIE_INV_ALL, 0, 0, 0, 0 },
    { TLBI(0x11, 7, 6), 0, 1, UIE_INV_DOMAIN, 0, 7 << 16 | 6, 0, 0 },
    { TLBI(0x12, 7, 6), VM_X, 1, UIE_INV_DOMAIN, 0, 7 << 16 | 6, VM_X, 0x1000 },
    { TLBI(0x12, 0, 5) | RANGE(2, 1), VM_X | TG(1, 0), 1, UIE_INV_DOMAIN, 0, 5, VM_X, 0x6000 },
    { TLBI(0x12, 0, 5) | RANGE(31, 31), TG(3, 0), 1, UIE_INV_DOMAIN, 0, 5, 0, UINT64_C(1) << 52 },
    { TLBI(0x2a, 9, 0), VM_X, 1, UIE_INV_DOMAIN, 0, 9 << 16, VM_X, 0x1000 },
};
/* clang-format on */

static void the_vmm_is_told_what_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
        struct vm *vm = smmu_create("");
        const struct uie_inval *got = &vm->inval[0];

        smmu_start(vm);
        smmu_submit(vm, notes[i].lo, notes[i].hi);
        print_message("# row %zu\n", i);
        assert_int_equal(vm->n_inval, notes[i].n);
        assert_int_equal(got->what, notes[i].what);
        assert_int_equal(got->pasid, EVERYBODY);
        assert_int_equal(got->rid, notes[i].rid);
        assert_int_equal(got->domain, notes[i].domain);
        assert_int_equal(got->iova, notes[i].iova);
        assert_int_equal(got->len, notes[i].len);
        for (unsigned n = 1; n < notes[i].n; n++)
            assert_int_equal(vm->inval[n].rid, notes[i].rid + n);
        vm_destroy(vm);
    }
}

/* A global page was given for one ASID and goes by any other. */
static void global_answers_go_for_everybody(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    set_leaves(vm, PAGE_X, UIM_BIT(11));
    smmu_start(vm);
    smmu_submit(vm, TLBI(0x12, 0, 99), VM_X);
    assert_int_equal(vm->inval[0].what, UIE_INV_DOMAIN);
    smmu_go(vm, SMMU_A, R, VM_X);
    smmu_submit(vm, TLBI(0x12, 0, 99), VM_X);
    assert_int_equal(vm->inval[1].what, UIE_INV_ALL);
    vm_destroy(vm);
}

/* ---- devices --------------------------------------------------------------------- */

#define SSV    (UINT64_C(1) << 11)
#define GLOBAL (UINT64_C(1) << 9)

static void atc_invalidations_name_their_range(void **state)
{
    static const struct {
        uint64_t lo, hi;
        uint32_t pasid;
        uint64_t iova, len;
    } rows[] = {
        { 0, 0x5000, UIE_NO_PASID, 0x5000, 0x1000 },
        { 0, 0x5000 | 1, UIE_NO_PASID, 0x4000, 0x2000 },
        { 0, 0x12345000 | 9, UIE_NO_PASID, 0x12200000, 0x200000 },
        { 0, ALL_PAGES, UIE_NO_PASID, 0, 0 },
        { 0, 63, UIE_NO_PASID, 0, 0 },
        { SSV | 7 << 12, 0x5000, 7, 0x5000, 0x1000 },
        { SSV | GLOBAL | 7 << 12, 0x5000, UIE_ANY_PASID, 0x5000, 0x1000 },
        { GLOBAL, 0x5000, UIE_NO_PASID, 0x5000, 0x1000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("");

        smmu_start(vm);
        smmu_submit(vm, smmu_atc_inv(SMMU_A) | rows[i].lo, rows[i].hi);
        assert_int_equal(vm->n_inval, 1);
        assert_int_equal(vm->inval[0].what, UIE_INV_DEVTLB);
        assert_int_equal(vm->inval[0].rid, SMMU_A);
        assert_int_equal(vm->inval[0].pasid, rows[i].pasid);
        assert_int_equal(vm->inval[0].iova, rows[i].iova);
        assert_int_equal(vm->inval[0].len, rows[i].len);
        vm_destroy(vm);
    }
}

static void a_sync_waits_for_devices(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    smmu_submit(vm, smmu_atc_inv(SMMU_B), 0);
    assert_true(smmu_drained(vm));
    smmu_post(vm, 0x46 | 1 << 12, 0);
    smmu_submit(vm, TLBI(0x30, 0, 0), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 2);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 0);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 0); /* once is enough */
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 2);
    assert_int_equal(vm->n_irq, 0);
    vm->ops->devtlb_done(vm->m, vm->inval[1].tag, 0);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm->n_irq, 1);
    vm_destroy(vm);
}

/* 4.5.1: the SYNC says that a device did not answer; the next one is fine. */
static void a_device_that_does_not_answer(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    smmu_submit(vm, 0x46 | 1 << 12, 0);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 3 << 24 | 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 1);
    assert_int_equal(vm->n_irq, 1);
    assert_int_equal(vm->irq[0].line, 3);
    smmu_wr(vm, SMMUV3_REG_GERRORN, 1);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm->irq[1].line, 2);
    vm_destroy(vm);
}

static void as_many_devices_as_fit(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    for (unsigned i = 0; i < 65; i++)
        smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 64);
    vm->ops->devtlb_done(vm->m, vm->inval[3].tag, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 65);
    vm_destroy(vm);
}

static void devices_are_left_alone_while_off(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    vm_forget(vm);
    smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    smmu_sync(vm);
    assert_int_equal(vm->n_inval, 0);
    vm_destroy(vm);
}

/* ---- the door -------------------------------------------------------------------- */

#define NONE UIM_CHECK_NONE

/* clang-format off */
static const struct {
    uint64_t lo, hi;
    struct uim_check_inval want;
} seen[] = {
    { STE(3, SMMU_A), 1, { .kind = UIM_CHECK_DEVICE, .scope = UIM_CHECK_ONE, .did = NONE, .rid = SMMU_A, .pasid = NONE, .leaf_only = true } },
    { STE(4, SMMU_A + 1), 2, { .kind = UIM_CHECK_DEVICE, .scope = UIM_CHECK_ONE, .did = NONE, .rid = SMMU_A, .pasid = NONE, .am = 3 } },
    { STE(4, 5), 31, { .kind = UIM_CHECK_DEVICE, .scope = UIM_CHECK_GLOBAL, .did = NONE, .rid = NONE, .pasid = NONE } },
    { CFGI_CD(SMMU_E, 7), 0, { .kind = UIM_CHECK_PASID, .scope = UIM_CHECK_ONE, .did = NONE, .rid = SMMU_E, .pasid = 7 } },
    { STE(6, SMMU_E), 0, { .kind = UIM_CHECK_PASID, .scope = UIM_CHECK_DOMAIN, .did = NONE, .rid = SMMU_E, .pasid = NONE } },
    { TLBI(0x30, 7, 6), 0, { .kind = UIM_CHECK_IOTLB, .scope = UIM_CHECK_GLOBAL, .did = NONE, .rid = NONE, .pasid = NONE } },
    { TLBI(0x10, 7, 6), 0, { .kind = UIM_CHECK_IOTLB, .scope = UIM_CHECK_DOMAIN, .did = 7 << 16, .rid = NONE, .pasid = NONE } },
    { TLBI(0x28, 7, 6), 0, { .kind = UIM_CHECK_IOTLB, .scope = UIM_CHECK_DOMAIN, .did = 7 << 16, .rid = NONE, .pasid = NONE } },
    { TLBI(0x11, 7, 6), 0, { .kind = UIM_CHECK_PASID_IOTLB, .scope = UIM_CHECK_ONE, .did = 7 << 16 | 6, .rid = NONE, .pasid = NONE } },
    { TLBI(0x12, 7, 6), VM_X | 1, { .kind = UIM_CHECK_PASID_IOTLB, .scope = UIM_CHECK_PAGE, .did = 7 << 16 | 6, .rid = NONE, .pasid = NONE, .addr = VM_X, .pages = 1, .leaf_only = true } },
    { TLBI(0x12, 7, 6) | RANGE(4, 0), VM_X | TG(1, 0), { .kind = UIM_CHECK_PASID_IOTLB, .scope = UIM_CHECK_PAGE, .did = 7 << 16 | 6, .rid = NONE, .pasid = NONE, .addr = VM_X, .pages = 5, .am = 3 } },
    { TLBI(0x2a, 7, 6), VM_X, { .kind = UIM_CHECK_IOTLB, .scope = UIM_CHECK_PAGE, .did = 7 << 16, .rid = NONE, .pasid = NONE, .addr = VM_X, .pages = 1 } },
    { STE(0x40, SMMU_A), 0x5001, { .kind = UIM_CHECK_DEVTLB, .scope = UIM_CHECK_PAGE, .did = NONE, .rid = SMMU_A, .pasid = NONE, .addr = 0x4000, .pages = 2, .am = 1 } },
    { STE(0x40, SMMU_A) | SSV | 3 << 12, 52, { .kind = UIM_CHECK_PASID_DEVTLB, .scope = UIM_CHECK_ONE, .did = NONE, .rid = SMMU_A, .pasid = 3 } },
    { 0x46, 0, { .kind = UIM_CHECK_WAIT, .scope = UIM_CHECK_GLOBAL, .did = NONE, .rid = NONE, .pasid = NONE } },
};
/* clang-format on */

static void the_door_sees_every_command(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
        struct vm *vm = smmu_create("");
        const struct uim_check_inval *got = &vm->command[0];
        const struct uim_check_inval *want = &seen[i].want;

        smmu_start(vm);
        smmu_submit(vm, seen[i].lo, seen[i].hi);
        print_message("# row %zu\n", i);
        assert_int_equal(vm->n_command, 1);
        assert_int_equal(got->kind, want->kind);
        assert_int_equal(got->scope, want->scope);
        assert_int_equal(got->did, want->did);
        assert_int_equal(got->rid, want->rid);
        assert_int_equal(got->pasid, want->pasid);
        assert_int_equal(got->addr, want->addr);
        assert_int_equal(got->pages, want->pages);
        assert_int_equal(got->am, want->am);
        assert_int_equal(got->leaf_only, want->leaf_only);
        vm_destroy(vm);
    }
}

static void dropped_commands_do_nothing(void **state)
{
    struct vm *vm = cached("normal", "");

    (void)state;
    smmu_start(vm);
    led_to(vm, PAGE_X);
    set_leaves(vm, OTHER, 0);
    uim_check_drop(vm->model, 1u << UIM_CHECK_PASID_IOTLB, 1);
    smmu_submit(vm, TLBI(0x12, 0, 5), VM_X);
    assert_true(smmu_drained(vm));
    assert_true(vm->command[0].dropped);
    assert_int_equal(vm->n_inval, 0);
    assert_int_equal(led_to(vm, OTHER), 0);
    smmu_submit(vm, TLBI(0x12, 0, 5), VM_X);
    assert_int_equal(led_to(vm, OTHER), A);
    uim_check_drop(vm->model, 1u << UIM_CHECK_WAIT, UIM_CHECK_EVERY);
    smmu_submit(vm, 0x46 | 1 << 12, 0);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm->n_irq, 0);
    uim_check_drop(vm->model, 1u << UIM_CHECK_DEVTLB, UIM_CHECK_EVERY);
    smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    smmu_sync(vm);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tlbi_removes_what_it_says),
        cmocka_unit_test(ranges_without_ril),
        cmocka_unit_test(a_level_without_leaves_is_no_hint),
        cmocka_unit_test(a_block_goes_by_any_of_its_pages),
        cmocka_unit_test(tables_stay_with_leaf),
        cmocka_unit_test(faults_are_not_cached),
        cmocka_unit_test(second_requests_fetch_nothing),
        cmocka_unit_test(without_caches_every_request_fetches),
        cmocka_unit_test(each_cfgi_removes_what_it_says),
        cmocka_unit_test(invalid_entries_are_cached),
        cmocka_unit_test(level_1_stays_with_leaf),
        cmocka_unit_test(empty_level_1_descriptors),
        cmocka_unit_test(switching_off_keeps_the_caches),
        cmocka_unit_test(the_vmm_is_told_what_went),
        cmocka_unit_test(global_answers_go_for_everybody),
        cmocka_unit_test(atc_invalidations_name_their_range),
        cmocka_unit_test(a_sync_waits_for_devices),
        cmocka_unit_test(a_device_that_does_not_answer),
        cmocka_unit_test(as_many_devices_as_fit),
        cmocka_unit_test(devices_are_left_alone_while_off),
        cmocka_unit_test(the_door_sees_every_command),
        cmocka_unit_test(dropped_commands_do_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
