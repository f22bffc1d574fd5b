/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: what reaches a peer without the IOMMU, and under which id the rest comes
 * to the IOMMU, which is on (PCIe 6.x, 6.12; semantics S0.5, S0.18).
 */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

enum { COMMAND = 0x04, PASID = 5, AT = 16 };
enum { DSP_BLOCK = 1 << 8, DSP_UP = 2 << 8, USP_BLOCK = 1 << 10 };
enum { USP_UP = 2 << 10, UNCLAIMED_UP = 1 << 12 };
enum { EVERYTHING = SIM_ACS_SV | SIM_ACS_RR | SIM_ACS_CR | SIM_ACS_UF };

#define DEVFN(device, function) ((device) << 3 | (function))

#define IOVA UINT64_C(0x12345678000)

/* ---- a machine with the IOMMU on ----------------------------------------- */

struct rig {
    struct machine *m;
    struct raw raw;
};

static void rig_open(struct rig *rig, const struct sim_function *row,
                     unsigned n)
{
    struct sim_config config = { .mode = SIM_SCALABLE,
                                 .functions = row,
                                 .n_functions = n };

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    rig->raw.scalable = true;
    raw_start(&rig->raw, rig->m);
    raw_pasid(&rig->raw, 0);
    raw_pasid(&rig->raw, PASID);
}

static void rig_close(struct rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

/* The requester sees one page, at IOVA; where that is. */
static uint64_t confine(struct rig *rig, unsigned id)
{
    uint64_t phys = sim_ram_alloc(rig->m, 4096);

    raw_map(&rig->raw, IOVA, phys, RAW_WRITE);
    raw_context(&rig->raw, (uint8_t)(id >> 8), (uint8_t)id, false);
    return phys;
}

static struct sim_request write_to(struct rig *rig, const char *who,
                                   uint64_t addr, uint32_t pasid)
{
    static uint8_t bytes[4] = { 0x5a, 0x5a, 0x5a, 0x5a };
    struct sim_request r = { .dev = dev_of(rig->m, who),
                             .pasid = pasid,
                             .write = true,
                             .iova = addr,
                             .buf = bytes,
                             .size = sizeof(bytes) };

    (void)sim_dma(rig->m, &r);
    return r;
}

/* A write to memory of `to`, which must be there exactly if the request says so. */
static struct sim_request write_peer(struct rig *rig, const char *who,
                                     const char *to, uint32_t pasid)
{
    unsigned peer = dev_of(rig->m, to);
    struct sim_request r =
        write_to(rig, who, sim_bar_addr(rig->m, peer) + AT, pasid);

    assert_int_equal(sim_bar(rig->m, peer)[AT] == 0x5a,
                     r.target == SIM_AT_PEER || r.target == SIM_AT_BAR);
    if (r.target == SIM_AT_PEER)
        assert_int_equal(r.peer, peer);
    memset(sim_bar(rig->m, peer), 0, SIM_BAR_SIZE);
    return r;
}

static void reaches(struct rig *rig, const char *who, const char *to)
{
    assert_int_equal(write_peer(rig, who, to, UIOMMU_NO_PASID).target,
                     SIM_AT_PEER);
    assert_false(raw_fault(&rig->raw));
}

static void stops(struct rig *rig, const char *who, const char *to,
                  enum sim_stop stop)
{
    struct sim_request r = write_peer(rig, who, to, UIOMMU_NO_PASID);

    assert_int_equal(r.target, SIM_NOWHERE);
    assert_int_equal(r.stop, stop);
    assert_int_equal(raw_fault(&rig->raw), stop == SIM_BY_UNIT);
}

static void set_acs(struct rig *rig, const char *port, uint32_t bits)
{
    unsigned dev = dev_of(rig->m, port);

    config_write(rig->m, dev, ext_cap(rig->m, dev, ACS_ID) + 6, 2, bits);
}

/* ---- a switch ------------------------------------------------------------ */

enum { ROOT, UP, DOWN_A, DOWN_B, DEV_A, DEV_B };

static void switch_open(struct rig *rig, unsigned root, unsigned down)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), root },
        { "up", SIM_UPSTREAM, ROOT, 0, SIM_BAR },
        { "downA", SIM_DOWNSTREAM, UP, DEVFN(0, 0), down | SIM_BAR },
        { "downB", SIM_DOWNSTREAM, UP, DEVFN(1, 0), down | SIM_BAR },
        { "a", SIM_ENGINE, DOWN_A, 0, SIM_PASID },
        { "b", SIM_ENGINE, DOWN_B, 0, SIM_PASID },
    };
    unsigned pasid;

    rig_open(rig, row, sizeof(row) / sizeof(row[0]));
    pasid = ext_cap(rig->m, DEV_A, PASID_ID);
    config_write(rig->m, DEV_A, pasid + 6, 2, 1);
    confine(rig, 3 << 8);
}

/* What uiommu refuses such endpoints for (S0.18): no PASID keeps a request from being
 * routed by its address, and the IOMMU hears nothing of it. */
static void a_pasid_does_not_keep_a_write_from_a_peer(void **state)
{
    struct rig rig;

    (void)state;
    switch_open(&rig, SIM_ACS, SIM_ACS);
    assert_int_equal(write_peer(&rig, "a", "b", PASID).target, SIM_AT_PEER);
    assert_false(raw_fault(&rig.raw));
    set_acs(&rig, "downA", EVERYTHING);
    assert_int_equal(write_peer(&rig, "a", "b", PASID).target, SIM_AT_PEER);
    set_acs(&rig, "root", EVERYTHING);
    assert_int_equal(write_peer(&rig, "a", "b", PASID).stop, SIM_BY_UNIT);
    assert_true(raw_fault(&rig.raw));
    set_acs(&rig, "downA", EVERYTHING & ~SIM_ACS_RR);
    assert_int_equal(write_peer(&rig, "a", "b", PASID).target, SIM_AT_PEER);
    assert_false(raw_fault(&rig.raw));
    assert_int_equal(write_to(&rig, "a", IOVA, PASID).target, SIM_AT_RAM);
    rig_close(&rig);
}

/* Redirected and allowed, it arrives. */
static void with_acs_a_peer_is_reached_through_the_iommu(void **state)
{
    struct rig rig;
    struct sim_request r;

    (void)state;
    switch_open(&rig, SIM_ACS_ON, SIM_ACS_ON);
    stops(&rig, "a", "b", SIM_BY_UNIT);
    raw_map(&rig.raw, IOVA, sim_bar_addr(rig.m, DEV_B), RAW_WRITE);
    raw_invalidate(&rig.raw);
    r = write_to(&rig, "a", IOVA, PASID);
    assert_int_equal(r.target, SIM_AT_BAR);
    assert_int_equal(r.peer, DEV_B);
    rig_close(&rig);
}

/* It also takes UF at the ports that get a request of their own side back. */
static void each_bit_of_acs_closes_its_own_way(void **state)
{
    static const struct {
        const char *port;
        unsigned bits;
        const char *who, *to;
        bool peer;
    } row[] = {
        { "downA", EVERYTHING, "a", "b", false },
        { "downA", EVERYTHING & ~SIM_ACS_RR, "a", "b", true },
        { "downA", EVERYTHING & ~SIM_ACS_UF, "a", "a", true },
        { "downA", EVERYTHING, "a", "a", false },
        { "root", EVERYTHING & ~SIM_ACS_UF, "a", "b", true },
        { "root", EVERYTHING & ~SIM_ACS_RR, "a", "b", false },
        { "downB", 0, "a", "b", false },
        { "downB", 0, "b", "a", true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rig rig;

        switch_open(&rig, SIM_ACS_ON, SIM_ACS_ON);
        set_acs(&rig, row[i].port, row[i].bits);
        if (row[i].peer)
            reaches(&rig, row[i].who, row[i].to);
        else
            stops(&rig, row[i].who, row[i].to, SIM_BY_UNIT);
        rig_close(&rig);
    }
}

/* DT lets translated requests turn off where RR holds others back. */
static void translated_requests_may_turn_off(void **state)
{
    static const unsigned acs[] = { EVERYTHING, EVERYTHING | SIM_ACS_DT };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct sim_function row[] = {
            { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0xe0, SIM_ACS_ON },
            { "up", SIM_UPSTREAM, 0, 0, 0 },
            { "downA", SIM_DOWNSTREAM, 1, DEVFN(0, 0), SIM_ACS_ON },
            { "downB", SIM_DOWNSTREAM, 1, DEVFN(1, 0), SIM_ACS_ON },
            { "a", SIM_ENGINE, 2, 0, SIM_ATS },
            { "b", SIM_ENGINE, 3, 0, 0 },
        };
        struct sim_config config = { .ats = true,
                                     .functions = row,
                                     .n_functions = 6 };
        struct rig rig = { 0 };

        rig.m = open_sim(&config);
        raw_start(&rig.raw, rig.m);
        raw_map(&rig.raw, IOVA, sim_bar_addr(rig.m, DEV_B), RAW_WRITE);
        raw_context(&rig.raw, 3, 0, true);
        set_acs(&rig, "downA", acs[i]);
        config_write(rig.m, DEV_A, ext_cap(rig.m, DEV_A, ATS_ID) + 6, 2,
                     0x8000);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).target,
                         i ? SIM_AT_PEER : SIM_AT_BAR);
        rig_close(&rig);
    }
}

/* A request for a translation of an address that a peer has comes to the peer. */
static void translation_requests_are_routed_by_address_too(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0xe0, SIM_ACS },
        { "f0", SIM_ENGINE, 0, DEVFN(0, 0), SIM_ATS },
        { "f1", SIM_ENGINE, 0, DEVFN(0, 1), 0 },
    };
    struct sim_config config = { .ats = true,
                                 .functions = row,
                                 .n_functions = 3 };
    struct rig rig = { 0 };
    struct sim_request r;

    (void)state;
    rig.m = open_sim(&config);
    raw_start(&rig.raw, rig.m);
    raw_map(&rig.raw, sim_bar_addr(rig.m, 2), sim_ram_alloc(rig.m, 4096),
            RAW_WRITE);
    raw_context(&rig.raw, 1, 0, true);
    config_write(rig.m, 1, ext_cap(rig.m, 1, ATS_ID) + 6, 2, 0x8000);
    r = write_to(&rig, "f0", sim_bar_addr(rig.m, 2), 0);
    assert_int_equal(r.target, SIM_NOWHERE);
    assert_int_equal(r.stop, SIM_UNCLAIMED);
    assert_int_equal(sim_devtlb_entries(rig.m, 1), 0);
    rig_close(&rig);
}

/* ---- egress control ------------------------------------------------------ */

static void the_egress_vector_decides_where_it_speaks(void **state)
{
    static const struct {
        unsigned acs;
        uint32_t vector;
        enum sim_stop stop; /* SIM_NOT_STOPPED: lands in the peer */
    } row[] = {
        { EVERYTHING, 2, SIM_BY_UNIT },
        { EVERYTHING | SIM_ACS_EC, 0, SIM_NOT_STOPPED },
        { EVERYTHING | SIM_ACS_EC, 1, SIM_NOT_STOPPED },
        { EVERYTHING | SIM_ACS_EC, 2, SIM_BY_UNIT },
        { SIM_ACS_EC, 2, SIM_BY_ACS },
        { SIM_ACS_EC, 0, SIM_NOT_STOPPED },
        { SIM_ACS_EC | SIM_ACS_DT, 2, SIM_BY_ACS },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rig rig;
        unsigned acs;

        switch_open(&rig, SIM_ACS_ON, SIM_ACS_BITS(0x7f));
        acs = ext_cap(rig.m, DOWN_A, ACS_ID);
        assert_int_equal(config_read(rig.m, DOWN_A, acs + 4, 2),
                         32 << 8 | 0x7f);
        config_write(rig.m, DOWN_A, acs + 8, 4, row[i].vector);
        set_acs(&rig, "downA", row[i].acs);
        if (row[i].stop == SIM_NOT_STOPPED)
            reaches(&rig, "a", "b");
        else
            stops(&rig, "a", "b", row[i].stop);
        rig_close(&rig);
    }
}

/* ---- the ports' own memory, and nobody's --------------------------------- */

static void ports_can_be_reached_from_below(void **state)
{
    static const char *const port[] = { "downA", "downB", "up" };
    struct rig rig;

    (void)state;
    switch_open(&rig, SIM_ACS_ON, SIM_ACS_ON | SIM_ENHANCED);
    for (unsigned i = 0; i < 3; i++)
        reaches(&rig, "a", port[i]);
    set_acs(&rig, "downA", EVERYTHING | DSP_BLOCK | USP_UP);
    stops(&rig, "a", "downA", SIM_BY_ACS);
    stops(&rig, "a", "downB", SIM_BY_ACS);
    stops(&rig, "a", "up", SIM_BY_UNIT);
    set_acs(&rig, "downA", EVERYTHING | DSP_UP | USP_BLOCK);
    stops(&rig, "a", "downA", SIM_BY_UNIT);
    stops(&rig, "a", "downB", SIM_BY_UNIT);
    stops(&rig, "a", "up", SIM_BY_ACS);
    reaches(&rig, "b", "up");
    stops(&rig, "a", "b", SIM_BY_UNIT);
    rig_close(&rig);
}

/* Inside a switch's window, in no port's: a gap that BARs leave. */
static void what_nobody_claims_in_a_switch_does_not_leave_it(void **state)
{
    struct rig rig;
    uint64_t gap;

    (void)state;
    switch_open(&rig, SIM_ACS_ON, SIM_ACS_ON | SIM_ENHANCED);
    gap = (uint64_t)config_read(rig.m, UP, 0x20, 2) << 16 | 0x80000;
    assert_int_equal(write_to(&rig, "a", gap, 0).stop, SIM_UNCLAIMED);
    assert_false(raw_fault(&rig.raw));
    set_acs(&rig, "downA", EVERYTHING | UNCLAIMED_UP);
    assert_int_equal(write_to(&rig, "a", gap, 0).stop, SIM_BY_UNIT);
    rig_close(&rig);
}

/* Addresses are compared with the windows as they are programmed. */
static void windows_count_as_they_are_programmed(void **state)
{
    struct rig rig;
    uint32_t window;

    (void)state;
    switch_open(&rig, 0, 0);
    window = config_read(rig.m, DOWN_B, 0x20, 4);
    reaches(&rig, "a", "b");
    config_write(rig.m, DOWN_B, 0x20, 4, 0x0000fff0);
    stops(&rig, "a", "b", SIM_UNCLAIMED);
    config_write(rig.m, DOWN_B, 0x20, 4, window);
    config_write(rig.m, DOWN_B, COMMAND, 2, 4);
    stops(&rig, "a", "b", SIM_UNCLAIMED);
    config_write(rig.m, DOWN_B, COMMAND, 2, 6);
    reaches(&rig, "a", "b");
    rig_close(&rig);
}

static void ports_that_are_no_masters_forward_nothing(void **state)
{
    static const unsigned port[] = { ROOT, UP, DOWN_A };
    struct rig rig;

    (void)state;
    switch_open(&rig, SIM_ACS_ON, SIM_ACS_ON);
    for (unsigned i = 0; i < 3; i++) {
        config_write(rig.m, port[i], COMMAND, 2, 2);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, SIM_UNCLAIMED);
        config_write(rig.m, port[i], COMMAND, 2, 6);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).target, SIM_AT_RAM);
    }
    assert_false(raw_fault(&rig.raw));
    rig_close(&rig);
}

/* Nor does a prefix reach a peer through a port that knows none. */
static void prefixes_stop_on_the_way_down_as_well(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0xe0, 0 },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "downA", SIM_DOWNSTREAM, 1, DEVFN(0, 0), 0 },
        { "downB", SIM_DOWNSTREAM, 1, DEVFN(1, 0), SIM_NO_PREFIX },
        { "a", SIM_ENGINE, 2, 0, SIM_PASID },
        { "b", SIM_ENGINE, 3, 0, SIM_PASID },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, row, 6);
    confine(&rig, 3 << 8);
    config_write(rig.m, 4, ext_cap(rig.m, 4, PASID_ID) + 6, 2, 1);
    assert_int_equal(write_peer(&rig, "a", "b", PASID).stop, SIM_BY_PREFIX);
    reaches(&rig, "a", "b");
    assert_int_equal(write_to(&rig, "a", IOVA, PASID).target, SIM_AT_RAM);
    rig_close(&rig);
}

/* ---- ids ----------------------------------------------------------------- */

static void the_id_of_old_devices_is_a_bridges(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), 0 },
        { "bridge", SIM_PCI_BRIDGE, 0, DEVFN(0, 0), 0 },
        { "old", SIM_PCI_ENGINE, 1, DEVFN(3, 0), 0 },
        { "second", SIM_PCI_PCI_BRIDGE, 1, DEVFN(4, 0), 0 },
        { "older", SIM_PCI_ENGINE, 3, DEVFN(5, 0), 0 },
        { "dmi", SIM_PCI_PCI_BRIDGE, MACHINE_NO_BRIDGE, DEVFN(0x1e, 0), 0 },
        { "card", SIM_PCI_ENGINE, 5, DEVFN(1, 0), 0 },
        { "odd", SIM_PCI_PCI_BRIDGE, MACHINE_NO_BRIDGE, DEVFN(0x1f, 0),
          SIM_SECONDARY_ID },
        { "oddity", SIM_PCI_ENGINE, 7, DEVFN(1, 0), 0 },
        { "back", SIM_REVERSE_BRIDGE, 5, DEVFN(2, 0), 0 },
        { "new", SIM_ENGINE, 9, 0, SIM_ATS },
    };
    static const struct {
        const char *who;
        unsigned id;
    } expected[] = {
        { "old", 2 << 8 },          { "older", 2 << 8 },
        { "card", DEVFN(0x1e, 0) }, { "oddity", 6 << 8 },
        { "new", DEVFN(0x1e, 0) },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct rig rig;
        uint64_t phys;

        rig_open(&rig, row, sizeof(row) / sizeof(row[0]));
        assert_int_equal(config_read(rig.m, 7, 0x19, 1), 6);
        phys = confine(&rig, expected[i].id);
        for (unsigned j = 0; j < sizeof(expected) / sizeof(expected[0]); j++) {
            struct sim_request r = write_to(&rig, expected[j].who, IOVA, 0);

            assert_int_equal(r.addr,
                             expected[i].id == expected[j].id ? phys : 0);
        }
        rig_close(&rig);
    }
}

/* What a conventional bus hides, and who hears what on it. */
static void conventional_buses_are_shared_and_short(void **state)
{
    const struct sim_function row[] = {
        { "bridge", SIM_PCI_PCI_BRIDGE, MACHINE_NO_BRIDGE, DEVFN(0x1e, 0), 0 },
        { "x", SIM_PCI_ENGINE, 0, DEVFN(1, 0), 0 },
        { "y", SIM_PCI_ENGINE, 0, DEVFN(2, 0), 0 },
        { "back", SIM_REVERSE_BRIDGE, 0, DEVFN(3, 0), 0 },
        { "new", SIM_ENGINE, 3, 0, SIM_ATS },
        { "second", SIM_PCI_PCI_BRIDGE, 0, DEVFN(4, 0), 0 },
        { "z", SIM_PCI_ENGINE, 5, DEVFN(1, 0), 0 },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, row, 7);
    confine(&rig, DEVFN(0x1e, 0));
    assert_int_equal(std_cap(rig.m, 0, 0x10), 0);
    assert_int_equal(config_read(rig.m, 3, std_cap(rig.m, 3, 0x10) + 2, 1) >> 4,
                     8);
    assert_int_not_equal(std_cap(rig.m, 4, 0x10), 0);
    assert_int_equal(config_read(rig.m, 4, 0x100, 4), UINT32_MAX);
    reaches(&rig, "x", "y");
    reaches(&rig, "x", "new");
    reaches(&rig, "x", "z");
    reaches(&rig, "z", "x");
    reaches(&rig, "new", "y");
    assert_int_equal(write_to(&rig, "x", sim_bar_addr(rig.m, 6) + 4096, 0).stop,
                     SIM_UNCLAIMED);
    assert_int_equal(
        write_to(&rig, "x",
                 ((uint64_t)config_read(rig.m, 0, 0x20, 2) << 16) + 0x8000, 0)
            .stop,
        SIM_UNCLAIMED);
    assert_false(raw_fault(&rig.raw));
    rig_close(&rig);
}

static void requests_may_carry_ids_of_phantom_functions(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), 0 },
        { "disk", SIM_ENGINE, 0, DEVFN(0, 0), 0 },
    };
    const uint16_t id[] = { 1 << 8, 1 << 8 | 1 };
    struct rig rig;

    (void)state;
    rig_open(&rig, row, 2);
    confine(&rig, 1 << 8);
    sim_use_ids(rig.m, 1, id, 2);
    assert_int_equal(write_to(&rig, "disk", IOVA, 0).target, SIM_AT_RAM);
    assert_int_equal(write_to(&rig, "disk", IOVA, 0).stop, SIM_BY_UNIT);
    assert_int_equal(write_to(&rig, "disk", IOVA, 0).target, SIM_AT_RAM);
    raw_context(&rig.raw, 1, 1, false);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(write_to(&rig, "disk", IOVA, 0).target, SIM_AT_RAM);
    sim_use_ids(rig.m, 1, NULL, 0);
    assert_int_equal(write_to(&rig, "disk", IOVA, 0).target, SIM_AT_RAM);
    rig_close(&rig);
}

/* Ids of other buses only: that of another function below the port passes. */
static void source_validation_stops_forged_ids(void **state)
{
    const uint16_t other_bus = 4 << 8, above = DEVFN(0x1c, 0);
    const uint16_t own_bus = 3 << 8 | DEVFN(7, 0);
    struct rig rig;

    (void)state;
    switch_open(&rig, SIM_ACS, SIM_ACS);
    confine(&rig, other_bus);
    confine(&rig, above);
    confine(&rig, own_bus);
    for (unsigned on = 0; on < 2; on++) {
        enum sim_stop stop = on ? SIM_BY_ACS : SIM_NOT_STOPPED;

        set_acs(&rig, "downA", on ? SIM_ACS_SV : 0);
        sim_use_ids(rig.m, DEV_A, &other_bus, 1);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, stop);
        sim_use_ids(rig.m, DEV_A, &above, 1);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, stop);
        sim_use_ids(rig.m, DEV_A, &own_bus, 1);
        assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, SIM_NOT_STOPPED);
    }
    set_acs(&rig, "downA", 0);
    set_acs(&rig, "root", SIM_ACS_SV);
    sim_use_ids(rig.m, DEV_A, &other_bus, 1);
    assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, SIM_NOT_STOPPED);
    sim_use_ids(rig.m, DEV_A, &above, 1);
    assert_int_equal(write_to(&rig, "a", IOVA, 0).stop, SIM_BY_ACS);
    rig_close(&rig);
}

/* ---- functions of one device --------------------------------------------- */

static void functions_reach_each_other_unless_acs_redirects(void **state)
{
    const struct sim_function row[] = {
        { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(5, 0), 0 },
        { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(5, 1), SIM_ACS },
        { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(5, 2),
          SIM_ACS_BITS(SIM_ACS_RR | SIM_ACS_EC) },
        { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(6, 0), 0 },
    };
    struct rig rig;
    unsigned acs;

    (void)state;
    rig_open(&rig, row, 4);
    confine(&rig, DEVFN(5, 0));
    confine(&rig, DEVFN(5, 1));
    confine(&rig, DEVFN(5, 2));
    reaches(&rig, "f0", "f1");
    reaches(&rig, "f1", "f0");
    stops(&rig, "f0", "other", SIM_BY_UNIT);
    set_acs(&rig, "f1", EVERYTHING);
    stops(&rig, "f1", "f0", SIM_BY_UNIT);
    reaches(&rig, "f0", "f1");
    acs = ext_cap(rig.m, 2, ACS_ID);
    config_write(rig.m, 2, acs + 8, 4, 1 << 1);
    set_acs(&rig, "f2", SIM_ACS_RR | SIM_ACS_EC);
    stops(&rig, "f2", "f1", SIM_BY_UNIT);
    reaches(&rig, "f2", "f0");
    rig_close(&rig);
}

/* What a function cannot is hardwired to 0. */
static void acs_bits_that_are_not_there_stay_off(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0xe0, SIM_ENHANCED },
        { "up", SIM_UPSTREAM, 0, 0, SIM_ACS },
        { "down0", SIM_DOWNSTREAM, 1, DEVFN(0, 0), SIM_ENHANCED | SIM_ACS_ON },
        { "down1", SIM_DOWNSTREAM, 1, DEVFN(1, 0),
          SIM_ACS_BITS(SIM_ACS_SV | SIM_ACS_RR) | SIM_ACS_ON },
        { "f0", SIM_ENGINE, 2, DEVFN(0, 0), SIM_ACS_BITS(0x7f) },
        { "f1", SIM_ENGINE, 2, DEVFN(0, 1), SIM_ACS },
    };
    static const struct {
        uint32_t cap, control, all;
    } expected[] = {
        { 0xdf, 0, 0x3df },           { 0x4c, 0, 0x4c },
        { 0xdf, EVERYTHING, 0x1fdf }, { 0x05, 0x05, 0x05 },
        { 0x206c & 0xff, 0, 0x6c },   { 0x4c, 0, 0x4c },
    };
    struct rig rig;

    (void)state;
    rig_open(&rig, row, 6);
    for (unsigned i = 0; i < 6; i++) {
        unsigned acs = ext_cap(rig.m, i, ACS_ID);

        assert_int_equal(config_read(rig.m, i, acs + 4, 1), expected[i].cap);
        assert_int_equal(config_read(rig.m, i, acs + 6, 2),
                         expected[i].control);
        config_write(rig.m, i, acs + 6, 2, 0xffff);
        assert_int_equal(config_read(rig.m, i, acs + 6, 2), expected[i].all);
        config_write(rig.m, i, acs + 8, 4, UINT32_MAX);
        assert_int_equal(config_read(rig.m, i, acs + 8, 4),
                         i == 4 ? UINT32_MAX : 0);
        config_write(rig.m, i, acs + 4, 2, 0);
        assert_int_equal(config_read(rig.m, i, acs + 4, 1), expected[i].cap);
    }
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pasid_does_not_keep_a_write_from_a_peer),
        cmocka_unit_test(with_acs_a_peer_is_reached_through_the_iommu),
        cmocka_unit_test(each_bit_of_acs_closes_its_own_way),
        cmocka_unit_test(translated_requests_may_turn_off),
        cmocka_unit_test(translation_requests_are_routed_by_address_too),
        cmocka_unit_test(the_egress_vector_decides_where_it_speaks),
        cmocka_unit_test(ports_can_be_reached_from_below),
        cmocka_unit_test(what_nobody_claims_in_a_switch_does_not_leave_it),
        cmocka_unit_test(windows_count_as_they_are_programmed),
        cmocka_unit_test(ports_that_are_no_masters_forward_nothing),
        cmocka_unit_test(prefixes_stop_on_the_way_down_as_well),
        cmocka_unit_test(the_id_of_old_devices_is_a_bridges),
        cmocka_unit_test(conventional_buses_are_shared_and_short),
        cmocka_unit_test(requests_may_carry_ids_of_phantom_functions),
        cmocka_unit_test(source_validation_stops_forged_ids),
        cmocka_unit_test(functions_reach_each_other_unless_acs_redirects),
        cmocka_unit_test(acs_bits_that_are_not_there_stay_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
