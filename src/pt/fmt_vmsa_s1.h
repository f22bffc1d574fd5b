/* SPDX-License-Identifier: MIT */
/*
 * fmt_vmsa_s1.h - Arm VMSAv8-64 stage 1 (DDI0487, D8.3): the lower half of the
 * input addresses (TTB0), for StreamWorld NS-EL1.
 *
 * Tables grant everything, so that the leaf alone decides. AF is set in every
 * leaf when it is made: no device ever faults for the lack of it. nG is set too,
 * for a domain has an ASID. What a mapping can ask for:
 *
 *     READ         every valid leaf is readable
 *     WRITE        AP[2] clear; grants READ too, for the format has no other way
 *     EXEC         else UXN and PXN
 *     PRIV         AP[1] clear
 *     MMIO         Device-nGnRE, by AttrIndx: vmsa_mair.h
 *     CACHE        no bit of its own: what is no MMIO is Write-Back where the unit
 *                  snoops (`snoop`), and this overrides what the device asks
 *
 * DBM is never set here; a leaf that has it and is read-only may be written, and
 * is clean.
 */
#ifndef UIM_PT_FMT_VMSA_S1_H
#define UIM_PT_FMT_VMSA_S1_H

#define FMT_CONCAT     0
#define FMT_MAX_LEVELS (FMT_SHIFT == 16 ? 3 : 4 + (FMT_DS && FMT_SHIFT == 12))
#define FMT_FLAGS                                                              \
    (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_EXEC | UIOMMU_MMIO | UIOMMU_PRIV |    \
     UIOMMU_CACHE)

#include "pt/fmt_vmsa.h"
#include "pt/guard.h"
#include "pt/vmsa_mair.h"

/* RAM for everybody, to be read and written. With FMT_DS, SH of the walk holds for
 * leaves. */
static inline uint64_t fmt_ram(bool snoop)
{
    const struct vmsa_s1_leaf_fields wb = {
        .uxn = 1,
        .pxn = 1,
        .ng = 1,
        .af = 1,
        .sh = FMT_DS ? 0 : VMSA_SH_ISH,
        .ap = VMSA_AP_UNPRIVILEGED,
        .attrindx = UIM_PT_VMSA_WB,
    };
    const struct vmsa_s1_leaf_fields nc = {
        .uxn = 1,
        .pxn = 1,
        .ng = 1,
        .af = 1,
        .sh = FMT_DS ? 0 : VMSA_SH_OSH,
        .ap = VMSA_AP_UNPRIVILEGED,
        .attrindx = UIM_PT_VMSA_NC,
    };

    return snoop ? vmsa_s1_leaf_pack(&wb).raw : vmsa_s1_leaf_pack(&nc).raw;
}

static inline uint64_t fmt_read_only_bit(void)
{
    return vmsa_s1_leaf_pack(
               &(struct vmsa_s1_leaf_fields){ .ap = VMSA_AP_READ_ONLY })
        .raw;
}

/* What is asked for rarely: kept out of the way of all others. */
static UIM_PT_APART uint64_t fmt_rare(uint64_t leaf, unsigned flags)
{
    const bool exec = (flags & UIOMMU_EXEC) != 0;
    const bool priv = (flags & UIOMMU_PRIV) != 0;
    struct vmsa_s1_leaf w = { leaf };

    w = vmsa_s1_leaf_set_uxn(w, !exec || priv);
    w = vmsa_s1_leaf_set_pxn(w, !exec);
    if (priv)
        w = vmsa_s1_leaf_set_ap(w, vmsa_s1_leaf_ap(w) & VMSA_AP_READ_ONLY);
    if (flags & UIOMMU_MMIO)
        w = vmsa_s1_leaf_set_attrindx(w, UIM_PT_VMSA_DEVICE);
    return w.raw;
}

/* A leaf but for its address. */
static inline uint64_t fmt_leaf(unsigned level, unsigned flags, bool snoop)
{
    uint64_t leaf = fmt_ram(snoop) | fmt_leaf_type(level);

    if (!(flags & UIOMMU_WRITE))
        leaf |= fmt_read_only_bit();
    if (flags & (UIOMMU_EXEC | UIOMMU_PRIV | UIOMMU_MMIO))
        leaf = fmt_rare(leaf, flags);
    return leaf;
}

static inline bool fmt_is_rare_as(uint64_t e, unsigned flags)
{
    const struct vmsa_s1_leaf w = { e };
    const bool priv = !(vmsa_s1_leaf_ap(w) & VMSA_AP_UNPRIVILEGED);
    const bool mmio = vmsa_s1_leaf_attrindx(w) == UIM_PT_VMSA_DEVICE;

    return (!(flags & UIOMMU_EXEC) || !vmsa_s1_leaf_pxn(w)) &&
           priv == ((flags & UIOMMU_PRIV) != 0) &&
           mmio == ((flags & UIOMMU_MMIO) != 0);
}

static inline bool fmt_read_only(uint64_t e)
{
    return (vmsa_s1_leaf_ap((struct vmsa_s1_leaf){ e }) & VMSA_AP_READ_ONLY) !=
           0;
}

static inline unsigned fmt_rights(uint64_t e)
{
    if (fmt_read_only(e) && !vmsa_s1_leaf_dbm((struct vmsa_s1_leaf){ e }))
        return UIOMMU_READ;
    return UIOMMU_READ | UIOMMU_WRITE;
}

/* Of a leaf that may be written; the unit makes it dirty where CD.HD is set. */
static inline bool fmt_dirty(uint64_t e)
{
    return !fmt_read_only(e);
}

static inline uint64_t fmt_set_dirty(uint64_t e, bool dirty)
{
    struct vmsa_s1_leaf w = vmsa_s1_leaf_set_dbm((struct vmsa_s1_leaf){ e }, 1);
    uint64_t ap = vmsa_s1_leaf_ap(w) & ~(uint64_t)VMSA_AP_READ_ONLY;

    return vmsa_s1_leaf_set_ap(w, dirty ? ap : ap | VMSA_AP_READ_ONLY).raw;
}

#endif
