/* SPDX-License-Identifier: MIT */
/*
 * stories.h - scenarios of `uiommu run`, on machines by name, and on simulated ones that do
 * something wrong.
 */
#ifndef UIM_TESTS_SCENARIO_STORIES_H
#define UIM_TESTS_SCENARIO_STORIES_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hosts/sim/sim.h"
#include "tools/machines.h"
#include "tools/scenario.h"

struct story {
    unsigned steps, failed;
    char last_failed[128];
    char first[640], last[640]; /* details */
};

/* A scenario_fn; ctx is a struct story. */
void tell(void *ctx, const struct scenario_step *step);

/* It is told, and all of so many promises are kept. */
struct story told(const char *machine, const char *mode, const char *scenario,
                  unsigned steps);

/* A simulated machine with operations replaced; the real one's, for those that are not. */
struct doctored {
    struct machine machine; /* what the story sees */
    struct machine *real;
};

struct doctored *doctored_of(struct machine *m);
extern const struct machine_ops real_ops;

/* In that mode of the simulated VT-d: the last promise that was not kept. */
void must_notice_with(const char *mode, const char *name,
                      const struct machine_ops *ops, const char *promise);

#endif
