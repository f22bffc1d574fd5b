/* SPDX-License-Identifier: MIT */
/*
 * programs.h - small programs for two CPUs, with what each may rely on when its
 * call returned, and what is so when both are done. The scheduler runs them in
 * every order (schedule_test), real threads as they come (parallel_test).
 */
#ifndef UIM_TESTS_INTERLEAVE_PROGRAMS_H
#define UIM_TESTS_INTERLEAVE_PROGRAMS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "tests/rig/rig.h"

/* One run. CPUs write to `wrong` and never assert. */
struct trial {
    struct rig *rig;
    struct uiommu_domain *d, *e; /* engine 0 sees d, engine 1 e, or as before()
                                  * arranges                                 */
    uint64_t page;               /* 2 MiB of memory                          */
    uint64_t base;               /* tables below it are this run's own       */
    _Atomic bool gone;           /* unmap returned                           */
    _Atomic unsigned heard; /* faults, by the handler of d                  */
    unsigned faults;        /* of the rig, before                            */
    char wrong[200];             /* "": nothing                              */
};

struct program {
    const char *name;
    void (*before)(struct trial *t);
    void (*cpu[2])(void *ctx);
    void (*after)(struct trial *t);
    bool ats; /* on a machine with device TLBs */
};

extern const struct program programs[]; /* ends with a NULL name */

/* Both domains, seen and empty; and away with them. */
void trial_open(struct trial *t, struct rig *rig);
void trial_next(struct trial *t);
void trial_close(struct trial *t);
/* Forgets stale uses; a violation is wrong. */
void trial_forget(struct trial *t);

#endif
