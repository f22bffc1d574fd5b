/* SPDX-License-Identifier: MIT */
/*
 * chipset.h - root ports whose chipset has registers of its own instead of ACS
 * (UIM_PCI_QUIRK_ACS_PCH).
 */
#ifndef UIM_PCI_CHIPSET_H
#define UIM_PCI_CHIPSET_H

#include "pci/topology.h"

/* Is f such a port, and its protection on? It is not if nobody can tell. May sleep. */
bool uim_pci_chipset_protects(const struct uiommu_host *host,
                              const struct uim_pci_function *f);

/* Switches it on, if f is such a port. May sleep. */
void uim_pci_chipset_protect(const struct uiommu_host *host,
                             const struct uim_pci_function *f);

#endif
