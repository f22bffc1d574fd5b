/* SPDX-License-Identifier: MIT */
/*
 * dmar.c - DMAR tables: parser, and everything that is asked of one.
 */
#include "fuzz/table.h"

#include <cJSON.h>

#include "fw/fw.h"
#include "tools/fw.h"

#define RULES(X)                                                               \
    X(a_sentence_is_a_line)                                                    \
    X(an_owner_is_a_unit_of_the_table)                                         \
    X(a_region_is_whole_pages)                                                 \
    X(units_fit_into_the_table)                                                \
    X(configuration_reads_are_bounded)                                         \
    X(sentences_are_bounded)
FUZZ_RULES(RULES);

/* A structure has 4 bytes at least and brings few sentences; one that names a
 * device has 8, and its path is read once a question. */
enum {
    MOST = 70000,
    MOST_UNITS = MOST / 16,
    MOST_SENTENCES = MOST,
    MOST_READS = 4 << 20,
};

static unsigned reads, sentences;

static uint32_t pci_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    (void)ctx;
    reads++;
    if (at.bus > 4)
        return UINT32_MAX >> (32 - 8 * width);
    if (offset == 0x18) /* a bridge to the next bus */
        return 0x00ff0000u | (uint32_t)(at.bus + 1) << 8 | at.bus;
    return (uint32_t)(at.devfn * 0x01010101u + offset) >> (32 - 8 * width);
}

static void say(void *ctx, enum uiommu_log_level level, const char *text)
{
    (void)ctx, (void)level;
    sentences++;
    if (fuzz_lies(RULE_a_sentence_is_a_line))
        text = "";
    fuzz_check(strlen(text) > 0 && !strchr(text, '\n'),
               RULE_a_sentence_is_a_line);
}

static void ask_owner(const void *table, const struct uim_fw_device *device,
                      unsigned n_units)
{
    unsigned unit;
    uint32_t id;

    if (uim_fw_dmar.owner(table, device, 0, &unit, &id) != UIOMMU_OK)
        return;
    unit += fuzz_lies(RULE_an_owner_is_a_unit_of_the_table) ? n_units : 0;
    fuzz_check(unit < n_units, RULE_an_owner_is_a_unit_of_the_table);
}

static void ask_regions(const void *table, const struct uim_fw_device *device)
{
    struct uim_fw_region region;

    for (unsigned i = 0; i < 64; i++) {
        if (uim_fw_dmar.region(table, device, i, &region) != UIOMMU_OK)
            return;
        region.start += fuzz_lies(RULE_a_region_is_whole_pages);
        fuzz_check(region.start <= region.last && (region.start & 0xfff) == 0 &&
                       (region.last & 0xfff) == 0xfff,
                   RULE_a_region_is_whole_pages);
    }
}

static void ask_of(const void *table, const struct uim_fw_device *device,
                   unsigned n_units)
{
    ask_owner(table, device, n_units);
    ask_regions(table, device);
    (void)uim_fw_dmar.ats_allowed(table, device, false);
    (void)uim_fw_dmar.ats_allowed(table, device, true);
}

static unsigned count_units(const void *table)
{
    struct uim_fw_unit info;
    unsigned n = 0;

    while (uim_fw_dmar.unit(table, n, &info) == UIOMMU_OK) {
        n += fuzz_lies(RULE_units_fit_into_the_table) ? MOST_UNITS : 1;
        fuzz_check(n < MOST_UNITS, RULE_units_fit_into_the_table);
    }
    return n;
}

static void ask_requesters(const void *table, unsigned n_units)
{
    const struct uiommu_host host = { .pci_read = pci_read };
    struct uim_fw_requester requester;
    enum uiommu_status status;

    for (unsigned i = 0; i < 256; i++) {
        status = uim_fw_dmar.requester(table, &host, i, &requester);
        if (status == UIOMMU_NOENT)
            return;
        if (status == UIOMMU_OK)
            ask_of(table, &requester.device, n_units);
    }
}

static void ask(const void *table)
{
    struct uim_fw_device device = {
        .n = 2,
        .hop = { { 0, 0xe0, 4 }, { 1, 0, 0 } },
        .pci = { .bus = 1 },
    };
    unsigned n = count_units(table);

    ask_of(table, &device, n);
    device = (struct uim_fw_device){ .acpi_path = "\\_SB.I2C0" };
    ask_of(table, &device, n);
    ask_requesters(table, n);
}

static void check_work(void)
{
    if (fuzz_lies(RULE_configuration_reads_are_bounded))
        reads = MOST_READS;
    if (fuzz_lies(RULE_sentences_are_bounded))
        sentences = MOST_SENTENCES;
    fuzz_check(reads < MOST_READS, RULE_configuration_reads_are_bounded);
    fuzz_check(sentences < MOST_SENTENCES, RULE_sentences_are_bounded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct uim_fw_log log = { .say = say };
    uint8_t *table;
    bool refused;

    if (size < 1 || size > MOST)
        return 0;
    table = fuzz_table(data, &size, "DMAR");
    reads = 0;
    sentences = 0;
    if (uim_fw_dmar.check(table, size, &log) == UIOMMU_OK)
        ask(table);
    cJSON_Delete(fw_describe(table, size, &refused));
    check_work();
    free(table);
    return 0;
}
