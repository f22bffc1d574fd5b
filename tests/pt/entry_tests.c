/* SPDX-License-Identifier: MIT */
/*
 * Single entries: what the formats of src/pt write, read by the descriptors of
 * src/walk; and the descriptors against what the manual reserves (spec/vtd.md
 * 6, whose masks were copied from it by hand, as numbers).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uiommu/types.h>

#include "base/bits.h"
#include "entry.h"
#include "walk/walk.h"

#define PHYS UINT64_C(0x3fc0000000)

enum { RW = UIOMMU_READ | UIOMMU_WRITE, PHYS_BITS = 39 };

static const uint64_t all_sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30);

static struct uim_walk_params params_of(const struct uim_walk_format *format)
{
    return (struct uim_walk_params){
        .format = format,
        .page_sizes = all_sizes,
        .unreserved = UIM_BIT(11),
        .top = 3,
        .phys_bits = PHYS_BITS,
    };
}

static enum uim_walk_kind kind(const struct uim_walk_params *params,
                               unsigned level, uint64_t entry)
{
    return uim_walk_decode(params, level, entry).kind;
}

/* ---- formats and descriptors --------------------------------------------- */

static void check_leaf(const struct entry_format *f,
                       const struct uim_walk_params *params, unsigned level,
                       unsigned flags)
{
    uint64_t entry = f->leaf(level, flags, true) | PHYS;
    struct uim_walk_entry e = uim_walk_decode(params, level, entry);
    bool read = (flags & UIOMMU_READ) || params->format == &uim_walk_vtd_fs;

    assert_int_equal(e.kind, UIM_WALK_LEAF);
    assert_true(e.address == PHYS);
    assert_int_equal(e.lg2, 12 + 9 * level);
    assert_int_equal(e.read, read);
    assert_int_equal(e.write, (flags & UIOMMU_WRITE) != 0);
    assert_true(e.user);
    assert_true(f->present(entry));
    assert_true(level == 0 || !f->is_table(entry));
    assert_true(f->address(entry) == PHYS);
    assert_int_equal(f->rights(entry),
                     (read ? UIOMMU_READ : 0u) | (flags & UIOMMU_WRITE));
}

static void check_format(const struct entry_format *f,
                         const struct uim_walk_format *format)
{
    struct uim_walk_params params = params_of(format);
    unsigned level, flags;

    for (level = 0; level <= f->leaf_top; level++)
        for (flags = 1; flags <= RW; flags++) {
            check_leaf(f, &params, level, flags);
            check_leaf(f, &params, level, flags | UIOMMU_CACHE);
            check_leaf(f, &params, level, flags | UIOMMU_MMIO);
        }
    for (level = 1; level < 5; level++) {
        struct uim_walk_entry e =
            uim_walk_decode(&params, level, f->table(PHYS));

        assert_int_equal(e.kind, UIM_WALK_TABLE);
        assert_true(e.address == PHYS);
        assert_true(e.read && e.write && e.user);
        assert_true(f->is_table(f->table(PHYS)));
    }
    assert_false(f->present(0));
    assert_false(f->is_table(0));
}

static void formats_write_what_descriptors_read(void **state)
{
    (void)state;
    check_format(&entry_vtd_ss, &uim_walk_vtd_ss);
    check_format(&entry_vtd_fs, &uim_walk_vtd_fs);
}

/* A chain goes through entries that must read as holes: pt.h, UIM_PT_CHAIN. */
static void chain_words_are_holes(void **state)
{
    struct uim_walk_params ss = params_of(&uim_walk_vtd_ss);
    struct uim_walk_params fs = params_of(&uim_walk_vtd_fs);
    uint64_t level;

    (void)state;
    for (level = 0; level < 5; level++) {
        uint64_t word = PHYS | level << 8 | UIM_BIT(11);

        assert_int_equal(kind(&ss, 0, word), UIM_WALK_HOLE);
        assert_int_equal(kind(&fs, 1, word), UIM_WALK_HOLE);
        assert_false(entry_vtd_ss.present(word));
        assert_false(entry_vtd_fs.present(word));
    }
}

static void check_dirty(const struct entry_format *f,
                        const struct uim_walk_format *format)
{
    uint64_t leaf = f->leaf(1, UIOMMU_READ, true) | PHYS;

    assert_false(f->dirty(leaf));
    assert_true(f->dirty(f->set_dirty(leaf, true)));
    assert_true(f->set_dirty(leaf, true) == (leaf | format->dirty));
    assert_true(f->set_dirty(f->set_dirty(leaf, true), false) == leaf);
}

static void dirty_is_set_and_cleared(void **state)
{
    (void)state;
    check_dirty(&entry_vtd_ss, &uim_walk_vtd_ss);
    check_dirty(&entry_vtd_fs, &uim_walk_vtd_fs);
    /* First-stage leaves that can be written begin dirty. */
    assert_true(entry_vtd_fs.dirty(entry_vtd_fs.leaf(0, RW, true)));
    assert_false(entry_vtd_ss.dirty(entry_vtd_ss.leaf(0, RW, true)));
}

static void split_keeps_all_but_size_and_address(void **state)
{
    const uint64_t ad = uim_walk_vtd_ss.accessed | uim_walk_vtd_ss.dirty;
    uint64_t ss = entry_vtd_ss.leaf(2, RW | UIOMMU_CACHE, true);
    uint64_t fs = entry_vtd_fs.leaf(2, UIOMMU_READ, true);

    (void)state;
    assert_true(entry_vtd_ss.split(ss | PHYS | ad, 0) ==
                (entry_vtd_ss.leaf(0, RW | UIOMMU_CACHE, true) | ad));
    assert_true(entry_vtd_ss.split(ss | PHYS, 1) ==
                entry_vtd_ss.leaf(1, RW | UIOMMU_CACHE, true));
    assert_true(entry_vtd_fs.split(fs | PHYS, 0) ==
                entry_vtd_fs.leaf(0, UIOMMU_READ, true));
}

static void snoop_only_where_the_unit_has_it(void **state)
{
    (void)state;
    assert_true(entry_vtd_ss.leaf(0, RW | UIOMMU_CACHE, true) & UIM_BIT(11));
    assert_false(entry_vtd_ss.leaf(0, RW | UIOMMU_CACHE, false) & UIM_BIT(11));
    assert_false(entry_vtd_ss.leaf(0, RW, true) & UIM_BIT(11));
}

/* ---- what the manual reserves -------------------------------------------- */

/* All bits that make `entry` reserved at `level`, one by one. */
static uint64_t reserved_bits(const struct uim_walk_params *params,
                              unsigned level, uint64_t entry)
{
    uint64_t found = 0;
    unsigned bit;

    for (bit = 0; bit < 64; bit++)
        if (!(entry >> bit & 1) &&
            kind(params, level, entry | UIM_BIT(bit)) == UIM_WALK_RESERVED)
            found |= UIM_BIT(bit);
    return found;
}

/* Address bits above the host's width, in both formats. */
#define BEYOND UINT64_C(0x000fff8000000000)
#define IW     UINT64_C(0x4000000000000000)

static void second_stage_reserves(void **state)
{
    struct uim_walk_params params = params_of(&uim_walk_vtd_ss);
    unsigned level;

    (void)state;
    for (level = 1; level < 3; level++)
        assert_true(reserved_bits(&params, level, 3) == (BEYOND | IW | 0x800));
    for (; level < 5; level++)
        assert_true(reserved_bits(&params, level, 3) == (BEYOND | IW | 0x880));
    assert_true(reserved_bits(&params, 0, 3) == (BEYOND | IW));
    assert_true(reserved_bits(&params, 1, 0x83) == (BEYOND | IW | 0x1ff000));
    assert_true(reserved_bits(&params, 2, 0x83) == (BEYOND | IW | 0x3ffff000));
    params.unreserved = 0;
    assert_true(reserved_bits(&params, 0, 3) == (BEYOND | IW | 0x800));
    assert_true(reserved_bits(&params, 1, 0x83) == (BEYOND | IW | 0x1ff800));
}

static void first_stage_reserves(void **state)
{
    struct uim_walk_params params = params_of(&uim_walk_vtd_fs);
    unsigned level;

    (void)state;
    for (level = 1; level < 3; level++)
        assert_true(reserved_bits(&params, level, 7) == BEYOND);
    for (; level < 5; level++)
        assert_true(reserved_bits(&params, level, 7) == (BEYOND | 0x80));
    assert_true(reserved_bits(&params, 0, 7) == BEYOND);
    assert_true(reserved_bits(&params, 1, 0x87) == (BEYOND | 0x1fe000));
    assert_true(reserved_bits(&params, 2, 0x87) == (BEYOND | 0x3fffe000));
}

static void sizes_that_the_unit_lacks_are_reserved(void **state)
{
    struct uim_walk_params params = params_of(&uim_walk_vtd_ss);

    (void)state;
    params.page_sizes = UIM_BIT(12) | UIM_BIT(21);
    assert_int_equal(kind(&params, 1, 0x83), UIM_WALK_LEAF);
    assert_int_equal(kind(&params, 2, 0x83), UIM_WALK_RESERVED);
    params.page_sizes = UIM_BIT(12);
    assert_int_equal(kind(&params, 1, 0x83), UIM_WALK_RESERVED);
    /* Bit 7 of a leaf of level 0 says nothing about its size. */
    assert_int_equal(kind(&params, 0, 0x83), UIM_WALK_LEAF);
}

/* Nothing is reserved in what is not present. */
static void holes_may_hold_anything(void **state)
{
    struct uim_walk_params ss = params_of(&uim_walk_vtd_ss);
    struct uim_walk_params fs = params_of(&uim_walk_vtd_fs);

    (void)state;
    assert_int_equal(kind(&ss, 3, ~UINT64_C(3)), UIM_WALK_HOLE);
    assert_int_equal(kind(&fs, 3, ~UINT64_C(1)), UIM_WALK_HOLE);
    assert_int_equal(kind(&ss, 0, 1), UIM_WALK_LEAF);
    assert_int_equal(kind(&ss, 0, 2), UIM_WALK_LEAF);
}

static void pat_of_a_large_leaf_is_no_address(void **state)
{
    struct uim_walk_params params = params_of(&uim_walk_vtd_fs);
    struct uim_walk_entry e =
        uim_walk_decode(&params, 1, 0x87 | UIM_BIT(12) | PHYS);

    (void)state;
    assert_int_equal(e.kind, UIM_WALK_LEAF);
    assert_true(e.address == PHYS);
}

static void what_fits(void **state)
{
    struct uim_walk_params ss = params_of(&uim_walk_vtd_ss);
    struct uim_walk_params fs = params_of(&uim_walk_vtd_fs);

    (void)state;
    assert_true(uim_walk_fits(&ss, UIM_BIT(48) - 1));
    assert_false(uim_walk_fits(&ss, UIM_BIT(48)));
    assert_true(uim_walk_fits(&fs, UIM_BIT(47) - 1));
    assert_false(uim_walk_fits(&fs, UIM_BIT(47)));
    assert_false(uim_walk_fits(&fs, UIM_BIT(48) - 1));
    assert_true(uim_walk_fits(&fs, ~UINT64_C(0)));
    assert_true(uim_walk_fits(&fs, UIM_MASK(63, 47)));
    assert_false(uim_walk_fits(&fs, UIM_MASK(62, 47)));
}

/* ---- a walk -------------------------------------------------------------- */

/* Four tables of which one entry each is there; the last may not be
 * readable. */
struct memory {
    uint64_t entry[4]; /* by level */
    bool broken;
};

static bool read_entry(void *ctx, uint64_t phys, uint64_t *value)
{
    const struct memory *m = ctx;
    unsigned level = (unsigned)(phys >> 12);

    assert_true(level < 4);
    if (m->broken && level == 0)
        return false;
    *value = (phys & 0xfff) == 8 * (level + 1) ? m->entry[level] : 0;
    return true;
}

static void rights_are_anded(void **state)
{
    /* Indices 4, 3, 2, 1 from the top. */
    const uint64_t iova = UINT64_C(4) << 39 | UINT64_C(3) << 30 |
                          UINT64_C(2) << 21 | UINT64_C(1) << 12;
    struct uim_walk_params params = params_of(&uim_walk_vtd_ss);
    struct memory m = { .entry = { PHYS | 3, 0 | 3, 0x1000 | 1, 0x2000 | 3 } };
    struct uim_walk_result r;

    (void)state;
    uim_walk(&params, read_entry, &m, 0x3000, iova + 5, &r);
    assert_int_equal(r.end.kind, UIM_WALK_LEAF);
    assert_int_equal(r.level, 0);
    assert_true(r.end.address == PHYS);
    assert_true(r.end.read && !r.end.write);
    assert_true(r.entry[3] == (0x2000 | 3) && r.entry_phys[3] == 0x3020);
    m.broken = true;
    uim_walk(&params, read_entry, &m, 0x3000, iova, &r);
    assert_int_equal(r.end.kind, UIM_WALK_FETCH);
    assert_int_equal(r.level, 0);
    m.entry[1] = 0;
    uim_walk(&params, read_entry, &m, 0x3000, iova, &r);
    assert_int_equal(r.end.kind, UIM_WALK_HOLE);
    assert_int_equal(r.level, 1);
    m.entry[2] |= IW;
    uim_walk(&params, read_entry, &m, 0x3000, iova, &r);
    assert_int_equal(r.end.kind, UIM_WALK_RESERVED);
    assert_int_equal(r.level, 2);
    uim_walk(&params, read_entry, &m, 0x3000, UIM_BIT(50), &r);
    assert_int_equal(r.end.kind, UIM_WALK_WIDTH);
    assert_false(r.end.read || r.end.write || r.end.user);
}

int entry_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_write_what_descriptors_read),
        cmocka_unit_test(chain_words_are_holes),
        cmocka_unit_test(dirty_is_set_and_cleared),
        cmocka_unit_test(split_keeps_all_but_size_and_address),
        cmocka_unit_test(snoop_only_where_the_unit_has_it),
        cmocka_unit_test(second_stage_reserves),
        cmocka_unit_test(first_stage_reserves),
        cmocka_unit_test(sizes_that_the_unit_lacks_are_reserved),
        cmocka_unit_test(holes_may_hold_anything),
        cmocka_unit_test(pat_of_a_large_leaf_is_no_address),
        cmocka_unit_test(what_fits),
        cmocka_unit_test(rights_are_anded),
    };

    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
