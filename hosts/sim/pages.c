/* SPDX-License-Identifier: MIT */
/*
 * pages.c - who owns which page of RAM. Freed pages are poisoned and come back
 * as late as possible, so that whoever still uses one is seen. Lock: ram.
 */
#include "private.h"

#include <string.h>

static uint64_t run_of(uint64_t size)
{
    uint64_t run = SIM_PAGE_SIZE;

    while (run < size) {
        run *= 2;
    }
    return run;
}

static bool is_free(const struct sim_page *page)
{
    return page->state == SIM_PAGE_UNUSED || page->state == SIM_PAGE_FREED;
}

static bool run_is_free(const struct sim *s, uint64_t phys, uint64_t size)
{
    for (uint64_t at = phys; at < phys + size; at += SIM_PAGE_SIZE) {
        if (!is_free(&s->memory.page[at >> SIM_PAGE_SHIFT])) {
            return false;
        }
    }
    return true;
}

/* The first aligned free run in [start, last], 0: none. */
static uint64_t search(const struct sim *s, uint64_t start, uint64_t stop,
                       uint64_t size)
{
    uint64_t at = (start + size - 1) & ~(size - 1);

    while (at + size <= stop) {
        if (run_is_free(s, at, size)) {
            return at;
        }
        at += size;
    }
    return 0;
}

/* Pages come from high RAM if there is some, so that an address cut to 32 bits
 * is noticed; never from the first MiB, so that 0 is no page. */
static uint64_t find_run(struct sim *s, uint64_t size)
{
    struct sim_memory *r = &s->memory;
    uint64_t start = r->high_size > 0 ? SIM_HIGH_START : UINT64_C(0x100000);
    uint64_t phys = 0;

    if (r->next >= start && r->next < r->top) {
        phys = search(s, r->next, r->top, size);
    }
    if (phys == 0) {
        phys = search(s, start, r->top, size);
    }
    if (phys != 0) {
        r->next = phys + size;
    }
    return phys;
}

static bool is_poisoned(const uint8_t *page)
{
    return page[0] == SIM_POISON &&
           memcmp(page, page + 1, SIM_PAGE_SIZE - 1) == 0;
}

/* A freed page must still hold what pages_free put there. */
static void check_poison(struct sim *s, uint64_t phys)
{
    struct sim_page *page = &s->memory.page[phys >> SIM_PAGE_SHIFT];

    if (page->state == SIM_PAGE_FREED && !page->hit && !s->fast &&
        !is_poisoned(s->memory.cpu + phys)) {
        sim_report(s,
                   "page 0x%llx was written after it was freed (page "
                   "allocation %u)",
                   (unsigned long long)phys, page->serial);
        page->hit = true;
    }
}

/* Zeroed as CPUs see it. What a unit sees that does not snoop is rubbish until
 * somebody flushes. */
static void own_run(struct sim *s, uint64_t phys, uint64_t size,
                    enum sim_page_state state)
{
    struct sim_memory *r = &s->memory;

    r->serial++;
    for (uint64_t at = phys; at < phys + size; at += SIM_PAGE_SIZE) {
        struct sim_page *page = &r->page[at >> SIM_PAGE_SHIFT];

        check_poison(s, at);
        page->state = (uint8_t)state;
        page->serial = r->serial;
        page->first = at == phys;
        page->hit = false;
        page->status = false;
    }
    memset(r->cpu + phys, 0, size);
    if (s->non_coherent) {
        memset(r->uncached + phys, SIM_POISON, size);
    }
}

static void disown_run(struct sim *s, uint64_t phys, uint64_t size)
{
    struct sim_memory *r = &s->memory;

    for (uint64_t at = phys; at < phys + size; at += SIM_PAGE_SIZE) {
        r->page[at >> SIM_PAGE_SHIFT].state = SIM_PAGE_FREED;
    }
    if (s->fast) {
        return;
    }
    memset(r->cpu + phys, SIM_POISON, size);
    if (s->non_coherent) {
        memset(r->uncached + phys, SIM_POISON, size);
    }
}

/* ---- the host's pages ---------------------------------------------------- */

void *sim_pages_alloc(void *ctx, unsigned order, unsigned flags, uint64_t *phys)
{
    struct sim *s = ctx;
    uint64_t size = UINT64_C(1) << (SIM_PAGE_SHIFT + order);
    uint64_t at;

    if ((flags & UIOMMU_PAGES_ATOMIC) == 0) {
        sim_sleeps(s, "pages_alloc without UIOMMU_PAGES_ATOMIC");
    }
    if (sim_inject(s)) {
        return NULL;
    }
    pthread_mutex_lock(&s->memory.lock);
    at = find_run(s, size);
    if (at != 0) {
        own_run(s, at, size, SIM_PAGE_LIVE);
        s->memory.page[at >> SIM_PAGE_SHIFT].order = (uint8_t)order;
    }
    pthread_mutex_unlock(&s->memory.lock);
    if (at == 0) {
        return NULL;
    }
    SIM_COUNT(s, page_blocks, 1);
    SIM_COUNT(s, pages, 1u << order);
    *phys = at;
    return s->memory.cpu + at;
}

/* What is wrong with giving back this block, or NULL. */
static const char *wrong_free(struct sim *s, const void *virt, uint64_t phys,
                              unsigned order)
{
    const struct sim_page *page;

    if (!sim_is_ram(s, phys, SIM_PAGE_SIZE) || phys % SIM_PAGE_SIZE != 0) {
        return "no page has that address";
    }
    if (s->memory.cpu + phys != (const uint8_t *)virt) {
        return "virt and phys do not belong together";
    }
    page = &s->memory.page[phys >> SIM_PAGE_SHIFT];
    if (page->state == SIM_PAGE_FREED) {
        return "it is free already";
    }
    if (page->state != SIM_PAGE_LIVE || !page->first) {
        return "pages_alloc did not give it";
    }
    return page->order == order ? NULL : "it was allocated with another order";
}

void sim_pages_free(void *ctx, void *virt, uint64_t phys, unsigned order)
{
    struct sim *s = ctx;
    const char *wrong;

    pthread_mutex_lock(&s->memory.lock);
    wrong = wrong_free(s, virt, phys, order);
    if (wrong == NULL) {
        disown_run(s, phys, UINT64_C(1) << (SIM_PAGE_SHIFT + order));
    }
    pthread_mutex_unlock(&s->memory.lock);
    if (wrong != NULL) {
        sim_report(s, "pages_free of 0x%llx, order %u: %s",
                   (unsigned long long)phys, order, wrong);
        return;
    }
    SIM_COUNT(s, page_blocks, -1u);
    SIM_COUNT(s, pages, -(1u << order));
}

void *sim_phys_to_virt(void *ctx, uint64_t phys)
{
    struct sim *s = ctx;

    if (!sim_is_ram(s, phys, 1) ||
        s->memory.page[phys >> SIM_PAGE_SHIFT].state < SIM_PAGE_TEST) {
        sim_report(s, "phys_to_virt of 0x%llx, which pages_alloc did not give",
                   (unsigned long long)phys);
    } else if (s->memory.page[phys >> SIM_PAGE_SHIFT].state == SIM_PAGE_FREED) {
        sim_report(s, "phys_to_virt of 0x%llx, which was freed",
                   (unsigned long long)phys);
    }
    return s->memory.cpu + phys;
}

/* ---- a former owner's ----------------------------------------------------- */

/* All of it is RAM that somebody has. */
static bool is_owned(const struct sim *s, uint64_t phys, size_t size)
{
    if (!sim_is_ram(s, phys, size)) {
        return false;
    }
    for (uint64_t at = phys; at < phys + size; at += SIM_PAGE_SIZE) {
        if (is_free(&s->memory.page[at >> SIM_PAGE_SHIFT])) {
            return false;
        }
    }
    return true;
}

/* The view of these bytes; of none, for size 0: one that is free. */
static struct sim_view *find_view(struct sim *s, const void *virt, size_t size)
{
    for (unsigned i = 0; i < SIM_VIEWS; i++) {
        struct sim_view *view = &s->memory.view[i];

        if (view->size == size && (size == 0 || view->virt == virt)) {
            return view;
        }
    }
    return NULL;
}

static bool open_view(struct sim *s, const void *virt, size_t size)
{
    struct sim_view *view;

    pthread_mutex_lock(&s->memory.lock);
    view = find_view(s, NULL, 0);
    if (view != NULL) {
        *view = (struct sim_view){ virt, size };
    }
    pthread_mutex_unlock(&s->memory.lock);
    return view != NULL;
}

const void *sim_memory_map(void *ctx, uint64_t phys, size_t size)
{
    struct sim *s = ctx;
    bool fits = phys % SIM_PAGE_SIZE == 0 && size > 0 && size <= SIM_VIEW_MAX;

    sim_sleeps(s, "memory_map");
    if (!fits || (!s->hostile && !is_owned(s, phys, size))) {
        sim_report(s, "memory_map of 0x%llx, %zu bytes: nobody has these",
                   (unsigned long long)phys, size);
        return NULL;
    }
    if (!is_owned(s, phys, size) || sim_inject(s)) {
        return NULL;
    }
    if (!open_view(s, s->memory.cpu + phys, size)) {
        sim_report(s, "memory_map: more than %d at a time", SIM_VIEWS);
        return NULL;
    }
    SIM_COUNT(s, memory_maps, 1);
    SIM_COUNT(s, memory_mapped, size);
    return s->memory.cpu + phys;
}

void sim_memory_unmap(void *ctx, const void *virt, size_t size)
{
    struct sim *s = ctx;
    struct sim_view *view = NULL;

    pthread_mutex_lock(&s->memory.lock);
    if (size > 0) {
        view = find_view(s, virt, size);
    }
    if (view != NULL) {
        view->size = 0;
    }
    pthread_mutex_unlock(&s->memory.lock);
    if (view == NULL) {
        sim_report(s, "memory_unmap of what memory_map did not give");
        return;
    }
    SIM_COUNT(s, memory_maps, -1u);
}

void sim_hostile(struct machine *m, bool on)
{
    sim_of(m)->hostile = on;
}

/* How many there are. */
static unsigned each_page(struct sim *s, enum sim_page_state from,
                          void (*fn)(struct sim *s, uint64_t phys))
{
    unsigned n = 0;

    pthread_mutex_lock(&s->memory.lock);
    for (uint64_t at = 0; at < s->memory.top; at += SIM_PAGE_SIZE) {
        if (s->memory.page[at >> SIM_PAGE_SHIFT].state == from) {
            fn(s, at);
            n++;
        }
    }
    pthread_mutex_unlock(&s->memory.lock);
    return n;
}

static void leave_page(struct sim *s, uint64_t phys)
{
    struct sim_page *page = &s->memory.page[phys >> SIM_PAGE_SHIFT];

    page->state = SIM_PAGE_LEFT;
    SIM_COUNT(s, pages, -1u);
    SIM_COUNT(s, page_blocks, page->first ? -1u : 0);
}

static void reclaim_page(struct sim *s, uint64_t phys)
{
    disown_run(s, phys, SIM_PAGE_SIZE);
}

unsigned sim_hand_over(struct machine *m)
{
    return each_page(sim_of(m), SIM_PAGE_LIVE, leave_page);
}

void sim_reclaim(struct machine *m)
{
    (void)each_page(sim_of(m), SIM_PAGE_LEFT, reclaim_page);
}

/* ---- firmware and tests -------------------------------------------------- */

void sim_pages_keep(struct sim *s, uint64_t start, uint64_t size)
{
    for (uint64_t at = start; at < start + size; at += SIM_PAGE_SIZE) {
        if (sim_is_ram(s, at, SIM_PAGE_SIZE)) {
            s->memory.page[at >> SIM_PAGE_SHIFT].state = SIM_PAGE_KEPT;
        }
    }
}

uint64_t sim_ram_alloc(struct machine *m, uint64_t size)
{
    struct sim *s = sim_of(m);
    uint64_t run = run_of(size);
    uint64_t phys;

    pthread_mutex_lock(&s->memory.lock);
    phys = find_run(s, run);
    if (phys != 0) {
        own_run(s, phys, run, SIM_PAGE_TEST);
        memset(s->memory.uncached + phys, 0, run);
    }
    pthread_mutex_unlock(&s->memory.lock);
    return phys;
}

void sim_ram_free(struct machine *m, uint64_t phys, uint64_t size)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->memory.lock);
    if (sim_is_ram(s, phys, run_of(size)) &&
        s->memory.page[phys >> SIM_PAGE_SHIFT].state == SIM_PAGE_TEST) {
        disown_run(s, phys, run_of(size));
    }
    pthread_mutex_unlock(&s->memory.lock);
}

/* ---- at the end ---------------------------------------------------------- */

static void check_page(struct sim *s, uint64_t phys)
{
    const struct sim_page *page = &s->memory.page[phys >> SIM_PAGE_SHIFT];

    check_poison(s, phys);
    if (page->state == SIM_PAGE_LIVE && page->first) {
        sim_report(s, "leak: 2^%u pages at 0x%llx (page allocation %u)",
                   page->order, (unsigned long long)phys, page->serial);
    }
}

/* Serial numbers count sim_ram_alloc() too, and tell the same run by run. */
void sim_pages_check(struct sim *s)
{
    struct sim_memory *r = &s->memory;

    pthread_mutex_lock(&r->lock);
    for (uint64_t at = 0; at < r->top; at += SIM_PAGE_SIZE) {
        if (at == r->low_size) {
            at = SIM_HIGH_START;
        }
        if (at < r->top) {
            check_page(s, at);
        }
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- what is in them ----------------------------------------------------- */

static uint64_t mix(uint64_t digest, uint64_t word)
{
    return (digest ^ word) * UINT64_C(0x9e3779b97f4a7c15) + (digest >> 29);
}

static uint64_t page_digest(const struct sim *s, uint64_t phys, uint64_t ignore)
{
    const uint64_t *word = (const void *)(s->memory.cpu + phys);
    uint64_t digest = mix(0, phys);

    for (unsigned i = 0; i < SIM_PAGE_SIZE / 8; i++) {
        digest = mix(digest, word[i] & ~ignore);
    }
    return digest;
}

uint64_t sim_pages_digest(struct machine *m, struct uiommu_range but,
                          uint64_t ignore)
{
    struct sim *s = sim_of(m);
    uint64_t digest = 0;

    pthread_mutex_lock(&s->memory.lock);
    for (uint64_t at = 0; at < s->memory.top; at += SIM_PAGE_SIZE) {
        const struct sim_page *page = &s->memory.page[at >> SIM_PAGE_SHIFT];

        if (page->state == SIM_PAGE_LIVE && !page->status &&
            at - but.iova >= but.size) {
            digest = mix(digest, page_digest(s, at, ignore));
        }
    }
    pthread_mutex_unlock(&s->memory.lock);
    return digest;
}
