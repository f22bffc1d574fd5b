/* SPDX-License-Identifier: MIT */
/*
 * life.c - from what firmware left to translation on, and back (11.4.4,
 * semantics B.23).
 *
 * Registers and memory are kept apart: what prepare allocates and firmware's
 * requesters get set in it is what enable, and resume, make hardware read.
 */
#include "drv/vtd/vtd.h"

#include "base/mem.h"

/* Numbers of messages. */
enum { FAULT_MSI = 0, REQUEST_MSI = 1 };

static bool is_on(const struct vtd_unit *v, uint32_t bit)
{
    return (vtd_rd32(v, VTD_REG_GSTS) & bit) != 0;
}

/* ---- memory and locks ---------------------------------------------------- */

static enum uiommu_status dids_create(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    v->n_dids = UINT32_C(1) << (4 + 2 * vtd_cap_nd(v->cap));
    v->dids = h->alloc(h->ctx, vtd_dids_size(v));
    if (!v->dids)
        return UIOMMU_NOMEM;
    memset(v->dids, 0, vtd_dids_size(v));
    v->dids[0] = UIM_MASK(VTD_DID_FIRST - 1, 0);
    v->did_identity = VTD_DID_IDENTITY;
    return UIOMMU_OK;
}

static enum uiommu_status locks_create(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    v->table_lock = h->mutex_create(h->ctx);
    v->unit.entry_lock = h->spin_create(h->ctx);
    v->did_lock = h->spin_create(h->ctx);
    v->reg_lock = h->spin_create(h->ctx);
    v->fault_lock = h->spin_create(h->ctx);
    if (v->table_lock && v->unit.entry_lock && v->did_lock && v->reg_lock &&
        v->fault_lock)
        return UIOMMU_OK;
    return UIOMMU_NOMEM;
}

/* Without one, or if there is none left, the embedder has to poll. */
static void events_create(struct vtd_unit *v)
{
    uim_message_alloc(&v->unit, FAULT_MSI, "faults", &v->fault_event);
    if (v->unit.requests)
        uim_message_alloc(&v->unit, REQUEST_MSI, "page requests",
                          &v->request_event);
}

static enum uiommu_status create(struct vtd_unit *v)
{
    enum uiommu_status status = locks_create(v);

    if (status == UIOMMU_OK)
        status = dids_create(v);
    if (status == UIOMMU_OK)
        status = vtd_tables_create(v);
    if (status == UIOMMU_OK)
        status = vtd_queue_create(v);
    if (status == UIOMMU_OK)
        status = vtd_interrupts_create(v);
    if (status == UIOMMU_OK)
        status = vtd_requests_create(v);
    if (status == UIOMMU_OK)
        events_create(v);
    return status;
}

static void locks_destroy(const struct vtd_unit *v)
{
    uim_spin_free(&v->unit, v->unit.entry_lock);
    uim_spin_free(&v->unit, v->did_lock);
    uim_spin_free(&v->unit, v->reg_lock);
    uim_spin_free(&v->unit, v->fault_lock);
    if (v->table_lock)
        v->unit.host->mutex_destroy(v->unit.host->ctx, v->table_lock);
}

/* Also of a unit that probe or prepare gave up half way. What hardware did not
 * let go of stays allocated for ever: it may still read there. */
void vtd_release(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    const struct uiommu_host *h = unit->host;

    if (v->ours && vtd_queue_stop(v) != UIOMMU_OK)
        v->stuck = true;
    vtd_queue_destroy(v);
    vtd_requests_destroy(v);
    vtd_interrupts_destroy(v);
    if (!v->stuck && !v->left)
        vtd_tables_destroy(v);
    vtd_retired_destroy(v, !v->stuck && !v->left);
    vtd_adopted_destroy(v);
    if (v->dids)
        h->free(h->ctx, v->dids, vtd_dids_size(v));
    uim_message_free(unit, FAULT_MSI, &v->fault_event);
    uim_message_free(unit, REQUEST_MSI, &v->request_event);
    locks_destroy(v);
    uim_registers_unmap(unit);
    h->free(h->ctx, v, sizeof(*v));
}

/* ---- events -------------------------------------------------------------- */

/* FECTL, IECTL and PECTL are alike. Bits 29:0 are to be preserved. */
static void event_mask(const struct vtd_unit *v, size_t control, bool masked)
{
    struct vtd_fectl fectl = { vtd_rd32(v, control) };

    fectl = vtd_fectl_set_im(fectl, masked);
    vtd_wr32(v, control, (uint32_t)fectl.raw);
}

static void events_off(const struct vtd_unit *v)
{
    event_mask(v, VTD_REG_FECTL, true);
    if (vtd_ecap_qi(v->ecap))
        event_mask(v, VTD_REG_IECTL, true);
    if (vtd_ecap_prs(v->ecap))
        event_mask(v, VTD_REG_PECTL, true);
}

/* Control, data, address, upper address: four registers one after the other. */
static void event_on(const struct vtd_unit *v, const struct uim_message *event,
                     size_t control)
{
    const struct vtd_fedata_fields data = { .imd = event->data };
    const struct vtd_feaddr_fields low = { .ma = (uint32_t)event->addr >> 2 };

    if (!event->given)
        return;
    vtd_wr32(v, control + 4, (uint32_t)vtd_fedata_pack(&data).raw);
    vtd_wr32(v, control + 8, (uint32_t)vtd_feaddr_pack(&low).raw);
    vtd_wr32(v, control + 12, (uint32_t)(event->addr >> 32));
    event_mask(v, control, false);
    (void)vtd_rd32(v, control); /* has arrived before TE does */
}

/* ---- what firmware left -------------------------------------------------- */

static enum uiommu_status interrupt_remapping_off(struct vtd_unit *v)
{
    if (v->unit.remap || !is_on(v, VTD_GCMD_BIT(ire)))
        return UIOMMU_OK; /* else our table replaces it */
    uim_log(v->unit.u, UIOMMU_LOG_WARN,
            "vtd unit at 0x%lx: interrupt remapping was left on and is "
            "switched off",
            v->unit.base);
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(ire), false);
}

/* Until revision 4.0 faults could go to a log in memory instead of records. */
static enum uiommu_status fault_log_off(struct vtd_unit *v)
{
    if (!vtd_cap_afl(v->cap) || !is_on(v, VTD_GCMD_BIT(eafl)))
        return UIOMMU_OK;
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(eafl), false);
}

/* The registers of the queue and of events, whoever used them before. The queue
 * may be ours, after a sleep that kept the registers. */
static enum uiommu_status start_queue(struct vtd_unit *v)
{
    enum uiommu_status status;

    v->ours = true;
    events_off(v);
    status = interrupt_remapping_off(v);
    if (status == UIOMMU_OK)
        status = fault_log_off(v);
    if (status == UIOMMU_OK)
        status = vtd_queue_stop(v);
    if (status == UIOMMU_OK)
        status = vtd_registers_idle(v);
    vtd_faults_clear(v);
    if (status == UIOMMU_OK)
        status = vtd_queue_start(v);
    return status;
}

/* Without ESRTPS the mode must not change while translation is on (11.4.5), and
 * between off and on again every device reaches everything. Taking over without
 * that gap is possible in the same mode only. */
static enum uiommu_status leave_other_mode(struct vtd_unit *v, unsigned ttm)
{
    struct vtd_rtaddr found;

    if (!is_on(v, VTD_GCMD_BIT(te)))
        return UIOMMU_OK;
    found.raw = vtd_rd64(v, VTD_REG_RTADDR);
    if (vtd_rtaddr_ttm(found) == ttm || vtd_cap_esrtps(v->cap))
        return UIOMMU_OK;
    if (v->unit.adopt) {
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "vtd unit at 0x%lx aborts all DMA, and cannot leave that mode "
                "without a gap",
                v->unit.base);
        return UIOMMU_OPNOTSUPP;
    }
    uim_log(v->unit.u, UIOMMU_LOG_WARN,
            "vtd unit at 0x%lx: firmware left translation on in another mode; "
            "it is off for a moment, and DMA unconfined",
            v->unit.base);
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(te), false);
}

/* Regions that firmware protected from all DMA, while there was no translation
 * (11.4.8). */
static enum uiommu_status protection_off(struct vtd_unit *v)
{
    const struct vtd_pmen_fields prs = { .prs = 1 };
    struct vtd_pmen pmen;

    if (!vtd_cap_plmr(v->cap) && !vtd_cap_phmr(v->cap))
        return UIOMMU_OK;
    pmen.raw = vtd_rd32(v, VTD_REG_PMEN);
    pmen = vtd_pmen_set_epm(pmen, 0);
    vtd_wr32(v, VTD_REG_PMEN, (uint32_t)pmen.raw);
    if (uim_wait32(&v->unit, VTD_REG_PMEN, (uint32_t)vtd_pmen_pack(&prs).raw,
                   0))
        return UIOMMU_OK;
    return uim_break(&v->unit,
                     "protected memory regions cannot be switched off");
}

/* ---- tables -------------------------------------------------------------- */

enum uiommu_status vtd_root_switch(struct vtd_unit *v, struct vtd_rtaddr to)
{
    enum uiommu_status status;

    vtd_wr64(v, VTD_REG_RTADDR, to.raw);
    status = vtd_gcmd_latch(v, VTD_GCMD_BIT(srtp));
    if (status == UIOMMU_OK && !vtd_cap_esrtps(v->cap))
        status = vtd_invalidate_all(v);
    return status;
}

/* From the latch on the unit reads our tables, if translation was left on; what
 * it cached before is dropped at once, by itself where ESRTPS. */
static enum uiommu_status point_to_tables(struct vtd_unit *v)
{
    unsigned ttm = vtd_has_pasids(v) ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;
    struct vtd_rtaddr_fields rtaddr = {
        .rta = v->root_phys >> 12,
        .ttm = ttm,
    };
    enum uiommu_status status = leave_other_mode(v, ttm);

    if (status != UIOMMU_OK)
        return status;
    v->live = true;
    uim_fence(v->unit.host);
    status = vtd_write_buffer_flush(v);
    if (status != UIOMMU_OK)
        return status;
    return vtd_root_switch(v, vtd_rtaddr_pack(&rtaddr));
}

static enum uiommu_status switch_on(struct vtd_unit *v)
{
    enum uiommu_status status = point_to_tables(v);

    if (status != UIOMMU_OK)
        return status;
    vtd_requests_start(v);
    event_on(v, &v->fault_event, VTD_REG_FECTL);
    event_on(v, &v->request_event, VTD_REG_PECTL);
    status = vtd_interrupts_on(v);
    if (status == UIOMMU_OK)
        status = vtd_gcmd_switch(v, VTD_GCMD_BIT(te), true);
    if (status == UIOMMU_OK)
        status = protection_off(v);
    return status;
}

/* ---- operations ---------------------------------------------------------- */

enum uiommu_status vtd_prepare(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    enum uiommu_status status = create(v);

    if (status == UIOMMU_OK)
        status = vtd_adopt(v);
    return status == UIOMMU_OK ? start_queue(v) : status;
}

enum uiommu_status vtd_enable(struct uim_unit *unit)
{
    return switch_on(vtd_unit(unit));
}

enum uiommu_status vtd_disable(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    const uint32_t te = VTD_GCMD_BIT(te);

    events_off(v);
    if ((!is_on(v, te) || vtd_gcmd_switch(v, te, false) == UIOMMU_OK) &&
        vtd_interrupts_off(v) == UIOMMU_OK) {
        v->live = false;
        atomic_store(&unit->broken, false); /* it uses nothing it has cached */
        return UIOMMU_OK;
    }
    v->stuck = true;
    v->live = true; /* also after a resume that failed: nothing is confirmed */
    uim_log(unit->u, UIOMMU_LOG_ERROR,
            "vtd unit at 0x%lx: translation cannot be switched off; its "
            "tables stay allocated",
            unit->base);
    return uim_break(&v->unit, "translation stays on");
}

static enum uiommu_status translation_give_back(struct vtd_unit *v)
{
    if (v->adopted.on)
        return vtd_root_switch(v, v->adopted.root);
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(te), false);
}

/* Asked anew, like at a resume. If it does not answer, it goes on reading our tables,
 * and is told of whatever changes in them. */
enum uiommu_status vtd_give_back(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    enum uiommu_status interrupts = UIOMMU_OK, root;

    if (!v->live)
        return UIOMMU_OK;
    events_off(v);
    atomic_store(&unit->broken, false);
    if (unit->remap)
        interrupts = vtd_interrupts_give_back(v);
    root = translation_give_back(v);
    if (root == UIOMMU_OK && interrupts == UIOMMU_OK) {
        v->live = false;
        return UIOMMU_OK;
    }
    v->stuck = true;
    return uim_break(&v->unit, "it may go on with tables that stay allocated");
}

/* Translation stays on for as long as the unit has power. */
enum uiommu_status vtd_suspend(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);

    events_off(v);
    v->live = false;
    return vtd_queue_stop(v);
}

enum uiommu_status vtd_leave(struct uim_unit *unit)
{
    enum uiommu_status status = vtd_suspend(unit);

    vtd_unit(unit)->left = true;
    return atomic_load(&unit->broken) ? UIOMMU_TIMEDOUT : status;
}

/* Whatever the unit did not answer before, it is asked anew: nothing is cached
 * any more that could be stale. */
enum uiommu_status vtd_resume(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    enum uiommu_status status;

    atomic_store(&unit->broken, false);
    status = start_queue(v);
    if (status == UIOMMU_OK)
        status = switch_on(v);
    if (status != UIOMMU_OK)
        atomic_store(&unit->broken, true);
    return status;
}
