/* SPDX-License-Identifier: MIT */
/*
 * cache.h - a set-indexed cache of fixed size, for every table a unit caches.
 *
 * Entries are structs of the caller that begin with a uim_cache_slot. A lookup
 * looks at the ways of one set and at nothing else, whatever the guest does. The
 * caller does the locking and picks the hash; entries that one command has to
 * drop together may share a hash, because only tags decide what is found.
 */
#ifndef UIM_MODEL_CACHE_H
#define UIM_MODEL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/state.h"

struct uim_cache_slot {
    uint64_t tag[2];
    uint32_t used; /* when last, in lookups; 0: free */
};

struct uim_cache {
    unsigned char *slots;
    uint32_t *live; /* by set: how many slots are not free                   */
    uint32_t n;     /* in all sets                                           */
    uint32_t sets;  /* a power of two up to 2^16; 0: caches nothing          */
    uint32_t ways, slot_size;
    uint32_t clock;
    uint64_t evictions;
};

/* False: no memory. `c` is then as after destroy. */
bool uim_cache_create(struct uim_cache *c, const struct uim_model_host *host,
                      uint32_t sets, uint32_t ways, uint32_t slot_size);
void uim_cache_destroy(struct uim_cache *c, const struct uim_model_host *host);

/* NULL: not there. */
void *uim_cache_find(struct uim_cache *c, uint64_t hash, uint64_t tag0,
                     uint64_t tag1);

/* The slot to fill behind these tags: the one that has them, a free one, or the
 * one of the set that was not used for longest. NULL: caches nothing.       */
void *uim_cache_add(struct uim_cache *c, uint64_t hash, uint64_t tag0,
                    uint64_t tag1);

typedef bool (*uim_cache_match)(const void *slot, const void *arg);

/* Frees the slots that match; NULL matches all. */
void uim_cache_drop(struct uim_cache *c, uim_cache_match match,
                    const void *arg);
/* The same, among those with this hash. */
void uim_cache_drop_hash(struct uim_cache *c, uint64_t hash,
                         uim_cache_match match, const void *arg);

/* What is in the slots of a cache, for states. */
struct uim_cache_kind {
    const struct uim_state_field *fields; /* without the tags; last: size 0  */
    uint64_t (*hash)(uint64_t tag0, uint64_t tag1);
    /* A slot was loaded; false: there can be no such slot. */
    bool (*take)(const void *slot, void *arg);
};

/* Visits what is cached. The cache that loads is empty. Which set a slot is in
 * follows from its tags and is no part of the state. */
void uim_cache_state(struct uim_cache *c, struct uim_state *s,
                     const struct uim_cache_kind *kind, void *arg);

#endif
