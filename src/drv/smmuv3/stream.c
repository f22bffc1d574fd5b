/* SPDX-License-Identifier: MIT */
/*
 * stream.c - the stream table (3.3, chapter 5).
 *
 * A table that is linked stays until the unit is released: hardware may be in it at any
 * time, and blocking a stream must never need memory. An entry that is all zeros is
 * invalid: its stream is blocked, and the unit tells of it. Links are read without a lock
 * by smmuv3_cut(), so a table is in memory before the word that links it.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    SPLIT = SMMUV3_SPLIT_SPLIT_16K,
    STES = 1 << SPLIT,        /* in a table of level 2                      */
    STE_TABLE_ORDER = 2,
    TWO_LEVEL_BITS_MOST = 24, /* 512 KiB of level 1                         */
    LINEAR_BITS_MOST = 16,    /* 4 MiB                                      */
};

/* ---- entries --------------------------------------------------------------- */

static uint64_t l1_phys(uint64_t l1std)
{
    return smmuv3_l1std_l2ptr((struct smmuv3_l1std){ l1std }) << 6;
}

static uim_word *follow(const struct smmuv3_unit *v, uint64_t l1std)
{
    if (smmuv3_l1std_span((struct smmuv3_l1std){ l1std }) == 0)
        return NULL;
    uim_fence_acquire(); /* pairs with uim_pages_alloc() before the link */
    return uim_phys_to_virt(v->unit.host, l1_phys(l1std));
}

uim_word *smmuv3_ste(const struct smmuv3_unit *v, struct smmuv3_sid sid)
{
    uim_word *table;

    if (sid.id >> v->sid_bits != 0)
        return NULL;
    if (!v->two_level)
        return &v->strtab[(size_t)sid.id * SMMUV3_STE_WORDS];
    table = follow(v, uim_ld64(&v->strtab[sid.id >> SPLIT]));
    return table ? &table[sid.id % STES * SMMUV3_STE_WORDS] : NULL;
}

static enum uiommu_status add_table(struct smmuv3_unit *v, uim_word *l1std)
{
    struct smmuv3_l1std_fields link = { .span = SPLIT + 1 };
    uint64_t phys;

    if (!uim_pages_alloc(&v->unit, v->coherent, STE_TABLE_ORDER, &phys))
        return UIOMMU_NOMEM;
    link.l2ptr = phys >> 6;
    uim_st64(l1std, smmuv3_l1std_pack(&link).raw);
    uim_write_back(&v->unit, v->coherent, l1std, sizeof(*l1std));
    return UIOMMU_OK;
}

/* ---- adding ---------------------------------------------------------------- */

enum uiommu_status smmuv3_sid_check(const struct smmuv3_unit *v,
                                    struct smmuv3_sid sid)
{
    if (sid.id >> v->sid_bits == 0)
        return UIOMMU_OK;
    uim_log(v->unit.u, UIOMMU_LOG_ERROR,
            "smmuv3 unit at 0x%lx: stream 0x%x is beyond its stream table",
            v->unit.base, sid.id);
    return UIOMMU_OPNOTSUPP;
}

/* That the table was not there may be cached: whoever changes an entry afterwards makes
 * caches forget it, and the way to it. */
enum uiommu_status smmuv3_ste_create(struct smmuv3_unit *v,
                                     struct smmuv3_sid sid, uim_word **out)
{
    const struct uiommu_host *h = v->unit.host;
    enum uiommu_status status = UIOMMU_OK;

    h->mutex_lock(h->ctx, v->table_lock);
    if (!smmuv3_ste(v, sid))
        status = add_table(v, &v->strtab[sid.id >> SPLIT]);
    h->mutex_unlock(h->ctx, v->table_lock);
    *out = smmuv3_ste(v, sid);
    return status;
}

/* ---- all of them ----------------------------------------------------------- */

static uint64_t table_bytes(const struct smmuv3_unit *v)
{
    if (v->two_level)
        return UIM_BIT(v->sid_bits - SPLIT) * SMMUV3_L1STD_BYTES;
    return UIM_BIT(v->sid_bits) * SMMUV3_STE_BYTES;
}

enum uiommu_status smmuv3_streams_create(struct smmuv3_unit *v)
{
    unsigned bits = (unsigned)smmuv3_idr1_sidsize(v->idr1);
    unsigned most;

    v->two_level = smmuv3_idr0_st_level(v->idr0) == SMMUV3_ST_LEVEL_TWO_LEVEL &&
                   bits > SPLIT;
    most = v->two_level ? TWO_LEVEL_BITS_MOST : LINEAR_BITS_MOST;
    v->sid_bits = (uint8_t)(bits < most ? bits : most);
    v->strtab_order = smmuv3_order(table_bytes(v));
    v->strtab = uim_pages_alloc(&v->unit, v->coherent, v->strtab_order,
                                &v->strtab_phys);
    return v->strtab ? UIOMMU_OK : UIOMMU_NOMEM;
}

static struct smmuv3_strtab_base base_of(const struct smmuv3_unit *v)
{
    const struct smmuv3_strtab_base_fields base = {
        .ra = 1,
        .addr = v->strtab_phys >> 6,
    };

    return smmuv3_strtab_base_pack(&base);
}

static struct smmuv3_strtab_base_cfg cfg_of(const struct smmuv3_unit *v)
{
    const struct smmuv3_strtab_base_cfg_fields cfg = {
        .fmt = v->two_level ? SMMUV3_STRTAB_TWO_LEVEL : SMMUV3_STRTAB_LINEAR,
        .split = v->two_level ? SPLIT : 0,
        .log2size = v->sid_bits,
    };

    return smmuv3_strtab_base_cfg_pack(&cfg);
}

void smmuv3_streams_program(const struct smmuv3_unit *v)
{
    uim_wr64(&v->unit, SMMUV3_REG_STRTAB_BASE, base_of(v).raw);
    uim_wr32(&v->unit, SMMUV3_REG_STRTAB_BASE_CFG, (uint32_t)cfg_of(v).raw);
}

/* RA is a hint, and need not be kept. */
bool smmuv3_streams_programmed(const struct smmuv3_unit *v)
{
    const struct smmuv3_strtab_base base = { uim_rd64(&v->unit,
                                                      SMMUV3_REG_STRTAB_BASE) };

    return smmuv3_strtab_base_addr(base) == v->strtab_phys >> 6 &&
           uim_rd32(&v->unit, SMMUV3_REG_STRTAB_BASE_CFG) == cfg_of(v).raw;
}

static void destroy_cds(const struct smmuv3_unit *v, const uim_word *stes,
                        uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        smmuv3_cds_destroy(v, &stes[i * SMMUV3_STE_WORDS]);
}

void smmuv3_streams_destroy(struct smmuv3_unit *v)
{
    if (!v->strtab)
        return;
    if (!v->two_level)
        destroy_cds(v, v->strtab, UIM_BIT(v->sid_bits));
    for (uint64_t i = 0; v->two_level && i < UIM_BIT(v->sid_bits - SPLIT);
         i++) {
        uint64_t l1std = uim_ld64(&v->strtab[i]);
        uim_word *table = follow(v, l1std);

        if (!table)
            continue;
        destroy_cds(v, table, STES);
        uim_pages_free(&v->unit, table, l1_phys(l1std), STE_TABLE_ORDER);
    }
    smmuv3_aside_destroy(v);
    uim_pages_free(&v->unit, v->strtab, v->strtab_phys, v->strtab_order);
    v->strtab = NULL;
}
