/* SPDX-License-Identifier: MIT */
/*
 * iort_table.h - an IORT table in the making. Each call adds a node and gives
 * back its offset in the table; mappings and regions go to the node added last,
 * regions before mappings.
 */
#ifndef TESTS_FW_IORT_TABLE_H
#define TESTS_FW_IORT_TABLE_H

#include "fw/iort.h"
#include "table.h"

enum { IORT_SINGLE = 1 }; /* flags of a mapping */
/* And of reserved memory. */
enum { IORT_REMAP = 1, IORT_PRIVILEGED = 2, IORT_ATTRIBUTES = 2 /* shift */ };

void iort(struct table *t, unsigned revision);
uint32_t iort_its(struct table *t, unsigned n, uint32_t first_id);
uint32_t iort_component(struct table *t, const char *name);
uint32_t iort_root(struct table *t, unsigned revision, unsigned segment);
uint32_t iort_smmu(struct table *t, uint64_t base);
uint32_t iort_smmu_v3(struct table *t, unsigned revision, uint64_t base);
uint32_t iort_pmcg(struct table *t, uint32_t of);
uint32_t iort_rmr(struct table *t, unsigned flags);
uint32_t iort_unknown(struct table *t, unsigned type, unsigned length);

void iort_region(struct table *t, uint64_t base, uint64_t length);
void iort_map(struct table *t, uint32_t input, uint32_t count, uint32_t output,
              uint32_t reference, unsigned flags);

/* The table, which has to be one. */
struct blob iort_finish(struct table *t);

#define OWNED(unit, id) ((int64_t)((uint64_t)(unit) << 32 | (id)))

/* The index-th id of a device: unit << 32 | id, or -status. */
int64_t iort_id_of(const struct blob *b, const struct uim_fw_device *d,
                   unsigned index);

/* Bytes of the node added last. */
void iort_set(struct table *t, unsigned offset, unsigned size, uint64_t value);

#endif
