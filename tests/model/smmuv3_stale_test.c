/* SPDX-License-Identifier: MIT */
/*
 * The adversarial SMMUv3 model: it keeps whatever the manual allows, and says which
 * command was forgotten when it uses something that is no longer so. These are
 * the checks that the tests of the driver lean on, so each is shown to fire, and
 * not to fire when software did its part.
 */
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    R = UIE_R,
    W = UIE_W,
    LEAF_X = SMMU_S1 + 0x3000 + (VM_X >> 12) * 8,
    LEAF_Y = SMMU_S1 + 0x3000 + (VM_Y >> 12) * 8,
    LEAF_HOLE = SMMU_S1 + 0x3000 + (VM_HOLE >> 12) * 8,
    S2_LEAF_X = SMMU_S2 + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
    N_LEAF_X = SMMU_S2_NESTED + 0x1000 + (PAGE_X >> 12) * 8,
    OTHER = VM_PAGES + 0x10000 + VM_X,
};

#define ADV "cache=adversarial"
#define TLBI(op, vmid, asid)                                                   \
    ((op) | (uint64_t)(vmid) << 32 | (uint64_t)(asid) << 48)

static struct vm *start(const char *args)
{
    struct vm *vm = smmu_create(args);

    smmu_start(vm);
    return vm;
}

/* One report, as expected, since vm_forget(). */
static void check_stale(const struct vm *vm, enum uim_check_cache cache,
                        enum uim_check_kind kind, uint32_t sid,
                        const char *text)
{
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm->stale[0].cache, cache);
    assert_int_equal(vm->stale[0].missing.kind, kind);
    assert_int_equal(vm->stale[0].rid, sid);
    if (!strstr(vm->stale_text, text))
        fail_msg("\"%s\" lacks \"%s\"", vm->stale_text, text);
}

static void unmapped_page_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    assert_int_equal(smmu_go(vm, SMMU_A, W, VM_X + 0x123), PAGE_X + 0x123);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(smmu_go(vm, SMMU_A, W, VM_X + 0x123), PAGE_X + 0x123);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "missing: TLBI_NH_VA vmid=0 asid=5 addr=0x5000 pages=1 leaf=1");
    assert_int_equal(vm->stale[0].used, PAGE_X | R | W | UIE_X);
    assert_int_equal(vm->stale[0].now, 0);
    assert_int_equal(vm->stale[0].iova, VM_X + 0x123);
    assert_int_equal(vm->stale[0].did, SMMU_ASID);
    assert_int_equal(vm_counter(vm, "stale_uses"), 1);

    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X | 1);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, W, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

static void unmapped_page_of_stage_2(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_B, R, VM_X);
    vm_poke(vm, S2_LEAF_X, 0);
    assert_int_equal(smmu_go(vm, SMMU_B, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB, SMMU_B,
                "missing: TLBI_S2_IPA vmid=9 addr=0x5000 pages=1 leaf=1");
    assert_int_equal(vm->stale[0].did, SMMU_VMID << 16);
    smmu_submit(vm, TLBI(0x2a, SMMU_VMID, 0), VM_X | 1);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_B, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Stage 2 changes, its own entry goes: what holds both stages is still used. */
static void combined_entry_after_s2_ipa(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_C, R, VM_X);
    vm_poke(vm, N_LEAF_X, OTHER | S2_PAGE);
    smmu_submit(vm, TLBI(0x2a, SMMU_VMID_NESTED, 0), PAGE_X);
    assert_int_equal(smmu_go(vm, SMMU_C, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_C,
                "TLBI_NH_VA vmid=7 asid=6 addr=0x5000");
    smmu_submit(vm, TLBI(0x10, SMMU_VMID_NESTED, 0), 0);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_C, R, VM_X), OTHER);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* The other way round: stage 1 is invalidated, the intermediate address stays. */
static void intermediate_entry_after_nh_all(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_C, R, VM_X);
    vm_poke(vm, N_LEAF_X, OTHER | S2_PAGE);
    smmu_submit(vm, TLBI(0x10, SMMU_VMID_NESTED, 0), 0);
    assert_int_equal(smmu_go(vm, SMMU_C, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB, SMMU_C,
                "TLBI_S2_IPA vmid=7 addr=0x85000");
    vm_destroy(vm);
}

static void probes_report_as_well(void **state)
{
    struct vm *vm = start(ADV);
    struct uie_xlat x;

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(
        smmu_ask(vm, SMMU_A, UIE_NO_PASID, R, UIE_REQ_PROBE, VM_X, &x), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* What counts as another answer: the page, its rights, whether it is global. Bits
 * that hardware ignores do not. */
static void what_is_stale(void **state)
{
    static const struct {
        uint64_t from, to; /* of the leaf of X */
        bool stale;
    } rows[] = {
        { PAGE_X | S1_PAGE, OTHER | S1_PAGE, true },
        { PAGE_X | S1_PAGE, PAGE_X | S1_PAGE | 1 << 7, true },
        { PAGE_X | S1_PAGE | 1 << 7, PAGE_X | S1_PAGE, true },
        { PAGE_X | S1_PAGE, PAGE_X | (S1_PAGE & ~UIM_BIT(6)), true },
        { PAGE_X | S1_PAGE, PAGE_X | S1_PAGE | UIM_BIT(54), true },
        { PAGE_X | S1_PAGE, PAGE_X | (S1_PAGE & ~UIM_BIT(11)), true },
        { PAGE_X | S1_PAGE, PAGE_X | (S1_PAGE & ~UIM_BIT(10)), true },
        { PAGE_X | S1_PAGE, PAGE_X | S1_PAGE | UIM_MASK(58, 55), false },
        { PAGE_X | S1_PAGE, PAGE_X | S1_PAGE | UIM_BIT(51), false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create(ADV);

        vm_poke(vm, LEAF_X, rows[i].from);
        smmu_start(vm);
        assert_int_not_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
        vm_poke(vm, LEAF_X, rows[i].to);
        smmu_go(vm, SMMU_A, R, VM_X);
        print_message("# row %zu\n", i);
        assert_int_equal(vm->n_stale, rows[i].stale);
        vm_destroy(vm);
    }
}

/* A block replaced by a table that maps the same: larger than memory says. */
static void split_block_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_LARGE + 0x3000);
    for (uint64_t i = 0; i < 512; i++)
        vm_poke(vm, 0x100000 + i * 8, (VM_LARGE + i * 0x1000) | S1_PAGE);
    vm_poke(vm, SMMU_S1 + 0x2000 + 8, 0x100000 | 3);
    smmu_go(vm, SMMU_A, R, VM_LARGE + 0x3000);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "addr=0x200000 pages=512");
    vm_destroy(vm);
}

/* Sizes change without a break: without BBML 2 a unit may have both, and the
 * transaction ends in a conflict; nT keeps a block out of the TLB. */
static void sizes_that_change_without_a_break(void **state)
{
    static const struct {
        const char *args;
        uint32_t sid;
        uint64_t entry, block, table, nt, word1;
        bool conflict;
    } rows[] = {
        { ADV, SMMU_A, SMMU_S1, S1_PAGE, 0, 0, UIM_BIT(35), true },
        { ADV ",bbml=1", SMMU_A, SMMU_S1, S1_PAGE, 0, 0, UIM_BIT(35), true },
        { ADV ",bbml=1", SMMU_A, SMMU_S1, S1_PAGE, 0, UIM_BIT(16), 0, false },
        { ADV, SMMU_A, SMMU_S1, S1_PAGE, 0, UIM_BIT(16), UIM_BIT(35), true },
        { ADV ",bbml=2", SMMU_A, SMMU_S1, S1_PAGE, 0, 0, 0, false },
        { ADV, SMMU_B, SMMU_S2, S2_PAGE, VM_LARGE + 0x3000, 0,
          UIM_BIT(35) | UIM_BIT(39), true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);
        uint64_t at = rows[i].entry + 0x2000 + 8, iova = VM_LARGE + 0x3000;
        uint64_t word[EVENT_WORDS];

        vm_poke(vm, at, VM_LARGE | (rows[i].block & ~UINT64_C(2)) | rows[i].nt);
        for (uint64_t n = 0; n < 512; n++)
            vm_poke(vm, 0x100000 + n * 8,
                    (VM_LARGE + n * 0x1000) | rows[i].block);
        smmu_start(vm);
        assert_int_equal(smmu_go(vm, rows[i].sid, R, iova), iova);
        vm_poke(vm, at, 0x100000 | 3);
        print_message("# row %zu\n", i);
        assert_int_equal(smmu_go(vm, rows[i].sid, R, iova),
                         rows[i].conflict ? 0 : iova);
        assert_int_equal(smmu_event(vm, word), rows[i].conflict);
        if (rows[i].conflict) {
            assert_int_equal(word[0], 0x20 | (uint64_t)rows[i].sid << 32);
            assert_int_equal(word[1], rows[i].word1);
            assert_int_equal(word[2], iova);
            assert_int_equal(word[3], rows[i].table);
        }
        vm_destroy(vm);
    }
}

/* TTL says which level changed, and here that is wrong. */
static void wrong_level_hint(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_LARGE);
    vm_poke(vm, SMMU_S1 + 0x2000 + 8, 0);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_LARGE | 1 << 10 | 3 << 8);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE), VM_LARGE);
    assert_int_equal(vm->n_stale, 1);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_LARGE | 1 << 10 | 2 << 8);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_LARGE), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* The page is unmapped and its table freed, but Leaf said: leaves only. */
static void freed_table_with_leaf_hint(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, SMMU_S1 + 0x2000, 0);
    smmu_submit(vm, TLBI(0x11, 0, 77), 0);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X | 1);
    smmu_go(vm, SMMU_A, R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "addr=0x0 pages=512 leaf=0");
    assert_int_equal(vm->stale[0].level, 1);
    assert_int_equal(vm->stale[0].used, (SMMU_S1 + 0x3000) | 3);
    assert_int_equal(vm->stale[0].now, 0);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Tables are cached on the way to a page that is not there. */
static void tables_above_a_hole_are_cached(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_HOLE), 0);
    vm_poke(vm, SMMU_S1 + 0x1000, 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "leaf=0");
    vm_destroy(vm);
}

/* A table loses a right: its leaves are gone from the TLB, it is not. */
static void narrowed_table_with_leaf_hint(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, SMMU_S1 + 0x1000, vm_peek(vm, SMMU_S1 + 0x1000) | UIM_BIT(62));
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X | 1);
    assert_int_not_equal(smmu_go(vm, SMMU_A, W, VM_X), 0);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "leaf=0");
    vm_destroy(vm);
}

static void ste_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, smmu_ste(SMMU_A), 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE, SMMU_A,
                "missing: CFGI_STE sid=0018 leaf=1");
    smmu_submit(vm, smmu_cfgi_ste(SMMU_A), 1);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* An STE that was fetched with V=0 is used although it is valid by now; as long
 * as V stays 0, nothing else in it matters. */
static void ste_made_valid_without_invalidation(void **state)
{
    struct vm *vm = smmu_create(ADV);
    uint64_t ste = vm_peek(vm, smmu_ste(SMMU_A));

    (void)state;
    vm_poke(vm, smmu_ste(SMMU_A), 0);
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, smmu_ste(SMMU_A) + 16, 77);
    smmu_go(vm, SMMU_A, R, VM_X);
    assert_int_equal(vm->n_stale, 0);
    vm_poke(vm, smmu_ste(SMMU_A), ste);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE, SMMU_A,
                "CFGI_STE");
    vm_destroy(vm);
}

static void cd_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go_ssid(vm, SMMU_E, 3, R, VM_X);
    vm_poke(vm, SMMU_CD_MANY + 3 * 64, 0);
    assert_int_equal(smmu_go_ssid(vm, SMMU_E, 3, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_PASID, UIM_CHECK_PASID, SMMU_E,
                "used by 0038 ssid 3");
    assert_non_null(
        strstr(vm->stale_text, "missing: CFGI_CD sid=0038 ssid=3 leaf=1"));
    smmu_submit(vm, smmu_cfgi_cd(SMMU_E, 3), 1);
    vm_forget(vm);
    assert_int_equal(smmu_go_ssid(vm, SMMU_E, 3, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

static void level_1_descriptors_without_invalidation(void **state)
{
    struct vm *vm = smmu_create(ADV);

    (void)state;
    smmu_start_two_level(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, SMMU_L1STD, 0);
    smmu_submit(vm, smmu_cfgi_ste(SMMU_A), 1);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE, SMMU_A,
                "CFGI_STE sid=0018 leaf=0");
    vm_poke(vm, SMMU_L1STD, SMMU_STRTAB | 7);
    smmu_go_ssid(vm, SMMU_F, 3, R, VM_X);
    vm_forget(vm);
    vm_poke(vm, SMMU_L1CD, 0);
    smmu_submit(vm, smmu_cfgi_cd(SMMU_F, 3), 1);
    smmu_go_ssid(vm, SMMU_F, 3, R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_PASID, UIM_CHECK_PASID, SMMU_F,
                "CFGI_CD sid=003c ssid=3 leaf=0");
    vm_destroy(vm);
}

/* The CD points to other tables now, and keeps its ASID: the TLB cannot tell. */
static void asid_reused_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, SMMU_CD + 8, 0x100000);
    smmu_submit(vm, smmu_cfgi_cd(SMMU_A, 0), 1);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "asid=5");
    smmu_submit(vm, TLBI(0x11, 0, SMMU_ASID), 0);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* S1 only, and S2VMID is junk: that is the VMID of its entries. */
static void vmid_of_stage_1(void **state)
{
    struct vm *vm = smmu_create(ADV);

    (void)state;
    vm_poke(vm, smmu_ste(SMMU_A) + 16, 0x33);
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X);
    smmu_go(vm, SMMU_A, R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "vmid=51 asid=5");
    vm_destroy(vm);

    vm = smmu_create(ADV ",stage=1"); /* no such field */
    vm_poke(vm, smmu_ste(SMMU_A) + 16, 0x33);
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* The other descriptors of the line were cached without being asked for. */
static void neighbours_are_cached(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_Y, 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_Y), VM_PAGES + VM_Y);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "addr=0x6000");
    vm_destroy(vm);
}

/* One entry may stand for a run: it goes by any of its pages, and until then it
 * answers for all, whatever their descriptors say. */
static void runs_are_one_entry(void **state)
{
    struct vm *vm = smmu_create(ADV);
    const uint64_t at = SMMU_S1 + 0x3000 + 16 * 8;

    (void)state;
    for (uint64_t i = 0; i < 16; i++)
        vm_poke(vm, at + 8 * i, (0x90000 + i * 0x1000) | S1_PAGE | UIM_BIT(52));
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x13123), 0x93123);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x1f123), 0x9f123);
    assert_int_equal(vm->n_fetch + vm->n_stale, 0);
    vm_poke(vm, at + 8 * 15, 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x1f123), 0x9f123);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB, SMMU_A,
                "addr=0x10000 pages=16");
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), 0x14000);
    assert_int_equal(smmu_go(vm, SMMU_A, R, 0x1f123), 0);
    vm_destroy(vm);
}

/* What was asked for is fetched again when memory changes: an invalidation that
 * comes before the change is no good. */
static void invalidation_before_the_change(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X);
    uim_check_memory_changed(vm->model, 0, 8);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    vm_destroy(vm);
}

/* Fetched early: what is not there yet is not cached, and no event says so. */
static void early_fetches_are_silent(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_HOLE), 0);
    assert_int_equal(smmu_event_id(vm), 0x10);
    uim_check_memory_changed(vm->model, 0, 8);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_poke(vm, LEAF_HOLE, PAGE_X | S1_PAGE);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_HOLE), PAGE_X);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* HTTU: software took the dirty state back, and would not see the next write. */
static void clean_again_without_invalidation(void **state)
{
    struct vm *vm = smmu_create(ADV ",httu=2");
    uint64_t clean = PAGE_X | S1_PAGE | UIM_BIT(51) | 1 << 7;

    (void)state;
    vm_poke(vm, SMMU_CD, vm_peek(vm, SMMU_CD) | UIM_BIT(42) | UIM_BIT(43));
    vm_poke(vm, LEAF_X, clean);
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    smmu_go(vm, SMMU_A, W, VM_X);
    assert_int_equal(vm_peek(vm, LEAF_X), clean & ~UIM_BIT(7));
    assert_int_equal(vm->n_stale, 0);
    vm_poke(vm, LEAF_X, clean);
    smmu_go(vm, SMMU_A, W, VM_X);
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm_peek(vm, LEAF_X), clean);
    smmu_submit(vm, TLBI(0x12, 0, SMMU_ASID), VM_X | 1);
    smmu_go(vm, SMMU_A, W, VM_X);
    assert_int_equal(vm_peek(vm, LEAF_X), clean & ~UIM_BIT(7));
    vm_destroy(vm);
}

/* Nobody listens: the log says it. */
static void without_a_door_the_log_says_it(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    uim_check_hooks(vm->model, NULL);
    smmu_go(vm, SMMU_A, R, VM_X);
    assert_int_equal(vm->n_log[UIE_LOG_ERROR], 1);
    assert_non_null(strstr(vm->last_log, "smmuv3: stale TLB entry"));
    vm_destroy(vm);
}

/* Other models use stale entries as well, but say nothing. */
static void only_adversarial_models_look(void **state)
{
    struct vm *vm = start("cache=normal");

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    vm_forget(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale + vm->n_log[UIE_LOG_ERROR], 0);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmapped_page_without_invalidation),
        cmocka_unit_test(unmapped_page_of_stage_2),
        cmocka_unit_test(combined_entry_after_s2_ipa),
        cmocka_unit_test(intermediate_entry_after_nh_all),
        cmocka_unit_test(probes_report_as_well),
        cmocka_unit_test(what_is_stale),
        cmocka_unit_test(split_block_without_invalidation),
        cmocka_unit_test(sizes_that_change_without_a_break),
        cmocka_unit_test(wrong_level_hint),
        cmocka_unit_test(freed_table_with_leaf_hint),
        cmocka_unit_test(tables_above_a_hole_are_cached),
        cmocka_unit_test(narrowed_table_with_leaf_hint),
        cmocka_unit_test(ste_without_invalidation),
        cmocka_unit_test(ste_made_valid_without_invalidation),
        cmocka_unit_test(cd_without_invalidation),
        cmocka_unit_test(level_1_descriptors_without_invalidation),
        cmocka_unit_test(asid_reused_without_invalidation),
        cmocka_unit_test(vmid_of_stage_1),
        cmocka_unit_test(neighbours_are_cached),
        cmocka_unit_test(runs_are_one_entry),
        cmocka_unit_test(invalidation_before_the_change),
        cmocka_unit_test(early_fetches_are_silent),
        cmocka_unit_test(clean_again_without_invalidation),
        cmocka_unit_test(without_a_door_the_log_says_it),
        cmocka_unit_test(only_adversarial_models_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
