/* SPDX-License-Identifier: MIT */
/*
 * device_test.c - devices come, go, and are behind things; the sleep of the
 * machine; and what is refused (semantics B.3, B.23).
 */
#include "tests/core/help.h"

#define BASE GIB(2)

static struct uiommu_device_info info_of(struct rig *rig, unsigned dev)
{
    return (struct uiommu_device_info){
        .size = sizeof(struct uiommu_device_info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = rig->m->devices[dev].pci,
    };
}

static void assert_not_added(struct rig *rig,
                             const struct uiommu_device_info *info,
                             enum uiommu_status status)
{
    struct uiommu_device *device = NULL;
    struct rig_state before = rig_state(rig);

    rig_is(uiommu_device_add(rig->u, info, &device), status);
    assert_null(device);
    rig_assert_same(rig, &before);
}

/* ---- add and remove ------------------------------------------------------ */

static void malformed_infos_are_refused(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_device_info info;

    up_to_start(rig);
    info = info_of(rig, dev);
    info.size--;
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, dev);
    info.flags = 1u << 30;
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, dev);
    info.kind = (enum uiommu_device_kind)7;
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, dev);
    info.kind = UIOMMU_DEVICE_ACPI;
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info.acpi_path = "\\_SB.NONE";
    assert_not_added(rig, &info, UIOMMU_NODEV);
    rig_is(uiommu_device_add(rig->u, NULL, &rig->device[0]), UIOMMU_INVAL);
    rig_is(uiommu_device_add(rig->u, &info, NULL), UIOMMU_INVAL);
}

static void a_device_that_is_not_there_is_refused(struct rig *rig)
{
    struct uiommu_device_info info;

    up_to_start(rig);
    info = info_of(rig, rig_engine(rig, 0));
    info.pci.devfn = 0x10 << 3;
    assert_not_added(rig, &info, UIOMMU_NODEV);
    info.pci.bus = 0x77;
    assert_not_added(rig, &info, UIOMMU_NODEV);
    sim_unplug(rig->m, rig_engine(rig, 0));
    info = info_of(rig, rig_engine(rig, 0));
    assert_not_added(rig, &info, UIOMMU_NODEV);
}

static void a_device_is_added_once(struct rig *rig)
{
    struct uiommu_device_info info = info_of(rig, rig_engine(rig, 0));

    assert_not_added(rig, &info, UIOMMU_EXIST);
}

static void a_wrong_bridge_is_refused(struct rig *rig)
{
    unsigned engine = rig_engine(rig, 2);
    int port = rig->m->devices[engine].bridge;
    struct uiommu_device_info info = info_of(rig, engine);

    assert_true(port >= 0);
    rig_ok(uiommu_device_remove(rig->device[engine]));
    rig->device[engine] = NULL;
    info.bridge = rig->device[rig_engine(rig, 0)]; /* no bridge at all */
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, rig_engine(rig, 1));
    rig_ok(uiommu_device_remove(rig->device[rig_engine(rig, 1)]));
    info.bridge = rig->device[port];               /* of another bus   */
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, engine);
    info.bridge = rig->device[port];
    info.pci.segment = 1; /* of another segment */
    assert_not_added(rig, &info, UIOMMU_INVAL);
    info = info_of(rig, rig_engine(rig, 1));
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[rig_engine(rig, 1)]));
    rig_ok(rig_add(rig, engine));
}

static void a_bridge_stays_while_devices_are_behind_it(struct rig *rig)
{
    unsigned engine = rig_engine(rig, 2);
    unsigned port = (unsigned)rig->m->devices[engine].bridge;

    rig_is(uiommu_device_remove(rig->device[port]), UIOMMU_BUSY);
    rig_ok(uiommu_device_remove(rig->device[engine]));
    rig->device[engine] = NULL;
    rig_ok(uiommu_device_remove(rig->device[port]));
    rig->device[port] = NULL;
}

static enum uiommu_status add_engine(struct rig *rig, void *ctx)
{
    (void)ctx;
    return rig_add(rig, rig_engine(rig, 0));
}

static void remove_engine(struct rig *rig, void *ctx)
{
    (void)ctx;
    rig_ok(uiommu_device_remove(rig->device[rig_engine(rig, 0)]));
    rig->device[rig_engine(rig, 0)] = NULL;
}

static void an_add_that_fails_leaves_nothing(struct rig *rig)
{
    up_to_start(rig);
    rig_each_failure(rig, add_engine, remove_engine, NULL, UIOMMU_NOMEM);
}

static void what_is_removed_or_never_added_is_blocked(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up_to_start(rig);
    assert_true(rig_refused(rig, 0, page));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    assert_true(rig_refused(rig, 0, page));
    d = attached_with(rig, 0, page, page);
    assert_true(rig_reaches(rig, 0, page, page));
    remove_engine(rig, NULL); /* straight from a paging domain */
    assert_true(rig_refused(rig, 0, page));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, page));
    assert_true(rig_refused(rig, 1, page));
    uiommu_domain_put(d);
}

static void removing_a_device_ends_its_hold_on_a_domain(struct rig *rig)
{
    struct rig_state before;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up_to_start(rig);
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    rig_drop(rig, 0, attached_with(rig, 0, BASE, page));
    remove_engine(rig, NULL);
    before = rig_state(rig);
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    d = attached_with(rig, 0, BASE, page);
    uiommu_domain_put(d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    remove_engine(rig, NULL);
    rig_assert_same_seen(rig, &before);
}

/* ---- topologies ---------------------------------------------------------- */

static const struct sim_function behind_pci[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, 0 },
    { "bridge", SIM_PCI_BRIDGE, 0, 0, 0 },
    { "old", SIM_PCI_ENGINE, 1, 2 << 3, 0 },
    { "beside", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
    { "ancient", SIM_PCI_ENGINE, MACHINE_NO_BRIDGE, 5 << 3, 0 },
};

static bool with_pci_bridge(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.functions = behind_pci;
    rig->config.n_functions = sizeof(behind_pci) / sizeof(behind_pci[0]);
    return true;
}

static void what_is_behind_a_pci_bridge_moves_with_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d, *beside;

    up_to_start(rig);
    for (unsigned dev = 0; dev < 5; dev++)
        rig_ok(rig_add(rig, dev));
    assert_true(rig_refused(rig, 0, page));
    d = attached_with(rig, 0, page, page);
    assert_ptr_equal(
        uiommu_endpoint_domain(uiommu_device_endpoint(rig->device[1])), d);
    assert_true(rig_reaches(rig, 0, page, page));
    beside = attached_with(rig, 1, page, page); /* on the root bus, alone */
    set(rig, 2, beside);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, page));
    assert_true(rig_reaches(rig, 1, page, page));
    assert_true(rig_reaches(rig, 2, page, page));
    set(rig, 2, uiommu_blocked(rig->u));
    rig_drop(rig, 1, beside);
    uiommu_domain_put(d);
}

static const struct sim_function behind_switch[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
    { "up", SIM_UPSTREAM, 0, 0, 0 },
    { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS_ON },
    { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS_ON },
    { "a", SIM_ENGINE, 2, 0, 0 },
    { "b", SIM_ENGINE, 3, 0, SIM_ACS_ON },
    { "b1", SIM_ENGINE, 3, 1, SIM_ACS_ON },
};

static bool with_switch(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.functions = behind_switch;
    rig->config.n_functions = sizeof(behind_switch) / sizeof(behind_switch[0]);
    return true;
}

static void devices_behind_a_switch_are_told_apart(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d[3];

    for (unsigned n = 0; n < 3; n++)
        d[n] = rig_attached(rig, n);
    map_page(d[0], BASE, pages);
    map_page(d[1], BASE, pages + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_reaches(rig, 1, BASE, pages + RIG_PAGE));
    assert_true(rig_refused(rig, 2, BASE));
    for (unsigned n = 0; n < 3; n++)
        rig_drop(rig, n, d[n]);
}

/* D-55: ids that are alike but for the top bit of the device number. */
static const struct sim_function both_halves[] = {
    { "low", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, 0 },
    { "high", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x98, 0 },
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0xe0, 0 },
    { "last", SIM_ENGINE, 2, 0xff, 0 },
};

static bool with_both_halves(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.functions = both_halves;
    rig->config.n_functions = sizeof(both_halves) / sizeof(both_halves[0]);
    return true;
}

static void devices_of_both_halves_of_a_bus_are_told_apart(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *high = attached_with(rig, 1, BASE, pages);
    struct uiommu_domain *last;

    assert_true(rig_reaches(rig, 1, BASE, pages));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 2, BASE));
    last = attached_with(rig, 2, BASE, pages + RIG_PAGE);
    assert_true(rig_reaches(rig, 2, BASE, pages + RIG_PAGE));
    rig_poll(rig);
    rig->faults = 0;
    assert_false(rig_write(rig, 2, BASE + RIG_PAGE, 1));
    rig_poll(rig);
    assert_int_equal(rig->faults, 1);
    assert_ptr_equal(rig->fault.device, rig->device[rig_engine(rig, 2)]);
    rig_drop(rig, 1, high);
    assert_true(rig_refused(rig, 1, BASE));
    rig_drop(rig, 2, last);
}

/* D-46: functions of one device, which are told apart by the low bits. With ACS each
 * has a group of its own: in one group they would all move at each change. */
static const struct sim_function functions[] = {
    { "function0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, SIM_ACS_ON },
    { "function1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, SIM_ACS_ON },
    { "function7", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1f, SIM_ACS_ON },
};

static bool with_functions(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.functions = functions;
    rig->config.n_functions = sizeof(functions) / sizeof(functions[0]);
    return true;
}

static void each_function_is_invalidated_under_its_own_id(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 2);
    struct uiommu_domain *d[3];

    for (unsigned n = 0; n < 3; n++) {
        d[n] = attached_with(rig, n, BASE, pages + n * RIG_PAGE);
        assert_true(rig_reaches(rig, n, BASE, pages + n * RIG_PAGE));
    }
    for (unsigned n = 0; n < 3; n++) {
        set(rig, n, d[(n + 1) % 3]);
        assert_true(rig_reaches(rig, n, BASE, pages + (n + 1) % 3 * RIG_PAGE));
    }
    for (unsigned n = 0; n < 3; n++) {
        set(rig, n, uiommu_blocked(rig->u));
        assert_true(rig_refused(rig, n, BASE));
    }
    for (unsigned n = 0; n < 3; n++)
        uiommu_domain_put(d[n]);
}

/* ---- sleep --------------------------------------------------------------- */

static void sleep_and_wake(struct rig *rig, bool lose_registers)
{
    rig_ok(uiommu_suspend(rig->u));
    if (lose_registers)
        sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
}

static void check_a_sleep(struct rig *rig, bool lose_registers)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    set(rig, 1, uiommu_identity(rig->u));
    assert_true(rig_reaches(rig, 0, BASE, pages));
    for (unsigned i = 0; i < 3; i++) {
        sleep_and_wake(rig, lose_registers);
        assert_true(rig_reaches(rig, 0, BASE, pages));
        assert_true(rig_refused(rig, 0, BASE + RIG_PAGE));
        assert_true(rig_reaches(rig, 1, pages, pages));
        assert_true(rig_refused(rig, 2, BASE));
        assert_true(rig_refused(rig, 2, pages));
    }
    map_page(d, BASE + RIG_PAGE, pages + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, pages + RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void a_sleep_that_loses_the_registers_changes_nothing(struct rig *rig)
{
    check_a_sleep(rig, true);
}

static void a_sleep_that_keeps_the_registers_changes_nothing(struct rig *rig)
{
    check_a_sleep(rig, false);
}

static void faults_are_heard_after_a_sleep(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    assert_true(rig_refused(rig, 0, BASE));
    sleep_and_wake(rig, true);
    rig_poll(rig);
    rig->faults = 0;
    assert_false(rig_write(rig, 0, BASE, 1));
    assert_true(machine_run(rig->m)); /* by interrupt */
    assert_int_equal(rig->faults, 1);
    assert_int_equal(rig->fault.iova, BASE);
    rig_drop(rig, 0, d);
}

static void what_changes_in_a_sleep_is_seen_after(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    assert_true(rig_reaches(rig, 0, BASE, pages));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_AGAIN);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_AGAIN);
    map_page(d, BASE + RIG_PAGE, pages + RIG_PAGE);
    rig_ok(uiommu_resume(rig->u)); /* nothing was lost but the time */
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, pages + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static void a_sleeping_instance_refuses_what_needs_its_units(struct rig *rig)
{
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_suspend(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    rig_is(rig_add(rig, 0), UIOMMU_AGAIN);
    uiommu_poll(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    rig_is(uiommu_resume(rig->u), UIOMMU_BUSY);
    assert_true(rig_refused(rig, 0, 0));
}

static const struct rig_test tests[] = {
    RIG_COLD(malformed_infos_are_refused),
    RIG_COLD(a_device_that_is_not_there_is_refused),
    RIG_TEST(a_device_is_added_once),
    RIG_TEST(a_wrong_bridge_is_refused),
    RIG_TEST(a_bridge_stays_while_devices_are_behind_it),
    RIG_COLD(an_add_that_fails_leaves_nothing),
    RIG_COLD(what_is_removed_or_never_added_is_blocked),
    RIG_COLD(removing_a_device_ends_its_hold_on_a_domain),
    RIG_COLD_ON(what_is_behind_a_pci_bridge_moves_with_it, with_pci_bridge),
    RIG_TEST_ON(devices_behind_a_switch_are_told_apart, with_switch),
    RIG_TEST_ON(devices_of_both_halves_of_a_bus_are_told_apart,
                with_both_halves),
    RIG_TEST_ON(each_function_is_invalidated_under_its_own_id, with_functions),
    RIG_TEST(a_sleep_that_loses_the_registers_changes_nothing),
    RIG_TEST(a_sleep_that_keeps_the_registers_changes_nothing),
    RIG_TEST(faults_are_heard_after_a_sleep),
    RIG_TEST(what_changes_in_a_sleep_is_seen_after),
    RIG_TEST(a_sleeping_instance_refuses_what_needs_its_units),
    { 0 },
};

int main(void)
{
    return rig_run("device", tests);
}
