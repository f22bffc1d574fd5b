/* SPDX-License-Identifier: MIT */
/*
 * sva.c - address spaces of processes: providers and their domains (semantics B.20).
 *
 * A provider has a domain for each kind of tables that units need to show it. The list of
 * them is read in any context: a domain is held there by its in_handler, which whoever
 * frees it waits for.
 */
#include "core/core.h"

#include "base/bits.h"
#include "base/mem.h"

static void lock(struct uiommu *u)
{
    u->host.spin_lock(u->host.ctx, u->device_lock);
}

static void unlock(struct uiommu *u)
{
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

/* ---- providers -------------------------------------------------------------------- */

/* Are there tables that a processor walks? */
static bool is_foreign(const struct uiommu_provider *p)
{
    return p->config.tables != UIOMMU_TABLES_NONE;
}

/* log2 of the pages of the processor that walks them. */
static unsigned page_lg2(const struct uiommu_provider_config *c)
{
    switch (c->tables) {
    case UIOMMU_TABLES_VMSA_16K:
        return 14;
    case UIOMMU_TABLES_VMSA_64K:
        return 16;
    default:
        return 12;
    }
}

/* The root of VMSAv8-64 is as large as it has to be, but for 8 entries, and aligned to
 * that. */
static bool vmsa_ok(const struct uiommu_provider_config *c)
{
    const unsigned page = page_lg2(c), entries = page - 3;
    unsigned root_lg2;

    if (c->va_bits < 25 || c->va_bits > 48)
        return false;
    root_lg2 = (c->va_bits - page - 1) % entries + 1 + 3;
    return (c->root & UIM_MASK(root_lg2 > 6 ? root_lg2 - 1 : 5, 0)) == 0;
}

static bool tables_ok(const struct uiommu_provider_config *c)
{
    switch (c->tables) {
    case UIOMMU_TABLES_NONE:
        return c->va_bits == 0 && c->root == 0 &&
               (c->page_sizes & (c->page_sizes - 1)) == 0;
    case UIOMMU_TABLES_X86_64:
        return (c->va_bits == 48 || c->va_bits == 57) && (c->root & 0xfff) == 0;
    case UIOMMU_TABLES_VMSA_4K:
    case UIOMMU_TABLES_VMSA_16K:
    case UIOMMU_TABLES_VMSA_64K:
        return vmsa_ok(c);
    }
    return false;
}

static bool config_ok(const struct uiommu_provider_config *c)
{
    return c->size == sizeof(*c) &&
           !(c->flags & ~(uint32_t)UIOMMU_PROVIDER_RESIDENT) && tables_ok(c) &&
           !(c->page_sizes & UIM_MASK(11, 0)) &&
           (c->last == 0 || c->first <= c->last);
}

/* Nobody comes beside or after a hand-over. */
static enum uiommu_status join_list(struct uiommu_provider *p)
{
    struct uiommu *u = p->u;
    bool may;

    u->host.mutex_lock(u->host.ctx, u->lock);
    may = !u->handed_over;
    if (may) {
        lock(u);
        uim_list_add_tail(&u->providers, &p->node);
        unlock(u);
    }
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return may ? UIOMMU_OK : UIOMMU_BUSY;
}

enum uiommu_status
uiommu_provider_create(struct uiommu *u,
                       const struct uiommu_provider_config *config,
                       struct uiommu_provider **out)
{
    struct uiommu_provider *p;
    enum uiommu_status status;

    if (!u || !config || !out || !config_ok(config))
        return UIOMMU_INVAL;
    p = uim_alloc(u, sizeof(*p));
    if (!p)
        return UIOMMU_NOMEM;
    p->u = u;
    p->config = *config;
    if (p->config.page_sizes == 0)
        p->config.page_sizes = UIM_BIT(page_lg2(config));
    atomic_store(&p->refs, 1);
    uim_list_init(&p->domains);
    uim_list_init(&p->bonds);
    status = join_list(p);
    if (status == UIOMMU_OK)
        *out = p;
    else
        uim_free(u, p, sizeof(*p));
    return status;
}

void uiommu_provider_get(struct uiommu_provider *provider)
{
    atomic_fetch_add(&provider->refs, 1);
}

/* False: somebody who goes through the list stands there. Each of its domains may be the
 * one that makes it leave. */
static bool try_leave_list(struct uiommu_provider *p)
{
    bool alone;

    lock(p->u);
    alone = atomic_load(&p->readers) == 0;
    if (alone) {
        uim_list_del(&p->node);
        uim_list_init(&p->node);
    }
    unlock(p->u);
    return alone;
}

static void leave_list(struct uiommu_provider *p)
{
    const struct uiommu_host *h = &p->u->host;

    while (!try_leave_list(p))
        if (h->relax)
            h->relax(h->ctx);
}

void uiommu_provider_put(struct uiommu_provider *provider)
{
    struct uiommu *u = provider->u;

    if (atomic_fetch_sub(&provider->refs, 1) > 1)
        return;
    leave_list(provider);
    if (provider->config.released && !provider->lost)
        provider->config.released(provider->config.ctx);
    uim_free(u, provider, sizeof(*provider));
}

void uim_sva_lose(struct uiommu_provider *provider)
{
    provider->lost = true;
    if (is_foreign(provider))
        atomic_store(&provider->u->lost_tables, true);
    uiommu_provider_put(provider);
}

bool uim_sva_none(struct uiommu *u)
{
    bool none;

    lock(u);
    none = uim_list_empty(&u->providers);
    unlock(u);
    return none;
}

static bool is_over(const struct uiommu_provider *p)
{
    return atomic_load(&p->over) != 0;
}

bool uim_sva_is_over(const struct uiommu_domain *domain)
{
    return domain->provider && is_over(domain->provider);
}

static uint32_t next_pasid(const struct uiommu *u, uint32_t pasid)
{
    for (const struct uim_node *n = u->providers.next; n != &u->providers;
         n = n->next)
        if (uim_container(n, const struct uiommu_provider, node)->pasid ==
            pasid)
            return pasid + 1;
    return pasid;
}

uint32_t uim_sva_free_pasid(struct uiommu *u, uint32_t pasid)
{
    uint32_t from;

    do {
        from = pasid;
        pasid = next_pasid(u, pasid);
    } while (pasid != from);
    return pasid;
}

/* ---- page requests ------------------------------------------------------------------ */

static struct uiommu_domain *shared_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_domain, shared);
}

/* Only memory of the lower half is a process's, and none of it is for the privileged. */
static bool may_be_had(const struct uiommu_domain *d,
                       const struct uiommu_page_request *r)
{
    return (r->access & (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_EXEC)) &&
           !(r->access & UIOMMU_PRIV) && r->iova <= d->last_iova &&
           !uim_sva_is_over(d);
}

/* The first that cannot be had is the answer for all. */
static enum uiommu_response serve(void *ctx,
                                  const struct uiommu_request_group *group)
{
    const struct uiommu_domain *d = ctx;
    const struct uiommu_provider_config *c = &d->provider->config;

    for (const struct uiommu_page_request *r = group->first; r; r = r->next)
        if (!may_be_had(d, r) ||
            c->on_fault(c->ctx, r->iova, r->access) != UIOMMU_OK)
            return UIOMMU_RESPONSE_INVALID;
    return uim_sva_is_over(d) ? UIOMMU_RESPONSE_INVALID
                              : UIOMMU_RESPONSE_SUCCESS;
}

/* ---- domains ---------------------------------------------------------------------------- */

static const char *lacks(const struct uiommu_provider *p,
                         const struct uim_unit *unit, struct uim_pt *pt)
{
    memset(pt, 0, sizeof(*pt));
    if (!unit->ops->shared_tables)
        return "it walks no tables of processors";
    if (!unit->coherent)
        return "it does not snoop the caches in which they are written";
    return unit->ops->shared_tables(unit, &p->config, pt);
}

static bool same_tables(const struct uim_pt *a, const struct uim_pt *b)
{
    return a->ops == b->ops && a->top == b->top &&
           a->input_bits == b->input_bits && a->phys_bits == b->phys_bits;
}

bool uim_sva_fits(const struct uiommu_domain *domain,
                  const struct uim_unit *unit)
{
    struct uim_pt pt;

    return !lacks(domain->provider, unit, &pt) && same_tables(&pt, &domain->pt);
}

/* By its mediator, and by that of the device that it is of. */
static bool is_let_see(const struct uiommu_endpoint *ep,
                       const struct uiommu_domain *d)
{
    return uim_is_within(d, &ep->view->limits, ep->unit) &&
           (!ep->mediated || uim_is_within(d, &ep->mediated->limits, ep->unit));
}

static enum uiommu_status refuse_part(const struct uiommu_endpoint *ep)
{
    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "a part of %s cannot use the address space of a process: its "
            "mediator lets it have fewer addresses, or other pages",
            uim_device_name(ep->device).text);
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status create_foreign(const struct uiommu_endpoint *ep,
                                         const struct uiommu_provider *p,
                                         struct uiommu_domain **out)
{
    struct uim_pt pt;
    const char *why = lacks(p, ep->unit, &pt);

    if (why) {
        uim_log(p->u, UIOMMU_LOG_WARN,
                "%s cannot use the address space of a process: of the unit at "
                "0x%lx, %s",
                uim_device_name(ep->device).text, ep->unit->base, why);
        return UIOMMU_OPNOTSUPP;
    }
    *out = uim_domain_foreign(ep->unit, &pt);
    if (!*out)
        return UIOMMU_NOMEM;
    (*out)->attributes = p->config.attributes;
    if (is_let_see(ep, *out))
        return UIOMMU_OK;
    uiommu_domain_put(*out);
    return refuse_part(ep);
}

/* With pages of one size, whatever part of the space goes can go alone. */
static enum uiommu_status create_own(const struct uiommu_endpoint *ep,
                                     const struct uiommu_provider *p,
                                     struct uiommu_domain **out)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .page_sizes = p->config.page_sizes,
    };
    enum uiommu_status status = uim_domain_create_for(ep, &config, out);

    if (status != UIOMMU_INVAL)
        return status;
    uim_log(p->u, UIOMMU_LOG_WARN,
            "%s cannot use the address space of a process: the unit at 0x%lx "
            "has no pages of 0x%lx bytes, or not as its smallest",
            uim_device_name(ep->device).text, ep->unit->base,
            p->config.page_sizes);
    return UIOMMU_OPNOTSUPP;
}

static void list(struct uiommu_provider *p, struct uiommu_domain *d)
{
    lock(p->u);
    d->listed = ++p->listed;
    uim_list_add_tail(&p->domains, &d->shared);
    unlock(p->u);
}

void uim_sva_unlist(struct uiommu_domain *domain)
{
    lock(domain->u);
    uim_list_del(&domain->shared);
    unlock(domain->u);
}

/* Whoever maps from now on maps in it too. */
static enum uiommu_status fill(struct uiommu_provider *p,
                               struct uiommu_domain *d)
{
    const struct uiommu_provider_config *c = &p->config;
    enum uiommu_status status = UIOMMU_OK;

    d->kind = UIOMMU_DOMAIN_SVA;
    /* Interrupts carry no PASID, and what carries one is translated everywhere. */
    uim_domain_open_window(d);
    d->resident = c->flags & UIOMMU_PROVIDER_RESIDENT;
    if (c->on_fault) {
        d->answers = true;
        d->on_request = serve;
        d->request_ctx = d;
    }
    uiommu_provider_get(p);
    d->provider = p;
    list(p, d);
    if (!d->foreign && c->fill)
        status = c->fill(c->ctx);
    if (status != UIOMMU_OK)
        uiommu_domain_put(d);
    return status;
}

static enum uiommu_status create(const struct uiommu_endpoint *ep,
                                 struct uiommu_provider *p,
                                 struct uiommu_domain **out)
{
    struct uiommu_domain *d = NULL;
    enum uiommu_status status =
        is_foreign(p) ? create_foreign(ep, p, &d) : create_own(ep, p, &d);

    if (status == UIOMMU_OK)
        status = fill(p, d);
    if (status == UIOMMU_OK)
        *out = d;
    return status;
}

/* False: it is being freed. */
static bool try_get(struct uiommu_domain *d)
{
    uint32_t refs = atomic_load(&d->refs);

    while (refs > 0 && !atomic_compare_exchange_strong_explicit(
                           &d->refs, &refs, refs + 1, memory_order_relaxed,
                           memory_order_relaxed))
        ;
    return refs > 0;
}

/* All that will see what a PASID of the endpoint's sees. */
static bool fits_all(const struct uiommu_domain *d,
                     const struct uiommu_endpoint *ep)
{
    const struct uiommu_group *group = uim_hardware_of(ep->view->group);

    if (!is_let_see(ep, d))
        return false;
    for (const struct uim_node *n = group->devices.next; n != &group->devices;
         n = n->next) {
        const struct uiommu_device *device =
            uim_container(n, const struct uiommu_device, member);

        if (device->pasid_bits > 0 && !uim_fits_pasid(d, device->unit))
            return false;
    }
    return true;
}

static struct uiommu_domain *find(const struct uiommu_endpoint *ep,
                                  struct uiommu_provider *p)
{
    struct uiommu_domain *found = NULL;

    lock(p->u);
    uim_list_for_each(n, &p->domains)
        if (!found && fits_all(shared_of(n), ep) && try_get(shared_of(n)))
            found = shared_of(n);
    unlock(p->u);
    return found;
}

enum uiommu_status uim_sva_domain(struct uiommu_endpoint *endpoint,
                                  struct uiommu_provider *provider,
                                  struct uiommu_domain **out)
{
    struct uiommu_domain *d;

    if (!endpoint->device)
        return UIOMMU_NODEV;
    if (is_over(provider))
        return UIOMMU_NOENT;
    if (endpoint->view->group->software)
        return UIOMMU_OPNOTSUPP;
    d = find(endpoint, provider);
    if (!d)
        return create(endpoint, provider, out);
    *out = d;
    return UIOMMU_OK;
}

enum uiommu_status uiommu_sva_domain(struct uiommu_endpoint *endpoint,
                                     struct uiommu_provider *provider,
                                     struct uiommu_domain **out)
{
    struct uiommu_group *group;
    enum uiommu_status status;
    struct uiommu *u;

    if (!endpoint || !provider || !out || endpoint->unit->u != provider->u)
        return UIOMMU_INVAL;
    if (uim_is_inside(endpoint))
        return UIOMMU_BUSY;
    u = provider->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    group = uim_group_enter(endpoint);
    status = uim_sva_domain(endpoint, provider, out);
    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- all domains of a provider ------------------------------------------------------------ */

/* The next after `listed`, pinned. */
static struct uiommu_domain *next_domain(struct uiommu_provider *p,
                                         uint64_t listed)
{
    struct uiommu_domain *d = NULL;

    lock(p->u);
    uim_list_for_each(n, &p->domains)
        if (!d && shared_of(n)->listed > listed)
            d = shared_of(n);
    if (d)
        atomic_fetch_add(&d->in_handler, 1);
    unlock(p->u);
    return d;
}

static void unpin(struct uiommu_domain *d)
{
    atomic_fetch_sub(&d->in_handler, 1);
}

static enum uiommu_status invalidate(struct uiommu_provider *p,
                                     const struct uim_inval *inval)
{
    enum uiommu_status worst = UIOMMU_OK;
    struct uiommu_domain *d;

    /* What the processor stored, before who sees it is looked up. */
    uim_fence_full();
    for (uint64_t at = 0; (d = next_domain(p, at)) != NULL;) {
        enum uiommu_status status = uim_invalidate(d, inval);

        at = d->listed;
        unpin(d);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

enum uiommu_status uiommu_sva_invalidate(struct uiommu_provider *provider,
                                         uint64_t start, uint64_t last)
{
    const struct uim_inval inval = {
        .start = start,
        .last = last,
        .all = start == 0 && last == UINT64_MAX,
    };

    if (!provider || last < start)
        return UIOMMU_INVAL;
    if (uim_asleep(provider->u))
        return UIOMMU_AGAIN;
    return invalidate(provider, &inval);
}

/* The next provider after `after`, pinned; `after` is not any more. */
static struct uiommu_provider *next_provider(struct uiommu *u,
                                             struct uiommu_provider *after)
{
    struct uiommu_provider *next = NULL;

    lock(u);
    for (struct uim_node *n = after ? after->node.next : u->providers.next;
         !next && n != &u->providers; n = n->next)
        next = uim_container(n, struct uiommu_provider, node);
    if (next)
        atomic_fetch_add(&next->readers, 1);
    if (after)
        atomic_fetch_sub(&after->readers, 1);
    unlock(u);
    return next;
}

enum uiommu_status uiommu_sva_tables_freed(struct uiommu *u)
{
    static const struct uim_inval everything = { .all = true };
    enum uiommu_status worst = UIOMMU_OK;
    struct uiommu_provider *p = NULL;

    if (!u)
        return UIOMMU_INVAL;
    if (uim_asleep(u))
        return UIOMMU_AGAIN;
    while ((p = next_provider(u, p)) != NULL) {
        enum uiommu_status status = UIOMMU_OK;

        if (is_foreign(p))
            status = invalidate(p, &everything);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return atomic_load(&u->lost_tables) ? UIOMMU_TIMEDOUT : worst;
}

static enum uiommu_status shut(struct uiommu_provider *p)
{
    enum uiommu_status worst = UIOMMU_OK;
    struct uiommu_domain *d;

    for (uint64_t at = 0; (d = next_domain(p, at)) != NULL;) {
        enum uiommu_status status = uim_shut(d);

        at = d->listed;
        unpin(d);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

enum uiommu_status uiommu_provider_exit(struct uiommu_provider *provider)
{
    if (!provider)
        return UIOMMU_INVAL;
    atomic_store(&provider->over, true);
    /* program() in view.c lists first, then asks whether it is over; who resumes has
     * units that take commands first, and then looks for what is over. */
    uim_fence_full();
    return uim_asleep(provider->u) ? UIOMMU_AGAIN : shut(provider);
}

/* What does not confirm is quarantined, and its provider hears of it when he asks again. */
void uim_sva_shut_ended(struct uiommu *u)
{
    struct uiommu_provider *p = NULL;

    uim_fence_full();
    while ((p = next_provider(u, p)) != NULL)
        if (is_over(p))
            (void)!shut(p);
}

/* ---- without tables ------------------------------------------------------------------------- */

static bool is_there(struct uiommu_domain *d, uint64_t iova, uint64_t phys,
                     unsigned flags)
{
    const struct uim_pt_ops *ops = d->pt.ops;
    struct uiommu_trace t;

    return ops->walk(&d->pt, iova, &t) == UIOMMU_OK && t.phys == phys &&
           ops->grants(t.entry[t.level], flags);
}

/* Some of it is there: page by page. */
static enum uiommu_status map_rest(struct uiommu_domain *d, uint64_t iova,
                                   uint64_t phys, uint64_t size, unsigned flags)
{
    const uint64_t page = d->page_mask + 1;
    enum uiommu_status status = UIOMMU_OK;

    for (uint64_t at = 0; status == UIOMMU_OK && at < size; at += page) {
        status = uim_map(d, iova + at, phys + at, page, flags);
        if (status == UIOMMU_EXIST && is_there(d, iova + at, phys + at, flags))
            status = UIOMMU_OK;
    }
    return status;
}

static enum uiommu_status map(struct uiommu_domain *d, uint64_t iova,
                              uint64_t phys, uint64_t size, unsigned flags)
{
    enum uiommu_status status = uim_map(d, iova, phys, size, flags);

    return status == UIOMMU_EXIST ? map_rest(d, iova, phys, size, flags)
                                  : status;
}

/* Of its pages, not empty, and not wrapping; how wide they are domains know. */
static bool range_ok(const struct uiommu_provider *p, uint64_t iova,
                     uint64_t size)
{
    return ((iova | size) & (p->config.page_sizes - 1)) == 0 && size > 0 &&
           size - 1 <= UINT64_MAX - iova;
}

/* What of the range the domain can have; 0: nothing. Nobody reaches the rest by it. */
static uint64_t size_in(const struct uiommu_domain *d, uint64_t iova,
                        uint64_t size)
{
    if (iova > d->last_iova)
        return 0;
    return size - 1 <= d->last_iova - iova ? size : d->last_iova - iova + 1;
}

enum uiommu_status uiommu_provider_map(struct uiommu_provider *provider,
                                       uint64_t iova, uint64_t phys,
                                       uint64_t size, unsigned flags)
{
    enum uiommu_status status = UIOMMU_OK;
    struct uiommu_domain *d;

    if (!provider)
        return UIOMMU_INVAL;
    if (is_foreign(provider))
        return UIOMMU_OPNOTSUPP;
    if (is_over(provider))
        return UIOMMU_NOENT;
    if (!range_ok(provider, iova, size))
        return UIOMMU_INVAL;
    for (uint64_t at = 0;
         status == UIOMMU_OK && (d = next_domain(provider, at)) != NULL;) {
        const uint64_t here = size_in(d, iova, size);

        if (here > 0)
            status = map(d, iova, phys, here, flags);
        at = d->listed;
        unpin(d);
    }
    return status;
}

enum uiommu_status uiommu_provider_unmap(struct uiommu_provider *provider,
                                         uint64_t iova, uint64_t size)
{
    enum uiommu_status worst = UIOMMU_OK;
    struct uiommu_domain *d;

    if (!provider)
        return UIOMMU_INVAL;
    if (is_foreign(provider))
        return UIOMMU_OPNOTSUPP;
    if (!range_ok(provider, iova, size))
        return UIOMMU_INVAL;
    for (uint64_t at = 0; (d = next_domain(provider, at)) != NULL;) {
        const uint64_t here = size_in(d, iova, size);
        enum uiommu_status status = UIOMMU_OK;

        if (here > 0)
            status = uim_unmap(d, iova, here);
        at = d->listed;
        unpin(d);
        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}
