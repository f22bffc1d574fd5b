/* SPDX-License-Identifier: MIT */
/*
 * rest.c - what devices see that nobody uses, on units that stop DMA well or badly
 * (semantics A.S1, B.1). Drivers say how well; see enum uiommu_block_quality.
 *
 * Where no entry refuses, a domain with nothing in it stands for blocked. It is the
 * unit's, made before anybody needs it and there as long as the unit translates, so that
 * to block never fails for want of it, and no entry outlives it.
 */
#include "core/core.h"

struct uiommu_domain *uim_rest(const struct uim_unit *unit)
{
    return unit->quality == UIOMMU_BLOCK_NONE ? &unit->u->identity
                                              : &unit->u->blocked;
}

struct uiommu_domain *uim_shown(const struct uiommu_endpoint *endpoint,
                                struct uiommu_domain *domain)
{
    if (domain->kind == UIOMMU_DOMAIN_BLOCKED && endpoint->unit->nothing)
        return endpoint->unit->nothing;
    return domain;
}

/* ---- life of a unit ------------------------------------------------------------- */

static enum uiommu_status refuse(const struct uim_unit *unit, const char *why)
{
    uim_log(unit->u, UIOMMU_LOG_ERROR, "%s unit at 0x%lx is not used: %s",
            unit->driver->name, unit->base, why);
    return UIOMMU_OPNOTSUPP;
}

enum uiommu_status uim_rest_create(struct uim_unit *unit)
{
    switch (unit->quality) {
    case UIOMMU_BLOCK_ABORT:
        return UIOMMU_OK;
    case UIOMMU_BLOCK_EMPTY:
    case UIOMMU_BLOCK_SINK:
        return uim_domain_create(unit, NULL, &unit->nothing);
    case UIOMMU_BLOCK_NONE:
        return unit->identity
                   ? UIOMMU_OK
                   : refuse(unit, "it can neither stop DMA nor let it pass");
    case UIOMMU_BLOCK_UNSAID:
        break;
    }
    return refuse(unit, "its driver does not say how it stops DMA");
}

/* Whoever was blocked stays so by its entry, and with the tag that this has. */
enum uiommu_status uim_rest_link(struct uim_unit *unit, uint32_t pasid)
{
    struct uim_link *link;

    if (!unit->nothing)
        return UIOMMU_OK;
    for (link = atomic_load(&unit->nothing->links); link;
         link = atomic_load(&link->next))
        if (atomic_load(&link->users) > 0 &&
            (!uim_link_by_pasid(unit->nothing, unit) ||
             atomic_load(&link->pasid) == pasid))
            return UIOMMU_OK;
    return uim_link_get(unit->nothing, unit, pasid);
}

static void unlink_all(struct uiommu_domain *nothing, struct uim_unit *unit)
{
    for (struct uim_link *link = atomic_load(&nothing->links); link;
         link = atomic_load(&link->next))
        while (atomic_load(&link->users) > 0)
            uim_link_put(nothing, unit, atomic_load(&link->pasid));
}

void uim_rest_free(struct uim_unit *unit)
{
    struct uiommu_domain *nothing = unit->nothing;

    if (!nothing)
        return;
    unit->nothing = NULL;
    unlink_all(nothing, unit);
    if (unit->u->stuck || atomic_load(&unit->broken))
        atomic_store(&nothing->tainted, true);
    nothing->given_away = unit->u->handed_over;
    uiommu_domain_put(nothing);
}

/* ---- who may be claimed -------------------------------------------------------------- */

static const char *lack_of(const struct uim_unit *unit)
{
    switch (unit->quality) {
    case UIOMMU_BLOCK_NONE:
        return "cannot stop its DMA";
    case UIOMMU_BLOCK_SINK:
        return "lets what it stops go to a scratch page";
    default:
        return "has no entry that refuses";
    }
}

bool uim_rest_is_safe(const struct uiommu_device *device)
{
    enum uiommu_block_quality least = device->u->config.block_quality;

    if (least == UIOMMU_BLOCK_UNSAID)
        least = UIOMMU_BLOCK_EMPTY;
    if (device->unit->quality <= least)
        return true;
    uim_log(device->u, UIOMMU_LOG_WARN, "%s is not given away: its unit %s",
            uim_device_name(device).text, lack_of(device->unit));
    return false;
}
