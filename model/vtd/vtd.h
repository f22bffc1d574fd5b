/* SPDX-License-Identifier: MIT */
/*
 * vtd.h - a software VT-d unit (Intel D51397, revision 5.10), private header.
 *
 *     create.c     arguments, capabilities, life, the ops table
 *     regs.c       registers (11) and global commands
 *     queue.c      invalidation requests: fetch, check, complete (6.5)
 *     caches.c     what each of them removes from which cache (6.5.2, 6.6)
 *     tables.c     root, context and PASID entries (3.4, 9.1 to 9.6)
 *     walk.c       page tables, paging-structure caches, A/D bits (3.6, 3.7)
 *     translate.c  one request from end to end (3.14, 4.2)
 *     intr.c       one interrupt message: remapped, passed or refused (5.1)
 *     fault.c      reasons, records, events (7)
 *     pages.c      page requests (7.4 to 7.7)
 *     stale.c      is what a cache says still so?
 *     acpi.c       DMAR (8)
 *     save.c       state: save and load
 *
 * Offered: legacy and scalable mode, first stage, second stage, pass-through,
 * abort mode, queue and register invalidation, ATS, PASIDs, page requests,
 * interrupt remapping. Not offered yet, and so not in CAP and ECAP: posted
 * interrupts, nesting, second stage A/D, host permission tables.
 *
 * Locking: every function that is not in the ops table needs the host lock,
 * unless its comment says that it takes it. What has to be told to the VMM is
 * noted with uim_unit_note() and delivered by uim_unit_settle() without the lock.
 */
#ifndef MVTD_VTD_H
#define MVTD_VTD_H

#include "model/args.h"
#include "model/cache.h"
#include "model/door.h"
#include "model/unit.h"
#include "spec/vtd.h"
#include "walk/walk.h"

enum {
    MVTD_WINDOW_SIZE = 0x1000,
    MVTD_FRO = 0x220, /* offset of the fault records */
    MVTD_IRO = 0x0f0, /* offset of IVA and IOTLB     */
    MVTD_RECORDS = 8,
    MVTD_MAMV = 18,
    MVTD_MHMV = 15, /* iec_inv by index: the most is all of them */
    MVTD_PASID_BITS = 20,
    MVTD_PAGE_LG2 = 12,
    MVTD_PENDING = 64, /* waits, and device-TLB requests, under way at once */
    MVTD_RECENT = 16,  /* interrupts */
    MVTD_RECEIVED = 8  /* page requests; UIM_UNIT_NOTES must hold as many */
};

#define MVTD_PREFERRED_BASE UINT64_C(0xfed90000)
#define MVTD_MSI_BASE       UINT64_C(0xfee00000)
#define MVTD_MSI_LEN        UINT64_C(0x100000)

enum mvtd_cache_mode {
    MVTD_CACHE_NORMAL,
    MVTD_CACHE_NONE,
    MVTD_CACHE_ADVERSARIAL
};

/* Numbers of 64 bits and nothing else: a state has them as a row. */
struct mvtd_args {
    struct uim_common_args common;
    uint64_t cache; /* enum mvtd_cache_mode                                  */
    uint64_t cm, coherent, scalable, fs, ss, dt, rwbf; /* 0 or 1             */
    uint64_t ir, eim;                                  /* 0 or 1             */
    uint64_t bits;  /* 39, 48 or 57                                          */
    uint64_t esrtps; /* 0 or 1                                               */
    uint64_t prs;    /* 0 or 1: page requests, and what drains them          */
};

/* The registers of one kind of event: FE*, IE*, PE*. */
struct mvtd_event {
    uint64_t ctl, data, addr, uaddr;
};

struct mvtd_regs {
    uint64_t ver, cap, ecap, gcmd, gsts, rtaddr, ccmd, fsts, iqh, iqt, iqa, ics;
    uint64_t iqercd, iva, iotlb, irta, pqh, pqt, pqa, prs;
    struct mvtd_event fault, inval, pages;
};

/* A root and context entry, or a PASID directory and table entry, as read. */
struct mvtd_entry {
    uint64_t raw[4];
    uint16_t did;
    uint8_t reason; /* why it is no use: not present, reserved bits; else 0  */
    bool fpd;       /* of the entry, or of the one that led to it            */
};

/* Context cache: tag0 is the source id. PASID cache: tag1 the PASID. */
struct mvtd_entry_slot {
    struct uim_cache_slot slot;
    uint32_t pasid;
    struct mvtd_entry entry;
};

enum mvtd_kind { MVTD_SS, MVTD_FS, MVTD_PT };

/* Interrupt entry cache: tag0 is the index. */
struct mvtd_irte_slot {
    struct uim_cache_slot slot;
    uint64_t raw[2];
};

/* Which reason each failure has; section 3.14 has three sets of them. */
struct mvtd_reasons {
    uint8_t top, fetch, hole, reserved, user, write, read;
    uint8_t width;      /* of the input                                      */
    uint8_t host_width; /* of a pass-through or translated address           */
    uint8_t window;     /* output in the interrupt range                     */
};

struct mvtd_leaf {
    uint64_t gpa;
    uint8_t lg2;
    uint8_t reason; /* cached failure (CM=1), else 0                         */
    uint8_t kind;   /* enum mvtd_kind                                        */
    bool read, write, user, dirty, snoop;
};

struct mvtd_tlb_slot {
    struct uim_cache_slot slot; /* see caches.c for the tags                 */
    uint64_t iova;
    uint32_t pasid;
    uint16_t did;
    struct mvtd_leaf leaf;
};

/* A non-leaf paging entry, and what the levels above and it allow together. */
struct mvtd_walk_slot {
    struct uim_cache_slot slot;
    uint64_t iova, table, raw;
    uint32_t pasid;
    uint16_t did;
    uint8_t level, lg2; /* of the entry; of what it spans                    */
    bool fs, read, write, user;
};

/* One request on its way. */
struct mvtd_trip {
    const struct uim_model_req *req;
    uint32_t want;      /* UIM_MODEL_R and _W that must be granted           */
    bool speculative;   /* for the caches only, nobody asked                 */
    bool pages;         /* a page request: asks for nothing but the domain   */
    bool scalable, priv;
    bool fpd;           /* some entry on the way said: record nothing        */
    uint64_t context[4];
    /* From here on known once mvtd_locate() succeeded. */
    uint32_t pasid; /* 0 in legacy mode, RID_PASID if the request has none */
    uint16_t did;
    enum mvtd_kind kind;
    const struct mvtd_reasons *reasons;
    struct uim_walk_params walk;
    uint64_t root;      /* of the page tables */
    uint8_t input_bits; /* SS: addresses at or above 2^n are too wide        */
    bool walk_snooped, page_snooped, wpe;
};

struct mvtd_wait {
    uint64_t serial; /* of the last device-TLB request before it             */
    struct vtd_qi_wait_lo lo;
    struct vtd_qi_wait_hi hi;
};

struct mvtd_devtlb {
    uint64_t serial;
    uint32_t tag;
    uint16_t sid;
    bool open;
};

/* A page request that was received. */
struct mvtd_page {
    uint64_t iova;
    uint32_t rid, pasid;
    uint16_t group;
    uint8_t access; /* UIM_MODEL_R ... */
    bool last;
};

#define MVTD_COUNTERS(X)                                                       \
    X(translations)                                                            \
    X(context_hits)                                                            \
    X(context_misses)                                                          \
    X(pasid_hits)                                                              \
    X(pasid_misses)                                                            \
    X(iotlb_hits)                                                              \
    X(iotlb_misses)                                                            \
    X(walk_cache_hits)                                                         \
    X(walk_fetches)                                                            \
    X(faults)                                                                  \
    X(faults_recorded)                                                         \
    X(faults_lost)                                                             \
    X(context_invalidations)                                                   \
    X(pasid_invalidations)                                                     \
    X(iotlb_invalidations)                                                     \
    X(pasid_iotlb_invalidations)                                               \
    X(devtlb_invalidations)                                                    \
    X(waits)                                                                   \
    X(queue_errors)                                                            \
    X(interrupts)                                                              \
    X(interrupt_requests)                                                      \
    X(interrupt_hits)                                                          \
    X(interrupt_misses)                                                        \
    X(interrupt_invalidations)                                                 \
    X(page_requests)                                                           \
    X(page_requests_queued)                                                    \
    X(page_requests_refused)                                                   \
    X(page_responses)                                                          \
    X(stale_uses)

#define MVTD_COUNTER_ENUM(name) MVTD_N_##name,
enum mvtd_counter { MVTD_COUNTERS(MVTD_COUNTER_ENUM) MVTD_N_COUNTERS };

struct mvtd {
    struct uim_model base;
    struct mvtd_args args;
    uint8_t haw; /* width of a host address */
    struct mvtd_regs reg;
    struct vtd_rtaddr root;      /* latched by SRTP                          */
    struct vtd_irta irta;        /* latched by SIRTP                         */
    bool gcmd_pending;
    struct vtd_frcd_lo frcd_lo[MVTD_RECORDS];
    struct vtd_frcd_hi frcd_hi[MVTD_RECORDS];
    unsigned next_record;

    struct uim_cache contexts, pasids, tlb, walks, irtes;
    uint64_t tlb_sizes;          /* bit n: 2^n byte pages may be in tlb      */
    uint64_t fs_dids[1024];      /* bit per domain: it gave first-stage answers;
                                  * then iotlb_inv by page hits all of it    */

    struct mvtd_wait wait[MVTD_PENDING]; /* oldest first                     */
    unsigned n_waits;
    struct mvtd_devtlb devtlb[MVTD_PENDING];
    uint64_t devtlb_serial;
    uint32_t devtlb_tag;

    struct mvtd_page received[MVTD_RECEIVED]; /* oldest first                */
    unsigned n_received;

    uint16_t recent_irte[MVTD_RECENT]; /* adversarial                        */
    unsigned n_recent_irtes;

    uint64_t counter[MVTD_N_COUNTERS];
};

static inline struct mvtd *mvtd_of(struct uim_model *m)
{
    return (struct mvtd *)(void *)m;
}

static inline struct vtd_cap mvtd_cap(const struct mvtd *m)
{
    return (struct vtd_cap){ m->reg.cap };
}

static inline struct vtd_ecap mvtd_ecap(const struct mvtd *m)
{
    return (struct vtd_ecap){ m->reg.ecap };
}

static inline bool mvtd_adversarial(const struct mvtd *m)
{
    return m->args.cache == MVTD_CACHE_ADVERSARIAL;
}

static inline bool mvtd_caching(const struct mvtd *m)
{
    return !m->base.check.bypass_caches;
}

static inline bool mvtd_has_pasid(const struct uim_model_req *req)
{
    return req->pasid != UIM_MODEL_NO_PASID;
}

static inline bool mvtd_in_window(uint64_t address)
{
    return address - MVTD_MSI_BASE < MVTD_MSI_LEN;
}

/* regs.c */
uint64_t mvtd_mmio_read(struct uim_model *model, uint32_t window, uint64_t off,
                        uint32_t len);
void mvtd_mmio_write(struct uim_model *model, uint32_t window, uint64_t off,
                     uint64_t val, uint32_t len);
/* A pending global command, done. False: none. */
bool mvtd_gcmd_step(struct mvtd *m);
/* Visits every register that has a row. */
void mvtd_regs_state(struct mvtd *m, struct uim_state *s);

/* queue.c */
/* One invalidation request, done. False: none, or none that may be done now. */
bool mvtd_inval_step(struct mvtd *m);
void mvtd_queue_reset(struct mvtd *m);
void mvtd_queue_error(struct mvtd *m, unsigned iqei);
/* A device-TLB request to `sid` was not completed (FSTS.ITE). */
void mvtd_queue_timeout(struct mvtd *m, uint16_t sid);
void mvtd_queue_bad_completion(struct mvtd *m, uint16_t sid);
void mvtd_devtlb_done(struct uim_model *model, uint32_t tag, bool failed);
/* The serial of the oldest request that is open; UINT64_MAX: none is. */
uint64_t mvtd_oldest_devtlb(const struct mvtd *m);

/* caches.c */
bool mvtd_caches_create(struct mvtd *m);
void mvtd_caches_destroy(struct mvtd *m);
void mvtd_caches_clear(struct mvtd *m);
void mvtd_caches_clear_dma(struct mvtd *m); /* all but interrupt entries */
/* What one request invalidates, and whom it has to be told. */
struct mvtd_inval {
    enum uim_check_scope scope;
    uint16_t did, sid;
    uint32_t pasid;
    uint8_t fm, am;
    bool leaf_only;
    uint64_t addr;
};
void mvtd_inv_context(struct mvtd *m, const struct mvtd_inval *inval);
void mvtd_inv_pasid(struct mvtd *m, const struct mvtd_inval *inval);
void mvtd_inv_iotlb(struct mvtd *m, const struct mvtd_inval *inval);
void mvtd_inv_pasid_iotlb(struct mvtd *m, const struct mvtd_inval *inval);
/* By index if scope is ONE: 2^am of them from addr, aligned. */
void mvtd_inv_interrupt(struct mvtd *m, const struct mvtd_inval *inval);
/* NULL: not cached, or not to be used now. */
struct mvtd_tlb_slot *mvtd_tlb_find(struct mvtd *m, const struct mvtd_trip *t);
void mvtd_tlb_add(struct mvtd *m, const struct mvtd_trip *t, uint64_t iova,
                  const struct mvtd_leaf *leaf);
struct mvtd_walk_slot *mvtd_walk_find(struct mvtd *m,
                                      const struct mvtd_trip *t);
/* `from`: everything but the slot part. */
void mvtd_walk_add(struct mvtd *m, const struct mvtd_walk_slot *from);
/* Of the tags of a slot. */
uint64_t mvtd_entry_hash(uint64_t sid, uint64_t pasid);
uint64_t mvtd_tlb_hash(uint64_t tag0, uint64_t tag1);
uint64_t mvtd_walk_hash(uint64_t tag0, uint64_t tag1);
uint64_t mvtd_irte_hash(uint64_t index, uint64_t unused);
/* A slot of a state; false: the model could not have cached this. */
bool mvtd_entry_take(const void *slot, void *m);
bool mvtd_tlb_take(const void *slot, void *m);
bool mvtd_walk_take(const void *slot, void *m);
bool mvtd_irte_take(const void *slot, void *m);

/* tables.c: 0, or the reason why the request goes nowhere. */
unsigned mvtd_fetch_context(struct mvtd *m, const struct mvtd_trip *t,
                            bool recheck, struct mvtd_entry *out);
unsigned mvtd_fetch_pasid(struct mvtd *m, const struct mvtd_trip *t,
                          bool recheck, struct mvtd_entry *out);
unsigned mvtd_locate(struct mvtd *m, struct mvtd_trip *t);

/* walk.c */
/* Finds the leaf, checks `want`, sets A and D, fills the caches. */
unsigned mvtd_walk(struct mvtd *m, struct mvtd_trip *t, struct mvtd_leaf *leaf);
/* What memory says now; nothing is cached or changed. */
void mvtd_walk_again(struct mvtd *m, const struct mvtd_trip *t,
                     struct uim_walk_result *out);
bool mvtd_leaf_snoop(const struct mvtd *m, const struct mvtd_trip *t,
                     uint64_t raw);

/* translate.c */
int mvtd_translate(struct uim_model *model, const struct uim_model_req *req,
                   struct uim_model_xlat *out);
/* UIM_MODEL_R and _W that the requester has on the page. */
uint32_t mvtd_rights(const struct mvtd_trip *t, const struct mvtd_leaf *leaf);
/* 0, or why `want` is not granted. */
unsigned mvtd_permit(const struct mvtd_trip *t, const struct mvtd_leaf *leaf);
/* The page of the same address that pass-through gives. */
struct mvtd_leaf mvtd_identity(const struct mvtd_trip *t);
/* Adversarial: fetches again what was asked for lately. */
void mvtd_prefetch(struct mvtd *m);

/* intr.c */
int mvtd_remap_msi(struct uim_model *model, uint32_t rid, uint32_t flags,
                   uint64_t addr, uint32_t data, uint64_t *oaddr,
                   uint32_t *odata);
void mvtd_prefetch_irtes(struct mvtd *m);
/* What memory says now; nothing is cached. False: it cannot be read. */
bool mvtd_fetch_irte(struct mvtd *m, unsigned index, bool recheck,
                     uint64_t raw[2]);

/* fault.c */
/* What translate returns for it: 0 or an UIM_MODEL_* error. Records it. */
int mvtd_fault(struct mvtd *m, const struct mvtd_trip *t, unsigned reason);
/* Sets status bits of FSTS that report an error. */
void mvtd_fault_status(struct mvtd *m, uint64_t fsts_bits);
/* After FSTS or a record changed. */
void mvtd_fault_update(struct mvtd *m);
/* `was`: a status bit of this event was set before the new one. */
void mvtd_event_raise(struct mvtd *m, struct mvtd_event *event, bool was);
/* A mask bit may have been cleared. */
void mvtd_event_send(struct mvtd *m, struct mvtd_event *event);

/* pages.c */
int mvtd_page_request(struct uim_model *model,
                      const struct uim_model_page_request *req);
/* One request that was received, done. False: none. */
bool mvtd_pages_step(struct mvtd *m);
/* All of them. */
void mvtd_pages_drain(struct mvtd *m);

/* stale.c: compares an entry that is about to be used with memory; only if
 * mvtd_looks(). */
static inline bool mvtd_looks(const struct mvtd *m, const struct mvtd_trip *t)
{
    return mvtd_adversarial(m) && !t->speculative;
}
void mvtd_check_context(struct mvtd *m, const struct mvtd_trip *t,
                        const struct mvtd_entry *used);
void mvtd_check_pasid(struct mvtd *m, const struct mvtd_trip *t,
                      const struct mvtd_entry *used);
void mvtd_check_walk(struct mvtd *m, const struct mvtd_trip *t,
                     const struct mvtd_walk_slot *used);
void mvtd_check_tlb(struct mvtd *m, const struct mvtd_trip *t,
                    const struct mvtd_tlb_slot *used);
void mvtd_check_irte(struct mvtd *m, const struct mvtd_trip *t, unsigned index,
                     const struct mvtd_irte_slot *used);

/* acpi.c */
size_t mvtd_acpi(struct uim_model *model, void *buf, size_t size);

/* save.c */
int mvtd_save(struct uim_model *model, uim_model_write_fn fn, void *ctx);
int mvtd_load(struct uim_model *model, uim_model_read_fn fn, void *ctx);

#endif
