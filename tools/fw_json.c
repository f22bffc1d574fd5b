/* SPDX-License-Identifier: MIT */
#include "tools/fw_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- write --------------------------------------------------------------- */

void fw_add_text(cJSON *object, const char *name, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (name)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddItemToArray(object, cJSON_CreateString(text));
}

void fw_add_hex(cJSON *object, const char *name, uint64_t value)
{
    fw_add_text(object, name, "0x%" PRIx64, value);
}

void fw_add_bytes(cJSON *object, const char *name, const uint8_t *p,
                  size_t size)
{
    char text[256];
    size_t n = 0;

    while (n < size && n + 1 < sizeof(text) && p[n] != '\0') {
        text[n] = p[n] >= 0x20 && p[n] <= 0x7e ? (char)p[n] : '?';
        n++;
    }
    text[n] = '\0';
    cJSON_AddStringToObject(object, name, text);
}

void fw_add_flag(cJSON *flags, bool set, const char *name)
{
    if (set)
        fw_add_text(flags, NULL, "%s", name);
}

cJSON *fw_add_object(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(array, object);
    return object;
}

void fw_count(cJSON *structures, const char *name)
{
    cJSON *n = cJSON_GetObjectItemCaseSensitive(structures, name);

    if (n)
        cJSON_SetNumberValue(n, n->valuedouble + 1);
    else
        cJSON_AddNumberToObject(structures, name, 1);
}

/* ---- read ---------------------------------------------------------------- */

const char *fw_text(const cJSON *object, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text ? text : "";
}

double fw_number(const cJSON *object, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

bool fw_is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

const cJSON *fw_first(const cJSON *array)
{
    return array ? array->child : NULL;
}

void fw_print_flags(const cJSON *object)
{
    const cJSON *flags = cJSON_GetObjectItemCaseSensitive(object, "flags");

    for (const cJSON *flag = fw_first(flags); flag; flag = flag->next)
        printf(" %s", flag->valuestring);
}

void fw_print_each(const cJSON *table, const char *name,
                   void (*print)(const cJSON *))
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(table, name);

    for (const cJSON *item = fw_first(list); item; item = item->next)
        print(item);
}
