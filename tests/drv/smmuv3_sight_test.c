/* SPDX-License-Identifier: MIT */
/*
 * What a stream and its PASIDs may see of tables of context descriptors, store by store,
 * by a unit that reads each word of an entry, a link and a descriptor as it is, or as it
 * was at any time since it was told to forget (IHI0070 3.21.3, 5.2 to 5.4; semantics
 * B.13, D-51, D-53). And beside it somebody cuts one of them, at any point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"
#include "tests/hook/hook.h"
#include "fuzz/share.h"

#define ok(status) assert_int_equal(status, UIOMMU_OK)

#define POINTER  UINT64_C(0x00ffffffffffffc0)
#define L2PTR    UINT64_C(0x000ffffffffff000)
#define CD_VALID (UINT64_C(1) << 31)

enum {
    SID = 0x1234,
    VALUES = 8,        /* of a word between two commands                    */
    WORDS = 64,        /* that changed                                      */
    SIGHTS_MOST = 1 << 14,
    CD_WORDS = 8,
    CFGI_STE = 0x03,
    CFGI_CD = 0x05,
    SYNC = 0x46,
    /* PASIDs */
    LIVES = 2,
    UNUSED = 3,
};

/* ---- what changed ---------------------------------------------------------- */

/* A word, as it was and is since caches last forgot it. `now` is which of these the unit
 * has. */
struct history {
    const uim_word *at;
    uint64_t value[VALUES];
    unsigned n, now;
};

/* ---- what is seen ---------------------------------------------------------- */

enum kind { NOTHING, IDENTITY, PAGING };

struct sight {
    enum kind kind;
    uint64_t cd[CD_WORDS];
};

/* Who may see what. */
struct may {
    struct sight old, next;
    bool gap, had_gap;
};

/* The stream without a PASID, the PASID that changes, that which lives, and one that
 * nobody uses. */
enum who { RID, ONE, OTHER, NOBODY, WHO };

struct watch {
    struct smmu *s;
    uint32_t pasid[WHO];
    uint64_t *shadow;    /* words of RAM before the last store              */
    struct history h[WORDS];
    unsigned n;
    struct may may[WHO];
    bool on;
    uint64_t cfgi;       /* the last one; 0: none since the last SYNC       */
    struct uiommu_endpoint *cut; /* to be cut, at the so-manieth point      */
    unsigned at;
    bool was_cut;
};

static size_t index_of(const struct smmu *s, const uim_word *p)
{
    return (size_t)((const uint8_t *)p - s->ram) / sizeof(*p);
}

static struct history *history_of(struct watch *w, const uim_word *p)
{
    for (unsigned i = 0; i < w->n; i++)
        if (w->h[i].at == p)
            return &w->h[i];
    return NULL;
}

static uint64_t ld(struct watch *w, const uim_word *p)
{
    const struct history *h = history_of(w, p);

    return h ? h->value[h->now] : uim_ld64(p);
}

static const uim_word *cd_of(struct watch *w, uint64_t word0, uint32_t ssid)
{
    const uint64_t root = word0 & POINTER;
    const unsigned lg2 = (word0 >> 4 & 3) == 1 ? 6 : 10;
    uint64_t l1cd;

    if (word0 >> 59 == 0 || (word0 >> 4 & 3) == 0)
        return smmu_virt(w->s, root + (uint64_t)ssid * 64);
    l1cd = ld(w, smmu_virt(w->s, root + (ssid >> lg2) * 8));
    if (!(l1cd & 1))
        return NULL;
    return smmu_virt(w->s, (l1cd & L2PTR) + (ssid % (1u << lg2)) * 64);
}

static struct sight sight_of(struct watch *w, const uim_word *cd)
{
    struct sight sight = { .kind = PAGING };

    if (!cd || !(ld(w, cd) & CD_VALID))
        return (struct sight){ .kind = NOTHING };
    for (unsigned i = 0; i < CD_WORDS; i++)
        sight.cd[i] = ld(w, &cd[i]);
    return sight;
}

static struct sight look(struct watch *w, uint32_t pasid)
{
    const uim_word *ste = smmu_ste(w->s, SID);
    const uint64_t word0 = ste ? ld(w, ste) : 0;
    const unsigned config = word0 >> 1 & 7, cdmax = (unsigned)(word0 >> 59);
    const unsigned s1dss = ste ? ld(w, &ste[1]) & 3 : 0;

    if (!(word0 & 1) || config < 4)
        return (struct sight){ .kind = NOTHING };
    if (pasid != UIOMMU_NO_PASID && (config != 5 || pasid >> cdmax != 0))
        return (struct sight){ .kind = NOTHING };
    if (pasid == UIOMMU_NO_PASID && (config == 4 || (cdmax > 0 && s1dss == 1)))
        return (struct sight){ .kind = IDENTITY };
    if (pasid == UIOMMU_NO_PASID && cdmax > 0 && s1dss != 2)
        return (struct sight){ .kind = NOTHING };
    return sight_of(w, cd_of(w, word0, pasid));
}

static bool same(const struct sight *a, const struct sight *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void judge(struct watch *w)
{
    for (unsigned i = 0; i < WHO; i++) {
        struct may *may = &w->may[i];
        const struct sight sight = look(w, w->pasid[i]);

        may->had_gap |= sight.kind == NOTHING;
        if (same(&sight, &may->old) || same(&sight, &may->next) ||
            (may->gap && sight.kind == NOTHING))
            continue;
        fail_msg("%u sees %u, word 1 is 0x%llx", i, sight.kind,
                 (unsigned long long)sight.cd[1]);
    }
}

/* All combinations, counted like a number. */
static void judge_all(struct watch *w)
{
    unsigned sights = 0, i;

    for (i = 0; i < w->n; i++)
        w->h[i].now = 0;
    do {
        judge(w);
        assert_true(++sights < SIGHTS_MOST);
        for (i = 0; i < w->n && ++w->h[i].now == w->h[i].n; i++)
            w->h[i].now = 0;
    } while (i < w->n);
    for (i = 0; i < w->n; i++)
        w->h[i].now = w->h[i].n - 1;
}

/* ---- where the unit may be ---------------------------------------------------- */

static bool within(const uim_word *p, const uim_word *first, uint64_t bytes)
{
    return p >= first && p < first + bytes / sizeof(*p);
}

static bool in_leaf(const struct watch *w, const uim_word *root, uint32_t n,
                    unsigned lg2, const uim_word *p)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint64_t l1cd = uim_ld64(&root[i]);

        if ((l1cd & 1) &&
            within(p, smmu_virt(w->s, l1cd & L2PTR), UINT64_C(64) << lg2))
            return true;
    }
    return false;
}

/* An entry with this word 0 leads there. */
static bool leads(const struct watch *w, uint64_t word0, const uim_word *p)
{
    const uint32_t n = UINT32_C(1) << (word0 >> 59);
    const unsigned lg2 = (word0 >> 4 & 3) == 1 ? 6 : 10;
    const uim_word *root;

    if ((word0 & 0xf) != 0xb)
        return false;
    root = smmu_virt(w->s, word0 & POINTER);
    if ((word0 >> 4 & 3) == 0)
        return within(p, root, UINT64_C(64) * n);
    return within(p, root, UINT64_C(8) * (n >> lg2)) ||
           in_leaf(w, root, n >> lg2, lg2, p);
}

/* What is somewhere else the unit cannot have read before it is led there. */
static bool may_be_read(struct watch *w, const uim_word *p)
{
    const uim_word *ste = smmu_ste(w->s, SID);
    const struct history *h = ste ? history_of(w, ste) : NULL;

    if (!ste || within(p, ste, 64))
        return ste;
    for (unsigned i = 0; h && i < h->n; i++)
        if (leads(w, h->value[i], p))
            return true;
    return leads(w, uim_ld64(ste), p);
}

/* ---- what happens ---------------------------------------------------------- */

static void remember(struct watch *w, const uim_word *p, uint64_t value)
{
    const size_t i = index_of(w->s, p);
    struct history *h = history_of(w, p);

    if (!h && w->shadow[i] != value && may_be_read(w, p)) {
        assert_true(w->n < WORDS);
        h = &w->h[w->n++];
        *h = (struct history){ .at = p, .value = { w->shadow[i] }, .n = 1 };
    }
    w->shadow[i] = value;
    if (!h || h->value[h->n - 1] == value)
        return;
    assert_true(h->n < VALUES);
    h->value[h->n++] = value;
}

static const struct may nothing = { .old = { .kind = NOTHING },
                                    .next = { .kind = NOTHING } };

/* With a stream all its PASIDs are cut. */
static bool goes_with(const struct watch *w, const struct uiommu_endpoint *cut,
                      enum who who)
{
    return cut->pasid == UIOMMU_NO_PASID || cut->pasid == w->pasid[who];
}

static void cut_here(struct watch *w)
{
    struct uiommu_endpoint *ep = w->cut;

    if (!w->on || !ep || w->was_cut || w->at-- > 0)
        return;
    w->was_cut = true;
    atomic_store(&ep->quarantined, true);
    for (unsigned i = 0; i < WHO; i++)
        w->may[i].gap |= goes_with(w, ep, i);
    ok(ep->unit->ops->cut(ep));
    for (unsigned i = 0; i < WHO; i++)
        if (goes_with(w, ep, i))
            w->may[i] = nothing;
    judge_all(w);
}

static void on_store(void *ctx, const void *where, uint64_t value)
{
    struct watch *w = ctx;
    const uint8_t *p = where;

    if (p < w->s->ram || p >= w->s->ram + (size_t)SMMU_PAGES * 4096)
        return;
    remember(w, where, value);
    if (w->on)
        judge_all(w);
    if (w->s->spins_held == 0)
        cut_here(w);
}

static void on_pages(struct smmu *s, const void *p, size_t size)
{
    struct watch *w = s->ctx;

    memset(&w->shadow[index_of(s, p)], 0, size);
}

/* All, or what lies on the way to one descriptor. */
static bool forgets(struct watch *w, const struct history *h)
{
    const uint32_t ssid = w->cfgi >> 12 & 0xfffff;
    const uint64_t word0 = uim_ld64(smmu_ste(w->s, SID));
    const unsigned lg2 = (word0 >> 4 & 3) == 1 ? 6 : 10;
    const uim_word *cd;

    if ((w->cfgi & 0xff) == CFGI_STE)
        return true;
    cd = cd_of(w, word0, ssid);
    return (cd && h->at >= cd && h->at < cd + CD_WORDS) ||
           ((word0 >> 4 & 3) != 0 &&
            h->at == (uim_word *)smmu_virt(w->s, (word0 & POINTER) +
                                                     (ssid >> lg2) * 8));
}

static void on_command(struct smmu *s, struct smmuv3_cmd c)
{
    struct watch *w = s->ctx;
    unsigned kept = 0;

    if ((smmu_opcode(c) == CFGI_STE || smmu_opcode(c) == CFGI_CD) &&
        c.q0 >> 32 == SID)
        w->cfgi = c.q0;
    if (smmu_opcode(c) != SYNC || w->cfgi == 0)
        return;
    for (unsigned i = 0; i < w->n; i++)
        if (!forgets(w, &w->h[i]))
            w->h[kept++] = w->h[i];
    w->n = kept;
    w->cfgi = 0;
}

static void on_unlocked(struct smmu *s)
{
    cut_here(s->ctx);
}

/* ---- a stream with PASIDs -------------------------------------------------- */

enum what { BLOCKED, IDENTICAL, A, B, WHATS };

struct shape {
    unsigned bits;
    uint32_t one;
};

/* A page; two leaves; leaves of 64 KiB. */
static const struct shape shapes[] = { { 6, 1 }, { 8, 200 }, { 16, 1 } };

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

struct stream {
    struct smmu s;
    struct watch w;
    struct smmu_domain a, b, c;
    struct uiommu_device dev, beside;
    struct uiommu_endpoint one, other;
};

static uint64_t shadow[(size_t)SMMU_PAGES * 4096 / sizeof(uint64_t)];

static void open_stream(struct stream *t, const struct shape *shape)
{
    memset(t, 0, sizeof(*t));
    smmu_init(&t->s);
    t->w.s = &t->s;
    t->w.shadow = shadow; /* pages that are allocated are zeroed in it too */
    t->w.pasid[ONE] = shape->one;
    t->w.pasid[OTHER] = LIVES;
    t->w.pasid[NOBODY] = UNUSED;
    t->s.ctx = &t->w;
    t->s.idr0.ats = 1;
    t->s.idr0.cd2l = 1;
    t->s.idr1.ssidsize = 20;
    t->s.on_pages = on_pages;
    uim_store_hook(on_store, &t->w);
    ok(smmu_start(&t->s));
    smmu_domain(&t->s, &t->a, 0xa0000);
    smmu_domain(&t->s, &t->b, 0xb0000);
    smmu_domain(&t->s, &t->c, 0xc0000);
    smmu_device(&t->s, &t->dev, SID);
    smmu_device(&t->s, &t->beside, SID + 1);
    t->dev.pasid_bits = (uint8_t)shape->bits;
    smmu_pasid(&t->s, &t->dev, &t->one, shape->one);
    smmu_pasid(&t->s, &t->dev, &t->other, LIVES);
    t->s.on_command = on_command;
    t->s.on_unlocked = on_unlocked;
}

static void close_stream(struct stream *t)
{
    uim_store_hook(NULL, NULL);
    t->s.on_command = NULL;
    t->s.on_unlocked = NULL;
    t->s.unit->ops->unlink(&t->a.link);
    t->s.unit->ops->unlink(&t->b.link);
    t->s.unit->ops->unlink(&t->c.link);
    smmu_stop(&t->s);
}

static struct uiommu_domain *domain_of(struct stream *t, enum what what)
{
    if (what == BLOCKED)
        return &t->s.u->blocked;
    if (what == IDENTICAL)
        return &t->s.u->identity;
    return what == A ? &t->a.domain : &t->b.domain;
}

/* As a stream sees it that never had a PASID. */
static struct sight sight_in(struct stream *t, struct uiommu_domain *d)
{
    struct sight sight = { .kind = PAGING };
    uint64_t word0;

    if (d == &t->s.u->blocked)
        return (struct sight){ .kind = NOTHING };
    if (d == &t->s.u->identity)
        return (struct sight){ .kind = IDENTITY };
    ok(smmu_set(&t->s, &t->beside, d));
    word0 = uim_ld64(smmu_ste(&t->s, SID + 1));
    for (unsigned i = 0; i < CD_WORDS; i++)
        sight.cd[i] =
            uim_ld64(&((uim_word *)smmu_virt(&t->s, word0 & POINTER))[i]);
    return sight;
}

/* One change: of the stream, or of its PASID, and where it comes from. */
struct way {
    enum what rid, one;  /* before                                          */
    bool other;          /* lives: so there is a table                      */
    bool of_one;         /* the PASID changes, not the stream               */
    enum what to;
    bool ats_before, ats;
};

static void begin(struct stream *t, const struct way *way)
{
    struct watch *w = &t->w;
    const struct sight rid = sight_in(t, domain_of(t, way->rid));
    const struct sight one = sight_in(t, domain_of(t, way->one));
    const struct sight to = sight_in(t, domain_of(t, way->to));

    w->may[OTHER] = nothing;
    w->may[NOBODY] = nothing;
    if (way->other) {
        w->may[OTHER].old = sight_in(t, &t->c.domain);
        w->may[OTHER].next = w->may[OTHER].old;
    }
    t->dev.endpoint->ats = way->ats_before;
    ok(smmu_set(&t->s, &t->dev, domain_of(t, way->rid)));
    if (way->other)
        ok(smmu_set_pasid(&t->s, &t->other, &t->c.domain));
    if (way->one != BLOCKED)
        ok(smmu_set_pasid(&t->s, &t->one, domain_of(t, way->one)));
    w->may[RID] = (struct may){ .old = rid, .next = rid };
    w->may[ONE] = (struct may){ .old = one, .next = one };
    w->may[way->of_one ? ONE : RID].next = to;
    w->may[way->of_one ? ONE : RID].gap = true;
    t->dev.endpoint->ats = way->ats;
    w->n = 0; /* each set was followed by its commands */
    w->on = true;
}

static enum uiommu_status go(struct stream *t, const struct way *way)
{
    if (way->of_one)
        return smmu_set_pasid(&t->s, &t->one, domain_of(t, way->to));
    return smmu_set(&t->s, &t->dev, domain_of(t, way->to));
}

/* Everybody sees what he shall, and nothing else is cached. */
static void end(struct stream *t)
{
    struct watch *w = &t->w;

    w->on = false;
    for (unsigned i = 0; i < WHO; i++) {
        w->may[i].old = w->may[i].next;
        w->may[i].gap = false;
    }
    judge_all(w);
    /* And who asks with a PASID of 0, though nobody has it. */
    if (w->may[RID].next.kind != PAGING) {
        const uim_word *ste = smmu_ste(w->s, SID);
        const uint64_t word0 = ste ? uim_ld64(ste) : 0;

        if (word0 >> 59 != 0 && (word0 & 1))
            assert_int_equal(sight_of(w, cd_of(w, word0, 0)).kind, NOTHING);
    }
}

/* ---- all ways -------------------------------------------------------------- */

enum { WAYS = WHATS * WHATS * 2 * 2 * WHATS * 2 * 2 };

/* False: there is no such way. */
static bool way_of(unsigned n, struct way *way)
{
    way->rid = n % WHATS;
    way->one = n / WHATS % WHATS;
    way->to = n / (WHATS * WHATS) % WHATS;
    n /= WHATS * WHATS * WHATS;
    way->other = n & 1;
    way->of_one = n >> 1 & 1;
    way->ats_before = n >> 2 & 1;
    way->ats = n >> 3 & 1;
    return way->one != IDENTICAL && way->one != B &&
           !(way->of_one && way->to == IDENTICAL);
}

static bool in_table(const struct way *way)
{
    return way->other || way->one != BLOCKED;
}

/* No gap where one word says it all: S1DSS, or outside of a table word 0; but with
 * ATS switched at the same time, outside. */
static bool without_gap(const struct way *way)
{
    if (way->of_one || way->rid == BLOCKED || way->to == BLOCKED)
        return false;
    if (in_table(way))
        return way->rid == IDENTICAL || way->to == IDENTICAL ||
               way->rid == way->to;
    return way->ats == way->ats_before || way->rid == IDENTICAL ||
           way->to == IDENTICAL;
}

static void others_do_not_notice(void **state)
{
    struct stream t;
    struct way way;

    (void)state;
    for (unsigned i = 0; i < SHAPES; i++)
        for (unsigned n = 0; n < WAYS; n++) {
            if (!way_of(n, &way) || !in_share(0, n))
                continue;
            open_stream(&t, &shapes[i]);
            begin(&t, &way);
            ok(go(&t, &way));
            if (without_gap(&way))
                assert_false(t.w.may[RID].had_gap);
            end(&t);
            close_stream(&t);
        }
}

/* True: it was before the change had ended. */
static bool cut_at(const struct shape *shape, const struct way *way,
                   enum who who, unsigned at)
{
    struct stream t;
    bool was_cut;

    open_stream(&t, shape);
    begin(&t, way);
    t.w.cut = who == RID ? t.dev.endpoint : who == ONE ? &t.one : &t.other;
    t.w.at = at;
    (void)go(&t, way);
    was_cut = t.w.was_cut;
    t.w.cut = NULL;
    if (!was_cut || who != RID) /* else what may be seen is nothing */
        end(&t);
    judge_all(&t.w);
    close_stream(&t);
    return was_cut;
}

static void who_is_cut_meanwhile_sees_nothing(void **state)
{
    unsigned points = 0, place = 0;
    struct way way;

    (void)state;
    for (unsigned n = 0; n < WAYS; n++) {
        if (!way_of(n, &way) || way.ats_before || way.ats ||
            (in_table(&way) && !way.other) || !in_share(1, place++))
            continue;
        for (unsigned who = RID; who < NOBODY; who++) {
            unsigned at = 0;

            while (cut_at(&shapes[1], &way, who, at))
                at++;
            points += at;
        }
    }
    assert_true(points > (share() == 1 ? 1000 : 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_do_not_notice),
        cmocka_unit_test(who_is_cut_meanwhile_sees_nothing),
    };

    return cmocka_run_group_tests_name("SMMUv3 substreams that change", tests,
                                       NULL, NULL);
}
