/* SPDX-License-Identifier: MIT */
/*
 * mode.c - what protection an endpoint has, and why.
 */
#include "core/core.h"

#include "base/mem.h"

static const char *sentence_of(enum uiommu_default_rule rule)
{
    switch (rule) {
    case UIOMMU_DEFAULT_NONE:
        return "no driver was started: there is no default domain";
    case UIOMMU_DEFAULT_NOT_SAID:
        return "translated, as neither driver nor configuration say otherwise";
    case UIOMMU_DEFAULT_ASKED:
        return "the driver asked for it";
    case UIOMMU_DEFAULT_CONFIGURED:
        return "the configuration says so";
    case UIOMMU_DEFAULT_UNTRUSTED:
        return "translated, although the configuration says identity: a device "
               "of the group is not trusted";
    case UIOMMU_DEFAULT_NO_IDENTITY:
        return "translated, although the configuration says identity: a unit "
               "has no pass-through, or it is a part that is to see less than "
               "all";
    case UIOMMU_DEFAULT_NO_TABLES:
        return "identity, as no unit translates for it";
    }
    return "";
}

static enum uiommu_owned_by owner_of(const struct uim_view *view)
{
    if (view->group->owner)
        return UIOMMU_OWNED_BY_USER;
    return view->dma ? UIOMMU_OWNED_BY_DMA : UIOMMU_OWNED_BY_NOBODY;
}

static void report(struct uiommu_endpoint *ep, struct uiommu_mode *out)
{
    struct uiommu_endpoint *real = uim_mediated_real(ep);
    const struct uim_view *view = ep->view;
    const struct uim_unit *unit = ep->unit;

    memset(out, 0, sizeof(*out));
    out->quarantined = atomic_load(&real->quarantined);
    out->muted = atomic_load(&real->muted);
    out->sees = out->quarantined || out->muted || real->held > 0
                    ? uim_rest(unit)->kind
                    : uim_mediated_sees(ep)->kind;
    out->owned_by = owner_of(view);
    out->rule = view->dma ? view->dma->rule : UIOMMU_DEFAULT_NONE;
    out->because = sentence_of(out->rule);
    out->block_quality =
        view->group->software ? UIOMMU_BLOCK_NONE : unit->quality;
    out->unit_broken = atomic_load(&unit->broken);
    if (!ep->device)
        return;
    out->trusted = !ep->device->untrusted;
    out->ats = atomic_load(&uim_own(real)->ats_on);
    out->pasid_bits = view->group->hardware ? 0 : ep->device->pasid_bits;
    out->pasids_waiting = uim_pasids_waiting(ep->device->group);
    out->faults_served = uim_can_ask(ep->mediated && !view->group->software
                                         ? ep->device->endpoint
                                         : real) &&
                         !uim_is_unanswerable(ep);
    out->interrupts_isolated = uim_isolates_interrupts(ep->device);
}

enum uiommu_status uiommu_effective_mode(struct uiommu_endpoint *endpoint,
                                         struct uiommu_mode *out)
{
    struct uiommu_group *group;

    if (!endpoint || !out)
        return UIOMMU_INVAL;
    group = uim_group_call(endpoint);
    if (!group)
        return UIOMMU_BUSY;
    report(endpoint, out);
    uim_group_leave(group);
    return UIOMMU_OK;
}
