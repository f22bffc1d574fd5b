/* SPDX-License-Identifier: MIT */
/*
 * fmt_vtd_fs.h - VT-d first stage (D51397 rev 5.10, 3.6 and 9.7): x86-64 paging
 * entries, 4 or 5 levels.
 *
 * Level 0 is the manual's FS-PTE, 1 FS-PDE, 2 FS-PDPE, 3 FS-PML4E, 4 FS-PML5E.
 * Input addresses are sign-extended. A domain uses the lower half only, so 4
 * levels are 47 bits and 5 levels 56; the upper half stays not present.
 *
 * Tables grant everything, so that the leaf alone decides. A is set in every
 * entry and D in every writable leaf when it is made: no device ever waits for
 * the unit to set them, nor faults where walks cannot. What a mapping can ask
 * for:
 *
 *     READ         every present entry is readable
 *     WRITE        R/W; grants READ too, for the format has no other way
 *     CACHE        no bit: the PASID entry's PGSNP is for all leaves at once
 *     MMIO         no bit: the memory type comes from the PASID entry's PAT
 *     EXEC         not known: units stopped checking XD in revision 4.1
 *     PRIV         not known: U/S could say it, but PASID entries do not set
 *                  SRE, so nobody could use such a leaf
 */
#ifndef UIM_PT_FMT_VTD_FS_H
#define UIM_PT_FMT_VTD_FS_H

#include <uiommu/types.h>

#include "spec/vtd_tables.h"

#define FMT_NAME       "vtd_fs"
#define FMT_OPS        uim_pt_vtd_fs
#define FMT_SHIFT      12
#define FMT_PHYS_BITS  52
#define FMT_MIN_LEVELS 4
#define FMT_MAX_LEVELS 5
#define FMT_LEAF_TOP   2 /* highest level with leaves */
#define FMT_PAGE_SIZES (UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30))
#define FMT_FLAGS      (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_MMIO | UIOMMU_CACHE)

/* iova bits that tables of this many levels translate: the lower half */
#define FMT_WIDTH(levels)     (11 + 9 * (levels))
#define FMT_INPUT_MIN(levels) FMT_WIDTH(levels) /* to the unit */

static inline uint64_t fmt_present_bit(void)
{
    return vtd_fs_pte_pack(&(struct vtd_fs_pte_fields){ .p = 1 }).raw;
}

static inline uint64_t fmt_large_bit(void)
{
    return vtd_fs_pte_pack(&(struct vtd_fs_pte_fields){ .ps = 1 }).raw;
}

static inline bool fmt_present(uint64_t e)
{
    return (e & fmt_present_bit()) != 0;
}

/* Of an entry above level 0. */
static inline bool fmt_is_table(uint64_t e)
{
    return (e & (fmt_present_bit() | fmt_large_bit())) == fmt_present_bit();
}

static inline uint64_t fmt_address(uint64_t e)
{
    return vtd_fs_pte_addr((struct vtd_fs_pte){ e }) << 12;
}

static inline uint64_t fmt_place(uint64_t phys)
{
    return phys;
}

static inline uint64_t fmt_table(uint64_t phys)
{
    const struct vtd_fs_pte_fields f = { .p = 1, .rw = 1, .us = 1, .a = 1 };

    return vtd_fs_pte_pack(&f).raw | phys;
}

/* A leaf but for its address. */
static inline uint64_t fmt_leaf(unsigned level, unsigned flags, bool snoop)
{
    const bool write = (flags & UIOMMU_WRITE) != 0;
    const struct vtd_fs_pte_fields f = {
        .p = 1,
        .rw = write,
        .us = 1,
        .a = 1,
        .d = write,
        .ps = level > 0,
    };

    (void)snoop;
    return vtd_fs_pte_pack(&f).raw;
}

/* What of leaf `e` holds for the leaves at `level` that take its place: all but
 * the size and the address. PAT, which would move, is never set. */
static inline uint64_t fmt_split(uint64_t e, unsigned level)
{
    struct vtd_fs_pte w = vtd_fs_pte_set_addr((struct vtd_fs_pte){ e }, 0);

    return vtd_fs_pte_set_ps(w, level > 0).raw;
}

/* Neither has a bit. */
static inline bool fmt_is_rare_as(uint64_t e, unsigned flags)
{
    (void)e, (void)flags;
    return true;
}

static inline unsigned fmt_rights(uint64_t e)
{
    return vtd_fs_pte_rw((struct vtd_fs_pte){ e }) ? UIOMMU_READ | UIOMMU_WRITE
                                                   : UIOMMU_READ;
}

static inline bool fmt_dirty(uint64_t e)
{
    return vtd_fs_pte_d((struct vtd_fs_pte){ e }) != 0;
}

static inline uint64_t fmt_set_dirty(uint64_t e, bool dirty)
{
    return vtd_fs_pte_set_d((struct vtd_fs_pte){ e }, dirty).raw;
}

#endif
