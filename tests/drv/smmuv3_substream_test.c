/* SPDX-License-Identifier: MIT */
/*
 * Tables of context descriptors: their formats, what is in them, which commands follow,
 * and what is left when memory runs out or the unit falls silent (IHI0070 3.9, 4.3, 4.5,
 * 5.2 to 5.4; semantics B.7, B.13, D-48). Bits are the manual's, not those of src/spec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define ok(status)  assert_int_equal(status, UIOMMU_OK)

/* S1ContextPtr (55:6); L2Ptr (51:12). */
#define POINTER  UINT64_C(0x00ffffffffffffc0)
#define L2PTR    UINT64_C(0x000ffffffffff000)
#define CD_VALID (UINT64_C(1) << 31)
#define EATS_ON  (UINT64_C(1) << 28)

enum {
    SID = 0x1234,
    CFGI_STE = 0x03,
    CFGI_CD = 0x05,
    ATC_INV = 0x40,
    SYNC = 0x46,
    TERMINATE = 0, /* S1DSS */
    BYPASS = 1,
    SSID0 = 2,
    EVERY = -1,
};

/* ---- a stream -------------------------------------------------------------- */

struct stream {
    struct smmu s;
    struct smmu_domain a, b;
    struct uiommu_device dev;
    struct uiommu_endpoint one, two, far;
};

static void prepare(struct stream *t, unsigned bits, bool cd2l)
{
    memset(t, 0, sizeof(*t));
    smmu_init(&t->s);
    t->s.idr0.ats = 1;
    t->s.idr0.cd2l = cd2l;
    t->s.idr1.ssidsize = 20;
    t->dev.pasid_bits = (uint8_t)bits;
}

static void start(struct stream *t)
{
    const unsigned bits = t->dev.pasid_bits;

    ok(smmu_start(&t->s));
    smmu_domain(&t->s, &t->a, 0xa0000);
    smmu_domain(&t->s, &t->b, 0xb0000);
    smmu_device(&t->s, &t->dev, SID);
    t->dev.pasid_bits = (uint8_t)bits;
    smmu_pasid(&t->s, &t->dev, &t->one, 1);
    smmu_pasid(&t->s, &t->dev, &t->two, 2);
    smmu_pasid(&t->s, &t->dev, &t->far, (UINT32_C(1) << bits) - 1);
    smmu_forget(&t->s);
}

static void open_stream(struct stream *t, unsigned bits, bool cd2l)
{
    prepare(t, bits, cd2l);
    start(t);
}

static void close_stream(struct stream *t)
{
    t->s.unit->ops->unlink(&t->a.link);
    t->s.unit->ops->unlink(&t->b.link);
    smmu_stop(&t->s); /* no page is left */
}

static struct uiommu_domain *blocked(struct stream *t)
{
    return &t->s.u->blocked;
}

static uint64_t ste(const struct stream *t, unsigned word)
{
    return uim_ld64(&smmu_ste(&t->s, SID)[word]);
}

static unsigned s1dss(const struct stream *t)
{
    return ste(t, 1) & 3;
}

static unsigned s1fmt(const struct stream *t)
{
    return ste(t, 0) >> 4 & 3;
}

static unsigned s1cdmax(const struct stream *t)
{
    return (unsigned)(ste(t, 0) >> 59);
}

/* As the unit finds it (5.3); NULL: no leaf. */
static const uim_word *cd(const struct stream *t, uint32_t ssid)
{
    const uint64_t root = ste(t, 0) & POINTER;
    const unsigned lg2 = s1fmt(t) == 1 ? 6 : 10;
    uint64_t l1cd;

    assert_true(s1cdmax(t) > 0 && ssid >> s1cdmax(t) == 0);
    if (s1fmt(t) == 0)
        return smmu_virt(&t->s, root + (uint64_t)ssid * 64);
    l1cd = uim_ld64(smmu_virt(&t->s, root + (ssid >> lg2) * 8));
    if (!(l1cd & 1))
        return NULL;
    return smmu_virt(&t->s, (l1cd & L2PTR) + (ssid % (1u << lg2)) * 64);
}

static uint64_t cd_word(const struct stream *t, uint32_t ssid, unsigned word)
{
    const uim_word *at = cd(t, ssid);

    return at ? uim_ld64(&at[word]) : 0;
}

static bool sees(const struct stream *t, uint32_t ssid,
                 const struct smmu_domain *d)
{
    return (cd_word(t, ssid, 0) & CD_VALID) != 0 &&
           cd_word(t, ssid, 0) >> 48 == d->link.id &&
           cd_word(t, ssid, 1) == d->domain.pt.root_phys;
}

static bool is_blocked(const struct stream *t, uint32_t ssid)
{
    return !(cd_word(t, ssid, 0) & CD_VALID);
}

/* ---- commands -------------------------------------------------------------- */

/* EVERY ends it; SYNC follows each. */
static void commands(struct stream *t, const int *opcode, uint32_t ssid)
{
    unsigned n = 0;

    for (; *opcode != EVERY; opcode++) {
        const uint64_t sid = (uint64_t)SID << 32;
        const uint64_t want =
            *opcode == CFGI_CD ? sid | ssid << 12 | CFGI_CD : sid | CFGI_STE;

        assert_true(t->s.command[n].q0 == want);
        assert_true(t->s.command[n].q1 == 0); /* not Leaf */
        assert_int_equal(smmu_opcode(t->s.command[n + 1]), SYNC);
        n += 2;
    }
    assert_int_equal(t->s.n_commands, n);
    smmu_forget(&t->s);
}

#define commands(t, ssid, ...)                                                 \
    commands((t), (const int[]){ __VA_ARGS__, EVERY }, (ssid))

/* Words that are not looked at, and the one that is; each is announced. */
static void each_change_is_announced(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    /* A stream that was never used: its entry, then the descriptor. */
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    commands(&t, 1, CFGI_STE, CFGI_STE, CFGI_CD, CFGI_CD);
    ok(smmu_set_pasid(&t.s, &t.two, &t.a.domain));
    commands(&t, 2, CFGI_CD, CFGI_CD);
    ok(smmu_set_pasid(&t.s, &t.far, &t.a.domain)); /* and a leaf */
    commands(&t, 255, CFGI_CD, CFGI_CD);
    ok(smmu_set_pasid(&t.s, &t.two, &t.b.domain));
    commands(&t, 2, CFGI_CD, CFGI_CD, CFGI_CD);
    ok(smmu_set_pasid(&t.s, &t.two, &t.b.domain));
    assert_int_equal(t.s.n_commands, 0);
    ok(smmu_set_pasid(&t.s, &t.two, blocked(&t)));
    commands(&t, 2, CFGI_CD);
    ok(smmu_set_pasid(&t.s, &t.two, &t.b.domain)); /* it says so still */
    commands(&t, 2, CFGI_CD);
    /* Requests without a PASID. */
    ok(smmu_set(&t.s, &t.dev, &t.a.domain));
    commands(&t, 0, CFGI_CD, CFGI_CD, CFGI_STE);
    ok(smmu_set(&t.s, &t.dev, &t.b.domain));
    commands(&t, 0, CFGI_CD, CFGI_CD, CFGI_CD);
    ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
    commands(&t, 0, CFGI_STE, CFGI_CD);
    ok(smmu_set(&t.s, &t.dev, blocked(&t)));
    commands(&t, 0, CFGI_STE, CFGI_CD);
    close_stream(&t);
}

static void a_table_comes_with_one_command(void **state)
{
    struct uiommu_domain *what[2];
    struct stream t;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        open_stream(&t, 8, true);
        what[0] = &t.s.u->identity;
        what[1] = &t.a.domain;
        ok(smmu_set(&t.s, &t.dev, what[i]));
        smmu_forget(&t.s);
        ok(smmu_set_pasid(&t.s, &t.one, &t.b.domain));
        /* S1DSS, word 0, what nobody looks at any more; the descriptor */
        commands(&t, 1, CFGI_STE, CFGI_STE, CFGI_CD, CFGI_CD);
        close_stream(&t);
    }
}

static void a_cut_is_one_command(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    ok(t.s.unit->ops->cut(&t.one)); /* there is nothing yet */
    assert_int_equal(t.s.n_commands, 0);
    ok(smmu_set(&t.s, &t.dev, &t.b.domain));
    ok(t.s.unit->ops->cut(&t.one)); /* nor a table */
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    ok(smmu_set_pasid(&t.s, &t.two, &t.a.domain));
    smmu_forget(&t.s);
    ok(t.s.unit->ops->cut(&t.far)); /* nor a leaf */
    assert_int_equal(t.s.n_commands, 0);
    for (unsigned i = 0; i < 2; i++) {
        ok(t.s.unit->ops->cut(&t.one));
        commands(&t, 1, CFGI_CD);
        assert_true(is_blocked(&t, 1) && sees(&t, 2, &t.a));
        assert_true(sees(&t, 0, &t.b) && s1dss(&t) == SSID0);
    }
    ok(t.s.unit->ops->cut(t.dev.endpoint));
    commands(&t, 0, CFGI_STE);
    assert_int_equal(ste(&t, 0) & 1, 0);
    close_stream(&t);
}

/* V, and Config 000: it aborts, and records nothing. */
static bool is_mute(const struct stream *t)
{
    return (ste(t, 0) & 0xf) == 1;
}

/* A table comes behind an entry that never led anywhere: there is nothing to copy. */
static void a_mute_stream_gets_a_table(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    ok(t.s.unit->ops->make_entry(t.dev.endpoint));
    atomic_store(&t.dev.endpoint->muted, true);
    atomic_store(&t.one.muted, true);
    ok(t.s.unit->ops->cut(t.dev.endpoint));
    commands(&t, 0, CFGI_STE);
    assert_true(is_mute(&t));
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_true(is_mute(&t) && s1dss(&t) == TERMINATE);
    assert_true(is_blocked(&t, 0) && is_blocked(&t, 1));
    atomic_store(&t.dev.endpoint->muted, false);
    atomic_store(&t.one.muted, false);
    ok(smmu_set(&t.s, &t.dev, blocked(&t)));
    assert_false(is_mute(&t));
    assert_true(is_blocked(&t, 0) && is_blocked(&t, 1));
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_true(sees(&t, 1, &t.a) && s1dss(&t) == TERMINATE);
    close_stream(&t);
}

/* ---- formats --------------------------------------------------------------- */

/* Pages of a table with the leaves of PASIDs 0 and 1, and of one with the last PASID
 * too. */
static void tables_have_the_format_that_fits(void **state)
{
    static const struct {
        unsigned bits, cd2l, s1fmt;
        int pages, all;
    } row[] = {
        { 1, 1, 0, 1, 1 },    { 6, 1, 0, 1, 1 },    { 7, 1, 1, 2, 3 },
        { 15, 1, 1, 2, 3 },   { 16, 1, 2, 17, 33 }, { 19, 1, 2, 17, 33 },
        { 20, 1, 2, 18, 34 }, { 6, 0, 0, 1, 1 },    { 7, 0, 0, 2, 2 },
        { 10, 0, 0, 16, 16 },
    };
    struct stream t;
    int before;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        open_stream(&t, row[i].bits, row[i].cd2l);
        ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
        before = t.s.pages;
        ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
        assert_int_equal(t.s.pages - before, row[i].pages);
        ok(smmu_set_pasid(&t.s, &t.far, &t.b.domain));
        assert_int_equal(t.s.pages - before, row[i].all);
        assert_int_equal(s1fmt(&t), row[i].s1fmt);
        assert_int_equal(s1cdmax(&t), row[i].bits);
        assert_int_equal(ste(&t, 0) & 0xf, 0xb); /* V, stage 1 */
        assert_true(sees(&t, t.far.pasid, &t.b));
        assert_true(t.far.pasid == 1 || sees(&t, 1, &t.a));
        close_stream(&t);
    }
}

/* Links that were never needed are zero. */
static void leaves_come_when_they_are_needed(void **state)
{
    const uim_word *root;
    struct stream t;

    (void)state;
    open_stream(&t, 15, true);
    ok(smmu_set_pasid(&t.s, &t.far, &t.a.domain));
    root = smmu_virt(&t.s, ste(&t, 0) & POINTER);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(uim_ld64(&root[i]) & ~L2PTR, i == 0 || i == 511);
    ok(smmu_set_pasid(&t.s, &t.far, blocked(&t)));
    assert_non_null(cd(&t, t.far.pasid)); /* it stays */
    close_stream(&t);
}

/* What a descriptor says is the same in a table and outside. */
static void descriptors_are_those_of_streams(void **state)
{
    uint64_t alone[8];
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    ok(smmu_set(&t.s, &t.dev, &t.a.domain));
    memcpy(alone, smmu_virt(&t.s, ste(&t, 0) & POINTER), sizeof(alone));
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    ok(smmu_set_pasid(&t.s, &t.far, &t.a.domain));
    assert_memory_equal(cd(&t, 0), alone, sizeof(alone));
    assert_memory_equal(cd(&t, 1), alone, sizeof(alone));
    assert_memory_equal(cd(&t, t.far.pasid), alone, sizeof(alone));
    close_stream(&t);
}

/* What attributes of its leaves stand for is the process's matter. */
static void a_process_has_attributes_of_its_own(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    t.a.domain.kind = UIOMMU_DOMAIN_SVA;
    t.a.domain.foreign = true;
    t.a.domain.attributes = 0xff44;
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_true(sees(&t, 1, &t.a));
    assert_true(uim_ld64(&cd(&t, 1)[3]) == 0xff44);
    close_stream(&t);
}

/* What else is in word 1: SHCFG, S1CSH, S1COR, S1CIR. */
static void s1dss_says_what_the_stream_sees(void **state)
{
    const uint64_t rest = UINT64_C(0x1000000000fc);
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_true(ste(&t, 1) == (rest | TERMINATE));
    ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
    assert_true(ste(&t, 1) == (rest | BYPASS));
    assert_true(is_blocked(&t, 0));
    ok(smmu_set(&t.s, &t.dev, &t.b.domain));
    assert_true(ste(&t, 1) == (rest | SSID0));
    assert_true(sees(&t, 0, &t.b) && sees(&t, 1, &t.a));
    ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
    assert_true(is_blocked(&t, 0)); /* or PASID 0 would go there */
    ok(smmu_set(&t.s, &t.dev, &t.b.domain));
    ok(smmu_set(&t.s, &t.dev, blocked(&t)));
    assert_true(ste(&t, 1) == (rest | TERMINATE));
    assert_true(is_blocked(&t, 0) && sees(&t, 1, &t.a));
    assert_int_equal(ste(&t, 0) & 0xf, 0xb);
    close_stream(&t);
}

static void pasids_are_those_of_the_first_stage(void **state)
{
    static const struct {
        enum smmuv3_stage stage;
        unsigned ssidsize, cd2l, bits;
    } row[] = {
        { SMMUV3_STAGE_1, 20, 1, 20 }, { SMMUV3_STAGE_1, 8, 1, 8 },
        { SMMUV3_STAGE_1, 0, 1, 0 },   { SMMUV3_STAGE_1, 31, 1, 20 },
        { SMMUV3_STAGE_1, 20, 0, 10 }, { SMMUV3_STAGE_1, 6, 0, 6 },
        { SMMUV3_STAGE_2, 20, 1, 0 },
    };
    struct stream t;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        prepare(&t, 1, row[i].cd2l);
        t.s.options.stage = row[i].stage;
        t.s.idr1.ssidsize = row[i].ssidsize;
        start(&t);
        assert_int_equal(t.s.unit->pasid_bits, row[i].bits);
        assert_false(t.s.unit->pasid_identity);
        assert_false(t.s.unit->link_by_pasid);
        close_stream(&t);
    }
}

/* ---- device TLBs ----------------------------------------------------------- */

static void invalidations_name_the_pasid(void **state)
{
    const struct uim_inval some = { .start = 0x5000, .last = 0x6fff };
    const struct uim_inval all = { .all = true };
    const uint64_t sid = (uint64_t)SID << 32;
    struct stream t;

    (void)state;
    open_stream(&t, 20, true);
    ok(t.s.unit->ops->devtlb(&t.far, &some));
    /* SSV, SSID; not Global. 4 pages from 0x4000. */
    assert_true(t.s.command[0].q0 == (sid | 0xfffff000 | 0x800 | ATC_INV));
    assert_true(t.s.command[0].q1 == (0x4000 | 2));
    ok(t.s.unit->ops->devtlb(&t.one, &all));
    assert_true(t.s.command[2].q0 == (sid | 0x1000 | 0x800 | ATC_INV));
    assert_true(t.s.command[2].q1 == 52);
    /* Without: what was asked without a PASID is in this form only. */
    ok(t.s.unit->ops->devtlb(t.dev.endpoint, &some));
    assert_true(t.s.command[4].q0 == (sid | ATC_INV));
    assert_int_equal(t.s.n_commands, 6);
    close_stream(&t);
}

static bool eats(const struct stream *t)
{
    return (ste(t, 1) & 3 * EATS_ON) == EATS_ON;
}

static void the_first_that_is_cached_switches_it_on(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_false(eats(&t));
    smmu_forget(&t.s);
    t.dev.endpoint->ats = true;
    ok(smmu_set_pasid(&t.s, &t.one, &t.b.domain));
    assert_true(eats(&t) && s1dss(&t) == BYPASS); /* legal beside each other */
    assert_int_equal(smmu_count(&t.s, CFGI_STE), 1);
    ok(smmu_set(&t.s, &t.dev, blocked(&t)));
    assert_true(eats(&t) && s1dss(&t) == TERMINATE);
    t.dev.endpoint->ats = false;
    smmu_forget(&t.s);
    ok(smmu_set_pasid(&t.s, &t.one, blocked(&t)));
    assert_false(eats(&t));
    assert_int_equal(smmu_count(&t.s, CFGI_STE), 1);
    close_stream(&t);
}

/* With the first PASID too, without a gap for the stream: not in the same store. */
static void a_table_and_ats_come_one_after_the_other(void **state)
{
    struct stream t;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        open_stream(&t, 8, true);
        t.dev.endpoint->ats = i;
        ok(smmu_set(&t.s, &t.dev, &t.a.domain));
        t.dev.endpoint->ats = true;
        ok(smmu_set_pasid(&t.s, &t.one, &t.b.domain));
        assert_true(eats(&t) && s1dss(&t) == SSID0);
        assert_true(sees(&t, 0, &t.a) && sees(&t, 1, &t.b));
        close_stream(&t);
    }
}

/* ---- growth ---------------------------------------------------------------- */

/* Another device came to the slot, with more PASIDs. */
static void a_table_that_is_too_small_is_exchanged(void **state)
{
    static const unsigned bits[] = { 5, 8, 17 };
    struct uiommu_endpoint last;
    struct stream t;

    (void)state;
    open_stream(&t, bits[0], true);
    ok(smmu_set(&t.s, &t.dev, &t.a.domain));
    for (unsigned i = 0; i < ROWS(bits); i++) {
        t.dev.pasid_bits = (uint8_t)bits[i];
        smmu_pasid(&t.s, &t.dev, &last, (1u << bits[i]) - 1);
        ok(smmu_set_pasid(&t.s, &last, &t.b.domain));
        assert_int_equal(s1cdmax(&t), bits[i]);
        assert_true(sees(&t, 0, &t.a) && sees(&t, last.pasid, &t.b));
        assert_int_equal(s1dss(&t), SSID0);
        assert_true(is_blocked(&t, 1));
        ok(smmu_set_pasid(&t.s, &last, blocked(&t)));
    }
    close_stream(&t);
}

static void a_table_in_use_is_not_exchanged(void **state)
{
    struct uiommu_endpoint last;
    struct stream t;
    uint64_t before;
    int pages;

    (void)state;
    open_stream(&t, 8, true);
    ok(smmu_set(&t.s, &t.dev, &t.a.domain));
    ok(smmu_set_pasid(&t.s, &t.far, &t.a.domain));
    before = ste(&t, 0);
    pages = t.s.pages;
    t.dev.pasid_bits = 9;
    smmu_pasid(&t.s, &t.dev, &last, 256);
    assert_int_equal(smmu_set_pasid(&t.s, &last, &t.b.domain),
                     UIOMMU_OPNOTSUPP);
    assert_non_null(strstr(t.s.log, "has room for 256 PASIDs only"));
    assert_true(ste(&t, 0) == before && t.s.pages == pages);
    assert_true(sees(&t, t.far.pasid, &t.a));
    close_stream(&t);
}

/* ---- what was cut ---------------------------------------------------------- */

/* A new device has the id: of what the old one's PASIDs saw it sees nothing. */
static void nothing_comes_back_with_the_next_device(void **state)
{
    struct stream t;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        open_stream(&t, 8, true);
        ok(smmu_set(&t.s, &t.dev, &t.a.domain));
        ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
        ok(smmu_set_pasid(&t.s, &t.far, &t.b.domain));
        ok(t.s.unit->ops->cut(t.dev.endpoint));
        if (i == 0)
            ok(smmu_set(&t.s, &t.dev, &t.b.domain));
        else if (i == 1)
            ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
        else if (i == 2)
            ok(smmu_set_pasid(&t.s, &t.two, &t.b.domain));
        else
            ok(smmu_set(&t.s, &t.dev, blocked(&t)));
        assert_int_equal(ste(&t, 0) & 1, i < 3);
        assert_int_equal(s1dss(&t), i == 0   ? SSID0
                                    : i == 1 ? BYPASS
                                             : TERMINATE);
        assert_true(i == 3 || (is_blocked(&t, 1) && is_blocked(&t, 255)));
        assert_true(i == 0 ? sees(&t, 0, &t.b) : is_blocked(&t, 0));
        assert_true(i != 2 || sees(&t, 2, &t.b));
        close_stream(&t);
    }
}

/* Nobody opens the stream for a PASID of it. */
static void a_stream_that_was_cut_gets_no_pasid(void **state)
{
    struct stream t;
    int pages;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        open_stream(&t, 8, true);
        ok(smmu_set(&t.s, &t.dev, &t.a.domain));
        if (i == 1)
            ok(smmu_set_pasid(&t.s, &t.two, &t.a.domain));
        pages = t.s.pages;
        atomic_store(&t.dev.endpoint->quarantined, true);
        ok(t.s.unit->ops->cut(t.dev.endpoint));
        assert_int_equal(smmu_set_pasid(&t.s, &t.one, &t.b.domain),
                         UIOMMU_TIMEDOUT);
        assert_int_equal(ste(&t, 0) & 1, 0);
        assert_true(i == 0 || (is_blocked(&t, 1) && is_blocked(&t, 2)));
        assert_int_equal(t.s.pages, pages);
        close_stream(&t);
    }
}

/* ---- without memory -------------------------------------------------------- */

struct image {
    uint64_t ste[8];
    int pages;
};

static struct image image_of(const struct stream *t)
{
    struct image image = { .pages = t->s.pages };

    if (smmu_ste(&t->s, SID))
        for (unsigned i = 0; i < 8; i++)
            image.ste[i] = ste(t, i);
    return image;
}

/* How often until it works. */
static unsigned try_without(struct stream *t, struct uiommu_endpoint *ep)
{
    unsigned n = 0;

    for (;;) {
        const struct image before = image_of(t);
        struct image after;
        enum uiommu_status status;

        smmu_forget(&t->s);
        t->s.fail_pages = (int)++n;
        status = smmu_set_pasid(&t->s, ep, &t->b.domain);
        t->s.fail_pages = 0;
        if (status == UIOMMU_OK)
            return n - 1;
        assert_int_equal(status, UIOMMU_NOMEM);
        assert_int_equal(t->s.n_commands, 0);
        after = image_of(t);
        assert_memory_equal(&before, &after, sizeof(before));
    }
}

static void without_memory_nothing_changes(void **state)
{
    struct stream t;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        open_stream(&t, 8, true);
        if (i == 1)
            ok(smmu_set(&t.s, &t.dev, &t.s.u->identity));
        else if (i == 2)
            ok(smmu_set(&t.s, &t.dev, &t.a.domain));
        /* table, both leaves; and entries where there are none */
        assert_int_equal(try_without(&t, &t.far), i == 0 ? 4 : 3);
        assert_int_equal(try_without(&t, &t.one), 0);
        assert_true(sees(&t, t.far.pasid, &t.b));
        close_stream(&t);
    }
    open_stream(&t, 8, true);
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    assert_int_equal(try_without(&t, &t.far), 1);
    assert_true(sees(&t, 1, &t.a));
    close_stream(&t);
}

/* Blocking never needs any. */
static void blocking_takes_nothing(void **state)
{
    struct stream t;

    (void)state;
    open_stream(&t, 8, true);
    t.s.fail_pages = 1;
    ok(smmu_set_pasid(&t.s, &t.one, blocked(&t)));
    assert_null(smmu_ste(&t.s, SID));
    t.s.fail_pages = 0;
    ok(smmu_set_pasid(&t.s, &t.one, &t.a.domain));
    t.s.fail_pages = 1;
    ok(smmu_set_pasid(&t.s, &t.far, blocked(&t)));
    ok(smmu_set_pasid(&t.s, &t.one, blocked(&t)));
    ok(smmu_set(&t.s, &t.dev, blocked(&t)));
    assert_int_equal(t.s.fail_pages, 1);
    close_stream(&t);
}

/* ---- without an answer ----------------------------------------------------- */

/* The unit stops after so many commands. */
static void fall_silent(struct smmu *s, struct smmuv3_cmd c)
{
    (void)c;
    if (s->seen > 0 && --s->seen == 0)
        s->silent = true;
}

enum change {
    FIRST_PASID,
    PASID_B,
    PASID_BLOCKED,
    RID_B,
    RID_IDENTITY,
    RID_BLOCKED,
    CHANGES
};

static enum uiommu_status change(struct stream *t, enum change what)
{
    switch (what) {
    case FIRST_PASID:
    case PASID_B:
        return smmu_set_pasid(&t->s, &t->one, &t->b.domain);
    case PASID_BLOCKED:
        return smmu_set_pasid(&t->s, &t->one, blocked(t));
    case RID_B:
        return smmu_set(&t->s, &t->dev, &t->b.domain);
    case RID_IDENTITY:
        return smmu_set(&t->s, &t->dev, &t->s.u->identity);
    default:
        return smmu_set(&t->s, &t->dev, blocked(t));
    }
}

/* Whoever changes is blocked; a PASID that fails leaves the stream as it was. */
static void check_blocked(struct stream *t, enum change what)
{
    if (what >= RID_B) {
        assert_int_equal(ste(t, 0) & 1, 0);
        return;
    }
    assert_int_equal(ste(t, 0) & 0xf, 0xb);
    if (s1cdmax(t) == 0) /* the first one, and it came to nothing */
        return;
    assert_true(is_blocked(t, 1));
    assert_true(sees(t, 0, &t->a) && s1dss(t) == SSID0);
    assert_true(what == FIRST_PASID || sees(t, 2, &t->a));
}

/* False: so many commands are enough. */
static bool silent_after(struct stream *t, enum change what, unsigned n)
{
    enum uiommu_status status;
    bool late;
    int pages;

    open_stream(t, 8, true);
    ok(smmu_set(&t->s, &t->dev, &t->a.domain));
    pages = t->s.pages;
    if (what != FIRST_PASID) {
        ok(smmu_set_pasid(&t->s, &t->one, &t->a.domain));
        ok(smmu_set_pasid(&t->s, &t->two, &t->a.domain));
    }
    t->s.on_command = fall_silent;
    t->s.seen = n;
    t->s.silent = n == 0;
    status = change(t, what);
    late = t->s.silent;
    if (late && status != UIOMMU_OK) {
        assert_int_equal(status, UIOMMU_TIMEDOUT);
        check_blocked(t, what);
    }
    /* What the unit may still walk is there. */
    if (what == FIRST_PASID)
        assert_int_equal(t->s.pages - pages, s1cdmax(t) > 0 ? 2 : 0);
    t->s.silent = false;
    t->s.on_command = NULL;
    atomic_store(&t->s.unit->broken, false);
    close_stream(t);
    return status != UIOMMU_OK;
}

static void without_an_answer_it_is_blocked(void **state)
{
    static const unsigned most[CHANGES] = { 8, 6, 2, 6, 4, 4 };
    struct stream t;

    (void)state;
    for (unsigned what = 0; what < CHANGES; what++)
        for (unsigned n = 0; n <= most[what]; n++)
            assert_int_equal(silent_after(&t, what, n), n < most[what]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_announced),
        cmocka_unit_test(a_table_comes_with_one_command),
        cmocka_unit_test(a_cut_is_one_command),
        cmocka_unit_test(a_mute_stream_gets_a_table),
        cmocka_unit_test(tables_have_the_format_that_fits),
        cmocka_unit_test(leaves_come_when_they_are_needed),
        cmocka_unit_test(descriptors_are_those_of_streams),
        cmocka_unit_test(a_process_has_attributes_of_its_own),
        cmocka_unit_test(s1dss_says_what_the_stream_sees),
        cmocka_unit_test(pasids_are_those_of_the_first_stage),
        cmocka_unit_test(invalidations_name_the_pasid),
        cmocka_unit_test(the_first_that_is_cached_switches_it_on),
        cmocka_unit_test(a_table_and_ats_come_one_after_the_other),
        cmocka_unit_test(a_table_that_is_too_small_is_exchanged),
        cmocka_unit_test(a_table_in_use_is_not_exchanged),
        cmocka_unit_test(nothing_comes_back_with_the_next_device),
        cmocka_unit_test(a_stream_that_was_cut_gets_no_pasid),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(blocking_takes_nothing),
        cmocka_unit_test(without_an_answer_it_is_blocked),
    };

    return cmocka_run_group_tests_name("SMMUv3 substreams", tests, NULL, NULL);
}
