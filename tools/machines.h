/* SPDX-License-Identifier: MIT */
#ifndef UIM_TOOLS_MACHINES_H
#define UIM_TOOLS_MACHINES_H

#include "hosts/machine.h"

/* A machine, and one way its unit can run. */
struct machine_row {
    const char *name;    /* "sim:vtd"                                        */
    const char *mode;    /* what `uiommu run --mode` takes: "legacy"         */
    const char *options; /* with which uiommu runs it so                     */
    struct machine *(*open)(const struct machine_row *row, char *error,
                            size_t size);
    int how;             /* for open                                         */
    bool pasids;         /* it has them, and page requests                   */
};

/* Those of one machine follow each other; ends with a NULL name. */
extern const struct machine_row machine_rows[];

/* The first mode of a machine that has PASIDs; NULL: none. */
const char *machine_mode_with_pasids(const char *name);
/* The first in which the unit walks tables of processors too; NULL: none. */
const char *machine_mode_that_shares(const char *name);

/* A machine by name whose unit has the mode; NULL: its first. machine->options says
 * how uiommu is to run it. NULL: `error` says why. */
struct machine *machine_open(const char *name, const char *mode, char *error,
                             size_t size);

#endif
