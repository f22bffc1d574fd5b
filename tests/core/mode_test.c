/* SPDX-License-Identifier: MIT */
/*
 * mode_test.c - what protection an endpoint has, as uiommu_effective_mode() says it, is
 * what it has. Default domains and their rules: dma_test. Units that stop DMA badly:
 * quality_test.
 */
#include "tests/core/help.h"

#include "core/core.h"

static const char OWNER[] = "owner";

enum { ENGINE0 }; /* of the default topology */

static struct uiommu_mode mode(struct rig *rig, unsigned n)
{
    struct uiommu_mode m;

    rig_ok(uiommu_effective_mode(rig_endpoint(rig, n), &m));
    return m;
}

static void sees(struct rig *rig, enum uiommu_domain_kind kind,
                 enum uiommu_owned_by owned_by)
{
    const struct uiommu_mode m = mode(rig, 0);

    assert_int_equal(m.sees, kind);
    assert_int_equal(m.owned_by, owned_by);
    if (owned_by != UIOMMU_OWNED_BY_DMA)
        assert_int_equal(m.rule, UIOMMU_DEFAULT_NONE);
    assert_true(strlen(m.because) > 10);
}

static void it_says_what_is_seen_and_whose_it_is(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);

    sees(rig, UIOMMU_DOMAIN_BLOCKED, UIOMMU_OWNED_BY_NOBODY);
    set(rig, 0, d);
    sees(rig, UIOMMU_DOMAIN_PAGING, UIOMMU_OWNED_BY_NOBODY);
    set(rig, 0, uiommu_identity(rig->u));
    sees(rig, UIOMMU_DOMAIN_IDENTITY, UIOMMU_OWNED_BY_NOBODY);
    rig_drop(rig, 0, d);
    rig_ok(uiommu_claim(ep, OWNER));
    sees(rig, UIOMMU_DOMAIN_BLOCKED, UIOMMU_OWNED_BY_USER);
    rig_ok(uiommu_set_domain(ep, uiommu_identity(rig->u), OWNER));
    sees(rig, UIOMMU_DOMAIN_IDENTITY, UIOMMU_OWNED_BY_USER);
    rig_ok(uiommu_release(ep, OWNER));
    rig_ok(uiommu_dma_start(ep, NULL));
    sees(rig, UIOMMU_DOMAIN_PAGING, UIOMMU_OWNED_BY_DMA);
    rig_ok(uiommu_dma_stop(ep));
    sees(rig, UIOMMU_DOMAIN_BLOCKED, UIOMMU_OWNED_BY_NOBODY);
}

static void the_units_there_are_refuse(struct rig *rig)
{
    struct uiommu_unit_info info;
    const struct uiommu_mode m = mode(rig, 0);

    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_int_equal(info.block_quality, UIOMMU_BLOCK_ABORT);
    assert_int_equal(m.block_quality, UIOMMU_BLOCK_ABORT);
    assert_true(m.trusted && !m.quarantined && !m.unit_broken);
}

static void the_best_there_is_can_be_asked_for(struct rig *rig)
{
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), OWNER));
}

static bool abort_alone(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.block_quality = UIOMMU_BLOCK_ABORT;
    return true;
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void ats_is_on_where_something_is_mapped(struct rig *rig)
{
    struct uiommu_domain *d;

    assert_false(mode(rig, 0).ats);
    d = rig_attached(rig, 0);
    assert_true(mode(rig, 0).ats);
    assert_false(mode(rig, 1).ats);
    set(rig, 0, uiommu_identity(rig->u));
    assert_false(mode(rig, 0).ats);
    rig_drop(rig, 0, d);
}

static bool with_pasids(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.engine_caps = SIM_PASID_BITS(7);
    return true;
}

static void pasids_are_those_that_can_be_had(struct rig *rig)
{
    const unsigned bits = mode(rig, 0).pasid_bits;
    uint32_t last = 0;

    if (uiommu_pasid_last(rig_endpoint(rig, 0), &last) == UIOMMU_OK)
        assert_int_equal(last, (1u << bits) - 1);
    else
        assert_int_equal(bits, 0);
    assert_int_equal(bits, rig->config.mode == SIM_LEGACY ||
                                   rig->config.mode == SIM_STAGE_2
                               ? 0
                               : 7);
}

static void interrupts_are_isolated_by_what_is_there(struct rig *rig)
{
    const bool its = rig->config.its;
    struct uiommu_unit_info info;

    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_int_equal(mode(rig, 0).interrupts_isolated, its || info.remaps);
}

static bool without_an_its(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.its = false;
    return true;
}

static void who_is_not_trusted_is_told(struct rig *rig)
{
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .flags = UIOMMU_DEVICE_UNTRUSTED,
        .pci = rig->m->devices[ENGINE0].pci,
    };

    up_to_start(rig);
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[ENGINE0]));
    assert_false(mode(rig, 0).trusted);
    rig_ok(uiommu_device_remove(rig->device[ENGINE0]));
    rig_ok(rig_add(rig, ENGINE0));
    assert_true(mode(rig, 0).trusted);
}

static void who_is_quarantined_sees_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_ok(uim_quarantine(rig_endpoint(rig, 0)));
    assert_true(mode(rig, 0).quarantined);
    assert_false(mode(rig, 0).unit_broken);
    sees(rig, UIOMMU_DOMAIN_BLOCKED, UIOMMU_OWNED_BY_NOBODY);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)), d);
    assert_false(mode(rig, 1).quarantined);
    rig_drop(rig, 0, d);
}

static void a_broken_unit_is_told_of_all(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, GIB(2), rig_pages(rig, 0));

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, GIB(2), RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_true(mode(rig, 0).quarantined && mode(rig, 0).unit_broken);
    assert_true(!mode(rig, 1).quarantined && mode(rig, 1).unit_broken);
    uim_check_silent(sim_door(rig->m), false);
    uiommu_domain_put(d);
}

static void nothing_is_told_of_nobody(struct rig *rig)
{
    struct uiommu_mode m;

    rig_is(uiommu_effective_mode(NULL, &m), UIOMMU_INVAL);
    rig_is(uiommu_effective_mode(rig_endpoint(rig, 0), NULL), UIOMMU_INVAL);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST(it_says_what_is_seen_and_whose_it_is),
        RIG_TEST(the_units_there_are_refuse),
        RIG_TEST_ON(the_best_there_is_can_be_asked_for, abort_alone),
        RIG_TEST_ON(ats_is_on_where_something_is_mapped, with_ats),
        RIG_TEST_ON(pasids_are_those_that_can_be_had, with_pasids),
        RIG_TEST(interrupts_are_isolated_by_what_is_there),
        { .name = "without_an_its_they_are_not",
          .run = interrupts_are_isolated_by_what_is_there,
          .prepare = without_an_its },
        RIG_COLD(who_is_not_trusted_is_told),
        RIG_TEST(who_is_quarantined_sees_nothing),
        RIG_TEST_ON(a_broken_unit_is_told_of_all, in_a_hurry),
        RIG_TEST(nothing_is_told_of_nobody),
        { .name = NULL },
    };

    return rig_run("mode", tests);
}
