/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 driver's stream table, looked at after each store as a unit may see it that
 * fetches the words of an entry in any order, and any of them long before the others
 * (3.21.3, 5.2; semantics B.13, D-44, D-53, D-58).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"
#include "tests/hook/hook.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum {
    WORDS = 4,   /* of an entry that are ever used                          */
    VALUES = 8,  /* of a word between two invalidations                     */
    CD_WORDS = 8,
    DIRTY = 64,
    BLOCKED = 0,
    BYPASS = 4,
    STAGE_1 = 5,
    STAGE_2 = 6,
};

/* ---- what a unit may see ------------------------------------------------------- */

/* An entry, without what its configuration does not look at. */
struct view {
    uint64_t config, word[WORDS], cd[CD_WORDS];
};

static const uim_word *cd_of(const struct smmu *s, uint64_t q0)
{
    return smmu_virt(s, q0 & UIM_MASK(51, 6));
}

static struct view view_of(const struct smmu *s, const uint64_t *w)
{
    struct view view = { .config = w[0] >> 1 & 7 };

    if (!(w[0] & 1) || view.config < BYPASS)
        return (struct view){ .config = BLOCKED };
    /* INSTCFG to NSCFG, SHCFG, ALLOCCFG to MemAttr */
    view.word[1] =
        w[1] & (UIM_MASK(51, 46) | UIM_MASK(45, 44) | UIM_MASK(40, 32));
    if (view.config == BYPASS)
        return view;
    view.word[1] = w[1];
    if (view.config == STAGE_1) {
        view.word[0] = w[0] & (UIM_MASK(63, 56) | UIM_MASK(5, 4));
        view.word[2] = w[2] & 0xffff;
        for (unsigned i = 0; i < CD_WORDS; i++)
            view.cd[i] = uim_ld64(&cd_of(s, w[0])[i]);
        return view;
    }
    view.word[2] = w[2];
    view.word[3] = w[3];
    return view;
}

static bool same(const struct view *a, const struct view *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static struct view view_now(const struct smmu *s, const uim_word *ste)
{
    uint64_t w[WORDS];

    for (unsigned i = 0; i < WORDS; i++)
        w[i] = uim_ld64(&ste[i]);
    return view_of(s, w);
}

/* Every value that each word had since the caches last forgot the entry. */
struct watch {
    struct smmu *s;
    uint32_t sid;
    const uim_word *ste;
    uint64_t value[WORDS][VALUES];
    unsigned n[WORDS];
    struct view old, next;
    bool gap, cfgi;
    bool cut;            /* somebody did: from now on it is blocked          */
    unsigned n_wrong;
    struct uiommu_endpoint *endpoint;
    unsigned at;         /* the point where it is cut                        */
};

static void forget(struct watch *w)
{
    for (unsigned i = 0; i < WORDS; i++) {
        w->n[i] = 1;
        w->value[i][0] = uim_ld64(&w->ste[i]);
    }
}

static void judge(struct watch *w, const uint64_t *words)
{
    const struct view view = view_of(w->s, words);

    if (view.config == BLOCKED) {
        w->gap = true;
        return;
    }
    if (w->cut || (!same(&view, &w->old) && !same(&view, &w->next)))
        w->n_wrong++;
}

/* All combinations, counted like a number. */
static void judge_all(struct watch *w)
{
    unsigned digit[WORDS] = { 0 };
    uint64_t words[WORDS];
    unsigned i;

    do {
        for (i = 0; i < WORDS; i++)
            words[i] = w->value[i][digit[i]];
        judge(w, words);
        for (i = 0; i < WORDS && ++digit[i] == w->n[i]; i++)
            digit[i] = 0;
    } while (i < WORDS);
}

/* A context descriptor that some value of word 0 leads to must not change. */
static void judge_cd(struct watch *w, const void *where)
{
    for (unsigned i = 0; i < w->n[0]; i++) {
        const uint64_t q0 = w->value[0][i];
        const uint8_t *cd;

        if (!(q0 & 1) || (q0 >> 1 & 7) != STAGE_1)
            continue;
        cd = (const uint8_t *)cd_of(w->s, q0);
        w->n_wrong += (const uint8_t *)where >= cd &&
                      (const uint8_t *)where < cd + SMMUV3_CD_BYTES;
    }
}

static void cut_here(struct watch *w)
{
    const struct uim_unit_ops *ops = w->s->unit->ops;

    if (!w->endpoint || w->cut || w->at-- > 0)
        return;
    w->at = UINT32_MAX;
    atomic_store(&w->endpoint->quarantined, true);
    assert_int_equal(ops->cut(w->endpoint), UIOMMU_OK);
    w->cut = true;
    forget(w);
    judge_all(w);
}

static void on_store(void *ctx, const void *where, uint64_t value)
{
    struct watch *w = ctx;
    const size_t i = (size_t)((const uim_word *)where - w->ste);

    if ((const uim_word *)where < w->ste || i >= WORDS) {
        judge_cd(w, where);
    } else {
        assert_true(w->n[i] < VALUES);
        w->value[i][w->n[i]++] = value;
        judge_all(w);
    }
    if (w->s->spins_held == 0)
        cut_here(w);
}

static void on_command(struct smmu *s, struct smmuv3_cmd c)
{
    struct watch *w = s->ctx;

    if (smmu_opcode(c) == SMMUV3_CMD_CFGI_STE && c.q0 >> 32 == w->sid)
        w->cfgi = true;
    else if (smmu_opcode(c) == SMMUV3_CMD_SYNC && w->cfgi)
        forget(w);
}

static void on_unlocked(struct smmu *s)
{
    cut_here(s->ctx);
}

static void watch_begin(struct watch *w, struct smmu *s,
                        struct uiommu_device *dev, const struct view *next)
{
    *w = (struct watch){ .s = s, .sid = dev->endpoint->id, .next = *next };
    w->ste = smmu_ste(s, dev->endpoint->id);
    w->old = view_now(s, w->ste);
    forget(w);
    s->ctx = w;
    s->on_command = on_command;
    s->on_unlocked = on_unlocked;
    uim_store_hook(on_store, w);
}

static void watch_end(struct smmu *s)
{
    uim_store_hook(NULL, NULL);
    s->on_command = NULL;
    s->on_unlocked = NULL;
}

/* ---- all transitions -------------------------------------------------------------- */

enum what { NOTHING, IDENTITY, A, A_ATS, B, B_ATS, WHATS };

struct streams {
    struct smmu s;
    struct smmu_domain a, b;
    uint32_t sid; /* the next that was never used */
};

static void open_streams(struct streams *t, enum smmuv3_stage stage)
{
    smmu_init(&t->s);
    t->s.options.stage = stage;
    t->s.idr0.ats = 1;
    assert_int_equal(smmu_start(&t->s), UIOMMU_OK);
    smmu_domain(&t->s, &t->a, 0xa0000);
    smmu_domain(&t->s, &t->b, 0xb0000);
    t->sid = 0;
}

static void close_streams(struct streams *t)
{
    t->s.unit->ops->unlink(&t->a.link);
    t->s.unit->ops->unlink(&t->b.link);
    smmu_stop(&t->s);
}

static struct uiommu_domain *domain_of(struct streams *t, enum what what)
{
    if (what == NOTHING)
        return &t->s.u->blocked;
    if (what == IDENTITY)
        return &t->s.u->identity;
    return what < B ? &t->a.domain : &t->b.domain;
}

static enum uiommu_status go(struct streams *t, struct uiommu_device *dev,
                             enum what what)
{
    dev->endpoint->ats = what == A_ATS || what == B_ATS;
    return smmu_set(&t->s, dev, domain_of(t, what));
}

static void go_ok(struct streams *t, struct uiommu_device *dev, enum what what)
{
    assert_int_equal(go(t, dev, what), UIOMMU_OK);
}

/* As a stream shows it that was never anything else. */
static struct view wanted(struct streams *t, enum what what)
{
    struct uiommu_device dev;

    if (what == NOTHING)
        return (struct view){ .config = BLOCKED };
    smmu_device(&t->s, &dev, t->sid++);
    go_ok(t, &dev, what);
    return view_now(&t->s, smmu_ste(&t->s, dev.endpoint->id));
}

/* Two words that the unit looks at before and after cannot change at once. */
static bool needs_gap(const struct streams *t, enum what from, enum what to)
{
    if (from == NOTHING || to == NOTHING)
        return true;
    if (from == IDENTITY || to == IDENTITY ||
        domain_of((struct streams *)(uintptr_t)t, from) ==
            domain_of((struct streams *)(uintptr_t)t, to))
        return false;
    return t->s.v->stage == SMMUV3_STAGE_2 || (from ^ to) & 1;
}

static void check_way(struct streams *t, enum what first, enum what from,
                      enum what to)
{
    const struct view next = wanted(t, to);
    struct uiommu_device dev;
    struct view now;
    struct watch w;

    smmu_device(&t->s, &dev, t->sid++);
    go_ok(t, &dev, IDENTITY); /* it has an entry */
    go_ok(t, &dev, first);
    go_ok(t, &dev, from);
    watch_begin(&w, &t->s, &dev, &next);
    go_ok(t, &dev, to);
    watch_end(&t->s);
    now = view_now(&t->s, w.ste);
    assert_true(same(&now, &next));
    assert_int_equal(w.n_wrong, 0);
    if (uim_store_hooked() && from != to)
        assert_int_equal(w.gap, needs_gap(t, from, to));
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(w.n[i], 1); /* nothing is cached from before */
}

static void streams_see_the_old_the_new_or_nothing(void **state)
{
    static const enum smmuv3_stage stages[] = { SMMUV3_STAGE_1,
                                                SMMUV3_STAGE_2 };
    struct streams t;

    (void)state;
    for (unsigned i = 0; i < ROWS(stages); i++) {
        open_streams(&t, stages[i]);
        for (unsigned n = 0; n < WHATS * WHATS * WHATS; n++)
            check_way(&t, n % WHATS, n / WHATS % WHATS, n / WHATS / WHATS);
        close_streams(&t);
    }
}

/* True: it was cut before set() had returned. */
static bool check_cut(struct streams *t, struct uiommu_device *dev,
                      enum what from, enum what to, unsigned at)
{
    const struct view next = wanted(t, to);
    enum uiommu_status status;
    struct watch w;

    atomic_store(&dev->endpoint->quarantined, false);
    go_ok(t, dev, NOTHING);
    go_ok(t, dev, from);
    watch_begin(&w, &t->s, dev, &next);
    w.endpoint = dev->endpoint;
    w.at = at;
    status = go(t, dev, to);
    watch_end(&t->s);
    assert_int_equal(w.n_wrong, 0);
    if (!w.cut) {
        assert_int_equal(status, UIOMMU_OK);
        return false;
    }
    assert_int_equal(view_now(&t->s, w.ste).config, BLOCKED);
    assert_int_equal(w.n[0], 1);
    return true;
}

static void who_is_cut_meanwhile_stays_blocked(void **state)
{
    static const enum smmuv3_stage stages[] = { SMMUV3_STAGE_1,
                                                SMMUV3_STAGE_2 };
    struct uiommu_device dev;
    struct streams t;

    (void)state;
    for (unsigned i = 0; i < ROWS(stages); i++) {
        open_streams(&t, stages[i]);
        smmu_device(&t.s, &dev, t.sid++);
        go_ok(&t, &dev, IDENTITY);
        for (unsigned n = 0; n < WHATS * WHATS; n++) {
            unsigned at = 0;

            while (check_cut(&t, &dev, n % WHATS, n / WHATS, at))
                at++;
            assert_true(at >= 1 || n % WHATS == n / WHATS);
        }
        close_streams(&t);
    }
}

/* The first use of a stream, which links its descriptors, may be cut too. */
static void who_is_cut_in_its_first_use_stays_blocked(void **state)
{
    struct uiommu_device dev;
    struct streams t;
    struct watch w;
    unsigned at = 0;

    (void)state;
    open_streams(&t, SMMUV3_STAGE_1);
    smmu_device(&t.s, &dev, 0);
    go_ok(&t, &dev, IDENTITY); /* the table is there */
    do {
        const struct view next = wanted(&t, A);

        smmu_device(&t.s, &dev, t.sid++);
        watch_begin(&w, &t.s, &dev, &next);
        w.endpoint = dev.endpoint;
        w.at = at++;
        (void)go(&t, &dev, A);
        watch_end(&t.s);
        assert_int_equal(w.n_wrong, 0);
        assert_int_equal(view_now(&t.s, w.ste).config,
                         w.cut ? BLOCKED : STAGE_1);
    } while (w.cut);
    assert_true(at > 3);
    close_streams(&t);
}

/* ---- units that do not snoop ------------------------------------------------------ */

struct cache {
    struct smmu *s;
    const uim_word *dirty[DIRTY];
    unsigned n, most;
};

static void dirty_store(void *ctx, const void *where, uint64_t value)
{
    struct cache *c = ctx;
    const uint8_t *p = where;

    (void)value;
    if (p < c->s->ram || p >= c->s->ram + (size_t)SMMU_PAGES * 4096)
        return;
    assert_true(c->n < DIRTY);
    c->dirty[c->n++] = where;
    c->most = c->n > c->most ? c->n : c->most;
}

static void clean(struct smmu *s, const void *p, size_t size)
{
    struct cache *c = s->ctx;
    const uint8_t *first = p;
    unsigned kept = 0;

    for (unsigned i = 0; i < c->n; i++) {
        const uint8_t *at = (const uint8_t *)c->dirty[i];

        if (at < first || at >= first + size)
            c->dirty[kept++] = c->dirty[i];
    }
    c->n = kept;
}

static void nothing_is_dirty(struct smmu *s, size_t reg, uint64_t value)
{
    struct cache *c = s->ctx;

    (void)reg;
    (void)value;
    assert_int_equal(c->n, 0);
    assert_false(smmu_any_unflushed(s));
}

/* Whatever was stored is in memory before a register is written, and so before any
 * command about it. */
static void units_that_do_not_snoop_find_it_in_memory(void **state)
{
    struct uiommu_endpoint pasid;
    struct uiommu_device dev;
    struct streams t;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct cache c = { .s = &t.s };

        smmu_init(&t.s);
        t.s.idr0.cohacc = 0;
        t.s.idr0.st_level = i / 2;
        t.s.idr0.cd2l = i / 2;
        t.s.idr1.ssidsize = 8;
        t.s.options.stage = i & 1 ? SMMUV3_STAGE_2 : SMMUV3_STAGE_1;
        t.s.ctx = &c;
        t.s.on_flush = clean;
        t.s.on_write = nothing_is_dirty;
        uim_store_hook(dirty_store, &c);
        assert_int_equal(smmu_start(&t.s), UIOMMU_OK);
        assert_false(t.s.unit->coherent);
        smmu_domain(&t.s, &t.a, 0xa0000);
        smmu_domain(&t.s, &t.b, 0xb0000);
        smmu_device(&t.s, &dev, 0x1234);
        go_ok(&t, &dev, A);
        go_ok(&t, &dev, B);
        go_ok(&t, &dev, IDENTITY);
        go_ok(&t, &dev, NOTHING);
        dev.pasid_bits = t.s.unit->pasid_bits;
        for (unsigned n = 1; n < 1u << dev.pasid_bits; n += 64) {
            smmu_pasid(&t.s, &dev, &pasid, n);
            assert_int_equal(smmu_set_pasid(&t.s, &pasid, &t.a.domain),
                             UIOMMU_OK);
            go_ok(&t, &dev, n & 64 ? A : IDENTITY);
        }
        uim_store_hook(NULL, NULL);
        assert_true(c.most > 0 || !uim_store_hooked());
        assert_true(t.s.n_flushes > 10);
        t.s.on_flush = NULL;
        t.s.on_write = NULL;
        close_streams(&t);
    }
}

/* ---- how many streams -------------------------------------------------------------- */

static void check_stream(struct smmu *s, uint32_t sid, bool there)
{
    struct uiommu_device dev;

    smmu_device(s, &dev, sid);
    assert_int_equal(smmu_set(s, &dev, &s->u->blocked), UIOMMU_OK);
    assert_int_equal(smmu_set(s, &dev, &s->u->identity),
                     there ? UIOMMU_OK : UIOMMU_OPNOTSUPP);
    if (there)
        assert_int_equal(uim_ld64(smmu_ste(s, sid)) & 0xf, 9);
    else
        assert_non_null(strstr(s->log, "is beyond its stream table"));
}

static void the_table_is_as_large_as_the_unit_says(void **state)
{
    static const struct {
        unsigned sidsize, two_level, bits;
    } row[] = {
        { 0, 0, 0 },   { 0, 1, 0 },   { 1, 1, 1 },   { 8, 1, 8 },
        { 9, 1, 9 },   { 16, 1, 16 }, { 24, 1, 24 }, { 32, 1, 24 },
        { 16, 0, 16 }, { 17, 0, 16 }, { 32, 0, 16 },
    };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        const uint32_t n = UINT32_C(1) << row[i].bits;
        struct smmuv3_strtab_base_cfg cfg;

        smmu_init(&s);
        s.idr1.sidsize = row[i].sidsize;
        s.idr0.st_level = row[i].two_level;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        cfg.raw = s.reg[SMMUV3_REG_STRTAB_BASE_CFG / 4];
        assert_int_equal(smmuv3_strtab_base_cfg_log2size(cfg), row[i].bits);
        assert_int_equal(smmuv3_strtab_base_cfg_fmt(cfg),
                         row[i].two_level && row[i].sidsize > 8);
        check_stream(&s, 0, true);
        check_stream(&s, n / 2, n > 1 || n / 2 == 0);
        check_stream(&s, n - 1, true);
        check_stream(&s, n, false);
        check_stream(&s, UINT32_MAX, false);
        smmu_stop(&s);
    }
}

/* ---- what entries say ------------------------------------------------------------ */

static unsigned start_level(const struct smmu *s, uint64_t sl0)
{
    static const uint8_t of_4k[] = { 2, 1, 0, 3 };

    return s->v->granule_lg2 == 12 ? of_4k[sl0] : 3 - (unsigned)sl0;
}

/* 5.2: S2T0SZ in range, and S2SL0 such that there are 1 to 16 root tables. */
static void check_second_stage(const struct smmu *s, const struct uim_pt *pt,
                               const uim_word *ste)
{
    const struct smmuv3_ste_q2 q2 = { uim_ld64(&ste[2]) };
    const struct smmuv3_ste_q3 q3 = { uim_ld64(&ste[3]) };
    const unsigned g = s->v->granule_lg2, stride = g - 3;
    const unsigned bits = 64 - (unsigned)smmuv3_ste_q2_s2t0sz(q2);
    const unsigned level = start_level(s, smmuv3_ste_q2_s2sl0(q2));

    assert_true(bits >= pt->iova_bits && bits >= 25 && bits <= 48);
    assert_true(bits <= s->unit->phys_bits);
    assert_true(bits > g + (3 - level) * stride || level == 3);
    assert_true(bits <= g + (4 - level) * stride + 4);
    assert_int_equal(smmuv3_ste_q2_s2tg(q2), g == 12 ? 0 : g == 14 ? 2 : 1);
    assert_int_equal(smmuv3_ste_q2_s2aa64(q2), 1);
    assert_true(smmuv3_ste_q3_s2ttb(q3) << 4 == pt->root_phys);
    assert_int_equal(smmuv3_ste_q2_s2ps(q2), s->idr5.oas);
}

static void check_first_stage(const struct smmu *s, const struct uim_pt *pt,
                              const uim_word *ste)
{
    const uim_word *cd = cd_of(s, uim_ld64(ste));
    const struct smmuv3_cd_q0 q0 = { uim_ld64(&cd[0]) };
    const struct smmuv3_cd_q1 q1 = { uim_ld64(&cd[1]) };
    const unsigned g = s->v->granule_lg2;
    const unsigned bits = 64 - (unsigned)smmuv3_cd_q0_t0sz(q0);

    assert_true(bits >= pt->iova_bits && bits >= 25 && bits <= 48);
    assert_int_equal(smmuv3_cd_q0_v(q0), 1);
    assert_int_equal(smmuv3_cd_q0_aa64(q0), 1);
    assert_int_equal(smmuv3_cd_q0_a(q0), 1);
    assert_int_equal(smmuv3_cd_q0_s(q0), 0);
    assert_int_equal(smmuv3_cd_q0_epd1(q0), 1);
    assert_int_equal(smmuv3_cd_q0_tg0(q0), g == 12 ? 0 : g == 14 ? 2 : 1);
    assert_int_equal(smmuv3_cd_q0_ips(q0), s->idr5.oas);
    assert_true(smmuv3_cd_q1_ttb0(q1) << 4 == pt->root_phys);
}

static void check_tables(struct smmu *s, unsigned iova_bits)
{
    const struct uim_pt_config config = {
        .host = s->unit->host,
        .iova_bits = (uint8_t)iova_bits,
        .phys_bits = s->unit->phys_bits,
        .page_sizes = s->unit->page_sizes & ~s->unit->format->run_sizes,
        .coherent = true,
        .snoop = true,
    };
    struct uiommu_device dev;
    struct smmu_domain d;

    smmu_domain(s, &d, 0);
    smmu_device(s, &dev, 1);
    d.domain.pt.ops = s->unit->format;
    assert_int_equal(s->unit->format->create(&d.domain.pt, &config), UIOMMU_OK);
    assert_int_equal(smmu_set(s, &dev, &d.domain), UIOMMU_OK);
    if (smmuv3_first_stage(s->v))
        check_first_stage(s, &d.domain.pt, smmu_ste(s, 1));
    else
        check_second_stage(s, &d.domain.pt, smmu_ste(s, 1));
    assert_int_equal(smmu_set(s, &dev, &s->u->blocked), UIOMMU_OK);
    s->unit->ops->unlink(&d.link);
    s->unit->format->destroy(&d.domain.pt);
}

static void tables_are_described_as_they_are(void **state)
{
    static const uint8_t granules[] = { 12, 14, 16 };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 6 * 3 * 2; i++) {
        smmu_init(&s);
        s.idr5.oas = i / 6;
        s.options.granule_lg2 = granules[i / 2 % 3];
        s.options.stage = i & 1 ? SMMUV3_STAGE_2 : SMMUV3_STAGE_1;
        s.ram_phys = UINT64_C(0x40000000);
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        for (unsigned bits = s.unit->format->min_bits;
             bits <= s.unit->iova_bits; bits++)
            check_tables(&s, bits);
        smmu_stop(&s);
    }
}

/* ---- ids ------------------------------------------------------------------------- */

static void ids_run_out_and_come_back(void **state)
{
    static const struct {
        bool first, wide;
        unsigned n;
    } row[] = { { true, false, 255 },
                { false, false, 255 },
                { true, true, 65535 },
                { false, true, 65535 } };
    struct uim_link *link;
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        struct uim_link more = { .users = 0 };

        smmu_init(&s);
        s.options.stage = row[i].first ? SMMUV3_STAGE_1 : SMMUV3_STAGE_2;
        s.idr0.asid16 = row[i].first ? row[i].wide : !row[i].wide;
        s.idr0.vmid16 = row[i].first ? !row[i].wide : row[i].wide;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        link = calloc(row[i].n, sizeof(*link));
        for (unsigned j = 0; j < row[i].n; j++) {
            link[j].unit = s.unit;
            assert_int_equal(s.unit->ops->link(&link[j]), UIOMMU_OK);
            assert_true(link[j].id > 0 && link[j].id <= row[i].n);
        }
        more.unit = s.unit;
        assert_int_equal(s.unit->ops->link(&more), UIOMMU_NOSPC);
        smmu_forget(&s);
        s.unit->ops->unlink(&link[77]);
        assert_int_equal(smmu_count(&s, row[i].first
                                            ? SMMUV3_CMD_TLBI_NH_ASID
                                            : SMMUV3_CMD_TLBI_S12_VMALL),
                         1);
        assert_int_equal(s.unit->ops->link(&more), UIOMMU_OK);
        assert_int_equal(more.id, link[77].id);
        /* What was not confirmed to be forgotten is never used again. */
        s.bad_opcode =
            row[i].first ? SMMUV3_CMD_TLBI_NH_ASID : SMMUV3_CMD_TLBI_S12_VMALL;
        s.unit->ops->unlink(&more);
        assert_int_equal(s.unit->ops->link(&more), UIOMMU_NOSPC);
        free(link);
        smmu_stop(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_see_the_old_the_new_or_nothing),
        cmocka_unit_test(who_is_cut_meanwhile_stays_blocked),
        cmocka_unit_test(who_is_cut_in_its_first_use_stays_blocked),
        cmocka_unit_test(units_that_do_not_snoop_find_it_in_memory),
        cmocka_unit_test(the_table_is_as_large_as_the_unit_says),
        cmocka_unit_test(tables_are_described_as_they_are),
        cmocka_unit_test(ids_run_out_and_come_back),
    };

    return cmocka_run_group_tests_name("SMMUv3 entries that change", tests,
                                       NULL, NULL);
}
