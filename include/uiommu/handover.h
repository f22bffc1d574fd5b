/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_HANDOVER_H
#define UIOMMU_HANDOVER_H

#include <uiommu/instance.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From one owner of the machine to the next without a moment in which DMA is not
 * confined: firmware or a loader to a kernel, a kernel to the one it starts
 * (semantics B.23).
 *
 *     loader   uiommu_hand_over(u, how, &record)   translation stays on
 *     kernel   config.flags = UIOMMU_CONFIG_ADOPT, config.record = record
 *              uiommu_start()                      the same translations, our tables
 *              uiommu_device_add(), uiommu_set_domain() ...
 *              uiommu_adopted_end()                the loader's memory is free
 *
 * Adoption also takes what is no uiommu, and then without a record. The entries
 * that say who translates how are copied; what they point to, page tables above all,
 * stays where it is and must not change until uiommu_adopted_end().
 *
 * SMMUv3 has no part in it yet: its stream table can only be exchanged while it does not
 * translate, so its entries would have to be taken over where they are. Until that is
 * done such units are not adopted, and so not handed over.
 */

/* ---- adopt ---------------------------------------------------------------- */

/*
 * With UIOMMU_CONFIG_ADOPT, units that translate when uiommu_start() finds them go on
 * doing so: requesters see what they saw, interrupts go where they went, and devices
 * that are added are on the domain uiommu_inherited() until they are moved to another.
 * uiommu_start() then also fails, and the units go on as they were, with
 *   OPNOTSUPP  the host has no memory_map; a unit translates in another mode than
 *              uiommu shall use, or is an SMMUv3 and translates at all; it remaps
 *              interrupts and UIOMMU_CONFIG_REMAP_INTERRUPTS or _X2APIC do not say the
 *              same, or in entries above those uiommu has; or it does something else
 *              that would not go on; the record would be about an SMMUv3;
 *   INVAL      the record is not one, or is not about this machine, or the tables have
 *              changed since it was made.
 * The log has the reason. "As they were" is what devices see: the queue of the last owner
 * is off then, events are masked, and fault records are gone. Where a unit translates
 * nothing, its requesters are blocked, as ever; if it remaps interrupts, these go on.
 */

/** The static domain of what was found. Endpoints can leave it, not return: INVAL. So
 *  where several of a group were found translating and one cannot follow the others
 *  (NOMEM), those that had left it are blocked, and the log says so. */
struct uiommu_domain *uiommu_inherited(struct uiommu *u);

struct uiommu_adopted {
    const char *driver;    /* of its unit: "vtd"                              */
    unsigned unit;
    uint16_t segment;
    uint32_t source;       /* its requester id                                */
    struct uiommu_device *device; /* NULL: the host has not added it          */
};

typedef void (*uiommu_adopted_fn)(void *ctx,
                                  const struct uiommu_adopted *adopted);

/**
 * Calls `fn`, which may be NULL and must not call uiommu, for every requester whose
 * translation is still the one that was found. Returns how many there are. May sleep.
 */
unsigned uiommu_adopted(struct uiommu *u, uiommu_adopted_fn fn, void *ctx);

/**
 * Whatever is still as it was found is so no more: requesters get their core domain
 * (blocked, or their firmware regions), interrupt entries refuse. Nothing of the
 * former owner's memory is in use afterwards. May sleep. BUSY: not started. AGAIN:
 * suspended. NOMEM, NOSPC: a device goes on as it was found; call again. TIMEDOUT, IO: a unit
 * did not confirm, and may still use that memory.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_adopted_end(struct uiommu *u);

/* ---- hand over ------------------------------------------------------------ */

/* What the next owner may rely on. BUSY: it is not so; and for the first two, some
 * requester is still as it was adopted. */
enum uiommu_hand_over {
    /* Nobody but firmware's requesters reaches anything, and those their regions: all
     * devices are removed, all interrupts unmapped.                           */
    UIOMMU_HAND_OVER_BLOCKED,
    /* All devices that are added see uiommu_identity(). */
    UIOMMU_HAND_OVER_IDENTITY,
    /* Everybody keeps the domain it sees, and its mappings. */
    UIOMMU_HAND_OVER_AS_IT_STANDS,
};

/*
 * The record: what the next owner may hold the machine against. One block of memory
 * without pointers, so that it can be copied; n_units of struct uiommu_record_unit follow
 * the header. Every member is a little-endian word of 64 bits. Digests are FNV-1a of
 * 64 bits.
 */
#define UIOMMU_RECORD_MAGIC   UINT64_C(0x646e61686d6f6975) /* "uiomhand" */
#define UIOMMU_RECORD_VERSION UINT64_C(1)

struct uiommu_record {
    uint64_t magic;
    uint64_t version;
    uint64_t size;       /* of all of it, in bytes                            */
    uint64_t how;        /* enum uiommu_hand_over                             */
    uint64_t n_units;
    uint64_t digest;     /* of all of it, with 0 here                         */
};

struct uiommu_record_unit {
    uint64_t base;       /* physical address of its registers                 */
    uint64_t root;       /* VT-d: RTADDR                                      */
    uint64_t interrupts; /* VT-d: IRTA; 0: not remapped                       */
    uint64_t digest;     /* of the entries that say who translates how        */
};

/**
 * End the instance as uiommu_stop() does, but leave the units translating, and with
 * interrupts remapped if they are. Devices, endpoints and interrupts are gone with
 * it; domains are still to be put; those that devices saw last stay as they are,
 * their tables are the next owner's: the calls of map.h answer BUSY. No other call is
 * under way. Pages that pages_alloc() gave and that do not come back by
 * uiommu_destroy() belong to the next owner, the record too: *record is its address,
 * *size its size in bytes.
 *
 * May sleep. BUSY: not started, or as above; or there is a provider of an address space
 * (sva.h), whose tables are nobody's to give. OPNOTSUPP: the host has no memory_map,
 * or a unit is an SMMUv3. NOMEM. INVAL. After these nothing has changed. TIMEDOUT, IO: a
 * unit did not answer, and there is no saying what it has cached; it is handed over all
 * the same.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_hand_over(struct uiommu *u, enum uiommu_hand_over how,
                 const struct uiommu_record **record, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
