/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI configuration without firmware, through ECAM; and what firmware would
 * have assigned: bus numbers, windows and BARs.
 */
#ifndef UIM_HOSTS_QTEST_PCI_H
#define UIM_HOSTS_QTEST_PCI_H

#include <uiommu/types.h>

#include "hosts/qtest/board.h"
#include "hosts/qtest/proto.h"

/* Memory BARs: 1 MiB each, the granularity of a bridge's window. */
#define QT_BAR_STEP UINT64_C(0x100000)
#define QT_N_BARS   16

struct qt_pci {
    struct qt_proto *proto;
    uint64_t ecam;
};

/** QEMU runs: before any access. */
void qt_pci_init(struct qt_pci *pci, struct qt_proto *proto,
                 const struct qt_board *board);

/* As pci_read and pci_write of struct uiommu_host. */
uint32_t qt_pci_read(struct qt_pci *pci, struct uiommu_pci where,
                     unsigned offset, unsigned width);
void qt_pci_write(struct qt_pci *pci, struct uiommu_pci where, unsigned offset,
                  unsigned width, uint32_t value);

/** Put buses [bus, last] and [base, base + n_bars * QT_BAR_STEP) behind a bridge. */
void qt_pci_setup_bridge(struct qt_pci *pci, struct uiommu_pci where,
                         uint8_t bus, uint8_t last, uint64_t base,
                         unsigned n_bars);
/** Put BAR 0, of 64 bits, at `base`; memory and bus mastering on. */
void qt_pci_setup_device(struct qt_pci *pci, struct uiommu_pci where,
                         uint64_t base);

#endif
