/* SPDX-License-Identifier: MIT */
/*
 * pt.c - what all formats share: who is in a tree, and when tables that were
 * taken out of it can be freed.
 *
 * Retired tables wait in two chains. `leaving` waits for the calls that were
 * under way when it began to; what is retired meanwhile gathers in `retired`
 * and moves up when `leaving` is freed. So tables are freed under any traffic,
 * after the longest call of the moment, without a moment in which nobody is
 * here.
 *
 * pt->lock protects the chains, `crowd` and the writing of every slot's `seen`.
 * It is never held while the host is called.
 */
#include "pt/guard.h"

#include "base/mem.h"

enum { SLOT_BYTES = 64 };

_Static_assert(sizeof(struct uim_pt_slot) <= SLOT_BYTES, "a slot is one line");

/* ---- life ---------------------------------------------------------------- */

static size_t slots_size(void)
{
    return (UIM_PT_SLOTS + 1) * sizeof(struct uim_pt_slot) + SLOT_BYTES;
}

/* The host aligns for any type; slots shall not share a cache line. */
static bool make_slots(struct uim_pt *pt)
{
    uintptr_t at;
    unsigned i;

    pt->slots_memory = pt->host->alloc(pt->host->ctx, slots_size());
    if (!pt->slots_memory)
        return false;
    at = (uintptr_t)pt->slots_memory + SLOT_BYTES - 1;
    pt->slots = (struct uim_pt_slot *)(at - at % SLOT_BYTES);
    memset(pt->slots, 0, UIM_PT_SLOTS * sizeof(*pt->slots));
    for (i = 0; i < UIM_PT_SLOTS; i++)
        pt->slots[i].tag = UIM_PT_NO_TAG;
    return true;
}

enum uiommu_status uim_pt_init(struct uim_pt *pt, const struct uim_pt_ops *ops,
                               const struct uim_pt_config *config)
{
    const struct uiommu_host *host = config->host;

    memset(pt, 0, sizeof(*pt));
    pt->ops = ops;
    pt->host = host;
    pt->page_sizes = config->page_sizes & ops->page_sizes;
    pt->iova_bits = config->iova_bits;
    pt->phys_bits = config->phys_bits;
    pt->coherent = config->coherent;
    pt->snoop = config->snoop;
    pt->whole_leaves = config->whole_leaves;
    pt->lock = host->spin_create(host->ctx);
    if (!pt->lock)
        return UIOMMU_NOMEM;
    if (!make_slots(pt)) {
        host->spin_destroy(host->ctx, pt->lock);
        return UIOMMU_NOMEM;
    }
    return UIOMMU_OK;
}

/* Those that waited for the end of a call are free; stranded ones are only where
 * all tables are. */
void uim_pt_give_away(struct uim_pt *pt)
{
    const struct uiommu_host *host = pt->host;

    pt->ops->free_chain(pt, pt->leaving);
    pt->ops->free_chain(pt, pt->retired);
    host->free(host->ctx, pt->slots_memory, slots_size());
    host->spin_destroy(host->ctx, pt->lock);
}

void uim_pt_fini(struct uim_pt *pt)
{
    pt->ops->free_chain(pt, pt->stranded);
    uim_pt_give_away(pt);
}

/* ---- chains -------------------------------------------------------------- */

/* Entry 0 of the last table of a chain, or NULL. */
static uim_word *chain_end(const struct uim_pt *pt, uint64_t ref)
{
    uim_word *table = NULL;

    while (ref & UIM_PT_CHAIN_PHYS) {
        table = uim_phys_to_virt(pt->host, ref & UIM_PT_CHAIN_PHYS);
        ref = uim_ld64(table);
    }
    return table;
}

/* Lock held. `end` is chain_end(*more): it takes time, so before the lock. */
static void prepend(uint64_t *chain, uint64_t *more, uim_word *end)
{
    if (!end)
        return;
    if (*chain)
        uim_st64(end, *chain);
    *chain = *more;
    *more = 0;
}

static uint64_t take_all(uint64_t *chain)
{
    uint64_t all = *chain;

    *chain = 0;
    return all;
}

/* ---- grace --------------------------------------------------------------- */

/* Lock held. Notes who is here. */
static void note_calls(struct uim_pt *pt)
{
    unsigned i;

    /* The cleared links before the look at the slots: uim_pt_take_slot(). */
    uim_fence_full();
    for (i = 0; i < UIM_PT_SLOTS; i++) {
        uint32_t n =
            atomic_load_explicit(&pt->slots[i].n, memory_order_acquire);

        n &= 0 - (n & 1); /* 0: nobody to wait for */
        atomic_store_explicit(&pt->slots[i].seen, n, memory_order_relaxed);
    }
    pt->crowd = (atomic_load(&pt->waiting) & ~UIM_PT_RETIRED) != 0;
}

/* Lock held. True if everybody who was noted has left since. */
static bool calls_ended(struct uim_pt *pt)
{
    bool ended = true;
    unsigned i;

    /* What was noted before another look: uim_pt_exit_waited(). */
    uim_fence_full();
    for (i = 0; i < UIM_PT_SLOTS; i++) {
        struct uim_pt_slot *slot = &pt->slots[i];
        uint32_t seen = atomic_load_explicit(&slot->seen, memory_order_relaxed);

        if (!seen)
            continue;
        if (atomic_load_explicit(&slot->n, memory_order_acquire) == seen)
            ended = false;
        else
            atomic_store_explicit(&slot->seen, 0, memory_order_relaxed);
    }
    if (pt->crowd)
        pt->crowd = (atomic_load(&pt->waiting) & ~UIM_PT_RETIRED) != 0;
    return ended && !pt->crowd;
}

/* Lock held. Takes out what can be freed: at most two chains. */
static void collect(struct uim_pt *pt, uint64_t out[2])
{
    if (pt->leaving && calls_ended(pt))
        out[0] = take_all(&pt->leaving);
    if (!pt->leaving && pt->retired) {
        pt->leaving = take_all(&pt->retired);
        note_calls(pt);
        if (calls_ended(pt))
            out[1] = take_all(&pt->leaving);
    }
    if (!pt->leaving)
        atomic_fetch_and(&pt->waiting, ~UIM_PT_RETIRED);
}

/* Retires the tables in *more, if any, and frees what can be freed. */
static void reap(struct uim_pt *pt, uint64_t *more)
{
    const struct uiommu_host *host = pt->host;
    uim_word *end = chain_end(pt, *more);
    uint64_t out[2] = { 0, 0 };

    host->spin_lock(host->ctx, pt->lock);
    prepend(&pt->retired, more, end);
    /* Before the slots are read: who leaves later shall look here again. */
    atomic_fetch_or(&pt->waiting, UIM_PT_RETIRED);
    collect(pt, out);
    host->spin_unlock(host->ctx, pt->lock);
    pt->ops->free_chain(pt, out[0]);
    pt->ops->free_chain(pt, out[1]);
}

void uim_pt_retire(struct uim_pt *pt, struct uiommu_gather *gather)
{
    if (gather->tables)
        reap(pt, &gather->tables);
}

void uim_pt_strand(struct uim_pt *pt, struct uiommu_gather *gather)
{
    const struct uiommu_host *host = pt->host;
    uim_word *end = chain_end(pt, gather->tables);

    host->spin_lock(host->ctx, pt->lock);
    prepend(&pt->stranded, &gather->tables, end);
    host->spin_unlock(host->ctx, pt->lock);
}

/* ---- the slow ways in and out -------------------------------------------- */

struct uim_pt_slot *uim_pt_enter(struct uim_pt *pt, struct uim_pt_slot *spare)
{
    struct uim_pt_slot *slot = uim_pt_own_slot(pt);
    unsigned i;

    if (uim_pt_take_slot(slot))
        return slot;
    for (i = 0; i < UIM_PT_SLOTS; i++)
        if (uim_pt_take_slot(&pt->slots[i]))
            return &pt->slots[i];
    atomic_fetch_add(&pt->waiting, 1);
    uim_pt_fence_after_rmw(); /* as in uim_pt_take_slot() */
    memset(spare, 0, sizeof(*spare));
    atomic_init(&spare->n, 1);
    spare->tag = UIM_PT_NO_TAG;
    return spare;
}

static bool is_spare(const struct uim_pt *pt, const struct uim_pt_slot *slot)
{
    uintptr_t at = (uintptr_t)slot, slots = (uintptr_t)pt->slots;

    return at - slots >= UIM_PT_SLOTS * sizeof(*slot);
}

enum uiommu_status uim_pt_exit_waited(struct uim_pt *pt,
                                      struct uim_pt_slot *slot, uint32_t n,
                                      enum uiommu_status status)
{
    uint32_t waiting = atomic_load_explicit(&pt->waiting, memory_order_relaxed);
    uint64_t none = 0;

    if (is_spare(pt, slot)) {
        if (atomic_fetch_sub(&pt->waiting, 1) == (UIM_PT_RETIRED | 1))
            reap(pt, &none);
        return status;
    }
    /* Those that nobody waits for keep off the lock. It is noted who is waited
     * for, then looked whether they are still here; our number changed, then we
     * look whether it was noted. So one of the two sees the other.           */
    if ((waiting & UIM_PT_RETIRED) &&
        atomic_load_explicit(&slot->seen, memory_order_relaxed) == n)
        reap(pt, &none);
    return status;
}
