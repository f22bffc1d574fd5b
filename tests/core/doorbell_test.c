/* SPDX-License-Identifier: MIT */
/*
 * doorbell_test.c - doorbells that the core maps (semantics B.10): messages arrive in
 * whatever the device sees, at the address that it was told, and nowhere else.
 */
#include "tests/core/doorbells.h"

#include <uiommu/recorder.h>
#include <uiommu/request.h>

#define WINDOW      MIB(128)
#define WINDOW_LAST (MIB(129) - 1)
#define OTHER_START GIB(3)

/* ---- prepare ----------------------------------------------------------------------- */

static bool without_a_window(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_NO_DOORBELL_WINDOW;
    return translates_messages(rig, why);
}

static bool window_elsewhere(struct rig *rig, const char **why)
{
    rig->setup.doorbell_start = OTHER_START;
    rig->setup.doorbell_size = 0x10000;
    return translates_messages(rig, why);
}

/* ---- steps --------------------------------------------------------------------------- */

static uint64_t doorbell(struct rig *rig, unsigned n)
{
    uint64_t addr = 0;

    rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, n), SIM_TRANSLATER, &addr));
    return addr;
}

static void refused(struct rig *rig, unsigned n, uint64_t at,
                    enum uiommu_status status, const char *says)
{
    uint64_t addr = 1;

    rig_is(uiommu_irq_doorbell(rig_endpoint(rig, n), at, &addr), status);
    assert_int_equal(addr, 1);
    assert_says(sim_last_log(rig->m), says);
}

/* What the domain's tables lead to. */
static bool leads_to(struct uiommu_domain *d, uint64_t iova, uint64_t phys)
{
    struct uiommu_trace t;

    return uiommu_walk(d, iova, &t) == UIOMMU_OK && t.phys == phys;
}

/* ---- whoever chooses iovas ------------------------------------------------------------ */

static void a_message_arrives_where_it_was_told_to_go(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t addr;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    assert_false(arrives(rig, 0, WINDOW + 0x40));
    addr = doorbell(rig, 0);
    assert_int_equal(addr, WINDOW + 0x40);
    assert_true(arrives(rig, 0, addr));
    assert_false(arrives(rig, 0, SIM_TRANSLATER));
    assert_false(arrives(rig, 1, addr));
    assert_true(leads_to(d, WINDOW, SIM_DOORBELL));
    assert_false(leads_to(d, WINDOW + RIG_PAGE, SIM_DOORBELL + RIG_PAGE));
    rig_drop(rig, 0, d);
    assert_false(arrives(rig, 0, addr));
}

/* In a default domain, where the host has mapped something by itself. */
static void a_place_that_is_taken_is_left_out(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;
    uint64_t iova, page;

    find_and_start(rig);
    page = rig_pages(rig, 0);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    d = uiommu_endpoint_domain(ep);
    rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova));
    map_page(d, iova - RIG_PAGE, page);
    assert_int_equal(doorbell(rig, 0), iova - 2 * RIG_PAGE + 0x40);
    assert_true(arrives(rig, 0, iova - 2 * RIG_PAGE + 0x40));
    assert_true(rig_reaches(rig, 0, iova - RIG_PAGE, page));
    rig_ok(uiommu_unmap(d, iova - RIG_PAGE, RIG_PAGE, NULL));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
}

/* What was unmapped around the window may be remembered until it is synced. */
static void a_message_arrives_beside_what_is_not_synced(struct rig *rig)
{
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct uiommu_domain *d;
    uint64_t addr, page;

    find_and_start(rig);
    page = rig_pages(rig, 0);
    d = attached_with(rig, 0, WINDOW_LAST + 1, page); /* of the same table */
    assert_true(rig_reaches(rig, 0, WINDOW_LAST + 1, page));
    rig_ok(uiommu_unmap_gather(d, 0, last_iova(d) + 1, &g));
    addr = doorbell(rig, 0);
    assert_true(arrives(rig, 0, addr));
    rig_ok(uiommu_sync(&g));
    assert_true(arrives(rig, 0, addr));
    rig_drop(rig, 0, d);
}

static void it_goes_on_arriving_in_the_next_domain(struct rig *rig)
{
    struct uiommu_domain *a, *b;
    uint64_t addr;

    find_and_start(rig);
    a = rig_attached(rig, 0);
    addr = doorbell(rig, 0);
    b = rig_domain(rig, 0);
    assert_false(leads_to(b, WINDOW, SIM_DOORBELL));
    set(rig, 0, b);
    assert_true(arrives(rig, 0, addr));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_false(arrives(rig, 0, addr));
    set(rig, 0, a);
    assert_true(arrives(rig, 0, addr));
    assert_int_equal(doorbell(rig, 0), addr);
    uiommu_domain_put(b);
    rig_drop(rig, 0, a);
}

static void it_may_be_asked_for_before_there_is_a_domain(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t addr;

    find_and_start(rig);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    addr = doorbell(rig, 0);
    assert_int_equal(addr, WINDOW + 0x40);
    assert_false(arrives(rig, 0, addr));
    d = rig_domain(rig, 0);
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, rig));
    assert_true(arrives(rig, 0, addr));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
    assert_false(arrives(rig, 0, addr));
    uiommu_domain_put(d);
}

/* The next owner sets up its own. */
static void an_owner_that_goes_leaves_none(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t addr;

    find_and_start(rig);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    addr = doorbell(rig, 0);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
    d = rig_attached(rig, 0);
    assert_false(arrives(rig, 0, addr));
    assert_false(leads_to(d, WINDOW, SIM_DOORBELL));
    rig_drop(rig, 0, d);
}

static void two_that_ask_have_one_mapping(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t gone;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    assert_int_equal(doorbell(rig, 0), WINDOW + 0x40);
    assert_int_equal(doorbell(rig, 0), WINDOW + 0x40);
    set(rig, 1, d);
    assert_int_equal(doorbell(rig, 1), WINDOW + 0x40);
    for (uint64_t at = WINDOW + RIG_PAGE; at < WINDOW_LAST; at += RIG_PAGE)
        assert_false(leads_to(d, at, SIM_DOORBELL));
    assert_true(arrives(rig, 0, WINDOW + 0x40));
    assert_true(arrives(rig, 1, WINDOW + 0x40));
    rig_ok(uiommu_unmap(d, 0, last_iova(d) + 1, &gone));
    assert_int_equal(gone, 0);
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* ---- what is remembered of them -------------------------------------------------------- */

static enum uiommu_response
nobody_asks(void *ctx, const struct uiommu_request_group *group)
{
    (void)ctx, (void)group;
    return UIOMMU_RESPONSE_INVALID;
}

static struct uiommu_domain *remembering(struct rig *rig, bool answers)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .events = 16,
        .on_request = answers ? nobody_asks : NULL,
    };
    struct uiommu_domain *d = NULL;

    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d));
    return d;
}

static void is_doorbell_event(const struct uiommu_event *e, uint8_t kind)
{
    assert_int_equal(e->kind, kind);
    assert_int_equal(e->iova, WINDOW);
    assert_int_equal(e->size, RIG_PAGE);
    assert_int_equal(e->bytes, RIG_PAGE);
    assert_int_equal(e->phys, kind == UIOMMU_EVENT_MAP ? SIM_DOORBELL : 0);
}

/* Where pages can be written and not read. */
static void a_read_of_it_says_that_it_is_there(struct rig *rig)
{
    uint64_t value;

    if (rig_lacks(rig, RIG_WRITE_ONLY))
        return;
    assert_false(rig_read(rig, 0, WINDOW, &value));
    rig_poll(rig);
    assert_true(rig->fault.mapped);
    assert_int_equal(rig->fault.history, UIOMMU_HISTORY_MAPPED);
    is_doorbell_event(&rig->fault.event, UIOMMU_EVENT_MAP);
}

/* To unmap around it takes nothing from it. */
static void it_is_remembered_as_mapped(struct rig *rig)
{
    struct uiommu_domain *d;
    struct uiommu_event e[4];

    find_and_start(rig);
    d = remembering(rig, false);
    set(rig, 0, d);
    (void)doorbell(rig, 0);
    assert_int_equal(uiommu_recorder_read(d, 0, e, 4), 1);
    is_doorbell_event(&e[0], UIOMMU_EVENT_MAP);
    a_read_of_it_says_that_it_is_there(rig);
    map_page(d, WINDOW_LAST + 1, rig_pages(rig, 0));
    rig_ok(uiommu_unmap(d, 0, last_iova(d) + 1, NULL));
    assert_int_equal(uiommu_recorder_read(d, 0, e, 4), 3);
    a_read_of_it_says_that_it_is_there(rig);
    rig_drop(rig, 0, d);
}

/* Its device does not get to see it: nobody can ask for pages. */
static void it_is_remembered_as_undone(struct rig *rig)
{
    struct uiommu_domain *d;
    struct uiommu_event e[4];

    find_and_start(rig);
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    (void)doorbell(rig, 0);
    d = remembering(rig, true);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, rig), UIOMMU_OPNOTSUPP);
    assert_int_equal(uiommu_recorder_read(d, 0, e, 4), 2);
    is_doorbell_event(&e[0], UIOMMU_EVENT_MAP);
    is_doorbell_event(&e[1], UIOMMU_EVENT_UNMAP);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
    uiommu_domain_put(d);
}

/* Whatever is missing: the domain that it does not get to see is left as it was. */
static void a_set_that_fails_leaves_no_doorbell(struct rig *rig)
{
    struct uiommu_domain *d;
    enum uiommu_status status;
    unsigned nth = 0;

    find_and_start(rig);
    (void)doorbell(rig, 0);
    d = rig_domain(rig, 0);
    do {
        assert_false(leads_to(d, WINDOW, SIM_DOORBELL));
        sim_fail_nth(rig->m, ++nth);
        status = uiommu_set_domain(rig_endpoint(rig, 0), d, NULL);
        sim_fail_nth(rig->m, 0);
    } while (status == UIOMMU_NOMEM);
    rig_ok(status);
    assert_true(nth > 2); /* tables of the domain, and more */
    assert_true(arrives(rig, 0, WINDOW + 0x40));
    rig_drop(rig, 0, d);
}

static void on_identity_it_is_where_it_is(struct rig *rig)
{
    find_and_start(rig);
    set(rig, 0, uiommu_identity(rig->u));
    assert_int_equal(doorbell(rig, 0), SIM_TRANSLATER);
    assert_true(arrives(rig, 0, SIM_TRANSLATER));
    set(rig, 0, uiommu_blocked(rig->u));
}

/* ---- the window is nobody else's ------------------------------------------------------- */

static void nothing_else_is_mapped_in_the_window(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    rig_is(uiommu_map(d, WINDOW, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m),
                "0x8000000 to 0x80fffff is kept for doorbells");
    rig_is(uiommu_map(d, WINDOW_LAST - 0xfff, page, RIG_PAGE, RIG_RW),
           UIOMMU_INVAL);
    rig_is(uiommu_map(d, WINDOW - RIG_PAGE, 0, MIB(2), RIG_RW), UIOMMU_INVAL);
    rig_ok(uiommu_map(d, WINDOW - RIG_PAGE, page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_map(d, WINDOW_LAST + 1, page, RIG_PAGE, RIG_RW));
    rig_drop(rig, 0, d);
}

static void an_unmap_leaves_doorbells_where_they_are(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    uint64_t addr, gone = 1;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    addr = doorbell(rig, 0);
    rig_ok(uiommu_map(d, WINDOW - RIG_PAGE, page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_map(d, WINDOW_LAST + 1, page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_unmap(d, WINDOW, RIG_PAGE, &gone));
    assert_int_equal(gone, 0);
    assert_true(arrives(rig, 0, addr));
    rig_ok(uiommu_unmap(d, 0, last_iova(d) + 1, &gone));
    assert_int_equal(gone, 2 * RIG_PAGE);
    assert_true(arrives(rig, 0, addr));
    assert_true(rig_refused(rig, 0, WINDOW - RIG_PAGE));
    assert_true(rig_refused(rig, 0, WINDOW_LAST + 1));
    rig_drop(rig, 0, d);
}

/* What lies only partly in the range is looked for on both sides of the window. */
static void an_unmap_around_it_is_all_or_nothing(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    uint64_t gone;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    (void)doorbell(rig, 0);
    rig_ok(uiommu_map(d, MIB(4), page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_map(d, MIB(130), 0, MIB(2), RIG_RW));
    rig_is(uiommu_unmap(d, 0, MIB(131), NULL), UIOMMU_INVAL);
    assert_true(leads_to(d, MIB(4), page));
    assert_true(leads_to(d, MIB(130), 0));
    rig_ok(uiommu_unmap(d, 0, MIB(132), &gone));
    assert_int_equal(gone, MIB(2) + RIG_PAGE);
    rig_ok(uiommu_map(d, MIB(2), 0, MIB(2), RIG_RW));
    rig_ok(uiommu_map(d, MIB(130), 0, RIG_PAGE, RIG_RW));
    rig_is(uiommu_unmap(d, MIB(3), MIB(128), NULL), UIOMMU_INVAL);
    assert_true(leads_to(d, MIB(2), 0));
    assert_true(leads_to(d, MIB(130), 0));
    rig_drop(rig, 0, d);
}

static void the_window_is_where_the_host_wants_it(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    rig_ok(uiommu_map(d, WINDOW, page, RIG_PAGE, RIG_RW));
    rig_is(uiommu_map(d, OTHER_START, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    assert_int_equal(doorbell(rig, 0), OTHER_START + 0x40);
    assert_true(arrives(rig, 0, OTHER_START + 0x40));
    rig_drop(rig, 0, d);
}

static void a_window_may_be_full(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t addr;

    up(rig); /* no table names doorbells: any may be one */
    d = rig_attached(rig, 0);
    assert_int_equal(doorbell(rig, 0), OTHER_START + 0x40);
    refused(rig, 0, SIM_TRANSLATER + MIB(1), UIOMMU_NOSPC,
            "the window for doorbells is too small");
    assert_true(arrives(rig, 0, OTHER_START + 0x40));
    for (unsigned n = 0; n < 40; n++) /* none of these takes a number */
        refused(rig, 0, SIM_TRANSLATER + MIB(2) + MIB(n), UIOMMU_NOSPC,
                "the window for doorbells is too small");
    set(rig, 0, uiommu_identity(rig->u));
    for (unsigned n = 0; n < 40; n++) /* nor of these */
        rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, 0),
                                   SIM_TRANSLATER + MIB(100 + n), &addr));
    rig_drop(rig, 0, d);
    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    for (unsigned n = 1; n < 32; n++)
        rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, 0),
                                   SIM_TRANSLATER + MIB(n), &addr));
    refused(rig, 0, SIM_TRANSLATER + MIB(64), UIOMMU_NOSPC,
            "there are too many");
    rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, 0), SIM_TRANSLATER + MIB(1),
                               &addr));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
}

static void one_that_no_table_names_is_the_hosts_business(struct rig *rig)
{
    const uint64_t other = SIM_DOORBELL + 0x2010;
    struct uiommu_domain *d;
    uint64_t addr;

    up(rig);
    d = rig_attached(rig, 0);
    rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, 0), other, &addr));
    assert_int_equal(addr, WINDOW + 0x2010);
    assert_true(leads_to(d, addr, other));
    addr = doorbell(rig, 0);
    assert_int_equal(addr, WINDOW + 0x10040);
    assert_true(arrives(rig, 0, addr));
    rig_drop(rig, 0, d);
}

static void windows_that_cannot_be_are_refused(struct rig *rig)
{
    static const struct {
        uint64_t start, size;
        uint32_t flags;
        const char *says;
    } wrong[] = {
        { MIB(1), 0, 0, "has no size" },
        { MIB(1) + 0x1000, MIB(1), 0, "whole 64 KiB" },
        { MIB(1), 0x1000, 0, "whole 64 KiB" },
        { UINT64_MAX - 0xffff, 0x20000, 0, "wraps" },
        { MIB(1), MIB(1), UIOMMU_CONFIG_NO_DOORBELL_WINDOW, "and none" },
    };
    const uint32_t flags = rig->setup.flags;

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        rig->setup.doorbell_start = wrong[i].start;
        rig->setup.doorbell_size = wrong[i].size;
        rig->setup.flags = flags | wrong[i].flags;
        rig_is(rig_create(rig), UIOMMU_INVAL);
        assert_says(sim_last_log(rig->m), wrong[i].says);
    }
}

/* ---- who cannot have one --------------------------------------------------------------- */

static void who_asks_wrongly_is_told(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t addr;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    refused(rig, 0, SIM_DOORBELL - 1, UIOMMU_INVAL,
            "none of those that the firmware has");
    refused(rig, 0, SIM_DOORBELL + SIM_DOORBELL_SIZE, UIOMMU_INVAL,
            "none of those that the firmware has");
    rig_is(uiommu_irq_doorbell(NULL, SIM_TRANSLATER, &addr), UIOMMU_INVAL);
    rig_is(uiommu_irq_doorbell(rig_endpoint(rig, 0), SIM_TRANSLATER, NULL),
           UIOMMU_INVAL);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_irq_doorbell(rig_endpoint(rig, 0), SIM_TRANSLATER, &addr),
           UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    assert_false(leads_to(d, WINDOW, SIM_DOORBELL));
    rig_drop(rig, 0, d);
}

static void without_a_window_the_host_maps_them(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    rig_ok(uiommu_map(d, WINDOW, page, RIG_PAGE, RIG_RW));
    refused(rig, 0, SIM_TRANSLATER, UIOMMU_OPNOTSUPP,
            "the configuration has no window");
    rig_drop(rig, 0, d);
}

static void units_that_translate_none_have_none(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    const uint64_t page = rig_pages(rig, 0);

    refused(rig, 0, SIM_TRANSLATER, UIOMMU_OPNOTSUPP,
            "its unit does not translate them");
    assert_false(leads_to(d, WINDOW, SIM_DOORBELL));
    rig_ok(uiommu_map(d, WINDOW, page, RIG_PAGE, RIG_RW));
    rig_drop(rig, 0, d);
}

/* ---- default domains --------------------------------------------------------------------- */

static void a_default_domain_has_it_among_its_addresses(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    uint64_t addr, iova;

    find_and_start(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    addr = doorbell(rig, 0);
    assert_true(arrives(rig, 0, addr));
    assert_int_equal(doorbell(rig, 0), addr);
    assert_true(addr < WINDOW || addr > WINDOW_LAST);
    rig_ok(uiommu_dma_map(ep, rig_pages(rig, 0), RIG_PAGE, RIG_RW, &iova));
    assert_true(iova != addr - 0x40);
    rig_is(uiommu_dma_unmap(ep, addr - 0x40, RIG_PAGE), UIOMMU_INVAL);
    assert_true(arrives(rig, 0, addr));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    assert_false(arrives(rig, 0, addr));
}

/* All addresses are its own. */
static void a_default_domain_has_no_window(struct rig *rig)
{
    const struct uiommu_dma_config config = { .size = sizeof(config),
                                              .last_iova = WINDOW_LAST };
    struct uiommu_endpoint *ep;
    uint64_t addr;

    find_and_start(rig);
    ep = rig_endpoint(rig, 0);
    assert_int_equal(doorbell(rig, 0), WINDOW + 0x40); /* and asks again */
    rig_ok(uiommu_dma_start(ep, &config));
    addr = doorbell(rig, 0);
    assert_int_equal(addr, WINDOW_LAST - 0xfff + 0x40);
    assert_true(arrives(rig, 0, addr));
    assert_false(arrives(rig, 0, WINDOW + 0x40));
    rig_ok(uiommu_dma_stop(ep));
}

static void on_identity_a_driver_has_it_as_it_is(struct rig *rig)
{
    const struct uiommu_dma_config config = { .size = sizeof(config),
                                              .kind = UIOMMU_DMA_IDENTITY };
    struct uiommu_endpoint *ep;

    find_and_start(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, &config));
    assert_int_equal(doorbell(rig, 0), SIM_TRANSLATER);
    assert_true(arrives(rig, 0, SIM_TRANSLATER));
    rig_ok(uiommu_dma_stop(ep));
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_COLD_ON(a_place_that_is_taken_is_left_out, translates_messages),
        RIG_COLD_ON(a_message_arrives_beside_what_is_not_synced,
                    translates_messages),
        RIG_COLD_ON(a_message_arrives_where_it_was_told_to_go,
                    translates_messages),
        RIG_COLD_ON(it_goes_on_arriving_in_the_next_domain,
                    translates_messages),
        RIG_COLD_ON(it_may_be_asked_for_before_there_is_a_domain,
                    translates_messages),
        RIG_COLD_ON(an_owner_that_goes_leaves_none, translates_messages),
        RIG_COLD_ON(two_that_ask_have_one_mapping, translates_messages),
        RIG_COLD_ON(it_is_remembered_as_mapped, translates_messages),
        RIG_COLD_ON(it_is_remembered_as_undone, translates_messages),
        { .name = "a_set_that_fails_leaves_no_doorbell",
          .run = a_set_that_fails_leaves_no_doorbell,
          .prepare = translates_messages,
          .cold = true,
          .once = "it lets calls fail itself" },
        RIG_COLD_ON(on_identity_it_is_where_it_is, translates_messages),
        RIG_COLD_ON(nothing_else_is_mapped_in_the_window, translates_messages),
        RIG_COLD_ON(an_unmap_leaves_doorbells_where_they_are,
                    translates_messages),
        RIG_COLD_ON(an_unmap_around_it_is_all_or_nothing, translates_messages),
        RIG_COLD_ON(the_window_is_where_the_host_wants_it, window_elsewhere),
        RIG_COLD_ON(a_window_may_be_full, window_elsewhere),
        RIG_COLD_ON(one_that_no_table_names_is_the_hosts_business,
                    translates_messages),
        RIG_COLD(windows_that_cannot_be_are_refused),
        RIG_COLD_ON(who_asks_wrongly_is_told, translates_messages),
        RIG_COLD_ON(without_a_window_the_host_maps_them, without_a_window),
        RIG_TEST_ON(units_that_translate_none_have_none, has_a_window),
        RIG_COLD_ON(a_default_domain_has_it_among_its_addresses,
                    translates_messages),
        RIG_COLD_ON(a_default_domain_has_no_window, translates_messages),
        RIG_COLD_ON(on_identity_a_driver_has_it_as_it_is, translates_messages),
        { .name = NULL },
    };

    return rig_run("doorbells", tests);
}
