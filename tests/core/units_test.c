/* SPDX-License-Identifier: MIT */
/*
 * units_test.c - groups whose devices are behind several units: one domain for all of
 * them, of what all of these units do (semantics B.1, B.5).
 */
#include "tests/core/scripted.h"

#define BASE GIB(2)

static struct script two_units(void)
{
    return (struct script){ .quality = UIOMMU_BLOCK_ABORT, .n_units = 2 };
}

static struct uiommu_domain *domain_of(struct script *s, unsigned dev)
{
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_domain_create(scripted_endpoint(s, dev), NULL, &d));
    return d;
}

static struct uiommu_domain_info info_of(const struct uiommu_domain *d)
{
    struct uiommu_domain_info info;

    uiommu_domain_info(d, &info);
    return info;
}

/* ---- one domain for all -------------------------------------------------------- */

static void a_domain_is_seen_through_all_units(void **state)
{
    struct script s = two_units();
    struct uiommu_domain *d;

    (void)state;
    scripted_open(&s);
    assert_ptr_equal(s.device[0]->group, s.device[1]->group);
    assert_ptr_not_equal(s.device[0]->unit, s.device[1]->unit);
    d = domain_of(&s, 1);
    rig_ok(uiommu_map(d, BASE, 0x7000, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_set_domain(scripted_endpoint(&s, 0), d, NULL));
    for (unsigned dev = 0; dev < 2; dev++)
        assert_int_equal(scripted_lands(&s, dev, BASE), 0x7000);
    for (unsigned dev = 0; dev < 2; dev++)
        s.n_invalidations_of[dev] = 0;
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    for (unsigned dev = 0; dev < 2; dev++) {
        assert_int_equal(s.n_invalidations_of[dev], 1);
        assert_int_equal(scripted_lands(&s, dev, BASE), NOWHERE);
    }
    rig_ok(
        uiommu_set_domain(scripted_endpoint(&s, 1), uiommu_blocked(s.u), NULL));
    uiommu_domain_put(d);
    scripted_close(&s);
}

/* Whoever asks. */
static void a_domain_is_what_all_units_do(void **state)
{
    struct script s = two_units();

    (void)state;
    s.second = (struct uim_unit){ .page_sizes = RIG_PAGE | MIB(2),
                                  .iova_bits = 39,
                                  .phys_bits = 40,
                                  .window_first = 0xfee00000,
                                  .window_last = 0xfeefffff };
    s.second_is_incoherent = true;
    scripted_open(&s);
    for (unsigned dev = 0; dev < 2; dev++) {
        struct uiommu_domain *d = domain_of(&s, dev);

        assert_int_equal(info_of(d).page_sizes, RIG_PAGE);
        assert_int_equal(info_of(d).iova_bits, 39);
        assert_false(d->pt.coherent);
        rig_is(uiommu_map(d, 0, UINT64_C(1) << 40, RIG_PAGE, RIG_RW),
               UIOMMU_INVAL);
        rig_is(uiommu_map(d, 0xfee00000, 0, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
        rig_ok(uiommu_set_domain(scripted_endpoint(&s, dev), d, NULL));
        rig_ok(uiommu_set_domain(scripted_endpoint(&s, dev),
                                 uiommu_blocked(s.u), NULL));
        uiommu_domain_put(d);
    }
    rig_ok(uiommu_dma_start(scripted_endpoint(&s, 0), NULL));
    assert_int_equal(
        info_of(uiommu_endpoint_domain(scripted_endpoint(&s, 1))).iova_bits,
        39);
    rig_ok(uiommu_dma_stop(scripted_endpoint(&s, 0)));
    scripted_close(&s);
}

static void more_than_all_units_do_is_refused(void **state)
{
    struct script s = two_units();
    struct uiommu_domain_config config = { .size = sizeof(config),
                                           .iova_bits = 48 };
    struct uiommu_domain *d;

    (void)state;
    s.second = (struct uim_unit){ .iova_bits = 39 };
    scripted_open(&s);
    rig_is(uiommu_domain_create(scripted_endpoint(&s, 0), &config, &d),
           UIOMMU_INVAL);
    config.iova_bits = 39;
    rig_ok(uiommu_domain_create(scripted_endpoint(&s, 0), &config, &d));
    uiommu_domain_put(d);
    scripted_close(&s);
}

/* ---- none for all ---------------------------------------------------------------- */

static void nothing_in_common(const struct uim_unit *second, const char *says)
{
    const struct uiommu_dma_config translated = { .size = sizeof(translated),
                                                  .kind =
                                                      UIOMMU_DMA_TRANSLATED };
    struct script s = two_units();
    struct uiommu_domain *d = NULL;

    s.second = *second;
    scripted_open(&s);
    for (unsigned dev = 0; dev < 2; dev++) {
        rig_is(uiommu_domain_create(scripted_endpoint(&s, dev), NULL, &d),
               UIOMMU_OPNOTSUPP);
        assert_says(sim_last_log(s.m), says);
        rig_is(uiommu_dma_start(scripted_endpoint(&s, dev), &translated),
               UIOMMU_OPNOTSUPP);
    }
    rig_ok(uiommu_set_domain(scripted_endpoint(&s, 0), uiommu_identity(s.u),
                             NULL));
    assert_int_equal(scripted_lands(&s, 1, BASE), BASE);
    rig_ok(
        uiommu_set_domain(scripted_endpoint(&s, 0), uiommu_blocked(s.u), NULL));
    scripted_close(&s);
}

static void formats_that_differ_have_nothing_in_common(void **state)
{
    const struct uim_unit other = { .format = &uim_pt_vtd_fs };

    (void)state;
    nothing_in_common(&other, "no tables can be made for both: the unit at");
}

/* Of a device that is alone nobody else's unit counts. */
static void groups_of_one_unit_are_not_narrowed(void **state)
{
    struct script s = two_units();
    struct uiommu_domain *d;

    (void)state;
    s.second = (struct uim_unit){ .iova_bits = 39 };
    scripted_open(&s);
    rig_ok(uiommu_device_remove(s.device[1]));
    s.device[1] = NULL;
    d = domain_of(&s, 0);
    assert_int_equal(info_of(d).iova_bits, 48);
    uiommu_domain_put(d);
    scripted_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_is_seen_through_all_units),
        cmocka_unit_test(a_domain_is_what_all_units_do),
        cmocka_unit_test(more_than_all_units_do_is_refused),
        cmocka_unit_test(formats_that_differ_have_nothing_in_common),
        cmocka_unit_test(groups_of_one_unit_are_not_narrowed),
    };

    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
