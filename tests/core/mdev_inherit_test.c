/* SPDX-License-Identifier: MIT */
/*
 * mdev_inherit_test.c - mediated devices of the kind RID_INHERIT: all that a parent sends
 * without a PASID is one client's (semantics C.3, S3.14, S3.17).
 */
#include "tests/core/mdevs.h"

/* ---- machines and steps ------------------------------------------------------------------ */

static bool with_owners(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return true;
}

static bool with_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    rig->config.engine_caps |= SIM_PASID;
    return with_owners(rig, why);
}

static const struct uiommu_mediator no_numbers = {
    .parent_reset = part_reset,
    .registered = part_registered,
};

static struct uiommu_mdev_config heir_config(struct part *heir, struct rig *rig,
                                             unsigned n)
{
    struct uiommu_mdev_config config = part_config(heir, rig, n);

    config.kind = UIOMMU_MDEV_RID_INHERIT;
    config.mediator = &no_numbers;
    return config;
}

static void bequeath(struct rig *rig, unsigned n, struct part *heir)
{
    struct uiommu_mdev_config config;

    *heir = (struct part){ 0 };
    config = heir_config(heir, rig, n);
    rig_ok(uiommu_mdev_register(parent(rig, n), &config, &heir->ep));
}

static enum uiommu_status try(struct rig *rig, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;
    struct part heir = { 0 };
    const struct uiommu_mdev_config config = heir_config(&heir, rig, n);
    enum uiommu_status status =
        uiommu_mdev_register(parent(rig, n), &config, &ep);

    if (status == UIOMMU_OK)
        rig_ok(uiommu_mdev_unregister(ep));
    else
        assert_null(ep);
    return status;
}

/* ---- one client (C-SC5) --------------------------------------------------------------------- */

/* The mediator's own DMA rests meanwhile, and goes on afterwards. */
static void c_sc5_an_heir_has_what_its_parent_had(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0);
    uint64_t page = rig_pages(rig, 0), iova = 0, none = 0;
    struct part heir;
    const int owner = 0;

    rig_ok(uiommu_dma_start(own, NULL));
    rig_ok(uiommu_dma_map(own, page, RIG_PAGE, RIG_RW, &iova));
    bequeath(rig, 0, &heir);
    assert_int_equal(uiommu_endpoint_pasid(heir.ep), UIOMMU_NO_PASID);
    assert_ptr_equal(uiommu_endpoint_group(heir.ep),
                     uiommu_endpoint_group(own));
    assert_true(rig_refused(rig, 0, iova));
    rig_is(try(rig, 0), UIOMMU_BUSY);
    rig_is(uiommu_dma_map(own, page, RIG_PAGE, RIG_RW, &none), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(own, iova, RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_stop(own), UIOMMU_INVAL);
    rig_is(uiommu_dma_start(own, NULL), UIOMMU_BUSY);
    rig_is(uiommu_claim(own, &owner), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(own, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(parent(rig, 0)), UIOMMU_BUSY);
    client(rig, 0, heir.ep, true);
    rig_ok(uiommu_claim(heir.ep, &owner));
    rig_is(uiommu_mdev_unregister(heir.ep), UIOMMU_BUSY);
    rig_ok(uiommu_release(heir.ep, &owner));
    take_home(&heir);
    assert_true(rig_reaches(rig, 0, iova, page));
    rig_ok(uiommu_dma_unmap(own, iova, RIG_PAGE));
    assert_true(rig_refused(rig, 0, iova));
    rig_ok(uiommu_dma_stop(own));
}

/* Whatever the client left. */
static void what_an_heir_sees_ends_with_it(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct part heir;

    map_page(d, BASE, rig_pages(rig, 0));
    bequeath(rig, 0, &heir);
    see(heir.ep, d);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)), d);
    assert_false(rig_refused(rig, 0, BASE));
    take_home(&heir);
    assert_true(rig_refused(rig, 0, BASE));
    set(rig, 0, d);
    assert_false(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void a_driver_uses_an_heir(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct part heir = { 0 };
    struct uiommu_mdev_config config = heir_config(&heir, rig, 0);

    for (unsigned i = 0; i < 2; i++) {
        config.flags = i == 0 ? 0 : UIOMMU_MDEV_DMA;
        heir.pasid = 0;
        rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
        rig_ok(uiommu_dma_start(heir.ep, NULL));
        rig_ok(uiommu_dma_map(heir.ep, page, RIG_PAGE, RIG_RW, &iova));
        assert_true(rig_reaches(rig, 0, iova, page));
        rig_is(uiommu_dma_start(rig_endpoint(rig, 0), NULL), UIOMMU_BUSY);
        rig_is(uiommu_mdev_unregister(heir.ep), UIOMMU_BUSY);
        rig_ok(uiommu_dma_unmap(heir.ep, iova, RIG_PAGE));
        rig_ok(uiommu_dma_stop(heir.ep));
        take_home(&heir);
        assert_true(rig_refused(rig, 0, iova));
    }
}

/* ---- beside others -------------------------------------------------------------------------------- */

static void somebody_else_s_is_not_bequeathed(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct part heir = { 0 };
    struct uiommu_mdev_config bad = heir_config(&heir, rig, 0);
    const int owner = 0;

    set(rig, 0, d);
    rig_is(try(rig, 0), UIOMMU_BUSY);
    rig_drop(rig, 0, d);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &owner));
    rig_is(try(rig, 0), UIOMMU_BUSY);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &owner));
    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    rig_is(try(rig, 0), UIOMMU_BUSY);
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
    rig_ok(try(rig, 0));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
    rig_ok(try(rig, 0));
    bad.flags = UIOMMU_MDEV_SHARE;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &heir.ep), UIOMMU_INVAL);
    bad.flags = 0;
    bad.first = 1;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &heir.ep), UIOMMU_INVAL);
    bad.first = 0;
    bad.iova_bits = 64;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &heir.ep), UIOMMU_INVAL);
}

static void an_heir_has_what_its_mediator_lets_it_have(struct rig *rig)
{
    struct part heir = { 0 };
    struct uiommu_mdev_config config = heir_config(&heir, rig, 0);
    struct uiommu_domain *d = NULL, *e = rig_domain(rig, 0);
    struct uiommu_domain_info info;

    config.iova_bits = 33;
    config.page_sizes = 4096;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    rig_ok(uiommu_domain_create(heir.ep, NULL, &d));
    uiommu_domain_info(d, &info);
    assert_int_equal(info.iova_bits, 33);
    assert_int_equal(info.page_sizes, 4096);
    rig_is(uiommu_set_domain(heir.ep, e, NULL), UIOMMU_INVAL);
    rig_is(uiommu_set_domain(heir.ep, uiommu_identity(rig->u), NULL),
           UIOMMU_INVAL);
    see(heir.ep, d);
    take_home(&heir);
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

/* It has the parent's numbers; and others may have parts with numbers of their own. */
static void an_heir_has_pasids(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = mapped(rig, BASE, a), *db = mapped(rig, BASE, b);
    struct uiommu_endpoint *ep = NULL;
    struct part heir, part;
    const int owner = 0;
    uint32_t last = 0;

    lend(rig, 0, &part);
    bequeath(rig, 0, &heir);
    rig_ok(uiommu_pasid_last(heir.ep, &last));
    assert_true(last > 1);
    rig_ok(uiommu_pasid_create(heir.ep, NULL, &ep));
    see(ep, da);
    see(part.ep, db);
    see(heir.ep, db);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, a));
    assert_true(reaches(rig, 0, part.ep, BASE, b));
    assert_true(rig_reaches(rig, 0, BASE, b));
    see(heir.ep, uiommu_blocked(rig->u));
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, a));
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_is(uiommu_claim(heir.ep, &owner), UIOMMU_BUSY);
    take_home(&part);
    rig_ok(uiommu_claim(heir.ep, &owner));
    rig_ok(uiommu_release(heir.ep, &owner));
    take_home(&heir);
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

static bool with_identity_by_default(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.default_domain = UIOMMU_DMA_IDENTITY;
    return true;
}

/* Nor is it started with all, asked for or configured. */
static void a_narrow_heir_is_translated(struct rig *rig)
{
    const struct uiommu_dma_config identity = {
        .size = sizeof(identity),
        .kind = UIOMMU_DMA_IDENTITY,
    };
    uint64_t page = rig_pages(rig, 0);
    struct part heir = { 0 };
    struct uiommu_mdev_config config = heir_config(&heir, rig, 0);
    struct uiommu_mode mode;

    config.iova_bits = 33;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    rig_is(uiommu_dma_start(heir.ep, &identity), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_dma_start(heir.ep, NULL));
    rig_ok(uiommu_effective_mode(heir.ep, &mode));
    assert_int_equal(mode.rule, UIOMMU_DEFAULT_NO_IDENTITY);
    assert_true(rig_refused(rig, 0, page));
    rig_ok(uiommu_dma_stop(heir.ep));
    take_home(&heir);
    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), &identity));
    assert_true(rig_reaches(rig, 0, page, page));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
}

/* C.6: nor has what is below it, which goes first. */
static void what_is_below_an_heir_has_no_more(struct rig *rig)
{
    struct part heir = { 0 };
    struct uiommu_mdev_config config = heir_config(&heir, rig, 0);
    struct uiommu_domain *d = NULL, *wide = rig_domain(rig, 0);
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct uiommu_endpoint *ep = NULL, *beside;
    struct uiommu_domain_info info;

    config.iova_bits = 33;
    config.page_sizes = 4096;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    beside = pasid(rig, 0);
    see(beside, wide);
    rig_ok(uiommu_pasid_create(heir.ep, NULL, &ep));
    rig_is(uiommu_set_domain(ep, wide, NULL), UIOMMU_INVAL);
    rig_is(uiommu_set_domain(ep, uiommu_identity(rig->u), NULL), UIOMMU_INVAL);
    rig_ok(uiommu_domain_create(ep, NULL, &d));
    uiommu_domain_info(d, &info);
    assert_int_equal(info.iova_bits, 33);
    assert_int_equal(info.page_sizes, 4096);
    see(ep, d);
    see(ep, uiommu_blocked(rig->u));
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova));
    assert_true(
        rig_pasid_reaches(rig, 0, uiommu_endpoint_pasid(ep), iova, page));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    rig_is(uiommu_mdev_unregister(heir.ep), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(ep, true));
    take_home(&heir);
    rig_ok(uiommu_pasid_destroy(beside, true));
    uiommu_domain_put(d);
    uiommu_domain_put(wide);
}

static bool with_a_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { GIB(3), RIG_PAGE, 0 } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return with_owners(rig, why);
}

/* C.3: regions are its parent's, and it rests on them. */
static void an_heir_has_the_regions_of_its_parent(struct rig *rig)
{
    struct part heir;
    const int owner = 0;
    struct uiommu_domain *d = rig_domain(rig, 0);
    const struct uiommu_domain *core = uiommu_core_domain(rig_endpoint(rig, 0));

    bequeath(rig, 0, &heir);
    assert_ptr_not_equal(core, uiommu_blocked(rig->u));
    assert_ptr_equal(uiommu_core_domain(heir.ep), core);
    assert_ptr_equal(uiommu_endpoint_domain(heir.ep), core);
    assert_int_equal(lands(rig, 0, GIB(3), UIOMMU_WRITE), GIB(3));
    rig_is(uiommu_claim(heir.ep, &owner), UIOMMU_INVAL);
    see(heir.ep, d);
    assert_int_equal(lands(rig, 0, GIB(3), UIOMMU_WRITE), GIB(3));
    take_home(&heir);
    assert_int_equal(lands(rig, 0, GIB(3), UIOMMU_WRITE), GIB(3));
    uiommu_domain_put(d);
}

/* ---- the parent is reset, or goes ------------------------------------------------------------------ */

static void c_sc8_an_heir_is_held_with_its_parent(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct part heir;
    struct uiommu_mode mode;

    map_page(d, BASE, rig_pages(rig, 0));
    bequeath(rig, 0, &heir);
    see(heir.ep, d);
    rig_ok(uiommu_effective_mode(heir.ep, &mode));
    assert_int_equal(mode.sees, UIOMMU_DOMAIN_PAGING);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    assert_int_equal(heir.begun, 1);
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_effective_mode(heir.ep, &mode));
    assert_int_equal(mode.sees, UIOMMU_DOMAIN_BLOCKED);
    rig_is(uiommu_set_domain(heir.ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_BUSY);
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(heir.ended, 1);
    assert_false(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), false));
    assert_int_equal(heir.failed, 1);
    assert_true(rig_refused(rig, 0, BASE));
    take_home(&heir);
    uiommu_domain_put(d);
}

/* It is ended whatever its parent is: its end says that, and no more. */
static void an_heir_of_what_does_not_come_back_is_ended(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0);
    struct part heir;

    rig_ok(uiommu_dma_start(own, NULL));
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            bequeath(rig, 0, &heir);
        rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
        rig_ok(uiommu_device_reset_end(parent(rig, 0), false));
        if (i == 0)
            take_home(&heir);
    }
    assert_int_equal(lands(rig, 0, GIB(3), UIOMMU_WRITE), NOWHERE);
    rig_ok(uiommu_dma_stop(own));
}

static void pull_out(struct rig *rig, unsigned n)
{
    unsigned dev = rig_engine(rig, n);

    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
}

static void the_parent_of_an_heir_is_pulled_out(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0), *e = NULL;
    struct uiommu_endpoint *ep = NULL;
    struct part heir;
    const int owner = 0;
    unsigned dev = rig_engine(rig, 0);
    uint32_t last;

    bequeath(rig, 0, &heir);
    rig_ok(uiommu_claim(heir.ep, &owner));
    sim_unplug(rig->m, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    (void)!uiommu_release(heir.ep, &owner);
    assert_true(sim_plug(rig->m, dev));
    rig_ok(uiommu_device_reset_begin(rig->device[dev]));
    (void)!uiommu_device_reset_end(rig->device[dev], true);
    (void)!uiommu_set_domain(heir.ep, d, NULL);
    pull_out(rig, 0);
    rig_is(uiommu_set_domain(heir.ep, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(heir.ep, uiommu_blocked(rig->u), NULL));
    assert_ptr_equal(uiommu_endpoint_domain(heir.ep), uiommu_blocked(rig->u));
    rig_is(uiommu_claim(heir.ep, &owner), UIOMMU_NODEV);
    rig_is(uiommu_dma_start(heir.ep, NULL), UIOMMU_NODEV);
    rig_is(uiommu_domain_create(heir.ep, NULL, &e), UIOMMU_NODEV);
    rig_is(uiommu_pasid_create(heir.ep, NULL, &ep), UIOMMU_NODEV);
    rig_is(uiommu_pasid_last(heir.ep, &last), UIOMMU_NODEV);
    uiommu_domain_put(d);
    take_home(&heir);
}

/* A driver that rests has what it has mapped: it is stopped before its device goes. */
static void a_driver_that_rests_is_stopped_first(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);
    struct part heir;

    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    bequeath(rig, 0, &heir);
    sim_unplug(rig->m, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    (void)!uiommu_mdev_unregister(heir.ep);
    (void)!uiommu_dma_stop(rig_endpoint(rig, 0));
    (void)!uiommu_device_remove(rig->device[dev]);
    rig->device[dev] = NULL;
}

/* ---- groups with two members --------------------------------------------------------------------------- */

enum { FIRST, SECOND };

/* Two functions of one device, which nothing keeps apart. */
static bool with_two(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "first", SIM_ENGINE, MACHINE_NO_BRIDGE, 4 << 3, 0 },
        { "second", SIM_ENGINE, MACHINE_NO_BRIDGE, 4 << 3 | 1, 0 },
    };

    rig->config.functions = functions;
    rig->config.n_functions = 2;
    return with_owners(rig, why);
}

static void an_heir_moves_the_whole_group(struct rig *rig)
{
    struct uiommu_endpoint *other = rig_endpoint(rig, SECOND);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct part heir;

    map_page(d, BASE, rig_pages(rig, 0));
    assert_ptr_equal(uiommu_endpoint_group(other),
                     uiommu_endpoint_group(rig_endpoint(rig, FIRST)));
    rig_ok(uiommu_dma_start(other, NULL));
    rig_is(try(rig, FIRST), UIOMMU_BUSY);
    rig_ok(uiommu_dma_stop(other));
    bequeath(rig, FIRST, &heir);
    rig_is(try(rig, SECOND), UIOMMU_BUSY);
    rig_is(uiommu_dma_start(other, NULL), UIOMMU_BUSY);
    see(heir.ep, d);
    assert_false(rig_refused(rig, FIRST, BASE));
    assert_false(rig_refused(rig, SECOND, BASE));
    pull_out(rig, FIRST);
    assert_true(rig_refused(rig, SECOND, BASE));
    assert_ptr_equal(uiommu_endpoint_domain(heir.ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_set_domain(other, d, NULL)); /* it is free again */
    rig_is(uiommu_set_domain(heir.ep, d, NULL), UIOMMU_NODEV);
    take_home(&heir);
    assert_false(rig_refused(rig, SECOND, BASE));
    set(rig, SECOND, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
}

/* What a driver rests with is of those that are there. */
static void a_member_goes_while_a_driver_rests(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, FIRST);
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct part heir;

    rig_ok(uiommu_dma_start(own, NULL));
    rig_ok(uiommu_dma_map(own, page, RIG_PAGE, RIG_RW, &iova));
    bequeath(rig, FIRST, &heir);
    rig_ok(uiommu_device_remove(parent(rig, SECOND)));
    rig->device[rig_engine(rig, SECOND)] = NULL;
    take_home(&heir);
    assert_true(rig_reaches(rig, FIRST, iova, page));
    rig_ok(uiommu_dma_unmap(own, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(own));
    rig_check_ids(rig); /* nothing holds what is no more */
}

/* And none comes. */
static void no_member_comes_while_a_driver_rests(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, SECOND);
    struct part heir;

    rig_ok(uiommu_dma_start(rig_endpoint(rig, FIRST), NULL));
    bequeath(rig, FIRST, &heir);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    rig_is(rig_add(rig, dev), UIOMMU_BUSY);
    assert_says(sim_last_log(rig->m), "it cannot share domain and owner with");
    assert_null(rig->device[dev]);
    take_home(&heir);
    rig_ok(rig_add(rig, dev));
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, SECOND)),
                     uiommu_endpoint_group(rig_endpoint(rig, FIRST)));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, FIRST)));
}

/* ---- failure --------------------------------------------------------------------------------------------- */

static enum uiommu_status bequeath_once(struct rig *rig, void *ctx)
{
    struct part *heir = ctx;
    struct uiommu_mdev_config config = heir_config(heir, rig, 0);

    config.flags = UIOMMU_MDEV_DMA;
    return uiommu_mdev_register(parent(rig, 0), &config, &heir->ep);
}

static void take_home_once(struct rig *rig, void *ctx)
{
    struct part *heir = ctx;

    (void)rig;
    take_home(heir);
}

static void a_registration_that_fails_leaves_its_driver(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0);
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct part heir = { 0 };

    rig_ok(uiommu_dma_start(own, NULL));
    rig_ok(uiommu_dma_map(own, page, RIG_PAGE, RIG_RW, &iova));
    rig_ok(bequeath_once(rig, &heir));
    take_home(&heir);
    rig_each_failure(rig, bequeath_once, take_home_once, &heir, UIOMMU_NOMEM);
    assert_true(rig_reaches(rig, 0, iova, page));
    rig_ok(uiommu_dma_unmap(own, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(own));
}

/* So too, if its mediator will not have it: whoever was started goes on. */
static void an_heir_that_is_refused_leaves_its_driver(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0), *ep = NULL;
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct part heir = { 0 };
    struct uiommu_mdev_config config = heir_config(&heir, rig, 0);

    rig_ok(uiommu_dma_start(own, NULL));
    rig_ok(uiommu_dma_map(own, page, RIG_PAGE, RIG_RW, &iova));
    for (unsigned i = 0; i < 2; i++) {
        config.flags = i == 0 ? 0 : UIOMMU_MDEV_DMA;
        heir.refuses = UIOMMU_NOSPC;
        heir.refusals = 1;
        rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep),
               UIOMMU_NOSPC);
        assert_null(ep);
        assert_int_equal(heir.registered, i + 1);
        assert_true(rig_reaches(rig, 0, iova, page));
    }
    rig_ok(uiommu_dma_unmap(own, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(own));
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc5_an_heir_has_what_its_parent_had, with_owners),
    RIG_TEST_ON(c_sc5_an_heir_has_what_its_parent_had, with_ats),
    RIG_TEST_ON(what_an_heir_sees_ends_with_it, with_owners),
    RIG_TEST_ON(a_driver_uses_an_heir, with_owners),
    RIG_TEST_ON(somebody_else_s_is_not_bequeathed, with_owners),
    RIG_TEST_ON(an_heir_has_what_its_mediator_lets_it_have, with_owners),
    RIG_TEST_ON(an_heir_has_pasids, with_pasids),
    RIG_TEST_ON(a_narrow_heir_is_translated, with_identity_by_default),
    RIG_TEST_ON(what_is_below_an_heir_has_no_more, with_pasids),
    RIG_TEST_ON(an_heir_has_the_regions_of_its_parent, with_a_region),
    RIG_TEST_ON(an_heir_of_what_does_not_come_back_is_ended, with_a_region),
    RIG_TEST_ON(a_member_goes_while_a_driver_rests, with_two),
    RIG_TEST_ON(no_member_comes_while_a_driver_rests, with_two),
    RIG_TEST_ON(c_sc8_an_heir_is_held_with_its_parent, with_ats),
    RIG_TEST_ON(the_parent_of_an_heir_is_pulled_out, with_owners),
    RIG_TEST_ON(a_driver_that_rests_is_stopped_first, with_owners),
    RIG_TEST_ON(an_heir_moves_the_whole_group, with_two),
    RIG_TEST_ON(a_registration_that_fails_leaves_its_driver, with_owners),
    RIG_TEST_ON(an_heir_that_is_refused_leaves_its_driver, with_owners),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_inherit", tests);
}
