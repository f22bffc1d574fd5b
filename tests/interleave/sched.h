/* SPDX-License-Identifier: MIT */
/*
 * sched.h - a few CPUs of which exactly one runs at a time, and whose stores
 * arrive late: runs that no real machine can be made to repeat.
 *
 * Each CPU is a thread. It may be exchanged for another at every access to a
 * shared word or atomic variable, at every fence, lock, unlock, register access
 * and flush. Which one runs when is the schedule; with the same schedule
 * everything happens again.
 *
 * A store goes to the CPU's store buffer. The CPU itself sees it; other CPUs, and
 * hardware, do when it leaves the buffer:
 *
 *     a full fence, an exchange, host->fence(), and giving pages back wait for all
 *       of it
 *     an unlock is a store after all others; who wants the lock waits for it
 *     host->flush() waits for what is in the range
 *     stores after a release fence leave after those before it; so do accesses
 *       to atomic variables that release
 *     otherwise the schedule decides (enum sched_stores)
 *
 * That is more order than some machines have. Loads take place in program order,
 * accesses to atomic variables wait for the buffer, and plain variables, which locks
 * guard, are not seen. So a missing acquire fence is not found, nor another fence
 * that stands beside an exchange or a lock.
 */
#ifndef UIM_TESTS_INTERLEAVE_SCHED_H
#define UIM_TESTS_INTERLEAVE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include <uiommu/host.h>

enum { SCHED_CPUS = 3, SCHED_SWITCHES = 4 };

enum sched_stores {
    SCHED_AT_ONCE, /* as if there were no buffer                             */
    SCHED_LATE,    /* they stay as long as they may                          */
    SCHED_NEWEST,  /* the oldest stays, those after it pass if they may      */
    SCHED_STORES
};

/* At the n-th point of the run (1: the first) the CPU that runs makes way for the
 * `by`-th of the others that can run. */
struct sched_switch {
    unsigned at, by;
};

struct sched_plan {
    enum sched_stores stores;
    unsigned first;   /* CPU that begins                                     */
    unsigned n;
    struct sched_switch change[SCHED_SWITCHES];
    /* What does not order anything in this run: does a program notice? */
    bool no_host;     /* host->fence()                                       */
    bool no_atomic;   /* exchanges of, and releases to, atomic variables     */
};

/* How a run ended. */
struct sched_result {
    unsigned points;
    const char *wrong; /* deadlock, or no progress; NULL: neither            */
};

/* Runs the functions side by side, each on its CPU, until all returned. */
struct sched_result sched_run(const struct sched_plan *plan,
                              void (*const cpu[])(void *ctx), unsigned n,
                              void *ctx);

/* Puts the scheduler between a host and uiommu: before uiommu_create(). One host at
 * a time; sched_host(NULL) takes it out. */
void sched_host(struct uiommu_host *host);

/* A plan as text, to be given again as UIOMMU_SCHEDULE. */
void sched_print(const struct sched_plan *plan, char *text, unsigned size);
bool sched_parse(const char *text, struct sched_plan *plan);

#endif
