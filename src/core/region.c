/* SPDX-License-Identifier: MIT */
/*
 * region.c - which addresses mean something to a device before anything is mapped for
 * it (semantics B.10): sorted, and merged where they are of one kind.
 */
#include "core/core.h"

static void add(struct uim_regions *r, uint64_t start, uint64_t last,
                enum uiommu_region_kind kind)
{
    if (r->at)
        r->at[r->n] = (struct uiommu_region){ start, last, kind };
    r->n++;
}

static void add_firmware(const struct uiommu_device *device,
                         struct uim_regions *r)
{
    const struct uim_driver_use *use = uim_use_of(device->unit);
    struct uim_fw_region region;

    for (unsigned i = 0; use->driver->fw->region(use->table, &device->path, i,
                                                 &region) == UIOMMU_OK;
         i++)
        add(r, region.start, region.last,
            region.relaxable ? UIOMMU_REGION_DIRECT_RELAXABLE
                             : UIOMMU_REGION_DIRECT);
}

static void add_doorbells(const struct uiommu_device *device,
                          struct uim_regions *r)
{
    const struct uim_driver_use *use = uim_use_of(device->unit);
    struct uim_fw_region region;

    if (!device->unit->messages_are_dma || !use->driver->fw->doorbell)
        return;
    for (unsigned i = 0;
         use->driver->fw->doorbell(use->table, use->also, &device->path, i,
                                   &region) == UIOMMU_OK;
         i++)
        add(r, region.start, region.last, UIOMMU_REGION_DOORBELL);
}

/* What its domains cannot map. What firmware has for the device, and where it sends its
 * interrupts, carries no PASID (C.6). */
static void add_unit(const struct uim_unit *unit, struct uim_regions *r)
{
    struct uiommu_region window;

    if (unit->window_first <= unit->window_last)
        add(r, unit->window_first, unit->window_last, UIOMMU_REGION_MSI);
    if (uim_doorbell_window(unit, &window))
        add(r, window.start, window.last, window.kind);
}

static void add_device(const struct uiommu_device *device,
                       struct uim_regions *r)
{
    add_firmware(device, r);
    add_doorbells(device, r);
    add_unit(device->unit, r);
}

static const struct uiommu_endpoint *first_of(const struct uiommu_group *group)
{
    return uim_container(group->own.endpoints.next,
                         const struct uiommu_endpoint, member);
}

static void collect(const struct uiommu_group *group, struct uim_regions *r)
{
    const struct uiommu_group *of = group->hardware ? group->hardware : group;

    r->n = 0;
    if (group->software) {
        add_unit(first_of(group)->unit, r);
        return;
    }
    for (struct uim_node *n = of->devices.next; n != &of->devices;
         n = n->next) {
        const struct uiommu_device *d =
            uim_container(n, struct uiommu_device, member);

        if (of == group)
            add_device(d, r);
        else if (d->pasid_bits > 0)
            add_unit(d->unit, r);
    }
}

/* ---- in order -------------------------------------------------------------- */

static bool before(const struct uiommu_region *a, const struct uiommu_region *b)
{
    return a->start != b->start ? a->start < b->start : a->kind < b->kind;
}

static void sort(struct uim_regions *r)
{
    for (size_t i = 1; i < r->n; i++) {
        const struct uiommu_region region = r->at[i];
        size_t to = i;

        for (; to > 0 && before(&region, &r->at[to - 1]); to--)
            r->at[to] = r->at[to - 1];
        r->at[to] = region;
    }
}

/* The last of its kind among the first n, which is the one that reaches furthest. */
static struct uiommu_region *last_of_kind(const struct uim_regions *r, size_t n,
                                          enum uiommu_region_kind kind)
{
    while (n-- > 0)
        if (r->at[n].kind == kind)
            return &r->at[n];
    return NULL;
}

static void merge(struct uim_regions *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct uiommu_region *next = &r->at[i];
        struct uiommu_region *old = last_of_kind(r, n, next->kind);

        if (!old || (next->start > old->last && next->start - old->last > 1))
            r->at[n++] = *next;
        else if (next->last > old->last)
            old->last = next->last;
    }
    r->n = n;
}

enum uiommu_status uim_regions_of(const struct uiommu_group *group,
                                  struct uim_regions *out)
{
    *out = (struct uim_regions){ .at = NULL };
    collect(group, out);
    out->size = out->n * sizeof(*out->at);
    if (out->n == 0)
        return UIOMMU_OK;
    out->at = uim_alloc(group->u, out->size);
    if (!out->at)
        return UIOMMU_NOMEM;
    collect(group, out);
    return UIOMMU_OK;
}

static enum uiommu_status gather(struct uiommu_endpoint *endpoint,
                                 struct uim_regions *r)
{
    struct uiommu_group *group = uim_group_call(endpoint);
    enum uiommu_status status;

    if (!group)
        return UIOMMU_BUSY;
    status = uim_regions_of(group, r);
    uim_group_leave(group);
    return status;
}

enum uiommu_status uiommu_regions(struct uiommu_endpoint *endpoint,
                                  uiommu_region_fn fn, void *ctx)
{
    struct uim_regions r;
    enum uiommu_status status;

    if (!endpoint || !fn)
        return UIOMMU_INVAL;
    status = gather(endpoint, &r);
    if (status != UIOMMU_OK || r.n == 0)
        return status;
    sort(&r);
    merge(&r);
    for (size_t i = 0; i < r.n; i++)
        fn(ctx, &r.at[i]);
    uim_free(endpoint->unit->u, r.at, r.size);
    return UIOMMU_OK;
}
