/* SPDX-License-Identifier: MIT */
/*
 * domain.c - domains come and go.
 */
#include "core/core.h"

#include "base/bits.h"
#include "base/mem.h"

void uim_domain_static(struct uiommu *u, struct uiommu_domain *domain,
                       enum uiommu_domain_kind kind)
{
    domain->u = u;
    domain->kind = kind;
    atomic_store(&domain->refs, 1);
    uim_list_init(&domain->attachments);
    uim_list_init(&domain->node);
}

struct uiommu_domain *uiommu_blocked(struct uiommu *u)
{
    return &u->blocked;
}

struct uiommu_domain *uiommu_identity(struct uiommu *u)
{
    return &u->identity;
}

struct uiommu_domain *uiommu_inherited(struct uiommu *u)
{
    return &u->inherited;
}

/* ---- create ------------------------------------------------------------------- */

/* What was asked for, narrowed to what the unit has. */
static enum uiommu_status choose(const struct uim_unit *unit,
                                 const struct uiommu_domain_config *config,
                                 struct uim_pt_config *out)
{
    *out = (struct uim_pt_config){
        .host = unit->host,
        .levels = unit->levels,
        .iova_bits = unit->iova_bits,
        .phys_bits = unit->phys_bits,
        .page_sizes = unit->page_sizes & ~unit->format->run_sizes,
        .coherent = unit->coherent,
        .snoop = unit->snoop,
        .whole_leaves = unit->whole_leaves,
    };
    if (!config)
        return UIOMMU_OK;
    if (config->size != sizeof(*config) || config->flags != 0)
        return UIOMMU_INVAL;
    if (config->iova_bits > unit->iova_bits)
        return UIOMMU_INVAL;
    if (config->iova_bits > 0)
        out->iova_bits = config->iova_bits;
    if (config->page_sizes & ~unit->page_sizes)
        return UIOMMU_INVAL;
    if (config->page_sizes > 0)
        out->page_sizes = config->page_sizes;
    /* Without the smallest page nothing could be mapped to the byte. */
    if (!(out->page_sizes & (unit->page_sizes & (0 - unit->page_sizes))))
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

static enum uiommu_status fill(struct uiommu_domain *d,
                               const struct uim_unit *unit,
                               const struct uim_pt_config *pt)
{
    const struct uiommu_host *h = unit->host;
    enum uiommu_status status;

    uim_domain_static(unit->u, d, UIOMMU_DOMAIN_PAGING);
    d->driver = uim_use_of(unit)->driver;
    d->page_mask = (pt->page_sizes & (0 - pt->page_sizes)) - 1;
    d->last_iova = UIM_MASK(pt->iova_bits - 1, 0);
    d->last_phys = UIM_MASK(unit->phys_bits - 1, 0);
    d->flags_refused = ~unit->format->flags_known;
    d->flags_need = unit->format->flags_need;
    d->window_first = unit->window_first;
    d->window_last = unit->window_last;
    d->lock = h->spin_create(h->ctx);
    if (!d->lock)
        return UIOMMU_NOMEM;
    d->pt.ops = unit->format;
    status = unit->format->create(&d->pt, pt);
    if (status != UIOMMU_OK)
        h->spin_destroy(h->ctx, d->lock);
    return status;
}

enum uiommu_status uim_domain_create(struct uim_unit *unit,
                                     const struct uiommu_domain_config *config,
                                     struct uiommu_domain **out)
{
    struct uim_pt_config pt;
    struct uiommu_domain *d;
    enum uiommu_status status = choose(unit, config, &pt);

    if (status != UIOMMU_OK)
        return status;
    d = uim_alloc(unit->u, sizeof(*d));
    if (!d)
        return UIOMMU_NOMEM;
    status = fill(d, unit, &pt);
    if (status != UIOMMU_OK) {
        uim_free(unit->u, d, sizeof(*d));
        return status;
    }
    atomic_fetch_add(&unit->u->n_domains, 1);
    *out = d;
    return UIOMMU_OK;
}

enum uiommu_status
uiommu_domain_create(struct uiommu_endpoint *endpoint,
                     const struct uiommu_domain_config *config,
                     struct uiommu_domain **out)
{
    if (!endpoint || !out)
        return UIOMMU_INVAL;
    return uim_domain_create(endpoint->device->unit, config, out);
}

/* ---- free ---------------------------------------------------------------------- */

static void free_links(struct uiommu_domain *d)
{
    struct uim_link *link = atomic_load(&d->links);

    while (link) {
        struct uim_link *next = atomic_load(&link->next);

        if (link != &d->first_link)
            uim_free(d->u, link, sizeof(*link));
        link = next;
    }
}

bool uim_given_away(const struct uiommu_domain *d)
{
    return d->given_away || (d->u->handed_over && atomic_load(&d->tainted));
}

static void destroy(struct uiommu_domain *d)
{
    struct uiommu *u = d->u;

    free_links(d);
    if (uim_given_away(d))
        uim_pt_give_away(&d->pt);
    else
        d->pt.ops->destroy(&d->pt);
    u->host.spin_destroy(u->host.ctx, d->lock);
    uim_free(u, d, sizeof(*d));
    atomic_fetch_sub(&u->n_domains, 1);
}

void uim_domains_reap(struct uiommu *u)
{
    while (!uim_list_empty(&u->tainted)) {
        struct uiommu_domain *d =
            uim_container(u->tainted.next, struct uiommu_domain, node);

        uim_list_del(&d->node);
        if (u->stuck)
            atomic_fetch_sub(&u->n_domains, 1);
        else
            destroy(d);
    }
}

static void wait_for_handlers(struct uiommu_domain *d)
{
    const struct uiommu_host *h = &d->u->host;

    while (atomic_load(&d->in_handler) > 0)
        if (h->relax)
            h->relax(h->ctx);
}

void uiommu_domain_get(struct uiommu_domain *domain)
{
    atomic_fetch_add(&domain->refs, 1);
}

void uiommu_domain_put(struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &domain->u->host;

    if (domain->kind != UIOMMU_DOMAIN_PAGING) {
        atomic_fetch_sub(&domain->refs, 1);
        return;
    }
    if (atomic_fetch_sub(&domain->refs, 1) > 1)
        return;
    wait_for_handlers(domain);
    if (!atomic_load(&domain->tainted)) {
        destroy(domain);
        return;
    }
    /* A unit that did not answer may still walk these tables: they stay until
     * uiommu_stop() has switched it off. */
    h->spin_lock(h->ctx, domain->u->device_lock);
    uim_list_add_tail(&domain->u->tainted, &domain->node);
    h->spin_unlock(h->ctx, domain->u->device_lock);
}

void uiommu_domain_info(const struct uiommu_domain *domain,
                        struct uiommu_domain_info *out)
{
    memset(out, 0, sizeof(*out));
    out->kind = domain->kind;
    out->format = "";
    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return;
    out->iova_bits = domain->pt.iova_bits;
    out->page_sizes = domain->pt.page_sizes;
    out->last_iova = domain->last_iova;
    out->format = domain->pt.ops->name;
}
