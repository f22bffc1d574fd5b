/* SPDX-License-Identifier: MIT */
/*
 * threads.c - two threads in one domain, on ranges that have nothing in common,
 * against one of them alone. In the second row their tables lie in turn: frames
 * of one next to frames of the other.
 */
#include "bench/rows.h"

#include <pthread.h>
#include <stdatomic.h>

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

enum {
    THREADS = 2,
    RW = UIOMMU_READ | UIOMMU_WRITE,
    SLOTS = 32,   /* tables of each thread                                   */
    LEAVES = 64,  /* in each call                                            */
    ROUNDS = 60,
};

struct worker {
    pthread_t thread;
    struct bench_case *c;
    uint64_t start, stride;  /* iova of its slots                            */
    atomic_uint *ready;
    unsigned others;         /* to wait for                                  */
    double ns;               /* per leaf and call                            */
    bool ok;
};

static bool map_and_unmap(struct worker *w, unsigned slot)
{
    struct uiommu_domain *domain = w->c->d.domain;
    uint64_t iova = w->start + w->stride * slot + 8 * w->c->d.page;
    uint64_t size = LEAVES * w->c->d.page;

    return uiommu_map(domain, iova, MIB(16), size, RW) == UIOMMU_OK &&
           uiommu_unmap(domain, iova, size, NULL) == UIOMMU_OK;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    double start;

    w->ok = true;
    atomic_fetch_add(w->ready, 1);
    while (atomic_load(w->ready) < w->others)
        continue;
    start = bench_now_ns();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned slot = 0; slot < SLOTS; slot++)
            w->ok = map_and_unmap(w, slot) && w->ok;
    w->ns = (bench_now_ns() - start) / ((double)ROUNDS * SLOTS * LEAVES);
    return NULL;
}

/* `n` of the workers at a time; the mean of their times. */
static bool run(struct worker *workers, unsigned n, double *ns)
{
    atomic_uint ready = 0;
    double sum = 0;
    bool ok = true;

    for (unsigned i = 0; i < n; i++) {
        workers[i].ready = &ready;
        workers[i].others = n;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return false;
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(workers[i].thread, NULL);
        ok = ok && workers[i].ok;
        sum += workers[i].ns;
    }
    *ns = sum / n;
    return ok;
}

/* A page in each slot makes its table, in the order of the slots. */
static bool make_tables(struct worker *w, unsigned slot)
{
    return uiommu_map(w->c->d.domain, w->start + w->stride * slot, MIB(16),
                      w->c->d.page, RW) == UIOMMU_OK;
}

static bool prepare_apart(struct worker *workers)
{
    const uint64_t large = workers[0].c->d.large;
    const uint64_t apart = SLOTS * large > GIB(1) ? SLOTS * large : GIB(1);

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].start = GIB(1) + apart * i;
        workers[i].stride = large;
        for (unsigned slot = 0; slot < SLOTS; slot++)
            if (!make_tables(&workers[i], slot))
                return false;
    }
    return true;
}

static bool prepare_interleaved(struct worker *workers)
{
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].start = GIB(1) + workers[i].c->d.large * i;
        workers[i].stride = workers[i].c->d.large * THREADS;
    }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        for (unsigned i = 0; i < THREADS; i++)
            if (!make_tables(&workers[i], slot))
                return false;
    return true;
}

static bool measure(struct bench_case *c, unsigned runs,
                    bool (*prepare)(struct worker *), struct bench_figure *out,
                    double *limit_ns)
{
    struct worker workers[THREADS] = { { .c = c }, { .c = c } };
    double one[BENCH_MAX_RUNS], two[BENCH_MAX_RUNS];
    struct bench_figure alone = { 0 };

    *out = alone;
    if (!prepare(workers))
        return false;
    for (unsigned i = 0; i < runs; i++)
        if (!run(workers, 1, &one[i]) || !run(workers, THREADS, &two[i]))
            return false;
    bench_summarize(one, runs, &alone);
    bench_summarize(two, runs, out);
    out->units = (uint64_t)runs * THREADS * ROUNDS * SLOTS * LEAVES;
    *limit_ns = alone.ns;
    return true;
}

static bool two_threads(struct bench_case *c, unsigned runs,
                        struct bench_figure *out, double *limit_ns)
{
    return measure(c, runs, prepare_apart, out, limit_ns);
}

static bool two_threads_interleaved(struct bench_case *c, unsigned runs,
                                    struct bench_figure *out, double *limit_ns)
{
    return measure(c, runs, prepare_interleaved, out, limit_ns);
}

const struct bench_row bench_thread_rows[] = {
    { .name = "two_threads",
      .per = "leaf",
      .limit = "one_thread",
      .goal_ratio = 1.0,
      .whole = two_threads },
    { .name = "two_threads_interleaved",
      .per = "leaf",
      .limit = "one_thread",
      .goal_ratio = 1.0,
      .whole = two_threads_interleaved },
    { .name = NULL },
};
