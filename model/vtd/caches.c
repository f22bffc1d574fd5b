/* SPDX-License-Identifier: MIT */
/*
 * The caches (6.2) and what each invalidation removes from them (6.5.2).
 *
 *     cache     found by                         commands
 *     contexts  source id                        cc_inv
 *     pasids    source id, PASID                 pc_inv
 *     tlb       domain, PASID, page              iotlb_inv, p_iotlb_inv
 *     walks     domain, (FS: PASID,) level, span iotlb_inv, p_iotlb_inv
 *     irtes     index                            iec_inv
 *
 * In legacy mode the PASID in a tag is 0. Entries remove no others: a command
 * that software forgot is forgotten here too, and that is the point.
 */
#include "model/vtd/vtd.h"

#include "base/mem.h"

struct size {
    uint16_t sets, ways;
};

/* What adversarial caches lose for want of room is nothing in a test. */
static const struct {
    struct size contexts, pasids, tlb, walks, irtes;
} sizes[] = {
    [MVTD_CACHE_NORMAL] = { { 64, 4 },
                            { 64, 4 },
                            { 512, 4 },
                            { 64, 4 },
                            { 64, 4 } },
    [MVTD_CACHE_NONE] = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } },
    [MVTD_CACHE_ADVERSARIAL] = { { 256, 16 },
                                 { 256, 16 },
                                 { 1024, 16 },
                                 { 256, 16 },
                                 { 256, 16 } },
};

static bool make(struct mvtd *m, struct uim_cache *c, struct size size,
                 size_t slot_size)
{
    return uim_cache_create(c, m->base.host, size.sets, size.ways,
                            (uint32_t)slot_size);
}

bool mvtd_caches_create(struct mvtd *m)
{
    uint64_t mode = m->args.cache;

    if (make(m, &m->contexts, sizes[mode].contexts,
             sizeof(struct mvtd_entry_slot)) &&
        make(m, &m->pasids, sizes[mode].pasids,
             sizeof(struct mvtd_entry_slot)) &&
        make(m, &m->tlb, sizes[mode].tlb, sizeof(struct mvtd_tlb_slot)) &&
        make(m, &m->walks, sizes[mode].walks, sizeof(struct mvtd_walk_slot)) &&
        make(m, &m->irtes, sizes[mode].irtes, sizeof(struct mvtd_irte_slot)))
        return true;
    mvtd_caches_destroy(m);
    return false;
}

void mvtd_caches_destroy(struct mvtd *m)
{
    const struct uim_model_host *host = m->base.host;

    uim_cache_destroy(&m->contexts, host);
    uim_cache_destroy(&m->pasids, host);
    uim_cache_destroy(&m->tlb, host);
    uim_cache_destroy(&m->walks, host);
    uim_cache_destroy(&m->irtes, host);
}

void mvtd_caches_clear_dma(struct mvtd *m)
{
    uim_cache_drop(&m->contexts, NULL, NULL);
    uim_cache_drop(&m->pasids, NULL, NULL);
    uim_cache_drop(&m->tlb, NULL, NULL);
    uim_cache_drop(&m->walks, NULL, NULL);
    m->tlb_sizes = 0;
}

void mvtd_caches_clear(struct mvtd *m)
{
    mvtd_caches_clear_dma(m);
    uim_cache_drop(&m->irtes, NULL, NULL);
}

/* ---- tags ------------------------------------------------------------------ */

uint64_t mvtd_entry_hash(uint64_t sid, uint64_t pasid)
{
    return sid ^ pasid << 16;
}

uint64_t mvtd_irte_hash(uint64_t index, uint64_t unused)
{
    (void)unused;
    return index;
}

/* PASIDs are no part of the hash, so that one iotlb_inv finds all of a page. */
static uint64_t page_hash(uint64_t page, uint16_t did)
{
    return page ^ (uint64_t)did << 32;
}

uint64_t mvtd_walk_hash(uint64_t tag0, uint64_t tag1)
{
    return tag0 ^ tag1 << 16 ^ tag1 >> 16;
}

static uint64_t tlb_tag0(uint64_t iova, unsigned lg2)
{
    return uim_align_down(iova, UIM_BIT(lg2)) | lg2;
}

static uint64_t tlb_tag1(uint16_t did, uint32_t pasid)
{
    return (uint64_t)pasid << 32 | did;
}

uint64_t mvtd_tlb_hash(uint64_t tag0, uint64_t tag1)
{
    return page_hash(tag0, (uint16_t)tag1);
}

struct mvtd_tlb_slot *mvtd_tlb_find(struct mvtd *m, const struct mvtd_trip *t)
{
    uint64_t tag1 = tlb_tag1(t->did, t->pasid);

    if (!mvtd_caching(m))
        return NULL;
    for (uint64_t left = m->tlb_sizes; left != 0; left &= left - 1) {
        uint64_t tag0 = tlb_tag0(t->req->iova, uim_ctz(left));
        struct mvtd_tlb_slot *s =
            uim_cache_find(&m->tlb, page_hash(tag0, t->did), tag0, tag1);

        if (s)
            return s;
    }
    return NULL;
}

void mvtd_tlb_add(struct mvtd *m, const struct mvtd_trip *t, uint64_t iova,
                  const struct mvtd_leaf *leaf)
{
    uint64_t tag0 = tlb_tag0(iova, leaf->lg2);
    struct mvtd_tlb_slot *s;

    if (!mvtd_caching(m))
        return;
    s = uim_cache_add(&m->tlb, page_hash(tag0, t->did), tag0,
                      tlb_tag1(t->did, t->pasid));
    if (!s)
        return;
    s->iova = uim_align_down(iova, UIM_BIT(leaf->lg2));
    s->did = t->did;
    s->pasid = t->pasid;
    s->leaf = *leaf;
    m->tlb_sizes |= UIM_BIT(leaf->lg2);
}

static uint64_t walk_tag1(bool fs, unsigned level, uint16_t did, uint32_t pasid)
{
    /* Second-stage tables belong to the domain, whatever the PASID. */
    return (uint64_t)(fs ? pasid : 0) << 32 | (uint64_t)fs << 31 |
           (uint64_t)level << 16 | did;
}

/* The lowest one, which saves most. */
struct mvtd_walk_slot *mvtd_walk_find(struct mvtd *m, const struct mvtd_trip *t)
{
    bool fs = t->kind == MVTD_FS;

    if (!mvtd_caching(m))
        return NULL;
    for (unsigned level = 1; level <= t->walk.top; level++) {
        unsigned lg2 = uim_walk_shift(&t->walk, level);
        uint64_t tag0 = uim_align_down(t->req->iova, UIM_BIT(lg2));
        uint64_t tag1 = walk_tag1(fs, level, t->did, t->pasid);
        struct mvtd_walk_slot *s =
            uim_cache_find(&m->walks, mvtd_walk_hash(tag0, tag1), tag0, tag1);

        if (s)
            return s;
    }
    return NULL;
}

void mvtd_walk_add(struct mvtd *m, const struct mvtd_walk_slot *from)
{
    uint64_t tag1 = walk_tag1(from->fs, from->level, from->did, from->pasid);
    struct uim_cache_slot slot;
    struct mvtd_walk_slot *s;

    if (!mvtd_caching(m))
        return;
    s = uim_cache_add(&m->walks, mvtd_walk_hash(from->iova, tag1), from->iova,
                      tag1);
    if (!s)
        return;
    slot = s->slot;
    *s = *from;
    s->slot = slot;
}

/* ---- what a state may hold ---------------------------------------------------- */

bool mvtd_entry_take(const void *slot, void *model)
{
    const struct mvtd_entry_slot *s = slot;
    const struct mvtd *m = model;

    return s->slot.tag[0] <= UINT16_MAX && s->slot.tag[1] == s->pasid &&
           (!s->entry.reason || m->args.cm);
}

static bool is_host_page(const struct mvtd *m, uint64_t gpa, unsigned lg2)
{
    return (gpa & (UIM_BIT(lg2) - 1)) == 0 && gpa >> m->haw == 0;
}

static bool tlb_slot_good(const struct mvtd *m, const struct mvtd_tlb_slot *s)
{
    unsigned lg2 = s->leaf.lg2;

    return (lg2 == 12 || lg2 == 21 || lg2 == 30) &&
           is_host_page(m, s->leaf.gpa, lg2) &&
           s->iova == uim_align_down(s->iova, UIM_BIT(lg2)) &&
           s->slot.tag[0] == tlb_tag0(s->iova, lg2) &&
           s->slot.tag[1] == tlb_tag1(s->did, s->pasid) &&
           (!s->leaf.reason || m->args.cm);
}

/* Whom commands look for has to be known besides. */
bool mvtd_tlb_take(const void *slot, void *model)
{
    const struct mvtd_tlb_slot *s = slot;
    struct mvtd *m = model;

    if (!tlb_slot_good(m, s))
        return false;
    m->tlb_sizes |= UIM_BIT(s->leaf.lg2);
    if (s->leaf.kind == MVTD_FS)
        m->fs_dids[s->did >> 6] |= UIM_BIT(s->did & 63);
    return true;
}

bool mvtd_walk_take(const void *slot, void *model)
{
    const struct mvtd_walk_slot *s = slot;

    return s->level >= 1 && s->lg2 == MVTD_PAGE_LG2 + 9 * s->level &&
           is_host_page(model, s->table, MVTD_PAGE_LG2) &&
           s->iova == uim_align_down(s->iova, UIM_BIT(s->lg2)) &&
           s->slot.tag[0] == s->iova &&
           s->slot.tag[1] == walk_tag1(s->fs, s->level, s->did, s->pasid);
}

bool mvtd_irte_take(const void *slot, void *model)
{
    const struct mvtd_irte_slot *s = slot;
    const struct mvtd *m = model;
    struct vtd_irte_remapped_lo lo = { s->raw[0] };

    return m->args.ir && s->slot.tag[0] <= UINT16_MAX && s->slot.tag[1] == 0 &&
           (vtd_irte_remapped_lo_p(lo) || m->args.cm);
}

/* ---- what a command hits ----------------------------------------------------- */

/* Last byte of 2^am pages from addr, aligned down as hardware does. */
static void range_of(const struct mvtd_inval *inval, uint64_t *start,
                     uint64_t *last)
{
    unsigned lg2 = MVTD_PAGE_LG2 + inval->am;

    *start = lg2 < 64 ? uim_align_down(inval->addr, UIM_BIT(lg2)) : 0;
    *last = lg2 < 64 ? *start + (UIM_BIT(lg2) - 1) : UINT64_MAX;
}

static bool overlaps(const struct mvtd_inval *inval, uint64_t iova,
                     unsigned lg2)
{
    uint64_t start, last;

    range_of(inval, &start, &last);
    return iova <= last && iova + (UIM_BIT(lg2) - 1) >= start;
}

struct match {
    const struct mvtd_inval *inval;
    uint16_t sid_mask;
    bool check_did;
};

static bool match_context(const void *slot, const void *arg)
{
    const struct mvtd_entry_slot *s = slot;
    const struct match *k = arg;

    if (k->check_did && s->entry.did != k->inval->did)
        return false;
    return k->inval->scope != UIM_CHECK_ONE ||
           ((s->slot.tag[0] ^ k->inval->sid) & k->sid_mask) == 0;
}

static bool match_pasid(const void *slot, const void *arg)
{
    const struct mvtd_entry_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return s->entry.did == inval->did &&
           (inval->scope == UIM_CHECK_DOMAIN || s->pasid == inval->pasid);
}

/* iotlb_inv: pages count for second-stage entries, all of the domain's
 * first-stage entries go (6.5.2.3). */
static bool match_tlb(const void *slot, const void *arg)
{
    const struct mvtd_tlb_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return s->did == inval->did &&
           (inval->scope == UIM_CHECK_DOMAIN || s->leaf.kind == MVTD_FS ||
            overlaps(inval, s->iova, s->leaf.lg2));
}

static bool match_walk(const void *slot, const void *arg)
{
    const struct mvtd_walk_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return s->did == inval->did &&
           (inval->scope == UIM_CHECK_DOMAIN || s->fs ||
            (!inval->leaf_only && overlaps(inval, s->iova, s->lg2)));
}

/* p_iotlb_inv by page leaves second-stage entries alone (6.5.2.4). */
static bool match_pasid_tlb(const void *slot, const void *arg)
{
    const struct mvtd_tlb_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return s->did == inval->did && s->pasid == inval->pasid &&
           (inval->scope == UIM_CHECK_ONE ||
            (s->leaf.kind == MVTD_FS && overlaps(inval, s->iova, s->leaf.lg2)));
}

static bool match_pasid_walk(const void *slot, const void *arg)
{
    const struct mvtd_walk_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return s->fs && s->did == inval->did && s->pasid == inval->pasid &&
           (inval->scope == UIM_CHECK_ONE ||
            (!inval->leaf_only && overlaps(inval, s->iova, s->lg2)));
}

/* Few pages: looks only where these pages can be. */
static bool drop_pages(struct mvtd *m, const struct mvtd_inval *inval,
                       uim_cache_match match)
{
    uint64_t start, last;

    if (inval->scope != UIM_CHECK_PAGE || inval->am > 4)
        return false;
    range_of(inval, &start, &last);
    for (uint64_t left = m->tlb_sizes; left != 0; left &= left - 1) {
        unsigned lg2 = uim_ctz(left);
        uint64_t n = (last >> lg2) - (start >> lg2) + 1;

        for (uint64_t i = 0; i < n; i++) {
            uint64_t tag0 = tlb_tag0(start + (i << lg2), lg2);

            uim_cache_drop_hash(&m->tlb, page_hash(tag0, inval->did), match,
                                inval);
        }
    }
    return true;
}

/* ---- whom to tell ----------------------------------------------------------- */

static void note_domain(struct mvtd *m, uint16_t did)
{
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_DOMAIN,
                                             .pasid = UIM_MODEL_ANY_PASID,
                                             .domain = did });
}

static void note_range(struct mvtd *m, const struct mvtd_inval *inval)
{
    uint64_t start, last;

    range_of(inval, &start, &last);
    /* All 2^64 bytes have no length: 0 says everything. */
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_DOMAIN,
                                             .pasid = UIM_MODEL_ANY_PASID,
                                             .domain = inval->did,
                                             .iova = start,
                                             .len = last - start + 1 });
}

static void note_rids(struct mvtd *m, uint16_t sid, uint16_t sid_mask)
{
    for (uint16_t fn = 0; fn < 8; fn++) {
        if (((sid ^ fn) & sid_mask & 7) != 0)
            continue;
        uim_unit_note(&m->base, &(struct uim_model_inval){
                                    .what = UIM_MODEL_INV_RID,
                                    .rid = (uint32_t)(sid & ~7u) | fn,
                                    .pasid = UIM_MODEL_ANY_PASID });
    }
}

/* ---- commands ----------------------------------------------------------------- */

static const uint16_t sid_masks[] = {
    [VTD_FM_NONE] = 0xffff,
    [VTD_FM_MASK_1BIT] = 0xfffb,
    [VTD_FM_MASK_2BITS] = 0xfff9,
    [VTD_FM_MASK_3BITS] = 0xfff8,
};

/* Scalable context entries have no domain id: the one given does not count, and
 * by domain is as global (6.5.2.1). */
void mvtd_inv_context(struct mvtd *m, const struct mvtd_inval *inval)
{
    bool legacy = vtd_rtaddr_ttm(m->root) == VTD_TTM_LEGACY;
    struct match k = { inval, sid_masks[inval->fm & 3], legacy };

    m->counter[MVTD_N_context_invalidations]++;
    if (inval->scope == UIM_CHECK_ONE) {
        uim_cache_drop(&m->contexts, match_context, &k);
        note_rids(m, inval->sid, k.sid_mask);
    } else if (inval->scope == UIM_CHECK_DOMAIN && legacy) {
        uim_cache_drop(&m->contexts, match_context, &k);
        note_domain(m, inval->did);
    } else {
        uim_cache_drop(&m->contexts, NULL, NULL);
        uim_unit_note_all(&m->base);
    }
}

void mvtd_inv_pasid(struct mvtd *m, const struct mvtd_inval *inval)
{
    m->counter[MVTD_N_pasid_invalidations]++;
    if (inval->scope == UIM_CHECK_GLOBAL) {
        uim_cache_drop(&m->pasids, NULL, NULL);
        uim_unit_note_all(&m->base);
    } else {
        uim_cache_drop(&m->pasids, match_pasid, inval);
        note_domain(m, inval->did);
    }
}

void mvtd_inv_iotlb(struct mvtd *m, const struct mvtd_inval *inval)
{
    uint64_t fs;

    m->counter[MVTD_N_iotlb_invalidations]++;
    if (inval->scope == UIM_CHECK_GLOBAL) {
        uim_cache_drop(&m->tlb, NULL, NULL);
        uim_cache_drop(&m->walks, NULL, NULL);
        m->tlb_sizes = 0;
        memset(m->fs_dids, 0, sizeof(m->fs_dids));
        uim_unit_note_all(&m->base);
        return;
    }
    fs = m->fs_dids[inval->did >> 6] & UIM_BIT(inval->did & 63);
    if (fs || !drop_pages(m, inval, match_tlb))
        uim_cache_drop(&m->tlb, match_tlb, inval);
    uim_cache_drop(&m->walks, match_walk, inval);
    m->fs_dids[inval->did >> 6] &= ~UIM_BIT(inval->did & 63);
    if (inval->scope == UIM_CHECK_DOMAIN || fs)
        note_domain(m, inval->did);
    else
        note_range(m, inval);
}

void mvtd_inv_pasid_iotlb(struct mvtd *m, const struct mvtd_inval *inval)
{
    m->counter[MVTD_N_pasid_iotlb_invalidations]++;
    if (!drop_pages(m, inval, match_pasid_tlb))
        uim_cache_drop(&m->tlb, match_pasid_tlb, inval);
    uim_cache_drop(&m->walks, match_pasid_walk, inval);
    if (inval->scope == UIM_CHECK_ONE)
        note_domain(m, inval->did);
    else
        note_range(m, inval);
}

static bool match_irte(const void *slot, const void *arg)
{
    const struct mvtd_irte_slot *s = slot;
    const struct mvtd_inval *inval = arg;

    return (s->slot.tag[0] ^ inval->addr) >> inval->am == 0;
}

void mvtd_inv_interrupt(struct mvtd *m, const struct mvtd_inval *inval)
{
    m->counter[MVTD_N_interrupt_invalidations]++;
    uim_cache_drop(&m->irtes, inval->scope == UIM_CHECK_ONE ? match_irte : NULL,
                   inval);
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_MSI });
}
