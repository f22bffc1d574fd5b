/* SPDX-License-Identifier: MIT */
/*
 * devtlb_test.c - devices whose TLBs never answer (semantics B.8, B.19; VT-d: ITE, SMMUv3:
 * CERROR_ATC_INV_SYNC), of which there may be several: whoever waits for one is told, it is
 * shut off, and all others go on with their DMA and their invalidations.
 */
#include "tests/core/help.h"

#include "core/driver.h"

#include <uiommu/mode.h>

#define BASE GIB(2)

enum { DEVICES = 3 };

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    hurry(rig);
    return true;
}

static void fill(struct rig *rig, unsigned n, uint64_t pages)
{
    for (unsigned i = 0; i < 2; i++)
        assert_true(
            rig_reaches(rig, n, BASE + i * RIG_PAGE, pages + i * RIG_PAGE));
    assert_true(sim_devtlb_entries(rig->m, rig_engine(rig, n)) > 0);
}

/* Two pages in a domain that some engines see and have cached. */
static struct uiommu_domain *seen_by(struct rig *rig, unsigned which,
                                     uint64_t pages)
{
    struct uiommu_domain *d = rig_domain(rig, 0);

    for (unsigned i = 0; i < 2; i++)
        map_page(d, BASE + i * RIG_PAGE, pages + i * RIG_PAGE);
    for (unsigned n = 0; n < DEVICES; n++)
        if (which >> n & 1) {
            set(rig, n, d);
            fill(rig, n, pages);
        }
    return d;
}

static void silence(struct rig *rig, unsigned n)
{
    sim_devtlb(rig->m, rig_engine(rig, n), SIM_DEVTLB_FAILS);
}

static bool is_shut_off(struct rig *rig, unsigned n)
{
    struct uiommu_mode mode;

    rig_ok(uiommu_effective_mode(rig_endpoint(rig, n), &mode));
    return mode.quarantined;
}

/* Both pages are out of its reach, whatever it has cached. */
static void assert_shut_off(struct rig *rig, unsigned n)
{
    assert_true(is_shut_off(rig, n));
    assert_true(rig_refused(rig, n, BASE));
    assert_true(rig_refused(rig, n, BASE + RIG_PAGE));
}

/* It answers, has what is mapped, and loses what is unmapped. */
static void assert_goes_on(struct rig *rig, unsigned n, struct uiommu_domain *d,
                           uint64_t pages)
{
    assert_false(is_shut_off(rig, n));
    assert_true(rig_refused(rig, n, BASE));
    assert_true(rig_reaches(rig, n, BASE + RIG_PAGE, pages + RIG_PAGE));
    map_page(d, BASE, pages);
    assert_true(rig_reaches(rig, n, BASE, pages));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, n, BASE));
}

static void replace(struct rig *rig, unsigned n)
{
    const unsigned dev = rig_engine(rig, n);

    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    sim_devtlb(rig->m, dev, SIM_DEVTLB_ANSWERS);
    rig_ok(rig_add(rig, dev));
}

/* All of one domain but one are mute: each is named, not only the first. */
static void several_mute_devices_are_shut_off_at_once(struct rig *rig)
{
    const uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = seen_by(rig, 7, pages);

    silence(rig, 0);
    silence(rig, 2);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_shut_off(rig, 0);
    assert_shut_off(rig, 2);
    assert_goes_on(rig, 1, d, pages);
    replace(rig, 0);
    replace(rig, 2);
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, pages + RIG_PAGE));
    set(rig, 0, uiommu_blocked(rig->u));
    rig_drop(rig, 1, d);
}

/* Who sees another domain, on the same unit, is told nothing and waits for nothing. */
static void a_mute_device_is_a_matter_of_its_own_domain(struct rig *rig)
{
    const uint64_t pages = rig_pages(rig, 1), others = rig_pages(rig, 1);
    struct uiommu_domain *d = seen_by(rig, 1, pages);
    struct uiommu_domain *e = seen_by(rig, 6, others);

    silence(rig, 0);
    rig_ok(uiommu_unmap(e, BASE, RIG_PAGE, NULL));
    assert_false(is_shut_off(rig, 0)); /* nobody asked it */
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_shut_off(rig, 0);
    assert_goes_on(rig, 1, e, others);
    assert_goes_on(rig, 2, e, others);
    replace(rig, 0);
    uiommu_domain_put(d);
    set(rig, 2, uiommu_blocked(rig->u));
    rig_drop(rig, 1, e);
}

/* What is unmapped in a gather is not given back before the device is cut off: its sync is
 * told, once, and the memory is out of reach then. */
static void a_gather_of_a_mute_device_is_told(struct rig *rig)
{
    const uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = seen_by(rig, 3, pages);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    silence(rig, 0);
    rig_ok(uiommu_unmap_gather(d, BASE, RIG_PAGE, &g));
    rig_is(uiommu_sync(&g), UIOMMU_TIMEDOUT);
    assert_shut_off(rig, 0);
    assert_goes_on(rig, 1, d, pages);
    rig_ok(uiommu_unmap_gather(d, BASE + RIG_PAGE, RIG_PAGE, &g));
    rig_ok(uiommu_sync(&g));
    assert_true(rig_refused(rig, 1, BASE + RIG_PAGE));
    replace(rig, 0);
    rig_drop(rig, 1, d);
}

/* One after the other: who was shut off is not asked again. */
static void a_mute_device_is_asked_once(struct rig *rig)
{
    const uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = seen_by(rig, 7, pages);
    struct trace t;

    silence(rig, 0);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    silence(rig, 1);
    rig_is(uiommu_unmap(d, BASE + RIG_PAGE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_shut_off(rig, 1);
    map_page(d, BASE, pages);
    assert_true(rig_reaches(rig, 2, BASE, pages));
    trace_start(rig, &t);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    trace_stop(rig, &t);
    for (unsigned i = 0; i < t.n; i++)
        if (is_kind(&t.cmd[i], ANY_DEVTLB))
            assert_int_equal(t.cmd[i].rid, rig_endpoint(rig, 2)->id);
    assert_true(rig_refused(rig, 2, BASE));
    replace(rig, 0);
    replace(rig, 1);
    rig_drop(rig, 2, d);
}

/* Leaving a domain empties the device TLB: who cannot is shut off, and the domain is free
 * of it; the other goes on. */
static void who_leaves_without_an_answer_is_shut_off(struct rig *rig)
{
    const uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = seen_by(rig, 3, pages), *e = rig_domain(rig, 0);

    silence(rig, 0);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), e, NULL), UIOMMU_TIMEDOUT);
    assert_shut_off(rig, 0);
    uiommu_domain_put(e);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_goes_on(rig, 1, d, pages);
    replace(rig, 0);
    rig_drop(rig, 1, d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(several_mute_devices_are_shut_off_at_once, with_ats),
    RIG_TEST_ON(a_mute_device_is_a_matter_of_its_own_domain, with_ats),
    RIG_TEST_ON(a_gather_of_a_mute_device_is_told, with_ats),
    RIG_TEST_ON(a_mute_device_is_asked_once, with_ats),
    RIG_TEST_ON(who_leaves_without_an_answer_is_shut_off, with_ats),
    { 0 },
};

int main(void)
{
    return rig_run("devtlb", tests);
}
