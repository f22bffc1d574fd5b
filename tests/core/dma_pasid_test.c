/* SPDX-License-Identifier: MIT */
/*
 * dma_pasid_test.c - a driver of the host whose device sends a PASID: addresses that uiommu
 * chooses, beside those of what carries none and of other PASIDs (semantics S0.17). All of
 * them choose the same addresses for different memory.
 */
#include "tests/core/dma.h"
#include "tests/core/lookout.h"

#include "core/core.h"

/* ---- machines and steps ----------------------------------------------------------------- */

static bool with_pasids(struct rig *rig, const char **why)
{
    *why = "the unit has no PASIDs in this mode";
    rig->config.engine_caps |= SIM_PASID;
    return rig->config.mode != SIM_LEGACY && rig->config.mode != SIM_STAGE_2;
}

static bool with_pasids_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_pasids(rig, why);
}

static bool with_pasids_in_a_hurry(struct rig *rig, const char **why)
{
    return in_a_hurry(rig, why) && with_pasids(rig, why);
}

enum { NONE, ONE, TWO, DRIVERS };

/* Drivers of one function: of what carries no PASID, and of two. */
struct bench {
    struct rig *rig;
    struct uiommu_endpoint *ep[DRIVERS];
    uint64_t page[DRIVERS], iova; /* where each of them has it               */
};

static uint32_t number(const struct bench *b, unsigned i)
{
    return uiommu_endpoint_pasid(b->ep[i]);
}

static uint64_t use(struct bench *b, unsigned i)
{
    const uint64_t iova = mapped(b->ep[i], b->page[i], RIG_PAGE);

    if (b->iova != NOWHERE)
        assert_int_equal(iova, b->iova);
    return iova;
}

static void open_bench(struct rig *rig, struct bench *b)
{
    *b = (struct bench){ .rig = rig, .iova = NOWHERE };
    b->ep[NONE] = rig_endpoint(rig, 0);
    for (unsigned i = NONE; i < DRIVERS; i++) {
        b->page[i] = rig_pages(rig, 0);
        if (i != NONE)
            rig_ok(uiommu_pasid_create(b->ep[NONE], NULL, &b->ep[i]));
    }
}

/* `but` has not begun. */
static void start_all(struct bench *b, unsigned but)
{
    for (unsigned i = NONE; i < DRIVERS; i++) {
        if (i == but)
            continue;
        rig_ok(uiommu_dma_start(b->ep[i], NULL));
        b->iova = use(b, i);
    }
}

static void close_bench(struct bench *b)
{
    rig_ok(uiommu_pasid_destroy(b->ep[ONE], true));
    rig_ok(uiommu_pasid_destroy(b->ep[TWO], true));
}

static void stop_all(struct bench *b)
{
    for (unsigned i = NONE; i < DRIVERS; i++)
        rig_ok(uiommu_dma_stop(b->ep[i]));
    close_bench(b);
}

static bool reaches(const struct bench *b, unsigned i)
{
    return rig_pasid_reaches(b->rig, 0, number(b, i), b->iova, b->page[i]);
}

static bool refused(const struct bench *b, unsigned i)
{
    return rig_pasid_refused(b->rig, 0, number(b, i), b->iova);
}

/* ---- beside each other -------------------------------------------------------------------- */

static void the_same_address_is_a_different_page_for_each(struct rig *rig)
{
    struct bench b;

    open_bench(rig, &b);
    start_all(&b, DRIVERS);
    for (unsigned i = NONE; i < DRIVERS; i++) {
        for (unsigned j = NONE; j < DRIVERS; j++)
            assert_true(reaches(&b, j));
        rig_ok(uiommu_dma_unmap(b.ep[i], b.iova, RIG_PAGE));
        rig_is(uiommu_dma_unmap(b.ep[i], b.iova, RIG_PAGE), UIOMMU_INVAL);
        for (unsigned j = NONE; j < DRIVERS; j++)
            assert_true(j == i ? refused(&b, j) : reaches(&b, j));
        (void)use(&b, i);
    }
    stop_all(&b);
    for (unsigned i = NONE; i < DRIVERS; i++)
        assert_true(
            rig_pasid_refused(rig, 0, i == NONE ? UIOMMU_NO_PASID : i, b.iova));
}

/* Each map and unmap of one in turn, judged by what the device reaches. */
static void many_addresses_come_and_go_for_each(struct rig *rig)
{
    enum { SLOTS = 6, STEPS = 120 };
    uint64_t iova[DRIVERS][SLOTS] = { 0 }, seed = 12345;
    const uint64_t page = rig_pages(rig, 3);
    struct bench b;

    open_bench(rig, &b);
    for (unsigned i = NONE; i < DRIVERS; i++)
        rig_ok(uiommu_dma_start(b.ep[i], NULL));
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned i = pick(&seed, DRIVERS), slot = pick(&seed, SLOTS);
        const uint64_t phys = page + slot * RIG_PAGE;
        uint64_t *at = &iova[i][slot];

        if (*at == 0) {
            *at = mapped(b.ep[i], phys, RIG_PAGE);
            assert_true(rig_pasid_reaches(rig, 0, number(&b, i), *at, phys));
            continue;
        }
        assert_true(rig_pasid_reaches(rig, 0, number(&b, i), *at, phys));
        rig_ok(uiommu_dma_unmap(b.ep[i], *at, RIG_PAGE));
        assert_true(rig_pasid_refused(rig, 0, number(&b, i), *at));
        *at = 0;
    }
    stop_all(&b);
    rig->faults = 0;
}

/* Some units have pass-through for PASIDs. */
static void identity_is_started_where_pasids_have_it(struct rig *rig)
{
    const bool can = rig->u->unit[0]->pasid_identity;
    struct bench b;

    open_bench(rig, &b);
    rig_is(start_as(b.ep[ONE], UIOMMU_DMA_IDENTITY, 0),
           can ? UIOMMU_OK : UIOMMU_OPNOTSUPP);
    if (can) {
        b.iova = use(&b, ONE);
        assert_int_equal(b.iova, b.page[ONE]);
        assert_true(reaches(&b, ONE) && refused(&b, NONE));
        rig_ok(uiommu_dma_stop(b.ep[ONE]));
    }
    b.iova = b.page[ONE];
    assert_true(refused(&b, ONE));
    close_bench(&b);
}

/* ---- store by store ------------------------------------------------------------------------- */

/* What one is given or loses, and that nobody else notices. */
static void watch_all(struct lookout *l, const struct bench *b, unsigned one,
                      uint64_t old, uint64_t new)
{
    for (unsigned i = NONE; i < DRIVERS; i++) {
        const bool is = i == one;

        watch_pasid(l, b->rig, 0, number(b, i), b->iova, is ? old : b->page[i],
                    is ? new : b->page[i]);
    }
    watch_pasid(l, b->rig, 0, 9, b->iova, NOWHERE, NOWHERE);
    watch_dma(l, b->rig, 1, b->iova, NOWHERE, NOWHERE);
}

#define WATCHED(b, one, old, new, step)                                        \
    do {                                                                       \
        struct lookout l_ = { .n = 0 };                                        \
                                                                               \
        watch_all(&l_, b, one, old, new);                                      \
        begin((b)->rig, &l_);                                                  \
        step;                                                                  \
        end((b)->rig, &l_);                                                    \
    } while (0)

/* From the start to the stop, which takes back what the driver left. */
static void nobody_notices_what_one_driver_does(struct rig *rig)
{
    for (unsigned one = NONE; one < DRIVERS; one++) {
        struct bench b;

        open_bench(rig, &b);
        start_all(&b, one);
        WATCHED(&b, one, NOWHERE, NOWHERE,
                rig_ok(uiommu_dma_start(b.ep[one], NULL)));
        WATCHED(&b, one, NOWHERE, b.page[one], (void)use(&b, one));
        WATCHED(&b, one, b.page[one], NOWHERE,
                rig_ok(uiommu_dma_unmap(b.ep[one], b.iova, RIG_PAGE)));
        WATCHED(&b, one, NOWHERE, b.page[one], (void)use(&b, one));
        WATCHED(&b, one, b.page[one], NOWHERE,
                rig_ok(uiommu_dma_stop(b.ep[one])));
        rig_ok(uiommu_dma_start(b.ep[one], NULL));
        stop_all(&b);
    }
}

static void an_address_is_free_when_no_pasid_reaches_it(struct rig *rig)
{
    struct bench b;

    let_meddle(rig);
    up(rig);
    open_bench(rig, &b);
    rig_ok(uiommu_dma_start(b.ep[ONE], NULL));
    b.iova = use(&b, ONE);
    assert_true(reaches(&b, ONE));
    unmap_beside(b.ep[ONE], b.iova);
    (void)use(&b, ONE);
    rig_ok(uiommu_dma_stop(b.ep[ONE]));
    close_bench(&b);
}

/* ---- failure -------------------------------------------------------------------------------- */

static enum uiommu_status try_start(struct rig *rig, void *ctx)
{
    const struct bench *b = ctx;

    (void)rig;
    return uiommu_dma_start(b->ep[ONE], NULL);
}

static enum uiommu_status try_map(struct rig *rig, void *ctx)
{
    struct bench *b = ctx;

    (void)rig;
    return uiommu_dma_map(b->ep[ONE], b->page[ONE], RIG_PAGE, RIG_RW, &b->iova);
}

/* Beside tests/failing, which has no turn where an address space is new. */
static void failures_with_a_pasid_leave_no_trace(struct rig *rig)
{
    struct bench b;

    open_bench(rig, &b);
    rig_ok(uiommu_dma_start(b.ep[NONE], NULL));
    b.iova = use(&b, NONE);
    fails_without_trace(rig, try_start, &b);
    assert_true(reaches(&b, NONE));
    assert_true(refused(&b, ONE));
    b.iova = NOWHERE;
    fails_without_trace(rig, try_map, &b);
    assert_true(reaches(&b, ONE));
    assert_true(reaches(&b, NONE));
    rig_ok(uiommu_dma_stop(b.ep[NONE]));
    rig_ok(uiommu_dma_stop(b.ep[ONE]));
    close_bench(&b);
}

/* There is one address: it is not given out again. */
static void what_was_not_confirmed_with_a_pasid_is_lost(struct rig *rig)
{
    uint64_t iova = NOWHERE;
    struct bench b;

    open_bench(rig, &b);
    rig_ok(start_as(b.ep[ONE], UIOMMU_DMA_ANY, 2 * RIG_PAGE - 1));
    b.iova = use(&b, ONE);
    assert_true(reaches(&b, ONE));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_dma_unmap(b.ep[ONE], b.iova, RIG_PAGE), UIOMMU_TIMEDOUT);
    rig_is(uiommu_dma_unmap(b.ep[ONE], b.iova, RIG_PAGE), UIOMMU_INVAL);
    assert_true(mode(b.ep[ONE]).quarantined);
    assert_int_equal(mode(b.ep[ONE]).sees, UIOMMU_DOMAIN_BLOCKED);
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    rig_is(uiommu_dma_map(b.ep[ONE], b.page[ONE], RIG_PAGE, RIG_RW, &iova),
           UIOMMU_NOSPC);
    rig_ok(uiommu_dma_stop(b.ep[ONE]));
    close_bench(&b);
}

/* ---- resets, sleep, and the end ----------------------------------------------------------------- */

static void a_reset_and_a_sleep_keep_what_was_given(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct bench b;

    open_bench(rig, &b);
    start_all(&b, DRIVERS);
    rig_ok(uiommu_device_reset_begin(device));
    for (unsigned i = NONE; i < DRIVERS; i++)
        assert_true(refused(&b, i));
    rig_ok(uiommu_dma_unmap(b.ep[TWO], b.iova, RIG_PAGE));
    rig_ok(uiommu_device_reset_end(device, true));
    assert_true(reaches(&b, NONE) && reaches(&b, ONE) && refused(&b, TWO));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_dma_unmap(b.ep[ONE], b.iova, RIG_PAGE), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(reaches(&b, NONE) && reaches(&b, ONE) && refused(&b, TWO));
    stop_all(&b);
}

/* Its driver learns of it late. */
static void its_device_is_pulled_out(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct bench b;

    open_bench(rig, &b);
    rig_ok(uiommu_dma_start(b.ep[ONE], NULL));
    b.iova = use(&b, ONE);
    assert_true(reaches(&b, ONE));
    sim_unplug(rig->m, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    rig_is(uiommu_pasid_destroy(b.ep[ONE], true), UIOMMU_BUSY);
    rig_ok(uiommu_dma_unmap(b.ep[ONE], b.iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(b.ep[ONE]));
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_ptr_equal(uiommu_endpoint_domain(b.ep[ONE]), uiommu_blocked(rig->u));
    rig_is(uiommu_dma_start(b.ep[TWO], NULL), UIOMMU_NODEV);
    close_bench(&b);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(the_same_address_is_a_different_page_for_each, with_pasids),
        RIG_TEST_ON(the_same_address_is_a_different_page_for_each,
                    with_pasids_and_ats),
        RIG_TEST_ON(many_addresses_come_and_go_for_each, with_pasids),
        RIG_TEST_ON(many_addresses_come_and_go_for_each, with_pasids_and_ats),
        RIG_TEST_ON(identity_is_started_where_pasids_have_it, with_pasids),
        RIG_TEST_ON(nobody_notices_what_one_driver_does, with_pasids),
        RIG_TEST_ON(nobody_notices_what_one_driver_does, with_pasids_and_ats),
        RIG_COLD_ON(an_address_is_free_when_no_pasid_reaches_it, with_pasids),
        RIG_COLD_ON(an_address_is_free_when_no_pasid_reaches_it,
                    with_pasids_and_ats),
        RIG_TEST_ON(failures_with_a_pasid_leave_no_trace, with_pasids),
        RIG_TEST_ON(what_was_not_confirmed_with_a_pasid_is_lost,
                    with_pasids_in_a_hurry),
        RIG_TEST_ON(a_reset_and_a_sleep_keep_what_was_given, with_pasids),
        RIG_TEST_ON(its_device_is_pulled_out, with_pasids),
        { .name = NULL },
    };

    return rig_run("dma_pasid", tests);
}
