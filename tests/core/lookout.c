/* SPDX-License-Identifier: MIT */
#include "tests/core/lookout.h"

#include "tests/hook/hook.h"

void watch_for(struct lookout *l, unsigned engine, uint64_t iova, uint64_t old,
               uint64_t new)
{
    assert_true(l->n < PLACES);
    l->place[l->n++] = (struct place){
        .engine = engine, .iova = iova, .old = old, .new = new
    };
}

void watch_dma(struct lookout *l, struct rig *rig, unsigned engine,
               uint64_t iova, uint64_t old, uint64_t new)
{
    watch_for(l, engine, iova, old, new);
    l->place[l->n - 1].dma = true;
    if (old != NOWHERE)
        rig_poke(rig, old, old);
    if (new != NOWHERE)
        rig_poke(rig, new, new);
}

void watch_pasid(struct lookout *l, struct rig *rig, unsigned engine,
                 uint32_t pasid, uint64_t iova, uint64_t old, uint64_t new)
{
    watch_dma(l, rig, engine, iova, old, new);
    l->place[l->n - 1].pasid = pasid;
}

/* The page says where it is. */
static uint64_t dma_lands(struct rig *rig, const struct place *p)
{
    uint64_t value;

    return rig_dma(rig, p->engine, p->pasid, false, p->iova, &value) ? value
                                                                     : NOWHERE;
}

static bool allowed(const struct place *p, uint64_t there)
{
    if (p->passing != 0 && there == p->passing)
        return true;
    if (p->old == p->new)
        return there == p->old;
    return there == p->old || there == p->new ||
           (there == NOWHERE && !p->never_blocked);
}

static void judge(struct lookout *l, const struct place *p, uint64_t there)
{
    if (allowed(p, there))
        return;
    l->wrong++;
    l->last_wrong = *p;
    l->said = there;
}

static uint64_t place_lands(struct rig *rig, const struct place *p,
                            unsigned access)
{
    return lands_with(rig, p->engine, p->pasid, p->iova, access);
}

static void look_at(struct lookout *l, const struct place *p)
{
    judge(l, p, place_lands(l->rig, p, UIOMMU_READ));
    judge(l, p, place_lands(l->rig, p, UIOMMU_WRITE));
    if (p->dma)
        judge(l, p, dma_lands(l->rig, p));
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
        fail_msg("engine %u, PASID %u, at 0x%llx went to 0x%llx, %u times "
                 "wrong of %u",
                 l->last_wrong.engine, (unsigned)l->last_wrong.pasid,
                 (unsigned long long)l->last_wrong.iova,
                 (unsigned long long)l->said, l->wrong, l->looked);
}

void begin(struct rig *rig, struct lookout *l)
{
    l->rig = rig;
    l->wrong = 0;
    look(l);
    l->looked = 0;
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
        l->place[i].passing = 0;
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

static void assert_is_new(struct rig *rig, const struct place *p)
{
    assert_int_equal(place_lands(rig, p, UIOMMU_WRITE), p->new);
    if (p->dma)
        assert_int_equal(dma_lands(rig, p), p->new);
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
        assert_is_new(rig, &l->place[i]);
    assert_int_equal(sim_stale_count(rig->m), 0);
}

bool saw(const struct lookout *l, unsigned stores)
{
    return l->looked >= (uim_store_hooked() ? stores : 1);
}
