/* SPDX-License-Identifier: MIT */
/*
 * fmt_vmsa.h - Arm VMSAv8-64 (DDI0487, D8): what both stages have in common. Who
 * includes it says FMT_SHIFT, 12, 14 or 16 for granules of 4, 16 or 64 KiB, and
 * FMT_DS, 1 for 52-bit addresses with the smaller two (FEAT_LPA2).
 *
 * Level 0 is the manual's level 3, and so on up; with FMT_DS and 4 KiB, level 4 is
 * its level -1. 64 KiB granules always have the places for 52-bit addresses: what
 * a unit does not have of them stays 0, for pt->phys_bits keeps it away.
 */
#ifndef UIM_PT_FMT_VMSA_H
#define UIM_PT_FMT_VMSA_H

#include <uiommu/types.h>

#include "spec/vmsa.h"

#define FMT_WIDE       (FMT_DS || FMT_SHIFT == 16)
#define FMT_PHYS_BITS  (FMT_WIDE ? 52 : 48)
#define FMT_MIN_LEVELS 2

#define FMT_STRIDE         (FMT_SHIFT - 3)
#define FMT_ALL_OF(levels) (FMT_SHIFT + FMT_STRIDE * (levels) + FMT_CONCAT)

/* iova bits that tables of this many levels translate, and the fewest for which a
 * unit begins its walk so high; TxSZ says at least 25. */
#define FMT_WIDTH(levels)                                                      \
    (FMT_ALL_OF(levels) < FMT_PHYS_BITS ? FMT_ALL_OF(levels) : FMT_PHYS_BITS)
#define FMT_INPUT_MIN(levels)                                                  \
    (FMT_SHIFT + FMT_STRIDE * ((levels)-1) + 1 < 25                            \
         ? 25u                                                                 \
         : FMT_SHIFT + FMT_STRIDE * ((levels)-1) + 1u)

/* Blocks of 512 GiB and 64 GiB come with FMT_DS, those of 4 TiB with 52-bit
 * addresses. Runs: the contiguous hint. */
#if FMT_SHIFT == 12
#define FMT_LEAF_TOP (2 + FMT_DS)
#define FMT_PAGE_SIZES                                                         \
    (UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30) | (uint64_t)FMT_DS << 39)
#define FMT_RUN_SIZES (UIM_BIT(16) | UIM_BIT(25) | UIM_BIT(34))
#elif FMT_SHIFT == 14
#define FMT_LEAF_TOP   (1 + FMT_DS)
#define FMT_PAGE_SIZES (UIM_BIT(14) | UIM_BIT(25) | (uint64_t)FMT_DS << 36)
#define FMT_RUN_SIZES  (UIM_BIT(21) | UIM_BIT(30))
#else
#define FMT_LEAF_TOP   2
#define FMT_PAGE_SIZES (UIM_BIT(16) | UIM_BIT(29) | UIM_BIT(42))
#define FMT_RUN_SIZES  (UIM_BIT(21) | UIM_BIT(34))
#endif

/* log2 of the leaves in a run; 0: none at this level */
static inline unsigned fmt_run_lg2(unsigned level)
{
    if (FMT_SHIFT == 12)
        return level < 3 ? 4 : 0;
    if (level > 1)
        return 0;
    return FMT_SHIFT == 16 || level == 1 ? 5 : 7;
}

/* ---- addresses ----------------------------------------------------------- */

#if FMT_DS
#define FMT_SEAM 50
#elif FMT_SHIFT == 16
#define FMT_SEAM 48
#endif

static inline uint64_t fmt_place(uint64_t phys)
{
    if (FMT_DS)
        return vmsa_oa_ds_pack(
                   &(struct vmsa_oa_ds_fields){ .addr_49_12 = phys >> 12,
                                                .addr_51_50 = phys >> 50 })
            .raw;
    if (FMT_WIDE)
        return vmsa_oa_64k_pack(
                   &(struct vmsa_oa_64k_fields){ .addr_47_16 = phys >> 16,
                                                 .addr_51_48 = phys >> 48 })
            .raw;
    return phys;
}

static inline uint64_t fmt_address(uint64_t e)
{
    if (FMT_DS)
        return vmsa_oa_ds_addr_49_12((struct vmsa_oa_ds){ e }) << 12 |
               vmsa_oa_ds_addr_51_50((struct vmsa_oa_ds){ e }) << 50;
    if (FMT_WIDE)
        return vmsa_oa_64k_addr_47_16((struct vmsa_oa_64k){ e }) << 16 |
               vmsa_oa_64k_addr_51_48((struct vmsa_oa_64k){ e }) << 48;
    return vmsa_table_addr((struct vmsa_table){ e }) << 12;
}

/* ---- any entry ----------------------------------------------------------- */

static inline bool fmt_present(uint64_t e)
{
    return vmsa_any_valid((struct vmsa_any){ e }) != 0;
}

static inline uint64_t fmt_type_bits(unsigned type)
{
    return vmsa_any_pack(&(struct vmsa_any_fields){ .type = type, .valid = 1 })
        .raw;
}

/* Of an entry above level 0. */
static inline bool fmt_is_table(uint64_t e)
{
    const uint64_t table = fmt_type_bits(VMSA_TYPE_TABLE);

    return (e & table) == table;
}

static inline uint64_t fmt_table(uint64_t phys)
{
    return fmt_place(phys) | fmt_type_bits(VMSA_TYPE_TABLE);
}

static inline uint64_t fmt_leaf_type(unsigned level)
{
    return fmt_type_bits(level > 0 ? VMSA_TYPE_BLOCK : VMSA_TYPE_PAGE);
}

/* The same place in leaves of both stages. */
static inline uint64_t fmt_run_bit(void)
{
    return vmsa_s1_leaf_pack(&(struct vmsa_s1_leaf_fields){ .contiguous = 1 })
        .raw;
}

/* What of leaf `e` holds for the leaves at `level` that take its place: all but
 * the size and the address. */
static inline uint64_t fmt_split(uint64_t e, unsigned level)
{
    const uint64_t address = fmt_place(UIM_MASK(FMT_PHYS_BITS - 1, 12));

    e &= ~(address | fmt_run_bit() | fmt_type_bits(VMSA_TYPE_TABLE));
    return e | fmt_leaf_type(level);
}

#endif
