/* SPDX-License-Identifier: MIT */
/*
 * fault.c - from a unit's record to whoever wants to know (semantics B.18).
 *
 * A record is completed with what the domain's tables say now, so that it can be
 * explained later without the domain. The domain's handler hears it first, then
 * the instance's, then the log, at a limited rate. That a device forges interrupts
 * is not for the owner of its domain to hide, nor that it was shut off (storm.c).
 */
#include "core/core.h"

enum {
    SENTENCES = 20,              /* in one window                           */
    WINDOW_NS = 1000 * 1000 * 1000,
};

/* Pins the device and its domain's handler, so that neither goes meanwhile. */
static struct uiommu_device *pin(const struct uim_unit *unit, uint32_t id,
                                 uint32_t pasid, struct uiommu_domain **domain,
                                 struct uiommu_endpoint **own)
{
    const struct uiommu_host *h = unit->host;
    struct uiommu_device *device = NULL;
    struct uiommu_endpoint *ep;

    h->spin_lock(h->ctx, unit->u->device_lock);
    ep = uim_endpoint_find_pasid(unit, id, pasid);
    *domain = ep ? ep->domain : NULL;
    if (ep) {
        device = ep->device;
        *own = uim_own(ep);
        atomic_fetch_add(&device->readers, 1);
        atomic_fetch_add(&(*domain)->in_handler, 1);
    }
    h->spin_unlock(h->ctx, unit->u->device_lock);
    return device;
}

static void unpin(struct uiommu_device *device, struct uiommu_domain *domain)
{
    if (!device)
        return;
    atomic_fetch_sub(&domain->in_handler, 1);
    atomic_fetch_sub(&device->readers, 1);
}

static void add_context(struct uiommu_fault *f, struct uiommu_domain *d)
{
    struct uiommu_trace trace;

    f->domain_kind = (uint8_t)d->kind;
    if (!uim_has_tables(d) || d->foreign || !f->has_iova ||
        f->iova > d->last_iova)
        return;
    f->has_trace = true;
    f->mapped = d->pt.ops->walk(&d->pt, f->iova, &trace) == UIOMMU_OK;
    f->rights = f->mapped ? trace.flags : 0;
    f->level = trace.level;
    d->pt.ops->neighbours(&d->pt, f->iova, &f->below, &f->above);
    if (d->recorder)
        uim_recorder_ask(d, f);
}

/* True if another sentence may be logged; *lost are those that were not. One
 * device that faults all the time does not hide what others do. */
static bool may_log(struct uiommu *u, struct uim_log_limit *limit,
                    unsigned *lost)
{
    uint64_t now = u->host.now_ns(u->host.ctx);
    bool yes;

    *lost = 0;
    u->host.spin_lock(u->host.ctx, u->device_lock);
    if (now - limit->window_ns >= WINDOW_NS) {
        limit->window_ns = now;
        limit->logged = 0;
        *lost = limit->suppressed;
        limit->suppressed = 0;
    }
    yes = limit->logged < SENTENCES;
    if (yes)
        limit->logged++;
    else
        limit->suppressed++;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return yes;
}

static void log_fault(struct uiommu *u, struct uim_log_limit *limit,
                      const struct uiommu_fault *f)
{
    char text[640];
    unsigned lost = 0;

    if (!u->host.log ||
        (f->kind != UIOMMU_FAULT_STORM && !may_log(u, limit, &lost)))
        return;
    if (lost > 0)
        uim_log(u, UIOMMU_LOG_WARN, "%u more faults were not logged", lost);
    uiommu_explain_fault(f, text, sizeof(text));
    u->host.log(u->host.ctx, UIOMMU_LOG_WARN, text);
}

static bool ask_domain(struct uiommu_domain *d, const struct uiommu_fault *f)
{
    const struct uiommu_host *h = &d->u->host;
    uiommu_fault_fn fn;
    void *ctx;

    h->spin_lock(h->ctx, d->u->device_lock);
    fn = d->on_fault;
    ctx = d->fault_ctx;
    h->spin_unlock(h->ctx, d->u->device_lock);
    return fn && fn(ctx, f);
}

static void deliver(struct uiommu *u, struct uiommu_fault *fault,
                    struct uiommu_device *device, struct uiommu_domain *domain)
{
    bool taken = false;

    if (device && device->kind == UIOMMU_DEVICE_PCI) {
        fault->has_source = true;
        fault->source = device->pci;
    }
    fault->device = device && atomic_load(&device->added) ? device : NULL;
    if (device && fault->kind != UIOMMU_FAULT_INTERRUPT) {
        fault->domain = domain;
        add_context(fault, domain);
        taken = ask_domain(domain, fault) && fault->kind == UIOMMU_FAULT_DMA;
    }
    if (!taken && u->config.on_fault)
        taken = u->config.on_fault(u->config.fault_ctx, fault);
    if (!taken)
        log_fault(u, device ? &device->limit : &u->limit, fault);
}

void uim_fault(struct uim_unit *unit, struct uiommu_fault *fault)
{
    struct uiommu_domain *domain;
    struct uiommu_endpoint *own = NULL;
    struct uiommu_device *device =
        pin(unit, fault->id, fault->pasid, &domain, &own);
    enum uim_storm storm = UIM_STORM_NONE;

    if (device && fault->kind == UIOMMU_FAULT_DMA)
        storm = uim_storm(own, &fault->count);
    if (storm == UIM_STORM_BEGINS)
        fault->kind = UIOMMU_FAULT_STORM;
    if (storm != UIM_STORM_GOES_ON)
        deliver(unit->u, fault, device, domain);
    unpin(device, domain);
}

/* As pin(), of one that the caller has. */
static struct uiommu_device *pin_part(struct uiommu_endpoint *ep,
                                      struct uiommu_domain **domain)
{
    const struct uiommu_host *h = ep->unit->host;
    struct uiommu_device *device;

    h->spin_lock(h->ctx, ep->unit->u->device_lock);
    device = ep->device;
    *domain = uim_mediated_sees(ep);
    if (device) {
        atomic_fetch_add(&device->readers, 1);
        atomic_fetch_add(&(*domain)->in_handler, 1);
    }
    h->spin_unlock(h->ctx, ep->unit->u->device_lock);
    return device;
}

enum uiommu_status uiommu_access_fault(struct uiommu_endpoint *endpoint,
                                       uint64_t iova, unsigned flags)
{
    struct uiommu_fault fault = {
        .driver = "software",
        .pasid = UIOMMU_NO_PASID,
        .access = flags,
        .has_iova = true,
        .iova = iova,
    };
    struct uiommu_domain *domain;
    struct uiommu_device *device;

    if (!uim_is_emulated(endpoint) || !uim_is_access(flags))
        return UIOMMU_INVAL;
    device = pin_part(endpoint, &domain);
    if (!device)
        return UIOMMU_NODEV;
    fault.unit = endpoint->unit->index;
    fault.id = endpoint->id;
    deliver(endpoint->unit->u, &fault, device, domain);
    unpin(device, domain);
    return UIOMMU_OK;
}

void uiommu_fault_handler(struct uiommu_domain *domain, uiommu_fault_fn fn,
                          void *ctx)
{
    const struct uiommu_host *h = &domain->u->host;

    h->spin_lock(h->ctx, domain->u->device_lock);
    domain->on_fault = fn;
    domain->fault_ctx = ctx;
    h->spin_unlock(h->ctx, domain->u->device_lock);
    while (atomic_load(&domain->in_handler) > 0)
        if (h->relax)
            h->relax(h->ctx);
}
