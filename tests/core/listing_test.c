/* SPDX-License-Identifier: MIT */
/*
 * listing_test.c - who is in a domain's list, and when (semantics B.8, D-40): looked at in
 * the middle of a set, from the unit that is programmed.
 */
#include "tests/core/scripted.h"

#define BASE GIB(2)

static struct look {
    struct uiommu_domain *a, *b; /* of the move that is looked at            */
    uint64_t at;                 /* what is unmapped next, in both           */
    unsigned n;                  /* times looked                             */
} look;

static bool lists(const struct uiommu_domain *d,
                  const struct uiommu_endpoint *ep)
{
    for (const struct uim_node *n = d->attachments.next; n != &d->attachments;
         n = n->next)
        if (uim_container(n, const struct uim_attachment, node)->endpoint == ep)
            return true;
    return false;
}

static struct uiommu_domain *domain_of(struct script *s, unsigned dev)
{
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_domain_create(scripted_endpoint(s, dev), NULL, &d));
    rig_ok(uiommu_map(d, BASE, 0x10000, 16 * RIG_PAGE, RIG_RW));
    return d;
}

static void unmap_next(struct uiommu_domain *d)
{
    rig_ok(uiommu_unmap(d, look.at, RIG_PAGE, NULL));
}

static void set_of(struct script *s, unsigned dev, struct uiommu_domain *d)
{
    rig_ok(uiommu_set_domain(scripted_endpoint(s, dev), d, NULL));
}

/* Invalidations, of the unit or a device, that one unmap leads to. */
static unsigned leads_to(struct uiommu_domain *d, const unsigned *count)
{
    const unsigned before = *count;

    unmap_next(d);
    return *count - before;
}

/* ---- a device without a cache: in the list before hardware may walk -------------- */

static void is_listed_in_both(struct script *s, struct uiommu_endpoint *ep,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old)
{
    (void)s;
    assert_int_equal(lists(look.a, ep), next == look.a || old == look.a);
    assert_int_equal(lists(look.b, ep), next == look.b || old == look.b);
    look.n++;
}

static void an_endpoint_is_listed_before_it_is_programmed(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT };
    struct uiommu_endpoint *ep;

    (void)state;
    scripted_open(&s);
    ep = scripted_endpoint(&s, 0);
    look = (struct look){ .a = domain_of(&s, 0), .b = domain_of(&s, 0) };
    s.setting = is_listed_in_both;
    for (unsigned i = 0; i < 2; i++) {
        set_of(&s, 0, look.a);
        assert_true(lists(look.a, ep) && !lists(look.b, ep));
        set_of(&s, 0, look.b);
        assert_true(!lists(look.a, ep) && lists(look.b, ep));
        set_of(&s, 0, uiommu_identity(s.u));
        assert_false(lists(look.a, ep) || lists(look.b, ep));
    }
    set_of(&s, 0, uiommu_blocked(s.u));
    assert_int_equal(look.n, 7);
    s.setting = NULL;
    uiommu_domain_put(look.a);
    uiommu_domain_put(look.b);
    scripted_close(&s);
}

/* ---- and what follows for whoever unmaps meanwhile ------------------------------------ */

static void both_reach_the_device(struct script *s, struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next,
                                  struct uiommu_domain *old)
{
    if (next != look.b || old != look.a)
        return;
    assert_true(atomic_load(&ep->ats_on));
    assert_int_equal(leads_to(next, &s->n_devtlbs[0]), 1);
    assert_int_equal(leads_to(old, &s->n_devtlbs[0]), 1);
    look.n++;
}

static void an_unmap_in_the_middle_of_a_move_reaches_the_device(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT, .ats = true };

    (void)state;
    scripted_open(&s);
    look = (struct look){ .a = domain_of(&s, 0),
                          .b = domain_of(&s, 0),
                          .at = BASE };
    set_of(&s, 0, look.a);
    s.setting = both_reach_the_device;
    set_of(&s, 0, look.b);
    assert_int_equal(look.n, 1);
    look.at += RIG_PAGE;
    assert_int_equal(leads_to(look.a, &s.n_devtlbs[0]), 0);
    assert_int_equal(leads_to(look.b, &s.n_devtlbs[0]), 1);
    set_of(&s, 0, uiommu_blocked(s.u));
    look.at += RIG_PAGE;
    assert_int_equal(leads_to(look.b, &s.n_devtlbs[0]), 0);
    uiommu_domain_put(look.a);
    uiommu_domain_put(look.b);
    scripted_close(&s);
}

static void both_reach_the_unit(struct script *s, struct uiommu_endpoint *ep,
                                struct uiommu_domain *next,
                                struct uiommu_domain *old)
{
    (void)ep;
    if (next == look.a)
        assert_int_equal(leads_to(next, &s->n_invalidations), 1);
    if (old == look.a)
        assert_int_equal(leads_to(old, &s->n_invalidations), 1);
    look.at += RIG_PAGE;
    look.n++;
}

static void an_unmap_in_the_middle_of_a_move_reaches_the_unit(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT };

    (void)state;
    scripted_open(&s);
    look = (struct look){ .a = domain_of(&s, 0), .at = BASE };
    s.setting = both_reach_the_unit;
    for (unsigned i = 0; i < 3; i++) {
        set_of(&s, 0, look.a);
        set_of(&s, 0, uiommu_blocked(s.u));
        assert_int_equal(leads_to(look.a, &s.n_invalidations), 0);
        look.at += RIG_PAGE;
    }
    assert_int_equal(look.n, 6);
    uiommu_domain_put(look.a);
    scripted_close(&s);
}

/* ---- a move that fails ------------------------------------------------------------------ */

static void a_move_that_fails_leaves_it_in_no_list(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT };
    struct uiommu_endpoint *ep;

    (void)state;
    scripted_open(&s);
    ep = scripted_endpoint(&s, 0);
    look = (struct look){ .a = domain_of(&s, 0), .b = domain_of(&s, 0) };
    set_of(&s, 0, look.a);
    s.setting = is_listed_in_both;
    s.silent = true;
    rig_is(uiommu_set_domain(ep, look.b, NULL), UIOMMU_TIMEDOUT);
    s.silent = false;
    assert_int_equal(look.n, 1);
    assert_false(lists(look.a, ep) || lists(look.b, ep));
    s.setting = NULL;
    uiommu_domain_put(look.a);
    uiommu_domain_put(look.b);
    scripted_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_listed_before_it_is_programmed),
        cmocka_unit_test(an_unmap_in_the_middle_of_a_move_reaches_the_device),
        cmocka_unit_test(an_unmap_in_the_middle_of_a_move_reaches_the_unit),
        cmocka_unit_test(a_move_that_fails_leaves_it_in_no_list),
    };

    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
