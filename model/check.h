/* SPDX-License-Identifier: MIT */
/*
 * check.h - the private door into the models, for the test rig only.
 *
 * Everything that a machine does goes through the C ABI; here is what no machine
 * can do: see each table fetch, each invalidation and each use of a stale cache
 * entry, lose or delay invalidations, and break the unit.
 *
 * Calls come from the thread that makes all other calls (all but translate) and
 * not from inside a hook. Hooks may be called from any thread that calls
 * translate, under the model's lock: they must not call the model.
 */
#ifndef UIM_MODEL_CHECK_H
#define UIM_MODEL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

#define UIM_CHECK_EVERY 0xffffffffu
#define UIM_CHECK_NONE  0xffffffffu /* a pasid, did or rid that is not meant */

/* Called before the memory access that it describes. */
struct uim_check_fetch {
    uint64_t gpa;
    uint32_t len;
    bool snooped; /* sees CPU caches; else only what was flushed from them   */
    bool write;   /* a compare-exchange or a status write                    */
    bool
        recheck; /* not the unit's: the model looks whether an entry is stale */
};

/* Commands, in words that fit every architecture. */
enum uim_check_kind {
    UIM_CHECK_DEVICE,        /* VT-d cc_inv; CFGI_STE, INV_DEVTAB            */
    UIM_CHECK_PASID,         /* VT-d pc_inv; CFGI_CD                         */
    UIM_CHECK_IOTLB,         /* VT-d iotlb_inv; TLBI, the others             */
    UIM_CHECK_PASID_IOTLB,   /* VT-d p_iotlb_inv; TLBI_NH_ASID, TLBI_NH_VA   */
    UIM_CHECK_DEVTLB,        /* VT-d dev_tlb_inv; ATC_INV                    */
    UIM_CHECK_PASID_DEVTLB,  /* VT-d p_dev_tlb_inv; ATC_INV with SSV         */
    UIM_CHECK_INTERRUPT,     /* VT-d iec_inv                                 */
    UIM_CHECK_WAIT,          /* VT-d inv_wait; SYNC                          */
    UIM_CHECK_WRITE_BUFFER,  /* VT-d GCMD.WBF                                */
    UIM_CHECK_KINDS
};

/* What an invalidation covers. .did of SMMUv3 is the VMID in bits 31:16 and the
 * ASID, 0 where there is none. */
enum uim_check_scope {
    UIM_CHECK_GLOBAL,
    UIM_CHECK_DOMAIN, /* .did; SMMUv3: all ASIDs of the VMID, or all CDs of .rid */
    UIM_CHECK_ONE,    /* one requester (.rid), one PASID (.did .pasid), or of
                       * interrupts 2^.am indexes from .addr. SMMUv3: 2^.am
                       * streams from .rid, one CD (.rid .pasid), one ASID   */
    UIM_CHECK_PAGE    /* .addr, 2^.am pages of 4 KiB                         */
};

struct uim_check_inval {
    enum uim_check_kind kind;
    enum uim_check_scope scope;
    uint32_t did, rid, pasid; /* UIM_CHECK_NONE where not part of the command */
    uint64_t addr, pages; /* pages: SMMUv3, that many of 4 KiB, 0 elsewhere   */
    uint8_t am;
    bool leaf_only; /* VT-d IH, SMMUv3 Leaf: what leads there may stay        */
    bool drain_read, drain_write; /* SMMUv3: always, see SYNC            */
    bool drain_pages;  /* VT-d inv_wait with PD                               */
    bool by_register;  /* not by the queue                                    */
    bool dropped;      /* uim_check_drop() swallowed it                       */
};

enum uim_check_cache {
    UIM_CHECK_CACHE_CONTEXT, /* root and context entries                      */
    UIM_CHECK_CACHE_PASID,   /* PASID directory and table entries             */
    UIM_CHECK_CACHE_WALK,    /* paging-structure entries                      */
    UIM_CHECK_CACHE_IOTLB,
    UIM_CHECK_CACHE_INTERRUPT /* .iova is the index                          */
};

/* A cached entry was used although memory says something else by now. The access
 * was answered from the entry, as hardware would.
 *
 * A use while the driver is still between its store and its invalidation is no
 * error; only the rig knows that, so it gets all of them.                     */
struct uim_check_stale {
    enum uim_check_cache cache;
    uint32_t rid, pasid,
        did; /* of the request; pasid UIM_CHECK_NONE: without */
    uint64_t iova;
    uint8_t level;      /* WALK: of the entry, 0 holds the leaves        */
    uint64_t used, now; /* IOTLB: page address | rights; else the entry's
                               * first word. now 0: nothing there              */
    struct uim_check_inval missing; /* the smallest command that would have
                                     * removed the entry                       */
    const char *text; /* one sentence; valid during the call           */
};

struct uim_check {
    void *ctx;
    void (*on_fetch)(void *ctx, const struct uim_check_fetch *fetch);
    void (*on_invalidate)(void *ctx, const struct uim_check_inval *inval);
    void (*on_stale)(void *ctx, const struct uim_check_stale *stale);
};

enum uim_check_error {
    UIM_CHECK_ERROR_QUEUE, /* VT-d IQE, code: IQEI                         */
    UIM_CHECK_ERROR_COMPLETION, /* VT-d ICE, rid: ICESID                        */
    UIM_CHECK_ERROR_TIMEOUT, /* VT-d ITE, rid: ITESID                       */
    UIM_CHECK_ERROR_MESSAGE  /* SMMUv3, code: the line whose message aborts;
                              * VT-d: nothing                                */
};

struct uim_check_inject {
    enum uim_check_error error;
    uint32_t code, rid;
};

/* Any hook may be NULL; `hooks` must live until replaced. NULL: no hooks. */
void uim_check_hooks(struct uim_model *m, const struct uim_check *hooks);

/* Swallows the next n commands (UIM_CHECK_EVERY: all from now on) of the kinds
 * in the mask (bit 1 << enum uim_check_kind). Waits complete as if they had been
 * done. n 0: stop. Waits themselves can be swallowed as well.               */
void uim_check_drop(struct uim_model *m, uint32_t kinds, uint32_t n);

/* While held, invalidations and waits are accepted and stay pending;
 * uim_check_run() does the next n of them, returns how many there were. Off:
 * the rest is done at once. Page requests are held too: run() does them when there
 * is no command left, a command that drains them, and requests() the next n at any
 * time (UIM_CHECK_EVERY: all), which returns how many there were.               */
void uim_check_hold(struct uim_model *m, bool on);
unsigned uim_check_run(struct uim_model *m, unsigned n);
unsigned uim_check_requests(struct uim_model *m, unsigned n);

/* Off: translations neither use nor fill caches; what is in them stays. */
void uim_check_caches_keep(struct uim_model *m, bool on);
/* All caches lose everything, as hardware may at any time. */
void uim_check_caches_drop(struct uim_model *m);

/* A store to guest memory happened: an adversarial model fetches again, at this
 * very moment, what it may fetch early.                                     */
void uim_check_memory_changed(struct uim_model *m, uint64_t gpa, uint64_t len);

/* The unit stops answering: commands and queue make no progress, status does not
 * change. Off: goes on where it was.                                        */
void uim_check_silent(struct uim_model *m, bool on);

void uim_check_inject(struct uim_model *m,
                      const struct uim_check_inject *error);

#endif
