/* SPDX-License-Identifier: MIT */
#include "core/iova.h"

#include "base/mem.h"

#define ALIGN_MOST (UINT64_C(2) << 20)

/* One page of the host. */
struct uim_iova_pool {
    struct uim_node node; /* space->pools; alone while it has no room        */
    uint64_t phys;
    unsigned used;
    struct uim_iova_range range[]; /* all zero if it is unused               */
};

enum {
    POOL_BYTES = 4096,
    POOL_RANGES = (POOL_BYTES - sizeof(struct uim_iova_pool)) /
                  sizeof(struct uim_iova_range),
};

static struct uim_iova_range *range_of(struct uim_node *n)
{
    return uim_container(n, struct uim_iova_range, node);
}

static void lock(const struct uim_iova *s)
{
    s->host->spin_lock(s->host->ctx, s->lock);
}

static void unlock(const struct uim_iova *s)
{
    s->host->spin_unlock(s->host->ctx, s->lock);
}

/* ---- memory for ranges ----------------------------------------------------------- */

static struct uim_iova_pool *pool_create(const struct uim_iova *s)
{
    uint64_t phys;
    struct uim_iova_pool *pool =
        s->host->pages_alloc(s->host->ctx, 0, UIOMMU_PAGES_ATOMIC, &phys);

    if (pool)
        pool->phys = phys;
    return pool;
}

static void pool_free(const struct uim_iova *s, struct uim_iova_pool *pool)
{
    s->host->pages_free(s->host->ctx, pool, pool->phys, 0);
}

/* Locks; with room for one range more. NULL: no memory, and not locked. */
static struct uim_iova_pool *enter(struct uim_iova *s)
{
    struct uim_iova_pool *pool;

    lock(s);
    if (!uim_list_empty(&s->pools))
        return uim_container(s->pools.next, struct uim_iova_pool, node);
    unlock(s);
    pool = pool_create(s);
    if (!pool)
        return NULL;
    lock(s);
    uim_list_add_tail(&s->pools, &pool->node);
    return pool;
}

/* Unlocks; a page without ranges goes back. */
static void leave(struct uim_iova *s, struct uim_iova_pool *pool)
{
    const bool empty = pool->used == 0;

    if (empty)
        uim_list_del(&pool->node);
    unlock(s);
    if (empty)
        pool_free(s, pool);
}

/* In state TAKEN. */
static struct uim_iova_range *insert(struct uim_iova_pool *pool,
                                     struct uim_node *before, uint64_t start,
                                     uint64_t last)
{
    struct uim_iova_range *range = pool->range;

    while (range->state != UIM_IOVA_UNUSED)
        range++;
    if (++pool->used == POOL_RANGES)
        uim_list_del(&pool->node);
    range->pool = pool;
    range->start = start;
    range->last = last;
    range->state = UIM_IOVA_TAKEN;
    uim_list_add_tail(before, &range->node);
    return range;
}

static struct uim_iova_pool *give_back(struct uim_iova *s,
                                       struct uim_iova_range *range)
{
    struct uim_iova_pool *pool = range->pool;

    uim_list_del(&range->node);
    memset(range, 0, sizeof(*range));
    if (pool->used-- == POOL_RANGES)
        uim_list_add_tail(&s->pools, &pool->node);
    return pool;
}

/* ---- life -------------------------------------------------------------------------- */

enum uiommu_status uim_iova_init(struct uim_iova *space,
                                 const struct uiommu_host *host, uint64_t page,
                                 uint64_t last)
{
    space->host = host;
    space->page = page;
    space->last = last;
    uim_list_init(&space->ranges);
    uim_list_init(&space->pools);
    space->lock = host->spin_create(host->ctx);
    return space->lock ? UIOMMU_OK : UIOMMU_NOMEM;
}

void uim_iova_end(struct uim_iova *space)
{
    while (!uim_list_empty(&space->ranges)) {
        struct uim_iova_range *range = range_of(space->ranges.next);

        lock(space);
        leave(space, give_back(space, range));
    }
    space->host->spin_destroy(space->host->ctx, space->lock);
}

unsigned uim_iova_count(struct uim_iova *space)
{
    unsigned n = 0;

    lock(space);
    uim_list_for_each(node, &space->ranges)
        n += range_of(node)->state != UIM_IOVA_KEPT;
    unlock(space);
    return n;
}

/* ---- which are free ------------------------------------------------------------------ */

/* The first part of [*start, last] that is in no range, and before which range that is;
 * or NULL. */
static struct uim_node *find_part(struct uim_iova *s, uint64_t *start,
                                  uint64_t *last)
{
    uim_list_for_each(n, &s->ranges) {
        const struct uim_iova_range *r = range_of(n);

        if (r->last < *start)
            continue;
        if (r->start > *start) {
            if (r->start <= *last)
                *last = r->start - 1;
            return n;
        }
        if (r->last >= *last)
            return NULL;
        *start = r->last + 1;
    }
    return &s->ranges;
}

/* A part of it at a time. */
static enum uiommu_status set_part_aside(struct uim_iova *s, uint64_t start,
                                         uint64_t last, bool *all)
{
    struct uim_iova_pool *pool = enter(s);
    struct uim_node *before;

    if (!pool)
        return UIOMMU_NOMEM;
    before = find_part(s, &start, &last);
    *all = !before;
    if (before)
        insert(pool, before, start, last)->state = UIM_IOVA_ASIDE;
    leave(s, pool);
    return UIOMMU_OK;
}

enum uiommu_status uim_iova_set_aside(struct uim_iova *space, uint64_t start,
                                      uint64_t last)
{
    enum uiommu_status status = UIOMMU_OK;
    bool all = start > space->last;

    if (last > space->last)
        last = space->last;
    while (status == UIOMMU_OK && !all)
        status = set_part_aside(space, start & ~(space->page - 1),
                                last | (space->page - 1), &all);
    return status;
}

static struct uim_iova_range *find_aside(struct uim_iova *s)
{
    uim_list_for_each(n, &s->ranges)
        if (range_of(n)->state == UIM_IOVA_ASIDE)
            return range_of(n);
    return NULL;
}

void uim_iova_decide(struct uim_iova *space, bool keep)
{
    struct uim_iova_range *range;

    lock(space);
    while ((range = find_aside(space)) != NULL) {
        if (keep) {
            range->state = UIM_IOVA_KEPT;
            continue;
        }
        leave(space, give_back(space, range));
        lock(space);
    }
    unlock(space);
}

/* The highest place for `size` bytes in the gap [first, last]. */
static bool fits(uint64_t first, uint64_t last, uint64_t size, uint64_t align,
                 uint64_t *start)
{
    if (last < first || size - 1 > last - first)
        return false;
    *start = (last - (size - 1)) & ~(align - 1);
    return *start >= first;
}

/* From `last` down; page 0 is left alone: drivers take address 0 for none. */
static struct uim_node *find_gap(struct uim_iova *s, uint64_t size,
                                 uint64_t align, uint64_t last, uint64_t *start)
{
    for (struct uim_node *n = s->ranges.prev; n != &s->ranges; n = n->prev) {
        const struct uim_iova_range *r = range_of(n);

        if (r->last < last && fits(r->last + 1, last, size, align, start))
            return n->next;
        if (r->start <= s->page)
            return NULL;
        if (r->start <= last)
            last = r->start - 1;
    }
    return fits(s->page, last, size, align, start) ? s->ranges.next : NULL;
}

static uint64_t align_of(const struct uim_iova *s, uint64_t size)
{
    uint64_t align = s->page;

    while (align < size && align < ALIGN_MOST)
        align <<= 1;
    return align;
}

/* ---- taking and giving back ------------------------------------------------------------ */

enum uiommu_status uim_iova_take(struct uim_iova *space, uint64_t size,
                                 uint64_t last, struct uim_iova_range **out)
{
    struct uim_iova_pool *pool = enter(space);
    struct uim_node *before;
    uint64_t start;

    if (!pool)
        return UIOMMU_NOMEM;
    if (last > space->last)
        last = space->last;
    before = find_gap(space, size, align_of(space, size), last, &start);
    if (before)
        *out = insert(pool, before, start, start + (size - 1));
    leave(space, pool);
    return before ? UIOMMU_OK : UIOMMU_NOSPC;
}

static struct uim_iova_range *find(struct uim_iova *s, uint64_t start)
{
    for (struct uim_node *n = s->ranges.prev; n != &s->ranges; n = n->prev)
        if (range_of(n)->start <= start)
            return range_of(n);
    return NULL;
}

struct uim_iova_range *uim_iova_leave(struct uim_iova *space, uint64_t start,
                                      uint64_t size)
{
    struct uim_iova_range *range;

    lock(space);
    range = find(space, start);
    if (range && (range->start != start || range->last - start != size - 1 ||
                  range->state != UIM_IOVA_TAKEN))
        range = NULL;
    if (range)
        range->state = UIM_IOVA_LEAVING;
    unlock(space);
    return range;
}

void uim_iova_stay(struct uim_iova *space, struct uim_iova_range *range)
{
    lock(space);
    range->state = UIM_IOVA_TAKEN;
    unlock(space);
}

void uim_iova_free(struct uim_iova *space, struct uim_iova_range *range)
{
    lock(space);
    leave(space, give_back(space, range));
}

void uim_iova_keep(struct uim_iova *space, struct uim_iova_range *range)
{
    lock(space);
    range->state = UIM_IOVA_KEPT;
    unlock(space);
}
