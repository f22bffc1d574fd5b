/* SPDX-License-Identifier: MIT */
/*
 * link.c - a domain on a unit: the ASID (first stage) or VMID (second stage) that tags
 * what the unit caches of it. One goes back to the allocator only after everything
 * tagged with it was invalidated (D-49); if the unit does not confirm, it is never used
 * again. 0 tags nothing of ours.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"

enum { IDS_SHORT = 1 << 8, IDS_LONG = 1 << 16 };

static bool wide(const struct smmuv3_unit *v)
{
    return smmuv3_first_stage(v) ? smmuv3_idr0_asid16(v->idr0)
                                 : smmuv3_idr0_vmid16(v->idr0);
}

enum uiommu_status smmuv3_ids_create(struct smmuv3_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    v->n_ids = wide(v) ? IDS_LONG : IDS_SHORT;
    v->ids = h->alloc(h->ctx, smmuv3_ids_size(v));
    if (!v->ids)
        return UIOMMU_NOMEM;
    memset(v->ids, 0, smmuv3_ids_size(v));
    v->ids[0] = 1;
    return UIOMMU_OK;
}

enum uiommu_status smmuv3_link(struct uim_link *link)
{
    struct smmuv3_unit *v = smmuv3_unit(link->unit);
    uint32_t id;

    uim_spin_lock(&v->unit, v->id_lock);
    id = uim_ids_take(v->ids, v->n_ids);
    uim_spin_unlock(&v->unit, v->id_lock);
    if (id == v->n_ids)
        return UIOMMU_NOSPC;
    link->id = id;
    return UIOMMU_OK;
}

void smmuv3_unlink(struct uim_link *link)
{
    struct smmuv3_unit *v = smmuv3_unit(link->unit);
    const uint32_t id = link->id;
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_tlbi(&b, v, id);
    if (smmuv3_submit(v, &b) != UIOMMU_OK)
        return;
    uim_spin_lock(&v->unit, v->id_lock);
    uim_ids_give(v->ids, id);
    uim_spin_unlock(&v->unit, v->id_lock);
}
