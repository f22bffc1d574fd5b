/* SPDX-License-Identifier: MIT */
/*
 * One transaction from end to end: translation off, ATS (3.9), then tables.c to
 * find out what applies, walk.c to find the page, and the answer.
 */
#include "model/smmuv3/smmuv3.h"

static bool is_ats(const struct uim_model_req *req)
{
    return req->flags & UIM_MODEL_ATS;
}

static bool is_translated(const struct uim_model_req *req)
{
    return req->flags & UIM_MODEL_XLATED;
}

/* ---- refusals ---------------------------------------------------------------------- */

/* 3.9.1.2: what a translation request is answered that comes to this event. */
static int ats_answer(unsigned event)
{
    switch (event) {
    case SMMUV3_EVT_F_TRANSLATION:
    case SMMUV3_EVT_F_ADDR_SIZE:
    case SMMUV3_EVT_F_ACCESS:
        return 0; /* success without rights; the device may ask via PRI */
    case SMMUV3_EVT_F_UUT:
    case SMMUV3_EVT_F_BAD_ATS_TREQ:
    case MSMMU_SILENT:
        return UIM_MODEL_UR;
    default:
        return UIM_MODEL_CA;
    }
}

static int refuse(struct msmmu *m, const struct msmmu_trip *t, unsigned event)
{
    int answer = is_ats(t->req) ? ats_answer(event) : UIM_MODEL_UR;

    if (!t->speculative)
        m->counter[MSMMU_N_faults]++;
    if (event != MSMMU_SILENT && answer != 0)
        msmmu_event(m, t, event);
    return answer;
}

/* ---- answers ----------------------------------------------------------------------- */

/* Rights that may be kept: no W while a write would have to set dirty state. */
static uint32_t kept_rights(const struct msmmu_trip *t,
                            const struct msmmu_leaf *leaf)
{
    uint32_t perm = msmmu_rights(t, leaf);

    if (leaf->clean || leaf->clean2)
        perm &= ~(uint32_t)UIM_MODEL_W;
    if (is_ats(t->req) && !(t->req->access & UIM_MODEL_W))
        perm &= ~(uint32_t)UIM_MODEL_W; /* NW */
    if (is_ats(t->req) && !msmmu_has_ssid(t->req))
        perm &= ~(uint32_t)UIM_MODEL_X; /* there is no such bit */
    return perm == 0 ? 0 : perm | (t->req->access & UIM_MODEL_PRIV);
}

static void answer(struct msmmu *m, const struct msmmu_trip *t,
                   const struct msmmu_leaf *leaf, struct uim_model_xlat *out)
{
    bool tagged = t->s1.on && t->s1.tbi;

    out->mask = UIM_BIT(leaf->lg2) - 1;
    out->gpa = leaf->out;
    out->perm = kept_rights(t, leaf);
    out->domain = (uint32_t)t->vmid << 16 | (t->s1.on ? t->asid : 0);
    if (is_ats(t->req) && leaf->global && msmmu_has_ssid(t->req))
        out->flags |= UIM_MODEL_XLAT_GLOBAL;
    m->gave_wide |= leaf->global || tagged;
}

/* The same address, whatever it is asked for. */
static int answer_identity(struct msmmu *m, const struct msmmu_trip *t,
                           struct uim_model_xlat *out)
{
    uint64_t block = uim_align_down(t->req->iova, UIM_BIT(30));
    struct msmmu_leaf leaf = {
        .out = block, .lg2 = 30, .rights = MSMMU_RIGHTS, .rights2 = MSMMU_RIGHTS
    };

    if (t->req->iova >> m->args.oas != 0)
        return refuse(m, t, MSMMU_SILENT);
    answer(m, t, &leaf, out);
    return 0;
}

/* ---- one transaction ------------------------------------------------------------- */

/* SMMUEN is 0 (3.11, 6.3.14). */
static int translate_off(struct msmmu *m, const struct msmmu_trip *t,
                         struct uim_model_xlat *out)
{
    struct smmuv3_gbpa gbpa = { m->reg.gbpa };

    if (is_ats(t->req))
        return refuse(m, t, SMMUV3_EVT_F_BAD_ATS_TREQ);
    if (is_translated(t->req))
        return refuse(m, t, SMMUV3_EVT_F_TRANSL_FORBIDDEN);
    if (smmuv3_gbpa_abort(gbpa))
        return refuse(m, t, MSMMU_SILENT);
    return answer_identity(m, t, out);
}

/* 3.9.1.3: only the stream is looked at, and that only with ATSCHK. */
static int pass_translated(struct msmmu *m, struct msmmu_trip *t,
                           struct uim_model_xlat *out)
{
    unsigned event = 0;

    if (smmuv3_cr0_atschk(msmmu_cr0(m)))
        event = msmmu_locate_ste(m, t);
    if (!event && smmuv3_cr0_atschk(msmmu_cr0(m)) && !msmmu_ats_on(m, t))
        event = SMMUV3_EVT_F_TRANSL_FORBIDDEN;
    return event ? refuse(m, t, event) : answer_identity(m, t, out);
}

static int translate_on(struct msmmu *m, struct msmmu_trip *t,
                        struct uim_model_xlat *out)
{
    unsigned event = msmmu_locate_ste(m, t);
    struct msmmu_leaf leaf;

    if (!event && is_ats(t->req) && !msmmu_ats_on(m, t))
        event = SMMUV3_EVT_F_BAD_ATS_TREQ;
    if (!event)
        event = msmmu_locate(m, t);
    if (!event)
        event = msmmu_find(m, t, &leaf);
    if (event && msmmu_stall(m, t, event, &out->tag)) {
        m->counter[MSMMU_N_faults]++;
        return UIM_MODEL_STALLED;
    }
    if (event)
        return refuse(m, t, event);
    answer(m, t, &leaf, out);
    return 0;
}

static int translate_locked(struct msmmu *m, struct msmmu_trip *t,
                            struct uim_model_xlat *out)
{
    const struct uim_model_req *req = t->req;

    *out = (struct uim_model_xlat){ .gpa = req->iova & ~UINT64_C(0xfff),
                                    .mask = 0xfff };
    if (is_ats(req) && is_translated(req)) /* AT=11b is reserved */
        return UIM_MODEL_UR;
    if ((is_ats(req) || is_translated(req)) && !m->args.ats)
        return refuse(m, t, SMMUV3_EVT_F_UUT);
    if (!smmuv3_cr0_smmuen(msmmu_cr0(m)))
        return translate_off(m, t, out);
    return is_translated(req) ? pass_translated(m, t, out)
                              : translate_on(m, t, out);
}

/* Translation requests are answered with the rights there are. */
static struct msmmu_trip trip_of(const struct uim_model_req *req)
{
    uint32_t all = UIM_MODEL_R | UIM_MODEL_W | UIM_MODEL_X;

    return (struct msmmu_trip){
        .req = req,
        .want = is_ats(req) ? 0 : req->access & all,
        .priv = msmmu_has_ssid(req) && (req->access & UIM_MODEL_PRIV),
        .fault = { .class = SMMUV3_CLASS_IN },
    };
}

int msmmu_translate(struct uim_model *model, const struct uim_model_req *req,
                    struct uim_model_xlat *out)
{
    struct msmmu *m = msmmu_of(model);
    struct msmmu_trip t = trip_of(req);
    int r;

    uim_unit_lock(model);
    m->counter[MSMMU_N_translations]++;
    if (msmmu_adversarial(m) && !is_translated(req))
        uim_unit_remember(model, req);
    r = translate_locked(m, &t, out);
    uim_unit_unlock(model);
    return r;
}

bool msmmu_would_pass(struct msmmu *m, const struct uim_model_req *req)
{
    struct msmmu_trip t = trip_of(req);
    struct uim_model_xlat unused;

    t.speculative = true;
    return translate_locked(m, &t, &unused) == 0;
}

void msmmu_prefetch(struct msmmu *m)
{
    struct uim_model_xlat unused;

    if (!msmmu_adversarial(m) || m->base.check.bypass_caches)
        return;
    for (unsigned i = 0; i < uim_unit_recent(&m->base); i++) {
        struct msmmu_trip t = trip_of(&m->base.unit.recent[i]);

        t.speculative = true;
        t.want = 0;
        translate_locked(m, &t, &unused);
    }
}
