/* SPDX-License-Identifier: MIT */
/*
 * machine_up.h - uiommu on a machine of hosts/: started from its firmware table, with its
 * devices, and with a domain for an engine.
 */
#ifndef UIM_TOOLS_MACHINE_UP_H
#define UIM_TOOLS_MACHINE_UP_H

#include "hosts/machine.h"

/* With every driver, and interrupts remapped, else as `wanted`. *u is written as soon as there is one: what
 * fails after that leaves it to be destroyed. */
enum uiommu_status machine_start(struct machine *m,
                                 const struct uiommu_config *wanted,
                                 struct uiommu **u);

/* The machine's device i; those before it are in `device`. */
enum uiommu_status machine_add_device(struct machine *m, struct uiommu *u,
                                      unsigned i,
                                      struct uiommu_device **device);

/* The engine `dev` sees a page at `iova`, and what it needs to work at all. *out is written
 * as soon as there is a domain: it is the caller's whatever comes after. */
enum uiommu_status machine_page(struct machine *m, unsigned dev,
                                struct uiommu_endpoint *ep,
                                const struct uiommu_domain_config *config,
                                uint64_t iova, uint64_t phys,
                                struct uiommu_domain **out);

#endif
