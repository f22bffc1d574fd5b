/* SPDX-License-Identifier: MIT */
/*
 * agent.h - what a process does so that devices can use its address space: one call.
 * It costs a thread that sleeps, and a userfaultfd of events without page faults, so
 * none of the process's own accesses waits for anybody. Its calls that unmap wait
 * until whoever follows has taken notice; if nobody follows any more they do not.
 *
 * Children of the process do not take part, nor does the next program it executes.
 */
#ifndef UIM_HOSTS_PROCESS_AGENT_H
#define UIM_HOSTS_PROCESS_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * Offer this address space to whoever holds the other end of `socket` (process.h),
 * which belongs to the agent from here on; that end is told what is in the way, if
 * anything is. No other thread may fork meanwhile. False: no agent, and a sentence in
 * error[size].
 */
bool process_agent_start(int socket, char *error, size_t size);

/* ---- between the two ------------------------------------------------------- */

enum { PROCESS_AGENT_MAGIC = 0x70616775 };

/* With the userfaultfd, unless `error` says why there is none. */
struct process_hello {
    uint32_t magic;
    int32_t tid; /* of the agent: a thread that no exec survives             */
    char error[120];
};

#endif
