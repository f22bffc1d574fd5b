/* SPDX-License-Identifier: MIT */
/*
 * dma_default_test.c - what endpoints of drivers of the host see, and whose they are
 * (semantics B.2, B.4).
 */
#include "tests/core/dma.h"

#include "core/core.h"

static const char OWNER[] = "owner";

/* ---- whose it is (B.4) ------------------------------------------------------------------ */

static void a_started_endpoint_is_nobody_elses(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);

    rig_ok(uiommu_dma_start(ep, NULL));
    rig_is(uiommu_claim(ep, OWNER), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(ep, d, OWNER), UIOMMU_PERM);
    rig_is(uiommu_device_remove(rig->device[rig_engine(rig, 0)]), UIOMMU_BUSY);
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), OWNER));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), OWNER));
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_drop(rig, 0, d);
    rig_ok(uiommu_claim(ep, OWNER));
    rig_ok(uiommu_release(ep, OWNER));
}

static void an_endpoint_of_somebody_is_not_started(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_BUSY);
    assert_ptr_equal(uiommu_endpoint_domain(ep), d);
    rig_drop(rig, 0, d);
    rig_ok(uiommu_claim(ep, OWNER));
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_PERM);
    rig_ok(uiommu_release(ep, OWNER));
    rig_is(uiommu_dma_stop(ep), UIOMMU_INVAL);
    rig_is(uiommu_dma_stop(NULL), UIOMMU_INVAL);
    rig_is(uiommu_dma_start(NULL, NULL), UIOMMU_INVAL);
}

static void starts_are_counted(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;

    rig_ok(uiommu_dma_start(ep, NULL));
    iova = mapped(ep, page, RIG_PAGE);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_stop(ep));
    assert_true(rig_reaches(rig, 0, iova, page));
    rig_is(uiommu_claim(ep, OWNER), UIOMMU_BUSY);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    rig_is(uiommu_dma_stop(ep), UIOMMU_INVAL);
    assert_true(rig_refused(rig, 0, iova));
}

static void whoever_starts_again_has_to_agree(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_ok(start_as(ep, UIOMMU_DMA_TRANSLATED, GIB(1)));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_ASKED);
    rig_is(start_as(ep, UIOMMU_DMA_IDENTITY, GIB(1)), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "was started with translation");
    rig_is(start_as(ep, UIOMMU_DMA_ANY, 0), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "another last_iova");
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, GIB(1)));
    rig_ok(start_as(ep, UIOMMU_DMA_TRANSLATED, GIB(1)));
    for (unsigned i = 0; i < 3; i++)
        rig_ok(uiommu_dma_stop(ep));
    rig_ok(start_as(ep, UIOMMU_DMA_IDENTITY, 0));
    rig_is(start_as(ep, UIOMMU_DMA_TRANSLATED, 0), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "was started with identity");
    rig_ok(uiommu_dma_stop(ep));
}

static void malformed_starts_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_dma_config config = asks(UIOMMU_DMA_ANY, 0);

    config.size--;
    rig_is(uiommu_dma_start(ep, &config), UIOMMU_INVAL);
    rig_is(start_as(ep, (enum uiommu_dma_kind)3, 0), UIOMMU_INVAL);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
}

/* ---- groups ---------------------------------------------------------------------------- */

enum { SLOT, FUNCTION0, FUNCTION1 };

/* Those of the first of a group, where the second cannot be served. */
#define FIRST_TABLES "tables that a first domain needs stay with their unit"

static bool two_functions(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
        { "function0", SIM_ENGINE, SLOT, 0, 0 },
        { "function1", SIM_ENGINE, SLOT, 1, 0 },
    };

    (void)why;
    rig->config.functions = functions;
    rig->config.n_functions = 3;
    return true;
}

static void a_group_has_one_default_domain(struct rig *rig)
{
    struct uiommu_endpoint *a = rig_endpoint(rig, 0), *b = rig_endpoint(rig, 1);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova;

    rig_ok(uiommu_dma_start(a, NULL));
    iova = mapped(a, page, RIG_PAGE);
    assert_true(rig_reaches(rig, 1, iova, page));
    rig_is(uiommu_dma_map(b, page, RIG_PAGE, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_stop(b), UIOMMU_INVAL);
    rig_is(uiommu_claim(b, OWNER), UIOMMU_BUSY);
    rig_is(uiommu_set_domain(b, uiommu_identity(rig->u), NULL), UIOMMU_BUSY);
    rig_is(start_as(b, UIOMMU_DMA_IDENTITY, 0), UIOMMU_INVAL);
    rig_ok(start_as(b, UIOMMU_DMA_ANY, MIB(16) - 1));
    assert_ptr_equal(uiommu_endpoint_domain(a), uiommu_endpoint_domain(b));
    assert_int_equal(mapped(b, page, RIG_PAGE), MIB(16) - RIG_PAGE);
    rig_ok(uiommu_dma_unmap(a, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(a));
    rig_is(uiommu_dma_stop(a), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 1, MIB(16) - RIG_PAGE, page));
    rig_ok(uiommu_dma_unmap(b, MIB(16) - RIG_PAGE, RIG_PAGE));
    rig_ok(uiommu_dma_stop(b));
    assert_ptr_equal(uiommu_endpoint_domain(a), uiommu_blocked(rig->u));
}

static enum uiommu_status add_as(struct rig *rig, unsigned dev, uint32_t flags)
{
    const struct machine_device *d = &rig->m->devices[dev];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .flags = flags,
        .pci = d->pci,
        .bridge =
            d->bridge == MACHINE_NO_BRIDGE ? NULL : rig->device[d->bridge],
    };

    return uiommu_device_add(rig->u, &info, &rig->device[dev]);
}

static bool the_second_has_a_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { MIB(1) - 2 * RIG_PAGE, RIG_PAGE, FUNCTION1 },
    };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return two_functions(rig, why);
}

/* Known from its region alone, it joins when it is added. */
static void who_comes_later_brings_its_regions(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep;

    up_to_start(rig);
    rig_ok(rig_add(rig, SLOT));
    rig_ok(rig_add(rig, FUNCTION0));
    ep = rig_endpoint(rig, 0);
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, MIB(1) - 1));
    assert_int_equal(mapped(ep, page, RIG_PAGE), MIB(1) - RIG_PAGE);
    rig_ok(rig_add(rig, FUNCTION1));
    assert_ptr_equal(uiommu_endpoint_group(ep),
                     uiommu_endpoint_group(rig_endpoint(rig, 1)));
    assert_int_equal(lands(rig, 1, MIB(1) - 2 * RIG_PAGE, UIOMMU_WRITE),
                     MIB(1) - 2 * RIG_PAGE);
    assert_int_equal(mapped(ep, page, RIG_PAGE), MIB(1) - 3 * RIG_PAGE);
    assert_true(rig_reaches(rig, 1, MIB(1) - RIG_PAGE, page));
    rig_ok(uiommu_dma_stop(ep));
    assert_int_equal(lands(rig, 1, MIB(1) - 2 * RIG_PAGE, UIOMMU_WRITE),
                     MIB(1) - 2 * RIG_PAGE);
}

/* A driver has the place, and nothing mapped there: just yet, or any more. */
static void a_region_comes_where_a_driver_has_a_place(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0), at = MIB(1) - 2 * RIG_PAGE;
    struct uim_iova_range *range;
    struct uiommu_endpoint *ep;
    struct uim_iova *space;

    up_to_start(rig);
    rig_ok(rig_add(rig, SLOT));
    rig_ok(rig_add(rig, FUNCTION0));
    ep = rig_endpoint(rig, 0);
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, MIB(1) - 1));
    space = &ep->view->dma->space;
    rig_ok(uim_iova_take(space, RIG_PAGE, at + RIG_PAGE - 1, &range));
    assert_int_equal(range->start, at);
    rig_ok(rig_add(rig, FUNCTION1));
    uim_iova_free(space, range);
    assert_int_equal(mapped(ep, page, RIG_PAGE), MIB(1) - RIG_PAGE);
    for (unsigned n = 3; n < 6; n++)
        assert_int_equal(mapped(ep, page, RIG_PAGE), MIB(1) - n * RIG_PAGE);
    assert_int_equal(lands(rig, 1, at, UIOMMU_WRITE), at);
    rig_ok(uiommu_dma_stop(ep));
    assert_int_equal(lands(rig, 1, at, UIOMMU_WRITE), at);
}

/* Its region is in use already. */
static void who_comes_too_late_is_not_added(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep;

    up_to_start(rig);
    rig_ok(rig_add(rig, SLOT));
    rig_ok(rig_add(rig, FUNCTION0));
    ep = rig_endpoint(rig, 0);
    rig_ok(start_as(ep, UIOMMU_DMA_ANY, MIB(1) - 1));
    (void)mapped(ep, page, RIG_PAGE);
    assert_int_equal(mapped(ep, page, RIG_PAGE), MIB(1) - 2 * RIG_PAGE);
    rig_is(rig_add(rig, FUNCTION1), UIOMMU_BUSY);
    assert_true(rig_reaches(rig, 0, MIB(1) - 2 * RIG_PAGE, page));
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(rig_add(rig, FUNCTION1));
}

/* ---- the policy (B.2) ------------------------------------------------------------------ */

static bool by_default(struct rig *rig, enum uiommu_dma_kind kind)
{
    rig->setup.default_domain = kind;
    return true;
}

static bool identity_by_default(struct rig *rig, const char **why)
{
    (void)why;
    return by_default(rig, UIOMMU_DMA_IDENTITY);
}

static bool translated_by_default(struct rig *rig, const char **why)
{
    (void)why;
    return by_default(rig, UIOMMU_DMA_TRANSLATED);
}

static void identity_is_had_by_who_asks(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);

    rig_ok(start_as(ep, UIOMMU_DMA_IDENTITY, GIB(1) - 1));
    is_default(ep, UIOMMU_DOMAIN_IDENTITY, UIOMMU_DEFAULT_ASKED);
    assert_true(rig_reaches(rig, 0, page, page));
    rig_ok(uiommu_dma_stop(ep));
    assert_true(rig_refused(rig, 0, page));
}

static void on_identity_addresses_are_as_they_are(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    uint64_t iova = NOWHERE;

    rig_ok(start_as(ep, UIOMMU_DMA_ANY, GIB(1) - 1));
    is_default(ep, UIOMMU_DOMAIN_IDENTITY, UIOMMU_DEFAULT_CONFIGURED);
    assert_int_equal(mapped(ep, page + 8, 100), page + 8);
    assert_int_equal(mapped(ep, GIB(1) - 1, 1), GIB(1) - 1);
    rig_is(uiommu_dma_map(ep, GIB(1) - 1, 2, RIG_RW, &iova), UIOMMU_OVERFLOW);
    rig_is(uiommu_dma_map(ep, page, 0, RIG_RW, &iova), UIOMMU_INVAL);
    rig_is(uiommu_dma_map(ep, page, 8, UIOMMU_CACHE, &iova), UIOMMU_INVAL);
    assert_int_equal(iova, NOWHERE);
    rig_ok(uiommu_dma_unmap(ep, page + 8, 100));
    rig_is(uiommu_dma_unmap(ep, page + 8, 0), UIOMMU_INVAL);
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(start_as(ep, UIOMMU_DMA_TRANSLATED, 0));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_ASKED);
    rig_ok(uiommu_dma_stop(ep));
}

static void translation_can_be_configured(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_CONFIGURED);
    rig_ok(start_as(ep, UIOMMU_DMA_TRANSLATED, 0));
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(uiommu_dma_stop(ep));
}

static void who_is_not_trusted_is_translated(struct rig *rig)
{
    struct uiommu_endpoint *ep;

    up_to_start(rig);
    rig_ok(add_as(rig, ENGINE0, UIOMMU_DEVICE_UNTRUSTED));
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_UNTRUSTED);
    assert_says(mode(ep).because, "not trusted");
    assert_false(mode(ep).trusted);
    rig_is(start_as(ep, UIOMMU_DMA_IDENTITY, 0), UIOMMU_INVAL);
    rig_ok(uiommu_dma_stop(ep));
    rig_is(start_as(ep, UIOMMU_DMA_IDENTITY, 0), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "not trusted");
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_device_remove(rig->device[ENGINE0]));
    rig_ok(add_as(rig, ENGINE0, 0));
    rig_ok(start_as(rig_endpoint(rig, 0), UIOMMU_DMA_IDENTITY, 0));
    rig_ok(uiommu_dma_stop(rig_endpoint(rig, 0)));
}

static bool two_functions_and_identity(struct rig *rig, const char **why)
{
    return two_functions(rig, why) && identity_by_default(rig, why);
}

/* Members count, and who is one cannot come to identity. */
static void one_that_is_not_trusted_is_enough(struct rig *rig)
{
    struct uiommu_endpoint *ep;

    up_to_start(rig);
    rig_ok(rig_add(rig, SLOT));
    rig_ok(rig_add(rig, FUNCTION0));
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_IDENTITY, UIOMMU_DEFAULT_CONFIGURED);
    rig_is(add_as(rig, FUNCTION1, UIOMMU_DEVICE_UNTRUSTED), UIOMMU_BUSY);
    assert_says(sim_last_log(rig->m), "stays blocked");
    rig->device[FUNCTION1] = NULL;
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(add_as(rig, FUNCTION1, UIOMMU_DEVICE_UNTRUSTED));
    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_UNTRUSTED);
    rig_ok(uiommu_dma_stop(ep));
}

/* Firmware may have made it a member before the host says what it is. */
static void trust_does_not_end_while_identity_is_seen(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_ok(uiommu_dma_start(ep, NULL));
    rig_is(uim_dma_trust(device, true), UIOMMU_BUSY);
    assert_says(sim_last_log(rig->m), "stays blocked");
    assert_true(mode(ep).trusted);
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(uim_dma_trust(device, true));
    assert_false(mode(ep).trusted);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uim_dma_trust(device, true));
    rig_ok(uiommu_dma_stop(ep));
}

static uint64_t (*read64)(void *ctx, void *mmio, size_t offset);

/* ECAP.PT */
static uint64_t read_without_pass_through(void *ctx, void *mmio, size_t offset)
{
    const uint64_t value = read64(ctx, mmio, offset);

    return offset == 0x10 ? value & ~(UINT64_C(1) << 6) : value;
}

static bool no_pass_through(struct rig *rig, const char **why)
{
    return identity_by_default(rig, why) && rig_does(rig, RIG_DMAR, why);
}

static void without_pass_through_it_is_translated(struct rig *rig)
{
    struct uiommu_endpoint *ep;

    read64 = rig->m->host.mmio_read64;
    rig->m->host.mmio_read64 = read_without_pass_through;
    up(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    is_default(ep, UIOMMU_DOMAIN_PAGING, UIOMMU_DEFAULT_NO_IDENTITY);
    rig_ok(uiommu_dma_stop(ep));
    rig_is(start_as(ep, UIOMMU_DMA_IDENTITY, 0), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "no pass-through");
}

static void unknown_policies_are_refused(struct rig *rig)
{
    rig->setup.default_domain = (enum uiommu_dma_kind)3;
    rig_is(rig_create(rig), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "default_domain");
    rig->setup.default_domain = UIOMMU_DMA_ANY;
    rig->setup.block_quality = (enum uiommu_block_quality)5;
    rig_is(rig_create(rig), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "block_quality");
    rig->setup.block_quality = UIOMMU_BLOCK_NONE;
    rig_ok(rig_create(rig));
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST(a_started_endpoint_is_nobody_elses),
        RIG_TEST(an_endpoint_of_somebody_is_not_started),
        RIG_TEST(starts_are_counted),
        RIG_TEST(whoever_starts_again_has_to_agree),
        RIG_TEST(malformed_starts_are_refused),
        { .name = "a_group_has_one_default_domain",
          .run = a_group_has_one_default_domain,
          .prepare = two_functions,
          .once = FIRST_TABLES },
        RIG_COLD_ON(a_region_comes_where_a_driver_has_a_place,
                    the_second_has_a_region),
        RIG_COLD_ON(who_comes_later_brings_its_regions,
                    the_second_has_a_region),
        RIG_COLD_ON(who_comes_too_late_is_not_added, the_second_has_a_region),
        RIG_TEST(identity_is_had_by_who_asks),
        RIG_TEST_ON(on_identity_addresses_are_as_they_are, identity_by_default),
        RIG_TEST_ON(translation_can_be_configured, translated_by_default),
        RIG_COLD_ON(who_is_not_trusted_is_translated, identity_by_default),
        { .name = "one_that_is_not_trusted_is_enough",
          .run = one_that_is_not_trusted_is_enough,
          .prepare = two_functions_and_identity,
          .cold = true,
          .once = FIRST_TABLES },
        RIG_TEST_ON(trust_does_not_end_while_identity_is_seen,
                    identity_by_default),
        RIG_COLD_ON(without_pass_through_it_is_translated, no_pass_through),
        RIG_COLD(unknown_policies_are_refused),
        { .name = NULL },
    };

    return rig_run("dma_default", tests);
}
