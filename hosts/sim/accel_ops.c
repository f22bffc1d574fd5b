/* SPDX-License-Identifier: MIT */
/*
 * accel_ops.c - the operations of the streaming accelerator, a piece at a time: as
 * much as lies in one page of each operand. What was done before a fault is done, and
 * the completion record says how much that is.
 */
#include "accel_device.h"

#include <string.h>

enum { PIECE = 4096, CRC32C = (int)0x82f63b78 };

/* ---- pieces -------------------------------------------------------------- */

bool accel_move(struct sim_accel *a, struct accel_job *job,
                struct accel_task *t, bool write, uint64_t iova, void *buf,
                size_t size)
{
    enum accel_reach reach = accel_access(a, job, t, write, iova, buf, size);

    if (reach == ACCEL_FAULTED || reach == ACCEL_INVALID) {
        accel_end(t, reach == ACCEL_FAULTED ? ACCEL_PAGE_FAULT
                                            : ACCEL_PAGE_INVALID);
        t->fault = iova;
        t->fault_write = write;
    } else if (reach == ACCEL_LOST) {
        accel_end(t, write ? ACCEL_HARDWARE_WRITE : ACCEL_HARDWARE);
    }
    return reach == ACCEL_REACHED;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes from there to the end of its page; back to the start of it. */
static uint64_t up_to_end(uint64_t addr)
{
    return PIECE - addr % PIECE;
}

static uint64_t down_to_start(uint64_t end)
{
    return (end - 1) % PIECE + 1;
}

static void advance(struct accel_task *t, uint64_t n)
{
    t->done += n;
    if (t->done == accel_size(t)) {
        accel_end(t, ACCEL_SUCCESS);
    }
}

/* ---- copy, fill ---------------------------------------------------------- */

/* From its end, if it would overwrite what it has to read. The record's result says
 * that bytes count from there. */
static void copy(struct sim_accel *a, struct accel_job *job,
                 struct accel_task *t)
{
    uint8_t buf[PIECE];
    uint64_t size = accel_size(t);
    uint64_t left = size - t->done;
    bool backward = t->q[3] - t->q[2] < size && t->q[3] != t->q[2];
    uint64_t src = t->q[2] + (backward ? left : t->done);
    uint64_t dst = t->q[3] + (backward ? left : t->done);
    uint64_t n = backward ? least(down_to_start(src), down_to_start(dst))
                          : least(up_to_end(src), up_to_end(dst));

    n = least(n, left);
    src -= backward ? n : 0;
    dst -= backward ? n : 0;
    t->result = backward;
    if (accel_move(a, job, t, false, src, buf, n) &&
        accel_move(a, job, t, true, dst, buf, n)) {
        advance(t, n);
    }
}

static uint8_t pattern_byte(uint64_t pattern, uint64_t at)
{
    return (uint8_t)(pattern >> at % 8 * 8);
}

static void fill(struct sim_accel *a, struct accel_job *job,
                 struct accel_task *t)
{
    uint8_t buf[PIECE];
    uint64_t dst = t->q[3] + t->done;
    uint64_t n = least(up_to_end(dst), accel_size(t) - t->done);

    for (uint64_t i = 0; i < n; i++) {
        buf[i] = pattern_byte(t->q[2], t->done + i);
    }
    if (accel_move(a, job, t, true, dst, buf, n)) {
        advance(t, n);
    }
}

/* ---- comparisons --------------------------------------------------------- */

static void conclude(struct accel_task *t, bool differ)
{
    uint64_t expected = accel_desc_compare_q5_expected(
        (struct accel_desc_compare_q5){ t->q[5] });
    bool asked = (accel_flags(t) & ACCEL_FLAG_CR) != 0;

    t->result = differ;
    accel_end(t, asked && expected != t->result ? ACCEL_UNEXPECTED
                                                : ACCEL_SUCCESS);
}

/* Two pieces that are there: bytes up to the first that differs are done. */
static void judge(struct accel_task *t, const uint8_t *one,
                  const uint8_t *other, uint64_t n)
{
    uint64_t same = 0;

    while (same < n && one[same] == other[same]) {
        same++;
    }
    t->done += same;
    if (same < n || t->done == accel_size(t)) {
        conclude(t, same < n);
    }
}

static void compare(struct sim_accel *a, struct accel_job *job,
                    struct accel_task *t)
{
    uint8_t one[PIECE], other[PIECE];
    uint64_t at[2] = { t->q[2] + t->done, t->q[3] + t->done };
    uint64_t n = least(up_to_end(at[0]), up_to_end(at[1]));

    n = least(n, accel_size(t) - t->done);
    if (accel_move(a, job, t, false, at[0], one, n) &&
        accel_move(a, job, t, false, at[1], other, n)) {
        judge(t, one, other, n);
    }
}

static void compare_pattern(struct sim_accel *a, struct accel_job *job,
                            struct accel_task *t)
{
    uint8_t one[PIECE], other[PIECE];
    uint64_t src = t->q[2] + t->done;
    uint64_t n = least(up_to_end(src), accel_size(t) - t->done);

    for (uint64_t i = 0; i < n; i++) {
        other[i] = pattern_byte(t->q[3], t->done + i);
    }
    if (accel_move(a, job, t, false, src, one, n)) {
        judge(t, one, other, n);
    }
}

/* ---- CRC ----------------------------------------------------------------- */

static uint32_t reflected(uint32_t value, unsigned bits)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < bits; i++) {
        out |= (value >> i & 1) << (bits - 1 - i);
    }
    return out;
}

/* 8.3.12, flags 17 and 18. In between it has the order of the usual CRC, in which the first
 * bit of a byte is bit 0; seeds and results become each other by the same. */
static uint32_t turned(const struct accel_task *t, uint32_t crc)
{
    return (accel_flags(t) & ACCEL_FLAG_CRC_RAW) != 0 ? reflected(crc, 32)
                                                      : ~crc;
}

uint32_t accel_crc(const struct accel_task *t)
{
    return turned(t, t->crc);
}

static uint32_t crc_of(uint32_t crc, const uint8_t *p, uint64_t n,
                       bool msb_first)
{
    for (uint64_t i = 0; i < n; i++) {
        crc ^= msb_first ? reflected(p[i], 8) : p[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? (uint32_t)CRC32C : 0);
        }
    }
    return crc;
}

/* In memory it lies in one page, as it is aligned. */
static bool read_seed(struct sim_accel *a, struct accel_job *job,
                      struct accel_task *t)
{
    uint8_t bytes[4];
    uint32_t seed =
        (uint32_t)accel_desc_crc_q5_seed((struct accel_desc_crc_q5){ t->q[5] });

    if ((accel_flags(t) & ACCEL_FLAG_CRC_SEED) != 0) {
        if (!accel_move(a, job, t, false, t->q[6], bytes, sizeof(bytes))) {
            return false;
        }
        seed = (uint32_t)uim_le_bytes(bytes, sizeof(bytes));
    }
    t->crc = turned(t, seed);
    return true;
}

static void crc(struct sim_accel *a, struct accel_job *job,
                struct accel_task *t)
{
    bool msb_first = (accel_flags(t) & ACCEL_FLAG_CRC_MSB) != 0;
    uint8_t buf[PIECE];
    uint64_t src = t->q[2] + t->done;
    uint64_t n = least(up_to_end(src), accel_size(t) - t->done);

    t->seeded = t->seeded || read_seed(a, job, t);
    if (t->seeded && accel_move(a, job, t, false, src, buf, n)) {
        t->crc = crc_of(t->crc, buf, n, msb_first);
        advance(t, n);
    }
}

/* ---- order --------------------------------------------------------------- */

/* Those of its queue, and of its PASID, that were accepted before it. Queues are in
 * order: they are in engines or they ended. */
static void drain(struct sim_accel *a, const struct accel_job *job,
                  struct accel_task *t)
{
    const struct accel_command_state before = { .wqs = 1u << job->wq,
                                                .by_pasid = true,
                                                .pasid = job->work.pasid,
                                                .before = job->work.seq };

    for (unsigned i = 0; i < ACCEL_ENGINES; i++) {
        const struct accel_job *other = &a->job[i];

        if (other->active && accel_concerns(&before, other->wq, &other->work)) {
            return;
        }
    }
    accel_end(t, ACCEL_SUCCESS);
}

/* Those of a batch are executed one after the other. After an error none that has
 * a fence is. */
static void next_of_batch(struct sim_accel *a, struct accel_job *job,
                          struct accel_task *t)
{
    uint8_t bytes[ACCEL_DESC_SIZE];

    if (!accel_move(a, job, t, false, t->q[2] + t->done * ACCEL_DESC_SIZE,
                    bytes, sizeof(bytes))) {
        if (t->status == ACCEL_PAGE_FAULT || t->status == ACCEL_PAGE_INVALID) {
            t->status = ACCEL_BATCH_FAULT;
        }
        return;
    }
    memset(&job->inner, 0, sizeof(job->inner));
    for (unsigned i = 0; i < 8; i++) {
        job->inner.q[i] = uim_le_bytes(bytes + 8 * i, 8);
    }
    job->in_batch = true;
    if (job->failed && (accel_flags(&job->inner) & ACCEL_FLAG_FENCE) != 0) {
        job->in_batch = false;
        accel_end(t, ACCEL_BATCH_FAIL);
    }
}

static void batch(struct sim_accel *a, struct accel_job *job,
                  struct accel_task *t)
{
    if (t->done < accel_size(t)) {
        next_of_batch(a, job, t);
    } else {
        accel_end(t, job->failed ? ACCEL_BATCH_FAIL : ACCEL_SUCCESS);
    }
}

void accel_operate(struct sim_accel *a, struct accel_job *job,
                   struct accel_task *t)
{
    switch (accel_opcode(t)) {
    case ACCEL_OP_BATCH:
        batch(a, job, t);
        break;
    case ACCEL_OP_DRAIN:
        drain(a, job, t);
        break;
    case ACCEL_OP_MEMMOVE:
        copy(a, job, t);
        break;
    case ACCEL_OP_FILL:
        fill(a, job, t);
        break;
    case ACCEL_OP_COMPARE:
        compare(a, job, t);
        break;
    case ACCEL_OP_COMPVAL:
        compare_pattern(a, job, t);
        break;
    case ACCEL_OP_CRCGEN:
        crc(a, job, t);
        break;
    default:
        accel_end(t, ACCEL_SUCCESS);
    }
}
