/* SPDX-License-Identifier: MIT */
/*
 * smmuv3_cmds.h - Arm SMMUv3 commands (IHI0070, chapter 4), 128 bits each.
 */
#ifndef UIM_SPEC_SMMUV3_CMDS_H
#define UIM_SPEC_SMMUV3_CMDS_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* 4.1.1: opcodes. Of S_, SNH_ and EL3_ the Secure queue only. */
#define SMMUV3_CMD_OPCODES(X, P)                                               \
    X(P, PREFETCH_CONFIG,  0x01)                                               \
    X(P, PREFETCH_ADDR,    0x02)                                               \
    X(P, CFGI_STE,         0x03)                                               \
    X(P, CFGI_STE_RANGE,   0x04)                                               \
    X(P, CFGI_CD,          0x05)                                               \
    X(P, CFGI_CD_ALL,      0x06)                                               \
    X(P, CFGI_VMS_PIDM,    0x07)                                               \
    X(P, TLBI_NH_ALL,      0x10)                                               \
    X(P, TLBI_NH_ASID,     0x11)                                               \
    X(P, TLBI_NH_VA,       0x12)                                               \
    X(P, TLBI_NH_VAA,      0x13)                                               \
    X(P, TLBI_EL3_ALL,     0x18)                                               \
    X(P, TLBI_EL3_VA,      0x1a)                                               \
    X(P, TLBI_EL2_ALL,     0x20)                                               \
    X(P, TLBI_EL2_ASID,    0x21)                                               \
    X(P, TLBI_EL2_VA,      0x22)                                               \
    X(P, TLBI_EL2_VAA,     0x23)                                               \
    X(P, TLBI_S12_VMALL,   0x28)                                               \
    X(P, TLBI_S2_IPA,      0x2a)                                               \
    X(P, TLBI_NSNH_ALL,    0x30)                                               \
    X(P, ATC_INV,          0x40)                                               \
    X(P, PRI_RESP,         0x41)                                               \
    X(P, RESUME,           0x44)                                               \
    X(P, STALL_TERM,       0x45)                                               \
    X(P, SYNC,             0x46)                                               \
    X(P, TLBI_S_EL2_ALL,   0x50)                                               \
    X(P, TLBI_S_EL2_ASID,  0x51)                                               \
    X(P, TLBI_S_EL2_VA,    0x52)                                               \
    X(P, TLBI_S_EL2_VAA,   0x53)                                               \
    X(P, TLBI_S_S12_VMALL, 0x58)                                               \
    X(P, TLBI_S_S2_IPA,    0x5a)                                               \
    X(P, TLBI_SNH_ALL,     0x60)
UIM_CODES(smmuv3_cmd_opcode, SMMUV3_CMD, SMMUV3_CMD_OPCODES);

/* 4.1.3: CMDQ_CONS.ERR */
#define SMMUV3_CERRORS(X, P)                                                   \
    X(P, NONE,         0)                                                      \
    X(P, ILL,          1)                                                      \
    X(P, ABT,          2) /* fetch of the command */                           \
    X(P, ATC_INV_SYNC, 3) /* seen by the SYNC behind the ATC_INV */
UIM_CODES(smmuv3_cerror, SMMUV3_CERROR, SMMUV3_CERRORS);

/*
 * Fields that many commands share. SSEC is of the Secure queue; what a command
 * does not list is reserved in it. _q0 and _q1 are words 0 and 1; where _q1 is
 * not declared it is reserved too.
 */
#define SMMUV3_CMD_OPCODE(F, P) F(P, opcode, 7, 0) /* SMMUV3_CMD_* */
#define SMMUV3_CMD_SSEC(F, P)   F(P, ssec, 10, 10)
#define SMMUV3_CMD_SSV(F, P)    F(P, ssv, 11, 11) /* ssid counts */
#define SMMUV3_CMD_SSID(F, P)   F(P, ssid, 31, 12)
#define SMMUV3_CMD_SID(F, P)    F(P, sid, 63, 32)
#define SMMUV3_CMD_VMID(F, P)   F(P, vmid, 47, 32)
#define SMMUV3_CMD_ASID(F, P)   F(P, asid, 63, 48)

/* Any command, as long as its opcode is not known. */
#define SMMUV3_CMD_ANY_Q0 SMMUV3_CMD_OPCODE
UIM_LAYOUT(smmuv3_cmd_any_q0, SMMUV3_CMD_ANY_Q0);

/* 4.2: prefetch */
#define SMMUV3_CMD_PREFETCH_CONFIG_Q0(F, P)                                    \
    SMMUV3_CMD_SID(F, P)                                                       \
    SMMUV3_CMD_SSID(F, P)                                                      \
    SMMUV3_CMD_SSV(F, P)                                                       \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_prefetch_config_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0);
UIM_LAYOUT(smmuv3_cmd_prefetch_addr_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0);

#define SMMUV3_CMD_PREFETCH_ADDR_Q1(F, P)                                      \
    F(P, address, 63, 12)                                                      \
    F(P, size, 4, 0)
UIM_LAYOUT(smmuv3_cmd_prefetch_addr_q1, SMMUV3_CMD_PREFETCH_ADDR_Q1);

/* 4.3: configuration. With leaf, caches of what leads there stay. */
#define SMMUV3_CMD_CFGI_STE_Q0(F, P)                                           \
    SMMUV3_CMD_SID(F, P)                                                       \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_cfgi_ste_q0, SMMUV3_CMD_CFGI_STE_Q0);

#define SMMUV3_CMD_CFGI_STE_Q1(F, P)                                           \
    F(P, leaf, 0, 0)
UIM_LAYOUT(smmuv3_cmd_cfgi_ste_q1, SMMUV3_CMD_CFGI_STE_Q1);
UIM_LAYOUT(smmuv3_cmd_cfgi_ste_range_q0, SMMUV3_CMD_CFGI_STE_Q0);

#define SMMUV3_CMD_CFGI_STE_RANGE_Q1(F, P)                                     \
    F(P, range, 4, 0) /* 2^(range + 1) entries; 31: all */
UIM_LAYOUT(smmuv3_cmd_cfgi_ste_range_q1, SMMUV3_CMD_CFGI_STE_RANGE_Q1);

#define SMMUV3_CMD_CFGI_CD_Q0(F, P)                                            \
    SMMUV3_CMD_SID(F, P)                                                       \
    SMMUV3_CMD_SSID(F, P)                                                      \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_cfgi_cd_q0, SMMUV3_CMD_CFGI_CD_Q0);
UIM_LAYOUT(smmuv3_cmd_cfgi_cd_q1, SMMUV3_CMD_CFGI_STE_Q1);
UIM_LAYOUT(smmuv3_cmd_cfgi_cd_all_q0, SMMUV3_CMD_CFGI_STE_Q0);

#define SMMUV3_CMD_CFGI_VMS_PIDM_Q0(F, P)                                      \
    SMMUV3_CMD_VMID(F, P)                                                      \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_cfgi_vms_pidm_q0, SMMUV3_CMD_CFGI_VMS_PIDM_Q0);

/*
 * 4.4: translations. With tg, a range of (num + 1) * 2^scale granules; without
 * RIL in IDR3 num, scale, tg and ttl are reserved, without DS in IDR5 bit 25 is.
 */
#define SMMUV3_CMD_RANGE(F, P)                                                 \
    F(P, scale, 25, 20)                                                        \
    F(P, num,   16, 12)
#define SMMUV3_CMD_TLBI_NH_ALL_Q0(F, P)                                        \
    SMMUV3_CMD_VMID(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_all_q0, SMMUV3_CMD_TLBI_NH_ALL_Q0);

#define SMMUV3_CMD_TLBI_NH_ASID_Q0(F, P)                                       \
    SMMUV3_CMD_ASID(F, P)                                                      \
    SMMUV3_CMD_VMID(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_asid_q0, SMMUV3_CMD_TLBI_NH_ASID_Q0);

#define SMMUV3_CMD_TLBI_NH_VA_Q0(F, P)                                         \
    SMMUV3_CMD_ASID(F, P)                                                      \
    SMMUV3_CMD_VMID(F, P)                                                      \
    SMMUV3_CMD_RANGE(F, P)                                                     \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_va_q0, SMMUV3_CMD_TLBI_NH_VA_Q0);

#define SMMUV3_CMD_TLBI_NH_VA_Q1(F, P)                                         \
    F(P, address, 63, 12)                                                      \
    F(P, tg, 11, 10) /* SMMUV3_TLBI_TG_* */                                    \
    F(P, ttl, 9, 8)  /* only leaves of this level; 0: any */                   \
    F(P, ttl128, 7, 7)                                                         \
    F(P, leaf, 0, 0) /* no non-leaf entry changed */
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_va_q1, SMMUV3_CMD_TLBI_NH_VA_Q1);

#define SMMUV3_CMD_TLBI_NH_VAA_Q0(F, P)                                        \
    SMMUV3_CMD_VMID(F, P)                                                      \
    SMMUV3_CMD_RANGE(F, P)                                                     \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_vaa_q0, SMMUV3_CMD_TLBI_NH_VAA_Q0);
UIM_LAYOUT(smmuv3_cmd_tlbi_nh_vaa_q1, SMMUV3_CMD_TLBI_NH_VA_Q1);

#define SMMUV3_CMD_TLBI_EL2_ALL_Q0(F, P)                                       \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_all_q0, SMMUV3_CMD_TLBI_EL2_ALL_Q0);

#define SMMUV3_CMD_TLBI_EL2_ASID_Q0(F, P)                                      \
    SMMUV3_CMD_ASID(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_asid_q0, SMMUV3_CMD_TLBI_EL2_ASID_Q0);

#define SMMUV3_CMD_TLBI_EL2_VA_Q0(F, P)                                        \
    SMMUV3_CMD_ASID(F, P)                                                      \
    SMMUV3_CMD_RANGE(F, P)                                                     \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_va_q0, SMMUV3_CMD_TLBI_EL2_VA_Q0);
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_va_q1, SMMUV3_CMD_TLBI_NH_VA_Q1);

#define SMMUV3_CMD_TLBI_EL2_VAA_Q0(F, P)                                       \
    SMMUV3_CMD_RANGE(F, P)                                                     \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_vaa_q0, SMMUV3_CMD_TLBI_EL2_VAA_Q0);
UIM_LAYOUT(smmuv3_cmd_tlbi_el2_vaa_q1, SMMUV3_CMD_TLBI_NH_VA_Q1);
UIM_LAYOUT(smmuv3_cmd_tlbi_s12_vmall_q0, SMMUV3_CMD_TLBI_NH_ALL_Q0);
UIM_LAYOUT(smmuv3_cmd_tlbi_s2_ipa_q0, SMMUV3_CMD_TLBI_NH_VAA_Q0);

#define SMMUV3_CMD_TLBI_S2_IPA_Q1(F, P)                                        \
    F(P, address, 55, 12)                                                      \
    F(P, tg, 11, 10) /* SMMUV3_TLBI_TG_* */                                    \
    F(P, ttl, 9, 8)                                                            \
    F(P, ttl128, 7, 7)                                                         \
    F(P, leaf, 0, 0)
UIM_LAYOUT(smmuv3_cmd_tlbi_s2_ipa_q1, SMMUV3_CMD_TLBI_S2_IPA_Q1);
UIM_LAYOUT(smmuv3_cmd_tlbi_nsnh_all_q0, SMMUV3_CMD_TLBI_EL2_ALL_Q0);

#define SMMUV3_TLBI_TGS(X, P)                                                  \
    X(P, NONE,        0) /* no range, no ttl */                                \
    X(P, GRANULE_4K,  1)                                                       \
    X(P, GRANULE_16K, 2)                                                       \
    X(P, GRANULE_64K, 3)
UIM_CODES(smmuv3_tlbi_tg, SMMUV3_TLBI_TG, SMMUV3_TLBI_TGS);

/* 4.5: ATS and PRI */
#define SMMUV3_CMD_ATC_INV_Q0(F, P)                                            \
    SMMUV3_CMD_SID(F, P)                                                       \
    SMMUV3_CMD_SSID(F, P)                                                      \
    SMMUV3_CMD_SSV(F, P)                                                       \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    F(P, global, 9, 9) /* all substreams */                                    \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_atc_inv_q0, SMMUV3_CMD_ATC_INV_Q0);

#define SMMUV3_CMD_ATC_INV_Q1(F, P)                                            \
    F(P, address, 63, 12)                                                      \
    F(P, size, 5, 0) /* 2^(12 + size) bytes; 52: all */
UIM_LAYOUT(smmuv3_cmd_atc_inv_q1, SMMUV3_CMD_ATC_INV_Q1);
UIM_LAYOUT(smmuv3_cmd_pri_resp_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0);

#define SMMUV3_CMD_PRI_RESP_Q1(F, P)                                           \
    F(P, resp, 13, 12) /* SMMUV3_PRI_RESP_* */                                 \
    F(P, prgindex, 8, 0)
UIM_LAYOUT(smmuv3_cmd_pri_resp_q1, SMMUV3_CMD_PRI_RESP_Q1);

#define SMMUV3_PRI_RESPS(X, P)                                                 \
    X(P, FAILURE, 0)                                                           \
    X(P, INVALID, 1)                                                           \
    X(P, SUCCESS, 2)
UIM_CODES(smmuv3_pri_resp, SMMUV3_PRI_RESP, SMMUV3_PRI_RESPS);

/* What the response says on the wire (PCIe, PRG Response Message) */
#define SMMUV3_PRG_RESPONSES(X, P)                                             \
    X(P, SUCCESS, 0x0)                                                         \
    X(P, INVALID, 0x1)                                                         \
    X(P, FAILURE, 0xf)
UIM_CODES(smmuv3_prg_response, SMMUV3_PRG, SMMUV3_PRG_RESPONSES);

/* 4.6: stalled transactions */
#define SMMUV3_CMD_RESUME_Q0(F, P)                                             \
    SMMUV3_CMD_SID(F, P)                                                       \
    F(P, ab, 13, 13) /* if ac is 0: 1 abort, 0 reads as 0 */                   \
    F(P, ac, 12, 12) /* retry */                                               \
    SMMUV3_CMD_SSEC(F, P)                                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_resume_q0, SMMUV3_CMD_RESUME_Q0);

#define SMMUV3_CMD_RESUME_Q1(F, P)                                             \
    F(P, stag, 15, 0)
UIM_LAYOUT(smmuv3_cmd_resume_q1, SMMUV3_CMD_RESUME_Q1);
UIM_LAYOUT(smmuv3_cmd_stall_term_q0, SMMUV3_CMD_CFGI_STE_Q0);

/* 4.7: synchronisation. Without an address no message is sent. */
#define SMMUV3_CMD_SYNC_Q0(F, P)                                               \
    F(P, msidata, 63, 32)                                                      \
    F(P, msiattr, 27, 24)                                                      \
    F(P, msh, 23, 22) /* VMSA_SH_* */                                          \
    F(P, cs, 13, 12)  /* SMMUV3_SYNC_* */                                      \
    SMMUV3_CMD_OPCODE(F, P)
UIM_LAYOUT(smmuv3_cmd_sync_q0, SMMUV3_CMD_SYNC_Q0);

#define SMMUV3_CMD_SYNC_Q1(F, P)                                               \
    F(P, msiaddress, 55, 2)
UIM_LAYOUT(smmuv3_cmd_sync_q1, SMMUV3_CMD_SYNC_Q1);

#define SMMUV3_SYNCS(X, P)                                                     \
    X(P, NONE, 0)                                                              \
    X(P, IRQ,  1) /* an interrupt, or the message */                           \
    X(P, SEV,  2) /* an event for processors */
UIM_CODES(smmuv3_sync_cs, SMMUV3_SYNC, SMMUV3_SYNCS);

#define SMMUV3_CMD_SIZES(X, P)                                                 \
    X(P, CMD_BYTES, 16)
UIM_CODES(smmuv3_cmd_size, SMMUV3, SMMUV3_CMD_SIZES);

#define SMMUV3_CMD_LAYOUTS(X)                                                  \
    X(smmuv3_cmd_any_q0, SMMUV3_CMD_ANY_Q0, "smmuv3_cmd_any", 0)               \
    X(smmuv3_cmd_prefetch_config_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0,            \
      "smmuv3_cmd_prefetch_config", 0)                                         \
    X(smmuv3_cmd_prefetch_addr_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0,              \
      "smmuv3_cmd_prefetch_addr", 0)                                           \
    X(smmuv3_cmd_prefetch_addr_q1, SMMUV3_CMD_PREFETCH_ADDR_Q1,                \
      "smmuv3_cmd_prefetch_addr", 1)                                           \
    X(smmuv3_cmd_cfgi_ste_q0, SMMUV3_CMD_CFGI_STE_Q0,                          \
      "smmuv3_cmd_cfgi_ste", 0)                                                \
    X(smmuv3_cmd_cfgi_ste_q1, SMMUV3_CMD_CFGI_STE_Q1,                          \
      "smmuv3_cmd_cfgi_ste", 1)                                                \
    X(smmuv3_cmd_cfgi_ste_range_q0, SMMUV3_CMD_CFGI_STE_Q0,                    \
      "smmuv3_cmd_cfgi_ste_range", 0)                                          \
    X(smmuv3_cmd_cfgi_ste_range_q1, SMMUV3_CMD_CFGI_STE_RANGE_Q1,              \
      "smmuv3_cmd_cfgi_ste_range", 1)                                          \
    X(smmuv3_cmd_cfgi_cd_q0, SMMUV3_CMD_CFGI_CD_Q0, "smmuv3_cmd_cfgi_cd", 0)   \
    X(smmuv3_cmd_cfgi_cd_q1, SMMUV3_CMD_CFGI_STE_Q1, "smmuv3_cmd_cfgi_cd", 1)  \
    X(smmuv3_cmd_cfgi_cd_all_q0, SMMUV3_CMD_CFGI_STE_Q0,                       \
      "smmuv3_cmd_cfgi_cd_all", 0)                                             \
    X(smmuv3_cmd_cfgi_vms_pidm_q0, SMMUV3_CMD_CFGI_VMS_PIDM_Q0,                \
      "smmuv3_cmd_cfgi_vms_pidm", 0)                                           \
    X(smmuv3_cmd_tlbi_nh_all_q0, SMMUV3_CMD_TLBI_NH_ALL_Q0,                    \
      "smmuv3_cmd_tlbi_nh_all", 0)                                             \
    X(smmuv3_cmd_tlbi_nh_asid_q0, SMMUV3_CMD_TLBI_NH_ASID_Q0,                  \
      "smmuv3_cmd_tlbi_nh_asid", 0)                                            \
    X(smmuv3_cmd_tlbi_nh_va_q0, SMMUV3_CMD_TLBI_NH_VA_Q0,                      \
      "smmuv3_cmd_tlbi_nh_va", 0)                                              \
    X(smmuv3_cmd_tlbi_nh_va_q1, SMMUV3_CMD_TLBI_NH_VA_Q1,                      \
      "smmuv3_cmd_tlbi_nh_va", 1)                                              \
    X(smmuv3_cmd_tlbi_nh_vaa_q0, SMMUV3_CMD_TLBI_NH_VAA_Q0,                    \
      "smmuv3_cmd_tlbi_nh_vaa", 0)                                             \
    X(smmuv3_cmd_tlbi_nh_vaa_q1, SMMUV3_CMD_TLBI_NH_VA_Q1,                     \
      "smmuv3_cmd_tlbi_nh_vaa", 1)                                             \
    X(smmuv3_cmd_tlbi_el2_all_q0, SMMUV3_CMD_TLBI_EL2_ALL_Q0,                  \
      "smmuv3_cmd_tlbi_el2_all", 0)                                            \
    X(smmuv3_cmd_tlbi_el2_asid_q0, SMMUV3_CMD_TLBI_EL2_ASID_Q0,                \
      "smmuv3_cmd_tlbi_el2_asid", 0)                                           \
    X(smmuv3_cmd_tlbi_el2_va_q0, SMMUV3_CMD_TLBI_EL2_VA_Q0,                    \
      "smmuv3_cmd_tlbi_el2_va", 0)                                             \
    X(smmuv3_cmd_tlbi_el2_va_q1, SMMUV3_CMD_TLBI_NH_VA_Q1,                     \
      "smmuv3_cmd_tlbi_el2_va", 1)                                             \
    X(smmuv3_cmd_tlbi_el2_vaa_q0, SMMUV3_CMD_TLBI_EL2_VAA_Q0,                  \
      "smmuv3_cmd_tlbi_el2_vaa", 0)                                            \
    X(smmuv3_cmd_tlbi_el2_vaa_q1, SMMUV3_CMD_TLBI_NH_VA_Q1,                    \
      "smmuv3_cmd_tlbi_el2_vaa", 1)                                            \
    X(smmuv3_cmd_tlbi_s12_vmall_q0, SMMUV3_CMD_TLBI_NH_ALL_Q0,                 \
      "smmuv3_cmd_tlbi_s12_vmall", 0)                                          \
    X(smmuv3_cmd_tlbi_s2_ipa_q0, SMMUV3_CMD_TLBI_NH_VAA_Q0,                    \
      "smmuv3_cmd_tlbi_s2_ipa", 0)                                             \
    X(smmuv3_cmd_tlbi_s2_ipa_q1, SMMUV3_CMD_TLBI_S2_IPA_Q1,                    \
      "smmuv3_cmd_tlbi_s2_ipa", 1)                                             \
    X(smmuv3_cmd_tlbi_nsnh_all_q0, SMMUV3_CMD_TLBI_EL2_ALL_Q0,                 \
      "smmuv3_cmd_tlbi_nsnh_all", 0)                                           \
    X(smmuv3_cmd_atc_inv_q0, SMMUV3_CMD_ATC_INV_Q0, "smmuv3_cmd_atc_inv", 0)   \
    X(smmuv3_cmd_atc_inv_q1, SMMUV3_CMD_ATC_INV_Q1, "smmuv3_cmd_atc_inv", 1)   \
    X(smmuv3_cmd_pri_resp_q0, SMMUV3_CMD_PREFETCH_CONFIG_Q0,                   \
      "smmuv3_cmd_pri_resp", 0)                                                \
    X(smmuv3_cmd_pri_resp_q1, SMMUV3_CMD_PRI_RESP_Q1,                          \
      "smmuv3_cmd_pri_resp", 1)                                                \
    X(smmuv3_cmd_resume_q0, SMMUV3_CMD_RESUME_Q0, "smmuv3_cmd_resume", 0)      \
    X(smmuv3_cmd_resume_q1, SMMUV3_CMD_RESUME_Q1, "smmuv3_cmd_resume", 1)      \
    X(smmuv3_cmd_stall_term_q0, SMMUV3_CMD_CFGI_STE_Q0,                        \
      "smmuv3_cmd_stall_term", 0)                                              \
    X(smmuv3_cmd_sync_q0, SMMUV3_CMD_SYNC_Q0, "smmuv3_cmd_sync", 0)            \
    X(smmuv3_cmd_sync_q1, SMMUV3_CMD_SYNC_Q1, "smmuv3_cmd_sync", 1)

#define SMMUV3_CMD_CODE_SETS(X)                                                \
    X("cmd_opcode",        SMMUV3_CMD,      SMMUV3_CMD_OPCODES)                \
    X("cmd_error",         SMMUV3_CERROR,   SMMUV3_CERRORS)                    \
    X("tlbi_tg",           SMMUV3_TLBI_TG,  SMMUV3_TLBI_TGS)                   \
    X("cmd_pri_resp",      SMMUV3_PRI_RESP, SMMUV3_PRI_RESPS)                  \
    X("pcie_prg_response", SMMUV3_PRG,      SMMUV3_PRG_RESPONSES)              \
    X("cmd_sync_cs",       SMMUV3_SYNC,     SMMUV3_SYNCS)                      \
    X("size",              SMMUV3,          SMMUV3_CMD_SIZES)

/* clang-format on */
#endif
