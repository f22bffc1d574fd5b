/* SPDX-License-Identifier: MIT */
/*
 * shared.c - which tables of processors a unit can walk: those from TTBR0 of the first
 * stage. What is below TTBR1 is switched off in the descriptor (EPD1). Units do not set
 * AF or dirty state in them: where these are clear, access faults, and whoever serves it
 * sets them. The ASID is the unit's own, and broadcasts do not reach it (ASET).
 */
#include "drv/smmuv3/smmuv3.h"

enum { BITS_MOST = 48, LARGEST_LG2 = 34 };

/* By granule; NULL: not of VMSAv8-64. */
static const struct uim_pt_ops *format_of(enum uiommu_tables tables)
{
    switch (tables) {
    case UIOMMU_TABLES_VMSA_4K:
        return &uim_pt_vmsa_s1_4k;
    case UIOMMU_TABLES_VMSA_16K:
        return &uim_pt_vmsa_s1_16k;
    case UIOMMU_TABLES_VMSA_64K:
        return &uim_pt_vmsa_s1_64k;
    default:
        return NULL;
    }
}

/* Of addresses of 48 bits: larger ones are those of 52 (IDR5.VAX). */
static uint64_t sizes_of(const struct uim_pt_ops *format)
{
    return (format->page_sizes | format->run_sizes) & UIM_MASK(LARGEST_LG2, 0);
}

static const char *lacks(const struct smmuv3_unit *v,
                         const struct uiommu_provider_config *t,
                         const struct uim_pt *pt)
{
    if (!pt->ops)
        return "it walks tables of VMSAv8-64 only";
    if (!smmuv3_first_stage(v))
        return "it is not used with its first stage";
    if (!smmuv3_has_granule(v, smmuv3_granule_lg2(pt)))
        return "it walks no tables of their granule";
    if (t->va_bits > BITS_MOST)
        return "it walks no more than 48 bits";
    if (t->page_sizes & ~sizes_of(pt->ops))
        return "it has no leaves of all their sizes";
    if (t->root >> v->unit.phys_bits != 0)
        return "it does not reach so high an address of a table";
    return NULL;
}

/* Tables of VMSAv8-64 have entries of 8 bytes, and the root is the rest. */
static uint8_t top_of(const struct uim_pt *pt, unsigned bits)
{
    const unsigned page = smmuv3_granule_lg2(pt), entries = page - 3;

    return (uint8_t)((bits - page + entries - 1) / entries - 1);
}

const char *smmuv3_shared_tables(const struct uim_unit *unit,
                                 const struct uiommu_provider_config *tables,
                                 struct uim_pt *pt)
{
    const char *why;

    pt->ops = format_of(tables->tables);
    why =
        lacks(uim_container(unit, const struct smmuv3_unit, unit), tables, pt);
    if (why)
        return why;
    pt->root_phys = tables->root;
    pt->page_sizes = tables->page_sizes;
    pt->top = top_of(pt, tables->va_bits);
    pt->iova_bits = tables->va_bits;
    pt->input_bits = tables->va_bits;
    pt->phys_bits = unit->phys_bits;
    return NULL;
}
