/* SPDX-License-Identifier: MIT */
/*
 * virtual_test.c - virtual functions (PCIe Base 9): devices of their own, of which their
 * physical one says who they are and has what they share.
 */
#include "tests/core/groups.h"

#include "core/core.h"
#include "pci/pci.h"

/* ---- machines ------------------------------------------------------------------ */

enum { V_PORT, V_PF, V_VF0, V_VF1, V_BESIDE };
enum { ENGINE_PF, ENGINE_VF0, ENGINE_VF1 };

/* Their numbers are of one slot, and not of a first function. */
#define VIRTUAL(pf_caps)                                                       \
    {                                                                          \
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },      \
            { "pf", SIM_ENGINE, V_PORT, 0, (pf_caps) | SIM_VFS_ON },           \
            { "vf0", SIM_VIRTUAL, V_PF, 2 << 3 | 1, SIM_ATS },                 \
            { "vf1", SIM_VIRTUAL, V_PF, 2 << 3 | 2, SIM_ATS },                 \
            { "beside", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },            \
    }

static const struct sim_function with_all[] = VIRTUAL(SIM_ATS | SIM_PASID);
static const struct sim_function without_ats[] = VIRTUAL(0);

static bool with_virtual(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return BUILD(rig, with_all);
}

static bool with_virtual_pasids(struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY || rig->config.mode == SIM_STAGE_2) {
        *why = "no PASIDs in this mode";
        return false;
    }
    return with_virtual(rig, why);
}

static bool with_virtual_alone_with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return BUILD(rig, without_ats);
}

/* ---- steps ----------------------------------------------------------------------- */

static unsigned ats_control(struct rig *rig, unsigned dev, bool write,
                            unsigned value)
{
    const struct uiommu_host *h = &rig->m->host;
    const struct uiommu_pci at = rig->m->devices[dev].pci;
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(h, at, &ats));
    if (write)
        h->pci_write(h->ctx, at, ats.offset + 6u, 2, value);
    return h->pci_read(h->ctx, at, ats.offset + 6u, 2);
}

static bool ats_is_on(struct rig *rig, unsigned dev)
{
    return (ats_control(rig, dev, false, 0) & 0x8000) != 0;
}

static bool pasids_are_on(struct rig *rig)
{
    struct uim_pci_pasid pasid;

    rig_ok(uim_pci_pasid(&rig->m->host, rig->m->devices[V_PF].pci, &pasid));
    return pasid.enabled;
}

static bool sends(struct rig *rig, unsigned n, uint32_t pasid, uint64_t iova)
{
    uint64_t value = 0;
    struct sim_request r = { .dev = rig_engine(rig, n),
                             .pasid = pasid,
                             .write = true,
                             .iova = iova,
                             .buf = &value,
                             .size = sizeof(value) };

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE;
}

/* Function level reset, after which none are there. */
static void reset_physical(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    const struct uiommu_pci at = rig->m->devices[V_PF].pci;
    unsigned control = uim_pci_find(h, at, PCI_CAP_EXP) + 8;

    h->pci_write(h->ctx, at, control, 2, 0x8000);
    sim_advance(rig->m, 100 * 1000 * 1000);
}

static void switch_on_again(struct rig *rig)
{
    sim_firmware(rig->m, V_PF);
    sim_advance(rig->m, 100 * 1000 * 1000);
}

/* ---- who they are ------------------------------------------------------------------ */

static void virtual_functions_are_kept_apart(struct rig *rig)
{
    const struct uim_pci_function *f = &rig->device[V_VF1]->facts;

    assert_groups(rig, "01234");
    assert_ptr_equal(f->physical, &rig->device[V_PF]->facts);
    assert_ptr_equal(f->bridge, &rig->device[V_PORT]->facts);
    assert_int_equal(f->vendor, rig->device[V_PF]->facts.vendor);
    assert_int_equal(f->device, SIM_VIRTUAL);
    assert_int_equal(f->port, PCI_EXP_TYPE_ENDPOINT);
    assert_false(f->multifunction);
    assert_true(uim_pci_immutable_singleton(f, NULL));
}

static void each_sees_what_it_was_given(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = attached_with(rig, ENGINE_VF0, BASE, a);
    struct uiommu_domain *db = attached_with(rig, ENGINE_VF1, BASE, b);

    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, a));
    assert_true(rig_reaches(rig, ENGINE_VF1, BASE, b));
    assert_true(rig_refused(rig, ENGINE_PF, BASE));
    rig_ok(uiommu_unmap(da, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    assert_true(rig_reaches(rig, ENGINE_VF1, BASE, b));
    rig_drop(rig, ENGINE_VF0, da);
    rig_drop(rig, ENGINE_VF1, db);
}

static enum uiommu_status add_below(struct rig *rig, unsigned dev,
                                    struct uiommu_device *bridge)
{
    const struct uiommu_device_info info = { .size = sizeof(info),
                                             .pci = rig->m->devices[dev].pci,
                                             .bridge = bridge };

    return uiommu_device_add(rig->u, &info, &rig->device[dev]);
}

static void the_physical_function_comes_first(struct rig *rig)
{
    up_to_start(rig);
    rig_ok(rig_add(rig, V_PORT));
    rig_is(rig_add(rig, V_VF0), UIOMMU_NODEV);
    assert_says(sim_last_log(rig->m),
                "01:02.1 is not added: it is a virtual function");
    rig_ok(rig_add(rig, V_PF));
    rig_is(add_below(rig, V_VF0, NULL), UIOMMU_INVAL);
    rig_is(add_below(rig, V_VF0, rig->device[V_PF]), UIOMMU_INVAL);
    rig_ok(rig_add(rig, V_VF0));
    rig_is(rig_add(rig, V_VF0), UIOMMU_EXIST);
    rig_is(uiommu_device_remove(rig->device[V_PF]), UIOMMU_BUSY);
    remove_device(rig, V_VF0);
    remove_device(rig, V_PF);
}

/* Whether virtual functions are on is read once, however often somebody looks. */
static struct {
    uint32_t (*read)(void *ctx, struct uiommu_pci at, unsigned offset,
                     unsigned size);
    struct uiommu_pci physical;
    unsigned control, looks;
} once;

static uint32_t read_once(void *ctx, struct uiommu_pci at, unsigned offset,
                          unsigned size)
{
    if (at.bus == once.physical.bus && at.devfn == once.physical.devfn &&
        offset == once.control && once.looks++ > 0)
        return 0;
    return once.read(ctx, at, offset, size);
}

/* It is of the physical function that it was placed beside. */
static void a_virtual_function_has_one_physical_one(struct rig *rig)
{
    struct uiommu_host *h = &rig->u->host;

    remove_device(rig, V_VF0);
    once.physical = rig->m->devices[V_PF].pci;
    once.control = uim_pci_find_ext(h, once.physical, PCI_EXT_CAP_SRIOV) +
                   PCI_REG_SRIOV_CTRL;
    once.looks = 0;
    once.read = h->pci_read;
    h->pci_read = read_once;
    rig_ok(rig_add(rig, V_VF0));
    h->pci_read = once.read;
    assert_true(once.looks > 0);
    assert_ptr_equal(rig->device[V_VF0]->physical, rig->device[V_PF]);
    assert_ptr_equal(rig->device[V_VF0]->facts.physical,
                     &rig->device[V_PF]->facts);
}

static void those_that_are_not_enabled_are_not_there(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    const struct uiommu_pci at = rig->m->devices[V_PF].pci;
    unsigned sriov = uim_pci_find_ext(h, at, PCI_EXT_CAP_SRIOV);

    remove_device(rig, V_VF1);
    remove_device(rig, V_VF0);
    h->pci_write(h->ctx, at, sriov + PCI_REG_SRIOV_CTRL, 2, 0);
    rig_is(rig_add(rig, V_VF0), UIOMMU_NODEV);
    h->pci_write(h->ctx, at, sriov + PCI_REG_SRIOV_NUM_VF, 2, 1);
    h->pci_write(h->ctx, at, sriov + PCI_REG_SRIOV_CTRL, 2, 1);
    sim_advance(rig->m, 100 * 1000 * 1000);
    rig_ok(rig_add(rig, V_VF0));
    rig_is(rig_add(rig, V_VF1), UIOMMU_NODEV);
}

/* ---- what they share -------------------------------------------------------------- */

static void a_virtual_function_caches_for_itself(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    set(rig, ENGINE_VF1, d);
    assert_true(ats_is_on(rig, V_VF0));
    assert_false(ats_is_on(rig, V_PF));
    assert_int_equal(rig->device[V_VF0]->ats_queue, 32);
    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
    assert_true(rig_reaches(rig, ENGINE_VF1, BASE, page));
    assert_true(sim_devtlb_entries(rig->m, V_VF0) > 0);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_int_equal(sim_devtlb_entries(rig->m, V_VF0), 0);
    assert_int_equal(sim_devtlb_entries(rig->m, V_VF1), 0);
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    set(rig, ENGINE_VF1, uiommu_blocked(rig->u));
    rig_drop(rig, ENGINE_VF0, d);
}

/* The size is the physical one's to say, which somebody else had set. */
static void virtual_functions_ask_for_single_pages(struct rig *rig)
{
    struct uiommu_domain *d;

    up_to_start(rig);
    (void)ats_control(rig, V_PF, true, 3);
    add_devices(rig, V_PORT, V_BESIDE);
    d = attached_with(rig, ENGINE_VF0, BASE, rig_pages(rig, 0));
    assert_true(ats_is_on(rig, V_VF0));
    assert_int_equal(ats_control(rig, V_PF, false, 0), 0);
    rig_drop(rig, ENGINE_VF0, d);
}

static void without_ats_of_the_physical_function_there_is_none(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    assert_false(ats_is_on(rig, V_VF0));
    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
    rig_drop(rig, ENGINE_VF0, d);
}

static void pasids_are_on_for_all_of_them(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = NULL;
    struct uiommu_domain *d = rig_domain(rig, ENGINE_VF0);

    map_page(d, BASE, page);
    assert_true(pasids_are_on(rig));
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, ENGINE_VF0), NULL, &ep));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_true(sends(rig, ENGINE_VF0, 1, BASE));
    assert_false(sends(rig, ENGINE_VF1, 1, BASE));
    assert_false(sends(rig, ENGINE_PF, 1, BASE));
    rig_ok(uiommu_device_reset_begin(rig->device[V_VF0]));
    assert_false(sends(rig, ENGINE_VF0, 1, BASE));
    rig_ok(uiommu_device_reset_end(rig->device[V_VF0], true));
    assert_true(sends(rig, ENGINE_VF0, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    remove_device(rig, V_VF0);
    assert_true(pasids_are_on(rig)); /* of the others */
    remove_device(rig, V_VF1);
    remove_device(rig, V_PF);
    assert_false(pasids_are_on(rig));
    uiommu_domain_put(d);
}

/* ---- their physical function goes, or is reset --------------------------------------- */

static void all_go_when_the_physical_function_does(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    set(rig, ENGINE_VF1, d);
    set(rig, ENGINE_PF, d);
    for (unsigned n = ENGINE_PF; n <= ENGINE_VF1; n++)
        assert_true(rig_reaches(rig, n, BASE, page));
    sim_unplug(rig->m, V_PF);
    rig_is(uiommu_device_remove(rig->device[V_PF]), UIOMMU_BUSY);
    remove_device(rig, V_VF1);
    remove_device(rig, V_VF0);
    remove_device(rig, V_PF);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    uiommu_domain_put(d);
    assert_true(sim_plug(rig->m, V_PF));
    add_devices(rig, V_PF, V_VF1);
    d = attached_with(rig, ENGINE_VF1, BASE, page);
    assert_true(rig_reaches(rig, ENGINE_VF1, BASE, page));
    rig_drop(rig, ENGINE_VF1, d);
}

static void a_reset_of_the_physical_function_holds_all(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    set(rig, ENGINE_PF, d);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
        rig_ok(uiommu_device_reset_begin(rig->device[V_PF]));
        assert_true(rig_refused(rig, ENGINE_VF0, BASE));
        rig_is(uiommu_set_domain(rig_endpoint(rig, ENGINE_VF1), d, NULL),
               UIOMMU_BUSY);
        reset_physical(rig);
        rig_ok(
            uiommu_unmap(d, BASE, RIG_PAGE, NULL)); /* nobody is waited for */
        map_page(d, BASE, page);
        switch_on_again(rig);
        rig_ok(uiommu_device_reset_end(rig->device[V_PF], true));
        assert_true(ats_is_on(rig, V_VF0));
        assert_true(rig_reaches(rig, ENGINE_PF, BASE, page));
    }
    rig_is(uiommu_device_reset_end(rig->device[V_PF], true), UIOMMU_INVAL);
    set(rig, ENGINE_PF, uiommu_blocked(rig->u));
    rig_drop(rig, ENGINE_VF0, d);
}

static void those_that_a_reset_took_stay_blocked(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    remove_device(rig, V_VF1);
    rig_ok(uiommu_device_reset_begin(rig->device[V_PF]));
    rig_is(rig_add(rig, V_VF1), UIOMMU_BUSY);
    reset_physical(rig);
    rig_ok(uiommu_device_reset_end(rig->device[V_PF], true));
    rig_is(uiommu_set_domain(rig_endpoint(rig, ENGINE_VF0), d, NULL),
           UIOMMU_NODEV);
    switch_on_again(rig);
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    remove_device(rig, V_VF0);
    add_devices(rig, V_VF0, V_VF1);
    set(rig, ENGINE_VF0, d);
    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
    rig_drop(rig, ENGINE_VF0, d);
}

/* Each is counted with those it was begun with. */
static void no_end_of_one_reset_ends_another(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    rig_ok(uiommu_device_reset_begin(rig->device[V_PF]));
    rig_is(uiommu_device_reset_end(rig->device[V_VF0], true), UIOMMU_INVAL);
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    rig_ok(uiommu_device_reset_begin(rig->device[V_VF0]));
    rig_ok(uiommu_device_reset_end(rig->device[V_PF], true));
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    rig_is(uiommu_device_reset_end(rig->device[V_PF], true), UIOMMU_INVAL);
    assert_true(rig_refused(rig, ENGINE_VF0, BASE));
    rig_ok(uiommu_device_reset_end(rig->device[V_VF0], true));
    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
    rig_is(uiommu_device_reset_end(rig->device[V_VF0], true), UIOMMU_INVAL);
    rig_drop(rig, ENGINE_VF0, d);
}

/* Whoever resets a virtual function is through while its physical one has it off. */
static void who_comes_back_before_the_last_end_is_there(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, ENGINE_VF0, BASE, page);

    rig_ok(uiommu_device_reset_begin(rig->device[V_VF0]));
    rig_ok(uiommu_device_reset_begin(rig->device[V_PF]));
    reset_physical(rig);
    rig_ok(uiommu_device_reset_end(rig->device[V_VF0], true));
    switch_on_again(rig);
    rig_ok(uiommu_device_reset_end(rig->device[V_PF], true));
    assert_true(rig_reaches(rig, ENGINE_VF0, BASE, page));
    rig_drop(rig, ENGINE_VF0, d);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(virtual_functions_are_kept_apart, with_virtual),
        RIG_TEST_ON(each_sees_what_it_was_given, with_virtual),
        RIG_COLD_ON(the_physical_function_comes_first, with_virtual),
        { .name = "a_virtual_function_has_one_physical_one",
          .run = a_virtual_function_has_one_physical_one,
          .prepare = with_virtual,
          .once = "what is read is there once" },
        RIG_TEST_ON(those_that_are_not_enabled_are_not_there, with_virtual),
        RIG_TEST_ON(a_virtual_function_caches_for_itself, with_virtual),
        RIG_COLD_ON(virtual_functions_ask_for_single_pages, with_virtual),
        RIG_TEST_ON(without_ats_of_the_physical_function_there_is_none,
                    with_virtual_alone_with_ats),
        RIG_TEST_ON(pasids_are_on_for_all_of_them, with_virtual_pasids),
        RIG_TEST_ON(all_go_when_the_physical_function_does, with_virtual),
        RIG_TEST_ON(a_reset_of_the_physical_function_holds_all, with_virtual),
        RIG_TEST_ON(those_that_a_reset_took_stay_blocked, with_virtual),
        RIG_TEST_ON(no_end_of_one_reset_ends_another, with_virtual),
        RIG_TEST_ON(who_comes_back_before_the_last_end_is_there, with_virtual),
        { .name = NULL },
    };

    return rig_run("virtual_test", tests);
}
