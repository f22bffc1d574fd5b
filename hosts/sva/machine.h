/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a simulated machine with uiommu on it, and two engines that use address
 * spaces of providers. All devices do as they like without a PASID.
 */
#ifndef UIM_HOSTS_SVA_MACHINE_H
#define UIM_HOSTS_SVA_MACHINE_H

#include "hosts/sva/engine.h"

enum { SVA_ENGINES = 2, SVA_DEVICES = 8 };

struct sva_machine {
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device[SVA_DEVICES];
    unsigned n_devices;
    struct sva_engine engine[SVA_ENGINES];
    struct uiommu_endpoint *bound[SVA_ENGINES]; /* NULL: to nothing         */
    bool started;
    _Atomic unsigned faults;                    /* that units recorded      */
};

/** As configured, with PASIDs and page requests. False: a sentence in error[size], and
 * nothing is left. */
bool sva_machine_open(struct sva_machine *s, const struct sim_config *config,
                      char *error, size_t size);

/** Engine n sees the provider's address space, until it is unbound. */
UIOMMU_MUST_CHECK enum uiommu_status
sva_machine_bind(struct sva_machine *s, unsigned n,
                 struct uiommu_provider *provider);
UIOMMU_MUST_CHECK enum uiommu_status sva_machine_unbind(struct sva_machine *s,
                                                        unsigned n);

/** Nothing is bound any more. How much was left over, or wrong (sim_close()). */
unsigned sva_machine_close(struct sva_machine *s);

#endif
