/* SPDX-License-Identifier: MIT */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* pthread_rwlock_t */
#endif

#include "snapshots.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Calls hold `calls` for reading, a snapshot for writing. One set of buffers is
 * enough for all models of the process. */
static pthread_rwlock_t calls = PTHREAD_RWLOCK_INITIALIZER;

struct bytes {
    uint8_t *at;
    size_t size, room, read;
};

static struct bytes before, after;

/* One snapshot of so many: what is not saved stays away for good. */
enum { COMPARED = 8 };

static const struct uie_ops *real(void)
{
    return uiommu_embed(UIE_ABI);
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "snapshot: %s\n", what);
    abort();
}

static int put(void *ctx, const void *buf, size_t len)
{
    struct bytes *b = ctx;

    if (b->room - b->size < len) {
        b->room = 2 * (b->room + len);
        b->at = realloc(b->at, b->room);
        if (b->at == NULL) {
            give_up("no memory");
        }
    }
    memcpy(b->at + b->size, buf, len);
    b->size += len;
    return 0;
}

static int get(void *ctx, void *buf, size_t len)
{
    struct bytes *b = ctx;

    if (b->size - b->read < len) {
        return -1;
    }
    memcpy(buf, b->at + b->read, len);
    b->read += len;
    return 0;
}

static void save(void *m, struct bytes *b)
{
    b->size = 0;
    b->read = 0;
    if (real()->save(m, put, b) != 0) {
        give_up("a model does not save itself");
    }
}

static void compare(void *m)
{
    save(m, &after);
    if (after.size != before.size ||
        memcmp(after.at, before.at, after.size) != 0) {
        give_up("a model is another one after save and load");
    }
}

static void snapshot(void *m)
{
    static unsigned n;

    if (pthread_rwlock_trywrlock(&calls) != 0) {
        return;
    }
    save(m, &before);
    real()->reset(m);
    if (real()->load(m, get, &before) != 0) {
        give_up("a model refuses its own state");
    }
    if (before.read != before.size) {
        give_up("a model does not read all of its state");
    }
    if (n++ % COMPARED == 0) {
        compare(m);
    }
    pthread_rwlock_unlock(&calls);
}

/* ---- the calls ----------------------------------------------------------- */

void sim_snapshot_enter(void *m)
{
    snapshot(m);
    pthread_rwlock_rdlock(&calls);
}

void sim_snapshot_leave(void)
{
    pthread_rwlock_unlock(&calls);
}

static uint64_t mmio_read(void *m, uint32_t window, uint64_t off, uint32_t len)
{
    uint64_t value;

    sim_snapshot_enter(m);
    value = real()->mmio_read(m, window, off, len);
    sim_snapshot_leave();
    return value;
}

static void mmio_write(void *m, uint32_t window, uint64_t off, uint64_t val,
                       uint32_t len)
{
    sim_snapshot_enter(m);
    real()->mmio_write(m, window, off, val, len);
    sim_snapshot_leave();
}

static int translate(void *m, const struct uie_req *req, struct uie_xlat *out)
{
    int result;

    sim_snapshot_enter(m);
    result = real()->translate(m, req, out);
    sim_snapshot_leave();
    return result;
}

static int remap_msi(void *m, uint32_t rid, uint32_t flags, uint64_t addr,
                     uint32_t data, uint64_t *oaddr, uint32_t *odata)
{
    int result;

    sim_snapshot_enter(m);
    result = real()->remap_msi(m, rid, flags, addr, data, oaddr, odata);
    sim_snapshot_leave();
    return result;
}

static int page_request(void *m, const struct uie_page_request *req)
{
    int result;

    sim_snapshot_enter(m);
    result = real()->page_request(m, req);
    sim_snapshot_leave();
    return result;
}

static void devtlb_done(void *m, uint32_t tag, int failed)
{
    sim_snapshot_enter(m);
    real()->devtlb_done(m, tag, failed);
    sim_snapshot_leave();
}

static void counters(void *m, uie_counter_fn fn, void *ctx)
{
    sim_snapshot_enter(m);
    real()->counters(m, fn, ctx);
    sim_snapshot_leave();
}

static struct uie_ops wrapped;

static void wrap(void)
{
    wrapped = *real();
    wrapped.mmio_read = mmio_read;
    wrapped.mmio_write = mmio_write;
    wrapped.translate = translate;
    wrapped.remap_msi = remap_msi;
    wrapped.page_request = page_request;
    wrapped.devtlb_done = devtlb_done;
    wrapped.counters = counters;
}

const struct uie_ops *sim_snapshots(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, wrap);
    return &wrapped;
}
