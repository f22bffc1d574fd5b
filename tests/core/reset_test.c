/* SPDX-License-Identifier: MIT */
/*
 * reset_test.c - functions are reset while domains, owners and PASIDs are what they are
 * (semantics B.19, D-68).
 */
#include "tests/core/help.h"

#include "core/core.h"
#include "pci/pci.h"

#define BASE GIB(2)

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    rig->config.engine_caps |= SIM_PASID;
    return true;
}

static struct uiommu_device *device(struct rig *rig, unsigned n)
{
    return rig->device[rig_engine(rig, n)];
}

static bool ats_is_on(struct rig *rig, unsigned n)
{
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(&rig->m->host, device(rig, n)->pci, &ats));
    return ats.enabled;
}

static bool sends(struct rig *rig, unsigned n, uint32_t pasid, uint64_t iova)
{
    uint64_t value = 0;

    return rig_dma(rig, n, pasid, true, iova, &value);
}

static void a_reset_blocks_and_gives_back(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    set(rig, 1, d);
    for (unsigned i = 0; i < 2; i++) {
        bool ats = rig->config.ats && ats_is_on(rig, 0);

        assert_true(rig_reaches(rig, 0, BASE, page));
        rig_ok(uiommu_device_reset_begin(device(rig, 0)));
        assert_false(rig->config.ats && ats_is_on(rig, 0));
        assert_true(rig_refused(rig, 0, BASE));
        assert_true(rig_reaches(rig, 1, BASE, page));
        assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)), d);
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
        map_page(d, BASE, page);
        rig_ok(uiommu_device_reset_end(device(rig, 0), true));
        assert_int_equal(rig->config.ats && ats_is_on(rig, 0), ats);
        assert_true(rig_reaches(rig, 0, BASE, page));
    }
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* Function level reset: PASIDs and ATS are off afterwards, and come again. */
static void reset(struct rig *rig, unsigned n)
{
    const struct uiommu_host *h = &rig->m->host;
    struct uiommu_pci at = device(rig, n)->pci;
    unsigned control = uim_pci_find(h, at, PCI_CAP_EXP) + 8;

    h->pci_write(h->ctx, at, control, 2, 0x8000);
    sim_advance(rig->m, 100 * 1000 * 1000);
    sim_firmware(rig->m, rig_engine(rig, n));
}

static void a_function_level_reset_is_survived(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    for (unsigned i = 0; i < 3; i++) {
        assert_true(rig_reaches(rig, 0, BASE, page));
        rig_ok(uiommu_device_reset_begin(device(rig, 0)));
        reset(rig, 0);
        assert_false(ats_is_on(rig, 0));
        assert_true(rig_refused(rig, 0, BASE));
        rig_ok(uiommu_device_reset_end(device(rig, 0), true));
        assert_true(ats_is_on(rig, 0));
        assert_true(rig_reaches(rig, 0, BASE, page));
    }
    rig_drop(rig, 0, d);
}

static void nothing_is_attached_in_a_reset(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_domain *e = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = NULL;
    const int owner = 0;

    rig_is(uiommu_device_reset_end(device(rig, 0), true), UIOMMU_INVAL);
    rig_is(uiommu_device_reset_begin(NULL), UIOMMU_INVAL);
    rig_is(uiommu_device_reset_end(NULL, true), UIOMMU_INVAL);
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), e, NULL), UIOMMU_BUSY);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_BUSY);
    rig_is(uiommu_claim(rig_endpoint(rig, 0), &owner), UIOMMU_BUSY);
    assert_int_not_equal(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &ep),
                         UIOMMU_OK);
    set(rig, 1, e);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(rig_reaches(rig, 0, BASE, page));
    uiommu_domain_put(e);
    rig_drop(rig, 0, d);
}

static void a_reset_that_failed_leaves_it_blocked(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    rig_ok(uiommu_device_reset_end(device(rig, 0), false));
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(rig_refused(rig, 0, BASE));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NODEV);
    uiommu_domain_put(d);
}

/* What has to succeed does, and finds the tables as they should be afterwards. */
static void an_owner_can_leave_in_a_reset(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    const int owner = 0;

    map_page(d, BASE, page);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &owner));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, &owner));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    (void)!uiommu_release(rig_endpoint(rig, 0), &owner);
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(rig_refused(rig, 0, BASE));
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_core_domain(rig_endpoint(rig, 0)));
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static void a_device_can_go_in_a_reset(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));
    unsigned dev = rig_engine(rig, 0);

    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    uiommu_domain_put(d);
}

/* ---- PASIDs ----------------------------------------------------------------------- */

static bool with_pasids(struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY || rig->config.mode == SIM_STAGE_2) {
        *why = "no PASIDs in this mode";
        return false;
    }
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_ats(rig, why);
}

static void pasids_are_held_with_their_device(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    struct uiommu_endpoint *ep = NULL, *gone = NULL;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &ep));
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &gone));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_ok(uiommu_set_domain(gone, d, NULL));
    assert_true(sends(rig, 0, 1, BASE));
    assert_true(sends(rig, 0, 2, BASE));
    rig_ok(uiommu_device_reset_begin(device(rig, 0)));
    reset(rig, 0);
    assert_false(sends(rig, 0, 1, BASE));
    rig_is(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(gone, false));
    rig_ok(uiommu_device_reset_end(device(rig, 0), true));
    assert_true(sends(rig, 0, 1, BASE));
    assert_false(sends(rig, 0, 2, BASE));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &gone));
    assert_int_equal(uiommu_endpoint_pasid(gone), 2); /* it was reset */
    assert_false(sends(rig, 0, 2, BASE));
    rig_ok(uiommu_pasid_destroy(gone, true));
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_drop(rig, 0, d);
}

static const struct rig_test tests[] = {
    RIG_TEST(a_reset_blocks_and_gives_back),
    RIG_TEST_ON(a_reset_blocks_and_gives_back, with_ats),
    RIG_TEST_ON(a_function_level_reset_is_survived, with_ats),
    RIG_TEST_ON(nothing_is_attached_in_a_reset, with_ats),
    RIG_TEST_ON(a_reset_that_failed_leaves_it_blocked, with_ats),
    RIG_TEST_ON(an_owner_can_leave_in_a_reset, with_ats),
    RIG_TEST_ON(a_device_can_go_in_a_reset, with_ats),
    RIG_TEST_ON(pasids_are_held_with_their_device, with_pasids),
    { 0 },
};

int main(void)
{
    return rig_run("reset", tests);
}
