/* SPDX-License-Identifier: MIT */
/*
 * paper.h - units on paper: they have a page-table format and no registers. What
 * uiommu does with domains that nothing is attached to needs no more, so that a
 * format is measured on every machine, whoever has hardware for it.
 *
 * Options: paper.format=NAME
 */
#ifndef UIM_BENCH_PAPER_H
#define UIM_BENCH_PAPER_H

#include <uiommu/uiommu.h>

extern const struct uiommu_driver bench_driver_paper;

#endif
