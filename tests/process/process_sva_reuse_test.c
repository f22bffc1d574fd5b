/* SPDX-License-Identifier: MIT */
/*
 * What a process took away no device reaches, however its address is used next: through
 * units with the tables of its domain, and TLBs of devices that keep what they may
 * (lanes.h). And that can be seen to be otherwise.
 */
#include "tests/process/lanes.h"
#include "tests/process/sva_stand.h"

#include <unistd.h>

enum { ROUNDS = 20000, FEWER_ROUNDS = 2000 };

/* Each lane has an engine. */
static bool lane_fault(void *ctx, unsigned lane, uint64_t va)
{
    struct sva_stand *s = ctx;

    return sva_engine_ask(&s->machine.engine[lane], va, UIOMMU_WRITE) ==
           SVA_DONE;
}

static bool lane_write(void *ctx, unsigned lane, uint64_t va, uint32_t value)
{
    return sva_try_store(ctx, lane, va, value) == SVA_DONE;
}

static void reuse(const struct sva_kind *kind, unsigned rounds)
{
    static const struct lanes_device device = { lane_fault, lane_write };
    struct sva_stand s;

    lanes_open(rounds);
    sva_open_fast(&s, kind, lanes_process);
    lanes_run(&s.child, &device, &s);
    sva_close(&s);
    assert_int_equal(lanes_close(), 0);
}

static void no_access_is_stale_on_vtd(void **state)
{
    (void)state;
    reuse(&sva_kinds[SVA_VTD_FIRST], ROUNDS);
    reuse(&sva_kinds[SVA_VTD_SECOND], FEWER_ROUNDS);
}

static void no_access_is_stale_on_smmuv3(void **state)
{
    (void)state;
    reuse(&sva_kinds[SVA_SMMUV3], ROUNDS);
}

/* ---- and it can be otherwise --------------------------------------------------------- */

/* A write by a thread of the device's own, as soon as something else is there. */
struct late {
    struct sva_stand *s;
    pthread_t thread;
    bool begun;
    atomic_bool over;
    enum sva_access came_to;
};

static enum sva_access late_write(struct sva_stand *s)
{
    return sva_try_store(s, 0, stand_address(&s->child) + 4, 9);
}

static void *write_late(void *arg)
{
    struct late *late = arg;

    late->came_to = late_write(late->s);
    late->over = true;
    return NULL;
}

/* The event was read; its range is about to be invalidated. */
static void write_before(void *ctx, enum sim_event event, uint64_t where,
                         size_t size, uint64_t value)
{
    struct late *late = ctx;

    (void)event, (void)where, (void)size, (void)value;
    if (late->begun || !lanes_reused((unsigned)late->s->child.pid,
                                     stand_address(&late->s->child)))
        return;
    late->begun = pthread_create(&late->thread, NULL, write_late, late) == 0;
    for (unsigned ms = 0; ms < 20 && !late->over; ms++)
        usleep(1000);
}

/* Whether an access through the old translation landed in what came after. */
static bool stale_if(const struct sva_kind *kind, bool running)
{
    struct sva_stand s;
    struct late late = { .s = &s };
    uint64_t at;
    bool stale;

    sva_open(&s, kind, lanes_reuse_once);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(sva_store(&s, 0, at, 1), SVA_DONE);
    assert_int_equal(sva_store(&s, 0, at + 2 * PAGE, 1), SVA_DONE);
    sim_unstoppable(s.machine.m, running);
    sim_watch(s.machine.m, write_before, &late);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    sim_watch(s.machine.m, NULL, NULL);
    assert_true(late.begun);
    pthread_join(late.thread, NULL);
    assert_int_equal(late.came_to, running ? SVA_DONE : SVA_NO_PAGE);
    assert_int_equal(late_write(&s), SVA_NO_PAGE);
    stand_go(&s.child, 2);
    stand_meet(&s.child, 3);
    stale = atomic_load(&s.child.shared->n[1]);
    stand_go(&s.child, 3);
    sva_close(&s);
    return stale;
}

static void by_the_rules_a_late_access_finds_no_translation(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SVA_KINDS; i++)
        assert_false(stale_if(&sva_kinds[i], false));
}

static void a_device_that_is_not_stopped_is_seen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SVA_KINDS; i++)
        assert_true(stale_if(&sva_kinds[i], true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_rules_a_late_access_finds_no_translation),
        cmocka_unit_test(a_device_that_is_not_stopped_is_seen),
        cmocka_unit_test(no_access_is_stale_on_vtd),
        cmocka_unit_test(no_access_is_stale_on_smmuv3),
    };

    return RUN(tests);
}
