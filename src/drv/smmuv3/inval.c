/* SPDX-License-Identifier: MIT */
/*
 * inval.c - what units and devices forget when a domain changes (3.17, 4.4, semantics
 * B.12 and B.15.4).
 */
#include "drv/smmuv3/smmuv3.h"

enum uiommu_status smmuv3_invalidate(struct uim_link *link,
                                     const struct uim_inval *inval)
{
    struct smmuv3_unit *v = smmuv3_unit(link->unit);
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_tlbi_range(&b, v, link, inval);
    return smmuv3_submit(v, &b);
}

/* 3.9.1: only after the TLB, from which the device would fill its own again. */
enum uiommu_status smmuv3_devtlb(struct uiommu_endpoint *endpoint,
                                 const struct uim_inval *inval)
{
    struct smmuv3_unit *v = smmuv3_unit(endpoint->unit);
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_atc_inv(&b, smmuv3_sid(endpoint), endpoint->pasid, inval);
    return smmuv3_submit(v, &b);
}

enum uiommu_status smmuv3_invalidate_all(struct smmuv3_unit *v)
{
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_cfgi_all(&b);
    smmuv3_add_tlbi_all(&b, v);
    return smmuv3_submit(v, &b);
}
