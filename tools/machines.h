/* SPDX-License-Identifier: MIT */
#ifndef UIM_TOOLS_MACHINES_H
#define UIM_TOOLS_MACHINES_H

#include "hosts/machine.h"

/* The machines there are, NULL-terminated: "sim:vtd", ... */
extern const char *const machine_names[];

/* How a unit can run; what `uiommu run --mode` takes. NULL-terminated. */
extern const char *const machine_modes[];

/* A machine by name whose unit has the mode. NULL: `error` says why. */
struct machine *machine_open(const char *name, const char *mode, char *error,
                             size_t size);

#endif
