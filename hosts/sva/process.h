/* SPDX-License-Identifier: MIT */
/*
 * process.h - a real Linux process (hosts/process) as the provider of an address space
 * for devices of a simulated machine (hosts/sim). Their page requests and stalls are the
 * process's page faults, and what they read and write is read and written in the process,
 * if it may do that itself at that moment.
 *
 * Each page that was granted has a *frame*: a page of physical addresses that are no RAM
 * of the machine, to which units translate, and whose accesses come here. A frame
 * becomes another page's once no unit and no device has a translation that leads to it.
 * docs/process.md says what is promised.
 *
 * Instruction fetches are refused: Linux does not say for others what may be executed.
 */
#ifndef UIM_HOSTS_SVA_PROCESS_H
#define UIM_HOSTS_SVA_PROCESS_H

#include <uiommu/uiommu.h>

#include "hosts/machine.h"
#include "hosts/process/process.h"

struct sva_process;

struct sva_process_counts {
    uint64_t faults;  /* that were asked for                                 */
    uint64_t grants;  /* translations                                        */
    uint64_t stale;   /* accesses to frames of nobody: 0, or uiommu is wrong */
    unsigned frames;  /* of somebody now                                     */
    unsigned lost;    /* for good: an invalidation was not confirmed         */
};

/**
 * Follow the process whose agent holds the other end of `socket`, with a thread, as
 * process_open() and process_follow(). At most `frames` pages are granted at a time, 0:
 * as many as is usual; beyond, others are taken back. False: a sentence in error[size].
 * The socket is not the caller's any more. `m` is a simulated machine that `u` runs on.
 */
bool sva_process_open(struct machine *m, struct uiommu *u, int socket,
                      unsigned frames, struct sva_process **out, char *error,
                      size_t size);

/** Nothing is bound to it and no domain of it is left. Accepts NULL. */
void sva_process_close(struct sva_process *s);

/** For uiommu_sva_bind(). Not counted: it lives until sva_process_close(). */
struct uiommu_provider *sva_process_provider(struct sva_process *s);

struct sva_process_counts sva_process_counts(struct sva_process *s);
/** The process exited, or runs another program. */
bool sva_process_gone(struct sva_process *s);

#endif
