/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: memory that is elsewhere, and devices that are stopped: no access is under
 * way then, from the look at its translation, while commands to the unit go on.
 */
#include "tests/sim/accel_rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { ENGINE_DEVFN = 3 << 3, PAGES = 2, SIZE = PAGES * 4096 };

#define IOVA UINT64_C(0x12345678000)

/* Elsewhere: bytes, of which the second page takes no writes. */
struct place {
    struct machine *m;
    struct raw raw;
    unsigned dev;
    uint64_t start;
    uint8_t bytes[SIZE];
    atomic_uint accesses;
    atomic_bool begun, end; /* an access waits for `end`, once it has begun  */
    bool slow;
};

static bool access_place(void *ctx, bool write, uint64_t offset, void *buf,
                         size_t size)
{
    struct place *p = ctx;

    p->begun = true;
    while (p->slow && !p->end)
        sched_yield();
    p->accesses++;
    assert_true(offset + size <= SIZE &&
                offset / 4096 == (offset + size - 1) / 4096);
    if (write && offset >= 4096)
        return false;
    if (write)
        memcpy(p->bytes + offset, buf, size);
    else
        memcpy(buf, p->bytes + offset, size);
    return true;
}

static const struct sim_foreign_ops place_ops = { access_place };

static void open_place(struct place *p, bool ats)
{
    struct sim_config config = { .ats = ats };

    memset(p, 0, sizeof(*p));
    p->m = open_sim(&config);
    p->dev = dev_of(p->m, "engine0");
    assert_true(sim_foreign_open(p->m, SIZE, &place_ops, p, &p->start));
    raw_start(&p->raw, p->m);
    for (unsigned i = 0; i <= PAGES; i++)
        raw_map(&p->raw, IOVA + i * 4096, p->start + i * 4096,
                RAW_READ | RAW_WRITE);
    raw_context(&p->raw, 0, ENGINE_DEVFN, ats);
    if (ats)
        config_write(p->m, p->dev, ext_cap(p->m, p->dev, ATS_ID) + 6, 2,
                     0x8000);
}

static void close_place(struct place *p)
{
    raw_stop(&p->raw);
    sim_foreign_close(p->m, p->start);
    close_sim(p->m);
}

static struct sim_request dma(struct place *p, bool write, uint64_t offset,
                              void *buf, size_t size)
{
    struct sim_request r = { .dev = p->dev,
                             .pasid = UIOMMU_NO_PASID,
                             .write = write,
                             .iova = IOVA + offset,
                             .buf = buf,
                             .size = size };

    (void)sim_dma(p->m, &r);
    return r;
}

/* ---- who is there ----------------------------------------------------------- */

static void accesses_go_there(bool ats)
{
    struct place p;
    struct sim_request r;
    char buf[8] = "seven b";

    open_place(&p, ats);
    r = dma(&p, true, 4088, buf, 8);
    assert_int_equal(r.moved, 8);
    assert_int_equal(r.target, SIM_AT_FOREIGN);
    assert_int_equal(r.addr, p.start + 4088);
    assert_memory_equal(p.bytes + 4088, buf, 8);
    memcpy(p.bytes + 4096, "eight b", 8);
    assert_int_equal(dma(&p, false, 4096, buf, 8).moved, 8);
    assert_string_equal(buf, "eight b");
    assert_int_equal(p.accesses, 2);
    close_place(&p);
}

static void accesses_are_done_by_who_is_there(void **state)
{
    (void)state;
    accesses_go_there(false);
    accesses_go_there(true);
}

static void who_refuses_aborts_what_follows(void **state)
{
    static uint8_t buf[SIZE];
    struct sim_request r;
    struct place p;

    (void)state;
    open_place(&p, false);
    r = dma(&p, true, 4000, buf, 1000);
    assert_int_equal(r.moved, 96);
    assert_int_equal(r.stop, SIM_ABORTED);
    assert_int_equal(r.target, SIM_NOWHERE);
    assert_false(r.no_page);
    /* behind it is nothing */
    assert_int_equal(dma(&p, false, SIZE, buf, 1).stop, SIM_UNCLAIMED);
    assert_int_equal(dma(&p, true, SIZE, buf, 1).stop, SIM_UNCLAIMED);
    close_place(&p);
}

/* Nobody's memory to CPUs and the unit: a table that leads there is no table. */
static void nobody_else_gets_there(void **state)
{
    struct place p;
    uint64_t word = 3;

    (void)state;
    open_place(&p, false);
    assert_null(sim_ram(p.m, p.start, 8));
    memcpy(p.bytes, &word, sizeof(word));
    raw_put(&p.raw, p.raw.pml4 + (IOVA >> 39 & 511) * 8, p.start | 3);
    raw_invalidate(&p.raw);
    assert_int_equal(dma(&p, true, 0, &word, 8).stop, SIM_BY_UNIT);
    assert_true(raw_fault(&p.raw));
    assert_int_equal(p.accesses, 0);
    close_place(&p);
}

static void there_is_room_for_several(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t start[3], unused;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(sim_foreign_open(m, SIZE, &place_ops, NULL, &start[i]));
    assert_int_equal(start[1], start[0] + SIZE);
    assert_int_equal(start[2], start[1] + SIZE);
    sim_foreign_close(m, start[1]);
    assert_true(sim_foreign_open(m, SIZE, &place_ops, NULL, &start[1]));
    assert_true(start[1] != start[0] && start[1] != start[2]);
    assert_false(sim_foreign_open(m, 100, &place_ops, NULL, &unused));
    assert_false(sim_foreign_open(m, 0, &place_ops, NULL, &unused));
    assert_false(
        sim_foreign_open(m, UINT64_C(1) << 62, &place_ops, NULL, &unused));
    for (unsigned i = 0; i < 3; i++)
        sim_foreign_close(m, start[i]);
    close_sim(m);
}

static void what_is_not_given_back_is_a_leak(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t start;

    (void)state;
    assert_true(sim_foreign_open(m, SIZE, &place_ops, NULL, &start));
    assert_int_equal(sim_check_leaks(m), 1);
    expect_violation(m, "leak: foreign memory");
    sim_foreign_close(m, start);
    close_sim(m);
}

/* ---- devices that stand still ------------------------------------------------- */

static void *one_write(void *arg)
{
    uint32_t word = 5;

    assert_int_equal(dma(arg, true, 0, &word, 4).moved, 4);
    return NULL;
}

struct stopping {
    struct machine *m;
    atomic_bool stopped;
};

static void *stop_devices(void *arg)
{
    struct stopping *s = arg;

    sim_stop_devices(s->m);
    s->stopped = true;
    sim_start_devices(s->m);
    return NULL;
}

static void who_stops_devices_waits_for_their_accesses(void **state)
{
    struct place p;
    struct stopping s = { 0 };
    pthread_t writer, stopper;

    (void)state;
    open_place(&p, false);
    p.slow = true;
    s.m = p.m;
    assert_int_equal(pthread_create(&writer, NULL, one_write, &p), 0);
    while (!p.begun)
        sched_yield();
    assert_int_equal(pthread_create(&stopper, NULL, stop_devices, &s), 0);
    usleep(2000);
    assert_false(s.stopped);
    p.end = true;
    pthread_join(writer, NULL);
    pthread_join(stopper, NULL);
    assert_true(s.stopped);
    close_place(&p);
}

/* What was unmapped meanwhile is not reached: the translation is looked up after. */
static void nothing_begins_until_they_are_started(void **state)
{
    struct place p;
    pthread_t writer;

    (void)state;
    open_place(&p, false);
    sim_stop_devices(p.m);
    assert_int_equal(pthread_create(&writer, NULL, one_write, &p), 0);
    usleep(2000);
    assert_false(p.begun);
    raw_map(&p.raw, IOVA, p.start + 4096, RAW_READ | RAW_WRITE);
    raw_invalidate(
        &p.raw); /* which waits for accesses, of which there are none */
    raw_map(&p.raw, IOVA, p.start, RAW_READ | RAW_WRITE);
    raw_invalidate(&p.raw);
    (void)machine_run(p.m);
    assert_false(p.begun);
    sim_start_devices(p.m);
    pthread_join(writer, NULL);
    assert_int_equal(p.accesses, 1);
    close_place(&p);
}

static void one_stops_them_at_a_time(void **state)
{
    struct place p;
    struct stopping s = { 0 };
    pthread_t stopper;

    (void)state;
    open_place(&p, false);
    s.m = p.m;
    sim_stop_devices(p.m);
    assert_int_equal(pthread_create(&stopper, NULL, stop_devices, &s), 0);
    usleep(2000);
    assert_false(s.stopped);
    sim_start_devices(p.m);
    pthread_join(stopper, NULL);
    assert_true(s.stopped);
    close_place(&p);
}

/* Whoever waits in uiommu lets accelerators run, and may have its locks. */
static void accelerators_stand_still_too(void **state)
{
    struct accel_rig rig;
    struct accel_desc d;
    const struct uiommu_host *h;

    (void)state;
    accel_rig_open(&rig, 0);
    h = &rig.m->host;
    plain_queue(&rig);
    memset(memory_of(&rig, 0), 7, 64);
    clear_records(&rig);
    d = copy_desc(at(4096), at(0), 64, 0);
    submit(&rig, 0, &d);
    sim_stop_devices(rig.m);
    for (unsigned i = 0; i < 100; i++) {
        h->relax(h->ctx);
        (void)machine_run(rig.m);
    }
    assert_int_equal(memory_of(&rig, 0)[4096], 0);
    assert_int_equal(record_of(&rig, 0, 0).status, 0);
    sim_start_devices(rig.m);
    settle(&rig);
    assert_int_equal(memory_of(&rig, 0)[4096], 7);
    accel_rig_close(&rig);
}

struct drain {
    struct accel_driver *drv;
    enum uiommu_status status;
};

static void *drain_all(void *arg)
{
    struct drain *d = arg;

    d->status = accel_command(d->drv, ACCEL_CMD_DRAIN_ALL, 0);
    return NULL;
}

static bool is_active(const struct accel_driver *d)
{
    struct accel_cmdsts sts;

    sts.raw = d->host->mmio_read32(d->host->ctx, d->regs, ACCEL_REG_CMDSTS);
    return accel_cmdsts_active(sts);
}

/* A command that waits for what stands still has as much time as ever. */
static void commands_have_their_time_all_the_same(void **state)
{
    struct accel_rig rig;
    struct accel_desc d;
    struct drain drain = { &rig.drv, UIOMMU_IO };
    pthread_t thread;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    clear_records(&rig);
    d = copy_desc(at(4096), at(0), 64, 0);
    submit(&rig, 0, &d);
    sim_stop_devices(rig.m);
    assert_int_equal(pthread_create(&thread, NULL, drain_all, &drain), 0);
    while (!is_active(&rig.drv))
        sched_yield();
    for (unsigned i = 0; i < 3; i++) {
        sim_advance(rig.m, rig.drv.limit_ns);
        usleep(1000);
    }
    sim_start_devices(rig.m);
    pthread_join(thread, NULL);
    assert_int_equal(drain.status, UIOMMU_OK);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_are_done_by_who_is_there),
        cmocka_unit_test(who_refuses_aborts_what_follows),
        cmocka_unit_test(nobody_else_gets_there),
        cmocka_unit_test(there_is_room_for_several),
        cmocka_unit_test(what_is_not_given_back_is_a_leak),
        cmocka_unit_test(who_stops_devices_waits_for_their_accesses),
        cmocka_unit_test(nothing_begins_until_they_are_started),
        cmocka_unit_test(one_stops_them_at_a_time),
        cmocka_unit_test(accelerators_stand_still_too),
        cmocka_unit_test(commands_have_their_time_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
