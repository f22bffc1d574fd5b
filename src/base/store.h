/* SPDX-License-Identifier: MIT */
/*
 * store.h - the only way to touch a word that hardware or another CPU reads.
 *
 * A shared word is a `uim_word`: 64 bits, little-endian in memory, accessed by
 * exactly one load, store or compare-exchange each. These order nothing but the
 * word itself; order comes from uim_fence_*() with a comment that says why.
 *
 * Tests put another base/store.h earlier on the include path to see each store.
 */
#ifndef UIM_BASE_STORE_H
#define UIM_BASE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint64_t uim_word;

static inline uint64_t uim_le64(uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(v);
#else
    return v;
#endif
}

static inline uint64_t uim_ld64(const uim_word *p)
{
    return uim_le64(atomic_load_explicit(p, memory_order_relaxed));
}

static inline void uim_st64(uim_word *p, uint64_t v)
{
    atomic_store_explicit(p, uim_le64(v), memory_order_relaxed);
}

/* *expect is updated to what was found when the exchange fails. */
static inline bool uim_cas64(uim_word *p, uint64_t *expect, uint64_t want)
{
    uint64_t found = uim_le64(*expect);
    bool done = atomic_compare_exchange_strong_explicit(
        p, &found, uim_le64(want), memory_order_acq_rel, memory_order_acquire);

    *expect = uim_le64(found);
    return done;
}

/* Stores before it are visible before stores after it, to other CPUs. Hardware
 * needs the host's fence() as well: uim_fence() of core/driver.h. */
static inline void uim_fence_release(void)
{
    atomic_thread_fence(memory_order_release);
}

static inline void uim_fence_acquire(void)
{
    atomic_thread_fence(memory_order_acquire);
}

/* Stores before it are visible before loads after it. */
static inline void uim_fence_full(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

#endif
