/* SPDX-License-Identifier: MIT */
/*
 * desc.c - invalidation descriptors (6.5.2) from what changed.
 *
 * Nothing here has state or touches hardware: the property tests of
 * tests/drv/vtd_desc_test.c call it directly.
 */
#include "drv/vtd/vtd.h"

enum {
    PAGE_LG2 = 12,
    /* A device-TLB command of this order means everything (6.5.2.5). */
    DEVTLB_ORDER_ALL = 52,
    /* AM of a PASID-based command has no limit of its own, but QEMU takes none
     * above the MAMV it reports: 1 GiB. */
    PIOTLB_MAX_ORDER = 18,
};

/* ---- ranges (semantics B.16) --------------------------------------------- */

/* Blocks of the smallest order of which 2^lg2_n cover pages first to last. */
static struct vtd_cover blocks(uint64_t first, uint64_t last, unsigned lg2_n)
{
    unsigned size = uim_log2(last - first + 1);
    unsigned order = size > lg2_n ? size - lg2_n : 0;
    uint64_t n;

    /* Not the count alone decides but where the range lies: blocks are aligned,
     * and a range that straddles a border needs one more of them. */
    while ((n = (last >> order) - (first >> order) + 1) > (1u << lg2_n))
        order++;
    return (struct vtd_cover){
        .start = first >> order << order << PAGE_LG2,
        .order = order,
        .n = (unsigned)n,
    };
}

bool vtd_cover(uint64_t start, uint64_t last, unsigned max_order,
               struct vtd_cover *out)
{
    uint64_t first_page = start >> PAGE_LG2;
    uint64_t last_page = last >> PAGE_LG2;
    uint64_t pages = last_page - first_page + 1;
    struct vtd_cover c;

    for (unsigned lg2_n = 0;; lg2_n++) {
        c = blocks(first_page, last_page, lg2_n);
        if (((uint64_t)c.n << c.order) <= 2 * pages ||
            (2u << lg2_n) > VTD_COVER_MAX)
            break;
    }
    if (c.order > max_order)
        return false;
    *out = c;
    return true;
}

static uint64_t block_start(const struct vtd_cover *c, unsigned i)
{
    return c->start + ((uint64_t)i << c->order << PAGE_LG2);
}

/* ---- batches ------------------------------------------------------------- */

static void add(struct vtd_batch *b, uint64_t lo, uint64_t hi)
{
    b->desc[b->n++] = (struct vtd_desc){ lo, hi };
}

/* 6.5.2.1. Hardware in scalable mode takes "domain" for "global". */
void vtd_add_context(struct vtd_batch *b, enum vtd_cc g, struct vtd_did did,
                     struct vtd_sid sid)
{
    const struct vtd_qi_context_lo_fields lo = {
        .type = VTD_QI_CONTEXT,
        .g = g,
        .did = did.id,
        .sid = sid.id,
        .fm = VTD_FM_NONE,
    };

    add(b, vtd_qi_context_lo_pack(&lo).raw, 0);
}

/* 6.5.2.2 */
void vtd_add_pasid_cache(struct vtd_batch *b, enum vtd_pc g, struct vtd_did did,
                         uint32_t pasid)
{
    const struct vtd_qi_pasid_cache_lo_fields lo = {
        .type = VTD_QI_PASID_CACHE,
        .g = g,
        .did = did.id,
        .pasid = pasid,
    };

    add(b, vtd_qi_pasid_cache_lo_pack(&lo).raw, 0);
}

/* 6.5.2.3. DR and DW: DMA that was translated before is over when the command
 * is. Units of major version 2 and later drain whatever these say. */
static uint64_t iotlb_lo(const struct vtd_unit *v, enum vtd_iotlb_granularity g,
                         struct vtd_did did)
{
    const struct vtd_qi_iotlb_lo_fields lo = {
        .type = VTD_QI_IOTLB,
        .g = g,
        .did = did.id,
        .dr = vtd_cap_drd(v->cap),
        .dw = vtd_cap_dwd(v->cap),
    };

    return vtd_qi_iotlb_lo_pack(&lo).raw;
}

static uint64_t iotlb_hi(uint64_t start, unsigned order, bool leaf_only)
{
    const struct vtd_qi_iotlb_hi_fields hi = {
        .addr = start >> PAGE_LG2,
        .am = order,
        .ih = leaf_only,
    };

    return vtd_qi_iotlb_hi_pack(&hi).raw;
}

void vtd_add_iotlb(struct vtd_batch *b, const struct vtd_unit *v,
                   enum vtd_iotlb_granularity g, struct vtd_did did)
{
    add(b, iotlb_lo(v, g, did), 0);
}

void vtd_add_iotlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                         struct vtd_did did, const struct uim_inval *inval)
{
    unsigned max_order = (unsigned)vtd_cap_mamv(v->cap);
    struct vtd_cover c;

    if (inval->all || !vtd_cap_psi(v->cap) ||
        !vtd_cover(inval->start, inval->last, max_order, &c)) {
        vtd_add_iotlb(b, v, VTD_IOTLB_DOMAIN, did);
        return;
    }
    for (unsigned i = 0; i < c.n; i++)
        add(b, iotlb_lo(v, VTD_IOTLB_PAGE, did),
            iotlb_hi(block_start(&c, i), c.order, inval->leaf_only));
}

/* 6.5.2.4. These always drain. */
static uint64_t piotlb_lo(enum vtd_piotlb_granularity g, struct vtd_did did,
                          uint32_t pasid)
{
    const struct vtd_qi_piotlb_lo_fields lo = {
        .type = VTD_QI_PIOTLB,
        .g = g,
        .did = did.id,
        .pasid = pasid,
    };

    return vtd_qi_piotlb_lo_pack(&lo).raw;
}

void vtd_add_piotlb(struct vtd_batch *b, struct vtd_did did, uint32_t pasid)
{
    add(b, piotlb_lo(VTD_PIOTLB_PASID, did, pasid), 0);
}

void vtd_add_piotlb_range(struct vtd_batch *b, struct vtd_did did,
                          uint32_t pasid, const struct uim_inval *inval)
{
    struct vtd_cover c;

    if (inval->all ||
        !vtd_cover(inval->start, inval->last, PIOTLB_MAX_ORDER, &c)) {
        vtd_add_piotlb(b, did, pasid);
        return;
    }
    for (unsigned i = 0; i < c.n; i++)
        add(b, piotlb_lo(VTD_PIOTLB_PAGE, did, pasid),
            iotlb_hi(block_start(&c, i), c.order, inval->leaf_only));
}

/* 6.5.2.5: the lowest clear address bit from 12 up tells the size, so bits
 * below the top one of the block are set; S=0 is one page. The block is
 * aligned, so the bit that has to be clear is. */
static uint64_t span(uint64_t start, unsigned order)
{
    uint64_t ones = order > 0 ? (UINT64_C(1) << (order - 1)) - 1 : 0;

    return start >> PAGE_LG2 | ones;
}

uint64_t vtd_devtlb_span(uint64_t start, unsigned order)
{
    const struct vtd_qi_devtlb_hi_fields hi = {
        .addr = span(start, order),
        .s = order > 0,
    };

    return vtd_qi_devtlb_hi_pack(&hi).raw;
}

/* 6.5.2.6, for one PASID; sizes are as above. */
uint64_t vtd_pdevtlb_span(uint64_t start, unsigned order)
{
    const struct vtd_qi_pdevtlb_hi_fields hi = {
        .addr = span(start, order),
        .s = order > 0,
        .gi = VTD_PDEVTLB_PASID,
    };

    return vtd_qi_pdevtlb_hi_pack(&hi).raw;
}

/* MIP is coded like the capability's queue depth: 0 is 32. PFSID lets a unit
 * with DIT count what is pending for a physical function. */
static uint16_t pfsid_of(const struct vtd_unit *v, const struct vtd_devtlb *tlb)
{
    return vtd_ecap_dit(v->ecap) ? tlb->physical.id : 0;
}

static uint64_t devtlb_lo(const struct vtd_unit *v,
                          const struct vtd_devtlb *tlb)
{
    uint16_t pfsid = pfsid_of(v, tlb);
    const struct vtd_qi_devtlb_lo_fields lo = {
        .type = VTD_QI_DEVTLB,
        .sid = tlb->sid.id,
        .mip = tlb->queue_depth & 31u,
        .pfsid_3_0 = pfsid & 0xfu,
        .pfsid_15_4 = pfsid >> 4,
    };

    return vtd_qi_devtlb_lo_pack(&lo).raw;
}

static uint64_t pdevtlb_lo(const struct vtd_unit *v,
                           const struct vtd_devtlb *tlb, uint32_t pasid)
{
    uint16_t pfsid = pfsid_of(v, tlb);
    const struct vtd_qi_pdevtlb_lo_fields lo = {
        .type = VTD_QI_PDEVTLB,
        .sid = tlb->sid.id,
        .pasid = pasid,
        .mip = tlb->queue_depth & 31u,
        .pfsid_3_0 = pfsid & 0xfu,
        .pfsid_15_4 = pfsid >> 4,
    };

    return vtd_qi_pdevtlb_lo_pack(&lo).raw;
}

static struct vtd_cover devtlb_cover(const struct uim_inval *inval)
{
    struct vtd_cover c = { .order = DEVTLB_ORDER_ALL, .n = 1 };

    if (!inval->all)
        (void)vtd_cover(inval->start, inval->last, DEVTLB_ORDER_ALL, &c);
    return c;
}

void vtd_add_devtlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                          const struct vtd_devtlb *tlb,
                          const struct uim_inval *inval)
{
    uint64_t lo = devtlb_lo(v, tlb);
    struct vtd_cover c = devtlb_cover(inval);

    for (unsigned i = 0; i < c.n; i++)
        add(b, lo, vtd_devtlb_span(block_start(&c, i), c.order));
    b->ats = true;
    b->sid = tlb->sid;
}

void vtd_add_pdevtlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                           const struct vtd_devtlb *tlb, uint32_t pasid,
                           const struct uim_inval *inval)
{
    uint64_t lo = pdevtlb_lo(v, tlb, pasid);
    struct vtd_cover c = devtlb_cover(inval);

    for (unsigned i = 0; i < c.n; i++)
        add(b, lo, vtd_pdevtlb_span(block_start(&c, i), c.order));
    b->ats = true;
    b->sid = tlb->sid;
}

/* 6.5.2.8 */
void vtd_add_interrupt(struct vtd_batch *b, enum vtd_iec g, unsigned index)
{
    const struct vtd_qi_iec_lo_fields lo = {
        .type = VTD_QI_IEC,
        .g = g,
        .iidx = index,
    };

    add(b, vtd_qi_iec_lo_pack(&lo).raw, 0);
}

/* 6.5.2.9. Never SW and IF together: QEMU before 10.0.13 dies of it. */
struct vtd_desc vtd_wait_desc(uint64_t status_phys, uint32_t data, bool drains)
{
    const struct vtd_qi_wait_lo_fields lo = {
        .type = VTD_QI_WAIT,
        .sw = 1,
        .pd = drains,
        .stdata = data,
    };
    const struct vtd_qi_wait_hi_fields hi = { .staddr = status_phys >> 2 };

    return (struct vtd_desc){
        .lo = vtd_qi_wait_lo_pack(&lo).raw,
        .hi = vtd_qi_wait_hi_pack(&hi).raw,
    };
}

void vtd_add_fence(struct vtd_batch *b)
{
    const struct vtd_qi_wait_lo_fields lo = { .type = VTD_QI_WAIT, .fn = 1 };

    b->desc[b->n++] = (struct vtd_desc){ vtd_qi_wait_lo_pack(&lo).raw, 0 };
}

/* ---- page requests ------------------------------------------------------------ */

static unsigned code_of(enum uiommu_response response)
{
    switch (response) {
    case UIOMMU_RESPONSE_SUCCESS:
        return VTD_RC_SUCCESS;
    case UIOMMU_RESPONSE_INVALID:
        return VTD_RC_INVALID_REQUEST;
    default:
        return VTD_RC_RESPONSE_FAILURE;
    }
}

/* 7.6.1 */
void vtd_add_page_response(struct vtd_batch *b,
                           const struct uim_page_answer *answer)
{
    const bool has_pasid = answer->pasid != UIOMMU_NO_PASID;
    const struct vtd_qi_page_response_lo_fields lo = {
        .type = VTD_QI_PAGE_RESPONSE,
        .pp = has_pasid,
        .pasid = has_pasid ? answer->pasid : 0,
        .rid = answer->id,
        .rc = code_of(answer->response),
    };
    const struct vtd_qi_page_response_hi_fields hi = { .prgi = answer->group };

    b->desc[b->n++] =
        (struct vtd_desc){ vtd_qi_page_response_lo_pack(&lo).raw,
                           vtd_qi_page_response_hi_pack(&hi).raw };
}
