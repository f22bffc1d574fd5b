/* SPDX-License-Identifier: MIT */
/* msix.c - see msix.h. Register numbers: PCI 3.0 6.7, 6.8.2. */
#include "hosts/qtest/msix.h"

enum {
    REG_FIRST_CAPABILITY = 0x34,
    CAPABILITY_MSIX = 0x11,
    MSIX_CONTROL = 2,
    MSIX_TABLE = 4, /* bits 2:0: in which BAR */
    CONTROL_ENABLE = 0x8000,

    ENTRY_ADDRESS = 0,
    ENTRY_DATA = 8,
    ENTRY_CONTROL = 12, /* bit 0: masked; so is each after reset */
};

static unsigned find(struct qt_pci *pci, struct uiommu_pci where)
{
    unsigned at = qt_pci_read(pci, where, REG_FIRST_CAPABILITY, 1);

    for (unsigned i = 0; at != 0 && i < 48; i++) {
        if (qt_pci_read(pci, where, at, 1) == CAPABILITY_MSIX) {
            return at;
        }
        at = qt_pci_read(pci, where, at + 1, 1);
    }
    return 0;
}

void qt_msix_enable(struct qt_msix *msix, struct qt_pci *pci,
                    struct uiommu_pci where, uint64_t bar)
{
    unsigned at = find(pci, where);
    uint32_t table = at != 0 ? qt_pci_read(pci, where, at + MSIX_TABLE, 4) : 1;

    *msix = (struct qt_msix){ .proto = pci->proto };
    if ((table & 7) != 0) {
        return;
    }
    msix->entry = bar + table;
    qt_pci_write(pci, where, at + MSIX_CONTROL, 2, CONTROL_ENABLE);
}

void qt_msix_set(struct qt_msix *msix, uint64_t addr, uint32_t data)
{
    uint64_t at = msix->entry + ENTRY_ADDRESS;

    qt_proto_write(msix->proto, 4, at, addr);
    qt_proto_write(msix->proto, 4, at + 4, addr >> 32);
    qt_proto_write(msix->proto, 4, msix->entry + ENTRY_DATA, data);
}

void qt_msix_mask(struct qt_msix *msix, bool masked)
{
    qt_proto_write(msix->proto, 4, msix->entry + ENTRY_CONTROL, masked);
}
