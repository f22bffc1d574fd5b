/* SPDX-License-Identifier: MIT */
/*
 * store_life_test.c - store by store, as store_test.c, through the life of an
 * instance: start, firmware regions, sleep, stop, owners, and a call that is
 * wrong on purpose.
 */
#include "tests/core/lookout.h"

#include "tests/hook/hook.h"

#include "drv/vtd/vtd.h"

#define BASE   GIB(2)
#define REGION MIB(32)

static bool with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { REGION, MIB(1), 0 } };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 1;
    return true;
}

static void create(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
}

/* ---- start and stop ------------------------------------------------------ */

/* Off, everything passes; then nothing but the region, which always did. */
static void a_start_blocks_all_but_the_region(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);

    create(rig);
    watch_for(&l, 0, REGION, REGION, REGION);
    watch_for(&l, 0, REGION + MIB(1) - RIG_PAGE, REGION + MIB(1) - RIG_PAGE,
              REGION + MIB(1) - RIG_PAGE);
    watch_for(&l, 0, page, page, NOWHERE);
    watch_for(&l, 1, page, page, NOWHERE);
    watch_for(&l, 1, REGION, REGION, NOWHERE);
    watch_for(&l, 2, page, page, NOWHERE);
    begin(rig, &l);
    rig_ok(rig_start(rig));
    assert_true(saw(&l, 20));
    end(rig, &l);
}

static void a_stop_lets_go_at_once(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);

    create(rig);
    rig_ok(rig_start(rig));
    watch_for(&l, 0, REGION, REGION, REGION);
    watch_for(&l, 1, page, NOWHERE, page);
    begin(rig, &l);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    assert_true(saw(&l, 2));
    end(rig, &l);
}

/* The devices come, see what they saw, and go. */
static void nothing_changes_when_devices_are_added(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);

    create(rig);
    rig_ok(rig_start(rig));
    watch_for(&l, 0, REGION, REGION, REGION);
    watch_for(&l, 0, page, NOWHERE, NOWHERE);
    watch_for(&l, 1, page, NOWHERE, NOWHERE);
    watch_for(&l, 2, page, NOWHERE, NOWHERE);
    begin(rig, &l);
    rig_add_all(rig);
    end(rig, &l);
}

/* ---- sleep --------------------------------------------------------------- */

/* Translation stays on as long as there is power. */
static void a_sleep_with_power_is_not_noticed(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    set(rig, 1, uiommu_identity(rig->u));
    watch_for(&l, 0, BASE, page, page);
    watch_for(&l, 0, page, NOWHERE, NOWHERE);
    watch_for(&l, 1, page, page, page);
    watch_for(&l, 2, page, NOWHERE, NOWHERE);
    begin(rig, &l);
    rig_ok(uiommu_suspend(rig->u));
    rig_ok(uiommu_resume(rig->u));
    assert_true(saw(&l, 4));
    end(rig, &l);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* ---- sizes --------------------------------------------------------------- */

/* From a domain of one depth, width or leaf size to one of another. */
static void domains_of_other_sizes_follow_each_other(struct rig *rig)
{
    const struct uiommu_domain_config small = { .size = sizeof(small),
                                                .page_sizes = RIG_PAGE,
                                                .iova_bits = 32 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *a = rig_domain(rig, 0), *b;
    struct lookout l = { .n = 0 };

    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &small, &b));
    rig_ok(uiommu_map(a, BASE, GIB(1), MIB(2), RIG_RW));
    map_page(b, BASE, page);
    set(rig, 0, a);
    watch_for(&l, 0, BASE, GIB(1), page);
    watch_for(&l, 0, BASE + RIG_PAGE, GIB(1) + RIG_PAGE, NOWHERE);
    watch_for(&l, 0, BASE + MIB(2), NOWHERE, NOWHERE);
    begin(rig, &l);
    set(rig, 0, b);
    assert_true(saw(&l, 2));
    end(rig, &l);
    uiommu_domain_put(a);
    rig_drop(rig, 0, b);
}

/* The first mapping of a domain makes tables of every level. */
static void tables_grow_unnoticed(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_attached(rig, 0);

    watch_for(&l, 0, BASE, NOWHERE, page);
    watch_for(&l, 0, BASE + RIG_PAGE, NOWHERE, NOWHERE);
    watch_for(&l, 0, 0, NOWHERE, NOWHERE);
    watch_for(&l, 0, last_iova(d) - RIG_PAGE + 1, NOWHERE, NOWHERE);
    begin(rig, &l);
    map_page(d, BASE, page);
    assert_true(!uim_store_hooked() || l.looked > 2);
    end(rig, &l);
    rig_drop(rig, 0, d);
}

/* ---- owners -------------------------------------------------------------- */

static void a_claimed_device_is_never_free(struct rig *rig)
{
    struct lookout l = { .n = 0 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, BASE, page);
    watch_for(&l, 0, page, NOWHERE, NOWHERE);
    begin(rig, &l);
    rig_ok(uiommu_claim(ep, rig));
    end(rig, &l);
    watch_for(&l, 0, BASE, NOWHERE, page);
    begin(rig, &l);
    rig_ok(uiommu_set_domain(ep, d, rig));
    assert_true(saw(&l, 2));
    end(rig, &l);
    l.place[1] = (struct place){ .iova = BASE, .old = page, .new = NOWHERE };
    begin(rig, &l);
    rig_ok(uiommu_release(ep, rig));
    assert_true(saw(&l, 2));
    end(rig, &l);
    uiommu_domain_put(d);
}

/* ---- calls that fail ----------------------------------------------------- */

/* Engines 0 and 1 in domains of their own, 2 is blocked; the unit falls silent. */
static void watch_silence(struct rig *rig, struct lookout *l,
                          struct uiommu_domain *d[2])
{
    uint64_t page[2];

    for (unsigned n = 0; n < 2; n++) {
        page[n] = rig_pages(rig, 0);
        d[n] = attached_with(rig, n, BASE, page[n]);
    }
    l->n = 0;
    watch_for(l, 0, BASE, page[0], NOWHERE);
    watch_for(l, 1, BASE, page[1], page[1]);
    watch_for(l, 2, BASE, NOWHERE, NOWHERE);
    begin(rig, l);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
}

static void end_silence(struct rig *rig, struct lookout *l,
                        struct uiommu_domain *d[2])
{
    assert_true(saw(l, 2));
    end_unconfirmed(rig, l);
    uim_check_silent(sim_door(rig->m), false);
    for (unsigned n = 0; n < 2; n++)
        uiommu_domain_put(d[n]);
}

/* It takes nobody else along. */
static void a_quarantine_cuts_one_device(struct rig *rig)
{
    struct uiommu_domain *d[2];
    struct lookout l;

    watch_silence(rig, &l, d);
    rig_is(uiommu_unmap(d[0], BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    end_silence(rig, &l, d);
}

static void a_set_that_times_out_leaves_the_device_blocked(struct rig *rig)
{
    struct uiommu_domain *d[2];
    struct lookout l;

    watch_silence(rig, &l, d);
    if (!(rig_arch(rig)->does & RIG_BREAKS))
        l.place[0].passing = l.place[1].old; /* asked for, until then */
    watch_for(&l, 0, l.place[1].old, NOWHERE, NOWHERE); /* never identity */
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d[1], NULL),
           UIOMMU_TIMEDOUT);
    end_silence(rig, &l, d);
}

/* The second, third, ... host call of a set fails: nothing is noticed. */
static void a_set_that_fails_is_not_noticed(struct rig *rig)
{
    enum uiommu_status status = UIOMMU_NOMEM;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *a = attached_with(rig, 1, BASE, page), *d;
    struct lookout l = { .n = 0 };

    d = rig_domain(rig, 1);
    map_page(d, BASE, rig_pages(rig, 0));
    watch_for(&l, 1, BASE, page, page);
    watch_for(&l, 0, REGION, REGION, REGION);
    watch_for(&l, 2, BASE, NOWHERE, NOWHERE);
    for (unsigned nth = 1; status != UIOMMU_OK; nth++) {
        begin(rig, &l);
        sim_fail_nth(rig->m, nth);
        status = uiommu_set_domain(rig_endpoint(rig, 0), d, NULL);
        sim_fail_nth(rig->m, 0);
        if (status != UIOMMU_OK) {
            rig_is(status, UIOMMU_NOMEM);
            end(rig, &l);
        }
    }
    rig_watch(rig, NULL, NULL);
    sim_forget(rig->m);
    set(rig, 0, uiommu_core_domain(rig_endpoint(rig, 0)));
    uiommu_domain_put(d);
    rig_drop(rig, 1, a);
}

/* ---- can it fail? -------------------------------------------------------- */

static unsigned wrong_answers;

static void count_wrong(void *ctx)
{
    struct rig *rig = ctx;
    uint64_t there;

    uim_check_caches_keep(sim_door(rig->m), false);
    there = lands(rig, 0, BASE, UIOMMU_WRITE);
    uim_check_caches_keep(sim_door(rig->m), true);
    wrong_answers += there != NOWHERE && there != REGION;
}

/* An entry whose word with P comes first leads through what was there before. */
static void words_in_the_wrong_order_are_noticed(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0), *e;
    struct uiommu_trace td;
    uim_word *root, *entry;
    uint64_t lo, page = rig_pages(rig, 0);

    map_page(d, BASE, page);
    e = attached_with(rig, 0, BASE, REGION);
    rig_ok(uiommu_walk(d, BASE, &td));
    root = sim_ram(
        rig->m,
        sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0, VTD_REG_RTADDR, 8) &
            ~UINT64_C(0xfff),
        RIG_PAGE);
    entry = sim_ram(rig->m, uim_ld64(root) & ~UINT64_C(0xfff), RIG_PAGE);
    entry += rig->m->devices[rig_engine(rig, 0)].pci.devfn * 2;
    lo = uim_ld64(entry);
    wrong_answers = 0;
    rig_watch(rig, count_wrong, rig);
    uim_st64(entry, (lo & 0xfff) | d->pt.root_phys); /* still present */
    rig_watch(rig, NULL, NULL);
    uim_st64(entry, lo);
    sim_forget(rig->m);
    assert_true(wrong_answers > 0);
    uiommu_domain_put(d);
    rig_drop(rig, 0, e);
}

static bool hooked_legacy(struct rig *rig, const char **why)
{
    *why = "one mode is enough, and stores have to be seen";
    return uim_store_hooked() && rig->config.mode == SIM_LEGACY &&
           !rig->config.non_coherent;
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(a_start_blocks_all_but_the_region, with_region),
    RIG_COLD_ON(a_stop_lets_go_at_once, with_region),
    RIG_COLD_ON(nothing_changes_when_devices_are_added, with_region),
    RIG_TEST(a_sleep_with_power_is_not_noticed),
    RIG_TEST(domains_of_other_sizes_follow_each_other),
    RIG_TEST(tables_grow_unnoticed),
    RIG_TEST(a_claimed_device_is_never_free),
    RIG_TEST_ON(a_quarantine_cuts_one_device, in_a_hurry),
    RIG_TEST_ON(a_set_that_times_out_leaves_the_device_blocked, in_a_hurry),
    RIG_TEST_ON(a_set_that_fails_is_not_noticed, with_region),
    RIG_TEST_ON(words_in_the_wrong_order_are_noticed, hooked_legacy),
    { 0 },
};

int main(void)
{
    return rig_run("store_life", tests);
}
