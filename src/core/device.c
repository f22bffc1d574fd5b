/* SPDX-License-Identifier: MIT */
/*
 * device.c - devices come and go (semantics B.3).
 */
#include "core/core.h"

#include "base/mem.h"
#include "base/text.h"
#include "pci/pci.h"

/* ---- names ---------------------------------------------------------------------- */

/* Paths come from firmware: a sentence stays one line. */
static void add_path(struct uim_text *t, const char *path)
{
    for (; *path != '\0' && t->wanted < t->size; path++)
        uim_text_f(t, "%c", *path < ' ' || *path > '~' ? '?' : *path);
}

struct uim_name uim_name_of(struct uiommu_pci pci, const char *acpi_path)
{
    struct uim_name name;
    struct uim_text t;

    uim_text_init(&t, name.text, sizeof(name.text));
    if (acpi_path)
        add_path(&t, acpi_path);
    else
        uim_text_f(&t, "%04x:%02x:%02x.%u", (unsigned)pci.segment,
                   (unsigned)pci.bus, (unsigned)pci.devfn >> 3,
                   (unsigned)pci.devfn & 7u);
    return name;
}

struct uim_name uim_device_name(const struct uiommu_device *device)
{
    if (device->kind == UIOMMU_DEVICE_PCI)
        return uim_name_of(device->pci, NULL);
    return uim_name_of(device->pci, device->path.acpi_path);
}

/* ---- making one ---------------------------------------------------------------- */

struct uiommu_device *uim_device_find(const struct uim_unit *unit, uint32_t id)
{
    if (!unit)
        return NULL;
    uim_list_for_each(n, &unit->u->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);

        if (d->unit == unit && d->id == id)
            return d;
    }
    return NULL;
}

static struct uiommu_group *group_create(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    struct uiommu_group *group = uim_alloc(u, sizeof(*group));

    if (!group)
        return NULL;
    group->lock = u->host.mutex_create(u->host.ctx);
    if (!group->lock) {
        uim_free(u, group, sizeof(*group));
        return NULL;
    }
    group->member = device;
    group->domain = device->endpoint.domain;
    uiommu_domain_get(group->domain);
    return group;
}

static void list(struct uiommu_device *device)
{
    const struct uiommu_host *h = &device->u->host;

    h->spin_lock(h->ctx, device->u->device_lock);
    uim_list_add_tail(&device->u->devices, &device->node);
    h->spin_unlock(h->ctx, device->u->device_lock);
}

/* Afterwards no fault delivery and no invalidation holds a pointer to it. */
static void unlist(struct uiommu_device *device)
{
    const struct uiommu_host *h = &device->u->host;

    h->spin_lock(h->ctx, device->u->device_lock);
    uim_list_del(&device->node);
    h->spin_unlock(h->ctx, device->u->device_lock);
    while (atomic_load(&device->readers) > 0)
        if (h->relax)
            h->relax(h->ctx);
}

static size_t text_size(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n + 1;
}

/* The caller's name of an ACPI device does not outlive the call. */
static bool copy_name(struct uiommu_device *d)
{
    size_t size = d->path.acpi_path ? text_size(d->path.acpi_path) : 0;
    char *copy;

    if (size == 0)
        return true;
    copy = uim_alloc(d->u, size);
    if (copy)
        memcpy(copy, d->path.acpi_path, size);
    d->path.acpi_path = copy;
    return copy != NULL;
}

static void free_name(struct uiommu_device *d)
{
    if (d->path.acpi_path)
        uim_free(d->u, (char *)d->path.acpi_path, text_size(d->path.acpi_path));
}

static void fill(struct uiommu_device *d, struct uim_unit *unit, uint32_t id,
                 const struct uim_fw_device *path)
{
    d->u = unit->u;
    d->unit = unit;
    d->id = id;
    d->path = *path;
    d->kind = path->acpi_path ? UIOMMU_DEVICE_ACPI : UIOMMU_DEVICE_PCI;
    d->pci = path->pci;
    d->endpoint.device = d;
    d->endpoint.pasid = UIOMMU_NO_PASID;
    d->endpoint.domain = uim_inherits(d) ? &d->u->inherited : &d->u->blocked;
}

/* An endpoint is one entry of its unit: a device with several would be confined in
 * part. */
static bool has_more_ids(struct uiommu *u, const struct uim_driver_use *use,
                         const struct uim_fw_device *path)
{
    unsigned unit;
    uint32_t id;

    if (use->driver->fw->owner(use->table, path, 1, &unit, &id) == UIOMMU_NOENT)
        return false;
    uim_log(u, UIOMMU_LOG_WARN,
            "%s: firmware gives it several ids, and one is all that can be "
            "served: it stays blocked",
            uim_name_of(path->pci, path->acpi_path).text);
    return true;
}

struct uiommu_device *uim_device_create(struct uiommu *u,
                                        const struct uim_driver_use *use,
                                        const struct uim_fw_device *path,
                                        enum uiommu_status *status)
{
    struct uiommu_device *d;
    unsigned unit;
    uint32_t id;

    *status = use->driver->fw->owner(use->table, path, 0, &unit, &id);
    if (*status != UIOMMU_OK)
        return NULL;
    if (!u->unit[use->first_unit + unit]) {
        *status = UIOMMU_NODEV;
        return NULL;
    }
    *status = UIOMMU_OPNOTSUPP;
    if (has_more_ids(u, use, path))
        return NULL;
    *status = UIOMMU_NOMEM;
    d = uim_alloc(u, sizeof(*d));
    if (!d)
        return NULL;
    fill(d, u->unit[use->first_unit + unit], id, path);
    if (copy_name(d))
        d->group = group_create(d);
    if (!d->group) {
        free_name(d);
        uim_free(u, d, sizeof(*d));
        return NULL;
    }
    list(d);
    *status = UIOMMU_OK;
    return d;
}

static void free_device(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    struct uiommu_group *group = device->group;

    unlist(device);
    uim_firmware_free(device);
    uiommu_domain_put(group->domain);
    u->host.mutex_destroy(u->host.ctx, group->lock);
    uim_free(u, group, sizeof(*group));
    free_name(device);
    uim_free(u, device, sizeof(*device));
}

enum uiommu_status uim_device_free(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    struct uiommu_group *group = device->group;
    enum uiommu_status status;

    uim_group_lock(group);
    status = uim_group_set(group, &u->blocked);
    if (status == UIOMMU_OK && atomic_load(&device->endpoint.quarantined))
        status = uim_quarantine(&device->endpoint); /* is it confirmed now? */
    if (status != UIOMMU_OK)
        uim_log(u, UIOMMU_LOG_ERROR,
                "a device was removed while its unit did not answer: %s",
                uiommu_status_name(status));
    uim_group_unlock(group);
    free_device(device);
    return status;
}

void uim_device_forget(struct uiommu_device *device)
{
    struct uiommu_endpoint *ep = &device->endpoint;

    uim_detach(ep, ep->domain);
    uim_link_put(ep->domain, device->unit);
    free_device(device);
}

/* ---- where a PCI device is -------------------------------------------------------- */

static enum uiommu_status check_bridge(const struct uiommu *u,
                                       const struct uiommu_device_info *info)
{
    const struct uiommu_device *bridge = info->bridge;

    if (!bridge)
        return UIOMMU_OK;
    if (bridge->u != u || bridge->kind != UIOMMU_DEVICE_PCI ||
        bridge->pci.segment != info->pci.segment ||
        !uim_pci_is_bridge(&bridge->u->host, bridge->pci))
        return UIOMMU_INVAL;
    if (uim_pci_secondary_bus(&bridge->u->host, bridge->pci) != info->pci.bus)
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

/* A bridge to conventional PCI takes ownership of what passes: devices behind it
 * share its requester id (PCIe-to-PCI bridge specification 2.3). */
static bool shares_id(const struct uim_fw_device *path)
{
    for (unsigned i = 0; i + 1 < path->n; i++)
        if (path->hop[i].port == UIM_FW_NOT_PCIE ||
            path->hop[i].port == PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE)
            return true;
    return false;
}

static enum uiommu_status pci_path(struct uiommu *u,
                                   const struct uiommu_device_info *info,
                                   struct uim_fw_device *path)
{
    enum uiommu_status status = check_bridge(u, info);

    if (status != UIOMMU_OK)
        return status;
    if (!u->host.pci_read || !uim_pci_present(&u->host, info->pci))
        return UIOMMU_NODEV;
    *path =
        info->bridge ? info->bridge->path : (struct uim_fw_device){ .n = 0 };
    path->pci = info->pci;
    if (path->n == UIM_FW_HOPS)
        return UIOMMU_INVAL;
    path->hop[path->n++] = (struct uim_fw_hop){
        .bus = info->pci.bus,
        .devfn = info->pci.devfn,
        .port = uim_pci_port(&u->host, info->pci),
    };
    path->class_code = uim_pci_class(&u->host, info->pci);
    if (shares_id(path)) {
        uim_log(u, UIOMMU_LOG_WARN,
                "%s is behind a conventional PCI bridge and shares its "
                "requester id: it stays blocked",
                uim_name_of(info->pci, NULL).text);
        return UIOMMU_OPNOTSUPP;
    }
    return UIOMMU_OK;
}

static enum uiommu_status path_of(struct uiommu *u,
                                  const struct uiommu_device_info *info,
                                  struct uim_fw_device *path)
{
    if (info->size != sizeof(*info) ||
        (info->flags & ~(uint32_t)UIOMMU_DEVICE_UNTRUSTED))
        return UIOMMU_INVAL;
    if (info->kind == UIOMMU_DEVICE_PCI)
        return pci_path(u, info, path);
    if (info->kind != UIOMMU_DEVICE_ACPI || !info->acpi_path || info->bridge)
        return UIOMMU_INVAL;
    *path = (struct uim_fw_device){ .acpi_path = info->acpi_path };
    return UIOMMU_OK;
}

/* ---- add ---------------------------------------------------------------------------- */

/* B.7: the unit serves it, firmware allows it, the device has it and does it the
 * way the unit needs, nobody forbids it. */
static void look_for_ats(struct uiommu_device *d, uint32_t flags)
{
    const struct uim_driver_use *use = uim_use_of(d->unit);
    struct uim_pci_ats ats;

    d->ats_able = false;
    if (!d->unit->ats || (flags & UIOMMU_DEVICE_UNTRUSTED) ||
        (d->u->config.flags & UIOMMU_CONFIG_NO_ATS) ||
        d->kind != UIOMMU_DEVICE_PCI)
        return;
    if (!use->driver->fw->ats_allowed(use->table, &d->path,
                                      d->unit->ats_by_hardware))
        return;
    if (uim_pci_ats(&d->u->host, d->pci, &ats) != UIOMMU_OK ||
        !ats.page_aligned)
        return;
    d->ats_cap = ats.offset;
    d->ats_queue = ats.queue_depth;
    d->ats_able = true;
}

/* The driver use whose table names a unit for the path, and what is known of the
 * device already. */
static const struct uim_driver_use *owner_of(struct uiommu *u,
                                             const struct uim_fw_device *path,
                                             struct uiommu_device **known)
{
    unsigned unit;
    uint32_t id;

    for (unsigned i = 0; i < u->n_use; i++) {
        const struct uim_driver_use *use = &u->use[i];

        if (!use->table || use->driver->fw->owner(use->table, path, 0, &unit,
                                                  &id) != UIOMMU_OK)
            continue;
        *known = uim_device_find(u->unit[use->first_unit + unit], id);
        return use;
    }
    return NULL;
}

static enum uiommu_status create_resting(struct uiommu *u,
                                         const struct uim_driver_use *use,
                                         const struct uim_fw_device *path,
                                         struct uiommu_device **out)
{
    enum uiommu_status status;
    struct uiommu_device *d = uim_device_create(u, use, path, &status);

    if (!d)
        return status;
    uim_group_lock(d->group);
    status = uim_firmware_rest(d);
    uim_group_unlock(d->group);
    if (status == UIOMMU_OK)
        *out = d;
    else if (d->endpoint.domain == &u->inherited)
        uim_device_forget(d); /* its DMA goes on */
    else
        (void)uim_device_free(d);
    return status;
}

/* ATS that somebody left on: what the device has cached is emptied when it moves from
 * what it was found with. In any other case it stops asking before it moves. */
static void found_with_ats(struct uiommu_device *d)
{
    struct uiommu_endpoint *ep = &d->endpoint;
    struct uim_pci_ats ats;

    if (d->kind != UIOMMU_DEVICE_PCI || atomic_load(&ep->ats_on) ||
        uim_pci_ats(&d->u->host, d->pci, &ats) != UIOMMU_OK || !ats.enabled)
        return;
    if (ep->domain != &d->u->inherited || !d->ats_able || ats.stu != 0) {
        uim_pci_ats_disable(&d->u->host, d->pci, ats.offset);
        return;
    }
    ep->ats = true;
    atomic_fetch_add(&d->u->inherited.n_ats, 1);
    atomic_store(&ep->ats_on, true);
}

static enum uiommu_status add_locked(struct uiommu *u,
                                     const struct uiommu_device_info *info,
                                     struct uiommu_device **out)
{
    const struct uim_driver_use *use;
    struct uim_fw_device path;
    struct uiommu_device *d;
    enum uiommu_status status;

    if (atomic_load(&u->life) != UIM_STARTED)
        return UIOMMU_AGAIN;
    status = path_of(u, info, &path);
    if (status != UIOMMU_OK)
        return status;
    use = owner_of(u, &path, &d);
    if (!use)
        return UIOMMU_NODEV;
    if (d && atomic_load(&d->added))
        return UIOMMU_EXIST;
    if (!d)
        status = create_resting(u, use, &path, &d);
    if (status != UIOMMU_OK)
        return status;
    /* What firmware's table says of the way is less than what is known now. */
    if (d->kind == UIOMMU_DEVICE_PCI && !path.acpi_path)
        d->path = path;
    look_for_ats(d, info->flags);
    found_with_ats(d);
    d->bridge = info->bridge;
    if (d->bridge)
        d->bridge->children++;
    atomic_store(&d->added, true); /* complete: faults name it from now on */
    *out = d;
    return UIOMMU_OK;
}

enum uiommu_status uiommu_device_add(struct uiommu *u,
                                     const struct uiommu_device_info *info,
                                     struct uiommu_device **out)
{
    enum uiommu_status status;

    if (!u || !info || !out)
        return UIOMMU_INVAL;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = add_locked(u, info, out);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- remove -------------------------------------------------------------------------- */

/* Nothing is sent to a device that is gone: it would not answer (B.19). */
static void notice_absence(struct uiommu_device *d)
{
    if (d->kind == UIOMMU_DEVICE_PCI && !uim_pci_present(&d->u->host, d->pci))
        atomic_store(&d->endpoint.quarantined, true);
}

enum uiommu_status uiommu_device_remove(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    enum uiommu_status status = UIOMMU_BUSY;

    u->host.mutex_lock(u->host.ctx, u->lock);
    if (uim_must_wait(u)) {
        status = UIOMMU_AGAIN;
    } else if (device->children == 0 && atomic_load(&device->n_irqs) == 0 &&
               !uim_group_owned(device->group)) {
        if (device->bridge)
            device->bridge->children--;
        notice_absence(device);
        status = uim_device_free(device);
    }
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

struct uiommu_endpoint *uiommu_device_endpoint(struct uiommu_device *device)
{
    return &device->endpoint;
}
