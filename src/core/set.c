/* SPDX-License-Identifier: MIT */
/*
 * set.c - the one verb, and who may use it (semantics B.4, B.5).
 *
 * The rules are here, drivers only program one endpoint. A group has one member
 * until groups follow the topology; the order of steps is already that of B.5.
 */
#include "core/core.h"

#include "base/bits.h"
#include "pci/pci.h"

static const struct uim_inval EVERYTHING = { .all = true };

/* ---- can this domain serve this endpoint? ------------------------------------- */

static bool paging_fits(const struct uiommu_domain *d,
                        const struct uim_unit *unit)
{
    const struct uim_pt *pt = &d->pt;

    return pt->ops == unit->format &&
           (unit->levels == 0 || pt->top + 1 == unit->levels) &&
           pt->iova_bits <= unit->iova_bits &&
           (pt->page_sizes & ~unit->page_sizes) == 0 &&
           d->last_phys <= UIM_MASK(unit->phys_bits - 1, 0) &&
           (unit->coherent || !pt->coherent) && (unit->snoop || !pt->snoop) &&
           (pt->whole_leaves || !unit->whole_leaves) &&
           d->window_first <= unit->window_first &&
           d->window_last >= unit->window_last;
}

static bool fits(const struct uiommu_domain *d, const struct uim_unit *unit)
{
    switch (d->kind) {
    case UIOMMU_DOMAIN_BLOCKED:
        return true;
    case UIOMMU_DOMAIN_IDENTITY:
        return unit->identity;
    case UIOMMU_DOMAIN_PAGING:
        return paging_fits(d, unit);
    case UIOMMU_DOMAIN_INHERITED:
        break; /* only ever left */
    }
    return false;
}

/* ---- ATS around the change (B.8) ------------------------------------------------ */

/* A device that will not be answered any more must stop asking first. */
static void ats_stop(struct uiommu_endpoint *ep)
{
    struct uiommu_device *dev = ep->device;

    if (atomic_load(&ep->ats_on))
        uim_pci_ats_disable(&dev->u->host, dev->pci, dev->ats_cap);
}

static void ats_count(struct uiommu_domain *d, bool add)
{
    if (add)
        atomic_fetch_add(&d->n_ats, 1);
    else
        atomic_fetch_sub(&d->n_ats, 1);
}

/* The entry is programmed: empty the device TLB, whose contents are unknown if
 * ATS was off and stale if it was on; then let the device ask. */
static enum uiommu_status ats_finish(struct uiommu_endpoint *ep, bool was_on)
{
    struct uiommu_device *dev = ep->device;
    enum uiommu_status status;

    if (!was_on && !ep->ats)
        return UIOMMU_OK;
    status = dev->unit->ops->devtlb(ep, &EVERYTHING);
    if (status != UIOMMU_OK || was_on)
        return status;
    atomic_store(&ep->ats_on, true);
    uim_pci_ats_enable(&dev->u->host, dev->pci, dev->ats_cap, 0);
    return UIOMMU_OK;
}

/* ---- one endpoint ------------------------------------------------------------------ */

/* Faults are delivered to what is published here. */
static void publish(struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    const struct uiommu_host *h = &d->u->host;

    h->spin_lock(h->ctx, d->u->device_lock);
    ep->domain = d;
    h->spin_unlock(h->ctx, d->u->device_lock);
}

/* `d` is no longer seen by the endpoint, nor cached for it. */
static void leave(struct uiommu_endpoint *ep, struct uiommu_domain *d, bool ats)
{
    if (ats)
        ats_count(d, false);
    uim_detach(ep, d);
    uim_link_put(d, ep->device->unit);
}

/* The unit or the device did not confirm: blocked before it is unlisted, and as
 * long as a unit may have them cached, the tables stay. */
static void give_up(struct uiommu_endpoint *ep, struct uiommu_domain *next,
                    struct uiommu_domain *old, bool old_ats)
{
    const struct uim_unit *unit = ep->device->unit;

    (void)uim_quarantine(ep);
    ats_stop(ep);
    atomic_store(&ep->ats_on, false);
    uim_taint(next, unit);
    uim_taint(old, unit);
    leave(ep, next, ep->ats);
    ep->ats = false;
    publish(ep, &ep->device->u->blocked);
    leave(ep, old, old_ats);
}

static bool hardware_failed(enum uiommu_status status)
{
    return status >= UIOMMU_TIMEDOUT;
}

/* Carries out the change. After a soft failure the endpoint is on `old` and
 * listed there; otherwise on `next`, or blocked. */
static enum uiommu_status program(struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next,
                                  struct uiommu_domain *old)
{
    bool was_on = atomic_load(&ep->ats_on);
    bool was_ats = ep->ats;
    enum uiommu_status status;

    ep->ats = next->kind == UIOMMU_DOMAIN_PAGING && ep->device->ats_able;
    if (ep->ats)
        ats_count(next, true);
    else
        ats_stop(ep);
    uim_fence_full(); /* listed before hardware walks: see attach.c */
    status = ep->device->unit->ops->set(ep, next, old);
    if (status == UIOMMU_OK && !atomic_load(&ep->quarantined))
        status = ats_finish(ep, was_on);
    if (status != UIOMMU_OK && !hardware_failed(status)) {
        leave(ep, next, ep->ats);
        ep->ats = was_ats;
        if (was_on)
            uim_pci_ats_enable(&ep->device->u->host, ep->device->pci,
                               ep->device->ats_cap, 0);
        return status;
    }
    /* Whoever quarantined the endpoint meanwhile has cut the new entry. */
    if (status == UIOMMU_OK && atomic_load(&ep->quarantined) &&
        next->kind != UIOMMU_DOMAIN_BLOCKED)
        status = UIOMMU_TIMEDOUT;
    if (status != UIOMMU_OK) {
        give_up(ep, next, old, was_ats);
        return status;
    }
    atomic_store(&ep->ats_on, ep->ats);
    publish(ep, next);
    leave(ep, old, was_ats);
    return UIOMMU_OK;
}

static enum uiommu_status endpoint_set(struct uiommu_endpoint *ep,
                                       struct uiommu_domain *next)
{
    struct uiommu_domain *old = ep->domain;
    enum uiommu_status status;

    if (atomic_load(&ep->quarantined) && next->kind != UIOMMU_DOMAIN_BLOCKED)
        return UIOMMU_NODEV;
    if (!fits(next, ep->device->unit))
        return UIOMMU_INVAL;
    status = uim_link_get(next, ep->device->unit);
    if (status != UIOMMU_OK)
        return status;
    uim_attach(ep, next);
    return program(ep, next, old);
}

/* ---- the group ----------------------------------------------------------------------- */

struct uiommu_domain *uim_group_core(const struct uiommu_group *group)
{
    if (!group->owner && group->firmware)
        return group->firmware;
    return &group->member->u->blocked;
}

static enum uiommu_status set_with_regions(struct uiommu_group *group,
                                           struct uiommu_domain *domain)
{
    struct uiommu_device *dev = group->member;
    struct uim_region_run *mapped = NULL;
    enum uiommu_status status = UIOMMU_OK;

    if (!group->owner && fits(domain, dev->unit))
        status = uim_regions_map(dev, domain, &mapped);
    if (status == UIOMMU_OK)
        status = endpoint_set(&dev->endpoint, domain);
    if (status == UIOMMU_OK)
        uim_regions_keep(dev->u, mapped);
    else
        uim_regions_undo(domain, mapped);
    return status;
}

/* Nothing to do; but a member that was cut since does not see the domain. */
static enum uiommu_status set_again(const struct uiommu_group *group)
{
    if (group->domain->kind != UIOMMU_DOMAIN_BLOCKED &&
        atomic_load(&group->member->endpoint.quarantined))
        return UIOMMU_NODEV;
    return UIOMMU_OK;
}

enum uiommu_status uim_group_set(struct uiommu_group *group,
                                 struct uiommu_domain *domain)
{
    struct uiommu_domain *old = group->domain;
    enum uiommu_status status;

    if (domain == old)
        return set_again(group);
    uiommu_domain_get(domain);
    status = set_with_regions(group, domain);
    if (status == UIOMMU_OK) {
        group->domain = domain;
        uiommu_domain_put(old);
        return UIOMMU_OK;
    }
    uiommu_domain_put(domain);
    if (hardware_failed(status)) {
        group->domain = group->member->endpoint.domain;
        uiommu_domain_get(group->domain);
        uiommu_domain_put(old);
    }
    return status;
}

void uim_group_lock(const struct uiommu_group *group)
{
    const struct uiommu_host *h = &group->member->u->host;

    h->mutex_lock(h->ctx, group->lock);
}

void uim_group_unlock(const struct uiommu_group *group)
{
    const struct uiommu_host *h = &group->member->u->host;

    h->mutex_unlock(h->ctx, group->lock);
}

enum uiommu_status uiommu_set_domain(struct uiommu_endpoint *endpoint,
                                     struct uiommu_domain *domain,
                                     const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status = UIOMMU_PERM;

    if (!endpoint || !domain || domain->u != endpoint->device->u)
        return UIOMMU_INVAL;
    group = endpoint->device->group;
    uim_group_lock(group);
    if (uim_asleep(group->member->u))
        status = UIOMMU_AGAIN;
    else if (group->owner == owner)
        status = uim_group_set(group, domain);
    uim_group_unlock(group);
    return status;
}

/* ---- owners (B.4) ----------------------------------------------------------------------- */

/* Both ends of ownership put the group on its core domain, and this transition
 * has to succeed: whoever fails to get there is blocked. */
static enum uiommu_status to_core(struct uiommu_group *group)
{
    enum uiommu_status status = uim_group_set(group, uim_group_core(group));

    if (status != UIOMMU_OK && !hardware_failed(status))
        (void)uim_group_set(group, &group->member->u->blocked);
    return status;
}

static void warn(const struct uiommu_device *dev, const char *what)
{
    uim_log(dev->u, UIOMMU_LOG_WARN, "%s %s", uim_device_name(dev).text, what);
}

/* B.4: an owner whose device can forge interrupts is not confined. */
static bool isolates_interrupts(struct uiommu_device *dev)
{
    bool unsafe = dev->u->config.flags & UIOMMU_CONFIG_UNSAFE_INTERRUPTS;

    if (dev->unit->remap || dev->unit->messages_are_dma)
        return true;
    if (!unsafe)
        warn(dev, "is not given away: it can forge interrupts");
    else if (!dev->warned)
        warn(dev, "is given away although it can forge interrupts");
    dev->warned = true;
    return unsafe;
}

static enum uiommu_status claim_locked(struct uiommu_group *group,
                                       const void *owner)
{
    if (group->owner && group->owner != owner)
        return UIOMMU_PERM;
    if (group->owner == owner) {
        group->claims++;
        return UIOMMU_OK;
    }
    if (uim_firmware_forbids_claim(group->member))
        return UIOMMU_INVAL;
    if (!isolates_interrupts(group->member))
        return UIOMMU_OPNOTSUPP;
    if (group->domain != uim_group_core(group) &&
        group->domain->kind != UIOMMU_DOMAIN_INHERITED)
        return UIOMMU_BUSY;
    group->owner = owner;
    group->claims = 1;
    return to_core(group);
}

enum uiommu_status uiommu_claim(struct uiommu_endpoint *endpoint,
                                const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !owner)
        return UIOMMU_INVAL;
    group = endpoint->device->group;
    uim_group_lock(group);
    status = uim_asleep(group->member->u) ? UIOMMU_AGAIN
                                          : claim_locked(group, owner);
    uim_group_unlock(group);
    return status;
}

static enum uiommu_status release_locked(struct uiommu_group *group,
                                         const void *owner)
{
    if (group->owner != owner)
        return UIOMMU_PERM;
    if (--group->claims > 0)
        return UIOMMU_OK;
    group->owner = NULL;
    return to_core(group);
}

enum uiommu_status uiommu_release(struct uiommu_endpoint *endpoint,
                                  const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !owner)
        return UIOMMU_INVAL;
    group = endpoint->device->group;
    uim_group_lock(group);
    status = uim_must_wait(group->member->u) ? UIOMMU_AGAIN
                                             : release_locked(group, owner);
    uim_group_unlock(group);
    return status;
}

bool uim_group_owned(struct uiommu_group *group)
{
    bool owned;

    uim_group_lock(group);
    owned = group->owner != NULL;
    uim_group_unlock(group);
    return owned;
}

/* ---- questions ----------------------------------------------------------------------------- */

struct uiommu_group *uiommu_endpoint_group(struct uiommu_endpoint *endpoint)
{
    return endpoint->device->group;
}

struct uiommu_domain *uiommu_endpoint_domain(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group = endpoint->device->group;
    struct uiommu_domain *domain;

    uim_group_lock(group);
    domain = endpoint->domain;
    uim_group_unlock(group);
    return domain;
}

uint32_t uiommu_endpoint_pasid(struct uiommu_endpoint *endpoint)
{
    return endpoint->pasid;
}

struct uiommu_domain *uiommu_core_domain(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group = endpoint->device->group;
    struct uiommu_domain *domain;

    uim_group_lock(group);
    domain = uim_group_core(group);
    uim_group_unlock(group);
    return domain;
}
