/* SPDX-License-Identifier: MIT */
/*
 * mdev_test.c - mediated devices of the kind PASID: registered, used like any other
 * endpoint, ended (semantics C.2 to C.9, S3, S4).
 */
#include "tests/core/mdevs.h"

/* ---- machines ---------------------------------------------------------------------- */

static bool with_owners(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_pasids(rig, why);
}

static bool with_owners_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_owners(rig, why);
}

#define REGION MIB(32)

static bool add_region(struct rig *rig)
{
    static const struct sim_region region[] = { { REGION, RIG_PAGE, 0 } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return true;
}

static bool with_a_region(struct rig *rig, const char **why)
{
    return add_region(rig) && with_owners(rig, why);
}

/* Whoever has the whole device. */
static bool as_a_whole(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return true;
}

static bool with_a_region_that_ends(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_RELAXABLE, why) && as_a_whole(rig, why) &&
           add_region(rig);
}

/* ---- one client for every kind of endpoint (C.7) ------------------------------- */

/* C-SC1, S3.13, S3.15, S4.9 */
static void c_sc1_one_client_has_any_endpoint(struct rig *rig)
{
    struct uiommu_endpoint *space;
    struct part part;

    client(rig, 0, rig_endpoint(rig, 0), true);
    lend(rig, 0, &part);
    client(rig, 0, part.ep, true);
    assert_int_equal(part.installs, 1);
    assert_int_equal(part.clears, 1);
    take_home(&part);
    space = pasid(rig, 0);
    client(rig, 0, space, false);
    rig_ok(uiommu_pasid_destroy(space, true));
}

/* What it rests on is not always blocked: here it maps the region of a USB controller, which
 * firmware lets go when that is claimed. */
static void c_sc1_what_it_rests_on_is_there_again(struct rig *rig)
{
    const uint32_t usb = 0x0c033000;
    struct uiommu_domain_info info;
    struct uiommu_endpoint *ep;
    const int owner = 0;

    sim_config_poke(rig->m, 0, 8, 4, usb);
    up(rig);
    ep = rig_endpoint(rig, 0);
    for (unsigned i = 0; i < 2; i++) {
        uiommu_domain_info(uiommu_core_domain(ep), &info);
        assert_int_equal(info.kind, UIOMMU_DOMAIN_PAGING);
        assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
        assert_true(rig_reaches(rig, 0, REGION, REGION));
        rig_ok(uiommu_claim(ep, &owner));
        assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
        assert_true(rig_refused(rig, 0, REGION));
        rig_ok(uiommu_release(ep, &owner));
        if (i == 0)
            client(rig, 0, ep, true);
    }
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_true(rig_reaches(rig, 0, REGION, REGION));
}

/* Between two drivers of the host, whose default domain is identity, or maps. */
static void c_sc1_the_host_has_it_again(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_dma_config config = { .size = sizeof(config) };
    const uint64_t page = rig_pages(rig, 0);
    const int owner = 0;
    uint64_t iova;

    for (unsigned i = 0; i < 4; i++) {
        config.kind = i % 2 == 0 ? UIOMMU_DMA_IDENTITY : UIOMMU_DMA_TRANSLATED;
        rig_ok(uiommu_dma_start(ep, &config));
        rig_is(uiommu_claim(ep, &owner), UIOMMU_BUSY);
        rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova));
        assert_int_equal(iova == page, i % 2 == 0);
        assert_true(rig_reaches(rig, 0, iova, page));
        rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
        rig_ok(uiommu_dma_stop(ep));
        client(rig, 0, ep, true);
        assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    }
}

/* ---- blocked ---------------------------------------------------------------------------- */

/* C.5: no number, no hardware. */
static void while_it_is_blocked_nothing_is_taken(struct rig *rig)
{
    struct uiommu_group *group = uiommu_endpoint_group(rig_endpoint(rig, 0));
    const struct rig_state before = rig_state(rig);
    struct rig_state after;
    struct part part;
    const int owner = 0;

    lend(rig, 0, &part);
    assert_int_equal(uiommu_endpoint_pasid(part.ep), UIOMMU_NO_PASID);
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), uiommu_blocked(rig->u));
    assert_ptr_equal(uiommu_core_domain(part.ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL));
    rig_ok(uiommu_claim(part.ep, &owner));
    rig_ok(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), &owner));
    rig_ok(uiommu_release(part.ep, &owner));
    assert_true(uim_list_empty(&group->pasids));
    assert_int_equal(part.installs + part.clears, 0);
    after = rig_state(rig);
    assert_int_equal(after.tables, before.tables);
    assert_int_equal(after.ids, before.ids);
    assert_int_equal(after.counts.page_blocks, before.counts.page_blocks);
    take_home(&part);
    rig_assert_same(rig, &before);
}

/* ---- groups (S3.1, S3.4) ------------------------------------------------------------------ */

static void count_devices(void *ctx, struct uiommu_device *device)
{
    unsigned *n = ctx;

    (void)device;
    ++*n;
}

static void each_is_a_group_of_its_own(struct rig *rig)
{
    struct part one, two;
    const int a = 0, b = 0;
    unsigned n = 0;

    lend(rig, 0, &one);
    lend(rig, 0, &two);
    assert_ptr_not_equal(uiommu_endpoint_group(one.ep),
                         uiommu_endpoint_group(two.ep));
    assert_ptr_not_equal(uiommu_endpoint_group(one.ep),
                         uiommu_endpoint_group(rig_endpoint(rig, 0)));
    uiommu_group_devices(uiommu_endpoint_group(one.ep), count_devices, &n);
    assert_int_equal(n, 0);
    rig_ok(uiommu_claim(one.ep, &a));
    rig_ok(uiommu_claim(one.ep, &a));
    rig_is(uiommu_claim(one.ep, &b), UIOMMU_PERM);
    rig_is(uiommu_set_domain(one.ep, uiommu_blocked(rig->u), &b), UIOMMU_PERM);
    rig_is(uiommu_set_domain(one.ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_PERM);
    rig_ok(uiommu_claim(two.ep, &b));
    rig_is(uiommu_mdev_unregister(one.ep), UIOMMU_BUSY);
    rig_is(uiommu_release(one.ep, &b), UIOMMU_PERM);
    rig_ok(uiommu_release(one.ep, &a));
    rig_is(uiommu_mdev_unregister(one.ep), UIOMMU_BUSY);
    rig_ok(uiommu_release(one.ep, &a));
    take_home(&one);
    rig_ok(uiommu_release(two.ep, &b));
    take_home(&two);
}

/* C.5: the parent's group is nobody's while it is lent. */
static void a_parent_is_not_claimed(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part;
    struct uiommu_mdev_config config = part_config(&part, rig, 0);
    const int owner = 0;

    lend(rig, 0, &part);
    rig_is(uiommu_claim(rig_endpoint(rig, 0), &owner), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(parent(rig, 0)), UIOMMU_BUSY);
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), &owner));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), &owner));
    take_home(&part);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &owner));
    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep), UIOMMU_BUSY);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &owner));
    assert_null(ep);
}

/* A claim begins blocked, and ends so, whatever the client left. */
static void a_claim_begins_and_ends_blocked(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part;
    const int owner = 0;

    lend(rig, 0, &part);
    see(part.ep, d);
    rig_is(uiommu_claim(part.ep, &owner), UIOMMU_BUSY);
    see(part.ep, uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(part.ep, &owner));
    rig_ok(uiommu_set_domain(part.ep, d, &owner));
    assert_int_equal(part.pasid, 1);
    rig_ok(uiommu_release(part.ep, &owner));
    assert_int_equal(part.pasid, 0);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), uiommu_blocked(rig->u));
    take_home(&part);
    uiommu_domain_put(d);
}

/* ---- the order of things (C.5) --------------------------------------------------------------- */

/* The mediator learns its number when it is good, and gives it up while it still is. */
static void the_mediator_has_it_between_install_and_clear(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = mapped(rig, BASE, a), *db = mapped(rig, BASE, b);
    struct part part;

    lend(rig, 0, &part);
    see(part.ep, da);
    assert_int_equal(part.installs, 1);
    assert_ptr_equal(part.domain, da);
    assert_true(part.reached);
    assert_int_equal(part.pasid, uiommu_endpoint_pasid(part.ep));
    see(part.ep, da);
    see(part.ep, db); /* S3.24: it keeps its number, and nobody is told */
    assert_int_equal(part.installs, 1);
    assert_int_equal(part.clears, 0);
    assert_true(reaches(rig, 0, part.ep, BASE, b));
    part.reached = false;
    see(part.ep, uiommu_blocked(rig->u));
    assert_int_equal(part.clears, 1);
    assert_ptr_equal(part.domain, db);
    assert_true(part.reached);
    assert_int_equal(uiommu_endpoint_pasid(part.ep), UIOMMU_NO_PASID);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    take_home(&part);
    assert_int_equal(part.clears, 1);
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

static void what_the_mediator_refuses_does_not_happen(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part;

    lend(rig, 0, &part);
    part.refuses = UIOMMU_NOSPC;
    part.refusals = 1;
    rig_is(uiommu_set_domain(part.ep, d, NULL), UIOMMU_NOSPC);
    assert_true(part.reached);
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), uiommu_blocked(rig->u));
    assert_int_equal(uiommu_endpoint_pasid(part.ep), UIOMMU_NO_PASID);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    assert_int_equal(part.clears, 0);
    see(part.ep, d);
    assert_int_equal(part.pasid, 1); /* it was free again */
    rig_ok(uiommu_mdev_unregister(part.ep));
    assert_int_equal(part.clears, 1);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    uiommu_domain_put(d);
}

static uint32_t waiting(struct uiommu_endpoint *ep)
{
    struct uiommu_mode mode;

    rig_ok(uiommu_effective_mode(ep, &mode));
    return mode.pasids_waiting;
}

/* C-SC11: the device may go on sending it; who has the parent, or any part, can see that. */
static void c_sc11_a_part_that_does_not_stop_keeps_its_number(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part, other;

    lend(rig, 0, &part);
    lend(rig, 0, &other);
    see(part.ep, d);
    part.stuck = true;
    see(part.ep, uiommu_blocked(rig->u));
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    see(other.ep, d);
    assert_int_equal(other.pasid, 2);
    see(part.ep, d);
    assert_int_equal(part.pasid, 3);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    part.stuck = false;
    assert_int_equal(waiting(rig_endpoint(rig, 0)), 1);
    assert_int_equal(waiting(part.ep), 1);
    assert_int_equal(waiting(other.ep), 1);
    assert_int_equal(waiting(rig_endpoint(rig, 1)), 0);
    take_home(&part);
    take_home(&other);
    assert_int_equal(waiting(rig_endpoint(rig, 0)), 1);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(waiting(rig_endpoint(rig, 0)), 0);
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_int_equal(part.pasid, 1);
    take_home(&part);
    uiommu_domain_put(d);
}

/* ---- callbacks (C.2) ----------------------------------------------------------------------------- */

static void a_mediator_does_not_call_back(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part;

    for (unsigned i = 0; i < 2; i++) {
        lend(rig, 0, &part);
        part.inside = call_back;
        see(part.ep, d);
        set(rig, 1, d); /* another parent's */
        rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
        rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
        see(part.ep, uiommu_blocked(rig->u));
        take_home(&part);
        assert_int_equal(part.installs + part.clears + part.begun + part.ended,
                         4);
        set(rig, 1, uiommu_blocked(rig->u));
        rig->u->host.thread = NULL; /* whoever it is */
    }
    uiommu_domain_put(d);
}

/* ---- who may be a parent ---------------------------------------------------------------------------- */

static void malformed_registrations_are_refused(struct rig *rig)
{
    const struct uiommu_mediator none = { .pasid_install = part_install };
    struct uiommu_device *d = parent(rig, 0);
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    const struct uiommu_mdev_config good = part_config(&part, rig, 0);
    struct uiommu_mdev_config bad[9];
    uint32_t last;

    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    for (unsigned i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].size--;
    bad[1].flags = 1u << 31;
    bad[2].mediator = NULL;
    bad[3].mediator = &none;
    bad[4].iova_bits = 64;
    bad[5].page_sizes = UINT64_C(1) << 13;
    bad[6].first = last + 1;
    bad[7].first = 3;
    bad[7].last = 2;
    bad[8].first = bad[8].last = last + 1;
    for (unsigned i = 0; i < 9; i++)
        rig_is(uiommu_mdev_register(d, &bad[i], &ep), UIOMMU_INVAL);
    bad[0] = good;
    bad[0].kind = (enum uiommu_mdev_kind)77;
    rig_is(uiommu_mdev_register(d, &bad[0], &ep), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_mdev_register(NULL, &good, &ep), UIOMMU_INVAL);
    rig_is(uiommu_mdev_register(d, NULL, &ep), UIOMMU_INVAL);
    rig_is(uiommu_mdev_register(d, &good, NULL), UIOMMU_INVAL);
    rig_is(uiommu_mdev_unregister(NULL), UIOMMU_INVAL);
    rig_is(uiommu_mdev_unregister(rig_endpoint(rig, 0)), UIOMMU_INVAL);
    assert_null(ep);
}

static void without_pasids_there_are_none(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    const struct uiommu_mdev_config config = part_config(&part, rig, 0);

    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep),
           UIOMMU_OPNOTSUPP);
    assert_null(ep);
}

static void a_parent_is_ready_and_trusted(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    const struct uiommu_mdev_config config = part_config(&part, rig, 0);
    struct uiommu_device *d = parent(rig, 0);

    rig_ok(uiommu_device_reset_begin(d));
    rig_is(uiommu_mdev_register(d, &config, &ep), UIOMMU_BUSY);
    rig_ok(uiommu_device_reset_end(d, true));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_mdev_register(d, &config, &ep), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    d->untrusted = true;
    rig_is(uiommu_mdev_register(d, &config, &ep), UIOMMU_PERM);
    d->untrusted = false;
    rig_ok(uiommu_device_reset_begin(d));
    rig_ok(uiommu_device_reset_end(d, false));
    rig_is(uiommu_mdev_register(d, &config, &ep), UIOMMU_NODEV);
    assert_null(ep);
}

static enum uiommu_status lend_once(struct rig *rig, void *ctx)
{
    struct part *part = ctx;
    struct uiommu_mdev_config config = part_config(part, rig, 0);

    config.flags = UIOMMU_MDEV_DMA;
    part->installs = 0;
    return uiommu_mdev_register(parent(rig, 0), &config, &part->ep);
}

static void take_home_once(struct rig *rig, void *ctx)
{
    struct part *part = ctx;

    (void)rig;
    assert_int_equal(part->installs, 1);
    take_home(part);
}

/* S4.7, C.8 */
static void a_registration_that_fails_leaves_nothing(struct rig *rig)
{
    struct part part = { 0 };

    rig_ok(lend_once(rig, &part)); /* tables that stay */
    take_home_once(rig, &part);
    rig_each_failure(rig, lend_once, take_home_once, &part, UIOMMU_NOMEM);
}

/* C.5: the last step, and all or nothing. */
static void its_mediator_hears_of_it_first(struct rig *rig)
{
    const struct rig_state before = rig_state(rig);
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    struct uiommu_mdev_config config = part_config(&part, rig, 0);

    part.inside = call_back;
    part.refuses = UIOMMU_NOSPC;
    part.refusals = 1;
    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep), UIOMMU_NOSPC);
    assert_int_equal(part.registered, 1);
    assert_ptr_equal(part.domain, uiommu_blocked(rig->u));
    assert_null(ep);
    rig_assert_same(rig, &before);
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    assert_int_equal(part.registered, 2);
    part.inside = NULL;
    take_home(&part);
}

/* C.4: one number, which the mediator chose; whoever has it is not disturbed. */
static void a_number_that_is_asked_for_may_be_taken(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *space = pasid_number(rig, 0, 7);
    struct part part = { 0 };
    struct uiommu_mdev_config config = part_config(&part, rig, 0);

    config.first = config.last = 7;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    rig_is(uiommu_set_domain(part.ep, d, NULL), UIOMMU_BUSY);
    assert_int_equal(part.installs, 0);
    rig_ok(uiommu_pasid_destroy(space, true));
    see(part.ep, d);
    assert_int_equal(part.pasid, 7);
    take_home(&part);
    uiommu_domain_put(d);
}

static void lend_early(struct rig *rig, struct part *part)
{
    struct uiommu_mdev_config config;

    *part = (struct part){ 0 };
    config = part_config(part, rig, 0);
    config.flags = UIOMMU_MDEV_EARLY;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part->ep));
}

/* C.5: whatever it sees, and although nothing gets through with it. */
static void a_number_may_be_had_from_the_start(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct part early, part;

    lend_early(rig, &early);
    assert_int_equal(uiommu_endpoint_pasid(early.ep), 1);
    assert_ptr_equal(uiommu_endpoint_domain(early.ep), uiommu_blocked(rig->u));
    assert_int_equal(early.installs, 0);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_int_equal(part.pasid, 2);
    for (unsigned i = 1; i <= 2; i++) {
        see(early.ep, d);
        assert_int_equal(early.pasid, 1);
        assert_int_equal(early.installs, i);
        assert_true(rig_pasid_reaches(rig, 0, 1, BASE, page));
        see(early.ep, uiommu_blocked(rig->u));
        assert_int_equal(early.clears, i);
        assert_int_equal(uiommu_endpoint_pasid(early.ep), 1);
        assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    }
    take_home(&part);
    take_home(&early);
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_int_equal(part.pasid, 1); /* it was free again */
    take_home(&part);
    uiommu_domain_put(d);
}

/* Whoever may still send it does not go on with it. */
static void a_number_that_did_not_stop_is_not_had_any_more(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part early;

    lend_early(rig, &early);
    see(early.ep, d);
    early.stuck = true;
    see(early.ep, uiommu_blocked(rig->u));
    early.stuck = false;
    assert_int_equal(uiommu_endpoint_pasid(early.ep), UIOMMU_NO_PASID);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    see(early.ep, d);
    assert_int_equal(early.pasid, 2);
    take_home(&early);
    uiommu_domain_put(d);
}

static enum uiommu_status lend_early_once(struct rig *rig, void *ctx)
{
    struct part *part = ctx;
    struct uiommu_mdev_config config = part_config(part, rig, 0);

    config.flags = UIOMMU_MDEV_EARLY | UIOMMU_MDEV_DMA;
    part->installs = 0;
    return uiommu_mdev_register(parent(rig, 0), &config, &part->ep);
}

static void an_early_number_that_cannot_be_had_leaves_nothing(struct rig *rig)
{
    struct uiommu_endpoint *space, *ep = NULL;
    struct part part = { 0 };
    struct uiommu_mdev_config config = part_config(&part, rig, 0);

    config.flags = UIOMMU_MDEV_EARLY;
    config.first = config.last = 7;
    space = pasid_number(rig, 0, 7);
    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(space, true));
    config.flags |= UIOMMU_MDEV_SHARE;
    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep), UIOMMU_INVAL);
    assert_null(ep);
    rig_ok(lend_early_once(rig, &part)); /* tables that stay */
    take_home_once(rig, &part);
    rig_each_failure(rig, lend_early_once, take_home_once, &part, UIOMMU_NOMEM);
}

/* ---- less than the parent (C.6, S3.29) ------------------------------------------------------------------ */

static void an_mdev_has_what_its_mediator_lets_it_have(struct rig *rig)
{
    struct part part = { 0 };
    struct uiommu_mdev_config config = part_config(&part, rig, 0);
    struct uiommu_domain_config wide = { .size = sizeof(wide),
                                         .page_sizes = 4096 | 2 << 20 };
    struct uiommu_domain *d = NULL, *e = rig_domain(rig, 0);
    struct uiommu_domain_info info;

    config.iova_bits = 33;
    config.page_sizes = 4096;
    config.first = config.last = 9;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    rig_is(uiommu_domain_create(part.ep, &wide, &d), UIOMMU_INVAL);
    wide.page_sizes = 0;
    wide.iova_bits = 34;
    rig_is(uiommu_domain_create(part.ep, &wide, &d), UIOMMU_INVAL);
    rig_ok(uiommu_domain_create(part.ep, NULL, &d));
    uiommu_domain_info(d, &info);
    assert_int_equal(info.iova_bits, 33);
    assert_int_equal(info.page_sizes, 4096);
    rig_is(uiommu_set_domain(part.ep, e, NULL), UIOMMU_INVAL);
    rig_is(uiommu_set_domain(part.ep, uiommu_identity(rig->u), NULL),
           UIOMMU_INVAL);
    assert_int_equal(part.installs, 0);
    map_page(d, BASE, rig_pages(rig, 0));
    see(part.ep, d);
    assert_int_equal(part.pasid, 9);
    rig_is(uiommu_set_domain(part.ep, e, NULL), UIOMMU_INVAL);
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), d);
    take_home(&part);
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static void an_mdev_has_no_pasids_below(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part;
    uint32_t last = 0;
    uint64_t addr = 0;

    lend(rig, 0, &part);
    rig_is(uiommu_pasid_last(part.ep, &last), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_pasid_create(part.ep, NULL, &ep), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_pasid_destroy(part.ep, true), UIOMMU_INVAL);
    rig_is(uiommu_irq_doorbell(part.ep, 0, &addr), UIOMMU_INVAL);
    take_home(&part);
}

static bool with_interrupts(struct rig *rig, const char **why)
{
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return with_pasids(rig, why) && rig_does(rig, RIG_INTERRUPTS, why);
}

static void interrupts_are_the_parent_s(struct rig *rig)
{
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_irq *irq = NULL;
    struct part part;

    lend(rig, 0, &part);
    rig_is(uiommu_irq_map(part.ep, &target, 1, &irq), UIOMMU_OPNOTSUPP);
    assert_null(irq);
    rig_ok(uiommu_irq_map(rig_endpoint(rig, 0), &target, 1, &irq));
    rig_ok(uiommu_irq_unmap(irq));
    take_home(&part);
}

static void count_direct(void *ctx, const struct uiommu_region *region)
{
    unsigned *n = ctx;

    if (region->kind == UIOMMU_REGION_DIRECT ||
        region->kind == UIOMMU_REGION_DIRECT_RELAXABLE ||
        region->kind == UIOMMU_REGION_DOORBELL)
        ++*n;
}

/* They are for what carries no PASID. */
static void regions_of_firmware_are_the_parent_s(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    unsigned parents = 0, parts = 0;
    struct part part;
    const int owner = 0;

    lend(rig, 0, &part);
    rig_ok(uiommu_regions(rig_endpoint(rig, 0), count_direct, &parents));
    rig_ok(uiommu_regions(part.ep, count_direct, &parts));
    assert_true(parents > 0);
    assert_int_equal(parts, 0);
    rig_ok(uiommu_claim(part.ep, &owner));
    rig_ok(uiommu_set_domain(part.ep, d, &owner));
    assert_int_equal(unmap_all(d), 0);
    rig_ok(uiommu_release(part.ep, &owner));
    rig_ok(uiommu_set_domain(part.ep, d, NULL));
    assert_int_equal(unmap_all(d), 0);
    take_home(&part);
    uiommu_domain_put(d);
}

/* ---- beside its parent -------------------------------------------------------------------------------------- */

/* The parent's driver goes on with its DMA, whatever clients do. */
static void the_parent_goes_on(struct rig *rig)
{
    uint64_t own = rig_pages(rig, 0), a = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, a);
    struct part one, two;
    uint64_t iova = 0;

    lend(rig, 0, &one);
    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    lend(rig, 0, &two);
    rig_ok(uiommu_dma_map(rig_endpoint(rig, 0), own, RIG_PAGE, RIG_RW, &iova));
    see(one.ep, d);
    see(two.ep, d);
    assert_true(rig_reaches(rig, 0, iova, own));
    assert_true(reaches(rig, 0, one.ep, BASE, a));
    assert_true(rig_pasid_refused(rig, 0, one.pasid, iova));
    take_home(&one);
    assert_true(rig_reaches(rig, 0, iova, own));
    assert_true(reaches(rig, 0, two.ep, BASE, a));
    rig_ok(uiommu_dma_unmap(rig_endpoint(rig, 0), iova, RIG_PAGE));
    assert_true(rig_refused(rig, 0, iova));
    take_home(&two);
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
    uiommu_domain_put(d);
}

static void a_driver_uses_an_mdev(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct uiommu_mode mode;
    struct part part;
    const int owner = 0;

    lend(rig, 0, &part);
    rig_ok(uiommu_dma_start(part.ep, NULL));
    assert_int_equal(part.pasid, 1);
    rig_ok(uiommu_effective_mode(part.ep, &mode));
    assert_int_equal(mode.owned_by, UIOMMU_OWNED_BY_DMA);
    assert_int_equal(mode.sees, UIOMMU_DOMAIN_PAGING);
    assert_int_equal(mode.pasid_bits, 0);
    rig_is(uiommu_claim(part.ep, &owner), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_BUSY);
    rig_is(uiommu_mdev_unregister(part.ep), UIOMMU_BUSY);
    rig_ok(uiommu_dma_map(part.ep, page, RIG_PAGE, RIG_RW, &iova));
    assert_true(reaches(rig, 0, part.ep, iova, page));
    assert_true(rig_refused(rig, 0, iova));
    rig_ok(uiommu_dma_unmap(part.ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(part.ep));
    assert_int_equal(part.pasid, 0);
    take_home(&part);
}

/* S3.9: its default domain comes with it. */
static void an_mdev_may_come_with_a_default_domain(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct part part;

    lend_as(rig, 0, &part, UIOMMU_MDEV_DMA);
    assert_int_equal(part.pasid, 1);
    rig_ok(uiommu_dma_map(part.ep, page, RIG_PAGE, RIG_RW, &iova));
    assert_true(reaches(rig, 0, part.ep, iova, page));
    rig_ok(uiommu_dma_unmap(part.ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_start(part.ep, NULL));
    rig_is(uiommu_mdev_unregister(part.ep), UIOMMU_BUSY);
    rig_ok(uiommu_dma_stop(part.ep));
    take_home(&part);
    assert_int_equal(part.clears, 1);
}

static void identity_is_for_mdevs_where_pasids_have_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct part part;

    lend(rig, 0, &part);
    if (part.ep->unit->pasid_identity) {
        see(part.ep, uiommu_identity(rig->u));
        assert_true(reaches(rig, 0, part.ep, page, page));
        assert_true(rig_refused(rig, 0, page));
    } else {
        rig_is(uiommu_set_domain(part.ep, uiommu_identity(rig->u), NULL),
               UIOMMU_INVAL);
    }
    take_home(&part);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc1_one_client_has_any_endpoint, with_owners),
    RIG_TEST_ON(c_sc1_one_client_has_any_endpoint, with_owners_and_ats),
    RIG_COLD_ON(c_sc1_what_it_rests_on_is_there_again, with_a_region_that_ends),
    RIG_TEST_ON(c_sc1_the_host_has_it_again, as_a_whole),
    RIG_TEST_ON(while_it_is_blocked_nothing_is_taken, with_owners),
    RIG_TEST_ON(each_is_a_group_of_its_own, with_owners),
    RIG_TEST_ON(a_parent_is_not_claimed, with_owners),
    RIG_TEST_ON(a_claim_begins_and_ends_blocked, with_owners),
    RIG_TEST_ON(the_mediator_has_it_between_install_and_clear, with_pasids),
    RIG_TEST_ON(what_the_mediator_refuses_does_not_happen, with_pasids),
    RIG_TEST_ON(c_sc11_a_part_that_does_not_stop_keeps_its_number,
                with_pasids_and_ats),
    RIG_TEST_ON(a_mediator_does_not_call_back, with_pasids),
    RIG_TEST_ON(malformed_registrations_are_refused, with_pasids),
    RIG_TEST(without_pasids_there_are_none),
    RIG_TEST_ON(a_parent_is_ready_and_trusted, with_pasids),
    RIG_TEST_ON(a_registration_that_fails_leaves_nothing, with_pasids),
    RIG_TEST_ON(its_mediator_hears_of_it_first, with_pasids),
    RIG_TEST_ON(a_number_that_is_asked_for_may_be_taken, with_pasids),
    RIG_TEST_ON(a_number_may_be_had_from_the_start, with_pasids),
    RIG_TEST_ON(a_number_that_did_not_stop_is_not_had_any_more, with_pasids),
    RIG_TEST_ON(an_early_number_that_cannot_be_had_leaves_nothing, with_pasids),
    RIG_TEST_ON(an_mdev_has_what_its_mediator_lets_it_have, with_pasids),
    RIG_TEST_ON(an_mdev_has_no_pasids_below, with_pasids),
    RIG_TEST_ON(interrupts_are_the_parent_s, with_interrupts),
    RIG_TEST_ON(regions_of_firmware_are_the_parent_s, with_a_region),
    RIG_TEST_ON(the_parent_goes_on, with_pasids),
    RIG_TEST_ON(a_driver_uses_an_mdev, with_owners),
    RIG_TEST_ON(an_mdev_may_come_with_a_default_domain, with_pasids),
    RIG_TEST_ON(identity_is_for_mdevs_where_pasids_have_it, with_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("mdev", tests);
}
