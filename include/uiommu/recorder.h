/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_RECORDER_H
#define UIOMMU_RECORDER_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What was mapped and unmapped in a domain of late, when, and by whom: for domains that
 * were made with uiommu_domain_config.events, and default domains where
 * uiommu_config.default_events says so. Faults then say what became of the address
 * (fault.h).
 */

/* The largest number of events that a domain can be made with. */
#define UIOMMU_EVENTS_MOST UINT32_C(65536)

enum uiommu_event_kind {
    UIOMMU_EVENT_MAP = 1, /* uiommu_map(), uiommu_map_sg(); doorbells        */
    UIOMMU_EVENT_UNMAP,   /* uiommu_unmap(); doorbells (interrupt.h)         */
    UIOMMU_EVENT_GATHER, /* uiommu_unmap_gather(): devices may reach it until */
    UIOMMU_EVENT_SYNC,    /* uiommu_sync(): a range that covers all of it    */
};

struct uiommu_event {
    uint64_t sequence;  /* 1, 2, ... in its domain                           */
    uint64_t time_ns;   /* of the host's now_ns                              */
    uint64_t iova, size; /* what was asked for                               */
    uint64_t bytes;     /* of that, mapped or unmapped: not what was a hole  */
    uint64_t phys;      /* MAP: where iova leads                             */
    const char *tag;    /* NULL: none was set                                */
    uint8_t kind;       /* enum uiommu_event_kind                            */
};

/**
 * Whose doing it is that is recorded in `domain` from now on, by whatever thread: a text
 * that lives as long as the domain and all that was read of it, such as a constant; or
 * NULL. Nothing happens if the domain has no recorder. Any context.
 *
 * Threads that map in one domain share its tag: to tell them apart, set it before each
 * call, under a lock of yours.
 */
void uiommu_recorder_tag(struct uiommu_domain *domain, const char *tag);

/**
 * Up to n events from the one with that sequence number on, oldest first; returns how many.
 * If the first has a higher number, those before it are forgotten; so are those between two
 * whose numbers do not follow, while others map. Calls that failed are no events, nor are
 * unmaps that found nothing. Any context; changes nothing.
 */
size_t uiommu_recorder_read(struct uiommu_domain *domain, uint64_t from,
                            struct uiommu_event *out, size_t n);

#ifdef __cplusplus
}
#endif
#endif
