/* SPDX-License-Identifier: MIT */
/*
 * Page requests (8): a queue that software reads, and what the unit answers by itself
 * when it cannot write there. Neither STE.EATS nor CR0.ATSCHK has a say.
 *
 * A request that is not the last of its group and fails all the same is refused: the
 * ABI has one response for a group, so that the VMM tells the device.
 */
#include "model/smmuv3/smmuv3.h"

enum { GROUP_BITS = 9, SSID_BITS = 20, TAKEN = 0 };

static uint64_t abort_error(void)
{
    return smmuv3_gerror_pack(
               &(struct smmuv3_gerror_fields){ .priq_abt_err = 1 })
        .raw;
}

static bool has_pasid(const struct uim_model_page_request *req)
{
    return req->pasid != UIM_MODEL_NO_PASID;
}

/* The unit knows of no PASID where there are no substreams. */
static bool tagged(const struct msmmu *m,
                   const struct uim_model_page_request *req)
{
    return has_pasid(req) && m->args.ssidsize != 0;
}

/* Nobody waits for an answer to it. */
static bool is_stop_marker(const struct uim_model_page_request *req)
{
    return has_pasid(req) && req->last &&
           !(req->access & (UIM_MODEL_R | UIM_MODEL_W));
}

/* ---- responses ------------------------------------------------------------------- */

static void respond(struct msmmu *m, uint32_t rid, uint32_t pasid,
                    uint32_t group, uint32_t code)
{
    const struct uim_model_host *host = m->base.host;

    m->counter[MSMMU_N_page_responses]++;
    host->page_response(host->ctx, &(struct uim_model_page_response){
                                       rid, pasid, group, code });
}

/* 4.5.2: without substreams SSV is either ignored, or the command is. */
void msmmu_pri_respond(struct msmmu *m, struct smmuv3_cmd_pri_resp_q0 q0,
                       struct smmuv3_cmd_pri_resp_q1 q1)
{
    static const uint8_t codes[] = {
        [SMMUV3_PRI_RESP_FAILURE] = SMMUV3_PRG_FAILURE,
        [SMMUV3_PRI_RESP_INVALID] = SMMUV3_PRG_INVALID,
        [SMMUV3_PRI_RESP_SUCCESS] = SMMUV3_PRG_SUCCESS,
    };
    bool ssv = smmuv3_cmd_pri_resp_q0_ssv(q0);
    bool known = m->args.ssidsize != 0;
    uint32_t ssid = (uint32_t)smmuv3_cmd_pri_resp_q0_ssid(q0);

    if (ssv && !known && msmmu_adversarial(m))
        return;
    respond(m, (uint32_t)smmuv3_cmd_pri_resp_q0_sid(q0),
            ssv && known ? ssid : UIM_MODEL_NO_PASID,
            (uint32_t)smmuv3_cmd_pri_resp_q1_prgindex(q1),
            codes[smmuv3_cmd_pri_resp_q1_resp(q1)]);
}

/* ---- what is not recorded -------------------------------------------------------- */

/* 8.2: without PASID, whatever the request had. */
static int deny(struct msmmu *m, const struct uim_model_page_request *req)
{
    m->counter[MSMMU_N_page_requests_lost]++;
    if (is_stop_marker(req))
        return TAKEN;
    if (!req->last)
        return UIM_MODEL_UR;
    respond(m, req->rid, UIM_MODEL_NO_PASID, req->group, SMMUV3_PRG_FAILURE);
    return TAKEN;
}

/* STE.PPAR. False: there is no such entry, which CR2.REC_CFG_ATS may want to know. */
static bool read_ppar(struct msmmu *m, const struct uim_model_page_request *req,
                      bool *ppar)
{
    const struct uim_model_req as_ats = { .rid = req->rid,
                                          .pasid = req->pasid,
                                          .access = UIM_MODEL_R,
                                          .flags = UIM_MODEL_ATS };
    struct msmmu_trip t = { .req = &as_ats };
    unsigned event = msmmu_locate_ste(m, &t);

    *ppar = smmuv3_ste_q1_ppar((struct smmuv3_ste_q1){ t.ste[1] });
    if (event == 0 || event == MSMMU_SILENT)
        return true;
    msmmu_event(m, &t, event);
    return false;
}

/* 8.1: the device asks once more, and by then there may be space. */
static void answer_overflow(struct msmmu *m,
                            const struct uim_model_page_request *req)
{
    bool with = tagged(m, req);

    if (with && !m->args.pps && !read_ppar(m, req, &with))
        respond(m, req->rid, UIM_MODEL_NO_PASID, req->group,
                SMMUV3_PRG_FAILURE);
    else
        respond(m, req->rid, with ? req->pasid : UIM_MODEL_NO_PASID, req->group,
                SMMUV3_PRG_SUCCESS);
}

/* ---- the queue ------------------------------------------------------------------- */

static bool last_only(const struct msmmu *m)
{
    return smmuv3_priq_irq_cfg2_lo(
        (struct smmuv3_priq_irq_cfg2){ m->reg.priq_irq.cfg2 });
}

static int discard(struct msmmu *m, const struct uim_model_page_request *req)
{
    m->counter[MSMMU_N_page_requests_lost]++;
    if (req->last && last_only(m)) /* 6.3.36 */
        msmmu_signal(m, MSMMU_LINE_PAGE_REQUEST);
    if (req->last && !is_stop_marker(req))
        answer_overflow(m, req);
    return TAKEN;
}

/* Of what has no PASID nothing is said about SubstreamID. */
static void describe(const struct msmmu *m,
                     const struct uim_model_page_request *req, uint64_t word[2])
{
    bool ssv = tagged(m, req);
    uint64_t unknown = msmmu_adversarial(m) ? UIM_MASK(SSID_BITS - 1, 0) : 0;

    word[0] =
        smmuv3_pri_q0_pack(&(struct smmuv3_pri_q0_fields){
                               .ssv = ssv,
                               .last = req->last,
                               .w = (req->access & UIM_MODEL_W) != 0,
                               .r = (req->access & UIM_MODEL_R) != 0,
                               .x = ssv && (req->access & UIM_MODEL_X),
                               .priv = ssv && (req->access & UIM_MODEL_PRIV),
                               .ssid = ssv ? req->pasid : unknown,
                               .sid = req->rid })
            .raw;
    word[1] = smmuv3_pri_q1_pack(&(struct smmuv3_pri_q1_fields){
                                     .addr = req->iova >> MSMMU_PAGE_LG2,
                                     .prgindex = req->group })
                  .raw;
}

static int record(struct msmmu *m, const struct msmmu_output *q,
                  const struct uim_model_page_request *req)
{
    bool was_empty = msmmu_output_empty(q);
    uint64_t word[2];

    describe(m, req, word);
    if (!msmmu_output_put(m, q, word)) {
        msmmu_gerror(m, abort_error());
        return deny(m, req);
    }
    if (last_only(m) ? req->last : was_empty)
        msmmu_signal(m, MSMMU_LINE_PAGE_REQUEST);
    return TAKEN;
}

/* SMMUEN 0 is PRIQEN 0 as well. Overflow lasts until software has seen it, even if
 * there is space by then. */
static int take(struct msmmu *m, const struct uim_model_page_request *req)
{
    struct msmmu_output q = msmmu_priq(m);

    m->counter[MSMMU_N_page_requests]++;
    if (!smmuv3_cr0_smmuen(msmmu_cr0(m)) || !smmuv3_cr0_priqen(msmmu_cr0(m)) ||
        msmmu_gerror_active(m, abort_error()))
        return deny(m, req);
    if (msmmu_output_full(&q))
        msmmu_output_overflow(&q);
    return msmmu_output_overflows(&q) ? discard(m, req) : record(m, &q, req);
}

/* What the bus cannot say. */
static bool malformed(const struct uim_model_page_request *req)
{
    return req->group >> GROUP_BITS != 0 ||
           (has_pasid(req) && req->pasid >> SSID_BITS != 0);
}

int msmmu_page_request(struct uim_model *model,
                       const struct uim_model_page_request *req)
{
    struct msmmu *m = msmmu_of(model);
    int r;

    if (!m->args.pri || malformed(req))
        return UIM_MODEL_UR;
    uim_unit_lock(model);
    r = take(m, req);
    uim_unit_unlock(model);
    return r;
}
