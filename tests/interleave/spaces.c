/* SPDX-License-Identifier: MIT */
/*
 * spaces.c - programs about what carries a PASID and has an address space of its own:
 * that of a process, of a driver of the host, of a context of a GPU.
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"
#include "tests/interleave/programs.h"

#include <uiommu/dma.h>
#include <uiommu/reset.h>
#include <uiommu/sva.h>

/* What programs have beside their trial; before() makes it, after() ends it. */
static struct scene {
    struct uiommu_domain *next;
    struct uiommu_provider *provider;
    struct uiommu_endpoint *ep;
    struct scene_driver {
        struct uiommu_endpoint *ep;
        uint64_t iova;
    } driver[2];
    uint32_t number;
    uint64_t iova;
    struct uiommu_endpoint *run[3];
} s;

static void begin(void)
{
    memset(&s, 0, sizeof(s));
}

/* ---- address spaces ------------------------------------------------------------ */

/* A PASID sees one that ends; t->d has a page. */
static void sees_a_process(struct trial *t)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_PROVIDER_RESIDENT,
    };

    begin();
    page_in(t, t->d, 0);
    sees(t, rig_endpoint(t->rig, 0), uiommu_identity(t->rig->u));
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), NULL, &s.ep),
              "pasid_create");
    expect_ok(t, uiommu_provider_create(t->rig->u, &config, &s.provider),
              "provider_create");
    expect_ok(t, uiommu_sva_domain(s.ep, s.provider, &s.next), "sva_domain");
    sees(t, s.ep, s.next);
    expect_ok(t,
              uiommu_provider_map(s.provider, t->base, t->page, RIG_PAGE, RW),
              "provider_map");
}

static void process_ends(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_provider_exit(s.provider), "provider_exit");
    if (lands_with(t->rig, 0, uiommu_endpoint_pasid(s.ep), t->base,
                   UIOMMU_WRITE) != NOWHERE)
        say(t, "a device reaches what has ended");
}

static void leaves_the_process(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.ep, t->d);
    if (!reached(t, 0, uiommu_endpoint_pasid(s.ep)))
        say(t, "what was left has ended, and what is seen is shut");
}

/* Whoever ended what it saw shut nothing else, nor later. */
static void sees_what_it_was_shown(struct trial *t)
{
    if (!reached(t, 0, uiommu_endpoint_pasid(s.ep)))
        say(t, "what is seen was shut by the end of what was left");
    expect_ok(t, uiommu_pasid_destroy(s.ep, true), "pasid_destroy");
    leave(t, 0);
    uiommu_domain_put(s.next);
    uiommu_provider_put(s.provider);
}

/* ---- DMA of the host's drivers ------------------------------------------------------ */

/* One driver for what carries no PASID, one for what carries one: both choose the same
 * addresses, for pages of their own. */
enum { PLAIN, WITH_PASID, DRIVERS };

static uint32_t number_of(unsigned i)
{
    return uiommu_endpoint_pasid(s.driver[i].ep);
}

/* Where ATS is switched off for a moment because the other driver moves, what the device is
 * just asking its unit is not answered: it tries again. */
static void expect_page(struct trial *t, unsigned i, uint64_t iova,
                        unsigned page)
{
    uint64_t got = fetch(t, 0, number_of(i), iova);

    if (got == NOWHERE && t->at_once)
        got = fetch(t, 0, number_of(i), iova);
    if (got != page_of(t, page))
        say(t, "driver %u reads 0x%llx and not page %u", i,
            (unsigned long long)got, page);
}

static uint64_t dma_map(struct trial *t, unsigned i, unsigned page)
{
    uint64_t iova = NOWHERE;

    expect_ok(t,
              uiommu_dma_map(s.driver[i].ep, page_of(t, page), RIG_PAGE, RIG_RW,
                             &iova),
              "dma_map");
    return iova;
}

static void dma_unmap(struct trial *t, unsigned i, uint64_t iova)
{
    expect_ok(t, uiommu_dma_unmap(s.driver[i].ep, iova, RIG_PAGE), "dma_unmap");
}

static void start(struct trial *t, unsigned i)
{
    expect_ok(t, uiommu_dma_start(s.driver[i].ep, NULL), "dma_start");
    s.driver[i].iova = dma_map(t, i, i);
}

static void stop(struct trial *t, unsigned i)
{
    dma_unmap(t, i, s.driver[i].iova);
    expect_ok(t, uiommu_dma_stop(s.driver[i].ep), "dma_stop");
}

static void two_drivers(struct trial *t)
{
    begin();
    leave(t, 0);
    s.driver[PLAIN].ep = rig_endpoint(t->rig, 0);
    expect_ok(
        t,
        uiommu_pasid_create(s.driver[PLAIN].ep, NULL, &s.driver[WITH_PASID].ep),
        "pasid_create");
    for (unsigned i = 0; i < DRIVERS; i++)
        start(t, i);
    s.number = number_of(WITH_PASID);
    s.iova = s.driver[PLAIN].iova; /* the other has that, too */
}

/* What was there before is there still. */
static void use(struct trial *t, unsigned i, unsigned page)
{
    const uint64_t iova = dma_map(t, i, page);

    expect_page(t, i, iova, page);
    expect_page(t, i, s.driver[i].iova, i);
    dma_unmap(t, i, iova);
}

/* Nobody else chose that address. */
static void use_alone(struct trial *t, unsigned i, unsigned page)
{
    const uint64_t iova = dma_map(t, i, page);

    expect_page(t, i, iova, page);
    expect_page(t, i, s.driver[i].iova, i);
    dma_unmap(t, i, iova);
    if (fetch(t, 0, number_of(i), iova) != NOWHERE)
        say(t, "driver %u reads what it unmapped", i);
}

static void plain_driver(void *ctx)
{
    use_alone(ctx, PLAIN, 2);
}

static void driver_with_pasid(void *ctx)
{
    use_alone(ctx, WITH_PASID, 3);
}

static void one_cpu_with_pasid(void *ctx)
{
    use(ctx, WITH_PASID, 3);
}

static void another_cpu_with_pasid(void *ctx)
{
    use(ctx, WITH_PASID, 4);
}

static void both_stop(struct trial *t)
{
    for (unsigned i = 0; i < DRIVERS; i++) {
        expect_page(t, i, s.driver[i].iova, i);
        stop(t, i);
    }
    for (unsigned i = 0; i < DRIVERS; i++)
        if (fetch(t, 0, number_of(i), s.driver[i].iova) != NOWHERE)
            say(t, "driver %u reads after it stopped", i);
    expect_ok(t, uiommu_pasid_destroy(s.driver[WITH_PASID].ep, true),
              "pasid_destroy");
}

/* Its number is the next driver's, who sees nothing of it. */
static void driver_with_pasid_is_exchanged(void *ctx)
{
    const struct uiommu_pasid_config same = { .size = sizeof(same),
                                              .first = s.number,
                                              .last = s.number };
    struct trial *t = ctx;
    struct scene_driver *d = &s.driver[WITH_PASID];

    stop(t, WITH_PASID);
    expect_ok(t, uiommu_pasid_destroy(d->ep, true), "pasid_destroy");
    atomic_store(&t->gone, true);
    if (fetch(t, 0, s.number, d->iova) != NOWHERE)
        say(t, "a PASID that was destroyed reads something");
    expect_ok(t, uiommu_pasid_create(s.driver[PLAIN].ep, &same, &d->ep),
              "pasid_create");
    if (fetch(t, 0, s.number, d->iova) != NOWHERE)
        say(t, "a PASID that is new reads something");
    expect_ok(t, uiommu_dma_start(d->ep, NULL), "dma_start");
    d->iova = dma_map(t, WITH_PASID, 5);
    expect_page(t, WITH_PASID, d->iova, 5);
}

/* The other comes back, too. */
static void plain_driver_is_exchanged(void *ctx)
{
    struct trial *t = ctx;

    stop(t, PLAIN);
    if (fetch(t, 0, UIOMMU_NO_PASID, s.iova) != NOWHERE)
        say(t, "a driver reads after it stopped");
    start(t, PLAIN);
    use_alone(t, PLAIN, 2);
}

/* Nor does it go on with what it read by the number. */
static void device_reads_by_number(void *ctx)
{
    struct trial *t = ctx;

    for (unsigned i = 0; i < 3; i++) {
        const bool gone = atomic_load(&t->gone);
        const uint64_t got = fetch(t, 0, s.number, s.iova);

        if (got != NOWHERE && got != page_of(t, 5) &&
            (gone || got != page_of(t, WITH_PASID)))
            say(t, "a device reads 0x%llx by a PASID that was exchanged",
                (unsigned long long)got);
    }
}

static void the_next_stops(struct trial *t)
{
    expect_page(t, PLAIN, s.driver[PLAIN].iova, PLAIN);
    expect_page(t, WITH_PASID, s.driver[WITH_PASID].iova, 5);
    for (unsigned i = 0; i < DRIVERS; i++)
        stop(t, i);
    expect_ok(t, uiommu_pasid_destroy(s.driver[WITH_PASID].ep, true),
              "pasid_destroy");
}

static void device_is_reset(void *ctx)
{
    struct trial *t = ctx;
    struct uiommu_device *device = parent(t->rig, 0);

    expect_ok(t, uiommu_device_reset_begin(device), "reset_begin");
    if (fetch(t, 0, s.number, s.driver[WITH_PASID].iova) != NOWHERE)
        say(t, "a device reads by a PASID while it is reset");
    expect_ok(t, uiommu_device_reset_end(device, true), "reset_end");
    if (fetch(t, 0, s.number, s.driver[WITH_PASID].iova) == NOWHERE)
        say(t, "a device that was reset does not read by a PASID");
}

/* While it is reset it reads nothing. */
static void use_or_not(struct trial *t, unsigned i, unsigned page)
{
    const uint64_t iova = dma_map(t, i, page);
    const uint64_t got = fetch(t, 0, number_of(i), iova);

    if (got != NOWHERE && got != page_of(t, page))
        say(t, "driver %u reads 0x%llx", i, (unsigned long long)got);
    dma_unmap(t, i, iova);
    if (fetch(t, 0, number_of(i), iova) != NOWHERE)
        say(t, "driver %u reads what it unmapped", i);
}

/* Again and again, as each wait for the unit lets the reset go on. */
static void drivers_beside_a_reset(void *ctx)
{
    for (unsigned i = 0; i < 2 * DRIVERS; i++)
        use_or_not(ctx, i % DRIVERS, 2 + i);
}

/* ---- contexts of a GPU -------------------------------------------------------------- */

/* Two contexts have a buffer in common; another device runs the second, too. */
enum { REVOKED, GOES_ON, GOES_ON_ELSEWHERE, RUNS };

static uint64_t runs(struct trial *t, unsigned i, uint64_t iova)
{
    return fetch(t, i == GOES_ON_ELSEWHERE ? 1 : 0,
                 uiommu_endpoint_pasid(s.run[i]), iova);
}

static void run(struct trial *t, unsigned i, struct uiommu_domain *d)
{
    const unsigned n = i == GOES_ON_ELSEWHERE ? 1 : 0;

    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, n), NULL, &s.run[i]),
              "pasid_create");
    sees(t, s.run[i], d);
}

static void contexts(struct trial *t)
{
    begin();
    page_in(t, t->d, 0);
    page_in(t, t->e, 0);
    leave(t, 0);
    leave(t, 1);
    run(t, REVOKED, t->d);
    run(t, GOES_ON, t->e);
    run(t, GOES_ON_ELSEWHERE, t->e);
}

static void revoke(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_unmap(t->d, t->base + AT, RIG_PAGE, NULL), "unmap");
    atomic_store(&t->gone, true);
    if (runs(t, REVOKED, t->base + AT) != NOWHERE)
        say(t, "a context reads a buffer that it lost");
}

/* It has a buffer of its own for a while. */
static void goes_on(void *ctx)
{
    struct trial *t = ctx;
    const uint64_t own = t->base + AT + RIG_PAGE;

    expect_ok(t, uiommu_map(t->e, own, page_of(t, 1), RIG_PAGE, RIG_RW), "map");
    for (unsigned i = GOES_ON; i < RUNS; i++)
        if (runs(t, i, own) != page_of(t, 1) ||
            runs(t, i, t->base + AT) != page_of(t, 0))
            say(t, "a context does not read its buffers");
    expect_ok(t, uiommu_unmap(t->e, own, RIG_PAGE, NULL), "unmap");
    for (unsigned i = GOES_ON; i < RUNS; i++)
        if (runs(t, i, own) != NOWHERE)
            say(t, "a context reads a buffer that it gave up");
}

static void device_runs_both(void *ctx)
{
    struct trial *t = ctx;

    for (unsigned i = 0; i < 3; i++) {
        const bool gone = atomic_load(&t->gone);
        const uint64_t got = runs(t, REVOKED, t->base + AT);

        if (got != NOWHERE && (gone || got != page_of(t, 0)))
            say(t, "a context reads 0x%llx", (unsigned long long)got);
        if (runs(t, GOES_ON, t->base + AT) != page_of(t, 0))
            say(t, "a context lost a buffer with another");
    }
}

static void contexts_end(struct trial *t)
{
    if (runs(t, GOES_ON, t->base + AT) != page_of(t, 0) ||
        runs(t, GOES_ON_ELSEWHERE, t->base + AT) != page_of(t, 0))
        say(t, "a context lost a buffer with another");
    for (unsigned i = 0; i < RUNS; i++)
        if (s.run[i])
            expect_ok(t, uiommu_pasid_destroy(s.run[i], true), "pasid_destroy");
}

static void buffer_is_gone(struct trial *t)
{
    if (runs(t, REVOKED, t->base + AT) != NOWHERE)
        say(t, "a context reads a buffer that it lost");
    contexts_end(t);
}

/* One address space, run by two numbers of one device. */
static void one_space_twice(struct trial *t)
{
    contexts(t);
    sees(t, s.run[REVOKED], t->e);
    s.number = uiommu_endpoint_pasid(s.run[REVOKED]);
}

static void context_ends(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_pasid_destroy(s.run[REVOKED], true), "pasid_destroy");
    s.run[REVOKED] = NULL;
    if (fetch(t, 0, s.number, t->base + AT) != NOWHERE)
        say(t, "a context that ended reads a buffer");
}

/* ---- all of them --------------------------------------------------------------- */

const struct program space_programs[] = {
    { "end_of_a_process_beside_a_set",
      sees_a_process,
      { process_ends, leaves_the_process },
      sees_what_it_was_shown,
      ON_PASIDS },
    { "dma_with_a_pasid_beside_dma",
      two_drivers,
      { plain_driver, driver_with_pasid },
      both_stop,
      ON_PASIDS },
    { "dma_of_two_cpus_with_a_pasid",
      two_drivers,
      { one_cpu_with_pasid, another_cpu_with_pasid, plain_driver },
      both_stop,
      ON_PASIDS },
    { "dma_beside_the_end_of_a_pasid",
      two_drivers,
      { plain_driver_is_exchanged, driver_with_pasid_is_exchanged,
        device_reads_by_number },
      the_next_stops,
      ON_PASIDS },
    { "dma_with_a_pasid_beside_a_reset",
      two_drivers,
      { device_is_reset, drivers_beside_a_reset },
      both_stop,
      ON_PASIDS },
    { "buffer_beside_its_revocation",
      contexts,
      { revoke, goes_on, device_runs_both },
      buffer_is_gone,
      ON_PASIDS },
    { "buffer_beside_the_end_of_a_context",
      one_space_twice,
      { context_ends, goes_on },
      contexts_end,
      ON_PASIDS },
    { 0 },
};
