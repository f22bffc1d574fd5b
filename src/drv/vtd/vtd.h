/* SPDX-License-Identifier: MIT */
/*
 * vtd.h - what the files of the VT-d driver share.
 *
 * The manual is Intel D51397, revision 5.10; bare numbers in comments are its
 * sections. Names are the manual's, layouts are in spec/vtd.h.
 *
 *     unit.c       probe, release, the ops tables
 *     mode.c       which translation mode, and what a unit offers in it
 *     life.c       from what firmware left to translation on, and back
 *     adopt.c      what somebody else left translating
 *     table.c      root, context and PASID tables
 *     set.c        the one operation: what a requester sees
 *     link.c       domain ids
 *     desc.c       ranges and events as invalidation descriptors; no state
 *     inval.c      invalidation of domains and device TLBs
 *     queue.c      the invalidation queue
 *     queue_errors.c  what can go wrong in it
 *     regs_inval.c invalidation by registers, for units without a queue
 *     intr.c       the interrupt remapping table
 *     fault.c      fault records
 *     request.c    page requests
 *     audit.c      which tables the unit reads
 *     regs.c       global commands
 *
 * Locks, all of them leaves but table_lock: table_lock (mutex) is taken under a
 * group mutex when a table may have to be added. reg_lock, queue.lock,
 * did_lock, irt_lock, fault_lock (spin) are taken alone, in any context; none is held
 * while a command of the queue is waited for.
 */
#ifndef UIM_DRV_VTD_VTD_H
#define UIM_DRV_VTD_VTD_H

#include "base/ids.h"
#include "core/unit.h"
#include "spec/vtd.h"

enum vtd_mode {
    VTD_AUTO,
    VTD_LEGACY,      /* context entry -> second stage                     */
    VTD_SCALABLE,    /* context entry -> PASID entry -> second stage      */
    VTD_FIRST_STAGE, /* context entry -> PASID entry -> first stage       */
};

/* Of the driver, for one instance: what the options said. */
struct vtd_options {
    enum vtd_mode mode;
    uint32_t timeout_ms; /* 0: the default                                */
};

/* Ids that must not be mixed up. */
struct vtd_did {
    uint16_t id;
};

struct vtd_sid {
    uint16_t id; /* bus << 8 | devfn                                      */
};

/* 0 tags cached entries that are not present where CM=1 (6.1). */
#define VTD_DID_ABSENT   ((struct vtd_did){ 0 })
#define VTD_DID_IDENTITY ((struct vtd_did){ 1 })
enum { VTD_DID_FIRST = 2 };

/* Requests without PASID use this entry of the PASID table (9.4): an endpoint's pasid
 * is the number of its entry, with a PASID or without. */
enum { VTD_RID_PASID = UIOMMU_NO_PASID };

/* An invalidation descriptor; words 2 and 3 of a wide one are 0. */
struct vtd_desc {
    uint64_t lo, hi;
};

/* Commands that are submitted, and complete, together. */
enum { VTD_BATCH = 8 };

struct vtd_batch {
    unsigned n;
    struct vtd_desc desc[VTD_BATCH];
    bool ats;            /* has device-TLB commands, all for:             */
    struct vtd_sid sid;
    bool drains;         /* and its wait page requests (6.5.2.9)          */
    bool once;           /* a command that must not be carried out again  */
};

/* 2^order pages each, adjacent and naturally aligned. */
struct vtd_cover {
    uint64_t start;
    unsigned order;
    unsigned n;
};

enum { VTD_COVER_MAX = 4 };

/* How a submission ended, or that it did not. */
enum vtd_outcome {
    VTD_PENDING,
    VTD_DONE,
    VTD_ABORTED,  /* a device timed out and took it along: submit again   */
    VTD_REFUSED,  /* one of its descriptors was in error                  */
    VTD_LATE,     /* its device did not answer                            */
    VTD_SILENT,   /* the unit did not answer                              */
};

/* One submission on its way through the queue. */
struct vtd_waiter {
    uint32_t first, wait; /* positions of its first and its wait descriptor */
    uint32_t sequence;    /* status data: written when it is complete     */
    bool ats;
    struct vtd_sid sid;
    _Atomic unsigned outcome; /* what software knows; PENDING: nothing    */
};

enum {
    VTD_QUEUE_ENTRIES = 256,
    VTD_WAITERS = 63,      /* one 64-byte line of the status page each;   */
    VTD_SCRATCH_LINE = 63, /* the last line is where no-ops write         */
};

struct vtd_queue {
    void *lock;            /* everything below, but the status page       */
    uim_word *ring;
    uint64_t ring_phys;
    uim_word *status;
    uint64_t status_phys;
    bool wide;             /* DW: descriptors of 256 bits                 */
    uint32_t head, tail;   /* positions: they count on, slots wrap        */
    uint32_t sequence;
    uint64_t free;         /* waiters nobody uses                         */
    uint64_t left;         /* waiters whose submitter went away           */
    uint32_t errors;       /* seen; their sentences get rarer             */
    _Atomic uint32_t given_up; /* in error, and off until the next start  */
    struct vtd_waiter waiter[VTD_WAITERS];
};

/* Where unit.found: what was there, and is still used. */
struct vtd_adopted {
    struct vtd_rtaddr root;    /* as the registers were                   */
    struct vtd_irta interrupts;
    bool on;                   /* TE                                      */
    unsigned pages_read;
    uim_word *requesters;  /* bit set: its context entry is a copy        */
    uint64_t *dids;        /* bit set: used by one of them, and reserved  */
    uint64_t *irtes;       /* bit set: a copy                             */
};

/* A PASID directory that hardware may still read. */
struct vtd_retired {
    struct vtd_retired *next;
    uint64_t link;
};

/* Page requests, where unit.requests. */
struct vtd_requests {
    uim_word *ring;
    uint64_t phys;
    uint32_t head;             /* of who collects                         */
};

struct vtd_unit {
    struct uim_unit unit;
    struct vtd_cap cap;
    struct vtd_ecap ecap;
    uint8_t major;         /* of the architecture version                 */
    enum vtd_mode mode;
    uint8_t aw_max;        /* VTD_AW_*, 0 if the unit has no second stage */
    bool coherent;         /* ECAP.C: root, context and PASID tables      */
    bool ours;             /* from prepare on: its registers              */
    _Atomic bool live; /* it reads our tables: commands are due       */
    bool stuck;            /* it did not stop: its memory is never freed  */
    bool left;             /* translating, for the next owner             */
    struct uim_message fault_event, request_event;

    void *table_lock;      /* mutex: adding context tables                */
    uim_word *root;
    uint64_t root_phys;
    struct vtd_retired *retired; /* table_lock                            */
    _Atomic uint32_t walkers; /* in vtd_pasid_entry_of()                  */

    void *did_lock;        /* spin                                        */
    uint64_t *dids;        /* bit set: in use                             */
    uint32_t n_dids;
    struct vtd_did did_identity;
    struct vtd_adopted adopted;

    /* Where unit.remap. */
    bool platform_remaps, platform_x2apic; /* DMAR says so                */
    uim_word *irt;         /* the interrupt remapping table               */
    uint64_t irt_phys;
    void *irt_lock;        /* spin                                        */
    uint64_t *irtes;       /* bit set: in use                             */

    void *reg_lock;        /* spin: GCMD, CCMD, IOTLB                     */
    void *fault_lock;      /* spin: fault records                         */
    unsigned fault_next;   /* record to look at first                     */
    bool faults_dropped;   /* since the last one that was delivered       */
    struct vtd_queue queue;
    struct vtd_requests requests;
};

static inline struct vtd_unit *vtd_unit(struct uim_unit *unit)
{
    return uim_container(unit, struct vtd_unit, unit);
}

static inline bool vtd_has_pasids(const struct vtd_unit *v)
{
    return v->mode != VTD_LEGACY;
}

/* Whatever the mode, a PASID may see tables of a process. */
static inline bool vtd_is_first_stage(const struct uiommu_domain *domain)
{
    return domain->pt.ops == &uim_pt_vtd_fs;
}

static inline struct vtd_sid vtd_sid(const struct uiommu_endpoint *endpoint)
{
    return (struct vtd_sid){ (uint16_t)endpoint->id };
}

static inline size_t vtd_dids_size(const struct vtd_unit *v)
{
    return uim_ids_bytes(v->n_dids);
}

/* ---- regs.c -------------------------------------------------------------- */

static inline uint32_t vtd_rd32(const struct vtd_unit *v, size_t offset)
{
    return uim_rd32(&v->unit, offset);
}

static inline uint64_t vtd_rd64(const struct vtd_unit *v, size_t offset)
{
    return uim_rd64(&v->unit, offset);
}

static inline void vtd_wr32(const struct vtd_unit *v, size_t offset,
                            uint32_t value)
{
    uim_wr32(&v->unit, offset, value);
}

static inline void vtd_wr64(const struct vtd_unit *v, size_t offset,
                            uint64_t value)
{
    uim_wr64(&v->unit, offset, value);
}

#define VTD_GCMD_BIT(field)                                                    \
    ((uint32_t)vtd_gcmd_pack(&(struct vtd_gcmd_fields){ .field = 1 }).raw)

/* GCMD, 11.4.4: one change, until GSTS shows it. TIMEDOUT. */
enum uiommu_status vtd_gcmd_switch(struct vtd_unit *v, uint32_t bit, bool on);
enum uiommu_status vtd_gcmd_latch(struct vtd_unit *v, uint32_t bit);
/* Where RWBF: what was stored is visible to the unit (6.8). Any context. */
enum uiommu_status vtd_write_buffer_flush(struct vtd_unit *v);

/* ---- desc.c -------------------------------------------------------------- */

/* The fewest blocks that cover [start, last] and at most twice as much, or else
 * the smallest VTD_COVER_MAX. False: they would be above `max_order`. */
bool vtd_cover(uint64_t start, uint64_t last, unsigned max_order,
               struct vtd_cover *out);

void vtd_add_context(struct vtd_batch *b, enum vtd_cc g, struct vtd_did did,
                     struct vtd_sid sid);
void vtd_add_pasid_cache(struct vtd_batch *b, enum vtd_pc g, struct vtd_did did,
                         uint32_t pasid);
/* Whose, and of which physical function: of any other its own. */
struct vtd_devtlb {
    struct vtd_sid sid, physical;
    unsigned queue_depth; /* invalidations that it takes at once             */
};

/* All of a domain id, or everything; and a part of it. */
void vtd_add_iotlb(struct vtd_batch *b, const struct vtd_unit *v,
                   enum vtd_iotlb_granularity g, struct vtd_did did);
void vtd_add_iotlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                         struct vtd_did did, const struct uim_inval *inval);
void vtd_add_piotlb(struct vtd_batch *b, struct vtd_did did, uint32_t pasid);
void vtd_add_piotlb_range(struct vtd_batch *b, struct vtd_did did,
                          uint32_t pasid, const struct uim_inval *inval);
void vtd_add_devtlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                          const struct vtd_devtlb *tlb,
                          const struct uim_inval *inval);
/* Of one PASID. */
void vtd_add_pdevtlb_range(struct vtd_batch *b, const struct vtd_unit *v,
                           const struct vtd_devtlb *tlb, uint32_t pasid,
                           const struct uim_inval *inval);
/* One entry, or all. */
void vtd_add_interrupt(struct vtd_batch *b, enum vtd_iec g, unsigned index);
/* Word 1 of a device-TLB command for 2^order pages; and with a PASID. */
uint64_t vtd_devtlb_span(uint64_t start, unsigned order);
uint64_t vtd_pdevtlb_span(uint64_t start, unsigned order);
struct vtd_desc vtd_wait_desc(uint64_t status_phys, uint32_t data, bool drains);
void vtd_add_page_response(struct vtd_batch *b,
                           const struct uim_page_answer *answer);
/* What follows in the queue begins after what was before. */
void vtd_add_fence(struct vtd_batch *b);
struct vtd_devtlb vtd_devtlb_of(const struct uiommu_endpoint *endpoint);

/* ---- queue.c, regs_inval.c ----------------------------------------------- */

/* Carry out a batch and wait. While tables are not live: nothing. Any context.
 * TIMEDOUT, IO. */
enum uiommu_status vtd_submit(struct vtd_unit *v, const struct vtd_batch *b);
enum uiommu_status vtd_submit_by_registers(struct vtd_unit *v,
                                           const struct vtd_batch *b);
/* Waits until none that firmware started is under way. TIMEDOUT. */
enum uiommu_status vtd_registers_idle(struct vtd_unit *v);

enum uiommu_status vtd_queue_create(struct vtd_unit *v);
void vtd_queue_destroy(struct vtd_unit *v);
enum uiommu_status vtd_queue_start(struct vtd_unit *v);
enum uiommu_status vtd_queue_stop(struct vtd_unit *v);
/* Deals with what FSTS says of the queue. Any context. */
void vtd_queue_errors(struct vtd_unit *v);
/* FSTS has something to say of it still. */
bool vtd_queue_in_error(const struct vtd_unit *v);

/* ---- table.c ------------------------------------------------------------- */

enum uiommu_status vtd_tables_create(struct vtd_unit *v);
void vtd_tables_destroy(struct vtd_unit *v);

/* The context entry of a requester; NULL: its table was never needed. */
uim_word *vtd_context(const struct vtd_unit *v, struct vtd_sid sid);
enum uiommu_status vtd_context_create(struct vtd_unit *v, struct vtd_sid sid,
                                      uim_word **out);
/* The tables for `pasid` of a requester that may use `bits` of them: behind `old`, which
 * is what its context entry holds, or new ones that nothing leads to yet. NOMEM: nothing
 * changed. */
struct vtd_pasid_tables {
    uint64_t link;                /* what the context entry must hold        */
    struct vtd_retired *retired;  /* for vtd_retire() once it does; or NULL  */
};
enum uiommu_status vtd_pasid_tables_create(struct vtd_unit *v, uint64_t old,
                                           uint32_t pasid, unsigned bits,
                                           struct vtd_pasid_tables *out);
void vtd_pasid_tables_destroy(const struct vtd_unit *v, uint64_t link);
/* The entry for `pasid` behind such a link; NULL: there is none. */
uim_word *vtd_pasid_entry(const struct vtd_unit *v, uint64_t link,
                          uint32_t pasid);
/* The same of a requester, beside whoever sets it. Any context. */
uim_word *vtd_pasid_entry_of(struct vtd_unit *v, struct vtd_sid sid,
                             uint32_t pasid);

/* A directory that was replaced: it is freed now if it is confirmed that nothing leads to
 * it any more, else with the unit. */
void vtd_retire(struct vtd_unit *v, struct vtd_retired *retired,
                bool confirmed);
void vtd_retired_destroy(struct vtd_unit *v, bool unused);

/* The domain ids of all PASIDs behind a link. */
enum { VTD_DIDS = 3 };
struct vtd_dids {
    unsigned n;
    bool more; /* than these */
    struct vtd_did did[VTD_DIDS];
};
void vtd_pasid_dids(const struct vtd_unit *v, uint64_t link,
                    struct vtd_dids *out);

/* Entries of several words, P in bit 0 of word 0 (B.13). */
enum { VTD_ENTRY_P = 1 };
/* In bit 1 of a context entry, of either mode: what is refused by way of it is not
 * recorded, whether P is 1 or 0 (9.3, 9.4). */
enum { VTD_ENTRY_FPD = 2 };
void vtd_entry_store(const struct vtd_unit *v, uim_word *word, uint64_t value);
void vtd_entry_block(const struct vtd_unit *v, uim_word *entry);
void vtd_entry_zero(const struct vtd_unit *v, uim_word *entry, unsigned words);
void vtd_entry_write(const struct vtd_unit *v, uim_word *entry,
                     const uint64_t *value, unsigned words);
/* The same for one that lets an endpoint's DMA through: uim_entry_open(). TIMEDOUT: it
 * was cut, and P stays 0. */
enum uiommu_status vtd_entry_open(const struct vtd_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *entry, const uint64_t *value,
                                  unsigned words);

/* ---- the operations ------------------------------------------------------ */

enum uiommu_status vtd_set(struct uiommu_endpoint *endpoint,
                           struct uiommu_domain *next,
                           struct uiommu_domain *old);
enum uiommu_status vtd_cut(struct uiommu_endpoint *endpoint);
enum uiommu_status vtd_make_entry(struct uiommu_endpoint *endpoint);
enum uiommu_status vtd_link(struct uim_link *link);
/* NOSPC. Any context. */
enum uiommu_status vtd_did_alloc(struct vtd_unit *v, struct vtd_did *out);
void vtd_unlink(struct uim_link *link);

enum uiommu_status vtd_invalidate(struct uim_link *link,
                                  const struct uim_inval *inval);
enum uiommu_status vtd_map_sync(struct uim_link *link,
                                const struct uim_inval *inval);
enum uiommu_status vtd_devtlb(struct uiommu_endpoint *endpoint,
                              const struct uim_inval *inval);
/* Everything the unit may have cached. */
enum uiommu_status vtd_invalidate_all(struct vtd_unit *v);

/* ---- request.c ----------------------------------------------------------- */

/* Nothing to do but where unit.requests. */
enum uiommu_status vtd_requests_create(struct vtd_unit *v);
void vtd_requests_destroy(struct vtd_unit *v);
/* The queue is empty, and ours. */
void vtd_requests_start(struct vtd_unit *v);
/* As vtd_poll(). */
bool vtd_requests_wait(struct uim_unit *unit);
bool vtd_requests_take(struct uim_unit *unit);
enum uiommu_status vtd_respond(struct uim_unit *unit,
                               const struct uim_page_answer *answer);
enum uiommu_status vtd_drain(struct uiommu_endpoint *endpoint);

/* shared.c */
const char *vtd_shared_tables(const struct uim_unit *unit,
                              const struct uiommu_provider_config *tables,
                              struct uim_pt *pt);

/* ---- intr.c -------------------------------------------------------------- */

/* What it has not got to remap interrupts; NULL: nothing. */
const char *vtd_remapping_lacks(const struct vtd_unit *v);
/* All four: nothing to do unless unit.remap. */
enum uiommu_status vtd_interrupts_create(struct vtd_unit *v);
void vtd_interrupts_destroy(struct vtd_unit *v);
enum uiommu_status vtd_interrupts_on(struct vtd_unit *v);
enum uiommu_status vtd_interrupts_off(struct vtd_unit *v);
/* As they were when the unit was adopted. */
enum uiommu_status vtd_interrupts_give_back(struct vtd_unit *v);
/* A copy of an entry; false: ours are fewer. Then all copies are cleared. */
bool vtd_irq_adopt(struct vtd_unit *v, unsigned index, const uim_word *from);
enum uiommu_status vtd_irqs_adopted_end(struct vtd_unit *v);

enum uiommu_status vtd_irq_alloc(struct uim_unit *unit, unsigned n,
                                 unsigned *first);
void vtd_irq_free(struct uim_unit *unit, unsigned first, unsigned n);
enum uiommu_status vtd_irq_set(struct uim_unit *unit, unsigned index,
                               uint32_t source,
                               const struct uiommu_irq_target *target);
void vtd_irq_message(struct uim_unit *unit, unsigned first, unsigned n,
                     const struct uiommu_irq_target *target,
                     struct uiommu_irq_message *out);

/* ---- adopt.c ------------------------------------------------------------- */

/* Nothing to do where the unit does not translate or is not to be adopted. */
enum uiommu_status vtd_adopt(struct vtd_unit *v);
void vtd_adopted_destroy(struct vtd_unit *v);
bool vtd_inherited(struct uim_unit *unit, uint32_t *id);
enum uiommu_status vtd_inherited_end(struct uim_unit *unit);
enum uiommu_status vtd_describe(struct uim_unit *unit,
                                struct uiommu_record_unit *out);

/* Is the context entry a copy? What it leads to is then not ours. Any context. */
bool vtd_is_adopted(const struct vtd_unit *v, struct vtd_sid sid);
/* Such an entry: blocked, with everything that may be cached of it; false: it is none
 * any more. And then free to be used as any other. Any context. */
bool vtd_adopted_cut(struct vtd_unit *v, struct vtd_sid sid, uim_word *entry,
                     enum uiommu_status *status);
enum uiommu_status vtd_adopted_drop(struct vtd_unit *v, struct vtd_sid sid,
                                    uim_word *entry);

/* Pages of the interrupt table, log2. */
enum { VTD_IRT_ORDER = 4 };

void vtd_audit(struct uim_unit *unit, struct uim_unit_audit *out);

bool vtd_poll(struct uim_unit *unit);
/* Forget what firmware left in the records. */
void vtd_faults_clear(struct vtd_unit *v);

enum uiommu_status vtd_settle(void *state, struct uim_unit *const *units,
                              unsigned n);

enum uiommu_status vtd_prepare(struct uim_unit *unit);
enum uiommu_status vtd_enable(struct uim_unit *unit);
enum uiommu_status vtd_disable(struct uim_unit *unit);
void vtd_release(struct uim_unit *unit);
enum uiommu_status vtd_leave(struct uim_unit *unit);
enum uiommu_status vtd_give_back(struct uim_unit *unit);
/* The root table is another, and nothing of the last is cached. */
enum uiommu_status vtd_root_switch(struct vtd_unit *v, struct vtd_rtaddr to);
enum uiommu_status vtd_suspend(struct uim_unit *unit);
enum uiommu_status vtd_resume(struct uim_unit *unit);

#endif
