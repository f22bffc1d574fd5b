/* SPDX-License-Identifier: MIT */
/*
 * request.c - the page request queue, and answers (7.4 to 7.10, semantics B.17).
 *
 * Hardware writes requests and PQT, software reads them and writes PQH.
 */
#include "drv/vtd/vtd.h"

enum {
    PAGES_ORDER = 3, /* 2^3 pages */
    ENTRIES = 4096 * (1 << PAGES_ORDER) / VTD_PRQ_ENTRY_BYTES,
    WORDS = VTD_PRQ_ENTRY_BYTES / 8,
};

#define PRS_BIT(field)                                                         \
    ((uint32_t)vtd_prs_pack(&(struct vtd_prs_fields){ .field = 1 }).raw)

/* ---- memory ------------------------------------------------------------------ */

enum uiommu_status vtd_requests_create(struct vtd_unit *v)
{
    struct vtd_requests *q = &v->requests;

    if (!v->unit.requests)
        return UIOMMU_OK;
    /* Always snooped, as the invalidation queue is. */
    q->ring = uim_pages_alloc(&v->unit, true, PAGES_ORDER, &q->phys);
    return q->ring ? UIOMMU_OK : UIOMMU_NOMEM;
}

void vtd_requests_destroy(struct vtd_unit *v)
{
    if (!v->stuck && !v->left)
        uim_pages_free(&v->unit, v->requests.ring, v->requests.phys,
                       PAGES_ORDER);
}

void vtd_requests_start(struct vtd_unit *v)
{
    struct vtd_requests *q = &v->requests;
    const struct vtd_pqa_fields pqa = {
        .pqa = q->phys >> 12,
        .pqs = PAGES_ORDER,
    };

    if (!v->unit.requests)
        return;
    q->head = 0;
    vtd_wr32(v, VTD_REG_PRS, PRS_BIT(pro) | PRS_BIT(ppr));
    vtd_wr64(v, VTD_REG_PQH, 0);
    vtd_wr64(v, VTD_REG_PQT, 0);
    vtd_wr64(v, VTD_REG_PQA, vtd_pqa_pack(&pqa).raw);
}

/* ---- taking ---------------------------------------------------------------------- */

/* Execution and privilege are of what has a PASID: else these bits say nothing (7.4.1.1).
 * EXR says nothing without RDR either; what sets it then is refused by the core. */
static unsigned access_of(struct vtd_prq_desc_lo lo, struct vtd_prq_desc_hi hi)
{
    const bool pp = vtd_prq_desc_lo_pp(lo);

    return (vtd_prq_desc_hi_rdr(hi) ? UIOMMU_READ : 0) |
           (vtd_prq_desc_hi_wrr(hi) ? UIOMMU_WRITE : 0) |
           (pp && vtd_prq_desc_lo_exr(lo) ? UIOMMU_EXEC : 0) |
           (pp && vtd_prq_desc_lo_pmr(lo) ? UIOMMU_PRIV : 0);
}

static struct uim_page_request decode(struct vtd_prq_desc_lo lo,
                                      struct vtd_prq_desc_hi hi)
{
    struct uim_page_request r = {
        .id = (uint32_t)vtd_prq_desc_lo_rid(lo),
        .pasid = vtd_prq_desc_lo_pp(lo) ? (uint32_t)vtd_prq_desc_lo_pasid(lo)
                                        : UIOMMU_NO_PASID,
        .group = (uint16_t)vtd_prq_desc_hi_prgi(hi),
        .last = vtd_prq_desc_hi_lpig(hi),
        .iova = vtd_prq_desc_hi_addr(hi) << 12,
    };

    r.access = access_of(lo, hi);
    return r;
}

/* Also without a PASID, and then it is malformed: it does not say which group it is of, and
 * nobody waits for an answer (7.10). */
static bool is_stop_marker(const struct uim_page_request *r)
{
    return r->last && !(r->access & (UIOMMU_READ | UIOMMU_WRITE));
}

/* A unit that is gone reads as all ones: that is no index. */
static uint32_t tail(const struct vtd_unit *v)
{
    const struct vtd_pqt pqt = { vtd_rd64(v, VTD_REG_PQT) };

    if (pqt.raw == UINT64_MAX)
        return v->requests.head;
    uim_fence_acquire(); /* the slots before it are written */
    return (uint32_t)vtd_pqt_pqt(pqt) % ENTRIES;
}

static void take(struct vtd_unit *v)
{
    struct vtd_requests *q = &v->requests;
    const uim_word *slot = &q->ring[q->head * WORDS];
    const struct vtd_prq_desc_lo lo = { uim_ld64(&slot[0]) };
    const struct vtd_prq_desc_hi hi = { uim_ld64(&slot[1]) };
    const struct uim_page_request request = decode(lo, hi);

    q->head = (q->head + 1) % ENTRIES;
    if (vtd_prq_desc_lo_type(lo) == VTD_PRQ_PAGE_REQUEST &&
        !is_stop_marker(&request))
        (void)uim_request(&v->unit, &request);
}

/* PPR before the tail is read: of what comes after, it tells again (7.5, 11.4.11.4). */
static void take_all(struct vtd_unit *v)
{
    struct vtd_requests *q = &v->requests;
    struct vtd_pqh_fields head = { .pqh = 0 };
    uint32_t end;

    vtd_wr32(v, VTD_REG_PRS, PRS_BIT(ppr));
    end = tail(v);
    if (q->head == end)
        return;
    while (q->head != end)
        take(v);
    head.pqh = end;
    vtd_wr64(v, VTD_REG_PQH, vtd_pqh_pack(&head).raw);
}

/* A unit that is gone reads as all ones. */
static uint32_t status_now(const struct vtd_unit *v)
{
    const uint32_t prs = vtd_rd32(v, VTD_REG_PRS);

    return prs == UINT32_MAX ? 0 : prs;
}

/* Nothing more is recorded until PRO is clear. What was dropped may have been the last of
 * a group: it must not be taken for complete by what comes then (B.17.10). */
static bool end_overflow(struct vtd_unit *v)
{
    if (!(status_now(v) & PRS_BIT(pro)))
        return false;
    take_all(v);
    uim_requests_lost(&v->unit);
    vtd_wr32(v, VTD_REG_PRS, PRS_BIT(pro));
    return true;
}

bool vtd_requests_wait(struct uim_unit *unit)
{
    return status_now(vtd_unit(unit)) & (PRS_BIT(ppr) | PRS_BIT(pro));
}

bool vtd_requests_take(struct uim_unit *unit)
{
    take_all(vtd_unit(unit));
    return end_overflow(vtd_unit(unit));
}

/* ---- answers ------------------------------------------------------------------------ */

enum uiommu_status vtd_respond(struct uim_unit *unit,
                               const struct uim_page_answer *answer)
{
    struct vtd_batch b = { .n = 0, .once = true };

    vtd_add_page_response(&b, answer);
    return vtd_submit(vtd_unit(unit), &b);
}

/* ---- drain (7.10) ------------------------------------------------------------------- */

/* What the device has sent is in the queue. The entry was changed, and every cache told of
 * it, before: what these invalidate does not matter. */
static enum uiommu_status flush(struct vtd_unit *v, struct uiommu_endpoint *ep)
{
    static const struct uim_inval one_page = { .start = 0, .last = 4095 };
    struct vtd_batch b = { .n = 0, .drains = true };
    const struct vtd_devtlb tlb = vtd_devtlb_of(uim_own(ep));

    vtd_add_fence(&b);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, v->did_identity);
    if (!uim_own(ep)->device->absent)
        vtd_add_devtlb_range(&b, v, &tlb, &one_page);
    return vtd_submit(v, &b);
}

/* While it overflows, what is sent may have been lost: once more, but not for ever because of
 * somebody who asks without end. */
enum uiommu_status vtd_drain(struct uiommu_endpoint *endpoint)
{
    struct vtd_unit *v = vtd_unit(endpoint->unit);
    const uint64_t start = uim_now(&v->unit);
    enum uiommu_status status = flush(v, endpoint);

    while (uim_requests_collect(&v->unit) && status == UIOMMU_OK) {
        if (uim_now(&v->unit) - start >= v->unit.timeout_ns)
            return UIOMMU_TIMEDOUT;
        status = flush(v, endpoint);
    }
    return status;
}
