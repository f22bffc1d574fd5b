/* SPDX-License-Identifier: MIT */
/*
 * pasid.c - endpoints with a PASID: who may have them, and under which number (semantics
 * B.6, S0.5 to S0.8).
 *
 * Numbers belong to groups. One that must not be used again yet stays as a view without
 * endpoints, until every device of the group that has PASIDs was reset or has gone.
 */
#include "core/core.h"

#include "base/bits.h"

static struct uim_view *view_of(struct uim_node *n)
{
    return uim_container(n, struct uim_view, node);
}

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, member);
}

bool uim_group_has_pasids(const struct uiommu_group *group)
{
    for (struct uim_node *n = group->pasids.next; n != &group->pasids;
         n = n->next)
        if (!uim_list_empty(&view_of(n)->endpoints))
            return true;
    return false;
}

bool uim_pasids_below(const struct uiommu_group *group)
{
    for (struct uim_node *n = group->pasids.next; n != &group->pasids;
         n = n->next)
        if (view_of(n)->limits.iova_bits > 0 &&
            !uim_list_empty(&view_of(n)->endpoints))
            return true;
    return false;
}

/* ---- who may have them ----------------------------------------------------------- */

static enum uiommu_status refuse(const struct uiommu_device *device,
                                 const struct uim_pci_reason *why,
                                 const char *sentence)
{
    char text[UIM_PCI_REASON_TEXT] = "";

    if (why)
        (void)uim_pci_reason_text(why, text, sizeof(text));
    uim_log(device->u, UIOMMU_LOG_WARN, "%s has no PASIDs: %s%s%s",
            uim_device_name(device).text, sentence, why ? ": " : "", text);
    return UIOMMU_OPNOTSUPP;
}

static bool is_alone(const struct uiommu_group *group)
{
    return group->devices.next->next == &group->devices &&
           group->own.endpoints.next->next == &group->own.endpoints;
}

enum uiommu_status uim_pasid_may_have(const struct uiommu_device *device)
{
    struct uim_pci_reason why;

    if (device->pasid_bits == 0)
        return UIOMMU_OPNOTSUPP;
    if (device->u->config.flags & UIOMMU_CONFIG_WIDE_PASIDS)
        return UIOMMU_OK;
    if (!is_alone(device->group))
        return refuse(device, NULL, "others are in its group");
    if (!device->unit->own_tags &&
        !uim_pci_immutable_singleton(&device->facts, &why))
        return refuse(device, &why, "others could come to be in its group");
    return UIOMMU_OK;
}

/* Members without PASIDs do not count (B.6). */
static uint32_t last_of(const struct uiommu_group *group)
{
    unsigned bits = 32;

    for (struct uim_node *n = group->devices.next; n != &group->devices;
         n = n->next)
        if (device_of(n)->pasid_bits > 0 && device_of(n)->pasid_bits < bits)
            bits = device_of(n)->pasid_bits;
    return (uint32_t)UIM_MASK(bits - 1, 0);
}

/* ---- numbers ---------------------------------------------------------------------- */

/* The lowest number from `pasid` on that the group has not given out. */
static uint32_t free_in(const struct uiommu_group *group, uint32_t pasid)
{
    for (struct uim_node *n = group->pasids.next; n != &group->pasids;
         n = n->next) {
        if (view_of(n)->pasid > pasid)
            break;
        if (view_of(n)->pasid == pasid)
            pasid++;
    }
    return pasid;
}

/* Nor any other. Some have no devices any more, but who has their numbers has them
 * still. device_lock is held. */
static uint32_t free_in_others(struct uiommu *u, uint32_t pasid)
{
    uim_list_for_each(n, &u->devices)
        pasid =
            free_in(uim_container(n, struct uiommu_device, node)->group, pasid);
    uim_list_for_each(n, &u->orphans)
        pasid = free_in(
            uim_container(n, struct uiommu_endpoint, node)->view->group, pasid);
    return pasid;
}

static uint32_t free_everywhere(struct uiommu *u, uint32_t pasid)
{
    uint32_t from;

    do {
        from = pasid;
        pasid = uim_sva_free_pasid(u, free_in_others(u, pasid));
    } while (pasid != from);
    return pasid;
}

/* Nor is any provider's. */
static uint32_t free_in_group(const struct uiommu_group *group, uint32_t pasid)
{
    uint32_t from;

    do {
        from = pasid;
        pasid = uim_sva_free_pasid(group->u, free_in(group, pasid));
    } while (pasid != from);
    return pasid;
}

/* Does the group have some of them? */
static bool is_range(const struct uiommu_group *group, uint32_t first,
                     uint32_t last)
{
    uint32_t most = last_of(group);

    if (first == 0)
        first = 1;
    if (last == 0)
        last = most;
    return first <= last && first <= most && !(first == last && last > most);
}

static enum uiommu_status choose(const struct uiommu_group *group,
                                 const struct uiommu_pasid_config *config,
                                 uint32_t *pasid)
{
    uint32_t first = config->first > 0 ? config->first : 1;
    uint32_t most = last_of(group);
    uint32_t last = config->last > 0 ? config->last : most;
    bool global = config->flags & UIOMMU_PASID_GLOBAL;

    if (!is_range(group, config->first, config->last))
        return UIOMMU_INVAL;
    if (last > most)
        last = most;
    if (config->flags & UIM_PASID_HELD)
        *pasid = free_in(group, first);
    else
        *pasid = global ? free_everywhere(group->u, first)
                        : free_in_group(group, first);
    if (*pasid <= last)
        return UIOMMU_OK;
    return config->first > 0 && config->first == config->last ? UIOMMU_BUSY
                                                              : UIOMMU_NOSPC;
}

/* device_lock is held. */
static void insert(struct uiommu_group *group, struct uim_view *view)
{
    struct uim_node *n = group->pasids.next;

    while (n != &group->pasids && view_of(n)->pasid < view->pasid)
        n = n->next;
    uim_list_add_tail(n, &view->node); /* before n */
}

static void take_out(struct uiommu *u, struct uim_node *n)
{
    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_del(n);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

void uim_pasids_merge(struct uiommu_group *into, struct uiommu_group *from)
{
    const struct uiommu_host *h = &into->u->host;

    while (!uim_list_empty(&from->pasids)) {
        struct uim_view *view = view_of(from->pasids.next);

        h->spin_lock(h->ctx, into->u->device_lock);
        uim_list_del(&view->node);
        view->group = into;
        insert(into, view); /* one that is there already is there twice */
        h->spin_unlock(h->ctx, into->u->device_lock);
        uim_list_for_each(n, &view->gone) {
            atomic_fetch_add(&into->refs, 1);
            atomic_fetch_sub(&from->refs, 1); /* the caller has one */
        }
    }
}

/* ---- endpoints ---------------------------------------------------------------------- */

static enum uiommu_status add_endpoint(struct uim_view *view,
                                       struct uiommu_device *device)
{
    struct uiommu *u = device->u;
    struct uiommu_endpoint *own = device->endpoint;
    struct uiommu_endpoint *ep = uim_alloc(u, sizeof(*ep));
    enum uiommu_status status;

    if (!ep)
        return UIOMMU_NOMEM;
    ep->unit = own->unit;
    ep->id = own->id;
    ep->pasid = view->pasid;
    ep->device = device;
    ep->view = view;
    ep->domain = &u->blocked;
    uim_list_init(&ep->pasids);
    status = uim_rest_link(ep->unit, ep->pasid);
    if (status != UIOMMU_OK) {
        uim_free(u, ep, sizeof(*ep));
        return status;
    }
    uim_list_add_tail(&view->endpoints, &ep->member);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_add_tail(&own->pasids, &ep->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    /* From here on whoever quarantines or mutes the device marks it too. */
    uim_storm_join(ep);
    if (!atomic_load(&own->quarantined))
        return UIOMMU_OK;
    atomic_store(&ep->quarantined, true);
    return UIOMMU_NODEV;
}

/* Afterwards nobody holds a pointer to it, and it is listed nowhere. */
static void unlist(struct uiommu_endpoint *ep)
{
    struct uiommu *u = ep->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_del(&ep->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    uim_list_del(&ep->member);
    uim_detach(ep,
               ep->domain); /* of a unit that is handed over it still sees it */
    uim_link_put(ep->domain, ep->unit, ep->pasid);
    while (atomic_load(&ep->readers) > 0)
        if (u->host.relax)
            u->host.relax(u->host.ctx);
    (void)!uim_requests_flush(ep, UIOMMU_RESPONSE_INVALID); /* what came late */
}

static void drop_endpoint(struct uiommu_endpoint *ep)
{
    unlist(ep);
    uim_free(ep->unit->u, ep, sizeof(*ep));
}

static struct uiommu_endpoint *member_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, member);
}

/* Whoever calls has a hold on the group. */
static void drop_orphan(struct uiommu_endpoint *ep)
{
    take_out(ep->unit->u, &ep->node);
    uim_list_del(&ep->member);
    atomic_fetch_sub(&ep->view->group->refs, 1);
    uim_free(ep->unit->u, ep, sizeof(*ep));
}

static void drop_endpoints(struct uim_view *view)
{
    while (!uim_list_empty(&view->endpoints))
        drop_endpoint(member_of(view->endpoints.next));
    while (!uim_list_empty(&view->gone))
        drop_orphan(member_of(view->gone.next));
}

void uim_view_free(struct uim_view *view)
{
    struct uiommu *u = view->group->u;

    drop_endpoints(view);
    uim_dma_free(view);
    take_out(u, &view->node);
    uiommu_domain_put(view->domain);
    uim_free(u, view, sizeof(*view));
}

uint64_t uim_tick(struct uiommu *u)
{
    uint64_t now;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    now = ++u->clock;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return now;
}

static bool can_be_sent(const struct uim_view *view)
{
    struct uiommu_group *group = view->group;

    uim_list_for_each(n, &group->devices) {
        const struct uiommu_device *d = device_of(n);

        if (d->pasid_bits > 0 && d->silent_since < view->waits_since)
            return true;
    }
    return false;
}

void uim_pasids_free_waiting(struct uiommu_group *group)
{
    struct uim_node *n = group->pasids.next;

    while (n != &group->pasids) {
        struct uim_view *view = view_of(n);

        n = n->next;
        if (view->waits_since > 0 && !can_be_sent(view))
            uim_view_free(view);
    }
}

uint32_t uim_pasids_waiting(const struct uiommu_group *group)
{
    uint32_t n = 0;

    for (const struct uim_node *i = group->pasids.next; i != &group->pasids;
         i = i->next)
        n += uim_container(i, const struct uim_view, node)->waits_since > 0;
    return n;
}

/* All members that have PASIDs; unless groups are wide there is one. */
static enum uiommu_status add_endpoints(struct uim_view *view)
{
    enum uiommu_status status = UIOMMU_OK;

    uim_list_for_each(n, &view->group->devices) {
        if (device_of(n)->pasid_bits > 0 && !device_of(n)->leaves)
            status = add_endpoint(view, device_of(n));
        if (status != UIOMMU_OK)
            break;
    }
    return status;
}

struct uiommu_endpoint *uim_pasid_of(const struct uim_view *view,
                                     const struct uiommu_device *device)
{
    struct uim_node *n = view->endpoints.next;

    while (uim_container(n, struct uiommu_endpoint, member)->device != device)
        n = n->next;
    return uim_container(n, struct uiommu_endpoint, member);
}

/* ---- of a device that comes later (B.3, B.6) -------------------------------------------- */

static enum uiommu_status extend(struct uim_view *view, struct uiommu_device *d)
{
    enum uiommu_status status;

    if (view->pasid > UIM_MASK(d->pasid_bits - 1u, 0))
        return UIOMMU_BUSY; /* it cannot send the number */
    if (d->untrusted && (uim_dma_is_identity(view) ||
                         (view->users > 0 && view->domain == &d->u->identity)))
        return UIOMMU_INVAL;
    status = add_endpoint(view, d);
    if (status == UIOMMU_OK)
        status = uim_endpoint_set(uim_pasid_of(view, d), view->domain);
    return status;
}

void uim_pasids_withdraw(struct uiommu_device *device)
{
    struct uim_node *list = &device->endpoint->pasids;

    while (!uim_list_empty(list)) {
        struct uiommu_endpoint *ep =
            uim_container(list->next, struct uiommu_endpoint, node);

        if (uim_endpoint_set(ep, uim_rest(ep->unit)) != UIOMMU_OK)
            (void)uim_quarantine(ep);
        drop_endpoint(ep);
    }
}

enum uiommu_status uim_pasids_extend(struct uiommu_group *group,
                                     struct uiommu_device *device)
{
    enum uiommu_status status = UIOMMU_OK;

    if (device->pasid_bits == 0)
        return UIOMMU_OK;
    uim_list_for_each(n, &group->pasids) {
        if (uim_list_empty(&view_of(n)->endpoints))
            continue; /* nobody decides any more what it sees */
        status = extend(view_of(n), device);
        if (status != UIOMMU_OK)
            break;
    }
    if (status != UIOMMU_OK)
        uim_pasids_withdraw(device);
    return status;
}

/* ---- of a device that was pulled out -------------------------------------------------- */

/*
 * Nobody ends a PASID because its device is gone: who has one does not know that yet.
 * So its endpoint outlives the device, blocked, without hardware, and holds its group,
 * until it is destroyed like any other.
 */
static enum uiommu_status orphan(struct uiommu_endpoint *ep)
{
    struct uiommu *u = ep->unit->u;
    struct uim_view *view = ep->view;
    enum uiommu_status status;

    atomic_store(&ep->quarantined, true);
    status = uim_endpoint_set(ep, uim_rest(ep->unit));
    if (status == UIOMMU_OK)
        status = uim_quarantine(ep); /* was it blocked before? */
    unlist(ep);
    atomic_fetch_add(&view->group->refs, 1);
    uim_list_add_tail(&view->gone, &ep->member);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_add_tail(&u->orphans, &ep->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    uim_requests_orphan(ep);
    if (uim_list_empty(&view->endpoints))
        (void)uim_view_force(view, &u->blocked);
    return status;
}

bool uim_pasids_started(const struct uiommu_device *device)
{
    const struct uim_node *list = &device->endpoint->pasids;

    for (const struct uim_node *n = list->next; n != list; n = n->next)
        if (uim_container(n, const struct uiommu_endpoint, node)->view->dma)
            return true;
    return false;
}

enum uiommu_status uim_pasids_orphan(struct uiommu_device *device)
{
    struct uim_node *list = &device->endpoint->pasids;
    enum uiommu_status worst = UIOMMU_OK;

    while (!uim_list_empty(list)) {
        enum uiommu_status status =
            orphan(uim_container(list->next, struct uiommu_endpoint, node));

        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

void uim_orphans_forget(struct uiommu *u)
{
    while (!uim_list_empty(&u->orphans)) {
        struct uim_view *view =
            uim_container(u->orphans.next, struct uiommu_endpoint, node)->view;
        struct uiommu_group *group = view->group;

        atomic_fetch_add(&group->refs, 1);
        uim_view_free(view);
        uim_group_put(group);
    }
}

/* ---- create and destroy ------------------------------------------------------------ */

/* Chosen and taken at once: nobody else has the number then. */
static enum uiommu_status take_number(struct uim_view *view,
                                      const struct uiommu_pasid_config *config)
{
    struct uiommu *u = view->group->u;
    enum uiommu_status status;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    status = choose(view->group, config, &view->pasid);
    if (status == UIOMMU_OK)
        insert(view->group, view);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return status;
}

enum uiommu_status uim_pasid_keep(const struct uiommu_device *device,
                                  uint32_t first, uint32_t last,
                                  uint32_t *pasid)
{
    const struct uiommu_pasid_config config = {
        .flags = UIOMMU_PASID_GLOBAL,
        .first = first,
        .last = last,
    };
    struct uiommu *u = device->u;
    enum uiommu_status status;
    uint32_t chosen = 0;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    status = choose(device->group, &config, &chosen);
    if (status == UIOMMU_OK)
        *pasid = chosen;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return status;
}

void uim_pasid_drop(struct uiommu *u, uint32_t *pasid)
{
    u->host.spin_lock(u->host.ctx, u->device_lock);
    *pasid = UIOMMU_NO_PASID;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

static enum uiommu_status create_view(struct uiommu_device *device,
                                      const struct uiommu_pasid_config *config,
                                      const struct uim_limits *limits,
                                      struct uim_view **out)
{
    struct uiommu *u = device->u;
    struct uim_view *view = uim_alloc(u, sizeof(*view));
    enum uiommu_status status;

    if (!view)
        return UIOMMU_NOMEM;
    uim_view_init(view, device->group, UIOMMU_NO_PASID, &u->blocked);
    if (limits)
        view->limits = *limits;
    status = take_number(view, config);
    if (status == UIOMMU_OK)
        status = add_endpoints(view);
    if (status == UIOMMU_OK)
        *out = view;
    else
        uim_view_free(view);
    return status;
}

enum uiommu_status uim_pasid_open(struct uiommu_device *device,
                                  const struct uiommu_pasid_config *config,
                                  const struct uim_limits *limits,
                                  struct uim_view **out)
{
    enum uiommu_status status;

    if (uim_asleep(device->u))
        return UIOMMU_AGAIN;
    if (device->group->owner != config->owner)
        return UIOMMU_PERM;
    if (uim_group_is_held(device->group))
        return UIOMMU_BUSY;
    status = uim_pasid_may_have(device);
    return status == UIOMMU_OK ? create_view(device, config, limits, out)
                               : status;
}

enum uiommu_status uim_pasid_range(const struct uiommu_device *device,
                                   uint32_t first, uint32_t last)
{
    return is_range(device->group, first, last) ? UIOMMU_OK : UIOMMU_INVAL;
}

/* Parts with numbers of their own have none below them. */
bool uim_is_part(const struct uiommu_endpoint *endpoint)
{
    return endpoint->mediated && endpoint->mediated->group->hardware;
}

const struct uim_limits *
uim_pasid_limits(const struct uiommu_endpoint *endpoint)
{
    return endpoint->mediated ? &endpoint->mediated->limits : NULL;
}

static bool is_plain(const struct uiommu_endpoint *endpoint)
{
    return endpoint && endpoint->pasid == UIOMMU_NO_PASID;
}

enum uiommu_status uiommu_pasid_last(struct uiommu_endpoint *endpoint,
                                     uint32_t *last)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!is_plain(endpoint) || !last)
        return UIOMMU_INVAL;
    if (uim_is_part(endpoint))
        return UIOMMU_OPNOTSUPP;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status =
        endpoint->device ? uim_pasid_may_have(endpoint->device) : UIOMMU_NODEV;
    if (status == UIOMMU_OK)
        *last = last_of(group);
    uim_group_leave(group);
    return status;
}

enum uiommu_status uiommu_pasid_create(struct uiommu_endpoint *endpoint,
                                       const struct uiommu_pasid_config *config,
                                       struct uiommu_endpoint **out)
{
    static const struct uiommu_pasid_config any = { .size = sizeof(any) };
    struct uiommu_group *group;
    struct uim_view *view = NULL;
    enum uiommu_status status;

    if (!is_plain(endpoint) || !out)
        return UIOMMU_INVAL;
    if (!config)
        config = &any;
    if (config->size != sizeof(*config) ||
        (config->flags & ~(uint32_t)UIOMMU_PASID_GLOBAL))
        return UIOMMU_INVAL;
    if (uim_is_part(endpoint))
        return UIOMMU_OPNOTSUPP;
    group = uim_group_call_alone(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = endpoint->device
                 ? uim_pasid_open(endpoint->device, config,
                                  uim_pasid_limits(endpoint), &view)
                 : UIOMMU_NODEV;
    if (status == UIOMMU_OK)
        *out = uim_pasid_of(view, endpoint->device);
    uim_group_leave_alone(group);
    return status;
}

/* What every unit confirmed that it let go of. */
static enum uiommu_status end(struct uim_view *view)
{
    enum uiommu_status worst = uim_view_force(view, &view->group->u->blocked);

    uim_list_for_each(n, &view->endpoints) {
        struct uiommu_endpoint *ep =
            uim_container(n, struct uiommu_endpoint, member);
        enum uiommu_status status = UIOMMU_OK;

        if (atomic_load(&ep->quarantined))
            status = uim_quarantine(ep); /* is it confirmed now? */
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

enum uiommu_status uim_pasid_close(struct uim_view *view, bool stopped)
{
    enum uiommu_status status = end(view);

    if (status == UIOMMU_OK && stopped) {
        uim_view_free(view);
        return UIOMMU_OK;
    }
    drop_endpoints(view);
    view->waits_since = uim_tick(view->group->u);
    return status;
}

static enum uiommu_status destroy_locked(struct uim_view *view, bool stopped)
{
    if (uim_must_wait(view->group->u))
        return UIOMMU_AGAIN;
    return view->dma || view->bond ? UIOMMU_BUSY
                                   : uim_pasid_close(view, stopped);
}

enum uiommu_status uiommu_pasid_destroy(struct uiommu_endpoint *endpoint,
                                        bool stopped)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || endpoint->pasid == UIOMMU_NO_PASID)
        return UIOMMU_INVAL;
    group = uim_group_call_alone(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = destroy_locked(endpoint->view, stopped);
    uim_group_leave_alone(group);
    return status;
}
