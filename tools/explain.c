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
    const void *dmar;
    bool (*fn)(void *ctx, cJSON *fault);
    void *ctx;
    bool stopped;
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

static bool add(cJSON *object, const char *name, cJSON *item)
{
    if (item && cJSON_AddItemToObject(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_number(cJSON *object, const char *name, bool has, double value)
{
    return add(object, name,
               has ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

__attribute__((format(printf, 4, 5))) static bool
add_text(cJSON *object, const char *name, bool has, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return add(object, name,
               has ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static bool add_source(cJSON *fault, const struct uim_record *r)
{
    char segment[8] = "";

    if (r->has & UIM_HAS_SEGMENT)
        snprintf(segment, sizeof(segment), "%04x:", r->source.segment);
    return add_text(fault, "source", r->has & UIM_HAS_SOURCE, "%s%02x:%02x.%u",
                    segment, r->source.bus, r->source.devfn >> 3u,
                    r->source.devfn & 7u);
}

/* What an SMMU knows the source by. */
static bool add_stream(cJSON *fault, const struct uim_record *r)
{
    return add_text(fault, "stream", r->has & UIM_HAS_STREAM, "0x%" PRIx32,
                    r->stream);
}

static bool add_register(cJSON *fault, const struct uim_record *r)
{
    const struct uim_status *status = uim_record_status(r);

    return add_text(fault, "register", status, "%s", status ? status->reg : "");
}

static bool add_details(cJSON *fault, const struct uim_record *r)
{
    cJSON *details = cJSON_CreateObject();

    for (unsigned i = 0; details && i < r->n_details; i++) {
        const struct uim_detail *d = &r->details[i];
        bool added =
            d->word ? add_text(details, d->name, true, "%s", d->word)
                    : add_text(details, d->name, true, "0x%" PRIx64, d->value);

        if (!added) {
            cJSON_Delete(details);
            return false;
        }
    }
    return add(fault, "details", details);
}

static bool add_causes(cJSON *fault, const struct uim_record *r)
{
    const char *causes[CAUSES_MAX];
    unsigned n = uim_record_causes(r, causes, CAUSES_MAX);

    return add(fault, "causes", cJSON_CreateStringArray(causes, (int)n));
}

static bool add_members(cJSON *fault, const struct uim_record *r)
{
    char sentence[1024];

    uim_explain_record(r, sentence, sizeof(sentence));
    return add_text(fault, "kind", true, "%s", kind_name(r->kind)) &&
           add_register(fault, r) &&
           add_number(fault, "reason", r->has & UIM_HAS_REASON, r->reason) &&
           add_text(fault, "access", r->has & UIM_HAS_ACCESS, "%s",
                    uim_access_name(r->access)) &&
           add_source(fault, r) && add_stream(fault, r) &&
           add_number(fault, "pasid", r->has & UIM_HAS_PASID, r->pasid) &&
           add_text(fault, "address", r->has & UIM_HAS_ADDRESS, "0x%" PRIx64,
                    r->address) &&
           add_details(fault, r) && add_causes(fault, r) &&
           add_text(fault, "sentence", true, "%s", sentence);
}

static void put_fault(void *ctx, const struct uim_record *record)
{
    struct output *out = ctx;
    struct uim_record r = *record;
    char name[NAME_SIZE];
    cJSON *fault;

    if (out->stopped)
        return;
    name_source(out->dmar, &r, name);
    r.name = name[0] ? name : NULL;
    fault = cJSON_CreateObject();
    if (add_members(fault, &r)) {
        out->stopped = !out->fn(out->ctx, fault);
        return;
    }
    cJSON_Delete(fault);
    out->stopped = true;
}

bool explain_text(const char *text, size_t size, const void *dmar,
                  bool (*fn)(void *ctx, cJSON *fault), void *ctx)
{
    struct output out = { .dmar = dmar, .fn = fn, .ctx = ctx };

    return lines_read(text, size, put_fault, &out) && !out.stopped;
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
          "lines of Linux and Xen about Intel VT-d and Arm SMMUv3, and "
          "registers as\n"
          "\"FSTS 2\", \"FRCD LOW HIGH\" or \"EVENTQ WORD WORD WORD "
          "WORD\". Everything\n"
          "else is passed over. Without FILE, standard input; at most 256 MiB. "
          "With the\n"
          "DMAR table of the machine (--fw), I/O APICs, HPETs and ACPI devices "
          "have\n"
          "names.\n"
          "\n"
          "--json prints an array with an object for each fault:\n"
          "  kind      dma, interrupt, status (the unit itself), or software\n"
          "  register  status: which one, as the manual calls it\n"
          "  reason    the unit's number; status: the register's value\n"
          "  access    read, write, atomic access, page request\n"
          "  source    requester id: [segment:]bus:device.function\n"
          "  stream    SMMUv3: what the unit knows the source by\n"
          "  pasid     number\n"
          "  address   hexadecimal; interrupt: its index\n"
          "  details   what else is recorded, by its name in the manual\n"
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

struct printer {
    bool json;
    unsigned long n; /* faults so far */
};

static void print_text(const cJSON *fault)
{
    const cJSON *cause;

    printf("%s\n",
           cJSON_GetStringValue(cJSON_GetObjectItem(fault, "sentence")));
    cJSON_ArrayForEach(cause, cJSON_GetObjectItem(fault, "causes"))
        printf("  maybe: %s\n", cause->valuestring);
}

static bool print_json(const cJSON *fault, const char *before)
{
    char *text = cJSON_Print(fault);

    if (!text)
        return false;
    printf("%s%s", before, text);
    cJSON_free(text);
    return true;
}

static bool print_fault(void *ctx, cJSON *fault)
{
    struct printer *p = ctx;
    bool ok = true;

    if (p->json)
        ok = print_json(fault, p->n ? ", " : "[");
    else
        print_text(fault);
    p->n++;
    cJSON_Delete(fault);
    return ok;
}

static int show(const struct options *o, const void *table)
{
    const char *name = o->file ? o->file : "standard input";
    struct printer p = { .json = o->json };
    const char *why;
    size_t size;
    char *text = file_read(o->file, LOG_MAX, &size, &why);
    bool done;

    if (!text)
        return complain(name, why);
    done = explain_text(text, size, table, print_fault, &p);
    free(text);
    if (!done)
        return complain(name, "no memory");
    if (o->json)
        puts(p.n ? "]" : "[]");
    if (p.n)
        return 0;
    complain(name, "no fault in there");
    return 1;
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
