/* SPDX-License-Identifier: MIT */
/*
 * From a stream id and a substream id to translation tables: stream table entries
 * and context descriptors (5), in the order of 7.3: 02, 03, 04, then 08, 06, then
 * stage 2 faults of the descriptor's address, 09, 0a.
 */
#include "model/smmuv3/smmuv3.h"

#include "base/mem.h"

enum { CONFIG_S1 = 1, CONFIG_S2 = 2, CONFIG_ON = 4 };

/* No wider than OAS. */
static bool out_of_range(const struct msmmu *m, uint64_t address)
{
    return address >> m->args.oas != 0;
}

static bool read_words(const struct msmmu *m, struct msmmu_trip *t, uint64_t at,
                       uint64_t *words, unsigned n, bool snooped)
{
    t->fault.fetch = at;
    return !out_of_range(m, at) &&
           uim_door_read(&m->base, at, words, n, snooped, t->again);
}

/* ---- an STE, word by word --------------------------------------------------------- */

static struct smmuv3_ste_q0 ste_q0(const uint64_t *ste)
{
    return (struct smmuv3_ste_q0){ ste[0] };
}

static struct smmuv3_ste_q1 ste_q1(const uint64_t *ste)
{
    return (struct smmuv3_ste_q1){ ste[1] };
}

static struct smmuv3_ste_q2 ste_q2(const uint64_t *ste)
{
    return (struct smmuv3_ste_q2){ ste[2] };
}

static struct smmuv3_ste_q3 ste_q3(const uint64_t *ste)
{
    return (struct smmuv3_ste_q3){ ste[3] };
}

static uint64_t config_of(const uint64_t *ste)
{
    return smmuv3_ste_q0_config(ste_q0(ste));
}

/* How many context descriptors there are, log2; 0: no substreams. */
static uint64_t s1cdmax_of(const struct msmmu *m, const uint64_t *ste)
{
    return m->args.ssidsize ? smmuv3_ste_q0_s1cdmax(ste_q0(ste)) : 0;
}

/* 5.2: with split-stage ATS not supported, EATS=2 is reserved for no stream. What a
 * device was told by ATS cannot stall. */
static bool eats_illegal(const struct msmmu *m, const uint64_t *ste)
{
    uint64_t eats = smmuv3_ste_q1_eats(ste_q1(ste));
    bool s2s = (config_of(ste) & CONFIG_S2) && smmuv3_ste_q2_s2s(ste_q2(ste));

    return m->args.ats &&
           (eats == SMMUV3_EATS_SPLIT || (eats == SMMUV3_EATS_FULL && s2s));
}

static bool s1_illegal(const struct msmmu *m, const uint64_t *ste)
{
    uint64_t fmt = smmuv3_ste_q0_s1fmt(ste_q0(ste));
    bool two_level =
        fmt == SMMUV3_S1FMT_LEVEL2_4K || fmt == SMMUV3_S1FMT_LEVEL2_64K;

    return (!m->args.stall && smmuv3_ste_q1_s1stalld(ste_q1(ste))) ||
           smmuv3_ste_q0_s1cdmax(ste_q0(ste)) > m->args.ssidsize ||
           (two_level && s1cdmax_of(m, ste) && !m->args.cd2l) ||
           out_of_range(m, smmuv3_ste_q0_s1contextptr(ste_q0(ste)) << 6);
}

/* log2; 0: not supported, or reserved. TG1 has other codes. */
static unsigned tg0_lg2(const struct msmmu *m, uint64_t tg)
{
    if (tg == SMMUV3_TG0_GRANULE_4K)
        return m->args.gran4k ? 12 : 0;
    if (tg == SMMUV3_TG0_GRANULE_16K)
        return m->args.gran16k ? 14 : 0;
    return tg == SMMUV3_TG0_GRANULE_64K && m->args.gran64k ? 16 : 0;
}

static unsigned tg1_lg2(const struct msmmu *m, uint64_t tg)
{
    static const uint8_t as_tg0[] = {
        [SMMUV3_TG1_GRANULE_16K] = SMMUV3_TG0_GRANULE_16K,
        [SMMUV3_TG1_GRANULE_4K] = SMMUV3_TG0_GRANULE_4K,
        [SMMUV3_TG1_GRANULE_64K] = SMMUV3_TG0_GRANULE_64K
    };

    return tg == 0 ? 0 : tg0_lg2(m, as_tg0[tg]);
}

/* Level of the root table, MSMMU_LEVELS if reserved. */
static unsigned s2_top(const uint64_t *ste, unsigned granule)
{
    unsigned sl0 = (unsigned)smmuv3_ste_q2_s2sl0(ste_q2(ste));

    if (granule == 12)
        return sl0 == 3 ? MSMMU_LEVELS : sl0 + 1; /* STT is 0 */
    return granule == 16 && sl0 == 3 ? MSMMU_LEVELS : sl0;
}

/* The tables of one level span so many bits, and up to 16 of them may stand side
 * by side at the top. */
static bool s2_start_illegal(const uint64_t *ste, unsigned granule)
{
    unsigned bits = 64 - (unsigned)smmuv3_ste_q2_s2t0sz(ste_q2(ste));
    unsigned top = s2_top(ste, granule);
    unsigned least = granule + top * (granule - 3) + 1;

    return top == MSMMU_LEVELS || bits < least ||
           bits > least - 1 + (granule - 3) + 4;
}

static bool s2_sizes_illegal(const struct msmmu *m, const uint64_t *ste)
{
    unsigned t0sz = (unsigned)smmuv3_ste_q2_s2t0sz(ste_q2(ste));
    unsigned granule = tg0_lg2(m, smmuv3_ste_q2_s2tg(ste_q2(ste)));
    unsigned most = msmmu_size_bits(m, smmuv3_ste_q2_s2ps(ste_q2(ste)));

    if (granule == 0 || smmuv3_ste_q3_s2ttb(ste_q3(ste)) << 4 >> most != 0)
        return true;
    return t0sz < 64 - m->args.oas || t0sz < 16 || t0sz > 39 ||
           s2_start_illegal(ste, granule);
}

static bool httu_illegal(const struct msmmu *m, uint64_t ha, uint64_t hd)
{
    return (ha && m->args.httu < SMMUV3_HTTU_ACCESS) ||
           (hd && m->args.httu < SMMUV3_HTTU_ACCESS_DIRTY);
}

static bool s2_illegal(const struct msmmu *m, const uint64_t *ste)
{
    struct smmuv3_ste_q2 q2 = ste_q2(ste);

    return (!m->args.stall && smmuv3_ste_q2_s2s(q2)) ||
           !smmuv3_ste_q2_s2aa64(q2) ||
           httu_illegal(m, smmuv3_ste_q2_s2ha(q2), smmuv3_ste_q2_s2hd(q2)) ||
           s2_sizes_illegal(m, ste) ||
           smmuv3_ste_q2_s2endi(q2) || /* TTENDIAN is little */
           (!m->args.vmid16 && smmuv3_ste_q2_s2vmid(q2) > 0xff);
}

/* 5.2, "validity". */
static bool ste_illegal(const struct msmmu *m, const uint64_t *ste)
{
    uint64_t config = config_of(ste);

    if (!smmuv3_ste_q0_v(ste_q0(ste)))
        return true;
    if (!(config & CONFIG_ON))
        return false;
    if (((config & CONFIG_S1) && !msmmu_has_s1(m)) ||
        ((config & CONFIG_S2) && !msmmu_has_s2(m)))
        return true;
    return (config != SMMUV3_STE_BYPASS && eats_illegal(m, ste)) ||
           ((config & CONFIG_S1) && s1_illegal(m, ste)) ||
           ((config & CONFIG_S2) && s2_illegal(m, ste));
}

/* ---- where the STE is ------------------------------------------------------------ */

static bool tables_snooped(const struct msmmu *m)
{
    struct smmuv3_cr1 cr1 = { m->reg.cr1 };

    return msmmu_snooped(m, smmuv3_cr1_table_ic(cr1), smmuv3_cr1_table_oc(cr1),
                         smmuv3_cr1_table_sh(cr1));
}

static unsigned split_of(const struct msmmu *m)
{
    struct smmuv3_strtab_base_cfg cfg = { m->reg.strtab_base_cfg };
    uint64_t split = smmuv3_strtab_base_cfg_split(cfg);

    return split == SMMUV3_SPLIT_SPLIT_16K || split == SMMUV3_SPLIT_SPLIT_64K
               ? (unsigned)split
               : SMMUV3_SPLIT_SPLIT_4K;
}

/* Of the table that software announced. */
static unsigned sid_bits(const struct msmmu *m)
{
    struct smmuv3_strtab_base_cfg cfg = { m->reg.strtab_base_cfg };
    uint64_t bits = smmuv3_strtab_base_cfg_log2size(cfg);

    return (unsigned)(bits < m->args.sidsize ? bits : m->args.sidsize);
}

/* 6.3.24: aligned to its size. */
static uint64_t strtab(const struct msmmu *m, unsigned lg2)
{
    struct smmuv3_strtab_base base = { m->reg.strtab_base };

    return uim_align_down(smmuv3_strtab_base_addr(base) << 6,
                          UIM_BIT(lg2 < 6 ? 6 : lg2));
}

/* One that leads nowhere may be cached as well, but there are guests that do not
 * know it, and give CFGI_STE with Leaf when they fill a level 1 descriptor. */
static bool keeps_l1(const struct msmmu *m, uint64_t tag1, uint64_t raw)
{
    return msmmu_adversarial(m) ||
           (tag1 == 0 ? smmuv3_l1std_span((struct smmuv3_l1std){ raw }) != 0
                      : smmuv3_l1cd_v((struct smmuv3_l1cd){ raw }));
}

/* Reads, or finds, one level 1 descriptor of either kind. */
static bool l1_descriptor(struct msmmu *m, struct msmmu_trip *t, uint64_t tag1,
                          unsigned lg2, uint64_t at, bool snooped,
                          uint64_t *raw)
{
    uint64_t tag0 = t->req->rid;
    struct msmmu_l1_slot *s;

    if (tag1 == 0)
        tag0 = uim_align_down(tag0, UIM_BIT(lg2));
    s = msmmu_caching(m, t)
            ? uim_cache_find(&m->l1s, msmmu_entry_hash(tag0, tag1), tag0, tag1)
            : NULL;
    if (s && s->lg2 == lg2) {
        *raw = s->raw;
        if (msmmu_looks(m, t))
            msmmu_check_l1(m, t, tag1, at, s->raw);
        return true;
    }
    if (!read_words(m, t, at, raw, 1, snooped))
        return false;
    s = msmmu_caching(m, t) && keeps_l1(m, tag1, *raw)
            ? uim_cache_add(&m->l1s, msmmu_entry_hash(tag0, tag1), tag0, tag1)
            : NULL;
    if (s) {
        s->raw = *raw;
        s->lg2 = (uint8_t)lg2;
    }
    return true;
}

static unsigned locate_two_level(struct msmmu *m, struct msmmu_trip *t,
                                 uint64_t *at)
{
    unsigned split = split_of(m);
    unsigned bits = sid_bits(m);
    unsigned l1_lg2 = (bits > split ? bits - split : 0) + 3;
    uint64_t index = t->req->rid & UIM_MASK(split - 1, 0);
    struct smmuv3_l1std l1;
    uint64_t span;

    if (!l1_descriptor(m, t, 0, split,
                       strtab(m, l1_lg2) +
                           (t->req->rid >> split) * SMMUV3_L1STD_BYTES,
                       tables_snooped(m), &l1.raw))
        return SMMUV3_EVT_F_STE_FETCH;
    span = smmuv3_l1std_span(l1);
    if (span == 0 || span > split + 1u || index >> (span - 1) != 0)
        return SMMUV3_EVT_C_BAD_STREAMID;
    *at = uim_align_down(smmuv3_l1std_l2ptr(l1) << 6, UIM_BIT(span - 1 + 6)) +
          index * SMMUV3_STE_BYTES;
    return 0;
}

static unsigned locate_ste(struct msmmu *m, struct msmmu_trip *t, uint64_t *at)
{
    struct smmuv3_strtab_base_cfg cfg = { m->reg.strtab_base_cfg };

    if ((uint64_t)t->req->rid >> sid_bits(m) != 0)
        return SMMUV3_EVT_C_BAD_STREAMID;
    if (m->args.st_level &&
        smmuv3_strtab_base_cfg_fmt(cfg) == SMMUV3_STRTAB_TWO_LEVEL)
        return locate_two_level(m, t, at);
    *at = strtab(m, sid_bits(m) + 6) + (uint64_t)t->req->rid * SMMUV3_STE_BYTES;
    return 0;
}

unsigned msmmu_fetch_ste(struct msmmu *m, struct msmmu_trip *t)
{
    uint64_t at;
    unsigned event = locate_ste(m, t, &at);

    if (event)
        return event;
    return read_words(m, t, at, t->ste, MSMMU_WORDS, tables_snooped(m))
               ? 0
               : SMMUV3_EVT_F_STE_FETCH;
}

/* An entry may be cached whatever is in it (3.21.3). */
static unsigned find_ste(struct msmmu *m, struct msmmu_trip *t)
{
    uint64_t sid = t->req->rid, hash = msmmu_entry_hash(sid, 0);
    struct msmmu_entry_slot *s =
        msmmu_caching(m, t) ? uim_cache_find(&m->stes, hash, sid, 0) : NULL;
    unsigned event;

    if (s) {
        m->counter[MSMMU_N_ste_hits]++;
        memcpy(t->ste, s->raw, sizeof(t->ste));
        if (msmmu_looks(m, t))
            msmmu_check_ste(m, t);
        return 0;
    }
    m->counter[MSMMU_N_ste_misses]++;
    event = msmmu_fetch_ste(m, t);
    if (event || !msmmu_caching(m, t))
        return event;
    s = uim_cache_add(&m->stes, hash, sid, 0);
    if (s)
        memcpy(s->raw, t->ste, sizeof(s->raw));
    return 0;
}

/* ---- the context descriptor ------------------------------------------------------- */

static struct smmuv3_cd_q0 cd_q0(const uint64_t *cd)
{
    return (struct smmuv3_cd_q0){ cd[0] };
}

static struct smmuv3_cd_q1 cd_q1(const uint64_t *cd)
{
    return (struct smmuv3_cd_q1){ cd[1] };
}

static struct smmuv3_cd_q2 cd_q2(const uint64_t *cd)
{
    return (struct smmuv3_cd_q2){ cd[2] };
}

static bool txsz_illegal(uint64_t txsz)
{
    return txsz < 16 || txsz > 39;
}

/* What each half of the address space can have wrong. */
static bool half_illegal(const struct msmmu *m, const uint64_t *cd, bool upper)
{
    struct smmuv3_cd_q0 q0 = cd_q0(cd);
    unsigned most = msmmu_size_bits(m, smmuv3_cd_q0_ips(q0));

    if (upper)
        return !smmuv3_cd_q0_epd1(q0) &&
               (txsz_illegal(smmuv3_cd_q0_t1sz(q0)) ||
                tg1_lg2(m, smmuv3_cd_q0_tg1(q0)) == 0 ||
                smmuv3_cd_q2_ttb1(cd_q2(cd)) << 4 >> most != 0);
    return !smmuv3_cd_q0_epd0(q0) &&
           (txsz_illegal(smmuv3_cd_q0_t0sz(q0)) ||
            tg0_lg2(m, smmuv3_cd_q0_tg0(q0)) == 0 ||
            smmuv3_cd_q1_ttb0(cd_q1(cd)) << 4 >> most != 0);
}

/* 5.5: where nothing may stall, no descriptor says that it does. */
static bool stall_illegal(const struct msmmu *m, const uint64_t *ste,
                          const uint64_t *cd)
{
    return smmuv3_cd_q0_s(cd_q0(cd)) &&
           (!m->args.stall || smmuv3_ste_q1_s1stalld(ste_q1(ste)));
}

/* 5.4, "validity". */
static bool cd_illegal(const struct msmmu *m, const uint64_t *ste,
                       const uint64_t *cd)
{
    struct smmuv3_cd_q0 q0 = cd_q0(cd);
    bool none = smmuv3_cd_q0_epd0(q0) && smmuv3_cd_q0_epd1(q0);

    return !smmuv3_cd_q0_v(q0) || !smmuv3_cd_q0_a(q0) || /* TERM_MODEL is 1 */
           stall_illegal(m, ste, cd) || (smmuv3_cd_q0_endi(q0) && !none) ||
           !smmuv3_cd_q0_aa64(q0) ||
           httu_illegal(m, smmuv3_cd_q0_ha(q0), smmuv3_cd_q0_hd(q0)) ||
           (!m->args.asid16 && smmuv3_cd_q0_asid(q0) > 0xff) ||
           half_illegal(m, cd, false) || half_illegal(m, cd, true);
}

static bool cds_snooped(const struct msmmu *m, const uint64_t *ste)
{
    return msmmu_snooped(m, smmuv3_ste_q1_s1cir(ste_q1(ste)),
                         smmuv3_ste_q1_s1cor(ste_q1(ste)),
                         smmuv3_ste_q1_s1csh(ste_q1(ste)));
}

/* log2 of the descriptors in a leaf table; 0: one level. */
static unsigned cd_leaf_lg2(const struct msmmu *m, const uint64_t *ste)
{
    uint64_t fmt = smmuv3_ste_q0_s1fmt(ste_q0(ste));

    if (s1cdmax_of(m, ste) == 0)
        return 0;
    if (fmt == SMMUV3_S1FMT_LEVEL2_4K)
        return 6;
    return fmt == SMMUV3_S1FMT_LEVEL2_64K ? 10 : 0;
}

/* To where it is in memory, through stage 2 if that is on. */
static unsigned cd_address(struct msmmu *m, struct msmmu_trip *t,
                           uint64_t address, uint64_t *host)
{
    *host = address;
    return t->s2.on ? msmmu_find_table(m, t, address, SMMUV3_CLASS_CD, host)
                    : 0;
}

static unsigned locate_cd(struct msmmu *m, struct msmmu_trip *t,
                          uint64_t *address)
{
    uint64_t table = smmuv3_ste_q0_s1contextptr(ste_q0(t->ste)) << 6;
    unsigned lg2 = cd_leaf_lg2(m, t->ste);
    uint32_t first = lg2 ? t->cd_index >> lg2 << lg2 : 0;
    struct smmuv3_l1cd l1;
    uint64_t at;
    unsigned event;

    *address = table + (uint64_t)t->cd_index * SMMUV3_CD_BYTES;
    if (lg2 == 0)
        return 0;
    event = cd_address(m, t, table + (first >> lg2) * SMMUV3_L1CD_BYTES, &at);
    if (event)
        return event;
    if (!l1_descriptor(m, t, 1 + (uint64_t)first, lg2, at,
                       cds_snooped(m, t->ste), &l1.raw))
        return SMMUV3_EVT_F_CD_FETCH;
    if (!smmuv3_l1cd_v(l1) || out_of_range(m, smmuv3_l1cd_l2ptr(l1) << 12))
        return SMMUV3_EVT_C_BAD_SUBSTREAMID;
    *address = (smmuv3_l1cd_l2ptr(l1) << 12) +
               (uint64_t)(t->cd_index - first) * SMMUV3_CD_BYTES;
    return 0;
}

unsigned msmmu_fetch_cd(struct msmmu *m, struct msmmu_trip *t)
{
    uint64_t address;
    unsigned event = locate_cd(m, t, &address);

    if (!event)
        event = cd_address(m, t, address, &address);
    if (event)
        return event;
    return read_words(m, t, address, t->cd, MSMMU_WORDS, cds_snooped(m, t->ste))
               ? 0
               : SMMUV3_EVT_F_CD_FETCH;
}

static unsigned find_cd(struct msmmu *m, struct msmmu_trip *t)
{
    uint64_t sid = t->req->rid, index = t->cd_index;
    uint64_t hash = msmmu_entry_hash(sid, index);
    struct msmmu_entry_slot *s =
        msmmu_caching(m, t) ? uim_cache_find(&m->cds, hash, sid, index) : NULL;
    unsigned event;

    if (s) {
        m->counter[MSMMU_N_cd_hits]++;
        memcpy(t->cd, s->raw, sizeof(t->cd));
        if (msmmu_looks(m, t))
            msmmu_check_cd(m, t);
        return 0;
    }
    m->counter[MSMMU_N_cd_misses]++;
    event = msmmu_fetch_cd(m, t);
    if (event || !msmmu_caching(m, t))
        return event;
    s = uim_cache_add(&m->cds, hash, sid, index);
    if (s)
        memcpy(s->raw, t->cd, sizeof(s->raw));
    return 0;
}

/* ---- what they say --------------------------------------------------------------- */

/* Tables of the top level are aligned to what they need (DDI0487, D8.2). */
static void set_root(struct msmmu_stage *s, uint64_t ttb)
{
    unsigned lg2 = s->input_bits - msmmu_shift(s, s->top) + 3;

    s->root = uim_align_down(ttb, UIM_BIT(lg2 < 4 ? 4 : lg2));
}

static void use_stage_2(const struct msmmu *m, struct msmmu_trip *t)
{
    struct smmuv3_ste_q2 q2 = ste_q2(t->ste);
    unsigned granule = tg0_lg2(m, smmuv3_ste_q2_s2tg(q2));

    t->s2 = (struct msmmu_stage){
        .on = true,
        .second = true,
        .granule = (uint8_t)granule,
        .top = (uint8_t)s2_top(t->ste, granule),
        .input_bits = (uint8_t)(64 - smmuv3_ste_q2_s2t0sz(q2)),
        .output_bits = (uint8_t)msmmu_size_bits(m, smmuv3_ste_q2_s2ps(q2)),
        .affd = smmuv3_ste_q2_s2affd(q2),
        .ha = smmuv3_ste_q2_s2ha(q2),
        .hd = smmuv3_ste_q2_s2hd(q2),
        .record = smmuv3_ste_q2_s2r(q2),
        .stall = smmuv3_ste_q2_s2s(q2),
        .snooped =
            msmmu_snooped(m, smmuv3_ste_q2_s2ir0(q2), smmuv3_ste_q2_s2or0(q2),
                          smmuv3_ste_q2_s2sh0(q2)),
    };
    set_root(&t->s2, smmuv3_ste_q3_s2ttb(ste_q3(t->ste)) << 4);
}

static unsigned s1_top(unsigned granule, unsigned bits)
{
    unsigned top = 0;

    while (granule + (top + 1) * (granule - 3) < bits)
        top++;
    return top;
}

/* The half that bit 55 chooses; with TBI nothing above it counts. */
static void use_stage_1(const struct msmmu *m, struct msmmu_trip *t)
{
    struct smmuv3_cd_q0 q0 = cd_q0(t->cd);
    struct smmuv3_cd_q1 q1 = cd_q1(t->cd);
    struct smmuv3_cd_q2 q2 = cd_q2(t->cd);
    bool upper = (t->req->iova & UIM_BIT(55)) != 0;
    unsigned granule = upper ? tg1_lg2(m, smmuv3_cd_q0_tg1(q0))
                             : tg0_lg2(m, smmuv3_cd_q0_tg0(q0));
    unsigned bits =
        64 - (unsigned)(upper ? smmuv3_cd_q0_t1sz(q0) : smmuv3_cd_q0_t0sz(q0));

    t->s1 = (struct msmmu_stage){
        .on = true,
        .upper = upper,
        .fails = upper ? smmuv3_cd_q0_epd1(q0) : smmuv3_cd_q0_epd0(q0),
        .tbi = upper ? smmuv3_cd_q0_tbi1(q0) : smmuv3_cd_q0_tbi0(q0),
        .output_bits = (uint8_t)msmmu_size_bits(m, smmuv3_cd_q0_ips(q0)),
        .had = upper ? smmuv3_cd_q2_had1(q2) : smmuv3_cd_q1_had0(q1),
        .affd = smmuv3_cd_q0_affd(q0),
        .ha = smmuv3_cd_q0_ha(q0),
        .hd = smmuv3_cd_q0_hd(q0),
        .wxn = smmuv3_cd_q0_wxn(q0),
        .pan = smmuv3_cd_q0_pan(q0),
        .epan = m->args.epan && smmuv3_cd_q1_epan(q1),
        .record = smmuv3_cd_q0_r(q0),
        .stall = smmuv3_cd_q0_s(q0),
    };
    t->asid = (uint16_t)smmuv3_cd_q0_asid(q0);
    if (t->s1.fails)
        return; /* nothing is said about the fields below */
    t->s1.snooped =
        upper ? msmmu_snooped(m, smmuv3_cd_q0_ir1(q0), smmuv3_cd_q0_or1(q0),
                              smmuv3_cd_q0_sh1(q0))
              : msmmu_snooped(m, smmuv3_cd_q0_ir0(q0), smmuv3_cd_q0_or0(q0),
                              smmuv3_cd_q0_sh0(q0));
    t->s1.granule = (uint8_t)granule;
    t->s1.input_bits = (uint8_t)bits;
    t->s1.top = (uint8_t)s1_top(granule, bits);
    set_root(&t->s1, (upper ? smmuv3_cd_q2_ttb1(q2) : smmuv3_cd_q1_ttb0(q1))
                         << 4);
}

/* 5.2, S1DSS; 3.9. False: stage 1 is bypassed. */
static unsigned choose_cd(const struct msmmu *m, struct msmmu_trip *t,
                          bool *bypass)
{
    bool ssv = msmmu_has_ssid(t->req);
    bool s1 = (config_of(t->ste) & CONFIG_S1) != 0;
    uint64_t cdmax = s1 ? s1cdmax_of(m, t->ste) : 0;
    uint64_t s1dss = smmuv3_ste_q1_s1dss(ste_q1(t->ste));

    *bypass = !s1;
    if (ssv && (cdmax == 0 || (uint64_t)t->req->pasid >> cdmax != 0))
        return SMMUV3_EVT_C_BAD_SUBSTREAMID;
    t->cd_index = ssv ? t->req->pasid : 0;
    if (cdmax == 0)
        return 0;
    if (ssv)
        return s1dss == SMMUV3_S1DSS_SSID0 && t->req->pasid == 0
                   ? SMMUV3_EVT_F_STREAM_DISABLED
                   : 0;
    *bypass = s1dss == SMMUV3_S1DSS_BYPASS;
    return *bypass || s1dss == SMMUV3_S1DSS_SSID0
               ? 0
               : SMMUV3_EVT_F_STREAM_DISABLED;
}

/* What is above translation: also for translated transactions (3.9.1). */
unsigned msmmu_locate_ste(struct msmmu *m, struct msmmu_trip *t)
{
    unsigned event = find_ste(m, t);

    if (event)
        return event;
    if (ste_illegal(m, t->ste))
        return SMMUV3_EVT_C_BAD_STE;
    return config_of(t->ste) & CONFIG_ON ? 0 : MSMMU_SILENT;
}

/* Effective EATS is 0 also where nothing is translated. */
bool msmmu_ats_on(const struct msmmu *m, const struct msmmu_trip *t)
{
    return m->args.ats && config_of(t->ste) != SMMUV3_STE_BYPASS &&
           smmuv3_ste_q1_eats(ste_q1(t->ste)) == SMMUV3_EATS_FULL;
}

unsigned msmmu_locate(struct msmmu *m, struct msmmu_trip *t)
{
    bool bypass;
    unsigned event = choose_cd(m, t, &bypass);

    if (event)
        return event;
    if (msmmu_has_s2(m) && config_of(t->ste) != SMMUV3_STE_BYPASS)
        t->vmid = (uint16_t)smmuv3_ste_q2_s2vmid(ste_q2(t->ste));
    if (config_of(t->ste) & CONFIG_S2)
        use_stage_2(m, t);
    if (bypass)
        return 0;
    event = find_cd(m, t);
    if (event)
        return event;
    if (cd_illegal(m, t->ste, t->cd))
        return SMMUV3_EVT_C_BAD_CD;
    use_stage_1(m, t);
    return 0;
}
