/* SPDX-License-Identifier: MIT */
/*
 * madt.h - the ACPI table of interrupt controllers, signature "APIC" (ACPI 6.5,
 * 5.2.12), as far as it says where interrupt messages go: the ITSs of a GIC; and
 * where in an ITS that is (Arm IHI 0069, 12.18).
 *
 * After the fixed part come structures, each with type and length in bytes.
 */
#ifndef UIM_SPEC_MADT_H
#define UIM_SPEC_MADT_H

#include "base/bits.h"
#include "spec/acpi.h"
#include "spec/codes.h"

/* clang-format off */

#define ACPI_MADT(B, P)                                                        \
    B(P, local_interrupt_controller, 36, 4) /* nothing of a GIC's */           \
    B(P, flags,                      40, 4)
UIM_BYTES(acpi_madt, ACPI_MADT);

/* Every structure */
#define ACPI_MADT_HEADER(B, P)                                                 \
    B(P, type,   0, 1) /* MADT_* */                                            \
    B(P, length, 1, 1)
UIM_BYTES(acpi_madt_header, ACPI_MADT_HEADER);

#define MADT_TYPES(X, P) X(P, GIC_ITS, 0xf)
UIM_CODES(madt_type, MADT, MADT_TYPES);

#define ACPI_MADT_GIC_ITS(B, P)                                                \
    B(P, reserved1,    2,  2)                                                  \
    B(P, its_id,       4,  4) /* as IORT's ITS groups have it */               \
    B(P, base_address, 8,  8) /* of its registers */                           \
    B(P, reserved2,    16, 4)
UIM_BYTES(acpi_madt_gic_its, ACPI_MADT_GIC_ITS);

enum { MADT_SIZE = 44, MADT_HEADER_SIZE = 2, MADT_GIC_ITS_SIZE = 20 };

/* The frame of an ITS that messages are written to, and the register there. */
enum {
    GITS_TRANSLATER_FRAME = 0x10000,
    GITS_TRANSLATER_FRAME_SIZE = 0x10000,
    GITS_TRANSLATER = 0x40,
};

/* X(C prefix, list, structure) */
#define MADT_BYTE_LAYOUTS(X)                                                   \
    X(acpi_madt,         ACPI_MADT,         "acpi_madt")                       \
    X(acpi_madt_header,  ACPI_MADT_HEADER,  "acpi_madt_header")                \
    X(acpi_madt_gic_its, ACPI_MADT_GIC_ITS, "acpi_madt_gic_its")

/* X(set, prefix, list) */
#define MADT_CODE_SETS(X) X("madt_type", MADT, MADT_TYPES)

/* clang-format on */
#endif
