/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_MODE_H
#define UIOMMU_MODE_H

#include <uiommu/domain.h>
#include <uiommu/instance.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What protection there is, effectively: not what was asked for but what came of it.
 */

/* Whose an endpoint's group is (semantics B.4). */
enum uiommu_owned_by {
    UIOMMU_OWNED_BY_NOBODY, /* the host sets domains itself                 */
    UIOMMU_OWNED_BY_DMA,    /* started: see dma.h                           */
    UIOMMU_OWNED_BY_USER,   /* claimed                                      */
};

/* What decided that a default domain is identity or not (semantics B.2). */
enum uiommu_default_rule {
    UIOMMU_DEFAULT_NONE,       /* there is no default domain: not started   */
    UIOMMU_DEFAULT_NOT_SAID,   /* neither the driver nor the configuration  */
    UIOMMU_DEFAULT_ASKED,      /* the driver                                */
    UIOMMU_DEFAULT_CONFIGURED, /* uiommu_config.default_domain              */
    UIOMMU_DEFAULT_UNTRUSTED, /* that says identity, but a device of the group is
                                * not trusted                               */
    UIOMMU_DEFAULT_NO_IDENTITY, /* so too, but a unit has no pass-through, or a part of a
                                 * device is to see less (mediated.h)       */
    UIOMMU_DEFAULT_NO_TABLES,   /* identity: no unit translates for it      */
};

struct uiommu_mode {
    enum uiommu_domain_kind
        sees; /* quarantined, muted, or in a reset: nothing */
    enum uiommu_owned_by owned_by;
    enum uiommu_default_rule rule;
    const char *because;        /* the rule as a sentence                   */
    bool trusted;               /* its device is                            */
    enum uiommu_block_quality
        block_quality;        /* of its unit: SINK means that what
                                 * is refused seems to succeed, NONE that nothing
                                 * is refused                               */
    bool ats;                   /* its device may hold translations now     */
    uint8_t pasid_bits;         /* of its device, as it may use them        */
    uint32_t pasids_waiting;  /* numbers of its device's group that nobody gets
                                 * before a reset: see uiommu_pasid_destroy()
                                 * and uiommu_mediator.pasid_clear           */
    bool faults_served; /* it may see a domain that answers page requests
                                 * (request.h)                              */
    bool interrupts_isolated;   /* it can send no interrupt of another      */
    bool quarantined;           /* blocked until its device is removed      */
    bool muted;                 /* its device faulted too often: until
                                 * uiommu_device_rearm()                    */
    bool unit_broken;           /* its unit did not confirm a command       */
};

/** What the endpoint sees and why. May sleep. INVAL: NULL. BUSY: from within a mediator
 *  (mediated.h). */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_effective_mode(struct uiommu_endpoint *endpoint,
                      struct uiommu_mode *out);

#ifdef __cplusplus
}
#endif
#endif
