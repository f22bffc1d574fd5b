/* SPDX-License-Identifier: MIT */
/*
 * set.c - what a stream sees, or one of its substreams.
 *
 * In the first stage the entry leads to a context descriptor, which names the domain's
 * tables; in the second stage it names them itself. Fields that a configuration does not
 * look at are, but for EATS, the same in all of them, so that most changes are those of
 * word 0 alone.
 *
 * An entry that leads to a table is changed so that its substreams do not notice. What
 * requests without a PASID see is then said by S1DSS (5.2), which lies beside EATS in
 * word 1, and by descriptor 0. While S1DSS does not lead to it, that one is not
 * valid: a device may ask with a PASID of 0 (3.9). From one that has no table to one that
 * has, S1DSS is written first, which nobody looks at where S1CDMax is 0 or the first stage
 * is off; then word 0, which says all the rest at once.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"

enum {
    SL0_TOP_4K = 1, /* level of the root table that SL0 = 0 stands for      */
};

static unsigned tg0_of(const struct uim_pt *pt)
{
    switch (smmuv3_granule_lg2(pt)) {
    case 12:
        return SMMUV3_TG0_GRANULE_4K;
    case 14:
        return SMMUV3_TG0_GRANULE_16K;
    default:
        return SMMUV3_TG0_GRANULE_64K;
    }
}

static uint32_t id_of(const struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    return uim_link_of(d, ep)->id;
}

/* ---- first stage ----------------------------------------------------------- */

/* Shall what faults there wait until somebody has answered it? */
static bool stalls(const struct uiommu_endpoint *ep,
                   const struct uiommu_domain *d)
{
    return ep->device && ep->device->stall_able && ep->pri && d->answers;
}

/* 5.4. Only addresses of the lower half are translated; what faults is recorded, and
 * aborted or stalled. What is a process's is not for the privileged (PAN); what it may
 * execute and not read neither, where there is EPAN. */
static void cd_words(const struct smmuv3_unit *v,
                     const struct uiommu_endpoint *ep, struct uiommu_domain *d,
                     uint64_t *w)
{
    const struct smmuv3_cd_q0_fields q0 = {
        .asid = id_of(ep, d),
        .aset = 1,
        .a = 1,
        .r = 1,
        .s = stalls(ep, d),
        .aa64 = 1,
        .ips = smmuv3_oas_code(d->pt.phys_bits),
        .v = 1,
        .epd1 = 1,
        .pan = d->foreign,
        .sh0 = VMSA_SH_ISH,
        .or0 = SMMUV3_WALK_WBRAWA,
        .ir0 = SMMUV3_WALK_WBRAWA,
        .tg0 = tg0_of(&d->pt),
        .t0sz = 64u - d->pt.input_bits,
    };
    const struct smmuv3_cd_q1_fields q1 = {
        .ttb0 = d->pt.root_phys >> 4,
        .epan = d->foreign && smmuv3_idr3_epan(v->idr3),
    };

    memset(w, 0, SMMUV3_CD_BYTES);
    w[0] = smmuv3_cd_q0_pack(&q0).raw;
    w[1] = smmuv3_cd_q1_pack(&q1).raw;
    w[3] = d->foreign ? d->attributes : uim_pt_vmsa_mair();
}

static bool cd_is(const uim_word *cd, const uint64_t *w)
{
    for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++)
        if (uim_ld64(&cd[i]) != w[i])
            return false;
    return true;
}

/* The descriptor that is in use stays if it says the same: ATS may have been switched
 * on or off. */
static void first_stage(const struct smmuv3_unit *v,
                        const struct uiommu_endpoint *ep, const uim_word *ste,
                        struct uiommu_domain *d,
                        struct smmuv3_ste_q0_fields *q0)
{
    uint64_t w[SMMUV3_CD_WORDS];
    struct smmuv3_cds cds;

    smmuv3_cds(v, ste, &cds);
    cd_words(v, ep, d, w);
    q0->config = SMMUV3_STE_S1_TRANSLATE;
    q0->s1contextptr = cds.phys >> 6;
    if (cd_is(cds.current, w))
        return;
    for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++)
        uim_st64(&cds.spare[i], w[i]);
    uim_write_back(&v->unit, v->coherent, cds.spare, SMMUV3_CD_BYTES);
    q0->s1contextptr = cds.spare_phys >> 6;
}

/* ---- second stage ---------------------------------------------------------- */

static void second_stage(const struct smmuv3_unit *v,
                         const struct uiommu_endpoint *ep,
                         struct uiommu_domain *d, uint64_t *want)
{
    const unsigned top = d->pt.top;
    const struct smmuv3_ste_q2_fields q2 = {
        .s2r = 1,
        .s2s = stalls(ep, d),
        .s2aa64 = 1,
        .s2ps = smmuv3_oas_code(d->pt.phys_bits),
        .s2tg = tg0_of(&d->pt),
        .s2sh0 = VMSA_SH_ISH,
        .s2or0 = SMMUV3_WALK_WBRAWA,
        .s2ir0 = SMMUV3_WALK_WBRAWA,
        .s2sl0 = v->granule_lg2 == 12 ? top - SL0_TOP_4K : top,
        .s2t0sz = 64u - d->pt.input_bits,
        .s2vmid = id_of(ep, d),
    };
    const struct smmuv3_ste_q3_fields q3 = { .s2ttb = d->pt.root_phys >> 4 };

    want[2] = smmuv3_ste_q2_pack(&q2).raw;
    want[3] = smmuv3_ste_q3_pack(&q3).raw;
}

/* ---- entries --------------------------------------------------------------- */

/* 5.2. Where units may stall, streams of the first stage must not but where firmware says
 * that they can (D-96). */
static uint64_t word_1(const struct smmuv3_unit *v,
                       const struct uiommu_endpoint *own, bool ats,
                       unsigned s1dss)
{
    const struct smmuv3_ste_q1_fields q1 = {
        .shcfg = SMMUV3_SHCFG_INCOMING,
        .eats = ats ? SMMUV3_EATS_FULL : SMMUV3_EATS_ABORT,
        .s1stalld = smmuv3_first_stage(v) && smmuv3_may_stall(v) &&
                    !(own->device && own->device->stall_able),
        .ppar = v->unit.requests && own->device->pri_answer_pasid,
        .s1csh = VMSA_SH_ISH,
        .s1cor = SMMUV3_FETCH_WB,
        .s1cir = SMMUV3_FETCH_WB,
        .s1dss = s1dss,
    };

    return smmuv3_ste_q1_pack(&q1).raw;
}

static bool answers_ats(uint64_t word1)
{
    return smmuv3_ste_q1_eats((struct smmuv3_ste_q1){ word1 }) ==
           SMMUV3_EATS_FULL;
}

static void as_found(const uim_word *ste, uint64_t *want)
{
    for (unsigned i = 0; i < SMMUV3_STE_USED; i++)
        want[i] = uim_ld64(&ste[i]);
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

    as_found(ste, want);
    want[1] = word_1(v, ep, ep->ats, 0);
    if (uim_has_tables(next) && smmuv3_first_stage(v)) {
        first_stage(v, ep, ste, next, &q0);
    } else if (uim_has_tables(next)) {
        q0.config = SMMUV3_STE_S2_TRANSLATE;
        second_stage(v, ep, next, want);
    }
    want[0] = smmuv3_ste_q0_pack(&q0).raw;
}

/* ---- entries that lead to a table ------------------------------------------ */

/* Word 0 that leads where this one does, open. */
static uint64_t opened(uint64_t word0)
{
    struct smmuv3_ste_q0 q0 = { word0 };

    q0 = smmuv3_ste_q0_set_config(q0, SMMUV3_STE_S1_TRANSLATE);
    return smmuv3_ste_q0_set_v(q0, 1).raw;
}

/* An invalid entry was cut, or failed: so were all its substreams, and what their
 * descriptors say is nobody's any more. Or it was muted, and then whoever ends that sets
 * all its substreams anew. */
static void before_opening(const struct smmuv3_unit *v, const uim_word *ste)
{
    if (!smmuv3_ste_is_valid(uim_ld64(ste)))
        smmuv3_cds_block(v, uim_ld64(ste));
}

/* It was, and is not to be any more. */
static bool is_left_mute(const struct uiommu_endpoint *ep, const uim_word *ste)
{
    return !atomic_load(&ep->muted) && smmuv3_ste_is_mute(uim_ld64(ste));
}

static unsigned s1dss_for(const struct uiommu_domain *d)
{
    if (uim_has_tables(d))
        return SMMUV3_S1DSS_SSID0;
    return d->kind == UIOMMU_DOMAIN_IDENTITY ? SMMUV3_S1DSS_BYPASS
                                             : SMMUV3_S1DSS_TERMINATE;
}

/* S1DSS that shows a stream what it sees now. */
static unsigned s1dss_now(const uim_word *ste)
{
    const struct smmuv3_ste_q0 q0 = { uim_ld64(&ste[0]) };
    const struct smmuv3_ste_q1 q1 = { uim_ld64(&ste[1]) };

    if (!smmuv3_ste_is_valid(q0.raw))
        return SMMUV3_S1DSS_TERMINATE;
    if (smmuv3_ste_q0_config(q0) == SMMUV3_STE_BYPASS)
        return SMMUV3_S1DSS_BYPASS;
    return smmuv3_has_table(q0.raw) ? (unsigned)smmuv3_ste_q1_s1dss(q1)
                                    : SMMUV3_S1DSS_SSID0;
}

static enum uiommu_status
close_cd(struct smmuv3_unit *v, const struct uiommu_endpoint *ep, uim_word *cd)
{
    smmuv3_cd_block(v, cd);
    return smmuv3_cd_forget(v, ep);
}

/* Descriptor 0 is valid before S1DSS leads to it, and until after. */
static enum uiommu_status set_in_table(struct smmuv3_unit *v,
                                       const struct uiommu_endpoint *ep,
                                       uim_word *ste,
                                       struct uiommu_domain *next)
{
    const bool paging = uim_has_tables(next);
    uim_word *cd = smmuv3_cd(v, uim_ld64(ste), 0);
    uint64_t want[SMMUV3_STE_USED], w[SMMUV3_CD_WORDS];
    enum uiommu_status status = UIOMMU_OK;

    as_found(ste, want);
    want[1] = word_1(v, ep, ep->ats, s1dss_for(next));
    if (next->kind != UIOMMU_DOMAIN_BLOCKED || is_left_mute(ep, ste)) {
        before_opening(v, ste);
        want[0] = opened(want[0]);
    }
    if (paging) {
        cd_words(v, ep, next, w);
        status = smmuv3_cd_replace(v, ep, cd, w);
    }
    if (status == UIOMMU_OK)
        status = smmuv3_ste_change(v, ep, ste, want);
    if (status == UIOMMU_OK && !paging)
        status = close_cd(v, ep, cd);
    if (status != UIOMMU_OK)
        smmuv3_ste_block(v, ste);
    return status;
}

/* ---- substreams ------------------------------------------------------------ */

static void copy_cd(const struct smmuv3_unit *v, const uim_word *from,
                    uim_word *to)
{
    for (unsigned i = 0; i < SMMUV3_CD_WORDS; i++)
        uim_st64(&to[i], uim_ld64(&from[i]));
    uim_write_back(&v->unit, v->coherent, to, SMMUV3_CD_BYTES);
}

/* Where the entry does not lead yet. */
static void fill_table(const struct smmuv3_unit *v, const uim_word *ste,
                       uint64_t table)
{
    const uim_word *own = smmuv3_cd(v, uim_ld64(ste), 0);
    struct smmuv3_cds cds;

    if (!own) {
        smmuv3_cds(v, ste, &cds);
        own = cds.current;
    }
    copy_cd(v, own, smmuv3_cd(v, table, 0));
}

/* The entry leads to `table`, and requests without a PASID see what they saw. Whether
 * that is confirmed or not makes no difference for them. */
static enum uiommu_status use_table(struct smmuv3_unit *v,
                                    const struct uiommu_endpoint *own,
                                    uim_word *ste, uint64_t table)
{
    const uint64_t before = uim_ld64(ste);
    const unsigned s1dss = s1dss_now(ste);
    const bool there = opened(before) == opened(table);
    uint64_t want[SMMUV3_STE_USED];
    enum uiommu_status status;

    if (before == opened(table))
        return UIOMMU_OK;
    before_opening(v, ste);
    if (!there && s1dss == SMMUV3_S1DSS_SSID0)
        fill_table(v, ste, table);
    as_found(ste, want);
    want[0] = opened(table);
    want[1] = word_1(v, own, answers_ats(want[1]), s1dss);
    status = smmuv3_ste_change(v, own, ste, want);
    if (!there)
        smmuv3_table_linked(v, ste, before, table);
    return status;
}

/* EATS is of all that the stream asks, with a PASID or without. */
static enum uiommu_status answer_ats(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *own,
                                     uim_word *ste)
{
    uint64_t want[SMMUV3_STE_USED];

    as_found(ste, want);
    want[1] = word_1(
        v, own, own->ats,
        (unsigned)smmuv3_ste_q1_s1dss((struct smmuv3_ste_q1){ want[1] }));
    return smmuv3_ste_change(v, own, ste, want);
}

/* What has ended shows nothing, of which nobody hears (D-03). Whoever ends it later hushes
 * what is opened here. */
static enum uiommu_status show(struct smmuv3_unit *v,
                               const struct uiommu_endpoint *ep,
                               struct uiommu_domain *next, uim_word *cd)
{
    uint64_t w[SMMUV3_CD_WORDS];
    enum uiommu_status status = UIOMMU_OK;

    if (!atomic_load(&ep->over)) {
        cd_words(v, ep, next, w);
        status = smmuv3_cd_replace(v, ep, cd, w);
    }
    if (status == UIOMMU_OK && atomic_load(&ep->over))
        status = smmuv3_cd_hush(v, ep, cd);
    return status;
}

static enum uiommu_status set_substream(struct smmuv3_unit *v,
                                        struct uiommu_endpoint *ep,
                                        struct uiommu_domain *next)
{
    const struct uiommu_endpoint *own = uim_own(ep);
    enum uiommu_status status;
    uim_word *ste, *cd;
    uint64_t table;

    status = smmuv3_table_create(v, ep, &ste, &table);
    if (status != UIOMMU_OK)
        return status;
    status = use_table(v, own, ste, table);
    if (status != UIOMMU_OK)
        return status;
    cd = smmuv3_cd(v, uim_ld64(ste), ep->pasid);
    status = show(v, ep, next, cd);
    if (status == UIOMMU_OK)
        status = answer_ats(v, own, ste);
    if (status != UIOMMU_OK)
        smmuv3_cd_block(v, cd);
    return status;
}

/* ---- blocking -------------------------------------------------------------- */

static enum uiommu_status cut_stream(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *ep)
{
    const struct smmuv3_sid sid = smmuv3_sid(ep);
    uim_word *ste = smmuv3_ste(v, sid);

    if (!ste)
        return UIOMMU_OK;
    if (atomic_load(&ep->muted))
        smmuv3_ste_mute(v, ste);
    else
        smmuv3_ste_block(v, ste);
    return smmuv3_ste_forget(v, sid);
}

/* NULL: there is none, which shows nothing. */
static uim_word *cd_of(struct smmuv3_unit *v, const struct uiommu_endpoint *ep)
{
    const uim_word *ste = smmuv3_ste(v, smmuv3_sid(ep));

    return ste ? smmuv3_cd(v, uim_ld64(ste), ep->pasid) : NULL;
}

static enum uiommu_status cut_substream(struct smmuv3_unit *v,
                                        const struct uiommu_endpoint *ep)
{
    uim_word *cd = cd_of(v, ep);

    if (!cd)
        return UIOMMU_OK;
    if (atomic_load(&ep->over) && !atomic_load(&ep->quarantined))
        return smmuv3_cd_hush(v, ep, cd);
    return close_cd(v, ep, cd);
}

static enum uiommu_status block_stream(struct smmuv3_unit *v,
                                       const struct uiommu_endpoint *ep,
                                       struct uiommu_domain *blocked)
{
    uim_word *ste = smmuv3_ste(v, smmuv3_sid(ep));

    if (ste && smmuv3_has_table(uim_ld64(ste)))
        return set_in_table(v, ep, ste, blocked);
    return cut_stream(v, ep);
}

static enum uiommu_status block_substream(struct smmuv3_unit *v,
                                          struct uiommu_endpoint *ep)
{
    uim_word *ste = smmuv3_ste(v, smmuv3_sid(ep)), *cd = cd_of(v, ep);
    enum uiommu_status closed = UIOMMU_OK, ats = UIOMMU_OK;

    if (cd)
        closed = close_cd(v, ep, cd);
    if (ste && smmuv3_has_table(uim_ld64(ste)))
        ats = answer_ats(v, uim_own(ep), ste);
    return closed == UIOMMU_OK ? ats : closed;
}

/* ---- operations ------------------------------------------------------------ */

enum uiommu_status smmuv3_set(struct uiommu_endpoint *endpoint,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old)
{
    struct smmuv3_unit *v = smmuv3_unit(endpoint->unit);
    const bool block = next->kind == UIOMMU_DOMAIN_BLOCKED;
    uint64_t want[SMMUV3_STE_USED];
    enum uiommu_status status;
    uim_word *ste;

    (void)old; /* the entry knows */
    if (endpoint->pasid != UIOMMU_NO_PASID)
        return block ? block_substream(v, endpoint)
                     : set_substream(v, endpoint, next);
    if (block)
        return block_stream(v, endpoint, next);
    status = smmuv3_stream_create(v, smmuv3_sid(endpoint), &ste);
    if (status != UIOMMU_OK)
        return status;
    if (smmuv3_has_table(uim_ld64(ste)))
        return set_in_table(v, endpoint, ste, next);
    fill(v, endpoint, ste, next, want);
    return smmuv3_ste_replace(v, endpoint, ste, want);
}

enum uiommu_status smmuv3_cut(struct uiommu_endpoint *endpoint)
{
    struct smmuv3_unit *v = smmuv3_unit(endpoint->unit);

    if (endpoint->pasid != UIOMMU_NO_PASID)
        return cut_substream(v, endpoint);
    return cut_stream(v, endpoint);
}

/* A stream beyond the table has none, and never sees anything. */
enum uiommu_status smmuv3_make_entry(struct uiommu_endpoint *endpoint)
{
    struct smmuv3_unit *v = smmuv3_unit(endpoint->unit);
    uim_word *ste;

    if (endpoint->id >> v->sid_bits != 0)
        return UIOMMU_OK;
    return smmuv3_ste_create(v, smmuv3_sid(endpoint), &ste);
}
