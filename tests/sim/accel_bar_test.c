/* SPDX-License-Identifier: MIT */
/*
 * The BARs of the streaming accelerator, reached by itself, by bytes, while others make it go;
 * and those of a peer.
 */
#include "fuzz/share.h"
#include "tests/sim/accel_rig.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FLR = 0x8000, DEVCTL = 8 };

/* ---- into itself --------------------------------------------------------- */

static void map_at(struct accel_rig *rig, uint64_t iova, uint64_t phys)
{
    rig->raw.pml4 = rig->space[0].pml4;
    raw_map(&rig->raw, iova, phys, RAW_READ | RAW_WRITE);
}

/* A copy of a descriptor to a portal is a submission like any other. */
static void a_copy_may_submit_a_descriptor(void **state)
{
    struct accel_rig rig;
    struct accel_desc inner = copy_desc(at(0x8000), at(0x1000), 64, 1);
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, rig.drv.portals);
    memcpy(memory_of(&rig, 0), &inner, sizeof(inner));
    memset(memory_of(&rig, 0) + 0x1000, 0x44, 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
    assert_int_equal(mark(&rig, 0), 0x44);
    accel_desc_copy(&d, ACCEL_BEYOND, at(0), 32);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    settle(&rig);
    assert_int_equal(swerr(&rig), 0);
    assert_int_equal(mark(&rig, 0), 0x44);
    accel_rig_close(&rig);
}

/* One that submits itself for ever does not keep the device from being reset. */
static void a_copy_that_submits_itself_can_be_stopped(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, rig.drv.portals);
    memcpy(memory_of(&rig, 0), &d, sizeof(d));
    submit(&rig, 0, &d);
    steps(&rig, 100);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
    assert_int_equal(command(&rig, ACCEL_CMD_DRAIN_ALL, 0), ACCEL_CMD_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
    assert_int_equal(command(&rig, ACCEL_CMD_DISABLE_WQ, 1), ACCEL_CMD_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    accel_rig_close(&rig);
}

/* Its own registers are memory to it as any other: here a reset by itself. */
static void a_copy_may_command_the_device(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND + ACCEL_REG_CMD, at(0), 4, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, rig.dev));
    memcpy(memory_of(&rig, 0), "\0\0\x50\0", 4);
    submit(&rig, 0, &d);
    steps(&rig, 10);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENSTS), 0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg), 0);
    accel_rig_close(&rig);
}

/* Registers have 1, 2, 4 and 8 bytes, aligned (chapter 9), of which others do not change. */
static void registers_are_read_and_written_by_bytes(void **state)
{
    static const struct {
        unsigned at, size;
        uint64_t threshold; /* what it is then; it was 0x1111 */
    } row[] = {
        { 4, 1, 0x11aa }, { 5, 1, 0xaa11 }, { 4, 2, 0xaaaa },
        { 5, 2, 0x1111 }, { 3, 2, 0x1111 }, { 4, 4, 0xaaaa },
    };
    struct accel_rig rig;
    uint64_t wq0;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    wq0 = rig.drv.wqcfg;
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, rig.dev));
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d =
            copy_desc(ACCEL_BEYOND + wq0 + row[i].at, at(0), row[i].size, 0);

        memset(memory_of(&rig, 0), 0xaa, 8);
        reg_write(&rig, wq0, UINT64_C(0x1111) << 32);
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        assert_int_equal(reg_read(&rig, wq0), row[i].threshold << 32 | 16);
        accel_desc_copy(&d, at(0), ACCEL_BEYOND + wq0 + row[i].at, row[i].size);
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        assert_int_equal(memory_of(&rig, 0)[0],
                         row[i].at % row[i].size == 0 ? 0xaa : 0xff);
        assert_int_equal(memory_of(&rig, 0)[row[i].size], 0xaa);
    }
    accel_rig_close(&rig);
}

static void a_copy_may_go_to_a_peer(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, 0));
    memset(memory_of(&rig, 0), 0x66, 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    assert_int_equal(sim_bar(rig.m, 0)[63], 0x66);
    accel_rig_close(&rig);
}

/* ---- threads ------------------------------------------------------------- */

struct runner {
    struct machine *m;
    _Atomic bool stop;
};

static void *run(void *ctx)
{
    struct runner *r = ctx;

    while (!r->stop)
        machine_run(r->m);
    return NULL;
}

/* After the reset nothing moves, although somebody else makes the device go. */
static void a_reset_holds_against_other_threads(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x4000, 0);
    struct runner runner;
    pthread_t thread[2];
    unsigned pcie;

    (void)state;
    accel_rig_open(&rig, 0);
    pcie = std_cap(rig.m, rig.dev, 0x10);
    runner = (struct runner){ .m = rig.m };
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &runner), 0);
    for (unsigned round = 0; round <= 50 / share(); round++) {
        plain_queue(&rig);
        for (unsigned i = 0; i < 8; i++)
            submit(&rig, 0, &d);
        config_write(rig.m, rig.dev, pcie + DEVCTL, 2, FLR);
        sim_advance(rig.m, UINT64_C(100000000));
        sim_firmware(rig.m, rig.dev);
        memset(memory_of(&rig, 0) + 0x8000, (int)round, 0x4000);
        assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
        for (unsigned i = 0x8000; i < 0xc000; i++)
            assert_int_equal(memory_of(&rig, 0)[i], round);
    }
    runner.stop = true;
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_may_submit_a_descriptor),
        cmocka_unit_test(a_copy_that_submits_itself_can_be_stopped),
        cmocka_unit_test(a_copy_may_command_the_device),
        cmocka_unit_test(registers_are_read_and_written_by_bytes),
        cmocka_unit_test(a_copy_may_go_to_a_peer),
        cmocka_unit_test(a_reset_holds_against_other_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
