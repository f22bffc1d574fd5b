/* SPDX-License-Identifier: MIT */
/*
 * store.h, as the hooked build of the library sees it: the plain one of src/base,
 * and after each store, and each exchange that took place, a call of
 * uim_store_seen(), so that a test can look at the machine in between.
 */
#ifndef UIM_TESTS_HOOK_BASE_STORE_H
#define UIM_TESTS_HOOK_BASE_STORE_H

/* Both come under another name, and are wrapped below. */
#define uim_st64  uim_st64_unseen
#define uim_cas64 uim_cas64_unseen
#include "../../../../src/base/store.h"
#undef uim_st64
#undef uim_cas64

#include "../../hook.h"

static inline void uim_st64(uim_word *p, uint64_t v)
{
    uim_st64_unseen(p, v);
    uim_store_seen(p, v);
}

static inline bool uim_cas64(uim_word *p, uint64_t *expect, uint64_t want)
{
    if (!uim_cas64_unseen(p, expect, want))
        return false;
    uim_store_seen(p, want);
    return true;
}

#endif
