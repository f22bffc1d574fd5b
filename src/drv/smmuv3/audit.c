/* SPDX-License-Identifier: MIT */
/*
 * audit.c - which tables the unit reads, by its registers (6.3.9, 6.3.14, 6.3.24).
 */
#include "drv/smmuv3/smmuv3.h"

enum { PAGE_LG2 = 12 };

static bool is_on(const struct smmuv3_unit *v, uint32_t bit)
{
    return (uim_rd32(&v->unit, SMMUV3_REG_CR0ACK) & bit) != 0;
}

/* 6.3.14: while it does not translate. */
static bool aborts(const struct smmuv3_unit *v)
{
    const struct smmuv3_gbpa gbpa = { uim_rd32(&v->unit, SMMUV3_REG_GBPA) };

    return smmuv3_gbpa_abort(gbpa) != 0;
}

void smmuv3_audit(struct uim_unit *unit, struct uim_unit_audit *out)
{
    const struct smmuv3_unit *v = smmuv3_unit(unit);
    const bool on = is_on(v, SMMUV3_CR0_BIT(smmuen));

    *out = (struct uim_unit_audit){
        .open = !on && !aborts(v),
        .shut = !on && aborts(v),
        .foreign = on && !smmuv3_streams_programmed(v),
        .trusts = smmuv3_idr0_ats(v->idr0) &&
                  !is_on(v, SMMUV3_CR0_BIT(atschk)),
        .tables = {
            .page_sizes = unit->page_sizes,
            .phys_bits = unit->phys_bits,
            .passes = true,
        },
        .own = {
            { v->strtab_phys, UIM_BIT(PAGE_LG2 + v->strtab_order) },
            { v->queue.ring_phys,
              v->queue.ring ? (uint64_t)SMMUV3_CMD_BYTES << v->queue.log2size
                            : 0 },
            { v->events.ring_phys,
              v->events.ring
                  ? (uint64_t)SMMUV3_EVENT_BYTES << v->events.log2size
                  : 0 },
        },
    };
    uim_requesters_smmuv3(&out->tables, uim_rd64(unit, SMMUV3_REG_STRTAB_BASE),
                          uim_rd32(unit, SMMUV3_REG_STRTAB_BASE_CFG));
}
