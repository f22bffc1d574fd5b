/* SPDX-License-Identifier: MIT */
/*
 * fmt_vtd_ss.h - VT-d second stage (D51397 rev 5.10, 3.7 and 9.8): entries of
 * second-stage tables of 3, 4 or 5 levels, with permissions in bits 0 and 1
 * (RTADDR.SSIRWE clear).
 *
 * Level 0 is the manual's SS-PTE, 1 SS-PDE, 2 SS-PDPE, 3 SS-PML4E, 4 SS-PML5E.
 * Tables grant everything, so that the leaf alone decides. What a mapping can
 * ask for:
 *
 *     READ, WRITE  each alone is possible
 *     CACHE        SNP, where the unit has it; else DMA snoops unless the
 *                  device asks it not to, and nothing can be done about that
 *     MMIO         no bit: without EMTE the leaf has no memory type
 *     EXEC, PRIV   not known: this format has no such rights
 */
#ifndef UIM_PT_FMT_VTD_SS_H
#define UIM_PT_FMT_VTD_SS_H

#include <uiommu/types.h>

#include "spec/vtd_tables.h"

#define FMT_NAME       "vtd_ss"
#define FMT_OPS        uim_pt_vtd_ss
#define FMT_SHIFT      12
#define FMT_PHYS_BITS  52
#define FMT_MIN_LEVELS 3
#define FMT_MAX_LEVELS 5
#define FMT_LEAF_TOP   2 /* highest level with leaves */
#define FMT_PAGE_SIZES (UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30))
#define FMT_FLAGS      (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_MMIO | UIOMMU_CACHE)

/* iova bits that tables of this many levels translate */
#define FMT_WIDTH(levels)     (12 + 9 * (levels))
#define FMT_INPUT_MIN(levels) FMT_WIDTH(levels) /* to the unit */

static inline uint64_t fmt_rights_bits(void)
{
    return vtd_ss_pte_pack(&(struct vtd_ss_pte_fields){ .r = 1, .w = 1 }).raw;
}

static inline uint64_t fmt_large_bit(void)
{
    return vtd_ss_pte_pack(&(struct vtd_ss_pte_fields){ .ps = 1 }).raw;
}

/* 9.8: present if it grants anything. */
static inline bool fmt_present(uint64_t e)
{
    return (e & fmt_rights_bits()) != 0;
}

/* Of an entry above level 0. */
static inline bool fmt_is_table(uint64_t e)
{
    return (e & (fmt_rights_bits() | fmt_large_bit())) == fmt_rights_bits();
}

static inline uint64_t fmt_address(uint64_t e)
{
    return vtd_ss_pte_addr((struct vtd_ss_pte){ e }) << 12;
}

static inline uint64_t fmt_place(uint64_t phys)
{
    return phys;
}

static inline uint64_t fmt_table(uint64_t phys)
{
    return fmt_rights_bits() | phys;
}

/* A leaf but for its address. */
static inline uint64_t fmt_leaf(unsigned level, unsigned flags, bool snoop)
{
    const struct vtd_ss_pte_fields f = {
        .r = (flags & UIOMMU_READ) != 0,
        .w = (flags & UIOMMU_WRITE) != 0,
        .ps = level > 0,
        .snp = snoop && (flags & UIOMMU_CACHE),
    };

    return vtd_ss_pte_pack(&f).raw;
}

/* What of leaf `e` holds for the leaves at `level` that take its place: all but
 * the size and the address. */
static inline uint64_t fmt_split(uint64_t e, unsigned level)
{
    struct vtd_ss_pte w = vtd_ss_pte_set_addr((struct vtd_ss_pte){ e }, 0);

    return vtd_ss_pte_set_ps(w, level > 0).raw;
}

/* Neither has a bit. */
static inline bool fmt_is_rare_as(uint64_t e, unsigned flags)
{
    (void)e, (void)flags;
    return true;
}

static inline unsigned fmt_rights(uint64_t e)
{
    struct vtd_ss_pte w = { e };

    return (vtd_ss_pte_r(w) ? UIOMMU_READ : 0u) |
           (vtd_ss_pte_w(w) ? UIOMMU_WRITE : 0u);
}

/* Set by the unit on a write where the PASID entry has SSADE. */
static inline bool fmt_dirty(uint64_t e)
{
    return vtd_ss_pte_d((struct vtd_ss_pte){ e }) != 0;
}

static inline uint64_t fmt_set_dirty(uint64_t e, bool dirty)
{
    return vtd_ss_pte_set_d((struct vtd_ss_pte){ e }, dirty).raw;
}

#endif
