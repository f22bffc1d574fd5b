/* SPDX-License-Identifier: MIT */
#include "tests/hook/hook.h"

#include <stddef.h>

#include "base/store.h"

/* The only globals of the project: tests are the only users, and the library
 * has nowhere to keep a context for each store. */
static uim_store_fn hook;
static void *hook_ctx;

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
