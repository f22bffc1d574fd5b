/* SPDX-License-Identifier: MIT */
/*
 * accel_work.c - what an engine does with a descriptor from its first look at it to
 * the completion record. Errors are looked for in the order of the status codes.
 */
#include "accel_device.h"

#include <string.h>

enum {
    COMMON_FLAGS = ACCEL_FLAG_FENCE | ACCEL_FLAG_CRAV | ACCEL_FLAG_RCR |
                   ACCEL_FLAG_RCI | ACCEL_FLAG_TC_CR,
    RECORD_FLAGS = ACCEL_FLAG_CRAV | ACCEL_FLAG_RCR,
    CRC_FLAGS = ACCEL_FLAG_CRC_SEED | ACCEL_FLAG_CRC_RAW | ACCEL_FLAG_CRC_MSB,
    TC_12 = ACCEL_FLAG_TC_1 | ACCEL_FLAG_TC_2,
    SEED_ALIGN = 4,
    MIN_BATCH = 2,
};

#define ALL     (~UINT64_C(0))
#define NOTHING UINT64_C(0)
#define LOW     UINT64_C(0xffffffff)
#define BYTE    UINT64_C(0xff)

/* What the descriptor of an operation may say (table 5-3). */
struct op_form {
    bool exists;
    uint32_t flags;   /* beside the common ones */
    bool result;      /* is all it is for: goes into the record */
    bool told;        /* has to be, by a record or an interrupt */
    bool sized;       /* moves that many bytes, and may block on faults */
    uint64_t used[8]; /* bits of words that mean something; of 0, 1, 4 more */
};

static const struct op_form forms[ACCEL_OPS] = {
    [ACCEL_OP_NOOP] = { .exists = true },
    [ACCEL_OP_BATCH] = { .exists = true,
                         .flags = ACCEL_FLAG_TC_1,
                         .used = { [2] = ALL, [4] = LOW } },
    [ACCEL_OP_DRAIN] = { .exists = true, .told = true },
    [ACCEL_OP_MEMMOVE] = { .exists = true,
                           .flags = ACCEL_FLAG_STRICT | TC_12,
                           .sized = true,
                           .used = { [2] = ALL, [3] = ALL, [4] = LOW } },
    [ACCEL_OP_FILL] = { .exists = true,
                        .flags = ACCEL_FLAG_STRICT | ACCEL_FLAG_TC_2,
                        .sized = true,
                        .used = { [2] = ALL, [3] = ALL, [4] = LOW } },
    [ACCEL_OP_COMPARE] = { .exists = true,
                           .flags = ACCEL_FLAG_CR | TC_12,
                           .result = true,
                           .sized = true,
                           .used = { [2] = ALL,
                                     [3] = ALL,
                                     [4] = LOW,
                                     [5] = BYTE } },
    [ACCEL_OP_COMPVAL] = { .exists = true,
                           .flags = ACCEL_FLAG_CR | ACCEL_FLAG_TC_1,
                           .result = true,
                           .sized = true,
                           .used = { [2] = ALL,
                                     [3] = ALL,
                                     [4] = LOW,
                                     [5] = BYTE } },
    [ACCEL_OP_CRCGEN] = { .exists = true,
                          .flags =
                              CRC_FLAGS | ACCEL_FLAG_TC_1 | ACCEL_FLAG_TC_3,
                          .result = true,
                          .sized = true,
                          .used = { [2] = ALL, [4] = LOW, [5] = LOW } },
};

static bool is_inner(const struct accel_job *job, const struct accel_task *t)
{
    return t == &job->inner;
}

/* A copy of what its queue and the device are configured for. */
struct setting {
    struct accel_wqcfg_q1 q1;
    uint64_t ops;
    bool user_interrupts;
};

static struct setting setting_of(struct sim_accel *a,
                                 const struct accel_job *job)
{
    struct setting now;

    pthread_mutex_lock(&a->lock);
    now.q1 = accel_q1(&a->wq[job->wq]);
    now.ops = a->wq[job->wq].cfg[ACCEL_WQCFG_OPS];
    now.user_interrupts =
        accel_gencfg_user_int_en((struct accel_gencfg){ a->gencfg });
    pthread_mutex_unlock(&a->lock);
    return now;
}

/* ---- is it a good descriptor --------------------------------------------- */

static bool opcode_good(const struct accel_job *job, const struct accel_task *t,
                        uint64_t ops)
{
    unsigned opcode = accel_opcode(t);

    if (opcode >= ACCEL_OPS || !forms[opcode].exists ||
        (ops >> opcode & 1) == 0) {
        return false;
    }
    return !is_inner(job, t) ||
           (opcode != ACCEL_OP_BATCH && opcode != ACCEL_OP_DRAIN);
}

/* It is a user's, who may have no interrupts (table 5-4). */
static bool has_no_interrupts(const struct accel_job *job, struct setting now)
{
    return !now.user_interrupts && accel_wqcfg_q1_pasid_en(now.q1) &&
           !job->work.priv;
}

/* Flags that others, or the configuration, make reserved (table 5-4). */
static uint32_t reserved_flags(const struct accel_job *job,
                               const struct accel_task *t, struct setting now)
{
    uint32_t flags = accel_flags(t), reserved = 0;

    if (!is_inner(job, t)) {
        reserved |= ACCEL_FLAG_FENCE;
    }
    if (!accel_wqcfg_q1_bof(now.q1) || !forms[accel_opcode(t)].sized) {
        reserved |= ACCEL_FLAG_BOF;
    }
    if ((flags & ACCEL_FLAG_CRAV) == 0) {
        reserved |= ACCEL_FLAG_RCR | ACCEL_FLAG_TC_CR;
    }
    if ((flags & ACCEL_FLAG_CRC_SEED) == 0) {
        reserved |= ACCEL_FLAG_TC_3;
    }
    return has_no_interrupts(job, now) ? reserved | ACCEL_FLAG_RCI : reserved;
}

/* Flags that are wrong, be it by their absence (table 5-5). */
static uint32_t wrong_flags(const struct accel_job *job,
                            const struct accel_task *t, struct setting now)
{
    const struct op_form *form = &forms[accel_opcode(t)];
    uint32_t allowed = COMMON_FLAGS | ACCEL_FLAG_BOF | form->flags;
    uint32_t flags = accel_flags(t);
    uint32_t wrong = flags & (~allowed | reserved_flags(job, t, now));

    if (form->told && (flags & (ACCEL_FLAG_RCR | ACCEL_FLAG_RCI)) == 0) {
        wrong |= ACCEL_FLAG_RCR | ACCEL_FLAG_RCI;
    }
    return form->result ? wrong | (~flags & RECORD_FLAGS) : wrong;
}

static bool reserved_zero(const struct accel_task *t)
{
    uint32_t flags = accel_flags(t);
    uint64_t used[8];

    memcpy(used, forms[accel_opcode(t)].used, sizeof(used));
    used[0] = accel_desc_q0_DEFINED;
    used[1] = flags & ACCEL_FLAG_CRAV ? ALL : NOTHING;
    if (flags & ACCEL_FLAG_RCI) {
        used[4] |= accel_desc_q4_DEFINED & ~LOW;
    }
    if (flags & ACCEL_FLAG_CRC_SEED) {
        used[5] = NOTHING;
        used[6] = ALL;
    }
    for (unsigned i = 0; i < 8; i++) {
        if ((t->q[i] & ~used[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool size_good(const struct accel_task *t, struct accel_wqcfg_q1 q1)
{
    return accel_size(t) > 0 &&
           accel_size(t) <= UIM_BIT(accel_wqcfg_q1_max_xfer_shift(q1));
}

static bool count_good(const struct accel_task *t, struct accel_wqcfg_q1 q1)
{
    return accel_size(t) >= MIN_BATCH &&
           accel_size(t) <= UIM_BIT(accel_wqcfg_q1_max_batch_shift(q1));
}

static uint64_t handle_of(const struct accel_task *t)
{
    return accel_desc_q4_int_handle((struct accel_desc_q4){ t->q[4] });
}

static struct accel_perm perm_of(struct sim_accel *a, uint64_t handle)
{
    struct accel_perm perm;

    pthread_mutex_lock(&a->lock);
    perm.raw = a->perm[handle];
    pthread_mutex_unlock(&a->lock);
    return perm;
}

/* The vector is of those that the descriptor's PASID may use; whether it is ignored is
 * a matter of its completion (3.7). */
static bool handle_good(struct sim_accel *a, const struct accel_job *job,
                        const struct accel_task *t, struct setting now)
{
    struct accel_perm perm;

    if (handle_of(t) >= ACCEL_VECTORS) {
        return false;
    }
    perm = perm_of(a, handle_of(t));
    if (accel_perm_pasid_en(perm) != accel_wqcfg_q1_pasid_en(now.q1)) {
        return false;
    }
    return !accel_perm_pasid_en(perm) ||
           accel_perm_pasid(perm) == job->work.pasid;
}

static bool priv_good(struct sim_accel *a, const struct accel_job *job)
{
    return !job->work.priv || job->work.pasid == UIOMMU_NO_PASID ||
           (sim_control(a->s, a->f) & SIM_CONTROL_PRIV) != 0;
}

static bool seed_aligned(const struct accel_task *t)
{
    return (accel_flags(t) & ACCEL_FLAG_CRC_SEED) == 0 ||
           t->q[6] % SEED_ALIGN == 0;
}

static enum accel_status check_sizes(const struct accel_task *t,
                                     struct accel_wqcfg_q1 q1)
{
    if (forms[accel_opcode(t)].sized && !size_good(t, q1)) {
        return ACCEL_BAD_SIZE;
    }
    if (accel_opcode(t) != ACCEL_OP_BATCH) {
        return ACCEL_NONE;
    }
    if (!count_good(t, q1)) {
        return ACCEL_BAD_COUNT;
    }
    return t->q[2] % ACCEL_DESC_SIZE != 0 ? ACCEL_LIST_ALIGN : ACCEL_NONE;
}

/* Of one whose operation is known. */
static enum accel_status check_fields(struct sim_accel *a,
                                      const struct accel_job *job,
                                      struct accel_task *t, struct setting now)
{
    enum accel_status status;

    t->invalid = wrong_flags(job, t, now);
    if (t->invalid != 0) {
        return ACCEL_BAD_FLAGS;
    }
    if (!reserved_zero(t)) {
        return ACCEL_NOT_ZERO;
    }
    status = check_sizes(t, now.q1);
    if (status != ACCEL_NONE) {
        return status;
    }
    if ((accel_flags(t) & ACCEL_FLAG_RCI) != 0 &&
        !handle_good(a, job, t, now)) {
        return ACCEL_BAD_HANDLE;
    }
    if (!seed_aligned(t)) {
        return ACCEL_BAD_ALIGN;
    }
    return priv_good(a, job) ? ACCEL_NONE : ACCEL_BAD_PRIV;
}

/* First whether there is a record to say the rest in. */
enum accel_status accel_check(struct sim_accel *a, const struct accel_job *job,
                              struct accel_task *t)
{
    struct setting now = setting_of(a, job);

    if ((accel_flags(t) & ACCEL_FLAG_CRAV) != 0 &&
        t->q[1] % ACCEL_RECORD_SIZE != 0) {
        return ACCEL_RECORD_ALIGN;
    }
    if (!opcode_good(job, t, now.ops)) {
        return ACCEL_BAD_OPCODE;
    }
    return check_fields(a, job, t, now);
}

/* ---- what came of it ----------------------------------------------------- */

static void report(struct sim_accel *a, const struct accel_job *job,
                   const struct accel_task *t, enum accel_status error,
                   bool write, uint64_t fault)
{
    bool pasid = job->work.pasid != UIOMMU_NO_PASID;
    const struct accel_swerr_q0_fields q0 = {
        .desc_valid = 1,
        .wq_idx_valid = 1,
        .wq_idx = job->wq,
        .batch = is_inner(job, t),
        .fault_rw = write,
        .priv = job->work.priv,
        .info_valid = error == ACCEL_BAD_HANDLE,
        .error = error,
        .operation = accel_opcode(t),
        .pasid = pasid ? job->work.pasid : 0,
    };
    const struct accel_swerr_q1_fields q1 = {
        .batch_idx = is_inner(job, t) ? job->outer.done : 0,
        .info = error == ACCEL_BAD_HANDLE ? handle_of(t) : t->invalid,
    };

    pthread_mutex_lock(&a->lock);
    accel_error(a, accel_swerr_q0_pack(&q0), accel_swerr_q1_pack(&q1).raw,
                fault);
    pthread_mutex_unlock(&a->lock);
}

static bool succeeded(const struct accel_task *t)
{
    return t->status == ACCEL_SUCCESS || t->status == ACCEL_UNEXPECTED;
}

/* 8.2.4: what is complete has none to tell of, but where two buffers differ (8.3.6); of a
 * batch it is descriptors. */
static uint64_t bytes_of(const struct accel_task *t)
{
    unsigned opcode = accel_opcode(t);

    if (!succeeded(t) || opcode == ACCEL_OP_BATCH) {
        return t->done;
    }
    return (opcode == ACCEL_OP_COMPARE || opcode == ACCEL_OP_COMPVAL) &&
                   t->result != 0
               ? t->done
               : 0;
}

static void put_record(const struct accel_task *t,
                       uint8_t record[ACCEL_RECORD_SIZE])
{
    uint64_t special = t->status == ACCEL_BAD_FLAGS ? t->invalid
                       : t->seeded                  ? accel_crc(t)
                                                    : 0;
    const struct accel_record_q0_fields q0 = { .status = t->status,
                                               .fault_write = t->fault_write,
                                               .result = t->result,
                                               .bytes = bytes_of(t) };

    memset(record, 0, ACCEL_RECORD_SIZE);
    sim_table_put(record, 8, accel_record_q0_pack(&q0).raw);
    sim_table_put(record + 8, 8, t->fault);
    sim_table_put(record + 16, 8, special);
}

/* 5.8.1: told only to who asked for a record. */
static bool is_quiet(const struct accel_task *t)
{
    return succeeded(t) || t->status == ACCEL_BATCH_FAIL;
}

/* It could not be written, and that is how the descriptor ends. */
static void record_lost(struct sim_accel *a, const struct accel_job *job,
                        struct accel_task *t, enum accel_reach reach)
{
    if (reach != ACCEL_LOST) {
        t->status = ACCEL_RECORD_FAULT;
    } else if (is_quiet(t)) {
        t->status = ACCEL_HARDWARE_WRITE;
    }
    report(a, job, t, t->status, true, t->q[1]);
}

/* The word with the status comes last: who sees it sees the others. False: not yet. */
static bool write_record(struct sim_accel *a, struct accel_job *job,
                         struct accel_task *t)
{
    uint8_t record[ACCEL_RECORD_SIZE];
    enum accel_reach reach;

    put_record(t, record);
    reach = accel_access(a, job, t, true, t->q[1] + 8, record + 8,
                         ACCEL_RECORD_SIZE - 8);
    if (reach == ACCEL_REACHED) {
        reach = accel_access(a, job, t, true, t->q[1], record, 8);
    }
    if (reach == ACCEL_WAITS) {
        return false;
    }
    if (reach != ACCEL_REACHED) {
        record_lost(a, job, t, reach);
    } else if (t->status == ACCEL_BAD_HANDLE) { /* here as well (table 5-1) */
        report(a, job, t, t->status, false, 0);
    }
    return true;
}

/* Some are no matter of the record, even if there is one (5.8.1). */
static bool is_for_record(const struct accel_task *t)
{
    return (accel_flags(t) & ACCEL_FLAG_CRAV) != 0 &&
           t->status != ACCEL_RECORD_ALIGN && t->status != ACCEL_BAD_PRIV;
}

/* False: not yet. An error that no record says is SWERR's. */
static bool tell(struct sim_accel *a, struct accel_job *job,
                 struct accel_task *t)
{
    if (is_quiet(t) && (accel_flags(t) & ACCEL_FLAG_RCR) == 0) {
        return true;
    }
    if (is_for_record(t)) {
        return write_record(a, job, t);
    }
    report(a, job, t, t->status, t->fault_write, t->fault);
    return true;
}

/* 5.4: neither if it may not have one, nor after an error of the record, for which the
 * descriptor is discarded. */
static bool may_interrupt(struct sim_accel *a, const struct accel_job *job,
                          const struct accel_task *t)
{
    struct setting now = setting_of(a, job);

    if ((accel_flags(t) & ACCEL_FLAG_RCI) == 0 || has_no_interrupts(job, now) ||
        t->status == ACCEL_RECORD_ALIGN || t->status == ACCEL_RECORD_FAULT) {
        return false;
    }
    return handle_good(a, job, t, now) &&
           !accel_perm_ignore(perm_of(a, handle_of(t)));
}

static void interrupt(struct sim_accel *a, const struct accel_job *job,
                      const struct accel_task *t)
{
    if (may_interrupt(a, job, t)) {
        pthread_mutex_lock(&a->lock);
        accel_raise(a, (unsigned)handle_of(t), 0);
        pthread_mutex_unlock(&a->lock);
    }
}

static void finish(struct sim_accel *a, struct accel_job *job,
                   struct accel_task *t)
{
    if (!tell(a, job, t)) {
        return;
    }
    job->ask.state = ACCEL_NOT_ASKED;
    interrupt(a, job, t);
    if (is_inner(job, t)) {
        job->failed |= t->status != ACCEL_SUCCESS;
        job->in_batch = false;
        job->outer.done++;
    } else {
        job->active = false;
    }
}

void accel_end(struct accel_task *t, enum accel_status status)
{
    t->status = status;
    t->ended = true;
}

/* ---- a step -------------------------------------------------------------- */

static void job_step(struct sim_accel *a, struct accel_job *job)
{
    struct accel_task *t = job->in_batch ? &job->inner : &job->outer;

    if (accel_waits(a, job)) {
        return;
    }
    if (!t->checked) {
        enum accel_status status = accel_check(a, job, t);

        t->checked = true;
        if (status != ACCEL_NONE) {
            accel_end(t, status);
        }
    }
    if (!t->ended) {
        accel_operate(a, job, t);
    }
    if (t->ended) {
        finish(a, job, t);
    }
}

void accel_engine_step(struct sim_accel *a, unsigned engine)
{
    struct accel_job *job = &a->job[engine];
    bool active;

    pthread_mutex_lock(&a->lock);
    active = job->active || accel_take(a, engine, job);
    pthread_mutex_unlock(&a->lock);
    if (active) {
        job_step(a, job);
    }
}
