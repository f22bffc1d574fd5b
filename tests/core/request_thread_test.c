/* SPDX-License-Identifier: MIT */
/*
 * request_thread_test.c - a device asks, several threads serve, one answers later, and what
 * the device sees changes all the time: every group has one answer, and whoever gave a
 * domain up hears nothing of it any more (semantics B.17, D-07, D-13). Threads count what
 * went wrong and never assert.
 */
#include "tests/core/requests.h"

#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 20, SERVERS = 2, LATE = 16 };

/* A domain that comes and goes. */
struct late {
    struct uiommu_domain *d;
    struct rig *rig;
    _Atomic bool open;
    _Atomic unsigned groups, after, refused;
    pthread_mutex_t lock;
    uint64_t cookie[LATE];
    unsigned n;
};

struct scene {
    struct rig *rig;
    struct late domain[2];
    _Atomic bool done;
    _Atomic unsigned sent;
};

/* Every other one is for later. */
static enum uiommu_response serve(void *ctx,
                                  const struct uiommu_request_group *group)
{
    struct late *l = ctx;
    bool later = false;

    if (!atomic_load(&l->open))
        atomic_fetch_add(&l->after, 1);
    if (atomic_fetch_add(&l->groups, 1) % 2 == 0)
        return UIOMMU_RESPONSE_SUCCESS;
    pthread_mutex_lock(&l->lock);
    if (l->n < LATE) {
        l->cookie[l->n++] = group->cookie;
        later = true;
    }
    pthread_mutex_unlock(&l->lock);
    return later ? UIOMMU_RESPONSE_LATER : UIOMMU_RESPONSE_INVALID;
}

/* Some of them are answered already, as the endpoint has moved. */
static void answer_late(struct late *l)
{
    uint64_t cookie[LATE];
    unsigned n;

    pthread_mutex_lock(&l->lock);
    n = l->n;
    memcpy(cookie, l->cookie, sizeof(cookie));
    l->n = 0;
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < n; i++) {
        enum uiommu_status status = uiommu_page_respond(
            rig_endpoint(l->rig, 0), cookie[i], UIOMMU_RESPONSE_SUCCESS);

        l->refused += status != UIOMMU_OK && status != UIOMMU_NOENT;
    }
}

static void *server(void *ctx)
{
    struct scene *s = ctx;

    while (!atomic_load(&s->done)) {
        (void)uiommu_poll(s->rig->u);
        uiommu_serve(s->rig->u);
        for (unsigned i = 0; i < 2; i++)
            answer_late(&s->domain[i]);
    }
    return NULL;
}

static void *device(void *ctx)
{
    struct scene *s = ctx;
    uint16_t group = 0;

    while (!atomic_load(&s->done)) {
        const struct sim_page_request r =
            request_of(s->rig, 0, UIOMMU_NO_PASID, BASE, group, true);

        if (sim_page_request(s->rig->m, &r) == SIM_NOT_STOPPED)
            atomic_fetch_add(&s->sent, 1);
        group = (uint16_t)((group + 1) % 16);
        (void)machine_run(s->rig->m);
    }
    return NULL;
}

static void open_domain(struct rig *rig, struct late *l)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = serve,
        .request_ctx = l,
    };

    memset(l, 0, sizeof(*l));
    l->rig = rig;
    pthread_mutex_init(&l->lock, NULL);
    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &l->d));
}

static bool moves(struct rig *rig, struct uiommu_domain *d)
{
    enum uiommu_status status =
        uiommu_set_domain(rig_endpoint(rig, 0), d, NULL);

    /* Its last answers may still be on their way. */
    assert_true(status == UIOMMU_OK || status == UIOMMU_BUSY);
    return status == UIOMMU_OK;
}

/* Some come by each of the domains. */
static void wait_for_some(const struct scene *s)
{
    const unsigned until = s->sent + 8;

    while (s->sent < until)
        sched_yield();
}

static void move_about(struct scene *s)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct late *l = &s->domain[round % 2];
        struct late *before = &s->domain[(round + 1) % 2];

        atomic_store(&l->open, true);
        while (!moves(s->rig, l->d))
            (void)machine_run(s->rig->m);
        atomic_store(&before->open, false);
        wait_for_some(s);
        if (round % 3 != 0)
            continue;
        while (!moves(s->rig, uiommu_blocked(s->rig->u)))
            ;
        atomic_store(&l->open, false);
    }
    while (!moves(s->rig, uiommu_blocked(s->rig->u)))
        ;
}

static unsigned answered(struct rig *rig)
{
    unsigned n = 0;

    for (unsigned i = 0; i < answers(rig, 0); i++)
        n += answer(rig, 0, i).expected;
    return n;
}

static void a_device_asks_while_it_moves(struct rig *rig)
{
    struct scene s = { .rig = rig };
    pthread_t id[SERVERS + 1];

    for (unsigned i = 0; i < 2; i++)
        open_domain(rig, &s.domain[i]);
    for (unsigned i = 0; i < SERVERS; i++)
        assert_int_equal(pthread_create(&id[i], NULL, server, &s), 0);
    assert_int_equal(pthread_create(&id[SERVERS], NULL, device, &s), 0);
    move_about(&s);
    atomic_store(&s.done, true);
    for (unsigned i = 0; i <= SERVERS; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    collect_and_serve(rig);
    rig_expect_stale(rig, sim_stale_count(rig->m)); /* between two stores */
    assert_int_equal(answered(rig), answers(rig, 0));
    assert_int_equal(answered(rig), s.sent);
    assert_int_equal(sim_page_groups(rig->m, rig_engine(rig, 0)), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(s.domain[i].groups > 0);
        assert_int_equal(s.domain[i].after, 0);
        assert_int_equal(s.domain[i].refused, 0);
        uiommu_domain_put(s.domain[i].d);
        pthread_mutex_destroy(&s.domain[i].lock);
    }
}

/* ---- a queue ---------------------------------------------------------------------------- */

struct reading {
    struct scene s;
    struct uiommu_request_queue *q;
    unsigned read, late;
    _Atomic unsigned wrong;
};

/* What is answered by somebody else meanwhile, nobody knows. */
static void *reader(void *ctx)
{
    struct reading *r = ctx;
    struct uiommu_page_request one[2];
    struct uiommu_request_group group;

    while (!atomic_load(&r->s.done)) {
        enum uiommu_status status;

        (void)uiommu_poll(r->s.rig->u);
        if (uiommu_request_queue_read(r->q, one, 2, &group) != UIOMMU_OK)
            continue;
        r->read++;
        status = uiommu_request_queue_respond(r->q, group.cookie,
                                              UIOMMU_RESPONSE_SUCCESS);
        r->late += status == UIOMMU_NOENT;
        if (group.n != 1 || (status != UIOMMU_OK && status != UIOMMU_NOENT))
            atomic_fetch_add(&r->wrong, 1);
    }
    return NULL;
}

static void a_queue_is_read_while_endpoints_move(struct rig *rig)
{
    struct uiommu_domain_config config = { .size = sizeof(config) };
    struct reading r = { .s.rig = rig };
    struct uiommu_domain *d[2];
    pthread_t id[2];

    rig_ok(uiommu_request_queue_create(rig->u, NULL, &r.q));
    for (unsigned i = 0; i < 2; i++) {
        config.request_queue = r.q;
        rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d[i]));
    }
    assert_int_equal(pthread_create(&id[0], NULL, reader, &r), 0);
    assert_int_equal(pthread_create(&id[1], NULL, device, &r.s), 0);
    for (unsigned round = 0; round < ROUNDS / 2; round++) {
        struct uiommu_domain *next =
            round % 4 == 3 ? uiommu_blocked(rig->u) : d[round % 2];

        while (!moves(rig, next))
            (void)machine_run(rig->m);
        if (round % 4 != 3)
            wait_for_some(&r.s);
    }
    atomic_store(&r.s.done, true);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    uiommu_request_queue_destroy(r.q); /* with what nobody read */
    collect(rig);
    rig_expect_stale(rig, sim_stale_count(rig->m));
    assert_int_equal(answered(rig), answers(rig, 0));
    assert_int_equal(answered(rig), r.s.sent);
    assert_int_equal(r.wrong, 0);
    assert_true(r.read > 0);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d[0]);
    uiommu_domain_put(d[1]);
}

static const struct rig_test tests[] = {
    { .name = "a_queue_is_read_while_endpoints_move",
      .run = a_queue_is_read_while_endpoints_move,
      .prepare = with_requests,
      .once = "the host call that fails may be another thread's" },
    { .name = "a_device_asks_while_it_moves",
      .run = a_device_asks_while_it_moves,
      .prepare = with_requests,
      .once = "the host call that fails may be another thread's" },
    { 0 },
};

int main(void)
{
    return rig_run("page requests and threads", tests);
}
