/* SPDX-License-Identifier: MIT */
/*
 * interrupt.c - which interrupts of devices a unit lets through, and where to. The
 * driver has entries; here is who owns which.
 */
#include "core/core.h"

#include <uiommu/interrupt.h>

enum { MOST_MESSAGES = 32, FIRST_VECTOR = 16 };

struct uiommu_irq {
    struct uim_node node;         /* u->irqs                                 */
    struct uim_unit *unit;
    struct uiommu_device *device; /* NULL: I/O APIC, HPET                    */
    bool pin;                     /* of an I/O APIC; the others are messages */
    uint32_t source;              /* as the unit sees it                     */
    unsigned first, n;            /* entries                                 */
    struct uiommu_irq_target target; /* of the first                         */
};

/* ---- checks ------------------------------------------------------------------ */

static bool delivery_ok(const struct uiommu_irq_target *t)
{
    switch (t->delivery) {
    case UIOMMU_IRQ_FIXED:
    case UIOMMU_IRQ_LOWEST_PRIORITY:
        return t->vector >= FIRST_VECTOR;
    case UIOMMU_IRQ_SMI:
    case UIOMMU_IRQ_NMI:
    case UIOMMU_IRQ_INIT:
    case UIOMMU_IRQ_EXTINT:
        return true;
    default:
        return false;
    }
}

static bool target_ok(const struct uiommu_irq *irq,
                      const struct uiommu_irq_target *t)
{
    if ((t->level || t->active_low) && !irq->pin)
        return false;
    return delivery_ok(t) && (irq->unit->x2apic || t->destination <= 0xff);
}

static bool targets_ok(const struct uiommu_irq *irq,
                       const struct uiommu_irq_target *target)
{
    for (unsigned i = 0; i < irq->n; i++)
        if (!target_ok(irq, &target[i]))
            return false;
    return true;
}

/* ---- entries ------------------------------------------------------------------- */

/* Clears entries from the first up to n, and gives all back, unless the unit did not
 * confirm: then they are never used again. */
static enum uiommu_status drop_entries(struct uiommu_irq *irq, unsigned n)
{
    const struct uim_unit_ops *ops = irq->unit->ops;
    enum uiommu_status worst = UIOMMU_OK;

    for (unsigned i = 0; i < n; i++) {
        enum uiommu_status status =
            ops->irq_set(irq->unit, irq->first + i, irq->source, NULL);

        if (status != UIOMMU_OK)
            worst = status;
    }
    if (worst == UIOMMU_OK)
        ops->irq_free(irq->unit, irq->first, irq->n);
    return worst;
}

static enum uiommu_status fill_entries(struct uiommu_irq *irq,
                                       const struct uiommu_irq_target *target)
{
    const struct uim_unit_ops *ops = irq->unit->ops;
    enum uiommu_status status;

    status = ops->irq_alloc(irq->unit, irq->n, &irq->first);
    if (status != UIOMMU_OK)
        return status;
    for (unsigned i = 0; i < irq->n; i++) {
        status =
            ops->irq_set(irq->unit, irq->first + i, irq->source, &target[i]);
        if (status == UIOMMU_OK)
            continue;
        (void)drop_entries(irq, i + 1);
        return status;
    }
    return UIOMMU_OK;
}

/* From before its entries are filled until after they are gone: the device, then
 * the instance, stay for as long. */
static void count(const struct uiommu_irq *like)
{
    atomic_fetch_add(&like->unit->u->n_irqs, 1);
    if (like->device)
        atomic_fetch_add(&like->device->n_irqs, 1);
}

/* The last step: others may destroy both at once. */
static void uncount(struct uiommu *u, struct uiommu_device *device)
{
    if (device)
        atomic_fetch_sub(&device->n_irqs, 1);
    atomic_fetch_sub(&u->n_irqs, 1);
}

static void list(struct uiommu_irq *irq, bool add)
{
    struct uiommu *u = irq->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    if (add)
        uim_list_add_tail(&u->irqs, &irq->node);
    else
        uim_list_del(&irq->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

static void forget(struct uiommu_irq *irq)
{
    struct uiommu_device *device = irq->device;
    struct uiommu *u = irq->unit->u;

    list(irq, false);
    uim_free(u, irq, sizeof(*irq));
    uncount(u, device);
}

static enum uiommu_status fill(const struct uiommu_irq *like,
                               const struct uiommu_irq_target *target,
                               struct uiommu_irq **out)
{
    struct uiommu *u = like->unit->u;
    struct uiommu_irq *irq = uim_alloc(u, sizeof(*irq));
    enum uiommu_status status;

    if (!irq)
        return UIOMMU_NOMEM;
    *irq = *like;
    irq->target = target[0];
    status = fill_entries(irq, target);
    if (status != UIOMMU_OK) {
        uim_free(u, irq, sizeof(*irq));
        return status;
    }
    list(irq, true);
    *out = irq;
    return UIOMMU_OK;
}

static enum uiommu_status may_map(const struct uiommu_irq *like,
                                  const struct uiommu_irq_target *target)
{
    if (!like->unit->remap)
        return UIOMMU_OPNOTSUPP;
    if (!targets_ok(like, target))
        return UIOMMU_INVAL;
    return uim_asleep(like->unit->u) ? UIOMMU_AGAIN : UIOMMU_OK;
}

/* Of what was counted; unless it is OK, that is taken back. */
static enum uiommu_status map(const struct uiommu_irq *like,
                              const struct uiommu_irq_target *target,
                              struct uiommu_irq **out)
{
    enum uiommu_status status = may_map(like, target);

    if (status == UIOMMU_OK)
        status = fill(like, target, out);
    if (status != UIOMMU_OK)
        uncount(like->unit->u, like->device);
    return status;
}

/* ---- calls ------------------------------------------------------------------------ */

/* Messages come with the id that the last bridge on the way gives them. */
static uint32_t source_of(const struct uiommu_endpoint *endpoint)
{
    const struct uiommu_device *d = endpoint->device;

    return d->n_aliases > 0 ? d->alias[d->n_aliases - 1]->id : endpoint->id;
}

/* An endpoint with a PASID can outlive its device, which goes under the mutex of the group:
 * what is counted before keeps it. */
static enum uiommu_status count_for(const struct uiommu_endpoint *endpoint,
                                    struct uiommu_irq *like)
{
    struct uiommu_group *group = uim_group_call(endpoint);
    enum uiommu_status status = UIOMMU_NODEV;

    if (!group)
        return UIOMMU_BUSY;

    if (endpoint->device) {
        like->device = endpoint->device;
        like->source = source_of(endpoint);
        count(like);
        status = UIOMMU_OK;
    }
    uim_group_leave(group);
    return status;
}

enum uiommu_status uiommu_irq_map(struct uiommu_endpoint *endpoint,
                                  const struct uiommu_irq_target *target,
                                  unsigned n, struct uiommu_irq **out)
{
    struct uiommu_irq like = { .n = n };
    enum uiommu_status status;

    if (!endpoint || !target || !out || n == 0 || n > MOST_MESSAGES ||
        (n & (n - 1)) != 0)
        return UIOMMU_INVAL;
    if (uim_is_part(endpoint)) /* they are its parent's */
        return UIOMMU_OPNOTSUPP;
    like.unit = endpoint->unit;
    status = count_for(endpoint, &like);
    return status == UIOMMU_OK ? map(&like, target, out) : status;
}

static enum uiommu_status find_source(struct uiommu *u,
                                      enum uiommu_irq_source kind, unsigned id,
                                      struct uiommu_irq *out)
{
    for (unsigned i = 0; i < u->n_use; i++) {
        const struct uim_driver_use *use = &u->use[i];
        unsigned unit;

        if (!use->table ||
            use->driver->fw->irq_source(use->table, kind, id, &unit,
                                        &out->source) != UIOMMU_OK)
            continue;
        out->unit = u->unit[use->first_unit + unit];
        return out->unit ? UIOMMU_OK : UIOMMU_NODEV;
    }
    return UIOMMU_NODEV;
}

enum uiommu_status uiommu_irq_map_source(struct uiommu *u,
                                         enum uiommu_irq_source kind,
                                         unsigned id,
                                         const struct uiommu_irq_target *target,
                                         struct uiommu_irq **out)
{
    struct uiommu_irq like = { .n = 1, .pin = kind == UIOMMU_IRQ_IOAPIC };
    enum uiommu_status status = UIOMMU_AGAIN;

    if (!u || !target || !out ||
        (kind != UIOMMU_IRQ_IOAPIC && kind != UIOMMU_IRQ_HPET))
        return UIOMMU_INVAL;
    u->host.mutex_lock(u->host.ctx, u->lock);
    if (atomic_load(&u->life) == UIM_STARTED)
        status = find_source(u, kind, id, &like);
    if (status == UIOMMU_OK) {
        count(&like);
        status = map(&like, target, out);
    }
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

void uiommu_irq_message(const struct uiommu_irq *irq,
                        struct uiommu_irq_message *out)
{
    irq->unit->ops->irq_message(irq->unit, irq->first, irq->n, &irq->target,
                                out);
}

enum uiommu_status uiommu_irq_retarget(struct uiommu_irq *irq, unsigned i,
                                       const struct uiommu_irq_target *target)
{
    enum uiommu_status status;

    if (!irq || !target || i >= irq->n || !target_ok(irq, target))
        return UIOMMU_INVAL;
    if (uim_asleep(irq->unit->u))
        return UIOMMU_AGAIN;
    status =
        irq->unit->ops->irq_set(irq->unit, irq->first + i, irq->source, target);
    if (i == 0)
        irq->target = *target;
    return status;
}

enum uiommu_status uiommu_irq_unmap(struct uiommu_irq *irq)
{
    enum uiommu_status status;

    if (!irq)
        return UIOMMU_INVAL;
    if (uim_must_wait(irq->unit->u))
        return UIOMMU_AGAIN;
    status = drop_entries(irq, irq->n);
    forget(irq);
    return status;
}

void uim_irqs_forget(struct uiommu *u)
{
    while (!uim_list_empty(&u->irqs))
        forget(uim_container(u->irqs.next, struct uiommu_irq, node));
}
