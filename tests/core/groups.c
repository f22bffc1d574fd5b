/* SPDX-License-Identifier: MIT */
/* groups.c - see groups.h. */
#include "tests/core/groups.h"

#include "core/core.h"

struct sabotage sabotage;

static bool fails_now(const struct sabotage *s)
{
    return s->calls == s->nth ||
           (s->again > 0 && s->calls == s->nth + s->again);
}

static enum uiommu_status fail_for(struct sabotage *s,
                                   struct uiommu_endpoint *ep)
{
    s->victim[s->failed++ & 1] = ep;
    if (s->status == UIOMMU_TIMEDOUT) {
        atomic_store(&ep->quarantined, true);
        rig_ok(s->real->cut(ep));
        atomic_store(&ep->quarantined, false);
    }
    return s->status;
}

static enum uiommu_status sabotaged_set(struct uiommu_endpoint *endpoint,
                                        struct uiommu_domain *next,
                                        struct uiommu_domain *old)
{
    struct sabotage *s = &sabotage;

    if (s->only && s->only != next)
        return s->real->set(endpoint, next, old);
    s->calls++;
    return fails_now(s) ? fail_for(s, endpoint)
                        : s->real->set(endpoint, next, old);
}

void sabotage_begin(struct rig *rig, unsigned nth, unsigned again,
                    enum uiommu_status status, const struct uiommu_domain *only)
{
    struct uim_unit *unit = rig->u->unit[0];

    sabotage = (struct sabotage){ .ops = *unit->ops,
                                  .real = unit->ops,
                                  .only = only,
                                  .status = status,
                                  .nth = nth,
                                  .again = again };
    sabotage.ops.set = sabotaged_set;
    unit->ops = &sabotage.ops;
}

void sabotage_end(struct rig *rig)
{
    rig->u->unit[0]->ops = sabotage.real;
}
