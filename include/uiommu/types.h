/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_TYPES_H
#define UIOMMU_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uiommu/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uiommu;          /* one instance: everything hangs on it              */
struct uiommu_driver;   /* what the embedder names in uiommu_start()         */
struct uiommu_device;   /* something that issues DMA                         */
struct uiommu_endpoint; /* who asks: a device, or (device, PASID)            */
struct uiommu_domain;   /* what they see: exactly one translation            */
struct uiommu_group;    /* who must move together                            */
struct uiommu_record;   /* what the last owner of the units left             */

/* A PCI function; also the requester id its DMA carries. */
struct uiommu_pci {
    uint16_t segment;
    uint8_t bus;
    uint8_t devfn; /* device << 3 | function */
};

#define UIOMMU_NO_PASID UINT32_C(0) /* DMA without a PASID prefix */

/* Rights and attributes of a mapping, and the rights an access asked for. */
enum {
    UIOMMU_READ = 1u << 0,
    UIOMMU_WRITE = 1u << 1,
    UIOMMU_EXEC = 1u << 2,
    UIOMMU_MMIO = 1u << 3,  /* device memory, not RAM                        */
    UIOMMU_PRIV = 1u << 4,  /* privileged accesses only                      */
    UIOMMU_CACHE = 1u << 5, /* snoops the CPU's caches whatever the device
                             * asks (VT-d: SNP where the unit has it)        */
};

#ifdef __cplusplus
}
#endif
#endif
