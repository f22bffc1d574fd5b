/* SPDX-License-Identifier: MIT */
/*
 * msix.h - vector 0 of a function's MSI-X: what it sends, and when. PCI 3.0 6.8.2:
 * what comes due while a vector is masked is sent, once, when it no longer is.
 */
#ifndef UIM_HOSTS_QTEST_MSIX_H
#define UIM_HOSTS_QTEST_MSIX_H

#include "hosts/qtest/pci.h"

struct qt_msix {
    struct qt_proto *proto;
    uint64_t entry; /* of vector 0; 0: the function has none */
};

/** Switch it on, with all vectors masked. The table has to be in BAR 0. */
void qt_msix_enable(struct qt_msix *msix, struct qt_pci *pci,
                    struct uiommu_pci where, uint64_t bar);

/** While it is masked. */
void qt_msix_set(struct qt_msix *msix, uint64_t addr, uint32_t data);
void qt_msix_mask(struct qt_msix *msix, bool masked);

#endif
