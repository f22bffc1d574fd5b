/* SPDX-License-Identifier: MIT */
/*
 * Which structures of a DMAR table mean a device (VT-d 8.3 .. 8.9).
 *
 * A scope names a function by its path from a start bus. Bridges get other bus
 * numbers as systems boot, device and function numbers stay: only the start bus
 * is compared by number.
 */
#include "fw/dmar.h"

#include "fw/path.h"
#include "spec/pci.h"

/* PCI Code and ID Assignment 1.3, 1.12 */
enum { CLASS_DISPLAY = 0x03, CLASS_USB = 0x0c03 };

/* A longer path could match too little and end at the wrong unit. */
static bool path_ok(const struct uim_fw_device *device)
{
    return device->n > 0 && device->n <= UIM_FW_HOPS;
}

/* Does the scope's path lie on the device's, from hop `first` on? */
static bool path_at(const struct uim_dmar_scope *scope,
                    const struct uim_fw_device *device, unsigned first)
{
    if (device->hop[first].bus != scope->start_bus)
        return false;
    for (unsigned i = 0; i < scope->n; i++) {
        if (device->hop[first + i].devfn != uim_dmar_devfn(scope, i))
            return false;
    }
    return true;
}

/* The start bus need not be a root bus: firmware of some servers names devices
 * behind bridges by the bus they are on. */
static unsigned match_pci(const struct uim_dmar_scope *scope,
                          const struct uim_fw_device *device)
{
    if (scope->n == 0)
        return 0;
    for (unsigned first = 0; first + scope->n <= device->n; first++) {
        unsigned covered = first + scope->n;

        if (scope->type == DMAR_SCOPE_ENDPOINT && covered != device->n)
            continue;
        if (path_at(scope, device, first))
            return covered;
    }
    return 0;
}

unsigned uim_dmar_match(const struct uim_dmar_scope *scope,
                        const struct uim_fw_device *device)
{
    if (scope->type != DMAR_SCOPE_ENDPOINT && scope->type != DMAR_SCOPE_BRIDGE)
        return 0;
    if (device->acpi_path || !path_ok(device))
        return 0;
    return match_pci(scope, device);
}

/* The scope that covers most of the path: a device named by itself goes before
 * a bridge above it. 0: none of them. */
static unsigned record_match(const struct uim_dmar_record *record,
                             const struct uim_fw_device *device,
                             struct uim_dmar_scope *out)
{
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;
    unsigned best = 0;

    if (record->segment != device->pci.segment)
        return 0;
    while (uim_dmar_scope_next(record, &cursor, &scope)) {
        unsigned covered = uim_dmar_match(&scope, device);

        if (covered > best) {
            best = covered;
            *out = scope;
        }
    }
    return best;
}

/* ---- ACPI names ---------------------------------------------------------- */

/* Both end in NUL: check() made sure of the table's. */
unsigned uim_dmar_acpi_number(const void *table, const char *path)
{
    struct uim_dmar_record r;
    uint32_t cursor = 0;

    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_ANDD)
            continue;
        if (uim_fw_same_path((const char *)r.p + DMAR_ANDD_SIZE, path))
            return (unsigned)acpi_dmar_andd_acpi_device_number(r.p);
    }
    return 0x100;
}

/* A scope of something that is no PCI function: its path is its requester id. */
static bool names(const struct uim_dmar_record *record, unsigned type,
                  unsigned number, struct uim_dmar_scope *out)
{
    uint32_t cursor = 0;

    while (uim_dmar_scope_next(record, &cursor, out)) {
        if (out->type == type && out->id == number && out->n == 1 &&
            uim_dmar_devfn(out, 0) <= 0xff)
            return true;
    }
    return false;
}

static bool names_acpi(const struct uim_dmar_record *record, unsigned number,
                       struct uim_dmar_scope *out)
{
    return names(record, DMAR_SCOPE_NAMESPACE, number, out);
}

/* ---- the questions of fw.h ----------------------------------------------- */

/* The answer to owner() so far. */
struct owner {
    unsigned covered; /* hops; 0: nobody yet */
    bool all;         /* only by INCLUDE_PCI_ALL */
    unsigned unit;
    bool usable;
    uint32_t id;
};

static void consider_pci(const struct uim_dmar_record *drhd,
                         const struct uim_fw_device *device,
                         const struct uim_fw_unit *unit, unsigned index,
                         struct owner *best)
{
    struct uim_dmar_scope scope;
    unsigned covered = record_match(drhd, device, &scope);
    bool all = covered == 0 && unit->all && !best->all &&
               unit->segment == device->pci.segment;

    if (covered <= best->covered && !(all && best->covered == 0))
        return;
    best->covered = covered;
    best->all = all;
    best->unit = index;
    best->usable = unit->usable;
    best->id = (uint32_t)device->pci.bus << 8 | device->pci.devfn;
}

/* INCLUDE_PCI_ALL is for PCI alone: ACPI devices have a scope. */
static void consider_acpi(const struct uim_dmar_record *drhd, unsigned number,
                          const struct uim_fw_unit *unit, unsigned index,
                          struct owner *best)
{
    struct uim_dmar_scope scope;

    if (best->covered > 0 || !names_acpi(drhd, number, &scope))
        return;
    best->covered = 1;
    best->unit = index;
    best->usable = unit->usable;
    best->id = (uint32_t)scope.start_bus << 8 | uim_dmar_devfn(&scope, 0);
}

enum uiommu_status uim_dmar_owner(const void *table,
                                  const struct uim_fw_device *device,
                                  unsigned index, unsigned *unit, uint32_t *id)
{
    struct owner best = { 0 };
    struct uim_dmar_record r;
    struct uim_fw_unit info;
    uint32_t cursor = 0;
    unsigned n_units = 0;
    unsigned number = 0;

    if (index > 0)
        return UIOMMU_NOENT;
    if (device->acpi_path)
        number = uim_dmar_acpi_number(table, device->acpi_path);
    else if (!path_ok(device))
        return UIOMMU_NODEV;
    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_DRHD)
            continue;
        (void)uim_dmar_unit(table, &r, &info);
        if (device->acpi_path)
            consider_acpi(&r, number, &info, n_units, &best);
        else
            consider_pci(&r, device, &info, n_units, &best);
        n_units++;
    }
    /* A unit that cannot be driven does not hand its devices to another. */
    if ((best.covered == 0 && !best.all) || !best.usable)
        return UIOMMU_NODEV;
    *unit = best.unit;
    *id = best.id;
    return UIOMMU_OK;
}

enum uiommu_status uim_dmar_irq_source(const void *table,
                                       enum uiommu_irq_source kind, unsigned id,
                                       unsigned *unit, uint32_t *rid)
{
    const unsigned type =
        kind == UIOMMU_IRQ_IOAPIC ? DMAR_SCOPE_IOAPIC : DMAR_SCOPE_HPET;
    struct uim_dmar_scope scope;
    struct uim_dmar_record r;
    struct uim_fw_unit info;
    uint32_t cursor = 0;

    *unit = 0;
    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_DRHD)
            continue;
        (void)uim_dmar_unit(table, &r, &info);
        if (names(&r, type, id, &scope)) {
            *rid = (uint32_t)scope.start_bus << 8 | uim_dmar_devfn(&scope, 0);
            return info.usable ? UIOMMU_OK : UIOMMU_NODEV;
        }
        ++*unit;
    }
    return UIOMMU_NODEV;
}

/* B.10: drivers of these stop using the region once they run. */
bool uim_dmar_relaxable(const struct uim_fw_device *device)
{
    uint32_t class_code = device->class_code;

    if (device->acpi_path)
        return false;
    return class_code >> 8 == CLASS_USB || class_code >> 16 == CLASS_DISPLAY;
}

static bool stands_for_itself(const struct uim_fw_device *device)
{
    const struct uim_fw_hop *last = &device->hop[device->n - 1];

    return last->bus == device->pci.bus && last->devfn == device->pci.devfn;
}

/* A virtual function stands where its physical one does (fw.h), for the question who
 * translates for it. What must be reached is of the function that is named (B.10): here
 * it is behind that one. */
static bool is_named(const struct uim_dmar_record *record,
                     const struct uim_fw_device *device)
{
    struct uim_fw_device behind = *device;
    struct uim_dmar_scope scope;

    if (!path_ok(device) || stands_for_itself(device))
        return record_match(record, device, &scope) > 0;
    if (device->n == UIM_FW_HOPS)
        return false;
    behind.hop[behind.n++] = (struct uim_fw_hop){ .bus = device->pci.bus,
                                                  .devfn = device->pci.devfn };
    return record_match(record, &behind, &scope) > 0;
}

enum uiommu_status uim_dmar_device_region(const void *table,
                                          const struct uim_fw_device *device,
                                          unsigned index,
                                          struct uim_fw_region *out)
{
    struct uim_dmar_record r;
    struct uim_dmar_scope scope;
    struct uim_fw_region region;
    uint32_t cursor = 0;
    unsigned number = 0;
    bool named;

    if (device->acpi_path)
        number = uim_dmar_acpi_number(table, device->acpi_path);
    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_RMRR || uim_dmar_region(table, &r, &region))
            continue;
        named = device->acpi_path ? names_acpi(&r, number, &scope)
                                  : is_named(&r, device);
        if (!named || index-- > 0)
            continue;
        *out = region;
        out->relaxable = uim_dmar_relaxable(device);
        return UIOMMU_OK;
    }
    return UIOMMU_NOENT;
}

/* ---- ATS ----------------------------------------------------------------- */

enum listing {
    NOT_LISTED,
    LISTED,
    LISTED_REQUIRED, /* it does not work without its translation cache */
};

static enum listing satc_listing(const struct uim_dmar_record *r)
{
    struct acpi_dmar_satc_flags flags = { acpi_dmar_satc_flags(r->p) };

    return acpi_dmar_satc_flags_atc_required(flags) ? LISTED_REQUIRED : LISTED;
}

static enum listing sidp_listing(const struct uim_dmar_scope *scope)
{
    struct acpi_dmar_device_scope_flags flags = { scope->flags };

    return acpi_dmar_device_scope_flags_atc_required(flags) ? LISTED_REQUIRED
                                                            : LISTED;
}

/* What SIDP says of integrated devices; SATC where there is no SIDP (8.9). */
static enum listing integrated_listing(const void *table,
                                       const struct uim_fw_device *device)
{
    enum listing satc = NOT_LISTED;
    enum listing sidp = NOT_LISTED;
    bool has_sidp = false;
    struct uim_dmar_record r;
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;

    while (uim_dmar_next(table, &cursor, &r)) {
        has_sidp |= r.type == DMAR_SIDP;
        if (r.type != DMAR_SATC && r.type != DMAR_SIDP)
            continue;
        if (record_match(&r, device, &scope) == 0)
            continue;
        if (r.type == DMAR_SIDP && sidp == NOT_LISTED)
            sidp = sidp_listing(&scope);
        else if (r.type == DMAR_SATC && satc == NOT_LISTED)
            satc = satc_listing(&r);
    }
    return has_sidp ? sidp : satc;
}

/* The root port the device is behind, as a device of its own. */
static bool port_in_atsr(const void *table, const struct uim_fw_device *device)
{
    struct uim_fw_device port = { .pci = device->pci, .n = 1 };
    struct uim_dmar_record r;
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;

    port.hop[0] = device->hop[0];
    while (uim_dmar_next(table, &cursor, &r)) {
        struct acpi_dmar_atsr_flags flags;

        if (r.type != DMAR_ATSR || r.segment != device->pci.segment)
            continue;
        flags.raw = acpi_dmar_atsr_flags(r.p);
        if (acpi_dmar_atsr_flags_all_ports(flags) ||
            record_match(&r, &port, &scope) > 0)
            return true;
    }
    return false;
}

/* Root port on top, switch ports below: translated requests get through. */
static bool express_all_the_way(const struct uim_fw_device *device)
{
    if (device->hop[0].port != PCI_EXP_TYPE_ROOT_PORT)
        return false;
    for (unsigned i = 1; i + 1 < device->n; i++) {
        if (device->hop[i].port != PCI_EXP_TYPE_UPSTREAM_PORT &&
            device->hop[i].port != PCI_EXP_TYPE_DOWNSTREAM_PORT)
            return false;
    }
    return true;
}

bool uim_dmar_ats_allowed(const void *table, const struct uim_fw_device *device,
                          bool legacy)
{
    enum listing listing;

    if (device->acpi_path || !path_ok(device))
        return false;
    listing = integrated_listing(table, device);
    /* In legacy mode hardware does it by itself for devices that require it,
     * and software must keep its hands off (8.8). */
    if (listing != NOT_LISTED)
        return !(listing == LISTED_REQUIRED && legacy);
    if (device->n == 1)
        return true;
    return express_all_the_way(device) && port_in_atsr(table, device);
}
