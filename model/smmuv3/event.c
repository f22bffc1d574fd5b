/* SPDX-License-Identifier: MIT */
/*
 * What software is told: events (7), global errors (6.3.19) and the interrupts
 * of both (3.18).
 */
#include "model/smmuv3/smmuv3.h"

#include "base/mem.h"

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

/* A line, and the registers that say where its message goes. */
static const struct msmmu_irq *irq_of(const struct msmmu *m,
                                      enum msmmu_line line)
{
    struct smmuv3_irq_ctrl on = { m->reg.irq_ctrlack };

    switch (line) {
    case MSMMU_LINE_EVENT:
        return smmuv3_irq_ctrl_eventq_irqen(on) ? &m->reg.eventq_irq : NULL;
    case MSMMU_LINE_PAGE_REQUEST:
        return smmuv3_irq_ctrl_priq_irqen(on) ? &m->reg.priq_irq : NULL;
    case MSMMU_LINE_GERROR:
        return smmuv3_irq_ctrl_gerror_irqen(on) ? &m->reg.gerror_irq : NULL;
    default:
        return NULL;
    }
}

void msmmu_signal(struct msmmu *m, enum msmmu_line line)
{
    const struct msmmu_irq *irq = irq_of(m, line);

    if (irq)
        msmmu_interrupt(
            m, smmuv3_irq_cfg0_addr((struct smmuv3_irq_cfg0){ irq->cfg0 }) << 2,
            irq->cfg1, line);
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
    msmmu_signal(m, MSMMU_LINE_GERROR);
}

void msmmu_message_aborts(struct msmmu *m, unsigned line)
{
    const struct smmuv3_gerror_fields error = {
        .msi_cmdq_abt_err = line == MSMMU_LINE_SYNC,
        .msi_eventq_abt_err = line == MSMMU_LINE_EVENT,
        .msi_priq_abt_err = line == MSMMU_LINE_PAGE_REQUEST && m->args.pri,
        .msi_gerror_abt_err = line == MSMMU_LINE_GERROR,
    };
    uint64_t bit = smmuv3_gerror_pack(&error).raw;

    if (m->args.msi && bit != 0)
        msmmu_gerror(m, bit);
}

/* ---- the event queue ---------------------------------------------------------- */

static uint64_t abort_error(void)
{
    return smmuv3_gerror_pack(
               &(struct smmuv3_gerror_fields){ .eventq_abt_err = 1 })
        .raw;
}

/* 7.2.1, but for whether it is full. */
static bool recording(const struct msmmu *m)
{
    return smmuv3_cr0_eventqen(msmmu_cr0(m)) &&
           !msmmu_gerror_active(m, abort_error());
}

bool msmmu_events_writable(struct msmmu *m)
{
    struct msmmu_output q = msmmu_eventq(m);

    return recording(m) && !msmmu_output_full(&q);
}

bool msmmu_event_put(struct msmmu *m, const uint64_t word[4])
{
    struct msmmu_output q = msmmu_eventq(m);
    bool was_empty = msmmu_output_empty(&q);

    if (!msmmu_output_put(m, &q, word)) {
        msmmu_gerror(m, abort_error());
        return false;
    }
    m->counter[MSMMU_N_events]++;
    if (was_empty)
        msmmu_signal(m, MSMMU_LINE_EVENT);
    return true;
}

/* False: it is lost. */
static bool write_event(struct msmmu *m, const uint64_t word[4])
{
    struct msmmu_output q = msmmu_eventq(m);

    if (!recording(m))
        return false;
    if (msmmu_output_full(&q)) {
        msmmu_output_overflow(&q);
        return false;
    }
    return msmmu_event_put(m, word);
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

void msmmu_event_describe(const struct msmmu_trip *t, unsigned event,
                          uint64_t word[4])
{
    memset(word, 0, 4 * sizeof(*word));
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
    uint64_t word[4];

    if (msmmu_probes(t) || !recorded(m, t, event))
        return;
    msmmu_event_describe(t, event, word);
    if (!write_event(m, word))
        m->counter[MSMMU_N_events_lost]++;
}
