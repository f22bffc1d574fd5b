/* SPDX-License-Identifier: MIT */
/*
 * sva_bind.c - devices that are bound to the address space of a process (semantics B.20):
 * counted for each pair, under one PASID on all devices. All of it under u->lock.
 */
#include "core/core.h"

/* A device, by an endpoint without a PASID, or a part of one, and a provider. */
struct uim_bond {
    struct uim_node node;      /* provider->bonds                            */
    struct uiommu_provider *provider; /* counted, as long as it is bound     */
    struct uiommu_endpoint *of;       /* what was bound                      */
    struct uiommu_endpoint *endpoint; /* what its client has                 */
    unsigned count;
};

static struct uim_bond *bond_of(struct uim_node *n)
{
    return uim_container(n, struct uim_bond, node);
}

/* Of a device that was pulled out nothing is found: what was bound is freed, and its address
 * may be that of another. */
static struct uim_bond *find(struct uiommu_provider *p,
                             const struct uiommu_endpoint *of)
{
    uim_list_for_each(n, &p->bonds)
        if (bond_of(n)->of == of && bond_of(n)->endpoint->device)
            return bond_of(n);
    return NULL;
}

/* ---- numbers (C.4, GLOBAL) ------------------------------------------------------------ */

static enum uiommu_status refuse_number(const struct uiommu_endpoint *ep,
                                        uint32_t pasid)
{
    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "%s cannot use the address space of a process: it cannot send "
            "PASID %u, which that has on all devices",
            uim_device_name(ep->device).text, (unsigned)pasid);
    return UIOMMU_OVERFLOW;
}

/* What it has, or the first that nobody has on any device. */
static enum uiommu_status take_number(const struct uiommu_endpoint *ep,
                                      struct uiommu_provider *p)
{
    const uint32_t first = p->pasid > 0 ? p->pasid : p->config.first;
    const uint32_t last = p->pasid > 0 ? p->pasid : p->config.last;
    enum uiommu_status status = uim_pasid_may_have(ep->device);

    if (status != UIOMMU_OK)
        return status;
    if (uim_pasid_range(ep->device, first, last) != UIOMMU_OK)
        return refuse_number(ep, first);
    return p->pasid > 0 ? UIOMMU_OK
                        : uim_pasid_keep(ep->device, first, last, &p->pasid);
}

static enum uiommu_status open_view(struct uiommu_endpoint *ep,
                                    struct uiommu_provider *p,
                                    const void *owner, struct uim_view **view)
{
    enum uiommu_status status = take_number(ep, p);
    const struct uiommu_pasid_config config = {
        .size = sizeof(config),
        .flags = UIM_PASID_HELD,
        .first = p->pasid,
        .last = p->pasid,
        .owner = owner,
    };

    return status == UIOMMU_OK
               ? uim_pasid_open(ep->device, &config, uim_pasid_limits(ep), view)
               : status;
}

/* ---- bind ----------------------------------------------------------------------------------- */

static enum uiommu_status see(struct uim_bond *bond,
                              struct uiommu_domain *domain, const void *owner)
{
    struct uim_view *view = NULL;
    enum uiommu_status status =
                           open_view(bond->of, bond->provider, owner, &view),
                       gone;

    if (status != UIOMMU_OK)
        return status;
    status = uim_view_set(view, domain);
    if (status == UIOMMU_OK) {
        view->bond = bond;
        bond->endpoint = uim_pasid_of(view, bond->of->device);
        return UIOMMU_OK;
    }
    gone = uim_pasid_close(view, true);
    return gone != UIOMMU_OK ? gone : status;
}

/* A part has a number of its own, or gets one. */
static enum uiommu_status
see_part(struct uim_bond *bond, struct uiommu_domain *domain, const void *owner)
{
    struct uiommu_group *group = bond->of->view->group;
    enum uiommu_status status;

    if (group->owner != owner)
        return UIOMMU_PERM;
    if (group->own.dma || group->own.bond ||
        group->own.domain != uim_group_core(group))
        return UIOMMU_BUSY;
    status = uim_group_set(group, domain);
    if (status != UIOMMU_OK)
        return status;
    group->own.bond = bond;
    bond->endpoint = bond->of;
    return UIOMMU_OK;
}

static enum uiommu_status bind(struct uim_bond *bond, const void *owner)
{
    struct uiommu_provider *p = bond->provider;
    const bool had_number = p->pasid > 0;
    struct uiommu_domain *d = NULL;
    enum uiommu_status status = uim_sva_domain(bond->of, p, &d);

    if (status != UIOMMU_OK)
        return status;
    status =
        uim_is_part(bond->of) ? see_part(bond, d, owner) : see(bond, d, owner);
    uiommu_domain_put(d);
    if (status != UIOMMU_OK && !had_number)
        uim_pasid_drop(p->u, &p->pasid);
    return status;
}

static enum uiommu_status bind_first(struct uiommu_endpoint *ep,
                                     struct uiommu_provider *p,
                                     const void *owner,
                                     struct uiommu_endpoint **out)
{
    struct uim_bond *bond = uim_alloc(p->u, sizeof(*bond));
    enum uiommu_status status;

    if (!bond)
        return UIOMMU_NOMEM;
    *bond = (struct uim_bond){ .provider = p, .of = ep, .count = 1 };
    status = bind(bond, owner);
    if (status != UIOMMU_OK) {
        uim_free(p->u, bond, sizeof(*bond));
        return status;
    }
    uiommu_provider_get(p);
    uim_list_add_tail(&p->bonds, &bond->node);
    *out = bond->endpoint;
    return UIOMMU_OK;
}

static enum uiommu_status bind_locked(struct uiommu_endpoint *ep,
                                      struct uiommu_provider *p,
                                      const void *owner,
                                      struct uiommu_endpoint **out)
{
    struct uim_bond *bond = find(p, ep);

    if (uim_asleep(p->u))
        return UIOMMU_AGAIN;
    if (!ep->device)
        return UIOMMU_NODEV;
    if (!bond)
        return bind_first(ep, p, owner, out);
    if (ep->view->group->owner != owner)
        return UIOMMU_PERM;
    if (atomic_load(&p->over))
        return UIOMMU_NOENT;
    bond->count++;
    *out = bond->endpoint;
    return UIOMMU_OK;
}

enum uiommu_status uiommu_sva_bind(struct uiommu_endpoint *endpoint,
                                   struct uiommu_provider *provider,
                                   const void *owner,
                                   struct uiommu_endpoint **out)
{
    struct uiommu_group *group;
    enum uiommu_status status;
    struct uiommu *u;

    if (!endpoint || endpoint->pasid != UIOMMU_NO_PASID || !provider || !out ||
        endpoint->unit->u != provider->u)
        return UIOMMU_INVAL;
    if (uim_is_inside(endpoint))
        return UIOMMU_BUSY;
    u = provider->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    group = uim_group_enter(endpoint);
    status = bind_locked(endpoint, provider, owner, out);
    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- unbind --------------------------------------------------------------------- */

/* Its parent may have been pulled out, and what it saw then is blocked already. */
static enum uiommu_status leave_part(struct uiommu_endpoint *ep)
{
    struct uiommu_group *group = ep->view->group;

    return ep->device ? uim_group_to_core(group) : UIOMMU_OK;
}

/* Whatever hardware says, it is over. */
static enum uiommu_status unbind_last(struct uim_bond *bond, bool stopped)
{
    struct uiommu_endpoint *ep = bond->endpoint;

    ep->view->bond = NULL;
    uim_list_del(&bond->node);
    return uim_is_part(ep) ? leave_part(ep)
                           : uim_pasid_close(ep->view, stopped);
}

/* *last: the bond is nobody's any more. */
static enum uiommu_status unbind_locked(struct uiommu_endpoint *ep,
                                        bool stopped, struct uim_bond **last)
{
    struct uim_bond *bond = ep->view->bond;

    if (!bond)
        return UIOMMU_INVAL;
    if (uim_must_wait(ep->unit->u))
        return UIOMMU_AGAIN;
    if (--bond->count > 0)
        return UIOMMU_OK;
    *last = bond;
    return unbind_last(bond, stopped);
}

enum uiommu_status uiommu_sva_unbind(struct uiommu_endpoint *endpoint,
                                     bool stopped)
{
    struct uim_bond *last = NULL;
    struct uiommu_group *group;
    enum uiommu_status status;
    struct uiommu *u;

    if (!endpoint)
        return UIOMMU_INVAL;
    if (uim_is_inside(endpoint))
        return UIOMMU_BUSY;
    u = endpoint->unit->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    group = uim_group_enter(endpoint);
    status = unbind_locked(endpoint, stopped, &last);
    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    if (!last)
        return status;
    uiommu_provider_put(last->provider);
    uim_free(u, last, sizeof(*last));
    return status;
}
