/* SPDX-License-Identifier: MIT */
/* raw_vtd.c - VT-d in legacy mode. Register and table layouts: VT-d 9.1, 9.3, 9.8,
 * 10.4; reasons: 7.1.3. */
#include "tests/qtest/common.h"

#include "tests/qtest/raw.h"

enum {
    REG_GCMD = 0x18,
    REG_GSTS = 0x1c,
    REG_RTADDR = 0x20,
    REG_CCMD = 0x28,
    REG_FSTS = 0x34,
    REG_IOTLB = 0xf8, /* as QEMU's ECAP.IRO says */
    REG_FRCD = 0x220, /* as QEMU's CAP.FRO says  */

    ADDRESS_WIDTH_48 = 2,
    DOMAIN_ID = 7,

    NO_CONTEXT = 0x2,
    NO_WRITE = 0x5,
    NO_READ = 0x6,
    FS_NOT_PRESENT = 0x71, /* in scalable mode */
    SS_NO_RIGHTS = 0x79,
    SM_NO_WRITE = 0x85,
    SM_NO_READ = 0x86,
};

#define TRANSLATION (UINT32_C(1) << 31)
#define SET_ROOT    (UINT32_C(1) << 30)
#define BUSY        (UINT64_C(1) << 63) /* of CCMD and IOTLB */
#define CCMD_GLOBAL (UINT64_C(1) << 61)
#define TLB_GLOBAL  (UINT64_C(1) << 60)
#define PRESENT     UINT64_C(1)
#define FAULT       (UINT64_C(1) << 63)
#define FAULT_READ  (UINT64_C(1) << 62)
#define FAULT_PASID (UINT64_C(1) << 31)

static void vtd_invalidate(struct raw *raw)
{
    raw_write64(raw, REG_CCMD, BUSY | CCMD_GLOBAL);
    assert_true((raw_read64(raw, REG_CCMD) & BUSY) == 0);
    raw_write64(raw, REG_IOTLB, BUSY | TLB_GLOBAL);
    assert_true((raw_read64(raw, REG_IOTLB) & BUSY) == 0);
}

static void vtd_start(struct raw *raw)
{
    raw->sources = raw_new(raw, 0);
    raw_write64(raw, REG_RTADDR, raw_phys(raw, raw->sources));
    raw_write32(raw, REG_GCMD, SET_ROOT);
    assert_int_equal(raw_read32(raw, REG_GSTS), SET_ROOT);
    vtd_invalidate(raw);
    raw_write32(raw, REG_GCMD, TRANSLATION);
    assert_int_equal(raw_read32(raw, REG_GSTS), TRANSLATION | SET_ROOT);
}

static void vtd_stop(struct raw *raw)
{
    raw_write32(raw, REG_GCMD, 0);
    assert_int_equal(raw_read32(raw, REG_GSTS), SET_ROOT);
}

static void vtd_set(struct raw *raw, struct uiommu_pci pci, bool present)
{
    uint64_t *contexts = raw_below(raw, &raw->sources[2 * pci.bus], PRESENT);

    contexts[2 * pci.devfn + 1] = ADDRESS_WIDTH_48 | DOMAIN_ID << 8;
    contexts[2 * pci.devfn] = present ? raw_phys(raw, raw->table) | PRESENT : 0;
}

/* UIOMMU_READ and UIOMMU_WRITE are bits 0 and 1, as here. */
static uint64_t vtd_leaf(uint64_t phys, unsigned rights)
{
    return phys | rights;
}

static enum raw_reason reason_of(uint64_t high)
{
    bool read = (high & FAULT_READ) != 0;

    switch (high >> 32 & 0xff) {
    case NO_CONTEXT:
        return RAW_NO_CONTEXT;
    case NO_WRITE:
    case SM_NO_WRITE:
        return read ? RAW_OTHER : RAW_NO_WRITE;
    case NO_READ:
    case SM_NO_READ:
        return read ? RAW_NO_READ : RAW_OTHER;
    case FS_NOT_PRESENT:
    case SS_NO_RIGHTS:
        return read ? RAW_NO_READ : RAW_NO_WRITE;
    default:
        return RAW_OTHER;
    }
}

struct raw_fault raw_vtd_fault(struct raw *raw)
{
    uint64_t low = raw_read64(raw, REG_FRCD);
    uint64_t high = raw_read64(raw, REG_FRCD + 8);
    struct raw_fault fault = {
        .pending = (high & FAULT) != 0,
        .reason = reason_of(high),
        .source = (uint16_t)high,
        .has_iova = true,
        .iova = low,
        .code = high >> 32 & 0xff,
        .has_pasid = (high & FAULT_PASID) != 0,
        .pasid = high >> 40 & 0xfffff,
    };

    /* A record and the pending flag (bit 1) say the same. */
    assert_int_equal(raw_read32(raw, REG_FSTS) & 3, fault.pending ? 2 : 0);
    if (fault.pending) {
        raw_write32(raw, REG_FRCD + 12, (uint32_t)(FAULT >> 32));
        assert_int_equal(raw_read32(raw, REG_FSTS) & 3, 0);
    }
    return fault;
}

const struct raw_ops raw_vtd = {
    .start = vtd_start,
    .stop = vtd_stop,
    .set = vtd_set,
    .leaf = vtd_leaf,
    .link = 3, /* read and write */
    .invalidate = vtd_invalidate,
    .fault = raw_vtd_fault,
    .base = 0xfed90000,
    .size = 0x1000,
    .refused = "vtd_dmar_fault",
};
