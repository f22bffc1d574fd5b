/* SPDX-License-Identifier: MIT */
/*
 * accel_cmd.c - commands of the streaming accelerator. One at a time: it starts in
 * the step after it was written, and is active until all that it waits for ended.
 * Drains wait for what was accepted before, so that others may go on submitting.
 */
#include "accel_device.h"

#include <string.h>

#define CMD_RESERVED UINT64_C(0x7e000000)

static const uint32_t all_wqs = (1u << ACCEL_WQS) - 1;

/* ---- whom it is about ---------------------------------------------------- */

bool accel_concerns(const struct accel_command_state *c, unsigned wq,
                    const struct accel_work *work)
{
    return (c->wqs >> wq & 1) != 0 && work->seq < c->before &&
           (!c->by_pasid || c->pasid == work->pasid);
}

static bool queue_has(const struct accel_command_state *c,
                      const struct sim_accel *a, unsigned index)
{
    const struct accel_wq *wq = &a->wq[index];

    for (unsigned i = 0; i < wq->n; i++) {
        if (accel_concerns(c, index,
                           &wq->ring[(wq->head + i) % ACCEL_ENTRIES])) {
            return true;
        }
    }
    return false;
}

static bool any_left(const struct sim_accel *a)
{
    const struct accel_command_state *c = &a->command;
    bool left = (a->stuck & c->wqs) != 0;

    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        left |= queue_has(c, a, i);
    }
    for (unsigned i = 0; i < ACCEL_ENGINES; i++) {
        const struct accel_job *job = &a->job[i];

        left |= job->marks ||
                (job->active && accel_concerns(c, job->wq, &job->work));
    }
    return left;
}

/* ---- abort --------------------------------------------------------------- */

/* A queue that does not stop ends nothing. */
static bool ends(const struct sim_accel *a, unsigned wq,
                 const struct accel_work *work)
{
    return (a->stuck >> wq & 1) == 0 && accel_concerns(&a->command, wq, work);
}

static void abort_queue(struct sim_accel *a, unsigned index)
{
    struct accel_wq *wq = &a->wq[index];
    unsigned kept = 0;

    for (unsigned i = 0; i < wq->n; i++) {
        struct accel_work work = wq->ring[(wq->head + i) % ACCEL_ENTRIES];

        if (!ends(a, index, &work)) {
            wq->ring[(wq->head + kept) % ACCEL_ENTRIES] = work;
            kept++;
        }
    }
    wq->n = kept;
}

/* No access of theirs follows, and no completion record. */
static void abort_work(struct sim_accel *a)
{
    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        abort_queue(a, i);
    }
    for (unsigned i = 0; i < ACCEL_ENGINES; i++) {
        struct accel_job *job = &a->job[i];

        if (job->active && ends(a, job->wq, &job->work)) {
            job->active = false;
            job->marks = job->ask.state == ACCEL_ASKED;
        }
    }
}

/* ---- enabling the device ------------------------------------------------- */

static bool sizes_fit(const struct sim_accel *a)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        sum += accel_wqcfg_q0_size(accel_q0(&a->wq[i]));
    }
    return sum <= ACCEL_ENTRIES;
}

static enum accel_cmd_error check_groups(const struct sim_accel *a)
{
    uint64_t wqs = 0, engines = 0;

    for (unsigned g = 0; g < ACCEL_GROUPS; g++) {
        uint64_t w = a->group[g][ACCEL_GRPCFG_WQS];
        uint64_t e = a->group[g][ACCEL_GRPCFG_ENGINES];

        if ((w == 0) != (e == 0)) {
            return ACCEL_CMD_GROUP_LACKS;
        }
        if ((wqs & w) != 0) {
            return ACCEL_CMD_GROUP_WQ;
        }
        if ((engines & e) != 0) {
            return ACCEL_CMD_GROUP_ENGINE;
        }
        wqs |= w;
        engines |= e;
    }
    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        bool active = accel_wqcfg_q0_size(accel_q0(&a->wq[i])) > 0;

        if (active != ((wqs >> i & 1) != 0)) {
            return ACCEL_CMD_GROUP_WQ;
        }
    }
    return ACCEL_CMD_OK;
}

static enum accel_cmd_error enable_device(struct sim_accel *a)
{
    enum accel_cmd_error error;

    if (accel_state(a) != ACCEL_DISABLED) {
        return ACCEL_CMD_NOT_DISABLED;
    }
    if ((sim_control(a->s, a->f) & SIM_CONTROL_BUS_MASTER) == 0) {
        return ACCEL_CMD_BUS_MASTER;
    }
    if (!sizes_fit(a)) {
        return ACCEL_CMD_WQ_SIZES;
    }
    error = check_groups(a);
    if (error == ACCEL_CMD_OK) {
        accel_set_state(a, ACCEL_ENABLED);
    }
    return error;
}

/* ---- enabling a queue ---------------------------------------------------- */

/* A shared queue has the PASIDs of its submitters, or nobody's. */
static enum accel_cmd_error check_pasid(struct sim_accel *a,
                                        struct accel_wqcfg_q1 q1)
{
    unsigned control = sim_control(a->s, a->f);
    bool pasid = accel_wqcfg_q1_pasid_en(q1);

    bool shared = accel_wqcfg_q1_mode(q1) == ACCEL_MODE_SHARED;

    if (!pasid) {
        return shared ? ACCEL_CMD_WQ_PASID : ACCEL_CMD_OK;
    }
    if ((control & SIM_CONTROL_PASID) == 0 ||
        (!shared && accel_wqcfg_q1_pasid(q1) == UIOMMU_NO_PASID)) {
        return ACCEL_CMD_WQ_PASID;
    }
    return !shared && accel_wqcfg_q1_priv(q1) &&
                   (control & SIM_CONTROL_PRIV) == 0
               ? ACCEL_CMD_WQ_PRIV
               : ACCEL_CMD_OK;
}

static enum accel_cmd_error check_wq(struct sim_accel *a,
                                     const struct accel_wq *wq)
{
    struct accel_wqcfg_q1 q1 = accel_q1(wq);

    if (wq->enabled) {
        return ACCEL_CMD_WQ_NOT_DISABLED;
    }
    if (accel_wqcfg_q0_size(accel_q0(wq)) == 0) {
        return ACCEL_CMD_WQ_SIZE_0;
    }
    if (accel_wqcfg_q1_bof(q1) && !sim_pri_enabled(a->s, a->f)) {
        return ACCEL_CMD_WQ_BOF;
    }
    if (accel_wqcfg_q1_max_batch_shift(q1) == 0 ||
        accel_wqcfg_q1_max_batch_shift(q1) > ACCEL_MAX_BATCH_SHIFT) {
        return ACCEL_CMD_WQ_MAX_BATCH;
    }
    if (accel_wqcfg_q1_max_xfer_shift(q1) > ACCEL_MAX_XFER_SHIFT) {
        return ACCEL_CMD_WQ_MAX_XFER;
    }
    return check_pasid(a, q1);
}

static enum accel_cmd_error enable_wq(struct sim_accel *a, uint32_t index)
{
    enum accel_cmd_error error;

    if (index >= ACCEL_WQS) {
        return ACCEL_CMD_WQ_INDEX;
    }
    if (accel_state(a) != ACCEL_ENABLED) {
        return ACCEL_CMD_DEVICE_OFF;
    }
    error = check_wq(a, &a->wq[index]);
    a->wq[index].enabled |= error == ACCEL_CMD_OK;
    return error;
}

/* ---- the others ---------------------------------------------------------- */

static bool is_of_wqs(unsigned code)
{
    return code >= ACCEL_CMD_DISABLE_WQ && code <= ACCEL_CMD_RESET_WQ;
}

static bool is_of_device(unsigned code)
{
    return code == ACCEL_CMD_DISABLE_DEVICE || code == ACCEL_CMD_RESET_DEVICE;
}

static bool is_of_pasid(unsigned code)
{
    return code == ACCEL_CMD_DRAIN_PASID || code == ACCEL_CMD_ABORT_PASID;
}

static bool aborts(unsigned code)
{
    return code == ACCEL_CMD_ABORT_ALL || code == ACCEL_CMD_ABORT_WQ ||
           code == ACCEL_CMD_ABORT_PASID || code == ACCEL_CMD_RESET_WQ ||
           code == ACCEL_CMD_RESET_DEVICE;
}

static bool closes(unsigned code)
{
    return is_of_device(code) || code == ACCEL_CMD_DISABLE_WQ ||
           code == ACCEL_CMD_RESET_WQ;
}

static enum accel_cmd_error check_wqs(const struct sim_accel *a, unsigned code,
                                      uint32_t operand)
{
    uint32_t wqs = operand & 0xffff;

    if (wqs == 0 || operand >> 16 != 0 || (wqs & ~all_wqs) != 0) {
        return ACCEL_CMD_WQ_INDEX;
    }
    for (unsigned i = 0; code != ACCEL_CMD_RESET_WQ && i < ACCEL_WQS; i++) {
        if ((wqs >> i & 1) != 0 && !a->wq[i].enabled) {
            return ACCEL_CMD_WQ_NOT_ENABLED;
        }
    }
    return ACCEL_CMD_OK;
}

/* Where nothing can be under way, resets, drains and aborts have nothing to wait for
 * (table 5-8). */
static enum accel_cmd_error check_other(const struct sim_accel *a,
                                        unsigned code, uint32_t operand)
{
    if (is_of_wqs(code)) {
        return check_wqs(a, code, operand);
    }
    return code == ACCEL_CMD_DISABLE_DEVICE && accel_state(a) != ACCEL_ENABLED
               ? ACCEL_CMD_NOT_ENABLED
               : ACCEL_CMD_OK;
}

static void start_other(struct sim_accel *a, unsigned code, uint32_t operand)
{
    struct accel_command_state *c = &a->command;

    c->started = true;
    c->wqs = is_of_wqs(code) ? operand : all_wqs;
    c->by_pasid = is_of_pasid(code);
    c->pasid = operand;
    c->before = a->next_seq;
    for (unsigned i = 0; closes(code) && i < ACCEL_WQS; i++) {
        a->wq[i].closing |= ((c->wqs & ~a->stuck) >> i & 1) != 0;
    }
    if (is_of_device(code) && accel_state(a) == ACCEL_ENABLED) {
        accel_set_state(a, ACCEL_DRAINING);
    }
    if (aborts(code)) {
        abort_work(a);
    }
}

/* Nothing of what it is about is left. */
static void finish_other(struct sim_accel *a, unsigned code)
{
    for (unsigned i = 0; closes(code) && i < ACCEL_WQS; i++) {
        if ((a->command.wqs >> i & 1) == 0) {
            continue;
        }
        a->wq[i].enabled = a->wq[i].closing = false;
        if (code == ACCEL_CMD_RESET_WQ) {
            accel_wq_reset(&a->wq[i], false);
        }
    }
    if (code == ACCEL_CMD_DISABLE_DEVICE) {
        accel_set_state(a, ACCEL_DISABLED);
    }
    if (code == ACCEL_CMD_RESET_DEVICE) {
        accel_forget(a, true);
    }
}

/* ---- steps --------------------------------------------------------------- */

static void complete(struct sim_accel *a, struct accel_cmd cmd,
                     enum accel_cmd_error error)
{
    memset(&a->command, 0, sizeof(a->command));
    a->cmdsts =
        accel_cmdsts_pack(&(struct accel_cmdsts_fields){ .err = error }).raw;
    if (accel_cmd_int_req(cmd)) {
        accel_raise(a, 0, ACCEL_CAUSE_COMMAND);
    }
}

static bool is_known(unsigned code)
{
    return code >= ACCEL_CMD_ENABLE_DEVICE && code <= ACCEL_CMD_ABORT_PASID;
}

/* True: it is complete, with *error. */
static bool start(struct sim_accel *a, struct accel_cmd cmd,
                  enum accel_cmd_error *error)
{
    unsigned code = (unsigned)accel_cmd_cmd(cmd);
    uint32_t operand = (uint32_t)accel_cmd_operand(cmd);

    if ((cmd.raw & CMD_RESERVED) != 0 || !is_known(code)) {
        *error = is_known(code) ? ACCEL_CMD_RESERVED : ACCEL_CMD_UNKNOWN;
        return true;
    }
    if (code == ACCEL_CMD_ENABLE_DEVICE || code == ACCEL_CMD_ENABLE_WQ) {
        *error = code == ACCEL_CMD_ENABLE_WQ ? enable_wq(a, operand)
                                             : enable_device(a);
        return true;
    }
    *error = check_other(a, code, operand);
    if (*error == ACCEL_CMD_OK) {
        start_other(a, code, operand);
    }
    return *error != ACCEL_CMD_OK;
}

static void command_step(struct sim_accel *a)
{
    struct accel_cmd cmd = { a->cmd };
    enum accel_cmd_error error = ACCEL_CMD_OK;

    if (!a->command.started && start(a, cmd, &error)) {
        complete(a, cmd, error);
    } else if (!any_left(a)) {
        finish_other(a, (unsigned)accel_cmd_cmd(cmd));
        complete(a, cmd, ACCEL_CMD_OK);
    }
}

void accel_command_step(struct sim_accel *a)
{
    pthread_mutex_lock(&a->lock);
    if (accel_cmdsts_active((struct accel_cmdsts){ a->cmdsts })) {
        command_step(a);
    }
    pthread_mutex_unlock(&a->lock);
}
