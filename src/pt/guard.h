/* SPDX-License-Identifier: MIT */
/*
 * guard.h - every call on a page table runs between taking a slot and
 * uim_pt_exit(), so that uim_pt_retire() knows who may hold a pointer to a
 * table.
 *
 * A slot is taken by making its number odd and given back by making it even. A
 * retired table is freed when every slot that was odd at the retirement has
 * changed since: later calls start from the root and cannot find it. No call
 * ever waits for another.
 */
#ifndef UIM_PT_GUARD_H
#define UIM_PT_GUARD_H

#include "pt/pt.h"

/* In pt->waiting, above the count of calls that found no slot. */
#define UIM_PT_RETIRED (UINT32_C(1) << 31)

#define UIM_PT_NO_TAG (~UINT64_C(0))

/* Keeps long ways out of short ones, where the compiler can be told. */
#if defined(__GNUC__) || defined(__clang__)
#define UIM_PT_APART __attribute__((noinline))
#else
#define UIM_PT_APART
#endif

enum uiommu_status uim_pt_init(struct uim_pt *pt, const struct uim_pt_ops *ops,
                               const struct uim_pt_config *config);
void uim_pt_fini(struct uim_pt *pt);

/* Some slot, or `spare`, which is on the caller's stack. */
struct uim_pt_slot *uim_pt_enter(struct uim_pt *pt, struct uim_pt_slot *spare);

/* The slot, whose number was n, was given back. Returns `status`. */
enum uiommu_status uim_pt_exit_waited(struct uim_pt *pt,
                                      struct uim_pt_slot *slot, uint32_t n,
                                      enum uiommu_status status);

/* A full fence behind a read-modify-write, which is one already on x86. */
static inline void uim_pt_fence_after_rmw(void)
{
#if defined(__x86_64__) || defined(__i386__)
    atomic_signal_fence(memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/*
 * Which slot to try first. Two threads should not share one, and there is no
 * portable way to ask for a CPU number: the stack tells threads apart. It need
 * not be right, only cheap.
 */
static inline struct uim_pt_slot *uim_pt_own_slot(struct uim_pt *pt)
{
    char here;
    uintptr_t at = (uintptr_t)&here;

    return &pt->slots[(at >> 12 ^ at >> 15) % UIM_PT_SLOTS];
}

/* False: it is taken; uim_pt_enter() then. */
static inline bool uim_pt_take_slot(struct uim_pt_slot *slot)
{
    uint32_t n = atomic_load_explicit(&slot->n, memory_order_relaxed);

    if ((n & 1) ||
        !atomic_compare_exchange_strong_explicit(
            &slot->n, &n, n + 1, memory_order_seq_cst, memory_order_relaxed))
        return false;
    /*
     * The odd number before the first look at the tree. Whoever takes a table
     * out clears the link, has a full fence, then reads the numbers. So either
     * it sees ours and waits, or we see the link cleared.
     */
    uim_pt_fence_after_rmw();
    return true;
}

/*
 * Returns `status`, so that it can be the last thing a call does.
 *
 * The number before the look at `waiting`: whoever waits sets `waiting`, then
 * reads the numbers, so the last one that is waited for knows. The fence also
 * is what the ops promise to the core (pt.h). It is nearly free: a call waits
 * for its first locked instruction, and this one overlaps with the next call's.
 */
static inline enum uiommu_status uim_pt_exit(struct uim_pt *pt,
                                             struct uim_pt_slot *slot,
                                             enum uiommu_status status)
{
    uint32_t n = atomic_fetch_add(&slot->n, 1);

    uim_pt_fence_after_rmw();
    if (atomic_load_explicit(&pt->waiting, memory_order_relaxed) == 0)
        return status;
    return uim_pt_exit_waited(pt, slot, n, status);
}

#endif
