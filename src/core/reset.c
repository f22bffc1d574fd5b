/* SPDX-License-Identifier: MIT */
/*
 * reset.c - a device is reset (semantics B.19, D-68): its endpoints are held, which is to be
 * blocked in the tables while the domain is kept.
 *
 * Holds are counted by endpoint: an id that two devices share is let go when both are
 * through.
 */
#include "core/core.h"

#include "pci/pci.h"

static struct uiommu_endpoint *pasid_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, node);
}

bool uim_device_is_reset(const struct uiommu_device *device)
{
    return device->resets > 0 || device->physical_resets > 0;
}

bool uim_group_is_held(const struct uiommu_group *group)
{
    for (struct uim_node *n = group->own.endpoints.next;
         n != &group->own.endpoints; n = n->next)
        if (uim_container(n, struct uiommu_endpoint, member)->held > 0)
            return true;
    return false;
}

static enum uiommu_status worse(enum uiommu_status a, enum uiommu_status b)
{
    return a > b ? a : b;
}

/* ---- begin --------------------------------------------------------------------------- */

/* The id first: that ends ATS for what carries a PASID, too. */
static enum uiommu_status hold_id(struct uiommu_endpoint *own)
{
    enum uiommu_status status = uim_endpoint_hold(own);

    uim_list_for_each(n, &own->pasids)
        status = worse(status, uim_endpoint_hold(pasid_of(n)));
    return status;
}

/* Resets of `of` that the device is in: its own, or those of its physical function. They
 * are counted apart: no call for the one ends the other. */
static unsigned *resets_of(struct uiommu_device *d,
                           const struct uiommu_device *of)
{
    return d == of ? &d->resets : &d->physical_resets;
}

static enum uiommu_status may_begin(struct uiommu_device *d,
                                    const struct uiommu_device *of, bool worked)
{
    (void)of;
    (void)worked;
    return d->group->own.domain->kind == UIOMMU_DOMAIN_INHERITED ? UIOMMU_BUSY
                                                                 : UIOMMU_OK;
}

static enum uiommu_status begin(struct uiommu_device *d,
                                const struct uiommu_device *of, bool worked)
{
    bool held = uim_device_is_reset(d);
    enum uiommu_status status;

    (void)worked;
    if (!held)
        uim_mediated_tell(d, UIOMMU_MDEV_RESET_BEGIN);
    ++*resets_of(d, of);
    if (held)
        return UIOMMU_OK;
    status = hold_id(d->endpoint);
    for (unsigned i = 0; i < d->n_aliases; i++)
        status = worse(status, hold_id(d->alias[i]));
    return status;
}

typedef enum uiommu_status (*step_fn)(struct uiommu_device *device,
                                      const struct uiommu_device *of,
                                      bool worked);

static enum uiommu_status one(struct uiommu_device *d,
                              const struct uiommu_device *of, step_fn step,
                              bool worked)
{
    struct uiommu_group *group = uim_group_enter(d->endpoint);
    enum uiommu_status status = step(d, of, worked);

    uim_group_leave(group);
    return status;
}

/* And what a reset of it takes along: its virtual functions (PCIe Base 9.2.2.3). None is
 * added meanwhile. u->lock is held. */
static enum uiommu_status each(struct uiommu_device *device, step_fn step,
                               bool worked)
{
    enum uiommu_status status = one(device, device, step, worked);

    uim_list_for_each(n, &device->u->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);

        if (d->physical == device)
            status = worse(status, one(d, device, step, worked));
    }
    return status;
}

enum uiommu_status uiommu_device_reset_begin(struct uiommu_device *device)
{
    enum uiommu_status status;
    struct uiommu *u;

    if (!device)
        return UIOMMU_INVAL;
    if (uim_is_inside(device->endpoint))
        return UIOMMU_BUSY;
    u = device->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = uim_asleep(u) ? UIOMMU_AGAIN : each(device, may_begin, true);
    if (status == UIOMMU_OK)
        status = each(device, begin, true);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- end ------------------------------------------------------------------------------ */

enum uiommu_status uim_id_let_go(struct uiommu_endpoint *own, bool worked)
{
    enum uiommu_status status = uim_endpoint_let_go(own, worked);

    uim_list_for_each(n, &own->pasids)
        status = worse(status, uim_endpoint_let_go(pasid_of(n), worked));
    return status;
}

/* The reset of a physical function may have switched them off. */
static bool is_gone(const struct uiommu_device *d)
{
    return d->physical && !uim_pci_present(&d->u->host, d->pci);
}

static enum uiommu_status let_go(struct uiommu_device *d, bool worked)
{
    enum uiommu_status status = uim_id_let_go(d->endpoint, worked);

    for (unsigned i = 0; i < d->n_aliases; i++)
        status = worse(status, uim_id_let_go(d->alias[i], worked));
    return status;
}

/* Whether it is there again counts when the last is through: those inside may end before
 * the physical function has it switched on. */
static enum uiommu_status end(struct uiommu_device *d,
                              const struct uiommu_device *of, bool worked)
{
    enum uiommu_status status = UIOMMU_OK;

    d->failed_reset |= !worked;
    --*resets_of(d, of);
    if (uim_device_is_reset(d))
        return UIOMMU_OK;
    d->failed_reset |= is_gone(d);
    worked = !d->failed_reset && uim_pasids_restart(d);
    if (!worked && !d->failed_reset)
        status = UIOMMU_NODEV;
    status = worse(status, let_go(d, worked));
    if (worked) {
        d->silent_since = uim_tick(d->u);
        uim_pasids_free_waiting(d->group);
    }
    d->failed_reset = false;
    uim_mediated_tell(d, UIOMMU_MDEV_RESET_END);
    return status;
}

enum uiommu_status uiommu_device_reset_end(struct uiommu_device *device,
                                           bool worked)
{
    enum uiommu_status status;
    struct uiommu *u;

    if (!device)
        return UIOMMU_INVAL;
    if (uim_is_inside(device->endpoint))
        return UIOMMU_BUSY;
    u = device->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    if (uim_asleep(u))
        status = UIOMMU_AGAIN;
    else if (device->resets == 0)
        status = UIOMMU_INVAL;
    else
        status = each(device, end, worked);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}
