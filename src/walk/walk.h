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

/* Bits that say who may do what. All of them may be 0: not told. */
struct uim_walk_rights {
    uint64_t read, write, user, exec;             /* grant by being set      */
    uint64_t no_write, no_user, no_exec;          /* take away by being set  */
};

struct uim_walk_format {
    const char *name;
    uint64_t present; /* an entry is present if it has any of these bits     */
    uint64_t large;   /* leaf above level 0; 0: `next` says                  */
    uint64_t next;    /* table above level 0; has to be set at level 0, else
                       * it is a hole                                        */
    struct uim_walk_rights leaf, table; /* exec: of unprivileged accesses    */
    uint64_t accessed;
    uint64_t dirty;     /* in leaves */
    uint64_t clean;     /* the same the other way round: clear is dirty      */
    uint64_t modify;    /* leaf: may be written, although it does not say so;
                         * being written makes it dirty                      */
    uint64_t address; /* bits that can hold an address, before phys_bits     */
    uint64_t high;    /* bits that hold higher bits of the address,          */
    uint8_t high_up;  /* so far above where they are                         */
    uint8_t page_lg2; /* log2 of a table's size and of the smallest leaf's   */
    uint8_t levels;     /* most it can have */
    bool canonical;   /* bits above the input width equal its top bit        */
    bool holes;       /* leaves of other sizes than the unit's are holes     */
    uint64_t run;     /* marks leaves of a run, which is as large a leaf,    */
    uint8_t run_lg2[UIM_WALK_LEVELS]; /* of 2^n; 0: not at this level        */
    uint64_t
        reserved_table[UIM_WALK_LEVELS]; /* in present non-leaf entries   */
    uint64_t reserved_leaf[UIM_WALK_LEVELS];
};

extern const struct uim_walk_format uim_walk_vtd_ss; /* VT-d 9.9  */
extern const struct uim_walk_format uim_walk_vtd_fs; /* VT-d 9.8  */

/* VMSAv8-64 by stage and granule; _ds: 52-bit addresses with small granules.  */
extern const struct uim_walk_format uim_walk_vmsa_s1_4k, uim_walk_vmsa_s1_16k,
    uim_walk_vmsa_s1_64k, uim_walk_vmsa_s1_4k_ds, uim_walk_vmsa_s1_16k_ds;
extern const struct uim_walk_format uim_walk_vmsa_s2_4k, uim_walk_vmsa_s2_16k,
    uim_walk_vmsa_s2_64k, uim_walk_vmsa_s2_4k_ds, uim_walk_vmsa_s2_16k_ds;

/* A format as one unit has it. */
struct uim_walk_params {
    const struct uim_walk_format *format;
    uint64_t page_sizes; /* bit n; leaves of other sizes are reserved, or holes
                          * where the format says so                          */
    uint64_t unreserved; /* reserved bits of leaves that this unit defines    */
    uint8_t top;         /* level of the root table                           */
    uint8_t phys_bits;   /* address bits at and above are reserved            */
    uint8_t input_bits;  /* of addresses; 0: all that `top` tables translate.
                          * More: tables lie side by side at the root         */
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
    bool read, write, user, exec, accessed, dirty;
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
    struct uim_walk_entry end; /* read, write, user, exec: ANDed over all
                                * levels; none if it did not begin            */
    uint8_t level;             /* where it ended                              */
    uint64_t entry[UIM_WALK_LEVELS]; /* by level, from top down to level      */
    uint64_t entry_phys[UIM_WALK_LEVELS];
};

void uim_walk(const struct uim_walk_params *params, uim_walk_read read,
              void *ctx, uint64_t root, uint64_t iova,
              struct uim_walk_result *out);
/* *at, which is what was found at `from`, becomes what is found at iova. Entries that
 * lead to both are not read again. */
void uim_walk_on(const struct uim_walk_params *params, uim_walk_read read,
                 void *ctx, uint64_t root, uint64_t from, uint64_t iova,
                 struct uim_walk_result *at);

#endif
