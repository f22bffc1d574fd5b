/* SPDX-License-Identifier: MIT */
/*
 * inval.c - what units and devices forget when a domain changes (6.5.3.3,
 * semantics B.12 and B.15.4).
 */
#include "drv/vtd/vtd.h"

enum uiommu_status vtd_invalidate(struct uim_link *link,
                                  const struct uim_inval *inval)
{
    struct vtd_unit *v = vtd_unit(link->unit);
    const struct vtd_did did = { (uint16_t)link->id };
    struct vtd_batch b = { .n = 0 };

    /* iotlb commands by page take all of a domain that came from the first stage; what
     * did is tagged with the PASID too, and each has its link. */
    if (vtd_is_first_stage(link->domain))
        vtd_add_piotlb_range(&b, did, link->pasid, inval);
    else
        vtd_add_iotlb_range(&b, v, did, inval);
    return vtd_submit(v, &b);
}

/* Entries became present. CM=1: that they were not may be cached, but never of
 * first-stage tables (6.1). Else they may sit in a write buffer (6.8). */
enum uiommu_status vtd_map_sync(struct uim_link *link,
                                const struct uim_inval *inval)
{
    struct vtd_unit *v = vtd_unit(link->unit);

    if (vtd_cap_cm(v->cap) && !vtd_is_first_stage(link->domain))
        return vtd_invalidate(link, inval);
    return vtd_write_buffer_flush(v);
}

struct vtd_devtlb vtd_devtlb_of(const struct uiommu_endpoint *endpoint)
{
    const struct uiommu_device *physical = endpoint->device->physical;

    return (struct vtd_devtlb){
        .sid = vtd_sid(endpoint),
        .physical = vtd_sid(physical ? physical->endpoint : endpoint),
        .queue_depth = endpoint->device->ats_queue,
    };
}

/* The form without PASID, for a requester without PASID: it reaches everything
 * that the device holds of the range (semantics B.8, D-48). */
enum uiommu_status vtd_devtlb(struct uiommu_endpoint *endpoint,
                              const struct uim_inval *inval)
{
    struct vtd_unit *v = vtd_unit(endpoint->unit);
    const struct vtd_devtlb tlb = vtd_devtlb_of(endpoint);
    struct vtd_batch b = { .n = 0 };

    if (endpoint->pasid == UIOMMU_NO_PASID)
        vtd_add_devtlb_range(&b, v, &tlb, inval);
    else
        vtd_add_pdevtlb_range(&b, v, &tlb, endpoint->pasid, inval);
    return vtd_submit(v, &b);
}

/* 6.5.3.3, root entry or root table */
enum uiommu_status vtd_invalidate_all(struct vtd_unit *v)
{
    struct vtd_batch b = { .n = 0 };

    vtd_add_context(&b, VTD_CC_GLOBAL, VTD_DID_ABSENT, (struct vtd_sid){ 0 });
    if (vtd_has_pasids(v))
        vtd_add_pasid_cache(&b, VTD_PC_GLOBAL, VTD_DID_ABSENT, 0);
    vtd_add_iotlb(&b, v, VTD_IOTLB_GLOBAL, VTD_DID_ABSENT);
    return vtd_submit(v, &b);
}
