/* SPDX-License-Identifier: MIT */
/*
 * table.c - root, context and PASID tables (3.4, 9.1 to 9.6).
 *
 * A table that is linked stays until the unit is released: hardware may be in
 * it at any time, and blocking a requester must never need memory. An entry
 * that is all zeros has nothing in any cache; one with P=0 and other bits set
 * is blocked but may still be cached under the domain id it holds (see set.c).
 *
 * Links are read by vtd_cut() beside whoever adds tables, so a table is complete, and
 * in memory for a unit that does not snoop, before the word that links it. A PASID
 * directory is the one table that is ever replaced, by a larger one: walkers counts who
 * may still be in it.
 */
#include "drv/vtd/vtd.h"

enum {
    PAGE_SIZE = 4096,
    WORDS_PER_PAGE = PAGE_SIZE / 8,
    BUSES = 256,
    PASIDS = VTD_PASID_TABLE_ENTRIES,
    ENTRY_WORDS = VTD_PASID_ENTRY_BYTES / 8,
    /* A directory of this PDTS fills a page; one of 0 takes this many bits. */
    PDTS_OF_PAGE = 2,
    PDTS_0_BITS = 13,
};

/* ---- memory -------------------------------------------------------------- */

static void write_back(const struct vtd_unit *v, const void *p, size_t size)
{
    uim_write_back(&v->unit, v->coherent, p, size);
}

/* ---- entries of several words (semantics B.13) --------------------------- */

void vtd_entry_store(const struct vtd_unit *v, uim_word *word, uint64_t value)
{
    uim_st64(word, value);
    write_back(v, word, sizeof(*word));
}

/* Hardware reads 128 bits at once and the words after them later: an entry must
 * be not present, in one store, before anything else of it changes. */
void vtd_entry_block(const struct vtd_unit *v, uim_word *entry)
{
    uint64_t word = uim_ld64(entry);

    if (word & VTD_ENTRY_P)
        vtd_entry_store(v, entry, word & ~(uint64_t)VTD_ENTRY_P);
}

/* Of an entry with P=0. */
void vtd_entry_zero(const struct vtd_unit *v, uim_word *entry, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        uim_st64(&entry[i], 0);
    write_back(v, entry, words * sizeof(*entry));
}

static void write_rest(const struct vtd_unit *v, uim_word *entry,
                       const uint64_t *value, unsigned words)
{
    for (unsigned i = words - 1; i > 0; i--)
        uim_st64(&entry[i], value[i]);
    write_back(v, entry, words * sizeof(*entry));
}

/* Of an entry with P=0: the word with P comes last, and after the others. */
void vtd_entry_write(const struct vtd_unit *v, uim_word *entry,
                     const uint64_t *value, unsigned words)
{
    write_rest(v, entry, value, words);
    vtd_entry_store(v, entry, value[0]);
}

enum uiommu_status vtd_entry_open(const struct vtd_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *entry, const uint64_t *value,
                                  unsigned words)
{
    write_rest(v, entry, value, words);
    if (!uim_entry_open(&v->unit, endpoint, v->coherent, entry, value[0],
                        VTD_ENTRY_P))
        return UIOMMU_TIMEDOUT;
    return UIOMMU_OK;
}

/* ---- links --------------------------------------------------------------- */

/* Root, scalable context and PASID directory entries are alike in what a walk
 * needs: the next table in 63:12, P in bit 0 (9.1, 9.2, 9.4, 9.5). */
static uint64_t link_phys(uint64_t link)
{
    return vtd_pasid_dir_smptblptr((struct vtd_pasid_dir){ link }) << 12;
}

static uim_word *follow(const struct vtd_unit *v, uint64_t link)
{
    if (!(link & VTD_ENTRY_P))
        return NULL;
    uim_fence_acquire(); /* pairs with write_back() before the link */
    return uim_phys_to_virt(v->unit.host, link_phys(link));
}

static void free_linked(const struct vtd_unit *v, uint64_t link)
{
    uim_pages_free(&v->unit, follow(v, link), link_phys(link), 0);
}

/* ---- PASID directories and tables ---------------------------------------- */

static unsigned dir_entries(uint64_t link)
{
    const struct vtd_ctx_scalable_q0 context = { link };

    return 1u << (vtd_ctx_scalable_q0_pdts(context) + VTD_PDTS_ENTRIES_SHIFT);
}

static unsigned dir_order(unsigned pdts)
{
    return pdts > PDTS_OF_PAGE ? pdts - PDTS_OF_PAGE : 0;
}

static void dir_free(const struct vtd_unit *v, uint64_t link)
{
    const struct vtd_ctx_scalable_q0 context = { link };
    const unsigned pdts = (unsigned)vtd_ctx_scalable_q0_pdts(context);

    uim_pages_free(&v->unit, follow(v, link), link_phys(link), dir_order(pdts));
}

uim_word *vtd_pasid_entry(const struct vtd_unit *v, uint64_t link,
                          uint32_t pasid)
{
    uim_word *dir = follow(v, link);
    uim_word *table = NULL;

    if (dir && pasid / PASIDS < dir_entries(link))
        table = follow(v, uim_ld64(&dir[pasid / PASIDS]));
    return table ? &table[pasid % PASIDS * ENTRY_WORDS] : NULL;
}

uim_word *vtd_pasid_entry_of(struct vtd_unit *v, struct vtd_sid sid,
                             uint32_t pasid)
{
    uim_word *context, *entry = NULL;

    atomic_fetch_add(&v->walkers, 1);
    uim_fence_full(); /* pairs with that of walked_by_nobody() */
    context = vtd_context(v, sid);
    if (context)
        entry = vtd_pasid_entry(v, uim_ld64(context), pasid);
    atomic_fetch_sub(&v->walkers, 1);
    return entry;
}

/* One page does for most devices; what goes beyond gets all that its device may
 * use, and never grows again. */
static unsigned pdts_for(unsigned bits, uint32_t pasid)
{
    unsigned all = bits > PDTS_0_BITS ? bits - PDTS_0_BITS : 0;
    unsigned page = all < PDTS_OF_PAGE ? all : PDTS_OF_PAGE;

    return pasid >> (page + PDTS_0_BITS) == 0 ? page : all;
}

/* The directory with what was in the one behind `old`, if there is one. */
static enum uiommu_status dir_create(const struct vtd_unit *v, unsigned pdts,
                                     uint64_t old, uint64_t *link)
{
    struct vtd_ctx_scalable_q0_fields context = { .p = 1, .pdts = pdts };
    const uim_word *from = follow(v, old);
    unsigned n = from ? dir_entries(old) : 0;
    uint64_t phys;
    uim_word *dir =
        uim_pages_alloc(&v->unit, v->coherent, dir_order(pdts), &phys);

    if (!dir)
        return UIOMMU_NOMEM;
    for (unsigned i = 0; i < n; i++)
        uim_st64(&dir[i], uim_ld64(&from[i]));
    write_back(v, dir, n * sizeof(*dir));
    context.pasiddirptr = phys >> 12;
    *link = vtd_ctx_scalable_q0_pack(&context).raw;
    return UIOMMU_OK;
}

/* 6.2: with CM=1 that the directory entry was not present may be cached, for
 * all 64 PASIDs and under domain id 0. */
static enum uiommu_status table_announce(struct vtd_unit *v)
{
    struct vtd_batch b = { .n = 0 };

    if (!vtd_cap_cm(v->cap))
        return UIOMMU_OK;
    vtd_add_pasid_cache(&b, VTD_PC_DOMAIN, VTD_DID_ABSENT, 0);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, VTD_DID_ABSENT);
    return vtd_submit(v, &b);
}

/* Adds a table to the directory behind `link`, which `live` hardware may read. */
static enum uiommu_status table_add(struct vtd_unit *v, uint64_t link,
                                    uint32_t pasid, bool live)
{
    struct vtd_pasid_dir_fields entry = { .p = 1 };
    uim_word *dir = follow(v, link);
    uint64_t phys;

    if (uim_ld64(&dir[pasid / PASIDS]) & VTD_ENTRY_P)
        return UIOMMU_OK;
    if (!uim_pages_alloc(&v->unit, v->coherent, 0, &phys))
        return UIOMMU_NOMEM;
    entry.smptblptr = phys >> 12;
    vtd_entry_store(v, &dir[pasid / PASIDS], vtd_pasid_dir_pack(&entry).raw);
    return live ? table_announce(v) : UIOMMU_OK;
}

static bool reaches(uint64_t link, uint32_t pasid)
{
    return (link & VTD_ENTRY_P) && pasid / PASIDS < dir_entries(link);
}

/* A directory in place of the one behind `old`, and the table in it. */
static enum uiommu_status dir_replace(struct vtd_unit *v, uint64_t old,
                                      uint32_t pasid, unsigned bits,
                                      struct vtd_pasid_tables *out)
{
    enum uiommu_status status;

    if (old & VTD_ENTRY_P) {
        out->retired = uim_alloc(v->unit.u, sizeof(*out->retired));
        if (!out->retired)
            return UIOMMU_NOMEM;
        out->retired->link = old;
    }
    status = dir_create(v, pdts_for(bits, pasid), old, &out->link);
    if (status != UIOMMU_OK)
        return status;
    return table_add(v, out->link, pasid, false);
}

enum uiommu_status vtd_pasid_tables_create(struct vtd_unit *v, uint64_t old,
                                           uint32_t pasid, unsigned bits,
                                           struct vtd_pasid_tables *out)
{
    enum uiommu_status status;

    *out = (struct vtd_pasid_tables){ .link = old };
    if (reaches(old, pasid))
        return table_add(v, old, pasid, true);
    out->link = 0;
    status = dir_replace(v, old, pasid, bits, out);
    if (status == UIOMMU_OK)
        return UIOMMU_OK;
    if (out->link)
        dir_free(v, out->link);
    uim_free(v->unit.u, out->retired, sizeof(*out->retired));
    return status;
}

void vtd_pasid_tables_destroy(const struct vtd_unit *v, uint64_t link)
{
    const uim_word *dir = follow(v, link);

    if (!dir)
        return;
    for (unsigned i = 0; i < dir_entries(link); i++)
        free_linked(v, uim_ld64(&dir[i]));
    dir_free(v, link);
}

/* The context entry leads elsewhere: whoever comes into a walk now goes there. */
static bool walked_by_nobody(const struct vtd_unit *v)
{
    uim_fence_full();
    return atomic_load(&v->walkers) == 0;
}

void vtd_retire(struct vtd_unit *v, struct vtd_retired *retired, bool confirmed)
{
    const struct uiommu_host *h = v->unit.host;

    if (!retired)
        return;
    if (confirmed && walked_by_nobody(v)) {
        dir_free(v, retired->link);
        uim_free(v->unit.u, retired, sizeof(*retired));
        return;
    }
    h->mutex_lock(h->ctx, v->table_lock);
    retired->next = v->retired;
    v->retired = retired;
    h->mutex_unlock(h->ctx, v->table_lock);
}

void vtd_retired_destroy(struct vtd_unit *v, bool unused)
{
    struct vtd_retired *retired;

    while ((retired = v->retired) != NULL) {
        v->retired = retired->next;
        if (unused)
            dir_free(v, retired->link);
        uim_free(v->unit.u, retired, sizeof(*retired));
    }
}

/* ---- the domain ids behind a context entry ------------------------------- */

static void note_did(struct vtd_dids *dids, const uim_word *entry)
{
    const struct vtd_pasid_entry_q1 q1 = { uim_ld64(&entry[1]) };
    const uint16_t id = (uint16_t)vtd_pasid_entry_q1_did(q1);

    if (uim_ld64(&entry[0]) == 0 && q1.raw == 0)
        return;
    for (unsigned i = 0; i < dids->n; i++)
        if (dids->did[i].id == id)
            return;
    if (dids->n < VTD_DIDS)
        dids->did[dids->n++].id = id;
    else
        dids->more = true;
}

void vtd_pasid_dids(const struct vtd_unit *v, uint64_t link,
                    struct vtd_dids *out)
{
    const uim_word *dir = follow(v, link);

    *out = (struct vtd_dids){ .n = 0 };
    for (unsigned i = 0; dir && i < dir_entries(link); i++) {
        const uim_word *table = follow(v, uim_ld64(&dir[i]));

        for (unsigned k = 0; table && k < PASIDS && !out->more; k++)
            note_did(out, &table[k * ENTRY_WORDS]);
    }
}

/* ---- root and context tables --------------------------------------------- */

/* Scalable mode: 32-byte entries, one table for devfn 0 to 127 linked by the
 * low word of the root entry, one for the rest by the high word (3.4.3). */
static uim_word *root_word(const struct vtd_unit *v, struct vtd_sid sid)
{
    unsigned bus = sid.id >> 8;
    unsigned upper = vtd_has_pasids(v) && (sid.id & 0x80) != 0;

    return &v->root[bus * (VTD_ROOT_ENTRY_BYTES / 8) + upper];
}

static uim_word *context_in(const struct vtd_unit *v, uim_word *table,
                            struct vtd_sid sid)
{
    if (!table)
        return NULL;
    if (vtd_has_pasids(v))
        return &table[(sid.id & 0x7fu) * (VTD_CONTEXT_SCALABLE_BYTES / 8)];
    return &table[(sid.id & 0xffu) * (VTD_CONTEXT_LEGACY_BYTES / 8)];
}

uim_word *vtd_context(const struct vtd_unit *v, struct vtd_sid sid)
{
    return context_in(v, follow(v, uim_ld64(root_word(v, sid))), sid);
}

static enum uiommu_status context_table_add(struct vtd_unit *v, uim_word *root)
{
    struct vtd_root_lo_fields link = { .p = 1 };
    uint64_t phys;

    if (!uim_pages_alloc(&v->unit, v->coherent, 0, &phys))
        return UIOMMU_NOMEM;
    link.ctp = phys >> 12;
    vtd_entry_store(v, root, vtd_root_lo_pack(&link).raw);
    /* 6.2: with CM=1 that the root entry was not present may be cached, and a
     * root entry has no narrower invalidation. */
    return vtd_cap_cm(v->cap) ? vtd_invalidate_all(v) : UIOMMU_OK;
}

enum uiommu_status vtd_context_create(struct vtd_unit *v, struct vtd_sid sid,
                                      uim_word **out)
{
    const struct uiommu_host *h = v->unit.host;
    uim_word *root = root_word(v, sid);
    enum uiommu_status status = UIOMMU_OK;

    h->mutex_lock(h->ctx, v->table_lock);
    if (!(uim_ld64(root) & VTD_ENTRY_P))
        status = context_table_add(v, root);
    h->mutex_unlock(h->ctx, v->table_lock);
    if (status == UIOMMU_OK)
        *out = vtd_context(v, sid);
    return status;
}

/* ---- all of them --------------------------------------------------------- */

enum uiommu_status vtd_tables_create(struct vtd_unit *v)
{
    v->root = uim_pages_alloc(&v->unit, v->coherent, 0, &v->root_phys);
    return v->root ? UIOMMU_OK : UIOMMU_NOMEM;
}

/* What copies of entries lead to is not ours. */
static void context_table_free(struct vtd_unit *v, unsigned first,
                               uint64_t link)
{
    const unsigned words = VTD_CONTEXT_SCALABLE_BYTES / 8;
    const uim_word *table = follow(v, link);

    if (!table)
        return;
    for (unsigned i = 0; vtd_has_pasids(v) && i < WORDS_PER_PAGE / words; i++)
        if (!vtd_is_adopted(v, (struct vtd_sid){ (uint16_t)(first + i) }))
            vtd_pasid_tables_destroy(v, uim_ld64(&table[i * words]));
    free_linked(v, link);
}

/* Bit 0 is P in both words; in legacy mode the high one is 0. */
void vtd_tables_destroy(struct vtd_unit *v)
{
    if (!v->root)
        return;
    for (unsigned i = 0; i < BUSES * (VTD_ROOT_ENTRY_BYTES / 8); i++)
        context_table_free(v, i << 7, uim_ld64(&v->root[i]));
    uim_pages_free(&v->unit, v->root, v->root_phys, 0);
    v->root = NULL;
}
