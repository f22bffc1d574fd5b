/* SPDX-License-Identifier: MIT */
/*
 * leaf_test.c - large leaves: when they are used, how they are broken, what a
 * walk says of them, and random calls against a plain array.
 */
#include "tests/core/help.h"

#define BASE GIB(2)

static uint64_t leaf_size(struct uiommu_domain *d, uint64_t iova)
{
    struct uiommu_trace t;

    rig_ok(uiommu_walk(d, iova, &t));
    return t.page_size;
}

static bool has_size(const struct uiommu_domain *d, uint64_t size)
{
    struct uiommu_domain_info info;

    uiommu_domain_info(d, &info);
    return (info.page_sizes & size) != 0;
}

/* ---- large leaves are used ----------------------------------------------- */

static bool with_two_gigabytes(struct rig *rig, const char **why)
{
    *why = "no room for that memory, and for what is in caches, in 32 bits";
    rig->config.ram_size = GIB(2);
    return sizeof(void *) > 4 || !rig->config.non_coherent;
}

/* One leaf: it is as large as that, and ends where it has to. */
static void check_leaf(struct rig *rig, struct uiommu_domain *d, uint64_t iova,
                       uint64_t phys, uint64_t size)
{
    rig_ok(uiommu_map(d, iova, phys, size, RIG_RW));
    assert_int_equal(leaf_size(d, iova), size);
    assert_int_equal(leaf_size(d, iova + size - 1), size);
    assert_true(rig_reaches(rig, 0, iova, phys));
    assert_true(rig_reaches(rig, 0, iova + size - 8, phys + size - 8));
    assert_true(rig_refused(rig, 0, iova - 8));
    assert_true(rig_refused(rig, 0, iova + size));
    rig_ok(uiommu_unmap(d, iova, size, NULL));
    assert_true(rig_refused(rig, 0, iova));
    assert_true(rig_refused(rig, 0, iova + size - 8));
}

static void aligned_ranges_become_large_leaves(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    assert_true(has_size(d, MIB(2)) && has_size(d, GIB(1)));
    check_leaf(rig, d, BASE + 3 * MIB(2), GIB(1) + MIB(2), MIB(2));
    check_leaf(rig, d, 5 * GIB(1), GIB(1), GIB(1));
    rig_drop(rig, 0, d);
}

static void a_range_is_cut_where_the_next_size_begins(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 11);
    uint64_t iova = BASE + MIB(2) - RIG_PAGE;
    uint64_t size = MIB(2) + 2 * RIG_PAGE;

    phys += MIB(2) - RIG_PAGE;
    rig_ok(uiommu_map(d, iova, phys, size, RIG_RW));
    assert_int_equal(leaf_size(d, iova), RIG_PAGE);
    assert_int_equal(leaf_size(d, iova + RIG_PAGE), MIB(2));
    assert_int_equal(leaf_size(d, iova + size - 1), RIG_PAGE);
    for (uint64_t at = 0; at < size; at += MIB(1) / 2)
        assert_true(rig_reaches(rig, 0, iova + at, phys + at));
    assert_true(rig_reaches(rig, 0, iova + size - 8, phys + size - 8));
    assert_int_equal(unmap_all(d), size);
    assert_true(rig_refused(rig, 0, iova + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static void addresses_that_do_not_line_up_get_small_leaves(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 10);

    rig_ok(uiommu_map(d, BASE, phys + RIG_PAGE, MIB(2), RIG_RW));
    assert_int_equal(leaf_size(d, BASE), RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE, phys + RIG_PAGE));
    assert_true(
        rig_reaches(rig, 0, BASE + MIB(2) - 8, phys + RIG_PAGE + MIB(2) - 8));
    rig_drop(rig, 0, d);
}

static void a_domain_uses_no_sizes_it_was_not_created_with(struct rig *rig)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .page_sizes = RIG_PAGE };
    uint64_t phys = rig_pages(rig, 9);
    struct uiommu_domain *d;

    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d));
    set(rig, 0, d);
    assert_false(has_size(d, MIB(2)));
    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    assert_int_equal(leaf_size(d, BASE), RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE + MIB(1), phys + MIB(1)));
    /* The same beside what was mapped last. */
    map_page(d, BASE + MIB(4), phys);
    rig_ok(uiommu_map(d, BASE + MIB(2), phys, MIB(2), RIG_RW));
    assert_int_equal(leaf_size(d, BASE + MIB(2)), RIG_PAGE);
    rig_drop(rig, 0, d);
}

/* D-28: the emptied table may still be cached. */
static void
a_large_mapping_over_an_emptied_table_reaches_its_page(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t old = rig_pages(rig, 0);
    uint64_t phys = rig_pages(rig, 9);

    map_page(d, BASE, old);
    assert_true(rig_reaches(rig, 0, BASE, old));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    assert_true(rig_reaches(rig, 0, BASE, phys));
    assert_true(rig_reaches(rig, 0, BASE + MIB(1), phys + MIB(1)));
    assert_int_equal(unmap_all(d), MIB(2));
    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    assert_int_equal(leaf_size(d, BASE), MIB(2));
    assert_true(rig_reaches(rig, 0, BASE, phys));
    rig_drop(rig, 0, d);
}

/* More than one page-selective command can say: 2^18 pages. */
static void two_gigabytes_are_unmapped_at_once(struct rig *rig)
{
    static const uint64_t iova = UINT64_C(0x1fffff000),
                          phys = GIB(1) - RIG_PAGE;
    static const uint64_t size = UINT64_C(0x80002000);
    static const uint64_t at[] = { 0,
                                   RIG_PAGE,
                                   UINT64_C(0x40000fff),
                                   UINT64_C(0x40001000),
                                   UINT64_C(0x80000fff),
                                   UINT64_C(0x80001fff) };
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t bytes;

    rig_ok(uiommu_map(d, iova, phys, size, RIG_RW));
    assert_int_equal(leaf_size(d, iova + RIG_PAGE), GIB(1));
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        assert_int_equal(lands(rig, 0, iova + at[i], UIOMMU_READ),
                         phys + at[i]);
    rig_ok(uiommu_unmap(d, iova, size, &bytes));
    assert_int_equal(bytes, size);
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        assert_int_equal(lands(rig, 0, iova + at[i], UIOMMU_READ), NOWHERE);
    rig_drop(rig, 0, d);
}

/* ---- breaking them ------------------------------------------------------- */

static void a_leaf_partly_covered_is_refused_and_stays(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 9);
    struct rig_state before;
    uint64_t bytes = 7;

    map_page(d, BASE - RIG_PAGE, phys);
    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    before = rig_state(rig);
    rig_is(uiommu_unmap(d, BASE, MIB(1), &bytes), UIOMMU_INVAL);
    rig_is(uiommu_unmap(d, BASE + MIB(1), MIB(1), &bytes), UIOMMU_INVAL);
    rig_is(uiommu_unmap(d, BASE - RIG_PAGE, MIB(1), &bytes), UIOMMU_INVAL);
    rig_is(uiommu_unmap(d, BASE + RIG_PAGE, MIB(4), &bytes), UIOMMU_INVAL);
    assert_int_equal(bytes, 7);
    rig_assert_same(rig, &before);
    assert_true(rig_reaches(rig, 0, BASE - RIG_PAGE, phys));
    assert_true(rig_reaches(rig, 0, BASE, phys));
    assert_int_equal(unmap_all(d), MIB(2) + RIG_PAGE);
    rig_drop(rig, 0, d);
}

static void split_leaves_everything_mapped(struct rig *rig)
{
    uint64_t phys = rig_pages(rig, 9);
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    assert_true(rig_reaches(rig, 0, BASE, phys));
    rig_ok(uiommu_split(d, BASE + 3 * RIG_PAGE, RIG_PAGE));
    assert_int_equal(leaf_size(d, BASE), RIG_PAGE);
    for (uint64_t at = 0; at < MIB(2); at += MIB(1) / 4)
        assert_true(rig_reaches(rig, 0, BASE + at, phys + at));
    rig_drop(rig, 0, d);
}

static void after_a_split_a_part_can_be_unmapped(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 9);
    uint64_t hole = BASE + 3 * RIG_PAGE;
    uint64_t bytes;

    rig_ok(uiommu_map(d, BASE, phys, MIB(2), UIOMMU_READ));
    rig_ok(uiommu_split(d, hole, RIG_PAGE));
    rig_ok(uiommu_unmap(d, hole, RIG_PAGE, &bytes));
    assert_int_equal(bytes, RIG_PAGE);
    assert_true(rig_refused(rig, 0, hole));
    assert_int_equal(rights(rig, 0, hole - RIG_PAGE), UIOMMU_READ);
    assert_int_equal(rights(rig, 0, hole + RIG_PAGE), UIOMMU_READ);
    assert_int_equal(lands(rig, 0, hole + RIG_PAGE, UIOMMU_READ),
                     phys + 4 * RIG_PAGE);
    assert_int_equal(unmap_all(d), MIB(2) - RIG_PAGE);
    rig_drop(rig, 0, d);
}

static void a_gigabyte_is_split_only_as_far_as_needed(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t hole = BASE + MIB(512);

    rig_ok(uiommu_map(d, BASE, GIB(1), GIB(1), RIG_RW));
    assert_int_equal(leaf_size(d, BASE), GIB(1));
    rig_ok(uiommu_split(d, hole, RIG_PAGE));
    assert_int_equal(leaf_size(d, BASE), MIB(2));
    assert_int_equal(leaf_size(d, hole), RIG_PAGE);
    rig_ok(uiommu_unmap(d, hole, RIG_PAGE, NULL));
    assert_int_equal(lands(rig, 0, hole, UIOMMU_READ), NOWHERE);
    assert_int_equal(lands(rig, 0, hole - 1, UIOMMU_READ),
                     GIB(1) + MIB(512) - 1);
    assert_int_equal(lands(rig, 0, hole + RIG_PAGE, UIOMMU_READ),
                     GIB(1) + MIB(512) + RIG_PAGE);
    assert_int_equal(unmap_all(d), GIB(1) - RIG_PAGE);
    rig_drop(rig, 0, d);
}

static void splitting_what_need_not_be_split_changes_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 9);
    struct rig_state before;

    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    before = rig_state(rig);
    rig_ok(uiommu_split(d, BASE, MIB(2)));
    rig_ok(uiommu_split(d, BASE - MIB(2), MIB(6)));
    rig_ok(uiommu_split(d, BASE + GIB(1), RIG_PAGE));
    rig_assert_same(rig, &before);
    assert_int_equal(leaf_size(d, BASE), MIB(2));
    rig_drop(rig, 0, d);
}

/* ---- walk ---------------------------------------------------------------- */

static void a_walk_tells_how_far_it_went(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_trace t;

    rig_is(uiommu_walk(d, BASE, &t), UIOMMU_NOENT);
    assert_int_equal(t.level, t.top);
    assert_int_equal(t.entry[t.top], 0);
    map_page(d, BASE, page);
    rig_is(uiommu_walk(d, BASE + RIG_PAGE, &t), UIOMMU_NOENT);
    assert_int_equal(t.level, 0);
    rig_is(uiommu_walk(d, BASE + MIB(2), &t), UIOMMU_NOENT);
    assert_int_equal(t.level, 1);
    rig_is(uiommu_walk(d, BASE + GIB(1), &t), UIOMMU_NOENT);
    assert_int_equal(t.level, 2);
    assert_int_equal(t.entry[2], 0);
    for (unsigned level = 3; level <= t.top; level++)
        assert_true(t.entry[level] != 0);
    rig_drop(rig, 0, d);
}

static void a_walk_translates_to_the_byte(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t pages = rig_pages(rig, 9);
    struct uiommu_trace t;

    rig_ok(uiommu_map(d, BASE, pages, RIG_PAGE, UIOMMU_READ));
    rig_ok(uiommu_map(d, BASE + GIB(1), pages, MIB(2), RIG_RW));
    rig_ok(uiommu_walk(d, BASE + 0x123, &t));
    assert_int_equal(t.phys, pages + 0x123);
    assert_int_equal(t.page_size, RIG_PAGE);
    assert_int_equal(t.flags, UIOMMU_READ);
    assert_int_equal(t.level, 0);
    assert_int_equal(t.entry[0] & UINT64_C(0xfffffff000), pages);
    rig_ok(uiommu_walk(d, BASE + GIB(1) + 0x12345, &t));
    assert_int_equal(t.phys, pages + 0x12345);
    assert_int_equal(t.page_size, MIB(2));
    assert_int_equal(t.flags, RIG_RW);
    assert_int_equal(t.level, 1);
    rig_drop(rig, 0, d);
}

static void
a_walk_outside_the_domain_or_in_a_static_one_says_so(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_trace t;

    rig_is(uiommu_walk(d, last_iova(d) + 1, &t), UIOMMU_INVAL);
    rig_is(uiommu_walk(d, UINT64_MAX, &t), UIOMMU_INVAL);
    rig_is(uiommu_walk(uiommu_blocked(rig->u), BASE, &t), UIOMMU_NOENT);
    rig_ok(uiommu_walk(uiommu_identity(rig->u), BASE + 5, &t));
    assert_int_equal(t.phys, BASE + 5);
    assert_int_equal(t.page_size, 0);
    assert_int_equal(t.flags, RIG_RW);
    uiommu_domain_put(d);
}

/* ---- random calls against an array --------------------------------------- */

enum { SPAN = 3 * 512, STEPS = 150, TABLE_PAGES = 512 };

struct shadow {
    struct rig *rig;
    struct uiommu_domain *d;
    uint64_t seed;
    uint64_t phys[SPAN];
    unsigned flags[SPAN]; /* 0: not mapped */
};

struct range {
    unsigned page, n;
};

static uint64_t iova_of(unsigned page)
{
    return BASE + (uint64_t)page * RIG_PAGE;
}

/* Small pieces, and some that are tables' worth. */
static struct range random_range(struct shadow *s)
{
    struct range r = { pick(&s->seed, SPAN), 1 + pick(&s->seed, 40) };

    if (pick(&s->seed, 3) == 0) {
        r.page -= r.page % TABLE_PAGES;
        r.n = TABLE_PAGES * (1 + pick(&s->seed, 2));
    }
    if (r.n > SPAN - r.page)
        r.n = SPAN - r.page;
    return r;
}

static bool any_mapped(const struct shadow *s, struct range r)
{
    for (unsigned i = r.page; i < r.page + r.n; i++)
        if (s->flags[i] != 0)
            return true;
    return false;
}

static void try_map(struct shadow *s, struct range r)
{
    bool aligned = pick(&s->seed, 2) == 0;
    uint64_t phys = MIB(2) * (1 + pick(&s->seed, 1000));
    unsigned flags = pick(&s->seed, 2) == 0 ? RIG_RW : UIOMMU_READ;

    phys += aligned ? iova_of(r.page) & (MIB(2) - 1) : RIG_PAGE;
    rig_is(uiommu_map(s->d, iova_of(r.page), phys, (uint64_t)r.n * RIG_PAGE,
                      flags),
           any_mapped(s, r) ? UIOMMU_EXIST : UIOMMU_OK);
    if (any_mapped(s, r))
        return;
    for (unsigned i = 0; i < r.n; i++) {
        s->phys[r.page + i] = phys + (uint64_t)i * RIG_PAGE;
        s->flags[r.page + i] = flags;
    }
}

/* Whether the boundary below `page` is inside a leaf. */
static bool straddles(const struct shadow *s, unsigned page)
{
    struct uiommu_trace t;

    return uiommu_walk(s->d, iova_of(page), &t) == UIOMMU_OK &&
           (iova_of(page) & (t.page_size - 1)) != 0;
}

static void try_unmap(struct shadow *s, struct range r)
{
    bool whole = !straddles(s, r.page) && !straddles(s, r.page + r.n);
    uint64_t bytes = 0, expected = 0;

    rig_is(
        uiommu_unmap(s->d, iova_of(r.page), (uint64_t)r.n * RIG_PAGE, &bytes),
        whole ? UIOMMU_OK : UIOMMU_INVAL);
    for (unsigned i = r.page; whole && i < r.page + r.n; i++) {
        expected += s->flags[i] != 0 ? RIG_PAGE : 0;
        s->flags[i] = 0;
    }
    assert_int_equal(bytes, expected);
}

static void try_split(struct shadow *s, struct range r)
{
    rig_ok(uiommu_split(s->d, iova_of(r.page), (uint64_t)r.n * RIG_PAGE));
    assert_false(straddles(s, r.page));
    assert_false(straddles(s, r.page + r.n));
}

static void check_page(struct shadow *s, unsigned page)
{
    uint64_t at = iova_of(page) + pick(&s->seed, RIG_PAGE);
    uint64_t there = s->phys[page] + (at - iova_of(page));

    assert_int_equal(lands(s->rig, 0, at, UIOMMU_READ),
                     s->flags[page] & UIOMMU_READ ? there : NOWHERE);
    assert_int_equal(lands(s->rig, 0, at, UIOMMU_WRITE),
                     s->flags[page] & UIOMMU_WRITE ? there : NOWHERE);
}

static void check_around(struct shadow *s, struct range r)
{
    check_page(s, r.page);
    check_page(s, r.page + r.n - 1);
    check_page(s, r.page > 0 ? r.page - 1 : 0);
    check_page(s, (r.page + r.n) % SPAN);
    for (unsigned i = 0; i < 4; i++)
        check_page(s, pick(&s->seed, SPAN));
}

static void one_step(struct shadow *s)
{
    struct range r = random_range(s);
    unsigned what = pick(&s->seed, 8);

    if (what < 4)
        try_map(s, r);
    else if (what < 7)
        try_unmap(s, r);
    else
        try_split(s, r);
    check_around(s, r);
}

static void random_calls_agree_with_an_array(struct rig *rig)
{
    static const uint64_t seeds[] = { 1, 0x5eed, UINT64_C(0xfeedfacecafe) };
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct rig_state before = rig_state(rig);

    for (unsigned i = 0; i < 3; i++) {
        struct shadow s = { .rig = rig, .d = d, .seed = seeds[i] };

        for (unsigned step = 0; step < STEPS; step++)
            one_step(&s);
        for (unsigned page = 0; page < SPAN; page++)
            check_page(&s, page);
        (void)unmap_all(d);
        rig_assert_same(rig, &before);
    }
    rig_drop(rig, 0, d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(aligned_ranges_become_large_leaves, with_two_gigabytes),
    RIG_TEST(a_range_is_cut_where_the_next_size_begins),
    RIG_TEST(addresses_that_do_not_line_up_get_small_leaves),
    RIG_TEST(a_domain_uses_no_sizes_it_was_not_created_with),
    RIG_TEST(a_large_mapping_over_an_emptied_table_reaches_its_page),
    RIG_TEST(two_gigabytes_are_unmapped_at_once),
    RIG_TEST(a_leaf_partly_covered_is_refused_and_stays),
    RIG_TEST(split_leaves_everything_mapped),
    RIG_TEST(after_a_split_a_part_can_be_unmapped),
    RIG_TEST(a_gigabyte_is_split_only_as_far_as_needed),
    RIG_TEST(splitting_what_need_not_be_split_changes_nothing),
    RIG_TEST(a_walk_tells_how_far_it_went),
    RIG_TEST(a_walk_translates_to_the_byte),
    RIG_TEST(a_walk_outside_the_domain_or_in_a_static_one_says_so),
    RIG_TEST(random_calls_agree_with_an_array),
    { 0 },
};

int main(void)
{
    return rig_run("leaf", tests);
}
