/* SPDX-License-Identifier: MIT */
/*
 * mdev_life_test.c - mediated devices while their parents are reset, go, or are of groups
 * with others (semantics B.19, C.5, C.9).
 */
#include "tests/core/lookout.h"
#include "tests/core/mdevs.h"

#define APART (BASE + GIB(1)) /* where mediators do not look */

/* ---- machines ---------------------------------------------------------------------- */

static bool with_ats(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_pasids_and_ats(rig, why);
}

static void pull_out(struct rig *rig, unsigned n)
{
    unsigned dev = rig_engine(rig, n);

    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
}

static bool sends(struct rig *rig, unsigned n, uint32_t number)
{
    uint64_t value = 0;

    return rig_dma(rig, n, number, true, BASE, &value);
}

/* ---- the parent is pulled out (C-SC7) ------------------------------------------------- */

static void assert_dead(struct rig *rig, struct part *part,
                        struct uiommu_domain *d)
{
    struct uiommu_domain *e = NULL;
    struct uiommu_mode mode;

    assert_int_equal(part->pasid, 0);
    assert_int_equal(uiommu_endpoint_pasid(part->ep), UIOMMU_NO_PASID);
    assert_ptr_equal(uiommu_endpoint_domain(part->ep), uiommu_blocked(rig->u));
    rig_is(uiommu_domain_create(part->ep, NULL, &e), UIOMMU_NODEV);
    rig_is(uiommu_dma_start(part->ep, NULL), UIOMMU_NODEV);
    rig_is(uiommu_claim(part->ep, &mode), UIOMMU_NODEV);
    rig_is(uiommu_set_domain(part->ep, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(part->ep, uiommu_blocked(rig->u), NULL));
    rig_ok(uiommu_effective_mode(part->ep, &mode));
    assert_true(mode.quarantined && mode.sees == UIOMMU_DOMAIN_BLOCKED);
}

/* Nothing waits for what does not answer, and whoever has a part hears that it is gone. */
static void c_sc7_a_parent_is_pulled_out(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part[3];
    const int owner = 0;
    uint64_t before;

    for (unsigned i = 0; i < 3; i++)
        lend(rig, 0, &part[i]);
    see(part[0].ep, d);
    rig_ok(uiommu_claim(part[1].ep, &owner));
    rig_ok(uiommu_set_domain(part[1].ep, d, &owner));
    assert_true(sends(rig, 0, part[0].pasid));
    before = now_ns(rig);
    pull_out(rig, 0);
    assert_true(now_ns(rig) - before < 1000 * 1000);
    assert_int_equal(part[0].clears + part[1].clears, 2);
    assert_int_equal(part[2].clears, 0);
    rig_is(uiommu_set_domain(part[1].ep, d, &owner), UIOMMU_NODEV);
    rig_is(uiommu_mdev_unregister(part[1].ep), UIOMMU_BUSY);
    rig_ok(uiommu_release(part[1].ep, &owner));
    for (unsigned i = 0; i < 3; i++)
        assert_dead(rig, &part[i], d);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    uiommu_domain_put(d); /* nobody sees it */
    for (unsigned i = 0; i < 3; i++)
        take_home(&part[i]);
    assert_int_equal(part[0].clears + part[1].clears, 2);
}

static void what_had_its_number_from_the_start_has_it_no_more(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part[2];

    for (unsigned i = 0; i < 2; i++)
        lend_as(rig, 0, &part[i], UIOMMU_MDEV_EARLY);
    see(part[0].ep, d);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_true(sends(rig, 0, 1));
    assert_false(sends(rig, 0, 2));
    pull_out(rig, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_dead(rig, &part[i], d);
        take_home(&part[i]);
    }
    uiommu_domain_put(d);
}

static void what_comes_to_its_place_has_no_parts(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part old, part;

    lend(rig, 0, &old);
    see(old.ep, d);
    pull_out(rig, 0);
    assert_true(sim_plug(rig->m, rig_engine(rig, 0)));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    assert_false(sends(rig, 0, 1));
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_int_equal(part.pasid, 1);
    take_home(&old);
    assert_true(sends(rig, 0, 1));
    take_home(&part);
    uiommu_domain_put(d);
}

static void an_instance_does_not_stop_under_parts(struct rig *rig)
{
    const struct uiommu_record *record = NULL;
    struct part part;
    size_t size = 0;

    lend(rig, 0, &part);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_IDENTITY, &record, &size),
           rig_lacks(rig, RIG_ADOPTION) ? UIOMMU_OPNOTSUPP : UIOMMU_BUSY);
    pull_out(rig, 0);
    for (unsigned dev = rig->m->n_devices; dev-- > 0;) {
        if (rig->device[dev])
            rig_ok(uiommu_device_remove(rig->device[dev]));
        rig->device[dev] = NULL;
    }
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    take_home(&part);
}

static void what_a_driver_uses_is_stopped_first(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);
    struct part part;

    lend(rig, 0, &part);
    rig_ok(uiommu_dma_start(part.ep, NULL));
    sim_unplug(rig->m, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    sim_advance(rig->m, 1);
    (void)!uiommu_dma_stop(part.ep); /* its device does not answer */
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    take_home(&part);
}

static void nothing_changes_while_the_machine_sleeps(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part;

    lend(rig, 0, &part);
    see(part.ep, d);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_mdev_unregister(part.ep), UIOMMU_AGAIN);
    rig_is(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_AGAIN);
    assert_int_equal(part.clears, 0);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(sends(rig, 0, 1));
    take_home(&part);
    assert_false(sends(rig, 0, 1));
    uiommu_domain_put(d);
}

/* ---- the parent is reset (C-SC8) ---------------------------------------------------------- */

/* Nothing gets through once it has begun, and the mediator could still stop its queues. */
static void c_sc8_parts_are_held_with_their_parent(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_domain *e = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part, idle;
    const int owner = 0;

    set(rig, 0, d);
    lend(rig, 0, &part);
    lend(rig, 0, &idle);
    see(part.ep, d);
    for (unsigned i = 1; i <= 2; i++) {
        rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
        rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
        assert_int_equal(part.begun + idle.begun, 2 * i);
        assert_false(sends(rig, 0, 1));
        assert_ptr_equal(uiommu_endpoint_domain(part.ep), d);
        rig_is(uiommu_set_domain(part.ep, e, NULL), UIOMMU_BUSY);
        rig_is(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL),
               UIOMMU_BUSY);
        rig_is(uiommu_set_domain(idle.ep, e, NULL), UIOMMU_BUSY);
        rig_is(uiommu_claim(idle.ep, &owner), UIOMMU_BUSY);
        rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
        assert_int_equal(part.ended + idle.ended, 2 * (i - 1));
        rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
        assert_int_equal(part.ended + idle.ended, 2 * i);
        assert_true(sends(rig, 0, 1));
        assert_true(sends(rig, 0, UIOMMU_NO_PASID));
    }
    assert_int_equal(part.failed + idle.failed, 0);
    assert_int_equal(part.installs, 1);
    see(part.ep, e);
    take_home(&part);
    take_home(&idle);
    rig_drop(rig, 0, d);
    uiommu_domain_put(e);
}

static void c_sc8_a_reset_that_failed_leaves_all_blocked(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part, idle;
    struct uiommu_mode mode;

    lend(rig, 0, &part);
    lend(rig, 0, &idle);
    see(part.ep, d);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), false));
    assert_int_equal(part.failed + idle.failed, 2);
    assert_int_equal(part.ended + idle.ended, 0);
    assert_ptr_equal(part.domain, uiommu_blocked(rig->u)); /* it was told */
    assert_ptr_equal(uiommu_endpoint_domain(part.ep), uiommu_blocked(rig->u));
    assert_false(sends(rig, 0, 1));
    rig_ok(uiommu_effective_mode(part.ep, &mode));
    assert_true(mode.quarantined && mode.sees == UIOMMU_DOMAIN_BLOCKED);
    rig_is(uiommu_set_domain(part.ep, d, NULL), UIOMMU_NODEV);
    rig_is(uiommu_set_domain(idle.ep, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL));
    assert_int_equal(part.pasid, 0);
    take_home(&part);
    take_home(&idle);
    uiommu_domain_put(d);
}

/* What has to succeed does. */
static void an_owner_can_leave_in_a_reset(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part, other;
    const int owner = 0;

    lend(rig, 0, &part);
    lend(rig, 0, &other);
    rig_ok(uiommu_claim(part.ep, &owner));
    rig_ok(uiommu_set_domain(part.ep, d, &owner));
    see(other.ep, d);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_release(part.ep, &owner));
    assert_int_equal(part.pasid, 0);
    take_home(&other);
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(part.ended, 1);
    assert_false(sends(rig, 0, 1));
    assert_false(sends(rig, 0, 2));
    see(part.ep, d);
    assert_true(sends(rig, 0, part.pasid));
    take_home(&part);
    uiommu_domain_put(d);
}

/* ---- groups with two members (C-SC10) -------------------------------------------------------- */

enum { W_DOWN0 = 2, W_DOWN1, W_GPU, W_NPU };

#define BELOW_TWO_PORTS(npu)                                                   \
    {                                                                          \
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },   \
            { "up", SIM_UPSTREAM, 0, 0, 0 },                                   \
            { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },                   \
            { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },                   \
            { "gpu", SIM_ENGINE, W_DOWN0, 0, SIM_PASID },                      \
            { "npu", SIM_ENGINE, W_DOWN1, 0, npu },                            \
    }

static const struct sim_function with_fewer[] =
    BELOW_TWO_PORTS(SIM_PASID_BITS(6));
static const struct sim_function with_none[] = BELOW_TWO_PORTS(0);

static bool two(struct rig *rig, const struct sim_function *functions,
                uint32_t flags, const char **why)
{
    rig->config.functions = functions;
    rig->config.n_functions = 6;
    rig->setup.flags |=
        UIOMMU_CONFIG_ACS_AS_FOUND | UIOMMU_CONFIG_UNSAFE_INTERRUPTS | flags;
    return has_pasids(rig, why);
}

static bool strict(struct rig *rig, const char **why)
{
    return two(rig, with_fewer, 0, why);
}

static bool wide_with_fewer(struct rig *rig, const char **why)
{
    return two(rig, with_fewer, UIOMMU_CONFIG_WIDE_PASIDS, why);
}

static bool wide_with_none(struct rig *rig, const char **why)
{
    return two(rig, with_none, UIOMMU_CONFIG_WIDE_PASIDS, why);
}

/* The npu is known before it is added. */
static bool wide_with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { GIB(3), RIG_PAGE, W_NPU } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return wide_with_fewer(rig, why);
}

static void up_with_both(struct rig *rig)
{
    redirect_only(rig, W_DOWN0);
    redirect_only(rig, W_DOWN1);
    up(rig);
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, 0)),
                     uiommu_endpoint_group(rig_endpoint(rig, 1)));
}

static void c_sc10_others_in_the_group_are_a_reason(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    const struct uiommu_mdev_config config = part_config(&part, rig, 0);

    up_with_both(rig);
    rig_is(uiommu_mdev_register(rig->device[W_GPU], &config, &ep),
           UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "others are in its group");
}

static void c_sc10_numbers_are_those_of_both(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    struct uiommu_mdev_config config = part_config(&part, rig, 0);
    struct uiommu_domain *d;

    up_with_both(rig);
    d = mapped(rig, BASE, rig_pages(rig, 0));
    config.first = config.last = 64;
    rig_is(uiommu_mdev_register(rig->device[W_GPU], &config, &ep),
           UIOMMU_INVAL);
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_true(sends(rig, 0, 1));
    assert_true(sends(rig, 1, 1)); /* a PASID is the group's */
    take_home(&part);
    assert_false(sends(rig, 1, 1));
    uiommu_domain_put(d);
}

/* Store by store: what one has both gain and lose; a part that is there, and what carries
 * no PASID, go on. */
static void c_sc10_neither_notices_another_part(struct rig *rig)
{
    const uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *d, *e;
    struct part still, part;

    up_with_both(rig);
    d = mapped(rig, APART, a);
    e = mapped(rig, APART, b);
    set(rig, 0, e);
    lend(rig, 0, &still);
    see(still.ep, e);
    lend(rig, 0, &part);
    for (unsigned i = 0; i < 2; i++) {
        struct lookout l = { .n = 0 };

        for (unsigned n = 0; n < 2; n++) {
            watch_dma(&l, rig, n, APART, b, b);
            watch_pasid(&l, rig, n, 1, APART, b, b);
            watch_pasid(&l, rig, n, 2, APART, i == 0 ? NOWHERE : a,
                        i == 0 ? a : NOWHERE);
        }
        begin(rig, &l);
        see(part.ep, i == 0 ? d : uiommu_blocked(rig->u));
        end(rig, &l);
    }
    take_home(&part);
    take_home(&still);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static void c_sc10_who_has_no_pasids_is_left_out(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    struct part part = { 0 };
    const struct uiommu_mdev_config config = part_config(&part, rig, 1);
    struct uiommu_domain *d;
    const int owner = 0;

    up_with_both(rig);
    d = mapped(rig, BASE, rig_pages(rig, 0));
    rig_is(uiommu_mdev_register(rig->device[W_NPU], &config, &ep),
           UIOMMU_OPNOTSUPP);
    lend(rig, 0, &part);
    see(part.ep, d);
    assert_true(sends(rig, 0, 1));
    assert_false(sends(rig, 1, 1));
    rig_is(uiommu_claim(rig_endpoint(rig, 1), &owner), UIOMMU_BUSY);
    take_home(&part);
    uiommu_domain_put(d);
}

/* The other member goes on without that one's parts. */
static void one_of_two_members_goes(struct rig *rig)
{
    struct part one, two_;
    struct uiommu_domain *d;

    up_with_both(rig);
    d = mapped(rig, BASE, rig_pages(rig, 0));
    lend(rig, 0, &one);
    lend(rig, 1, &two_);
    see(one.ep, d);
    see(two_.ep, d);
    assert_true(sends(rig, 1, 1) && sends(rig, 1, 2));
    pull_out(rig, 0);
    assert_false(sends(rig, 1, 1));
    assert_true(sends(rig, 1, 2));
    assert_dead(rig, &one, d);
    take_home(&one);
    see(two_.ep, uiommu_blocked(rig->u));
    see(two_.ep, d);
    assert_int_equal(two_.pasid, 1);
    take_home(&two_);
    uiommu_domain_put(d);
}

/* Another call, that comes when the mutex of the group is free for the first time. */
static struct {
    struct part *part;
    struct uiommu_domain *d;
    const void *mutex;
    void (*unlock)(void *ctx, void *mutex);
    unsigned n;
} beside;

static void unlock_beside(void *ctx, void *mutex)
{
    beside.unlock(ctx, mutex);
    if (mutex != beside.mutex || beside.n++ > 0)
        return;
    see(beside.part->ep, beside.d);
}

/* Who is about to go gets no number any more. */
static void a_member_that_goes_gets_no_number(struct rig *rig)
{
    struct uiommu_host *h;
    struct part part;

    up_with_both(rig);
    h = &rig->u->host;
    beside.d = mapped(rig, BASE, rig_pages(rig, 0));
    beside.part = &part;
    beside.n = 0;
    lend(rig, 0, &part);
    beside.mutex = uiommu_endpoint_group(rig_endpoint(rig, 0))->lock;
    beside.unlock = h->mutex_unlock;
    h->mutex_unlock = unlock_beside;
    rig_ok(uiommu_device_remove(rig->device[W_NPU]));
    h->mutex_unlock = beside.unlock;
    rig->device[W_NPU] = NULL;
    assert_true(beside.n > 0);
    assert_true(sends(rig, 0, 1));
    see(part.ep, uiommu_blocked(rig->u));
    take_home(&part);
    uiommu_domain_put(beside.d);
}

/* Who joins a group sees what its parts see. */
static void who_comes_later_sees_what_parts_see(struct rig *rig)
{
    struct uiommu_domain *d;
    struct part part;

    redirect_only(rig, W_DOWN0);
    redirect_only(rig, W_DOWN1);
    up_to_start(rig);
    for (unsigned dev = 0; dev <= W_GPU; dev++)
        rig_ok(rig_add(rig, dev));
    d = mapped(rig, BASE, rig_pages(rig, 0));
    lend(rig, 0, &part);
    see(part.ep, d);
    rig_ok(rig_add(rig, W_NPU));
    assert_true(sends(rig, 1, 1));
    see(part.ep, uiommu_blocked(rig->u));
    assert_false(sends(rig, 1, 1));
    take_home(&part);
    uiommu_domain_put(d);
}

/* That has no number yet, but it is in use: it does not become part of another, although
 * that would else go before it. */
static void a_lent_group_stays_the_group(struct rig *rig)
{
    struct uiommu_group *group;
    struct uiommu_domain *d;
    struct part part;

    redirect_only(rig, W_DOWN0);
    redirect_only(rig, W_DOWN1);
    up_to_start(rig);
    for (unsigned dev = 0; dev <= W_GPU; dev++)
        rig_ok(rig_add(rig, dev));
    d = mapped(rig, BASE, rig_pages(rig, 0));
    lend(rig, 0, &part);
    group = uiommu_endpoint_group(rig_endpoint(rig, 0));
    rig_ok(rig_add(rig, W_NPU));
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, 1)), group);
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, 0)), group);
    see(part.ep, d);
    assert_true(sends(rig, 0, 1) && sends(rig, 1, 1));
    take_home(&part);
    uiommu_domain_put(d);
}

/* Before somebody has the mutex of the gpu's group that becomes part of the npu's. */
static struct {
    struct rig *rig;
    const void *mutex;
    void (*lock)(void *ctx, void *mutex);
    unsigned n;
} merging;

static void lock_after_a_merge(void *ctx, void *mutex)
{
    if (mutex == merging.mutex && merging.n++ == 0)
        rig_ok(rig_add(merging.rig, W_NPU));
    merging.lock(ctx, mutex);
}

/* It asks for the group that the device is of by then, which cannot be claimed. */
static void who_meets_a_merge_is_of_the_new_group(struct rig *rig)
{
    struct uiommu_host *h;
    struct uiommu_group *group;
    const int owner = 0;

    redirect_only(rig, W_DOWN0);
    redirect_only(rig, W_DOWN1);
    up_to_start(rig);
    for (unsigned dev = 0; dev <= W_GPU; dev++)
        rig_ok(rig_add(rig, dev));
    h = &rig->u->host;
    group = uiommu_endpoint_group(rig_endpoint(rig, 0));
    merging.rig = rig;
    merging.mutex = group->lock;
    merging.n = 0;
    merging.lock = h->mutex_lock;
    h->mutex_lock = lock_after_a_merge;
    rig_is(uiommu_claim(rig_endpoint(rig, 0), &owner), UIOMMU_INVAL);
    h->mutex_lock = merging.lock;
    assert_true(merging.n > 1);
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, 0)),
                     uiommu_endpoint_group(rig_endpoint(rig, 1)));
}

/* ---- virtual functions (C-SC12) ------------------------------------------------------------------ */

#define VIRTUAL_OF(pf)                                                         \
    {                                                                          \
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },      \
            { "pf", SIM_ENGINE, 0, 0, SIM_ATS | (pf) | SIM_VFS_ON },           \
            { "vf0", SIM_VIRTUAL, 1, 2 << 3 | 1, SIM_ATS },                    \
            { "vf1", SIM_VIRTUAL, 1, 2 << 3 | 2, SIM_ATS },                    \
    }

static bool virtual_of(struct rig *rig, const struct sim_function *functions,
                       const char **why)
{
    rig->config.ats = true;
    rig->config.functions = functions;
    rig->config.n_functions = 4;
    return has_pasids(rig, why);
}

static bool with_virtual(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = VIRTUAL_OF(SIM_PASID);

    return virtual_of(rig, functions, why);
}

static bool with_virtual_without(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = VIRTUAL_OF(0);

    return virtual_of(rig, functions, why);
}

/* Its physical function has the numbers switched on, and takes it along in a reset. */
static void c_sc12_a_virtual_function_has_parts(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part part;

    lend(rig, 1, &part);
    see(part.ep, d);
    assert_true(sends(rig, 1, 1));
    assert_false(sends(rig, 0, 1));
    assert_false(sends(rig, 2, 1));
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    assert_int_equal(part.begun, 1);
    assert_false(sends(rig, 1, 1));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(part.ended, 1);
    assert_true(sends(rig, 1, 1));
    take_home(&part);
    uiommu_domain_put(d);
}

static void refuses_parts(struct rig *rig, unsigned n)
{
    struct part part = { 0 };
    const struct uiommu_mdev_config config = part_config(&part, rig, n);

    rig_is(uiommu_mdev_register(parent(rig, n), &config, &part.ep),
           UIOMMU_OPNOTSUPP);
}

/* They are its physical function's, and that has none. */
static void c_sc12_without_numbers_above_there_are_none(struct rig *rig)
{
    for (unsigned n = 0; n < 3; n++)
        refuses_parts(rig, n);
}

/* Or has them switched off by somebody else when the virtual one comes. */
static void c_sc12_numbers_that_are_off_above_are_not_there(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    struct uim_pci_pasid cap;
    struct part part;

    rig_ok(uiommu_device_remove(parent(rig, 1)));
    rig->device[rig_engine(rig, 1)] = NULL;
    rig_ok(uim_pci_pasid(h, rig->m->devices[rig_engine(rig, 0)].pci, &cap));
    uim_pci_pasid_disable(h, rig->m->devices[rig_engine(rig, 0)].pci,
                          cap.offset);
    rig_ok(rig_add(rig, rig_engine(rig, 1)));
    refuses_parts(rig, 1);
    lend(rig, 2, &part);
    take_home(&part);
}

/* Store by store. */
static void c_sc12_no_other_function_notices_a_part(struct rig *rig)
{
    const uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, APART, a), *e = mapped(rig, APART, b);
    struct part part;

    for (unsigned n = 0; n < 3; n++)
        set(rig, n, e);
    lend(rig, 1, &part);
    for (unsigned i = 0; i < 2; i++) {
        struct lookout l = { .n = 0 };

        for (unsigned n = 0; n < 3; n++) {
            const uint64_t has = n == 1 ? a : NOWHERE;

            watch_dma(&l, rig, n, APART, b, b);
            watch_pasid(&l, rig, n, 1, APART, i == 0 ? NOWHERE : has,
                        i == 0 ? has : NOWHERE);
        }
        begin(rig, &l);
        see(part.ep, i == 0 ? d : uiommu_blocked(rig->u));
        end(rig, &l);
    }
    take_home(&part);
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc7_a_parent_is_pulled_out, with_ats),
    RIG_TEST_ON(what_had_its_number_from_the_start_has_it_no_more, with_ats),
    RIG_TEST_ON(what_comes_to_its_place_has_no_parts, with_ats),
    RIG_TEST_ON(an_instance_does_not_stop_under_parts, with_ats),
    RIG_TEST_ON(what_a_driver_uses_is_stopped_first, with_ats),
    RIG_TEST_ON(nothing_changes_while_the_machine_sleeps, with_ats),
    RIG_TEST_ON(c_sc8_parts_are_held_with_their_parent, with_ats),
    RIG_TEST_ON(c_sc8_a_reset_that_failed_leaves_all_blocked, with_ats),
    RIG_TEST_ON(an_owner_can_leave_in_a_reset, with_ats),
    RIG_COLD_ON(c_sc10_others_in_the_group_are_a_reason, strict),
    RIG_COLD_ON(c_sc10_numbers_are_those_of_both, wide_with_fewer),
    RIG_COLD_ON(c_sc10_neither_notices_another_part, wide_with_fewer),
    RIG_COLD_ON(c_sc10_who_has_no_pasids_is_left_out, wide_with_none),
    RIG_COLD_ON(one_of_two_members_goes, wide_with_fewer),
    { .name = "a_member_that_goes_gets_no_number",
      .run = a_member_that_goes_gets_no_number,
      .prepare = wide_with_fewer,
      .cold = true,
      .once = "another call begins inside" },
    RIG_COLD_ON(who_comes_later_sees_what_parts_see, wide_with_fewer),
    RIG_COLD_ON(a_lent_group_stays_the_group, wide_with_region),
    { .name = "who_meets_a_merge_is_of_the_new_group",
      .run = who_meets_a_merge_is_of_the_new_group,
      .prepare = wide_with_region,
      .cold = true,
      .once = "another call begins inside" },
    RIG_TEST_ON(c_sc12_a_virtual_function_has_parts, with_virtual),
    RIG_TEST_ON(c_sc12_without_numbers_above_there_are_none,
                with_virtual_without),
    RIG_TEST_ON(c_sc12_numbers_that_are_off_above_are_not_there, with_virtual),
    RIG_TEST_ON(c_sc12_no_other_function_notices_a_part, with_virtual),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_life", tests);
}
