/* SPDX-License-Identifier: MIT */
/*
 * uiommu fw FILE... [--json]
 *
 * A table becomes a JSON object; the text output is that object, for people.
 * What is in a table is the business of fw_<table>.c.
 */
#include "tools/fw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fw/fw.h"
#include "spec/dmar.h"
#include "spec/iort.h"
#include "tools/file.h"
#include "tools/fw_json.h"

/* Larger than any table; a file is read whole. */
enum { FILE_MAX = 4 << 20 };

/* ---- any table ----------------------------------------------------------- */

static const struct parser {
    const char *signature;
    const struct uim_fw_ops *ops;
    size_t fixed; /* bytes of the table before what varies */
    void (*describe)(cJSON *out, const void *table);
    void (*print)(const cJSON *table);
} parsers[] = {
    { "DMAR", &uim_fw_dmar, DMAR_SIZE, fw_dmar_describe, fw_dmar_print },
    { "IORT", &uim_fw_iort, IORT_SIZE, fw_iort_describe, fw_iort_print },
    { .signature = "IVRS" },
    { .signature = "RIMT" },
    { .signature = "VIOT" },
};

static const struct parser *parser_of(const void *table)
{
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        if (memcmp(table, parsers[i].signature, 4) == 0)
            return &parsers[i];
    }
    return NULL;
}

static void say(void *ctx, enum uiommu_log_level level, const char *text)
{
    if (level <= UIOMMU_LOG_WARN)
        fw_add_text(ctx, NULL, "%s", text);
}

static void describe_header(cJSON *out, const void *table)
{
    const uint8_t *p = table;

    cJSON_AddNumberToObject(out, "length", (double)acpi_header_length(p));
    cJSON_AddNumberToObject(out, "revision", (double)acpi_header_revision(p));
    fw_add_bytes(out, "oem", p + acpi_header_oem_id_OFFSET, 6);
    fw_add_bytes(out, "oem_table", p + acpi_header_oem_table_id_OFFSET, 8);
}

static bool check(const struct parser *parser, const void *data, size_t size,
                  cJSON *problems)
{
    const struct uim_fw_log log = { say, problems };

    if (parser && parser->ops)
        return parser->ops->check(data, size, &log) == UIOMMU_OK;
    if (uim_fw_check_header(data, size, &log))
        return false;
    if (parser)
        fw_add_text(problems, NULL, "%s: no parser yet", parser->signature);
    else
        fw_add_text(problems, NULL, "%.4s: not a table of an IOMMU",
                    (const char *)data);
    return true;
}

/* A table that cannot be relied on is shown too, as far as it goes. */
static void describe(cJSON *out, const struct parser *parser, const void *data,
                     size_t size)
{
    if (!uim_fw_whole(data, size))
        return;
    describe_header(out, data);
    if (parser && parser->describe && acpi_header_length(data) >= parser->fixed)
        parser->describe(out, data);
}

cJSON *fw_describe(const void *data, size_t size, bool *refused)
{
    const struct parser *parser = size >= 4 ? parser_of(data) : NULL;
    cJSON *out = cJSON_CreateObject();
    cJSON *problems = cJSON_CreateArray();

    if (!out || !problems) {
        cJSON_Delete(out);
        cJSON_Delete(problems);
        return NULL;
    }
    fw_add_bytes(out, "signature", data, size < 4 ? size : 4);
    *refused = !check(parser, data, size, problems);
    cJSON_AddBoolToObject(out, "refused", *refused);
    cJSON_AddArrayToObject(out, "units");
    cJSON_AddArrayToObject(out, "reserved");
    cJSON_AddObjectToObject(out, "structures");
    describe(out, parser, data, size);
    cJSON_AddItemToObject(out, "problems", problems);
    return out;
}

/* ---- text ---------------------------------------------------------------- */

static void print_problem(const cJSON *problem)
{
    printf("  problem: %s\n", problem->valuestring);
}

static void print_table(const cJSON *table)
{
    const char *signature = fw_text(table, "signature");
    const struct parser *parser =
        strlen(signature) == 4 ? parser_of(signature) : NULL;

    printf("%s: %s", fw_text(table, "file"), signature);
    if (cJSON_HasObjectItem(table, "length"))
        printf(" revision %.0f, %.0f bytes, %s %s",
               fw_number(table, "revision"), fw_number(table, "length"),
               fw_text(table, "oem"), fw_text(table, "oem_table"));
    printf("%s\n", fw_is_true(table, "refused") ? ", REFUSED" : "");
    if (parser && parser->print)
        parser->print(table);
    fw_print_each(table, "problems", print_problem);
}

/* ---- files --------------------------------------------------------------- */

static cJSON *unreadable(const char *why)
{
    cJSON *table = cJSON_CreateObject();
    cJSON *problems;

    cJSON_AddStringToObject(table, "signature", "");
    cJSON_AddBoolToObject(table, "refused", true);
    cJSON_AddArrayToObject(table, "units");
    cJSON_AddArrayToObject(table, "reserved");
    cJSON_AddObjectToObject(table, "structures");
    problems = cJSON_AddArrayToObject(table, "problems");
    fw_add_text(problems, NULL, "%s", why);
    return table;
}

static cJSON *describe_file(const char *name, bool *refused)
{
    const char *why;
    size_t size;
    char *data = file_read(name, FILE_MAX, &size, &why);
    cJSON *table;

    *refused = true;
    table = data ? fw_describe(data, size, refused) : unreadable(why);
    if (table)
        fw_add_bytes(table, "file", (const uint8_t *)name, strlen(name));
    free(data);
    return table;
}

static int print_json(cJSON *tables)
{
    cJSON *out = cJSON_CreateObject();
    char *text;

    cJSON_AddItemToObject(out, "tables", tables);
    text = cJSON_Print(out);
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(out);
    return text ? 0 : 1;
}

static int show(char **files, int n, bool json)
{
    cJSON *tables = cJSON_CreateArray();
    bool refused;
    int failed = 0;

    for (int i = 0; i < n; i++) {
        cJSON *table = describe_file(files[i], &refused);

        failed |= !table || refused;
        cJSON_AddItemToArray(tables, table);
    }
    if (json)
        return print_json(tables) | failed;
    for (const cJSON *t = fw_first(tables); t; t = t->next)
        print_table(t);
    cJSON_Delete(tables);
    return failed;
}

static int usage(FILE *out)
{
    fputs(
        "usage: uiommu fw FILE... [--json]\n"
        "\n"
        "Shows ACPI tables that describe IOMMUs: DMAR and IORT in full; IVRS,\n"
        "RIMT and VIOT only as far as their header goes. Exit status: 0, 1 if\n"
        "a table cannot be relied on, 2 for wrong usage.\n",
        out);
    return out == stdout ? 0 : 2;
}

/* The files among the arguments, or -1. */
static int parse(int argc, char **argv, char **files, bool *json)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            *json = true;
        else if (argv[i][0] == '-')
            return -1;
        else
            files[n++] = argv[i];
    }
    return n > 0 ? n : -1;
}

int tool_fw(int argc, char **argv)
{
    char **files;
    bool json = false;
    int n, result;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    files = calloc((size_t)argc + 1, sizeof(*files));
    if (!files)
        return 1;
    n = parse(argc, argv, files, &json);
    result = n < 0 ? usage(stderr) : show(files, n, json);
    free(files);
    return result;
}
