/* SPDX-License-Identifier: MIT */
/*
 * scenario_rest.c - what a device reaches while nobody uses it (semantics S1.14): after
 * reset, where nothing was mapped, after what used to be a detach, released, removed,
 * and when uiommu is gone. Not what a driver declares: what DMA comes to.
 */
#include "tools/stage.h"

enum reach {
    NOTHING,    /* the only right answer at rest                              */
    MAPPED,     /* in a domain: what is mapped                                */
    EVERYTHING,
    EITHER,     /* what the unit does by itself                               */
};

/* Does the engine reach the page at `iova`, both ways? *told: the unit said no. */
static bool reaches(struct stage *s, uint64_t iova, bool *told)
{
    bool written = stage_write_lands(s, iova), refused = s->faults > 0;
    bool read = stage_read_gets(s, iova);

    *told = refused && s->faults > 0;
    return written || read;
}

static bool says(struct stage *s, const char *when, bool ok, bool mapped,
                 bool passes, bool told)
{
    return stage_say(s, when, ok, "%s %s%s%s", stage_name(s),
                     passes   ? "passes the unit"
                     : mapped ? "reaches what is mapped"
                              : "reaches nothing",
                     passes || mapped ? "" : "; ",
                     passes || mapped ? ""
                     : told           ? stage_told(s)
                                      : "nobody is told");
}

/* The page at its own address, as if there were no unit, and where a domain has it: that
 * is asked first, for not every engine goes on after it was refused. */
static bool look(struct stage *s, const char *when, enum reach right)
{
    bool told, untold, ok = true;
    bool mapped = right != EITHER && reaches(s, STAGE_IOVA, &untold);
    bool passes = reaches(s, s->phys, &told);

    if (right != EITHER)
        ok = mapped == (right == MAPPED) && passes == (right == EVERYTHING) &&
             (passes || told);
    return says(s, when, ok, mapped, passes, told);
}

/* Into the domain, and it is so: what is to end next has begun. */
static enum uiommu_status use(struct stage *s, const void *owner)
{
    enum uiommu_status status =
        uiommu_set_domain(stage_endpoint(s), s->domain, owner);

    if (status == UIOMMU_OK && !stage_write_lands(s, STAGE_IOVA))
        return UIOMMU_IO;
    return status;
}

static enum uiommu_status detach(struct stage *s)
{
    struct uiommu_endpoint *ep = stage_endpoint(s);

    return uiommu_set_domain(ep, uiommu_core_domain(ep), NULL);
}

static enum uiommu_status identity(struct stage *s)
{
    return uiommu_set_domain(stage_endpoint(s), uiommu_identity(s->u), NULL);
}

static enum uiommu_status block(struct stage *s)
{
    return uiommu_set_domain(stage_endpoint(s), uiommu_blocked(s->u), NULL);
}

static enum uiommu_status claim(struct stage *s)
{
    return uiommu_claim(stage_endpoint(s), s);
}

/* Its owner used it, and leaves it as it is. */
static enum uiommu_status release(struct stage *s)
{
    enum uiommu_status used = use(s, s);
    enum uiommu_status status = uiommu_release(stage_endpoint(s), s);

    return used != UIOMMU_OK ? used : status;
}

static enum uiommu_status remove(struct stage *s)
{
    enum uiommu_status status = use(s, NULL);

    if (status == UIOMMU_OK)
        status = uiommu_device_remove(s->device[s->engine]);
    if (status == UIOMMU_OK)
        s->device[s->engine] = NULL;
    return status;
}

void scenario_rest(struct stage *s)
{
    static const struct {
        const char *when;
        enum uiommu_status (*go)(struct stage *s);
        enum reach right;
    } states[] = {
        { "in a domain of its own", stage_make_domain, MAPPED },
        { "after a detach: back in the core's domain", detach, NOTHING },
        { "in the identity domain, as it was told", identity, EVERYTHING },
        { "blocked", block, NOTHING },
        { "claimed by a user", claim, NOTHING },
        { "released by a user who left it in a domain", release, NOTHING },
        { "removed while it was in a domain", remove, NOTHING },
    };
    enum uiommu_status status = UIOMMU_OK;

    (void)look(s, "after reset", EITHER);
    if (!stage_start(s))
        return;
    (void)look(s, "while uiommu does not know it", NOTHING);
    if (!stage_add_devices(s))
        return;
    (void)look(s, "once it is known", NOTHING);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        status = states[i].go(s);
        if (status != UIOMMU_OK) {
            (void)stage_say(s, states[i].when, false, "%s",
                            uiommu_status_name(status));
            return;
        }
        (void)look(s, states[i].when, states[i].right);
    }
    if (stage_stop(s))
        (void)look(s, "once uiommu has stopped", EITHER);
}
