/* SPDX-License-Identifier: MIT */
/* plan.h - `uiommu plan`: what can be kept apart on a machine. */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/plan_machine.h"

struct cJSON;

/* argv[0] is "plan". 0: done, 1: no such device, 2: usage, or something cannot be
 * read. */
int tool_plan(int argc, char **argv);

/* The number of each function's group, into as many as m has. */
void plan_groups(const struct plan_machine *m, bool like_linux,
                 unsigned *group);

/* A firmware table that says which unit translates for whom. */
struct plan_table {
    char *data; /* NULL: none */
    const struct uim_fw_ops *ops;
};

/* False: `say` was told why. */
bool plan_table_open(struct plan_table *t, const char *file,
                     void (*say)(const char *file, const char *why));
void plan_table_close(struct plan_table *t);

/* What the table says of a group's devices, as members "units" and "regions" of the
 * group. False: no memory. */
bool plan_table_add(const struct plan_table *t, const struct plan_machine *m,
                    const unsigned *group, unsigned which,
                    struct cJSON *object);
void plan_table_print(const struct cJSON *object);

/* {"groups": [{"id", "devices", "reasons": [{"a", "b", "why"}]}], "unseen": []}, the
 * caller deletes it. With a device, only its group; with a table, also what that
 * says. NULL: no memory. */
struct cJSON *plan_describe(const struct plan_machine *m, const unsigned *group,
                            const struct uim_pci_function *device,
                            const struct plan_table *t);

/* The same for people; and of the one device, what goes along with it and what would
 * separate them. False: no memory. */
void plan_print(const struct plan_machine *m, const struct cJSON *plan);
bool plan_print_device(const struct plan_machine *m, const unsigned *group,
                       const struct uim_pci_function *device,
                       const struct cJSON *plan);

#endif
