/* SPDX-License-Identifier: MIT */
/*
 * store.h, as the hooked build of the library sees it: the plain one of src/base,
 * and each access goes through hook.h, so that a test can carry it out itself, or
 * look at the machine after each store.
 */
#ifndef UIM_TESTS_HOOK_BASE_STORE_H
#define UIM_TESTS_HOOK_BASE_STORE_H

/* These come under another name, and are wrapped below. */
#define uim_ld64  uim_ld64_unseen
#define uim_st64  uim_st64_unseen
#define uim_cas64 uim_cas64_unseen
#include "../../../../src/base/store.h"
#undef uim_ld64
#undef uim_st64
#undef uim_cas64

#include "../../hook.h"

static inline uint64_t uim_ld64(const uim_word *p)
{
    uint64_t v;

    if (uim_hook_load((const void *)p, &v))
        return uim_le64(v);
    return uim_ld64_unseen(p);
}

static inline void uim_st64(uim_word *p, uint64_t v)
{
    if (uim_hook_store((void *)p, uim_le64(v)))
        return;
    uim_st64_unseen(p, v);
    uim_store_seen((const void *)p, v);
}

static inline bool uim_cas64(uim_word *p, uint64_t *expect, uint64_t want)
{
    uim_hook_before_cas((void *)p);
    if (!uim_cas64_unseen(p, expect, want))
        return false;
    uim_store_seen((const void *)p, want);
    return true;
}

#endif
