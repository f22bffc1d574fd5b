/* SPDX-License-Identifier: MIT */
/*
 * dma.h - the steps that tests of DMA for drivers of the host share.
 */
#ifndef UIM_TESTS_CORE_DMA_H
#define UIM_TESTS_CORE_DMA_H

#include "tests/core/help.h"

enum { ENGINE0, ENGINE1, PORT, ENGINE2 }; /* rows of the default topology */

/* ---- steps --------------------------------------------------------------------- */

static inline struct uiommu_dma_config asks(enum uiommu_dma_kind kind,
                                            uint64_t last)
{
    return (struct uiommu_dma_config){ .size = sizeof(struct uiommu_dma_config),
                                       .kind = kind,
                                       .last_iova = last };
}

static inline enum uiommu_status
start_as(struct uiommu_endpoint *ep, enum uiommu_dma_kind kind, uint64_t last)
{
    const struct uiommu_dma_config config = asks(kind, last);

    return uiommu_dma_start(ep, &config);
}

static inline uint64_t mapped(struct uiommu_endpoint *ep, uint64_t phys,
                              uint64_t size)
{
    uint64_t iova = NOWHERE;

    rig_ok(uiommu_dma_map(ep, phys, size, RIG_RW, &iova));
    return iova;
}

static inline struct uiommu_mode mode(struct uiommu_endpoint *ep)
{
    struct uiommu_mode m;

    rig_ok(uiommu_effective_mode(ep, &m));
    return m;
}

static inline void is_default(struct uiommu_endpoint *ep,
                              enum uiommu_domain_kind kind,
                              enum uiommu_default_rule rule)
{
    const struct uiommu_mode m = mode(ep);

    assert_int_equal(m.sees, kind);
    assert_int_equal(m.rule, rule);
    assert_int_equal(m.owned_by, UIOMMU_OWNED_BY_DMA);
}

#endif
