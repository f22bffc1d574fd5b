/* SPDX-License-Identifier: MIT */
/*
 * arch.c - what of a unit a failed call must not have changed (D-54, D-63).
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

enum { TES = 31, QIES = 26 };

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

/* Not RTPS and IRTPS, which say that a table was taken over at some time, nor IP, that
 * a fault was not told yet. What a unit that is off would do if it were on is left
 * alone: a start that failed may have changed it. */
#define VTD                                                                    \
    .remaps = true,                                                            \
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
    .queue = vtd_ring, .ids = vtd_ids, .ids_at_rest = VTD_DID_FIRST

static const struct rig_arch vtd = { VTD };
/* Accessed and dirty in first-stage entries, which the unit sets. */
static const struct rig_arch vtd_first_stage = { VTD, .leaf_ignored = 0x60 };

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

static const struct rig_arch smmuv3 = {
    .reg = {
        { SMMUV3_REG_CR0, 4, 0, RIG_ALWAYS },
        { SMMUV3_REG_GBPA, 4, 0, RIG_ALWAYS },
        { SMMUV3_REG_IRQ_CTRL, 4, 0, SMMUEN },
        { SMMUV3_REG_STRTAB_BASE, 8, 0, SMMUEN },
        { SMMUV3_REG_STRTAB_BASE_CFG, 4, 0, SMMUEN },
        { SMMUV3_REG_EVENTQ_BASE, 8, 0, EVENTQEN },
        { SMMUV3_REG_EVENTQ_IRQ_CFG0, 8, 0, EVENTQEN },
        { SMMUV3_REG_CMDQ_BASE, 8, 0, CMDQEN },
    },
    .queue = smmuv3_ring,
    .ids = smmuv3_ids,
    .ids_at_rest = 1,
};

const struct rig_arch *rig_arch_of(enum sim_mode mode)
{
    if (mode >= SIM_STAGE_1)
        return &smmuv3;
    return mode == SIM_FIRST_STAGE ? &vtd_first_stage : &vtd;
}
