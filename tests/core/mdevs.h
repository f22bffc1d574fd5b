/* SPDX-License-Identifier: MIT */
/*
 * mdevs.h - a mediator of an engine, and a client that does not know what it has.
 */
#ifndef UIM_TESTS_CORE_MDEVS_H
#define UIM_TESTS_CORE_MDEVS_H

#include "tests/core/pasids.h"

#include "core/core.h"
#include "tools/client.h"

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

/* What does the client's DMA: engine `n`, whose requests carry what its mediator was told,
 * and go on carrying it when that is over. */
struct sender {
    struct rig *rig;
    unsigned n;
    struct uiommu_endpoint *ep;
    uint32_t number;
};

static inline bool send(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct sender *s = ctx;
    uint32_t now = uiommu_endpoint_pasid(s->ep);

    if (now != UIOMMU_NO_PASID)
        s->number = now;
    return rig_dma(s->rig, s->n, s->number, write, iova, word);
}

static inline struct client client_of(struct rig *rig,
                                      struct uiommu_endpoint *ep, bool claims)
{
    static const int me;
    struct client c = { .u = rig->u, .ep = ep, .iova = BASE };

    c.owner = claims ? &me : NULL;
    for (unsigned i = 0; i < CLIENT_PAGES; i++) {
        c.phys[i] = rig_pages(rig, 0);
        c.mem[i] = sim_ram(rig->m, c.phys[i], RIG_PAGE);
    }
    return c;
}

/* `ats`: what was refused may have been told the device alone. */
static inline void client_is_content(struct client *c, bool ats)
{
    const char *broken = client_run(c);

    if (broken)
        fail_msg("%s (%s)", broken, uiommu_status_name(c->status));
    assert_true(c->faults > 0 || ats);
}

/* It is what it was before. */
static inline void client(struct rig *rig, unsigned n,
                          struct uiommu_endpoint *ep, bool claims)
{
    const uint32_t before = uiommu_endpoint_pasid(ep);
    struct sender s = { rig, n, ep, before };
    struct client c = client_of(rig, ep, claims);

    c.dma = send;
    c.ctx = &s;
    client_is_content(&c, rig->config.ats);
    if (c.faults > 0)
        assert_int_equal(c.fault.pasid, s.number);
    assert_int_equal(uiommu_endpoint_pasid(ep), before);
}

#endif
