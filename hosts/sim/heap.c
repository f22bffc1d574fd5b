/* SPDX-License-Identifier: MIT */
/*
 * heap.c - the host's alloc and free. What alloc returns is full of rubbish,
 * has a guard behind it, and must come back once, with its size. Lock: heap.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

enum { GUARD_SIZE = 8, GUARD = 0xc3 };

struct sim_block {
    struct sim_block *next; /* in its bucket */
    uint8_t *ptr;
    size_t size;
    uint32_t serial;
};

static struct sim_block **bucket_of(struct sim *s, const void *ptr)
{
    return &s->heap.bucket[((uintptr_t)ptr >> 4) % SIM_HEAP_BUCKETS];
}

static void remember(struct sim *s, struct sim_block *b)
{
    struct sim_block **bucket = bucket_of(s, b->ptr);

    pthread_mutex_lock(&s->heap.lock);
    s->heap.serial++;
    b->serial = s->heap.serial;
    b->next = *bucket;
    *bucket = b;
    pthread_mutex_unlock(&s->heap.lock);
}

/* The record of ptr, no longer in the table; NULL: there is none. */
static struct sim_block *forget(struct sim *s, const void *ptr)
{
    struct sim_block **at = bucket_of(s, ptr);
    struct sim_block *found;

    pthread_mutex_lock(&s->heap.lock);
    while (*at != NULL && (*at)->ptr != ptr) {
        at = &(*at)->next;
    }
    found = *at;
    if (found != NULL) {
        *at = found->next;
    }
    pthread_mutex_unlock(&s->heap.lock);
    return found;
}

static struct sim_block *block_new(size_t size)
{
    struct sim_block *b = malloc(sizeof(*b));
    uint8_t *ptr = malloc(size + GUARD_SIZE);

    if (b == NULL || ptr == NULL) {
        free(b);
        free(ptr);
        return NULL;
    }
    memset(ptr, SIM_HEAP_FILL, size);
    memset(ptr + size, GUARD, GUARD_SIZE);
    b->ptr = ptr;
    b->size = size;
    return b;
}

void *sim_alloc(void *ctx, size_t size)
{
    struct sim *s = ctx;
    struct sim_block *b;

    sim_sleeps(s, "alloc");
    if (size == 0) {
        sim_report(s, "alloc of 0 bytes");
    }
    if (sim_inject(s)) {
        return NULL;
    }
    b = block_new(size);
    if (b == NULL) {
        return NULL;
    }
    remember(s, b);
    SIM_COUNT(s, allocs, 1);
    SIM_COUNT(s, bytes, size);
    return b->ptr;
}

static bool guard_holds(const struct sim_block *b)
{
    for (size_t i = 0; i < GUARD_SIZE; i++) {
        if (b->ptr[b->size + i] != GUARD) {
            return false;
        }
    }
    return true;
}

static void check_block(struct sim *s, const struct sim_block *b)
{
    if (!guard_holds(b)) {
        sim_report(s,
                   "bytes behind an allocation of %zu were written "
                   "(allocation %u)",
                   b->size, b->serial);
    }
}

void sim_free(void *ctx, void *ptr, size_t size)
{
    struct sim *s = ctx;
    struct sim_block *b = forget(s, ptr);

    sim_sleeps(s, "free");
    if (b == NULL) {
        sim_report(s,
                   "free of %p, which alloc did not give or which was "
                   "freed before",
                   ptr);
        return;
    }
    if (b->size != size) {
        sim_report(s,
                   "free with size %zu of an allocation of %zu bytes "
                   "(allocation %u)",
                   size, b->size, b->serial);
    }
    check_block(s, b);
    SIM_COUNT(s, allocs, -1u);
    SIM_COUNT(s, bytes, -b->size);
    memset(b->ptr, SIM_POISON, b->size);
    free(b->ptr);
    free(b);
}

void sim_heap_check(struct sim *s)
{
    pthread_mutex_lock(&s->heap.lock);
    for (unsigned i = 0; i < SIM_HEAP_BUCKETS; i++) {
        for (struct sim_block *b = s->heap.bucket[i]; b != NULL; b = b->next) {
            check_block(s, b);
            sim_report(s, "leak: %zu bytes (allocation %u)", b->size,
                       b->serial);
        }
    }
    pthread_mutex_unlock(&s->heap.lock);
}

void sim_heap_close(struct sim *s)
{
    for (unsigned i = 0; i < SIM_HEAP_BUCKETS; i++) {
        while (s->heap.bucket[i] != NULL) {
            struct sim_block *b = s->heap.bucket[i];

            s->heap.bucket[i] = b->next;
            free(b->ptr);
            free(b);
        }
    }
}
