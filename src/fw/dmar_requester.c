/* SPDX-License-Identifier: MIT */
/*
 * The devices that RMRR structures name, as they stand in the machine before
 * anybody added a device: they may be doing DMA, and must keep their regions.
 *
 * A path goes down through the secondary bus numbers of bridges (VT-d 8.3.1).
 * Where the start bus is not a root bus, the bridges above it are looked for:
 * a unit may be named for one of them. Configuration space is not believed:
 * bus numbers must grow on the way down, which bounds every loop.
 */
#include "fw/dmar.h"

#include "spec/pci.h"

static uint32_t read(const struct uiommu_host *host, struct uiommu_pci at,
                     unsigned offset, unsigned width)
{
    return host->pci_read(host->ctx, at, offset, width) &
           UINT32_MAX >> (32 - 8 * width);
}

static bool present(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_VENDOR_ID, 2) != 0xffff;
}

static struct pci_header_type header_type(const struct uiommu_host *host,
                                          struct uiommu_pci at)
{
    return (struct pci_header_type){ read(host, at, PCI_REG_HEADER_TYPE, 1) };
}

/* The bus below a bridge; 0: none, or nobody is there, or it is no bridge. */
static uint8_t bus_below(const struct uiommu_host *host, struct uiommu_pci at)
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
        if (!present(host, *at))
            continue;
        if (bus_below(host, *at) == below)
            return true;
        if (pci_header_type_multifunction(header_type(host, *at)))
            step = 1;
    }
    return false;
}

static bool add_hop(struct uim_fw_device *device, uint8_t bus, uint8_t devfn)
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

/* The bridges from a root bus down to `bus`. A bridge is on a lower bus than
 * the one below it, so one pass is enough. */
static bool climb(const struct uiommu_host *host, uint8_t bus,
                  struct uim_fw_device *device)
{
    struct uiommu_pci at = { device->pci.segment, bus, 0 };

    while (at.bus > 0) {
        at.bus--;
        if (!find_bridge(host, &at, bus))
            continue;
        if (!add_hop(device, at.bus, at.devfn))
            return false;
        bus = at.bus;
    }
    reverse(device->hop, device->n);
    return true;
}

static bool descend(const struct uiommu_host *host,
                    const struct uim_dmar_scope *scope,
                    struct uim_fw_device *device)
{
    struct uiommu_pci *at = &device->pci;

    for (unsigned i = 0; i < scope->n; i++) {
        unsigned devfn = uim_dmar_devfn(scope, i);

        if (i > 0)
            at->bus = bus_below(host, *at);
        if (devfn > 0xff || (i > 0 && at->bus == 0))
            return false;
        at->devfn = (uint8_t)devfn;
        if (!add_hop(device, at->bus, at->devfn))
            return false;
    }
    return true;
}

static enum uiommu_status find_pci(const struct uiommu_host *host,
                                   const struct uim_dmar_scope *scope,
                                   struct uim_fw_device *device)
{
    device->pci.bus = scope->start_bus;
    if (scope->n == 0)
        return UIOMMU_NODEV;
    if (!host->pci_read) {
        if (scope->n > 1 || !descend(host, scope, device))
            return UIOMMU_NODEV;
        return UIOMMU_OK;
    }
    if (!climb(host, scope->start_bus, device) ||
        !descend(host, scope, device) || !present(host, device->pci))
        return UIOMMU_NODEV;
    device->class_code =
        read(host, device->pci, PCI_REG_CLASS_REVISION, 4) >> 8;
    return UIOMMU_OK;
}

/* The path that ANDD has for a number, which is what owner() asks for. */
static enum uiommu_status find_acpi(const void *table,
                                    const struct uim_dmar_scope *scope,
                                    struct uim_fw_device *device)
{
    struct uim_dmar_record r;
    uint32_t cursor = 0;

    if (scope->n != 1 || uim_dmar_devfn(scope, 0) > 0xff)
        return UIOMMU_NODEV;
    device->pci.bus = scope->start_bus;
    device->pci.devfn = (uint8_t)uim_dmar_devfn(scope, 0);
    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_ANDD ||
            acpi_dmar_andd_acpi_device_number(r.p) != scope->id)
            continue;
        device->acpi_path = (const char *)r.p + DMAR_ANDD_SIZE;
        return UIOMMU_OK;
    }
    return UIOMMU_NODEV;
}

static bool is_requester(const struct uim_dmar_scope *scope)
{
    return scope->type == DMAR_SCOPE_ENDPOINT ||
           scope->type == DMAR_SCOPE_BRIDGE ||
           scope->type == DMAR_SCOPE_NAMESPACE;
}

/* The index-th pair of an RMRR and a scope in it. */
static bool find_pair(const void *table, unsigned index,
                      struct uim_dmar_record *rmrr,
                      struct uim_dmar_scope *scope,
                      struct uim_fw_region *region)
{
    uint32_t cursor = 0;
    uint32_t inner;

    while (uim_dmar_next(table, &cursor, rmrr)) {
        if (rmrr->type != DMAR_RMRR || uim_dmar_region(table, rmrr, region))
            continue;
        inner = 0;
        while (uim_dmar_scope_next(rmrr, &inner, scope)) {
            if (is_requester(scope) && index-- == 0)
                return true;
        }
    }
    return false;
}

enum uiommu_status uim_dmar_requester(const void *table,
                                      const struct uiommu_host *host,
                                      unsigned index,
                                      struct uim_fw_requester *out)
{
    struct uim_fw_requester found = { 0 };
    struct uim_dmar_record rmrr;
    struct uim_dmar_scope scope;
    enum uiommu_status status;

    if (!find_pair(table, index, &rmrr, &scope, &found.region))
        return UIOMMU_NOENT;
    found.device.pci.segment = rmrr.segment;
    if (scope.type == DMAR_SCOPE_NAMESPACE)
        status = find_acpi(table, &scope, &found.device);
    else
        status = find_pci(host, &scope, &found.device);
    if (status)
        return status;
    found.region.relaxable = uim_dmar_relaxable(&found.device);
    *out = found;
    return UIOMMU_OK;
}
