/* SPDX-License-Identifier: MIT */
/*
 * table.h - building a small ACPI table in a fixed buffer, by the byte layouts
 * of src/spec.
 */
#ifndef UIM_MODEL_TABLE_H
#define UIM_MODEL_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { UIM_TABLE_MAX = 512 };

struct uim_table {
    uint8_t data[UIM_TABLE_MAX];
    size_t len;
};

/* Starts with a header of the signature (4 characters) and `size` zero bytes in
 * all. */
void uim_table_begin(struct uim_table *t, const char *signature,
                     uint8_t revision, size_t size);
/* Appends zero bytes and returns where. What does not fit is an error of ours:
 * 0 is returned, the header's place. */
size_t uim_table_add(struct uim_table *t, size_t size);
/* `size` bytes at `at`, little-endian. */
void uim_table_put(struct uim_table *t, size_t at, unsigned size,
                   uint64_t value);
/* Fills in length and checksum; copies what fits, returns the length. */
size_t uim_table_end(struct uim_table *t, void *buf, size_t size);

#endif
