/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - the stories `uiommu run` tells, on any machine. Each step of one is a
 * promise, and whether it was kept, as DMA of a device shows.
 */
#ifndef UIM_TOOLS_SCENARIO_H
#define UIM_TOOLS_SCENARIO_H

#include "hosts/machine.h"

struct scenario_step {
    const char *what;   /* the promise: "DMA inside a mapping lands"         */
    bool ok;
    char detail[640];   /* what was seen                                     */
};

typedef void (*scenario_fn)(void *ctx, const struct scenario_step *step);

struct stage;

struct scenario {
    const char *name;   /* what `uiommu run --scenario` takes                */
    const char *what;
    void (*run)(struct stage *s);
    bool pasids; /* is told best on a unit that has them                     */
    bool shares; /* and that walks tables of processors                      */
};

/* The first is the one that is run if none is named; ends with a NULL name. */
extern const struct scenario scenarios[];
/* NULL: there is none. */
const struct scenario *scenario_find(const char *name);

/* Runs all steps, telling each; a step that depends on one that failed is not
 * run. True: all were ok. The machine is left without uiommu on it; m->options says
 * how that runs. */
bool scenario_run(struct machine *m, const struct scenario *scenario,
                  scenario_fn tell, void *ctx);

#endif
