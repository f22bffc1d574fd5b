/* SPDX-License-Identifier: MIT */
/* Everything. Each of these headers also stands alone. */
#ifndef UIOMMU_UIOMMU_H
#define UIOMMU_UIOMMU_H

#include <uiommu/device.h>
#include <uiommu/domain.h>
#include <uiommu/drivers.h>
#include <uiommu/fault.h>
#include <uiommu/handover.h>
#include <uiommu/host.h>
#include <uiommu/instance.h>
#include <uiommu/interrupt.h>
#include <uiommu/map.h>
#include <uiommu/region.h>
#include <uiommu/status.h>
#include <uiommu/types.h>

#endif
