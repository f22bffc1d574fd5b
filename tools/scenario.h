/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - the story `uiommu run` tells, on any machine: firmware table in,
 * every device confined, and each promise shown by DMA.
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

/* Runs all steps, telling each; a step that depends on one that failed is not
 * run. True: all were ok. The machine is left without uiommu on it; m->options says
 * how that runs. */
bool scenario_run(struct machine *m, scenario_fn tell, void *ctx);

#endif
