/* SPDX-License-Identifier: MIT */
/*
 * group.c - who must move together (semantics B.9): devices that nothing keeps apart,
 * and the ids that their DMA may carry.
 *
 * Groups come to be one a device, and merge when a device is added that joins them.
 * That is for groups nobody uses: what a group in use sees does not change because a
 * device came, which is refused instead.
 */
#include "core/core.h"

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, member);
}

/* ---- life ---------------------------------------------------------------------- */

struct uiommu_group *uim_group_create(const struct uim_unit *unit)
{
    struct uiommu *u = unit->u;
    struct uiommu_group *group = uim_alloc(u, sizeof(*group));

    if (!group)
        return NULL;
    group->lock = u->host.mutex_create(u->host.ctx);
    if (!group->lock) {
        uim_free(u, group, sizeof(*group));
        return NULL;
    }
    group->u = u;
    atomic_store(&group->refs, 1);
    uim_list_init(&group->devices);
    uim_list_init(&group->pasids);
    group->rest = uim_rest(unit);
    uim_view_init(&group->own, group, UIOMMU_NO_PASID, group->rest);
    return group;
}

struct uiommu_group *uim_group_create_virtual(struct uiommu_group *hardware)
{
    struct uiommu *u = hardware->u;
    struct uiommu_group *group = uim_alloc(u, sizeof(*group));

    if (!group)
        return NULL;
    atomic_fetch_add(&hardware->refs, 1);
    group->hardware = hardware;
    group->lock = hardware->lock;
    group->u = u;
    atomic_store(&group->refs, 1);
    uim_list_init(&group->devices);
    uim_list_init(&group->pasids);
    group->rest = &u->blocked;
    uim_view_init(&group->own, group, UIOMMU_NO_PASID, group->rest);
    return group;
}

void uim_group_put(struct uiommu_group *group)
{
    struct uiommu *u = group->u;

    if (atomic_fetch_sub(&group->refs, 1) > 1)
        return;
    while (
        !uim_list_empty(&group->pasids)) /* numbers that waited for a reset */
        uim_view_free(uim_container(group->pasids.next, struct uim_view, node));
    uim_dma_free(&group->own);
    uiommu_domain_put(group->own.domain);
    if (group->hardware)
        uim_group_put(group->hardware);
    else
        u->host.mutex_destroy(u->host.ctx, group->lock);
    uim_free(u, group, sizeof(*group));
}

void uim_group_lock(const struct uiommu_group *group)
{
    const struct uiommu_host *h = &group->u->host;

    h->mutex_lock(h->ctx, group->lock);
}

void uim_group_unlock(const struct uiommu_group *group)
{
    const struct uiommu_host *h = &group->u->host;

    h->mutex_unlock(h->ctx, group->lock);
}

static struct uiommu_group *pin(const struct uiommu_endpoint *endpoint)
{
    struct uiommu *u = endpoint->unit->u;
    struct uiommu_group *group;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    group = endpoint->view->group;
    atomic_fetch_add(&group->refs, 1);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return group;
}

/* Valid until groups merge: whoever has the group's mutex knows that it still is. */
static struct uiommu_group *group_of(const struct uiommu_endpoint *endpoint)
{
    struct uiommu *u = endpoint->unit->u;
    struct uiommu_group *group;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    group = endpoint->view->group;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return group;
}

struct uiommu_group *uim_group_enter(const struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group = pin(endpoint);

    uim_group_lock(group);
    while (group_of(endpoint) != group) { /* it merged meanwhile */
        uim_group_leave(group);
        group = pin(endpoint);
        uim_group_lock(group);
    }
    return group;
}

void uim_group_leave(struct uiommu_group *group)
{
    uim_group_unlock(group);
    uim_group_put(group);
}

uintptr_t uim_thread(const struct uiommu *u)
{
    return u->host.thread ? u->host.thread(u->host.ctx) : 1;
}

bool uim_is_inside(const struct uiommu_endpoint *endpoint)
{
    struct uiommu *u = endpoint->unit->u;
    const uintptr_t me = uim_thread(u);
    const struct uim_call *call;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    call = atomic_load(&uim_hardware_of(endpoint->view->group)->calls);
    while (call && call->thread != me)
        call = call->next;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return call != NULL;
}

struct uiommu_group *uim_group_call(const struct uiommu_endpoint *endpoint)
{
    return uim_is_inside(endpoint) ? NULL : uim_group_enter(endpoint);
}

struct uiommu_group *
uim_group_call_alone(const struct uiommu_endpoint *endpoint)
{
    const struct uiommu *u = endpoint->unit->u;

    if (uim_is_inside(endpoint))
        return NULL;
    u->host.mutex_lock(u->host.ctx, u->lock);
    return uim_group_enter(endpoint);
}

void uim_group_leave_alone(struct uiommu_group *group)
{
    const struct uiommu *u = group->u;

    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
}

void uim_group_drop(struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;

    uim_group_lock(group);
    uim_list_del(&device->member);
    uim_firmware_drop(device);
    uim_pasids_free_waiting(group);
    uim_group_unlock(group);
    uim_group_put(group);
}

/* ---- what it sees -------------------------------------------------------------- */

struct uiommu_domain *uim_group_core(const struct uiommu_group *group)
{
    if (!group->owner && group->firmware)
        return group->firmware;
    return group->rest;
}

enum uiommu_status uim_group_set(struct uiommu_group *group,
                                 struct uiommu_domain *domain)
{
    struct uim_region_run *mapped = NULL;
    struct uim_rung rung = { .mapped = 0 };
    enum uiommu_status status = UIOMMU_OK;

    if (!group->owner && domain != group->own.domain &&
        uim_view_fits(&group->own, domain))
        status = uim_regions_map_all(group, domain, &mapped);
    if (status == UIOMMU_OK && uim_view_fits(&group->own, domain))
        status = uim_doorbells_map(group, domain, &rung);
    if (status == UIOMMU_OK)
        status = uim_view_set(&group->own, domain);
    if (status != UIOMMU_OK)
        uim_doorbells_undo(domain, &rung);
    if (status == UIOMMU_OK)
        uim_regions_keep(group->u, mapped);
    else
        uim_regions_undo(domain, mapped);
    return status;
}

/* ---- merging ------------------------------------------------------------------- */

static bool inherits(const struct uiommu_group *group)
{
    return group->own.domain->kind == UIOMMU_DOMAIN_INHERITED;
}

bool uim_group_in_use(const struct uiommu_group *group)
{
    return group->owner || group->own.dma || uim_group_has_pasids(group) ||
           group->n_mediated > 0 || group->doorbells != 0 ||
           (group->own.domain != uim_group_core(group) && !inherits(group));
}

/* Which of two goes on: the one in use; else the one that goes on with what it was
 * found with; else the one with firmware regions. */
static unsigned rank(const struct uiommu_group *group)
{
    return (uim_group_in_use(group) ? 4u : 0) + (inherits(group) ? 2u : 0) +
           (group->firmware ? 1u : 0);
}

/* Those that see one domain see the other. */
static enum uiommu_status move_between(struct uiommu_group *group,
                                       struct uiommu_domain *old,
                                       struct uiommu_domain *next)
{
    enum uiommu_status worst = UIOMMU_OK;

    uim_list_for_each(n, &group->own.endpoints) {
        struct uiommu_endpoint *ep =
            uim_container(n, struct uiommu_endpoint, member);
        enum uiommu_status status = UIOMMU_OK;

        if (ep->domain == old)
            status = uim_endpoint_set(ep, next);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

/* Each goes on as it was found; but what rests on regions rests on those of both, as
 * the other domain is about to go. */
static enum uiommu_status go_on(struct uiommu_group *into,
                                struct uiommu_group *from)
{
    enum uiommu_status status;

    if (!into->firmware || !from->firmware)
        return UIOMMU_OK;
    status = move_between(from, from->firmware, into->firmware);
    if (status != UIOMMU_OK)
        (void)move_between(from, into->firmware, from->firmware);
    return status;
}

/* Devices that had no PASIDs in use get those of the group. */
static enum uiommu_status extend_pasids(struct uiommu_group *into,
                                        struct uiommu_group *from)
{
    enum uiommu_status status = UIOMMU_OK;

    if (!uim_group_has_pasids(into))
        return UIOMMU_OK;
    if (!(into->u->config.flags & UIOMMU_CONFIG_WIDE_PASIDS))
        return UIOMMU_BUSY; /* they are of who was alone */
    uim_list_for_each(n, &from->devices) {
        status = uim_pasids_extend(into, device_of(n));
        if (status != UIOMMU_OK)
            break;
    }
    return status;
}

static void withdraw_pasids(struct uiommu_group *from)
{
    uim_list_for_each(n, &from->devices)
        uim_pasids_withdraw(device_of(n));
}

/* The endpoints of `from` see what those of `into` see, with their regions. */
static enum uiommu_status follow(struct uiommu_group *into,
                                 struct uiommu_group *from)
{
    struct uiommu_domain *domain = into->own.domain;
    struct uim_region_run *mapped = NULL;
    enum uiommu_status status;

    if (inherits(into))
        return go_on(into, from);
    /* What the driver whose place an heir has taken needs, is of those that are there. */
    if (into->heir && into->heir->parked)
        return UIOMMU_BUSY;
    status = extend_pasids(into, from);
    if (status == UIOMMU_OK)
        status = uim_dma_joins(into, from);
    if (status == UIOMMU_OK && into->owner)
        status = uim_group_may_be_claimed(from);
    else if (status == UIOMMU_OK)
        status = uim_regions_map_all(from, domain, &mapped);
    if (status == UIOMMU_OK)
        status = uim_view_follow(&from->own, domain);
    uim_dma_joined(into, status == UIOMMU_OK);
    if (status == UIOMMU_OK) {
        uim_regions_keep(into->u, mapped);
    } else {
        uim_regions_undo(domain, mapped);
        withdraw_pasids(from);
    }
    return status;
}

static void take_over(struct uiommu_group *into, struct uiommu_group *from)
{
    const struct uiommu_host *h = &into->u->host;

    h->spin_lock(h->ctx, into->u->device_lock);
    while (!uim_list_empty(&from->own.endpoints)) {
        struct uiommu_endpoint *ep = uim_container(
            from->own.endpoints.next, struct uiommu_endpoint, member);

        uim_list_del(&ep->member);
        uim_list_add_tail(&into->own.endpoints, &ep->member);
        ep->view = &into->own;
    }
    h->spin_unlock(h->ctx, into->u->device_lock);
    while (!uim_list_empty(&from->devices)) {
        struct uiommu_device *device = device_of(from->devices.next);

        uim_list_del(&device->member);
        uim_list_add_tail(&into->devices, &device->member);
        device->group = into;
        atomic_fetch_add(&into->refs, 1);
        atomic_fetch_sub(&from->refs, 1); /* the caller has one */
    }
    uim_pasids_merge(into, from);
}

static enum uiommu_status merge_locked(struct uiommu_group *into,
                                       struct uiommu_group *from)
{
    struct uim_region_run *mapped = NULL;
    enum uiommu_status status = uim_firmware_merge(into, from, &mapped);

    if (status != UIOMMU_OK)
        return status;
    status = follow(into, from);
    if (status != UIOMMU_OK) {
        uim_firmware_unmerge(into, from, mapped);
        return status;
    }
    uim_firmware_merged(into, from, mapped);
    take_over(into, from);
    return UIOMMU_OK;
}

/* u->lock is held: nobody else holds two groups. */
static enum uiommu_status merge(struct uiommu_group *a, struct uiommu_group *b)
{
    struct uiommu_group *into, *from;
    enum uiommu_status status = UIOMMU_BUSY;

    uim_group_lock(a);
    uim_group_lock(b);
    into = rank(a) >= rank(b) ? a : b;
    from = into == a ? b : a;
    atomic_fetch_add(&from->refs, 1);
    if (!uim_group_in_use(from))
        status = merge_locked(into, from);
    uim_group_unlock(b);
    uim_group_unlock(a);
    uim_group_put(from);
    return status;
}

/* ---- who belongs to a device ---------------------------------------------------- */

/* What both may send under, or NULL. */
static const struct uiommu_endpoint *shared(const struct uiommu_device *a,
                                            const struct uiommu_device *b)
{
    for (unsigned i = 0; i < a->n_aliases; i++)
        if (uim_device_has(b, a->alias[i]))
            return a->alias[i];
    return uim_device_has(b, a->endpoint) ? a->endpoint : NULL;
}

static bool joined(const struct uiommu_device *a, const struct uiommu_device *b,
                   struct uim_pci_reason *why)
{
    const struct uiommu_endpoint *ep = shared(a, b);

    if (ep) {
        *why = (struct uim_pci_reason){ .why = UIM_PCI_SAME_ID,
                                        .id = (uint16_t)ep->id };
        return true;
    }
    return a->judged && b->judged && uim_pci_joined(&a->facts, &b->facts, why);
}

static enum uiommu_status refuse(const struct uiommu_device *device,
                                 const struct uiommu_device *other,
                                 const struct uim_pci_reason *why,
                                 const char *what)
{
    char text[UIM_PCI_REASON_TEXT];

    (void)uim_pci_reason_text(why, text, sizeof(text));
    uim_log(device->u, UIOMMU_LOG_ERROR, "%s stays blocked: %s %s: %s",
            uim_device_name(device).text, what, uim_device_name(other).text,
            text);
    return UIOMMU_BUSY;
}

static bool is_in_use(struct uiommu_group *group)
{
    bool yes;

    uim_group_lock(group);
    yes = uim_group_in_use(group);
    uim_group_unlock(group);
    return yes;
}

/* At most one group in use is touched. */
static enum uiommu_status may_gather(struct uiommu_device *device)
{
    struct uiommu_group *used = NULL;

    uim_list_for_each(n, &device->u->devices) {
        struct uiommu_device *other =
            uim_container(n, struct uiommu_device, node);
        struct uim_pci_reason why;

        if (other->group == used || !joined(device, other, &why) ||
            !is_in_use(other->group))
            continue;
        if (used)
            return refuse(device, other, &why,
                          "it would join groups that are in use, one of them "
                          "that of");
        used = other->group;
    }
    return UIOMMU_OK;
}

/* Not for want of something, and no hardware failed. */
static bool is_refused(enum uiommu_status status)
{
    return status == UIOMMU_BUSY || status == UIOMMU_INVAL ||
           status == UIOMMU_EXIST || status == UIOMMU_OPNOTSUPP;
}

enum uiommu_status uim_group_gather(struct uiommu_device *device)
{
    enum uiommu_status status = may_gather(device);

    if (status != UIOMMU_OK)
        return status;
    uim_list_for_each(n, &device->u->devices) {
        struct uiommu_device *other =
            uim_container(n, struct uiommu_device, node);
        struct uim_pci_reason why;

        if (other->group == device->group || !joined(device, other, &why))
            continue;
        status = merge(other->group, device->group);
        if (is_refused(status))
            return refuse(device, other, &why,
                          "it cannot share domain and owner with");
        if (status != UIOMMU_OK)
            return status;
    }
    return UIOMMU_OK;
}

/* ---- questions ------------------------------------------------------------------- */

void uiommu_group_devices(struct uiommu_group *group, uiommu_group_device_fn fn,
                          void *ctx)
{
    struct uiommu *u = group->u;

    u->host.mutex_lock(u->host.ctx, u->lock);
    uim_list_for_each(n, &group->devices)
        if (atomic_load(&device_of(n)->added))
            fn(ctx, device_of(n));
    u->host.mutex_unlock(u->host.ctx, u->lock);
}

static void explain_pair(struct uiommu_device *a, struct uiommu_device *b,
                         uiommu_group_why_fn fn, void *ctx)
{
    struct uim_pci_reason why;
    char text[UIM_PCI_REASON_TEXT];

    if (!joined(a, b, &why))
        return;
    (void)uim_pci_reason_text(&why, text, sizeof(text));
    fn(ctx, a, b, text);
}

void uiommu_group_explain(struct uiommu_group *group, uiommu_group_why_fn fn,
                          void *ctx)
{
    struct uiommu *u = group->u;

    u->host.mutex_lock(u->host.ctx, u->lock);
    uim_list_for_each(n, &group->devices)
        for (struct uim_node *m = n->next; m != &group->devices; m = m->next)
            explain_pair(device_of(n), device_of(m), fn, ctx);
    u->host.mutex_unlock(u->host.ctx, u->lock);
}

struct uiommu_group *uiommu_endpoint_group(struct uiommu_endpoint *endpoint)
{
    return group_of(endpoint);
}
