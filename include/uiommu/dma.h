/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_DMA_H
#define UIOMMU_DMA_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * DMA for drivers of the host: who has no use for addresses of its own choice lets
 * uiommu choose them (semantics B.2, B.4). On any endpoint, with a PASID or without.
 *
 *     start -> map, unmap, ... -> stop
 *
 * While an endpoint is started, what it and the others of its group see is a default
 * domain, theirs together: nobody claims the group or sets another domain. Strict: once
 * an unmap is OK no device reaches the memory, and not before is the address used again.
 */

/* What a default domain translates. */
enum uiommu_dma_kind {
    UIOMMU_DMA_ANY,        /* as the policy says                            */
    UIOMMU_DMA_TRANSLATED, /* what is mapped, and nothing else              */
    UIOMMU_DMA_IDENTITY,   /* addresses as they are: nothing is confined    */
};

struct uiommu_dma_config {
    uint32_t size;     /* sizeof(struct uiommu_dma_config)                  */
    enum uiommu_dma_kind kind;
    uint64_t last_iova; /* highest address that the device can send; 0: any */
};

/**
 * A driver of the host is about to use the endpoint. The first of a group gives it a
 * default domain, which holds the firmware regions of its devices before it is seen:
 *
 * - identity or translated, as `config` asks; identity of a device that is not trusted or
 *   on a unit without pass-through is OPNOTSUPP (logged);
 * - where it does not say: translated, unless uiommu_config.default_domain is identity,
 *   every device of the group is trusted, and the unit has pass-through; identity too where
 *   no unit translates (uiommu_driver_software).
 *
 * uiommu_effective_mode() tells which of these it was. Later starts are counted and must
 * agree: another kind, or for the same endpoint another last_iova, is INVAL (logged).
 * `config` may be NULL.
 *
 * May sleep. INVAL: malformed, or last_iova leaves nothing to choose from. PERM: claimed.
 * BUSY: not on its core domain, nor on uiommu_inherited(). OPNOTSUPP: identity, see above, or
 * (logged) the units of its group have no tables in common. NODEV, AGAIN, NOMEM, NOSPC,
 * EXIST, TIMEDOUT, IO: as uiommu_set_domain().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_dma_start(struct uiommu_endpoint *endpoint,
                 const struct uiommu_dma_config *config);

/**
 * The driver is done, and its device quiet: one start less. After the last of a group it
 * sees its core domain again, and what is still mapped is gone (the log says how many).
 *
 * May sleep; no call of map or unmap is under way for the endpoint. INVAL: not started.
 * AGAIN: suspended. TIMEDOUT, IO: as uiommu_set_domain(); it is stopped all the same.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_dma_stop(struct uiommu_endpoint *endpoint);

/**
 * Let the endpoint reach [phys, phys + size), which need not be aligned, with `flags`
 * (UIOMMU_READ...); *iova is the address to give to the device. Whole pages are mapped: the
 * device reaches what else is in the first and last. No address is chosen in what
 * uiommu_regions() tells, above the endpoint's last_iova, in the first page, or where
 * something is that was not put there by this call; below 4 GiB first. On identity *iova
 * is `phys`.
 *
 * Contexts as uiommu_map(). INVAL: not started, empty, it wraps, or as uiommu_map(). NOSPC: no
 * range of addresses is free. OVERFLOW: on identity, `phys` is above last_iova. NOMEM.
 * TIMEDOUT, IO: as uiommu_map(); the addresses are not used again.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_dma_map(struct uiommu_endpoint *endpoint, uint64_t phys, uint64_t size,
               unsigned flags, uint64_t *iova);

/**
 * Take back exactly what one uiommu_dma_map() gave: `iova` and `size` as there.
 *
 * Contexts as uiommu_unmap(). INVAL, and nothing happens: not started, or no such mapping
 * (on identity nothing is remembered: any is OK). AGAIN: suspended; it is still mapped.
 * TIMEDOUT, IO: see status.h; the addresses are not used again.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_dma_unmap(struct uiommu_endpoint *endpoint, uint64_t iova,
                 uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
