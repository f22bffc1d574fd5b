/* SPDX-License-Identifier: MIT */
/*
 * mdev_share_test.c - parts of a device that have one number where they see one domain
 * (semantics C.4, S3.11).
 */
#include "tests/core/mdevs.h"

static unsigned numbers(struct rig *rig)
{
    struct uiommu_group *group = uiommu_endpoint_group(rig_endpoint(rig, 0));
    unsigned n = 0;

    for (struct uim_node *p = group->pasids.next; p != &group->pasids;
         p = p->next)
        n++;
    return n;
}

/* C-SC9 */
static void c_sc9_eight_parts_have_two_numbers(struct rig *rig)
{
    uint64_t page[2] = { rig_pages(rig, 0), rig_pages(rig, 0) };
    struct uiommu_domain *d[2] = { mapped(rig, BASE, page[0]),
                                   mapped(rig, BASE, page[1]) };
    struct part part[8];

    for (unsigned i = 0; i < 8; i++) {
        lend_as(rig, 0, &part[i], UIOMMU_MDEV_SHARE);
        see(part[i].ep, d[i % 2]);
        assert_int_equal(part[i].pasid, 1 + i % 2);
        assert_int_equal(uiommu_endpoint_pasid(part[i].ep), 1 + i % 2);
    }
    assert_int_equal(numbers(rig), 2);
    assert_true(reaches(rig, 0, part[0].ep, BASE, page[0]));
    assert_true(reaches(rig, 0, part[1].ep, BASE, page[1]));
    see(part[0].ep, d[1]);
    assert_int_equal(part[0].pasid, 2);
    assert_int_equal(part[0].clears, 1);
    assert_int_equal(part[0].installs, 2);
    for (unsigned i = 1; i < 8; i++) {
        assert_int_equal(part[i].installs, 1);
        assert_int_equal(part[i].clears, 0);
        assert_ptr_equal(uiommu_endpoint_domain(part[i].ep), d[i % 2]);
    }
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, page[0]));
    for (unsigned i = 2; i < 8; i += 2)
        see(part[i].ep, d[1]);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    assert_int_equal(numbers(rig), 1);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(rig_pasid_reaches(rig, 0, 2, BASE, page[1]));
        take_home(&part[i]);
    }
    assert_true(rig_pasid_refused(rig, 0, 2, BASE));
    assert_int_equal(numbers(rig), 0);
    for (unsigned i = 0; i < 2; i++)
        uiommu_domain_put(d[i]);
}

static void who_does_not_ask_for_it_shares_nothing(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *space;
    struct uiommu_mdev_config config;
    struct part alone, one, two, far = { 0 };

    lend(rig, 0, &alone);
    lend_as(rig, 0, &one, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    config = part_config(&far, rig, 0);
    config.flags = UIOMMU_MDEV_SHARE;
    config.first = 20;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &far.ep));
    see(space = pasid(rig, 0), d);
    see(alone.ep, d);
    see(one.ep, d);
    see(two.ep, d);
    see(far.ep, d);
    assert_int_equal(alone.pasid, 2);
    assert_int_equal(one.pasid, 3);
    assert_int_equal(two.pasid, 3);
    assert_int_equal(far.pasid, 20); /* it may not have 3 */
    take_home(&one);
    assert_true(rig_pasid_refused(rig, 0, 4, BASE));
    assert_int_equal(numbers(rig), 4);
    take_home(&two);
    take_home(&alone);
    take_home(&far);
    rig_ok(uiommu_pasid_destroy(space, true));
    uiommu_domain_put(d);
}

/* One of them did not stop: the last one to leave leaves the number behind. */
static void a_number_waits_whoever_is_the_last(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct part one, two;

    lend_as(rig, 0, &one, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    see(one.ep, d);
    see(two.ep, d);
    one.stuck = true;
    see(one.ep, uiommu_blocked(rig->u));
    see(two.ep, uiommu_blocked(rig->u));
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    see(two.ep, d);
    assert_int_equal(two.pasid, 2);
    take_home(&one);
    take_home(&two);
    uiommu_domain_put(d);
}

/* It goes back to where it was; and if it cannot, it sees nothing. */
static void a_move_that_is_refused_is_undone(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0)),
                         *e = mapped(rig, BASE, rig_pages(rig, 0));
    struct part one, two;

    lend_as(rig, 0, &one, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    see(one.ep, d);
    see(two.ep, d);
    one.refuses = UIOMMU_NOSPC;
    one.refusals = 1;
    rig_is(uiommu_set_domain(one.ep, e, NULL), UIOMMU_NOSPC);
    assert_ptr_equal(uiommu_endpoint_domain(one.ep), d);
    assert_int_equal(one.pasid, 1);
    assert_int_equal(one.installs, 3);
    assert_true(rig_pasid_refused(rig, 0, 2, BASE));
    one.refusals = 2;
    rig_is(uiommu_set_domain(one.ep, e, NULL), UIOMMU_NOSPC);
    assert_ptr_equal(uiommu_endpoint_domain(one.ep), uiommu_blocked(rig->u));
    assert_int_equal(one.pasid, 0);
    assert_int_equal(one.installs, 5);
    assert_int_equal(numbers(rig), 1);
    assert_int_equal(two.installs, 1);
    assert_int_equal(two.pasid, 1);
    see(one.ep, e);
    assert_int_equal(one.pasid, 2);
    take_home(&one);
    take_home(&two);
    assert_int_equal(numbers(rig), 0);
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static void lend_range(struct rig *rig, struct part *part, uint32_t first,
                       uint32_t last)
{
    struct uiommu_mdev_config config;

    *part = (struct part){ 0 };
    config = part_config(part, rig, 0);
    config.flags = UIOMMU_MDEV_SHARE;
    config.first = first;
    config.last = last;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part->ep));
}

/* The one that it has would become free: it keeps it. */
static void the_last_of_a_number_goes_on_with_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0)),
                         *e = mapped(rig, BASE, page);
    struct part one, two;

    lend_range(rig, &one, 5, 5);
    lend_range(rig, &two, 5, 5);
    see(one.ep, d);
    see(two.ep, d);
    rig_is(uiommu_set_domain(one.ep, e, NULL), UIOMMU_BUSY);
    assert_int_equal(one.pasid, 5);
    see(two.ep, uiommu_blocked(rig->u));
    see(one.ep, e);
    assert_int_equal(one.pasid, 5);
    assert_int_equal(one.installs, 1);
    assert_true(rig_pasid_reaches(rig, 0, 5, BASE, page));
    rig_is(uiommu_set_domain(two.ep, d, NULL), UIOMMU_BUSY);
    see(two.ep, e); /* it may be shared as before */
    assert_int_equal(two.pasid, 5);
    take_home(&one);
    take_home(&two);
    assert_int_equal(numbers(rig), 0);
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

/* Somebody may still send it, who must not see the other domain. */
static void a_number_that_was_not_let_go_is_not_gone_on_with(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0)),
                         *e = mapped(rig, BASE, rig_pages(rig, 0));
    struct part one, two;

    lend_range(rig, &one, 5, 6);
    lend_range(rig, &two, 5, 6);
    see(one.ep, d);
    see(two.ep, d);
    one.stuck = true;
    see(one.ep, uiommu_blocked(rig->u));
    see(two.ep, e);
    assert_int_equal(two.pasid, 6);
    assert_true(rig_pasid_refused(rig, 0, 5, BASE));
    take_home(&one);
    take_home(&two);
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static bool in_a_hurry_with_pasids(struct rig *rig, const char **why)
{
    return in_a_hurry(rig, why) && with_pasids(rig, why);
}

/* What could not be invalidated is seen with that number by nobody any more. */
static void a_number_that_was_cut_is_not_shared(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    enum uiommu_status status;
    struct part one, two;

    lend_as(rig, 0, &one, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &two, UIOMMU_MDEV_SHARE);
    see(one.ep, d);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    map_page(d, BASE, page);
    status = uiommu_set_domain(two.ep, d, NULL);
    assert_int_equal(one.pasid, 1);
    assert_int_equal(two.pasid, status == UIOMMU_OK ? 2 : 0);
    if (status == UIOMMU_OK) /* some units go on answering nothing */
        assert_true(rig_pasid_reaches(rig, 0, 2, BASE, page));
    (void)!uiommu_mdev_unregister(one.ep);
    (void)!uiommu_mdev_unregister(two.ep);
    uiommu_domain_put(d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc9_eight_parts_have_two_numbers, with_pasids),
    RIG_TEST_ON(c_sc9_eight_parts_have_two_numbers, with_pasids_and_ats),
    RIG_TEST_ON(who_does_not_ask_for_it_shares_nothing, with_pasids),
    RIG_TEST_ON(a_number_waits_whoever_is_the_last, with_pasids),
    RIG_TEST_ON(a_move_that_is_refused_is_undone, with_pasids),
    RIG_TEST_ON(the_last_of_a_number_goes_on_with_it, with_pasids),
    RIG_TEST_ON(a_number_that_was_not_let_go_is_not_gone_on_with, with_pasids),
    RIG_TEST_ON(a_number_that_was_cut_is_not_shared, in_a_hurry_with_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_share", tests);
}
