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

static bool same_path(const struct uim_fw_device *a,
                      const struct uim_fw_device *b)
{
    const char *s = a->acpi_path, *t = b->acpi_path;

    if (!s || !t)
        return s == t && a->pci.segment == b->pci.segment &&
               a->pci.bus == b->pci.bus && a->pci.devfn == b->pci.devfn;
    while (*s != '\0' && *s == *t)
        s++, t++;
    return *s == *t;
}

struct uiommu_device *uim_device_find(const struct uiommu *u,
                                      const struct uim_fw_device *path)
{
    uim_list_for_each(n, &((struct uiommu *)u)->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);

        if (same_path(&d->path, path))
            return d;
    }
    return NULL;
}

bool uim_device_has(const struct uiommu_device *device,
                    const struct uiommu_endpoint *endpoint)
{
    for (unsigned i = 0; i < device->n_aliases; i++)
        if (device->alias[i] == endpoint)
            return true;
    return device->endpoint == endpoint;
}

static void list(struct uiommu_device *device)
{
    const struct uiommu_host *h = &device->u->host;

    h->spin_lock(h->ctx, device->u->device_lock);
    uim_list_add_tail(&device->u->devices, &device->node);
    h->spin_unlock(h->ctx, device->u->device_lock);
}

/* Afterwards no fault delivery holds a pointer to it. */
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

/* ---- its ids ---------------------------------------------------------------------- */

/* What the unit calls requests of the device that have another requester id. */
static enum uiommu_status id_of_alias(const struct uiommu_device *d,
                                      uint16_t rid, uint32_t *id)
{
    const struct uim_driver_use *use = uim_use_of(d->unit);
    struct uim_fw_device path = d->path;
    unsigned unit;

    path.pci.bus = (uint8_t)(rid >> 8);
    path.pci.devfn = (uint8_t)rid;
    if (use->driver->fw->owner(use->table, &path, 0, &unit, id) != UIOMMU_OK ||
        use->first_unit + unit != d->unit->index)
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

/* The bridge that gives requests of the device that id; without one, the device. */
static struct uiommu_device *maker_of(struct uiommu_device *d, uint32_t id)
{
    const struct uim_pci_function *f = d->judged ? &d->facts : NULL;
    uint32_t made;
    uint16_t rid;

    while (f && (f = uim_pci_alias_bridge(f)) != NULL)
        if (uim_pci_bridge_id(f, &rid) &&
            id_of_alias(d, rid, &made) == UIOMMU_OK && made == id)
            return uim_container(f, struct uiommu_device, facts);
    return d;
}

/* Number `index` of the ids that the unit knows the device by: those that firmware gives
 * it, then those that bridges and oddities give its DMA. NOENT: there are fewer. INVAL:
 * another unit would translate for that. */
static enum uiommu_status id_of(const struct uiommu_device *d, unsigned index,
                                uint32_t *id)
{
    const struct uim_driver_use *use = uim_use_of(d->unit);
    unsigned unit, n_own = 0;
    uint16_t rid;
    enum uiommu_status status;

    while (use->driver->fw->owner(use->table, &d->path, n_own, &unit, id) ==
           UIOMMU_OK) {
        if (use->first_unit + unit != d->unit->index)
            return UIOMMU_INVAL;
        if (n_own++ == index)
            return UIOMMU_OK;
    }
    if (!d->judged)
        return UIOMMU_NOENT;
    /* Number 0 is the id that was asked for above. */
    status = uim_pci_alias(&d->facts, index - n_own + 1, &rid);
    return status == UIOMMU_OK ? id_of_alias(d, rid, id) : status;
}

static enum uiommu_status count_ids(const struct uiommu_device *d, unsigned *n)
{
    enum uiommu_status status = UIOMMU_OK;
    uint32_t id;

    for (*n = 0; status == UIOMMU_OK; (*n)++)
        status = id_of(d, *n, &id);
    (*n)--;
    if (status == UIOMMU_NOENT)
        return UIOMMU_OK;
    uim_log(d->u, UIOMMU_LOG_WARN,
            "%s: its DMA may carry ids that another unit translates for: it "
            "stays blocked",
            uim_device_name(d).text);
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status free_aliases(struct uiommu_device *d, unsigned first,
                                       bool block)
{
    enum uiommu_status worst = UIOMMU_OK;

    while (d->n_aliases > first) {
        struct uiommu_endpoint *ep = d->alias[--d->n_aliases];
        enum uiommu_status status = uim_endpoint_put(d, ep, block);

        if (status != UIOMMU_OK)
            worst = status;
    }
    if (first == 0) {
        uim_free(d->u, d->alias, d->room * sizeof(*d->alias));
        d->alias = NULL;
        d->room = 0;
    }
    return worst;
}

static bool make_room(struct uiommu_device *d, unsigned n)
{
    struct uiommu_endpoint **more;

    if (n <= d->room)
        return true;
    more = uim_alloc(d->u, n * sizeof(*more));
    if (!more)
        return false;
    if (d->n_aliases > 0)
        memcpy(more, d->alias, d->n_aliases * sizeof(*more));
    uim_free(d->u, d->alias, d->room * sizeof(*d->alias));
    d->alias = more;
    d->room = n;
    return true;
}

static enum uiommu_status add_alias(struct uiommu_device *d)
{
    uint32_t id;
    enum uiommu_status status = id_of(d, d->n_aliases + 1, &id);

    if (status == UIOMMU_OK)
        status =
            uim_endpoint_get(d, maker_of(d, id), id, &d->alias[d->n_aliases]);
    if (status == UIOMMU_OK)
        d->n_aliases++;
    return status;
}

/* All ids but the first, as far as they are known by now. On failure it has those that
 * it had. */
static enum uiommu_status add_aliases(struct uiommu_device *d)
{
    unsigned had = d->n_aliases, n;
    enum uiommu_status status = count_ids(d, &n);

    if (status != UIOMMU_OK || n == had + 1)
        return status;
    if (!make_room(d, n - 1))
        return UIOMMU_NOMEM;
    while (status == UIOMMU_OK && d->n_aliases < n - 1)
        status = add_alias(d);
    if (status != UIOMMU_OK)
        (void)free_aliases(d, had, true);
    return status;
}

/* ---- making one ---------------------------------------------------------------- */

static void fill(struct uiommu_device *d, struct uim_unit *unit,
                 const struct uim_fw_device *path)
{
    d->u = unit->u;
    d->unit = unit;
    d->path = *path;
    d->kind = path->acpi_path ? UIOMMU_DEVICE_ACPI : UIOMMU_DEVICE_PCI;
    d->pci = path->pci;
    uim_list_init(&d->node);
    uim_list_init(&d->member);
    uim_list_init(&d->mediated);
}

static void join_new_group(struct uiommu_device *d, struct uiommu_group *group)
{
    d->group = group;
    uim_list_add_tail(&group->devices, &d->member);
}

/* What a device has that has no id yet. */
static void free_rest(struct uiommu_device *d)
{
    free_name(d);
    uim_free(d->u, d, sizeof(*d));
}

static enum uiommu_status give_ids(struct uiommu_device *d, uint32_t id)
{
    enum uiommu_status status;

    status = uim_endpoint_get(d, d, id, &d->endpoint);
    if (status != UIOMMU_OK)
        return status;
    status = add_aliases(d);
    if (status != UIOMMU_OK)
        (void)uim_endpoint_put(d, d->endpoint, false);
    return status;
}

struct uiommu_device *uim_device_create(struct uiommu *u,
                                        const struct uim_driver_use *use,
                                        const struct uim_fw_device *path,
                                        enum uiommu_status *status)
{
    struct uiommu_device *d;
    struct uiommu_group *group;
    unsigned unit;
    uint32_t id;

    *status = use->driver->fw->owner(use->table, path, 0, &unit, &id);
    if (*status != UIOMMU_OK)
        return NULL;
    if (!u->unit[use->first_unit + unit]) {
        *status = UIOMMU_NODEV;
        return NULL;
    }
    *status = UIOMMU_NOMEM;
    d = uim_alloc(u, sizeof(*d));
    if (!d)
        return NULL;
    fill(d, u->unit[use->first_unit + unit], path);
    if (!copy_name(d))
        goto fail;
    group = uim_group_create(d->unit);
    if (!group)
        goto fail;
    join_new_group(d, group);
    *status = give_ids(d, id);
    if (*status != UIOMMU_OK) {
        uim_group_drop(d);
        goto fail;
    }
    list(d);
    return d;
fail:
    free_rest(d);
    return NULL;
}

static enum uiommu_status free_device(struct uiommu_device *device, bool block)
{
    enum uiommu_status own, aliases;

    aliases = free_aliases(device, 0, block);
    own = uim_endpoint_put(device, device->endpoint, block);
    unlist(device);
    uim_group_drop(device);
    if (block)
        uim_pasids_stop(device);
    free_rest(device);
    return own != UIOMMU_OK ? own : aliases;
}

enum uiommu_status uim_device_free(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    enum uiommu_status status = free_device(device, true);

    if (status != UIOMMU_OK)
        uim_log(u, UIOMMU_LOG_ERROR,
                "a device was removed while its unit did not answer: %s",
                uiommu_status_name(status));
    return status;
}

void uim_device_forget(struct uiommu_device *device)
{
    (void)free_device(device, false);
}

void uim_device_take_back(struct uiommu_device *device)
{
    if (device->endpoint->domain == &device->u->inherited)
        uim_device_forget(device); /* its DMA goes on */
    else
        (void)uim_device_free(device);
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

/* Found once: another look may find something else. */
struct place {
    struct uim_fw_device path;
    struct uiommu_device *physical; /* of a virtual function */
};

/* The added device that says that the virtual function at `at` is its, or NULL. */
static struct uiommu_device *physical_of(const struct uiommu *u,
                                         struct uiommu_pci at)
{
    uim_list_for_each(n, &((struct uiommu *)u)->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);
        struct uim_pci_sriov sriov;

        if (atomic_load(&d->added) && d->judged &&
            uim_pci_sriov(&u->host, d->pci, &sriov) == UIOMMU_OK &&
            uim_pci_is_virtual_of(&sriov, d->pci, at))
            return d;
    }
    return NULL;
}

/* It stands where its physical function does (fw.h), whatever bus its number is of. */
static enum uiommu_status virtual_path(struct uiommu *u,
                                       const struct uiommu_device_info *info,
                                       struct place *out)
{
    struct uiommu_device *physical = physical_of(u, info->pci);

    if (!physical) {
        uim_log(
            u, UIOMMU_LOG_WARN,
            "%s is not added: it is a virtual function, and the physical one "
            "that has it was not added",
            uim_name_of(info->pci, NULL).text);
        return UIOMMU_NODEV;
    }
    if (info->bridge != physical->bridge)
        return UIOMMU_INVAL;
    if (physical->resets > 0)
        return UIOMMU_BUSY; /* which may take it along */
    out->physical = physical;
    out->path = physical->path;
    out->path.pci = info->pci;
    out->path.class_code = uim_pci_class(&u->host, info->pci);
    return UIOMMU_OK;
}

static enum uiommu_status pci_path(struct uiommu *u,
                                   const struct uiommu_device_info *info,
                                   struct place *out)
{
    struct uim_fw_device *path = &out->path;
    enum uiommu_status status;

    if (u->host.pci_read && uim_pci_is_virtual(&u->host, info->pci))
        return virtual_path(u, info, out);
    status = check_bridge(u, info);
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
    return UIOMMU_OK;
}

static enum uiommu_status place_of(struct uiommu *u,
                                   const struct uiommu_device_info *info,
                                   struct place *out)
{
    if (info->size != sizeof(*info) ||
        (info->flags & ~(uint32_t)UIOMMU_DEVICE_UNTRUSTED))
        return UIOMMU_INVAL;
    out->physical = NULL;
    if (info->kind == UIOMMU_DEVICE_PCI)
        return pci_path(u, info, out);
    if (info->kind != UIOMMU_DEVICE_ACPI || !info->acpi_path || info->bridge)
        return UIOMMU_INVAL;
    out->path = (struct uim_fw_device){ .acpi_path = info->acpi_path };
    return UIOMMU_OK;
}

/* ---- add ---------------------------------------------------------------------------- */

/* The driver use whose table names a unit for the path. */
static const struct uim_driver_use *owner_of(const struct uiommu *u,
                                             const struct uim_fw_device *path)
{
    unsigned unit;
    uint32_t id;

    for (unsigned i = 0; i < u->n_use; i++) {
        const struct uim_driver_use *use = &u->use[i];

        if (use->table && use->driver->fw->owner(use->table, path, 0, &unit,
                                                 &id) == UIOMMU_OK)
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
    else
        uim_device_take_back(d);
    return status;
}

static void judge(struct uiommu_device *d,
                  const struct uiommu_device_info *info,
                  struct uiommu_device *physical)
{
    if (d->kind != UIOMMU_DEVICE_PCI)
        return;
    uim_acs_start(d, info->flags);
    d->physical = physical;
    if (physical) {
        uim_pci_function_read_virtual(&d->u->host, d->pci, &physical->facts,
                                      &d->facts);
    } else {
        uim_pci_function_read(&d->u->host, d->pci, &d->facts);
        d->facts.bridge = info->bridge ? &info->bridge->facts : NULL;
    }
    d->judged = true;
}

/* What is known now that firmware's table did not say: the way, the ids, and who
 * cannot be kept apart from it. */
static enum uiommu_status complete(struct uiommu_device *d,
                                   const struct uiommu_device_info *info,
                                   const struct place *place)
{
    enum uiommu_status status =
        uim_dma_trust(d, info->flags & UIOMMU_DEVICE_UNTRUSTED);

    if (status != UIOMMU_OK)
        return status;
    if (d->kind == UIOMMU_DEVICE_PCI)
        d->path = place->path;
    judge(d, info, place->physical);
    status = add_aliases(d);
    return status == UIOMMU_OK ? uim_group_gather(d) : status;
}

static enum uiommu_status publish(struct uiommu_device *d,
                                  const struct uiommu_device_info *info)
{
    enum uiommu_status status;

    uim_group_lock(d->group); /* whoever moves it asks whether it caches */
    status = uim_capabilities(d, info->flags);
    uim_group_unlock(d->group);
    if (status != UIOMMU_OK)
        return status;
    d->silent_since = uim_tick(d->u);
    d->bridge = info->bridge;
    if (d->bridge)
        d->bridge->children++;
    if (d->physical)
        d->physical->children++;
    atomic_store(&d->added, true); /* complete: faults name it from now on */
    return UIOMMU_OK;
}

/* If that fails it is what firmware's table says of it, and no more; its group stays as
 * large as it has become. */
static enum uiommu_status add_known(struct uiommu_device *d,
                                    const struct uiommu_device_info *info,
                                    const struct place *place)
{
    const struct uim_fw_device before = d->path;
    unsigned had = d->n_aliases;
    enum uiommu_status status;

    if (atomic_load(&d->added))
        return UIOMMU_EXIST;
    status = complete(d, info, place);
    if (status == UIOMMU_OK)
        status = publish(d, info);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    d->judged = false;
    d->physical = NULL;
    d->path = before;
    (void)free_aliases(d, had, true);
    return status;
}

static enum uiommu_status add_new(struct uiommu *u,
                                  const struct uiommu_device_info *info,
                                  const struct place *place,
                                  struct uiommu_device **out)
{
    const struct uim_driver_use *use = owner_of(u, &place->path);
    enum uiommu_status status;
    struct uiommu_device *d = NULL;

    if (!use)
        return UIOMMU_NODEV;
    status = create_resting(u, use, &place->path, &d);
    if (status != UIOMMU_OK)
        return status;
    status = complete(d, info, place);
    if (status == UIOMMU_OK)
        status = publish(d, info);
    if (status == UIOMMU_OK)
        *out = d;
    else
        uim_device_take_back(d);
    return status;
}

static enum uiommu_status add_locked(struct uiommu *u,
                                     const struct uiommu_device_info *info,
                                     struct uiommu_device **out)
{
    struct place place;
    struct uiommu_device *known;
    enum uiommu_status status;

    if (atomic_load(&u->life) != UIM_STARTED)
        return UIOMMU_AGAIN;
    status = place_of(u, info, &place);
    if (status != UIOMMU_OK)
        return status;
    known = uim_device_find(u, &place.path);
    if (!known)
        return add_new(u, info, &place, out);
    status = add_known(known, info, &place);
    if (status == UIOMMU_OK)
        *out = known;
    return status;
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

static bool is_absent(const struct uiommu_device *d)
{
    return d->kind == UIOMMU_DEVICE_PCI &&
           !uim_pci_present(&d->u->host, d->pci);
}

/* Nothing is sent to a device that is gone: it would not answer (B.19). Others with its
 * id are not, and go on without what it had cached. */
static enum uiommu_status notice_absence(struct uiommu_device *d)
{
    struct uiommu_endpoint *ep = d->endpoint;
    enum uiommu_status status, mediated;

    d->absent = true;
    if (ep->requests) /* who comes to its place gets no answers to these */
        (void)!ep->unit->ops->drain(ep);
    if (ep->users == 1)
        atomic_store(&ep->quarantined, true);
    if (ep->device == d) {
        atomic_store(&ep->ats_on, false);
        ep->pri_on = false;
    }
    uim_mediated_stop(d);
    status = uim_pasids_orphan(d);
    mediated = uim_mediated_orphan(d);
    return status != UIOMMU_OK ? status : mediated;
}

/* Whoever has PASIDs or parts of a device that is still there has to end them first. */
static bool is_in_parts(const struct uiommu_device *d)
{
    return !uim_list_empty(&d->endpoint->pasids) ||
           !uim_list_empty(&d->mediated);
}

static bool is_used(struct uiommu_device *d, bool gone)
{
    return d->children > 0 || atomic_load(&d->n_irqs) > 0 ||
           atomic_load(&d->endpoint->dma) || d->group->owner ||
           (gone ? uim_pasids_started(d) || uim_mediated_started(d)
                 : is_in_parts(d));
}

/* In one hold of the mutex: under that those who have PASIDs of it start them, and map
 * interrupts, for as long as they have a device. */
static bool let_go(struct uiommu_device *d, bool gone,
                   enum uiommu_status *pasids)
{
    bool used;

    uim_group_lock(d->group);
    used = is_used(d, gone);
    if (gone && !used)
        *pasids = notice_absence(d);
    d->leaves = !used;
    uim_group_unlock(d->group);
    return !used;
}

static enum uiommu_status remove_locked(struct uiommu_device *d)
{
    enum uiommu_status pasids = UIOMMU_OK, status;
    bool gone;

    if (uim_must_wait(d->u))
        return UIOMMU_AGAIN;
    gone = is_absent(d);
    if (!let_go(d, gone, &pasids))
        return UIOMMU_BUSY;
    if (d->bridge)
        d->bridge->children--;
    if (d->physical)
        d->physical->children--;
    status = uim_device_free(d);
    return status != UIOMMU_OK ? status : pasids;
}

enum uiommu_status uiommu_device_remove(struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    enum uiommu_status status;

    if (uim_is_inside(device->endpoint))
        return UIOMMU_BUSY;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = remove_locked(device);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

struct uiommu_endpoint *uiommu_device_endpoint(struct uiommu_device *device)
{
    return device->endpoint;
}
