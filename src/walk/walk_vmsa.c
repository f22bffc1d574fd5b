/* SPDX-License-Identifier: MIT */
/*
 * walk_vmsa.c - Arm VMSAv8-64 (DDI0487, D8.3), as SMMUv3 reads it.
 *
 * What the manual calls RES0 counts as reserved here, although units need not
 * look: params->unreserved says what one does not. A leaf with DBM may be
 * written: as a unit takes it that sets the dirty state (HD).
 */
#include "walk/walk.h"

#include "spec/vmsa.h"

/* vmsa_table_addr_HIGH and _LOW, which can stand in an initializer. */
#define PLACE(P, n, hi, lo) P##_##n##_HIGH = (hi), P##_##n##_LOW = (lo),
enum { VMSA_ANY(PLACE, vmsa_any) VMSA_TABLE(PLACE, vmsa_table) };
enum { VMSA_S1_LEAF(PLACE, vmsa_s1_leaf) VMSA_S2_LEAF(PLACE, vmsa_s2_leaf) };
enum { VMSA_OA_64K(PLACE, vmsa_oa_64k) VMSA_OA_DS(PLACE, vmsa_oa_ds) };
#define BITS(field) UIM_MASK(field##_HIGH, field##_LOW)

/* A code in a field. */
#define CODE(field, code) ((uint64_t)(code) << field##_LOW)

#define S1_RIGHTS                                                              \
    .leaf = { .user = CODE(vmsa_s1_leaf_ap, VMSA_AP_UNPRIVILEGED),             \
              .no_write = CODE(vmsa_s1_leaf_ap, VMSA_AP_READ_ONLY),            \
              .no_exec = BITS(vmsa_s1_leaf_uxn) },                             \
    .table = { .no_user =                                                      \
                   CODE(vmsa_table_aptable, VMSA_APTABLE_NO_UNPRIVILEGED),     \
               .no_write = CODE(vmsa_table_aptable, VMSA_APTABLE_NO_WRITE),    \
               .no_exec = BITS(vmsa_table_uxntable) },                         \
    .clean = CODE(vmsa_s1_leaf_ap, VMSA_AP_READ_ONLY)

/* XN of EL1 alone is not asked for: `exec` is of unprivileged accesses. */
#define S2_RIGHTS                                                              \
    .leaf = { .read = CODE(vmsa_s2_leaf_s2ap, VMSA_S2AP_READ),                 \
              .write = CODE(vmsa_s2_leaf_s2ap, VMSA_S2AP_WRITE),               \
              .no_exec = CODE(vmsa_s2_leaf_xn, VMSA_XN_NONE) },                \
    .dirty = CODE(vmsa_s2_leaf_s2ap, VMSA_S2AP_WRITE)

#define BOTH_STAGES                                                            \
    .present = BITS(vmsa_any_valid), .next = BITS(vmsa_any_type),              \
    .accessed = BITS(vmsa_s1_leaf_af), .modify = BITS(vmsa_s1_leaf_dbm),       \
    .run = BITS(vmsa_s1_leaf_contiguous), .holes = true

/* Where addresses are. */
#define OA_4K                                                                  \
    .page_lg2 = 12, .run_lg2 = { 4, 4, 4 }, .address = UIM_MASK(47, 12)
#define OA_16K .page_lg2 = 14, .run_lg2 = { 7, 5 }, .address = UIM_MASK(47, 14)
#define OA_64K                                                                 \
    .page_lg2 = 16, .run_lg2 = { 5, 5 },                                       \
    .address = BITS(vmsa_oa_64k_addr_47_16),                                   \
    .high = BITS(vmsa_oa_64k_addr_51_48),                                      \
    .high_up = 48 - vmsa_oa_64k_addr_51_48_LOW
#define OA_DS                                                                  \
    .high = BITS(vmsa_oa_ds_addr_51_50),                                       \
    .high_up = 50 - vmsa_oa_ds_addr_51_50_LOW
#define OA_4K_DS                                                               \
    .page_lg2 = 12, .run_lg2 = { 4, 4, 4 },                                    \
    .address = BITS(vmsa_oa_ds_addr_49_12), OA_DS
#define OA_16K_DS                                                              \
    .page_lg2 = 14, .run_lg2 = { 7, 5 },                                       \
    .address = UIM_MASK(vmsa_oa_ds_addr_49_12_HIGH, 14), OA_DS

/* Bits that are 0 in every entry, and those of the address below a leaf's size. */
#define TOP UIM_MASK(50, 48)
#define RES0_4K                                                                \
    .reserved_table = { TOP, TOP, TOP, TOP, TOP },                             \
    .reserved_leaf = { TOP, TOP | UIM_MASK(20, 12), TOP | UIM_MASK(29, 12) }
#define LOW (TOP | UIM_MASK(13, 12))
#define RES0_16K                                                               \
    .reserved_table = { LOW, LOW, LOW, LOW },                                  \
    .reserved_leaf = { LOW, TOP | UIM_MASK(24, 12) }
#define RES0_64K                                                               \
    .reserved_table = { TOP, TOP, TOP },                                       \
    .reserved_leaf = { TOP, TOP | UIM_MASK(28, 16), TOP | UIM_MASK(41, 16) }
#define DS UIM_BIT(50)
#define RES0_4K_DS                                                             \
    .reserved_table = { DS, DS, DS, DS, DS },                                  \
    .reserved_leaf = { DS, DS | UIM_MASK(20, 12), DS | UIM_MASK(29, 12),       \
                       DS | UIM_MASK(38, 12) }
#define LOW_DS (DS | UIM_MASK(13, 12))
#define RES0_16K_DS                                                            \
    .reserved_table = { LOW_DS, LOW_DS, LOW_DS, LOW_DS },                      \
    .reserved_leaf = { LOW_DS, DS | UIM_MASK(24, 12), DS | UIM_MASK(35, 12) }

const struct uim_walk_format uim_walk_vmsa_s1_4k = {
    .name = "vmsa_s1_4k",
    .levels = 4,
    BOTH_STAGES,
    S1_RIGHTS,
    OA_4K,
    RES0_4K,
};

const struct uim_walk_format uim_walk_vmsa_s1_16k = {
    .name = "vmsa_s1_16k",
    .levels = 4,
    BOTH_STAGES,
    S1_RIGHTS,
    OA_16K,
    RES0_16K,
};

const struct uim_walk_format uim_walk_vmsa_s1_64k = {
    .name = "vmsa_s1_64k",
    .levels = 3,
    BOTH_STAGES,
    S1_RIGHTS,
    OA_64K,
    RES0_64K,
};

const struct uim_walk_format uim_walk_vmsa_s1_4k_ds = {
    .name = "vmsa_s1_4k_ds",
    .levels = 5,
    BOTH_STAGES,
    S1_RIGHTS,
    OA_4K_DS,
    RES0_4K_DS,
};

const struct uim_walk_format uim_walk_vmsa_s1_16k_ds = {
    .name = "vmsa_s1_16k_ds",
    .levels = 4,
    BOTH_STAGES,
    S1_RIGHTS,
    OA_16K_DS,
    RES0_16K_DS,
};

const struct uim_walk_format uim_walk_vmsa_s2_4k = {
    .name = "vmsa_s2_4k",
    .levels = 4,
    BOTH_STAGES,
    S2_RIGHTS,
    OA_4K,
    RES0_4K,
};

const struct uim_walk_format uim_walk_vmsa_s2_16k = {
    .name = "vmsa_s2_16k",
    .levels = 3,
    BOTH_STAGES,
    S2_RIGHTS,
    OA_16K,
    RES0_16K,
};

const struct uim_walk_format uim_walk_vmsa_s2_64k = {
    .name = "vmsa_s2_64k",
    .levels = 3,
    BOTH_STAGES,
    S2_RIGHTS,
    OA_64K,
    RES0_64K,
};

const struct uim_walk_format uim_walk_vmsa_s2_4k_ds = {
    .name = "vmsa_s2_4k_ds",
    .levels = 4,
    BOTH_STAGES,
    S2_RIGHTS,
    OA_4K_DS,
    RES0_4K_DS,
};

const struct uim_walk_format uim_walk_vmsa_s2_16k_ds = {
    .name = "vmsa_s2_16k_ds",
    .levels = 4,
    BOTH_STAGES,
    S2_RIGHTS,
    OA_16K_DS,
    RES0_16K_DS,
};
