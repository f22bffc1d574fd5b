/* SPDX-License-Identifier: MIT */
/*
 * process.c - a real process whose address space a device uses: a fault of the device, an
 * access through a translation, and what munmap() takes when somebody has to forget one;
 * against the process's own fault, the bare system call for the access, and munmap() when
 * nobody follows.
 *
 * "process": a device that has no TLB, so that it is what hosts/process takes. The others:
 * a device with one, by way of a simulated unit and all of uiommu (hosts/sva).
 */
#include "bench/child.h"
#include "bench/rows.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "hosts/process/process.h"
#include "hosts/sva/machine.h"
#include "hosts/sva/process.h"

enum { PAGES = BENCH_PROCESS_PAGES, WRITES = 2000, BYTES = 64 };

struct subject;

/* How a device uses the process. */
struct way {
    const char *format;
    enum sim_mode mode;
    bool (*open)(struct subject *s, int socket);
    void (*close)(struct subject *s);
    bool (*fault)(struct subject *s, uint64_t va);
    bool (*write)(struct subject *s, uint64_t va, void *data, size_t size);
};

struct subject {
    const struct way *way;
    struct bench_process process;

    struct process *p; /* without a machine */
    pthread_mutex_t busy;

    struct sva_machine machine;
    struct sva_process *provider;
};

/* ---- a device that has no TLB ------------------------------------------------- */

static void stop(void *ctx)
{
    struct subject *s = ctx;

    (void)pthread_mutex_lock(&s->busy);
}

static void go(void *ctx)
{
    struct subject *s = ctx;

    (void)pthread_mutex_unlock(&s->busy);
}

static void grant(void *ctx, uint64_t first, uint64_t last, unsigned rights)
{
    (void)ctx, (void)first, (void)last, (void)rights;
}

static bool invalidate(void *ctx, uint64_t first, uint64_t last)
{
    (void)ctx, (void)first, (void)last;
    return true;
}

static bool exited(void *ctx)
{
    (void)ctx;
    return true;
}

static bool open_bare(struct subject *s, int socket)
{
    static const struct process_ops ops = { stop, go, grant, invalidate,
                                            exited };
    char error[200];

    (void)pthread_mutex_init(&s->busy, NULL);
    if (process_open(socket, &ops, s, &s->p, error, sizeof(error)))
        return process_follow(s->p, error, sizeof(error));
    (void)close(socket);
    return false;
}

static void close_bare(struct subject *s)
{
    process_close(s->p);
    (void)pthread_mutex_destroy(&s->busy);
}

static bool fault_bare(struct subject *s, uint64_t va)
{
    return process_fault(s->p, va, UIOMMU_WRITE, NULL) == PROCESS_OK;
}

static bool write_bare(struct subject *s, uint64_t va, void *data, size_t size)
{
    return process_write(s->p, va, data, size, NULL) == PROCESS_OK;
}

/* ---- one that asks a unit ------------------------------------------------------- */

static bool open_machine(struct subject *s, int socket)
{
    const struct sim_config config = { .mode = s->way->mode, .fast = true };
    char error[300];

    if (!sva_machine_open(&s->machine, &config, error, sizeof(error))) {
        (void)close(socket);
        return false;
    }
    return sva_process_open(s->machine.m, s->machine.u, socket, 0, &s->provider,
                            error, sizeof(error)) &&
           sva_machine_bind(&s->machine, 0,
                            sva_process_provider(s->provider)) == UIOMMU_OK;
}

static void close_machine(struct subject *s)
{
    if (s->machine.bound[0])
        (void)!sva_machine_unbind(&s->machine, 0);
    sva_process_close(s->provider);
    if (s->machine.m)
        (void)sva_machine_close(&s->machine);
}

static bool fault_by_unit(struct subject *s, uint64_t va)
{
    return sva_engine_ask(&s->machine.engine[0], va, UIOMMU_WRITE) == SVA_DONE;
}

static bool write_by_unit(struct subject *s, uint64_t va, void *data,
                          size_t size)
{
    return sva_engine_try(&s->machine.engine[0], true, va, data, size) ==
           SVA_DONE;
}

static const struct way ways[] = {
    { "process", SIM_LEGACY, open_bare, close_bare, fault_bare, write_bare },
    { "process_vtd", SIM_FIRST_STAGE, open_machine, close_machine,
      fault_by_unit, write_by_unit },
    { "process_smmuv3", SIM_STAGE_1, open_machine, close_machine, fault_by_unit,
      write_by_unit },
};

/* ---- the two together --------------------------------------------------------- */

static void close_subject(struct subject *s)
{
    s->way->close(s);
    bench_process_close(&s->process);
}

static bool open_subject(struct subject *s, const char *format)
{
    int socket;

    memset(s, 0, sizeof(*s));
    for (s->way = ways; strcmp(s->way->format, format) != 0; s->way++)
        ;
    return bench_process_open(&s->process, &socket) && s->way->open(s, socket);
}

static bool order(struct subject *s, enum bench_command command)
{
    return bench_process_order(&s->process, command);
}

/* ---- what is timed ------------------------------------------------------------- */

static bool fault_all(struct subject *s, double *ns)
{
    const uint64_t at = bench_process_at(&s->process);
    unsigned failed = 0;
    double start = bench_now_ns();

    for (unsigned i = 0; i < PAGES; i++)
        failed += !s->way->fault(s, at + i * s->process.page);
    *ns = (bench_now_ns() - start) / PAGES;
    return at != 0 && failed == 0;
}

static bool sample_fault(struct subject *s, double *ns, double *limit)
{
    return order(s, BENCH_MAP) && fault_all(s, ns) && order(s, BENCH_UNMAP) &&
           bench_touch_own(&s->process, limit);
}

static bool sample_write(struct subject *s, double *ns, double *limit)
{
    char data[BYTES] = { 0 };
    unsigned failed = 0;
    double start;
    uint64_t at;

    if (!order(s, BENCH_MAP) || !fault_all(s, ns))
        return false;
    at = bench_process_at(&s->process);
    start = bench_now_ns();
    for (unsigned i = 0; i < WRITES; i++)
        failed += !s->way->write(s, at, data, BYTES);
    *ns = (bench_now_ns() - start) / WRITES;
    return failed == 0 && bench_vm_write(&s->process, WRITES, BYTES, limit) &&
           order(s, BENCH_UNMAP);
}

/* Each page was used, so that there is something to forget. */
static bool use_all(struct subject *s)
{
    const uint64_t at = bench_process_at(&s->process);
    unsigned failed = 0;
    double unused;
    char byte = 0;

    if (!fault_all(s, &unused))
        return false;
    for (unsigned i = 0; i < PAGES; i++)
        failed += !s->way->write(s, at + i * s->process.page, &byte, 1);
    return failed == 0;
}

static bool sample_unmap(struct subject *s, double *ns, double *limit)
{
    if (!order(s, BENCH_MAP) || !use_all(s) || !order(s, BENCH_UNMAP))
        return false;
    *ns = bench_process_unmap_ns(&s->process);
    if (!order(s, BENCH_MAP) || !order(s, BENCH_UNMAP))
        return false;
    *limit = bench_process_unmap_ns(&s->process);
    return true;
}

/* ---- rows ---------------------------------------------------------------------- */

static bool measure(const struct bench_case *c, unsigned runs,
                    struct bench_figure *out, double *limit_ns,
                    bool (*sample)(struct subject *, double *, double *),
                    unsigned units)
{
    double ns[BENCH_MAX_RUNS], limit[BENCH_MAX_RUNS];
    struct bench_figure least = { 0 };
    struct subject s;
    bool ok = open_subject(&s, c->row->format) && sample(&s, &ns[0], &limit[0]);

    *out = least;
    for (unsigned i = 0; ok && i < runs; i++)
        ok = sample(&s, &ns[i], &limit[i]);
    close_subject(&s);
    if (!ok)
        return false;
    bench_summarize(ns, runs, out);
    bench_summarize(limit, runs, &least);
    out->units = (uint64_t)(runs + 1) * units;
    *limit_ns = least.ns;
    return true;
}

static bool process_fault_row(struct bench_case *c, unsigned runs,
                              struct bench_figure *out, double *limit_ns)
{
    return measure(c, runs, out, limit_ns, sample_fault, PAGES);
}

static bool process_write_row(struct bench_case *c, unsigned runs,
                              struct bench_figure *out, double *limit_ns)
{
    return measure(c, runs, out, limit_ns, sample_write, WRITES);
}

static bool process_unmap_row(struct bench_case *c, unsigned runs,
                              struct bench_figure *out, double *limit_ns)
{
    return measure(c, runs, out, limit_ns, sample_unmap, PAGES);
}

/* With the goals of a way. */
#define ROWS(way, fault, write, unmap)                                         \
    { .name = "process_fault",                                                 \
      .per = "fault",                                                          \
      .limit = "own_fault",                                                    \
      .goal_ratio = (fault),                                                   \
      .format = (way),                                                         \
      .possible = process_supported,                                           \
      .whole = process_fault_row },                                            \
        { .name = "process_write_64",                                          \
          .per = "call",                                                       \
          .limit = "vm_writev",                                                \
          .goal_ratio = (write),                                               \
          .format = (way),                                                     \
          .possible = process_supported,                                       \
          .whole = process_write_row },                                        \
    {                                                                          \
        .name = "process_unmap_4k", .per = "call", .limit = "munmap",          \
        .goal_ratio = (unmap), .format = (way), .possible = process_supported, \
        .whole = process_unmap_row                                             \
    }

const struct bench_row bench_process_rows[] = {
    ROWS("process", 10.0, 2.0, 20.0),
    ROWS("process_vtd", 20.0, 4.0, 40.0),
    ROWS("process_smmuv3", 20.0, 4.0, 40.0),
    { .name = NULL },
};
