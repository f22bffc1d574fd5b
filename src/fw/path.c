/* SPDX-License-Identifier: MIT */
#include "fw/path.h"

#include "spec/pci.h"

/* ---- ACPI names ---------------------------------------------------------- */

/* Is c part of a name? */
static bool in_name(char c)
{
    return c != '\0' && c != '.';
}

/* Compares one name of each path and moves past it. Names are padded with '_'
 * to four characters in AML and written with or without that (ACPI 5.3). */
static bool same_name(const char **a, const char **b)
{
    while (in_name(**a) || in_name(**b)) {
        char x = in_name(**a) ? *(*a)++ : '_';
        char y = in_name(**b) ? *(*b)++ : '_';

        if (x != y)
            return false;
    }
    return true;
}

bool uim_fw_same_path(const char *a, const char *b)
{
    if (*a == '\\')
        a++;
    if (*b == '\\')
        b++;
    while (same_name(&a, &b)) {
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
    return false;
}

/* ---- configuration space ------------------------------------------------- */

static uint32_t read(const struct uiommu_host *host, struct uiommu_pci at,
                     unsigned offset, unsigned width)
{
    return host->pci_read(host->ctx, at, offset, width) &
           UINT32_MAX >> (32 - 8 * width);
}

bool uim_fw_present(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_VENDOR_ID, 2) != 0xffff;
}

static struct pci_header_type header_type(const struct uiommu_host *host,
                                          struct uiommu_pci at)
{
    return (struct pci_header_type){ read(host, at, PCI_REG_HEADER_TYPE, 1) };
}

uint32_t uim_fw_class(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_CLASS_REVISION, 4) >> 8;
}

uint8_t uim_fw_bus_below(const struct uiommu_host *host, struct uiommu_pci at)
{
    uint32_t bus;

    if (pci_header_type_type(header_type(host, at)) != PCI_HEADER_BRIDGE)
        return 0;
    bus = read(host, at, PCI_REG_SECONDARY_BUS, 1);
    return bus > at.bus ? (uint8_t)bus : 0;
}

/* The function on at->bus with bus `below` below it. */
static bool find_bridge(const struct uiommu_host *host, struct uiommu_pci *at,
                        uint8_t below)
{
    unsigned step;

    for (unsigned devfn = 0; devfn <= 0xff; devfn += step) {
        at->devfn = (uint8_t)devfn;
        step = devfn % 8 == 0 ? 8 : 1;
        if (!uim_fw_present(host, *at))
            continue;
        if (uim_fw_bus_below(host, *at) == below)
            return true;
        if (pci_header_type_multifunction(header_type(host, *at)))
            step = 1;
    }
    return false;
}

bool uim_fw_add_hop(struct uim_fw_device *device, uint8_t bus, uint8_t devfn)
{
    struct uim_fw_hop *hop = &device->hop[device->n];

    if (device->n >= UIM_FW_HOPS)
        return false;
    hop->bus = bus;
    hop->devfn = devfn;
    hop->port = UIM_FW_NOT_PCIE;
    device->n++;
    return true;
}

static void reverse(struct uim_fw_hop *hop, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        struct uim_fw_hop swap = hop[i];

        hop[i] = hop[n - 1 - i];
        hop[n - 1 - i] = swap;
    }
}

/* A bridge is on a lower bus than the one below it, so one pass is enough. */
bool uim_fw_climb(const struct uiommu_host *host, uint8_t bus,
                  struct uim_fw_device *device)
{
    struct uiommu_pci at = { device->pci.segment, bus, 0 };

    while (at.bus > 0) {
        at.bus--;
        if (!find_bridge(host, &at, bus))
            continue;
        if (!uim_fw_add_hop(device, at.bus, at.devfn))
            return false;
        bus = at.bus;
    }
    reverse(device->hop, device->n);
    return true;
}
