/* SPDX-License-Identifier: MIT */
#include "fw/fw.h"

#include "base/text.h"
#include "fw/say.h"
#include "spec/acpi.h"

/* No real table comes near it. The parsers look at some things pairwise, and a
 * length that is nonsense shall not keep them busy. */
enum {
    TABLE_MAX = 64 << 10, /* the largest seen have a few KiB */
    MADT_MAX = 1 << 20,   /* up to 100 bytes a processor */
};

static uint64_t most(const uint8_t *p)
{
    const bool madt = p[0] == 'A' && p[1] == 'P' && p[2] == 'I' && p[3] == 'C';

    return madt ? MADT_MAX : TABLE_MAX;
}

void uim_fw_say(const struct uim_fw_log *log, enum uiommu_log_level level,
                const char *format, ...)
{
    char text[200];
    struct uim_text t;
    va_list args;

    if (!log || !log->say)
        return;
    uim_text_init(&t, text, sizeof(text));
    va_start(args, format);
    uim_text_fv(&t, format, args);
    va_end(args);
    log->say(log->ctx, level, text);
}

static bool printable(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    }
    return true;
}

static unsigned sum(const uint8_t *p, size_t size)
{
    unsigned total = 0;

    for (size_t i = 0; i < size; i++)
        total += p[i];
    return total & 0xff;
}

static enum uiommu_status refuse_length(const struct uim_fw_log *log,
                                        const char *name, uint64_t length,
                                        size_t size)
{
    uim_fw_say(log, UIOMMU_LOG_ERROR,
               "%s: the header says %lu bytes, there are %lu", name, length,
               (uint64_t)size);
    return UIOMMU_INVAL;
}

bool uim_fw_whole(const void *table, size_t size)
{
    uint64_t length;

    if (size < ACPI_HEADER_SIZE)
        return false;
    length = acpi_header_length(table);
    return length >= ACPI_HEADER_SIZE && length <= size &&
           length <= most(table);
}

static enum uiommu_status check_length(const uint8_t *p, size_t size,
                                       const char *name,
                                       const struct uim_fw_log *log)
{
    uint64_t length = acpi_header_length(p);

    if (length < ACPI_HEADER_SIZE || length > size)
        return refuse_length(log, name, length, size);
    if (length > most(p)) {
        uim_fw_say(log, UIOMMU_LOG_ERROR, "%s: %lu bytes, more than any table",
                   name, length);
        return UIOMMU_INVAL;
    }
    if (length < size)
        uim_fw_say(log, UIOMMU_LOG_WARN, "%s: %lu bytes after the table", name,
                   (uint64_t)size - length);
    return UIOMMU_OK;
}

enum uiommu_status uim_fw_check_header(const void *table, size_t size,
                                       const struct uim_fw_log *log)
{
    const uint8_t *p = table;
    char name[5] = "";
    enum uiommu_status status;
    unsigned rest;

    if (size < ACPI_HEADER_SIZE) {
        uim_fw_say(log, UIOMMU_LOG_ERROR,
                   "%lu bytes are less than the header of a table",
                   (uint64_t)size);
        return UIOMMU_INVAL;
    }
    if (!printable(p, 4)) {
        uim_fw_say(log, UIOMMU_LOG_ERROR,
                   "signature %02x %02x %02x %02x is not that of a table",
                   (unsigned)p[0], (unsigned)p[1], (unsigned)p[2],
                   (unsigned)p[3]);
        return UIOMMU_INVAL;
    }
    for (unsigned i = 0; i < 4; i++)
        name[i] = (char)p[i];
    status = check_length(p, size, name, log);
    if (status)
        return status;
    rest = sum(p, (size_t)acpi_header_length(p));
    if (rest != 0) {
        uim_fw_say(log, UIOMMU_LOG_ERROR,
                   "%s: wrong checksum: the bytes add up to 0x%02x, not 0",
                   name, rest);
        return UIOMMU_INVAL;
    }
    return UIOMMU_OK;
}
