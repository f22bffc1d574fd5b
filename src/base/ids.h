/* SPDX-License-Identifier: MIT */
/*
 * ids.h - numbers below n, given out one by one; a bit of `used` is set for each that is
 * out. The caller's lock protects it.
 */
#ifndef UIM_BASE_IDS_H
#define UIM_BASE_IDS_H

#include "base/bits.h"

static inline size_t uim_ids_bytes(uint32_t n)
{
    return (n + 63u) / 64 * sizeof(uint64_t);
}

/* The lowest that is free; n: there is none. */
static inline uint32_t uim_ids_take(uint64_t *used, uint32_t n)
{
    for (uint32_t i = 0; i * 64 < n; i++) {
        uint32_t id;

        if (used[i] == ~UINT64_C(0))
            continue;
        id = i * 64 + uim_ctz(~used[i]);
        if (id >= n)
            break;
        used[i] |= UIM_BIT(id % 64);
        return id;
    }
    return n;
}

static inline void uim_ids_give(uint64_t *used, uint32_t id)
{
    used[id / 64] &= ~UIM_BIT(id % 64);
}

#endif
