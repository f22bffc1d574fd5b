/* SPDX-License-Identifier: MIT */
/*
 * regs_inval.c - invalidation by registers (6.5.1, 11.4.6), for units that have
 * no queue. They have neither scalable mode nor device TLBs, so two commands
 * are all there are. One at a time, and reg_lock is held while it runs: there
 * is only the one register.
 */
#include "drv/vtd/vtd.h"

/* TIMEDOUT: no end. IO: what was done, *actual, says nothing was. */
static enum uiommu_status run(const struct vtd_unit *v, size_t offset,
                              uint64_t command, uint64_t busy, uint64_t actual)
{
    vtd_wr64(v, offset, command | busy);
    if (!uim_wait64(&v->unit, offset, busy, 0))
        return UIOMMU_TIMEDOUT;
    return vtd_rd64(v, offset) & actual ? UIOMMU_OK : UIOMMU_IO;
}

#define ICC  vtd_ccmd_pack(&(struct vtd_ccmd_fields){ .icc = 1 }).raw
#define CAIG vtd_ccmd_pack(&(struct vtd_ccmd_fields){ .caig = 3 }).raw
#define IVT  vtd_iotlb_pack(&(struct vtd_iotlb_fields){ .ivt = 1 }).raw
#define IAIG vtd_iotlb_pack(&(struct vtd_iotlb_fields){ .iaig = 3 }).raw

static size_t iotlb_base(const struct vtd_unit *v)
{
    return (size_t)vtd_ecap_iro(v->ecap) * 16;
}

/* The granularities are coded alike in descriptor and register. */
static enum uiommu_status context(const struct vtd_unit *v,
                                  const struct vtd_desc *d)
{
    const struct vtd_qi_context_lo lo = { d->lo };
    const struct vtd_ccmd_fields ccmd = {
        .cirg = vtd_qi_context_lo_g(lo),
        .did = vtd_qi_context_lo_did(lo),
        .sid = vtd_qi_context_lo_sid(lo),
        .fm = vtd_qi_context_lo_fm(lo),
    };

    return run(v, VTD_REG_CCMD, vtd_ccmd_pack(&ccmd).raw, ICC, CAIG);
}

static enum uiommu_status iotlb(const struct vtd_unit *v,
                                const struct vtd_desc *d)
{
    const struct vtd_qi_iotlb_lo lo = { d->lo };
    const struct vtd_qi_iotlb_hi hi = { d->hi };
    const struct vtd_iva_fields iva = {
        .addr = vtd_qi_iotlb_hi_addr(hi),
        .ih = vtd_qi_iotlb_hi_ih(hi),
        .am = vtd_qi_iotlb_hi_am(hi),
    };
    const struct vtd_iotlb_fields cmd = {
        .iirg = vtd_qi_iotlb_lo_g(lo),
        .did = vtd_qi_iotlb_lo_did(lo),
        .dr = vtd_qi_iotlb_lo_dr(lo),
        .dw = vtd_qi_iotlb_lo_dw(lo),
    };

    vtd_wr64(v, iotlb_base(v) + VTD_IVA_OFFSET, vtd_iva_pack(&iva).raw);
    return run(v, iotlb_base(v) + VTD_IOTLB_OFFSET, vtd_iotlb_pack(&cmd).raw,
               IVT, IAIG);
}

static enum uiommu_status one(const struct vtd_unit *v,
                              const struct vtd_desc *d)
{
    const struct vtd_qi_any_lo lo = { d->lo };

    if (vtd_qi_any_lo_type(lo) == VTD_QI_CONTEXT)
        return context(v, d);
    if (vtd_qi_any_lo_type(lo) == VTD_QI_IOTLB)
        return iotlb(v, d);
    return UIOMMU_IO;
}

enum uiommu_status vtd_submit_by_registers(struct vtd_unit *v,
                                           const struct vtd_batch *b)
{
    enum uiommu_status status = UIOMMU_OK;

    /* Tables are in memory before the command. */
    uim_fence(v->unit.host);
    uim_spin_lock(&v->unit, v->reg_lock);
    for (unsigned i = 0; status == UIOMMU_OK && i < b->n; i++)
        status = one(v, &b->desc[i]);
    uim_spin_unlock(&v->unit, v->reg_lock);
    if (status == UIOMMU_TIMEDOUT)
        return uim_break(&v->unit, "an invalidation is not completed");
    return status;
}

enum uiommu_status vtd_registers_idle(struct vtd_unit *v)
{
    if (uim_wait64(&v->unit, VTD_REG_CCMD, ICC, 0) &&
        uim_wait64(&v->unit, iotlb_base(v) + VTD_IOTLB_OFFSET, IVT, 0))
        return UIOMMU_OK;
    return uim_break(&v->unit,
                     "an invalidation that firmware started does not end");
}
