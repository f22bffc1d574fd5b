/* SPDX-License-Identifier: MIT */
/*
 * vtd_queue.h - Intel VT-d invalidation descriptors (D51397 rev 5.10, 6.5.2)
 * and page requests (7.4, 7.6).
 *
 * Types 1 to 5 are 128 bits wide, padded with zeros in a queue of 256-bit
 * descriptors; the others are 256 bits wide, with words 2 and 3 reserved. So
 * _lo and _hi, words 0 and 1, are all there is; where _hi is not declared it is
 * reserved too. The type is in two pieces, bits 11:9 (0 in all known types) and
 * 3:0.
 */
#ifndef UIM_SPEC_VTD_QUEUE_H
#define UIM_SPEC_VTD_QUEUE_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

#define VTD_QI_TYPES(X, P)                                                     \
    X(P, CONTEXT,       0x1)                                                   \
    X(P, IOTLB,         0x2)                                                   \
    X(P, DEVTLB,        0x3)                                                   \
    X(P, IEC,           0x4)                                                   \
    X(P, WAIT,          0x5)                                                   \
    X(P, PIOTLB,        0x6)                                                   \
    X(P, PASID_CACHE,   0x7)                                                   \
    X(P, PDEVTLB,       0x8)                                                   \
    X(P, PAGE_RESPONSE, 0x9)                                                   \
    X(P, HPT,           0xa)
UIM_CODES(vtd_qi_type, VTD_QI, VTD_QI_TYPES);

/* Any descriptor, as long as its type is not known. */
#define VTD_QI_ANY_LO(F, P)                                                    \
    F(P, type_hi, 11, 9)                                                       \
    F(P, type,    3, 0)
UIM_LAYOUT(vtd_qi_any_lo, VTD_QI_ANY_LO);

/* 6.5.2.1: context cache */
#define VTD_QI_CONTEXT_LO(F, P)                                                \
    F(P, fm,      49, 48) /* VTD_FM_* */                                       \
    F(P, sid,     47, 32)                                                      \
    F(P, did,     31, 16)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, g,       5, 4)   /* VTD_CC_* */                                       \
    F(P, type,    3, 0)
UIM_LAYOUT(vtd_qi_context_lo, VTD_QI_CONTEXT_LO);

#define VTD_CCS(X, P)                                                          \
    X(P, GLOBAL, 1)                                                            \
    X(P, DOMAIN, 2)                                                            \
    X(P, DEVICE, 3)
UIM_CODES(vtd_cc, VTD_CC, VTD_CCS);

/* Function mask: which low bits of the source id do not count */
#define VTD_FMS(X, P)                                                          \
    X(P, NONE,       0)                                                        \
    X(P, MASK_1BIT,  1) /* bit 2 */                                            \
    X(P, MASK_2BITS, 2) /* bits 2:1 */                                         \
    X(P, MASK_3BITS, 3) /* bits 2:0 */
UIM_CODES(vtd_fm, VTD_FM, VTD_FMS);

/* 6.5.2.2: PASID cache */
#define VTD_QI_PASID_CACHE_LO(F, P)                                            \
    F(P, pasid,   51, 32)                                                      \
    F(P, did,     31, 16)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, g,       5, 4)   /* VTD_PC_* */                                       \
    F(P, type,    3, 0)
UIM_LAYOUT(vtd_qi_pasid_cache_lo, VTD_QI_PASID_CACHE_LO);

#define VTD_PCS(X, P)                                                          \
    X(P, DOMAIN, 0)                                                            \
    X(P, PASID,  1)                                                            \
    X(P, GLOBAL, 3)
UIM_CODES(vtd_pc, VTD_PC, VTD_PCS);

/* 6.5.2.3: IOTLB */
#define VTD_QI_IOTLB_LO(F, P)                                                  \
    F(P, did,     31, 16)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, dr,      7, 7)                                                        \
    F(P, dw,      6, 6)                                                        \
    F(P, g,       5, 4)   /* VTD_IOTLB_* */                                    \
    F(P, type,    3, 0)
#define VTD_QI_IOTLB_HI(F, P)                                                  \
    F(P, addr,    63, 12)                                                      \
    F(P, ih,      6, 6)   /* no non-leaf entry changed */                      \
    F(P, am,      5, 0)   /* 2^am pages of 4 KiB */
UIM_LAYOUT(vtd_qi_iotlb_lo, VTD_QI_IOTLB_LO);
UIM_LAYOUT(vtd_qi_iotlb_hi, VTD_QI_IOTLB_HI);

#define VTD_IOTLBS(X, P)                                                       \
    X(P, GLOBAL, 1)                                                            \
    X(P, DOMAIN, 2)                                                            \
    X(P, PAGE,   3)
UIM_CODES(vtd_iotlb_granularity, VTD_IOTLB, VTD_IOTLBS);

/* 6.5.2.4: PASID-based IOTLB */
#define VTD_QI_PIOTLB_LO(F, P)                                                 \
    F(P, pasid,   51, 32)                                                      \
    F(P, did,     31, 16)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, g,       5, 4)   /* VTD_PIOTLB_* */                                   \
    F(P, type,    3, 0)
#define VTD_QI_PIOTLB_HI VTD_QI_IOTLB_HI
UIM_LAYOUT(vtd_qi_piotlb_lo, VTD_QI_PIOTLB_LO);
UIM_LAYOUT(vtd_qi_piotlb_hi, VTD_QI_PIOTLB_HI);

#define VTD_PIOTLBS(X, P)                                                      \
    X(P, PASID, 2)                                                             \
    X(P, PAGE,  3)
UIM_CODES(vtd_piotlb_granularity, VTD_PIOTLB, VTD_PIOTLBS);

/* 6.5.2.5: device TLB. With s=1 the lowest clear bit of addr tells the size. */
#define VTD_QI_DEVTLB_LO(F, P)                                                 \
    F(P, pfsid_15_4, 63, 52)                                                   \
    F(P, sid,        47, 32)                                                   \
    F(P, mip,        20, 16) /* how many invalidations may be pending */       \
    F(P, pfsid_3_0,  15, 12)                                                   \
    F(P, type_hi,    11, 9)                                                    \
    F(P, type,       3, 0)
#define VTD_QI_DEVTLB_HI(F, P)                                                 \
    F(P, addr,       63, 12)                                                   \
    F(P, s,          0, 0)
UIM_LAYOUT(vtd_qi_devtlb_lo, VTD_QI_DEVTLB_LO);
UIM_LAYOUT(vtd_qi_devtlb_hi, VTD_QI_DEVTLB_HI);

/* 6.5.2.6: PASID-based device TLB */
#define VTD_QI_PDEVTLB_LO(F, P)                                                \
    F(P, pfsid_15_4, 63, 52)                                                   \
    F(P, pasid,      51, 32)                                                   \
    F(P, sid,        31, 16)                                                   \
    F(P, pfsid_3_0,  15, 12)                                                   \
    F(P, type_hi,    11, 9)                                                    \
    F(P, mip,        8, 4)                                                     \
    F(P, type,       3, 0)
#define VTD_QI_PDEVTLB_HI(F, P)                                                \
    F(P, addr,       63, 12)                                                   \
    F(P, s,          11, 11)                                                   \
    F(P, gi,         0, 0)   /* VTD_PDEVTLB_* */
UIM_LAYOUT(vtd_qi_pdevtlb_lo, VTD_QI_PDEVTLB_LO);
UIM_LAYOUT(vtd_qi_pdevtlb_hi, VTD_QI_PDEVTLB_HI);

#define VTD_PDEVTLBS(X, P)                                                     \
    X(P, PASID,  0)                                                            \
    X(P, GLOBAL, 1) /* all PASIDs */
UIM_CODES(vtd_pdevtlb_granularity, VTD_PDEVTLB, VTD_PDEVTLBS);

/* 6.5.2.8: interrupt entry cache */
#define VTD_QI_IEC_LO(F, P)                                                    \
    F(P, iidx,    47, 32)                                                      \
    F(P, im,      31, 27) /* 2^im indexes */                                   \
    F(P, type_hi, 11, 9)                                                       \
    F(P, g,       4, 4)   /* VTD_IEC_* */                                      \
    F(P, type,    3, 0)
UIM_LAYOUT(vtd_qi_iec_lo, VTD_QI_IEC_LO);

#define VTD_IECS(X, P)                                                         \
    X(P, GLOBAL, 0)                                                            \
    X(P, INDEX,  1)
UIM_CODES(vtd_iec, VTD_IEC, VTD_IECS);

/* 6.5.2.9: wait. The manual's IF is a word of C. */
#define VTD_QI_WAIT_LO(F, P)                                                   \
    F(P, stdata,  63, 32)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, pd,      7, 7) /* page request drain */                               \
    F(P, fn,      6, 6) /* fence: holds later descriptors */                   \
    F(P, sw,      5, 5) /* write stdata to staddr */                           \
    F(P, if_,     4, 4) /* interrupt */                                        \
    F(P, type,    3, 0)
#define VTD_QI_WAIT_HI(F, P) F(P, staddr, 63, 2)
UIM_LAYOUT(vtd_qi_wait_lo, VTD_QI_WAIT_LO);
UIM_LAYOUT(vtd_qi_wait_hi, VTD_QI_WAIT_HI);

/* 6.5.2.7: host permission table cache */
#define VTD_QI_HPT_LO(F, P)                                                    \
    F(P, hptdid,  31, 16)                                                      \
    F(P, type_hi, 11, 9)                                                       \
    F(P, g,       5, 4)   /* VTD_HPT_* */                                      \
    F(P, type,    3, 0)
#define VTD_QI_HPT_HI(F, P)                                                    \
    F(P, addr,    63, 12)                                                      \
    F(P, ih,      7, 6)   /* 0 L1, 1 L2-1, 2 L3-1, 3 all */                    \
    F(P, am,      5, 0)
UIM_LAYOUT(vtd_qi_hpt_lo, VTD_QI_HPT_LO);
UIM_LAYOUT(vtd_qi_hpt_hi, VTD_QI_HPT_HI);

#define VTD_HPTS(X, P)                                                         \
    X(P, GLOBAL, 1)                                                            \
    X(P, DOMAIN, 2)                                                            \
    X(P, PAGE,   3)
UIM_CODES(vtd_hpt_granularity, VTD_HPT, VTD_HPTS);

/* 7.6.1: page group response */
#define VTD_QI_PAGE_RESPONSE_LO(F, P)                                          \
    F(P, pasid,   51, 32)                                                      \
    F(P, rid,     31, 16)                                                      \
    F(P, rc,      15, 12) /* VTD_RC_* */                                       \
    F(P, type_hi, 11, 9)                                                       \
    F(P, pp,      4, 4)                                                        \
    F(P, type,    3, 0)
#define VTD_QI_PAGE_RESPONSE_HI(F, P)                                          \
    F(P, prgi,    11, 3)                                                       \
    F(P, ign,     2, 2)   /* LPIG in older revisions */
UIM_LAYOUT(vtd_qi_page_response_lo, VTD_QI_PAGE_RESPONSE_LO);
UIM_LAYOUT(vtd_qi_page_response_hi, VTD_QI_PAGE_RESPONSE_HI);

#define VTD_RCS(X, P)                                                          \
    X(P, SUCCESS,          0x0)                                                \
    X(P, INVALID_REQUEST,  0x1)                                                \
    X(P, RESPONSE_FAILURE, 0xf)
UIM_CODES(vtd_rc, VTD_RC, VTD_RCS);

/* 7.4.1.1: page request descriptor, 256 bits; words 2 and 3 are reserved. A
   stop marker has rdr = wrr = 0 and lpig = 1. */
#define VTD_PRQ_DESC_LO(F, P)                                                  \
    F(P, pmr,   53, 53)                                                        \
    F(P, exr,   52, 52)                                                        \
    F(P, pasid, 51, 32)                                                        \
    F(P, rid,   31, 16)                                                        \
    F(P, pp,    8, 8)                                                          \
    F(P, type,  7, 0) /* VTD_PRQ_PAGE_REQUEST */
#define VTD_PRQ_DESC_HI(F, P)                                                  \
    F(P, addr,  63, 12)                                                        \
    F(P, prgi,  11, 3)                                                         \
    F(P, lpig,  2, 2)                                                          \
    F(P, wrr,   1, 1)                                                          \
    F(P, rdr,   0, 0)
UIM_LAYOUT(vtd_prq_desc_lo, VTD_PRQ_DESC_LO);
UIM_LAYOUT(vtd_prq_desc_hi, VTD_PRQ_DESC_HI);

#define VTD_PRQ_TYPES(X, P) X(P, PAGE_REQUEST, 1)
UIM_CODES(vtd_prq_type, VTD_PRQ, VTD_PRQ_TYPES);

#define VTD_QUEUE_SIZES(X, P)                                                  \
    X(P, IQA_128_ENTRIES_SHIFT, 8) /* 2^(qs + 8) entries of 16 bytes */        \
    X(P, IQA_256_ENTRIES_SHIFT, 7) /* 2^(qs + 7) entries of 32 bytes */        \
    X(P, PQA_ENTRIES_SHIFT,     7) /* 2^(pqs + 7) entries of 32 bytes */       \
    X(P, PRQ_ENTRY_BYTES,       32)
UIM_CODES(vtd_queue_size, VTD, VTD_QUEUE_SIZES);

#define VTD_QUEUE_LAYOUTS(X)                                                   \
    X(vtd_qi_any_lo,         VTD_QI_ANY_LO,         "vtd_qi_any",         0)   \
    X(vtd_qi_context_lo,     VTD_QI_CONTEXT_LO,     "vtd_qi_context",     0)   \
    X(vtd_qi_iotlb_lo,       VTD_QI_IOTLB_LO,       "vtd_qi_iotlb",       0)   \
    X(vtd_qi_iotlb_hi,       VTD_QI_IOTLB_HI,       "vtd_qi_iotlb",       1)   \
    X(vtd_qi_devtlb_lo,      VTD_QI_DEVTLB_LO,      "vtd_qi_devtlb",      0)   \
    X(vtd_qi_devtlb_hi,      VTD_QI_DEVTLB_HI,      "vtd_qi_devtlb",      1)   \
    X(vtd_qi_iec_lo,         VTD_QI_IEC_LO,         "vtd_qi_iec",         0)   \
    X(vtd_qi_wait_lo,        VTD_QI_WAIT_LO,        "vtd_qi_wait",        0)   \
    X(vtd_qi_wait_hi,        VTD_QI_WAIT_HI,        "vtd_qi_wait",        1)   \
    X(vtd_qi_piotlb_lo,      VTD_QI_PIOTLB_LO,      "vtd_qi_piotlb",      0)   \
    X(vtd_qi_piotlb_hi,      VTD_QI_PIOTLB_HI,      "vtd_qi_piotlb",      1)   \
    X(vtd_qi_pasid_cache_lo, VTD_QI_PASID_CACHE_LO, "vtd_qi_pasid_cache", 0)   \
    X(vtd_qi_pdevtlb_lo,     VTD_QI_PDEVTLB_LO,     "vtd_qi_pdevtlb",     0)   \
    X(vtd_qi_pdevtlb_hi,     VTD_QI_PDEVTLB_HI,     "vtd_qi_pdevtlb",     1)   \
    X(vtd_qi_page_response_lo, VTD_QI_PAGE_RESPONSE_LO,                        \
      "vtd_qi_page_response", 0)                                               \
    X(vtd_qi_page_response_hi, VTD_QI_PAGE_RESPONSE_HI,                        \
      "vtd_qi_page_response", 1)                                               \
    X(vtd_qi_hpt_lo,         VTD_QI_HPT_LO,         "vtd_qi_hpt",         0)   \
    X(vtd_qi_hpt_hi,         VTD_QI_HPT_HI,         "vtd_qi_hpt",         1)   \
    X(vtd_prq_desc_lo,       VTD_PRQ_DESC_LO,       "vtd_prq_desc",       0)   \
    X(vtd_prq_desc_hi,       VTD_PRQ_DESC_HI,       "vtd_prq_desc",       1)

#define VTD_QUEUE_CODE_SETS(X)                                                 \
    X("qi_type",                    VTD_QI,      VTD_QI_TYPES)                 \
    X("qi_granularity_context",     VTD_CC,      VTD_CCS)                      \
    X("ccmd_fm",                    VTD_FM,      VTD_FMS)                      \
    X("qi_granularity_pasid_cache", VTD_PC,      VTD_PCS)                      \
    X("qi_granularity_iotlb",       VTD_IOTLB,   VTD_IOTLBS)                   \
    X("qi_granularity_piotlb",      VTD_PIOTLB,  VTD_PIOTLBS)                  \
    X("qi_granularity_pdevtlb",     VTD_PDEVTLB, VTD_PDEVTLBS)                 \
    X("qi_granularity_iec",         VTD_IEC,     VTD_IECS)                     \
    X("qi_granularity_hpt",         VTD_HPT,     VTD_HPTS)                     \
    X("page_response_code",         VTD_RC,      VTD_RCS)                      \
    X("prq_type",                   VTD_PRQ,     VTD_PRQ_TYPES)                \
    X("size",                       VTD,         VTD_QUEUE_SIZES)

/* clang-format on */
#endif
