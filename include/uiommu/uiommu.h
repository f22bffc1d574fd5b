/* SPDX-License-Identifier: MIT */
/* Everything. Each of these headers also stands alone. */
#ifndef UIOMMU_UIOMMU_H
#define UIOMMU_UIOMMU_H

#include <uiommu/audit.h>
#include <uiommu/device.h>
#include <uiommu/dma.h>
#include <uiommu/domain.h>
#include <uiommu/drivers.h>
#include <uiommu/fault.h>
#include <uiommu/group.h>
#include <uiommu/handover.h>
#include <uiommu/host.h>
#include <uiommu/instance.h>
#include <uiommu/interrupt.h>
#include <uiommu/map.h>
#include <uiommu/mediated.h>
#include <uiommu/mode.h>
#include <uiommu/pasid.h>
#include <uiommu/recorder.h>
#include <uiommu/region.h>
#include <uiommu/request.h>
#include <uiommu/reset.h>
#include <uiommu/status.h>
#include <uiommu/sva.h>
#include <uiommu/types.h>

#endif
