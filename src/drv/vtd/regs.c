/* SPDX-License-Identifier: MIT */
/*
 * regs.c - global commands (11.4).
 */
#include "drv/vtd/vtd.h"

/* 11.4.4: each write changes one thing, on top of what GSTS says is on; the
 * next write waits until GSTS shows the last. So others wait for reg_lock. */
static bool command(struct vtd_unit *v, uint32_t set, uint32_t clear,
                    uint32_t mask, uint32_t want)
{
    uint32_t levels = vtd_rd32(v, VTD_REG_GSTS) & VTD_GSTS_KEEP;

    vtd_wr32(v, VTD_REG_GCMD, (levels & ~clear) | set);
    return uim_wait32(&v->unit, VTD_REG_GSTS, mask, want);
}

enum uiommu_status vtd_gcmd_switch(struct vtd_unit *v, uint32_t bit, bool on)
{
    uint32_t want = on ? bit : 0;
    bool done;

    uim_spin_lock(&v->unit, v->reg_lock);
    done = (vtd_rd32(v, VTD_REG_GSTS) & bit) == want ||
           command(v, want, bit, bit, want);
    uim_spin_unlock(&v->unit, v->reg_lock);
    return done ? UIOMMU_OK
                : uim_break(&v->unit, "GSTS does not show what GCMD ordered");
}

static bool one_shot(struct vtd_unit *v, uint32_t bit, uint32_t want)
{
    bool done;

    uim_spin_lock(&v->unit, v->reg_lock);
    done = command(v, bit, 0, bit, want);
    uim_spin_unlock(&v->unit, v->reg_lock);
    return done;
}

/* SRTP and SIRTP: their status is cleared by the write and set when done. */
enum uiommu_status vtd_gcmd_latch(struct vtd_unit *v, uint32_t bit)
{
    if (one_shot(v, bit, bit))
        return UIOMMU_OK;
    return uim_break(&v->unit, "a table pointer is not taken over");
}

enum uiommu_status vtd_write_buffer_flush(struct vtd_unit *v)
{
    const uint32_t wbf = VTD_GCMD_BIT(wbf);

    if (!vtd_cap_rwbf(v->cap) || !v->live)
        return UIOMMU_OK;
    if (atomic_load(&v->unit.broken))
        return UIOMMU_TIMEDOUT;
    if (one_shot(v, wbf, 0))
        return UIOMMU_OK;
    return uim_break(&v->unit, "a write buffer flush does not end");
}
