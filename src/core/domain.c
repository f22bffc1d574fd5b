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
    uim_list_init(&domain->tentative);
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

/* What all units do that are to see it: `unit` is one of them. */
struct ability {
    struct uim_unit *unit;
    const struct uim_pt_ops *format;
    uint64_t page_sizes, window_first, window_last;
    uint8_t levels, iova_bits, phys_bits;
    bool coherent, snoop, whole_leaves;
};

static struct ability ability_of(struct uim_unit *unit)
{
    return (struct ability){
        .unit = unit,
        .format = unit->format,
        .page_sizes = unit->page_sizes,
        .window_first = unit->window_first,
        .window_last = unit->window_last,
        .levels = unit->levels,
        .iova_bits = unit->iova_bits,
        .phys_bits = unit->phys_bits,
        .coherent = unit->coherent,
        .snoop = unit->snoop,
        .whole_leaves = unit->whole_leaves,
    };
}

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* False: there are no tables that both walk. See tables_fit() in view.c. */
static bool narrow(struct ability *a, const struct uim_unit *unit)
{
    if (unit->format != a->format ||
        (unit->levels > 0 && a->levels > 0 && unit->levels != a->levels))
        return false;
    if (unit->levels > 0)
        a->levels = unit->levels;
    a->page_sizes &= unit->page_sizes;
    a->iova_bits = least(a->iova_bits, unit->iova_bits);
    a->phys_bits = least(a->phys_bits, unit->phys_bits);
    a->coherent &= unit->coherent;
    a->snoop &= unit->snoop;
    a->whole_leaves |= unit->whole_leaves;
    if (unit->window_first < a->window_first)
        a->window_first = unit->window_first;
    if (unit->window_last > a->window_last)
        a->window_last = unit->window_last;
    return a->page_sizes != 0;
}

/* What was asked for, narrowed to what there is. */
static enum uiommu_status choose(const struct ability *a,
                                 const struct uiommu_domain_config *config,
                                 struct uim_pt_config *out)
{
    *out = (struct uim_pt_config){
        .host = a->unit->host,
        .levels = a->levels,
        .iova_bits = a->iova_bits,
        .phys_bits = a->phys_bits,
        .page_sizes = a->page_sizes & ~a->format->run_sizes,
        .coherent = a->coherent,
        .snoop = a->snoop,
        .whole_leaves = a->whole_leaves,
    };
    if (!config)
        return UIOMMU_OK;
    if (config->size != sizeof(*config) || config->flags != 0)
        return UIOMMU_INVAL;
    if ((config->on_request && config->request_queue) ||
        !uim_request_queue_is_of(config->request_queue, a->unit->u))
        return UIOMMU_INVAL;
    if (config->iova_bits > a->iova_bits || config->events > UIOMMU_EVENTS_MOST)
        return UIOMMU_INVAL;
    if (config->iova_bits > 0)
        out->iova_bits = config->iova_bits;
    if (config->page_sizes & ~a->page_sizes)
        return UIOMMU_INVAL;
    if (config->page_sizes > 0)
        out->page_sizes = config->page_sizes;
    /* Without the smallest page nothing could be mapped to the byte. */
    if (!(out->page_sizes & (a->page_sizes & (0 - a->page_sizes))))
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

void uim_domain_open_window(struct uiommu_domain *domain)
{
    domain->window_first = UINT64_MAX; /* no address is below and above */
    domain->window_last = 0;
    domain->kept_first = UINT64_MAX;
    domain->kept_last = 0;
}

/* What no caller of uiommu_map() may map. */
static void set_window(struct uiommu_domain *d, const struct ability *a)
{
    struct uiommu_region window;

    uim_domain_open_window(d);
    d->window_first = a->window_first;
    d->window_last = a->window_last;
    if (a->window_first <= a->window_last ||
        !uim_doorbell_window(a->unit, &window))
        return;
    d->window_first = d->kept_first = window.start;
    d->window_last = d->kept_last = window.last;
}

static enum uiommu_status fill(struct uiommu_domain *d, const struct ability *a,
                               const struct uiommu_domain_config *config,
                               const struct uim_pt_config *pt)
{
    const struct uiommu_host *h = a->unit->host;
    enum uiommu_status status;

    uim_domain_static(a->unit->u, d, UIOMMU_DOMAIN_PAGING);
    d->driver = uim_use_of(a->unit)->driver;
    d->page_mask = (pt->page_sizes & (0 - pt->page_sizes)) - 1;
    d->last_iova = UIM_MASK(pt->iova_bits - 1, 0);
    d->last_phys = UIM_MASK(a->phys_bits - 1, 0);
    d->flags_refused = ~a->format->flags_known;
    d->flags_need = a->format->flags_need;
    if (config) {
        d->on_request = config->on_request;
        d->request_ctx = config->request_ctx;
        d->request_queue = config->request_queue;
        d->answers = d->on_request || d->request_queue;
    }
    set_window(d, a);
    d->lock = h->spin_create(h->ctx);
    if (!d->lock)
        return UIOMMU_NOMEM;
    d->pt.ops = a->format;
    status = a->format->create(&d->pt, pt);
    if (status != UIOMMU_OK)
        h->spin_destroy(h->ctx, d->lock);
    return status;
}

/* On failure it has none. */
static enum uiommu_status
add_recorder(struct uiommu_domain *d, const struct uiommu_domain_config *config)
{
    if (!config || config->events == 0)
        return UIOMMU_OK;
    d->recorder = uim_recorder_create(d->u, config->events);
    return d->recorder ? UIOMMU_OK : UIOMMU_NOMEM;
}

static void free_all(struct uiommu_domain *d)
{
    struct uiommu *u = d->u;

    uim_recorder_free(u, d->recorder);
    u->host.spin_destroy(u->host.ctx, d->lock);
    uim_free(u, d, sizeof(*d));
}

static enum uiommu_status create(const struct ability *a,
                                 const struct uiommu_domain_config *config,
                                 struct uiommu_domain **out)
{
    struct uiommu *u = a->unit->u;
    struct uim_pt_config pt;
    struct uiommu_domain *d;
    enum uiommu_status status = choose(a, config, &pt);

    if (status != UIOMMU_OK)
        return status;
    d = uim_alloc(u, sizeof(*d));
    if (!d)
        return UIOMMU_NOMEM;
    status = fill(d, a, config, &pt);
    if (status != UIOMMU_OK) {
        uim_free(u, d, sizeof(*d));
        return status;
    }
    status = add_recorder(d, config);
    if (status != UIOMMU_OK) {
        d->pt.ops->destroy(&d->pt);
        free_all(d);
        return status;
    }
    uim_request_queue_get(d->request_queue);
    atomic_fetch_add(&u->n_domains, 1);
    *out = d;
    return UIOMMU_OK;
}

enum uiommu_status uim_domain_create(struct uim_unit *unit,
                                     const struct uiommu_domain_config *config,
                                     struct uiommu_domain **out)
{
    const struct ability a = ability_of(unit);

    return create(&a, config, out);
}

static enum uiommu_status refuse(const struct uiommu_endpoint *endpoint,
                                 const struct uiommu_endpoint *other)
{
    const struct uim_unit *a = endpoint->unit, *b = other->unit;

    uim_log(
        a->u, UIOMMU_LOG_WARN,
        "%s and %s are of one group, and no tables can be made for both: "
        "the unit at 0x%lx walks %s (%u levels), that at 0x%lx %s (%u levels)",
        uim_device_name(endpoint->device).text,
        uim_device_name(other->device).text, a->base, a->format->name,
        (unsigned)a->levels, b->base, b->format->name, (unsigned)b->levels);
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status refuse_tables(const struct uiommu_endpoint *endpoint)
{
    uim_log(endpoint->unit->u, UIOMMU_LOG_WARN,
            "%s has no domains of its own: no unit translates for it",
            uim_device_name(endpoint->device).text);
    return UIOMMU_OPNOTSUPP;
}

/* The endpoint that is in the way, or NULL. */
static const struct uiommu_endpoint *narrow_all(struct ability *a,
                                                struct uim_view *view)
{
    uim_list_for_each(n, &view->endpoints) {
        const struct uiommu_endpoint *other =
            uim_container(n, struct uiommu_endpoint, member);

        if (other->unit != a->unit && !narrow(a, other->unit))
            return other;
    }
    return NULL;
}

/* Of a PASID that it may not have yet: all that will see what it sees. */
static const struct uiommu_endpoint *narrow_members(struct ability *a,
                                                    struct uiommu_group *group)
{
    uim_list_for_each(n, &group->devices) {
        const struct uiommu_device *d =
            uim_container(n, struct uiommu_device, member);

        if (d->pasid_bits > 0 && d->unit != a->unit && !narrow(a, d->unit))
            return d->endpoint;
    }
    return NULL;
}

/* No more than a mediator lets be seen. */
static void narrow_to(struct ability *a, const struct uim_limits *limits)
{
    if (limits->iova_bits == 0)
        return;
    a->iova_bits = least(a->iova_bits, limits->iova_bits);
    a->page_sizes &= limits->page_sizes;
}

static const struct uiommu_endpoint *
narrow_mediated(struct ability *a, const struct uim_mediated *m)
{
    const struct uiommu_endpoint *other =
        m->group->hardware && !m->group->software
            ? narrow_members(a, m->group->hardware)
            : narrow_all(a, &m->group->own);

    narrow_to(a, &m->limits);
    return other;
}

enum uiommu_status
uim_domain_create_for(const struct uiommu_endpoint *endpoint,
                      const struct uiommu_domain_config *config,
                      struct uiommu_domain **out)
{
    struct ability a = ability_of(endpoint->unit);
    const struct uiommu_endpoint *other;

    if (endpoint->unit->walks_none)
        return refuse_tables(endpoint);
    other = endpoint->mediated ? narrow_mediated(&a, endpoint->mediated)
                               : narrow_all(&a, endpoint->view);

    narrow_to(&a, &endpoint->view->limits);
    return other ? refuse(endpoint, other) : create(&a, config, out);
}

enum uiommu_status
uiommu_domain_create(struct uiommu_endpoint *endpoint,
                     const struct uiommu_domain_config *config,
                     struct uiommu_domain **out)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint || !out)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = endpoint->device ? uim_domain_create_for(endpoint, config, out)
                              : UIOMMU_NODEV;
    uim_group_leave(group);
    return status;
}

struct uiommu_domain *uim_domain_foreign(struct uim_unit *unit,
                                         const struct uim_pt *pt)
{
    struct uiommu *u = unit->u;
    struct uiommu_domain *d = uim_alloc(u, sizeof(*d));

    if (!d)
        return NULL;
    uim_domain_static(u, d, UIOMMU_DOMAIN_SVA);
    d->driver = uim_use_of(unit)->driver;
    d->foreign = true;
    d->pt = *pt;
    d->last_iova = UIM_MASK(pt->iova_bits - 1, 0);
    uim_domain_open_window(d);
    d->lock = u->host.spin_create(u->host.ctx);
    if (!d->lock) {
        uim_free(u, d, sizeof(*d));
        return NULL;
    }
    atomic_fetch_add(&u->n_domains, 1);
    return d;
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

static void wait_for_handlers(struct uiommu_domain *d)
{
    const struct uiommu_host *h = &d->u->host;

    while (atomic_load(&d->in_handler) > 0)
        if (h->relax)
            h->relax(h->ctx);
}

static void destroy(struct uiommu_domain *d)
{
    struct uiommu_provider *provider = d->provider;
    struct uiommu *u = d->u;

    if (provider) {
        uim_sva_unlist(d);
        wait_for_handlers(d);
    }
    free_links(d);
    if (d->foreign)
        ; /* not ours to free */
    else if (uim_given_away(d))
        uim_pt_give_away(&d->pt);
    else
        d->pt.ops->destroy(&d->pt);
    uim_request_queue_put(d->request_queue);
    free_all(d);
    atomic_fetch_sub(&u->n_domains, 1);
    if (provider)
        uiommu_provider_put(provider);
}

/* Somebody walks its tables for ever. */
static void lose(struct uiommu_domain *d)
{
    atomic_fetch_sub(&d->u->n_domains, 1);
    if (d->provider)
        uim_sva_lose(d->provider);
}

void uim_domains_reap(struct uiommu *u)
{
    while (!uim_list_empty(&u->tainted)) {
        struct uiommu_domain *d =
            uim_container(u->tainted.next, struct uiommu_domain, node);

        uim_list_del(&d->node);
        if (u->stuck)
            lose(d);
        else
            destroy(d);
    }
}

void uiommu_domain_get(struct uiommu_domain *domain)
{
    atomic_fetch_add(&domain->refs, 1);
}

void uiommu_domain_put(struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &domain->u->host;

    if (!uim_has_tables(domain)) {
        atomic_fetch_sub(&domain->refs, 1);
        return;
    }
    if (atomic_fetch_sub(&domain->refs, 1) > 1)
        return;
    /* Of those that still see it somebody may be about to say that it is tainted; nobody
     * who comes later is. */
    wait_for_handlers(domain);
    if (!atomic_load(&domain->tainted)) {
        destroy(domain);
        return;
    }
    /* A unit that did not answer may still walk these tables: they stay until
     * uiommu_stop() has switched it off, and whoever invalidates hears of it. */
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
    if (!uim_has_tables(domain))
        return;
    out->iova_bits = domain->pt.iova_bits;
    out->page_sizes = domain->pt.page_sizes;
    out->last_iova = domain->last_iova;
    out->format = domain->pt.ops->name;
}
