/* SPDX-License-Identifier: MIT */
/*
 * smmuv3.h - Arm SMMUv3: registers, and everything else by inclusion.
 *
 * IHI0070, revisions 3.0 to 3.4, Non-secure programming interface: chapter 6
 * (registers); the other files have stream table and context descriptors
 * (chapter 5), commands (4), events and page requests (7, 8). Descriptors of
 * translation tables are in vmsa.h. Names are the manual's in lower case.
 *
 * What a field needs to be there is for the driver and the model to know; here
 * is only where things are. Addresses have 56 bits since revision 3.4 and 52 or
 * 48 before; bits above IDR5.OAS are reserved.
 */
#ifndef UIM_SPEC_SMMUV3_H
#define UIM_SPEC_SMMUV3_H

#include "base/bits.h"
#include "spec/codes.h"
#include "spec/smmuv3_cmds.h"
#include "spec/smmuv3_events.h"
#include "spec/smmuv3_tables.h"

/* clang-format off */

/* Registers: X(name, offset, width). Page 1 starts at 64 KiB. */
#define SMMUV3_REGISTERS(X)                                                    \
    X(IDR0,            0x00000, 32)                                            \
    X(IDR1,            0x00004, 32)                                            \
    X(IDR2,            0x00008, 32)                                            \
    X(IDR3,            0x0000c, 32)                                            \
    X(IDR4,            0x00010, 32)                                            \
    X(IDR5,            0x00014, 32)                                            \
    X(IIDR,            0x00018, 32)                                            \
    X(AIDR,            0x0001c, 32)                                            \
    X(CR0,             0x00020, 32)                                            \
    X(CR0ACK,          0x00024, 32)                                            \
    X(CR1,             0x00028, 32)                                            \
    X(CR2,             0x0002c, 32)                                            \
    X(STATUSR,         0x00040, 32)                                            \
    X(GBPA,            0x00044, 32)                                            \
    X(AGBPA,           0x00048, 32)                                            \
    X(IRQ_CTRL,        0x00050, 32)                                            \
    X(IRQ_CTRLACK,     0x00054, 32)                                            \
    X(GERROR,          0x00060, 32)                                            \
    X(GERRORN,         0x00064, 32)                                            \
    X(GERROR_IRQ_CFG0, 0x00068, 64)                                            \
    X(GERROR_IRQ_CFG1, 0x00070, 32)                                            \
    X(GERROR_IRQ_CFG2, 0x00074, 32)                                            \
    X(STRTAB_BASE,     0x00080, 64)                                            \
    X(STRTAB_BASE_CFG, 0x00088, 32)                                            \
    X(CMDQ_BASE,       0x00090, 64)                                            \
    X(CMDQ_PROD,       0x00098, 32)                                            \
    X(CMDQ_CONS,       0x0009c, 32)                                            \
    X(EVENTQ_BASE,     0x000a0, 64)                                            \
    X(EVENTQ_IRQ_CFG0, 0x000b0, 64)                                            \
    X(EVENTQ_IRQ_CFG1, 0x000b8, 32)                                            \
    X(EVENTQ_IRQ_CFG2, 0x000bc, 32)                                            \
    X(PRIQ_BASE,       0x000c0, 64)                                            \
    X(PRIQ_IRQ_CFG0,   0x000d0, 64)                                            \
    X(PRIQ_IRQ_CFG1,   0x000d8, 32)                                            \
    X(PRIQ_IRQ_CFG2,   0x000dc, 32)                                            \
    X(GATOS_CTRL,      0x00100, 32)                                            \
    X(GATOS_SID,       0x00108, 64)                                            \
    X(GATOS_ADDR,      0x00110, 64)                                            \
    X(GATOS_PAR,       0x00118, 64)                                            \
    X(VATOS_SEL,       0x00180, 32)                                            \
    X(IDR6,            0x00190, 32)                                            \
    X(DPT_BASE,        0x00200, 64)                                            \
    X(DPT_BASE_CFG,    0x00208, 32)                                            \
    X(DPT_CFG_FAR,     0x00210, 64)                                            \
    X(EVENTQ_PROD,     0x100a8, 32)                                            \
    X(EVENTQ_CONS,     0x100ac, 32)                                            \
    X(PRIQ_PROD,       0x100c8, 32)                                            \
    X(PRIQ_CONS,       0x100cc, 32)

/* Where revisions before the two pages, and some later units, have them. */
#define SMMUV3_PAGE0_REGISTERS(X)                                              \
    X(EVENTQ_PROD, 0x000a8, 32)                                                \
    X(EVENTQ_CONS, 0x000ac, 32)                                                \
    X(PRIQ_PROD,   0x000c8, 32)                                                \
    X(PRIQ_CONS,   0x000cc, 32)

#define SMMUV3_REG_ENUM(n, off, bits) SMMUV3_REG_##n = (off),
#define SMMUV3_PAGE0_ENUM(n, off, bits) SMMUV3_PAGE0_REG_##n = (off),
enum smmuv3_register { SMMUV3_REGISTERS(SMMUV3_REG_ENUM) };
enum smmuv3_page0_register { SMMUV3_PAGE0_REGISTERS(SMMUV3_PAGE0_ENUM) };

/* 6.3.1: features */
#define SMMUV3_IDR0(F, P)                                                      \
    F(P, rme_impl,    30, 30)                                                  \
    F(P, st_level,    28, 27) /* SMMUV3_ST_LEVEL_* */                          \
    F(P, term_model,  26, 26) /* terminated always means aborted */            \
    F(P, stall_model, 25, 24) /* SMMUV3_STALL_MODEL_* */                       \
    F(P, atsrecerr,   23, 23)                                                  \
    F(P, ttendian,    22, 21) /* SMMUV3_TTENDIAN_* */                          \
    F(P, vatos,       20, 20)                                                  \
    F(P, cd2l,        19, 19)                                                  \
    F(P, vmid16,      18, 18)                                                  \
    F(P, vmw,         17, 17)                                                  \
    F(P, pri,         16, 16)                                                  \
    F(P, atos,        15, 15)                                                  \
    F(P, sev,         14, 14)                                                  \
    F(P, msi,         13, 13)                                                  \
    F(P, asid16,      12, 12)                                                  \
    F(P, ns1ats,      11, 11) /* no split-stage ATS */                         \
    F(P, ats,         10, 10)                                                  \
    F(P, hyp,         9, 9)                                                    \
    F(P, dormhint,    8, 8)                                                    \
    F(P, httu,        7, 6)   /* SMMUV3_HTTU_* */                              \
    F(P, btm,         5, 5)                                                    \
    F(P, cohacc,      4, 4)                                                    \
    F(P, ttf,         3, 2)   /* SMMUV3_TTF_* */                               \
    F(P, s1p,         1, 1)                                                    \
    F(P, s2p,         0, 0)
UIM_LAYOUT(smmuv3_idr0, SMMUV3_IDR0);

#define SMMUV3_IDR1(F, P)                                                      \
    F(P, ecmdq,          31, 31)                                               \
    F(P, tables_preset,  30, 30)                                               \
    F(P, queues_preset,  29, 29)                                               \
    F(P, rel,            28, 28) /* preset addresses are relative */           \
    F(P, attr_types_ovr, 27, 27)                                               \
    F(P, attr_perms_ovr, 26, 26)                                               \
    F(P, cmdqs,          25, 21) /* sizes of queues: log2, at most 19 */       \
    F(P, eventqs,        20, 16)                                               \
    F(P, priqs,          15, 11)                                               \
    F(P, ssidsize,       10, 6)                                                \
    F(P, sidsize,        5, 0)
UIM_LAYOUT(smmuv3_idr1, SMMUV3_IDR1);

#define SMMUV3_IDR2(F, P)                                                      \
    F(P, ba_vatos, 9, 0) /* page of VATOS, in 64 KiB behind 0x20000 */
UIM_LAYOUT(smmuv3_idr2, SMMUV3_IDR2);

#define SMMUV3_IDR3(F, P)                                                      \
    F(P, aie,     23, 23)                                                      \
    F(P, mteperm, 22, 22)                                                      \
    F(P, the,     21, 21)                                                      \
    F(P, s2po,    20, 20)                                                      \
    F(P, s2pi,    19, 19)                                                      \
    F(P, s1pi,    18, 18)                                                      \
    F(P, epan,    17, 17)                                                      \
    F(P, pasidtt, 16, 16)                                                      \
    F(P, dpt,     15, 15)                                                      \
    F(P, ptwnnc,  14, 14)                                                      \
    F(P, e0pd,    13, 13)                                                      \
    F(P, bbml,    12, 11) /* SMMUV3_BBML_* */                                  \
    F(P, ril,     10, 10)                                                      \
    F(P, stt,     9, 9)                                                        \
    F(P, fwb,     8, 8)                                                        \
    F(P, mpam,    7, 7)                                                        \
    F(P, pps,     5, 5)                                                        \
    F(P, xnx,     4, 4)                                                        \
    F(P, pbha,    3, 3)                                                        \
    F(P, had,     2, 2)
UIM_LAYOUT(smmuv3_idr3, SMMUV3_IDR3);

#define SMMUV3_IDR4(F, P)                                                      \
    F(P, implementation_defined, 31, 0)
UIM_LAYOUT(smmuv3_idr4, SMMUV3_IDR4);

#define SMMUV3_IDR5(F, P)                                                      \
    F(P, stall_max, 31, 16)                                                    \
    F(P, vax,       11, 10) /* SMMUV3_VAX_* */                                 \
    F(P, d128,      8, 8)                                                      \
    F(P, ds,        7, 7)   /* 52 bits with 4 KiB and 16 KiB granules */       \
    F(P, gran64k,   6, 6)                                                      \
    F(P, gran16k,   5, 5)                                                      \
    F(P, gran4k,    4, 4)                                                      \
    F(P, oas,       2, 0)   /* SMMUV3_OAS_* */
UIM_LAYOUT(smmuv3_idr5, SMMUV3_IDR5);

/* Enhanced command queues */
#define SMMUV3_IDR6(F, P)                                                      \
    F(P, cmdq_control_page_log2nump, 27, 24)                                   \
    F(P, cmdq_control_page_log2numq, 19, 16)
UIM_LAYOUT(smmuv3_idr6, SMMUV3_IDR6);

#define SMMUV3_IIDR(F, P)                                                      \
    F(P, productid,   31, 20)                                                  \
    F(P, variant,     19, 16)                                                  \
    F(P, revision,    15, 12)                                                  \
    F(P, implementer, 11, 0)
UIM_LAYOUT(smmuv3_iidr, SMMUV3_IIDR);

#define SMMUV3_AIDR(F, P)                                                      \
    F(P, archmajorrev, 7, 4) /* 0 is SMMUv3 */                                 \
    F(P, archminorrev, 3, 0)
UIM_LAYOUT(smmuv3_aidr, SMMUV3_AIDR);

#define SMMUV3_ST_LEVELS(X, P)                                                 \
    X(P, LINEAR,    0)                                                         \
    X(P, TWO_LEVEL, 1)
UIM_CODES(smmuv3_idr0_st_level, SMMUV3_ST_LEVEL, SMMUV3_ST_LEVELS);
#define SMMUV3_STALL_MODELS(X, P)                                              \
    X(P, STALL_AND_TERMINATE, 0)                                               \
    X(P, TERMINATE_ONLY,      1)                                               \
    X(P, STALL_ONLY,          2)
UIM_CODES(smmuv3_idr0_stall_model, SMMUV3_STALL_MODEL, SMMUV3_STALL_MODELS);
#define SMMUV3_TTENDIANS(X, P)                                                 \
    X(P, MIXED,  0)                                                            \
    X(P, LITTLE, 2)                                                            \
    X(P, BIG,    3)
UIM_CODES(smmuv3_idr0_ttendian, SMMUV3_TTENDIAN, SMMUV3_TTENDIANS);
#define SMMUV3_HTTUS(X, P)                                                     \
    X(P, NONE,               0)                                                \
    X(P, ACCESS,             1)                                                \
    X(P, ACCESS_DIRTY,       2)                                                \
    X(P, ACCESS_DIRTY_TABLE, 3) /* access also in tables */
UIM_CODES(smmuv3_idr0_httu, SMMUV3_HTTU, SMMUV3_HTTUS);
#define SMMUV3_TTFS(X, P)                                                      \
    X(P, AARCH32, 1)                                                           \
    X(P, AARCH64, 2)                                                           \
    X(P, BOTH,    3)
UIM_CODES(smmuv3_idr0_ttf, SMMUV3_TTF, SMMUV3_TTFS);
#define SMMUV3_BBMLS(X, P)                                                     \
    X(P, LEVEL_0, 0) /* break before make */                                   \
    X(P, LEVEL_1, 1) /* nT meanwhile */                                        \
    X(P, LEVEL_2, 2)
UIM_CODES(smmuv3_idr3_bbml, SMMUV3_BBML, SMMUV3_BBMLS);
#define SMMUV3_VAXS(X, P)                                                      \
    X(P, BITS_48, 0)                                                           \
    X(P, BITS_52, 1)                                                           \
    X(P, BITS_56, 2)
UIM_CODES(smmuv3_idr5_vax, SMMUV3_VAX, SMMUV3_VAXS);

/* 6.3.9: CR0ACK has the same bits. */
#define SMMUV3_CR0(F, P)                                                       \
    F(P, dpt_walk_en, 10, 10)                                                  \
    F(P, vmw,         8, 6)                                                    \
    F(P, atschk,      4, 4)                                                    \
    F(P, cmdqen,      3, 3)                                                    \
    F(P, eventqen,    2, 2)                                                    \
    F(P, priqen,      1, 1)                                                    \
    F(P, smmuen,      0, 0)
UIM_LAYOUT(smmuv3_cr0, SMMUV3_CR0);

#define SMMUV3_CR1(F, P)                                                       \
    F(P, table_sh, 11, 10) /* VMSA_SH_* */                                     \
    F(P, table_oc, 9, 8)   /* SMMUV3_CACHE_* */                                \
    F(P, table_ic, 7, 6)   /* SMMUV3_CACHE_* */                                \
    F(P, queue_sh, 5, 4)   /* VMSA_SH_* */                                     \
    F(P, queue_oc, 3, 2)   /* SMMUV3_CACHE_* */                                \
    F(P, queue_ic, 1, 0)   /* SMMUV3_CACHE_* */
UIM_LAYOUT(smmuv3_cr1, SMMUV3_CR1);

#define SMMUV3_CACHES(X, P)                                                    \
    X(P, NC, 0)                                                                \
    X(P, WB, 1)                                                                \
    X(P, WT, 2)
UIM_CODES(smmuv3_cacheability, SMMUV3_CACHE, SMMUV3_CACHES);

#define SMMUV3_CR2(F, P)                                                       \
    F(P, rec_cfg_ats, 3, 3)                                                    \
    F(P, ptm,         2, 2) /* broadcast TLBI does not reach the unit */       \
    F(P, recinvsid,   1, 1)                                                    \
    F(P, e2h,         0, 0)
UIM_LAYOUT(smmuv3_cr2, SMMUV3_CR2);

#define SMMUV3_STATUSR(F, P)                                                   \
    F(P, dormant, 0, 0)
UIM_LAYOUT(smmuv3_statusr, SMMUV3_STATUSR);

/* 6.3.14: what becomes of traffic while SMMUEN is 0 */
#define SMMUV3_GBPA(F, P)                                                      \
    F(P, update,   31, 31)                                                     \
    F(P, abort,    20, 20)                                                     \
    F(P, instcfg,  19, 18) /* SMMUV3_INSTCFG_* */                              \
    F(P, privcfg,  17, 16) /* SMMUV3_PRIVCFG_* */                              \
    F(P, shcfg,    13, 12) /* SMMUV3_SHCFG_* */                                \
    F(P, alloccfg, 11, 8)                                                      \
    F(P, mtcfg,    4, 4)                                                       \
    F(P, memattr,  3, 0)
UIM_LAYOUT(smmuv3_gbpa, SMMUV3_GBPA);

#define SMMUV3_AGBPA(F, P)                                                     \
    F(P, implementation_defined, 31, 0)
UIM_LAYOUT(smmuv3_agbpa, SMMUV3_AGBPA);

/* IRQ_CTRLACK has the same bits. */
#define SMMUV3_IRQ_CTRL(F, P)                                                  \
    F(P, eventq_irqen, 2, 2)                                                   \
    F(P, priq_irqen,   1, 1)                                                   \
    F(P, gerror_irqen, 0, 0)
UIM_LAYOUT(smmuv3_irq_ctrl, SMMUV3_IRQ_CTRL);

/* 6.3.19: an error is active while its bits in GERROR and GERRORN differ. */
#define SMMUV3_GERROR(F, P)                                                    \
    F(P, dpt_err,            10, 10)                                           \
    F(P, cmdqp_err,          9, 9)                                             \
    F(P, sfm_err,            8, 8)                                             \
    F(P, msi_gerror_abt_err, 7, 7)                                             \
    F(P, msi_priq_abt_err,   6, 6)                                             \
    F(P, msi_eventq_abt_err, 5, 5)                                             \
    F(P, msi_cmdq_abt_err,   4, 4)                                             \
    F(P, priq_abt_err,       3, 3)                                             \
    F(P, eventq_abt_err,     2, 2)                                             \
    F(P, cmdq_err,           0, 0)
UIM_LAYOUT(smmuv3_gerror, SMMUV3_GERROR);

/* Messages of GERROR, EVENTQ and PRIQ; lo is of PRIQ only. */
#define SMMUV3_IRQ_CFG0(F, P)                                                  \
    F(P, addr, 55, 2) /* 0: no message */
UIM_LAYOUT(smmuv3_irq_cfg0, SMMUV3_IRQ_CFG0);
#define SMMUV3_IRQ_CFG1(F, P)                                                  \
    F(P, data, 31, 0)
UIM_LAYOUT(smmuv3_irq_cfg1, SMMUV3_IRQ_CFG1);
#define SMMUV3_IRQ_CFG2(F, P)                                                  \
    F(P, sh,      5, 4) /* VMSA_SH_* */                                        \
    F(P, memattr, 3, 0)
UIM_LAYOUT(smmuv3_irq_cfg2, SMMUV3_IRQ_CFG2);
#define SMMUV3_PRIQ_IRQ_CFG2(F, P)                                             \
    F(P, lo,      31, 31) /* only at the last of a group */                    \
    F(P, sh,      5, 4)                                                        \
    F(P, memattr, 3, 0)
UIM_LAYOUT(smmuv3_priq_irq_cfg2, SMMUV3_PRIQ_IRQ_CFG2);

/* 6.3.24: addr is aligned to the table, that of level 1 where there are two. */
#define SMMUV3_STRTAB_BASE(F, P)                                               \
    F(P, ra,   62, 62)                                                         \
    F(P, addr, 55, 6)
UIM_LAYOUT(smmuv3_strtab_base, SMMUV3_STRTAB_BASE);
#define SMMUV3_STRTAB_BASE_CFG(F, P)                                           \
    F(P, fmt,      17, 16) /* SMMUV3_STRTAB_* */                               \
    F(P, split,    10, 6)  /* SMMUV3_SPLIT_*; others behave as 6 */            \
    F(P, log2size, 5, 0)
UIM_LAYOUT(smmuv3_strtab_base_cfg, SMMUV3_STRTAB_BASE_CFG);

#define SMMUV3_STRTABS(X, P)                                                   \
    X(P, LINEAR,    0)                                                         \
    X(P, TWO_LEVEL, 1)
UIM_CODES(smmuv3_strtab_fmt, SMMUV3_STRTAB, SMMUV3_STRTABS);
#define SMMUV3_SPLITS(X, P)                                                    \
    X(P, SPLIT_4K,  6)                                                         \
    X(P, SPLIT_16K, 8)                                                         \
    X(P, SPLIT_64K, 10)
UIM_CODES(smmuv3_strtab_split, SMMUV3_SPLIT, SMMUV3_SPLITS);

/* 6.3.26: queues. addr is aligned to the queue and to 32 bytes. An index wraps
   into the bit above those of log2size. */
#define SMMUV3_CMDQ_BASE(F, P)                                                 \
    F(P, ra,       62, 62)                                                     \
    F(P, addr,     55, 5)                                                      \
    F(P, log2size, 4, 0)
UIM_LAYOUT(smmuv3_cmdq_base, SMMUV3_CMDQ_BASE);
#define SMMUV3_CMDQ_PROD(F, P)                                                 \
    F(P, wr, 19, 0)
UIM_LAYOUT(smmuv3_cmdq_prod, SMMUV3_CMDQ_PROD);
#define SMMUV3_CMDQ_CONS(F, P)                                                 \
    F(P, err, 30, 24) /* SMMUV3_CERROR_* */                                    \
    F(P, rd,  19, 0)
UIM_LAYOUT(smmuv3_cmdq_cons, SMMUV3_CMDQ_CONS);
/* PRIQ has the same. */
#define SMMUV3_EVENTQ_BASE(F, P)                                               \
    F(P, wa,       62, 62)                                                     \
    F(P, addr,     55, 5)                                                      \
    F(P, log2size, 4, 0)
UIM_LAYOUT(smmuv3_eventq_base, SMMUV3_EVENTQ_BASE);
#define SMMUV3_EVENTQ_PROD(F, P)                                               \
    F(P, ovflg, 31, 31) /* overflow, while ovackflg differs */                 \
    F(P, wr,    19, 0)
UIM_LAYOUT(smmuv3_eventq_prod, SMMUV3_EVENTQ_PROD);
#define SMMUV3_EVENTQ_CONS(F, P)                                               \
    F(P, ovackflg, 31, 31)                                                     \
    F(P, rd,       19, 0)
UIM_LAYOUT(smmuv3_eventq_cons, SMMUV3_EVENTQ_CONS);

/* 6.3.37 to 6.3.40, chapter 9: translation on request of software */
#define SMMUV3_GATOS_CTRL(F, P)                                                \
    F(P, run, 0, 0)
UIM_LAYOUT(smmuv3_gatos_ctrl, SMMUV3_GATOS_CTRL);
#define SMMUV3_GATOS_SID(F, P)                                                 \
    F(P, ssid_valid,  52, 52)                                                  \
    F(P, substreamid, 51, 32)                                                  \
    F(P, streamid,    31, 0)
UIM_LAYOUT(smmuv3_gatos_sid, SMMUV3_GATOS_SID);
#define SMMUV3_GATOS_ADDR(F, P)                                                \
    F(P, addr,  63, 12)                                                        \
    F(P, type,  11, 10) /* SMMUV3_ATOS_* */                                    \
    F(P, pnu,   9, 9)                                                          \
    F(P, rnw,   8, 8)                                                          \
    F(P, ind,   7, 7)   /* ignored for writes */                               \
    F(P, httui, 6, 6)   /* leaves flags of descriptors alone */
UIM_LAYOUT(smmuv3_gatos_addr, SMMUV3_GATOS_ADDR);
/* The lowest bit set in addr tells the size, if size is 1. */
#define SMMUV3_GATOS_PAR(F, P)                                                 \
    F(P, attr,  63, 56) /* VMSA_MAIR_* */                                      \
    F(P, addr,  55, 12)                                                        \
    F(P, size,  11, 11)                                                        \
    F(P, sh,    9, 8)   /* VMSA_SH_* */                                        \
    F(P, fault, 0, 0)
UIM_LAYOUT(smmuv3_gatos_par, SMMUV3_GATOS_PAR);
#define SMMUV3_GATOS_PAR_FAULT(F, P)                                           \
    F(P, implementation_defined, 63, 60)                                       \
    F(P, faddr,                  55, 12)                                       \
    F(P, faultcode,              11, 4) /* an event, or ATOS_FAULT */          \
    F(P, reason,                 2, 1)  /* SMMUV3_ATOS_REASON_* */             \
    F(P, fault,                  0, 0)
UIM_LAYOUT(smmuv3_gatos_par_fault, SMMUV3_GATOS_PAR_FAULT);
#define SMMUV3_VATOS_SEL(F, P)                                                 \
    F(P, vmid, 15, 0)
UIM_LAYOUT(smmuv3_vatos_sel, SMMUV3_VATOS_SEL);

#define SMMUV3_ATOS_TYPES(X, P)                                                \
    X(P, STAGE_1, 1)                                                           \
    X(P, STAGE_2, 2)                                                           \
    X(P, BOTH,    3)
UIM_CODES(smmuv3_atos_type, SMMUV3_ATOS, SMMUV3_ATOS_TYPES);
#define SMMUV3_ATOS_FAULTS(X, P)                                               \
    X(P, INTERNAL_ERR, 0xfd)                                                   \
    X(P, INV_STAGE,    0xfe)                                                   \
    X(P, INV_REQ,      0xff)
UIM_CODES(smmuv3_atos_fault, SMMUV3_ATOS_FAULT, SMMUV3_ATOS_FAULTS);
/* Which translation failed; the last three are of stage 2. */
#define SMMUV3_ATOS_REASONS(X, P)                                              \
    X(P, STAGE_1, 0)                                                           \
    X(P, CD,      1)                                                           \
    X(P, TT,      2)                                                           \
    X(P, IN,      3)
UIM_CODES(smmuv3_atos_reason, SMMUV3_ATOS_REASON, SMMUV3_ATOS_REASONS);

/* Device permission table */
#define SMMUV3_DPT_BASE(F, P)                                                  \
    F(P, ra,    62, 62)                                                        \
    F(P, baddr, 55, 12)
UIM_LAYOUT(smmuv3_dpt_base, SMMUV3_DPT_BASE);
#define SMMUV3_DPT_BASE_CFG(F, P)                                              \
    F(P, l0dptsz, 23, 20)                                                      \
    F(P, dptgs,   15, 14)                                                      \
    F(P, dptps,   2, 0)
UIM_LAYOUT(smmuv3_dpt_base_cfg, SMMUV3_DPT_BASE_CFG);
#define SMMUV3_DPT_CFG_FAR(F, P)                                               \
    F(P, faddr,         55, 12)                                                \
    F(P, dpt_faultcode, 7, 4)                                                  \
    F(P, level,         1, 1)                                                  \
    F(P, fault,         0, 0)
UIM_LAYOUT(smmuv3_dpt_cfg_far, SMMUV3_DPT_CFG_FAR);

/* Every layout of the SMMUv3 headers: X(C prefix, list, structure, word). */
#define SMMUV3_LAYOUTS(X)                                                      \
    X(smmuv3_idr0, SMMUV3_IDR0, "smmuv3_idr0", 0)                              \
    X(smmuv3_idr1, SMMUV3_IDR1, "smmuv3_idr1", 0)                              \
    X(smmuv3_idr2, SMMUV3_IDR2, "smmuv3_idr2", 0)                              \
    X(smmuv3_idr3, SMMUV3_IDR3, "smmuv3_idr3", 0)                              \
    X(smmuv3_idr4, SMMUV3_IDR4, "smmuv3_idr4", 0)                              \
    X(smmuv3_idr5, SMMUV3_IDR5, "smmuv3_idr5", 0)                              \
    X(smmuv3_idr6, SMMUV3_IDR6, "smmuv3_idr6", 0)                              \
    X(smmuv3_iidr, SMMUV3_IIDR, "smmuv3_iidr", 0)                              \
    X(smmuv3_aidr, SMMUV3_AIDR, "smmuv3_aidr", 0)                              \
    X(smmuv3_cr0, SMMUV3_CR0, "smmuv3_cr0", 0)                                 \
    X(smmuv3_cr0, SMMUV3_CR0, "smmuv3_cr0ack", 0)                              \
    X(smmuv3_cr1, SMMUV3_CR1, "smmuv3_cr1", 0)                                 \
    X(smmuv3_cr2, SMMUV3_CR2, "smmuv3_cr2", 0)                                 \
    X(smmuv3_statusr, SMMUV3_STATUSR, "smmuv3_statusr", 0)                     \
    X(smmuv3_gbpa, SMMUV3_GBPA, "smmuv3_gbpa", 0)                              \
    X(smmuv3_agbpa, SMMUV3_AGBPA, "smmuv3_agbpa", 0)                           \
    X(smmuv3_irq_ctrl, SMMUV3_IRQ_CTRL, "smmuv3_irq_ctrl", 0)                  \
    X(smmuv3_irq_ctrl, SMMUV3_IRQ_CTRL, "smmuv3_irq_ctrlack", 0)               \
    X(smmuv3_gerror, SMMUV3_GERROR, "smmuv3_gerror", 0)                        \
    X(smmuv3_gerror, SMMUV3_GERROR, "smmuv3_gerrorn", 0)                       \
    X(smmuv3_irq_cfg0, SMMUV3_IRQ_CFG0, "smmuv3_gerror_irq_cfg0", 0)           \
    X(smmuv3_irq_cfg0, SMMUV3_IRQ_CFG0, "smmuv3_eventq_irq_cfg0", 0)           \
    X(smmuv3_irq_cfg0, SMMUV3_IRQ_CFG0, "smmuv3_priq_irq_cfg0", 0)             \
    X(smmuv3_irq_cfg1, SMMUV3_IRQ_CFG1, "smmuv3_gerror_irq_cfg1", 0)           \
    X(smmuv3_irq_cfg1, SMMUV3_IRQ_CFG1, "smmuv3_eventq_irq_cfg1", 0)           \
    X(smmuv3_irq_cfg1, SMMUV3_IRQ_CFG1, "smmuv3_priq_irq_cfg1", 0)             \
    X(smmuv3_irq_cfg2, SMMUV3_IRQ_CFG2, "smmuv3_gerror_irq_cfg2", 0)           \
    X(smmuv3_irq_cfg2, SMMUV3_IRQ_CFG2, "smmuv3_eventq_irq_cfg2", 0)           \
    X(smmuv3_priq_irq_cfg2, SMMUV3_PRIQ_IRQ_CFG2, "smmuv3_priq_irq_cfg2", 0)   \
    X(smmuv3_strtab_base, SMMUV3_STRTAB_BASE, "smmuv3_strtab_base", 0)         \
    X(smmuv3_strtab_base_cfg, SMMUV3_STRTAB_BASE_CFG,                          \
      "smmuv3_strtab_base_cfg", 0)                                             \
    X(smmuv3_cmdq_base, SMMUV3_CMDQ_BASE, "smmuv3_cmdq_base", 0)               \
    X(smmuv3_cmdq_prod, SMMUV3_CMDQ_PROD, "smmuv3_cmdq_prod", 0)               \
    X(smmuv3_cmdq_cons, SMMUV3_CMDQ_CONS, "smmuv3_cmdq_cons", 0)               \
    X(smmuv3_eventq_base, SMMUV3_EVENTQ_BASE, "smmuv3_eventq_base", 0)         \
    X(smmuv3_eventq_base, SMMUV3_EVENTQ_BASE, "smmuv3_priq_base", 0)           \
    X(smmuv3_eventq_prod, SMMUV3_EVENTQ_PROD, "smmuv3_eventq_prod", 0)         \
    X(smmuv3_eventq_prod, SMMUV3_EVENTQ_PROD, "smmuv3_priq_prod", 0)           \
    X(smmuv3_eventq_cons, SMMUV3_EVENTQ_CONS, "smmuv3_eventq_cons", 0)         \
    X(smmuv3_eventq_cons, SMMUV3_EVENTQ_CONS, "smmuv3_priq_cons", 0)           \
    X(smmuv3_gatos_ctrl, SMMUV3_GATOS_CTRL, "smmuv3_gatos_ctrl", 0)            \
    X(smmuv3_gatos_sid, SMMUV3_GATOS_SID, "smmuv3_gatos_sid", 0)               \
    X(smmuv3_gatos_addr, SMMUV3_GATOS_ADDR, "smmuv3_gatos_addr", 0)            \
    X(smmuv3_gatos_par, SMMUV3_GATOS_PAR, "smmuv3_gatos_par", 0)               \
    X(smmuv3_gatos_par_fault, SMMUV3_GATOS_PAR_FAULT,                          \
      "smmuv3_gatos_par_fault", 0)                                             \
    X(smmuv3_vatos_sel, SMMUV3_VATOS_SEL, "smmuv3_vatos_sel", 0)               \
    X(smmuv3_dpt_base, SMMUV3_DPT_BASE, "smmuv3_dpt_base", 0)                  \
    X(smmuv3_dpt_base_cfg, SMMUV3_DPT_BASE_CFG, "smmuv3_dpt_base_cfg", 0)      \
    X(smmuv3_dpt_cfg_far, SMMUV3_DPT_CFG_FAR, "smmuv3_dpt_cfg_far", 0)         \
    SMMUV3_CMD_LAYOUTS(X)                                                      \
    SMMUV3_EVENT_LAYOUTS(X)                                                    \
    SMMUV3_TABLE_LAYOUTS(X)                                                    \
    VMSA_LAYOUTS(X)

/* Every code set: X(set as in tests/spec, prefix of the members, list). */
#define SMMUV3_CODE_SETS(X)                                                    \
    X("idr0_st_level",    SMMUV3_ST_LEVEL,    SMMUV3_ST_LEVELS)                \
    X("idr0_stall_model", SMMUV3_STALL_MODEL, SMMUV3_STALL_MODELS)             \
    X("idr0_ttendian",    SMMUV3_TTENDIAN,    SMMUV3_TTENDIANS)                \
    X("idr0_httu",        SMMUV3_HTTU,        SMMUV3_HTTUS)                    \
    X("idr0_ttf",         SMMUV3_TTF,         SMMUV3_TTFS)                     \
    X("idr3_bbml",        SMMUV3_BBML,        SMMUV3_BBMLS)                    \
    X("idr5_vax",         SMMUV3_VAX,         SMMUV3_VAXS)                     \
    X("cacheability",     SMMUV3_CACHE,       SMMUV3_CACHES)                   \
    X("strtab_fmt",       SMMUV3_STRTAB,      SMMUV3_STRTABS)                  \
    X("strtab_split",     SMMUV3_SPLIT,       SMMUV3_SPLITS)                   \
    X("atos_type",        SMMUV3_ATOS,        SMMUV3_ATOS_TYPES)               \
    X("atos_fault",       SMMUV3_ATOS_FAULT,  SMMUV3_ATOS_FAULTS)              \
    X("atos_reason",      SMMUV3_ATOS_REASON, SMMUV3_ATOS_REASONS)             \
    SMMUV3_CMD_CODE_SETS(X)                                                    \
    SMMUV3_EVENT_CODE_SETS(X)                                                  \
    SMMUV3_TABLE_CODE_SETS(X)                                                  \
    VMSA_CODE_SETS(X)

/* clang-format on */
#endif
