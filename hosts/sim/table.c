/* SPDX-License-Identifier: MIT */
/*
 * table.c - the firmware table: the model's own, and what firmware would say of this
 * machine besides, which the architecture adds.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 36,
    LENGTH_AT = 4,
    CHECKSUM_AT = 9,
};

void sim_table_put(uint8_t *p, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

unsigned sim_table_get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

bool sim_table_insert(struct sim *s, size_t at, const uint8_t *bytes,
                      size_t size)
{
    uint8_t *bigger = realloc(s->table, s->table_size + size);

    if (bigger == NULL) {
        return false;
    }
    s->table = bigger;
    memmove(s->table + at + size, s->table + at, s->table_size - at);
    memcpy(s->table + at, bytes, size);
    s->table_size += size;
    return true;
}

void sim_table_seal(uint8_t *table, size_t size)
{
    uint8_t total = 0;

    sim_table_put(table + LENGTH_AT, 4, size);
    table[CHECKSUM_AT] = 0;
    for (size_t i = 0; i < size; i++) {
        total = (uint8_t)(total + table[i]);
    }
    table[CHECKSUM_AT] = (uint8_t)(0 - total);
}

bool sim_any_ats(const struct sim *s)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        if (s->pci.func[i].ats != 0) {
            return true;
        }
    }
    return false;
}

/* Regions are memory that firmware keeps for itself. */
static bool complete(struct sim *s, const struct sim_config *config)
{
    for (unsigned i = 0; i < config->n_regions; i++) {
        if (config->regions[i].function >= s->pci.n) {
            return false;
        }
        sim_pages_keep(s, config->regions[i].start, config->regions[i].size);
    }
    if (s->arch == NULL) {
        return config->n_regions == 0;
    }
    return s->arch->complete(s, config) && s->its == config->its;
}

bool sim_table_open(struct sim *s, const struct sim_config *config)
{
    s->table_size = s->ops->acpi(s->model, NULL, 0);
    s->table = malloc(s->table_size + 1);
    if (s->table == NULL) {
        return false;
    }
    s->ops->acpi(s->model, s->table, s->table_size);
    if (!complete(s, config)) {
        snprintf(s->machine.error, sizeof(s->machine.error),
                 "the firmware table cannot have these regions, or an ITS");
        return false;
    }
    if (s->table_size >= HEADER) {
        sim_table_seal(s->table, s->table_size);
    }
    s->machine.table = s->table_size > 0 ? s->table : NULL;
    s->machine.table_size = s->table_size;
    return true;
}
