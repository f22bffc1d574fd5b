/* SPDX-License-Identifier: MIT */
/*
 * view.c - a group moves from what it sees to something else (semantics B.5, B.6).
 *
 * Three steps: all that may run out is had for every endpoint, every endpoint is
 * programmed, every endpoint leaves what it saw before. Until the last step each is
 * listed in both domains, so that the second can be undone without asking for
 * anything, and an unmap in either reaches all caches.
 */
#include "core/core.h"

#include "base/bits.h"

static struct uiommu_endpoint *endpoint_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, member);
}

void uim_view_init(struct uim_view *view, struct uiommu_group *group,
                   uint32_t pasid, struct uiommu_domain *domain)
{
    view->group = group;
    view->pasid = pasid;
    view->domain = domain;
    uiommu_domain_get(domain);
    uim_list_init(&view->node);
    uim_list_init(&view->endpoints);
    uim_list_init(&view->gone);
}

/* ---- can this domain serve this endpoint? ------------------------------------- */

static bool tables_fit(const struct uiommu_domain *d,
                       const struct uim_unit *unit)
{
    const struct uim_pt *pt = &d->pt;

    return pt->ops == unit->format &&
           (unit->levels == 0 || pt->top + 1 == unit->levels) &&
           pt->iova_bits <= unit->iova_bits &&
           (pt->page_sizes & ~unit->page_sizes) == 0 &&
           d->last_phys <= UIM_MASK(unit->phys_bits - 1, 0) &&
           (unit->coherent || !pt->coherent) && (unit->snoop || !pt->snoop) &&
           (pt->whole_leaves || !unit->whole_leaves);
}

/* Interrupts of the device would go wherever they are mapped. */
static bool window_fits(const struct uiommu_domain *d,
                        const struct uim_unit *unit)
{
    return d->window_first <= unit->window_first &&
           d->window_last >= unit->window_last;
}

static bool fits_unit(const struct uiommu_domain *d,
                      const struct uim_unit *unit, bool with_pasid)
{
    switch (d->kind) {
    case UIOMMU_DOMAIN_BLOCKED:
        return unit->quality != UIOMMU_BLOCK_NONE;
    case UIOMMU_DOMAIN_IDENTITY:
        return unit->identity && (!with_pasid || unit->pasid_identity);
    case UIOMMU_DOMAIN_PAGING:
        return !unit->walks_none && tables_fit(d, unit) && window_fits(d, unit);
    case UIOMMU_DOMAIN_SVA:
        return with_pasid && !unit->walks_none &&
               (d->foreign ? uim_sva_fits(d, unit) : tables_fit(d, unit));
    case UIOMMU_DOMAIN_INHERITED:
        break; /* only ever left */
    }
    return false;
}

/* What is not narrowed the unit does; tables of a process may be wider than those that it
 * has for all else. */
bool uim_is_within(const struct uiommu_domain *d,
                   const struct uim_limits *limits, const struct uim_unit *unit)
{
    const bool all = limits->iova_bits >= unit->iova_bits;

    if (limits->iova_bits == 0)
        return true;
    if (d->kind == UIOMMU_DOMAIN_IDENTITY)
        return all;
    return !uim_has_tables(d) ||
           ((all || d->pt.iova_bits <= limits->iova_bits) &&
            (d->pt.page_sizes & ~limits->page_sizes) == 0);
}

static bool fits(const struct uiommu_domain *d,
                 const struct uiommu_endpoint *ep)
{
    return fits_unit(d, ep->unit, ep->pasid != UIOMMU_NO_PASID) &&
           (d == uim_rest(ep->unit) ||
            uim_is_within(d, &ep->view->limits, ep->unit));
}

bool uim_fits_pasid(const struct uiommu_domain *domain,
                    const struct uim_unit *unit)
{
    return fits_unit(domain, unit, true);
}

bool uim_view_fits(const struct uim_view *view,
                   const struct uiommu_domain *domain)
{
    if (view->mediated)
        return uim_mediated_fits(view->mediated, domain);
    uim_list_for_each(n, &view->endpoints)
        if (!fits(domain, endpoint_of(n)))
            return false;
    return true;
}

/* ---- one endpoint: what may run out ------------------------------------------------ */

static enum uiommu_status get(struct uiommu_endpoint *ep,
                              struct uiommu_domain *next)
{
    enum uiommu_status status = uim_link_get(next, ep->unit, ep->pasid);

    if (status != UIOMMU_OK)
        return status;
    status = uim_ask_get(ep, next);
    if (status != UIOMMU_OK)
        uim_link_put(next, ep->unit, ep->pasid);
    return status;
}

static enum uiommu_status reserve(struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next)
{
    enum uiommu_status status;

    if (atomic_load(&ep->quarantined) && next != uim_rest(ep->unit))
        return UIOMMU_NODEV;
    if (ep->domain == next)
        return UIOMMU_OK;
    if (!fits(next, ep))
        return next->kind == UIOMMU_DOMAIN_BLOCKED ? UIOMMU_OPNOTSUPP
                                                   : UIOMMU_INVAL;
    status = uim_ask_may(ep, next);
    if (status != UIOMMU_OK)
        return status;
    status = get(ep, next);
    if (status != UIOMMU_OK)
        return status;
    uim_attach(ep, next);
    if (uim_caches(ep, next))
        atomic_fetch_add(&next->n_ats, 1);
    ep->moving = true;
    return UIOMMU_OK;
}

/* Whoever ends `d` may have found the endpoint there before it was left: the mark that he
 * sets is then for something that it does not see any more. Who comes later does not find
 * it, and what the others store is seen here, because the list has a lock. */
static void wait_for_the_end(struct uiommu_endpoint *ep,
                             const struct uiommu_domain *d)
{
    const struct uiommu_host *h = &ep->unit->u->host;

    while (uim_sva_is_over(d) && atomic_load(&ep->readers) > 0)
        if (h->relax)
            h->relax(h->ctx);
}

/* `d` is no longer seen by the endpoint, nor cached for it. */
static void leave(struct uiommu_endpoint *ep, struct uiommu_domain *d,
                  bool cached)
{
    if (cached)
        atomic_fetch_sub(&d->n_ats, 1);
    uim_detach(ep, d);
    wait_for_the_end(ep, d);
    uim_link_put(d, ep->unit, ep->pasid);
}

static void unlist(struct uiommu_endpoint *ep, struct uiommu_domain *next)
{
    if (!ep->moving)
        return;
    ep->moving = false;
    leave(ep, next, uim_caches(ep, next));
}

/* Whoever ended what it saw, or was to see, may have shut its entry, whatever that shows
 * now; and hushed it, where what is blocked is heard of. */
static void reopen(struct uiommu_endpoint *ep)
{
    if (atomic_exchange(&ep->over, false))
        (void)!uim_endpoint_again(ep);
}

static void stay(struct uiommu_endpoint *ep, struct uiommu_domain *next)
{
    unlist(ep, next);
    uim_ask_put(ep);
    reopen(ep);
    uim_requests_hear(ep, true);
}

/* ---- one endpoint: the change -------------------------------------------------------- */

/* Faults are delivered to what is published here. */
static void publish(struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    const struct uiommu_host *h = &d->u->host;

    h->spin_lock(h->ctx, d->u->device_lock);
    ep->domain = d;
    h->spin_unlock(h->ctx, d->u->device_lock);
}

static void move(struct uiommu_endpoint *ep, struct uiommu_domain *next)
{
    struct uiommu_domain *old = ep->domain;
    bool cached = ep->cached;

    ep->moving = false;
    uim_ask_deafen(ep, next, old);
    uim_ask_count(ep, uim_caches(ep, next), uim_asks(ep, next));
    publish(ep, next);
    /* What came after the drain, or where there was none to be had: no handler of `old`
     * has any of it from here on. */
    uim_ask_flush(ep, next, old);
    uim_ask_put(ep);
    leave(ep, old, cached);
    reopen(ep);
    uim_requests_hear(ep, true); /* whoever ends `old` refuses no more of it */
}

/* The unit or the device did not confirm: blocked before it is unlisted, and as
 * long as a unit may have them cached, the tables stay. */
static void give_up(struct uiommu_endpoint *ep, struct uiommu_domain *next)
{
    struct uiommu_endpoint *own = uim_own(ep);

    uim_ask_deafen(ep, next, ep->domain);
    (void)uim_quarantine(ep);
    if (atomic_load(&own->quarantined)) {
        uim_ask_cut(own);
    }
    uim_taint(next, ep->unit);
    uim_taint(ep->domain, ep->unit);
    unlist(ep, next);
    move(ep, uim_rest(ep->unit));
    own->ats = own->n_cached > 0 && atomic_load(&own->ats_on);
    own->pri = own->n_asking > 0 && own->pri_on;
}

/* Carries out the change from `old` to `next`, both of which list the endpoint. After a
 * soft failure it is on `old`; after TIMEDOUT and IO what it sees is not known. */
static enum uiommu_status program(struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next,
                                  struct uiommu_domain *old)
{
    struct uiommu_endpoint *own = uim_own(ep);
    struct uim_asked was;
    enum uiommu_status status;

    uim_ask_stop(ep, next, old, &was);
    uim_fence_full(); /* listed before hardware walks: see attach.c */
    if (uim_sva_is_over(next))
        atomic_store(&ep->over, true);
    status = ep->unit->ops->set(ep, uim_shown(ep, next), uim_shown(ep, old));
    if (status == UIOMMU_OK)
        status = uim_ask_start(ep, next, old, &was);
    if (status != UIOMMU_OK && !uim_hardware_failed(status)) {
        uim_ask_back(ep, &was);
        return status;
    }
    /* Whoever quarantined the endpoint meanwhile has cut the new entry. */
    if (status == UIOMMU_OK && atomic_load(&ep->quarantined) &&
        next != uim_rest(ep->unit))
        status = UIOMMU_TIMEDOUT;
    if (status == UIOMMU_OK)
        atomic_store(&own->ats_on, own->ats);
    return status;
}

/* Nothing leads back to what somebody else had left: it sees nothing. */
static void lose_inherited(struct uiommu_endpoint *ep,
                           struct uiommu_domain *next)
{
    struct uiommu_domain *rest = uim_rest(ep->unit);

    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "%s is blocked: what it was found with was given up before another "
            "of its group could not follow",
            uim_device_name(ep->device).text);
    if (program(ep, rest, next) != UIOMMU_OK) {
        give_up(ep, next);
        return;
    }
    stay(ep, next);
    move(ep, rest);
}

/* The first as far as it came, and those before it, see again what they saw. */
static void back_out(struct uim_view *view, struct uim_node *failed,
                     struct uiommu_domain *next)
{
    for (struct uim_node *n = failed->prev; n != &view->endpoints;
         n = n->prev) {
        struct uiommu_endpoint *ep = endpoint_of(n);

        if (!ep->moving)
            continue;
        if (ep->held > 0)
            stay(ep, next);
        else if (ep->domain->kind == UIOMMU_DOMAIN_INHERITED)
            lose_inherited(ep, next);
        else if (program(ep, ep->domain, next) == UIOMMU_OK)
            stay(ep, next);
        else
            give_up(ep, next);
    }
}

/* A driver that failed softly left the endpoint as it was; of a member without a PASID
 * that is made sure (B.5), unless nobody knows how to program it. */
static void restore(struct uiommu_endpoint *ep, struct uiommu_domain *next)
{
    if (ep->pasid == UIOMMU_NO_PASID &&
        ep->domain->kind != UIOMMU_DOMAIN_INHERITED &&
        program(ep, ep->domain, next) != UIOMMU_OK)
        give_up(ep, next);
    else
        stay(ep, next);
}

/* ---- all of them --------------------------------------------------------------------- */

static bool is_held(const struct uim_view *view)
{
    uim_list_for_each(n, &view->endpoints)
        if (endpoint_of(n)->held > 0)
            return true;
    return false;
}

static enum uiommu_status reserve_all(struct uim_view *view,
                                      struct uiommu_domain *next)
{
    enum uiommu_status status = UIOMMU_OK;

    uim_list_for_each(n, &view->endpoints) {
        struct uiommu_endpoint *ep = endpoint_of(n);

        status = reserve(ep, next);
        if (status != UIOMMU_OK)
            break;
    }
    return status;
}

static enum uiommu_status program_all(struct uim_view *view,
                                      struct uiommu_domain *next)
{
    uim_list_for_each(n, &view->endpoints) {
        struct uiommu_endpoint *ep = endpoint_of(n);
        enum uiommu_status status;

        if (!ep->moving ||
            ep->held > 0) /* its tables say blocked, and go on to */
            continue;
        status = program(ep, next, ep->domain);
        if (status == UIOMMU_OK)
            continue;
        if (uim_hardware_failed(status))
            give_up(ep, next);
        else
            restore(ep, next);
        back_out(view, n, next);
        return status;
    }
    return UIOMMU_OK;
}

static void settle(struct uim_view *view, struct uiommu_domain *next,
                   bool moved)
{
    uim_list_for_each(n, &view->endpoints) {
        struct uiommu_endpoint *ep = endpoint_of(n);

        if (!ep->moving)
            continue;
        if (moved)
            move(ep, next);
        else
            stay(ep, next);
    }
}

void uim_view_rest_on(struct uim_view *view, struct uiommu_domain *domain)
{
    struct uiommu_domain *old = view->domain;

    uiommu_domain_get(domain);
    view->domain = domain;
    uiommu_domain_put(old);
}

static bool anybody_sees(const struct uim_view *view,
                         const struct uiommu_domain *domain)
{
    uim_list_for_each(n, &view->endpoints)
        if (endpoint_of(n)->domain == domain)
            return true;
    return false;
}

enum uiommu_status uim_view_set(struct uim_view *view,
                                struct uiommu_domain *domain)
{
    if (view->mediated)
        return uim_mediated_set(view->mediated, domain);
    return is_held(view) ? UIOMMU_BUSY : uim_view_follow(view, domain);
}

enum uiommu_status uim_view_follow(struct uim_view *view,
                                   struct uiommu_domain *domain)
{
    enum uiommu_status status = reserve_all(view, domain);

    if (status == UIOMMU_OK)
        status = program_all(view, domain);
    settle(view, domain, status == UIOMMU_OK);
    if (status == UIOMMU_OK)
        uim_view_rest_on(view, domain);
    else if (!anybody_sees(view, view->domain))
        uim_view_rest_on(view, view->group->rest);
    return status;
}

/* ---- one by one ------------------------------------------------------------------------ */

enum uiommu_status uim_endpoint_set(struct uiommu_endpoint *endpoint,
                                    struct uiommu_domain *domain)
{
    enum uiommu_status status = reserve(endpoint, domain);

    if (status != UIOMMU_OK || !endpoint->moving)
        return status;
    if (endpoint->held == 0) /* else the tables say blocked, and go on to */
        status = program(endpoint, domain, endpoint->domain);
    if (status == UIOMMU_OK)
        move(endpoint, domain);
    else if (uim_hardware_failed(status))
        give_up(endpoint, domain);
    else
        stay(endpoint, domain);
    return status;
}

/* ATS may be switched on for a PASID: then the device caches this, too (D-38). */
void uim_endpoint_count(struct uiommu_endpoint *endpoint)
{
    if (endpoint->cached || !uim_caches(endpoint, endpoint->domain))
        return;
    atomic_fetch_add(&endpoint->domain->n_ats, 1);
    uim_ask_count(endpoint, true, endpoint->asking);
}

enum uiommu_status uim_endpoint_uncache(struct uiommu_endpoint *endpoint)
{
    struct uiommu_domain *domain = endpoint->domain;
    enum uiommu_status status = UIOMMU_OK;

    endpoint->device->ats_able = endpoint->device->stall_able = false;
    if (atomic_load(&endpoint->quarantined)) {
        give_up(endpoint, domain);
        return UIOMMU_OK;
    }
    if (endpoint->held == 0) /* else it is blocked, and ATS off */
        status = program(endpoint, domain, domain);
    if (status != UIOMMU_OK) {
        give_up(endpoint, domain);
        return status;
    }
    if (endpoint->cached)
        atomic_fetch_sub(&domain->n_ats, 1);
    uim_ask_count(endpoint, false, false);
    uim_ask_put(endpoint);
    uim_requests_hear(endpoint, true);
    return UIOMMU_OK;
}

/* ---- while a device is reset --------------------------------------------------------- */

/* Nobody hears from then on what it asks for: units may record it all the same. */
static unsigned count_hold(struct uiommu_endpoint *ep, int by)
{
    const struct uiommu_host *h = ep->unit->host;
    struct uiommu *u = ep->unit->u;

    h->spin_lock(h->ctx, u->device_lock);
    ep->held += (unsigned)by;
    h->spin_unlock(h->ctx, u->device_lock);
    return ep->held;
}

enum uiommu_status uim_endpoint_hold(struct uiommu_endpoint *endpoint)
{
    struct uiommu_domain *rest = uim_rest(endpoint->unit);
    enum uiommu_status status;

    if (count_hold(endpoint, 1) > 1)
        return UIOMMU_OK;
    status = program(endpoint, rest, endpoint->domain);
    if (status != UIOMMU_OK)
        give_up(endpoint, rest);
    uim_requests_hear(endpoint, true);
    return status;
}

enum uiommu_status uim_endpoint_let_go(struct uiommu_endpoint *endpoint,
                                       bool worked)
{
    struct uiommu_domain *rest = uim_rest(endpoint->unit);
    enum uiommu_status status = UIOMMU_OK;
    bool last = count_hold(endpoint, -1) == 0;

    if (atomic_load(&endpoint->quarantined))
        return worked ? UIOMMU_NODEV : UIOMMU_OK;
    if (worked && !last)
        return UIOMMU_OK;
    if (worked)
        status = program(endpoint, endpoint->domain, rest);
    if (!worked || status != UIOMMU_OK)
        give_up(endpoint, rest);
    uim_requests_hear(endpoint, true);
    return status;
}

void uim_endpoint_give_up(struct uiommu_endpoint *endpoint)
{
    give_up(endpoint, uim_rest(endpoint->unit));
}

enum uiommu_status uim_endpoint_again(struct uiommu_endpoint *endpoint)
{
    struct uiommu_domain *rest = uim_rest(endpoint->unit);
    struct uiommu_domain *seen = endpoint->held > 0 ? rest : endpoint->domain;
    enum uiommu_status status;

    if (atomic_load(&endpoint->quarantined))
        return UIOMMU_NODEV;
    status = program(endpoint, seen, seen);
    if (uim_hardware_failed(status))
        give_up(endpoint, rest);
    uim_requests_hear(endpoint, true);
    return status;
}

/* That one is quarantined was said when it came to be. */
static enum uiommu_status force(struct uiommu_endpoint *ep,
                                struct uiommu_domain *domain)
{
    enum uiommu_status status = uim_endpoint_set(ep, domain);

    if (status == UIOMMU_OK || uim_hardware_failed(status))
        return status;
    (void)!uim_endpoint_set(ep, uim_rest(ep->unit));
    return atomic_load(&ep->quarantined) ? UIOMMU_OK : status;
}

enum uiommu_status uim_view_force(struct uim_view *view,
                                  struct uiommu_domain *domain)
{
    enum uiommu_status worst = UIOMMU_OK;

    if (view->mediated) /* whose group rests on nothing else */
        return uim_mediated_force(view->mediated);
    uim_list_for_each(n, &view->endpoints) {
        enum uiommu_status status = force(endpoint_of(n), domain);

        if (status != UIOMMU_OK)
            worst = status;
    }
    uim_view_rest_on(view, domain);
    return worst;
}
