/* SPDX-License-Identifier: MIT */
/*
 * client.h - a client of the library, who has an endpoint, two pages of memory and a device
 * that reads and writes a word where it is told to. What the endpoint is he does not know,
 * and it makes no difference: one program, compiled once, for all that there are
 * (semantics C.7).
 */
#ifndef UIM_TOOLS_CLIENT_H
#define UIM_TOOLS_CLIENT_H

#include <uiommu/uiommu.h>

enum { CLIENT_PAGE = 4096, CLIENT_PAGES = 2 };

struct client {
    struct uiommu *u;
    struct uiommu_endpoint *ep;
    const void *owner; /* NULL: the host itself, which claims nothing         */
    /* His device reads or writes a word at `iova`. False: it could not. */
    bool (*dma)(void *ctx, bool write, uint64_t iova, uint64_t *word);
    void *ctx;
    uint64_t iova; /* where it finds his pages: side by side                  */
    uint64_t phys[CLIENT_PAGES];
    volatile uint64_t *mem[CLIENT_PAGES]; /* the same, as he sees them       */

    /* What became of it. */
    enum uiommu_status status; /* of the call that failed; OK: none          */
    unsigned faults; /* heard of after an unmap; 0: only his device was told */
    struct uiommu_fault fault; /* the last of these; its domain is gone      */
    char sentence[512];        /* and what it says                           */

    /* While it runs. */
    struct uiommu_domain *domain[CLIENT_PAGES];
    bool claimed;
    uint64_t word;
};

/* From claim to release. NULL: all was as promised; else the promise that was not kept.
 * Either way nothing of it is left. May sleep. */
const char *client_run(struct client *c);

#endif
