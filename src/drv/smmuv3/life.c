/* SPDX-License-Identifier: MIT */
/*
 * life.c - from what firmware left to translation on, and back (3.11, 6.3.9, semantics
 * B.23).
 *
 * The stream table can only be exchanged while SMMUEN is 0 (6.3.24). Where it was 1,
 * GBPA aborts everything meanwhile: there is no moment in which a device reaches more
 * than it did.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"

static const char *const irq_names[] = {
    [SMMUV3_IRQ_EVENT] = "events",
    [SMMUV3_IRQ_GERROR] = "global errors",
};

/* ---- memory and locks ---------------------------------------------------- */

static enum uiommu_status locks_create(struct smmuv3_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    v->table_lock = h->mutex_create(h->ctx);
    v->id_lock = h->spin_create(h->ctx);
    v->event_lock = h->spin_create(h->ctx);
    if (v->table_lock && v->id_lock && v->event_lock)
        return UIOMMU_OK;
    return UIOMMU_NOMEM;
}

/* Without one, or if there is none left, lines are wired, or the embedder polls. */
static void msi_create(struct smmuv3_unit *v, unsigned n)
{
    const struct uiommu_host *h = v->unit.host;
    struct smmuv3_irq *irq = &v->irq[n];

    if (!h->msi_alloc || !smmuv3_idr0_msi(v->idr0))
        return;
    irq->has_msi = h->msi_alloc(h->ctx, v->unit.index, n, &irq->addr,
                                &irq->data) == UIOMMU_OK;
    if (!irq->has_msi)
        uim_log(v->unit.u, UIOMMU_LOG_WARN,
                "smmuv3 unit at 0x%lx: no message for %s; uiommu_poll() reads "
                "them",
                v->unit.base, irq_names[n]);
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
    if (status != UIOMMU_OK)
        return status;
    msi_create(v, SMMUV3_IRQ_EVENT);
    msi_create(v, SMMUV3_IRQ_GERROR);
    return UIOMMU_OK;
}

static void msi_free(const struct smmuv3_unit *v, unsigned n)
{
    const struct uiommu_host *h = v->unit.host;

    if (v->irq[n].has_msi && h->msi_free)
        h->msi_free(h->ctx, v->unit.index, n);
}

/* Queues off: what they were told is carried out, or given up. */
static void quiesce(struct smmuv3_unit *v)
{
    const uint32_t queues = SMMUV3_CR0_BIT(cmdqen) | SMMUV3_CR0_BIT(eventqen) |
                            SMMUV3_CR0_BIT(priqen);

    if (smmuv3_irq_ctrl(v, 0) != UIOMMU_OK ||
        smmuv3_cr0(v, queues, 0) != UIOMMU_OK)
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
    if (!v->stuck)
        smmuv3_streams_destroy(v);
    if (v->ids)
        h->free(h->ctx, v->ids, smmuv3_ids_size(v));
    msi_free(v, SMMUV3_IRQ_EVENT);
    msi_free(v, SMMUV3_IRQ_GERROR);
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
    const struct smmuv3_irq *irq = &v->irq[n];
    const struct smmuv3_irq_cfg0_fields where = {
        .addr = irq->has_msi ? irq->addr >> 2 : 0,
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
    };

    irq_program(v, SMMUV3_IRQ_EVENT, SMMUV3_REG_EVENTQ_IRQ_CFG0);
    irq_program(v, SMMUV3_IRQ_GERROR, SMMUV3_REG_GERROR_IRQ_CFG0);
    return smmuv3_irq_ctrl(v, (uint32_t)smmuv3_irq_ctrl_pack(&on).raw);
}

/* ---- from off to on ------------------------------------------------------ */

static bool is_on(const struct smmuv3_unit *v)
{
    return (uim_rd32(&v->unit, SMMUV3_REG_CR0) & SMMUV3_CR0_BIT(smmuen)) != 0;
}

/* GBPA aborts before SMMUEN falls, where it was set. */
static enum uiommu_status translation_off(struct smmuv3_unit *v,
                                          struct smmuv3_gbpa after)
{
    enum uiommu_status status = smmuv3_gbpa_write(v, after);

    if (status == UIOMMU_OK)
        status = smmuv3_cr0(v, SMMUV3_CR0_BIT(smmuen), 0);
    return status;
}

static enum uiommu_status leave_what_was_there(struct smmuv3_unit *v)
{
    v->found.raw = uim_rd32(&v->unit, SMMUV3_REG_GBPA);
    if (!is_on(v))
        return UIOMMU_OK;
    if (v->unit.adopt) {
        uim_log(
            v->unit.u, UIOMMU_LOG_ERROR,
            "smmuv3 unit at 0x%lx translates, and its stream table cannot be "
            "exchanged without a gap",
            v->unit.base);
        return UIOMMU_OPNOTSUPP;
    }
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

/* The unit has our tables, and nothing else in its caches; it does not use them yet. */
static enum uiommu_status load(struct smmuv3_unit *v)
{
    enum uiommu_status status;

    quiesce(v);
    if (v->stuck)
        return UIOMMU_TIMEDOUT;
    attributes(v);
    uim_fence(v->unit.host);
    smmuv3_streams_program(v);
    status = smmuv3_queue_start(v);
    v->live = true;
    if (status == UIOMMU_OK)
        status = smmuv3_invalidate_all(v);
    if (status == UIOMMU_OK)
        status = smmuv3_events_start(v);
    return status;
}

static enum uiommu_status switch_on(struct smmuv3_unit *v)
{
    const uint32_t bits =
        SMMUV3_CR0_BIT(smmuen) | (v->unit.ats ? SMMUV3_CR0_BIT(atschk) : 0);
    enum uiommu_status status = load(v);

    if (status == UIOMMU_OK)
        status = irqs_on(v);
    if (status == UIOMMU_OK)
        status = smmuv3_cr0(v, bits, bits);
    return status;
}

/* ---- operations ---------------------------------------------------------- */

enum uiommu_status smmuv3_prepare(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status status = create(v);

    if (status != UIOMMU_OK)
        return status;
    if (v->unit.adopt && is_on(v))
        return leave_what_was_there(v);
    return UIOMMU_OK;
}

enum uiommu_status smmuv3_enable(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status status;

    v->ours = true;
    status = leave_what_was_there(v);
    return status == UIOMMU_OK ? switch_on(v) : status;
}

enum uiommu_status smmuv3_disable(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);

    if (!is_on(v) || translation_off(v, v->found) == UIOMMU_OK) {
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
 * that could be stale. Registers may have been kept. */
enum uiommu_status smmuv3_resume(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    enum uiommu_status status = UIOMMU_OK;

    atomic_store(&unit->broken, false);
    v->stuck = false;
    if (is_on(v))
        status = translation_off(v, smmuv3_gbpa_set_abort(v->found, 1));
    if (status == UIOMMU_OK)
        status = switch_on(v);
    if (status != UIOMMU_OK)
        atomic_store(&unit->broken, true);
    return status;
}
