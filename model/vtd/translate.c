/* SPDX-License-Identifier: MIT */
/*
 * One request from end to end (3.14, 4.2): the interrupt window, translation
 * off, then tables.c to find out what applies, the IOTLB or walk.c to find the
 * page, and the answer.
 */
#include "model/vtd/vtd.h"

static bool is_ats(const struct uim_model_req *req)
{
    return req->flags & UIM_MODEL_ATS;
}

static bool is_translated(const struct uim_model_req *req)
{
    return req->flags & UIM_MODEL_XLATED;
}

uint32_t mvtd_rights(const struct mvtd_trip *t, const struct mvtd_leaf *leaf)
{
    bool write = leaf->write;

    /* 3.6.1: supervisor writes to read-only pages, unless WPE. */
    if (leaf->kind == MVTD_FS && t->priv && !t->wpe)
        write = true;
    return (leaf->read ? (uint32_t)UIM_MODEL_R : 0) |
           (write ? (uint32_t)UIM_MODEL_W : 0);
}

unsigned mvtd_permit(const struct mvtd_trip *t, const struct mvtd_leaf *leaf)
{
    uint32_t rights = mvtd_rights(t, leaf);
    bool none = !leaf->read && !leaf->write;

    if (leaf->reason)
        return leaf->reason;
    if (leaf->kind == MVTD_FS && !leaf->user && !t->priv)
        return t->reasons->user ? t->reasons->user : VTD_FR_SGN_2;
    if (none && t->reasons->hole)
        return t->reasons->hole;
    if (is_ats(t->req))
        return 0; /* answered with the rights there are */
    if (t->want & ~rights & UIM_MODEL_W)
        return t->reasons->write;
    if ((t->want & ~rights & UIM_MODEL_R) || none)
        return t->reasons->read;
    return 0;
}

struct mvtd_leaf mvtd_identity(const struct mvtd_trip *t)
{
    return (struct mvtd_leaf){ .gpa = uim_align_down(t->req->iova, UIM_BIT(30)),
                               .lg2 = 30,
                               .kind = MVTD_PT,
                               .read = true,
                               .write = true,
                               .user = true,
                               .dirty = true,
                               .snoop = t->page_snooped };
}

static bool touches_window(uint64_t base, unsigned lg2)
{
    return base < MVTD_MSI_BASE + MVTD_MSI_LEN &&
           base + UIM_BIT(lg2) > MVTD_MSI_BASE;
}

/* A page that holds the interrupt window must not be kept as a whole: neither
 * where it leads there, nor where it would hide it. */
static unsigned answer_lg2(const struct mvtd_trip *t,
                           const struct mvtd_leaf *leaf, uint64_t gpa)
{
    unsigned lg2 = leaf->lg2;
    bool hides = !mvtd_has_pasid(t->req);

    while (lg2 > MVTD_PAGE_LG2 &&
           (touches_window(uim_align_down(gpa, UIM_BIT(lg2)), lg2) ||
            (hides &&
             touches_window(uim_align_down(t->req->iova, UIM_BIT(lg2)), lg2))))
        lg2 -= 9;
    return lg2;
}

/* Rights that may be kept: no W while a write would have to set D. */
static uint32_t kept_rights(const struct mvtd_trip *t,
                            const struct mvtd_leaf *leaf)
{
    uint32_t perm = mvtd_rights(t, leaf);

    if (leaf->kind == MVTD_FS && !leaf->dirty)
        perm &= ~(uint32_t)UIM_MODEL_W;
    if (is_ats(t->req) && !(t->req->access & UIM_MODEL_W))
        perm &= ~(uint32_t)UIM_MODEL_W; /* NW, and ECAP.NWFS is 1 */
    /* VT-d knows no right to execute without PASID (3.6.1). */
    if ((perm & UIM_MODEL_R) && !mvtd_has_pasid(t->req))
        perm |= UIM_MODEL_X;
    return perm == 0 ? 0 : perm | (t->req->access & UIM_MODEL_PRIV);
}

static void answer(const struct mvtd_trip *t, const struct mvtd_leaf *leaf,
                   struct uim_model_xlat *out)
{
    uint64_t offset = t->req->iova & (UIM_BIT(leaf->lg2) - 1);
    unsigned lg2 = answer_lg2(t, leaf, leaf->gpa + offset);

    out->mask = UIM_BIT(lg2) - 1;
    out->gpa = (leaf->gpa + offset) & ~out->mask;
    out->perm = kept_rights(t, leaf);
    out->domain = t->did;
    if (is_ats(t->req) && leaf->snoop && out->perm)
        out->flags |= UIM_MODEL_XLAT_NOSNOOP;
}

/* Steps 12 to 15. */
static unsigned find_page(struct mvtd *m, struct mvtd_trip *t,
                          struct mvtd_leaf *leaf)
{
    struct mvtd_tlb_slot *s = mvtd_tlb_find(m, t);
    uint32_t asked = is_ats(t->req) ? t->req->access : t->want;

    if (s && s->leaf.kind == MVTD_FS && t->kind == MVTD_FS && !s->leaf.dirty &&
        (asked & UIM_MODEL_W) && (mvtd_rights(t, &s->leaf) & UIM_MODEL_W))
        s = NULL; /* D has to be set by a walk */
    if (s) {
        m->counter[MVTD_N_iotlb_hits]++;
        if (mvtd_looks(m, t))
            mvtd_check_tlb(m, t, s);
        *leaf = s->leaf;
        return mvtd_permit(t, leaf);
    }
    m->counter[MVTD_N_iotlb_misses]++;
    if (t->kind != MVTD_PT)
        return mvtd_walk(m, t, leaf);
    *leaf = mvtd_identity(t);
    mvtd_tlb_add(m, t, t->req->iova, leaf);
    return mvtd_permit(t, leaf);
}

static bool above_host(const struct mvtd *m, uint64_t address)
{
    return address >> m->haw != 0;
}

/* Steps 10 to 12: is the address one that this mode can take? */
static unsigned check_input(const struct mvtd *m, const struct mvtd_trip *t)
{
    uint64_t iova = t->req->iova;

    if (is_translated(t->req) || t->kind == MVTD_PT) {
        if (above_host(m, iova))
            return t->reasons->host_width;
        return mvtd_in_window(iova) ? t->reasons->window : 0;
    }
    if (t->kind == MVTD_SS)
        return iova >> t->input_bits ? t->reasons->width : 0;
    return uim_walk_fits(&t->walk, iova) ? 0 : t->reasons->width;
}

static unsigned translate(struct mvtd *m, struct mvtd_trip *t,
                          struct uim_model_xlat *out)
{
    unsigned reason = check_input(m, t);
    struct mvtd_leaf leaf;

    if (reason)
        return reason;
    if (is_translated(t->req)) {
        leaf = mvtd_identity(t);
    } else {
        reason = find_page(m, t, &leaf);
        if (reason)
            return reason;
        if ((leaf.read || leaf.write) &&
            mvtd_in_window(leaf.gpa + (t->req->iova & (UIM_BIT(leaf.lg2) - 1))))
            return t->reasons->window;
        if (t->kind == MVTD_FS) /* whoever is told may keep it */
            m->fs_dids[t->did >> 6] |= UIM_BIT(t->did & 63);
    }
    answer(t, &leaf, out);
    return 0;
}

/* 3.13: a write is a message; nothing else is anything. */
static int answer_window(struct mvtd *m, const struct mvtd_trip *t,
                         struct uim_model_xlat *out)
{
    bool on = vtd_gsts_tes((struct vtd_gsts){ m->reg.gsts });

    if (t->want & UIM_MODEL_R)
        return on ? mvtd_fault(m, t, VTD_FR_IR_NOT_MSI) : UIM_MODEL_UR;
    out->gpa = MVTD_MSI_BASE;
    out->mask = MVTD_MSI_LEN - 1;
    out->perm = UIM_MODEL_W | (t->req->access & UIM_MODEL_PRIV);
    out->flags = UIM_MODEL_XLAT_MSI;
    return 0;
}

/* 4.2.3: messages are for untranslated writes. */
static void answer_ats_window(const struct mvtd_trip *t,
                              struct uim_model_xlat *out)
{
    out->gpa = MVTD_MSI_BASE;
    out->mask = MVTD_MSI_LEN - 1;
    if (t->req->access & UIM_MODEL_W) {
        out->perm = UIM_MODEL_W;
        out->flags = UIM_MODEL_XLAT_U;
    }
}

static struct mvtd_trip trip_of(const struct uim_model_req *req)
{
    struct mvtd_trip t = { .req = req,
                           .want = req->access & (UIM_MODEL_R | UIM_MODEL_W),
                           .priv = mvtd_has_pasid(req) &&
                                   (req->access & UIM_MODEL_PRIV) };

    if (req->access & UIM_MODEL_X)
        t.want |= UIM_MODEL_R;
    return t;
}

static int translate_off(const struct mvtd_trip *t, struct uim_model_xlat *out)
{
    struct mvtd_leaf leaf = mvtd_identity(t);

    if (is_ats(t->req) || is_translated(t->req))
        return UIM_MODEL_UR;
    answer(t, &leaf, out);
    out->perm = UIM_MODEL_R | UIM_MODEL_W | UIM_MODEL_X |
                (t->req->access & UIM_MODEL_PRIV);
    return 0;
}

static int translate_locked(struct mvtd *m, struct mvtd_trip *t,
                            struct uim_model_xlat *out)
{
    const struct uim_model_req *req = t->req;
    bool to_window = !mvtd_has_pasid(req) && mvtd_in_window(req->iova);
    unsigned reason;

    *out = (struct uim_model_xlat){ .gpa = req->iova & ~UINT64_C(0xfff),
                                    .mask = 0xfff };
    if (is_ats(req) && is_translated(req)) /* AT=11b is reserved */
        return UIM_MODEL_UR;
    if (to_window && !is_ats(req) && !is_translated(req))
        return answer_window(m, t, out);
    if (!vtd_gsts_tes((struct vtd_gsts){ m->reg.gsts }))
        return translate_off(t, out);
    reason = mvtd_locate(m, t);
    if (!reason && to_window && is_ats(req)) {
        answer_ats_window(t, out);
        return 0;
    }
    if (!reason)
        reason = translate(m, t, out);
    return reason ? mvtd_fault(m, t, reason) : 0;
}

int mvtd_translate(struct uim_model *model, const struct uim_model_req *req,
                   struct uim_model_xlat *out)
{
    struct mvtd *m = mvtd_of(model);
    struct mvtd_trip t = trip_of(req);
    int r;

    uim_unit_lock(&m->base);
    m->counter[MVTD_N_translations]++;
    if (mvtd_adversarial(m) && !is_translated(req))
        uim_unit_remember(&m->base, req);
    r = translate_locked(m, &t, out);
    uim_unit_unlock(&m->base);
    return r;
}

void mvtd_prefetch(struct mvtd *m)
{
    struct uim_model_xlat unused;

    if (!mvtd_adversarial(m) || !mvtd_caching(m))
        return;
    for (unsigned i = 0; i < uim_unit_recent(&m->base); i++) {
        struct mvtd_trip t = trip_of(&m->base.unit.recent[i]);

        t.speculative = true;
        t.want = 0;
        translate_locked(m, &t, &unused);
    }
    mvtd_prefetch_irtes(m);
}
