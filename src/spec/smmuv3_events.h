/* SPDX-License-Identifier: MIT */
/*
 * smmuv3_events.h - Arm SMMUv3 event and page request records (IHI0070,
 * chapters 7 and 8).
 */
#ifndef UIM_SPEC_SMMUV3_EVENTS_H
#define UIM_SPEC_SMMUV3_EVENTS_H

#include <stdbool.h>

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* 7.3: X(code, name, condition). 0xe0 to 0xef are the implementation's own. */
#define SMMUV3_EVENTS(X)                                                       \
    X(0x01, F_UUT,              "unsupported transaction")                     \
    X(0x02, C_BAD_STREAMID,     "stream outside the stream table")             \
    X(0x03, F_STE_FETCH,        "stream table entry unreadable")               \
    X(0x04, C_BAD_STE,          "stream table entry invalid or illegal")       \
    X(0x05, F_BAD_ATS_TREQ,     "translation request, ATS is off")             \
    X(0x06, F_STREAM_DISABLED,  "no substream, but the stream demands one")    \
    X(0x07, F_TRANSL_FORBIDDEN, "translated request, ATS is off")              \
    X(0x08, C_BAD_SUBSTREAMID,  "substream outside the context descriptors")   \
    X(0x09, F_CD_FETCH,         "context descriptor unreadable")               \
    X(0x0a, C_BAD_CD,           "context descriptor invalid or illegal")       \
    X(0x0b, F_WALK_EABT,        "translation table descriptor unreadable")     \
    X(0x10, F_TRANSLATION,      "no translation for the address")              \
    X(0x11, F_ADDR_SIZE,        "address beyond the output size")              \
    X(0x12, F_ACCESS,           "access flag is 0")                            \
    X(0x13, F_PERMISSION,       "no permission")                               \
    X(0x20, F_TLB_CONFLICT,     "two cached translations for the address")     \
    X(0x21, F_CFG_CONFLICT,     "two cached configurations for the stream")    \
    X(0x24, E_PAGE_REQUEST,     "the device announces accesses")               \
    X(0x25, F_VMS_FETCH,        "virtual machine structure unreadable")

#define SMMUV3_EVENT_ENUM(code, name, text) SMMUV3_EVT_##name = code,
enum smmuv3_event { SMMUV3_EVENTS(SMMUV3_EVENT_ENUM) };

/* 7.3.13 to 7.3.16: the faults of translation; only these may stall. */
static inline bool smmuv3_event_of_translation(uint64_t id)
{
    return id >= SMMUV3_EVT_F_TRANSLATION && id <= SMMUV3_EVT_F_PERMISSION;
}

/*
 * 256 bits: word 0 is the same in nearly all events, and what is in words 1 to
 * 3 is always at the same place. Words that are not declared are reserved.
 * Where a field is ssid, it counts if ssv is 1.
 */
#define SMMUV3_EVT_Q0(F, P)                                                    \
    F(P, sid,  63, 32)                                                         \
    F(P, ssid, 31, 12)                                                         \
    F(P, ssv,  11, 11)                                                         \
    F(P, id,   7, 0) /* SMMUV3_EVT_* */
UIM_LAYOUT(smmuv3_evt_q0, SMMUV3_EVT_Q0);
#define SMMUV3_EVT_STREAM_DISABLED_Q0(F, P)                                    \
    F(P, sid, 63, 32)                                                          \
    F(P, id,  7, 0)
UIM_LAYOUT(smmuv3_evt_stream_disabled_q0, SMMUV3_EVT_STREAM_DISABLED_Q0);
#define SMMUV3_EVT_BAD_SUBSTREAMID_Q0(F, P)                                    \
    F(P, sid,  63, 32)                                                         \
    F(P, ssid, 31, 12) /* always counts */                                     \
    F(P, id,   7, 0)
UIM_LAYOUT(smmuv3_evt_bad_substreamid_q0, SMMUV3_EVT_BAD_SUBSTREAMID_Q0);

/* F_STE_FETCH, F_CD_FETCH, F_VMS_FETCH. Reasons are the implementation's. */
#define SMMUV3_EVT_FETCH_Q1(F, P)                                              \
    F(P, gpcf,   16, 16) /* granule protection check fault */                  \
    F(P, reason, 15, 0)
UIM_LAYOUT(smmuv3_evt_fetch_q1, SMMUV3_EVT_FETCH_Q1);
#define SMMUV3_EVT_FETCH_Q3(F, P)                                              \
    F(P, fetchaddr, 55, 3)
UIM_LAYOUT(smmuv3_evt_fetch_q3, SMMUV3_EVT_FETCH_Q3);

/* The faulting access: rnw read, ind instruction (0 in writes), pnu privileged */
#define SMMUV3_EVT_UUT_Q1(F, P)                                                \
    F(P, rnw,    35, 35)                                                       \
    F(P, ind,    34, 34)                                                       \
    F(P, pnu,    33, 33)                                                       \
    F(P, reason, 15, 0)
UIM_LAYOUT(smmuv3_evt_uut_q1, SMMUV3_EVT_UUT_Q1);
#define SMMUV3_EVT_TRANSL_FORBIDDEN_Q1(F, P)                                   \
    F(P, rnw, 35, 35)
UIM_LAYOUT(smmuv3_evt_transl_forbidden_q1, SMMUV3_EVT_TRANSL_FORBIDDEN_Q1);
#define SMMUV3_EVT_WALK_EABT_Q1(F, P)                                          \
    F(P, class,  41, 40) /* SMMUV3_CLASS_* */                                  \
    F(P, s2,     39, 39)                                                       \
    F(P, nsipa,  38, 38)                                                       \
    F(P, rnw,    35, 35)                                                       \
    F(P, ind,    34, 34)                                                       \
    F(P, pnu,    33, 33)                                                       \
    F(P, gpcf,   16, 16)                                                       \
    F(P, reason, 15, 0)
UIM_LAYOUT(smmuv3_evt_walk_eabt_q1, SMMUV3_EVT_WALK_EABT_Q1);
#define SMMUV3_EVT_TRANSLATION_Q1(F, P)                                        \
    F(P, class, 41, 40) /* SMMUV3_CLASS_* */                                   \
    F(P, s2,    39, 39)                                                        \
    F(P, nsipa, 38, 38)                                                        \
    F(P, rnw,   35, 35)                                                        \
    F(P, ind,   34, 34)                                                        \
    F(P, pnu,   33, 33)                                                        \
    F(P, stall, 31, 31) /* waits for RESUME with stag */                       \
    F(P, stag,  15, 0)
UIM_LAYOUT(smmuv3_evt_translation_q1, SMMUV3_EVT_TRANSLATION_Q1);
#define SMMUV3_EVT_PERMISSION_Q1(F, P)                                         \
    F(P, ttrnw, 44, 44) /* of the walk, if class is TT */                      \
    F(P, class, 41, 40) /* SMMUV3_CLASS_* */                                   \
    F(P, s2,    39, 39)                                                        \
    F(P, nsipa, 38, 38)                                                        \
    F(P, rnw,   35, 35)                                                        \
    F(P, ind,   34, 34)                                                        \
    F(P, pnu,   33, 33)                                                        \
    F(P, stall, 31, 31)                                                        \
    F(P, stag,  15, 0)
UIM_LAYOUT(smmuv3_evt_permission_q1, SMMUV3_EVT_PERMISSION_Q1);
#define SMMUV3_EVT_TLB_CONFLICT_Q1(F, P)                                       \
    F(P, s2,     39, 39)                                                       \
    F(P, nsipa,  38, 38)                                                       \
    F(P, rnw,    35, 35)                                                       \
    F(P, ind,    34, 34)                                                       \
    F(P, pnu,    33, 33)                                                       \
    F(P, reason, 31, 0)
UIM_LAYOUT(smmuv3_evt_tlb_conflict_q1, SMMUV3_EVT_TLB_CONFLICT_Q1);
#define SMMUV3_EVT_CFG_CONFLICT_Q1(F, P)                                       \
    F(P, reason, 31, 0)
UIM_LAYOUT(smmuv3_evt_cfg_conflict_q1, SMMUV3_EVT_CFG_CONFLICT_Q1);
#define SMMUV3_EVT_INPUTADDR_Q2(F, P)                                          \
    F(P, inputaddr, 63, 0)
UIM_LAYOUT(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2);

/* With s2: what stage 2 was asked for. */
#define SMMUV3_EVT_IPA_Q3(F, P)                                                \
    F(P, ipa, 55, 12)
UIM_LAYOUT(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3);

/* 7.3.19: a hint: p privileged, u not; span pages of 4 KiB */
#define SMMUV3_EVT_PAGE_REQUEST_Q1(F, P)                                       \
    F(P, span, 51, 44)                                                         \
    F(P, pr,   39, 39)                                                         \
    F(P, pw,   38, 38)                                                         \
    F(P, px,   37, 37)                                                         \
    F(P, ur,   35, 35)                                                         \
    F(P, uw,   34, 34)                                                         \
    F(P, ux,   33, 33)
UIM_LAYOUT(smmuv3_evt_page_request_q1, SMMUV3_EVT_PAGE_REQUEST_Q1);
#define SMMUV3_EVT_PAGE_Q2(F, P)                                               \
    F(P, inputaddr, 63, 12)
UIM_LAYOUT(smmuv3_evt_page_q2, SMMUV3_EVT_PAGE_Q2);

/* What was to be translated when the fault came */
#define SMMUV3_CLASSES(X, P)                                                   \
    X(P, CD, 0) /* the address of a context descriptor */                      \
    X(P, TT, 1) /* of a descriptor of stage 1 */                               \
    X(P, IN, 2) /* the input address */
UIM_CODES(smmuv3_event_class, SMMUV3_CLASS, SMMUV3_CLASSES);

/* Chapter 8: page request, 128 bits. A stop marker has r and w 0, last 1. */
#define SMMUV3_PRI_Q0(F, P)                                                    \
    F(P, ssv,  63, 63)                                                         \
    F(P, last, 62, 62)                                                         \
    F(P, w,    61, 61)                                                         \
    F(P, r,    60, 60)                                                         \
    F(P, x,    59, 59)                                                         \
    F(P, priv, 58, 58)                                                         \
    F(P, ssid, 51, 32)                                                         \
    F(P, sid,  31, 0)
UIM_LAYOUT(smmuv3_pri_q0, SMMUV3_PRI_Q0);
#define SMMUV3_PRI_Q1(F, P)                                                    \
    F(P, addr,     63, 12)                                                     \
    F(P, prgindex, 8, 0)
UIM_LAYOUT(smmuv3_pri_q1, SMMUV3_PRI_Q1);

#define SMMUV3_RECORD_SIZES(X, P)                                              \
    X(P, EVENT_BYTES, 32)                                                      \
    X(P, PRI_BYTES,   16)
UIM_CODES(smmuv3_record_size, SMMUV3, SMMUV3_RECORD_SIZES);

#define SMMUV3_EVENT_LAYOUTS(X)                                                \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_header", 0)                    \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_uut", 0)                     \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_c_bad_streamid", 0)            \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_ste_fetch", 0)               \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_c_bad_ste", 0)                 \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_bad_ats_treq", 0)            \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_transl_forbidden", 0)        \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_cd_fetch", 0)                \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_c_bad_cd", 0)                  \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_walk_eabt", 0)               \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_translation", 0)             \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_addr_size", 0)               \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_access", 0)                  \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_permission", 0)              \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_tlb_conflict", 0)            \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_cfg_conflict", 0)            \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_e_page_request", 0)            \
    X(smmuv3_evt_q0, SMMUV3_EVT_Q0, "smmuv3_evt_f_vms_fetch", 0)               \
    X(smmuv3_evt_stream_disabled_q0, SMMUV3_EVT_STREAM_DISABLED_Q0,            \
      "smmuv3_evt_f_stream_disabled", 0)                                       \
    X(smmuv3_evt_bad_substreamid_q0, SMMUV3_EVT_BAD_SUBSTREAMID_Q0,            \
      "smmuv3_evt_c_bad_substreamid", 0)                                       \
    X(smmuv3_evt_fetch_q1, SMMUV3_EVT_FETCH_Q1, "smmuv3_evt_f_ste_fetch", 1)   \
    X(smmuv3_evt_fetch_q1, SMMUV3_EVT_FETCH_Q1, "smmuv3_evt_f_cd_fetch", 1)    \
    X(smmuv3_evt_fetch_q1, SMMUV3_EVT_FETCH_Q1, "smmuv3_evt_f_vms_fetch", 1)   \
    X(smmuv3_evt_fetch_q3, SMMUV3_EVT_FETCH_Q3, "smmuv3_evt_f_ste_fetch", 3)   \
    X(smmuv3_evt_fetch_q3, SMMUV3_EVT_FETCH_Q3, "smmuv3_evt_f_cd_fetch", 3)    \
    X(smmuv3_evt_fetch_q3, SMMUV3_EVT_FETCH_Q3, "smmuv3_evt_f_vms_fetch", 3)   \
    X(smmuv3_evt_fetch_q3, SMMUV3_EVT_FETCH_Q3, "smmuv3_evt_f_walk_eabt", 3)   \
    X(smmuv3_evt_uut_q1, SMMUV3_EVT_UUT_Q1, "smmuv3_evt_f_uut", 1)             \
    X(smmuv3_evt_transl_forbidden_q1, SMMUV3_EVT_TRANSL_FORBIDDEN_Q1,          \
      "smmuv3_evt_f_transl_forbidden", 1)                                      \
    X(smmuv3_evt_walk_eabt_q1, SMMUV3_EVT_WALK_EABT_Q1,                        \
      "smmuv3_evt_f_walk_eabt", 1)                                             \
    X(smmuv3_evt_translation_q1, SMMUV3_EVT_TRANSLATION_Q1,                    \
      "smmuv3_evt_f_translation", 1)                                           \
    X(smmuv3_evt_translation_q1, SMMUV3_EVT_TRANSLATION_Q1,                    \
      "smmuv3_evt_f_addr_size", 1)                                             \
    X(smmuv3_evt_translation_q1, SMMUV3_EVT_TRANSLATION_Q1,                    \
      "smmuv3_evt_f_access", 1)                                                \
    X(smmuv3_evt_permission_q1, SMMUV3_EVT_PERMISSION_Q1,                      \
      "smmuv3_evt_f_permission", 1)                                            \
    X(smmuv3_evt_tlb_conflict_q1, SMMUV3_EVT_TLB_CONFLICT_Q1,                  \
      "smmuv3_evt_f_tlb_conflict", 1)                                          \
    X(smmuv3_evt_cfg_conflict_q1, SMMUV3_EVT_CFG_CONFLICT_Q1,                  \
      "smmuv3_evt_f_cfg_conflict", 1)                                          \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2, "smmuv3_evt_f_uut", 2) \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_transl_forbidden", 2)                                      \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_walk_eabt", 2)                                             \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_translation", 2)                                           \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_addr_size", 2)                                             \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_access", 2)                                                \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_permission", 2)                                            \
    X(smmuv3_evt_inputaddr_q2, SMMUV3_EVT_INPUTADDR_Q2,                        \
      "smmuv3_evt_f_tlb_conflict", 2)                                          \
    X(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3, "smmuv3_evt_f_translation", 3)     \
    X(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3, "smmuv3_evt_f_addr_size", 3)       \
    X(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3, "smmuv3_evt_f_access", 3)          \
    X(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3, "smmuv3_evt_f_permission", 3)      \
    X(smmuv3_evt_ipa_q3, SMMUV3_EVT_IPA_Q3, "smmuv3_evt_f_tlb_conflict", 3)    \
    X(smmuv3_evt_page_request_q1, SMMUV3_EVT_PAGE_REQUEST_Q1,                  \
      "smmuv3_evt_e_page_request", 1)                                          \
    X(smmuv3_evt_page_q2, SMMUV3_EVT_PAGE_Q2, "smmuv3_evt_e_page_request", 2)  \
    X(smmuv3_evt_page_q2, SMMUV3_EVT_PAGE_Q2, "smmuv3_evt_f_bad_ats_treq", 2)  \
    X(smmuv3_pri_q0, SMMUV3_PRI_Q0, "smmuv3_pri", 0)                           \
    X(smmuv3_pri_q1, SMMUV3_PRI_Q1, "smmuv3_pri", 1)

#define SMMUV3_EVENT_CODE_SETS(X)                                              \
    X("event_class", SMMUV3_CLASS, SMMUV3_CLASSES)                             \
    X("size",        SMMUV3,       SMMUV3_RECORD_SIZES)

/* clang-format on */
#endif
