/* SPDX-License-Identifier: MIT */
/*
 * pci.h - PCI configuration space, as far as an IOMMU stack needs it, and the
 * messages of address translation services.
 *
 * PCI Express Base Specification 6.x: chapters 7 (configuration space), 9
 * (SR-IOV) and 10 (address translation, page requests).
 *
 * Registers of 8, 16 and 32 bits are layouts in the low bits of a word. Has
 * macros with names that <linux/pci_regs.h> uses too: not for the same file.
 */
#ifndef UIM_SPEC_PCI_H
#define UIM_SPEC_PCI_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* Header, at these offsets of configuration space: X(name, offset, width) */
#define PCI_HEADER_REGISTERS(X)                                                \
    X(VENDOR_ID,       0x00, 16) /* all ones: nobody there */                  \
    X(DEVICE_ID,       0x02, 16)                                               \
    X(COMMAND,         0x04, 16)                                               \
    X(STATUS,          0x06, 16)                                               \
    X(CLASS_REVISION,  0x08, 32)                                               \
    X(HEADER_TYPE,     0x0e, 8)                                                \
    X(BAR0,            0x10, 32) /* six in a row, two in a bridge */           \
    X(PRIMARY_BUS,     0x18, 8)  /* from here on: bridges */                   \
    X(SECONDARY_BUS,   0x19, 8)                                                \
    X(SUBORDINATE_BUS, 0x1a, 8)                                                \
    X(MEMORY_BASE,     0x20, 16)                                               \
    X(MEMORY_LIMIT,    0x22, 16)                                               \
    X(PREF_BASE,       0x24, 16)                                               \
    X(PREF_LIMIT,      0x26, 16)                                               \
    X(PREF_BASE_HI,    0x28, 32)                                               \
    X(PREF_LIMIT_HI,   0x2c, 32)                                               \
    X(SUBSYSTEM_VENDOR_ID, 0x2c, 16) /* not in a bridge */                     \
    X(SUBSYSTEM_ID,    0x2e, 16)                                               \
    X(CAPABILITIES,    0x34, 8)  /* bits 1:0 masked */

/* The rest counts from the start of the capability in the name. */
#define PCI_CAPABILITY_REGISTERS(X)                                            \
    X(ATS_CAP,        0x04, 16)                                                \
    X(ATS_CTRL,       0x06, 16)                                                \
    X(PRI_CTRL,       0x04, 16)                                                \
    X(PRI_STATUS,     0x06, 16)                                                \
    X(PRI_MAX_REQ,    0x08, 32)                                                \
    X(PRI_ALLOC_REQ,  0x0c, 32)                                                \
    X(PASID_CAP,      0x04, 16)                                                \
    X(PASID_CTRL,     0x06, 16)                                                \
    X(ACS_CAP,        0x04, 16)                                                \
    X(ACS_CTRL,       0x06, 16)                                                \
    X(ACS_EGRESS_CONTROL_VECTOR, 0x08, 32)                                     \
    X(ARI_CAP,        0x04, 16)                                                \
    X(ARI_CTRL,       0x06, 16)                                                \
    X(SRIOV_CAP,        0x04, 32)                                              \
    X(SRIOV_CTRL,       0x08, 16)                                              \
    X(SRIOV_STATUS,     0x0a, 16)                                              \
    X(SRIOV_INITIAL_VF, 0x0c, 16)                                              \
    X(SRIOV_TOTAL_VF,   0x0e, 16)                                              \
    X(SRIOV_NUM_VF,     0x10, 16)                                              \
    X(SRIOV_FUNC_LINK,  0x12, 8)                                               \
    X(SRIOV_VF_OFFSET,  0x14, 16)                                              \
    X(SRIOV_VF_STRIDE,  0x16, 16)                                              \
    X(SRIOV_VF_DID,     0x1a, 16)                                              \
    X(SRIOV_SUP_PGSIZE, 0x1c, 32)                                              \
    X(SRIOV_SYS_PGSIZE, 0x20, 32)                                              \
    X(SRIOV_BAR0,       0x24, 32) /* six in a row */                           \
    X(SRIOV_VF_MIGRATION_ARRAY, 0x3c, 32)                                      \
    X(EXP_FLAGS,      0x02, 16)                                                \
    X(EXP_DEVCAP2,    0x24, 32)                                                \
    X(EXP_DEVCTL2,    0x28, 16)                                                \
    X(MSI_FLAGS,      0x02, 16)                                                \
    X(MSI_ADDR_LO,    0x04, 32)                                                \
    X(MSI_ADDR_HI,    0x08, 32)                                                \
    X(MSI_DATA_32,    0x08, 16) /* _32, _64: as msi_flags.addr_64 says */      \
    X(MSI_DATA_64,    0x0c, 16)                                                \
    X(MSI_MASK_32,    0x0c, 32)                                                \
    X(MSI_MASK_64,    0x10, 32)                                                \
    X(MSI_PENDING_32, 0x10, 32)                                                \
    X(MSI_PENDING_64, 0x14, 32)                                                \
    X(MSIX_FLAGS,     0x02, 16)                                                \
    X(MSIX_TABLE,     0x04, 32)                                                \
    X(MSIX_PBA,       0x08, 32)

#define PCI_REGISTERS(X)                                                       \
    PCI_HEADER_REGISTERS(X)                                                    \
    PCI_CAPABILITY_REGISTERS(X)

#define PCI_REG_ENUM(n, off, bits) PCI_REG_##n = (off),
enum pci_register { PCI_REGISTERS(PCI_REG_ENUM) };

/* Header fields */
#define PCI_COMMAND(F, P)                                                      \
    F(P, intx_disable, 10, 10)                                                 \
    F(P, bus_master,   2, 2)                                                   \
    F(P, memory_space, 1, 1)                                                   \
    F(P, io_space,     0, 0)
#define PCI_STATUS(F, P) F(P, capabilities, 4, 4)
#define PCI_CLASS_REVISION(F, P)                                               \
    F(P, base_class,   31, 24)                                                 \
    F(P, sub_class,    23, 16)                                                 \
    F(P, interface,    15, 8)                                                  \
    F(P, revision,     7, 0)
#define PCI_HEADER_TYPE(F, P)                                                  \
    F(P, multifunction, 7, 7)                                                  \
    F(P, type,          6, 0) /* PCI_HEADER_* */
UIM_LAYOUT(pci_command, PCI_COMMAND);
UIM_LAYOUT(pci_status, PCI_STATUS);
UIM_LAYOUT(pci_class_revision, PCI_CLASS_REVISION);
UIM_LAYOUT(pci_header_type, PCI_HEADER_TYPE);

#define PCI_HEADER_TYPES(X, P)                                                 \
    X(P, FUNCTION, 0)                                                          \
    X(P, BRIDGE,   1)
UIM_CODES(pci_header_type_code, PCI_HEADER, PCI_HEADER_TYPES);
enum { PCI_BAR_IO = 1u << 0 }; /* in a base address register: not memory */

/* First word of a capability, standard and extended. next is 0 at the end; an
   extended list is empty if its first header reads 0 or all ones. */
#define PCI_CAP_HEADER(F, P)                                                   \
    F(P, next,   15, 8)                                                        \
    F(P, cap_id, 7, 0) /* PCI_CAP_* */
#define PCI_EXT_CAP_HEADER(F, P)                                               \
    F(P, next,    31, 20)                                                      \
    F(P, version, 19, 16)                                                      \
    F(P, cap_id,  15, 0) /* PCI_EXT_CAP_* */
UIM_LAYOUT(pci_cap_header, PCI_CAP_HEADER);
UIM_LAYOUT(pci_ext_cap_header, PCI_EXT_CAP_HEADER);

#define PCI_CAPS(X, P)                                                         \
    X(P, MSI,           0x05)                                                  \
    X(P, SECURE_DEVICE, 0x0f) /* an AMD IOMMU */                               \
    X(P, EXP,           0x10)                                                  \
    X(P, MSIX,          0x11)
#define PCI_EXT_CAPS(X, P)                                                     \
    X(P, ACS,   0x0d)                                                          \
    X(P, ARI,   0x0e)                                                          \
    X(P, ATS,   0x0f)                                                          \
    X(P, SRIOV, 0x10)                                                          \
    X(P, PRI,   0x13)                                                          \
    X(P, PASID, 0x1b)
UIM_CODES(pci_cap_id, PCI_CAP, PCI_CAPS);
UIM_CODES(pci_ext_cap_id, PCI_EXT_CAP, PCI_EXT_CAPS);

/* ATS */
#define PCI_ATS_CAP(F, P)                                                      \
    F(P, memory_attributes,      8, 8)                                         \
    F(P, relaxed_ordering,       7, 7)                                         \
    F(P, global_invalidate,      6, 6)                                         \
    F(P, page_aligned_request,   5, 5)                                         \
    F(P, invalidate_queue_depth, 4, 0) /* 0 is 32 */
#define PCI_ATS_CTRL(F, P)                                                     \
    F(P, enable,      15, 15)                                                  \
    F(P, ama_enable,  14, 14)                                                  \
    F(P, ama_default, 13, 11)                                                  \
    F(P, stu,         4, 0) /* units of 4096 << stu */
UIM_LAYOUT(pci_ats_cap, PCI_ATS_CAP);
UIM_LAYOUT(pci_ats_ctrl, PCI_ATS_CTRL);

/* Page requests */
#define PCI_PRI_CTRL(F, P)                                                     \
    F(P, reset,  1, 1)                                                         \
    F(P, enable, 0, 0)
#define PCI_PRI_STATUS(F, P)                                                   \
    F(P, prg_response_pasid_required, 15, 15)                                  \
    F(P, stopped,                     8, 8)                                    \
    F(P, unexpected_prgi,             1, 1)                                    \
    F(P, response_failure,            0, 0)
#define PCI_PRI_MAX_REQ(F, P) F(P, capacity, 31, 0)
#define PCI_PRI_ALLOC_REQ(F, P) F(P, allocation, 31, 0)
UIM_LAYOUT(pci_pri_ctrl, PCI_PRI_CTRL);
UIM_LAYOUT(pci_pri_status, PCI_PRI_STATUS);
UIM_LAYOUT(pci_pri_max_req, PCI_PRI_MAX_REQ);
UIM_LAYOUT(pci_pri_alloc_req, PCI_PRI_ALLOC_REQ);

/* PASID */
#define PCI_PASID_CAP(F, P)                                                    \
    F(P, max_pasid_width,     12, 8)                                           \
    F(P, translated_requests, 3, 3)                                            \
    F(P, privileged_mode,     2, 2)                                            \
    F(P, exec_permission,     1, 1)
#define PCI_PASID_CTRL(F, P)                                                   \
    F(P, translated_requests, 3, 3)                                            \
    F(P, privileged_mode,     2, 2)                                            \
    F(P, exec_permission,     1, 1)                                            \
    F(P, enable,              0, 0)
UIM_LAYOUT(pci_pasid_cap, PCI_PASID_CAP);
UIM_LAYOUT(pci_pasid_ctrl, PCI_PASID_CTRL);

/* Access control services. Bits 12:7 of control exist if enhanced. */
#define PCI_ACS_CAP(F, P)                                                      \
    F(P, egress_vector_size,   15, 8)                                          \
    F(P, enhanced,             7, 7)                                           \
    F(P, direct_translated,    6, 6)                                           \
    F(P, egress_control,       5, 5)                                           \
    F(P, upstream_forwarding,  4, 4)                                           \
    F(P, completion_redirect,  3, 3)                                           \
    F(P, request_redirect,     2, 2)                                           \
    F(P, translation_blocking, 1, 1)                                           \
    F(P, source_validation,    0, 0)
#define PCI_ACS_CTRL(F, P)                                                     \
    F(P, unclaimed_redirect,   12, 12)                                         \
    F(P, usp_memory_target,    11, 10) /* PCI_ACS_TARGET_* */                  \
    F(P, dsp_memory_target,    9, 8)   /* PCI_ACS_TARGET_* */                  \
    F(P, io_request_blocking,  7, 7)                                           \
    F(P, direct_translated,    6, 6)                                           \
    F(P, egress_control,       5, 5)                                           \
    F(P, upstream_forwarding,  4, 4)                                           \
    F(P, completion_redirect,  3, 3)                                           \
    F(P, request_redirect,     2, 2)                                           \
    F(P, translation_blocking, 1, 1)                                           \
    F(P, source_validation,    0, 0)
UIM_LAYOUT(pci_acs_cap, PCI_ACS_CAP);
UIM_LAYOUT(pci_acs_ctrl, PCI_ACS_CTRL);

/* The same bits as the manual abbreviates them, for masks. */
#define PCI_ACS_BITS(X, P)                                                     \
    X(P, SV, 0x01)                                                             \
    X(P, TB, 0x02)                                                             \
    X(P, RR, 0x04)                                                             \
    X(P, CR, 0x08)                                                             \
    X(P, UF, 0x10)                                                             \
    X(P, EC, 0x20)                                                             \
    X(P, DT, 0x40)
UIM_CODES(pci_acs_bit, PCI_ACS, PCI_ACS_BITS);

#define PCI_ACS_TARGETS(X, P)                                                  \
    X(P, DIRECT,   0)                                                          \
    X(P, BLOCK,    1)                                                          \
    X(P, REDIRECT, 2)
UIM_CODES(pci_acs_target, PCI_ACS_TARGET, PCI_ACS_TARGETS);

/* Alternative routing id */
#define PCI_ARI_CAP(F, P)                                                      \
    F(P, next_function,        15, 8)                                          \
    F(P, acs_function_groups,  1, 1)                                           \
    F(P, mfvc_function_groups, 0, 0)
#define PCI_ARI_CTRL(F, P)                                                     \
    F(P, function_group,       6, 4)                                           \
    F(P, acs_function_groups,  1, 1)                                           \
    F(P, mfvc_function_groups, 0, 0)
UIM_LAYOUT(pci_ari_cap, PCI_ARI_CAP);
UIM_LAYOUT(pci_ari_ctrl, PCI_ARI_CTRL);

/* SR-IOV. Virtual function n counts from 1 and has requester id
   PF + VF_OFFSET + (n - 1) * VF_STRIDE. */
#define PCI_SRIOV_CAP(F, P)                                                    \
    F(P, vf_migration_msg,        31, 21)                                      \
    F(P, ari_hierarchy_preserved, 1, 1)                                        \
    F(P, vf_migration_capable,    0, 0)
#define PCI_SRIOV_CTRL(F, P)                                                   \
    F(P, ari_capable,            4, 4)                                         \
    F(P, vf_memory_space,        3, 3)                                         \
    F(P, vf_migration_interrupt, 2, 2)                                         \
    F(P, vf_migration_enable,    1, 1)                                         \
    F(P, vf_enable,              0, 0)
#define PCI_SRIOV_STATUS(F, P) F(P, vf_migration_status, 0, 0)
#define PCI_SRIOV_VF_MIGRATION_ARRAY(F, P)                                     \
    F(P, offset, 31, 3)                                                        \
    F(P, bir,    2, 0)
UIM_LAYOUT(pci_sriov_cap, PCI_SRIOV_CAP);
UIM_LAYOUT(pci_sriov_ctrl, PCI_SRIOV_CTRL);
UIM_LAYOUT(pci_sriov_status, PCI_SRIOV_STATUS);
UIM_LAYOUT(pci_sriov_vf_migration_array, PCI_SRIOV_VF_MIGRATION_ARRAY);

/* PCI Express */
#define PCI_EXP_FLAGS(F, P)                                                    \
    F(P, interrupt_message, 13, 9)                                             \
    F(P, slot,              8, 8)                                              \
    F(P, type,              7, 4) /* PCI_EXP_TYPE_* */                         \
    F(P, version,           3, 0)
#define PCI_EXP_DEVCAP2(F, P)                                                  \
    F(P, max_e2e_tlp_prefixes, 23, 22)                                         \
    F(P, e2e_tlp_prefix,       21, 21) /* PASID needs it all the way up */     \
    F(P, extended_fmt,         20, 20)                                         \
    F(P, ari_forwarding,       5, 5)
#define PCI_EXP_DEVCTL2(F, P) F(P, ari_forwarding, 5, 5)
UIM_LAYOUT(pci_exp_flags, PCI_EXP_FLAGS);
UIM_LAYOUT(pci_exp_devcap2, PCI_EXP_DEVCAP2);
UIM_LAYOUT(pci_exp_devctl2, PCI_EXP_DEVCTL2);

#define PCI_EXP_TYPES(X, P)                                                    \
    X(P, ENDPOINT,               0x0)                                          \
    X(P, LEGACY_ENDPOINT,        0x1)                                          \
    X(P, ROOT_PORT,              0x4)                                          \
    X(P, UPSTREAM_PORT,          0x5)                                          \
    X(P, DOWNSTREAM_PORT,        0x6)                                          \
    X(P, PCIE_TO_PCI_BRIDGE,     0x7)                                          \
    X(P, PCI_TO_PCIE_BRIDGE,     0x8)                                          \
    X(P, RC_INTEGRATED_ENDPOINT, 0x9)                                          \
    X(P, RC_EVENT_COLLECTOR,     0xa)
UIM_CODES(pci_exp_type, PCI_EXP_TYPE, PCI_EXP_TYPES);

/* MSI and MSI-X */
#define PCI_MSI_FLAGS(F, P)                                                    \
    F(P, mask_bits,        8, 8)                                               \
    F(P, addr_64,          7, 7)                                               \
    F(P, multiple_enable,  6, 4) /* 2^n vectors */                             \
    F(P, multiple_capable, 3, 1)                                               \
    F(P, enable,           0, 0)
#define PCI_MSIX_FLAGS(F, P)                                                   \
    F(P, enable,     15, 15)                                                   \
    F(P, mask_all,   14, 14)                                                   \
    F(P, table_size, 10, 0) /* entries - 1 */
#define PCI_MSIX_TABLE(F, P)                                                   \
    F(P, offset, 31, 3) /* in units of 8 bytes */                              \
    F(P, bir,    2, 0)
#define PCI_MSIX_PBA PCI_MSIX_TABLE
#define PCI_MSIX_ENTRY_LO(F, P)                                                \
    F(P, addr_hi, 63, 32)                                                      \
    F(P, addr_lo, 31, 2)
#define PCI_MSIX_ENTRY_HI(F, P)                                                \
    F(P, mask, 32, 32)                                                         \
    F(P, data, 31, 0)
UIM_LAYOUT(pci_msi_flags, PCI_MSI_FLAGS);
UIM_LAYOUT(pci_msix_flags, PCI_MSIX_FLAGS);
UIM_LAYOUT(pci_msix_table, PCI_MSIX_TABLE);
UIM_LAYOUT(pci_msix_pba, PCI_MSIX_PBA);
UIM_LAYOUT(pci_msix_entry_lo, PCI_MSIX_ENTRY_LO);
UIM_LAYOUT(pci_msix_entry_hi, PCI_MSIX_ENTRY_HI);

/* Entry of a translation completion. With s=1 the lowest clear bit b of
   addr tells the size, 2^(b+1) bytes; so in an invalidate request. */
#define PCI_ATS_TRANSLATION(F, P)                                              \
    F(P, addr,   63, 12)                                                       \
    F(P, s,      11, 11)                                                       \
    F(P, n,      10, 10) /* no "no snoop" */                                   \
    F(P, cxl_io, 9, 9)                                                         \
    F(P, ama,    8, 6)                                                         \
    F(P, global, 5, 5)                                                         \
    F(P, priv,   4, 4)                                                         \
    F(P, exe,    3, 3)                                                         \
    F(P, u,      2, 2)   /* untranslated access only */                        \
    F(P, w,      1, 1)                                                         \
    F(P, r,      0, 0)
/* Body of an invalidate request */
#define PCI_ATS_INVALIDATE(F, P)                                               \
    F(P, addr,   63, 12)                                                       \
    F(P, s,      11, 11)                                                       \
    F(P, global, 0, 0)   /* all PASIDs */
/* Body of a page request; a stop marker has r = w = 0, l = 1 */
#define PCI_PAGE_REQUEST(F, P)                                                 \
    F(P, addr, 63, 12)                                                         \
    F(P, prgi, 11, 3)                                                          \
    F(P, l,    2, 2) /* last of its group */                                   \
    F(P, w,    1, 1)                                                           \
    F(P, r,    0, 0)
/* Page request group response */
#define PCI_PRG_RESPONSE(F, P)                                                 \
    F(P, code, 15, 12) /* PCI_PRG_* */                                         \
    F(P, prgi, 8, 0)
UIM_LAYOUT(pci_ats_translation, PCI_ATS_TRANSLATION);
UIM_LAYOUT(pci_ats_invalidate, PCI_ATS_INVALIDATE);
UIM_LAYOUT(pci_page_request, PCI_PAGE_REQUEST);
UIM_LAYOUT(pci_prg_response, PCI_PRG_RESPONSE);

/* PASID prefix */
#define PCI_PASID_PREFIX(F, P)                                                 \
    F(P, privileged, 21, 21)                                                   \
    F(P, execute,    20, 20)                                                   \
    F(P, pasid,      19, 0)
UIM_LAYOUT(pci_pasid_prefix, PCI_PASID_PREFIX);

#define PCI_PRGS(X, P)                                                         \
    X(P, SUCCESS, 0x0)                                                         \
    X(P, INVALID, 0x1)                                                         \
    X(P, FAILURE, 0xf)
UIM_CODES(pci_prg, PCI_PRG, PCI_PRGS);

/* Address type of a memory request, and status of a completion */
#define PCI_ATS_TYPES(X, P)                                                    \
    X(P, UNTRANSLATED, 0)                                                      \
    X(P, TRANSLATION,  1)                                                      \
    X(P, TRANSLATED,   2)
#define PCI_COMPLETIONS(X, P)                                                  \
    X(P, SUCCESS, 0)                                                           \
    X(P, UR,      1) /* unsupported request */                                 \
    X(P, CA,      4) /* completer abort */
UIM_CODES(pci_at, PCI_AT, PCI_ATS_TYPES);
UIM_CODES(pci_completion, PCI_COMPLETION, PCI_COMPLETIONS);

#define PCI_LIMITS(X, P)                                                       \
    X(P, ATS_MAX_QUEUE_DEPTH, 32)                                              \
    X(P, ATS_MIN_STU_SHIFT,   12)                                              \
    X(P, CONFIG_SIZE,         0x100)                                           \
    X(P, EXT_CONFIG_START,    0x100)                                           \
    X(P, EXT_CONFIG_SIZE,     0x1000)
UIM_CODES(pci_limit, PCI, PCI_LIMITS);

/* X(C prefix, list, structure, word) */
#define PCI_LAYOUTS(X)                                                         \
    X(pci_command,        PCI_COMMAND,        "pci_command",        0)         \
    X(pci_status,         PCI_STATUS,         "pci_status",         0)         \
    X(pci_class_revision, PCI_CLASS_REVISION, "pci_class_revision", 0)         \
    X(pci_header_type,    PCI_HEADER_TYPE,    "pci_header_type",    0)         \
    X(pci_cap_header,     PCI_CAP_HEADER,     "pci_cap_header",     0)         \
    X(pci_ext_cap_header, PCI_EXT_CAP_HEADER, "pci_ext_cap_header", 0)         \
    X(pci_ats_cap,        PCI_ATS_CAP,        "pci_ats_cap",        0)         \
    X(pci_ats_ctrl,       PCI_ATS_CTRL,       "pci_ats_ctrl",       0)         \
    X(pci_pri_ctrl,       PCI_PRI_CTRL,       "pci_pri_ctrl",       0)         \
    X(pci_pri_status,     PCI_PRI_STATUS,     "pci_pri_status",     0)         \
    X(pci_pri_max_req,    PCI_PRI_MAX_REQ,    "pci_pri_max_req",    0)         \
    X(pci_pri_alloc_req,  PCI_PRI_ALLOC_REQ,  "pci_pri_alloc_req",  0)         \
    X(pci_pasid_cap,      PCI_PASID_CAP,      "pci_pasid_cap",      0)         \
    X(pci_pasid_ctrl,     PCI_PASID_CTRL,     "pci_pasid_ctrl",     0)         \
    X(pci_acs_cap,        PCI_ACS_CAP,        "pci_acs_cap",        0)         \
    X(pci_acs_ctrl,       PCI_ACS_CTRL,       "pci_acs_ctrl",       0)         \
    X(pci_ari_cap,        PCI_ARI_CAP,        "pci_ari_cap",        0)         \
    X(pci_ari_ctrl,       PCI_ARI_CTRL,       "pci_ari_ctrl",       0)         \
    X(pci_sriov_cap,      PCI_SRIOV_CAP,      "pci_sriov_cap",      0)         \
    X(pci_sriov_ctrl,     PCI_SRIOV_CTRL,     "pci_sriov_ctrl",     0)         \
    X(pci_sriov_status,   PCI_SRIOV_STATUS,   "pci_sriov_status",   0)         \
    X(pci_sriov_vf_migration_array, PCI_SRIOV_VF_MIGRATION_ARRAY,              \
      "pci_sriov_vf_migration_array", 0)                                       \
    X(pci_exp_flags,      PCI_EXP_FLAGS,      "pci_exp_flags",      0)         \
    X(pci_exp_devcap2,    PCI_EXP_DEVCAP2,    "pci_exp_devcap2",    0)         \
    X(pci_exp_devctl2,    PCI_EXP_DEVCTL2,    "pci_exp_devctl2",    0)         \
    X(pci_msi_flags,      PCI_MSI_FLAGS,      "pci_msi_flags",      0)         \
    X(pci_msix_flags,     PCI_MSIX_FLAGS,     "pci_msix_flags",     0)         \
    X(pci_msix_table,     PCI_MSIX_TABLE,     "pci_msix_table",     0)         \
    X(pci_msix_pba,       PCI_MSIX_PBA,       "pci_msix_pba",       0)         \
    X(pci_msix_entry_lo,  PCI_MSIX_ENTRY_LO,  "pci_msix_entry",     0)         \
    X(pci_msix_entry_hi,  PCI_MSIX_ENTRY_HI,  "pci_msix_entry",     1)         \
    X(pci_ats_translation, PCI_ATS_TRANSLATION, "pci_ats_translation", 0)      \
    X(pci_ats_invalidate, PCI_ATS_INVALIDATE, "pci_ats_invalidate", 0)         \
    X(pci_page_request,   PCI_PAGE_REQUEST,   "pci_page_request",   0)         \
    X(pci_prg_response,   PCI_PRG_RESPONSE,   "pci_prg_response",   0)         \
    X(pci_pasid_prefix,   PCI_PASID_PREFIX,   "pci_pasid_prefix",   0)

/* X(set, prefix of the members, list) */
#define PCI_CODE_SETS(X)                                                       \
    X("header_type",  PCI_HEADER,     PCI_HEADER_TYPES)                        \
    X("cap_id",       PCI_CAP,        PCI_CAPS)                                \
    X("ext_cap_id",   PCI_EXT_CAP,    PCI_EXT_CAPS)                            \
    X("acs_bit",      PCI_ACS,        PCI_ACS_BITS)                            \
    X("acs_target",   PCI_ACS_TARGET, PCI_ACS_TARGETS)                         \
    X("exp_type",     PCI_EXP_TYPE,   PCI_EXP_TYPES)                           \
    X("prg_response", PCI_PRG,        PCI_PRGS)                                \
    X("address_type", PCI_AT,         PCI_ATS_TYPES)                           \
    X("completion",   PCI_COMPLETION, PCI_COMPLETIONS)                         \
    X("limit",        PCI,            PCI_LIMITS)

/* clang-format on */
#endif
