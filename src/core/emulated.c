/* SPDX-License-Identifier: MIT */
/*
 * emulated.c - parts of devices that no hardware keeps apart (semantics C.2): their
 * mediators look addresses up here, and promise to let go of what is unmapped.
 *
 * To the core they are endpoints of a unit that is software. It translates for one part
 * after the other, by the tables of the domain, and what a mediator has pinned is what
 * this unit has cached. Whoever unmaps stores first, then looks for pins; whoever pins is
 * listed first, then looks into the tables: one of them sees the other (attach.c).
 */
#include "core/core.h"

#include "base/mem.h"

/* Of one hardware unit, whose tables it reads, so that domains serve both. */
struct uim_soft {
    struct uim_unit unit;
    struct uim_unit *of;
    bool linked; /* domains may remember it */
    void *lock; /* spin: the list, and of parts what they see, pins          */
    struct uim_node parts; /* by sequence                                    */
    uint64_t sequence;
};

static struct uim_mediated *part_of(struct uim_node *n)
{
    return uim_container(n, struct uim_mediated, software);
}

static struct uim_soft *soft_of(const struct uim_mediated *m)
{
    return uim_container(m->endpoint.unit, struct uim_soft, unit);
}

static void lock(const struct uim_soft *soft)
{
    const struct uiommu_host *h = soft->unit.host;

    h->spin_lock(h->ctx, soft->lock);
}

static void unlock(const struct uim_soft *soft)
{
    const struct uiommu_host *h = soft->unit.host;

    h->spin_unlock(h->ctx, soft->lock);
}

static void relax(const struct uim_soft *soft)
{
    const struct uiommu_host *h = soft->unit.host;

    if (h->relax)
        h->relax(h->ctx);
}

/* ---- what is not there to be pinned ------------------------------------------------- */

void uim_tentative_begin(struct uim_region_run *run)
{
    struct uiommu_domain *d = run->domain;
    const struct uiommu_host *h = &d->u->host;

    h->spin_lock(h->ctx, d->lock);
    uim_list_add_tail(&d->tentative, &run->node);
    h->spin_unlock(h->ctx, d->lock);
}

/* Whoever looked it up while it was listed, and finds it listed no more, looks again. */
void uim_tentative_end(struct uim_region_run *run)
{
    struct uiommu_domain *d = run->domain;
    const struct uiommu_host *h = &d->u->host;

    h->spin_lock(h->ctx, d->lock);
    atomic_fetch_add(&d->settled, 1);
    uim_list_del(&run->node);
    h->spin_unlock(h->ctx, d->lock);
}

/* Does [first, last] meet something tentative; `whole`: is it inside of that? */
static bool meets_tentative(struct uiommu_domain *d, uint64_t first,
                            uint64_t last, bool whole)
{
    const struct uiommu_host *h = &d->u->host;
    bool found = false;

    h->spin_lock(h->ctx, d->lock);
    uim_list_for_each(n, &d->tentative) {
        const struct uim_region_run *run =
            uim_container(n, struct uim_region_run, node);

        found |= whole ? first >= run->start && last <= run->last
                       : first <= run->last && last >= run->start;
    }
    h->spin_unlock(h->ctx, d->lock);
    return found;
}

/* Doorbells are for interrupts, which no part sends itself (C.6). */
static bool is_kept(struct uiommu_domain *d, uint64_t first, uint64_t last)
{
    if (d->kind != UIOMMU_DOMAIN_PAGING)
        return false;
    return (first <= d->kept_last && last >= d->kept_first) ||
           meets_tentative(d, first, last, false);
}

/* Then there is nobody to be told, and nothing to wait for. */
static bool cannot_be_pinned(struct uiommu_domain *d,
                             const struct uim_inval *inval)
{
    if (inval->all)
        return false;
    return (inval->start >= d->kept_first && inval->last <= d->kept_last) ||
           meets_tentative(d, inval->start, inval->last, true);
}

/* ---- a mediator lets go ------------------------------------------------------------- */

/* The lock is held. */
static bool is_pinned(const struct uim_mediated *m,
                      const struct uiommu_domain *d,
                      const struct uim_inval *inval)
{
    for (const struct uiommu_pin *pin = m->pins; pin; pin = pin->next)
        if (pin->domain == d && (inval->all || (pin->first <= inval->last &&
                                                pin->last >= inval->start)))
            return true;
    return false;
}

static bool has_pins(const struct uim_mediated *m,
                     const struct uiommu_domain *d,
                     const struct uim_inval *inval)
{
    bool yes;

    lock(soft_of(m));
    yes = is_pinned(m, d, inval);
    unlock(soft_of(m));
    return yes;
}

/* What was in the tables is there no more; when this returns nobody uses it. */
static void tell(struct uim_mediated *m, const struct uiommu_domain *d,
                 const struct uim_inval *inval)
{
    struct uim_call call;

    uim_mediator_enter(m, &call, true);
    m->mediator.unmapped(m->config.ctx, &m->endpoint,
                         inval->all ? 0 : inval->start,
                         inval->all ? UINT64_MAX : inval->last);
    uim_mediator_leave(&call);
    while (has_pins(m, d, inval))
        relax(soft_of(m));
}

/* ---- the unit ------------------------------------------------------------------------- */

static enum uiommu_status soft_link(struct uim_link *link)
{
    uim_container(link->unit, struct uim_soft, unit)->linked = true;
    return UIOMMU_OK;
}

static void soft_unlink(struct uim_link *link)
{
    (void)link;
}

static void show(struct uim_mediated *m, struct uiommu_domain *d)
{
    lock(soft_of(m));
    m->sees = d;
    unlock(soft_of(m));
}

static enum uiommu_status soft_set(struct uiommu_endpoint *endpoint,
                                   struct uiommu_domain *next,
                                   struct uiommu_domain *old)
{
    static const struct uim_inval everything = { .all = true };
    struct uim_mediated *m = endpoint->mediated;

    show(m, next);
    if (old != next && old->kind != UIOMMU_DOMAIN_BLOCKED)
        tell(m, old, &everything);
    return UIOMMU_OK;
}

static enum uiommu_status soft_cut(struct uiommu_endpoint *endpoint)
{
    show(endpoint->mediated, &endpoint->unit->u->blocked);
    return UIOMMU_OK;
}

/* The next that sees it, or does no more and has not let go yet; it stays until it was
 * told. */
static struct uim_mediated *next_part(struct uim_soft *soft,
                                      const struct uiommu_domain *d,
                                      const struct uim_inval *inval,
                                      uint64_t *sequence)
{
    struct uim_mediated *found = NULL;

    lock(soft);
    uim_list_for_each(n, &soft->parts) {
        struct uim_mediated *m = part_of(n);

        if (m->sequence <= *sequence ||
            (m->sees != d && !is_pinned(m, d, inval)))
            continue;
        *sequence = m->sequence;
        atomic_fetch_add(&m->endpoint.readers, 1);
        found = m;
        break;
    }
    unlock(soft);
    return found;
}

static enum uiommu_status soft_invalidate(struct uim_link *link,
                                          const struct uim_inval *inval)
{
    struct uim_soft *soft = uim_container(link->unit, struct uim_soft, unit);
    struct uim_mediated *m;
    uint64_t sequence = 0;

    if (inval->same || cannot_be_pinned(link->domain, inval))
        return UIOMMU_OK;
    while ((m = next_part(soft, link->domain, inval, &sequence)) != NULL) {
        tell(m, link->domain, inval);
        atomic_fetch_sub(&m->endpoint.readers, 1);
    }
    return UIOMMU_OK;
}

/* Everything else is asked of units that the driver made. */
static const struct uim_unit_ops soft_ops = {
    .link = soft_link,
    .unlink = soft_unlink,
    .set = soft_set,
    .cut = soft_cut,
    .invalidate = soft_invalidate,
};

static void fill(struct uim_unit *unit, const struct uim_unit *like)
{
    *unit = (struct uim_unit){
        .ops = &soft_ops,
        .driver = like->driver,
        .u = like->u,
        .host = like->host,
        .index = like->index,
        .base = like->base,
        .segment = like->segment,
        .mode = "software",
        .format = like->format,
        .page_sizes = like->page_sizes,
        .levels = like->levels,
        .iova_bits = like->iova_bits,
        .phys_bits = like->phys_bits,
        .coherent = like->coherent,
        .snoop = like->snoop,
        .whole_leaves = like->whole_leaves,
        .identity = true,
        .messages_are_dma = like->messages_are_dma,
        .quality = UIOMMU_BLOCK_ABORT,
        .window_first = like->window_first,
        .window_last = like->window_last,
    };
}

static enum uiommu_status create(struct uim_unit *unit)
{
    const struct uiommu_host *h = unit->host;
    struct uim_soft *soft = uim_alloc(unit->u, sizeof(*soft));

    if (!soft)
        return UIOMMU_NOMEM;
    soft->lock = h->spin_create(h->ctx);
    if (!soft->lock) {
        uim_free(unit->u, soft, sizeof(*soft));
        return UIOMMU_NOMEM;
    }
    fill(&soft->unit, unit);
    soft->of = unit;
    uim_list_init(&soft->parts);
    unit->soft = soft;
    return UIOMMU_OK;
}

void uim_soft_free(struct uim_unit *unit)
{
    const struct uiommu_host *h = unit->host;
    struct uim_soft *soft = unit->soft;

    if (!soft)
        return;
    unit->soft = NULL;
    h->spin_destroy(h->ctx, soft->lock);
    uim_free(unit->u, soft, sizeof(*soft));
}

enum uiommu_status uim_soft_get(struct uim_unit *unit)
{
    return unit->soft ? UIOMMU_OK : create(unit);
}

void uim_soft_put(struct uim_unit *unit)
{
    const struct uim_soft *soft = unit->soft;

    if (soft && uim_list_empty(&soft->parts) && !soft->linked)
        uim_soft_free(unit);
}

void uim_soft_add(struct uim_mediated *m, struct uim_unit *unit)
{
    struct uim_soft *soft = unit->soft;

    m->endpoint.unit = &soft->unit;
    m->sees = &unit->u->blocked;
    uim_list_add_tail(&m->group->own.endpoints, &m->endpoint.member);
    lock(soft);
    m->sequence = ++soft->sequence;
    uim_list_add_tail(&soft->parts, &m->software);
    unlock(soft);
}

/* It sees nothing, or the instance is over. */
void uim_soft_remove(struct uim_mediated *m)
{
    struct uiommu_endpoint *ep = &m->endpoint;
    struct uim_soft *soft = soft_of(m);

    lock(soft);
    uim_list_del(&m->software);
    unlock(soft);
    uim_list_del(&ep->member);
    uim_detach(ep, ep->domain);
    uim_link_put(ep->domain, ep->unit, UIOMMU_NO_PASID);
    while (atomic_load(&ep->readers) > 0)
        relax(soft);
    uim_soft_put(soft->of);
}

/* ---- what mediators ask (C.8) -------------------------------------------------------------- */

/* One piece of memory in one piece of addresses. INVAL: nothing, or not so much. */
static enum uiommu_status look_up(struct uiommu_domain *d, uint64_t iova,
                                  uint64_t size, unsigned flags,
                                  struct uiommu_segment *out)
{
    struct uiommu_trace trace;
    uint64_t left;

    if (uiommu_walk(d, iova, &trace) != UIOMMU_OK ||
        (trace.flags & flags) != flags)
        return UIOMMU_INVAL;
    left = trace.page_size - (iova & (trace.page_size - 1));
    if (trace.page_size == 0 || left > size) /* identity has no pages */
        left = size;
    *out = (struct uiommu_segment){ .phys = trace.phys, .size = left };
    return UIOMMU_OK;
}

static enum uiommu_status each_piece(struct uiommu_domain *d, uint64_t iova,
                                     uint64_t size, unsigned flags,
                                     uiommu_access_fn fn, void *ctx)
{
    struct uiommu_segment piece;

    for (; size > 0; iova += piece.size, size -= piece.size) {
        enum uiommu_status status = look_up(d, iova, size, flags, &piece);

        if (status != UIOMMU_OK)
            return status;
        if (fn)
            fn(ctx, &piece);
    }
    return UIOMMU_OK;
}

/* Is all of it there, to stay? */
static enum uiommu_status find(const struct uiommu_pin *pin, unsigned flags)
{
    struct uiommu_domain *d = pin->domain;
    const uint64_t size = pin->last - pin->first + 1;
    enum uiommu_status status;
    uint32_t settled;

    do {
        settled = atomic_load(&d->settled);
        status = each_piece(d, pin->first, size, flags, NULL, NULL);
        uim_fence_full(); /* what is found was listed before */
        if (status == UIOMMU_OK && is_kept(d, pin->first, pin->last))
            status = UIOMMU_INVAL;
    } while (atomic_load(&d->settled) != settled);
    return status;
}

static enum uiommu_status list_pin(struct uim_mediated *m,
                                   struct uiommu_pin *pin)
{
    enum uiommu_status status = UIOMMU_INVAL;

    if (uim_mediator_is_told(m))
        return UIOMMU_BUSY;
    lock(soft_of(m));
    if (m->sees->kind != UIOMMU_DOMAIN_BLOCKED) {
        pin->domain = m->sees;
        pin->next = m->pins;
        m->pins = pin;
        status = UIOMMU_OK;
    }
    unlock(soft_of(m));
    return status;
}

/* False: it is none of its. */
static bool unlist_pin(struct uim_mediated *m, struct uiommu_pin *pin)
{
    struct uiommu_pin **at = &m->pins;
    bool found;

    lock(soft_of(m));
    while (*at && *at != pin)
        at = &(*at)->next;
    found = *at != NULL;
    if (found)
        *at = pin->next;
    unlock(soft_of(m));
    return found;
}

static bool is_range(uint64_t iova, uint64_t size)
{
    return size > 0 && size - 1 <= UINT64_MAX - iova;
}

bool uim_is_access(unsigned flags)
{
    return flags != 0 && (flags & ~(unsigned)(UIOMMU_READ | UIOMMU_WRITE)) == 0;
}

bool uim_is_emulated(const struct uiommu_endpoint *endpoint)
{
    return endpoint && endpoint->mediated &&
           endpoint->mediated->config.kind == UIOMMU_MDEV_EMULATED;
}

enum uiommu_status uiommu_access_pin(struct uiommu_endpoint *endpoint,
                                     uint64_t iova, uint64_t size,
                                     unsigned flags, struct uiommu_pin *pin,
                                     uiommu_access_fn fn, void *ctx)
{
    enum uiommu_status status;

    if (!uim_is_emulated(endpoint) || !pin || !is_range(iova, size) ||
        !uim_is_access(flags))
        return UIOMMU_INVAL;
    if (atomic_load(&endpoint->quarantined))
        return UIOMMU_NODEV;
    pin->first = iova;
    pin->last = iova + (size - 1);
    status = list_pin(endpoint->mediated, pin);
    if (status != UIOMMU_OK)
        return status;
    uim_fence_full(); /* listed before it looks */
    status = find(pin, flags);
    if (status == UIOMMU_OK)
        status = each_piece(pin->domain, iova, size, flags, fn, ctx);
    if (status != UIOMMU_OK)
        (void)unlist_pin(endpoint->mediated, pin);
    return status;
}

enum uiommu_status uiommu_access_unpin(struct uiommu_endpoint *endpoint,
                                       struct uiommu_pin *pin)
{
    if (!uim_is_emulated(endpoint) || !pin)
        return UIOMMU_INVAL;
    return unlist_pin(endpoint->mediated, pin) ? UIOMMU_OK : UIOMMU_NOENT;
}

enum uiommu_status uiommu_access_rw(struct uiommu_endpoint *endpoint,
                                    uint64_t iova, uint64_t size,
                                    unsigned flags, uiommu_access_fn fn,
                                    void *ctx)
{
    struct uiommu_pin pin;
    enum uiommu_status status;

    if (!fn)
        return UIOMMU_INVAL;
    status = uiommu_access_pin(endpoint, iova, size, flags, &pin, fn, ctx);
    if (status == UIOMMU_OK)
        (void)unlist_pin(endpoint->mediated, &pin);
    return status;
}
