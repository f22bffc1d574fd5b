/* SPDX-License-Identifier: MIT */
/* create, map and walk. */
#include "pt_rig.h"

#include <string.h>

static void a_new_table_is_empty(struct pt_rig *r)
{
    struct pt_tree tree = rig_tree(r);

    assert_int_equal(memory_host_live_pages(r->m), 1);
    assert_int_equal(tree.tables, 1);
    assert_int_equal(tree.leaves, 0);
    assert_true(tree.seen);
    rig_assert_hole(r, 0, r->last_iova + 1);
}

/* A new table remembers nothing of calls before, not even at address 0. */
static void the_first_call_finds_no_table_by_chance(struct pt_rig *r)
{
    uint64_t size = pt_has(r, r->large) ? r->large : r->page;

    assert_int_equal(rig_map(r, 0, DATA, size, RW), UIOMMU_OK);
    rig_assert_mapped(r, 0, DATA, size, RW);
}

static void create_refuses_what_it_cannot_be(struct pt_rig *r)
{
    const struct uim_pt_ops *ops = r->c.ops;
    struct uim_pt_config config = {
        .host = memory_host_api(r->m),
        .iova_bits = 32,
        .phys_bits = 46,
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
    };
    unsigned live = memory_host_live(r->m);
    struct uim_pt pt;

    config.iova_bits = (uint8_t)(ops->max_bits + 1);
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.iova_bits = (uint8_t)(ops->min_bits - 1);
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.iova_bits = 32;
    config.levels = 6;
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.levels = 1;
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.levels = 0;
    config.page_sizes = r->large;
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.page_sizes = r->c.page_sizes;
    config.phys_bits = 53;
    assert_int_equal(ops->create(&pt, &config), UIOMMU_INVAL);
    config.phys_bits = 49;
    assert_int_equal(ops->create(&pt, &config),
                     r->c.phys_bits == 48 ? UIOMMU_INVAL : UIOMMU_OK);
    if (r->c.phys_bits != 48)
        ops->destroy(&pt);
    assert_int_equal(memory_host_live(r->m), live);
}

static enum uiommu_status create_bits(struct pt_rig *r, struct uim_pt *pt,
                                      unsigned bits, unsigned levels)
{
    const struct uim_pt_config config = {
        .host = memory_host_api(r->m),
        .iova_bits = (uint8_t)bits,
        .levels = (uint8_t)levels,
        .phys_bits = 46,
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
    };

    return r->c.ops->create(pt, &config);
}

/* As few levels as the width needs, unless more are asked for. */
static void create_chooses_levels(struct pt_rig *r)
{
    unsigned levels, bits, chosen = 0;

    for (bits = r->c.ops->min_bits; bits <= r->c.ops->max_bits; bits++) {
        struct uim_pt pt, more;

        assert_int_equal(create_bits(r, &pt, bits, 0), UIOMMU_OK);
        assert_true(pt.top + 1u >= chosen);
        chosen = pt.top + 1u;
        assert_true(pt.input_bits >= bits);
        for (levels = 2; levels <= 5; levels++) {
            enum uiommu_status status = create_bits(r, &more, bits, levels);

            assert_true(levels >= chosen || status == UIOMMU_INVAL);
            assert_true(levels != chosen || status == UIOMMU_OK);
            if (status != UIOMMU_OK)
                continue;
            assert_int_equal(more.top, levels - 1);
            r->c.ops->destroy(&more);
        }
        r->c.ops->destroy(&pt);
    }
    assert_int_equal(r->pt.top, r->c.levels - 1);
}

/* The host may put a page where the unit cannot reach it. */
static void a_table_out_of_reach_is_no_memory(struct pt_rig *r)
{
    struct uim_pt_config config = {
        .host = memory_host_api(r->m),
        .iova_bits = 39,
        .phys_bits = 36, /* the pool begins at 2^36 */
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
    };
    unsigned live = memory_host_live(r->m);
    struct uim_pt pt;

    assert_int_equal(r->c.ops->create(&pt, &config), UIOMMU_NOMEM);
    assert_int_equal(memory_host_live(r->m), live);
}

/* Bus address 0 ends lists of tables, so no table can be there. The last page of
 * such a host is the one at 0. */
static void a_table_at_bus_address_0_is_not_used(struct pt_rig *r)
{
    const struct memory_host_config memory = { .n_pages = 8,
                                               .order = r->order,
                                               .n_large = 4,
                                               .direct = r->c.coherent,
                                               .coherent = r->c.coherent,
                                               .from_zero = true };
    struct memory_host *m = memory_host_open(&memory);
    struct uim_pt_config config = { .host = memory_host_api(m),
                                    .iova_bits = 39,
                                    .phys_bits = 36,
                                    .page_sizes = r->page,
                                    .coherent = r->c.coherent };
    struct uiommu_gather g = { 0 };
    struct uim_pt pt;

    /* Tables come and go until every page was at hand. */
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(r->c.ops->create(&pt, &config), UIOMMU_OK);
        assert_true(pt.root_phys != 0);
        assert_int_equal(r->c.ops->map(&pt, r->large, DATA, r->page, RW),
                         UIOMMU_OK);
        assert_int_equal(r->c.ops->unmap(&pt, 0, 2 * r->large, &g), UIOMMU_OK);
        uim_pt_retire(&pt, &g);
        r->c.ops->destroy(&pt);
        assert_int_equal(memory_host_live(m), 0);
    }
    assert_int_equal(memory_host_violations(m), 0);
    memory_host_close(m);
}

static void one_page_with_each_right(struct pt_rig *r)
{
    const unsigned flags[] = {
        UIOMMU_READ,
        UIOMMU_WRITE,
        RW,
        RW | UIOMMU_CACHE,
        UIOMMU_READ | UIOMMU_MMIO,
        UIOMMU_WRITE | UIOMMU_CACHE | UIOMMU_MMIO,
    };
    unsigned i;

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        uint64_t iova = 7 * r->large / 2 + i * 2 * r->page,
                 phys = DATA + i * 3 * r->large / 2;

        assert_int_equal(flags[i] & ~r->c.ops->flags_known, 0);
        assert_int_equal(rig_map(r, iova, phys, r->page, flags[i]), UIOMMU_OK);
        rig_assert_mapped(r, iova, phys, r->page, flags[i]);
        rig_assert_hole(r, iova - r->page, r->page);
        rig_assert_hole(r, iova + r->page, r->page);
    }
}

/* Rights that a format has not. */
static void flags_that_leaves_lack_are_not_known(struct pt_rig *r)
{
    const bool exec = r->c.format->leaf.no_exec != 0;
    const bool priv = exec && r->c.format->leaf.user != 0;

    assert_int_equal((r->c.ops->flags_known & UIOMMU_EXEC) != 0, exec);
    assert_int_equal((r->c.ops->flags_known & UIOMMU_PRIV) != 0, priv);
    assert_int_equal(r->c.ops->flags_need, RW);
}

static void the_first_and_the_last_page(struct pt_rig *r)
{
    uint64_t last = r->last_iova + 1 - r->page;
    struct rig_state before = rig_state(r);

    assert_int_equal(rig_map(r, 0, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, last, DATA + r->page, r->page, RW), UIOMMU_OK);
    rig_assert_mapped(r, 0, DATA, r->page, RW);
    rig_assert_mapped(r, last, DATA + r->page, r->page, RW);
    rig_assert_hole(r, r->page, last - r->page);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, NULL), UIOMMU_OK);
    rig_assert_same(r, &before);
}

static uint64_t largest_up_to(const struct pt_rig *r, uint64_t size)
{
    if (size >= r->huge && pt_has(r, r->huge))
        return r->huge;
    if (size >= r->large && pt_has(r, r->large))
        return r->large;
    return r->page;
}

static void assert_size(struct pt_rig *r, uint64_t iova, uint64_t size)
{
    struct uiommu_trace trace;

    assert_true(rig_look(r, iova, &trace));
    assert_true(UIM_BIT(uim_walk_shift(&r->walk, trace.level)) == size);
}

/* A range that grows to huge leaves and shrinks again. */
static void the_largest_leaves_that_fit(struct pt_rig *r)
{
    uint64_t iova = 2 * r->huge - 2 * r->large - 2 * r->page,
             phys = DATA + iova;
    uint64_t size = r->huge + 2 * (2 * r->large + 2 * r->page);

    assert_int_equal(rig_map(r, iova, phys, size, RW), UIOMMU_OK);
    rig_assert_mapped(r, iova, phys, size, RW);
    rig_assert_hole(r, iova - r->page, r->page);
    rig_assert_hole(r, iova + size, r->page);
    assert_size(r, iova, r->page);
    assert_size(r, 2 * r->huge - 2 * r->large, largest_up_to(r, 2 * r->large));
    assert_size(r, 2 * r->huge - 1, largest_up_to(r, 2 * r->large));
    assert_size(r, 2 * r->huge, largest_up_to(r, r->huge));
    assert_size(r, 3 * r->huge, largest_up_to(r, 2 * r->large));
    assert_size(r, iova + size - 1, r->page);
    assert_true(rig_tree(r).mapped == size);
}

/* The physical side limits as well. */
static void leaves_are_aligned_on_both_sides(struct pt_rig *r)
{
    assert_int_equal(rig_map(r, 4 * r->huge, DATA + r->page, 2 * r->large, RW),
                     UIOMMU_OK);
    assert_size(r, 4 * r->huge + r->large / 2, r->page);
    rig_assert_mapped(r, 4 * r->huge, DATA + r->page, 2 * r->large, RW);
    assert_int_equal(rig_map(r, 5 * r->huge, DATA + r->large, r->huge, RW),
                     UIOMMU_OK);
    assert_size(r, 5 * r->huge, largest_up_to(r, r->large));
    rig_assert_mapped(r, 5 * r->huge, DATA + r->large, r->huge, RW);
}

static void exist_wherever_the_leaf_is(struct pt_rig *r)
{
    const uint64_t at[] = {
        0,        r->page,          r->large - r->page,
        r->large, 5 * r->large / 2, 4 * r->large - r->page
    };
    unsigned i;

    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        uint64_t iova = r->huge + 32 * r->large * i;
        struct rig_state before;

        assert_int_equal(rig_map(r, iova + at[i], DATA, r->page, RW),
                         UIOMMU_OK);
        before = rig_state(r);
        assert_int_equal(rig_map(r, iova, DATA + r->huge, 4 * r->large, RW),
                         UIOMMU_EXIST);
        assert_int_equal(rig_map(r, iova + at[i], DATA, r->page, RW),
                         UIOMMU_EXIST);
        rig_assert_same(r, &before);
    }
}

static void exist_under_a_large_leaf(struct pt_rig *r)
{
    struct rig_state before;

    assert_int_equal(rig_map(r, r->huge, DATA, r->huge, RW), UIOMMU_OK);
    before = rig_state(r);
    assert_int_equal(rig_map(r, r->huge + 3 * r->large, DATA, r->page, RW),
                     UIOMMU_EXIST);
    assert_int_equal(rig_map(r, 2 * r->huge - r->page, DATA, 2 * r->page, RW),
                     UIOMMU_EXIST);
    assert_int_equal(rig_map(r, r->huge + r->large, DATA, r->large, RW),
                     UIOMMU_EXIST);
    assert_int_equal(rig_map(r, 0, DATA, 2 * r->huge, RW), UIOMMU_EXIST);
    rig_assert_same(r, &before);
}

/* Nothing but an unmap of the whole span takes a table out: a large leaf does
 * not silently replace it. */
static void an_empty_table_takes_small_leaves(struct pt_rig *r)
{
    unsigned tables;

    assert_int_equal(rig_map(r, r->huge + r->large, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, r->huge + r->large, r->page, NULL),
                     UIOMMU_OK);
    tables = rig_tree(r).tables;
    assert_int_equal(rig_map(r, r->huge + r->large, DATA, r->large, RW),
                     UIOMMU_OK);
    assert_size(r, r->huge + 3 * r->large / 2, r->page);
    rig_assert_mapped(r, r->huge + r->large, DATA, r->large, RW);
    assert_int_equal(rig_tree(r).tables, tables);
    /* A run of large leaves with one such table in the middle. */
    assert_int_equal(rig_map(r, r->huge + 3 * r->large, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, r->huge + 3 * r->large, r->page, NULL),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, r->huge + 2 * r->large, DATA, 3 * r->large, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, r->huge + 2 * r->large, DATA, 3 * r->large, RW);
    assert_size(r, r->huge + 2 * r->large, largest_up_to(r, r->large));
    assert_size(r, r->huge + 3 * r->large, r->page);
    assert_size(r, r->huge + 4 * r->large, largest_up_to(r, r->large));
}

static void a_huge_leaf_over_empty_tables(struct pt_rig *r)
{
    assert_int_equal(rig_map(r, 3 * r->huge + r->large, DATA, r->page, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 3 * r->huge + r->large, r->page, NULL),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, 3 * r->huge, DATA, r->huge, RW), UIOMMU_OK);
    rig_assert_mapped(r, 3 * r->huge, DATA, r->huge, RW);
    assert_size(r, 3 * r->huge + r->large, r->page);
    assert_size(r, 3 * r->huge, largest_up_to(r, r->large));
    assert_true(rig_tree(r).mapped == r->huge);
}

/* Tables that it linked are just those it needed. */
static void no_table_too_many(struct pt_rig *r)
{
    struct pt_tree tree;

    assert_int_equal(rig_map(r, r->huge - r->large / 2, DATA, r->large, RW),
                     UIOMMU_OK);
    tree = rig_tree(r);
    assert_int_equal(tree.leaves, r->large / r->page);
    /* Two tables of leaves under two of level 1, and one path above. */
    assert_int_equal(tree.tables, 2 + 2 + (r->c.levels - 2));
    assert_int_equal(memory_host_live_pages(r->m), tree.tables);
    assert_int_equal(memory_host_allocated(r->m), tree.tables);
}

static void a_hole_says_where_the_walk_ended(struct pt_rig *r)
{
    struct uiommu_trace trace;

    assert_false(rig_look(r, r->large, &trace));
    assert_int_equal(trace.level, r->pt.top);
    assert_true(trace.entry[trace.level] == 0);
    assert_true(trace.page_size == 0);
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_false(rig_look(r, r->large + r->page, &trace));
    assert_int_equal(trace.level, 0);
    assert_false(rig_look(r, 2 * r->large, &trace));
    assert_int_equal(trace.level, 1);
    assert_false(rig_look(r, r->huge, &trace));
    assert_int_equal(trace.level, 2);
}

/* The table used last is remembered, and forgotten when it is gone. */
static void a_walk_does_not_remember_too_long(struct pt_rig *r)
{
    struct uiommu_trace trace;

    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_true(rig_look(r, r->large, &trace));
    assert_int_equal(rig_unmap(r, r->large, r->large, NULL), UIOMMU_OK);
    assert_false(rig_look(r, r->large, &trace));
    assert_int_equal(trace.level, 1);
    assert_int_equal(rig_map(r, r->large, DATA + r->page, r->page, RW),
                     UIOMMU_OK);
    rig_assert_mapped(r, r->large, DATA + r->page, r->page, RW);
    assert_int_equal(rig_unmap(r, 0, r->huge, NULL), UIOMMU_OK);
    assert_int_equal(rig_map(r, 0, DATA, 2 * r->large, RW), UIOMMU_OK);
    rig_assert_mapped(r, 0, DATA, 2 * r->large, RW);
}

static void neighbours_of_a_hole(struct pt_rig *r)
{
    const uint64_t near = r->large - 64 * r->page;
    struct uiommu_range below, above;

    r->c.ops->neighbours(&r->pt, 3 * r->large / 2, &below, &above);
    assert_true(below.size == 0 && above.size == 0);
    assert_int_equal(rig_map(r, near, DATA, 3 * r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, 4 * r->large, DATA, 2 * r->large, RW),
                     UIOMMU_OK);
    r->c.ops->neighbours(&r->pt, 3 * r->large / 2, &below, &above);
    assert_true(below.iova == near && below.size == 3 * r->page);
    assert_true(above.iova == 4 * r->large && above.size > 0);
    /* Of a page that is mapped: what is next to it. */
    r->c.ops->neighbours(&r->pt, near + r->page, &below, &above);
    assert_true(below.iova == near && below.size == r->page);
    assert_true(above.iova == near + 2 * r->page && above.size == r->page);
    /* Of an address that no table has. */
    r->c.ops->neighbours(&r->pt, ~UINT64_C(0xfff), &below, &above);
    assert_true(above.size == 0);
}

static void neighbours_at_the_ends(struct pt_rig *r)
{
    uint64_t last = r->last_iova + 1 - r->page;
    struct uiommu_range below, above;

    assert_int_equal(rig_map(r, 0, DATA, r->page, RW), UIOMMU_OK);
    assert_int_equal(rig_map(r, last, DATA, r->page, RW), UIOMMU_OK);
    r->c.ops->neighbours(&r->pt, 0, &below, &above);
    assert_true(below.size == 0);
    r->c.ops->neighbours(&r->pt, last, &below, &above);
    assert_true(above.size == 0);
    r->c.ops->neighbours(&r->pt, last - r->page, &below, &above);
    assert_true(above.iova == last && above.size == r->page);
    r->c.ops->neighbours(&r->pt, r->page, &below, &above);
    assert_true(below.iova == 0 && below.size == r->page);
}

/* Two calls race for the same tables: one links, the other uses what is there.
 * The inner call runs at the fence in front of the outer one's first link. */
struct racer {
    struct pt_rig *r;
    enum uiommu_status status;
    bool ran;
};

static void race(void *ctx)
{
    struct racer *racer = ctx;
    struct pt_rig *r = racer->r;

    if (racer->ran)
        return;
    racer->ran = true;
    racer->status = r->c.ops->map(&r->pt, r->large + 16 * r->page,
                                  DATA + 16 * r->large, r->page, RW);
}

static void racing_linkers_share_a_table(struct pt_rig *r)
{
    struct racer racer = { .r = r };
    unsigned tables = r->c.levels;

    memory_host_interrupt(r->m, race, &racer);
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_true(racer.ran);
    assert_int_equal(racer.status, UIOMMU_OK);
    rig_assert_mapped(r, r->large, DATA, r->page, RW);
    rig_assert_mapped(r, r->large + 16 * r->page, DATA + 16 * r->large, r->page,
                      RW);
    assert_int_equal(rig_tree(r).tables, tables);
    assert_int_equal(memory_host_live_pages(r->m), tables);
}

/* A call has linked a table but not flushed the link yet: whoever maps
 * something below it has to, before it returns. The table itself was flushed
 * before. */
struct laggard {
    struct pt_rig *r;
    unsigned events;
};

static void lag(void *ctx)
{
    struct laggard *laggard = ctx;

    if (++laggard->events == 2) /* the table's flush, its fence, now the link */
        memory_host_lose_flushes(laggard->r->m, true);
}

static void map_and_lag(struct pt_rig *r, uint64_t iova)
{
    struct laggard laggard = { .r = r };

    memory_host_interrupt(r->m, lag, &laggard);
    assert_int_equal(r->c.ops->map(&r->pt, iova, DATA, r->page, RW), UIOMMU_OK);
    memory_host_interrupt(r->m, NULL, NULL);
    memory_host_lose_flushes(r->m, false);
    assert_true(laggard.events > 2);
}

static void assert_device_sees(struct pt_rig *r, uint64_t iova)
{
    struct uim_walk_result walk;

    uim_walk(&r->walk, memory_host_device_read, r->m, r->pt.root_phys, iova,
             &walk);
    assert_int_equal(walk.end.kind, UIM_WALK_LEAF);
}

static void a_link_of_another_call_is_flushed(struct pt_rig *r)
{
    if (r->c.coherent)
        RIG_NOT_APPLICABLE(r, "the unit snoops");
    r->brief = true;
    memory_host_threads(r->m);
    /* All tables but the last are there already. */
    assert_int_equal(rig_map(r, 32 * r->large, DATA, r->page, RW), UIOMMU_OK);
    map_and_lag(r, r->large + 16 * r->page);
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    assert_device_sees(r, r->large);
    /* Behind large leaves in the same call. */
    map_and_lag(r, 8 * r->large + 16 * r->page);
    assert_int_equal(rig_map(r, 4 * r->large, DATA, 4 * r->large + r->page, RW),
                     UIOMMU_OK);
    assert_device_sees(r, 4 * r->large);
    assert_device_sees(r, 8 * r->large);
    /* Large leaves behind it: here nothing has to lead to them but links. */
    map_and_lag(r, 16 * r->large + 16 * r->page);
    assert_int_equal(
        rig_map(r, 17 * r->large - r->page, DATA, 2 * r->large, RW), UIOMMU_OK);
    assert_device_sees(r, 17 * r->large - r->page);
    assert_device_sees(r, 17 * r->large);
}

const struct pt_test pt_map_tests[] = {
    { "a_new_table_is_empty", a_new_table_is_empty },
    { "the_first_call_finds_no_table_by_chance",
      the_first_call_finds_no_table_by_chance },
    { "create_refuses_what_it_cannot_be", create_refuses_what_it_cannot_be },
    { "create_chooses_levels", create_chooses_levels },
    { "a_table_out_of_reach_is_no_memory", a_table_out_of_reach_is_no_memory },
    { "a_table_at_bus_address_0_is_not_used",
      a_table_at_bus_address_0_is_not_used },
    { "one_page_with_each_right", one_page_with_each_right },
    { "flags_that_leaves_lack_are_not_known",
      flags_that_leaves_lack_are_not_known },
    { "the_first_and_the_last_page", the_first_and_the_last_page },
    { "the_largest_leaves_that_fit", the_largest_leaves_that_fit },
    { "leaves_are_aligned_on_both_sides", leaves_are_aligned_on_both_sides },
    { "exist_wherever_the_leaf_is", exist_wherever_the_leaf_is },
    { "exist_under_a_large_leaf", exist_under_a_large_leaf },
    { "an_empty_table_takes_small_leaves", an_empty_table_takes_small_leaves },
    { "a_huge_leaf_over_empty_tables", a_huge_leaf_over_empty_tables },
    { "no_table_too_many", no_table_too_many },
    { "a_hole_says_where_the_walk_ended", a_hole_says_where_the_walk_ended },
    { "a_walk_does_not_remember_too_long", a_walk_does_not_remember_too_long },
    { "neighbours_of_a_hole", neighbours_of_a_hole },
    { "neighbours_at_the_ends", neighbours_at_the_ends },
    { "racing_linkers_share_a_table", racing_linkers_share_a_table },
    { "a_link_of_another_call_is_flushed", a_link_of_another_call_is_flushed },
    { NULL, NULL },
};
