/* SPDX-License-Identifier: MIT */
#include "bench/measure.h"

#include <stdlib.h>
#include <time.h>

volatile uint64_t bench_sink;

double bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void bench_summarize(double *samples, unsigned runs, struct bench_figure *out)
{
    qsort(samples, runs, sizeof(*samples), compare);
    out->ns = samples[runs / 2];
    out->min_ns = samples[0];
    out->runs = runs;
}

static bool one_sample(const struct bench_work *work, unsigned repeat,
                       double *sample, uint64_t *all_units)
{
    double ns = 0;
    uint64_t units = 0;

    for (unsigned i = 0; i < repeat; i++) {
        double start;
        uint64_t done;

        if (work->before && !work->before(work->ctx))
            return false;
        start = bench_now_ns();
        done = work->timed(work->ctx);
        ns += bench_now_ns() - start;
        if (done == 0 || (work->after && !work->after(work->ctx)))
            return false;
        units += done;
    }
    *sample = ns / (double)units;
    *all_units += units;
    return true;
}

bool bench_measure(const struct bench_work *work, unsigned runs,
                   unsigned repeat, struct bench_figure *out)
{
    double samples[BENCH_MAX_RUNS];

    *out = (struct bench_figure){ 0 };
    for (unsigned i = 0; i < runs; i++)
        if (!one_sample(work, repeat, &samples[i], &out->units))
            return false;
    bench_summarize(samples, runs, out);
    return true;
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Sattolo's algorithm. */
void bench_cycle(uint32_t *next, uint32_t n, uint64_t seed)
{
    for (uint32_t i = 0; i < n; i++)
        next[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t j = (uint32_t)(bench_random(&seed) % i);
        uint32_t t = next[i];

        next[i] = next[j];
        next[j] = t;
    }
}
