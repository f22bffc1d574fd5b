/* SPDX-License-Identifier: MIT */
/*
 * vtd_pasids.h - one requester of a fake unit, and endpoints of it with PASIDs. Numbers in
 * tests are the manual's (D51397), not the layouts of src/spec.
 */
#ifndef UIM_TESTS_DRV_VTD_PASIDS_H
#define UIM_TESTS_DRV_VTD_PASIDS_H

#include "steps.h"

enum { PASID_DOMAINS = 6, PASID_LINKS = 64 };

#define PWSNP (UINT64_C(1) << 23)

/* Commands, word 0 (6.5.2). */
#define CC_DEVICE(did)                                                         \
    ((uint64_t)SID << 32 | (uint64_t)(did) << 16 | UINT64_C(0x31))
#define PC_DOMAIN(did) ((uint64_t)(did) << 16 | UINT64_C(0x07))
#define PC_PASID(did, pasid)                                                   \
    ((uint64_t)(pasid) << 32 | (uint64_t)(did) << 16 | UINT64_C(0x17))
#define PC_GLOBAL         UINT64_C(0x37)
#define IOTLB_DOMAIN(did) ((uint64_t)(did) << 16 | UINT64_C(0xe2))
#define IOTLB_PAGE(did)   ((uint64_t)(did) << 16 | UINT64_C(0xf2))
#define IOTLB_GLOBAL      UINT64_C(0xd2)
#define PIOTLB_PASID(did, pasid)                                               \
    ((uint64_t)(pasid) << 32 | (uint64_t)(did) << 16 | UINT64_C(0x26))
#define PIOTLB_PAGE(did, pasid)                                                \
    ((uint64_t)(pasid) << 32 | (uint64_t)(did) << 16 | UINT64_C(0x36))

struct pasids {
    struct fake f;
    bool first; /* stage */
    struct uiommu_device dev;
    struct uiommu_domain domain[PASID_DOMAINS];
    struct {
        struct uiommu_domain *domain;
        uint32_t pasid;
    } link[PASID_LINKS];
    unsigned n_links;
};

/* The fake, not started. */
void pasids_init(struct pasids *s, bool first);
void pasids_up(struct pasids *s);
void pasids_open(struct pasids *s, bool first); /* both */
/* Nothing may be left. */
void pasids_close(struct pasids *s);

/* vtd_set(), with the link that the core would have made. What it costs is forgotten
 * before. */
enum uiommu_status pasids_try(struct pasids *s, struct uiommu_endpoint *ep,
                              struct uiommu_domain *next);
void pasids_set(struct pasids *s, struct uiommu_endpoint *ep,
                struct uiommu_domain *next);
void pasids_block(struct pasids *s, struct uiommu_endpoint *ep);
uint32_t pasids_did(struct pasids *s, const struct uiommu_endpoint *ep,
                    struct uiommu_domain *d);

/* Word 0 of the context entry; of the entry of a PASID (0: of none). */
uint64_t pasids_context(struct pasids *s);
uim_word *pasids_entry(struct pasids *s, uint32_t pasid);
void pasids_check_entry(struct pasids *s, uint32_t pasid, uint64_t q0,
                        uint64_t q1, uint64_t q2);
bool pasids_present(struct pasids *s, uint32_t pasid);
/* The entry translates by domain n. */
void pasids_check_domain(struct pasids *s, uint32_t pasid, unsigned n);

/* Word 0 of all commands in their order; each list of them ends with a wait. */
void pasids_check_commands(struct pasids *s, const uint64_t *lo, unsigned n);
#define pasids_commands(s, ...)                                                \
    pasids_check_commands((s), (const uint64_t[]){ __VA_ARGS__ },              \
                          sizeof((const uint64_t[]){ __VA_ARGS__ }) /          \
                              sizeof(uint64_t))
void pasids_no_commands(struct pasids *s);

#define ok(status) assert_int_equal(status, UIOMMU_OK)

#endif
