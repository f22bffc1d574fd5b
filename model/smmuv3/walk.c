/* SPDX-License-Identifier: MIT */
/*
 * Translation table walks (3.3, DDI0487 D8): both stages, alone and nested, access
 * flag and dirty state (3.13), and what of it is cached.
 *
 * Stage 1 of a nested stream finds each of its descriptors through stage 2; stage
 * 2 reads memory. That is all the depth there is.
 */
#include "model/smmuv3/smmuv3.h"

enum {
    ATTEMPTS = 4, /* software may change an entry while its flags are set */
    LINE_WORDS = 8,
    RETRY = 0x200, /* no event */
    READ = UIM_MODEL_R,
    WRITE = UIM_MODEL_W,
    EXECUTE = UIM_MODEL_X,
    READ_U = UIM_MODEL_R << MSMMU_UNPRIVILEGED,
    WRITE_U = UIM_MODEL_W << MSMMU_UNPRIVILEGED,
    EXECUTE_U = UIM_MODEL_X << MSMMU_UNPRIVILEGED,
};

enum kind { HOLE, TABLE, LEAF, BEYOND };

/* What one descriptor says. */
struct entry {
    enum kind kind;
    uint64_t address;
    uint8_t lg2, rights;
    bool af, global, clean, contiguous, nt;
};

/* What was read on the way down. */
struct descent {
    uint64_t phys[MSMMU_LEVELS], raw[MSMMU_LEVELS];
    uint64_t table[MSMMU_LEVELS]; /* where it is, before stage 2             */
    struct entry entry[MSMMU_LEVELS]; /* rights: ANDed so far                */
    unsigned from, level; /* first and last level read                       */
    uint8_t above;        /* rights that the levels above `from` leave       */
};

static unsigned stage_2(struct msmmu *m, struct msmmu_trip *t, uint64_t ipa,
                        uint8_t class, uint32_t want, struct msmmu_leaf *leaf);

unsigned msmmu_shift(const struct msmmu_stage *s, unsigned level)
{
    return s->granule + (s->granule - 3u) * level;
}

/* ---- one descriptor --------------------------------------------------------------- */

static bool beyond(const struct msmmu_stage *s, uint64_t address)
{
    return address >> s->output_bits != 0;
}

/* 4 KiB: 2 MiB and 1 GiB blocks; 16 and 64 KiB: 32 and 512 MiB. */
static bool has_blocks(const struct msmmu_stage *s, unsigned level)
{
    return level == 1 || (level == 2 && s->granule == 12);
}

static struct entry table_of(const struct msmmu_stage *s, uint64_t raw)
{
    struct vmsa_table d = { raw };
    uint64_t ap = vmsa_table_aptable(d);
    struct entry e = { .kind = TABLE, .rights = MSMMU_RIGHTS };

    e.address = uim_align_down(vmsa_table_addr(d) << MSMMU_PAGE_LG2,
                               UIM_BIT(s->granule));
    if (beyond(s, e.address))
        e.kind = BEYOND;
    if (s->second || s->had)
        return e;
    if (ap & VMSA_APTABLE_NO_UNPRIVILEGED)
        e.rights &= (uint8_t) ~(READ_U | WRITE_U);
    if (ap & VMSA_APTABLE_NO_WRITE)
        e.rights &= (uint8_t) ~(WRITE | WRITE_U);
    if (vmsa_table_pxntable(d))
        e.rights &= (uint8_t)~EXECUTE;
    if (vmsa_table_uxntable(d))
        e.rights &= (uint8_t)~EXECUTE_U;
    return e;
}

static void stage_1_leaf(const struct msmmu_stage *s, uint64_t raw,
                         struct entry *e)
{
    struct vmsa_s1_leaf d = { raw };
    uint64_t ap = vmsa_s1_leaf_ap(d);
    bool read_only = ap & VMSA_AP_READ_ONLY;

    e->af = vmsa_s1_leaf_af(d);
    e->global = !vmsa_s1_leaf_ng(d);
    e->clean = read_only && s->hd && vmsa_s1_leaf_dbm(d);
    e->rights = READ | (!read_only || e->clean ? WRITE : 0);
    if (ap & VMSA_AP_UNPRIVILEGED)
        e->rights |= (uint8_t)(e->rights << MSMMU_UNPRIVILEGED);
    if (!vmsa_s1_leaf_pxn(d))
        e->rights |= EXECUTE;
    if (!vmsa_s1_leaf_uxn(d))
        e->rights |= EXECUTE_U;
}

static void stage_2_leaf(const struct msmmu_stage *s, uint64_t raw,
                         struct entry *e)
{
    struct vmsa_s2_leaf d = { raw };
    uint64_t ap = vmsa_s2_leaf_s2ap(d), xn = vmsa_s2_leaf_xn(d);

    e->af = vmsa_s2_leaf_af(d);
    e->clean = !(ap & VMSA_S2AP_WRITE) && s->hd && vmsa_s2_leaf_dbm(d);
    if (ap & VMSA_S2AP_READ)
        e->rights |= READ | READ_U;
    if ((ap & VMSA_S2AP_WRITE) || e->clean)
        e->rights |= WRITE | WRITE_U;
    if (xn == VMSA_XN_ANY || xn == VMSA_XN_EL1_ONLY)
        e->rights |= EXECUTE;
    if (xn == VMSA_XN_ANY || xn == VMSA_XN_EL0_ONLY)
        e->rights |= EXECUTE_U;
}

static struct entry leaf_entry(const struct msmmu_stage *s, unsigned level,
                               uint64_t raw)
{
    struct vmsa_s2_leaf d = {
        raw
    }; /* what both stages have at the same place */
    struct entry e = { .kind = LEAF, .lg2 = (uint8_t)msmmu_shift(s, level) };

    e.address =
        uim_align_down(vmsa_s2_leaf_addr(d) << MSMMU_PAGE_LG2, UIM_BIT(e.lg2));
    if (beyond(s, e.address))
        e.kind = BEYOND;
    e.contiguous = vmsa_s2_leaf_contiguous(d);
    e.nt = level > 0 && vmsa_block_nt((struct vmsa_block){ raw });
    if (s->second)
        stage_2_leaf(s, raw, &e);
    else
        stage_1_leaf(s, raw, &e);
    return e;
}

static struct entry decode(const struct msmmu_stage *s, unsigned level,
                           uint64_t raw)
{
    struct vmsa_any d = { raw };
    bool table = vmsa_any_type(d) == VMSA_TYPE_TABLE;

    if (!vmsa_any_valid(d))
        return (struct entry){ .kind = HOLE };
    if (table && level > 0)
        return table_of(s, raw);
    if (!table && !has_blocks(s, level))
        return (struct entry){ .kind = HOLE };
    return leaf_entry(s, level, raw);
}

/* DDI0487 D8.4: what writing rights do to the others, once all levels are known. */
static uint8_t final_rights(const struct msmmu_stage *s, uint8_t rights)
{
    if (s->second)
        return rights;
    if (rights & WRITE_U)
        rights &= (uint8_t)~EXECUTE;
    if (s->wxn && (rights & WRITE))
        rights &= (uint8_t)~EXECUTE;
    if (s->wxn && (rights & WRITE_U))
        rights &= (uint8_t)~EXECUTE_U;
    if (s->pan && (rights & (s->epan ? READ_U | EXECUTE_U : READ_U)))
        rights &= (uint8_t) ~(READ | WRITE);
    return rights;
}

/* ---- rights ---------------------------------------------------------------------- */

static uint32_t of_requester(const struct msmmu_trip *t, uint8_t rights)
{
    return (t->priv ? rights : (uint32_t)rights >> MSMMU_UNPRIVILEGED) & 7u;
}

uint32_t msmmu_rights(const struct msmmu_trip *t, const struct msmmu_leaf *leaf)
{
    return of_requester(t, leaf->rights & leaf->rights2);
}

static unsigned fault(struct msmmu_trip *t, const struct msmmu_stage *s,
                      unsigned event, uint64_t address)
{
    t->fault.s2 = s->second;
    t->fault.ipa = address;
    if (!s->second)
        t->fault.class = SMMUV3_CLASS_IN;
    return event;
}

/* 0, or that `want` is not granted by this stage. */
static unsigned permit(struct msmmu_trip *t, const struct msmmu_stage *s,
                       uint32_t want, uint8_t rights, uint64_t address)
{
    if ((want & ~of_requester(t, rights)) == 0)
        return 0;
    t->fault.ttrnw = !(want & WRITE);
    return fault(t, s, SMMUV3_EVT_F_PERMISSION, address);
}

/* ---- access flag and dirty state (3.13) ------------------------------------------ */

/* What has to be set in the leaf; 0: nothing. An ATS answer with W lets the device
 * write later, unseen. */
static uint64_t flags_to_set(const struct msmmu_trip *t,
                             const struct msmmu_stage *s, const struct entry *e,
                             uint32_t want, uint64_t raw)
{
    uint64_t to = raw;
    uint32_t asked = t->req->flags & UIM_MODEL_ATS ? t->req->access : want;

    if (!e->af && s->ha)
        to |= vmsa_s1_leaf_set_af((struct vmsa_s1_leaf){ 0 }, 1).raw;
    if (e->clean && (asked & WRITE) && s->second)
        to |= vmsa_s2_leaf_set_s2ap((struct vmsa_s2_leaf){ 0 }, VMSA_S2AP_WRITE)
                  .raw;
    else if (e->clean && (asked & WRITE))
        to &=
            ~vmsa_s1_leaf_set_ap((struct vmsa_s1_leaf){ 0 }, VMSA_AP_READ_ONLY)
                 .raw;
    return to ^ raw;
}

/* The flags of a descriptor of a nested stage 1 are written through stage 2. */
static unsigned may_write(struct msmmu *m, struct msmmu_trip *t,
                          const struct msmmu_stage *s, uint64_t ipa)
{
    struct msmmu_leaf unused;

    if (s->second || !t->s2.on)
        return 0;
    return stage_2(m, t, ipa, SMMUV3_CLASS_TT, WRITE, &unused);
}

static unsigned set_flags(struct msmmu *m, struct msmmu_trip *t,
                          const struct msmmu_stage *s, struct descent *d,
                          uint32_t want, uint64_t address)
{
    struct entry *e = &d->entry[d->level], now;
    uint64_t raw = d->raw[d->level];
    uint64_t flip = flags_to_set(t, s, e, want, raw);
    unsigned event;
    int swapped;

    if (flip == 0 || msmmu_probes(t))
        return 0;
    event = may_write(m, t, s, d->table[d->level]);
    if (event)
        return event;
    swapped =
        uim_door_cas(&m->base, d->phys[d->level], raw, raw ^ flip, s->snooped);
    if (swapped == 0)
        return RETRY;
    if (swapped < 0) {
        t->fault.fetch = d->phys[d->level];
        return fault(t, s, SMMUV3_EVT_F_WALK_EABT, address);
    }
    now = decode(s, d->level, raw ^ flip);
    e->af = now.af;
    e->clean = now.clean;
    return 0;
}

/* ---- down ------------------------------------------------------------------------ */

static bool fits(const struct msmmu_stage *s, uint64_t address)
{
    return (s->upper ? ~address : address) >> s->input_bits == 0;
}

static uint64_t offset_of(const struct msmmu_stage *s, unsigned level,
                          uint64_t address)
{
    uint64_t index =
        (address & UIM_MASK(s->input_bits - 1, 0)) >> msmmu_shift(s, level);

    if (level != s->top) /* there, tables may stand side by side */
        index &= UIM_MASK(s->granule - 4, 0);
    return index * 8;
}

static unsigned read_entry(struct msmmu *m, struct msmmu_trip *t,
                           const struct msmmu_stage *s, struct descent *d,
                           uint64_t address)
{
    uint64_t *phys = &d->phys[d->level];
    struct msmmu_leaf leaf;
    unsigned event;

    *phys = d->table[d->level];
    if (!s->second && t->s2.on) {
        event = stage_2(m, t, *phys, SMMUV3_CLASS_TT, READ, &leaf);
        if (event)
            return event;
        *phys = leaf.out | (*phys & (UIM_BIT(leaf.lg2) - 1));
    }
    if (!t->again)
        m->counter[MSMMU_N_walk_fetches]++;
    if (uim_door_read(&m->base, *phys, &d->raw[d->level], 1, s->snooped,
                      t->again))
        return 0;
    t->fault.fetch = *phys;
    return fault(t, s, SMMUV3_EVT_F_WALK_EABT, address);
}

/* Where a walk starts: behind the lowest cached descriptor, or at the root. */
static uint64_t first_table(struct msmmu *m, struct msmmu_trip *t,
                            const struct msmmu_stage *s, uint64_t address,
                            struct descent *d)
{
    const struct msmmu_walk_slot *slot = msmmu_walk_find(m, t, s, address);

    if (!slot) {
        d->from = s->top;
        d->above = MSMMU_RIGHTS;
        return s->root;
    }
    m->counter[MSMMU_N_walk_cache_hits]++;
    if (msmmu_looks(m, t))
        msmmu_check_walk(m, t, s, address, slot);
    d->from = slot->level - 1u;
    d->above = slot->rights;
    return slot->table;
}

/* 0: d->level holds a leaf. */
static unsigned descend(struct msmmu *m, struct msmmu_trip *t,
                        const struct msmmu_stage *s, uint64_t address,
                        struct descent *d)
{
    uint8_t rights;
    uint64_t table;
    unsigned event;

    d->from = d->level = s->top;
    if (s->fails || !fits(s, address))
        return fault(t, s, SMMUV3_EVT_F_TRANSLATION, address);
    table = first_table(m, t, s, address, d);
    rights = d->above;
    for (d->level = d->from;; d->level--) {
        struct entry *e = &d->entry[d->level];

        d->table[d->level] = table + offset_of(s, d->level, address);
        event = read_entry(m, t, s, d, address);
        if (event)
            return event;
        *e = decode(s, d->level, d->raw[d->level]);
        if (e->kind == HOLE)
            return fault(t, s, SMMUV3_EVT_F_TRANSLATION, address);
        if (e->kind == BEYOND)
            return fault(t, s, SMMUV3_EVT_F_ADDR_SIZE, address);
        e->rights &= rights;
        if (e->kind == LEAF)
            return 0;
        rights = e->rights;
        table = e->address;
    }
}

/* ---- caches ---------------------------------------------------------------------- */

static void keep_path(struct msmmu *m, const struct msmmu_trip *t,
                      const struct msmmu_stage *s, uint64_t address,
                      const struct descent *d)
{
    for (unsigned n = d->from; n > d->level; n--) {
        unsigned lg2 = msmmu_shift(s, n);
        struct msmmu_walk_slot slot = {
            .address = uim_align_down(address, UIM_BIT(lg2)),
            .table = d->entry[n].address,
            .raw = d->raw[n],
            .asid = s->second ? (uint32_t)MSMMU_ASID_STAGE_2 : t->asid,
            .vmid = t->vmid,
            .level = (uint8_t)n,
            .lg2 = (uint8_t)lg2,
            .granule = s->granule,
            .rights = d->entry[n].rights,
        };

        msmmu_walk_add(m, t, &slot);
    }
}

/* log2 of the leaves that one entry may stand for (DDI0487, "Contiguous bit"). */
static unsigned run_lg2(const struct msmmu_stage *s, unsigned level)
{
    if (s->granule == 12)
        return 4;
    return s->granule == 14 && level == 0 ? 7 : 5;
}

/* The whole run, as hardware may keep it; flags are of each leaf by itself. */
static struct msmmu_leaf leaf_of(const struct msmmu *m,
                                 const struct msmmu_stage *s,
                                 const struct entry *e, unsigned level)
{
    bool run = msmmu_adversarial(m) && e->contiguous && !s->ha;
    unsigned lg2 = e->lg2 + (run ? run_lg2(s, level) : 0);
    uint64_t out = uim_align_down(e->address, UIM_BIT(lg2));

    return (struct msmmu_leaf){ .out = out,
                                .ipa = out,
                                .lg2 = (uint8_t)lg2,
                                .granule = s->granule,
                                .level = (uint8_t)level,
                                .rights = final_rights(s, e->rights),
                                .rights2 = MSMMU_RIGHTS,
                                .global = e->global,
                                .clean = e->clean };
}

/* Nobody would set the flag later if it is not set. nT is there from BBML 1 on. */
static bool cacheable(const struct msmmu *m, const struct msmmu_stage *s,
                      const struct entry *e)
{
    if (e->nt && m->args.bbml >= SMMUV3_BBML_LEVEL_1)
        return false;
    return e->af || (s->affd && !s->ha);
}

/* Hardware may keep the other descriptors of the line that it fetched. */
static void keep_line(struct msmmu *m, const struct msmmu_trip *t,
                      const struct msmmu_stage *s, uint64_t address,
                      const struct descent *d)
{
    uint64_t raw[LINE_WORDS];
    uint64_t line = uim_align_down(d->phys[0], sizeof(raw));
    uint64_t page = UIM_BIT(s->granule);
    uint64_t at = uim_align_down(address, LINE_WORDS * page);
    uint8_t above = d->from > 0 ? d->entry[1].rights : d->above;

    if (!msmmu_adversarial(m) || d->level != 0 || !msmmu_caching(m, t) ||
        !uim_door_read(&m->base, line, raw, LINE_WORDS, s->snooped, false))
        return;
    for (unsigned i = 0; i < LINE_WORDS; i++, at += page) {
        struct entry e = decode(s, 0, raw[i]);
        struct msmmu_leaf leaf;

        if (e.kind != LEAF || !cacheable(m, s, &e) ||
            at == uim_align_down(address, page))
            continue;
        e.rights &= above;
        leaf = leaf_of(m, s, &e, 0);
        msmmu_tlb_add(m, t, s, at, &leaf);
    }
}

/* ---- one stage ------------------------------------------------------------------- */

/* *keep: the leaf may be cached. */
static unsigned walk_once(struct msmmu *m, struct msmmu_trip *t,
                          const struct msmmu_stage *s, uint64_t address,
                          uint32_t want, struct descent *d, bool *keep,
                          struct msmmu_leaf *leaf)
{
    unsigned event = descend(m, t, s, address, d);
    const struct entry *e = &d->entry[d->level];

    keep_path(m, t, s, address, d);
    if (event)
        return event;
    if (!e->af && !s->ha && !s->affd)
        return fault(t, s, SMMUV3_EVT_F_ACCESS, address);
    event = permit(t, s, want, final_rights(s, e->rights), address);
    if (!event)
        event = set_flags(m, t, s, d, want, address);
    *leaf = leaf_of(m, s, e, d->level);
    *keep = event != RETRY && cacheable(m, s, e);
    return event;
}

static unsigned walk(struct msmmu *m, struct msmmu_trip *t,
                     const struct msmmu_stage *s, uint64_t address,
                     uint32_t want, struct descent *d, bool *keep,
                     struct msmmu_leaf *leaf)
{
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        unsigned event;

        *keep = false;
        event = walk_once(m, t, s, address, want, d, keep, leaf);
        if (event != RETRY)
            return event;
    }
    t->fault.fetch = d->phys[d->level];
    return fault(t, s, SMMUV3_EVT_F_WALK_EABT, address);
}

/* What may be used as it is: a write has no dirty state to set. */
static struct msmmu_tlb_slot *cached(struct msmmu *m, struct msmmu_trip *t,
                                     const struct msmmu_stage *s,
                                     uint64_t address, uint32_t want)
{
    struct msmmu_tlb_slot *slot = msmmu_tlb_find(m, t, s, address);
    uint32_t asked = t->req->flags & UIM_MODEL_ATS ? t->req->access : want;

    if (slot && (asked & WRITE) && (slot->leaf.clean || slot->leaf.clean2))
        slot = NULL;
    if (!t->again)
        m->counter[slot ? MSMMU_N_tlb_hits : MSMMU_N_tlb_misses]++;
    t->conflict =
        slot && msmmu_looks(m, t) && msmmu_check_tlb(m, t, s, address, slot);
    return slot;
}

static unsigned stage_2(struct msmmu *m, struct msmmu_trip *t, uint64_t ipa,
                        uint8_t class, uint32_t want, struct msmmu_leaf *leaf)
{
    const struct msmmu_stage *s = &t->s2;
    struct msmmu_tlb_slot *slot = cached(m, t, s, ipa, want);
    struct descent d;
    unsigned event;
    bool keep;

    t->fault.class = class;
    if (t->conflict)
        return fault(t, s, SMMUV3_EVT_F_TLB_CONFLICT, ipa);
    if (slot) {
        *leaf = slot->leaf;
        return permit(t, s, want, leaf->rights, ipa);
    }
    event = walk(m, t, s, ipa, want, &d, &keep, leaf);
    if (keep) {
        msmmu_tlb_add(m, t, s, ipa, leaf);
        keep_line(m, t, s, ipa, &d);
    }
    return event;
}

/* ---- both ------------------------------------------------------------------------ */

/* Of the leaf of stage 1, the part that one page of stage 2 holds. */
static void combine(uint64_t address, struct msmmu_leaf *leaf,
                    const struct msmmu_leaf *second)
{
    uint64_t offset = address & (UIM_BIT(leaf->lg2) - 1);
    uint64_t ipa = leaf->out + offset;
    uint8_t lg2 = second->lg2 < leaf->lg2 ? second->lg2 : leaf->lg2;
    uint64_t host = second->out | (ipa & (UIM_BIT(second->lg2) - 1));

    leaf->lg2 = lg2;
    leaf->ipa = uim_align_down(ipa, UIM_BIT(lg2));
    leaf->out = uim_align_down(host, UIM_BIT(lg2));
    leaf->rights2 = second->rights;
    leaf->clean2 = second->clean;
}

static unsigned permit_both(struct msmmu_trip *t, const struct msmmu_leaf *leaf,
                            uint64_t address)
{
    uint64_t ipa = leaf->ipa | (address & (UIM_BIT(leaf->lg2) - 1));
    unsigned event = permit(t, &t->s1, t->want, leaf->rights, address);

    if (event || !t->s2.on)
        return event;
    t->fault.class = SMMUV3_CLASS_IN;
    return permit(t, &t->s2, t->want, leaf->rights2, ipa);
}

static unsigned stage_1(struct msmmu *m, struct msmmu_trip *t, uint64_t address,
                        struct msmmu_leaf *leaf)
{
    const struct msmmu_stage *s = &t->s1;
    struct msmmu_tlb_slot *slot = cached(m, t, s, address, t->want);
    struct msmmu_leaf second;
    struct descent d;
    unsigned event;
    bool keep;

    if (t->conflict)
        return fault(t, s, SMMUV3_EVT_F_TLB_CONFLICT, address);
    if (slot) {
        *leaf = slot->leaf;
        return permit_both(t, leaf, address);
    }
    event = walk(m, t, s, address, t->want, &d, &keep, leaf);
    if (!event && t->s2.on) {
        event = stage_2(m, t, leaf->out | (address & (UIM_BIT(leaf->lg2) - 1)),
                        SMMUV3_CLASS_IN, t->want, &second);
        if (!event)
            combine(address, leaf, &second);
        keep &= !event;
    }
    if (keep && (!event || !t->s2.on))
        msmmu_tlb_add(m, t, s, address, leaf);
    if (keep && !t->s2.on)
        keep_line(m, t, s, address, &d);
    return event;
}

/* Stage 1 bypassed, and no stage 2: the address is what it is (3.4). */
static unsigned bypass(struct msmmu *m, struct msmmu_trip *t, uint64_t address,
                       struct msmmu_leaf *leaf)
{
    *leaf = (struct msmmu_leaf){ .out = uim_align_down(address, UIM_BIT(30)),
                                 .ipa = uim_align_down(address, UIM_BIT(30)),
                                 .lg2 = 30,
                                 .rights = MSMMU_RIGHTS,
                                 .rights2 = MSMMU_RIGHTS };
    return address >> m->args.oas == 0
               ? 0
               : fault(t, &t->s1, SMMUV3_EVT_F_ADDR_SIZE, address);
}

/* With TBI the upper byte is a tag, and no part of the address. */
static uint64_t untagged(const struct msmmu_stage *s, uint64_t address)
{
    if (!s->tbi)
        return address;
    return s->upper ? address | UIM_MASK(63, 56) : address & UIM_MASK(55, 0);
}

unsigned msmmu_find(struct msmmu *m, struct msmmu_trip *t,
                    struct msmmu_leaf *leaf)
{
    uint64_t address = t->req->iova;

    if (t->s1.on)
        return stage_1(m, t, untagged(&t->s1, address), leaf);
    if (t->s2.on)
        return stage_2(m, t, address, SMMUV3_CLASS_IN, t->want, leaf);
    return bypass(m, t, address, leaf);
}

unsigned msmmu_find_table(struct msmmu *m, struct msmmu_trip *t, uint64_t ipa,
                          uint8_t class, uint64_t *host)
{
    struct msmmu_leaf leaf;
    unsigned event = stage_2(m, t, ipa, class, READ, &leaf);

    if (!event)
        *host = leaf.out | (ipa & (UIM_BIT(leaf.lg2) - 1));
    return event;
}

/* ---- what memory says now -------------------------------------------------------- */

unsigned msmmu_find_again(struct msmmu *m, const struct msmmu_trip *t,
                          const struct msmmu_stage *s, uint64_t address,
                          struct msmmu_leaf *leaf)
{
    struct msmmu_trip now = *t;

    now.again = true;
    now.want = 0;
    return s->second ? stage_2(m, &now, address, SMMUV3_CLASS_IN, 0, leaf)
                     : stage_1(m, &now, address, leaf);
}

bool msmmu_table_again(struct msmmu *m, const struct msmmu_trip *t,
                       const struct msmmu_stage *s, uint64_t address,
                       unsigned level, struct msmmu_walk_slot *out)
{
    struct msmmu_trip now = *t;
    struct descent d;

    now.again = true;
    (void)descend(m, &now, s, address, &d);
    if (d.level > level || d.from < level)
        return false;
    out->raw = d.raw[level];
    out->table = d.entry[level].address;
    out->rights = d.entry[level].rights;
    return d.entry[level].kind == TABLE;
}
