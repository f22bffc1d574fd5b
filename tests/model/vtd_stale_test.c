/* SPDX-License-Identifier: MIT */
/*
 * The adversarial VT-d model: it keeps whatever the manual allows, and says which
 * command was forgotten when it uses something that is no longer so. These are
 * the checks that the tests of the driver lean on, so each is shown to fire, and
 * not to fire when software did its part.
 */
#include <string.h>

#include "tests/model/vm.h"

enum {
    A = VM_CONTEXT + VM_A * 16,
    LEAF_X = VM_SS + 0x3000 + (VM_X >> 12) * 8,
    LEAF_Y = VM_SS + 0x3000 + (VM_Y >> 12) * 8,
    LEAF_HOLE = VM_SS + 0x3000 + (VM_HOLE >> 12) * 8,
    FS_LEAF_X = VM_FS + 0x3000 + (VM_X >> 12) * 8,
    E_SS = VM_PASID_TABLE + VM_PASID_SS * 64,
    E_FS = VM_PASID_TABLE + VM_PASID_FS * 64,
    PAGE_X = VM_PAGES + VM_X,
    OTHER = 0x200000 - 0x10000, /* another page */
};

#define ADV "cache=adversarial"

static struct vm *start(const char *args)
{
    struct vm *vm = vm_create(args);

    vm_start(vm);
    return vm;
}

/* One report, as expected, since vm_forget(). */
static void check_stale(const struct vm *vm, enum uim_check_cache cache,
                        enum uim_check_kind kind, const char *text)
{
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm->stale[0].cache, cache);
    assert_int_equal(vm->stale[0].missing.kind, kind);
    assert_int_equal(vm->stale[0].rid, VM_A);
    if (!strstr(vm->stale_text, text))
        fail_msg("\"%s\" lacks \"%s\"", vm->stale_text, text);
}

static void unmapped_page_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    assert_int_equal(vm_go(vm, UIE_W, VM_X + 0x123), PAGE_X + 0x123);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(vm_go(vm, UIE_W, VM_X + 0x123), PAGE_X + 0x123);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB,
                "missing: iotlb_inv page did=5 addr=0x5000 am=0");
    assert_int_equal(vm->stale[0].used, PAGE_X | 3);
    assert_int_equal(vm->stale[0].now, 0);
    assert_int_equal(vm->stale[0].iova, VM_X + 0x123);
    assert_int_equal(vm->stale[0].did, VM_DID_A);
    assert_int_equal(vm_counter(vm, "stale_uses"), 1);

    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_X, 0, 1));
    assert_int_equal(vm_go(vm, UIE_W, VM_X), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* A probe is a use too: it is what tests ask with. */
static void probes_report_as_well(void **state)
{
    struct vm *vm = start(ADV);
    struct uie_xlat x;

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(
        vm_ask(vm, VM_A, UIE_NO_PASID, UIE_R, UIE_REQ_PROBE, VM_X, &x), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

struct change {
    uint64_t from, to; /* of the leaf of X */
    bool stale;
};

/* What counts as another answer: the page, its rights, its size, snooping. Bits
 * that hardware ignores do not. */
static void what_is_stale(void **state)
{
    static const struct change rows[] = {
        { PAGE_X | 3, OTHER | 3, true },
        { PAGE_X | 3, PAGE_X | 1, true },
        { PAGE_X | 1, PAGE_X | 3, true },
        { PAGE_X | 3, PAGE_X | 3 | UIM_BIT(11), true },
        { PAGE_X | 3, PAGE_X | 3 | UIM_BIT(62), true },
        { PAGE_X | 3, PAGE_X | 3 | UIM_BIT(52), false },
        { PAGE_X | 3, PAGE_X | 3 | UIM_BIT(8) | UIM_BIT(9), false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = start(ADV);

        vm_poke(vm, LEAF_X, rows[i].from);
        vm_go(vm, UIE_R, VM_X);
        vm_poke(vm, LEAF_X, rows[i].to);
        vm_go(vm, UIE_R, VM_X);
        assert_int_equal(vm->n_stale, rows[i].stale);
        vm_destroy(vm);
    }
}

/* A block replaced by a table that maps the same: larger than memory says. */
static void split_block_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_LARGE + 0x3000);
    for (uint64_t i = 0; i < 512; i++)
        vm_poke(vm, 0x40000 + i * 8, (VM_LARGE + i * 0x1000) | 3);
    vm_poke(vm, VM_SS + 0x2000 + 8, 0x40000 | 3);
    vm_go(vm, UIE_R, VM_LARGE + 0x3000);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB,
                "addr=0x200000 am=9");
    vm_destroy(vm);
}

/* The page is unmapped and its table freed, but the hint said: leaves only. */
static void freed_table_with_leaf_hint(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, VM_SS + 0x2000, 0);
    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(0, 9, 1));
    vm_go(vm, UIE_R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_IOTLB, "am=9 ih=0");
    assert_int_equal(vm->stale[0].level, 1);
    assert_int_equal(vm->stale[0].used, (VM_SS + 0x3000) | 3);
    assert_int_equal(vm->stale[0].now, 0);

    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(0, 9, 0));
    vm_forget(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Tables are cached on the way to a page that is not there. */
static void tables_above_a_hole_are_cached(void **state)
{
    struct vm *vm = vm_create("scalable=1," ADV);

    (void)state;
    for (uint64_t i = 0; i < 3; i++) /* A is set */
        vm_poke(vm, VM_FS + i * 0x1000,
                vm_peek(vm, VM_FS + i * 0x1000) | 1 << 5);
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_HOLE), 0);
    vm_poke(vm, VM_FS + 0x1000, 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_PASID_IOTLB, "ih=0");
    vm_destroy(vm);
}

/* A table loses a right: its leaves are gone from the IOTLB, it is not. */
static void narrowed_table_with_leaf_hint(void **state)
{
    static const uint64_t rights[] = { 1, 2 };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = start(ADV);

        vm_go(vm, UIE_R, VM_X);
        vm_poke(vm, VM_SS + 0x1000, (VM_SS + 0x2000) | rights[i]);
        vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_X, 0, 1));
        assert_int_not_equal(vm_go(vm, UIE_R, VM_X), 0);
        check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_IOTLB, "ih=0");
        vm_destroy(vm);
    }
}

/* The same for the user right of the first stage. */
static void table_for_supervisors_with_leaf_hint(void **state)
{
    struct vm *vm = start("scalable=1," ADV);
    uint64_t entry;

    (void)state;
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    entry = vm_peek(vm, VM_FS + 0x1000);
    vm_poke(vm, VM_FS + 0x1000, entry & ~UINT64_C(4));
    vm_submit(vm, vm_piotlb(3, VM_DID_FS, VM_PASID_FS), vm_page(VM_X, 0, 1));
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_WALK, UIM_CHECK_PASID_IOTLB, "ih=0");
    vm_destroy(vm);
}

static void context_entry_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, A, 0);
    assert_int_not_equal(vm_go(vm, UIE_R, VM_X), 0);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE,
                "missing: cc_inv device sid=0018 did=5");
    vm_submit(vm, vm_cc(3, VM_DID_A, VM_A, 0), 0);
    vm_forget(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* The entry points to other tables now, and keeps its domain id: the IOTLB
 * cannot tell. */
static void domain_id_reused_without_invalidation(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, A, 0x40000 | 1);
    vm_submit(vm, vm_cc(3, VM_DID_A, VM_A, 0), 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), PAGE_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB, "did=5");
    vm_submit(vm, vm_iotlb(2, VM_DID_A), 0);
    vm_forget(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

static void pasid_entry_without_invalidation(void **state)
{
    struct vm *vm = start("scalable=1," ADV);

    (void)state;
    vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X);
    vm_poke(vm, E_SS, 0);
    vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_PASID, UIM_CHECK_PASID,
                "used by 0018 pasid 5");
    assert_non_null(strstr(vm->stale_text, "pc_inv pasid did=5 pasid=5"));
    vm_submit(vm, vm_pc(1, VM_DID_A, VM_PASID_SS), 0);
    vm_forget(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

static void first_stage_without_invalidation(void **state)
{
    struct vm *vm = start("scalable=1," ADV);

    (void)state;
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    vm_poke(vm, FS_LEAF_X, 0);
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB,
                "p_iotlb_inv page did=6 pasid=6 addr=0x5000");
    vm_submit(vm, vm_piotlb(3, VM_DID_FS, VM_PASID_FS), vm_page(VM_X, 0, 1));
    vm_forget(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Software that clears D and does not invalidate will miss writes. */
static void dirty_bit_cleared_without_invalidation(void **state)
{
    struct vm *vm = start("scalable=1," ADV);
    uint64_t leaf;

    (void)state;
    vm_go_pasid(vm, VM_PASID_FS, UIE_W, VM_X);
    leaf = vm_peek(vm, FS_LEAF_X);
    vm_poke(vm, FS_LEAF_X, leaf & ~UIM_BIT(6));
    vm_go_pasid(vm, VM_PASID_FS, UIE_W, VM_X);
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), leaf & ~UIM_BIT(6));
    vm_submit(vm, vm_piotlb(3, VM_DID_FS, VM_PASID_FS), vm_page(VM_X, 0, 1));
    vm_go_pasid(vm, VM_PASID_FS, UIE_W, VM_X);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), leaf);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* A pass-through PASID becomes a first-stage one under the same domain id, as
 * Linux numbers them. */
static void pass_through_without_invalidation(void **state)
{
    struct vm *vm = start("scalable=1," ADV);
    const uint64_t at = VM_PASID_TABLE + VM_PASID_PT * 64;

    (void)state;
    assert_int_equal(vm_go_pasid(vm, VM_PASID_PT, UIE_R, VM_X), VM_X);
    vm_poke(vm, at, 0);
    vm_poke(vm, at + 8, VM_DID_PT | 1 << 23);
    vm_poke(vm, at + 16, VM_FS);
    vm_poke(vm, at, 1 | 1 << 6);
    vm_submit(vm, vm_pc(1, VM_DID_PT, VM_PASID_PT), 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_PT, UIE_R, VM_X), VM_X);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_PASID_IOTLB,
                "p_iotlb_inv pasid did=7 pasid=7");
    vm_submit(vm, vm_piotlb(2, VM_DID_PT, VM_PASID_PT), 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_PT, UIE_R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* ---- what was not there ------------------------------------------------------- */

static void mapping_needs_nothing_without_caching_mode(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    assert_int_equal(vm_go(vm, UIE_R, VM_HOLE), 0);
    vm_poke(vm, LEAF_HOLE, OTHER | 3);
    assert_int_equal(vm_go(vm, UIE_R, VM_HOLE), OTHER);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

static void mapping_needs_invalidation_in_caching_mode(void **state)
{
    struct vm *vm = start(ADV ",cm=1");

    (void)state;
    assert_int_equal(vm_go(vm, UIE_R, VM_HOLE), 0);
    vm_poke(vm, LEAF_HOLE, OTHER | 3);
    assert_int_equal(vm_go(vm, UIE_R, VM_HOLE), 0);
    check_stale(vm, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB, "addr=0x8000");
    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_HOLE, 0, 1));
    assert_int_equal(vm_go(vm, UIE_R, VM_HOLE), OTHER);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* An entry that was not present is tagged with domain id 0. */
static void absent_context_in_caching_mode(void **state)
{
    struct vm *vm = vm_create(ADV ",cm=1");
    uint64_t entry = vm_peek(vm, A);

    (void)state;
    vm_poke(vm, A, 0);
    vm_start(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    vm_poke(vm, A, entry);
    vm_submit(vm, vm_cc(3, VM_DID_A, VM_A, 0), 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE,
                "cc_inv device sid=0018 did=0");
    vm_submit(vm, vm_cc(3, 0, VM_A, 0), 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), PAGE_X);
    vm_destroy(vm);
}

static void absent_pasid_in_caching_mode(void **state)
{
    struct vm *vm = vm_create(ADV ",cm=1,scalable=1");
    uint64_t entry = vm_peek(vm, E_SS);

    (void)state;
    vm_poke(vm, E_SS, 0);
    vm_start(vm);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X), 0);
    vm_poke(vm, E_SS, entry);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X), 0);
    check_stale(vm, UIM_CHECK_CACHE_PASID, UIM_CHECK_PASID,
                "pc_inv pasid did=0 pasid=5");
    vm_submit(vm, vm_pc(1, 0, VM_PASID_SS), 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_SS, UIE_R, VM_X), PAGE_X);
    vm_destroy(vm);
}

/* Wrong entries may be cached, unreadable ones are not entries. */
static void wrong_and_unreadable_entries_in_caching_mode(void **state)
{
    struct vm *vm = vm_create(ADV ",cm=1");
    uint64_t entry = vm_peek(vm, A);

    (void)state;
    vm_poke(vm, VM_ROOT, VM_OUTSIDE | 1);
    vm_start(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    vm_poke(vm, VM_ROOT, VM_CONTEXT | 1);
    vm_poke(vm, A, entry | 1 << 4);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_poke(vm, A, entry);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 1);

    vm_submit(vm, vm_cc(3, 0, VM_A, 0), 0);
    vm_poke(vm, LEAF_X, PAGE_X | 3 | UIM_BIT(62));
    vm_forget(vm);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_poke(vm, LEAF_X, 0); /* still refused, but for another reason */
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* First-stage entries that are not present are never cached (6.1). */
static void absent_first_stage_in_caching_mode(void **state)
{
    struct vm *vm = start(ADV ",cm=1,scalable=1");
    uint64_t leaf = vm_peek(vm, FS_LEAF_X);

    (void)state;
    vm_poke(vm, FS_LEAF_X, 0);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X), 0);
    vm_poke(vm, FS_LEAF_X, leaf);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* ---- early ------------------------------------------------------------------------ */

/* Other entries of a line that was fetched are cached with it. */
static void neighbours_are_cached_too(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_Y, OTHER | 3);
    assert_int_equal(vm_go(vm, UIE_R, VM_Y), VM_PAGES + VM_Y);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* First-stage entries only if their A bit is set: nobody asked for them. */
static void first_stage_neighbours_need_their_a_bit(void **state)
{
    struct vm *vm = start("scalable=1," ADV);
    const uint64_t y = FS_LEAF_X + 8;

    (void)state;
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    vm_poke(vm, y, OTHER | 7);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_Y), OTHER);
    vm_submit(vm, vm_piotlb(2, VM_DID_FS, VM_PASID_FS), 0);
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    vm_poke(vm, y, (VM_PAGES + VM_Y) | 7);
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_Y), OTHER);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

/* Whatever is in memory for a moment may be fetched in that moment: an entry
 * that is made present before it is complete stays as it was then. */
static void entries_are_fetched_as_soon_as_they_are_there(void **state)
{
    struct vm *vm = start(ADV);
    uint64_t entry = vm_peek(vm, A), high = vm_peek(vm, A + 8);

    (void)state;
    vm_poke(vm, A, 0);
    vm_submit(vm, vm_cc(1, 0, 0, 0), 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    vm_poke(vm, A + 8, 99 << 8 | 2);
    vm_poke(vm, A, entry); /* too early: the domain id is wrong */
    uim_check_memory_changed(vm->model, A, 8);
    vm_poke(vm, A + 8, high);
    uim_check_memory_changed(vm->model, A + 8, 8);
    vm_forget(vm);
    vm_go(vm, UIE_R, VM_X);
    check_stale(vm, UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE, "did=99");
    vm_destroy(vm);
}

/* Fetching early records no fault, sets no bit and answers nobody. */
static void early_fetches_leave_no_trace(void **state)
{
    struct vm *vm = start("scalable=1," ADV);
    uint64_t leaf = vm_peek(vm, FS_LEAF_X);

    (void)state;
    vm_poke(vm, FS_LEAF_X, 0);
    vm_go_pasid(vm, VM_PASID_FS, UIE_R, VM_X);
    vm_clear_fault(vm, 0);
    vm_poke(vm, FS_LEAF_X, leaf);
    uim_check_memory_changed(vm->model, FS_LEAF_X, 8);
    assert_int_equal(vm_peek(vm, FS_LEAF_X), leaf);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(vm_counter(vm, "faults"), 1);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* ---- the door ---------------------------------------------------------------------- */

/* The proof that a driver's tests can fail. */
static void lost_invalidation_is_caught(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    uim_check_drop(vm->model, 1u << UIM_CHECK_IOTLB, 1);
    vm_poke(vm, LEAF_X, 0);
    vm_post(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_X, 0, 1));
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1);
    assert_int_not_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

static void caches_set_aside_and_dropped(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    uim_check_caches_keep(vm->model, false);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    uim_check_caches_keep(vm->model, true);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale, 1);
    uim_check_caches_drop(vm->model);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    assert_int_equal(vm->n_stale, 1);
    vm_destroy(vm);
}

static void without_hooks_the_log_says_it(void **state)
{
    struct vm *vm = start(ADV);

    (void)state;
    uim_check_hooks(vm->model, NULL);
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    vm_go(vm, UIE_R, VM_X);
    assert_int_equal(vm->n_log[UIE_LOG_ERROR], 1);
    assert_non_null(strstr(vm->last_log, "stale IOTLB entry used by 0018"));
    vm_destroy(vm);
}

static void other_units_do_not_look(void **state)
{
    struct vm *vm = start("cache=normal");

    (void)state;
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), PAGE_X);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);

    vm = start("cache=none");
    vm_go(vm, UIE_R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    assert_int_equal(vm_go(vm, UIE_R, VM_X), 0);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmapped_page_without_invalidation),
        cmocka_unit_test(probes_report_as_well),
        cmocka_unit_test(what_is_stale),
        cmocka_unit_test(split_block_without_invalidation),
        cmocka_unit_test(freed_table_with_leaf_hint),
        cmocka_unit_test(tables_above_a_hole_are_cached),
        cmocka_unit_test(narrowed_table_with_leaf_hint),
        cmocka_unit_test(table_for_supervisors_with_leaf_hint),
        cmocka_unit_test(context_entry_without_invalidation),
        cmocka_unit_test(domain_id_reused_without_invalidation),
        cmocka_unit_test(pasid_entry_without_invalidation),
        cmocka_unit_test(first_stage_without_invalidation),
        cmocka_unit_test(dirty_bit_cleared_without_invalidation),
        cmocka_unit_test(pass_through_without_invalidation),
        cmocka_unit_test(mapping_needs_nothing_without_caching_mode),
        cmocka_unit_test(mapping_needs_invalidation_in_caching_mode),
        cmocka_unit_test(absent_context_in_caching_mode),
        cmocka_unit_test(absent_pasid_in_caching_mode),
        cmocka_unit_test(wrong_and_unreadable_entries_in_caching_mode),
        cmocka_unit_test(absent_first_stage_in_caching_mode),
        cmocka_unit_test(neighbours_are_cached_too),
        cmocka_unit_test(first_stage_neighbours_need_their_a_bit),
        cmocka_unit_test(entries_are_fetched_as_soon_as_they_are_there),
        cmocka_unit_test(early_fetches_leave_no_trace),
        cmocka_unit_test(lost_invalidation_is_caught),
        cmocka_unit_test(caches_set_aside_and_dropped),
        cmocka_unit_test(without_hooks_the_log_says_it),
        cmocka_unit_test(other_units_do_not_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
