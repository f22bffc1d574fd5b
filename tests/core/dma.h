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

/* ---- another CPU in the middle of an unmap, before that is confirmed ------------ */

static struct {
    void (*fence)(void *ctx);
    struct uiommu_endpoint *ep; /* NULL: not yet, or done                    */
    uint64_t iova, other;
    enum uiommu_status again, map;
} beside;

static inline void fence_and_meddle(void *ctx)
{
    struct uiommu_endpoint *ep = beside.ep;

    if (beside.fence)
        beside.fence(ctx);
    if (!ep)
        return;
    beside.ep = NULL;
    beside.again = uiommu_dma_unmap(ep, beside.iova, RIG_PAGE);
    beside.map = uiommu_dma_map(ep, 0, RIG_PAGE, RIG_RW, &beside.other);
}

/* Before the machine is up. */
static inline void let_meddle(struct rig *rig)
{
    beside.fence = rig->m->host.fence;
    rig->m->host.fence = fence_and_meddle;
}

/* The address is not free before nothing reaches it. The other has beside.other. */
static inline void unmap_beside(struct uiommu_endpoint *ep, uint64_t iova)
{
    beside.iova = iova;
    beside.ep = ep;
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    assert_null(beside.ep);
    rig_is(beside.again, UIOMMU_INVAL);
    rig_ok(beside.map);
    assert_true(beside.other != iova);
}

#endif
