/* SPDX-License-Identifier: MIT */
/*
 * ask.c - what a device may ask its unit for, while what it sees changes: translations,
 * which it caches (ATS, semantics B.8), and pages (B.17).
 */
#include "core/core.h"
#include "core/unit.h"

#include "pci/pci.h"

enum { ANSWER_NS = 10 * 1000 * 1000 }; /* that an answer may be on its way */

static const struct uim_inval EVERYTHING = { .all = true };

/* ---- ATS around the change (B.8) ------------------------------------------------ */

bool uim_caches(struct uiommu_endpoint *ep, const struct uiommu_domain *d)
{
    return uim_has_tables(d) && ep->device->ats_able &&
           uim_own(ep) == ep->device->endpoint;
}

/* Shall the device ask, once the endpoint sees `next`? */
static bool wants_ats(struct uiommu_endpoint *ep,
                      const struct uiommu_domain *next)
{
    const struct uiommu_endpoint *own = uim_own(ep);
    const struct uiommu_domain *plain = ep == own ? next : own->domain;
    unsigned n =
        own->n_cached - (unsigned)ep->cached + (unsigned)uim_caches(ep, next);

    return n > 0 && own->held == 0 && !own->device->absent &&
           !(ep->unit->ats_needs_own && plain->kind == UIOMMU_DOMAIN_BLOCKED);
}

/* A device that will not be answered any more must stop asking first. */
static void ats_stop(struct uiommu_endpoint *own)
{
    struct uiommu_device *dev = own->device;

    if (atomic_load(&own->ats_on))
        uim_pci_ats_disable(&dev->u->host, dev->pci, dev->ats_cap);
}

static void ats_start(struct uiommu_endpoint *own)
{
    struct uiommu_device *dev = own->device;

    uim_pci_ats_enable(&dev->u->host, dev->pci, dev->ats_cap, 0);
}

/* Some units let what a device has translated pass by the entry of its id, which is not
 * there for a moment while it changes: until then what carries a PASID goes untranslated. */
static bool pauses(const struct uiommu_endpoint *ep,
                   const struct uiommu_endpoint *own)
{
    return ep == own && ep->unit->ats_needs_own &&
           own->n_cached > (unsigned)ep->cached;
}

/* The entry is programmed: empty the device TLB, whose contents are unknown if
 * ATS was off and stale if it was on; then let the device ask. */
static enum uiommu_status ats_finish(struct uiommu_endpoint *ep,
                                     struct uiommu_endpoint *own, bool was_on)
{
    enum uiommu_status status;

    if (!was_on && !own->ats)
        return UIOMMU_OK;
    status = ep->unit->ops->devtlb(was_on ? ep : own, &EVERYTHING);
    if (status != UIOMMU_OK || !own->ats || (was_on && !pauses(ep, own)))
        return status;
    atomic_store(&own->ats_on, true);
    ats_start(own);
    return UIOMMU_OK;
}

/* ---- page requests around the change (B.17) ---------------------------------------- */

/* What a part of a device sends has a number as soon as it sees anything. */
static bool asks_with_pasid(const struct uiommu_endpoint *ep)
{
    return ep->pasid != UIOMMU_NO_PASID ||
           (ep->mediated && ep->mediated->config.kind == UIOMMU_MDEV_PASID);
}

bool uim_is_unanswerable(const struct uiommu_endpoint *ep)
{
    const struct uiommu_device *dev = ep->device;

    return asks_with_pasid(ep) && ep->unit->answers_as_asked && dev->pri_able &&
           !dev->pri_answer_pasid;
}

bool uim_can_ask(struct uiommu_endpoint *ep)
{
    const struct uiommu_device *dev = ep->device;

    return dev && uim_own(ep) == dev->endpoint && !uim_is_unanswerable(ep) &&
           ((dev->ats_able && dev->pri_able) || dev->stall_able);
}

bool uim_asks(struct uiommu_endpoint *ep, const struct uiommu_domain *d)
{
    return d->answers && uim_has_tables(d) && uim_can_ask(ep);
}

/* Shall it be let, once the endpoint sees `next`? */
static bool wants_requests(struct uiommu_endpoint *ep,
                           const struct uiommu_domain *next)
{
    const struct uiommu_endpoint *own = uim_own(ep);

    return (own->ats || own->device->stall_able) && !own->silent &&
           own->n_asking - (unsigned)ep->asking + (unsigned)uim_asks(ep, next) >
               0;
}

enum uiommu_status uim_ask_may(struct uiommu_endpoint *ep,
                               const struct uiommu_domain *next)
{
    const struct uiommu_device *dev = ep->device;
    struct uim_pci_pri pri;

    if (!next->answers)
        return UIOMMU_OK;
    if (!uim_asks(ep, next) && next->resident)
        return UIOMMU_OK;
    if (!uim_asks(ep, next)) {
        uim_log(dev->u, UIOMMU_LOG_WARN,
                "%s cannot see a domain that answers page requests: it cannot "
                "ask for pages, nor may its DMA wait for them, or its unit "
                "does not collect that, or answers with a PASID that it "
                "does not know in answers",
                uim_device_name(dev).text);
        return UIOMMU_OPNOTSUPP;
    }
    if (dev->pri_able && !uim_own(ep)->pri_on &&
        uim_pci_pri(&dev->u->host, dev->pci, &pri) == UIOMMU_OK && !pri.stopped)
        return UIOMMU_BUSY;
    return UIOMMU_OK;
}

enum uiommu_status uim_ask_get(struct uiommu_endpoint *ep,
                               const struct uiommu_domain *next)
{
    return uim_asks(ep, next)
               ? uim_requests_create(uim_own(ep), ep->device->most_requests)
               : UIOMMU_OK;
}

void uim_ask_put(struct uiommu_endpoint *ep)
{
    if (uim_own(ep)->n_asking == 0)
        uim_requests_free(uim_own(ep));
}

/* A device that is not to ask any more asks for nothing new; what it asked for is
 * answered all the same: it is off for good when all of it was. */
static void requests_stop(struct uiommu_endpoint *own)
{
    struct uiommu_device *dev = own->device;

    if (own->pri_on && dev->pri_able)
        uim_pci_pri_disable(&dev->u->host, dev->pci, dev->pri_cap);
    own->pri_on = false;
}

/* Of all that share its slots, whoever it was that changed: PRI is off, ATS is on. */
static enum uiommu_status requests_end(struct uiommu_endpoint *own)
{
    enum uiommu_status status = UIOMMU_OK;

    if (own->device->pri_able && own->n_asking > 0)
        status = own->unit->ops->drain(own);
    (void)!uim_requests_flush(own, UIOMMU_RESPONSE_SUCCESS);
    uim_list_for_each(n, &own->pasids)
        (void)!uim_requests_flush(
            uim_container(n, struct uiommu_endpoint, node),
            UIOMMU_RESPONSE_SUCCESS);
    return status;
}

/* Whoever answered so, for which of its PASIDs: PCIe Base 10.5.2.3. */
static bool has_failed(const struct uiommu_endpoint *own)
{
    const struct uiommu_device *dev = own->device;
    struct uim_pci_pri pri;

    return own->pri_on && dev->pri_able &&
           uim_pci_pri(&dev->u->host, dev->pci, &pri) == UIOMMU_OK &&
           pri.failed;
}

/* All that came was answered, but answers take their time, and one that comes once the device
 * asks anew is one to nothing (PCIe Base 10.5.2). A group whose last request the device never
 * sent has none and is not waited for: enabling forgets it. */
static void wait_until_stopped(const struct uiommu_device *dev)
{
    const struct uim_unit *unit = dev->unit;
    const uint64_t start = uim_now(unit);
    struct uim_pci_pri pri;

    while (uim_pci_pri(&dev->u->host, dev->pci, &pri) == UIOMMU_OK &&
           !pri.stopped && uim_now(unit) - start < ANSWER_NS)
        uim_relax(unit);
}

static enum uiommu_status requests_start(struct uiommu_endpoint *own)
{
    struct uiommu_device *dev = own->device;
    enum uiommu_status status;

    if (has_failed(own))
        requests_stop(own);
    if (own->pri_on)
        return UIOMMU_OK;
    status = requests_end(own);
    if (status != UIOMMU_OK)
        return status;
    if (dev->pri_able)
        wait_until_stopped(dev);
    own->pri_on =
        dev->stall_able || uim_pci_pri_enable(&dev->u->host, dev->pci,
                                              dev->pri_cap, dev->most_requests);
    if (!own->pri_on)
        uim_log(dev->u, UIOMMU_LOG_WARN, "%s cannot be let ask for pages",
                uim_device_name(dev).text);
    return UIOMMU_OK;
}

/* Whoever has a handler after all is asked once more. */
static enum uiommu_response answer_for(const struct uiommu_domain *next)
{
    return next->answers ? UIOMMU_RESPONSE_SUCCESS : UIOMMU_RESPONSE_INVALID;
}

/* By way of its old entry. What is held was drained before, or given up where that failed,
 * and in its reset a device need not answer its unit (B.19). */
static bool may_have_asked(struct uiommu_endpoint *ep,
                           const struct uiommu_domain *next,
                           const struct uiommu_domain *old)
{
    if (!ep->asking && !uim_asks(ep, old))
        return false;
    return old != next || !(uim_own(ep)->pri || ep->held > 0);
}

/* What the endpoint asked for is answered; then it may ask again. */
static enum uiommu_status requests_finish(struct uiommu_endpoint *ep,
                                          const struct uiommu_domain *next,
                                          const struct uiommu_domain *old)
{
    struct uiommu_endpoint *own = uim_own(ep);
    enum uiommu_status status = UIOMMU_OK;

    if (may_have_asked(ep, next, old))
        status = uim_requests_drain(ep, answer_for(next));
    if (status == UIOMMU_OK && own->pri)
        status = requests_start(own);
    return status;
}

/* The unit goes on with `old` after all, whose handler is asked once more. */
static void take_back_requests(struct uiommu_endpoint *ep, bool was_pri)
{
    struct uiommu_endpoint *own = uim_own(ep);

    own->pri = was_pri;
    if (!was_pri || own->pri_on)
        return;
    (void)!uim_requests_drain(ep, UIOMMU_RESPONSE_SUCCESS);
    (void)!requests_start(own);
}

void uim_ask_deafen(struct uiommu_endpoint *ep,
                    const struct uiommu_domain *next,
                    const struct uiommu_domain *old)
{
    if (next->answers || old->answers)
        uim_requests_hear(ep, false);
}

/* ---- around a change ------------------------------------------------------------- */

void uim_ask_stop(struct uiommu_endpoint *ep, const struct uiommu_domain *next,
                  const struct uiommu_domain *old, struct uim_asked *was)
{
    struct uiommu_endpoint *own = uim_own(ep);

    *was = (struct uim_asked){
        .ats_on = atomic_load(&own->ats_on),
        .ats = own->ats,
        .pri = own->pri,
    };
    uim_ask_deafen(ep, next, old);
    own->ats = wants_ats(ep, next);
    own->pri = wants_requests(ep, next);
    was->stopped = !own->ats || pauses(ep, own);
    if (!own->pri || was->stopped) /* pages are asked for by ATS */
        requests_stop(own);
    if (was->stopped)
        ats_stop(own);
}

enum uiommu_status uim_ask_start(struct uiommu_endpoint *ep,
                                 const struct uiommu_domain *next,
                                 const struct uiommu_domain *old,
                                 const struct uim_asked *was)
{
    struct uiommu_endpoint *own = uim_own(ep);
    enum uiommu_status status = UIOMMU_OK;

    if (!atomic_load(&ep->quarantined))
        status = ats_finish(ep, own, was->ats_on);
    if (status == UIOMMU_OK && !atomic_load(&ep->quarantined))
        status = requests_finish(ep, next, old);
    return status;
}

void uim_ask_back(struct uiommu_endpoint *ep, const struct uim_asked *was)
{
    struct uiommu_endpoint *own = uim_own(ep);

    own->ats = was->ats;
    if (was->ats_on && was->stopped)
        ats_start(own);
    take_back_requests(ep, was->pri);
}

void uim_ask_cut(struct uiommu_endpoint *own)
{
    requests_stop(own);
    ats_stop(own);
    atomic_store(&own->ats_on, false);
}

void uim_ask_count(struct uiommu_endpoint *ep, bool cached, bool asking)
{
    struct uiommu_endpoint *own = uim_own(ep);

    own->n_cached += (unsigned)cached - (unsigned)ep->cached;
    own->n_asking += (unsigned)asking - (unsigned)ep->asking;
    ep->cached = cached;
    ep->asking = asking;
}

void uim_ask_flush(struct uiommu_endpoint *ep, const struct uiommu_domain *next,
                   const struct uiommu_domain *old)
{
    if (old->answers)
        (void)!uim_requests_flush(ep, answer_for(next));
}

enum uiommu_status uim_ask_anew(struct uiommu_endpoint *own)
{
    enum uiommu_status status = UIOMMU_OK;

    if (own->n_asking == 0)
        return UIOMMU_OK;
    if (own->device->pri_able && own->held == 0)
        status = own->unit->ops->drain(own);
    uim_requests_forget(own);
    uim_list_for_each(n, &own->pasids)
        uim_requests_forget(uim_container(n, struct uiommu_endpoint, node));
    return status;
}

/* ---- while nobody could answer ------------------------------------------------------- */

/* In a reset, and in quarantine, a device is asked for nothing: it asks for nothing either,
 * and somebody may still have to answer what it did before. */
static void answer_all(struct uiommu_endpoint *ep)
{
    if (!ep->asking)
        return;
    if (ep->held > 0 || atomic_load(&ep->quarantined))
        (void)!uim_requests_flush(ep, UIOMMU_RESPONSE_SUCCESS);
    else
        (void)!uim_requests_drain(ep, UIOMMU_RESPONSE_SUCCESS);
}

/* What is on its way has its answer while the unit still takes it: to ask once more. */
static void let_ask(struct uiommu_endpoint *own, bool yes)
{
    own->silent = !yes;
    if (!yes) {
        requests_stop(own);
        answer_all(own);
        uim_list_for_each(n, &own->pasids)
            answer_all(uim_container(n, struct uiommu_endpoint, node));
    }
    (void)!uim_endpoint_again(own);
}

unsigned uim_let_ask(struct uiommu *u, bool yes)
{
    unsigned asked = 0;

    uim_list_for_each(n, &u->endpoints) {
        struct uiommu_endpoint *own =
            uim_container(n, struct uiommu_endpoint, node);
        struct uiommu_group *group = own->view->group;

        uim_group_lock(group);
        if (own->n_asking > 0 && own->silent == yes) {
            let_ask(own, yes);
            asked++;
        }
        uim_group_unlock(group);
    }
    return asked;
}
