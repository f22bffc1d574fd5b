/* SPDX-License-Identifier: MIT */
/*
 * store_pasid_test.c - store by store, as store_test.c, of devices with PASIDs: what the
 * id sees changes while PASIDs are live, and the other way round (semantics B.6, B.7,
 * D-51). Whoever does not change is not disturbed for a moment.
 */
#include "tests/core/lookout.h"
#include "tests/core/pasids.h"

#include "core/core.h"

/* ---- who sees what --------------------------------------------------------------- */

enum sight { BLOCKED, IDENTITY, PAGING_A, PAGING_B, SIGHTS };

enum { MOVING = 1, STILL = 2, NEVER = 3 };

/* Engine 0 has the id and the PASID that move, and one that does not; engine 1 has one,
 * engine 2 none. */
struct scene {
    struct uiommu_domain *domain[SIGHTS];
    uint64_t at, phys[SIGHTS];
    struct uiommu_endpoint *moving, *still, *beside;
};

static void scene_open(struct rig *rig, struct scene *s)
{
    s->at = rig_pages(rig, 0);
    s->domain[BLOCKED] = uiommu_blocked(rig->u);
    s->phys[BLOCKED] = NOWHERE;
    s->domain[IDENTITY] = uiommu_identity(rig->u);
    s->phys[IDENTITY] = s->at;
    for (unsigned i = PAGING_A; i < SIGHTS; i++) {
        s->phys[i] = rig_pages(rig, 0);
        s->domain[i] = mapped(rig, s->at, s->phys[i]);
    }
    s->moving = NULL;
    s->still = NULL;
    set(rig, 1, s->domain[PAGING_A]);
    see(s->beside = pasid(rig, 1), s->domain[PAGING_B]);
}

static void have_pasids(struct rig *rig, struct scene *s)
{
    s->moving = pasid_number(rig, 0, MOVING);
    see(s->still = pasid_number(rig, 0, STILL), s->domain[PAGING_B]);
}

static void scene_close(struct rig *rig, struct scene *s)
{
    if (s->moving)
        rig_ok(uiommu_pasid_destroy(s->moving, true));
    if (s->still)
        rig_ok(uiommu_pasid_destroy(s->still, true));
    rig_ok(uiommu_pasid_destroy(s->beside, true));
    set(rig, 0, uiommu_blocked(rig->u));
    set(rig, 1, uiommu_blocked(rig->u));
    uiommu_domain_put(s->domain[PAGING_A]);
    uiommu_domain_put(s->domain[PAGING_B]);
}

static bool pasids_can(const struct rig *rig, unsigned sight)
{
    return sight != IDENTITY || rig->u->unit[0]->pasid_identity;
}

/* ---- what is watched --------------------------------------------------------------- */

/* From one sight to another: a page that all map, and one that only identity has. */
static void watch_sight(struct lookout *l, struct rig *rig,
                        const struct scene *s, uint32_t number, unsigned from,
                        unsigned to)
{
    uint64_t beside = s->at + RIG_PAGE;

    watch_pasid(l, rig, 0, number, s->at, s->phys[from], s->phys[to]);
    watch_for(l, 0, beside, from == IDENTITY ? beside : NOWHERE,
              to == IDENTITY ? beside : NOWHERE);
    l->place[l->n - 1].pasid = number;
}

static void watch_others(struct lookout *l, struct rig *rig,
                         const struct scene *s)
{
    uint64_t a = s->phys[PAGING_A], b = s->phys[PAGING_B];
    uint64_t still = s->still ? b : NOWHERE;

    watch_pasid(l, rig, 0, STILL, s->at, still, still);
    watch_pasid(l, rig, 0, NEVER, s->at, NOWHERE, NOWHERE);
    watch_dma(l, rig, 1, s->at, a, a);
    watch_pasid(l, rig, 1, MOVING, s->at, b, b);
    watch_dma(l, rig, 2, s->at, NOWHERE, NOWHERE);
}

/* ---- one moves beside the other ---------------------------------------------------- */

static void id_moves(struct rig *rig, const struct scene *s, unsigned from,
                     unsigned to, unsigned pasid_sees)
{
    struct lookout l = { .n = 0 };

    set(rig, 0, s->domain[from]);
    watch_sight(&l, rig, s, UIOMMU_NO_PASID, from, to);
    watch_sight(&l, rig, s, MOVING, pasid_sees, pasid_sees);
    watch_others(&l, rig, s);
    begin(rig, &l);
    set(rig, 0, s->domain[to]);
    assert_true(saw(&l, 2));
    end(rig, &l);
}

static void no_pasid_notices_what_its_id_sees(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s);
    have_pasids(rig, &s);
    for (unsigned fixed = 0; fixed < PAGING_B; fixed++) {
        if (!pasids_can(rig, fixed))
            continue;
        see(s.moving, s.domain[fixed]);
        for (unsigned from = 0; from < SIGHTS; from++)
            for (unsigned to = 0; to < SIGHTS; to++)
                if (from != to)
                    id_moves(rig, &s, from, to, fixed);
    }
    scene_close(rig, &s);
}

static void pasid_moves(struct rig *rig, const struct scene *s, unsigned from,
                        unsigned to, unsigned id_sees)
{
    struct lookout l = { .n = 0 };

    see(s->moving, s->domain[from]);
    watch_sight(&l, rig, s, MOVING, from, to);
    watch_sight(&l, rig, s, UIOMMU_NO_PASID, id_sees, id_sees);
    watch_others(&l, rig, s);
    begin(rig, &l);
    see(s->moving, s->domain[to]);
    assert_true(saw(&l, 1));
    end(rig, &l);
}

static void no_id_notices_what_its_pasids_see(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s);
    have_pasids(rig, &s);
    for (unsigned fixed = 0; fixed < SIGHTS; fixed++) {
        set(rig, 0, s.domain[fixed]);
        for (unsigned from = 0; from < SIGHTS; from++)
            for (unsigned to = 0; to < SIGHTS; to++)
                if (from != to && pasids_can(rig, from) && pasids_can(rig, to))
                    pasid_moves(rig, &s, from, to, fixed);
    }
    scene_close(rig, &s);
}

/* ---- they come and go ---------------------------------------------------------------- */

/* A step that takes `number` of engine 0 from one sight to another. */
#define WATCHED(rig, s, number, from, to, id_sees, step)                       \
    do {                                                                       \
        struct lookout l_ = { .n = 0 };                                        \
                                                                               \
        watch_sight(&l_, rig, s, number, from, to);                            \
        watch_sight(&l_, rig, s, UIOMMU_NO_PASID, id_sees, id_sees);           \
        watch_others(&l_, rig, s);                                             \
        begin(rig, &l_);                                                       \
        step;                                                                  \
        end(rig, &l_);                                                         \
    } while (0)

/* The table comes, is used and goes, or stays and grows, beside what the id sees. */
static void comes_and_goes(struct rig *rig, const struct scene *s,
                           uint32_t number, unsigned id_sees)
{
    struct uiommu_endpoint *ep = NULL;

    WATCHED(rig, s, number, BLOCKED, BLOCKED, id_sees,
            ep = pasid_number(rig, 0, number));
    WATCHED(rig, s, number, BLOCKED, PAGING_A, id_sees,
            see(ep, s->domain[PAGING_A]));
    WATCHED(rig, s, number, PAGING_A, BLOCKED, id_sees,
            see(ep, s->domain[BLOCKED]));
    WATCHED(rig, s, number, BLOCKED, PAGING_B, id_sees,
            see(ep, s->domain[PAGING_B]));
    WATCHED(rig, s, number, PAGING_B, BLOCKED, id_sees,
            rig_ok(uiommu_pasid_destroy(ep, true)));
}

static void the_first_comes_and_the_last_goes_unnoticed(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s);
    for (unsigned id_sees = 0; id_sees < SIGHTS; id_sees++) {
        set(rig, 0, s.domain[id_sees]);
        comes_and_goes(rig, &s, MOVING, id_sees);
    }
    scene_close(rig, &s);
}

static void tables_grow_beside_those_that_stay(struct rig *rig)
{
    struct scene s;
    uint32_t last, number = 70;

    scene_open(rig, &s);
    have_pasids(rig, &s);
    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    for (unsigned id_sees = 0; id_sees < SIGHTS; id_sees++) {
        set(rig, 0, s.domain[id_sees]);
        comes_and_goes(rig, &s, number, id_sees);
        number = number * 16 < last ? number * 16 : last - id_sees;
    }
    scene_close(rig, &s);
}

/* What a PASID sees is unmapped: it is gone for whoever sees it, and for no other. */
static void an_unmap_takes_it_from_who_sees_it(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    struct scene s;
    uint64_t a, b;

    scene_open(rig, &s);
    have_pasids(rig, &s);
    a = s.phys[PAGING_A], b = s.phys[PAGING_B];
    see(s.moving, s.domain[PAGING_A]);
    set(rig, 0, s.domain[PAGING_B]);
    watch_pasid(&l, rig, 0, MOVING, s.at, a, NOWHERE);
    watch_dma(&l, rig, 1, s.at, a, NOWHERE);
    watch_dma(&l, rig, 0, s.at, b, b);
    watch_pasid(&l, rig, 0, STILL, s.at, b, b);
    watch_pasid(&l, rig, 1, MOVING, s.at, b, b);
    begin(rig, &l);
    rig_ok(uiommu_unmap(s.domain[PAGING_A], s.at, RIG_PAGE, NULL));
    assert_true(saw(&l, 1));
    end(rig, &l);
    scene_close(rig, &s);
}

/* ---- resets ------------------------------------------------------------------------------ */

/* All that one device asks with goes dark and comes back, and nothing else does. */
static void a_reset_is_of_one_device(struct rig *rig)
{
    struct uiommu_device *d = rig->device[rig_engine(rig, 0)];
    struct lookout l = { .n = 0 };
    struct scene s;
    uint64_t a, b;

    scene_open(rig, &s);
    have_pasids(rig, &s);
    a = s.phys[PAGING_A], b = s.phys[PAGING_B];
    set(rig, 0, s.domain[PAGING_B]);
    see(s.moving, s.domain[PAGING_A]);
    watch_dma(&l, rig, 0, s.at, b, NOWHERE);
    watch_pasid(&l, rig, 0, MOVING, s.at, a, NOWHERE);
    watch_pasid(&l, rig, 0, STILL, s.at, b, NOWHERE);
    watch_pasid(&l, rig, 0, NEVER, s.at, NOWHERE, NOWHERE);
    watch_dma(&l, rig, 1, s.at, a, a);
    watch_pasid(&l, rig, 1, MOVING, s.at, b, b);
    begin(rig, &l);
    rig_ok(uiommu_device_reset_begin(d));
    assert_true(saw(&l, 3));
    end(rig, &l);
    for (unsigned i = 0; i < 3; i++) {
        l.place[i].old = NOWHERE;
        l.place[i].new = i == 1 ? a : b;
    }
    begin(rig, &l);
    rig_ok(uiommu_device_reset_end(d, true));
    assert_true(saw(&l, 3));
    end(rig, &l);
    scene_close(rig, &s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(no_pasid_notices_what_its_id_sees, with_pasids),
    RIG_TEST_ON(no_id_notices_what_its_pasids_see, with_pasids),
    RIG_TEST_ON(the_first_comes_and_the_last_goes_unnoticed, with_pasids),
    RIG_TEST_ON(tables_grow_beside_those_that_stay, with_pasids),
    RIG_TEST_ON(an_unmap_takes_it_from_who_sees_it, with_pasids),
    RIG_TEST_ON(a_reset_is_of_one_device, with_pasids),
    RIG_TEST_ON(no_pasid_notices_what_its_id_sees, with_pasids_and_ats),
    RIG_TEST_ON(no_id_notices_what_its_pasids_see, with_pasids_and_ats),
    RIG_TEST_ON(the_first_comes_and_the_last_goes_unnoticed,
                with_pasids_and_ats),
    RIG_TEST_ON(an_unmap_takes_it_from_who_sees_it, with_pasids_and_ats),
    RIG_TEST_ON(a_reset_is_of_one_device, with_pasids_and_ats),
    { 0 },
};

int main(void)
{
    return rig_run("store_pasid", tests);
}
