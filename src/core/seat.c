/* SPDX-License-Identifier: MIT */
/*
 * seat.c - what parts of a device see, and with which PASID (semantics C.4, C.5).
 *
 * The seat of a part is a view of the parent with a number, of its own or shared with
 * others that see the same domain. It has one only while it sees something.
 */
#include "core/core.h"

static bool shares(const struct uim_mediated *m)
{
    return m->config.flags & UIOMMU_MDEV_SHARE;
}

/* ---- what it sees ---------------------------------------------------------------------- */

/* All members that have PASIDs see it (B.6). */
static bool members_fit(const struct uim_mediated *m,
                        const struct uiommu_domain *domain)
{
    const struct uiommu_group *group = uim_hardware_of(m->group);

    for (struct uim_node *n = group->devices.next; n != &group->devices;
         n = n->next) {
        const struct uiommu_device *d =
            uim_container(n, struct uiommu_device, member);

        if (d->pasid_bits > 0 && !uim_fits_pasid(domain, d->unit))
            return false;
    }
    return true;
}

bool uim_mediated_fits(const struct uim_mediated *m,
                       const struct uiommu_domain *domain)
{
    return uim_is_within(domain, &m->limits, m->endpoint.unit) &&
           (m->config.kind != UIOMMU_MDEV_PASID || members_fit(m, domain));
}

enum uiommu_status uim_mediated_may_use(const struct uiommu_endpoint *endpoint)
{
    const struct uim_mediated *m = endpoint->mediated;
    const struct uim_view *view = endpoint->view;

    if (m && !endpoint->device)
        return UIOMMU_NODEV;
    if (view->pasid == UIOMMU_NO_PASID && view->group->heir &&
        view->group->heir != m)
        return UIOMMU_BUSY;
    return UIOMMU_OK;
}

struct uiommu_domain *uim_mediated_sees(const struct uiommu_endpoint *endpoint)
{
    if (!endpoint->mediated || !uim_inherits(endpoint->mediated))
        return endpoint->domain;
    return endpoint->device ? endpoint->device->endpoint->domain
                            : &endpoint->unit->u->blocked;
}

struct uiommu_endpoint *uim_mediated_real(struct uiommu_endpoint *endpoint)
{
    const struct uim_mediated *m = endpoint->mediated;

    if (m && uim_inherits(m) && endpoint->device)
        return endpoint->device->endpoint;
    if (!m || !m->seat)
        return endpoint;
    return uim_pasid_of(m->seat, endpoint->device);
}

/* What clients are told. */
static void show(struct uim_mediated *m, struct uim_view *seat,
                 struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &m->group->u->host;
    const struct uim_view *has = seat ? seat : m->kept;

    m->seat = seat;
    atomic_store(&m->pasid, has ? has->pasid : UIOMMU_NO_PASID);
    h->spin_lock(h->ctx, m->group->u->device_lock);
    m->endpoint.domain = domain;
    h->spin_unlock(h->ctx, m->group->u->device_lock);
    uim_view_rest_on(&m->group->own, domain);
}

/* ---- numbers (C.4) ------------------------------------------------------------------------ */

static bool is_cut(const struct uim_view *view)
{
    uim_list_for_each(n, &view->endpoints)
        if (atomic_load(
                &uim_container(n, struct uiommu_endpoint, member)->quarantined))
            return true;
    return false;
}

/* A number of the range with which others see the domain already. Of page requests it is
 * to be known whose they are. */
static struct uim_view *find_shared(const struct uim_mediated *m,
                                    const struct uiommu_domain *domain)
{
    struct uiommu_group *group = uim_hardware_of(m->group);

    uim_list_for_each(n, &group->pasids) {
        struct uim_view *view = uim_container(n, struct uim_view, node);

        if (view->shared && view->users > 0 && view->domain == domain &&
            !is_cut(view) && view->pasid >= m->config.first &&
            view->pasid <= m->config.last)
            return view;
    }
    return NULL;
}

static enum uiommu_status open_number(const struct uim_mediated *m,
                                      struct uim_view **out)
{
    const struct uiommu_pasid_config config = {
        .size = sizeof(config),
        .first = m->config.first,
        .last = m->config.last,
    };

    return uim_pasid_open(m->endpoint.device, &config, NULL, out);
}

/* Before anything can be asked for: it is who asks. */
static void lend(struct uim_mediated *m, const struct uim_view *view,
                 const struct uiommu_domain *domain)
{
    if (domain->answers)
        uim_requests_lend(uim_pasid_of(view, m->endpoint.device), &m->endpoint);
}

static enum uiommu_status open_seat(struct uim_mediated *m,
                                    struct uiommu_domain *domain,
                                    struct uim_view **out)
{
    struct uim_view *view = m->kept;
    enum uiommu_status status = UIOMMU_OK;

    if (!view)
        status = open_number(m, &view);
    if (status != UIOMMU_OK)
        return status;
    lend(m, view, domain);
    status = uim_view_set(view, domain);
    if (status != UIOMMU_OK) {
        if (view != m->kept)
            (void)!uim_pasid_close(view, true); /* nothing ever carried it */
        return status;
    }
    view->shared = shares(m);
    view->users = 1;
    *out = view;
    return UIOMMU_OK;
}

static enum uiommu_status take_seat(struct uim_mediated *m,
                                    struct uiommu_domain *domain,
                                    struct uim_view **out)
{
    struct uim_view *view =
        shares(m) && !domain->answers ? find_shared(m, domain) : NULL;

    if (!view)
        return open_seat(m, domain, out);
    view->users++;
    *out = view;
    return UIOMMU_OK;
}

/* Its own for good, unless it may still be sent, or be cached. */
static enum uiommu_status keep(struct uim_mediated *m)
{
    struct uim_view *view = m->kept;
    enum uiommu_status status = uim_view_force(view, &m->group->u->blocked);

    if (status == UIOMMU_OK && !is_cut(view))
        return UIOMMU_OK;
    m->kept = NULL;
    return uim_pasid_close(view, false);
}

/* A number that one of its users may still send waits, whoever was the last. */
static enum uiommu_status give_seat(struct uim_mediated *m,
                                    struct uim_view *view, bool stopped)
{
    view->restless |= !stopped;
    if (--view->users > 0)
        return UIOMMU_OK;
    if (view == m->kept && stopped)
        return keep(m);
    if (view == m->kept)
        m->kept = NULL;
    return uim_pasid_close(view, !view->restless);
}

enum uiommu_status uim_seat_reserve(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK;

    if (m->config.flags & UIOMMU_MDEV_EARLY)
        status = open_number(m, &m->kept);
    if (m->kept)
        atomic_store(&m->pasid, m->kept->pasid);
    return status;
}

/* It sees nothing any more. */
enum uiommu_status uim_seat_unreserve(struct uim_mediated *m)
{
    struct uim_view *view = m->kept;

    m->kept = NULL;
    return view ? uim_pasid_close(view, true) : UIOMMU_OK;
}

enum uiommu_status uim_seat_lose(struct uim_mediated *m)
{
    struct uim_view *seat = m->seat;
    enum uiommu_status status = UIOMMU_OK, kept;

    if (seat)
        status = give_seat(m, seat, true);
    kept = uim_seat_unreserve(m);
    show(m, NULL, &m->group->u->blocked);
    return status != UIOMMU_OK ? status : kept;
}

/* ---- the verb (C.5) -------------------------------------------------------------------------- */

/* Of what did not end nobody knows whether it carries the number. */
static bool is_refused(enum uiommu_status installed)
{
    return installed != UIOMMU_TIMEDOUT;
}

static enum uiommu_status begin(struct uim_mediated *m,
                                struct uiommu_domain *domain)
{
    struct uim_view *seat = NULL;
    enum uiommu_status status = take_seat(m, domain, &seat), gone;

    if (status != UIOMMU_OK)
        return status;
    show(m, seat, domain);
    status = uim_mediator_install(m);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    gone = give_seat(m, seat, is_refused(status));
    show(m, NULL, &m->group->u->blocked);
    return uim_hardware_failed(gone) ? gone : status;
}

/* The mediator stops it first; then nothing gets through, whatever it does. */
static enum uiommu_status end(struct uim_mediated *m)
{
    bool stopped = uim_mediator_clear(m);
    enum uiommu_status status = give_seat(m, m->seat, stopped);

    show(m, NULL, &m->group->u->blocked);
    return status;
}

/* It keeps its number. */
static enum uiommu_status replace(struct uim_mediated *m,
                                  struct uiommu_domain *domain)
{
    enum uiommu_status status;

    lend(m, m->seat, domain);
    status = uim_view_set(m->seat, domain);
    show(m, m->seat, m->seat->domain);
    return status;
}

/* It goes on with the number it had; if it cannot, it sees nothing. */
static void come_back(struct uim_mediated *m, struct uim_view *seat,
                      bool stopped)
{
    enum uiommu_status status;

    show(m, seat, seat->domain);
    status = uim_mediator_install(m);
    if (status == UIOMMU_OK)
        return;
    (void)!give_seat(m, seat, stopped && is_refused(status));
    show(m, NULL, &m->group->u->blocked);
}

/* Nobody else has its number, nor may go on sending it: it is as its own. */
static bool is_last(const struct uim_view *seat)
{
    return seat->users == 1 && !seat->restless;
}

/* The others of its number stay where they are. */
static enum uiommu_status change_seats(struct uim_mediated *m,
                                       struct uiommu_domain *domain)
{
    struct uim_view *old = m->seat, *seat = NULL;
    enum uiommu_status status = take_seat(m, domain, &seat);
    bool stopped;

    if (status != UIOMMU_OK)
        return status;
    stopped = uim_mediator_clear(m);
    show(m, seat, domain);
    status = uim_mediator_install(m);
    if (status == UIOMMU_OK)
        return give_seat(m, old, stopped);
    come_back(m, old, stopped);
    (void)!give_seat(m, seat, is_refused(status));
    return status;
}

static bool is_quarantined(struct uim_mediated *m)
{
    return atomic_load(&m->endpoint.device->endpoint->quarantined) ||
           atomic_load(&uim_mediated_real(&m->endpoint)->quarantined);
}

enum uiommu_status uim_mediated_set(struct uim_mediated *m,
                                    struct uiommu_domain *domain)
{
    if (uim_group_is_held(uim_hardware_of(m->group)))
        return UIOMMU_BUSY;
    if (domain->kind == UIOMMU_DOMAIN_BLOCKED)
        return m->seat ? end(m) : UIOMMU_OK;
    if (is_quarantined(m))
        return UIOMMU_NODEV;
    if (domain == m->group->own.domain)
        return UIOMMU_OK;
    if (!uim_mediated_fits(m, domain))
        return UIOMMU_INVAL;
    if (!m->seat)
        return begin(m, domain);
    if (shares(m) && (!is_last(m->seat) || find_shared(m, domain)))
        return change_seats(m, domain);
    return replace(m, domain);
}

enum uiommu_status uim_mediated_force(struct uim_mediated *m)
{
    return m->seat ? end(m) : UIOMMU_OK;
}

/* ---- the parent is reset -------------------------------------------------------- */

/* It may be blocked although its parent is not. */
static enum uiommu_mdev_reset what_happens(struct uim_mediated *m,
                                           enum uiommu_mdev_reset what)
{
    return what == UIOMMU_MDEV_RESET_END && is_quarantined(m)
               ? UIOMMU_MDEV_RESET_FAILED
               : what;
}

/* What did not come back from a reset sees nothing, and is said to. It has its number
 * until it is ended: the mediator is asked for that. */
static void face(struct uim_mediated *m, enum uiommu_mdev_reset what)
{
    if (what == UIOMMU_MDEV_RESET_FAILED && m->seat)
        show(m, m->seat, &m->group->u->blocked);
}

void uim_mediated_tell(const struct uiommu_device *device,
                       enum uiommu_mdev_reset what)
{
    for (struct uim_node *n = device->mediated.next; n != &device->mediated;
         n = n->next) {
        struct uim_mediated *m = uim_container(n, struct uim_mediated, node);
        const enum uiommu_mdev_reset happens = what_happens(m, what);
        struct uim_call call;

        face(m, happens);
        if (!m->mediator.parent_reset)
            continue;
        uim_mediator_enter(m, &call, false);
        m->mediator.parent_reset(m->config.ctx, &m->endpoint, happens);
        uim_mediator_leave(&call);
    }
}
