/* SPDX-License-Identifier: MIT */
/*
 * audit.h - what the files of the audit share: memory that tables name, read without
 * believing them, and page tables of a domain.
 */
#ifndef UIM_CORE_AUDIT_H
#define UIM_CORE_AUDIT_H

#include "core/core.h"

/* Pages that are mapped at once, by memory_map. */
enum { UIM_AUDIT_VIEWS = 4 };

struct uim_audit_reader {
    const struct uiommu_host *host;
    uint64_t left;   /* words that may be read still                         */
    bool unmapped;   /* the host could not map a page                        */
    uint32_t clock;
    struct {
        uint64_t phys;
        const void *virt; /* NULL: not in use                                */
        uint32_t used;    /* by `clock`; that of longest ago is given up     */
    } view[UIM_AUDIT_VIEWS];
};

/* A uim_walk_read. May sleep. False too once `left` is 0. */
bool uim_audit_read(void *reader, uint64_t phys, uint64_t *value);
void uim_audit_close(struct uim_audit_reader *reader);

/* Looks at the page tables of `domain`, in domain->audited, as `sight` says that they are
 * read by `unit`; once in a turn. Its group's mutex is held, and u->lock. */
void uim_audit_mappings(const struct uim_unit_audit *unit,
                        struct uiommu_domain *domain,
                        const struct uim_sight *sight,
                        struct uim_audit_reader *reader, uint32_t turn);

#endif
