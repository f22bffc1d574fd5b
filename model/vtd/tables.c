/* SPDX-License-Identifier: MIT */
/*
 * From a source id and a PASID to page tables: steps 1 to 9 of a translation.
 * Root, context, PASID directory and PASID table entries (9.1 to 9.6), each
 * fetched, then P, then reserved bits, then what they say. FPD counts even in an
 * entry that is not present.
 */
#include "model/vtd/vtd.h"

#define LEGACY_SS                                                              \
    {                                                                          \
        .top = VTD_FR_LCT_4, .fetch = VTD_FR_LSS_1, .reserved = VTD_FR_LSS_2,  \
        .write = VTD_FR_LGN_2, .read = VTD_FR_LGN_3, .width = VTD_FR_LGN_1,    \
        .host_width = VTD_FR_LGN_1, .window = VTD_FR_LGN_4                     \
    }
#define SCALABLE_SS                                                            \
    {                                                                          \
        .top = VTD_FR_SSS_4, .fetch = VTD_FR_SSS_1, .hole = VTD_FR_SSS_2,      \
        .reserved = VTD_FR_SSS_3, .write = VTD_FR_SGN_6, .read = VTD_FR_SGN_7, \
        .width = VTD_FR_SGN_5, .host_width = VTD_FR_SGN_4,                     \
        .window = VTD_FR_SGN_8                                                 \
    }
#define SCALABLE_FS                                                            \
    {                                                                          \
        .top = VTD_FR_SFS_4, .fetch = VTD_FR_SFS_1, .hole = VTD_FR_SFS_2,      \
        .reserved = VTD_FR_SFS_3, .user = VTD_FR_SGN_2, .write = VTD_FR_SGN_6, \
        .read = VTD_FR_SGN_7, .width = VTD_FR_SGN_1,                           \
        .host_width = VTD_FR_SGN_4, .window = VTD_FR_SGN_8                     \
    }

static const struct mvtd_reasons legacy_reasons = LEGACY_SS;
static const struct mvtd_reasons ss_reasons = SCALABLE_SS;
static const struct mvtd_reasons fs_reasons = SCALABLE_FS;

/* Address bits that no host address can have. */
static uint64_t above_host(const struct mvtd *m)
{
    return ~UIM_MASK(m->haw - 1, 0);
}

static uint64_t sid_of(const struct mvtd_trip *t)
{
    return t->req->rid & 0xffff;
}

/* ECAP.C says whether fetches of these tables see CPU caches. */
static bool fetch(const struct mvtd *m, uint64_t gpa, uint64_t *words,
                  unsigned n, bool recheck)
{
    return uim_door_read(&m->base, gpa, words, n, vtd_ecap_c(mvtd_ecap(m)),
                         recheck);
}

/* ---- legacy ---------------------------------------------------------------- */

static unsigned fetch_root_legacy(struct mvtd *m, const struct mvtd_trip *t,
                                  bool recheck, uint64_t *table)
{
    uint64_t at = (vtd_rtaddr_rta(m->root) << 12) + (sid_of(t) >> 8) * 16;
    uint64_t w[2];
    struct vtd_root_lo lo;

    if (!fetch(m, at, w, 2, recheck))
        return VTD_FR_LRT_1;
    lo.raw = w[0];
    if (!vtd_root_lo_p(lo))
        return VTD_FR_LRT_2;
    if ((lo.raw & (~vtd_root_lo_DEFINED | above_host(m))) | w[1])
        return VTD_FR_LRT_3;
    *table = vtd_root_lo_ctp(lo) << 12;
    return 0;
}

static unsigned fetch_context_legacy(struct mvtd *m, const struct mvtd_trip *t,
                                     bool recheck, struct mvtd_entry *out)
{
    uint64_t table;
    unsigned reason = fetch_root_legacy(m, t, recheck, &table);
    struct vtd_ctx_legacy_lo lo;
    struct vtd_ctx_legacy_hi hi;
    uint64_t reserved = ~vtd_ctx_legacy_lo_DEFINED;

    if (reason)
        return reason;
    if (!fetch(m, table + (sid_of(t) & 0xff) * 16, out->raw, 2, recheck))
        return VTD_FR_LCT_1;
    lo.raw = out->raw[0];
    hi.raw = out->raw[1];
    out->fpd = vtd_ctx_legacy_lo_fpd(lo);
    if (!vtd_ctx_legacy_lo_p(lo))
        return VTD_FR_LCT_2;
    out->did = (uint16_t)vtd_ctx_legacy_hi_did(hi);
    if (vtd_ctx_legacy_lo_tt(lo) != VTD_TT_PASSTHROUGH) /* ignores SSPTPTR */
        reserved |= above_host(m);
    if ((lo.raw & reserved) | (hi.raw & ~vtd_ctx_legacy_hi_DEFINED))
        return VTD_FR_LCT_3;
    return 0;
}

/* ---- scalable --------------------------------------------------------------- */

static unsigned fetch_root_scalable(struct mvtd *m, const struct mvtd_trip *t,
                                    bool recheck, uint64_t *table)
{
    uint64_t at = (vtd_rtaddr_rta(m->root) << 12) + (sid_of(t) >> 8) * 16;
    uint64_t w[2];
    struct vtd_root_scalable_lo half; /* both halves have the same fields */

    if (!fetch(m, at, w, 2, recheck))
        return VTD_FR_SRT_1;
    half.raw = w[(sid_of(t) >> 7) & 1];
    if (!vtd_root_scalable_lo_lp(half))
        return VTD_FR_SRT_2;
    if (half.raw & (~vtd_root_scalable_lo_DEFINED | above_host(m)))
        return VTD_FR_SRT_3;
    *table = vtd_root_scalable_lo_lctp(half) << 12;
    return 0;
}

/* Fields of features that are not offered are reserved (9.4). */
static uint64_t context_q0_fields(const struct mvtd *m)
{
    struct vtd_ecap ecap = mvtd_ecap(m);
    struct vtd_ctx_scalable_q0 q = { vtd_ctx_scalable_q0_DEFINED };

    q = vtd_ctx_scalable_q0_set_dte(q, vtd_ecap_dt(ecap));
    q = vtd_ctx_scalable_q0_set_paside(q, vtd_ecap_pasid(ecap));
    q = vtd_ctx_scalable_q0_set_pre(q, vtd_ecap_prs(ecap));
    q = vtd_ctx_scalable_q0_set_hpte(q, vtd_ecap_hpts(ecap));
    q = vtd_ctx_scalable_q0_set_eptr(q, vtd_ecap_ptrs(ecap));
    return q.raw & ~above_host(m);
}

static uint64_t context_q1_fields(const struct mvtd *m)
{
    struct vtd_ctx_scalable_q1 q = { vtd_ctx_scalable_q1_DEFINED };

    return vtd_ctx_scalable_q1_set_rid_priv(q, vtd_ecap_rprivs(mvtd_ecap(m)))
        .raw;
}

static unsigned fetch_context_scalable(struct mvtd *m,
                                       const struct mvtd_trip *t, bool recheck,
                                       struct mvtd_entry *out)
{
    uint64_t table;
    unsigned reason = fetch_root_scalable(m, t, recheck, &table);
    struct vtd_ctx_scalable_q0 q0;

    if (reason)
        return reason;
    if (!fetch(m, table + (sid_of(t) & 0x7f) * 32, out->raw, 4, recheck))
        return VTD_FR_SCT_1;
    q0.raw = out->raw[0];
    out->fpd = vtd_ctx_scalable_q0_fpd(q0);
    if (!vtd_ctx_scalable_q0_p(q0))
        return VTD_FR_SCT_2;
    if ((out->raw[0] & ~context_q0_fields(m)) |
        (out->raw[1] & ~context_q1_fields(m)) | out->raw[2] | out->raw[3])
        return VTD_FR_SCT_3;
    return 0;
}

unsigned mvtd_fetch_context(struct mvtd *m, const struct mvtd_trip *t,
                            bool recheck, struct mvtd_entry *out)
{
    *out = (struct mvtd_entry){ .reason = 0 };
    out->reason =
        (uint8_t)(t->scalable ? fetch_context_scalable(m, t, recheck, out)
                              : fetch_context_legacy(m, t, recheck, out));
    return out->reason;
}

/* Which bits of a PASID entry may be set: the fields of what is offered, and
 * those that its PGTT ignores (9.6). */
static void pasid_entry_fields(const struct mvtd *m, uint64_t pgtt,
                               uint64_t fields[3])
{
    struct vtd_ecap ecap = mvtd_ecap(m);
    struct vtd_pasid_entry_q0 q0 = { vtd_pasid_entry_q0_DEFINED };
    struct vtd_pasid_entry_q1 q1 = { vtd_pasid_entry_q1_DEFINED };
    struct vtd_pasid_entry_q2 q2 = { vtd_pasid_entry_q2_DEFINED };
    bool no_ss = pgtt == VTD_PGTT_FS || pgtt == VTD_PGTT_PT;
    bool no_fs = pgtt == VTD_PGTT_SS || pgtt == VTD_PGTT_PT;

    q0 = vtd_pasid_entry_q0_set_ssade(
        q0, no_ss || (vtd_ecap_ssts(ecap) && vtd_ecap_ssads(ecap)));
    if (!no_ss) {
        q0.raw &= ~above_host(m);
        if (!vtd_ecap_ssts(ecap))
            q0 = vtd_pasid_entry_q0_set_ssptptr(
                vtd_pasid_entry_q0_set_aw(q0, 0), 0);
    }
    q1.raw &= UIM_MASK(15, 0); /* MTS is 0: no CD, EMTE, PAT */
    q1 = vtd_pasid_entry_q1_set_pwsnp(q1, vtd_ecap_smpwcs(ecap));
    q1 = vtd_pasid_entry_q1_set_pgsnp(q1, vtd_ecap_sc(ecap));
    q2 = vtd_pasid_entry_q2_set_sre(q2, vtd_ecap_srs(ecap));
    if (!no_fs) {
        q2 = vtd_pasid_entry_q2_set_eafe(q2, vtd_ecap_eafs(ecap));
        q2.raw &= ~above_host(m);
        if (!vtd_ecap_fsts(ecap))
            q2.raw &= UIM_BIT(0) | UIM_MASK(6, 5);
    }
    fields[0] = q0.raw;
    fields[1] = q1.raw;
    fields[2] = q2.raw;
}

static unsigned fetch_pasid_dir(struct mvtd *m, const struct mvtd_trip *t,
                                bool recheck, bool *fpd, uint64_t *table)
{
    struct vtd_ctx_scalable_q0 context = { t->context[0] };
    uint64_t at = (vtd_ctx_scalable_q0_pasiddirptr(context) << 12) +
                  (uint64_t)(t->pasid >> 6) * VTD_PASID_DIR_ENTRY_BYTES;
    struct vtd_pasid_dir dir;

    if (!fetch(m, at, &dir.raw, 1, recheck))
        return VTD_FR_SPD_1;
    *fpd = vtd_pasid_dir_fpd(dir);
    if (!vtd_pasid_dir_p(dir))
        return VTD_FR_SPD_2;
    if (dir.raw & (~vtd_pasid_dir_DEFINED | above_host(m)))
        return VTD_FR_SPD_3;
    *table = vtd_pasid_dir_smptblptr(dir) << 12;
    return 0;
}

static unsigned fetch_pasid(struct mvtd *m, const struct mvtd_trip *t,
                            bool recheck, struct mvtd_entry *out)
{
    uint64_t table, w[8], fields[3];
    unsigned reason = fetch_pasid_dir(m, t, recheck, &out->fpd, &table);
    struct vtd_pasid_entry_q0 q0;

    if (reason)
        return reason;
    if (!fetch(m, table + (uint64_t)(t->pasid & 63) * VTD_PASID_ENTRY_BYTES, w,
               8, recheck))
        return VTD_FR_SPT_1;
    for (unsigned i = 0; i < 3; i++)
        out->raw[i] = w[i];
    q0.raw = w[0];
    out->fpd |= vtd_pasid_entry_q0_fpd(q0);
    if (!vtd_pasid_entry_q0_p(q0))
        return VTD_FR_SPT_2;
    out->did =
        (uint16_t)vtd_pasid_entry_q1_did((struct vtd_pasid_entry_q1){ w[1] });
    pasid_entry_fields(m, vtd_pasid_entry_q0_pgtt(q0), fields);
    /* HPTS is 0 and HPTE with it, so words 4 and 5 are ignored (9.6). */
    if ((w[0] & ~fields[0]) | (w[1] & ~fields[1]) | (w[2] & ~fields[2]) | w[3] |
        w[6] | w[7])
        return VTD_FR_SPT_3;
    return 0;
}

unsigned mvtd_fetch_pasid(struct mvtd *m, const struct mvtd_trip *t,
                          bool recheck, struct mvtd_entry *out)
{
    *out = (struct mvtd_entry){ .reason = 0 };
    out->reason = (uint8_t)fetch_pasid(m, t, recheck, out);
    return out->reason;
}

/* ---- caches ------------------------------------------------------------------ */

static bool unreadable(unsigned reason)
{
    return reason == VTD_FR_LRT_1 || reason == VTD_FR_LCT_1 ||
           reason == VTD_FR_SRT_1 || reason == VTD_FR_SCT_1 ||
           reason == VTD_FR_SPD_1 || reason == VTD_FR_SPT_1;
}

/* With CM=1 entries that are not present or wrong may be cached (6.1). They have
 * no domain id that counts: 0 is their tag. */
static void cache_entry(struct mvtd *m, struct uim_cache *c, uint64_t sid,
                        uint32_t pasid, const struct mvtd_entry *entry)
{
    struct mvtd_entry_slot *s;

    if (!mvtd_caching(m) || unreadable(entry->reason) ||
        (entry->reason && !m->args.cm))
        return;
    s = uim_cache_add(c, mvtd_entry_hash(sid, pasid), sid, pasid);
    if (!s)
        return;
    s->pasid = pasid;
    s->entry = *entry;
    if (entry->reason)
        s->entry.did = 0;
}

static struct mvtd_entry *cached_entry(struct mvtd *m, struct uim_cache *c,
                                       uint64_t sid, uint32_t pasid)
{
    struct mvtd_entry_slot *s;

    if (!mvtd_caching(m))
        return NULL;
    s = uim_cache_find(c, mvtd_entry_hash(sid, pasid), sid, pasid);
    return s ? &s->entry : NULL;
}

static void find_context(struct mvtd *m, const struct mvtd_trip *t,
                         struct mvtd_entry *out)
{
    struct mvtd_entry *cached = cached_entry(m, &m->contexts, sid_of(t), 0);

    if (cached) {
        m->counter[MVTD_N_context_hits]++;
        *out = *cached;
        if (mvtd_looks(m, t))
            mvtd_check_context(m, t, out);
        return;
    }
    m->counter[MVTD_N_context_misses]++;
    mvtd_fetch_context(m, t, false, out);
    cache_entry(m, &m->contexts, sid_of(t), 0, out);
}

static void find_pasid(struct mvtd *m, const struct mvtd_trip *t,
                       struct mvtd_entry *out)
{
    struct mvtd_entry *cached =
        cached_entry(m, &m->pasids, sid_of(t), t->pasid);

    if (cached) {
        m->counter[MVTD_N_pasid_hits]++;
        *out = *cached;
        if (mvtd_looks(m, t))
            mvtd_check_pasid(m, t, out);
        return;
    }
    m->counter[MVTD_N_pasid_misses]++;
    mvtd_fetch_pasid(m, t, false, out);
    cache_entry(m, &m->pasids, sid_of(t), t->pasid, out);
}

/* ---- what they say ------------------------------------------------------------- */

static bool aw_supported(const struct mvtd *m, uint64_t aw)
{
    return aw >= VTD_AW_39 && aw <= VTD_AW_57 &&
           (vtd_cap_sagaw(mvtd_cap(m)) & UIM_BIT(aw));
}

static void use_second_stage(struct mvtd *m, struct mvtd_trip *t, uint64_t aw,
                             uint64_t root)
{
    const struct vtd_ss_pte none = { 0 };
    unsigned bits = 30 + 9 * (unsigned)aw;

    t->kind = MVTD_SS;
    t->root = root << 12;
    t->input_bits = (uint8_t)(bits < m->args.bits ? bits : m->args.bits);
    t->walk = (struct uim_walk_params){
        .format = &uim_walk_vtd_ss,
        .page_sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30),
        .unreserved = vtd_ss_pte_set_snp(none, 1).raw, /* ECAP.SC is 1 */
        .top = (uint8_t)(aw + 1),
        .phys_bits = m->haw,
    };
}

static void use_first_stage(struct mvtd *m, struct mvtd_trip *t,
                            struct vtd_pasid_entry_q2 q2)
{
    t->kind = MVTD_FS;
    t->reasons = &fs_reasons;
    t->root = vtd_pasid_entry_q2_fsptptr(q2) << 12;
    t->wpe = vtd_pasid_entry_q2_wpe(q2);
    t->walk = (struct uim_walk_params){
        .format = &uim_walk_vtd_fs,
        .page_sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30), /* FS1GP */
        .top = vtd_pasid_entry_q2_fspm(q2) == VTD_FSPM_FIVE_LEVEL ? 4 : 3,
        .phys_bits = m->haw,
    };
}

static unsigned use_context_legacy(struct mvtd *m, struct mvtd_trip *t)
{
    struct vtd_ctx_legacy_lo lo = { t->context[0] };
    struct vtd_ctx_legacy_hi hi = { t->context[1] };
    uint64_t tt = vtd_ctx_legacy_lo_tt(lo);

    if (!aw_supported(m, vtd_ctx_legacy_hi_aw(hi)) || tt > VTD_TT_PASSTHROUGH ||
        (tt == VTD_TT_ATS && !m->args.dt))
        return VTD_FR_LCT_4;
    if ((t->req->flags & (UIM_MODEL_ATS | UIM_MODEL_XLATED)) &&
        tt != VTD_TT_ATS)
        return VTD_FR_LCT_5;
    t->did = (uint16_t)vtd_ctx_legacy_hi_did(hi);
    t->walk_snooped = vtd_ecap_c(mvtd_ecap(m));
    use_second_stage(m, t, vtd_ctx_legacy_hi_aw(hi),
                     vtd_ctx_legacy_lo_ssptptr(lo));
    t->reasons = &legacy_reasons;
    if (tt == VTD_TT_PASSTHROUGH)
        t->kind = MVTD_PT;
    return 0;
}

/* 43h to 49h of 3.14. ECAP.PTRS is 0, so EPTR is too. */
static unsigned use_context_scalable(struct mvtd_trip *t)
{
    struct vtd_ctx_scalable_q0 q0 = { t->context[0] };
    struct vtd_ctx_scalable_q1 q1 = { t->context[1] };
    uint32_t rid_pasid = (uint32_t)vtd_ctx_scalable_q1_rid_pasid(q1);
    uint32_t limit = UINT32_C(1) << (vtd_ctx_scalable_q0_pdts(q0) + 13);
    bool ats = t->req->flags & (UIM_MODEL_ATS | UIM_MODEL_XLATED);
    bool translated = t->req->flags & UIM_MODEL_XLATED;

    if (rid_pasid >= limit ||
        (vtd_ctx_scalable_q0_pre(q0) && !vtd_ctx_scalable_q0_dte(q0)))
        return VTD_FR_SCT_4;
    if (ats && !vtd_ctx_scalable_q0_dte(q0))
        return VTD_FR_SCT_5;
    if (t->pages && !vtd_ctx_scalable_q0_pre(q0))
        return VTD_FR_SCT_8;
    t->pasid = rid_pasid;
    if (!mvtd_has_pasid(t->req))
        return 0;
    if (!vtd_ctx_scalable_q0_paside(q0) && !translated)
        return VTD_FR_SCT_6;
    if (t->req->pasid >= limit)
        return VTD_FR_SCT_7;
    if (t->req->pasid == rid_pasid)
        return VTD_FR_SCT_9;
    if (translated)
        return VTD_FR_SCT_10;
    t->pasid = t->req->pasid;
    return 0;
}

static bool pgtt_supported(const struct mvtd *m, uint64_t pgtt, uint64_t aw,
                           uint64_t fspm)
{
    struct vtd_ecap ecap = mvtd_ecap(m);

    switch (pgtt) {
    case VTD_PGTT_FS:
        return vtd_ecap_fsts(ecap) &&
               (fspm == VTD_FSPM_FOUR_LEVEL ||
                (fspm == VTD_FSPM_FIVE_LEVEL && vtd_cap_fs5lp(mvtd_cap(m))));
    case VTD_PGTT_SS:
        return vtd_ecap_ssts(ecap) && aw_supported(m, aw);
    default: /* NEST is 0 */
        return pgtt == VTD_PGTT_PT;
    }
}

static unsigned use_pasid(struct mvtd *m, struct mvtd_trip *t,
                          const struct mvtd_entry *e)
{
    struct vtd_pasid_entry_q0 q0 = { e->raw[0] };
    struct vtd_pasid_entry_q1 q1 = { e->raw[1] };
    struct vtd_pasid_entry_q2 q2 = { e->raw[2] };
    uint64_t pgtt = vtd_pasid_entry_q0_pgtt(q0);
    uint64_t aw = vtd_pasid_entry_q0_aw(q0);

    if (!pgtt_supported(m, pgtt, aw, vtd_pasid_entry_q2_fspm(q2)))
        return VTD_FR_SPT_4;
    if (mvtd_has_pasid(t->req) && (t->req->access & UIM_MODEL_X))
        return VTD_FR_SPT_5;
    if (t->priv && !vtd_pasid_entry_q2_sre(q2))
        return VTD_FR_SPT_6;
    t->did = e->did;
    t->walk_snooped = vtd_pasid_entry_q1_pwsnp(q1);
    t->page_snooped = vtd_pasid_entry_q1_pgsnp(q1);
    t->reasons = &ss_reasons;
    t->kind = MVTD_PT;
    if (pgtt == VTD_PGTT_FS)
        use_first_stage(m, t, q2);
    else if (pgtt == VTD_PGTT_SS)
        use_second_stage(m, t, aw, vtd_pasid_entry_q0_ssptptr(q0));
    return 0;
}

/* Steps 1 to 3: the mode, and whether this kind of request goes with it. */
static unsigned check_mode(const struct mvtd *m, struct mvtd_trip *t)
{
    struct vtd_ecap ecap = mvtd_ecap(m);

    switch (vtd_rtaddr_ttm(m->root)) {
    case VTD_TTM_LEGACY:
        if (t->pages)
            return VTD_FR_RTA_3;
        return mvtd_has_pasid(t->req) ? VTD_FR_RTA_2 : 0;
    case VTD_TTM_SCALABLE:
        t->scalable = true;
        if (!vtd_ecap_smts(ecap))
            return VTD_FR_RTA_1;
        if (mvtd_has_pasid(t->req) && t->req->pasid >> MVTD_PASID_BITS)
            return VTD_FR_SGN_10;
        return 0;
    case VTD_TTM_ABORT:
        return vtd_ecap_adms(ecap) ? VTD_FR_RTA_4 : VTD_FR_RTA_1;
    default:
        return VTD_FR_RTA_1;
    }
}

unsigned mvtd_locate(struct mvtd *m, struct mvtd_trip *t)
{
    unsigned reason = check_mode(m, t);
    struct mvtd_entry e;

    if (reason)
        return reason;
    find_context(m, t, &e);
    t->fpd |= e.fpd;
    for (unsigned i = 0; i < 4; i++)
        t->context[i] = e.raw[i];
    if (e.reason)
        return e.reason;
    if (!t->scalable)
        return use_context_legacy(m, t);
    reason = use_context_scalable(t);
    if (reason)
        return reason;
    find_pasid(m, t, &e);
    t->fpd |= e.fpd;
    return e.reason ? e.reason : use_pasid(m, t, &e);
}
