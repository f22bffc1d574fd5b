/* SPDX-License-Identifier: MIT */
/*
 * scenario_gpu.c - a device that runs contexts: a private space each, pages that its driver
 * brings when the device asks for them, and a buffer that two have until one loses it.
 */
#include "tools/stage.h"

enum { CONTEXTS = 2, CYCLES = 1000, TRIES = 4 };

static const uint64_t OWN_IOVA = UINT64_C(0x80000000); /* on demand */
static const uint64_t BUFFER_IOVA = UINT64_C(0x90000000);
static const uint64_t NONE_IOVA = UINT64_C(0xa0000000);

struct context {
    struct stage *s;
    struct uiommu_endpoint *space;
    struct uiommu_domain *domain;
    uint64_t phys; /* what it gets at OWN_IOVA                               */
    uint8_t *mem;
    unsigned asked;
};

/* ---- the driver ----------------------------------------------------------------------- */

static enum uiommu_response bring(void *ctx,
                                  const struct uiommu_request_group *group)
{
    struct context *c = ctx;

    c->asked++;
    for (const struct uiommu_page_request *r = group->first; r; r = r->next)
        if (r->iova != OWN_IOVA ||
            uiommu_map(c->domain, r->iova, c->phys, STAGE_PAGE,
                       UIOMMU_READ | UIOMMU_WRITE) != UIOMMU_OK)
            return UIOMMU_RESPONSE_INVALID;
    return UIOMMU_RESPONSE_SUCCESS;
}

static enum uiommu_status open_context(struct context *c)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = bring,
        .request_ctx = c,
    };
    struct uiommu_endpoint *own = stage_endpoint(c->s);
    enum uiommu_status status;

    c->asked = 0;
    status = uiommu_pasid_create(own, NULL, &c->space);
    if (status == UIOMMU_OK)
        status = uiommu_domain_create(own, &config, &c->domain);
    if (status == UIOMMU_OK)
        status = uiommu_set_domain(c->space, c->domain, NULL);
    return status;
}

static enum uiommu_status close_context(struct context *c)
{
    enum uiommu_status status = UIOMMU_OK;

    if (c->space)
        status = uiommu_pasid_destroy(c->space, true);
    if (c->domain)
        uiommu_domain_put(c->domain);
    c->space = NULL;
    c->domain = NULL;
    return status;
}

static unsigned number(const struct context *c)
{
    return uiommu_endpoint_pasid(c->space);
}

/* ---- the device ----------------------------------------------------------------------- */

static bool try(struct context *c, uint64_t iova, uint64_t *word)
{
    return machine_dma_pasid(c->s->m, c->s->engine, number(c), true, iova, word,
                             sizeof(*word)) == MACHINE_DMA_DONE;
}

/* A write that may wait for its page; true: it is in `mem`. */
static bool lands(struct context *c, uint64_t iova, const uint8_t *mem)
{
    struct stage *s = c->s;
    uint64_t word;
    bool done;

    s->pattern = (uint8_t)(s->pattern * 5 + 17);
    memset(&word, s->pattern, sizeof(word));
    done = try(c, iova, &word);
    for (unsigned i = 0; i < TRIES && !done; i++) {
        if (!machine_ask(s->m, s->engine, number(c), true, iova))
            break;
        stage_collect_faults(s);
        uiommu_serve(s->u);
        done = try(c, iova, &word);
    }
    return done && memcmp(mem, &word, sizeof(word)) == 0;
}

/* ---- what is promised ------------------------------------------------------------------- */

static bool have_spaces(struct stage *s, struct context *c)
{
    static const char what[] = "two contexts have a private space each";
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned i = 0; i < CONTEXTS && status == UIOMMU_OK; i++)
        status = open_context(&c[i]);
    if (status != UIOMMU_OK)
        return stage_say(s, what, false, "%s: %s", stage_name(s),
                         uiommu_status_name(status));
    return stage_say(s, what,
                     uiommu_endpoint_group(c[0].space) ==
                         uiommu_endpoint_group(stage_endpoint(s)),
                     "%s: PASIDs %u and %u; no group and no part of it is lent",
                     stage_name(s), number(&c[0]), number(&c[1]));
}

static bool pages_come(struct stage *s, struct context *c)
{
    bool one = lands(&c[0], OWN_IOVA, c[0].mem);
    bool two = lands(&c[1], OWN_IOVA, c[1].mem);
    bool again = lands(&c[0], OWN_IOVA, c[0].mem);

    return stage_say(s, "a page comes when the device asks for it",
                     one && two && again && c[0].asked == 1 && c[1].asked == 1,
                     "each asked once at 0x%llx, and has a page of its own",
                     (unsigned long long)OWN_IOVA);
}

static bool others_are_denied(struct stage *s, struct context *c)
{
    unsigned before = c[0].asked;
    bool landed = lands(&c[0], NONE_IOVA, c[0].mem);

    return stage_say(s, "and is refused where it has none",
                     !landed && c[0].asked > before,
                     "asked %u times at 0x%llx, answered, and gave up",
                     c[0].asked - before, (unsigned long long)NONE_IOVA);
}

static bool shares(struct stage *s, struct context *c)
{
    const struct uiommu_segment buffer = { s->phys, STAGE_PAGE };
    enum uiommu_status status = UIOMMU_OK;
    bool both;

    for (unsigned i = 0; i < CONTEXTS && status == UIOMMU_OK; i++)
        status = uiommu_map_sg(c[i].domain, BUFFER_IOVA, &buffer, 1,
                               UIOMMU_READ | UIOMMU_WRITE);
    both = status == UIOMMU_OK && lands(&c[0], BUFFER_IOVA, s->page) &&
           lands(&c[1], BUFFER_IOVA, s->page);
    return stage_say(s, "both have a buffer", both, "%s, at 0x%llx of each",
                     uiommu_status_name(status),
                     (unsigned long long)BUFFER_IOVA);
}

static bool loses(struct stage *s, struct context *c)
{
    enum uiommu_status status =
        uiommu_unmap(c[0].domain, BUFFER_IOVA, STAGE_PAGE, NULL);
    bool lost = !lands(&c[0], BUFFER_IOVA, s->page);
    bool kept = lands(&c[1], BUFFER_IOVA, s->page);

    return stage_say(s, "one loses it, and the other does not notice",
                     status == UIOMMU_OK && lost && kept,
                     "PASID %u: %s; PASID %u: %s", number(&c[0]),
                     lost ? "nothing there" : "it still has it", number(&c[1]),
                     kept ? "it has it" : "it lost it");
}

static bool come_and_go(struct stage *s, struct context *c)
{
    enum uiommu_status status = UIOMMU_OK;
    unsigned highest = 0, wrong = 0, n = 0;

    while (n < CYCLES && status == UIOMMU_OK) {
        struct context *at = &c[n++ % CONTEXTS];

        status = close_context(at);
        if (status == UIOMMU_OK)
            status = open_context(at);
        if (status != UIOMMU_OK)
            break;
        wrong += !lands(at, OWN_IOVA, at->mem) || at->asked != 1;
        highest = number(at) > highest ? number(at) : highest;
    }
    return stage_say(s, "contexts come and go, and numbers come back clean",
                     status == UIOMMU_OK && wrong == 0 && highest <= CONTEXTS,
                     "%u contexts, PASIDs up to %u, %s", n, highest,
                     uiommu_status_name(status));
}

/* ---- up and down -------------------------------------------------------------------------- */

static bool find_asker(struct stage *s)
{
    for (unsigned i = 0; i < s->n_devices; i++) {
        if (!s->m->devices[i].asks)
            continue;
        s->engine = i;
        return true;
    }
    return stage_say(s, "a device runs contexts", false,
                     "none of this machine asks for pages in this mode");
}

/* What it sends without a PASID is its driver's: without that, some units do not let it
 * have a device TLB (VT-d). */
static bool start_driver(struct stage *s)
{
    enum uiommu_status status = uiommu_dma_start(stage_endpoint(s), NULL);

    return status == UIOMMU_OK || stage_say(s, "its driver starts", false, "%s",
                                            uiommu_status_name(status));
}

static void run(struct stage *s, struct context *c)
{
    static bool (*const steps[])(struct stage *, struct context *) = {
        have_spaces, pages_come, others_are_denied, shares, loses, come_and_go,
    };
    bool go = start_driver(s);

    for (size_t i = 0; go && i < sizeof(steps) / sizeof(steps[0]); i++)
        go = steps[i](s, c);
    for (unsigned i = 0; i < CONTEXTS; i++)
        (void)!close_context(&c[i]);
    (void)!uiommu_dma_stop(stage_endpoint(s));
}

void scenario_gpu(struct stage *s)
{
    const struct uiommu_host *h = &s->m->host;
    struct context c[CONTEXTS] = { { .s = s }, { .s = s } };
    unsigned n = 0;

    if (!stage_start(s) || !stage_add_devices(s) || !find_asker(s))
        return;
    for (; n < CONTEXTS; n++) {
        c[n].mem = h->pages_alloc(h->ctx, 0, 0, &c[n].phys);
        if (!c[n].mem)
            break;
    }
    if (n == CONTEXTS)
        run(s, c);
    else
        stage_say(s, "contexts have memory", false, "no pages");
    while (n-- > 0)
        h->pages_free(h->ctx, c[n].mem, c[n].phys, 0);
}
