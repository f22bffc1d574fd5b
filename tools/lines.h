/* SPDX-License-Identifier: MIT */
/*
 * lines.h - faults in the text of a log.
 *
 * Each kind of IOMMU has a table of readers. A reader is tried wherever its
 * `start` stands, in whatever comes before it on the line (times, host names,
 * log levels), and reads what a fault of its format has. The text may be wrapped,
 * quoted, cut anywhere, and made of any bytes.
 */
#ifndef TOOLS_LINES_H
#define TOOLS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "explain/explain.h"

struct lines_text {
    const char *text;
    size_t size;
    size_t at;   /* <= size */
    size_t used; /* up to here reasons belong to a fault before them */
};

struct lines_reader {
    const char *start;
    /* `t` is behind `start`; *r is empty but for the driver. False: no fault. */
    bool (*read)(struct lines_text *t, struct uim_record *r);
};

struct lines_format {
    const char *driver;
    const struct lines_reader *readers;
    unsigned n;
};

extern const struct lines_format lines_vtd, lines_smmuv3;

/* Calls fn for each fault, in the order of the text. A status that only says that
 * there are records goes with the record behind it, if there is one. False: no
 * memory. */
bool lines_read(const char *text, size_t size,
                void (*fn)(void *ctx, const struct uim_record *r), void *ctx);

/* ---- for readers ---------------------------------------------------------- */

/* All of these go on behind what they read, or read nothing and say false. */

/* A space stands for any white space, at least one. */
bool lines_skip(struct lines_text *t, const char *literal);

/* Numbers are whole: they end at what is no letter or digit, or in `ends`. Digits at
 * the start of the next line belong to them if one of `ends` follows, spaces aside;
 * where that cannot be told there is no number. With a newline in `ends`, the end of
 * the text is one too. Hexadecimal ones may begin with 0x. */
bool lines_hex(struct lines_text *t, const char *ends, uint64_t *value);
bool lines_decimal(struct lines_text *t, const char *ends, uint64_t *value);

/* Exactly `n` hexadecimal digits, at most 16, without 0x; lines may break between. */
bool lines_digits(struct lines_text *t, unsigned n, uint64_t *value);

/* "00:1f.3", "0000:00:1f.3", "0x00:0x1f.3". */
bool lines_pci(struct lines_text *t, struct uim_record *r);

/* The rest of a register's name, with its index: "_REG[0]". False: too long. */
bool lines_name(struct lines_text *t);

/* The hexadecimal numbers on the rest of the line or up to a semicolon, `max` at
 * most, without labels; behind a word only those with 0x. One of more than 16 digits
 * is two, the high one first. *wide: some need more than 32 bits. */
unsigned lines_words(struct lines_text *t, uint64_t *words, unsigned max,
                     bool *wide);

#endif
