/* SPDX-License-Identifier: MIT */
/*
 * store_test.c - store by store: at each store (in the -hooked program),
 * register write, flush and fence, the unit is asked what it would answer now.
 * Whatever is changing answers old, new or nothing; everything else, what it
 * always did (semantics B.1, B.13, D-50, D-51).
 */
#include "tests/core/lookout.h"

#include "tests/hook/hook.h"

#define BASE GIB(2)

/* ---- changes of domain --------------------------------------------------- */

enum sight { BLOCKED, IDENTITY, PAGING_A, PAGING_B, SIGHTS };

struct sights {
    struct uiommu_domain *domain[SIGHTS];
    uint64_t at, phys[SIGHTS];
};

static void sights_open(struct rig *rig, struct sights *s)
{
    s->at = rig_pages(rig, 0);
    s->domain[BLOCKED] = uiommu_blocked(rig->u);
    s->phys[BLOCKED] = NOWHERE;
    s->domain[IDENTITY] = uiommu_identity(rig->u);
    s->phys[IDENTITY] = s->at;
    for (unsigned i = PAGING_A; i < SIGHTS; i++) {
        s->domain[i] = rig_domain(rig, 0);
        s->phys[i] = rig_pages(rig, 0);
        map_page(s->domain[i], s->at, s->phys[i]);
    }
    set(rig, 1, s->domain[PAGING_A]);
    set(rig, 2, s->domain[PAGING_B]);
}

static void sights_close(struct rig *rig, struct sights *s)
{
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, uiommu_blocked(rig->u));
    uiommu_domain_put(s->domain[PAGING_A]);
    uiommu_domain_put(s->domain[PAGING_B]);
}

/* Engine 0 moves, the others stay. */
static void watched_set(struct rig *rig, const struct sights *s, unsigned from,
                        unsigned to)
{
    struct lookout l = { .n = 0 };
    uint64_t beside = s->at + RIG_PAGE;

    set(rig, 0, s->domain[from]);
    watch_dma(&l, rig, 0, s->at, s->phys[from], s->phys[to]);
    watch_for(&l, 0, beside, from == IDENTITY ? beside : NOWHERE,
              to == IDENTITY ? beside : NOWHERE);
    watch_dma(&l, rig, 1, s->at, s->phys[PAGING_A], s->phys[PAGING_A]);
    watch_dma(&l, rig, 2, s->at, s->phys[PAGING_B], s->phys[PAGING_B]);
    begin(rig, &l);
    set(rig, 0, s->domain[to]);
    assert_true(saw(&l, 2));
    end(rig, &l);
}

static void a_device_sees_its_old_domain_its_new_one_or_nothing(struct rig *rig)
{
    struct sights s;

    sights_open(rig, &s);
    for (unsigned from = 0; from < SIGHTS; from++)
        for (unsigned to = 0; to < SIGHTS; to++)
            if (from != to)
                watched_set(rig, &s, from, to);
    sights_close(rig, &s);
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static bool with_caching_mode(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.caching_mode = true;
    return true;
}

static void the_same_holds_with_ats(struct rig *rig)
{
    a_device_sees_its_old_domain_its_new_one_or_nothing(rig);
}

static void the_same_holds_where_holes_are_cached(struct rig *rig)
{
    a_device_sees_its_old_domain_its_new_one_or_nothing(rig);
}

/* ---- maps and unmaps ----------------------------------------------------- */

/* Around [start, start + size): neighbours that are mapped, the first and
 * the last page of the domain, and a device in another one. */
static struct uiommu_domain *neighbours(struct rig *rig, struct lookout *l,
                                        uint64_t start, uint64_t size)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t phys = rig_pages(rig, 2);
    uint64_t last = last_iova(d) - (RIG_PAGE - 1);
    const uint64_t at[] = { 0, start - RIG_PAGE, start + size, last };

    memset(l, 0, sizeof(*l));
    for (unsigned i = 0; i < 4; i++) {
        map_page(d, at[i], phys + i * RIG_PAGE);
        watch_for(l, 0, at[i], phys + i * RIG_PAGE, phys + i * RIG_PAGE);
    }
    watch_for(l, 0, RIG_PAGE, NOWHERE, NOWHERE);
    watch_for(l, 1, start, NOWHERE, NOWHERE);
    return d;
}

/* Some pages of the range go from one place to another. */
static void watch_range(struct lookout *l, uint64_t start, uint64_t size,
                        uint64_t old, uint64_t new)
{
    const uint64_t at[] = { 0, size / 2, size - RIG_PAGE };

    for (unsigned i = 0; i < 3; i++)
        watch_for(l, 0, start + at[i], old == NOWHERE ? old : old + at[i],
                  new == NOWHERE ? new : new + at[i]);
}

static void watched_map_and_unmap(struct rig *rig, uint64_t start,
                                  uint64_t size, uint64_t phys)
{
    struct lookout l;
    struct uiommu_domain *d = neighbours(rig, &l, start, size);
    unsigned fixed = l.n;

    watch_range(&l, start, size, NOWHERE, phys);
    begin(rig, &l);
    rig_ok(uiommu_map(d, start, phys, size, RIG_RW));
    assert_true(!uim_store_hooked() || l.looked > 0);
    end(rig, &l);
    l.n = fixed;
    watch_range(&l, start, size, phys, NOWHERE);
    begin(rig, &l);
    rig_ok(uiommu_unmap(d, start, size, NULL));
    assert_true(saw(&l, 2));
    end(rig, &l);
    rig_drop(rig, 0, d);
}

static void a_few_pages_come_and_go(struct rig *rig)
{
    watched_map_and_unmap(rig, BASE + MIB(2) - 3 * RIG_PAGE, 8 * RIG_PAGE,
                          MIB(32) + RIG_PAGE);
}

static void a_whole_table_comes_and_goes(struct rig *rig)
{
    watched_map_and_unmap(rig, BASE, MIB(2), MIB(32) + RIG_PAGE);
}

static void a_large_leaf_comes_and_goes(struct rig *rig)
{
    watched_map_and_unmap(rig, BASE, MIB(2), MIB(32));
}

static void leaves_of_three_sizes_come_and_go(struct rig *rig)
{
    watched_map_and_unmap(rig, BASE - MIB(2) - RIG_PAGE,
                          GIB(1) + MIB(4) + 2 * RIG_PAGE,
                          GIB(1) - MIB(2) - RIG_PAGE);
}

static void tables_of_several_levels_go_at_once(struct rig *rig)
{
    struct lookout l;
    struct uiommu_domain *d = neighbours(rig, &l, BASE, GIB(1));
    uint64_t page = rig_pages(rig, 0);

    for (unsigned i = 0; i < 4; i++)
        map_page(d, BASE + i * MIB(256), page);
    watch_for(&l, 0, BASE, page, NOWHERE);
    watch_for(&l, 0, BASE + 3 * MIB(256), page, NOWHERE);
    watch_for(&l, 0, BASE + RIG_PAGE, NOWHERE, NOWHERE);
    begin(rig, &l);
    rig_ok(uiommu_unmap(d, BASE, GIB(1), NULL));
    assert_true(saw(&l, 2));
    end(rig, &l);
    rig_drop(rig, 0, d);
}

static void nothing_moves_while_leaves_are_split(struct rig *rig)
{
    struct lookout l;
    struct uiommu_domain *d = neighbours(rig, &l, BASE, GIB(1));
    uint64_t phys = GIB(1);

    rig_ok(uiommu_map(d, BASE, phys, GIB(1), RIG_RW));
    watch_for(&l, 0, BASE, phys, phys);
    watch_for(&l, 0, BASE + 5 * RIG_PAGE, phys + 5 * RIG_PAGE,
              phys + 5 * RIG_PAGE);
    watch_for(&l, 0, BASE + MIB(512), phys + MIB(512), phys + MIB(512));
    watch_for(&l, 0, BASE + GIB(1) - RIG_PAGE, phys + GIB(1) - RIG_PAGE,
              phys + GIB(1) - RIG_PAGE);
    begin(rig, &l);
    rig_ok(uiommu_split(d, BASE + 5 * RIG_PAGE, MIB(512)));
    assert_true(saw(&l, 2));
    end(rig, &l);
    rig_drop(rig, 0, d);
}

/* ---- devices ------------------------------------------------------------- */

static void a_device_that_leaves_is_blocked_at_once(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);
    unsigned dev = rig_engine(rig, 0);

    set(rig, 1, d);
    watch_for(&l, 0, BASE, page, NOWHERE);
    watch_for(&l, 1, BASE, page, page);
    begin(rig, &l);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_true(saw(&l, 2));
    end(rig, &l);
    l.place[0].old = NOWHERE;
    begin(rig, &l);
    rig_ok(rig_add(rig, dev));
    end(rig, &l);
    rig_drop(rig, 1, d);
}

static const struct rig_test tests[] = {
    RIG_TEST(a_device_sees_its_old_domain_its_new_one_or_nothing),
    RIG_TEST_ON(the_same_holds_with_ats, with_ats),
    RIG_TEST_ON(the_same_holds_where_holes_are_cached, with_caching_mode),
    RIG_TEST(a_few_pages_come_and_go),
    RIG_TEST(a_whole_table_comes_and_goes),
    RIG_TEST(a_large_leaf_comes_and_goes),
    RIG_TEST(leaves_of_three_sizes_come_and_go),
    RIG_TEST(tables_of_several_levels_go_at_once),
    RIG_TEST(nothing_moves_while_leaves_are_split),
    RIG_TEST(a_device_that_leaves_is_blocked_at_once),
    { 0 },
};

int main(void)
{
    return rig_run("store", tests);
}
