/* SPDX-License-Identifier: MIT */
/*
 * sva_fault_test.c - pages of a process that a device asks for (semantics B.17 step 8,
 * B.20, D-03, D-04), and the end of the process meanwhile.
 */
#include "tests/core/sva.h"

/* An engine whose device TLB works, whatever it sees without a PASID. */
static struct uiommu_endpoint *bind_asking(struct process *s, unsigned n)
{
    set(s->rig, n, uiommu_identity(s->rig->u));
    return bind(s, n);
}

/* No flags: devices have to be able to ask. */
static struct process open_asking(struct rig *rig)
{
    struct process s = start_process(rig, kernel_open(rig->m, is_arm(rig)), 0);

    assert_true(kernel_mmap(s.p, VA, 8, RW));
    return s;
}

static void ask_for(struct rig *rig, uint32_t pasid, uint64_t va,
                    unsigned access, uint16_t group, bool last)
{
    struct sim_page_request r = request_of(rig, 0, pasid, va, group, last);

    r.access = access & RW;
    r.exec = access & UIOMMU_EXEC;
    r.priv = access & UIOMMU_PRIV;
    r.rogue = r.exec || r.priv; /* uiommu lets no device do that */
    assert_int_equal(sim_page_request(rig->m, &r), SIM_NOT_STOPPED);
}

/* One request, and what it is answered. */
static unsigned asked(struct rig *rig, uint32_t pasid, uint64_t va,
                      unsigned access)
{
    const unsigned n = answers(rig, 0);

    ask_for(rig, pasid, va, access, 9, true);
    collect_and_serve(rig);
    return answer(rig, 0, n).code;
}

/* ---- faults ------------------------------------------------------------------------- */

static void a_device_faults_pages_in(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    uint64_t value = 0x1234;
    bool dirty;

    assert_false(rig_dma(rig, 0, pasid, true, VA, &value));
    assert_int_equal(asked(rig, pasid, VA, RW), SIM_PAGE_SUCCESS);
    assert_true(rig_dma(rig, 0, pasid, true, VA, &value));
    assert_int_equal(rig_peek(rig, kernel_lookup(s.p, VA, &dirty)), value);
    assert_true(shares(&s, 0, pasid, VA));
    rig->faults = 0;
    unbind(ep);
    close_process(&s);
}

/* The device had the page, and writes to a copy of its own when it asks. */
static void who_writes_gets_a_copy(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    uint64_t before, value = 5;
    bool dirty;

    assert_true(shares(&s, 0, pasid, VA));
    before = kernel_lookup(s.p, VA, &dirty);
    rig_poke(rig, before, 42);
    kernel_protect(s.p, VA, 1, true);
    assert_true(rig_dma(rig, 0, pasid, false, VA, &value));
    assert_int_equal(value, 42);
    assert_false(rig_dma(rig, 0, pasid, true, VA, &value));
    assert_int_equal(asked(rig, pasid, VA, RW), SIM_PAGE_SUCCESS);
    assert_true(kernel_lookup(s.p, VA, &dirty) != before);
    assert_true(rig_dma(rig, 0, pasid, false, VA, &value));
    assert_int_equal(value, 42);
    assert_true(shares(&s, 0, pasid, VA));
    unbind(ep);
    close_process(&s);
}

/* The process has the last word on each kind of access. */
static void rights_are_those_of_the_process(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    const uint64_t text = VA + GIB(1), data = VA + GIB(2);
    unsigned served;

    assert_true(kernel_mmap(s.p, text, 1, UIOMMU_READ | UIOMMU_EXEC));
    assert_true(kernel_mmap(s.p, data, 1, UIOMMU_READ));
    assert_int_equal(asked(rig, pasid, text, UIOMMU_READ | UIOMMU_EXEC),
                     SIM_PAGE_SUCCESS);
    assert_int_equal(asked(rig, pasid, text, RW), SIM_PAGE_INVALID);
    assert_int_equal(asked(rig, pasid, data, UIOMMU_READ), SIM_PAGE_SUCCESS);
    assert_int_equal(asked(rig, pasid, data, UIOMMU_READ | UIOMMU_EXEC),
                     SIM_PAGE_INVALID);
    assert_int_equal(asked(rig, pasid, data, RW), SIM_PAGE_INVALID);
    assert_int_equal(asked(rig, pasid, VA + GIB(3), UIOMMU_READ),
                     SIM_PAGE_INVALID);
    served = kernel_served(s.p);
    assert_int_equal(asked(rig, pasid, VA, RW | UIOMMU_PRIV), SIM_PAGE_INVALID);
    assert_int_equal(asked(rig, pasid, KERNEL_HALF, UIOMMU_READ),
                     SIM_PAGE_INVALID);
    assert_int_equal(kernel_served(s.p), served); /* the process is not asked */
    unbind(ep);
    close_process(&s);
}

/* ---- what is asked for while its number moves ----------------------------------------- */

static struct {
    struct rig *rig;
    struct uiommu_host host; /* as it was                                    */
    struct uiommu_endpoint *ep;
    struct uiommu_domain *next;
    bool asked;
} moving;

/* It sees `next`, and nobody is asked yet. */
static void unlock_and_ask(void *ctx, void *spin)
{
    moving.host.spin_unlock(ctx, spin);
    if (moving.asked || !moving.ep->deaf || moving.ep->domain != moving.next)
        return;
    moving.asked = true;
    ask_for(moving.rig, uiommu_endpoint_pasid(moving.ep), KERNEL_HALF,
            UIOMMU_READ, 9, true);
    collect(moving.rig);
}

/* How wide what it sees is was not known then. */
static void the_kernels_half_is_not_asked_for_in_a_move(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_domain *from = rig_domain(rig, 0), *to = NULL;
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    unsigned before;

    rig_ok(uiommu_sva_domain(ep, s.provider, &to));
    see(ep, from);
    before = answers(rig, 0);
    memset(&moving, 0, sizeof(moving));
    moving.rig = rig;
    moving.host = rig->u->host;
    moving.ep = ep;
    moving.next = to;
    rig->u->host.spin_unlock = unlock_and_ask;
    see(ep, to);
    rig->u->host.spin_unlock = moving.host.spin_unlock;
    assert_true(moving.asked);
    collect_and_serve(rig);
    is_answer(rig, 0, before, 9, SIM_PAGE_INVALID);
    assert_int_equal(kernel_served(s.p), 0);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(from);
    uiommu_domain_put(to);
    close_process(&s);
}

/* In order, and the first that cannot be had is the last that was looked at. */
static void a_group_ends_where_it_fails(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    bool dirty;

    ask_for(rig, pasid, VA, RW, 3, false);
    ask_for(rig, pasid, VA + GIB(5), RW, 3, false);
    ask_for(rig, pasid, VA + RIG_PAGE, RW, 3, true);
    collect_and_serve(rig);
    assert_int_equal(answers(rig, 0), 1);
    is_answer(rig, 0, 0, 3, SIM_PAGE_INVALID);
    assert_int_equal(kernel_served(s.p), 2);
    assert_true(kernel_lookup(s.p, VA, &dirty) != 0);
    assert_true(kernel_lookup(s.p, VA + RIG_PAGE, &dirty) == 0);
    unbind(ep);
    close_process(&s);
}

/* ---- who can ask ---------------------------------------------------------------------- */

static void who_cannot_ask_needs_resident_memory(struct rig *rig)
{
    struct process s = open_asking(rig), r;
    struct uiommu_endpoint *ep = NULL;

    rig_is(uiommu_sva_bind(rig_endpoint(rig, 0), s.provider, NULL, &ep),
           UIOMMU_OPNOTSUPP);
    assert_null(ep);
    r = start_process(rig, s.k, UIOMMU_PROVIDER_RESIDENT);
    assert_true(kernel_mmap(r.p, VA, 1, RW));
    ep = bind(&r, 0);
    assert_int_equal(uiommu_endpoint_pasid(ep), 1); /* and not that of s */
    assert_true(shares(&r, 0, uiommu_endpoint_pasid(ep), VA));
    unbind(ep);
    end_process(&r);
    close_process(&s);
}

/* ---- the process ends ------------------------------------------------------------------ */

/* D-03, D-04 */
static void a_process_ends_while_a_device_asks(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    unsigned served;

    assert_true(shares(&s, 0, pasid, VA));
    served = kernel_served(s.p);
    ask_for(rig, pasid, VA + RIG_PAGE, RW, 1, true);
    ask_for(rig, pasid, VA + 2 * RIG_PAGE, RW, 2, false);
    collect(rig);
    sim_atomic(rig->m, true);
    rig_ok(uiommu_provider_exit(s.provider));
    sim_atomic(rig->m, false);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA));
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    ask_for(rig, pasid, VA + 2 * RIG_PAGE, RW, 2, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    assert_int_equal(kernel_served(s.p), served);
    rig->faults = 0;
    ask_for(rig, pasid, VA + 3 * RIG_PAGE, RW, 4, true); /* to be drained */
    unbind(ep);
    is_answer(rig, 0, 2, 4, SIM_PAGE_INVALID);
    assert_int_equal(answers(rig, 0), 3);
    assert_int_equal(kernel_released(s.p), 0);
    close_process(&s);
}

/* What is not complete is forgotten with what is: others on the device have its room. */
static void the_half_of_a_group_takes_no_room_from_others(struct rig *rig)
{
    struct process s = open_asking(rig),
                   r = start_process(rig, s.k, UIOMMU_PROVIDER_RESIDENT);
    struct uiommu_endpoint *ep = bind_asking(&s, 0), *other = bind(&r, 0);
    const uint32_t number = uiommu_endpoint_pasid(other);
    struct sim_page_request half =
        request_of(rig, 0, uiommu_endpoint_pasid(ep), VA, 1, false);

    assert_true(kernel_mmap(r.p, VA, 1, RW));
    half.rogue = true;
    for (unsigned i = 0; i < 200; i++) {
        (void)sim_page_request(rig->m, &half);
        collect(rig);
    }
    assert_int_equal(asked(rig, number, VA, RW), SIM_PAGE_SUCCESS);
    assert_int_equal(kernel_served(r.p), 0); /* there was no room */
    rig_ok(uiommu_provider_exit(s.provider));
    assert_int_equal(asked(rig, number, VA, RW), SIM_PAGE_SUCCESS);
    assert_int_equal(kernel_served(r.p), 1);
    unbind(ep);
    unbind(other);
    end_process(&r);
    close_process(&s);
    rig->dirty = true; /* a device that asks without credits */
}

/* Pages of a process are where no other domain of the unit has any. */
static void processes_are_wider_than_what_else_there_is(struct rig *rig)
{
    struct process s = open_asking(rig);
    struct uiommu_endpoint *ep = bind_asking(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_true(VA >> rig_endpoint(rig, 0)->unit->iova_bits != 0);
    assert_int_equal(asked(rig, pasid, VA, RW), SIM_PAGE_SUCCESS);
    assert_int_equal(kernel_served(s.p), 1);
    assert_true(shares(&s, 0, pasid, VA));
    unbind(ep);
    close_process(&s);
}

static bool with_a_narrow_second_stage(struct rig *rig, const char **why)
{
    if (!with_sva_requests(rig, why))
        return false;
    if (rig->config.mode != SIM_SCALABLE)
        *why = "one stage is for all";
    rig->config.args = "fs=1,bits=39";
    return rig->config.mode == SIM_SCALABLE;
}

/* What a handler is busy with when the process ends cannot be had. */
struct ending {
    struct process s;
    unsigned calls;
};

static enum uiommu_status ends_meanwhile(void *ctx, uint64_t va,
                                         unsigned access)
{
    struct ending *e = ctx;

    e->calls++;
    rig_ok(kernel_fault(e->s.p, va, access));
    return uiommu_provider_exit(e->s.provider);
}

static void ends_while_asked_for(struct rig *rig, unsigned pages)
{
    struct ending e = { .calls = 0 };
    const unsigned before = answers(rig, 0);
    struct uiommu_provider_config config;
    struct uiommu_endpoint *ep;

    e.s.rig = rig;
    e.s.k = kernel_open(rig->m, is_arm(rig));
    e.s.p = kernel_process_create(e.s.k);
    assert_true(kernel_mmap(e.s.p, VA, 2, RW));
    config = kernel_provider(e.s.p);
    config.on_fault = ends_meanwhile;
    config.released = NULL;
    config.ctx = &e;
    rig_ok(uiommu_provider_create(rig->u, &config, &e.s.provider));
    ep = bind_asking(&e.s, 0);
    for (unsigned i = 0; i < pages; i++)
        ask_for(rig, uiommu_endpoint_pasid(ep), VA + i * RIG_PAGE, RW, 6,
                i + 1 == pages);
    collect_and_serve(rig);
    is_answer(rig, 0, before, 6, SIM_PAGE_INVALID);
    assert_int_equal(e.calls, 1);
    assert_true(rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), VA));
    rig->faults = 0;
    unbind(ep);
    uiommu_provider_put(e.s.provider);
    kernel_process_free(e.s.p);
    kernel_close(e.s.k);
}

static void a_process_ends_while_it_is_asked(struct rig *rig)
{
    ends_while_asked_for(rig, 1);
    ends_while_asked_for(rig, 2);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_device_faults_pages_in, with_sva_requests),
    RIG_TEST_ON(who_writes_gets_a_copy, with_sva_requests),
    RIG_TEST_ON(rights_are_those_of_the_process, with_sva_requests),
    RIG_TEST_ON(the_kernels_half_is_not_asked_for_in_a_move, with_sva_requests),
    RIG_TEST_ON(a_group_ends_where_it_fails, with_sva_requests),
    RIG_TEST_ON(who_cannot_ask_needs_resident_memory, with_sva_and_ats),
    RIG_TEST_ON(a_process_ends_while_a_device_asks, with_sva_requests),
    RIG_TEST_ON(the_half_of_a_group_takes_no_room_from_others,
                with_sva_requests),
    RIG_TEST_ON(processes_are_wider_than_what_else_there_is,
                with_a_narrow_second_stage),
    RIG_TEST_ON(a_process_ends_while_it_is_asked, with_sva_requests),
    { 0 },
};

int main(void)
{
    return rig_run("page requests in address spaces", tests);
}
