/* SPDX-License-Identifier: MIT */
/*
 * Can a DMAR table be relied on (VT-d chapter 8), and what is odd in it?
 *
 * Refused is what leaves open where a structure, scope or name ends. Firmware
 * that is merely wrong is used as far as it goes, always towards less DMA: what
 * makes no sense is ignored, and whatever depends on it stays blocked.
 */
#include "fw/dmar.h"

#include "fw/say.h"

/* As many units as anybody supports; they are compared with each other. */
enum { UNITS_MAX = 1024 };

/* A set of bytes. */
struct numbers {
    uint8_t bit[32];
};

static void numbers_add(struct numbers *set, unsigned n)
{
    set->bit[n / 8] |= (uint8_t)(1u << n % 8);
}

static bool numbers_has(const struct numbers *set, unsigned n)
{
    return set->bit[n / 8] >> n % 8 & 1;
}

struct check {
    const void *table;
    const struct uim_fw_log *log;
    unsigned units;
    struct numbers andd;
};

static void warn(const struct check *c, const struct uim_dmar_record *r,
                 const char *what)
{
    uim_fw_say(c->log, UIOMMU_LOG_WARN, "DMAR: %s at 0x%x: %s",
               uim_dmar_name(r->type), r->offset, what);
}

static enum uiommu_status refuse(const struct check *c, const char *name,
                                 uint32_t offset, const char *what)
{
    uim_fw_say(c->log, UIOMMU_LOG_ERROR, "DMAR: %s at 0x%x: %s", name, offset,
               what);
    return UIOMMU_INVAL;
}

/* ---- what refuses the table ---------------------------------------------- */

static enum uiommu_status check_scopes(const struct check *c,
                                       const struct uim_dmar_record *r)
{
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;
    const char *flaw;

    while (uim_dmar_scope_next(r, &cursor, &scope))
        ;
    flaw = uim_dmar_scope_flaw(r, cursor);
    if (!flaw)
        return UIOMMU_OK;
    if (cursor == 0)
        cursor = r->scopes;
    uim_fw_say(c->log, UIOMMU_LOG_ERROR,
               "DMAR: scope at 0x%x in %s at 0x%x: %s", r->offset + cursor,
               uim_dmar_name(r->type), r->offset, flaw);
    return UIOMMU_INVAL;
}

static bool terminated(const uint8_t *p, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (p[i] == '\0')
            return true;
    }
    return false;
}

static enum uiommu_status check_name(const struct check *c,
                                     const struct uim_dmar_record *r)
{
    if (!terminated(r->p + DMAR_ANDD_SIZE, r->length - DMAR_ANDD_SIZE))
        return refuse(c, "ANDD", r->offset, "its name does not end");
    return UIOMMU_OK;
}

static enum uiommu_status refuse_flaw(const struct check *c, uint32_t cursor,
                                      const char *flaw)
{
    const uint8_t *p = (const uint8_t *)c->table + cursor;
    const char *name = NULL;

    if (acpi_header_length(c->table) - cursor >= DMAR_SUB_HEADER_SIZE)
        name = uim_dmar_name((unsigned)acpi_dmar_sub_header_type(p));
    return refuse(c, name ? name : "structure", cursor, flaw);
}

static enum uiommu_status check_structures(struct check *c)
{
    enum uiommu_status status = UIOMMU_OK;
    struct uim_dmar_record r;
    uint32_t cursor = 0;
    const char *flaw;

    while (!status && uim_dmar_next(c->table, &cursor, &r)) {
        if (r.type == DMAR_ANDD)
            status = check_name(c, &r);
        else
            status = check_scopes(c, &r);
        if (r.type == DMAR_DRHD)
            c->units++;
    }
    if (status)
        return status;
    flaw = uim_dmar_flaw(c->table, cursor);
    if (flaw)
        return refuse_flaw(c, cursor ? cursor : DMAR_SIZE, flaw);
    if (c->units == 0 || c->units > UNITS_MAX) {
        uim_fw_say(c->log, UIOMMU_LOG_ERROR, "DMAR: %u units (DRHD)", c->units);
        return UIOMMU_INVAL;
    }
    return UIOMMU_OK;
}

/* ---- what is odd --------------------------------------------------------- */

static void review_header(const struct check *c)
{
    unsigned bits = (unsigned)acpi_dmar_host_address_width(c->table) + 1;
    struct acpi_dmar_flags flags = { acpi_dmar_flags(c->table) };

    if (bits < 32 || bits > 64)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "DMAR: host address width of %u bits", bits);
    if (acpi_dmar_flags_x2apic_opt_out(flags) &&
        !acpi_dmar_flags_intr_remap(flags))
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "DMAR: opts out of x2APIC without interrupt remapping");
}

static void say_scope(const struct check *c, const struct uim_dmar_record *r,
                      const struct uim_dmar_scope *scope, const char *what)
{
    uim_fw_say(c->log, UIOMMU_LOG_WARN,
               "DMAR: scope at 0x%x in %s at 0x%x: %s, ignored", scope->offset,
               uim_dmar_name(r->type), r->offset, what);
}

static const char *scope_oddity(const struct check *c,
                                const struct uim_dmar_scope *scope)
{
    if (scope->type < DMAR_SCOPE_ENDPOINT || scope->type > DMAR_SCOPE_NAMESPACE)
        return "not a known type";
    if (scope->n == 0)
        return "no path";
    for (unsigned i = 0; i < scope->n; i++) {
        if (uim_dmar_devfn(scope, i) > 0xff)
            return "a device above 31 or a function above 7 in its path";
    }
    if (scope->type != DMAR_SCOPE_NAMESPACE)
        return NULL;
    if (scope->n > 1)
        return "an ACPI device behind a bridge";
    if (!numbers_has(&c->andd, scope->id))
        return "no ANDD has its device number";
    return NULL;
}

static void review_scopes(const struct check *c,
                          const struct uim_dmar_record *r)
{
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;
    const char *oddity;

    while (uim_dmar_scope_next(r, &cursor, &scope)) {
        oddity = scope_oddity(c, &scope);
        if (oddity)
            say_scope(c, r, &scope, oddity);
    }
}

static bool names_pci(const struct uim_dmar_record *r)
{
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;

    while (uim_dmar_scope_next(r, &cursor, &scope)) {
        if (scope.type == DMAR_SCOPE_ENDPOINT ||
            scope.type == DMAR_SCOPE_BRIDGE)
            return true;
    }
    return false;
}

/* INCLUDE_PCI_ALL means what is left over, so it comes last (8.3). */
static void review_all(const struct check *c, const struct uim_dmar_record *all)
{
    struct uim_dmar_record r;
    struct uim_fw_unit unit;
    uint32_t cursor = all->offset + all->length;
    bool last = true;

    if (names_pci(all))
        warn(c, all, "for all PCI devices, and yet names some");
    while (uim_dmar_next(c->table, &cursor, &r)) {
        if (r.type != DMAR_DRHD || r.segment != all->segment)
            continue;
        (void)uim_dmar_unit(c->table, &r, &unit);
        if (unit.all)
            warn(c, &r, "for all PCI devices, as an earlier one: that counts");
        last = false;
    }
    if (!last)
        warn(c, all, "for all PCI devices, and yet not the last unit");
}

static void review_unit(const struct check *c, const struct uim_dmar_record *r)
{
    struct uim_fw_unit unit;
    const char *why = uim_dmar_unit(c->table, r, &unit);

    if (why)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "DMAR: DRHD at 0x%x: %s: the unit cannot be used", r->offset,
                   why);
    if (unit.all)
        review_all(c, r);
}

static void review_region(const struct check *c,
                          const struct uim_dmar_record *r)
{
    uint64_t base = acpi_dmar_rmrr_base_address(r->p);
    uint64_t limit = acpi_dmar_rmrr_limit_address(r->p);
    struct uim_fw_region region;
    const char *why = uim_dmar_region(c->table, r, &region);

    if (why)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "DMAR: RMRR at 0x%x: 0x%lx-0x%lx %s, ignored", r->offset,
                   base, limit, why);
    else if (region.start != base || region.last != limit)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "DMAR: RMRR at 0x%x: 0x%lx-0x%lx is not whole pages, "
                   "taken as 0x%lx-0x%lx",
                   r->offset, base, limit, region.start, region.last);
    if (r->scopes == r->length)
        warn(c, r, "for no device");
}

static void review_proximity(const struct check *c,
                             const struct uim_dmar_record *rhsa)
{
    uint64_t base = acpi_dmar_rhsa_register_base(rhsa->p);
    struct uim_dmar_record r;
    uint32_t cursor = 0;

    while (uim_dmar_next(c->table, &cursor, &r)) {
        if (r.type == DMAR_DRHD && acpi_dmar_drhd_register_base(r.p) == base)
            return;
    }
    uim_fw_say(c->log, UIOMMU_LOG_WARN, "DMAR: RHSA at 0x%x: no unit at 0x%lx",
               rhsa->offset, base);
}

static void review_ats(const struct check *c, const struct uim_dmar_record *r)
{
    struct acpi_dmar_atsr_flags flags = { acpi_dmar_atsr_flags(r->p) };

    if (acpi_dmar_atsr_flags_all_ports(flags) && r->scopes < r->length)
        warn(c, r, "for all root ports, and yet names some");
}

/* Two passes: scopes may come before the ANDD they refer to. */
static void collect_numbers(struct check *c)
{
    struct uim_dmar_record r;
    uint32_t cursor = 0;
    unsigned number;

    while (uim_dmar_next(c->table, &cursor, &r)) {
        if (r.type != DMAR_ANDD)
            continue;
        number = (unsigned)acpi_dmar_andd_acpi_device_number(r.p);
        if (numbers_has(&c->andd, number))
            warn(c, &r, "its device number is that of an earlier one");
        numbers_add(&c->andd, number);
    }
}

static void review(const struct check *c, const struct uim_dmar_record *r)
{
    if (!uim_dmar_name(r->type))
        uim_fw_say(c->log, UIOMMU_LOG_INFO,
                   "DMAR: structure at 0x%x: type %u is not known, skipped",
                   r->offset, (unsigned)r->type);
    else if (r->type == DMAR_DRHD)
        review_unit(c, r);
    else if (r->type == DMAR_RMRR)
        review_region(c, r);
    else if (r->type == DMAR_ATSR)
        review_ats(c, r);
    else if (r->type == DMAR_RHSA)
        review_proximity(c, r);
    review_scopes(c, r);
}

static enum uiommu_status check_fixed_part(const void *table,
                                           const struct uim_fw_log *log)
{
    uint64_t length = acpi_header_length(table);

    for (unsigned i = 0; i < 4; i++) {
        if (((const char *)table)[i] != uim_fw_dmar.signature[i]) {
            uim_fw_say(log, UIOMMU_LOG_ERROR, "the table is no DMAR");
            return UIOMMU_INVAL;
        }
    }
    if (length >= DMAR_SIZE)
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR,
               "DMAR: %lu bytes are less than its fixed part", length);
    return UIOMMU_INVAL;
}

enum uiommu_status uim_dmar_check(const void *table, size_t size,
                                  const struct uim_fw_log *log)
{
    struct check c = { .table = table, .log = log };
    enum uiommu_status status = uim_fw_check_header(table, size, log);
    struct uim_dmar_record r;
    uint32_t cursor = 0;

    if (!status)
        status = check_fixed_part(table, log);
    if (!status)
        status = check_structures(&c);
    if (status)
        return status;
    review_header(&c);
    collect_numbers(&c);
    while (uim_dmar_next(table, &cursor, &r))
        review(&c, &r);
    return UIOMMU_OK;
}
