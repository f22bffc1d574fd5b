/* SPDX-License-Identifier: MIT */
#include "tests/hook/hook.h"

#include <stddef.h>

#include "base/store.h"

/* The only globals of the project: tests are the only users, and the library
 * has nowhere to keep a context for each store. */
static uim_store_fn hook;
static void *hook_ctx;
static const struct uim_hook_memory *memory;

void uim_store_hook(uim_store_fn fn, void *ctx)
{
    hook = fn;
    hook_ctx = ctx;
}

bool uim_store_hooked(void)
{
#ifdef UIM_TESTS_HOOK_BASE_STORE_H
    return true;
#else
    return false;
#endif
}

void uim_store_seen(const void *where, uint64_t value)
{
    if (hook)
        hook(hook_ctx, where, value);
}

void uim_hook_memory(const struct uim_hook_memory *by)
{
    memory = by;
}

bool uim_hook_load(const void *where, uint64_t *value)
{
    if (!memory)
        return false;
    *value = memory->load(where);
    return true;
}

bool uim_hook_store(void *where, uint64_t value)
{
    if (!memory)
        return false;
    memory->store(where, value);
    return true;
}

void uim_hook_before_cas(void *where)
{
    if (memory)
        memory->before_cas(where);
}

/* Orders of C11, as the compiler numbers them. Loads release nothing. */
static enum uim_fence_kind kind_of(int order)
{
    if (order == __ATOMIC_SEQ_CST)
        return UIM_FENCE_FULL;
    if (order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL)
        return UIM_FENCE_RELEASE;
    return UIM_FENCE_ACQUIRE;
}

void uim_hook_fence(int order)
{
    if (memory)
        memory->fence(kind_of(order));
}

void uim_hook_atomic(int order, bool load)
{
    if (memory)
        memory->atomic(kind_of(order), load);
}
