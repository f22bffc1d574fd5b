/* SPDX-License-Identifier: MIT */
/*
 * pci.c - configuration space of a device that means harm: the input is its
 * 4096 bytes. Whatever its lists look like, few reads find the end.
 */
#include "fuzz/fuzz.h"

#include "pci/pci.h"

enum { SPACE = 4096, MOST_READS = 20000 };

static uint8_t space[SPACE];
static unsigned reads;

static uint32_t pci_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    uint32_t v = 0;

    (void)ctx, (void)at;
    reads++;
    fuzz_check(width == 1 || width == 2 || width == 4, "widths are 1, 2 or 4");
    fuzz_check(offset % width == 0 && offset + width <= SPACE,
               "reads are aligned and inside");
    for (unsigned i = 0; i < width; i++)
        v |= (uint32_t)space[offset + i] << 8 * i;
    return v;
}

static void pci_write(void *ctx, struct uiommu_pci at, unsigned offset,
                      unsigned width, uint32_t value)
{
    (void)ctx, (void)at;
    fuzz_check(offset % width == 0 && offset + width <= SPACE,
               "writes are aligned and inside");
    for (unsigned i = 0; i < width; i++)
        space[offset + i] = (uint8_t)(value >> 8 * i);
}

static void look(const struct uiommu_host *host, struct uiommu_pci at)
{
    struct uim_pci_ats ats;
    struct uim_pci_pasid pasid;
    struct uim_pci_pri pri;

    (void)uim_pci_class(host, at);
    (void)uim_pci_is_bridge(host, at);
    (void)uim_pci_secondary_bus(host, at);
    (void)uim_pci_port(host, at);
    for (unsigned id = 0; id < 0x40; id++) {
        (void)uim_pci_find(host, at, id);
        (void)uim_pci_find_ext(host, at, id);
    }
    if (uim_pci_ats(host, at, &ats) == UIOMMU_OK) {
        fuzz_check(ats.queue_depth >= 1 && ats.queue_depth <= 32,
                   "a queue depth is 1 to 32");
        uim_pci_ats_enable(host, at, ats.offset, 0);
        uim_pci_ats_disable(host, at, ats.offset);
    }
    if (uim_pci_pasid(host, at, &pasid) == UIOMMU_OK)
        fuzz_check(pasid.bits <= 20, "a PASID has 20 bits at most");
    (void)!uim_pci_pri(host, at, &pri);
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
    fuzz_check(reads < (fuzz_canary ? 2 : MOST_READS * 10),
               "few reads find the end of every list");
    return 0;
}
