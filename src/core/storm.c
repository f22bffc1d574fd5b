/* SPDX-License-Identifier: MIT */
/*
 * storm.c - a device that faults without end is shut off (semantics B.18).
 *
 * Faults are counted by id. Whoever reads the one that is too many marks the id and its
 * PASIDs, and cuts them, in whatever context that is. All else goes on behind entries that
 * let nothing through: endpoints move, PASIDs come and go, memory is unmapped. When the
 * marks are gone everything is programmed once more, and is as it would have been.
 */
#include "core/core.h"

enum { WINDOW_NS = 1000 * 1000 * 1000 };

static struct uiommu_endpoint *pasid_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, node);
}

static bool is_muted(const struct uiommu_endpoint *own)
{
    return atomic_load(&own->muted);
}

/* ---- counting ------------------------------------------------------------------------ */

/* Nobody could re-arm what the host did not add, and nothing leads back to what the unit
 * was found with. */
static bool can_be_muted(const struct uiommu_endpoint *own)
{
    return own->unit->ops->make_entry && atomic_load(&own->device->added) &&
           own->domain->kind != UIOMMU_DOMAIN_INHERITED;
}

static enum uim_storm count(struct uiommu_endpoint *own, uint64_t now)
{
    if (is_muted(own))
        return UIM_STORM_GOES_ON;
    if (!can_be_muted(own))
        return UIM_STORM_NONE;
    if (own->storm_faults == 0 || now - own->storm_ns >= WINDOW_NS) {
        own->storm_ns = now;
        own->storm_faults = 0;
    }
    if (++own->storm_faults <= own->unit->u->config.storm_budget)
        return UIM_STORM_NONE;
    atomic_store(&own->muted, true);
    own->muting = true;
    return UIM_STORM_BEGINS;
}

/* Who ends it waits for that: what is cut later would stay so. */
static void mute(struct uiommu_endpoint *own)
{
    struct uiommu *u = own->unit->u;

    uim_mute(own);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    own->muting = false;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

enum uim_storm uim_storm(struct uiommu_endpoint *own, uint32_t *faults)
{
    struct uiommu *u = own->unit->u;
    enum uim_storm storm;

    if (u->config.storm_budget == 0)
        return UIM_STORM_NONE;
    u->host.spin_lock(u->host.ctx, u->device_lock);
    storm = count(own, u->host.now_ns(u->host.ctx));
    *faults = own->storm_faults;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    if (storm == UIM_STORM_BEGINS)
        mute(own);
    return storm;
}

/* ---- ids and PASIDs come and go ------------------------------------------------------- */

enum uiommu_status uim_storm_prepare(struct uiommu_endpoint *own)
{
    if (own->unit->u->config.storm_budget == 0 || !own->unit->ops->make_entry)
        return UIOMMU_OK;
    return own->unit->ops->make_entry(own);
}

/* Listed before: it is marked here, or by who mutes the id and finds it. */
void uim_storm_join(struct uiommu_endpoint *pasid)
{
    if (is_muted(uim_own(pasid)))
        atomic_store(&pasid->muted, true);
}

enum uiommu_status uim_storm_forget(struct uiommu_endpoint *own)
{
    struct uiommu_domain *rest = uim_shown(own, uim_rest(own->unit));

    if (!is_muted(own))
        return UIOMMU_OK;
    atomic_store(&own->muted, false);
    return own->unit->ops->set(own, rest, rest);
}

/* ---- again ---------------------------------------------------------------------------- */

static enum uiommu_status worse(enum uiommu_status a, enum uiommu_status b)
{
    return a > b ? a : b;
}

/* Takes device_lock. While the mark is there no other begins. */
static void lock_behind_muting(const struct uiommu_endpoint *own)
{
    struct uiommu *u = own->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    while (own->muting) {
        u->host.spin_unlock(u->host.ctx, u->device_lock);
        if (u->host.relax)
            u->host.relax(u->host.ctx);
        u->host.spin_lock(u->host.ctx, u->device_lock);
    }
}

/* All at once, so that the next storm finds none or all of them. False: there was none. */
static bool unmark(struct uiommu_endpoint *own)
{
    struct uiommu *u = own->unit->u;
    bool muted;

    lock_behind_muting(own);
    muted = atomic_exchange(&own->muted, false);
    own->storm_faults = 0;
    uim_list_for_each(n, &own->pasids)
        atomic_store(&pasid_of(n)->muted, false);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return muted;
}

/* Who left a group to be answered later is not asked about it any more. */
static void give_up(struct uiommu_endpoint *own)
{
    uim_endpoint_give_up(own);
    uim_list_for_each(n, &own->pasids)
        uim_endpoint_give_up(pasid_of(n));
}

/* As long as it is marked nobody hears the rest of what it asked for (B.17.7). */
static enum uiommu_status leave_nothing(struct uiommu_endpoint *own)
{
    enum uiommu_status status;

    if (!is_muted(own))
        return UIOMMU_OK;
    if (atomic_load(&own->quarantined))
        return UIOMMU_NODEV;
    status = uim_ask_anew(own);
    if (status != UIOMMU_OK)
        give_up(own);
    return status;
}

static enum uiommu_status again(struct uiommu_endpoint *own)
{
    enum uiommu_status status = leave_nothing(own);

    if (status != UIOMMU_OK || !unmark(own))
        return status;
    status = uim_endpoint_again(own);
    uim_list_for_each(n, &own->pasids)
        status = worse(status, uim_endpoint_again(pasid_of(n)));
    return status;
}

static enum uiommu_status rearm(struct uiommu_device *d)
{
    struct uiommu_group *group = uim_group_enter(d->endpoint);
    enum uiommu_status status = again(d->endpoint);

    for (unsigned i = 0; i < d->n_aliases; i++)
        status = worse(status, again(d->alias[i]));
    uim_group_leave(group);
    return status;
}

enum uiommu_status uiommu_device_rearm(struct uiommu_device *device)
{
    enum uiommu_status status;
    struct uiommu *u;

    if (!device)
        return UIOMMU_INVAL;
    if (uim_is_inside(device->endpoint))
        return UIOMMU_BUSY;
    u = device->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = uim_asleep(u) ? UIOMMU_AGAIN : rearm(device);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}
