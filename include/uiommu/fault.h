/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_FAULT_H
#define UIOMMU_FAULT_H

#include <uiommu/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What devices did that they may not (semantics B.18). Every record a unit
 * holds is read and cleared; the domain's handler hears it first, then the
 * instance's; what nobody takes is logged as a sentence, at most 20 of a device in a
 * second. A device that faults without end is heard for a while; then records are
 * dropped, and where even that does not empty them uiommu_poll() and uiommu_irq() say so.
 *
 * Where uiommu_config.storm_budget is set, a device that was added is shut off once its id
 * has had more faults than that in a second: until uiommu_device_rearm() it sees nothing,
 * with a PASID or without, and its unit records nothing of it, as far as it can be told
 * that (VT-d: not of PASIDs in legacy mode); what is recorded all the same is dropped. Its
 * handlers hear once of that. Its domains, owner and PASIDs stay what they are, may be
 * changed as ever, and are what it sees again afterwards; who shares its group goes on, but
 * who shares its id does not. Refused interrupts do not count, and it goes on with what the
 * unit was found with (handover.h). To remove it ends this, too.
 */

/* A mapped range near a faulting address; size 0: none on that side. */
struct uiommu_range {
    uint64_t iova, size;
};

enum uiommu_fault_kind {
    UIOMMU_FAULT_DMA,
    UIOMMU_FAULT_INTERRUPT, /* a message that is not let through: no domain has
                             * a say in that, and no domain's handler hears it */
    UIOMMU_FAULT_STORM,     /* one too many: its device is shut off, and this is
                             * the last that is heard of it; what a domain's
                             * handler answers makes no difference           */
};

/* What the recorder of the domain knows of an address; see recorder.h. */
enum uiommu_history {
    UIOMMU_HISTORY_NONE,     /* there is none                               */
    UIOMMU_HISTORY_MAPPED,   /* `event` mapped it, and nobody unmapped it   */
    UIOMMU_HISTORY_UNMAPPED, /* `event` unmapped it                         */
    UIOMMU_HISTORY_NEVER,    /* it never was mapped                         */
    UIOMMU_HISTORY_OLDER,    /* none of those it remembers, of which `event`
                              * is the first                                */
};

struct uiommu_fault {
    const char *driver;     /* "vtd"; "software": uiommu_access_fault()   */
    unsigned unit;          /* index                                      */
    uint8_t kind;           /* enum uiommu_fault_kind                     */
    uint32_t id;            /* as the unit knows the requester: VT-d, its
                             * requester id; SMMUv3, its stream id        */
    bool has_source;        /* false: no PCI function is known by that id */
    struct uiommu_pci source;
    struct uiommu_device *device; /* NULL: not added                      */
    struct uiommu_domain *domain; /* what it saw when this was read; valid
                                   * during the handler; NULL: none, or an
                                   * interrupt                            */
    uint32_t reason;        /* the unit's own code                        */
    uint32_t pasid;         /* UIOMMU_NO_PASID: none                      */
    unsigned access;        /* UIOMMU_READ, _WRITE, both for AtomicOp     */
    bool has_iova;
    uint64_t iova;          /* as precise as the unit records: VT-d, a page */
    bool has_index;         /* INTERRUPT: which entry of the unit was meant */
    uint32_t index;
    bool overflow;          /* records were lost after or before this one  */

    /* What the domain's tables say of iova at the time of reading. */
    bool has_trace;
    bool mapped;            /* iova has a leaf now                        */
    unsigned rights;        /* of that leaf                               */
    uint8_t level;          /* where the walk ends; 0: smallest page      */
    uint8_t domain_kind;    /* enum uiommu_domain_kind                    */
    struct uiommu_range below, above; /* nearest mapped neighbours        */

    uint8_t history;        /* enum uiommu_history                        */
    struct uiommu_event event;
    uint64_t age_ns;        /* between it and the time of reading         */

    uint32_t count;         /* STORM: faults of its id in a second        */
};

/** True: taken care of, do not log. Called with no lock held; may be called in
 *  interrupt context if the embedder calls uiommu_irq() or uiommu_poll() there. It
 *  must not remove the device, drop the last reference on the domain, set a fault
 *  handler, or stop: all these wait for handlers to return. */
typedef bool (*uiommu_fault_fn)(void *ctx, const struct uiommu_fault *fault);

/** Who hears the faults of `domain`, NULL: nobody. When it returns the old handler
 *  runs no more: it waits for that, so not in interrupt context or a handler. */
void uiommu_fault_handler(struct uiommu_domain *domain, uiommu_fault_fn fn,
                          void *ctx);

/**
 * A device that was shut off (UIOMMU_FAULT_STORM) sees again what its endpoints are set to,
 * and its faults are counted from 0; the latter also if it was not. May sleep; not from a
 * fault handler.
 *
 * INVAL: NULL. BUSY: called by a mediator of its own. AGAIN: suspended. NODEV: it is
 * quarantined, and stays so until it is removed. TIMEDOUT, IO: as uiommu_set_domain().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_device_rearm(struct uiommu_device *device);

/**
 * A sentence: who, what, where, why, and what is mapped nearby. Always
 * NUL-terminated if size > 0; returns the length it wanted, as snprintf does.
 * Needs no host. `fault->domain` and `device` are not dereferenced.
 */
size_t uiommu_explain_fault(const struct uiommu_fault *fault, char *buf,
                            size_t size);

#ifdef __cplusplus
}
#endif
#endif
