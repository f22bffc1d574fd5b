/* SPDX-License-Identifier: MIT */
/*
 * The caches (3.17, 3.21, 4.3, 4.4) and what each command removes from them.
 *
 *     cache   found by                            commands
 *     stes    stream id                           CFGI_STE, CFGI_STE_RANGE
 *     cds     stream id, index                    those, CFGI_CD, CFGI_CD_ALL
 *     l1s     first stream id; or stream id and   the same without Leaf
 *             first index
 *     tlb     VMID, ASID or "global" or "stage 2", TLBI
 *             page
 *     walks   VMID, ASID or "stage 2", level, span TLBI without Leaf
 *
 * Stage 1 entries of nested streams hold both stages; stage 2 is cached besides
 * under its intermediate addresses. Entries remove no others: a command that
 * software forgot is forgotten here too, and that is the point.
 */
#include "model/smmuv3/smmuv3.h"

struct size {
    uint16_t sets, ways;
};

/* What adversarial caches lose for want of room is nothing in a test. */
static const struct {
    struct size stes, cds, l1s, tlb, walks;
} sizes[] = {
    [MSMMU_CACHE_NORMAL] = { { 64, 4 },
                             { 64, 4 },
                             { 16, 4 },
                             { 512, 4 },
                             { 64, 4 } },
    [MSMMU_CACHE_NONE] = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } },
    [MSMMU_CACHE_ADVERSARIAL] = { { 256, 16 },
                                  { 256, 16 },
                                  { 256, 16 },
                                  { 1024, 16 },
                                  { 256, 16 } },
};

static bool make(struct msmmu *m, struct uim_cache *c, struct size size,
                 size_t slot_size)
{
    return uim_cache_create(c, m->base.host, size.sets, size.ways,
                            (uint32_t)slot_size);
}

bool msmmu_caches_create(struct msmmu *m)
{
    uint64_t mode = m->args.cache;

    if (make(m, &m->stes, sizes[mode].stes, sizeof(struct msmmu_entry_slot)) &&
        make(m, &m->cds, sizes[mode].cds, sizeof(struct msmmu_entry_slot)) &&
        make(m, &m->l1s, sizes[mode].l1s, sizeof(struct msmmu_l1_slot)) &&
        make(m, &m->tlb, sizes[mode].tlb, sizeof(struct msmmu_tlb_slot)) &&
        make(m, &m->walks, sizes[mode].walks, sizeof(struct msmmu_walk_slot)))
        return true;
    msmmu_caches_destroy(m);
    return false;
}

void msmmu_caches_destroy(struct msmmu *m)
{
    const struct uim_model_host *host = m->base.host;

    uim_cache_destroy(&m->stes, host);
    uim_cache_destroy(&m->cds, host);
    uim_cache_destroy(&m->l1s, host);
    uim_cache_destroy(&m->tlb, host);
    uim_cache_destroy(&m->walks, host);
}

void msmmu_caches_clear(struct msmmu *m)
{
    uim_cache_drop(&m->stes, NULL, NULL);
    uim_cache_drop(&m->cds, NULL, NULL);
    uim_cache_drop(&m->l1s, NULL, NULL);
    uim_cache_drop(&m->tlb, NULL, NULL);
    uim_cache_drop(&m->walks, NULL, NULL);
    m->tlb_sizes = 0;
}

/* ---- tags ------------------------------------------------------------------ */

uint64_t msmmu_entry_hash(uint64_t tag0, uint64_t tag1)
{
    return tag0 ^ tag1 << 16;
}

/* ASIDs are no part of the hash, so that one command finds all of a page. */
static uint64_t page_hash(uint64_t page, uint16_t vmid)
{
    return page ^ (uint64_t)vmid << 32;
}

static uint64_t tlb_tag0(uint64_t address, unsigned lg2)
{
    return uim_align_down(address, UIM_BIT(lg2)) | lg2;
}

static uint64_t tlb_tag1(uint16_t vmid, uint32_t asid)
{
    return (uint64_t)vmid << 32 | asid;
}

uint64_t msmmu_tlb_hash(uint64_t tag0, uint64_t tag1)
{
    return page_hash(tag0, (uint16_t)(tag1 >> 32));
}

static uint64_t walk_tag1(uint16_t vmid, uint32_t asid, unsigned level,
                          unsigned granule)
{
    return tlb_tag1(vmid, asid) | (uint64_t)level << 48 |
           (uint64_t)granule << 56;
}

uint64_t msmmu_walk_hash(uint64_t tag0, uint64_t tag1)
{
    return tag0 ^ tag1 << 16 ^ tag1 >> 16;
}

static uint32_t asid_of(const struct msmmu_trip *t, const struct msmmu_stage *s)
{
    return s->second ? MSMMU_ASID_STAGE_2 : t->asid;
}

static struct msmmu_tlb_slot *find_with(struct msmmu *m, uint64_t tag0,
                                        uint16_t vmid, uint32_t asid)
{
    return uim_cache_find(&m->tlb, page_hash(tag0, vmid), tag0,
                          tlb_tag1(vmid, asid));
}

struct msmmu_tlb_slot *msmmu_tlb_find(struct msmmu *m,
                                      const struct msmmu_trip *t,
                                      const struct msmmu_stage *s,
                                      uint64_t address)
{
    if (!msmmu_caching(m, t))
        return NULL;
    for (uint64_t left = m->tlb_sizes; left != 0; left &= left - 1) {
        uint64_t tag0 = tlb_tag0(address, uim_ctz(left));
        struct msmmu_tlb_slot *slot =
            find_with(m, tag0, t->vmid, asid_of(t, s));

        if (!slot && !s->second)
            slot = find_with(m, tag0, t->vmid, MSMMU_ASID_GLOBAL);
        if (slot)
            return slot;
    }
    return NULL;
}

void msmmu_tlb_add(struct msmmu *m, const struct msmmu_trip *t,
                   const struct msmmu_stage *s, uint64_t address,
                   const struct msmmu_leaf *leaf)
{
    uint32_t asid = leaf->global ? MSMMU_ASID_GLOBAL : asid_of(t, s);
    uint64_t tag0 = tlb_tag0(address, leaf->lg2);
    struct msmmu_tlb_slot *slot;

    if (!msmmu_caching(m, t))
        return;
    slot = uim_cache_add(&m->tlb, page_hash(tag0, t->vmid), tag0,
                         tlb_tag1(t->vmid, asid));
    if (!slot)
        return;
    slot->address = uim_align_down(address, UIM_BIT(leaf->lg2));
    slot->asid = asid;
    slot->vmid = t->vmid;
    slot->leaf = *leaf;
    m->tlb_sizes |= UIM_BIT(leaf->lg2);
}

/* The lowest one, which saves most. */
struct msmmu_walk_slot *msmmu_walk_find(struct msmmu *m,
                                        const struct msmmu_trip *t,
                                        const struct msmmu_stage *s,
                                        uint64_t address)
{
    if (!msmmu_caching(m, t))
        return NULL;
    for (unsigned level = 1; level <= s->top; level++) {
        uint64_t tag0 = uim_align_down(address, UIM_BIT(msmmu_shift(s, level)));
        uint64_t tag1 = walk_tag1(t->vmid, asid_of(t, s), level, s->granule);
        struct msmmu_walk_slot *slot =
            uim_cache_find(&m->walks, msmmu_walk_hash(tag0, tag1), tag0, tag1);

        if (slot)
            return slot;
    }
    return NULL;
}

void msmmu_walk_add(struct msmmu *m, const struct msmmu_trip *t,
                    const struct msmmu_walk_slot *from)
{
    uint64_t tag1 =
        walk_tag1(from->vmid, from->asid, from->level, from->granule);
    struct uim_cache_slot slot;
    struct msmmu_walk_slot *s;

    if (!msmmu_caching(m, t))
        return;
    s = uim_cache_add(&m->walks, msmmu_walk_hash(from->address, tag1),
                      from->address, tag1);
    if (!s)
        return;
    slot = s->slot;
    *s = *from;
    s->slot = slot;
}

/* ---- what a state may hold ---------------------------------------------------- */

bool msmmu_ste_take(const void *slot, void *model)
{
    const struct msmmu_entry_slot *s = slot;
    const struct msmmu *m = model;

    return s->slot.tag[0] >> m->args.sidsize == 0 && s->slot.tag[1] == 0;
}

bool msmmu_cd_take(const void *slot, void *model)
{
    const struct msmmu_entry_slot *s = slot;
    const struct msmmu *m = model;

    return s->slot.tag[0] >> m->args.sidsize == 0 &&
           s->slot.tag[1] >> m->args.ssidsize == 0;
}

bool msmmu_l1_take(const void *slot, void *model)
{
    const struct msmmu_l1_slot *s = slot;
    const struct msmmu *m = model;
    uint64_t ids = s->slot.tag[1] == 0 ? s->slot.tag[0] : s->slot.tag[1] - 1;

    return (s->lg2 == 6 || s->lg2 == 8 || s->lg2 == 10) &&
           s->slot.tag[0] >> m->args.sidsize == 0 &&
           s->slot.tag[1] <= UIM_BIT(m->args.ssidsize) &&
           (ids & (UIM_BIT(s->lg2) - 1)) == 0;
}

static bool is_host_page(const struct msmmu *m, uint64_t address, unsigned lg2)
{
    return (address & (UIM_BIT(lg2) - 1)) == 0 && address >> m->args.oas == 0;
}

static bool granule_good(unsigned granule)
{
    return granule == 12 || granule == 14 || granule == 16;
}

static bool rights_good(unsigned rights)
{
    return (rights & ~(unsigned)MSMMU_RIGHTS) == 0;
}

bool msmmu_tlb_take(const void *slot, void *model)
{
    const struct msmmu_tlb_slot *s = slot;
    struct msmmu *m = model;
    unsigned lg2 = s->leaf.lg2;

    if (!granule_good(s->leaf.granule) || lg2 < MSMMU_PAGE_LG2 ||
        !is_host_page(m, s->leaf.out, lg2) ||
        s->address != uim_align_down(s->address, UIM_BIT(lg2)) ||
        s->slot.tag[0] != tlb_tag0(s->address, lg2) ||
        s->slot.tag[1] != tlb_tag1(s->vmid, s->asid) ||
        s->leaf.global != (s->asid == MSMMU_ASID_GLOBAL) ||
        !rights_good(s->leaf.rights | s->leaf.rights2))
        return false;
    m->tlb_sizes |= UIM_BIT(lg2);
    return true;
}

bool msmmu_walk_take(const void *slot, void *model)
{
    const struct msmmu_walk_slot *s = slot;

    return s->level >= 1 && granule_good(s->granule) &&
           s->lg2 == s->granule + (s->granule - 3) * s->level &&
           is_host_page(model, s->table, s->granule) &&
           s->asid != MSMMU_ASID_GLOBAL && rights_good(s->rights) &&
           s->address == uim_align_down(s->address, UIM_BIT(s->lg2)) &&
           s->slot.tag[0] == s->address &&
           s->slot.tag[1] == walk_tag1(s->vmid, s->asid, s->level, s->granule);
}

/* ---- configuration: what a command hits ---------------------------------------- */

static bool match_sid(const void *slot, const void *arg)
{
    const struct uim_cache_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return s->tag[0] >= inval->first && s->tag[0] <= inval->last;
}

/* Every level 1 descriptor on the way to one of the streams, and to their CDs. */
static bool match_l1(const void *slot, const void *arg)
{
    const struct msmmu_l1_slot *s = slot;
    const struct msmmu_inval *inval = arg;
    uint64_t span = s->slot.tag[1] == 0 ? UIM_BIT(s->lg2) : 1;

    return s->slot.tag[0] <= inval->last &&
           s->slot.tag[0] + (span - 1) >= inval->first;
}

/* With Leaf those of the CDs go nevertheless: they are reached through the STE. */
static bool match_l1_of_cds(const void *slot, const void *arg)
{
    const struct msmmu_l1_slot *s = slot;

    return s->slot.tag[1] != 0 && match_l1(slot, arg);
}

static void note_rid(struct msmmu *m, uint32_t sid)
{
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_RID,
                                             .rid = sid,
                                             .pasid = UIM_MODEL_ANY_PASID });
}

void msmmu_inv_stes(struct msmmu *m, const struct msmmu_inval *inval)
{
    m->counter[MSMMU_N_ste_invalidations]++;
    uim_cache_drop(&m->stes, match_sid, inval);
    uim_cache_drop(&m->cds, match_sid, inval);
    uim_cache_drop(&m->l1s, inval->leaf_only ? match_l1_of_cds : match_l1,
                   inval);
    if (inval->last - inval->first >= 8) {
        uim_unit_note_all(&m->base);
        return;
    }
    for (uint64_t sid = inval->first; sid <= inval->last; sid++)
        note_rid(m, (uint32_t)sid);
}

static bool match_cd(const void *slot, const void *arg)
{
    const struct uim_cache_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return s->tag[0] == inval->sid && s->tag[1] == inval->ssid;
}

static bool match_all_cds(const void *slot, const void *arg)
{
    const struct uim_cache_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return s->tag[0] == inval->sid;
}

static bool match_l1_of_cd(const void *slot, const void *arg)
{
    const struct msmmu_l1_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return s->slot.tag[1] != 0 && s->slot.tag[0] == inval->sid &&
           (inval->ssid ^ (s->slot.tag[1] - 1)) >> s->lg2 == 0;
}

static bool match_l1_of_all_cds(const void *slot, const void *arg)
{
    const struct msmmu_l1_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return s->slot.tag[1] != 0 && s->slot.tag[0] == inval->sid;
}

void msmmu_inv_cds(struct msmmu *m, const struct msmmu_inval *inval, bool all)
{
    m->counter[MSMMU_N_cd_invalidations]++;
    uim_cache_drop(&m->cds, all ? match_all_cds : match_cd, inval);
    if (all)
        uim_cache_drop(&m->l1s, match_l1_of_all_cds, inval);
    else if (!inval->leaf_only)
        uim_cache_drop(&m->l1s, match_l1_of_cd, inval);
    note_rid(m, inval->sid);
}

/* ---- translations: what a command hits ------------------------------------------ */

static bool hits_context(const struct msmmu_inval *inval, uint16_t vmid,
                         uint32_t asid)
{
    if (!inval->all_vmids && vmid != inval->vmid)
        return false;
    if (asid == MSMMU_ASID_STAGE_2)
        return inval->stage_2;
    if (!inval->stage_1)
        return false;
    return inval->asid == UIM_CHECK_NONE || inval->asid == asid ||
           (inval->globals && asid == MSMMU_ASID_GLOBAL);
}

static bool overlaps(const struct msmmu_inval *inval, uint64_t address,
                     unsigned lg2)
{
    return address <= inval->last &&
           address + (UIM_BIT(lg2) - 1) >= inval->first;
}

/* 4.4.1: with TG, entries of other granules may stay; with TTL, leaves of other
 * levels. */
static bool match_tlb(const void *slot, const void *arg)
{
    const struct msmmu_tlb_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return hits_context(inval, s->vmid, s->asid) &&
           overlaps(inval, s->address, s->leaf.lg2) &&
           (inval->granule == 0 || inval->granule == s->leaf.granule) &&
           (inval->level == MSMMU_LEVELS || inval->level == s->leaf.level);
}

static bool match_walk(const void *slot, const void *arg)
{
    const struct msmmu_walk_slot *s = slot;
    const struct msmmu_inval *inval = arg;

    return hits_context(inval, s->vmid, s->asid) &&
           overlaps(inval, s->address, s->lg2) &&
           (inval->granule == 0 || inval->granule == s->granule);
}

enum { FEW = 16 };

/* Few pages: looks only where these pages can be. */
static bool drop_pages(struct msmmu *m, const struct msmmu_inval *inval)
{
    if (inval->all_vmids || inval->last - inval->first >= (uint64_t)FEW
                                                              << MSMMU_PAGE_LG2)
        return false;
    for (uint64_t left = m->tlb_sizes; left != 0; left &= left - 1) {
        unsigned lg2 = uim_ctz(left);
        uint64_t n = (inval->last >> lg2) - (inval->first >> lg2) + 1;

        for (uint64_t i = 0; i < n; i++) {
            uint64_t tag0 = tlb_tag0(inval->first + (i << lg2), lg2);

            uim_cache_drop_hash(&m->tlb, page_hash(tag0, inval->vmid),
                                match_tlb, inval);
        }
    }
    return true;
}

/* The VMM knows answers by VMID and ASID, those of stage 2 alone by VMID. */
static void note_tlb(struct msmmu *m, const struct msmmu_inval *inval)
{
    bool one_asid = inval->asid != UIM_CHECK_NONE;
    bool wide = inval->globals && m->gave_wide;

    if (inval->all_vmids || wide || (inval->stage_1 && !one_asid)) {
        uim_unit_note_all(&m->base);
        return;
    }
    /* All 2^64 bytes have no length: 0 says everything. */
    uim_unit_note(&m->base, &(struct uim_model_inval){
                                .what = UIM_MODEL_INV_DOMAIN,
                                .pasid = UIM_MODEL_ANY_PASID,
                                .domain = (uint32_t)inval->vmid << 16 |
                                          (one_asid ? inval->asid : 0),
                                .iova = inval->first,
                                .len = inval->last - inval->first + 1 });
}

void msmmu_inv_tlb(struct msmmu *m, const struct msmmu_inval *inval)
{
    m->counter[MSMMU_N_tlb_invalidations]++;
    if (!drop_pages(m, inval))
        uim_cache_drop(&m->tlb, match_tlb, inval);
    if (!inval->leaf_only)
        uim_cache_drop(&m->walks, match_walk, inval);
    note_tlb(m, inval);
}
