/* SPDX-License-Identifier: MIT */
/*
 * explain.h - what the explanation of a fault needs to know of one kind of unit,
 * and faults that were recorded elsewhere: in a log, in a dump of registers.
 */
#ifndef UIM_EXPLAIN_EXPLAIN_H
#define UIM_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uiommu/types.h>

#include "base/text.h"

/* One reason code. `why` ends a sentence that begins "... refused: ". `look` is
 * what to look at when that cannot be seen from the domain; NULL: nothing.
 * `causes`, NULL at its end, is what may lie behind it on any system, likely ones
 * first; NULL: nothing. */
struct uim_reason {
    uint32_t code;
    const char *name; /* the manual's */
    const char *why;
    const char *look;
    const char *const *causes;
};

/* A register that tells of the unit itself. `code` of an entry is a bit, or a
 * value of `field` where that is not 0. */
struct uim_status {
    const char *reg;   /* the manual's name                                  */
    const char *title; /* begins the sentence                                */
    const struct uim_reason *bits;
    unsigned n_bits;
    uint32_t field;
    uint32_t lost;      /* bits that say that records were lost               */
    uint32_t announces; /* those that say no more than that there are records */
    uint32_t index;     /* which record is the first: no condition            */
};

/* What is NULL does not exist for that kind of unit. */
struct uim_decoder {
    const char *driver; /* as in struct uiommu_fault                          */
    const struct uim_reason *reasons;
    unsigned n_reasons;
    const struct uim_status *status;
    unsigned n_status;
    /* Causes of a refusal that the page-table entry does not explain. */
    const char *const *allowed;
    uint8_t page_lg2, level_lg2; /* an entry at level n spans 2^(page_lg2 + n *
                                  * level_lg2) bytes; 64: that depends         */
    /* The request was an interrupt message, not DMA. */
    bool (*interrupt)(uint32_t reason);
    /* The record of such a request has its index. */
    bool (*has_index)(uint32_t reason);
    /* It is about the rights of a page. */
    bool (*rights)(uint32_t reason);
    /* Nothing was refused: the device says what it is going to do. */
    bool (*hint)(uint32_t reason);
    /* "scalable mode", if the reason tells; NULL: it does not. */
    const char *(*mode)(uint32_t reason);
};

extern const struct uim_decoder uim_decoder_vtd, uim_decoder_smmuv3;

/* NULL: not known. */
const struct uim_decoder *uim_decoder_of(const char *driver);
const struct uim_reason *uim_reason_of(const struct uim_decoder *d,
                                       uint32_t code);

/* ---- words that all sentences share --------------------------------------- */

const char *uim_access_name(unsigned access);
const char *uim_rights_name(unsigned rights);
/* " refused: ... [reason 05h, LGN.2]."; d may be NULL. */
void uim_put_why(struct uim_text *t, const struct uim_decoder *d,
                 uint32_t code);

/* ---- records --------------------------------------------------------------- */

enum uim_record_kind {
    UIM_RECORD_DMA,
    UIM_RECORD_INTERRUPT,
    UIM_RECORD_STATUS,   /* a status register, no record                    */
    UIM_RECORD_SOFTWARE, /* what software noticed: `reason` is one of below  */
};

enum uim_software {
    UIM_SOFTWARE_MAPPED_TWICE = 1,
    UIM_SOFTWARE_NO_COMPLETION, /* of commands                               */
    UIM_SOFTWARE_QUEUE_FULL,    /* of commands, and stays full               */
    UIM_SOFTWARE_PAGE_REQUEST,  /* that nobody handles                       */
};

/* Which members of a record there are. */
enum {
    UIM_HAS_REASON = 1u << 0,
    UIM_HAS_SOURCE = 1u << 1,
    UIM_HAS_SEGMENT = 1u << 2,
    UIM_HAS_ACCESS = 1u << 3,
    UIM_HAS_PASID = 1u << 4,
    UIM_HAS_ADDRESS = 1u << 5,
    UIM_HAS_RIGHTS = 1u << 6,
    UIM_HAS_STREAM = 1u << 7,
};

/* What else is recorded, by the manual's name. */
struct uim_detail {
    const char *name;
    const char *word; /* NULL: the value */
    uint64_t value;
};

enum { UIM_DETAILS_MAX = 8, UIM_CLIENT_SIZE = 40 };

struct uim_record {
    const char *driver;
    uint8_t kind;        /* enum uim_record_kind                            */
    uint8_t reg;         /* STATUS: index of the decoder's                   */
    unsigned has;
    struct uiommu_pci source;
    const char *name; /* of the source where it is no PCI function, or NULL */
    char client[UIM_CLIENT_SIZE]; /* what a log calls the source; "": nothing */
    uint32_t stream;     /* what an SMMU knows the source by                 */
    uint32_t reason;     /* STATUS: the register                             */
    uint32_t pasid;
    unsigned access;     /* UIOMMU_READ, _WRITE, both; 0: a page request     */
    uint64_t address;    /* INTERRUPT: the index                             */
    unsigned rights;     /* UIOMMU_READ, _WRITE: of the page-table entry, if a
                          * log has that too                                */
    uint32_t status;     /* DMA, INTERRUPT: the register next to it, or 0    */
    struct uim_detail details[UIM_DETAILS_MAX];
    unsigned n_details;
};

/* A detail; nothing happens where there is no room. */
void uim_record_add(struct uim_record *record, const char *name,
                    const char *word, uint64_t value);

/* As uiommu_explain_fault(), from what the record has. */
size_t uim_explain_record(const struct uim_record *record, char *buf,
                          size_t size);

/* What may lie behind it: up to `max` texts that live as long as the program. */
unsigned uim_record_causes(const struct uim_record *record, const char **out,
                           unsigned max);

/* NULL: it is no status, or not known of which register. */
const struct uim_status *uim_record_status(const struct uim_record *record);

/* A status that says no more than that there are records. */
bool uim_record_announces(const struct uim_record *record);

/* DMA or INTERRUPT, by the reason, with what the unit records of that. */
void uim_record_settle(struct uim_record *record);

/* A fault recording register of VT-d; false: it holds no record. */
bool uim_vtd_record(uint64_t lo, uint64_t hi, struct uim_record *out);

/* Registers of SMMUv3, as uim_record.reg */
enum {
    UIM_SMMUV3_GERROR, /* what of it is not acknowledged */
    UIM_SMMUV3_CMDQ_CONS,
    UIM_SMMUV3_EVENTQ_PROD,
    UIM_SMMUV3_PRIQ_PROD,
};

/* The first `n` words of an event of SMMUv3, at most 4; false: it is none. */
bool uim_smmuv3_record(const uint64_t *words, unsigned n,
                       struct uim_record *out);

#endif
