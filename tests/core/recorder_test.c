/* SPDX-License-Identifier: MIT */
/*
 * recorder_test.c - what a domain remembers of its mappings, and what faults say of that
 * (design.md 9).
 */
#include "tests/core/help.h"

#include <uiommu/dma.h>
#include <uiommu/recorder.h>

#define BASE GIB(2)

enum { EVENTS = 16 };

static struct uiommu_domain *remembering(struct rig *rig, uint32_t events)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .events = events,
    };
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d));
    return d;
}

static struct uiommu_domain *attached(struct rig *rig, uint32_t events)
{
    struct uiommu_domain *d = remembering(rig, events);

    set(rig, 0, d);
    return d;
}

static void unmap(struct uiommu_domain *d, uint64_t iova, uint64_t size)
{
    rig_ok(uiommu_unmap(d, iova, size, NULL));
}

static void fault_at(struct rig *rig, uint64_t iova)
{
    assert_false(rig_write(rig, 0, iova, 1));
    rig_poll(rig);
}

static size_t all_of(struct uiommu_domain *d, struct uiommu_event *e, size_t n)
{
    return uiommu_recorder_read(d, 0, e, n);
}

static void is_event(const struct uiommu_event *e, uint8_t kind, uint64_t iova,
                     uint64_t size, uint64_t bytes, const char *tag)
{
    assert_int_equal(e->kind, kind);
    assert_int_equal(e->iova, iova);
    assert_int_equal(e->size, size);
    assert_int_equal(e->bytes, bytes);
    assert_ptr_equal(e->tag, tag);
}

/* ---- what is remembered ------------------------------------------------------------- */

static void all_kinds(struct uiommu_domain *d, uint64_t page)
{
    const struct uiommu_segment segments[] = {
        { page, RIG_PAGE },
        { page + 2 * RIG_PAGE, RIG_PAGE },
    };
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    map_page(d, BASE, page);
    rig_ok(uiommu_map_sg(d, BASE + 4 * RIG_PAGE, segments, 2, RIG_RW));
    unmap(d, BASE, 2 * RIG_PAGE);
    unmap(d, BASE, RIG_PAGE);
    rig_ok(uiommu_unmap_gather(d, BASE + 4 * RIG_PAGE, RIG_PAGE, &g));
    rig_ok(uiommu_unmap_gather(d, BASE + 4 * RIG_PAGE, 2 * RIG_PAGE, &g));
    rig_ok(uiommu_sync(&g));
    rig_ok(uiommu_sync(&g));
}

static void every_change_is_an_event(struct rig *rig)
{
    static const char one[] = "one", two[] = "two";
    uint64_t page = rig_pages(rig, 2), before = now_ns(rig);
    struct uiommu_domain *d = attached(rig, EVENTS);
    struct uiommu_event e[EVENTS];

    assert_int_equal(all_of(d, e, EVENTS), 0);
    map_page(d, BASE + GIB(1), page);
    uiommu_recorder_tag(d, one);
    all_kinds(d, page);
    uiommu_recorder_tag(d, two);
    unmap(d, BASE + GIB(1), RIG_PAGE);
    assert_int_equal(all_of(d, e, EVENTS), 8);
    is_event(&e[0], UIOMMU_EVENT_MAP, BASE + GIB(1), RIG_PAGE, RIG_PAGE, NULL);
    is_event(&e[1], UIOMMU_EVENT_MAP, BASE, RIG_PAGE, RIG_PAGE, one);
    is_event(&e[2], UIOMMU_EVENT_MAP, BASE + 4 * RIG_PAGE, 2 * RIG_PAGE,
             2 * RIG_PAGE, one);
    is_event(&e[3], UIOMMU_EVENT_UNMAP, BASE, 2 * RIG_PAGE, RIG_PAGE, one);
    is_event(&e[4], UIOMMU_EVENT_GATHER, BASE + 4 * RIG_PAGE, RIG_PAGE,
             RIG_PAGE, one);
    is_event(&e[5], UIOMMU_EVENT_GATHER, BASE + 4 * RIG_PAGE, 2 * RIG_PAGE,
             RIG_PAGE, one);
    assert_int_equal(e[6].kind, UIOMMU_EVENT_SYNC);
    assert_true(e[6].iova <= BASE + 4 * RIG_PAGE);
    assert_true(e[6].iova + e[6].size >= BASE + 6 * RIG_PAGE);
    assert_int_equal(e[6].bytes, 2 * RIG_PAGE);
    is_event(&e[7], UIOMMU_EVENT_UNMAP, BASE + GIB(1), RIG_PAGE, RIG_PAGE, two);
    assert_int_equal(e[0].phys, page);
    assert_int_equal(e[2].phys, page);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(e[i].sequence, i + 1);
        assert_in_range(e[i].time_ns, before, now_ns(rig));
        before = e[i].time_ns;
    }
    rig_drop(rig, 0, d);
}

static void what_failed_is_none(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 9);
    struct uiommu_domain *d = remembering(rig, EVENTS);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct uiommu_event e[EVENTS];
    const struct uiommu_segment none = { page + 1, RIG_PAGE };

    rig_is(uiommu_map(d, BASE + 1, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_map_sg(d, BASE, &none, 1, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_unmap(d, BASE + 1, RIG_PAGE, NULL), UIOMMU_INVAL);
    rig_is(uiommu_unmap_gather(d, BASE + 1, RIG_PAGE, &g), UIOMMU_INVAL);
    rig_ok(uiommu_sync(&g));
    assert_int_equal(all_of(d, e, EVENTS), 0);
    map_page(d, BASE, page);
    rig_is(uiommu_map(d, BASE, page, RIG_PAGE, RIG_RW), UIOMMU_EXIST);
    assert_int_equal(all_of(d, e, EVENTS), 1);
    uiommu_domain_put(d);
}

static void domains_remember_nothing_by_themselves(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_event e[EVENTS];

    uiommu_recorder_tag(d, "nobody");
    all_kinds(d, rig_pages(rig, 2));
    assert_int_equal(all_of(d, e, EVENTS), 0);
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_NONE);
    uiommu_recorder_tag(uiommu_blocked(rig->u), "nobody");
    assert_int_equal(all_of(uiommu_identity(rig->u), e, EVENTS), 0);
    rig_drop(rig, 0, d);
}

static void there_may_be_too_many(struct rig *rig)
{
    struct uiommu_domain_config config = {
        .size = sizeof(config),
        .events = UIOMMU_EVENTS_MOST + 1,
    };
    struct uiommu_domain *d = NULL;

    rig_is(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d),
           UIOMMU_INVAL);
    uiommu_domain_put(remembering(rig, UIOMMU_EVENTS_MOST));
    uiommu_domain_put(remembering(rig, 1));
}

/* ---- the ring -------------------------------------------------------------------------- */

/* 100 pairs of events, of which it remembers 16. */
static void old_events_are_forgotten(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = remembering(rig, EVENTS - 3);
    struct uiommu_event e[2 * EVENTS];

    for (unsigned i = 1; i <= 100; i++) {
        map_page(d, BASE + i * RIG_PAGE, page);
        unmap(d, BASE + i * RIG_PAGE, RIG_PAGE);
        assert_int_equal(all_of(d, e, 2 * EVENTS),
                         2 * i < EVENTS ? 2 * i : EVENTS);
        assert_int_equal(e[0].sequence,
                         2 * i < EVENTS ? 1 : 2 * i - EVENTS + 1);
    }
    for (unsigned i = 0; i < EVENTS; i++) {
        assert_int_equal(e[i].sequence, 200 - EVENTS + 1 + i);
        assert_int_equal(e[i].kind,
                         i % 2 == 0 ? UIOMMU_EVENT_MAP : UIOMMU_EVENT_UNMAP);
        assert_int_equal(e[i].iova, BASE + (93 + i / 2) * RIG_PAGE);
    }
    uiommu_domain_put(d);
}

static void it_is_read_from_anywhere(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = remembering(rig, EVENTS);
    struct uiommu_event e[EVENTS];

    for (unsigned i = 1; i <= 20; i++)
        map_page(d, BASE + i * RIG_PAGE, page);
    for (unsigned from = 0; from <= 25; from++) {
        const unsigned first = from < 5 ? 5 : from;

        for (unsigned n = 0; n <= EVENTS; n++) {
            const unsigned left = first <= 20 ? 21 - first : 0;
            const unsigned there = left < n ? left : n;

            assert_int_equal(uiommu_recorder_read(d, from, e, n), there);
            for (unsigned i = 0; i < there; i++)
                assert_int_equal(e[i].sequence, first + i);
        }
    }
    uiommu_domain_put(d);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void a_fault_says_who_unmapped_it(struct rig *rig)
{
    static const char rx[] = "nvme-rx";
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);

    uiommu_recorder_tag(d, "nvme-tx");
    map_page(d, BASE, page);
    uiommu_recorder_tag(d, rx);
    unmap(d, BASE, RIG_PAGE);
    uiommu_recorder_tag(d, "others");
    map_page(d, BASE + RIG_PAGE, page);
    sim_advance(rig->m, 12300);
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_UNMAPPED);
    is_event(&rig->fault.event, UIOMMU_EVENT_UNMAP, BASE, RIG_PAGE, RIG_PAGE,
             rx);
    assert_in_range(rig->fault.age_ns, 12300, 1000000);
    assert_says(rig->sentence, "It was unmapped ");
    assert_says(rig->sentence, " before by nvme-rx.");
    rig_drop(rig, 0, d);
}

static void a_fault_says_that_it_never_was_mapped(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);

    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_NEVER);
    map_page(d, BASE, page);
    for (unsigned i = 1; i < EVENTS; i++)
        fault_at(rig, BASE + i * RIG_PAGE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_NEVER);
    assert_int_equal(rig->fault.event.sequence, 0);
    assert_says(rig->sentence, "the nearest mapping below ends");
    assert_says(rig->sentence, "It never was mapped.");
    rig_drop(rig, 0, d);
}

static void a_fault_says_who_mapped_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);

    uiommu_recorder_tag(d, "nvme-tx");
    rig_ok(uiommu_map(d, BASE, page, RIG_PAGE, UIOMMU_READ));
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_MAPPED);
    is_event(&rig->fault.event, UIOMMU_EVENT_MAP, BASE, RIG_PAGE, RIG_PAGE,
             rig->fault.event.tag);
    assert_says(rig->sentence, "It was mapped ");
    assert_says(rig->sentence, " before by nvme-tx.");
    rig_drop(rig, 0, d);
}

/* It remembers the last EVENTS, and says so. */
static void a_fault_says_how_far_memory_goes(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);

    map_page(d, BASE, page);
    unmap(d, BASE, RIG_PAGE);
    for (unsigned i = 1; i < 3 * EVENTS; i++) {
        uint8_t history;

        map_page(d, BASE + i * RIG_PAGE, page);
        fault_at(rig, BASE);
        history = i < EVENTS ? UIOMMU_HISTORY_UNMAPPED : UIOMMU_HISTORY_OLDER;
        assert_int_equal(rig->fault.history, history);
        assert_int_equal(rig->fault.event.sequence,
                         i < EVENTS ? 2 : i + 2 - EVENTS + 1);
    }
    assert_says(rig->sentence, "nobody mapped or unmapped it; the recorder "
                               "does not reach back further");
    rig_drop(rig, 0, d);
}

/* A range with holes was unmapped: that may not have been it. */
static void a_hole_that_was_unmapped_never_was_mapped(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);

    map_page(d, BASE, page);
    unmap(d, BASE, 4 * RIG_PAGE);
    fault_at(rig, BASE + RIG_PAGE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_NEVER);
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_UNMAPPED);
    assert_int_equal(rig->fault.event.sequence, 2);
    map_page(d, BASE + RIG_PAGE, page);
    unmap(d, BASE, 4 * RIG_PAGE);
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.event.sequence, 2);
    fault_at(rig, BASE + RIG_PAGE);
    assert_int_equal(rig->fault.event.sequence, 4);
    rig_drop(rig, 0, d);
}

static void what_is_gathered_is_unmapped(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached(rig, EVENTS);
    struct uiommu_gather g = UIOMMU_GATHER_INIT;

    map_page(d, BASE, page);
    rig_ok(uiommu_unmap_gather(d, BASE, RIG_PAGE, &g));
    rig_ok(uiommu_sync(&g));
    fault_at(rig, BASE);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_UNMAPPED);
    assert_int_equal(rig->fault.event.kind, UIOMMU_EVENT_GATHER);
    rig_drop(rig, 0, d);
}

static bool with_memory(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.default_events = EVENTS;
    return true;
}

static void the_dma_layer_remembers_too(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova));
    assert_true(rig_reaches(rig, 0, iova, page));
    uiommu_recorder_tag(uiommu_endpoint_domain(ep), "driver");
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    fault_at(rig, iova);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_UNMAPPED);
    assert_says(rig->sentence, " before by driver.");
    rig_ok(uiommu_dma_stop(ep));
}

static void default_domains_may_have_too_many(struct rig *rig)
{
    rig->setup.default_events = UIOMMU_EVENTS_MOST + 1;
    rig_is(rig_create(rig), UIOMMU_INVAL);
    assert_null(rig->u);
}

static const struct rig_test tests[] = {
    RIG_TEST(every_change_is_an_event),
    RIG_TEST(what_failed_is_none),
    RIG_TEST(domains_remember_nothing_by_themselves),
    RIG_TEST(there_may_be_too_many),
    RIG_TEST(old_events_are_forgotten),
    RIG_TEST(it_is_read_from_anywhere),
    RIG_TEST(a_fault_says_who_unmapped_it),
    RIG_TEST(a_fault_says_that_it_never_was_mapped),
    RIG_TEST(a_fault_says_who_mapped_it),
    RIG_TEST(a_fault_says_how_far_memory_goes),
    RIG_TEST(a_hole_that_was_unmapped_never_was_mapped),
    RIG_TEST(what_is_gathered_is_unmapped),
    RIG_TEST_ON(the_dma_layer_remembers_too, with_memory),
    RIG_COLD(default_domains_may_have_too_many),
    { 0 },
};

int main(void)
{
    return rig_run("flight recorder", tests);
}
