/* SPDX-License-Identifier: MIT */
/*
 * pci.c - configuration space of a device that means harm: the input is its
 * 4096 bytes. Whatever its lists look like, few reads find the end.
 */
#include "fuzz/fuzz.h"

#include "pci/pci.h"

#define RULES(X)                                                               \
    X(reads_have_1_2_or_4_bytes)                                               \
    X(reads_are_aligned_and_inside)                                            \
    X(writes_are_aligned_and_inside)                                           \
    X(a_capability_is_inside)                                                  \
    X(a_queue_depth_is_1_to_32)                                                \
    X(a_pasid_has_20_bits_at_most)                                             \
    X(few_reads_find_the_end_of_a_list)
FUZZ_RULES(RULES);

/* A list has at most so many elements, and an element takes few reads. */
enum { SPACE = 4096, MOST_READS = 4 * SPACE / 4 };

static uint8_t space[SPACE];
static unsigned reads;

static uint32_t pci_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    uint32_t v = 0;

    (void)ctx, (void)at;
    reads++;
    width += fuzz_lies(RULE_reads_have_1_2_or_4_bytes) ? 4 : 0;
    offset += fuzz_lies(RULE_reads_are_aligned_and_inside) ? SPACE : 0;
    fuzz_check(width == 1 || width == 2 || width == 4,
               RULE_reads_have_1_2_or_4_bytes);
    fuzz_check(offset % width == 0 && offset + width <= SPACE,
               RULE_reads_are_aligned_and_inside);
    for (unsigned i = 0; i < width; i++)
        v |= (uint32_t)space[offset + i] << 8 * i;
    return v;
}

static void pci_write(void *ctx, struct uiommu_pci at, unsigned offset,
                      unsigned width, uint32_t value)
{
    (void)ctx, (void)at;
    offset += fuzz_lies(RULE_writes_are_aligned_and_inside);
    fuzz_check(offset % width == 0 && offset + width <= SPACE,
               RULE_writes_are_aligned_and_inside);
    for (unsigned i = 0; i < width; i++)
        space[offset + i] = (uint8_t)(value >> 8 * i);
}

/* One question: its reads are counted on their own. */
static unsigned asked(unsigned offset)
{
    reads += fuzz_lies(RULE_few_reads_find_the_end_of_a_list) ? MOST_READS : 0;
    offset += fuzz_lies(RULE_a_capability_is_inside) ? SPACE : 0;
    fuzz_check(offset < SPACE, RULE_a_capability_is_inside);
    fuzz_check(reads < MOST_READS, RULE_few_reads_find_the_end_of_a_list);
    reads = 0;
    return offset;
}

static void look_at_ats(const struct uiommu_host *host, struct uiommu_pci at)
{
    struct uim_pci_ats ats;

    if (uim_pci_ats(host, at, &ats) != UIOMMU_OK)
        return;
    if (fuzz_lies(RULE_a_queue_depth_is_1_to_32))
        ats.queue_depth = 0;
    fuzz_check(ats.queue_depth >= 1 && ats.queue_depth <= 32,
               RULE_a_queue_depth_is_1_to_32);
    uim_pci_ats_enable(host, at, asked(ats.offset), 0);
    uim_pci_ats_disable(host, at, ats.offset);
}

static void look_at_pasid(const struct uiommu_host *host, struct uiommu_pci at)
{
    struct uim_pci_pasid pasid;

    if (uim_pci_pasid(host, at, &pasid) != UIOMMU_OK)
        return;
    pasid.bits += fuzz_lies(RULE_a_pasid_has_20_bits_at_most) ? 21 : 0;
    fuzz_check(pasid.bits <= 20, RULE_a_pasid_has_20_bits_at_most);
    asked(pasid.offset);
}

static void look(const struct uiommu_host *host, struct uiommu_pci at)
{
    struct uim_pci_pri pri;

    (void)uim_pci_class(host, at);
    (void)uim_pci_is_bridge(host, at);
    (void)uim_pci_secondary_bus(host, at);
    (void)uim_pci_port(host, at);
    for (unsigned id = 0; id < 0x40; id++) {
        asked(uim_pci_find(host, at, id));
        asked(uim_pci_find_ext(host, at, id));
    }
    look_at_ats(host, at);
    look_at_pasid(host, at);
    if (uim_pci_pri(host, at, &pri) == UIOMMU_OK)
        asked(pri.offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct uiommu_host host = { .pci_read = pci_read,
                                      .pci_write = pci_write };
    const struct uiommu_pci at = { .bus = 1, .devfn = 8 };

    memset(space, 0, sizeof(space));
    memcpy(space, data, size < SPACE ? size : SPACE);
    reads = 0;
    if (uim_pci_present(&host, at))
        look(&host, at);
    return 0;
}
