/* SPDX-License-Identifier: MIT */
/*
 * doorbell.c - interrupt messages on units that translate them (semantics B.10: the
 * software window).
 *
 * A doorbell has one place in the window for the whole instance, so that messages keep
 * their address while a group moves from domain to domain. Whether a domain has it
 * mapped, its tables say: nobody else maps in the window, or unmaps. That it is mapped
 * once, the mutex that gives places out takes care of.
 */
#include "core/core.h"

#include <uiommu/interrupt.h>

#define PAGE_MASK UINT64_C(0xfff)

bool uim_doorbell_window(const struct uim_unit *unit, struct uiommu_region *out)
{
    const struct uiommu_config *c = &unit->u->config;

    if (!unit->messages_are_dma ||
        (c->flags & UIOMMU_CONFIG_NO_DOORBELL_WINDOW))
        return false;
    *out = (struct uiommu_region){
        .start = c->doorbell_start,
        .last = c->doorbell_start + (c->doorbell_size - 1),
        .kind = UIOMMU_REGION_DOORBELL_WINDOW,
    };
    return true;
}

static enum uiommu_status refuse(const struct uiommu_endpoint *ep,
                                 enum uiommu_status status, const char *why)
{
    uim_log(ep->unit->u, UIOMMU_LOG_WARN,
            "no doorbell for interrupt messages of %s: %s",
            uim_device_name(ep->device).text, why);
    return status;
}

/* ---- places ---------------------------------------------------------------------- */

static void lock(const struct uiommu *u)
{
    u->host.mutex_lock(u->host.ctx, u->link_lock);
}

static void unlock(const struct uiommu *u)
{
    u->host.mutex_unlock(u->host.ctx, u->link_lock);
}

/* That of the page, else a free one; UIM_DOORBELLS: there are too many. */
static unsigned find_number(const struct uiommu *u, uint64_t page)
{
    unsigned found = UIM_DOORBELLS;

    for (unsigned i = UIM_DOORBELLS; i-- > 0;) {
        if (u->doorbell[i].users == 0)
            found = i;
        else if (u->doorbell[i].page == page)
            return i;
    }
    return found;
}

/* The number of the doorbell with that page. False: there are too many. */
static bool take_number(struct uiommu *u, uint64_t page, unsigned *n)
{
    lock(u);
    *n = find_number(u, page);
    if (*n < UIM_DOORBELLS) {
        /* Who counts on a number reads its page without the lock. */
        if (u->doorbell[*n].users == 0)
            u->doorbell[*n].page = page;
        if (u->doorbell[*n].users < UINT32_MAX)
            u->doorbell[*n].users++;
    }
    unlock(u);
    return *n < UIM_DOORBELLS;
}

/* Of a call that failed: no domain has it mapped, unless another call set it up too. */
static void give_number(struct uiommu *u, unsigned n)
{
    lock(u);
    if (u->doorbell[n].users < UINT32_MAX)
        u->doorbell[n].users--;
    unlock(u);
}

/* Where its page is in the window: as far from 64 KiB as the doorbell's own. */
static uint64_t place_of(const struct uiommu *u, unsigned n)
{
    return u->config.doorbell_start + n * UIM_DOORBELL_PLACE +
           (u->doorbell[n].page & (UIM_DOORBELL_PLACE - 1));
}

/* ---- paging domains --------------------------------------------------------------- */

static uint64_t page_of(const struct uiommu_domain *domain, unsigned n)
{
    return place_of(domain->u, n) & ~domain->page_mask;
}

bool uim_doorbell_is(const struct uiommu_domain *domain, uint64_t iova,
                     uint64_t phys)
{
    const struct uiommu *u = domain->u;
    bool is = false;

    lock(u);
    for (unsigned n = 0; !is && n < UIM_DOORBELLS; n++)
        is = u->doorbell[n].users > 0 && iova == page_of(domain, n) &&
             phys == (u->doorbell[n].page & ~domain->page_mask);
    unlock(u);
    return is;
}

static enum uiommu_status map_one(struct uiommu_domain *domain, unsigned n,
                                  uint32_t *mapped)
{
    struct uiommu *u = domain->u;
    const uint64_t iova = page_of(domain, n);
    struct uiommu_trace trace;
    enum uiommu_status status;

    if (iova > domain->kept_last || domain->kept_last > domain->last_iova) {
        uim_log(u, UIOMMU_LOG_WARN,
                "doorbell 0x%lx is not mapped: the window for doorbells is too "
                "small, or not in the domain",
                u->doorbell[n].page);
        return UIOMMU_NOSPC;
    }
    if (uiommu_walk(domain, iova, &trace) == UIOMMU_OK)
        return UIOMMU_OK;
    status = uim_map_doorbell(domain, iova,
                              u->doorbell[n].page & ~domain->page_mask);
    if (status == UIOMMU_OK)
        *mapped |= UINT32_C(1) << n;
    return status;
}

static void unmap_all(struct uiommu_domain *domain, uint32_t mapped)
{
    for (unsigned n = 0; n < UIM_DOORBELLS; n++)
        if (mapped >> n & 1)
            uim_unmap_doorbell(domain, page_of(domain, n));
}

enum uiommu_status uim_doorbells_map(const struct uiommu_group *group,
                                     struct uiommu_domain *domain,
                                     struct uim_rung *rung)
{
    enum uiommu_status status = UIOMMU_OK;

    *rung = (struct uim_rung){ .mapped = 0 };
    /* In default domains they are wherever dma.c has put them. */
    if (group->doorbells == 0 || domain->kind != UIOMMU_DOMAIN_PAGING ||
        domain->kept_first > domain->kept_last)
        return UIOMMU_OK;
    lock(group->u);
    rung->ring = ++domain->rings;
    for (unsigned n = 0; status == UIOMMU_OK && n < UIM_DOORBELLS; n++)
        if (group->doorbells >> n & 1)
            status = map_one(domain, n, &rung->mapped);
    if (status != UIOMMU_OK) {
        unmap_all(domain, rung->mapped);
        rung->mapped = 0;
    }
    unlock(group->u);
    return status;
}

void uim_doorbells_undo(struct uiommu_domain *domain,
                        const struct uim_rung *rung)
{
    if (rung->mapped == 0)
        return;
    lock(domain->u);
    if (domain->rings == rung->ring)
        unmap_all(domain, rung->mapped);
    unlock(domain->u);
}

/* ---- set-up ------------------------------------------------------------------------- */

/* Where no table names any, the host knows better: frames of a GICv2m. */
static bool is_doorbell(const struct uiommu_device *device, uint64_t addr)
{
    const struct uim_driver_use *use = uim_use_of(device->unit);
    const struct uim_fw_ops *fw = use->driver->fw;
    struct uim_fw_region r;
    unsigned i = 0;

    if (!fw->doorbell)
        return true;
    for (;
         fw->doorbell(use->table, use->also, &device->path, i, &r) == UIOMMU_OK;
         i++)
        if (addr >= r.start && addr <= r.last)
            return true;
    return i == 0;
}

static enum uiommu_status refuse_default(const struct uiommu_endpoint *ep,
                                         enum uiommu_status status)
{
    if (status == UIOMMU_INVAL)
        return refuse(ep, status, "its group is started for DMA, it is not");
    if (status == UIOMMU_NOSPC)
        return refuse(ep, status, "none of its addresses is left");
    return status;
}

static enum uiommu_status of_default(struct uiommu_endpoint *ep, unsigned n,
                                     uint64_t *page)
{
    return refuse_default(ep, uim_dma_doorbell(ep, n, page));
}

/* It needs no number: it is where it is. */
static enum uiommu_status of_identity(const struct uiommu_endpoint *ep,
                                      uint64_t doorbell, uint64_t *page)
{
    if (ep->view->dma && ep->dma_starts == 0)
        return refuse_default(ep, UIOMMU_INVAL);
    if (ep->view->dma && doorbell > ep->dma_last)
        return refuse_default(ep, UIOMMU_NOSPC);
    *page = doorbell;
    return UIOMMU_OK;
}

static enum uiommu_status of_window(struct uiommu_endpoint *ep, unsigned n,
                                    uint64_t *page)
{
    struct uiommu_group *group = ep->view->group;
    const uint32_t before = group->doorbells;
    enum uiommu_status status;
    struct uim_rung rung;

    group->doorbells |= UINT32_C(1) << n;
    status = uim_doorbells_map(group, group->own.domain, &rung);
    if (status != UIOMMU_OK)
        group->doorbells = before;
    else
        *page = place_of(group->u, n);
    return status;
}

static enum uiommu_status set_up(struct uiommu_endpoint *ep, uint64_t page,
                                 uint64_t *out)
{
    struct uiommu *u = ep->unit->u;
    const bool started = ep->view->dma != NULL;
    struct uiommu_region window;
    enum uiommu_status status;
    unsigned n;

    if (ep->view->domain->kind == UIOMMU_DOMAIN_IDENTITY)
        return of_identity(ep, page, out);
    if (!started && !uim_doorbell_window(ep->unit, &window))
        return refuse(ep, UIOMMU_OPNOTSUPP, "the configuration has no window");
    if (!take_number(u, page, &n))
        return refuse(ep, UIOMMU_NOSPC, "there are too many");
    status = started ? of_default(ep, n, out) : of_window(ep, n, out);
    if (status != UIOMMU_OK)
        give_number(u, n);
    return status;
}

/* The group's mutex is held: under that a device with the id of another goes. */
static enum uiommu_status look_up(struct uiommu_endpoint *ep, uint64_t doorbell,
                                  uint64_t *page)
{
    if (!ep->device)
        return UIOMMU_NODEV;
    if (!ep->unit->messages_are_dma)
        return refuse(ep, UIOMMU_OPNOTSUPP, "its unit does not translate them");
    if (!is_doorbell(ep->device, doorbell))
        return refuse(ep, UIOMMU_INVAL,
                      "the address is none of those that the firmware has");
    if (uim_asleep(ep->unit->u))
        return UIOMMU_AGAIN;
    return set_up(ep, doorbell & ~PAGE_MASK, page);
}

enum uiommu_status uiommu_irq_doorbell(struct uiommu_endpoint *endpoint,
                                       uint64_t doorbell, uint64_t *addr)
{
    enum uiommu_status status;
    struct uiommu_group *group;
    uint64_t page;

    if (!endpoint || !addr || endpoint->pasid != UIOMMU_NO_PASID ||
        uim_is_part(endpoint))
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    status = look_up(endpoint, doorbell, &page);
    uim_group_leave(group);
    if (status == UIOMMU_OK)
        *addr = page + (doorbell & PAGE_MASK);
    return status;
}
