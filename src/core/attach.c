/* SPDX-License-Identifier: MIT */
/*
 * attach.c - who may see a domain, and the invalidation of all of them.
 *
 * The tracking is exact (semantics B.8): an endpoint is listed before its entry
 * is programmed and until no cache holds the old translation any more. Whoever
 * changes tables stores first, then reads who is listed; whoever is being attached
 * is listed first, then lets hardware walk. Each has a full fence in between: the
 * one at the end of every call of pt.h, the one in program() of view.c. So either
 * the walk sees the change, or the change sees who is listed.
 */
#include "core/core.h"

/* ---- links: a domain on a unit ---------------------------------------------- */

static struct uim_link *find_link(struct uiommu_domain *domain,
                                  const struct uim_unit *unit, uint32_t pasid)
{
    struct uim_link *link = atomic_load(&domain->links);

    if (!uim_link_by_pasid(domain, unit))
        pasid = UIOMMU_NO_PASID;
    while (link && (link->unit != unit || atomic_load(&link->pasid) != pasid))
        link = atomic_load(&link->next);
    return link;
}

struct uim_link *uim_link_of(struct uiommu_domain *domain,
                             const struct uiommu_endpoint *endpoint)
{
    return find_link(domain, endpoint->unit, endpoint->pasid);
}

static struct uim_link *link_create(struct uiommu_domain *domain,
                                    struct uim_unit *unit)
{
    struct uim_link *link = &domain->first_link;

    if (link->unit)
        link = uim_alloc(domain->u, sizeof(*link));
    if (!link)
        return NULL;
    link->unit = unit;
    link->domain = domain;
    atomic_store(&link->next, atomic_load(&domain->links));
    atomic_store(&domain->links, link);
    return link;
}

/* One that is not in use; but not what a broken unit may still have cached. */
static struct uim_link *link_for_other(struct uiommu_domain *domain,
                                       const struct uim_unit *unit)
{
    struct uim_link *link = atomic_load(&domain->links);

    if (atomic_load(&domain->tainted))
        return NULL;
    while (link && (link->unit != unit || atomic_load(&link->users) > 0))
        link = atomic_load(&link->next);
    return link;
}

static enum uiommu_status link_get_locked(struct uiommu_domain *domain,
                                          struct uim_unit *unit, uint32_t pasid)
{
    struct uim_link *link = find_link(domain, unit, pasid);
    enum uiommu_status status;

    if (!link)
        link = link_for_other(domain, unit);
    if (!link)
        link = link_create(domain, unit);
    if (!link)
        return UIOMMU_NOMEM;
    if (atomic_load(&link->users) == 0) {
        atomic_store(&link->pasid,
                     uim_link_by_pasid(domain, unit) ? pasid : UIOMMU_NO_PASID);
        status = unit->ops->link(link);
        if (status != UIOMMU_OK)
            return status;
    }
    atomic_fetch_add(&link->users, 1);
    if (unit->map_sync)
        atomic_fetch_add(&domain->map_sync, 1);
    return UIOMMU_OK;
}

enum uiommu_status uim_link_get(struct uiommu_domain *domain,
                                struct uim_unit *unit, uint32_t pasid)
{
    const struct uiommu_host *h = &domain->u->host;
    enum uiommu_status status;

    if (!uim_has_tables(domain))
        return UIOMMU_OK;
    h->mutex_lock(h->ctx, domain->u->link_lock);
    status = link_get_locked(domain, unit, pasid);
    h->mutex_unlock(h->ctx, domain->u->link_lock);
    return status;
}

void uim_link_put(struct uiommu_domain *domain, struct uim_unit *unit,
                  uint32_t pasid)
{
    const struct uiommu_host *h = &domain->u->host;
    struct uim_link *link;

    if (!uim_has_tables(domain))
        return;
    h->mutex_lock(h->ctx, domain->u->link_lock);
    link = find_link(domain, unit, pasid);
    if (unit->map_sync)
        atomic_fetch_sub(&domain->map_sync, 1);
    if (atomic_fetch_sub(&link->users, 1) == 1)
        unit->ops->unlink(link);
    h->mutex_unlock(h->ctx, domain->u->link_lock);
}

/* ---- attachments: an endpoint in a domain ------------------------------------ */

static struct uim_attachment *slot_of(struct uiommu_endpoint *endpoint,
                                      const struct uiommu_domain *domain)
{
    for (int i = 0; i < 2; i++)
        if (endpoint->at[i].domain == domain)
            return &endpoint->at[i];
    return NULL;
}

void uim_attach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &domain->u->host;
    struct uim_attachment *slot = slot_of(endpoint, NULL);

    if (!uim_has_tables(domain))
        return;
    h->spin_lock(h->ctx, domain->lock);
    slot->domain = domain;
    slot->endpoint = endpoint;
    slot->sequence = ++domain->sequence;
    uim_list_add_tail(&domain->attachments, &slot->node);
    h->spin_unlock(h->ctx, domain->lock);
}

void uim_detach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &domain->u->host;
    struct uim_attachment *slot = slot_of(endpoint, domain);

    if (!uim_has_tables(domain))
        return;
    h->spin_lock(h->ctx, domain->lock);
    uim_list_del(&slot->node);
    slot->domain = NULL;
    h->spin_unlock(h->ctx, domain->lock);
}

/* ---- invalidation --------------------------------------------------------------- */

static enum uiommu_status cut(struct uiommu_endpoint *endpoint)
{
    enum uiommu_status status;

    /* program() looks at the mark after it has programmed an entry. */
    uim_fence_full();
    status = endpoint->unit->ops->cut(endpoint);
    if (status != UIOMMU_OK)
        atomic_store(&endpoint->unit->broken, true);
    return status;
}

enum mark { QUARANTINED, MUTED };

static _Atomic uint32_t *mark_of(struct uiommu_endpoint *ep, enum mark mark)
{
    return mark == MUTED ? &ep->muted : &ep->quarantined;
}

/* One that is not cut yet, marked and pinned. */
static struct uiommu_endpoint *next_pasid(struct uiommu_endpoint *own,
                                          enum mark mark)
{
    struct uiommu *u = own->unit->u;
    struct uiommu_endpoint *found = NULL;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_for_each(n, &own->pasids) {
        struct uiommu_endpoint *ep =
            uim_container(n, struct uiommu_endpoint, node);

        if (atomic_exchange(mark_of(ep, mark), true))
            continue;
        atomic_fetch_add(&ep->readers, 1);
        found = ep;
        break;
    }
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return found;
}

static enum uiommu_status cut_pasids(struct uiommu_endpoint *own,
                                     enum mark mark)
{
    enum uiommu_status worst = UIOMMU_OK;
    struct uiommu_endpoint *ep;

    while ((ep = next_pasid(own, mark)) != NULL) {
        enum uiommu_status status = cut(ep);

        if (status != UIOMMU_OK)
            worst = status;
        atomic_fetch_sub(&ep->readers, 1);
    }
    return worst;
}

static enum uiommu_status quarantine_id(struct uiommu_endpoint *own)
{
    bool first = !atomic_exchange(&own->quarantined, true);
    enum uiommu_status status = cut(own);
    enum uiommu_status pasids = cut_pasids(own, QUARANTINED);

    if (first)
        uim_log(own->unit->u, UIOMMU_LOG_ERROR,
                "%s is blocked until it is removed: an invalidation for it was "
                "not confirmed",
                uim_device_name(own->device).text);
    return status != UIOMMU_OK ? status : pasids;
}

/* A device that may hold translations cannot be made to forget those of one PASID: all
 * it asks with is cut then. */
enum uiommu_status uim_quarantine(struct uiommu_endpoint *endpoint)
{
    struct uiommu_endpoint *own = uim_own(endpoint);
    enum uiommu_status status = UIOMMU_OK, whole = UIOMMU_OK;

    if (endpoint != own) {
        atomic_store(&endpoint->quarantined, true);
        status = cut(endpoint); /* whoever marked it may not be there yet */
    }
    if (endpoint == own || atomic_load(&own->ats_on))
        whole = quarantine_id(own);
    return whole != UIOMMU_OK ? whole : status;
}

/* A unit that does not confirm may go on with what it has cached. */
void uim_mute(struct uiommu_endpoint *own)
{
    enum uiommu_status status = cut(own);
    enum uiommu_status pasids = cut_pasids(own, MUTED);

    if (status != UIOMMU_OK || pasids != UIOMMU_OK)
        (void)uim_quarantine(own);
}

void uim_taint(struct uiommu_domain *domain, const struct uim_unit *unit)
{
    if (uim_has_tables(domain) && atomic_load(&unit->broken))
        atomic_store(&domain->tainted, true);
}

/*
 * The next endpoints of `domain` after *sequence, in the order of listing: so
 * that the list can be left while hardware is waited for. An endpoint is pinned
 * by its readers while it is in the batch.
 */
enum { BATCH = 8 };

static unsigned next_batch(struct uiommu_domain *domain, uint64_t *sequence,
                           struct uiommu_endpoint *out[BATCH])
{
    const struct uiommu_host *h = &domain->u->host;
    unsigned n = 0;

    h->spin_lock(h->ctx, domain->lock);
    uim_list_for_each(node, &domain->attachments) {
        struct uim_attachment *at =
            uim_container(node, struct uim_attachment, node);

        if (at->sequence <= *sequence)
            continue;
        if (n == BATCH)
            break;
        *sequence = at->sequence;
        atomic_fetch_add(&at->endpoint->readers, 1);
        out[n++] = at->endpoint;
    }
    h->spin_unlock(h->ctx, domain->lock);
    return n;
}

static void unpin(struct uiommu_endpoint *endpoint)
{
    atomic_fetch_sub(&endpoint->readers, 1);
}

/* The unit did not confirm: what it still has cached is not known. */
static void quarantine_unit(struct uiommu_domain *domain,
                            const struct uim_unit *unit)
{
    struct uiommu_endpoint *batch[BATCH];
    uint64_t sequence = 0;
    unsigned n;

    while ((n = next_batch(domain, &sequence, batch)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            if (batch[i]->unit == unit)
                (void)uim_quarantine(batch[i]);
            unpin(batch[i]);
        }
    }
    uim_taint(domain, unit);
}

/* Nobody on the unit sees the domain, and it has confirmed that. */
static bool not_cached(struct uiommu_domain *domain,
                       const struct uim_link *link)
{
    return atomic_load(&link->users) == 0 &&
           !(atomic_load(&domain->tainted) && atomic_load(&link->unit->broken));
}

static enum uiommu_status invalidate_units(struct uiommu_domain *domain,
                                           const struct uim_inval *inval)
{
    struct uim_link *link = atomic_load(&domain->links);
    enum uiommu_status worst = UIOMMU_OK;

    for (; link; link = atomic_load(&link->next)) {
        enum uiommu_status status;

        if (not_cached(domain, link))
            continue;
        status = link->unit->ops->invalidate(link, inval);
        if (status == UIOMMU_OK)
            continue;
        worst = status;
        quarantine_unit(domain, link->unit);
    }
    return worst;
}

/* Where the unit lets nothing of the endpoint pass, what its device has cached is
 * of no use. Somebody may have marked it and not got as far as cutting it. */
static enum uiommu_status invalidate_device(struct uiommu_endpoint *ep,
                                            const struct uim_inval *inval)
{
    enum uiommu_status status;

    if (!atomic_load(&uim_own(ep)->ats_on))
        return UIOMMU_OK;
    if (atomic_load(&ep->quarantined))
        return uim_quarantine(ep);
    status = ep->unit->ops->devtlb(ep, inval);
    if (status != UIOMMU_OK)
        (void)uim_quarantine(ep);
    return status;
}

static enum uiommu_status invalidate_devices(struct uiommu_domain *domain,
                                             const struct uim_inval *inval)
{
    struct uiommu_endpoint *batch[BATCH];
    enum uiommu_status worst = UIOMMU_OK;
    uint64_t sequence = 0;
    unsigned n;

    while ((n = next_batch(domain, &sequence, batch)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            enum uiommu_status status = invalidate_device(batch[i], inval);

            if (status != UIOMMU_OK) {
                worst = status;
                uim_taint(domain, batch[i]->unit);
            }
            unpin(batch[i]);
        }
    }
    return worst;
}

static enum uiommu_status shut_one(struct uiommu_endpoint *ep)
{
    enum uiommu_status status;

    atomic_store(&ep->over, true);
    status = cut(ep);
    if (status != UIOMMU_OK)
        (void)uim_quarantine(ep);
    uim_requests_refuse(ep);
    return status;
}

enum uiommu_status uim_shut(struct uiommu_domain *domain)
{
    static const struct uim_inval everything = { .all = true };
    struct uiommu_endpoint *batch[BATCH];
    enum uiommu_status worst = UIOMMU_OK, status;
    uint64_t sequence = 0;
    unsigned n;

    while ((n = next_batch(domain, &sequence, batch)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            status = shut_one(batch[i]);
            if (status != UIOMMU_OK) {
                worst = status;
                uim_taint(domain, batch[i]->unit);
            }
            unpin(batch[i]);
        }
    }
    status = uim_invalidate(domain, &everything);
    return status != UIOMMU_OK ? status : worst;
}

static bool nobody_sees(struct uiommu_domain *domain)
{
    struct uim_link *link = atomic_load(&domain->links);

    while (link && not_cached(domain, link))
        link = atomic_load(&link->next);
    return !link;
}

enum uiommu_status uim_invalidate(struct uiommu_domain *domain,
                                  const struct uim_inval *inval)
{
    enum uiommu_status units, devices = UIOMMU_OK;

    if (!domain->u->unit) /* stopped, and that was confirmed or was not */
        return atomic_load(&domain->tainted) && domain->u->stuck
                   ? UIOMMU_TIMEDOUT
                   : UIOMMU_OK;
    if (nobody_sees(domain))
        return UIOMMU_OK;
    /* What was stored in the tables, before commands that rely on it. */
    uim_fence(&domain->u->host);
    units = invalidate_units(domain, inval);
    /* Device TLBs last: until the IOTLB is clean they could be refilled from
     * it (semantics B.15.4). */
    if (atomic_load(&domain->n_ats) > 0)
        devices = invalidate_devices(domain, inval);
    return units != UIOMMU_OK ? units : devices;
}
