/* SPDX-License-Identifier: MIT */
/* command_help.h - runs a command in this process, and keeps what it printed. */
#ifndef TESTS_TOOLS_COMMAND_HELP_H
#define TESTS_TOOLS_COMMAND_HELP_H

#include <stddef.h>

/* What the last run printed. */
extern char command_out[1 << 18], command_err[4096];

/* With the arguments up to NULL; argv[0] is the name. */
int command_run(int (*tool)(int argc, char **argv), const char *name,
                const char *const *args);
/* As that, with so many allocations by cJSON until there is no memory; all of it has
 * to be given back. *most, if not NULL: bytes in use at once. */
int command_run_with(size_t calls, size_t *most,
                     int (*tool)(int argc, char **argv), const char *name,
                     const char *const *args);

/* A file of its own, which is there until the next one; NULL: it goes. */
const char *command_file(const char *text, size_t size);

void assert_says(const char *text, const char *words);

#endif
