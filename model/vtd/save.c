/* SPDX-License-Identifier: MIT */
/*
 * The state of a unit (state.h), member by member of struct mvtd:
 *
 *     reg, root, irta, gcmd_pending                  saved
 *     frcd_*, next_record                            saved
 *     wait, devtlb and their numbers                 saved: the VMM still answers
 *     the caches, tlb_sizes, fs_dids, recent_*       saved, see below
 *     counter, warnings                              saved
 *     base.host, base.check                          of the process, not of the unit
 *     args, haw                                      the state says which it is of
 *     run_budget, note                               nothing between two calls
 *
 * Hardware may lose what it caches at any time, so caches could be left out. But
 * then a snapshot would forgive software that forgot to invalidate, which is what
 * adversarial caches are there to find; and a guest would see that it was moved.
 */
#include "model/vtd/vtd.h"

#include "model/state.h"

enum { VERSION = 1 };

#define END                                                                    \
    {                                                                          \
        .size = 0                                                              \
    }

static const struct uim_state_field unit_fields[] = {
    UIM_STATE_FIELD(mvtd, root.raw, UINT64_MAX),
    UIM_STATE_FIELD(mvtd, irta.raw, UINT64_MAX),
    UIM_STATE_FIELD(mvtd, gcmd_pending, 1),
    UIM_STATE_FIELD(mvtd, next_record, MVTD_RECORDS - 1),
    UIM_STATE_FIELD(mvtd, warnings, MVTD_WARNINGS),
    UIM_STATE_FIELD(mvtd, n_recent, 2 * MVTD_RECENT - 1),
    UIM_STATE_FIELD(mvtd, n_recent_irtes, 2 * MVTD_RECENT - 1),
    UIM_STATE_FIELD(mvtd, n_waits, MVTD_PENDING),
    UIM_STATE_FIELD(mvtd, devtlb_serial, UINT64_MAX / 2),
    UIM_STATE_FIELD(mvtd, devtlb_tag, UINT32_MAX),
    END
};

static const struct uim_state_field wait_fields[] = {
    UIM_STATE_FIELD(mvtd_wait, serial, UINT64_MAX / 2),
    UIM_STATE_FIELD(mvtd_wait, lo.raw, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_wait, hi.raw, UINT64_MAX), END
};

static const struct uim_state_field devtlb_fields[] = {
    UIM_STATE_FIELD(mvtd_devtlb, serial, UINT64_MAX / 2),
    UIM_STATE_FIELD(mvtd_devtlb, tag, UINT32_MAX),
    UIM_STATE_FIELD(mvtd_devtlb, sid, UINT16_MAX), END
};

static const struct uim_state_field request_fields[] = {
    UIM_STATE_FIELD(uim_model_req, rid, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, pasid, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, access, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, flags, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, iova, UINT64_MAX),
    END
};

static const struct uim_state_field entry_fields[] = {
    UIM_STATE_FIELD(mvtd_entry_slot, pasid, UIM_MASK(MVTD_PASID_BITS - 1, 0)),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.raw[0], UINT64_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.raw[1], UINT64_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.raw[2], UINT64_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.raw[3], UINT64_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.did, UINT16_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.reason, UINT8_MAX),
    UIM_STATE_FIELD(mvtd_entry_slot, entry.fpd, 1),
    END
};

static const struct uim_state_field tlb_fields[] = {
    UIM_STATE_FIELD(mvtd_tlb_slot, iova, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_tlb_slot, pasid, UIM_MASK(MVTD_PASID_BITS - 1, 0)),
    UIM_STATE_FIELD(mvtd_tlb_slot, did, UINT16_MAX),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.gpa, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.lg2, 30),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.reason, UINT8_MAX),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.kind, MVTD_PT),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.read, 1),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.write, 1),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.user, 1),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.dirty, 1),
    UIM_STATE_FIELD(mvtd_tlb_slot, leaf.snoop, 1),
    END
};

static const struct uim_state_field walk_fields[] = {
    UIM_STATE_FIELD(mvtd_walk_slot, iova, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_walk_slot, table, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_walk_slot, raw, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_walk_slot, pasid, UIM_MASK(MVTD_PASID_BITS - 1, 0)),
    UIM_STATE_FIELD(mvtd_walk_slot, did, UINT16_MAX),
    UIM_STATE_FIELD(mvtd_walk_slot, level, UIM_WALK_LEVELS - 1),
    UIM_STATE_FIELD(mvtd_walk_slot, lg2, 48),
    UIM_STATE_FIELD(mvtd_walk_slot, fs, 1),
    UIM_STATE_FIELD(mvtd_walk_slot, read, 1),
    UIM_STATE_FIELD(mvtd_walk_slot, write, 1),
    UIM_STATE_FIELD(mvtd_walk_slot, user, 1),
    END
};

static const struct uim_state_field irte_fields[] = {
    UIM_STATE_FIELD(mvtd_irte_slot, raw[0], UINT64_MAX),
    UIM_STATE_FIELD(mvtd_irte_slot, raw[1], UINT64_MAX), END
};

/* One row for each cache. */
static const struct {
    size_t cache; /* in struct mvtd */
    const struct uim_state_field *fields;
    uim_cache_match good; /* given the model */
} caches[] = {
    { offsetof(struct mvtd, contexts), entry_fields, mvtd_entry_slot_good },
    { offsetof(struct mvtd, pasids), entry_fields, mvtd_entry_slot_good },
    { offsetof(struct mvtd, tlb), tlb_fields, mvtd_tlb_slot_good },
    { offsetof(struct mvtd, walks), walk_fields, mvtd_walk_slot_good },
    { offsetof(struct mvtd, irtes), irte_fields, mvtd_irte_slot_good },
};

/* ---- what takes more than a table ------------------------------------------ */

static void visit_records(struct mvtd *m, struct uim_state *s)
{
    for (unsigned i = 0; i < MVTD_RECORDS; i++) {
        uim_state_bits(s, &m->frcd_lo[i].raw, vtd_frcd_lo_DEFINED);
        uim_state_bits(s, &m->frcd_hi[i].raw, vtd_frcd_hi_DEFINED);
    }
}

/* Those that are open, in any place: which one they have is seen by nobody. */
static void visit_devtlbs(struct mvtd *m, struct uim_state *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < MVTD_PENDING; i++)
        n += m->devtlb[i].open;
    uim_state_u64(s, &n, MVTD_PENDING);
    for (unsigned i = 0; i < n && uim_state_loads(s); i++)
        m->devtlb[i].open = true;
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        if (m->devtlb[i].open)
            uim_state_fields(s, &m->devtlb[i], devtlb_fields);
    }
}

static void visit_waits(struct mvtd *m, struct uim_state *s)
{
    for (unsigned i = 0; i < m->n_waits; i++)
        uim_state_fields(s, &m->wait[i], wait_fields);
}

static void visit_requests(struct mvtd *m, struct uim_state *s)
{
    for (unsigned i = 0; i < MVTD_RECENT && i < m->n_recent; i++)
        uim_state_fields(s, &m->recent[i], request_fields);
    for (unsigned i = 0; i < MVTD_RECENT && i < m->n_recent_irtes; i++) {
        uint64_t index = m->recent_irte[i];

        uim_state_u64(s, &index, UINT16_MAX);
        m->recent_irte[i] = (uint16_t)index;
    }
}

/* The first of fs_dids at or after `did`; 2^16: none. */
static uint64_t next_fs_did(const struct mvtd *m, uint64_t did)
{
    while (did < UIM_BIT(16)) {
        uint64_t word = m->fs_dids[did >> 6] >> (did & 63);

        if (word)
            return did + uim_ctz(word);
        did = (did | 63) + 1;
    }
    return did;
}

/* In rising order; 2^16 ends them. */
static void visit_fs_dids(struct mvtd *m, struct uim_state *s)
{
    uint64_t did = 0;

    for (;;) {
        if (!uim_state_loads(s))
            did = next_fs_did(m, did);
        uim_state_u64(s, &did, UIM_BIT(16));
        if (did == UIM_BIT(16) || s->wrong)
            return;
        m->fs_dids[did >> 6] |= UIM_BIT(did & 63);
        did++;
    }
}

static void visit_caches(struct mvtd *m, struct uim_state *s)
{
    uim_state_bits(s, &m->tlb_sizes, UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30));
    for (size_t i = 0; i < sizeof(caches) / sizeof(*caches); i++) {
        void *c = (char *)m + caches[i].cache;

        uim_cache_state(c, s, caches[i].fields, caches[i].good, m);
    }
}

/* ---- what holds between calls ---------------------------------------------- */

static bool tags_differ(const struct mvtd *m)
{
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        for (unsigned k = 0; m->devtlb[i].open && k < i; k++) {
            if (m->devtlb[k].open && m->devtlb[k].tag == m->devtlb[i].tag)
                return false;
        }
    }
    return true;
}

/* A wait stands behind a request that is open, or is none any more. */
static bool waits_stand(const struct mvtd *m)
{
    uint64_t before = mvtd_oldest_devtlb(m);

    for (unsigned i = 0; i < m->n_waits; i++) {
        const struct mvtd_wait *w = &m->wait[i];

        if (w->serial < before || w->serial > m->devtlb_serial ||
            vtd_qi_wait_lo_type(w->lo) != VTD_QI_WAIT)
            return false;
        before = w->serial;
    }
    return true;
}

static void visit(struct uim_model *model, struct uim_state *s)
{
    struct mvtd *m = mvtd_of(model);

    mvtd_regs_state(m, s);
    uim_state_fields(s, m, unit_fields);
    visit_records(m, s);
    visit_devtlbs(m, s);
    visit_waits(m, s);
    visit_requests(m, s);
    visit_fs_dids(m, s);
    visit_caches(m, s);
    for (unsigned i = 0; i < MVTD_N_COUNTERS; i++)
        uim_state_u64(s, &m->counter[i], UINT64_MAX);
    if (!s->wrong && (!tags_differ(m) || !waits_stand(m)))
        uim_state_refuse(s, "contradicts itself");
}

/* ---- the ops ---------------------------------------------------------------- */

/* All arguments are numbers, so they are an array. */
static struct uim_state_format format_of(const struct mvtd *m)
{
    return (struct uim_state_format){
        .version = VERSION,
        .size = sizeof(*m),
        .args = (const uint64_t *)(const void *)&m->args,
        .n_args = sizeof(m->args) / sizeof(uint64_t),
        .visit = visit,
    };
}

int mvtd_save(struct uim_model *model, uim_model_write_fn fn, void *ctx)
{
    struct uim_state_format format = format_of(mvtd_of(model));

    return uim_state_save(model, &format, fn, ctx);
}

int mvtd_load(struct uim_model *model, uim_model_read_fn fn, void *ctx)
{
    struct uim_state_format format = format_of(mvtd_of(model));

    return uim_state_load(model, &format, fn, ctx);
}
