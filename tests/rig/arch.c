/* SPDX-License-Identifier: MIT */
/*
 * arch.c - what is a matter of the unit: what it does at all, what of it a failed call
 * must not have changed (D-54, D-63), where it says that something is to be told.
 */
#include "tests/rig/rig.h"

#include "drv/smmuv3/smmuv3.h"
#include "drv/vtd/vtd.h"

static unsigned bits_set(const uint64_t *bits, size_t bytes)
{
    unsigned n = 0;

    for (size_t i = 0; bits && i < bytes / sizeof(*bits); i++)
        n += (unsigned)__builtin_popcountll(bits[i]);
    return n;
}

/* ---- VT-d ---------------------------------------------------------------------- */

enum { TES = 31, QIES = 26, VTD_FRCD = 0x200 };

static struct uiommu_range vtd_ring(struct rig *rig)
{
    const struct vtd_iqa iqa = { rig_register(rig, VTD_REG_IQA, 8) };

    return (struct uiommu_range){ vtd_iqa_iqa(iqa) << 12,
                                  UINT64_C(4096) << vtd_iqa_qs(iqa) };
}

static unsigned vtd_ids(const struct uim_unit *unit)
{
    const struct vtd_unit *v = uim_container(unit, const struct vtd_unit, unit);

    return bits_set(v->dids, vtd_dids_size(v));
}

static bool vtd_pending(struct rig *rig)
{
    return rig_register(rig, VTD_REG_FSTS, 4) != 0;
}

/* The upper half of a fault record, F. */
static bool vtd_gives_back(uint64_t offset, uint64_t value)
{
    return offset >= VTD_FRCD && offset % 16 == 12 && value >> 31;
}

static bool vtd_switches(uint64_t offset, uint64_t value, bool *on)
{
    *on = (value >> TES & 1) != 0;
    return offset == VTD_REG_GCMD;
}

static const char *const vtd_commands[] = {
    [UIM_CHECK_DEVICE] = "cc_inv",
    [UIM_CHECK_PASID] = "pc_inv",
    [UIM_CHECK_IOTLB] = " iotlb_inv",
    [UIM_CHECK_PASID_IOTLB] = "p_iotlb_inv",
};

enum { IQEI_TAIL = 1, IQEI_TYPE = 4 };

/* Not RTPS and IRTPS, which say that a table was taken over at some time, nor IP, that
 * a fault was not told yet. What a unit that is off would do if it were on is left
 * alone: a start that failed may have changed it. */
#define VTD                                                                    \
    .page_sizes = UINT64_C(1) << 12 | UINT64_C(1) << 21 | UINT64_C(1) << 30, .fault_bits = ~UINT64_C(0xfff), \
    .driver = &uiommu_driver_vtd, .args = "", .command = vtd_commands,         \
    .refused = IQEI_TYPE, .stopped = IQEI_TAIL, .stopped_says = "tail", .least_pages = 1,        \
    .devtlb_parts = 2, \
    .reg = {                                                                   \
        { VTD_REG_GSTS, 4, UINT64_C(1) << 30 | UINT64_C(1) << 24,              \
          RIG_ALWAYS },                                                        \
        { VTD_REG_PMEN, 4, 0, RIG_ALWAYS },                                    \
        { VTD_REG_RTADDR, 8, 0, TES },                                         \
        { VTD_REG_FECTL, 4, UINT64_C(1) << 30, TES },                          \
        { VTD_REG_FEDATA, 4, 0, TES },                                         \
        { VTD_REG_FEADDR, 4, 0, TES },                                         \
        { VTD_REG_FEUADDR, 4, 0, TES },                                        \
        { VTD_REG_IQA, 8, 0, QIES },                                           \
    },                                                                         \
    .queue = vtd_ring, .ids = vtd_ids, .ids_at_rest = VTD_DID_FIRST,           \
    .pending = vtd_pending, .gives_back = vtd_gives_back,                      \
    .switches = vtd_switches

#define VTD_DOES                                                               \
    (RIG_ADOPTION | RIG_INTERRUPTS | RIG_SOURCES | RIG_DMAR | RIG_INVALID |    \
     RIG_WINDOW | RIG_STRAYS | RIG_EMPTIES | RIG_TLB_FIRST | RIG_RELAXABLE |   \
     RIG_BREAKS | RIG_PROMPT)

static const struct rig_arch vtd_legacy = {
    VTD,
    .mode = "legacy",
    .format = "vtd_ss",
    .other_mode = "vtd.mode=scalable",
    .does = VTD_DOES | RIG_HOLES | RIG_WRITE_ONLY,
    .narrow = "bits=39",
    .narrow_bits = 39,
    .wide = "bits=57",
    .entry_cache = UIM_CHECK_CACHE_CONTEXT,
    .entry_kind = UIM_CHECK_DEVICE,
    .leaf_kind = UIM_CHECK_IOTLB,
};

static const struct rig_arch vtd_scalable = {
    VTD,
    .mode = "scalable",
    .format = "vtd_ss",
    .other_mode = "vtd.mode=first-stage",
    .does = VTD_DOES | RIG_HOLES | RIG_WRITE_ONLY,
    .narrow = "bits=39",
    .narrow_bits = 39,
    .wide = "bits=57",
    .entry_cache = UIM_CHECK_CACHE_PASID,
    .entry_kind = UIM_CHECK_PASID,
    .leaf_kind = UIM_CHECK_IOTLB,
};

/* Accessed and dirty are set by the unit. */
static const struct rig_arch vtd_first_stage = {
    VTD,
    .mode = "first-stage",
    .format = "vtd_fs",
    .other_mode = "vtd.mode=scalable",
    .does = VTD_DOES,
    .wide = "bits=57",
    .entry_cache = UIM_CHECK_CACHE_PASID,
    .entry_kind = UIM_CHECK_PASID,
    .leaf_kind = UIM_CHECK_PASID_IOTLB,
    .leaf_ignored = 0x60,
};

/* ---- SMMUv3 -------------------------------------------------------------------- */

enum { SMMUEN = 0, EVENTQEN = 2, CMDQEN = 3 };

static struct uiommu_range smmuv3_ring(struct rig *rig)
{
    const struct smmuv3_cmdq_base base = { rig_register(
        rig, SMMUV3_REG_CMDQ_BASE, 8) };

    return (struct uiommu_range){ smmuv3_cmdq_base_addr(base) << 5,
                                  (uint64_t)SMMUV3_CMD_BYTES
                                      << smmuv3_cmdq_base_log2size(base) };
}

static unsigned smmuv3_ids(const struct uim_unit *unit)
{
    const struct smmuv3_unit *v =
        uim_container(unit, const struct smmuv3_unit, unit);

    return bits_set(v->ids, smmuv3_ids_size(v));
}

static bool smmuv3_pending(struct rig *rig)
{
    return rig_register(rig, SMMUV3_REG_GERROR, 4) !=
               rig_register(rig, SMMUV3_REG_GERRORN, 4) ||
           rig_register(rig, SMMUV3_REG_EVENTQ_PROD, 4) !=
               rig_register(rig, SMMUV3_REG_EVENTQ_CONS, 4);
}

static bool smmuv3_gives_back(uint64_t offset, uint64_t value)
{
    (void)value;
    return offset == SMMUV3_REG_EVENTQ_CONS;
}

static bool smmuv3_switches(uint64_t offset, uint64_t value, bool *on)
{
    *on = (value >> SMMUEN & 1) != 0;
    return offset == SMMUV3_REG_CR0;
}

static const char *const smmuv3_commands[] = {
    [UIM_CHECK_DEVICE] = "CFGI_STE",
    [UIM_CHECK_PASID] = "CFGI_CD",
    [UIM_CHECK_IOTLB] = "TLBI_S2_IPA",
    [UIM_CHECK_PASID_IOTLB] = "TLBI_NH_VA",
};

/* With few events, so that it is seen what becomes of more; and leaves that can be
 * split. */
#define SMMUV3                                                                 \
    .page_sizes = UINT64_C(0x442211000), .fault_bits = ~UINT64_C(0), \
    .driver = &uiommu_driver_smmuv3, .args = "eventqs=4,bbml=2",               \
    .command = smmuv3_commands, .refused = SMMUV3_CERROR_ILL,                  \
    .stopped = SMMUV3_CERROR_ABT, .stopped_says = "cannot be read", .stopped_stays = true, .least_pages = 2,            \
    .devtlb_parts = 1, \
    .entry_cache = UIM_CHECK_CACHE_CONTEXT, .entry_kind = UIM_CHECK_DEVICE,    \
    .reg = {                                                                   \
        { SMMUV3_REG_CR0, 4, 0, RIG_ALWAYS },                                  \
        { SMMUV3_REG_GBPA, 4, 0, RIG_ALWAYS },                                 \
        { SMMUV3_REG_IRQ_CTRL, 4, 0, SMMUEN },                                 \
        { SMMUV3_REG_STRTAB_BASE, 8, 0, SMMUEN },                              \
        { SMMUV3_REG_STRTAB_BASE_CFG, 4, 0, SMMUEN },                          \
        { SMMUV3_REG_EVENTQ_BASE, 8, 0, EVENTQEN },                            \
        { SMMUV3_REG_EVENTQ_IRQ_CFG0, 8, 0, EVENTQEN },                        \
        { SMMUV3_REG_CMDQ_BASE, 8, 0, CMDQEN },                                \
    },                                                                         \
    .queue = smmuv3_ring, .ids = smmuv3_ids, .ids_at_rest = 1,                 \
    .pending = smmuv3_pending, .gives_back = smmuv3_gives_back,                \
    .switches = smmuv3_switches

static const struct rig_arch smmuv3_1 = {
    SMMUV3,
    .mode = "stage 1",
    .map_flags = UIOMMU_EXEC | UIOMMU_PRIV,
    .format = "vmsa_s1_4k",
    .other_mode = "smmuv3.stage=2",
    .leaf_kind = UIM_CHECK_PASID_IOTLB,
};

static const struct rig_arch smmuv3_2 = {
    SMMUV3,
    .mode = "stage 2",
    .map_flags = UIOMMU_EXEC,
    .format = "vmsa_s2_4k",
    .other_mode = "smmuv3.stage=1",
    .does = RIG_WRITE_ONLY,
    .narrow = "oas=36",
    .narrow_bits = 36,
    .leaf_kind = UIM_CHECK_IOTLB,
};

/* ---- all ------------------------------------------------------------------------- */

static const struct rig_arch *const archs[] = {
    [SIM_LEGACY] = &vtd_legacy,
    [SIM_SCALABLE] = &vtd_scalable,
    [SIM_FIRST_STAGE] = &vtd_first_stage,
    [SIM_STAGE_1] = &smmuv3_1,
    [SIM_STAGE_2] = &smmuv3_2,
};

const struct rig_arch *rig_arch_of(enum sim_mode mode)
{
    return archs[mode];
}

const struct rig_arch *rig_arch(const struct rig *rig)
{
    return rig_arch_of(rig->config.mode);
}

const char *rig_lacks(const struct rig *rig, unsigned needs)
{
    static const char *const lacks[] = {
        "not on this unit: it does not go on yet with tables that another "
        "owner left",
        "not on this unit: it does not remap interrupts",
        "not on this unit: it does not say which function faulted",
        "not on this unit: what the test is about stands in a DMAR",
        "not on this unit: it never caches that nothing is mapped",
        "not on this unit: only its adversarial model caches that an entry is "
        "not valid",
        "not on this unit: messages are DMA like any other",
        "not on this unit: who may write may read",
        "not on this unit: it tells of no answers that nobody waits for",
        "not on this unit: what it does not look at stays in entries that "
        "block",
        "not on this unit: old leaves may go after a device's own TLB",
        "not on this unit: the simulated IORT has no region yet that ends with "
        "a claim",
        "not on this unit: one domain follows the other at once",
        "not on this unit: it may read commands when all stores have arrived",
    };

    needs &= ~rig_arch(rig)->does;
    return needs ? lacks[__builtin_ctz(needs)] : NULL;
}

bool rig_does(const struct rig *rig, unsigned needs, const char **why)
{
    *why = rig_lacks(rig, needs);
    return !*why;
}
