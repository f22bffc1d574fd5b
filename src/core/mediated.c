/* SPDX-License-Identifier: MIT */
/*
 * mediated.c - parts of a device that its mediator lends to clients (semantics C).
 *
 * A part has a view and a group of its own, which is virtual: it borrows mutex, policy and
 * hardware from that of the parent. What carries its number sees what the `seat` says, a
 * PASID that it has only while it sees something. Drivers see that PASID and nothing else.
 */
#include "core/core.h"

static struct uim_mediated *mediated_of(struct uim_node *n)
{
    return uim_container(n, struct uim_mediated, node);
}

static struct uiommu *instance_of(const struct uim_mediated *m)
{
    return m->group->u;
}

static struct uiommu_group *hardware_of(const struct uim_mediated *m)
{
    return uim_hardware_of(m->group);
}

/* The parent's id is its own. */
static bool inherits(const struct uim_mediated *m)
{
    return m->config.kind == UIOMMU_MDEV_RID_INHERIT;
}

static bool is_emulated(const struct uim_mediated *m)
{
    return m->config.kind == UIOMMU_MDEV_EMULATED;
}

static bool shares(const struct uim_mediated *m)
{
    return m->config.flags & UIOMMU_MDEV_SHARE;
}

static bool hardware_failed(enum uiommu_status status)
{
    return status >= UIOMMU_TIMEDOUT;
}

/* ---- the mediator is called --------------------------------------------------------- */

/* Whoever calls back from there meets uim_is_inside(). */
void uim_mediated_enter(struct uim_mediated *m, struct uim_call *call,
                        bool unmapped)
{
    struct uiommu *u = instance_of(m);
    struct uiommu_group *group = hardware_of(m);

    *call = (struct uim_call){
        .of = m,
        .thread = uim_thread(u),
        .unmapped = unmapped,
    };
    u->host.spin_lock(u->host.ctx, u->device_lock);
    call->next = atomic_load(&group->calls);
    atomic_store(&group->calls, call);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

static void unlist(struct uiommu_group *group, const struct uim_call *call)
{
    struct uim_call *at = atomic_load(&group->calls);

    if (at == call) {
        atomic_store(&group->calls, call->next);
        return;
    }
    while (at->next != call)
        at = at->next;
    at->next = call->next;
}

void uim_mediated_leave(const struct uim_call *call)
{
    struct uiommu *u = instance_of(call->of);

    u->host.spin_lock(u->host.ctx, u->device_lock);
    unlist(hardware_of(call->of), call);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

/* Mostly nobody is told anything, and whoever pins need not be held up then. */
bool uim_mediated_is_told(struct uim_mediated *m)
{
    struct uiommu *u = instance_of(m);
    const uintptr_t me = uim_thread(u);
    const struct uim_call *call;

    if (!atomic_load(&hardware_of(m)->calls))
        return false;
    u->host.spin_lock(u->host.ctx, u->device_lock);
    call = atomic_load(&hardware_of(m)->calls);
    while (call && !(call->of == m && call->unmapped && call->thread == me))
        call = call->next;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return call != NULL;
}

static enum uiommu_status install(struct uim_mediated *m)
{
    enum uiommu_status status;
    struct uim_call call;

    uim_mediated_enter(m, &call, false);
    status = m->mediator.pasid_install(m->config.ctx, &m->endpoint,
                                       atomic_load(&m->pasid));
    uim_mediated_leave(&call);
    return status;
}

static enum uiommu_status announce(struct uim_mediated *m)
{
    enum uiommu_status status;
    struct uim_call call;

    if (!m->mediator.registered)
        return UIOMMU_OK;
    uim_mediated_enter(m, &call, false);
    status = m->mediator.registered(m->config.ctx, &m->endpoint);
    uim_mediated_leave(&call);
    return status;
}

/* Did it stop? */
static bool clear(struct uim_mediated *m)
{
    struct uim_call call;
    bool stopped;

    uim_mediated_enter(m, &call, false);
    stopped = m->mediator.pasid_clear(m->config.ctx, &m->endpoint,
                                      atomic_load(&m->pasid));
    uim_mediated_leave(&call);
    return stopped;
}

/* ---- what it sees ---------------------------------------------------------------------- */

/* All members that have PASIDs see it (B.6). */
static bool members_fit(const struct uim_mediated *m,
                        const struct uiommu_domain *domain)
{
    const struct uiommu_group *group = hardware_of(m);

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
    if (!endpoint->mediated || !inherits(endpoint->mediated))
        return endpoint->domain;
    return endpoint->device ? endpoint->device->endpoint->domain
                            : &endpoint->unit->u->blocked;
}

struct uiommu_endpoint *uim_mediated_real(struct uiommu_endpoint *endpoint)
{
    const struct uim_mediated *m = endpoint->mediated;

    if (m && inherits(m) && endpoint->device)
        return endpoint->device->endpoint;
    if (!m || !m->seat)
        return endpoint;
    return uim_pasid_of(m->seat, endpoint->device);
}

/* What clients are told. */
static void show(struct uim_mediated *m, struct uim_view *seat,
                 struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &instance_of(m)->host;
    const struct uim_view *has = seat ? seat : m->kept;

    m->seat = seat;
    atomic_store(&m->pasid, has ? has->pasid : UIOMMU_NO_PASID);
    h->spin_lock(h->ctx, instance_of(m)->device_lock);
    m->endpoint.domain = domain;
    h->spin_unlock(h->ctx, instance_of(m)->device_lock);
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
    struct uiommu_group *group = hardware_of(m);

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
    enum uiommu_status status = uim_view_force(view, &instance_of(m)->blocked);

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

static enum uiommu_status reserve(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK;

    if (m->config.flags & UIOMMU_MDEV_EARLY)
        status = open_number(m, &m->kept);
    if (m->kept)
        atomic_store(&m->pasid, m->kept->pasid);
    return status;
}

/* It sees nothing any more. */
static enum uiommu_status unreserve(struct uim_mediated *m)
{
    struct uim_view *view = m->kept;

    m->kept = NULL;
    return view ? uim_pasid_close(view, true) : UIOMMU_OK;
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
    status = install(m);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    gone = give_seat(m, seat, is_refused(status));
    show(m, NULL, &instance_of(m)->blocked);
    return hardware_failed(gone) ? gone : status;
}

/* The mediator stops it first; then nothing gets through, whatever it does. */
static enum uiommu_status end(struct uim_mediated *m)
{
    bool stopped = clear(m);
    enum uiommu_status status = give_seat(m, m->seat, stopped);

    show(m, NULL, &instance_of(m)->blocked);
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
    status = install(m);
    if (status == UIOMMU_OK)
        return;
    (void)!give_seat(m, seat, stopped && is_refused(status));
    show(m, NULL, &instance_of(m)->blocked);
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
    stopped = clear(m);
    show(m, seat, domain);
    status = install(m);
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
    if (uim_group_is_held(hardware_of(m)))
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

/* ---- the parent is reset -------------------------------------------------------------------------- */

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
        show(m, m->seat, &instance_of(m)->blocked);
}

void uim_mediated_tell(const struct uiommu_device *device,
                       enum uiommu_mdev_reset what)
{
    for (struct uim_node *n = device->mediated.next; n != &device->mediated;
         n = n->next) {
        struct uim_mediated *m = mediated_of(n);
        const enum uiommu_mdev_reset happens = what_happens(m, what);
        struct uim_call call;

        face(m, happens);
        if (!m->mediator.parent_reset)
            continue;
        uim_mediated_enter(m, &call, false);
        m->mediator.parent_reset(m->config.ctx, &m->endpoint, happens);
        uim_mediated_leave(&call);
    }
}

/* ---- the parent was pulled out ------------------------------------------------------------------ */

bool uim_mediated_started(const struct uiommu_device *device)
{
    const struct uim_node *list = &device->mediated;

    for (const struct uim_node *n = list->next; n != list; n = n->next) {
        const struct uim_mediated *m =
            uim_container(n, const struct uim_mediated, node);

        if (m->group->own.dma || m->parked)
            return true;
    }
    return false;
}

/* What is emulated goes on answering, and lets go. */
static void stop(struct uim_mediated *m)
{
    if (m->seat)
        (void)clear(m);
    if (is_emulated(m))
        (void)!uim_view_force(&m->group->own, &instance_of(m)->blocked);
}

void uim_mediated_stop(struct uiommu_device *device)
{
    uim_list_for_each(n, &device->mediated)
        stop(mediated_of(n));
}

/* What others of its group see is for these to say from now on. */
static enum uiommu_status give_up_id(struct uim_mediated *m,
                                     struct uiommu_endpoint *own)
{
    enum uiommu_status status;

    m->group->heir = NULL;
    status = uim_group_to_core(m->group);
    uim_requests_lend(own, NULL);
    return status;
}

static enum uiommu_status give_up(struct uim_mediated *m,
                                  struct uiommu_device *device)
{
    struct uim_view *seat = m->seat;
    enum uiommu_status status = UIOMMU_OK, kept;

    if (inherits(m))
        return give_up_id(m, device->endpoint);
    if (is_emulated(m))
        return UIOMMU_OK;
    if (seat)
        status = give_seat(m, seat, true);
    kept = unreserve(m);
    show(m, NULL, &instance_of(m)->blocked);
    return status != UIOMMU_OK ? status : kept;
}

static enum uiommu_status orphan(struct uim_mediated *m)
{
    struct uiommu_device *device = m->endpoint.device;
    struct uiommu *u = instance_of(m);

    uim_list_del(&m->node);
    atomic_store(&m->endpoint.quarantined, true);
    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_requests_orphan(&m->endpoint);
    uim_list_add_tail(&u->dead, &m->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return give_up(m, device);
}

enum uiommu_status uim_mediated_orphan(struct uiommu_device *device)
{
    enum uiommu_status worst = UIOMMU_OK;

    while (!uim_list_empty(&device->mediated)) {
        enum uiommu_status status = orphan(mediated_of(device->mediated.next));

        if (status != UIOMMU_OK)
            worst = status;
    }
    return worst;
}

/* ---- come and go ------------------------------------------------------------------------------------ */

static bool is_good(const struct uiommu_mdev_config *config)
{
    const uint32_t known =
        UIOMMU_MDEV_SHARE | UIOMMU_MDEV_DMA | UIOMMU_MDEV_EARLY;
    const uint32_t numbers =
        config->flags & (UIOMMU_MDEV_SHARE | UIOMMU_MDEV_EARLY);
    const struct uiommu_mediator *mediator = config->mediator;

    if (config->size != sizeof(*config) || (config->flags & ~known) ||
        !mediator)
        return false;
    if (config->kind == UIOMMU_MDEV_PASID)
        return mediator->pasid_install && mediator->pasid_clear &&
               numbers != (UIOMMU_MDEV_SHARE | UIOMMU_MDEV_EARLY);
    if (numbers != 0 || config->first > 0 || config->last > 0)
        return false;
    return config->kind != UIOMMU_MDEV_EMULATED || mediator->unmapped;
}

static enum uiommu_status may_number(const struct uiommu_device *device)
{
    if (device->untrusted &&
        !(device->u->config.flags & UIOMMU_CONFIG_WIDE_PASIDS))
        return UIOMMU_PERM;
    return uim_pasid_may_have(device);
}

/* Nobody else sees anything by it but the mediator's own driver (C.3). What carries
 * PASIDs is not concerned, which is independent of it on all units (driver.h). */
static enum uiommu_status may_inherit(const struct uiommu_device *device)
{
    const struct uiommu_group *group = device->group;

    if (group->heir ||
        (!group->own.dma && group->own.domain != uim_group_core(group)))
        return UIOMMU_BUSY;
    return UIOMMU_OK;
}

static enum uiommu_status may_be_parent(const struct uiommu_device *device,
                                        enum uiommu_mdev_kind kind)
{
    const struct uiommu_group *group = device->group;

    if (uim_asleep(device->u))
        return UIOMMU_AGAIN;
    if (group->owner || uim_group_is_held(group))
        return UIOMMU_BUSY;
    if (atomic_load(&device->endpoint->quarantined))
        return UIOMMU_NODEV;
    if (kind == UIOMMU_MDEV_EMULATED)
        return UIOMMU_OK;
    return kind == UIOMMU_MDEV_PASID ? may_number(device) : may_inherit(device);
}

/* What it says, or what its parent has; INVAL: more than that (C.6). */
static enum uiommu_status narrow(const struct uiommu_device *device,
                                 struct uiommu_mdev_config *config)
{
    const struct uim_unit *unit = device->unit;

    if (config->iova_bits > unit->iova_bits ||
        (config->page_sizes & ~unit->page_sizes))
        return UIOMMU_INVAL;
    if (config->iova_bits == 0)
        config->iova_bits = unit->iova_bits;
    if (config->page_sizes == 0)
        config->page_sizes = unit->page_sizes;
    if (config->kind != UIOMMU_MDEV_PASID)
        return UIOMMU_OK;
    if (config->first == 0)
        config->first = 1;
    if (config->last == 0)
        config->last = UINT32_MAX;
    return uim_pasid_range(device, config->first, config->last);
}

static void fill_endpoint(struct uim_mediated *m, struct uiommu_device *device)
{
    struct uiommu_endpoint *ep = &m->endpoint;

    ep->unit = device->unit;
    ep->id = device->endpoint->id;
    ep->pasid = UIOMMU_NO_PASID;
    ep->device = device;
    ep->view = &m->group->own;
    ep->domain = &device->u->blocked;
    ep->mediated = m;
    uim_list_init(&ep->member);
    uim_list_init(&ep->node);
    uim_list_init(&ep->pasids);
}

static void fill(struct uim_mediated *m, struct uiommu_device *device)
{
    struct uiommu_group *group = device->group;

    fill_endpoint(m, device);
    uim_list_add_tail(&device->mediated, &m->node);
    group->n_mediated++;
    atomic_fetch_add(&device->u->n_mediated, 1);
    switch (m->config.kind) {
    case UIOMMU_MDEV_PASID:
        m->group->own.mediated = m;
        group->n_numbered++;
        break;
    case UIOMMU_MDEV_RID_INHERIT:
        group->heir = m;
        uim_requests_lend(device->endpoint, &m->endpoint);
        break;
    case UIOMMU_MDEV_EMULATED:
        m->group->software = true;
        uim_soft_add(m, device->unit);
        break;
    }
}

/* It has no seat any more. */
static void take_back(struct uim_mediated *m)
{
    struct uiommu_group *group = hardware_of(m);
    struct uiommu *u = group->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    uim_list_del(&m->node);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    group->n_mediated--;
    atomic_fetch_sub(&u->n_mediated, 1);
    if (m->config.kind == UIOMMU_MDEV_PASID)
        group->n_numbered--;
    if (group->heir == m) {
        group->heir = NULL;
        uim_requests_lend(m->endpoint.device->endpoint, NULL);
    }
    if (is_emulated(m))
        uim_soft_remove(m);
    uim_group_put(m->group);
    uim_free(u, m, sizeof(*m));
}

static struct uiommu_group *group_for(struct uiommu_device *device,
                                      enum uiommu_mdev_kind kind)
{
    if (kind != UIOMMU_MDEV_RID_INHERIT)
        return uim_group_create_virtual(device->group);
    atomic_fetch_add(&device->group->refs, 1);
    return device->group;
}

static struct uim_mediated *alloc(struct uiommu_device *device,
                                  const struct uiommu_mdev_config *config)
{
    struct uim_mediated *m = uim_alloc(device->u, sizeof(*m));

    if (!m)
        return NULL;
    m->group = group_for(device, config->kind);
    if (!m->group) {
        uim_free(device->u, m, sizeof(*m));
        return NULL;
    }
    m->config = *config;
    m->limits.iova_bits = config->iova_bits;
    m->limits.page_sizes = config->page_sizes;
    m->mediator = *config->mediator;
    return m;
}

static enum uiommu_status create(struct uiommu_device *device,
                                 const struct uiommu_mdev_config *config,
                                 struct uim_mediated **out)
{
    enum uiommu_status status = UIOMMU_OK;

    if (config->kind == UIOMMU_MDEV_EMULATED)
        status = uim_soft_get(device->unit);
    if (status != UIOMMU_OK)
        return status;
    *out = alloc(device, config);
    if (!*out) {
        uim_soft_put(device->unit);
        return UIOMMU_NOMEM;
    }
    fill(*out, device);
    return UIOMMU_OK;
}

/* The mediator's own driver has what it lends no longer. */
static enum uiommu_status park(struct uim_mediated *m)
{
    if (!inherits(m) || !m->group->own.dma)
        return UIOMMU_OK;
    return uim_dma_park(m->endpoint.device->endpoint, &m->parked);
}

static enum uiommu_status unpark(struct uim_mediated *m)
{
    return m->parked ? uim_dma_unpark(m->endpoint.device->endpoint, m->parked)
                     : UIOMMU_OK;
}

static enum uiommu_status begin_use(struct uim_mediated *m)
{
    enum uiommu_status status = reserve(m);

    if (status == UIOMMU_OK && (m->config.flags & UIOMMU_MDEV_DMA))
        status = uim_dma_start(&m->endpoint);
    return status == UIOMMU_OK ? announce(m) : status;
}

/* Before its mediator was told of it. */
static enum uiommu_status stop_use(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, parked, kept;

    if (m->endpoint.dma_starts > 0)
        status = uim_dma_stop(&m->endpoint);
    kept = unreserve(m);
    parked = unpark(m);
    if (status == UIOMMU_OK)
        status = kept;
    return status != UIOMMU_OK ? status : parked;
}

/* What hardware did not undo is worse than whatever there was to be undone. */
static enum uiommu_status start(struct uim_mediated *m)
{
    enum uiommu_status status = park(m), stopped;

    if (status == UIOMMU_OK) {
        status = begin_use(m);
        if (status == UIOMMU_OK)
            return UIOMMU_OK;
        stopped = stop_use(m);
        if (hardware_failed(stopped))
            status = stopped;
    }
    take_back(m);
    return status;
}

static enum uiommu_status
register_locked(struct uiommu_device *device,
                const struct uiommu_mdev_config *config,
                struct uiommu_endpoint **out)
{
    struct uiommu_mdev_config narrowed = *config;
    struct uim_mediated *m = NULL;
    enum uiommu_status status = may_be_parent(device, config->kind);

    if (status == UIOMMU_OK)
        status = narrow(device, &narrowed);
    if (status == UIOMMU_OK)
        status = create(device, &narrowed, &m);
    if (status == UIOMMU_OK)
        status = start(m);
    if (status == UIOMMU_OK)
        *out = &m->endpoint;
    return status;
}

enum uiommu_status uiommu_mdev_register(struct uiommu_device *parent,
                                        const struct uiommu_mdev_config *config,
                                        struct uiommu_endpoint **out)
{
    struct uiommu_group *group;
    enum uiommu_status status;
    struct uiommu *u;

    if (!parent || !config || !out || !is_good(config))
        return UIOMMU_INVAL;
    if (config->kind > UIOMMU_MDEV_EMULATED)
        return UIOMMU_OPNOTSUPP;
    if (uim_is_inside(parent->endpoint))
        return UIOMMU_BUSY;
    u = parent->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    group = uim_group_enter(parent->endpoint);
    status = register_locked(parent, config, out);
    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

static bool is_used(const struct uim_mediated *m)
{
    unsigned own = m->config.flags & UIOMMU_MDEV_DMA ? 1 : 0;

    if (m->endpoint.dma_starts > own || m->group->own.bond)
        return true;
    if (inherits(m) && m->endpoint.device && uim_pasids_below(m->group))
        return true;
    return m->group->owner && (m->group->hardware || m->endpoint.device);
}

static enum uiommu_status end_inheritance(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, parked;

    if (m->endpoint.device)
        status = uim_group_to_core(m->group);
    parked = unpark(m);
    return status != UIOMMU_OK ? status : parked;
}

/* Whatever it sees, it sees nothing at the end. */
static enum uiommu_status end_use(struct uim_mediated *m)
{
    enum uiommu_status status = UIOMMU_OK, rest;

    if (m->endpoint.dma_starts > 0)
        status = uim_dma_stop(&m->endpoint);
    else if (m->seat)
        status = end(m);
    else if (is_emulated(m) && m->endpoint.device)
        status = uim_view_force(&m->group->own, &instance_of(m)->blocked);
    rest = inherits(m) ? end_inheritance(m) : unreserve(m);
    return status != UIOMMU_OK ? status : rest;
}

static enum uiommu_status unregister_locked(struct uim_mediated *m)
{
    enum uiommu_status status;

    if (uim_must_wait(instance_of(m)))
        return UIOMMU_AGAIN;
    if (is_used(m))
        return UIOMMU_BUSY;
    status = end_use(m);
    take_back(m);
    return status;
}

enum uiommu_status uiommu_mdev_unregister(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group;
    enum uiommu_status status;
    struct uiommu *u;

    if (!endpoint || !endpoint->mediated)
        return UIOMMU_INVAL;
    if (uim_is_inside(endpoint))
        return UIOMMU_BUSY;
    u = endpoint->unit->u;
    u->host.mutex_lock(u->host.ctx, u->lock);
    group = uim_group_enter(endpoint);
    status = unregister_locked(endpoint->mediated);
    uim_group_leave(group);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

void uim_mediated_forget(struct uim_node *list)
{
    while (!uim_list_empty(list)) {
        struct uim_mediated *m = mediated_of(list->next);

        m->seat = m->kept = NULL;
        if (m->parked) {
            uim_dma_unhold(&m->group->own);
            uim_dma_forget(instance_of(m), m->parked);
        }
        take_back(m);
    }
}
