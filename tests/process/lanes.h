/* SPDX-License-Identifier: MIT */
/*
 * lanes.h - addresses that a process uses again and again, while a device writes to them
 * as fast as it can, through translations that it keeps as long as it may.
 *
 * In each round the process maps a page, the device faults once and writes the number
 * of the round, over and over, until its translation is gone; meanwhile the process
 * takes the page away, maps something else at the address, and looks whether that
 * number turns up there. An access is stale if it does: it went through a translation
 * of what is not there any more. Nothing that the process or the device does afterwards
 * hides one.
 *
 * UIOMMU_ROUNDS=n: n times as many. UIOMMU_SHARE=n: every nth.
 */
#ifndef UIM_TESTS_PROCESS_LANES_H
#define UIM_TESTS_PROCESS_LANES_H

#include "tests/process/child.h"

enum { LANES = 2 };

/* Called by a thread for each lane. */
struct lanes_device {
    /* A translation to write with is there. False: there is none to have. */
    bool (*fault)(void *ctx, unsigned lane, uint64_t va);
    /* 4 bytes, without a fault. */
    bool (*write)(void *ctx, unsigned lane, uint64_t va, uint32_t value);
};

/* Before the fork: the first lane has so many rounds. */
void lanes_open(unsigned rounds);
/* The process: a child_fn. */
void lanes_process(struct shared *s);
void lanes_run(struct stand *s, const struct lanes_device *device, void *ctx);
/* All rounds of the first lane were run; how many were stale. */
unsigned lanes_close(void);

/*
 * One round, step by step, for devices that break the rules: a child_fn. What takes the
 * place of the page is followed, so that nothing but the rules is in the way.
 *
 * 1: s->at is the page, and the one behind the next is to take its place: both are for
 * the device to write to. 2: that has happened. 3: n[1] says whether the page had been
 * written to since. n[2]: the process's id, if lanes_reused() is to be asked.
 */
void lanes_reuse_once(struct shared *s);
/* Waits until the page is in its place; before munmap() has returned to the process. */
bool lanes_reused(unsigned pid, uint64_t at);

#endif
