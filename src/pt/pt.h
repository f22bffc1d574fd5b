/* SPDX-License-Identifier: MIT */
/*
 * pt.h - page tables: one walker template, one instance of it a format.
 *
 * Words (semantics 0, style 1.4): a *table* is one page of entries, of the
 * smallest size that leaves have; a *leaf* maps memory; level 0 is the table of
 * smallest leaves, `top` the root's level. Some formats have several tables *side
 * by side* at the root, which are one large table then.
 *
 * Concurrency: calls on disjoint ranges run in parallel without a lock.
 * Overlapping calls leave the range undefined but touch no freed memory: a
 * table taken out of the tree is chained into a gather, handed to
 * uim_pt_retire() after the invalidation, and freed when no call that may still
 * hold a pointer to it is under way (guard.h).
 *
 * What they promise about order: the return of map, unmap, split and walk is a
 * full fence among CPUs (uim_fence_full()). For units that do not snoop
 * (!coherent), every line that was stored to was flushed before, and
 * host->fence() came after that. Before a table is linked there always is a
 * host->fence(), so that no unit sees the link before the table. All other
 * order is the core's.
 */
#ifndef UIM_PT_PT_H
#define UIM_PT_PT_H

#include <stdatomic.h>

#include <uiommu/fault.h>
#include <uiommu/host.h>
#include <uiommu/map.h>

#include "base/store.h"

struct uim_pt;

/*
 * What unmaps and splits removed adds up in a gather, until it is invalidated; who
 * it belongs to is the core's. Tables taken out are a chain in gather->tables.
 *
 * A chain of tables is the bus address of the first one, its level from bit 8
 * up and this mark. Entry 0 of a table in a chain refers to the next one, or is
 * just the mark; every format reads that as not present. The tables below the
 * first entry of a chained table are in the chain too, all others still hang on
 * it.
 *
 * A late call may still store into such a table. It cannot break the chain, for
 * while a table is in the tree its entry 0 is only changed by compare-exchange.
 */
#define UIM_PT_CHAIN            (UINT64_C(1) << 11)
#define UIM_PT_CHAIN_PHYS       (~UINT64_C(0xfff))
#define UIM_PT_CHAIN_LEVEL(ref) ((unsigned)((ref) >> 8 & 7))

struct uim_pt_config {
    const struct uiommu_host *host;
    uint8_t iova_bits;
    uint8_t levels;      /* of tables; 0: as few as iova_bits needs           */
    uint8_t phys_bits;   /* width of addresses in leaves and tables           */
    uint64_t page_sizes; /* bit n: leaves of 2^n bytes                        */
    bool coherent;       /* else every store is followed by host->flush       */
    bool snoop;          /* leaves may ask for snooping                       */
    bool whole_leaves; /* split is OPNOTSUPP where it had to change a leaf: the
                          * unit demands that a translation is invalid for a while
                          * before its size changes (break before make)        */
};

/* All addresses were checked by the caller (core): aligned to the smallest
 * page, not empty, not wrapping, inside iova_bits and phys_bits. */
struct uim_pt_ops {
    const char *name;    /* "vtd_ss" */
    unsigned
        flags_known;     /* UIOMMU_* that leaves can express                  */
    unsigned flags_need; /* at least one of these must be asked for           */
    uint64_t page_sizes;
    /* Of these, runs of leaves that a unit may cache as one: contiguous. A run is
     * a leaf size by itself: unmapped as a whole, or split first. Only domains
     * that ask for them by config->page_sizes shall have them.               */
    uint64_t run_sizes;
    uint8_t min_bits, max_bits; /* iova_bits the format can have              */

    /* Allocates the root. NOMEM. INVAL: iova_bits or levels it cannot have. */
    enum uiommu_status (*create)(struct uim_pt *pt,
                                 const struct uim_pt_config *config);
    /* Frees all tables. Nothing else is under way, nothing refers to them.   */
    void (*destroy)(struct uim_pt *pt);

    /* EXIST, NOMEM: nothing changed. Tables it needs are had before the first
     * store to an entry that hardware can reach. Where an empty table lies in
     * the way of a large leaf, smaller leaves go into that table: only an unmap
     * of its whole span takes a table out. */
    enum uiommu_status (*map)(struct uim_pt *pt, uint64_t iova, uint64_t phys,
                              uint64_t size, unsigned flags);
    /* As map, of n > 0 segments one after the other; size is their sum. */
    enum uiommu_status (*map_sg)(struct uim_pt *pt, uint64_t iova,
                                 const struct uiommu_segment *segments,
                                 size_t n, uint64_t size, unsigned flags);
    /* INVAL: a leaf lies partly in the range; nothing changed. Adds to
     * *gather. */
    enum uiommu_status (*unmap)(struct uim_pt *pt, uint64_t iova, uint64_t size,
                                struct uiommu_gather *gather);
    /* NOMEM, OPNOTSUPP (whole_leaves): nothing changed. */
    enum uiommu_status (*split)(struct uim_pt *pt, uint64_t iova, uint64_t size,
                                struct uiommu_gather *gather);
    /* OK: a leaf. NOENT: none; *trace says how far it went. */
    enum uiommu_status (*walk)(struct uim_pt *pt, uint64_t iova,
                               struct uiommu_trace *trace);
    /* A raw leaf has at least these rights, to memory of this kind.          */
    bool (*grants)(uint64_t leaf, unsigned flags);
    /* The nearest mapped bytes below and above; bounded work, so size 0 may
     * also mean "none near".                                                 */
    void (*neighbours)(struct uim_pt *pt, uint64_t iova,
                       struct uiommu_range *below, struct uiommu_range *above);
    /* For pt.c: free the tables of a chain and all that hang on them.        */
    void (*free_chain)(struct uim_pt *pt, uint64_t chain);
};

enum { UIM_PT_SLOTS = 16 };

/* guard.h: who is in the tree, and the way that call went down. One cache line;
 * what is not atomic belongs to the call that made n odd.                    */
struct uim_pt_slot {
    _Atomic uint32_t n;     /* odd: a call is under way                       */
    _Atomic uint32_t seen; /* n of the call that tables in `leaving` wait for */
    uint64_t tag;     /* of the table of smallest leaves, from iova, that */
    uim_word *table;        /*   was used last,                               */
    uint64_t epoch;         /*   valid while pt->epoch is this                */
    uint64_t path[4];       /*   and the entries above it, levels 1 to 4      */
};

struct uim_pt {
    const struct uim_pt_ops *ops;
    const struct uiommu_host *host;
    uim_word *root;
    uint64_t root_phys;
    uint64_t page_sizes;
    uint8_t top; /* level of the root table */
    uint8_t iova_bits;
    uint8_t phys_bits;
    uint8_t input_bits; /* what the unit is told: at least iova_bits       */
    uint8_t root_lg2;   /* log2 of the tables side by side at the root     */
    bool coherent;
    bool snoop;
    bool whole_leaves;
    /* guard.h and pt.c: calls under way, and tables that wait for their end. */
    struct uim_pt_slot *slots;
    void *slots_memory;
    /* Counts unmaps that took tables out. i386 would not align it by itself. */
    _Alignas(8) _Atomic uint64_t epoch;
    _Atomic uint32_t waiting; /* UIM_PT_RETIRED | calls that found no slot    */
    bool crowd;               /* lock: leaving waits for those without a slot */
    void *lock;               /* spin; protects the chains                    */
    uint64_t leaving;         /* chain: freed once every `seen` call ended    */
    uint64_t retired;         /* chain: retired while others were leaving     */
    uint64_t stranded;        /* chain: freed by destroy                      */
    _Atomic uint32_t tables;  /* that it has, in the tree or not              */
};

extern const struct uim_pt_ops
    uim_pt_vtd_ss; /* VT-d second stage, 3-5 levels */
extern const struct uim_pt_ops
    uim_pt_vtd_fs; /* x86-64, 4-5 levels            */

/* Arm VMSAv8-64 by stage and granule; _ds: 52-bit addresses with small granules.
 * What AttrIndx means: vmsa_mair.h. */
extern const struct uim_pt_ops uim_pt_vmsa_s1_4k, uim_pt_vmsa_s1_16k,
    uim_pt_vmsa_s1_64k, uim_pt_vmsa_s1_4k_ds, uim_pt_vmsa_s1_16k_ds;
extern const struct uim_pt_ops uim_pt_vmsa_s2_4k, uim_pt_vmsa_s2_16k,
    uim_pt_vmsa_s2_64k, uim_pt_vmsa_s2_4k_ds, uim_pt_vmsa_s2_16k_ds;

/* The tables in gather->tables were invalidated: free them as soon as nobody
 * can hold a pointer. The gather has none afterwards. Any context. */
void uim_pt_retire(struct uim_pt *pt, struct uiommu_gather *gather);

/* Hardware did not confirm the invalidation and may walk the tables for ever:
 * they stay until destroy. Any context.                                      */
void uim_pt_strand(struct uim_pt *pt, struct uiommu_gather *gather);

/* As destroy, but hardware goes on with the tables: they stay. */
void uim_pt_give_away(struct uim_pt *pt);

static inline void *uim_phys_to_virt(const struct uiommu_host *host,
                                     uint64_t phys)
{
    if (host->direct_map)
        return (void *)(uintptr_t)(phys + host->direct_offset);
    return host->phys_to_virt(host->ctx, phys);
}

#endif
