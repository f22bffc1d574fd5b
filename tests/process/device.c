/* SPDX-License-Identifier: MIT */
/* device.c - see child.h. */
#include "tests/process/child.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* ---- what the process's mappings do to it ------------------------------------ */

static void stop(void *ctx)
{
    struct device *d = ctx;

    atomic_fetch_add(&d->stops, 1);
    if (d->on_stop)
        d->on_stop(d);
    if (d->running)
        return;
    atomic_store(&d->stopping, true);
    pthread_mutex_lock(&d->busy);
}

static void go(void *ctx)
{
    struct device *d = ctx;

    if (d->running)
        return;
    pthread_mutex_unlock(&d->busy);
    atomic_store(&d->stopping, false);
}

static void grant(void *ctx, uint64_t first, uint64_t last, unsigned rights)
{
    struct device *d = ctx;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        if (d->tlb[i].first == first)
            d->tlb[i].rights = 0;
    d->tlb[d->next++ % TLB_ENTRIES] =
        (struct translation){ first, last, rights };
    pthread_mutex_unlock(&d->lock);
    atomic_fetch_add(&d->grants, 1);
}

static bool invalidate(void *ctx, uint64_t first, uint64_t last)
{
    struct device *d = ctx;

    if (d->on_invalidate)
        d->on_invalidate(d);
    atomic_fetch_add(&d->invalidations, 1);
    if (d->deaf || d->asleep)
        return !d->asleep;
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        if (d->tlb[i].first <= last && d->tlb[i].last >= first)
            d->tlb[i].rights = 0;
    pthread_mutex_unlock(&d->lock);
    return true;
}

static bool exited(void *ctx)
{
    struct device *d = ctx;

    atomic_fetch_add(&d->ends, 1);
    return !d->asleep;
}

void device_init(struct device *d)
{
    memset(d, 0, sizeof(*d));
    d->ops = (struct process_ops){ stop, go, grant, invalidate, exited };
    pthread_mutex_init(&d->busy, NULL);
    pthread_mutex_init(&d->lock, NULL);
}

/* ---- what it does ------------------------------------------------------------ */

static bool look_up(struct device *d, uint64_t va, unsigned access)
{
    bool found = false;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < TLB_ENTRIES; i++)
        found = found ||
                (d->tlb[i].rights && va >= d->tlb[i].first &&
                 va <= d->tlb[i].last && (access & ~d->tlb[i].rights) == 0);
    pthread_mutex_unlock(&d->lock);
    return found;
}

/* An access begins, when it may. */
static void begin(struct device *d)
{
    while (atomic_load(&d->stopping))
        sched_yield();
    pthread_mutex_lock(&d->busy);
}

bool device_has(struct device *d, uint64_t va)
{
    bool found;

    begin(d);
    found = look_up(d, va, 0);
    pthread_mutex_unlock(&d->busy);
    return found;
}

bool device_loses(struct device *d, uint64_t va)
{
    for (unsigned ms = 0; ms < WAIT_S * 1000; ms++) {
        if (!device_has(d, va))
            return true;
        usleep(1000);
    }
    return false;
}

static enum hit access_va(struct device *d, uint64_t va, void *data,
                          size_t size, bool write)
{
    enum process_status status;

    begin(d);
    for (uint64_t page = va & ~(uint64_t)(PAGE - 1); page < va + size;
         page += PAGE)
        if (!look_up(d, page, write ? UIOMMU_WRITE : UIOMMU_READ)) {
            pthread_mutex_unlock(&d->busy);
            return MISS;
        }
    status = write ? process_write(d->p, va, data, size, NULL)
                   : process_read(d->p, va, data, size, NULL);
    pthread_mutex_unlock(&d->busy);
    return status == PROCESS_OK      ? HIT
           : status == PROCESS_AGAIN ? AGAIN
                                     : FAILED;
}

enum hit device_write(struct device *d, uint64_t va, const void *data,
                      size_t size)
{
    return access_va(d, va, (void *)(uintptr_t)data, size, true);
}

enum hit device_read(struct device *d, uint64_t va, void *data, size_t size)
{
    return access_va(d, va, data, size, false);
}

enum process_status device_fault(struct device *d, uint64_t va, unsigned access)
{
    enum process_status status;

    do {
        status = process_fault(d->p, va, access, NULL);
        if (status == PROCESS_AGAIN)
            sched_yield();
    } while (status == PROCESS_AGAIN);
    return status;
}

static enum process_status transfer(struct device *d, uint64_t va,
                                    uint32_t *value, bool write)
{
    for (unsigned i = 0; i < 1000; i++) {
        enum process_status status;

        if (access_va(d, va, value, sizeof(*value), write) == HIT)
            return PROCESS_OK;
        status = device_fault(d, va, write ? UIOMMU_WRITE : UIOMMU_READ);
        if (status != PROCESS_OK)
            return status;
    }
    return PROCESS_AGAIN;
}

enum process_status device_store(struct device *d, uint64_t va, uint32_t value)
{
    return transfer(d, va, &value, true);
}

enum process_status device_load(struct device *d, uint64_t va, uint32_t *value)
{
    return transfer(d, va, value, false);
}
