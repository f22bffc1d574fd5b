/* SPDX-License-Identifier: MIT */
/*
 * rows.h - what is measured, against which limit, and what is to be reached.
 */
#ifndef UIM_BENCH_ROWS_H
#define UIM_BENCH_ROWS_H

#include "bench/domain.h"
#include "bench/measure.h"

struct bench_case; /* a row on a format: what its functions work on */

struct bench_row {
    const char *name;
    const char *per;   /* unit of work                                       */
    const char *limit; /* of bench_limits, or "one_thread"                   */
    double goal_ratio;
    unsigned repeat;   /* pieces of work in a sample                         */
    /* On a fresh domain, once. False: it failed. */
    bool (*prepare)(struct bench_case *c);
    bool (*before)(struct bench_case *c);
    uint64_t (*timed)(struct bench_case *c);
    bool (*after)(struct bench_case *c);
    /* Instead of these: measures by itself, and its own limit. */
    bool (*whole)(struct bench_case *c, unsigned runs, struct bench_figure *out,
                  double *limit_ns);
    /* With `whole`, of what is no page table: what to call it. No domain is made. */
    const char *format;
    /* NULL: always. False: not on this system, for the reason in why[size]. */
    bool (*possible)(char *why, size_t size);
};

struct bench_case {
    const struct bench_row *row;
    struct bench_domain d;
    uint64_t base;  /* iova                                                  */
    uint64_t iova;  /* where a chain of walks has come to                    */
    uint64_t *page; /* iovas, of a sparse space                              */
    uint64_t random;
};

/* End with a NULL name. */
extern const struct bench_row bench_rows[];
extern const struct bench_row bench_thread_rows[];
extern const struct bench_row bench_process_rows[];

/* Measures the row on a fresh domain of the format, which may be the row's own. False:
 * `error` says why. */
bool bench_row_measure(const struct bench_row *row, const char *format,
                       unsigned runs, struct bench_figure *out,
                       double *limit_ns, char *error, size_t size);

#endif
