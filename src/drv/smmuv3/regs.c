/* SPDX-License-Identifier: MIT */
/*
 * regs.c - registers that answer by another one, or by a bit of their own.
 */
#include "drv/smmuv3/smmuv3.h"

enum { PAGE_SIZE = 4096 };

/* 6.3.9: a field keeps its old meaning until the answer shows the new one, and must
 * not be changed before: neither after a change of our own nor after the last one of
 * whoever had the unit. Whoever changes one has the unit for itself: start, stop, suspend
 * and resume. */
static enum uiommu_status change(struct smmuv3_unit *v, size_t reg, size_t ack,
                                 uint32_t mask, uint32_t bits)
{
    uint32_t value = uim_rd32(&v->unit, reg);

    if (uim_wait32(&v->unit, ack, mask, value & mask)) {
        uim_wr32(&v->unit, reg, (value & ~mask) | bits);
        if (uim_wait32(&v->unit, ack, mask, bits))
            return UIOMMU_OK;
    }
    return uim_break(&v->unit, "it does not acknowledge what it was told");
}

enum uiommu_status smmuv3_cr0(struct smmuv3_unit *v, uint32_t mask,
                              uint32_t bits)
{
    return change(v, SMMUV3_REG_CR0, SMMUV3_REG_CR0ACK, mask, bits);
}

enum uiommu_status smmuv3_irq_ctrl(struct smmuv3_unit *v, uint32_t bits)
{
    const struct smmuv3_irq_ctrl_fields all = {
        .gerror_irqen = 1,
        .priq_irqen = smmuv3_idr0_pri(v->idr0),
        .eventq_irqen = 1,
    };

    return change(v, SMMUV3_REG_IRQ_CTRL, SMMUV3_REG_IRQ_CTRLACK,
                  (uint32_t)smmuv3_irq_ctrl_pack(&all).raw, bits);
}

#define GBPA_UPDATE                                                            \
    ((uint32_t)smmuv3_gbpa_pack(&(struct smmuv3_gbpa_fields){ .update = 1 })   \
         .raw)

static bool gbpa_settled(const struct smmuv3_unit *v)
{
    return uim_wait32(&v->unit, SMMUV3_REG_GBPA, GBPA_UPDATE, 0);
}

enum uiommu_status smmuv3_gbpa_read(struct smmuv3_unit *v,
                                    struct smmuv3_gbpa *gbpa)
{
    if (!gbpa_settled(v))
        return uim_break(&v->unit, "GBPA does not settle");
    gbpa->raw = uim_rd32(&v->unit, SMMUV3_REG_GBPA);
    return UIOMMU_OK;
}

enum uiommu_status smmuv3_gbpa_write(struct smmuv3_unit *v,
                                     struct smmuv3_gbpa gbpa)
{
    if (gbpa_settled(v)) {
        uim_wr32(&v->unit, SMMUV3_REG_GBPA, (uint32_t)gbpa.raw | GBPA_UPDATE);
        if (gbpa_settled(v))
            return UIOMMU_OK;
    }
    return uim_break(&v->unit, "GBPA is not taken over");
}

unsigned smmuv3_order(uint64_t bytes)
{
    return bytes > PAGE_SIZE ? uim_log2(bytes - 1) + 1 - 12 : 0;
}
