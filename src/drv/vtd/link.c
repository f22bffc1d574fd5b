/* SPDX-License-Identifier: MIT */
/*
 * link.c - a domain on a unit: the domain id that tags what the unit caches of
 * it. An id goes back to the allocator only after everything tagged with it was
 * invalidated (D-49); if the unit does not confirm, it is never used again.
 */
#include "drv/vtd/vtd.h"

/* Can the unit walk these tables? They may be made for another unit. */
static bool walkable(const struct vtd_unit *v, const struct uiommu_domain *d)
{
    const unsigned top = d->pt.top;

    if (vtd_is_first_stage(d))
        return top == 3 || (top == 4 && vtd_cap_fs5lp(v->cap));
    if (d->last_iova >> v->unit.iova_bits != 0)
        return false;
    /* 3 levels are bit 1 of SAGAW */
    return top >= 2 && (vtd_cap_sagaw(v->cap) >> (top - 1u) & 1) != 0;
}

enum uiommu_status vtd_did_alloc(struct vtd_unit *v, struct vtd_did *out)
{
    uint32_t id;

    uim_spin_lock(&v->unit, v->did_lock);
    id = uim_ids_take(v->dids, v->n_dids);
    uim_spin_unlock(&v->unit, v->did_lock);
    if (id == v->n_dids)
        return UIOMMU_NOSPC;
    out->id = (uint16_t)id;
    return UIOMMU_OK;
}

static void did_free(struct vtd_unit *v, struct vtd_did did)
{
    uim_spin_lock(&v->unit, v->did_lock);
    uim_ids_give(v->dids, did.id);
    uim_spin_unlock(&v->unit, v->did_lock);
}

enum uiommu_status vtd_link(struct uim_link *link)
{
    struct vtd_unit *v = vtd_unit(link->unit);
    enum uiommu_status status;
    struct vtd_did did;

    if (!walkable(v, link->domain))
        return UIOMMU_INVAL;
    status = vtd_did_alloc(v, &did);
    if (status == UIOMMU_OK)
        link->id = did.id;
    return status;
}

/* 6.5.3.3, reuse of a domain id */
void vtd_unlink(struct uim_link *link)
{
    struct vtd_unit *v = vtd_unit(link->unit);
    const struct vtd_did did = { (uint16_t)link->id };
    struct vtd_batch b = { .n = 0 };

    if (vtd_has_pasids(v))
        vtd_add_pasid_cache(&b, VTD_PC_DOMAIN, did, 0);
    else
        vtd_add_context(&b, VTD_CC_DOMAIN, did, (struct vtd_sid){ 0 });
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, did);
    if (vtd_submit(v, &b) == UIOMMU_OK)
        did_free(v, did);
}
