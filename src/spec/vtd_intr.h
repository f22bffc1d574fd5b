/* SPDX-License-Identifier: MIT */
/*
 * vtd_intr.h - Intel VT-d interrupt remapping: requests, table entries, posted
 * interrupt descriptors (D51397 rev 5.10, chapter 5, 9.9 to 9.11).
 */
#ifndef UIM_SPEC_VTD_INTR_H
#define UIM_SPEC_VTD_INTR_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* Chapter 5: remappable MSI. index = handle + (shv ? subhandle : 0). */
#define VTD_MSI_ADDRESS_REMAPPABLE(F, P)                                       \
    F(P, fee,              31, 20) /* VTD_MSI_FEE */                           \
    F(P, handle_14_0,      19, 5)                                              \
    F(P, interrupt_format, 4, 4)   /* 1; 0 is the compatibility format */      \
    F(P, shv,              3, 3)                                               \
    F(P, handle_15,        2, 2)                                               \
    F(P, ign,              1, 0)
#define VTD_MSI_DATA_REMAPPABLE(F, P) F(P, subhandle, 15, 0)
UIM_LAYOUT(vtd_msi_address_remappable, VTD_MSI_ADDRESS_REMAPPABLE);
UIM_LAYOUT(vtd_msi_data_remappable, VTD_MSI_DATA_REMAPPABLE);

enum { VTD_MSI_FEE = 0xfee };

/* Chapter 5: I/OxAPIC redirection entry in remappable format. Bits 10:8 are 0;
   tm must be as in the table entry, and for level the vector too. */
#define VTD_IOAPIC_RTE_REMAPPABLE(F, P)                                        \
    F(P, index_14_0,       63, 49)                                             \
    F(P, interrupt_format, 48, 48) /* 1 */                                     \
    F(P, tm,               15, 15)                                             \
    F(P, intpol,           13, 13) /* 1 active low */                          \
    F(P, index_15,         11, 11)                                             \
    F(P, vector,           7, 0)
UIM_LAYOUT(vtd_ioapic_rte_remappable, VTD_IOAPIC_RTE_REMAPPABLE);

/* 9.9: interrupt remapping table entry, remapped (IM=0), 128 bits */
#define VTD_IRTE_REMAPPED_LO(F, P)                                             \
    F(P, dst,   63, 32) /* xAPIC: only bits 15:8 of it */                      \
    F(P, v,     23, 16)                                                        \
    F(P, im,    15, 15) /* 0 */                                                \
    F(P, avail, 11, 8)                                                         \
    F(P, dlm,   7, 5)   /* VTD_DLM_* */                                        \
    F(P, tm,    4, 4)   /* 1 level */                                          \
    F(P, rh,    3, 3)                                                          \
    F(P, dm,    2, 2)   /* 1 logical */                                        \
    F(P, fpd,   1, 1)                                                          \
    F(P, p,     0, 0)
#define VTD_IRTE_REMAPPED_HI(F, P)                                             \
    F(P, svt,   19, 18) /* VTD_SVT_* */                                        \
    F(P, sq,    17, 16) /* VTD_SQ_* */                                         \
    F(P, sid,   15, 0)
UIM_LAYOUT(vtd_irte_remapped_lo, VTD_IRTE_REMAPPED_LO);
UIM_LAYOUT(vtd_irte_remapped_hi, VTD_IRTE_REMAPPED_HI);

/* 9.10: interrupt remapping table entry, posted (IM=1), 128 bits */
#define VTD_IRTE_POSTED_LO(F, P)                                               \
    F(P, pdal,  63, 38) /* descriptor address bits 31:6 */                     \
    F(P, vv,    23, 16)                                                        \
    F(P, im,    15, 15) /* 1 */                                                \
    F(P, urg,   14, 14)                                                        \
    F(P, avail, 11, 8)                                                         \
    F(P, fpd,   1, 1)                                                          \
    F(P, p,     0, 0)
#define VTD_IRTE_POSTED_HI(F, P)                                               \
    F(P, pdah,  63, 32) /* descriptor address bits 63:32 */                    \
    F(P, svt,   19, 18)                                                        \
    F(P, sq,    17, 16)                                                        \
    F(P, sid,   15, 0)
UIM_LAYOUT(vtd_irte_posted_lo, VTD_IRTE_POSTED_LO);
UIM_LAYOUT(vtd_irte_posted_hi, VTD_IRTE_POSTED_HI);

/* How the requester is checked: not; sid under the mask sq; bus number between
   sid[15:8] and sid[7:0]. */
#define VTD_SVTS(X, P)                                                         \
    X(P, NONE,      0)                                                         \
    X(P, SID,       1)                                                         \
    X(P, BUS_RANGE, 2)
#define VTD_SQS(X, P)                                                          \
    X(P, ALL,             0)                                                   \
    X(P, IGNORE_BIT2,     1)                                                   \
    X(P, IGNORE_BITS_2_1, 2)                                                   \
    X(P, IGNORE_BITS_2_0, 3)
#define VTD_DLMS(X, P)                                                         \
    X(P, FIXED,           0)                                                   \
    X(P, LOWEST_PRIORITY, 1)                                                   \
    X(P, SMI,             2)                                                   \
    X(P, NMI,             4)                                                   \
    X(P, INIT,            5)                                                   \
    X(P, EXTINT,          7)
UIM_CODES(vtd_svt, VTD_SVT, VTD_SVTS);
UIM_CODES(vtd_sq, VTD_SQ, VTD_SQS);
UIM_CODES(vtd_dlm, VTD_DLM, VTD_DLMS);

/* 9.11: posted interrupt descriptor, 512 bits; words 5 to 7 are reserved. */
#define VTD_POSTED_DESCRIPTOR_Q0(F, P) F(P, pir_63_0, 63, 0)
#define VTD_POSTED_DESCRIPTOR_Q1(F, P) F(P, pir_127_64, 63, 0)
#define VTD_POSTED_DESCRIPTOR_Q2(F, P) F(P, pir_191_128, 63, 0)
#define VTD_POSTED_DESCRIPTOR_Q3(F, P) F(P, pir_255_192, 63, 0)
#define VTD_POSTED_DESCRIPTOR_Q4(F, P)                                         \
    F(P, ndst, 63, 32)                                                         \
    F(P, nv,   23, 16)                                                         \
    F(P, sn,   1, 1)                                                           \
    F(P, on,   0, 0)
UIM_LAYOUT(vtd_posted_descriptor_q0, VTD_POSTED_DESCRIPTOR_Q0);
UIM_LAYOUT(vtd_posted_descriptor_q1, VTD_POSTED_DESCRIPTOR_Q1);
UIM_LAYOUT(vtd_posted_descriptor_q2, VTD_POSTED_DESCRIPTOR_Q2);
UIM_LAYOUT(vtd_posted_descriptor_q3, VTD_POSTED_DESCRIPTOR_Q3);
UIM_LAYOUT(vtd_posted_descriptor_q4, VTD_POSTED_DESCRIPTOR_Q4);

#define VTD_INTR_SIZES(X, P)                                                   \
    X(P, IRTE_BYTES,              16)                                          \
    X(P, POSTED_DESCRIPTOR_BYTES, 64)                                          \
    X(P, IRTA_ENTRIES_SHIFT,      1) /* 2^(s + 1) entries */
UIM_CODES(vtd_intr_size, VTD, VTD_INTR_SIZES);

#define VTD_INTR_LAYOUTS(X)                                                    \
    X(vtd_msi_address_remappable, VTD_MSI_ADDRESS_REMAPPABLE,                  \
      "vtd_msi_address_remappable", 0)                                         \
    X(vtd_msi_data_remappable, VTD_MSI_DATA_REMAPPABLE,                        \
      "vtd_msi_data_remappable", 0)                                            \
    X(vtd_ioapic_rte_remappable, VTD_IOAPIC_RTE_REMAPPABLE,                    \
      "vtd_ioapic_rte_remappable", 0)                                          \
    X(vtd_irte_remapped_lo, VTD_IRTE_REMAPPED_LO, "vtd_irte_remapped", 0)      \
    X(vtd_irte_remapped_hi, VTD_IRTE_REMAPPED_HI, "vtd_irte_remapped", 1)      \
    X(vtd_irte_posted_lo,   VTD_IRTE_POSTED_LO,   "vtd_irte_posted",   0)      \
    X(vtd_irte_posted_hi,   VTD_IRTE_POSTED_HI,   "vtd_irte_posted",   1)      \
    X(vtd_posted_descriptor_q0, VTD_POSTED_DESCRIPTOR_Q0,                      \
      "vtd_posted_descriptor", 0)                                              \
    X(vtd_posted_descriptor_q1, VTD_POSTED_DESCRIPTOR_Q1,                      \
      "vtd_posted_descriptor", 1)                                              \
    X(vtd_posted_descriptor_q2, VTD_POSTED_DESCRIPTOR_Q2,                      \
      "vtd_posted_descriptor", 2)                                              \
    X(vtd_posted_descriptor_q3, VTD_POSTED_DESCRIPTOR_Q3,                      \
      "vtd_posted_descriptor", 3)                                              \
    X(vtd_posted_descriptor_q4, VTD_POSTED_DESCRIPTOR_Q4,                      \
      "vtd_posted_descriptor", 4)

#define VTD_INTR_CODE_SETS(X)                                                  \
    X("irte_svt", VTD_SVT, VTD_SVTS)                                           \
    X("irte_sq",  VTD_SQ,  VTD_SQS)                                            \
    X("irte_dlm", VTD_DLM, VTD_DLMS)                                           \
    X("size",     VTD,     VTD_INTR_SIZES)

/* clang-format on */
#endif
