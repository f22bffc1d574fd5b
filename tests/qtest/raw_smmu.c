/* SPDX-License-Identifier: MIT */
/*
 * raw_smmu.c - SMMUv3 with one stage. Registers: IHI 0070 6.3; stream table entry 5.2,
 * context descriptor 5.4; commands 4; events 7.3; descriptors: the VMSAv8-64 format.
 */
#include "tests/qtest/common.h"

#include "tests/qtest/raw.h"

enum {
    REG_CR0 = 0x20,
    REG_CR0ACK = 0x24,
    REG_GERROR = 0x60,
    REG_STRTAB_BASE = 0x80,
    REG_STRTAB_BASE_CFG = 0x88,
    REG_CMDQ_BASE = 0x90,
    REG_CMDQ_PROD = 0x98,
    REG_CMDQ_CONS = 0x9c,
    REG_EVENTQ_BASE = 0xa0,
    REG_EVENTQ_PROD = 0x100a8,
    REG_EVENTQ_CONS = 0x100ac,

    ENABLE = 1 << 0 | 1 << 2 | 1 << 3, /* SMMUEN, EVENTQEN, CMDQEN */
    LOG2_STREAMS = 10, /* four buses */
    LOG2_COMMANDS = 8,
    LOG2_EVENTS = 10, /* QEMU records each 4 bytes */
    STREAMS_ORDER = 4, /* 64 KiB */
    EVENTS_ORDER = 3,
    STE_WORDS = 8,
    EVENT_WORDS = 4,

    CMD_CFGI_STE_RANGE = 0x04, /* with range 31: CFGI_ALL */
    CMD_TLBI_NSNH_ALL = 0x30,
    CMD_SYNC = 0x46,

    C_BAD_STE = 0x04,
    F_TRANSLATION = 0x10,
    F_PERMISSION = 0x13,
};

#define STE_VALID       UINT64_C(1)
#define STE_STAGE1      (UINT64_C(5) << 1)
#define STE_STAGE2      (UINT64_C(6) << 1)
#define STE_SHCFG_AS_IS (UINT64_C(1) << 44)

/* 48 bits through TTB0, 4 KiB; cacheable, inner shareable; no TTB1; valid; 44 bits out;
 * AA64, and to be terminated and recorded (A, R); ASID 7. */
#define CONTEXT                                                                \
    (UINT64_C(16) | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | UINT64_C(1) << 31 | \
     UINT64_C(4) << 32 | UINT64_C(1) << 41 | UINT64_C(1) << 45 |               \
     UINT64_C(1) << 46 | UINT64_C(7) << 48)

/* VMID 9. 44 bits from level 0, 4 KiB; cacheable, inner shareable; 44 bits out; AA64,
 * and to be recorded (R). */
#define STE_STAGE2_FIELDS                                                      \
    (UINT64_C(9) | UINT64_C(20) << 32 | UINT64_C(2) << 38 |                    \
     UINT64_C(1) << 40 | UINT64_C(1) << 42 | UINT64_C(3) << 44 |               \
     UINT64_C(4) << 48 | UINT64_C(1) << 51 | UINT64_C(1) << 58)

#define LEAF_S2_WB (UINT64_C(15) << 2)
#define LEAF       UINT64_C(3)
#define LEAF_USER  (UINT64_C(1) << 6)
#define LEAF_RO    (UINT64_C(1) << 7)
#define LEAF_IS    (UINT64_C(3) << 8)
#define LEAF_AF    (UINT64_C(1) << 10)

static void smmu_switch(struct raw *raw, uint32_t cr0)
{
    raw_write32(raw, REG_CR0, cr0);
    assert_int_equal(raw_read32(raw, REG_CR0ACK), cr0);
}

static void command(struct raw *raw, uint64_t word0, uint64_t word1)
{
    uint32_t prod = raw_read32(raw, REG_CMDQ_PROD);
    uint64_t *slot = &raw->commands[2 * (prod & ((1u << LOG2_COMMANDS) - 1))];

    slot[0] = word0;
    slot[1] = word1;
    prod = (prod + 1) & ((2u << LOG2_COMMANDS) - 1);
    raw_write32(raw, REG_CMDQ_PROD, prod);
    assert_int_equal(raw_read32(raw, REG_CMDQ_CONS), prod);
}

static void smmu_invalidate(struct raw *raw)
{
    command(raw, CMD_CFGI_STE_RANGE, 31);
    command(raw, CMD_TLBI_NSNH_ALL, 0);
    command(raw, CMD_SYNC, 0);
    assert_int_equal(raw_read32(raw, REG_GERROR), 0);
}

static void smmu_start(struct raw *raw)
{
    raw->context = raw_new(raw, 0);
    raw->context[0] = CONTEXT;
    raw->context[1] = raw_phys(raw, raw->table);
    raw->context[3] = 0xff; /* MAIR: attribute 0 is write-back */
    raw->sources = raw_new(raw, STREAMS_ORDER);
    raw->commands = raw_new(raw, 0);
    raw->events = raw_new(raw, EVENTS_ORDER);
    raw_write64(raw, REG_STRTAB_BASE, raw_phys(raw, raw->sources));
    raw_write32(raw, REG_STRTAB_BASE_CFG, LOG2_STREAMS);
    raw_write64(raw, REG_CMDQ_BASE,
                raw_phys(raw, raw->commands) | LOG2_COMMANDS);
    raw_write64(raw, REG_EVENTQ_BASE, raw_phys(raw, raw->events) | LOG2_EVENTS);
    smmu_switch(raw, ENABLE & ~1);
    smmu_invalidate(raw);
    smmu_switch(raw, ENABLE);
}

static void smmu_stop(struct raw *raw)
{
    smmu_switch(raw, 0);
}

static void smmu_set(struct raw *raw, struct uiommu_pci pci, bool present)
{
    uint64_t *ste = &raw->sources[(pci.bus << 8 | pci.devfn) * STE_WORDS];

    ste[1] = STE_SHCFG_AS_IS;
    ste[0] = present ? STE_VALID | STE_STAGE1 | raw_phys(raw, raw->context) : 0;
}

static uint64_t smmu_leaf(uint64_t phys, unsigned rights)
{
    uint64_t ro = (rights & UIOMMU_WRITE) != 0 ? 0 : LEAF_RO;

    return phys | LEAF | LEAF_USER | ro | LEAF_IS | LEAF_AF;
}

static void smmu_set_stage2(struct raw *raw, struct uiommu_pci pci,
                            bool present)
{
    uint64_t *ste = &raw->sources[(pci.bus << 8 | pci.devfn) * STE_WORDS];

    ste[1] = STE_SHCFG_AS_IS;
    ste[2] = STE_STAGE2_FIELDS;
    ste[3] = raw_phys(raw, raw->table);
    ste[0] = present ? STE_VALID | STE_STAGE2 : 0;
}

/* S2AP has read and write in bits 6 and 7. */
static uint64_t smmu_leaf_stage2(uint64_t phys, unsigned rights)
{
    uint64_t r = (rights & UIOMMU_READ) != 0, w = (rights & UIOMMU_WRITE) != 0;

    return phys | LEAF | LEAF_S2_WB | r << 6 | w << 7 | LEAF_IS | LEAF_AF;
}

static enum raw_reason reason_of(const uint64_t *event)
{
    bool read = (event[1] >> 35 & 1) != 0;

    switch (event[0] & 0xff) {
    case C_BAD_STE:
        return RAW_NO_CONTEXT;
    case F_TRANSLATION:
    case F_PERMISSION:
        return read ? RAW_NO_READ : RAW_NO_WRITE;
    default:
        return RAW_OTHER;
    }
}

static struct raw_fault smmu_fault(struct raw *raw)
{
    uint32_t prod = raw_read32(raw, REG_EVENTQ_PROD);
    uint32_t cons = raw_read32(raw, REG_EVENTQ_CONS);
    const uint64_t *event =
        &raw->events[(cons & ((1u << LOG2_EVENTS) - 1)) * EVENT_WORDS];
    struct raw_fault fault = {
        .pending = prod != cons,
        .reason = reason_of(event),
        .source = (uint16_t)(event[0] >> 32),
        .has_iova = reason_of(event) != RAW_NO_CONTEXT,
        .iova = event[2],
    };

    raw_write32(raw, REG_EVENTQ_CONS, prod);
    return fault;
}

const struct raw_ops raw_smmu = {
    .start = smmu_start,
    .stop = smmu_stop,
    .set = smmu_set,
    .leaf = smmu_leaf,
    .link = 3, /* valid, and a table */
    .invalidate = smmu_invalidate,
    .fault = smmu_fault,
    .base = 0x09050000,
    .size = 0x20000,
    .refused = "smmuv3_record_event SMMU_EVT_F_TRANSLATION",
};

const struct raw_ops raw_smmu_stage2 = {
    .start = smmu_start,
    .stop = smmu_stop,
    .set = smmu_set_stage2,
    .leaf = smmu_leaf_stage2,
    .link = 3, /* valid, and a table */
    .invalidate = smmu_invalidate,
    .fault = smmu_fault,
    .base = 0x09050000,
    .size = 0x20000,
    .refused = "smmuv3_record_event SMMU_EVT_F_TRANSLATION",
};
