/* SPDX-License-Identifier: MIT */
/*
 * fw_json.h - what the files of `uiommu fw` share: a table is described as a
 * JSON object (fw_add_*), and the text output is that object for people.
 */
#ifndef TOOLS_FW_JSON_H
#define TOOLS_FW_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* name NULL: `object` is an array. */
__attribute__((format(printf, 3, 4))) void
fw_add_text(cJSON *object, const char *name, const char *format, ...);
void fw_add_hex(cJSON *object, const char *name, uint64_t value);
/* Bytes up to a NUL, with what is not ASCII text replaced. */
void fw_add_bytes(cJSON *object, const char *name, const uint8_t *p,
                  size_t size);
/* Adds the name if it is set. */
void fw_add_flag(cJSON *flags, bool set, const char *name);
cJSON *fw_add_object(cJSON *array);
/* One more of these. */
void fw_count(cJSON *structures, const char *name);

/* "" and 0 for what is not there. */
const char *fw_text(const cJSON *object, const char *name);
double fw_number(const cJSON *object, const char *name);
bool fw_is_true(const cJSON *object, const char *name);
const cJSON *fw_first(const cJSON *array); /* of NULL: NULL */

void fw_print_flags(const cJSON *object);
void fw_print_each(const cJSON *table, const char *name,
                   void (*print)(const cJSON *));

/* ---- one table each ------------------------------------------------------ */

/* Add what is in a table that is as long as its header says, right or not;
 * *out has the lists units, reserved, structures. Print what was added. */
void fw_dmar_describe(cJSON *out, const void *table);
void fw_dmar_print(const cJSON *table);
void fw_iort_describe(cJSON *out, const void *table);
void fw_iort_print(const cJSON *table);

#endif
