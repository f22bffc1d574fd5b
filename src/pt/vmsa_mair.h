/* SPDX-License-Identifier: MIT */
/*
 * vmsa_mair.h - what AttrIndx means in leaves of the vmsa_s1 formats: drivers
 * program it together with the root.
 */
#ifndef UIM_PT_VMSA_MAIR_H
#define UIM_PT_VMSA_MAIR_H

#include "spec/vmsa.h"

enum {
    UIM_PT_VMSA_WB,     /* RAM that DMA snoops */
    UIM_PT_VMSA_NC,     /* RAM, where it does not */
    UIM_PT_VMSA_DEVICE, /* UIOMMU_MMIO */
};

static inline uint64_t uim_pt_vmsa_mair(void)
{
    return (uint64_t)VMSA_MAIR_WB << 8 * UIM_PT_VMSA_WB |
           (uint64_t)VMSA_MAIR_NC << 8 * UIM_PT_VMSA_NC |
           (uint64_t)VMSA_MAIR_DEVICE_NGNRE << 8 * UIM_PT_VMSA_DEVICE;
}

#endif
