/* SPDX-License-Identifier: MIT */
/*
 * endpoint.c - the ids that units know, each one endpoint however many devices have it
 * (semantics B.9.1, D-46).
 */
#include "core/core.h"

static struct uiommu_endpoint *endpoint_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, node);
}

struct uiommu_endpoint *uim_endpoint_find(const struct uim_unit *unit,
                                          uint32_t id)
{
    if (!unit)
        return NULL;
    uim_list_for_each(n, &unit->u->endpoints) {
        struct uiommu_endpoint *ep = endpoint_of(n);

        if (ep->unit == unit && ep->id == id)
            return ep;
    }
    return NULL;
}

struct uiommu_endpoint *uim_endpoint_find_pasid(const struct uim_unit *unit,
                                                uint32_t id, uint32_t pasid)
{
    struct uiommu_endpoint *own = uim_endpoint_find(unit, id);

    if (!own || pasid == UIOMMU_NO_PASID)
        return own;
    uim_list_for_each(n, &own->pasids)
        if (endpoint_of(n)->pasid == pasid)
            return endpoint_of(n);
    return own;
}

/* ---- come and go ----------------------------------------------------------------- */

static bool is_inherited(struct uim_unit *unit, uint32_t id)
{
    uint32_t found = id;

    return unit->found && unit->ops->inherited(unit, &found) && found == id;
}

/* A group at rest goes on too, with those of its endpoints that were found so. */
static void go_on(struct uim_view *view)
{
    struct uiommu_domain *old = view->domain;

    if (uim_group_in_use(view->group))
        return;
    view->domain = &view->group->u->inherited;
    uiommu_domain_put(old);
}

static void list(struct uiommu_endpoint *ep, struct uim_view *view)
{
    struct uiommu *u = ep->unit->u;

    if (ep->domain->kind == UIOMMU_DOMAIN_INHERITED)
        go_on(view);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    ep->view = view;
    uim_list_add_tail(&view->endpoints, &ep->member);
    uim_list_add_tail(&u->endpoints, &ep->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

static void wait_for(const struct uiommu *u, const _Atomic uint32_t *readers)
{
    while (atomic_load(readers) > 0)
        if (u->host.relax)
            u->host.relax(u->host.ctx);
}

/* Afterwards no fault delivery and no invalidation holds a pointer to it. */
static void unlist(struct uiommu_endpoint *ep)
{
    struct uiommu *u = ep->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_del(&ep->member);
    uim_list_del(&ep->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    wait_for(u, &ep->readers);
}

static struct uiommu_endpoint *create(struct uiommu_device *device,
                                      struct uiommu_device *of, uint32_t id)
{
    struct uiommu *u = device->u;
    struct uiommu_endpoint *ep = uim_alloc(u, sizeof(*ep));

    if (!ep)
        return NULL;
    ep->unit = device->unit;
    ep->id = id;
    ep->pasid = UIOMMU_NO_PASID;
    ep->device = of;
    ep->domain =
        is_inherited(device->unit, id) ? &u->inherited : uim_rest(ep->unit);
    uim_list_init(&ep->pasids);
    return ep;
}

/* It sees what its group does; where that goes on as it was found, it does too. */
static enum uiommu_status enter(struct uiommu_endpoint *ep,
                                struct uiommu_group *group)
{
    enum uiommu_status status = UIOMMU_OK;

    uim_group_lock(group);
    list(ep, &group->own);
    if (group->own.domain->kind != UIOMMU_DOMAIN_INHERITED)
        status = uim_endpoint_set(ep, group->own.domain);
    if (status != UIOMMU_OK)
        unlist(ep);
    uim_group_unlock(group);
    return status;
}

enum uiommu_status uim_endpoint_get(struct uiommu_device *device,
                                    struct uiommu_device *of, uint32_t id,
                                    struct uiommu_endpoint **out)
{
    struct uiommu_endpoint *ep = uim_endpoint_find(device->unit, id);
    enum uiommu_status status = UIOMMU_OK;

    if (!ep) {
        ep = create(device, of, id);
        if (!ep)
            return UIOMMU_NOMEM;
        status = uim_storm_prepare(ep);
        if (status == UIOMMU_OK)
            status = enter(ep, device->group);
    }
    if (status == UIOMMU_OK) {
        ep->users++;
        *out = ep;
    } else {
        uim_free(device->u, ep, sizeof(*ep));
    }
    return status;
}

static enum uiommu_status block(struct uiommu_endpoint *ep)
{
    enum uiommu_status status = uim_endpoint_set(ep, uim_rest(ep->unit));

    if (status == UIOMMU_OK && atomic_load(&ep->quarantined))
        status = uim_quarantine(ep); /* is it confirmed now? */
    return status;
}

/* Its device goes, and others have the id. */
static void find_device(struct uiommu_endpoint *ep,
                        const struct uiommu_device *gone)
{
    struct uiommu *u = ep->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_for_each(n, &u->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);

        if (d != gone && uim_device_has(d, ep))
            ep->device = d;
    }
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

/* What the device that goes has cached goes too: nobody will empty its TLB. */
static enum uiommu_status hand_on(struct uiommu_endpoint *ep,
                                  const struct uiommu_device *gone,
                                  bool do_block)
{
    enum uiommu_status status = UIOMMU_OK;

    if (do_block && ep->cached)
        status = uim_has_tables(ep->domain)
                     ? uim_endpoint_uncache(ep)
                     : uim_endpoint_set(ep, uim_rest(ep->unit));
    find_device(ep, gone);
    wait_for(gone->u, &ep->readers); /* of the device that goes */
    return status;
}

/* The last that had it goes. Who hears of a fault, and who counts it, has the device that
 * is said to have the id: that may be a bridge, which stays. */
static enum uiommu_status end(struct uiommu_endpoint *ep, bool do_block)
{
    enum uiommu_status status = UIOMMU_OK;

    uim_dma_let_go(ep);
    if (do_block) {
        status = block(ep);
    } else {
        uim_detach(ep, ep->domain);
        uim_link_put(ep->domain, ep->unit, UIOMMU_NO_PASID);
    }
    unlist(ep);
    wait_for(ep->unit->u, &ep->device->readers);
    if (do_block && status == UIOMMU_OK)
        status = uim_storm_forget(ep);
    return status;
}

enum uiommu_status uim_endpoint_put(struct uiommu_device *device,
                                    struct uiommu_endpoint *endpoint,
                                    bool do_block)
{
    struct uiommu_group *group = endpoint->view->group;
    bool last = --endpoint->users == 0;
    enum uiommu_status status = UIOMMU_OK;

    uim_group_lock(group);
    if (last)
        status = end(endpoint, do_block);
    else if (endpoint->device == device)
        status = hand_on(endpoint, device, do_block);
    if (!last && uim_device_is_reset(device)) /* the others go on */
        (void)uim_id_let_go(endpoint, true);
    uim_group_unlock(group);
    if (last) {
        uim_requests_free(endpoint);
        uim_free(device->u, endpoint, sizeof(*endpoint));
    }
    return status;
}
