/* SPDX-License-Identifier: MIT */
/*
 * hook.h - sees every access to a word that hardware or another CPU reads.
 *
 * Tests that use the library are built twice: with the plain headers, and with
 * those in include/ (suffix -hooked). Only in the second are hooks ever called;
 * uim_store_hooked() tells which one this is, at run time.
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

/* ---- a memory of one's own ----------------------------------------------- */

enum uim_fence_kind { UIM_FENCE_ACQUIRE, UIM_FENCE_RELEASE, UIM_FENCE_FULL };

/* Who carries out accesses to shared words, in place of the CPU. Values are as the
 * words are in memory. atomic() comes before each access to any other atomic
 * variable, with what that access orders by itself; `load`: and it only reads. */
struct uim_hook_memory {
    uint64_t (*load)(const void *where);
    void (*store)(void *where, uint64_t value);
    void (*before_cas)(void *where);
    void (*fence)(enum uim_fence_kind kind);
    void (*atomic)(enum uim_fence_kind kind, bool load);
};

/* Set it while no other thread uses the library. NULL: the CPU. */
void uim_hook_memory(const struct uim_hook_memory *memory);

/* What the hooked headers call. False: nobody else does it. */
bool uim_hook_load(const void *where, uint64_t *value);
bool uim_hook_store(void *where, uint64_t value);
void uim_hook_before_cas(void *where);
void uim_hook_fence(int order);
void uim_hook_atomic(int order, bool load);

#endif
