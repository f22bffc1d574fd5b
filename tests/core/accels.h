/* SPDX-License-Identifier: MIT */
/*
 * accels.h - a streaming accelerator whose driver does work of its own and lends queues, and
 * clients that have them, each with an address space of its own.
 */
#ifndef UIM_TESTS_CORE_ACCELS_H
#define UIM_TESTS_CORE_ACCELS_H

#include "tests/core/requests.h"

#include "hosts/sim/accel.h"
#include "hosts/sim/accel_parts.h"

#include <string.h>

enum {
    ACCEL = 3, /* which engine it is */
    CLIENTS = 3,
    CRASHES = 1, /* which of them, if one does */
    ORDER = 3,
    SIZE = RIG_PAGE << ORDER,
    SRC = 0,
    DST = SIZE / 2,
    RECORD = SIZE - 64,
    PART = SIZE / 2 - RIG_PAGE, /* of a copy: 3 pages */
    MISSING = RIG_PAGE, /* of it, the page that is brought when asked for */
    STEPS = 200,
    CAP_LIST = 0x34,
    CAP_PCIE = 0x10,
    DEVCTL = 8, /* in the capability of PCI Express */
    FLR = 0x8000,
};

#define LONG UINT64_C(100000000)

/* One client: all have the same addresses. */
struct client {
    struct rig *rig;
    struct accel_part *part;
    struct uiommu_domain *domain;
    uint64_t phys;
    uint8_t *mem;
    enum uiommu_response response;
    unsigned asked, wrong;
    struct uiommu_endpoint *asker;
    uint64_t cookie;
};

struct stand {
    struct rig *rig;
    struct accel_parts parts;
    unsigned dev;
    uint64_t own_phys; /* twice PART */
    uint8_t *own;
    struct client client[CLIENTS];
};

/* ---- machines --------------------------------------------------------------- */

static inline bool with_accel(struct rig *rig, const char **why)
{
    rig->config.accels = 1;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return has_pasids(rig, why);
}

static inline bool with_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_accel(rig, why);
}

static inline bool with_pages(struct rig *rig, const char **why)
{
    return with_accel(rig, why) && with_requests(rig, why);
}

static inline void movdir64b(void *ctx, uint64_t addr, const void *bytes)
{
    sim_movdir64b(ctx, addr, bytes);
}

static inline bool enqcmds(void *ctx, uint64_t addr, const void *bytes)
{
    return sim_enqcmds(ctx, addr, bytes);
}

static inline bool is_all(const uint8_t *mem, unsigned size, unsigned value)
{
    for (unsigned i = 0; i < size; i++)
        if (mem[i] != value)
            return false;
    return true;
}

/* ---- clients ---------------------------------------------------------------- */

static inline uint8_t mark_of(unsigned i)
{
    return (uint8_t)(0x10 + i);
}

/* Told to try again meanwhile, a device asks twice for the page. */
static inline bool is_brought(struct client *c)
{
    enum uiommu_status status =
        uiommu_map(c->domain, BASE + DST + MISSING, c->phys + DST + MISSING,
                   RIG_PAGE, RIG_RW);

    return status == UIOMMU_OK || status == UIOMMU_EXIST;
}

/* The one page that is not there. In any thread. */
static inline enum uiommu_response
bring(void *ctx, const struct uiommu_request_group *group)
{
    struct client *c = ctx;

    c->asked++;
    c->asker = group->endpoint;
    c->cookie = group->cookie;
    c->wrong += group->n != 1 || group->first->iova != BASE + DST + MISSING;
    if (c->response == UIOMMU_RESPONSE_SUCCESS)
        c->wrong += !is_brought(c);
    return c->response;
}

static inline void client_domain(struct client *c)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = c->rig->config.pri ? bring : NULL,
        .request_ctx = c,
    };

    rig_ok(uiommu_domain_create(c->part->endpoint, &config, &c->domain));
    rig_ok(uiommu_map(c->domain, BASE, c->phys, SIZE, RIG_RW));
    if (c->rig->config.pri)
        rig_ok(uiommu_unmap(c->domain, BASE + DST + MISSING, RIG_PAGE, NULL));
}

/* Its queue is its own until it is released, whatever becomes of it. */
static inline void client_begin(struct stand *s, unsigned i)
{
    struct client *c = &s->client[i];

    c->rig = s->rig;
    c->phys = rig_pages(s->rig, ORDER);
    c->mem = sim_ram(s->rig->m, c->phys, SIZE);
    rig_ok(accel_lend(&s->parts, &c->part));
    rig_ok(uiommu_claim(c->part->endpoint, c));
    client_domain(c);
    rig_ok(uiommu_set_domain(c->part->endpoint, c->domain, c));
    memset(c->mem + SRC, mark_of(i), PART);
}

/* The host takes the queue from it. */
static inline void client_goes(struct client *c)
{
    rig_ok(uiommu_release(c->part->endpoint, c));
    assert_int_equal(c->wrong, 0);
    uiommu_domain_put(c->domain);
    c->domain = NULL;
}

static inline void client_end(struct client *c)
{
    client_goes(c);
    rig_ok(accel_take_back(c->part));
}

static inline uint32_t number_of(const struct client *c)
{
    return uiommu_endpoint_pasid(c->part->endpoint);
}

/* By itself, through its portal. */
static inline void client_submits(struct client *c, uint32_t flags)
{
    struct accel_desc d = accel_desc(ACCEL_OP_MEMMOVE, flags, BASE + RECORD);

    memset(c->mem + RECORD, 0, ACCEL_RECORD_SIZE);
    accel_desc_copy(&d, BASE + DST, BASE + SRC, PART);
    sim_movdir64b(c->rig->m, accel_portal(&c->part->parts->drv, c->part->wq),
                  &d);
}

static inline void submits(struct stand *s, unsigned i)
{
    client_submits(&s->client[i], s->rig->config.pri ? ACCEL_FLAG_BOF : 0);
}

/* What it asks for is served meanwhile. */
static inline struct accel_record client_waits(struct client *c)
{
    for (unsigned i = 0; i < STEPS; i++) {
        if (accel_look(c->mem + RECORD).status != ACCEL_NONE)
            break;
        collect_and_serve(c->rig);
    }
    return accel_look(c->mem + RECORD);
}

static inline void assert_copied(struct stand *s, unsigned i)
{
    const struct accel_record r = client_waits(&s->client[i]);

    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_true(is_all(s->client[i].mem + DST, PART, mark_of(i)));
}

/* ---- the stand --------------------------------------------------------------- */

static inline struct uiommu_device *device(struct stand *s)
{
    return s->rig->device[s->dev];
}

static inline enum uiommu_status start(struct stand *s)
{
    const struct accel_cpu cpu = { movdir64b, enqcmds, s->rig->m,
                                   sim_device_ns };

    return accel_parts_start(&s->parts, device(s), &s->rig->m->host,
                             s->rig->m->devices[s->dev].pci, &cpu);
}

static inline void stand_open(struct stand *s, struct rig *rig)
{
    memset(s, 0, sizeof(*s));
    s->rig = rig;
    s->dev = rig_engine(rig, ACCEL);
    rig_ok(start(s));
    s->own_phys = rig_pages(rig, ORDER);
    s->own = sim_ram(rig->m, s->own_phys, SIZE);
    s->parts.drv.limit_ns = 300 * 1000;
    for (unsigned i = 0; i < CLIENTS; i++)
        client_begin(s, i);
}

static inline void clients_end(struct stand *s)
{
    for (unsigned i = CLIENTS; i-- > 0;)
        if (s->client[i].domain)
            client_end(&s->client[i]);
}

static inline void stand_close(struct stand *s)
{
    clients_end(s);
    rig_ok(accel_parts_stop(&s->parts));
}

static inline void own_begins(struct stand *s)
{
    memset(s->own, 0x5a, PART);
    memset(s->own + DST, 0, PART);
    rig_ok(accel_parts_copy(&s->parts, s->own_phys + DST, s->own_phys, PART));
}

static inline void own_ends(struct stand *s)
{
    rig_ok(accel_parts_wait(&s->parts, LONG));
    assert_true(is_all(s->own + DST, PART, 0x5a));
}

/* Nothing is in configuration space as it was. */
static inline void flr(struct stand *s)
{
    const struct uiommu_host *h = &s->rig->m->host;
    const struct uiommu_pci pci = s->rig->m->devices[s->dev].pci;
    unsigned at = h->pci_read(h->ctx, pci, CAP_LIST, 1);

    while (h->pci_read(h->ctx, pci, at, 1) != CAP_PCIE)
        at = h->pci_read(h->ctx, pci, at + 1, 1);
    h->pci_write(h->ctx, pci, at + DEVCTL, 2, FLR);
    sim_advance(s->rig->m, UINT64_C(100000000));
}

static inline void reset_function(struct stand *s)
{
    flr(s);
    sim_firmware(s->rig->m, s->dev);
}

#endif
