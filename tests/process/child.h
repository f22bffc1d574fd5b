/* SPDX-License-Identifier: MIT */
/*
 * child.h - a process for devices, and a device with a TLB that keeps translations as
 * long as it may. The process is a fork of the test, so its program is a function;
 * both sides go step by step through a page that they share.
 *
 * All programs with it run as an unprivileged user: as nobody, if they are started as
 * root.
 */
#ifndef UIM_TESTS_PROCESS_CHILD_H
#define UIM_TESTS_PROCESS_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "hosts/process/agent.h"
#include "hosts/process/process.h"

enum { PAGE = 4096, WAIT_S = 10 };

/* ---- what both sides see ----------------------------------------------------- */

struct shared {
    atomic_uint child, host; /* the step that each has come to               */
    atomic_uintptr_t at;     /* an address of the process, and others        */
    atomic_uint n[4];
    atomic_bool stop;
};

/* In the child: has come to that step; go on when the host has. */
void meet_host(struct shared *s, unsigned step);
/* In the child: what is not so ends it with a line of text. */
void need(bool ok, const char *what);
#define NEED(x) need((x), #x)
/* In the child: fresh memory of the process, or where asked. */
void *map_pages(size_t n);
void *map_pages_at(void *at, size_t n);
/* What is at `from` is at `to` afterwards. */
void move_page(void *from, void *to);
/* An address with nothing around it, which nobody is given by chance. */
void *free_address(void);

/* Waits until *v is at least that. False: it took too long. */
bool wait_for(atomic_uint *v, unsigned at_least);
/* *v is that; who waits for it is woken. */
void tell(atomic_uint *v, unsigned value);

/* ---- a device ---------------------------------------------------------------- */

enum { TLB_ENTRIES = 64 };

struct translation {
    uint64_t first, last;
    unsigned rights; /* 0: unused                                            */
};

struct device {
    struct process *p;
    struct process_ops ops;

    pthread_mutex_t busy; /* an access is under way, or it is stopped        */
    atomic_bool stopping;
    pthread_mutex_t lock; /* of the TLB; inside `busy` and inside the ops    */
    struct translation tlb[TLB_ENTRIES];
    unsigned next;

    atomic_uint stops, grants, invalidations, ends;
    bool deaf;    /* keeps translations that were invalidated                */
    bool running; /* is never stopped                                        */
    atomic_bool asleep; /* cannot forget anything now                        */
    void (*on_stop)(struct device *d);
    void (*on_invalidate)(struct device *d);
    struct shared *shared; /* for these                                      */
};

void device_init(struct device *d);

enum hit { MISS, HIT, FAILED, AGAIN };

/* Through the TLB: MISS without a translation, FAILED if the access was refused. */
enum hit device_write(struct device *d, uint64_t va, const void *data,
                      size_t size);
enum hit device_read(struct device *d, uint64_t va, void *data, size_t size);
bool device_has(struct device *d, uint64_t va);
/* Its translation of `va` ends, by a step of somebody's. */
bool device_loses(struct device *d, uint64_t va);
/* Faults until there is an answer; the follower has to run, or nothing to change. */
enum process_status device_fault(struct device *d, uint64_t va,
                                 unsigned access);
/* With faults where needed. */
enum process_status device_store(struct device *d, uint64_t va, uint32_t value);
enum process_status device_load(struct device *d, uint64_t va, uint32_t *value);

/* ---- the two together -------------------------------------------------------- */

struct stand {
    struct shared *shared;
    struct device device;
    struct process *p;
    pid_t pid;
    int socket;
};

typedef void child_fn(struct shared *s);

/* Fork a process that runs `fn`, with an agent, and follow it with a thread. */
void stand_open(struct stand *s, child_fn *fn);
/* The same, not followed: the test steps, or follows it when every process is there: one
 * forked beside a thread may have inherited a lock that this thread held. */
void stand_open_stepped(struct stand *s, child_fn *fn);
void stand_follow(struct stand *s);
/* Fork only: `fn` has the socket in shared->n[0]. */
void stand_fork(struct stand *s, child_fn *fn);
/* The child has come to the step. Then let it go on. */
void stand_meet(struct stand *s, unsigned step);
void stand_go(struct stand *s, unsigned step);
uint64_t stand_address(struct stand *s);
/* The child has ended by itself, without complaint. Closes everything. */
void stand_close(struct stand *s);

/* main() of the programs: nobody's rights, or every test is not applicable. */
int run_unprivileged(const struct CMUnitTest *tests, size_t n);
#define RUN(tests) run_unprivileged(tests, sizeof(tests) / sizeof((tests)[0]))

#endif
