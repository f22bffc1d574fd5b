/* SPDX-License-Identifier: MIT */
/*
 * vmsa.h - Arm VMSAv8-64 translation table descriptors (DDI0487, D8.3), as
 * SMMUv3 walks them.
 *
 * Invalid if valid is 0. Type TABLE at the last level is a page; BLOCK there is
 * invalid, as it is at levels without blocks of this granule. In an address,
 * the bits below the size of what it points to are reserved.
 *
 * addr holds 48-bit addresses. Where an output address has 52 bits, the
 * granule decides where the upper ones are: see vmsa_oa_64k and vmsa_oa_ds.
 */
#ifndef UIM_SPEC_VMSA_H
#define UIM_SPEC_VMSA_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* Any descriptor, as long as its type is not known. */
#define VMSA_ANY(F, P)                                                         \
    F(P, type,       1, 1)   /* VMSA_TYPE_* */                                 \
    F(P, valid,      0, 0)
UIM_LAYOUT(vmsa_any, VMSA_ANY);

#define VMSA_TYPES(X, P)                                                       \
    X(P, BLOCK, 0)                                                             \
    X(P, TABLE, 1)                                                             \
    X(P, PAGE,  1)
UIM_CODES(vmsa_type, VMSA_TYPE, VMSA_TYPES);

/*
 * Table, of both stages; the upper attributes and af are of stage 1 only. With
 * HADx (hierarchical attributes disabled) aptable, uxntable and pxntable are
 * ignored.
 */
#define VMSA_TABLE(F, P)                                                       \
    F(P, nstable,    63, 63)                                                   \
    F(P, aptable,    62, 61) /* VMSA_APTABLE_* */                              \
    F(P, uxntable,   60, 60)                                                   \
    F(P, pxntable,   59, 59)                                                   \
    F(P, ign_58_51,  58, 51)                                                   \
    F(P, addr,       47, 12)                                                   \
    F(P, ign_11,     11, 11)                                                   \
    F(P, af,         10, 10) /* HTTU in tables (HAFT), else ignored */         \
    F(P, ign_9_2,    9, 2)                                                     \
    F(P, type,       1, 1)                                                     \
    F(P, valid,      0, 0)
UIM_LAYOUT(vmsa_table, VMSA_TABLE);

/* Rights that a table takes away from all it leads to */
#define VMSA_APTABLES(X, P)                                                    \
    X(P, NO_UNPRIVILEGED, 1)                                                   \
    X(P, NO_WRITE,        2)
UIM_CODES(vmsa_aptable, VMSA_APTABLE, VMSA_APTABLES);

/* Stage 1 block or page. With dbm, ap READ_ONLY is "clean" (HTTU). */
#define VMSA_S1_LEAF(F, P)                                                     \
    F(P, ign_63,     63, 63)                                                   \
    F(P, pbha,       62, 59)                                                   \
    F(P, sw,         58, 55) /* ignored: for software */                       \
    F(P, uxn,        54, 54) /* XN where one privilege is all there is */      \
    F(P, pxn,        53, 53)                                                   \
    F(P, contiguous, 52, 52)                                                   \
    F(P, dbm,        51, 51)                                                   \
    F(P, addr,       47, 12)                                                   \
    F(P, ng,         11, 11)                                                   \
    F(P, af,         10, 10)                                                   \
    F(P, sh,         9, 8)   /* VMSA_SH_* */                                   \
    F(P, ap,         7, 6)   /* AP[2:1], VMSA_AP_* */                          \
    F(P, ns,         5, 5)                                                     \
    F(P, attrindx,   4, 2)   /* byte of MAIR */                                \
    F(P, type,       1, 1)                                                     \
    F(P, valid,      0, 0)
UIM_LAYOUT(vmsa_s1_leaf, VMSA_S1_LEAF);

#define VMSA_APS(X, P)                                                         \
    X(P, UNPRIVILEGED, 1)                                                      \
    X(P, READ_ONLY,    2)
UIM_CODES(vmsa_ap, VMSA_AP, VMSA_APS);

/* Stage 2 block or page. With dbm, s2ap without WRITE is "clean" (HTTU). */
#define VMSA_S2_LEAF(F, P)                                                     \
    F(P, ns,         63, 63) /* Secure only, else ignored */                   \
    F(P, pbha,       62, 59)                                                   \
    F(P, sw,         58, 55) /* ignored: for software */                       \
    F(P, xn,         54, 53) /* VMSA_XN_* */                                   \
    F(P, contiguous, 52, 52)                                                   \
    F(P, dbm,        51, 51)                                                   \
    F(P, addr,       47, 12)                                                   \
    F(P, fnxs,       11, 11)                                                   \
    F(P, af,         10, 10)                                                   \
    F(P, sh,         9, 8)   /* VMSA_SH_* */                                   \
    F(P, s2ap,       7, 6)   /* VMSA_S2AP_* */                                 \
    F(P, memattr,    5, 2)   /* VMSA_MEMATTR_*, with FWB VMSA_FWB_* */         \
    F(P, type,       1, 1)                                                     \
    F(P, valid,      0, 0)
UIM_LAYOUT(vmsa_s2_leaf, VMSA_S2_LEAF);

#define VMSA_S2APS(X, P)                                                       \
    X(P, READ,  1)                                                             \
    X(P, WRITE, 2)
UIM_CODES(vmsa_s2ap, VMSA_S2AP, VMSA_S2APS);

/* Which privilege may execute; without XNX only bit 1 counts. */
#define VMSA_XNS(X, P)                                                         \
    X(P, ANY,      0)                                                          \
    X(P, EL0_ONLY, 1)                                                          \
    X(P, NONE,     2)                                                          \
    X(P, EL1_ONLY, 3)
UIM_CODES(vmsa_xn, VMSA_XN, VMSA_XNS);

#define VMSA_SHS(X, P)                                                         \
    X(P, NSH, 0)                                                               \
    X(P, OSH, 2)                                                               \
    X(P, ISH, 3)
UIM_CODES(vmsa_sh, VMSA_SH, VMSA_SHS);

/* D8.6.6, without FWB: combined with the memory type of stage 1. */
#define VMSA_MEMATTRS(X, P)                                                    \
    X(P, DEVICE_NGNRNE, 0x0)                                                   \
    X(P, DEVICE_NGNRE,  0x1)                                                   \
    X(P, NC,            0x5)                                                   \
    X(P, WT,            0xa)                                                   \
    X(P, WB,            0xf)
UIM_CODES(vmsa_memattr, VMSA_MEMATTR, VMSA_MEMATTRS);

/* With FWB: bit 3 is reserved, WB overrides stage 1, STAGE_1 leaves it alone. */
#define VMSA_FWBS(X, P)                                                        \
    X(P, DEVICE_NGNRNE, 0x0)                                                   \
    X(P, DEVICE_NGNRE,  0x1)                                                   \
    X(P, NC,            0x5)                                                   \
    X(P, WB,            0x6)                                                   \
    X(P, STAGE_1,       0x7)
UIM_CODES(vmsa_fwb, VMSA_FWB, VMSA_FWBS);

/* One byte of MAIR */
#define VMSA_MAIRS(X, P)                                                       \
    X(P, DEVICE_NGNRNE, 0x00)                                                  \
    X(P, DEVICE_NGNRE,  0x04)                                                  \
    X(P, NC,            0x44)                                                  \
    X(P, WB,            0xff) /* allocates on reads and writes */
UIM_CODES(vmsa_mair, VMSA_MAIR, VMSA_MAIRS);

/* A block may say nT while its size changes (BBML 1): not to be cached. */
#define VMSA_BLOCK(F, P)                                                       \
    F(P, nt,         16, 16)
UIM_LAYOUT(vmsa_block, VMSA_BLOCK);

/* 52-bit addresses with 64 KiB granules */
#define VMSA_OA_64K(F, P)                                                      \
    F(P, addr_47_16, 47, 16)                                                   \
    F(P, addr_51_48, 15, 12)
UIM_LAYOUT(vmsa_oa_64k, VMSA_OA_64K);

/* 52-bit addresses with 4 KiB and 16 KiB granules (DS): SH is the walk's. */
#define VMSA_OA_DS(F, P)                                                       \
    F(P, addr_49_12, 49, 12)                                                   \
    F(P, addr_51_50, 9, 8)
UIM_LAYOUT(vmsa_oa_ds, VMSA_OA_DS);

#define VMSA_LAYOUTS(X)                                                        \
    X(vmsa_any,     VMSA_ANY,     "vmsa_any",        0)                        \
    X(vmsa_table,   VMSA_TABLE,   "arm_lpae_table",  0)                        \
    X(vmsa_s1_leaf, VMSA_S1_LEAF, "arm_lpae_s1_pte", 0)                        \
    X(vmsa_s2_leaf, VMSA_S2_LEAF, "arm_lpae_s2_pte", 0)                        \
    X(vmsa_block,   VMSA_BLOCK,   "vmsa_block",      0)                        \
    X(vmsa_oa_64k,  VMSA_OA_64K,  "vmsa_oa_64k",     0)                        \
    X(vmsa_oa_ds,   VMSA_OA_DS,   "vmsa_oa_ds",      0)

#define VMSA_CODE_SETS(X)                                                      \
    X("vmsa_type",    VMSA_TYPE,    VMSA_TYPES)                                \
    X("vmsa_aptable", VMSA_APTABLE, VMSA_APTABLES)                             \
    X("vmsa_ap",      VMSA_AP,      VMSA_APS)                                  \
    X("vmsa_s2ap",    VMSA_S2AP,    VMSA_S2APS)                                \
    X("vmsa_xn",      VMSA_XN,      VMSA_XNS)                                  \
    X("shareability", VMSA_SH,      VMSA_SHS)                                  \
    X("vmsa_memattr", VMSA_MEMATTR, VMSA_MEMATTRS)                             \
    X("vmsa_fwb",     VMSA_FWB,     VMSA_FWBS)                                 \
    X("vmsa_mair",    VMSA_MAIR,    VMSA_MAIRS)

/* clang-format on */
#endif
