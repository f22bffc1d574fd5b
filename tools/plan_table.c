/* SPDX-License-Identifier: MIT */
/*
 * plan_table.c - which unit translates for the devices of a group, and which of them
 * firmware keeps memory for: the machine's DMAR or IORT.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fw/fw.h"
#include "tools/file.h"
#include "tools/fw_json.h"
#include "tools/plan.h"

enum { TABLE_MAX = 4 << 20 };

/* ---- the file -------------------------------------------------------------------- */

struct complaint {
    const char *file;
    void (*say)(const char *file, const char *why);
};

static void say_error(void *ctx, enum uiommu_log_level level, const char *text)
{
    const struct complaint *c = ctx;

    if (level <= UIOMMU_LOG_ERROR)
        c->say(c->file, text);
}

static const struct uim_fw_ops *ops_of(const char *data, size_t size,
                                       const struct complaint *c)
{
    static const struct uim_fw_ops *const known[] = { &uim_fw_dmar,
                                                      &uim_fw_iort };

    for (size_t i = 0; size >= 4 && i < sizeof(known) / sizeof(known[0]); i++)
        if (memcmp(data, known[i]->signature, 4) == 0)
            return known[i];
    if (size >= 4 && memcmp(data, "IVRS", 4) == 0)
        c->say(c->file, "tables of AMD-Vi (IVRS) are not understood yet");
    else
        c->say(c->file, "neither a DMAR nor an IORT table");
    return NULL;
}

bool plan_table_open(struct plan_table *t, const char *file,
                     void (*say)(const char *file, const char *why))
{
    struct complaint c = { file, say };
    const struct uim_fw_log log = { say_error, &c };
    const char *why;
    size_t size;

    t->data = file_read(file, TABLE_MAX, &size, &why);
    if (!t->data) {
        say(file, why);
        return false;
    }
    t->ops = ops_of(t->data, size, &c);
    if (t->ops && t->ops->check(t->data, size, &log) == UIOMMU_OK)
        return true;
    plan_table_close(t);
    return false;
}

void plan_table_close(struct plan_table *t)
{
    free(t->data);
    t->data = NULL;
}

/* ---- a function as tables name it -------------------------------------------------- */

/* Where tables look for it: a virtual function stands where its physical one does. */
static bool path_of(const struct uim_pci_function *f, struct uim_fw_device *out)
{
    const struct uim_pci_function *at = f->physical ? f->physical : f;

    *out = (struct uim_fw_device){ .pci = f->at, .class_code = f->class_code };
    for (const struct uim_pci_function *b = at; b; b = b->bridge)
        out->n++;
    if (out->n > UIM_FW_HOPS)
        return false;
    for (unsigned i = out->n; i > 0; at = at->bridge)
        out->hop[--i] =
            (struct uim_fw_hop){ at->at.bus, at->at.devfn, at->port };
    return true;
}

/* ---- JSON ------------------------------------------------------------------------ */

static cJSON *unit_of(cJSON *units, unsigned unit)
{
    cJSON *item;

    cJSON_ArrayForEach(item,
                       units) if (cJSON_HasObjectItem(item, "unit") &&
                                  fw_number(item, "unit") == unit) return item;
    return NULL;
}

static cJSON *no_unit(cJSON *units)
{
    cJSON *item;

    cJSON_ArrayForEach(
        item, units) if (!cJSON_HasObjectItem(item, "unit")) return item;
    return NULL;
}

static cJSON *append(cJSON *array, cJSON *item)
{
    if (item && cJSON_AddItemToArray(array, item))
        return item;
    cJSON_Delete(item);
    return NULL;
}

static cJSON *add_unit(const struct plan_table *t, cJSON *units, unsigned unit)
{
    cJSON *object = append(units, cJSON_CreateObject());
    struct uim_fw_unit info;
    char base[24];

    if (t->ops->unit(t->data, unit, &info) != UIOMMU_OK)
        return NULL;
    snprintf(base, sizeof(base), "0x%" PRIx64, info.base);
    if (cJSON_AddNumberToObject(object, "unit", unit) &&
        cJSON_AddStringToObject(object, "base", base) &&
        cJSON_AddArrayToObject(object, "devices"))
        return object;
    return NULL;
}

static cJSON *add_no_unit(cJSON *units)
{
    cJSON *object = append(units, cJSON_CreateObject());

    return cJSON_AddArrayToObject(object, "devices") ? object : NULL;
}

static bool add_owner(const struct plan_table *t,
                      const struct uim_fw_device *device, cJSON *units)
{
    char text[PLAN_ADDRESS_SIZE];
    unsigned unit;
    cJSON *object;
    uint32_t id;

    if (device->n <= UIM_FW_HOPS &&
        t->ops->owner(t->data, device, 0, &unit, &id) == UIOMMU_OK)
        object = unit_of(units, unit) ? unit_of(units, unit)
                                      : add_unit(t, units, unit);
    else
        object = no_unit(units) ? no_unit(units) : add_no_unit(units);
    return append(cJSON_GetObjectItem(object, "devices"),
                  cJSON_CreateString(plan_address(device->pci, text)));
}

static bool add_region(const struct uim_fw_device *device,
                       const struct uim_fw_region *r, cJSON *regions)
{
    cJSON *object = append(regions, cJSON_CreateObject());
    char text[PLAN_ADDRESS_SIZE], start[24], last[24];

    snprintf(start, sizeof(start), "0x%" PRIx64, r->start);
    snprintf(last, sizeof(last), "0x%" PRIx64, r->last);
    return cJSON_AddStringToObject(object, "device",
                                   plan_address(device->pci, text)) &&
           cJSON_AddStringToObject(object, "start", start) &&
           cJSON_AddStringToObject(object, "last", last) &&
           cJSON_AddBoolToObject(object, "forbids", !r->relaxable);
}

static bool add_function(const struct plan_table *t,
                         const struct uim_pci_function *f, cJSON *units,
                         cJSON *regions)
{
    struct uim_fw_device device;
    struct uim_fw_region region;
    bool known = path_of(f, &device);

    if (!add_owner(t, &device, units))
        return false;
    for (unsigned i = 0;
         known && t->ops->region(t->data, &device, i, &region) == UIOMMU_OK;
         i++)
        if (!add_region(&device, &region, regions))
            return false;
    return true;
}

bool plan_table_add(const struct plan_table *t, const struct plan_machine *m,
                    const unsigned *group, unsigned which, cJSON *object)
{
    cJSON *units = cJSON_AddArrayToObject(object, "units");
    cJSON *regions = cJSON_AddArrayToObject(object, "regions");
    bool good = units && regions;

    for (unsigned i = 0; good && i < m->n; i++)
        if (group[i] == which)
            good = add_function(t, &m->functions[i], units, regions);
    return good;
}

/* ---- text ------------------------------------------------------------------------ */

static void print_unit(const cJSON *unit)
{
    const cJSON *item;

    if (cJSON_HasObjectItem(unit, "unit"))
        printf("    unit %.0f at %s translates for", fw_number(unit, "unit"),
               fw_text(unit, "base"));
    else
        printf("    no unit translates for");
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(unit, "devices"))
        printf(" %s", item->valuestring);
    printf("\n");
}

static void print_region(const cJSON *region)
{
    printf("    firmware keeps %s to %s for %s: %s\n", fw_text(region, "start"),
           fw_text(region, "last"), fw_text(region, "device"),
           fw_is_true(region, "forbids")
               ? "the group cannot be passed through"
               : "until its driver takes over, so that it is no obstacle");
}

void plan_table_print(const cJSON *group)
{
    fw_print_each(group, "units", print_unit);
    fw_print_each(group, "regions", print_region);
}
