/* SPDX-License-Identifier: MIT */
/*
 * table.c - root, context and PASID tables (3.4, 9.1 to 9.6).
 *
 * A table that is linked stays until the unit is released: hardware may be in
 * it at any time, and blocking a requester must never need memory. An entry
 * that is all zeros has nothing in any cache; one with P=0 and other bits set
 * is blocked but may still be cached under the domain id it holds (see set.c).
 *
 * Links are read without a lock by vtd_cut(), so a table is complete, and in
 * memory for a unit that does not snoop, before the word that links it.
 */
#include "drv/vtd/vtd.h"

enum {
    PAGE_SIZE = 4096,
    WORDS_PER_PAGE = PAGE_SIZE / 8,
    BUSES = 256,
    /* Of the directory and the one table behind a context entry. */
    PDTS = 0,
    PASIDS = VTD_PASID_TABLE_ENTRIES,
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
    if (!uim_entry_open(&v->unit, endpoint, v->coherent, entry, value[0]))
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

/* ---- PASID directory and table ------------------------------------------- */

uim_word *vtd_pasid_entry(const struct vtd_unit *v, uint64_t link,
                          uint32_t pasid)
{
    uim_word *dir = follow(v, link);
    uim_word *table = dir ? follow(v, uim_ld64(&dir[pasid / PASIDS])) : NULL;

    if (!table)
        return NULL;
    return &table[pasid % PASIDS * (VTD_PASID_ENTRY_BYTES / 8)];
}

enum uiommu_status vtd_pasid_tables_create(struct vtd_unit *v, uint64_t *link)
{
    struct vtd_ctx_scalable_q0_fields context = { .p = 1, .pdts = PDTS };
    struct vtd_pasid_dir_fields entry = { .p = 1 };
    uint64_t dir_phys = 0, table_phys = 0;
    uim_word *dir = uim_pages_alloc(&v->unit, v->coherent, 0, &dir_phys);
    uim_word *table = uim_pages_alloc(&v->unit, v->coherent, 0, &table_phys);

    if (!dir || !table) {
        uim_pages_free(&v->unit, dir, dir_phys, 0);
        uim_pages_free(&v->unit, table, table_phys, 0);
        return UIOMMU_NOMEM;
    }
    entry.smptblptr = table_phys >> 12;
    vtd_entry_store(v, &dir[VTD_RID_PASID / PASIDS],
                    vtd_pasid_dir_pack(&entry).raw);
    context.pasiddirptr = dir_phys >> 12;
    *link = vtd_ctx_scalable_q0_pack(&context).raw;
    return UIOMMU_OK;
}

void vtd_pasid_tables_destroy(struct vtd_unit *v, uint64_t link)
{
    const uim_word *dir = follow(v, link);

    if (!dir)
        return;
    free_linked(v, uim_ld64(&dir[VTD_RID_PASID / PASIDS]));
    free_linked(v, link);
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
