/* SPDX-License-Identifier: MIT */
/*
 * compare.h - the layouts of src/spec against a second transcription.
 *
 * Both sides become facts: in this file, in this layout, at this position,
 * there is this name. What is equal on both sides is settled. What is left is
 * paired by position (the names differ), or is on one side only. Each of these
 * differences needs an alias: a line of aliases.csv that says why.
 *
 * Positions are text: "word:high:low" of a field, "offset+size" of a byte
 * field, "offset/width" of a register, the value of a code. Names are compared
 * in lower case, with "_" for "." .
 */
#ifndef TESTS_SPEC_COMPARE_H
#define TESTS_SPEC_COMPARE_H

#include <stddef.h>

struct fact {
    char file[40], layout[64], position[24], name[64];
};

struct facts {
    struct fact *v;
    size_t n;
};

/*
 * One explained difference. Every column but reason may end in "*", for any
 * rest; "-" in ours or theirs says that this side has no such fact.
 */
struct alias {
    struct fact at; /* name: unused */
    char ours[64], theirs[64], reason[160];
    unsigned used; /* differences it has explained */
};

struct aliases {
    struct alias *v;
    size_t n;
};

enum difference_kind {
    DIFF_NAME,        /* same position, other name       */
    DIFF_ONLY_OURS,   /* src/spec has it, the CSV has not */
    DIFF_ONLY_THEIRS, /* the CSV has it, src/spec has not */
    DIFF_STALE,       /* an alias that explains nothing  */
    DIFF_KINDS
};

struct difference {
    enum difference_kind kind;
    const struct fact *ours, *theirs; /* NULL where there is none */
    const struct alias *alias;        /* of DIFF_STALE            */
};

typedef void difference_fn(void *ctx, const struct difference *d);

void facts_add_field(struct facts *f, const char *file, const char *layout,
                     unsigned word, const char *name, unsigned high,
                     unsigned low);
void facts_add_bytes(struct facts *f, const char *file, const char *layout,
                     const char *name, unsigned offset, unsigned size);
void facts_add_register(struct facts *f, const char *file, const char *layout,
                        const char *name, unsigned offset, unsigned width);
void facts_add_code(struct facts *f, const char *file, const char *set,
                    const char *name, unsigned value);
void facts_free(struct facts *f);

/*
 * Reads CSV text; the first row tells what kind of file it is. Returns 0, or
 * the number of the first row that cannot be understood. Facts of registers get
 * the layout `stem`.
 */
size_t facts_parse(struct facts *f, const char *file, const char *stem,
                   const char *text);
size_t aliases_parse(struct aliases *a, const char *text);
void aliases_free(struct aliases *a);

/* Reports what no alias explains, and counts in the aliases what they do. */
void facts_compare(const struct facts *ours, const struct facts *theirs,
                   struct aliases *aliases, difference_fn *report, void *ctx);

/* Reports aliases that have explained nothing. */
void aliases_stale(const struct aliases *aliases, difference_fn *report,
                   void *ctx);

#endif
