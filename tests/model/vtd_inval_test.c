/* SPDX-License-Identifier: MIT */
/*
 * Invalidation in the VT-d model: each command against each cache, the queue's
 * errors, waits, device TLBs, and what the VMM is told.
 */
#include <string.h>

#include "tests/model/vm.h"

enum { S_BASE = 1 << 16, NONE = 0 };

/* ---- each command against each cached thing ------------------------------------ */

/* Something that may be cached, and the fetches that show that it is not. */
struct item {
    const char *name;
    uint32_t rid, pasid; /* pasid 0: without                               */
    uint64_t iova;
    uint64_t gpa, len;   /* fetched again if the item is gone              */
};

#define ENTRY(table, pasid) (table) + (pasid)*64, 64
#define LEAVES(tables)      (tables) + 0x3000, 0x1000
#define TOP(tables)         (tables), 0x1000

static const struct item scalable_items[] = {
    { "context A", VM_A, 0, VM_X, VM_CONTEXT + VM_A * 32, 32 },
    { "context B", VM_B, 0, VM_X, VM_CONTEXT + VM_B * 32, 32 },
    { "pasid A", VM_A, 0, VM_X, ENTRY(VM_PASID_TABLE, VM_RID_PASID) },
    { "pasid A/fs", VM_A, VM_PASID_FS, VM_X,
      ENTRY(VM_PASID_TABLE, VM_PASID_FS) },
    { "pasid B", VM_B, 0, VM_X, ENTRY(VM_PASID_TABLE_B, VM_RID_PASID) },
    { "tlb A x", VM_A, 0, VM_X, LEAVES(VM_SS) },
    { "tlb A/ss x", VM_A, VM_PASID_SS, VM_X, LEAVES(VM_SS) },
    { "tlb A y", VM_A, 0, VM_Y, LEAVES(VM_SS) },
    { "tlb B x", VM_B, 0, VM_X, LEAVES(VM_SS) },
    { "tlb A/fs x", VM_A, VM_PASID_FS, VM_X, LEAVES(VM_FS) },
    { "tlb A/fs y", VM_A, VM_PASID_FS, VM_Y, LEAVES(VM_FS) },
    { "tlb A/fs2 x", VM_A, VM_PASID_FS_2, VM_X, LEAVES(VM_FS_2) },
    { "walk A", VM_A, 0, VM_Z, TOP(VM_SS) },
    { "walk B", VM_B, 0, VM_Z, TOP(VM_SS) },
    { "walk A/fs", VM_A, VM_PASID_FS, VM_Z, TOP(VM_FS) },
    { "walk A/fs2", VM_A, VM_PASID_FS_2, VM_Z, TOP(VM_FS_2) },
    { "tlb A large", VM_A, 0, VM_LARGE, VM_SS + 0x2000, 0x1000 },
};

enum {
    CTX_A = 1 << 0,
    CTX_B = 1 << 1,
    PAS_A = 1 << 2,
    PAS_FS = 1 << 3,
    PAS_B = 1 << 4,
    TLB_AX = 1 << 5,
    TLB_SSX = 1 << 6,
    TLB_AY = 1 << 7,
    TLB_BX = 1 << 8,
    TLB_FSX = 1 << 9,
    TLB_FSY = 1 << 10,
    TLB_FS2X = 1 << 11,
    WALK_A = 1 << 12,
    WALK_B = 1 << 13,
    WALK_FS = 1 << 14,
    WALK_FS2 = 1 << 15,
    TLB_LARGE = 1 << 16,
    ALL_SS_A = TLB_AX | TLB_SSX | TLB_AY | WALK_A | TLB_LARGE,
    ALL_FS = TLB_FSX | TLB_FSY | TLB_FS2X | WALK_FS | WALK_FS2,
};

/* The order in which things are needed: with a cached upper level gone, the same
 * request shows what is below to be there. */
static const struct item legacy_items[] = {
    { "context A", VM_A, 0, VM_X, VM_CONTEXT + VM_A * 16, 16 },
    { "context B", VM_B, 0, VM_X, VM_CONTEXT + VM_B * 16, 16 },
    { "tlb A x", VM_A, 0, VM_X, LEAVES(VM_SS) },
    { "tlb A y", VM_A, 0, VM_Y, LEAVES(VM_SS) },
    { "tlb B x", VM_B, 0, VM_X, LEAVES(VM_SS) },
    { "walk A", VM_A, 0, VM_Z, TOP(VM_SS) },
    { "walk B", VM_B, 0, VM_Z, TOP(VM_SS) },
    { "tlb A large", VM_A, 0, VM_LARGE, VM_SS + 0x2000, 0x1000 },
};

enum {
    L_CTX_A = 1,
    L_CTX_B = 2,
    L_TLB_AX = 4,
    L_TLB_AY = 8,
    L_TLB_BX = 16,
    L_WALK_A = 32,
    L_WALK_B = 64,
    L_TLB_LARGE = 128,
    L_ALL_A = L_TLB_AX | L_TLB_AY | L_WALK_A | L_TLB_LARGE,
};

/* What the VMM has to be told. */
struct told {
    uint32_t what, rid, domain;
    uint64_t iova, len;
};

struct command {
    const char *name;
    uint64_t lo, hi;
    uint32_t gone;    /* bit per item */
    struct told told; /* the first notification */
};

#define SAYS_ALL                                                               \
    {                                                                          \
        UIE_INV_ALL, 0, 0, 0, 0                                                \
    }
#define SAYS_RID(r)                                                            \
    {                                                                          \
        UIE_INV_RID, (r), 0, 0, 0                                              \
    }
#define SAYS_DID(d)                                                            \
    {                                                                          \
        UIE_INV_DOMAIN, 0, (d), 0, 0                                           \
    }
#define SAYS_RANGE(d, iova, len)                                               \
    {                                                                          \
        UIE_INV_DOMAIN, 0, (d), (iova), (len)                                  \
    }

static void fill(struct vm *vm, const struct item *items, size_t n)
{
    struct uie_xlat x;

    for (size_t i = 0; i < n; i++) {
        uint32_t pasid = items[i].pasid ? items[i].pasid : UIE_NO_PASID;

        /* Z is what shows walk entries; nobody may have asked for it. */
        if (items[i].iova != VM_Z)
            assert_int_equal(
                vm_ask(vm, items[i].rid, pasid, UIE_R, 0, items[i].iova, &x),
                0);
    }
}

static bool is_gone(struct vm *vm, const struct item *item)
{
    struct uie_xlat x;

    vm->n_fetch = 0;
    assert_int_equal(vm_ask(vm, item->rid,
                            item->pasid ? item->pasid : UIE_NO_PASID, UIE_R, 0,
                            item->iova, &x),
                     0);
    return vm_fetched(vm, item->gpa, item->len) > 0;
}

/* Nothing that is not cached can be kept. */
static bool is_kept(struct vm *vm, const struct item *item)
{
    return is_gone(vm, item) == vm_cache("none");
}

static void check_told(const struct vm *vm, const struct told *t)
{
    const struct uie_inval *inv = &vm->inval[0];

    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(inv->what, t->what);
    if (t->what != UIE_INV_ALL)
        assert_int_equal(inv->pasid, UIE_ANY_PASID);
    if (t->what == UIE_INV_RID)
        assert_int_equal(inv->rid, t->rid);
    if (t->what == UIE_INV_DOMAIN)
        assert_int_equal(inv->domain, t->domain);
    assert_int_equal(inv->iova, t->iova);
    assert_int_equal(inv->len, t->len);
}

/* A fresh machine for each pair, since looking fills the caches again. */
static void check_pair(const char *args, const struct item *items, size_t n,
                       size_t which, const struct command *c)
{
    struct vm *vm = vm_create(args);

    vm_start(vm);
    fill(vm, items, n);
    vm_forget(vm);
    vm_submit(vm, c->lo, c->hi);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    check_told(vm, &c->told);
    if (c->gone & 1u << which ? !is_gone(vm, &items[which])
                              : !is_kept(vm, &items[which]))
        fail_msg("%s: %s is %s", c->name, items[which].name,
                 c->gone & 1u << which ? "kept" : "gone");
    vm_destroy(vm);
}

static void check_all(const char *args, const struct item *items, size_t n,
                      const struct command *commands, size_t n_commands)
{
    for (size_t c = 0; c < n_commands; c++) {
        for (size_t i = 0; i < n; i++)
            check_pair(args, items, n, i, &commands[c]);
    }
}

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void scalable_truth_table(void **state)
{
    const struct command commands[] = {
        { "cc global", vm_cc(1, 0, 0, 0), 0, CTX_A | CTX_B, SAYS_ALL },
        { "cc domain", vm_cc(2, 5, 0, 0), 0, CTX_A | CTX_B, SAYS_ALL },
        { "cc device A", vm_cc(3, 99, VM_A, 0), 0, CTX_A, SAYS_RID(VM_A) },
        { "cc device B", vm_cc(3, 0, VM_B, 0), 0, CTX_B, SAYS_RID(VM_B) },
        { "pc global", vm_pc(3, 0, 0), 0, PAS_A | PAS_FS | PAS_B, SAYS_ALL },
        { "pc domain", vm_pc(0, 5, 0), 0, PAS_A, SAYS_DID(5) },
        { "pc pasid", vm_pc(1, 6, VM_PASID_FS), 0, PAS_FS, SAYS_DID(6) },
        { "pc other pasid", vm_pc(1, 6, VM_PASID_FS_2), 0, NONE, SAYS_DID(6) },
        { "pc rid_pasid", vm_pc(1, 5, VM_RID_PASID), 0, PAS_A, SAYS_DID(5) },
        { "pc wrong domain", vm_pc(1, 6, VM_RID_PASID), 0, NONE, SAYS_DID(6) },
        { "iotlb global", vm_iotlb(1, 0), 0,
          ALL_SS_A | TLB_BX | WALK_B | ALL_FS, SAYS_ALL },
        { "iotlb domain", vm_iotlb(2, 5), 0, ALL_SS_A, SAYS_DID(5) },
        { "iotlb domain fs", vm_iotlb(2, 6), 0, ALL_FS, SAYS_DID(6) },
        { "iotlb page", vm_iotlb(3, 5), vm_page(VM_X, 0, 0),
          TLB_AX | TLB_SSX | WALK_A, SAYS_RANGE(5, VM_X, 0x1000) },
        { "iotlb page ih", vm_iotlb(3, 5), vm_page(VM_X, 0, 1),
          TLB_AX | TLB_SSX, SAYS_RANGE(5, VM_X, 0x1000) },
        { "iotlb 4 pages", vm_iotlb(3, 5), vm_page(VM_Y, 2, 1),
          TLB_AX | TLB_SSX | TLB_AY, SAYS_RANGE(5, 0x4000, 0x4000) },
        { "iotlb 2M", vm_iotlb(3, 5), vm_page(VM_LARGE + 0x5000, 9, 1),
          TLB_LARGE, SAYS_RANGE(5, VM_LARGE, 0x200000) },
        { "iotlb page in large", vm_iotlb(3, 5),
          vm_page(VM_LARGE + 0x7000, 0, 1), TLB_LARGE,
          SAYS_RANGE(5, VM_LARGE + 0x7000, 0x1000) },
        { "iotlb 1G", vm_iotlb(3, 5), vm_page(0, 18, 0), ALL_SS_A,
          SAYS_RANGE(5, 0, 1 << 30) },
        { "iotlb page fs", vm_iotlb(3, 6), vm_page(VM_X, 0, 1), ALL_FS,
          SAYS_DID(6) },
        { "p_iotlb pasid ss", vm_piotlb(2, 5, VM_RID_PASID), 0,
          TLB_AX | TLB_AY | TLB_LARGE, SAYS_DID(5) },
        { "p_iotlb pasid fs", vm_piotlb(2, 6, VM_PASID_FS), 0,
          TLB_FSX | TLB_FSY | WALK_FS, SAYS_DID(6) },
        { "p_iotlb page fs", vm_piotlb(3, 6, VM_PASID_FS), vm_page(VM_X, 0, 0),
          TLB_FSX | WALK_FS, SAYS_RANGE(6, VM_X, 0x1000) },
        { "p_iotlb page fs ih", vm_piotlb(3, 6, VM_PASID_FS),
          vm_page(VM_X, 0, 1), TLB_FSX, SAYS_RANGE(6, VM_X, 0x1000) },
        { "p_iotlb all pages fs", vm_piotlb(3, 6, VM_PASID_FS),
          vm_page(0, 63, 1), TLB_FSX | TLB_FSY, SAYS_DID(6) },
        { "p_iotlb page ss", vm_piotlb(3, 5, VM_RID_PASID), vm_page(VM_X, 0, 0),
          NONE, SAYS_RANGE(5, VM_X, 0x1000) },
        { "p_iotlb wrong domain", vm_piotlb(2, 5, VM_PASID_FS), 0, NONE,
          SAYS_DID(5) },
    };

    (void)state;
    check_all("scalable=1", scalable_items, COUNT(scalable_items), commands,
              COUNT(commands));
}

static void legacy_truth_table(void **state)
{
    const struct command commands[] = {
        { "cc global", vm_cc(1, 0, 0, 0), 0, L_CTX_A | L_CTX_B, SAYS_ALL },
        { "cc domain", vm_cc(2, 5, 0, 0), 0, L_CTX_A, SAYS_DID(5) },
        { "cc device", vm_cc(3, 5, VM_A, 0), 0, L_CTX_A, SAYS_RID(VM_A) },
        { "cc wrong domain", vm_cc(3, 9, VM_A, 0), 0, NONE, SAYS_RID(VM_A) },
        { "cc wrong device", vm_cc(3, 5, VM_A + 1, 0), 0, NONE,
          SAYS_RID(VM_A + 1) },
        { "iotlb global", vm_iotlb(1, 0), 0, L_ALL_A | L_TLB_BX | L_WALK_B,
          SAYS_ALL },
        { "iotlb domain A", vm_iotlb(2, 5), 0, L_ALL_A, SAYS_DID(5) },
        { "iotlb domain B", vm_iotlb(2, 9), 0, L_TLB_BX | L_WALK_B,
          SAYS_DID(9) },
        { "iotlb page", vm_iotlb(3, 5), vm_page(VM_X, 0, 0),
          L_TLB_AX | L_WALK_A, SAYS_RANGE(5, VM_X, 0x1000) },
        { "iotlb page ih", vm_iotlb(3, 5), vm_page(VM_X, 0, 1), L_TLB_AX,
          SAYS_RANGE(5, VM_X, 0x1000) },
        { "iotlb 64 pages", vm_iotlb(3, 5), vm_page(0x3000, 6, 1),
          L_TLB_AX | L_TLB_AY, SAYS_RANGE(5, 0, 0x40000) },
        { "iotlb elsewhere", vm_iotlb(3, 5), vm_page(VM_HOLE, 0, 1), NONE,
          SAYS_RANGE(5, VM_HOLE, 0x1000) },
    };

    (void)state;
    check_all("", legacy_items, COUNT(legacy_items), commands, COUNT(commands));
}

/* With a function mask the low bits of the source id do not count. */
static void function_mask(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    fill(vm, legacy_items, COUNT(legacy_items));
    vm_forget(vm);
    vm_submit(vm, vm_cc(3, VM_DID_A, VM_A | 5, 3), 0);
    assert_int_equal(vm->n_inval, 8);
    assert_int_equal(vm->inval[7].rid, VM_A | 7);
    assert_true(is_gone(vm, &legacy_items[0]));
    vm_forget(vm);
    vm_submit(vm, vm_cc(3, VM_DID_A, VM_A | 5, 1), 0);
    assert_int_equal(vm->n_inval, 2);
    assert_int_equal(vm->inval[0].rid, VM_A | 1);
    assert_int_equal(vm->inval[1].rid, VM_A | 5);
    assert_true(is_kept(vm, &legacy_items[0]));
    vm_destroy(vm);
}

/* The same by register, as long as there is no queue and TTM is legacy. */
static void register_invalidation(void **state)
{
    const uint32_t ccmd = VTD_REG_CCMD, iva = 0xf0, iotlb = 0xf8;
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_gcmd(vm, 26, false);
    fill(vm, legacy_items, COUNT(legacy_items));
    vm_wr(vm, ccmd, UINT64_C(3) << 61 | VM_A << 16 | VM_DID_A | UIM_BIT(63));
    assert_int_equal(vm_rd(vm, ccmd) >> 59, 0xf); /* done, by device */
    assert_true(vm->command[0].by_register);
    assert_true(is_gone(vm, &legacy_items[0]));
    assert_true(is_kept(vm, &legacy_items[1]));

    vm_wr(vm, iva, VM_X | 1 << 6);
    assert_int_equal(vm_rd(vm, iva), 0); /* write-only */
    vm_wr(vm, iotlb, UIM_BIT(63) | UINT64_C(3) << 60 | UINT64_C(5) << 32);
    assert_int_equal(vm_rd(vm, iotlb) >> 57, 0x1b);
    assert_true(vm->command[1].by_register && vm->command[1].leaf_only);
    assert_false(vm->command[1].drain_read || vm->command[1].drain_write);
    assert_true(is_gone(vm, &legacy_items[2]));
    assert_true(is_kept(vm, &legacy_items[3]));

    /* In halves: the high one starts it. */
    vm->ops->mmio_write(vm->m, 0, iotlb, 0, 4);
    vm->ops->mmio_write(vm->m, 0, iotlb + 4, 1u << 31 | 1u << 28, 4);
    assert_int_equal(vm_rd(vm, iotlb) >> 56, 0x12);
    assert_true(is_gone(vm, &legacy_items[3]));

    /* More pages than MAMV, a reserved granularity, a queue that is on. */
    vm_wr(vm, iva, 19);
    vm_wr(vm, iotlb, UIM_BIT(63) | UINT64_C(3) << 60);
    assert_int_equal(vm_rd(vm, iotlb) >> 56, 0x30);
    vm_wr(vm, ccmd, UIM_BIT(63));
    assert_int_equal(vm_rd(vm, ccmd), 0);
    vm_queue_on(vm);
    vm_wr(vm, ccmd, UIM_BIT(63) | UINT64_C(1) << 61);
    assert_int_equal(vm_rd(vm, ccmd) >> 59, 4);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    vm_destroy(vm);
}

static void no_register_invalidation_in_scalable_mode(void **state)
{
    struct vm *vm = vm_create("scalable=1");

    (void)state;
    vm_start(vm);
    vm_gcmd(vm, 26, false);
    vm_wr(vm, VTD_REG_CCMD, UIM_BIT(63) | UINT64_C(1) << 61);
    assert_int_equal(vm_rd(vm, VTD_REG_CCMD) >> 59, 4);
    vm_destroy(vm);
}

/* SRTP changes the root and no cache (ESRTPS is 0); TE 1->0 empties all caches
 * if SMTS. The VMM is told of both. */
static void root_and_translation_switches(void **state)
{
    static const char *const args[] = { "", "scalable=1" };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = vm_create(args[i]);
        const struct item *items = i ? scalable_items : legacy_items;

        vm_start(vm);
        fill(vm, items, 2);
        vm_forget(vm);
        vm_set_root(vm, vm_rd(vm, VTD_REG_RTADDR));
        assert_int_equal(vm->n_inval, 1);
        assert_int_equal(vm->inval[0].what, UIE_INV_ALL);
        assert_true(is_kept(vm, &items[0]));
        vm_gcmd(vm, 31, false);
        vm_gcmd(vm, 31, true);
        assert_int_equal(vm->n_inval, 3);
        assert_int_equal(is_gone(vm, &items[0]), i || vm_cache("none"));
        vm_destroy(vm);
    }
}

static void root_switch_empties_caches_with_esrtps(void **state)
{
    static const char *const args[] = { "esrtps=1", "esrtps=1,scalable=1" };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct vm *vm = vm_create(args[i]);
        const struct item *items = i ? scalable_items : legacy_items;

        vm_start(vm);
        fill(vm, items, 2);
        vm_set_root(vm, vm_rd(vm, VTD_REG_RTADDR));
        assert_true(is_gone(vm, &items[0]));
        assert_true(is_gone(vm, &items[1]));
        vm_set_root(vm, vm_rd(vm, VTD_REG_RTADDR) ^ 3 << 10);
        assert_int_equal(vm->n_log[UIE_LOG_WARN], 0); /* the mode may change */
        vm_destroy(vm);
    }
}

/* What a global command removed does not come back when the caches fill again,
 * nor what was there before TE went off or the unit was reset. */
static void nothing_comes_back(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct vm *vm = vm_create("scalable=1");

        vm_start(vm);
        fill(vm, scalable_items, COUNT(scalable_items));
        if (how == 0) {
            vm_submit(vm, vm_iotlb(1, 0), 0);
        } else if (how == 1) {
            vm_gcmd(vm, 31, false);
            vm_gcmd(vm, 31, true);
        } else {
            vm->ops->reset(vm->m);
            vm_start(vm);
        }
        assert_true(is_gone(vm, &scalable_items[15])); /* other tables: Z */
        assert_true(is_gone(vm, &scalable_items[12]));
        assert_true(is_gone(vm, &scalable_items[5]));
        assert_true(is_gone(vm, &scalable_items[16]));
        vm_destroy(vm);
    }
}

/* ---- the queue ------------------------------------------------------------------- */

struct error_row {
    const char *args;
    uint64_t rtaddr, iqa; /* 0: as usual */
    uint64_t word[4];
    uint64_t tail;
    unsigned iqei;
};

/* clang-format off */
static const struct error_row errors[] = {
    { "", 0, 0, { 0 }, 0x1000, 1 },
    { "", 0, VM_QUEUE | 1, { 5 }, 0x1ff0, 3 },
    { "", 0, VM_OUTSIDE, { 0 }, 16, 2 },
    { "", 0, 0, { 0 }, 16, 3 },
    { "", 0, 0, { 6 }, 16, 3 },
    { "", 0, 0, { 5 | 1 << 9 }, 16, 3 },
    { "dt=0", 0, 0, { 3 }, 16, 3 },
    { "scalable=1", 0, 0, { 9 }, 32, 3 },
    { "scalable=1", 0, 0, { 10 }, 32, 3 },
    { "scalable=1", VM_ROOT, 0, { 6 | 2 << 4 }, 32, 3 },
    { "", 0, 0, { 1 | 1 << 4 | 1 << 6 }, 16, 4 },
    { "", 0, 0, { 1 }, 16, 4 },
    { "", 0, 0, { 2 }, 16, 4 },
    { "", 0, 0, { 2 | 3 << 4, 19 }, 16, 4 },
    { "", 0, 0, { 2 | 1 << 4, 1 << 7 }, 16, 4 },
    { "", 0, 0, { 3 | 1 << 12 }, 16, 4 },
    { "", 0, 0, { 5 | 1 << 7 }, 16, 4 },
    { "", 0, 0, { 5, 1 }, 16, 4 },
    { "scalable=1", 0, 0, { 6 | 1 << 4 }, 32, 4 },
    { "scalable=1", 0, 0, { 7 | 2 << 4 }, 32, 4 },
    { "scalable=1", 0, 0, { 8, 1 << 1 }, 32, 4 },
    { "scalable=1", 0, 0, { 5, 0, 1, 0 }, 32, 4 },
    { "scalable=1", 0, VM_QUEUE, { 5 }, 16, 5 },
    { "", 0, VM_QUEUE | 1 << 11, { 5 }, 32, 5 },
    { "scalable=1", 0, 0, { 5 }, 16, 6 },
    { "", VM_ROOT | 2 << 10, 0, { 5 }, 16, 7 },
};
/* clang-format on */

static void check_error(const struct error_row *e)
{
    struct vm *vm = vm_create(e->args);
    uint64_t iqa;

    vm_start(vm);
    iqa = e->iqa ? e->iqa : vm_rd(vm, VTD_REG_IQA);
    if (e->rtaddr)
        vm_set_root(vm, e->rtaddr);
    vm_wr(vm, VTD_REG_IQA, iqa);
    for (unsigned i = 0; i < 4; i++)
        vm_poke(vm, VM_QUEUE + i * 8, e->word[i]);
    vm_wr(vm, VTD_REG_IQT, e->tail);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 1 << 4);
    assert_int_equal(vm_rd(vm, VTD_REG_IQERCD) & 15, e->iqei);
    if (e->iqei == 3 && e->tail > 32)
        assert_int_equal(vm_rd(vm, VTD_REG_IQH), 16); /* the first was good */
    else
        assert_int_equal(vm_rd(vm, VTD_REG_IQH), 0);
    vm_destroy(vm);
}

static void every_queue_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        print_message("row %zu: IQEI %u\n", i, errors[i].iqei);
        check_error(&errors[i]);
    }
}

/* Software overwrites the descriptor and clears IQE; then it goes on there. */
static void queue_goes_on_after_an_error(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_FECTL, 0);
    vm_post(vm, vm_iotlb(1, 0), 0);
    vm_post(vm, 0xf, 0);
    vm_submit(vm, vm_wait(2, false, false), VM_STATUS);
    assert_int_equal(vm->n_msi, 1); /* an error is a fault event */
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 16);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0);
    vm_poke(vm, VM_QUEUE + 16, vm_wait(1, false, false));
    vm_poke(vm, VM_QUEUE + 24, VM_STATUS + 8);
    vm_wr(vm, VTD_REG_IQT, vm->tail); /* not yet */
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 16);
    vm_wr(vm, VTD_REG_FSTS, 1 << 4);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 48);
    assert_int_equal(vm_peek(vm, VM_STATUS), 2);
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 1);
    vm_destroy(vm);
}

static void queue_wraps(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    for (uint32_t i = 1; i <= 600; i++) {
        vm_submit(vm, vm_wait(i, false, false), VM_STATUS);
        assert_int_equal(vm_peek(vm, VM_STATUS), i);
        assert_int_equal(vm_rd(vm, VTD_REG_IQH), (i * 16) & 0xfff);
    }
    vm_gcmd(vm, 26, false);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 0);
    vm_destroy(vm);
}

static void wait_writes_and_interrupts(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_IEADDR, 0xfee02000);
    vm_wr(vm, VTD_REG_IEDATA, 0x33);
    vm_submit(vm, vm_wait(7, false, true), VM_STATUS + 4);
    assert_int_equal(vm_peek(vm, VM_STATUS), UINT64_C(7) << 32);
    assert_int_equal(vm_rd(vm, VTD_REG_ICS), 1);
    assert_int_equal(vm_rd(vm, VTD_REG_IECTL), 0xc0000000);
    vm_wr(vm, VTD_REG_IECTL, 0);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, 0xfee02000);
    assert_int_equal(vm->msi[0].data, 0x33);
    vm_submit(vm, vm_wait(0, false, true), 0); /* IWC is still set */
    assert_int_equal(vm->n_msi, 1);
    vm_wr(vm, VTD_REG_ICS, 1);
    vm_submit(vm, vm_wait(0, false, true), 0);
    assert_int_equal(vm->n_msi, 2);

    /* Nowhere to write to: the guest's problem, and the queue goes on. */
    vm_submit(vm, vm_wait(1, false, false), VM_OUTSIDE);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), vm->tail);
    vm_destroy(vm);
}

/* ---- device TLBs ------------------------------------------------------------------ */

static uint64_t devtlb(unsigned sid)
{
    return vtd_qi_devtlb_lo_pack(&(struct vtd_qi_devtlb_lo_fields){
                                     .type = VTD_QI_DEVTLB, .sid = sid })
        .raw;
}

static uint64_t devtlb_size(uint64_t iova, bool s)
{
    return vtd_qi_devtlb_hi_pack(
               &(struct vtd_qi_devtlb_hi_fields){ .addr = iova >> 12, .s = s })
        .raw;
}

static void devtlb_ranges(void **state)
{
    static const struct {
        uint64_t addr;
        bool s;
        uint64_t iova, len;
    } rows[] = {
        { 0x5000, false, 0x5000, 0x1000 },
        { 0x5000, true, 0x4000, 0x4000 },
        { 0x4000, true, 0x4000, 0x2000 },
        { 0x1ff000, true, 0, 0x400000 },
        { UINT64_C(0x7ffffffffffff000), true, 0, 0 },
        { UINT64_C(0xfffffffffffff000), true, 0, 0 },
        { UINT64_C(0x3ffffffffffff000), true, 0, UINT64_C(1) << 63 },
        { UINT64_C(0xfffff00000000000), false, UINT64_C(0xfffff00000000000),
          0x1000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm *vm = vm_create("");

        vm_start(vm);
        vm_submit(vm, devtlb(VM_A), devtlb_size(rows[i].addr, rows[i].s));
        assert_int_equal(vm->n_inval, 1);
        assert_int_equal(vm->inval[0].what, UIE_INV_DEVTLB);
        assert_int_equal(vm->inval[0].rid, VM_A);
        assert_int_equal(vm->inval[0].pasid, UIE_ANY_PASID);
        assert_int_equal(vm->inval[0].iova, rows[i].iova);
        assert_int_equal(vm->inval[0].len, rows[i].len);
        vm_destroy(vm);
    }
}

static void pasid_devtlb(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    struct vtd_qi_pdevtlb_lo lo =
        vtd_qi_pdevtlb_lo_pack(&(struct vtd_qi_pdevtlb_lo_fields){
            .type = VTD_QI_PDEVTLB, .sid = VM_A, .pasid = 0xabcde });

    (void)state;
    vm_start(vm);
    vm_submit(vm, lo.raw, 0x5000 | 1 << 11);
    assert_int_equal(vm->inval[0].pasid, 0xabcde);
    assert_int_equal(vm->inval[0].iova, 0x4000);
    assert_int_equal(vm->inval[0].len, 0x4000);
    vm_submit(vm, lo.raw, 0x5000 | 1);
    assert_int_equal(vm->inval[1].pasid, UIE_ANY_PASID);
    assert_int_not_equal(vm->inval[0].tag, vm->inval[1].tag);
    vm_destroy(vm);
}

static void waits_stand_behind_device_tlbs(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_post(vm, vm_wait(1, false, false), VM_STATUS);
    vm_post(vm, devtlb(VM_A), devtlb_size(0, false));
    vm_post(vm, vm_wait(2, false, false), VM_STATUS + 8);
    vm_post(vm, devtlb(VM_B), devtlb_size(0, false));
    vm_submit(vm, vm_wait(3, false, false), VM_STATUS + 16);
    /* Without FN everything is fetched. */
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), vm->tail);
    assert_int_equal(vm->n_inval, 2);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 0);
    vm->ops->devtlb_done(vm->m, vm->inval[1].tag, 0);
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 0);
    assert_int_equal(vm_peek(vm, VM_STATUS + 16), 0);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag + 1000, 0); /* nobody's */
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 0);
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 2);
    assert_int_equal(vm_peek(vm, VM_STATUS + 16), 3);
    vm_destroy(vm);
}

/* A queue that is switched off forgets what it waited for. */
static void no_wait_outlives_its_queue(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_post(vm, devtlb(VM_A), devtlb_size(0, false));
    vm_submit(vm, vm_wait(2, false, false), VM_STATUS);
    vm_gcmd(vm, 26, false);
    vm_queue_on(vm);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 0);
    vm_submit(vm, vm_iotlb(1, 0), 0);
    vm_submit(vm, vm_wait(3, false, false), VM_STATUS + 8);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0);
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 3);
    vm_destroy(vm);
}

static void fence_holds_later_descriptors(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_post(vm, devtlb(VM_A), devtlb_size(0, false));
    vm_post(vm, vm_wait(2, true, false), VM_STATUS);
    vm_submit(vm, vm_iotlb(1, 0), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 32);
    assert_int_equal(vm_counter(vm, "iotlb_invalidations"), 0);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 0);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 48);
    assert_int_equal(vm_peek(vm, VM_STATUS), 2);
    assert_int_equal(vm_counter(vm, "iotlb_invalidations"), 1);
    vm_destroy(vm);
}

/* A device that does not answer: pending waits are aborted, nothing is fetched
 * until ITE is cleared, and then everything goes on. */
static void device_tlb_timeout(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_FECTL, 0);
    vm_post(vm, devtlb(VM_B), devtlb_size(0, false));
    vm_submit(vm, vm_wait(2, false, false), VM_STATUS);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 1);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 1 << 6);
    assert_int_equal(vm_rd(vm, VTD_REG_IQERCD), (uint64_t)VM_B << 32);
    assert_int_equal(vm->n_msi, 1);
    vm_submit(vm, vm_wait(3, false, false), VM_STATUS + 8);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 32);
    vm_wr(vm, VTD_REG_FSTS, 1 << 6);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 48);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0); /* aborted */
    assert_int_equal(vm_peek(vm, VM_STATUS + 8), 3);
    vm_destroy(vm);
}

/* More device-TLB requests than the unit can have open: the rest waits. */
static void many_device_tlbs(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    for (unsigned i = 0; i < 100; i++)
        vm_post(vm, devtlb(VM_A), devtlb_size(0, false));
    vm_submit(vm, vm_wait(2, false, false), VM_STATUS);
    assert_int_equal(vm->n_inval, 64);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(vm_peek(vm, VM_STATUS), 0);
        assert_true(i < vm->n_inval);
        vm->ops->devtlb_done(vm->m, vm->inval[i % VM_MANY].tag, 0);
    }
    assert_int_equal(vm_peek(vm, VM_STATUS), 2);
    vm_destroy(vm);
}

/* ---- the door ---------------------------------------------------------------------- */

static void held_commands_go_one_by_one(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    uim_check_hold(vm->model, true);
    vm_post(vm, vm_iotlb(1, 0), 0);
    vm_post(vm, vm_cc(1, 0, 0, 0), 0);
    vm_submit(vm, vm_wait(9, false, false), VM_STATUS);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 0);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 16);
    assert_int_equal(vm->n_command, 1);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0);
    assert_int_equal(uim_check_run(vm->model, 5), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 9);
    vm_submit(vm, vm_wait(10, false, false), VM_STATUS);
    uim_check_hold(vm->model, false);
    assert_int_equal(vm_peek(vm, VM_STATUS), 10);
    vm_destroy(vm);
}

static void held_register_commands_stay_busy(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_set_root(vm, VM_ROOT);
    uim_check_hold(vm->model, true);
    vm_wr(vm, VTD_REG_CCMD, UIM_BIT(63) | UINT64_C(1) << 61);
    assert_int_equal(vm_rd(vm, VTD_REG_CCMD) >> 63, 1);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_rd(vm, VTD_REG_CCMD) >> 59, 5);
    vm_destroy(vm);
}

static void silent_unit_changes_nothing(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    uim_check_silent(vm->model, true);
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    vm_gcmd(vm, 31, false);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS) >> 31, 1);
    uim_check_silent(vm->model, false);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1);
    assert_int_equal(vm_rd(vm, VTD_REG_GSTS) >> 31, 0);
    vm_destroy(vm);
}

static void door_sees_every_command(void **state)
{
    struct vm *vm = vm_create("scalable=1");
    const struct uim_check_inval *c = vm->command;

    (void)state;
    vm_start(vm);
    vm_post(vm, vm_cc(3, 0, VM_A, 0), 0);
    vm_post(vm, vm_pc(1, 6, 8), 0);
    vm_post(vm, vm_piotlb(3, 6, 8), vm_page(VM_X, 3, 1));
    vm_post(vm, vm_iotlb(2, 5), 0);
    vm_post(vm, devtlb(VM_B), 0);
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    assert_int_equal(vm->n_command, 6);
    assert_int_equal(c[0].kind, UIM_CHECK_DEVICE);
    assert_int_equal(c[0].scope, UIM_CHECK_ONE);
    assert_int_equal(c[0].rid, VM_A);
    assert_int_equal(c[1].kind, UIM_CHECK_PASID);
    assert_int_equal(c[1].did, 6);
    assert_int_equal(c[1].pasid, 8);
    assert_int_equal(c[2].kind, UIM_CHECK_PASID_IOTLB);
    assert_int_equal(c[2].scope, UIM_CHECK_PAGE);
    assert_int_equal(c[2].addr, VM_X);
    assert_int_equal(c[2].am, 3);
    assert_true(c[2].leaf_only);
    assert_int_equal(c[3].kind, UIM_CHECK_IOTLB);
    assert_int_equal(c[3].scope, UIM_CHECK_DOMAIN);
    assert_true(c[3].drain_read && c[3].drain_write);
    assert_int_equal(c[4].kind, UIM_CHECK_DEVTLB);
    assert_int_equal(c[4].rid, VM_B);
    assert_int_equal(c[4].did, UIM_CHECK_NONE);
    assert_int_equal(c[5].kind, UIM_CHECK_WAIT);
    for (unsigned i = 0; i < 6; i++)
        assert_false(c[i].by_register || c[i].dropped);
    vm_destroy(vm);
}

static void lost_commands_have_no_effect(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    fill(vm, legacy_items, COUNT(legacy_items));
    vm_forget(vm);
    uim_check_drop(vm->model, 1u << UIM_CHECK_IOTLB, 1);
    vm_post(vm, vm_iotlb(1, 0), 0);
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1); /* completes all the same */
    assert_true(vm->command[0].dropped);
    assert_int_equal(vm->n_inval, 0);
    assert_true(is_kept(vm, &legacy_items[2]));
    vm_submit(vm, vm_iotlb(1, 0), 0); /* only one was to be lost */
    assert_true(is_gone(vm, &legacy_items[2]));
    uim_check_drop(vm->model, 1u << UIM_CHECK_IOTLB, UIM_CHECK_EVERY);
    vm_submit(vm, vm_wait(5, false, false), VM_STATUS); /* another kind */
    assert_int_equal(vm_peek(vm, VM_STATUS), 5);
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    uim_check_drop(vm->model, 1u << UIM_CHECK_WAIT, UIM_CHECK_EVERY);
    vm_submit(vm, vm_wait(2, false, false), VM_STATUS);
    vm_submit(vm, vm_wait(3, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1);
    uim_check_drop(vm->model, 0, 0);
    vm_submit(vm, vm_wait(4, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 4);
    vm_destroy(vm);
}

static void injected_errors(void **state)
{
    struct vm *vm = vm_create("");
    struct uim_check_inject e = { UIM_CHECK_ERROR_COMPLETION, 0, 0x123 };

    (void)state;
    vm_start(vm);
    uim_check_inject(vm->model, &e);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 1 << 5);
    assert_int_equal(vm_rd(vm, VTD_REG_IQERCD), UINT64_C(0x123) << 48);
    vm_submit(vm, vm_wait(1, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 1); /* ICE stops nothing */
    e.error = UIM_CHECK_ERROR_TIMEOUT;
    uim_check_inject(vm->model, &e);
    e.error = UIM_CHECK_ERROR_QUEUE;
    e.code = 3;
    uim_check_inject(vm->model, &e);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 7 << 4);
    assert_int_equal(vm_rd(vm, VTD_REG_IQERCD),
                     UINT64_C(0x123) << 48 | UINT64_C(0x123) << 32 | 3);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalable_truth_table),
        cmocka_unit_test(legacy_truth_table),
        cmocka_unit_test(function_mask),
        cmocka_unit_test(register_invalidation),
        cmocka_unit_test(no_register_invalidation_in_scalable_mode),
        cmocka_unit_test(root_and_translation_switches),
        cmocka_unit_test(root_switch_empties_caches_with_esrtps),
        cmocka_unit_test(nothing_comes_back),
        cmocka_unit_test(every_queue_error),
        cmocka_unit_test(queue_goes_on_after_an_error),
        cmocka_unit_test(queue_wraps),
        cmocka_unit_test(wait_writes_and_interrupts),
        cmocka_unit_test(devtlb_ranges),
        cmocka_unit_test(pasid_devtlb),
        cmocka_unit_test(waits_stand_behind_device_tlbs),
        cmocka_unit_test(no_wait_outlives_its_queue),
        cmocka_unit_test(fence_holds_later_descriptors),
        cmocka_unit_test(device_tlb_timeout),
        cmocka_unit_test(many_device_tlbs),
        cmocka_unit_test(held_commands_go_one_by_one),
        cmocka_unit_test(held_register_commands_stay_busy),
        cmocka_unit_test(silent_unit_changes_nothing),
        cmocka_unit_test(door_sees_every_command),
        cmocka_unit_test(lost_commands_have_no_effect),
        cmocka_unit_test(injected_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
