/* SPDX-License-Identifier: MIT */
/*
 * request.c - page requests, from a unit's queue to a domain's handler and back (semantics
 * B.17).
 *
 * An id that may ask has as many slots as its device has credits, so that no device takes
 * anything from another, and nothing is allocated where requests arrive. A group is one
 * slot, that of its last request, with the others in a list. Whoever makes it ANSWERED
 * answers it: that is how each is answered once. It stays in `groups` until the answer is on
 * its way and its handler has returned, for both of which wait those who move its endpoint.
 */
#include "core/slots.h"
#include "core/unit.h"

#include "base/bits.h"
#include "pci/pci.h"

static struct slot *open_of(struct uim_node *n)
{
    return uim_container(n, struct slot, open);
}

void uim_requests_init(struct uiommu *u)
{
    uim_list_init(&u->waiting);
    uim_list_init(&u->left);
}

/* ---- slots ------------------------------------------------------------------------ */

static void give_slot(struct uim_requests *r, struct slot *s)
{
    s->state = FREE;
    uim_list_add_tail(&r->free, &s->node);
}

static bool is_of(const struct slot *s, uint32_t pasid)
{
    return s->asked.pasid == pasid;
}

/* Of a group that is complete, or is to be forgotten. Its members are given back. */
static void take_members(struct uim_requests *r,
                         const struct uim_page_request *last, struct slot *to)
{
    struct uim_node *n = r->partial.next;

    while (n != &r->partial) {
        struct slot *s = uim_slot_of(n);

        n = n->next;
        if (!is_of(s, last->pasid) || s->asked.group != last->group)
            continue;
        uim_list_del(&s->node);
        if (to)
            uim_list_add_tail(&to->members, &s->node);
        else
            give_slot(r, s);
    }
}

static void drop_partial(struct uim_requests *r, bool all, uint32_t pasid)
{
    struct uim_node *n = r->partial.next;

    while (n != &r->partial) {
        struct slot *s = uim_slot_of(n);

        n = n->next;
        if (!all && !is_of(s, pasid))
            continue;
        uim_list_del(&s->node);
        give_slot(r, s);
    }
}

/* The group is nobody's any more. */
static void give_group(struct uim_requests *r, struct slot *s)
{
    uim_list_del(&s->open);
    while (!uim_list_empty(&s->members)) {
        struct slot *member = uim_slot_of(s->members.next);

        uim_list_del(&member->node);
        give_slot(r, member);
    }
    give_slot(r, s);
}

/* ---- answers ------------------------------------------------------------------------- */

/* Devices that cannot ask, or are not known, are answered as they asked, and all of them
 * where the unit knows no other answer. */
static bool is_bare(const struct uim_unit *unit,
                    const struct uiommu_device *device)
{
    return !unit->answers_as_asked && device && device->pri_able &&
           !device->pri_answer_pasid;
}

static enum uiommu_status answer(struct uim_unit *unit, bool bare,
                                 const struct uim_page_request *last,
                                 enum uiommu_response response)
{
    const struct uim_page_answer a = {
        .id = last->id,
        .pasid = bare ? UIOMMU_NO_PASID : last->pasid,
        .group = last->group,
        .response = response,
        .stalled = last->stalled,
    };

    return unit->ops->respond(unit, &a);
}

/* ---- what units collect ---------------------------------------------------------------- */

/* Units may record what they do not let through: nobody is to hear of it. */
static bool is_shut(const struct uiommu_endpoint *ep)
{
    return ep->held > 0 || atomic_load(&ep->quarantined) ||
           atomic_load(&ep->muted) || atomic_load(&ep->over);
}

static bool may_ask(const struct uiommu_endpoint *ep, uint32_t pasid)
{
    return ep->pasid == pasid && ep->device && ep->device->endpoint->requests &&
           !uim_is_unanswerable(ep) && !is_shut(ep);
}

/* The one that it is of, pinned, with its slots; NULL: there is none that may ask. */
struct asker {
    struct uiommu_endpoint *endpoint;
    struct uim_requests *requests;
    uint64_t last_iova; /* that it can see                                    */
    bool bare; /* how it is answered                                          */
    bool
        early; /* it is let ask, and whom is not said yet: it asks once more  */
};

static bool is_deaf(const struct uiommu_endpoint *ep)
{
    bool deaf;

    uim_requests_lock(ep->unit->u);
    deaf = ep->deaf;
    uim_requests_unlock(ep->unit->u);
    return deaf;
}

/* While it moves, what it sees then may be wider. */
static void ask_for(struct asker *a, struct uiommu_endpoint *ep)
{
    const bool deaf = is_deaf(ep);

    a->early = deaf && !ep->domain->answers;
    if (!ep->domain->answers)
        return;
    a->endpoint = ep;
    a->requests = uim_own(ep)->requests;
    a->last_iova = deaf ? UINT64_MAX : ep->domain->last_iova;
    atomic_fetch_add(&ep->readers, 1);
    atomic_fetch_add(&uim_own(ep)->readers, 1); /* its slots */
}

static struct asker asker_of(struct uim_unit *unit,
                             const struct uim_page_request *request)
{
    struct uiommu *u = unit->u;
    struct asker a = { .endpoint = NULL };
    struct uiommu_endpoint *ep;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    ep = uim_endpoint_find_pasid(unit, request->id, request->pasid);
    a.bare = ep && is_bare(unit, ep->device);
    if (ep && may_ask(ep, request->pasid))
        ask_for(&a, ep);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return a;
}

static void wake(struct uiommu *u)
{
    if (u->config.on_request)
        u->config.on_request(u->config.request_ctx);
}

/* Of endpoints that move, it is not said yet who is to be asked. */
static void place(struct slot *s)
{
    if (s->endpoint->deaf || !uim_queue_take(s))
        uim_list_add_tail(&s->endpoint->unit->u->waiting, &s->turn);
}

static void open_group(const struct asker *a, struct slot *s)
{
    struct uiommu *u = a->endpoint->unit->u;
    struct uim_requests *r = a->requests;

    uim_list_init(&s->members);
    take_members(r, &s->asked, s);
    s->endpoint = a->endpoint;
    s->requests = r;
    s->state = WAITS;
    s->cookie = ++u->cookies;
    uim_list_add_tail(&r->groups, &s->open);
    place(s);
}

/* False: more than the device has credits for. */
static bool keep(const struct asker *a, const struct uim_page_request *request)
{
    struct uim_requests *r = a->requests;
    struct slot *s;

    if (uim_list_empty(&r->free))
        return false;
    s = uim_slot_of(r->free.next);
    uim_list_del(&s->node);
    s->asked = *request;
    s->told.iova = request->iova;
    s->told.access = request->access;
    s->state = PARTIAL;
    if (request->last)
        open_group(a, s);
    else
        uim_list_add_tail(&r->partial, &s->node);
    return true;
}

static bool asks_for_nothing(const struct uim_page_request *request)
{
    return !(request->access & (UIOMMU_READ | UIOMMU_WRITE));
}

/* PCIe Base 10.4.1.2: without a PASID there is none. */
static bool is_stop_marker(const struct uim_page_request *request)
{
    return request->last && request->pasid != UIOMMU_NO_PASID &&
           asks_for_nothing(request);
}

/* What no handler could say anything but no to (B.17.2). Privileged: no PCI function is
 * let, see uim_pci_pasid_enable(). The address: that of a process may be wider than what
 * the unit has for all else. */
static bool is_malformed(const struct asker *a,
                         const struct uim_page_request *request)
{
    return asks_for_nothing(request) ||
           (request->access & (UIOMMU_EXEC | UIOMMU_READ)) == UIOMMU_EXEC ||
           ((request->access & UIOMMU_PRIV) && !request->stalled) ||
           request->iova > a->last_iova;
}

static enum uiommu_response
keep_if_admitted(const struct asker *a, const struct uim_page_request *request)
{
    enum uiommu_response response = UIOMMU_RESPONSE_LATER;

    if (request->last && !a->endpoint->deaf)
        response = uim_queue_admits(a->endpoint->domain, a->requests);
    if (response == UIOMMU_RESPONSE_LATER && !keep(a, request))
        response = UIOMMU_RESPONSE_SUCCESS;
    return response;
}

/* LATER: it was kept. Else what is answered if it is the last, whose group is forgotten:
 * beyond its credits, a device has to ask again. `proper`: a handler may say yes. */
static enum uiommu_response take(struct uim_unit *unit, const struct asker *a,
                                 const struct uim_page_request *request,
                                 bool proper)
{
    enum uiommu_response response = UIOMMU_RESPONSE_INVALID;

    if (!a->endpoint)
        return a->early ? UIOMMU_RESPONSE_SUCCESS : response;
    uim_requests_lock(unit->u);
    if (proper && !atomic_load(&a->endpoint->over))
        response = keep_if_admitted(a, request);
    if (response != UIOMMU_RESPONSE_LATER && request->last)
        take_members(a->requests, request, NULL);
    uim_requests_unlock(unit->u);
    return response;
}

static void let_go(const struct asker *a)
{
    if (!a->endpoint)
        return;
    atomic_fetch_sub(&uim_own(a->endpoint)->readers, 1);
    atomic_fetch_sub(&a->endpoint->readers, 1);
}

bool uim_request(struct uim_unit *unit, const struct uim_page_request *request)
{
    enum uiommu_response response;
    struct asker a;
    bool proper;

    if (is_stop_marker(request))
        return true;
    a = asker_of(unit, request);
    proper = a.endpoint ? !is_malformed(&a, request) : a.early;
    response = take(unit, &a, request, proper);
    if (response != UIOMMU_RESPONSE_LATER && request->last)
        (void)!answer(unit, a.bare, request, response);
    let_go(&a);
    if (response == UIOMMU_RESPONSE_LATER && request->last)
        wake(unit->u);
    return proper;
}

void uim_requests_lost(struct uim_unit *unit)
{
    struct uiommu *u = unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_requests_lock(u);
    uim_list_for_each(n, &u->endpoints) {
        struct uiommu_endpoint *own =
            uim_container(n, struct uiommu_endpoint, node);

        if (own->unit == unit && own->requests)
            drop_partial(own->requests, true, 0);
    }
    uim_requests_unlock(u);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

/* ---- who collects ------------------------------------------------------------------------ */

enum { ROUNDS = 4 }; /* in one poll */

/* They must come in the order of the queue: one caller at a time hands them on, and whoever
 * finds it busy leaves the rest to it, who looks once more. */
bool uim_requests_poll(struct uim_unit *unit)
{
    if (!unit->requests)
        return false;
    for (unsigned i = 0; i < ROUNDS && unit->ops->requests_wait(unit); i++) {
        if (atomic_exchange(&unit->collecting, true))
            return false;
        (void)unit->ops->requests_take(unit);
        atomic_store(&unit->collecting, false);
    }
    return unit->ops->requests_wait(unit);
}

/* An interrupt meanwhile found it busy, and nobody else is told of what is left. Others that
 * ask without end must not keep the caller here. */
static void take_rest(struct uim_unit *unit)
{
    const uint64_t start = uim_now(unit);

    while (uim_requests_poll(unit) && uim_now(unit) - start < unit->timeout_ns)
        uim_relax(unit);
}

bool uim_requests_collect(struct uim_unit *unit)
{
    bool lost;

    while (atomic_exchange(&unit->collecting, true))
        uim_relax(unit);
    lost = unit->ops->requests_take(unit);
    atomic_store(&unit->collecting, false);
    take_rest(unit);
    return lost;
}

/* ---- handlers ---------------------------------------------------------------------------- */

static struct slot *next_turn(struct uiommu *u)
{
    struct slot *s = NULL;

    uim_requests_lock(u);
    uim_list_for_each(n, &u->waiting)
        if (!uim_slot_of_turn(n)->endpoint->deaf) {
            s = uim_slot_of_turn(n);
            break;
        }
    if (s) {
        uim_list_del(&s->turn);
        s->state = HANDLED;
        s->holds++;
    }
    uim_requests_unlock(u);
    return s;
}

/* In one chain, as handlers see it. */
static unsigned chain(struct slot *last)
{
    const struct uiommu_page_request *next = &last->told;
    unsigned n = 1;

    last->told.next = NULL;
    for (struct uim_node *m = last->members.prev; m != &last->members;
         m = m->prev) {
        uim_slot_of(m)->told.next = next;
        next = &uim_slot_of(m)->told;
        n++;
    }
    return n;
}

static struct uiommu_endpoint *client_of(const struct slot *s)
{
    struct uiommu *u = s->endpoint->unit->u;
    struct uiommu_endpoint *client;

    uim_requests_lock(u);
    client = uim_slot_client(s);
    uim_requests_unlock(u);
    return client;
}

static enum uiommu_response ask(struct slot *s)
{
    const struct uiommu_domain *d = s->endpoint->domain;
    struct uiommu_request_group group = {
        .endpoint = client_of(s),
        .cookie = s->cookie,
        .n = chain(s),
        .first = uim_list_empty(&s->members)
                     ? &s->told
                     : &uim_slot_of(s->members.next)->told,
    };

    return d->on_request ? d->on_request(d->request_ctx, &group)
                         : UIOMMU_RESPONSE_INVALID;
}

void uim_slot_claim(struct slot *s)
{
    if (s->state != HANDLED)
        uim_list_del(&s->turn);
    uim_queue_leave(s);
    s->state = ANSWERED;
    s->holds++;
}

static void release(struct uiommu *u, struct slot *s)
{
    uim_requests_lock(u);
    if (--s->holds == 0 && s->state == ANSWERED)
        give_group(s->requests, s);
    uim_requests_unlock(u);
}

enum uiommu_status uim_slot_answer(struct slot *s,
                                   enum uiommu_response response)
{
    const struct uiommu_endpoint *ep = s->endpoint;
    struct uiommu *u = ep->unit->u;
    enum uiommu_status status =
        answer(ep->unit, is_bare(ep->unit, ep->device), &s->asked, response);

    release(u, s);
    return status;
}

/* The handler returned. */
static void settle(struct uiommu *u, struct slot *s,
                   enum uiommu_response response)
{
    bool answers;

    uim_requests_lock(u);
    answers = s->state == HANDLED && response != UIOMMU_RESPONSE_LATER;
    if (answers) {
        uim_slot_claim(s);
    } else if (s->state == HANDLED) {
        s->state = LEFT;
        s->since_ns = u->host.now_ns(u->host.ctx);
        uim_list_add_tail(&u->left, &s->turn);
    }
    uim_requests_unlock(u);
    if (answers)
        (void)!uim_slot_answer(s, response);
    release(u, s);
}

void uiommu_serve(struct uiommu *u)
{
    struct slot *s;

    uim_requests_expire(u);
    while ((s = next_turn(u)) != NULL)
        settle(u, s, ask(s));
}

/* ---- answers that come later ------------------------------------------------------------- */

/* A device that is pulled out leaves its endpoints under the lock. */
static struct slot *find(const struct uiommu_endpoint *ep, uint64_t cookie)
{
    struct uim_requests *r = ep->device ? ep->device->endpoint->requests : NULL;

    if (!r)
        return NULL;
    uim_list_for_each(n, &r->groups) {
        struct slot *s = open_of(n);

        if ((s->endpoint == ep || s->endpoint->client == ep) &&
            s->cookie == cookie && !s->queue &&
            (s->state == HANDLED || s->state == LEFT))
            return s;
    }
    return NULL;
}

enum uiommu_status uiommu_page_respond(struct uiommu_endpoint *endpoint,
                                       uint64_t cookie,
                                       enum uiommu_response response)
{
    struct uiommu *u;
    struct slot *s;

    if (!endpoint || (unsigned)response >= UIOMMU_RESPONSE_LATER)
        return UIOMMU_INVAL;
    u = endpoint->unit->u;
    uim_requests_lock(u);
    s = find(endpoint, cookie);
    if (s)
        uim_slot_claim(s);
    uim_requests_unlock(u);
    return s ? uim_slot_answer(s, response) : UIOMMU_NOENT;
}

/* The next that was left for longer than the configuration allows. */
static struct slot *claim_late(struct uiommu *u)
{
    struct slot *s = NULL;

    uim_requests_lock(u);
    if (!uim_list_empty(&u->left))
        s = uim_slot_of_turn(u->left.next);
    if (s &&
        u->host.now_ns(u->host.ctx) - s->since_ns < u->config.request_limit_ns)
        s = NULL;
    if (s)
        uim_slot_claim(s);
    uim_requests_unlock(u);
    return s;
}

void uim_requests_expire(struct uiommu *u)
{
    struct slot *s;

    if (u->config.request_limit_ns == 0)
        return;
    while ((s = claim_late(u)) != NULL)
        (void)!uim_slot_answer(s, UIOMMU_RESPONSE_INVALID);
}

/* ---- when an endpoint moves ----------------------------------------------------------------- */

/* It may see what has a queue. The first that this does not admit, claimed, or NULL: limits
 * may have been reached meanwhile, and what is closed has nobody who is told. */
static struct slot *place_again(const struct uiommu_endpoint *ep,
                                enum uiommu_response *response)
{
    struct uim_node *n = ep->unit->u->waiting.next;

    while (n != &ep->unit->u->waiting) {
        struct slot *s = uim_slot_of_turn(n);

        n = n->next;
        if (s->endpoint != ep || !ep->domain->request_queue)
            continue;
        *response = uim_queue_admits(ep->domain, s->requests);
        if (*response != UIOMMU_RESPONSE_LATER) {
            uim_slot_claim(s);
            return s;
        }
        uim_list_del(&s->turn);
        (void)uim_queue_take(s);
    }
    return NULL;
}

void uim_requests_hear(struct uiommu_endpoint *ep, bool yes)
{
    struct uiommu *u = ep->unit->u;
    enum uiommu_response response;
    struct slot *refused;
    bool waits;

    if (ep->deaf == !yes)
        return;
    do {
        uim_requests_lock(u);
        ep->deaf = !yes;
        refused = yes ? place_again(ep, &response) : NULL;
        waits = yes && !uim_list_empty(&u->waiting);
        uim_requests_unlock(u);
        if (refused)
            (void)!uim_slot_answer(refused, response);
    } while (refused);
    if (waits)
        wake(u);
}

/* The next of those up to `last` that nobody answers yet; *busy: there are others. */
static struct slot *claim_next(struct uim_requests *r,
                               const struct uiommu_endpoint *ep, uint64_t last,
                               bool *busy)
{
    *busy = false;
    uim_list_for_each(n, &r->groups) {
        struct slot *s = open_of(n);

        if (s->endpoint != ep || s->cookie > last)
            continue;
        if (s->state == WAITS || s->state == LEFT) {
            uim_slot_claim(s);
            return s;
        }
        *busy = true;
    }
    return NULL;
}

static uint64_t forget_partial(struct uim_requests *r,
                               const struct uiommu_endpoint *ep)
{
    struct uiommu *u = ep->unit->u;
    uint64_t last;

    uim_requests_lock(u);
    drop_partial(r, false, ep->pasid);
    last = u->cookies;
    uim_requests_unlock(u);
    return last;
}

enum uiommu_status uim_requests_flush(struct uiommu_endpoint *ep,
                                      enum uiommu_response response)
{
    struct uim_requests *r = ep->device->endpoint->requests;
    struct uiommu *u = ep->unit->u;
    enum uiommu_status worst = UIOMMU_OK;
    uint64_t last;
    struct slot *s;
    bool busy;

    if (!r)
        return UIOMMU_OK;
    last = forget_partial(r, ep);
    do {
        enum uiommu_status status = UIOMMU_OK;

        uim_requests_lock(u);
        s = claim_next(r, ep, last, &busy);
        uim_requests_unlock(u);
        if (s)
            status = uim_slot_answer(s, response);
        else if (busy && u->host.relax)
            u->host.relax(u->host.ctx);
        if (status > worst)
            worst = status;
    } while (s || busy);
    return worst;
}

void uim_requests_forget(struct uiommu_endpoint *ep)
{
    struct uim_requests *r = uim_own(ep)->requests;

    if (r)
        (void)forget_partial(r, ep);
}

/* Whoever moves the endpoint may take them from it, and waits before he frees them. */
static struct uim_requests *pin_slots(struct uiommu_endpoint *own)
{
    const struct uiommu_host *h = &own->unit->u->host;
    struct uim_requests *r;

    h->spin_lock(h->ctx, own->unit->u->device_lock);
    r = own->requests;
    if (r)
        atomic_fetch_add(&own->readers, 1);
    h->spin_unlock(h->ctx, own->unit->u->device_lock);
    return r;
}

void uim_requests_refuse(struct uiommu_endpoint *ep)
{
    struct uiommu_endpoint *own = uim_own(ep);
    struct uim_requests *r = pin_slots(own);
    struct uiommu *u = ep->unit->u;
    struct slot *s;
    bool busy;

    if (!r)
        return;
    (void)forget_partial(r, ep);
    do {
        uim_requests_lock(u);
        s = claim_next(r, ep, UINT64_MAX, &busy);
        uim_requests_unlock(u);
        if (s)
            (void)!uim_slot_answer(s, UIOMMU_RESPONSE_INVALID);
    } while (s);
    atomic_fetch_sub(&own->readers, 1);
}

enum uiommu_status uim_requests_drain(struct uiommu_endpoint *ep,
                                      enum uiommu_response response)
{
    enum uiommu_status status = ep->unit->ops->drain(ep);
    enum uiommu_status flushed = uim_requests_flush(ep, response);

    return status != UIOMMU_OK ? status : flushed;
}

/* ---- slots come and go --------------------------------------------------------------------- */

static size_t size_of(unsigned credits)
{
    return sizeof(struct uim_requests) + credits * sizeof(struct slot);
}

/* Who finds the endpoint finds them too, or that it cannot ask. */
static void publish(struct uiommu_endpoint *own, struct uim_requests *r)
{
    struct uiommu *u = own->unit->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_requests_lock(u);
    own->requests = r;
    uim_requests_unlock(u);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

enum uiommu_status uim_requests_create(struct uiommu_endpoint *own,
                                       unsigned credits)
{
    struct uim_requests *r;

    if (own->requests)
        return UIOMMU_OK;
    r = uim_alloc(own->unit->u, size_of(credits));
    if (!r)
        return UIOMMU_NOMEM;
    uim_list_init(&r->free);
    uim_list_init(&r->partial);
    uim_list_init(&r->groups);
    r->n = credits;
    for (unsigned i = 0; i < credits; i++)
        uim_list_add_tail(&r->free, &r->slot[i].node);
    publish(own, r);
    return UIOMMU_OK;
}

/* What came when its endpoint was drained already: no handler was let have it. NULL: there
 * is none, or *busy. */
static struct slot *claim_any(struct uiommu *u, struct uim_requests *r,
                              bool *busy)
{
    struct slot *s = NULL;

    uim_requests_lock(u);
    *busy = !uim_list_empty(&r->groups);
    if (*busy)
        s = open_of(r->groups.next);
    if (s && (s->state == WAITS || s->state == LEFT))
        uim_slot_claim(s);
    else
        s = NULL;
    uim_requests_unlock(u);
    return s;
}

void uim_requests_free(struct uiommu_endpoint *own)
{
    struct uim_requests *r = own->requests;
    struct uiommu *u = own->unit->u;
    struct slot *s;
    bool busy;

    if (!r)
        return;
    publish(own, NULL);
    while (atomic_load(&own->readers) > 0)
        if (u->host.relax)
            u->host.relax(u->host.ctx);
    do {
        s = claim_any(u, r, &busy);
        if (s)
            (void)!uim_slot_answer(s, UIOMMU_RESPONSE_INVALID);
    } while (busy);
    uim_free(u, r, size_of(r->n));
}

void uim_requests_lend(struct uiommu_endpoint *real,
                       struct uiommu_endpoint *client)
{
    uim_requests_lock(real->unit->u);
    real->client = client;
    uim_requests_unlock(real->unit->u);
}

void uim_requests_orphan(struct uiommu_endpoint *ep)
{
    uim_requests_lock(ep->unit->u);
    ep->device = NULL;
    uim_requests_unlock(ep->unit->u);
}
