/* SPDX-License-Identifier: MIT */
/* explain_help.h - logs, and what `uiommu explain --json` has to say of them. */
#ifndef TESTS_TOOLS_EXPLAIN_HELP_H
#define TESTS_TOOLS_EXPLAIN_HELP_H

#include <stdbool.h>
#include <stddef.h>

struct cJSON;

/* A file below tests/corpus, with its size; the caller frees it. */
char *corpus_file(const char *name, size_t *size);

/* The faults of a text. It is printed and parsed again, and has to be plain ASCII
 * with all members in each object; the caller deletes it. */
struct cJSON *faults_of(const char *text, size_t size);

/* The index-th fault as "kind reason access source pasid address", with - for
 * null; "" where there are fewer. Good until the next call. */
const char *fault_row(const struct cJSON *faults, int index);

/* The faults of a text are these rows and no more. */
void check_rows(const char *text, const char *const *rows, int n);

#define CHECK_ROWS(text, ...)                                                  \
    check_rows(text, (const char *const[]){ __VA_ARGS__ },                     \
               (int)(sizeof((const char *const[]){ __VA_ARGS__ }) /            \
                     sizeof(const char *)))

/* The rest of it but for causes and sentence: "register stream NAME=WORD ...". */
const char *fault_rest(const struct cJSON *faults, int index);

/* Cuts the text at each place, with or without a newline there: each fault says what
 * the whole text says, or nothing. */
void check_cuts(const char *item, const char *text, size_t size, bool newline);

/* Breaks a line at each place, likewise. Returns how many times nothing was
 * missing. */
size_t check_breaks(const char *text, size_t size, const char *line_break);

const char *text_of(const struct cJSON *object, const char *name);

#endif
