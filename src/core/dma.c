/* SPDX-License-Identifier: MIT */
/*
 * dma.c - DMA for drivers of the host: default domains, who has them, and mappings at
 * addresses that are chosen here (semantics B.2, B.4, B.12: strict).
 *
 * What an endpoint is started with stays until it is stopped, so that map and unmap read
 * it without a lock.
 */
#include "core/core.h"

#define FIRST_4G (UINT64_C(0xffffffff))

static struct uiommu_device *device_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_device, member);
}

static struct uiommu_endpoint *member_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, member);
}

static bool is_identity(const struct uim_dma *dma)
{
    return dma->domain->kind == UIOMMU_DOMAIN_IDENTITY;
}

bool uim_dma_is_identity(const struct uim_view *view)
{
    return view->dma && is_identity(view->dma);
}

/* ---- which domain (B.2) ------------------------------------------------------------ */

static const struct uiommu_device *untrusted_of(const struct uim_view *view)
{
    struct uiommu_group *group = uim_hardware_of(view->group);

    uim_list_for_each(n, &group->devices)
        if (device_of(n)->untrusted)
            return device_of(n);
    return NULL;
}

static enum uiommu_status refuse(const struct uiommu_endpoint *ep,
                                 enum uiommu_status status, const char *why)
{
    uim_log(ep->unit->u, UIOMMU_LOG_WARN, "%s is not started for DMA: %s",
            uim_device_name(ep->device).text, why);
    return status;
}

/* What is lent of a device may see less than its unit could show it (C.6). */
static bool fits_identity(const struct uiommu_endpoint *ep)
{
    const struct uiommu_domain *identity = &ep->unit->u->identity;

    return uim_view_fits(ep->view, identity) &&
           (!ep->mediated || uim_mediated_fits(ep->mediated, identity));
}

static enum uiommu_status may_be_identity(const struct uiommu_endpoint *ep)
{
    if (untrusted_of(ep->view))
        return refuse(ep, UIOMMU_OPNOTSUPP,
                      "identity is not for devices that are not trusted");
    if (!fits_identity(ep))
        return refuse(ep, UIOMMU_OPNOTSUPP,
                      "its unit has no pass-through, or it is a part that is "
                      "to see less than all");
    return UIOMMU_OK;
}

/* Nobody asked: what the configuration says, where it can be. */
static enum uiommu_default_rule rule_of(const struct uiommu_endpoint *ep)
{
    const struct uiommu *u = ep->unit->u;

    if (u->config.default_domain == UIOMMU_DMA_ANY)
        return UIOMMU_DEFAULT_NOT_SAID;
    if (u->config.default_domain == UIOMMU_DMA_IDENTITY) {
        if (untrusted_of(ep->view))
            return UIOMMU_DEFAULT_UNTRUSTED;
        if (!fits_identity(ep))
            return UIOMMU_DEFAULT_NO_IDENTITY;
    }
    return UIOMMU_DEFAULT_CONFIGURED;
}

static enum uiommu_status choose(const struct uiommu_endpoint *ep,
                                 const struct uiommu_dma_config *config,
                                 enum uiommu_default_rule *rule, bool *identity)
{
    *rule = UIOMMU_DEFAULT_ASKED;
    *identity = config->kind == UIOMMU_DMA_IDENTITY;
    if (*identity)
        return may_be_identity(ep);
    if (config->kind == UIOMMU_DMA_ANY && ep->unit->walks_none) {
        *rule = UIOMMU_DEFAULT_NO_TABLES;
        *identity = true;
        return may_be_identity(ep);
    }
    if (config->kind == UIOMMU_DMA_ANY) {
        *rule = rule_of(ep);
        *identity = *rule == UIOMMU_DEFAULT_CONFIGURED &&
                    ep->unit->u->config.default_domain == UIOMMU_DMA_IDENTITY;
    }
    return UIOMMU_OK;
}

/* ---- a default domain comes and goes -------------------------------------------------- */

static enum uiommu_status set_regions_aside(struct uiommu_group *group,
                                            struct uim_iova *space)
{
    struct uim_regions r;
    enum uiommu_status status = uim_regions_of(group, &r);

    for (size_t i = 0; status == UIOMMU_OK && i < r.n; i++)
        if (r.at[i].kind != UIOMMU_REGION_DOORBELL_WINDOW)
            status = uim_iova_set_aside(space, r.at[i].start, r.at[i].last);
    uim_free(group->u, r.at, r.size);
    return status;
}

static enum uiommu_status make_space(struct uim_view *view, struct uim_dma *dma)
{
    const struct uiommu_domain *d = dma->domain;
    enum uiommu_status status =
        uim_iova_init(&dma->space, &d->u->host, d->page_mask + 1, d->last_iova);

    if (status != UIOMMU_OK)
        return status;
    status = set_regions_aside(view->group, &dma->space);
    if (status == UIOMMU_OK)
        uim_iova_decide(&dma->space, true);
    else
        uim_iova_end(&dma->space);
    return status;
}

/* Doorbells get addresses of the space: no window is kept for them. */
static void open_window(struct uiommu_domain *d)
{
    if (d->kept_first <= d->kept_last)
        uim_domain_open_window(d);
}

static enum uiommu_status fill(const struct uiommu_endpoint *ep,
                               struct uim_dma *dma, bool identity)
{
    struct uiommu_domain_config config = { .size = sizeof(config) };
    struct uiommu *u = ep->unit->u;
    enum uiommu_status status;

    if (identity) {
        dma->domain = &u->identity;
        uiommu_domain_get(dma->domain);
        return UIOMMU_OK;
    }
    config.events = u->config.default_events;
    status = uim_domain_create_for(ep, &config, &dma->domain);
    if (status != UIOMMU_OK)
        return status;
    open_window(dma->domain);
    status = make_space(ep->view, dma);
    if (status != UIOMMU_OK)
        uiommu_domain_put(dma->domain);
    return status;
}

void uim_dma_forget(struct uiommu *u, struct uim_dma *dma)
{
    if (!is_identity(dma))
        uim_iova_end(&dma->space);
    uiommu_domain_put(dma->domain);
    uim_free(u, dma, sizeof(*dma));
}

void uim_dma_free(struct uim_view *view)
{
    struct uim_dma *dma = view->dma;

    view->dma = NULL;
    if (dma)
        uim_dma_forget(view->group->u, dma);
}

static enum uiommu_status set(struct uim_view *view,
                              struct uiommu_domain *domain)
{
    return view->pasid == UIOMMU_NO_PASID ? uim_group_set(view->group, domain)
                                          : uim_view_set(view, domain);
}

/* A device that sends no address above `last` can send something that it may be given. */
static bool has_addresses(const struct uim_dma *dma, uint64_t last)
{
    return is_identity(dma) || last >= 2 * dma->space.page - 1;
}

static enum uiommu_status begin(const struct uiommu_endpoint *ep,
                                const struct uiommu_dma_config *config,
                                uint64_t last)
{
    struct uim_view *view = ep->view;
    struct uiommu *u = ep->unit->u;
    enum uiommu_default_rule rule;
    enum uiommu_status status;
    bool identity;

    status = choose(ep, config, &rule, &identity);
    if (status != UIOMMU_OK)
        return status;
    view->dma = uim_alloc(u, sizeof(*view->dma));
    if (!view->dma)
        return UIOMMU_NOMEM;
    view->dma->rule = rule;
    status = fill(ep, view->dma, identity);
    if (status != UIOMMU_OK) {
        uim_free(u, view->dma, sizeof(*view->dma));
        view->dma = NULL;
        return status;
    }
    status = has_addresses(view->dma, last) ? set(view, view->dma->domain)
                                            : UIOMMU_INVAL;
    if (status != UIOMMU_OK)
        uim_dma_free(view);
    return status;
}

/* ---- start ------------------------------------------------------------------------------ */

/* Where a domain of somebody else would be put out of sight. */
static bool is_at_rest(const struct uim_view *view)
{
    const struct uiommu_group *group = view->group;

    if (view->pasid != UIOMMU_NO_PASID)
        return view->domain == &group->u->blocked;
    return view->domain == uim_group_core(group) ||
           view->domain->kind == UIOMMU_DOMAIN_INHERITED;
}

static enum uiommu_status agree(const struct uiommu_endpoint *ep,
                                const struct uiommu_dma_config *config,
                                uint64_t last)
{
    const struct uim_dma *dma = ep->view->dma;

    if (config->kind != UIOMMU_DMA_ANY &&
        (config->kind == UIOMMU_DMA_IDENTITY) != is_identity(dma))
        return refuse(ep, UIOMMU_INVAL,
                      is_identity(dma)
                          ? "its group was started with identity"
                          : "its group was started with translation");
    if (ep->dma_starts > 0 && ep->dma_last != last)
        return refuse(ep, UIOMMU_INVAL,
                      "it was started with another last_iova");
    return has_addresses(dma, last) ? UIOMMU_OK : UIOMMU_INVAL;
}

static void end(struct uim_view *view, enum uiommu_status *status)
{
    struct uiommu *u = view->group->u;

    if (view->pasid == UIOMMU_NO_PASID)
        *status = uim_group_to_core(view->group);
    else
        *status = uim_view_force(view, &u->blocked);
    uim_dma_free(view);
}

static enum uiommu_status start_locked(struct uiommu_endpoint *ep,
                                       const struct uiommu_dma_config *config)
{
    const uint64_t last = config->last_iova ? config->last_iova : UINT64_MAX;
    struct uim_view *view = ep->view;
    enum uiommu_status status;

    if (!ep->device)
        return UIOMMU_NODEV;
    status = uim_mediated_may_use(ep);
    if (status != UIOMMU_OK)
        return status;
    if (view->group->owner)
        return UIOMMU_PERM;
    if (!view->dma && !is_at_rest(view))
        return UIOMMU_BUSY;
    status = view->dma ? agree(ep, config, last) : begin(ep, config, last);
    if (status != UIOMMU_OK)
        return status;
    view->dma->starts++;
    if (ep->dma_starts++ == 0) {
        ep->dma_last = last;
        atomic_store(&ep->dma, view->dma);
    }
    return UIOMMU_OK;
}

static bool is_good(const struct uiommu_dma_config *config)
{
    return config->size == sizeof(*config) &&
           (unsigned)config->kind <= UIOMMU_DMA_IDENTITY;
}

static const struct uiommu_dma_config any = { .size = sizeof(any) };

enum uiommu_status uim_dma_start(struct uiommu_endpoint *endpoint)
{
    return start_locked(endpoint, &any);
}

enum uiommu_status uiommu_dma_start(struct uiommu_endpoint *endpoint,
                                    const struct uiommu_dma_config *config)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!config)
        config = &any;
    if (!endpoint || !is_good(config))
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status =
        uim_asleep(group->u) ? UIOMMU_AGAIN : start_locked(endpoint, config);
    uim_group_leave(group);
    return status;
}

/* ---- stop -------------------------------------------------------------------------------- */

static void tell_of_leaks(const struct uiommu_endpoint *ep)
{
    struct uim_dma *dma = ep->view->dma;
    unsigned n = is_identity(dma) ? 0 : uim_iova_count(&dma->space);
    struct uim_name name = { "a device that was pulled out" };

    if (n == 0)
        return;
    if (ep->device)
        name = uim_device_name(ep->device);
    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "%s was stopped with %u ranges still mapped for DMA", name.text, n);
}

static enum uiommu_status stop_locked(struct uiommu_endpoint *ep)
{
    struct uim_view *view = ep->view;
    enum uiommu_status status = UIOMMU_OK;

    if (ep->dma_starts == 0)
        return UIOMMU_INVAL;
    if (--ep->dma_starts == 0)
        atomic_store(&ep->dma, NULL);
    if (--view->dma->starts > 0)
        return UIOMMU_OK;
    tell_of_leaks(ep);
    end(view, &status);
    return status;
}

enum uiommu_status uim_dma_stop(struct uiommu_endpoint *endpoint)
{
    return stop_locked(endpoint);
}

enum uiommu_status uiommu_dma_stop(struct uiommu_endpoint *endpoint)
{
    struct uiommu_group *group;
    enum uiommu_status status;

    if (!endpoint)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = uim_must_wait(group->u) ? UIOMMU_AGAIN : stop_locked(endpoint);
    uim_group_leave(group);
    return status;
}

/* ---- a driver that lends what it has --------------------------------------------------------- */

void uim_dma_let_go(struct uiommu_endpoint *endpoint)
{
    if (!endpoint->parked)
        return;
    uim_link_put(endpoint->parked, endpoint->unit, endpoint->pasid);
    endpoint->parked = NULL;
}

void uim_dma_unhold(struct uim_view *view)
{
    uim_list_for_each(n, &view->endpoints)
        uim_dma_let_go(member_of(n));
}

/* As long as they are held the domain can be seen again without asking for anything. */
static enum uiommu_status hold_links(struct uim_view *view,
                                     struct uiommu_domain *d)
{
    uim_list_for_each(n, &view->endpoints) {
        struct uiommu_endpoint *ep = member_of(n);
        enum uiommu_status status = uim_link_get(d, ep->unit, ep->pasid);

        if (status != UIOMMU_OK) {
            uim_dma_unhold(view);
            return status;
        }
        ep->parked = d;
    }
    return UIOMMU_OK;
}

static void hand_back(struct uiommu_endpoint *ep, struct uim_dma *dma)
{
    ep->view->dma = dma;
    ep->dma_starts = 1;
    atomic_store(&ep->dma, dma);
}

enum uiommu_status uim_dma_park(struct uiommu_endpoint *endpoint,
                                struct uim_dma **out)
{
    struct uim_view *view = endpoint->view;
    struct uim_dma *dma = view->dma;
    enum uiommu_status status;

    if (dma->starts != 1 || endpoint->dma_starts != 1)
        return UIOMMU_BUSY;
    status = hold_links(view, dma->domain);
    if (status != UIOMMU_OK)
        return status;
    atomic_store(&endpoint->dma, NULL);
    endpoint->dma_starts = 0;
    view->dma = NULL;
    status = uim_group_to_core(view->group);
    if (status == UIOMMU_OK) {
        *out = dma;
        return UIOMMU_OK;
    }
    hand_back(endpoint, dma); /* it is quarantined */
    uim_dma_unhold(view);
    return status;
}

enum uiommu_status uim_dma_unpark(struct uiommu_endpoint *endpoint,
                                  struct uim_dma *dma)
{
    enum uiommu_status status = uim_view_force(endpoint->view, dma->domain);

    uim_dma_unhold(endpoint->view);
    hand_back(endpoint, dma);
    return status;
}

/* ---- who comes to a group that was started -------------------------------------------------- */

static enum uiommu_status refuse_to_join(const struct uiommu_device *device)
{
    uim_log(device->u, UIOMMU_LOG_ERROR,
            "%s stays blocked: its group sees identity, which is not for "
            "devices that are not trusted",
            uim_device_name(device).text);
    return UIOMMU_BUSY;
}

enum uiommu_status uim_dma_joins(struct uiommu_group *into,
                                 struct uiommu_group *from)
{
    struct uim_dma *dma = into->own.dma;
    const struct uiommu_device *untrusted = untrusted_of(&from->own);

    if (!dma)
        return UIOMMU_OK;
    if (!is_identity(dma))
        return set_regions_aside(from, &dma->space);
    return untrusted ? refuse_to_join(untrusted) : UIOMMU_OK;
}

void uim_dma_joined(struct uiommu_group *into, bool joined)
{
    if (into->own.dma && !is_identity(into->own.dma))
        uim_iova_decide(&into->own.dma->space, joined);
}

enum uiommu_status uim_dma_trust(struct uiommu_device *device, bool untrusted)
{
    struct uiommu_group *group = device->group;
    enum uiommu_status status = UIOMMU_OK;

    uim_group_lock(group);
    if (untrusted && group->heir && group->heir->parked)
        status = UIOMMU_BUSY;
    else if (untrusted && uim_dma_is_identity(&group->own))
        status = refuse_to_join(device);
    else
        device->untrusted = untrusted;
    uim_group_unlock(group);
    return status;
}

/* ---- map and unmap -------------------------------------------------------------- */

static bool is_range(uint64_t start, uint64_t size)
{
    return size > 0 && size - 1 <= UINT64_MAX - start;
}

/* The pages that hold it; 0: all there are. */
static uint64_t span_of(const struct uim_dma *dma, uint64_t start,
                        uint64_t size)
{
    const uint64_t mask = dma->space.page - 1;

    return ((start + (size - 1)) | mask) - (start & ~mask) + 1;
}

static enum uiommu_status map_identity(const struct uiommu_endpoint *ep,
                                       uint64_t phys, uint64_t size,
                                       unsigned flags, uint64_t *iova)
{
    if (!(flags & (UIOMMU_READ | UIOMMU_WRITE)))
        return UIOMMU_INVAL;
    if (phys + (size - 1) > ep->dma_last)
        return UIOMMU_OVERFLOW;
    *iova = phys;
    return UIOMMU_OK;
}

/* Some devices that say they can send more than 32 bits cannot. */
static enum uiommu_status take(const struct uiommu_endpoint *ep,
                               struct uim_dma *dma, uint64_t size,
                               struct uim_iova_range **range)
{
    enum uiommu_status status;

    if (ep->dma_last > FIRST_4G) {
        status = uim_iova_take(&dma->space, size, FIRST_4G, range);
        if (status != UIOMMU_NOSPC)
            return status;
    }
    return uim_iova_take(&dma->space, size, ep->dma_last, range);
}

/* EXIST: a region of firmware is there. Whoever brought it could not set the place aside
 * while a driver had it, who was about to map there or had unmapped what was there. */
static enum uiommu_status map_at(struct uim_dma *dma,
                                 struct uim_iova_range *range, uint64_t phys,
                                 uint64_t size, unsigned flags)
{
    enum uiommu_status status =
        uiommu_map(dma->domain, range->start, phys, size, flags);

    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    if (uim_hardware_failed(status) || /* a unit may have it cached */
        status == UIOMMU_EXIST)
        uim_iova_keep(&dma->space, range);
    else
        uim_iova_free(&dma->space, range);
    return status;
}

static enum uiommu_status map_translated(const struct uiommu_endpoint *ep,
                                         struct uim_dma *dma, uint64_t phys,
                                         uint64_t size, unsigned flags,
                                         uint64_t *iova)
{
    const uint64_t offset = phys & (dma->space.page - 1);
    const uint64_t span = span_of(dma, phys, size);
    struct uim_iova_range *range;
    enum uiommu_status status;
    uint64_t start;

    if (span == 0)
        return UIOMMU_INVAL;
    do {
        status = take(ep, dma, span, &range);
        if (status != UIOMMU_OK)
            return status;
        start = range->start;
        status = map_at(dma, range, phys - offset, span, flags);
    } while (status == UIOMMU_EXIST);
    if (status == UIOMMU_OK)
        *iova = start + offset;
    return status;
}

enum uiommu_status uiommu_dma_map(struct uiommu_endpoint *endpoint,
                                  uint64_t phys, uint64_t size, unsigned flags,
                                  uint64_t *iova)
{
    struct uim_dma *dma = endpoint ? atomic_load(&endpoint->dma) : NULL;

    if (!dma || !iova || !is_range(phys, size))
        return UIOMMU_INVAL;
    if (is_identity(dma))
        return map_identity(endpoint, phys, size, flags, iova);
    return map_translated(endpoint, dma, phys, size, flags, iova);
}

static enum uiommu_status unmap_translated(struct uim_dma *dma, uint64_t iova,
                                           uint64_t size)
{
    const uint64_t start = iova & ~(dma->space.page - 1);
    const uint64_t span = span_of(dma, iova, size);
    struct uim_iova_range *range = uim_iova_leave(&dma->space, start, span);
    enum uiommu_status status;

    if (!range)
        return UIOMMU_INVAL;
    status = uiommu_unmap(dma->domain, start, span, NULL);
    if (status == UIOMMU_OK)
        uim_iova_free(&dma->space, range);
    else if (uim_hardware_failed(status)) /* what is cached may stay so */
        uim_iova_keep(&dma->space, range);
    else
        uim_iova_stay(&dma->space, range);
    return status;
}

enum uiommu_status uiommu_dma_unmap(struct uiommu_endpoint *endpoint,
                                    uint64_t iova, uint64_t size)
{
    struct uim_dma *dma = endpoint ? atomic_load(&endpoint->dma) : NULL;

    if (!dma || !is_range(iova, size))
        return UIOMMU_INVAL;
    return is_identity(dma) ? UIOMMU_OK : unmap_translated(dma, iova, size);
}

/* ---- doorbells ------------------------------------------------------------------ */

static enum uiommu_status map_doorbell(const struct uiommu_endpoint *ep,
                                       struct uim_dma *dma, uint64_t phys,
                                       uint64_t *iova)
{
    const uint64_t page = dma->space.page;
    struct uim_region_run run = { .domain = dma->domain };
    struct uim_iova_range *range;
    enum uiommu_status status;

    do {
        status = take(ep, dma, page, &range);
        if (status != UIOMMU_OK)
            return status;
        run.start = range->start;
        run.last = range->start + (page - 1);
        uim_tentative_begin(&run);
        status = map_at(dma, range, phys & ~(page - 1), page,
                        UIOMMU_WRITE | UIOMMU_MMIO);
        uim_tentative_end(&run);
    } while (status == UIOMMU_EXIST);
    if (status != UIOMMU_OK)
        return status;
    *iova = range->start;
    uim_iova_keep(&dma->space, range);
    return UIOMMU_OK;
}

enum uiommu_status uim_dma_doorbell(struct uiommu_endpoint *endpoint,
                                    unsigned n, uint64_t *iova)
{
    const uint64_t phys = endpoint->unit->u->doorbell[n].page;
    struct uim_dma *dma = endpoint->view->dma;
    enum uiommu_status status = UIOMMU_OK;

    if (endpoint->dma_starts == 0)
        return UIOMMU_INVAL;
    if (!dma->doorbell[n])
        status = map_doorbell(endpoint, dma, phys, &dma->doorbell[n]);
    if (status != UIOMMU_OK)
        return status;
    *iova = dma->doorbell[n] + (phys & (dma->space.page - 1));
    return *iova <= endpoint->dma_last ? UIOMMU_OK : UIOMMU_NOSPC;
}
