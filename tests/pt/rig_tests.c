/* SPDX-License-Identifier: MIT */
/* What the other tests rely on can fail: each kind of mistake is made here. */
#include "pt_rig.h"

#include <string.h>

static const struct uiommu_host *host(struct pt_rig *r)
{
    return memory_host_api(r->m);
}

static void assert_noticed(struct pt_rig *r, const char *what)
{
    assert_true(memory_host_violations(r->m) > 0);
    assert_non_null(strstr(memory_host_violation(r->m), what));
    memory_host_forgive(r->m);
}

static void a_lost_flush_is_noticed(struct pt_rig *r)
{
    struct uim_walk_result walk;

    if (r->c.coherent)
        RIG_NOT_APPLICABLE(r, "the unit snoops");
    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    memory_host_lose_flushes(r->m, true);
    assert_int_equal(
        r->c.ops->map(&r->pt, r->large + 16 * r->page, DATA, r->page, RW),
        UIOMMU_OK);
    memory_host_lose_flushes(r->m, false);
    assert_false(rig_tree(r).seen);
    uim_walk(&r->walk, memory_host_device_read, r->m, r->pt.root_phys,
             r->large + 16 * r->page, &walk);
    assert_int_equal(walk.end.kind, UIM_WALK_HOLE);
}

static void a_link_before_its_table_is_noticed(struct pt_rig *r)
{
    uint64_t phys;
    uim_word *table;

    if (r->c.coherent)
        RIG_NOT_APPLICABLE(r, "the unit snoops");
    table = host(r)->pages_alloc(r->m, r->order, UIOMMU_PAGES_ATOMIC, &phys);
    uim_st64(&r->pt.root[5], phys | 7);
    host(r)->flush(r->m, (const void *)&r->pt.root[5], 8);
    assert_noticed(r, "before what is there");
    /* Now in order, but for the fence. */
    uim_st64(&r->pt.root[5], 0);
    host(r)->flush(r->m, (const void *)&r->pt.root[5], 8);
    host(r)->flush(r->m, (const void *)table, r->page);
    uim_st64(&r->pt.root[5], phys | 7);
    host(r)->flush(r->m, (const void *)&r->pt.root[5], 8);
    assert_noticed(r, "no fence");
    uim_st64(&r->pt.root[5], 0);
    host(r)->flush(r->m, (const void *)&r->pt.root[5], 8);
    host(r)->pages_free(r->m, (void *)table, phys, r->order);
}

static void a_page_freed_twice_is_noticed(struct pt_rig *r)
{
    uint64_t phys, value;
    void *page =
        host(r)->pages_alloc(r->m, r->order, UIOMMU_PAGES_ATOMIC, &phys);

    assert_true(memory_host_device_read(r->m, phys, &value));
    host(r)->pages_free(r->m, page, phys, r->order);
    host(r)->pages_free(r->m, page, phys, r->order);
    assert_noticed(r, "no live page");
    assert_false(memory_host_device_read(r->m, phys, &value));
    assert_noticed(r, "read of free page");
}

static void a_call_under_a_spin_lock_is_noticed(struct pt_rig *r)
{
    uint64_t phys;
    void *page;

    host(r)->spin_lock(r->m, r->pt.lock);
    page = host(r)->pages_alloc(r->m, r->order, UIOMMU_PAGES_ATOMIC, &phys);
    host(r)->spin_unlock(r->m, r->pt.lock);
    assert_noticed(r, "under a spin lock");
    host(r)->pages_free(r->m, page, phys, r->order);
}

static void a_leak_is_counted(struct pt_rig *r)
{
    struct rig_state before = rig_state(r);
    uint64_t phys;
    void *page =
        host(r)->pages_alloc(r->m, r->order, UIOMMU_PAGES_ATOMIC, &phys);

    assert_int_equal(memory_host_live(r->m), before.live + 1);
    host(r)->pages_free(r->m, page, phys, r->order);
    rig_assert_same(r, &before);
}

static void a_changed_entry_changes_the_hash(struct pt_rig *r)
{
    uint64_t hash;
    uim_word *table;
    struct uim_walk_result walk;

    assert_int_equal(rig_map(r, r->large, DATA, r->page, RW), UIOMMU_OK);
    hash = rig_tree(r).hash;
    uim_walk(&r->walk, memory_host_cpu_read, r->m, r->pt.root_phys, r->large,
             &walk);
    table = memory_host_virt(r->m, walk.entry_phys[0]);
    uim_st64(table, walk.entry[0] ^ (r->c.format->dirty | r->c.format->clean));
    assert_true(rig_tree(r).hash != hash);
    uim_st64(table, walk.entry[0]);
    assert_true(rig_tree(r).hash == hash);
    /* In another place. */
    uim_st64(table, 0);
    uim_st64(table + 1, walk.entry[0]);
    assert_true(rig_tree(r).hash != hash);
    uim_st64(table, walk.entry[0]);
    uim_st64(table + 1, 0);
}

static void addresses_go_both_ways(struct pt_rig *r)
{
    uint64_t phys[3];
    void *page[3];
    unsigned i;

    for (i = 0; i < 3; i++) {
        page[i] =
            host(r)->pages_alloc(r->m, r->order, UIOMMU_PAGES_ATOMIC, &phys[i]);
        assert_ptr_equal(uim_phys_to_virt(host(r), phys[i]), page[i]);
        assert_ptr_equal(memory_host_virt(r->m, phys[i] + 8),
                         (char *)page[i] + 8);
    }
    assert_int_equal(r->c.coherent, phys[1] - phys[0] == r->page);
    for (i = 0; i < 3; i++)
        host(r)->pages_free(r->m, page[i], phys[i], r->order);
}

const struct pt_test pt_rig_tests[] = {
    { "a_lost_flush_is_noticed", a_lost_flush_is_noticed },
    { "a_link_before_its_table_is_noticed",
      a_link_before_its_table_is_noticed },
    { "a_page_freed_twice_is_noticed", a_page_freed_twice_is_noticed },
    { "a_call_under_a_spin_lock_is_noticed",
      a_call_under_a_spin_lock_is_noticed },
    { "a_leak_is_counted", a_leak_is_counted },
    { "a_changed_entry_changes_the_hash", a_changed_entry_changes_the_hash },
    { "addresses_go_both_ways", addresses_go_both_ways },
    { NULL, NULL },
};
