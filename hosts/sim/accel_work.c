/* SPDX-License-Identifier: MIT */
/*
 * accel_work.c - what an engine does with a descriptor from its first look at it to
 * the completion record. Errors are looked for in the order of the status codes.
 */
#include "accel_device.h"

#include <string.h>

enum {
    COMMON_FLAGS = ACCEL_FLAG_FENCE | ACCEL_FLAG_BOF | ACCEL_FLAG_CRAV |
                   ACCEL_FLAG_RCR | ACCEL_FLAG_RCI,
    RECORD_FLAGS = ACCEL_FLAG_CRAV | ACCEL_FLAG_RCR,
    MIN_BATCH = 2,
};

#define ALL     (~UINT64_C(0))
#define NOTHING UINT64_C(0)
#define LOW     UINT64_C(0xffffffff)

/* What the descriptor of an operation may say. */
struct op_form {
    bool exists;
    uint32_t flags;    /* beside the common ones */
    bool result;       /* is all it is for: goes into the record */
    bool sized;        /* moves that many bytes */
    uint64_t used[8];  /* bits of words that mean something; of 0, 1, 4 more */
};

static const struct op_form forms[ACCEL_OPS] = {
    [ACCEL_OP_NOOP] = { .exists = true },
    [ACCEL_OP_BATCH] = { .exists = true, .used = { [2] = ALL, [4] = LOW } },
    [ACCEL_OP_DRAIN] = { .exists = true },
    [ACCEL_OP_MEMMOVE] = { .exists = true,
                           .sized = true,
                           .used = { [2] = ALL, [3] = ALL, [4] = LOW } },
    [ACCEL_OP_FILL] = { .exists = true,
                        .sized = true,
                        .used = { [2] = ALL, [3] = ALL, [4] = LOW } },
    [ACCEL_OP_COMPARE] = { .exists = true,
                           .flags = ACCEL_FLAG_CR,
                           .result = true,
                           .sized = true,
                           .used = { [2] = ALL,
                                     [3] = ALL,
                                     [4] = LOW,
                                     [5] = 3 } },
    [ACCEL_OP_COMPVAL] = { .exists = true,
                           .flags = ACCEL_FLAG_CR,
                           .result = true,
                           .sized = true,
                           .used = { [2] = ALL,
                                     [3] = ALL,
                                     [4] = LOW,
                                     [5] = 3 } },
    [ACCEL_OP_CRCGEN] = { .exists = true,
                          .flags = ACCEL_FLAG_CRC_SEED,
                          .result = true,
                          .sized = true,
                          .used = { [2] = ALL,
                                    [4] = LOW,
                                    [5] = LOW,
                                    [6] = ALL } },
};

static bool is_inner(const struct accel_job *job, const struct accel_task *t)
{
    return t == &job->inner;
}

/* A copy of its queue's configuration. */
static struct accel_wqcfg_q1
config_of(struct sim_accel *a, const struct accel_job *job, uint64_t *ops)
{
    struct accel_wqcfg_q1 q1;

    pthread_mutex_lock(&a->lock);
    q1 = accel_q1(&a->wq[job->wq]);
    *ops = a->wq[job->wq].cfg[ACCEL_WQCFG_OPS];
    pthread_mutex_unlock(&a->lock);
    return q1;
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

/* Flags that are wrong, be it by their absence. */
static uint32_t wrong_flags(const struct accel_job *job,
                            const struct accel_task *t,
                            struct accel_wqcfg_q1 q1)
{
    const struct op_form *form = &forms[accel_opcode(t)];
    uint32_t flags = accel_flags(t);
    uint32_t wrong = flags & ~(COMMON_FLAGS | form->flags);

    if (!is_inner(job, t)) {
        wrong |= flags & ACCEL_FLAG_FENCE;
    }
    if (!accel_wqcfg_q1_bof(q1)) {
        wrong |= flags & ACCEL_FLAG_BOF;
    }
    if ((flags & RECORD_FLAGS) == ACCEL_FLAG_RCR) {
        wrong |= ACCEL_FLAG_RCR;
    }
    return form->result ? wrong | (~flags & RECORD_FLAGS) : wrong;
}

static bool reserved_zero(const struct accel_task *t)
{
    const struct op_form *form = &forms[accel_opcode(t)];
    uint64_t used[8];

    memcpy(used, form->used, sizeof(used));
    used[0] = accel_desc_q0_DEFINED;
    used[1] = ALL;
    used[4] |=
        accel_desc_q4_set_int_handle((struct accel_desc_q4){ 0 }, 0xffff).raw;
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

/* The vector is of those that the descriptor's PASID may use. */
bool accel_handle_good(struct sim_accel *a, const struct accel_job *job,
                       const struct accel_task *t)
{
    uint64_t handle =
        accel_desc_q4_int_handle((struct accel_desc_q4){ t->q[4] });
    struct accel_perm perm;

    if (handle >= ACCEL_VECTORS || job->work.ims) {
        return false;
    }
    pthread_mutex_lock(&a->lock);
    perm.raw = a->perm[handle];
    pthread_mutex_unlock(&a->lock);
    if (accel_perm_ignore(perm)) {
        return true;
    }
    return job->work.pasid == (accel_perm_pasid_en(perm)
                                   ? (uint32_t)accel_perm_pasid(perm)
                                   : UIOMMU_NO_PASID);
}

static bool priv_good(struct sim_accel *a, const struct accel_job *job)
{
    return !job->work.priv || job->work.pasid == UIOMMU_NO_PASID ||
           (sim_control(a->s, a->f) & SIM_CONTROL_PRIV) != 0;
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

enum accel_status accel_check(struct sim_accel *a, const struct accel_job *job,
                              struct accel_task *t)
{
    uint64_t ops;
    struct accel_wqcfg_q1 q1 = config_of(a, job, &ops);
    enum accel_status status;

    if (!opcode_good(job, t, ops)) {
        return ACCEL_BAD_OPCODE;
    }
    t->invalid = wrong_flags(job, t, q1);
    if (t->invalid != 0) {
        return ACCEL_BAD_FLAGS;
    }
    if (!reserved_zero(t)) {
        return ACCEL_NOT_ZERO;
    }
    status = check_sizes(t, q1);
    if (status != ACCEL_NONE) {
        return status;
    }
    if ((accel_flags(t) & ACCEL_FLAG_RCI) != 0 &&
        !accel_handle_good(a, job, t)) {
        return ACCEL_BAD_HANDLE;
    }
    if ((accel_flags(t) & ACCEL_FLAG_CRAV) != 0 &&
        t->q[1] % ACCEL_RECORD_SIZE != 0) {
        return ACCEL_RECORD_ALIGN;
    }
    return priv_good(a, job) ? ACCEL_NONE : ACCEL_BAD_PRIV;
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
        .error = error,
        .operation = accel_opcode(t),
        .pasid = pasid ? job->work.pasid : 0,
    };
    const struct accel_swerr_q1_fields q1 = {
        .batch_idx = is_inner(job, t) ? job->outer.done : 0,
        .invalid_flags = t->invalid,
    };

    pthread_mutex_lock(&a->lock);
    accel_error(a, accel_swerr_q0_pack(&q0), accel_swerr_q1_pack(&q1).raw,
                fault);
    pthread_mutex_unlock(&a->lock);
}

static void put_record(const struct accel_task *t,
                       uint8_t record[ACCEL_RECORD_SIZE])
{
    uint64_t special = t->status == ACCEL_BAD_FLAGS ? t->invalid
                       : t->seeded                  ? (uint32_t)~t->crc
                                                    : 0;
    const struct accel_record_q0_fields q0 = { .status = t->status,
                                               .fault_write = t->fault_write,
                                               .result = t->result,
                                               .bytes = t->done };

    memset(record, 0, ACCEL_RECORD_SIZE);
    sim_table_put(record, 8, accel_record_q0_pack(&q0).raw);
    sim_table_put(record + 8, 8, t->fault);
    sim_table_put(record + 16, 8, special);
}

static bool succeeded(const struct accel_task *t)
{
    return t->status == ACCEL_SUCCESS || t->status == ACCEL_UNEXPECTED;
}

/* The word with the status comes last: who sees it sees the others. False: not yet. */
static bool write_record(struct sim_accel *a, struct accel_job *job,
                         const struct accel_task *t)
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
    if (reach == ACCEL_LOST) {
        report(a, job, t, succeeded(t) ? ACCEL_HARDWARE : t->status, true,
               t->q[1]);
    } else if (reach != ACCEL_REACHED) {
        report(a, job, t, ACCEL_RECORD_FAULT, true, t->q[1]);
    }
    return true;
}

/* False: not yet. An error that no record says is SWERR's. */
static bool tell(struct sim_accel *a, struct accel_job *job,
                 const struct accel_task *t)
{
    uint32_t flags = accel_flags(t);

    if ((flags & ACCEL_FLAG_CRAV) == 0 || t->q[1] % ACCEL_RECORD_SIZE != 0) {
        if (!succeeded(t)) {
            report(a, job, t, t->status, t->fault_write, t->fault);
        }
        return true;
    }
    if (t->status == ACCEL_SUCCESS && (flags & ACCEL_FLAG_RCR) == 0) {
        return true;
    }
    return write_record(a, job, t);
}

static void interrupt(struct sim_accel *a, const struct accel_job *job,
                      const struct accel_task *t)
{
    unsigned handle =
        (unsigned)accel_desc_q4_int_handle((struct accel_desc_q4){ t->q[4] });

    if ((accel_flags(t) & ACCEL_FLAG_RCI) != 0 &&
        accel_handle_good(a, job, t)) {
        pthread_mutex_lock(&a->lock);
        accel_raise(a, handle, 0);
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
