/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_MEDIATED_H
#define UIOMMU_MEDIATED_H

#include <uiommu/map.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Mediated devices (semantics C): parts of a device that its driver, the mediator, lends to
 * clients. A client's handle is an endpoint like any other: uiommu_claim(),
 * uiommu_set_domain(), uiommu_domain_create(), uiommu_dma_start() and the rest take it.
 * Which part of the device it is, is a matter between mediator and client; how it is kept
 * apart is the kind's:
 *
 * PASID: the part sends requests with a number of its own. It is a group of its own, which
 * has the endpoint and no device, and is claimed by itself. While it is blocked it has no
 * number and touches no hardware; it gets one with its first domain, or from the start
 * (UIOMMU_MDEV_EARLY). Firmware regions of the parent do not concern it, nor do interrupts,
 * which are the parent's. Where it sees a domain that answers page requests (request.h) its
 * number is its own, so that each is told what it asked for itself.
 *
 * RID_INHERIT: the part is all that the parent sends without a PASID, so that there is one.
 * It is of the parent's group, and moves it; PASIDs, interrupts and regions are the parent's,
 * too. PASIDs that are created of it see no more than it may, and end before it.
 * Meanwhile the parent's own endpoint can neither be claimed, set nor started (BUSY). If
 * the mediator has started it for DMA that rests: to map is INVAL, and what was mapped is
 * there again when the part is unregistered.
 *
 * EMULATED: nothing in hardware keeps the part apart, and it sends nothing of its own: its
 * mediator works for it, and asks with uiommu_access_pin() and uiommu_access_rw() where
 * addresses of the part's domain lead, and whether they may. Its parent need be behind no
 * unit (uiommu_driver_software). It is a group of its own. As
 * that a client is confined is its mediator's word alone, such a group is claimed only where
 * uiommu_config.block_quality is NONE (PERM). Domains are those of the parent's unit, which
 * other devices may see as well; to unmap in one that such a part sees, or to give the part
 * another, waits for its mediator to let go: uiommu_unmap() is then called only where that
 * may take its time. It asks for no pages: such domains are OPNOTSUPP.
 *
 * A parent with mediated devices is not removed while it is there, nor is its group claimed
 * while it has any of the kind PASID.
 */
enum uiommu_mdev_kind {
    UIOMMU_MDEV_PASID,
    UIOMMU_MDEV_RID_INHERIT,
    UIOMMU_MDEV_EMULATED,
};

enum {
    /* All of the parent's group that ask for it and see the same domain have one number,
     * unless that answers page requests. Who goes on to another domain gets another
     * number then (pasid_clear, pasid_install), unless nobody else has the first, or
     * there. */
    UIOMMU_MDEV_SHARE = 1u << 0,
    /* It is started for DMA (dma.h) while it is registered: its mediator uses it. */
    UIOMMU_MDEV_DMA = 1u << 1,
    /* Of PASID: it has its number from the start to its end, also while it is blocked, and
     * nobody else gets that meanwhile; unless it did not stop (pasid_clear), which ends
     * this. Not with SHARE. */
    UIOMMU_MDEV_EARLY = 1u << 2,
};

/* What happens to the parent. One that is EMULATED is told, and sees what it saw. */
enum uiommu_mdev_reset {
    UIOMMU_MDEV_RESET_BEGIN,  /* it is about to be blocked and reset: stop it */
    UIOMMU_MDEV_RESET_END,    /* what it saw it sees again, with its number   */
    UIOMMU_MDEV_RESET_FAILED, /* it stays blocked until it is removed, and its
                               * domain is blocked                           */
};

/*
 * What the mediator does for its device. Called with the mutex of the parent's group held:
 * they may sleep, and of uiommu they call uiommu_endpoint_domain(), uiommu_endpoint_pasid(),
 * uiommu_endpoint_group() and what works on domains alone. What would change, or ask about,
 * the same parent's endpoints is BUSY then; so is that of others meanwhile, if the host has
 * no `thread`. `endpoint` may not have been returned by uiommu_mdev_register() yet.
 */
struct uiommu_mediator {
    /* Its requests shall carry the number from now on: it sees its domain. Whatever is
     * returned but OK fails the call that was about to give it that domain. TIMEDOUT: whether
     * they will is not known; the number waits for a reset then, as after pasid_clear. */
    enum uiommu_status (*pasid_install)(void *ctx,
                                        struct uiommu_endpoint *endpoint,
                                        uint32_t pasid);
    /* Stop it, and wait for what is under way: no request shall carry the number any more.
     * False: it does not stop. It is blocked all the same, and the number waits for a
     * reset, see pasid.h. Where the parent was pulled out the answer does not matter. */
    bool (*pasid_clear)(void *ctx, struct uiommu_endpoint *endpoint,
                        uint32_t pasid);
    /* The two above are called for the kind PASID only, which has to have them; this one
     * for EMULATED, so too: addresses from `iova` to `last`, or some of these, lead
     * elsewhere or nowhere from now on. What was pinned there is used until it is unpinned,
     * here or by another thread, and so long somebody waits: with no mutex of uiommu held,
     * or where the part gets another domain or ends with those of that call, so that whoever
     * unpins takes none of a kind that is held around calls of uiommu. From here only
     * uiommu_access_unpin() is called, and the three that say what an endpoint is; to pin is
     * BUSY, as is all that the others must not call. */
    void (*unmapped)(void *ctx, struct uiommu_endpoint *endpoint, uint64_t iova,
                     uint64_t last);
    /* Around uiommu_device_reset_begin() and _end() of the parent. u->lock is held too:
     * nothing that adds, removes or resets devices is called. Optional. */
    void (*parent_reset)(void *ctx, struct uiommu_endpoint *endpoint,
                         enum uiommu_mdev_reset what);
    /* It is there, and about to be returned by uiommu_mdev_register(): clients may be told
     * of it. Whatever is returned but OK fails that call. u->lock is held, as for
     * parent_reset. Optional. */
    enum uiommu_status (*registered)(void *ctx,
                                     struct uiommu_endpoint *endpoint);
};

struct uiommu_mdev_config {
    uint32_t size;  /* sizeof(struct uiommu_mdev_config)                    */
    enum uiommu_mdev_kind kind;
    uint32_t flags; /* UIOMMU_MDEV_*; unknown ones are INVAL                */
    const struct uiommu_mediator *mediator; /* copied                       */
    void *ctx;      /* of its calls                                         */
    /* Less than the parent can: addresses of so many bits, and (bit n) leaves of 2^n bytes.
     * 0: the same. More is INVAL. */
    uint8_t iova_bits;
    uint64_t page_sizes;
    uint32_t first, last; /* PASIDs that it may get, as in pasid.h; of other
                           * kinds 0                                        */
};

/**
 * Make a mediated device of `parent`, blocked, with its group and its endpoint; with
 * UIOMMU_MDEV_DMA, started. `parent` is there until it is unregistered; unless it was
 * pulled out (and this is not started for DMA): then the endpoint sees nothing, and
 * answers NODEV to all that would change that.
 *
 * May sleep. INVAL: malformed, or it would have more than its parent. OPNOTSUPP: as
 * uiommu_pasid_last(), or the kind is not known. BUSY: the parent's group is claimed or
 * being reset, or this is called from within a mediator; of RID_INHERIT, there is one, or
 * somebody but the mediator uses the group.
 * PERM: the parent is not trusted, and PASIDs are not wide. NODEV: it is
 * quarantined. AGAIN: suspended. NOMEM; with UIOMMU_MDEV_EARLY as uiommu_pasid_create();
 * with UIOMMU_MDEV_DMA as uiommu_dma_start(); what `registered` returns.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_mdev_register(struct uiommu_device *parent,
                     const struct uiommu_mdev_config *config,
                     struct uiommu_endpoint **out);

/**
 * End it; it is blocked first. Nobody uses the endpoint any more.
 *
 * May sleep; not from a fault handler. INVAL: not a mediated device. BUSY, and nothing
 * happens: it is claimed, a driver uses it (uiommu_dma_stop() first), PASIDs were created of
 * it, or this is called from within a mediator of the same parent. AGAIN: suspended.
 * TIMEDOUT, IO: as uiommu_pasid_destroy(); it is ended all the same.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_mdev_unregister(struct uiommu_endpoint *endpoint);

/* ---- for mediators of the kind EMULATED ------------------------------------------- */

/* Memory that is used: the caller's, who leaves it alone until it is unpinned. */
struct uiommu_pin {
    struct uiommu_pin *next;
    struct uiommu_domain *domain;
    uint64_t first, last;
};

/* One piece of memory, in the order of addresses; others may follow side by side. */
typedef void (*uiommu_access_fn)(void *ctx, const struct uiommu_segment *piece);

/**
 * Call `fn` (may be NULL) with the memory that the endpoint's domain has at [iova, iova +
 * size), for accesses of `flags` (UIOMMU_READ, UIOMMU_WRITE or both). It stays mapped until
 * it is unpinned: whoever unmaps it waits.
 *
 * Any context; `fn` calls nothing that waits for the pin, nor does whoever has one: the
 * part gets no other domain before it is unpinned. INVAL: malformed, not of the kind
 * EMULATED, or a byte of it is not mapped, or not so; doorbells (interrupt.h) are not for
 * parts. BUSY: from within `unmapped`. NODEV:
 * its parent was pulled out. After these nothing is pinned; if somebody unmaps it meanwhile
 * `fn` may have been called.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_access_pin(struct uiommu_endpoint *endpoint, uint64_t iova,
                  uint64_t size, unsigned flags, struct uiommu_pin *pin,
                  uiommu_access_fn fn, void *ctx);

/** The memory is used no more. Any context. INVAL: NULL, or not of the kind EMULATED. NOENT:
 *  it is not pinned. */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_access_unpin(struct uiommu_endpoint *endpoint, struct uiommu_pin *pin);

/** Pinned just for `fn`, which reads or writes; or as uiommu_access_pin(). */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_access_rw(struct uiommu_endpoint *endpoint, uint64_t iova, uint64_t size,
                 unsigned flags, uiommu_access_fn fn, void *ctx);

/**
 * An access of the part's with `flags` at `iova` was refused: whoever hears the faults of what
 * it sees, or of the instance, hears of this one, with the parent as its source and "software"
 * as its driver. It does not count as the parent's (uiommu_config.storm_budget).
 *
 * Contexts as uiommu_poll(); not from `unmapped`. INVAL: malformed, or not of the kind
 * EMULATED. NODEV: its parent was pulled out.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_access_fault(struct uiommu_endpoint *endpoint, uint64_t iova,
                    unsigned flags);

#ifdef __cplusplus
}
#endif
#endif
