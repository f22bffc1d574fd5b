/* SPDX-License-Identifier: MIT */
/* fw.h - `uiommu fw`: firmware tables as text and JSON. */
#ifndef TOOLS_FW_H
#define TOOLS_FW_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/* argv[0] is "fw". 0: every table can be used, 1: one cannot, 2: usage. */
int tool_fw(int argc, char **argv);

/* One table as an element of "tables" in the JSON output; the caller deletes
 * it. *refused: it cannot be relied on, "problems" say why. NULL: no memory. */
struct cJSON *fw_describe(const void *data, size_t size, bool *refused);

/* "IOAPIC"; of a DMAR scope, enum dmar_scope_type. */
const char *fw_scope_name(unsigned type);

#endif
