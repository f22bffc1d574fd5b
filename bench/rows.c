/* SPDX-License-Identifier: MIT */
/*
 * rows.c - page tables through the public API. The names of rows are those of 4 KiB
 * pages; other formats have their smallest leaf and the next larger one instead.
 * Tables are there beforehand and stay: what a cold table costs is the host's page
 * allocator, not uiommu.
 *
 * The functions named timed_* are what is timed, so that a profiler can be told
 * to look at nothing else (bench/instructions.sh).
 */
#include "bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

enum {
    RW = UIOMMU_READ | UIOMMU_WRITE,
    SINGLES = 4000,    /* calls of one page, in 8 tables                     */
    TABLES = 16,       /* that a bulk piece goes through                     */
    BULK = 510,        /* leaves a call: all but two of a table of 512       */
    BLOCKS = 510,      /* calls of one large leaf                            */
    WALKS = 5000,
    SPARSE = 4096,     /* tables                                             */
    PAIRS = 4096,
};

#define PHYS MIB(16) /* below 2^30, and calls are not aligned to it */

static bool map(struct bench_case *c, uint64_t iova, uint64_t phys,
                uint64_t size)
{
    return uiommu_map(c->d.domain, iova, phys, size, RW) == UIOMMU_OK;
}

static bool unmap(struct bench_case *c, uint64_t iova, uint64_t size)
{
    return uiommu_unmap(c->d.domain, iova, size, NULL) == UIOMMU_OK;
}

/* ---- one page a call ----------------------------------------------------- */

/* The pages that are timed, and one in each table that stays. */
static uint64_t single(const struct bench_case *c, unsigned i)
{
    return c->base + c->d.large * (i / 500) + c->d.page * (i % 500 + 1);
}

static bool prepare_tables(struct bench_case *c)
{
    for (unsigned i = 0; i < TABLES; i++)
        if (!map(c, c->base + c->d.large * i, PHYS, c->d.page))
            return false;
    return true;
}

static uint64_t timed_map_single_4k(struct bench_case *c)
{
    struct uiommu_domain *domain = c->d.domain;
    unsigned failed = 0;

    for (unsigned i = 0; i < SINGLES; i++)
        failed += uiommu_map(domain, single(c, i), PHYS + c->d.page * i,
                             c->d.page, RW) != UIOMMU_OK;
    return failed ? 0 : SINGLES;
}

static uint64_t timed_unmap_single_4k(struct bench_case *c)
{
    struct uiommu_domain *domain = c->d.domain;
    unsigned failed = 0;

    for (unsigned i = 0; i < SINGLES; i++)
        failed +=
            uiommu_unmap(domain, single(c, i), c->d.page, NULL) != UIOMMU_OK;
    return failed ? 0 : SINGLES;
}

static bool map_singles(struct bench_case *c)
{
    return timed_map_single_4k(c) > 0;
}

static bool unmap_singles(struct bench_case *c)
{
    return timed_unmap_single_4k(c) > 0;
}

/* ---- many pages a call --------------------------------------------------- */

static uint64_t timed_map_bulk_4k(struct bench_case *c)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < TABLES; i++)
        failed += !map(c, c->base + c->d.large * i + c->d.page, PHYS,
                       BULK * c->d.page);
    return failed ? 0 : TABLES * BULK;
}

static uint64_t timed_unmap_bulk_4k(struct bench_case *c)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < TABLES; i++)
        failed +=
            !unmap(c, c->base + c->d.large * i + c->d.page, BULK * c->d.page);
    return failed ? 0 : TABLES * BULK;
}

static bool map_bulk(struct bench_case *c)
{
    return timed_map_bulk_4k(c) > 0;
}

static bool unmap_bulk(struct bench_case *c)
{
    return timed_unmap_bulk_4k(c) > 0;
}

/* ---- one large leaf a call ------------------------------------------------ */

static bool prepare_block_table(struct bench_case *c)
{
    return map(c, c->base, c->d.large, c->d.large);
}

static uint64_t timed_map_2m(struct bench_case *c)
{
    unsigned failed = 0;

    for (unsigned i = 1; i <= BLOCKS; i++)
        failed += !map(c, c->base + c->d.large * i, c->d.large * i, c->d.large);
    return failed ? 0 : BLOCKS;
}

static uint64_t timed_unmap_2m(struct bench_case *c)
{
    unsigned failed = 0;

    for (unsigned i = 1; i <= BLOCKS; i++)
        failed += !unmap(c, c->base + c->d.large * i, c->d.large);
    return failed ? 0 : BLOCKS;
}

static bool map_blocks(struct bench_case *c)
{
    return timed_map_2m(c) > 0;
}

static bool unmap_blocks(struct bench_case *c)
{
    return timed_unmap_2m(c) > 0;
}

/* ---- walks --------------------------------------------------------------- */

/* Page i leads to page next[i]: every walk needs the result of the one
 * before. */
static bool map_cycle(struct bench_case *c, uint32_t n)
{
    uint32_t *next = malloc(n * sizeof(*next));
    bool ok = next != NULL;

    if (ok)
        bench_cycle(next, n, 88172645463325252u);
    for (uint32_t i = 0; ok && i < n; i++)
        ok = map(c, c->base + c->d.page * i, c->base + c->d.page * next[i],
                 c->d.page);
    free(next);
    c->iova = c->base;
    return ok;
}

static bool prepare_walk_hot(struct bench_case *c)
{
    return map_cycle(c, 512);
}

static bool prepare_walk_random(struct bench_case *c)
{
    return map_cycle(c, GIB(1) / c->d.page);
}

static uint64_t timed_walk(struct bench_case *c)
{
    struct uiommu_domain *domain = c->d.domain;
    struct uiommu_trace trace;
    uint64_t iova = c->iova;

    for (unsigned i = 0; i < WALKS; i++) {
        if (uiommu_walk(domain, iova, &trace) != UIOMMU_OK)
            return 0;
        iova = trace.phys;
    }
    c->iova = iova;
    return WALKS;
}

/* ---- a sparse space ------------------------------------------------------ */

/* Pages anywhere, each in a table of its own, which stays when it goes. */
static bool prepare_sparse(struct bench_case *c)
{
    c->page = malloc(SPARSE * sizeof(*c->page));
    for (unsigned i = 0; c->page && i < SPARSE;) {
        uint64_t iova = bench_random(&c->random) & c->d.last_iova;

        c->page[i] = iova & ~(c->d.page - 1);
        if (iova < GIB(4)) /* the interrupt window is there */
            continue;
        if (!map(c, c->page[i], PHYS, c->d.page) ||
            !unmap(c, c->page[i], c->d.page))
            return false;
        i++;
    }
    return c->page != NULL;
}

static uint64_t timed_pair_sparse_4096(struct bench_case *c)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < PAIRS; i++) {
        uint64_t iova = c->page[bench_random(&c->random) % SPARSE];

        failed += !map(c, iova, PHYS, c->d.page);
        failed += !unmap(c, iova, c->d.page);
    }
    return failed ? 0 : PAIRS;
}

const struct bench_row bench_rows[] = {
    { .name = "map_single_4k",
      .per = "call",
      .limit = "walk_l1",
      .goal_ratio = 1.4,
      .repeat = 8,
      .prepare = prepare_tables,
      .timed = timed_map_single_4k,
      .after = unmap_singles },
    { .name = "unmap_single_4k",
      .per = "call",
      .limit = "walk_l1",
      .goal_ratio = 1.2,
      .repeat = 8,
      .prepare = prepare_tables,
      .before = map_singles,
      .timed = timed_unmap_single_4k },
    { .name = "map_bulk_4k",
      .per = "leaf",
      .limit = "store_stream",
      .goal_ratio = 2.0,
      .repeat = 20,
      .prepare = prepare_tables,
      .timed = timed_map_bulk_4k,
      .after = unmap_bulk },
    { .name = "unmap_bulk_4k",
      .per = "leaf",
      .limit = "store_stream",
      .goal_ratio = 1.9,
      .repeat = 20,
      .prepare = prepare_tables,
      .before = map_bulk,
      .timed = timed_unmap_bulk_4k },
    { .name = "map_2m",
      .per = "call",
      .limit = "walk_l1",
      .goal_ratio = 1.4,
      .repeat = 20,
      .prepare = prepare_block_table,
      .timed = timed_map_2m,
      .after = unmap_blocks },
    { .name = "unmap_2m",
      .per = "call",
      .limit = "walk_l1",
      .goal_ratio = 1.2,
      .repeat = 20,
      .prepare = prepare_block_table,
      .before = map_blocks,
      .timed = timed_unmap_2m },
    { .name = "walk_hot",
      .per = "walk",
      .limit = "walk_l1",
      .goal_ratio = 1.0,
      .repeat = 8,
      .prepare = prepare_walk_hot,
      .timed = timed_walk },
    { .name = "walk_random_1g",
      .per = "walk",
      .limit = "walk_l3",
      .goal_ratio = 1.1,
      .repeat = 8,
      .prepare = prepare_walk_random,
      .timed = timed_walk },
    { .name = "pair_sparse_4096",
      .per = "pair",
      .limit = "load_l3",
      .goal_ratio = 2.3,
      .repeat = 4,
      .prepare = prepare_sparse,
      .timed = timed_pair_sparse_4096 },
    { .name = NULL },
};

/* ---- measuring one ------------------------------------------------------- */

static bool before(void *ctx)
{
    struct bench_case *c = ctx;

    return !c->row->before || c->row->before(c);
}

static bool after(void *ctx)
{
    struct bench_case *c = ctx;

    return !c->row->after || c->row->after(c);
}

static uint64_t timed(void *ctx)
{
    struct bench_case *c = ctx;

    return c->row->timed(c);
}

static bool measure(struct bench_case *c, unsigned runs,
                    struct bench_figure *out, double *limit_ns)
{
    const struct bench_work work = { before, after, timed, c };
    struct bench_figure warm_up;

    if (c->row->prepare && !c->row->prepare(c))
        return false;
    if (c->row->whole)
        return c->row->whole(c, runs, out, limit_ns);
    if (!bench_measure(&work, 1, 2, &warm_up) ||
        !bench_measure(&work, runs, c->row->repeat, out))
        return false;
    out->units += warm_up.units;
    return true;
}

bool bench_row_measure(const struct bench_row *row, const char *format,
                       unsigned runs, struct bench_figure *out,
                       double *limit_ns, char *error, size_t size)
{
    struct bench_case c = {
        .row = row,
        .base = GIB(1),
        .random = 88172645463325252u,
    };
    bool ok = row->format || bench_domain_open(format, &c.d, error, size);

    if (ok && !measure(&c, runs, out, limit_ns)) {
        snprintf(error, size, "%s on %s: a call failed", row->name, format);
        ok = false;
    }
    free(c.page);
    if (!row->format)
        bench_domain_close(&c.d);
    return ok;
}
