/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_MAP_H
#define UIOMMU_MAP_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Mappings of a paging domain (semantics B.11). To change those of other kinds is
 * OPNOTSUPP. BUSY, from all of these: it was handed over (handover.h).
 *
 * Addresses and sizes are bytes and multiples of the domain's smallest page;
 * size is not 0 and the range does not wrap. May be called in any context but
 * with a lock held that the host's pages_alloc or relax needs; never sleeps.
 * Calls on disjoint ranges run in parallel. Overlapping concurrent calls leave
 * the range undefined, and nothing else.
 */

/**
 * Map [iova, iova + size) to [phys, phys + size) with `flags` (UIOMMU_READ...),
 * in the largest leaves that fit. All or nothing.
 *
 * INVAL: alignment, outside the domain's or the unit's address width, over the
 * unit's interrupt window or that for doorbells (region.h), no right asked for, or flags
 * the format lacks.
 * EXIST: a byte of the range is mapped. NOMEM.
 * TIMEDOUT, IO: a unit that must be told of new mappings failed; the range is
 * unmapped again.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_map(struct uiommu_domain *domain,
                                                uint64_t iova, uint64_t phys,
                                                uint64_t size, unsigned flags);

/* Memory in one piece. */
struct uiommu_segment {
    uint64_t phys, size;
};

/**
 * Map n segments, one after the other from iova up, as one uiommu_map() would: all
 * of them or none (semantics S3.33). Leaves go over the ends of segments that lie
 * side by side in memory.
 *
 * INVAL: as uiommu_map(), none, or their sum wraps; the log names the first segment
 * that is malformed. Others as uiommu_map().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_map_sg(struct uiommu_domain *domain, uint64_t iova,
              const struct uiommu_segment *segments, size_t n, unsigned flags);

/**
 * Remove what is mapped in [iova, iova + size), holes allowed, but for doorbells in
 * the window for them; *unmapped (may be NULL) is the number of bytes that were. When it
 * returns OK no device can reach them any more: caches are invalidated and writes
 * drained.
 *
 * INVAL: malformed, or a leaf lies only partly in the range (uiommu_split()
 * first); nothing was removed. AGAIN: suspended; nothing was removed. TIMEDOUT, IO:
 * see status.h; *unmapped is written.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_unmap(struct uiommu_domain *domain,
                                                  uint64_t iova, uint64_t size,
                                                  uint64_t *unmapped);

/*
 * What was unmapped and devices may reach until uiommu_sync(). All zeros
 * (UIOMMU_GATHER_INIT) is an empty one. One thread at a time uses it, for one domain,
 * of which it holds a reference while it is not empty.
 */
struct uiommu_gather {
    struct uiommu_domain *domain; /* NULL: empty                             */
    uint64_t unmapped;    /* bytes, since it was empty                       */
    uint64_t start, last; /* covers every byte whose translation changed     */
    uint64_t tables;      /* tables taken out, 0: none                       */
    bool any;             /* something changed: start and last are valid     */
    bool non_leaf;        /* a non-leaf entry changed: no leaf-only hint     */
};

#define UIOMMU_GATHER_INIT                                                     \
    {                                                                          \
        NULL, 0, 0, 0, 0, false, false                                         \
    }

/**
 * uiommu_unmap() without its last part (semantics S3.34): the range is not mapped
 * any more, but until uiommu_sync() returns devices may still reach what it was
 * mapped to, and it must not be mapped again. Costs no command to the unit.
 *
 * Adds to *gather. INVAL: as uiommu_unmap(), or the gather is of another domain;
 * AGAIN as there; nothing was removed.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_unmap_gather(struct uiommu_domain *domain, uint64_t iova, uint64_t size,
                    struct uiommu_gather *gather);

/**
 * Make what was gathered unreachable: one invalidation that covers all of it. An
 * empty gather costs nothing. May sleep if the domain was put meanwhile, as
 * uiommu_domain_put() may; else any context.
 *
 * OK: pages may be used again; the gather is empty. AGAIN: suspended; call again
 * after the resume, the gather is kept. TIMEDOUT, IO: see status.h; BUSY: the domain
 * was handed over: the gather is empty, and the pages must not be used again.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_sync(struct uiommu_gather *gather);

/**
 * Break leaves that straddle an end of [iova, iova + size) so that unmap of the
 * range is possible. What is mapped stays mapped throughout.
 *
 * INVAL, NOMEM, AGAIN: nothing changed. OPNOTSUPP (logged): so too; a leaf had to
 * be broken, and the unit wants it to be unmapped first (SMMUv3 with BBML below 2).
 * TIMEDOUT, IO as uiommu_unmap().
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_split(struct uiommu_domain *domain,
                                                  uint64_t iova, uint64_t size);

#define UIOMMU_WALK_LEVELS 5

/* What translates one address. Level 0 holds leaves of the smallest page. */
struct uiommu_trace {
    uint64_t phys;      /* of iova itself                                 */
    uint64_t page_size; /* of the leaf                                    */
    unsigned flags;     /* rights: UIOMMU_READ | UIOMMU_WRITE             */
    uint8_t top;        /* level of the root table                        */
    uint8_t level;      /* where the walk ended: at a leaf, or at a hole  */
    uint64_t entry[UIOMMU_WALK_LEVELS]; /* raw, by level; valid from top
                                         * down to level                  */
};

/**
 * Translate as the unit would. NOENT: nothing is mapped there; *out still tells
 * how far the walk went (top, level, entry). INVAL: outside the domain. Any
 * context. Identity domains answer with phys == iova and page_size 0, blocked ones
 * NOENT.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_walk(struct uiommu_domain *domain,
                                                 uint64_t iova,
                                                 struct uiommu_trace *out);

#ifdef __cplusplus
}
#endif
#endif
