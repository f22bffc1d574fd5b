/* SPDX-License-Identifier: MIT */
/*
 * accel_layout.h - the streaming accelerator: registers, descriptors, completion
 * records, numbers.
 *
 * Where things are and what codes mean is what Intel published for its Data
 * Streaming Accelerator (341204-006, version 2), whose names these are; docs/accel.md
 * says which part of it is here, and what is not Intel's. Registers of 32 bits are
 * the low halves of their words. Nothing of uiommu knows this file: it is a
 * device's, not an IOMMU's.
 */
#ifndef UIM_HOSTS_SIM_ACCEL_LAYOUT_H
#define UIM_HOSTS_SIM_ACCEL_LAYOUT_H

#include "base/bits.h"

/* clang-format off */

/* ---- where things are ---------------------------------------------------- */

enum {
    ACCEL_DEVICE_ID    = 0x0b25,
    ACCEL_VERSION      = 0x0200,
    ACCEL_BAR0_SIZE    = 0x10000, /* registers                            */
    ACCEL_PORTAL_SIZE  = 0x1000,
    ACCEL_PORTALS      = 4,       /* of a queue; which, see below         */
    ACCEL_DESC_SIZE    = 64,
    ACCEL_RECORD_SIZE  = 32,
    ACCEL_TABLE_UNIT   = 0x100,   /* of what OFFSETS says                 */
    ACCEL_GRPCFG_SIZE  = 64,
    ACCEL_WQCFG_MIN    = 32,      /* shifted by wqcfg_size                */
    ACCEL_VECTOR_SIZE  = 16,      /* of the MSI-X table                   */
};

/* Pages of a queue in BAR 2. Limited ones stop at the threshold. */
enum {
    ACCEL_PORTAL_UNLIMITED     = 0,
    ACCEL_PORTAL_LIMITED       = 1, /* bit 0                              */
    ACCEL_PORTAL_IMS           = 2, /* bit 1: handles are of the other table */
};

#define ACCEL_REGISTERS(X)                                                     \
    X(VERSION,   0x00)                                                         \
    X(GENCAP,    0x10)                                                         \
    X(WQCAP,     0x20)                                                         \
    X(GRPCAP,    0x30)                                                         \
    X(ENGCAP,    0x38)                                                         \
    X(OPCAP,     0x40) /* 4 words */                                           \
    X(OFFSETS,   0x60) /* 2 words */                                           \
    X(GENCFG,    0x80)                                                         \
    X(GENCTRL,   0x88)                                                         \
    X(GENSTS,    0x90)                                                         \
    X(INTCAUSE,  0x98)                                                         \
    X(CMD,       0xa0)                                                         \
    X(CMDSTS,    0xa8)                                                         \
    X(CMDCAP,    0xb0)                                                         \
    X(SWERR,     0xc0) /* 4 words */

#define ACCEL_REG_ENUM(name, offset) ACCEL_REG_##name = (offset),
enum { ACCEL_REGISTERS(ACCEL_REG_ENUM) };

/* ---- registers ----------------------------------------------------------- */

#define ACCEL_GENCAP(F, P)                                                     \
    F(P, block_on_fault,   0,  0)                                              \
    F(P, overlap_copy,     1,  1)                                              \
    F(P, cache_mem,        2,  2)                                              \
    F(P, cache_cache,      3,  3)                                              \
    F(P, cmd_cap,          4,  4)                                              \
    F(P, dest_readback,    8,  8)                                              \
    F(P, drain_readback,   9,  9)                                              \
    F(P, evl_support,     14, 13)                                              \
    F(P, max_xfer_shift,  20, 16)                                              \
    F(P, max_batch_shift, 24, 21)                                              \
    F(P, max_ims_mult,    30, 25)                                              \
    F(P, config_en,       31, 31)
UIM_LAYOUT(accel_gencap, ACCEL_GENCAP);

#define ACCEL_WQCAP(F, P)                                                      \
    F(P, total_wq_size,   15,  0)                                              \
    F(P, num_wqs,         23, 16)                                              \
    F(P, wqcfg_size,      27, 24)                                              \
    F(P, shared_mode,     48, 48)                                              \
    F(P, dedicated_mode,  49, 49)                                              \
    F(P, wq_ats_support,  50, 50)                                              \
    F(P, priority,        51, 51)                                              \
    F(P, occupancy,       52, 52)                                              \
    F(P, occupancy_int,   53, 53)                                              \
    F(P, op_config,       54, 54)                                              \
    F(P, wq_prs_support,  55, 55)
UIM_LAYOUT(accel_wqcap, ACCEL_WQCAP);

#define ACCEL_GRPCAP(F, P)                                                     \
    F(P, num_groups,       7,  0)                                              \
    F(P, total_rdbufs,    15,  8)                                              \
    F(P, rdbuf_ctrl,      16, 16)                                              \
    F(P, rdbuf_limit,     17, 17)                                              \
    F(P, progress_limit,  18, 18)
UIM_LAYOUT(accel_grpcap, ACCEL_GRPCAP);

#define ACCEL_ENGCAP(F, P)                                                     \
    F(P, num_engines,      7,  0)
UIM_LAYOUT(accel_engcap, ACCEL_ENGCAP);

/* In ACCEL_TABLE_UNIT. */
#define ACCEL_OFFSETS_Q0(F, P)                                                 \
    F(P, grpcfg,          15,  0)                                              \
    F(P, wqcfg,           31, 16)                                              \
    F(P, msix_perm,       47, 32)                                              \
    F(P, ims,             63, 48)
UIM_LAYOUT(accel_offsets_q0, ACCEL_OFFSETS_Q0);

#define ACCEL_GENCFG(F, P)                                                     \
    F(P, rdbuf_limit,      7,  0)                                              \
    F(P, user_int_en,     12, 12)                                              \
    F(P, evl_en,          13, 13)
UIM_LAYOUT(accel_gencfg, ACCEL_GENCFG);

#define ACCEL_GENCTRL(F, P)                                                    \
    F(P, softerr_int_en,   0,  0)                                              \
    F(P, halt_int_en,      1,  1)                                              \
    F(P, evl_int_en,       2,  2)
UIM_LAYOUT(accel_genctrl, ACCEL_GENCTRL);

#define ACCEL_GENSTS(F, P)                                                     \
    F(P, state,            1,  0)                                              \
    F(P, reset_type,       3,  2) /* that it needs */
UIM_LAYOUT(accel_gensts, ACCEL_GENSTS);

enum { ACCEL_DISABLED, ACCEL_ENABLED, ACCEL_DRAINING, ACCEL_HALTED };

enum { /* INTCAUSE: cleared by writing ones */
    ACCEL_CAUSE_ERROR     = 1 << 0,
    ACCEL_CAUSE_COMMAND   = 1 << 1,
    ACCEL_CAUSE_OCCUPANCY = 1 << 2,
    ACCEL_CAUSE_PERFMON   = 1 << 3,
    ACCEL_CAUSE_HALT      = 1 << 4,
};

#define ACCEL_CMD(F, P)                                                        \
    F(P, operand,         19,  0)                                              \
    F(P, cmd,             24, 20)                                              \
    F(P, int_req,         31, 31)
UIM_LAYOUT(accel_cmd, ACCEL_CMD);

#define ACCEL_CMDSTS(F, P)                                                     \
    F(P, err,              7,  0)                                              \
    F(P, result,          23,  8)                                              \
    F(P, active,          31, 31)
UIM_LAYOUT(accel_cmdsts, ACCEL_CMDSTS);

/* X(name, code). Operands: a queue (enable), 16 queues in 15:0, those from 16 times
 * 19:16 (other commands of queues), a PASID. */
#define ACCEL_COMMANDS(X)                                                      \
    X(ENABLE_DEVICE,   1)                                                      \
    X(DISABLE_DEVICE,  2)                                                      \
    X(DRAIN_ALL,       3)                                                      \
    X(ABORT_ALL,       4)                                                      \
    X(RESET_DEVICE,    5)                                                      \
    X(ENABLE_WQ,       6)                                                      \
    X(DISABLE_WQ,      7)                                                      \
    X(DRAIN_WQ,        8)                                                      \
    X(ABORT_WQ,        9)                                                      \
    X(RESET_WQ,       10)                                                      \
    X(DRAIN_PASID,    11)                                                      \
    X(ABORT_PASID,    12)

#define ACCEL_CMD_ENUM(name, code) ACCEL_CMD_##name = (code),
enum accel_command { ACCEL_COMMANDS(ACCEL_CMD_ENUM) };

enum accel_cmd_error { /* CMDSTS.err */
    ACCEL_CMD_OK              = 0x00,
    ACCEL_CMD_UNKNOWN         = 0x01,
    ACCEL_CMD_WQ_INDEX        = 0x02,
    ACCEL_CMD_HARDWARE        = 0x03,
    ACCEL_CMD_RESERVED        = 0x04,
    ACCEL_CMD_NOT_DISABLED    = 0x10,
    ACCEL_CMD_CONFIG          = 0x11,
    ACCEL_CMD_BUS_MASTER      = 0x12,
    ACCEL_CMD_PRS_ALLOC       = 0x13,
    ACCEL_CMD_WQ_SIZES        = 0x14,
    ACCEL_CMD_GROUP_LACKS     = 0x15, /* engines, or queues                  */
    ACCEL_CMD_GROUP_WQ        = 0x16,
    ACCEL_CMD_GROUP_ENGINE    = 0x17,
    ACCEL_CMD_GROUP_BUFFERS   = 0x18,
    ACCEL_CMD_DEVICE_OFF      = 0x20,
    ACCEL_CMD_WQ_NOT_DISABLED = 0x21,
    ACCEL_CMD_WQ_SIZE_0       = 0x22,
    ACCEL_CMD_WQ_PRIORITY_0   = 0x23,
    ACCEL_CMD_WQ_MODE         = 0x24,
    ACCEL_CMD_WQ_BOF          = 0x25,
    ACCEL_CMD_WQ_PASID        = 0x26,
    ACCEL_CMD_WQ_MAX_BATCH    = 0x27,
    ACCEL_CMD_WQ_MAX_XFER     = 0x28,
    ACCEL_CMD_WQ_PRIV         = 0x2a,
    ACCEL_CMD_NOT_ENABLED     = 0x31, /* the device                          */
    ACCEL_CMD_WQ_NOT_ENABLED  = 0x32,
};

#define ACCEL_SWERR_Q0(F, P)                                                   \
    F(P, valid,            0,  0)                                              \
    F(P, overflow,         1,  1)                                              \
    F(P, desc_valid,       2,  2)                                              \
    F(P, wq_idx_valid,     3,  3)                                              \
    F(P, batch,            4,  4)                                              \
    F(P, fault_rw,         5,  5)                                              \
    F(P, priv,             6,  6)                                              \
    F(P, info_valid,       7,  7)                                              \
    F(P, error,           15,  8)                                              \
    F(P, wq_idx,          23, 16)                                              \
    F(P, operation,       39, 32)                                              \
    F(P, pasid,           59, 40)
UIM_LAYOUT(accel_swerr_q0, ACCEL_SWERR_Q0);

#define ACCEL_SWERR_Q1(F, P)                                                   \
    F(P, batch_idx,       15,  0)                                              \
    F(P, info,            63, 32) /* wrong flags, or the wrong handle */
UIM_LAYOUT(accel_swerr_q1, ACCEL_SWERR_Q1);
/* q2: the address of the fault */

/* ---- configuration of groups and queues ---------------------------------- */

/* GRPCFG: 4 words with a bit for each queue, one for each engine, flags. */
enum { ACCEL_GRPCFG_WQS = 0, ACCEL_GRPCFG_ENGINES = 4, ACCEL_GRPCFG_FLAGS = 5 };

#define ACCEL_GRPFLAGS(F, P)                                                   \
    F(P, tc_a,             2,  0)                                              \
    F(P, tc_b,             5,  3)                                              \
    F(P, use_rdbuf_limit,  7,  7)                                              \
    F(P, rdbufs_reserved, 15,  8)                                              \
    F(P, rdbufs_allowed,  27, 20)
UIM_LAYOUT(accel_grpflags, ACCEL_GRPFLAGS);

#define ACCEL_WQCFG_Q0(F, P)                                                   \
    F(P, size,            15,  0)                                              \
    F(P, thresh,          47, 32)
UIM_LAYOUT(accel_wqcfg_q0, ACCEL_WQCFG_Q0);

#define ACCEL_WQCFG_Q1(F, P)                                                   \
    F(P, mode,             0,  0)                                              \
    F(P, bof,              1,  1)                                              \
    F(P, ats_disable,      2,  2)                                              \
    F(P, prs_disable,      3,  3)                                              \
    F(P, priority,         7,  4)                                              \
    F(P, pasid,           27,  8)                                              \
    F(P, pasid_en,        28, 28)                                              \
    F(P, priv,            29, 29)                                              \
    F(P, max_xfer_shift,  36, 32)                                              \
    F(P, max_batch_shift, 40, 37)
UIM_LAYOUT(accel_wqcfg_q1, ACCEL_WQCFG_Q1);

enum { ACCEL_MODE_SHARED, ACCEL_MODE_DEDICATED };

#define ACCEL_WQCFG_Q2(F, P)                                                   \
    F(P, occupancy_inth,  15,  0)                                              \
    F(P, occupancy_table, 16, 16)                                              \
    F(P, occupancy_limit, 47, 32)                                              \
    F(P, occupancy_int,   48, 48)
UIM_LAYOUT(accel_wqcfg_q2, ACCEL_WQCFG_Q2);

#define ACCEL_WQCFG_Q3(F, P)                                                   \
    F(P, occupancy,       15,  0)                                              \
    F(P, mode_support,    29, 29)                                              \
    F(P, state,           31, 30)
UIM_LAYOUT(accel_wqcfg_q3, ACCEL_WQCFG_Q3);
/* q4 to q7: one bit for each operation that the queue takes */
enum { ACCEL_WQCFG_OPS = 4, ACCEL_WQCFG_WORDS = 8 };

#define ACCEL_PERM(F, P)                                                       \
    F(P, ignore,           2,  2)                                              \
    F(P, pasid_en,         3,  3)                                              \
    F(P, pasid,           31, 12)
UIM_LAYOUT(accel_perm, ACCEL_PERM);

/* ---- descriptors --------------------------------------------------------- */

#define ACCEL_DESC_Q0(F, P)                                                    \
    F(P, pasid,           19,  0)                                              \
    F(P, priv,            31, 31)                                              \
    F(P, flags,           55, 32)                                              \
    F(P, opcode,          63, 56)
UIM_LAYOUT(accel_desc_q0, ACCEL_DESC_Q0);
/* q1: the address of the completion record; q2: source, pattern or list of
 * descriptors; q3: destination, second source, or pattern to compare with */
#define ACCEL_DESC_Q4(F, P)                                                    \
    F(P, size,            31,  0) /* or how many descriptors */                \
    F(P, int_handle,      47, 32)
UIM_LAYOUT(accel_desc_q4, ACCEL_DESC_Q4);

#define ACCEL_DESC_COMPARE_Q5(F, P)                                            \
    F(P, expected,         0,  0) /* of a byte, whose others are ignored */
UIM_LAYOUT(accel_desc_compare_q5, ACCEL_DESC_COMPARE_Q5);

#define ACCEL_DESC_CRC_Q5(F, P)                                                \
    F(P, seed,            31,  0)
UIM_LAYOUT(accel_desc_crc_q5, ACCEL_DESC_CRC_Q5);
/* q6: the address of the seed */

enum accel_flag {
    ACCEL_FLAG_FENCE    = 1 << 0,
    ACCEL_FLAG_BOF      = 1 << 1,  /* block on fault                         */
    ACCEL_FLAG_CRAV     = 1 << 2,  /* the completion record's address is one */
    ACCEL_FLAG_RCR      = 1 << 3,  /* a record also of success               */
    ACCEL_FLAG_RCI      = 1 << 4,  /* an interrupt                           */
    ACCEL_FLAG_CR       = 1 << 7,  /* compare the result with `expected`     */
    ACCEL_FLAG_TC_1     = 1 << 9,  /* traffic classes: of the first address, */
    ACCEL_FLAG_TC_2     = 1 << 10, /* the second,                            */
    ACCEL_FLAG_TC_3     = 1 << 11, /* the third,                             */
    ACCEL_FLAG_TC_CR    = 1 << 12, /* the record's                           */
    ACCEL_FLAG_STRICT   = 1 << 13, /* writes are seen in order               */
    ACCEL_FLAG_CRC_SEED = 1 << 16, /* the seed is in memory                  */
    ACCEL_FLAG_CRC_RAW  = 1 << 17, /* seed and result: neither inverted nor reflected */
    ACCEL_FLAG_CRC_MSB  = 1 << 18, /* bit 7 of a byte comes first            */
};

#define ACCEL_OPCODES(X)                                                       \
    X(NOOP,     0x00)                                                          \
    X(BATCH,    0x01)                                                          \
    X(DRAIN,    0x02)                                                          \
    X(MEMMOVE,  0x03)                                                          \
    X(FILL,     0x04)                                                          \
    X(COMPARE,  0x05)                                                          \
    X(COMPVAL,  0x06)                                                          \
    X(CRCGEN,   0x10)

#define ACCEL_OP_ENUM(name, code) ACCEL_OP_##name = (code),
enum accel_opcode { ACCEL_OPCODES(ACCEL_OP_ENUM) ACCEL_OPS = 0x11 };

/* ---- completion records -------------------------------------------------- */

#define ACCEL_RECORD_Q0(F, P)                                                  \
    F(P, status,           6,  0)                                              \
    F(P, fault_write,      7,  7)                                              \
    F(P, result,          15,  8)                                              \
    F(P, bytes,           63, 32) /* or descriptors */
UIM_LAYOUT(accel_record_q0, ACCEL_RECORD_Q0);
/* q1: the address of the fault; q2: the CRC, or which flags were wrong */

enum accel_status {
    ACCEL_NONE            = 0x00,
    ACCEL_SUCCESS         = 0x01,
    ACCEL_UNEXPECTED      = 0x02, /* success, but not the result expected    */
    ACCEL_PAGE_FAULT      = 0x03,
    ACCEL_PAGE_INVALID    = 0x04, /* the same, and a page request did not help */
    ACCEL_BATCH_FAIL      = 0x05,
    ACCEL_BATCH_FAULT     = 0x06, /* in the list                             */
    ACCEL_BAD_OPCODE      = 0x10,
    ACCEL_BAD_FLAGS       = 0x11,
    ACCEL_NOT_ZERO        = 0x12,
    ACCEL_BAD_SIZE        = 0x13,
    ACCEL_BAD_COUNT       = 0x14,
    ACCEL_LIST_ALIGN      = 0x18,
    ACCEL_BAD_HANDLE      = 0x19,
    ACCEL_RECORD_FAULT    = 0x1a,
    ACCEL_RECORD_ALIGN    = 0x1b,
    ACCEL_BAD_ALIGN       = 0x1c, /* of the address of a seed                */
    ACCEL_BAD_PRIV        = 0x1d,
    ACCEL_HARDWARE        = 0x20,
    ACCEL_HARDWARE_WRITE  = 0x21,

    /* SWERR only */
    ACCEL_COMMAND_ACTIVE  = 0x52, /* another one was                         */
    ACCEL_QUEUE_FULL      = 0x53, /* a dedicated one                         */
};

/* clang-format on */

#endif
