/* SPDX-License-Identifier: MIT */
/*
 * map.c - what a paging domain translates. The format does the tables, the core
 * the rules around them: arguments, invalidation, when tables may be freed.
 */
#include "core/core.h"

#include "base/mem.h"

/* Smallest pages, not empty, inside the domain. */
static inline bool range_ok(const struct uiommu_domain *d, uint64_t iova,
                            uint64_t size)
{
    return ((iova | size) & d->page_mask) == 0 && size - 1 <= d->last_iova &&
           iova <= d->last_iova - (size - 1);
}

static inline bool hits_window(const struct uiommu_domain *d, uint64_t iova,
                               uint64_t size)
{
    return iova <= d->window_last && iova + (size - 1) >= d->window_first;
}

static inline bool map_args_ok(const struct uiommu_domain *d, uint64_t iova,
                               uint64_t phys, uint64_t size, unsigned flags)
{
    return range_ok(d, iova, size) && !hits_window(d, iova, size) &&
           (phys & d->page_mask) == 0 && size - 1 <= d->last_phys &&
           phys <= d->last_phys - (size - 1) && !(flags & d->flags_refused) &&
           (flags & d->flags_need);
}

static struct uim_inval inval_of(const struct uim_gather *g)
{
    return (struct uim_inval){
        .start = g->start,
        .last = g->last,
        .leaf_only = !g->non_leaf,
    };
}

/* Kept out of line: a domain that nobody sees pays for none of this. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

/* What a gather holds is unreachable afterwards, and its tables are freed; or
 * they stay with the domain, if hardware did not confirm. */
static APART enum uiommu_status sync_gather(struct uiommu_domain *d,
                                            struct uim_gather *g)
{
    struct uim_inval inval = inval_of(g);
    enum uiommu_status status;

    if (!g->any)
        return UIOMMU_OK;
    status = uim_invalidate(d, &inval);
    if (status == UIOMMU_OK)
        uim_pt_retire(&d->pt, g);
    else
        uim_pt_strand(&d->pt, g);
    return status;
}

/* No unit ever saw it. */
static inline bool is_private(struct uiommu_domain *d)
{
    return atomic_load_explicit(&d->links, memory_order_relaxed) == NULL;
}

static APART enum uiommu_status refuse_given_away(const struct uiommu_domain *d)
{
    uim_log(d->u, UIOMMU_LOG_WARN,
            "a domain that was handed over stays as it is: its tables are the "
            "next owner's");
    return UIOMMU_BUSY;
}

/* No range is inside one that was given away. */
static APART enum uiommu_status bad_range(const struct uiommu_domain *d)
{
    return d->given_away ? refuse_given_away(d) : UIOMMU_INVAL;
}

/* The instance does not run: it starts, sleeps or is over. */
static APART enum uiommu_status may_invalidate_now(struct uiommu_domain *d)
{
    if (uim_given_away(d))
        return refuse_given_away(d);
    return uim_asleep(d->u) ? UIOMMU_AGAIN : UIOMMU_OK;
}

static inline enum uiommu_status may_invalidate(struct uiommu_domain *d)
{
    return is_private(d) || uim_runs(d->u) ? UIOMMU_OK : may_invalidate_now(d);
}

static enum uiommu_status sync_map(struct uiommu_domain *d, uint64_t iova,
                                   uint64_t size)
{
    const struct uim_inval inval = { .start = iova, .last = iova + (size - 1) };
    struct uim_link *link = atomic_load(&d->links);
    enum uiommu_status worst = UIOMMU_OK;

    for (; link; link = atomic_load(&link->next)) {
        enum uiommu_status status = UIOMMU_OK;

        if (atomic_load(&link->users) > 0 && link->unit->map_sync)
            status = link->unit->ops->map_sync(link, &inval);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

/* A unit did not take notice of a new mapping: take it out again. */
static void undo_map(struct uiommu_domain *d, uint64_t iova, uint64_t size)
{
    struct uim_gather g = { 0 };

    if (d->pt.ops->unmap(&d->pt, iova, size, &g) == UIOMMU_OK)
        (void)!sync_gather(d, &g);
}

static APART enum uiommu_status announce(struct uiommu_domain *d, uint64_t iova,
                                         uint64_t size)
{
    enum uiommu_status status;

    uim_fence(&d->u->host);
    status = sync_map(d, iova, size);
    if (status != UIOMMU_OK)
        undo_map(d, iova, size);
    return status;
}

enum uiommu_status uiommu_map(struct uiommu_domain *domain, uint64_t iova,
                              uint64_t phys, uint64_t size, unsigned flags)
{
    enum uiommu_status status;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (!map_args_ok(domain, iova, phys, size, flags))
        return bad_range(domain);
    status = domain->pt.ops->map(&domain->pt, iova, phys, size, flags);
    /* Who is being attached sees the mapping, or is seen here: attach.c. */
    if (status != UIOMMU_OK ||
        atomic_load_explicit(&domain->map_sync, memory_order_relaxed) == 0)
        return status;
    return announce(domain, iova, size);
}

enum uiommu_status uiommu_unmap(struct uiommu_domain *domain, uint64_t iova,
                                uint64_t size, uint64_t *unmapped)
{
    struct uim_gather g = { 0 };
    enum uiommu_status status;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (!range_ok(domain, iova, size))
        return bad_range(domain);
    status = may_invalidate(domain);
    if (status != UIOMMU_OK)
        return status;
    status = domain->pt.ops->unmap(&domain->pt, iova, size, &g);
    if (status != UIOMMU_OK)
        return status;
    if (unmapped)
        *unmapped = g.unmapped;
    if (is_private(domain) && g.tables == 0)
        return UIOMMU_OK;
    return sync_gather(domain, &g);
}

enum uiommu_status uiommu_split(struct uiommu_domain *domain, uint64_t iova,
                                uint64_t size)
{
    struct uim_gather g = { 0 };
    enum uiommu_status status;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (!range_ok(domain, iova, size))
        return bad_range(domain);
    status = may_invalidate(domain);
    if (status != UIOMMU_OK)
        return status;
    status = domain->pt.ops->split(&domain->pt, iova, size, &g);
    if (status == UIOMMU_OPNOTSUPP)
        uim_log(domain->u, UIOMMU_LOG_INFO,
                "split at iova 0x%lx: a unit of the domain needs leaves to be "
                "unmapped before their size changes (break before make)",
                iova);
    if (status != UIOMMU_OK)
        return status;
    return sync_gather(domain, &g);
}

static enum uiommu_status walk_static(const struct uiommu_domain *d,
                                      uint64_t iova, struct uiommu_trace *out)
{
    if (d->kind == UIOMMU_DOMAIN_INHERITED)
        return UIOMMU_OPNOTSUPP;
    memset(out, 0, sizeof(*out));
    if (d->kind == UIOMMU_DOMAIN_BLOCKED)
        return UIOMMU_NOENT;
    out->phys = iova;
    out->flags = UIOMMU_READ | UIOMMU_WRITE;
    return UIOMMU_OK;
}

enum uiommu_status uiommu_walk(struct uiommu_domain *domain, uint64_t iova,
                               struct uiommu_trace *out)
{
    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return walk_static(domain, iova, out);
    if (domain->given_away)
        return refuse_given_away(domain);
    if (iova > domain->last_iova)
        return UIOMMU_INVAL;
    return domain->pt.ops->walk(&domain->pt, iova, out);
}
