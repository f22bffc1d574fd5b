/* SPDX-License-Identifier: MIT */
/*
 * private.h - a followed process.
 *
 * What is granted and what is invalidated takes turns under `lock`, which is taken
 * inside stop() and go(), never around them. Accesses do not take it, so that under it
 * may be waited for them.
 */
#ifndef UIM_HOSTS_PROCESS_PRIVATE_H
#define UIM_HOSTS_PROCESS_PRIVATE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "hosts/process/process.h"

struct process {
    const struct process_ops *ops;
    void *ctx;
    pid_t pid, tid; /* of the agent: tid is used, as exec() ends it          */
    size_t page;
    int socket, uffd, life, maps, pagemap;
    int wake;       /* readable: there is something to do, or somebody closes */
    void *nowhere;  /* a page that nothing can be read from                  */

    pthread_mutex_t lock;
    uint64_t changes;  /* events that were read; under the lock              */
    bool ended;        /* under the lock                                     */
    bool put_off;      /* only for steps: something is to be said again      */
    bool over;         /* only for steps: ended, and there is nothing such   */
    atomic_bool dead;  /* no such thread any more                            */

    pthread_mutex_t owing; /* these two: what the next step is to invalidate */
    uint64_t owed_first, owed_last; /* none: first > last                    */

    pthread_t follower;
    bool followed;
    atomic_bool closing;
};

/* Makes process_step() look. */
void process_wake(struct process *p);

/* Nothing is to be invalidated by the next step. */
void process_owe_nothing(struct process *p);

/* All translations end, and it is told if `exited`. False: to be done again. */
bool process_end(struct process *p, bool exited);

#endif
