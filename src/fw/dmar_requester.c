/* SPDX-License-Identifier: MIT */
/*
 * The devices that RMRR structures name, as they stand in the machine before
 * anybody added a device: they may be doing DMA, and must keep their regions.
 *
 * A path goes down through the secondary bus numbers of bridges (VT-d 8.3.1).
 * Where the start bus is not a root bus, the bridges above it are looked for:
 * a unit may be named for one of them.
 */
#include "fw/dmar.h"

#include "fw/path.h"

static bool descend(const struct uiommu_host *host,
                    const struct uim_dmar_scope *scope,
                    struct uim_fw_device *device)
{
    struct uiommu_pci *at = &device->pci;

    for (unsigned i = 0; i < scope->n; i++) {
        unsigned devfn = uim_dmar_devfn(scope, i);

        if (i > 0)
            at->bus = uim_fw_bus_below(host, *at);
        if (devfn > 0xff || (i > 0 && at->bus == 0))
            return false;
        at->devfn = (uint8_t)devfn;
        if (!uim_fw_add_hop(device, at->bus, at->devfn))
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
    if (!uim_fw_climb(host, scope->start_bus, device) ||
        !descend(host, scope, device) || !uim_fw_present(host, device->pci))
        return UIOMMU_NODEV;
    device->class_code = uim_fw_class(host, device->pci);
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
