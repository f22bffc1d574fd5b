/* SPDX-License-Identifier: MIT */
/*
 * handover_steps_test.c - store by store, as store_test.c, from one owner to the next:
 * nobody is unconfined for a moment, nor blocked who was not.
 */
#include "tests/core/handover.h"
#include "tests/core/lookout.h"

#define REGION MIB(32)

struct places {
    struct lookout l;
    struct first f;
    uint64_t mine; /* the next owner's */
};

/* Nothing of this changes. */
static void watch_the_same(struct places *p, struct rig *rig)
{
    p->l.n = 0;
    watch_dma(&p->l, rig, 0, BASE, p->f.page, p->f.page);
    watch_for(&p->l, 0, p->f.page, NOWHERE, NOWHERE);
    watch_for(&p->l, 1, p->mine, p->mine, p->mine);
    watch_for(&p->l, 2, p->f.page, NOWHERE, NOWHERE);
    watch_for(&p->l, 2, BASE, NOWHERE, NOWHERE);
}

/* ---- from one to the next ---------------------------------------------------- */

static void handing_over_is_not_noticed(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };

    first_owner(rig, &p.f);
    watch_the_same(&p, rig);
    begin(rig, &p.l);
    first_leaves(rig, &p.f);
    assert_true(saw(&p.l, 2));
    end(rig, &p.l);
}

static void adopting_is_not_noticed(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };

    first_owner(rig, &p.f);
    first_leaves(rig, &p.f);
    watch_the_same(&p, rig);
    begin(rig, &p.l);
    up(rig);
    assert_true(saw(&p.l, 20));
    end(rig, &p.l);
    end_adoption(rig);
}

static bool with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { REGION, MIB(1), 0 } };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 1;
    return true;
}

/* Also what was mapped for it beside its region. */
static void a_requester_with_a_region_keeps_all_it_saw(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };

    first_owner(rig, &p.f);
    first_leaves(rig, &p.f);
    watch_for(&p.l, 0, BASE, p.f.page, p.f.page);
    watch_for(&p.l, 0, REGION, REGION, REGION);
    watch_for(&p.l, 2, REGION, NOWHERE, NOWHERE);
    begin(rig, &p.l);
    up(rig);
    assert_true(saw(&p.l, 20));
    end(rig, &p.l);
    p.l.n = 0;
    watch_for(&p.l, 0, BASE, p.f.page, NOWHERE);
    watch_for(&p.l, 2, REGION, NOWHERE, NOWHERE);
    begin(rig, &p.l);
    end_adoption(rig);
    end(rig, &p.l);
    assert_true(rig_reaches(rig, 0, REGION, REGION));
}

/* ---- one by one ------------------------------------------------------------------ */

static void a_requester_sees_the_old_nothing_or_the_new(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };
    struct uiommu_domain *d;

    to_the_next(rig, &p.f);
    rig_add_all(rig);
    d = rig_domain(rig, 0);
    map_page(d, OTHER, p.mine);
    watch_dma(&p.l, rig, 0, BASE, p.f.page, NOWHERE);
    watch_dma(&p.l, rig, 0, OTHER, NOWHERE, p.mine);
    watch_for(&p.l, 1, p.mine, p.mine, p.mine);
    watch_for(&p.l, 2, OTHER, NOWHERE, NOWHERE);
    begin(rig, &p.l);
    set(rig, 0, d);
    assert_true(saw(&p.l, 6));
    end(rig, &p.l);
    rig_drop(rig, 0, d);
    end_adoption(rig);
}

static void identity_follows_what_was_inherited(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };

    to_the_next(rig, &p.f);
    rig_add_all(rig);
    watch_for(&p.l, 0, BASE, p.f.page, BASE);
    watch_for(&p.l, 0, p.f.page, NOWHERE, p.f.page);
    watch_for(&p.l, 1, p.mine, p.mine, p.mine);
    begin(rig, &p.l);
    set(rig, 0, uiommu_identity(rig->u));
    assert_true(saw(&p.l, 6));
    end(rig, &p.l);
    set(rig, 0, uiommu_blocked(rig->u));
    end_adoption(rig);
}

static void the_end_blocks_whoever_is_left(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };
    struct uiommu_domain *d;

    to_the_next(rig, &p.f);
    rig_add_all(rig);
    d = attached_with(rig, 2, OTHER, p.mine);
    watch_dma(&p.l, rig, 0, BASE, p.f.page, NOWHERE);
    watch_for(&p.l, 1, p.f.page, p.f.page, NOWHERE);
    watch_dma(&p.l, rig, 2, OTHER, p.mine, p.mine);
    begin(rig, &p.l);
    rig_ok(uiommu_adopted_end(rig->u));
    assert_true(saw(&p.l, 4));
    end(rig, &p.l);
    sim_reclaim(rig->m);
    rig_drop(rig, 2, d);
}

/* ---- devices that cache ------------------------------------------------------------ */

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

/* What it cached under the last owner is of no use to it, also if it comes late. */
static void a_device_tlb_is_not_used_after_the_end(struct rig *rig)
{
    struct places p = { .mine = rig_pages(rig, 0) };
    struct uiommu_domain *d;

    first_owner(rig, &p.f);
    assert_true(rig_reaches(rig, 0, BASE, p.f.page));
    first_leaves(rig, &p.f);
    up_to_start(rig);
    end_adoption(rig);
    rig_add_all(rig);
    d = rig_domain(rig, 0);
    map_page(d, BASE, p.mine);
    watch_dma(&p.l, rig, 0, BASE, NOWHERE, p.mine);
    begin(rig, &p.l);
    set(rig, 0, d);
    assert_true(saw(&p.l, 6));
    end(rig, &p.l);
    rig_drop(rig, 0, d);
}

/* clang-format off */
static const struct rig_test tests[] = {
    RIG_COLD(handing_over_is_not_noticed),
    RIG_COLD(adopting_is_not_noticed),
    RIG_COLD_ON(a_requester_with_a_region_keeps_all_it_saw, with_region),
    RIG_COLD(a_requester_sees_the_old_nothing_or_the_new),
    RIG_COLD(identity_follows_what_was_inherited),
    RIG_COLD(the_end_blocks_whoever_is_left),
    RIG_COLD_ON(a_device_tlb_is_not_used_after_the_end, with_ats),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover_steps", tests);
}
