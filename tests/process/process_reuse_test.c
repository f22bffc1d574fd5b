/* SPDX-License-Identifier: MIT */
/*
 * What a process took away no device reaches, however its address is used next (lanes.h);
 * and that can be seen to be otherwise.
 */
#include "tests/process/lanes.h"

enum { ROUNDS = 8000 };

static bool lane_fault(void *ctx, unsigned lane, uint64_t va)
{
    (void)lane;
    return device_fault(ctx, va, UIOMMU_WRITE) == PROCESS_OK;
}

static bool lane_write(void *ctx, unsigned lane, uint64_t va, uint32_t value)
{
    (void)lane;
    return device_write(ctx, va, &value, sizeof(value)) == HIT;
}

static void no_access_is_stale(void **state)
{
    static const struct lanes_device device = { lane_fault, lane_write };
    struct stand s;

    (void)state;
    lanes_open(ROUNDS);
    stand_open(&s, lanes_process);
    lanes_run(&s, &device, &s.device);
    stand_close(&s);
    assert_int_equal(lanes_close(), 0);
}

/* ---- and it can be otherwise -------------------------------------------------------- */

static enum hit late_write(struct device *d)
{
    const uint32_t nine = 9;

    return device_write(d, atomic_load(&d->shared->at) + 4, &nine,
                        sizeof(nine));
}

/* The event was read; before its range is invalidated, there is something else. */
static void write_before(struct device *d)
{
    d->on_invalidate = NULL;
    assert_true(lanes_reused(atomic_load(&d->shared->n[2]),
                             atomic_load(&d->shared->at)));
    assert_int_equal(late_write(d), HIT);
}

/* Whether an access through the old translation landed in what came after. */
static bool stale_if(bool running, bool deaf)
{
    struct stand s;
    bool stale;

    stand_open(&s, lanes_reuse_once);
    stand_meet(&s, 1);
    atomic_store(&s.shared->n[2], (unsigned)s.pid);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    assert_int_equal(device_store(&s.device, stand_address(&s) + 2 * PAGE, 1),
                     PROCESS_OK);
    s.device.running = running;
    s.device.deaf = deaf;
    s.device.on_invalidate = running ? write_before : NULL;
    stand_go(&s, 1);
    stand_meet(&s, 2);
    if (!running)
        assert_int_equal(late_write(&s.device), deaf ? HIT : MISS);
    stand_go(&s, 2);
    stand_meet(&s, 3);
    stale = atomic_load(&s.shared->n[1]);
    stand_go(&s, 3);
    stand_close(&s);
    return stale;
}

static void by_the_rules_a_late_access_finds_no_translation(void **state)
{
    (void)state;
    assert_false(stale_if(false, false));
}

static void who_keeps_translations_is_seen(void **state)
{
    (void)state;
    assert_true(stale_if(false, true));
}

static void who_is_not_stopped_is_seen(void **state)
{
    (void)state;
    assert_true(stale_if(true, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_rules_a_late_access_finds_no_translation),
        cmocka_unit_test(who_keeps_translations_is_seen),
        cmocka_unit_test(who_is_not_stopped_is_seen),
        cmocka_unit_test(no_access_is_stale),
    };

    return RUN(tests);
}
