/* SPDX-License-Identifier: MIT */
/*
 * stdatomic.h, as the hooked build of the library sees it: the compiler's, with a
 * call of hook.h before each access and fence. What the library does not use is
 * not here, and would go unseen: checks/atomics_test.py looks for that.
 */
#ifndef UIM_TESTS_HOOK_STDATOMIC_H
#define UIM_TESTS_HOOK_STDATOMIC_H

#include <stdbool.h>

#pragma GCC                                                                    \
    system_header /* next line: not in the standard, in both compilers */
#include_next <stdatomic.h>

#include "../hook.h"

/* The compilers' builtins behind the standard's macros. */
#ifdef __clang__
#define UIM_HOOK_BUILTIN(op)    __c11_atomic_##op
#define UIM_HOOK_LOAD(p, o)     __c11_atomic_load(p, o)
#define UIM_HOOK_STORE(p, v, o) __c11_atomic_store(p, v, o)
#define UIM_HOOK_SWAP(p, v, o)  __c11_atomic_exchange(p, v, o)
#define UIM_HOOK_CAS(p, e, v, s, f)                                            \
    __c11_atomic_compare_exchange_strong(p, e, v, s, f)
#else
#define UIM_HOOK_BUILTIN(op)    __atomic_##op
#define UIM_HOOK_LOAD(p, o)     __atomic_load_n(p, o)
#define UIM_HOOK_STORE(p, v, o) __atomic_store_n(p, v, o)
#define UIM_HOOK_SWAP(p, v, o)  __atomic_exchange_n(p, v, o)
#define UIM_HOOK_CAS(p, e, v, s, f)                                            \
    __atomic_compare_exchange_n(p, e, v, false, s, f)
#endif

#undef atomic_load_explicit
#undef atomic_load
#undef atomic_store_explicit
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_add_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_compare_exchange_strong_explicit
#undef atomic_thread_fence

#define atomic_load_explicit(p, o)                                             \
    (uim_hook_atomic(o, true), UIM_HOOK_LOAD(p, o))
#define atomic_load(p) atomic_load_explicit(p, __ATOMIC_SEQ_CST)
#define atomic_store_explicit(p, v, o)                                         \
    (uim_hook_atomic(o, false), UIM_HOOK_STORE(p, v, o))
#define atomic_store(p, v) atomic_store_explicit(p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v)                                                  \
    (uim_hook_atomic(__ATOMIC_SEQ_CST, false),                                 \
     UIM_HOOK_SWAP(p, v, __ATOMIC_SEQ_CST))
#define UIM_HOOK_FETCH(op, p, v, o)                                            \
    (uim_hook_atomic(o, false), UIM_HOOK_BUILTIN(op)(p, v, o))
#define atomic_fetch_add_explicit(p, v, o) UIM_HOOK_FETCH(fetch_add, p, v, o)
#define atomic_fetch_add(p, v)             UIM_HOOK_FETCH(fetch_add, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub(p, v)             UIM_HOOK_FETCH(fetch_sub, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_or(p, v)              UIM_HOOK_FETCH(fetch_or, p, v, __ATOMIC_SEQ_CST)
#define atomic_fetch_and(p, v)             UIM_HOOK_FETCH(fetch_and, p, v, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong_explicit(p, e, v, s, f)                 \
    (uim_hook_atomic(s, false), UIM_HOOK_CAS(p, e, v, s, f))
#define atomic_thread_fence(o) uim_hook_thread_fence(o)

static inline void uim_hook_thread_fence(int order)
{
    uim_hook_fence(order);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
