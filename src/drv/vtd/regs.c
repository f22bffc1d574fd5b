/* SPDX-License-Identifier: MIT */
/*
 * regs.c - register access and global commands (11.4).
 */
#include "drv/vtd/vtd.h"

uint32_t vtd_rd32(const struct vtd_unit *v, size_t offset)
{
    const struct uiommu_host *h = v->unit.host;

    return h->mmio_read32(h->ctx, v->mmio, offset);
}

uint64_t vtd_rd64(const struct vtd_unit *v, size_t offset)
{
    const struct uiommu_host *h = v->unit.host;

    return h->mmio_read64(h->ctx, v->mmio, offset);
}

void vtd_wr32(const struct vtd_unit *v, size_t offset, uint32_t value)
{
    const struct uiommu_host *h = v->unit.host;

    h->mmio_write32(h->ctx, v->mmio, offset, value);
}

void vtd_wr64(const struct vtd_unit *v, size_t offset, uint64_t value)
{
    const struct uiommu_host *h = v->unit.host;

    h->mmio_write64(h->ctx, v->mmio, offset, value);
}

void vtd_lock(const struct vtd_unit *v, void *spin)
{
    v->unit.host->spin_lock(v->unit.host->ctx, spin);
}

void vtd_unlock(const struct vtd_unit *v, void *spin)
{
    v->unit.host->spin_unlock(v->unit.host->ctx, spin);
}

uint64_t vtd_now(const struct vtd_unit *v)
{
    return v->unit.host->now_ns(v->unit.host->ctx);
}

void vtd_relax(const struct vtd_unit *v)
{
    if (v->unit.host->relax)
        v->unit.host->relax(v->unit.host->ctx);
}

/* ---- waiting ------------------------------------------------------------- */

/* Lateness is judged before the look: a thread that was away for long between
 * the two finds what happened meanwhile. */
bool vtd_wait64(const struct vtd_unit *v, size_t offset, uint64_t mask,
                uint64_t want)
{
    uint64_t start = vtd_now(v);
    bool late;

    for (;;) {
        late = vtd_now(v) - start > v->timeout_ns;
        if ((vtd_rd64(v, offset) & mask) == want)
            return true;
        if (late)
            return false;
        vtd_relax(v);
    }
}

bool vtd_wait32(const struct vtd_unit *v, size_t offset, uint32_t mask,
                uint32_t want)
{
    uint64_t start = vtd_now(v);
    bool late;

    for (;;) {
        late = vtd_now(v) - start > v->timeout_ns;
        if ((vtd_rd32(v, offset) & mask) == want)
            return true;
        if (late)
            return false;
        vtd_relax(v);
    }
}

enum uiommu_status vtd_break(struct vtd_unit *v, const char *what)
{
    if (!atomic_exchange(&v->unit.broken, true))
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "vtd unit at 0x%lx: %s; it is not waited for any more",
                v->unit.base, what);
    return UIOMMU_TIMEDOUT;
}

/* ---- GCMD ---------------------------------------------------------------- */

/* 11.4.4: each write changes one thing, on top of what GSTS says is on; the
 * next write waits until GSTS shows the last. So others wait for reg_lock. */
static bool command(struct vtd_unit *v, uint32_t set, uint32_t clear,
                    uint32_t mask, uint32_t want)
{
    uint32_t levels = vtd_rd32(v, VTD_REG_GSTS) & VTD_GSTS_KEEP;

    vtd_wr32(v, VTD_REG_GCMD, (levels & ~clear) | set);
    return vtd_wait32(v, VTD_REG_GSTS, mask, want);
}

enum uiommu_status vtd_gcmd_switch(struct vtd_unit *v, uint32_t bit, bool on)
{
    uint32_t want = on ? bit : 0;
    bool done;

    vtd_lock(v, v->reg_lock);
    done = (vtd_rd32(v, VTD_REG_GSTS) & bit) == want ||
           command(v, want, bit, bit, want);
    vtd_unlock(v, v->reg_lock);
    return done ? UIOMMU_OK
                : vtd_break(v, "GSTS does not show what GCMD ordered");
}

static bool one_shot(struct vtd_unit *v, uint32_t bit, uint32_t want)
{
    bool done;

    vtd_lock(v, v->reg_lock);
    done = command(v, bit, 0, bit, want);
    vtd_unlock(v, v->reg_lock);
    return done;
}

/* SRTP and SIRTP: their status is cleared by the write and set when done. */
enum uiommu_status vtd_gcmd_latch(struct vtd_unit *v, uint32_t bit)
{
    if (one_shot(v, bit, bit))
        return UIOMMU_OK;
    return vtd_break(v, "a table pointer is not taken over");
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
    return vtd_break(v, "a write buffer flush does not end");
}
