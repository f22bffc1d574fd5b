/* SPDX-License-Identifier: MIT */
/*
 * fmt_vmsa_s2.h - Arm VMSAv8-64 stage 2 (DDI0487, D8.3): up to 16 tables lie side
 * by side at the root, which saves a level.
 *
 * AF is set in every leaf when it is made: no device ever faults for the lack of
 * it. What a mapping can ask for:
 *
 *     READ, WRITE  each alone is possible
 *     EXEC         for both privileges; else XN for both
 *     MMIO         Device-nGnRE
 *     CACHE        no bit of its own: what is no MMIO is Write-Back where the unit
 *                  snoops (`snoop`), but a device may still ask for less
 *     PRIV         not known: this stage does not tell privileges apart
 *
 * MemAttr is meant without S2FWB. DBM is never set here; a leaf that has it and
 * cannot be written may be, and is clean.
 */
#ifndef UIM_PT_FMT_VMSA_S2_H
#define UIM_PT_FMT_VMSA_S2_H

#define FMT_CONCAT     4
#define FMT_MAX_LEVELS (FMT_SHIFT == 12 || FMT_DS ? 4 : 3)
#define FMT_FLAGS                                                              \
    (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_EXEC | UIOMMU_MMIO | UIOMMU_CACHE)

#include "pt/fmt_vmsa.h"

static inline unsigned fmt_type_of_memory(unsigned flags, bool snoop)
{
    if (flags & UIOMMU_MMIO)
        return VMSA_MEMATTR_DEVICE_NGNRE;
    return snoop ? VMSA_MEMATTR_WB : VMSA_MEMATTR_NC;
}

/* A leaf but for its address. With FMT_DS, SH of the walk holds for leaves. */
static inline uint64_t fmt_leaf(unsigned level, unsigned flags, bool snoop)
{
    const struct vmsa_s2_leaf_fields f = {
        .xn = flags & UIOMMU_EXEC ? VMSA_XN_ANY : VMSA_XN_NONE,
        .af = 1,
        .sh = FMT_DS  ? 0u
              : snoop ? VMSA_SH_ISH
                      : VMSA_SH_OSH,
        .s2ap = (flags & UIOMMU_READ ? VMSA_S2AP_READ : 0u) |
                (flags & UIOMMU_WRITE ? VMSA_S2AP_WRITE : 0u),
        .memattr = fmt_type_of_memory(flags, snoop),
    };

    return vmsa_s2_leaf_pack(&f).raw | fmt_leaf_type(level);
}

static inline bool fmt_is_rare_as(uint64_t e, unsigned flags)
{
    const struct vmsa_s2_leaf w = { e };
    const bool mmio = vmsa_s2_leaf_memattr(w) == VMSA_MEMATTR_DEVICE_NGNRE;

    return (!(flags & UIOMMU_EXEC) || vmsa_s2_leaf_xn(w) == VMSA_XN_ANY) &&
           mmio == ((flags & UIOMMU_MMIO) != 0);
}

static inline unsigned fmt_rights(uint64_t e)
{
    struct vmsa_s2_leaf w = { e };
    uint64_t ap = vmsa_s2_leaf_s2ap(w);
    bool write = (ap & VMSA_S2AP_WRITE) || vmsa_s2_leaf_dbm(w);

    return (ap & VMSA_S2AP_READ ? UIOMMU_READ : 0u) |
           (write ? UIOMMU_WRITE : 0u);
}

/* Of a leaf that may be written; the unit makes it dirty where STE.S2HD is
 * set. */
static inline bool fmt_dirty(uint64_t e)
{
    return (vmsa_s2_leaf_s2ap((struct vmsa_s2_leaf){ e }) & VMSA_S2AP_WRITE) !=
           0;
}

static inline uint64_t fmt_set_dirty(uint64_t e, bool dirty)
{
    struct vmsa_s2_leaf w = vmsa_s2_leaf_set_dbm((struct vmsa_s2_leaf){ e }, 1);
    uint64_t ap = vmsa_s2_leaf_s2ap(w) & ~(uint64_t)VMSA_S2AP_WRITE;

    return vmsa_s2_leaf_set_s2ap(w, dirty ? ap | VMSA_S2AP_WRITE : ap).raw;
}

#endif
