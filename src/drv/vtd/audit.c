/* SPDX-License-Identifier: MIT */
/*
 * audit.c - which tables the unit reads, by its registers (11.4.4, 11.4.5, 11.4.10).
 */
#include "drv/vtd/vtd.h"

enum { PAGE_BYTES = 4096 };

static uint64_t snoop_bit(void)
{
    const struct vtd_ss_pte_fields snoop = { .snp = 1 };

    return vtd_ss_pte_pack(&snoop).raw;
}

static struct uim_requesters tables(const struct vtd_unit *v,
                                    struct vtd_rtaddr root)
{
    struct uim_requesters t = {
        .page_sizes = v->unit.page_sizes,
        .phys_bits = v->unit.phys_bits,
        .passes = vtd_ecap_pt(v->ecap) != 0,
    };

    if (v->mode != VTD_FIRST_STAGE && vtd_ecap_sc(v->ecap))
        t.unreserved = snoop_bit();
    if (vtd_rtaddr_ttm(root) == VTD_TTM_LEGACY)
        uim_requesters_vtd_legacy(&t, root.raw);
    else
        uim_requesters_vtd_scalable(&t, root.raw);
    return t;
}

static const char *interrupts(const struct vtd_unit *v, struct vtd_gsts gsts)
{
    const struct vtd_irta irta = { vtd_rd64(v, VTD_REG_IRTA) };

    if (!v->unit.remap)
        return NULL;
    if (!vtd_gsts_ires(gsts))
        return "interrupt remapping is off";
    if (vtd_gsts_cfis(gsts))
        return "messages in compatibility format pass";
    if (vtd_irta_irta(irta) != v->irt_phys >> 12)
        return "its interrupt table is not uiommu's";
    return NULL;
}

/* A reserved mode is one in which nobody knows what it does. */
void vtd_audit(struct uim_unit *unit, struct uim_unit_audit *out)
{
    const struct vtd_unit *v = vtd_unit(unit);
    const struct vtd_gsts gsts = { vtd_rd32(v, VTD_REG_GSTS) };
    const struct vtd_rtaddr root = { vtd_rd64(v, VTD_REG_RTADDR) };
    const unsigned ttm = vtd_has_pasids(v) ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;

    *out = (struct uim_unit_audit){
        .open = !vtd_gsts_tes(gsts) || vtd_rtaddr_ttm(root) == VTD_TTM_RESERVED,
        .shut = vtd_rtaddr_ttm(root) == VTD_TTM_ABORT,
        .interrupts = interrupts(v, gsts),
        .own = {
            { v->root_phys, PAGE_BYTES },
            { v->queue.ring_phys, (uint64_t)PAGE_BYTES << v->queue.wide },
            { v->queue.status_phys, PAGE_BYTES },
            { v->irt_phys, v->irt ? (uint64_t)PAGE_BYTES << VTD_IRT_ORDER : 0 },
        },
    };
    out->foreign = !out->shut && (vtd_rtaddr_rta(root) != v->root_phys >> 12 ||
                                  vtd_rtaddr_ttm(root) != ttm);
    out->tables = tables(v, root);
}
