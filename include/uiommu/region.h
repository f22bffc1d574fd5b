/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_REGION_H
#define UIOMMU_REGION_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Addresses that mean something to a device before anything is mapped for it
 * (semantics B.10). Whoever chooses iovas for it leaves them alone.
 */

enum uiommu_region_kind {
    /* Firmware's memory, which the device uses before any driver runs:
     * uiommu_set_domain() maps it one to one first, and a group with such regions
     * cannot be claimed. */
    UIOMMU_REGION_DIRECT,
    /* So too, but only until its driver or an owner has it: nothing forbids a claim,
     * and what the owner maps there is its business. USB, graphics. */
    UIOMMU_REGION_DIRECT_RELAXABLE,
    /* Writes there are interrupt messages, which no table translates: uiommu_map()
     * refuses the range (x86). interrupt.h has what may pass. */
    UIOMMU_REGION_MSI,
    /* Physical addresses that the device's interrupt messages are for, on a unit that
     * translates messages as any write (Arm: the frame of the ITS with
     * GITS_TRANSLATER). A blocked device sends none, one on identity sends them as
     * they are. In a paging domain they arrive once the doorbell is mapped:
     * uiommu_irq_doorbell() does that and says where; or the host does, with
     * UIOMMU_WRITE | UIOMMU_MMIO, at an iova of its choice, which may be the
     * same. Nothing is refused there. */
    UIOMMU_REGION_DOORBELL,
    /* Addresses of paging domains where uiommu_irq_doorbell() maps doorbells:
     * uiommu_map() refuses the range, and uiommu_unmap() leaves it alone (Arm). What a
     * device has that never or only sees a default domain (dma.h) is elsewhere. */
    UIOMMU_REGION_DOORBELL_WINDOW,
};

struct uiommu_region {
    uint64_t start, last; /* inclusive                                      */
    enum uiommu_region_kind kind;
};

typedef void (*uiommu_region_fn)(void *ctx, const struct uiommu_region *region);

/**
 * Call `fn` with each region of the endpoint's device: by start address, those of one
 * kind that overlap or touch as one. Those of a group are the regions of all its
 * members. Doorbells are told if the firmware table that has them was given (MADT);
 * uiommu_find_tables() looks for it, and uiommu_start() says so where it is missing.
 *
 * May sleep; `fn` may call anything but what ends the device. NOMEM: `fn` was not
 * called. INVAL: NULL.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_regions(struct uiommu_endpoint *endpoint, uiommu_region_fn fn,
               void *ctx);

#ifdef __cplusplus
}
#endif
#endif
