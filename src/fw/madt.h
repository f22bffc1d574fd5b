/* SPDX-License-Identifier: MIT */
/*
 * madt.h - the ITSs that a MADT names. Nothing else of the table is read.
 *
 * As with other tables uim_madt_check() comes first; after it returned OK the rest
 * may be asked anything, in any context.
 */
#ifndef UIM_FW_MADT_H
#define UIM_FW_MADT_H

#include "fw/fw.h"
#include "spec/madt.h"

/* Structures that may be passed over for one purpose. */
enum { UIM_MADT_WORK_MAX = 1 << 24 };

enum uiommu_status uim_madt_check(const void *table, size_t size,
                                  const struct uim_fw_log *log);

/* Where the registers of an ITS are. False: no structure says it, or none that
 * makes sense. */
bool uim_madt_its(const void *table, uint32_t id, uint64_t *base);

/* How many a search passes over at most. */
uint32_t uim_madt_structures(const void *table);

#endif
