/* SPDX-License-Identifier: MIT */
/*
 * gpu_test.c - a device that runs contexts, as GPUs do: each has a private address space
 * with a number of its own, whose pages its driver brings when they are asked for, and
 * buffers that others have too (semantics C-SC3, S3.18, S3.25, S3.31, S3.36).
 */
#include "tests/core/lookout.h"
#include "tests/core/sva.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* Where a context has what: pages that come when they are asked for, some of them not to
 * be written; and a buffer that was put there, or comes back when it is asked for. */
enum { OWN = 4, LENGTH = 5, RUNS = 3, TRIES = 4 };

#define READ_ONLY (BASE + (OWN - 1) * (uint64_t)RIG_PAGE)
#define BUFFER    (BASE + GIB(1))

struct context {
    struct rig *rig;
    unsigned engine;
    struct uiommu_endpoint *space;
    struct uiommu_domain *domain;
    uint64_t own[OWN];
    const struct uiommu_segment
        *buffer; /* RUNS of LENGTH pages; NULL: none of his */
    unsigned served, pages; /* groups, and what was in them */
    enum uiommu_response last;
    struct context *evicts; /* its pages are one and the same */
};

/* ---- the driver ------------------------------------------------------------------------- */

static uint64_t page_of(const struct uiommu_segment *runs, uint64_t offset)
{
    while (offset >= runs->size)
        offset -= (runs++)->size;
    return runs->phys + offset;
}

/* Where the context's page is, and what may be done to it; false: it has none there. */
static bool find(const struct context *c, uint64_t iova, uint64_t *phys,
                 unsigned *flags)
{
    const uint64_t size = LENGTH * (uint64_t)RIG_PAGE;

    *flags = iova == READ_ONLY ? UIOMMU_READ : RW;
    if (iova - BASE < OWN * (uint64_t)RIG_PAGE)
        *phys = c->own[(iova - BASE) / RIG_PAGE];
    else if (c->buffer && iova - BUFFER < size)
        *phys = page_of(c->buffer, iova - BUFFER);
    else
        return false;
    return true;
}

/* There may be room for one only. */
static void make_room(const struct context *c, uint64_t iova)
{
    if (c->evicts)
        rig_ok(uiommu_unmap(c->evicts->domain, iova, RIG_PAGE, NULL));
}

static enum uiommu_response bring(const struct context *c,
                                  const struct uiommu_page_request *r)
{
    enum uiommu_status status;
    unsigned flags;
    uint64_t phys;

    if (!find(c, r->iova, &phys, &flags) || (r->access & ~flags) != 0)
        return UIOMMU_RESPONSE_INVALID;
    make_room(c, r->iova);
    status = uiommu_map(c->domain, r->iova, phys, RIG_PAGE, flags);
    return status == UIOMMU_OK || status == UIOMMU_EXIST
               ? UIOMMU_RESPONSE_SUCCESS
               : UIOMMU_RESPONSE_INVALID;
}

static enum uiommu_response serve(void *ctx,
                                  const struct uiommu_request_group *group)
{
    struct context *c = ctx;

    c->served++;
    c->pages += group->n;
    c->last = UIOMMU_RESPONSE_SUCCESS;
    for (const struct uiommu_page_request *r = group->first; r; r = r->next)
        if (bring(c, r) != UIOMMU_RESPONSE_SUCCESS)
            c->last = UIOMMU_RESPONSE_INVALID;
    return c->last;
}

/* Pages of its own it has from before: memory of a machine is not without end. */
static void open_context(struct rig *rig, unsigned engine, struct context *c)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = serve,
        .request_ctx = c,
    };

    c->rig = rig;
    c->engine = engine;
    c->served = 0;
    c->pages = 0;
    for (unsigned i = 0; i < OWN; i++)
        if (c->own[i] == 0)
            c->own[i] = rig_pages(rig, 0);
    rig_ok(
        uiommu_domain_create(rig_endpoint(rig, engine), &config, &c->domain));
    c->space = pasid(rig, engine);
    see(c->space, c->domain);
}

static void close_context(struct context *c)
{
    rig_ok(uiommu_pasid_destroy(c->space, true));
    uiommu_domain_put(c->domain);
    c->space = NULL;
}

static uint32_t number(const struct context *c)
{
    return uiommu_endpoint_pasid(c->space);
}

/* Of one device. */
static void open_two(struct rig *rig, struct context *a, struct context *b)
{
    set(rig, 0, uiommu_identity(rig->u));
    open_context(rig, 0, a);
    open_context(rig, 0, b);
}

static void close_two(struct context *a, struct context *b)
{
    close_context(a);
    close_context(b);
    a->rig->faults = 0;
}

static void make_buffer(struct rig *rig, struct uiommu_segment *runs)
{
    runs[0].size = 2 * RIG_PAGE;
    runs[1].size = RIG_PAGE;
    runs[2].size = 2 * RIG_PAGE;
    for (unsigned i = 0; i < RUNS; i++)
        runs[i].phys = rig_pages(rig, 1);
}

/* ---- the device ------------------------------------------------------------------------- */

static void ask_for(const struct context *c, bool write, uint64_t iova,
                    uint16_t group, bool last)
{
    struct sim_page_request r =
        request_of(c->rig, c->engine, number(c), iova, group, last);

    r.access = write ? UIOMMU_WRITE : UIOMMU_READ;
    assert_int_equal(sim_page_request(c->rig->m, &r), SIM_NOT_STOPPED);
}

/* The answer to the last group. */
static uint32_t answer_now(const struct context *c)
{
    const unsigned n = answers(c->rig, c->engine);

    assert_true(n > 0);
    assert_true(answer(c->rig, c->engine, n - 1).expected);
    return answer(c->rig, c->engine, n - 1).code;
}

/* It asks for what it does not have, waits, and tries again. */
static bool touches(const struct context *c, bool write, uint64_t iova,
                    uint64_t *word)
{
    struct sim_request r = { .dev = rig_engine(c->rig, c->engine),
                             .pasid = number(c),
                             .write = write,
                             .iova = iova,
                             .buf = word,
                             .size = sizeof(*word) };

    for (unsigned i = 0; i < TRIES; i++) {
        r.moved = 0;
        if (sim_dma(c->rig->m, &r) == MACHINE_DMA_DONE)
            return true;
        assert_true(r.no_page);
        ask_for(c, write, iova, 1, true);
        collect_and_serve(c->rig);
        if (answer_now(c) != SIM_PAGE_SUCCESS)
            return false;
    }
    fail_msg("0x%llx was promised and is not there", (unsigned long long)iova);
    return false;
}

static void writes(const struct context *c, uint64_t iova, uint64_t phys)
{
    static uint64_t marker = UINT64_C(0xf00d000000000000);
    uint64_t word = ++marker;

    assert_true(touches(c, true, iova, &word));
    assert_int_equal(rig_peek(c->rig, phys), marker);
    rig_poke(c->rig, phys, ~marker);
    assert_true(touches(c, false, iova, &word));
    assert_int_equal(word, ~marker);
}

static bool is_denied(const struct context *c, uint64_t iova)
{
    uint64_t word = 0;

    return !touches(c, true, iova, &word) && !touches(c, false, iova, &word);
}

/* ---- contexts come and go (C-SC3) --------------------------------------------------------- */

/* What the page requests of a context that went were told. */
static void close_while_it_asks(struct context *c)
{
    const struct context was = *c;
    const unsigned before = answers(c->rig, c->engine);

    ask_for(c, true, BASE + RIG_PAGE, 2, false);
    ask_for(c, true, BASE + 2 * RIG_PAGE, 2, true);
    close_context(c);
    is_answer(was.rig, was.engine, before, 2, SIM_PAGE_INVALID);
    assert_int_equal(answers(was.rig, was.engine), before + 1);
}

/* But for the unit's queue of requests, which is memory that it writes to. */
static void is_as_before(struct rig *rig, const struct rig_state *before)
{
    struct rig_state now = rig_state(rig);
    const char *what;

    now.tables = before->tables;
    what = rig_difference(before, &now);
    if (what)
        fail_msg("%s", what);
}

/* Numbers come back at once and clean: no more than there are contexts. */
static void c_sc3_contexts_come_and_go(struct rig *rig)
{
    enum { LIVE = 4 };
    /* Where all calls of each are made to fail, fewer. */
    const unsigned cycles = rig_failing ? 200 : 1000;
    struct context context[LIVE] = { 0 };
    struct rig_state before;

    set(rig, 0, uiommu_identity(rig->u));
    for (unsigned i = 0; i < LIVE; i++) /* memory, and the unit's tables */
        open_context(rig, 0, &context[i]);
    for (unsigned i = 0; i < LIVE; i++)
        close_context(&context[i]);
    before = rig_state(rig);
    for (unsigned i = 0; i < cycles + LIVE; i++) {
        struct context *c = &context[i % LIVE];

        if (c->space && i % 3 == 0)
            close_while_it_asks(c);
        else if (c->space)
            close_context(c);
        assert_true(rig_pasid_refused(rig, 0, i % LIVE + 1, BASE));
        if (i >= cycles)
            continue;
        open_context(rig, 0, c);
        assert_int_equal(number(c), i % LIVE + 1);
        writes(c, BASE, c->own[0]);
        assert_int_equal(c->served, 1);
    }
    rig->faults = 0;
    assert_int_equal(sim_page_groups(rig->m, rig_engine(rig, 0)), 0);
    is_as_before(rig, &before);
}

static void count_devices(void *ctx, struct uiommu_device *device)
{
    (void)device;
    ++*(unsigned *)ctx;
}

/* S3.18: nobody hears of groups or mediated devices. */
static void c_sc3_a_context_is_no_group_and_no_mdev(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0);
    struct uiommu_group *group = uiommu_endpoint_group(own);
    struct context context = { 0 };
    unsigned devices = 0;
    const int owner = 0;

    open_context(rig, 0, &context);
    assert_ptr_equal(uiommu_endpoint_group(context.space), group);
    assert_ptr_equal(uiommu_endpoint_group(own), group);
    uiommu_group_devices(group, count_devices, &devices);
    assert_int_equal(devices, 1);
    assert_true(uim_list_empty(&rig->device[rig_engine(rig, 0)]->mediated));
    rig_is(uiommu_mdev_unregister(context.space), UIOMMU_INVAL);
    rig_is(uiommu_claim(own, &owner), UIOMMU_BUSY);
    assert_ptr_equal(uiommu_endpoint_domain(own), uiommu_blocked(rig->u));
    close_context(&context);
    rig_ok(uiommu_claim(own, &owner));
    rig_ok(uiommu_release(own, &owner));
}

/* B.17: what it had asked for is answered first, and nothing of it reaches the next. */
static void c_sc3_a_number_comes_back_after_the_drain(struct rig *rig)
{
    struct context old = { 0 }, next = { 0 };
    const struct sim_page_request late =
        request_of(rig, 0, 1, BASE + RIG_PAGE, 7, true);

    set(rig, 0, uiommu_identity(rig->u));
    open_context(rig, 0, &old);
    writes(&old, BASE, old.own[0]);
    close_while_it_asks(&old);
    open_context(rig, 0, &next);
    assert_int_equal(number(&next), 1);
    collect_and_serve(rig);
    assert_int_equal(next.served, 0);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    rig->faults = 0;
    assert_int_equal(sim_page_request(rig->m, &late), SIM_NOT_STOPPED);
    collect_and_serve(rig);
    assert_int_equal(next.served, 1);
    assert_int_equal(old.served, 1);
    close_context(&next);
}

/* A context's number is never that of a process, and who looks for a process finds its own
 * endpoint: when it is bound, and when its device asks for a page. */
static void c_sc3_no_lookup_for_a_process_finds_a_context(struct rig *rig)
{
    struct process s = start_process(rig, kernel_open(rig->m, is_arm(rig)), 0);
    struct uiommu_endpoint *bound, *again;
    struct uiommu_pasid_config config = { .size = sizeof(config) };
    struct context c = { 0 }, beside = { 0 };

    assert_true(kernel_mmap(s.p, BASE, 2 * OWN, RW));
    set(rig, 0, uiommu_identity(rig->u));
    open_context(rig, 0, &c);
    bound = bind(&s, 0);
    open_context(rig, 0, &beside);
    again = bind(&s, 0);
    assert_ptr_equal(again, bound);
    unbind(again);
    assert_ptr_not_equal(bound, c.space);
    assert_ptr_not_equal(bound, beside.space);
    config.first = config.last = uiommu_endpoint_pasid(bound);
    assert_int_not_equal(config.first, number(&c));
    assert_int_not_equal(config.first, number(&beside));
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), &config, &again),
           UIOMMU_BUSY);
    writes(&c, BASE, c.own[0]);
    writes(&beside, BASE, beside.own[0]);
    assert_true(is_denied(&c, BASE + OWN * RIG_PAGE)); /* the process has it */
    assert_int_equal(kernel_served(s.p), 0);
    c.served = beside.served = 0;
    ask(rig, 0, config.first, BASE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(answer_now(&c), SIM_PAGE_SUCCESS);
    assert_int_equal(kernel_served(s.p), 1);
    assert_int_equal(c.served + beside.served, 0);
    assert_true(shares(&s, 0, config.first, BASE));
    rig->faults = 0;
    unbind(bound);
    close_context(&c);
    close_context(&beside);
    close_process(&s);
}

/* Its device does not stop: the number is nobody's until it was reset. */
static void c_sc3_a_number_that_is_still_sent_waits(struct rig *rig)
{
    struct context old = { 0 }, next = { 0 };
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];

    set(rig, 0, uiommu_identity(rig->u));
    open_context(rig, 0, &old);
    writes(&old, BASE, old.own[0]);
    ask_for(&old, true, BASE + RIG_PAGE, 3, true);
    rig_ok(uiommu_pasid_destroy(old.space, false));
    uiommu_domain_put(old.domain);
    collect(rig); /* what is on its way arrives, and the device may ask again */
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    open_context(rig, 0, &next);
    assert_int_equal(number(&next), 2);
    writes(&next, BASE, next.own[0]);
    close_context(&next);
    rig_ok(uiommu_device_reset_begin(device));
    rig_ok(uiommu_device_reset_end(device, true));
    open_context(rig, 0, &next);
    assert_int_equal(number(&next), 1);
    close_context(&next);
    rig->faults = 0;
}

/* One that may change, three that must not, one of them of another device, and the id. */
static void watch_contexts(struct lookout *l, const struct context *still,
                           uint32_t moving, uint64_t old, uint64_t new)
{
    struct rig *rig = still->rig;

    *l = (struct lookout){ .n = 0 };
    watch_pasid(l, rig, 0, moving, BASE, old, new);
    for (unsigned i = 0; i < 3; i++)
        watch_pasid(l, rig, still[i].engine, number(&still[i]), BASE,
                    still[i].own[0], still[i].own[0]);
    watch_dma(l, rig, 0, still->own[0], still->own[0], still->own[0]);
}

/* What one context gains or loses by `step`, and nobody else. */
#define ONLY(still, moving, old, new, step)                                    \
    do {                                                                       \
        struct lookout l_;                                                     \
                                                                               \
        watch_contexts(&l_, still, moving, old, new);                          \
        begin((still)->rig, &l_);                                              \
        step;                                                                  \
        end((still)->rig, &l_);                                                \
    } while (0)

/* It ends with one group that waits in the core and one in the unit, while another context
 * waits, too. */
static void ends_unnoticed(struct context *c, const struct context *still,
                           unsigned waits)
{
    struct rig *rig = c->rig;
    const unsigned before = answers(rig, 0), served = c->served;
    const uint32_t moving = number(c);
    uint32_t first;

    ask_for(&still[waits], true, BASE + RIG_PAGE, 4, true);
    ask_for(c, true, BASE + RIG_PAGE, 2, true);
    collect(rig);
    ask_for(c, true, BASE + RIG_PAGE, 3, true);
    ONLY(still, moving, c->own[0], NOWHERE, close_context(c));
    assert_int_equal(answers(rig, 0), before + 2);
    first = answer(rig, 0, before).group; /* on its way one may pass another */
    assert_true(first == 2 || first == 3);
    is_answer(rig, 0, before, first, SIM_PAGE_INVALID);
    is_answer(rig, 0, before + 1, 5 - first, SIM_PAGE_INVALID);
    collect_and_serve(rig);
    assert_int_equal(c->served, served);
    is_answer(rig, 0, before + 2, 4, SIM_PAGE_SUCCESS);
    assert_int_equal(answers(rig, 0), before + 3);
}

/* Each has the number of the one before, and nothing of it. */
static void c_sc3_nobody_notices_that_contexts_come_and_go(struct rig *rig)
{
    struct context still[3] = { 0 }, c = { 0 };
    uint32_t moving;

    set(rig, 0, uiommu_identity(rig->u));
    set(rig, 1, uiommu_identity(rig->u));
    for (unsigned i = 0; i < 3; i++) {
        open_context(rig, i / 2, &still[i]);
        writes(&still[i], BASE, still[i].own[0]);
    }
    open_context(rig, 0, &c);
    moving = number(&c);
    close_context(&c);
    for (unsigned i = 0; i < 2; i++) {
        ONLY(still, moving, NOWHERE, NOWHERE, open_context(rig, 0, &c));
        assert_int_equal(number(&c), moving);
        ask_for(&c, true, BASE, 1, true);
        ONLY(still, moving, NOWHERE, c.own[0], collect_and_serve(rig));
        assert_int_equal(answer_now(&c), SIM_PAGE_SUCCESS);
        assert_int_equal(c.served, 1);
        ends_unnoticed(&c, still, i);
    }
    for (unsigned i = 0; i < 3; i++)
        close_context(&still[i]);
    rig->faults = 0;
}

/* ---- pages on demand ----------------------------------------------------------------------- */

static void pages_come_when_they_are_asked_for(struct rig *rig)
{
    struct context a = { 0 }, b = { 0 };
    uint64_t word = 0;

    open_two(rig, &a, &b);
    for (unsigned i = 0; i < OWN - 1; i++) {
        writes(&a, BASE + i * RIG_PAGE, a.own[i]);
        writes(&b, BASE + i * RIG_PAGE, b.own[i]);
    }
    assert_int_equal(a.served, OWN - 1);
    assert_int_equal(b.served, OWN - 1);
    assert_true(touches(&a, false, READ_ONLY, &word));
    assert_false(touches(&a, true, READ_ONLY, &word));
    assert_true(touches(&a, false, READ_ONLY, &word));
    assert_true(is_denied(&b, BASE + OWN * RIG_PAGE));
    assert_true(is_denied(&b, BUFFER));
    writes(&a, BASE, a.own[0]);
    writes(&b, BASE, b.own[0]);
    close_two(&a, &b);
}

/* Who has nothing there is told so, and nobody else. */
static void each_context_is_answered_for_itself(struct rig *rig)
{
    struct context a = { 0 }, b = { 0 };
    unsigned before = answers(rig, 0);

    open_two(rig, &a, &b);
    ask_for(&a, true, BASE, 5, false);
    ask_for(&b, true, BASE, 6, false);
    ask_for(&b, true, BUFFER, 6, true);
    ask_for(&a, true, BASE + RIG_PAGE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), before + 2);
    is_answer(rig, 0, before, 6, SIM_PAGE_INVALID);
    is_answer(rig, 0, before + 1, 5, SIM_PAGE_SUCCESS);
    assert_true(
        rig_pasid_reaches(rig, 0, number(&a), BASE + RIG_PAGE, a.own[1]));
    assert_true(rig_pasid_refused(rig, 0, number(&b), BASE + RIG_PAGE));
    close_two(&a, &b);
}

/* What others have asked for, half a group and a whole one, is no business of the drain. */
static void a_context_that_ends_leaves_the_others_waiting(struct rig *rig)
{
    struct context a = { 0 }, b = { 0 };
    unsigned before;

    open_two(rig, &a, &b);
    ask_for(&b, true, BASE, 5, true);
    ask_for(&b, true, BASE + RIG_PAGE, 6, false);
    collect(rig);
    close_while_it_asks(&a);
    before = answers(rig, 0);
    ask_for(&b, true, BASE + 2 * RIG_PAGE, 6, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), before + 2);
    is_answer(rig, 0, before, 5, SIM_PAGE_SUCCESS);
    is_answer(rig, 0, before + 1, 6, SIM_PAGE_SUCCESS);
    assert_int_equal(b.pages, 3);
    for (unsigned i = 0; i < OWN - 1; i++)
        assert_true(rig_pasid_reaches(rig, 0, number(&b), BASE + i * RIG_PAGE,
                                      b.own[i]));
    close_context(&b);
    rig->faults = 0;
}

/* Memory that is there once: who asks for it takes it from the other. */
static void a_page_goes_to_who_asks_for_it(struct rig *rig)
{
    struct context a = { 0 }, b = { 0 };
    uint64_t word = UINT64_C(0x600d);

    set(rig, 0, uiommu_identity(rig->u));
    open_context(rig, 0, &a);
    memcpy(b.own, a.own, sizeof(b.own));
    open_context(rig, 0, &b);
    a.evicts = &b;
    b.evicts = &a;
    for (unsigned i = 0; i < 12; i++) {
        const struct context *taker = i % 2 ? &b : &a;
        const struct context *loser = i % 2 ? &a : &b;

        assert_true(touches(taker, true, BASE, &word));
        assert_int_equal(rig_peek(rig, a.own[0]), word++);
        assert_true(rig_pasid_refused(rig, 0, number(loser), BASE));
    }
    assert_int_equal(a.served, 6);
    assert_int_equal(b.served, 6);
    close_two(&a, &b);
}

/* ---- a buffer that two contexts have (S3.36) ------------------------------------------------- */

static void give(struct context *c, const struct uiommu_segment *buffer)
{
    c->buffer = buffer;
    rig_ok(uiommu_map_sg(c->domain, BUFFER, buffer, RUNS, RW));
}

static void open_two_with(struct rig *rig, struct context *a, struct context *b,
                          struct uiommu_segment *buffer)
{
    make_buffer(rig, buffer);
    open_two(rig, a, b);
    give(a, buffer);
    give(b, buffer);
}

/* Its first, middle and last page, of both contexts: one changes, one never does. */
static void watch_buffer(struct lookout *l, const struct context *moving,
                         const struct context *still, bool had, bool has)
{
    static const unsigned pages[] = { 0, 2, LENGTH - 1 };

    for (unsigned i = 0; i < 3; i++) {
        const uint64_t offset = pages[i] * (uint64_t)RIG_PAGE;
        const uint64_t phys = page_of(still->buffer, offset);

        watch_pasid(l, still->rig, moving->engine, number(moving),
                    BUFFER + offset, had ? phys : NOWHERE,
                    has ? phys : NOWHERE);
        watch_pasid(l, still->rig, still->engine, number(still),
                    BUFFER + offset, phys, phys);
    }
}

static void revoke(struct context *c, const struct context *still)
{
    const uint64_t size = LENGTH * (uint64_t)RIG_PAGE;
    struct lookout l = { .n = 0 };
    uint64_t gone = 0;

    watch_buffer(&l, c, still, true, false);
    c->buffer = NULL;
    begin(c->rig, &l);
    rig_ok(uiommu_unmap(c->domain, BUFFER, size, &gone));
    end(c->rig, &l);
    assert_true(saw(&l, LENGTH));
    assert_int_equal(gone, size);
}

static void give_beside(struct context *c, const struct context *still)
{
    struct lookout l = { .n = 0 };

    watch_buffer(&l, c, still, false, true);
    begin(c->rig, &l);
    give(c, still->buffer);
    end(c->rig, &l);
}

/* All of it, from one, while the other goes on with it; and given again. */
static void s3_36_a_buffer_is_revoked_from_one_context_of_two(struct rig *rig)
{
    struct uiommu_segment buffer[RUNS];
    struct context a = { 0 }, b = { 0 };

    open_two_with(rig, &a, &b, buffer);
    for (unsigned i = 0; i < 2; i++) {
        revoke(&a, &b);
        assert_true(is_denied(&a, BUFFER));
        writes(&a, BASE, a.own[0]);
        writes(&b, BUFFER, buffer[0].phys);
        give_beside(&a, &b);
        writes(&a, BUFFER, buffer[0].phys);
        writes(&b, BUFFER, buffer[0].phys);
    }
    close_context(&a);
    writes(&b, BUFFER, buffer[0].phys);
    close_context(&b);
    rig->faults = 0;
}

/* Page by page as it is asked for, which is not an order that anybody chose. */
static void a_revoked_buffer_comes_back_on_demand(struct rig *rig)
{
    struct uiommu_segment buffer[RUNS];
    struct context a = { 0 }, b = { 0 };

    make_buffer(rig, buffer);
    open_two(rig, &a, &b);
    give(&b, buffer);
    a.buffer = buffer;
    for (unsigned i = LENGTH; i-- > 0;)
        writes(&a, BUFFER + i * RIG_PAGE, page_of(buffer, i * RIG_PAGE));
    assert_int_equal(a.served, LENGTH);
    revoke(&a, &b);
    assert_true(is_denied(&a, BUFFER + 2 * RIG_PAGE));
    assert_int_equal(b.served, 0);
    close_two(&a, &b);
}

/* Asked for while it was his, answered when it is not any more. */
static void a_page_revoked_while_it_is_asked_for_stays_away(struct rig *rig)
{
    struct uiommu_segment buffer[RUNS];
    struct context a = { 0 }, b = { 0 };
    const unsigned before = answers(rig, 0);

    open_two_with(rig, &a, &b, buffer);
    writes(&a, BUFFER, buffer[0].phys);
    ask_for(&a, true, BUFFER, 9, true);
    collect(rig);
    revoke(&a, &b);
    uiommu_serve(rig->u);
    is_answer(rig, 0, before, 9, SIM_PAGE_INVALID);
    assert_true(rig_pasid_refused(rig, 0, number(&a), BUFFER));
    writes(&b, BUFFER, buffer[0].phys);
    close_two(&a, &b);
}

/* S3.25: a space is a domain like any other, and two devices may see it. */
static void s3_25_two_devices_run_one_context(struct rig *rig)
{
    struct context one = { 0 }, two = { 0 };

    set(rig, 0, uiommu_identity(rig->u));
    set(rig, 1, uiommu_identity(rig->u));
    open_context(rig, 0, &one);
    two = one;
    two.engine = 1;
    see(two.space = pasid(rig, 1), one.domain);
    writes(&one, BASE, one.own[0]);
    writes(&two, BASE, one.own[0]);
    writes(&two, BASE + RIG_PAGE, one.own[1]);
    writes(&one, BASE + RIG_PAGE, one.own[1]);
    assert_int_equal(one.served, 2);
    rig_ok(uiommu_unmap(one.domain, BASE, RIG_PAGE, NULL));
    assert_true(rig_pasid_refused(rig, 0, number(&one), BASE));
    assert_true(rig_pasid_refused(rig, 1, number(&two), BASE));
    rig_ok(uiommu_pasid_destroy(two.space, true));
    writes(&one, BASE, one.own[0]);
    close_context(&one);
    rig->faults = 0;
}

/* ---- while the other runs ---------------------------------------------------------------------- */

/* A context in a thread of its own, which counts what went wrong and never asserts. */
struct runner {
    struct context *c;
    _Atomic bool done;
    _Atomic unsigned rounds, wrong;
};

static void *run_on(void *ctx)
{
    struct runner *r = ctx;
    const uint32_t pasid = number(r->c);
    const unsigned dev = rig_engine(r->c->rig, r->c->engine);

    while (!atomic_load(&r->done)) {
        uint64_t word = r->rounds;
        struct sim_request q = {
            .dev = dev,
            .pasid = pasid,
            .write = r->rounds % 2,
            .iova = BUFFER + r->rounds % LENGTH * RIG_PAGE,
            .buf = &word,
            .size = 8,
        };

        r->wrong += sim_dma(r->c->rig->m, &q) != MACHINE_DMA_DONE;
        r->rounds++;
    }
    return NULL;
}

/* It runs meanwhile, and not only before and after. */
static void wait_for_rounds(const struct runner *r)
{
    const unsigned until = r->rounds + 3;

    while (r->rounds < until)
        sched_yield();
}

/* One loses the buffer and gets it back, another comes and goes. */
static void a_context_runs_while_others_lose_what_it_has(struct rig *rig)
{
    enum { ROUNDS = 4 };
    struct uiommu_segment buffer[RUNS];
    struct context a = { 0 }, b = { 0 }, other = { 0 };
    struct runner r = { .c = &b };
    pthread_t id;

    open_two_with(rig, &a, &b, buffer);
    assert_int_equal(pthread_create(&id, NULL, run_on, &r), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_true(rig_pasid_reaches(rig, 0, number(&a), BUFFER + 8,
                                      buffer[0].phys + 8));
        rig_ok(uiommu_unmap(a.domain, BUFFER, LENGTH * RIG_PAGE, NULL));
        assert_true(rig_pasid_refused(rig, 0, number(&a), BUFFER + 8));
        wait_for_rounds(&r);
        open_context(rig, 0, &other);
        give(&a, buffer);
        close_context(&other);
    }
    atomic_store(&r.done, true);
    assert_int_equal(pthread_join(id, NULL), 0);
    assert_int_equal(r.wrong, 0);
    close_two(&a, &b);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(c_sc3_contexts_come_and_go, with_pasid_requests),
        RIG_TEST_ON(c_sc3_a_context_is_no_group_and_no_mdev,
                    with_pasid_requests),
        RIG_TEST_ON(c_sc3_a_number_comes_back_after_the_drain,
                    with_pasid_requests),
        RIG_TEST_ON(c_sc3_no_lookup_for_a_process_finds_a_context,
                    with_sva_requests),
        RIG_TEST_ON(c_sc3_a_number_that_is_still_sent_waits,
                    with_pasid_requests),
        RIG_TEST_ON(c_sc3_nobody_notices_that_contexts_come_and_go,
                    with_pasid_requests),
        RIG_TEST_ON(pages_come_when_they_are_asked_for, with_pasid_requests),
        RIG_TEST_ON(each_context_is_answered_for_itself, with_pasid_requests),
        RIG_TEST_ON(a_context_that_ends_leaves_the_others_waiting,
                    with_pasid_requests),
        RIG_TEST_ON(a_page_goes_to_who_asks_for_it, with_pasid_requests),
        RIG_TEST_ON(s3_36_a_buffer_is_revoked_from_one_context_of_two,
                    with_pasid_requests),
        RIG_TEST_ON(a_revoked_buffer_comes_back_on_demand, with_pasid_requests),
        RIG_TEST_ON(a_page_revoked_while_it_is_asked_for_stays_away,
                    with_pasid_requests),
        RIG_TEST_ON(s3_25_two_devices_run_one_context, with_pasid_requests),
        RIG_TEST_ON(a_context_runs_while_others_lose_what_it_has,
                    with_pasid_requests),
        { 0 },
    };

    return rig_run("gpu", tests);
}
