/* SPDX-License-Identifier: MIT */
/*
 * child.h - a real process for devices (hosts/process), which maps and unmaps on command;
 * and what it takes without them: the limits.
 */
#ifndef UIM_BENCH_CHILD_H
#define UIM_BENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BENCH_PROCESS_PAGES = 256 }; /* that it maps and unmaps, one by one    */

enum bench_command { BENCH_READY, BENCH_MAP, BENCH_UNMAP };

struct bench_desk;

struct bench_process {
    struct bench_desk *desk;
    pid_t pid;
    size_t page;
};

/** With an agent, at the other end of *socket. What failed is to be closed as well. */
bool bench_process_open(struct bench_process *p, int *socket);
void bench_process_kill(struct bench_process *p);
void bench_process_close(struct bench_process *p);
/** False: the process has ended. */
bool bench_process_order(struct bench_process *p, enum bench_command command);
/** Of the last MAP: where. Of the last UNMAP: what one took. */
uint64_t bench_process_at(const struct bench_process *p);
double bench_process_unmap_ns(const struct bench_process *p);

/** The first touch of a page by its own process. */
bool bench_touch_own(const struct bench_process *p, double *ns);
/** The bare system call, of what is mapped. */
bool bench_vm_write(const struct bench_process *p, unsigned n, size_t bytes,
                    double *ns);

#endif
