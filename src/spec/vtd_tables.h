/* SPDX-License-Identifier: MIT */
/*
 * vtd_tables.h - Intel VT-d root, context and PASID tables and paging entries
 * (D51397 rev 5.10, chapter 9).
 */
#ifndef UIM_SPEC_VTD_TABLES_H
#define UIM_SPEC_VTD_TABLES_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* 9.1: root entry, legacy, 128 bits; the high word is reserved. */
#define VTD_ROOT_LO(F, P)                                                      \
    F(P, ctp, 63, 12)                                                          \
    F(P, p,   0, 0)
UIM_LAYOUT(vtd_root_lo, VTD_ROOT_LO);

/* 9.2: root entry, scalable, 128 bits: devfn 0 to 127, then 128 to 255. A half
   that is not present may hold anything. */
#define VTD_ROOT_SCALABLE_LO(F, P)                                             \
    F(P, lctp, 63, 12)                                                         \
    F(P, lp,   0, 0)
#define VTD_ROOT_SCALABLE_HI(F, P)                                             \
    F(P, uctp, 63, 12)                                                         \
    F(P, up,   0, 0)
UIM_LAYOUT(vtd_root_scalable_lo, VTD_ROOT_SCALABLE_LO);
UIM_LAYOUT(vtd_root_scalable_hi, VTD_ROOT_SCALABLE_HI);

/* 9.3: context entry, legacy, 128 bits */
#define VTD_CTX_LEGACY_LO(F, P)                                                \
    F(P, ssptptr, 63, 12)                                                      \
    F(P, tt,      3, 2) /* VTD_TT_* */                                         \
    F(P, fpd,     1, 1) /* counts even if p is 0 */                            \
    F(P, p,       0, 0)
#define VTD_CTX_LEGACY_HI(F, P)                                                \
    F(P, did,     23, 8)                                                       \
    F(P, ign,     6, 3)                                                        \
    F(P, aw,      2, 0) /* VTD_AW_* */
UIM_LAYOUT(vtd_ctx_legacy_lo, VTD_CTX_LEGACY_LO);
UIM_LAYOUT(vtd_ctx_legacy_hi, VTD_CTX_LEGACY_HI);

#define VTD_TTS(X, P)                                                          \
    X(P, UNTRANSLATED, 0) /* second stage, ATS blocked */                      \
    X(P, ATS,          1) /* second stage, ATS */                              \
    X(P, PASSTHROUGH,  2) /* ATS blocked */
UIM_CODES(vtd_tt, VTD_TT, VTD_TTS);

#define VTD_AWS(X, P)                                                          \
    X(P, 39, 1)                                                                \
    X(P, 48, 2)                                                                \
    X(P, 57, 3)
UIM_CODES(vtd_aw, VTD_AW, VTD_AWS);

/* 9.4: context entry, scalable, 256 bits; words 2 and 3 are reserved. */
#define VTD_CTX_SCALABLE_Q0(F, P)                                              \
    F(P, pasiddirptr, 63, 12)                                                  \
    F(P, pdts,        11, 9) /* 2^(pdts+7) directory entries */                \
    F(P, eptr,        6, 6)                                                    \
    F(P, hpte,        5, 5)                                                    \
    F(P, pre,         4, 4)                                                    \
    F(P, paside,      3, 3)                                                    \
    F(P, dte,         2, 2)                                                    \
    F(P, fpd,         1, 1) /* counts even if p is 0 */                        \
    F(P, p,           0, 0)
#define VTD_CTX_SCALABLE_Q1(F, P)                                              \
    F(P, rid_priv,    20, 20)                                                  \
    F(P, rid_pasid,   19, 0)
UIM_LAYOUT(vtd_ctx_scalable_q0, VTD_CTX_SCALABLE_Q0);
UIM_LAYOUT(vtd_ctx_scalable_q1, VTD_CTX_SCALABLE_Q1);

/* 9.5: PASID directory entry, 64 bits, indexed by PASID[19:6] */
#define VTD_PASID_DIR(F, P)                                                    \
    F(P, smptblptr, 63, 12)                                                    \
    F(P, fpd,       1, 1) /* counts even if p is 0 */                          \
    F(P, p,         0, 0)
UIM_LAYOUT(vtd_pasid_dir, VTD_PASID_DIR);

/* 9.6: PASID table entry, 512 bits, indexed by PASID[5:0]. Words 3, 6 and 7 are
   reserved, 4 and 5 belong to host permission tables. */
#define VTD_PASID_ENTRY_Q0(F, P)                                               \
    F(P, ssptptr, 63, 12)                                                      \
    F(P, ssade,   9, 9)                                                        \
    F(P, pgtt,    8, 6) /* VTD_PGTT_* */                                       \
    F(P, aw,      4, 2) /* VTD_AW_* */                                         \
    F(P, fpd,     1, 1) /* counts even if p is 0 */                            \
    F(P, p,       0, 0)
#define VTD_PASID_ENTRY_Q1(F, P)                                               \
    F(P, pa7,     62, 60) /* VTD_MT_*; bit 3 of each nibble is reserved */     \
    F(P, pa6,     58, 56)                                                      \
    F(P, pa5,     54, 52)                                                      \
    F(P, pa4,     50, 48)                                                      \
    F(P, pa3,     46, 44)                                                      \
    F(P, pa2,     42, 40)                                                      \
    F(P, pa1,     38, 36)                                                      \
    F(P, pa0,     34, 32)                                                      \
    F(P, emte,    26, 26)                                                      \
    F(P, cd,      25, 25)                                                      \
    F(P, pgsnp,   24, 24)                                                      \
    F(P, pwsnp,   23, 23)                                                      \
    F(P, did,     15, 0)
#define VTD_PASID_ENTRY_Q2(F, P)                                               \
    F(P, fsptptr, 63, 12) /* guest physical when nested */                     \
    F(P, eafe,    7, 7)                                                        \
    F(P, ign,     6, 5)   /* SMEP and NXE in older revisions */                \
    F(P, wpe,     4, 4)                                                        \
    F(P, fspm,    3, 2)   /* VTD_FSPM_* */                                     \
    F(P, sre,     0, 0)
#define VTD_PASID_ENTRY_Q4(F, P)                                               \
    F(P, hptptr,  63, 12)                                                      \
    F(P, hptpfd,  2, 2)                                                        \
    F(P, hptsz,   1, 0)   /* 4 KiB << hptsz, covers 2^(49+hptsz) bytes */
#define VTD_PASID_ENTRY_Q5(F, P)                                               \
    F(P, hptdid,  15, 0)
UIM_LAYOUT(vtd_pasid_entry_q0, VTD_PASID_ENTRY_Q0);
UIM_LAYOUT(vtd_pasid_entry_q1, VTD_PASID_ENTRY_Q1);
UIM_LAYOUT(vtd_pasid_entry_q2, VTD_PASID_ENTRY_Q2);
UIM_LAYOUT(vtd_pasid_entry_q4, VTD_PASID_ENTRY_Q4);
UIM_LAYOUT(vtd_pasid_entry_q5, VTD_PASID_ENTRY_Q5);

#define VTD_PGTTS(X, P)                                                        \
    X(P, FS,     1)                                                            \
    X(P, SS,     2)                                                            \
    X(P, NESTED, 3)                                                            \
    X(P, PT,     4)
UIM_CODES(vtd_pgtt, VTD_PGTT, VTD_PGTTS);

#define VTD_FSPMS(X, P)                                                        \
    X(P, FOUR_LEVEL, 0)                                                        \
    X(P, FIVE_LEVEL, 1)
UIM_CODES(vtd_fspm, VTD_FSPM, VTD_FSPMS);

/* Memory types: PAi above, EMT of a second-stage leaf (without UC_MINUS) */
#define VTD_MTS(X, P)                                                          \
    X(P, UC,       0)                                                          \
    X(P, WC,       1)                                                          \
    X(P, WT,       4)                                                          \
    X(P, WP,       5)                                                          \
    X(P, WB,       6)                                                          \
    X(P, UC_MINUS, 7)
UIM_CODES(vtd_mt, VTD_MT, VTD_MTS);

/*
 * 9.7: first-stage paging entry, leaf or not. In a leaf of 4 KiB bit 7 is PAT,
 * in a larger one bit 12 is, and the address starts above it; in a non-leaf
 * PWT, PCD, D and G are ignored.
 */
#define VTD_FS_PTE(F, P)                                                       \
    F(P, xd,        63, 63) /* ignored since revision 4.1 */                   \
    F(P, ign_62_52, 62, 52)                                                    \
    F(P, addr,      51, 12)                                                    \
    F(P, ign_11,    11, 11)                                                    \
    F(P, ea,        10, 10)                                                    \
    F(P, ign_9,     9, 9)                                                      \
    F(P, g,         8, 8)                                                      \
    F(P, ps,        7, 7)                                                      \
    F(P, d,         6, 6)                                                      \
    F(P, a,         5, 5)                                                      \
    F(P, pcd,       4, 4)                                                      \
    F(P, pwt,       3, 3)                                                      \
    F(P, us,        2, 2)                                                      \
    F(P, rw,        1, 1)                                                      \
    F(P, p,         0, 0)
UIM_LAYOUT(vtd_fs_pte, VTD_FS_PTE);

/*
 * 9.8: second-stage paging entry, leaf or not. Present if r or w is set; with
 * RTADDR.SSIRWE these two are ignored and ir and iw take their place. emt,
 * ipat, d and snp are of leaves only.
 */
#define VTD_SS_PTE(F, P)                                                       \
    F(P, ign_63,    63, 63)                                                    \
    F(P, iw,        62, 62)                                                    \
    F(P, ir,        61, 61)                                                    \
    F(P, ign_60_52, 60, 52)                                                    \
    F(P, addr,      51, 12)                                                    \
    F(P, snp,       11, 11)                                                    \
    F(P, ign_10,    10, 10)                                                    \
    F(P, d,         9, 9)                                                      \
    F(P, a,         8, 8)                                                      \
    F(P, ps,        7, 7)                                                      \
    F(P, ipat,      6, 6)                                                      \
    F(P, emt,       5, 3) /* VTD_MT_* */                                       \
    F(P, ign_2,     2, 2)                                                      \
    F(P, w,         1, 1)                                                      \
    F(P, r,         0, 0)
UIM_LAYOUT(vtd_ss_pte, VTD_SS_PTE);

#define VTD_TABLE_SIZES(X, P)                                                  \
    X(P, ROOT_ENTRY_BYTES,       16)                                           \
    X(P, CONTEXT_LEGACY_BYTES,   16)                                           \
    X(P, CONTEXT_SCALABLE_BYTES, 32)                                           \
    X(P, PASID_DIR_ENTRY_BYTES,  8)                                            \
    X(P, PASID_ENTRY_BYTES,      64)                                           \
    X(P, PASID_TABLE_ENTRIES,    64)                                           \
    X(P, PDTS_ENTRIES_SHIFT,     7) /* 2^(pdts + 7) directory entries */
UIM_CODES(vtd_table_size, VTD, VTD_TABLE_SIZES);

#define VTD_TABLE_LAYOUTS(X)                                                   \
    X(vtd_root_lo,          VTD_ROOT_LO,          "vtd_root",          0)      \
    X(vtd_root_scalable_lo, VTD_ROOT_SCALABLE_LO, "vtd_root_scalable", 0)      \
    X(vtd_root_scalable_hi, VTD_ROOT_SCALABLE_HI, "vtd_root_scalable", 1)      \
    X(vtd_ctx_legacy_lo,    VTD_CTX_LEGACY_LO,    "vtd_ctx_legacy",    0)      \
    X(vtd_ctx_legacy_hi,    VTD_CTX_LEGACY_HI,    "vtd_ctx_legacy",    1)      \
    X(vtd_ctx_scalable_q0,  VTD_CTX_SCALABLE_Q0,  "vtd_ctx_scalable",  0)      \
    X(vtd_ctx_scalable_q1,  VTD_CTX_SCALABLE_Q1,  "vtd_ctx_scalable",  1)      \
    X(vtd_pasid_dir,        VTD_PASID_DIR,        "vtd_pasid_dir",     0)      \
    X(vtd_pasid_entry_q0,   VTD_PASID_ENTRY_Q0,   "vtd_pasid_entry",   0)      \
    X(vtd_pasid_entry_q1,   VTD_PASID_ENTRY_Q1,   "vtd_pasid_entry",   1)      \
    X(vtd_pasid_entry_q2,   VTD_PASID_ENTRY_Q2,   "vtd_pasid_entry",   2)      \
    X(vtd_pasid_entry_q4,   VTD_PASID_ENTRY_Q4,   "vtd_pasid_entry",   4)      \
    X(vtd_pasid_entry_q5,   VTD_PASID_ENTRY_Q5,   "vtd_pasid_entry",   5)      \
    X(vtd_fs_pte,           VTD_FS_PTE,           "vtd_fs_pte",        0)      \
    X(vtd_ss_pte,           VTD_SS_PTE,           "vtd_ss_pte",        0)

#define VTD_TABLE_CODE_SETS(X)                                                 \
    X("context_tt",    VTD_TT,   VTD_TTS)                                      \
    X("address_width", VTD_AW,   VTD_AWS)                                      \
    X("pasid_pgtt",    VTD_PGTT, VTD_PGTTS)                                    \
    X("pasid_flpm",    VTD_FSPM, VTD_FSPMS)                                    \
    X("memory_type",   VTD_MT,   VTD_MTS)                                      \
    X("size",          VTD,      VTD_TABLE_SIZES)

/* clang-format on */
#endif
