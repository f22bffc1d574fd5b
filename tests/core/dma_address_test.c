/* SPDX-License-Identifier: MIT */
/*
 * dma_address_test.c - which addresses drivers of the host get (semantics B.10, B.12).
 */
#include "tests/core/dma.h"

#define FIRST_4G UINT64_C(0xffffffff)

/* ---- which addresses ------------------------------------------------------------------ */

static void addresses_are_aligned_to_what_they_hold(struct rig *rig)
{
    static const struct {
        uint64_t size, align;
    } row[] = {
        { RIG_PAGE, RIG_PAGE },    { 3 * RIG_PAGE, 4 * RIG_PAGE },
        { 4 * RIG_PAGE, 16384 },   { 5 * RIG_PAGE, 32768 },
        { MIB(1) + 1, MIB(2) },    { MIB(2), MIB(2) },
        { MIB(5), MIB(2) },        { RIG_PAGE, RIG_PAGE },
        { 9 * RIG_PAGE, KIB(64) },
    };
    enum { ROWS = sizeof(row) / sizeof(row[0]) };
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    uint64_t iova[ROWS];

    rig_ok(uiommu_dma_start(ep, NULL));
    for (unsigned i = 0; i < ROWS; i++) {
        iova[i] = mapped(ep, MIB(64), row[i].size);
        assert_int_equal(iova[i] & (row[i].align - 1), 0);
        for (unsigned j = 0; j < i; j++)
            assert_true(iova[i] + row[i].size <= iova[j] ||
                        iova[j] + row[j].size <= iova[i]);
    }
    for (unsigned i = 0; i < ROWS; i++)
        rig_ok(uiommu_dma_unmap(ep, iova[i], row[i].size));
    rig_ok(uiommu_dma_stop(ep));
}

static void addresses_below_4_gib_come_first(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    uint64_t iova[8];
    unsigned below = 0;

    rig_ok(uiommu_dma_start(ep, NULL));
    for (unsigned i = 0; i < 8; i++) {
        iova[i] = mapped(ep, 0, MIB(768));
        if (iova[i] + MIB(768) - 1 <= FIRST_4G)
            below++;
        else
            assert_true(iova[i] > FIRST_4G && below > 0);
    }
    assert_in_range(below, 4, 5);
    for (unsigned i = 0; i < 8; i++)
        rig_ok(uiommu_dma_unmap(ep, iova[i], MIB(768)));
    rig_ok(uiommu_dma_stop(ep));
}

/* Of 1 MiB without the first page: 255. */
static void
a_device_with_few_address_bits_gets_what_it_can_send(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova = NOWHERE;

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, MIB(1) - 1));
    for (uint64_t i = 255; i > 0; i--)
        assert_int_equal(mapped(ep, page, RIG_PAGE), i * RIG_PAGE);
    rig_is(uiommu_dma_map(ep, page, RIG_PAGE, RIG_RW, &iova), UIOMMU_NOSPC);
    assert_int_equal(iova, NOWHERE);
    assert_true(rig_refused(rig, 0, 0));
    assert_true(rig_reaches(rig, 0, RIG_PAGE, page));
    rig_ok(uiommu_dma_unmap(ep, 40 * RIG_PAGE, RIG_PAGE));
    rig_ok(uiommu_dma_unmap(ep, 42 * RIG_PAGE, RIG_PAGE));
    rig_is(uiommu_dma_map(ep, page, 2 * RIG_PAGE, RIG_RW, &iova), UIOMMU_NOSPC);
    assert_int_equal(mapped(ep, page, RIG_PAGE), 42 * RIG_PAGE);
    rig_ok(uiommu_dma_unmap(ep, 41 * RIG_PAGE, RIG_PAGE));
    assert_int_equal(mapped(ep, page, 2 * RIG_PAGE), 40 * RIG_PAGE);
    rig_ok(uiommu_dma_stop(ep));
    assert_says(sim_last_log(rig->m), "254 ranges still mapped");
}

/* One that holds no whole page, and odd ones. */
static void limits_need_no_alignment(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct trace t;
    uint64_t iova;

    trace_start(rig, &t);
    rig_is(start_as(ep, UIOMMU_DMA_ANY, 2 * RIG_PAGE - 2), UIOMMU_INVAL);
    trace_stop(rig, &t);
    assert_int_equal(t.n, 0); /* what it sees is not touched */
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, 2 * RIG_PAGE - 1));
    iova = mapped(ep, 0, 1);
    assert_int_equal(iova, RIG_PAGE);
    rig_ok(uiommu_dma_unmap(ep, iova, 1));
    rig_is(uiommu_dma_map(ep, 0, RIG_PAGE + 1, RIG_RW, &iova), UIOMMU_NOSPC);
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, GIB(1) + 0x123));
    iova = mapped(ep, 0, 1);
    assert_int_equal(iova, GIB(1) - RIG_PAGE);
    rig_ok(uiommu_dma_unmap(ep, iova, 1));
    rig_ok(uiommu_dma_stop(ep));
}

/* Where the allocator would go, and one that its device is not the only one to have. */
static bool with_regions(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { MIB(1) - 2 * RIG_PAGE, RIG_PAGE, ENGINE0 },
        { MIB(1) - 5 * RIG_PAGE, 2 * RIG_PAGE, ENGINE0 },
        { MIB(1) - 4 * RIG_PAGE, 2 * RIG_PAGE, ENGINE0 },
    };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 3;
    return true;
}

static void regions_of_firmware_stay_and_are_left_alone(struct rig *rig)
{
    static const uint64_t kept[] = { 254, 253, 252, 251 };
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, MIB(1) - 1));
    for (unsigned i = 0; i < 4; i++)
        if (i != 1) /* nobody's */
            assert_int_equal(lands(rig, 0, kept[i] * RIG_PAGE, UIOMMU_WRITE),
                             kept[i] * RIG_PAGE);
    assert_int_equal(mapped(ep, page, RIG_PAGE), 255 * RIG_PAGE);
    assert_int_equal(mapped(ep, page, RIG_PAGE), 250 * RIG_PAGE);
    assert_int_equal(mapped(ep, page, RIG_PAGE), 249 * RIG_PAGE);
    rig_is(uiommu_dma_unmap(ep, 254 * RIG_PAGE, RIG_PAGE), UIOMMU_INVAL);
    rig_ok(uiommu_dma_stop(ep));
    assert_true(rig_refused(rig, 0, 255 * RIG_PAGE));
    assert_int_equal(lands(rig, 0, 254 * RIG_PAGE, UIOMMU_WRITE),
                     254 * RIG_PAGE);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
}

struct taken {
    uint64_t iova, size;
    unsigned told;
};

static void is_apart(void *ctx, const struct uiommu_region *region)
{
    struct taken *t = ctx;

    t->told++;
    if (region->kind == UIOMMU_REGION_DOORBELL_WINDOW)
        return; /* of other domains */
    assert_true(t->iova > region->last || t->iova + t->size <= region->start);
}

/* The whole of the first 4 GiB in turn: messages are not for mappings. */
static void no_address_is_in_a_region(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct taken t = { .size = MIB(16) };
    enum uiommu_status status = UIOMMU_OK;
    unsigned n = 0;

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, FIRST_4G));
    while (status == UIOMMU_OK) {
        t.told = 0;
        status = uiommu_dma_map(ep, 0, t.size, RIG_RW, &t.iova);
        if (status == UIOMMU_OK)
            rig_ok(uiommu_regions(ep, is_apart, &t));
        assert_true(++n < 1000);
    }
    rig_is(status, UIOMMU_NOSPC);
    assert_true(t.told == 0 && n > 200);
    rig_ok(uiommu_dma_stop(ep));
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST(addresses_are_aligned_to_what_they_hold),
        RIG_TEST(addresses_below_4_gib_come_first),
        RIG_TEST(a_device_with_few_address_bits_gets_what_it_can_send),
        RIG_TEST(limits_need_no_alignment),
        RIG_TEST_ON(regions_of_firmware_stay_and_are_left_alone, with_regions),
        RIG_TEST(no_address_is_in_a_region),
        { .name = NULL },
    };

    return rig_run("dma_address", tests);
}
