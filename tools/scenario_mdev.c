/* SPDX-License-Identifier: MIT */
/*
 * scenario_mdev.c - one client (client.h) has a whole function, parts of one that its
 * driver lends, and a private space, one after the other; the driver's own DMA goes on.
 */
#include "tools/client.h"
#include "tools/stage.h"

static const uint64_t CLIENT_IOVA = UINT64_C(0x80000000);

/* An endpoint that is lent, and who does its DMA. */
struct lent {
    struct stage *s;
    unsigned engine;
    struct uiommu_endpoint *ep;
    uint32_t pasid; /* what its requests carry, and go on carrying           */
    uint8_t *mem;
    uint64_t phys; /* two pages for the client                               */
    uint64_t own;  /* where the driver's own page is                         */
};

/* ---- the driver that lends ---------------------------------------------------------- */

static enum uiommu_status take_number(void *ctx, struct uiommu_endpoint *ep,
                                      uint32_t pasid)
{
    struct lent *l = ctx;

    (void)ep;
    l->pasid = pasid;
    return UIOMMU_OK;
}

/* Its engine is idle between two words. */
static bool stop_number(void *ctx, struct uiommu_endpoint *ep, uint32_t pasid)
{
    (void)ctx, (void)ep, (void)pasid;
    return true;
}

static void nothing_pinned(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                           uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

static enum uiommu_status lend(struct lent *l, enum uiommu_mdev_kind kind)
{
    static const struct uiommu_mediator mediator = {
        .pasid_install = take_number,
        .pasid_clear = stop_number,
        .unmapped = nothing_pinned,
    };
    const struct uiommu_mdev_config config = {
        .size = sizeof(config),
        .kind = kind,
        .mediator = &mediator,
        .ctx = l,
    };

    return uiommu_mdev_register(l->s->device[l->engine], &config, &l->ep);
}

static enum uiommu_status lend_numbered(struct lent *l)
{
    return lend(l, UIOMMU_MDEV_PASID);
}

static enum uiommu_status lend_rest(struct lent *l)
{
    return lend(l, UIOMMU_MDEV_RID_INHERIT);
}

static enum uiommu_status lend_emulated(struct lent *l)
{
    return lend(l, UIOMMU_MDEV_EMULATED);
}

static enum uiommu_status make_space(struct lent *l)
{
    enum uiommu_status status =
        uiommu_pasid_create(stage_endpoint(l->s), NULL, &l->ep);

    if (status == UIOMMU_OK)
        l->pasid = uiommu_endpoint_pasid(l->ep);
    return status;
}

static enum uiommu_status end_space(struct uiommu_endpoint *ep)
{
    return uiommu_pasid_destroy(ep, true);
}

/* ---- DMA ------------------------------------------------------------------------------ */

static bool by_engine(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct lent *l = ctx;

    return machine_dma_pasid(l->s->m, l->engine, l->pasid, write, iova, word,
                             sizeof(*word)) == MACHINE_DMA_DONE;
}

struct move {
    const struct lent *l;
    uint64_t *word;
    bool write;
};

static void move(void *ctx, const struct uiommu_segment *piece)
{
    const struct move *m = ctx;
    void *at = m->l->mem + (piece->phys - m->l->phys);

    memcpy(m->write ? at : m->word, m->write ? m->word : at, sizeof(*m->word));
}

static bool by_software(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct lent *l = ctx;
    const unsigned flags = write ? UIOMMU_WRITE : UIOMMU_READ;
    struct move m = { l, word, write };

    if (uiommu_access_rw(l->ep, iova, sizeof(*word), flags, move, &m) ==
        UIOMMU_OK)
        return true;
    (void)!uiommu_access_fault(l->ep, iova, flags);
    return false;
}

/* ---- one client has it ------------------------------------------------------------------ */

static const struct offer {
    const char *what;
    enum uiommu_status (*make)(struct lent *l); /* NULL: it is there         */
    enum uiommu_status (*end)(struct uiommu_endpoint *ep);
    bool (*dma)(void *ctx, bool write, uint64_t iova, uint64_t *word);
    bool claimed, numbered;
} offers[] = {
    { "a client has a whole function", NULL, NULL, by_engine, true, false },
    { "the same client has a part with a PASID of its own", lend_numbered,
      uiommu_mdev_unregister, by_engine, true, true },
    { "or a part that software keeps apart", lend_emulated,
      uiommu_mdev_unregister, by_software, true, false },
    { "or a private space of the function", make_space, end_space, by_engine,
      false, true },
    { "or all that it sends without a PASID", lend_rest, uiommu_mdev_unregister,
      by_engine, true, false },
};

static const char *run_client(struct lent *l, const struct offer *o,
                              struct client *c)
{
    *c = (struct client){
        .u = l->s->u,
        .ep = l->ep,
        .owner = o->claimed ? l : NULL,
        .dma = o->dma,
        .ctx = l,
        .iova = CLIENT_IOVA,
    };
    for (unsigned i = 0; i < CLIENT_PAGES; i++) {
        c->phys[i] = l->phys + i * CLIENT_PAGE;
        c->mem[i] = (uint64_t *)(void *)(l->mem + i * CLIENT_PAGE);
    }
    return client_run(c);
}

static bool has(struct lent *l, const struct offer *o)
{
    enum uiommu_status status = o->make ? o->make(l) : UIOMMU_OK;
    const char *broken = uiommu_status_name(status);
    struct client c = { .faults = 0 };

    if (status == UIOMMU_OK) {
        broken = run_client(l, o, &c);
        status = o->end ? o->end(l->ep) : UIOMMU_OK;
    }
    if (broken)
        return stage_say(l->s, o->what, false, "%s: %s (%s)", stage_name(l->s),
                         broken, uiommu_status_name(c.status));
    return stage_say(l->s, o->what, status == UIOMMU_OK && c.faults > 0,
                     "%s; after the unmap: %s", stage_name(l->s), c.sentence);
}

/* Its driver's page, as if nobody had a part of it. */
static bool goes_on(struct lent *l)
{
    bool landed = stage_write_lands(l->s, l->own);

    return stage_say(l->s, "and its driver's own DMA goes on", landed,
                     "%s at 0x%llx", stage_name(l->s),
                     (unsigned long long)l->own);
}

static bool has_pasids(struct stage *s)
{
    uint32_t last;

    return uiommu_pasid_last(stage_endpoint(s), &last) == UIOMMU_OK;
}

static bool offer(struct lent *l, const struct offer *o)
{
    const bool pasids = has_pasids(l->s);

    if (o->numbered && !pasids)
        return stage_say(l->s, o->what, true,
                         "not in this mode: the unit has no PASIDs");
    l->pasid = UIOMMU_NO_PASID;
    l->ep = stage_endpoint(l->s);
    return has(l, o);
}

static bool drive(struct lent *l)
{
    struct uiommu_endpoint *ep = stage_endpoint(l->s);
    enum uiommu_status status = uiommu_dma_start(ep, NULL);

    if (status == UIOMMU_OK)
        status = uiommu_dma_map(ep, l->s->phys, STAGE_PAGE,
                                UIOMMU_READ | UIOMMU_WRITE, &l->own);
    if (status == UIOMMU_OK)
        return true;
    return stage_say(l->s, "its driver uses it", false, "%s",
                     uiommu_status_name(status));
}

static void each_offer(struct lent *l)
{
    bool go = offer(l, &offers[0]) && drive(l);

    for (size_t i = 1; go && i < sizeof(offers) / sizeof(offers[0]); i++)
        go = offer(l, &offers[i]) && goes_on(l);
    if (l->own != 0)
        (void)!uiommu_dma_stop(stage_endpoint(l->s));
}

void scenario_mdev(struct stage *s)
{
    const struct uiommu_host *h = &s->m->host;
    struct lent l = { .s = s };

    s->block_quality = UIOMMU_BLOCK_NONE; /* parts are in software's hands */
    l.engine = s->engine;
    if (!stage_start(s) || !stage_add_devices(s))
        return;
    if (machine_engine_area(s->m, s->engine).size > 0) {
        stage_say(s, "a client has a whole function", false,
                  "%s does not work with what a client maps alone",
                  stage_name(s));
        return;
    }
    l.mem = h->pages_alloc(h->ctx, 1, 0, &l.phys);
    if (l.mem)
        each_offer(&l);
    else
        stage_say(s, "a client has memory", false, "no pages");
    if (l.mem)
        h->pages_free(h->ctx, l.mem, l.phys, 1);
}
