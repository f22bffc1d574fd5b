/* SPDX-License-Identifier: MIT */
/*
 * virtual.c - virtual functions (PCIe Base 9.2, 9.3): who they are is written in their
 * physical one.
 */
#include "pci/topology.h"

enum { SRIOV_SIZE = 0x40 };

static uint16_t read16(const struct uiommu_host *host, struct uiommu_pci at,
                       unsigned offset)
{
    return (uint16_t)host->pci_read(host->ctx, at, offset, 2);
}

enum uiommu_status uim_pci_sriov(const struct uiommu_host *host,
                                 struct uiommu_pci at,
                                 struct uim_pci_sriov *out)
{
    unsigned offset = uim_pci_find_ext(host, at, PCI_EXT_CAP_SRIOV);
    struct pci_sriov_ctrl ctrl;

    if (offset == 0 || offset > PCI_EXT_CONFIG_SIZE - SRIOV_SIZE)
        return UIOMMU_NOENT;
    ctrl.raw = read16(host, at, offset + PCI_REG_SRIOV_CTRL);
    out->n = 0;
    if (pci_sriov_ctrl_vf_enable(ctrl))
        out->n = read16(host, at, offset + PCI_REG_SRIOV_NUM_VF);
    out->offset = read16(host, at, offset + PCI_REG_SRIOV_VF_OFFSET);
    out->stride = read16(host, at, offset + PCI_REG_SRIOV_VF_STRIDE);
    out->device = read16(host, at, offset + PCI_REG_SRIOV_VF_DID);
    return UIOMMU_OK;
}

static uint32_t number_of(struct uiommu_pci at)
{
    return (uint32_t)at.bus << 8 | at.devfn;
}

/* Offset and stride reach over buses. */
bool uim_pci_is_virtual_of(const struct uim_pci_sriov *sriov,
                           struct uiommu_pci physical, struct uiommu_pci at)
{
    const uint32_t first = number_of(physical) + sriov->offset;
    uint32_t distance;

    if (sriov->n == 0 || sriov->offset == 0 || at.segment != physical.segment ||
        number_of(at) < first)
        return false;
    distance = number_of(at) - first;
    if (sriov->stride == 0)
        return distance == 0;
    return distance % sriov->stride == 0 && distance / sriov->stride < sriov->n;
}

/* Its number says nothing of company: others have a way to it only through the owner
 * of the physical function. */
void uim_pci_function_read_virtual(const struct uiommu_host *host,
                                   struct uiommu_pci at,
                                   const struct uim_pci_function *physical,
                                   struct uim_pci_function *out)
{
    struct uim_pci_sriov sriov;

    uim_pci_function_read(host, at, out);
    if (uim_pci_sriov(host, physical->at, &sriov) == UIOMMU_OK)
        out->device = sriov.device;
    out->vendor = physical->vendor;
    out->physical = physical;
    out->bridge = physical->bridge;
    out->multifunction = false;
}
