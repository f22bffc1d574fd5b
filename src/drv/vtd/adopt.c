/* SPDX-License-Identifier: MIT */
/*
 * adopt.c - a unit that somebody else left translating goes on without a gap
 * (semantics B.23).
 *
 * Root and context tables are copied, entry by entry, so that each requester can be
 * moved by itself; from SRTP on the unit reads the copies (11.4.4: what it cached
 * from the originals is the same). What context entries point to stays where it is: it
 * is only read here, and only for the domain ids. An entry that was copied is replaced
 * as one whose ids are not known: P=0, all of the IOTLB, then the new one.
 */
#include "drv/vtd/vtd.h"

#include "base/digest.h"
#include "base/mem.h"

enum {
    PAGE_SIZE = 4096,
    WORDS_PER_PAGE = PAGE_SIZE / 8,
    REQUESTERS = 65536,
    BITMAP_WORDS = REQUESTERS / 64,
    IRTE_BYTES = 16,
    MOST_PAGES = 65536, /* that are read: more is no sane machine */
};

/* What the registers say. */
struct found {
    struct vtd_rtaddr root;
    struct vtd_irta interrupts;
    bool on, translates, remaps, compatibility;
};

static struct found look(const struct vtd_unit *v)
{
    uint32_t gsts = vtd_rd32(v, VTD_REG_GSTS);
    struct found f = {
        .on = gsts & VTD_GCMD_BIT(te),
        .remaps = vtd_ecap_ir(v->ecap) && (gsts & VTD_GCMD_BIT(ire)),
        .compatibility = gsts & VTD_GCMD_BIT(cfi),
    };

    if (f.on)
        f.root.raw = vtd_rd64(v, VTD_REG_RTADDR);
    /* Else for nobody: 11.4.5. */
    f.translates = f.on && vtd_rtaddr_ttm(f.root) != VTD_TTM_ABORT;
    if (f.remaps)
        f.interrupts.raw = vtd_rd64(v, VTD_REG_IRTA);
    return f;
}

static enum uiommu_status refuse(const struct vtd_unit *v,
                                 enum uiommu_status status, const char *why)
{
    uim_log(v->unit.u, UIOMMU_LOG_ERROR,
            "vtd unit at 0x%lx cannot be adopted as it was left: %s",
            v->unit.base, why);
    return status;
}

/* ---- memory of somebody else ----------------------------------------------- */

typedef enum uiommu_status (*visitor)(struct vtd_unit *v, unsigned first,
                                      const uim_word *table, void *ctx);

/* Calls `visit` with `size` bytes at `phys`. */
static enum uiommu_status read_at(struct vtd_unit *v, uint64_t phys,
                                  size_t size, unsigned first, visitor visit,
                                  void *ctx)
{
    const struct uiommu_host *h = v->unit.host;
    enum uiommu_status status;
    const void *at;

    if (!h->memory_map)
        return refuse(v, UIOMMU_OPNOTSUPP, "the host has no memory_map");
    v->adopted.pages_read += (unsigned)((size + PAGE_SIZE - 1) / PAGE_SIZE);
    if (v->adopted.pages_read > MOST_PAGES)
        return refuse(v, UIOMMU_OPNOTSUPP, "it has too many tables");
    at = h->memory_map(h->ctx, phys, size);
    if (!at)
        return refuse(v, UIOMMU_NOMEM, "the host cannot map its tables");
    status = visit(v, first, at, ctx);
    h->memory_unmap(h->ctx, at, size);
    return status;
}

/* ---- root and context tables ------------------------------------------------ */

/* What is done with each context table; the first of its requesters is known. */
struct tables {
    bool pasids;     /* the unit's mode: scalable                            */
    visitor visit;
    void *ctx;
};

/* Scalable mode has two context tables for a bus, legacy mode leaves the second
 * word of a root entry reserved (9.1, 9.2). */
static enum uiommu_status visit_root(struct vtd_unit *v, unsigned first,
                                     const uim_word *root, void *ctx)
{
    const struct tables *t = ctx;
    enum uiommu_status status = UIOMMU_OK;

    (void)first;
    for (unsigned i = 0; i < WORDS_PER_PAGE && status == UIOMMU_OK; i++) {
        struct vtd_root_lo link = { uim_ld64(&root[i]) };

        if (vtd_root_lo_p(link) && (t->pasids || i % 2 == 0))
            status = read_at(v, vtd_root_lo_ctp(link) << 12, PAGE_SIZE, i << 7,
                             t->visit, t->ctx);
    }
    return status;
}

static enum uiommu_status each_context_table(struct vtd_unit *v,
                                             struct vtd_rtaddr root,
                                             visitor visit, void *ctx)
{
    struct tables t = {
        .pasids = vtd_rtaddr_ttm(root) == VTD_TTM_SCALABLE,
        .visit = visit,
        .ctx = ctx,
    };

    return read_at(v, vtd_rtaddr_rta(root) << 12, PAGE_SIZE, 0, visit_root, &t);
}

/* ---- domain ids --------------------------------------------------------------- */

/* False: the unit refuses it, as reserved bits. */
static bool reserve(struct vtd_unit *v, uint64_t did)
{
    uint64_t bit = UIM_BIT(did % 64);

    if (did >= v->n_dids)
        return false;
    uim_spin_lock(&v->unit, v->did_lock);
    if (did >= VTD_DID_IDENTITY.id)
        v->adopted.dids[did / 64] |= bit;
    v->dids[did / 64] |= bit;
    uim_spin_unlock(&v->unit, v->did_lock);
    return true;
}

static enum uiommu_status visit_pasid_table(struct vtd_unit *v, unsigned first,
                                            const uim_word *table, void *ctx)
{
    bool *translates = ctx;

    (void)first;
    for (unsigned i = 0; i < VTD_PASID_TABLE_ENTRIES; i++) {
        const uim_word *entry = &table[i * (VTD_PASID_ENTRY_BYTES / 8)];
        struct vtd_pasid_entry_q1 q1 = { uim_ld64(&entry[1]) };

        if ((uim_ld64(&entry[0]) & VTD_ENTRY_P) &&
            reserve(v, vtd_pasid_entry_q1_did(q1)))
            *translates = true;
    }
    return UIOMMU_OK;
}

static enum uiommu_status visit_pasid_dir(struct vtd_unit *v, unsigned n,
                                          const uim_word *dir, void *ctx)
{
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned i = 0; i < n && status == UIOMMU_OK; i++) {
        struct vtd_pasid_dir link = { uim_ld64(&dir[i]) };

        if (vtd_pasid_dir_p(link))
            status = read_at(v, vtd_pasid_dir_smptblptr(link) << 12, PAGE_SIZE,
                             0, visit_pasid_table, ctx);
    }
    return status;
}

static enum uiommu_status read_dir(struct vtd_unit *v,
                                   struct vtd_ctx_scalable_q0 q0, visitor visit,
                                   void *ctx)
{
    unsigned n = 1u << (vtd_ctx_scalable_q0_pdts(q0) + VTD_PDTS_ENTRIES_SHIFT);

    return read_at(v, vtd_ctx_scalable_q0_pasiddirptr(q0) << 12,
                   n * sizeof(uint64_t), n, visit, ctx);
}

/* *translates: some entry behind the context entry is present; in legacy mode it is
 * the context entry itself. */
static enum uiommu_status reserve_ids(struct vtd_unit *v, const uint64_t *entry,
                                      bool *translates)
{
    struct vtd_ctx_scalable_q0 q0 = { entry[0] };
    struct vtd_ctx_legacy_hi hi = { entry[1] };

    *translates = false;
    if (!vtd_has_pasids(v)) {
        *translates = reserve(v, vtd_ctx_legacy_hi_did(hi));
        return UIOMMU_OK;
    }
    if (vtd_ctx_scalable_q0_pre(q0))
        return refuse(v, UIOMMU_OPNOTSUPP, "devices may send it page requests");
    return read_dir(v, q0, visit_pasid_dir, translates);
}

/* Identity is tagged with an id of its own (see set.c), whoever used that. */
static enum uiommu_status choose_identity(struct vtd_unit *v)
{
    if (!(v->adopted.dids[0] & UIM_BIT(VTD_DID_IDENTITY.id)))
        return UIOMMU_OK;
    if (vtd_did_alloc(v, &v->did_identity) == UIOMMU_OK)
        return UIOMMU_OK;
    return refuse(v, UIOMMU_NOSPC, "all its domain ids are in use");
}

/* ---- copies -------------------------------------------------------------------- */

static unsigned entry_words(const struct vtd_unit *v)
{
    return (vtd_has_pasids(v) ? VTD_CONTEXT_SCALABLE_BYTES
                              : VTD_CONTEXT_LEGACY_BYTES) /
           8;
}

static void mark(struct vtd_unit *v, struct vtd_sid sid, bool adopted)
{
    uim_word *word = &v->adopted.requesters[sid.id / 64];
    uint64_t bit = UIM_BIT(sid.id % 64), old;

    uim_spin_lock(&v->unit, v->did_lock);
    old = uim_ld64(word);
    uim_st64(word, adopted ? old | bit : old & ~bit);
    uim_spin_unlock(&v->unit, v->did_lock);
}

bool vtd_is_adopted(const struct vtd_unit *v, struct vtd_sid sid)
{
    return v->adopted.requesters &&
           (uim_ld64(&v->adopted.requesters[sid.id / 64]) &
            UIM_BIT(sid.id % 64)) != 0;
}

/* Where nothing is behind it, the requester is blocked, as everybody is. */
static enum uiommu_status copy_entry(struct vtd_unit *v, struct vtd_sid sid,
                                     const uim_word *from)
{
    const unsigned n = entry_words(v);
    uint64_t value[VTD_CONTEXT_SCALABLE_BYTES / 8];
    enum uiommu_status status;
    bool translates;
    uim_word *to;

    for (unsigned i = 0; i < n; i++)
        value[i] = uim_ld64(&from[i]);
    status = reserve_ids(v, value, &translates);
    if (status != UIOMMU_OK || !translates)
        return status;
    status = vtd_context_create(v, sid, &to);
    if (status != UIOMMU_OK)
        return status;
    vtd_entry_write(v, to, value, n);
    mark(v, sid, true);
    return UIOMMU_OK;
}

static enum uiommu_status copy_table(struct vtd_unit *v, unsigned first,
                                     const uim_word *table, void *ctx)
{
    const unsigned n = entry_words(v);
    enum uiommu_status status = UIOMMU_OK;

    (void)ctx;
    for (unsigned i = 0; i < WORDS_PER_PAGE / n && status == UIOMMU_OK; i++)
        if (uim_ld64(&table[i * n]) & VTD_ENTRY_P)
            status = copy_entry(v, (struct vtd_sid){ (uint16_t)(first + i) },
                                &table[i * n]);
    return status;
}

/* ---- interrupts ------------------------------------------------------------------ */

/* 9.10: S. */
static size_t irt_size(struct vtd_irta irta)
{
    return (size_t)IRTE_BYTES << (vtd_irta_s(irta) + 1);
}

static enum uiommu_status visit_interrupts(struct vtd_unit *v, unsigned n,
                                           const uim_word *table, void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < n; i++)
        if ((uim_ld64(&table[i * 2]) & VTD_ENTRY_P) &&
            !vtd_irq_adopt(v, i, &table[i * 2]))
            return refuse(v, UIOMMU_OPNOTSUPP,
                          "it remaps interrupts by entries above 4095");
    return UIOMMU_OK;
}

static enum uiommu_status adopt_interrupts(struct vtd_unit *v,
                                           const struct found *f)
{
    if (!f->remaps)
        return UIOMMU_OK;
    if (!v->unit.remap)
        return refuse(v, UIOMMU_OPNOTSUPP,
                      "it remaps interrupts, and that was not asked for");
    if (f->compatibility)
        return refuse(v, UIOMMU_OPNOTSUPP,
                      "it lets interrupts in compatibility format through");
    if ((vtd_irta_eime(f->interrupts) != 0) != v->unit.x2apic)
        return refuse(v, UIOMMU_OPNOTSUPP,
                      "its interrupts have destinations of another width "
                      "(x2APIC)");
    return read_at(v, vtd_irta_irta(f->interrupts) << 12,
                   irt_size(f->interrupts),
                   (unsigned)(irt_size(f->interrupts) / IRTE_BYTES),
                   visit_interrupts, NULL);
}

/* ---- life -------------------------------------------------------------------------- */

static void *zeros(const struct vtd_unit *v, size_t size)
{
    const struct uiommu_host *h = v->unit.host;
    void *bytes = h->alloc(h->ctx, size);

    if (bytes)
        memset(bytes, 0, size);
    return bytes;
}

static enum uiommu_status bitmaps_create(struct vtd_unit *v)
{
    struct vtd_adopted *a = &v->adopted;

    a->dids = zeros(v, vtd_dids_size(v));
    a->requesters = zeros(v, BITMAP_WORDS * sizeof(uint64_t));
    return a->dids && a->requesters ? UIOMMU_OK : UIOMMU_NOMEM;
}

void vtd_adopted_destroy(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;
    struct vtd_adopted *a = &v->adopted;

    if (a->requesters)
        h->free(h->ctx, (void *)a->requesters, BITMAP_WORDS * sizeof(uint64_t));
    if (a->dids)
        h->free(h->ctx, a->dids, vtd_dids_size(v));
}

/* What would be otherwise from SRTP on; NULL: nothing. */
static const char *in_the_way(const struct vtd_unit *v, const struct found *f)
{
    const unsigned ttm = vtd_has_pasids(v) ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;
    const struct vtd_pmen pmen = { vtd_rd32(v, VTD_REG_PMEN) };

    if (!f->translates)
        return NULL;
    if (vtd_rtaddr_ttm(f->root) != ttm)
        return "it is in another mode";
    if (vtd_rtaddr_ssirwe(f->root))
        return "its second-stage tables have rights in other bits (SSIRWE)";
    if ((vtd_cap_plmr(v->cap) || vtd_cap_phmr(v->cap)) && vtd_pmen_epm(pmen))
        return "it protects regions of memory as well (PMEN)";
    return NULL;
}

static enum uiommu_status copy_all(struct vtd_unit *v, const struct found *f)
{
    enum uiommu_status status = bitmaps_create(v);

    if (status == UIOMMU_OK)
        status = adopt_interrupts(v, f);
    if (status == UIOMMU_OK && f->translates)
        status = each_context_table(v, f->root, copy_table, NULL);
    if (status == UIOMMU_OK)
        status = choose_identity(v);
    return status;
}

enum uiommu_status vtd_adopt(struct vtd_unit *v)
{
    const struct found f = look(v);
    enum uiommu_status status;
    const char *why;

    if (!v->unit.adopt || (!f.on && !f.remaps))
        return UIOMMU_OK;
    why = in_the_way(v, &f);
    if (why)
        return refuse(v, UIOMMU_OPNOTSUPP, why);
    v->adopted.on = f.on;
    v->adopted.root = f.root;
    v->adopted.interrupts = f.interrupts;
    v->adopted.pages_read = 0;
    status = copy_all(v, &f);
    v->unit.found = status == UIOMMU_OK;
    return status;
}

/* ---- one requester --------------------------------------------------------------- */

/* P=0, if it is a copy still: whoever is not the first finds an entry of ours. */
static bool block(struct vtd_unit *v, struct vtd_sid sid, uim_word *entry)
{
    bool adopted;

    uim_spin_lock(&v->unit, v->did_lock);
    adopted = vtd_is_adopted(v, sid);
    if (adopted)
        vtd_entry_block(v, entry);
    uim_spin_unlock(&v->unit, v->did_lock);
    return adopted;
}

static enum uiommu_status retire(struct vtd_unit *v, struct vtd_sid sid,
                                 const uim_word *entry)
{
    const struct vtd_ctx_legacy_hi hi = { uim_ld64(&entry[1]) };
    struct vtd_did did = VTD_DID_ABSENT;
    struct vtd_batch b = { .n = 0 };

    if (!vtd_has_pasids(v))
        did.id = (uint16_t)vtd_ctx_legacy_hi_did(hi);
    vtd_add_context(&b, VTD_CC_DEVICE, did, sid);
    if (vtd_has_pasids(v))
        vtd_add_pasid_cache(&b, VTD_PC_GLOBAL, did, 0);
    vtd_add_iotlb(&b, v, VTD_IOTLB_GLOBAL, did);
    return vtd_submit(v, &b);
}

bool vtd_adopted_cut(struct vtd_unit *v, struct vtd_sid sid, uim_word *entry,
                     enum uiommu_status *status)
{
    if (!block(v, sid, entry))
        return false;
    *status = retire(v, sid, entry);
    return true;
}

static void forget(struct vtd_unit *v, struct vtd_sid sid, uim_word *entry)
{
    vtd_entry_zero(v, entry, entry_words(v));
    mark(v, sid, false);
}

enum uiommu_status vtd_adopted_drop(struct vtd_unit *v, struct vtd_sid sid,
                                    uim_word *entry)
{
    enum uiommu_status status = UIOMMU_OK;

    if (vtd_adopted_cut(v, sid, entry, &status) && status == UIOMMU_OK)
        forget(v, sid, entry);
    return status;
}

/* ---- all of them ----------------------------------------------------------------- */

bool vtd_inherited(struct uim_unit *unit, uint32_t *id)
{
    const struct vtd_unit *v = vtd_unit(unit);

    for (uint32_t i = *id; i < REQUESTERS; i++) {
        if (!vtd_is_adopted(v, (struct vtd_sid){ (uint16_t)i }))
            continue;
        *id = i;
        return true;
    }
    return false;
}

static void release_ids(struct vtd_unit *v)
{
    uim_spin_lock(&v->unit, v->did_lock);
    for (uint32_t i = 0; i * 64 < v->n_dids; i++) {
        v->dids[i] &= ~v->adopted.dids[i];
        v->adopted.dids[i] = 0;
    }
    uim_spin_unlock(&v->unit, v->did_lock);
}

/* Calls `fn` for each copy that is left. */
static void each_adopted(struct vtd_unit *v,
                         void (*fn)(struct vtd_unit *v, struct vtd_sid sid,
                                    uim_word *entry))
{
    for (uint32_t id = 0; vtd_inherited(&v->unit, &id); id++) {
        const struct vtd_sid sid = { (uint16_t)id };

        fn(v, sid, vtd_context(v, sid));
    }
}

static void block_one(struct vtd_unit *v, struct vtd_sid sid, uim_word *entry)
{
    (void)block(v, sid, entry);
}

/* All of them with one command for each cache. Ids are free again only when that is
 * confirmed. */
enum uiommu_status vtd_inherited_end(struct uim_unit *unit)
{
    struct vtd_unit *v = vtd_unit(unit);
    enum uiommu_status status;

    each_adopted(v, block_one);
    status = vtd_invalidate_all(v);
    if (status == UIOMMU_OK)
        status = vtd_irqs_adopted_end(v);
    if (status != UIOMMU_OK)
        return status;
    each_adopted(v, forget);
    release_ids(v);
    unit->found = false;
    return UIOMMU_OK;
}

/* ---- what a record says ---------------------------------------------------------- */

static enum uiommu_status digest_words(struct vtd_unit *v, unsigned n,
                                       const uim_word *words, void *ctx)
{
    uint64_t *digest = ctx;

    (void)v;
    for (unsigned i = 0; i < n; i++)
        *digest = uim_digest(*digest, uim_ld64(&words[i]));
    return UIOMMU_OK;
}

static enum uiommu_status digest_dir(struct vtd_unit *v, unsigned n,
                                     const uim_word *dir, void *ctx)
{
    enum uiommu_status status = digest_words(v, n, dir, ctx);

    for (unsigned i = 0; i < n && status == UIOMMU_OK; i++) {
        struct vtd_pasid_dir link = { uim_ld64(&dir[i]) };

        if (vtd_pasid_dir_p(link))
            status = read_at(v, vtd_pasid_dir_smptblptr(link) << 12, PAGE_SIZE,
                             WORDS_PER_PAGE, digest_words, ctx);
    }
    return status;
}

static enum uiommu_status digest_table(struct vtd_unit *v, unsigned first,
                                       const uim_word *table, void *ctx)
{
    uint64_t *digest = ctx;

    *digest = uim_digest(*digest, first);
    return digest_words(v, WORDS_PER_PAGE, table, ctx);
}

/* With what its entries lead to, but for page tables. */
static enum uiommu_status digest_scalable(struct vtd_unit *v, unsigned first,
                                          const uim_word *table, void *ctx)
{
    const unsigned words = VTD_CONTEXT_SCALABLE_BYTES / 8;
    enum uiommu_status status = digest_table(v, first, table, ctx);

    for (unsigned i = 0; i < WORDS_PER_PAGE && status == UIOMMU_OK;
         i += words) {
        struct vtd_ctx_scalable_q0 q0 = { uim_ld64(&table[i]) };

        if (vtd_ctx_scalable_q0_p(q0))
            status = read_dir(v, q0, digest_dir, ctx);
    }
    return status;
}

enum uiommu_status vtd_describe(struct uim_unit *unit,
                                struct uiommu_record_unit *out)
{
    struct vtd_unit *v = vtd_unit(unit);
    const struct found f = look(v);
    enum uiommu_status status = UIOMMU_OK;
    uint64_t digest = UIM_DIGEST_START;

    v->adopted.pages_read = 0;
    if (f.translates)
        status = each_context_table(v, f.root,
                                    vtd_rtaddr_ttm(f.root) == VTD_TTM_SCALABLE
                                        ? digest_scalable
                                        : digest_table,
                                    &digest);
    if (status == UIOMMU_OK && f.remaps)
        status = read_at(
            v, vtd_irta_irta(f.interrupts) << 12, irt_size(f.interrupts),
            (unsigned)(irt_size(f.interrupts) / 8), digest_words, &digest);
    *out = (struct uiommu_record_unit){
        .base = unit->base,
        .root = f.root.raw,
        .interrupts = f.interrupts.raw,
        .digest = digest,
    };
    return status;
}
