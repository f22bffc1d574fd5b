/* SPDX-License-Identifier: MIT */
/*
 * handover_test.c - from one owner of the machine to the next (semantics B.23): what
 * devices see goes on, until it is changed one by one, and then nothing of the first
 * owner is in use.
 */
#include "tests/core/handover.h"
#include "tests/core/interrupts.h"

#include "base/store.h"
#include "spec/vtd.h"

/* ---- as it stands ---------------------------------------------------------- */

struct listed {
    struct uiommu_adopted who[4];
    unsigned n;
};

static void list_one(void *ctx, const struct uiommu_adopted *adopted)
{
    struct listed *l = ctx;

    assert_true(l->n < 4);
    l->who[l->n++] = *adopted;
}

static uint32_t source_of(struct rig *rig, unsigned n)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;

    return (uint32_t)at.bus << 8 | at.devfn;
}

static void translations_go_on(struct rig *rig)
{
    struct first f;
    struct listed l = { .n = 0 };

    first_owner(rig, &f);
    first_leaves(rig, &f);
    assert_as_left(rig, &f);
    create_next(rig);
    assert_as_left(rig, &f);
    rig_ok(rig_start(rig));
    assert_says(sim_last_log(rig->m), "0000:00:04.0 goes on");
    assert_as_left(rig, &f);
    assert_int_equal(uiommu_adopted(rig->u, list_one, &l), 2);
    assert_int_equal(l.who[0].source, source_of(rig, 0));
    assert_int_equal(l.who[1].source, source_of(rig, 1));
    assert_string_equal(l.who[0].driver, "vtd");
    assert_null(l.who[0].device);
    rig_add_all(rig);
    assert_as_left(rig, &f);
    l.n = 0;
    assert_int_equal(uiommu_adopted(rig->u, list_one, &l), 2);
    assert_ptr_equal(l.who[0].device, rig->device[rig_engine(rig, 0)]);
    end_adoption(rig);
}

static void each_requester_moves_by_itself(struct rig *rig)
{
    uint64_t mine = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_inherited(rig->u));
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 2)),
                     uiommu_blocked(rig->u));
    d = rig_domain(rig, 0);
    map_page(d, OTHER, mine);
    set(rig, 0, d);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, OTHER, mine));
    assert_true(rig_reaches(rig, 1, f.page, f.page));
    assert_int_equal(adopted(rig), 1);
    set(rig, 1, d);
    assert_true(rig_refused(rig, 1, f.page));
    assert_true(rig_reaches(rig, 1, OTHER, mine));
    end_adoption(rig);
    assert_true(rig_reaches(rig, 0, OTHER, mine));
    assert_true(rig_reaches(rig, 1, OTHER, mine));
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void what_nobody_moves_is_blocked_at_the_end(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    assert_as_left(rig, &f);
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    end_adoption(rig);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, f.page));
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_blocked(rig->u));
    rig_ok(uiommu_adopted_end(rig->u)); /* again: nothing to do */
}

/* When the call returns, DMA that was translated before is over. */
static void a_move_waits_for_dma_under_way(struct rig *rig)
{
    struct trace t;
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    trace_start(rig, &t);
    set(rig, 0, uiommu_blocked(rig->u));
    trace_stop(rig, &t);
    assert_true(covers(&t, KIND(IOTLB), BASE));
    assert_int_equal(t.cmd[last_of(&t, KIND(IOTLB))].scope, UIM_CHECK_GLOBAL);
    end_adoption(rig);
}

/* Then ids are given again, and nothing that was cached under them is left. */
static void old_ids_mean_nothing_after_the_end(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 2);
    struct uiommu_domain *d[4];
    struct first f;

    to_the_next(rig, &f);
    assert_as_left(rig, &f);
    rig_add_all(rig);
    end_adoption(rig);
    for (unsigned i = 0; i < 4; i++) {
        d[i] = attached_with(rig, i & 1u, BASE, pages + i * RIG_PAGE);
        assert_true(rig_reaches(rig, i & 1u, BASE, pages + i * RIG_PAGE));
    }
    for (unsigned i = 0; i < 4; i++) {
        set(rig, i & 1u, uiommu_blocked(rig->u));
        uiommu_domain_put(d[i]);
    }
}

static void a_device_that_is_removed_is_blocked(struct rig *rig)
{
    struct first f;
    unsigned dev;

    to_the_next(rig, &f);
    dev = rig_engine(rig, 0);
    rig_ok(rig_add(rig, dev));
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_true(rig_refused(rig, 0, BASE));
    assert_int_equal(adopted(rig), 1);
    end_adoption(rig);
}

static void what_was_inherited_is_only_left(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct uiommu_trace trace;
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_set_domain(ep, uiommu_inherited(rig->u), NULL));
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 2), uiommu_inherited(rig->u), NULL),
        UIOMMU_INVAL);
    rig_is(uiommu_walk(uiommu_inherited(rig->u), BASE, &trace),
           UIOMMU_OPNOTSUPP);
    rig_is(uiommu_map(uiommu_inherited(rig->u), BASE, f.page, RIG_PAGE, RIG_RW),
           UIOMMU_OPNOTSUPP);
    set(rig, 0, uiommu_blocked(rig->u));
    rig_is(uiommu_set_domain(ep, uiommu_inherited(rig->u), NULL), UIOMMU_INVAL);
    assert_true(rig_refused(rig, 0, BASE));
    end_adoption(rig);
}

/* Nothing would lead back to it. */
static void what_goes_on_is_never_shut_off(struct rig *rig)
{
    struct first f;

    rig->setup.storm_budget = 5;
    to_the_next(rig, &f);
    rig_add_all(rig);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(rig_refused(rig, 0, OTHER));
        rig_poll(rig);
        assert_int_equal(rig->fault.kind, UIOMMU_FAULT_DMA);
    }
    assert_true(rig->faults >= 10);
    assert_as_left(rig, &f);
    set(rig, 0, uiommu_blocked(rig->u));
    while (rig->fault.kind == UIOMMU_FAULT_DMA)
        (void)rig_refused(rig, 0, OTHER), rig_poll(rig);
    rig_ok(uiommu_device_rearm(rig->device[rig_engine(rig, 0)]));
    end_adoption(rig);
}

static void a_claim_ends_what_was_inherited(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &f));
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &f));
    assert_true(rig_refused(rig, 0, BASE));
    end_adoption(rig);
}

static void a_sleep_changes_nothing_that_was_adopted(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_adopted_end(rig->u), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* New domains have ids of their own as long as the old ones are in use (D-94). */
static void ids_that_are_in_use_are_not_given(struct rig *rig)
{
    enum { MANY = 8 };
    struct uiommu_domain *d[MANY];
    uint64_t mine = rig_pages(rig, 0);
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    for (unsigned i = 0; i < MANY; i++) {
        d[i] = attached_with(rig, 2, BASE, mine);
        assert_true(rig_reaches(rig, 2, BASE, mine));
        assert_true(rig_reaches(rig, 0, BASE, f.page));
        assert_true(rig_reaches(rig, 1, f.page, f.page));
    }
    set(rig, 2, uiommu_identity(rig->u));
    assert_true(rig_reaches(rig, 2, f.page, f.page));
    assert_true(rig_reaches(rig, 1, f.page, f.page));
    set(rig, 2, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < MANY; i++)
        uiommu_domain_put(d[i]);
    end_adoption(rig);
}

/* ---- the other ways ---------------------------------------------------------- */

static void remove_all(struct rig *rig)
{
    for (unsigned i = RIG_DEVICES; i-- > 0;)
        if (rig->device[i])
            rig_ok(uiommu_device_remove(rig->device[i]));
    memset(rig->device, 0, sizeof(rig->device));
}

static void everybody_blocked(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_BLOCKED,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    remove_all(rig);
    uiommu_domain_put(f.domain);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_BLOCKED);
    first_is_gone(rig);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, f.page));
    up(rig);
    assert_int_equal(adopted(rig), 0);
    assert_true(rig_refused(rig, 1, f.page));
    end_adoption(rig);
}

static void those_that_were_added_reach_everything(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_IDENTITY,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    for (unsigned i = 0; i < rig->m->n_devices; i++)
        rig_ok(uiommu_set_domain(uiommu_device_endpoint(rig->device[i]),
                                 uiommu_identity(rig->u), NULL));
    uiommu_domain_put(f.domain);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_IDENTITY);
    first_is_gone(rig);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, f.page, f.page));
    up(rig);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, f.page, f.page));
    end_adoption(rig);
    assert_true(rig_refused(rig, 0, f.page));
}

/* A third owner: what the second inherited and did not touch is passed on. */
static void what_is_inherited_is_handed_on(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_BLOCKED,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    first_is_gone(rig);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
    assert_true(rig_refused(rig, 0, BASE));
}

static void only_who_runs_hands_over(struct rig *rig)
{
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    rig_ok(uiommu_resume(rig->u));
    rig_is(uiommu_hand_over(rig->u, (enum uiommu_hand_over)7,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_INVAL);
}

static void one_hand_over_is_enough(struct rig *rig)
{
    const struct uiommu_record *none = NULL;
    size_t size = 0;
    const struct uiommu_provider_config config = { .size = sizeof(config) };
    struct uiommu_provider *provider = NULL;
    struct first f;

    first_owner(rig, &f);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    rig_is(
        uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS, &none, &size),
        UIOMMU_BUSY);
    assert_null(none);
    assert_int_equal(size, 0);
    rig_is(uiommu_provider_create(rig->u, &config, &provider), UIOMMU_BUSY);
    assert_null(provider);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    end_adoption(rig);
}

/* What it has cached is not known; its tables stay, also those that are held. */
static void
a_unit_that_does_not_answer_is_handed_over_with_a_warning(struct rig *rig)
{
    struct sim_counts before, after;
    struct first f;

    first_owner(rig, &f);
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(f.domain, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_TIMEDOUT);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_TIMEDOUT);
    assert_non_null(rig->setup.record);
    rig->dirty = true;
    sim_counts(rig->m, &before);
    uiommu_domain_put(f.domain);
    rig_ok(uiommu_destroy(rig->u));
    sim_counts(rig->m, &after);
    assert_int_equal(after.pages, before.pages);
    the_next_will_adopt(rig);
    up(rig);
    assert_true(rig_refused(rig, 0, BASE));
    end_adoption(rig);
}

/* ---- refused -------------------------------------------------------------------- */

static void a_record_that_is_none_is_refused(struct rig *rig)
{
    struct uiommu_record copy[4];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    assert_true(rig->setup.record_size <= sizeof(copy));
    memcpy(copy, rig->setup.record, rig->setup.record_size);
    rig->setup.record = copy;
    copy[0].magic ^= 1;
    assert_start_fails(rig, &f, UIOMMU_INVAL, "is not one");
    copy[0].magic ^= 1;
    copy[0].version ^= copy[0].magic;
    assert_start_fails(rig, &f, UIOMMU_INVAL, "version");
    copy[0].version ^= copy[0].magic;
    copy[0].how ^= copy[0].magic;
    assert_start_fails(rig, &f, UIOMMU_INVAL, "changed since");
    copy[0].how ^= copy[0].magic;
    rig->setup.record_size--;
    assert_start_fails(rig, &f, UIOMMU_INVAL, "size");
    rig->setup.record_size = 8;
    assert_start_fails(rig, &f, UIOMMU_INVAL, "is not one");
    rig->setup.record_size = sizeof(copy); /* more is no harm */
    up(rig);
    end_adoption(rig);
}

/* Somebody wrote to the tables since. */
static void tables_that_were_changed_are_refused(struct rig *rig)
{
    const uint64_t *unit;
    uint64_t root, was, *word;
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    unit = (const uint64_t *)(rig->setup.record + 1);
    root = uim_le64(unit[1]);
    word = word_at(rig, uim_le64(*word_at(rig, root, 0)), 0);
    was = *word; /* of 00:00.0, which nobody is */
    *word = uim_le64(2);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "not as the record says");
    *word = was;
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* To pass-through, behind a context entry that is as it was. */
static void pasid_entries_that_were_changed_are_refused(struct rig *rig)
{
    uint64_t context, dir, was, *entry;
    const uint64_t *unit;
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    unit = (const uint64_t *)(rig->setup.record + 1);
    if (rig->config.mode == SIM_LEGACY) {
        up(rig); /* has none */
        end_adoption(rig);
        return;
    }
    context = uim_le64(*word_at(rig, uim_le64(unit[1]), 0));
    dir = uim_le64(*word_at(rig, context, (3 << 3) * 4));
    entry = word_at(rig, uim_le64(*word_at(rig, dir, 0)), 0);
    was = *entry;
    *entry |= uim_le64(7 << 6);
    assert_start_fails_unseen(rig, UIOMMU_INVAL, "not as the record says");
    *entry = was;
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

static void assert_lie_is_refused(struct rig *rig, const struct first *f,
                                  const struct lie *lies, const char *why)
{
    lies_begin(rig, lies);
    assert_start_fails(rig, f, UIOMMU_OPNOTSUPP, why);
    lies_end(rig);
}

static void what_would_not_go_on_is_refused(struct rig *rig)
{
    static const struct lie ssirwe[] = { { VTD_REG_RTADDR, 1 << 7, 0 }, { 0 } };
    static const struct lie protects[] = {
        { VTD_REG_CAP, 1 << 5, 0 },
        { VTD_REG_PMEN, UINT32_C(1) << 31, 0 },
        { 0 },
    };
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.record = NULL;
    assert_lie_is_refused(rig, &f, ssirwe, "SSIRWE");
    assert_lie_is_refused(rig, &f, protects, "PMEN");
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

static void without_sight_of_the_tables_it_is_refused(struct rig *rig)
{
    const void *(*memory_map)(void *, uint64_t, size_t) =
        rig->m->host.memory_map;
    void (*memory_unmap)(void *, const void *, size_t) =
        rig->m->host.memory_unmap;
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.record = NULL;
    rig->m->host.memory_map = NULL;
    rig->m->host.memory_unmap = NULL;
    assert_start_fails(rig, &f, UIOMMU_OPNOTSUPP, "memory_map");
    rig->m->host.memory_map = memory_map;
    rig->m->host.memory_unmap = memory_unmap;
    up(rig); /* without a record it is taken as it is */
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* ---- modes ---------------------------------------------------------------------- */

static void in_mode(struct rig *rig, const char *mode)
{
    snprintf(rig->options, sizeof(rig->options), "vtd.mode=%s", mode);
}

static bool all_modes(struct rig *rig, const char **why)
{
    *why = "the unit has only one mode with tables of this format";
    return rig->config.mode == SIM_SCALABLE;
}

static void goes_on_in(struct rig *rig, const char *mode, const char *other)
{
    struct uiommu_unit_info info;
    struct first f;

    in_mode(rig, mode);
    first_owner(rig, &f);
    first_leaves(rig, &f);
    in_mode(rig, other);
    assert_start_fails(rig, &f, UIOMMU_OPNOTSUPP, "another mode");
    in_mode(rig, "auto");
    up(rig);
    assert_as_left(rig, &f);
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_string_equal(info.mode, mode);
    end_adoption(rig);
}

static void a_unit_goes_on_in_legacy_mode(struct rig *rig)
{
    goes_on_in(rig, "legacy", "scalable");
}

static void a_unit_goes_on_in_scalable_mode(struct rig *rig)
{
    goes_on_in(rig, "scalable", "legacy");
}

/* ---- tables with both halves (D-55) ------------------------------------------------ */

static bool with_high_functions(struct rig *rig, const char **why)
{
    static const struct sim_function high[] = {
        { "low", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
        { "high", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1e << 3, 0 },
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, 0 },
        { "behind", SIM_ENGINE, 2, 0x10 << 3, 0 },
    };

    (void)why;
    rig->config.functions = high;
    rig->config.n_functions = sizeof(high) / sizeof(high[0]);
    return true;
}

static void functions_of_the_upper_half_go_on(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d[2];

    up(rig);
    for (unsigned i = 0; i < 2; i++)
        d[i] = attached_with(rig, i + 1, BASE, pages + i * RIG_PAGE);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    for (unsigned i = 0; i < 2; i++)
        uiommu_domain_put(d[i]);
    first_is_gone(rig);
    up(rig);
    assert_true(rig_refused(rig, 0, BASE));
    for (unsigned i = 0; i < 2; i++)
        assert_true(rig_reaches(rig, i + 1, BASE, pages + i * RIG_PAGE));
    end_adoption(rig);
    for (unsigned i = 0; i < 3; i++)
        assert_true(rig_refused(rig, i, BASE));
}

/* ---- devices that cache ---------------------------------------------------------- */

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static unsigned cached(struct rig *rig)
{
    return sim_devtlb_entries(rig->m, rig_engine(rig, 0));
}

/* What a device has in its TLB goes when it moves. */
static void a_device_tlb_is_emptied_when_it_moves(struct rig *rig)
{
    uint64_t mine = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct first f;

    to_the_next(rig, &f);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    assert_true(cached(rig) > 0);
    rig_add_all(rig);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    d = rig_domain(rig, 0);
    map_page(d, BASE, mine);
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, BASE, mine));
    end_adoption(rig);
    rig_drop(rig, 0, d);
}

static void a_device_that_may_not_ask_any_more_stops(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.flags |= UIOMMU_CONFIG_NO_ATS;
    up(rig);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    assert_int_equal(cached(rig), 0);
    end_adoption(rig);
    assert_true(rig_refused(rig, 0, BASE));
}

/* ---- interrupts ------------------------------------------------------------------ */

/* The vector of what arrives when engine 0 sends the message; 0: nothing. */
static unsigned arrives(struct rig *rig, const struct uiommu_irq_message *m)
{
    unsigned before = sim_msi_count(rig->m);

    (void)sends(rig, 0, m->addr, m->data);
    if (sim_msi_count(rig->m) == before)
        return 0;
    return sim_msi_at(rig->m, before).data & 0xff;
}

static void interrupts_go_on(struct rig *rig)
{
    struct uiommu_irq_message old, new;
    struct uiommu_irq *irq;
    struct first f;

    first_owner(rig, &f);
    old = message_of(map_irq(rig, 0, to(0x41, 0)));
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_BLOCKED,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    first_leaves(rig, &f);
    assert_int_equal(arrives(rig, &old), 0x41);
    up(rig);
    assert_int_equal(arrives(rig, &old), 0x41);
    irq = map_irq(rig, 0, to(0x42, 0));
    new = message_of(irq);
    assert_true(new.addr != old.addr);
    assert_int_equal(arrives(rig, &new), 0x42);
    assert_int_equal(arrives(rig, &old), 0x41);
    end_adoption(rig);
    assert_int_equal(arrives(rig, &old), 0);
    assert_int_equal(arrives(rig, &new), 0x42);
    drop(irq);
}

static void interrupts_are_adopted_as_they_are_or_not(struct rig *rig)
{
    struct uiommu_irq_message old;
    uint32_t flags;
    struct first f;

    first_owner(rig, &f);
    old = message_of(map_irq(rig, 0, to(0x41, 0)));
    first_leaves(rig, &f);
    flags = rig->setup.flags;
    rig->setup.flags |= UIOMMU_CONFIG_X2APIC;
    assert_start_fails(rig, &f, UIOMMU_OPNOTSUPP, "x2APIC");
    assert_int_equal(arrives(rig, &old), 0x41);
    rig->setup.flags = flags & ~(uint32_t)UIOMMU_CONFIG_REMAP_INTERRUPTS;
    assert_start_fails(rig, &f, UIOMMU_OPNOTSUPP, "not asked for");
    assert_int_equal(arrives(rig, &old), 0x41);
    rig->setup.flags = flags;
    up(rig);
    assert_int_equal(arrives(rig, &old), 0x41);
    end_adoption(rig);
}

/* ---- back again ------------------------------------------------------------------ */

static void (*write32)(void *ctx, void *mmio, size_t offset, uint32_t value);

/* The switch for interrupt remapping does not work. */
static void write32_without_ire(void *ctx, void *mmio, size_t offset,
                                uint32_t value)
{
    struct vtd_gcmd gcmd = { value };

    if (offset == VTD_REG_GCMD)
        value = (uint32_t)vtd_gcmd_set_ire(gcmd, 0).raw;
    write32(ctx, mmio, offset, value);
}

static bool able_to_remap(struct rig *rig, const char **why)
{
    (void)why;
    hurry(rig);
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_REMAP_INTERRUPTS;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return true;
}

/* The unit reads new tables already when the start fails. */
static void a_start_that_fails_late_gives_back(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    write32 = rig->m->host.mmio_write32;
    rig->m->host.mmio_write32 = write32_without_ire;
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_TIMEDOUT);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_as_left(rig, &f);
    rig->m->host.mmio_write32 = write32;
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* ---- without asking for it -------------------------------------------------------- */

/* As ever: who is not known is blocked. */
static void whoever_does_not_adopt_blocks(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_ADOPT;
    rig->setup.record = NULL;
    up(rig);
    assert_int_equal(adopted(rig), 0);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, f.page));
    sim_reclaim(rig->m);
    assert_true(rig_refused(rig, 0, BASE));
}

static void a_record_goes_with_adoption(struct rig *rig)
{
    static const uint64_t record[8];

    rig->setup.record = (const void *)record;
    rig->setup.record_size = sizeof(record);
    rig_is(rig_create(rig), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "ADOPT");
    rig->setup.record = NULL;
}

static void a_unit_that_is_off_is_started_as_ever(struct rig *rig)
{
    rig->setup.flags |= UIOMMU_CONFIG_ADOPT;
    up(rig);
    assert_int_equal(adopted(rig), 0);
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_adopted_end(rig->u));
}

/* What is found must not begin to reach everything. */
static void an_adoption_ends_before_a_stop(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    assert_as_left(rig, &f);
    end_adoption(rig);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
}

static void nothing_is_adopted_before_the_start(struct rig *rig)
{
    create_next(rig);
    assert_int_equal(adopted(rig), 0);
    rig_is(uiommu_adopted_end(rig->u), UIOMMU_BUSY);
}

/* clang-format off */
static const struct rig_test tests[] = {
    RIG_COLD(translations_go_on),
    RIG_COLD(each_requester_moves_by_itself),
    RIG_COLD(what_nobody_moves_is_blocked_at_the_end),
    RIG_COLD(a_move_waits_for_dma_under_way),
    RIG_COLD(old_ids_mean_nothing_after_the_end),
    RIG_COLD(a_device_that_is_removed_is_blocked),
    RIG_COLD(what_was_inherited_is_only_left),
    RIG_COLD(what_goes_on_is_never_shut_off),
    RIG_COLD(a_claim_ends_what_was_inherited),
    RIG_COLD(a_sleep_changes_nothing_that_was_adopted),
    RIG_COLD(ids_that_are_in_use_are_not_given),
    RIG_COLD(everybody_blocked),
    RIG_COLD(those_that_were_added_reach_everything),
    RIG_COLD(what_is_inherited_is_handed_on),
    RIG_TEST(only_who_runs_hands_over),
    RIG_COLD(a_record_that_is_none_is_refused),
    RIG_COLD(tables_that_were_changed_are_refused),
    RIG_COLD(without_sight_of_the_tables_it_is_refused),
    RIG_COLD_ON(a_unit_goes_on_in_legacy_mode, all_modes),
    RIG_COLD_ON(a_unit_goes_on_in_scalable_mode, all_modes),
    RIG_COLD_ON(functions_of_the_upper_half_go_on, with_high_functions),
    RIG_COLD_ON(a_device_tlb_is_emptied_when_it_moves, with_ats),
    RIG_COLD_ON(a_device_that_may_not_ask_any_more_stops, with_ats),
    RIG_COLD_ON(interrupts_go_on, remapped),
    RIG_COLD_ON(interrupts_are_adopted_as_they_are_or_not, remapped),
    RIG_COLD_ON(a_start_that_fails_late_gives_back, able_to_remap),
    RIG_COLD(whoever_does_not_adopt_blocks),
    RIG_COLD(a_record_goes_with_adoption),
    RIG_COLD(a_unit_that_is_off_is_started_as_ever),
    RIG_COLD(an_adoption_ends_before_a_stop),
    RIG_COLD(nothing_is_adopted_before_the_start),
    RIG_COLD(one_hand_over_is_enough),
    RIG_COLD_ON(a_unit_that_does_not_answer_is_handed_over_with_a_warning,
                in_a_hurry),
    RIG_COLD(pasid_entries_that_were_changed_are_refused),
    RIG_COLD(what_would_not_go_on_is_refused),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover", tests);
}
