/* SPDX-License-Identifier: MIT */
/*
 * explain.h - what uiommu_explain_fault() needs to know of one kind of unit.
 */
#ifndef UIM_EXPLAIN_EXPLAIN_H
#define UIM_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

/* One reason code. `why` ends a sentence that begins "... refused: ". `look` is
 * what to look at when that cannot be seen from the domain; NULL: nothing. */
struct uim_reason {
    uint32_t code;
    const char *name; /* the manual's */
    const char *why;
    const char *look;
};

struct uim_decoder {
    const char *driver;           /* as in struct uiommu_fault             */
    const struct uim_reason *reasons;
    unsigned n_reasons;
    uint8_t page_lg2, level_lg2;  /* an entry at level n spans 2^(page_lg2 + n
                                   * * level_lg2) bytes                    */
    /* The request was an interrupt message, not DMA. */
    bool (*interrupt)(uint32_t reason);
};

extern const struct uim_decoder uim_decoder_vtd;

#endif
