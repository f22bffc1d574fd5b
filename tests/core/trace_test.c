/* SPDX-License-Identifier: MIT */
/*
 * trace_test.c - the commands that units get: which, in which order, and that
 * they cover what changed and not much more (semantics B.12, D-26 to D-49).
 */
#include "tests/core/help.h"

#define BASE GIB(2)

static void traced_unmap(struct rig *rig, struct trace *t,
                         struct uiommu_domain *d, uint64_t iova, uint64_t size)
{
    trace_start(rig, t);
    rig_ok(uiommu_unmap(d, iova, size, NULL));
    trace_stop(rig, t);
}

static void traced_set(struct rig *rig, struct trace *t, unsigned n,
                       struct uiommu_domain *d)
{
    trace_start(rig, t);
    set(rig, n, d);
    trace_stop(rig, t);
}

/* ---- unmap: no more than needed ------------------------------------------ */

static void one_page_takes_one_command_for_one_page(struct rig *rig)
{
    struct trace t;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    traced_unmap(rig, &t, d, BASE, RIG_PAGE);
    assert_int_equal(count_kinds(&t, ~KIND(WAIT)), 1);
    assert_int_equal(count_kinds(&t, ANY_IOTLB), 1);
    assert_int_equal(t.cmd[first_of(&t, ANY_IOTLB)].scope, UIM_CHECK_PAGE);
    assert_int_equal(t.cmd[first_of(&t, ANY_IOTLB)].addr, BASE);
    assert_int_equal(pages_of(&t.cmd[first_of(&t, ANY_IOTLB)]),
                     rig_arch(rig)->least_pages);
    rig_drop(rig, 0, d);
}

static void an_unmap_that_removes_nothing_sends_nothing(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);

    map_page(d, BASE, rig_pages(rig, 0));
    traced_unmap(rig, &t, d, BASE + RIG_PAGE, MIB(2) - RIG_PAGE);
    assert_int_equal(t.n, 0);
    rig_drop(rig, 0, d);
}

static void a_domain_that_nobody_sees_sends_nothing(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, BASE, rig_pages(rig, 0));
    traced_unmap(rig, &t, d, BASE, MIB(2));
    assert_int_equal(t.n, 0);
    set(rig, 0, d);
    set(rig, 0, uiommu_blocked(rig->u));
    map_page(d, BASE, rig_pages(rig, 0));
    traced_unmap(rig, &t, d, BASE, RIG_PAGE);
    assert_int_equal(t.n, 0);
    uiommu_domain_put(d);
}

static void
a_new_mapping_sends_nothing_where_holes_are_not_cached(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);

    trace_start(rig, &t);
    map_page(d, BASE, rig_pages(rig, 0));
    trace_stop(rig, &t);
    assert_int_equal(t.n, 0);
    rig_drop(rig, 0, d);
}

static bool with_write_buffers(struct rig *rig, const char **why)
{
    *why = "units with PASIDs have no write buffers to flush";
    rig->config.args = "rwbf=1";
    return rig->config.mode == SIM_LEGACY;
}

/* D-43. */
static void what_becomes_present_leaves_the_write_buffers(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_domain(rig, 0);

    traced_set(rig, &t, 0, d);
    assert_int_equal(count_kinds(&t, KIND(WRITE_BUFFER)), 1);
    trace_start(rig, &t);
    map_page(d, BASE, rig_pages(rig, 0));
    trace_stop(rig, &t);
    assert_int_equal(t.n, 1);
    assert_true(is_kind(&t.cmd[0], KIND(WRITE_BUFFER)));
    assert_true(lands(rig, 0, BASE, UIOMMU_READ) != NOWHERE);
    rig_drop(rig, 0, d);
}

/* D-26, D-47. */
static void the_leaf_hint_is_given_if_and_only_if_no_table_goes(struct rig *rig)
{
    struct trace t;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    map_page(d, BASE + RIG_PAGE, page);
    traced_unmap(rig, &t, d, BASE, RIG_PAGE);
    assert_true(t.cmd[first_of(&t, ANY_IOTLB)].leaf_only);
    traced_unmap(rig, &t, d, BASE, MIB(2)); /* the table goes as well */
    assert_true(count_kinds(&t, ANY_IOTLB) > 0);
    for (unsigned i = 0; i < t.n; i++)
        assert_false(t.cmd[i].leaf_only);
    rig_drop(rig, 0, d);
}

static void a_split_is_not_leaf_only(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_ok(uiommu_map(d, BASE, rig_pages(rig, 9), MIB(2), RIG_RW));
    trace_start(rig, &t);
    rig_ok(uiommu_split(d, BASE, RIG_PAGE));
    trace_stop(rig, &t);
    for (uint64_t at = 0; at < MIB(2); at += RIG_PAGE)
        assert_true(covers(&t, ANY_IOTLB, BASE + at));
    for (unsigned i = 0; i < t.n; i++)
        assert_false(t.cmd[i].leaf_only);
    rig_drop(rig, 0, d);
}

static void commands_drain_reads_and_writes(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);

    map_page(d, BASE, rig_pages(rig, 0));
    trace_start(rig, &t);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    set(rig, 0, uiommu_blocked(rig->u));
    trace_stop(rig, &t);
    assert_true(count_kinds(&t, ANY_IOTLB) >= 2);
    for (unsigned i = 0; i < t.n; i++) {
        if (!is_kind(&t.cmd[i], KIND(IOTLB)))
            continue; /* the PASID-based ones always drain */
        assert_true(t.cmd[i].drain_read);
        assert_true(t.cmd[i].drain_write);
    }
    uiommu_domain_put(d);
}

static void every_command_is_waited_for(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);

    map_page(d, BASE, rig_pages(rig, 0));
    traced_unmap(rig, &t, d, BASE, RIG_PAGE);
    assert_true(last_of(&t, KIND(WAIT)) > last_of(&t, ANY_IOTLB));
    traced_set(rig, &t, 0, uiommu_blocked(rig->u));
    assert_true(last_of(&t, KIND(WAIT)) > last_of(&t, ~KIND(WAIT)));
    assert_true(last_of(&t, ~KIND(WAIT)) >= 0);
    uiommu_domain_put(d);
}

/* ---- unmap: all that is needed ------------------------------------------- */

/* Pages that the commands invalidate, or the whole domain. */
static uint64_t covered_pages(const struct trace *t)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < t->n; i++) {
        if (!is_kind(&t->cmd[i], ANY_IOTLB))
            continue;
        if (t->cmd[i].scope != UIM_CHECK_PAGE)
            return UINT64_MAX;
        pages += pages_of(&t->cmd[i]);
    }
    return pages;
}

/* D-29: the union of the commands has the range, and less than 4 times that. */
static void check_range(struct rig *rig, struct uiommu_domain *d, uint64_t iova,
                        unsigned pages, uint64_t phys)
{
    struct trace t;
    uint64_t size = (uint64_t)pages * RIG_PAGE;

    rig_ok(uiommu_map(d, iova, phys, size, RIG_RW));
    traced_unmap(rig, &t, d, iova, size);
    for (uint64_t at = 0; at < size; at += RIG_PAGE)
        if (!covers(&t, ANY_IOTLB, iova + at))
            fail_msg("%u pages at 0x%llx: page %llu is not covered", pages,
                     (unsigned long long)iova,
                     (unsigned long long)(at / RIG_PAGE));
    assert_true(covered_pages(&t) < 4 * (uint64_t)pages);
}

static void random_ranges_are_covered_and_not_by_far(struct rig *rig)
{
    uint64_t seed = 0x5eed;
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned i = 0; i < 100; i++) {
        unsigned pages = 1 + pick(&seed, i < 50 ? 20 : 2000);
        uint64_t at = (uint64_t)pick(&seed, 1 << 18) * RIG_PAGE;

        check_range(rig, d, BASE + at, pages, GIB(1));
    }
    rig_drop(rig, 0, d);
}

/* D-30: what is between two holes counts, not the holes. */
static void holes_at_the_ends_are_not_invalidated(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    map_page(d, BASE + 100 * RIG_PAGE, page);
    map_page(d, BASE + 101 * RIG_PAGE, page);
    traced_unmap(rig, &t, d, BASE, 400 * RIG_PAGE);
    assert_true(covers(&t, ANY_IOTLB, BASE + 100 * RIG_PAGE));
    assert_true(covers(&t, ANY_IOTLB, BASE + 101 * RIG_PAGE));
    assert_true(covered_pages(&t) <= 4);
    rig_drop(rig, 0, d);
}

/* D-31. */
static void ranges_at_both_ends_of_the_space_are_covered(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t end = last_iova(d) + 1;

    for (unsigned pages = 1; pages < 40; pages += 3) {
        check_range(rig, d, end - (uint64_t)pages * RIG_PAGE, pages, MIB(16));
        check_range(rig, d, 0, pages, MIB(16));
    }
    rig_drop(rig, 0, d);
}

/* ---- set_domain ---------------------------------------------------------- */

/* Between two waits: first context, then PASID entries, then what these led to,
 * device TLBs last. */
static unsigned rank(const struct uim_check_inval *cmd)
{
    if (is_kind(cmd, KIND(DEVICE)))
        return 1;
    if (is_kind(cmd, KIND(PASID)))
        return 2;
    return is_kind(cmd, ANY_IOTLB) ? 3 : 4;
}

static void assert_order(const struct trace *t)
{
    unsigned last = 0;

    for (unsigned i = 0; i < t->n; i++) {
        if (is_kind(&t->cmd[i], KIND(WAIT))) {
            last = 0;
            continue;
        }
        assert_true(rank(&t->cmd[i]) >= last);
        last = rank(&t->cmd[i]);
    }
}

static uint32_t entry_kind(const struct rig *rig)
{
    return 1u << rig_arch(rig)->entry_kind;
}

/* Of the domain of engine 0. */
static enum uiommu_domain_kind kind_seen(struct rig *rig)
{
    struct uiommu_domain_info info;

    uiommu_domain_info(uiommu_endpoint_domain(rig_endpoint(rig, 0)), &info);
    return info.kind;
}

static void caches_are_emptied_from_the_entry_to_the_leaf(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *a = rig_attached(rig, 0), *b = rig_domain(rig, 0);
    struct uiommu_domain *next[] = { b, uiommu_identity(rig->u), a,
                                     uiommu_blocked(rig->u) };
    enum uiommu_domain_kind was;

    for (unsigned i = 0; i < 4; i++) {
        was = kind_seen(rig);
        traced_set(rig, &t, 0, next[i]);
        assert_order(&t);
        assert_true(first_of(&t, entry_kind(rig)) >= 0);
        if (was == UIOMMU_DOMAIN_PAGING || rig_arch(rig)->does & RIG_TLB_FIRST)
            assert_true(first_of(&t, ANY_IOTLB) >= 0);
    }
    uiommu_domain_put(a);
    uiommu_domain_put(b);
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

/* After the unit's own caches of these kinds, from which they could be filled again. */
static void assert_devtlb_after(const struct trace *t, uint32_t kinds)
{
    assert_order(t);
    assert_true(first_of(t, kinds) >= 0);
    assert_true(first_of(t, ANY_DEVTLB) > first_of(t, kinds));
    assert_true(first_of(t, ANY_DEVTLB) > first_of(t, KIND(WAIT)));
}

/* Leaves of a domain that the entry does not name any more cannot be used. */
static void assert_devtlb_after_entry(const struct rig *rig,
                                      const struct trace *t)
{
    assert_devtlb_after(t, entry_kind(rig));
    if (rig_arch(rig)->does & RIG_TLB_FIRST)
        assert_devtlb_after(t, ANY_IOTLB);
}

static void device_tlbs_are_emptied_last(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *a = rig_domain(rig, 0), *b = rig_domain(rig, 0);

    traced_set(rig, &t, 0, a);
    assert_true(first_of(&t, ANY_DEVTLB) >= 0); /* contents unknown so far */
    map_page(a, BASE, rig_pages(rig, 0));
    traced_unmap(rig, &t, a, BASE, RIG_PAGE);
    assert_devtlb_after(&t, ANY_IOTLB);
    traced_set(rig, &t, 0, b);
    assert_devtlb_after_entry(rig, &t);
    traced_set(rig, &t, 0, uiommu_blocked(rig->u));
    assert_devtlb_after_entry(rig, &t);
    uiommu_domain_put(a);
    uiommu_domain_put(b);
}

/* D-49. */
static void an_id_is_flushed_when_the_last_endpoint_leaves(struct rig *rig)
{
    struct trace t;
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uie_xlat x;
    bool flushed = false;

    map_page(d, BASE, rig_pages(rig, 0));
    assert_int_equal(sim_probe(rig->m, rig_engine(rig, 0), UIOMMU_NO_PASID,
                               BASE, UIOMMU_READ, &x),
                     0);
    set(rig, 1, d);
    traced_set(rig, &t, 0, uiommu_blocked(rig->u));
    traced_set(rig, &t, 1, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < t.n; i++)
        if (is_kind(&t.cmd[i], ANY_IOTLB) && t.cmd[i].scope != UIM_CHECK_PAGE)
            flushed |=
                t.cmd[i].did == x.domain || t.cmd[i].scope == UIM_CHECK_GLOBAL;
    assert_true(flushed);
    uiommu_domain_put(d);
}

/* ---- translation off (D-83) ---------------------------------------------- */

struct while_off {
    struct uim_check hooks;
    const struct rig_arch *arch;
    bool on;
    unsigned devtlb_off, devtlb_on, global_off, pasids_off, narrow_off;
};

static void see_switch(void *ctx, enum sim_event event, uint64_t where,
                       size_t size, uint64_t value)
{
    struct while_off *w = ctx;

    bool on;

    (void)size;
    if (event == SIM_MMIO_WRITTEN && w->arch->switches(where, value, &on))
        w->on = on;
}

static void see_command(void *ctx, const struct uim_check_inval *inval)
{
    struct while_off *w = ctx;

    if (is_kind(inval, ANY_DEVTLB)) {
        w->devtlb_on += w->on;
        w->devtlb_off += !w->on;
    }
    if (is_kind(inval, KIND(IOTLB)) && inval->scope == UIM_CHECK_GLOBAL)
        w->global_off += !w->on;
    if (is_kind(inval, KIND(PASID)) && inval->scope == UIM_CHECK_GLOBAL)
        w->pasids_off += !w->on;
    if (inval->kind != UIM_CHECK_WAIT && inval->scope != UIM_CHECK_GLOBAL)
        w->narrow_off += !w->on;
}

static bool with_ats_and_a_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { MIB(32), MIB(1), 0 } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return with_ats(rig, why);
}

static void off_means_no_device_tlb_commands_and_a_clean_start(struct rig *rig)
{
    struct while_off w = { .hooks = { .ctx = &w, .on_invalidate = see_command },
                           .arch = rig_arch(rig) };
    struct uiommu_domain *d;

    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    sim_hooks(rig->m, &w.hooks);
    sim_watch(rig->m, see_switch, &w);
    rig_ok(rig_start(rig));
    assert_true(w.on && w.global_off > 0);
    assert_true((w.pasids_off > 0) == (entry_kind(rig) == KIND(PASID)));
    rig_add_all(rig);
    d = rig_attached(rig, 0);
    assert_true(w.devtlb_on > 0);
    w.global_off = 0;
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    w.on = false;
    rig_ok(uiommu_resume(rig->u));
    assert_true(w.on && w.global_off > 0);
    rig_drop(rig, 0, d);
    rig_down(rig);
    assert_false(w.on);
    assert_int_equal(w.devtlb_off, 0);
    assert_int_equal(w.narrow_off, 0); /* nothing can be cached yet */
    sim_watch(rig->m, NULL, NULL);
    sim_hooks(rig->m, NULL);
}

static const struct rig_test tests[] = {
    RIG_TEST(one_page_takes_one_command_for_one_page),
    RIG_TEST(an_unmap_that_removes_nothing_sends_nothing),
    RIG_TEST(a_domain_that_nobody_sees_sends_nothing),
    RIG_TEST(a_new_mapping_sends_nothing_where_holes_are_not_cached),
    RIG_TEST_ON(what_becomes_present_leaves_the_write_buffers,
                with_write_buffers),
    RIG_TEST(the_leaf_hint_is_given_if_and_only_if_no_table_goes),
    RIG_TEST(a_split_is_not_leaf_only),
    RIG_TEST(commands_drain_reads_and_writes),
    RIG_TEST(every_command_is_waited_for),
    RIG_TEST(random_ranges_are_covered_and_not_by_far),
    RIG_TEST(holes_at_the_ends_are_not_invalidated),
    RIG_TEST(ranges_at_both_ends_of_the_space_are_covered),
    RIG_TEST(caches_are_emptied_from_the_entry_to_the_leaf),
    RIG_TEST_ON(device_tlbs_are_emptied_last, with_ats),
    RIG_TEST(an_id_is_flushed_when_the_last_endpoint_leaves),
    RIG_COLD_ON(off_means_no_device_tlb_commands_and_a_clean_start,
                with_ats_and_a_region),
    { 0 },
};

int main(void)
{
    return rig_run("trace", tests);
}
