/* SPDX-License-Identifier: MIT */
/*
 * uiommu fw FILE... [--json]
 *
 * A table becomes a JSON object; the text output is that object, for people.
 * The structures come from the iterators of the parser that the library uses.
 */
#include "tools/fw.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fw/dmar.h"
#include "fw/fw.h"
#include "tools/file.h"

/* Larger than any table; a file is read whole. */
enum { FILE_MAX = 4 << 20 };

/* ---- JSON helpers -------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
add_text(cJSON *object, const char *name, const char *format, ...)
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

static void add_hex(cJSON *object, const char *name, uint64_t value)
{
    add_text(object, name, "0x%" PRIx64, value);
}

/* Bytes up to a NUL, with what is not ASCII text replaced. */
static void add_bytes(cJSON *object, const char *name, const uint8_t *p,
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

static void add_flag(cJSON *flags, bool set, const char *name)
{
    if (set)
        add_text(flags, NULL, "%s", name);
}

static cJSON *add_object(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(array, object);
    return object;
}

static void count(cJSON *structures, const char *name)
{
    cJSON *n = cJSON_GetObjectItemCaseSensitive(structures, name);

    if (n)
        cJSON_SetNumberValue(n, n->valuedouble + 1);
    else
        cJSON_AddNumberToObject(structures, name, 1);
}

/* ---- DMAR ---------------------------------------------------------------- */

/* The lists of a table that structures go to. */
struct lists {
    cJSON *units, *reserved, *ats, *acpi, *other, *structures;
};

const char *fw_scope_name(unsigned type)
{
    static const char *const names[] = {
        [DMAR_SCOPE_ENDPOINT] = "endpoint",
        [DMAR_SCOPE_BRIDGE] = "bridge and all below",
        [DMAR_SCOPE_IOAPIC] = "IOAPIC",
        [DMAR_SCOPE_HPET] = "HPET",
        [DMAR_SCOPE_NAMESPACE] = "ACPI device",
    };

    if (type < DMAR_SCOPE_ENDPOINT || type > DMAR_SCOPE_NAMESPACE)
        return "unknown";
    return names[type];
}

static void add_scope_flags(cJSON *scope, unsigned raw)
{
    const struct acpi_dmar_device_scope_flags f = { raw };
    cJSON *flags = cJSON_AddArrayToObject(scope, "flags");

    add_flag(flags, acpi_dmar_device_scope_flags_atc_required(f),
             "ATC_REQUIRED");
    add_flag(flags, acpi_dmar_device_scope_flags_atc_hardened(f),
             "ATC_HARDENED");
    add_flag(flags,
             acpi_dmar_device_scope_flags_req_wo_pasid_pgsnp_notallowed(f),
             "REQ_WO_PASID_PGSNP_NOTALLOWED");
    add_flag(flags,
             acpi_dmar_device_scope_flags_req_wo_pasid_pwsnp_notallowed(f),
             "REQ_WO_PASID_PWSNP_NOTALLOWED");
    add_flag(flags,
             acpi_dmar_device_scope_flags_req_wo_pasid_nested_notallowed(f),
             "REQ_WO_PASID_NESTED_NOTALLOWED");
}

/* "00:1c.4/00.0": start bus, then the path. */
static void add_path(cJSON *object, const struct uim_dmar_scope *s)
{
    char text[1100];
    size_t n = (size_t)snprintf(text, sizeof(text), "%02x:", s->start_bus);

    for (unsigned i = 0; i < s->n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%02x.%x",
                              i ? "/" : "", s->path[2 * i], s->path[2 * i + 1]);
    cJSON_AddStringToObject(object, "path", text);
}

static void add_scope(cJSON *scopes, const struct uim_dmar_record *r,
                      const struct uim_dmar_scope *s)
{
    cJSON *scope = add_object(scopes);

    cJSON_AddNumberToObject(scope, "type", s->type);
    add_text(scope, "name", "%s", fw_scope_name(s->type));
    add_path(scope, s);
    if (s->type >= DMAR_SCOPE_IOAPIC)
        cJSON_AddNumberToObject(scope, "id", s->id);
    if (r->type == DMAR_SIDP)
        add_scope_flags(scope, s->flags);
}

static void add_scopes(cJSON *object, const struct uim_dmar_record *r,
                       cJSON *structures)
{
    cJSON *scopes = cJSON_AddArrayToObject(object, "scopes");
    struct uim_dmar_scope s;
    uint32_t cursor = 0;
    char name[16];

    while (uim_dmar_scope_next(r, &cursor, &s)) {
        add_scope(scopes, r, &s);
        /* SIDP repeats what SATC has: devices are counted once. */
        if (r->type == DMAR_SIDP)
            continue;
        snprintf(name, sizeof(name), "scope%u", s.type);
        count(structures, name);
        if (s.n > 1)
            count(structures, "multihop");
    }
}

static cJSON *describe_unit(const void *table, const struct uim_dmar_record *r,
                            struct lists *to)
{
    cJSON *unit = add_object(to->units);
    struct uim_fw_unit info;

    (void)uim_dmar_unit(table, r, &info);
    cJSON_AddStringToObject(unit, "kind", "vtd");
    add_hex(unit, "base", info.base);
    add_hex(unit, "size", info.size);
    cJSON_AddNumberToObject(unit, "segment", info.segment);
    cJSON_AddBoolToObject(unit, "all", info.all);
    cJSON_AddBoolToObject(unit, "usable", info.usable);
    return unit;
}

static cJSON *describe_region(const void *table,
                              const struct uim_dmar_record *r, struct lists *to)
{
    cJSON *region = add_object(to->reserved);
    struct uim_fw_region info;

    cJSON_AddNumberToObject(region, "segment", r->segment);
    add_hex(region, "base", acpi_dmar_rmrr_base_address(r->p));
    add_hex(region, "last", acpi_dmar_rmrr_limit_address(r->p));
    cJSON_AddBoolToObject(region, "usable", !uim_dmar_region(table, r, &info));
    return region;
}

static cJSON *describe_ats(const struct uim_dmar_record *r, struct lists *to)
{
    const struct acpi_dmar_atsr_flags atsr = { acpi_dmar_atsr_flags(r->p) };
    const struct acpi_dmar_satc_flags satc = { acpi_dmar_satc_flags(r->p) };
    cJSON *ats = add_object(to->ats);
    cJSON *flags;

    add_text(ats, "structure", "%s", uim_dmar_name(r->type));
    cJSON_AddNumberToObject(ats, "segment", r->segment);
    flags = cJSON_AddArrayToObject(ats, "flags");
    if (r->type == DMAR_ATSR)
        add_flag(flags, acpi_dmar_atsr_flags_all_ports(atsr), "ALL_PORTS");
    if (r->type == DMAR_SATC)
        add_flag(flags, acpi_dmar_satc_flags_atc_required(satc),
                 "ATC_REQUIRED");
    return ats;
}

static void describe_proximity(const struct uim_dmar_record *r,
                               struct lists *to)
{
    cJSON *other = add_object(to->other);

    add_text(other, "structure", "RHSA");
    add_hex(other, "base", acpi_dmar_rhsa_register_base(r->p));
    cJSON_AddNumberToObject(other, "proximity_domain",
                            (double)acpi_dmar_rhsa_proximity_domain(r->p));
}

static void describe_acpi_device(const struct uim_dmar_record *r,
                                 struct lists *to)
{
    cJSON *device = add_object(to->acpi);

    cJSON_AddNumberToObject(device, "number",
                            (double)acpi_dmar_andd_acpi_device_number(r->p));
    add_bytes(device, "path", r->p + DMAR_ANDD_SIZE,
              r->length - DMAR_ANDD_SIZE);
}

static void describe_unknown(const struct uim_dmar_record *r, struct lists *to)
{
    cJSON *other = add_object(to->other);

    add_text(other, "structure", "type %u, not known", r->type);
    add_hex(other, "offset", r->offset);
    cJSON_AddNumberToObject(other, "length", r->length);
}

static void describe_record(const void *table, const struct uim_dmar_record *r,
                            struct lists *to)
{
    const char *name = uim_dmar_name(r->type);
    char number[16];

    snprintf(number, sizeof(number), "type%u", r->type);
    count(to->structures, name ? name : number);
    if (r->type == DMAR_DRHD)
        add_scopes(describe_unit(table, r, to), r, to->structures);
    else if (r->type == DMAR_RMRR)
        add_scopes(describe_region(table, r, to), r, to->structures);
    else if (r->type == DMAR_ATSR || r->type == DMAR_SATC ||
             r->type == DMAR_SIDP)
        add_scopes(describe_ats(r, to), r, to->structures);
    else if (r->type == DMAR_RHSA)
        describe_proximity(r, to);
    else if (r->type == DMAR_ANDD)
        describe_acpi_device(r, to);
    else
        describe_unknown(r, to);
}

static void describe_dmar(cJSON *out, const void *table)
{
    const struct acpi_dmar_flags f = { acpi_dmar_flags(table) };
    cJSON *flags = cJSON_AddArrayToObject(out, "flags");
    struct uim_dmar_record r;
    uint32_t cursor = 0;
    struct lists to;

    cJSON_AddNumberToObject(out, "host_address_width",
                            (double)acpi_dmar_host_address_width(table) + 1);
    add_flag(flags, acpi_dmar_flags_intr_remap(f), "INTR_REMAP");
    add_flag(flags, acpi_dmar_flags_x2apic_opt_out(f), "X2APIC_OPT_OUT");
    add_flag(flags, acpi_dmar_flags_dma_ctrl_platform_opt_in(f),
             "DMA_CTRL_PLATFORM_OPT_IN");
    to.units = cJSON_GetObjectItemCaseSensitive(out, "units");
    to.reserved = cJSON_GetObjectItemCaseSensitive(out, "reserved");
    to.structures = cJSON_GetObjectItemCaseSensitive(out, "structures");
    to.ats = cJSON_AddArrayToObject(out, "ats");
    to.acpi = cJSON_AddArrayToObject(out, "acpi_devices");
    to.other = cJSON_AddArrayToObject(out, "other");
    while (uim_dmar_next(table, &cursor, &r))
        describe_record(table, &r, &to);
}

/* ---- any table ----------------------------------------------------------- */

static const struct parser {
    const char *signature;
    const struct uim_fw_ops *ops;
    void (*describe)(cJSON *out, const void *table);
} parsers[] = {
    { "DMAR", &uim_fw_dmar, describe_dmar },
    { "IVRS", NULL, NULL },
    { "IORT", NULL, NULL },
    { "RIMT", NULL, NULL },
    { "VIOT", NULL, NULL },
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
        add_text(ctx, NULL, "%s", text);
}

static void describe_header(cJSON *out, const void *table)
{
    const uint8_t *p = table;

    cJSON_AddNumberToObject(out, "length", (double)acpi_header_length(p));
    cJSON_AddNumberToObject(out, "revision", (double)acpi_header_revision(p));
    add_bytes(out, "oem", p + acpi_header_oem_id_OFFSET, 6);
    add_bytes(out, "oem_table", p + acpi_header_oem_table_id_OFFSET, 8);
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
        add_text(problems, NULL, "%s: no parser yet", parser->signature);
    else
        add_text(problems, NULL, "%.4s: not a table of an IOMMU",
                 (const char *)data);
    return true;
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
    add_bytes(out, "signature", data, size < 4 ? size : 4);
    *refused = !check(parser, data, size, problems);
    if (!*refused)
        describe_header(out, data);
    cJSON_AddArrayToObject(out, "units");
    cJSON_AddArrayToObject(out, "reserved");
    cJSON_AddObjectToObject(out, "structures");
    if (!*refused && parser && parser->describe)
        parser->describe(out, data);
    cJSON_AddItemToObject(out, "problems", problems);
    return out;
}

/* ---- text ---------------------------------------------------------------- */

static const char *get_text(const cJSON *object, const char *name)
{
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

    return text ? text : "";
}

static double get_number(const cJSON *object, const char *name)
{
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const cJSON *first(const cJSON *array)
{
    return array ? array->child : NULL;
}

static void print_flags(const cJSON *object)
{
    const cJSON *flags = cJSON_GetObjectItemCaseSensitive(object, "flags");

    for (const cJSON *flag = first(flags); flag; flag = flag->next)
        printf(" %s", flag->valuestring);
}

static void print_scopes(const cJSON *object)
{
    const cJSON *scopes = cJSON_GetObjectItemCaseSensitive(object, "scopes");

    for (const cJSON *scope = first(scopes); scope; scope = scope->next) {
        printf("    %-20s %s", get_text(scope, "name"),
               get_text(scope, "path"));
        if (cJSON_HasObjectItem(scope, "id"))
            printf("  id %.0f", get_number(scope, "id"));
        print_flags(scope);
        printf("\n");
    }
}

static void print_unit(const cJSON *unit)
{
    printf("  unit: %s, registers at %s, %s bytes, segment %.0f%s%s\n",
           get_text(unit, "kind"), get_text(unit, "base"),
           get_text(unit, "size"), get_number(unit, "segment"),
           is_true(unit, "all") ? ", and all PCI devices left" : "",
           is_true(unit, "usable") ? "" : ": CANNOT BE USED");
    print_scopes(unit);
}

static void print_region(const cJSON *region)
{
    printf("  reserved: %s - %s, segment %.0f%s, for\n",
           get_text(region, "base"), get_text(region, "last"),
           get_number(region, "segment"),
           is_true(region, "usable") ? "" : ", IGNORED");
    print_scopes(region);
}

static void print_ats(const cJSON *ats)
{
    const char *structure = get_text(ats, "structure");

    printf("  %s, segment %.0f", structure, get_number(ats, "segment"));
    if (strcmp(structure, "ATSR") == 0)
        printf(", root ports with ATS:");
    else if (strcmp(structure, "SATC") == 0)
        printf(", integrated devices with a translation cache:");
    else
        printf(", properties of integrated devices:");
    print_flags(ats);
    printf("\n");
    print_scopes(ats);
}

static void print_acpi_device(const cJSON *device)
{
    printf("  ACPI device %.0f: %s\n", get_number(device, "number"),
           get_text(device, "path"));
}

static void print_other(const cJSON *other)
{
    const char *structure = get_text(other, "structure");

    if (strcmp(structure, "RHSA") == 0)
        printf("  unit at %s is in proximity domain %.0f\n",
               get_text(other, "base"), get_number(other, "proximity_domain"));
    else
        printf("  structure of %s, %.0f bytes at %s\n", structure,
               get_number(other, "length"), get_text(other, "offset"));
}

static void print_each(const cJSON *table, const char *name,
                       void (*print)(const cJSON *))
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(table, name);

    for (const cJSON *item = first(list); item; item = item->next)
        print(item);
}

static void print_problem(const cJSON *problem)
{
    printf("  problem: %s\n", problem->valuestring);
}

static void print_table(const cJSON *table)
{
    printf("%s: %s", get_text(table, "file"), get_text(table, "signature"));
    if (cJSON_HasObjectItem(table, "length"))
        printf(" revision %.0f, %.0f bytes, %s %s",
               get_number(table, "revision"), get_number(table, "length"),
               get_text(table, "oem"), get_text(table, "oem_table"));
    if (cJSON_HasObjectItem(table, "host_address_width"))
        printf("\n  host address width %.0f, flags:",
               get_number(table, "host_address_width"));
    print_flags(table);
    printf("\n");
    print_each(table, "units", print_unit);
    print_each(table, "reserved", print_region);
    print_each(table, "ats", print_ats);
    print_each(table, "acpi_devices", print_acpi_device);
    print_each(table, "other", print_other);
    print_each(table, "problems", print_problem);
}

/* ---- files --------------------------------------------------------------- */

static cJSON *unreadable(const char *why)
{
    cJSON *table = cJSON_CreateObject();
    cJSON *problems;

    cJSON_AddStringToObject(table, "signature", "");
    cJSON_AddArrayToObject(table, "units");
    cJSON_AddArrayToObject(table, "reserved");
    cJSON_AddObjectToObject(table, "structures");
    problems = cJSON_AddArrayToObject(table, "problems");
    add_text(problems, NULL, "%s", why);
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
        add_bytes(table, "file", (const uint8_t *)name, strlen(name));
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
    for (const cJSON *t = first(tables); t; t = t->next)
        print_table(t);
    cJSON_Delete(tables);
    return failed;
}

static int usage(FILE *out)
{
    fputs(
        "usage: uiommu fw FILE... [--json]\n"
        "\n"
        "Shows ACPI tables that describe IOMMUs: DMAR in full, IVRS, IORT,\n"
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
