/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_RESET_H
#define UIOMMU_RESET_H

#include <uiommu/device.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Around the reset of a function, of its slot or bus: while it does not answer, and until
 * its registers are as they were, nothing of it may reach memory and nothing may wait for
 * it (semantics B.19). Its endpoints keep their domains, but see nothing. Virtual functions
 * are reset with their physical one; those that are not there afterwards stay blocked until
 * they are removed.
 */

/**
 * Before the reset: all that the device's DMA may carry is blocked, with a PASID or without,
 * its device TLB is empty and ATS off. Until uiommu_device_reset_end() its group cannot be
 * set, claimed, or get PASIDs (BUSY); what takes away goes on working. Calls may be nested,
 * each with its end; ids that devices share stay blocked until all of these are through.
 *
 * May sleep. BUSY: its group goes on with what its unit was found with, see handover.h.
 * AGAIN: suspended. TIMEDOUT, IO: the unit or device did not confirm; it is blocked and
 * quarantined, and the reset goes on, with its end.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_device_reset_begin(struct uiommu_device *device);

/**
 * After it: with `worked`, PASIDs and ATS are switched on again and the endpoints see their
 * domains, and numbers that waited for a reset are free again (see pasid.h). Else the device
 * stays blocked until it is removed.
 *
 * May sleep. INVAL: no reset that was begun for the device itself goes on. AGAIN: suspended;
 * it goes on. NODEV: the device has no PASIDs any more and had some, or it was quarantined: it
 * stays blocked. NOMEM: another brought its group a domain meanwhile, for which the unit has no
 * tables of this one: it stays blocked until it is removed. TIMEDOUT, IO: as
 * uiommu_set_domain().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_device_reset_end(struct uiommu_device *device, bool worked);

#ifdef __cplusplus
}
#endif
#endif
