/* SPDX-License-Identifier: MIT */
/*
 * iort.c - IORT tables: parser, and everything that is asked of one.
 */
#include "fuzz/table.h"

#include <cJSON.h>

#include "fw/iort.h"
#include "tools/fw.h"

#define RULES(X)                                                               \
    X(a_sentence_is_a_line)                                                    \
    X(an_owner_is_a_unit_that_can_be_used)                                     \
    X(messages_end_at_an_its)                                                  \
    X(a_region_is_whole_pages)                                                 \
    X(a_requester_has_its_region)                                              \
    X(units_fit_into_the_table)                                                \
    X(configuration_reads_are_bounded)                                         \
    X(sentences_are_bounded)
FUZZ_RULES(RULES);

/* A node has 16 bytes at least, a mapping 20, and they bring few sentences. */
enum {
    MOST = 70000,
    MOST_UNITS = MOST / 16,
    MOST_SENTENCES = MOST,
    MOST_READS = 4 << 20,
    MOST_REQUESTERS = 64,
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
                      unsigned index)
{
    struct uim_fw_unit info = { .usable = false };
    enum uiommu_status status;
    unsigned unit;
    uint32_t id;

    if (uim_fw_iort.owner(table, device, index, &unit, &id) != UIOMMU_OK)
        return;
    status = uim_fw_iort.unit(table, unit, &info);
    info.usable &= !fuzz_lies(RULE_an_owner_is_a_unit_that_can_be_used);
    fuzz_check(status == UIOMMU_OK && info.usable,
               RULE_an_owner_is_a_unit_that_can_be_used);
}

static void ask_regions(const void *table, const struct uim_fw_device *device)
{
    struct uim_fw_region region;

    for (unsigned i = 0; i < 64; i++) {
        if (uim_fw_iort.region(table, device, i, &region) != UIOMMU_OK)
            return;
        region.start += fuzz_lies(RULE_a_region_is_whole_pages);
        fuzz_check(region.start <= region.last && (region.start & 0xfff) == 0 &&
                       (region.last & 0xfff) == 0xfff,
                   RULE_a_region_is_whole_pages);
    }
}

static void ask_messages(const void *table, const struct uim_fw_device *device)
{
    struct uim_iort_hop hop;

    if (uim_iort_its(table, device, &hop) != UIOMMU_OK)
        return;
    hop.node.type |= fuzz_lies(RULE_messages_end_at_an_its);
    fuzz_check(hop.node.type == IORT_NODE_ITS_GROUP,
               RULE_messages_end_at_an_its);
}

static void ask_of(const void *table, const struct uim_fw_device *device)
{
    struct uim_iort_properties properties;

    for (unsigned i = 0; i < 4; i++)
        ask_owner(table, device, i);
    ask_regions(table, device);
    ask_messages(table, device);
    (void)uim_iort_device(table, device, &properties);
    (void)uim_fw_iort.ats_allowed(table, device, false);
}

/* Whoever is named for a region has one. */
static void ask_requesters(const void *table)
{
    const struct uiommu_host host = { .pci_read = pci_read };
    struct uim_fw_requester requester;
    struct uim_fw_region region;
    enum uiommu_status status;

    for (unsigned i = 0; i < MOST_REQUESTERS; i++) {
        status = uim_fw_iort.requester(table, &host, i, &requester);
        if (status == UIOMMU_NOENT)
            return;
        if (status != UIOMMU_OK)
            continue;
        ask_of(table, &requester.device);
        status = uim_fw_iort.region(table, &requester.device, 0, &region);
        if (fuzz_lies(RULE_a_requester_has_its_region))
            status = UIOMMU_NOENT;
        fuzz_check(status == UIOMMU_OK, RULE_a_requester_has_its_region);
    }
}

static void count_units(const void *table)
{
    struct uim_iort_smmu_v3 smmu;
    struct uim_fw_unit info;
    unsigned n = 0;

    while (uim_fw_iort.unit(table, n, &info) == UIOMMU_OK) {
        if (info.usable)
            uim_iort_smmu_v3(info.record, &smmu);
        n += fuzz_lies(RULE_units_fit_into_the_table) ? MOST_UNITS : 1;
        fuzz_check(n < MOST_UNITS, RULE_units_fit_into_the_table);
    }
}

static void ask(const void *table)
{
    struct uim_fw_device device = { .n = 1, .pci = { .devfn = 8 } };
    struct uim_iort_node node = { 0 };

    count_units(table);
    for (unsigned i = 0; i < 3; i++) {
        device.pci.bus = (uint8_t)(i * 0x3d);
        ask_of(table, &device);
    }
    /* One of the names that are there. */
    while (uim_iort_next(table, &node)) {
        if (node.type != IORT_NODE_NAMED_COMPONENT)
            continue;
        device = (struct uim_fw_device){
            .acpi_path = (const char *)node.p + IORT_NAMED_COMPONENT_SIZE,
        };
        ask_of(table, &device);
        break;
    }
    ask_requesters(table);
}

/* The same bytes, as the other table. */
static void ask_with_madt(const void *table, const uint8_t *data, size_t size,
                          const struct uim_fw_log *log)
{
    const struct uim_fw_device device = { .n = 1, .pci = { .devfn = 8 } };
    uint8_t *madt = fuzz_table(data, &size, "APIC");
    enum uiommu_status status = uim_fw_iort.check_also(table, madt, size, log);
    struct uim_fw_region region;

    for (unsigned i = 0; status == UIOMMU_OK; i++) {
        status = uim_fw_iort.doorbell(table, madt, &device, i, &region);
        fuzz_check(status || (region.last & 0xfff) == 0xfff,
                   RULE_a_region_is_whole_pages);
    }
    free(madt);
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
    const size_t whole = size;
    uint8_t *table;
    bool refused;

    if (size < 1 || size > MOST)
        return 0;
    table = fuzz_table(data, &size, "IORT");
    reads = 0;
    sentences = 0;
    if (uim_fw_iort.check(table, size, &log) == UIOMMU_OK) {
        ask(table);
        ask_with_madt(table, data, whole, &log);
    }
    cJSON_Delete(fw_describe(table, size, &refused));
    check_work();
    free(table);
    return 0;
}
