/* SPDX-License-Identifier: MIT */
/*
 * Page walks (3.6, 3.7): steps 13 to 15 of a translation, paging-structure
 * caches, accessed and dirty bits of the first stage.
 */
#include "model/vtd/vtd.h"

enum {
    ATTEMPTS = 4, /* software may change an entry while its A bit is set */
    LINE_WORDS = 8,
    RETRY = 0x100 /* no reason */
};

/* What was read on the way down. */
struct descent {
    uint64_t phys[UIM_WALK_LEVELS], raw[UIM_WALK_LEVELS];
    struct uim_walk_entry entry[UIM_WALK_LEVELS]; /* rights: ANDed so far */
    unsigned from, level; /* first and last level read                       */
};

static bool speculative(const struct mvtd_trip *t)
{
    return t->speculative || (t->req->flags & UIM_MODEL_PROBE);
}

static bool read_entry(struct mvtd *m, const struct mvtd_trip *t, uint64_t phys,
                       uint64_t *raw)
{
    m->counter[MVTD_N_walk_fetches]++;
    return uim_door_read(&m->base, phys, raw, 1, t->walk_snooped, false);
}

static void restrict_to(struct uim_walk_entry *e,
                        const struct uim_walk_entry *above)
{
    e->read &= above->read;
    e->write &= above->write;
    e->user &= above->user;
}

/* Where a walk starts: behind the lowest cached entry, or at the root. */
static uint64_t first_table(struct mvtd *m, const struct mvtd_trip *t,
                            struct descent *d, struct uim_walk_entry *above)
{
    const struct mvtd_walk_slot *s = mvtd_walk_find(m, t);

    if (!s) {
        d->from = t->walk.top;
        *above = (struct uim_walk_entry){ .read = true,
                                          .write = true,
                                          .user = true };
        return t->root;
    }
    m->counter[MVTD_N_walk_cache_hits]++;
    if (mvtd_looks(m, t))
        mvtd_check_walk(m, t, s);
    d->from = s->level - 1u;
    *above = (struct uim_walk_entry){ .read = s->read,
                                      .write = s->write,
                                      .user = s->user };
    return s->table;
}

/* 0: d->level holds a leaf or a hole. Else the reason. */
static unsigned descend(struct mvtd *m, const struct mvtd_trip *t,
                        struct descent *d)
{
    struct uim_walk_entry above;
    uint64_t table = first_table(m, t, d, &above);

    for (d->level = d->from;; d->level--) {
        unsigned n = d->level;
        struct uim_walk_entry *e = &d->entry[n];

        d->phys[n] = table + uim_walk_offset(&t->walk, n, t->req->iova);
        if (!read_entry(m, t, d->phys[n], &d->raw[n]))
            return n == t->walk.top ? t->reasons->top : t->reasons->fetch;
        *e = uim_walk_decode(&t->walk, n, d->raw[n]);
        if (e->kind == UIM_WALK_RESERVED)
            return t->reasons->reserved;
        if (e->kind == UIM_WALK_HOLE)
            return t->kind == MVTD_FS ? t->reasons->hole : 0;
        restrict_to(e, &above);
        if (t->kind == MVTD_FS && !e->user && !t->priv)
            return t->reasons->user;
        if (e->kind == UIM_WALK_LEAF || n == 0)
            return 0;
        if (!e->read && !e->write)
            return 0; /* whatever is below: as a hole */
        above = *e;
        table = e->address;
    }
}

bool mvtd_leaf_snoop(const struct mvtd *m, const struct mvtd_trip *t,
                     uint64_t raw)
{
    if (t->page_snooped || !vtd_ecap_sc(mvtd_ecap(m)))
        return t->page_snooped;
    return t->kind == MVTD_SS && vtd_ss_pte_snp((struct vtd_ss_pte){ raw });
}

static void leaf_of(const struct mvtd *m, const struct mvtd_trip *t,
                    const struct uim_walk_entry *e, uint64_t raw,
                    struct mvtd_leaf *leaf)
{
    *leaf =
        (struct mvtd_leaf){ .lg2 = MVTD_PAGE_LG2, .kind = (uint8_t)t->kind };
    if (e->kind != UIM_WALK_LEAF || (!e->read && !e->write))
        return; /* a hole has no rights */
    leaf->gpa = e->address;
    leaf->lg2 = e->lg2;
    leaf->read = e->read;
    leaf->write = e->write;
    leaf->user = e->user;
    leaf->dirty = e->dirty;
    leaf->snoop = mvtd_leaf_snoop(m, t, raw);
}

/* ---- accessed and dirty (3.6.2) -------------------------------------------- */

static bool sets_dirty(const struct mvtd_trip *t, const struct mvtd_leaf *leaf)
{
    uint32_t asked = t->want;

    /* An ATS answer with W lets the device write later, unseen. */
    if (t->req->flags & UIM_MODEL_ATS)
        asked = t->req->access;
    return (asked & UIM_MODEL_W) && (mvtd_rights(t, leaf) & UIM_MODEL_W);
}

/* Sets bits of the entry at a level that are not set yet. */
static unsigned set_bits(struct mvtd *m, const struct mvtd_trip *t,
                         struct descent *d, unsigned level, uint64_t bits)
{
    int swapped;

    if ((d->raw[level] & bits) == bits)
        return 0;
    if (!t->walk_snooped)
        return VTD_FR_SFS_9;
    if (speculative(t))
        return 0;
    swapped = uim_door_cas(&m->base, d->phys[level], d->raw[level],
                           d->raw[level] | bits, true);
    if (swapped < 0)
        return VTD_FR_SFS_10;
    if (swapped == 0)
        return RETRY;
    d->raw[level] |= bits;
    return 0;
}

static unsigned set_used(struct mvtd *m, const struct mvtd_trip *t,
                         struct descent *d, struct mvtd_leaf *leaf)
{
    uint64_t dirty = sets_dirty(t, leaf) ? t->walk.format->dirty : 0;
    unsigned reason = 0;

    for (unsigned n = d->from; !reason && n > d->level; n--)
        reason = set_bits(m, t, d, n, t->walk.format->accessed);
    if (!reason)
        reason = set_bits(m, t, d, d->level, t->walk.format->accessed | dirty);
    leaf->dirty = d->raw[d->level] & t->walk.format->dirty;
    return reason;
}

/* ---- caches ------------------------------------------------------------------- */

/* First-stage entries are cached once their A bit is set: nobody would set it
 * later. */
static bool cacheable(const struct mvtd_trip *t, uint64_t raw)
{
    return t->kind != MVTD_FS || (raw & t->walk.format->accessed);
}

/* False: some entry of the path may not be cached, so neither may the leaf. */
static bool keep_path(struct mvtd *m, const struct mvtd_trip *t,
                      const struct descent *d)
{
    for (unsigned n = d->from; n > d->level; n--) {
        unsigned lg2 = uim_walk_shift(&t->walk, n);
        struct mvtd_walk_slot slot = {
            .iova = uim_align_down(t->req->iova, UIM_BIT(lg2)),
            .table = d->entry[n].address,
            .raw = d->raw[n],
            .pasid = t->pasid,
            .did = t->did,
            .level = (uint8_t)n,
            .lg2 = (uint8_t)lg2,
            .fs = t->kind == MVTD_FS,
            .read = d->entry[n].read,
            .write = d->entry[n].write,
            .user = d->entry[n].user,
        };

        if (!cacheable(t, d->raw[n]))
            return false;
        mvtd_walk_add(m, &slot);
    }
    return true;
}

/* Hardware may keep the other entries of the line that it fetched. */
static void keep_line(struct mvtd *m, const struct mvtd_trip *t,
                      const struct descent *d)
{
    uint64_t raw[LINE_WORDS];
    uint64_t line = uim_align_down(d->phys[0], sizeof(raw));
    uint64_t iova = uim_align_down(t->req->iova, sizeof(raw) / 8 << 12);

    if (!uim_door_read(&m->base, line, raw, LINE_WORDS, t->walk_snooped, false))
        return;
    for (unsigned i = 0; i < LINE_WORDS; i++, iova += 4096) {
        struct uim_walk_entry e = uim_walk_decode(&t->walk, 0, raw[i]);
        struct mvtd_leaf leaf;

        if (e.kind != UIM_WALK_LEAF || !cacheable(t, raw[i]) ||
            iova == uim_align_down(t->req->iova, 4096))
            continue;
        if (d->from > 0)
            restrict_to(&e, &d->entry[1]);
        leaf_of(m, t, &e, raw[i], &leaf);
        if (leaf.read || leaf.write || m->args.cm)
            mvtd_tlb_add(m, t, iova, &leaf);
    }
}

static void keep_leaf(struct mvtd *m, const struct mvtd_trip *t,
                      const struct descent *d, const struct mvtd_leaf *leaf)
{
    bool hole = !leaf->read && !leaf->write;

    if ((hole && !m->args.cm) || !cacheable(t, d->raw[d->level]))
        return;
    mvtd_tlb_add(m, t, t->req->iova, leaf);
    if (t->kind == MVTD_FS)
        m->fs_dids[t->did >> 6] |= UIM_BIT(t->did & 63);
    if (mvtd_adversarial(m) && d->level == 0 && d->from > 0 && mvtd_caching(m))
        keep_line(m, t, d);
}

/* With CM=1 a wrong entry may be cached as well, but not of the first stage. */
static void keep_failure(struct mvtd *m, const struct mvtd_trip *t,
                         unsigned reason)
{
    struct mvtd_leaf leaf = { .lg2 = MVTD_PAGE_LG2,
                              .kind = (uint8_t)t->kind,
                              .reason = (uint8_t)reason };

    if (m->args.cm && t->kind == MVTD_SS && reason == t->reasons->reserved)
        mvtd_tlb_add(m, t, t->req->iova, &leaf);
}

static unsigned walk_once(struct mvtd *m, const struct mvtd_trip *t,
                          struct mvtd_leaf *leaf)
{
    struct descent d = { .from = 0 };
    unsigned reason = descend(m, t, &d);

    if (reason) {
        keep_path(m, t, &d);
        keep_failure(m, t, reason);
        return reason;
    }
    leaf_of(m, t, &d.entry[d.level], d.raw[d.level], leaf);
    reason = mvtd_permit(t, leaf);
    if (!reason && t->kind == MVTD_FS)
        reason = set_used(m, t, &d, leaf);
    if (keep_path(m, t, &d))
        keep_leaf(m, t, &d, leaf);
    return reason;
}

unsigned mvtd_walk(struct mvtd *m, struct mvtd_trip *t, struct mvtd_leaf *leaf)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        unsigned reason = walk_once(m, t, leaf);

        if (reason != RETRY)
            return reason;
    }
    return VTD_FR_SFS_10;
}

struct again {
    const struct mvtd *m;
    const struct mvtd_trip *t;
};

static bool read_again(void *ctx, uint64_t phys, uint64_t *value)
{
    const struct again *a = ctx;

    return uim_door_read(&a->m->base, phys, value, 1, a->t->walk_snooped, true);
}

void mvtd_walk_again(struct mvtd *m, const struct mvtd_trip *t,
                     struct uim_walk_result *out)
{
    struct again a = { m, t };

    uim_walk(&t->walk, read_again, &a, t->root, t->req->iova, out);
}
