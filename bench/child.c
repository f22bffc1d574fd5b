/* SPDX-License-Identifier: MIT */
/* child.c - see child.h. */
#include "bench/child.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "hosts/process/agent.h"

enum { PAGES = BENCH_PROCESS_PAGES };

/* What host and process see. */
struct bench_desk {
    _Atomic(enum bench_command) command;
    atomic_uintptr_t at;
    uint64_t ns; /* that UNMAP took; whose turn it is, is the command */
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

static void obey(struct bench_desk *desk, size_t page)
{
    for (;;) {
        enum bench_command command = atomic_load(&desk->command);

        if (command == BENCH_MAP)
            atomic_store(&desk->at, map_pages(page));
        else if (command == BENCH_UNMAP)
            desk->ns = unmap_pages(atomic_load(&desk->at), page);
        else
            sched_yield();
        if (command != BENCH_READY)
            atomic_store(&desk->command, BENCH_READY);
    }
}

static void be_the_process(struct bench_desk *desk, int socket, size_t page)
{
    char error[200];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (process_agent_start(socket, error, sizeof(error)))
        obey(desk, page);
    _exit(1);
}

/* ---- for the host ------------------------------------------------------------- */

bool bench_process_open(struct bench_process *p, int *socket)
{
    int pair[2];

    *p = (struct bench_process){ .page = (size_t)sysconf(_SC_PAGESIZE) };
    p->desk = mmap(NULL, p->page, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->desk == MAP_FAILED ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    p->pid = fork();
    if (p->pid == 0)
        be_the_process(p->desk, pair[1], p->page);
    (void)close(pair[1]);
    *socket = pair[0];
    return p->pid > 0;
}

void bench_process_kill(struct bench_process *p)
{
    if (p->pid > 0) {
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
}

void bench_process_close(struct bench_process *p)
{
    bench_process_kill(p);
    if (p->desk != MAP_FAILED)
        (void)munmap(p->desk, p->page);
}

bool bench_process_order(struct bench_process *p, enum bench_command command)
{
    atomic_store(&p->desk->command, command);
    while (atomic_load(&p->desk->command) != BENCH_READY) {
        if (waitpid(p->pid, NULL, WNOHANG) != 0)
            return false;
        sched_yield();
    }
    return true;
}

uint64_t bench_process_at(const struct bench_process *p)
{
    return atomic_load(&p->desk->at);
}

double bench_process_unmap_ns(const struct bench_process *p)
{
    return (double)p->desk->ns / PAGES;
}

/* ---- limits ------------------------------------------------------------------- */

bool bench_touch_own(const struct bench_process *p, double *ns)
{
    volatile char *at = (volatile char *)map_pages(p->page);
    double start = bench_now_ns();

    for (unsigned i = 0; at && i < PAGES; i++)
        at[i * p->page] = 1;
    *ns = (bench_now_ns() - start) / PAGES;
    return at && munmap((void *)(uintptr_t)at, PAGES * p->page) == 0;
}

bool bench_vm_write(const struct bench_process *p, unsigned n, size_t bytes,
                    double *ns)
{
    static char data[4096];
    struct iovec local = { data, bytes };
    struct iovec remote = { (void *)(uintptr_t)bench_process_at(p), bytes };
    unsigned failed = 0;
    double start = bench_now_ns();

    for (unsigned i = 0; i < n; i++)
        failed += process_vm_writev(p->pid, &local, 1, &remote, 1, 0) !=
                  (ssize_t)bytes;
    *ns = (bench_now_ns() - start) / n;
    return failed == 0;
}
