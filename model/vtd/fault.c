/* SPDX-License-Identifier: MIT */
/*
 * Faults (chapter 7): what the requester is told, what is recorded, and the
 * events that tell software.
 */
#include "model/vtd/vtd.h"

/* How an ATS translation request ends (tables 7.1.3 and 4.2.3). Everything that
 * is not listed is answered Unsupported Request, as all other requests are. */
enum answer {
    ANSWER_UR = 0,
    ANSWER_CA,
    ANSWER_EMPTY, /* success without rights; the device may ask via PRI */
};

#define QUALIFIED(code, name, text, qualified) [code] = (qualified),
static const bool fpd_counts[256] = { VTD_FAULT_REASONS(QUALIFIED) };

static const uint8_t ats_answer[256] = {
    [VTD_FR_LRT_1] = ANSWER_CA,    [VTD_FR_LRT_3] = ANSWER_CA,
    [VTD_FR_LCT_1] = ANSWER_CA,    [VTD_FR_LCT_3] = ANSWER_CA,
    [VTD_FR_LCT_4] = ANSWER_CA,    [VTD_FR_LGN_1] = ANSWER_EMPTY,
    [VTD_FR_LGN_4] = ANSWER_CA,    [VTD_FR_LSS_1] = ANSWER_CA,
    [VTD_FR_LSS_2] = ANSWER_CA,    [VTD_FR_RTA_1] = ANSWER_CA,
    [VTD_FR_SRT_1] = ANSWER_CA,    [VTD_FR_SRT_3] = ANSWER_CA,
    [VTD_FR_SCT_1] = ANSWER_CA,    [VTD_FR_SCT_3] = ANSWER_CA,
    [VTD_FR_SCT_4] = ANSWER_CA,    [VTD_FR_SPD_1] = ANSWER_CA,
    [VTD_FR_SPD_2] = ANSWER_EMPTY, [VTD_FR_SPD_3] = ANSWER_CA,
    [VTD_FR_SPT_1] = ANSWER_CA,    [VTD_FR_SPT_2] = ANSWER_EMPTY,
    [VTD_FR_SPT_3] = ANSWER_CA,    [VTD_FR_SPT_4] = ANSWER_CA,
    [VTD_FR_SPT_5] = ANSWER_EMPTY, [VTD_FR_SPT_6] = ANSWER_EMPTY,
    [VTD_FR_SFS_1] = ANSWER_EMPTY, [VTD_FR_SFS_2] = ANSWER_EMPTY,
    [VTD_FR_SFS_3] = ANSWER_EMPTY, [VTD_FR_SFS_4] = ANSWER_EMPTY,
    [VTD_FR_SFS_9] = ANSWER_EMPTY, [VTD_FR_SFS_10] = ANSWER_EMPTY,
    [VTD_FR_SSS_1] = ANSWER_CA,    [VTD_FR_SSS_2] = ANSWER_EMPTY,
    [VTD_FR_SSS_3] = ANSWER_CA,    [VTD_FR_SSS_4] = ANSWER_CA,
    [VTD_FR_SGN_1] = ANSWER_EMPTY, [VTD_FR_SGN_2] = ANSWER_EMPTY,
    [VTD_FR_SGN_4] = ANSWER_EMPTY, [VTD_FR_SGN_5] = ANSWER_EMPTY,
    [VTD_FR_SGN_8] = ANSWER_CA,
};

/* Of requests with a translated address. */
static const uint8_t translated_answer[256] = {
    [VTD_FR_SPD_1] = ANSWER_CA, [VTD_FR_SPD_3] = ANSWER_CA,
    [VTD_FR_SPT_1] = ANSWER_CA, [VTD_FR_SPT_3] = ANSWER_CA,
    [VTD_FR_SPT_4] = ANSWER_CA,
};

static enum answer answer_to(const struct uim_model_req *req, unsigned reason)
{
    if (req->flags & UIM_MODEL_ATS)
        return (enum answer)ats_answer[reason];
    if (req->flags & UIM_MODEL_XLATED)
        return (enum answer)translated_answer[reason];
    return ANSWER_UR;
}

static uint64_t type_of(const struct mvtd_trip *t)
{
    if (t->pages)
        return VTD_FAULT_PAGE_REQUEST;
    if (t->req->flags & UIM_MODEL_ATS)
        return VTD_FAULT_READ;
    if (t->want == (UIM_MODEL_R | UIM_MODEL_W))
        return VTD_FAULT_ATOMIC;
    return t->want == UIM_MODEL_W ? VTD_FAULT_WRITE : VTD_FAULT_READ;
}

static uint64_t at_of(const struct uim_model_req *req)
{
    if (req->flags & UIM_MODEL_ATS)
        return VTD_AT_TRANSLATION;
    return req->flags & UIM_MODEL_XLATED ? VTD_AT_TRANSLATED
                                         : VTD_AT_UNTRANSLATED;
}

static struct vtd_frcd_hi describe(const struct mvtd *m,
                                   const struct mvtd_trip *t, unsigned reason)
{
    const struct uim_model_req *req = t->req;
    uint64_t type = type_of(t);
    bool pasid = mvtd_has_pasid(req);

    return vtd_frcd_hi_pack(&(struct vtd_frcd_hi_fields){
        .sid = req->rid,
        .t1 = type >> 1,
        .t2 = type,
        .fr = reason,
        .pp = pasid,
        .pv = pasid ? req->pasid : 0,
        .priv = pasid && (req->access & UIM_MODEL_PRIV),
        .exe = pasid && type == VTD_FAULT_READ && (req->access & UIM_MODEL_X),
        .at = m->args.dt ? at_of(req) : 0,
    });
}

static bool fault_pending(const struct mvtd *m)
{
    return (m->reg.fsts & (UIM_MASK(6, 4) | UIM_MASK(1, 0))) != 0;
}

/* 7.2.1: primary fault logging. */
static void record(struct mvtd *m, const struct mvtd_trip *t, unsigned reason)
{
    struct vtd_fsts fsts = { m->reg.fsts };
    unsigned n = m->next_record;
    bool was = fault_pending(m);

    if (vtd_fsts_pfo(fsts) || vtd_frcd_hi_f(m->frcd_hi[n])) {
        m->counter[MVTD_N_faults_lost]++;
        m->reg.fsts = vtd_fsts_set_pfo(fsts, 1).raw;
        mvtd_event_raise(m, &m->reg.fault, was);
        return;
    }
    m->counter[MVTD_N_faults_recorded]++;
    m->frcd_lo[n] = vtd_frcd_lo_pack(
        &(struct vtd_frcd_lo_fields){ .fi = t->req->iova >> MVTD_PAGE_LG2 });
    m->frcd_hi[n] = vtd_frcd_hi_set_f(describe(m, t, reason), 1);
    m->next_record = (n + 1) % MVTD_RECORDS;
    if (vtd_fsts_ppf(fsts))
        return;
    m->reg.fsts = vtd_fsts_set_ppf(vtd_fsts_set_fri(fsts, n), 1).raw;
    mvtd_event_raise(m, &m->reg.fault, was);
}

int mvtd_fault(struct mvtd *m, const struct mvtd_trip *t, unsigned reason)
{
    enum answer answer = answer_to(t->req, reason);
    bool hidden = (t->req->flags & UIM_MODEL_PROBE) || t->speculative ||
                  (fpd_counts[reason] && t->fpd);

    /* An empty answer is not logged, but for SFS.10, where both happens. */
    if (answer == ANSWER_EMPTY && reason != VTD_FR_SFS_10)
        hidden = true;
    if (!t->speculative)
        m->counter[MVTD_N_faults]++;
    if (!hidden)
        record(m, t, reason);
    if (answer == ANSWER_EMPTY)
        return 0;
    return answer == ANSWER_CA ? UIM_MODEL_CA : UIM_MODEL_UR;
}

void mvtd_fault_status(struct mvtd *m, uint64_t fsts_bits)
{
    bool was = fault_pending(m);

    m->reg.fsts |= fsts_bits;
    mvtd_event_raise(m, &m->reg.fault, was);
}

/* The first pending record at or after `from`, around; MVTD_RECORDS: none. */
static unsigned pending_record(const struct mvtd *m, uint64_t from)
{
    for (unsigned i = 0; i < MVTD_RECORDS; i++) {
        unsigned n = (unsigned)(from + i) % MVTD_RECORDS;

        if (vtd_frcd_hi_f(m->frcd_hi[n]))
            return n;
    }
    return MVTD_RECORDS;
}

/* PPF is the OR of all F; FRI follows the first of them. */
void mvtd_fault_update(struct mvtd *m)
{
    struct vtd_fsts fsts = { m->reg.fsts };
    unsigned first = pending_record(m, vtd_fsts_fri(fsts));

    if (first < MVTD_RECORDS)
        fsts = vtd_fsts_set_fri(vtd_fsts_set_ppf(fsts, 1), first);
    else
        fsts = vtd_fsts_set_fri(vtd_fsts_set_ppf(fsts, 0), 0);
    m->reg.fsts = fsts.raw;
    if (!fault_pending(m))
        m->reg.fault.ctl =
            vtd_fectl_set_ip((struct vtd_fectl){ m->reg.fault.ctl }, 0).raw;
}

void mvtd_event_raise(struct mvtd *m, struct mvtd_event *event, bool was)
{
    if (was)
        return;
    event->ctl = vtd_fectl_set_ip((struct vtd_fectl){ event->ctl }, 1).raw;
    mvtd_event_send(m, event);
}

void mvtd_event_send(struct mvtd *m, struct mvtd_event *event)
{
    struct vtd_fectl ctl = { event->ctl };

    if (vtd_fectl_im(ctl) || !vtd_fectl_ip(ctl))
        return;
    event->ctl = vtd_fectl_set_ip(ctl, 0).raw;
    m->counter[MVTD_N_interrupts]++;
    m->base.host->raise_msi(m->base.host->ctx, event->uaddr << 32 | event->addr,
                            (uint32_t)event->data);
}
