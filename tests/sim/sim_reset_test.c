/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: functions that are reset, go, and come (PCIe 6.x, 6.6 and 6.7). What is
 * left of them in configuration space, device TLBs and on the wire.
 */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { COMMAND = 0x04, BAR0 = 0x10, DEVCAP = 4, DEVCTL = 8, CTRL = 6 };
enum { BRIDGE_CONTROL = 0x3e, BUS_RESET = 0x40, FLR = 0x8000, ON = 0x8000 };
enum { FSTS = 0x34 };

#define DEVFN(device, function) ((device) << 3 | (function))

#define IOVA UINT64_C(0x12345678000)
#define MS   (UINT64_C(1000) * 1000)

/* A port with a slot, where another card may come; a switch that may. */
enum { PORT, CARD, OTHER, ROOT2, UP, DOWN, FAR };

struct rig {
    struct machine *m;
    struct raw raw;
    uint64_t phys;
};

static void rig_open(struct rig *rig)
{
    const struct sim_function row[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), SIM_ACS },
        { "card", SIM_ENGINE, PORT, 0, SIM_ATS | SIM_PRI | SIM_PASID },
        { "other", SIM_ENGINE, PORT, 0, SIM_ABSENT },
        { "root2", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1d, 0), 0 },
        { "up", SIM_UPSTREAM, ROOT2, 0, SIM_ABSENT },
        { "down", SIM_DOWNSTREAM, UP, 0, SIM_ACS_ON },
        { "far", SIM_ENGINE, DOWN, 0, 0 },
    };
    struct sim_config config = { .ats = true,
                                 .functions = row,
                                 .n_functions = sizeof(row) / sizeof(*row) };

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    raw_start(&rig->raw, rig->m);
    rig->phys = sim_ram_alloc(rig->m, 4096);
    raw_map(&rig->raw, IOVA, rig->phys, RAW_READ | RAW_WRITE);
    raw_context(&rig->raw, 1, 0, true);
    raw_context(&rig->raw, 4, 0, false);
}

static void rig_close(struct rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

static void enable(struct rig *rig, unsigned id, uint32_t value)
{
    config_write(rig->m, CARD, ext_cap(rig->m, CARD, id) + CTRL, 2, value);
}

static void enable_all(struct rig *rig)
{
    unsigned pri = ext_cap(rig->m, CARD, PRI_ID);

    enable(rig, PASID_ID, 1);
    enable(rig, ATS_ID, ON);
    config_write(rig->m, CARD, pri + 12, 4, 8);
    config_write(rig->m, CARD, pri + 4, 2, 1);
    assert_int_equal(dma_write(rig->m, CARD, IOVA, 4).moved, 4);
    assert_int_equal(sim_devtlb_entries(rig->m, CARD), 1);
}

static void assert_reset(struct rig *rig, unsigned dev)
{
    struct machine *m = rig->m;
    unsigned pri = ext_cap(m, dev, PRI_ID);

    assert_int_equal(config_read(m, dev, COMMAND, 2), 0);
    assert_int_equal(config_read(m, dev, BAR0, 4), 0);
    assert_int_equal(config_read(m, dev, ext_cap(m, dev, PASID_ID) + CTRL, 2),
                     0);
    assert_int_equal(config_read(m, dev, ext_cap(m, dev, ATS_ID) + CTRL, 2), 0);
    assert_int_equal(config_read(m, dev, pri + 4, 4), 0x81000000);
    assert_int_equal(config_read(m, dev, pri + 12, 4), 0);
    assert_int_equal(sim_devtlb_entries(m, dev), 0);
    assert_int_equal(dma_write(m, dev, IOVA, 4).stop, SIM_BY_DEVICE);
}

static unsigned devctl(struct rig *rig)
{
    return std_cap(rig->m, CARD, 0x10) + DEVCTL;
}

/* ---- resets -------------------------------------------------------------- */

static void a_function_that_was_reset_has_forgotten_everything(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    enable_all(&rig);
    assert_int_not_equal(
        config_read(rig.m, CARD, devctl(&rig) - DEVCTL + DEVCAP, 4) & 1 << 28,
        0);
    config_write(rig.m, CARD, devctl(&rig), 2, FLR);
    sim_advance(rig.m, 100 * MS);
    assert_int_equal(config_read(rig.m, CARD, devctl(&rig), 2), 0);
    assert_reset(&rig, CARD);
    assert_int_not_equal(config_read(rig.m, PORT, COMMAND, 2), 0);
    sim_firmware(rig.m, CARD);
    assert_int_equal(config_read(rig.m, CARD, BAR0, 4),
                     sim_bar_addr(rig.m, CARD));
    assert_int_not_equal(sim_bar_addr(rig.m, CARD), 0);
    assert_int_equal(dma_write(rig.m, CARD, IOVA, 4).moved, 4);
    assert_int_equal(sim_devtlb_entries(rig.m, CARD), 0);
    rig_close(&rig);
}

static void a_reset_takes_its_time(void **state)
{
    struct rig rig;
    unsigned at;

    (void)state;
    rig_open(&rig);
    at = devctl(&rig);
    config_write(rig.m, CARD, at, 2, FLR);
    sim_advance(rig.m, 99 * MS);
    assert_int_equal(config_read(rig.m, CARD, 0, 4), UINT32_MAX);
    expect_violation(rig.m, "configuration access to card");
    config_write(rig.m, CARD, COMMAND, 2, 6);
    expect_violation(rig.m, "configuration access to card");
    sim_advance(rig.m, MS);
    assert_int_equal(config_read(rig.m, CARD, 0, 2), 0xf055);
    assert_int_equal(config_read(rig.m, CARD, COMMAND, 2), 0);
    rig_close(&rig);
}

static void a_bus_is_held_in_reset(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    enable_all(&rig);
    config_write(rig.m, PORT, BRIDGE_CONTROL, 2, BUS_RESET);
    sim_advance(rig.m, 100 * MS);
    assert_int_equal(config_read(rig.m, CARD, 0, 4), UINT32_MAX);
    assert_int_equal(config_read(rig.m, PORT, BRIDGE_CONTROL, 2), BUS_RESET);
    config_write(rig.m, PORT, BRIDGE_CONTROL, 2, 0);
    assert_reset(&rig, CARD);
    assert_int_equal(config_read(rig.m, ROOT2, COMMAND, 2), 6);
    rig_close(&rig);
}

/* The reset reaches all that is below, with the bus numbers left to find them. */
static void a_bus_reset_reaches_what_is_further_down(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    assert_true(sim_plug(rig.m, UP));
    assert_int_equal(dma_write(rig.m, FAR, IOVA, 4).moved, 4);
    config_write(rig.m, ROOT2, BRIDGE_CONTROL, 2, BUS_RESET);
    config_write(rig.m, ROOT2, BRIDGE_CONTROL, 2, 0);
    sim_advance(rig.m, 100 * MS);
    assert_int_equal(config_read(rig.m, FAR, COMMAND, 2), 0);
    assert_int_equal(config_read(rig.m, DOWN, 0x20, 4), 0);
    assert_int_equal(
        config_read(rig.m, DOWN, ext_cap(rig.m, DOWN, ACS_ID) + CTRL, 2), 0);
    for (unsigned dev = UP; dev <= FAR; dev++)
        sim_firmware(rig.m, dev);
    assert_int_equal(
        config_read(rig.m, DOWN, ext_cap(rig.m, DOWN, ACS_ID) + CTRL, 2), 0x1d);
    assert_int_equal(dma_write(rig.m, FAR, IOVA, 4).moved, 4);
    rig_close(&rig);
}

/* An invalidation that is on its way to a function that begins again is lost: the unit
 * waits in vain, and says so unless nobody tells it. */
static void a_reset_loses_invalidations(void **state)
{
    (void)state;
    for (unsigned silent = 0; silent < 2; silent++) {
        struct rig rig;

        rig_open(&rig);
        enable_all(&rig);
        sim_devtlb(rig.m, CARD, silent ? SIM_DEVTLB_SILENT : SIM_DEVTLB_SLOW);
        raw_post_invalidate_devtlb(&rig.raw, 1, 0);
        assert_true(machine_run(rig.m));
        config_write(rig.m, CARD, devctl(&rig), 2, FLR);
        for (unsigned i = 0; i < 200; i++)
            assert_true(machine_run(rig.m));
        assert_int_equal(raw_read32(&rig.raw, FSTS) & RAW_FSTS_ITE,
                         silent ? 0 : RAW_FSTS_ITE);
        sim_advance(rig.m, 100 * MS);
        rig_close(&rig);
    }
}

struct traffic {
    struct machine *m;
    atomic_bool stop;
    atomic_uint done;
};

static void *make_traffic(void *arg)
{
    struct traffic *t = arg;
    static uint8_t buf[4096];

    while (!t->stop) {
        if (machine_dma(t->m, CARD, true, IOVA, buf, sizeof(buf)) ==
            MACHINE_DMA_DONE)
            t->done++;
    }
    return NULL;
}

/* When the write that resets has returned, nothing more arrives: what the device was
 * given can be freed, whatever the IOMMU still says. */
static void nothing_arrives_after_a_reset(void **state)
{
    struct rig rig;
    struct traffic t = { 0 };
    pthread_t thread;

    (void)state;
    rig_open(&rig);
    t.m = rig.m;
    assert_int_equal(pthread_create(&thread, NULL, make_traffic, &t), 0);
    for (unsigned i = 0; i < 50; i++) {
        const struct uiommu_host *h = &rig.m->host;
        uint64_t phys;
        void *virt = h->pages_alloc(h->ctx, 0, 0, &phys);
        unsigned before = t.done;

        raw_map(&rig.raw, IOVA, phys, RAW_WRITE);
        raw_invalidate(&rig.raw);
        while (t.done == before)
            sched_yield();
        config_write(rig.m, CARD, devctl(&rig), 2, FLR);
        h->pages_free(h->ctx, virt, phys, 0);
        sim_advance(rig.m, 100 * MS);
        raw_map(&rig.raw, IOVA, rig.phys, RAW_WRITE);
        raw_invalidate(&rig.raw);
        sim_firmware(rig.m, CARD);
    }
    t.stop = true;
    pthread_join(thread, NULL);
    rig_close(&rig);
}

/* ---- going and coming ---------------------------------------------------- */

static void who_is_absent_comes_when_plugged(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(config_read(rig.m, UP, 0, 4), UINT32_MAX);
    assert_int_equal(config_read(rig.m, FAR, 0, 4), UINT32_MAX);
    assert_int_equal(dma_write(rig.m, FAR, IOVA, 4).stop, SIM_BY_DEVICE);
    assert_true(sim_plug(rig.m, UP));
    assert_int_equal(config_read(rig.m, FAR, 0, 2), 0xf055);
    assert_int_equal(config_read(rig.m, DOWN, 0x18, 4) & 0xffffff, 0x040403);
    assert_int_equal(dma_write(rig.m, FAR, IOVA, 4).moved, 4);
    assert_int_equal(dma_write(rig.m, FAR, sim_bar_addr(rig.m, CARD), 4).target,
                     SIM_AT_PEER);
    sim_unplug(rig.m, UP);
    assert_int_equal(config_read(rig.m, FAR, 0, 4), UINT32_MAX);
    rig_close(&rig);
}

static void another_card_can_be_in_the_same_place(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    enable_all(&rig);
    assert_false(sim_plug(rig.m, OTHER));
    assert_int_not_equal(ext_cap(rig.m, OTHER, ATS_ID), 0); /* the card's */
    sim_unplug(rig.m, CARD);
    assert_true(sim_plug(rig.m, OTHER));
    assert_int_equal(ext_cap(rig.m, OTHER, ATS_ID), 0);
    assert_int_equal(config_read(rig.m, OTHER, 0x0e, 1), 0);
    assert_int_equal(dma_write(rig.m, CARD, IOVA, 4).stop, SIM_BY_DEVICE);
    assert_int_equal(dma_write(rig.m, OTHER, IOVA, 4).moved, 4);
    assert_false(raw_invalidate_devtlb(&rig.raw, 1, 0));
    expect_violation(rig.m, "device-TLB invalidation for other");
    assert_false(sim_plug(rig.m, CARD));
    sim_unplug(rig.m, OTHER);
    assert_true(sim_plug(rig.m, CARD));
    assert_int_equal(sim_devtlb_entries(rig.m, CARD), 0);
    assert_int_equal(
        config_read(rig.m, CARD, ext_cap(rig.m, CARD, ATS_ID) + CTRL, 2), 0);
    rig_close(&rig);
}

static void who_was_removed_may_never_be_missed(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    enable_all(&rig);
    sim_devtlb(rig.m, CARD, SIM_DEVTLB_SILENT);
    sim_unplug(rig.m, CARD);
    assert_int_equal(config_read(rig.m, CARD, COMMAND, 2), 0xffff);
    assert_int_equal(dma_write(rig.m, CARD, IOVA, 4).stop, SIM_BY_DEVICE);
    assert_false(raw_invalidate_devtlb(&rig.raw, 1, 0));
    assert_int_equal(raw_read32(&rig.raw, FSTS) & RAW_FSTS_ITE, 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_that_was_reset_has_forgotten_everything),
        cmocka_unit_test(a_reset_takes_its_time),
        cmocka_unit_test(a_bus_is_held_in_reset),
        cmocka_unit_test(a_bus_reset_reaches_what_is_further_down),
        cmocka_unit_test(a_reset_loses_invalidations),
        cmocka_unit_test(nothing_arrives_after_a_reset),
        cmocka_unit_test(who_is_absent_comes_when_plugged),
        cmocka_unit_test(another_card_can_be_in_the_same_place),
        cmocka_unit_test(who_was_removed_may_never_be_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
