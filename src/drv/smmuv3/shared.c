/* SPDX-License-Identifier: MIT */
/*
 * shared.c - which tables of processors a unit can walk: those from TTBR0 of the first
 * stage. What is below TTBR1 is switched off in the descriptor (EPD1). Units do not set
 * AF or dirty state in them: where these are clear, access faults, and whoever serves it
 * sets them. The ASID is the unit's own, and broadcasts do not reach it (ASET).
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    RUN_64K_LG2 = 16,
    RUN_32M_LG2 = 25,
    BITS_MOST = 48,
};

static const char *lacks(const struct smmuv3_unit *v,
                         const struct uiommu_provider_config *t)
{
    const uint64_t sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30) |
                           UIM_BIT(RUN_64K_LG2) | UIM_BIT(RUN_32M_LG2);

    if (t->tables != UIOMMU_TABLES_VMSA_4K)
        return "it walks tables of VMSAv8-64 only";
    if (!smmuv3_first_stage(v))
        return "it is not used with its first stage";
    if (v->granule_lg2 != 12)
        return "its granule is not 4 KiB";
    if (t->va_bits > BITS_MOST)
        return "it walks no more than 48 bits";
    if (t->page_sizes & ~sizes)
        return "it has no leaves of all their sizes";
    if (t->root >> v->unit.phys_bits != 0)
        return "it does not reach so high an address of a table";
    return NULL;
}

const char *smmuv3_shared_tables(const struct uim_unit *unit,
                                 const struct uiommu_provider_config *tables,
                                 struct uim_pt *pt)
{
    const char *why =
        lacks(uim_container(unit, const struct smmuv3_unit, unit), tables);

    if (why)
        return why;
    pt->ops = &uim_pt_vmsa_s1_4k;
    pt->root_phys = tables->root;
    pt->page_sizes = tables->page_sizes;
    pt->top = (uint8_t)((tables->va_bits - 12u + 8) / 9 - 1);
    pt->iova_bits = tables->va_bits;
    pt->input_bits = tables->va_bits;
    pt->phys_bits = unit->phys_bits;
    return NULL;
}
