/* SPDX-License-Identifier: MIT */
/*
 * accel_regs.c - BAR 0 of the streaming accelerator. Configuration of what is
 * enabled is read-only, all but thresholds. Lock: the device's.
 */
#include "accel_device.h"

#include <string.h>

enum { THRESH = 0, Q1 = 1, MSIX_MASKED = 1 };

/* ---- reset --------------------------------------------------------------- */

/* What RESET_WQ leaves: its size, which the device's configuration fixed. */
void accel_wq_reset(struct accel_wq *wq, bool all)
{
    uint64_t size = all ? 0 : accel_wqcfg_q0_size(accel_q0(wq));

    memset(wq->cfg, 0, sizeof(wq->cfg));
    wq->cfg[0] =
        accel_wqcfg_q0_pack(&(struct accel_wqcfg_q0_fields){ .size = size })
            .raw;
    wq->cfg[ACCEL_WQCFG_OPS] = ACCEL_OPCAP;
    wq->enabled = false;
    wq->closing = false;
    wq->n = 0;
}

/* What a command leaves (table 9-3). */
static void reset_rest(struct sim_accel *a)
{
    a->cmd = a->cmdsts = 0;
    memset(a->swerr, 0, sizeof(a->swerr));
    memset(a->vector, 0, sizeof(a->vector));
    for (unsigned i = 0; i < ACCEL_VECTORS; i++) {
        a->vector[i][1] = (uint64_t)MSIX_MASKED << 32;
    }
}

void accel_regs_reset(struct sim_accel *a, bool command)
{
    a->gencfg = a->genctrl = a->gensts = a->intcause = a->pending = 0;
    memset(a->group, 0, sizeof(a->group));
    memset(a->perm, 0, sizeof(a->perm));
    if (!command) {
        reset_rest(a);
    }
    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        accel_wq_reset(&a->wq[i], true);
    }
}

/* ---- capabilities -------------------------------------------------------- */

static uint64_t gencap(void)
{
    return accel_gencap_pack(&(struct accel_gencap_fields){
                                 .block_on_fault = 1,
                                 .overlap_copy = 1,
                                 .cmd_cap = 1,
                                 .max_xfer_shift = ACCEL_MAX_XFER_SHIFT,
                                 .max_batch_shift = ACCEL_MAX_BATCH_SHIFT,
                                 .config_en = 1 })
        .raw;
}

static uint64_t wqcap(void)
{
    return accel_wqcap_pack(
               &(struct accel_wqcap_fields){ .total_wq_size = ACCEL_ENTRIES,
                                             .num_wqs = ACCEL_WQS,
                                             .wqcfg_size = 1,
                                             .shared_mode = 1,
                                             .dedicated_mode = 1,
                                             .occupancy = 1,
                                             .op_config = 1 })
        .raw;
}

static uint64_t offsets(void)
{
    return accel_offsets_q0_pack(
               &(struct accel_offsets_q0_fields){
                   .grpcfg = ACCEL_AT_GRPCFG / ACCEL_TABLE_UNIT,
                   .wqcfg = ACCEL_AT_WQCFG / ACCEL_TABLE_UNIT,
                   .msix_perm = ACCEL_AT_PERM / ACCEL_TABLE_UNIT })
        .raw;
}

static uint64_t cmdcap(void)
{
    uint64_t bits = 0;

#define ACCEL_CMD_BIT(name, code) bits |= UIM_BIT(code);
    ACCEL_COMMANDS(ACCEL_CMD_BIT)
#undef ACCEL_CMD_BIT
    return bits;
}

/* ---- tables -------------------------------------------------------------- */

/* Where the word at `offset` of a table of that many bytes is, or false. */
static bool in_table(uint64_t offset, uint64_t at, uint64_t size,
                     unsigned *word)
{
    *word = (unsigned)((offset - at) / 8);
    return offset >= at && offset - at < size;
}

static uint64_t wq_status(const struct accel_wq *wq)
{
    uint64_t on = wq->closing ? ACCEL_DRAINING : ACCEL_ENABLED;

    return accel_wqcfg_q3_pack(&(struct accel_wqcfg_q3_fields){
                                   .occupancy = wq->n,
                                   .mode_support = 1,
                                   .state = wq->enabled ? on : ACCEL_DISABLED })
        .raw;
}

static uint64_t read_table(const struct sim_accel *a, uint64_t offset)
{
    unsigned w;

    if (in_table(offset, ACCEL_AT_GRPCFG, sizeof(a->group), &w)) {
        return a->group[w / 8][w % 8];
    }
    if (in_table(offset, ACCEL_AT_WQCFG, ACCEL_WQS * ACCEL_WQCFG_BYTES, &w)) {
        return w % 8 == 3 ? wq_status(&a->wq[w / 8]) : a->wq[w / 8].cfg[w % 8];
    }
    if (in_table(offset, ACCEL_AT_PERM, sizeof(a->perm), &w)) {
        return a->perm[w];
    }
    if (in_table(offset, ACCEL_AT_MSIX, sizeof(a->vector), &w)) {
        return a->vector[w / 2][w % 2];
    }
    return offset == ACCEL_AT_PBA ? a->pending : 0;
}

uint64_t accel_read_word(const struct sim_accel *a, uint64_t offset)
{
    switch (offset) {
    case ACCEL_REG_VERSION:
        return ACCEL_VERSION;
    case ACCEL_REG_GENCAP:
        return gencap();
    case ACCEL_REG_WQCAP:
        return wqcap();
    case ACCEL_REG_GRPCAP:
        return ACCEL_GROUPS;
    case ACCEL_REG_ENGCAP:
        return ACCEL_ENGINES;
    case ACCEL_REG_OPCAP:
        return ACCEL_OPCAP;
    case ACCEL_REG_OFFSETS:
        return offsets();
    case ACCEL_REG_GENCFG:
        return a->gencfg;
    case ACCEL_REG_GENCTRL:
        return a->genctrl;
    case ACCEL_REG_GENSTS:
        return a->gensts;
    case ACCEL_REG_INTCAUSE:
        return a->intcause;
    case ACCEL_REG_CMD:
        return a->cmd;
    case ACCEL_REG_CMDSTS:
        return a->cmdsts;
    case ACCEL_REG_CMDCAP:
        return cmdcap();
    case ACCEL_REG_SWERR:
    case ACCEL_REG_SWERR + 8:
    case ACCEL_REG_SWERR + 16:
        return a->swerr[(offset - ACCEL_REG_SWERR) / 8];
    default:
        return read_table(a, offset);
    }
}

/* ---- writes -------------------------------------------------------------- */

/* Bits of a queue's word that software may change in the state it is in. */
static uint64_t wq_mask(const struct sim_accel *a, const struct accel_wq *wq,
                        unsigned word)
{
    uint64_t thresh =
        accel_wqcfg_q0_set_thresh((struct accel_wqcfg_q0){ 0 }, 0xffff).raw;

    if (word == THRESH) {
        return accel_state(a) == ACCEL_DISABLED ? accel_wqcfg_q0_DEFINED
                                                : thresh;
    }
    if (wq->enabled) {
        return 0;
    }
    if (word == Q1) {
        struct accel_wqcfg_q1 q1 = { accel_wqcfg_q1_DEFINED };

        q1 = accel_wqcfg_q1_set_ats_disable(q1, 0);
        return accel_wqcfg_q1_set_prs_disable(q1, 0).raw;
    }
    return word == ACCEL_WQCFG_OPS ? ACCEL_OPCAP : 0;
}

static uint64_t group_mask(const struct sim_accel *a, unsigned word)
{
    if (accel_state(a) != ACCEL_DISABLED) {
        return 0;
    }
    switch (word) {
    case ACCEL_GRPCFG_WQS:
        return UIM_BIT(ACCEL_WQS) - 1;
    case ACCEL_GRPCFG_ENGINES:
        return UIM_BIT(ACCEL_ENGINES) - 1;
    default: /* no traffic class but 0, no read buffers */
        return 0;
    }
}

static uint64_t *find_table(struct sim_accel *a, uint64_t offset,
                            uint64_t *mask)
{
    unsigned w;

    if (in_table(offset, ACCEL_AT_GRPCFG, sizeof(a->group), &w)) {
        *mask = group_mask(a, w % 8);
        return &a->group[w / 8][w % 8];
    }
    if (in_table(offset, ACCEL_AT_WQCFG, ACCEL_WQS * ACCEL_WQCFG_BYTES, &w)) {
        *mask = wq_mask(a, &a->wq[w / 8], w % 8);
        return &a->wq[w / 8].cfg[w % 8];
    }
    if (in_table(offset, ACCEL_AT_PERM, sizeof(a->perm), &w)) {
        *mask = accel_perm_DEFINED;
        return &a->perm[w];
    }
    if (in_table(offset, ACCEL_AT_MSIX, sizeof(a->vector), &w)) {
        *mask = w % 2 == 0 ? ~UINT64_C(3) : UINT64_C(0x1ffffffff);
        return &a->vector[w / 2][w % 2];
    }
    return NULL;
}

/* A register that holds what software writes to the bits of *mask, or NULL. */
static uint64_t *find_word(struct sim_accel *a, uint64_t offset, uint64_t *mask)
{
    const uint64_t user_interrupts =
        accel_gencfg_set_user_int_en((struct accel_gencfg){ 0 }, 1).raw;

    switch (offset) {
    case ACCEL_REG_GENCFG:
        *mask = accel_state(a) == ACCEL_DISABLED ? user_interrupts : 0;
        return &a->gencfg;
    case ACCEL_REG_GENCTRL:
        *mask = accel_genctrl_DEFINED & 3;
        return &a->genctrl;
    default:
        return find_table(a, offset, mask);
    }
}

static void write_command(struct sim_accel *a, uint32_t value)
{
    const struct accel_swerr_q0_fields f = { .error = ACCEL_COMMAND_ACTIVE };

    if (accel_cmdsts_active((struct accel_cmdsts){ a->cmdsts })) {
        accel_error(a, accel_swerr_q0_pack(&f), 0, 0);
        return;
    }
    a->cmd = value;
    a->cmdsts =
        accel_cmdsts_pack(&(struct accel_cmdsts_fields){ .active = 1 }).raw;
}

/* By ones: the error, and that there were more. */
static void clear_error(struct sim_accel *a, uint32_t value)
{
    struct accel_swerr_q0 was = { a->swerr[0] }, ack = { value };
    uint64_t more =
        accel_swerr_q0_overflow(was) & ~accel_swerr_q0_overflow(ack);

    if (accel_swerr_q0_valid(ack)) {
        memset(a->swerr, 0, sizeof(a->swerr));
        was.raw = 0;
    }
    a->swerr[0] = accel_swerr_q0_set_overflow(was, more).raw;
}

void accel_write_half(struct sim_accel *a, uint64_t offset, uint32_t value,
                      uint32_t enabled)
{
    unsigned shift = offset % 8 == 0 ? 0 : 32;
    uint64_t mask = 0;
    uint64_t *word = find_word(a, offset & ~UINT64_C(7), &mask);

    if (offset == ACCEL_REG_INTCAUSE) {
        a->intcause &= ~(uint64_t)value;
    } else if (offset == ACCEL_REG_CMD) {
        write_command(a, value);
    } else if (offset == ACCEL_REG_SWERR) {
        clear_error(a, value);
    } else if (word != NULL) {
        mask &= (uint64_t)enabled << shift;
        *word = (*word & ~mask) | ((uint64_t)value << shift & mask);
    }
}
