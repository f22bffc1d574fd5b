/* SPDX-License-Identifier: MIT */
/*
 * path.h - how devices are named, whatever the table: ACPI paths, and the way
 * from a root bus to a PCI function.
 *
 * Configuration space is not believed: bus numbers must grow on the way down,
 * which bounds every loop. The calls that take a host read it in the context
 * that host->pci_read allows.
 */
#ifndef UIM_FW_PATH_H
#define UIM_FW_PATH_H

#include "fw/fw.h"

/* Do both name the same object? With or without the root, names padded or
 * not. */
bool uim_fw_same_path(const char *a, const char *b);

bool uim_fw_present(const struct uiommu_host *host, struct uiommu_pci at);
uint32_t uim_fw_class(const struct uiommu_host *host, struct uiommu_pci at);

/* The bus below a bridge; 0: none, or nobody is there, or it is no bridge. */
uint8_t uim_fw_bus_below(const struct uiommu_host *host, struct uiommu_pci at);

/* False: the path is full. */
bool uim_fw_add_hop(struct uim_fw_device *device, uint8_t bus, uint8_t devfn);

/* Adds the bridges from a root bus down to `bus` of the device's segment.
 * False: there are more than a path has room for. */
bool uim_fw_climb(const struct uiommu_host *host, uint8_t bus,
                  struct uim_fw_device *device);

#endif
