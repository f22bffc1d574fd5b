/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_GROUP_H
#define UIOMMU_GROUP_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Groups: the smallest sets of devices that can be kept apart (semantics B.9). All of
 * a group see the same domain, and belong to the same owner.
 *
 * Devices belong together if the DMA of one may carry the id of the other, or reach it
 * without passing an IOMMU: what switches, bridges and functions of one slot do not
 * prevent (ACS). Which devices make a group does not depend on the order in which they
 * were added; a device that would join groups to one of which two are in use (claimed,
 * set to a domain, with PASIDs) is not added; nor is one that cannot see what its group
 * sees, or be claimed with it. Removing a device does not divide a group: what was
 * together is apart again when all of it was removed.
 *
 * A mediated device that something keeps apart, or that is emulated, is a group by itself:
 * it has no devices, and is part of what its parent's group is (mediated.h).
 */

/** The endpoint's group; valid until a device is added or removed. */
struct uiommu_group *uiommu_endpoint_group(struct uiommu_endpoint *endpoint);

typedef void (*uiommu_group_device_fn)(void *ctx, struct uiommu_device *device);

/** Call `fn` with each device of the group that was added. May sleep; `fn` must not add,
 *  remove or reset devices, nor make or end PASIDs. */
void uiommu_group_devices(struct uiommu_group *group, uiommu_group_device_fn fn,
                          void *ctx);

/** Two devices of a group, and the sentence that says what joins them: the bridge or
 *  function and the ACS bits it lacks, or the id that both may carry. */
typedef void (*uiommu_group_why_fn)(void *ctx, struct uiommu_device *a,
                                    struct uiommu_device *b, const char *why);

/** Call `fn` with each pair that is joined directly; the others of a group are so by
 *  way of these. One of a pair may be a device that only firmware named so far. May
 *  sleep; `fn` must not add or remove devices. */
void uiommu_group_explain(struct uiommu_group *group, uiommu_group_why_fn fn,
                          void *ctx);

#ifdef __cplusplus
}
#endif
#endif
