/* SPDX-License-Identifier: MIT */
/*
 * firmware.c - memory that firmware's devices must reach one to one (semantics
 * B.10). A device with such regions rests on a domain that holds just those, and
 * has it before its unit is enabled.
 */
#include "core/core.h"

#include "base/bits.h"

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

/* How many bytes an entry of that level stands for: a table is a page of 64-bit
 * entries. */
static uint64_t span_of(const struct uiommu_domain *domain, unsigned level)
{
    unsigned page_lg2 = uim_log2(domain->page_mask + 1);

    return UIM_BIT(page_lg2 + (page_lg2 - 3) * level);
}

/* What is at iova, and how many bytes from there on are one leaf or one hole of
 * the tables: regions may be large. */
static enum page look(struct uiommu_domain *domain, uint64_t iova,
                      uint64_t *size)
{
    const unsigned rw = UIOMMU_READ | UIOMMU_WRITE;
    struct uiommu_trace trace;
    enum uiommu_status status = uiommu_walk(domain, iova, &trace);
    uint64_t span;

    *size = domain->page_mask + 1;
    if (status != UIOMMU_OK && status != UIOMMU_NOENT)
        return PAGE_OTHER;
    span = span_of(domain, trace.level);
    *size = span - (iova & (span - 1));
    if (status == UIOMMU_NOENT)
        return PAGE_HOLE;
    return trace.phys == iova && (trace.flags & rw) == rw ? PAGE_IDENTITY
                                                          : PAGE_OTHER;
}

/* Bytes from `start` on, up to `last`, that are all of one kind. */
static uint64_t run_of(struct uiommu_domain *domain, uint64_t start,
                       uint64_t last, enum page kind)
{
    uint64_t left = last - start + 1;
    uint64_t done = 0, size;

    while (done < left && look(domain, start + done, &size) == kind)
        done += size;
    return done < left ? done : left;
}

/* What the domain's format does not tell apart, such as privileges, cannot be kept
 * from whom firmware let reach the region. */
static enum uiommu_status map_run(struct uiommu_domain *domain, uint64_t start,
                                  uint64_t size, unsigned flags,
                                  struct uim_region_run **done)
{
    struct uim_region_run *run = uim_alloc(domain->u, sizeof(*run));
    enum uiommu_status status;

    if (!run)
        return UIOMMU_NOMEM;
    run->domain = domain;
    run->start = start;
    run->last = start + (size - 1);
    uim_tentative_begin(run);
    status =
        uiommu_map(domain, start, start, size, flags & ~domain->flags_refused);
    if (status != UIOMMU_OK) {
        uim_tentative_end(run);
        uim_free(domain->u, run, sizeof(*run));
        return status;
    }
    run->next = *done;
    *done = run;
    return UIOMMU_OK;
}

/* What is one to one already, by this region or another, stays as it is. The
 * region is widened to whole pages of the domain. */
static enum uiommu_status map_region(struct uiommu_domain *domain,
                                     const struct uim_fw_region *region,
                                     struct uim_region_run **done)
{
    uint64_t first = region->start & ~domain->page_mask;
    uint64_t last = region->last | domain->page_mask;
    uint64_t at = first;
    enum uiommu_status status = UIOMMU_OK;
    uint64_t size;

    while (status == UIOMMU_OK && at >= first && at <= last) {
        enum page kind = look(domain, at, &size);

        if (kind == PAGE_OTHER)
            return UIOMMU_INVAL;
        size = run_of(domain, at, last, kind);
        if (kind == PAGE_HOLE)
            status = map_run(domain, at, size, region->flags, done);
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

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, member);
}

enum uiommu_status uim_regions_map_all(struct uiommu_group *group,
                                       struct uiommu_domain *domain,
                                       struct uim_region_run **mapped)
{
    enum uiommu_status status = UIOMMU_OK;

    uim_list_for_each(n, &group->devices) {
        status = uim_regions_map(device_of(n), domain, mapped);
        if (status != UIOMMU_OK)
            break;
    }
    return status;
}

void uim_regions_keep(struct uiommu *u, struct uim_region_run *run)
{
    while (run) {
        struct uim_region_run *next = run->next;

        uim_tentative_end(run);
        uim_free(u, run, sizeof(*run));
        run = next;
    }
}

void uim_regions_undo(struct uiommu_domain *domain, struct uim_region_run *run)
{
    for (struct uim_region_run *r = run; r; r = r->next) {
        enum uiommu_status status =
            uiommu_unmap(domain, r->start, r->last - r->start + 1, NULL);

        (void)status; /* what failed has quarantined whom it concerns */
    }
    uim_regions_keep(domain->u, run);
}

/* ---- requesters that firmware names ------------------------------------------- */

static void unlink_to(struct uiommu_group *group, struct uiommu_domain *domain,
                      struct uim_node *end)
{
    for (struct uim_node *n = group->devices.next; n != end; n = n->next)
        uim_link_put(domain, device_of(n)->unit, UIOMMU_NO_PASID);
}

/* The domain stays linked to the units of its devices, so that there is always a way
 * back to it: release must not fail for want of a domain id. */
static enum uiommu_status link_devices(struct uiommu_group *group,
                                       struct uiommu_domain *domain)
{
    uim_list_for_each(n, &group->devices) {
        enum uiommu_status status =
            uim_link_get(domain, device_of(n)->unit, UIOMMU_NO_PASID);

        if (status == UIOMMU_OK)
            continue;
        unlink_to(group, domain, n);
        return status;
    }
    return UIOMMU_OK;
}

static void unlink_devices(struct uiommu_group *group,
                           struct uiommu_domain *domain)
{
    unlink_to(group, domain, &group->devices);
}

static enum uiommu_status rest_on_regions(struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;
    struct uim_region_run *done = NULL;
    enum uiommu_status status;

    status = uim_domain_create(device->unit, NULL, &group->firmware);
    if (status != UIOMMU_OK)
        return status;
    status = link_devices(group, group->firmware);
    if (status != UIOMMU_OK)
        goto put;
    status = uim_regions_map(device, group->firmware, &done);
    uim_regions_keep(device->u, done);
    if (status == UIOMMU_OK &&
        group->own.domain->kind != UIOMMU_DOMAIN_INHERITED)
        status = uim_view_set(&group->own, group->firmware);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    unlink_devices(group, group->firmware);
put:
    uiommu_domain_put(group->firmware);
    group->firmware = NULL;
    return status;
}

enum uiommu_status uim_firmware_rest(struct uiommu_device *device)
{
    enum uiommu_status status;

    if (device->group->firmware || !has_regions(device))
        return UIOMMU_OK;
    status = rest_on_regions(device);
    if (status != UIOMMU_INVAL)
        return status;
    uim_log(device->u, UIOMMU_LOG_WARN,
            "firmware regions of %s cannot be mapped one to one: it stays "
            "blocked",
            uim_device_name(device).text);
    return UIOMMU_OK;
}

void uim_firmware_drop(struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;

    if (!group->firmware)
        return;
    uim_link_put(group->firmware, device->unit, UIOMMU_NO_PASID);
    if (!uim_list_empty(&group->devices))
        return;
    uiommu_domain_put(group->firmware);
    group->firmware = NULL;
}

/* ---- two groups become one ------------------------------------------------------ */

enum uiommu_status uim_firmware_merge(struct uiommu_group *into,
                                      struct uiommu_group *from,
                                      struct uim_region_run **mapped)
{
    enum uiommu_status status;

    if (!into->firmware)
        return from->firmware ? link_devices(into, from->firmware) : UIOMMU_OK;
    status = link_devices(from, into->firmware);
    if (status != UIOMMU_OK || !from->firmware)
        return status;
    status = uim_regions_map_all(from, into->firmware, mapped);
    if (status != UIOMMU_OK)
        unlink_devices(from, into->firmware);
    return status;
}

void uim_firmware_unmerge(struct uiommu_group *into, struct uiommu_group *from,
                          struct uim_region_run *mapped)
{
    if (into->firmware) {
        uim_regions_undo(into->firmware, mapped);
        unlink_devices(from, into->firmware);
    } else if (from->firmware) {
        unlink_devices(into, from->firmware);
    }
}

void uim_firmware_merged(struct uiommu_group *into, struct uiommu_group *from,
                         struct uim_region_run *mapped)
{
    uim_regions_keep(into->u, mapped);
    if (!into->firmware) {
        into->firmware = from->firmware;
    } else if (from->firmware) {
        unlink_devices(from, from->firmware);
        uiommu_domain_put(from->firmware);
    }
    from->firmware = NULL;
}

/* Of a device that no unit translates for, or that cannot be served: the machine
 * starts without it. */
static bool blocked_anyway(enum uiommu_status status)
{
    return status == UIOMMU_NODEV || status == UIOMMU_OPNOTSUPP;
}

static enum uiommu_status serve(struct uiommu *u,
                                const struct uim_driver_use *use,
                                const struct uim_fw_requester *r)
{
    struct uiommu_device *device = uim_device_find(u, &r->device);
    enum uiommu_status status;

    if (!device)
        device = uim_device_create(u, use, &r->device, &status);
    if (!device)
        return blocked_anyway(status) ? UIOMMU_OK : status;
    status = uim_firmware_rest(device);
    if (status == UIOMMU_OK)
        status = uim_group_gather(device);
    if (status != UIOMMU_OK)
        uim_device_take_back(device); /* others may have its ids */
    return status == UIOMMU_BUSY ? UIOMMU_OK : status;
}

enum uiommu_status uim_firmware_requesters(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_use; i++) {
        const struct uim_driver_use *use = &u->use[i];
        enum uiommu_status status = UIOMMU_OK;
        struct uim_fw_requester r;

        for (unsigned j = 0; use->table && status != UIOMMU_NOENT; j++) {
            status = use->driver->fw->requester(use->table, &u->host, j, &r);
            if (status != UIOMMU_OK)
                continue; /* NODEV: that device is not there now */
            status = serve(u, use, &r);
            if (status != UIOMMU_OK)
                return status;
        }
    }
    return UIOMMU_OK;
}
