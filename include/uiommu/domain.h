/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_DOMAIN_H
#define UIOMMU_DOMAIN_H

#include <uiommu/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A domain is one translation (semantics B.1): nothing, everything as it is, or
 * the mappings below. Any number of endpoints may see it. Domains are counted:
 * by their creator and by each group that sees them.
 */

enum uiommu_domain_kind {
    UIOMMU_DOMAIN_BLOCKED,  /* every access faults                        */
    UIOMMU_DOMAIN_IDENTITY, /* iova == physical, no table                 */
    UIOMMU_DOMAIN_PAGING,   /* what uiommu_map() put there                */
    UIOMMU_DOMAIN_INHERITED, /* what an adopted unit was found doing      */
    UIOMMU_DOMAIN_SVA,      /* the address space of a process: sva.h      */
};

struct uiommu_domain_config {
    uint32_t size;       /* sizeof(struct uiommu_domain_config)           */
    uint32_t flags;      /* none yet: anything else is INVAL              */
    uint8_t iova_bits;   /* width wanted; 0: the widest the unit has      */
    uint64_t page_sizes; /* bit n: leaves of 2^n bytes; 0: all it has but
                          * runs (SMMUv3: contiguous), which are only had
                          * by who asks: like any leaf, they are unmapped
                          * as a whole or split first                     */
    /* Who answers page requests of devices that see it; request.h. Optional: without it
     * only devices see it that ask for nothing, or are not let.             */
    uiommu_request_fn on_request;
    void *request_ctx;
    struct uiommu_request_queue *request_queue; /* or this one, and not both  */
    uint32_t events; /* of map and unmap that it remembers, see recorder.h: a
                          * power of 2, or the next above, up to
                          * UIOMMU_EVENTS_MOST; 0: none                   */
};

/** The two static domains of an instance. Not counted, never NULL. */
struct uiommu_domain *uiommu_blocked(struct uiommu *u);
struct uiommu_domain *uiommu_identity(struct uiommu *u);

/**
 * A paging domain that `endpoint` can see with all of its group, and every endpoint whose
 * unit has the same format and does as much. `config` may be NULL. What is behind several
 * units gets what all of them do.
 *
 * May sleep. INVAL: widths or sizes the units do not have, or too many events. OPNOTSUPP
 * (logged): the units of the group walk no tables in common; its devices can be blocked
 * or see identity. NOMEM.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_domain_create(struct uiommu_endpoint *endpoint,
                     const struct uiommu_domain_config *config,
                     struct uiommu_domain **out);

/** Take and drop a reference; the last one frees the domain and its tables.
 *  Put may sleep. No effect on static domains. */
void uiommu_domain_get(struct uiommu_domain *domain);
void uiommu_domain_put(struct uiommu_domain *domain);

struct uiommu_domain_info {
    enum uiommu_domain_kind kind;
    uint8_t iova_bits;
    uint64_t page_sizes; /* bit n: leaves of 2^n bytes                    */
    uint64_t last_iova;  /* highest address that can be mapped            */
    const char *format;  /* "vtd_ss", "vtd_fs", "vmsa_s1_4k"              */
};

void uiommu_domain_info(const struct uiommu_domain *domain,
                        struct uiommu_domain_info *out);

#ifdef __cplusplus
}
#endif
#endif
