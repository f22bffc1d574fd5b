/* SPDX-License-Identifier: MIT */
/*
 * scenario_accel.c - a streaming accelerator that works for the host and lends its queues:
 * clients have an address space each, and submit by themselves; one crashes.
 */
#include "hosts/sim/accel_parts.h"
#include "tools/stage.h"

enum {
    CLIENTS = 3,
    CRASHES = 1,
    ROUNDS = 500,
    /* What a client has: a page each. */
    SRC = 0,
    DST,
    RECORD,
    PAGES,
};

static const uint64_t LIMIT_NS = 100 * 1000 * 1000;

struct client {
    struct story *story;
    struct accel_part *part;
    struct uiommu_domain *domain;
    uint8_t *mem[PAGES];
    uint64_t phys[PAGES];
    bool dies; /* its page never comes                                       */
    unsigned asked;
};

struct story {
    struct stage *s;
    struct accel_parts parts;
    bool started;
    struct client client[CLIENTS];
    uint8_t *own[2];
    uint64_t own_phys[2];
};

static const char *name_of(const struct story *t)
{
    return stage_name(t->s);
}

static bool say_status(struct story *t, const char *what,
                       enum uiommu_status status)
{
    return stage_say(t->s, what, false, "%s: %s", name_of(t),
                     uiommu_status_name(status));
}

/* ---- memory ------------------------------------------------------------------------ */

static bool take_pages(struct story *t, uint8_t **mem, uint64_t *phys,
                       unsigned n)
{
    const struct uiommu_host *h = &t->s->m->host;

    for (unsigned i = 0; i < n; i++) {
        mem[i] = h->pages_alloc(h->ctx, 0, 0, &phys[i]);
        if (!mem[i])
            return false;
    }
    return true;
}

static void give_pages(struct story *t, uint8_t **mem, uint64_t *phys,
                       unsigned n)
{
    const struct uiommu_host *h = &t->s->m->host;

    for (unsigned i = 0; i < n; i++)
        if (mem[i])
            h->pages_free(h->ctx, mem[i], phys[i], 0);
}

static bool is_all(const uint8_t *page, unsigned value)
{
    for (unsigned i = 0; i < STAGE_PAGE; i++)
        if (page[i] != value)
            return false;
    return true;
}

/* ---- clients ----------------------------------------------------------------------- */

static uint64_t at(unsigned page)
{
    return STAGE_IOVA + (uint64_t)page * STAGE_PAGE;
}

static uint8_t mark(const struct client *c)
{
    return (uint8_t)(0x11 + (c - c->story->client));
}

static uint32_t number(const struct client *c)
{
    return uiommu_endpoint_pasid(c->part->endpoint);
}

/* The page that it copies to is there when it is needed. */
static enum uiommu_response bring(void *ctx,
                                  const struct uiommu_request_group *group)
{
    struct client *c = ctx;

    c->asked++;
    if (c->dies)
        return UIOMMU_RESPONSE_LATER;
    if (group->first->iova != at(DST) ||
        uiommu_map(c->domain, at(DST), c->phys[DST], STAGE_PAGE,
                   UIOMMU_READ | UIOMMU_WRITE) != UIOMMU_OK)
        return UIOMMU_RESPONSE_INVALID;
    return UIOMMU_RESPONSE_SUCCESS;
}

static enum uiommu_status open_domain(struct client *c)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = bring,
        .request_ctx = c,
    };
    enum uiommu_status status =
        uiommu_domain_create(c->part->endpoint, &config, &c->domain);

    if (status == UIOMMU_OK)
        status = uiommu_map(c->domain, at(SRC), c->phys[SRC], STAGE_PAGE,
                            UIOMMU_READ);
    if (status == UIOMMU_OK)
        status = uiommu_map(c->domain, at(RECORD), c->phys[RECORD], STAGE_PAGE,
                            UIOMMU_WRITE);
    if (status == UIOMMU_OK)
        status = uiommu_set_domain(c->part->endpoint, c->domain, c);
    return status;
}

static enum uiommu_status open_client(struct story *t, struct client *c)
{
    enum uiommu_status status;

    c->story = t;
    c->asked = 0;
    if (!c->mem[0] && !take_pages(t, c->mem, c->phys, PAGES))
        return UIOMMU_NOMEM;
    memset(c->mem[SRC], mark(c), STAGE_PAGE);
    memset(c->mem[DST], 0, STAGE_PAGE);
    status = accel_lend(&t->parts, &c->part);
    if (status == UIOMMU_OK)
        status = uiommu_claim(c->part->endpoint, c);
    return status == UIOMMU_OK ? open_domain(c) : status;
}

/* The host takes back what it has, whatever it does. */
static enum uiommu_status close_client(struct client *c)
{
    enum uiommu_status released, taken;

    if (!c->part)
        return UIOMMU_OK;
    released = uiommu_release(c->part->endpoint, c);
    if (c->domain)
        uiommu_domain_put(c->domain);
    taken = accel_take_back(c->part);
    c->part = NULL;
    c->domain = NULL;
    return released != UIOMMU_OK ? released : taken;
}

/* Nobody is asked: it writes to its portal. */
static void submit(struct client *c)
{
    struct machine *m = c->story->s->m;
    struct accel_desc d =
        accel_desc(ACCEL_OP_MEMMOVE, ACCEL_FLAG_BOF, at(RECORD));

    memset(c->mem[RECORD], 0, STAGE_PAGE);
    accel_desc_copy(&d, at(DST), at(SRC), STAGE_PAGE);
    m->ops->movdir64b(m, accel_portal(&c->part->parts->drv, c->part->wq), &d);
}

static bool copied(struct client *c)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (accel_look(c->mem[RECORD]).status != ACCEL_NONE)
            break;
        stage_collect_faults(c->story->s);
        uiommu_serve(c->story->s->u);
    }
    return accel_look(c->mem[RECORD]).status == ACCEL_SUCCESS &&
           is_all(c->mem[DST], mark(c));
}

/* ---- what is promised ------------------------------------------------------------------ */

static bool is_there(struct story *t)
{
    struct stage *s = t->s;

    for (s->engine = 0; s->engine < s->m->n_devices; s->engine++)
        if (s->m->devices[s->engine].accel)
            break;
    if (s->engine < s->m->n_devices && s->m->ops->movdir64b)
        return true;
    s->engine = 0;
    return stage_say(s, "the machine has a streaming accelerator", false,
                     "none, or not in this mode: sim:vtd and sim:smmuv3 have");
}

static void movdir64b(void *ctx, uint64_t addr, const void *bytes)
{
    struct machine *m = ctx;

    m->ops->movdir64b(m, addr, bytes);
}

/* Queues that several share are not used. */
static enum uiommu_status start_driver(struct story *t)
{
    struct machine *m = t->s->m;
    const struct accel_cpu cpu = { movdir64b, NULL, m, NULL };
    enum uiommu_status status = UIOMMU_NOMEM;

    if (take_pages(t, t->own, t->own_phys, 2))
        status =
            accel_parts_start(&t->parts, t->s->device[t->s->engine], &m->host,
                              m->devices[t->s->engine].pci, &cpu);
    t->started = status == UIOMMU_OK;
    return status;
}

static enum uiommu_status begin_own(struct story *t)
{
    memset(t->own[0], 0x5a, STAGE_PAGE);
    memset(t->own[1], 0, STAGE_PAGE);
    return accel_parts_copy(&t->parts, t->own_phys[1], t->own_phys[0],
                            STAGE_PAGE);
}

static bool end_own(struct story *t)
{
    return accel_parts_wait(&t->parts, LIMIT_NS) == UIOMMU_OK &&
           is_all(t->own[1], 0x5a);
}

static bool works_for_the_host(struct story *t)
{
    static const char what[] = "the accelerator works for the host";
    enum uiommu_status status = start_driver(t);

    if (status == UIOMMU_OK)
        status = begin_own(t);
    if (status != UIOMMU_OK)
        return say_status(t, what, status);
    return stage_say(t->s, what, end_own(t),
                     "%s copies a page, mapped for that and unmapped again",
                     name_of(t));
}

static bool queues_are_lent(struct story *t)
{
    static const char what[] = "clients have a queue and an address space each";
    enum uiommu_status status = UIOMMU_OK;
    bool apart;

    for (unsigned i = 0; i < CLIENTS && status == UIOMMU_OK; i++)
        status = open_client(t, &t->client[i]);
    if (status != UIOMMU_OK)
        return say_status(t, what, status);
    apart = uiommu_endpoint_group(t->client[0].part->endpoint) !=
            uiommu_endpoint_group(t->client[1].part->endpoint);
    return stage_say(
        t->s, what, apart, "PASIDs %u, %u and %u, each a group of its own",
        number(&t->client[0]), number(&t->client[1]), number(&t->client[2]));
}

static bool pages_come(struct story *t)
{
    struct client *c = &t->client[0];
    bool done;

    submit(c);
    done = copied(c);
    return stage_say(t->s, "a client submits by itself, and its pages come",
                     done && c->asked == 1,
                     "a copy at 0x%llx waited for its page, which was asked "
                     "for %u time%s",
                     (unsigned long long)at(SRC), c->asked,
                     c->asked == 1 ? "" : "s");
}

/* All at once: one of them in vain. */
static bool all_work(struct story *t)
{
    struct client *c = &t->client[CRASHES];

    c->dies = true;
    for (unsigned i = 0; i < CLIENTS; i++)
        submit(&t->client[i]);
    if (begin_own(t) != UIOMMU_OK)
        return false;
    for (unsigned i = 0; i < ROUNDS && c->asked == 0; i++) {
        stage_collect_faults(t->s);
        uiommu_serve(t->s->u);
    }
    return c->asked > 0;
}

static bool one_crashes(struct story *t)
{
    static const char what[] = "one crashes with work under way";
    struct client *c = &t->client[CRASHES];
    const uint32_t was = number(c);
    bool waited = all_work(t);
    enum uiommu_status status = close_client(c);

    if (status != UIOMMU_OK)
        return say_status(t, what, status);
    stage_collect_faults(t->s);
    uiommu_serve(t->s->u);
    return stage_say(t->s, what,
                     waited && !c->part && is_all(c->mem[DST], 0) &&
                         accel_look(c->mem[RECORD]).status == ACCEL_NONE,
                     "PASID %u: its queue was stopped, the page that it waited "
                     "for was denied, and nothing was written",
                     was);
}

static bool others_go_on(struct story *t)
{
    bool done = true, own;

    for (unsigned i = 0; i < CLIENTS; i++)
        if (i != CRASHES)
            done = copied(&t->client[i]) && done;
    own = end_own(t);
    return stage_say(t->s, "neither the others nor the host notice",
                     done && own && t->s->faults == 0,
                     "all that they had submitted is copied; %u faults",
                     t->s->faults);
}

static bool number_comes_back(struct story *t)
{
    static const char what[] =
        "its number is the next client's, without a trace";
    struct client *c = &t->client[CRASHES];
    enum uiommu_status status;
    bool done;

    c->dies = false;
    status = open_client(t, c);
    if (status != UIOMMU_OK)
        return say_status(t, what, status);
    submit(c);
    done = copied(c);
    return stage_say(t->s, what, done && c->asked == 1,
                     "PASID %u: a page of its own, asked for once", number(c));
}

/* ---- down ------------------------------------------------------------------------------- */

static void end(struct story *t)
{
    for (unsigned i = CLIENTS; i-- > 0;) {
        (void)!close_client(&t->client[i]);
        give_pages(t, t->client[i].mem, t->client[i].phys, PAGES);
    }
    if (t->started) {
        (void)!accel_parts_wait(&t->parts, 0);
        t->started = accel_parts_stop(&t->parts) != UIOMMU_OK;
    }
    give_pages(t, t->own, t->own_phys, 2);
}

void scenario_accel(struct stage *s)
{
    struct story story = { .s = s };

    if (is_there(&story) && stage_start(s) && stage_add_devices(s))
        (void)(works_for_the_host(&story) && queues_are_lent(&story) &&
               pages_come(&story) && one_crashes(&story) &&
               others_go_on(&story) && number_comes_back(&story));
    end(&story);
    (void)stage_stop(s);
}
