/* SPDX-License-Identifier: MIT */
/*
 * What software is told: events (7), global errors (6.3.19) and the interrupts
 * of both (3.18).
 */
#include "model/smmuv3/smmuv3.h"

/* ---- interrupts -------------------------------------------------------------- */

void msmmu_interrupt(struct msmmu *m, uint64_t address, uint64_t data,
                     enum msmmu_line line)
{
    const struct uim_model_host *host = m->base.host;

    m->counter[MSMMU_N_interrupts]++;
    if (m->args.msi && address != 0)
        host->raise_msi(host->ctx, address, (uint32_t)data);
    else
        host->set_irq(host->ctx, line, 2);
}

static void interrupt_of(struct msmmu *m, const struct msmmu_irq *irq,
                         uint64_t enabled, enum msmmu_line line)
{
    struct smmuv3_irq_cfg0 cfg0 = { irq->cfg0 };

    if (enabled)
        msmmu_interrupt(m, smmuv3_irq_cfg0_addr(cfg0) << 2, irq->cfg1, line);
}

static struct smmuv3_irq_ctrl irq_ctrl(const struct msmmu *m)
{
    return (struct smmuv3_irq_ctrl){ m->reg.irq_ctrlack };
}

/* ---- global errors ------------------------------------------------------------ */

bool msmmu_gerror_active(const struct msmmu *m, uint64_t bit)
{
    return ((m->reg.gerror ^ m->reg.gerrorn) & bit) != 0;
}

void msmmu_gerror(struct msmmu *m, uint64_t bit)
{
    if (msmmu_gerror_active(m, bit))
        return;
    m->reg.gerror ^= bit;
    interrupt_of(m, &m->reg.gerror_irq,
                 smmuv3_irq_ctrl_gerror_irqen(irq_ctrl(m)), MSMMU_LINE_GERROR);
}

/* ---- the event queue ---------------------------------------------------------- */

static uint64_t abort_error(void)
{
    return smmuv3_gerror_pack(
               &(struct smmuv3_gerror_fields){ .eventq_abt_err = 1 })
        .raw;
}

static bool queue_snooped(const struct msmmu *m)
{
    struct smmuv3_cr1 cr1 = { m->reg.cr1 };

    return msmmu_snooped(m, smmuv3_cr1_queue_ic(cr1), smmuv3_cr1_queue_oc(cr1),
                         smmuv3_cr1_queue_sh(cr1));
}

/* 7.2.1: overflow is said once until software has seen it. */
static void overflow(struct msmmu *m)
{
    struct smmuv3_eventq_prod prod = { m->reg.eventq_prod };
    struct smmuv3_eventq_cons cons = { m->reg.eventq_cons };
    uint64_t seen = smmuv3_eventq_cons_ovackflg(cons);

    m->reg.eventq_prod = smmuv3_eventq_prod_set_ovflg(prod, !seen).raw;
}

static bool put(struct msmmu *m, uint64_t size, const uint64_t word[4])
{
    struct smmuv3_eventq_base base = { m->reg.eventq_base };
    struct smmuv3_eventq_prod prod = { m->reg.eventq_prod };
    uint64_t wr = smmuv3_eventq_prod_wr(prod);
    uint64_t at = uim_align_down(smmuv3_eventq_base_addr(base) << 5,
                                 size * SMMUV3_EVENT_BYTES) +
                  (wr & (size - 1)) * SMMUV3_EVENT_BYTES;

    if (!uim_door_write(&m->base, at, word, 4, queue_snooped(m)))
        return false;
    m->reg.eventq_prod =
        smmuv3_eventq_prod_set_wr(prod, (wr + 1) & (2 * size - 1)).raw;
    return true;
}

/* False: it is lost. */
static bool write_event(struct msmmu *m, const uint64_t word[4])
{
    uint64_t size = msmmu_queue_size(m->reg.eventq_base, m->args.eventqs);
    uint64_t prod = m->reg.eventq_prod, cons = m->reg.eventq_cons;
    bool was_empty = msmmu_queue_empty(prod, cons, size);

    if (!smmuv3_cr0_eventqen(msmmu_cr0(m)) ||
        msmmu_gerror_active(m, abort_error()))
        return false;
    if (msmmu_queue_full(prod, cons, size)) {
        overflow(m);
        return false;
    }
    if (!put(m, size, word)) {
        msmmu_gerror(m, abort_error());
        return false;
    }
    if (was_empty)
        interrupt_of(m, &m->reg.eventq_irq,
                     smmuv3_irq_ctrl_eventq_irqen(irq_ctrl(m)),
                     MSMMU_LINE_EVENT);
    return true;
}

/* ---- events --------------------------------------------------------------------- */

static uint64_t who(const struct msmmu_trip *t, unsigned event)
{
    bool ssv = msmmu_has_ssid(t->req);

    if (event == SMMUV3_EVT_F_STREAM_DISABLED)
        return smmuv3_evt_stream_disabled_q0_pack(
                   &(struct smmuv3_evt_stream_disabled_q0_fields){
                       .sid = t->req->rid, .id = event })
            .raw;
    if (event == SMMUV3_EVT_C_BAD_SUBSTREAMID)
        ssv = false; /* always counts, and so there is no bit */
    return smmuv3_evt_q0_pack(
               &(struct smmuv3_evt_q0_fields){
                   .sid = t->req->rid,
                   .ssid = msmmu_has_ssid(t->req) ? t->req->pasid : 0,
                   .ssv = ssv,
                   .id = event })
        .raw;
}

/* The access, and the stage and class of what failed. */
static uint64_t how(const struct msmmu_trip *t, unsigned event)
{
    bool write = (t->req->access & UIM_MODEL_W) != 0;
    bool tt = t->fault.s2 && t->fault.class == SMMUV3_CLASS_TT;

    return smmuv3_evt_permission_q1_pack(
               &(struct smmuv3_evt_permission_q1_fields){
                   .ttrnw =
                       event == SMMUV3_EVT_F_PERMISSION && tt && t->fault.ttrnw,
                   .class = t->fault.class,
                   .s2 = t->fault.s2,
                   .rnw = !write,
                   .ind = !write && (t->req->access & UIM_MODEL_X),
                   .pnu = t->priv })
        .raw;
}

static uint64_t conflict(const struct msmmu_trip *t)
{
    bool write = (t->req->access & UIM_MODEL_W) != 0;

    return smmuv3_evt_tlb_conflict_q1_pack(
               &(struct smmuv3_evt_tlb_conflict_q1_fields){
                   .s2 = t->fault.s2,
                   .rnw = !write,
                   .ind = !write && (t->req->access & UIM_MODEL_X),
                   .pnu = t->priv })
        .raw;
}

static uint64_t forbidden(const struct msmmu_trip *t)
{
    return smmuv3_evt_transl_forbidden_q1_pack(
               &(struct smmuv3_evt_transl_forbidden_q1_fields){
                   .rnw = !(t->req->access & UIM_MODEL_W) })
        .raw;
}

static uint64_t unsupported(const struct msmmu_trip *t)
{
    bool write = (t->req->access & UIM_MODEL_W) != 0;

    return smmuv3_evt_uut_q1_pack(
               &(struct smmuv3_evt_uut_q1_fields){
                   .rnw = !write,
                   .ind = !write && (t->req->access & UIM_MODEL_X),
                   .pnu = t->priv })
        .raw;
}

static uint64_t fetch_address(const struct msmmu_trip *t)
{
    return smmuv3_evt_fetch_q3_pack(&(struct smmuv3_evt_fetch_q3_fields){
                                        .fetchaddr = t->fault.fetch >> 3 })
        .raw;
}

static uint64_t intermediate(const struct msmmu_trip *t)
{
    if (!t->fault.s2)
        return 0;
    return smmuv3_evt_ipa_q3_pack(&(struct smmuv3_evt_ipa_q3_fields){
                                      .ipa = t->fault.ipa >> MSMMU_PAGE_LG2 })
        .raw;
}

static void describe(const struct msmmu_trip *t, unsigned event,
                     uint64_t word[4])
{
    word[0] = who(t, event);
    switch (event) {
    case SMMUV3_EVT_F_UUT:
        word[1] = unsupported(t);
        word[2] = t->req->iova;
        break;
    case SMMUV3_EVT_F_STE_FETCH:
    case SMMUV3_EVT_F_CD_FETCH:
        word[3] = fetch_address(t);
        break;
    case SMMUV3_EVT_F_BAD_ATS_TREQ:
        word[2] = uim_align_down(t->req->iova, UIM_BIT(MSMMU_PAGE_LG2));
        break;
    case SMMUV3_EVT_F_TRANSL_FORBIDDEN:
        word[1] = forbidden(t);
        word[2] = t->req->iova;
        break;
    case SMMUV3_EVT_F_TLB_CONFLICT:
        word[1] = conflict(t);
        word[2] = t->req->iova;
        word[3] = intermediate(t);
        break;
    case SMMUV3_EVT_F_WALK_EABT:
        word[1] = how(t, event);
        word[2] = t->req->iova;
        word[3] = fetch_address(t);
        break;
    default:
        if (!smmuv3_event_of_translation(event))
            break;
        word[1] = how(t, event);
        word[2] = t->req->iova;
        word[3] = intermediate(t);
    }
}

static bool of_ats(const struct msmmu_trip *t, unsigned event)
{
    return (t->req->flags & (UIM_MODEL_ATS | UIM_MODEL_XLATED)) != 0 &&
           event != SMMUV3_EVT_F_UUT && event != SMMUV3_EVT_F_BAD_ATS_TREQ &&
           event != SMMUV3_EVT_F_TRANSL_FORBIDDEN;
}

/* 3.12.1: CD.R and STE.S2R say whether faults of translation are recorded, CR2
 * whether what is wrong with the configuration is. */
static bool recorded(const struct msmmu *m, const struct msmmu_trip *t,
                     unsigned event)
{
    struct smmuv3_cr2 cr2 = { m->reg.cr2 };

    if (of_ats(t, event) && !smmuv3_cr2_rec_cfg_ats(cr2))
        return false;
    if (event == SMMUV3_EVT_C_BAD_STREAMID)
        return smmuv3_cr2_recinvsid(cr2);
    if (!smmuv3_event_of_translation(event))
        return true;
    if (t->fault.s2)
        return t->s2.record;
    return !t->s1.on || t->s1.record;
}

void msmmu_event(struct msmmu *m, const struct msmmu_trip *t, unsigned event)
{
    uint64_t word[4] = { 0, 0, 0, 0 };

    if (msmmu_probes(t) || !recorded(m, t, event))
        return;
    describe(t, event, word);
    if (write_event(m, word))
        m->counter[MSMMU_N_events]++;
    else
        m->counter[MSMMU_N_events_lost]++;
}
