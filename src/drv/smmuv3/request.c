/* SPDX-License-Identifier: MIT */
/*
 * request.c - the PRI queue, answers, and the end of what waits (3.12.2, chapter 8;
 * semantics B.17).
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    LOG2SIZE_MOST = 9,
    WORDS = SMMUV3_PRI_BYTES / 8,
};

static uint32_t entries(const struct smmuv3_requests *q)
{
    return UINT32_C(1) << q->log2size;
}

/* ---- memory ------------------------------------------------------------------ */

static unsigned order_of(const struct smmuv3_requests *q)
{
    return smmuv3_order((uint64_t)entries(q) * SMMUV3_PRI_BYTES);
}

enum uiommu_status smmuv3_requests_create(struct smmuv3_unit *v)
{
    struct smmuv3_requests *q = &v->requests;
    uint64_t most = smmuv3_idr1_priqs(v->idr1);

    if (!v->unit.requests)
        return UIOMMU_OK;
    q->log2size = (uint8_t)(most < LOG2SIZE_MOST ? most : LOG2SIZE_MOST);
    q->ring = uim_pages_alloc_read(&v->unit, order_of(q), &q->ring_phys);
    return q->ring ? UIOMMU_OK : UIOMMU_NOMEM;
}

void smmuv3_requests_destroy(struct smmuv3_unit *v)
{
    struct smmuv3_requests *q = &v->requests;

    if (!v->stuck)
        uim_pages_free(&v->unit, q->ring, q->ring_phys, order_of(q));
}

enum uiommu_status smmuv3_requests_start(struct smmuv3_unit *v)
{
    struct smmuv3_requests *q = &v->requests;
    const struct smmuv3_eventq_base_fields base = {
        .wa = 1,
        .addr = q->ring_phys >> 5,
        .log2size = q->log2size,
    };

    if (!v->unit.requests)
        return UIOMMU_OK;
    q->next = 0;
    uim_wr64(&v->unit, SMMUV3_REG_PRIQ_BASE,
             smmuv3_eventq_base_pack(&base).raw);
    uim_wr32(&v->unit, q->prod, 0);
    uim_wr32(&v->unit, q->cons, 0);
    return smmuv3_cr0(v, SMMUV3_CR0_BIT(priqen), SMMUV3_CR0_BIT(priqen));
}

/* ---- taking ---------------------------------------------------------------------- */

static struct uim_page_request decode(struct smmuv3_pri_q0 q0,
                                      struct smmuv3_pri_q1 q1)
{
    struct uim_page_request r = {
        .id = (uint32_t)smmuv3_pri_q0_sid(q0),
        .pasid = smmuv3_pri_q0_ssv(q0) ? (uint32_t)smmuv3_pri_q0_ssid(q0)
                                       : UIOMMU_NO_PASID,
        .group = (uint16_t)smmuv3_pri_q1_prgindex(q1),
        .last = smmuv3_pri_q0_last(q0),
        .iova = smmuv3_pri_q1_addr(q1) << 12,
    };

    r.access = (smmuv3_pri_q0_r(q0) ? UIOMMU_READ : 0) |
               (smmuv3_pri_q0_w(q0) ? UIOMMU_WRITE : 0) |
               (smmuv3_pri_q0_x(q0) ? UIOMMU_EXEC : 0) |
               (smmuv3_pri_q0_priv(q0) ? UIOMMU_PRIV : 0);
    return r;
}

static void take(struct smmuv3_unit *v)
{
    struct smmuv3_requests *q = &v->requests;
    const uim_word *slot =
        &q->ring[(size_t)(q->next & (entries(q) - 1)) * WORDS];
    const struct smmuv3_pri_q0 q0 = { uim_ld64(&slot[0]) };
    const struct smmuv3_pri_q1 q1 = { uim_ld64(&slot[1]) };
    const struct uim_page_request request = decode(q0, q1);

    q->next = (q->next + 1) & (2 * entries(q) - 1);
    (void)uim_request(&v->unit, &request);
}

/* A unit that is gone reads as all ones: that is no index. */
static uint32_t waiting(const struct smmuv3_requests *q,
                        struct smmuv3_eventq_prod prod)
{
    const uint32_t n = ((uint32_t)smmuv3_eventq_prod_wr(prod) - q->next) &
                       (2 * entries(q) - 1);

    return n <= entries(q) && prod.raw != UINT32_MAX ? n : 0;
}

/* The slots are the unit's again, and where it says so it records anew. */
static void give_back(struct smmuv3_unit *v, uint64_t ovackflg)
{
    const struct smmuv3_eventq_cons_fields cons = {
        .rd = v->requests.next,
        .ovackflg = ovackflg,
    };

    uim_fence(v->unit.host); /* the records were read */
    uim_wr32(&v->unit, v->requests.cons,
             (uint32_t)smmuv3_eventq_cons_pack(&cons).raw);
}

static struct smmuv3_eventq_prod prod_now(const struct smmuv3_unit *v)
{
    return (struct smmuv3_eventq_prod){ uim_rd32(&v->unit, v->requests.prod) };
}

static uint64_t acknowledged(const struct smmuv3_unit *v)
{
    return smmuv3_eventq_cons_ovackflg(
        (struct smmuv3_eventq_cons){ uim_rd32(&v->unit, v->requests.cons) });
}

static bool overflows(const struct smmuv3_unit *v,
                      struct smmuv3_eventq_prod prod)
{
    return prod.raw != UINT32_MAX &&
           smmuv3_eventq_prod_ovflg(prod) != acknowledged(v);
}

/* While it overflows or could not write, nothing is recorded. What was lost may have been
 * the last of a group: it must not be taken for complete by what comes then, which is only
 * once that is acknowledged (B.17.10). */
bool smmuv3_requests_take(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    struct smmuv3_requests *q = &v->requests;
    const bool unwritten = atomic_exchange(&q->unwritten, false);
    const struct smmuv3_eventq_prod prod = prod_now(v);
    const bool over = overflows(v, prod);
    uint32_t n = waiting(q, prod);

    uim_fence_acquire(); /* PROD before the records */
    if (n > 0 || over) {
        while (n-- > 0)
            take(v);
        if (over)
            uim_requests_lost(&v->unit);
        give_back(v, smmuv3_eventq_prod_ovflg(prod));
    }
    if (unwritten) {
        uim_requests_lost(&v->unit);
        smmuv3_requests_acknowledge(v);
    }
    return over || unwritten;
}

bool smmuv3_requests_wait(struct uim_unit *unit)
{
    const struct smmuv3_unit *v = smmuv3_unit(unit);
    const struct smmuv3_eventq_prod prod = prod_now(v);

    return waiting(&v->requests, prod) > 0 || overflows(v, prod) ||
           atomic_load(&v->requests.unwritten);
}

/* ---- answers ------------------------------------------------------------------------ */

enum uiommu_status smmuv3_respond(struct uim_unit *unit,
                                  const struct uim_page_answer *answer)
{
    struct smmuv3_batch b = { .n = 0 };

    if (answer->stalled)
        smmuv3_add_resume(&b, answer);
    else
        smmuv3_add_pri_resp(&b, answer);
    return smmuv3_submit(smmuv3_unit(unit), &b);
}

/* ---- drain --------------------------------------------------------------------------- */

/* The entry was changed and that is complete: what waited before without a record is tried
 * anew (4.7.3), and the others have theirs. Nothing comes back whose record was lost: where
 * the stream sees nothing any more, it is ended with the rest of it. */
static enum uiommu_status drain_stalls(struct smmuv3_unit *v,
                                       const struct uiommu_endpoint *ep)
{
    const struct smmuv3_sid sid = smmuv3_sid(ep);
    const uim_word *ste = smmuv3_ste(v, sid);
    struct smmuv3_batch b = { .n = 0 };
    enum uiommu_status status = UIOMMU_OK;

    smmuv3_stalls_take(v);
    if (ste && !smmuv3_ste_is_valid(uim_ld64(ste))) {
        smmuv3_add_stall_term(&b, sid);
        status = smmuv3_submit(v, &b);
    }
    return status;
}

/* What the device had asked for when it answered the invalidation is in the queue. The manual
 * does not say so: it is assumed, as both are posted requests from the device and the answer
 * does not pass what was sent before it (PCIe Base 2.4.1). */
enum uiommu_status smmuv3_drain(struct uiommu_endpoint *endpoint)
{
    static const struct uim_inval one_page = { .start = 0, .last = 4095 };
    struct smmuv3_unit *v = smmuv3_unit(endpoint->unit);
    struct smmuv3_batch b = { .n = 0 };
    enum uiommu_status status = UIOMMU_OK;

    /* Who is no PCI function, also when it may not stall any more. */
    if (!endpoint->device->pri_able)
        return drain_stalls(v, endpoint);
    if (!uim_own(endpoint)->device->absent) {
        smmuv3_add_atc_inv(&b, smmuv3_sid(endpoint), UIOMMU_NO_PASID,
                           &one_page);
        status = smmuv3_submit(v, &b);
    }
    (void)uim_requests_collect(&v->unit);
    return status;
}
