/* SPDX-License-Identifier: MIT */
#include "model/cache.h"

#include "base/mem.h"

static struct uim_cache_slot *slot_at(const struct uim_cache *c, uint32_t set,
                                      uint32_t way)
{
    size_t n = (size_t)set * c->ways + way;

    return (struct uim_cache_slot *)(void *)(c->slots + n * c->slot_size);
}

/* The high bits of the product depend on all bits of the hash. */
static uint32_t set_of(const struct uim_cache *c, uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 48) &
           (c->sets - 1);
}

/* Never 0, which would mean a free slot. */
static uint32_t tick(struct uim_cache *c)
{
    c->clock++;
    if (c->clock == 0)
        c->clock = 1;
    return c->clock;
}

static size_t slots_bytes(const struct uim_cache *c)
{
    return (size_t)c->sets * c->ways * c->slot_size;
}

bool uim_cache_create(struct uim_cache *c, const struct uim_model_host *host,
                      uint32_t sets, uint32_t ways, uint32_t slot_size)
{
    *c = (struct uim_cache){ .sets = sets,
                             .ways = ways,
                             .slot_size = slot_size };
    if (sets == 0)
        return true;
    c->slots = host->alloc(host->ctx, slots_bytes(c));
    c->live = host->alloc(host->ctx, sets * sizeof(*c->live));
    if (c->slots && c->live)
        return true;
    uim_cache_destroy(c, host);
    return false;
}

void uim_cache_destroy(struct uim_cache *c, const struct uim_model_host *host)
{
    if (c->slots)
        host->free(host->ctx, c->slots, slots_bytes(c));
    if (c->live)
        host->free(host->ctx, c->live, c->sets * sizeof(*c->live));
    *c = (struct uim_cache){ 0 };
}

static struct uim_cache_slot *slot_with(const struct uim_cache *c, uint32_t set,
                                        uint64_t tag0, uint64_t tag1)
{
    for (uint32_t way = 0; way < c->ways; way++) {
        struct uim_cache_slot *s = slot_at(c, set, way);

        if (s->used != 0 && s->tag[0] == tag0 && s->tag[1] == tag1)
            return s;
    }
    return NULL;
}

void *uim_cache_find(struct uim_cache *c, uint64_t hash, uint64_t tag0,
                     uint64_t tag1)
{
    struct uim_cache_slot *s = NULL;

    if (c->sets != 0)
        s = slot_with(c, set_of(c, hash), tag0, tag1);
    if (s)
        s->used = tick(c);
    return s;
}

/* A free slot, else the one not used for longest. */
static struct uim_cache_slot *victim(struct uim_cache *c, uint32_t set)
{
    struct uim_cache_slot *oldest = slot_at(c, set, 0);

    for (uint32_t way = 0; way < c->ways; way++) {
        struct uim_cache_slot *s = slot_at(c, set, way);

        if (s->used == 0) {
            c->live[set]++;
            c->n++;
            return s;
        }
        if (s->used < oldest->used)
            oldest = s;
    }
    c->evictions++;
    return oldest;
}

void *uim_cache_add(struct uim_cache *c, uint64_t hash, uint64_t tag0,
                    uint64_t tag1)
{
    struct uim_cache_slot *s;

    if (c->sets == 0)
        return NULL;
    s = uim_cache_find(c, hash, tag0, tag1);
    if (!s)
        s = victim(c, set_of(c, hash));
    memset(s, 0, c->slot_size);
    s->tag[0] = tag0;
    s->tag[1] = tag1;
    s->used = tick(c);
    return s;
}

static void drop_in_set(struct uim_cache *c, uint32_t set,
                        uim_cache_match match, const void *arg)
{
    for (uint32_t way = 0; c->live[set] != 0 && way < c->ways; way++) {
        struct uim_cache_slot *s = slot_at(c, set, way);

        if (s->used == 0 || (match && !match(s, arg)))
            continue;
        s->used = 0;
        c->live[set]--;
        c->n--;
    }
}

void uim_cache_drop(struct uim_cache *c, uim_cache_match match, const void *arg)
{
    for (uint32_t set = 0; c->n > 0 && set < c->sets; set++)
        drop_in_set(c, set, match, arg);
}

void uim_cache_drop_hash(struct uim_cache *c, uint64_t hash,
                         uim_cache_match match, const void *arg)
{
    if (c->sets != 0)
        drop_in_set(c, set_of(c, hash), match, arg);
}

/* ---- state ------------------------------------------------------------------ */

static const struct uim_state_field cache_fields[] = {
    UIM_STATE_FIELD(uim_cache, clock, UINT32_MAX),
    UIM_STATE_FIELD(uim_cache, evictions, UINT64_MAX),
    { .size = 0 },
};

static const struct uim_state_field slot_fields[] = {
    UIM_STATE_FIELD(uim_cache_slot, used, UINT32_MAX),
    { .size = 0 },
};

static void visit_slot(struct uim_state *s, struct uim_cache_slot *slot,
                       const struct uim_cache_kind *kind)
{
    uim_state_u64(s, &slot->tag[0], UINT64_MAX);
    uim_state_u64(s, &slot->tag[1], UINT64_MAX);
    uim_state_fields(s, slot, slot_fields);
    uim_state_fields(s, slot, kind->fields);
}

static struct uim_cache_slot *free_slot(const struct uim_cache *c, uint32_t set)
{
    for (uint32_t way = 0; c->live[set] < c->ways && way < c->ways; way++) {
        if (slot_at(c, set, way)->used == 0)
            return slot_at(c, set, way);
    }
    return NULL;
}

static uint64_t save_set(struct uim_cache *c, struct uim_state *s, uint32_t set,
                         const struct uim_cache_kind *kind)
{
    for (uint32_t way = 0; way < c->ways; way++) {
        struct uim_cache_slot *slot = slot_at(c, set, way);

        if (slot->used != 0)
            visit_slot(s, slot, kind);
    }
    return c->live[set];
}

/* NULL: its set is full, or has such a slot. */
static struct uim_cache_slot *load_slot(struct uim_cache *c,
                                        struct uim_state *s,
                                        const struct uim_cache_kind *kind)
{
    uint64_t tag[2] = { 0, 0 };
    struct uim_cache_slot *slot;
    uint32_t set;

    uim_state_u64(s, &tag[0], UINT64_MAX);
    uim_state_u64(s, &tag[1], UINT64_MAX);
    set = set_of(c, kind->hash(tag[0], tag[1]));
    slot = slot_with(c, set, tag[0], tag[1]) ? NULL : free_slot(c, set);
    if (!slot)
        return NULL;
    memset(slot, 0, c->slot_size);
    slot->tag[0] = tag[0];
    slot->tag[1] = tag[1];
    uim_state_fields(s, slot, slot_fields);
    uim_state_fields(s, slot, kind->fields);
    if (slot->used == 0)
        return NULL;
    c->live[set]++;
    c->n++;
    return slot; /* newer than the clock if that began anew */
}

void uim_cache_state(struct uim_cache *c, struct uim_state *s,
                     const struct uim_cache_kind *kind, void *arg)
{
    uint64_t left = c->n;

    uim_state_fields(s, c, cache_fields);
    uim_state_u64(s, &left, (uint64_t)c->sets * c->ways);
    for (uint32_t set = 0; !uim_state_loads(s) && left > 0; set++)
        left -= c->live[set] > 0 ? save_set(c, s, set, kind) : 0;
    for (; left > 0 && !s->wrong; left--) {
        const struct uim_cache_slot *slot = load_slot(c, s, kind);

        if (!slot || !kind->take(slot, arg))
            uim_state_refuse(s, "holds a cache entry that cannot be");
    }
}
