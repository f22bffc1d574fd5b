/* SPDX-License-Identifier: MIT */
/*
 * MADT: structures one by one, of which only those of ITSs are looked into.
 *
 * Refused is what leaves open where a structure ends, and what has so many ITSs that
 * nobody can look for them. An ITS whose registers cannot be where the table says is
 * ignored: nobody is told of a doorbell that is none.
 */
#include "fw/madt.h"

#include "fw/say.h"

enum { REGISTERS_ALIGN = 64 << 10, REGISTERS_SIZE = 128 << 10 };

static uint32_t table_length(const void *table)
{
    return (uint32_t)acpi_header_length(table);
}

/* What is wrong with the structure at `offset`, or NULL. */
static const char *flaw_at(const void *table, uint32_t offset)
{
    const uint32_t left = table_length(table) - offset;
    const uint8_t *p = (const uint8_t *)table + offset;
    uint32_t length;

    if (left < MADT_HEADER_SIZE)
        return "no room for the header of a structure";
    length = (uint32_t)acpi_madt_header_length(p);
    if (length < MADT_HEADER_SIZE)
        return "shorter than the header of a structure";
    if (length > left)
        return "ends after the table";
    if (acpi_madt_header_type(p) == MADT_GIC_ITS && length < MADT_GIC_ITS_SIZE)
        return "an ITS structure, shorter than its fixed part";
    return NULL;
}

/* The next ITS structure; *offset starts at 0 and is behind it afterwards. NULL: there
 * is none, or *offset is where the table does not make sense. */
static const uint8_t *next_its(const void *table, uint32_t *offset)
{
    if (*offset == 0)
        *offset = MADT_SIZE;
    while (*offset < table_length(table) && !flaw_at(table, *offset)) {
        const uint8_t *p = (const uint8_t *)table + *offset;

        *offset += (uint32_t)acpi_madt_header_length(p);
        if (acpi_madt_header_type(p) == MADT_GIC_ITS)
            return p;
    }
    return NULL;
}

uint32_t uim_madt_structures(const void *table)
{
    uint32_t offset = MADT_SIZE;
    uint32_t n = 0;

    for (; offset < table_length(table) && !flaw_at(table, offset); n++)
        offset +=
            (uint32_t)acpi_madt_header_length((const uint8_t *)table + offset);
    return n;
}

static const char *place_flaw(uint64_t base)
{
    if (base == 0)
        return "its registers are at 0";
    if (!uim_is_aligned(base, REGISTERS_ALIGN))
        return "its registers are not aligned to 64 KiB";
    if (base > UINT64_MAX - (REGISTERS_SIZE - 1))
        return "its registers wrap around the address space";
    return NULL;
}

bool uim_madt_its(const void *table, uint32_t id, uint64_t *base)
{
    uint32_t offset = 0;
    const uint8_t *p;

    while ((p = next_its(table, &offset)) != NULL) {
        if (acpi_madt_gic_its_its_id(p) != id ||
            place_flaw(acpi_madt_gic_its_base_address(p)))
            continue;
        *base = acpi_madt_gic_its_base_address(p);
        return true;
    }
    return false;
}

/* ---- check --------------------------------------------------------------- */

static void review_its(const void *table, const uint8_t *p,
                       const struct uim_fw_log *log)
{
    const uint32_t id = (uint32_t)acpi_madt_gic_its_its_id(p);
    const char *flaw = place_flaw(acpi_madt_gic_its_base_address(p));
    uint64_t first;

    if (!flaw && uim_madt_its(table, id, &first) &&
        first != acpi_madt_gic_its_base_address(p))
        flaw = "an earlier one has its number";
    if (flaw)
        uim_fw_say(log, UIOMMU_LOG_WARN, "MADT: ITS %u: %s, ignored", id, flaw);
}

static enum uiommu_status check_fixed_part(const void *table,
                                           const struct uim_fw_log *log)
{
    static const char signature[] = "APIC";

    for (unsigned i = 0; i < 4; i++) {
        if (((const char *)table)[i] != signature[i]) {
            uim_fw_say(log, UIOMMU_LOG_ERROR, "the table is no MADT");
            return UIOMMU_INVAL;
        }
    }
    if (table_length(table) >= MADT_SIZE)
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR,
               "MADT: %u bytes are less than its fixed part",
               table_length(table));
    return UIOMMU_INVAL;
}

/* Each is looked for among all. */
static enum uiommu_status check_work(const void *table,
                                     const struct uim_fw_log *log)
{
    uint32_t offset = 0;
    uint64_t n = 0;

    while (next_its(table, &offset))
        n++;
    if (n * uim_madt_structures(table) <= UIM_MADT_WORK_MAX)
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR, "MADT: more ITSs than can be looked for");
    return UIOMMU_INVAL;
}

enum uiommu_status uim_madt_check(const void *table, size_t size,
                                  const struct uim_fw_log *log)
{
    enum uiommu_status status = uim_fw_check_header(table, size, log);
    uint32_t offset = 0;
    const uint8_t *p;

    if (!status)
        status = check_fixed_part(table, log);
    if (!status)
        status = check_work(table, log);
    if (status)
        return status;
    while ((p = next_its(table, &offset)) != NULL)
        review_its(table, p, log);
    if (offset >= table_length(table))
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR, "MADT: structure at 0x%x: %s", offset,
               flaw_at(table, offset));
    return UIOMMU_INVAL;
}
