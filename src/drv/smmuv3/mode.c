/* SPDX-License-Identifier: MIT */
/*
 * mode.c - which stage and granule the units of a machine run in, and what each offers
 * then. All run in the same, so that a domain fits each of them.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    INPUT_BITS_MOST = 48,
    OUTPUT_BITS_MOST = 48,
    WIDE_LEAF_LG2 = 42, /* of granules of 64 KiB, with addresses that wide: */
    WIDE_BITS = 52,     /* DDI0487, D8.3                                    */
    PASID_BITS_MOST = 20,
    LINEAR_PASID_BITS_MOST = 10, /* a table of 64 KiB for each stream       */
};

static const char *const stage_names[] = {
    [SMMUV3_STAGE_1] = "stage 1",
    [SMMUV3_STAGE_2] = "stage 2",
};

static const uint8_t granules[] = { 12, 14, 16 };
enum { GRANULES = sizeof(granules) / sizeof(granules[0]) };

/* By stage, then by granule. */
static const struct uim_pt_ops *const formats[][GRANULES] = {
    [SMMUV3_STAGE_1] = { &uim_pt_vmsa_s1_4k, &uim_pt_vmsa_s1_16k,
                         &uim_pt_vmsa_s1_64k },
    [SMMUV3_STAGE_2] = { &uim_pt_vmsa_s2_4k, &uim_pt_vmsa_s2_16k,
                         &uim_pt_vmsa_s2_64k },
};

/* ---- sizes of addresses ---------------------------------------------------- */

static const uint8_t oas_bits[] = {
    [SMMUV3_OAS_BITS_32] = 32, [SMMUV3_OAS_BITS_36] = 36,
    [SMMUV3_OAS_BITS_40] = 40, [SMMUV3_OAS_BITS_42] = 42,
    [SMMUV3_OAS_BITS_44] = 44, [SMMUV3_OAS_BITS_48] = 48,
    [SMMUV3_OAS_BITS_52] = 52, [SMMUV3_OAS_BITS_56] = 56,
};

unsigned smmuv3_oas_code(unsigned bits)
{
    unsigned code = SMMUV3_OAS_BITS_32;

    while (code < SMMUV3_OAS_BITS_56 && oas_bits[code] < bits)
        code++;
    return code;
}

/* ---- what units lack ------------------------------------------------------- */

static const char *stage_lacks(const struct smmuv3_unit *v,
                               enum smmuv3_stage stage)
{
    if (!(smmuv3_idr0_ttf(v->idr0) & SMMUV3_TTF_AARCH64))
        return "tables of VMSAv8-64";
    if (stage == SMMUV3_STAGE_1 && !smmuv3_idr0_s1p(v->idr0))
        return "first stage";
    if (stage == SMMUV3_STAGE_2 && !smmuv3_idr0_s2p(v->idr0))
        return "second stage";
    if (!v->coherent && !v->unit.host->flush)
        return "snooping of the CPU's caches, and the host no flush";
    return NULL;
}

bool smmuv3_has_granule(const struct smmuv3_unit *v, unsigned lg2)
{
    switch (lg2) {
    case 12:
        return smmuv3_idr5_gran4k(v->idr5) != 0;
    case 14:
        return smmuv3_idr5_gran16k(v->idr5) != 0;
    default:
        return smmuv3_idr5_gran64k(v->idr5) != 0;
    }
}

static bool all_have_stage(struct uim_unit *const *units, unsigned n,
                           enum smmuv3_stage stage)
{
    for (unsigned i = 0; i < n; i++)
        if (stage_lacks(smmuv3_unit(units[i]), stage))
            return false;
    return true;
}

static bool all_have_granule(struct uim_unit *const *units, unsigned n,
                             unsigned granule)
{
    for (unsigned i = 0; i < n; i++)
        if (!smmuv3_has_granule(smmuv3_unit(units[i]), granules[granule]))
            return false;
    return true;
}

static enum smmuv3_stage choose_stage(const struct smmuv3_options *options,
                                      struct uim_unit *const *units, unsigned n)
{
    if (options->stage != SMMUV3_STAGE_AUTO)
        return options->stage;
    return all_have_stage(units, n, SMMUV3_STAGE_1) ? SMMUV3_STAGE_1
                                                    : SMMUV3_STAGE_2;
}

/* GRANULES: there is none. */
static unsigned choose_granule(const struct smmuv3_options *options,
                               struct uim_unit *const *units, unsigned n)
{
    unsigned i = 0;

    while (i < GRANULES &&
           ((options->granule_lg2 && options->granule_lg2 != granules[i]) ||
            !all_have_granule(units, n, i)))
        i++;
    return i;
}

static enum uiommu_status refuse(const struct smmuv3_unit *v, const char *lacks)
{
    uim_log(v->unit.u, UIOMMU_LOG_ERROR, "smmuv3 unit at 0x%lx has no %s",
            v->unit.base, lacks);
    return UIOMMU_OPNOTSUPP;
}

/* ---- what follows ---------------------------------------------------------- */

static uint8_t least(unsigned a, unsigned b)
{
    return (uint8_t)(a < b ? a : b);
}

/* Devices have to count in the smallest pages that the unit has (3.9.1: STU), and are
 * told 4 KiB. */
static bool serves_ats(const struct smmuv3_unit *v)
{
    return smmuv3_idr0_ats(v->idr0) && smmuv3_idr5_gran4k(v->idr5);
}

/* Only descriptors of the first stage have substreams. */
static uint8_t pasid_bits(const struct smmuv3_unit *v)
{
    const unsigned most =
        smmuv3_idr0_cd2l(v->idr0) ? PASID_BITS_MOST : LINEAR_PASID_BITS_MOST;

    if (!smmuv3_first_stage(v))
        return 0;
    return least((unsigned)smmuv3_idr1_ssidsize(v->idr1), most);
}

/* 3.4: addresses that come in have at most VAX bits in the first stage; in the second
 * as many as those that go out. COHACC is about the unit's own accesses alone:
 * whether a device snoops is not for the unit to say (CCA in the IORT is), so memory is
 * Write-Back for all, and devices that snoop go on to. */
static void configure(struct smmuv3_unit *v,
                      const struct smmuv3_options *options,
                      enum smmuv3_stage stage, unsigned granule)
{
    const struct uim_pt_ops *format = formats[stage][granule];
    unsigned oas = oas_bits[smmuv3_idr5_oas(v->idr5)];

    v->stage = stage;
    v->granule_lg2 = granules[granule];
    v->unit.timeout_ns = uim_timeout_ns(options->timeout_ms);
    v->unit.mode = stage_names[stage];
    v->unit.format = format;
    v->unit.page_sizes = format->page_sizes;
    if (oas < WIDE_BITS)
        v->unit.page_sizes &= ~UIM_BIT(WIDE_LEAF_LG2);
    v->unit.phys_bits = least(least(oas, v->unit.phys_bits), OUTPUT_BITS_MOST);
    v->unit.iova_bits = INPUT_BITS_MOST;
    if (stage == SMMUV3_STAGE_2)
        v->unit.iova_bits = least(v->unit.iova_bits, oas);
    v->unit.levels = 0;
    v->unit.pasid_bits = pasid_bits(v);
    v->unit.whole_leaves = smmuv3_idr3_bbml(v->idr3) != SMMUV3_BBML_LEVEL_2;
    v->unit.coherent = v->coherent;
    v->unit.snoop = true;
    v->unit.identity = true;
    v->unit.ats = serves_ats(v);
    v->unit.requests = v->unit.ats && smmuv3_idr0_pri(v->idr0);
    if (smmuv3_may_stall(v))
        v->unit.stalls = (unsigned)smmuv3_idr5_stall_max(v->idr5);
    v->unit.quality = UIOMMU_BLOCK_ABORT;
    v->unit.messages_are_dma = true;
    v->unit.window_first = UINT64_MAX; /* no address is below and above */
    v->unit.window_last = 0;
}

enum uiommu_status smmuv3_settle(void *state, struct uim_unit *const *units,
                                 unsigned n)
{
    const struct smmuv3_options *options = state;
    enum smmuv3_stage stage = choose_stage(options, units, n);
    unsigned granule = choose_granule(options, units, n);

    for (unsigned i = 0; i < n; i++) {
        const char *lacks = stage_lacks(smmuv3_unit(units[i]), stage);

        if (lacks)
            return refuse(smmuv3_unit(units[i]), lacks);
        if (granule == GRANULES)
            return refuse(smmuv3_unit(units[i]), "granule that all can have");
    }
    for (unsigned i = 0; i < n; i++)
        configure(smmuv3_unit(units[i]), options, stage, granule);
    return UIOMMU_OK;
}
