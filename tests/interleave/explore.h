/* SPDX-License-Identifier: MIT */
/*
 * explore.h - programs in many orders, with stores that arrive late.
 *
 *     UIOMMU_SCHEDULE=...  only that schedule, as a failure printed it
 *     UIOMMU_ROUNDS=n      n times as many
 *     UIOMMU_SEED=n        others than usual where they are drawn
 */
#ifndef UIM_TESTS_INTERLEAVE_EXPLORE_H
#define UIM_TESTS_INTERLEAVE_EXPLORE_H

#include "tests/interleave/programs.h"
#include "tests/interleave/sched.h"

extern unsigned long executions; /* so far */

/* The machine, with the scheduler in between, and the trial's domains; for tests that
 * begin cold. */
void bring_up(struct rig *rig, struct trial *t);
void take_down(struct trial *t);

/* One run. NULL: nothing was wrong. */
const char *execute(struct trial *t, const struct program *p,
                    const struct sched_plan *plan, unsigned *points);
/* These fail the test. Each place for one switch, if there are not too many; and that
 * with all kinds of store buffers, and several switches, of the program that the test is
 * named after. */
void one_switch(struct trial *t, const struct program *p,
                struct sched_plan plan, unsigned rounds);
void explore(struct rig *rig);

/* Can stores be seen? And is it a machine for the program? */
bool hooked(struct rig *rig, const char **why);
bool hooked_program(struct rig *rig, const char **why);
/* For those that are about marks, lists and locks. */
bool hooked_once(struct rig *rig, const char **why);

#endif
