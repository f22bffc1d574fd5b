/* SPDX-License-Identifier: MIT */
/*
 * mdev_store_test.c - store by store, as store_pasid_test.c, of devices that are lent in
 * parts (semantics C.9): what one part gains or loses, its parent, the other parts and other
 * devices do not notice for a moment.
 */
#include "tests/core/lookout.h"
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"

#include <uiommu/sva.h>

#define AT (BASE + GIB(1)) /* where mediators do not look */

enum { A, B, PAGES };
enum { STILL = 1, MOVING, NEXT, NEVER = 9 }; /* numbers */

/* Engine 0 has an id with a page of its own, and a part that stays; engine 1 sees b. */
struct scene {
    struct rig *rig;
    struct uiommu_domain *d[PAGES];
    uint64_t page[PAGES], own, iova;
    struct part still, part;
    struct pager pager; /* who sees its domain asks for what is not at AT     */
    bool driven;   /* the id is its driver's, else it sees a                 */
};

static struct uiommu_endpoint *id_of(const struct scene *s)
{
    return rig_endpoint(s->rig, 0);
}

static void drive(struct scene *s)
{
    s->own = rig_pages(s->rig, 0);
    rig_ok(uiommu_dma_start(id_of(s), NULL));
    rig_ok(uiommu_dma_map(id_of(s), s->own, RIG_PAGE, RIG_RW, &s->iova));
    rig_poke(s->rig, s->own, s->own);
}

static void scene_open(struct rig *rig, struct scene *s, bool driven)
{
    *s = (struct scene){ .rig = rig, .driven = driven, .iova = AT };
    for (unsigned i = 0; i < PAGES; i++) {
        s->page[i] = rig_pages(rig, 0);
        s->d[i] = mapped(rig, AT, s->page[i]);
    }
    s->own = s->page[A];
    if (driven)
        drive(s);
    else
        set(rig, 0, s->d[A]);
    set(rig, 1, s->d[B]);
    lend(rig, 0, &s->still);
    see(s->still.ep, s->d[B]);
    assert_int_equal(s->still.pasid, STILL);
}

static void scene_close(struct scene *s)
{
    take_home(&s->still);
    if (s->driven) {
        rig_ok(uiommu_dma_unmap(id_of(s), s->iova, RIG_PAGE));
        rig_ok(uiommu_dma_stop(id_of(s)));
    } else
        set(s->rig, 0, uiommu_blocked(s->rig->u));
    set(s->rig, 1, uiommu_blocked(s->rig->u));
    for (unsigned i = 0; i < PAGES; i++)
        uiommu_domain_put(s->d[i]);
}

/* What whoever has nothing to do with it sees. */
static void watch_others(struct lookout *l, const struct scene *s)
{
    watch_pasid(l, s->rig, 0, NEVER, AT, NOWHERE, NOWHERE);
    watch_dma(l, s->rig, 1, AT, s->page[B], s->page[B]);
}

static void watch_parent(struct lookout *l, const struct scene *s)
{
    watch_dma(l, s->rig, 0, s->iova, s->own, s->own);
    watch_pasid(l, s->rig, 0, STILL, AT, s->page[B], s->page[B]);
}

static void watch_number(struct lookout *l, const struct scene *s,
                         uint32_t number, uint64_t old, uint64_t new)
{
    watch_pasid(l, s->rig, 0, number, AT, old, new);
}

/* What one number gains or loses by `step`, and nobody else. */
#define ONE(s, number, old, new, step)                                         \
    do {                                                                       \
        struct lookout l_ = { .n = 0 };                                        \
                                                                               \
        watch_number(&l_, s, number, old, new);                                \
        watch_parent(&l_, s);                                                  \
        watch_others(&l_, s);                                                  \
        begin((s)->rig, &l_);                                                  \
        step;                                                                  \
        end((s)->rig, &l_);                                                    \
    } while (0)

/* ---- clients ---------------------------------------------------------------------- */

static void c_sc1_nobody_notices_what_a_client_does(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s, false);
    ONE(&s, MOVING, NOWHERE, NOWHERE, lend(rig, 0, &s.part));
    ONE(&s, MOVING, NOWHERE, s.page[A], see(s.part.ep, s.d[A]));
    ONE(&s, MOVING, s.page[A], s.page[B], see(s.part.ep, s.d[B]));
    ONE(&s, MOVING, s.page[B], NOWHERE, see(s.part.ep, uiommu_blocked(rig->u)));
    ONE(&s, MOVING, NOWHERE, s.page[B], see(s.part.ep, s.d[B]));
    ONE(&s, MOVING, s.page[B], NOWHERE, take_home(&s.part));
    scene_close(&s);
}

/* It goes on sending while it is ended. */
static void c_sc2_nobody_notices_that_a_client_crashes(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s, true);
    lend(rig, 0, &s.part);
    see(s.part.ep, s.d[A]);
    ONE(&s, MOVING, s.page[A], NOWHERE, take_home(&s.part));
    lend(rig, 0, &s.part);
    ONE(&s, MOVING, NOWHERE, s.page[B], see(s.part.ep, s.d[B]));
    take_home(&s.part);
    scene_close(&s);
}

/* A part in the middle of its work: page A is there, and three groups wait, in the unit, in
 * the core and with the handler, and the half of one. */
static void lend_to_who_asks(struct scene *s)
{
    open_pager(s->rig, &s->pager, 0);
    map_page(s->pager.d, AT, s->page[A]);
    lend(s->rig, 0, &s->part);
    see(s->part.ep, s->pager.d);
    assert_int_equal(s->part.pasid, MOVING);
    open_groups(s->rig, &s->pager, MOVING);
    assert_int_equal(s->pager.groups, 1);
}

/* Whoever has the number now is asked, once, for what it asks for. */
static void ask_anew(struct scene *s, unsigned answered)
{
    struct pager *p = &s->pager;
    const unsigned groups = p->groups;

    lend(s->rig, 0, &s->part);
    p->response = UIOMMU_RESPONSE_SUCCESS;
    see(s->part.ep, p->d);
    ask(s->rig, 0, s->part.pasid, BASE, 9, true);
    collect_and_serve(s->rig);
    assert_int_equal(p->groups, groups + 1);
    is_answer(s->rig, 0, answered, 9, SIM_PAGE_SUCCESS);
    assert_int_equal(answers(s->rig, 0), answered + 1);
    take_home(&s->part);
    uiommu_domain_put(p->d);
}

/* All that it asked for is answered by then, no handler hears of it later, and another part
 * goes on waiting. It ends what it had begun to ask for when it is nobody's. */
static void c_sc2_nobody_notices_that_who_asks_crashes(struct rig *rig)
{
    struct pager other;
    struct scene s;

    scene_open(rig, &s, true);
    open_pager(rig, &other, 0);
    map_page(other.d, AT, s.page[B]);
    see(s.still.ep, other.d);
    lend_to_who_asks(&s);
    ask(rig, 0, STILL, BASE, 8, true);
    assert_int_equal(answers(rig, 0), 0);
    ONE(&s, MOVING, s.page[A], NOWHERE, take_home(&s.part));
    are_answered(rig, SIM_PAGE_INVALID);
    ask(rig, 0, MOVING, BASE, 3, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 3, 3, SIM_PAGE_INVALID);
    is_answer(rig, 0, 4, 8, SIM_PAGE_SUCCESS);
    assert_int_equal(s.pager.groups, 1);
    assert_int_equal(other.groups, 1);
    ask_anew(&s, 5);
    see(s.still.ep, s.d[B]);
    uiommu_domain_put(other.d);
    scene_close(&s);
}

static void c_sc4_nobody_notices_a_process_and_its_end(struct rig *rig)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_PROVIDER_RESIDENT,
    };
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_provider *p = NULL;
    struct uiommu_domain *process = NULL;
    struct scene s;

    scene_open(rig, &s, false);
    lend(rig, 0, &s.part);
    rig_ok(uiommu_provider_create(rig->u, &config, &p));
    rig_ok(uiommu_sva_domain(s.part.ep, p, &process));
    ONE(&s, MOVING, NOWHERE, NOWHERE, see(s.part.ep, process));
    ONE(&s, MOVING, NOWHERE, page,
        rig_ok(uiommu_provider_map(p, AT, page, RIG_PAGE, RIG_RW)));
    ONE(&s, MOVING, page, NOWHERE, rig_ok(uiommu_provider_exit(p)));
    ONE(&s, MOVING, NOWHERE, s.page[A], see(s.part.ep, s.d[A]));
    take_home(&s.part);
    uiommu_domain_put(process);
    uiommu_provider_put(p);
    scene_close(&s);
}

/* Its pages are brought when they are asked for. */
struct process {
    struct uiommu_provider *provider;
    uint64_t page;
    unsigned asked;
};

static enum uiommu_status bring(void *ctx, uint64_t iova, unsigned access)
{
    struct process *p = ctx;

    (void)access;
    p->asked++;
    return uiommu_provider_map(p->provider, iova, p->page, RIG_PAGE, RW);
}

static void start_process(struct rig *rig, struct process *p)
{
    const struct uiommu_provider_config config = { .size = sizeof(config),
                                                   .on_fault = bring,
                                                   .ctx = p };

    *p = (struct process){ .page = rig_pages(rig, 0) };
    rig_ok(uiommu_provider_create(rig->u, &config, &p->provider));
}

/* What waits when the process ends is answered once, and so is what is asked for later;
 * nobody asks the process. */
static void
c_sc4_nobody_notices_a_process_that_ends_while_asked(struct rig *rig)
{
    struct uiommu_domain *domain = NULL;
    struct process p;
    struct scene s;

    scene_open(rig, &s, false);
    lend(rig, 0, &s.part);
    start_process(rig, &p);
    rig_ok(uiommu_sva_domain(s.part.ep, p.provider, &domain));
    see(s.part.ep, domain);
    ask(rig, 0, MOVING, AT, 9, true);
    ONE(&s, MOVING, NOWHERE, p.page, collect_and_serve(rig));
    is_answer(rig, 0, 0, 9, SIM_PAGE_SUCCESS);
    ask(rig, 0, MOVING, BASE, 1, true);
    ask(rig, 0, MOVING, BASE, 2, false);
    collect(rig);
    ask(rig, 0, MOVING, BASE, 3, true);
    ONE(&s, MOVING, p.page, NOWHERE, rig_ok(uiommu_provider_exit(p.provider)));
    is_answer(rig, 0, 1, 1, SIM_PAGE_INVALID);
    collect_and_serve(rig);
    is_answer(rig, 0, 2, 3, SIM_PAGE_INVALID);
    ask(rig, 0, MOVING, BASE, 4, true);
    ONE(&s, MOVING, NOWHERE, s.page[A], see(s.part.ep, s.d[A]));
    is_answer(rig, 0, 3, 4, SIM_PAGE_INVALID);
    assert_int_equal(answers(rig, 0), 4);
    assert_int_equal(p.asked, 1);
    take_home(&s.part);
    uiommu_domain_put(domain);
    uiommu_provider_put(p.provider);
    scene_close(&s);
}

/* The second has it first, and moves on alone. */
static void c_sc9_who_shares_notices_no_move(struct rig *rig)
{
    struct part other;
    struct scene s;

    scene_open(rig, &s, false);
    lend_as(rig, 0, &s.part, UIOMMU_MDEV_SHARE);
    lend_as(rig, 0, &other, UIOMMU_MDEV_SHARE);
    ONE(&s, MOVING, NOWHERE, s.page[A], see(other.ep, s.d[A]));
    ONE(&s, MOVING, s.page[A], s.page[A], see(s.part.ep, s.d[A]));
    assert_int_equal(s.part.pasid, other.pasid);
    for (unsigned i = 0; i < 2; i++) {
        struct lookout l = { .n = 0 };

        watch_number(&l, &s, MOVING, s.page[A], s.page[A]);
        watch_number(&l, &s, NEXT, i == 0 ? NOWHERE : s.page[B],
                     i == 0 ? s.page[B] : NOWHERE);
        watch_parent(&l, &s);
        watch_others(&l, &s);
        begin(rig, &l);
        see(other.ep, s.d[i == 0 ? B : A]);
        end(rig, &l);
    }
    ONE(&s, MOVING, s.page[A], s.page[A], take_home(&other));
    ONE(&s, MOVING, s.page[A], NOWHERE, take_home(&s.part));
    scene_close(&s);
}

/* Whatever it goes on sending. */
static void c_sc11_a_part_that_does_not_stop_is_cut(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s, false);
    lend(rig, 0, &s.part);
    see(s.part.ep, s.d[A]);
    s.part.stuck = true;
    ONE(&s, MOVING, s.page[A], NOWHERE, see(s.part.ep, uiommu_blocked(rig->u)));
    s.part.stuck = false;
    ONE(&s, MOVING, NOWHERE, NOWHERE, see(s.part.ep, s.d[B]));
    assert_int_equal(s.part.pasid, NEXT);
    ONE(&s, NEXT, s.page[B], s.page[A], see(s.part.ep, s.d[A]));
    ONE(&s, MOVING, NOWHERE, NOWHERE, take_home(&s.part));
    scene_close(&s);
}

/* ---- an heir ---------------------------------------------------------------------- */

static void bequeath(struct scene *s)
{
    static const struct uiommu_mediator mediator = { .parent_reset =
                                                         part_reset };
    struct uiommu_mdev_config config = part_config(&s->part, s->rig, 0);

    config.kind = UIOMMU_MDEV_RID_INHERIT;
    config.mediator = &mediator;
    rig_ok(uiommu_mdev_register(parent(s->rig, 0), &config, &s->part.ep));
}

/* From what its driver has to what the heir sees, and back. */
#define HEIR(s, driver_s, driver_s_then, old, new, step)                       \
    do {                                                                       \
        struct lookout l_ = { .n = 0 };                                        \
                                                                               \
        watch_dma(&l_, (s)->rig, 0, (s)->iova, driver_s, driver_s_then);       \
        watch_dma(&l_, (s)->rig, 0, AT, old, new);                             \
        watch_number(&l_, s, STILL, (s)->page[B], (s)->page[B]);               \
        watch_others(&l_, s);                                                  \
        begin((s)->rig, &l_);                                                  \
        step;                                                                  \
        end((s)->rig, &l_);                                                    \
    } while (0)

static void c_sc5_an_heir_and_its_driver_never_mix(struct rig *rig)
{
    struct scene s;

    scene_open(rig, &s, true);
    HEIR(&s, s.own, NOWHERE, NOWHERE, NOWHERE, bequeath(&s));
    HEIR(&s, NOWHERE, NOWHERE, NOWHERE, s.page[A], see(s.part.ep, s.d[A]));
    HEIR(&s, NOWHERE, NOWHERE, s.page[A], s.page[B], see(s.part.ep, s.d[B]));
    HEIR(&s, NOWHERE, s.own, s.page[B], NOWHERE,
         rig_ok(uiommu_mdev_unregister(s.part.ep)));
    scene_close(&s);
}

/* ---- in software -------------------------------------------------------------------- */

static void unmapped(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                     uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

/* It sees what hardware sees, too, and takes nothing from it. */
static void c_sc6_hardware_notices_nothing_of_software(struct rig *rig)
{
    static const struct uiommu_mediator mediator = { .unmapped = unmapped };
    struct uiommu_mdev_config config;
    struct uiommu_pin pin;
    struct scene s;

    scene_open(rig, &s, false);
    config = part_config(&s.part, rig, 0);
    config.kind = UIOMMU_MDEV_EMULATED;
    config.mediator = &mediator;
    ONE(&s, MOVING, NOWHERE, NOWHERE,
        rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &s.part.ep)));
    ONE(&s, MOVING, NOWHERE, NOWHERE, see(s.part.ep, s.d[A]));
    ONE(&s, MOVING, NOWHERE, NOWHERE, see(s.part.ep, s.d[B]));
    ONE(&s, MOVING, NOWHERE, NOWHERE,
        rig_ok(uiommu_access_pin(s.part.ep, AT, RIG_PAGE, UIOMMU_READ, &pin,
                                 NULL, NULL)));
    ONE(&s, MOVING, NOWHERE, NOWHERE,
        rig_ok(uiommu_access_unpin(s.part.ep, &pin)));
    ONE(&s, MOVING, NOWHERE, NOWHERE, take_home(&s.part));
    scene_close(&s);
}

/* ---- the parent goes, or is reset ------------------------------------------------------ */

/* All that the parent sends changes, nothing else. */
#define WHOLE(s, has, had_then, step)                                          \
    do {                                                                       \
        struct lookout l_ = { .n = 0 };                                        \
        const bool has_ = has, then_ = had_then;                               \
                                                                               \
        watch_for(&l_, 0, AT, has_ ? (s)->page[A] : NOWHERE,                   \
                  then_ ? (s)->page[A] : NOWHERE);                             \
        for (unsigned i_ = STILL; i_ <= MOVING; i_++) {                        \
            const uint64_t page_ = (s)->page[i_ == STILL ? B : A];             \
                                                                               \
            watch_for(&l_, 0, AT, has_ ? page_ : NOWHERE,                      \
                      then_ ? page_ : NOWHERE);                                \
            l_.place[l_.n - 1].pasid = i_;                                     \
        }                                                                      \
        watch_dma(&l_, (s)->rig, 1, AT, (s)->page[B], (s)->page[B]);           \
        begin((s)->rig, &l_);                                                  \
        step;                                                                  \
        end((s)->rig, &l_);                                                    \
    } while (0)

static void c_sc7_others_do_not_notice_that_a_parent_goes(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct scene s;

    scene_open(rig, &s, false);
    lend(rig, 0, &s.part);
    see(s.part.ep, s.d[A]);
    sim_unplug(rig->m, dev);
    WHOLE(&s, true, false, rig_ok(uiommu_device_remove(rig->device[dev])));
    take_home(&s.part);
    take_home(&s.still);
    assert_true(sim_plug(rig->m, dev));
    WHOLE(&s, false, false, rig_ok(rig_add(rig, dev)));
    set(rig, 1, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < PAGES; i++)
        uiommu_domain_put(s.d[i]);
}

/* It is not there to be answered, nobody answers for it, and no handler hears of it later. */
static void nobody_waits_for(struct scene *s)
{
    struct pager *p = &s->pager;

    collect_and_serve(s->rig);
    assert_int_equal(p->groups, 1);
    rig_is(uiommu_page_respond(s->part.ep, p->cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_set_domain(s->part.ep, p->d, NULL), UIOMMU_NODEV);
    assert_int_equal(answers(s->rig, 0), 0);
}

static void c_sc7_others_do_not_notice_that_who_asks_goes(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct scene s;

    scene_open(rig, &s, false);
    lend_to_who_asks(&s);
    sim_unplug(rig->m, dev);
    WHOLE(&s, true, false, rig_ok(uiommu_device_remove(rig->device[dev])));
    nobody_waits_for(&s);
    take_home(&s.part);
    take_home(&s.still);
    assert_true(sim_plug(rig->m, dev));
    WHOLE(&s, false, false, rig_ok(rig_add(rig, dev)));
    set(rig, 0, s.d[A]);
    ask_anew(&s, answers(rig, 0));
    set(rig, 0, uiommu_blocked(rig->u));
    set(rig, 1, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < PAGES; i++)
        uiommu_domain_put(s.d[i]);
}

static void c_sc8_others_do_not_notice_that_a_parent_is_reset(struct rig *rig)
{
    struct uiommu_device *device = parent(rig, 0);
    struct scene s;

    scene_open(rig, &s, false);
    lend(rig, 0, &s.part);
    see(s.part.ep, s.d[A]);
    WHOLE(&s, true, false, rig_ok(uiommu_device_reset_begin(device)));
    WHOLE(&s, false, true, rig_ok(uiommu_device_reset_end(device, true)));
    WHOLE(&s, true, false, rig_ok(uiommu_device_reset_begin(device)));
    WHOLE(&s, false, false, rig_ok(uiommu_device_reset_end(device, false)));
    take_home(&s.part);
    scene_close(&s);
}

#define ROWS(fn)                                                               \
    RIG_TEST_ON(fn, with_pasids), RIG_TEST_ON(fn, with_pasids_and_ats)

int main(void)
{
    static const struct rig_test tests[] = {
        ROWS(c_sc1_nobody_notices_what_a_client_does),
        ROWS(c_sc2_nobody_notices_that_a_client_crashes),
        RIG_TEST_ON(c_sc2_nobody_notices_that_who_asks_crashes,
                    with_pasid_requests),
        ROWS(c_sc4_nobody_notices_a_process_and_its_end),
        RIG_TEST_ON(c_sc4_nobody_notices_a_process_that_ends_while_asked,
                    with_pasid_requests),
        ROWS(c_sc5_an_heir_and_its_driver_never_mix),
        ROWS(c_sc6_hardware_notices_nothing_of_software),
        ROWS(c_sc7_others_do_not_notice_that_a_parent_goes),
        RIG_TEST_ON(c_sc7_others_do_not_notice_that_who_asks_goes,
                    with_pasid_requests),
        ROWS(c_sc8_others_do_not_notice_that_a_parent_is_reset),
        ROWS(c_sc9_who_shares_notices_no_move),
        ROWS(c_sc11_a_part_that_does_not_stop_is_cut),
        { .name = NULL },
    };

    return rig_run("mdev_store", tests);
}
