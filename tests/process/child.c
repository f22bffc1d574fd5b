/* SPDX-License-Identifier: MIT */
/* child.c - see child.h. */
#include "tests/process/child.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

enum { SPINS = 100 };

static char why[200]; /* not applicable; empty: applicable                   */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Who counts without telling is noticed a millisecond later. */
bool wait_for(atomic_uint *v, unsigned at_least)
{
    const struct timespec tick = { .tv_nsec = 1000000 };
    const double until = now() + WAIT_S;

    for (unsigned i = 0; atomic_load(v) < at_least; i++) {
        unsigned is = atomic_load(v);

        if (i < SPINS || is >= at_least)
            continue;
        if (now() > until)
            return false;
        (void)syscall(SYS_futex, v, FUTEX_WAIT, is, &tick, NULL, 0);
    }
    return true;
}

void tell(atomic_uint *v, unsigned value)
{
    if (atomic_exchange(v, value) != value)
        (void)syscall(SYS_futex, v, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* ---- in the child ------------------------------------------------------------ */

void need(bool ok, const char *what)
{
    if (ok)
        return;
    printf("# the process: not so: %s (%s)\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

void meet_host(struct shared *s, unsigned step)
{
    tell(&s->child, step);
    need(wait_for(&s->host, step), "the host lets it go on");
}

void *map_pages_at(void *at, size_t n)
{
    void *p = mmap(at, n * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0),
                   -1, 0);

    need(p != MAP_FAILED && (!at || p == at), "mmap");
    return p;
}

void *map_pages(size_t n)
{
    return map_pages_at(NULL, n);
}

void move_page(void *from, void *to)
{
    need(mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
         "mremap");
}

/* Linux gives the upper end of a hole first. */
void *free_address(void)
{
    const size_t size = (size_t)512 << 20;
    char *hole = mmap(NULL, size, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    need(hole != MAP_FAILED && munmap(hole, size) == 0, "a hole");
    return hole + size / 2;
}

/* ---- in the test ------------------------------------------------------------- */

static void start(struct stand *s, child_fn *fn, bool agent)
{
    const int on = 1;
    int pair[2];
    char error[200];
    pid_t parent = getpid();

    memset(s, 0, sizeof(*s));
    s->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->shared != MAP_FAILED);
    device_init(&s->device);
    s->device.shared = s->shared;
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    /* Messages that do not say who sent them have it all the same. */
    assert_int_equal(setsockopt(pair[agent ? 0 : 1], SOL_SOCKET, SO_PASSCRED,
                                &on, sizeof(on)),
                     0);
    fflush(stdout);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        need(getppid() == parent, "the test is there");
        close(pair[0]);
        atomic_store(&s->shared->n[0], (unsigned)pair[1]);
        if (agent)
            need(process_agent_start(pair[1], error, sizeof(error)), "agent");
        fn(s->shared);
        _exit(0);
    }
    close(pair[1]);
    s->socket = pair[0];
}

void stand_fork(struct stand *s, child_fn *fn)
{
    start(s, fn, false);
}

void stand_open_stepped(struct stand *s, child_fn *fn)
{
    char error[200] = "";

    start(s, fn, true);
    if (!process_open(s->socket, &s->device.ops, &s->device, &s->p, error,
                      sizeof(error)))
        fail_msg("%s", error);
    s->device.p = s->p;
}

void stand_follow(struct stand *s)
{
    char error[200] = "";

    if (!process_follow(s->p, error, sizeof(error)))
        fail_msg("%s", error);
}

void stand_open(struct stand *s, child_fn *fn)
{
    stand_open_stepped(s, fn);
    stand_follow(s);
}

void stand_meet(struct stand *s, unsigned step)
{
    if (!wait_for(&s->shared->child, step))
        fail_msg("the process does not come to step %u", step);
}

void stand_go(struct stand *s, unsigned step)
{
    tell(&s->shared->host, step);
}

uint64_t stand_address(struct stand *s)
{
    return atomic_load(&s->shared->at);
}

void stand_close(struct stand *s)
{
    int status = 0;

    if (s->pid > 0) {
        assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
        assert_int_equal(status, 0);
    }
    process_close(s->p);
    if (!s->p && s->socket >= 0)
        close(s->socket);
    munmap(s->shared, PAGE);
}

/* ---- who runs it ------------------------------------------------------------- */

/* A program that was root and is not any more may not be looked into otherwise. */
static bool become_nobody(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(65534) == 0 &&
           setuid(65534) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* cmocka has no way to give a test to its function but this. */
static void not_applicable(void **state)
{
    (void)state;
}

int run_unprivileged(const struct CMUnitTest *tests, size_t n)
{
    struct CMUnitTest *list = malloc(n * sizeof(*list));
    int failed;

    if (!list || !become_nobody()) {
        printf("Bail out! cannot run as an unprivileged user\n");
        return 1;
    }
    memcpy(list, tests, n * sizeof(*list));
    if (!process_supported(why, sizeof(why)) ||
        (PAGE != sysconf(_SC_PAGESIZE) &&
         snprintf(why, sizeof(why), "pages of %ld bytes",
                  sysconf(_SC_PAGESIZE)) > 0))
        for (size_t i = 0; i < n; i++) {
            printf("NA: %s: %s\n", list[i].name, why);
            list[i].test_func = not_applicable;
        }
    failed = _cmocka_run_group_tests("process", list, n, NULL, NULL);
    free(list);
    return failed;
}
