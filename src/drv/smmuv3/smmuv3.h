/* SPDX-License-Identifier: MIT */
/*
 * smmuv3.h - what the files of the SMMUv3 driver share.
 *
 * The manual is Arm IHI0070; bare numbers in comments are its sections. Names are the
 * manual's, layouts are in spec/smmuv3.h.
 *
 *     unit.c     probe, release, options, the ops tables
 *     mode.c     which stage, which granule, and what a unit offers then
 *     life.c     from what firmware left to translation on, and back
 *     regs.c     registers that answer by another one
 *     stream.c   the stream table
 *     cd.c       context descriptors: two of a stream, or a table of them
 *     entry.c    changing an entry or a descriptor
 *     set.c      the one operation: what a stream sees, or one of its substreams
 *     link.c     ASIDs and VMIDs
 *     cmd.c      commands; no state
 *     inval.c    invalidation of domains and device TLBs
 *     queue.c    the command queue, and what can go wrong in it
 *     event.c    the event queue and global errors
 *     request.c  the PRI queue
 *     audit.c    which tables the unit reads
 *
 * Locks, all of them leaves but table_lock: table_lock (mutex) is taken under a group
 * mutex when a table may have to be added. id_lock, queue.lock, event_lock and the unit's
 * entry_lock (spin) are taken alone, in any context; none is held while a command is
 * waited for.
 */
#ifndef UIM_DRV_SMMUV3_SMMUV3_H
#define UIM_DRV_SMMUV3_SMMUV3_H

#include "base/ids.h"
#include "core/unit.h"
#include "pt/vmsa_mair.h"
#include "spec/smmuv3.h"

enum smmuv3_stage {
    SMMUV3_STAGE_AUTO,
    SMMUV3_STAGE_1,
    SMMUV3_STAGE_2,
};

/* Of the driver, for one instance: what the options said. */
struct smmuv3_options {
    enum smmuv3_stage stage;
    uint8_t granule_lg2; /* 12, 14, 16; 0: the smallest that all units have */
    uint32_t timeout_ms; /* 0: the default                                  */
};

/* A stream; not to be mixed up with other ids. */
struct smmuv3_sid {
    uint32_t id;
};

struct smmuv3_cmd {
    uint64_t q0, q1;
};

/* Commands that are submitted, and complete, together. */
enum { SMMUV3_BATCH = 15 };

struct smmuv3_batch {
    unsigned n;
    struct smmuv3_cmd cmd[SMMUV3_BATCH];
    bool atc; /* has ATC_INV, all for: */
    struct smmuv3_sid sid;
};

/* One submission on its way through the queue; its submitter's stack has it. */
struct smmuv3_waiter {
    struct uim_node node;  /* queue.waiters                                 */
    uint32_t first, sync;  /* positions of its first command and its SYNC   */
    bool atc;
    struct smmuv3_sid sid;
    bool refused;          /* one of its commands is illegal                */
    bool late;             /* its device did not answer                     */
};

struct smmuv3_queue {
    void *lock;            /* everything below                              */
    uim_word *ring;
    uint64_t ring_phys;
    uint8_t log2size;
    uint32_t head, tail;   /* positions: they count on, slots wrap          */
    struct uim_node waiters;
    uint32_t left;         /* SYNC of the last ATC_INV nobody waits for,    */
    bool any_left;         /* and which was not passed yet                  */
    uint32_t errors;       /* seen; their sentences get rarer               */
    uint32_t unanswered;   /* the same of devices nobody waits for          */
    bool dead;             /* its commands cannot be read                   */
};

struct smmuv3_record {
    uint64_t w[SMMUV3_EVENT_BYTES / 8];
};

enum { SMMUV3_EVENTS_KEPT = 32 };

struct smmuv3_events {
    uim_word *ring;
    uint64_t ring_phys;
    uint8_t log2size;
    size_t prod, cons;     /* offsets of the registers                      */
    uint32_t next;         /* CONS.RD: index and wrap                       */
    bool dropped;          /* since the last that was delivered             */
    uint32_t unwritten, unsent; /* errors seen: events, messages            */
    _Atomic uint32_t stalls; /* taken, and not yet with the core             */
    /* Taken by who must not deliver them: the next who polls does.          */
    struct smmuv3_record kept[SMMUV3_EVENTS_KEPT];
    uint32_t n_kept, n_given; /* how many ever, index modulo               */
};

/* Where unit.requests. */
struct smmuv3_requests {
    uim_word *ring;
    uint64_t ring_phys;
    uint8_t log2size;
    size_t prod, cons;     /* offsets of the registers                      */
    _Atomic uint32_t next; /* CONS.RD: index and wrap; who is busy changes it */
    _Atomic uint32_t
        unwritten; /* 1: PRIQ_ABT_ERR was seen, not acknowledged yet */
};

struct smmuv3_unit {
    struct uim_unit unit;
    struct smmuv3_idr0 idr0;
    struct smmuv3_idr1 idr1;
    struct smmuv3_idr3 idr3;
    struct smmuv3_idr5 idr5;
    enum smmuv3_stage stage;
    uint8_t granule_lg2;
    bool coherent;         /* IDR0.COHACC, or firmware says so              */
    bool ours;             /* from prepare on: its registers                */
    _Atomic bool live;     /* it reads our tables: commands are due         */
    bool stuck;            /* it did not stop: its memory is never freed    */
    struct smmuv3_gbpa found; /* as it was                                  */
    bool found_on;         /* and it translated, by somebody's table        */

    void *table_lock;      /* mutex: adding tables                          */
    uim_word *strtab;      /* level 1, or all of it                         */
    uint64_t strtab_phys;
    unsigned strtab_order;
    uint8_t sid_bits;      /* streams the table has room for                */
    bool two_level;
    uint64_t aside;        /* table_lock: word 0 of an entry that led to
                            * descriptors which none leads to any more; 0  */

    void *id_lock;         /* spin                                          */
    uint64_t *ids;         /* bit set: an ASID or VMID in use               */
    uint32_t n_ids;

    struct smmuv3_queue queue;
    void *event_lock;      /* spin: events; GERRORN is of queue.lock        */
    struct smmuv3_events events;
    struct uim_message irq[3]; /* SMMUV3_IRQ_*                              */
    struct smmuv3_requests requests;
};

/* As msi_alloc() and uiommu_irq() number them. */
enum { SMMUV3_IRQ_EVENT, SMMUV3_IRQ_GERROR, SMMUV3_IRQ_REQUEST };

static inline struct smmuv3_unit *smmuv3_unit(struct uim_unit *unit)
{
    return uim_container(unit, struct smmuv3_unit, unit);
}

static inline struct smmuv3_sid
smmuv3_sid(const struct uiommu_endpoint *endpoint)
{
    return (struct smmuv3_sid){ endpoint->id };
}

/* What can happen without end is said the 1st, 2nd, 4th, 8th ... time. */
static inline bool smmuv3_rare(uint32_t *count)
{
    const uint32_t before = (*count)++;

    return (before & (before + 1)) == 0;
}

static inline bool smmuv3_first_stage(const struct smmuv3_unit *v)
{
    return v->stage == SMMUV3_STAGE_1;
}

/* DMA of streams whose device puts up with it (STALL_ONLY is not driven). */
static inline bool smmuv3_may_stall(const struct smmuv3_unit *v)
{
    return smmuv3_idr0_stall_model(v->idr0) ==
           SMMUV3_STALL_MODEL_STALL_AND_TERMINATE;
}

static inline size_t smmuv3_ids_size(const struct smmuv3_unit *v)
{
    return uim_ids_bytes(v->n_ids);
}

/* ---- regs.c -------------------------------------------------------------- */

/* CR0 and IRQ_CTRL: the masked bits become `bits`, and the register that answers
 * shows it (6.3.9). TIMEDOUT. */
enum uiommu_status smmuv3_cr0(struct smmuv3_unit *v, uint32_t mask,
                              uint32_t bits);
enum uiommu_status smmuv3_irq_ctrl(struct smmuv3_unit *v, uint32_t bits);
/* What becomes of traffic while SMMUEN is 0 (6.3.14). TIMEDOUT. */
enum uiommu_status smmuv3_gbpa_read(struct smmuv3_unit *v,
                                    struct smmuv3_gbpa *gbpa);
enum uiommu_status smmuv3_gbpa_write(struct smmuv3_unit *v,
                                     struct smmuv3_gbpa gbpa);
/* Bytes of a queue, as pages. */
unsigned smmuv3_order(uint64_t bytes);

#define SMMUV3_CR0_BIT(field)                                                  \
    ((uint32_t)smmuv3_cr0_pack(&(struct smmuv3_cr0_fields){ .field = 1 }).raw)

/* ---- cmd.c --------------------------------------------------------------- */

void smmuv3_add_cfgi_ste(struct smmuv3_batch *b, struct smmuv3_sid sid);
void smmuv3_add_cfgi_cd(struct smmuv3_batch *b, struct smmuv3_sid sid,
                        uint32_t ssid);
void smmuv3_add_cfgi_all(struct smmuv3_batch *b);
/* All of an ASID or VMID; a part of it; everything. */
void smmuv3_add_tlbi(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                     uint32_t id);
void smmuv3_add_tlbi_range(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                           const struct uim_link *link,
                           const struct uim_inval *inval);
void smmuv3_add_tlbi_all(struct smmuv3_batch *b, const struct smmuv3_unit *v);
/* Of requests with a PASID; or UIOMMU_NO_PASID, and then of all. */
void smmuv3_add_atc_inv(struct smmuv3_batch *b, struct smmuv3_sid sid,
                        uint32_t pasid, const struct uim_inval *inval);
void smmuv3_add_pri_resp(struct smmuv3_batch *b,
                         const struct uim_page_answer *answer);
void smmuv3_add_resume(struct smmuv3_batch *b,
                       const struct uim_page_answer *answer);
/* Nothing of the stream waits any more; its entry lets nothing through. */
void smmuv3_add_stall_term(struct smmuv3_batch *b, struct smmuv3_sid sid);
struct smmuv3_cmd smmuv3_sync(void);

/* ---- queue.c ------------------------------------------------------------- */

/* Carry out a batch and wait. While tables are not live: nothing. Any context.
 * TIMEDOUT, IO. */
enum uiommu_status smmuv3_submit(struct smmuv3_unit *v,
                                 const struct smmuv3_batch *b);
enum uiommu_status smmuv3_queue_create(struct smmuv3_unit *v);
void smmuv3_queue_destroy(struct smmuv3_unit *v);
enum uiommu_status smmuv3_queue_start(struct smmuv3_unit *v);
/* Deals with GERROR.CMDQ_ERR. Any context. */
void smmuv3_queue_errors(struct smmuv3_unit *v);

/* ---- event.c ------------------------------------------------------------- */

enum uiommu_status smmuv3_events_create(struct smmuv3_unit *v);
void smmuv3_events_destroy(struct smmuv3_unit *v);
enum uiommu_status smmuv3_events_start(struct smmuv3_unit *v);
/* Global errors that somebody left are not ours, but for one that stays. TIMEDOUT. */
enum uiommu_status smmuv3_errors_start(struct smmuv3_unit *v);
bool smmuv3_poll(struct uim_unit *unit);

/* ---- request.c ----------------------------------------------------------- */

/* What waits as this is called has come to the core. */
void smmuv3_stalls_take(struct smmuv3_unit *v);

/* Nothing to do but where unit.requests. */
enum uiommu_status smmuv3_requests_create(struct smmuv3_unit *v);
void smmuv3_requests_destroy(struct smmuv3_unit *v);
enum uiommu_status smmuv3_requests_start(struct smmuv3_unit *v);
bool smmuv3_requests_wait(struct uim_unit *unit);
bool smmuv3_requests_take(struct uim_unit *unit);
/* PRIQ_ABT_ERR: the queue was emptied, and groups that it may concern are forgotten. */
void smmuv3_requests_acknowledge(struct smmuv3_unit *v);
enum uiommu_status smmuv3_respond(struct uim_unit *unit,
                                  const struct uim_page_answer *answer);
enum uiommu_status smmuv3_drain(struct uiommu_endpoint *endpoint);

/* mode.c */
bool smmuv3_has_granule(const struct smmuv3_unit *v, unsigned lg2);
/* Of a domain's tables: those of a process have their own. */
static inline unsigned smmuv3_granule_lg2(const struct uim_pt *pt)
{
    return uim_ctz(pt->ops->page_sizes);
}

/* shared.c */
const char *smmuv3_shared_tables(const struct uim_unit *unit,
                                 const struct uiommu_provider_config *tables,
                                 struct uim_pt *pt);

/* ---- stream.c ------------------------------------------------------------ */

enum uiommu_status smmuv3_streams_create(struct smmuv3_unit *v);
void smmuv3_streams_destroy(struct smmuv3_unit *v);
/* The registers that say where the table is; SMMUEN is 0. */
void smmuv3_streams_program(const struct smmuv3_unit *v);
/* They say so still. */
bool smmuv3_streams_programmed(const struct smmuv3_unit *v);

/* The entry of a stream; NULL: its table was never needed. */
uim_word *smmuv3_ste(const struct smmuv3_unit *v, struct smmuv3_sid sid);
/* OPNOTSUPP (logged): the unit has no such stream. */
enum uiommu_status smmuv3_sid_check(const struct smmuv3_unit *v,
                                    struct smmuv3_sid sid);
/* The entry of a stream that there is, with its table. NOMEM. */
enum uiommu_status smmuv3_ste_create(struct smmuv3_unit *v,
                                     struct smmuv3_sid sid, uim_word **out);

/* ---- cd.c ---------------------------------------------------------------- */

enum { SMMUV3_CD_WORDS = SMMUV3_CD_BYTES / 8 };

/* An entry with this word 0 leads to a table. */
bool smmuv3_has_table(uint64_t word0);
/* Else: the descriptor that it leads to, whether it looks at it or not, and the one that
 * it does not lead to. */
struct smmuv3_cds {
    uim_word *current, *spare;
    uint64_t phys, spare_phys;
};
void smmuv3_cds(const struct smmuv3_unit *v, const uim_word *ste,
                struct smmuv3_cds *out);
/* In a table, the descriptor of a PASID, or that of requests without one. NULL: there is
 * none. */
uim_word *smmuv3_cd(const struct smmuv3_unit *v, uint64_t word0, uint32_t ssid);
/* All of them, each in one store; but none of what has ended, which shows nothing either, of
 * which nobody hears. */
void smmuv3_cds_block(const struct smmuv3_unit *v, uint64_t word0);

/* The entry of a stream, leading to what the first stage needs. NOMEM. OPNOTSUPP
 * (logged): the unit has no such stream. */
enum uiommu_status smmuv3_stream_create(struct smmuv3_unit *v,
                                        struct smmuv3_sid sid, uim_word **out);
/* The same, with a table in which the endpoint's PASID has a descriptor: *word0 leads to
 * it, but *ste may not yet. NOMEM. OPNOTSUPP (logged): also where PASIDs live in a table
 * that is too small. */
enum uiommu_status smmuv3_table_create(struct smmuv3_unit *v,
                                       const struct uiommu_endpoint *ep,
                                       uim_word **ste, uint64_t *word0);
/* The entry was to lead to `table`, a new one. What it does not lead to any more stays;
 * a table that it never led to goes. */
void smmuv3_table_linked(struct smmuv3_unit *v, const uim_word *ste,
                         uint64_t before, uint64_t table);
void smmuv3_aside_destroy(struct smmuv3_unit *v);
void smmuv3_cds_destroy(const struct smmuv3_unit *v, const uim_word *ste);

/* ---- entry.c ------------------------------------------------------------- */

enum { SMMUV3_STE_WORDS = SMMUV3_STE_BYTES / 8, SMMUV3_STE_USED = 4 };

/* What follows word 0 changes before it or after it, never beside it: the stream
 * sees what it saw, what it is to see, or nothing (semantics B.13). TIMEDOUT, IO:
 * it is blocked, as it is where somebody cuts it meanwhile. */
enum uiommu_status smmuv3_ste_replace(struct smmuv3_unit *v,
                                      const struct uiommu_endpoint *endpoint,
                                      uim_word *ste, const uint64_t *want);
/* The same, but whatever the status the entry stays as it became: where either serves
 * those that it is not changed for. */
enum uiommu_status smmuv3_ste_change(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *endpoint,
                                     uim_word *ste, const uint64_t *want);
/* In one store: the stream is aborted, and that is recorded, or it is not (5.2, Config).
 * Of the latter, the entry still says what it leads to. */
void smmuv3_ste_block(const struct smmuv3_unit *v, uim_word *ste);
void smmuv3_ste_mute(const struct smmuv3_unit *v, uim_word *ste);
/* It is as the latter leaves it. */
bool smmuv3_ste_is_mute(uint64_t word0);
/* It may let something through. */
bool smmuv3_ste_is_valid(uint64_t word0);
/* All caches forget the entry and what it leads to. */
enum uiommu_status smmuv3_ste_forget(struct smmuv3_unit *v,
                                     struct smmuv3_sid sid);

/* A descriptor in a table: the endpoint sees what it saw, nothing, then what `want`
 * says. TIMEDOUT, IO: any of these, and the caller blocks it; nothing where somebody cuts
 * it meanwhile. */
enum uiommu_status smmuv3_cd_replace(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *endpoint,
                                     uim_word *cd, const uint64_t *want);
/* In one store. */
void smmuv3_cd_block(const struct smmuv3_unit *v, uim_word *cd);
/* All caches forget the descriptor, and the way to it from the entry. */
enum uiommu_status smmuv3_cd_forget(struct smmuv3_unit *v,
                                    const struct uiommu_endpoint *endpoint);
bool smmuv3_cd_is_hushed(const uim_word *cd);
/* It shows nothing from now on, nor what any ASID has cached, and no fault is recorded. In
 * one store, whatever was there. */
enum uiommu_status smmuv3_cd_hush(struct smmuv3_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *cd);

/* ---- the operations ------------------------------------------------------ */

enum uiommu_status smmuv3_set(struct uiommu_endpoint *endpoint,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old);
enum uiommu_status smmuv3_cut(struct uiommu_endpoint *endpoint);
enum uiommu_status smmuv3_make_entry(struct uiommu_endpoint *endpoint);
enum uiommu_status smmuv3_ids_create(struct smmuv3_unit *v);
enum uiommu_status smmuv3_link(struct uim_link *link);
void smmuv3_unlink(struct uim_link *link);
enum uiommu_status smmuv3_invalidate(struct uim_link *link,
                                     const struct uim_inval *inval);
enum uiommu_status smmuv3_devtlb(struct uiommu_endpoint *endpoint,
                                 const struct uim_inval *inval);
/* Everything the unit may have cached. */
enum uiommu_status smmuv3_invalidate_all(struct smmuv3_unit *v);

enum uiommu_status smmuv3_settle(void *state, struct uim_unit *const *units,
                                 unsigned n);
/* Code of an address size, the smallest that is not below `bits`; what is above OAS
 * counts as OAS. */
unsigned smmuv3_oas_code(unsigned bits);

void smmuv3_audit(struct uim_unit *unit, struct uim_unit_audit *out);

enum uiommu_status smmuv3_prepare(struct uim_unit *unit);
enum uiommu_status smmuv3_enable(struct uim_unit *unit);
enum uiommu_status smmuv3_disable(struct uim_unit *unit);
void smmuv3_release(struct uim_unit *unit);
enum uiommu_status smmuv3_suspend(struct uim_unit *unit);
enum uiommu_status smmuv3_resume(struct uim_unit *unit);

#endif
