/* SPDX-License-Identifier: MIT */
/*
 * measure.h - how long something takes.
 *
 * A sample repeats a short piece of work until the clock's own cost and its
 * resolution do not matter; the median of several samples is the figure, and
 * the fastest shows how quiet the machine was.
 */
#ifndef UIM_BENCH_MEASURE_H
#define UIM_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_MAX_RUNS = 101 };

struct bench_figure {
    double ns, min_ns; /* per unit: median and fastest                       */
    unsigned runs;
    uint64_t units;    /* of work that was done in all, with the warm-up     */
};

struct bench_work {
    /* Not timed, around each timed piece; may be NULL. False: it failed. */
    bool (*before)(void *ctx);
    bool (*after)(void *ctx);
    /* Returns how many units of work it did; 0: it failed. */
    uint64_t (*timed)(void *ctx);
    void *ctx;
};

double bench_now_ns(void);

/* `runs` samples of `repeat` pieces each. False: the work failed. */
bool bench_measure(const struct bench_work *work, unsigned runs,
                   unsigned repeat, struct bench_figure *out);

/* The same from samples that somebody else took. */
void bench_summarize(double *samples, unsigned runs, struct bench_figure *out);

/* Each of [0, n) once, in one cycle: next[i] is where i leads. */
void bench_cycle(uint32_t *next, uint32_t n, uint64_t seed);

uint64_t bench_random(uint64_t *state);

/* So that what was computed counts as used. */
extern volatile uint64_t bench_sink;

#endif
