/* SPDX-License-Identifier: MIT */
/*
 * recorder.c - what was mapped and unmapped in a domain, of late (design.md 9).
 *
 * A ring under a spin lock that is held for one event, or for as many as a reader copies
 * at once: whoever searches lets others in between, and may lose what is forgotten
 * meanwhile.
 */
#include "core/core.h"

#include "base/mem.h"

enum { BATCH = 8 };

struct uim_recorder {
    void *lock;       /* spin: everything below                              */
    uint64_t next;    /* sequence number of the next event                   */
    const char *tag;
    size_t size;      /* of all this                                         */
    uint64_t mask;    /* events in the ring, less 1                          */
    struct uiommu_event ring[];
};

/* ---- come and go ---------------------------------------------------------------------- */

static uint32_t power_of_2(uint32_t n)
{
    uint32_t p = 1;

    while (p < n)
        p *= 2;
    return p;
}

struct uim_recorder *uim_recorder_create(struct uiommu *u, uint32_t events)
{
    const uint32_t n = power_of_2(events);
    const size_t size =
        sizeof(struct uim_recorder) + n * sizeof(struct uiommu_event);
    struct uim_recorder *r = uim_alloc(u, size);

    if (!r)
        return NULL;
    r->lock = u->host.spin_create(u->host.ctx);
    if (!r->lock) {
        uim_free(u, r, size);
        return NULL;
    }
    r->next = 1;
    r->size = size;
    r->mask = n - 1;
    return r;
}

void uim_recorder_free(struct uiommu *u, struct uim_recorder *recorder)
{
    if (!recorder)
        return;
    u->host.spin_destroy(u->host.ctx, recorder->lock);
    uim_free(u, recorder, recorder->size);
}

/* ---- writing -------------------------------------------------------------------------- */

void uim_recorder_add(struct uiommu_domain *domain,
                      const struct uiommu_event *event)
{
    const struct uiommu_host *h = &domain->u->host;
    struct uim_recorder *r = domain->recorder;
    struct uiommu_event *slot;

    h->spin_lock(h->ctx, r->lock);
    slot = &r->ring[r->next & r->mask];
    *slot = *event;
    slot->sequence = r->next++;
    slot->time_ns = h->now_ns(h->ctx);
    slot->tag = r->tag;
    h->spin_unlock(h->ctx, r->lock);
}

void uiommu_recorder_tag(struct uiommu_domain *domain, const char *tag)
{
    const struct uiommu_host *h = &domain->u->host;
    struct uim_recorder *r = domain->recorder;

    if (!r)
        return;
    h->spin_lock(h->ctx, r->lock);
    r->tag = tag;
    h->spin_unlock(h->ctx, r->lock);
}

/* ---- reading -------------------------------------------------------------------------- */

/* The oldest that is there. */
static uint64_t oldest(const struct uim_recorder *r)
{
    return r->next - 1 > r->mask ? r->next - 1 - r->mask : 1;
}

/* Up to n from *from on, which becomes the first that there is. */
static unsigned copy(struct uiommu_domain *domain, uint64_t *from,
                     struct uiommu_event *out, unsigned n)
{
    const struct uiommu_host *h = &domain->u->host;
    const struct uim_recorder *r = domain->recorder;
    unsigned i = 0;

    h->spin_lock(h->ctx, r->lock);
    if (*from < oldest(r))
        *from = oldest(r);
    for (; i < n && *from + i < r->next; i++)
        out[i] = r->ring[(*from + i) & r->mask];
    h->spin_unlock(h->ctx, r->lock);
    return i;
}

size_t uiommu_recorder_read(struct uiommu_domain *domain, uint64_t from,
                            struct uiommu_event *out, size_t n)
{
    size_t done = 0;

    while (domain->recorder && done < n) {
        const size_t left = n - done;
        const unsigned got =
            copy(domain, &from, &out[done],
                 left < BATCH ? (unsigned)left : (unsigned)BATCH);

        if (got == 0)
            break;
        done += got;
        from += got;
    }
    return done;
}

/* ---- what became of an address ------------------------------------------------------- */

static bool is_about(const struct uiommu_event *e, uint64_t iova)
{
    return e->kind != UIOMMU_EVENT_SYNC && iova - e->iova < e->size;
}

/* From the last event back. An unmap that found holes may not have found this address, so
 * that an earlier one counts, as far back as the map; it has not where something is mapped
 * still, as doorbells are. True: that is all there is to know. */
static bool judge(struct uiommu_fault *f, const struct uiommu_event *e)
{
    const bool unmapped = f->history == UIOMMU_HISTORY_UNMAPPED;

    if (!is_about(e, f->iova) || (f->mapped && e->bytes != e->size))
        return false;
    if (e->kind == UIOMMU_EVENT_MAP) {
        if (!unmapped)
            f->event = *e;
        f->history = unmapped ? UIOMMU_HISTORY_UNMAPPED : UIOMMU_HISTORY_MAPPED;
        return true;
    }
    f->history = UIOMMU_HISTORY_UNMAPPED;
    f->event = *e;
    return e->bytes == e->size;
}

static uint64_t last_of(struct uiommu_domain *domain)
{
    const struct uiommu_host *h = &domain->u->host;
    uint64_t last;

    h->spin_lock(h->ctx, domain->recorder->lock);
    last = domain->recorder->next - 1;
    h->spin_unlock(h->ctx, domain->recorder->lock);
    return last;
}

/* Events first to last, copied and judged from the end; *first: those that are there. */
static bool judge_some(struct uiommu_domain *domain, struct uiommu_fault *f,
                       uint64_t *first, uint64_t last,
                       struct uiommu_event *batch)
{
    const uint64_t wanted = *first;
    unsigned n = copy(domain, first, batch, (unsigned)(last - wanted + 1));

    while (n-- > 0)
        if (batch[n].sequence <= last && judge(f, &batch[n]))
            return true;
    return false;
}

/* What is to be said if no event settles it: `first` is the oldest that was looked at. */
static void conclude(struct uiommu_fault *f, uint64_t first,
                     const struct uiommu_event *e)
{
    if (first <= 1) {
        f->history = UIOMMU_HISTORY_NEVER;
        memset(&f->event, 0, sizeof(f->event));
    } else if (f->history != UIOMMU_HISTORY_UNMAPPED) {
        f->history = UIOMMU_HISTORY_OLDER;
        f->event = *e;
    }
}

static void search(struct uiommu_domain *domain, struct uiommu_fault *f)
{
    struct uiommu_event batch[BATCH] = { { .sequence = 0 } };
    uint64_t last = last_of(domain), first = last + 1;

    while (last > 0) {
        const uint64_t wanted = last > BATCH ? last - BATCH + 1 : 1;

        first = wanted;
        if (judge_some(domain, f, &first, last, batch))
            return;
        if (first != wanted || first == 1)
            break; /* what is before it is forgotten, or never was */
        last = first - 1;
    }
    conclude(f, first, &batch[0]);
}

void uim_recorder_ask(struct uiommu_domain *domain, struct uiommu_fault *f)
{
    const struct uiommu_host *h = &domain->u->host;

    search(domain, f);
    if (f->event.sequence > 0)
        f->age_ns = h->now_ns(h->ctx) - f->event.time_ns;
}
