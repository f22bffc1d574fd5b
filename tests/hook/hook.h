/* SPDX-License-Identifier: MIT */
/*
 * hook.h - sees every store to a word that hardware or another CPU reads.
 *
 * Tests that use the library are built twice: with the plain store.h, and with
 * the one in include/ (suffix -hooked). Only in the second is the hook ever
 * called; uim_store_hooked() tells which one this is, at run time.
 */
#ifndef UIM_TESTS_HOOK_HOOK_H
#define UIM_TESTS_HOOK_HOOK_H

#include <stdbool.h>
#include <stdint.h>

/* `value` was just stored at `where`, in the order of the CPU's bytes that
 * uim_ld64() gives. Runs in the thread that stored, under whatever locks it
 * holds; it may read anything and must not call the library's public API.   */
typedef void (*uim_store_fn)(void *ctx, const void *where, uint64_t value);

/* Set it while no other thread uses the library. NULL: nobody looks. */
void uim_store_hook(uim_store_fn fn, void *ctx);

/* Whether the library in this program is the hooked one. */
bool uim_store_hooked(void);

/* What the hooked store.h calls. */
void uim_store_seen(const void *where, uint64_t value);

#endif
