/* SPDX-License-Identifier: MIT */
/* explain.h - `uiommu explain`: the faults of a log, as text and JSON. */
#ifndef TOOLS_EXPLAIN_H
#define TOOLS_EXPLAIN_H

#include <stddef.h>

struct cJSON;

/* argv[0] is "explain". 0: there are faults, 1: there are none, 2: wrong usage, or
 * a file cannot be read. */
int tool_explain(int argc, char **argv);

/* The array that --json prints; the caller deletes it. `dmar`, a table that was
 * checked or NULL, has the names of what is no PCI device. NULL: no memory. */
struct cJSON *explain_text(const char *text, size_t size, const void *dmar);

#endif
