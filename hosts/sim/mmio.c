/* SPDX-License-Identifier: MIT */
/*
 * mmio.c - the host's register access. Where nothing is, a mapping reads as all ones;
 * a wrong access of a right mapping is a violation. Windows of a unit may follow each
 * other, and one mapping cover several.
 */
#include "private.h"

#include <stdlib.h>

enum { NO_WINDOW = 4 };

struct sim_mapping {
    struct sim_mapping *next;
    uint64_t phys;
    size_t size;
    bool dead;       /* given back; kept to know it again */
};

/* The window of the model that has all of it, and where in there; or NO_WINDOW. */
static unsigned find_window(const struct sim *s, uint64_t phys, size_t size,
                            uint64_t *offset)
{
    for (unsigned i = 0; i < s->info.n_windows && i < NO_WINDOW; i++) {
        uint64_t base = s->window_base[i];
        uint64_t bytes = s->info.window[i].size;

        if (phys >= base && phys - base < bytes &&
            size <= bytes - (phys - base)) {
            *offset = phys - base;
            return i;
        }
    }
    return NO_WINDOW;
}

void *sim_mmio_map(void *ctx, uint64_t phys, size_t size)
{
    struct sim *s = ctx;
    struct sim_mapping *map;

    sim_sleeps(s, "mmio_map");
    if (sim_inject(s) || size == 0 || sim_is_ram(s, phys, 1)) {
        return NULL;
    }
    map = calloc(1, sizeof(*map));
    if (map == NULL) {
        return NULL;
    }
    map->phys = phys;
    map->size = size;
    pthread_mutex_lock(&s->text_lock);
    map->next = s->mappings;
    s->mappings = map;
    s->count.mmio_maps++;
    pthread_mutex_unlock(&s->text_lock);
    return map;
}

void sim_mmio_unmap(void *ctx, void *mmio, size_t size)
{
    struct sim *s = ctx;
    struct sim_mapping *map = mmio;

    sim_sleeps(s, "mmio_unmap");
    if (map == NULL || map->dead || map->size != size) {
        sim_report(s, "mmio_unmap of %s",
                   map == NULL ? "NULL"
                   : map->dead ? "what was unmapped before"
                               : "what was mapped with another size");
        return;
    }
    map->dead = true;
    SIM_COUNT(s, mmio_maps, -1u);
}

/* ---- accesses ------------------------------------------------------------ */

static bool access_good(struct sim *s, const struct sim_mapping *map,
                        size_t offset, unsigned width)
{
    const char *wrong = NULL;

    if (map == NULL || map->dead) {
        sim_report(s, "register access through %s",
                   map == NULL ? "NULL" : "an unmapped handle");
        return false;
    }
    if (offset % width != 0) {
        wrong = "not aligned";
    } else if (offset >= map->size || map->size - offset < width) {
        wrong = "outside its mapping";
    }
    if (wrong != NULL) {
        sim_report(s, "register access of %u bytes at offset 0x%zx: %s", width,
                   offset, wrong);
    }
    return wrong == NULL;
}

static uint64_t window_read(struct sim *s, const struct sim_mapping *map,
                            size_t offset, unsigned width)
{
    uint64_t at, value;
    unsigned window = find_window(s, map->phys + offset, width, &at);

    if (window == NO_WINDOW) {
        return sim_accel_read(s, map->phys + offset, width);
    }
    if (s->machine.host.relax == NULL) { /* looking is the only way to wait */
        sim_unit_step(s);
    }
    pthread_mutex_lock(&s->unit_lock);
    value = s->ops->mmio_read(s->model, window, at, width);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
    return value;
}

static uint64_t mmio_read(struct sim *s, const struct sim_mapping *map,
                          size_t offset, unsigned width)
{
    if (!access_good(s, map, offset, width)) {
        return ~UINT64_C(0);
    }
    SIM_COUNT(s, mmio_reads, 1);
    if (width == 8 && s->split64) {
        uint64_t low = window_read(s, map, offset, 4);

        return low | window_read(s, map, offset + 4, 4) << 32;
    }
    return window_read(s, map, offset, width);
}

static void window_write(struct sim *s, const struct sim_mapping *map,
                         size_t offset, unsigned width, uint64_t value)
{
    const uint64_t where = map->phys + offset - s->window_base[0];
    uint64_t at;
    unsigned window = find_window(s, map->phys + offset, width, &at);

    if (window == NO_WINDOW) {
        sim_accel_write(s, map->phys + offset, width, value);
        return;
    }
    if (s->watch != NULL) {
        s->watch(s->watch_ctx, SIM_MMIO_WRITE, where, width, value);
    }
    pthread_mutex_lock(&s->unit_lock);
    s->ops->mmio_write(s->model, window, at, value, width);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
    if (s->watch != NULL) {
        s->watch(s->watch_ctx, SIM_MMIO_WRITTEN, where, width, value);
    }
}

static void mmio_write(struct sim *s, const struct sim_mapping *map,
                       size_t offset, unsigned width, uint64_t value)
{
    if (!access_good(s, map, offset, width)) {
        return;
    }
    SIM_COUNT(s, mmio_writes, 1);
    if (width == 8 && s->split64) {
        window_write(s, map, offset, 4, value & UINT32_MAX);
        window_write(s, map, offset + 4, 4, value >> 32);
        return;
    }
    window_write(s, map, offset, width, value);
}

uint32_t sim_mmio_read32(void *ctx, void *mmio, size_t offset)
{
    return (uint32_t)mmio_read(ctx, mmio, offset, 4);
}

uint64_t sim_mmio_read64(void *ctx, void *mmio, size_t offset)
{
    return mmio_read(ctx, mmio, offset, 8);
}

void sim_mmio_write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    mmio_write(ctx, mmio, offset, 4, value);
}

void sim_mmio_write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    mmio_write(ctx, mmio, offset, 8, value);
}

/* ---- at the end ---------------------------------------------------------- */

void sim_mmio_check(struct sim *s)
{
    for (struct sim_mapping *map = s->mappings; map != NULL; map = map->next) {
        if (!map->dead) {
            sim_report(s, "leak: mapping of %zu bytes of registers at 0x%llx",
                       map->size, (unsigned long long)map->phys);
        }
    }
}

void sim_mmio_close(struct sim *s)
{
    while (s->mappings != NULL) {
        struct sim_mapping *map = s->mappings;

        s->mappings = map->next;
        free(map);
    }
}
