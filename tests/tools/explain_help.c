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
    static const char *const names[] = { "kind",   "register", "reason",
                                         "access", "source",   "stream",
                                         "pasid",  "address",  "details",
                                         "causes", "sentence" };
    const size_t n = sizeof(names) / sizeof(names[0]);

    for (size_t i = 0; i < n; i++)
        assert_true(cJSON_HasObjectItem(fault, names[i]));
    assert_int_equal(cJSON_GetArraySize(fault), n);
    assert_true(cJSON_IsObject(cJSON_GetObjectItem(fault, "details")));
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

/* ---- texts with less in them --------------------------------------------- */

static bool null_or_equal(const cJSON *a, const cJSON *b, const char *name)
{
    const cJSON *got = cJSON_GetObjectItem(a, name);

    return cJSON_IsNull(got) ||
           cJSON_Compare(got, cJSON_GetObjectItem(b, name), true);
}

static const cJSON *details_of(const cJSON *fault)
{
    return cJSON_GetObjectItem(fault, "details");
}

static bool details_agree(const cJSON *part, const cJSON *whole)
{
    for (const cJSON *d = details_of(part)->child; d; d = d->next)
        if (!cJSON_Compare(
                d,
                cJSON_GetObjectItemCaseSensitive(details_of(whole), d->string),
                true))
            return false;
    return true;
}

/* Each fault of a text that was cut says what the whole text says, or nothing.
 * A status that was to go with a record stands alone if that is cut off. */
static void check_part(const cJSON *part, const cJSON *whole, const char *item)
{
    static const char *const names[] = { "reason", "access", "source",
                                         "stream", "pasid",  "address" };
    const cJSON *fault;
    int i = 0;

    cJSON_ArrayForEach(fault, part)
    {
        const cJSON *same = cJSON_GetArrayItem(whole, i++);

        if (!fault->next && strcmp(text_of(fault, "kind"), "status") == 0)
            continue;
        assert_non_null(same);
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            if (!null_or_equal(fault, same, names[k]))
                fail_msg("%s, cut: %s of fault %d is wrong", item, names[k], i);
        assert_true(details_agree(fault, same));
    }
}

void check_cuts(const char *item, const char *text, size_t size, bool newline)
{
    cJSON *whole = faults_of(text, size), *part;
    char *copy = malloc(size + 1);

    for (size_t n = 0; n < size; n++) {
        memcpy(copy, text, n);
        copy[n] = '\n';
        part = faults_of(copy, n + newline);
        check_part(part, whole, item);
        cJSON_Delete(part);
    }
    free(copy);
    cJSON_Delete(whole);
}

static bool agrees(const cJSON *part, const cJSON *whole)
{
    static const char *const names[] = { "kind",   "reason", "access", "source",
                                         "stream", "pasid",  "address" };
    bool all = whole;

    for (size_t k = 0; all && k < sizeof(names) / sizeof(names[0]); k++)
        all = null_or_equal(part, whole, names[k]);
    return all && details_agree(part, whole);
}

/* The status of a line, which may have lost the record that it was to go with. */
static bool is_status_of(const cJSON *fault, const char *text)
{
    const cJSON *reason = cJSON_GetObjectItem(fault, "reason");
    char line[40];

    if (strcmp(text_of(fault, "kind"), "status") != 0 ||
        !cJSON_IsNumber(reason))
        return false;
    snprintf(line, sizeof(line), "status reg %x\n",
             (unsigned)reason->valuedouble);
    return strstr(text, line);
}

/* Halves of a fault may be two. Returns whether nothing is missing. */
static bool check_broken(const cJSON *broken, const cJSON *whole,
                         const char *text, const char *log)
{
    const cJSON *fault, *same = whole->child;

    cJSON_ArrayForEach(fault, broken)
    {
        if (is_status_of(fault, log))
            continue;
        while (same && !agrees(fault, same))
            same = same->next;
        if (!same)
            fail_msg("\"%s\": %s", text, text_of(fault, "sentence"));
    }
    return cJSON_Compare(broken, whole, true);
}

/* A break at each place. Returns how many times nothing was missing. */
size_t check_breaks(const char *text, size_t size, const char *line_break)
{
    cJSON *whole = faults_of(text, size);
    size_t n = strlen(line_break), same = 0;
    char *copy = malloc(size + n + 1);

    for (size_t at = 0; at <= size; at++) {
        cJSON *broken;

        memcpy(copy, text, at);
        memcpy(copy + at, line_break, n);
        memcpy(copy + at + n, text + at, size - at);
        copy[size + n] = '\0';
        broken = faults_of(copy, size + n);
        same += check_broken(broken, whole, copy, text);
        cJSON_Delete(broken);
    }
    free(copy);
    cJSON_Delete(whole);
    return same;
}

/* ---- the rest of a fault -------------------------------------------------- */

const char *fault_rest(const cJSON *faults, int index)
{
    static char rest[300];
    const cJSON *f = cJSON_GetArrayItem(faults, index);
    size_t n = (size_t)snprintf(rest, sizeof(rest), "%s %s",
                                text_of(f, "register"), text_of(f, "stream"));

    for (const cJSON *d = details_of(f)->child; d && n < sizeof(rest);
         d = d->next)
        n += (size_t)snprintf(rest + n, sizeof(rest) - n, " %s=%s", d->string,
                              d->valuestring);
    assert_true(n < sizeof(rest));
    return rest;
}
