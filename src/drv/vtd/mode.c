/* SPDX-License-Identifier: MIT */
/*
 * mode.c - which translation mode the units run in, and what each offers in it
 * (11.4.2, 11.4.3).
 *
 * All units of an instance run in one mode, so that a domain made for one
 * serves every other one with the same capabilities.
 */
#include "drv/vtd/vtd.h"

enum {
    REGISTER_INVALIDATION_ENDS = 6, /* major version (6.5.1) */
    PASID_BITS = 20,                /* that PCIe has, whatever PSS says */
};

/* Untranslated requests there are interrupts (3.14). */
#define INTERRUPT_FIRST UINT64_C(0xfee00000)
#define INTERRUPT_LAST  UINT64_C(0xfeefffff)

static const char *const mode_names[] = {
    [VTD_AUTO] = "auto",
    [VTD_LEGACY] = "legacy",
    [VTD_SCALABLE] = "scalable",
    [VTD_FIRST_STAGE] = "first-stage",
};

/* ---- what a unit lacks for a mode; NULL: nothing ------------------------- */

/* SAGAW bits 0 and 4 are reserved. */
static unsigned sagaw(const struct vtd_unit *v)
{
    return (unsigned)vtd_cap_sagaw(v->cap) & 0xeu;
}

static const char *legacy_lacks(const struct vtd_unit *v)
{
    if (sagaw(v) == 0)
        return "second-stage tables (CAP.SAGAW is 0)";
    if (!vtd_ecap_qi(v->ecap) && v->major >= REGISTER_INVALIDATION_ENDS)
        return "any means of invalidation (ECAP.QI is 0)";
    return NULL;
}

static const char *pasid_modes_lack(const struct vtd_unit *v)
{
    if (!vtd_ecap_smts(v->ecap))
        return "scalable mode (ECAP.SMTS is 0)";
    if (!vtd_ecap_qi(v->ecap))
        return "an invalidation queue (ECAP.QI is 0)";
    return NULL;
}

static const char *scalable_lacks(const struct vtd_unit *v)
{
    const char *lacks = pasid_modes_lack(v);

    if (!lacks && !vtd_ecap_ssts(v->ecap))
        lacks = "second-stage tables in scalable mode (ECAP.SSTS is 0)";
    if (!lacks && sagaw(v) == 0)
        lacks = "second-stage tables (CAP.SAGAW is 0)";
    return lacks;
}

static const char *first_stage_lacks(const struct vtd_unit *v)
{
    const char *lacks = pasid_modes_lack(v);

    if (!lacks && !vtd_ecap_fsts(v->ecap))
        lacks = "first-stage tables (ECAP.FSTS is 0)";
    return lacks;
}

static const char *mode_lacks(const struct vtd_unit *v, enum vtd_mode mode)
{
    switch (mode) {
    case VTD_SCALABLE:
        return scalable_lacks(v);
    case VTD_FIRST_STAGE:
        return first_stage_lacks(v);
    default:
        return legacy_lacks(v);
    }
}

/* Page-table walks through a PASID entry snoop if the entry says so, and it may
 * say so where SMPWCS; in legacy mode they go with the other tables. */
static bool walks_snoop(const struct vtd_unit *v, enum vtd_mode mode)
{
    return mode == VTD_LEGACY ? vtd_ecap_c(v->ecap) != 0
                              : vtd_ecap_smpwcs(v->ecap) != 0;
}

static const char *flush_lacks(const struct vtd_unit *v, enum vtd_mode mode)
{
    if (v->unit.host->flush || (v->coherent && walks_snoop(v, mode)))
        return NULL;
    return "snooping of the CPU's caches, and the host has no flush()";
}

/* ---- choice -------------------------------------------------------------- */

/* What is adopted goes on in the mode in which it is. */
static bool goes_on(const struct vtd_unit *v, enum vtd_mode mode)
{
    struct vtd_rtaddr root;

    if (!v->unit.adopt || !(vtd_rd32(v, VTD_REG_GSTS) & VTD_GCMD_BIT(te)))
        return true;
    root.raw = vtd_rd64(v, VTD_REG_RTADDR);
    return vtd_rtaddr_ttm(root) == VTD_TTM_ABORT ||
           (vtd_rtaddr_ttm(root) == VTD_TTM_LEGACY) == (mode == VTD_LEGACY);
}

static bool all_can(struct uim_unit *const *units, unsigned n,
                    enum vtd_mode mode)
{
    for (unsigned i = 0; i < n; i++) {
        const struct vtd_unit *v = vtd_unit(units[i]);

        if (mode_lacks(v, mode) || flush_lacks(v, mode) || !goes_on(v, mode))
            return false;
    }
    return true;
}

static enum vtd_mode choose(const struct vtd_options *options,
                            struct uim_unit *const *units, unsigned n)
{
    if (options->mode != VTD_AUTO)
        return options->mode;
    if (all_can(units, n, VTD_SCALABLE))
        return VTD_SCALABLE;
    if (all_can(units, n, VTD_FIRST_STAGE))
        return VTD_FIRST_STAGE;
    return VTD_LEGACY;
}

static enum uiommu_status check(const struct vtd_unit *v, enum vtd_mode mode)
{
    const char *lacks = mode_lacks(v, mode);

    if (!lacks)
        lacks = flush_lacks(v, mode);
    if (!lacks)
        return UIOMMU_OK;
    uim_log(v->unit.u, UIOMMU_LOG_ERROR,
            "vtd unit at 0x%lx cannot run in %s mode: it has no %s",
            v->unit.base, mode_names[mode], lacks);
    return UIOMMU_OPNOTSUPP;
}

/* ---- what follows -------------------------------------------------------- */

/* VTD_AW_* n: tables of n + 2 levels, 30 + 9 * n bits; bit n of SAGAW. */
static unsigned aw_bits(unsigned aw)
{
    return 30 + 9 * aw;
}

/* The shallowest tables that take all of MGAW, or else the deepest there are:
 * with 39 bits of addresses hardware often wants 4 levels all the same. */
static unsigned best_aw(const struct vtd_unit *v)
{
    unsigned mgaw = (unsigned)vtd_cap_mgaw(v->cap) + 1;

    for (unsigned aw = VTD_AW_39; aw <= VTD_AW_57; aw++)
        if ((sagaw(v) >> aw & 1) && aw_bits(aw) >= mgaw)
            return aw;
    return v->aw_max;
}

static void second_stage(struct vtd_unit *v)
{
    unsigned mgaw = (unsigned)vtd_cap_mgaw(v->cap) + 1;
    unsigned sslps = (unsigned)vtd_cap_sslps(v->cap);
    unsigned aw = best_aw(v);
    unsigned bits = mgaw < aw_bits(aw) ? mgaw : aw_bits(aw);

    v->unit.format = &uim_pt_vtd_ss;
    v->unit.levels = (uint8_t)(aw + 2);
    v->unit.iova_bits = (uint8_t)bits;
    v->unit.page_sizes = UIM_BIT(12);
    if (sslps >> VTD_SSLPS_BIT_2M & 1)
        v->unit.page_sizes |= UIM_BIT(21);
    if (sslps >> VTD_SSLPS_BIT_1G & 1)
        v->unit.page_sizes |= UIM_BIT(30);
}

/* Addresses are sign-extended; domains have the lower half (3.6). */
static void first_stage(struct vtd_unit *v)
{
    bool five = vtd_cap_fs5lp(v->cap) != 0;

    v->unit.format = &uim_pt_vtd_fs;
    v->unit.levels = five ? 5 : 4;
    v->unit.iova_bits = five ? 56 : 47;
    v->unit.page_sizes = UIM_BIT(12) | UIM_BIT(21);
    if (vtd_cap_fs1gp(v->cap))
        v->unit.page_sizes |= UIM_BIT(30);
}

static unsigned pasid_bits(const struct vtd_unit *v)
{
    unsigned bits = (unsigned)vtd_ecap_pss(v->ecap) + 1;

    if (!vtd_has_pasids(v) || !vtd_ecap_pasid(v->ecap))
        return 0;
    return bits < PASID_BITS ? bits : PASID_BITS;
}

/* Of caches first-stage entries are tagged with the PASID, second-stage entries are found
 * by the domain id alone (6.5.2.4). */
static void pasids(struct vtd_unit *v)
{
    v->unit.pasid_bits = (uint8_t)pasid_bits(v);
    v->unit.pasid_identity = v->unit.pasid_bits > 0 && vtd_ecap_pt(v->ecap);
    v->unit.link_by_pasid = vtd_has_pasids(v) ? &uim_pt_vtd_fs : NULL;
    v->unit.ats_needs_own = vtd_has_pasids(v); /* 8, SPT.2 */
}

static void configure(struct vtd_unit *v, const struct vtd_options *options,
                      enum vtd_mode mode)
{
    bool second = mode != VTD_FIRST_STAGE;

    v->mode = mode;
    v->unit.timeout_ns = uim_timeout_ns(options->timeout_ms);
    v->aw_max = (uint8_t)(sagaw(v) ? uim_log2(sagaw(v)) : 0);
    if (second)
        second_stage(v);
    else
        first_stage(v);
    v->unit.mode = mode_names[mode];
    v->unit.coherent = walks_snoop(v, mode);
    v->unit.snoop = vtd_ecap_sc(v->ecap) != 0;
    v->unit.identity = vtd_ecap_pt(v->ecap) != 0;
    pasids(v);
    v->unit.ats = vtd_ecap_dt(v->ecap) && vtd_ecap_qi(v->ecap);
    /* Drained only with PDS (7.10). */
    v->unit.requests = v->unit.ats && mode != VTD_LEGACY &&
                       vtd_ecap_prs(v->ecap) && vtd_ecap_pds(v->ecap);
    v->unit.answers_as_asked = true; /* 7.6.1 */
    /* 8.8: in legacy mode, for what SATC lists with ATC_REQUIRED. */
    v->unit.ats_by_hardware = mode == VTD_LEGACY;
    v->unit.map_sync = (vtd_cap_cm(v->cap) && second) || vtd_cap_rwbf(v->cap);
    v->unit.remap_lacks = vtd_remapping_lacks(v);
    v->unit.remap_able = !v->unit.remap_lacks;
    v->unit.x2apic_able = vtd_ecap_eim(v->ecap) && v->platform_x2apic;
    v->unit.quality = UIOMMU_BLOCK_ABORT;
    v->unit.window_first = INTERRUPT_FIRST;
    v->unit.window_last = INTERRUPT_LAST;
}

enum uiommu_status vtd_settle(void *state, struct uim_unit *const *units,
                              unsigned n)
{
    const struct vtd_options *options = state;
    enum vtd_mode mode = choose(options, units, n);

    for (unsigned i = 0; i < n; i++) {
        enum uiommu_status status = check(vtd_unit(units[i]), mode);

        if (status != UIOMMU_OK)
            return status;
    }
    for (unsigned i = 0; i < n; i++)
        configure(vtd_unit(units[i]), options, mode);
    return UIOMMU_OK;
}
