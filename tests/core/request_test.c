/* SPDX-License-Identifier: MIT */
/*
 * request_test.c - page requests from a device to a domain's handler and back (semantics
 * B.17, D-07 to D-13): each group is answered once, whatever else happens to its endpoint.
 */
#include "tests/core/requests.h"

/* ---- from fault to page --------------------------------------------------------------------- */

/* As a device does it: refused, ask, wait, try again. */
static void faults_in(struct rig *rig, struct pager *p, uint32_t pasid)
{
    uint64_t value = 0x1234;
    struct sim_request r = {
        .dev = rig_engine(rig, 0),
        .pasid = pasid,
        .write = true,
        .iova = BASE,
        .buf = &value,
        .size = 8,
    };
    unsigned before = answers(rig, 0);

    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    assert_true(r.no_page);
    ask(rig, 0, pasid, BASE, 7, true);
    collect_and_serve(rig);
    is_answer(rig, 0, before, 7, SIM_PAGE_SUCCESS);
    assert_int_equal(p->asked[0].iova, BASE);
    assert_int_equal(p->asked[0].access, RW);
    r.moved = 0;
    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_DONE);
    assert_int_equal(rig_peek(rig, p->phys), value);
    rig_ok(uiommu_unmap(p->d, BASE, RIG_PAGE, NULL));
    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    rig->faults = 0;
}

static void a_device_waits_for_a_page(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    assert_false(may_ask(rig, 0));
    set(rig, 0, p.d);
    assert_true(may_ask(rig, 0));
    faults_in(rig, &p, UIOMMU_NO_PASID);
    assert_ptr_equal(p.endpoint, rig_endpoint(rig, 0));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_false(may_ask(rig, 0));
    uiommu_domain_put(p.d);
}

static void a_device_waits_for_a_page_of_a_pasid(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    assert_true(may_ask(rig, 0));
    faults_in(rig, &p, uiommu_endpoint_pasid(ep));
    assert_ptr_equal(p.endpoint, ep);
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_false(may_ask(rig, 0));
    uiommu_domain_put(p.d);
}

/* Whoever has no handler is not let ask; and is told so where its id may. */
static void who_has_no_handler_cannot(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_endpoint *ep;
    struct pager p;

    assert_false(may_ask(rig, 0));
    ep = pasid(rig, 0);
    open_pager(rig, &p, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    assert_true(may_ask(rig, 0));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 3, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 3, SIM_PAGE_INVALID);
    assert_int_equal(p.groups, 0);
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_false(may_ask(rig, 0));
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_drop(rig, 0, d);
    uiommu_domain_put(p.d);
}

/* ---- groups ------------------------------------------------------------------------------------ */

static void groups_come_whole_and_in_order(struct rig *rig)
{
    struct uiommu_endpoint *one = free_pasid(rig, 0), *two = pasid(rig, 0);
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    rig_ok(uiommu_set_domain(one, p.d, NULL));
    rig_ok(uiommu_set_domain(two, q.d, NULL));
    ask(rig, 0, 1, BASE, 5, false);
    ask(rig, 0, 2, BASE + 7 * RIG_PAGE, 6, false);
    ask(rig, 0, 1, BASE + RIG_PAGE, 5, false);
    collect_and_serve(rig);
    assert_int_equal(p.groups + q.groups, 0);
    ask(rig, 0, 1, BASE + 2 * RIG_PAGE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(q.groups, 0);
    assert_int_equal(p.n, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(p.asked[i].iova, BASE + i * RIG_PAGE);
    ask(rig, 0, 2, BASE + 8 * RIG_PAGE, 6, true);
    collect_and_serve(rig);
    assert_int_equal(q.n, 2);
    is_answer(rig, 0, 0, 5, SIM_PAGE_SUCCESS);
    is_answer(rig, 0, 1, 6, SIM_PAGE_SUCCESS);
    assert_int_equal(answers(rig, 0), 2);
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    uiommu_domain_put(p.d);
    uiommu_domain_put(q.d);
}

static void stop_markers_are_not_answered(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct sim_page_request marker = request_of(rig, 0, 1, 0, 0, true);
    struct pager p;

    open_pager(rig, &p, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    marker.access = 0;
    assert_int_equal(sim_page_request(rig->m, &marker), SIM_NOT_STOPPED);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    assert_int_equal(answers(rig, 0), 0);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* ---- answers ------------------------------------------------------------------------------------ */

static void each_answer_is_the_handlers(struct rig *rig)
{
    static const struct {
        enum uiommu_response response;
        uint32_t code;
    } rows[] = {
        { UIOMMU_RESPONSE_SUCCESS, SIM_PAGE_SUCCESS },
        { UIOMMU_RESPONSE_INVALID, SIM_PAGE_INVALID },
        { UIOMMU_RESPONSE_FAILURE, SIM_PAGE_FAILURE },
    };
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    for (unsigned i = 0; i < 3; i++) {
        p.response = rows[i].response;
        ask(rig, 0, UIOMMU_NO_PASID, BASE + i * RIG_PAGE, (uint16_t)i, true);
        collect_and_serve(rig);
        is_answer(rig, 0, i, i, rows[i].code);
    }
    rig_drop(rig, 0, p.d);
}

static void an_answer_may_come_later(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_LATER);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 0);
    rig_is(uiommu_page_respond(NULL, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_INVAL);
    rig_is(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_LATER),
           UIOMMU_INVAL);
    rig_is(uiommu_page_respond(ep, p.cookie + 1, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_page_respond(rig_endpoint(rig, 1), p.cookie,
                               UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_ok(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_SUCCESS));
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    rig_is(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    assert_int_equal(answers(rig, 0), 1);
    rig_drop(rig, 0, p.d);
}

static void answer_inside(struct pager *p)
{
    rig_ok(
        uiommu_page_respond(p->endpoint, p->cookie, UIOMMU_RESPONSE_INVALID));
    rig_is(uiommu_page_respond(p->endpoint, p->cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
}

/* Somebody is quicker than the handler says that he will come. */
static void an_answer_may_come_before_the_handler_returns(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    p.inside = answer_inside;
    set(rig, 0, p.d);
    for (unsigned i = 0; i < 2; i++) {
        p.response = i == 0 ? UIOMMU_RESPONSE_LATER : UIOMMU_RESPONSE_FAILURE;
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
        collect_and_serve(rig);
        assert_int_equal(answers(rig, 0), i + 1);
        is_answer(rig, 0, i, 1, SIM_PAGE_INVALID);
    }
    rig_drop(rig, 0, p.d);
}

static void who_is_not_answered_in_time_is_refused(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_LATER);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect_and_serve(rig);
    sim_advance(rig->m, rig->setup.request_limit_ns / 2);
    collect(rig);
    assert_int_equal(answers(rig, 0), 0);
    sim_advance(rig->m, rig->setup.request_limit_ns);
    collect(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    rig_is(uiommu_page_respond(p.endpoint, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_drop(rig, 0, p.d);
}

/* ---- endpoints that move --------------------------------------------------------------------------- */

static void who_is_blocked_was_answered(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    open_groups(rig, &p, UIOMMU_NO_PASID);
    set(rig, 0, uiommu_blocked(rig->u));
    are_answered(rig, SIM_PAGE_INVALID);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_false(may_ask(rig, 0));
    uiommu_domain_put(p.d);
}

static void who_is_asked_by_another_is_to_try_again(struct rig *rig)
{
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    set(rig, 0, p.d);
    open_groups(rig, &p, UIOMMU_NO_PASID);
    set(rig, 0, q.d);
    are_answered(rig, SIM_PAGE_SUCCESS);
    assert_true(may_ask(rig, 0));
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 9, true);
    collect_and_serve(rig);
    assert_int_equal(q.groups, 1);
    assert_int_equal(q.n, 1);
    is_answer(rig, 0, 3, 9, SIM_PAGE_SUCCESS);
    rig_drop(rig, 0, q.d);
    uiommu_domain_put(p.d);
}

/* The next that has the number hears nothing of what the last had asked for (D-20). */
static void a_number_comes_without_its_requests(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0), *other = pasid(rig, 0);
    struct pager p, q, r;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    open_pager(rig, &r, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    rig_ok(uiommu_set_domain(other, r.d, NULL));
    open_groups(rig, &p, 1);
    rig_ok(uiommu_pasid_destroy(ep, true));
    are_answered(rig, SIM_PAGE_INVALID);
    ep = pasid(rig, 0);
    assert_int_equal(uiommu_endpoint_pasid(ep), 1);
    rig_ok(uiommu_set_domain(ep, q.d, NULL));
    collect_and_serve(rig);
    assert_int_equal(q.groups, 0);
    ask(rig, 0, 1, BASE, 3, true);
    ask(rig, 0, 2, BASE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(q.groups, 1);
    assert_int_equal(q.n, 1);
    assert_int_equal(r.groups, 1);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_ok(uiommu_pasid_destroy(other, true));
    uiommu_domain_put(p.d);
    uiommu_domain_put(q.d);
    uiommu_domain_put(r.d);
}

static void a_device_that_goes_was_answered(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    open_groups(rig, &p, UIOMMU_NO_PASID);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    are_answered(rig, SIM_PAGE_INVALID);
    uiommu_serve(rig->u);
    assert_int_equal(p.groups, 1);
    uiommu_domain_put(p.d);
}

/* PCIe Base 6.6.2 */
static void reset_function(struct rig *rig, unsigned n)
{
    const struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    const struct uiommu_host *h = &rig->m->host;

    h->pci_write(h->ctx, at, uim_pci_find(h, at, PCI_CAP_EXP) + 8, 2, 0x8000);
    sim_advance(rig->m, 100 * 1000 * 1000);
    sim_firmware(rig->m, rig_engine(rig, n));
}

static void reset_device(struct rig *rig, unsigned n)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, n)];

    rig_ok(uiommu_device_reset_begin(device));
    reset_function(rig, n);
    rig_ok(uiommu_device_reset_end(device, true));
}

static void a_reset_answers_and_lets_ask_again(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    open_groups(rig, &p, UIOMMU_NO_PASID);
    rig_ok(uiommu_device_reset_begin(device));
    are_answered(rig, SIM_PAGE_INVALID);
    assert_false(may_ask(rig, 0));
    reset_function(rig, 0);
    rig_ok(uiommu_device_reset_end(device, true));
    assert_true(may_ask(rig, 0));
    p.response = UIOMMU_RESPONSE_SUCCESS;
    p.n = 0;
    faults_in(rig, &p, UIOMMU_NO_PASID);
    rig_drop(rig, 0, p.d);
}

/* ---- too much ------------------------------------------------------------------------------------------ */

/* A device that does not keep to its credits: what it asks for beyond them it has to ask
 * for again. */
static void beyond_credits_requests_are_lost(struct rig *rig)
{
    struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 1, false);
    unsigned before;
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    r.rogue = true;
    for (unsigned i = 0; i < 200; i++) {
        (void)sim_page_request(rig->m, &r);
        collect(rig);
    }
    r.last = true;
    (void)sim_page_request(rig->m, &r);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    before = answers(rig, 0);
    assert_int_equal(before, 1);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    collect_and_serve(rig);
    is_answer(rig, 0, before, 2, SIM_PAGE_SUCCESS);
    assert_int_equal(p.n, 1);
    rig_drop(rig, 0, p.d);
}

/* The queue runs full while nobody looks: groups whose last was not recorded are not
 * made whole by what comes later. */
static void after_an_overflow_groups_begin_anew(struct rig *rig)
{
    struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 500, true);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    ask(rig, 0, UIOMMU_NO_PASID, BASE + RIG_PAGE, 1, false);
    r.rogue = true;
    for (unsigned i = 0; i < 4096; i++)
        (void)sim_page_request(rig->m, &r);
    collect(rig);
    collect_and_serve(rig);
    p.n = 0;
    p.groups = 0;
    ask(rig, 0, UIOMMU_NO_PASID, BASE + 2 * RIG_PAGE, 1, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.n, 1);
    rig_drop(rig, 0, p.d);
    rig->dirty = true; /* a device that asks without credits */
}

/* ---- who cannot ------------------------------------------------------------------------------------------ */

/* As many as the device has credits for, again and again. */
static void slots_come_back(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    for (unsigned i = 0; i < 100; i++) {
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, false);
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
        collect_and_serve(rig);
        assert_int_equal(p.groups, i + 1);
        assert_int_equal(p.n, 2 * (i + 1));
        assert_int_equal(answers(rig, 0), i + 1);
    }
    rig_drop(rig, 0, p.d);
}

/* The unit tells of each by interrupt, and then there is nothing to poll. */
static void interrupts_tell_of_requests(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    for (unsigned i = 0; i < 3; i++) {
        ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
        (void)machine_run(rig->m); /* it arrives... */
        (void)machine_run(rig->m); /* ...and is told */
        uiommu_serve(rig->u);
        assert_int_equal(p.groups, i + 1);
        assert_false(uiommu_poll(rig->u));
        assert_int_equal(answers(rig, 0), i + 1);
    }
    rig_drop(rig, 0, p.d);
}

static bool without_pri(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void who_cannot_ask_does_not_see_it(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), p.d, NULL),
           UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "cannot ask for pages");
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_blocked(rig->u));
    uiommu_domain_put(p.d);
}

static bool where_ats_is_forbidden(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_NO_ATS;
    return with_requests(rig, why);
}

/* Through its physical function it could, but an answer that fails would end what that asks
 * for (C-SC12). */
static bool with_virtual_functions(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "engine", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3,
          SIM_ATS | SIM_PRI | SIM_PASID | SIM_VFS_ON },
        { "vf", SIM_VIRTUAL, 0, 3 << 3 | 1, SIM_ATS },
    };

    rig->config.functions = functions;
    rig->config.n_functions = sizeof(functions) / sizeof(functions[0]);
    return with_requests(rig, why);
}

static void virtual_functions_are_not_let_ask(struct rig *rig)
{
    struct uiommu_endpoint *vf = uiommu_device_endpoint(rig->device[1]);
    struct uiommu_domain *plain;
    struct pager p;

    open_pager(rig, &p, 0);
    rig_is(uiommu_set_domain(vf, p.d, NULL), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_domain_create(vf, NULL, &plain));
    rig_ok(uiommu_set_domain(vf, plain, NULL));
    rig_ok(uiommu_set_domain(vf, uiommu_blocked(rig->u), NULL));
    set(rig, 0, p.d);
    assert_true(may_ask(rig, 0));
    uiommu_domain_put(plain);
    rig_drop(rig, 0, p.d);
}

/* PCIe Base 10.4.2.2: what goes by the PASID in the answer and what does not, is a matter of
 * the device; the machine complains of a wrong one. */
static bool with_bare_answers(struct rig *rig, const char **why)
{
    if (!with_pasid_requests(rig, why))
        return false;
    rig->config.engine_caps |= SIM_PRI_PLAIN;
    return true;
}

/* VT-d 7.6.1: of what was asked with a PASID the answer has it. */
static void who_wants_no_pasid_in_answers_asks_without(struct rig *rig,
                                                       struct pager *p)
{
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct uiommu_mode mode;

    rig_is(uiommu_set_domain(ep, p->d, NULL), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "answers with a PASID");
    rig_ok(uiommu_effective_mode(ep, &mode));
    assert_false(mode.faults_served);
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, p->d);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 2, SIM_PAGE_SUCCESS);
    rig_drop(rig, 0, p->d);
}

static void answers_have_a_pasid_where_devices_want_it(struct rig *rig)
{
    struct uiommu_endpoint *ep, *mute;
    struct uiommu_domain *d;
    struct pager p;

    open_pager(rig, &p, 0);
    if (rig->config.engine_caps & SIM_PRI_PLAIN && !rig_lacks(rig, RIG_DMAR)) {
        who_wants_no_pasid_in_answers_asks_without(rig, &p);
        return;
    }
    ep = free_pasid(rig, 0);
    mute = pasid(rig, 0);
    d = rig_domain(rig, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    ask(rig, 0, 1, BASE, 1, true);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    see(mute, d);
    ask(rig, 0, 2, BASE, 3, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(answer(rig, 0, i).expected);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_ok(uiommu_pasid_destroy(mute, true));
    uiommu_domain_put(p.d);
    uiommu_domain_put(d);
}

/* ---- when to look ------------------------------------------------------------------------ */

static void count_call(void *ctx)
{
    ++*(unsigned *)ctx;
}

static bool with_a_call(struct rig *rig, const char **why)
{
    rig->setup.on_request = count_call;
    return with_requests(rig, why);
}

/* Once a group is whole. */
static void the_host_is_told_that_groups_wait(struct rig *rig)
{
    unsigned calls = 0;
    struct pager p;

    rig->u->config.request_ctx = &calls;
    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, false);
    collect(rig);
    assert_int_equal(calls, 0);
    ask(rig, 0, UIOMMU_NO_PASID, BASE + RIG_PAGE, 1, true);
    collect(rig);
    assert_int_equal(calls, 1);
    uiommu_serve(rig->u);
    collect(rig);
    assert_int_equal(calls, 1);
    assert_int_equal(p.groups, 1);
    rig_drop(rig, 0, p.d);
}

/* A device whose answers are still on their way may not ask by what it sees next. */
static void who_is_not_through_waits(struct rig *rig)
{
    const struct sim_page_request r =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 1, false);
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_SUCCESS);
    assert_int_equal(sim_page_request(rig->m, &r), SIM_NOT_STOPPED);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_false(pri_of(rig, 0).stopped); /* its group never ended */
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), p.d, NULL), UIOMMU_BUSY);
    reset_device(rig, 0);
    set(rig, 0, p.d);
    rig_drop(rig, 0, p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_device_waits_for_a_page, with_requests),
    RIG_TEST_ON(a_device_waits_for_a_page_of_a_pasid, with_pasid_requests),
    RIG_TEST_ON(who_has_no_handler_cannot, with_pasid_requests),
    RIG_TEST_ON(groups_come_whole_and_in_order, with_pasid_requests),
    RIG_TEST_ON(stop_markers_are_not_answered, with_pasid_requests),
    RIG_TEST_ON(each_answer_is_the_handlers, with_requests),
    RIG_TEST_ON(an_answer_may_come_later, with_requests),
    RIG_TEST_ON(an_answer_may_come_before_the_handler_returns, with_requests),
    RIG_TEST_ON(who_is_not_answered_in_time_is_refused, with_requests),
    RIG_TEST_ON(who_is_blocked_was_answered, with_requests),
    RIG_TEST_ON(who_is_asked_by_another_is_to_try_again, with_requests),
    RIG_TEST_ON(a_number_comes_without_its_requests, with_pasid_requests),
    RIG_TEST_ON(a_device_that_goes_was_answered, with_requests),
    RIG_TEST_ON(a_reset_answers_and_lets_ask_again, with_requests),
    RIG_TEST_ON(beyond_credits_requests_are_lost, with_requests),
    RIG_TEST_ON(after_an_overflow_groups_begin_anew, with_requests),
    RIG_TEST_ON(slots_come_back, with_requests),
    RIG_TEST_ON(interrupts_tell_of_requests, with_requests),
    RIG_TEST_ON(who_cannot_ask_does_not_see_it, without_pri),
    RIG_TEST_ON(who_cannot_ask_does_not_see_it, where_ats_is_forbidden),
    RIG_TEST_ON(answers_have_a_pasid_where_devices_want_it,
                with_pasid_requests),
    RIG_TEST_ON(answers_have_a_pasid_where_devices_want_it, with_bare_answers),
    RIG_TEST_ON(virtual_functions_are_not_let_ask, with_virtual_functions),
    RIG_TEST_ON(the_host_is_told_that_groups_wait, with_a_call),
    RIG_TEST_ON(who_is_not_through_waits, with_requests),
    { 0 },
};

int main(void)
{
    return rig_run("page requests", tests);
}
