/* SPDX-License-Identifier: MIT */
/*
 * accel_device.h - what the files of the streaming accelerator share.
 *
 * Registers and queues are under `lock`, inside which pci is taken and nothing else:
 * a copy may end in the device's own registers, so that no DMA is done under it. What
 * engines have under way, and the command, belong to the thread that steps the device,
 * of which there is one at a time.
 */
#ifndef UIM_HOSTS_SIM_ACCEL_DEVICE_H
#define UIM_HOSTS_SIM_ACCEL_DEVICE_H

#include "private.h"

#include "accel.h"
#include "accel_layout.h"

enum {
    ACCEL_WQS = 8,
    ACCEL_GROUPS = 4,
    ACCEL_ENGINES = 4,
    ACCEL_ENTRIES = 128, /* of all queues together */
    ACCEL_VECTORS = 9,
    ACCEL_MAX_XFER_SHIFT = 21,
    ACCEL_MAX_BATCH_SHIFT = 6,
    ACCEL_MSIX_AT = 0x40, /* in configuration space */

    ACCEL_AT_GRPCFG = 0x400, /* in BAR 0; these three by OFFSETS */
    ACCEL_AT_WQCFG = 0x500,
    ACCEL_AT_PERM = 0x700,
    ACCEL_AT_MSIX = 0x2000,
    ACCEL_AT_PBA = 0x3000,
    ACCEL_WQCFG_BYTES = 8 * ACCEL_WQCFG_WORDS,
};

#define ACCEL_OPCAP UINT64_C(0x1007f) /* a bit for each opcode */

/* A descriptor, and for whom. */
struct accel_work {
    uint64_t q[8];
    uint64_t seq; /* of its acceptance */
    uint32_t pasid; /* UIOMMU_NO_PASID: none */
    bool priv;
};

struct accel_wq {
    uint64_t cfg[ACCEL_WQCFG_WORDS];
    bool enabled;
    bool closing; /* accepts no more */
    struct accel_work ring[ACCEL_ENTRIES];
    unsigned head, n;
};

/* A descriptor under execution. */
struct accel_task {
    uint64_t q[8];
    bool checked, ended, seeded;
    uint64_t done;    /* bytes; of a batch: descriptors */
    uint32_t crc;     /* as it is in between: inverted, x^0 in bit 31 */
    uint32_t invalid; /* flags */
    enum accel_status status;
    uint8_t result;
    bool fault_write;
    uint64_t fault;
};

/* The page that an engine asked for: it goes on when the answer is there. */
enum accel_ask_state { ACCEL_NOT_ASKED, ACCEL_ASKED, ACCEL_REFUSED };
struct accel_ask {
    enum accel_ask_state state;
    struct sim_page_request page;
    unsigned since; /* answers that the function had before */
};

/* What an engine has under way. */
struct accel_job {
    bool active;
    bool marks; /* it was aborted while it waited for a page */
    struct accel_ask ask;
    unsigned wq;
    struct accel_work work;
    struct accel_task outer;
    /* of a batch */
    bool in_batch; /* inner is under way */
    bool failed;   /* one of those before */
    struct accel_task inner;
};

struct accel_command_state {
    bool started;
    uint32_t wqs; /* whom it is about */
    bool by_pasid;
    uint32_t pasid;
    uint64_t before; /* and which descriptors */
};

struct sim_accel {
    struct sim *s;
    struct sim_func *f;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    bool stepping;

    uint64_t gencfg, genctrl, gensts, intcause, cmd, cmdsts, swerr[4];
    uint64_t group[ACCEL_GROUPS][ACCEL_GRPCFG_SIZE / 8];
    uint64_t perm[ACCEL_VECTORS];
    uint64_t vector[ACCEL_VECTORS][2];
    uint64_t pending; /* vectors that are due */
    struct accel_wq wq[ACCEL_WQS];
    uint64_t next_seq;
    unsigned turn[ACCEL_GROUPS]; /* the queue that is asked first */
    bool paused;
    uint32_t stuck; /* queues that do not stop */
    uint16_t next_group; /* of page requests; the stepping thread's */

    /* the stepping thread's */
    struct accel_job job[ACCEL_ENGINES];
    struct accel_command_state command;
};

_Static_assert((int)SIM_ACCEL_BAR0_SIZE == (int)ACCEL_BAR0_SIZE, "BAR 0");
_Static_assert((int)SIM_ACCEL_BAR2_SIZE ==
                   (int)ACCEL_WQS * ACCEL_PORTALS * ACCEL_PORTAL_SIZE,
               "BAR 2");

/* Fields of queues. Lock. */
static inline struct accel_wqcfg_q0 accel_q0(const struct accel_wq *wq)
{
    return (struct accel_wqcfg_q0){ wq->cfg[0] };
}

static inline struct accel_wqcfg_q1 accel_q1(const struct accel_wq *wq)
{
    return (struct accel_wqcfg_q1){ wq->cfg[1] };
}

static inline uint32_t accel_flags(const struct accel_task *t)
{
    return (uint32_t)accel_desc_q0_flags((struct accel_desc_q0){ t->q[0] });
}

static inline unsigned accel_opcode(const struct accel_task *t)
{
    return (unsigned)accel_desc_q0_opcode((struct accel_desc_q0){ t->q[0] });
}

static inline uint32_t accel_size(const struct accel_task *t)
{
    return (uint32_t)accel_desc_q4_size((struct accel_desc_q4){ t->q[4] });
}

static inline uint64_t accel_state(const struct sim_accel *a)
{
    return accel_gensts_state((struct accel_gensts){ a->gensts });
}

static inline void accel_set_state(struct sim_accel *a, uint64_t state)
{
    a->gensts =
        accel_gensts_set_state((struct accel_gensts){ a->gensts }, state).raw;
}

/* ---- accel.c ------------------------------------------------------------- */

/* As after a reset, by a command or of the function; lock, and nobody steps. */
void accel_forget(struct sim_accel *a, bool command);

enum accel_reach {
    ACCEL_REACHED,
    ACCEL_FAULTED, /* the IOMMU refused */
    ACCEL_INVALID, /* the same, and so was a page request */
    ACCEL_WAITS,   /* the same, and a page request is under way */
    ACCEL_LOST,    /* nobody is there, or the function may not */
};

/* One access of the job's, inside a page; without the lock. */
enum accel_reach accel_access(struct sim_accel *a, struct accel_job *job,
                              const struct accel_task *t, bool write,
                              uint64_t iova, void *buf, size_t size);

/* ---- accel_regs.c: with lock ---------------------------------------------- */

void accel_regs_reset(struct sim_accel *a, bool command);
void accel_wq_reset(struct accel_wq *wq, bool all);
uint64_t accel_read_word(const struct sim_accel *a, uint64_t offset);
/* 32 bits, of which some are enabled; the others are 0. */
void accel_write_half(struct sim_accel *a, uint64_t offset, uint32_t value,
                      uint32_t enabled);

/* ---- accel_queue.c: with lock --------------------------------------------- */

enum accel_taken { ACCEL_ACCEPTED, ACCEL_RETRY, ACCEL_DROPPED };

/* 64 bytes at an offset of BAR 2; deferrable: the sender hears of it. */
enum accel_taken accel_accept(struct sim_accel *a, uint64_t offset,
                              const uint64_t q[8], bool deferrable);
/* The next descriptor for an engine; false: there is none. */
bool accel_take(struct sim_accel *a, unsigned engine, struct accel_job *job);
/* Into SWERR; `q0` says what is known but valid. */
void accel_error(struct sim_accel *a, struct accel_swerr_q0 q0, uint64_t q1,
                 uint64_t fault);
/* A vector is due, a cause with it or 0. */
void accel_raise(struct sim_accel *a, unsigned vector, unsigned cause);

/* ---- accel_cmd.c, accel_work.c, accel_ops.c: the stepping thread ----------- */

void accel_command_step(struct sim_accel *a);
void accel_engine_step(struct sim_accel *a, unsigned engine);
/* Whether work of that queue is about those that the command names. */
bool accel_concerns(const struct accel_command_state *c, unsigned wq,
                    const struct accel_work *work);

/* A code, or ACCEL_NONE: can be executed. Without the lock. */
enum accel_status accel_check(struct sim_accel *a, const struct accel_job *job,
                              struct accel_task *t);
/* The next piece; sets ended and what came of it. */
void accel_operate(struct sim_accel *a, struct accel_job *job,
                   struct accel_task *t);
void accel_end(struct accel_task *t, enum accel_status status);
/* Of all bytes that are done, as software sees it. */
uint32_t accel_crc(const struct accel_task *t);
/* An access, which ends the task if it did not succeed, unless it waits. True: it
 * did. */
bool accel_move(struct sim_accel *a, struct accel_job *job,
                struct accel_task *t, bool write, uint64_t iova, void *buf,
                size_t size);

/* ---- accel_page.c: the stepping thread, without the lock -------------------- */

/* What becomes of an access that the IOMMU refused. */
enum accel_reach accel_ask(struct sim_accel *a, struct accel_job *job,
                           const struct accel_task *t,
                           const struct sim_request *r);
/* Whether the engine still waits for a page. */
bool accel_waits(struct sim_accel *a, struct accel_job *job);
/* It did so in vain: this is the access that it asked for. */
bool accel_is_refused(struct accel_job *job, const struct sim_request *r);
/* Who was aborted while waiting says that no more of its PASID comes. */
void accel_send_markers(struct sim_accel *a);

/* ---- accel_irq.c ----------------------------------------------------------- */

/* Sends what is due and not masked. */
void accel_send_irqs(struct sim_accel *a);

#endif
