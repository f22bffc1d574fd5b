/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "memory_host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/store.h"

enum { PAGE = 4096, WORDS = PAGE / 8, LINE = 64 };

/* 4 KiB of the pool. */
struct page {
    bool live;
    unsigned order;   /* of the block that it is in, */
    unsigned first;   /*   and where that begins */
    unsigned flushed; /* number of the last flush that reached it */
};

struct memory_host {
    struct uiommu_host api;
    struct memory_host_config config;
    unsigned char *pool;
    unsigned char *device; /* what the device sees; NULL: the pool          */
    pthread_mutex_t lock;  /* everything below                              */
    struct page *page;
    unsigned total;        /* of 4 KiB: pages, behind them blocks           */
    unsigned *free_pages;  /* ring of page numbers, oldest first            */
    unsigned first_free, n_free;
    unsigned next_block;   /* where the search for a free block begins      */
    unsigned live_pages, live_other, allocated;
    unsigned fail_in, could_fail;
    unsigned flushes, fenced; /* flushes so far, and at the last fence      */
    bool lose_flushes, threads;
    void (*interrupt)(void *ctx);
    void *interrupt_ctx;
    unsigned violations;
    char violation[160];
};

static _Thread_local unsigned spins_held;

#define COMPLAIN(m, ...)                                                       \
    do {                                                                       \
        if ((m)->violations++ == 0)                                            \
            snprintf((m)->violation, sizeof((m)->violation), __VA_ARGS__);     \
    } while (0)

static void lock(struct memory_host *m)
{
    pthread_mutex_lock(&m->lock);
}

static void unlock(struct memory_host *m)
{
    pthread_mutex_unlock(&m->lock);
}

static void check_context(struct memory_host *m, const char *call)
{
    if (spins_held > 0)
        COMPLAIN(m, "%s under a spin lock", call);
}

static bool fails(struct memory_host *m)
{
    m->could_fail++;
    return m->fail_in > 0 && --m->fail_in == 0;
}

/* ---- addresses ----------------------------------------------------------- */

/* Of 4 KiB pages. Behind the pages there are the blocks, in the same order. */
static unsigned pages_end(const struct memory_host *m)
{
    return m->config.n_pages << m->config.order;
}

/* The order of bus addresses: an odd factor permutes a power of two. */
static unsigned swap_order(const struct memory_host *m, unsigned n)
{
    unsigned order = m->config.order, low = n & ((1u << order) - 1);

    if (m->config.direct || n >= pages_end(m))
        return n;
    return (((n >> order) * 25u + 11u) % m->config.n_pages) << order | low;
}

static unsigned unswap_order(const struct memory_host *m, unsigned n)
{
    unsigned order = m->config.order, low = n & ((1u << order) - 1);
    unsigned inverse = 25u, i;

    if (m->config.direct || n >= pages_end(m))
        return n;
    for (i = 0; i < 5; i++) /* Newton: the inverse of 25 modulo 2^32 */
        inverse *= 2u - 25u * inverse;
    n = ((n >> order) - 11u) * inverse % m->config.n_pages;
    return n << order | low;
}

static uint64_t phys_of(const struct memory_host *m, unsigned n)
{
    return m->config.phys + (uint64_t)swap_order(m, n) * PAGE;
}

bool memory_host_is_page(struct memory_host *m, uint64_t phys)
{
    return phys >= m->config.phys && (phys - m->config.phys) / PAGE < m->total;
}

static unsigned number_of(const struct memory_host *m, uint64_t phys)
{
    return unswap_order(m, (unsigned)((phys - m->config.phys) / PAGE));
}

static _Atomic uint64_t *words_of(const struct memory_host *m, unsigned n)
{
    return (_Atomic uint64_t *)(void *)(m->pool + (size_t)n * PAGE);
}

static uint64_t *seen_words(const struct memory_host *m, unsigned n)
{
    return (uint64_t *)(void *)(m->device + (size_t)n * PAGE);
}

/* ---- pages --------------------------------------------------------------- */

/* Word by word, for other threads may be reading a page that became one. */
static void *hand_out(struct memory_host *m, unsigned first, unsigned order)
{
    _Atomic uint64_t *words = words_of(m, first);
    size_t size = (size_t)PAGE << order, i;
    unsigned n;

    mprotect((void *)words, size, PROT_READ | PROT_WRITE);
    for (i = 0; i < size / 8; i++)
        atomic_store_explicit(&words[i], 0, memory_order_relaxed);
    if (m->device)
        memset(seen_words(m, first), 0xa5, size);
    for (n = first; n < first + (1u << order); n++)
        m->page[n] =
            (struct page){ .live = true, .order = order, .first = first };
    m->live_pages++;
    m->allocated++;
    return (void *)words;
}

/* A free block among those, next to the one before, or NULL. */
static void *take_block(struct memory_host *m, unsigned order, unsigned *first)
{
    unsigned end = pages_end(m), n = m->total - end, size = 1u << order;
    unsigned tries, at, i;

    for (tries = 0; tries < n >> order; tries++) {
        at = end + m->next_block % n;
        m->next_block = (m->next_block + size) / size * size;
        at = end + (at - end) / size * size;
        for (i = 0; i < size && !m->page[at + i].live; i++)
            continue;
        if (i < size)
            continue;
        *first = at;
        return hand_out(m, at, order);
    }
    return NULL;
}

static void *take_page(struct memory_host *m, unsigned *first)
{
    if (m->n_free == 0)
        return NULL;
    *first = m->free_pages[m->first_free] << m->config.order;
    m->first_free = (m->first_free + 1) % m->config.n_pages;
    m->n_free--;
    return hand_out(m, *first, m->config.order);
}

static void *pages_alloc(void *ctx, unsigned order, unsigned flags,
                         uint64_t *phys)
{
    struct memory_host *m = ctx;
    void *virt = NULL;
    unsigned first;

    lock(m);
    check_context(m, "pages_alloc");
    if (order < m->config.order || order > m->config.order + m->config.n_large)
        COMPLAIN(m, "pages_alloc of order %u", order);
    if (!(flags & UIOMMU_PAGES_ATOMIC))
        COMPLAIN(m, "pages_alloc may sleep");
    if (!fails(m))
        virt = order == m->config.order ? take_page(m, &first)
                                        : take_block(m, order, &first);
    if (virt)
        *phys = phys_of(m, first);
    unlock(m);
    return virt;
}

static void give_back(struct memory_host *m, unsigned first, unsigned order)
{
    unsigned n;

    for (n = first; n < first + (1u << order); n++)
        m->page[n].live = false;
    m->live_pages--;
    mprotect((void *)words_of(m, first), (size_t)PAGE << order, PROT_NONE);
    if (first < pages_end(m))
        m->free_pages[(m->first_free + m->n_free++) % m->config.n_pages] =
            first >> order;
}

static void pages_free(void *ctx, void *virt, uint64_t phys, unsigned order)
{
    struct memory_host *m = ctx;
    unsigned n = number_of(m, phys);

    lock(m);
    check_context(m, "pages_free");
    if (!memory_host_is_page(m, phys) || phys % PAGE ||
        virt != (void *)words_of(m, n) || !m->page[n].live ||
        m->page[n].first != n || m->page[n].order != order)
        COMPLAIN(m, "pages_free of %#llx, which is no live page",
                 (unsigned long long)phys);
    else
        give_back(m, n, order);
    unlock(m);
}

/* Without the lock: it is called at each step of each walk. */
static void *phys_to_virt(void *ctx, uint64_t phys)
{
    struct memory_host *m = ctx;

    if (!memory_host_is_page(m, phys)) {
        fprintf(stderr, "phys_to_virt(%#llx)\n", (unsigned long long)phys);
        abort();
    }
    return (char *)words_of(m, number_of(m, phys)) + phys % PAGE;
}

void *memory_host_virt(struct memory_host *m, uint64_t phys)
{
    return phys_to_virt(m, phys);
}

/* ---- caches -------------------------------------------------------------- */

/* Whether the device sees the block that page n is in as it is. */
static bool sees(const struct memory_host *m, unsigned n)
{
    unsigned first = m->page[n].first;
    size_t words = (size_t)WORDS << m->page[n].order, i;

    for (i = 0; i < words; i++)
        if (seen_words(m, first)[i] !=
            atomic_load_explicit(&words_of(m, first)[i], memory_order_relaxed))
            return false;
    return true;
}

/* The last flush that reached it. */
static unsigned flushed(const struct memory_host *m, unsigned n)
{
    unsigned first = m->page[n].first, last = 0, i;

    for (i = first; i < first + (1u << m->page[n].order); i++)
        if (m->page[i].flushed > last)
            last = m->page[i].flushed;
    return last;
}

/* A word became visible to the device. If it leads to a page of the pool, that
 * has to be visible already, and a fence has to lie between the two.         */
static void check_link(struct memory_host *m, uint64_t word)
{
    uint64_t phys = word & UINT64_C(0x000ffffffffff000);
    unsigned n = number_of(m, phys);

    if (m->threads || (word & 7) == 0 || !memory_host_is_page(m, phys))
        return;
    if (!m->page[n].live)
        COMPLAIN(m, "a link to a free page, %#llx", (unsigned long long)phys);
    else if (!sees(m, n))
        COMPLAIN(m, "a link to %#llx before what is there",
                 (unsigned long long)phys);
    else if (flushed(m, n) > m->fenced)
        COMPLAIN(m, "no fence between %#llx and its link",
                 (unsigned long long)phys);
}

static void flush_line(struct memory_host *m, unsigned n, unsigned word)
{
    unsigned i;

    for (i = word; i < word + LINE / 8; i++) {
        uint64_t old = seen_words(m, n)[i];
        uint64_t now =
            atomic_load_explicit(&words_of(m, n)[i], memory_order_relaxed);

        seen_words(m, n)[i] = now;
        if (now != old)
            check_link(m, uim_le64(now));
    }
}

static void flush(void *ctx, const void *virt, size_t size)
{
    struct memory_host *m = ctx;
    size_t start = (size_t)((const unsigned char *)virt - m->pool);
    size_t line;

    lock(m);
    if (start + size > (size_t)m->total * PAGE || size == 0) {
        COMPLAIN(m, "flush of %p", virt);
    } else if (m->device && !m->lose_flushes) {
        m->flushes++;
        for (line = start / LINE; line <= (start + size - 1) / LINE; line++) {
            flush_line(m, (unsigned)(line * LINE / PAGE),
                       (unsigned)(line * LINE % PAGE / 8));
            m->page[line * LINE / PAGE].flushed = m->flushes;
        }
    }
    unlock(m);
    if (m->interrupt)
        m->interrupt(m->interrupt_ctx);
}

static void fence(void *ctx)
{
    struct memory_host *m = ctx;

    atomic_thread_fence(memory_order_seq_cst);
    lock(m);
    m->fenced = m->flushes;
    unlock(m);
    if (m->interrupt)
        m->interrupt(m->interrupt_ctx);
}

bool memory_host_seen(struct memory_host *m, uint64_t phys)
{
    unsigned n = number_of(m, phys);
    bool seen;

    lock(m);
    seen = !m->device || (sees(m, n) && flushed(m, n) <= m->fenced);
    unlock(m);
    return seen;
}

static bool read_word(struct memory_host *m, bool device, uint64_t phys,
                      uint64_t *value)
{
    unsigned n, word = (unsigned)(phys % PAGE / 8);
    bool ok = false;

    if (!memory_host_is_page(m, phys))
        return false;
    lock(m);
    n = number_of(m, phys);
    if (!m->page[n].live) {
        COMPLAIN(m, "read of free page %#llx", (unsigned long long)phys);
    } else {
        ok = true;
        *value = device && m->device
                     ? seen_words(m, n)[word]
                     : atomic_load_explicit(&words_of(m, n)[word],
                                            memory_order_relaxed);
        *value = uim_le64(*value);
    }
    unlock(m);
    return ok;
}

bool memory_host_device_read(void *m, uint64_t phys, uint64_t *value)
{
    return read_word(m, true, phys, value);
}

bool memory_host_cpu_read(void *m, uint64_t phys, uint64_t *value)
{
    return read_word(m, false, phys, value);
}

/* ---- bytes and locks ----------------------------------------------------- */

static void *counted(struct memory_host *m, const char *call, size_t size)
{
    void *p = NULL;

    lock(m);
    check_context(m, call);
    if (!fails(m)) {
        p = malloc(size);
        m->live_other++;
    }
    unlock(m);
    return p;
}

static void uncounted(struct memory_host *m, const char *call, void *p)
{
    lock(m);
    check_context(m, call);
    m->live_other--;
    unlock(m);
    free(p);
}

static void *bytes_alloc(void *ctx, size_t size)
{
    void *p = counted(ctx, "alloc", size);

    if (p)
        memset(p, 0xc3, size);
    return p;
}

static void bytes_free(void *ctx, void *p, size_t size)
{
    (void)size;
    uncounted(ctx, "free", p);
}

static void *spin_create(void *ctx)
{
    pthread_mutex_t *spin = counted(ctx, "spin_create", sizeof(*spin));

    if (spin)
        pthread_mutex_init(spin, NULL);
    return spin;
}

static void spin_destroy(void *ctx, void *spin)
{
    pthread_mutex_destroy(spin);
    uncounted(ctx, "spin_destroy", spin);
}

static void spin_lock(void *ctx, void *spin)
{
    (void)ctx;
    pthread_mutex_lock(spin);
    spins_held++;
}

static void spin_unlock(void *ctx, void *spin)
{
    (void)ctx;
    spins_held--;
    pthread_mutex_unlock(spin);
}

/* ---- open and close ------------------------------------------------------ */

static void fill_api(struct memory_host *m)
{
    m->api = (struct uiommu_host){
        .size = sizeof(m->api),
        .ctx = m,
        .alloc = bytes_alloc,
        .free = bytes_free,
        .pages_alloc = pages_alloc,
        .pages_free = pages_free,
        .flush = m->config.coherent ? NULL : flush,
        .fence = fence,
        .spin_create = spin_create,
        .spin_destroy = spin_destroy,
        .spin_lock = spin_lock,
        .spin_unlock = spin_unlock,
    };
    if (m->config.direct) {
        m->api.direct_map = true;
        m->api.direct_offset = (uint64_t)(uintptr_t)m->pool - m->config.phys;
    } else {
        m->api.phys_to_virt = phys_to_virt;
    }
}

struct memory_host *memory_host_open(const struct memory_host_config *config)
{
    struct memory_host *m = calloc(1, sizeof(*m));
    unsigned large = config->n_large > 0 ? 1u << config->n_large : 0, i;
    size_t size;

    m->config = *config;
    m->total = (config->n_pages + large) << config->order;
    size = (size_t)m->total * PAGE;
    if (m->config.phys == 0 && !m->config.from_zero)
        m->config.phys = UINT64_C(0x1000000000);
    m->pool = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m->pool == MAP_FAILED)
        abort();
    if (!config->coherent)
        m->device = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&m->lock, NULL);
    m->page = calloc(m->total, sizeof(*m->page));
    m->free_pages = calloc(config->n_pages, sizeof(*m->free_pages));
    m->n_free = config->n_pages;
    for (i = 0; i < config->n_pages; i++)
        m->free_pages[i] = i;
    fill_api(m);
    return m;
}

void memory_host_close(struct memory_host *m)
{
    size_t size = (size_t)m->total * PAGE;

    munmap(m->pool, size);
    if (m->device)
        munmap(m->device, size);
    pthread_mutex_destroy(&m->lock);
    free(m->page);
    free(m->free_pages);
    free(m);
}

const struct uiommu_host *memory_host_api(struct memory_host *m)
{
    return &m->api;
}

/* ---- questions ----------------------------------------------------------- */

unsigned memory_host_live(struct memory_host *m)
{
    return m->live_pages + m->live_other;
}

unsigned memory_host_live_pages(struct memory_host *m)
{
    return m->live_pages;
}

unsigned memory_host_allocated(struct memory_host *m)
{
    return m->allocated;
}

void memory_host_fail(struct memory_host *m, unsigned nth)
{
    m->fail_in = nth;
    m->could_fail = 0;
}

unsigned memory_host_could_fail(struct memory_host *m)
{
    return m->could_fail;
}

unsigned memory_host_violations(struct memory_host *m)
{
    return m->violations;
}

const char *memory_host_violation(struct memory_host *m)
{
    return m->violation;
}

void memory_host_forgive(struct memory_host *m)
{
    m->violations = 0;
    m->violation[0] = '\0';
}

void memory_host_interrupt(struct memory_host *m, void (*fn)(void *ctx),
                           void *ctx)
{
    m->interrupt = fn;
    m->interrupt_ctx = ctx;
}

void memory_host_threads(struct memory_host *m)
{
    m->threads = true;
}

void memory_host_lose_flushes(struct memory_host *m, bool lose)
{
    m->lose_flushes = lose;
}
