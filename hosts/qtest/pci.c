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

#define ECAM        UINT64_C(0xb0000000)
#define ECAM_ENABLE 1

static uint64_t ecam_address(struct uiommu_pci where, unsigned offset)
{
    return ECAM + ((uint64_t)where.bus << 20) + ((uint64_t)where.devfn << 12) +
           offset;
}

static uint32_t config_address(struct uiommu_pci where, unsigned offset)
{
    return UINT32_C(0x80000000) | (uint32_t)where.bus << 16 |
           (uint32_t)where.devfn << 8 | (offset & ~3u);
}

/* The address is written already and the lock is held until the data is. */
static uint16_t select_register(struct qt_pci *pci, struct uiommu_pci where,
                                unsigned offset)
{
    (void)pthread_mutex_lock(&pci->lock);
    qt_proto_out(pci->proto, 4, CONFIG_ADDRESS, config_address(where, offset));
    return (uint16_t)(CONFIG_DATA + (offset & 3));
}

void qt_pci_init(struct qt_pci *pci, struct qt_proto *proto)
{
    pci->proto = proto;
    (void)pthread_mutex_init(&pci->lock, NULL);
}

void qt_pci_enable_ecam(struct qt_pci *pci)
{
    const struct uiommu_pci host_bridge = { 0 };

    qt_pci_write(pci, host_bridge, REG_PCIEXBAR, 4,
                 (uint32_t)ECAM | ECAM_ENABLE);
}

void qt_pci_close(struct qt_pci *pci)
{
    (void)pthread_mutex_destroy(&pci->lock);
}

uint32_t qt_pci_read(struct qt_pci *pci, struct uiommu_pci where,
                     unsigned offset, unsigned width)
{
    uint32_t value;
    uint16_t port;

    if (where.segment != 0) {
        return UINT32_MAX >> (32 - 8 * width);
    }
    if (offset >= 256) {
        return (uint32_t)qt_proto_read(pci->proto, width,
                                       ecam_address(where, offset));
    }
    port = select_register(pci, where, offset);
    value = qt_proto_in(pci->proto, width, port);
    (void)pthread_mutex_unlock(&pci->lock);
    return value;
}

void qt_pci_write(struct qt_pci *pci, struct uiommu_pci where, unsigned offset,
                  unsigned width, uint32_t value)
{
    uint16_t port;

    if (where.segment != 0) {
        return;
    }
    if (offset >= 256) {
        qt_proto_write(pci->proto, width, ecam_address(where, offset), value);
        return;
    }
    port = select_register(pci, where, offset);
    qt_proto_out(pci->proto, width, port, value);
    (void)pthread_mutex_unlock(&pci->lock);
}

void qt_pci_setup_bridge(struct qt_pci *pci, struct uiommu_pci where,
                         uint8_t bus, uint64_t base)
{
    uint32_t window = (uint32_t)(base >> 16) & 0xfff0;

    qt_pci_write(pci, where, REG_BUSES, 4,
                 (uint32_t)bus << 16 | (uint32_t)bus << 8 | where.bus);
    qt_pci_write(pci, where, REG_WINDOW, 4, window << 16 | window);
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
