/* SPDX-License-Identifier: MIT */
/*
 * life.c - from what firmware left to translation on, and back (3.11, 6.3.9, semantics
 * B.23).
 *
 * The stream table can only be exchanged while SMMUEN is 0 (6.3.24). Where it was 1,
 * GBPA aborts everything meanwhile: there is no moment in which a device reaches more
 * than it did. So it stays where a start fails: what confined devices before is gone.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"

static const char *const irq_names[] = {
    [SMMUV3_IRQ_EVENT] = "events",
    [SMMUV3_IRQ_GERROR] = "global errors",
    [SMMUV3_IRQ_REQUEST] = "page requests",
};

/* ---- memory and locks ---------------------------------------------------- */

static enum uiommu_status locks_create(struct smmuv3_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    v->table_lock = h->mutex_create(h->ctx);
    v->unit.entry_lock = h->spin_create(h->ctx);
    v->id_lock = h->spin_create(h->ctx);
    v->event_lock = h->spin_create(h->ctx);
    if (v->table_lock && v->unit.entry_lock && v->id_lock && v->event_lock)
        return UIOMMU_OK;
    return UIOMMU_NOMEM;
}

/* Without one, or if there is none left, lines are wired, or the embedder polls. */
static void msi_create(struct smmuv3_unit *v, unsigned n)
{
    if (smmuv3_idr0_msi(v->idr0))
        uim_message_alloc(&v->unit, n, irq_names[n], &v->irq[n]);
}

static enum uiommu_status create(struct smmuv3_unit *v)
{
    enum uiommu_status status = locks_create(v);

    if (status == UIOMMU_OK)
        status = smmuv3_ids_create(v);
    if (status == UIOMMU_OK)
        status = smmuv3_streams_create(v);
    if (status == UIOMMU_OK)
        status = smmuv3_queue_create(v);
    if (status == UIOMMU_OK)
        status = smmuv3_events_create(v);
    if (status == UIOMMU_OK)
        status = smmuv3_requests_create(v);
    if (status != UIOMMU_OK)
        return status;
    msi_create(v, SMMUV3_IRQ_EVENT);
    msi_create(v, SMMUV3_IRQ_GERROR);
    if (v->unit.requests)
        msi_create(v, SMMUV3_IRQ_REQUEST);
    return UIOMMU_OK;
}

/* What CR0 has but SMMUEN and ATSCHK. */
static uint32_t queues_and_more(const struct smmuv3_unit *v)
{
    const struct smmuv3_cr0_fields cr0 = {
        .cmdqen = 1,
        .eventqen = 1,
        .priqen = smmuv3_idr0_pri(v->idr0),
        .vmw = smmuv3_idr0_vmw(v->idr0) ? 7 : 0,
        .dpt_walk_en = smmuv3_idr3_dpt(v->idr3),
    };

    return (uint32_t)smmuv3_cr0_pack(&cr0).raw;
}

/* Queues off: what they were told is carried out, or given up. So is what somebody else
 * switched on, and is not used here. */
static void quiesce(struct smmuv3_unit *v)
{
    if (smmuv3_irq_ctrl(v, 0) != UIOMMU_OK ||
        smmuv3_cr0(v, queues_and_more(v), 0) != UIOMMU_OK)
        v->stuck = true;
}

/* Also of a unit that probe or prepare gave up half way. What hardware did not let go
 * of stays allocated for ever: it may still read there. */
void smmuv3_release(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    const struct uiommu_host *h = unit->host;

    if (v->ours)
        quiesce(v);
    smmuv3_queue_destroy(v);
    smmuv3_events_destroy(v);
    smmuv3_requests_destroy(v);
    if (!v->stuck)
        smmuv3_streams_destroy(v);
    if (v->ids)
        h->free(h->ctx, v->ids, smmuv3_ids_size(v));
    for (unsigned n = 0; !v->stuck && n <= SMMUV3_IRQ_REQUEST; n++)
        uim_message_free(unit, n, &v->irq[n]);
    uim_spin_free(unit, unit->entry_lock);
    uim_spin_free(unit, v->id_lock);
    uim_spin_free(unit, v->event_lock);
    if (v->table_lock)
        h->mutex_destroy(h->ctx, v->table_lock);
    uim_registers_unmap(unit);
    h->free(h->ctx, v, sizeof(*v));
}

/* ---- interrupts (3.18) --------------------------------------------------- */

static void irq_program(const struct smmuv3_unit *v, unsigned n, size_t cfg)
{
    const struct uim_message *irq = &v->irq[n];
    const struct smmuv3_irq_cfg0_fields where = {
        .addr = irq->given ? irq->addr >> 2 : 0,
    };

    if (!smmuv3_idr0_msi(v->idr0))
        return;
    uim_wr64(&v->unit, cfg, smmuv3_irq_cfg0_pack(&where).raw);
    uim_wr32(&v->unit, cfg + 8, irq->data);
    /* memory type Device-nGnRE */
    uim_wr32(&v->unit, cfg + 12, VMSA_MEMATTR_DEVICE_NGNRE);
}

static enum uiommu_status irqs_on(struct smmuv3_unit *v)
{
    const struct smmuv3_irq_ctrl_fields on = {
        .eventq_irqen = 1,
        .gerror_irqen = 1,
        .priq_irqen = v->unit.requests,
    };

    irq_program(v, SMMUV3_IRQ_EVENT, SMMUV3_REG_EVENTQ_IRQ_CFG0);
    irq_program(v, SMMUV3_IRQ_GERROR, SMMUV3_REG_GERROR_IRQ_CFG0);
    if (v->unit.requests)
        irq_program(v, SMMUV3_IRQ_REQUEST, SMMUV3_REG_PRIQ_IRQ_CFG0);
    return smmuv3_irq_ctrl(v, (uint32_t)smmuv3_irq_ctrl_pack(&on).raw);
}

/* ---- from off to on ------------------------------------------------------ */

/* On, or on its way there or back. */
static bool is_on(const struct smmuv3_unit *v)
{
    const uint32_t either = uim_rd32(&v->unit, SMMUV3_REG_CR0) |
                            uim_rd32(&v->unit, SMMUV3_REG_CR0ACK);

    return (either & SMMUV3_CR0_BIT(smmuen)) != 0;
}

/* GBPA says what comes after it before SMMUEN falls, where it was set. */
static enum uiommu_status translation_off(struct smmuv3_unit *v,
                                          struct smmuv3_gbpa after)
{
    enum uiommu_status status = smmuv3_gbpa_write(v, after);

    if (status == UIOMMU_OK)
        status = smmuv3_cr0(v, SMMUV3_CR0_BIT(smmuen), 0);
    return status;
}

static enum uiommu_status cannot_adopt(const struct smmuv3_unit *v)
{
    uim_log(v->unit.u, UIOMMU_LOG_ERROR,
            "smmuv3 unit at 0x%lx translates, and cannot be adopted yet: its "
            "stream table cannot be exchanged without a gap",
            v->unit.base);
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status stop_what_was_there(struct smmuv3_unit *v)
{
    v->found_on = is_on(v);
    if (!v->found_on)
        return UIOMMU_OK;
    uim_log(
        v->unit.u, UIOMMU_LOG_WARN,
        "smmuv3 unit at 0x%lx was left translating: until it does so for us, "
        "all DMA is aborted",
        v->unit.base);
    return translation_off(v, smmuv3_gbpa_set_abort(v->found, 1));
}

static void attributes(const struct smmuv3_unit *v)
{
    const struct smmuv3_cr1_fields cr1 = {
        .table_sh = VMSA_SH_ISH,
        .table_oc = SMMUV3_CACHE_WB,
        .table_ic = SMMUV3_CACHE_WB,
        .queue_sh = VMSA_SH_ISH,
        .queue_oc = SMMUV3_CACHE_WB,
        .queue_ic = SMMUV3_CACHE_WB,
    };
    /* No TLB entry of ours follows what CPUs broadcast. */
    const struct smmuv3_cr2_fields cr2 = { .ptm = 1, .recinvsid = 1 };

    uim_wr32(&v->unit, SMMUV3_REG_CR1, (uint32_t)smmuv3_cr1_pack(&cr1).raw);
    uim_wr32(&v->unit, SMMUV3_REG_CR2, (uint32_t)smmuv3_cr2_pack(&cr2).raw);
}

/* Before it translates: translated requests are not checked without (3.9.1), and what
 * was cached without has to go. */
static enum uiommu_status check_translated(struct smmuv3_unit *v)
{
    if (!smmuv3_idr0_ats(v->idr0))
        return UIOMMU_OK;
    return smmuv3_cr0(v, SMMUV3_CR0_BIT(atschk), SMMUV3_CR0_BIT(atschk));
}

/* The unit has our tables, and nothing else in its caches; it does not use them yet.
 * kept: it does, and never stopped. */
static enum uiommu_status load(struct smmuv3_unit *v, bool kept)
{
    enum uiommu_status status;

    quiesce(v);
    if (v->stuck)
        return UIOMMU_TIMEDOUT;
    uim_fence(v->unit.host);
    if (!kept) {
        attributes(v);
        smmuv3_streams_program(v);
    }
    status = smmuv3_errors_start(v);
    if (status == UIOMMU_OK)
        status = check_translated(v);
    if (status == UIOMMU_OK)
        status = smmuv3_queue_start(v);
    v->live = true;
    if (status == UIOMMU_OK)
        status = smmuv3_invalidate_all(v);
    if (status == UIOMMU_OK)
        status = smmuv3_events_start(v);
    if (status == UIOMMU_OK)
        status = smmuv3_requests_start(v);
    return status;
}

static enum uiommu_status switch_on(struct smmuv3_unit *v, bool kept)
{
    enum uiommu_status status = load(v, kept);

    if (status == UIOMMU_OK)
        status = irqs_on(v);
    if (status == UIOMMU_OK)
        status = smmuv3_cr0(v, SMMUV3_CR0_BIT(smmuen), SMMUV3_CR0_BIT(smmuen));
    return status;
}

/* ---- operations ---------------------------------------------------------- */

enum uiommu_status smmuv3_prepare(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status status = create(v);

    if (status == UIOMMU_OK && unit->adopt && is_on(v))
        status = cannot_adopt(v);
    if (status == UIOMMU_OK)
        status = smmuv3_gbpa_read(v, &v->found);
    return status;
}

enum uiommu_status smmuv3_enable(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status status;

    v->ours = true;
    status = stop_what_was_there(v);
    return status == UIOMMU_OK ? switch_on(v, false) : status;
}

static struct smmuv3_gbpa when_off(const struct smmuv3_unit *v)
{
    if (v->unit.undo && v->found_on)
        return smmuv3_gbpa_set_abort(v->found, 1);
    return v->found;
}

enum uiommu_status smmuv3_disable(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status irqs, off;

    if (!v->ours)
        return UIOMMU_OK;
    irqs = smmuv3_irq_ctrl(v, 0);
    off = translation_off(v, when_off(v));
    /* Where it is off all the same, it only aborts on. */
    if (irqs == UIOMMU_OK && (off == UIOMMU_OK || !is_on(v))) {
        v->live = false;
        atomic_store(&unit->broken, false); /* it uses nothing it has cached */
        return UIOMMU_OK;
    }
    v->stuck = true;
    v->live = true; /* also after a resume that failed: nothing is confirmed */
    uim_log(unit->u, UIOMMU_LOG_ERROR,
            "smmuv3 unit at 0x%lx: translation cannot be switched off; its "
            "tables stay allocated",
            unit->base);
    return uim_break(unit, "translation stays on");
}

/* Translation stays on for as long as the unit has power. */
enum uiommu_status smmuv3_suspend(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);

    v->live = false;
    quiesce(v);
    return v->stuck ? UIOMMU_TIMEDOUT : UIOMMU_OK;
}

/* Whatever the unit did not answer before, it is asked anew: nothing is cached any more
 * that could be stale. Where it was kept translating, from our table, it goes on so;
 * else all DMA is aborted until it does. */
enum uiommu_status smmuv3_resume(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    const bool kept = is_on(v) && smmuv3_streams_programmed(v);
    enum uiommu_status status = UIOMMU_OK;

    atomic_store(&unit->broken, false);
    v->stuck = false;
    if (!kept)
        status = translation_off(v, smmuv3_gbpa_set_abort(v->found, 1));
    if (status == UIOMMU_OK)
        status = switch_on(v, kept);
    if (status != UIOMMU_OK)
        atomic_store(&unit->broken, true);
    return status;
}
