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
 * unit's interrupt window, no right asked for, or flags the format lacks.
 * EXIST: a byte of the range is mapped. NOMEM.
 * TIMEDOUT, IO: a unit that must be told of new mappings failed; the range is
 * unmapped again.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_map(struct uiommu_domain *domain,
                                                uint64_t iova, uint64_t phys,
                                                uint64_t size, unsigned flags);

/**
 * Remove what is mapped in [iova, iova + size), holes allowed; *unmapped (may be
 * NULL) is the number of bytes that were. When it returns OK no device can reach
 * them any more: caches are invalidated and writes drained.
 *
 * INVAL: malformed, or a leaf lies only partly in the range (uiommu_split()
 * first); nothing was removed. AGAIN: suspended; nothing was removed. TIMEDOUT, IO:
 * see status.h; *unmapped is written.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_unmap(struct uiommu_domain *domain,
                                                  uint64_t iova, uint64_t size,
                                                  uint64_t *unmapped);

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
