/* SPDX-License-Identifier: MIT */
/*
 * capability.c - what devices can besides DMA, and what of it is switched on (semantics
 * B.7). The order is PASID, then ATS; and back.
 */
#include "core/core.h"

#include "base/bits.h"
#include "pci/pci.h"

/* ---- ACS ------------------------------------------------------------------------- */

/* What comes from outside must not claim to have been translated (B.22). */
void uim_acs_start(struct uiommu_device *d, uint32_t flags)
{
    uint16_t want = uim_pci_acs_isolation;

    if (d->u->config.flags & UIOMMU_CONFIG_ACS_AS_FOUND)
        return;
    if (flags & UIOMMU_DEVICE_UNTRUSTED)
        want |= PCI_ACS_TB;
    (void)uim_pci_acs_enable(&d->u->host, d->pci, want);
}

/* ---- PASID ----------------------------------------------------------------------- */

/* The only one that sends under its id; else requests with a PASID were its alone and
 * those without were not. */
static bool has_one_id(const struct uiommu_device *d)
{
    return d->n_aliases == 0 && d->endpoint->users == 1;
}

static void log_unrouted(const struct uiommu_device *d,
                         const struct uim_pci_reason *why)
{
    char text[UIM_PCI_REASON_TEXT];

    (void)uim_pci_reason_text(why, text, sizeof(text));
    uim_log(
        d->u, UIOMMU_LOG_INFO,
        "%s: its PASIDs are not used, as nothing makes requests with one go "
        "up to the unit: %s",
        uim_device_name(d).text, text);
}

/* Under ATS that somebody left on it cannot be switched: what is on is used. A virtual
 * function has what its physical one has, which is not switched for it (9.3.7). */
static bool pasids_are_on(const struct uiommu_device *d,
                          const struct uim_pci_pasid *pasid)
{
    if (d->physical || atomic_load(&d->endpoint->ats_on))
        return pasid->enabled;
    return uim_pci_pasid_enable(&d->u->host, d->pci, pasid->offset);
}

static void look_for_pasids(struct uiommu_device *d)
{
    const struct uiommu_host *h = &d->u->host;
    const struct uiommu_device *has = d->physical ? d->physical : d;
    struct uim_pci_reason why;
    struct uim_pci_pasid pasid;

    d->pasid_bits = 0;
    if (d->unit->quality == UIOMMU_BLOCK_NONE)
        return;
    if (d->unit->own_tags) {
        d->pasid_bits = d->unit->pasid_bits;
        return;
    }
    if (d->unit->pasid_bits == 0 || !d->judged || !has_one_id(d) ||
        uim_pci_pasid(h, has->pci, &pasid) != UIOMMU_OK || pasid.bits == 0)
        return;
    if (!uim_pci_pasid_routed(&d->facts, &why)) {
        log_unrouted(d, &why);
        return;
    }
    d->pasid_cap = pasid.offset;
    if (!pasids_are_on(d, &pasid))
        return;
    d->pasid_bits =
        pasid.bits < d->unit->pasid_bits ? pasid.bits : d->unit->pasid_bits;
}

void uim_pasids_stop(struct uiommu_device *d)
{
    if (d->pasid_bits > 0 && !d->unit->own_tags && !d->physical && !d->absent)
        uim_pci_pasid_disable(&d->u->host, d->pci, d->pasid_cap);
}

bool uim_pasids_restart(struct uiommu_device *d)
{
    struct uim_pci_pasid pasid;

    if (d->pasid_bits == 0 || d->unit->own_tags)
        return true;
    if (d->physical)
        return uim_pci_pasid(&d->u->host, d->physical->pci, &pasid) ==
                   UIOMMU_OK &&
               pasid.enabled;
    return uim_pci_pasid_enable(&d->u->host, d->pci, d->pasid_cap);
}

/* What a device may have open at once: it costs memory for each. */
enum { CREDITS = 64 };

/* ---- ATS ------------------------------------------------------------------------- */

/* A virtual function asks for what its physical one would (10.5.1.3), and has its queue
 * beside others. False: nothing can be done about that. */
static bool take_from_physical(const struct uiommu_device *physical,
                               struct uim_pci_ats *ats)
{
    const struct uiommu_host *h = &physical->u->host;
    struct uim_pci_ats above;

    if (uim_pci_ats(h, physical->pci, &above) != UIOMMU_OK)
        return false;
    if (above.stu != 0 && above.enabled)
        return false;
    if (above.stu != 0)
        uim_pci_ats_set_stu(h, physical->pci, above.offset, 0);
    ats->queue_depth = above.queue_depth;
    return true;
}

/* B.7: the unit serves it, firmware allows it, the device has it and does it the
 * way the unit needs, nobody forbids it. */
static void look_for_ats(struct uiommu_device *d, uint32_t flags)
{
    const struct uim_driver_use *use = uim_use_of(d->unit);
    struct uim_pci_ats ats;

    d->ats_able = false;
    if (!d->unit->ats || !has_one_id(d) || uim_pci_ats_broken(&d->facts) ||
        (flags & UIOMMU_DEVICE_UNTRUSTED) ||
        (d->u->config.flags & UIOMMU_CONFIG_NO_ATS) ||
        d->kind != UIOMMU_DEVICE_PCI)
        return;
    if (!use->driver->fw->ats_allowed(use->table, &d->path,
                                      d->unit->ats_by_hardware))
        return;
    if (uim_pci_ats(&d->u->host, d->pci, &ats) != UIOMMU_OK ||
        !ats.page_aligned ||
        (d->physical && !take_from_physical(d->physical, &ats)))
        return;
    d->ats_cap = ats.offset;
    d->ats_queue = ats.queue_depth;
    d->ats_able = true;
}

/* B.17.1: of a physical function alone, as its virtual ones ask through it, and an answer
 * that ends asking would end theirs. */
static void look_for_requests(struct uiommu_device *d)
{
    struct uim_pci_pri pri;

    d->pri_able = false;
    if (d->kind != UIOMMU_DEVICE_PCI || d->physical ||
        uim_pci_pri(&d->u->host, d->pci, &pri) != UIOMMU_OK)
        return;
    uim_pci_pri_reset(&d->u->host, d->pci,
                      pri.offset); /* however it was left */
    if (!d->ats_able || !d->unit->requests || pri.capacity == 0)
        return;
    d->pri_cap = pri.offset;
    d->pri_answer_pasid = pri.response_pasid;
    d->most_requests = pri.capacity < CREDITS ? pri.capacity : CREDITS;
    d->pri_able = true;
}

/* Of PCI devices none may: what is behind theirs in a link would wait too. */
static void look_for_stalls(struct uiommu_device *d)
{
    const struct uim_driver_use *use = uim_use_of(d->unit);

    d->stall_able = d->kind == UIOMMU_DEVICE_ACPI && d->unit->stalls > 0 &&
                    has_one_id(d) && use->driver->fw->stalls &&
                    use->driver->fw->stalls(use->table, &d->path);
    if (d->stall_able)
        d->most_requests =
            d->unit->stalls < CREDITS ? d->unit->stalls : CREDITS;
}

/* ATS that somebody left on: what the device has cached is emptied when it moves from
 * what it was found with. In any other case it stops asking before it moves. */
static void found_with_ats(struct uiommu_device *d)
{
    struct uiommu_endpoint *ep = d->endpoint;
    struct uim_pci_ats ats;

    if (d->kind != UIOMMU_DEVICE_PCI || atomic_load(&ep->ats_on) ||
        uim_pci_ats(&d->u->host, d->pci, &ats) != UIOMMU_OK || !ats.enabled)
        return;
    if (ep->domain != &d->u->inherited || !d->ats_able || ats.stu != 0) {
        uim_pci_ats_disable(&d->u->host, d->pci, ats.offset);
        return;
    }
    ep->ats = true;
    ep->cached = true;
    ep->n_cached++;
    atomic_fetch_add(&d->u->inherited.n_ats, 1);
    atomic_store(&ep->ats_on, true);
}

/* Others send under the id, too, from now on, and whoever caches what it sees would be
 * answered for them. What it was found with is not touched. */
static enum uiommu_status end_caching(struct uiommu_endpoint *ep)
{
    enum uiommu_status status = UIOMMU_OK;

    ep->device->ats_able = ep->device->stall_able = false;
    if ((ep->cached || ep->asking) && uim_has_tables(ep->domain))
        status = uim_endpoint_uncache(ep);
    return status;
}

static enum uiommu_status share(struct uiommu_endpoint *own)
{
    enum uiommu_status worst = UIOMMU_OK, status;

    if (own->users == 1 || (!own->device->ats_able && !own->device->stall_able))
        return UIOMMU_OK;
    uim_list_for_each(n, &own->pasids) {
        status = end_caching(uim_container(n, struct uiommu_endpoint, node));
        worst = status > worst ? status : worst;
    }
    status = end_caching(own);
    return status > worst ? status : worst;
}

/* Who came first with an id loses what who comes second does not get: has_one_id(). */
static enum uiommu_status share_ids(const struct uiommu_device *d)
{
    enum uiommu_status worst = share(d->endpoint);

    for (unsigned i = 0; i < d->n_aliases; i++) {
        enum uiommu_status status = share(d->alias[i]);

        worst = status > worst ? status : worst;
    }
    return worst;
}

static void drop_pasids(struct uiommu_device *d)
{
    if (!atomic_load(&d->endpoint->ats_on)) /* 7.8.8 */
        uim_pasids_stop(d);
    d->pasid_bits = 0;
}

/* Its group may have numbers in use. Who cannot send one of these, or see what one of them
 * sees, has none (B.6). */
static enum uiommu_status join_pasids(struct uiommu_device *d)
{
    enum uiommu_status status = uim_pasids_extend(d->group, d);

    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    drop_pasids(d);
    if (status != UIOMMU_BUSY && status != UIOMMU_INVAL)
        return status;
    uim_log(d->u, UIOMMU_LOG_WARN,
            "%s: its PASIDs are not used, as its group has numbers that it %s",
            uim_device_name(d).text,
            status == UIOMMU_BUSY ? "cannot send"
                                  : "cannot use for what they see");
    return UIOMMU_OK;
}

enum uiommu_status uim_capabilities(struct uiommu_device *d, uint32_t flags)
{
    enum uiommu_status status;

    look_for_ats(d, flags);
    look_for_requests(d);
    look_for_stalls(d);
    found_with_ats(d);
    look_for_pasids(d);
    uim_endpoint_count(d->endpoint);
    status = share_ids(d);
    if (status == UIOMMU_OK)
        status = join_pasids(d);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    drop_pasids(d);
    (void)!end_caching(d->endpoint); /* firmware's table may have named it */
    return status;
}
