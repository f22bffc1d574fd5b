/* SPDX-License-Identifier: MIT */
/*
 * memory.c - RAM as CPUs, devices and the unit see it.
 *
 * On a machine whose unit does not snoop there are two arrays. CPUs store into
 * `cpu`, which stands for their caches; `uncached` is what reached RAM. flush
 * copies whole lines from the first to the second; devices snoop, so their
 * writes go to both. The test door says before each access of the unit whether
 * it snoops (sim_on_fetch), in the thread that makes it.
 */
#define _GNU_SOURCE /* MAP_NORESERVE */
#include "private.h"

#include <string.h>
#include <sys/mman.h>

/* What the door said of the access that comes next in this thread. */
static _Thread_local struct {
    bool unsnooped, recheck;
} next_fetch;

static void *reserve(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* The arrays span the hole below 4 GiB too, so that one offset leads from
 * physical to CPU addresses; what nobody touches costs nothing. */
bool sim_memory_open(struct sim *s)
{
    struct sim_memory *r = &s->memory;

    r->top = r->high_size > 0 ? SIM_HIGH_START + r->high_size : r->low_size;
    r->cpu = reserve(r->top);
    r->uncached = s->non_coherent ? reserve(r->top) : r->cpu;
    r->page = reserve((r->top >> SIM_PAGE_SHIFT) * sizeof(*r->page));
    return r->cpu != NULL && r->uncached != NULL && r->page != NULL;
}

void sim_memory_close(struct sim *s)
{
    struct sim_memory *r = &s->memory;

    if (r->page != NULL) {
        munmap(r->page, (r->top >> SIM_PAGE_SHIFT) * sizeof(*r->page));
    }
    if (r->uncached != NULL && r->uncached != r->cpu) {
        munmap(r->uncached, r->top);
    }
    if (r->cpu != NULL) {
        munmap(r->cpu, r->top);
    }
}

bool sim_is_ram(const struct sim *s, uint64_t phys, uint64_t size)
{
    const struct sim_memory *r = &s->memory;

    if (phys < r->low_size) {
        return size <= r->low_size - phys;
    }
    return phys >= SIM_HIGH_START && phys < r->top && size <= r->top - phys;
}

void *sim_ram(struct machine *m, uint64_t phys, uint64_t size)
{
    struct sim *s = sim_of(m);

    return sim_is_ram(s, phys, size) ? s->memory.cpu + phys : NULL;
}

const void *sim_ram_uncached(struct machine *m, uint64_t phys, uint64_t size)
{
    struct sim *s = sim_of(m);

    return sim_is_ram(s, phys, size) ? s->memory.uncached + phys : NULL;
}

/* ---- copies -------------------------------------------------------------- */

/* The widest access that fits: 8 or 4 bytes where aligned, else one. */
static size_t step(const void *shared, size_t left)
{
    uintptr_t at = (uintptr_t)shared;

    if (left >= 8 && at % 8 == 0) {
        return 8;
    }
    return left >= 4 && at % 4 == 0 ? 4 : 1;
}

static void load(void *dst, const void *src, size_t n)
{
    if (n == 8) {
        uint64_t v = __atomic_load_n((const uint64_t *)src, __ATOMIC_ACQUIRE);

        memcpy(dst, &v, 8);
    } else if (n == 4) {
        uint32_t v = __atomic_load_n((const uint32_t *)src, __ATOMIC_ACQUIRE);

        memcpy(dst, &v, 4);
    } else {
        *(uint8_t *)dst =
            __atomic_load_n((const uint8_t *)src, __ATOMIC_ACQUIRE);
    }
}

static void store(void *dst, const void *src, size_t n)
{
    if (n == 8) {
        uint64_t v;

        memcpy(&v, src, 8);
        __atomic_store_n((uint64_t *)dst, v, __ATOMIC_RELEASE);
    } else if (n == 4) {
        uint32_t v;

        memcpy(&v, src, 4);
        __atomic_store_n((uint32_t *)dst, v, __ATOMIC_RELEASE);
    } else {
        __atomic_store_n((uint8_t *)dst, *(const uint8_t *)src,
                         __ATOMIC_RELEASE);
    }
}

void sim_copy_from(void *dst, const void *src, size_t size)
{
    uint8_t *d = dst;
    const uint8_t *p = src;

    while (size > 0) {
        size_t n = step(p, size);

        load(d, p, n);
        d += n;
        p += n;
        size -= n;
    }
}

void sim_copy_to(void *dst, const void *src, size_t size)
{
    uint8_t *d = dst;
    const uint8_t *p = src;

    while (size > 0) {
        size_t n = step(d, size);

        store(d, p, n);
        d += n;
        p += n;
        size -= n;
    }
}

/* ---- devices ------------------------------------------------------------- */

/* What arrives from the bus is seen by CPUs and is in RAM. */
static void arrive(struct sim *s, uint64_t phys, const void *buf, size_t size)
{
    struct sim_memory *r = &s->memory;

    if (!s->non_coherent) {
        sim_copy_to(r->cpu + phys, buf, size);
        return;
    }
    pthread_mutex_lock(&r->lines);
    sim_copy_to(r->cpu + phys, buf, size);
    sim_copy_to(r->uncached + phys, buf, size);
    pthread_mutex_unlock(&r->lines);
}

void sim_memory_dma(struct sim *s, bool write, uint64_t phys, void *buf,
                    size_t size)
{
    struct sim_memory *r = &s->memory;
    struct sim_page *page = &r->page[phys >> SIM_PAGE_SHIFT];

    if (page->state == SIM_PAGE_FREED && !s->fast) {
        sim_report(s,
                   "a device %s 0x%llx, in a page that was freed "
                   "(page allocation %u)",
                   write ? "wrote to" : "read from", (unsigned long long)phys,
                   page->serial);
        page->hit = page->hit || write;
    }
    if (!write) {
        sim_copy_from(buf, r->cpu + phys, size);
        return;
    }
    arrive(s, phys, buf, size);
}

/* ---- the unit ------------------------------------------------------------ */

void sim_on_fetch(void *ctx, const struct uim_check_fetch *fetch)
{
    struct sim *s = ctx;

    next_fetch.unsnooped = !fetch->snooped;
    next_fetch.recheck = fetch->recheck;
    if (s->user_hooks.on_fetch != NULL) {
        s->user_hooks.on_fetch(s->user_hooks.ctx, fetch);
    }
}

/* Invariant I2: no walker touches memory that uiommu does not own. */
static void check_owner(struct sim *s, uint64_t gpa, uint32_t len,
                        const char *verb)
{
    const struct sim_page *page = &s->memory.page[gpa >> SIM_PAGE_SHIFT];

    if (s->fast) {
        return;
    }
    if (page->state == SIM_PAGE_FREED) {
        sim_report(s,
                   "the unit %s %u bytes at 0x%llx, in a page that was "
                   "freed (page allocation %u)",
                   verb, len, (unsigned long long)gpa, page->serial);
    } else if (page->state == SIM_PAGE_UNUSED) {
        sim_report(s,
                   "the unit %s %u bytes at 0x%llx, in a page that nobody "
                   "allocated",
                   verb, len, (unsigned long long)gpa);
    }
}

static void check_owners(struct sim *s, uint64_t gpa, uint32_t len,
                         const char *verb)
{
    uint64_t last = gpa + (len > 0 ? len - 1 : 0);

    check_owner(s, gpa, len, verb);
    if (gpa >> SIM_PAGE_SHIFT != last >> SIM_PAGE_SHIFT) {
        check_owner(s, last, len, verb);
    }
}

/* Begins an access of the unit: which array it sees, or NULL where is no RAM.
 * What the door said holds for one access. */
static uint8_t *unit_access(struct sim *s, uint64_t gpa, uint32_t len,
                            const char *verb)
{
    uint8_t *view = next_fetch.unsnooped ? s->memory.uncached : s->memory.cpu;
    bool good = sim_is_ram(s, gpa, len);

    if (good && !next_fetch.recheck) {
        check_owners(s, gpa, len, verb);
    }
    next_fetch.unsnooped = false;
    next_fetch.recheck = false;
    return good ? view : NULL;
}

int sim_mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    struct sim *s = opaque;
    const uint8_t *view = unit_access(s, gpa, len, "read");

    if (view == NULL) {
        return -1;
    }
    sim_copy_from(buf, view + gpa, len);
    return 0;
}

int sim_mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    struct sim *s = opaque;

    if (unit_access(s, gpa, len, "wrote") == NULL) {
        return -1;
    }
    s->memory.page[gpa >> SIM_PAGE_SHIFT].status = true;
    arrive(s, gpa, buf, len);
    return 0;
}

static int cas32(void *at, void *expect, const void *want)
{
    uint32_t e, w;
    int done;

    memcpy(&e, expect, 4);
    memcpy(&w, want, 4);
    done = __atomic_compare_exchange_n((uint32_t *)at, &e, w, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    memcpy(expect, &e, 4);
    return done;
}

static int cas64(void *at, void *expect, const void *want)
{
    uint64_t e, w;
    int done;

    memcpy(&e, expect, 8);
    memcpy(&w, want, 8);
    done = __atomic_compare_exchange_n((uint64_t *)at, &e, w, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    memcpy(expect, &e, 8);
    return done;
}

/* No 16 bytes: this machine cannot, as the ABI allows. */
int sim_mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                uint32_t len)
{
    struct sim *s = opaque;
    uint8_t *view = unit_access(s, gpa, len, "exchanged");
    int done;

    if (view == NULL || (len != 4 && len != 8) || gpa % len != 0) {
        return -1;
    }
    done = len == 4 ? cas32(view + gpa, expect, want)
                    : cas64(view + gpa, expect, want);
    if (done == 1 && s->non_coherent) {
        arrive(s, gpa, want, len);
    }
    return done;
}

void *sim_mem_map(void *opaque, uint64_t gpa, uint64_t len)
{
    struct sim *s = opaque;

    return sim_is_ram(s, gpa, len) ? s->memory.cpu + gpa : NULL;
}

/* ---- CPUs ---------------------------------------------------------------- */

void sim_flush(void *ctx, const void *virt, size_t size)
{
    struct sim *s = ctx;
    struct sim_memory *r = &s->memory;
    uint64_t phys = (uint64_t)((const uint8_t *)virt - r->cpu);
    uint64_t first = phys & ~(uint64_t)(SIM_LINE - 1);
    uint64_t bytes =
        (phys + size - first + SIM_LINE - 1) & ~(uint64_t)(SIM_LINE - 1);

    if ((const uint8_t *)virt < r->cpu || !sim_is_ram(s, phys, size)) {
        sim_report(s, "flush of memory that pages_alloc did not give");
        return;
    }
    if (s->non_coherent) {
        uint8_t line[SIM_LINE];

        for (uint64_t at = first; at < first + bytes; at += SIM_LINE) {
            pthread_mutex_lock(&r->lines);
            sim_copy_from(line, r->cpu + at, SIM_LINE);
            sim_copy_to(r->uncached + at, line, SIM_LINE);
            pthread_mutex_unlock(&r->lines);
        }
    }
    SIM_COUNT(s, flushes, 1);
    SIM_COUNT(s, flushed_lines, bytes / SIM_LINE);
    if (s->watch != NULL) {
        s->watch(s->watch_ctx, SIM_FLUSH, phys, size, 0);
    }
}
