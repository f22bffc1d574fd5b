/* SPDX-License-Identifier: MIT */
/* plan_help.h - machines to plan for: of the corpus, and made up. */
#ifndef TESTS_TOOLS_PLAN_HELP_H
#define TESTS_TOOLS_PLAN_HELP_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/plan.h"

/* Reads a dump; that it can be read is asserted. The caller frees it with
 * plan_machine_free(). */
void plan_of_text(const char *text, size_t size, struct plan_machine *m);
/* A file below tests/corpus/pci. */
void plan_of_file(const char *name, struct plan_machine *m);
/* The sentence with which it is refused; good until the next call. */
const char *plan_refusal(const char *text, size_t size);

/* The one at "0000:00:1f.3", which is there; its number in the machine. */
struct uim_pci_function *plan_at(const struct plan_machine *m,
                                 const char *address);
unsigned plan_number_of(const struct plan_machine *m, const char *address);

/* The groups of the rule; the caller frees them. */
unsigned *plan_groups_of(const struct plan_machine *m, bool like_linux);

#endif
