/* SPDX-License-Identifier: MIT */
/* explain.h - `uiommu explain`: the faults of a log, as text and JSON. */
#ifndef TOOLS_EXPLAIN_H
#define TOOLS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/* argv[0] is "explain". 0: there are faults, 1: there are none, 2: wrong usage, or
 * a file cannot be read. */
int tool_explain(int argc, char **argv);

/* Calls fn for each fault, an object of the array that --json prints; fn deletes it.
 * `dmar`, a table that was checked or NULL, has the names of what is no PCI device.
 * False: no memory, or fn returned false, which ends it. */
bool explain_text(const char *text, size_t size, const void *dmar,
                  bool (*fn)(void *ctx, struct cJSON *fault), void *ctx);

#endif
