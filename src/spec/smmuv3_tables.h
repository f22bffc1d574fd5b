/* SPDX-License-Identifier: MIT */
/*
 * smmuv3_tables.h - Arm SMMUv3 stream table entries and context descriptors
 * (IHI0070, chapter 5).
 */
#ifndef UIM_SPEC_SMMUV3_TABLES_H
#define UIM_SPEC_SMMUV3_TABLES_H

#include "base/bits.h"
#include "spec/codes.h"
#include "spec/vmsa.h"

/* clang-format off */

/*
 * Physical addresses have up to 56 bits (IDR5.OAS); older revisions, and the
 * tables of VMSAv8-64, have 52 at most. Above OAS they are reserved.
 */

/* 5.1: level 1 stream table descriptor, 64 bits */
#define SMMUV3_L1STD(F, P)                                                     \
    F(P, l2ptr, 55, 6)                                                         \
    F(P, span,  4, 0) /* 0 invalid, else 2^(span - 1) entries */
UIM_LAYOUT(smmuv3_l1std, SMMUV3_L1STD);

/* 5.2: stream table entry, 512 bits. Secure fields are s_*, s2sw, s2sa, s2nsw
   and s2nsa; s2poi belongs to permission overlays (s2poe). */
#define SMMUV3_STE_Q0(F, P)                                                    \
    F(P, s1cdmax,      63, 59) /* 2^s1cdmax descriptors; 0: no substreams */   \
    F(P, s1contextptr, 55, 6)  /* intermediate physical when nested */         \
    F(P, s1fmt,        5, 4)   /* SMMUV3_S1FMT_* */                            \
    F(P, config,       3, 1)   /* SMMUV3_STE_* */                              \
    F(P, v,            0, 0)
UIM_LAYOUT(smmuv3_ste_q0, SMMUV3_STE_Q0);
#define SMMUV3_STE_Q1(F, P)                                                    \
    F(P, instcfg,     51, 50) /* SMMUV3_INSTCFG_* */                           \
    F(P, privcfg,     49, 48) /* SMMUV3_PRIVCFG_* */                           \
    F(P, nscfg,       47, 46)                                                  \
    F(P, shcfg,       45, 44) /* SMMUV3_SHCFG_* */                             \
    F(P, alloccfg,    40, 37)                                                  \
    F(P, mtcfg,       36, 36)                                                  \
    F(P, memattr,     35, 32) /* VMSA_MEMATTR_*, if mtcfg */                   \
    F(P, strw,        31, 30) /* SMMUV3_STRW_* */                              \
    F(P, eats,        29, 28) /* SMMUV3_EATS_* */                              \
    F(P, s1stalld,    27, 27)                                                  \
    F(P, s1mpam,      26, 26)                                                  \
    F(P, s2fwb,       25, 25)                                                  \
    F(P, s1pie,       24, 24)                                                  \
    F(P, sw_reserved, 23, 20) /* ignored: for software */                      \
    F(P, mev,         19, 19)                                                  \
    F(P, ppar,        18, 18)                                                  \
    F(P, dcp,         17, 17)                                                  \
    F(P, cont,        16, 13)                                                  \
    F(P, dre,         12, 12)                                                  \
    F(P, s2hwu62,     11, 11)                                                  \
    F(P, s2hwu61,     10, 10)                                                  \
    F(P, s2hwu60,     9, 9)                                                    \
    F(P, s2hwu59,     8, 8)                                                    \
    F(P, s1csh,       7, 6)   /* VMSA_SH_* */                                  \
    F(P, s1cor,       5, 4)   /* SMMUV3_FETCH_* */                             \
    F(P, s1cir,       3, 2)   /* SMMUV3_FETCH_* */                             \
    F(P, s1dss,       1, 0)   /* SMMUV3_S1DSS_* */
UIM_LAYOUT(smmuv3_ste_q1, SMMUV3_STE_Q1);
#define SMMUV3_STE_Q2(F, P)                                                    \
    F(P, dpt_vmatch, 63, 62)                                                   \
    F(P, s2poe,      61, 61)                                                   \
    F(P, s2pie,      60, 60)                                                   \
    F(P, s2haft,     59, 59)                                                   \
    F(P, s2r,        58, 58)                                                   \
    F(P, s2s,        57, 57)                                                   \
    F(P, s2ha,       56, 56)                                                   \
    F(P, s2hd,       55, 55)                                                   \
    F(P, s2ptw,      54, 54)                                                   \
    F(P, s2affd,     53, 53)                                                   \
    F(P, s2endi,     52, 52)                                                   \
    F(P, s2aa64,     51, 51)                                                   \
    F(P, s2ps,       50, 48) /* SMMUV3_OAS_* */                                \
    F(P, s2tg,       47, 46) /* SMMUV3_TG0_* */                                \
    F(P, s2sh0,      45, 44) /* VMSA_SH_* */                                   \
    F(P, s2or0,      43, 42) /* SMMUV3_WALK_* */                               \
    F(P, s2ir0,      41, 40) /* SMMUV3_WALK_* */                               \
    F(P, s2sl0,      39, 38)                                                   \
    F(P, s2t0sz,     37, 32)                                                   \
    F(P, s2vmid,     15, 0)
UIM_LAYOUT(smmuv3_ste_q2, SMMUV3_STE_Q2);
#define SMMUV3_STE_Q3(F, P)                                                    \
    F(P, s2skl,   62, 61)                                                      \
    F(P, s2ttb,   55, 4)                                                       \
    F(P, s2ds,    3, 3)                                                        \
    F(P, s2sl0_2, 2, 2)                                                        \
    F(P, s2nsa,   1, 1)                                                        \
    F(P, s2nsw,   0, 0)
UIM_LAYOUT(smmuv3_ste_q3, SMMUV3_STE_Q3);
#define SMMUV3_STE_Q4(F, P)                                                    \
    F(P, mecid,    63, 48)                                                     \
    F(P, s_s2tg,   47, 46)                                                     \
    F(P, s_s2sl0,  39, 38)                                                     \
    F(P, s_s2t0sz, 37, 32)                                                     \
    F(P, partid,   31, 16)
UIM_LAYOUT(smmuv3_ste_q4, SMMUV3_STE_Q4);
#define SMMUV3_STE_Q5(F, P)                                                    \
    F(P, vmsptr,      55, 12)                                                  \
    F(P, tl1,         11, 11)                                                  \
    F(P, tl0,         10, 10)                                                  \
    F(P, assuredonly, 9, 9)                                                    \
    F(P, mpam_ns,     8, 8)                                                    \
    F(P, pmg,         7, 0)
UIM_LAYOUT(smmuv3_ste_q5, SMMUV3_STE_Q5);
#define SMMUV3_STE_Q6(F, P)                                                    \
    F(P, s_s2skl,   62, 61)                                                    \
    F(P, s_s2ttb,   55, 4)                                                     \
    F(P, s_s2sl0_2, 2, 2)                                                      \
    F(P, s2sa,      1, 1)                                                      \
    F(P, s2sw,      0, 0)
UIM_LAYOUT(smmuv3_ste_q6, SMMUV3_STE_Q6);
#define SMMUV3_STE_Q7(F, P)                                                    \
    F(P, s2poi15, 63, 60)                                                      \
    F(P, s2poi14, 59, 56)                                                      \
    F(P, s2poi13, 55, 52)                                                      \
    F(P, s2poi12, 51, 48)                                                      \
    F(P, s2poi11, 47, 44)                                                      \
    F(P, s2poi10, 43, 40)                                                      \
    F(P, s2poi9,  39, 36)                                                      \
    F(P, s2poi8,  35, 32)                                                      \
    F(P, s2poi7,  31, 28)                                                      \
    F(P, s2poi6,  27, 24)                                                      \
    F(P, s2poi5,  23, 20)                                                      \
    F(P, s2poi4,  19, 16)                                                      \
    F(P, s2poi3,  15, 12)                                                      \
    F(P, s2poi2,  11, 8)                                                       \
    F(P, s2poi1,  7, 4)                                                        \
    F(P, s2poi0,  3, 0)
UIM_LAYOUT(smmuv3_ste_q7, SMMUV3_STE_Q7);

/* Bits 2:1 are stages 2 and 1; a config without bit 2 aborts. */
#define SMMUV3_STE_CONFIGS(X, P)                                               \
    X(P, ABORT,           0)                                                   \
    X(P, BYPASS,          4)                                                   \
    X(P, S1_TRANSLATE,    5)                                                   \
    X(P, S2_TRANSLATE,    6)                                                   \
    X(P, S1_S2_TRANSLATE, 7)
UIM_CODES(smmuv3_ste_config, SMMUV3_STE, SMMUV3_STE_CONFIGS);

#define SMMUV3_S1FMTS(X, P)                                                    \
    X(P, LINEAR,     0)                                                        \
    X(P, LEVEL2_4K,  1) /* 64 descriptors in a leaf */                         \
    X(P, LEVEL2_64K, 2) /* 1024 */
UIM_CODES(smmuv3_ste_s1fmt, SMMUV3_S1FMT, SMMUV3_S1FMTS);

/* Traffic without a substream where there are some */
#define SMMUV3_S1DSSS(X, P)                                                    \
    X(P, TERMINATE, 0)                                                         \
    X(P, BYPASS,    1)                                                         \
    X(P, SSID0,     2) /* traffic with substream 0 is terminated */
UIM_CODES(smmuv3_ste_s1dss, SMMUV3_S1DSS, SMMUV3_S1DSSS);

#define SMMUV3_EATSS(X, P)                                                     \
    X(P, ABORT, 0)                                                             \
    X(P, FULL,  1)                                                             \
    X(P, SPLIT, 2) /* ATS for stage 1 only */                                  \
    X(P, DPT,   3)
UIM_CODES(smmuv3_ste_eats, SMMUV3_EATS, SMMUV3_EATSS);

/* Others are illegal where STRW is used. */
#define SMMUV3_STRWS(X, P)                                                     \
    X(P, NSEL1, 0)                                                             \
    X(P, EL2,   2)
UIM_CODES(smmuv3_ste_strw, SMMUV3_STRW, SMMUV3_STRWS);

#define SMMUV3_SHCFGS(X, P)                                                    \
    X(P, NON_SHAREABLE,   0)                                                   \
    X(P, INCOMING,        1)                                                   \
    X(P, OUTER_SHAREABLE, 2)                                                   \
    X(P, INNER_SHAREABLE, 3)
UIM_CODES(smmuv3_ste_shcfg, SMMUV3_SHCFG, SMMUV3_SHCFGS);

#define SMMUV3_PRIVCFGS(X, P)                                                  \
    X(P, INCOMING,     0)                                                      \
    X(P, UNPRIVILEGED, 2)                                                      \
    X(P, PRIVILEGED,   3)
UIM_CODES(smmuv3_ste_privcfg, SMMUV3_PRIVCFG, SMMUV3_PRIVCFGS);

#define SMMUV3_INSTCFGS(X, P)                                                  \
    X(P, INCOMING,    0)                                                       \
    X(P, DATA,        2)                                                       \
    X(P, INSTRUCTION, 3)
UIM_CODES(smmuv3_ste_instcfg, SMMUV3_INSTCFG, SMMUV3_INSTCFGS);

/* Cacheability of fetches: of context descriptors, of descriptors */
#define SMMUV3_FETCHES(X, P)                                                   \
    X(P, NC,   0)                                                              \
    X(P, WBRA, 1) /* write back, allocates on reads */                         \
    X(P, WT,   2)                                                              \
    X(P, WB,   3)
UIM_CODES(smmuv3_ste_s1cir, SMMUV3_FETCH, SMMUV3_FETCHES);

#define SMMUV3_WALKS(X, P)                                                     \
    X(P, NC,     0)                                                            \
    X(P, WBRAWA, 1) /* write back, allocates on reads and writes */            \
    X(P, WT,     2)                                                            \
    X(P, WBRA,   3) /* write back, allocates on reads */
UIM_CODES(smmuv3_walk_cacheability, SMMUV3_WALK, SMMUV3_WALKS);

/* 5.3: level 1 context descriptor, 64 bits */
#define SMMUV3_L1CD(F, P)                                                      \
    F(P, l2ptr, 55, 12)                                                        \
    F(P, v,     0, 0)
UIM_LAYOUT(smmuv3_l1cd, SMMUV3_L1CD);

/* 5.4: context descriptor, 512 bits. piiu and piip belong to permission
   indirection (pie). */
#define SMMUV3_CD_Q0(F, P)                                                     \
    F(P, asid, 63, 48)                                                         \
    F(P, aset, 47, 47) /* broadcasts by ASID do not reach it */                \
    F(P, a,    46, 46)                                                         \
    F(P, r,    45, 45)                                                         \
    F(P, s,    44, 44)                                                         \
    F(P, ha,   43, 43)                                                         \
    F(P, hd,   42, 42)                                                         \
    F(P, aa64, 41, 41)                                                         \
    F(P, pan,  40, 40)                                                         \
    F(P, tbi1, 39, 39)                                                         \
    F(P, tbi0, 38, 38)                                                         \
    F(P, uwxn, 37, 37)                                                         \
    F(P, wxn,  36, 36)                                                         \
    F(P, affd, 35, 35)                                                         \
    F(P, ips,  34, 32) /* SMMUV3_OAS_* */                                      \
    F(P, v,    31, 31)                                                         \
    F(P, epd1, 30, 30)                                                         \
    F(P, sh1,  29, 28) /* VMSA_SH_* */                                         \
    F(P, or1,  27, 26) /* SMMUV3_WALK_* */                                     \
    F(P, ir1,  25, 24) /* SMMUV3_WALK_* */                                     \
    F(P, tg1,  23, 22) /* SMMUV3_TG1_* */                                      \
    F(P, t1sz, 21, 16)                                                         \
    F(P, endi, 15, 15)                                                         \
    F(P, epd0, 14, 14)                                                         \
    F(P, sh0,  13, 12) /* VMSA_SH_* */                                         \
    F(P, or0,  11, 10) /* SMMUV3_WALK_* */                                     \
    F(P, ir0,  9, 8)   /* SMMUV3_WALK_* */                                     \
    F(P, tg0,  7, 6)   /* SMMUV3_TG0_* */                                      \
    F(P, t0sz, 5, 0)
UIM_LAYOUT(smmuv3_cd_q0, SMMUV3_CD_Q0);
#define SMMUV3_CD_Q1(F, P)                                                     \
    F(P, hwu062, 63, 63)                                                       \
    F(P, hwu061, 62, 62)                                                       \
    F(P, hwu060, 61, 61)                                                       \
    F(P, hwu059, 60, 60)                                                       \
    F(P, epan,   59, 59)                                                       \
    F(P, pnch,   58, 58)                                                       \
    F(P, ttb0,   55, 4)                                                        \
    F(P, haft,   3, 3)                                                         \
    F(P, e0pd0,  2, 2)                                                         \
    F(P, had0,   1, 1)                                                         \
    F(P, nscfg0, 0, 0)
UIM_LAYOUT(smmuv3_cd_q1, SMMUV3_CD_Q1);
#define SMMUV3_CD_Q2(F, P)                                                     \
    F(P, hwu162, 63, 63)                                                       \
    F(P, hwu161, 62, 62)                                                       \
    F(P, hwu160, 61, 61)                                                       \
    F(P, hwu159, 60, 60)                                                       \
    F(P, pie,    59, 59)                                                       \
    F(P, ds,     58, 58)                                                       \
    F(P, ttb1,   55, 4)                                                        \
    F(P, aie,    3, 3)                                                         \
    F(P, e0pd1,  2, 2)                                                         \
    F(P, had1,   1, 1)                                                         \
    F(P, nscfg1, 0, 0)
UIM_LAYOUT(smmuv3_cd_q2, SMMUV3_CD_Q2);
#define SMMUV3_CD_Q3(F, P)                                                     \
    F(P, mair1, 63, 32) /* bytes: VMSA_MAIR_* */                               \
    F(P, mair0, 31, 0)
UIM_LAYOUT(smmuv3_cd_q3, SMMUV3_CD_Q3);
#define SMMUV3_CD_Q4(F, P)                                                     \
    F(P, amair1, 63, 32)                                                       \
    F(P, amair0, 31, 0)
UIM_LAYOUT(smmuv3_cd_q4, SMMUV3_CD_Q4);
#define SMMUV3_CD_Q5(F, P)                                                     \
    F(P, pmg,    55, 48)                                                       \
    F(P, partid, 47, 32)
UIM_LAYOUT(smmuv3_cd_q5, SMMUV3_CD_Q5);
#define SMMUV3_CD_Q6(F, P)                                                     \
    F(P, piiu15, 47, 45)                                                       \
    F(P, piiu14, 44, 42)                                                       \
    F(P, piiu13, 41, 39)                                                       \
    F(P, piiu12, 38, 36)                                                       \
    F(P, piiu11, 35, 33)                                                       \
    F(P, piiu10, 32, 30)                                                       \
    F(P, piiu9,  29, 27)                                                       \
    F(P, piiu8,  26, 24)                                                       \
    F(P, piiu7,  23, 21)                                                       \
    F(P, piiu6,  20, 18)                                                       \
    F(P, piiu5,  17, 15)                                                       \
    F(P, piiu4,  14, 12)                                                       \
    F(P, piiu3,  11, 9)                                                        \
    F(P, piiu2,  8, 6)                                                         \
    F(P, piiu1,  5, 3)                                                         \
    F(P, piiu0,  2, 0)
UIM_LAYOUT(smmuv3_cd_q6, SMMUV3_CD_Q6);
#define SMMUV3_CD_Q7(F, P)                                                     \
    F(P, piip15, 47, 45)                                                       \
    F(P, piip14, 44, 42)                                                       \
    F(P, piip13, 41, 39)                                                       \
    F(P, piip12, 38, 36)                                                       \
    F(P, piip11, 35, 33)                                                       \
    F(P, piip10, 32, 30)                                                       \
    F(P, piip9,  29, 27)                                                       \
    F(P, piip8,  26, 24)                                                       \
    F(P, piip7,  23, 21)                                                       \
    F(P, piip6,  20, 18)                                                       \
    F(P, piip5,  17, 15)                                                       \
    F(P, piip4,  14, 12)                                                       \
    F(P, piip3,  11, 9)                                                        \
    F(P, piip2,  8, 6)                                                         \
    F(P, piip1,  5, 3)                                                         \
    F(P, piip0,  2, 0)
UIM_LAYOUT(smmuv3_cd_q7, SMMUV3_CD_Q7);

#define SMMUV3_TG0S(X, P)                                                      \
    X(P, GRANULE_4K,  0)                                                       \
    X(P, GRANULE_64K, 1)                                                       \
    X(P, GRANULE_16K, 2)
UIM_CODES(smmuv3_cd_tg0, SMMUV3_TG0, SMMUV3_TG0S);
#define SMMUV3_TG1S(X, P)                                                      \
    X(P, GRANULE_16K, 1)                                                       \
    X(P, GRANULE_4K,  2)                                                       \
    X(P, GRANULE_64K, 3)
UIM_CODES(smmuv3_cd_tg1, SMMUV3_TG1, SMMUV3_TG1S);

/* Sizes of addresses: IDR5.OAS, STE.S2PS, CD.IPS */
#define SMMUV3_OASS(X, P)                                                      \
    X(P, BITS_32, 0)                                                           \
    X(P, BITS_36, 1)                                                           \
    X(P, BITS_40, 2)                                                           \
    X(P, BITS_42, 3)                                                           \
    X(P, BITS_44, 4)                                                           \
    X(P, BITS_48, 5)                                                           \
    X(P, BITS_52, 6)                                                           \
    X(P, BITS_56, 7)
UIM_CODES(smmuv3_address_size, SMMUV3_OAS, SMMUV3_OASS);

#define SMMUV3_TABLE_SIZES(X, P)                                               \
    X(P, L1STD_BYTES, 8)                                                       \
    X(P, STE_BYTES,   64)                                                      \
    X(P, L1CD_BYTES,  8)                                                       \
    X(P, CD_BYTES,    64)
UIM_CODES(smmuv3_table_size, SMMUV3, SMMUV3_TABLE_SIZES);

#define SMMUV3_TABLE_LAYOUTS(X)                                                \
    X(smmuv3_l1std,  SMMUV3_L1STD,  "smmuv3_l1std", 0)                         \
    X(smmuv3_ste_q0, SMMUV3_STE_Q0, "smmuv3_ste",   0)                         \
    X(smmuv3_ste_q1, SMMUV3_STE_Q1, "smmuv3_ste",   1)                         \
    X(smmuv3_ste_q2, SMMUV3_STE_Q2, "smmuv3_ste",   2)                         \
    X(smmuv3_ste_q3, SMMUV3_STE_Q3, "smmuv3_ste",   3)                         \
    X(smmuv3_ste_q4, SMMUV3_STE_Q4, "smmuv3_ste",   4)                         \
    X(smmuv3_ste_q5, SMMUV3_STE_Q5, "smmuv3_ste",   5)                         \
    X(smmuv3_ste_q6, SMMUV3_STE_Q6, "smmuv3_ste",   6)                         \
    X(smmuv3_ste_q7, SMMUV3_STE_Q7, "smmuv3_ste",   7)                         \
    X(smmuv3_l1cd,   SMMUV3_L1CD,   "smmuv3_l1cd",  0)                         \
    X(smmuv3_cd_q0,  SMMUV3_CD_Q0,  "smmuv3_cd",    0)                         \
    X(smmuv3_cd_q1,  SMMUV3_CD_Q1,  "smmuv3_cd",    1)                         \
    X(smmuv3_cd_q2,  SMMUV3_CD_Q2,  "smmuv3_cd",    2)                         \
    X(smmuv3_cd_q3,  SMMUV3_CD_Q3,  "smmuv3_cd",    3)                         \
    X(smmuv3_cd_q4,  SMMUV3_CD_Q4,  "smmuv3_cd",    4)                         \
    X(smmuv3_cd_q5,  SMMUV3_CD_Q5,  "smmuv3_cd",    5)                         \
    X(smmuv3_cd_q6,  SMMUV3_CD_Q6,  "smmuv3_cd",    6)                         \
    X(smmuv3_cd_q7,  SMMUV3_CD_Q7,  "smmuv3_cd",    7)

#define SMMUV3_TABLE_CODE_SETS(X)                                              \
    X("ste_config",        SMMUV3_STE,     SMMUV3_STE_CONFIGS)                 \
    X("ste_s1fmt",         SMMUV3_S1FMT,   SMMUV3_S1FMTS)                      \
    X("ste_s1dss",         SMMUV3_S1DSS,   SMMUV3_S1DSSS)                      \
    X("ste_eats",          SMMUV3_EATS,    SMMUV3_EATSS)                       \
    X("ste_strw",          SMMUV3_STRW,    SMMUV3_STRWS)                       \
    X("ste_shcfg",         SMMUV3_SHCFG,   SMMUV3_SHCFGS)                      \
    X("ste_privcfg",       SMMUV3_PRIVCFG, SMMUV3_PRIVCFGS)                    \
    X("ste_instcfg",       SMMUV3_INSTCFG, SMMUV3_INSTCFGS)                    \
    X("ste_s1cir",         SMMUV3_FETCH,   SMMUV3_FETCHES)                     \
    X("walk_cacheability", SMMUV3_WALK,    SMMUV3_WALKS)                       \
    X("cd_tg0",            SMMUV3_TG0,     SMMUV3_TG0S)                        \
    X("cd_tg1",            SMMUV3_TG1,     SMMUV3_TG1S)                        \
    X("address_size",      SMMUV3_OAS,     SMMUV3_OASS)                        \
    X("size",              SMMUV3,         SMMUV3_TABLE_SIZES)

/* clang-format on */
#endif
