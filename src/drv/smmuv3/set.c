/* SPDX-License-Identifier: MIT */
/*
 * set.c - what a stream sees.
 *
 * In the first stage the entry leads to a context descriptor, which names the domain's
 * tables; in the second stage it names them itself. Fields that a configuration does not
 * look at are, but for EATS, the same in all of them, so that most changes are those of
 * word 0 alone.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"

enum {
    CD_WORDS = SMMUV3_CD_BYTES / 8,
    SL0_TOP_4K = 1, /* level of the root table that SL0 = 0 stands for      */
};

static unsigned tg0_of(const struct smmuv3_unit *v)
{
    if (v->granule_lg2 == 12)
        return SMMUV3_TG0_GRANULE_4K;
    return v->granule_lg2 == 14 ? SMMUV3_TG0_GRANULE_16K
                                : SMMUV3_TG0_GRANULE_64K;
}

static uint32_t id_of(const struct smmuv3_unit *v, struct uiommu_domain *d)
{
    return uim_link_of(d, &v->unit)->id;
}

/* ---- first stage ----------------------------------------------------------- */

/* 5.4. Only addresses of the lower half are translated; what faults is aborted and
 * recorded. */
static void cd_words(const struct smmuv3_unit *v, struct uiommu_domain *d,
                     uint64_t *w)
{
    const struct smmuv3_cd_q0_fields q0 = {
        .asid = id_of(v, d),
        .aset = 1,
        .a = 1,
        .r = 1,
        .aa64 = 1,
        .ips = smmuv3_oas_code(d->pt.phys_bits),
        .v = 1,
        .epd1 = 1,
        .sh0 = VMSA_SH_ISH,
        .or0 = SMMUV3_WALK_WBRAWA,
        .ir0 = SMMUV3_WALK_WBRAWA,
        .tg0 = tg0_of(v),
        .t0sz = 64u - d->pt.input_bits,
    };
    const struct smmuv3_cd_q1_fields q1 = { .ttb0 = d->pt.root_phys >> 4 };

    memset(w, 0, SMMUV3_CD_BYTES);
    w[0] = smmuv3_cd_q0_pack(&q0).raw;
    w[1] = smmuv3_cd_q1_pack(&q1).raw;
    w[3] = uim_pt_vmsa_mair();
}

static bool cd_is(const uim_word *cd, const uint64_t *w)
{
    for (unsigned i = 0; i < CD_WORDS; i++)
        if (uim_ld64(&cd[i]) != w[i])
            return false;
    return true;
}

/* The descriptor that is in use stays if it says the same: ATS may have been switched
 * on or off. */
static void first_stage(const struct smmuv3_unit *v, const uim_word *ste,
                        struct uiommu_domain *d,
                        struct smmuv3_ste_q0_fields *q0)
{
    uint64_t w[CD_WORDS];
    struct smmuv3_cds cds;

    smmuv3_cds(v, ste, &cds);
    cd_words(v, d, w);
    q0->config = SMMUV3_STE_S1_TRANSLATE;
    q0->s1contextptr = cds.phys >> 6;
    if (cd_is(cds.current, w))
        return;
    for (unsigned i = 0; i < CD_WORDS; i++)
        uim_st64(&cds.spare[i], w[i]);
    uim_write_back(&v->unit, v->coherent, cds.spare, SMMUV3_CD_BYTES);
    q0->s1contextptr = cds.spare_phys >> 6;
}

/* ---- second stage ---------------------------------------------------------- */

static void second_stage(const struct smmuv3_unit *v, struct uiommu_domain *d,
                         uint64_t *want)
{
    const unsigned top = d->pt.top;
    const struct smmuv3_ste_q2_fields q2 = {
        .s2r = 1,
        .s2aa64 = 1,
        .s2ps = smmuv3_oas_code(d->pt.phys_bits),
        .s2tg = tg0_of(v),
        .s2sh0 = VMSA_SH_ISH,
        .s2or0 = SMMUV3_WALK_WBRAWA,
        .s2ir0 = SMMUV3_WALK_WBRAWA,
        .s2sl0 = v->granule_lg2 == 12 ? top - SL0_TOP_4K : top,
        .s2t0sz = 64u - d->pt.input_bits,
        .s2vmid = id_of(v, d),
    };
    const struct smmuv3_ste_q3_fields q3 = { .s2ttb = d->pt.root_phys >> 4 };

    want[2] = smmuv3_ste_q2_pack(&q2).raw;
    want[3] = smmuv3_ste_q3_pack(&q3).raw;
}

/* ---- entries --------------------------------------------------------------- */

/* 5.2. Where units may stall, streams of the first stage must not (D-96). */
static uint64_t word_1(const struct smmuv3_unit *v, bool ats)
{
    const struct smmuv3_ste_q1_fields q1 = {
        .shcfg = SMMUV3_SHCFG_INCOMING,
        .eats = ats ? SMMUV3_EATS_FULL : SMMUV3_EATS_ABORT,
        .s1stalld =
            smmuv3_first_stage(v) && smmuv3_idr0_stall_model(v->idr0) ==
                                         SMMUV3_STALL_MODEL_STALL_AND_TERMINATE,
        .s1csh = VMSA_SH_ISH,
        .s1cor = SMMUV3_FETCH_WB,
        .s1cir = SMMUV3_FETCH_WB,
    };

    return smmuv3_ste_q1_pack(&q1).raw;
}

/* What the entry has to say; what is there of the stage that is not used stays. */
static void fill(const struct smmuv3_unit *v, const struct uiommu_endpoint *ep,
                 const uim_word *ste, struct uiommu_domain *next,
                 uint64_t *want)
{
    const struct smmuv3_ste_q0 found = { uim_ld64(&ste[0]) };
    struct smmuv3_ste_q0_fields q0 = {
        .v = 1,
        .config = SMMUV3_STE_BYPASS,
        .s1contextptr = smmuv3_ste_q0_s1contextptr(found),
    };

    want[1] = word_1(v, ep->ats);
    want[2] = uim_ld64(&ste[2]);
    want[3] = uim_ld64(&ste[3]);
    if (next->kind == UIOMMU_DOMAIN_PAGING && smmuv3_first_stage(v)) {
        first_stage(v, ste, next, &q0);
    } else if (next->kind == UIOMMU_DOMAIN_PAGING) {
        q0.config = SMMUV3_STE_S2_TRANSLATE;
        second_stage(v, next, want);
    }
    want[0] = smmuv3_ste_q0_pack(&q0).raw;
}

static enum uiommu_status block(struct smmuv3_unit *v, struct smmuv3_sid sid)
{
    uim_word *ste = smmuv3_ste(v, sid);

    if (!ste)
        return UIOMMU_OK;
    smmuv3_ste_block(v, ste);
    return smmuv3_ste_forget(v, sid);
}

/* ---- operations ------------------------------------------------------------ */

enum uiommu_status smmuv3_set(struct uiommu_endpoint *endpoint,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old)
{
    struct smmuv3_unit *v = smmuv3_unit(endpoint->device->unit);
    const struct smmuv3_sid sid = smmuv3_sid(endpoint);
    uint64_t want[SMMUV3_STE_USED];
    enum uiommu_status status;
    uim_word *ste;

    (void)old; /* the entry knows */
    if (next->kind == UIOMMU_DOMAIN_BLOCKED)
        return block(v, sid);
    status = smmuv3_stream_create(v, sid, &ste);
    if (status != UIOMMU_OK)
        return status;
    fill(v, endpoint, ste, next, want);
    return smmuv3_ste_replace(v, endpoint, ste, want);
}

enum uiommu_status smmuv3_cut(struct uiommu_endpoint *endpoint)
{
    return block(smmuv3_unit(endpoint->device->unit), smmuv3_sid(endpoint));
}
