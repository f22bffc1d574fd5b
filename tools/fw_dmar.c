/* SPDX-License-Identifier: MIT */
/*
 * fw_dmar.c - `uiommu fw` of DMAR tables. The structures come from the
 * iterators of the parser that the library uses.
 */
#include <stdio.h>
#include <string.h>

#include "fw/dmar.h"
#include "tools/fw.h"
#include "tools/fw_json.h"

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

    fw_add_flag(flags, acpi_dmar_device_scope_flags_atc_required(f),
                "ATC_REQUIRED");
    fw_add_flag(flags, acpi_dmar_device_scope_flags_atc_hardened(f),
                "ATC_HARDENED");
    fw_add_flag(flags,
                acpi_dmar_device_scope_flags_req_wo_pasid_pgsnp_notallowed(f),
                "REQ_WO_PASID_PGSNP_NOTALLOWED");
    fw_add_flag(flags,
                acpi_dmar_device_scope_flags_req_wo_pasid_pwsnp_notallowed(f),
                "REQ_WO_PASID_PWSNP_NOTALLOWED");
    fw_add_flag(flags,
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
    cJSON *scope = fw_add_object(scopes);

    cJSON_AddNumberToObject(scope, "type", s->type);
    fw_add_text(scope, "name", "%s", fw_scope_name(s->type));
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
        fw_count(structures, name);
        if (s.n > 1)
            fw_count(structures, "multihop");
    }
}

static cJSON *describe_unit(const void *table, const struct uim_dmar_record *r,
                            struct lists *to)
{
    cJSON *unit = fw_add_object(to->units);
    struct uim_fw_unit info;

    (void)uim_dmar_unit(table, r, &info);
    cJSON_AddStringToObject(unit, "kind", "vtd");
    fw_add_hex(unit, "base", info.base);
    fw_add_hex(unit, "size", info.size);
    cJSON_AddNumberToObject(unit, "segment", info.segment);
    cJSON_AddBoolToObject(unit, "all", info.all);
    cJSON_AddBoolToObject(unit, "usable", info.usable);
    return unit;
}

static cJSON *describe_region(const void *table,
                              const struct uim_dmar_record *r, struct lists *to)
{
    cJSON *region = fw_add_object(to->reserved);
    struct uim_fw_region info;

    cJSON_AddNumberToObject(region, "segment", r->segment);
    fw_add_hex(region, "base", acpi_dmar_rmrr_base_address(r->p));
    fw_add_hex(region, "last", acpi_dmar_rmrr_limit_address(r->p));
    cJSON_AddBoolToObject(region, "usable", !uim_dmar_region(table, r, &info));
    return region;
}

static cJSON *describe_ats(const struct uim_dmar_record *r, struct lists *to)
{
    const struct acpi_dmar_atsr_flags atsr = { acpi_dmar_atsr_flags(r->p) };
    const struct acpi_dmar_satc_flags satc = { acpi_dmar_satc_flags(r->p) };
    cJSON *ats = fw_add_object(to->ats);
    cJSON *flags;

    fw_add_text(ats, "structure", "%s", uim_dmar_name(r->type));
    cJSON_AddNumberToObject(ats, "segment", r->segment);
    flags = cJSON_AddArrayToObject(ats, "flags");
    if (r->type == DMAR_ATSR)
        fw_add_flag(flags, acpi_dmar_atsr_flags_all_ports(atsr), "ALL_PORTS");
    if (r->type == DMAR_SATC)
        fw_add_flag(flags, acpi_dmar_satc_flags_atc_required(satc),
                    "ATC_REQUIRED");
    return ats;
}

static void describe_proximity(const struct uim_dmar_record *r,
                               struct lists *to)
{
    cJSON *other = fw_add_object(to->other);

    fw_add_text(other, "structure", "RHSA");
    fw_add_hex(other, "base", acpi_dmar_rhsa_register_base(r->p));
    cJSON_AddNumberToObject(other, "proximity_domain",
                            (double)acpi_dmar_rhsa_proximity_domain(r->p));
}

static void describe_acpi_device(const struct uim_dmar_record *r,
                                 struct lists *to)
{
    cJSON *device = fw_add_object(to->acpi);

    cJSON_AddNumberToObject(device, "number",
                            (double)acpi_dmar_andd_acpi_device_number(r->p));
    fw_add_bytes(device, "path", r->p + DMAR_ANDD_SIZE,
                 r->length - DMAR_ANDD_SIZE);
}

static void describe_unknown(const struct uim_dmar_record *r, struct lists *to)
{
    cJSON *other = fw_add_object(to->other);

    fw_add_text(other, "structure", "type %u, not known", r->type);
    fw_add_hex(other, "offset", r->offset);
    cJSON_AddNumberToObject(other, "length", r->length);
}

static void describe_record(const void *table, const struct uim_dmar_record *r,
                            struct lists *to)
{
    const char *name = uim_dmar_name(r->type);
    char number[16];

    snprintf(number, sizeof(number), "type%u", r->type);
    fw_count(to->structures, name ? name : number);
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

void fw_dmar_describe(cJSON *out, const void *table)
{
    const struct acpi_dmar_flags f = { acpi_dmar_flags(table) };
    cJSON *flags = cJSON_AddArrayToObject(out, "flags");
    struct uim_dmar_record r;
    uint32_t cursor = 0;
    struct lists to;

    cJSON_AddNumberToObject(out, "host_address_width",
                            (double)acpi_dmar_host_address_width(table) + 1);
    fw_add_flag(flags, acpi_dmar_flags_intr_remap(f), "INTR_REMAP");
    fw_add_flag(flags, acpi_dmar_flags_x2apic_opt_out(f), "X2APIC_OPT_OUT");
    fw_add_flag(flags, acpi_dmar_flags_dma_ctrl_platform_opt_in(f),
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

/* ---- text ---------------------------------------------------------------- */

static void print_scopes(const cJSON *object)
{
    const cJSON *scopes = cJSON_GetObjectItemCaseSensitive(object, "scopes");

    for (const cJSON *scope = fw_first(scopes); scope; scope = scope->next) {
        printf("    %-20s %s", fw_text(scope, "name"), fw_text(scope, "path"));
        if (cJSON_HasObjectItem(scope, "id"))
            printf("  id %.0f", fw_number(scope, "id"));
        fw_print_flags(scope);
        printf("\n");
    }
}

static void print_unit(const cJSON *unit)
{
    printf("  unit: %s, registers at %s, %s bytes, segment %.0f%s%s\n",
           fw_text(unit, "kind"), fw_text(unit, "base"), fw_text(unit, "size"),
           fw_number(unit, "segment"),
           fw_is_true(unit, "all") ? ", and all PCI devices left" : "",
           fw_is_true(unit, "usable") ? "" : ": CANNOT BE USED");
    print_scopes(unit);
}

static void print_region(const cJSON *region)
{
    printf("  reserved: %s - %s, segment %.0f%s, for\n",
           fw_text(region, "base"), fw_text(region, "last"),
           fw_number(region, "segment"),
           fw_is_true(region, "usable") ? "" : ", IGNORED");
    print_scopes(region);
}

static void print_ats(const cJSON *ats)
{
    const char *structure = fw_text(ats, "structure");

    printf("  %s, segment %.0f", structure, fw_number(ats, "segment"));
    if (strcmp(structure, "ATSR") == 0)
        printf(", root ports with ATS:");
    else if (strcmp(structure, "SATC") == 0)
        printf(", integrated devices with a translation cache:");
    else
        printf(", properties of integrated devices:");
    fw_print_flags(ats);
    printf("\n");
    print_scopes(ats);
}

static void print_acpi_device(const cJSON *device)
{
    printf("  ACPI device %.0f: %s\n", fw_number(device, "number"),
           fw_text(device, "path"));
}

static void print_other(const cJSON *other)
{
    const char *structure = fw_text(other, "structure");

    if (strcmp(structure, "RHSA") == 0)
        printf("  unit at %s is in proximity domain %.0f\n",
               fw_text(other, "base"), fw_number(other, "proximity_domain"));
    else
        printf("  structure of %s, %.0f bytes at %s\n", structure,
               fw_number(other, "length"), fw_text(other, "offset"));
}

void fw_dmar_print(const cJSON *table)
{
    printf("  host address width %.0f, flags:",
           fw_number(table, "host_address_width"));
    fw_print_flags(table);
    printf("\n");
    fw_print_each(table, "units", print_unit);
    fw_print_each(table, "reserved", print_region);
    fw_print_each(table, "ats", print_ats);
    fw_print_each(table, "acpi_devices", print_acpi_device);
    fw_print_each(table, "other", print_other);
}
