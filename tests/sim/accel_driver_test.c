/* SPDX-License-Identifier: MIT */
/*
 * The thin driver of the streaming accelerator: what it does with queues, refuses, and waits
 * for.
 */
#include "tests/sim/accel_rig.h"

static void a_queue_gets_another_pasid_when_it_is_drained(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
    submit(&rig, 0, &d);
    assert_int_equal(accel_queue_pasid(&rig.drv, 0, 6), UIOMMU_OK);
    assert_int_equal(mark(&rig, 5), 0x11);
    assert_int_equal(mark(&rig, 6), 0);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(mark(&rig, 6), 0x12);
    accel_rig_close(&rig);
}

static void a_queue_that_is_cleared_has_nothing_under_way(void **state)
{
    const struct accel_queue queue = { .size = 4,
                                       .threshold = 3,
                                       .pasid = 5,
                                       .max_xfer_shift = 15,
                                       .max_batch_shift = 2 };
    struct accel_rig rig;
    struct accel_wqcfg_q1 q1;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x4000, 0);
    uint64_t q0;

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, queue);
    q0 = reg_read(&rig, rig.drv.wqcfg);
    q1.raw = reg_read(&rig, rig.drv.wqcfg + 8);
    submit(&rig, 0, &d);
    submit(&rig, 0, &d);
    steps(&rig, 1);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_OK);
    submit(&rig, 0, &d); /* which nobody hears of */
    assert_int_equal(swerr(&rig), 0);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    /* all but whose it is is as before */
    q1 = accel_wqcfg_q1_set_pasid(q1, UIOMMU_NO_PASID);
    q1 = accel_wqcfg_q1_set_pasid_en(q1, 0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg), q0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg + 8), q1.raw);
    accel_rig_close(&rig);
}

static void the_driver_refuses_what_makes_no_sense(void **state)
{
    static const struct accel_queue wrong[] = {
        { .size = 0 },
        { .size = 129 },
        { .size = 4, .shared = true, .pasid = 5 },
    };
    struct accel_rig rig;
    struct accel_queue good = { .size = 4 };
    struct accel_cpu cpu;
    struct accel_driver other;

    (void)state;
    accel_rig_open(&rig, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(accel_queue_setup(&rig.drv, 0, &wrong[i]),
                         UIOMMU_INVAL);
    assert_int_equal(accel_queue_setup(&rig.drv, 8, &good), UIOMMU_INVAL);
    assert_int_equal(accel_queue_pasid(&rig.drv, 8, 5), UIOMMU_INVAL);
    assert_int_equal(accel_queue_clear(&rig.drv, 8), UIOMMU_INVAL);
    assert_int_equal(accel_queue_on(&rig.drv, 0), UIOMMU_IO);
    assert_int_equal(rig.drv.error, ACCEL_CMD_DEVICE_OFF);
    cpu = accel_rig_cpu(rig.m);
    assert_int_equal(
        accel_start(&other, &rig.m->host, rig.m->devices[0].pci, &cpu),
        UIOMMU_NODEV);
    sim_fail_nth(rig.m, 1);
    assert_int_equal(
        accel_start(&other, &rig.m->host, rig.m->devices[rig.dev].pci, &cpu),
        UIOMMU_NOMEM);
    accel_rig_close(&rig);
}

/* Nor is anything done for who has stopped it. */
static void a_driver_that_has_stopped_says_so(void **state)
{
    const struct accel_queue queue = { .size = 4 };
    struct accel_rig rig;
    struct accel_driver *drv = &rig.drv;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    assert_int_equal(accel_stop(drv), UIOMMU_OK);
    assert_int_equal(accel_stop(drv), UIOMMU_OK);
    assert_int_equal(accel_reset(drv), UIOMMU_NODEV);
    assert_int_equal(accel_command(drv, ACCEL_CMD_DRAIN_ALL, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_setup(drv, 0, &queue), UIOMMU_NODEV);
    assert_int_equal(accel_enable(drv), UIOMMU_NODEV);
    assert_int_equal(accel_queue_on(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_off(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_pasid(drv, 0, 5), UIOMMU_NODEV);
    assert_int_equal(accel_queue_clear(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_submit(drv, 0, false, 0, &d), UIOMMU_NODEV);
    assert_false(accel_take_error(drv, &e));
    accel_irq_setup(drv, 0, 0xfee00000, 0x40, UIOMMU_NO_PASID);
    accel_rig_close(&rig);
}

static void waiting_has_an_end(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_record r = { .bytes = 77 };

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    sim_accel_pause(rig.m, rig.dev, true);
    submit(&rig, 0, &d);
    assert_int_equal(accel_wait(&rig.drv, memory_of(&rig, 0) + ACCEL_RECORDS_AT,
                                1000000, &r),
                     UIOMMU_TIMEDOUT);
    assert_int_equal(r.bytes, 77);
    rig.drv.limit_ns = 1000000;
    assert_int_equal(accel_queue_off(&rig.drv, 0), UIOMMU_TIMEDOUT);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_BUSY);
    sim_accel_pause(rig.m, rig.dev, false);
    accel_rig_close(&rig);
}

/* From its third look at the clock on its thread sleeps before it, while the device works. */
static struct {
    struct machine *m;
    uint64_t (*now)(void *ctx);
    unsigned looks;
} sleeper;

static uint64_t now_after_a_sleep(void *ctx)
{
    if (++sleeper.looks > 2) {
        (void)machine_run(sleeper.m);
        sim_advance(sleeper.m, UINT64_C(2000000000));
    }
    return sleeper.now(ctx);
}

static void who_sleeps_misses_nothing(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    sleeper.m = rig.m;
    sleeper.now = rig.drv.cpu.now_ns;
    sleeper.looks = 0;
    rig.drv.cpu.now_ns = now_after_a_sleep;
    assert_int_equal(accel_command(&rig.drv, ACCEL_CMD_RESET_DEVICE, 0),
                     UIOMMU_OK);
    rig.drv.cpu.now_ns = sleeper.now;
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_gets_another_pasid_when_it_is_drained),
        cmocka_unit_test(a_queue_that_is_cleared_has_nothing_under_way),
        cmocka_unit_test(the_driver_refuses_what_makes_no_sense),
        cmocka_unit_test(a_driver_that_has_stopped_says_so),
        cmocka_unit_test(waiting_has_an_end),
        cmocka_unit_test(who_sleeps_misses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
