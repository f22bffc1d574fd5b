/* SPDX-License-Identifier: MIT */
/*
 * shared.c - which tables of processors a unit can walk (3.6, 9.7): the first stage has
 * the layout that they have. It sets A, and D where it writes, as a processor does. Where
 * what a process has of the kernel begins, it is stopped: U/S is 0 there.
 */
#include "drv/vtd/vtd.h"

/* Is an IA32_PAT of memory types that there are? */
static bool types_ok(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t type = pat >> 8 * i & 0xff;

        if (type > VTD_MT_UC_MINUS || type == 2 || type == 3)
            return false;
    }
    return true;
}

static const char *lacks(const struct vtd_unit *v,
                         const struct uiommu_provider_config *t)
{
    uint64_t sizes = UIM_BIT(12) | UIM_BIT(21);

    if (t->tables != UIOMMU_TABLES_X86_64)
        return "it walks tables of x86-64 only";
    if (!vtd_has_pasids(v) || !vtd_ecap_fsts(v->ecap))
        return "it has no first stage, or is not in a mode that has";
    if (!vtd_ecap_smpwcs(v->ecap))
        return "its walks do not snoop the processor's caches";
    if (t->va_bits > 48 && !vtd_cap_fs5lp(v->cap))
        return "it walks no more than 4 levels";
    if (vtd_cap_fs1gp(v->cap))
        sizes |= UIM_BIT(30);
    if (t->page_sizes & ~sizes)
        return "it has no leaves of all their sizes";
    if (t->root >> v->unit.phys_bits != 0)
        return "it does not reach so high an address of a table";
    if (vtd_ecap_mts(v->ecap) && !types_ok(t->attributes))
        return "it does not know all types of memory of their PAT";
    return NULL;
}

const char *vtd_shared_tables(const struct uim_unit *unit,
                              const struct uiommu_provider_config *tables,
                              struct uim_pt *pt)
{
    const char *why =
        lacks(uim_container(unit, const struct vtd_unit, unit), tables);

    if (why)
        return why;
    pt->ops = &uim_pt_vtd_fs;
    pt->root_phys = tables->root;
    pt->page_sizes = tables->page_sizes;
    pt->top = tables->va_bits > 48 ? 4 : 3;
    pt->iova_bits = tables->va_bits - 1; /* the lower half */
    pt->input_bits = pt->iova_bits;
    pt->phys_bits = unit->phys_bits;
    return NULL;
}
