/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - what all ACPI tables begin with (ACPI 6.5, 5.2.6).
 *
 * Tables are little-endian and not aligned; they are read through byte tables
 * (base/bits.h). A table is at least as long as its header says, its bytes add
 * up to 0 modulo 256.
 */
#ifndef UIM_SPEC_ACPI_H
#define UIM_SPEC_ACPI_H

#include "base/bits.h"

/* clang-format off */

#define ACPI_HEADER(B, P)                                                      \
    B(P, signature,        0,  4)                                              \
    B(P, length,           4,  4) /* of the whole table */                     \
    B(P, revision,         8,  1)                                              \
    B(P, checksum,         9,  1)                                              \
    B(P, oem_id,           10, 6)                                              \
    B(P, oem_table_id,     16, 8)                                              \
    B(P, oem_revision,     24, 4)                                              \
    B(P, creator_id,       28, 4)                                              \
    B(P, creator_revision, 32, 4)
UIM_BYTES(acpi_header, ACPI_HEADER);

enum { ACPI_HEADER_SIZE = 36 };

/* X(C prefix, list, structure) */
#define ACPI_BYTE_LAYOUTS(X) X(acpi_header, ACPI_HEADER, "acpi_header")

/* clang-format on */
#endif
