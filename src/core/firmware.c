/* SPDX-License-Identifier: MIT */
/*
 * firmware.c - memory that firmware's devices must reach one to one (semantics
 * B.10). A device with such regions rests on a domain that holds just those, and
 * has it before its unit is enabled.
 */
#include "core/core.h"

enum { PAGE = 4096 };

static enum uiommu_status region_of(const struct uiommu_device *device,
                                    unsigned index, struct uim_fw_region *out)
{
    const struct uim_driver_use *use = uim_use_of(device->unit);

    return use->driver->fw->region(use->table, &device->path, index, out);
}

static bool has_regions(const struct uiommu_device *device)
{
    struct uim_fw_region region;

    return region_of(device, 0, &region) == UIOMMU_OK;
}

bool uim_firmware_forbids_claim(const struct uiommu_device *device)
{
    struct uim_fw_region region;

    for (unsigned i = 0; region_of(device, i, &region) == UIOMMU_OK; i++)
        if (!region.relaxable)
            return true;
    return false;
}

/* ---- one to one ------------------------------------------------------------- */

enum page {
    PAGE_HOLE,
    PAGE_IDENTITY,
    PAGE_OTHER,
};

static enum page look(struct uiommu_domain *domain, uint64_t iova)
{
    struct uiommu_trace trace;
    enum uiommu_status status = uiommu_walk(domain, iova, &trace);

    if (status == UIOMMU_OK)
        return trace.phys == iova ? PAGE_IDENTITY : PAGE_OTHER;
    return status == UIOMMU_NOENT ? PAGE_HOLE : PAGE_OTHER;
}

/* Bytes from `start` on, up to `last`, that are all of one kind. */
static uint64_t run_of(struct uiommu_domain *domain, uint64_t start,
                       uint64_t last, enum page kind)
{
    uint64_t size = 0;

    while (size <= last - start && look(domain, start + size) == kind)
        size += PAGE;
    return size;
}

static enum uiommu_status map_run(struct uiommu_domain *domain, uint64_t start,
                                  uint64_t size, struct uim_region_run **done)
{
    struct uim_region_run *run = uim_alloc(domain->u, sizeof(*run));
    enum uiommu_status status;

    if (!run)
        return UIOMMU_NOMEM;
    status = uiommu_map(domain, start, start, size,
                        UIOMMU_READ | UIOMMU_WRITE);
    if (status != UIOMMU_OK) {
        uim_free(domain->u, run, sizeof(*run));
        return status;
    }
    run->start = start;
    run->size = size;
    run->next = *done;
    *done = run;
    return UIOMMU_OK;
}

/* What is one to one already, by this region or another, stays as it is. */
static enum uiommu_status map_region(struct uiommu_domain *domain,
                                     const struct uim_fw_region *region,
                                     struct uim_region_run **done)
{
    uint64_t at = region->start;
    enum uiommu_status status = UIOMMU_OK;

    while (status == UIOMMU_OK && at >= region->start && at <= region->last) {
        enum page kind = look(domain, at);
        uint64_t size = run_of(domain, at, region->last, kind);

        if (kind == PAGE_OTHER)
            status = UIOMMU_INVAL;
        else if (kind == PAGE_HOLE)
            status = map_run(domain, at, size, done);
        at += size;
    }
    return status;
}

enum uiommu_status uim_regions_map(struct uiommu_device *device,
                                   struct uiommu_domain *domain,
                                   struct uim_region_run **done)
{
    struct uim_fw_region region;
    enum uiommu_status status = UIOMMU_OK;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OK;
    for (unsigned i = 0; status == UIOMMU_OK; i++) {
        if (region_of(device, i, &region) != UIOMMU_OK)
            return UIOMMU_OK;
        status = map_region(domain, &region, done);
    }
    uim_regions_undo(domain, *done);
    *done = NULL;
    return status;
}

void uim_regions_keep(struct uiommu *u, struct uim_region_run *run)
{
    while (run) {
        struct uim_region_run *next = run->next;

        uim_free(u, run, sizeof(*run));
        run = next;
    }
}

void uim_regions_undo(struct uiommu_domain *domain, struct uim_region_run *run)
{
    for (struct uim_region_run *r = run; r; r = r->next) {
        enum uiommu_status status =
            uiommu_unmap(domain, r->start, r->size, NULL);

        (void)status; /* what failed has quarantined whom it concerns */
    }
    uim_regions_keep(domain->u, run);
}

/* ---- requesters that firmware names ------------------------------------------- */

enum uiommu_status uim_firmware_domain(struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;
    struct uim_region_run *done = NULL;
    enum uiommu_status status;

    if (group->firmware || !has_regions(device))
        return UIOMMU_OK;
    status = uim_domain_create(device->unit, NULL, &group->firmware);
    if (status != UIOMMU_OK)
        return status;
    status = uim_regions_map(device, group->firmware, &done);
    uim_regions_keep(device->u, done);
    if (status == UIOMMU_OK)
        status = uim_group_set(group, group->firmware);
    if (status != UIOMMU_OK) {
        uiommu_domain_put(group->firmware);
        group->firmware = NULL;
    }
    return status;
}

static struct uiommu_device *known(struct uiommu *u,
                                   const struct uim_fw_requester *r,
                                   const struct uim_driver_use *use)
{
    uint32_t id;
    unsigned unit;

    if (use->driver->fw->owner(use->table, &r->device, &unit, &id) != UIOMMU_OK)
        return NULL;
    return uim_device_find(u->unit[use->first_unit + unit], id);
}

static enum uiommu_status serve(struct uiommu *u,
                                const struct uim_driver_use *use,
                                const struct uim_fw_requester *r)
{
    struct uiommu_device *device = known(u, r, use);
    enum uiommu_status status;

    if (!device)
        device = uim_device_create(u, use, &r->device, &status);
    if (!device)
        return status == UIOMMU_NODEV ? UIOMMU_OK : status;
    status = uim_firmware_domain(device);
    if (status != UIOMMU_INVAL)
        return status;
    uim_log(u, UIOMMU_LOG_WARN,
            "firmware region %lx..%lx cannot be mapped one to one: its device "
            "stays blocked",
            r->region.start, r->region.last);
    return UIOMMU_OK;
}

enum uiommu_status uim_firmware_requesters(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_use; i++) {
        const struct uim_driver_use *use = &u->use[i];
        enum uiommu_status status = UIOMMU_OK;
        struct uim_fw_requester r;

        for (unsigned j = 0; use->table && status != UIOMMU_NOENT; j++) {
            status =
                use->driver->fw->requester(use->table, &u->host, j, &r);
            if (status != UIOMMU_OK)
                continue; /* NODEV: that device is not there now */
            status = serve(u, use, &r);
            if (status != UIOMMU_OK)
                return status;
        }
    }
    return UIOMMU_OK;
}
