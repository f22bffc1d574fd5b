/* SPDX-License-Identifier: MIT */
/*
 * DMAR: the structures one by one, the units and regions among them, and the
 * table's uim_fw_ops. What is wrong with a table: dmar_check.c. Which device is
 * meant: dmar_match.c; where it is now: dmar_requester.c.
 */
#include "fw/dmar.h"

#include "spec/vtd_intr.h"

struct kind {
    const char *name;
    uint8_t fixed; /* length without scopes or name */
    bool scopes;
    bool segment;  /* a segment number at offset 6  */
};

static const struct kind kinds[] = {
    [DMAR_DRHD] = { "DRHD", DMAR_DRHD_SIZE, true, true },
    [DMAR_RMRR] = { "RMRR", DMAR_RMRR_SIZE, true, true },
    [DMAR_ATSR] = { "ATSR", DMAR_ATSR_SIZE, true, true },
    [DMAR_RHSA] = { "RHSA", DMAR_RHSA_SIZE, false, false },
    [DMAR_ANDD] = { "ANDD", DMAR_ANDD_SIZE, false, false },
    [DMAR_SATC] = { "SATC", DMAR_SATC_SIZE, true, true },
    [DMAR_SIDP] = { "SIDP", DMAR_SIDP_SIZE, true, true },
};

_Static_assert((int)acpi_dmar_drhd_segment_OFFSET ==
                       (int)acpi_dmar_rmrr_segment_OFFSET &&
                   (int)acpi_dmar_drhd_segment_OFFSET ==
                       (int)acpi_dmar_atsr_segment_OFFSET &&
                   (int)acpi_dmar_drhd_segment_OFFSET ==
                       (int)acpi_dmar_satc_segment_OFFSET &&
                   (int)acpi_dmar_drhd_segment_OFFSET ==
                       (int)acpi_dmar_sidp_segment_OFFSET,
               "all segment numbers are in one place");

static const struct kind *kind_of(unsigned type)
{
    if (type >= sizeof(kinds) / sizeof(kinds[0]))
        return NULL;
    return &kinds[type];
}

const char *uim_dmar_name(unsigned type)
{
    const struct kind *kind = kind_of(type);

    return kind ? kind->name : NULL;
}

static uint32_t table_length(const void *table)
{
    return (uint32_t)acpi_header_length(table);
}

const char *uim_dmar_flaw(const void *table, uint32_t cursor)
{
    uint32_t offset = cursor ? cursor : DMAR_SIZE;
    uint32_t length = table_length(table);
    const uint8_t *p = (const uint8_t *)table + offset;
    const struct kind *kind;
    uint32_t size;

    if (offset == length)
        return NULL;
    if (offset > length || length - offset < DMAR_SUB_HEADER_SIZE)
        return "no room for its type and length";
    size = (uint32_t)acpi_dmar_sub_header_length(p);
    if (size < DMAR_SUB_HEADER_SIZE)
        return "shorter than its type and length";
    if (size > length - offset)
        return "ends after the table";
    kind = kind_of((unsigned)acpi_dmar_sub_header_type(p));
    if (kind && size < kind->fixed)
        return "shorter than its fixed part";
    return NULL;
}

bool uim_dmar_next(const void *table, uint32_t *cursor,
                   struct uim_dmar_record *out)
{
    uint32_t offset = *cursor ? *cursor : DMAR_SIZE;
    const uint8_t *p = (const uint8_t *)table + offset;
    const struct kind *kind;

    if (offset >= table_length(table) || uim_dmar_flaw(table, offset))
        return false;
    out->p = p;
    out->offset = offset;
    out->type = (uint16_t)acpi_dmar_sub_header_type(p);
    out->length = (uint16_t)acpi_dmar_sub_header_length(p);
    kind = kind_of(out->type);
    out->scopes = kind && kind->scopes ? kind->fixed : out->length;
    out->segment =
        kind && kind->segment ? (uint16_t)acpi_dmar_drhd_segment(p) : 0;
    *cursor = offset + out->length;
    return true;
}

const char *uim_dmar_scope_flaw(const struct uim_dmar_record *record,
                                uint32_t cursor)
{
    uint32_t at = cursor ? cursor : record->scopes;
    uint32_t size;

    if (at == record->length)
        return NULL;
    if (at > record->length || record->length - at < DMAR_DEVICE_SCOPE_SIZE)
        return "no room for its fixed part";
    size = (uint32_t)acpi_dmar_device_scope_length(record->p + at);
    if (size < DMAR_DEVICE_SCOPE_SIZE)
        return "shorter than its fixed part";
    if (size > record->length - at)
        return "ends after its structure";
    if ((size - DMAR_DEVICE_SCOPE_SIZE) % DMAR_PATH_ENTRY_SIZE != 0)
        return "half an element at the end of its path";
    return NULL;
}

bool uim_dmar_scope_next(const struct uim_dmar_record *record, uint32_t *cursor,
                         struct uim_dmar_scope *out)
{
    uint32_t at = *cursor ? *cursor : record->scopes;
    const uint8_t *p = record->p + at;
    uint32_t size;

    if (at >= record->length || uim_dmar_scope_flaw(record, at))
        return false;
    size = (uint32_t)acpi_dmar_device_scope_length(p);
    out->path = p + DMAR_DEVICE_SCOPE_SIZE;
    out->offset = record->offset + at;
    out->type = (uint8_t)acpi_dmar_device_scope_type(p);
    out->flags = (uint8_t)acpi_dmar_device_scope_flags(p);
    out->id = (uint8_t)acpi_dmar_device_scope_enumeration_id(p);
    out->start_bus = (uint8_t)acpi_dmar_device_scope_start_bus(p);
    out->n = (uint8_t)((size - DMAR_DEVICE_SCOPE_SIZE) / DMAR_PATH_ENTRY_SIZE);
    *cursor = at + size;
    return true;
}

unsigned uim_dmar_devfn(const struct uim_dmar_scope *scope, unsigned i)
{
    const uint8_t *element = scope->path + i * DMAR_PATH_ENTRY_SIZE;
    unsigned device = (unsigned)acpi_dmar_path_entry_device(element);
    unsigned function = (unsigned)acpi_dmar_path_entry_function(element);

    if (device > 31 || function > 7)
        return 0x100;
    return device << 3 | function;
}

static const char *place_flaw(const struct uim_fw_unit *unit)
{
    if (unit->base == 0)
        return "its registers are at 0";
    if (!uim_is_aligned(unit->base, 4096))
        return "its registers do not start a page";
    if (unit->base + (unit->size - 1) < unit->base)
        return "its registers wrap around the address space";
    return NULL;
}

static void read_unit(const void *table, const uint8_t *p,
                      struct uim_fw_unit *out)
{
    struct acpi_dmar_flags platform = { acpi_dmar_flags(table) };
    struct acpi_dmar_drhd_flags flags = { acpi_dmar_drhd_flags(p) };
    struct acpi_dmar_drhd_size size = { acpi_dmar_drhd_size(p) };
    uint64_t bits = acpi_dmar_host_address_width(table) + 1;

    out->base = acpi_dmar_drhd_register_base(p);
    out->size = UINT64_C(4096) << acpi_dmar_drhd_size_n(size);
    out->segment = (uint16_t)acpi_dmar_drhd_segment(p);
    out->phys_bits = bits > 64 ? 0 : (uint8_t)bits;
    out->remaps = acpi_dmar_flags_intr_remap(platform);
    out->x2apic = !acpi_dmar_flags_x2apic_opt_out(platform);
    out->all = acpi_dmar_drhd_flags_include_pci_all(flags);
    out->usable = !place_flaw(out);
    out->record = p;
}

static bool overlap(const struct uim_fw_unit *a, const struct uim_fw_unit *b)
{
    return a->base <= b->base + (b->size - 1) &&
           b->base <= a->base + (a->size - 1);
}

const char *uim_dmar_unit(const void *table, const struct uim_dmar_record *drhd,
                          struct uim_fw_unit *out)
{
    struct uim_dmar_record r;
    struct uim_fw_unit other;
    uint32_t cursor = 0;

    read_unit(table, drhd->p, out);
    if (!out->usable)
        return place_flaw(out);
    while (uim_dmar_next(table, &cursor, &r) && r.offset < drhd->offset) {
        if (r.type != DMAR_DRHD)
            continue;
        read_unit(table, r.p, &other);
        if (other.usable && overlap(out, &other)) {
            out->usable = false;
            return "its registers are those of an earlier unit";
        }
    }
    return NULL;
}

static enum uiommu_status dmar_unit(const void *table, unsigned index,
                                    struct uim_fw_unit *out)
{
    struct uim_dmar_record r;
    uint32_t cursor = 0;

    while (uim_dmar_next(table, &cursor, &r)) {
        if (r.type != DMAR_DRHD)
            continue;
        if (index == 0) {
            (void)uim_dmar_unit(table, &r, out);
            return UIOMMU_OK;
        }
        index--;
    }
    return UIOMMU_NOENT;
}

const char *uim_dmar_region(const void *table,
                            const struct uim_dmar_record *rmrr,
                            struct uim_fw_region *out)
{
    uint64_t bits = acpi_dmar_host_address_width(table) + 1;
    uint64_t first = acpi_dmar_rmrr_base_address(rmrr->p);
    uint64_t last = acpi_dmar_rmrr_limit_address(rmrr->p);

    if (last < first)
        return "ends before it starts";
    if (bits < 64 && last >> bits != 0)
        return "is beyond the platform's address width";
    /* What devices write there are interrupts, not memory. */
    if (first >> 20 <= VTD_MSI_FEE && last >> 20 >= VTD_MSI_FEE)
        return "lies over the interrupt addresses";
    out->start = uim_align_down(first, 4096);
    out->last = last | 4095;
    out->flags = UIOMMU_READ | UIOMMU_WRITE;
    out->relaxable = false;
    return NULL;
}

const struct uim_fw_ops uim_fw_dmar = {
    .signature = "DMAR",
    .check = uim_dmar_check,
    .unit = dmar_unit,
    .owner = uim_dmar_owner,
    .region = uim_dmar_device_region,
    .requester = uim_dmar_requester,
    .irq_source = uim_dmar_irq_source,
    .ats_allowed = uim_dmar_ats_allowed,
};
