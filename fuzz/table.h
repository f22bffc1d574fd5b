/* SPDX-License-Identifier: MIT */
/*
 * table.h - an input as a firmware table. The first byte says whether length
 * and checksum are put right, so that inputs get past the header; but an input
 * that begins as the table does is taken as it is, sealed.
 */
#ifndef UIM_FUZZ_TABLE_H
#define UIM_FUZZ_TABLE_H

#include "fuzz/fuzz.h"

enum { FUZZ_TABLE_HEADER = 36 };

static inline void fuzz_seal(uint8_t *table, size_t size, const char *signature)
{
    uint8_t sum = 0;

    memcpy(table, signature, 4);
    for (unsigned i = 0; i < 4; i++)
        table[4 + i] = (uint8_t)(size >> 8 * i);
    table[9] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

/* In memory of its own, so that a sanitizer sees what is behind; *size is 1 at
 * least, and becomes that of the table. */
static inline uint8_t *fuzz_table(const uint8_t *data, size_t *size,
                                  const char *signature)
{
    const bool real = data[0] == (uint8_t)signature[0];
    const bool sealed = real || data[0] & 1;
    uint8_t *table;

    if (!real) {
        data++;
        --*size;
    }
    table = malloc(*size + !*size);
    memcpy(table, data, *size);
    if (sealed && *size >= FUZZ_TABLE_HEADER)
        fuzz_seal(table, *size, signature);
    return table;
}

#endif
