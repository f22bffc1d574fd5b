/* SPDX-License-Identifier: MIT */
/* Tables that were taken out, and calls that may still look at them. */
#include "pt_rig.h"

enum { MANY = UIM_PT_SLOTS + 3 };

/* A page is mapped and its tables up to the root are taken out again. */
static unsigned retire_some(struct pt_rig *r, uint64_t iova)
{
    unsigned live = memory_host_live_pages(r->m), more;
    struct uiommu_gather g = { 0 };

    assert_int_equal(rig_map(r, iova, DATA, r->page, RW), UIOMMU_OK);
    more = memory_host_live_pages(r->m) - live;
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
    return more;
}

static unsigned live(struct pt_rig *r)
{
    return memory_host_live_pages(r->m) - r->base_pages;
}

static void leave(struct pt_rig *r, struct uim_pt_slot *slot)
{
    assert_int_equal(uim_pt_exit(&r->pt, slot, UIOMMU_NOENT), UIOMMU_NOENT);
}

static void nobody_here(struct pt_rig *r)
{
    (void)retire_some(r, r->large);
    assert_int_equal(live(r), 0);
    assert_int_equal(atomic_load(&r->pt.waiting), 0);
}

static void somebody_here(struct pt_rig *r)
{
    struct uim_pt_slot spare, *slot = uim_pt_enter(&r->pt, &spare);
    unsigned n = retire_some(r, r->large);

    assert_int_equal(live(r), n);
    leave(r, slot);
    assert_int_equal(live(r), 0);
    assert_int_equal(atomic_load(&r->pt.waiting), 0);
}

/* Who came later cannot have seen the tables: they do not wait for that one. */
static void somebody_who_came_later(struct pt_rig *r)
{
    struct uim_pt_slot spare[2];
    struct uim_pt_slot *before = uim_pt_enter(&r->pt, &spare[0]), *later;
    unsigned n = retire_some(r, r->large);

    later = uim_pt_enter(&r->pt, &spare[1]);
    assert_int_equal(live(r), n);
    leave(r, before);
    assert_int_equal(live(r), 0);
    leave(r, later);
}

/* There is always somebody, yet the tables go. */
static void never_a_quiet_moment(struct pt_rig *r)
{
    struct uim_pt_slot spare[2], *slot[2];
    unsigned i, n = 0;

    slot[0] = uim_pt_enter(&r->pt, &spare[0]);
    for (i = 1; i < 50; i++) {
        n = retire_some(r, r->large * i);
        slot[i % 2] = uim_pt_enter(&r->pt, &spare[i % 2]);
        leave(r, slot[(i - 1) % 2]);
        assert_true(live(r) <= 2 * n);
    }
    leave(r, slot[(i - 1) % 2]);
    assert_int_equal(live(r), 0);
}

static void crowd_of(struct pt_rig *r, unsigned many)
{
    struct uim_pt_slot spare[MANY], *slot[MANY];
    unsigned i, n;

    for (i = 0; i < many; i++)
        slot[i] = uim_pt_enter(&r->pt, &spare[i]);
    assert_ptr_equal(slot[many - 1], &spare[many - 1]);
    n = retire_some(r, r->large);
    assert_int_equal(live(r), n);
    for (i = 0; i < many; i++) {
        assert_int_equal(live(r), n);
        leave(r, slot[i]);
    }
    assert_int_equal(live(r), 0);
    assert_int_equal(atomic_load(&r->pt.waiting), 0);
}

/* More calls than slots: a counter has to do. */
static void a_crowd(struct pt_rig *r)
{
    for (unsigned many = UIM_PT_SLOTS + 1; many <= MANY; many++)
        crowd_of(r, many);
}

static void the_crowd_goes_first(struct pt_rig *r)
{
    struct uim_pt_slot spare[MANY], *slot[MANY];
    unsigned i, n;

    for (i = 0; i < MANY; i++)
        slot[i] = uim_pt_enter(&r->pt, &spare[i]);
    n = retire_some(r, r->large);
    for (i = MANY; i > 0; i--) {
        assert_int_equal(live(r), n);
        leave(r, slot[i - 1]);
    }
    assert_int_equal(live(r), 0);
}

/* All ops in a crowd: they find no slot and do as well without. */
static void ops_in_a_crowd(struct pt_rig *r)
{
    struct uim_pt_slot spare[MANY], *slot[MANY];
    struct rig_state before = rig_state(r);
    struct uiommu_range below, above;
    struct uiommu_gather g = { 0 };
    unsigned i;

    for (i = 0; i < MANY; i++)
        slot[i] = uim_pt_enter(&r->pt, &spare[i]);
    assert_int_equal(rig_map(r, 0, DATA, r->large, RW), UIOMMU_OK);
    rig_assert_mapped(r, 0, DATA, r->large, RW);
    assert_int_equal(rig_map(r, r->large, DATA, 3 * r->large / 2, RW),
                     UIOMMU_OK);
    assert_int_equal(rig_map(r, 3 * r->large, DATA, r->page, RW), UIOMMU_OK);
    rig_assert_mapped(r, r->large, DATA, 3 * r->large / 2, RW);
    assert_int_equal(rig_split(r, r->large + r->page, r->page, &g), UIOMMU_OK);
    r->c.ops->neighbours(&r->pt, 3 * r->large + r->page, &below, &above);
    assert_true(below.iova == 3 * r->large);
    assert_int_equal(rig_unmap(r, 3 * r->large, r->page, &g), UIOMMU_OK);
    assert_int_equal(rig_unmap(r, 0, r->last_iova + 1, &g), UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
    for (i = 0; i < MANY; i++)
        leave(r, slot[i]);
    rig_assert_same(r, &before);
}

static void destroy_frees_what_waits(struct pt_rig *r)
{
    struct uim_pt_slot spare, *slot = uim_pt_enter(&r->pt, &spare);

    (void)retire_some(r, r->large);
    (void)retire_some(r, 2 * r->large);
    assert_true(live(r) > 0);
    atomic_fetch_add(&slot->n, 1);
    /* pt_rig_close() looks whether it did. */
}

/*
 * A call that is late, in the middle of a map, while overlapping calls take out
 * the very tables that it fills. Its stores go to tables that nothing links to,
 * and the chain of retired tables survives them.
 */
struct late {
    struct pt_rig *r;
    uint64_t iova;
    unsigned times, at;
};

static void take_everything(void *ctx)
{
    struct late *late = ctx;
    struct pt_rig *r = late->r;
    struct uiommu_gather g = { 0 };

    if (late->times++ != late->at)
        return;
    assert_int_equal(r->c.ops->unmap(&r->pt, 0, r->last_iova + 1, &g),
                     UIOMMU_OK);
    uim_pt_retire(&r->pt, &g);
    /* Something new in the same place, from other tables. */
    assert_int_equal(r->c.ops->map(&r->pt, late->iova, DATA, r->page, RW),
                     UIOMMU_OK);
}

static void late_call(struct pt_rig *r, unsigned at, uint64_t iova,
                      uint64_t size)
{
    struct late late = { .r = r, .iova = iova, .at = at };

    memory_host_interrupt(r->m, take_everything, &late);
    (void)!r->c.ops->map(&r->pt, iova, DATA + r->page, size, RW);
    memory_host_interrupt(r->m, NULL, NULL);
    (void)!rig_unmap(r, 0, r->last_iova + 1, NULL);
    assert_int_equal(live(r), 0);
}

/* At 0 every table is behind the first entry of the one above, and in the chain
 * by itself; at 2 MiB the last one only hangs on the one above. */
static void a_late_call_breaks_nothing(struct pt_rig *r)
{
    const uint64_t sizes[] = { r->page, 3 * r->large, 3 * r->large + r->page };
    unsigned at, i;

    for (at = 0; at < 4 * r->c.levels; at++)
        for (i = 0; i < 3; i++) {
            late_call(r, at, 0, sizes[i]);
            late_call(r, at, r->large, sizes[i]);
        }
}

/* Another call was faster in a part of the range, or just not: who was first
 * stays. */
static void map_ahead(void *ctx)
{
    struct late *late = ctx;

    if (late->times++ == late->at)
        (void)!late->r->c.ops->map(&late->r->pt, late->iova + late->r->large,
                                   DATA, late->r->page, RW);
}

static void overtaken(struct pt_rig *r, unsigned at)
{
    struct late late = { .r = r, .iova = 3 * r->large, .at = at };
    struct uiommu_trace t;

    memory_host_interrupt(r->m, map_ahead, &late);
    (void)!r->c.ops->map(&r->pt, late.iova, DATA + 4 * r->large, 2 * r->large,
                         RW);
    memory_host_interrupt(r->m, NULL, NULL);
    assert_true(late.times > 0 || r->c.coherent);
    assert_true(rig_look(r, late.iova, &t));
    assert_true(t.phys == DATA + 4 * r->large);
    assert_true(rig_look(r, late.iova + r->large, &t));
    (void)!rig_unmap(r, 0, r->last_iova + 1, NULL);
    assert_int_equal(live(r), 0);
}

static void a_call_that_is_overtaken_ends(struct pt_rig *r)
{
    for (unsigned at = 0; at < 2 * r->c.levels; at++)
        overtaken(r, at);
}

const struct pt_test pt_guard_tests[] = {
    { "nobody_here", nobody_here },
    { "somebody_here", somebody_here },
    { "somebody_who_came_later", somebody_who_came_later },
    { "never_a_quiet_moment", never_a_quiet_moment },
    { "a_crowd", a_crowd },
    { "the_crowd_goes_first", the_crowd_goes_first },
    { "ops_in_a_crowd", ops_in_a_crowd },
    { "destroy_frees_what_waits", destroy_frees_what_waits },
    { "a_late_call_breaks_nothing", a_late_call_breaks_nothing },
    { "a_call_that_is_overtaken_ends", a_call_that_is_overtaken_ends },
    { NULL, NULL },
};
