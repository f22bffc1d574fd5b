/* SPDX-License-Identifier: MIT */
/*
 * Entries of the Arm formats, spelt out by hand (DDI0487, D8.3), and what the
 * descriptors of src/walk make of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include <uiommu/types.h>

#include "base/bits.h"
#include "entry.h"
#include "pt/vmsa_mair.h"
#include "walk/walk.h"

enum { RW = UIOMMU_READ | UIOMMU_WRITE, N_FORMATS = 10 };

static const struct {
    const struct entry_format *entry;
    const struct uim_walk_format *walk;
    unsigned lg2[4]; /* of leaves by level; 0: none */
    unsigned phys_bits;
} formats[N_FORMATS] = {
    { &entry_vmsa_s1_4k, &uim_walk_vmsa_s1_4k, { 12, 21, 30 }, 48 },
    { &entry_vmsa_s1_16k, &uim_walk_vmsa_s1_16k, { 14, 25 }, 48 },
    { &entry_vmsa_s1_64k, &uim_walk_vmsa_s1_64k, { 16, 29, 42 }, 52 },
    { &entry_vmsa_s1_4k_ds, &uim_walk_vmsa_s1_4k_ds, { 12, 21, 30, 39 }, 52 },
    { &entry_vmsa_s1_16k_ds, &uim_walk_vmsa_s1_16k_ds, { 14, 25, 36 }, 52 },
    { &entry_vmsa_s2_4k, &uim_walk_vmsa_s2_4k, { 12, 21, 30 }, 48 },
    { &entry_vmsa_s2_16k, &uim_walk_vmsa_s2_16k, { 14, 25 }, 48 },
    { &entry_vmsa_s2_64k, &uim_walk_vmsa_s2_64k, { 16, 29, 42 }, 52 },
    { &entry_vmsa_s2_4k_ds, &uim_walk_vmsa_s2_4k_ds, { 12, 21, 30, 39 }, 52 },
    { &entry_vmsa_s2_16k_ds, &uim_walk_vmsa_s2_16k_ds, { 14, 25, 36 }, 52 },
};

static bool is_stage_1(unsigned i)
{
    return i < N_FORMATS / 2;
}

static struct uim_walk_params params_of(unsigned i)
{
    struct uim_walk_params params = {
        .format = formats[i].walk,
        .top = (uint8_t)(formats[i].walk->levels - 1),
        .phys_bits = (uint8_t)formats[i].phys_bits,
    };
    unsigned level;

    for (level = 0; level < 4 && formats[i].lg2[level]; level++)
        params.page_sizes |= UIM_BIT(formats[i].lg2[level]);
    return params;
}

/* ---- by hand -------------------------------------------------------------- */

/* 54 UXN, 53 PXN, 11 nG, 10 AF, 9:8 SH, 7:6 AP[2:1], 4:2 AttrIndx, 1:0 type. */
static void stage_1_leaves(void **state)
{
    static const struct {
        unsigned level, flags;
        bool snoop;
        uint64_t want;
    } rows[] = {
        { 0, RW, true, 0x0060000000000f43 },
        { 1, RW, true, 0x0060000000000f41 },
        { 0, UIOMMU_READ, true, 0x0060000000000fc3 },
        { 0, UIOMMU_WRITE, true, 0x0060000000000f43 },
        { 0, RW | UIOMMU_CACHE, true, 0x0060000000000f43 },
        { 0, RW, false, 0x0060000000000e47 },
        { 0, RW | UIOMMU_MMIO, true, 0x0060000000000f4b },
        { 0, RW | UIOMMU_PRIV, true, 0x0060000000000f03 },
        { 0, RW | UIOMMU_EXEC, true, 0x0000000000000f43 },
        { 2, RW | UIOMMU_EXEC | UIOMMU_PRIV, true, 0x0040000000000f01 },
    };
    const uint64_t sh = 0x300;
    unsigned i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned level = rows[i].level, flags = rows[i].flags;
        const uint64_t want = rows[i].want;
        const bool snoop = rows[i].snoop;

        assert_true(entry_vmsa_s1_4k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s1_16k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s1_64k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s1_4k_ds.leaf(level, flags, snoop) ==
                    (want & ~sh));
        assert_true(entry_vmsa_s1_16k_ds.leaf(level, flags, snoop) ==
                    (want & ~sh));
    }
    /* Byte n: what AttrIndx n means. */
    assert_true(uim_pt_vmsa_mair() == 0x0444ff);
}

/* 54:53 XN, 10 AF, 9:8 SH, 7:6 S2AP, 5:2 MemAttr, 1:0 type. */
static void stage_2_leaves(void **state)
{
    static const struct {
        unsigned level, flags;
        bool snoop;
        uint64_t want;
    } rows[] = {
        { 0, RW, true, 0x00400000000007ff },
        { 1, RW, true, 0x00400000000007fd },
        { 0, UIOMMU_READ, true, 0x004000000000077f },
        { 0, UIOMMU_WRITE, true, 0x00400000000007bf },
        { 0, RW | UIOMMU_CACHE, true, 0x00400000000007ff },
        { 0, RW, false, 0x00400000000006d7 },
        { 0, RW | UIOMMU_MMIO, true, 0x00400000000007c7 },
        { 2, RW | UIOMMU_EXEC, true, 0x00000000000007fd },
    };
    const uint64_t sh = 0x300;
    unsigned i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned level = rows[i].level, flags = rows[i].flags;
        const uint64_t want = rows[i].want;
        const bool snoop = rows[i].snoop;

        assert_true(entry_vmsa_s2_4k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s2_16k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s2_64k.leaf(level, flags, snoop) == want);
        assert_true(entry_vmsa_s2_4k_ds.leaf(level, flags, snoop) ==
                    (want & ~sh));
        assert_true(entry_vmsa_s2_16k_ds.leaf(level, flags, snoop) ==
                    (want & ~sh));
    }
}

static void tables_and_addresses(void **state)
{
    const uint64_t narrow = 0x0000f23456780000, wide = 0x000af23456780000;

    (void)state;
    assert_true(entry_vmsa_s1_4k.table(narrow | 0x9000) == 0x0000f23456789003);
    assert_true(entry_vmsa_s2_16k.table(narrow | 0xc000) == 0x0000f2345678c003);
    assert_true(entry_vmsa_s1_64k.table(wide) == 0x0000f2345678a003);
    assert_true(entry_vmsa_s2_64k.table(narrow) == 0x0000f23456780003);
    assert_true(entry_vmsa_s1_4k_ds.table(wide | 0x9000) == 0x0002f23456789203);
    assert_true(entry_vmsa_s2_16k_ds.table(wide | 0xc000) ==
                0x0002f2345678c203);
    assert_true(entry_vmsa_s2_64k.address(0x0000f2345678a003) == wide);
    assert_true(entry_vmsa_s1_16k_ds.address(0x0002f2345678c203) ==
                (wide | 0xc000));
}

/* ---- formats and descriptors ---------------------------------------------- */

static void check_leaf(unsigned i, unsigned level, unsigned flags)
{
    const struct entry_format *f = formats[i].entry;
    const struct uim_walk_params params = params_of(i);
    const unsigned lg2 = formats[i].lg2[level];
    /* A bit in each place, and all that are the same in both parts. */
    const uint64_t phys = UIM_BIT(formats[i].phys_bits - 1) | UIM_BIT(42) |
                          UIM_BIT(45) | UIM_BIT(lg2 < 42 ? lg2 : 42);
    const uint64_t e = f->leaf(level, flags, true) | f->place(phys);
    struct uim_walk_entry got = uim_walk_decode(&params, level, e);
    const bool read = is_stage_1(i) || (flags & UIOMMU_READ);

    assert_int_equal(got.kind, UIM_WALK_LEAF);
    assert_true(got.address == phys && f->address(e) == phys);
    assert_int_equal(got.lg2, lg2);
    assert_int_equal(got.read, read);
    assert_int_equal(got.write, (flags & UIOMMU_WRITE) != 0);
    assert_int_equal(got.user, !(flags & UIOMMU_PRIV));
    assert_int_equal(got.exec, (flags & UIOMMU_EXEC) && !(flags & UIOMMU_PRIV));
    assert_true(got.accessed);
    assert_true(f->present(e) && (level == 0 || !f->is_table(e)));
    assert_int_equal(f->rights(e),
                     (read ? UIOMMU_READ : 0u) | (flags & UIOMMU_WRITE));
    /* One level up or down, the same word is no such leaf. */
    got = uim_walk_decode(&params, level == 0 ? 1 : 0, e);
    assert_int_equal(got.kind, level == 0 ? UIM_WALK_TABLE : UIM_WALK_HOLE);
}

static void formats_write_what_descriptors_read(void **state)
{
    unsigned i, level, flags;

    (void)state;
    for (i = 0; i < N_FORMATS; i++)
        for (level = 0; level <= formats[i].entry->leaf_top; level++)
            for (flags = 1; flags < 64; flags++) {
                if (!(flags & RW) || (flags & UIOMMU_PRIV && !is_stage_1(i)))
                    continue;
                check_leaf(i, level, flags);
            }
}

static void tables_grant_everything(void **state)
{
    unsigned i, level;

    (void)state;
    for (i = 0; i < N_FORMATS; i++) {
        const struct uim_walk_params params = params_of(i);
        const uint64_t phys = UIM_BIT(formats[i].phys_bits - 1) | UIM_BIT(16);

        for (level = 1; level <= params.top; level++) {
            uint64_t e = formats[i].entry->table(phys);
            struct uim_walk_entry got = uim_walk_decode(&params, level, e);

            assert_int_equal(got.kind, UIM_WALK_TABLE);
            assert_true(got.address == phys);
            assert_true(got.read && got.write && got.user && got.exec);
            assert_true(formats[i].entry->is_table(e));
        }
    }
}

/* Stage 1: APTable 62:61, UXNTable 60. */
static void tables_take_rights_away(void **state)
{
    const struct uim_walk_params params = params_of(0);
    struct uim_walk_entry e;

    (void)state;
    e = uim_walk_decode(&params, 2, UIM_BIT(61) | 3);
    assert_true(e.read && e.write && !e.user && e.exec);
    e = uim_walk_decode(&params, 2, UIM_BIT(62) | 3);
    assert_true(e.read && !e.write && e.user && e.exec);
    e = uim_walk_decode(&params, 2, UIM_BIT(60) | 3);
    assert_true(e.read && e.write && e.user && !e.exec);
}

/* ---- what is no leaf, or a wrong one -------------------------------------- */

static void blocks_are_where_the_granule_has_them(void **state)
{
    unsigned i, level;

    (void)state;
    for (i = 0; i < N_FORMATS; i++) {
        const struct uim_walk_params params = params_of(i);

        assert_int_equal(uim_walk_decode(&params, 0, 1).kind, UIM_WALK_HOLE);
        for (level = 1; level <= params.top; level++) {
            bool has = level < 4 && formats[i].lg2[level];

            assert_int_equal(uim_walk_decode(&params, level, 0x401).kind,
                             has ? UIM_WALK_LEAF : UIM_WALK_HOLE);
            assert_int_equal(uim_walk_decode(&params, level, 2).kind,
                             UIM_WALK_HOLE);
        }
    }
}

/* All bits that make `entry` reserved at `level`, one by one. */
static uint64_t reserved_bits(const struct uim_walk_params *params,
                              unsigned level, uint64_t entry)
{
    uint64_t found = 0;
    unsigned bit;

    for (bit = 2; bit < 64; bit++)
        if (uim_walk_decode(params, level, entry | UIM_BIT(bit)).kind ==
            UIM_WALK_RESERVED)
            found |= UIM_BIT(bit);
    return found;
}

static void what_the_manual_reserves(void **state)
{
    static const struct {
        unsigned format, level;
        uint64_t entry, want;
    } rows[] = {
        { 0, 0, 3, 0x0007000000000000 }, { 0, 1, 1, 0x00070000001ff000 },
        { 0, 2, 1, 0x000700003ffff000 }, { 0, 3, 3, 0x0007000000000000 },
        { 1, 0, 3, 0x0007000000003000 }, { 1, 1, 1, 0x0007000001fff000 },
        { 1, 2, 3, 0x0007000000003000 }, { 2, 0, 3, 0x0007000000000000 },
        { 2, 1, 1, 0x000700001fff0000 }, { 2, 2, 1, 0x000703ffffff0000 },
        { 3, 0, 3, 0x0004000000000000 }, { 3, 3, 1, 0x0004007ffffff000 },
        { 4, 0, 3, 0x0004000000003000 }, { 4, 2, 1, 0x0004000ffffff000 },
        { 4, 3, 3, 0x0004000000003000 },
    };
    unsigned i;

    (void)state;
    for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned row = i / 2, stage_2 = i % 2 * (N_FORMATS / 2);
        const struct uim_walk_params params =
            params_of(rows[row].format + stage_2);

        if (reserved_bits(&params, rows[row].level, rows[row].entry) !=
            rows[row].want)
            fail_msg("row %u, %s: %#llx", row, params.format->name,
                     (unsigned long long)reserved_bits(&params, rows[row].level,
                                                       rows[row].entry));
    }
}

/* An address that the unit does not have, in either of its parts. */
static void addresses_beyond_the_unit(void **state)
{
    struct uim_walk_params params = params_of(2);

    (void)state;
    params.phys_bits = 44;
    assert_int_equal(uim_walk_decode(&params, 0, UIM_BIT(43) | 3).kind,
                     UIM_WALK_LEAF);
    assert_int_equal(uim_walk_decode(&params, 0, UIM_BIT(44) | 3).kind,
                     UIM_WALK_RESERVED);
    assert_int_equal(uim_walk_decode(&params, 0, UIM_BIT(12) | 3).kind,
                     UIM_WALK_RESERVED);
    assert_int_equal(uim_walk_decode(&params, 1, UIM_BIT(15) | 3).kind,
                     UIM_WALK_RESERVED);
}

/* ---- runs, dirty, split --------------------------------------------------- */

static void a_marked_leaf_is_as_large_as_its_run(void **state)
{
    static const struct {
        unsigned format, level, lg2;
    } rows[] = {
        { 0, 0, 16 }, { 0, 1, 25 }, { 0, 2, 34 }, { 1, 0, 21 },
        { 1, 1, 30 }, { 2, 0, 21 }, { 2, 1, 34 }, { 3, 0, 16 },
        { 4, 1, 30 }, { 5, 0, 16 }, { 6, 0, 21 }, { 7, 1, 34 },
    };
    unsigned i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const unsigned f = rows[i].format, level = rows[i].level;
        const struct uim_walk_params params = params_of(f);
        const uint64_t phys = UIM_BIT(46) | UIM_BIT(formats[f].lg2[level]);
        struct uim_walk_entry e = uim_walk_decode(
            &params, level,
            phys | UIM_BIT(52) | formats[f].entry->leaf(level, RW, true));

        assert_int_equal(e.kind, UIM_WALK_LEAF);
        assert_int_equal(e.lg2, rows[i].lg2);
        assert_true(e.address == UIM_BIT(46));
    }
}

/* DBM, bit 51: what may be written and is clean. */
static void dirty_is_set_and_cleared(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < N_FORMATS; i++) {
        const struct entry_format *f = formats[i].entry;
        const struct uim_walk_params params = params_of(i);
        const uint64_t clean = f->set_dirty(f->leaf(0, RW, true), false);
        const uint64_t dirty = f->set_dirty(clean, true);

        assert_true(dirty == (f->leaf(0, RW, true) | UIM_BIT(51)));
        assert_true((clean ^ dirty) == 0x80);
        assert_true(f->dirty(dirty) && !f->dirty(clean));
        assert_true(f->set_dirty(dirty, false) == clean);
        assert_int_equal(f->rights(clean), RW);
        assert_false(uim_walk_decode(&params, 0, clean).dirty);
        assert_true(uim_walk_decode(&params, 0, clean).write);
        assert_true(uim_walk_decode(&params, 0, dirty).dirty);
        assert_false(f->dirty(f->leaf(0, UIOMMU_READ, true)));
    }
}

static void split_keeps_all_but_size_and_address(void **state)
{
    const uint64_t kept = UIM_BIT(51) | UIM_MASK(58, 55);
    unsigned i;

    (void)state;
    for (i = 0; i < N_FORMATS; i++) {
        const struct entry_format *f = formats[i].entry;
        const unsigned top = f->leaf_top;
        const uint64_t phys = UIM_BIT(formats[i].phys_bits - 1) | UIM_BIT(43);
        const uint64_t e = f->leaf(top, UIOMMU_READ | UIOMMU_EXEC, true) | kept;

        assert_true(f->split(e | f->place(phys) | UIM_BIT(52), 0) ==
                    (f->leaf(0, UIOMMU_READ | UIOMMU_EXEC, true) | kept));
        assert_true(
            f->split(e | f->place(phys), top > 1 ? 1 : 0) ==
            (f->leaf(top > 1 ? 1 : 0, UIOMMU_READ | UIOMMU_EXEC, true) | kept));
    }
}

static void chain_words_are_holes(void **state)
{
    uint64_t level;
    unsigned i;

    (void)state;
    for (i = 0; i < N_FORMATS; i++)
        for (level = 0; level < 5; level++) {
            const struct uim_walk_params params = params_of(i);
            uint64_t word = UIM_MASK(51, 12) | level << 8 | UIM_BIT(11);

            assert_int_equal(uim_walk_decode(&params, 0, word).kind,
                             UIM_WALK_HOLE);
            assert_int_equal(uim_walk_decode(&params, 1, word).kind,
                             UIM_WALK_HOLE);
            assert_false(formats[i].entry->present(word));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stage_1_leaves),
        cmocka_unit_test(stage_2_leaves),
        cmocka_unit_test(tables_and_addresses),
        cmocka_unit_test(formats_write_what_descriptors_read),
        cmocka_unit_test(tables_grant_everything),
        cmocka_unit_test(tables_take_rights_away),
        cmocka_unit_test(blocks_are_where_the_granule_has_them),
        cmocka_unit_test(what_the_manual_reserves),
        cmocka_unit_test(addresses_beyond_the_unit),
        cmocka_unit_test(a_marked_leaf_is_as_large_as_its_run),
        cmocka_unit_test(dirty_is_set_and_cleared),
        cmocka_unit_test(split_keeps_all_but_size_and_address),
        cmocka_unit_test(chain_words_are_holes),
    };

    return cmocka_run_group_tests_name("pt_vmsa_entry", tests, NULL, NULL);
}
