/* SPDX-License-Identifier: MIT */
/*
 * uiommu explain [--json] [--fw TABLE] [FILE]
 *
 * A fault becomes a JSON object; the text output is its sentence and its causes.
 */
#include "tools/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "explain/explain.h"
#include "fw/dmar.h"
#include "tools/file.h"
#include "tools/fw.h"
#include "tools/lines.h"

enum {
    LOG_MAX = 256 << 20,
    TABLE_MAX = 4 << 20,
    CAUSES_MAX = 16,
    NAME_SIZE = 256,
};

/* ---- names of what is no PCI device -------------------------------------- */

/* A scope names a requester if no bridge is on its way to it: the numbers of the
 * buses behind one are not in the table. */
static bool is_source(const struct uim_dmar_record *unit,
                      const struct uim_dmar_scope *scope,
                      const struct uim_record *r)
{
    return scope->type >= DMAR_SCOPE_IOAPIC &&
           scope->type <= DMAR_SCOPE_NAMESPACE && scope->n == 1 &&
           scope->start_bus == r->source.bus &&
           uim_dmar_devfn(scope, 0) == r->source.devfn &&
           (!(r->has & UIM_HAS_SEGMENT) || unit->segment == r->source.segment);
}

/* The path that ANDD gives to the number of an ACPI device; "": none. */
static void acpi_path(const void *table, unsigned number, char path[NAME_SIZE])
{
    struct uim_dmar_record r;
    uint32_t cursor = 0;
    size_t n = 0;

    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_ANDD ||
            acpi_dmar_andd_acpi_device_number(r.p) != number)
            continue;
        for (size_t i = DMAR_ANDD_SIZE; i < r.length && n < NAME_SIZE - 1;
             i++) {
            if (r.p[i] == '\0')
                break;
            path[n++] = r.p[i] >= 0x20 && r.p[i] <= 0x7e ? (char)r.p[i] : '?';
        }
        break;
    }
    path[n] = '\0';
}

static void add_name(const void *table, const struct uim_dmar_scope *scope,
                     char name[NAME_SIZE])
{
    char path[NAME_SIZE] = "";
    size_t n = strlen(name);

    if (scope->type == DMAR_SCOPE_NAMESPACE)
        acpi_path(table, scope->id, path);
    snprintf(name + n, NAME_SIZE - n, "%s%s %u%s%s", n ? ", " : "",
             fw_scope_name(scope->type), scope->id, path[0] ? " " : "", path);
}

/* "IOAPIC 2"; "" for others. */
static void name_source(const void *table, const struct uim_record *r,
                        char name[NAME_SIZE])
{
    struct uim_dmar_record unit;
    struct uim_dmar_scope scope;
    uint32_t cursor = 0, inner;

    name[0] = '\0';
    while (table && r->has & UIM_HAS_SOURCE &&
           uim_dmar_next(table, &cursor, &unit)) {
        inner = 0;
        while (unit.type == DMAR_DRHD &&
               uim_dmar_scope_next(&unit, &inner, &scope))
            if (is_source(&unit, &scope, r))
                add_name(table, &scope, name);
    }
}

/* ---- JSON ---------------------------------------------------------------- */

struct output {
    cJSON *faults;
    const void *dmar;
};

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {
        [UIM_RECORD_DMA] = "dma",
        [UIM_RECORD_INTERRUPT] = "interrupt",
        [UIM_RECORD_STATUS] = "status",
        [UIM_RECORD_SOFTWARE] = "software",
    };

    return names[kind];
}

static void add_number(cJSON *object, const char *name, bool has, double value)
{
    cJSON_AddItemToObject(object, name,
                          has ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

__attribute__((format(printf, 4, 5))) static void
add_text(cJSON *object, const char *name, bool has, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cJSON_AddItemToObject(object, name,
                          has ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static void add_source(cJSON *fault, const struct uim_record *r)
{
    char segment[8] = "";

    if (r->has & UIM_HAS_SEGMENT)
        snprintf(segment, sizeof(segment), "%04x:", r->source.segment);
    add_text(fault, "source", r->has & UIM_HAS_SOURCE, "%s%02x:%02x.%u",
             segment, r->source.bus, r->source.devfn >> 3u,
             r->source.devfn & 7u);
}

static void add_causes(cJSON *fault, const struct uim_record *r)
{
    const char *causes[CAUSES_MAX];
    cJSON *array = cJSON_AddArrayToObject(fault, "causes");
    unsigned n = uim_record_causes(r, causes, CAUSES_MAX);

    for (unsigned i = 0; i < n; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(causes[i]));
}

static void add_fault(void *ctx, const struct uim_record *record)
{
    struct output *out = ctx;
    struct uim_record r = *record;
    cJSON *fault = cJSON_CreateObject();
    char name[NAME_SIZE], sentence[1024];

    name_source(out->dmar, &r, name);
    r.name = name[0] ? name : NULL;
    uim_explain_record(&r, sentence, sizeof(sentence));
    add_text(fault, "kind", true, "%s", kind_name(r.kind));
    add_number(fault, "reason", r.has & UIM_HAS_REASON, r.reason);
    add_text(fault, "access", r.has & UIM_HAS_ACCESS, "%s",
             uim_access_name(r.access));
    add_source(fault, &r);
    add_number(fault, "pasid", r.has & UIM_HAS_PASID, r.pasid);
    add_text(fault, "address", r.has & UIM_HAS_ADDRESS, "0x%" PRIx64,
             r.address);
    add_causes(fault, &r);
    add_text(fault, "sentence", true, "%s", sentence);
    cJSON_AddItemToArray(out->faults, fault);
}

cJSON *explain_text(const char *text, size_t size, const void *dmar)
{
    struct output out = { cJSON_CreateArray(), dmar };

    if (out.faults && lines_read(text, size, add_fault, &out))
        return out.faults;
    cJSON_Delete(out.faults);
    return NULL;
}

/* ---- the command --------------------------------------------------------- */

struct options {
    bool json;
    const char *table; /* NULL: none           */
    const char *file;  /* NULL: standard input */
};

static int complain(const char *name, const char *why)
{
    fprintf(stderr, "uiommu explain: %s: %s\n", name, why);
    return 2;
}

static int usage(FILE *out)
{
    fputs("usage: uiommu explain [--json] [--fw TABLE] [FILE]\n"
          "\n"
          "Says what the IOMMU faults in a log mean, and what may lie behind "
          "them:\n"
          "lines of Linux and Xen about Intel VT-d, and registers as \"FSTS "
          "2\" or\n"
          "\"FRCD LOW HIGH\". Everything else is passed over. Without FILE, "
          "standard\n"
          "input. With the DMAR table of the machine (--fw), I/O APICs, HPETs "
          "and\n"
          "ACPI devices have names.\n"
          "\n"
          "--json prints an array with an object for each fault:\n"
          "  kind      dma, interrupt, status (the unit itself), or software\n"
          "  reason    the unit's number; status: the register\n"
          "  access    read, write, atomic access, page request\n"
          "  source    requester id: [segment:]bus:device.function\n"
          "  pasid     number\n"
          "  address   hexadecimal; interrupt: its index\n"
          "  causes    what may lie behind it, likely ones first\n"
          "  sentence  all of it in words\n"
          "What a line does not say is null. Exit status: 0, 1 if there is no "
          "fault,\n"
          "2 for wrong usage or a file that cannot be read.\n",
          out);
    return out == stdout ? 0 : 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--fw") == 0 && i + 1 < argc && !o->table)
            o->table = argv[++i];
        else if (argv[i][0] != '-' && !o->file)
            o->file = argv[i];
        else
            return false;
    }
    return true;
}

static void say(void *ctx, enum uiommu_log_level level, const char *text)
{
    if (level <= UIOMMU_LOG_ERROR)
        complain(ctx, text);
}

/* NULL: said why. */
static char *read_table(const char *name)
{
    const struct uim_fw_log log = { say, (void *)(uintptr_t)name };
    const char *why;
    size_t size;
    char *table = file_read(name, TABLE_MAX, &size, &why);

    if (!table) {
        complain(name, why);
        return NULL;
    }
    if (size < 4 || memcmp(table, uim_fw_dmar.signature, 4) != 0)
        complain(name, "not a DMAR table");
    else if (uim_fw_dmar.check(table, size, &log) == UIOMMU_OK)
        return table;
    free(table);
    return NULL;
}

static void print_faults(const cJSON *faults)
{
    const cJSON *fault, *cause;

    cJSON_ArrayForEach(fault, faults)
    {
        printf("%s\n",
               cJSON_GetStringValue(cJSON_GetObjectItem(fault, "sentence")));
        cJSON_ArrayForEach(cause, cJSON_GetObjectItem(fault, "causes"))
            printf("  maybe: %s\n", cause->valuestring);
    }
}

static int print_json(const cJSON *faults)
{
    char *text = cJSON_Print(faults);

    if (!text)
        return complain("--json", "no memory");
    puts(text);
    cJSON_free(text);
    return 0;
}

static int show(const struct options *o, const void *table)
{
    const char *name = o->file ? o->file : "standard input";
    const char *why;
    size_t size;
    char *text = file_read(o->file, LOG_MAX, &size, &why);
    cJSON *faults = text ? explain_text(text, size, table) : NULL;
    int result = 0;

    free(text);
    if (!faults)
        return complain(name, text ? "no memory" : why);
    if (o->json)
        result = print_json(faults);
    else
        print_faults(faults);
    if (result == 0 && cJSON_GetArraySize(faults) == 0) {
        complain(name, "no fault in there");
        result = 1;
    }
    cJSON_Delete(faults);
    return result;
}

int tool_explain(int argc, char **argv)
{
    struct options o = { 0 };
    char *table = NULL;
    int result;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!parse(argc, argv, &o))
        return usage(stderr);
    if (o.table && !(table = read_table(o.table)))
        return 2;
    result = show(&o, table);
    free(table);
    return result;
}
