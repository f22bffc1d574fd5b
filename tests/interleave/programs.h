/* SPDX-License-Identifier: MIT */
/*
 * programs.h - small programs for two or three CPUs, with what each may rely on when
 * its call returned, and what is so when all are done. The scheduler runs them in
 * many orders (schedule_test), real threads as they come (parallel_test).
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

/* What a program needs of its machine. */
enum on {
    ON_ANY,
    ON_ATS,       /* device TLBs                                             */
    ON_PASIDS,    /* device TLBs, PASIDs, page requests                      */
    ON_BUDGET,    /* devices that fault too often are shut off               */
    ON_DOORBELLS, /* a unit that translates interrupt messages               */
    ONS
};

struct program {
    const char *name;
    void (*before)(struct trial *t);
    void (*cpu[3])(void *ctx); /* the last may be NULL */
    void (*after)(struct trial *t);
    enum on on;
};

extern const struct program programs[]; /* ends with a NULL name */
extern const struct program device_programs[];

/* The next on such a machine, of both; `p` NULL: the first. NULL: no more. */
const struct program *program_after(const struct program *p, enum on on);
unsigned program_cpus(const struct program *p);

/* For RIG_TEST_ON: a machine as ON_... says; why there is none. */
bool prepare_on(struct rig *rig, enum on on, const char **why);

/* Both domains, seen and empty; and away with them. */
void trial_open(struct trial *t, struct rig *rig);
void trial_next(struct trial *t);
void trial_close(struct trial *t);
/* What is wrong is said once. */
void say(struct trial *t, const char *format, ...);
void expect_ok(struct trial *t, enum uiommu_status status, const char *call);
/* Forgets stale uses; a violation is wrong. */
void trial_forget(struct trial *t);

#endif
