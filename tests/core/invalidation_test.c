/* SPDX-License-Identifier: MIT */
/*
 * invalidation_test.c - the rig can fail: each command that gets lost is
 * noticed, by the DMA that still lands, and on adversarial units by name.
 * trace_test.c looks at the commands themselves.
 */
#include "tests/core/help.h"

#define BASE GIB(2)

static const uint32_t ALL_CACHES = ANY_IOTLB | KIND(DEVICE) | KIND(PASID);

/* Losing these commands, then the call, then nothing is lost any more. */
static void lose(struct rig *rig, uint32_t kinds)
{
    uim_check_drop(sim_door(rig->m), kinds, UIM_CHECK_EVERY);
}

static void lose_no_more(struct rig *rig)
{
    uim_check_drop(sim_door(rig->m), 0, 0);
}

/* Stale entries were used, and what should have removed them is this command.
 * Only adversarial units look. Afterwards the caches are clean. */
static void expect_named(struct rig *rig, enum uim_check_cache cache,
                         enum uim_check_kind kind)
{
    unsigned n = sim_stale_count(rig->m);

    assert_int_equal(n > 0, rig->config.adversarial);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(sim_stale(rig->m, i)->cache, cache);
        assert_int_equal(sim_stale(rig->m, i)->missing.kind, kind);
        assert_says(sim_stale_text(rig->m, i), "missing: ");
        assert_says(sim_stale_text(rig->m, i), rig_arch(rig)->command[kind]);
    }
    uim_check_caches_drop(sim_door(rig->m));
    sim_forget(rig->m);
}

/* ---- what unmap sends ---------------------------------------------------- */

static void a_lost_iotlb_command_is_caught_and_named(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    assert_true(rig_reaches(rig, 0, BASE, page));
    lose(rig, ANY_IOTLB);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    lose_no_more(rig);
    assert_true(rig_write(rig, 0, BASE, 0xbad)); /* as hardware would */
    assert_int_equal(rig_peek(rig, page), 0xbad);
    expect_named(rig, UIM_CHECK_CACHE_IOTLB, rig_arch(rig)->leaf_kind);
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void a_lost_command_for_a_page_mapped_anew_is_caught(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    assert_true(rig_reaches(rig, 0, BASE, pages));
    lose(rig, ANY_IOTLB);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    lose_no_more(rig);
    map_page(d, BASE, pages + RIG_PAGE);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), pages);
    expect_named(rig, UIM_CHECK_CACHE_IOTLB, rig_arch(rig)->leaf_kind);
    assert_true(rig_reaches(rig, 0, BASE, pages + RIG_PAGE));
    rig_drop(rig, 0, d);
}

/* D-26: the table is freed, and the unit goes on walking it. */
static void a_lost_command_for_a_freed_table_is_caught(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    assert_true(rig_reaches(rig, 0, BASE, page));
    lose(rig, ANY_IOTLB);
    rig_ok(uiommu_unmap(d, BASE, MIB(2), NULL));
    lose_no_more(rig);
    assert_int_equal(sim_violations(rig->m), 0);
    (void)lands(rig, 0, BASE + RIG_PAGE, UIOMMU_READ);
    assert_true(sim_violations(rig->m) > 0); /* a freed page was read */
    expect_named(rig, UIM_CHECK_CACHE_WALK, rig_arch(rig)->leaf_kind);
    assert_true(rig_refused(rig, 0, BASE + RIG_PAGE));
    rig_drop(rig, 0, d);
}

static bool caching_holes(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return rig_does(rig, RIG_HOLES, why);
}

static void a_lost_command_for_a_new_mapping_is_caught(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_attached(rig, 0);

    assert_true(rig_refused(rig, 0, BASE));
    lose(rig, ANY_IOTLB);
    map_page(d, BASE, page);
    lose_no_more(rig);
    assert_true(rig_refused(rig, 0, BASE));
    expect_named(rig, UIM_CHECK_CACHE_IOTLB, UIM_CHECK_IOTLB);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

/* ---- what set_domain sends ----------------------------------------------- */

struct two {
    struct uiommu_domain *a, *b;
    uint64_t page_a, page_b;
};

/* Engine 0 sees `a` and has used it. */
static void two_open(struct rig *rig, struct two *t)
{
    t->page_a = rig_pages(rig, 0);
    t->page_b = rig_pages(rig, 0);
    t->a = attached_with(rig, 0, BASE, t->page_a);
    t->b = rig_domain(rig, 0);
    map_page(t->b, BASE, t->page_b);
    assert_true(rig_reaches(rig, 0, BASE, t->page_a));
}

static void two_close(struct rig *rig, struct two *t)
{
    uiommu_domain_put(t->a);
    rig_drop(rig, 0, t->b);
}

/* The change to domain b is not seen, for want of this command. */
static void lose_in_set(struct rig *rig, uint32_t kinds,
                        enum uim_check_cache cache, enum uim_check_kind kind)
{
    struct two t;

    two_open(rig, &t);
    lose(rig, kinds);
    set(rig, 0, t.b);
    lose_no_more(rig);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), t.page_a);
    expect_named(rig, cache, kind);
    assert_true(rig_reaches(rig, 0, BASE, t.page_b));
    two_close(rig, &t);
}

static bool with_entries(struct rig *rig, const char **why)
{
    *why = "entries of requesters do not change with the domain";
    return rig_arch(rig)->entry_kind == UIM_CHECK_DEVICE;
}

static void a_lost_context_command_is_caught_and_named(struct rig *rig)
{
    lose_in_set(rig, KIND(DEVICE), UIM_CHECK_CACHE_CONTEXT, UIM_CHECK_DEVICE);
}

static bool with_pasid_entries(struct rig *rig, const char **why)
{
    *why = "there are no PASID entries";
    return rig_arch(rig)->entry_kind == UIM_CHECK_PASID;
}

static void a_lost_pasid_command_is_caught_and_named(struct rig *rig)
{
    lose_in_set(rig, KIND(PASID), UIM_CHECK_CACHE_PASID, UIM_CHECK_PASID);
}

static void lost_commands_when_blocking_are_caught(struct rig *rig)
{
    struct two t;

    two_open(rig, &t);
    lose(rig, ALL_CACHES);
    set(rig, 0, uiommu_blocked(rig->u));
    lose_no_more(rig);
    assert_true(rig_write(rig, 0, BASE, 0xbad));
    assert_int_equal(rig_peek(rig, t.page_a), 0xbad);
    expect_named(rig, rig_arch(rig)->entry_cache, rig_arch(rig)->entry_kind);
    assert_true(rig_refused(rig, 0, BASE));
    two_close(rig, &t);
}

/* D-49: the id is reused, and what is cached under it is somebody else's. */
static void a_lost_command_before_an_id_is_reused_is_caught(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *old = attached_with(rig, 0, BASE, pages);
    struct uiommu_domain *new;

    assert_true(rig_reaches(rig, 0, BASE, pages));
    lose(rig, ANY_IOTLB);
    rig_drop(rig, 0, old);
    lose_no_more(rig);
    new = attached_with(rig, 0, BASE, pages + RIG_PAGE);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), pages);
    expect_named(rig, UIM_CHECK_CACHE_IOTLB, rig_arch(rig)->leaf_kind);
    assert_true(rig_reaches(rig, 0, BASE, pages + RIG_PAGE));
    rig_drop(rig, 0, new);
}

static bool caching_entries(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return rig->config.adversarial || rig_does(rig, RIG_INVALID, why);
}

static void a_lost_command_for_a_new_entry_is_caught(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    bool named;

    map_page(d, BASE, page);
    assert_true(rig_refused(rig, 0, BASE));
    lose(rig, ALL_CACHES);
    set(rig, 0, d);
    lose_no_more(rig);
    assert_true(rig_refused(rig, 0, BASE));
    named = sim_stale_count(rig->m) > 0;
    assert_int_equal(named, rig->config.adversarial);
    uim_check_caches_drop(sim_door(rig->m));
    sim_forget(rig->m);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

/* ---- device TLBs --------------------------------------------------------- */

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

/* What a device does with a translation of its own no unit sees: the write that
 * lands is all there is. */
static void a_lost_device_tlb_command_is_caught(struct rig *rig)
{
    struct trace t;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    assert_true(rig_reaches(rig, 0, BASE, page));
    trace_start(rig, &t);
    lose(rig, ANY_DEVTLB);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    lose_no_more(rig);
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 1);
    assert_true(t.cmd[first_of(&t, ANY_DEVTLB)].dropped);
    assert_true(rig_write(rig, 0, BASE, 0xbad));
    assert_int_equal(rig_peek(rig, page), 0xbad);
    rig_drop(rig, 0, d);
    assert_true(rig_refused(rig, 0, BASE));
}

/* ---- caches may lose everything at any time ------------------------------ */

static void a_unit_that_loses_its_caches_answers_the_same(struct rig *rig)
{
    struct two t;

    two_open(rig, &t);
    uim_check_caches_drop(sim_door(rig->m));
    assert_true(rig_reaches(rig, 0, BASE, t.page_a));
    uim_check_caches_keep(sim_door(rig->m), false);
    assert_true(rig_reaches(rig, 0, BASE, t.page_a));
    set(rig, 0, t.b);
    assert_true(rig_reaches(rig, 0, BASE, t.page_b));
    uim_check_caches_keep(sim_door(rig->m), true);
    assert_true(rig_reaches(rig, 0, BASE, t.page_b));
    two_close(rig, &t);
}

static const struct rig_test tests[] = {
    RIG_TEST(a_lost_iotlb_command_is_caught_and_named),
    RIG_TEST(a_lost_command_for_a_page_mapped_anew_is_caught),
    RIG_TEST(a_lost_command_for_a_freed_table_is_caught),
    RIG_TEST_ON(a_lost_command_for_a_new_mapping_is_caught, caching_holes),
    RIG_TEST_ON(a_lost_context_command_is_caught_and_named, with_entries),
    RIG_TEST_ON(a_lost_pasid_command_is_caught_and_named, with_pasid_entries),
    RIG_TEST(lost_commands_when_blocking_are_caught),
    RIG_TEST(a_lost_command_before_an_id_is_reused_is_caught),
    RIG_TEST_ON(a_lost_command_for_a_new_entry_is_caught, caching_entries),
    RIG_TEST_ON(a_lost_device_tlb_command_is_caught, with_ats),
    RIG_TEST(a_unit_that_loses_its_caches_answers_the_same),
    { 0 },
};

int main(void)
{
    return rig_run("invalidation", tests);
}
