/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_AUDIT_H
#define UIOMMU_AUDIT_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Who is confined, by what the hardware reads: not what uiommu remembers. From the root
 * that each unit's registers hold every table is read again, down to the pages that are
 * mapped, by code of its own; and compared with what domains, groups and owners allow.
 *
 * What a leaf maps is known from that leaf alone: one that somebody changed into another
 * that the domain could have had is not noticed. Of tables that a device could write to,
 * only those by way of which the leaf is found are looked for, and the root, the queues
 * and the interrupt table of its unit: not others of its domain, of other domains, of ids
 * and PASIDs, nor those of other units. Nor is what a unit or a device has
 * cached, but for units that did not confirm a command.
 */

enum uiommu_audit_kind {
    /* So it should be. */
    UIOMMU_AUDIT_UNIT, /* a unit that only lets through what its tables say */
    UIOMMU_AUDIT_CONFINED,  /* a requester: what its domain maps, or nothing */
    UIOMMU_AUDIT_ALLOWED, /* one that reaches everything, on uiommu_identity() */
    UIOMMU_AUDIT_INHERITED, /* one that goes on as it was adopted: not judged */

    /* Findings, of a unit: all that is behind it is concerned. */
    UIOMMU_AUDIT_NO_UNIT,   /* firmware names it, and it could not be driven */
    UIOMMU_AUDIT_UNABLE,    /* its driver cannot say which tables it reads   */
    UIOMMU_AUDIT_OFF,       /* it does not translate                         */
    UIOMMU_AUDIT_FOREIGN,   /* it reads tables that are not uiommu's         */
    UIOMMU_AUDIT_UNCONFIRMED, /* it did not confirm a command: what it has cached
                             * is not known                                  */
    UIOMMU_AUDIT_INTERRUPTS, /* it was to remap interrupts, and does not     */

    /* Findings, of a requester. */
    UIOMMU_AUDIT_STRAY,     /* no device has the id, and it may reach memory */
    UIOMMU_AUDIT_STRAY_PASID, /* so too a PASID that no endpoint has         */
    UIOMMU_AUDIT_OPEN,      /* it is to be blocked, and is not               */
    UIOMMU_AUDIT_PASSES, /* it reaches everything, and its domain maps pages */
    UIOMMU_AUDIT_TABLE,     /* page tables that are not its domain's, or read
                             * in another way                                */
    UIOMMU_AUDIT_TAG,       /* what is cached of it is tagged as nobody's    */
    UIOMMU_AUDIT_SHARED_TAG, /* and as what another domain maps              */
    UIOMMU_AUDIT_ATS,       /* what its device says is translated is believed */
    UIOMMU_AUDIT_MAPPING,   /* its page tables map what its domain cannot have,
                             * or a table by way of which that is found, or
                             * the root, a queue ... of its unit             */
    UIOMMU_AUDIT_DAMAGED,   /* an entry that only a unit which looks refuses */
    UIOMMU_AUDIT_UNREADABLE, /* a table lies where the host has no memory    */

    /* A finding of either: there are more tables than are read, 2^26 words of a unit's,
     * 2^24 of an id's; of a domain's 2^20, and twice what its tables have. Or 64
     * stretches of a unit's lie where the host has no memory. What was read is told. */
    UIOMMU_AUDIT_UNFINISHED,
};

/** Is it a finding? */
static inline bool uiommu_audit_is_finding(enum uiommu_audit_kind kind)
{
    return kind >= UIOMMU_AUDIT_NO_UNIT;
}

struct uiommu_audit {
    enum uiommu_audit_kind kind;
    const char *driver;     /* "vtd"; NULL: of a unit that is not there       */
    unsigned unit;
    uint16_t segment;
    bool of_requester;      /* the rest is set                               */
    uint32_t id;            /* as the unit knows it                          */
    uint32_t pasid;         /* UIOMMU_NO_PASID: requests without one         */
    struct uiommu_device *device; /* NULL: none that was added               */
    struct uiommu_domain *domain; /* what it is to see; NULL: nobody said    */
    uint64_t entry;         /* where the entry lies; 0: nowhere              */
    bool has_iova;          /* MAPPING, and what else is so of page tables   */
    uint64_t iova;
    const char *text;       /* a sentence; it lives until `fn` returns       */
};

typedef void (*uiommu_audit_fn)(void *ctx, const struct uiommu_audit *audit);

/**
 * Calls `fn` for each unit, each requester that a device has, with a PASID and without, and
 * each finding beside these; one finding for a requester, but that ATS comes besides. `fn`
 * must not call uiommu, but for questions that take no lock.
 *
 * May sleep. Any number of threads; adding and removing devices waits meanwhile, as do
 * changes of the group that is being looked at. What is mapped and unmapped meanwhile may
 * be told as it was or as it is. Takes no memory and changes nothing.
 *
 * OK: whatever was found. NOMEM: the host could not map some tables, which are
 * findings; the rest was audited. BUSY: not started. AGAIN: suspended. OPNOTSUPP: the
 * host has no memory_map. INVAL: NULL. After these four `fn` was not called.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_audit(struct uiommu *u, uiommu_audit_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
