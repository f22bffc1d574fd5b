/* SPDX-License-Identifier: MIT */
/*
 * VT-d: PASID directories that grow, and everything that can be missing or go wrong then
 * (9.4, 9.5, semantics B.13, B.18; D-50, D-51, D-54).
 */
#include "vtd_pasids.h"

#include "tests/hook/hook.h"

enum { FAR = 0x8000 }; /* the first beyond a page of directory */

/* Requests without a PASID, 5 and 70 see domains 0, 1 and 1; five is its endpoint. */
static void populate(struct pasids *s, struct uiommu_endpoint *five)
{
    struct uiommu_endpoint ep;

    pasids_set(s, s->dev.endpoint, &s->domain[0]);
    fake_pasid(&s->dev, 70, &ep);
    pasids_set(s, &ep, &s->domain[1]);
    fake_pasid(&s->dev, 5, five);
    pasids_set(s, five, &s->domain[1]);
}

static void check_populated(struct pasids *s)
{
    pasids_check_domain(s, 0, 0);
    pasids_check_domain(s, 5, 1);
    pasids_check_domain(s, 70, 1);
}

static unsigned dir_pages(unsigned bits)
{
    return 1u << (bits - 15);
}

/* ---- growth ------------------------------------------------------------------- */

struct growth {
    struct pasids *s;
    uint64_t before; /* of the context entry */
    int pages;
    unsigned looks;
};

/* What is replaced is there until it is confirmed that nothing leads to it. */
static void look_at_growth(struct fake *f, struct vtd_desc d)
{
    struct growth *g = f->ctx;

    (void)d;
    g->looks++;
    assert_true(pasids_context(g->s) != g->before);
    assert_int_equal(f->pages, g->pages);
    check_populated(g->s);
    assert_false(pasids_present(g->s, FAR));
}

static void grow(struct pasids *s, unsigned bits)
{
    struct uiommu_endpoint far;
    struct growth g = { s, pasids_context(s), s->f.pages, 0 };

    fake_pasid(&s->dev, FAR, &far);
    g.pages += (int)dir_pages(bits) + 1;
    s->f.ctx = &g;
    s->f.on_command = look_at_growth;
    pasids_set(s, &far, &s->domain[2]);
    s->f.on_command = NULL;
    assert_true(g.looks > 0);
    assert_int_equal(s->f.pages, g.pages - 1);
}

static void directories_grow_once(void **state)
{
    struct uiommu_endpoint five, last;
    struct pasids s;

    (void)state;
    for (unsigned bits = 16; bits <= 20; bits++) {
        pasids_open(&s, false);
        s.dev.pasid_bits = (uint8_t)bits;
        populate(&s, &five);
        grow(&s, bits);
        pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), PC_DOMAIN(3),
                        IOTLB_DOMAIN(2), IOTLB_DOMAIN(3));
        assert_int_equal(pasids_context(&s) & 0xfff, (bits - 13) << 9 | 9);
        check_populated(&s);
        pasids_check_domain(&s, FAR, 2);
        fake_pasid(&s.dev, (1u << bits) - 1, &last);
        pasids_set(&s, &last, &s.domain[3]);
        pasids_no_commands(&s);
        pasids_check_domain(&s, (1u << bits) - 1, 3);
        pasids_close(&s);
    }
}

static void nothing_grows_that_is_not_there(void **state)
{
    struct uiommu_endpoint last;
    struct pasids s;
    int pages;

    (void)state;
    pasids_open(&s, true);
    fake_pasid(&s.dev, 0xfffff, &last);
    pages = s.f.pages;
    pasids_block(&s, &last);
    assert_int_equal(s.f.pages, pages);
    pasids_set(&s, &last, &s.domain[0]);
    pasids_no_commands(&s);
    assert_int_equal(pasids_context(&s) & 0xfff, 7 << 9 | 9);
    assert_int_equal(s.f.pages, pages + 32 + 2);
    pasids_check_domain(&s, 0xfffff, 0);
    pasids_close(&s);
}

/* PASIDs were switched on when the requester had tables. */
static void what_had_none_gets_a_directory(void **state)
{
    struct uiommu_endpoint ep;
    struct pasids s;
    int pages;

    (void)state;
    pasids_open(&s, false);
    s.dev.pasid_bits = 0;
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    s.dev.pasid_bits = 15;
    fake_pasid(&s.dev, 0x2000, &ep);
    pages = s.f.pages;
    pasids_set(&s, &ep, &s.domain[1]);
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 9);
    assert_int_equal(s.f.pages, pages + 1);
    pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), IOTLB_DOMAIN(2));
    pasids_close(&s);
}

/* ---- one store ------------------------------------------------------------------ */

struct stores {
    struct pasids *s;
    const uim_word *context;
    unsigned n;
};

static void look_at_store(void *ctx, const void *where, uint64_t value)
{
    struct stores *st = ctx;

    if (where != (const void *)st->context)
        return;
    st->n++;
    assert_int_equal(value & 0xfff, 7 << 9 | 9);
    check_populated(st->s);
    assert_non_null(pasids_entry(st->s, FAR));
}

static void the_larger_one_is_complete_when_it_is_linked(void **state)
{
    struct uiommu_endpoint five;
    struct stores st;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    populate(&s, &five);
    st = (struct stores){ &s, vtd_context(s.f.v, (struct vtd_sid){ SID }), 0 };
    uim_store_hook(look_at_store, &st);
    grow(&s, 20);
    uim_store_hook(NULL, NULL);
    assert_int_equal(st.n, uim_store_hooked());
    pasids_close(&s);
}

/* ---- no memory ------------------------------------------------------------------ */

static void expect_no_trace(struct pasids *s, struct uiommu_endpoint *ep)
{
    const uint64_t context = pasids_context(s);
    const int pages = s->f.pages, bytes = s->f.bytes;
    struct uiommu_domain *d = &s->domain[2];

    assert_int_equal(vtd_set(ep, d, &s->f.u->blocked), UIOMMU_NOMEM);
    assert_true(pasids_context(s) == context);
    assert_int_equal(s->f.pages, pages);
    assert_int_equal(s->f.bytes, bytes);
    assert_false(pasids_present(s, ep->pasid));
    pasids_no_commands(s);
}

/* Until the set succeeds; how many pages it takes. */
static void fail_each_page(struct pasids *s, struct uiommu_endpoint *ep,
                           int pages)
{
    ok(uim_link_get(&s->domain[2], s->f.unit, ep->pasid));
    fake_forget(&s->f);
    for (int nth = 1; nth <= pages; nth++) {
        s->f.fail_pages = nth;
        expect_no_trace(s, ep);
    }
    s->f.fail_pages = pages + 1;
    ok(vtd_set(ep, &s->domain[2], &s->f.u->blocked));
    assert_int_equal(s->f.fail_pages, 1);
    s->f.fail_pages = 0;
    ok(vtd_set(ep, &s->f.u->blocked, &s->domain[2]));
    uim_link_put(&s->domain[2], s->f.unit, ep->pasid);
}

static void no_memory_leaves_no_trace(void **state)
{
    struct uiommu_endpoint five, ep;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 9, &ep);
        fail_each_page(&s, &ep, 3); /* directory, table, context table */
        populate(&s, &five);
        fake_pasid(&s.dev, 300, &ep);
        fail_each_page(&s, &ep, 1); /* a table                         */
        check_populated(&s);

        fake_pasid(&s.dev, FAR, &ep);
        ok(uim_link_get(&s.domain[2], s.f.unit, FAR));
        fake_forget(&s.f);
        s.f.fail_alloc = 1; /* where the old directory is kept */
        expect_no_trace(&s, &ep);
        assert_int_equal(s.f.fail_alloc, 0);
        uim_link_put(&s.domain[2], s.f.unit, FAR);
        fail_each_page(&s, &ep, 2); /* directory, table                */
        check_populated(&s);
        pasids_close(&s);
    }
}

/* ---- no answer ------------------------------------------------------------------ */

/* The new one is never opened, and the old directory stays for as long as the unit may be
 * in it. */
static void silence_keeps_the_old_directory(void **state)
{
    struct uiommu_endpoint five, far;
    struct pasids s;
    int pages;

    (void)state;
    pasids_open(&s, false);
    populate(&s, &five);
    fake_pasid(&s.dev, FAR, &far);
    pages = s.f.pages;
    s.f.silent = true;
    assert_int_equal(pasids_try(&s, &far, &s.domain[2]), UIOMMU_TIMEDOUT);
    assert_int_equal(s.f.pages, pages + 32 + 1);
    assert_false(pasids_present(&s, FAR));
    check_populated(&s);
    assert_int_equal(vtd_cut(&five), UIOMMU_TIMEDOUT);
    assert_false(pasids_present(&s, 5));
    s.f.silent = false;
    pasids_close(&s);
}

static void so_does_a_command_that_is_refused(void **state)
{
    struct uiommu_endpoint five, far;
    struct pasids s;
    int pages;

    (void)state;
    pasids_open(&s, false);
    populate(&s, &five);
    fake_pasid(&s.dev, FAR, &far);
    pages = s.f.pages;
    s.f.bad_did = 3;
    assert_int_equal(pasids_try(&s, &far, &s.domain[2]), UIOMMU_IO);
    s.f.bad_did = -1;
    assert_int_equal(s.f.pages, pages + 32 + 1);
    assert_false(pasids_present(&s, FAR));
    check_populated(&s);
    /* And tried again it needs none. */
    pasids_set(&s, &far, &s.domain[2]);
    pasids_check_domain(&s, FAR, 2);
    assert_int_equal(s.f.pages, pages + 32 + 1);
    pasids_close(&s);
}

/* Somebody who cuts may be in it. */
static void so_does_somebody_on_its_way(void **state)
{
    struct uiommu_endpoint five, far;
    struct pasids s;
    int pages;

    (void)state;
    pasids_open(&s, false);
    populate(&s, &five);
    fake_pasid(&s.dev, FAR, &far);
    pages = s.f.pages;
    atomic_store(&s.f.v->walkers, 1);
    pasids_set(&s, &far, &s.domain[2]);
    atomic_store(&s.f.v->walkers, 0);
    assert_int_equal(s.f.pages, pages + 32 + 1);
    pasids_check_domain(&s, FAR, 2);
    pasids_close(&s);
}

static void *page_of(uint64_t link)
{
    return (void *)(uintptr_t)(link & ~UINT64_C(0xfff));
}

/* Nothing that a unit may read is given back if it does not stop. */
static void nothing_is_freed_of_a_unit_that_goes_on(void **state)
{
    struct uiommu_endpoint five, far;
    void *kept[8];
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    fake_pasid(&s.dev, FAR, &far);
    fake_pasid(&s.dev, 5, &five);
    kept[0] = page_of(pasids_context(&s));
    s.f.silent = true;
    assert_int_equal(pasids_try(&s, &far, &s.domain[1]), UIOMMU_TIMEDOUT);
    kept[1] = page_of(pasids_context(&s));
    kept[2] = pasids_entry(&s, 0);
    kept[3] = pasids_entry(&s, FAR);
    kept[4] = page_of(uim_ld64(s.f.v->root));
    kept[5] = s.f.v->root;
    kept[6] = s.f.v->queue.ring;
    kept[7] = s.f.v->queue.status;
    s.f.deaf = true;
    s.f.unit->ops->disable(s.f.unit);
    fake_end(&s.f);
    assert_int_equal(s.f.pages, 5 + 1 + 32 + 2); /* the ring is of two */
    for (unsigned i = 0; i < 8; i++)
        free(kept[i]);
}

/* ---- a cut beside it ------------------------------------------------------------- */

struct beside {
    struct uiommu_endpoint *ep;
    const uim_word *entry;
    bool armed, seen;
};

/* The first store of a directory that is copied is no store of the entry's table. */
static void cut_at_first_store(void *ctx, const void *where, uint64_t value)
{
    struct beside *b = ctx;

    (void)where;
    (void)value;
    if (!b->armed)
        return;
    b->armed = false;
    b->seen = true;
    atomic_store(&b->ep->quarantined, true);
    ok(vtd_cut(b->ep));
}

static void a_cut_beside_a_growth_holds(void **state)
{
    struct uiommu_endpoint five, far;
    struct beside b;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    populate(&s, &five);
    fake_pasid(&s.dev, FAR, &far);
    b = (struct beside){ &five, pasids_entry(&s, 5), false, false };
    ok(uim_link_get(&s.domain[2], s.f.unit, FAR));
    uim_store_hook(cut_at_first_store, &b);
    b.armed = true;
    ok(vtd_set(&far, &s.domain[2], &s.f.u->blocked));
    uim_store_hook(NULL, NULL);
    assert_int_equal(b.seen, uim_store_hooked());
    assert_int_equal(pasids_present(&s, 5), !b.seen);
    pasids_check_domain(&s, FAR, 2);
    pasids_check_domain(&s, 70, 1);
    ok(vtd_set(&far, &s.f.u->blocked, &s.domain[2]));
    uim_link_put(&s.domain[2], s.f.unit, FAR);
    pasids_close(&s);
}

struct cutter {
    struct uiommu_endpoint *ep;
    _Atomic bool stop;
    unsigned n;
};

static void *cut_again_and_again(void *arg)
{
    struct cutter *c = arg;

    do {
        ok(vtd_cut(c->ep));
        c->n++;
    } while (!atomic_load(&c->stop));
    return NULL;
}

/* With sanitizers: no thread reads a directory that is given back. */
static void cuts_and_growth_by_threads(void **state)
{
    struct uiommu_endpoint five, far;
    struct cutter c;
    struct pasids s;
    pthread_t thread;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        pasids_open(&s, round & 1);
        populate(&s, &five);
        fake_pasid(&s.dev, FAR, &far);
        ok(uim_link_get(&s.domain[2], s.f.unit, FAR));
        c = (struct cutter){ &five, false, 0 };
        atomic_store(&five.quarantined, true);
        assert_int_equal(pthread_create(&thread, NULL, cut_again_and_again, &c),
                         0);
        ok(vtd_set(&far, &s.domain[2], &s.f.u->blocked));
        atomic_store(&c.stop, true);
        pthread_join(thread, NULL);
        assert_true(c.n > 0);
        assert_false(pasids_present(&s, 5));
        pasids_check_domain(&s, FAR, 2);
        ok(vtd_set(&far, &s.f.u->blocked, &s.domain[2]));
        uim_link_put(&s.domain[2], s.f.unit, FAR);
        pasids_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_grow_once),
        cmocka_unit_test(nothing_grows_that_is_not_there),
        cmocka_unit_test(what_had_none_gets_a_directory),
        cmocka_unit_test(the_larger_one_is_complete_when_it_is_linked),
        cmocka_unit_test(no_memory_leaves_no_trace),
        cmocka_unit_test(silence_keeps_the_old_directory),
        cmocka_unit_test(so_does_a_command_that_is_refused),
        cmocka_unit_test(so_does_somebody_on_its_way),
        cmocka_unit_test(nothing_is_freed_of_a_unit_that_goes_on),
        cmocka_unit_test(a_cut_beside_a_growth_holds),
        cmocka_unit_test(cuts_and_growth_by_threads),
    };

    return cmocka_run_group_tests_name("VT-d driver, PASID directories", tests,
                                       NULL, NULL);
}
