/* SPDX-License-Identifier: MIT */
/*
 * A requester is cut while the VT-d driver gives it another domain: the cut has the last
 * word, wherever it comes (uim_entry_open(), semantics B.13).
 */
#include "steps.h"
#include "tests/hook/hook.h"

enum { MODES = 3, FIRST = 0x1000000, SECOND = 0x2000000 };

static uim_word *entry_of(struct fake *f, const struct uiommu_endpoint *ep)
{
    uim_word *context = vtd_context(f->v, vtd_sid(ep));

    if (!vtd_has_pasids(f->v))
        return context;
    return vtd_pasid_entry(f->v, uim_ld64(context), VTD_RID_PASID);
}

/* As the core does it. */
static void cut(struct uiommu_endpoint *ep)
{
    atomic_store(&ep->quarantined, true);
    assert_int_equal(vtd_cut(ep), UIOMMU_OK);
}

struct scene {
    struct fake f;
    struct fake_domain a, b;
    struct uiommu_device dev;
    const uim_word *entry;
    bool seen;
};

static void open_scene(struct scene *s, unsigned mode)
{
    memset(s, 0, sizeof(*s));
    fake_init(&s->f);
    if (mode == 1)
        add_scalable(&s->f);
    if (mode == 2)
        add_first_stage(&s->f);
    start(&s->f);
    fake_domain(&s->f, &s->a, FIRST);
    fake_domain(&s->f, &s->b, SECOND);
    fake_device(&s->f, &s->dev, SID);
    assert_int_equal(vtd_set(s->dev.endpoint, &s->a.domain, &s->f.u->blocked),
                     UIOMMU_OK);
    s->entry = entry_of(&s->f, s->dev.endpoint);
    assert_int_equal(uim_ld64(s->entry) & 1, 1);
}

static void close_scene(struct scene *s)
{
    assert_int_equal(uim_ld64(s->entry) & 1, 0);
    remove_domain(&s->a);
    remove_domain(&s->b);
    fake_stop(&s->f);
}

/* The words behind the first are there; the next store says P. */
static void before_p(void *ctx, const void *where, uint64_t value)
{
    struct scene *s = ctx;

    if (where != (const void *)&s->entry[1] || value == 0 || s->seen)
        return;
    s->seen = true;
    cut(s->dev.endpoint);
}

static void a_cut_beside_a_set_wins(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        open_scene(&s, mode);
        uim_store_hook(before_p, &s);
        if (uim_store_hooked())
            assert_int_equal(vtd_set(s.dev.endpoint, &s.b.domain, &s.a.domain),
                             UIOMMU_TIMEDOUT);
        else
            cut(s.dev.endpoint);
        uim_store_hook(NULL, NULL);
        assert_int_equal(s.seen, uim_store_hooked());
        close_scene(&s);
    }
}

/* Where one word makes the difference there is nothing to wait for. */
static void nor_does_one_word_open_what_is_marked(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s, 0);
    s.dev.endpoint->ats = true;
    atomic_store(&s.dev.endpoint->quarantined, true);
    assert_int_equal(vtd_set(s.dev.endpoint, &s.a.domain, &s.a.domain),
                     UIOMMU_TIMEDOUT);
    assert_int_equal(vtd_cut(s.dev.endpoint), UIOMMU_OK);
    close_scene(&s);
}

/* Blocked, which is where it may go, it can be opened again once the mark is gone. */
static void blocked_is_open_to_all(void **state)
{
    struct scene s;

    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        open_scene(&s, mode);
        cut(s.dev.endpoint);
        assert_int_equal(vtd_set(s.dev.endpoint, &s.f.u->blocked, &s.a.domain),
                         UIOMMU_OK);
        atomic_store(&s.dev.endpoint->quarantined, false);
        assert_int_equal(vtd_set(s.dev.endpoint, &s.b.domain, &s.f.u->blocked),
                         UIOMMU_OK);
        assert_int_equal(uim_ld64(s.entry) & 1, 1);
        assert_int_equal(vtd_set(s.dev.endpoint, &s.f.u->blocked, &s.b.domain),
                         UIOMMU_OK);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_beside_a_set_wins),
        cmocka_unit_test(nor_does_one_word_open_what_is_marked),
        cmocka_unit_test(blocked_is_open_to_all),
    };

    return cmocka_run_group_tests_name("VT-d driver, cuts", tests, NULL, NULL);
}
