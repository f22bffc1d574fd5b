/* SPDX-License-Identifier: MIT */
/*
 * group_life_test.c - groups in use: somebody joins them or leaves, one of their devices
 * fails, they have regions or an owner (semantics B.3, B.4, B.5, B.9, D-62, D-63, D-70).
 */
#include "tests/core/groups.h"

#include "pci/pci.h"
#include "tests/core/lookout.h"

#include "core/core.h"

static const char owner_cookie, other_cookie;
#define OWNER (&owner_cookie)
#define OTHER (&other_cookie)

#define START MIB(32)
#define SIZE  (2 * (uint64_t)RIG_PAGE)

#define COUNTED "it counts what the driver is asked, each time it is"

/* Two domains that show one page each at BASE. */
struct pair {
    struct uiommu_domain *a, *b;
    uint64_t at_a, at_b;
};

static void pair_open(struct rig *rig, struct pair *p)
{
    p->at_a = rig_pages(rig, 0);
    p->at_b = rig_pages(rig, 0);
    p->a = rig_domain(rig, 0);
    p->b = rig_domain(rig, 0);
    map_page(p->a, BASE, p->at_a);
    map_page(p->b, BASE, p->at_b);
}

static void pair_close(struct pair *p)
{
    uiommu_domain_put(p->a);
    uiommu_domain_put(p->b);
}

static enum uiommu_status try_set(struct rig *rig, unsigned n,
                                  struct uiommu_domain *d)
{
    return uiommu_set_domain(rig_endpoint(rig, n), d, NULL);
}

/* ---- the kth fails ------------------------------------------------------------ */

enum { MEMBERS = 8 }; /* of the switch: each has one id */

static void assert_all_see_a(struct rig *rig, const struct pair *p,
                             const struct uiommu_endpoint *but)
{
    for (unsigned dev = SW_PORT; dev <= SW_C; dev++)
        if (endpoint_of(rig, dev) != but)
            assert_ptr_equal(sees(rig, dev), p->a);
    for (unsigned n = 0; n < 3; n++)
        if (rig_endpoint(rig, n) != but)
            assert_true(rig_reaches(rig, n, BASE, p->at_a));
        else
            assert_true(rig_refused(rig, n, BASE));
}

/* All tables of the unit are there. */
static void warm(struct rig *rig, struct pair *p)
{
    pair_open(rig, p);
    set(rig, 0, p->b);
    set(rig, 0, p->a);
}

static void soft_failures(struct rig *rig, enum uiommu_status status)
{
    struct pair p;

    warm(rig, &p);
    for (unsigned k = 1; k <= MEMBERS; k++) {
        struct rig_state before = rig_state(rig);

        sabotage_begin(rig, k, 0, status, p.b);
        rig_is(try_set(rig, k % 3, p.b), status);
        assert_int_equal(sabotage.failed, 1);
        assert_int_equal(sabotage.calls, k);
        sabotage_end(rig);
        assert_all_see_a(rig, &p, NULL);
        rig_assert_same(rig, &before);
    }
    sabotage_begin(rig, 0, 0, status, p.b);
    set(rig, 0, p.b);
    assert_int_equal(sabotage.calls, MEMBERS);
    sabotage_end(rig);
    set(rig, 0, uiommu_blocked(rig->u));
    pair_close(&p);
}

static void whoever_lacks_memory_leaves_all_where_they_were(struct rig *rig)
{
    soft_failures(rig, UIOMMU_NOMEM);
    soft_failures(rig, UIOMMU_NOSPC);
}

static unsigned dev_of(struct rig *rig, const struct uiommu_endpoint *ep)
{
    unsigned dev = 0;

    while (endpoint_of(rig, dev) != ep)
        dev++;
    return dev;
}

/* A quarantine ends when the device is removed; the rest of the group goes on. */
static void assert_one_is_out(struct rig *rig, const struct pair *p,
                              struct uiommu_endpoint *victim)
{
    unsigned dev = dev_of(rig, victim);

    assert_true(atomic_load(&victim->quarantined));
    assert_ptr_equal(sees(rig, dev), uiommu_blocked(rig->u));
    assert_all_see_a(rig, p, victim);
    rig_is(try_set(rig, 0, p->b), UIOMMU_NODEV);
    assert_all_see_a(rig, p, victim);
    set(rig, 0, uiommu_blocked(rig->u));
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    rig_is(try_set(rig, 0, p->a), UIOMMU_NODEV);
}

static void remove_all(struct rig *rig)
{
    for (unsigned dev = rig->m->n_devices; dev-- > 0;)
        remove_device(rig, dev);
}

static void hard_failure(struct rig *rig, const struct pair *p, unsigned k,
                         unsigned again, enum uiommu_status status)
{
    struct uiommu_endpoint *victim;

    set(rig, 0, p->a);
    sabotage_begin(rig, k, again, status, again ? NULL : p->b);
    rig_is(try_set(rig, 0, p->b), status);
    sabotage_end(rig);
    victim = sabotage.victim[0];
    assert_int_equal(sabotage.failed, again ? 2 : 1);
    if (again)
        assert_ptr_equal(sabotage.victim[1], victim);
    assert_one_is_out(rig, p, victim);
    remove_all(rig);
    add_devices(rig, SW_PORT, SW_C);
    set(rig, 0, p->a);
    assert_all_see_a(rig, p, NULL);
    set(rig, 0, uiommu_blocked(rig->u));
}

static void whoever_does_not_answer_is_out_and_the_others_stay(struct rig *rig)
{
    struct pair p;

    warm(rig, &p);
    for (unsigned k = 1; k <= MEMBERS; k++)
        hard_failure(rig, &p, k, 0, UIOMMU_TIMEDOUT);
    pair_close(&p);
}

/* D-63: the one that failed is put back too; and blocked if that fails. */
static void whoever_cannot_get_back_is_out(struct rig *rig)
{
    struct pair p;

    warm(rig, &p);
    for (unsigned k = 1; k <= MEMBERS; k++)
        hard_failure(rig, &p, k, 1, UIOMMU_NOMEM);
    pair_close(&p);
}

/* And one that had succeeded before it, while it is put back. */
static void a_member_that_fails_on_the_way_back_is_out(struct rig *rig)
{
    struct pair p;

    warm(rig, &p);
    sabotage_begin(rig, 4, 2, UIOMMU_NOMEM, NULL);
    rig_is(try_set(rig, 0, p.b), UIOMMU_NOMEM);
    sabotage_end(rig);
    assert_int_equal(sabotage.failed, 2);
    assert_ptr_not_equal(sabotage.victim[0], sabotage.victim[1]);
    assert_false(atomic_load(&sabotage.victim[0]->quarantined));
    assert_one_is_out(rig, &p, sabotage.victim[1]);
    pair_close(&p);
}

static void blocking_a_group_does_not_stop_at_one_that_fails(struct rig *rig)
{
    struct uiommu_domain *blocked = uiommu_blocked(rig->u);
    struct pair p;

    warm(rig, &p);
    set(rig, 0, blocked);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 1), p.a, OWNER));
    sabotage_begin(rig, 3, 0, UIOMMU_TIMEDOUT, blocked);
    rig_is(uiommu_release(rig_endpoint(rig, 2), OWNER), UIOMMU_TIMEDOUT);
    sabotage_end(rig);
    rig_is(uiommu_release(rig_endpoint(rig, 0), OWNER), UIOMMU_PERM);
    set(rig, 0, blocked);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    pair_close(&p);
}

static void a_device_tlb_that_does_not_answer_is_out(struct rig *rig)
{
    struct pair p;

    pair_open(rig, &p);
    set(rig, 0, p.a);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, BASE, p.at_a));
    assert_true(sim_devtlb_entries(rig->m, SW_B) > 0);
    sim_devtlb(rig->m, SW_B, SIM_DEVTLB_FAILS);
    rig_is(try_set(rig, 0, p.b), UIOMMU_TIMEDOUT);
    sim_devtlb(rig->m, SW_B, SIM_DEVTLB_ANSWERS);
    assert_one_is_out(rig, &p, endpoint_of(rig, SW_B));
    pair_close(&p);
}

/* ---- step by step -------------------------------------------------------------- */

static void watch_group(struct rig *rig, struct lookout *l, unsigned n,
                        uint64_t old, uint64_t next)
{
    for (unsigned i = 0; i < n; i++)
        watch_dma(l, rig, i, BASE, old, next);
}

static void move_watched(struct rig *rig, unsigned n)
{
    struct lookout l = { .n = 0 };
    struct pair p;

    warm(rig, &p);
    watch_group(rig, &l, n, p.at_a, p.at_b);
    begin(rig, &l);
    set(rig, 0, p.b);
    assert_true(saw(&l, 2 * n));
    end(rig, &l);
    l.n = 0;
    watch_group(rig, &l, n, p.at_b, NOWHERE);
    begin(rig, &l);
    set(rig, 0, uiommu_blocked(rig->u));
    end(rig, &l);
    l.n = 0;
    watch_group(rig, &l, n, NOWHERE, p.at_a);
    begin(rig, &l);
    set(rig, 0, p.a);
    end(rig, &l);
    rig_ok(uiommu_unmap(p.a, BASE, RIG_PAGE, NULL));
    for (unsigned i = 0; i < n; i++)
        assert_true(rig_refused(rig, i, BASE));
    set(rig, 0, uiommu_blocked(rig->u));
    pair_close(&p);
}

static void each_member_sees_the_old_the_new_or_nothing(struct rig *rig)
{
    move_watched(rig, 3);
}

static void each_member_with_a_tlb_does_too(struct rig *rig)
{
    move_watched(rig, 3);
}

static void what_is_behind_a_bridge_does_too(struct rig *rig)
{
    move_watched(rig, 2);
}

static void a_group_that_goes_back_shows_nothing_else(struct rig *rig)
{
    struct pair p;

    warm(rig, &p);
    for (unsigned k = 1; k <= MEMBERS; k++) {
        struct lookout l = { .n = 0 };

        watch_group(rig, &l, 3, p.at_b, p.at_a);
        begin(rig, &l);
        sabotage_begin(rig, k, 0, UIOMMU_NOMEM, p.b);
        rig_is(try_set(rig, 0, p.b), UIOMMU_NOMEM);
        sabotage_end(rig);
        end(rig, &l);
    }
    set(rig, 0, uiommu_blocked(rig->u));
    pair_close(&p);
}

static void whoever_joins_is_blocked_until_it_sees_the_same(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    struct pair p;

    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_B);
    pair_open(rig, &p);
    set(rig, 0, p.a);
    watch_dma(&l, rig, 0, BASE, p.at_a, p.at_a);
    watch_dma(&l, rig, 1, BASE, p.at_a, p.at_a);
    watch_dma(&l, rig, 2, BASE, NOWHERE, p.at_a);
    begin(rig, &l);
    rig_ok(rig_add(rig, SW_C));
    end(rig, &l);
    l.n = 0;
    watch_dma(&l, rig, 0, BASE, p.at_a, p.at_a);
    watch_dma(&l, rig, 1, BASE, p.at_a, p.at_a);
    watch_dma(&l, rig, 2, BASE, p.at_a, NOWHERE);
    begin(rig, &l);
    remove_device(rig, SW_C);
    end(rig, &l);
    set(rig, 0, uiommu_blocked(rig->u));
    pair_close(&p);
}

/* ---- whoever comes and goes -------------------------------------------------------- */

static void whoever_joins_a_claimed_group_obeys_its_owner(struct rig *rig)
{
    struct pair p;

    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_B);
    pair_open(rig, &p);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), p.a, OWNER));
    rig_ok(rig_add(rig, SW_C));
    assert_true(rig_reaches(rig, 2, BASE, p.at_a));
    rig_is(try_set(rig, 2, p.b), UIOMMU_PERM);
    rig_is(uiommu_device_remove(rig->device[SW_C]), UIOMMU_BUSY);
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 2), p.b, OWNER));
    assert_true(rig_reaches(rig, 0, BASE, p.at_b));
    rig_ok(uiommu_release(rig_endpoint(rig, 2), OWNER));
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    pair_close(&p);
}

/* White: what messages of the newcomer reach is as much the owner's. */
static void whoever_can_forge_interrupts_joins_no_owner(struct rig *rig)
{
    struct rig_state before;
    struct uim_unit *unit;
    bool are_dma;

    up_to_start(rig);
    unit = rig->u->unit[0];
    add_devices(rig, SW_PORT, SW_B);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    rig->u->config.flags &= ~(uint32_t)UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    are_dma = unit->messages_are_dma;
    unit->messages_are_dma = false;
    before = rig_state(rig);
    rig_is(rig_add(rig, SW_C), unit->remap ? UIOMMU_OK : UIOMMU_BUSY);
    if (!unit->remap) {
        rig_assert_same(rig, &before);
        assert_says(sim_last_log(rig->m), "cannot share domain and owner");
    }
    unit->messages_are_dma = are_dma;
    rig_ok(uiommu_release(rig_endpoint(rig, 0), OWNER));
}

static void claims_are_of_the_whole_group(struct rig *rig)
{
    struct uiommu_endpoint *x = rig_endpoint(rig, 0), *y = rig_endpoint(rig, 1);
    struct pair p;

    pair_open(rig, &p);
    set(rig, 0, p.a);
    rig_is(uiommu_claim(y, OWNER), UIOMMU_BUSY);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(x, OWNER));
    rig_is(uiommu_claim(y, OTHER), UIOMMU_PERM);
    rig_ok(uiommu_claim(y, OWNER));
    rig_is(try_set(rig, 1, p.a), UIOMMU_PERM);
    rig_ok(uiommu_set_domain(y, p.a, OWNER));
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    assert_ptr_equal(uiommu_core_domain(y), uiommu_blocked(rig->u));
    rig_ok(uiommu_release(x, OWNER));
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    rig_ok(uiommu_release(x, OWNER));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, BASE));
    pair_close(&p);
}

/* ---- a device between two groups ------------------------------------------------------ */

static void both_in_use(struct rig *rig, struct pair *p)
{
    make_phantom(rig, F1);
    up_to_start(rig);
    rig_ok(rig_add(rig, F0));
    rig_ok(rig_add(rig, F2));
    pair_open(rig, p);
    set(rig, 0, p->a);
    set(rig, 2, p->b);
}

static void assert_f1_is_refused(struct rig *rig)
{
    struct rig_state before = rig_state(rig);

    rig_is(rig_add(rig, F1), UIOMMU_BUSY);
    assert_null(rig->device[F1]);
    rig_assert_same(rig, &before);
    assert_says(sim_last_log(rig->m),
                "0000:00:03.1 stays blocked: it would join groups that are in "
                "use, one of them that of 0000:00:03.");
    assert_groups(rig, "0-2-");
    assert_true(rig_refused(rig, 1, BASE));
}

static void a_device_between_two_groups_in_use_is_refused(struct rig *rig)
{
    struct pair p;

    both_in_use(rig, &p);
    assert_f1_is_refused(rig);
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    assert_true(rig_reaches(rig, 2, BASE, p.at_b));
    set(rig, 2, uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(rig_endpoint(rig, 2), OWNER)); /* that is use too */
    assert_f1_is_refused(rig);
    rig_ok(uiommu_release(rig_endpoint(rig, 2), OWNER));
    rig_ok(rig_add(rig, F1)); /* one is in use: all see that */
    assert_groups(rig, "000-");
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, BASE, p.at_a));
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_a));
    set(rig, 1, uiommu_blocked(rig->u));
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    pair_close(&p);
}

static void the_one_in_use_may_be_the_last(struct rig *rig)
{
    struct pair p;

    both_in_use(rig, &p);
    set(rig, 0, uiommu_blocked(rig->u));
    rig_ok(rig_add(rig, F1));
    assert_groups(rig, "000-");
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, BASE, p.at_b));
    set(rig, 1, uiommu_blocked(rig->u));
    pair_close(&p);
}

/* What was together stays so, whoever it was that joined it. */
static void whoever_goes_takes_nothing_from_the_others(struct rig *rig)
{
    struct pair p;

    both_in_use(rig, &p);
    set(rig, 2, uiommu_blocked(rig->u));
    rig_ok(rig_add(rig, F1));
    remove_device(rig, F1);
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    assert_true(rig_reaches(rig, 2, BASE, p.at_a));
    assert_true(rig_refused(rig, 1, BASE));
    rig_ok(rig_add(rig, F1));
    remove_device(rig, F0); /* whose id f1 has */
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_a));
    assert_true(rig_reaches(rig, 1, BASE, p.at_a));
    rig_poll(rig);
    rig->faults = 0;
    assert_true(refused_as(rig, 1, rid_of(rig, F0), BASE + RIG_PAGE));
    rig_poll(rig);
    assert_ptr_equal(rig->fault.device, rig->device[F1]);
    set(rig, 1, p.b);
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_b));
    set(rig, 1, uiommu_blocked(rig->u));
    remove_device(rig, F1);
    assert_true(refused_as(rig, 1, rid_of(rig, F0), BASE));
    pair_close(&p);
}

static bool with_go_between_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_go_between(rig, why);
}

static bool f0_asks(struct rig *rig)
{
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(&rig->m->host, rig->m->devices[F0].pci, &ats));
    return ats.enabled;
}

/* Nobody could tell whose translations they were. */
static void an_id_that_two_have_is_cached_by_none(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    make_phantom(rig, F1);
    up_to_start(rig);
    rig_ok(rig_add(rig, F0));
    d = attached_with(rig, 0, BASE, page);
    assert_true(f0_asks(rig));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(rig_add(rig, F1));
    assert_false(f0_asks(rig));
    assert_int_equal(sim_devtlb_entries(rig->m, F0), 0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    set(rig, 0, uiommu_blocked(rig->u));
    set(rig, 1, d);
    assert_false(f0_asks(rig));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* Nobody empties the TLB of a device that was removed, whoever has its id; nor does it
 * fill once two have it. */
static void a_tlb_goes_with_its_device(struct rig *rig)
{
    uint64_t value = 0;
    struct pair p;

    both_in_use(rig, &p);
    set(rig, 2, uiommu_blocked(rig->u));
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    assert_true(sim_devtlb_entries(rig->m, F0) > 0);
    rig_ok(rig_add(rig, F1));
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    assert_int_equal(sim_devtlb_entries(rig->m, F0), 0);
    remove_device(rig, F0);
    assert_int_equal(sim_devtlb_entries(rig->m, F0), 0);
    assert_int_equal(atomic_load(&p.a->n_ats), 0);
    rig_ok(uiommu_unmap(p.a, BASE, RIG_PAGE, NULL));
    assert_false(rig_read(rig, 0, BASE, &value));
    assert_true(refused_as(rig, 1, rid_of(rig, F0), BASE));
    set(rig, 1, p.b);
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_b));
    assert_int_equal(sim_devtlb_entries(rig->m, F0), 0);
    set(rig, 1, uiommu_blocked(rig->u));
    pair_close(&p);
}

/* It is pulled out: its id is not gone with it. */
static void a_device_that_is_gone_does_not_quarantine_others(struct rig *rig)
{
    struct pair p;

    both_in_use(rig, &p);
    set(rig, 2, uiommu_blocked(rig->u));
    rig_ok(rig_add(rig, F1));
    sim_unplug(rig->m, F0);
    remove_device(rig, F0);
    set(rig, 1, p.b);
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_b));
    set(rig, 1, uiommu_blocked(rig->u));
    pair_close(&p);
}

/* D-68: an id stays closed while one that has it is reset, whoever else goes; and no longer
 * than that. */
static void an_id_is_held_by_whom_is_reset(struct rig *rig, unsigned who)
{
    struct pair p;

    both_in_use(rig, &p);
    set(rig, 2, uiommu_blocked(rig->u));
    rig_ok(rig_add(rig, F1));
    assert_true(rig_reaches(rig, 0, BASE, p.at_a));
    rig_ok(uiommu_device_reset_begin(rig->device[who]));
    assert_true(refused_as(rig, 1, rid_of(rig, F0), BASE));
    remove_device(rig, F0);
    if (who == F1) {
        assert_true(refused_as(rig, 1, rid_of(rig, F0), BASE));
        rig_ok(uiommu_device_reset_end(rig->device[F1], true));
    }
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, p.at_a));
    set(rig, 1, uiommu_blocked(rig->u));
    pair_close(&p);
}

static void a_reset_goes_on_when_a_sibling_goes(struct rig *rig)
{
    an_id_is_held_by_whom_is_reset(rig, F1);
}

static void a_reset_ends_with_its_device(struct rig *rig)
{
    an_id_is_held_by_whom_is_reset(rig, F0);
}

static void the_id_of_a_bridge_stays_as_long_as_somebody_has_it(struct rig *rig)
{
    uint16_t made = (uint16_t)(rig->m->devices[OLD0].pci.bus << 8);
    struct pair p;

    pair_open(rig, &p);
    set(rig, ENGINE_OLD0, p.a);
    remove_device(rig, OLD0);
    assert_true(rig_reaches(rig, ENGINE_OLD1, BASE, p.at_a));
    assert_true(refused_as(rig, ENGINE_BESIDE, rid_of(rig, OLD0), BASE));
    remove_device(rig, OLD1);
    assert_true(refused_as(rig, ENGINE_BESIDE, made, BASE));
    assert_true(reaches_as(rig, ENGINE_BESIDE, rid_of(rig, BRIDGE), BASE,
                           p.at_a)); /* itself has not left */
    rig_ok(rig_add(rig, OLD1));
    assert_true(rig_reaches(rig, ENGINE_OLD1, BASE, p.at_a));
    set(rig, ENGINE_OLD1, uiommu_blocked(rig->u));
    pair_close(&p);
}

/* A fault of it is counted meanwhile: what does that has the bridge, and so its id. */
static struct {
    struct uiommu_device *bridge;
    const struct uiommu_endpoint *id;
    unsigned waited;
} counted;

static void count_on(void *ctx)
{
    (void)ctx;
    assert_ptr_equal(counted.id->device, counted.bridge);
    if (++counted.waited == 3)
        atomic_store(&counted.bridge->readers, 0);
}

static void
the_id_of_a_bridge_is_there_while_a_fault_is_counted(struct rig *rig)
{
    uint16_t made = (uint16_t)(rig->m->devices[OLD0].pci.bus << 8);
    void (*relax)(void *ctx) = rig->u->host.relax;

    memset(&counted, 0, sizeof(counted));
    counted.bridge = rig->device[BRIDGE];
    counted.id = uim_endpoint_find(counted.bridge->unit, made);
    assert_non_null(counted.id);
    remove_device(rig, OLD0);
    atomic_store(&counted.bridge->readers, 1);
    rig->u->host.relax = count_on;
    remove_device(rig, OLD1);
    rig->u->host.relax = relax;
    assert_int_equal(counted.waited, 3);
}

static const struct rig_test tests[] = {
    { .name = "whoever_lacks_memory_leaves_all_where_they_were",
      .run = whoever_lacks_memory_leaves_all_where_they_were,
      .prepare = with_no_acs,
      .once = COUNTED },
    { .name = "whoever_does_not_answer_is_out_and_the_others_stay",
      .run = whoever_does_not_answer_is_out_and_the_others_stay,
      .prepare = with_no_acs,
      .once = COUNTED },
    { .name = "whoever_cannot_get_back_is_out",
      .run = whoever_cannot_get_back_is_out,
      .prepare = with_no_acs,
      .once = COUNTED },
    { .name = "a_member_that_fails_on_the_way_back_is_out",
      .run = a_member_that_fails_on_the_way_back_is_out,
      .prepare = with_no_acs,
      .once = COUNTED },
    { .name = "blocking_a_group_does_not_stop_at_one_that_fails",
      .run = blocking_a_group_does_not_stop_at_one_that_fails,
      .prepare = with_no_acs,
      .once = COUNTED },
    RIG_TEST_ON(a_device_tlb_that_does_not_answer_is_out, with_no_acs_and_ats),
    RIG_TEST_ON(each_member_sees_the_old_the_new_or_nothing, with_no_acs),
    RIG_TEST_ON(each_member_with_a_tlb_does_too, with_no_acs_and_ats),
    RIG_TEST_ON(what_is_behind_a_bridge_does_too, with_bridge),
    { .name = "a_group_that_goes_back_shows_nothing_else",
      .run = a_group_that_goes_back_shows_nothing_else,
      .prepare = with_no_acs,
      .once = COUNTED },
    RIG_COLD_ON(whoever_joins_is_blocked_until_it_sees_the_same, with_no_acs),
    RIG_COLD_ON(whoever_joins_a_claimed_group_obeys_its_owner, with_no_acs),
    RIG_COLD_ON(whoever_can_forge_interrupts_joins_no_owner, with_no_acs),
    RIG_TEST_ON(claims_are_of_the_whole_group, with_no_acs),
    RIG_COLD_ON(an_id_that_two_have_is_cached_by_none, with_go_between_and_ats),
    RIG_COLD_ON(a_device_between_two_groups_in_use_is_refused, with_go_between),
    RIG_COLD_ON(the_one_in_use_may_be_the_last, with_go_between),
    RIG_COLD_ON(whoever_goes_takes_nothing_from_the_others, with_go_between),
    RIG_COLD_ON(a_tlb_goes_with_its_device, with_go_between_and_ats),
    RIG_COLD_ON(a_reset_goes_on_when_a_sibling_goes, with_go_between_and_ats),
    RIG_COLD_ON(a_reset_ends_with_its_device, with_go_between_and_ats),
    RIG_COLD_ON(a_device_that_is_gone_does_not_quarantine_others,
                with_go_between),
    RIG_COLD_ON(a_device_that_is_gone_does_not_quarantine_others,
                with_go_between_and_ats),
    RIG_TEST_ON(the_id_of_a_bridge_stays_as_long_as_somebody_has_it,
                with_bridge),
    RIG_TEST_ON(the_id_of_a_bridge_is_there_while_a_fault_is_counted,
                with_bridge),
    { 0 },
};

int main(void)
{
    return rig_run("group_life", tests);
}
