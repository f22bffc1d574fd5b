/* SPDX-License-Identifier: MIT */
/*
 * map_test.c - what map, unmap and split promise (semantics B.11), judged by
 * the DMA of devices and by the host's books. leaf_test.c goes on with large
 * leaves and walks.
 */
#include "tests/core/help.h"

#define BASE GIB(2)

/* ---- reach --------------------------------------------------------------- */

static void
a_mapped_page_is_reachable_and_its_neighbours_are_not(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    map_page(d, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE - 8, page + RIG_PAGE - 8));
    assert_true(rig_refused(rig, 0, BASE - 8));
    assert_true(rig_refused(rig, 0, BASE + RIG_PAGE));
    assert_true(rig_refused(rig, 1, BASE));
    rig_drop(rig, 0, d);
}

static void an_unmapped_page_is_unreachable_when_unmap_returns(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 1);
    uint64_t bytes;

    map_page(d, BASE, page);
    map_page(d, BASE + RIG_PAGE, page + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page + RIG_PAGE));

    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, &bytes));
    assert_int_equal(bytes, RIG_PAGE);
    rig_poke(rig, page, 0xfeed);
    assert_true(rig_refused(rig, 0, BASE));
    assert_int_equal(rig_peek(rig, page), 0xfeed);
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static void a_page_mapped_again_reaches_the_new_place_only(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 3);

    for (unsigned i = 0; i < 8; i++) {
        map_page(d, BASE, page + i * RIG_PAGE);
        assert_true(rig_reaches(rig, 0, BASE, page + i * RIG_PAGE));
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    }
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void what_was_mapped_before_attaching_is_reachable_after(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    uint64_t page = rig_pages(rig, 1);

    map_page(d, BASE, page);
    map_page(d, BASE + RIG_PAGE, page + RIG_PAGE);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE + RIG_PAGE));
    set(rig, 0, d);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static void unmap_reaches_every_device_of_the_domain(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    set(rig, 1, d);
    set(rig, 2, d);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    set(rig, 1, uiommu_blocked(rig->u));
    set(rig, 2, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void
the_first_and_the_last_page_of_a_domain_can_be_mapped(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 1);
    uint64_t last = last_iova(d) - (RIG_PAGE - 1);

    map_page(d, 0, page);
    map_page(d, last, page + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, 0, page));
    assert_true(rig_reaches(rig, 0, last, page + RIG_PAGE));
    assert_true(rig_refused(rig, 0, RIG_PAGE));
    assert_true(rig_refused(rig, 0, last - RIG_PAGE));
    assert_true(rig_refused(rig, 0, last + RIG_PAGE));
    rig_ok(uiommu_unmap(d, 0, RIG_PAGE, NULL));
    rig_ok(uiommu_unmap(d, last, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, 0));
    assert_true(rig_refused(rig, 0, last));
    rig_drop(rig, 0, d);
}

static bool with_57_bits(struct rig *rig, const char **why)
{
    *why = "not on this unit: addresses have less than 57 bits";
    rig->config.args = rig_arch(rig)->wide;
    return rig->config.args != NULL;
}

static void five_levels_of_tables_are_used(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_trace t;

    assert_true(last_iova(d) > GIB(512) * 512);
    rig_is(uiommu_walk(d, 0, &t), UIOMMU_NOENT);
    assert_int_equal(t.top, 4);
    uiommu_domain_put(d);
    the_first_and_the_last_page_of_a_domain_can_be_mapped(rig);
}

static bool with_39_bits(struct rig *rig, const char **why)
{
    *why = "not on this unit: there are at least four levels";
    rig->config.args = rig_arch(rig)->narrow;
    return rig->config.args != NULL;
}

static void three_levels_of_tables_are_used(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_trace t;

    assert_int_equal(last_iova(d),
                     (UINT64_C(1) << rig_arch(rig)->narrow_bits) - 1);
    rig_is(uiommu_walk(d, 0, &t), UIOMMU_NOENT);
    assert_int_equal(t.top, 2);
    uiommu_domain_put(d);
    the_first_and_the_last_page_of_a_domain_can_be_mapped(rig);
}

static bool with_high_ram(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.high_ram_size = MIB(32);
    return true;
}

static void tables_and_pages_above_four_gigabytes_work(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    assert_true(page >= GIB(4));
    map_page(d, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static bool with_caching_mode(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.caching_mode = true;
    return true;
}

static void a_unit_that_caches_holes_sees_new_mappings(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 1);

    assert_true(rig_refused(rig, 0, BASE));
    map_page(d, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_refused(rig, 0, BASE + GIB(1)));
    map_page(d, BASE + GIB(1), page + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE + GIB(1), page + RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

/* ---- the host's books ---------------------------------------------------- */

static void unmap_gives_the_tables_back(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct rig_state before = rig_state(rig);
    uint64_t page = rig_pages(rig, 0);

    for (unsigned i = 0; i < 6; i++)
        map_page(d, BASE + i * GIB(1) / 2, page);
    assert_true(rig_state(rig).counts.pages >= before.counts.pages + 6);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_int_equal(unmap_all(d), 6 * RIG_PAGE);
    rig_assert_same(rig, &before);
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void a_domain_that_is_put_gives_everything_back(struct rig *rig)
{
    struct uiommu_domain *first = rig_attached(rig, 0);
    struct rig_state before;
    uint64_t page = rig_pages(rig, 0);

    rig_drop(rig, 0, first);
    before = rig_state(rig);
    first = attached_with(rig, 0, BASE, page);
    map_page(first, 0, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, first);
    rig_assert_same_seen(rig, &before);
}

/* Two pages that need tables of their own on every level below the root. */
#define APART (GIB(512) - RIG_PAGE)

struct mapping {
    struct uiommu_domain *d;
    uint64_t phys;
};

static enum uiommu_status map_apart(struct rig *rig, void *ctx)
{
    struct mapping *m = ctx;
    enum uiommu_status status =
        uiommu_map(m->d, APART, m->phys, 2 * RIG_PAGE, RIG_RW);
    bool mapped = status == UIOMMU_OK;

    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(lands(rig, 0, APART + i * RIG_PAGE, UIOMMU_WRITE),
                         mapped ? m->phys + i * RIG_PAGE : NOWHERE);
    return status;
}

static void unmap_apart(struct rig *rig, void *ctx)
{
    struct mapping *m = ctx;

    (void)rig;
    assert_int_equal(unmap_all(m->d), 2 * RIG_PAGE);
}

static void a_failed_map_changes_nothing(struct rig *rig)
{
    struct mapping m = { rig_attached(rig, 0), rig_pages(rig, 1) };

    assert_true(last_iova(m.d) > APART + 2 * RIG_PAGE);
    rig_each_failure(rig, map_apart, unmap_apart, &m, UIOMMU_NOMEM);
    rig_drop(rig, 0, m.d);
}

static enum uiommu_status split_leaf(struct rig *rig, void *ctx)
{
    struct mapping *m = ctx;
    enum uiommu_status status = uiommu_split(m->d, BASE + RIG_PAGE, RIG_PAGE);

    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), m->phys);
    assert_int_equal(lands(rig, 0, BASE + RIG_PAGE, UIOMMU_WRITE),
                     m->phys + RIG_PAGE);
    return status;
}

static void one_leaf_again(struct rig *rig, void *ctx)
{
    struct mapping *m = ctx;

    (void)rig;
    assert_int_equal(unmap_all(m->d), MIB(2));
    rig_ok(uiommu_map(m->d, BASE, m->phys, MIB(2), RIG_RW));
}

static void a_failed_split_changes_nothing(struct rig *rig)
{
    struct mapping m = { rig_attached(rig, 0), rig_pages(rig, 9) };

    rig_ok(uiommu_map(m.d, BASE, m.phys, MIB(2), RIG_RW));
    rig_each_failure(rig, split_leaf, one_leaf_again, &m, UIOMMU_NOMEM);
    rig_drop(rig, 0, m.d);
}

/* D-35: what can fail, unmap does not ask its host for. */
static void unmap_asks_for_nothing(struct rig *rig, struct uiommu_domain *d,
                                   uint64_t iova, uint64_t size,
                                   uint64_t unmapped)
{
    uint64_t calls = sim_calls(rig->m), bytes;

    rig_ok(uiommu_unmap(d, iova, size, &bytes));
    assert_int_equal(bytes, unmapped);
    assert_int_equal(sim_calls(rig->m), calls);
    for (uint64_t at = 0; at < size; at += MIB(1))
        assert_int_equal(lands(rig, 0, iova + at, UIOMMU_WRITE), NOWHERE);
}

static void an_unmap_allocates_nothing(struct rig *rig)
{
    const uint64_t base = GIB(4); /* nothing of the machine is above it */
    uint64_t pages = rig_pages(rig, 9);
    struct uiommu_domain *d = attached_with(rig, 0, base, pages);

    set(rig, 1, d);
    unmap_asks_for_nothing(rig, d, base, RIG_PAGE, RIG_PAGE);
    unmap_asks_for_nothing(rig, d, base, GIB(1), 0); /* an empty table goes */
    for (unsigned i = 0; i < 6; i++)                 /* many, and a forest */
        map_page(d, base + i * GIB(1) / 2, pages + i * RIG_PAGE);
    rig_ok(uiommu_map(d, base + MIB(4), pages, MIB(2), RIG_RW));
    unmap_asks_for_nothing(rig, d, base, GIB(4), MIB(2) + 6 * RIG_PAGE);
    rig_ok(uiommu_map(d, base, pages, MIB(2), RIG_RW));
    unmap_asks_for_nothing(rig, d, base, MIB(2), MIB(2)); /* a large leaf  */
    rig_ok(uiommu_map(d, base, pages, MIB(2), RIG_RW));
    rig_ok(uiommu_split(d, base + RIG_PAGE, RIG_PAGE));
    unmap_asks_for_nothing(rig, d, base + RIG_PAGE, RIG_PAGE, RIG_PAGE);
    unmap_asks_for_nothing(rig, d, base, MIB(2), MIB(2) - RIG_PAGE);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void map_unmap_and_split_never_sleep(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t pages = rig_pages(rig, 9);

    sim_atomic(rig->m, true);
    rig_ok(uiommu_map(d, BASE, pages, MIB(2), RIG_RW));
    rig_ok(uiommu_split(d, BASE, RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    rig_ok(uiommu_unmap(d, BASE, MIB(2), NULL));
    sim_atomic(rig->m, false);
    assert_int_equal(sim_violations(rig->m), 0);
    rig_drop(rig, 0, d);
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void an_unmap_with_device_tlbs_allocates_nothing(struct rig *rig)
{
    an_unmap_allocates_nothing(rig);
}

/* ---- refusals ------------------------------------------------------------ */

static void
mapping_over_a_mapping_is_refused_and_changes_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 2);

    for (unsigned hit = 0; hit < 3; hit++) {
        struct rig_state before;

        map_page(d, BASE + hit * RIG_PAGE, page);
        before = rig_state(rig);
        rig_is(uiommu_map(d, BASE, page + RIG_PAGE, 3 * RIG_PAGE, RIG_RW),
               UIOMMU_EXIST);
        rig_assert_same(rig, &before);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(lands(rig, 0, BASE + i * RIG_PAGE, UIOMMU_READ),
                             i == hit ? page : NOWHERE);
        rig_ok(uiommu_unmap(d, BASE + hit * RIG_PAGE, RIG_PAGE, NULL));
    }
    rig_drop(rig, 0, d);
}

static void leaves_of_another_size_are_not_mapped_over(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t pages = rig_pages(rig, 9);
    uint64_t hit = BASE + MIB(2) + 7 * RIG_PAGE;

    rig_ok(uiommu_map(d, BASE, pages, MIB(2), RIG_RW));
    rig_is(uiommu_map(d, BASE + MIB(2) - RIG_PAGE, pages, RIG_PAGE, RIG_RW),
           UIOMMU_EXIST);
    map_page(d, hit, pages);
    rig_is(uiommu_map(d, BASE + MIB(2), pages, MIB(2), RIG_RW), UIOMMU_EXIST);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_READ), pages);
    assert_int_equal(lands(rig, 0, hit, UIOMMU_READ), pages);
    assert_int_equal(lands(rig, 0, hit - RIG_PAGE, UIOMMU_READ), NOWHERE);
    assert_int_equal(unmap_all(d), MIB(2) + RIG_PAGE);
    rig_drop(rig, 0, d);
}

struct bad_map {
    uint64_t iova, phys, size;
    unsigned flags;
};

static void malformed_maps_are_refused_and_change_nothing(struct rig *rig)
{
    static const uint64_t P = RIG_PAGE;
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t end = last_iova(d) + 1;
    const struct bad_map bad[] = {
        { BASE + 8, P, P, RIG_RW },
        { BASE, P + 512, P, RIG_RW },
        { BASE, P, P - 1, RIG_RW },
        { BASE, P, P + 1, RIG_RW },
        { BASE, P, 0, RIG_RW },
        { end, P, P, RIG_RW },
        { end - P, P, 2 * P, RIG_RW },
        { UINT64_MAX - P + 1, P, P, RIG_RW },
        { UINT64_MAX - P + 1, P, 2 * P, RIG_RW },
        { BASE, P, UINT64_MAX - P + 1, RIG_RW },
        { BASE, UINT64_C(1) << 52, P, RIG_RW },
        { BASE, (UINT64_C(1) << 52) - P, 2 * P, RIG_RW },
        { BASE, UINT64_MAX - P + 1, 2 * P, RIG_RW },
        { BASE, P, P, 0 },
        { BASE, P, P, UIOMMU_CACHE },
        { BASE, P, P, RIG_RW | 1u << 31 },
        { BASE, P, P, RIG_RW | UIOMMU_EXEC },
        { BASE, P, P, RIG_RW | UIOMMU_PRIV },
    };
    struct rig_state before = rig_state(rig);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!(bad[i].flags & rig_arch(rig)->map_flags) &&
            uiommu_map(d, bad[i].iova, bad[i].phys, bad[i].size,
                       bad[i].flags) != UIOMMU_INVAL)
            fail_msg("row %zu was not refused", i);
    rig_assert_same(rig, &before);
    assert_int_equal(unmap_all(d), 0);
    rig_drop(rig, 0, d);
}

static void malformed_unmaps_and_splits_are_refused(struct rig *rig)
{
    static const uint64_t P = RIG_PAGE;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    uint64_t end = last_iova(d) + 1;
    const uint64_t bad[][2] = {
        { BASE + 8, P },    { BASE, P - 1 },
        { BASE, 0 },        { end, P },
        { end - P, 2 * P }, { UINT64_MAX - P + 1, 2 * P },
        { BASE, 0 - BASE }, { UINT64_MAX - P + 1, P },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t bytes = 7;

        rig_is(uiommu_unmap(d, bad[i][0], bad[i][1], &bytes), UIOMMU_INVAL);
        assert_int_equal(bytes, 7);
        rig_is(uiommu_split(d, bad[i][0], bad[i][1]), UIOMMU_INVAL);
    }
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static bool with_window(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_WINDOW, why);
}

static void the_interrupt_window_cannot_be_mapped(struct rig *rig)
{
    static const uint64_t start = 0xfee00000, size = MIB(1);
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    rig_is(uiommu_map(d, start, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_map(d, start + size - RIG_PAGE, page, RIG_PAGE, RIG_RW),
           UIOMMU_INVAL);
    rig_is(uiommu_map(d, start - RIG_PAGE, page, 2 * RIG_PAGE, RIG_RW),
           UIOMMU_INVAL);
    rig_is(uiommu_map(d, start - MIB(2), page, MIB(8), RIG_RW), UIOMMU_INVAL);
    map_page(d, start - RIG_PAGE, page);
    map_page(d, start + size, page);
    assert_true(rig_reaches(rig, 0, start - RIG_PAGE, page));
    assert_true(rig_reaches(rig, 0, start + size, page));
    assert_int_equal(unmap_all(d), 2 * RIG_PAGE);
    rig_drop(rig, 0, d);
}

static void static_domains_take_no_mappings(struct rig *rig)
{
    struct uiommu_domain *fixed[] = { uiommu_blocked(rig->u),
                                      uiommu_identity(rig->u) };

    for (unsigned i = 0; i < 2; i++) {
        rig_is(uiommu_map(fixed[i], BASE, 0, RIG_PAGE, RIG_RW),
               UIOMMU_OPNOTSUPP);
        rig_is(uiommu_unmap(fixed[i], BASE, RIG_PAGE, NULL), UIOMMU_OPNOTSUPP);
        rig_is(uiommu_split(fixed[i], BASE, RIG_PAGE), UIOMMU_OPNOTSUPP);
    }
}

/* ---- holes --------------------------------------------------------------- */

static void unmap_counts_what_it_removed_and_skips_holes(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    uint64_t bytes = 7;

    rig_ok(uiommu_unmap(d, BASE, 8 * RIG_PAGE, &bytes));
    assert_int_equal(bytes, 0);
    map_page(d, BASE, page);
    map_page(d, BASE + 2 * RIG_PAGE, page);
    map_page(d, BASE + 7 * RIG_PAGE, page);
    map_page(d, BASE + 8 * RIG_PAGE, page);
    rig_ok(uiommu_unmap(d, BASE, 8 * RIG_PAGE, &bytes));
    assert_int_equal(bytes, 3 * RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE + 8 * RIG_PAGE, page));
    for (unsigned i = 0; i < 8; i++)
        assert_true(rig_refused(rig, 0, BASE + i * RIG_PAGE));
    rig_drop(rig, 0, d);
}

/* ---- rights -------------------------------------------------------------- */

static void a_mapping_grants_what_was_asked_for(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 1);

    rig_ok(uiommu_map(d, BASE, page, RIG_PAGE, UIOMMU_READ));
    rig_ok(
        uiommu_map(d, BASE + RIG_PAGE, page, RIG_PAGE, RIG_RW | UIOMMU_MMIO));
    assert_int_equal(rights(rig, 0, BASE), UIOMMU_READ);
    assert_int_equal(rights(rig, 0, BASE + RIG_PAGE), RIG_RW);
    assert_false(rig_write(rig, 0, BASE, 1));
    assert_int_equal(rig_peek(rig, page), 0);
    assert_true(rig_reaches(rig, 0, BASE + RIG_PAGE, page));
    rig_drop(rig, 0, d);
}

static bool with_write_only(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_WRITE_ONLY, why);
}

static void a_write_only_page_cannot_be_read(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    uint64_t value;

    rig_ok(uiommu_map(d, BASE, page, RIG_PAGE, UIOMMU_WRITE));
    assert_int_equal(rights(rig, 0, BASE), UIOMMU_WRITE);
    assert_true(rig_write(rig, 0, BASE, 0xfeed));
    assert_int_equal(rig_peek(rig, page), 0xfeed);
    assert_false(rig_read(rig, 0, BASE, &value));
    rig_drop(rig, 0, d);
}

static void
a_refused_write_is_explained_by_the_rights_of_the_page(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    rig_ok(uiommu_map(d, BASE, page, RIG_PAGE, UIOMMU_READ));
    assert_false(rig_write(rig, 0, BASE + 8, 1));
    rig_poll(rig);
    assert_int_equal(rig->faults, 1);
    assert_true(rig->fault.has_trace && rig->fault.mapped);
    assert_int_equal(rig->fault.rights, UIOMMU_READ);
    assert_int_equal(rig->fault.access, UIOMMU_WRITE);
    assert_says(rig->sentence, "write");
    assert_says(rig->sentence, "read");
    rig_drop(rig, 0, d);
}

static const struct rig_test tests[] = {
    RIG_TEST(a_mapped_page_is_reachable_and_its_neighbours_are_not),
    RIG_TEST(an_unmapped_page_is_unreachable_when_unmap_returns),
    RIG_TEST(a_page_mapped_again_reaches_the_new_place_only),
    RIG_TEST(what_was_mapped_before_attaching_is_reachable_after),
    RIG_TEST(unmap_reaches_every_device_of_the_domain),
    RIG_TEST(the_first_and_the_last_page_of_a_domain_can_be_mapped),
    RIG_TEST_ON(five_levels_of_tables_are_used, with_57_bits),
    RIG_TEST_ON(three_levels_of_tables_are_used, with_39_bits),
    RIG_TEST_ON(tables_and_pages_above_four_gigabytes_work, with_high_ram),
    RIG_TEST_ON(a_unit_that_caches_holes_sees_new_mappings, with_caching_mode),
    RIG_TEST(unmap_gives_the_tables_back),
    RIG_TEST(a_domain_that_is_put_gives_everything_back),
    RIG_TEST(a_failed_map_changes_nothing),
    RIG_TEST(a_failed_split_changes_nothing),
    RIG_TEST(an_unmap_allocates_nothing),
    RIG_TEST_ON(an_unmap_with_device_tlbs_allocates_nothing, with_ats),
    RIG_TEST(map_unmap_and_split_never_sleep),
    RIG_TEST(mapping_over_a_mapping_is_refused_and_changes_nothing),
    RIG_TEST(leaves_of_another_size_are_not_mapped_over),
    RIG_TEST(malformed_maps_are_refused_and_change_nothing),
    RIG_TEST(malformed_unmaps_and_splits_are_refused),
    RIG_TEST_ON(the_interrupt_window_cannot_be_mapped, with_window),
    RIG_TEST(static_domains_take_no_mappings),
    RIG_TEST(unmap_counts_what_it_removed_and_skips_holes),
    RIG_TEST(a_mapping_grants_what_was_asked_for),
    RIG_TEST_ON(a_write_only_page_cannot_be_read, with_write_only),
    RIG_TEST(a_refused_write_is_explained_by_the_rights_of_the_page),
    { 0 },
};

int main(void)
{
    return rig_run("map", tests);
}
