/* SPDX-License-Identifier: MIT */
/*
 * dmar.h - the ACPI table of Intel VT-d (D51397 rev 5.10, chapter 8).
 *
 * After the fixed part comes a list of structures, each with its type and
 * length; most end in a list of device scopes, and a scope ends in a path of
 * (device, function) pairs. Size 0 marks where such a list starts, and with it
 * the fixed length of what is before.
 */
#ifndef UIM_SPEC_DMAR_H
#define UIM_SPEC_DMAR_H

#include "base/bits.h"
#include "spec/acpi.h"
#include "spec/codes.h"

/* clang-format off */

/* 8.1 */
#define ACPI_DMAR(B, P)                                                        \
    B(P, host_address_width, 36, 1)  /* width - 1 */                           \
    B(P, flags,              37, 1)                                            \
    B(P, reserved,           38, 10)                                           \
    B(P, structures,         48, 0)
UIM_BYTES(acpi_dmar, ACPI_DMAR);

#define ACPI_DMAR_FLAGS(F, P)                                                  \
    F(P, dma_ctrl_platform_opt_in, 2, 2)                                       \
    F(P, x2apic_opt_out,           1, 1) /* if intr_remap */                   \
    F(P, intr_remap,               0, 0)
UIM_LAYOUT(acpi_dmar_flags, ACPI_DMAR_FLAGS);

/* 8.2: every structure */
#define ACPI_DMAR_SUB_HEADER(B, P)                                             \
    B(P, type,   0, 2) /* DMAR_* */                                            \
    B(P, length, 2, 2)
UIM_BYTES(acpi_dmar_sub_header, ACPI_DMAR_SUB_HEADER);

#define DMAR_TYPES(X, P)                                                       \
    X(P, DRHD, 0)                                                              \
    X(P, RMRR, 1)                                                              \
    X(P, ATSR, 2)                                                              \
    X(P, RHSA, 3)                                                              \
    X(P, ANDD, 4)                                                              \
    X(P, SATC, 5)                                                              \
    X(P, SIDP, 6)
UIM_CODES(dmar_type, DMAR, DMAR_TYPES);

/* 8.3: a remapping unit */
#define ACPI_DMAR_DRHD(B, P)                                                   \
    B(P, type,          0,  2)                                                 \
    B(P, length,        2,  2)                                                 \
    B(P, flags,         4,  1)                                                 \
    B(P, size,          5,  1)                                                 \
    B(P, segment,       6,  2)                                                 \
    B(P, register_base, 8,  8)                                                 \
    B(P, device_scope,  16, 0)
UIM_BYTES(acpi_dmar_drhd, ACPI_DMAR_DRHD);

#define ACPI_DMAR_DRHD_FLAGS(F, P) F(P, include_pci_all, 0, 0)
#define ACPI_DMAR_DRHD_SIZE(F, P) F(P, n, 3, 0) /* 2^n pages of registers */
UIM_LAYOUT(acpi_dmar_drhd_flags, ACPI_DMAR_DRHD_FLAGS);
UIM_LAYOUT(acpi_dmar_drhd_size, ACPI_DMAR_DRHD_SIZE);

/* 8.4: memory that devices use for firmware */
#define ACPI_DMAR_RMRR(B, P)                                                   \
    B(P, type,          0,  2)                                                 \
    B(P, length,        2,  2)                                                 \
    B(P, reserved,      4,  2)                                                 \
    B(P, segment,       6,  2)                                                 \
    B(P, base_address,  8,  8)                                                 \
    B(P, limit_address, 16, 8) /* last byte */                                 \
    B(P, device_scope,  24, 0)
UIM_BYTES(acpi_dmar_rmrr, ACPI_DMAR_RMRR);

/* 8.5: root ports that support ATS */
#define ACPI_DMAR_ATSR(B, P)                                                   \
    B(P, type,         0, 2)                                                   \
    B(P, length,       2, 2)                                                   \
    B(P, flags,        4, 1)                                                   \
    B(P, reserved,     5, 1)                                                   \
    B(P, segment,      6, 2)                                                   \
    B(P, device_scope, 8, 0)
UIM_BYTES(acpi_dmar_atsr, ACPI_DMAR_ATSR);

#define ACPI_DMAR_ATSR_FLAGS(F, P) F(P, all_ports, 0, 0) /* then no scopes */
UIM_LAYOUT(acpi_dmar_atsr_flags, ACPI_DMAR_ATSR_FLAGS);

/* 8.6: proximity of a unit */
#define ACPI_DMAR_RHSA(B, P)                                                   \
    B(P, type,             0,  2)                                              \
    B(P, length,           2,  2)                                              \
    B(P, reserved,         4,  4)                                              \
    B(P, register_base,    8,  8)                                              \
    B(P, proximity_domain, 16, 4)
UIM_BYTES(acpi_dmar_rhsa, ACPI_DMAR_RHSA);

/* 8.7: a device known by its ACPI name, which ends in NUL */
#define ACPI_DMAR_ANDD(B, P)                                                   \
    B(P, type,               0, 2)                                             \
    B(P, length,             2, 2)                                             \
    B(P, reserved,           4, 3)                                             \
    B(P, acpi_device_number, 7, 1)                                             \
    B(P, object_name,        8, 0)
UIM_BYTES(acpi_dmar_andd, ACPI_DMAR_ANDD);

/* 8.8: integrated devices with an address translation cache */
#define ACPI_DMAR_SATC(B, P)                                                   \
    B(P, type,         0, 2)                                                   \
    B(P, length,       2, 2)                                                   \
    B(P, flags,        4, 1)                                                   \
    B(P, reserved,     5, 1)                                                   \
    B(P, segment,      6, 2)                                                   \
    B(P, device_scope, 8, 0)
UIM_BYTES(acpi_dmar_satc, ACPI_DMAR_SATC);

#define ACPI_DMAR_SATC_FLAGS(F, P) F(P, atc_required, 0, 0)
UIM_LAYOUT(acpi_dmar_satc_flags, ACPI_DMAR_SATC_FLAGS);

/* 8.9: properties of integrated devices; replaces SATC */
#define ACPI_DMAR_SIDP(B, P)                                                   \
    B(P, type,         0, 2)                                                   \
    B(P, length,       2, 2)                                                   \
    B(P, reserved,     4, 2)                                                   \
    B(P, segment,      6, 2)                                                   \
    B(P, device_scope, 8, 0)
UIM_BYTES(acpi_dmar_sidp, ACPI_DMAR_SIDP);

/* 8.3.1: device scope; length = 6 + 2 per element of the path */
#define ACPI_DMAR_DEVICE_SCOPE(B, P)                                           \
    B(P, type,           0, 1) /* DMAR_SCOPE_* */                              \
    B(P, length,         1, 1)                                                 \
    B(P, flags,          2, 1) /* only in SIDP */                              \
    B(P, reserved,       3, 1)                                                 \
    B(P, enumeration_id, 4, 1)                                                 \
    B(P, start_bus,      5, 1)                                                 \
    B(P, path,           6, 0)
#define ACPI_DMAR_PATH_ENTRY(B, P)                                             \
    B(P, device,   0, 1)                                                       \
    B(P, function, 1, 1)
UIM_BYTES(acpi_dmar_device_scope, ACPI_DMAR_DEVICE_SCOPE);
UIM_BYTES(acpi_dmar_path_entry, ACPI_DMAR_PATH_ENTRY);

#define ACPI_DMAR_DEVICE_SCOPE_FLAGS(F, P)                                     \
    F(P, atc_required,                   4, 4)                                 \
    F(P, atc_hardened,                   3, 3)                                 \
    F(P, req_wo_pasid_pgsnp_notallowed,  2, 2)                                 \
    F(P, req_wo_pasid_pwsnp_notallowed,  1, 1)                                 \
    F(P, req_wo_pasid_nested_notallowed, 0, 0)
UIM_LAYOUT(acpi_dmar_device_scope_flags, ACPI_DMAR_DEVICE_SCOPE_FLAGS);

#define DMAR_SCOPE_TYPES(X, P)                                                 \
    X(P, ENDPOINT,  1)                                                         \
    X(P, BRIDGE,    2) /* and all below */                                     \
    X(P, IOAPIC,    3)                                                         \
    X(P, HPET,      4)                                                         \
    X(P, NAMESPACE, 5)
UIM_CODES(dmar_scope_type, DMAR_SCOPE, DMAR_SCOPE_TYPES);

/* Length before the variable part */
enum {
    DMAR_SIZE = 48,
    DMAR_SUB_HEADER_SIZE = 4,
    DMAR_DRHD_SIZE = 16,
    DMAR_RMRR_SIZE = 24,
    DMAR_ATSR_SIZE = 8,
    DMAR_RHSA_SIZE = 20,
    DMAR_ANDD_SIZE = 8,
    DMAR_SATC_SIZE = 8,
    DMAR_SIDP_SIZE = 8,
    DMAR_DEVICE_SCOPE_SIZE = 6,
    DMAR_PATH_ENTRY_SIZE = 2
};

/* X(C prefix, list, structure) */
#define DMAR_BYTE_LAYOUTS(X)                                                   \
    X(acpi_dmar,              ACPI_DMAR,              "acpi_dmar")             \
    X(acpi_dmar_sub_header,   ACPI_DMAR_SUB_HEADER,   "acpi_dmar_sub_header")  \
    X(acpi_dmar_drhd,         ACPI_DMAR_DRHD,         "acpi_dmar_drhd")        \
    X(acpi_dmar_rmrr,         ACPI_DMAR_RMRR,         "acpi_dmar_rmrr")        \
    X(acpi_dmar_atsr,         ACPI_DMAR_ATSR,         "acpi_dmar_atsr")        \
    X(acpi_dmar_rhsa,         ACPI_DMAR_RHSA,         "acpi_dmar_rhsa")        \
    X(acpi_dmar_andd,         ACPI_DMAR_ANDD,         "acpi_dmar_andd")        \
    X(acpi_dmar_satc,         ACPI_DMAR_SATC,         "acpi_dmar_satc")        \
    X(acpi_dmar_sidp,         ACPI_DMAR_SIDP,         "acpi_dmar_sidp")        \
    X(acpi_dmar_device_scope, ACPI_DMAR_DEVICE_SCOPE,                          \
      "acpi_dmar_device_scope")                                                \
    X(acpi_dmar_path_entry,   ACPI_DMAR_PATH_ENTRY,   "acpi_dmar_path_entry")

/* X(C prefix, list, structure, word) */
#define DMAR_LAYOUTS(X)                                                        \
    X(acpi_dmar_flags,      ACPI_DMAR_FLAGS,      "acpi_dmar_flags",      0)   \
    X(acpi_dmar_drhd_flags, ACPI_DMAR_DRHD_FLAGS, "acpi_dmar_drhd_flags", 0)   \
    X(acpi_dmar_drhd_size,  ACPI_DMAR_DRHD_SIZE,  "acpi_dmar_drhd_size",  0)   \
    X(acpi_dmar_atsr_flags, ACPI_DMAR_ATSR_FLAGS, "acpi_dmar_atsr_flags", 0)   \
    X(acpi_dmar_satc_flags, ACPI_DMAR_SATC_FLAGS, "acpi_dmar_satc_flags", 0)   \
    X(acpi_dmar_device_scope_flags, ACPI_DMAR_DEVICE_SCOPE_FLAGS,              \
      "acpi_dmar_device_scope_flags", 0)

/* X(set, prefix of the members, list) */
#define DMAR_CODE_SETS(X)                                                      \
    X("dmar_type",       DMAR,       DMAR_TYPES)                               \
    X("dmar_scope_type", DMAR_SCOPE, DMAR_SCOPE_TYPES)

/* clang-format on */
#endif
