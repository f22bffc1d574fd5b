/* SPDX-License-Identifier: MIT */
/*
 * limits.h - what this machine can do at best: every other figure is a ratio to
 * one of these, measured in the same run.
 */
#ifndef UIM_BENCH_LIMITS_H
#define UIM_BENCH_LIMITS_H

struct bench_limit {
    const char *name;
    const char *what;
    double (*measure)(unsigned runs); /* ns; 0: no memory                    */
};

/* Ends with a NULL name. */
extern const struct bench_limit bench_limits[];

/* NULL: no such limit. */
const struct bench_limit *bench_limit_find(const char *name);

#endif
