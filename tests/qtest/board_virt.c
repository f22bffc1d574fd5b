/* SPDX-License-Identifier: MIT */
/* board_virt.c - what is expected of the Arm machine. */
#include "tests/qtest/common.h"

#define TRANSLATER UINT64_C(0x08090040) /* of the ITS */

static const struct test_message messages[] = {
    { TRANSLATER, 0x41, { .vector = 0x41 } },
    { TRANSLATER, 0, { .vector = 0 } },
    { TRANSLATER, 0xff, { .vector = 0xff } },
};

/* IDR0: S2P is bit 0, S1P bit 1, TTF bits 3:2 (2: AArch64). */
#define IDR0(stages)                                                           \
    {                                                                          \
        0, 0xf, 8 | (stages)                                                   \
    }

static const struct test_mode modes[] = {
    { "nested", IDR0(3) },
    { "stage1", IDR0(2) },
    { "stage2", IDR0(1) },
    { 0 },
};

static uint32_t get(const uint8_t *p, unsigned size)
{
    uint32_t value = 0;

    while (size-- > 0) {
        value = value << 8 | p[size];
    }
    return value;
}

/* A mapping of IORT (DEN0049 3.1): first input, number less one, first output, which
 * node; of ours, to an SMMUv3 (kind 4) and one to one. */
static bool maps(const uint8_t *iort, const uint8_t *mapping, uint32_t rid)
{
    uint32_t first = get(mapping, 4);

    return rid >= first && rid - first <= get(mapping + 4, 4) &&
           get(mapping + 8, 4) == first && iort[get(mapping + 12, 4)] == 4;
}

/* The root complex (kind 2) has mappings, of 20 bytes each. */
static bool root_complex_maps(const uint8_t *iort, struct uiommu_pci port,
                              struct uiommu_pci behind)
{
    uint32_t rid = (uint32_t)behind.bus << 8 | behind.devfn;
    const uint8_t *node = iort + get(iort + 40, 4);

    (void)port;
    for (uint32_t i = get(iort + 36, 4); i > 0; i--) {
        const uint8_t *mapping = node + get(node + 12, 4);

        for (uint32_t k = get(node + 8, 4); node[0] == 2 && k > 0; k--) {
            if (maps(iort, mapping, rid)) {
                return true;
            }
            mapping += 20;
        }
        node += get(node + 1, 2);
    }
    return false;
}

/* From virt-9.2 on the machine sets the stages itself: both. */
static const struct test_raw raws[] = {
    { "nested", &raw_smmu },
    { "stage1", &raw_smmu },
    { "nested", &raw_smmu_stage2 },
    { "stage2", &raw_smmu_stage2 },
    { 0 },
};

const struct test_board test_virt = {
    .name = "virt",
    .config = { .iommu = "smmuv3", .n_engines = 2, .root_port = true },
    .raw = &raw_smmu,
    .raws = raws,
    .ram = 0x42000000,
    .bars = 0x10000000,
    .table = "IORT",
    .lacks = {
        [TEST_PINS] = "QEMU's virt has no I/O APIC",
        [TEST_UNIT_MESSAGES] = "QEMU's SMMUv3 sends no messages (IDR0.MSI is "
                               "0), it has wires",
        [TEST_PASIDS] = "QEMU's SMMUv3 has no substreams (IDR1.SSIDSIZE is 0)",
    },
    .messages = messages,
    .n_messages = sizeof(messages) / sizeof(messages[0]),
    .names_source = true,
    .modes = modes,
    /* Only the older machine lets the unit's options be. */
    .options_mode = "stage1",
    .options = "stage=2",
    .options_set = {
        IDR0(1),
        { 0x14, 0x77, 0x74 }, /* IDR5: 4, 16 and 64 KiB; 44 bits */
    },
    .refuses = "QEMU exited with status 1: qemu-system-aarch64: can't apply "
               "global arm-smmuv3.nonsense=on: ",
    .confused = "answered 'FAIL Unknown command 'x'' to 'writel 0x9020010 ",
    .table_knows = root_complex_maps,
};
