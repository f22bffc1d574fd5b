/* SPDX-License-Identifier: MIT */
/*
 * software.c - what no unit translates for (semantics C.2): nothing in hardware keeps such
 * devices from anything, and this driver says so. Its unit is there for parts of them that
 * are emulated, whose domains have to be of some unit, with tables in some format.
 */
#include "core/driver.h"

/* ---- instead of a table: every device is its own ------------------------------------- */

static enum uiommu_status nothing_to_check(const void *table, size_t size,
                                           const struct uim_fw_log *log)
{
    (void)table, (void)size, (void)log;
    return UIOMMU_OK;
}

static enum uiommu_status the_unit(const void *table, unsigned index,
                                   struct uim_fw_unit *out)
{
    (void)table;
    if (index > 0)
        return UIOMMU_NOENT;
    *out = (struct uim_fw_unit){ .all = true, .usable = true };
    return UIOMMU_OK;
}

/* Of devices without a number on a bus; two that come to be one are no worse off, as nothing
 * keeps any of them apart. */
static uint32_t id_of_path(const char *path)
{
    uint32_t id = 0;

    for (; *path != '\0'; path++)
        id = id * 31 + (uint8_t)*path;
    return id;
}

static enum uiommu_status whatever(const void *table,
                                   const struct uim_fw_device *device,
                                   unsigned index, unsigned *unit, uint32_t *id)
{
    const struct uiommu_pci pci = device->pci;

    (void)table;
    if (index > 0)
        return UIOMMU_NOENT;
    *unit = 0;
    *id = device->acpi_path ? id_of_path(device->acpi_path)
                            : (uint32_t)pci.segment << 16 |
                                  (uint32_t)pci.bus << 8 | pci.devfn;
    return UIOMMU_OK;
}

static enum uiommu_status no_region(const void *table,
                                    const struct uim_fw_device *device,
                                    unsigned index, struct uim_fw_region *out)
{
    (void)table, (void)device, (void)index, (void)out;
    return UIOMMU_NOENT;
}

static enum uiommu_status no_requester(const void *table,
                                       const struct uiommu_host *host,
                                       unsigned index,
                                       struct uim_fw_requester *out)
{
    (void)table, (void)host, (void)index, (void)out;
    return UIOMMU_NOENT;
}

static enum uiommu_status no_source(const void *table,
                                    enum uiommu_irq_source kind, unsigned id,
                                    unsigned *unit, uint32_t *rid)
{
    (void)table, (void)kind, (void)id, (void)unit, (void)rid;
    return UIOMMU_NODEV;
}

static bool no_ats(const void *table, const struct uim_fw_device *device,
                   bool legacy)
{
    (void)table, (void)device, (void)legacy;
    return false;
}

static const struct uim_fw_ops no_table = {
    .signature = "",
    .check = nothing_to_check,
    .unit = the_unit,
    .owner = whatever,
    .region = no_region,
    .requester = no_requester,
    .irq_source = no_source,
    .ats_allowed = no_ats,
};

/* ---- the unit --------------------------------------------------------------------------- */

static enum uiommu_status nothing_to_do(struct uim_unit *unit)
{
    (void)unit;
    return UIOMMU_OK;
}

static void release(struct uim_unit *unit)
{
    uim_free(unit->u, unit, sizeof(*unit));
}

/* Everybody is on identity, and stays there (driver.h: quality). */
static enum uiommu_status stay(struct uiommu_endpoint *endpoint,
                               struct uiommu_domain *next,
                               struct uiommu_domain *old)
{
    (void)endpoint, (void)next, (void)old;
    return UIOMMU_OK;
}

static enum uiommu_status cut_nothing(struct uiommu_endpoint *endpoint)
{
    (void)endpoint;
    return UIOMMU_OK;
}

static void audit(struct uim_unit *unit, struct uim_unit_audit *out)
{
    (void)unit;
    out->open = true;
}

static bool no_fault(struct uim_unit *unit)
{
    (void)unit;
    return false;
}

/* No domain is ever seen through it. */
static const struct uim_unit_ops ops = {
    .prepare = nothing_to_do,
    .enable = nothing_to_do,
    .disable = nothing_to_do,
    .release = release,
    .suspend = nothing_to_do,
    .resume = nothing_to_do,
    .set = stay,
    .cut = cut_nothing,
    .audit = audit,
    .poll = no_fault,
};

/* ---- the driver --------------------------------------------------------------------------- */

static enum uiommu_status no_option(void *state, const char *key,
                                    const char *value)
{
    (void)state, (void)key, (void)value;
    return UIOMMU_NOENT;
}

static enum uiommu_status probe(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out)
{
    struct uim_unit *unit = uim_alloc(u, sizeof(*unit));

    if (!unit)
        return UIOMMU_NOMEM;
    *unit = (struct uim_unit){
        .ops = &ops,
        .driver = &uiommu_driver_software,
        .u = u,
        .host = uim_host(u),
        .state = state,
        .base = info->base,
        .mode = "none",
        .format = &uim_pt_vtd_ss,
        .page_sizes = UINT64_C(1) << 12 | UINT64_C(1) << 21 | UINT64_C(1) << 30,
        .iova_bits = 57,
        .phys_bits = 52,
        .walks_none = true,
        .coherent = true,
        .identity = true,
        .quality = UIOMMU_BLOCK_NONE,
        .window_first = UINT64_MAX,
    };
    *out = unit;
    return UIOMMU_OK;
}

static enum uiommu_status settle(void *state, struct uim_unit *const *units,
                                 unsigned n)
{
    (void)state, (void)units, (void)n;
    return UIOMMU_OK;
}

const struct uiommu_driver uiommu_driver_software = {
    .name = "software",
    .fw = &no_table,
    .state_size = 1,
    .option = no_option,
    .probe = probe,
    .settle = settle,
};
