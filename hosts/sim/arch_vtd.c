/* SPDX-License-Identifier: MIT */
/*
 * arch_vtd.c - what is VT-d's of a machine: how its unit runs, and what firmware says of
 * it in the DMAR besides the model's own table: an RMRR for each region, and an ATSR if
 * there is ATS (spec/acpi.md section 2). Structures stay in the order of their types.
 */
#include "private.h"

#include <stdio.h>
#include <string.h>

enum {
    DMAR_HEADER = 48,
    RMRR = 1,
    ATSR = 2,
    RMRR_SIZE = 24, /* without scopes */
    SCOPE_SIZE = 6, /* without path */
    MAX_DEPTH = 16,
    MAX_STRUCT = RMRR_SIZE + SCOPE_SIZE + 2 * MAX_DEPTH,
};

/* ---- the unit ------------------------------------------------------------ */

static int args(const struct sim_config *config, char *buf, size_t size)
{
    static const char *const mode[] = {
        [SIM_LEGACY] = "scalable=0",
        [SIM_SCALABLE] = "scalable=1,ss=1,fs=0",
        [SIM_FIRST_STAGE] = "scalable=1,ss=0,fs=1",
    };

    return snprintf(
        buf, size, "base=0x%llx,%s,coherent=%d,cache=%s,cm=%d,dt=%d,prs=%d",
        (unsigned long long)sim_arch_vtd.base, mode[config->mode],
        !config->non_coherent, config->adversarial ? "adversarial" : "normal",
        config->caching_mode, config->ats, config->pri);
}

/* GCMD, CCMD, IQT, FSTS and what invalidates set something off. FECTL, IECTL and PECTL
 * must not unmask. */
static uint32_t rubbish(uint64_t off, uint32_t value, bool *skip)
{
    *skip =
        off == 0x18 || off == 0x28 || off == 0x2c || off == 0xf8 || off == 0xfc;
    return off == 0x38 || off == 0xa0 || off == 0xe0 ? value & 0x7fffffff
                                                     : value;
}

/* ---- the table ----------------------------------------------------------- */

/* Where a structure of `type` goes: before the first of a higher type. */
static size_t place_of(const struct sim *s, unsigned type)
{
    size_t at = DMAR_HEADER;

    while (at + 4 <= s->table_size && sim_table_get16(s->table + at) <= type &&
           sim_table_get16(s->table + at + 2) >= 4) {
        at += sim_table_get16(s->table + at + 2);
    }
    return at < s->table_size ? at : s->table_size;
}

static bool has_type(const struct sim *s, unsigned type)
{
    size_t at = DMAR_HEADER;

    while (at + 4 <= s->table_size && sim_table_get16(s->table + at + 2) >= 4) {
        if (sim_table_get16(s->table + at) == type) {
            return true;
        }
        at += sim_table_get16(s->table + at + 2);
    }
    return false;
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

    sim_table_put(p, 2, RMRR);
    sim_table_put(p + 8, 8, region->start);
    sim_table_put(p + 16, 8, region->start + region->size - 1);
    size += put_scope(p + size, &s->pci.func[region->function]);
    sim_table_put(p + 2, 2, size);
    return sim_table_insert(s, place_of(s, RMRR), p, size);
}

/* Every root port of the segment may have ATS below it. */
static bool add_atsr(struct sim *s)
{
    uint8_t p[8] = { ATSR, 0, sizeof(p), 0, 1 };

    return sim_table_insert(s, place_of(s, ATSR), p, sizeof(p));
}

static bool complete(struct sim *s, const struct sim_config *config)
{
    if (s->table_size < DMAR_HEADER) {
        return config->n_regions == 0;
    }
    for (unsigned i = 0; i < config->n_regions; i++) {
        if (!add_rmrr(s, &config->regions[i])) {
            return false;
        }
    }
    return !sim_any_ats(s) || has_type(s, ATSR) || add_atsr(s);
}

const struct sim_arch sim_arch_vtd = {
    .model = "vtd",
    .base = UINT64_C(0xfed90000),
    .args = args,
    .rubbish = rubbish,
    .complete = complete,
};
