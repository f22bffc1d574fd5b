/* SPDX-License-Identifier: MIT */
/*
 * mediated.c - parts of a device that its mediator lends to clients (semantics C): they
 * come, go, and are left behind.
 *
 * A part has a view and a group of its own, which is virtual: it borrows mutex, policy and
 * hardware from that of the parent. Drivers see the PASID of its seat (seat.c) and nothing
 * else.
 */
#include "core/core.h"

static struct uim_mediated *mediated_of(struct uim_node *n)
{
    return uim_container(n, struct uim_mediated, node);
}

static bool is_emulated(const struct uim_mediated *m)
{
    return m->config.kind == UIOMMU_MDEV_EMULATED;
}

/* ---- the parent was pulled out -------------------------------------------------- */

bool uim_mediated_started(const struct uiommu_device *device)
{
    const struct uim_node *list = &device->mediated;

    for (const struct uim_node *n = list->next; n != list; n = n->next) {
        const struct uim_mediated *m =
            uim_container(n, const struct uim_mediated, node);

        if (m->group->own.dma || m->parked)
            return true;
    }
    return false;
}

/* What is emulated goes on answering, and lets go. */
static void stop(struct uim_mediated *m)
{
    if (m->seat)
        (void)uim_mediator_clear(m);
    if (is_emulated(m))
        (void)!uim_view_force(&m->group->own, &m->group->u->blocked);
}

void uim_mediated_stop(struct uiommu_device *device)
{
    uim_list_for_each(n, &device->mediated)
        stop(mediated_of(n));
}

/* What others of its group see is for these to say from now on. */
static enum uiommu_status give_up_id(struct uim_mediated *m,
                                     struct uiommu_endpoint *own)
{
    enum uiommu_status status;

    m->group->heir = NULL;
    status = uim_group_to_core(m->group);
    uim_requests_lend(own, NULL);
    return status;
}

static enum uiommu_status give_up(struct uim_mediated *m,
                                  struct uiommu_device *device)
{
    if (uim_inherits(m))
        return give_up_id(m, device->endpoint);
    return is_emulated(m) ? UIOMMU_OK : uim_seat_lose(m);
}

static enum uiommu_status orphan(struct uim_mediated *m)
{
    struct uiommu_device *device = m->endpoint.device;
    struct uiommu *u = m->group->u;

    uim_list_del(&m->node);
    atomic_store(&m->endpoint.quarantined, true);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_requests_orphan(&m->endpoint);
    uim_list_add_tail(&u->dead, &m->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return give_up(m, device);
}

enum uiommu_status uim_mediated_orphan(struct uiommu_device *device)
{
    enum uiommu_status worst = UIOMMU_OK;

    while (!uim_list_empty(&device->mediated)) {
        enum uiommu_status status = orphan(mediated_of(device->mediated.next));

        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

/* ---- come and go ---------------------------------------------------------------- */

static bool is_good(const struct uiommu_mdev_config *config)
{
    const uint32_t known =
        UIOMMU_MDEV_SHARE | UIOMMU_MDEV_DMA | UIOMMU_MDEV_EARLY;
    const uint32_t numbers =
        config->flags & (UIOMMU_MDEV_SHARE | UIOMMU_MDEV_EARLY);
    const struct uiommu_mediator *mediator = config->mediator;

    if (config->size != sizeof(*config) || (config->flags & ~known) ||
        !mediator)
        return false;
    if (config->kind == UIOMMU_MDEV_PASID)
        return mediator->pasid_install && mediator->pasid_clear &&
               numbers != (UIOMMU_MDEV_SHARE | UIOMMU_MDEV_EARLY);
    if (numbers != 0 || config->first > 0 || config->last > 0)
        return false;
    return config->kind != UIOMMU_MDEV_EMULATED || mediator->unmapped;
}

static enum uiommu_status may_number(const struct uiommu_device *device)
{
    if (device->untrusted &&
        !(device->u->config.flags & UIOMMU_CONFIG_WIDE_PASIDS))
        return UIOMMU_PERM;
    return uim_pasid_may_have(device);
}

/* Nobody else sees anything by it but the mediator's own driver (C.3). What carries
 * PASIDs is not concerned, which is independent of it on all units (driver.h). */
static enum uiommu_status may_inherit(const struct uiommu_device *device)
{
    const struct uiommu_group *group = device->group;

    if (group->heir ||
        (!group->own.dma && group->own.domain != uim_group_core(group)))
        return UIOMMU_BUSY;
    return UIOMMU_OK;
}

static enum uiommu_status may_be_parent(const struct uiommu_device *device,
                                        enum uiommu_mdev_kind kind)
{
    const struct uiommu_group *group = device->group;

    if (uim_asleep(device->u))
        return UIOMMU_AGAIN;
    if (group->owner || uim_group_is_held(group))
        return UIOMMU_BUSY;
    if (atomic_load(&device->endpoint->quarantined))
        return UIOMMU_NODEV;
    if (kind == UIOMMU_MDEV_EMULATED)
        return UIOMMU_OK;
    return kind == UIOMMU_MDEV_PASID ? may_number(device) : may_inherit(device);
}

/* What it says, or what its parent has; INVAL: more than that (C.6). */
static enum uiommu_status narrow(const struct uiommu_device *device,
                                 struct uiommu_mdev_config *config)
{
    const struct uim_unit *unit = device->unit;

    if (config->iova_bits > unit->iova_bits ||
        (config->page_sizes & ~unit->page_sizes))
        return UIOMMU_INVAL;
    if (config->iova_bits == 0)
        config->iova_bits = unit->iova_bits;
    if (config->page_sizes == 0)
        config->page_sizes = unit->page_sizes;
    if (config->kind != UIOMMU_MDEV_PASID)
        return UIOMMU_OK;
    if (config->first == 0)
        config->first = 1;
    if (config->last == 0)
        config->last = UINT32_MAX;
    return uim_pasid_range(device, config->first, config->last);
}

static void fill_endpoint(struct uim_mediated *m, struct uiommu_device *device)
{
    struct uiommu_endpoint *ep = &m->endpoint;

    ep->unit = device->unit;
    ep->id = device->endpoint->id;
    ep->pasid = UIOMMU_NO_PASID;
    ep->device = device;
    ep->view = &m->group->own;
    ep->domain = &device->u->blocked;
    ep->mediated = m;
    uim_list_init(&ep->member);
    uim_list_init(&ep->node);
    uim_list_init(&ep->pasids);
}

static void fill(struct uim_mediated *m, struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;

    fill_endpoint(m, device);
    uim_list_add_tail(&device->mediated, &m->node);
    group->n_mediated++;
    atomic_fetch_add(&device->u->n_mediated, 1);
    switch (m->config.kind) {
    case UIOMMU_MDEV_PASID:
        m->group->own.mediated = m;
        group->n_numbered++;
        break;
    case UIOMMU_MDEV_RID_INHERIT:
        group->heir = m;
        uim_requests_lend(device->endpoint, &m->endpoint);
        break;
    case UIOMMU_MDEV_EMULATED:
        m->group->software = true;
        uim_soft_add(m, device->unit);
        break;
    }
}

/* It has no seat any more. */
static void take_back(struct uim_mediated *m)
{
    struct uiommu_group *group = uim_hardware_of(m->group);
    struct uiommu *u = group->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_del(&m->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    group->n_mediated--;
    atomic_fetch_sub(&u->n_mediated, 1);
    if (m->config.kind == UIOMMU_MDEV_PASID)
        group->n_numbered--;
    if (group->heir == m) {
        group->heir = NULL;
        uim_requests_lend(m->endpoint.device->endpoint, NULL);
    }
    if (is_emulated(m))
        uim_soft_remove(m);
    uim_group_put(m->group);
    uim_free(u, m, sizeof(*m));
}

static struct uiommu_group *group_for(struct uiommu_device *device,
                                      enum uiommu_mdev_kind kind)
{
    if (kind != UIOMMU_MDEV_RID_INHERIT)
        return uim_group_create_virtual(device->group);
    atomic_fetch_add(&device->group->refs, 1);
    return device->group;
}

static struct uim_mediated *alloc(struct uiommu_device *device,
                                  const struct uiommu_mdev_config *config)
{
    struct uim_mediated *m = uim_alloc(device->u, sizeof(*m));

    if (!m)
        return NULL;
    m->group = group_for(device, config->kind);
    if (!m->group) {
        uim_free(device->u, m, sizeof(*m));
        return NULL;
    }
    m->config = *config;
    m->limits.iova_bits = config->iova_bits;
    m->limits.page_sizes = config->page_sizes;
    m->mediator = *config->mediator;
    return m;
}

static enum uiommu_status create(struct uiommu_device *device,
                                 const struct uiommu_mdev_config *config,
                                 struct uim_mediated **out)
{
    enum uiommu_status status = UIOMMU_OK;

    if (config->kind == UIOMMU_MDEV_EMULATED)
        status = uim_soft_get(device->unit);
    if (status != UIOMMU_OK)
        return status;
    *out = alloc(device, config);
    if (!*out) {
        uim_soft_put(device->unit);
        return UIOMMU_NOMEM;
    }
    fill(*out, device);
    return UIOMMU_OK;
}

/* The mediator's own driver has what it lends no longer. */
static enum uiommu_status park(struct uim_mediated *m)
{
    if (!uim_inherits(m) || !m->group->own.dma)
        return UIOMMU_OK;
    return uim_dma_park(m->endpoint.device->endpoint, &m->parked);
}

static enum uiommu_status unpark(struct uim_mediated *m)
{
    return m->parked ? uim_dma_unpark(m->endpoint.device->endpoint, m->parked)
                     : UIOMMU_OK;
}

static enum uiommu_status begin_use(struct uim_mediated *m)
{
    enum uiommu_status status = uim_seat_reserve(m);

    if (status == UIOMMU_OK && (m->config.flags & UIOMMU_MDEV_DMA))
        status = uim_dma_start(&m->endpoint);
    return status == UIOMMU_OK ? uim_mediator_announce(m) : status;
}

/* Before its mediator was told of it. */
static enum uiommu_status stop_use(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, parked, kept;

    if (m->endpoint.dma_starts > 0)
        status = uim_dma_stop(&m->endpoint);
    kept = uim_seat_unreserve(m);
    parked = unpark(m);
    if (status == UIOMMU_OK)
        status = kept;
    return status != UIOMMU_OK ? status : parked;
}

/* What hardware did not undo is worse than whatever there was to be undone. */
static enum uiommu_status start(struct uim_mediated *m)
{
    enum uiommu_status status = park(m), stopped;

    if (status == UIOMMU_OK) {
        status = begin_use(m);
        if (status == UIOMMU_OK)
            return UIOMMU_OK;
        stopped = stop_use(m);
        if (uim_hardware_failed(stopped))
            status = stopped;
    }
    take_back(m);
    return status;
}

static enum uiommu_status
register_locked(struct uiommu_device *device,
                const struct uiommu_mdev_config *config,
                struct uiommu_endpoint **out)
{
    struct uiommu_mdev_config narrowed = *config;
    struct uim_mediated *m = NULL;
    enum uiommu_status status = may_be_parent(device, config->kind);

    if (status == UIOMMU_OK)
        status = narrow(device, &narrowed);
    if (status == UIOMMU_OK)
        status = create(device, &narrowed, &m);
    if (status == UIOMMU_OK)
        status = start(m);
    if (status == UIOMMU_OK)
        *out = &m->endpoint;
    return status;
}

enum uiommu_status uiommu_mdev_register(struct uiommu_device *parent,
                                        const struct uiommu_mdev_config *config,
                                        struct uiommu_endpoint **out)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!parent || !config || !out || !is_good(config))
        return UIOMMU_INVAL;
    if (config->kind > UIOMMU_MDEV_EMULATED)
        return UIOMMU_OPNOTSUPP;
    group = uim_group_call_alone(parent->endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = register_locked(parent, config, out);
    uim_group_leave_alone(group);
    return status;
}

static bool is_used(const struct uim_mediated *m)
{
    unsigned own = m->config.flags & UIOMMU_MDEV_DMA ? 1 : 0;

    if (m->endpoint.dma_starts > own || m->group->own.bond)
        return true;
    if (uim_inherits(m) && m->endpoint.device && uim_pasids_below(m->group))
        return true;
    return m->group->owner && (m->group->hardware || m->endpoint.device);
}

static enum uiommu_status end_inheritance(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, parked;

    if (m->endpoint.device)
        status = uim_group_to_core(m->group);
    parked = unpark(m);
    return status != UIOMMU_OK ? status : parked;
}

/* Whatever it sees, it sees nothing at the end. */
static enum uiommu_status end_use(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, rest;

    if (m->endpoint.dma_starts > 0)
        status = uim_dma_stop(&m->endpoint);
    else if (!is_emulated(m))
        status = uim_mediated_force(m);
    else if (m->endpoint.device)
        status = uim_view_force(&m->group->own, &m->group->u->blocked);
    rest = uim_inherits(m) ? end_inheritance(m) : uim_seat_unreserve(m);
    return status != UIOMMU_OK ? status : rest;
}

static enum uiommu_status unregister_locked(struct uim_mediated *m)
{
    enum uiommu_status status;

    if (uim_must_wait(m->group->u))
        return UIOMMU_AGAIN;
    if (is_used(m))
        return UIOMMU_BUSY;
    status = end_use(m);
    take_back(m);
    return status;
}

enum uiommu_status uiommu_mdev_unregister(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !endpoint->mediated)
        return UIOMMU_INVAL;
    group = uim_group_call_alone(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = unregister_locked(endpoint->mediated);
    uim_group_leave_alone(group);
    return status;
}

void uim_mediated_forget(struct uim_node *list)
{
    while (!uim_list_empty(list)) {
        struct uim_mediated *m = mediated_of(list->next);

        m->seat = m->kept = NULL;
        if (m->parked) {
            uim_dma_unhold(&m->group->own);
            uim_dma_forget(m->group->u, m->parked);
        }
        take_back(m);
    }
}
