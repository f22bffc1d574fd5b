/* SPDX-License-Identifier: MIT */
/*
 * mdev_emulated_test.c - mediated devices of the kind EMULATED: what their mediators look
 * up and pin, and that whoever unmaps it waits (semantics C.2, C.8). Threads count what
 * went wrong and never assert.
 */
#include "tests/core/doorbells.h"
#include "tests/core/mdevs.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* ---- machines and steps ------------------------------------------------------------------ */

/* A mediator that has one range pinned, and lets go of it if it is told to. */
struct soft {
    struct part part;
    struct uiommu_pin pin;
    bool pinned, pins_again;
    bool late; /* somebody else lets go, in his own time */
    unsigned told;
    uint64_t first, last; /* what it was told the last time                  */
    enum uiommu_status again; /* what it was told when it pinned from there  */
};

static void let_go(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                   uint64_t last)
{
    struct soft *soft = ctx;
    struct uiommu_pin pin;

    soft->told++;
    soft->first = iova;
    soft->last = last;
    if (soft->part.inside)
        soft->part.inside(&soft->part);
    if (soft->pins_again)
        soft->again = uiommu_access_pin(ep, BASE, RIG_PAGE, UIOMMU_READ, &pin,
                                        NULL, NULL);
    if (!soft->pinned || soft->late || soft->pin.first > last ||
        soft->pin.last < iova)
        return;
    rig_ok(uiommu_access_unpin(ep, &soft->pin));
    soft->pinned = false;
}

static const struct uiommu_mediator software = {
    .parent_reset = part_reset,
    .unmapped = let_go,
};

static struct uiommu_mdev_config soft_config(struct soft *soft, struct rig *rig,
                                             unsigned n)
{
    struct uiommu_mdev_config config = part_config(&soft->part, rig, n);

    config.kind = UIOMMU_MDEV_EMULATED;
    config.mediator = &software;
    config.ctx = soft;
    return config;
}

static struct uiommu_endpoint *emulate(struct rig *rig, unsigned n,
                                       struct soft *soft)
{
    struct uiommu_mdev_config config;

    *soft = (struct soft){ 0 };
    config = soft_config(soft, rig, n);
    rig_ok(uiommu_mdev_register(parent(rig, n), &config, &soft->part.ep));
    return soft->part.ep;
}

static bool with_trust(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.block_quality = UIOMMU_BLOCK_NONE;
    return true;
}

struct found {
    unsigned n;
    struct uiommu_segment first, last;
    uint64_t size;
};

static void find(void *ctx, const struct uiommu_segment *piece)
{
    struct found *found = ctx;

    if (found->n++ == 0)
        found->first = *piece;
    found->last = *piece;
    found->size += piece->size;
}

static uint64_t look_up(struct uiommu_endpoint *ep, uint64_t iova,
                        unsigned flags)
{
    struct found found = { 0 };

    if (uiommu_access_rw(ep, iova, 8, flags, find, &found) != UIOMMU_OK)
        return NOWHERE;
    assert_int_equal(found.n, 1);
    return found.first.phys;
}

struct word {
    struct rig *rig;
    bool write;
    uint64_t *at;
};

static void move(void *ctx, const struct uiommu_segment *piece)
{
    const struct word *w = ctx;

    assert_int_equal(piece->size, 8);
    if (w->write)
        rig_poke(w->rig, piece->phys, *w->at);
    else
        *w->at = rig_peek(w->rig, piece->phys);
}

/* As hardware: what it may not do is a fault of its. */
static bool moves(void *ctx, bool write, uint64_t iova, uint64_t *at)
{
    const struct soft *soft = ctx;
    const unsigned flags = write ? UIOMMU_WRITE : UIOMMU_READ;
    struct word w = { soft->part.rig, write, at };

    if (uiommu_access_rw(soft->part.ep, iova, 8, flags, move, &w) == UIOMMU_OK)
        return true;
    rig_ok(uiommu_access_fault(soft->part.ep, iova, flags));
    return false;
}

/* ---- like any other --------------------------------------------------------------------------- */

static void one_client_has_an_emulated_device_too(struct rig *rig)
{
    struct client c;
    struct soft soft;

    c = client_of(rig, emulate(rig, 0, &soft), true);
    c.dma = moves;
    c.ctx = &soft;
    client_is_content(&c, false);
    assert_int_equal(soft.told, 3); /* an unmap, two domains */
    assert_int_equal(c.fault.access, UIOMMU_READ);
    assert_int_equal(c.fault.pasid, UIOMMU_NO_PASID);
    assert_ptr_equal(c.fault.device, parent(rig, 0));
    assert_says(c.sentence, "(software unit 0): read at 0x80001000 refused: "
                            "no right to that there, as software found");
    assert_says(c.sentence, "a mapping ends right before it");
    take_home(&soft.part);
}

/* Who hears it, and who has none. */
static void an_emulated_access_may_be_a_fault(struct rig *rig)
{
    struct soft soft;
    struct uiommu_endpoint *ep = emulate(rig, 0, &soft);
    struct uiommu_domain *d = rig_domain(rig, 0);

    rig_is(uiommu_access_fault(NULL, BASE, UIOMMU_READ), UIOMMU_INVAL);
    rig_is(uiommu_access_fault(rig_endpoint(rig, 0), BASE, UIOMMU_READ),
           UIOMMU_INVAL);
    rig_is(uiommu_access_fault(ep, BASE, 0), UIOMMU_INVAL);
    rig_is(uiommu_access_fault(ep, BASE, UIOMMU_EXEC), UIOMMU_INVAL);
    assert_int_equal(rig->faults, 0);
    rig_ok(uiommu_access_fault(ep, BASE, UIOMMU_WRITE));
    assert_int_equal(rig->faults, 1);
    assert_ptr_equal(rig->fault.domain, uiommu_blocked(rig->u));
    assert_says(rig->sentence, "It sees the blocked domain.");
    map_page(d, BASE, rig_pages(rig, 0));
    see(ep, d);
    rig_ok(uiommu_access_fault(ep, BASE + RIG_PAGE, RIG_RW));
    assert_int_equal(rig->faults, 2);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_DMA);
    assert_ptr_equal(rig->fault.domain, d);
    assert_true(rig->fault.has_trace && !rig->fault.mapped);
    assert_int_equal(rig->fault.below.iova, BASE);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

/* C.2: nothing but its mediator's word confines a client. */
static void it_is_claimed_where_mediators_are_trusted(struct rig *rig)
{
    struct uiommu_mode mode;
    struct soft soft;
    const int owner = 0;

    emulate(rig, 0, &soft);
    rig_is(uiommu_claim(soft.part.ep, &owner), UIOMMU_PERM);
    assert_says(sim_last_log(rig->m), "is not given away");
    rig_ok(uiommu_effective_mode(soft.part.ep, &mode));
    assert_int_equal(mode.block_quality, UIOMMU_BLOCK_NONE);
    assert_int_equal(mode.owned_by, UIOMMU_OWNED_BY_NOBODY);
    take_home(&soft.part);
}

static void each_is_a_group_and_the_parent_is_not_concerned(struct rig *rig)
{
    struct uiommu_mdev_config config;
    struct uiommu_endpoint *ep = NULL;
    struct soft one, two;
    const int a = 0, b = 0;
    uint32_t last;

    emulate(rig, 0, &one);
    emulate(rig, 0, &two);
    assert_ptr_not_equal(uiommu_endpoint_group(one.part.ep),
                         uiommu_endpoint_group(two.part.ep));
    rig_ok(uiommu_claim(one.part.ep, &a));
    rig_ok(uiommu_claim(two.part.ep, &b));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &b));
    config = soft_config(&one, rig, 0);
    rig_is(uiommu_mdev_register(parent(rig, 0), &config, &ep), UIOMMU_BUSY);
    rig_is(uiommu_mdev_unregister(one.part.ep), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(parent(rig, 0)), UIOMMU_BUSY);
    rig_is(uiommu_pasid_create(one.part.ep, NULL, &ep), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_pasid_last(one.part.ep, &last), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &b));
    rig_ok(uiommu_release(one.part.ep, &a));
    rig_ok(uiommu_release(two.part.ep, &b));
    take_home(&one.part);
    take_home(&two.part);
}

/* The same tables for hardware and for software. */
static void a_domain_is_seen_by_both(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct soft one, two;

    map_page(d, BASE, page);
    emulate(rig, 0, &one);
    emulate(rig, 1, &two);
    set(rig, 0, d);
    see(one.part.ep, d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_int_equal(look_up(one.part.ep, BASE + 8, RIG_RW), page + 8);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    assert_int_equal(look_up(one.part.ep, BASE, UIOMMU_READ), NOWHERE);
    assert_int_equal(one.told, 1);
    assert_int_equal(two.told, 0);
    assert_true(one.first <= BASE && one.last >= BASE + RIG_PAGE - 1);
    map_page(d, BASE, page);
    see(two.part.ep, d);
    see(one.part.ep, uiommu_blocked(rig->u));
    assert_int_equal(one.told, 2);
    assert_true(one.first == 0 && one.last == UINT64_MAX);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_int_equal(one.told, 2);
    assert_int_equal(two.told, 1);
    take_home(&one.part);
    take_home(&two.part);
    rig_drop(rig, 0, d);
}

static void a_driver_uses_an_emulated_device(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), iova = 0;
    struct soft soft = { 0 };
    struct uiommu_mdev_config config = soft_config(&soft, rig, 0);
    struct uiommu_endpoint *ep;

    config.flags = UIOMMU_MDEV_DMA;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &soft.part.ep));
    ep = soft.part.ep;
    rig_ok(uiommu_dma_map(ep, page, RIG_PAGE, UIOMMU_READ, &iova));
    assert_int_equal(look_up(ep, iova, UIOMMU_READ), page);
    assert_int_equal(look_up(ep, iova, UIOMMU_WRITE), NOWHERE);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    assert_int_equal(look_up(ep, iova, UIOMMU_READ), NOWHERE);
    take_home(&soft.part);
}

static void no_region(void *ctx, const struct uiommu_region *region)
{
    (void)ctx;
    assert_true(region->kind == UIOMMU_REGION_MSI ||
                region->kind == UIOMMU_REGION_DOORBELL_WINDOW);
}

static bool with_a_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { GIB(3), RIG_PAGE, 0 } };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return with_trust(rig, why);
}

static void regions_are_the_parent_s(struct rig *rig)
{
    struct soft soft;
    const int owner = 0;

    emulate(rig, 0, &soft);
    rig_ok(uiommu_regions(soft.part.ep, no_region, NULL));
    rig_ok(uiommu_claim(soft.part.ep, &owner));
    rig_ok(uiommu_release(soft.part.ep, &owner));
    take_home(&soft.part);
}

/* ---- what is asked -------------------------------------------------------------------------------- */

static enum uiommu_status pin(struct soft *soft, uint64_t iova, uint64_t size,
                              unsigned flags)
{
    enum uiommu_status status = uiommu_access_pin(
        soft->part.ep, iova, size, flags, &soft->pin, NULL, NULL);

    soft->pinned = status == UIOMMU_OK;
    return status;
}

static void only_what_is_mapped_is_pinned(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    uint64_t pages = rig_pages(rig, 1);
    struct found found = { 0 };
    struct soft soft;

    emulate(rig, 0, &soft);
    rig_is(pin(&soft, BASE, 1, UIOMMU_READ), UIOMMU_INVAL);
    rig_ok(uiommu_map(d, BASE, pages + RIG_PAGE, RIG_PAGE, UIOMMU_READ));
    rig_ok(uiommu_map(d, BASE + RIG_PAGE, pages, RIG_PAGE, RIG_RW));
    see(soft.part.ep, d);
    rig_is(pin(&soft, BASE, 1, UIOMMU_WRITE), UIOMMU_INVAL);
    rig_is(pin(&soft, BASE, 2 * RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_access_pin(soft.part.ep, BASE + RIG_PAGE, RIG_PAGE + 1,
                             UIOMMU_READ, &soft.pin, find, &found),
           UIOMMU_INVAL);
    assert_int_equal(found.n, 0);
    rig_is(pin(&soft, BASE - 1, 2, UIOMMU_READ), UIOMMU_INVAL);
    rig_is(pin(&soft, last_iova(d), 2, UIOMMU_READ), UIOMMU_INVAL);
    rig_ok(uiommu_access_pin(soft.part.ep, BASE + 1, 2 * RIG_PAGE - 2,
                             UIOMMU_READ, &soft.pin, find, &found));
    assert_int_equal(found.n, 2);
    assert_int_equal(found.size, 2 * RIG_PAGE - 2);
    assert_int_equal(found.first.phys, pages + RIG_PAGE + 1);
    assert_int_equal(found.first.size, RIG_PAGE - 1);
    assert_int_equal(found.last.phys, pages);
    rig_ok(uiommu_access_unpin(soft.part.ep, &soft.pin));
    rig_is(uiommu_access_unpin(soft.part.ep, &soft.pin), UIOMMU_NOENT);
    see(soft.part.ep, uiommu_identity(rig->u));
    assert_int_equal(look_up(soft.part.ep, pages + 8, RIG_RW), pages + 8);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

static void malformed_questions_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *own = rig_endpoint(rig, 0), *ep;
    struct uiommu_mediator deaf = { .parent_reset = part_reset };
    struct found found = { 0 };
    struct uiommu_pin p;
    struct soft soft, other = { 0 };
    struct uiommu_mdev_config bad = soft_config(&other, rig, 0);

    ep = emulate(rig, 0, &soft);
    see(ep, uiommu_identity(rig->u));
    rig_is(uiommu_access_pin(NULL, 0, 1, UIOMMU_READ, &p, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_pin(own, 0, 1, UIOMMU_READ, &p, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_pin(ep, 0, 0, UIOMMU_READ, &p, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_pin(ep, UINT64_MAX, 2, UIOMMU_READ, &p, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_pin(ep, 0, 1, 0, &p, NULL, NULL), UIOMMU_INVAL);
    rig_is(uiommu_access_pin(ep, 0, 1, UIOMMU_EXEC, &p, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_pin(ep, 0, 1, UIOMMU_READ, NULL, NULL, NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_access_rw(ep, 0, 1, UIOMMU_READ, NULL, NULL), UIOMMU_INVAL);
    rig_is(uiommu_access_rw(own, 0, 1, UIOMMU_READ, find, &found),
           UIOMMU_INVAL);
    rig_is(uiommu_access_unpin(ep, NULL), UIOMMU_INVAL);
    rig_is(uiommu_access_unpin(own, &p), UIOMMU_INVAL);
    assert_int_equal(found.n, 0);
    bad.mediator = &deaf;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &ep), UIOMMU_INVAL);
    bad = soft_config(&other, rig, 0);
    bad.flags = UIOMMU_MDEV_SHARE;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &ep), UIOMMU_INVAL);
    bad.flags = 0;
    bad.last = 1;
    rig_is(uiommu_mdev_register(parent(rig, 0), &bad, &ep), UIOMMU_INVAL);
    take_home(&soft.part);
}

/* ---- whoever unmaps waits (C-SC6) --------------------------------------------------------------------- */

static void c_sc6_what_is_unmapped_is_let_go(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    struct soft soft;

    for (unsigned i = 0; i < 2; i++) {
        emulate(rig, 0, &soft);
        map_page(d, BASE, page);
        map_page(d, BASE + MIB(4), page);
        see(soft.part.ep, d);
        rig_ok(pin(&soft, BASE + 8, 16, UIOMMU_READ));
        rig_ok(uiommu_unmap(d, BASE + MIB(4), RIG_PAGE, NULL));
        assert_int_equal(soft.told, 1); /* and waited for nothing */
        assert_true(soft.pinned);
        soft.pins_again = true;
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
        rig_is(soft.again, UIOMMU_BUSY);
        assert_false(soft.pinned);
        soft.pins_again = false;
        map_page(d, BASE, page);
        rig_ok(pin(&soft, BASE, RIG_PAGE, RIG_RW));
        see(soft.part.ep, uiommu_blocked(rig->u));
        assert_false(soft.pinned);
        see(soft.part.ep, d);
        rig_ok(pin(&soft, BASE, RIG_PAGE, RIG_RW));
        take_home(&soft.part);
        assert_false(soft.pinned);
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
        rig->u->host.thread = NULL; /* whoever it is */
    }
    uiommu_domain_put(d);
}

/* C.8: wherever it is told, nobody waits for what it called. */
static void c_sc6_who_is_told_changes_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct soft soft;

    for (unsigned i = 0; i < 2; i++) {
        emulate(rig, 0, &soft);
        map_page(d, BASE, rig_pages(rig, 0));
        see(soft.part.ep, d);
        rig_ok(pin(&soft, BASE, 8, UIOMMU_READ));
        soft.part.inside = call_back;
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
        see(soft.part.ep, uiommu_blocked(rig->u));
        assert_int_equal(soft.told, 2);
        take_home(&soft.part);
        rig->u->host.thread = NULL; /* whoever it is */
    }
    uiommu_domain_put(d);
}

/* What stays mapped stays pinned, in smaller leaves. */
static void a_split_is_no_unmap(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    uint64_t phys = rig_pages(rig, 10),
             large = (phys + MIB(2) - 1) & ~(MIB(2) - 1);
    struct soft soft;

    emulate(rig, 0, &soft);
    rig_ok(uiommu_map(d, BASE, large, MIB(2), RIG_RW));
    see(soft.part.ep, d);
    rig_ok(pin(&soft, BASE, 8, UIOMMU_READ));
    (void)!uiommu_split(d, BASE, RIG_PAGE); /* not all units can */
    assert_int_equal(soft.told, 0);
    assert_true(soft.pinned);
    rig_ok(uiommu_unmap(d, BASE, MIB(2), NULL));
    assert_int_equal(soft.told, 1);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

/* ---- what the core maps for others ----------------------------------------------------------------- */

static bool with_regions(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { GIB(3), RIG_PAGE, 0 }, { GIB(3) + MIB(1), RIG_PAGE, 0 }
    };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 2;
    return true;
}

/* A mediator that tries to have it while it may yet be taken back. */
static struct {
    struct soft *soft;
    void *(*alloc)(void *ctx, size_t size);
    unsigned mapped, pinned;
} early;

static void *alloc_beside(void *ctx, size_t size)
{
    struct uiommu_trace trace;
    struct uiommu_pin p;

    if (uiommu_walk(early.soft->part.domain, GIB(3), &trace) == UIOMMU_OK) {
        early.mapped++;
        if (uiommu_access_pin(early.soft->part.ep, GIB(3), 8, UIOMMU_READ, &p,
                              NULL, NULL) == UIOMMU_OK)
            early.pinned++;
    }
    return early.alloc(ctx, size);
}

/* Regions of one device in a domain that a part of another sees: whoever holds the first
 * one's mutex then waits for no mediator. */
static void c_sc6_what_the_core_takes_back_nobody_had(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_host *h = &rig->u->host;
    enum uiommu_status status;
    unsigned nth = 0;
    struct soft soft;

    emulate(rig, 1, &soft);
    see(soft.part.ep, d);
    soft.part.domain = d;
    early.soft = &soft;
    early.mapped = early.pinned = 0;
    early.alloc = h->alloc;
    h->alloc = alloc_beside;
    do {
        assert_int_equal(look_up(soft.part.ep, GIB(3), UIOMMU_READ), NOWHERE);
        sim_fail_nth(rig->m, ++nth);
        status = uiommu_set_domain(rig_endpoint(rig, 0), d, NULL);
        sim_fail_nth(rig->m, 0);
        assert_int_equal(soft.told, 0);
    } while (status == UIOMMU_NOMEM);
    h->alloc = early.alloc;
    rig_ok(status);
    assert_true(early.mapped > 0);
    assert_int_equal(early.pinned, 0);
    assert_int_equal(look_up(soft.part.ep, GIB(3), UIOMMU_READ), GIB(3));
    rig_ok(pin(&soft, GIB(3), RIG_PAGE, UIOMMU_READ));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0),
                             uiommu_core_domain(rig_endpoint(rig, 0)), NULL));
    rig_ok(uiommu_unmap(d, GIB(3), RIG_PAGE, NULL));
    assert_int_equal(soft.told, 1);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

/* They are for interrupts, which a part does not send (C.6). */
static void c_sc6_doorbells_are_nobody_s_to_pin(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct soft soft;
    uint64_t at = 0;

    emulate(rig, 1, &soft);
    see(soft.part.ep, d);
    rig_ok(uiommu_irq_doorbell(rig_endpoint(rig, 0), SIM_TRANSLATER, &at));
    assert_int_equal(look_up(soft.part.ep, at, UIOMMU_WRITE), NOWHERE);
    assert_int_equal(soft.told, 0);
    take_home(&soft.part);
    rig_drop(rig, 0, d);
}

/* ---- whoever unmaps waits, again --------------------------------------------------------------------- */

/* What another thread does while this one waits. */
static struct {
    struct soft *soft;
    void (*relax)(void *ctx);
    unsigned rounds;
    struct uiommu_domain *unmaps; /* at first; NULL: nothing                  */
    bool still_pinned;            /* when that was through                    */
} beside;

static void relax_beside(void *ctx)
{
    struct soft *soft = beside.soft;

    if (soft->pinned && ++beside.rounds == 3) {
        rig_ok(uiommu_access_unpin(soft->part.ep, &soft->pin));
        soft->pinned = false;
    } else if (beside.rounds == 1 && beside.unmaps) {
        rig_ok(uiommu_unmap(beside.unmaps, BASE, RIG_PAGE, NULL));
        beside.still_pinned = soft->pinned;
    }
    beside.relax(ctx);
}

static void c_sc6_whoever_unmaps_waits(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_host *h = &rig->u->host;
    struct soft soft;

    emulate(rig, 0, &soft);
    map_page(d, BASE, rig_pages(rig, 0));
    see(soft.part.ep, d);
    soft.late = true;
    beside.soft = &soft;
    beside.relax = h->relax;
    h->relax = relax_beside;
    for (unsigned i = 0; i < 2; i++) {
        beside.rounds = 0;
        rig_ok(pin(&soft, BASE, 8, UIOMMU_READ));
        if (i == 0)
            see(soft.part.ep, uiommu_blocked(rig->u));
        else
            rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
        assert_false(soft.pinned);
        assert_int_equal(beside.rounds, 3);
        see(soft.part.ep, d);
    }
    h->relax = beside.relax;
    take_home(&soft.part);
    uiommu_domain_put(d);
}

/* It sees the domain no more, and has not let go of it. */
static void c_sc6_who_is_on_its_way_is_waited_for(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_host *h = &rig->u->host;
    struct soft soft;

    emulate(rig, 0, &soft);
    map_page(d, BASE, rig_pages(rig, 0));
    see(soft.part.ep, d);
    soft.late = true;
    beside.soft = &soft;
    beside.rounds = 0;
    beside.unmaps = d;
    beside.still_pinned = true;
    beside.relax = h->relax;
    h->relax = relax_beside;
    rig_ok(pin(&soft, BASE, 8, UIOMMU_READ));
    see(soft.part.ep, uiommu_blocked(rig->u));
    assert_false(beside.still_pinned);
    h->relax = beside.relax;
    beside.unmaps = NULL;
    take_home(&soft.part);
    uiommu_domain_put(d);
}

/* C.6: what is narrowed is not as wide as identity. */
static void a_narrow_part_does_not_see_everything(struct rig *rig)
{
    const struct uiommu_dma_config identity = {
        .size = sizeof(identity),
        .kind = UIOMMU_DMA_IDENTITY,
    };
    struct soft soft = { 0 };
    struct uiommu_mdev_config config = soft_config(&soft, rig, 0);

    config.iova_bits = 33;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &soft.part.ep));
    rig_is(uiommu_set_domain(soft.part.ep, uiommu_identity(rig->u), NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_dma_start(soft.part.ep, &identity), UIOMMU_OPNOTSUPP);
    take_home(&soft.part);
}

/* Nor where the configuration says so of all that do not. */
static void a_narrow_part_is_translated_by_default(struct rig *rig)
{
    struct soft soft = { 0 };
    struct uiommu_mdev_config config = soft_config(&soft, rig, 0);
    struct uiommu_mode mode;

    for (unsigned bits = 0; bits <= 33; bits += 33) {
        config.flags = UIOMMU_MDEV_DMA;
        config.iova_bits = (uint8_t)bits;
        rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &soft.part.ep));
        rig_ok(uiommu_effective_mode(soft.part.ep, &mode));
        assert_int_equal(mode.rule, bits == 0 ? UIOMMU_DEFAULT_CONFIGURED
                                              : UIOMMU_DEFAULT_NO_IDENTITY);
        assert_int_equal(look_up(soft.part.ep, GIB(16), UIOMMU_READ),
                         bits == 0 ? GIB(16) : NOWHERE);
        take_home(&soft.part);
    }
}

static bool with_identity_by_default(struct rig *rig, const char **why)
{
    rig->setup.default_domain = UIOMMU_DMA_IDENTITY;
    return with_trust(rig, why);
}

/* ---- threads ------------------------------------------------------------------------------------------ */

enum { ROUNDS = 60 };

struct race {
    struct rig *rig;
    struct uiommu_domain *d;
    struct uiommu_endpoint *ep;
    uint64_t phys;
    _Atomic bool stop, mapped;
    _Atomic unsigned pins, uses, stale, failed, told;
};

static void note(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                 uint64_t last)
{
    struct race *race = ctx;

    (void)ep, (void)iova, (void)last;
    race->told++;
}

static const struct uiommu_mediator racer = { .unmapped = note };

static void use(void *ctx, const struct uiommu_segment *piece)
{
    struct race *race = ctx;

    race->failed += piece->phys != race->phys;
}

/* Whoever has it pinned finds it mapped for as long as it has it. */
static void *pinner(void *ctx)
{
    struct race *race = ctx;
    struct uiommu_pin p;

    while (!race->stop) {
        if (uiommu_access_pin(race->ep, BASE, 8, UIOMMU_READ, &p, use, race) !=
            UIOMMU_OK) {
            sched_yield();
            continue;
        }
        race->pins++;
        for (unsigned i = 0; i < 20; i++)
            race->stale += !race->mapped;
        race->failed += uiommu_access_unpin(race->ep, &p) != UIOMMU_OK;
    }
    return NULL;
}

/* Time for somebody to pin. */
static void wait_for_a_pin(struct race *race)
{
    const unsigned before = race->pins, most = before < 5 ? 5000 : 30;

    for (unsigned i = 0; i < most && race->pins == before; i++)
        sched_yield();
}

static void *unmapper(void *ctx)
{
    struct race *race = ctx;

    for (unsigned i = 0; i < ROUNDS || (race->pins < 5 && i < 5000); i++) {
        race->mapped = true;
        race->failed += uiommu_map(race->d, BASE, race->phys, RIG_PAGE,
                                   RIG_RW) != UIOMMU_OK;
        wait_for_a_pin(race);
        race->failed +=
            uiommu_unmap(race->d, BASE, RIG_PAGE, NULL) != UIOMMU_OK;
        race->mapped = false;
    }
    race->stop = true;
    return NULL;
}

/* The same of whoever gives it another domain, under the mutex of the group. */
static void *mover(void *ctx)
{
    struct race *race = ctx;

    while (!race->stop) {
        race->failed += uiommu_set_domain(race->ep, race->d, NULL) != UIOMMU_OK;
        race->failed +=
            uiommu_set_domain(race->ep, uiommu_blocked(race->rig->u), NULL) !=
            UIOMMU_OK;
        sched_yield();
    }
    race->failed += uiommu_set_domain(race->ep, race->d, NULL) != UIOMMU_OK;
    return NULL;
}

static void c_sc6_threads_pin_while_others_unmap(struct rig *rig)
{
    struct race race = { .rig = rig, .phys = rig_pages(rig, 0) };
    struct part part;
    struct uiommu_mdev_config config = part_config(&part, rig, 0);
    pthread_t thread[4];

    config.kind = UIOMMU_MDEV_EMULATED;
    config.mediator = &racer;
    config.ctx = &race;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &race.ep));
    race.d = rig_domain(rig, 0);
    see(race.ep, race.d);
    assert_int_equal(pthread_create(&thread[0], NULL, pinner, &race), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, pinner, &race), 0);
    assert_int_equal(pthread_create(&thread[2], NULL, mover, &race), 0);
    assert_int_equal(pthread_create(&thread[3], NULL, unmapper, &race), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(race.failed, 0);
    assert_int_equal(race.stale, 0);
    assert_true(race.pins > 0);
    assert_true(race.told > 0);
    rig_ok(uiommu_mdev_unregister(race.ep));
    uiommu_domain_put(race.d);
}

/* ---- the parent ------------------------------------------------------------------------------------------ */

/* What it has is the mediator's memory, and not the parent's registers. */
static void c_sc8_a_reset_of_the_parent_is_told(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct soft soft;

    map_page(d, BASE, page);
    emulate(rig, 0, &soft);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    see(soft.part.ep, d);
    assert_int_equal(look_up(soft.part.ep, BASE, UIOMMU_READ), page);
    rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
    assert_int_equal(soft.part.begun, 1);
    assert_int_equal(soft.part.ended, 1);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

static void its_parent_is_pulled_out(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0), *e = NULL;
    unsigned dev = rig_engine(rig, 0);
    struct soft soft;
    const int owner = 0;

    map_page(d, BASE, rig_pages(rig, 0));
    emulate(rig, 0, &soft);
    rig_ok(uiommu_claim(soft.part.ep, &owner));
    rig_ok(uiommu_set_domain(soft.part.ep, d, &owner));
    rig_ok(pin(&soft, BASE, 8, UIOMMU_READ));
    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_false(soft.pinned);
    rig_is(pin(&soft, BASE, 8, UIOMMU_READ), UIOMMU_NODEV);
    rig_is(uiommu_set_domain(soft.part.ep, d, &owner), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(soft.part.ep, uiommu_blocked(rig->u), &owner));
    rig_is(uiommu_domain_create(soft.part.ep, NULL, &e), UIOMMU_NODEV);
    rig_is(uiommu_dma_start(soft.part.ep, NULL), UIOMMU_NODEV);
    rig_is(uiommu_access_fault(soft.part.ep, BASE, RIG_RW), UIOMMU_NODEV);
    assert_ptr_equal(uiommu_endpoint_domain(soft.part.ep),
                     uiommu_blocked(rig->u));
    rig_ok(uiommu_release(soft.part.ep, &owner));
    rig_is(uiommu_claim(soft.part.ep, &owner), UIOMMU_NODEV);
    take_home(&soft.part);
    uiommu_domain_put(d);
}

static enum uiommu_status emulate_once(struct rig *rig, void *ctx)
{
    struct soft *soft = ctx;
    const struct uiommu_mdev_config config = soft_config(soft, rig, 0);

    return uiommu_mdev_register(parent(rig, 0), &config, &soft->part.ep);
}

static void take_home_once(struct rig *rig, void *ctx)
{
    struct soft *soft = ctx;

    (void)rig;
    take_home(&soft->part);
}

static void a_registration_that_fails_leaves_nothing(struct rig *rig)
{
    struct soft soft = { 0 };

    rig_each_failure(rig, emulate_once, take_home_once, &soft, UIOMMU_NOMEM);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(one_client_has_an_emulated_device_too, with_trust),
    RIG_TEST(an_emulated_access_may_be_a_fault),
    RIG_TEST(it_is_claimed_where_mediators_are_trusted),
    RIG_TEST_ON(each_is_a_group_and_the_parent_is_not_concerned, with_trust),
    RIG_TEST(a_domain_is_seen_by_both),
    RIG_TEST(a_driver_uses_an_emulated_device),
    RIG_TEST_ON(regions_are_the_parent_s, with_a_region),
    RIG_TEST(only_what_is_mapped_is_pinned),
    RIG_TEST(malformed_questions_are_refused),
    RIG_TEST(a_narrow_part_does_not_see_everything),
    RIG_TEST_ON(a_narrow_part_is_translated_by_default,
                with_identity_by_default),
    RIG_TEST(c_sc6_what_is_unmapped_is_let_go),
    RIG_TEST(c_sc6_who_is_told_changes_nothing),
    RIG_TEST(a_split_is_no_unmap),
    RIG_TEST_ON(c_sc6_what_the_core_takes_back_nobody_had, with_regions),
    RIG_TEST_ON(c_sc6_doorbells_are_nobody_s_to_pin, translates_messages),
    RIG_TEST(c_sc6_whoever_unmaps_waits),
    RIG_TEST(c_sc6_who_is_on_its_way_is_waited_for),
    { .name = "c_sc6_threads_pin_while_others_unmap",
      .run = c_sc6_threads_pin_while_others_unmap,
      .once = "the host call that fails may be another thread's" },
    RIG_TEST(c_sc8_a_reset_of_the_parent_is_told),
    RIG_TEST_ON(its_parent_is_pulled_out, with_trust),
    RIG_TEST(a_registration_that_fails_leaves_nothing),
    { 0 },
};

int main(void)
{
    return rig_run("mdev_emulated", tests);
}
