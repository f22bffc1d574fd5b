/* SPDX-License-Identifier: MIT */
/*
 * stage.h - what scenarios have in common: a machine with uiommu on it, an engine,
 * a page of memory, and DMA between the two that is judged by memory.
 */
#ifndef UIM_TOOLS_STAGE_H
#define UIM_TOOLS_STAGE_H

#include <string.h>

#include "tools/scenario.h"

enum {
    STAGE_PAGE = 4096,
    STAGE_DEVICES = 16,
};

/* Where scenarios map the page: no memory of the machine has this address. */
#define STAGE_IOVA UINT64_C(0x12345000)

struct stage {
    struct machine *m;
    scenario_fn tell;
    void *ctx;
    bool ok;

    struct uiommu *u;
    bool started;
    struct uiommu_device *device[STAGE_DEVICES];
    unsigned n_devices;
    unsigned engine; /* the device that does the DMA                          */
    bool remaps;     /* interrupts of devices pass by entries                 */
    uint32_t storm_budget; /* of uiommu_config; before stage_start()          */
    struct uiommu_domain *domain;
    uint8_t *page;   /* what is mapped                                        */
    uint64_t phys;
    uint8_t pattern; /* a new one for each DMA                                */

    unsigned faults;
    char sentence[512]; /* of the last fault                                  */
    struct uiommu_fault fault;
};

/* What was promised, whether it is so, and what was seen; ok again. */
__attribute__((format(printf, 4, 5))) bool
stage_say(struct stage *s, const char *what, bool ok, const char *format, ...);

const char *stage_name(const struct stage *s); /* of the engine */
struct uiommu_endpoint *stage_endpoint(struct stage *s);

/* uiommu comes up; all devices are added, bridges first; they go, and uiommu stops,
 * which is done after a scenario that did not. False: it was said. */
bool stage_start(struct stage *s);
bool stage_add_devices(struct stage *s);
bool stage_stop(struct stage *s);
/* The engine sees a domain of its own with the page at STAGE_IOVA, and what it needs to
 * work at all. */
enum uiommu_status stage_make_domain(struct stage *s);
enum uiommu_status
stage_make_domain_with(struct stage *s,
                       const struct uiommu_domain_config *config);

/* Does a write of the engine to `iova` arrive in the page? */
bool stage_write_lands(struct stage *s, uint64_t iova);
/* Does a read of the engine from `iova` get what is in the page? */
bool stage_read_gets(struct stage *s, uint64_t iova);
/* Refused, and the unit said by whom. */
bool stage_refused(const struct stage *s, bool reached);
/* The sentence of the last fault. */
const char *stage_told(const struct stage *s);
void stage_collect_faults(struct stage *s);
void stage_forget_faults(struct stage *s);

/* The scenarios. */
void scenario_confine(struct stage *s);
void scenario_rest(struct stage *s);
void scenario_faults(struct stage *s);
void scenario_sva(struct stage *s);

#endif
