/* SPDX-License-Identifier: MIT */
/*
 * parts.c - programs about devices that are lent in parts.
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"
#include "tests/interleave/programs.h"

#include <uiommu/dma.h>
#include <uiommu/reset.h>
#include <uiommu/sva.h>

enum { PARTS = 3 };

/* What programs have beside their trial; before() makes it, after() ends it. */
static struct scene {
    struct trial *t;
    struct lent {
        struct uiommu_endpoint *ep;
        _Atomic uint32_t number;
        bool stuck;         /* it does not stop                              */
    } lent[PARTS];
    bool shared;            /* numbers are, where the domain is one          */
    unsigned of, members;   /* lent by this engine; of its group, from 0 on  */
    uint32_t stuck;         /* a number that a device may go on sending      */
    struct uiommu_pin pin;
    uint64_t iova;
    struct uiommu_provider *provider;
    struct uiommu_domain *process;
    struct uiommu_domain *asks; /* its handler is hear()                      */
    unsigned answered;          /* before                                     */
    _Atomic unsigned asked;     /* groups                                     */
    _Atomic bool removed;       /* the device; from here on none is heard     */
} s;

static void begin(struct trial *t)
{
    memset(&s, 0, sizeof(s));
    s.t = t;
    s.members = 1;
}

/* ---- parts with numbers ------------------------------------------------------------ */

/* Parts have one number where they see one domain and share it, and nowhere else. */
static void compare(const struct lent *lent, uint32_t number)
{
    struct uiommu_domain *domain = uiommu_endpoint_domain(lent->ep);

    for (const struct lent *other = s.lent; other < s.lent + PARTS; other++) {
        if (other == lent || atomic_load(&other->number) != number)
            continue;
        if (!s.shared || uiommu_endpoint_domain(other->ep) != domain)
            say(s.t, "two parts have number %u", number);
    }
}

/* Whoever sets a part waits for its mediator. */
static void stays(struct uiommu_endpoint *ep)
{
    struct uiommu_domain *domain = uiommu_endpoint_domain(ep);

    (void)uiommu_poll(s.t->rig->u); /* takes a while */
    if (uiommu_endpoint_domain(ep) != domain)
        say(s.t, "a part was set while its mediator was called");
}

static enum uiommu_status lent_install(void *ctx, struct uiommu_endpoint *ep,
                                       uint32_t number)
{
    struct lent *lent = ctx;

    compare(lent, number);
    if (atomic_exchange(&lent->number, number) != 0)
        say(s.t, "a number was installed twice");
    stays(ep);
    return UIOMMU_OK;
}

static bool lent_clear(void *ctx, struct uiommu_endpoint *ep, uint32_t number)
{
    struct lent *lent = ctx;

    stays(ep);
    if (atomic_exchange(&lent->number, 0) != number)
        say(s.t, "another number was cleared");
    return !lent->stuck;
}

static void lent_reset(void *ctx, struct uiommu_endpoint *ep,
                       enum uiommu_mdev_reset what)
{
    (void)ctx, (void)ep, (void)what;
}

static void lent_unmapped(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                          uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

static void lend_out(struct trial *t, unsigned i, enum uiommu_mdev_kind kind)
{
    static const struct uiommu_mediator hardware = {
        .pasid_install = lent_install,
        .pasid_clear = lent_clear,
        .parent_reset = lent_reset,
    };
    static const struct uiommu_mediator software = {
        .parent_reset = lent_reset,
        .unmapped = lent_unmapped,
    };
    const struct uiommu_mdev_config config = {
        .size = sizeof(config),
        .kind = kind,
        .flags = s.shared ? UIOMMU_MDEV_SHARE : 0,
        .mediator = kind == UIOMMU_MDEV_PASID ? &hardware : &software,
        .ctx = &s.lent[i],
    };

    expect_ok(
        t, uiommu_mdev_register(parent(t->rig, s.of), &config, &s.lent[i].ep),
        "mdev_register");
}

static void end_lent(struct trial *t, unsigned i)
{
    expect_ok(t, uiommu_mdev_unregister(s.lent[i].ep), "mdev_unregister");
    s.lent[i].ep = NULL;
    if (atomic_load(&s.lent[i].number) != 0)
        say(t, "a part that was ended has a number");
}

static void lent_out(struct trial *t)
{
    begin(t);
    page_in(t, t->d, 0);
    lend_out(t, 0, UIOMMU_MDEV_PASID);
}

/* PASIDs are the group's: both members have what a part of one has. */
static void lent_by_two(struct trial *t)
{
    lent_out(t);
    s.members = 2;
}

/* The first engine is its physical function, which is reset. */
static void lent_by_a_virtual_one(struct trial *t)
{
    begin(t);
    page_in(t, t->d, 0);
    s.of = 1;
    lend_out(t, 0, UIOMMU_MDEV_PASID);
}

static void lent_and_seeing(struct trial *t)
{
    lent_out(t);
    sees(t, s.lent[0].ep, t->d);
}

/* How many members do by a number. */
static unsigned who_reach(struct trial *t, uint32_t number)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s.members && number != 0; i++)
        n += reached(t, s.of + i, number);
    return n;
}

static bool lent_reaches(struct trial *t, unsigned i)
{
    return who_reach(t, atomic_load(&s.lent[i].number)) == s.members;
}

/* With its own number, whatever goes on beside. */
static void client_sees_and_leaves(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->d);
    if (!atomic_load(&t->gone) && !lent_reaches(t, 0) && !atomic_load(&t->gone))
        say(t, "a part does not reach what it sees");
    sees(t, s.lent[0].ep, uiommu_blocked(t->rig->u));
    if (atomic_load(&s.lent[0].number) != 0)
        say(t, "a part that is blocked has a number");
}

static void another_comes_and_goes(void *ctx)
{
    struct trial *t = ctx;

    lend_out(t, 1, UIOMMU_MDEV_PASID);
    if (!s.lent[1].ep)
        return;
    sees(t, s.lent[1].ep, t->e);
    if (who_reach(t, atomic_load(&s.lent[1].number)) > 0)
        say(t, "a part reaches what another sees");
    end_lent(t, 1);
}

static void unmap_of_part(void *ctx)
{
    struct trial *t = ctx;
    uint32_t number;

    atomic_store(&t->gone, true); /* from here on it may be */
    expect_ok(t, uiommu_unmap(t->d, t->base + AT, RIG_PAGE, NULL), "unmap");
    number = atomic_load(&s.lent[0].number);
    if (who_reach(t, number) > 0)
        say(t, "a part reaches what was unmapped");
}

static void one_is_ended(struct trial *t)
{
    end_lent(t, 0);
}

static void parent_is_reset(void *ctx)
{
    struct trial *t = ctx;
    uint32_t number;

    expect_ok(t, uiommu_device_reset_begin(parent(t->rig, 0)), "reset_begin");
    atomic_store(&t->gone, true);
    number = atomic_load(&s.lent[0].number);
    if (who_reach(t, number) > 0)
        say(t, "a part reaches something while its parent is reset");
    expect_ok(t, uiommu_device_reset_end(parent(t->rig, 0), true), "reset_end");
}

/* BUSY: its parent is being reset. NODEV, TIMEDOUT: it is gone, or went. */
static void client_tries(void *ctx)
{
    struct trial *t = ctx;
    enum uiommu_status status = uiommu_set_domain(s.lent[0].ep, t->d, NULL);

    if (status == UIOMMU_TIMEDOUT && atomic_load(&t->gone))
        return;
    if (status != UIOMMU_OK && status != UIOMMU_BUSY && status != UIOMMU_NODEV)
        say(t, "set_domain: %s", uiommu_status_name(status));
}

static void part_is_whole(struct trial *t)
{
    const bool is = uiommu_endpoint_domain(s.lent[0].ep) == t->d;

    if (lent_reaches(t, 0) != is)
        say(t, is ? "a part does not reach what it sees after a reset"
                  : "a part that sees nothing reaches something");
    end_lent(t, 0);
}

static void parent_is_pulled_out(void *ctx)
{
    struct trial *t = ctx;
    const unsigned dev = rig_engine(t->rig, 0);

    atomic_store(&t->gone, true);
    sim_unplug(t->rig->m, dev);
    expect_ok(t, uiommu_device_remove(t->rig->device[dev]), "remove");
    if (atomic_load(&s.lent[0].number) != 0)
        say(t, "a part of a device that is gone has a number");
}

static void part_is_dead(struct trial *t)
{
    const unsigned dev = rig_engine(t->rig, 0);

    if (uiommu_endpoint_domain(s.lent[0].ep) != uiommu_blocked(t->rig->u))
        say(t, "a part of a device that is gone sees something");
    if (uiommu_set_domain(s.lent[0].ep, t->d, NULL) != UIOMMU_NODEV)
        say(t, "a part of a device that is gone can be set");
    end_lent(t, 0);
    if (!sim_plug(t->rig->m, dev))
        say(t, "it cannot be plugged in again");
    expect_ok(t, rig_add(t->rig, dev), "add");
    for (uint32_t number = 1; number < 4; number++)
        if (reached(t, 0, number))
            say(t, "who comes to its place reaches with number %u", number);
}

static void emulated(struct trial *t)
{
    begin(t);
    page_in(t, t->d, 0);
    lend_out(t, 0, UIOMMU_MDEV_EMULATED);
    sees(t, s.lent[0].ep, t->d);
}

/* What is pinned stays mapped. */
static void pin(void *ctx)
{
    struct trial *t = ctx;
    enum uiommu_status status = uiommu_access_pin(
        s.lent[0].ep, t->base + AT, RIG_PAGE, UIOMMU_READ, &s.pin, NULL, NULL);

    if (status == UIOMMU_INVAL) /* it is unmapped */
        return;
    expect_ok(t, status, "pin");
    if (atomic_load(&t->gone))
        say(t, "what is pinned was unmapped");
    (void)uiommu_poll(t->rig->u);
    if (atomic_load(&t->gone))
        say(t, "nobody waited for a pin");
    expect_ok(t, uiommu_access_unpin(s.lent[0].ep, &s.pin), "unpin");
}

static void unmap_pinned(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_unmap(t->d, t->base + AT, RIG_PAGE, NULL), "unmap");
    atomic_store(&t->gone, true);
}

static void leave_pinned(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->e);
    atomic_store(&t->gone, true);
}

/* ---- an heir -------------------------------------------------------------------- */

/* Nobody sees anything by the id; domains differ in what is at AT. */
static void at_rest(struct trial *t)
{
    begin(t);
    page_in(t, t->d, 0);
    page_in(t, t->e, 1);
    leave(t, 0);
}

static void expect_page(struct trial *t, uint32_t number, unsigned page,
                        const char *who)
{
    const uint64_t got = fetch(t, 0, number, t->base + AT);

    if (got != page_of(t, page))
        say(t, "%s reads 0x%llx and not page %u", who, (unsigned long long)got,
            page);
}

/* BUSY: somebody has the device. */
static bool inherits(struct trial *t)
{
    static const struct uiommu_mediator nothing = { .parent_reset =
                                                        lent_reset };
    const struct uiommu_mdev_config config = {
        .size = sizeof(config),
        .kind = UIOMMU_MDEV_RID_INHERIT,
        .mediator = &nothing,
    };
    enum uiommu_status status =
        uiommu_mdev_register(parent(t->rig, 0), &config, &s.lent[0].ep);

    if (status != UIOMMU_BUSY)
        expect_ok(t, status, "mdev_register");
    return status == UIOMMU_OK;
}

/* What the heir sees nobody exchanges. */
static void heir_comes_and_goes(void *ctx)
{
    struct trial *t = ctx;

    if (!inherits(t))
        return;
    sees(t, s.lent[0].ep, t->d);
    expect_page(t, UIOMMU_NO_PASID, 0, "an heir");
    expect_ok(t, uiommu_mdev_unregister(s.lent[0].ep), "mdev_unregister");
}

/* BUSY: an heir has it. */
static void parent_sees_e(void *ctx)
{
    struct trial *t = ctx;
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);
    enum uiommu_status status = uiommu_set_domain(ep, t->e, NULL);

    if (status == UIOMMU_BUSY)
        return;
    expect_ok(t, status, "set_domain");
    expect_page(t, UIOMMU_NO_PASID, 1, "a parent");
    leave(t, 0);
}

static void nobody_reaches(struct trial *t)
{
    if (reached(t, 0, UIOMMU_NO_PASID))
        say(t, "a device that nobody has reaches something");
}

/* It has a page, and goes on with it whoever had the device in between. */
static void driven(struct trial *t)
{
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);

    at_rest(t);
    expect_ok(t, uiommu_dma_start(ep, NULL), "dma_start");
    expect_ok(t, uiommu_dma_map(ep, page_of(t, 2), RIG_PAGE, RIG_RW, &s.iova),
              "dma_map");
}

static void expect_driver_s(struct trial *t, uint64_t iova, unsigned page)
{
    if (fetch(t, 0, UIOMMU_NO_PASID, iova) != page_of(t, page))
        say(t, "a driver does not read page %u", page);
}

/* BUSY: an heir has what it drives. */
static void driver_uses_it(void *ctx)
{
    struct trial *t = ctx;
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);
    enum uiommu_status status = uiommu_dma_start(ep, NULL);
    uint64_t iova = 0;

    if (status == UIOMMU_BUSY)
        return;
    expect_ok(t, status, "dma_start");
    expect_ok(t, uiommu_dma_map(ep, page_of(t, 3), RIG_PAGE, RIG_RW, &iova),
              "dma_map");
    expect_driver_s(t, iova, 3);
    expect_driver_s(t, s.iova, 2);
    expect_ok(t, uiommu_dma_unmap(ep, iova, RIG_PAGE), "dma_unmap");
    expect_ok(t, uiommu_dma_stop(ep), "dma_stop");
}

static void driver_has_it_again(struct trial *t)
{
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);

    expect_driver_s(t, s.iova, 2);
    expect_ok(t, uiommu_dma_unmap(ep, s.iova, RIG_PAGE), "dma_unmap");
    expect_ok(t, uiommu_dma_stop(ep), "dma_stop");
    nobody_reaches(t);
}

/* ---- numbers that are shared ------------------------------------------------------- */

/* The first two see d by one number, the third nothing. */
static void two_of_three_share(struct trial *t)
{
    at_rest(t);
    s.shared = true;
    for (unsigned i = 0; i < PARTS; i++)
        lend_out(t, i, UIOMMU_MDEV_PASID);
    sees(t, s.lent[0].ep, t->d);
    sees(t, s.lent[1].ep, t->d);
}

static uint32_t number_of(unsigned i)
{
    return atomic_load(&s.lent[i].number);
}

/* It alone, to e and back. */
static void one_is_moved(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->e);
    expect_page(t, number_of(0), 1, "a part that was moved");
    sees(t, s.lent[0].ep, t->d);
    expect_page(t, number_of(0), 0, "a part that came back");
}

/* With the number that it has, whoever else had that. */
static void another_maps(void *ctx)
{
    struct trial *t = ctx;
    const uint32_t number = number_of(1);
    const uint64_t more = t->base + AT + RIG_PAGE;

    expect_ok(t, uiommu_map(t->d, more, page_of(t, 2), RIG_PAGE, RIG_RW),
              "map");
    if (fetch(t, 0, number, more) != page_of(t, 2))
        say(t, "a part does not read what was mapped");
    expect_ok(t, uiommu_unmap(t->d, more, RIG_PAGE, NULL), "unmap");
    if (fetch(t, 0, number, more) != NOWHERE)
        say(t, "a part reads what was unmapped");
    expect_page(t, number, 0, "a part that nobody moved");
}

static void a_third_comes(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[2].ep, t->e);
    expect_page(t, number_of(2), 1, "a part that came");
}

/* What one sees all see by one number. */
static void numbers_are_shared(struct trial *t)
{
    if (number_of(0) != number_of(1))
        say(t, "two parts see one domain by numbers %u and %u", number_of(0),
            number_of(1));
    if (number_of(2) == number_of(0))
        say(t, "a part has the number of another domain");
    sees(t, s.lent[0].ep, t->e);
    if (number_of(0) != number_of(2))
        say(t, "a part that follows another has number %u and not %u",
            number_of(0), number_of(2));
    for (unsigned i = 0; i < PARTS; i++)
        end_lent(t, i);
}

/* Both at once to where nobody was. */
static void first_sees_e(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->e);
    expect_page(t, number_of(0), 1, "the first");
}

static void second_sees_e(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[1].ep, t->e);
    expect_page(t, number_of(1), 1, "the second");
}

static void both_have_one(struct trial *t)
{
    if (number_of(0) != number_of(1))
        say(t, "two parts see one domain by numbers %u and %u", number_of(0),
            number_of(1));
    for (unsigned i = 0; i < PARTS; i++)
        end_lent(t, i);
}

/* ---- a part that does not stop --------------------------------------------------------- */

static void will_not_stop(struct trial *t)
{
    at_rest(t);
    lend_out(t, 0, UIOMMU_MDEV_PASID);
    lend_out(t, 1, UIOMMU_MDEV_PASID);
    sees(t, s.lent[0].ep, t->d);
    s.stuck = number_of(0);
    s.lent[0].stuck = true;
}

/* The device goes on sending the number: it reaches nothing. */
static void is_stopped_all_the_same(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, uiommu_blocked(t->rig->u));
    atomic_store(&t->gone, true);
    if (fetch(t, 0, s.stuck, t->base + AT) != NOWHERE)
        say(t, "a part that did not stop reaches what it saw");
}

/* Whoever comes does not get it. */
static void expect_another_number(struct trial *t, unsigned i)
{
    const uint32_t number = number_of(i);

    if (number == s.stuck && (i > 0 || atomic_load(&t->gone)))
        say(t, "a number that may still be sent was given away");
}

static void another_begins(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[1].ep, t->e);
    expect_another_number(t, 1);
    expect_page(t, number_of(1), 1, "who came");
    (void)uiommu_poll(t->rig->u);
}

/* Its client does not know that it is being stopped. */
static void is_set_meanwhile(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->e);
    (void)uiommu_poll(t->rig->u);
}

static void waits_for_a_reset(struct trial *t)
{
    struct uiommu_device *device = parent(t->rig, 0);
    struct uiommu_endpoint *ep = NULL;

    s.lent[0].stuck = false;
    if (fetch(t, 0, s.stuck, t->base + AT) != NOWHERE)
        say(t, "a number that waits reaches something");
    for (unsigned i = 0; i < 2; i++) {
        expect_another_number(t, i);
        if (s.lent[i].ep)
            end_lent(t, i);
    }
    expect_ok(t, uiommu_device_reset_begin(device), "reset_begin");
    expect_ok(t, uiommu_device_reset_end(device, true), "reset_end");
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), NULL, &ep),
              "pasid_create");
    if (uiommu_endpoint_pasid(ep) != s.stuck)
        say(t, "a number waits after a reset");
    expect_ok(t, uiommu_pasid_destroy(ep, true), "pasid_destroy");
}

/* ---- processes that parts see ------------------------------------------------------------ */

static void lend_for_process(struct trial *t,
                             const struct uiommu_provider_config *config)
{
    at_rest(t);
    sees(t, rig_endpoint(t->rig, 0), uiommu_identity(t->rig->u));
    lend_out(t, 0, UIOMMU_MDEV_PASID);
    expect_ok(t, uiommu_provider_create(t->rig->u, config, &s.provider),
              "provider_create");
    expect_ok(t, uiommu_sva_domain(s.lent[0].ep, s.provider, &s.process),
              "sva_domain");
    expect_ok(t,
              uiommu_provider_map(s.provider, t->base + AT, page_of(t, 2),
                                  RIG_PAGE, RW),
              "provider_map");
}

static void process_of_a_part(struct trial *t)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_PROVIDER_RESIDENT,
    };

    lend_for_process(t, &config);
}

static void a_part_sees_a_process(struct trial *t)
{
    process_of_a_part(t);
    sees(t, s.lent[0].ep, s.process);
    s.stuck = number_of(0);
}

/* Whatever its part sees then: nothing of the process. */
static bool reads_process(struct trial *t)
{
    const uint32_t number = number_of(0);

    return number != 0 && fetch(t, 0, number, t->base + AT) == page_of(t, 2);
}

static void process_ends(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_provider_exit(s.provider), "provider_exit");
    if (reads_process(t))
        say(t, "a part reads from a process that has ended");
}

static void leaves_for_d(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.lent[0].ep, t->d);
    expect_page(t, number_of(0), 0, "a part that left its process");
}

/* NOENT: it has ended. */
static void comes_to_it(void *ctx)
{
    struct trial *t = ctx;
    enum uiommu_status status =
        uiommu_set_domain(s.lent[0].ep, s.process, NULL);

    if (status != UIOMMU_NOENT)
        expect_ok(t, status, "set_domain");
}

static void part_ends(void *ctx)
{
    end_lent(ctx, 0);
}

static void put_process(struct trial *t)
{
    leave(t, 0);
    uiommu_domain_put(s.process);
    uiommu_provider_put(s.provider);
}

static void still_sees_d(struct trial *t)
{
    expect_page(t, number_of(0), 0, "a part whose process ended");
    end_lent(t, 0);
    put_process(t);
}

static void part_goes_on(struct trial *t)
{
    if (reads_process(t))
        say(t, "a part reads from a process that had ended");
    sees(t, s.lent[0].ep, t->d);
    still_sees_d(t);
}

static void number_is_free(struct trial *t)
{
    if (fetch(t, 0, s.stuck, t->base + AT) != NOWHERE)
        say(t, "the number of a part that was ended reads something");
    put_process(t);
}

/* ---- parts that ask for pages ------------------------------------------------------- */

enum { GROUP = 7 };

/* SIM_BY_DEVICE: it is gone. */
static void part_asks(struct trial *t, uint32_t number, uint16_t group)
{
    const struct sim_page_request r =
        request_of(t->rig, 0, number, t->base + AT + RIG_PAGE, group, true);

    if (sim_page_request(t->rig->m, &r) == SIM_NOT_STOPPED)
        atomic_fetch_add(&s.asked, 1);
}

static void device_asks(void *ctx)
{
    part_asks(ctx, s.stuck, GROUP + 1);
}

static void handlers(void *ctx)
{
    struct trial *t = ctx;

    for (unsigned i = 0; i < 2; i++) {
        (void)uiommu_poll(t->rig->u);
        uiommu_serve(t->rig->u);
    }
}

/* One is in the core by the time it begins. */
static void one_waits(struct trial *t)
{
    s.stuck = number_of(0);
    s.answered = answers(t->rig, 0);
    part_asks(t, s.stuck, GROUP);
    collect(t->rig);
    if (atomic_load(&s.asked) != 1)
        say(t, "a part cannot ask for a page");
}

/* Who waits for an answer got it, once; nobody got another. */
static unsigned heard_by_device(struct trial *t)
{
    unsigned n;

    for (unsigned i = 0; i < 2; i++)
        collect_and_serve(t->rig);
    n = answers(t->rig, 0) - s.answered;
    for (unsigned i = s.answered; i < s.answered + n; i++)
        if (!sim_page_response_at(t->rig->m, rig_engine(t->rig, 0), i).expected)
            say(t, "an answer that nobody waits for");
    return n;
}

static void each_is_answered(struct trial *t)
{
    const unsigned n = heard_by_device(t);

    if (n != atomic_load(&s.asked))
        say(t, "%u groups, %u answers", atomic_load(&s.asked), n);
}

/* ---- ... of a process that ends ---- */

/* NOENT: it ended meanwhile. */
static enum uiommu_status bring(void *ctx, uint64_t iova, unsigned access)
{
    struct trial *t = s.t;
    enum uiommu_status status;

    (void)ctx, (void)access;
    if (atomic_load(&t->gone))
        say(t, "a process that has ended was asked for a page");
    status = uiommu_provider_map(s.provider, iova, page_of(t, 3), RIG_PAGE, RW);
    if (status != UIOMMU_NOENT)
        expect_ok(t, status, "provider_map");
    return status;
}

static void a_part_asks_a_process(struct trial *t)
{
    const struct uiommu_provider_config config = { .size = sizeof(config),
                                                   .on_fault = bring };

    lend_for_process(t, &config);
    sees(t, s.lent[0].ep, s.process);
    one_waits(t);
}

static void process_ends_while_asked(void *ctx)
{
    struct trial *t = ctx;

    process_ends(t);
    atomic_store(&t->gone, true);
    if (fetch(t, 0, s.stuck, t->base + AT + RIG_PAGE) != NOWHERE)
        say(t, "a part reads what a process brought that has ended");
}

static void process_answered(struct trial *t)
{
    each_is_answered(t);
    part_goes_on(t);
}

/* ---- ... of a parent that is pulled out ---- */

static enum uiommu_response hear(void *ctx,
                                 const struct uiommu_request_group *group)
{
    struct trial *t = s.t;
    struct uiommu_trace trace;

    (void)ctx, (void)group;
    if (atomic_load(&s.removed))
        say(t, "a handler heard of a device that is gone");
    (void)!uiommu_walk(s.asks, t->base, &trace); /* takes a while */
    if (atomic_load(&s.removed))
        say(t, "a device went while a handler was at work for it");
    return UIOMMU_RESPONSE_SUCCESS;
}

static void a_part_asks(struct trial *t)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .on_request = hear };

    lent_out(t);
    sees(t, rig_endpoint(t->rig, 0), uiommu_identity(t->rig->u));
    expect_ok(t, uiommu_domain_create(s.lent[0].ep, &config, &s.asks),
              "domain_create");
    page_in(t, s.asks, 1);
    sees(t, s.lent[0].ep, s.asks);
    one_waits(t);
}

static void who_asks_is_pulled_out(void *ctx)
{
    parent_is_pulled_out(ctx);
    atomic_store(&s.removed, true);
}

/* None that waited when it went, and no more than it asked for. */
static void asker_is_dead(struct trial *t)
{
    const unsigned n = heard_by_device(t);

    if (n > atomic_load(&s.asked))
        say(t, "%u groups, %u answers", atomic_load(&s.asked), n);
    part_is_dead(t);
    uiommu_domain_put(s.asks);
}

/* ---- all of them --------------------------------------------------------------- */

const struct program part_programs[] = {
    { "parts_come_and_go_beside_a_set",
      lent_out,
      { client_sees_and_leaves, another_comes_and_goes, unmap_of_part },
      one_is_ended,
      ON_PASIDS },
    { "reset_of_a_parent_beside_a_set",
      lent_out,
      { parent_is_reset, client_tries },
      part_is_whole,
      ON_PASIDS },
    { "reset_of_a_parent_beside_its_part",
      lent_and_seeing,
      { parent_is_reset, client_tries },
      part_is_whole,
      ON_PASIDS },
    { "removal_of_a_parent_beside_a_set",
      lent_out,
      { parent_is_pulled_out, client_tries },
      part_is_dead,
      ON_PASIDS },
    { "pin_beside_unmap",
      emulated,
      { pin, unmap_pinned },
      one_is_ended,
      ON_PASIDS },
    { "pin_beside_set",
      emulated,
      { pin, leave_pinned },
      one_is_ended,
      ON_PASIDS },
    { "heir_beside_a_set",
      at_rest,
      { heir_comes_and_goes, parent_sees_e },
      nobody_reaches,
      ON_PASIDS },
    { "heir_beside_its_driver",
      driven,
      { heir_comes_and_goes, driver_uses_it },
      driver_has_it_again,
      ON_PASIDS },
    { "move_of_a_part_beside_who_shares",
      two_of_three_share,
      { one_is_moved, another_maps, a_third_comes },
      numbers_are_shared,
      ON_PASIDS },
    { "move_beside_move_of_who_shares",
      two_of_three_share,
      { first_sees_e, second_sees_e },
      both_have_one,
      ON_PASIDS },
    { "stuck_part_beside_another",
      will_not_stop,
      { is_stopped_all_the_same, another_begins },
      waits_for_a_reset,
      ON_PASIDS },
    { "stuck_part_beside_its_set",
      will_not_stop,
      { is_stopped_all_the_same, is_set_meanwhile },
      waits_for_a_reset,
      ON_PASIDS },
    { "end_of_a_process_beside_a_set_of_a_part",
      a_part_sees_a_process,
      { process_ends, leaves_for_d },
      still_sees_d,
      ON_PASIDS },
    { "end_of_a_process_beside_who_comes",
      process_of_a_part,
      { process_ends, comes_to_it },
      part_goes_on,
      ON_PASIDS },
    { "end_of_a_process_beside_the_end_of_a_part",
      a_part_sees_a_process,
      { process_ends, part_ends },
      number_is_free,
      ON_PASIDS },
    { "end_of_a_process_beside_what_a_part_asks",
      a_part_asks_a_process,
      { process_ends_while_asked, device_asks, handlers },
      process_answered,
      ON_PASIDS },
    { "removal_of_a_parent_beside_what_it_asks",
      a_part_asks,
      { who_asks_is_pulled_out, device_asks, handlers },
      asker_is_dead,
      ON_PASIDS },
    { "parts_of_two_members_beside_a_set",
      lent_by_two,
      { client_sees_and_leaves, another_comes_and_goes, unmap_of_part },
      one_is_ended,
      ON_TWO },
    { "reset_of_a_physical_function_beside_a_set",
      lent_by_a_virtual_one,
      { parent_is_reset, client_tries },
      part_is_whole,
      ON_VIRTUAL },
    { 0 },
};
