/* SPDX-License-Identifier: MIT */
/*
 * walk.h - page tables read as the hardware reads them.
 *
 * A format is data: one descriptor per format, one interpreter for all. This is
 * the second method beside the templates of src/pt, for models, audits, tools
 * and tests; it is never used to write tables. Levels are numbered as in pt.h.
 */
#ifndef UIM_WALK_WALK_H
#define UIM_WALK_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum { UIM_WALK_LEVELS = 5 };

struct uim_walk_format {
    const char *name;
    uint64_t present; /* an entry is present if it has any of these bits     */
    uint64_t large;   /* leaf above level 0                                  */
    uint64_t read;    /* 0: every present entry is readable                  */
    uint64_t write;
    uint64_t user; /* 0: no such bit; else absent = supervisor only       */
    uint64_t accessed;
    uint64_t dirty;     /* in leaves */
    uint64_t address; /* bits that can hold an address, before phys_bits     */
    uint8_t levels;     /* most it can have */
    bool canonical;   /* bits above the input width equal its top bit        */
    uint64_t
        reserved_table[UIM_WALK_LEVELS]; /* in present non-leaf entries   */
    uint64_t reserved_leaf[UIM_WALK_LEVELS];
};

extern const struct uim_walk_format uim_walk_vtd_ss; /* VT-d 9.9  */
extern const struct uim_walk_format uim_walk_vtd_fs; /* VT-d 9.8  */

/* A format as one unit has it. */
struct uim_walk_params {
    const struct uim_walk_format *format;
    uint64_t page_sizes; /* bit n; `large` elsewhere is a reserved bit        */
    uint64_t unreserved; /* reserved bits of leaves that this unit defines    */
    uint8_t top;         /* level of the root table                           */
    uint8_t phys_bits;   /* address bits at and above are reserved            */
};

enum uim_walk_kind {
    UIM_WALK_TABLE, /* address: of the next table                           */
    UIM_WALK_LEAF,  /* address: of the page's first byte                    */
    UIM_WALK_HOLE,  /* not present                                          */
    UIM_WALK_RESERVED, /* present, with a reserved bit set */
    UIM_WALK_FETCH, /* the entry could not be read                          */
    UIM_WALK_WIDTH, /* iova is wider than the tables                        */
};

struct uim_walk_entry {
    enum uim_walk_kind kind;
    uint64_t address;
    uint8_t lg2; /* leaf: log2 of the page size                          */
    bool read, write, user, accessed, dirty;
};

/* What one entry at `level` says. */
struct uim_walk_entry uim_walk_decode(const struct uim_walk_params *params,
                                      unsigned level, uint64_t entry);

/* True if iova fits the input width that params->top gives. */
bool uim_walk_fits(const struct uim_walk_params *params, uint64_t iova);

/* Bytes between the table's first entry and the one for iova at `level`. */
uint64_t uim_walk_offset(const struct uim_walk_params *params, unsigned level,
                         uint64_t iova);

/* log2 of the bytes one entry at `level` spans. */
unsigned uim_walk_shift(const struct uim_walk_params *params, unsigned level);

/* Reads 8 bytes, little-endian in memory, as a number. False: no such
 * memory. */
typedef bool (*uim_walk_read)(void *ctx, uint64_t phys, uint64_t *value);

struct uim_walk_result {
    struct uim_walk_entry end; /* read, write, user: ANDed over all levels;
                                * none if it did not begin                    */
    uint8_t level;             /* where it ended                              */
    uint64_t entry[UIM_WALK_LEVELS]; /* by level, from top down to level      */
    uint64_t entry_phys[UIM_WALK_LEVELS];
};

void uim_walk(const struct uim_walk_params *params, uim_walk_read read,
              void *ctx, uint64_t root, uint64_t iova,
              struct uim_walk_result *out);

#endif
