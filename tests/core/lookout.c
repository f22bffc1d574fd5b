/* SPDX-License-Identifier: MIT */
#include "tests/core/lookout.h"

#include "tests/hook/hook.h"

void watch_for(struct lookout *l, unsigned engine, uint64_t iova, uint64_t old,
               uint64_t new)
{
    assert_true(l->n < PLACES);
    l->place[l->n++] = (struct place){ engine, iova, old, new, false };
}

static bool allowed(const struct place *p, uint64_t there)
{
    if (p->old == p->new)
        return there == p->old;
    return there == p->old || there == p->new ||
           (there == NOWHERE && !p->never_blocked);
}

static void look_at(struct lookout *l, const struct place *p)
{
    static const unsigned access[] = { UIOMMU_READ, UIOMMU_WRITE };

    for (unsigned i = 0; i < 2; i++) {
        uint64_t there = lands(l->rig, p->engine, p->iova, access[i]);

        if (allowed(p, there))
            continue;
        l->wrong++;
        l->last_wrong = *p;
        l->said = there;
    }
}

static void look_everywhere(struct lookout *l)
{
    for (unsigned i = 0; i < l->n; i++)
        look_at(l, &l->place[i]);
}

static void look(void *ctx)
{
    struct lookout *l = ctx;

    l->looked++;
    look_everywhere(l);
    uim_check_caches_keep(sim_door(l->rig->m), false);
    look_everywhere(l);
    uim_check_caches_keep(sim_door(l->rig->m), true);
}

static void assert_right(const struct lookout *l)
{
    if (l->wrong > 0)
        fail_msg("engine %u at 0x%llx went to 0x%llx, %u times wrong of %u",
                 l->last_wrong.engine, (unsigned long long)l->last_wrong.iova,
                 (unsigned long long)l->said, l->wrong, l->looked);
}

void begin(struct rig *rig, struct lookout *l)
{
    l->rig = rig;
    l->looked = 0;
    l->wrong = 0;
    look(l);
    assert_right(l);
    assert_int_equal(sim_stale_count(rig->m), 0);
    rig_watch(rig, look, l);
}

/* What the tables alone say is new. */
static void assert_new(struct lookout *l)
{
    uim_check_caches_keep(sim_door(l->rig->m), false);
    for (unsigned i = 0; i < l->n; i++) {
        l->place[i].old = l->place[i].new;
        look_at(l, &l->place[i]);
    }
    uim_check_caches_keep(sim_door(l->rig->m), true);
    assert_right(l);
}

void end_unconfirmed(struct rig *rig, struct lookout *l)
{
    rig_watch(rig, NULL, NULL);
    assert_right(l);
    assert_new(l);
    assert_true(rig->dirty);
}

/* Old entries may be used until the call returns, but not afterwards. */
void end(struct rig *rig, struct lookout *l)
{
    rig_watch(rig, NULL, NULL);
    assert_right(l);
    if (sim_violations(rig->m) > 0)
        fail_msg("%s", sim_violation(rig->m, 0));
    sim_forget(rig->m);
    for (unsigned i = 0; i < l->n; i++)
        assert_int_equal(
            lands(rig, l->place[i].engine, l->place[i].iova, UIOMMU_WRITE),
            l->place[i].new);
    assert_int_equal(sim_stale_count(rig->m), 0);
}

bool saw(const struct lookout *l, unsigned stores)
{
    return l->looked >= (uim_store_hooked() ? stores : 1);
}
