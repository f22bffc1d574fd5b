/* SPDX-License-Identifier: MIT */
/*
 * software_test.c - devices that no unit translates for (semantics C.2): they are not
 * confined, and that is said; parts of them that are emulated have domains all the same.
 * The machine's own unit has nothing to do.
 */
#include "tests/core/help.h"

#include "core/core.h"

#define BASE GIB(2)

struct bare {
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device;
    struct uiommu_endpoint *part;
    unsigned told;
    struct uiommu_pin pin;
    bool pinned;
};

static enum uiommu_status try(struct bare *b,
                              const struct uiommu_config *config)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd, &uiommu_driver_software
    };
    const struct sim_config machine = { .mode = SIM_LEGACY };
    char error[128];

    *b = (struct bare){ .m = sim_open(&machine, error, sizeof(error)) };
    assert_non_null(b->m);
    rig_ok(uiommu_create(&b->m->host, config, &b->u));
    return uiommu_start(b->u, drivers, 2); /* there is no table: no VT-d */
}

static void add(struct bare *b)
{
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = b->m->devices[sim_engine(b->m, 0)].pci,
    };

    rig_ok(uiommu_device_add(b->u, &info, &b->device));
}

static void open(struct bare *b)
{
    rig_ok(try(b, NULL));
    add(b);
}

static void close(struct bare *b)
{
    if (b->device)
        rig_ok(uiommu_device_remove(b->device));
    rig_ok(uiommu_stop(b->u));
    rig_ok(uiommu_destroy(b->u));
    assert_int_equal(sim_close(b->m), 0);
}

static void told(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                 uint64_t last)
{
    struct bare *b = ctx;

    (void)iova, (void)last;
    b->told++;
    if (b->pinned)
        rig_ok(uiommu_access_unpin(ep, &b->pin));
    b->pinned = false;
}

static const struct uiommu_mediator mediator = { .unmapped = told };

static struct uiommu_mdev_config config_of(struct bare *b,
                                           enum uiommu_mdev_kind kind)
{
    return (struct uiommu_mdev_config){
        .size = sizeof(struct uiommu_mdev_config),
        .kind = kind,
        .mediator = &mediator,
        .ctx = b,
    };
}

static uint64_t found;

static void find(void *ctx, const struct uiommu_segment *piece)
{
    (void)ctx;
    found = piece->phys;
}

static uint64_t look_up(struct bare *b, uint64_t iova)
{
    return uiommu_access_rw(b->part, iova, 8, RIG_RW, find, NULL) == UIOMMU_OK
               ? found
               : NOWHERE;
}

/* ---- the device ----------------------------------------------------------------------- */

static void it_is_not_confined_and_that_is_said(void **state)
{
    struct uiommu_domain *d = NULL;
    struct uiommu_endpoint *ep;
    struct uiommu_unit_info info;
    struct uiommu_mode mode;
    struct bare b;
    const int owner = 0;

    (void)state;
    open(&b);
    ep = uiommu_device_endpoint(b.device);
    rig_ok(uiommu_unit_info(b.u, 0, &info));
    assert_string_equal(info.driver, "software");
    assert_int_equal(info.block_quality, UIOMMU_BLOCK_NONE);
    rig_is(uiommu_unit_info(b.u, 1, &info), UIOMMU_NOENT);
    rig_ok(uiommu_effective_mode(ep, &mode));
    assert_int_equal(mode.sees, UIOMMU_DOMAIN_IDENTITY);
    assert_int_equal(mode.block_quality, UIOMMU_BLOCK_NONE);
    rig_is(uiommu_claim(ep, &owner), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_set_domain(ep, uiommu_blocked(b.u), NULL), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_domain_create(ep, NULL, &d), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(b.m), "no unit translates for it");
    assert_null(d);
    close(&b);
}

static void a_driver_uses_it_as_it_is(void **state)
{
    struct uiommu_dma_config config = { .size = sizeof(config) };
    struct uiommu_endpoint *ep;
    struct uiommu_mode mode;
    struct bare b;
    uint64_t iova = 0;

    (void)state;
    open(&b);
    ep = uiommu_device_endpoint(b.device);
    config.kind = UIOMMU_DMA_TRANSLATED;
    rig_is(uiommu_dma_start(ep, &config), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_effective_mode(ep, &mode));
    assert_int_equal(mode.rule, UIOMMU_DEFAULT_NO_TABLES);
    assert_says(mode.because, "no unit translates");
    rig_ok(uiommu_dma_map(ep, GIB(1), RIG_PAGE, RIG_RW, &iova));
    assert_int_equal(iova, GIB(1));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    b.device->untrusted =
        true; /* who is not trusted is not let in by default */
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_OPNOTSUPP);
    close(&b);
}

/* A device that a unit translates for is that unit's. */
static void a_unit_goes_before_it(void **state)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd, &uiommu_driver_software
    };
    const struct sim_config machine = { .mode = SIM_LEGACY };
    struct uiommu_unit_info info;
    struct uiommu_mode mode;
    struct bare b = { 0 };
    char error[128];

    (void)state;
    b.m = sim_open(&machine, error, sizeof(error));
    assert_non_null(b.m);
    rig_ok(uiommu_create(&b.m->host, NULL, &b.u));
    rig_ok(uiommu_find_tables(b.u, drivers, 2));
    rig_ok(uiommu_start(b.u, drivers, 2));
    rig_ok(uiommu_unit_info(b.u, 0, &info));
    assert_string_equal(info.driver, "vtd");
    rig_ok(uiommu_unit_info(b.u, 1, &info));
    assert_string_equal(info.driver, "software");
    add(&b);
    rig_ok(uiommu_effective_mode(uiommu_device_endpoint(b.device), &mode));
    assert_int_equal(mode.sees, UIOMMU_DOMAIN_BLOCKED);
    close(&b);
}

/* Nothing remaps interrupts of what is confined by nothing anyway. */
static void interrupts_of_others_may_be_remapped(void **state)
{
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_CONFIG_REMAP_INTERRUPTS,
    };
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_irq *irq = NULL;
    struct bare b;

    (void)state;
    rig_ok(try(&b, &config));
    add(&b);
    rig_is(uiommu_irq_map(uiommu_device_endpoint(b.device), &target, 1, &irq),
           UIOMMU_OPNOTSUPP);
    close(&b);
}

/* ---- parts of it ----------------------------------------------------------------------- */

static void part_has_domains(struct bare *b)
{
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_domain_create(b->part, NULL, &d));
    rig_ok(uiommu_map(d, BASE, GIB(1), 2 * RIG_PAGE, RIG_RW));
    rig_ok(uiommu_set_domain(b->part, d, NULL));
    assert_int_equal(look_up(b, BASE + RIG_PAGE), GIB(1) + RIG_PAGE);
    assert_int_equal(look_up(b, BASE - 8), NOWHERE);
    rig_is(uiommu_set_domain(uiommu_device_endpoint(b->device), d, NULL),
           UIOMMU_INVAL);
    rig_ok(
        uiommu_access_pin(b->part, BASE, 8, UIOMMU_READ, &b->pin, NULL, NULL));
    b->pinned = true;
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_false(b->pinned);
    assert_int_equal(b->told, 1);
    assert_int_equal(look_up(b, BASE), NOWHERE);
    rig_ok(uiommu_set_domain(b->part, uiommu_blocked(b->u), NULL));
    assert_int_equal(look_up(b, BASE + RIG_PAGE), NOWHERE);
    uiommu_domain_put(d);
}

static void its_parts_have_domains_all_the_same(void **state)
{
    struct uiommu_mdev_config config;
    struct bare b;

    (void)state;
    open(&b);
    config = config_of(&b, UIOMMU_MDEV_EMULATED);
    rig_ok(uiommu_mdev_register(b.device, &config, &b.part));
    part_has_domains(&b);
    rig_ok(uiommu_device_reset_begin(b.device));
    rig_ok(uiommu_device_reset_end(b.device, true));
    rig_ok(uiommu_suspend(b.u));
    rig_ok(uiommu_resume(b.u));
    rig_is(uiommu_device_remove(b.device), UIOMMU_BUSY);
    rig_ok(uiommu_mdev_unregister(b.part));
    close(&b);
}

static void only_what_is_emulated_is_apart(void **state)
{
    const struct uiommu_mediator numbers = { 0 };
    struct uiommu_mdev_config config;
    struct uiommu_domain *d = NULL;
    struct bare b;
    const int owner = 0;

    (void)state;
    open(&b);
    config = config_of(&b, UIOMMU_MDEV_PASID);
    config.mediator = &numbers;
    rig_is(uiommu_mdev_register(b.device, &config, &b.part), UIOMMU_INVAL);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    rig_ok(uiommu_mdev_register(b.device, &config, &b.part));
    rig_is(uiommu_claim(b.part, &owner), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_domain_create(b.part, NULL, &d), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_mdev_unregister(b.part));
    close(&b);
}

/* It is gone, and nothing was to be confirmed. */
static void its_device_is_pulled_out(void **state)
{
    struct uiommu_mdev_config config;
    struct uiommu_domain *d = NULL;
    struct bare b;

    (void)state;
    open(&b);
    config = config_of(&b, UIOMMU_MDEV_EMULATED);
    rig_ok(uiommu_mdev_register(b.device, &config, &b.part));
    rig_ok(uiommu_domain_create(b.part, NULL, &d));
    rig_ok(uiommu_set_domain(b.part, d, NULL));
    sim_unplug(b.m, (unsigned)sim_engine(b.m, 0));
    rig_ok(uiommu_device_remove(b.device));
    b.device = NULL;
    rig_is(uiommu_set_domain(b.part, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_mdev_unregister(b.part));
    uiommu_domain_put(d);
    close(&b);
}

static void one_without_a_number_on_a_bus_has_parts_too(void **state)
{
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_ACPI,
        .acpi_path = "\\_SB.UART",
    };
    struct uiommu_mdev_config config;
    struct bare b;

    (void)state;
    rig_ok(try(&b, NULL));
    rig_ok(uiommu_device_add(b.u, &info, &b.device));
    config = config_of(&b, UIOMMU_MDEV_EMULATED);
    rig_ok(uiommu_mdev_register(b.device, &config, &b.part));
    part_has_domains(&b);
    rig_ok(uiommu_mdev_unregister(b.part));
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_not_confined_and_that_is_said),
        cmocka_unit_test(a_driver_uses_it_as_it_is),
        cmocka_unit_test(a_unit_goes_before_it),
        cmocka_unit_test(interrupts_of_others_may_be_remapped),
        cmocka_unit_test(its_parts_have_domains_all_the_same),
        cmocka_unit_test(only_what_is_emulated_is_apart),
        cmocka_unit_test(its_device_is_pulled_out),
        cmocka_unit_test(one_without_a_number_on_a_bus_has_parts_too),
    };

    return cmocka_run_group_tests_name("software", tests, NULL, NULL);
}
