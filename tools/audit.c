/* SPDX-License-Identifier: MIT */
/*
 * audit.c - `uiommu audit [--machine NAME] [--mode MODE] [--corrupt WHAT] [--json]`.
 */
#include "tools/audit.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/audit_machine.h"
#include "tools/machines.h"

struct options {
    const char *machine;
    const char *mode;
    const char *corrupt;
    bool json;
};

static int usage(FILE *out)
{
    fprintf(out, "usage: uiommu audit [--machine NAME] [--mode MODE] "
                 "[--corrupt entry|leaf] [--json]\n\nmachines, and their "
                 "modes:\n");
    for (const struct machine_row *row = machine_rows; row->name; row++)
        fprintf(out, "  %-17s %s\n", row->name, row->mode);
    fprintf(out,
            "\nBrings the machine up, gives devices domains, and reads from "
            "the tables of the\nIOMMU who reaches what. Exit status 0: "
            "everybody is confined; 1: somebody is not.\n\n"
            "--corrupt changes memory first, behind uiommu's back, to show "
            "a finding:\n"
            "  entry   the second engine is shown what the first one is\n"
            "  leaf    the first engine may write to its own page tables\n");
    return out == stdout ? 0 : 2;
}

static bool is_corruption(const char *what)
{
    return strcmp(what, "entry") == 0 || strcmp(what, "leaf") == 0;
}

/* The word after argv[*i], or NULL. */
static const char *word(int argc, char **argv, int *i)
{
    return *i + 1 < argc ? argv[++*i] : NULL;
}

/* 0: go on; otherwise exit with one less. */
static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char **value = NULL;

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (strcmp(argv[i], "--machine") == 0)
            value = &o->machine;
        else if (strcmp(argv[i], "--mode") == 0)
            value = &o->mode;
        else if (strcmp(argv[i], "--corrupt") == 0)
            value = &o->corrupt;
        else
            return 1 + usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr);
        *value = word(argc, argv, &i);
        if (!*value)
            return 1 + usage(stderr);
    }
    if (o->corrupt && !is_corruption(o->corrupt))
        return 1 + usage(stderr);
    return 0;
}

/* ---- rows --------------------------------------------------------------------------- */

static const char *const verdicts[] = {
    [UIOMMU_AUDIT_UNIT] = "in use",
    [UIOMMU_AUDIT_CONFINED] = "confined",
    [UIOMMU_AUDIT_ALLOWED] = "allowed",
    [UIOMMU_AUDIT_INHERITED] = "inherited",
    [UIOMMU_AUDIT_NO_UNIT] = "no unit",
    [UIOMMU_AUDIT_UNABLE] = "not known",
    [UIOMMU_AUDIT_OFF] = "off",
    [UIOMMU_AUDIT_FOREIGN] = "foreign tables",
    [UIOMMU_AUDIT_UNCONFIRMED] = "unconfirmed",
    [UIOMMU_AUDIT_INTERRUPTS] = "interrupts pass",
    [UIOMMU_AUDIT_STRAY] = "stray id",
    [UIOMMU_AUDIT_STRAY_PASID] = "stray PASID",
    [UIOMMU_AUDIT_OPEN] = "open",
    [UIOMMU_AUDIT_PASSES] = "passes",
    [UIOMMU_AUDIT_TABLE] = "other tables",
    [UIOMMU_AUDIT_TAG] = "wrong tag",
    [UIOMMU_AUDIT_SHARED_TAG] = "shared tag",
    [UIOMMU_AUDIT_ATS] = "ATS",
    [UIOMMU_AUDIT_MAPPING] = "mapping",
    [UIOMMU_AUDIT_DAMAGED] = "damaged",
    [UIOMMU_AUDIT_UNREADABLE] = "unreadable",
    [UIOMMU_AUDIT_UNFINISHED] = "unfinished",
};

static const char *domain_name(const struct uiommu_domain *domain)
{
    struct uiommu_domain_info info;

    if (!domain)
        return "-";
    uiommu_domain_info(domain, &info);
    switch (info.kind) {
    case UIOMMU_DOMAIN_BLOCKED:
        return "blocked";
    case UIOMMU_DOMAIN_IDENTITY:
        return "identity";
    case UIOMMU_DOMAIN_PAGING:
        return "paging";
    case UIOMMU_DOMAIN_SVA:
        return "sva";
    case UIOMMU_DOMAIN_INHERITED:
        break;
    }
    return "inherited";
}

struct report {
    const struct audit_machine *a;
    const struct options *o;
    cJSON
        *rows; /* JSON: all of them                                          */
    cJSON *text; /* else: sentences of findings, told at the end              */
    unsigned findings;
};

static const char *requester_name(const struct report *r,
                                  const struct uiommu_audit *row, char *buf,
                                  size_t size)
{
    for (unsigned i = 0; row->device && i < r->a->n_devices; i++)
        if (r->a->device[i] == row->device)
            return r->a->m->devices[i].name;
    snprintf(buf, size, "id 0x%x", (unsigned)row->id);
    return buf;
}

static void print_row(struct report *r, const struct uiommu_audit *row)
{
    char name[32], pasid[16] = "-";

    if (uiommu_audit_is_finding(row->kind))
        cJSON_AddItemToArray(r->text, cJSON_CreateString(row->text));
    if (!row->of_requester)
        return;
    if (row->pasid != UIOMMU_NO_PASID)
        snprintf(pasid, sizeof(pasid), "%u", (unsigned)row->pasid);
    printf("%-12s %-6s %-9s %s\n", requester_name(r, row, name, sizeof(name)),
           pasid, domain_name(row->domain), verdicts[row->kind]);
}

static void add_hex(cJSON *object, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
    cJSON_AddStringToObject(object, key, text);
}

static void add_requester(const struct report *r, cJSON *object,
                          const struct uiommu_audit *row)
{
    char name[32];

    cJSON_AddStringToObject(object, "requester",
                            requester_name(r, row, name, sizeof(name)));
    add_hex(object, "id", row->id);
    if (row->pasid != UIOMMU_NO_PASID)
        cJSON_AddNumberToObject(object, "pasid", row->pasid);
    cJSON_AddStringToObject(object, "domain", domain_name(row->domain));
    if (row->entry)
        add_hex(object, "entry", row->entry);
    if (row->has_iova)
        add_hex(object, "iova", row->iova);
}

static void tell(void *ctx, const struct uiommu_audit *row)
{
    struct report *r = ctx;
    cJSON *object;

    r->findings += uiommu_audit_is_finding(row->kind);
    if (!r->o->json) {
        print_row(r, row);
        return;
    }
    object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "unit", row->unit);
    if (row->of_requester)
        add_requester(r, object, row);
    cJSON_AddStringToObject(object, "verdict", verdicts[row->kind]);
    cJSON_AddBoolToObject(object, "finding",
                          uiommu_audit_is_finding(row->kind));
    cJSON_AddStringToObject(object, "text", row->text);
    cJSON_AddItemToArray(r->rows, object);
}

/* ---- output -------------------------------------------------------------------------- */

static void print_findings(const struct report *r)
{
    const cJSON *text;

    printf("\n%u finding%s\n", r->findings, r->findings == 1 ? "" : "s");
    cJSON_ArrayForEach(text, r->text) printf("  %s\n", text->valuestring);
}

static void print_json(struct report *r, const char *error)
{
    cJSON *root = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(root, "machine", r->o->machine);
    if (r->o->mode)
        cJSON_AddStringToObject(root, "mode", r->o->mode);
    if (r->o->corrupt)
        cJSON_AddStringToObject(root, "corrupted", r->o->corrupt);
    cJSON_AddItemToObject(root, "rows", r->rows);
    r->rows = NULL;
    cJSON_AddNumberToObject(root, "findings", r->findings);
    cJSON_AddStringToObject(root, "error", error);
    text = cJSON_Print(root);
    puts(text);
    free(text);
    cJSON_Delete(root);
}

/* ---- the command ---------------------------------------------------------------------- */

static bool look(struct audit_machine *a, struct report *r, char *error,
                 size_t size)
{
    struct audit_damage damage = { .n = 0 };
    enum uiommu_status status;

    if (r->o->corrupt &&
        !audit_machine_corrupt(a, r->o->corrupt, &damage, error, size))
        return false;
    if (!r->o->json)
        printf("%s, %s\n\n%-12s %-6s %-9s %s\n", a->m->name, a->m->options,
               "requester", "PASID", "domain", "verdict");
    status = uiommu_audit(a->u, tell, r);
    if (!r->o->json)
        print_findings(r);
    if (damage.n > 0)
        audit_machine_mend(&damage);
    if (status != UIOMMU_OK)
        snprintf(error, size, "the audit: %s", uiommu_status_name(status));
    return status == UIOMMU_OK;
}

int tool_audit(int argc, char **argv)
{
    struct options o = { .machine = "sim:vtd" };
    struct report r = { .o = &o };
    struct audit_machine a;
    char error[256] = "";
    int end = parse(argc, argv, &o);
    bool ok;

    if (end > 0)
        return end - 1;
    r.a = &a;
    r.rows = cJSON_CreateArray();
    r.text = cJSON_CreateArray();
    ok = audit_machine_open(&a, o.machine, o.mode, error, sizeof(error)) &&
         look(&a, &r, error, sizeof(error));
    if (!audit_machine_close(&a) && ok) {
        snprintf(error, sizeof(error), "the machine was not given back");
        ok = false;
    }
    if (o.json)
        print_json(&r, error);
    else if (!ok)
        fprintf(stderr, "uiommu audit: %s\n", error);
    cJSON_Delete(r.rows);
    cJSON_Delete(r.text);
    return ok && r.findings == 0 ? 0 : 1;
}
