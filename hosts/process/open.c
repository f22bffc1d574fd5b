/* SPDX-License-Identifier: MIT */
/*
 * open.c - how a process comes and goes: the agent's message, what is opened of the
 * process, and whether this system can follow one. What the agent says is not
 * believed: the kernel says which process it is, and its thread has to be of that.
 */
#include "hosts/process/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hosts/process/agent.h"
#include "hosts/process/kernel.h"

enum { HELLO_MS = 2000 };

/* ---- can it be done here ---------------------------------------------------- */

static bool can_scan(int uffd, char *why, size_t size)
{
    const size_t page = (size_t)process_page_size();
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    void *at = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t first = (uintptr_t)at;
    bool ok = pagemap >= 0 && at != MAP_FAILED &&
              process_uffd_register(uffd, first, first + page - 1) == 0 &&
              process_pages_followed(pagemap, first, first + page - 1);

    if (!ok)
        snprintf(why, size,
                 "this system does not tell which pages are "
                 "followed (PAGEMAP_SCAN): %s",
                 strerror(errno));
    /* before the page goes: nobody reads its event */
    (void)close(uffd);
    if (at != MAP_FAILED)
        (void)munmap(at, page);
    if (pagemap >= 0)
        (void)close(pagemap);
    return ok;
}

static bool can_access(char *why, size_t size)
{
    char from = 1, to = 0;
    struct iovec local = { &to, 1 }, remote = { &from, 1 };

    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1)
        return true;
    snprintf(why, size, "process_vm_readv: %s", strerror(errno));
    return false;
}

bool process_supported(char *why, size_t size)
{
    int uffd = process_uffd_open();

    if (uffd < 0) {
        snprintf(why, size, "userfaultfd: %s", strerror(-uffd));
        return false;
    }
    if (!process_uffd_enable(uffd, why, size)) {
        (void)close(uffd);
        return false;
    }
    return can_scan(uffd, why, size) && can_access(why, size);
}

/* ---- the agent's message ---------------------------------------------------- */

struct greeting {
    struct process_hello hello;
    pid_t pid;
    int uffd; /* -1: none came                                               */
};

static void take(struct greeting *g, struct cmsghdr *c)
{
    struct ucred sender;

    if (c->cmsg_level != SOL_SOCKET)
        return;
    if (c->cmsg_type == SCM_CREDENTIALS) {
        memcpy(&sender, CMSG_DATA(c), sizeof(sender));
        g->pid = sender.pid;
    } else if (c->cmsg_type == SCM_RIGHTS) {
        memcpy(&g->uffd, CMSG_DATA(c), sizeof(g->uffd));
    }
}

/* There is room for one descriptor: more of them the kernel closes. */
static bool receive(int socket, struct greeting *g)
{
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { &g->hello, sizeof(g->hello) };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    if (n < 0)
        return false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        take(g, c);
    g->hello.error[sizeof(g->hello.error) - 1] = '\0';
    return n == (ssize_t)sizeof(g->hello) &&
           g->hello.magic == PROCESS_AGENT_MAGIC;
}

static bool wait_for_hello(int socket, char *error, size_t size)
{
    struct pollfd fd = { .fd = socket, .events = POLLIN };
    const int on = 1;
    int n;

    if (setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
        snprintf(error, size, "the agent's socket: %s", strerror(errno));
        return false;
    }
    do
        n = poll(&fd, 1, HELLO_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        snprintf(error, size, "the process says nothing");
    return n > 0;
}

/* Made by whoever sent it, and not used before. */
static bool enable(int uffd, char *error, size_t size)
{
    if (process_uffd_enable(uffd, error, size))
        return true;
    if (process_supported(error, size))
        snprintf(error, size, "what the process sent is no fresh userfaultfd");
    return false;
}

static bool check(const struct greeting *g, char *error, size_t size)
{
    if (g->hello.error[0]) {
        snprintf(error, size, "the process cannot be followed: %s",
                 g->hello.error);
        return false;
    }
    if (!process_has_thread(g->pid, g->hello.tid)) {
        snprintf(error, size,
                 "the agent is said to be thread %d, which process %d does not "
                 "have",
                 (int)g->hello.tid, (int)g->pid);
        return false;
    }
    return enable(g->uffd, error, size);
}

static bool greet(int socket, struct greeting *g, char *error, size_t size)
{
    *g = (struct greeting){ .uffd = -1 };
    if (!wait_for_hello(socket, error, size))
        return false;
    if (!receive(socket, g)) {
        snprintf(error, size, "what the process says is not of an agent");
        return false;
    }
    return check(g, error, size);
}

/* ---- what is opened of it --------------------------------------------------- */

/* Of the agent's thread, so that it is not what another program has. */
static int open_proc(const struct process *p, const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)p->pid,
             (int)p->tid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool check_fd(int fd, const char *what, char *error, size_t size)
{
    if (fd < 0)
        snprintf(error, size, "%s of the process: %s", what, strerror(-fd));
    return fd >= 0;
}

static bool open_all(struct process *p, char *error, size_t size)
{
    p->life = process_life_open(p->pid, p->tid);
    if (!check_fd(p->life, "pidfd", error, size))
        return false;
    p->maps = open_proc(p, "maps");
    if (!check_fd(p->maps, "maps", error, size))
        return false;
    p->pagemap = open_proc(p, "pagemap");
    if (!check_fd(p->pagemap, "pagemap", error, size))
        return false;
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->nowhere =
        mmap(NULL, p->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->wake < 0 || p->nowhere == MAP_FAILED) {
        snprintf(error, size, "no memory, or no descriptors");
        return false;
    }
    /* All of that was the agent's if it is still there. */
    if (process_has_thread(p->pid, p->tid))
        return true;
    snprintf(error, size, "the process is gone");
    return false;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void close_all(struct process *p)
{
    close_fd(p->uffd);
    close_fd(p->life);
    close_fd(p->maps);
    close_fd(p->pagemap);
    close_fd(p->wake);
    if (p->nowhere != MAP_FAILED)
        (void)munmap(p->nowhere, p->page);
    (void)pthread_mutex_destroy(&p->owing);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

bool process_open(int socket, const struct process_ops *ops, void *ctx,
                  struct process **out, char *error, size_t size)
{
    struct process *p = calloc(1, sizeof(*p));
    struct greeting g = { .uffd = -1 };

    if (!p) {
        snprintf(error, size, "no memory");
        return false;
    }
    *p = (struct process){ .ops = ops,
                           .ctx = ctx,
                           .life = -1,
                           .maps = -1,
                           .pagemap = -1,
                           .wake = -1,
                           .nowhere = MAP_FAILED,
                           .page = (size_t)process_page_size() };
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_mutex_init(&p->owing, NULL);
    process_owe_nothing(p);
    if (greet(socket, &g, error, size)) {
        p->pid = g.pid;
        p->tid = g.hello.tid;
    }
    p->uffd = g.uffd;
    if (p->pid == 0 || !open_all(p, error, size)) {
        close_all(p);
        return false;
    }
    p->socket = socket;
    *out = p;
    return true;
}

/* ---- a thread that follows --------------------------------------------------- */

static void *follower(void *arg)
{
    struct process *p = arg;

    while (!atomic_load(&p->closing) && process_step(p, -1) == PROCESS_OK)
        continue;
    return NULL;
}

bool process_follow(struct process *p, char *error, size_t size)
{
    sigset_t all, old;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&p->follower, NULL, follower, p);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    p->followed = failed == 0;
    if (failed)
        snprintf(error, size, "no thread: %s", strerror(failed));
    return failed == 0;
}

void process_close(struct process *p)
{
    if (!p)
        return;
    if (p->followed) {
        atomic_store(&p->closing, true);
        process_wake(p);
        (void)pthread_join(p->follower, NULL);
    }
    (void)process_end(p, false);
    close_fd(p->socket);
    close_all(p);
}
