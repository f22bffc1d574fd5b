/* SPDX-License-Identifier: MIT */
#include "bench/limits.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/measure.h"

enum {
    LINE = 64,
    PAGE = 4096,
    HUGE = 2 << 20,
    ENTRIES = 512,
    CHASE = 20000,  /* loads in a row                                        */
    WALKS = 5000,
    NESTED = 24,    /* loads of a two-stage walk of 4 levels each            */
    GIB_TABLES = 512, /* of leaves, for 1 GiB                                */
};

/* ---- dependent loads ----------------------------------------------------- */

/* One pointer a line, in one cycle over `size` bytes. */
struct chase {
    size_t size;
    unsigned loads;
    void **start;
};

static void **make_chase(size_t size)
{
    uint32_t n = (uint32_t)(size / LINE);
    uint32_t *next = malloc(n * sizeof(*next));
    char *memory = aligned_alloc(HUGE, (size + HUGE - 1) / HUGE * HUGE);

    if (memory) /* the cache's latency, not the TLB's */
        (void)madvise(memory, size, MADV_HUGEPAGE);
    if (next && memory) {
        bench_cycle(next, n, 88172645463325252u);
        for (uint32_t i = 0; i < n; i++)
            *(void **)(void *)(memory + (size_t)i * LINE) =
                memory + (size_t)next[i] * LINE;
    }
    free(next);
    return (void **)(void *)memory;
}

static uint64_t timed_chase(void *ctx)
{
    struct chase *c = ctx;
    void **p = c->start;

    for (unsigned i = 0; i < c->loads; i += 4) {
        p = *p;
        p = *p;
        p = *p;
        p = *p;
    }
    c->start = p;
    return c->loads;
}

static double measure_chase(size_t size, unsigned runs)
{
    struct chase c = { .size = size, .loads = CHASE };
    struct bench_work work = { .timed = timed_chase, .ctx = &c };
    void **memory = make_chase(size);
    struct bench_figure figure;
    unsigned warm = (unsigned)(size / LINE / CHASE) + 1;

    if (!memory)
        return 0;
    c.start = memory;
    for (unsigned i = 0; i < warm && i < 60; i++)
        (void)timed_chase(&c);
    (void)bench_measure(&work, runs, 4, &figure);
    free(memory);
    return figure.ns;
}

/* ---- walks --------------------------------------------------------------- */

/*
 * Tables of 4 levels for 1 GiB. An entry is just the address of the next table,
 * and one of the last level leads back to the root: so each walk waits for the
 * one before, and nothing else is done than 4 loads whose index comes from an
 * address. No walk can be faster.
 */
struct walks {
    uint64_t *table[3 + GIB_TABLES];
    uint64_t mask; /* of the addresses that are walked                       */
    uint64_t random;
};

static bool make_walks(struct walks *w)
{
    memset(w, 0, sizeof(*w));
    for (unsigned i = 0; i < 3 + GIB_TABLES; i++) {
        w->table[i] = aligned_alloc(PAGE, PAGE);
        if (!w->table[i])
            return false;
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        w->table[0][i] = (uintptr_t)w->table[1];
        w->table[1][i] = (uintptr_t)w->table[2];
        w->table[2][i] = (uintptr_t)w->table[3 + i];
        for (unsigned t = 0; t < GIB_TABLES; t++)
            w->table[3 + t][i] = (uintptr_t)w->table[0];
    }
    return true;
}

static void free_walks(struct walks *w)
{
    for (unsigned i = 0; i < 3 + GIB_TABLES; i++)
        free(w->table[i]);
}

static inline const uint64_t *step(const uint64_t *table, uint64_t iova,
                                   unsigned shift)
{
    return (const uint64_t *)(uintptr_t)table[iova >> shift & (ENTRIES - 1)];
}

static uint64_t timed_walks(void *ctx)
{
    struct walks *w = ctx;
    const uint64_t *table = w->table[0];

    for (unsigned i = 0; i < WALKS; i++) {
        uint64_t iova = bench_random(&w->random) & w->mask;

        table = step(table, iova, 39);
        table = step(table, iova, 30);
        table = step(table, iova, 21);
        table = step(table, iova, 12);
    }
    bench_sink = (uintptr_t)table;
    return WALKS;
}

/* 24 loads, indices from an address as above. */
static uint64_t timed_nested(void *ctx)
{
    struct walks *w = ctx;
    const uint64_t *table = w->table[0];

    for (unsigned i = 0; i < WALKS; i++) {
        uint64_t iova = bench_random(&w->random) & w->mask;

        for (unsigned stage = 0; stage < NESTED / 4; stage++) {
            table = step(table, iova, 39);
            table = step(table, iova, 30);
            table = step(table, iova, 21);
            table = step(table, iova, 12);
        }
    }
    bench_sink = (uintptr_t)table;
    return WALKS;
}

static double measure_walks(uint64_t (*timed)(void *), uint64_t mask,
                            unsigned runs)
{
    struct walks w;
    struct bench_work work = { .timed = timed, .ctx = &w };
    struct bench_figure figure = { 0 };

    if (make_walks(&w)) {
        w.mask = mask;
        w.random = 88172645463325252u;
        (void)timed(&w);
        (void)bench_measure(&work, runs, 4, &figure);
    }
    free_walks(&w);
    return figure.ns;
}

/* ---- single instructions ------------------------------------------------- */

enum { STREAM = 64 * 1024, OPS = 10000 };

static uint64_t timed_stores(void *ctx)
{
    _Atomic uint64_t *at = ctx;
    uint64_t v = bench_sink;

    for (unsigned i = 0; i < STREAM / 8; i += 8, v += 8) {
        atomic_store_explicit(at + i, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 1, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 2, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 3, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 4, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 5, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 6, v, memory_order_relaxed);
        atomic_store_explicit(at + i + 7, v, memory_order_relaxed);
    }
    return STREAM / 8;
}

static uint64_t timed_cmpxchg(void *ctx)
{
    _Atomic uint64_t *at = ctx;

    for (uint64_t i = 0; i < OPS; i++) {
        uint64_t expect = i;

        (void)atomic_compare_exchange_strong(at, &expect, i + 1);
    }
    atomic_store(at, 0);
    return OPS;
}

static uint64_t timed_fence(void *ctx)
{
    _Atomic uint64_t *at = ctx;

    for (uint64_t i = 0; i < OPS; i++) {
        atomic_store_explicit(at, i, memory_order_relaxed);
#if defined(__x86_64__)
        __builtin_ia32_mfence();
#else
        atomic_thread_fence(memory_order_seq_cst);
#endif
    }
    return OPS;
}

static uint64_t timed_clock(void *ctx)
{
    double last = 0;

    (void)ctx;
    for (unsigned i = 0; i < OPS; i++)
        last = bench_now_ns();
    bench_sink = (uint64_t)last;
    return OPS;
}

static double measure_simple(uint64_t (*timed)(void *), unsigned runs)
{
    void *memory = aligned_alloc(PAGE, STREAM);
    struct bench_work work = { .timed = timed, .ctx = memory };
    struct bench_figure figure = { 0 };

    if (memory) {
        memset(memory, 0, STREAM);
        (void)bench_measure(&work, runs, 4, &figure);
    }
    free(memory);
    return figure.ns;
}

/* ---- all of them --------------------------------------------------------- */

static double store_stream(unsigned runs)
{
    return measure_simple(timed_stores, runs);
}

static double load_l1(unsigned runs)
{
    return measure_chase(16 << 10, runs);
}

static double load_l2(unsigned runs)
{
    return measure_chase(256 << 10, runs);
}

static double load_l3(unsigned runs)
{
    return measure_chase(6 << 20, runs);
}

static double load_dram(unsigned runs)
{
    return measure_chase(256 << 20, runs);
}

/* One leaf table, and of it few lines. */
static double walk_l1(unsigned runs)
{
    return measure_walks(timed_walks, 0xff000, runs);
}

static double walk_l3(unsigned runs)
{
    return measure_walks(timed_walks, 0x3ffff000, runs);
}

static double walk_nested_l1(unsigned runs)
{
    return measure_walks(timed_nested, 0xff000, runs);
}

static double cmpxchg(unsigned runs)
{
    return measure_simple(timed_cmpxchg, runs);
}

static double fence(unsigned runs)
{
    return measure_simple(timed_fence, runs);
}

static double clock_read(unsigned runs)
{
    return measure_simple(timed_clock, runs);
}

const struct bench_limit bench_limits[] = {
    { "store_stream", "one of many 8-byte stores in a row, 64 KiB",
      store_stream },
    { "load_l1", "dependent load, 16 KiB", load_l1 },
    { "load_l2", "dependent load, 256 KiB", load_l2 },
    { "load_l3", "dependent load, 6 MiB", load_l3 },
    { "load_dram", "dependent load, 256 MiB", load_dram },
    { "walk_l1", "4 dependent loads, indexed, in L1", walk_l1 },
    { "walk_l3", "4 dependent loads, indexed, the last in L3", walk_l3 },
    { "walk_nested_l1", "24 dependent loads, indexed, in L1", walk_nested_l1 },
    { "cmpxchg", "compare-exchange that nobody else wants", cmpxchg },
    { "fence", "store and full fence", fence },
    { "clock", "reading the clock", clock_read },
    { NULL, NULL, NULL },
};

const struct bench_limit *bench_limit_find(const char *name)
{
    for (const struct bench_limit *limit = bench_limits; limit->name; limit++)
        if (strcmp(limit->name, name) == 0)
            return limit;
    return NULL;
}
