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

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc9_eight_parts_have_two_numbers, with_pasids),
    RIG_TEST_ON(c_sc9_eight_parts_have_two_numbers, with_pasids_and_ats),
    RIG_TEST_ON(who_does_not_ask_for_it_shares_nothing, with_pasids),
    RIG_TEST_ON(a_number_waits_whoever_is_the_last, with_pasids),
    RIG_TEST_ON(a_move_that_is_refused_is_undone, with_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_share", tests);
}
