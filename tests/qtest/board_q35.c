/* SPDX-License-Identifier: MIT */
/* board_q35.c - what is expected of the PC. */
#include "tests/qtest/common.h"

#define FEE UINT64_C(0xfee00000)

static const struct test_message messages[] = {
    { FEE, 0x41, { .vector = 0x41 } },
    { FEE | 0xff000, 0xff, { .vector = 0xff, .destination = 0xff } },
    { FEE | 4, 0x42, { .vector = 0x42, .logical = true } },
    { FEE | 0xc,
      0x143,
      { .vector = 0x43, .logical = true, .hint = true, .delivery = 1 } },
    { FEE, 0x400, { .delivery = UIOMMU_IRQ_NMI } },
    { FEE, 0xc044, { .vector = 0x44, .level = true } },
};

/* High half of ECAP: SMTS is bit 43, SSTS bit 46, FSTS bit 47. */
#define ECAP_HIGH(bits)                                                        \
    {                                                                          \
        0x14, 0x19 << 11, (bits) << 11                                         \
    }

static const struct test_mode modes[] = {
    { "legacy", ECAP_HIGH(0) },
    { "scalable", ECAP_HIGH(9) },
    { "first-stage", ECAP_HIGH(0x11) },
    { 0 },
};

/* Scope type 2, a bridge, at the port's path, in the first DRHD (VT-d 8.3). */
static bool drhd_names_port(const uint8_t *dmar, struct uiommu_pci port,
                            struct uiommu_pci behind)
{
    const uint8_t *drhd = dmar + 48;
    size_t last = drhd[2] | (size_t)drhd[3] << 8;

    (void)behind;
    for (size_t i = 16; i + 6 <= last && drhd[i + 1] != 0; i += drhd[i + 1]) {
        if (drhd[i] == 2 && drhd[i + 6] == port.devfn >> 3) {
            return true;
        }
    }
    return false;
}

static const struct test_raw raws[] = {
    { "legacy", &raw_vtd },
    { "scalable", &raw_scalable },
    { "first-stage", &raw_first_stage },
    { 0 },
};

const struct test_board test_q35 = {
    .name = "q35",
    .config = { .n_engines = 2, .root_port = true },
    .raw = &raw_vtd,
    .raws = raws,
    .ram = 0x2000000,
    .bars = 0xe0000000,
    .table = "DMAR",
    .lacks = {
        [TEST_NO_PINS] = "q35 has an I/O APIC",
        [TEST_EVENT_QUEUE] = "VT-d records faults in registers",
        [TEST_GRANULES] = "VT-d has tables of 4 KiB only",
        [TEST_UNIT_WIRES] = "intel-iommu has no wires, it sends messages",
        [TEST_ABORT] = "VT-d lets everything through while it is off",
        [TEST_MESSAGES_AS_DATA] = "VT-d takes messages out before translation",
    },
    .messages = messages,
    .n_messages = sizeof(messages) / sizeof(messages[0]),
    .modes = modes,
    .options = "caching-mode=on,aw-bits=39",
    .options_set = {
        { 0x8, 1 << 7, 1 << 7 },        /* CAP.CM   */
        { 0x8, 0x3f << 16, 38 << 16 },  /* CAP.MGAW */
    },
    .refuses = "QEMU exited with status 1: qemu-system-x86_64: "
               "-device intel-iommu,nonsense=on: ",
    .confused = "answered 'FAIL Unknown command 'x'' to 'outl 0xcf8 ",
    .table_knows = drhd_names_port,
};
