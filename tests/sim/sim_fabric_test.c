/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim as a PCI hierarchy: configuration space as software finds it, the
 * rules of order in it, and which way DMA takes. The unit is there but off.
 */
#include "tests/sim/tools.h"

#include <string.h>

enum { COMMAND = 0x04, BAR0 = 0x10 };

#define DEVFN(device, function) ((device) << 3 | (function))

/* ---- what software finds ------------------------------------------------- */

static void default_topology_is_as_documented(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned port = dev_of(m, "port");
    unsigned behind = (unsigned)sim_engine(m, 2);

    (void)state;
    assert_string_equal(m->name, "sim:vtd");
    assert_int_equal(m->n_devices, 4);
    assert_int_equal(m->devices[sim_engine(m, 0)].pci.devfn, DEVFN(3, 0));
    assert_int_equal(m->devices[sim_engine(m, 1)].pci.devfn, DEVFN(4, 0));
    assert_int_equal(m->devices[port].pci.devfn, DEVFN(0x1c, 0));
    assert_false(m->devices[port].engine);
    assert_int_equal(m->devices[behind].pci.bus, 1);
    assert_int_equal(m->devices[behind].pci.devfn, 0);
    assert_int_equal(m->devices[behind].bridge, port);
    assert_int_equal(sim_engine(m, 3), -1);
    assert_int_equal(sim_find(m, "nobody"), -1);
    close_sim(m);
}

static void more_engines_are_on_the_root_bus(void **state)
{
    struct sim_config config = { .engines = 5 };
    struct machine *m = open_sim(&config);

    (void)state;
    assert_int_equal(m->devices[sim_engine(m, 4)].pci.devfn, DEVFN(6, 0));
    close_sim(m);
    config.engines = 1;
    m = open_sim(&config);
    assert_int_equal(m->n_devices, 1);
    close_sim(m);
}

static void headers_and_capabilities_can_be_walked(void **state)
{
    struct sim_config config = { .engine_caps = SIM_ATS | SIM_PRI | SIM_PASID };
    struct machine *m = open_sim(&config);
    unsigned port = dev_of(m, "port");
    unsigned engine = dev_of(m, "engine0");
    unsigned pcie = std_cap(m, engine, 0x10);

    (void)state;
    assert_int_equal(config_read(m, port, 0x0e, 1), 1);
    assert_int_equal(config_read(m, port, 0x0a, 2), 0x0604);
    assert_int_equal(config_read(m, port, 0x18, 4) & 0xffffff, 0x010100);
    assert_int_equal(config_read(m, engine, 0x0e, 1), 0);
    assert_int_not_equal(config_read(m, engine, 0x06, 2) & 0x10, 0);
    assert_int_not_equal(std_cap(m, engine, 0x05), 0);
    assert_int_equal(config_read(m, engine, pcie + 2, 2) >> 4, 9);
    assert_int_not_equal(config_read(m, engine, pcie + 0x24, 4) & 1u << 21, 0);
    assert_int_not_equal(ext_cap(m, engine, ATS_ID), 0);
    assert_int_not_equal(ext_cap(m, engine, PRI_ID), 0);
    assert_int_not_equal(ext_cap(m, engine, PASID_ID), 0);
    assert_int_equal(ext_cap(m, engine, ACS_ID), 0);
    assert_int_not_equal(ext_cap(m, port, ACS_ID), 0);
    close_sim(m);
}

static void bars_can_be_sized_and_moved(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint32_t old = config_read(m, dev, BAR0, 4);

    (void)state;
    assert_int_equal(old, sim_bar_addr(m, dev));
    config_write(m, dev, BAR0, 4, UINT32_MAX);
    assert_int_equal(config_read(m, dev, BAR0, 4), 0xfffff000);
    config_write(m, dev, BAR0, 4, 0xe8000000);
    assert_int_equal(sim_bar_addr(m, dev), 0xe8000000);
    close_sim(m);
}

static void absent_functions_read_all_ones(void **state)
{
    struct machine *m = open_sim(NULL);
    struct uiommu_pci nobody = { 0, 0, DEVFN(9, 0) };
    struct uiommu_pci nowhere = { 1, 0, DEVFN(3, 0) };

    (void)state;
    assert_int_equal(m->host.pci_read(m->host.ctx, nobody, 0, 4), UINT32_MAX);
    assert_int_equal(m->host.pci_read(m->host.ctx, nobody, 0, 2), 0xffff);
    assert_int_equal(m->host.pci_read(m->host.ctx, nowhere, 0, 1), 0xff);
    m->host.pci_write(m->host.ctx, nobody, 4, 2, 0);
    m->host.pci_read(m->host.ctx, nobody, 2, 4);
    expect_violation(m, "pci_read of 4 bytes at offset 0x2");
    m->host.pci_write(m->host.ctx, nobody, 4096, 4, 0);
    expect_violation(m, "pci_write of 4 bytes at offset 0x1000");
    close_sim(m);
}

static void unplugged_functions_are_gone_with_all_behind(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned behind = dev_of(m, "engine2");

    (void)state;
    sim_unplug(m, dev_of(m, "port"));
    assert_int_equal(config_read(m, behind, 0, 4), UINT32_MAX);
    assert_int_equal(dma_write(m, behind, 0x1000, 4).moved, 0);
    assert_int_equal(config_read(m, dev_of(m, "engine0"), 0, 2), 0xf055);
    close_sim(m);
}

/* ---- rules of order (D-71) ----------------------------------------------- */

enum { WHO_ATS, WHO_PRI, WHO_PASID };

struct order_step {
    int who;
    unsigned offset, width;
    uint32_t value;
};

/* The last step of each row breaks a rule, none before does. */
static const struct {
    const char *text;
    struct order_step step[5];
} order_row[] = {
    { "PASID control changed while ATS is enabled",
      { { WHO_ATS, 6, 2, 0x8000 }, { WHO_PASID, 6, 2, 1 } } },
    { "PASID control changed while ATS is enabled",
      { { WHO_PASID, 6, 2, 1 },
        { WHO_ATS, 6, 2, 0x8000 },
        { WHO_PASID, 6, 2, 0 } } },
    { "STU changed while ATS is enabled",
      { { WHO_ATS, 6, 2, 0x8000 }, { WHO_ATS, 6, 2, 0x8001 } } },
    { "PRI enabled while ATS is not",
      { { WHO_PRI, 12, 4, 8 }, { WHO_PRI, 4, 2, 1 } } },
    { "PRI enabled without an allocation",
      { { WHO_ATS, 6, 2, 0x8000 }, { WHO_PRI, 4, 2, 1 } } },
    { "or with too large a one",
      { { WHO_ATS, 6, 2, 0x8000 },
        { WHO_PRI, 12, 4, 33 },
        { WHO_PRI, 4, 2, 1 } } },
    { "PRI allocation changed while PRI is enabled",
      { { WHO_ATS, 6, 2, 0x8000 },
        { WHO_PRI, 12, 4, 8 },
        { WHO_PRI, 4, 2, 1 },
        { WHO_PRI, 12, 4, 9 } } },
    { "ATS disabled while PRI is enabled",
      { { WHO_ATS, 6, 2, 0x8000 },
        { WHO_PRI, 12, 4, 8 },
        { WHO_PRI, 4, 2, 1 },
        { WHO_ATS, 6, 2, 0 } } },
};

static void do_step(struct machine *m, const struct order_step *step)
{
    static const unsigned id[] = { ATS_ID, PRI_ID, PASID_ID };
    unsigned dev = dev_of(m, "engine0");

    config_write(m, dev, ext_cap(m, dev, id[step->who]) + step->offset,
                 step->width, step->value);
}

static void wrong_order_is_noticed(void **state)
{
    struct sim_config config = { .engine_caps = SIM_ATS | SIM_PRI | SIM_PASID };

    (void)state;
    for (unsigned i = 0; i < sizeof(order_row) / sizeof(order_row[0]); i++) {
        struct machine *m = open_sim(&config);
        unsigned n = 0;

        while (n < 5 && order_row[i].step[n].width > 0) {
            assert_int_equal(sim_violations(m), 0);
            do_step(m, &order_row[i].step[n]);
            n++;
        }
        expect_violation(m, order_row[i].text);
        close_sim(m);
    }
}

static void right_order_is_silent(void **state)
{
    static const struct order_step step[] = {
        { WHO_PASID, 6, 2, 1 }, { WHO_ATS, 6, 2, 0x8000 },
        { WHO_PRI, 12, 4, 32 }, { WHO_PRI, 4, 2, 1 },
        { WHO_PRI, 4, 2, 0 },   { WHO_ATS, 6, 2, 0 },
        { WHO_PASID, 6, 2, 0 },
    };
    struct sim_config config = { .engine_caps = SIM_ATS | SIM_PRI | SIM_PASID };
    struct machine *m = open_sim(&config);

    (void)state;
    for (unsigned i = 0; i < sizeof(step) / sizeof(step[0]); i++)
        do_step(m, &step[i]);
    close_sim(m);
}

/* ---- topologies that cannot be ------------------------------------------- */

static void open_fails(const struct sim_function *row, unsigned n,
                       const char *text)
{
    struct sim_config config = { .functions = row, .n_functions = n };
    char error[256] = "";

    assert_null(sim_open(&config, error, sizeof(error)));
    if (!strstr(error, text))
        fail_msg("\"%s\" does not say \"%s\"", error, text);
}

static void impossible_topologies_are_refused(void **state)
{
    const struct sim_function late[] = {
        { .kind = SIM_ENGINE, .parent = 1 },
        { .kind = SIM_ROOT_PORT, .parent = MACHINE_NO_BRIDGE },
    };
    const struct sim_function twice[] = {
        { .kind = SIM_ENGINE, .parent = MACHINE_NO_BRIDGE },
        { .kind = SIM_ENGINE, .parent = MACHINE_NO_BRIDGE },
    };
    const struct sim_function engine[] = {
        { .kind = SIM_ENGINE, .parent = MACHINE_NO_BRIDGE },
        { .kind = SIM_ENGINE, .parent = 0 },
    };
    const struct sim_function lonely[] = {
        { .kind = SIM_DOWNSTREAM, .parent = MACHINE_NO_BRIDGE },
    };
    struct sim_config config = { .engines = 100 };
    char error[256] = "";

    (void)state;
    open_fails(late, 2, "bridges come before");
    open_fails(twice, 2, "has that place");
    open_fails(engine, 2, "no bridge");
    open_fails(lonely, 1, "below an upstream port");
    assert_null(sim_open(&config, error, sizeof(error)));
    assert_string_not_equal(error, "");
}

/* ---- DMA with the unit off ----------------------------------------------- */

static void dma_reaches_ram_and_is_cut_into_pages(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 3 * 4096);
    uint8_t back[8192] = { 0 };
    struct sim_request r = dma_write(m, dev, phys + 4000, 5000);

    (void)state;
    assert_int_equal(r.moved, 5000);
    assert_int_equal(r.target, SIM_AT_RAM);
    assert_int_equal(r.addr, phys + 8192);
    assert_int_equal(machine_dma(m, dev, false, phys + 3999, back, 5002),
                     MACHINE_DMA_DONE);
    assert_int_equal(back[0], 0);
    assert_int_equal(back[1], 0x5a);
    assert_int_equal(back[5000], 0x5a);
    assert_int_equal(back[5001], 0);
    close_sim(m);
}

static void what_moved_before_a_refusal_has_moved(void **state)
{
    struct sim_config config = { .ram_size = 2 << 20 };
    struct machine *m = open_sim(&config);
    unsigned dev = dev_of(m, "engine0");
    struct sim_request r = dma_write(m, dev, (2 << 20) - 4096, 8192);

    (void)state;
    assert_int_equal(r.moved, 4096);
    assert_int_equal(r.target, SIM_NOWHERE);
    assert_int_equal(*(uint8_t *)sim_ram(m, (2 << 20) - 1, 1), 0x5a);
    close_sim(m);
}

static void no_dma_without_bus_master_or_pasid_enable(void **state)
{
    struct sim_config config = { .engine_caps = SIM_PASID };
    struct machine *m = open_sim(&config);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 4096);
    uint8_t byte = 1;
    struct sim_request r = {
        .dev = dev, .write = true, .iova = phys, .buf = &byte, .size = 1
    };

    (void)state;
    config_write(m, dev, COMMAND, 2, 0x0002);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 0);
    r.rogue = true;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_DONE);
    config_write(m, dev, COMMAND, 2, 0x0006);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 4);
    r.rogue = false;
    r.pasid = 5;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_REFUSED);
    close_sim(m);
}

static void dma_to_freed_pages_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys;
    void *virt = m->host.pages_alloc(m->host.ctx, 0, 0, &phys);
    uint8_t byte;

    (void)state;
    dma_write(m, dev, phys, 4);
    assert_int_equal(sim_violations(m), 0);
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    machine_dma(m, dev, false, phys, &byte, 1);
    expect_violation(m, "a device read from");
    dma_write(m, dev, phys, 4);
    expect_violation(m, "a device wrote to");
    close_sim(m);
}

static void only_engines_do_dma(void **state)
{
    struct machine *m = open_sim(NULL);
    uint8_t byte = 0;

    (void)state;
    assert_int_equal(machine_dma(m, dev_of(m, "port"), true, 0x1000, &byte, 1),
                     MACHINE_DMA_REFUSED);
    assert_int_equal(machine_dma(m, 99, true, 0x1000, &byte, 1),
                     MACHINE_DMA_REFUSED);
    close_sim(m);
}

/* ---- peer to peer -------------------------------------------------------- */

/* Two engines below a switch, a third below another root port; a PCI bus. */
enum { A = 5, B, ROOT_C, C, BRIDGE, D, E, TWO_0, TWO_1 };
enum { ROOT_AB = 0, UP = 1, DOWN_A = 2, DOWN_B = 3, DOWN_EMPTY = 4 };

static struct machine *open_hierarchy(unsigned root_caps, unsigned down_caps)
{
    const struct sim_function row[] = {
        { "rootAB", SIM_ROOT_PORT, -1, DEVFN(0x1c, 0), root_caps },
        { "up", SIM_UPSTREAM, ROOT_AB, 0, 0 },
        { "downA", SIM_DOWNSTREAM, UP, DEVFN(0, 0), down_caps },
        { "downB", SIM_DOWNSTREAM, UP, DEVFN(1, 0), down_caps },
        { "downE", SIM_DOWNSTREAM, UP, DEVFN(2, 0), down_caps },
        { "A", SIM_ENGINE, DOWN_A, 0, 0 },
        { "B", SIM_ENGINE, DOWN_B, 0, 0 },
        { "rootC", SIM_ROOT_PORT, -1, DEVFN(0x1d, 0), root_caps },
        { "C", SIM_ENGINE, ROOT_C, 0, 0 },
        { "bridge", SIM_PCI_BRIDGE, -1, DEVFN(0x1e, 0), 0 },
        { "D", SIM_PCI_ENGINE, BRIDGE, DEVFN(1, 0), 0 },
        { "E", SIM_PCI_ENGINE, BRIDGE, DEVFN(2, 0), 0 },
        { "two0", SIM_ENGINE, -1, DEVFN(5, 0), 0 },
        { "two1", SIM_ENGINE, -1, DEVFN(5, 1), 0 },
    };
    struct sim_config config = { .functions = row,
                                 .n_functions = sizeof(row) / sizeof(row[0]) };

    return open_sim(&config);
}

static enum sim_target peer_write(struct machine *m, unsigned from, unsigned to)
{
    struct sim_request r = dma_write(m, from, sim_bar_addr(m, to) + 16, 4);
    bool there = sim_bar(m, to)[16] == 0x5a;

    assert_int_equal(there, r.moved == 4);
    memset(sim_bar(m, to), 0, SIM_BAR_SIZE);
    if (there)
        assert_int_equal(r.peer, to);
    return r.target;
}

static void buses_are_numbered_depth_first(void **state)
{
    struct machine *m = open_hierarchy(0, 0);

    (void)state;
    assert_int_equal(config_read(m, ROOT_AB, 0x18, 4) & 0xffffff, 0x050100);
    assert_int_equal(config_read(m, UP, 0x18, 4) & 0xffffff, 0x050201);
    assert_int_equal(config_read(m, DOWN_B, 0x18, 4) & 0xffffff, 0x040402);
    assert_int_equal(m->devices[A].pci.bus, 3);
    assert_int_equal(m->devices[C].pci.bus, 6);
    assert_int_equal(m->devices[D].pci.bus, 7);
    assert_int_equal(config_read(m, TWO_0, 0x0e, 1), 0x80);
    /* The window of an empty port is empty. */
    assert_true(config_read(m, DOWN_EMPTY, 0x20, 2) >
                config_read(m, DOWN_EMPTY, 0x22, 2));
    close_sim(m);
}

static void without_acs_peers_are_reached_directly(void **state)
{
    struct machine *m = open_hierarchy(0, 0);

    (void)state;
    assert_int_equal(peer_write(m, A, B), SIM_AT_PEER);
    assert_int_equal(peer_write(m, A, A),
                     SIM_AT_PEER); /* its own port's side */
    assert_int_equal(peer_write(m, A, C), SIM_AT_PEER);
    assert_int_equal(peer_write(m, TWO_0, TWO_1), SIM_AT_PEER);
    /* Integrated endpoints and the PCI bus are reached through the root
     * complex, where the IOMMU is. */
    assert_int_equal(peer_write(m, A, TWO_0), SIM_AT_BAR);
    assert_int_equal(peer_write(m, A, D), SIM_AT_BAR);
    assert_int_equal(peer_write(m, TWO_0, A), SIM_AT_BAR);
    close_sim(m);
}

static void acs_sends_everything_up(void **state)
{
    struct machine *m = open_hierarchy(SIM_ACS_ON, SIM_ACS_ON);

    (void)state;
    assert_int_equal(peer_write(m, A, B), SIM_AT_BAR);
    assert_int_equal(peer_write(m, A, A), SIM_AT_BAR);
    assert_int_equal(peer_write(m, A, C), SIM_AT_BAR);
    assert_int_equal(peer_write(m, C, A), SIM_AT_BAR);
    close_sim(m);
}

/* Redirect in the switch helps nothing if the root port sends it back down. */
static void acs_has_to_reach_the_root(void **state)
{
    struct machine *m = open_hierarchy(0, SIM_ACS_ON);

    (void)state;
    assert_int_equal(peer_write(m, A, B), SIM_AT_PEER);
    close_sim(m);
    m = open_hierarchy(SIM_ACS_ON, 0);
    assert_int_equal(peer_write(m, A, B), SIM_AT_PEER);
    assert_int_equal(peer_write(m, A, C), SIM_AT_BAR);
    close_sim(m);
}

static void acs_follows_its_control_register(void **state)
{
    struct machine *m = open_hierarchy(SIM_ACS_ON, SIM_ACS);
    unsigned acs = ext_cap(m, DOWN_A, ACS_ID);

    (void)state;
    assert_int_equal(config_read(m, DOWN_A, acs + 6, 2), 0);
    assert_int_equal(peer_write(m, A, B), SIM_AT_PEER);
    config_write(m, DOWN_A, acs + 6, 2, 0x1d);
    assert_int_equal(peer_write(m, A, B), SIM_AT_BAR);
    assert_int_equal(peer_write(m, B, A), SIM_AT_PEER);
    close_sim(m);
}

static void nothing_isolates_a_pci_bus(void **state)
{
    struct machine *m = open_hierarchy(SIM_ACS_ON, SIM_ACS_ON);

    (void)state;
    assert_int_equal(peer_write(m, D, E), SIM_AT_PEER);
    assert_int_equal(peer_write(m, D, C), SIM_AT_BAR);
    close_sim(m);
}

static void a_bar_that_is_switched_off_is_not_there(void **state)
{
    struct machine *m = open_hierarchy(0, 0);
    uint64_t addr = sim_bar_addr(m, B);

    (void)state;
    config_write(m, B, COMMAND, 2, 0x0004);
    assert_int_equal(dma_write(m, A, addr, 4).moved, 0);
    close_sim(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_topology_is_as_documented),
        cmocka_unit_test(more_engines_are_on_the_root_bus),
        cmocka_unit_test(headers_and_capabilities_can_be_walked),
        cmocka_unit_test(bars_can_be_sized_and_moved),
        cmocka_unit_test(absent_functions_read_all_ones),
        cmocka_unit_test(unplugged_functions_are_gone_with_all_behind),
        cmocka_unit_test(wrong_order_is_noticed),
        cmocka_unit_test(right_order_is_silent),
        cmocka_unit_test(impossible_topologies_are_refused),
        cmocka_unit_test(dma_reaches_ram_and_is_cut_into_pages),
        cmocka_unit_test(what_moved_before_a_refusal_has_moved),
        cmocka_unit_test(no_dma_without_bus_master_or_pasid_enable),
        cmocka_unit_test(dma_to_freed_pages_is_noticed),
        cmocka_unit_test(only_engines_do_dma),
        cmocka_unit_test(buses_are_numbered_depth_first),
        cmocka_unit_test(without_acs_peers_are_reached_directly),
        cmocka_unit_test(acs_sends_everything_up),
        cmocka_unit_test(acs_has_to_reach_the_root),
        cmocka_unit_test(acs_follows_its_control_register),
        cmocka_unit_test(nothing_isolates_a_pci_bus),
        cmocka_unit_test(a_bar_that_is_switched_off_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
