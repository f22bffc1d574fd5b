/* SPDX-License-Identifier: MIT */
/*
 * table.h - firmware tables for tests: read from tests/corpus, or built piece
 * by piece. A finished table is in memory of exactly its size, so that a
 * sanitizer sees every byte read beyond it.
 */
#ifndef TESTS_FW_TABLE_H
#define TESTS_FW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw/fw.h"

#ifndef UIM_CORPUS_DIR
#define UIM_CORPUS_DIR "tests/corpus"
#endif

struct blob {
    uint8_t *data;
    size_t size;
};

/* A file below UIM_CORPUS_DIR; fails the test if it is not there. */
struct blob blob_read(const char *name);
/* Calls fn with every machine that has this table ("DMAR"); how many there
 * are. */
unsigned each_machine(const char *signature,
                      void (*fn)(const char *id, struct blob *table));
struct blob blob_copy(const void *data, size_t size);
void blob_free(struct blob *b);

/* Makes header length and checksum what they must be. */
void blob_seal(struct blob *b);

/* A DMAR table in the making. Scopes go to the structure added last. */
struct table {
    uint8_t bytes[4096];
    size_t size;
    size_t record;
};

void dmar(struct table *t, unsigned width, unsigned flags);
void drhd(struct table *t, unsigned flags, unsigned segment, uint64_t base);
void rmrr(struct table *t, unsigned segment, uint64_t base, uint64_t limit);
void atsr(struct table *t, unsigned flags, unsigned segment);
void rhsa(struct table *t, uint64_t base, unsigned domain);
void andd(struct table *t, unsigned number, const char *name);
void satc(struct table *t, unsigned flags, unsigned segment);
void sidp(struct table *t, unsigned segment);
void unknown(struct table *t, unsigned type, unsigned length);

/* path: "1c.4/0.0". scope_flags is for SIDP. */
void scope(struct table *t, unsigned type, unsigned id, unsigned bus,
           const char *path);
void scope_flags(struct table *t, unsigned type, unsigned flags, unsigned bus,
                 const char *path);

/* Sealed. */
struct blob table_end(struct table *t);

/* What a parser said. */
struct heard {
    char text[8192]; /* one sentence a line */
    unsigned errors, warnings;
};

struct uim_fw_log hear(struct heard *h);

#endif
