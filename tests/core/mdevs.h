/* SPDX-License-Identifier: MIT */
/*
 * mdevs.h - a mediator of an engine, and a client that does not know what it has.
 */
#ifndef UIM_TESTS_CORE_MDEVS_H
#define UIM_TESTS_CORE_MDEVS_H

#include "tests/core/pasids.h"

#include "core/core.h"

#define BASE GIB(2)

/* One part of engine `engine`, as its mediator knows it. */
struct part {
    struct rig *rig;
    unsigned engine;
    struct uiommu_endpoint *ep;
    uint32_t pasid;     /* what the device sends; 0: nothing                 */
    unsigned installs, clears, begun, ended, failed;
    bool stuck;         /* it does not stop                                  */
    enum uiommu_status refuses; /* a number: so often                        */
    unsigned refusals;
    struct uiommu_domain *domain; /* what the core said in the last call     */
    bool reached;       /* BASE was, in the last call with a number          */
    void (*inside)(struct part *part); /* called in each call                */
    unsigned registered;
};

static inline void look(struct part *part, struct uiommu_endpoint *ep,
                        uint32_t pasid)
{
    uint64_t value = 0;

    part->domain = uiommu_endpoint_domain(ep);
    assert_int_equal(uiommu_endpoint_pasid(ep), pasid);
    part->reached = rig_dma(part->rig, part->engine, pasid, true, BASE, &value);
    if (part->inside)
        part->inside(part);
}

static inline enum uiommu_status
part_install(void *ctx, struct uiommu_endpoint *ep, uint32_t pasid)
{
    struct part *part = ctx;

    assert_true(pasid != UIOMMU_NO_PASID);
    assert_int_equal(part->pasid, 0);
    look(part, ep, pasid);
    part->installs++;
    if (part->refusals > 0) {
        part->refusals--;
        return part->refuses;
    }
    part->pasid = pasid;
    return UIOMMU_OK;
}

static inline bool part_clear(void *ctx, struct uiommu_endpoint *ep,
                              uint32_t pasid)
{
    struct part *part = ctx;

    assert_int_equal(part->pasid, pasid);
    look(part, ep, pasid);
    part->clears++;
    part->pasid = 0;
    return !part->stuck;
}

static inline enum uiommu_status part_registered(void *ctx,
                                                 struct uiommu_endpoint *ep)
{
    struct part *part = ctx;

    part->registered++;
    part->domain = uiommu_endpoint_domain(ep);
    if (part->inside)
        part->inside(part);
    if (part->refusals == 0)
        return UIOMMU_OK;
    part->refusals--;
    return part->refuses;
}

static inline void part_reset(void *ctx, struct uiommu_endpoint *ep,
                              enum uiommu_mdev_reset what)
{
    struct part *part = ctx;

    part->domain = uiommu_endpoint_domain(ep);
    part->begun += what == UIOMMU_MDEV_RESET_BEGIN;
    part->ended += what == UIOMMU_MDEV_RESET_END;
    part->failed += what == UIOMMU_MDEV_RESET_FAILED;
    if (part->inside)
        part->inside(part);
}

static const struct uiommu_mediator part_mediator = {
    .pasid_install = part_install,
    .pasid_clear = part_clear,
    .parent_reset = part_reset,
    .registered = part_registered,
};

static inline struct uiommu_mdev_config part_config(struct part *part,
                                                    struct rig *rig, unsigned n)
{
    part->rig = rig;
    part->engine = n;
    return (struct uiommu_mdev_config){
        .size = sizeof(struct uiommu_mdev_config),
        .kind = UIOMMU_MDEV_PASID,
        .mediator = &part_mediator,
        .ctx = part,
    };
}

static inline struct uiommu_device *parent(struct rig *rig, unsigned n)
{
    return rig->device[rig_engine(rig, n)];
}

static inline void lend_as(struct rig *rig, unsigned n, struct part *part,
                           uint32_t flags)
{
    struct uiommu_mdev_config config;

    *part = (struct part){ 0 };
    config = part_config(part, rig, n);
    config.flags = flags;
    rig_ok(uiommu_mdev_register(parent(rig, n), &config, &part->ep));
}

static inline void lend(struct rig *rig, unsigned n, struct part *part)
{
    lend_as(rig, n, part, 0);
}

static inline void take_home(struct part *part)
{
    rig_ok(uiommu_mdev_unregister(part->ep));
    assert_int_equal(part->pasid, 0);
}

/* What is not for mediators to call, from within one. */
static inline void call_back(struct part *part)
{
    struct rig *rig = part->rig;
    struct uiommu_endpoint *own = rig_endpoint(rig, part->engine), *ep = NULL;
    struct uiommu_device *dev = parent(rig, part->engine);
    struct uiommu_mdev_config config = part_config(part, rig, part->engine);
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_domain *d = NULL;
    struct uiommu_irq *irq = NULL;
    struct uiommu_mode mode;
    uint64_t addr;
    uint32_t last;

    rig_is(uiommu_set_domain(own, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_is(uiommu_claim(own, part), UIOMMU_BUSY);
    rig_is(uiommu_release(own, part), UIOMMU_BUSY);
    rig_is(uiommu_pasid_create(own, NULL, &ep), UIOMMU_BUSY);
    rig_is(uiommu_pasid_last(own, &last), UIOMMU_BUSY);
    rig_is(uiommu_dma_start(own, NULL), UIOMMU_BUSY);
    rig_is(uiommu_dma_stop(own), UIOMMU_BUSY);
    rig_is(uiommu_domain_create(own, NULL, &d), UIOMMU_BUSY);
    rig_is(uiommu_effective_mode(own, &mode), UIOMMU_BUSY);
    rig_is(uiommu_irq_map(own, &target, 1, &irq), UIOMMU_BUSY);
    rig_is(uiommu_irq_doorbell(own, RIG_PAGE, &addr), UIOMMU_BUSY);
    rig_is(uiommu_device_reset_begin(dev), UIOMMU_BUSY);
    rig_is(uiommu_device_reset_end(dev, true), UIOMMU_BUSY);
    rig_is(uiommu_device_rearm(dev), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(dev), UIOMMU_BUSY);
    rig_is(uiommu_mdev_register(dev, &config, &ep), UIOMMU_BUSY);
    if (!part->ep)
        return;
    rig_is(uiommu_set_domain(part->ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_BUSY);
    rig_is(uiommu_claim(part->ep, part), UIOMMU_BUSY);
    rig_is(uiommu_mdev_unregister(part->ep), UIOMMU_BUSY);
    assert_ptr_equal(uiommu_endpoint_group(part->ep)->hardware,
                     uiommu_endpoint_group(own));
}

/* The number of the endpoint, sent by engine n. */
static inline bool reaches(struct rig *rig, unsigned n,
                           struct uiommu_endpoint *ep, uint64_t iova,
                           uint64_t phys)
{
    return rig_pasid_reaches(rig, n, uiommu_endpoint_pasid(ep), iova, phys);
}

/* ---- one client for every kind of endpoint (C.7) -------------------------------------- */

/* How a device is made to access something, which the client does not see to; what its
 * requests carry is the mediator's matter. */
struct accesses {
    bool (*reach)(struct rig *rig, unsigned n, struct uiommu_endpoint *ep,
                  uint32_t number, uint64_t iova, uint64_t phys);
    bool (*refused)(struct rig *rig, unsigned n, struct uiommu_endpoint *ep,
                    uint32_t number, uint64_t iova);
    bool faults; /* are recorded                                             */
};

static inline bool hardware_reaches(struct rig *rig, unsigned n,
                                    struct uiommu_endpoint *ep, uint32_t number,
                                    uint64_t iova, uint64_t phys)
{
    (void)ep;
    return rig_pasid_reaches(rig, n, number, iova, phys);
}

static inline bool hardware_refuses(struct rig *rig, unsigned n,
                                    struct uiommu_endpoint *ep, uint32_t number,
                                    uint64_t iova)
{
    (void)ep;
    return rig_pasid_refused(rig, n, number, iova);
}

static const struct accesses by_hardware = {
    .reach = hardware_reaches,
    .refused = hardware_refuses,
    .faults = true,
};

static inline void assert_fault(struct rig *rig, uint32_t number,
                                const struct uiommu_domain *d)
{
    rig_poll(rig);
    assert_true(rig->faults > 0);
    assert_int_equal(rig->fault.pasid, number);
    assert_ptr_equal(rig->fault.domain, d);
    rig->faults = 0;
}

static inline void client_maps(struct rig *rig, unsigned n,
                               struct uiommu_endpoint *ep, const void *owner,
                               const struct accesses *by)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = NULL, *db = NULL;
    uint32_t number;

    rig_ok(uiommu_domain_create(ep, NULL, &da));
    rig_ok(uiommu_domain_create(ep, NULL, &db));
    map_page(da, BASE, a);
    map_page(db, BASE, b);
    rig_ok(uiommu_set_domain(ep, da, owner));
    assert_ptr_equal(uiommu_endpoint_domain(ep), da);
    number = uiommu_endpoint_pasid(ep);
    assert_true(by->reach(rig, n, ep, number, BASE, a));
    map_page(da, BASE + RIG_PAGE, b);
    assert_true(by->reach(rig, n, ep, number, BASE + RIG_PAGE, b));
    rig_ok(uiommu_unmap(da, BASE + RIG_PAGE, RIG_PAGE, NULL));
    rig_poll(rig); /* there is room for what is recorded next */
    assert_true(by->refused(rig, n, ep, number, BASE + RIG_PAGE));
    if (by->faults && !rig->config.ats) /* else it asked, and was told */
        assert_fault(rig, number, da);
    rig_ok(uiommu_set_domain(ep, db, owner));
    assert_true(by->reach(rig, n, ep, number, BASE, b));
    rig_ok(uiommu_set_domain(ep, uiommu_core_domain(ep), owner));
    assert_true(by->refused(rig, n, ep, number, BASE));
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

static inline void client_by(struct rig *rig, unsigned n,
                             struct uiommu_endpoint *ep, bool claims,
                             const struct accesses *by)
{
    static const int me;
    const void *owner = claims ? &me : NULL;
    const uint32_t before = uiommu_endpoint_pasid(ep);

    assert_true(by->refused(rig, n, ep, before, BASE));
    if (claims)
        rig_ok(uiommu_claim(ep, owner));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_true(by->refused(rig, n, ep, before, BASE));
    client_maps(rig, n, ep, owner, by);
    if (claims)
        rig_ok(uiommu_release(ep, owner));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_true(by->refused(rig, n, ep, before, BASE));
}

static inline void client(struct rig *rig, unsigned n,
                          struct uiommu_endpoint *ep, bool claims)
{
    client_by(rig, n, ep, claims, &by_hardware);
}

#endif
