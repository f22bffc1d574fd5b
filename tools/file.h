/* SPDX-License-Identifier: MIT */
/* file.h - files that a command reads whole. */
#ifndef TOOLS_FILE_H
#define TOOLS_FILE_H

#include <stddef.h>

/* Everything in the file, or in standard input if `name` is NULL, and a NUL
 * behind it; the caller frees it. NULL: *why says why; more than `max` bytes are a
 * reason. */
char *file_read(const char *name, size_t max, size_t *size, const char **why);

#endif
