/* SPDX-License-Identifier: MIT */
/*
 * engine.h - an engine of a simulated machine that uses an address space: what it has no
 * translation of it asks for, and waits for the answer, while interrupts are delivered
 * and whoever asks is served by the same thread. One access at a time.
 */
#ifndef UIM_HOSTS_SVA_ENGINE_H
#define UIM_HOSTS_SVA_ENGINE_H

#include "hosts/sim/sim.h"

struct sva_engine {
    struct machine *m; /* delivers interrupts of units: on_irq               */
    struct uiommu *u;
    unsigned dev;
    uint32_t pasid;
    uint16_t group; /* of its next page request                              */
};

enum sva_access {
    SVA_DONE,
    SVA_NO_PAGE,  /* there is no translation with the right to it            */
    SVA_ABORTED,  /* there is, but who has the memory refused                */
    SVA_INVALID,  /* it was asked for, and cannot be had                     */
    SVA_FAILED,   /* the unit, a port or the device did not let it through,
                   * or nobody answered                                      */
};

/** One access that asks for nothing. */
enum sva_access sva_engine_try(struct sva_engine *e, bool write, uint64_t va,
                               void *buf, size_t size);

/** Ask for the page of `va`, UIOMMU_READ | UIOMMU_WRITE. DONE: it was said to be there. */
enum sva_access sva_engine_ask(struct sva_engine *e, uint64_t va,
                               unsigned access);

/** Both, until it is done or refused for good: never NO_PAGE or ABORTED. */
enum sva_access sva_engine_access(struct sva_engine *e, bool write, uint64_t va,
                                  void *buf, size_t size);

const char *sva_access_name(enum sva_access access);

#endif
