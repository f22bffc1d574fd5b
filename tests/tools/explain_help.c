/* SPDX-License-Identifier: MIT */
#include "explain_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "tools/explain.h"
#include "tools/file.h"

char *corpus_file(const char *name, size_t *size)
{
    char path[300];
    const char *why;
    char *data;

    snprintf(path, sizeof(path), UIM_CORPUS_DIR "/%s", name);
    data = file_read(path, 1 << 20, size, &why);
    if (!data)
        fail_msg("%s: %s", path, why);
    return data;
}

const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

    return text ? text : "-";
}

static void check_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        assert_true((*text >= 0x20 && *text <= 0x7e) || *text == '\n' ||
                    *text == '\t');
}

static void check_members(const cJSON *fault)
{
    static const char *const names[] = { "kind",   "reason",  "access",
                                         "source", "pasid",   "address",
                                         "causes", "sentence" };
    const size_t n = sizeof(names) / sizeof(names[0]);

    for (size_t i = 0; i < n; i++)
        assert_true(cJSON_HasObjectItem(fault, names[i]));
    assert_int_equal(cJSON_GetArraySize(fault), n);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(fault, "causes")));
    assert_true(strlen(text_of(fault, "sentence")) > 20);
}

static bool collect(void *ctx, cJSON *fault)
{
    return cJSON_AddItemToArray(ctx, fault);
}

cJSON *faults_of(const char *text, size_t size)
{
    cJSON *made = cJSON_CreateArray(), *parsed;
    const cJSON *fault;
    char *printed;

    assert_true(explain_text(text, size, NULL, collect, made));
    printed = cJSON_Print(made);
    assert_non_null(printed);
    check_ascii(printed);
    parsed = cJSON_Parse(printed);
    assert_true(cJSON_IsArray(parsed));
    cJSON_ArrayForEach(fault, parsed) check_members(fault);
    cJSON_free(printed);
    cJSON_Delete(made);
    return parsed;
}

static const char *number_of(const cJSON *fault, const char *name,
                             char text[24])
{
    const cJSON *n = cJSON_GetObjectItem(fault, name);

    snprintf(text, 24, "%.0f", cJSON_IsNumber(n) ? n->valuedouble : 0);
    return cJSON_IsNumber(n) ? text : "-";
}

const char *fault_row(const cJSON *faults, int index)
{
    static char row[200];
    const cJSON *f = cJSON_GetArrayItem(faults, index);
    char reason[24], pasid[24];

    row[0] = '\0';
    if (f)
        snprintf(row, sizeof(row), "%s %s %s %s %s %s", text_of(f, "kind"),
                 number_of(f, "reason", reason), text_of(f, "access"),
                 text_of(f, "source"), number_of(f, "pasid", pasid),
                 text_of(f, "address"));
    return row;
}

void check_rows(const char *text, const char *const *rows, int n)
{
    cJSON *faults = faults_of(text, strlen(text));

    for (int i = 0; i < n; i++)
        assert_string_equal(fault_row(faults, i), rows[i]);
    assert_string_equal(fault_row(faults, n), "");
    cJSON_Delete(faults);
}
