/* SPDX-License-Identifier: MIT */
#include "model/table.h"

#include "base/mem.h"
#include "spec/acpi.h"

static void put_text(struct uim_table *t, size_t at, const char *text)
{
    for (; *text != '\0'; text++, at++)
        t->data[at] = (uint8_t)*text;
}

void uim_table_begin(struct uim_table *t, const char *signature,
                     uint8_t revision, size_t size)
{
    memset(t, 0, sizeof(*t));
    t->len = size;
    put_text(t, acpi_header_signature_OFFSET, signature);
    put_text(t, acpi_header_oem_id_OFFSET, "UIOMMU");
    put_text(t, acpi_header_oem_table_id_OFFSET, "UIMODEL ");
    put_text(t, acpi_header_creator_id_OFFSET, "UIOM");
    uim_table_put(t, acpi_header_revision_OFFSET, 1, revision);
    uim_table_put(t, acpi_header_oem_revision_OFFSET, 4, 1);
    uim_table_put(t, acpi_header_creator_revision_OFFSET, 4, 1);
}

size_t uim_table_add(struct uim_table *t, size_t size)
{
    size_t at = t->len;

    if (size > UIM_TABLE_MAX - t->len)
        return 0;
    t->len += size;
    return at;
}

void uim_table_put(struct uim_table *t, size_t at, unsigned size,
                   uint64_t value)
{
    for (unsigned i = 0; i < size && at + i < UIM_TABLE_MAX; i++)
        t->data[at + i] = (uint8_t)(value >> (8 * i));
}

size_t uim_table_end(struct uim_table *t, void *buf, size_t size)
{
    uint8_t sum = 0;

    uim_table_put(t, acpi_header_length_OFFSET, 4, t->len);
    for (size_t i = 0; i < t->len; i++)
        sum = (uint8_t)(sum + t->data[i]);
    uim_table_put(t, acpi_header_checksum_OFFSET, 1, (uint8_t)-sum);
    if (size > 0)
        memcpy(buf, t->data, size < t->len ? size : t->len);
    return t->len;
}
