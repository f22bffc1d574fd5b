/* SPDX-License-Identifier: MIT */
/*
 * pci.c - see pci.h. Register numbers: PCI and PCIe specifications; PCIEXBAR:
 * data sheet of the Q35 host bridge.
 */
#include "hosts/qtest/pci.h"

enum {
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,

    REG_COMMAND = 0x04, /* bit 1: memory, bit 2: bus master */
    REG_BAR0 = 0x10,
    REG_BUSES = 0x18,  /* primary, secondary, subordinate */
    REG_WINDOW = 0x20, /* base and limit, 1 MiB units in bits 15:4 each */
    REG_PREFETCH = 0x24,
    REG_PCIEXBAR = 0x60, /* of the host bridge */

    MEMORY_AND_MASTER = 0x6,
    WINDOW_CLOSED = 0x0000fff0, /* base above limit */
};

#define HOST_BRIDGE UINT32_C(0x80000000) /* 00:00.0, for CONFIG_ADDRESS */
#define ECAM_ENABLE 1

static uint64_t address_of(const struct qt_pci *pci, struct uiommu_pci where,
                           unsigned offset)
{
    return pci->ecam + ((uint64_t)where.bus << 20) +
           ((uint64_t)where.devfn << 12) + offset;
}

/* The one register that is reached by ports. */
static void switch_ecam_on(struct qt_pci *pci)
{
    qt_proto_out(pci->proto, 4, CONFIG_ADDRESS, HOST_BRIDGE | REG_PCIEXBAR);
    qt_proto_out(pci->proto, 4, CONFIG_DATA, (uint32_t)pci->ecam | ECAM_ENABLE);
}

void qt_pci_init(struct qt_pci *pci, struct qt_proto *proto,
                 const struct qt_board *board)
{
    *pci = (struct qt_pci){ .proto = proto, .ecam = board->ecam };
    if (board->ecam_off) {
        switch_ecam_on(pci);
    }
}

uint32_t qt_pci_read(struct qt_pci *pci, struct uiommu_pci where,
                     unsigned offset, unsigned width)
{
    if (where.segment != 0) {
        return UINT32_MAX >> (32 - 8 * width);
    }
    return (uint32_t)qt_proto_read(pci->proto, width,
                                   address_of(pci, where, offset));
}

void qt_pci_write(struct qt_pci *pci, struct uiommu_pci where, unsigned offset,
                  unsigned width, uint32_t value)
{
    if (where.segment == 0) {
        qt_proto_write(pci->proto, width, address_of(pci, where, offset),
                       value);
    }
}

void qt_pci_setup_bridge(struct qt_pci *pci, struct uiommu_pci where,
                         uint8_t bus, uint8_t last, uint64_t base,
                         unsigned n_bars)
{
    uint32_t first = (uint32_t)(base >> 16) & 0xfff0;
    uint32_t limit = first + (n_bars - 1) * (uint32_t)(QT_BAR_STEP >> 16);

    qt_pci_write(pci, where, REG_BUSES, 4,
                 (uint32_t)last << 16 | (uint32_t)bus << 8 | where.bus);
    qt_pci_write(pci, where, REG_WINDOW, 4, limit << 16 | first);
    qt_pci_write(pci, where, REG_PREFETCH, 4, WINDOW_CLOSED);
    qt_pci_write(pci, where, REG_COMMAND, 2, MEMORY_AND_MASTER);
}

void qt_pci_setup_device(struct qt_pci *pci, struct uiommu_pci where,
                         uint64_t base)
{
    qt_pci_write(pci, where, REG_BAR0, 4, (uint32_t)base);
    qt_pci_write(pci, where, REG_BAR0 + 4, 4, (uint32_t)(base >> 32));
    qt_pci_write(pci, where, REG_COMMAND, 2, MEMORY_AND_MASTER);
}
