/* SPDX-License-Identifier: MIT */
/*
 * storm_test.c - a device that faults too often is shut off, once, at every place of
 * whatever goes on beside, and what it sees comes back when the host says so (semantics
 * B.18).
 */
#include "tests/core/audited.h"
#include "tests/core/groups.h"
#include "tests/core/lookout.h"
#include "tests/core/pasids.h"

#include <uiommu/mode.h>
#include <uiommu/reset.h>

enum { BUDGET = 12 };

#define HOLE      (BASE + GIB(3)) /* nothing is mapped there */
#define SECOND_NS UINT64_C(1000000000)

static bool with_budget(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.storm_budget = BUDGET;
    return true;
}

static bool with_budget_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_budget(rig, why);
}

static bool with_budget_and_pasids(struct rig *rig, const char **why)
{
    return with_budget(rig, why) && with_pasids(rig, why);
}

static bool with_all(struct rig *rig, const char **why)
{
    return with_budget(rig, why) && with_pasids_and_ats(rig, why);
}

/* ---- steps -------------------------------------------------------------------------- */

static struct uiommu_device *device(struct rig *rig, unsigned n)
{
    return rig->device[rig_engine(rig, n)];
}

/* As if its unit had told of them: it may see whatever it likes. */
static void told(struct rig *rig, unsigned n, uint32_t pasid, unsigned times)
{
    const struct uiommu_endpoint *ep = rig_endpoint(rig, n);

    for (unsigned i = 0; i < times; i++) {
        struct uiommu_fault f = {
            .driver = rig_arch(rig)->driver->name,
            .id = ep->id,
            .pasid = pasid,
            .access = UIOMMU_WRITE,
            .has_iova = true,
            .iova = HOLE,
        };

        uim_fault(ep->unit, &f);
    }
}

/* A device that asks by ATS hears that it may not, and no fault is recorded. */
static void fault_with(struct rig *rig, unsigned n, uint32_t pasid)
{
    const unsigned before = rig->faults;
    uint64_t value = 0;

    assert_false(rig_dma(rig, n, pasid, true, HOLE, &value));
    rig_poll(rig);
    if (rig->config.ats && rig->faults == before)
        told(rig, n, pasid, 1);
}

/* Its unit has nothing to tell. */
static void assert_unheard(struct rig *rig, unsigned n, uint32_t pasid)
{
    const unsigned before = rig->faults;
    uint64_t value = 0;

    assert_false(rig_dma(rig, n, pasid, true, HOLE, &value));
    assert_false(rig_arch(rig)->pending(rig));
    fault_with(rig, n, pasid);
    assert_int_equal(rig->faults, before);
}

static void assert_heard(struct rig *rig, unsigned n, uint32_t pasid)
{
    const unsigned before = rig->faults;

    fault_with(rig, n, pasid);
    assert_int_equal(rig->faults, before + 1);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_DMA);
}

static void storm_with(struct rig *rig, unsigned n, uint32_t pasid)
{
    sim_advance(rig->m, SECOND_NS);
    for (unsigned i = 0; i < BUDGET; i++)
        assert_heard(rig, n, pasid);
    fault_with(rig, n, pasid);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
    assert_int_equal(rig->fault.count, BUDGET + 1);
}

static void storm_of(struct rig *rig, unsigned n)
{
    sim_advance(rig->m, SECOND_NS);
    told(rig, n, UIOMMU_NO_PASID, BUDGET + 1);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
}

static void storm(struct rig *rig, unsigned n)
{
    storm_with(rig, n, UIOMMU_NO_PASID);
}

static void rearm(struct rig *rig, unsigned n)
{
    rig_ok(uiommu_device_rearm(device(rig, n)));
}

/* ---- what it is ---------------------------------------------------------------------- */

static void one_too_many_shuts_it_off(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    set(rig, 1, d);
    for (unsigned round = 0; round < 2; round++) {
        assert_true(rig_reaches(rig, 0, BASE, page));
        storm(rig, 0);
        assert_ptr_equal(rig->fault.device, device(rig, 0));
        assert_ptr_equal(rig->fault.domain, d);
        assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
        assert_int_equal(lands(rig, 0, BASE, UIOMMU_READ), NOWHERE);
        for (unsigned i = 0; i < 100; i++)
            assert_unheard(rig, 0, UIOMMU_NO_PASID);
        assert_true(rig_reaches(rig, 1, BASE, page));
        assert_heard(rig, 1, UIOMMU_NO_PASID);
        rearm(rig, 0);
        assert_true(rig_reaches(rig, 0, BASE, page));
        assert_heard(rig, 0, UIOMMU_NO_PASID);
    }
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void no_budget_is_no_limit(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned i = 0; i < 5 * BUDGET; i++)
        assert_heard(rig, 0, UIOMMU_NO_PASID);
    rig_drop(rig, 0, d);
}

static void each_second_has_its_own(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < BUDGET; i++)
            assert_heard(rig, 0, UIOMMU_NO_PASID);
        sim_advance(rig->m, SECOND_NS);
    }
    storm(rig, 0);
    rig_drop(rig, 0, d);
}

/* Whose faults are few does not pay for another. */
static void each_device_has_its_own(struct rig *rig)
{
    for (unsigned i = 0; i < BUDGET; i++) {
        assert_heard(rig, 0, UIOMMU_NO_PASID);
        assert_heard(rig, 1, UIOMMU_NO_PASID);
    }
    assert_heard(rig, 2, UIOMMU_NO_PASID);
}

static void who_never_saw_anything_is_shut_off_too(struct rig *rig)
{
    for (unsigned n = 0; n < 3; n++) {
        storm(rig, n);
        assert_unheard(rig, n, UIOMMU_NO_PASID);
    }
    for (unsigned n = 0; n < 3; n++) {
        rearm(rig, n);
        assert_heard(rig, n, UIOMMU_NO_PASID);
    }
}

static bool with_a_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { MIB(32), RIG_PAGE, 0 } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return with_budget(rig, why);
}

/* Not even if firmware's table names it: nobody could arm it. */
static void who_was_not_added_is_not(struct rig *rig)
{
    up_to_start(rig);
    for (unsigned i = 0; i < 3 * BUDGET; i++)
        assert_heard(rig, 0, UIOMMU_NO_PASID);
}

static void what_was_not_shut_off_is_armed(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    rig_is(uiommu_device_rearm(NULL), UIOMMU_INVAL);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < BUDGET; i++)
            assert_heard(rig, 0, UIOMMU_NO_PASID);
        rearm(rig, 0);
        assert_true(rig_reaches(rig, 0, BASE, page));
    }
    rig_drop(rig, 0, d);
}

/* What waited in the unit when it was shut off. */
static void what_was_on_its_way_is_dropped(struct rig *rig)
{
    storm_of(rig, 0);
    rig->faults = 0;
    told(rig, 0, UIOMMU_NO_PASID, 100);
    assert_int_equal(rig->faults, 0);
    rearm(rig, 0);
    told(rig, 0, UIOMMU_NO_PASID, BUDGET);
    assert_int_equal(rig->faults, BUDGET);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_DMA);
}

/* ---- who hears of it ------------------------------------------------------------------ */

static bool take_it(void *ctx, const struct uiommu_fault *fault)
{
    unsigned *heard = ctx;

    heard[fault->kind]++;
    return true;
}

static void no_owner_hides_it(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    unsigned heard[UIOMMU_FAULT_STORM + 1] = { 0 };

    uiommu_fault_handler(d, take_it, heard);
    for (unsigned i = 0; i < BUDGET + 1; i++)
        fault_with(rig, 0, UIOMMU_NO_PASID);
    assert_int_equal(heard[UIOMMU_FAULT_DMA], BUDGET);
    assert_int_equal(heard[UIOMMU_FAULT_STORM], 1);
    assert_int_equal(rig->faults, 1);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
    assert_says(rig->sentence, "shut off after 13 faults in a second");
    assert_says(rig->sentence, "the last: write at 0x140000000");
    rig_drop(rig, 0, d);
}

static bool unheard(struct rig *rig, const char **why)
{
    rig->setup.on_fault = NULL;
    return with_budget(rig, why);
}

static bool unheard_of_many(struct rig *rig, const char **why)
{
    bool does = unheard(rig, why);

    rig->setup.storm_budget = 5 * BUDGET;
    return does;
}

static void the_log_has_it_if_nobody_takes_it(struct rig *rig)
{
    for (unsigned i = 0; i <= rig->setup.storm_budget; i++)
        fault_with(rig, 0, UIOMMU_NO_PASID);
    assert_says(sim_last_log(rig->m), "shut off after ");
    assert_says(sim_last_log(rig->m), "00:03.0");
}

static struct uiommu_mode mode(struct rig *rig, unsigned n)
{
    struct uiommu_mode m;

    rig_ok(uiommu_effective_mode(rig_endpoint(rig, n), &m));
    return m;
}

static void it_is_seen_in_mode_and_audit(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0), *other;
    struct changes c = { .n = 0 };

    set(rig, 1, d);
    other = rig_endpoint(rig, 1);
    assert_false(mode(rig, 0).muted);
    storm(rig, 0);
    assert_true(mode(rig, 0).muted);
    assert_int_equal(mode(rig, 0).sees, UIOMMU_DOMAIN_BLOCKED);
    finds_nothing(rig);
    copy_entry(&c, entry_of_id(other, other->id), entry_of_id(ep, ep->id),
               entry_words(ep));
    finds(rig, UIOMMU_AUDIT_OPEN, ep);
    change_back(&c);
    rearm(rig, 0);
    assert_false(mode(rig, 0).muted);
    assert_int_equal(mode(rig, 0).sees, UIOMMU_DOMAIN_PAGING);
    finds_nothing(rig);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* ---- what goes on meanwhile ----------------------------------------------------------- */

enum sight { BLOCKED, IDENTITY, PAGING_A, PAGING_B, SIGHTS };

struct sights {
    struct uiommu_domain *domain[SIGHTS];
    uint64_t at, phys[SIGHTS];
};

static void sights_open(struct rig *rig, struct sights *s)
{
    s->at = rig_pages(rig, 0);
    s->domain[BLOCKED] = uiommu_blocked(rig->u);
    s->phys[BLOCKED] = NOWHERE;
    s->domain[IDENTITY] = uiommu_identity(rig->u);
    s->phys[IDENTITY] = s->at;
    for (unsigned i = PAGING_A; i < SIGHTS; i++) {
        s->domain[i] = rig_domain(rig, 0);
        s->phys[i] = rig_pages(rig, 0);
        map_page(s->domain[i], s->at, s->phys[i]);
    }
}

static void sights_close(struct rig *rig, struct sights *s)
{
    set(rig, 0, uiommu_blocked(rig->u));
    set(rig, 1, uiommu_blocked(rig->u));
    uiommu_domain_put(s->domain[PAGING_A]);
    uiommu_domain_put(s->domain[PAGING_B]);
}

static void shut_off_from_to(struct rig *rig, const struct sights *s,
                             unsigned from, unsigned to)
{
    set(rig, 0, s->domain[from]);
    storm_of(rig, 0);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    set(rig, 0, s->domain[to]);
    assert_int_equal(lands(rig, 0, s->at, UIOMMU_WRITE), NOWHERE);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_int_equal(lands(rig, 0, s->at, UIOMMU_WRITE), s->phys[to]);
    if (to != IDENTITY)
        assert_heard(rig, 0, UIOMMU_NO_PASID);
}

static void it_moves_behind_its_back(struct rig *rig)
{
    struct sights s;

    sights_open(rig, &s);
    for (unsigned from = 0; from < SIGHTS; from++)
        for (unsigned to = 0; to < SIGHTS; to++)
            shut_off_from_to(rig, &s, from, to);
    sights_close(rig, &s);
}

static void memory_comes_and_goes(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    assert_true(rig_reaches(rig, 0, BASE, page));
    storm(rig, 0);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    map_page(d, BASE + RIG_PAGE, page + RIG_PAGE);
    rearm(rig, 0);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static void an_owner_comes_and_goes(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    const int owner = 0;

    map_page(d, BASE, page);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &owner));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, &owner));
    storm(rig, 0);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &owner));
    rearm(rig, 0);
    assert_true(rig_refused(rig, 0, BASE));
    uiommu_domain_put(d);
}

static void a_reset_goes_on_beside(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    storm(rig, 0);
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_true(rig_reaches(rig, 0, BASE, page));

    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    storm(rig, 0);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_heard(rig, 0, UIOMMU_NO_PASID);
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static void a_sleep_does_not_end_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    storm(rig, 0);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_device_rearm(device(rig, 0)), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static void to_remove_it_ends_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_domain *d;

    for (unsigned seen = 0; seen < 2; seen++) {
        d = attached_with(rig, 0, BASE, page);
        if (!seen)
            set(rig, 0, uiommu_blocked(rig->u));
        storm(rig, 0);
        rig_ok(uiommu_device_remove(rig->device[dev]));
        rig->device[dev] = NULL;
        uiommu_domain_put(d);
        assert_heard(rig, 0, UIOMMU_NO_PASID);
        rig_ok(rig_add(rig, dev));
        assert_heard(rig, 0, UIOMMU_NO_PASID);
        d = attached_with(rig, 0, BASE, page);
        assert_true(rig_reaches(rig, 0, BASE, page));
        rig_drop(rig, 0, d);
    }
}

static void a_quarantine_outlives_it(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));

    storm(rig, 0);
    rig_ok(uim_quarantine(rig_endpoint(rig, 0)));
    rig_is(uiommu_device_rearm(device(rig, 0)), UIOMMU_NODEV);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_true(mode(rig, 0).quarantined);
    assert_true(mode(rig, 0).muted);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    uiommu_domain_put(d);
}

/* A unit that does not confirm may let it go on: that is what a quarantine is for. */
static void who_is_not_known_to_be_off_is_quarantined(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    storm_of(rig, 0);
    uim_check_silent(sim_door(rig->m), false);
    uim_check_caches_drop(sim_door(rig->m));
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_true(mode(rig, 0).quarantined);
    rig_is(uiommu_device_rearm(device(rig, 0)), UIOMMU_NODEV);
    uiommu_domain_put(d);
}

static bool hurried(struct rig *rig, const char **why)
{
    hurry(rig);
    return with_budget(rig, why);
}

/* ---- others of its group, and of its id ------------------------------------------------ */

static bool with_a_group(struct rig *rig, const char **why)
{
    return with_budget(rig, why) && with_no_acs(rig, why);
}

static void others_of_its_group_go_on(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    storm(rig, 0);
    assert_true(rig_reaches(rig, 1, BASE, page));
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    set(rig, 1, uiommu_blocked(rig->u));
    set(rig, 1, d);
    assert_true(rig_reaches(rig, 1, BASE, page));
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    rearm(rig, 0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static bool with_a_bridge(struct rig *rig, const char **why)
{
    return with_budget(rig, why) && with_bridge(rig, why);
}

/* Either of them arms the id that both have; the unit cannot tell who it was. */
static void who_shares_its_id_does_not(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_OLD0, BASE, page);

    assert_true(rig_reaches(rig, ENGINE_OLD1, BASE, page));
    for (unsigned i = 0; i < BUDGET + 1; i++)
        fault_with(rig, ENGINE_OLD0, UIOMMU_NO_PASID);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
    assert_unheard(rig, ENGINE_OLD0, UIOMMU_NO_PASID);
    assert_unheard(rig, ENGINE_OLD1, UIOMMU_NO_PASID);
    assert_heard(rig, ENGINE_BESIDE, UIOMMU_NO_PASID);
    rearm(rig, ENGINE_OLD1);
    assert_true(rig_reaches(rig, ENGINE_OLD0, BASE, page));
    assert_true(rig_reaches(rig, ENGINE_OLD1, BASE, page));
    rig_drop(rig, ENGINE_OLD0, d);
}

/* ---- PASIDs ---------------------------------------------------------------------------- */

static bool sends(struct rig *rig, unsigned n, uint32_t pasid, uint64_t iova)
{
    uint64_t value = 0;

    return rig_dma(rig, n, pasid, true, iova, &value);
}

static void its_pasids_are_shut_off_with_it(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *one = pasid(rig, 0), *two = pasid(rig, 0);

    see(one, d);
    see(two, d);
    for (unsigned own = 0; own < 2; own++) {
        set(rig, 0, own ? d : uiommu_blocked(rig->u));
        storm_with(rig, 0, own ? UIOMMU_NO_PASID : 1);
        for (uint32_t n = 0; n < 3; n++)
            assert_false(sends(rig, 0, n, BASE));
        assert_unheard(rig, 0, UIOMMU_NO_PASID);
        assert_unheard(rig, 0, 1);
        assert_unheard(rig, 0, 2);
        rearm(rig, 0);
        assert_int_equal(sends(rig, 0, 0, BASE), own);
        assert_true(sends(rig, 0, 1, BASE));
        assert_true(sends(rig, 0, 2, BASE));
        rig_poll(rig);
        assert_heard(rig, 0, 2);
    }
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    rig_drop(rig, 0, d);
}

static void pasids_come_and_go_meanwhile(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct uiommu_endpoint *gone, *come, *moved;

    for (unsigned own = 0; own < 3; own++) {
        gone = pasid(rig, 0);
        moved = pasid(rig, 0);
        see(gone, d);
        set(rig, 0,
            own == 0   ? d
            : own == 1 ? uiommu_identity(rig->u)
                       : uiommu_blocked(rig->u));
        storm_of(rig, 0);
        rig_ok(uiommu_pasid_destroy(gone, true));
        come = pasid_number(rig, 0, 7);
        see(come, d);
        see(moved, d);
        for (uint32_t n = 0; n < 8; n++)
            assert_false(sends(rig, 0, n, BASE));
        assert_unheard(rig, 0, 7);
        rearm(rig, 0);
        assert_false(sends(rig, 0, 1, BASE));
        assert_true(sends(rig, 0, 2, BASE));
        assert_true(sends(rig, 0, 7, BASE));
        assert_int_equal(lands(rig, 0, own == 1 ? page : BASE, UIOMMU_WRITE),
                         own < 2 ? page : NOWHERE);
        rig_poll(rig);
        rig_ok(uiommu_pasid_destroy(come, true));
        rig_ok(uiommu_pasid_destroy(moved, true));
    }
    rig_drop(rig, 0, d);
}

/* What entries lead to stays, and nothing is in it. */
static void who_had_pasids_is_heard_again(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, d);
    rig_ok(uiommu_pasid_destroy(ep, true));
    storm(rig, 0);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_heard(rig, 0, UIOMMU_NO_PASID);
    uiommu_domain_put(d);
}

/* Of a device that never saw anything. */
static void a_pasid_is_the_first_thing_it_sees(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *ep;

    storm(rig, 0);
    ep = pasid(rig, 0);
    see(ep, d);
    assert_unheard(rig, 0, 1);
    rearm(rig, 0);
    assert_true(sends(rig, 0, 1, BASE));
    assert_heard(rig, 0, UIOMMU_NO_PASID);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* The first that the device has. */
static void the_first_pasid_comes_meanwhile(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct uiommu_endpoint *ep;

    set(rig, 0, d);
    storm_of(rig, 0);
    ep = pasid(rig, 0);
    see(ep, d);
    assert_unheard(rig, 0, 1);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_true(sends(rig, 0, 1, BASE));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_drop(rig, 0, d);
}

/* ---- store by store --------------------------------------------------------------------- */

static void watched(struct rig *rig, struct lookout *l, uint64_t at,
                    uint64_t from, uint64_t to, uint64_t beside)
{
    l->n = 0;
    watch_dma(l, rig, 0, at, from, to);
    watch_for(l, 0, at + RIG_PAGE, NOWHERE, NOWHERE);
    watch_dma(l, rig, 1, at, beside, beside);
}

static void nothing_is_opened_that_is_not_to_be(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    struct sights s;

    sights_open(rig, &s);
    set(rig, 1, s.domain[PAGING_B]);
    for (unsigned from = PAGING_A; from < SIGHTS; from++) {
        for (unsigned to = PAGING_A; to < SIGHTS; to++) {
            set(rig, 0, s.domain[from]);
            watched(rig, &l, s.at, s.phys[from], NOWHERE, s.phys[PAGING_B]);
            begin(rig, &l);
            storm_of(rig, 0);
            end(rig, &l);
            watched(rig, &l, s.at, NOWHERE, NOWHERE, s.phys[PAGING_B]);
            begin(rig, &l);
            set(rig, 0, s.domain[to]);
            end(rig, &l);
            watched(rig, &l, s.at, NOWHERE, s.phys[to], s.phys[PAGING_B]);
            begin(rig, &l);
            rearm(rig, 0);
            end(rig, &l);
        }
    }
    sights_close(rig, &s);
}

static void nor_with_pasids(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, a, a), *e = mapped(rig, a, b);
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, e);
    set(rig, 0, d);
    watch_dma(&l, rig, 0, a, a, NOWHERE);
    watch_pasid(&l, rig, 0, 1, a, b, NOWHERE);
    begin(rig, &l);
    storm_of(rig, 0);
    end(rig, &l);
    l.n = 0;
    watch_dma(&l, rig, 0, a, NOWHERE, NOWHERE);
    watch_pasid(&l, rig, 0, 1, a, NOWHERE, NOWHERE);
    begin(rig, &l);
    see(ep, d);
    set(rig, 0, e);
    end(rig, &l);
    l.n = 0;
    watch_dma(&l, rig, 0, a, NOWHERE, b);
    watch_pasid(&l, rig, 0, 1, a, NOWHERE, a);
    begin(rig, &l);
    rearm(rig, 0);
    end(rig, &l);
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

/* ---- beside a call, at each of its steps -------------------------------------------------- */

/* Locks that are held; then nobody else gets in. */
static struct {
    struct rig *rig;
    void (*lock)(void *ctx, void *spin);
    void (*unlock)(void *ctx, void *spin);
    unsigned held, steps, at;
    bool watched, inside;
} beside;

static void storm_here(void *ctx)
{
    (void)ctx;
    if (beside.inside || beside.held > 0 || ++beside.steps != beside.at)
        return;
    beside.inside = true;
    told(beside.rig, 0, UIOMMU_NO_PASID, BUDGET + 1);
    beside.inside = false;
}

static void count_lock(void *ctx, void *spin)
{
    beside.held++;
    beside.lock(ctx, spin);
}

static void count_unlock(void *ctx, void *spin)
{
    beside.unlock(ctx, spin);
    beside.held--;
    if (beside.watched)
        storm_here(NULL);
}

/* The nth step from here on. */
static void watch_from_here(struct rig *rig, unsigned n)
{
    beside.steps = 0;
    beside.at = n;
    beside.watched = true;
    rig_watch(rig, storm_here, NULL);
}

/* False: there were fewer. */
static bool watch_until_here(struct rig *rig)
{
    rig_watch(rig, NULL, NULL);
    beside.watched = false;
    return beside.steps >= beside.at;
}

static void up_with_locks_counted(struct rig *rig)
{
    memset(&beside, 0, sizeof(beside));
    beside.rig = rig;
    beside.lock = rig->m->host.spin_lock;
    beside.unlock = rig->m->host.spin_unlock;
    rig->m->host.spin_lock = count_lock;
    rig->m->host.spin_unlock = count_unlock;
    up(rig);
}

static bool is_muted(struct rig *rig)
{
    return atomic_load(&rig_endpoint(rig, 0)->muted);
}

/* Engine 0 moves, and is shut off at the nth step of that. False: there are fewer. */
static bool shut_off_at(struct rig *rig, const struct sights *s, unsigned from,
                        unsigned to, unsigned n)
{
    set(rig, 0, s->domain[from]);
    sim_advance(rig->m, SECOND_NS);
    watch_from_here(rig, n);
    set(rig, 0, s->domain[to]);
    if (!watch_until_here(rig))
        return false;
    assert_true(is_muted(rig));
    assert_int_equal(lands(rig, 0, s->at, UIOMMU_WRITE), NOWHERE);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_int_equal(lands(rig, 0, s->at, UIOMMU_WRITE), s->phys[to]);
    return true;
}

static void it_comes_at_any_step_of_a_move(struct rig *rig)
{
    struct sights s;
    unsigned n, most = 0;

    up_with_locks_counted(rig);
    sights_open(rig, &s);
    for (unsigned from = 0; from < SIGHTS; from++) {
        for (unsigned to = 0; to < SIGHTS; to++) {
            for (n = 1; from != to && shut_off_at(rig, &s, from, to, n); n++)
                most = n > most ? n : most;
        }
    }
    assert_true(most > 1);
    sights_close(rig, &s);
}

/* And of the move back: it is off again, and that was told, or it was off still. */
static bool again_at(struct rig *rig, const struct sights *s, unsigned n,
                     unsigned *off)
{
    bool muted, there;

    set(rig, 0, s->domain[PAGING_A]);
    storm_of(rig, 0);
    sim_advance(rig->m, SECOND_NS);
    rig->faults = 0;
    watch_from_here(rig, n);
    rig_ok(uiommu_device_rearm(device(rig, 0)));
    there = watch_until_here(rig);
    muted = is_muted(rig);
    assert_int_equal(rig->faults, muted ? BUDGET + 1 : 0);
    assert_int_equal(lands(rig, 0, s->at, UIOMMU_WRITE),
                     muted ? NOWHERE : s->phys[PAGING_A]);
    if (muted) {
        assert_unheard(rig, 0, UIOMMU_NO_PASID);
        rearm(rig, 0);
    }
    *off += muted;
    return there;
}

static void it_comes_again_while_it_is_armed(struct rig *rig)
{
    struct sights s;
    unsigned n = 1, off = 0;

    up_with_locks_counted(rig);
    sights_open(rig, &s);
    while (again_at(rig, &s, n, &off))
        n++;
    assert_true(off > 1);
    sights_close(rig, &s);
}

static bool pasid_at(struct rig *rig, struct uiommu_endpoint *ep,
                     struct uiommu_domain *from, struct uiommu_domain *to,
                     unsigned n)
{
    see(ep, from);
    sim_advance(rig->m, SECOND_NS);
    watch_from_here(rig, n);
    see(ep, to);
    if (!watch_until_here(rig))
        return false;
    assert_true(is_muted(rig));
    assert_false(sends(rig, 0, 1, BASE));
    assert_unheard(rig, 0, 1);
    assert_unheard(rig, 0, UIOMMU_NO_PASID);
    rearm(rig, 0);
    assert_int_equal(sends(rig, 0, 1, BASE), to != uiommu_blocked(rig->u));
    rig_poll(rig);
    return true;
}

static void it_comes_at_any_step_of_a_pasid(struct rig *rig)
{
    struct uiommu_domain *d;
    struct uiommu_endpoint *ep;
    unsigned n;

    up_with_locks_counted(rig);
    d = mapped(rig, BASE, rig_pages(rig, 0));
    ep = pasid(rig, 0);
    for (n = 1; pasid_at(rig, ep, uiommu_blocked(rig->u), d, n);)
        n++;
    assert_true(n > 1);
    for (n = 1; pasid_at(rig, ep, d, uiommu_blocked(rig->u), n);)
        n++;
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

#define BESIDE(fn, prep)                                                       \
    {                                                                          \
        .name = #fn, .run = fn, .prepare = prep, .cold = true,                 \
        .once = "another call begins inside"                                   \
    }

static const struct rig_test tests[] = {
    RIG_TEST_ON(one_too_many_shuts_it_off, with_budget),
    RIG_TEST_ON(one_too_many_shuts_it_off, with_budget_and_ats),
    RIG_TEST(no_budget_is_no_limit),
    RIG_TEST_ON(each_second_has_its_own, with_budget),
    RIG_TEST_ON(each_device_has_its_own, with_budget),
    RIG_TEST_ON(who_never_saw_anything_is_shut_off_too, with_budget),
    RIG_COLD_ON(who_was_not_added_is_not, with_budget),
    RIG_COLD_ON(who_was_not_added_is_not, with_a_region),
    RIG_TEST_ON(what_was_not_shut_off_is_armed, with_budget),
    RIG_TEST_ON(what_was_on_its_way_is_dropped, with_budget),
    RIG_TEST_ON(no_owner_hides_it, with_budget),
    RIG_TEST_ON(the_log_has_it_if_nobody_takes_it, unheard),
    RIG_TEST_ON(the_log_has_it_if_nobody_takes_it, unheard_of_many),
    RIG_TEST_ON(it_is_seen_in_mode_and_audit, with_budget),
    RIG_TEST_ON(it_moves_behind_its_back, with_budget),
    RIG_TEST_ON(it_moves_behind_its_back, with_budget_and_ats),
    RIG_TEST_ON(it_moves_behind_its_back, with_all),
    RIG_TEST_ON(memory_comes_and_goes, with_budget_and_ats),
    RIG_TEST_ON(an_owner_comes_and_goes, with_budget),
    RIG_TEST_ON(a_reset_goes_on_beside, with_budget_and_ats),
    RIG_TEST_ON(a_sleep_does_not_end_it, with_budget),
    RIG_TEST_ON(to_remove_it_ends_it, with_budget),
    RIG_TEST_ON(a_quarantine_outlives_it, with_budget),
    RIG_TEST_ON(who_is_not_known_to_be_off_is_quarantined, hurried),
    RIG_TEST_ON(others_of_its_group_go_on, with_a_group),
    RIG_TEST_ON(who_shares_its_id_does_not, with_a_bridge),
    RIG_TEST_ON(its_pasids_are_shut_off_with_it, with_budget_and_pasids),
    RIG_TEST_ON(its_pasids_are_shut_off_with_it, with_all),
    RIG_TEST_ON(pasids_come_and_go_meanwhile, with_budget_and_pasids),
    RIG_TEST_ON(pasids_come_and_go_meanwhile, with_all),
    RIG_TEST_ON(the_first_pasid_comes_meanwhile, with_budget_and_pasids),
    RIG_TEST_ON(who_had_pasids_is_heard_again, with_budget_and_pasids),
    RIG_TEST_ON(a_pasid_is_the_first_thing_it_sees, with_budget_and_pasids),
    RIG_TEST_ON(nothing_is_opened_that_is_not_to_be, with_budget),
    RIG_TEST_ON(nothing_is_opened_that_is_not_to_be, with_budget_and_ats),
    RIG_TEST_ON(nor_with_pasids, with_budget_and_pasids),
    RIG_TEST_ON(nor_with_pasids, with_all),
    BESIDE(it_comes_at_any_step_of_a_move, with_budget),
    BESIDE(it_comes_again_while_it_is_armed, with_budget),
    BESIDE(it_comes_at_any_step_of_a_pasid, with_budget_and_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("storms of faults", tests);
}
