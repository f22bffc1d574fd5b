/* SPDX-License-Identifier: MIT */
/*
 * process.c - see process.h.
 *
 * `lock` is held while pages are mapped and unmapped: whoever finds nothing mapped knows
 * that nothing is left of it. Accesses do not take it. They read of whom a frame is,
 * which changes only when none is under way that came by a translation.
 */
#include "hosts/sva/process.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hosts/sim/sim.h"

enum {
    PAGE_SHIFT = 12,
    PAGE = 1 << PAGE_SHIFT,
    USUAL_FRAMES = 1 << 14,
    TRIES = 1000,
    FEW_PAGES = 64,
};

/* Of whom a frame is; no pages of processes are there. */
#define NOBODY UINT64_MAX
#define LOST   (UINT64_MAX - 1)
#define NONE   UINT32_MAX

/* A bit of the former: something leads to it that could not be invalidated yet. */
#define ENDING UINT64_C(1)

struct frame {
    _Atomic uint64_t va;
    uint32_t next; /* of the same bucket, or behind it of those that are free */
};

struct sva_process {
    struct machine *m;
    struct uiommu_provider *provider;
    struct process *p;
    uint64_t start; /* physical address of the first frame                   */
    atomic_bool gone, released;
    _Atomic uint64_t faults, stale;

    pthread_mutex_t lock;
    uint64_t grants;
    unsigned n_used, n_lost;
    uint32_t n, hand;
    uint32_t unused, last_unused; /* the first has been so for longest, so that
                                   * what still leads there is seen          */
    uint32_t *bucket; /* by virtual page                                     */
    struct frame *frame;
};

/* What the last grant in this thread came to. */
static _Thread_local enum uiommu_status granted;

/* ---- frames ---------------------------------------------------------------------- */

static uint32_t *bucket_of(struct sva_process *s, uint64_t va)
{
    return &s->bucket[(va >> PAGE_SHIFT) % s->n];
}

static uint64_t page_of(const struct sva_process *s, uint32_t i)
{
    return atomic_load(&s->frame[i].va) & ~ENDING;
}

static bool is_taken(const struct sva_process *s, uint32_t i)
{
    return atomic_load(&s->frame[i].va) < LOST;
}

static uint32_t find(struct sva_process *s, uint64_t va)
{
    uint32_t i = *bucket_of(s, va);

    while (i != NONE && page_of(s, i) != va)
        i = s->frame[i].next;
    return i;
}

static void put_back(struct sva_process *s, uint32_t i)
{
    s->frame[i].next = NONE;
    if (s->unused == NONE)
        s->unused = i;
    else
        s->frame[s->last_unused].next = i;
    s->last_unused = i;
}

static void put_in(struct sva_process *s, uint32_t i, uint64_t va)
{
    atomic_store(&s->frame[i].va, va);
    s->frame[i].next = *bucket_of(s, va);
    *bucket_of(s, va) = i;
    s->n_used++;
}

static void take_out(struct sva_process *s, uint32_t i, uint64_t then)
{
    uint32_t *link = bucket_of(s, atomic_load(&s->frame[i].va));

    while (*link != i)
        link = &s->frame[*link].next;
    *link = s->frame[i].next;
    atomic_store(&s->frame[i].va, then);
    s->n_used--;
}

/* ---- translations end -------------------------------------------------------------- */

/* A frame that something may still lead to is never used again. */
static void end_frame(struct sva_process *s, uint32_t i,
                      enum uiommu_status status)
{
    take_out(s, i, status == UIOMMU_OK ? NOBODY : LOST);
    if (status == UIOMMU_OK)
        put_back(s, i);
    else
        s->n_lost++;
}

/* While the machine sleeps the page stays what it was, whose end nobody has told. */
static void end_page(struct sva_process *s, uint64_t va)
{
    uint32_t i = find(s, va);
    enum uiommu_status status;

    if (i == NONE)
        return;
    status = uiommu_provider_unmap(s->provider, va, PAGE);
    if (status != UIOMMU_AGAIN)
        end_frame(s, i, status);
}

/* The frames of the range are those that `each` is called for. */
static void for_frames(struct sva_process *s, uint64_t first, uint64_t last,
                       void (*each)(struct sva_process *, uint32_t, void *),
                       void *ctx)
{
    bool few = last - first < (uint64_t)FEW_PAGES * PAGE;
    uint64_t va;
    uint32_t i;

    for (va = first; few && va - first <= last - first; va += PAGE)
        if ((i = find(s, va)) != NONE)
            each(s, i, ctx);
    for (i = 0; !few && i < s->n; i++)
        if (is_taken(s, i) && page_of(s, i) >= first && page_of(s, i) <= last)
            each(s, i, ctx);
}

struct span {
    uint64_t first, last;
    enum uiommu_status status;
};

static void add_to_span(struct sva_process *s, uint32_t i, void *ctx)
{
    const uint64_t va = page_of(s, i);
    struct span *span = ctx;

    span->first = va < span->first ? va : span->first;
    span->last = va > span->last ? va : span->last;
}

static void end_of_span(struct sva_process *s, uint32_t i, void *ctx)
{
    const struct span *span = ctx;

    if (span->status == UIOMMU_AGAIN)
        atomic_fetch_or(&s->frame[i].va, ENDING);
    else
        end_frame(s, i, span->status);
}

/* In one call: what is between them is not mapped, or of the range as well. False: the
 * machine sleeps. */
static bool end_range(struct sva_process *s, uint64_t first, uint64_t last)
{
    struct span span = { .first = UINT64_MAX };

    for_frames(s, first, last, add_to_span, &span);
    if (span.first > span.last)
        return true;
    span.status = uiommu_provider_unmap(s->provider, span.first,
                                        span.last - span.first + PAGE);
    for_frames(s, first, last, end_of_span, &span);
    return span.status != UIOMMU_AGAIN;
}

/* ---- translations begin -------------------------------------------------------------- */

static bool take_back_one(struct sva_process *s)
{
    for (uint32_t n = 0; n < s->n; n++) {
        const uint32_t i = s->hand;

        s->hand = (s->hand + 1) % s->n;
        if (is_taken(s, i)) {
            end_page(s, page_of(s, i));
            return !is_taken(s, i);
        }
    }
    return false;
}

static uint32_t frame_for(struct sva_process *s, uint64_t va)
{
    uint32_t i = find(s, va);

    if (i != NONE)
        return i;
    while (s->unused == NONE)
        if (!take_back_one(s))
            return NONE;
    i = s->unused;
    s->unused = s->frame[i].next;
    put_in(s, i, va);
    return i;
}

static enum uiommu_status map_frame(struct sva_process *s, uint64_t va,
                                    unsigned flags)
{
    uint32_t i = frame_for(s, va);

    if (i == NONE)
        return UIOMMU_NOSPC;
    if (atomic_load(&s->frame[i].va) != va)
        return UIOMMU_AGAIN;
    return uiommu_provider_map(s->provider, va, s->start + (uint64_t)i * PAGE,
                               PAGE, flags);
}

/* With fewer rights than the process has by now it is in the way. */
static enum uiommu_status map_page(struct sva_process *s, uint64_t va,
                                   unsigned flags)
{
    enum uiommu_status status = map_frame(s, va, flags);

    if (status == UIOMMU_EXIST) {
        end_page(s, va);
        status = map_frame(s, va, flags);
    }
    if (status != UIOMMU_OK)
        end_page(s, va);
    return status;
}

/* ---- for hosts/process ------------------------------------------------------------- */

static void stop(void *ctx)
{
    struct sva_process *s = ctx;

    sim_stop_devices(s->m);
}

static void go(void *ctx)
{
    struct sva_process *s = ctx;

    sim_start_devices(s->m);
}

/* What can be written can be read, to most units; the access itself is refused then. */
static void grant(void *ctx, uint64_t first, uint64_t last, unsigned rights)
{
    struct sva_process *s = ctx;

    (void)last;
    pthread_mutex_lock(&s->lock);
    granted = map_page(s, first, UIOMMU_READ | (rights & UIOMMU_WRITE));
    s->grants += granted == UIOMMU_OK;
    pthread_mutex_unlock(&s->lock);
}

static bool invalidate(void *ctx, uint64_t first, uint64_t last)
{
    struct sva_process *s = ctx;
    bool all;

    pthread_mutex_lock(&s->lock);
    all = end_range(s, first, last);
    pthread_mutex_unlock(&s->lock);
    return all;
}

/* Who does not confirm is quarantined, and the accesses of the others are refused. What
 * sleeps is shut when it wakes up, and asked again whether it was. */
static bool exited(void *ctx)
{
    struct sva_process *s = ctx;

    if (uiommu_provider_exit(s->provider) == UIOMMU_AGAIN)
        return false;
    atomic_store(&s->gone, true);
    return true;
}

static const struct process_ops process_ops = { stop, go, grant, invalidate,
                                                exited };

/* ---- for devices --------------------------------------------------------------------- */

static bool access_frame(void *ctx, bool write, uint64_t offset, void *buf,
                         size_t size)
{
    struct sva_process *s = ctx;
    uint64_t va = atomic_load(&s->frame[offset >> PAGE_SHIFT].va);
    enum process_status status;

    if (va >= LOST || (va & ENDING) != 0) {
        atomic_fetch_add(&s->stale, va == NOBODY);
        return false;
    }
    va += offset & (PAGE - 1);
    status = write ? process_write(s->p, va, buf, size, NULL)
                   : process_read(s->p, va, buf, size, NULL);
    return status == PROCESS_OK;
}

static const struct sim_foreign_ops foreign_ops = { access_frame };

/* ---- for uiommu ------------------------------------------------------------------------ */

/* A device that is told to go on asks again, if mappings do not come to rest. */
static enum uiommu_status on_fault(void *ctx, uint64_t iova, unsigned access)
{
    struct sva_process *s = ctx;
    enum process_status status = PROCESS_AGAIN;

    atomic_fetch_add(&s->faults, 1);
    if (access & UIOMMU_EXEC)
        return UIOMMU_OPNOTSUPP;
    for (unsigned i = 0; i < TRIES && status == PROCESS_AGAIN; i++) {
        granted = UIOMMU_OK;
        status = process_fault(s->p, iova, access, NULL);
        if (status == PROCESS_AGAIN)
            sched_yield();
    }
    switch (status) {
    case PROCESS_OK:
    case PROCESS_AGAIN:
        return granted == UIOMMU_AGAIN ? UIOMMU_OK : granted;
    case PROCESS_GONE:
        return UIOMMU_NOENT;
    default:
        return UIOMMU_PERM;
    }
}

static void released(void *ctx)
{
    struct sva_process *s = ctx;

    atomic_store(&s->released, true);
}

/* ---- coming and going ------------------------------------------------------------------ */

static bool say(char *error, size_t size, const char *what)
{
    snprintf(error, size, "%s", what);
    return false;
}

static bool make_frames(struct sva_process *s)
{
    s->bucket = malloc(s->n * sizeof(*s->bucket));
    s->frame = malloc(s->n * sizeof(*s->frame));
    if (!s->bucket || !s->frame)
        return false;
    s->unused = NONE;
    for (uint32_t i = 0; i < s->n; i++) {
        s->bucket[i] = NONE;
        atomic_init(&s->frame[i].va, NOBODY);
        put_back(s, i);
    }
    return sim_foreign_open(s->m, (uint64_t)s->n * PAGE, &foreign_ops, s,
                            &s->start);
}

static bool make_provider(struct sva_process *s, struct uiommu *u)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .tables = UIOMMU_TABLES_NONE,
        .on_fault = on_fault,
        .released = released,
        .ctx = s,
    };

    return uiommu_provider_create(u, &config, &s->provider) == UIOMMU_OK;
}

static bool open_all(struct sva_process *s, struct uiommu *u, int socket,
                     char *error, size_t size)
{
    if (sysconf(_SC_PAGESIZE) != PAGE)
        return say(error, size, "pages of this system are not of 4 KiB");
    if (!make_frames(s))
        return say(error, size, "no memory, or no addresses for frames");
    if (!make_provider(s, u))
        return say(error, size, "no provider");
    return process_open(socket, &process_ops, s, &s->p, error, size);
}

bool sva_process_open(struct machine *m, struct uiommu *u, int socket,
                      unsigned frames, struct sva_process **out, char *error,
                      size_t size)
{
    struct sva_process *s = calloc(1, sizeof(*s));

    if (!s)
        return say(error, size, "no memory");
    s->m = m;
    s->n = frames ? frames : USUAL_FRAMES;
    pthread_mutex_init(&s->lock, NULL);
    if (open_all(s, u, socket, error, size) &&
        process_follow(s->p, error, size)) {
        *out = s;
        return true;
    }
    if (!s->p)
        (void)close(socket);
    sva_process_close(s);
    return false;
}

void sva_process_close(struct sva_process *s)
{
    if (!s)
        return;
    process_close(s->p);
    if (s->provider)
        uiommu_provider_put(s->provider);
    if (s->provider && !atomic_load(&s->released)) {
        fprintf(stderr, "sva: a process is closed that somebody is bound to\n");
        abort();
    }
    if (s->start)
        sim_foreign_close(s->m, s->start);
    pthread_mutex_destroy(&s->lock);
    free(s->frame);
    free(s->bucket);
    free(s);
}

struct uiommu_provider *sva_process_provider(struct sva_process *s)
{
    return s->provider;
}

bool sva_process_gone(struct sva_process *s)
{
    return atomic_load(&s->gone);
}

struct sva_process_counts sva_process_counts(struct sva_process *s)
{
    struct sva_process_counts counts;

    pthread_mutex_lock(&s->lock);
    counts = (struct sva_process_counts){ .faults = atomic_load(&s->faults),
                                          .grants = s->grants,
                                          .stale = atomic_load(&s->stale),
                                          .frames = s->n_used,
                                          .lost = s->n_lost };
    pthread_mutex_unlock(&s->lock);
    return counts;
}
