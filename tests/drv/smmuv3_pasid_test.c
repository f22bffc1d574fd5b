/* SPDX-License-Identifier: MIT */
/*
 * Substreams of the SMMUv3 driver on the model, store by store: what a stream and each of
 * its PASIDs see while one of them changes (IHI0070 3.9, 3.21.3, 5.2 to 5.4; semantics
 * B.7, B.13, D-48, D-51).
 */
#include "smmu_stand.h"

#include <uiommu/embed.h>

#define AT      UINT64_C(0x40000000)
#define NOWHERE UINT64_MAX

/* Formats: a page; leaves of 4 KiB; of 64 KiB; without levels. Each with a PASID that
 * lives throughout, one that comes and goes in the same leaf, one in another leaf where
 * there are some, and one that is never used. */
struct shape {
    const char *args;
    unsigned bits, s1fmt;
    uint32_t lives, comes, far, unused;
};

static const struct shape shapes[] = {
    { NULL, 6, 0, 1, 2, 63, 3 },
    { NULL, 12, 1, 5, 6, 64, 4095 },
    { NULL, 15, 1, 63, 1, 32767, 64 },
    { NULL, 20, 2, 1023, 1, 0xfffff, 1024 },
    { "cd2l=0", 10, 0, 1, 2, 1023, 1022 },
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

/* ---- one stream with PASIDs ------------------------------------------------ */

enum sight { BLOCKED, IDENTITY, A, B, SIGHTS };

struct rid {
    struct stand s;
    const struct shape *shape;
    struct uiommu_domain *to[SIGHTS], *own;
    uint64_t phys[SIGHTS], own_phys;
    struct uiommu_endpoint lives, comes, far;
};

static void rid_open(struct rid *r, unsigned point, const struct shape *shape)
{
    struct stand *s = &r->s;

    memset(r, 0, sizeof(*r));
    r->shape = shape;
    stand_point(s, point & ~1u); /* first stage */
    s->config.args = shape->args;
    stand_up(s);
    stand_endpoint(s, 0)->device->pasid_bits = (uint8_t)shape->bits;
    for (unsigned i = A; i < SIGHTS; i++) {
        r->to[i] = stand_domain(s, 0);
        r->phys[i] = stand_map(s, r->to[i], AT);
        stand_set(s, i - A + 1, r->to[i]); /* ids stay out */
    }
    r->to[BLOCKED] = uiommu_blocked(s->u);
    r->to[IDENTITY] = uiommu_identity(s->u);
    r->phys[BLOCKED] = NOWHERE;
    r->phys[IDENTITY] = AT;
    r->own = stand_domain(s, 0);
    r->own_phys = stand_map(s, r->own, AT);
    stand_pasid(s, &r->lives, 0, shape->lives);
    stand_pasid(s, &r->comes, 0, shape->comes);
    stand_pasid(s, &r->far, 0, shape->far);
    stand_forget(s);
}

static void rid_close(struct rid *r)
{
    struct stand *s = &r->s;

    s->look = NULL;
    stand_forget(s);
    stand_pasid_set(s, &r->lives, uiommu_blocked(s->u));
    stand_pasid_set(s, &r->comes, uiommu_blocked(s->u));
    stand_pasid_set(s, &r->far, uiommu_blocked(s->u));
    stand_set(s, 0, uiommu_blocked(s->u));
    for (unsigned i = A; i < SIGHTS; i++) {
        stand_block(s, i - A + 1);
        uiommu_domain_put(r->to[i]);
    }
    uiommu_domain_put(r->own);
    stand_down(s);
}

/* ---- store by store -------------------------------------------------------- */

/* Who changes goes from the old to the new, perhaps by nothing, and never back; the
 * others do not notice. */
struct watch {
    struct rid *r;
    uint32_t pasid;      /* who changes                                     */
    uint64_t old, new;
    unsigned seen;       /* 0: the old, 1: nothing, 2: the new              */
    bool gap;
    uint64_t rid, lives; /* where the others land                           */
};

static void watch(struct stand *s, void *ctx)
{
    struct watch *w = ctx;
    const struct shape *shape = w->r->shape;
    const uint64_t at = stand_lands(s, 0, w->pasid, AT);
    unsigned sees = 1;

    if (at == w->old && w->seen == 0)
        sees = 0;
    else if (at == w->new)
        sees = 2;
    else if (at != NOWHERE)
        fail_msg("0x%llx is seen", (unsigned long long)at);
    w->gap |= at == NOWHERE;
    assert_true(sees >= w->seen);
    w->seen = sees;
    if (w->pasid != UIOMMU_NO_PASID)
        assert_true(stand_lands(s, 0, UIOMMU_NO_PASID, AT) == w->rid);
    assert_true(stand_lands(s, 0, shape->lives, AT) == w->lives);
    assert_true(stand_lands(s, 0, shape->unused, AT) == NOWHERE);
}

static void watch_begin(struct watch *w, struct rid *r, uint32_t pasid,
                        uint64_t old, uint64_t new)
{
    *w = (struct watch){ .r = r, .pasid = pasid, .old = old, .new = new };
    w->rid = stand_lands(&r->s, 0, UIOMMU_NO_PASID, AT);
    w->lives = stand_lands(&r->s, 0, r->shape->lives, AT);
    stand_forget(&r->s);
    r->s.look = watch;
    r->s.ctx = w;
}

static void watch_end(struct watch *w)
{
    struct stand *s = &w->r->s;

    s->look = NULL;
    sim_forget(s->m); /* between store and command */
    assert_true(stand_lands(s, 0, w->pasid, AT) == w->new);
    stand_forget(s);
}

static bool is_format(const struct rid *r)
{
    const uint64_t word0 =
        stand_ste_word((struct stand *)(uintptr_t)&r->s, 0, 0);

    return word0 >> 59 == r->shape->bits && (word0 >> 4 & 3) == r->shape->s1fmt;
}

/* ---- the first ------------------------------------------------------------- */

static void the_first_pasid_is_not_noticed(struct rid *r, unsigned sight)
{
    struct stand *s = &r->s;
    struct watch w;

    if (sight != BLOCKED)
        stand_set(s, 0, r->to[sight]);
    watch_begin(&w, r, r->shape->comes, NOWHERE, r->own_phys);
    stand_pasid_set(s, &r->comes, r->own);
    watch_end(&w);
    assert_true(is_format(r));
    assert_true(stand_pasid_reaches(s, &r->comes, AT, r->own_phys));
    assert_true(stand_pasid_refused(s, &r->far, AT));
    stand_pasid_set(s, &r->far, r->own); /* perhaps with a leaf */
    assert_true(stand_pasid_reaches(s, &r->far, AT, r->own_phys));
    if (sight == BLOCKED)
        assert_true(stand_refused(s, 0, AT));
    else if (sight >= A)
        assert_true(stand_reaches(s, 0, AT, r->phys[sight]));
}

static void the_first_one(void **state)
{
    struct rid r;

    (void)state;
    for (unsigned i = 0; i < SHAPES; i++)
        for (unsigned point = 0; point < STAND_POINTS; point += 2)
            for (unsigned sight = 0; sight < SIGHTS; sight++) {
                rid_open(&r, point, &shapes[i]);
                the_first_pasid_is_not_noticed(&r, sight);
                rid_close(&r);
            }
}

/* ---- the stream beside PASIDs ---------------------------------------------- */

static void change_rid(struct rid *r, unsigned from, unsigned to)
{
    struct watch w;

    stand_set(&r->s, 0, r->to[from]);
    watch_begin(&w, r, UIOMMU_NO_PASID, r->phys[from], r->phys[to]);
    stand_set(&r->s, 0, r->to[to]);
    watch_end(&w);
    /* One descriptor cannot become another without a gap; all else can. */
    if (from != BLOCKED && to != BLOCKED && (from < A || to < A))
        assert_false(w.gap);
    assert_true(stand_pasid_reaches(&r->s, &r->lives, AT, r->own_phys));
}

static void a_stream_changes_beside_its_pasids(void **state)
{
    struct rid r;

    (void)state;
    for (unsigned i = 0; i < SHAPES; i++)
        for (unsigned point = 0; point < STAND_POINTS; point += 2) {
            rid_open(&r, point, &shapes[i]);
            stand_pasid_set(&r.s, &r.lives, r.own);
            for (unsigned from = 0; from < SIGHTS; from++)
                for (unsigned to = 0; to < SIGHTS; to++)
                    if (from != to)
                        change_rid(&r, from, to);
            rid_close(&r);
        }
}

/* ---- PASIDs beside each other ----------------------------------------------- */

static void change_pasid(struct rid *r, struct uiommu_endpoint *ep,
                         unsigned from, unsigned to)
{
    struct watch w;

    stand_pasid_set(&r->s, ep, r->to[from]);
    watch_begin(&w, r, ep->pasid, r->phys[from], r->phys[to]);
    stand_pasid_set(&r->s, ep, r->to[to]);
    watch_end(&w);
    if (to == BLOCKED)
        assert_true(stand_pasid_refused(&r->s, ep, AT));
    else
        assert_true(stand_pasid_reaches(&r->s, ep, AT, r->phys[to]));
}

static void change_pasids(struct rid *r)
{
    static const unsigned seen[] = { BLOCKED, A, B };

    for (unsigned i = 0; i < 9; i++)
        if (i % 3 != i / 3) {
            change_pasid(r, &r->comes, seen[i % 3], seen[i / 3]);
            change_pasid(r, &r->far, seen[i % 3], seen[i / 3]);
        }
}

static void pasids_change_beside_each_other(void **state)
{
    struct rid r;

    (void)state;
    for (unsigned i = 0; i < SHAPES; i++)
        for (unsigned point = 0; point < STAND_POINTS; point += 2)
            for (unsigned sight = 0; sight < SIGHTS; sight++) {
                rid_open(&r, point, &shapes[i]);
                stand_pasid_set(&r.s, &r.lives, r.own);
                stand_set(&r.s, 0, r.to[sight]);
                change_pasids(&r);
                rid_close(&r);
            }
}

/* ---- faults ----------------------------------------------------------------- */

static void one_fault(struct rid *r, unsigned reason, uint32_t pasid)
{
    const struct uiommu_fault *f = &r->s.fault[0];

    uiommu_poll(r->s.u);
    stand_forget(&r->s);
    assert_true(r->s.n_faults > 0);
    assert_int_equal(f->reason, reason);
    assert_int_equal(f->pasid, pasid);
    assert_int_equal(f->id, stand_sid(&r->s, 0));
    r->s.n_faults = 0;
}

/* C_BAD_SUBSTREAMID without a table or a leaf, C_BAD_CD in one, F_STREAM_DISABLED of a
 * stream that is blocked beside its PASIDs, F_TRANSLATION in a domain (7.3). */
static void faults_name_the_pasid(void **state)
{
    struct stand *s;
    struct rid r;

    (void)state;
    rid_open(&r, 0, &shapes[2]);
    s = &r.s;
    stand_set(s, 0, r.to[A]);
    assert_true(stand_pasid_refused(s, &r.comes, AT));
    one_fault(&r, 0x08, r.comes.pasid);
    stand_pasid_set(s, &r.lives, r.own);
    assert_true(stand_pasid_refused(s, &r.comes, AT));
    one_fault(&r, 0x0a, r.comes.pasid);
    assert_true(stand_pasid_refused(s, &r.far, AT));
    one_fault(&r, 0x08, r.far.pasid);
    assert_true(stand_pasid_refused(s, &r.lives, 2 * AT));
    one_fault(&r, 0x10, r.lives.pasid);
    stand_block(s, 0);
    assert_true(stand_refused(s, 0, AT));
    one_fault(&r, 0x06, UIOMMU_NO_PASID);
    rid_close(&r);
}

/* ---- device TLBs, through the core ------------------------------------------- */

static const struct sim_function alone[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
    { "engine", SIM_ENGINE, 0, 0, SIM_ATS | SIM_PASID_BITS(8) },
};

struct cached {
    struct stand s;
    struct uiommu_domain *d[3];
    uint64_t phys[3];
    struct uiommu_endpoint *ep[3]; /* the first has no PASID */
};

static void cached_open(struct cached *c, unsigned point)
{
    struct stand *s = &c->s;

    stand_point(s, point & ~1u);
    s->config.ats = true;
    s->config.functions = alone;
    s->config.n_functions = 2;
    stand_up(s);
    c->ep[0] = stand_endpoint(s, 0);
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0)
            ok(uiommu_pasid_create(c->ep[0], NULL, &c->ep[i]));
        c->d[i] = stand_domain(s, 0);
        c->phys[i] = stand_map(s, c->d[i], AT);
    }
}

static void cached_close(struct cached *c)
{
    stand_block(&c->s, 0);
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0)
            ok(uiommu_pasid_destroy(c->ep[i], true));
        uiommu_domain_put(c->d[i]);
    }
    stand_down(&c->s);
}

static bool reaches(struct cached *c, unsigned i, uint64_t phys)
{
    if (i == 0)
        return stand_reaches(&c->s, 0, AT, phys);
    return stand_pasid_reaches(&c->s, c->ep[i], AT, phys);
}

static bool refused(struct cached *c, unsigned i)
{
    if (i == 0)
        return stand_refused(&c->s, 0, AT);
    return stand_pasid_refused(&c->s, c->ep[i], AT);
}

/* What is unmapped is gone from the device too, of that domain, and none else. */
static void unmap_each(struct cached *c)
{
    for (unsigned i = 0; i < 3; i++)
        ok(uiommu_set_domain(c->ep[i], c->d[i], NULL));
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned j = 0; j < 3; j++)
            assert_true(reaches(c, j, c->phys[j]));
        assert_true(sim_devtlb_entries(c->s.m, 1) >= 3);
        ok(uiommu_unmap(c->d[i], AT, 16 * STAND_PAGE, NULL));
        for (unsigned j = 0; j < 3; j++)
            assert_true(i == j ? refused(c, j) : reaches(c, j, c->phys[j]));
        ok(uiommu_map(c->d[i], AT, c->phys[i], 16 * STAND_PAGE,
                      UIOMMU_READ | UIOMMU_WRITE));
        stand_forget(&c->s);
    }
}

/* And where domains change places, with ATS on all the time. */
static void exchange(struct cached *c)
{
    for (unsigned n = 0; n < 9; n++) {
        const unsigned i = n % 3, j = (n / 3 + n) % 3;

        ok(uiommu_set_domain(c->ep[i], c->d[j], NULL));
        assert_true(reaches(c, i, c->phys[j]));
        stand_forget(&c->s);
    }
}

static void device_tlbs_forget_by_pasid(void **state)
{
    struct cached c;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point += 2) {
        cached_open(&c, point);
        unmap_each(&c);
        exchange(&c);
        cached_close(&c);
    }
}

/* A stream that is passed through answers translation requests while a PASID has a
 * domain (3.9), and no other time. */
static void pass_through_beside_a_pasid_answers_ats(void **state)
{
    const uint64_t eats = UINT64_C(3) << 28;
    struct cached c;
    uint64_t here;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point += 2) {
        cached_open(&c, point);
        here = stand_ram(&c.s, 1);
        ok(uiommu_set_domain(c.ep[0], uiommu_identity(c.s.u), NULL));
        assert_true((stand_ste_word(&c.s, 0, 1) & eats) == 0);
        ok(uiommu_set_domain(c.ep[1], c.d[1], NULL));
        assert_true((stand_ste_word(&c.s, 0, 1) & eats) == UINT64_C(1) << 28);
        assert_true(reaches(&c, 1, c.phys[1]));
        assert_true(stand_reaches(&c.s, 0, here, here));
        assert_true(sim_devtlb_entries(c.s.m, 1) >= 2);
        ok(uiommu_set_domain(c.ep[1], uiommu_blocked(c.s.u), NULL));
        assert_true((stand_ste_word(&c.s, 0, 1) & eats) == 0);
        assert_true(stand_reaches(&c.s, 0, here, here));
        assert_true(refused(&c, 1));
        stand_forget(&c.s);
        cached_close(&c);
    }
}

/* And one that is blocked asks in vain, while its PASIDs are answered. */
static void a_blocked_stream_has_pasids_that_are_cached(void **state)
{
    struct cached c;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point += 2) {
        cached_open(&c, point);
        ok(uiommu_set_domain(c.ep[0], c.d[0], NULL));
        ok(uiommu_set_domain(c.ep[1], c.d[1], NULL));
        assert_true(reaches(&c, 0, c.phys[0]));
        ok(uiommu_set_domain(c.ep[0], uiommu_blocked(c.s.u), NULL));
        assert_true(reaches(&c, 1, c.phys[1]));
        assert_true(sim_devtlb_entries(c.s.m, 1) >= 1);
        assert_true(refused(&c, 0));
        assert_true(refused(&c, 2));
        stand_forget(&c.s);
        cached_close(&c);
    }
}

/* A device that does not answer for one PASID is cut with all of them, and the next one
 * in its place sees nothing of it. */
static void a_silent_device_is_cut_with_its_pasids(void **state)
{
    struct cached c;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point += 2) {
        cached_open(&c, point);
        for (unsigned i = 0; i < 3; i++)
            ok(uiommu_set_domain(c.ep[i], c.d[i], NULL));
        assert_true(reaches(&c, 1, c.phys[1]));
        sim_devtlb(c.s.m, 1, SIM_DEVTLB_FAILS);
        assert_int_not_equal(uiommu_unmap(c.d[1], AT, 16 * STAND_PAGE, NULL),
                             UIOMMU_OK);
        for (unsigned i = 0; i < 3; i++)
            assert_true(refused(&c, i));
        assert_int_equal(stand_ste_word(&c.s, 0, 0) & 1, 0);
        sim_devtlb(c.s.m, 1, SIM_DEVTLB_ANSWERS);
        for (unsigned i = 1; i < 3; i++)
            ok(uiommu_pasid_destroy(c.ep[i], true));
        ok(uiommu_device_remove(c.s.device[1]));
        c.s.device[1] = NULL;
        for (unsigned i = 0; i < 3; i++)
            uiommu_domain_put(c.d[i]);
        stand_down(&c.s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one),
        cmocka_unit_test(a_stream_changes_beside_its_pasids),
        cmocka_unit_test(pasids_change_beside_each_other),
        cmocka_unit_test(faults_name_the_pasid),
        cmocka_unit_test(device_tlbs_forget_by_pasid),
        cmocka_unit_test(pass_through_beside_a_pasid_answers_ats),
        cmocka_unit_test(a_blocked_stream_has_pasids_that_are_cached),
        cmocka_unit_test(a_silent_device_is_cut_with_its_pasids),
    };

    return cmocka_run_group_tests_name("smmuv3_pasid", tests, NULL, NULL);
}
