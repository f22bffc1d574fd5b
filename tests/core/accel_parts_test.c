/* SPDX-License-Identifier: MIT */
/*
 * accel_parts_test.c - a streaming accelerator whose driver does work of its own and lends
 * queues to clients, each with an address space of its own (semantics C-SC2, C-SC8,
 * C-SC11), on every unit that has PASIDs, with device TLBs and page requests and without.
 */
#include "tests/core/accels.h"

/* ---- C-SC2 ------------------------------------------------------------------- */

/* What is so at each store and write to a register, while the crashed client's part is
 * taken: its queue is empty before its number sees something else, and what it asked for
 * is not answered before that. */
struct crash {
    struct stand *s;
    uint32_t number;
    unsigned groups; /* that were open before */
    bool blocked;    /* it was */
};

static void look_at_crash(void *ctx)
{
    struct crash *c = ctx;
    struct machine *m = c->s->rig->m;
    bool sees =
        sim_probe(m, c->s->dev, c->number, BASE, UIOMMU_READ, NULL) == 0;

    if (!sees && !c->blocked)
        assert_int_equal(sim_accel_carries(m, c->s->dev, c->number), 0);
    if (sees)
        assert_int_equal(sim_page_groups(m, c->s->dev), c->groups);
    c->blocked |= !sees;
}

static void crash(struct stand *s)
{
    struct client *c = &s->client[CRASHES];
    struct crash crash = { .s = s, .number = number_of(c) };

    crash.groups = sim_page_groups(s->rig->m, s->dev);
    assert_true(sim_accel_carries(s->rig->m, s->dev, crash.number) > 0);
    rig_watch(s->rig, look_at_crash, &crash);
    client_goes(c);
    rig_watch(s->rig, NULL, NULL);
    assert_true(crash.blocked);
    (void)machine_run(s->rig->m); /* the answer may be on its way */
    assert_int_equal(sim_page_groups(s->rig->m, s->dev),
                     crash.groups - (s->rig->config.pri ? 1 : 0));
    rig_expect_stale(s->rig, sim_stale_count(s->rig->m)); /* probes */
}

/* Steps until everybody has begun, and whoever can stops for a page. */
static void all_are_under_way(struct stand *s)
{
    own_begins(s);
    for (unsigned i = 0; i < CLIENTS; i++)
        submits(s, i);
    for (unsigned i = 0; i < (s->rig->config.pri ? 4 : 1); i++)
        assert_true(machine_run(s->rig->m));
    assert_int_equal(sim_accel_busy(s->rig->m, s->dev), 1 + CLIENTS);
}

static void assert_untouched(const struct client *c)
{
    assert_true(is_all(c->mem, SIZE, 0xee));
}

/* The number is free at once, as nothing with it is under way anywhere. */
static void somebody_else_has_its_number(struct stand *s, uint32_t number)
{
    struct client *c = &s->client[CRASHES];

    rig_ok(accel_take_back(c->part));
    memset(c, 0, sizeof(*c));
    client_begin(s, CRASHES);
    assert_int_equal(number_of(c), number);
    submits(s, CRASHES);
    assert_copied(s, CRASHES);
    assert_int_equal(c->asked, s->rig->config.pri ? 1 : 0);
}

/* Nobody did anything wrong; but what somebody asked for may come when it is his no more,
 * and there are units that record that. */
static void assert_quiet(struct rig *rig, unsigned most)
{
    const bool late = rig->config.pri && rig->config.adversarial;

    assert_true(rig->faults <= (late ? most : 0));
    assert_true(rig->faults == 0 || strstr(rig->sentence, "page request"));
}

static void c_sc2_a_client_crashes_with_work_in_flight(struct rig *rig)
{
    struct stand s;
    uint32_t number;

    stand_open(&s, rig);
    number = number_of(&s.client[CRASHES]);
    all_are_under_way(&s);
    crash(&s);
    memset(s.client[CRASHES].mem, 0xee, SIZE);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (i != CRASHES)
            assert_copied(&s, i);
    own_ends(&s);
    assert_untouched(&s.client[CRASHES]);
    somebody_else_has_its_number(&s, number);
    assert_quiet(rig, 1);
    stand_close(&s);
}

/* Before anybody is asked, when the handler has it, and when it has left it for later;
 * other clients' pages come, whatever becomes of that one's. */
static void answered(struct stand *s, unsigned before, unsigned number,
                     uint32_t code)
{
    unsigned found = 0;

    for (unsigned i = before; i < sim_page_responses(s->rig->m, s->dev); i++) {
        struct sim_page_response r = sim_page_response_at(s->rig->m, s->dev, i);

        assert_true(r.expected);
        if (r.pasid == number) {
            assert_int_equal(r.code, code);
            found++;
        }
    }
    assert_int_equal(found, 1);
}

static void crash_with_a_page_asked_for(struct rig *rig, bool served)
{
    struct stand s;
    struct client *c = &s.client[CRASHES];
    uint32_t number;
    unsigned before;

    stand_open(&s, rig);
    number = number_of(c);
    before = sim_page_responses(rig->m, s.dev);
    c->response = UIOMMU_RESPONSE_LATER;
    submits(&s, CRASHES);
    for (unsigned i = 0; i < 4; i++)
        assert_true(machine_run(rig->m));
    assert_int_equal(sim_page_groups(rig->m, s.dev), 1);
    if (served)
        collect_and_serve(rig);
    assert_int_equal(c->asked, served);
    crash(&s);
    (void)machine_run(rig->m);
    answered(&s, before, number, SIM_PAGE_INVALID);
    if (served)
        rig_is(uiommu_page_respond(c->part->endpoint, c->cookie,
                                   UIOMMU_RESPONSE_SUCCESS),
               UIOMMU_NOENT);
    c->asked = 0;
    collect_and_serve(rig);
    assert_int_equal(c->asked, 0);
    somebody_else_has_its_number(&s, number);
    stand_close(&s);
}

static void c_sc2_what_it_had_asked_for_is_answered_invalid(struct rig *rig)
{
    crash_with_a_page_asked_for(rig, false);
    crash_with_a_page_asked_for(rig, true);
}

/* ---- without a crash ------------------------------------------------------------ */

static void clients_work_by_themselves(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    all_are_under_way(&s);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_copied(&s, i);
        assert_int_equal(s.client[i].asked, rig->config.pri ? 1 : 0);
        if (rig->config.pri)
            assert_ptr_equal(s.client[i].asker, s.client[i].part->endpoint);
    }
    own_ends(&s);
    stand_close(&s);
}

/* A page that cannot be had ends the descriptor, and nobody else's. */
static void a_page_that_cannot_be_had_is_in_the_record(struct rig *rig)
{
    struct stand s;
    struct accel_record r;

    stand_open(&s, rig);
    s.client[0].response = UIOMMU_RESPONSE_INVALID;
    submits(&s, 0);
    submits(&s, 1);
    r = client_waits(&s.client[0]);
    assert_int_equal(r.status, ACCEL_PAGE_INVALID);
    assert_true(r.fault_write);
    assert_int_equal(r.fault, BASE + DST + MISSING);
    assert_int_equal(r.bytes, MISSING);
    assert_copied(&s, 1);
    stand_close(&s);
}

/* What clients map is not the driver's, and the other way round. */
static void its_own_work_is_where_it_mapped_it(struct rig *rig)
{
    struct stand s;
    uint64_t iova;

    stand_open(&s, rig);
    own_begins(&s);
    rig_is(accel_parts_copy(&s.parts, s.own_phys, s.own_phys, 64), UIOMMU_BUSY);
    rig_is(accel_parts_stop(&s.parts), UIOMMU_BUSY);
    iova = s.parts.own.dst;
    own_ends(&s);
    rig_is(accel_parts_wait(&s.parts, LONG), UIOMMU_INVAL);
    rig_is(accel_parts_copy(&s.parts, s.own_phys, s.own_phys, 63),
           UIOMMU_INVAL);
    assert_true(rig_refused(rig, ACCEL, iova));
    assert_true(rig_refused(rig, ACCEL, BASE));
    assert_true(rig_pasid_refused(rig, ACCEL, number_of(&s.client[0]),
                                  s.parts.page_iova));
    stand_close(&s);
}

/* Both halves are unmapped, once that can be. */
static void own_work_that_ends_in_sleep_is_unmapped_after_it(struct rig *rig)
{
    struct stand s;
    uint64_t src, dst;

    stand_open(&s, rig);
    own_begins(&s);
    src = s.parts.own.src;
    dst = s.parts.own.dst;
    while (sim_accel_busy(rig->m, s.dev) > 0)
        assert_true(machine_run(rig->m));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(accel_parts_wait(&s.parts, LONG), UIOMMU_AGAIN);
    rig_is(accel_parts_copy(&s.parts, s.own_phys, s.own_phys, 64), UIOMMU_BUSY);
    rig_is(accel_parts_wait(&s.parts, LONG), UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    own_ends(&s);
    assert_true(rig_refused(rig, ACCEL, dst));
    assert_true(rig_refused(rig, ACCEL, src));
    own_begins(&s);
    own_ends(&s);
    stand_close(&s);
}

/* What did not end before stays so, whatever is in its record by now. */
static void own_work_that_was_given_up_in_sleep_is_not_done(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    sim_accel_pause(rig->m, s.dev, true);
    own_begins(&s);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(accel_parts_wait(&s.parts, 1000), UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    sim_accel_pause(rig->m, s.dev, false);
    s.parts.page[0] = ACCEL_SUCCESS;
    rig_is(accel_parts_wait(&s.parts, LONG), UIOMMU_TIMEDOUT);
    assert_int_equal(s.parts.own.copied, UIOMMU_TIMEDOUT);
    assert_int_equal(s.parts.own.unmapped, UIOMMU_OK);
    own_begins(&s);
    own_ends(&s);
    stand_close(&s);
}

/* The copy is there; but whether the device reaches its memory no more, nobody knows. */
static void what_is_not_confirmed_is_told_from_what_is_not_done(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    clients_end(&s);
    own_begins(&s);
    while (sim_accel_busy(rig->m, s.dev) > 0)
        assert_true(machine_run(rig->m));
    sim_devtlb(rig->m, s.dev, SIM_DEVTLB_FAILS);
    rig_is(accel_parts_wait(&s.parts, LONG), UIOMMU_TIMEDOUT);
    assert_int_equal(s.parts.own.copied, UIOMMU_OK);
    assert_int_equal(s.parts.own.unmapped, UIOMMU_TIMEDOUT);
    assert_true(is_all(s.own + DST, PART, 0x5a));
    rig_ok(accel_parts_stop(&s.parts)); /* it is quarantined by now */
}

static void queues_are_lent_until_there_are_none(struct rig *rig)
{
    struct stand s;
    struct accel_part *part[ACCEL_PARTS], *none = NULL;
    unsigned n = 0;

    stand_open(&s, rig);
    while (n + CLIENTS < s.parts.n)
        rig_ok(accel_lend(&s.parts, &part[n++]));
    rig_is(accel_lend(&s.parts, &none), UIOMMU_NOSPC);
    assert_null(none);
    rig_is(accel_take_back(s.client[0].part), UIOMMU_BUSY);
    rig_is(accel_parts_stop(&s.parts), UIOMMU_BUSY);
    submits(&s, 0);
    assert_copied(&s, 0);
    while (n > 0)
        rig_ok(accel_take_back(part[--n]));
    stand_close(&s);
}

/* Whatever it submits while it has no number is for nobody. */
static void a_blocked_client_has_no_queue(struct rig *rig)
{
    struct stand s;
    struct client *c = &s.client[0];
    struct accel_swerr e;

    stand_open(&s, rig);
    rig_ok(uiommu_set_domain(c->part->endpoint, uiommu_blocked(rig->u), c));
    submits(&s, 0);
    assert_int_equal(sim_accel_busy(rig->m, s.dev), 0);
    assert_false(accel_take_error(&s.parts.drv, &e));
    rig_ok(uiommu_set_domain(c->part->endpoint, c->domain, c));
    submits(&s, 0);
    assert_copied(&s, 0);
    stand_close(&s);
}

/* ---- the function is reset (C-SC8) ------------------------------------------------ */

static void assert_works(struct stand *s)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        submits(s, i);
        assert_copied(s, i);
    }
    own_begins(s);
    own_ends(s);
}

static void c_sc8_a_function_reset_with_all_clients_alive(struct rig *rig)
{
    struct stand s;
    uint32_t number[CLIENTS];

    stand_open(&s, rig);
    for (unsigned i = 0; i < CLIENTS; i++)
        number[i] = number_of(&s.client[i]);
    all_are_under_way(&s);
    rig_ok(accel_parts_reset_begin(&s.parts));
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(sim_accel_carries(rig->m, s.dev, number[i]), 0);
        memset(s.client[i].mem + DST, 0, PART);
    }
    rig_is(uiommu_set_domain(s.client[0].part->endpoint, s.client[1].domain,
                             &s.client[0]),
           UIOMMU_BUSY);
    assert_int_equal(sim_accel_busy(rig->m, s.dev), 0);
    rig_poll(rig);
    assert_quiet(rig, CLIENTS);
    reset_function(&s);
    submits(&s, 0); /* to a queue that is off */
    rig_ok(accel_parts_reset_end(&s.parts, true));
    assert_int_equal(sim_accel_busy(rig->m, s.dev), 0);
    rig_is(accel_parts_wait(&s.parts, 1000 * 1000), UIOMMU_TIMEDOUT);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(number_of(&s.client[i]), number[i]);
        assert_int_equal(s.client[i].mem[DST], 0);
    }
    assert_works(&s);
    stand_close(&s);
}

static void c_sc8_a_reset_that_failed_leaves_all_blocked(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    all_are_under_way(&s);
    rig_ok(accel_parts_reset_begin(&s.parts));
    reset_function(&s);
    (void)!accel_parts_reset_end(&s.parts, false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        memset(s.client[i].mem, 0xee, SIZE);
        assert_true(
            rig_pasid_refused(rig, ACCEL, number_of(&s.client[i]), BASE));
        client_submits(&s.client[i], 0);
        memset(s.client[i].mem + RECORD, 0xee, ACCEL_RECORD_SIZE);
    }
    for (unsigned i = 0; i < 20; i++)
        assert_true(machine_run(rig->m));
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_untouched(&s.client[i]);
        rig_is(uiommu_set_domain(s.client[i].part->endpoint, s.client[i].domain,
                                 &s.client[i]),
               UIOMMU_NODEV);
    }
    (void)!accel_parts_wait(&s.parts, 1000 * 1000);
    rig_poll(rig);
    stand_close(&s);
}

/* ---- a queue does not stop (C-SC11) ------------------------------------------------- */

static uint32_t waiting(struct uiommu_endpoint *ep)
{
    struct uiommu_mode mode;

    rig_ok(uiommu_effective_mode(ep, &mode));
    return mode.pasids_waiting;
}

static void c_sc11_a_queue_that_does_not_stop_keeps_its_number(struct rig *rig)
{
    struct stand s;
    struct client *c = &s.client[CRASHES];
    struct accel_part *stuck, *next = NULL;
    struct uiommu_endpoint *other;
    uint32_t number;

    stand_open(&s, rig);
    stuck = c->part;
    number = number_of(c);
    own_begins(&s);
    submits(&s, CRASHES);
    sim_accel_stick(rig->m, s.dev, stuck->wq);
    assert_true(machine_run(rig->m));
    client_goes(c);
    assert_true(stuck->stuck);
    memset(c->mem, 0xee, SIZE);
    client_submits(c, 0); /* its portal still takes it */
    memset(c->mem + RECORD, 0xee, ACCEL_RECORD_SIZE);
    assert_true(sim_accel_carries(rig->m, s.dev, number) > 0);
    assert_true(rig_pasid_refused(rig, ACCEL, number, BASE));
    own_ends(&s);
    submits(&s, 0);
    assert_copied(&s, 0);
    assert_untouched(c);
    rig_poll(rig);
    other = pasid(rig, ACCEL);
    assert_true(uiommu_endpoint_pasid(other) >
                number_of(&s.client[CLIENTS - 1]));
    assert_int_equal(waiting(other), 1);
    rig_ok(uiommu_pasid_destroy(other, true));
    rig_ok(accel_take_back(stuck));
    rig_ok(accel_lend(&s.parts, &next));
    assert_ptr_not_equal(next, stuck);
    rig_ok(accel_take_back(next));
    rig_ok(accel_parts_reset_begin(&s.parts));
    reset_function(&s);
    rig_ok(accel_parts_reset_end(&s.parts, true));
    memset(c, 0, sizeof(*c));
    client_begin(&s, CRASHES);
    assert_ptr_equal(c->part, stuck);
    assert_int_equal(number_of(c), number);
    assert_int_equal(waiting(rig_endpoint(rig, ACCEL)), 0);
    assert_works(&s);
    stand_close(&s);
}

/* A command that does not end is in the way of the next: nobody gets a number then. */
static void a_queue_that_does_not_start_costs_nothing(struct rig *rig)
{
    struct stand s;
    struct client *c = &s.client[CRASHES];
    struct accel_part *part = NULL;
    struct uiommu_domain *d;

    stand_open(&s, rig);
    rig_ok(accel_lend(&s.parts, &part));
    sim_accel_stick(rig->m, s.dev, c->part->wq);
    client_end(c);
    d = rig_domain(rig, ACCEL);
    rig_is(uiommu_set_domain(part->endpoint, d, NULL), UIOMMU_BUSY);
    assert_int_equal(uiommu_endpoint_pasid(part->endpoint), UIOMMU_NO_PASID);
    assert_ptr_equal(uiommu_endpoint_domain(part->endpoint),
                     uiommu_blocked(rig->u));
    rig_ok(accel_take_back(part));
    assert_false(part->stuck);
    uiommu_domain_put(d);
    submits(&s, 0);
    assert_copied(&s, 0);
    clients_end(&s);
    rig_is(accel_parts_stop(&s.parts), UIOMMU_TIMEDOUT);
    assert_null(s.parts.page);
}

/* What it has of the host's is nobody's to use meanwhile; what clients have is theirs. */
static void its_own_queue_that_does_not_stop_does_no_more(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    sim_accel_pause(rig->m, s.dev, true);
    own_begins(&s);
    sim_accel_stick(rig->m, s.dev, 0);
    rig_is(accel_parts_wait(&s.parts, 1000), UIOMMU_TIMEDOUT);
    rig_is(accel_parts_copy(&s.parts, s.own_phys + DST, s.own_phys, PART),
           UIOMMU_BUSY);
    sim_accel_pause(rig->m, s.dev, false);
    submits(&s, 0);
    assert_copied(&s, 0);
    assert_true(is_all(s.own + DST, PART, 0));
    rig_ok(accel_parts_reset_begin(&s.parts));
    rig_is(accel_parts_copy(&s.parts, s.own_phys + DST, s.own_phys, PART),
           UIOMMU_BUSY);
    reset_function(&s);
    rig_ok(accel_parts_reset_end(&s.parts, true));
    assert_works(&s);
    rig_poll(rig);
    stand_close(&s);
}

/* ---- others do not do what they should ---------------------------------------------- */

/* Nobody confirmed that the device reaches its page no more. */
static void a_page_that_may_be_reached_is_not_free(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    struct stand s;

    stand_open(&s, rig);
    clients_end(&s);
    own_begins(&s);
    own_ends(&s);
    sim_devtlb(rig->m, s.dev, SIM_DEVTLB_FAILS);
    rig_is(accel_parts_stop(&s.parts), UIOMMU_TIMEDOUT);
    assert_non_null(s.parts.page);
    rig_ok(uiommu_device_remove(device(&s)));
    rig->device[s.dev] = NULL;
    h->pages_free(h->ctx, s.parts.page, s.parts.page_phys, 0);
}

/* The driver was down before the machine slept. */
static void a_stop_that_sleeps_forgets_no_reset(struct rig *rig)
{
    struct stand s;

    stand_open(&s, rig);
    clients_end(&s);
    sim_accel_stick(rig->m, s.dev, 0);
    rig_ok(uiommu_suspend(rig->u));
    rig_is(accel_parts_stop(&s.parts), UIOMMU_AGAIN);
    rig_ok(uiommu_resume(rig->u));
    rig_is(accel_parts_stop(&s.parts), UIOMMU_TIMEDOUT);
    assert_null(s.parts.page);
}

/* Its registers in configuration space were forgotten: it is not there. */
static void c_sc8_a_device_that_does_not_come_up_is_blocked(struct rig *rig)
{
    struct stand s;
    struct client *c = &s.client[CRASHES];

    stand_open(&s, rig);
    sim_accel_stick(rig->m, s.dev, c->part->wq);
    submits(&s, CRASHES);
    rig_ok(accel_parts_reset_begin(&s.parts));
    assert_true(c->part->stuck);
    flr(&s);
    rig_is(accel_parts_reset_end(&s.parts, true), UIOMMU_NODEV);
    assert_true(c->part->stuck);
    rig_is(accel_parts_copy(&s.parts, s.own_phys + DST, s.own_phys, PART),
           UIOMMU_BUSY);
    rig_is(accel_queue_clear(&s.parts.drv, c->part->wq), UIOMMU_BUSY);
    submits(&s, 0);
    assert_int_equal(sim_accel_busy(rig->m, s.dev), 0);
    assert_true(rig_pasid_refused(rig, ACCEL, number_of(c), BASE));
    rig_poll(rig);
    clients_end(&s);
    rig_is(accel_parts_stop(&s.parts), UIOMMU_NODEV);
    assert_null(s.parts.page);
}

/* Something is done after each step of the machine while the driver waits. */
static struct {
    void (*relax)(void *ctx);
    void (*then)(void *ctx);
    void *ctx;
} stepping;

static void step_and_then(void *ctx)
{
    stepping.relax(ctx);
    stepping.then(stepping.ctx);
}

static void relax_by(struct rig *rig, void (*relax)(void *ctx), void *ctx)
{
    stepping.ctx = ctx;
    stepping.relax = rig->m->host.relax;
    rig->m->host.relax = relax;
}

static void after_steps(struct rig *rig, void (*then)(void *ctx), void *ctx)
{
    stepping.then = then;
    relax_by(rig, step_and_then, ctx);
}

static void relax_as_before(struct rig *rig)
{
    rig->m->host.relax = stepping.relax;
}

static uint64_t config_at(const struct accel_part *part, unsigned word)
{
    const struct accel_driver *d = &part->parts->drv;

    return d->wqcfg + part->wq * d->wqcfg_size + 8 * word;
}

static uint64_t config(const struct accel_part *part, unsigned word)
{
    const struct accel_driver *d = &part->parts->drv;

    return d->host->mmio_read64(d->host->ctx, d->regs, config_at(part, word));
}

static void configure(const struct accel_part *part, unsigned word,
                      uint64_t value)
{
    const struct accel_driver *d = &part->parts->drv;

    d->host->mmio_write64(d->host->ctx, d->regs, config_at(part, word), value);
}

static bool is_on(const struct accel_part *part)
{
    return accel_wqcfg_q3_state((struct accel_wqcfg_q3){ config(part, 3) }) !=
           0;
}

/* As soon as one client's queue is on again, another's is configured as none may be. */
struct breakage {
    struct stand *s;
    uint64_t was; /* 0: not yet */
};

static void break_queue(void *ctx)
{
    struct breakage *b = ctx;
    const struct client *c = &b->s->client[CRASHES];
    struct accel_wqcfg_q1 q1 = { config(c->part, 1) };

    if (b->was || !is_on(b->s->client[0].part))
        return;
    b->was = q1.raw;
    configure(c->part, 1, accel_wqcfg_q1_set_max_batch_shift(q1, 0).raw);
}

/* Nothing of it is under way: when it is blocked, its number is free at once. */
static void c_sc8_a_queue_that_does_not_come_back_is_off(struct rig *rig)
{
    struct stand s;
    struct breakage b = { .s = &s };
    struct client *c = &s.client[CRASHES];
    uint32_t number;

    stand_open(&s, rig);
    number = number_of(c);
    all_are_under_way(&s);
    rig_ok(accel_parts_reset_begin(&s.parts));
    reset_function(&s);
    after_steps(rig, break_queue, &b);
    rig_is(accel_parts_reset_end(&s.parts, true), UIOMMU_IO);
    relax_as_before(rig);
    assert_int_equal(s.parts.drv.error, ACCEL_CMD_WQ_MAX_BATCH);
    assert_false(is_on(c->part));
    assert_false(c->part->stuck);
    submits(&s, CRASHES);
    assert_int_equal(sim_accel_carries(rig->m, s.dev, number), 0);
    client_goes(c);
    configure(c->part, 1, b.was);
    rig_is(accel_parts_wait(&s.parts, 1000 * 1000), UIOMMU_TIMEDOUT);
    somebody_else_has_its_number(&s, number);
    assert_works(&s);
    rig_poll(rig);
    stand_close(&s);
}

/* Time passes, and nothing else does. */
static void stand_still(void *ctx)
{
    (void)ctx;
    sim_advance(stepping.ctx, 1000);
}

/* Nobody knows whether it will carry its number: so nobody else gets that, and this one does. */
static void a_queue_that_may_start_late_keeps_its_number(struct rig *rig)
{
    struct stand s;
    struct accel_part *part = NULL;
    struct accel_wqcfg_q1 q1;
    struct uiommu_domain *d;
    struct uiommu_endpoint *other;

    stand_open(&s, rig);
    rig_ok(accel_lend(&s.parts, &part));
    d = rig_domain(rig, ACCEL);
    relax_by(rig, stand_still, rig->m);
    rig_is(uiommu_set_domain(part->endpoint, d, NULL), UIOMMU_TIMEDOUT);
    relax_as_before(rig);
    assert_true(part->stuck);
    assert_int_equal(uiommu_endpoint_pasid(part->endpoint), UIOMMU_NO_PASID);
    for (unsigned i = 0; i < 3; i++)
        assert_true(machine_run(rig->m));
    assert_true(is_on(part));
    q1.raw = config(part, 1);
    other = pasid(rig, ACCEL);
    assert_int_not_equal(uiommu_endpoint_pasid(other),
                         accel_wqcfg_q1_pasid(q1));
    rig_ok(uiommu_pasid_destroy(other, true));
    rig_ok(accel_take_back(part));
    uiommu_domain_put(d);
    rig_ok(accel_parts_reset_begin(&s.parts));
    reset_function(&s);
    rig_ok(accel_parts_reset_end(&s.parts, true));
    other = pasid(rig, ACCEL);
    assert_int_equal(uiommu_endpoint_pasid(other), accel_wqcfg_q1_pasid(q1));
    rig_ok(uiommu_pasid_destroy(other, true));
    assert_works(&s);
    stand_close(&s);
}

/* ---- a client that does not cease ---------------------------------------------------- */

/* It submits at each instant, and after each step. */
struct eager {
    struct stand *s;
    unsigned steps, accepted;
};

static void submit_now(void *ctx)
{
    submits(((struct eager *)ctx)->s, CRASHES);
}

static void submit_after_a_step(void *ctx)
{
    struct eager *e = ctx;
    unsigned before = sim_accel_busy(e->s->rig->m, e->s->dev);

    submit_now(e);
    e->steps++;
    e->accepted += sim_accel_busy(e->s->rig->m, e->s->dev) > before;
}

/* The first step closes its queue. What gets in before that does not get out, and what it asks
 * for meanwhile keeps nobody. */
static void nothing_gets_into_a_queue_that_is_taken(struct rig *rig)
{
    struct stand s;
    struct client *c = &s.client[CRASHES];
    struct eager eager = { .s = &s };
    uint32_t number;

    stand_open(&s, rig);
    number = number_of(c);
    c->response = UIOMMU_RESPONSE_LATER;
    all_are_under_way(&s);
    after_steps(rig, submit_after_a_step, &eager);
    rig_watch(rig, submit_now, &eager);
    client_goes(c);
    rig_watch(rig, NULL, NULL);
    relax_as_before(rig);
    assert_true(eager.steps > 0);
    assert_int_equal(eager.accepted, 0);
    assert_false(c->part->stuck);
    assert_int_equal(sim_accel_carries(rig->m, s.dev, number), 0);
    memset(c->mem, 0xee, SIZE);
    own_ends(&s);
    assert_untouched(c);
    somebody_else_has_its_number(&s, number);
    stand_close(&s);
}

#define ON_ALL(fn)                                                             \
    RIG_TEST_ON(fn, with_accel), RIG_TEST_ON(fn, with_ats),                    \
        RIG_TEST_ON(fn, with_pages)

static const struct rig_test tests[] = {
    ON_ALL(c_sc2_a_client_crashes_with_work_in_flight),
    RIG_TEST_ON(c_sc2_what_it_had_asked_for_is_answered_invalid, with_pages),
    ON_ALL(clients_work_by_themselves),
    RIG_TEST_ON(a_page_that_cannot_be_had_is_in_the_record, with_pages),
    RIG_TEST_ON(its_own_work_is_where_it_mapped_it, with_ats),
    RIG_TEST_ON(own_work_that_ends_in_sleep_is_unmapped_after_it, with_accel),
    RIG_TEST_ON(own_work_that_was_given_up_in_sleep_is_not_done, with_accel),
    RIG_TEST_ON(what_is_not_confirmed_is_told_from_what_is_not_done, with_ats),
    RIG_TEST_ON(queues_are_lent_until_there_are_none, with_accel),
    RIG_TEST_ON(a_blocked_client_has_no_queue, with_pages),
    ON_ALL(c_sc8_a_function_reset_with_all_clients_alive),
    RIG_TEST_ON(c_sc8_a_reset_that_failed_leaves_all_blocked, with_pages),
    ON_ALL(c_sc11_a_queue_that_does_not_stop_keeps_its_number),
    RIG_TEST_ON(a_queue_that_does_not_start_costs_nothing, with_ats),
    RIG_TEST_ON(its_own_queue_that_does_not_stop_does_no_more, with_pages),
    RIG_TEST_ON(a_page_that_may_be_reached_is_not_free, with_ats),
    RIG_TEST_ON(a_stop_that_sleeps_forgets_no_reset, with_accel),
    RIG_TEST_ON(c_sc8_a_device_that_does_not_come_up_is_blocked, with_pages),
    RIG_TEST_ON(c_sc8_a_queue_that_does_not_come_back_is_off, with_pages),
    RIG_TEST_ON(a_queue_that_may_start_late_keeps_its_number, with_accel),
    ON_ALL(nothing_gets_into_a_queue_that_is_taken),
    { 0 },
};

int main(void)
{
    return rig_run("accel_parts", tests);
}
