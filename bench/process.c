/* SPDX-License-Identifier: MIT */
/*
 * process.c - a real process whose address space a device uses (hosts/process): a
 * fault of the device, an access through a translation, and what munmap() takes when
 * somebody has to forget one; against the process's own fault, the bare system call
 * for the access, and munmap() when nobody follows.
 */
#include "bench/rows.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/process/agent.h"
#include "hosts/process/process.h"

enum { PAGES = 256, WRITES = 2000, BYTES = 64 };

enum command { READY, MAP, UNMAP };

/* What host and process see. */
struct desk {
    _Atomic(enum command) command;
    atomic_uintptr_t at;
    uint64_t ns; /* that UNMAP took; whose turn it is, is the command */
};

struct subject {
    struct desk *desk;
    struct process *p;
    pid_t pid;
    size_t page;
    pthread_mutex_t busy;
};

/* ---- in the process ---------------------------------------------------------- */

static uintptr_t map_pages(size_t page)
{
    void *at = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? 0 : (uintptr_t)at;
}

static uint64_t unmap_pages(uintptr_t at, size_t page)
{
    double start = bench_now_ns();

    for (unsigned i = 0; i < PAGES; i++)
        (void)munmap((void *)(at + i * page), page);
    return (uint64_t)(bench_now_ns() - start);
}

static void obey(struct desk *desk, size_t page)
{
    for (;;) {
        enum command command = atomic_load(&desk->command);

        if (command == MAP)
            atomic_store(&desk->at, map_pages(page));
        else if (command == UNMAP)
            desk->ns = unmap_pages(atomic_load(&desk->at), page);
        else
            sched_yield();
        if (command != READY)
            atomic_store(&desk->command, READY);
    }
}

static void be_the_process(struct desk *desk, int socket, size_t page)
{
    char error[200];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (process_agent_start(socket, error, sizeof(error)))
        obey(desk, page);
    _exit(1);
}

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

static void invalidate(void *ctx, uint64_t first, uint64_t last)
{
    (void)ctx, (void)first, (void)last;
}

static void exited(void *ctx)
{
    (void)ctx;
}

/* ---- the two together --------------------------------------------------------- */

static void close_subject(struct subject *s)
{
    process_close(s->p);
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
    }
    if (s->desk != MAP_FAILED)
        (void)munmap(s->desk, s->page);
    (void)pthread_mutex_destroy(&s->busy);
}

static bool open_subject(struct subject *s)
{
    static const struct process_ops ops = { stop, go, grant, invalidate,
                                            exited };
    char error[200];
    int pair[2];

    *s = (struct subject){ .page = (size_t)sysconf(_SC_PAGESIZE) };
    (void)pthread_mutex_init(&s->busy, NULL);
    s->desk = mmap(NULL, s->page, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->desk == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    s->pid = fork();
    if (s->pid == 0)
        be_the_process(s->desk, pair[1], s->page);
    (void)close(pair[1]);
    if (!process_open(pair[0], &ops, s, &s->p, error, sizeof(error))) {
        (void)close(pair[0]);
        return false;
    }
    return process_follow(s->p, error, sizeof(error));
}

/* False: the process has ended. */
static bool order(struct subject *s, enum command command)
{
    atomic_store(&s->desk->command, command);
    while (atomic_load(&s->desk->command) != READY) {
        if (waitpid(s->pid, NULL, WNOHANG) != 0)
            return false;
        sched_yield();
    }
    return true;
}

/* ---- what is timed ------------------------------------------------------------- */

static bool fault_all(struct subject *s, double *ns)
{
    const uint64_t at = atomic_load(&s->desk->at);
    unsigned failed = 0;
    double start = bench_now_ns();

    for (unsigned i = 0; i < PAGES; i++)
        failed += process_fault(s->p, at + i * s->page, UIOMMU_WRITE, NULL) !=
                  PROCESS_OK;
    *ns = (bench_now_ns() - start) / PAGES;
    return at != 0 && failed == 0;
}

static bool touch_own(const struct subject *s, double *ns)
{
    volatile char *at = (volatile char *)map_pages(s->page);
    double start = bench_now_ns();

    for (unsigned i = 0; at && i < PAGES; i++)
        at[i * s->page] = 1;
    *ns = (bench_now_ns() - start) / PAGES;
    return at && munmap((void *)(uintptr_t)at, PAGES * s->page) == 0;
}

static bool sample_fault(struct subject *s, double *ns, double *limit)
{
    return order(s, MAP) && fault_all(s, ns) && order(s, UNMAP) &&
           touch_own(s, limit);
}

static bool sample_write(struct subject *s, double *ns, double *limit)
{
    char data[BYTES] = { 0 };
    struct iovec local = { data, BYTES }, remote = { NULL, BYTES };
    unsigned failed = 0;
    double start;

    if (!order(s, MAP) || !fault_all(s, ns))
        return false;
    remote.iov_base = (void *)atomic_load(&s->desk->at);
    start = bench_now_ns();
    for (unsigned i = 0; i < WRITES; i++)
        failed += process_write(s->p, (uintptr_t)remote.iov_base, data, BYTES,
                                NULL) != PROCESS_OK;
    *ns = (bench_now_ns() - start) / WRITES;
    start = bench_now_ns();
    for (unsigned i = 0; i < WRITES; i++)
        failed += process_vm_writev(s->pid, &local, 1, &remote, 1, 0) != BYTES;
    *limit = (bench_now_ns() - start) / WRITES;
    return failed == 0 && order(s, UNMAP);
}

static bool sample_unmap(struct subject *s, double *ns, double *limit)
{
    double unused;

    if (!order(s, MAP) || !fault_all(s, &unused) || !order(s, UNMAP))
        return false;
    *ns = (double)s->desk->ns / PAGES;
    if (!order(s, MAP) || !order(s, UNMAP))
        return false;
    *limit = (double)s->desk->ns / PAGES;
    return true;
}

/* ---- rows ---------------------------------------------------------------------- */

static bool measure(unsigned runs, struct bench_figure *out, double *limit_ns,
                    bool (*sample)(struct subject *, double *, double *),
                    unsigned units)
{
    double ns[BENCH_MAX_RUNS], limit[BENCH_MAX_RUNS];
    struct bench_figure least = { 0 };
    struct subject s;
    bool ok = open_subject(&s) && sample(&s, &ns[0], &limit[0]);

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
    (void)c;
    return measure(runs, out, limit_ns, sample_fault, PAGES);
}

static bool process_write_row(struct bench_case *c, unsigned runs,
                              struct bench_figure *out, double *limit_ns)
{
    (void)c;
    return measure(runs, out, limit_ns, sample_write, WRITES);
}

static bool process_unmap_row(struct bench_case *c, unsigned runs,
                              struct bench_figure *out, double *limit_ns)
{
    (void)c;
    return measure(runs, out, limit_ns, sample_unmap, PAGES);
}

const struct bench_row bench_process_rows[] = {
    { .name = "process_fault",
      .per = "fault",
      .limit = "own_fault",
      .goal_ratio = 10.0,
      .format = "process",
      .possible = process_supported,
      .whole = process_fault_row },
    { .name = "process_write_64",
      .per = "call",
      .limit = "vm_writev",
      .goal_ratio = 2.0,
      .format = "process",
      .possible = process_supported,
      .whole = process_write_row },
    { .name = "process_unmap_4k",
      .per = "call",
      .limit = "munmap",
      .goal_ratio = 20.0,
      .format = "process",
      .possible = process_supported,
      .whole = process_unmap_row },
    { .name = NULL },
};
