/* SPDX-License-Identifier: MIT */
/*
 * set.c - the one verb, and who may use it (semantics B.4, B.5).
 */
#include "core/core.h"

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, member);
}

/* What it would ask for, its mediator maps or has somebody map. */
static enum uiommu_status no_hardware_asks(const struct uiommu_endpoint *ep)
{
    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "a part in software of %s cannot see a domain that answers page "
            "requests: no hardware asks for it",
            uim_device_name(ep->device).text);
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status set_locked(struct uiommu_endpoint *endpoint,
                                     struct uiommu_domain *domain)
{
    struct uim_view *view = endpoint->view;
    enum uiommu_status status = uim_mediated_may_use(endpoint);

    if (status != UIOMMU_OK)
        return status == UIOMMU_NODEV && domain->kind == UIOMMU_DOMAIN_BLOCKED
                   ? UIOMMU_OK
                   : status;
    if (view->dma || view->bond)
        return UIOMMU_BUSY;
    if (!endpoint->device && uim_list_empty(&view->endpoints))
        return domain == view->domain ? UIOMMU_OK : UIOMMU_NODEV;
    if (uim_sva_is_over(domain))
        return UIOMMU_NOENT;
    if (view->group->software &&
        (domain->answers || domain->kind == UIOMMU_DOMAIN_SVA))
        return no_hardware_asks(endpoint);
    if (endpoint->mediated && !uim_mediated_fits(endpoint->mediated, domain))
        return UIOMMU_INVAL;
    if (view->pasid != UIOMMU_NO_PASID)
        return uim_view_set(view, domain);
    return uim_group_set(view->group, domain);
}

enum uiommu_status uiommu_set_domain(struct uiommu_endpoint *endpoint,
                                     struct uiommu_domain *domain,
                                     const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status = UIOMMU_PERM;

    if (!endpoint || !domain || domain->u != endpoint->unit->u)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    if (uim_asleep(group->u))
        status = UIOMMU_AGAIN;
    else if (group->owner == owner)
        status = set_locked(endpoint, domain);
    uim_group_leave(group);
    return status;
}

/* ---- owners (B.4) ----------------------------------------------------------------------- */

/* Both ends of ownership put the group on its core domain, and this transition
 * has to succeed: whoever fails to get there is blocked. */
enum uiommu_status uim_group_to_core(struct uiommu_group *group)
{
    enum uiommu_status status;

    group->doorbells = 0;
    status = uim_group_set(group, uim_group_core(group));
    if (status == UIOMMU_OK || uim_hardware_failed(status))
        return status;
    return uim_view_force(&group->own, uim_group_core(group));
}

static void warn(const struct uiommu_device *dev, const char *what)
{
    uim_log(dev->u, UIOMMU_LOG_WARN, "%s %s", uim_device_name(dev).text, what);
}

/* On units without entries for interrupts: does whatever the messages reach tell
 * devices apart? */
static bool isolates_messages(const struct uiommu_device *dev)
{
    const struct uim_driver_use *use = uim_use_of(dev->unit);
    const struct uim_fw_ops *fw = use->driver->fw;

    return dev->unit->messages_are_dma && fw->isolates_messages &&
           fw->isolates_messages(use->table, &dev->path);
}

bool uim_isolates_interrupts(const struct uiommu_device *device)
{
    return device->unit->remap || isolates_messages(device);
}

/* B.4: an owner whose device can forge interrupts is not confined. */
static bool device_isolates_interrupts(struct uiommu_device *dev)
{
    bool unsafe = dev->u->config.flags & UIOMMU_CONFIG_UNSAFE_INTERRUPTS;

    if (uim_isolates_interrupts(dev))
        return true;
    if (!unsafe)
        warn(dev, "is not given away: it can forge interrupts");
    else if (!dev->warned)
        warn(dev, "is given away although it can forge interrupts");
    dev->warned = true;
    return unsafe;
}

static bool isolates_interrupts(struct uiommu_group *group)
{
    bool all = true;

    uim_list_for_each(n, &group->devices)
        all = device_isolates_interrupts(device_of(n)) && all;
    return all;
}

/* Firmware's regions are for what carries no PASID (C.6). */
static bool firmware_forbids_claim(struct uiommu_group *group)
{
    uim_list_for_each(n, &group->devices)
        if (uim_firmware_forbids_claim(device_of(n)))
            return true;
    return false;
}

/* That a client is confined is its mediator's word (C.2). */
static enum uiommu_status may_trust_mediators(struct uiommu *u)
{
    if (u->config.block_quality == UIOMMU_BLOCK_NONE)
        return UIOMMU_OK;
    uim_log(u, UIOMMU_LOG_WARN,
            "a device that is emulated is not given away: no hardware keeps it "
            "apart");
    return UIOMMU_PERM;
}

enum uiommu_status uim_group_may_be_claimed(struct uiommu_group *group)
{
    if (group->software)
        return may_trust_mediators(group->u);
    if (firmware_forbids_claim(group))
        return UIOMMU_INVAL;
    group = uim_hardware_of(group);
    uim_list_for_each(n, &group->devices)
        if (!uim_rest_is_safe(device_of(n)))
            return UIOMMU_OPNOTSUPP;
    return isolates_interrupts(group) ? UIOMMU_OK : UIOMMU_OPNOTSUPP;
}

static bool is_busy(struct uiommu_group *group)
{
    return group->own.dma || uim_group_has_pasids(group) ||
           group->n_numbered > 0 || uim_group_is_held(uim_hardware_of(group)) ||
           (group->own.domain != uim_group_core(group) &&
            group->own.domain->kind != UIOMMU_DOMAIN_INHERITED);
}

static enum uiommu_status claim_locked(const struct uiommu_endpoint *endpoint,
                                       struct uiommu_group *group,
                                       const void *owner)
{
    enum uiommu_status status = uim_mediated_may_use(endpoint);

    if (!endpoint->mediated && uim_list_empty(&group->devices))
        return UIOMMU_NODEV;
    if (status != UIOMMU_OK)
        return status;
    if (group->owner && group->owner != owner)
        return UIOMMU_PERM;
    if (group->owner == owner) {
        group->claims++;
        return UIOMMU_OK;
    }
    status = uim_group_may_be_claimed(group);
    if (status != UIOMMU_OK)
        return status;
    if (is_busy(group))
        return UIOMMU_BUSY;
    group->owner = owner;
    group->claims = 1;
    return uim_group_to_core(group);
}

enum uiommu_status uiommu_claim(struct uiommu_endpoint *endpoint,
                                const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !owner)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = uim_asleep(group->u) ? UIOMMU_AGAIN
                                  : claim_locked(endpoint, group, owner);
    uim_group_leave(group);
    return status;
}

static enum uiommu_status release_locked(struct uiommu_group *group,
                                         const void *owner)
{
    if (group->owner != owner)
        return UIOMMU_PERM;
    if (group->claims == 1 && (uim_group_has_pasids(group) || group->own.bond))
        return UIOMMU_BUSY;
    if (--group->claims > 0)
        return UIOMMU_OK;
    group->owner = NULL;
    return uim_group_to_core(group);
}

enum uiommu_status uiommu_release(struct uiommu_endpoint *endpoint,
                                  const void *owner)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !owner)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status =
        uim_must_wait(group->u) ? UIOMMU_AGAIN : release_locked(group, owner);
    uim_group_leave(group);
    return status;
}

/* ---- questions ----------------------------------------------------------------------------- */

struct uiommu_domain *uiommu_endpoint_domain(struct uiommu_endpoint *endpoint)
{
    struct uiommu *u = endpoint->unit->u;
    struct uiommu_domain *domain;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    domain = uim_mediated_sees(endpoint);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return domain;
}

uint32_t uiommu_endpoint_pasid(struct uiommu_endpoint *endpoint)
{
    return endpoint->mediated ? atomic_load(&endpoint->mediated->pasid)
                              : endpoint->pasid;
}

struct uiommu_domain *uiommu_core_domain(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group = uim_group_enter(endpoint);
    struct uiommu_domain *domain;

    domain = uim_group_core(group);
    uim_group_leave(group);
    return domain;
}
