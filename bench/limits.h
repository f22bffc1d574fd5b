/* SPDX-License-Identifier: MIT */
/*
 * limits.h - what this machine can do at best: every other figure is a ratio to
 * one of these, measured in the same run.
 */
#ifndef UIM_BENCH_LIMITS_H
#define UIM_BENCH_LIMITS_H

#include <stdbool.h>

struct bench_limit {
    const char *name;
    const char *what;
    double ns;
    bool measured;
};

/* Ends with a NULL name. Figures are 0 until bench_limit_measure(). */
extern struct bench_limit bench_limits[];

/* Measures it unless that was done. NULL: no such limit, or no memory. */
const struct bench_limit *bench_limit_measure(const char *name, unsigned runs);

#endif
