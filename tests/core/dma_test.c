/* SPDX-License-Identifier: MIT */
/*
 * dma_test.c - DMA for drivers of the host: maps and unmaps, at addresses that uiommu
 * chooses, whatever else happens (semantics B.12).
 */
#include "tests/core/dma.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/core.h"

static const char OWNER[] = "owner";

/* ---- map and unmap ----------------------------------------------------------------- */

static void a_driver_maps_and_unmaps(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova, again;

    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_NOT_SAID);
    assert_true(rig_refused(rig, 0, page));
    iova = mapped(ep, page, RIG_PAGE);
    assert_true(rig_reaches(rig, 0, iova, page));
    assert_true(rig_refused(rig, 1, iova));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    assert_true(rig_refused(rig, 0, iova));
    again = mapped(ep, page, RIG_PAGE);
    assert_int_equal(again, iova);
    rig_ok(uiommu_dma_unmap(ep, again, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    assert_int_equal(mode(ep).owned_by, UIOMMU_OWNED_BY_NOBODY);
}

static void rights_are_those_asked_for(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova = NOWHERE;

    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, UIOMMU_READ, &iova));
    assert_int_equal(rights(rig, 0, iova), UIOMMU_READ);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, 0, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, 1u << 31 | RIG_RW, &iova),
           UIOMMU_INVAL);
    rig_ok(uiommu_dma_stop(ep));
}

/* Buffers begin and end anywhere; two in one page are two mappings. */
static void buffers_need_not_be_aligned(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t pages = rig_pages(rig, 1);
    uint64_t a, b;

    rig_ok(uiommu_dma_start(ep, NULL));
    a = mapped(ep, pages + RIG_PAGE - 8, 16);
    b = mapped(ep, pages + 0x128, 0x40);
    assert_int_equal(a % RIG_PAGE, RIG_PAGE - 8);
    assert_int_equal(b % RIG_PAGE, 0x128);
    assert_true(rig_reaches(rig, 0, a, pages + RIG_PAGE - 8));
    assert_true(rig_reaches(rig, 0, a + 8, pages + RIG_PAGE));
    assert_true(rig_reaches(rig, 0, b, pages + 0x128));
    assert_true(rig_refused(rig, 0, (a | 0xfff) + RIG_PAGE + 1));
    rig_is(uiommu_dma_unmap(ep, a, 4), UIOMMU_INVAL);
    rig_ok(uiommu_dma_unmap(ep, a, 16));
    assert_true(rig_refused(rig, 0, a));
    assert_true(rig_refused(rig, 0, a + 8));
    assert_true(rig_reaches(rig, 0, b, pages + 0x128));
    rig_ok(uiommu_dma_unmap(ep, b, 0x40));
    rig_ok(uiommu_dma_stop(ep));
}

static void what_was_not_mapped_is_not_unmapped(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_endpoint *other = rig_endpoint(rig, 1);
    const uint64_t pages = rig_pages(rig, 1);
    uint64_t iova;

    rig_is(uiommu_dma_unmap(ep, RIG_PAGE, RIG_PAGE), UIOMMU_INVAL);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_start(other, NULL));
    iova = mapped(ep, pages, 2 * RIG_PAGE);
    rig_is(uiommu_dma_unmap(ep, iova, RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(ep, iova, 3 * RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(ep, iova + RIG_PAGE, RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(ep, iova - RIG_PAGE, 3 * RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(ep, iova, 0), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(ep, iova, UINT64_MAX), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(other, iova, 2 * RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_dma_unmap(NULL, iova, 2 * RIG_PAGE), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 0, iova + RIG_PAGE, pages + RIG_PAGE));
    rig_ok(uiommu_dma_unmap(ep, iova, 2 * RIG_PAGE));
    rig_is(uiommu_dma_unmap(ep, iova, 2 * RIG_PAGE), UIOMMU_INVAL);
    rig_ok(uiommu_dma_stop(other));
    rig_ok(uiommu_dma_stop(ep));
    rig_is(uiommu_dma_unmap(ep, iova, RIG_PAGE), UIOMMU_INVAL);
}

static void malformed_maps_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0), far = UINT64_C(1) << 52;
    uint64_t iova = NOWHERE;

    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova), UIOMMU_INVAL);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_is(uiommu_dma_map(NULL, page, RIG_PAGE, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, NULL), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, page, 0, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, page, UINT64_MAX, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, 0, UINT64_MAX, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, far, RIG_PAGE, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, UINT64_MAX, 1, RIG_RW, &iova), UIOMMU_INVAL);
    assert_int_equal(iova, NOWHERE);
    rig_ok(uiommu_dma_stop(ep));
}

/* What the host puts there by itself, in no region: another place is found. */
static void a_mapping_of_the_host_is_left_alone(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    uint64_t next, other;

    rig_ok(uiommu_dma_start(ep, NULL));
    d = uiommu_endpoint_domain(ep);
    next = mapped(ep, page, RIG_PAGE);
    rig_ok(uiommu_dma_unmap(ep, next, RIG_PAGE));
    map_page(d, next, page);
    other = mapped(ep, page, RIG_PAGE);
    assert_int_equal(other, next - RIG_PAGE);
    assert_true(rig_reaches(rig, 0, next, page));
    assert_true(rig_reaches(rig, 0, other, page));
    rig_ok(uiommu_dma_unmap(ep, other, RIG_PAGE));
    rig_is(uiommu_dma_unmap(ep, next, RIG_PAGE), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 0, next, page));
    rig_ok(uiommu_unmap(d, next, RIG_PAGE, NULL));
    rig_ok(uiommu_dma_stop(ep));
}

static void an_address_is_free_when_nobody_reaches_it(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    uint64_t iova;

    let_meddle(rig);
    up(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    iova = mapped(ep, 0, RIG_PAGE);
    assert_true(lands(rig, 0, iova, UIOMMU_READ) == 0);
    unmap_beside(ep, iova);
    assert_int_equal(mapped(ep, 0, RIG_PAGE), iova);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_unmap(ep, beside.other, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
}

static void maps_are_callable_where_nobody_may_sleep(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    struct sim_counts before, after;
    uint64_t iova[200];

    rig_ok(uiommu_dma_start(ep, NULL));
    sim_atomic(rig->m, true);
    for (unsigned i = 0; i < 200; i++)
        iova[i] = mapped(ep, page, RIG_PAGE);
    sim_counts(rig->m, &before);
    for (unsigned i = 0; i < 200; i += 2)
        rig_ok(uiommu_dma_unmap(ep, iova[i], RIG_PAGE));
    for (unsigned i = 0; i < 200; i += 2)
        iova[i] = mapped(ep, page, RIG_PAGE);
    sim_counts(rig->m, &after);
    assert_int_equal(after.pages, before.pages); /* none was forgotten */
    for (unsigned i = 0; i < 200; i++)
        rig_ok(uiommu_dma_unmap(ep, iova[i], RIG_PAGE));
    sim_atomic(rig->m, false);
    rig_ok(uiommu_dma_stop(ep));
}

/* ---- sleep, failure ------------------------------------------------------------------------ */

static void asleep_nothing_is_taken_away(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;

    rig_ok(uiommu_dma_start(ep, NULL));
    iova = mapped(ep, page, RIG_PAGE);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_AGAIN);
    rig_is(uiommu_dma_stop(ep), UIOMMU_AGAIN);
    rig_is(uiommu_dma_unmap(ep, iova, RIG_PAGE), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_reaches(rig, 0, iova, page));
    assert_true(mapped(ep, page, RIG_PAGE) != iova);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    assert_true(rig_refused(rig, 0, iova));
    rig_ok(uiommu_dma_stop(ep));
}

/* Its driver may go meanwhile. */
static void in_a_reset_nothing_is_started(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;

    rig_ok(uiommu_device_reset_begin(device));
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_BUSY);
    rig_ok(uiommu_device_reset_end(device, true));
    rig_ok(uiommu_dma_start(ep, NULL));
    iova = mapped(ep, page, RIG_PAGE);
    rig_ok(uiommu_device_reset_begin(device));
    assert_true(rig_refused(rig, 0, iova));
    assert_int_equal(mode(ep).sees, UIOMMU_DOMAIN_BLOCKED);
    rig_ok(uiommu_device_reset_end(device, true));
    assert_true(rig_reaches(rig, 0, iova, page));
    rig_ok(uiommu_device_reset_begin(device));
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_device_reset_end(device, true));
    assert_true(rig_refused(rig, 0, iova));
}

/* There is one address: it is not given out again. */
static void what_was_not_confirmed_is_not_used_again(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, 2 * RIG_PAGE - 1));
    iova = mapped(ep, page, RIG_PAGE);
    assert_true(rig_reaches(rig, 0, iova, page));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_dma_unmap(ep, iova, RIG_PAGE), UIOMMU_TIMEDOUT);
    rig_is(uiommu_dma_unmap(ep, iova, RIG_PAGE), UIOMMU_INVAL);
    assert_true(mode(ep).quarantined && mode(ep).unit_broken);
    assert_int_equal(mode(ep).sees, UIOMMU_DOMAIN_BLOCKED);
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova), UIOMMU_NOSPC);
    rig_ok(uiommu_dma_stop(ep));
}

static bool caches_holes_in_a_hurry(struct rig *rig, const char **why)
{
    hurry(rig);
    rig->config.caching_mode = true;
    return rig_does(rig, RIG_HOLES, why);
}

static void what_was_not_noticed_is_not_used_again(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    uint64_t iova = NOWHERE;

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, 2 * RIG_PAGE - 1));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_dma_map(ep, 0, RIG_PAGE, RIG_RW, &iova), UIOMMU_TIMEDOUT);
    assert_int_equal(iova, NOWHERE);
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    rig_is(uiommu_dma_map(ep, 0, RIG_PAGE, RIG_RW, &iova), UIOMMU_NOSPC);
    rig_ok(uiommu_dma_stop(ep));
}

static void a_start_that_times_out_starts_nothing(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    if (uiommu_dma_start(ep, NULL) == UIOMMU_OK) /* nothing was asked of it */
        rig_is(uiommu_dma_stop(ep), UIOMMU_TIMEDOUT);
    rig_is(uiommu_dma_stop(ep), UIOMMU_INVAL);
    assert_true(rig_refused(rig, 0, 0));
    assert_int_equal(mode(ep).owned_by, UIOMMU_OWNED_BY_NOBODY);
    uim_check_silent(sim_door(rig->m), false);
}

static enum uiommu_status try_start(struct rig *rig, void *ctx)
{
    (void)ctx;
    return uiommu_dma_start(rig_endpoint(rig, 0), NULL);
}

static enum uiommu_status try_map(struct rig *rig, void *ctx)
{
    return uiommu_dma_map(rig_endpoint(rig, 0), 0, RIG_PAGE, RIG_RW, ctx);
}

/* Beside tests/failing, which has no turn where an address space is new. */
static void failures_leave_no_trace(struct rig *rig)
{
    uint64_t iova = NOWHERE;

    fails_without_trace(rig, try_start, NULL);
    fails_without_trace(rig, try_map, &iova);
    assert_int_equal(lands(rig, 0, iova, UIOMMU_READ), 0);
    rig_ok(uiommu_dma_unmap(rig_endpoint(rig, 0), iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
}

/* What nobody stopped goes with the instance: its tables are the next owner's. */
static void what_is_handed_over_leaks_nothing(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const struct uiommu_record *record;
    uint64_t iova;
    size_t size;

    rig_ok(uiommu_dma_start(ep, NULL));
    iova = mapped(ep, 0, RIG_PAGE);
    rig_ok(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS, &record,
                            &size));
    memset(rig->device, 0, sizeof(rig->device));
    rig->started = false;
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_true(sim_hand_over(rig->m) > 0);
    sim_reclaim(rig->m);
    rig->dirty = true; /* the unit goes on with tables that are gone */
    (void)iova;
}

static bool is_left(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_ADOPTION, why);
}

/* ---- with a PASID ------------------------------------------------------------------------ */

static bool with_pasids(struct rig *rig, const char **why)
{
    *why = "the unit has no PASIDs in this mode";
    rig->config.engine_caps = SIM_PASID;
    return rig->config.mode != SIM_LEGACY && rig->config.mode != SIM_STAGE_2;
}

static void a_driver_of_the_host_uses_a_pasid(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0), *ep;
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;
    uint32_t pasid;

    rig_ok(uiommu_pasid_create(own, NULL, &ep));
    pasid = uiommu_endpoint_pasid(ep);
    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_NOT_SAID);
    iova = mapped(ep, page, RIG_PAGE);
    assert_int_equal(lands_with(rig, 0, pasid, iova, UIOMMU_WRITE), page);
    assert_int_equal(lands(rig, 0, iova, UIOMMU_WRITE), NOWHERE);
    rig_ok(uiommu_dma_start(own, NULL));
    assert_true(uiommu_endpoint_domain(own) != uiommu_endpoint_domain(ep));
    assert_int_equal(lands(rig, 0, iova, UIOMMU_WRITE), NOWHERE);
    rig_is(uiommu_dma_unmap(own, iova, RIG_PAGE), UIOMMU_INVAL);
    rig_is(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_is(uiommu_pasid_destroy(ep, true), UIOMMU_BUSY);
    rig_is(uiommu_claim(own, OWNER), UIOMMU_BUSY);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    assert_int_equal(lands_with(rig, 0, pasid, iova, UIOMMU_WRITE), NOWHERE);
    iova = mapped(ep, page, RIG_PAGE);
    rig_ok(uiommu_dma_stop(ep));
    assert_int_equal(lands_with(rig, 0, pasid, iova, UIOMMU_WRITE), NOWHERE);
    rig_ok(uiommu_dma_stop(own));
    rig_ok(uiommu_pasid_destroy(ep, true));
}

static void a_pasid_of_somebody_is_not_started(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0), *ep;
    struct uiommu_domain *d = rig_domain(rig, 0);

    rig_ok(uiommu_pasid_create(own, NULL, &ep));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_BUSY);
    rig_ok(uiommu_dma_start(own, NULL));
    rig_ok(uiommu_dma_stop(own));
    assert_ptr_equal(uiommu_endpoint_domain(ep), d);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* ---- threads ---------------------------------------------------------------------------- */

enum { THREADS = 3, ROUNDS = 60, AT_ONCE = 5 };

struct driver {
    struct rig *rig;
    struct uiommu_endpoint *ep;
    uint64_t phys;
    unsigned dev, index;
    _Atomic unsigned *wrong;
    pthread_t id;
};

static bool writes(struct driver *d, uint64_t iova)
{
    uint64_t value = iova;

    return machine_dma(d->rig->m, d->dev, true, iova, &value, sizeof(value)) ==
           MACHINE_DMA_DONE;
}

/* Maps some, reaches all, unmaps them; meanwhile others do, and start and stop. */
static void *drive(void *ctx)
{
    struct driver *d = ctx;
    uint64_t iova[AT_ONCE] = { 0 };
    unsigned wrong = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t size = (1 + (i + d->index) % 3) * (uint64_t)RIG_PAGE;

        wrong += uiommu_dma_start(d->ep, NULL) != UIOMMU_OK;
        for (unsigned j = 0; j < AT_ONCE; j++)
            wrong += uiommu_dma_map(d->ep, d->phys, size, RIG_RW, &iova[j]) !=
                     UIOMMU_OK;
        for (unsigned j = 0; j < AT_ONCE; j++)
            wrong += !writes(d, iova[j] + size - RIG_PAGE);
        for (unsigned j = 0; j < AT_ONCE; j++)
            wrong += uiommu_dma_unmap(d->ep, iova[j], size) != UIOMMU_OK;
        wrong += uiommu_dma_stop(d->ep) != UIOMMU_OK;
    }
    *d->wrong += wrong;
    return NULL;
}

static void drivers_do_not_get_in_each_others_way(struct rig *rig)
{
    struct driver d[THREADS];
    _Atomic unsigned wrong = 0;
    struct sim_counts before, after;

    rig_ok(uiommu_dma_start(rig_endpoint(rig, 0), NULL));
    sim_counts(rig->m, &before);
    for (unsigned i = 0; i < THREADS; i++) {
        d[i] = (struct driver){ .rig = rig,
                                .ep = rig_endpoint(rig, 0),
                                .phys = rig_pages(rig, 2),
                                .dev = rig_engine(rig, 0),
                                .index = i,
                                .wrong = &wrong };
        assert_int_equal(pthread_create(&d[i].id, NULL, drive, &d[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(d[i].id, NULL), 0);
    assert_int_equal(wrong, 0);
    sim_counts(rig->m, &after);
    assert_int_equal(after.bytes, before.bytes);
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST(a_driver_maps_and_unmaps),
        RIG_TEST(rights_are_those_asked_for),
        RIG_TEST(buffers_need_not_be_aligned),
        RIG_TEST(what_was_not_mapped_is_not_unmapped),
        RIG_TEST(malformed_maps_are_refused),
        RIG_TEST(a_mapping_of_the_host_is_left_alone),
        RIG_COLD(an_address_is_free_when_nobody_reaches_it),
        RIG_TEST(maps_are_callable_where_nobody_may_sleep),
        RIG_TEST(asleep_nothing_is_taken_away),
        RIG_TEST(in_a_reset_nothing_is_started),
        RIG_TEST_ON(what_was_not_confirmed_is_not_used_again, in_a_hurry),
        RIG_TEST_ON(what_was_not_noticed_is_not_used_again,
                    caches_holes_in_a_hurry),
        RIG_TEST_ON(a_start_that_times_out_starts_nothing, in_a_hurry),
        RIG_TEST(failures_leave_no_trace),
        RIG_TEST_ON(what_is_handed_over_leaks_nothing, is_left),
        RIG_TEST_ON(a_driver_of_the_host_uses_a_pasid, with_pasids),
        RIG_TEST_ON(a_pasid_of_somebody_is_not_started, with_pasids),
        RIG_TEST(drivers_do_not_get_in_each_others_way),
        { .name = NULL },
    };

    return rig_run("dma", tests);
}
