/* SPDX-License-Identifier: MIT */
/*
 * domain.h - a paging domain of a format, attached to nothing, on a simulated
 * machine that does not watch itself. Where rows get what they measure from.
 */
#ifndef UIM_BENCH_DOMAIN_H
#define UIM_BENCH_DOMAIN_H

#include <uiommu/uiommu.h>

struct machine;

struct bench_domain {
    struct uiommu_domain *domain;
    uint64_t last_iova;
    uint64_t page, large; /* smallest leaf; next larger, which a table spans */
    /* how it came about */
    struct machine *machine;
    struct uiommu *u;
    struct uiommu_device *device;
};

/* Names of formats, NULL-terminated. */
extern const char *const bench_formats[];

/* False: it could not, and `error` says why. */
bool bench_domain_open(const char *format, struct bench_domain *out,
                       char *error, size_t size);
void bench_domain_close(struct bench_domain *d);

#endif
