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
    bool
        at_once; /* CPUs run side by side: a device may be in the midst of asking */
    char wrong[200];             /* "": nothing                              */
};

/* What a program needs of its machine. */
enum on {
    ON_ANY,
    ON_ATS,       /* device TLBs                                             */
    ON_PASIDS,    /* device TLBs, PASIDs, page requests                      */
    ON_BUDGET,    /* devices that fault too often are shut off               */
    ON_DOORBELLS, /* a unit that translates interrupt messages               */
    ON_TWO,       /* a group of two members that have PASIDs                 */
    ON_VIRTUAL,   /* engine 1 is a virtual function of engine 0              */
};

struct program {
    const char *name;
    void (*before)(struct trial *t);
    void (*cpu[3])(void *ctx); /* the last may be NULL */
    void (*after)(struct trial *t);
    enum on on;
};

/* By what they are about; each list ends with a NULL name. */
extern const struct program programs[], device_programs[], part_programs[],
    space_programs[];

unsigned program_cpus(const struct program *p);

/* Each program of a list is a test of its name: how many. `run` asks which it is. */
enum { PROGRAMS = 100 };
unsigned program_tests(struct rig_test *tests, const struct program *list,
                       void (*run)(struct rig *rig),
                       bool (*prepare)(struct rig *rig, const char **why));
const struct program *program_of(const struct rig *rig);
/* A machine as the program wants it; why there is none. */
bool prepare_program(struct rig *rig, const char **why);

/* The machine, with both domains, seen and empty; and away with them. */
void trial_up(struct trial *t, struct rig *rig);
void trial_down(struct trial *t);
void trial_next(struct trial *t);
/* What is wrong is said once. */
void say(struct trial *t, const char *format, ...);
void expect_ok(struct trial *t, enum uiommu_status status, const char *call);
/* Forgets stale uses; a violation is wrong. */
void trial_forget(struct trial *t);

/* ---- steps that programs share ------------------------------------------- */

#define AT (2 * (uint64_t)RIG_PAGE) /* of a page, from a run's base */

/* The nth of its pages, which says so itself: see fetch(). */
static inline uint64_t page_of(const struct trial *t, unsigned n)
{
    return t->page + n * (uint64_t)RIG_PAGE;
}

/* Engine n sees nothing. */
void leave(struct trial *t, unsigned n);
void sees(struct trial *t, struct uiommu_endpoint *ep, struct uiommu_domain *d);
/* Page n at AT. */
void page_in(struct trial *t, struct uiommu_domain *d, unsigned n);
/* Would the unit let engine n write to AT? */
bool reached(struct trial *t, unsigned n, uint32_t number);
/* Which page engine n reads from: DMA, with whatever its device has cached. */
uint64_t fetch(struct trial *t, unsigned n, uint32_t number, uint64_t iova);

#endif
