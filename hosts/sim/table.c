/* SPDX-License-Identifier: MIT */
/*
 * table.c - the firmware table: the model's own, and what firmware would say of
 * this machine besides: an RMRR for each region, and an ATSR if there is ATS
 * (spec/acpi.md section 2). Structures stay in the order of their types.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_AT = 4,
    CHECKSUM_AT = 9,
    DMAR_HEADER = 48,
    RMRR = 1,
    ATSR = 2,
    RMRR_SIZE = 24, /* without scopes */
    SCOPE_SIZE = 6, /* without path */
    MAX_DEPTH = 16,
    MAX_STRUCT = RMRR_SIZE + SCOPE_SIZE + 2 * MAX_DEPTH,
};

static void put(uint8_t *p, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

static unsigned get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

/* Where a structure of `type` goes: before the first of a higher type. */
static size_t place_of(const struct sim *s, unsigned type)
{
    size_t at = DMAR_HEADER;

    while (at + 4 <= s->table_size && get16(s->table + at) <= type &&
           get16(s->table + at + 2) >= 4) {
        at += get16(s->table + at + 2);
    }
    return at < s->table_size ? at : s->table_size;
}

static bool has_type(const struct sim *s, unsigned type)
{
    size_t at = DMAR_HEADER;

    while (at + 4 <= s->table_size && get16(s->table + at + 2) >= 4) {
        if (get16(s->table + at) == type) {
            return true;
        }
        at += get16(s->table + at + 2);
    }
    return false;
}

static bool insert(struct sim *s, unsigned type, const uint8_t *bytes,
                   size_t size)
{
    uint8_t *bigger = realloc(s->table, s->table_size + size);
    size_t at;

    if (bigger == NULL) {
        return false;
    }
    s->table = bigger;
    at = place_of(s, type);
    memmove(s->table + at + size, s->table + at, s->table_size - at);
    memcpy(s->table + at, bytes, size);
    s->table_size += size;
    return true;
}

/* A device scope for one function: its way down from the root bus. */
static size_t put_scope(uint8_t *p, const struct sim_func *f)
{
    const struct sim_func *way[MAX_DEPTH];
    size_t n = 0;
    size_t size;

    for (const struct sim_func *at = f; at != NULL && n < MAX_DEPTH;
         at = at->parent) {
        way[n++] = at;
    }
    size = SCOPE_SIZE + 2 * n;
    memset(p, 0, size);
    p[0] = sim_is_bridge(f) ? 2 : 1;
    p[1] = (uint8_t)size;
    for (size_t i = 0; i < n; i++) {
        p[SCOPE_SIZE + 2 * i] = way[n - 1 - i]->row.devfn >> 3;
        p[SCOPE_SIZE + 2 * i + 1] = way[n - 1 - i]->row.devfn & 7;
    }
    return size;
}

static bool add_rmrr(struct sim *s, const struct sim_region *region)
{
    uint8_t p[MAX_STRUCT] = { 0 };
    size_t size = RMRR_SIZE;

    put(p, 2, RMRR);
    put(p + 8, 8, region->start);
    put(p + 16, 8, region->start + region->size - 1);
    size += put_scope(p + size, &s->pci.func[region->function]);
    put(p + 2, 2, size);
    return insert(s, RMRR, p, size);
}

/* Every root port of the segment may have ATS below it. */
static bool add_atsr(struct sim *s)
{
    uint8_t p[8] = { ATSR, 0, sizeof(p), 0, 1 };

    return insert(s, ATSR, p, sizeof(p));
}

static void sum(struct sim *s)
{
    uint8_t total = 0;

    put(s->table + LENGTH_AT, 4, s->table_size);
    s->table[CHECKSUM_AT] = 0;
    for (size_t i = 0; i < s->table_size; i++) {
        total = (uint8_t)(total + s->table[i]);
    }
    s->table[CHECKSUM_AT] = (uint8_t)(0 - total);
}

static bool any_ats(const struct sim *s)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        if (s->pci.func[i].ats != 0) {
            return true;
        }
    }
    return false;
}

static bool complete(struct sim *s, const struct sim_config *config)
{
    for (unsigned i = 0; i < config->n_regions; i++) {
        if (config->regions[i].function >= s->pci.n ||
            !add_rmrr(s, &config->regions[i])) {
            return false;
        }
        sim_pages_keep(s, config->regions[i].start, config->regions[i].size);
    }
    if (any_ats(s) && !has_type(s, ATSR) && !add_atsr(s)) {
        return false;
    }
    sum(s);
    return true;
}

bool sim_table_open(struct sim *s, const struct sim_config *config)
{
    bool is_dmar;

    s->table_size = s->ops->acpi(s->model, NULL, 0);
    s->table = malloc(s->table_size + 1);
    if (s->table == NULL) {
        return false;
    }
    s->ops->acpi(s->model, s->table, s->table_size);
    is_dmar = s->table_size >= DMAR_HEADER && memcmp(s->table, "DMAR", 4) == 0;
    if ((!is_dmar && config->n_regions > 0) ||
        (is_dmar && !complete(s, config))) {
        snprintf(s->machine.error, sizeof(s->machine.error),
                 "the firmware table cannot have these regions");
        return false;
    }
    s->machine.table = s->table_size > 0 ? s->table : NULL;
    s->machine.table_size = s->table_size;
    return true;
}
