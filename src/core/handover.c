/* SPDX-License-Identifier: MIT */
/*
 * handover.c - units that translate before uiommu_start() and go on after the end
 * (semantics B.23): what a former owner left, and what is left to the next.
 */
#include "core/core.h"

enum { MOST_NAMES = 16 };

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, node);
}

/* ---- adopted --------------------------------------------------------------- */

static unsigned list_unit(struct uim_unit *unit, uiommu_adopted_fn fn,
                          void *ctx)
{
    unsigned n = 0;

    for (uint32_t id = 0; unit->ops->inherited(unit, &id); id++, n++) {
        const struct uiommu_endpoint *ep = uim_endpoint_find(unit, id);
        struct uiommu_device *d = ep ? ep->device : NULL;
        const struct uiommu_adopted adopted = {
            .driver = unit->driver->name,
            .unit = unit->index,
            .segment = unit->segment,
            .source = id,
            .device = d && atomic_load(&d->added) ? d : NULL,
        };

        if (fn)
            fn(ctx, &adopted);
    }
    return n;
}

static unsigned list_adopted(struct uiommu *u, uiommu_adopted_fn fn, void *ctx)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->n_units; i++)
        if (u->unit[i] && u->unit[i]->found)
            n += list_unit(u->unit[i], fn, ctx);
    return n;
}

unsigned uiommu_adopted(struct uiommu *u, uiommu_adopted_fn fn, void *ctx)
{
    unsigned n;

    u->host.mutex_lock(u->host.ctx, u->lock);
    n = list_adopted(u, fn, ctx);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return n;
}

struct names {
    struct uiommu *u;
    unsigned n;
};

static void log_one(void *ctx, const struct uiommu_adopted *a)
{
    struct names *names = ctx;

    if (names->n++ < MOST_NAMES)
        uim_log(names->u, UIOMMU_LOG_INFO,
                "%04x:%02x:%02x.%u goes on with the translation it was found "
                "with",
                (unsigned)a->segment, (unsigned)a->source >> 8,
                (unsigned)a->source >> 3 & 0x1fu, (unsigned)a->source & 7u);
}

void uim_adopted_log(struct uiommu *u)
{
    struct names names = { .u = u };

    (void)list_adopted(u, log_one, &names);
    if (names.n > MOST_NAMES)
        uim_log(u, UIOMMU_LOG_INFO, "and so do %u requesters more",
                names.n - MOST_NAMES);
}

bool uim_adoption_goes_on(const struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++)
        if (u->unit[i] && u->unit[i]->found &&
            !atomic_load(&u->unit[i]->broken))
            return true;
    return false;
}

/* ---- the end of adoption --------------------------------------------------- */

static enum uiommu_status end_device(struct uiommu_device *d)
{
    struct uiommu_group *group = d->group;
    enum uiommu_status status = UIOMMU_OK;

    uim_group_lock(group);
    if (group->own.domain == &d->u->inherited)
        status = uim_group_set(group, uim_group_core(group));
    if (status == UIOMMU_NODEV) /* one is quarantined, and stays blocked */
        status = uim_view_force(&group->own, uim_group_core(group));
    uim_group_unlock(group);
    return status == UIOMMU_NODEV ? UIOMMU_OK : status;
}

/* Something ran out, and no hardware failed. */
static bool is_soft(enum uiommu_status status)
{
    return status != UIOMMU_OK && status < UIOMMU_TIMEDOUT;
}

/* After that the rest stays as it is: a device with regions must not lose these. */
static enum uiommu_status end_devices(struct uiommu *u)
{
    enum uiommu_status worst = UIOMMU_OK;

    uim_list_for_each(n, &u->devices) {
        enum uiommu_status status = end_device(device_of(n));

        if (is_soft(status))
            return status;
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

static enum uiommu_status end_locked(struct uiommu *u)
{
    enum uiommu_status worst;

    if (atomic_load(&u->life) != UIM_STARTED)
        return uim_asleep(u) ? UIOMMU_AGAIN : UIOMMU_BUSY;
    worst = end_devices(u);
    if (is_soft(worst)) /* to be called again */
        return worst;
    for (unsigned i = 0; i < u->n_units; i++) {
        struct uim_unit *unit = u->unit[i];
        enum uiommu_status status = UIOMMU_OK;

        if (unit && unit->found)
            status = unit->ops->inherited_end(unit);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

enum uiommu_status uiommu_adopted_end(struct uiommu *u)
{
    enum uiommu_status status;

    u->host.mutex_lock(u->host.ctx, u->lock);
    status = end_locked(u);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- may it be handed over? ------------------------------------------------ */

static bool all_see(struct uiommu *u, const struct uiommu_domain *domain)
{
    uim_list_for_each(n, &u->devices) {
        struct uiommu_device *d = device_of(n);

        if (atomic_load(&d->added) &&
            uiommu_endpoint_domain(d->endpoint) != domain)
            return false;
    }
    return true;
}

/* Some drivers do not go on yet with what somebody left, and so leave nothing. */
static bool can_be_left(const struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++) {
        const struct uim_unit *unit = u->unit[i];

        if (!unit || (unit->ops->leave && unit->ops->describe))
            continue;
        uim_log(unit->u, UIOMMU_LOG_ERROR,
                "%s unit at 0x%lx cannot be handed over yet: uiommu cannot "
                "adopt it",
                unit->driver->name, unit->base);
        return false;
    }
    return true;
}

static bool have_pasids(const struct uiommu *u)
{
    if (atomic_load(&u->n_mediated) > 0)
        return true;
    for (struct uim_node *n = u->endpoints.next; n != &u->endpoints;
         n = n->next)
        if (!uim_list_empty(
                &uim_container(n, struct uiommu_endpoint, node)->pasids))
            return true;
    return false;
}

static enum uiommu_status may_hand_over(struct uiommu *u,
                                        enum uiommu_hand_over how)
{
    if (how > UIOMMU_HAND_OVER_AS_IT_STANDS)
        return UIOMMU_INVAL;
    if (atomic_load(&u->life) != UIM_STARTED)
        return UIOMMU_BUSY;
    if (!uim_sva_none(u)) /* whose tables are not ours to give */
        return UIOMMU_BUSY;
    if (!u->host.memory_map || !can_be_left(u))
        return UIOMMU_OPNOTSUPP;
    if (how == UIOMMU_HAND_OVER_AS_IT_STANDS)
        return UIOMMU_OK;
    if (have_pasids(u))
        return UIOMMU_BUSY;
    if (uim_adoption_goes_on(u))
        return UIOMMU_BUSY;
    if (how == UIOMMU_HAND_OVER_IDENTITY)
        return all_see(u, &u->identity) ? UIOMMU_OK : UIOMMU_BUSY;
    return uim_devices_added(u) || atomic_load(&u->n_irqs) > 0 ? UIOMMU_BUSY
                                                               : UIOMMU_OK;
}

/* ---- hand over ------------------------------------------------------------- */

/* With this mask no range is well-formed: map.c. */
static void give_away(struct uiommu_domain *domain)
{
    domain->given_away = true;
    domain->page_mask = UINT64_MAX;
}

/* What units may read from now on; also what one did not confirm to have left. */
static void give_endpoints_away(struct uim_node *list)
{
    uim_list_for_each(n, list)
        give_away(uim_container(n, struct uiommu_endpoint, node)->domain);
}

static void give_domains_away(struct uiommu *u)
{
    give_endpoints_away(&u->endpoints);
    uim_list_for_each(n, &u->endpoints)
        give_endpoints_away(
            &uim_container(n, struct uiommu_endpoint, node)->pasids);
    uim_list_for_each(n, &u->tainted)
        give_away(uim_container(n, struct uiommu_domain, node));
}

/* PASIDs first: they are listed with their device. */
static void forget(struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;

    uim_mediated_forget(&device->mediated);
    while (!uim_list_empty(&group->pasids))
        uim_view_free(uim_container(group->pasids.next, struct uim_view, node));
    uim_device_forget(device);
}

static enum uiommu_status leave(struct uiommu *u)
{
    enum uiommu_status worst = UIOMMU_OK;

    uim_polling_stop(u);
    u->handed_over = true;
    for (unsigned i = 0; i < u->n_units; i++) {
        enum uiommu_status status = UIOMMU_OK;

        if (u->unit[i])
            status = u->unit[i]->ops->leave(u->unit[i]);
        if (status != UIOMMU_OK)
            worst = status;
    }
    give_domains_away(u);
    uim_irqs_forget(u);
    while (!uim_list_empty(&u->devices))
        forget(device_of(u->devices.next));
    uim_mediated_forget(&u->dead);
    uim_orphans_forget(u);
    uim_units_free(u);
    return worst;
}

/* Who comes next has no queue for what they ask. */
static void end_asking(struct uiommu *u)
{
    const unsigned n = uim_let_ask(u, false);

    if (n > 0)
        uim_log(u, UIOMMU_LOG_WARN,
                "%u devices ask for pages no more: what is not mapped when "
                "they are handed over is refused to them",
                n);
}

/* *record is written when units were left. */
static enum uiommu_status hand_over_locked(struct uiommu *u,
                                           enum uiommu_hand_over how,
                                           struct uim_record *record)
{
    enum uiommu_status status = may_hand_over(u, how);
    struct uim_record r;

    if (status == UIOMMU_OK)
        status = uim_record_alloc(u, &r);
    if (status != UIOMMU_OK)
        return status;
    end_asking(u);
    status = uim_record_write(u, &r, how);
    if (status != UIOMMU_OK) {
        (void)uim_let_ask(u, true);
        uim_record_free(u, &r);
        return status;
    }
    *record = r;
    return leave(u);
}

enum uiommu_status uiommu_hand_over(struct uiommu *u, enum uiommu_hand_over how,
                                    const struct uiommu_record **record,
                                    size_t *size)
{
    struct uim_record r = { .word = NULL };
    enum uiommu_status status;

    if (!u || !record || !size)
        return UIOMMU_INVAL;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = hand_over_locked(u, how, &r);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    if (r.word) {
        *record = (const struct uiommu_record *)r.word;
        *size = r.size;
    }
    return status;
}
