/* SPDX-License-Identifier: MIT */
/*
 * cd.c - the memory of context descriptors (3.3.2, 5.3, 5.4).
 *
 * Behind an entry that was ever used for the first stage is one page; two of its context
 * descriptors are used by turns, so that the entry leads to one of them while the other
 * is written. They are not the first: a page may be at address 0, and an entry that leads
 * there was never used.
 *
 * With the first PASID comes a table, whose descriptor 0 is that of requests without one;
 * S1CDMax says which of the two an entry leads to. It has one level if it is a page or
 * the unit knows no other; else leaves are added when they are needed, of 4 KiB where the
 * links to them fit a page, of 64 KiB where they would not. A table stays, also when no
 * PASID is left.
 *
 * What is linked is never freed before the unit is released: hardware, and smmuv3_cut()
 * without a lock, may be in it at any time. What an entry does not lead to any more is
 * put aside.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    PAGE_SIZE = 4096,
    PAIR = 2 * SMMUV3_CD_BYTES, /* where the two are in their page         */
    PAGE_LG2 = 6,               /* descriptors in a page                   */
    LEAF_64K_LG2 = 10,
    LINKS_LG2 = 9,              /* of level 1 in a page                    */
    ASIDE = 1,                  /* the descriptor, and its word, that link */
};

/* ---- what an entry leads to ------------------------------------------------ */

static struct smmuv3_ste_q0 q0_of(const uim_word *ste)
{
    return (struct smmuv3_ste_q0){ ste ? uim_ld64(ste) : 0 };
}

static uint64_t phys_of(struct smmuv3_ste_q0 q0)
{
    return smmuv3_ste_q0_s1contextptr(q0) << 6;
}

static uim_word *cd_at(const struct smmuv3_unit *v, uint64_t phys)
{
    uint8_t *page =
        uim_phys_to_virt(v->unit.host, phys & ~(uint64_t)(PAGE_SIZE - 1));

    return (uim_word *)(void *)(page + (phys & (PAGE_SIZE - 1)));
}

static bool is_table(struct smmuv3_ste_q0 q0)
{
    return smmuv3_ste_q0_s1cdmax(q0) != 0;
}

bool smmuv3_has_table(uint64_t word0)
{
    return is_table((struct smmuv3_ste_q0){ word0 });
}

static bool has_cds(struct smmuv3_ste_q0 q0)
{
    return is_table(q0) || phys_of(q0) != 0;
}

void smmuv3_cds(const struct smmuv3_unit *v, const uim_word *ste,
                struct smmuv3_cds *out)
{
    out->phys = phys_of(q0_of(ste));
    out->spare_phys = out->phys ^ SMMUV3_CD_BYTES;
    out->current = cd_at(v, out->phys);
    out->spare = cd_at(v, out->spare_phys);
}

/* ---- tables ---------------------------------------------------------------- */

static uint32_t n_cds(struct smmuv3_ste_q0 q0)
{
    return UINT32_C(1) << smmuv3_ste_q0_s1cdmax(q0);
}

/* log2 of the descriptors in a leaf; a table of one level is its only leaf. */
static unsigned leaf_lg2(struct smmuv3_ste_q0 q0)
{
    switch (smmuv3_ste_q0_s1fmt(q0)) {
    case SMMUV3_S1FMT_LEVEL2_4K:
        return PAGE_LG2;
    case SMMUV3_S1FMT_LEVEL2_64K:
        return LEAF_64K_LG2;
    default:
        return (unsigned)smmuv3_ste_q0_s1cdmax(q0);
    }
}

static bool has_levels(struct smmuv3_ste_q0 q0)
{
    return smmuv3_ste_q0_s1fmt(q0) != SMMUV3_S1FMT_LINEAR;
}

static unsigned leaf_order(struct smmuv3_ste_q0 q0)
{
    return smmuv3_order(UIM_BIT(leaf_lg2(q0)) * SMMUV3_CD_BYTES);
}

static unsigned root_order(struct smmuv3_ste_q0 q0)
{
    if (!has_levels(q0))
        return leaf_order(q0);
    return smmuv3_order((uint64_t)(n_cds(q0) >> leaf_lg2(q0)) *
                        SMMUV3_L1CD_BYTES);
}

static uim_word *root_of(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    return uim_phys_to_virt(v->unit.host, phys_of(q0));
}

static uint64_t leaf_phys(uint64_t l1cd)
{
    return smmuv3_l1cd_l2ptr((struct smmuv3_l1cd){ l1cd }) << 12;
}

static uim_word *follow(const struct smmuv3_unit *v, uint64_t l1cd)
{
    if (!smmuv3_l1cd_v((struct smmuv3_l1cd){ l1cd }))
        return NULL;
    uim_fence_acquire(); /* pairs with uim_pages_alloc() before the link */
    return uim_phys_to_virt(v->unit.host, leaf_phys(l1cd));
}

/* The leaf that `ssid` lies in; NULL: none yet. */
static uim_word *leaf_of(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0,
                         uint32_t ssid)
{
    uim_word *root = root_of(v, q0);

    if (!has_levels(q0))
        return root;
    return follow(v, uim_ld64(&root[ssid >> leaf_lg2(q0)]));
}

static uim_word *cd_of(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0,
                       uint32_t ssid)
{
    const uint32_t in_leaf = ssid & ((UINT32_C(1) << leaf_lg2(q0)) - 1);
    uim_word *leaf;

    if (!is_table(q0) || ssid >= n_cds(q0))
        return NULL;
    uim_fence_acquire(); /* pairs with the link in the entry */
    leaf = leaf_of(v, q0, ssid);
    return leaf ? &leaf[(size_t)in_leaf * SMMUV3_CD_WORDS] : NULL;
}

uim_word *smmuv3_cd(const struct smmuv3_unit *v, uint64_t word0, uint32_t ssid)
{
    return cd_of(v, (struct smmuv3_ste_q0){ word0 }, ssid);
}

/* The first descriptor from `ssid` on that is valid; n_cds(): none. */
static uint32_t next_valid(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0,
                           uint32_t ssid)
{
    while (ssid < n_cds(q0)) {
        const uim_word *cd = cd_of(v, q0, ssid);

        if (!cd)
            ssid |= (UINT32_C(1) << leaf_lg2(q0)) - 1;
        else if (smmuv3_cd_q0_v((struct smmuv3_cd_q0){ uim_ld64(cd) }))
            return ssid;
        ssid++;
    }
    return ssid;
}

void smmuv3_cds_block(const struct smmuv3_unit *v, uint64_t word0)
{
    const struct smmuv3_ste_q0 q0 = { word0 };

    if (!is_table(q0))
        return;
    for (uint32_t ssid = next_valid(v, q0, 0); ssid < n_cds(q0);
         ssid = next_valid(v, q0, ssid + 1)) {
        uim_word *cd = cd_of(v, q0, ssid);

        if (!smmuv3_cd_is_hushed(cd))
            smmuv3_cd_block(v, cd);
    }
}

/* ---- freeing --------------------------------------------------------------- */

static void free_leaves(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    const uim_word *root = root_of(v, q0);
    const uint32_t n = n_cds(q0) >> leaf_lg2(q0);

    for (uint32_t i = 0; i < n; i++) {
        const uint64_t l1cd = uim_ld64(&root[i]);

        uim_pages_free(&v->unit, follow(v, l1cd), leaf_phys(l1cd),
                       leaf_order(q0));
    }
}

static void free_table(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    if (has_levels(q0))
        free_leaves(v, q0);
    uim_pages_free(&v->unit, root_of(v, q0), phys_of(q0), root_order(q0));
}

static void free_pair(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    const uint64_t page = phys_of(q0) & ~(uint64_t)(PAGE_SIZE - 1);

    uim_pages_free(&v->unit, uim_phys_to_virt(v->unit.host, page), page, 0);
}

static void free_cds(const struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    if (is_table(q0))
        free_table(v, q0);
    else if (has_cds(q0))
        free_pair(v, q0);
}

void smmuv3_cds_destroy(const struct smmuv3_unit *v, const uim_word *ste)
{
    free_cds(v, q0_of(ste));
}

/* ---- aside ----------------------------------------------------------------- */

/* Descriptor 1, of a page of two or of a table without PASIDs, is not valid: hardware
 * that may still be there does not look at its other words. */
static uim_word *aside_link(const struct smmuv3_unit *v,
                            struct smmuv3_ste_q0 q0)
{
    if (is_table(q0))
        return &cd_of(v, q0, ASIDE)[ASIDE];
    return &cd_at(v, (phys_of(q0) & ~(uint64_t)(PAGE_SIZE - 1)) +
                         SMMUV3_CD_BYTES)[ASIDE];
}

static void put_aside(struct smmuv3_unit *v, struct smmuv3_ste_q0 q0)
{
    const struct uiommu_host *h = v->unit.host;
    uim_word *link = aside_link(v, q0);

    h->mutex_lock(h->ctx, v->table_lock);
    uim_st64(link, v->aside);
    uim_write_back(&v->unit, v->coherent, link, sizeof(*link));
    v->aside = q0.raw;
    h->mutex_unlock(h->ctx, v->table_lock);
}

void smmuv3_table_linked(struct smmuv3_unit *v, const uim_word *ste,
                         uint64_t before, uint64_t table)
{
    const struct smmuv3_ste_q0 left = { before }, new = { table };

    if (phys_of(q0_of(ste)) != phys_of(new))
        free_table(v, new); /* nobody has ever been there */
    else if (has_cds(left))
        put_aside(v, left);
}

void smmuv3_aside_destroy(struct smmuv3_unit *v)
{
    while (v->aside != 0) {
        const struct smmuv3_ste_q0 q0 = { v->aside };

        v->aside = uim_ld64(aside_link(v, q0));
        free_cds(v, q0);
    }
}

/* ---- adding ---------------------------------------------------------------- */

/* The entry was never used: it is not valid, or aborts whatever comes. */
static void link_pair(const struct smmuv3_unit *v, uim_word *ste, uint64_t page)
{
    const struct smmuv3_ste_q0_fields link = {
        .s1contextptr = (page + PAIR) >> 6,
    };

    uim_entry_change(&v->unit, v->coherent, ste, 0,
                     smmuv3_ste_q0_pack(&link).raw);
}

/* Both are had before either is linked: one that fails leaves no trace. */
enum uiommu_status smmuv3_stream_create(struct smmuv3_unit *v,
                                        struct smmuv3_sid sid, uim_word **out)
{
    const bool add =
        smmuv3_first_stage(v) && !has_cds(q0_of(smmuv3_ste(v, sid)));
    uim_word *page = NULL;
    uint64_t phys = 0;
    enum uiommu_status status = smmuv3_sid_check(v, sid);

    if (status == UIOMMU_OK && add) {
        page = uim_pages_alloc(&v->unit, v->coherent, 0, &phys);
        status = page ? UIOMMU_OK : UIOMMU_NOMEM;
    }
    if (status == UIOMMU_OK)
        status = smmuv3_ste_create(v, sid, out);
    if (status != UIOMMU_OK) {
        uim_pages_free(&v->unit, page, phys, 0);
        return status;
    }
    if (page)
        link_pair(v, *out, phys);
    return UIOMMU_OK;
}

/* That the leaf was not there may be cached: whoever changes a descriptor in it makes
 * caches forget it, and the way to it. */
static enum uiommu_status add_leaf(const struct smmuv3_unit *v,
                                   struct smmuv3_ste_q0 q0, uint32_t ssid)
{
    struct smmuv3_l1cd_fields link = { .v = 1 };
    uim_word *l1cd;
    uint64_t phys;

    if (leaf_of(v, q0, ssid))
        return UIOMMU_OK;
    if (!uim_pages_alloc(&v->unit, v->coherent, leaf_order(q0), &phys))
        return UIOMMU_NOMEM;
    l1cd = &root_of(v, q0)[ssid >> leaf_lg2(q0)];
    link.l2ptr = phys >> 12;
    uim_st64(l1cd, smmuv3_l1cd_pack(&link).raw);
    uim_write_back(&v->unit, v->coherent, l1cd, sizeof(*l1cd));
    return UIOMMU_OK;
}

static unsigned format_of(const struct smmuv3_unit *v, unsigned bits)
{
    if (bits <= PAGE_LG2 || !smmuv3_idr0_cd2l(v->idr0))
        return SMMUV3_S1FMT_LINEAR;
    return bits <= PAGE_LG2 + LINKS_LG2 ? SMMUV3_S1FMT_LEVEL2_4K
                                        : SMMUV3_S1FMT_LEVEL2_64K;
}

/* With the leaves of the RID and of `ssid`. */
static enum uiommu_status table_create(const struct smmuv3_unit *v,
                                       unsigned bits, uint32_t ssid,
                                       struct smmuv3_ste_q0 *out)
{
    struct smmuv3_ste_q0_fields table = {
        .s1cdmax = bits,
        .s1fmt = format_of(v, bits),
    };
    enum uiommu_status status;
    uint64_t phys;

    *out = smmuv3_ste_q0_pack(&table);
    if (!uim_pages_alloc(&v->unit, v->coherent, root_order(*out), &phys))
        return UIOMMU_NOMEM;
    *out = smmuv3_ste_q0_set_s1contextptr(*out, phys >> 6);
    status = add_leaf(v, *out, 0);
    if (status == UIOMMU_OK)
        status = add_leaf(v, *out, ssid);
    if (status != UIOMMU_OK)
        free_table(v, *out);
    return status;
}

/* The device that the table was made for had fewer PASIDs; it is gone, or shares the
 * id. */
static enum uiommu_status check_unused(const struct smmuv3_unit *v,
                                       struct smmuv3_sid sid,
                                       struct smmuv3_ste_q0 q0)
{
    if (!is_table(q0) || next_valid(v, q0, 1) == n_cds(q0))
        return UIOMMU_OK;
    uim_log(v->unit.u, UIOMMU_LOG_ERROR,
            "smmuv3 unit at 0x%lx: stream 0x%x has room for %u PASIDs only, "
            "and uses them",
            v->unit.base, sid.id, n_cds(q0));
    return UIOMMU_OPNOTSUPP;
}

static enum uiommu_status new_table(struct smmuv3_unit *v,
                                    const struct uiommu_endpoint *ep,
                                    struct smmuv3_ste_q0 *table, uim_word **ste)
{
    enum uiommu_status status =
        table_create(v, ep->device->pasid_bits, ep->pasid, table);

    if (status != UIOMMU_OK)
        return status;
    status = smmuv3_ste_create(v, smmuv3_sid(ep), ste);
    if (status != UIOMMU_OK)
        free_table(v, *table);
    return status;
}

enum uiommu_status smmuv3_table_create(struct smmuv3_unit *v,
                                       const struct uiommu_endpoint *ep,
                                       uim_word **ste, uint64_t *word0)
{
    const struct smmuv3_sid sid = smmuv3_sid(ep);
    struct smmuv3_ste_q0 table;
    enum uiommu_status status = smmuv3_sid_check(v, sid);

    if (status != UIOMMU_OK)
        return status;
    *ste = smmuv3_ste(v, sid);
    table = q0_of(*ste);
    if (is_table(table) && ep->pasid < n_cds(table)) {
        status = add_leaf(v, table, ep->pasid);
    } else {
        status = check_unused(v, sid, table);
        if (status == UIOMMU_OK)
            status = new_table(v, ep, &table, ste);
    }
    *word0 = table.raw;
    return status;
}
