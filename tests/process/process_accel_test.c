/* SPDX-License-Identifier: MIT */
/*
 * A real process has a streaming accelerator work for it (docs/accel.md): descriptors with the
 * process's addresses go into a queue that all may use, with the process's PASID, and the pages
 * that they name come when they are asked for.
 */
#include "tests/process/sva_stand.h"

#include "hosts/sim/accel.h"
#include "hosts/sim/accel_driver.h"

#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The process's memory, in pages. */
enum { SRC = 0, DST = 4, RECORDS = 8, PAGES = 9 };

enum {
    BYTES = 3 * PAGE,
    DIFFERS = 5000,
    SHARED = 0, /* the queue */
};

struct user {
    struct sva_stand s;
    struct accel_driver drv;
    unsigned dev;
    struct uiommu_endpoint *bound;
    unsigned records; /* that were asked for */
};

static void movdir64b(void *ctx, uint64_t addr, const void *bytes)
{
    sim_movdir64b(ctx, addr, bytes);
}

static bool enqcmds(void *ctx, uint64_t addr, const void *bytes)
{
    return sim_enqcmds(ctx, addr, bytes);
}

static unsigned find_accel(const struct machine *m)
{
    unsigned i = 0;

    while (i < m->n_devices && !m->devices[i].accel)
        i++;
    assert_true(i < m->n_devices);
    return i;
}

/* Bound first: the queue blocks on faults if the function may ask for pages. */
static void user_open(struct user *u, const struct sva_kind *kind, child_fn *fn)
{
    static const struct accel_queue queue = { .size = 16,
                                              .shared = true,
                                              .block_on_fault = true };
    struct accel_cpu cpu = { .movdir64b = movdir64b,
                             .enqcmds = enqcmds,
                             .now_ns = sim_device_ns };
    struct machine *m;

    memset(u, 0, sizeof(*u));
    sva_open(&u->s, kind, fn);
    m = cpu.ctx = u->s.machine.m;
    u->dev = find_accel(m);
    assert_int_equal(
        uiommu_sva_bind(uiommu_device_endpoint(u->s.machine.device[u->dev]),
                        sva_process_provider(u->s.process), NULL, &u->bound),
        UIOMMU_OK);
    assert_int_equal(
        accel_start(&u->drv, &m->host, m->devices[u->dev].pci, &cpu),
        UIOMMU_OK);
    assert_int_equal(accel_queue_setup(&u->drv, SHARED, &queue), UIOMMU_OK);
    assert_int_equal(accel_enable(&u->drv), UIOMMU_OK);
    assert_int_equal(accel_queue_on(&u->drv, SHARED), UIOMMU_OK);
}

static void user_close(struct user *u)
{
    assert_int_equal(accel_stop(&u->drv), UIOMMU_OK);
    assert_int_equal(uiommu_sva_unbind(u->bound, true), UIOMMU_OK);
    sva_close(&u->s);
}

static uint64_t at(struct user *u, unsigned page)
{
    return stand_address(&u->s.child) + page * PAGE;
}

/* ENQCMD, in the process. */
static void submit(struct user *u, enum accel_opcode opcode, uint64_t dst,
                   uint64_t src, uint32_t size)
{
    struct accel_desc d =
        accel_desc(opcode, ACCEL_FLAG_BOF,
                   at(u, RECORDS) + u->records++ * ACCEL_RECORD_SIZE);

    accel_desc_copy(&d, dst, src, size);
    assert_true(sim_enqcmd(u->s.machine.m, accel_portal(&u->drv, SHARED),
                           uiommu_endpoint_pasid(u->bound), &d));
}

static void work(struct user *u)
{
    (void)machine_run(u->s.machine.m);
    uiommu_serve(u->s.machine.u);
}

/* Until nothing is under way, or so many pages were granted. */
static void until(struct user *u, unsigned frames)
{
    const time_t start = time(NULL);

    while (sim_accel_busy(u->s.machine.m, u->dev) > 0 &&
           sva_process_counts(u->s.process).frames < frames) {
        assert_true(time(NULL) <= start + WAIT_S);
        work(u);
    }
}

static void until_done(struct user *u)
{
    until(u, UINT_MAX);
}

static void for_all(void (*test)(const struct sva_kind *kind))
{
    for (unsigned i = 0; i < SVA_KINDS; i++)
        test(&sva_kinds[i]);
}

/* ---- its memory ------------------------------------------------------------------- */

static struct accel_record record(const uint8_t *mem, unsigned n)
{
    return accel_look(mem + RECORDS * PAGE + n * ACCEL_RECORD_SIZE);
}

/* All that it is told it finds in its memory. What it has not touched is brought for the
 * device; what it has unmapped is not. What it may not write, Linux refuses to the
 * device as well, which has a translation. */
static void has_work_done(struct shared *s)
{
    uint8_t *mem = map_pages(PAGES), *dst = mem + DST * PAGE;

    for (unsigned i = 0; i < BYTES; i++)
        mem[SRC * PAGE + 10 + i] = (uint8_t)(i * 7 + i / PAGE);
    atomic_store(&s->at, (uintptr_t)mem);
    meet_host(s, 1);
    NEED(record(mem, 0).status == ACCEL_SUCCESS);
    NEED(memcmp(dst + 20, mem + SRC * PAGE + 10, BYTES) == 0);
    NEED(dst[19] == 0 && dst[20 + BYTES] == 0);
    NEED(record(mem, 1).status == ACCEL_SUCCESS && record(mem, 1).result == 0);
    dst[20 + DIFFERS] ^= 1;
    meet_host(s, 2);
    NEED(record(mem, 2).status == ACCEL_SUCCESS && record(mem, 2).result == 1);
    NEED(record(mem, 2).bytes == DIFFERS);
    NEED(mprotect(dst, PAGE, PROT_READ) == 0);
    meet_host(s, 3);
    NEED(record(mem, 3).status == ACCEL_HARDWARE_WRITE);
    NEED(memcmp(dst + 20, mem + SRC * PAGE + 10, PAGE - 20) == 0);
    NEED(munmap(dst + 2 * PAGE, PAGE) == 0);
    meet_host(s, 4);
    NEED(record(mem, 4).status == ACCEL_PAGE_INVALID);
    NEED(record(mem, 4).fault_write && record(mem, 4).bytes == PAGE);
    NEED(record(mem, 4).fault == (uintptr_t)dst + 2 * PAGE);
    meet_host(s, 5);
}

static void compare(struct user *u)
{
    submit(u, ACCEL_OP_COMPARE, at(u, DST) + 20, at(u, SRC) + 10, BYTES);
    until_done(u);
}

static void copy(struct user *u, unsigned page, uint32_t size)
{
    submit(u, ACCEL_OP_MEMMOVE, at(u, page), at(u, SRC), size);
    until_done(u);
}

static void next(struct user *u, unsigned step)
{
    stand_go(&u->s.child, step);
    stand_meet(&u->s.child, step + 1);
}

static void works(const struct sva_kind *kind)
{
    struct user u;

    user_open(&u, kind, has_work_done);
    stand_meet(&u.s.child, 1);
    assert_int_equal(sva_process_counts(u.s.process).frames, 0);
    submit(&u, ACCEL_OP_MEMMOVE, at(&u, DST) + 20, at(&u, SRC) + 10, BYTES);
    until_done(&u);
    /* 4 pages of each, and the records' */
    assert_int_equal(sva_process_counts(u.s.process).frames, 9);
    assert_true(sva_process_counts(u.s.process).faults >= 9);
    compare(&u);
    next(&u, 1);
    compare(&u);
    next(&u, 2);
    copy(&u, DST, PAGE);
    next(&u, 3);
    copy(&u, DST + 1, 2 * PAGE);
    next(&u, 4);
    assert_int_equal(u.s.machine.faults, 0);
    stand_go(&u.s.child, 5);
    user_close(&u);
}

static void an_accelerator_works_for_a_process(void **state)
{
    (void)state;
    for_all(works);
}

/* ---- its end ----------------------------------------------------------------------- */

enum { MANY = 256 };

static void sleeps(struct shared *s)
{
    atomic_store(&s->at, (uintptr_t)map_pages(MANY));
    meet_host(s, 1);
    for (;;)
        pause();
}

static void kill_child(struct user *u)
{
    int status;

    assert_int_equal(kill(u->s.child.pid, SIGKILL), 0);
    assert_int_equal(waitpid(u->s.child.pid, &status, 0), u->s.child.pid);
    u->s.child.pid = 0;
}

/* Nobody is left who could be told, but the device's driver. */
static void ends_with_work_under_way(const struct sva_kind *kind)
{
    struct user u;
    struct accel_swerr e;

    user_open(&u, kind, sleeps);
    stand_meet(&u.s.child, 1);
    submit(&u, ACCEL_OP_FILL, at(&u, RECORDS + 1), 0x5a,
           (MANY - RECORDS - 1) * PAGE);
    until(&u, MANY / 4);
    assert_true(sim_accel_busy(u.s.machine.m, u.dev) > 0);
    kill_child(&u);
    until_done(&u);
    assert_true(accel_take_error(&u.drv, &e));
    assert_int_equal(accel_swerr_q0_pasid(e.q0),
                     uiommu_endpoint_pasid(u.bound));
    for (unsigned ms = 0; ms < WAIT_S * 1000; ms++) {
        if (sva_process_gone(u.s.process))
            break;
        usleep(1000);
    }
    assert_true(sva_process_gone(u.s.process));
    assert_int_equal(sva_process_counts(u.s.process).frames, 0);
    assert_int_equal(sim_violations(u.s.machine.m), 0);
    user_close(&u);
}

static void a_process_may_end_with_work_under_way(void **state)
{
    (void)state;
    for_all(ends_with_work_under_way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accelerator_works_for_a_process),
        cmocka_unit_test(a_process_may_end_with_work_under_way),
    };

    return RUN(tests);
}
