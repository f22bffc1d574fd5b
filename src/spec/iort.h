/* SPDX-License-Identifier: MIT */
/*
 * iort.h - the ACPI table of Arm's I/O remapping (DEN0049, revisions A to E.f).
 *
 * The fixed part says how many nodes there are and where the first one is; each
 * node has its type and length, and most have an array of id mappings. Nodes
 * and arrays need not be aligned. Fields that came with a later revision of a
 * node are only there where the node says that it has this revision.
 */
#ifndef UIM_SPEC_IORT_H
#define UIM_SPEC_IORT_H

#include "base/bits.h"
#include "spec/acpi.h"
#include "spec/codes.h"

/* clang-format off */

#define ACPI_IORT(B, P)                                                        \
    B(P, node_count,  36, 4)                                                   \
    B(P, node_offset, 40, 4)                                                   \
    B(P, reserved,    44, 4)
UIM_BYTES(acpi_iort, ACPI_IORT);

/* Every node */
#define ACPI_IORT_NODE_HEADER(B, P)                                            \
    B(P, type,           0,  1) /* IORT_NODE_* */                              \
    B(P, length,         1,  2)                                                \
    B(P, revision,       3,  1)                                                \
    B(P, identifier,     4,  4)                                                \
    B(P, mapping_count,  8,  4)                                                \
    B(P, mapping_offset, 12, 4) /* from the start of the node */
UIM_BYTES(acpi_iort_node_header, ACPI_IORT_NODE_HEADER);

#define IORT_NODE_TYPES(X, P)                                                  \
    X(P, ITS_GROUP,        0)                                                  \
    X(P, NAMED_COMPONENT,  1)                                                  \
    X(P, PCI_ROOT_COMPLEX, 2)                                                  \
    X(P, SMMU,             3) /* version 1 or 2 */                             \
    X(P, SMMU_V3,          4)                                                  \
    X(P, PMCG,             5)                                                  \
    X(P, RMR,              6)
UIM_CODES(iort_node_type, IORT_NODE, IORT_NODE_TYPES);

/* One range of ids, and what it becomes at another node */
#define ACPI_IORT_ID_MAPPING(B, P)                                             \
    B(P, input_base,       0,  4)                                              \
    B(P, id_count,         4,  4) /* minus 1 */                                \
    B(P, output_base,      8,  4)                                              \
    B(P, output_reference, 12, 4) /* of a node, from the start of the table */ \
    B(P, flags,            16, 4)
UIM_BYTES(acpi_iort_id_mapping, ACPI_IORT_ID_MAPPING);

#define ACPI_IORT_ID_MAPPING_FLAGS(F, P) F(P, single_mapping, 0, 0)
UIM_LAYOUT(acpi_iort_id_mapping_flags, ACPI_IORT_ID_MAPPING_FLAGS);

#define ACPI_IORT_ITS_GROUP(B, P)                                              \
    B(P, its_count,   16, 4)                                                   \
    B(P, identifiers, 20, 0) /* 4 bytes each */
UIM_BYTES(acpi_iort_its_group, ACPI_IORT_ITS_GROUP);

/* A device known by its ACPI name, which ends in NUL */
#define ACPI_IORT_NAMED_COMPONENT(B, P)                                        \
    B(P, node_flags,           16, 4)                                          \
    B(P, memory_properties,    20, 8)                                          \
    B(P, memory_address_limit, 28, 1) /* bits */                               \
    B(P, device_name,          29, 0)
UIM_BYTES(acpi_iort_named_component, ACPI_IORT_NAMED_COMPONENT);

#define ACPI_IORT_NAMED_COMPONENT_FLAGS(F, P)                                  \
    F(P, pasid_bits,      5, 1)                                                \
    F(P, stall_supported, 0, 0)
UIM_LAYOUT(acpi_iort_named_component_flags, ACPI_IORT_NAMED_COMPONENT_FLAGS);

#define ACPI_IORT_ROOT_COMPLEX(B, P)                                           \
    B(P, memory_properties,    16, 8)                                          \
    B(P, ats_attribute,        24, 4)                                          \
    B(P, pci_segment,          28, 4)                                          \
    B(P, memory_address_limit, 32, 1) /* from revision 1 on */                 \
    B(P, pasid_capabilities,   33, 2) /* from revision 3 on */                 \
    B(P, reserved,             35, 1)                                          \
    B(P, flags,                36, 4) /* from revision 4 on */
UIM_BYTES(acpi_iort_root_complex, ACPI_IORT_ROOT_COMPLEX);

#define ACPI_IORT_ROOT_COMPLEX_ATS(F, P)                                       \
    F(P, pasid_fwd_supported, 2, 2)                                            \
    F(P, pri_supported,       1, 1)                                            \
    F(P, ats_supported,       0, 0)
#define ACPI_IORT_ROOT_COMPLEX_PASID(F, P) F(P, max_pasid_width, 4, 0)
#define ACPI_IORT_ROOT_COMPLEX_FLAGS(F, P) F(P, pasid_supported, 0, 0)
UIM_LAYOUT(acpi_iort_root_complex_ats, ACPI_IORT_ROOT_COMPLEX_ATS);
UIM_LAYOUT(acpi_iort_root_complex_pasid, ACPI_IORT_ROOT_COMPLEX_PASID);
UIM_LAYOUT(acpi_iort_root_complex_flags, ACPI_IORT_ROOT_COMPLEX_FLAGS);

/* memory_properties of a root complex or named component */
#define ACPI_IORT_MEMORY_ACCESS(B, P)                                          \
    B(P, cache_coherency, 0, 4)                                                \
    B(P, hints,           4, 1)                                                \
    B(P, reserved,        5, 2)                                                \
    B(P, memory_flags,    7, 1)
UIM_BYTES(acpi_iort_memory_access, ACPI_IORT_MEMORY_ACCESS);

#define ACPI_IORT_MEMORY_ACCESS_HINTS(F, P)                                    \
    F(P, override,       3, 3)                                                 \
    F(P, read_allocate,  2, 2)                                                 \
    F(P, write_allocate, 1, 1)                                                 \
    F(P, transient,      0, 0)
#define ACPI_IORT_MEMORY_ACCESS_FLAGS(F, P)                                    \
    F(P, canwbs, 2, 2)                                                         \
    F(P, dacs,   1, 1)                                                         \
    F(P, cpm,    0, 0)
UIM_LAYOUT(acpi_iort_memory_access_hints, ACPI_IORT_MEMORY_ACCESS_HINTS);
UIM_LAYOUT(acpi_iort_memory_access_flags, ACPI_IORT_MEMORY_ACCESS_FLAGS);

#define ACPI_IORT_SMMU(B, P)                                                   \
    B(P, base_address,             16, 8)                                      \
    B(P, span,                     24, 8)                                      \
    B(P, model,                    32, 4) /* IORT_SMMU_MODEL_* */              \
    B(P, flags,                    36, 4)                                      \
    B(P, global_interrupt_offset,  40, 4)                                      \
    B(P, context_interrupt_count,  44, 4)                                      \
    B(P, context_interrupt_offset, 48, 4)                                      \
    B(P, pmu_interrupt_count,      52, 4)                                      \
    B(P, pmu_interrupt_offset,     56, 4)                                      \
    B(P, interrupts,               60, 0)
UIM_BYTES(acpi_iort_smmu, ACPI_IORT_SMMU);

#define ACPI_IORT_SMMU_FLAGS(F, P)                                             \
    F(P, coherent_walk, 1, 1)                                                  \
    F(P, dvm_supported, 0, 0)
UIM_LAYOUT(acpi_iort_smmu_flags, ACPI_IORT_SMMU_FLAGS);

#define IORT_SMMU_MODELS(X, P)                                                 \
    X(P, V1,              0)                                                   \
    X(P, V2,              1)                                                   \
    X(P, MMU400,          2)                                                   \
    X(P, MMU500,          3)                                                   \
    X(P, MMU401,          4)                                                   \
    X(P, CAVIUM_THUNDERX, 5)
UIM_CODES(iort_smmu_model, IORT_SMMU_MODEL, IORT_SMMU_MODELS);

#define ACPI_IORT_SMMU_V3(B, P)                                                \
    B(P, base_address,            16, 8)                                       \
    B(P, flags,                   24, 4)                                       \
    B(P, reserved,                28, 4)                                       \
    B(P, vatos_address,           32, 8)                                       \
    B(P, model,                   40, 4) /* IORT_SMMU_V3_MODEL_* */            \
    B(P, event_gsiv,              44, 4)                                       \
    B(P, pri_gsiv,                48, 4)                                       \
    B(P, gerr_gsiv,               52, 4)                                       \
    B(P, sync_gsiv,               56, 4)                                       \
    B(P, pxm,                     60, 4) /* from revision 1 on */              \
    B(P, device_id_mapping_index, 64, 4) /* from revision 1 on */
UIM_BYTES(acpi_iort_smmu_v3, ACPI_IORT_SMMU_V3);

#define ACPI_IORT_SMMU_V3_FLAGS(F, P)                                          \
    F(P, device_id_valid,  4, 4) /* from revision 5 on */                      \
    F(P, pxm_valid,        3, 3)                                               \
    F(P, httu_override,    2, 1) /* IORT_HTTU_* */                             \
    F(P, cohacc_override,  0, 0)
UIM_LAYOUT(acpi_iort_smmu_v3_flags, ACPI_IORT_SMMU_V3_FLAGS);

#define IORT_SMMU_V3_MODELS(X, P)                                              \
    X(P, GENERIC,          0)                                                  \
    X(P, HISILICON_HI161X, 1)                                                  \
    X(P, CAVIUM_CN99XX,    2)
UIM_CODES(iort_smmu_v3_model, IORT_SMMU_V3_MODEL, IORT_SMMU_V3_MODELS);

#define IORT_HTTU_OVERRIDES(X, P)                                              \
    X(P, NONE,         0)                                                      \
    X(P, ACCESS,       1)                                                      \
    X(P, ACCESS_DIRTY, 2)
UIM_CODES(iort_httu_override, IORT_HTTU, IORT_HTTU_OVERRIDES);

#define ACPI_IORT_PMCG(B, P)                                                   \
    B(P, page0_base_address, 16, 8)                                            \
    B(P, overflow_gsiv,      24, 4)                                            \
    B(P, node_reference,     28, 4)                                            \
    B(P, page1_base_address, 32, 8) /* from revision 1 on */
UIM_BYTES(acpi_iort_pmcg, ACPI_IORT_PMCG);

/* Memory that devices use for firmware; trusted from table revision 5 on */
#define ACPI_IORT_RMR(B, P)                                                    \
    B(P, flags,      16, 4)                                                    \
    B(P, rmr_count,  20, 4)                                                    \
    B(P, rmr_offset, 24, 4) /* from the start of the node */
#define ACPI_IORT_RMR_DESCRIPTOR(B, P)                                         \
    B(P, base_address, 0,  8)                                                  \
    B(P, length,       8,  8)                                                  \
    B(P, reserved,     16, 4)
UIM_BYTES(acpi_iort_rmr, ACPI_IORT_RMR);
UIM_BYTES(acpi_iort_rmr_descriptor, ACPI_IORT_RMR_DESCRIPTOR);

#define ACPI_IORT_RMR_FLAGS(F, P)                                              \
    F(P, access_attributes, 9, 2) /* IORT_RMR_* */                             \
    F(P, access_privilege,  1, 1)                                              \
    F(P, remap_permitted,   0, 0)
UIM_LAYOUT(acpi_iort_rmr_flags, ACPI_IORT_RMR_FLAGS);

#define IORT_RMR_ATTRIBUTES(X, P)                                              \
    X(P, DEVICE_NGNRNE,  0)                                                    \
    X(P, DEVICE_NGNRE,   1)                                                    \
    X(P, DEVICE_NGRE,    2)                                                    \
    X(P, DEVICE_GRE,     3)                                                    \
    X(P, NORMAL_NC,      4)                                                    \
    X(P, NORMAL_IWB_OWB, 5)
UIM_CODES(iort_rmr_access_attribute, IORT_RMR, IORT_RMR_ATTRIBUTES);

/* Table revision 0 has what revisions A to C say; 1 to 4 were drafts. */
enum { IORT_REVISION_RMR = 5 };

/* Length before the variable part; of nodes, as the first revision has it */
enum {
    IORT_SIZE = 48,
    IORT_NODE_HEADER_SIZE = 16,
    IORT_ID_MAPPING_SIZE = 20,
    IORT_ITS_GROUP_SIZE = 20,
    IORT_ITS_IDENTIFIER_SIZE = 4,
    IORT_NAMED_COMPONENT_SIZE = 29,
    IORT_ROOT_COMPLEX_SIZE = 32,
    IORT_ROOT_COMPLEX_SIZE_1 = 36, /* from revision 1 on */
    IORT_ROOT_COMPLEX_SIZE_4 = 40, /* from revision 4 on */
    IORT_SMMU_SIZE = 60,
    IORT_SMMU_V3_SIZE = 60,
    IORT_SMMU_V3_SIZE_1 = 68,      /* from revision 1 on */
    IORT_PMCG_SIZE = 32,
    IORT_PMCG_SIZE_1 = 40,         /* from revision 1 on */
    IORT_RMR_SIZE = 28,
    IORT_RMR_DESCRIPTOR_SIZE = 20
};

/* X(C prefix, list, structure) */
#define IORT_BYTE_LAYOUTS(X)                                                   \
    X(acpi_iort,              ACPI_IORT,              "acpi_iort")             \
    X(acpi_iort_node_header,  ACPI_IORT_NODE_HEADER,  "acpi_iort_node_header") \
    X(acpi_iort_id_mapping,   ACPI_IORT_ID_MAPPING,   "acpi_iort_id_mapping")  \
    X(acpi_iort_its_group,    ACPI_IORT_ITS_GROUP,    "acpi_iort_its_group")   \
    X(acpi_iort_named_component, ACPI_IORT_NAMED_COMPONENT,                    \
      "acpi_iort_named_component")                                             \
    X(acpi_iort_root_complex, ACPI_IORT_ROOT_COMPLEX,                          \
      "acpi_iort_root_complex")                                                \
    X(acpi_iort_memory_access, ACPI_IORT_MEMORY_ACCESS,                        \
      "acpi_iort_memory_access")                                               \
    X(acpi_iort_smmu,         ACPI_IORT_SMMU,         "acpi_iort_smmu")        \
    X(acpi_iort_smmu_v3,      ACPI_IORT_SMMU_V3,      "acpi_iort_smmu_v3")     \
    X(acpi_iort_pmcg,         ACPI_IORT_PMCG,         "acpi_iort_pmcg")        \
    X(acpi_iort_rmr,          ACPI_IORT_RMR,          "acpi_iort_rmr")         \
    X(acpi_iort_rmr_descriptor, ACPI_IORT_RMR_DESCRIPTOR,                      \
      "acpi_iort_rmr_descriptor")

/* X(C prefix, list, structure, word) */
#define IORT_LAYOUTS(X)                                                        \
    X(acpi_iort_id_mapping_flags, ACPI_IORT_ID_MAPPING_FLAGS,                  \
      "acpi_iort_id_mapping_flags", 0)                                         \
    X(acpi_iort_memory_access_hints, ACPI_IORT_MEMORY_ACCESS_HINTS,            \
      "acpi_iort_memory_access_hints", 0)                                      \
    X(acpi_iort_memory_access_flags, ACPI_IORT_MEMORY_ACCESS_FLAGS,            \
      "acpi_iort_memory_access_flags", 0)                                      \
    X(acpi_iort_named_component_flags, ACPI_IORT_NAMED_COMPONENT_FLAGS,        \
      "acpi_iort_named_component_flags", 0)                                    \
    X(acpi_iort_root_complex_ats, ACPI_IORT_ROOT_COMPLEX_ATS,                  \
      "acpi_iort_root_complex_ats", 0)                                         \
    X(acpi_iort_root_complex_pasid, ACPI_IORT_ROOT_COMPLEX_PASID,              \
      "acpi_iort_root_complex_pasid", 0)                                       \
    X(acpi_iort_root_complex_flags, ACPI_IORT_ROOT_COMPLEX_FLAGS,              \
      "acpi_iort_root_complex_flags", 0)                                       \
    X(acpi_iort_smmu_flags, ACPI_IORT_SMMU_FLAGS, "acpi_iort_smmu_flags", 0)   \
    X(acpi_iort_smmu_v3_flags, ACPI_IORT_SMMU_V3_FLAGS,                        \
      "acpi_iort_smmu_v3_flags", 0)                                            \
    X(acpi_iort_rmr_flags, ACPI_IORT_RMR_FLAGS, "acpi_iort_rmr_flags", 0)

/* X(set, prefix of the members, list) */
#define IORT_CODE_SETS(X)                                                      \
    X("iort_node_type",            IORT_NODE,          IORT_NODE_TYPES)        \
    X("iort_smmu_model",           IORT_SMMU_MODEL,    IORT_SMMU_MODELS)       \
    X("iort_smmu_v3_model",        IORT_SMMU_V3_MODEL, IORT_SMMU_V3_MODELS)    \
    X("iort_httu_override",        IORT_HTTU,          IORT_HTTU_OVERRIDES)    \
    X("iort_rmr_access_attribute", IORT_RMR,           IORT_RMR_ATTRIBUTES)

/* clang-format on */
#endif
