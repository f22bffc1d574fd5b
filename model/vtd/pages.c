/* SPDX-License-Identifier: MIT */
/*
 * Page requests (7.4 to 7.7): what devices ask for, the queue that software reads,
 * and the answers that the unit gives by itself.
 *
 * A request that was received stays in the unit until a step takes it from there. As
 * long as the door holds commands that is as late as the manual allows: software that
 * wants to have seen all of them has to drain, by a wait with PD.
 */
#include "model/vtd/vtd.h"

enum { GROUPS = 1 << 9 }; /* PRG indexes */

/* A drain is one step, and each request has an invalidation to tell of. */
_Static_assert((int)MVTD_RECEIVED <= (int)UIM_UNIT_NOTES, "more than notes");

/* Nobody waits for an answer to it. Without a PASID there is none (PCIe 6.x, 10.4.1.2):
 * that is a request for a page, of which nothing is to be done. */
static bool is_stop_marker(const struct mvtd_page *p)
{
    return p->pasid != UIM_MODEL_NO_PASID && p->last &&
           !(p->access & (UIM_MODEL_R | UIM_MODEL_W));
}

/* Table 31: a request that is not written is answered if it was the last one of its
 * group. */
static void refuse(struct mvtd *m, const struct mvtd_page *p, uint32_t code)
{
    const struct uim_model_page_response r = {
        .rid = p->rid, .pasid = p->pasid, .group = p->group, .code = code
    };

    m->counter[MVTD_N_page_requests_refused]++;
    if (p->last && !is_stop_marker(p))
        m->base.host->page_response(m->base.host->ctx, &r);
}

/* 6.5.3.1. No command of software, so the door is not told. */
static void invalidate(struct mvtd *m, const struct mvtd_trip *t)
{
    const struct mvtd_inval inval = { .scope = UIM_CHECK_PAGE,
                                      .did = t->did,
                                      .pasid = t->pasid,
                                      .addr = t->req->iova };

    if (t->kind == MVTD_FS)
        mvtd_inv_pasid_iotlb(m, &inval);
    else
        mvtd_inv_iotlb(m, &inval);
}

/* ---- the queue ------------------------------------------------------------- */

/* Of an offset in the queue: software may have written a larger one. */
static uint64_t offset_mask(const struct mvtd *m)
{
    struct vtd_pqa pqa = { m->reg.pqa };

    return (UINT64_C(4096) << vtd_pqa_pqs(pqa)) - VTD_PRQ_ENTRY_BYTES;
}

static uint64_t behind_tail(const struct mvtd *m)
{
    return (m->reg.pqt + VTD_PRQ_ENTRY_BYTES) & offset_mask(m);
}

static bool is_full(const struct mvtd *m)
{
    return behind_tail(m) == (m->reg.pqh & offset_mask(m));
}

/* 7.5: one event until software has cleared both bits. */
static void set_status(struct mvtd *m, uint64_t prs_bits)
{
    bool was = m->reg.prs != 0;

    m->reg.prs |= prs_bits;
    mvtd_event_raise(m, &m->reg.pages, was);
}

/* Of a field that the manual calls undefined. */
static uint64_t undefined(const struct mvtd *m)
{
    return mvtd_adversarial(m) ? UINT64_MAX : 0;
}

static uint64_t who_asks(const struct mvtd *m, const struct mvtd_page *p)
{
    bool pasid = p->pasid != UIM_MODEL_NO_PASID;

    return vtd_prq_desc_lo_pack(
               &(struct vtd_prq_desc_lo_fields){
                   .type = VTD_PRQ_PAGE_REQUEST,
                   .pp = pasid,
                   .rid = p->rid,
                   .pasid = pasid ? p->pasid : undefined(m),
                   .exr = pasid && (p->access & UIM_MODEL_X),
                   .pmr = pasid && (p->access & UIM_MODEL_PRIV) })
        .raw;
}

static uint64_t what_for(const struct mvtd *m, const struct mvtd_page *p)
{
    return vtd_prq_desc_hi_pack(
               &(struct vtd_prq_desc_hi_fields){
                   .rdr = (p->access & UIM_MODEL_R) != 0,
                   .wrr = (p->access & UIM_MODEL_W) != 0,
                   .lpig = p->last,
                   .prgi = is_stop_marker(p) ? undefined(m) : p->group,
                   .addr = p->iova >> MVTD_PAGE_LG2 })
        .raw;
}

/* False: there is no memory, for which the manual has no word. */
static bool append(struct mvtd *m, const struct mvtd_page *p)
{
    const uint64_t word[4] = { who_asks(m, p), what_for(m, p), 0, 0 };
    struct vtd_pqa pqa = { m->reg.pqa };
    uint64_t at = (vtd_pqa_pqa(pqa) << 12) + (m->reg.pqt & offset_mask(m));

    if (!uim_door_write(&m->base, at, word, 4, true)) {
        uim_unit_warn(&m->base, "has a page request queue where no memory is",
                      at);
        return false;
    }
    m->reg.pqt = behind_tail(m);
    m->counter[MVTD_N_page_requests_queued]++;
    set_status(m, vtd_prs_pack(&(struct vtd_prs_fields){ .ppr = 1 }).raw);
    return true;
}

/* ---- one request ------------------------------------------------------------- */

static bool translates(const struct mvtd *m)
{
    return vtd_gsts_tes((struct vtd_gsts){ m->reg.gsts });
}

/* Behind the tables. 7.4.1: from an overflow on nothing is written, whether or not
 * there is room again. */
static void enqueue(struct mvtd *m, const struct mvtd_page *p,
                    const struct mvtd_trip *t)
{
    if (vtd_prs_pro((struct vtd_prs){ m->reg.prs })) {
        refuse(m, p, VTD_RC_SUCCESS);
    } else if (is_full(m)) {
        set_status(m, vtd_prs_pack(&(struct vtd_prs_fields){ .pro = 1 }).raw);
        refuse(m, p, VTD_RC_SUCCESS);
    } else {
        invalidate(m, t);
        if (!append(m, p))
            refuse(m, p, VTD_RC_INVALID_REQUEST);
    }
}

/* What is asked for does not count here: whether an entry lets somebody execute, or
 * be privileged, is no fault of a page request (table 30). */
static void process(struct mvtd *m, const struct mvtd_page *p)
{
    const struct uim_model_req req = { .rid = p->rid,
                                       .pasid = p->pasid,
                                       .access = p->access & UIM_MODEL_PRIV,
                                       .iova = p->iova };
    struct mvtd_trip t = { .req = &req, .pages = true };
    unsigned reason;

    m->counter[MVTD_N_page_requests]++;
    if (!translates(m)) { /* no longer */
        refuse(m, p, VTD_RC_INVALID_REQUEST);
        return;
    }
    reason = mvtd_locate(m, &t);
    if (reason) {
        (void)mvtd_fault(m, &t, reason);
        refuse(m, p, VTD_RC_INVALID_REQUEST);
        return;
    }
    enqueue(m, p, &t);
}

bool mvtd_pages_step(struct mvtd *m)
{
    struct mvtd_page first = m->received[0];

    if (m->n_received == 0)
        return false;
    m->n_received--;
    for (unsigned i = 0; i < m->n_received; i++)
        m->received[i] = m->received[i + 1];
    process(m, &first);
    return true;
}

void mvtd_pages_drain(struct mvtd *m)
{
    while (mvtd_pages_step(m))
        continue;
}

/* What a message can hold. */
static bool well_formed(const struct uim_model_page_request *req)
{
    return req->group < GROUPS && (req->pasid == UIM_MODEL_NO_PASID ||
                                   req->pasid >> MVTD_PASID_BITS == 0);
}

/* Without translation nothing of ATS works (3.14). A unit with no room for one more
 * is no longer free to wait with the first. */
static bool receive(struct mvtd *m, const struct uim_model_page_request *req)
{
    if (!translates(m))
        return false;
    if (m->n_received == MVTD_RECEIVED) {
        if (m->base.check.silent)
            return false;
        mvtd_pages_step(m);
    }
    m->received[m->n_received++] =
        (struct mvtd_page){ .iova = req->iova,
                            .rid = req->rid,
                            .pasid = req->pasid,
                            .group = (uint16_t)req->group,
                            .access = req->access & 15,
                            .last = req->last };
    return true;
}

int mvtd_page_request(struct uim_model *model,
                      const struct uim_model_page_request *req)
{
    struct mvtd *m = mvtd_of(model);
    bool taken;

    if (!m->args.prs || !well_formed(req))
        return UIM_MODEL_UR;
    uim_unit_lock(&m->base);
    taken = receive(m, req);
    uim_unit_unlock(&m->base);
    uim_unit_settle(&m->base);
    return taken ? 0 : UIM_MODEL_UR;
}
