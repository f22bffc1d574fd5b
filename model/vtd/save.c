/* SPDX-License-Identifier: MIT */
/*
 * The state of a unit (state.h), member by member of struct mvtd:
 *
 *     reg, root, irta, gcmd_pending                  saved
 *     frcd_*, next_record                            saved
 *     wait, devtlb and their numbers                 saved: the VMM still answers
 *     received                                       saved: so does software
 *     the caches, fs_dids, base.unit.recent          saved, see below
 *     tlb_sizes                                      follows from the caches
 *     counter, base.unit.warnings                    saved
 *     base.host, base.check                          of the process, not of the unit
 *     args, haw                                      the state says which it is of
 *     base.unit.run_budget, note                     nothing between two calls
 *
 * Hardware may lose what it caches at any time, so caches could be left out. But
 * then a snapshot would forgive software that forgot to invalidate, which is what
 * adversarial caches are there to find; and a guest would see that it was moved.
 *
 * What the VMM keeps of the model's answers it throws away when it loads, as for a
 * reset (rule 9 of the ABI): nothing is notified.
 */
#include "model/vtd/vtd.h"

#include "model/state.h"

enum {
    VERSION = 3,
    SERIALS = 2 * MVTD_PENDING, /* of requests and waits, see renumber() */
};

#define END                                                                    \
    {                                                                          \
        .size = 0                                                              \
    }

static const struct uim_state_field unit_fields[] = {
    UIM_STATE_FIELD(mvtd, gcmd_pending, 1),
    UIM_STATE_FIELD(mvtd, next_record, MVTD_RECORDS - 1),
    UIM_STATE_FIELD(mvtd, base.unit.warnings, UIM_UNIT_WARNINGS),
    UIM_STATE_FIELD(mvtd, base.unit.n_recent, 2 * UIM_UNIT_RECENT - 1),
    UIM_STATE_FIELD(mvtd, n_recent_irtes, 2 * MVTD_RECENT - 1),
    UIM_STATE_FIELD(mvtd, n_waits, MVTD_PENDING),
    UIM_STATE_FIELD(mvtd, devtlb_serial, SERIALS),
    UIM_STATE_FIELD(mvtd, devtlb_tag, UINT32_MAX),
    END
};

static const struct uim_state_field wait_fields[] = {
    UIM_STATE_FIELD(mvtd_wait, serial, SERIALS),
    UIM_STATE_FIELD(mvtd_wait, lo.raw, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_wait, hi.raw, UINT64_MAX), END
};

static const struct uim_state_field devtlb_fields[] = {
    UIM_STATE_FIELD(mvtd_devtlb, serial, SERIALS),
    UIM_STATE_FIELD(mvtd_devtlb, tag, UINT32_MAX),
    UIM_STATE_FIELD(mvtd_devtlb, sid, UINT16_MAX), END
};

static const struct uim_state_field page_fields[] = {
    UIM_STATE_FIELD(mvtd_page, iova, UINT64_MAX),
    UIM_STATE_FIELD(mvtd_page, rid, UINT32_MAX),
    UIM_STATE_FIELD(mvtd_page, pasid, UINT32_MAX),
    UIM_STATE_FIELD(mvtd_page, group, UIM_MASK(8, 0)),
    UIM_STATE_FIELD(mvtd_page, access, UIM_MASK(3, 0)),
    UIM_STATE_FIELD(mvtd_page, last, 1),
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
    struct uim_cache_kind kind; /* takes slots for the model */
} caches[] = {
    { offsetof(struct mvtd, contexts),
      { entry_fields, mvtd_entry_hash, mvtd_entry_take } },
    { offsetof(struct mvtd, pasids),
      { entry_fields, mvtd_entry_hash, mvtd_entry_take } },
    { offsetof(struct mvtd, tlb),
      { tlb_fields, mvtd_tlb_hash, mvtd_tlb_take } },
    { offsetof(struct mvtd, walks),
      { walk_fields, mvtd_walk_hash, mvtd_walk_take } },
    { offsetof(struct mvtd, irtes),
      { irte_fields, mvtd_irte_hash, mvtd_irte_take } },
};

/* ---- what takes more than a table ------------------------------------------ */

/* As latched: what their registers can hold. */
static void visit_latched(struct mvtd *m, struct uim_state *s)
{
    uim_state_bits(s, &m->root.raw, ~UIM_MASK(9, 0));
    uim_state_bits(s, &m->irta.raw, m->args.ir ? ~UIM_MASK(10, 4) : 0);
}

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

static bool has_a_pasid(uint32_t pasid)
{
    return pasid == UIM_MODEL_NO_PASID || pasid >> MVTD_PASID_BITS == 0;
}

static void visit_pages(struct mvtd *m, struct uim_state *s)
{
    uint64_t n = m->n_received;

    uim_state_u64(s, &n, m->args.prs ? MVTD_RECEIVED : 0);
    m->n_received = (unsigned)n;
    for (unsigned i = 0; i < m->n_received; i++) {
        uim_state_fields(s, &m->received[i], page_fields);
        if (!has_a_pasid(m->received[i].pasid))
            uim_state_refuse(s, "holds a number that cannot be");
    }
}

static void visit_requests(struct mvtd *m, struct uim_state *s)
{
    uim_unit_state(s, &m->base);
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

/* In rising order; 2^16 ends them. Those of cached entries are known without. */
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
    for (size_t i = 0; i < sizeof(caches) / sizeof(*caches); i++) {
        void *c = (char *)m + caches[i].cache;

        uim_cache_state(c, s, &caches[i].kind, m);
    }
}

/* ---- what holds between calls ---------------------------------------------- */

static bool alike(const struct mvtd_devtlb *a, const struct mvtd_devtlb *b)
{
    return a->open && b->open && (a->tag == b->tag || a->serial == b->serial);
}

static bool requests_differ(const struct mvtd *m)
{
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        const struct mvtd_devtlb *d = &m->devtlb[i];

        if (d->open && (d->serial == 0 || d->serial > m->devtlb_serial))
            return false;
        for (unsigned k = 0; k < i; k++) {
            if (alike(&m->devtlb[k], d))
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
    visit_latched(m, s);
    uim_state_fields(s, m, unit_fields);
    visit_records(m, s);
    visit_devtlbs(m, s);
    visit_waits(m, s);
    visit_pages(m, s);
    visit_requests(m, s);
    visit_fs_dids(m, s);
    visit_caches(m, s);
    for (unsigned i = 0; i < MVTD_N_COUNTERS; i++)
        uim_state_u64(s, &m->counter[i], UINT64_MAX);
    if (!s->wrong && (!requests_differ(m) || !waits_stand(m)))
        uim_state_refuse(s, "contradicts itself");
}

/* ---- serials ------------------------------------------------------------------ */

static void lower(uint64_t serial, uint64_t above, uint64_t *least)
{
    if (serial > above && serial < *least)
        *least = serial;
}

/* UINT64_MAX: none. */
static uint64_t next_serial(const struct mvtd *m, uint64_t above)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        if (m->devtlb[i].open)
            lower(m->devtlb[i].serial, above, &least);
    }
    for (unsigned i = 0; i < m->n_waits; i++)
        lower(m->wait[i].serial, above, &least);
    return least;
}

static void replace_serial(struct mvtd *m, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        if (m->devtlb[i].serial == from)
            m->devtlb[i].serial = to;
    }
    for (unsigned i = 0; i < m->n_waits; i++) {
        if (m->wait[i].serial == from)
            m->wait[i].serial = to;
    }
}

/* From 1 on: only their order counts, and so no state comes to their end. */
static void renumber(struct mvtd *m)
{
    uint64_t n = 0;

    for (uint64_t at = next_serial(m, 0); at != UINT64_MAX;
         at = next_serial(m, at))
        replace_serial(m, at, ++n);
    m->devtlb_serial = n;
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

    renumber(mvtd_of(model));
    return uim_state_save(model, &format, fn, ctx);
}

int mvtd_load(struct uim_model *model, uim_model_read_fn fn, void *ctx)
{
    struct uim_state_format format = format_of(mvtd_of(model));

    return uim_state_load(model, &format, fn, ctx);
}
