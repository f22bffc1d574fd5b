/* SPDX-License-Identifier: MIT */
/*
 * Random calls against a flat array, one number a page. After each call the
 * page table is asked about the ends of its range and about a few other pages,
 * both ways: by its own walk and by descriptors.
 *
 * What call i does follows from the seed and i alone, so that a failure can be had
 * with fewer calls: scripts/shrink.py finds which.
 *
 *     UIOMMU_SEED=n        the seed, as a run prints it
 *     UIOMMU_ROUNDS=n      n times as many calls
 *     UIOMMU_CALLS=1,7-9   only these calls
 *     UIOMMU_BREAK=1       the array forgets the last page of an unmap: a failure
 */
#include "pt_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WINDOWS = 2,
    CALLS = 250,
    LOOKS = 6,
    MOST_PAGES = 1 << 20,
    SEGMENTS = 24,
};

struct shadow {
    struct pt_rig *r;
    uint64_t seed, random;
    uint64_t small, window;  /* bytes                                      */
    uint64_t start[WINDOWS]; /* iova of each window                        */
    uint64_t *page[WINDOWS]; /* phys | rights of each page, 0: hole        */
};

struct range {
    unsigned window;
    uint64_t offset, size;
};

static uint64_t below(struct shadow *s, uint64_t n)
{
    return rig_random(&s->random) % n;
}

/* Sizes of all kinds, small ones more often; ends near large boundaries. */
static struct range random_range(struct shadow *s)
{
    const uint64_t large = s->r->large;
    const uint64_t huge = s->r->huge < s->window ? s->r->huge : large;
    const uint64_t units[] = {
        s->small, s->small, s->small, large, large, huge
    };
    uint64_t unit = units[below(s, 6)];
    uint64_t most = unit == s->small ? 1200 : unit == large ? 20 : 2;
    struct range range = { .window = (unsigned)below(s, WINDOWS) };

    range.size = (1 + below(s, most)) * unit;
    range.offset = below(s, (s->window - range.size) / unit + 1) * unit;
    if (below(s, 4) == 0 && range.size < s->window - 2 * large) {
        range.size += below(s, 3) * s->small;
        range.offset = below(s, (s->window - range.size) / large) * large +
                       below(s, 2) * s->small;
    }
    return range;
}

static uint64_t iova_of(const struct shadow *s, const struct range *range)
{
    return s->start[range->window] + range->offset;
}

static uint64_t *pages_of(const struct shadow *s, const struct range *range)
{
    return &s->page[range->window][range->offset / s->small];
}

static uint64_t count_mapped(const struct shadow *s, const struct range *range)
{
    const uint64_t *page = pages_of(s, range);
    uint64_t i, n = 0;

    for (i = 0; i < range->size / s->small; i++)
        n += page[i] != 0;
    return n;
}

/* ---- looking ------------------------------------------------------------- */

static void look_at(struct shadow *s, unsigned window, uint64_t offset)
{
    uint64_t want = s->page[window][offset / s->small];
    struct uiommu_trace trace;

    if (!rig_look(s->r, s->start[window] + offset, &trace)) {
        assert_true(want == 0);
        return;
    }
    assert_true(want == (uim_align_down(trace.phys, s->small) | trace.flags));
}

static void look_around(struct shadow *s, const struct range *range)
{
    uint64_t last = range->offset + range->size - s->small;
    unsigned i;

    look_at(s, range->window, range->offset);
    look_at(s, range->window, last);
    if (range->offset > 0)
        look_at(s, range->window, range->offset - s->small);
    if (last + s->small < s->window)
        look_at(s, range->window, last + s->small);
    for (i = 0; i < LOOKS; i++) {
        look_at(s, range->window,
                range->offset + below(s, range->size / s->small) * s->small);
        look_at(s, (unsigned)below(s, WINDOWS),
                below(s, s->window / s->small) * s->small);
    }
}

/* Every page, a leaf or a hole at a time. */
static void compare_window(struct shadow *s, unsigned window)
{
    uint64_t offset = 0;

    while (offset < s->window) {
        struct uiommu_trace trace;
        bool mapped = rig_look(s->r, s->start[window] + offset, &trace);
        uint64_t lg2 = uim_walk_shift(&s->r->walk, trace.level), i;
        uint64_t span = UIM_BIT(lg2) < s->window ? UIM_BIT(lg2) : s->small;
        uint64_t rest = span - (s->start[window] + offset) % span;

        for (i = 0; i < rest && offset < s->window;
             i += s->small, offset += s->small)
            assert_true(s->page[window][offset / s->small] ==
                        (mapped ? (trace.phys + i) | trace.flags : 0));
    }
}

/* ---- calls --------------------------------------------------------------- */

static void random_map(struct shadow *s)
{
    struct range range = random_range(s);
    uint64_t align = below(s, 3) ? s->r->huge : s->small, i;
    uint64_t phys = DATA + range.offset % align + below(s, 256) * align;
    unsigned flags = 1 + (unsigned)below(s, 3);
    bool clear = count_mapped(s, &range) == 0;
    enum uiommu_status status =
        rig_map(s->r, iova_of(s, &range), phys, range.size,
                flags | (below(s, 2) ? UIOMMU_CACHE : 0u));

    if (clear) {
        assert_int_equal(status, UIOMMU_OK);
        for (i = 0; i < range.size / s->small; i++)
            pages_of(s, &range)[i] =
                (phys + i * s->small) | pt_granted(s->r, flags);
    } else {
        assert_int_equal(status, UIOMMU_EXIST);
    }
    look_around(s, &range);
}

/* A range in up to `SEGMENTS` parts; each second one lies behind the one before it,
 * the others anywhere, aligned like the range or to pages only. */
static size_t random_segments(struct shadow *s, const struct range *range,
                              struct uiommu_segment *segment)
{
    uint64_t done = 0, size;
    size_t n;

    for (n = 0; done < range->size; n++, done += size) {
        uint64_t align = below(s, 2) ? s->r->huge : s->small;
        uint64_t offset = (range->offset + done) % align;

        size = (1 + below(s, 2 * range->size / s->small / SEGMENTS + 1)) *
               s->small;
        if (size > range->size - done || n == SEGMENTS - 1)
            size = range->size - done;
        segment[n].phys = DATA + offset + below(s, 256) * align;
        if (n > 0 && below(s, 2))
            segment[n].phys = segment[n - 1].phys + segment[n - 1].size;
        segment[n].size = size;
    }
    return n;
}

static void note_segments(struct shadow *s, const struct range *range,
                          const struct uiommu_segment *segment, size_t n,
                          unsigned flags)
{
    uint64_t *page = pages_of(s, range);

    for (size_t i = 0; i < n; i++)
        for (uint64_t at = 0; at < segment[i].size; at += s->small)
            *page++ = (segment[i].phys + at) | pt_granted(s->r, flags);
}

static void random_map_sg(struct shadow *s)
{
    struct range range = random_range(s);
    struct uiommu_segment segment[SEGMENTS];
    size_t n = random_segments(s, &range, segment);
    unsigned flags = 1 + (unsigned)below(s, 3);
    bool clear = count_mapped(s, &range) == 0;

    assert_int_equal(rig_map_sg(s->r, iova_of(s, &range), segment, n, flags),
                     clear ? UIOMMU_OK : UIOMMU_EXIST);
    if (clear)
        note_segments(s, &range, segment, n, flags);
    look_around(s, &range);
}

/* Whether a leaf lies on both sides of iova. */
static bool cut(struct shadow *s, uint64_t iova)
{
    struct uiommu_trace trace;

    if (iova > s->r->last_iova || !rig_look(s->r, iova, &trace))
        return false;
    return iova % trace.page_size != 0;
}

static void forget(struct shadow *s, const struct range *range)
{
    uint64_t i;

    bool broken = getenv("UIOMMU_BREAK") && range->size > s->small;

    for (i = 0; i < range->size / s->small - broken; i++)
        pages_of(s, range)[i] = 0;
}

static void check_gather(struct shadow *s, const struct range *range,
                         const struct uiommu_gather *g)
{
    const uint64_t *page = pages_of(s, range);
    uint64_t first = 0, last = range->size / s->small;

    while (first < last && page[first] == 0)
        first++;
    while (last > first && page[last - 1] == 0)
        last--;
    assert_true(g->unmapped == count_mapped(s, range) * s->small);
    assert_true(g->any == (first < last || g->non_leaf));
    if (!g->any)
        return;
    if (first < last) {
        assert_true(g->start <= iova_of(s, range) + first * s->small);
        assert_true(g->last >= iova_of(s, range) + last * s->small - 1);
    }
    if (!g->non_leaf && first < last) {
        assert_true(g->start == iova_of(s, range) + first * s->small);
        assert_true(g->last == iova_of(s, range) + last * s->small - 1);
    }
    assert_true(g->start >= iova_of(s, range));
    assert_true(g->last < iova_of(s, range) + range->size);
}

static void random_unmap(struct shadow *s)
{
    struct range range = random_range(s);
    uint64_t iova = iova_of(s, &range);
    bool refused = cut(s, iova) || cut(s, iova + range.size);
    struct uiommu_gather g = { 0 };
    enum uiommu_status status = rig_unmap(s->r, iova, range.size, &g);

    assert_int_equal(status, refused ? UIOMMU_INVAL : UIOMMU_OK);
    if (!refused) {
        check_gather(s, &range, &g);
        forget(s, &range);
    }
    uim_pt_retire(&s->r->pt, &g);
    look_around(s, &range);
}

/* Then unmap has to work. */
static void random_split(struct shadow *s)
{
    struct range range = random_range(s);
    uint64_t iova = iova_of(s, &range);
    enum uiommu_status status = rig_split(s->r, iova, range.size, NULL);

    assert_int_equal(status, UIOMMU_OK);
    assert_false(cut(s, iova));
    assert_false(cut(s, iova + range.size));
    look_around(s, &range);
    if (below(s, 2)) {
        assert_int_equal(rig_unmap(s->r, iova, range.size, NULL), UIOMMU_OK);
        forget(s, &range);
        look_around(s, &range);
    }
}

static void open_shadow(struct shadow *s, struct pt_rig *r, uint64_t seed)
{
    unsigned i;

    *s = (struct shadow){ .r = r, .seed = seed, .random = seed };
    s->small = r->page;
    s->window = 3 * r->huge;
    if (r->c.levels == 2 || s->window / s->small > MOST_PAGES ||
        (pt_has(r, r->c.ops->run_sizes) && !pt_has(r, r->large)))
        s->window = 24 * r->large;
    s->start[1] = r->last_iova + 1 - s->window;
    for (i = 0; i < WINDOWS; i++)
        s->page[i] = calloc(s->window / s->small, sizeof(uint64_t));
}

static void close_shadow(struct shadow *s)
{
    unsigned i;

    for (i = 0; i < WINDOWS; i++)
        free(s->page[i]);
}

/* Whether call n is in a list like "1,7-9". */
static bool in_list(const char *list, unsigned n)
{
    while (*list) {
        char *end;
        unsigned long from = strtoul(list, &end, 10), to = from;

        if (*end == '-')
            to = strtoul(end + 1, &end, 10);
        if (n >= from && n <= to)
            return true;
        list = *end == ',' ? end + 1 : "";
    }
    return false;
}

static void random_call(struct shadow *s, unsigned n)
{
    uint64_t what;

    /* Seeds that follow each other must not give the same calls, shifted. */
    s->random = s->seed * UINT64_C(0xd1342543de82ef95);
    s->random =
        ((s->random ^ s->random >> 32) + n) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    (void)rig_random(&s->random);
    what = below(s, 16);
    if (what < 5)
        random_map(s);
    else if (what < 8)
        random_map_sg(s);
    else if (what < 14)
        random_unmap(s);
    else
        random_split(s);
}

static void say_how_to_repeat(const struct shadow *s)
{
    char name[100];

    pt_case_name(&s->r->c, name, sizeof(name));
    printf("# again, with fewer calls: UIOMMU_SEED=%llu scripts/shrink.py "
           "build/tests/pt_random_test 'random_calls/%s'\n",
           (unsigned long long)s->seed, name);
}

static void random_calls(struct pt_rig *r)
{
    const char *rounds = getenv("UIOMMU_ROUNDS"),
               *only = getenv("UIOMMU_CALLS");
    unsigned calls = CALLS * (rounds ? (unsigned)atoi(rounds) : 1), i;
    struct shadow s;

    open_shadow(&s, r, rig_seed(20251120 + r->c.page_sizes + r->c.levels));
    say_how_to_repeat(&s);
    r->brief = true;
    for (i = 0; i < calls; i++)
        if (!only || in_list(only, i))
            random_call(&s, i);
    assert_true(rig_tree(r).seen);
    for (i = 0; i < WINDOWS; i++)
        compare_window(&s, i);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    assert_int_equal(memory_host_live_pages(r->m), r->base_pages);
    close_shadow(&s);
}

const struct pt_test pt_random_tests[] = {
    { "random_calls", random_calls },
    { NULL, NULL },
};
