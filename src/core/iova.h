/* SPDX-License-Identifier: MIT */
/*
 * iova.h - which addresses of a domain are taken: ranges of whole pages, in order, none
 * over another.
 *
 * Any context but for init and end. The ranges are in pages of the host that come and
 * go with them, so that taking one that fails leaves nothing behind. A list is enough
 * for some thousands of ranges: each call walks it with the lock held.
 */
#ifndef UIM_CORE_IOVA_H
#define UIM_CORE_IOVA_H

#include <uiommu/host.h>

#include "base/list.h"

struct uim_iova {
    const struct uiommu_host *host;
    void *lock;             /* spin: the lists and what is in them           */
    uint64_t page;          /* bytes of the smallest                         */
    uint64_t last;
    struct uim_node ranges; /* by address                                    */
    struct uim_node pools;  /* of ranges: those with room                    */
};

struct uim_iova_range {
    struct uim_node node;
    struct uim_iova_pool *pool;
    uint64_t start, last; /* inclusive                                       */
    enum {
        UIM_IOVA_UNUSED,
        UIM_IOVA_TAKEN,
        UIM_IOVA_LEAVING, /* somebody gives it back                          */
        UIM_IOVA_ASIDE,   /* see uim_iova_decide()                           */
        UIM_IOVA_KEPT,    /* for ever                                        */
    } state;
};

/* NOMEM. */
enum uiommu_status uim_iova_init(struct uim_iova *space,
                                 const struct uiommu_host *host, uint64_t page,
                                 uint64_t last);
void uim_iova_end(struct uim_iova *space);
/* How many are taken and were not given back. */
unsigned uim_iova_count(struct uim_iova *space);

/* The whole pages of [start, last], as far as nobody has them, are set aside. NOMEM.
 * Then it is decided for all that are: they are kept, or were never set aside. */
enum uiommu_status uim_iova_set_aside(struct uim_iova *space, uint64_t start,
                                      uint64_t last);
void uim_iova_decide(struct uim_iova *space, bool keep);

/* `size` bytes, whole pages, not above `last`; aligned to the power of two that holds
 * them, up to 2 MiB. NOSPC, NOMEM. */
enum uiommu_status uim_iova_take(struct uim_iova *space, uint64_t size,
                                 uint64_t last, struct uim_iova_range **out);

/* Exactly that one, which nobody else can begin to give back then; or NULL. One of the
 * next three follows. */
struct uim_iova_range *uim_iova_leave(struct uim_iova *space, uint64_t start,
                                      uint64_t size);
void uim_iova_stay(struct uim_iova *space, struct uim_iova_range *range);
void uim_iova_free(struct uim_iova *space, struct uim_iova_range *range);
void uim_iova_keep(struct uim_iova *space, struct uim_iova_range *range);

#endif
