/* SPDX-License-Identifier: MIT */
/*
 * raw_scalable.c - VT-d in scalable mode, with second-stage or first-stage tables. What
 * is in memory is made with the layouts of src/spec: that QEMU, which nobody here wrote,
 * understands it is what they are witnessed by. Invalidation is by queue, as the manual
 * wants it in this mode (6.5).
 */
#include "tests/qtest/common.h"

#include "spec/vtd.h"
#include "spec/vtd_queue.h"
#include "spec/vtd_tables.h"
#include "tests/qtest/raw.h"

enum {
    STATUS = 1, /* what a wait writes */
    QUEUE = 4096,
    DESCRIPTOR = 32, /* those about PASIDs have no shorter form */
    HALF = 128,      /* of a bus has a context table */
    CONTEXT_WORDS = VTD_CONTEXT_SCALABLE_BYTES / 8,
    PASID_WORDS = VTD_PASID_ENTRY_BYTES / 8,
};

#define TES  (UINT32_C(1) << 31) /* of GCMD and GSTS */
#define RTPS (UINT32_C(1) << 30)
#define QIES (UINT32_C(1) << 26)

/* Present, writable, for users, accessed: 9.7; D in a leaf. */
#define FS_LINK  UINT64_C(0x27)
#define FS_DIRTY UINT64_C(0x40)
#define FS_WRITE UINT64_C(0x02)

/* ---- commands --------------------------------------------------------------- */

static void put(struct raw *raw, uint64_t low, uint64_t high)
{
    uint64_t tail = raw_read64(raw, VTD_REG_IQT);

    raw->commands[tail / 8] = low;
    raw->commands[tail / 8 + 1] = high;
    tail = (tail + DESCRIPTOR) % QUEUE;
    raw_write64(raw, VTD_REG_IQT, tail);
    assert_int_equal(raw_read64(raw, VTD_REG_IQH), tail);
}

/* Done, and nothing was wrong with any of them. */
static void finish(struct raw *raw)
{
    uint64_t *status = raw->events;
    const struct vtd_qi_wait_lo_fields low = { .type = VTD_QI_WAIT,
                                               .sw = 1,
                                               .stdata = STATUS };
    const struct vtd_qi_wait_hi_fields high = {
        .staddr = raw_phys(raw, status) >> 2
    };
    struct vtd_fsts fsts;

    *status = 0;
    put(raw, vtd_qi_wait_lo_pack(&low).raw, vtd_qi_wait_hi_pack(&high).raw);
    assert_int_equal(*(volatile uint64_t *)status, STATUS);
    fsts.raw = raw_read32(raw, VTD_REG_FSTS);
    assert_int_equal(vtd_fsts_iqe(fsts), 0);
}

static void scalable_invalidate(struct raw *raw)
{
    const struct vtd_qi_context_lo_fields context = { .type = VTD_QI_CONTEXT,
                                                      .g = VTD_CC_GLOBAL };
    const struct vtd_qi_pasid_cache_lo_fields pasids = {
        .type = VTD_QI_PASID_CACHE,
        .g = VTD_PC_GLOBAL,
    };
    const struct vtd_qi_iotlb_lo_fields iotlb = { .type = VTD_QI_IOTLB,
                                                  .g = VTD_IOTLB_GLOBAL };

    put(raw, vtd_qi_context_lo_pack(&context).raw, 0);
    put(raw, vtd_qi_pasid_cache_lo_pack(&pasids).raw, 0);
    put(raw, vtd_qi_iotlb_lo_pack(&iotlb).raw, 0);
    finish(raw);
}

/* No two tables have one: 9.6. */
static uint64_t did_of(const struct raw *raw, const uint64_t *table)
{
    return raw_phys(raw, table) >> 12 & 0xffff;
}

void raw_pasid_invalidate(struct raw *raw, uint32_t pasid,
                          const uint64_t *table)
{
    const struct vtd_qi_piotlb_lo_fields low = { .type = VTD_QI_PIOTLB,
                                                 .g = VTD_PIOTLB_PASID,
                                                 .did = did_of(raw, table),
                                                 .pasid = pasid };

    put(raw, vtd_qi_piotlb_lo_pack(&low).raw, 0);
    finish(raw);
}

/* ---- on and off -------------------------------------------------------------- */

static void command(struct raw *raw, uint32_t gcmd, uint32_t gsts)
{
    raw_write32(raw, VTD_REG_GCMD, gcmd);
    assert_int_equal(raw_read32(raw, VTD_REG_GSTS), gsts);
}

static void scalable_start(struct raw *raw)
{
    struct vtd_rtaddr_fields rtaddr = { .ttm = VTD_TTM_SCALABLE };
    struct vtd_iqa_fields iqa = { .dw = 1 };

    raw->sources = raw_new(raw, 0);
    raw->context = raw_new(raw, 0);
    raw->commands = raw_new(raw, 0);
    raw->events = raw_new(raw, 0);
    iqa.iqa = raw_phys(raw, raw->commands) >> 12;
    rtaddr.rta = raw_phys(raw, raw->sources) >> 12;
    raw_write64(raw, VTD_REG_IQT, 0);
    raw_write64(raw, VTD_REG_IQA, vtd_iqa_pack(&iqa).raw);
    command(raw, QIES, QIES);
    raw_write64(raw, VTD_REG_RTADDR, vtd_rtaddr_pack(&rtaddr).raw);
    command(raw, QIES | RTPS, QIES | RTPS);
    scalable_invalidate(raw);
    command(raw, QIES | TES, TES | RTPS | QIES);
}

static void scalable_stop(struct raw *raw)
{
    command(raw, QIES, QIES | RTPS);
    command(raw, 0, RTPS);
}

/* ---- tables ------------------------------------------------------------------ */

static uint64_t *context_of(struct raw *raw, struct uiommu_pci pci)
{
    const struct vtd_root_scalable_lo_fields link = { .lp = 1 };
    uint64_t *root = &raw->sources[2 * pci.bus + pci.devfn / HALF];

    return raw_below(raw, root, vtd_root_scalable_lo_pack(&link).raw) +
           (pci.devfn % HALF) * CONTEXT_WORDS;
}

void raw_pasid_context(struct raw *raw, struct uiommu_pci pci,
                       const uint64_t *directory, uint32_t rid_pasid)
{
    const struct vtd_ctx_scalable_q0_fields q0 = {
        .p = 1,
        .pasiddirptr = raw_phys(raw, directory) >> 12,
    };
    const struct vtd_ctx_scalable_q1_fields q1 = { .rid_pasid = rid_pasid };
    uint64_t *context = context_of(raw, pci);

    context[0] = 0;
    context[1] = vtd_ctx_scalable_q1_pack(&q1).raw;
    context[0] = vtd_ctx_scalable_q0_pack(&q0).raw;
}

static uint64_t *pasid_entry(struct raw *raw, uint64_t *directory,
                             uint32_t pasid)
{
    const struct vtd_pasid_dir_fields link = { .p = 1 };
    uint64_t *dir = &directory[pasid / VTD_PASID_TABLE_ENTRIES];

    return raw_below(raw, dir, vtd_pasid_dir_pack(&link).raw) +
           pasid % VTD_PASID_TABLE_ENTRIES * PASID_WORDS;
}

void raw_pasid(struct raw *raw, uint64_t *directory, uint32_t pasid,
               const uint64_t *table)
{
    uint64_t *entry = pasid_entry(raw, directory, pasid);
    bool first = raw->ops == &raw_first_stage;
    uint64_t root = table != NULL ? raw_phys(raw, table) >> 12 : 0;
    const struct vtd_pasid_entry_q0_fields q0 = {
        .p = 1,
        .pgtt = first ? VTD_PGTT_FS : VTD_PGTT_SS,
        .aw = VTD_AW_48, /* ignored with the first stage; not by QEMU 10.0 */
        .ssptptr = first ? 0 : root,
    };
    const struct vtd_pasid_entry_q2_fields q2 = { .fsptptr = first ? root : 0 };
    struct vtd_pasid_entry_q1_fields q1 = { 0 };

    entry[0] &= ~UINT64_C(1);
    if (table == NULL) {
        return;
    }
    q1.did = did_of(raw, table);
    entry[1] = vtd_pasid_entry_q1_pack(&q1).raw;
    entry[2] = vtd_pasid_entry_q2_pack(&q2).raw;
    entry[0] = vtd_pasid_entry_q0_pack(&q0).raw;
}

static void scalable_set(struct raw *raw, struct uiommu_pci pci, bool present)
{
    if (!present) {
        context_of(raw, pci)[0] = 0;
        return;
    }
    raw_pasid(raw, raw->context, 0, raw->table);
    raw_pasid_context(raw, pci, raw->context, 0);
}

/* UIOMMU_READ and UIOMMU_WRITE are bits 0 and 1, as here. */
static uint64_t second_leaf(uint64_t phys, unsigned rights)
{
    return phys | rights;
}

/* There is no first-stage page that cannot be read. */
static uint64_t first_leaf(uint64_t phys, unsigned rights)
{
    uint64_t right = (rights & UIOMMU_WRITE) != 0 ? 0 : FS_WRITE;

    return (phys | FS_LINK | FS_DIRTY) & ~right;
}

const struct raw_ops raw_scalable = {
    .start = scalable_start,
    .stop = scalable_stop,
    .set = scalable_set,
    .leaf = second_leaf,
    .link = 3, /* read and write */
    .invalidate = scalable_invalidate,
    .fault = raw_vtd_fault,
    .base = 0xfed90000,
    .size = 0x1000,
    .refused = "vtd_dmar_fault",
};

const struct raw_ops raw_first_stage = {
    .start = scalable_start,
    .stop = scalable_stop,
    .set = scalable_set,
    .leaf = first_leaf,
    .link = FS_LINK,
    .invalidate = scalable_invalidate,
    .fault = raw_vtd_fault,
    .base = 0xfed90000,
    .size = 0x1000,
    .refused = "vtd_dmar_fault",
};
