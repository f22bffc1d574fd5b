/* SPDX-License-Identifier: MIT */
/*
 * The state of a unit (state.h), member by member of struct msmmu:
 *
 *     reg                                            saved
 *     atc, atc_tag, atc_failed                       saved: the VMM still answers
 *     stall, n_stalls, stall_tag                     saved: it still waits
 *     the caches, gave_wide, base.unit.recent        saved, see below
 *     tlb_sizes                                      follows from the caches
 *     counter, base.unit.warnings                    saved
 *     base.host, base.check                          of the process, not of the unit
 *     args                                           the state says which it is of
 *     base.unit.run_budget, note                     nothing between two calls
 *
 * Hardware may lose what it caches at any time, so caches could be left out. But
 * then a snapshot would forgive software that forgot to invalidate, which is what
 * adversarial caches are there to find; and a guest would see that it was moved.
 */
#include "model/smmuv3/smmuv3.h"

#include "model/state.h"

enum { VERSION = 2 };

#define END                                                                    \
    {                                                                          \
        .size = 0                                                              \
    }

static const struct uim_state_field unit_fields[] = {
    UIM_STATE_FIELD(msmmu, atc_tag, UINT32_MAX),
    UIM_STATE_FIELD(msmmu, atc_failed, 1),
    UIM_STATE_FIELD(msmmu, gave_wide, 1),
    UIM_STATE_FIELD(msmmu, n_stalls, MSMMU_STALLS),
    UIM_STATE_FIELD(msmmu, stall_tag, UINT32_MAX),
    UIM_STATE_FIELD(msmmu, base.unit.warnings, UIM_UNIT_WARNINGS),
    UIM_STATE_FIELD(msmmu, base.unit.n_recent, 2 * UIM_UNIT_RECENT - 1),
    END
};

static const struct uim_state_field atc_fields[] = {
    UIM_STATE_FIELD(msmmu_atc, tag, UINT32_MAX),
    UIM_STATE_FIELD(msmmu_atc, sid, UINT32_MAX), END
};

#define EVENT(n) UIM_STATE_FIELD(msmmu_stall, word[n], UINT64_MAX)
static const struct uim_state_field stall_fields[] = {
    UIM_STATE_FIELD(msmmu_stall, state, MSMMU_STALL_RECORDED),
    UIM_STATE_FIELD(msmmu_stall, ended, 1),
    UIM_STATE_FIELD(msmmu_stall, outdated, 1),
    UIM_STATE_FIELD(msmmu_stall, stag, UINT16_MAX),
    UIM_STATE_FIELD(msmmu_stall, tag, UINT32_MAX),
    UIM_STATE_FIELD(msmmu_stall, rid, UINT32_MAX),
    UIM_STATE_FIELD(msmmu_stall, pasid, UINT32_MAX),
    UIM_STATE_FIELD(msmmu_stall, access, UINT32_MAX),
    UIM_STATE_FIELD(msmmu_stall, iova, UINT64_MAX),
    EVENT(0),
    EVENT(1),
    EVENT(2),
    EVENT(3),
    END
};

#define WORD(n) UIM_STATE_FIELD(msmmu_entry_slot, raw[n], UINT64_MAX)
static const struct uim_state_field entry_fields[] = {
    WORD(0), WORD(1), WORD(2), WORD(3), WORD(4), WORD(5), WORD(6), WORD(7), END
};

static const struct uim_state_field l1_fields[] = {
    UIM_STATE_FIELD(msmmu_l1_slot, raw, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_l1_slot, lg2, 10), END
};

static const struct uim_state_field tlb_fields[] = {
    UIM_STATE_FIELD(msmmu_tlb_slot, address, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_tlb_slot, asid, MSMMU_ASID_STAGE_2),
    UIM_STATE_FIELD(msmmu_tlb_slot, vmid, UINT16_MAX),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.out, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.ipa, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.lg2, 34),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.granule, 16),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.level, MSMMU_LEVELS - 1),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.rights, MSMMU_RIGHTS),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.rights2, MSMMU_RIGHTS),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.global, 1),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.clean, 1),
    UIM_STATE_FIELD(msmmu_tlb_slot, leaf.clean2, 1),
    END
};

static const struct uim_state_field walk_fields[] = {
    UIM_STATE_FIELD(msmmu_walk_slot, address, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_walk_slot, table, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_walk_slot, raw, UINT64_MAX),
    UIM_STATE_FIELD(msmmu_walk_slot, asid, MSMMU_ASID_STAGE_2),
    UIM_STATE_FIELD(msmmu_walk_slot, vmid, UINT16_MAX),
    UIM_STATE_FIELD(msmmu_walk_slot, level, MSMMU_LEVELS - 1),
    UIM_STATE_FIELD(msmmu_walk_slot, lg2, 63),
    UIM_STATE_FIELD(msmmu_walk_slot, granule, 16),
    UIM_STATE_FIELD(msmmu_walk_slot, rights, MSMMU_RIGHTS),
    END
};

/* One row for each cache. */
static const struct {
    size_t cache; /* in struct msmmu */
    struct uim_cache_kind kind; /* takes slots for the model */
} caches[] = {
    { offsetof(struct msmmu, stes),
      { entry_fields, msmmu_entry_hash, msmmu_ste_take } },
    { offsetof(struct msmmu, cds),
      { entry_fields, msmmu_entry_hash, msmmu_cd_take } },
    { offsetof(struct msmmu, l1s),
      { l1_fields, msmmu_entry_hash, msmmu_l1_take } },
    { offsetof(struct msmmu, tlb),
      { tlb_fields, msmmu_tlb_hash, msmmu_tlb_take } },
    { offsetof(struct msmmu, walks),
      { walk_fields, msmmu_walk_hash, msmmu_walk_take } },
};

/* Those that are open, in any place: which one they have is seen by nobody. */
static void visit_atcs(struct msmmu *m, struct uim_state *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < MSMMU_PENDING; i++)
        n += m->atc[i].open;
    uim_state_u64(s, &n, MSMMU_PENDING);
    for (unsigned i = 0; i < n && uim_state_loads(s); i++)
        m->atc[i].open = true;
    for (unsigned i = 0; i < MSMMU_PENDING; i++) {
        if (m->atc[i].open)
            uim_state_fields(s, &m->atc[i], atc_fields);
    }
}

static bool tags_differ(const struct msmmu *m)
{
    for (unsigned i = 0; i < MSMMU_PENDING; i++) {
        for (unsigned k = 0; k < i && m->atc[i].open; k++) {
            if (m->atc[k].open && m->atc[k].tag == m->atc[i].tag)
                return false;
        }
    }
    return true;
}

static void visit(struct uim_model *model, struct uim_state *s)
{
    struct msmmu *m = msmmu_of(model);

    msmmu_regs_state(m, s);
    uim_state_fields(s, m, unit_fields);
    visit_atcs(m, s);
    for (uint32_t i = 0; i < m->n_stalls; i++)
        uim_state_fields(s, &m->stall[i], stall_fields);
    uim_unit_state(s, model);
    for (size_t i = 0; i < sizeof(caches) / sizeof(*caches); i++)
        uim_cache_state(
            (struct uim_cache *)(void *)((char *)m + caches[i].cache), s,
            &caches[i].kind, m);
    for (unsigned i = 0; i < MSMMU_N_COUNTERS; i++)
        uim_state_u64(s, &m->counter[i], UINT64_MAX);
    if (!s->wrong && (!tags_differ(m) || !msmmu_stalls_good(m)))
        uim_state_refuse(s, "contradicts itself");
}

/* All arguments are numbers, so they are an array. */
static struct uim_state_format format_of(const struct msmmu *m)
{
    return (struct uim_state_format){
        .version = VERSION,
        .size = sizeof(*m),
        .args = (const uint64_t *)(const void *)&m->args,
        .n_args = sizeof(m->args) / sizeof(uint64_t),
        .visit = visit,
    };
}

int msmmu_save(struct uim_model *model, uim_model_write_fn fn, void *ctx)
{
    struct uim_state_format format = format_of(msmmu_of(model));

    return uim_state_save(model, &format, fn, ctx);
}

int msmmu_load(struct uim_model *model, uim_model_read_fn fn, void *ctx)
{
    struct uim_state_format format = format_of(msmmu_of(model));

    return uim_state_load(model, &format, fn, ctx);
}
