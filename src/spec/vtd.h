/* SPDX-License-Identifier: MIT */
/*
 * vtd.h - Intel VT-d: registers, and everything else by inclusion.
 *
 * Intel D51397, architecture revision 5.10: chapter 11 (registers); the other
 * files have root, context and PASID tables and paging entries (chapter 9),
 * queue descriptors (6.5.2, 7.4), interrupt remapping (5, 9) and faults (7).
 * Names are the manual's in lower case, those of the current revision: "ss" and
 * "fs" where older revisions and most headers say "sl" and "fl".
 *
 * What a field needs to be there, and which bits are reserved beyond the host
 * address width, is for the driver and the model to know; here is only where
 * things are. Bits that hardware ignores are fields (ign), because they are
 * not reserved; bits that older revisions used are fields only as long as
 * hardware that has them must be decoded.
 */
#ifndef UIM_SPEC_VTD_H
#define UIM_SPEC_VTD_H

#include "base/bits.h"
#include "spec/codes.h"
#include "spec/vtd_fault.h"
#include "spec/vtd_intr.h"
#include "spec/vtd_queue.h"
#include "spec/vtd_tables.h"

/* clang-format off */

/* Registers at fixed offsets: X(name, offset, width). */
#define VTD_REGISTERS(X)                                                       \
    X(VER,       0x000, 32)                                                    \
    X(CAP,       0x008, 64)                                                    \
    X(ECAP,      0x010, 64)                                                    \
    X(GCMD,      0x018, 32)                                                    \
    X(GSTS,      0x01c, 32)                                                    \
    X(RTADDR,    0x020, 64)                                                    \
    X(CCMD,      0x028, 64)                                                    \
    X(FSTS,      0x034, 32)                                                    \
    X(FECTL,     0x038, 32)                                                    \
    X(FEDATA,    0x03c, 32)                                                    \
    X(FEADDR,    0x040, 32)                                                    \
    X(FEUADDR,   0x044, 32)                                                    \
    X(AFLOG,     0x058, 64) /* until revision 4.0 */                           \
    X(PMEN,      0x064, 32)                                                    \
    X(PLMBASE,   0x068, 32)                                                    \
    X(PLMLIMIT,  0x06c, 32)                                                    \
    X(PHMBASE,   0x070, 64)                                                    \
    X(PHMLIMIT,  0x078, 64)                                                    \
    X(IQH,       0x080, 64)                                                    \
    X(IQT,       0x088, 64)                                                    \
    X(IQA,       0x090, 64)                                                    \
    X(ICS,       0x09c, 32)                                                    \
    X(IECTL,     0x0a0, 32)                                                    \
    X(IEDATA,    0x0a4, 32)                                                    \
    X(IEADDR,    0x0a8, 32)                                                    \
    X(IEUADDR,   0x0ac, 32)                                                    \
    X(IQERCD,    0x0b0, 64)                                                    \
    X(IRTA,      0x0b8, 64)                                                    \
    X(PQH,       0x0c0, 64)                                                    \
    X(PQT,       0x0c8, 64)                                                    \
    X(PQA,       0x0d0, 64)                                                    \
    X(PRS,       0x0dc, 32)                                                    \
    X(PECTL,     0x0e0, 32)                                                    \
    X(PEDATA,    0x0e4, 32)                                                    \
    X(PEADDR,    0x0e8, 32)                                                    \
    X(PEUADDR,   0x0ec, 32)                                                    \
    X(MTRRCAP,   0x100, 64)                                                    \
    X(MTRRDEF,   0x108, 64)                                                    \
    X(MTRR_FIX64K_00000, 0x120, 64)                                            \
    X(MTRR_FIX16K_80000, 0x128, 64)                                            \
    X(MTRR_FIX16K_A0000, 0x130, 64)                                            \
    X(MTRR_FIX4K_C0000,  0x138, 64)                                            \
    X(MTRR_FIX4K_C8000,  0x140, 64)                                            \
    X(MTRR_FIX4K_D0000,  0x148, 64)                                            \
    X(MTRR_FIX4K_D8000,  0x150, 64)                                            \
    X(MTRR_FIX4K_E0000,  0x158, 64)                                            \
    X(MTRR_FIX4K_E8000,  0x160, 64)                                            \
    X(MTRR_FIX4K_F0000,  0x168, 64)                                            \
    X(MTRR_FIX4K_F8000,  0x170, 64)                                            \
    X(MTRR_PHYSBASE0, 0x180, 64) X(MTRR_PHYSMASK0, 0x188, 64)                  \
    X(MTRR_PHYSBASE1, 0x190, 64) X(MTRR_PHYSMASK1, 0x198, 64)                  \
    X(MTRR_PHYSBASE2, 0x1a0, 64) X(MTRR_PHYSMASK2, 0x1a8, 64)                  \
    X(MTRR_PHYSBASE3, 0x1b0, 64) X(MTRR_PHYSMASK3, 0x1b8, 64)                  \
    X(MTRR_PHYSBASE4, 0x1c0, 64) X(MTRR_PHYSMASK4, 0x1c8, 64)                  \
    X(MTRR_PHYSBASE5, 0x1d0, 64) X(MTRR_PHYSMASK5, 0x1d8, 64)                  \
    X(MTRR_PHYSBASE6, 0x1e0, 64) X(MTRR_PHYSMASK6, 0x1e8, 64)                  \
    X(MTRR_PHYSBASE7, 0x1f0, 64) X(MTRR_PHYSMASK7, 0x1f8, 64)                  \
    X(MTRR_PHYSBASE8, 0x200, 64) X(MTRR_PHYSMASK8, 0x208, 64)                  \
    X(MTRR_PHYSBASE9, 0x210, 64) X(MTRR_PHYSMASK9, 0x218, 64)                  \
    X(PERFCAP,       0x300, 64)                                                \
    X(PERFCFGOFF,    0x310, 32)                                                \
    X(PERFFRZOFF,    0x314, 32)                                                \
    X(PERFOVFOFF,    0x318, 32)                                                \
    X(PERFCNTROFF,   0x31c, 32)                                                \
    X(PERFINTRSTS,   0x324, 32)                                                \
    X(PERFINTRCTL,   0x328, 32)                                                \
    X(PERFINTRDATA,  0x32c, 32)                                                \
    X(PERFINTRADDR,  0x330, 32)                                                \
    X(PERFINTRUADDR, 0x334, 32)                                                \
    X(PERFEVNTCAP,   0x380, 64) /* first of an array that ends at 0x3ff */     \
    X(ECMD,      0x400, 64)                                                    \
    X(ECEO,      0x408, 64)                                                    \
    X(ECRSP,     0x410, 64)                                                    \
    X(ECSTS0,    0x420, 64)                                                    \
    X(ECSTS1,    0x428, 64)                                                    \
    X(ECCAP0,    0x430, 64)                                                    \
    X(ECCAP1,    0x438, 64)                                                    \
    X(ECCAP2,    0x440, 64)                                                    \
    X(ECCAP3,    0x448, 64)                                                    \
    X(RDTC,      0xdc0, 64)                                                    \
    X(VCMD,      0xe00, 64) /* virtual units only (ECAP.VCS) */                \
    X(VCMD_EO,   0xe08, 64)                                                    \
    X(VCRSP,     0xe10, 64)                                                    \
    X(VCCAP,     0xe30, 64)

/* Registers whose base a capability tells: IVA and IOTLB at 16 * ECAP.IRO,
   record n of FRCD at 16 * (CAP.FRO + n). */
#define VTD_RELATIVE_REGISTERS(X)                                              \
    X(IVA,     0x0, 64)                                                        \
    X(IOTLB,   0x8, 64)                                                        \
    X(FRCD_LO, 0x0, 64)                                                        \
    X(FRCD_HI, 0x8, 64)

#define VTD_REG_ENUM(n, off, bits) VTD_REG_##n = (off),
#define VTD_RELATIVE_ENUM(n, off, bits) VTD_##n##_OFFSET = (off),
enum vtd_register { VTD_REGISTERS(VTD_REG_ENUM) };
enum vtd_relative_register { VTD_RELATIVE_REGISTERS(VTD_RELATIVE_ENUM) };

/* 11.4.1: version, low 32 bits */
#define VTD_VER(F, P)                                                          \
    F(P, max, 7, 4) /* major */                                                \
    F(P, min, 3, 0) /* minor */
UIM_LAYOUT(vtd_ver, VTD_VER);

/* 11.4.2: capabilities */
#define VTD_CAP(F, P)                                                          \
    F(P, esrtps,  63, 63) /* SRTP invalidates all DMA caches by itself */      \
    F(P, esirtps, 62, 62) /* SIRTP invalidates the interrupt entry cache */    \
    F(P, ecmds,   61, 61)                                                      \
    F(P, fs5lp,   60, 60)                                                      \
    F(P, pi,      59, 59)                                                      \
    F(P, fs1gp,   56, 56)                                                      \
    F(P, drd,     55, 55)                                                      \
    F(P, dwd,     54, 54)                                                      \
    F(P, mamv,    53, 48)                                                      \
    F(P, nfr,     47, 40) /* fault records - 1 */                              \
    F(P, psi,     39, 39)                                                      \
    F(P, sslps,   37, 34) /* bits VTD_SSLPS_BIT_* */                           \
    F(P, fro,     33, 24) /* in units of 16 bytes */                           \
    F(P, zlr,     22, 22)                                                      \
    F(P, mgaw,    21, 16) /* width - 1 */                                      \
    F(P, sagaw,   12, 8)  /* bits VTD_SAGAW_BIT_* */                           \
    F(P, cm,      7, 7)                                                        \
    F(P, phmr,    6, 6)                                                        \
    F(P, plmr,    5, 5)                                                        \
    F(P, rwbf,    4, 4)                                                        \
    F(P, afl,     3, 3)   /* until revision 4.0 */                             \
    F(P, nd,      2, 0)   /* 4 + 2 * nd domain-id bits; 7 is reserved */
UIM_LAYOUT(vtd_cap, VTD_CAP);

/* 11.4.3: extended capabilities */
#define VTD_ECAP(F, P)                                                         \
    F(P, irreq,   62, 62) /* MSI with IR off is blocked */                     \
    F(P, eimer,   61, 61) /* x2APIC mode only */                               \
    F(P, rdts,    60, 60)                                                      \
    F(P, hpt1gps, 59, 59)                                                      \
    F(P, sms,     58, 58) /* stop marker */                                    \
    F(P, ssirws,  57, 57)                                                      \
    F(P, ptrs,    56, 56) /* PASID on translated requests */                   \
    F(P, hpts,    55, 55)                                                      \
    F(P, rprivs,  53, 53)                                                      \
    F(P, adms,    52, 52)                                                      \
    F(P, pms,     51, 51)                                                      \
    F(P, tdxcs,   50, 50)                                                      \
    F(P, rps,     49, 49)                                                      \
    F(P, smpwcs,  48, 48)                                                      \
    F(P, fsts,    47, 47)                                                      \
    F(P, ssts,    46, 46)                                                      \
    F(P, ssads,   45, 45)                                                      \
    F(P, vcs,     44, 44)                                                      \
    F(P, smts,    43, 43)                                                      \
    F(P, pds,     42, 42)                                                      \
    F(P, dit,     41, 41)                                                      \
    F(P, pasid,   40, 40)                                                      \
    F(P, pss,     39, 35) /* PASID width - 1 */                                \
    F(P, eafs,    34, 34)                                                      \
    F(P, nwfs,    33, 33)                                                      \
    F(P, srs,     31, 31)                                                      \
    F(P, ers,     30, 30) /* always 0 since revision 4.1 */                    \
    F(P, prs,     29, 29)                                                      \
    F(P, nest,    26, 26)                                                      \
    F(P, mts,     25, 25)                                                      \
    F(P, mhmv,    23, 20)                                                      \
    F(P, iro,     17, 8)  /* in units of 16 bytes */                           \
    F(P, sc,      7, 7)                                                        \
    F(P, pt,      6, 6)                                                        \
    F(P, eim,     4, 4)                                                        \
    F(P, ir,      3, 3)                                                        \
    F(P, dt,      2, 2)                                                        \
    F(P, qi,      1, 1)                                                        \
    F(P, c,       0, 0)
UIM_LAYOUT(vtd_ecap, VTD_ECAP);

/* 11.4.4: global command and status */
#define VTD_GCMD(F, P)                                                         \
    F(P, te,    31, 31)                                                        \
    F(P, srtp,  30, 30) /* one shot */                                         \
    F(P, sfl,   29, 29) /* one shot, until revision 4.0 */                     \
    F(P, eafl,  28, 28) /* until revision 4.0 */                               \
    F(P, wbf,   27, 27) /* one shot */                                         \
    F(P, qie,   26, 26)                                                        \
    F(P, ire,   25, 25)                                                        \
    F(P, sirtp, 24, 24) /* one shot */                                         \
    F(P, cfi,   23, 23)
UIM_LAYOUT(vtd_gcmd, VTD_GCMD);

#define VTD_GSTS(F, P)                                                         \
    F(P, tes,   31, 31)                                                        \
    F(P, rtps,  30, 30)                                                        \
    F(P, fls,   29, 29) /* until revision 4.0 */                               \
    F(P, afls,  28, 28) /* until revision 4.0 */                               \
    F(P, wbfs,  27, 27)                                                        \
    F(P, qies,  26, 26)                                                        \
    F(P, ires,  25, 25)                                                        \
    F(P, irtps, 24, 24)                                                        \
    F(P, cfis,  23, 23)
UIM_LAYOUT(vtd_gsts, VTD_GSTS);

/* 11.4.4: what of GSTS may be written back to GCMD: not the one-shot bits. */
#define VTD_GSTS_KEEP UINT32_C(0x96ffffff)

/* 11.4.5: root table address */
#define VTD_RTADDR(F, P)                                                       \
    F(P, rta,    63, 12)                                                       \
    F(P, ttm,    11, 10) /* VTD_TTM_* */                                       \
    F(P, ssirwe, 7, 7)
UIM_LAYOUT(vtd_rtaddr, VTD_RTADDR);

#define VTD_TTMS(X, P)                                                         \
    X(P, LEGACY,   0)                                                          \
    X(P, SCALABLE, 1)                                                          \
    X(P, RESERVED, 2) /* once the "extended" mode */                           \
    X(P, ABORT,    3)
UIM_CODES(vtd_ttm, VTD_TTM, VTD_TTMS);

/* 11.4.6: register-based invalidation: TTM legacy, major version below 6. */
#define VTD_CCMD(F, P)                                                         \
    F(P, icc,  63, 63)                                                         \
    F(P, cirg, 62, 61) /* VTD_CIRG_* */                                        \
    F(P, caig, 60, 59) /* what was done; 0 is an error */                      \
    F(P, fm,   33, 32) /* VTD_FM_* */                                          \
    F(P, sid,  31, 16)                                                         \
    F(P, did,  15, 0)
UIM_LAYOUT(vtd_ccmd, VTD_CCMD);

#define VTD_IVA(F, P)                                                          \
    F(P, addr, 63, 12)                                                         \
    F(P, ih,   6, 6)                                                           \
    F(P, am,   5, 0)
UIM_LAYOUT(vtd_iva, VTD_IVA);

#define VTD_IOTLB(F, P)                                                        \
    F(P, ivt,  63, 63)                                                         \
    F(P, iirg, 61, 60) /* VTD_IIRG_* */                                        \
    F(P, iaig, 58, 57) /* what was done; 0 is an error */                      \
    F(P, dr,   49, 49)                                                         \
    F(P, dw,   48, 48)                                                         \
    F(P, did,  47, 32)
UIM_LAYOUT(vtd_iotlb, VTD_IOTLB);

#define VTD_CIRGS(X, P)                                                        \
    X(P, GLOBAL, 1)                                                            \
    X(P, DOMAIN, 2)                                                            \
    X(P, DEVICE, 3)
UIM_CODES(vtd_cirg, VTD_CIRG, VTD_CIRGS);

#define VTD_IIRGS(X, P)                                                        \
    X(P, GLOBAL, 1)                                                            \
    X(P, DOMAIN, 2)                                                            \
    X(P, PAGE,   3)
UIM_CODES(vtd_iirg, VTD_IIRG, VTD_IIRGS);

/* 11.4.7: fault status and events */
#define VTD_FSTS(F, P)                                                         \
    F(P, fri, 15, 8)                                                           \
    F(P, ite, 6, 6)                                                            \
    F(P, ice, 5, 5)                                                            \
    F(P, iqe, 4, 4)                                                            \
    F(P, apf, 3, 3) /* until revision 4.0 */                                   \
    F(P, afo, 2, 2) /* until revision 4.0 */                                   \
    F(P, ppf, 1, 1)                                                            \
    F(P, pfo, 0, 0)
UIM_LAYOUT(vtd_fsts, VTD_FSTS);

/* The registers of the three events (fault, invalidation, page request) are
   alike. */
#define VTD_FECTL(F, P)                                                        \
    F(P, im, 31, 31)                                                           \
    F(P, ip, 30, 30)
#define VTD_FEDATA(F, P) F(P, imd, 15, 0)
#define VTD_FEADDR(F, P) F(P, ma, 31, 2)
#define VTD_FEUADDR(F, P) F(P, mua, 31, 0)
#define VTD_IECTL VTD_FECTL
#define VTD_IEDATA VTD_FEDATA
#define VTD_IEADDR VTD_FEADDR
#define VTD_IEUADDR VTD_FEUADDR
#define VTD_PECTL VTD_FECTL
#define VTD_PEDATA VTD_FEDATA
#define VTD_PEADDR VTD_FEADDR
#define VTD_PEUADDR VTD_FEUADDR
UIM_LAYOUT(vtd_fectl, VTD_FECTL);
UIM_LAYOUT(vtd_fedata, VTD_FEDATA);
UIM_LAYOUT(vtd_feaddr, VTD_FEADDR);
UIM_LAYOUT(vtd_feuaddr, VTD_FEUADDR);
UIM_LAYOUT(vtd_iectl, VTD_IECTL);
UIM_LAYOUT(vtd_iedata, VTD_IEDATA);
UIM_LAYOUT(vtd_ieaddr, VTD_IEADDR);
UIM_LAYOUT(vtd_ieuaddr, VTD_IEUADDR);
UIM_LAYOUT(vtd_pectl, VTD_PECTL);
UIM_LAYOUT(vtd_pedata, VTD_PEDATA);
UIM_LAYOUT(vtd_peaddr, VTD_PEADDR);
UIM_LAYOUT(vtd_peuaddr, VTD_PEUADDR);

/* 11.4.8: protected memory regions. The alignment is found by writing all ones:
   low bits that stay 0 are decoded as 0 in a base and as 1 in a limit. */
#define VTD_PMEN(F, P)                                                         \
    F(P, epm, 31, 31)                                                          \
    F(P, prs, 0, 0)
#define VTD_PLMBASE(F, P) F(P, plmb, 31, 0)
#define VTD_PLMLIMIT(F, P) F(P, plml, 31, 0)
#define VTD_PHMBASE(F, P) F(P, phmb, 63, 0)
#define VTD_PHMLIMIT(F, P) F(P, phml, 63, 0)
UIM_LAYOUT(vtd_pmen, VTD_PMEN);
UIM_LAYOUT(vtd_plmbase, VTD_PLMBASE);
UIM_LAYOUT(vtd_plmlimit, VTD_PLMLIMIT);
UIM_LAYOUT(vtd_phmbase, VTD_PHMBASE);
UIM_LAYOUT(vtd_phmlimit, VTD_PHMLIMIT);

/* 11.4.9: invalidation queue. Head and tail count units of 16 bytes; with DW=1
   bit 0 of them is 0. */
#define VTD_IQH(F, P) F(P, qh, 18, 4)
#define VTD_IQT(F, P) F(P, qt, 18, 4)
#define VTD_IQA(F, P)                                                          \
    F(P, iqa, 63, 12)                                                          \
    F(P, dw,  11, 11) /* 1: 256-bit descriptors */                             \
    F(P, qs,  2, 0)   /* 2^qs pages of 4 KiB */
#define VTD_ICS(F, P) F(P, iwc, 0, 0)
#define VTD_IQERCD(F, P)                                                       \
    F(P, icesid, 63, 48)                                                       \
    F(P, itesid, 47, 32)                                                       \
    F(P, iqei,   3, 0) /* VTD_IQEI_* */
UIM_LAYOUT(vtd_iqh, VTD_IQH);
UIM_LAYOUT(vtd_iqt, VTD_IQT);
UIM_LAYOUT(vtd_iqa, VTD_IQA);
UIM_LAYOUT(vtd_ics, VTD_ICS);
UIM_LAYOUT(vtd_iqercd, VTD_IQERCD);

#define VTD_IQEIS(X, P)                                                        \
    X(P, NONE,                     0)                                          \
    X(P, INVALID_TAIL,             1)                                          \
    X(P, FETCH_ERROR,              2)                                          \
    X(P, INVALID_TYPE,             3)                                          \
    X(P, RESERVED_FIELD,           4)                                          \
    X(P, INVALID_DESCRIPTOR_WIDTH, 5)                                          \
    X(P, TAIL_MISALIGNED,          6)                                          \
    X(P, INVALID_TTM,              7)
UIM_CODES(vtd_iqei, VTD_IQEI, VTD_IQEIS);

/* 11.4.10: interrupt remapping table address */
#define VTD_IRTA(F, P)                                                         \
    F(P, irta, 63, 12)                                                         \
    F(P, eime, 11, 11)                                                         \
    F(P, s,    3, 0) /* 2^(s+1) entries */
UIM_LAYOUT(vtd_irta, VTD_IRTA);

/* 11.4.11: page request queue. Head and tail count descriptors of 32 bytes. */
#define VTD_PQH(F, P) F(P, pqh, 18, 5)
#define VTD_PQT(F, P) F(P, pqt, 18, 5)
#define VTD_PQA(F, P)                                                          \
    F(P, pqa, 63, 12)                                                          \
    F(P, pqs, 2, 0) /* 2^pqs pages of 4 KiB */
#define VTD_PRS(F, P)                                                          \
    F(P, pro, 1, 1)                                                            \
    F(P, ppr, 0, 0)
UIM_LAYOUT(vtd_pqh, VTD_PQH);
UIM_LAYOUT(vtd_pqt, VTD_PQT);
UIM_LAYOUT(vtd_pqa, VTD_PQA);
UIM_LAYOUT(vtd_prs, VTD_PRS);

/* 11.4.12: MTRRs, if ECAP.MTS */
#define VTD_MTRRCAP(F, P)                                                      \
    F(P, wc,   10, 10)                                                         \
    F(P, fix,  8, 8)                                                           \
    F(P, vcnt, 7, 0)
#define VTD_MTRRDEF(F, P)                                                      \
    F(P, e,    11, 11)                                                         \
    F(P, fe,   10, 10)                                                         \
    F(P, type, 7, 0)
UIM_LAYOUT(vtd_mtrrcap, VTD_MTRRCAP);
UIM_LAYOUT(vtd_mtrrdef, VTD_MTRRDEF);

/* 11.4.13, 11.4.14: performance monitoring and enhanced commands */
#define VTD_PERFCAP(F, P)                                                      \
    F(P, cntr_stride,     54, 52) /* 2^(x+10) bytes */                         \
    F(P, interrupt,       50, 50)                                              \
    F(P, filters,         36, 32)                                              \
    F(P, num_event_group, 28, 24)                                              \
    F(P, cntr_width,      22, 16)                                              \
    F(P, num_cntr,        15, 0)
#define VTD_ECRSP(F, P)                                                        \
    F(P, rslt, 63, 16)                                                         \
    F(P, sc,   7, 1)                                                           \
    F(P, ip,   0, 0)
UIM_LAYOUT(vtd_perfcap, VTD_PERFCAP);
UIM_LAYOUT(vtd_ecrsp, VTD_ECRSP);

/* Bit numbers in CAP.SAGAW and CAP.SSLPS */
#define VTD_SAGAWS(X, P)                                                       \
    X(P, BIT_39, 1)                                                            \
    X(P, BIT_48, 2)                                                            \
    X(P, BIT_57, 3)
#define VTD_SSLPSS(X, P)                                                       \
    X(P, BIT_2M, 0)                                                            \
    X(P, BIT_1G, 1)
/* CAP.ND: bits of a domain id; 7 is reserved */
#define VTD_NDS(X, P)                                                          \
    X(P, BITS_4,  0)                                                           \
    X(P, BITS_6,  1)                                                           \
    X(P, BITS_8,  2)                                                           \
    X(P, BITS_10, 3)                                                           \
    X(P, BITS_12, 4)                                                           \
    X(P, BITS_14, 5)                                                           \
    X(P, BITS_16, 6)
UIM_CODES(vtd_sagaw, VTD_SAGAW, VTD_SAGAWS);
UIM_CODES(vtd_sslps, VTD_SSLPS, VTD_SSLPSS);
UIM_CODES(vtd_nd, VTD_ND, VTD_NDS);

/* Every layout of the VT-d headers: X(C prefix, list, structure, word). */
#define VTD_LAYOUTS(X)                                                         \
    X(vtd_ver,      VTD_VER,      "vtd_ver",      0)                           \
    X(vtd_cap,      VTD_CAP,      "vtd_cap",      0)                           \
    X(vtd_ecap,     VTD_ECAP,     "vtd_ecap",     0)                           \
    X(vtd_gcmd,     VTD_GCMD,     "vtd_gcmd",     0)                           \
    X(vtd_gsts,     VTD_GSTS,     "vtd_gsts",     0)                           \
    X(vtd_rtaddr,   VTD_RTADDR,   "vtd_rtaddr",   0)                           \
    X(vtd_ccmd,     VTD_CCMD,     "vtd_ccmd",     0)                           \
    X(vtd_iva,      VTD_IVA,      "vtd_iva",      0)                           \
    X(vtd_iotlb,    VTD_IOTLB,    "vtd_iotlb",    0)                           \
    X(vtd_fsts,     VTD_FSTS,     "vtd_fsts",     0)                           \
    X(vtd_fectl,    VTD_FECTL,    "vtd_fectl",    0)                           \
    X(vtd_fedata,   VTD_FEDATA,   "vtd_fedata",   0)                           \
    X(vtd_feaddr,   VTD_FEADDR,   "vtd_feaddr",   0)                           \
    X(vtd_feuaddr,  VTD_FEUADDR,  "vtd_feuaddr",  0)                           \
    X(vtd_pmen,     VTD_PMEN,     "vtd_pmen",     0)                           \
    X(vtd_plmbase,  VTD_PLMBASE,  "vtd_plmbase",  0)                           \
    X(vtd_plmlimit, VTD_PLMLIMIT, "vtd_plmlimit", 0)                           \
    X(vtd_phmbase,  VTD_PHMBASE,  "vtd_phmbase",  0)                           \
    X(vtd_phmlimit, VTD_PHMLIMIT, "vtd_phmlimit", 0)                           \
    X(vtd_iqh,      VTD_IQH,      "vtd_iqh",      0)                           \
    X(vtd_iqt,      VTD_IQT,      "vtd_iqt",      0)                           \
    X(vtd_iqa,      VTD_IQA,      "vtd_iqa",      0)                           \
    X(vtd_ics,      VTD_ICS,      "vtd_ics",      0)                           \
    X(vtd_iectl,    VTD_IECTL,    "vtd_iectl",    0)                           \
    X(vtd_iedata,   VTD_IEDATA,   "vtd_iedata",   0)                           \
    X(vtd_ieaddr,   VTD_IEADDR,   "vtd_ieaddr",   0)                           \
    X(vtd_ieuaddr,  VTD_IEUADDR,  "vtd_ieuaddr",  0)                           \
    X(vtd_iqercd,   VTD_IQERCD,   "vtd_iqercd",   0)                           \
    X(vtd_irta,     VTD_IRTA,     "vtd_irta",     0)                           \
    X(vtd_pqh,      VTD_PQH,      "vtd_pqh",      0)                           \
    X(vtd_pqt,      VTD_PQT,      "vtd_pqt",      0)                           \
    X(vtd_pqa,      VTD_PQA,      "vtd_pqa",      0)                           \
    X(vtd_prs,      VTD_PRS,      "vtd_prs",      0)                           \
    X(vtd_pectl,    VTD_PECTL,    "vtd_pectl",    0)                           \
    X(vtd_pedata,   VTD_PEDATA,   "vtd_pedata",   0)                           \
    X(vtd_peaddr,   VTD_PEADDR,   "vtd_peaddr",   0)                           \
    X(vtd_peuaddr,  VTD_PEUADDR,  "vtd_peuaddr",  0)                           \
    X(vtd_mtrrcap,  VTD_MTRRCAP,  "vtd_mtrrcap",  0)                           \
    X(vtd_mtrrdef,  VTD_MTRRDEF,  "vtd_mtrrdef",  0)                           \
    X(vtd_perfcap,  VTD_PERFCAP,  "vtd_perfcap",  0)                           \
    X(vtd_ecrsp,    VTD_ECRSP,    "vtd_ecrsp",    0)                           \
    VTD_FAULT_LAYOUTS(X)                                                       \
    VTD_INTR_LAYOUTS(X)                                                        \
    VTD_QUEUE_LAYOUTS(X)                                                       \
    VTD_TABLE_LAYOUTS(X)

/* Every code set: X(set as in tests/spec, prefix of the members, list). */
#define VTD_CODE_SETS(X)                                                       \
    X("rtaddr_ttm",  VTD_TTM,   VTD_TTMS)                                      \
    X("ccmd_cirg",   VTD_CIRG,  VTD_CIRGS)                                     \
    X("iotlb_iirg",  VTD_IIRG,  VTD_IIRGS)                                     \
    X("iqercd_iqei", VTD_IQEI,  VTD_IQEIS)                                     \
    X("cap_sagaw",   VTD_SAGAW, VTD_SAGAWS)                                    \
    X("cap_sllps",   VTD_SSLPS, VTD_SSLPSS)                                    \
    X("cap_nd",      VTD_ND,    VTD_NDS)                                       \
    VTD_FAULT_CODE_SETS(X)                                                     \
    VTD_INTR_CODE_SETS(X)                                                      \
    VTD_QUEUE_CODE_SETS(X)                                                     \
    VTD_TABLE_CODE_SETS(X)

/* clang-format on */
#endif
