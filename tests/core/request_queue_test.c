/* SPDX-License-Identifier: MIT */
/*
 * request_queue_test.c - page requests that somebody reads and answers: each group is read
 * once and whole, and has one owner (semantics B.17.8, D-13 to D-16).
 */
#include "tests/core/requests.h"

enum { MOST = 8 };

struct reader {
    struct uiommu_request_queue *q;
    struct uiommu_domain *d;
    struct uiommu_page_request r[MOST];
    struct uiommu_request_group group;
    unsigned told;
};

static void count_told(void *ctx)
{
    ((struct reader *)ctx)->told++;
}

static void open_reader_with(struct rig *rig, struct reader *r,
                             struct uiommu_request_queue_config config)
{
    struct uiommu_domain_config domain = { .size = sizeof(domain) };

    memset(r, 0, sizeof(*r));
    config.size = sizeof(config);
    config.notify = count_told;
    config.notify_ctx = r;
    rig_ok(uiommu_request_queue_create(rig->u, &config, &r->q));
    domain.request_queue = r->q;
    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &domain, &r->d));
}

static void open_reader(struct rig *rig, struct reader *r)
{
    open_reader_with(rig, r, (struct uiommu_request_queue_config){ 0 });
}

static void close_reader(struct reader *r)
{
    uiommu_request_queue_destroy(r->q);
    uiommu_domain_put(r->d);
}

static enum uiommu_status read_some(struct reader *r, unsigned most)
{
    return uiommu_request_queue_read(r->q, r->r, most, &r->group);
}

static void reads(struct reader *r, unsigned n)
{
    rig_ok(read_some(r, MOST));
    assert_int_equal(r->group.n, n);
    assert_ptr_equal(r->group.first, r->r);
    for (unsigned i = 0; i < n; i++)
        assert_ptr_equal(r->r[i].next, i + 1 < n ? &r->r[i + 1] : NULL);
}

static enum uiommu_status says(struct reader *r, enum uiommu_response response)
{
    return uiommu_request_queue_respond(r->q, r->group.cookie, response);
}

static void ask_group(struct rig *rig, uint16_t group, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ask(rig, 0, UIOMMU_NO_PASID, BASE + i * RIG_PAGE, group, i + 1 == n);
    collect(rig);
}

/* ---- reading and answering ------------------------------------------------------------ */

static void a_group_is_read_and_answered(struct rig *rig)
{
    struct reader r;

    open_reader(rig, &r);
    set(rig, 0, r.d);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 3, false);
    collect(rig);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    assert_int_equal(r.told, 0);
    ask(rig, 0, UIOMMU_NO_PASID, BASE + RIG_PAGE, 3, true);
    collect(rig);
    assert_int_equal(r.told, 1);
    reads(&r, 2);
    assert_ptr_equal(r.group.endpoint, rig_endpoint(rig, 0));
    assert_int_equal(r.r[0].iova, BASE);
    assert_int_equal(r.r[1].iova, BASE + RIG_PAGE);
    assert_int_equal(r.r[1].access, RW);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    assert_int_equal(answers(rig, 0), 0);
    rig_ok(says(&r, UIOMMU_RESPONSE_SUCCESS));
    is_answer(rig, 0, 0, 3, SIM_PAGE_SUCCESS);
    rig_is(says(&r, UIOMMU_RESPONSE_SUCCESS), UIOMMU_NOENT);
    ask_group(rig, 4, 1);
    reads(&r, 1);
    rig_ok(says(&r, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 1, 4, SIM_PAGE_INVALID);
    set(rig, 0, uiommu_blocked(rig->u));
    close_reader(&r);
}

/* Handlers are not asked for it. */
static void nobody_else_has_it(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct reader r, other;

    open_reader(rig, &r);
    open_reader(rig, &other);
    set(rig, 0, r.d);
    ep = rig_endpoint(rig, 0);
    ask_group(rig, 1, 1);
    uiommu_serve(rig->u);
    assert_int_equal(answers(rig, 0), 0);
    rig_is(read_some(&other, MOST), UIOMMU_NOENT);
    reads(&r, 1);
    rig_is(uiommu_page_respond(ep, r.group.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_request_queue_respond(other.q, r.group.cookie,
                                        UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_ok(says(&r, UIOMMU_RESPONSE_SUCCESS));
    set(rig, 0, uiommu_blocked(rig->u));
    close_reader(&r);
    close_reader(&other);
}

/* Who could say that the device is to ask no more could say so for others. */
static void users_say_yes_or_no(struct rig *rig)
{
    struct reader r;

    open_reader(rig, &r);
    set(rig, 0, r.d);
    ask_group(rig, 1, 1);
    rig_is(uiommu_request_queue_respond(r.q, 1, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT); /* it was not read */
    reads(&r, 1);
    rig_is(says(&r, UIOMMU_RESPONSE_FAILURE), UIOMMU_INVAL);
    rig_is(says(&r, UIOMMU_RESPONSE_LATER), UIOMMU_INVAL);
    rig_is(uiommu_request_queue_respond(r.q, r.group.cookie + 1,
                                        UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    rig_is(uiommu_request_queue_respond(r.q, 0, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    assert_int_equal(answers(rig, 0), 0);
    rig_ok(says(&r, UIOMMU_RESPONSE_INVALID));
    set(rig, 0, uiommu_blocked(rig->u));
    close_reader(&r);
}

/* D-14 */
static void groups_are_read_whole_or_not_at_all(struct rig *rig)
{
    struct reader r;

    open_reader(rig, &r);
    set(rig, 0, r.d);
    ask_group(rig, 1, 3);
    ask_group(rig, 2, 1);
    for (unsigned most = 0; most < 3; most++) {
        rig_is(read_some(&r, most), UIOMMU_OVERFLOW);
        assert_int_equal(r.group.n, 3);
        assert_int_equal(r.r[0].iova, 0);
    }
    rig_is(uiommu_request_queue_read(r.q, NULL, 1, &r.group), UIOMMU_INVAL);
    rig_is(uiommu_request_queue_read(r.q, r.r, 1, NULL), UIOMMU_INVAL);
    rig_is(uiommu_request_queue_read(NULL, r.r, 1, &r.group), UIOMMU_INVAL);
    reads(&r, 3);
    rig_ok(says(&r, UIOMMU_RESPONSE_INVALID));
    reads(&r, 1);
    rig_ok(says(&r, UIOMMU_RESPONSE_INVALID));
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    set(rig, 0, uiommu_blocked(rig->u));
    close_reader(&r);
}

/* ---- too much ---------------------------------------------------------------------------- */

static void full_queues_say_try_again(struct rig *rig)
{
    static const struct uiommu_request_queue_config of_queue = { .groups = 2 },
                                                    of_device = {
                                                        .groups_of_device = 2,
                                                    };

    for (unsigned i = 0; i < 2; i++) {
        const unsigned before = answers(rig, 0);
        struct reader r;

        open_reader_with(rig, &r, i == 0 ? of_queue : of_device);
        set(rig, 0, r.d);
        for (uint16_t group = 1; group <= 3; group++)
            ask_group(rig, group, 2);
        assert_int_equal(answers(rig, 0), before + 1);
        is_answer(rig, 0, before, 3, SIM_PAGE_SUCCESS);
        reads(&r, 2);
        rig_ok(says(&r, UIOMMU_RESPONSE_INVALID));
        ask_group(rig, 4, 1);
        reads(&r, 2);
        reads(&r, 1);
        rig_is(read_some(&r, MOST), UIOMMU_NOENT);
        set(rig, 0, uiommu_blocked(rig->u));
        assert_int_equal(answers(rig, 0), before + 4);
        close_reader(&r);
    }
}

/* Of those who never read, and of those who read and never answer. */
static void time_limits_are_of_the_whole_way(struct rig *rig)
{
    struct reader r;

    open_reader(rig, &r);
    set(rig, 0, r.d);
    ask_group(rig, 1, 1);
    ask_group(rig, 2, 1);
    sim_advance(rig->m, rig->setup.request_limit_ns / 2);
    reads(&r, 1);
    collect(rig);
    assert_int_equal(answers(rig, 0), 0);
    sim_advance(rig->m, rig->setup.request_limit_ns / 2);
    collect(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_INVALID);
    is_answer(rig, 0, 1, 2, SIM_PAGE_INVALID);
    rig_is(says(&r, UIOMMU_RESPONSE_SUCCESS), UIOMMU_NOENT);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    set(rig, 0, uiommu_blocked(rig->u));
    close_reader(&r);
}

/* ---- endpoints that move, queues that go ------------------------------------------------------ */

/* Group 1 is read, group 2 is not, group 3 is with the unit. */
static void three_groups(struct rig *rig, struct reader *r)
{
    set(rig, 0, r->d);
    ask_group(rig, 1, 1);
    ask_group(rig, 2, 2);
    reads(r, 1);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 3, true);
}

static void all_three_are(struct rig *rig, unsigned first, uint32_t code)
{
    unsigned seen = 0;

    assert_int_equal(answers(rig, 0), first + 3);
    for (unsigned i = first; i < first + 3; i++) {
        const struct sim_page_response a = answer(rig, 0, i);

        assert_true(a.expected);
        assert_int_equal(a.code, code);
        seen |= 1u << a.group;
    }
    assert_int_equal(seen, 0xe);
}

/* D-15 */
static void who_moves_takes_nothing_along(struct rig *rig)
{
    struct reader r, next;
    struct pager p;

    open_reader(rig, &r);
    open_reader(rig, &next);
    open_pager(rig, &p, 0);
    three_groups(rig, &r);
    set(rig, 0, next.d);
    all_three_are(rig, 0, SIM_PAGE_SUCCESS);
    rig_is(says(&r, UIOMMU_RESPONSE_SUCCESS), UIOMMU_NOENT);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    rig_is(read_some(&next, MOST), UIOMMU_NOENT);
    three_groups(rig, &next);
    set(rig, 0, p.d);
    all_three_are(rig, 3, SIM_PAGE_SUCCESS);
    three_groups(rig, &r);
    set(rig, 0, uiommu_blocked(rig->u));
    all_three_are(rig, 6, SIM_PAGE_INVALID);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 0);
    uiommu_domain_put(p.d);
    close_reader(&r);
    close_reader(&next);
}

/* What comes after it is gone is refused: somebody still sees its domain. */
static void a_queue_that_goes_refuses(struct rig *rig)
{
    struct reader r;

    open_reader(rig, &r);
    three_groups(rig, &r);
    uiommu_request_queue_destroy(r.q);
    (void)answers(rig, 0);
    collect(rig);
    all_three_are(rig, 0, SIM_PAGE_INVALID);
    ask_group(rig, 4, 2);
    is_answer(rig, 0, 3, 4, SIM_PAGE_INVALID);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(r.d);
}

/* ---- while an endpoint moves ------------------------------------------------------------------ */

/* Groups come at one of the locks of a call that nobody else holds any. */
static struct visit {
    struct rig *rig;
    unsigned at, now, held, sent, groups;
    bool inside;
    void (*lock)(void *ctx, void *lock);
    void (*unlock)(void *ctx, void *lock);
} visit;

static void ask_here(void)
{
    for (uint16_t group = 0; group < visit.groups; group++) {
        const struct sim_page_request r = request_of(
            visit.rig, 0, UIOMMU_NO_PASID, BASE, (uint16_t)(group + 9), true);

        visit.sent += sim_page_request(visit.rig->m, &r) == SIM_NOT_STOPPED;
    }
    collect(visit.rig);
}

static void lock_of_visit(void *ctx, void *lock)
{
    if (!visit.inside && visit.held == 0 && visit.now++ == visit.at) {
        visit.inside = true;
        ask_here();
        visit.inside = false;
    }
    visit.lock(ctx, lock);
    visit.held++;
}

static void unlock_of_visit(void *ctx, void *lock)
{
    visit.held--;
    visit.unlock(ctx, lock);
}

/* Returns how many locks there were. */
static unsigned set_while_asked(struct rig *rig, struct uiommu_domain *d,
                                unsigned at, unsigned groups)
{
    struct uiommu_host *h = &rig->u->host;

    visit = (struct visit){ .rig = rig,
                            .at = at,
                            .groups = groups,
                            .lock = h->spin_lock,
                            .unlock = h->spin_unlock };
    h->spin_lock = lock_of_visit;
    h->spin_unlock = unlock_of_visit;
    set(rig, 0, d);
    h->spin_lock = visit.lock;
    h->spin_unlock = visit.unlock;
    rig_expect_stale(rig, sim_stale_count(rig->m));
    return visit.now;
}

/* Its memory may be somebody else's by then (D-16). */
static void a_queue_that_is_gone_is_told_of_nothing(struct rig *rig)
{
    unsigned before = 0, sent = 0;
    struct reader r;

    open_reader(rig, &r);
    uiommu_request_queue_destroy(r.q);
    for (unsigned at = 0;; at++) {
        const unsigned locks = set_while_asked(rig, r.d, at, 1);

        collect(rig);
        assert_int_equal(r.told, 0);
        assert_int_equal(answers(rig, 0), before + visit.sent);
        before += visit.sent;
        sent += visit.sent;
        set(rig, 0, uiommu_blocked(rig->u));
        if (at >= locks)
            break;
    }
    assert_true(sent > 0);
    uiommu_domain_put(r.d);
}

/* Also of what comes while its endpoint moves. */
static void limits_hold_while_an_endpoint_moves(struct rig *rig)
{
    static const struct uiommu_request_queue_config one = { .groups = 1 };
    unsigned most = 0;
    struct reader r;

    open_reader_with(rig, &r, one);
    for (unsigned at = 0;; at++) {
        const unsigned locks = set_while_asked(rig, r.d, at, 3);
        unsigned told;

        collect(rig);
        told = r.told;
        r.told = 0;
        assert_true(told <= 1);
        most += visit.sent;
        set(rig, 0, uiommu_blocked(rig->u));
        assert_int_equal(answers(rig, 0), most);
        if (at >= locks)
            break;
    }
    assert_true(most > 0);
    close_reader(&r);
}

/* And one that nobody uses. */
static void queues_come_and_go(struct rig *rig)
{
    struct uiommu_request_queue_config config = { .size = 3 };
    struct uiommu_request_queue *q = NULL;
    struct uiommu_domain_config domain = { .size = sizeof(domain),
                                           .on_request = pager_serve };
    struct uiommu_domain *d;

    rig_is(uiommu_request_queue_create(rig->u, &config, &q), UIOMMU_INVAL);
    rig_is(uiommu_request_queue_create(NULL, NULL, &q), UIOMMU_INVAL);
    rig_ok(uiommu_request_queue_create(rig->u, NULL, &q));
    domain.request_queue = q;
    rig_is(uiommu_domain_create(rig_endpoint(rig, 0), &domain, &d),
           UIOMMU_INVAL);
    uiommu_request_queue_destroy(q);
    uiommu_request_queue_destroy(NULL);
}

/* Whoever reads it looks among what its own instance has. */
static void queues_are_of_one_instance(struct rig *rig)
{
    struct rig other = { .config = rig->config, .setup = rig->setup };
    struct uiommu_domain_config config = { .size = sizeof(config) };
    struct uiommu_domain *d = NULL;
    char error[128];

    other.m = sim_open(&other.config, error, sizeof(error));
    assert_non_null(other.m);
    rig_ok(rig_create(&other));
    rig_ok(uiommu_request_queue_create(other.u, NULL, &config.request_queue));
    rig_is(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d),
           UIOMMU_INVAL);
    assert_null(d);
    uiommu_request_queue_destroy(config.request_queue);
    rig_down(&other);
    assert_int_equal(sim_close(other.m), 0);
    rig_ok(uiommu_request_queue_create(rig->u, NULL, &config.request_queue));
    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d));
    uiommu_domain_put(d);
    uiommu_request_queue_destroy(config.request_queue);
}

static void a_device_that_goes_was_answered(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct reader r;

    open_reader(rig, &r);
    three_groups(rig, &r);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    all_three_are(rig, 0, SIM_PAGE_INVALID);
    rig_is(says(&r, UIOMMU_RESPONSE_SUCCESS), UIOMMU_NOENT);
    rig_is(read_some(&r, MOST), UIOMMU_NOENT);
    close_reader(&r);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_group_is_read_and_answered, with_requests),
    RIG_TEST_ON(nobody_else_has_it, with_requests),
    RIG_TEST_ON(users_say_yes_or_no, with_requests),
    RIG_TEST_ON(groups_are_read_whole_or_not_at_all, with_requests),
    RIG_TEST_ON(full_queues_say_try_again, with_requests),
    RIG_TEST_ON(time_limits_are_of_the_whole_way, with_requests),
    RIG_TEST_ON(who_moves_takes_nothing_along, with_requests),
    RIG_TEST_ON(a_queue_that_goes_refuses, with_requests),
    RIG_TEST_ON(a_queue_that_is_gone_is_told_of_nothing, with_requests),
    RIG_TEST_ON(limits_hold_while_an_endpoint_moves, with_requests),
    RIG_TEST_ON(queues_come_and_go, with_requests),
    RIG_TEST_ON(queues_are_of_one_instance, with_requests),
    RIG_TEST_ON(a_device_that_goes_was_answered, with_requests),
    { 0 },
};

int main(void)
{
    return rig_run("queues of page requests", tests);
}
