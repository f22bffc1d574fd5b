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

/* Doorbells may be mapped in it. */
static inline bool hits_doorbells(const struct uiommu_domain *d, uint64_t iova,
                                  uint64_t size)
{
    return iova <= d->kept_last && iova + (size - 1) >= d->kept_first;
}

static inline bool memory_ok(const struct uiommu_domain *d, uint64_t phys,
                             uint64_t size)
{
    return (phys & d->page_mask) == 0 && size - 1 <= d->last_phys &&
           phys <= d->last_phys - (size - 1);
}

static inline bool place_ok(const struct uiommu_domain *d, uint64_t iova,
                            uint64_t size, unsigned flags)
{
    return range_ok(d, iova, size) && !hits_window(d, iova, size) &&
           !(flags & d->flags_refused) && (flags & d->flags_need);
}

static struct uim_inval inval_of(const struct uiommu_gather *g)
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
static APART enum uiommu_status sync_as(struct uiommu_domain *d,
                                        struct uiommu_gather *g,
                                        const struct uim_inval *inval)
{
    enum uiommu_status status;

    if (!g->any)
        return UIOMMU_OK;
    status = uim_invalidate(d, inval);
    if (status == UIOMMU_OK)
        uim_pt_retire(&d->pt, g);
    else
        uim_pt_strand(&d->pt, g);
    return status;
}

static APART enum uiommu_status sync_gather(struct uiommu_domain *d,
                                            struct uiommu_gather *g)
{
    const struct uim_inval inval = inval_of(g);

    return sync_as(d, g, &inval);
}

/* Whoever uses what is mapped there goes on. */
static enum uiommu_status sync_split(struct uiommu_domain *d,
                                     struct uiommu_gather *g)
{
    struct uim_inval inval = inval_of(g);

    inval.same = true;
    return sync_as(d, g, &inval);
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

static APART enum uiommu_status bad_place(const struct uiommu_domain *d,
                                          uint64_t iova, uint64_t size)
{
    if (range_ok(d, iova, size) && hits_doorbells(d, iova, size))
        uim_log(
            d->u, UIOMMU_LOG_WARN,
            "iova 0x%lx is not mapped: 0x%lx to 0x%lx is kept for doorbells",
            iova, d->kept_first, d->kept_last);
    return bad_range(d);
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
    struct uiommu_gather g = { 0 };

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

/* Who is being attached sees the mapping, or is seen here: attach.c. */
static inline bool must_announce(struct uiommu_domain *d)
{
    return atomic_load_explicit(&d->map_sync, memory_order_relaxed) != 0;
}

/* Whoever may fill it. */
static inline enum uiommu_status put_in(struct uiommu_domain *domain,
                                        uint64_t iova, uint64_t phys,
                                        uint64_t size, unsigned flags)
{
    enum uiommu_status status;

    if (!place_ok(domain, iova, size, flags) || !memory_ok(domain, phys, size))
        return bad_place(domain, iova, size);
    status = domain->pt.ops->map(&domain->pt, iova, phys, size, flags);
    if (status != UIOMMU_OK || !must_announce(domain))
        return status;
    return announce(domain, iova, size);
}

static inline enum uiommu_status map(struct uiommu_domain *domain,
                                     uint64_t iova, uint64_t phys,
                                     uint64_t size, unsigned flags)
{
    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    return put_in(domain, iova, phys, size, flags);
}

enum uiommu_status uim_map(struct uiommu_domain *domain, uint64_t iova,
                           uint64_t phys, uint64_t size, unsigned flags)
{
    return put_in(domain, iova, phys, size, flags);
}

/* Whatever removed or added nothing is no event. */
static void record(struct uiommu_domain *d, enum uiommu_event_kind kind,
                   uint64_t iova, uint64_t phys, uint64_t size, uint64_t bytes)
{
    const struct uiommu_event e = {
        .kind = (uint8_t)kind,
        .iova = iova,
        .size = size,
        .bytes = bytes,
        .phys = phys,
    };

    if (bytes > 0)
        uim_recorder_add(d, &e);
}

static APART enum uiommu_status map_recorded(struct uiommu_domain *domain,
                                             uint64_t iova, uint64_t phys,
                                             uint64_t size, unsigned flags)
{
    enum uiommu_status status = map(domain, iova, phys, size, flags);

    if (status == UIOMMU_OK)
        record(domain, UIOMMU_EVENT_MAP, iova, phys, size, size);
    return status;
}

/* The one thing that domains without a recorder pay for it is to ask. */
enum uiommu_status uiommu_map(struct uiommu_domain *domain, uint64_t iova,
                              uint64_t phys, uint64_t size, unsigned flags)
{
    if (domain->recorder)
        return map_recorded(domain, iova, phys, size, flags);
    return map(domain, iova, phys, size, flags);
}

/* Somebody else may have unmapped around it and not told units yet: what they remember
 * of the way there is from before. */
static enum uiommu_status begin_anew(struct uiommu_domain *d, uint64_t iova,
                                     uint64_t size)
{
    const struct uim_inval inval = { .start = iova, .last = iova + (size - 1) };
    enum uiommu_status status = UIOMMU_OK;

    if (must_announce(d))
        status = announce(d, iova, size);
    if (status != UIOMMU_OK || is_private(d))
        return status;
    status = uim_invalidate(d, &inval);
    if (status != UIOMMU_OK)
        undo_map(d, iova, size);
    return status;
}

enum uiommu_status uim_map_doorbell(struct uiommu_domain *domain, uint64_t iova,
                                    uint64_t phys)
{
    const uint64_t page = domain->page_mask + 1;
    const struct uiommu_host *h = &domain->u->host;
    enum uiommu_status status;

    if (!range_ok(domain, iova, page) || !memory_ok(domain, phys, page))
        return bad_range(domain);
    atomic_store(&domain->has_doorbells, true);
    while (atomic_load(&domain->across) > 0)
        if (h->relax)
            h->relax(h->ctx);
    status = domain->pt.ops->map(&domain->pt, iova, phys, page,
                                 UIOMMU_WRITE | UIOMMU_MMIO);
    if (status == UIOMMU_OK)
        status = begin_anew(domain, iova, page);
    if (status == UIOMMU_OK && domain->recorder)
        record(domain, UIOMMU_EVENT_MAP, iova, phys, page, page);
    return status;
}

static APART enum uiommu_status
bad_segment(const struct uiommu_domain *d, const struct uiommu_segment *segment,
            size_t i)
{
    uim_log(d->u, UIOMMU_LOG_WARN,
            "segment %lu (0x%lx, 0x%lx bytes) is not made of pages of 0x%lx "
            "bytes that the unit can address, or all are too large together",
            (uint64_t)i, segment->phys, segment->size, d->page_mask + 1);
    return UIOMMU_INVAL;
}

/* D-93: their sum must not wrap. */
static enum uiommu_status sum_of(const struct uiommu_domain *d,
                                 const struct uiommu_segment *segments,
                                 size_t n, uint64_t *size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t more = segments[i].size;

        if ((more & d->page_mask) || !memory_ok(d, segments[i].phys, more) ||
            more > UINT64_MAX - sum)
            return bad_segment(d, &segments[i], i);
        sum += more;
    }
    *size = sum;
    return UIOMMU_OK;
}

enum uiommu_status uiommu_map_sg(struct uiommu_domain *domain, uint64_t iova,
                                 const struct uiommu_segment *segments,
                                 size_t n, unsigned flags)
{
    enum uiommu_status status;
    uint64_t size = 0;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (domain->given_away)
        return refuse_given_away(domain);
    status = sum_of(domain, segments, n, &size);
    if (status == UIOMMU_OK && !place_ok(domain, iova, size, flags))
        status = bad_place(domain, iova, size);
    if (status == UIOMMU_OK)
        status =
            domain->pt.ops->map_sg(&domain->pt, iova, segments, n, size, flags);
    if (status == UIOMMU_OK && must_announce(domain))
        status = announce(domain, iova, size);
    if (status == UIOMMU_OK && domain->recorder)
        record(domain, UIOMMU_EVENT_MAP, iova, segments[0].phys, size, size);
    return status;
}

static bool inside_leaf(struct uiommu_domain *d, uint64_t iova)
{
    struct uiommu_trace trace;

    return iova <= d->last_iova &&
           d->pt.ops->walk(&d->pt, iova, &trace) == UIOMMU_OK &&
           (iova & (trace.page_size - 1)) != 0;
}

/* Nothing that a caller mapped reaches into the window, so that only the ends of the
 * whole range may cut a leaf: that of the second part is looked at first. */
static enum uiommu_status cut_around(struct uiommu_domain *d, uint64_t iova,
                                     uint64_t last, struct uiommu_gather *g)
{
    enum uiommu_status status = UIOMMU_OK;

    if (last > d->kept_last && inside_leaf(d, last + 1))
        return UIOMMU_INVAL;
    if (iova < d->kept_first)
        status = d->pt.ops->unmap(&d->pt, iova, d->kept_first - iova, g);
    if (status == UIOMMU_OK && last > d->kept_last)
        status =
            d->pt.ops->unmap(&d->pt, d->kept_last + 1, last - d->kept_last, g);
    return status;
}

/* Without doorbells there is nothing to leave, and tables that hold the window go, too.
 * Whoever maps the first waits for those that found none. */
static APART enum uiommu_status cut_window(struct uiommu_domain *d,
                                           uint64_t iova, uint64_t size,
                                           struct uiommu_gather *g)
{
    enum uiommu_status status;

    atomic_fetch_add(&d->across, 1);
    if (atomic_load(&d->has_doorbells))
        status = cut_around(d, iova, iova + (size - 1), g);
    else
        status = d->pt.ops->unmap(&d->pt, iova, size, g);
    atomic_fetch_sub(&d->across, 1);
    return status;
}

static inline enum uiommu_status cut(struct uiommu_domain *d, uint64_t iova,
                                     uint64_t size, struct uiommu_gather *g)
{
    if (hits_doorbells(d, iova, size))
        return cut_window(d, iova, size, g);
    return d->pt.ops->unmap(&d->pt, iova, size, g);
}

static inline enum uiommu_status take_out(struct uiommu_domain *d,
                                          uint64_t iova, uint64_t size,
                                          struct uiommu_gather *g)
{
    enum uiommu_status status;

    if (!range_ok(d, iova, size))
        return bad_range(d);
    status = may_invalidate(d);
    if (status != UIOMMU_OK)
        return status;
    return cut(d, iova, size, g);
}

/* The tables are changed. */
static inline enum uiommu_status finish(struct uiommu_domain *domain,
                                        struct uiommu_gather *g,
                                        uint64_t *unmapped)
{
    if (unmapped)
        *unmapped = g->unmapped;
    if (is_private(domain) && g->tables == 0)
        return UIOMMU_OK;
    return sync_gather(domain, g);
}

/* Recorded before it is confirmed: who is refused meanwhile shall know why. */
static APART enum uiommu_status unmap_recorded(struct uiommu_domain *domain,
                                               uint64_t iova, uint64_t size,
                                               uint64_t *unmapped)
{
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    enum uiommu_status status = take_out(domain, iova, size, &g);

    if (status != UIOMMU_OK)
        return status;
    record(domain, UIOMMU_EVENT_UNMAP, iova, 0, size, g.unmapped);
    return finish(domain, &g, unmapped);
}

enum uiommu_status uiommu_unmap(struct uiommu_domain *domain, uint64_t iova,
                                uint64_t size, uint64_t *unmapped)
{
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    enum uiommu_status status;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (domain->recorder)
        return unmap_recorded(domain, iova, size, unmapped);
    status = take_out(domain, iova, size, &g);
    return status == UIOMMU_OK ? finish(domain, &g, unmapped) : status;
}

enum uiommu_status uim_unmap(struct uiommu_domain *domain, uint64_t iova,
                             uint64_t size)
{
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    enum uiommu_status status = take_out(domain, iova, size, &g);

    return status == UIOMMU_OK ? finish(domain, &g, NULL) : status;
}

void uim_unmap_doorbell(struct uiommu_domain *domain, uint64_t iova)
{
    const uint64_t page = domain->page_mask + 1;
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    if (domain->pt.ops->unmap(&domain->pt, iova, page, &g) != UIOMMU_OK)
        return;
    if (domain->recorder)
        record(domain, UIOMMU_EVENT_UNMAP, iova, 0, page, g.unmapped);
    (void)!sync_gather(domain, &g); /* whoever failed is quarantined */
}

enum uiommu_status uiommu_unmap_gather(struct uiommu_domain *domain,
                                       uint64_t iova, uint64_t size,
                                       struct uiommu_gather *gather)
{
    const uint64_t before = gather->unmapped;
    enum uiommu_status status;

    if (domain->kind != UIOMMU_DOMAIN_PAGING)
        return UIOMMU_OPNOTSUPP;
    if (gather->domain && gather->domain != domain)
        return UIOMMU_INVAL;
    status = take_out(domain, iova, size, gather);
    if (domain->recorder)
        record(domain, UIOMMU_EVENT_GATHER, iova, 0, size,
               gather->unmapped - before);
    if (gather->any && !gather->domain) {
        uiommu_domain_get(domain);
        gather->domain = domain;
    }
    return status;
}

/* The next owner's unit may walk its tables for ever. */
static enum uiommu_status give_up_gather(struct uiommu_domain *d,
                                         struct uiommu_gather *gather)
{
    uim_pt_strand(&d->pt, gather);
    return UIOMMU_BUSY;
}

enum uiommu_status uiommu_sync(struct uiommu_gather *gather)
{
    struct uiommu_domain *d = gather->domain;
    enum uiommu_status status;

    if (!d)
        return UIOMMU_OK;
    status = may_invalidate(d);
    if (status == UIOMMU_AGAIN)
        return status;
    status = status == UIOMMU_OK ? sync_gather(d, gather)
                                 : give_up_gather(d, gather);
    if (status == UIOMMU_OK && d->recorder)
        record(d, UIOMMU_EVENT_SYNC, gather->start, 0,
               gather->last - gather->start + 1, gather->unmapped);
    *gather = (struct uiommu_gather)UIOMMU_GATHER_INIT;
    uiommu_domain_put(d);
    return status;
}

enum uiommu_status uiommu_split(struct uiommu_domain *domain, uint64_t iova,
                                uint64_t size)
{
    struct uiommu_gather g = { 0 };
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
    return status == UIOMMU_OK ? sync_split(domain, &g) : status;
}

static enum uiommu_status walk_static(const struct uiommu_domain *d,
                                      uint64_t iova, struct uiommu_trace *out)
{
    if (d->kind == UIOMMU_DOMAIN_INHERITED || d->foreign)
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
    if (!uim_has_tables(domain) || domain->foreign)
        return walk_static(domain, iova, out);
    if (domain->given_away)
        return refuse_given_away(domain);
    if (iova > domain->last_iova)
        return UIOMMU_INVAL;
    return domain->pt.ops->walk(&domain->pt, iova, out);
}
