/* SPDX-License-Identifier: MIT */
/*
 * vtd_fault.h - Intel VT-d fault records and fault reasons (D51397 rev 5.10,
 * 7.1.3 and 11.4.7.6).
 */
#ifndef UIM_SPEC_VTD_FAULT_H
#define UIM_SPEC_VTD_FAULT_H

#include <stdbool.h>

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

#define VTD_FRCD_LO(F, P) F(P, fi, 63, 12)
#define VTD_FRCD_HI(F, P)                                                      \
    F(P, f,    63, 63) /* set last by hardware, cleared by writing 1 */        \
    F(P, t1,   62, 62)                                                         \
    F(P, at,   61, 60) /* VTD_AT_* */                                          \
    F(P, pv,   59, 40) /* PASID, if pp */                                      \
    F(P, fr,   39, 32) /* VTD_FR_* */                                          \
    F(P, pp,   31, 31)                                                         \
    F(P, exe,  30, 30)                                                         \
    F(P, priv, 29, 29)                                                         \
    F(P, t2,   28, 28)                                                         \
    F(P, sid,  15, 0)
UIM_LAYOUT(vtd_frcd_lo, VTD_FRCD_LO);
UIM_LAYOUT(vtd_frcd_hi, VTD_FRCD_HI);

/* FI of an interrupt remapping fault: undefined for some reasons, see
   VTD_FR_IR_*. */
#define VTD_FRCD_IR_LO(F, P) F(P, index, 63, 48)
UIM_LAYOUT(vtd_frcd_ir_lo, VTD_FRCD_IR_LO);

#define VTD_FAULT_LAYOUTS(X)                                                   \
    X(vtd_frcd_lo,    VTD_FRCD_LO,    "vtd_frcd",    0)                        \
    X(vtd_frcd_hi,    VTD_FRCD_HI,    "vtd_frcd",    1)                        \
    X(vtd_frcd_ir_lo, VTD_FRCD_IR_LO, "vtd_frcd_ir", 0)

/* Type of the request: T1 is the high bit, T2 the low one. */
#define VTD_FAULT_TYPES(X, P)                                                  \
    X(P, WRITE,        0)                                                      \
    X(P, PAGE_REQUEST, 1)                                                      \
    X(P, READ,         2)                                                      \
    X(P, ATOMIC,       3)
UIM_CODES(vtd_fault_type, VTD_FAULT, VTD_FAULT_TYPES);

#define VTD_ATS(X, P)                                                          \
    X(P, UNTRANSLATED, 0)                                                      \
    X(P, TRANSLATION,  1)                                                      \
    X(P, TRANSLATED,   2)
UIM_CODES(vtd_at, VTD_AT, VTD_ATS);

/*
 * X(code, name, condition, qualified). A qualified fault is not recorded if any
 * FPD bit met on the way is 1. Names are the manual's labels with _ for the
 * dot; interrupt remapping faults have none there.
 */
#define VTD_FAULT_REASONS(X)                                                   \
    X(0x01, LRT_2,  "root entry not present", 0)                               \
    X(0x02, LCT_2,  "context entry not present", 1)                            \
    X(0x03, LCT_4,  "context entry: AW or TT invalid, or top table unreadable",\
      1)                                                                       \
    X(0x04, LGN_1,  "address too wide", 1)                                     \
    X(0x05, LGN_2,  "no write permission", 1)                                  \
    X(0x06, LGN_3,  "no read permission", 1)                                   \
    X(0x07, LSS_1,  "second-stage entry unreadable", 1)                        \
    X(0x08, LRT_1,  "root entry unreadable", 0)                                \
    X(0x09, LCT_1,  "context entry unreadable", 0)                             \
    X(0x0a, LRT_3,  "root entry: reserved bit set", 0)                         \
    X(0x0b, LCT_3,  "context entry: reserved bit set", 1)                      \
    X(0x0c, LSS_2,  "second-stage entry: reserved bit set", 1)                 \
    X(0x0d, LCT_5,  "context entry: TT blocks ATS requests", 1)                \
    X(0x0e, LGN_4,  "output in the interrupt range", 1)                        \
    X(0x20, IR_REQUEST_RSVD, "remappable interrupt: reserved field set", 0)    \
    X(0x21, IR_INDEX,        "interrupt index beyond the table", 0)            \
    X(0x22, IR_NOT_PRESENT,  "IRTE not present", 1)                            \
    X(0x23, IR_FETCH,        "IRTE unreadable", 0)                             \
    X(0x24, IR_RSVD,         "IRTE: reserved bit set", 1)                      \
    X(0x25, IR_COMPAT,       "compatibility format interrupt blocked", 0)      \
    X(0x26, IR_SOURCE,       "IRTE: source validation failed", 1)              \
    X(0x27, IR_PD_ACCESS,    "posted descriptor inaccessible", 1)              \
    X(0x28, IR_PD_RSVD,      "posted descriptor: reserved bit set", 1)         \
    X(0x29, IR_NOT_MSI,      "access to the interrupt range, no valid MSI", 0) \
    X(0x2a, IR_EIMER,        "x2APIC mode required (EIMER) and not on", 0)     \
    X(0x2b, IR_IRREQ,        "remapping required (IRREQ) and not on", 0)       \
    X(0x30, RTA_1,  "root table address register invalid", 0)                  \
    X(0x31, RTA_2,  "request with PASID in legacy mode", 0)                    \
    X(0x32, RTA_3,  "page request in legacy mode", 0)                          \
    X(0x33, RTA_4,  "abort-DMA mode", 0)                                       \
    X(0x34, RTA_5,  "execute request", 0)                                      \
    X(0x38, SRT_1,  "root entry unreadable", 0)                                \
    X(0x39, SRT_2,  "root entry: half not present", 0)                         \
    X(0x3a, SRT_3,  "root entry: reserved bit set", 0)                         \
    X(0x40, SCT_1,  "context entry unreadable", 0)                             \
    X(0x41, SCT_2,  "context entry not present", 1)                            \
    X(0x42, SCT_3,  "context entry: reserved bit set", 1)                      \
    X(0x43, SCT_4,  "context entry: PRE, RID_PASID or EPTR inconsistent", 1)   \
    X(0x44, SCT_5,  "context entry: DTE=0, ATS request", 1)                    \
    X(0x45, SCT_6,  "context entry: PASIDE=0, request with PASID", 1)          \
    X(0x46, SCT_7,  "PASID beyond the directory (PDTS)", 1)                    \
    X(0x47, SCT_8,  "context entry: PRE=0, page request", 1)                   \
    X(0x48, SCT_9,  "PASID equals RID_PASID", 1)                               \
    X(0x49, SCT_10, "context entry: EPTR=0, translated request with PASID", 1) \
    X(0x50, SPD_1,  "PASID directory entry unreadable", 0)                     \
    X(0x51, SPD_2,  "PASID directory entry not present", 1)                    \
    X(0x52, SPD_3,  "PASID directory entry: reserved bit set", 1)              \
    X(0x58, SPT_1,  "PASID table entry unreadable", 0)                         \
    X(0x59, SPT_2,  "PASID table entry not present", 1)                        \
    X(0x5a, SPT_3,  "PASID table entry: reserved bit set", 1)                  \
    X(0x5b, SPT_4,  "PASID table entry: AW, PGTT, FSPM or FSPTPTR invalid", 1) \
    X(0x5c, SPT_5,  "execute request not supported", 1)                        \
    X(0x5d, SPT_6,  "PASID table entry: SRE=0, supervisor request", 1)         \
    X(0x60, SPT_9,  "translated address beyond the host permission table", 1)  \
    X(0x70, SFS_1,  "first-stage entry unreadable", 1)                         \
    X(0x71, SFS_2,  "first-stage entry not present", 1)                        \
    X(0x72, SFS_3,  "first-stage entry: reserved bit set", 1)                  \
    X(0x73, SFS_4,  "top first-stage table unreadable", 1)                     \
    X(0x74, SFS_5,  "nested: first-stage address too wide", 1)                 \
    X(0x75, SFS_6,  "nested: read of top first-stage table denied", 1)         \
    X(0x76, SFS_7,  "nested: read of first-stage entry denied", 1)             \
    X(0x77, SFS_8,  "nested: A/D update of first-stage entry denied", 1)       \
    X(0x78, SSS_1,  "second-stage entry unreadable", 1)                        \
    X(0x79, SSS_2,  "second stage: no permission at all", 1)                   \
    X(0x7a, SSS_3,  "second-stage entry: reserved bit set", 1)                 \
    X(0x7b, SSS_4,  "top second-stage table unreadable", 1)                    \
    X(0x7c, SSS_5,  "second-stage A/D update needs a snooped walk", 1)         \
    X(0x7d, SSS_6,  "second-stage A/D update failed", 1)                       \
    X(0x80, SGN_1,  "first-stage address not canonical", 1)                    \
    X(0x81, SGN_2,  "user access to a supervisor page", 1)                     \
    X(0x82, SGN_3,  "no execute permission", 1) /* older revisions */          \
    X(0x83, SGN_4,  "host address too wide", 1)                                \
    X(0x84, SGN_5,  "second-stage address too wide", 1)                        \
    X(0x85, SGN_6,  "no write permission", 1)                                  \
    X(0x86, SGN_7,  "no read permission", 1)                                   \
    X(0x87, SGN_8,  "output in the interrupt range", 1)                        \
    X(0x89, SGN_10, "PASID too wide (PSS)", 1)                                 \
    X(0x90, SFS_9,  "first-stage A/D update needs a snooped walk", 1)          \
    X(0x91, SFS_10, "first-stage A/D update failed", 1)                        \
    X(0xa0, HPT_1,  "host permission table entry unreadable", 1)               \
    X(0xa1, HPT_2,  "host permission table entry: reserved bit set", 1)        \
    X(0xa2, HPT_3,  "host permission table root unreadable", 1)                \
    X(0xa3, HPT_4,  "host permission table: no entry, zero-length read", 1)    \
    X(0xa4, HPT_5,  "host permission table: no write permission", 1)           \
    X(0xa5, HPT_6,  "host permission table: no read permission", 1)

#define VTD_FAULT_REASON_ENUM(code, name, text, qualified) VTD_FR_##name = code,
enum vtd_fault_reason { VTD_FAULT_REASONS(VTD_FAULT_REASON_ENUM) };

static inline bool vtd_fault_of_interrupt(uint64_t reason)
{
    return reason >= VTD_FR_IR_REQUEST_RSVD && reason <= VTD_FR_IR_IRREQ;
}

/* Of these: FI of the others says nothing (11.4.7.6). */
static inline bool vtd_fault_has_index(uint64_t reason)
{
    return reason != VTD_FR_IR_REQUEST_RSVD && reason != VTD_FR_IR_COMPAT &&
           reason < VTD_FR_IR_NOT_MSI;
}

#define VTD_FAULT_CODE_SETS(X)                                                 \
    X("fault_type",   VTD_FAULT, VTD_FAULT_TYPES)                              \
    X("request_at",   VTD_AT,    VTD_ATS)

/* clang-format on */
#endif
