/* SPDX-License-Identifier: MIT */
/*
 * pasid_group_test.c - PASIDs of devices that others are grouped with, or could be
 * (semantics B.6, S0.6, S0.7, D-62, D-70).
 */
#include "tests/core/groups.h"
#include "tests/core/pasids.h"

#include "core/core.h"

static enum uiommu_status create_first(struct rig *rig, unsigned n)
{
    const struct uiommu_pasid_config config = { .size = sizeof(config),
                                                .first = 1,
                                                .last = 1 };
    struct uiommu_endpoint *ep;

    return uiommu_pasid_create(rig_endpoint(rig, n), &config, &ep);
}

/* ---- wide groups ------------------------------------------------------------------------- */

static bool wide(struct rig *rig, const char **why)
{
    static const struct sim_function both[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },
        { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
        { "gpu", SIM_ENGINE, 2, 0, SIM_PASID | SIM_ATS },
        { "npu", SIM_ENGINE, 3, 0, SIM_PASID_BITS(6) },
    };

    rig->config.functions = both;
    rig->config.n_functions = sizeof(both) / sizeof(both[0]);
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND | UIOMMU_CONFIG_WIDE_PASIDS;
    return has_pasids(rig, why);
}

static void a_wide_pasid_is_the_group_s(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct uiommu_endpoint *ep;
    uint32_t last;

    redirect_only(rig, 2);
    redirect_only(rig, 3);
    up_to_start(rig);
    rig_add_all(rig);
    d = mapped(rig, BASE, page);
    assert_ptr_equal(rig_endpoint(rig, 0)->view->group,
                     rig_endpoint(rig, 1)->view->group);
    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    assert_int_equal(last, 63);
    ep = pasid(rig, 0);
    see(ep, d);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, page));
    assert_true(rig_pasid_reaches(rig, 1, 1, BASE, page));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_pasid_refused(rig, 1, 2, BASE));
    rig_is(create_first(rig, 1), UIOMMU_BUSY);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    assert_true(rig_pasid_refused(rig, 1, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* One member is bound to a process, and the others see it too. */
static void a_wide_bind_is_the_group_s(struct rig *rig)
{
    const struct uiommu_provider_config config = { .size = sizeof(config) };
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = NULL, *other = NULL;
    struct uiommu_provider *p = NULL;

    redirect_only(rig, 2);
    redirect_only(rig, 3);
    up_to_start(rig);
    rig_add_all(rig);
    rig_ok(uiommu_provider_create(rig->u, &config, &p));
    rig_ok(uiommu_sva_bind(rig_endpoint(rig, 0), p, NULL, &ep));
    rig_ok(uiommu_provider_map(p, BASE, page, RIG_PAGE, RIG_RW));
    for (unsigned n = 0; n < 2; n++)
        assert_true(rig_pasid_reaches(rig, n, 1, BASE, page));
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), p, NULL, &other), UIOMMU_BUSY);
    rig_ok(uiommu_sva_unbind(ep, true));
    for (unsigned n = 0; n < 2; n++)
        assert_true(rig_pasid_refused(rig, n, 1, BASE));
    rig_ok(uiommu_sva_bind(rig_endpoint(rig, 1), p, NULL, &other));
    assert_int_equal(uiommu_endpoint_pasid(other), 1);
    rig_ok(uiommu_sva_unbind(other, true));
    uiommu_provider_put(p);
}

/* B.6, D-62: the first member is programmed when the second has no memory for its
 * tables. */
static void only_who_had_succeeded_is_undone(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *old, *next;
    struct uiommu_endpoint *ep;
    unsigned failed = 0;

    redirect_only(rig, 2);
    redirect_only(rig, 3);
    up_to_start(rig);
    rig_add_all(rig);
    old = mapped(rig, BASE, page);
    next = mapped(rig, page, page);
    for (unsigned call = 1; failed < 50; call++, failed++) {
        enum uiommu_status status;

        ep = pasid(rig, 0);
        sim_fail_nth(rig->m, call);
        status = uiommu_set_domain(ep, next, NULL);
        sim_fail_nth(rig->m, 0);
        if (status == UIOMMU_OK)
            break;
        rig_is(status, UIOMMU_NOMEM);
        assert_true(rig_pasid_refused(rig, 0, 1, page));
        assert_true(rig_pasid_refused(rig, 1, 1, page));
        assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
        see(ep, old);
        assert_true(rig_pasid_reaches(rig, 0, 1, BASE, page));
        assert_true(rig_pasid_reaches(rig, 1, 1, BASE, page));
        rig_ok(uiommu_pasid_destroy(ep, true));
    }
    assert_true(failed > 0 && failed < 50);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(old);
    uiommu_domain_put(next);
}

/* ---- strict groups (S0.6, S0.7) ------------------------------------------------------------- */

static bool strict(struct rig *rig, const char **why)
{
    bool applies = wide(rig, why);

    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_WIDE_PASIDS;
    return applies;
}

static void others_in_the_group_are_a_reason(struct rig *rig)
{
    uint32_t last;

    redirect_only(rig, 2);
    redirect_only(rig, 3);
    up_to_start(rig);
    rig_add_all(rig);
    rig_is(uiommu_pasid_last(rig_endpoint(rig, 0), &last), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "others are in its group");
}

static bool with_two_functions(struct rig *rig, const char **why)
{
    static const struct sim_function two[] = {
        { "gpu", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, SIM_PASID | SIM_ACS },
        { "audio", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3 | 1, SIM_ACS },
    };

    rig->config.functions = two;
    rig->config.n_functions = sizeof(two) / sizeof(two[0]);
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND;
    return has_pasids(rig, why);
}

static void who_could_be_joined_later_has_none(struct rig *rig)
{
    uint32_t last;

    redirect_only(rig, 0);
    up_to_start(rig);
    rig_ok(rig_add(rig, 0));
    rig_is(uiommu_pasid_last(rig_endpoint(rig, 0), &last), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "others could come to be in its group");
}

/* ---- groups that come to be one (D-70) ------------------------------------------------------ */

/* f1 joins f0, whose id it uses, and f2, from which nothing keeps it. */
static bool with_go_between_and_pasids(struct rig *rig, const char **why)
{
    static const struct sim_function row[] = {
        { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, SIM_ACS_ON | SIM_PASID },
        { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, 0 },
        { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1a, 0 },
    };

    rig->setup.flags |= UIOMMU_CONFIG_WIDE_PASIDS;
    return has_pasids(rig, why) && BUILD(rig, row);
}

static void f0_and_f2(struct rig *rig)
{
    make_phantom(rig, F1);
    up_to_start(rig);
    rig_ok(rig_add(rig, F0));
    rig_ok(rig_add(rig, F2));
    assert_groups(rig, "0-2");
}

static void a_pasid_is_a_use_of_a_group(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;

    f0_and_f2(rig);
    ep = pasid(rig, F0);
    d = rig_attached(rig, F2);
    rig_is(rig_add(rig, F1), UIOMMU_BUSY);
    assert_groups(rig, "0-2");
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_ok(rig_add(rig, F1));
    assert_groups(rig, "000");
    rig_drop(rig, F2, d);
}

static void a_number_waits_in_a_larger_group_too(struct rig *rig)
{
    struct uiommu_domain *d;

    f0_and_f2(rig);
    rig_ok(uiommu_pasid_destroy(pasid(rig, F0), false));
    d = rig_attached(rig, F2);
    rig_ok(rig_add(rig, F1));
    assert_groups(rig, "000");
    rig_is(create_first(rig, F0), UIOMMU_BUSY);
    rig_drop(rig, F2, d);
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(a_wide_pasid_is_the_group_s, wide),
    RIG_COLD_ON(a_wide_bind_is_the_group_s, wide),
    RIG_COLD_ON(only_who_had_succeeded_is_undone, wide),
    RIG_COLD_ON(others_in_the_group_are_a_reason, strict),
    RIG_COLD_ON(who_could_be_joined_later_has_none, with_two_functions),
    RIG_COLD_ON(a_pasid_is_a_use_of_a_group, with_go_between_and_pasids),
    RIG_COLD_ON(a_number_waits_in_a_larger_group_too,
                with_go_between_and_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("pasid_group", tests);
}
