/* SPDX-License-Identifier: MIT */
/*
 * smmuv3.h - a software SMMUv3 (Arm IHI0070, version 3.1 and RIL), private
 * header.
 *
 *     create.c     arguments, identification registers, life, the ops table
 *     regs.c       registers (6)
 *     queue.c      the command queue: fetch, check, do, complete (4)
 *     caches.c     what is cached, and what each command removes (4.3, 4.4)
 *     tables.c     stream table entries and context descriptors (5)
 *     walk.c       translation tables, access flag and dirty state (3.3, 3.13)
 *     translate.c  one transaction from end to end (3.3, 3.9)
 *     output.c     the queues that the unit fills
 *     event.c      events, global errors, interrupts (7, 3.18)
 *     pri.c        page requests (8)
 *     stall.c      transactions that wait for software (3.12.2)
 *     stale.c      is what a cache says still so?
 *     acpi.c       IORT (Arm DEN0049)
 *     save.c       state: save and load
 *
 * Offered: stage 1, stage 2 and both, all granules, substreams, two-level tables,
 * ATS, page requests, stalls, range invalidation, MSIs and wired interrupts. Not
 * offered, and so not in the identification registers: EL2, Secure state, MPAM,
 * AArch32 tables, address translation operations, 52-bit addresses, transactions
 * that end as if they had been done (TERM_MODEL is 1: the ABI has no word for
 * them). Memory has no type here: attributes of pages, and with them STE.S2PTW, are
 * ignored.
 *
 * Levels are numbered as in src/walk: 0 holds pages; the manual calls it 3.
 *
 * Locking: every function that is not in the ops table needs the host lock. What
 * has to be told to the VMM is noted with uim_unit_note() and delivered by
 * uim_unit_settle() without the lock.
 */
#ifndef MSMMU_SMMUV3_H
#define MSMMU_SMMUV3_H

#include "model/args.h"
#include "model/cache.h"
#include "model/door.h"
#include "model/unit.h"
#include "spec/smmuv3.h"
#include "spec/vmsa.h"

enum {
    MSMMU_WINDOW_SIZE = 0x10000, /* each of the two                          */
    MSMMU_PAGE_1 = 0x10000,      /* where the second begins in offsets       */
    MSMMU_PAGE_LG2 = 12,
    MSMMU_LEVELS = 4,
    MSMMU_WORDS = 8,   /* of an STE and of a CD                              */
    MSMMU_PENDING = 64, /* ATC_INV under way at once                         */
    MSMMU_STALLS = 64   /* transactions that wait at once; one more ends     */
};

/* Tags of stalled transactions have this bit: no index of a group of page requests
 * is as large. */
#define MSMMU_STALL_TAG UINT32_C(0x80000000)

#define MSMMU_PREFERRED_BASE UINT64_C(0x09050000)

/* info() numbers the wired lines so. */
enum msmmu_line {
    MSMMU_LINE_EVENT,
    MSMMU_LINE_PAGE_REQUEST,
    MSMMU_LINE_SYNC,
    MSMMU_LINE_GERROR,
    MSMMU_LINES
};

enum msmmu_cache_mode {
    MSMMU_CACHE_NORMAL,
    MSMMU_CACHE_NONE,
    MSMMU_CACHE_ADVERSARIAL
};

enum msmmu_stages { MSMMU_STAGE_1, MSMMU_STAGE_2, MSMMU_NESTED };

/* Numbers of 64 bits and nothing else: a state has them as a row. Names of fields
 * of the identification registers. */
struct msmmu_args {
    struct uim_common_args common;
    uint64_t cache;                    /* enum msmmu_cache_mode              */
    uint64_t stage;                    /* enum msmmu_stages                  */
    uint64_t sidsize, ssidsize;
    uint64_t oas;                      /* bits                               */
    uint64_t cmdqs, eventqs, priqs;
    uint64_t gran4k, gran16k, gran64k; /* 0 or 1, as those that follow       */
    uint64_t coherent, st_level, cd2l, asid16, vmid16, msi, ats, ril;
    uint64_t pri, pps, stall;
    uint64_t stall_max;                /* records that wait for an answer    */
    uint64_t epan;
    uint64_t abort;                    /* GBPA.ABORT at reset                */
    uint64_t httu, bbml;               /* 0 to 2                             */
};

/* The registers of one interrupt: *_IRQ_CFG0 to 2. */
struct msmmu_irq {
    uint64_t cfg0, cfg1, cfg2;
};

struct msmmu_regs {
    uint64_t idr0, idr1, idr3, idr5, aidr;
    uint64_t cr0, cr0ack, cr1, cr2, gbpa, irq_ctrl, irq_ctrlack;
    uint64_t gerror, gerrorn;
    uint64_t strtab_base, strtab_base_cfg;
    uint64_t cmdq_base, cmdq_prod, cmdq_cons;
    uint64_t eventq_base, eventq_prod, eventq_cons;
    uint64_t priq_base, priq_prod, priq_cons;
    struct msmmu_irq gerror_irq, eventq_irq, priq_irq;
};

/* STE cache: tag0 is the stream id. CD cache: tag1 the index of the CD. */
struct msmmu_entry_slot {
    struct uim_cache_slot slot;
    uint64_t raw[MSMMU_WORDS];
};

/* Level 1 descriptors. Of streams: tag0 is the first stream id, tag1 0; of CDs:
 * tag0 is the stream id, tag1 1 + the first index. */
struct msmmu_l1_slot {
    struct uim_cache_slot slot;
    uint64_t raw;
    uint8_t lg2; /* of the ids behind it                                     */
};

/* Rights: UIM_MODEL_R, W and X of privileged requests, and shifted by this those
 * of unprivileged ones. */
enum {
    MSMMU_UNPRIVILEGED = 4,
    MSMMU_RIGHTS = 0x77 /* all of both */
};

/* One stage of one context: where its tables are and how they are read. */
struct msmmu_stage {
    uint64_t root;
    uint8_t granule;     /* log2                                             */
    uint8_t top;         /* level of the root table                          */
    uint8_t input_bits, output_bits;
    bool on, second;
    bool upper;          /* TTB1: addresses begin with ones                  */
    bool fails;          /* EPD: nothing is translated                       */
    bool tbi, had, affd, ha, hd, wxn, pan, epan, record, stall, snooped;
};

struct msmmu_leaf {
    uint64_t out;        /* of the first byte                                */
    uint64_t ipa;        /* both stages: what stage 1 says                   */
    uint8_t lg2, granule, level;
    uint8_t rights;      /* of stage 1, or of all there is                   */
    uint8_t rights2;     /* both stages: of stage 2                          */
    bool global;         /* whatever the ASID                                */
    bool clean, clean2;  /* a write has to set dirty state first             */
};

struct msmmu_tlb_slot {
    struct uim_cache_slot slot; /* see caches.c for the tags                 */
    uint64_t address;
    uint32_t asid;       /* or one of MSMMU_ASID_*                           */
    uint16_t vmid;
    struct msmmu_leaf leaf;
};

enum { MSMMU_ASID_GLOBAL = 0x10000, MSMMU_ASID_STAGE_2 = 0x10001 };

/* A table descriptor, and what the levels above and it allow together. */
struct msmmu_walk_slot {
    struct uim_cache_slot slot;
    uint64_t address, table, raw;
    uint32_t asid;
    uint16_t vmid;
    uint8_t level, lg2, granule; /* level of the descriptor; lg2: it spans  */
    uint8_t rights;
};

/* What an event says besides who and why. */
struct msmmu_fault {
    uint64_t ipa, fetch;
    uint8_t class;       /* SMMUV3_CLASS_*                                   */
    bool s2, ttrnw;
};

enum { MSMMU_SILENT = 0x100 }; /* terminated, and no event says so           */

/* One transaction on its way. */
struct msmmu_trip {
    const struct uim_model_req *req;
    uint32_t want;       /* rights that must be granted                      */
    bool speculative;    /* for the caches only, nobody asked                */
    bool again;          /* what memory says now: no cache, nothing changes  */
    bool priv;
    uint64_t ste[MSMMU_WORDS], cd[MSMMU_WORDS];
    uint32_t cd_index;
    /* From here on known once msmmu_locate() succeeded. */
    struct msmmu_stage s1, s2; /* both off: bypass                           */
    uint16_t vmid, asid;
    struct msmmu_fault fault;
    bool conflict;       /* of what was found in the TLB                     */
};

struct msmmu_atc {
    uint32_t tag, sid;
    bool open;
};

/* What software knows of a stalled transaction. */
enum msmmu_stalled {
    MSMMU_STALL_HELD, /* nothing yet: its record waits for space         */
    MSMMU_STALL_SUPPRESSED, /* nothing: one like it has a record (3.12.2.1)    */
    MSMMU_STALL_RECORDED    /* its stag                                       */
};

struct msmmu_stall {
    uint8_t state; /* enum msmmu_stalled                                     */
    bool ended;    /* RECORDED: retried early, and done: only the stag waits */
    bool outdated; /* HELD: a SYNC came; it is retried, not recorded (4.7.3) */
    uint16_t stag;
    uint32_t tag, rid, pasid, access;
    uint64_t iova;
    uint64_t
        word[4]; /* its event                                             */
};

#define MSMMU_COUNTERS(X)                                                      \
    X(translations)                                                            \
    X(ste_hits)                                                                \
    X(ste_misses)                                                              \
    X(cd_hits)                                                                 \
    X(cd_misses)                                                               \
    X(tlb_hits)                                                                \
    X(tlb_misses)                                                              \
    X(walk_cache_hits)                                                         \
    X(walk_fetches)                                                            \
    X(faults)                                                                  \
    X(events)                                                                  \
    X(events_lost)                                                             \
    X(page_requests)                                                           \
    X(page_requests_lost)                                                      \
    X(page_responses)                                                          \
    X(stalls)                                                                  \
    X(commands)                                                                \
    X(ste_invalidations)                                                       \
    X(cd_invalidations)                                                        \
    X(tlb_invalidations)                                                       \
    X(atc_invalidations)                                                       \
    X(syncs)                                                                   \
    X(command_errors)                                                          \
    X(interrupts)                                                              \
    X(stale_uses)

#define MSMMU_COUNTER_ENUM(name) MSMMU_N_##name,
enum msmmu_counter { MSMMU_COUNTERS(MSMMU_COUNTER_ENUM) MSMMU_N_COUNTERS };

struct msmmu {
    struct uim_model base;
    struct msmmu_args args;
    struct msmmu_regs reg;

    struct uim_cache stes, cds, l1s, tlb, walks;
    uint64_t tlb_sizes;  /* bit n: 2^n byte pages may be in tlb              */
    bool gave_wide;      /* some answer is not of one ASID and address alone */

    struct msmmu_atc atc[MSMMU_PENDING];
    uint32_t atc_tag;
    bool atc_failed;     /* the next SYNC has to say so                      */

    struct msmmu_stall stall[MSMMU_STALLS]; /* as they came                  */
    uint32_t n_stalls, stall_tag;

    uint64_t counter[MSMMU_N_COUNTERS];
};

static inline struct msmmu *msmmu_of(struct uim_model *m)
{
    return (struct msmmu *)(void *)m;
}

static inline bool msmmu_adversarial(const struct msmmu *m)
{
    return m->args.cache == MSMMU_CACHE_ADVERSARIAL;
}

static inline bool msmmu_caching(const struct msmmu *m,
                                 const struct msmmu_trip *t)
{
    return !m->base.check.bypass_caches && !t->again;
}

static inline bool msmmu_looks(const struct msmmu *m,
                               const struct msmmu_trip *t)
{
    return msmmu_adversarial(m) && !t->speculative;
}

static inline bool msmmu_has_s1(const struct msmmu *m)
{
    return m->args.stage != MSMMU_STAGE_2;
}

static inline bool msmmu_has_s2(const struct msmmu *m)
{
    return m->args.stage != MSMMU_STAGE_1;
}

static inline bool msmmu_has_ssid(const struct uim_model_req *req)
{
    return req->pasid != UIM_MODEL_NO_PASID;
}

static inline bool msmmu_probes(const struct msmmu_trip *t)
{
    return t->speculative || t->again || (t->req->flags & UIM_MODEL_PROBE);
}

/* Cacheable and shareable accesses of a coherent unit see CPU caches. */
static inline bool msmmu_snooped(const struct msmmu *m, uint64_t inner,
                                 uint64_t outer, uint64_t sh)
{
    return m->args.coherent && inner != 0 && outer != 0 && sh != VMSA_SH_NSH;
}

/* Bits that CR0 or IRQ_CTRL has, acknowledged. */
static inline struct smmuv3_cr0 msmmu_cr0(const struct msmmu *m)
{
    return (struct smmuv3_cr0){ m->reg.cr0ack };
}

/* regs.c */
uint64_t msmmu_mmio_read(struct uim_model *model, uint32_t window, uint64_t off,
                         uint32_t len);
void msmmu_mmio_write(struct uim_model *model, uint32_t window, uint64_t off,
                      uint64_t val, uint32_t len);
/* CR0, IRQ_CTRL and GBPA as written take effect. False: they have. */
bool msmmu_update_step(struct msmmu *m);
/* Visits every register that has a row. */
void msmmu_regs_state(struct msmmu *m, struct uim_state *s);

/* queue.c */
/* One command, done. False: none, or none that may be done now. */
bool msmmu_command_step(struct msmmu *m);
void msmmu_command_error(struct msmmu *m, unsigned error);
void msmmu_devtlb_done(struct uim_model *model, uint32_t tag, bool failed);

/* output.c */
/* Entries in a queue with these registers. */
uint64_t msmmu_queue_size(uint64_t base, uint64_t most);
static inline bool msmmu_queue_empty(uint64_t prod, uint64_t cons,
                                     uint64_t size)
{
    return ((prod ^ cons) & (2 * size - 1)) == 0;
}
static inline bool msmmu_queue_full(uint64_t prod, uint64_t cons, uint64_t size)
{
    return ((prod ^ cons) & (2 * size - 1)) == size;
}

bool msmmu_queue_snooped(const struct msmmu *m);
struct msmmu_output {
    uint64_t *prod;
    uint64_t base, cons;
    uint64_t size; /* entries                                                */
    unsigned bytes; /* of one                                                */
};
struct msmmu_output msmmu_eventq(struct msmmu *m);
struct msmmu_output msmmu_priq(struct msmmu *m);
bool msmmu_output_empty(const struct msmmu_output *q);
bool msmmu_output_full(const struct msmmu_output *q);
/* Whether overflow is active; becomes so. */
bool msmmu_output_overflows(const struct msmmu_output *q);
void msmmu_output_overflow(const struct msmmu_output *q);
/* False: no memory, and nothing changed. */
bool msmmu_output_put(const struct msmmu *m, const struct msmmu_output *q,
                      const uint64_t *word);

/* caches.c */
bool msmmu_caches_create(struct msmmu *m);
void msmmu_caches_destroy(struct msmmu *m);
void msmmu_caches_clear(struct msmmu *m);
/* What a command removes. */
struct msmmu_inval {
    uint64_t first, last; /* addresses, stream ids                           */
    uint32_t sid, ssid;
    uint32_t asid;        /* or one of MSMMU_ASID_*, UIM_CHECK_NONE: any     */
    uint16_t vmid;
    uint8_t granule, level; /* TG: 0 any; TTL: the level, MSMMU_LEVELS: any  */
    bool leaf_only;
    bool stage_1, stage_2;
    bool globals;         /* also what holds for every ASID                  */
    bool all_vmids;
};
void msmmu_inv_stes(struct msmmu *m, const struct msmmu_inval *inval);
void msmmu_inv_cds(struct msmmu *m, const struct msmmu_inval *inval, bool all);
void msmmu_inv_tlb(struct msmmu *m, const struct msmmu_inval *inval);
/* NULL: not cached, or not to be used now. */
struct msmmu_tlb_slot *msmmu_tlb_find(struct msmmu *m,
                                      const struct msmmu_trip *t,
                                      const struct msmmu_stage *s,
                                      uint64_t address);
void msmmu_tlb_add(struct msmmu *m, const struct msmmu_trip *t,
                   const struct msmmu_stage *s, uint64_t address,
                   const struct msmmu_leaf *leaf);
struct msmmu_walk_slot *msmmu_walk_find(struct msmmu *m,
                                        const struct msmmu_trip *t,
                                        const struct msmmu_stage *s,
                                        uint64_t address);
/* `from`: everything but the slot part. */
void msmmu_walk_add(struct msmmu *m, const struct msmmu_trip *t,
                    const struct msmmu_walk_slot *from);
/* Of the tags of a slot. */
uint64_t msmmu_entry_hash(uint64_t tag0, uint64_t tag1);
uint64_t msmmu_tlb_hash(uint64_t tag0, uint64_t tag1);
uint64_t msmmu_walk_hash(uint64_t tag0, uint64_t tag1);
/* A slot of a state; false: the model could not have cached this. */
bool msmmu_ste_take(const void *slot, void *m);
bool msmmu_cd_take(const void *slot, void *m);
bool msmmu_l1_take(const void *slot, void *m);
bool msmmu_tlb_take(const void *slot, void *m);
bool msmmu_walk_take(const void *slot, void *m);

/* create.c */
/* Bits of an address size code (SMMUV3_OAS_*), at most OAS. */
unsigned msmmu_size_bits(const struct msmmu *m, uint64_t code);

/* tables.c: 0, the number of an event, or MSMMU_SILENT. */
unsigned msmmu_locate_ste(struct msmmu *m, struct msmmu_trip *t);
/* From there on. */
unsigned msmmu_locate(struct msmmu *m, struct msmmu_trip *t);
/* Of the STE: are translation requests answered? */
bool msmmu_ats_on(const struct msmmu *m, const struct msmmu_trip *t);
/* From memory into t->ste and t->cd. */
unsigned msmmu_fetch_ste(struct msmmu *m, struct msmmu_trip *t);
unsigned msmmu_fetch_cd(struct msmmu *m, struct msmmu_trip *t);

/* walk.c */
unsigned msmmu_shift(const struct msmmu_stage *s, unsigned level);
/* Where the request leads; checks `want`, sets AF and dirty state, fills the
 * caches. 0, or the number of an event, described in t->fault. */
unsigned msmmu_find(struct msmmu *m, struct msmmu_trip *t,
                    struct msmmu_leaf *leaf);
/* Stage 2 alone, for reads of tables; the address of the same byte. */
unsigned msmmu_find_table(struct msmmu *m, struct msmmu_trip *t, uint64_t ipa,
                          uint8_t class, uint64_t *host);
/* What memory says now; nothing is cached or changed. */
unsigned msmmu_find_again(struct msmmu *m, const struct msmmu_trip *t,
                          const struct msmmu_stage *s, uint64_t address,
                          struct msmmu_leaf *leaf);
/* The same of a table descriptor: raw, table, rights. False: there is none. */
bool msmmu_table_again(struct msmmu *m, const struct msmmu_trip *t,
                       const struct msmmu_stage *s, uint64_t address,
                       unsigned level, struct msmmu_walk_slot *out);
/* UIM_MODEL_R, W, X that the requester has. */
uint32_t msmmu_rights(const struct msmmu_trip *t,
                      const struct msmmu_leaf *leaf);

/* translate.c */
int msmmu_translate(struct uim_model *model, const struct uim_model_req *req,
                    struct uim_model_xlat *out);
/* Whether it would be translated now. Nothing changes but caches. */
bool msmmu_would_pass(struct msmmu *m, const struct uim_model_req *req);
/* Adversarial: fetches again what was asked for lately. */
void msmmu_prefetch(struct msmmu *m);

/* event.c */
/* Records it, if it is to be recorded. */
void msmmu_event(struct msmmu *m, const struct msmmu_trip *t, unsigned event);
void msmmu_event_describe(const struct msmmu_trip *t, unsigned event,
                          uint64_t word[4]);
/* For records that are not to be lost. False: no memory, a global error says so. */
bool msmmu_events_writable(struct msmmu *m);
bool msmmu_event_put(struct msmmu *m, const uint64_t word[4]);
/* Makes a global error active; nothing if it is. */
void msmmu_gerror(struct msmmu *m, uint64_t bit);
bool msmmu_gerror_active(const struct msmmu *m, uint64_t bit);
/* The door: the message of a line did not arrive. */
void msmmu_message_aborts(struct msmmu *m, unsigned line);
/* A message if there is an address for it, else the wired line. */
void msmmu_interrupt(struct msmmu *m, uint64_t address, uint64_t data,
                     enum msmmu_line line);

/* The interrupt of a line, if IRQ_CTRL has it on: not that of SYNC. */
void msmmu_signal(struct msmmu *m, enum msmmu_line line);

/* pri.c */
int msmmu_page_request(struct uim_model *model,
                       const struct uim_model_page_request *req);
void msmmu_pri_respond(struct msmmu *m, struct smmuv3_cmd_pri_resp_q0 q0,
                       struct smmuv3_cmd_pri_resp_q1 q1);

/* stall.c */
/* True: the transaction waits, as *tag; else it ends. */
bool msmmu_stall(struct msmmu *m, const struct msmmu_trip *t, unsigned event,
                 uint32_t *tag);
/* Records, or retries, one of those that are held. False: none may be now. */
bool msmmu_stall_step(struct msmmu *m);
void msmmu_stall_resume(struct msmmu *m, uint32_t sid, uint16_t stag,
                        bool retry);
void msmmu_stall_term(struct msmmu *m, uint32_t sid);
void msmmu_stalls_sync(struct msmmu *m);
/* All of them, since SMMUEN became 0. */
void msmmu_stalls_abort(struct msmmu *m);
/* Those of a state: can they be? */
bool msmmu_stalls_good(const struct msmmu *m);

/* stale.c: compares what is about to be used with memory; only if
 * msmmu_looks(). */
void msmmu_check_l1(struct msmmu *m, const struct msmmu_trip *t, uint64_t tag1,
                    uint64_t at, uint64_t used);
void msmmu_check_ste(struct msmmu *m, const struct msmmu_trip *t);
void msmmu_check_cd(struct msmmu *m, const struct msmmu_trip *t);
void msmmu_check_walk(struct msmmu *m, const struct msmmu_trip *t,
                      const struct msmmu_stage *s, uint64_t address,
                      const struct msmmu_walk_slot *used);
/* True: the size changed without a break, and both may be cached (3.21.1). */
bool msmmu_check_tlb(struct msmmu *m, const struct msmmu_trip *t,
                     const struct msmmu_stage *s, uint64_t address,
                     const struct msmmu_tlb_slot *used);

/* acpi.c */
size_t msmmu_acpi(struct uim_model *model, void *buf, size_t size);

/* save.c */
int msmmu_save(struct uim_model *model, uim_model_write_fn fn, void *ctx);
int msmmu_load(struct uim_model *model, uim_model_read_fn fn, void *ctx);

#endif
