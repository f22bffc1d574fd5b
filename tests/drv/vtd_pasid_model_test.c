/* SPDX-License-Identifier: MIT */
/*
 * VT-d: requesters with PASIDs on the model, store by store: what one sees while another of
 * the same requester changes, directories that grow under DMA, device TLBs, a sleep, tables
 * that another owner left (semantics B.7, B.8, B.13, B.23; D-26, D-37, D-48 to D-51).
 */
#include "tests/core/handover.h"

#include "core/core.h"
#include "drv/vtd/vtd.h"
#include "tests/hook/hook.h"

#define AT GIB(1)

enum { LIVES = 5, COMES = 6, OTHER_TABLE = 70, FAR = 0x8000, LAST = 0xfffff };

/* ---- machines ------------------------------------------------------------------ */

static bool with_pasids(struct rig *rig, const char **why)
{
    *why = "VT-d has PASIDs in scalable mode";
    rig->config.engine_caps |= SIM_PASID;
    rig->setup.flags |= UIOMMU_CONFIG_WIDE_PASIDS;
    return rig->config.mode == SIM_SCALABLE ||
           rig->config.mode == SIM_FIRST_STAGE;
}

static bool with_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_pasids(rig, why);
}

static bool with_caching_mode(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return with_pasids(rig, why);
}

/* ---- engine 0 and its PASIDs ----------------------------------------------------- */

/* A domain with its own page at AT. */
struct place {
    struct uiommu_domain *domain;
    uint64_t phys;
};

struct scene {
    struct rig *rig;
    struct place own, a, b;
    struct uiommu_endpoint *lives, *comes;
    uint32_t pasid; /* of the latter */
    uint64_t old, new;
    unsigned looks;
};

static void place_open(struct rig *rig, struct place *p)
{
    p->domain = rig_domain(rig, 0);
    p->phys = rig_pages(rig, 0);
    rig_ok(uiommu_map(p->domain, AT, p->phys, RIG_PAGE, RIG_RW));
}

static struct uiommu_endpoint *endpoint(struct rig *rig, uint32_t pasid)
{
    const struct uiommu_pasid_config one = {
        .size = sizeof(one),
        .first = pasid,
        .last = pasid,
    };
    struct uiommu_endpoint *ep;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), &one, &ep));
    return ep;
}

static void to(struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    rig_ok(uiommu_set_domain(ep, d, NULL));
}

static uint64_t pasid_lands(struct rig *rig, uint32_t pasid)
{
    uint64_t read, write;
    struct uie_xlat x;

    read = write = NOWHERE;
    if (sim_probe(rig->m, rig_engine(rig, 0), pasid, AT, UIOMMU_READ, &x) == 0)
        read = x.gpa + (AT & x.mask);
    if (sim_probe(rig->m, rig_engine(rig, 0), pasid, AT, UIOMMU_WRITE, &x) == 0)
        write = x.gpa + (AT & x.mask);
    assert_true(read == write);
    return read;
}

static struct sim_request request(struct rig *rig, uint32_t pasid, bool write,
                                  uint64_t *value)
{
    return (struct sim_request){
        .dev = rig_engine(rig, 0),
        .pasid = pasid,
        .write = write,
        .iova = AT,
        .buf = value,
        .size = sizeof(*value),
    };
}

static bool dma(struct rig *rig, uint32_t pasid, bool write, uint64_t *value)
{
    struct sim_request r = request(rig, pasid, write, value);

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE;
}

static bool reaches(struct rig *rig, uint32_t pasid, uint64_t phys)
{
    static uint64_t marker = UINT64_C(0x5eed000000000000);
    uint64_t got = 0;

    marker++;
    return dma(rig, pasid, true, &marker) && rig_peek(rig, phys) == marker &&
           dma(rig, pasid, false, &got) && got == marker;
}

static bool refused(struct rig *rig, uint32_t pasid)
{
    uint64_t value = 0;

    return !dma(rig, pasid, true, &value) && !dma(rig, pasid, false, &value);
}

static void scene_open(struct scene *s, struct rig *rig)
{
    memset(s, 0, sizeof(*s));
    s->rig = rig;
    place_open(rig, &s->own);
    place_open(rig, &s->a);
    place_open(rig, &s->b);
    s->lives = endpoint(rig, LIVES);
}

/* The requester sees `own`, PASID 5 a. */
static void scene_up(struct scene *s, struct rig *rig)
{
    scene_open(s, rig);
    set(rig, 0, s->own.domain);
    to(s->lives, s->a.domain);
    assert_true(reaches(rig, UIOMMU_NO_PASID, s->own.phys));
    assert_true(reaches(rig, LIVES, s->a.phys));
}

static void scene_close(struct scene *s)
{
    if (s->comes)
        rig_ok(uiommu_pasid_destroy(s->comes, true));
    rig_ok(uiommu_pasid_destroy(s->lives, true));
    set(s->rig, 0, uiommu_blocked(s->rig->u));
    assert_true(refused(s->rig, LIVES));
    uiommu_domain_put(s->own.domain);
    uiommu_domain_put(s->a.domain);
    uiommu_domain_put(s->b.domain);
}

/* ---- store by store ---------------------------------------------------------------- */

static void expect_beside(struct scene *s)
{
    if (s->pasid != UIOMMU_NO_PASID)
        assert_true(pasid_lands(s->rig, UIOMMU_NO_PASID) == s->own.phys);
    if (s->pasid != LIVES)
        assert_true(pasid_lands(s->rig, LIVES) == s->a.phys);
}

/* With what is cached, and with what memory says. */
static void look(void *ctx)
{
    struct scene *s = ctx;

    s->looks++;
    for (unsigned keep = 0; keep < 2; keep++) {
        uint64_t at;

        uim_check_caches_keep(sim_door(s->rig->m), keep);
        at = pasid_lands(s->rig, s->pasid);
        assert_true(at == s->old || at == s->new || at == NOWHERE);
        expect_beside(s);
    }
}

/* Uses of what is stale are no fault between a store and its invalidation; after it they
 * are. */
static void watched(struct scene *s, struct uiommu_endpoint *ep,
                    struct uiommu_domain *d, uint64_t new)
{
    s->pasid = uiommu_endpoint_pasid(ep);
    s->old = pasid_lands(s->rig, s->pasid);
    s->new = new;
    s->looks = 0;
    rig_watch(s->rig, look, s);
    to(ep, d);
    rig_watch(s->rig, NULL, NULL);
    sim_forget(s->rig->m);
    assert_true(s->looks > 0 || !uim_store_hooked());
    assert_true(pasid_lands(s->rig, s->pasid) == new);
    expect_beside(s);
    assert_int_equal(sim_stale_count(s->rig->m), 0);
}

/* Through all it can see. */
static void go_round(struct scene *s, struct uiommu_endpoint *ep)
{
    watched(s, ep, s->b.domain, s->b.phys);
    watched(s, ep, uiommu_identity(s->rig->u), AT);
    watched(s, ep, s->own.domain, s->own.phys);
    watched(s, ep, s->a.domain, s->a.phys);
    watched(s, ep, uiommu_blocked(s->rig->u), NOWHERE);
}

static void one_pasid_changes_beside_the_others(struct rig *rig)
{
    static const uint32_t pasid[] = { COMES, OTHER_TABLE, FAR, LAST };
    struct scene s;

    scene_up(&s, rig);
    for (unsigned i = 0; i < 4; i++) {
        s.comes = endpoint(rig, pasid[i]);
        go_round(&s, s.comes);
        watched(&s, s.comes, s.b.domain, s.b.phys);
        rig_ok(uiommu_pasid_destroy(s.comes, true));
        assert_true(refused(rig, pasid[i]));
    }
    s.comes = NULL;
    scene_close(&s);
}

static void what_has_no_pasid_changes_beside_them(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    go_round(&s, rig_endpoint(rig, 0));
    scene_close(&s);
}

static void pasids_live_where_nothing_else_does(struct rig *rig)
{
    struct scene s;

    scene_open(&s, rig);
    to(s.lives, s.a.domain);
    assert_true(reaches(rig, LIVES, s.a.phys));
    assert_true(refused(rig, UIOMMU_NO_PASID));
    assert_true(refused(rig, COMES));
    scene_close(&s);
}

/* What a device has translated passes by way of the entry without a PASID: where that is
 * blocked, no device TLB is used, also not any more. */
static void device_tlbs_are_used_where_they_can_be(struct rig *rig)
{
    struct scene s;

    pasids_live_where_nothing_else_does(rig);
    scene_up(&s, rig);
    assert_int_equal(sim_devtlb_entries(rig->m, rig_engine(rig, 0)), 2);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(reaches(rig, LIVES, s.a.phys));
    assert_true(refused(rig, UIOMMU_NO_PASID));
    assert_int_equal(sim_devtlb_entries(rig->m, rig_engine(rig, 0)), 0);
    set(rig, 0, s.own.domain);
    assert_true(reaches(rig, LIVES, s.a.phys));
    assert_int_equal(sim_devtlb_entries(rig->m, rig_engine(rig, 0)), 1);
    scene_close(&s);
}

/* Directories of all sizes, each in one step from the first. */
static void directories_grow_under_dma(struct rig *rig)
{
    struct uiommu_device *dev = rig_endpoint(rig, 0)->device;
    struct scene s;

    for (uint8_t bits = 16; bits <= 20; bits++) {
        dev->pasid_bits = bits;
        scene_up(&s, rig);
        s.comes = endpoint(rig, (1u << bits) - 1);
        watched(&s, s.comes, s.b.domain, s.b.phys);
        assert_true(reaches(rig, (1u << bits) - 1, s.b.phys));
        scene_close(&s);
        rig_down(rig);
        up(rig);
        dev = rig_endpoint(rig, 0)->device;
    }
}

/* ---- tables change ------------------------------------------------------------------ */

static void unmap_reaches_each_pasid(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    s.comes = endpoint(rig, FAR);
    to(s.comes, s.a.domain);
    set(rig, 0, s.a.domain);
    assert_true(reaches(rig, FAR, s.a.phys));
    assert_true(reaches(rig, UIOMMU_NO_PASID, s.a.phys));
    rig_ok(uiommu_unmap(s.a.domain, AT, RIG_PAGE, NULL));
    assert_true(refused(rig, FAR));
    assert_true(refused(rig, LIVES));
    assert_true(refused(rig, UIOMMU_NO_PASID));
    rig_ok(uiommu_map(s.a.domain, AT, s.b.phys, RIG_PAGE, RIG_RW));
    assert_true(reaches(rig, FAR, s.b.phys));
    assert_true(reaches(rig, LIVES, s.b.phys));
    scene_close(&s);
}

/* A number is used again, and what its tag was given to before is not seen. */
static void numbers_and_ids_come_back_clean(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    for (unsigned i = 0; i < 3; i++) {
        s.comes = endpoint(rig, COMES);
        to(s.comes, s.b.domain);
        assert_true(reaches(rig, COMES, s.b.phys));
        rig_ok(uiommu_pasid_destroy(s.comes, true));
        assert_true(refused(rig, COMES));
        uiommu_domain_put(s.b.domain);
        place_open(rig, &s.b);
    }
    s.comes = NULL;
    scene_close(&s);
}

/* CM=1: it was asked for before it was there, also what has no table. */
static void holes_that_were_cached_do_not_stay(struct rig *rig)
{
    static const uint32_t pasid[] = { COMES, OTHER_TABLE, OTHER_TABLE + 1, FAR,
                                      FAR + 1 };
    struct uiommu_endpoint *ep[5];
    struct scene s;

    assert_true(refused(rig, LIVES));
    scene_up(&s, rig);
    for (unsigned i = 0; i < 5; i++)
        ep[i] = endpoint(rig, pasid[i]);
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned k = i; k < 5; k++)
            assert_true(refused(rig, pasid[k]));
        to(ep[i], s.b.domain);
        assert_true(reaches(rig, pasid[i], s.b.phys));
    }
    for (unsigned i = 0; i < 5; i++)
        rig_ok(uiommu_pasid_destroy(ep[i], true));
    scene_close(&s);
}

/* ---- faults, privilege --------------------------------------------------------------- */

static void faults_say_the_pasid(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    rig_ok(uiommu_unmap(s.a.domain, AT, RIG_PAGE, NULL));
    assert_true(refused(rig, LIVES));
    rig_poll(rig);
    assert_true(rig->faults > 0);
    assert_int_equal(rig->fault.pasid, LIVES);
    assert_true((rig->fault.iova & ~UINT64_C(0xfff)) == AT);
    scene_close(&s);
}

/* They may what others may, and no more. */
static void privileged_requests_are_as_others(struct rig *rig)
{
    uint64_t value = 1;
    struct sim_request r = request(rig, LIVES, true, &value);
    struct scene s;

    scene_up(&s, rig);
    r.priv = r.rogue = true;
    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_DONE);
    rig_ok(uiommu_unmap(s.a.domain, AT, RIG_PAGE, NULL));
    rig_ok(uiommu_map(s.a.domain, AT, s.a.phys, RIG_PAGE, UIOMMU_READ));
    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    r.write = false;
    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_DONE);
    scene_close(&s);
}

/* ---- device TLBs ----------------------------------------------------------------------- */

static unsigned entries(struct rig *rig)
{
    return sim_devtlb_entries(rig->m, rig_engine(rig, 0));
}

static void device_tlbs_forget_by_pasid(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    assert_int_equal(entries(rig), 2);
    rig_ok(uiommu_unmap(s.a.domain, AT, RIG_PAGE, NULL));
    assert_int_equal(entries(rig), 1); /* the other has no PASID */
    assert_true(refused(rig, LIVES));
    assert_true(reaches(rig, UIOMMU_NO_PASID, s.own.phys));
    to(s.lives, s.b.domain);
    assert_true(reaches(rig, LIVES, s.b.phys));
    to(s.lives, s.own.domain);
    assert_true(reaches(rig, LIVES, s.own.phys));
    to(s.lives, uiommu_blocked(rig->u));
    assert_true(refused(rig, LIVES));
    assert_int_equal(entries(rig), 1);
    scene_close(&s);
}

/* What it holds has no PASID on its way: the entry without one has to go as well. */
static void a_silent_device_reaches_nothing(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_FAILS);
    rig_is(uiommu_unmap(s.a.domain, AT, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_int_equal(entries(rig), 2);
    assert_true(refused(rig, LIVES));
    assert_true(refused(rig, UIOMMU_NO_PASID));
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_ANSWERS);
    rig_ok(uiommu_pasid_destroy(s.lives, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(s.own.domain);
    uiommu_domain_put(s.a.domain);
    uiommu_domain_put(s.b.domain);
}

/* ---- a sleep, another owner -------------------------------------------------------------- */

static void they_are_there_after_a_sleep(struct rig *rig)
{
    struct scene s;

    scene_up(&s, rig);
    s.comes = endpoint(rig, FAR);
    to(s.comes, s.b.domain);
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(reaches(rig, UIOMMU_NO_PASID, s.own.phys));
    assert_true(reaches(rig, LIVES, s.a.phys));
    assert_true(reaches(rig, FAR, s.b.phys));
    scene_close(&s);
}

/* What has no PASID goes on with tables of the former owner. */
static void assert_nothing_comes_beside_it(struct rig *rig, struct scene *s)
{
    struct uiommu_endpoint *ep = endpoint(rig, COMES);
    struct place place;

    place_open(rig, &place);
    rig_is(uiommu_set_domain(ep, place.domain, NULL), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(place.domain);
    assert_true(reaches(rig, UIOMMU_NO_PASID, s->own.phys));
    assert_true(pasid_lands(rig, LIVES) == s->a.phys);
}

/* Ids that a directory of 16384 tables leads to are none of ours until it has gone. Other
 * engines see the domains too. */
static void what_another_left_is_read_whatever_its_size(struct rig *rig)
{
    struct uim_unit *unit;
    struct scene s;

    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_ADOPT;
    up(rig);
    scene_up(&s, rig);
    s.comes = endpoint(rig, LAST);
    to(s.comes, s.b.domain);
    set(rig, 1, s.a.domain);
    set(rig, 2, s.b.domain);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(s.own.domain);
    uiommu_domain_put(s.a.domain);
    uiommu_domain_put(s.b.domain);
    first_is_gone(rig);
    up(rig);
    assert_int_equal(adopted(rig), 3);
    unit = rig->u->unit[0];
    for (unsigned did = 2; did < 5; did++)
        assert_true(vtd_unit(unit)->dids[0] >> did & 1);
    assert_true(reaches(rig, UIOMMU_NO_PASID, s.own.phys));
    assert_true(pasid_lands(rig, LIVES) == s.a.phys);
    assert_true(pasid_lands(rig, LAST) == s.b.phys);
    assert_nothing_comes_beside_it(rig, &s);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(pasid_lands(rig, LIVES) == NOWHERE);
    assert_true(pasid_lands(rig, LAST) == NOWHERE);
    end_adoption(rig);
    s.lives = endpoint(rig, LAST);
    place_open(rig, &s.a);
    to(s.lives, s.a.domain);
    assert_true(reaches(rig, LAST, s.a.phys));
    rig_ok(uiommu_pasid_destroy(s.lives, true));
    uiommu_domain_put(s.a.domain);
    rig_down(rig);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(one_pasid_changes_beside_the_others, with_pasids),
    RIG_TEST_ON(what_has_no_pasid_changes_beside_them, with_pasids),
    RIG_TEST_ON(pasids_live_where_nothing_else_does, with_pasids),
    RIG_TEST_ON(directories_grow_under_dma, with_pasids),
    RIG_TEST_ON(unmap_reaches_each_pasid, with_pasids),
    RIG_TEST_ON(numbers_and_ids_come_back_clean, with_pasids),
    RIG_TEST_ON(holes_that_were_cached_do_not_stay, with_caching_mode),
    RIG_TEST_ON(faults_say_the_pasid, with_pasids),
    RIG_TEST_ON(privileged_requests_are_as_others, with_pasids),
    RIG_TEST_ON(device_tlbs_are_used_where_they_can_be, with_ats),
    RIG_TEST_ON(device_tlbs_forget_by_pasid, with_ats),
    RIG_TEST_ON(a_silent_device_reaches_nothing, with_ats),
    RIG_TEST_ON(they_are_there_after_a_sleep, with_pasids),
    RIG_COLD_ON(what_another_left_is_read_whatever_its_size, with_pasids),
    { .name = NULL },
};

int main(void)
{
    return rig_run_where(RIG_DMAR, "VT-d driver, PASIDs on the model", tests);
}
