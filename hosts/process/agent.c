/* SPDX-License-Identifier: MIT */
/* agent.c - see agent.h. */
#include "hosts/process/agent.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosts/process/kernel.h"

/* Where Yama restricts it, only those that were named may follow. */
static void let_it_follow(int socket)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        (void)prctl(PR_SET_PTRACER, (unsigned long)peer.pid, 0, 0, 0);
}

static struct cmsghdr *put(struct cmsghdr *c, int type, const void *data,
                           size_t size)
{
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), data, size);
    return c;
}

/* The kernel vouches for the process id. */
static bool send_hello(int socket, struct process_hello *hello, int uffd)
{
    const struct ucred self = { getpid(), getuid(), getgid() };
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec iov = { hello, sizeof(*hello) };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control) };
    struct cmsghdr *c =
        put(CMSG_FIRSTHDR(&m), SCM_CREDENTIALS, &self, sizeof(self));

    if (uffd >= 0)
        (void)put(CMSG_NXTHDR(&m, c), SCM_RIGHTS, &uffd, sizeof(uffd));
    else
        m.msg_controllen = CMSG_SPACE(sizeof(self));
    return sendmsg(socket, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*hello);
}

/*
 * The descriptor is the other end's alone: when that goes, the kernel ends the
 * following by itself, and nobody waits any more.
 */
static bool offer(int socket)
{
    struct process_hello hello = {
        .magic = PROCESS_AGENT_MAGIC,
        .tid = (int32_t)syscall(SYS_gettid),
    };
    int uffd = process_uffd_open();
    bool ok;

    if (uffd < 0)
        snprintf(hello.error, sizeof(hello.error), "userfaultfd: %s",
                 strerror(-uffd));
    let_it_follow(socket);
    ok = send_hello(socket, &hello, uffd);
    if (uffd >= 0)
        (void)close(uffd);
    return ok && uffd >= 0;
}

/* Whatever is said there. */
static void sleep_until_closed(int socket)
{
    struct pollfd fd = { .fd = socket, .events = POLLRDHUP };

    while (poll(&fd, 1, -1) < 0 && errno == EINTR)
        continue;
}

struct begin {
    int socket;
    sem_t offered;
};

/*
 * While this thread lives, its id stands for the address space. It allocates nothing, so
 * it gets no part of the heap to itself.
 */
static void *agent(void *arg)
{
    struct begin *begin = arg;
    int socket = begin->socket;
    bool offered = offer(socket);

    (void)sem_post(&begin->offered);
    if (offered)
        sleep_until_closed(socket);
    (void)close(socket);
    return NULL;
}

/* Returns after the offer: a child forked then has no copy of the descriptor. */
static int start_thread(int socket)
{
    struct begin begin = { .socket = socket };
    sigset_t all, old;
    pthread_t thread;
    int failed;

    /* The process's signals are for the process's threads. */
    (void)sem_init(&begin.offered, 0, 0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&thread, NULL, agent, &begin);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed == 0) {
        (void)pthread_detach(thread);
        while (sem_wait(&begin.offered) != 0)
            continue;
    }
    (void)sem_destroy(&begin.offered);
    return failed;
}

bool process_agent_start(int socket, char *error, size_t size)
{
    int failed = start_thread(socket);

    if (failed)
        snprintf(error, size, "no thread for the agent: %s", strerror(failed));
    return failed == 0;
}
