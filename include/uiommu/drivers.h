/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_DRIVERS_H
#define UIOMMU_DRIVERS_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The drivers there are. Name those you want in uiommu_start(); what nobody
 * names is not linked.
 */

/*
 * Intel VT-d; reads DMAR. Options:
 *   vtd.mode=auto|legacy|scalable|first-stage
 *       legacy: second stage, no PASIDs. scalable: second-stage tables behind
 *       PASID entries. first-stage: first-stage tables behind PASID entries.
 *       auto (default): scalable where every unit can, else first-stage where
 *       every unit can, else legacy. What a unit lacks fails the start.
 *   vtd.timeout_ms=N
 *       how long a unit may take to answer a command; default 1000.
 */
extern const struct uiommu_driver uiommu_driver_vtd;

/*
 * Arm SMMUv3; reads IORT. Options:
 *   smmuv3.stage=auto|1|2
 *       which stage translates. auto (default): the first where every unit has it.
 *   smmuv3.granule=auto|4k|16k|64k
 *       the smallest page of domains. auto (default): the smallest that every unit
 *       has.
 *   smmuv3.timeout_ms=N
 *       how long a unit may take to answer a command; default 1000.
 */
extern const struct uiommu_driver uiommu_driver_smmuv3;

/*
 * No IOMMU: for whatever no unit of the drivers before it translates for, so name it last.
 * Needs no table, and has no options. Such devices can be added and reach all memory: they
 * see identity, cannot be blocked or claimed, and are started for DMA as they are. Their
 * parts that are EMULATED (mediated.h) have domains as any other.
 */
extern const struct uiommu_driver uiommu_driver_software;

#ifdef __cplusplus
}
#endif
#endif
