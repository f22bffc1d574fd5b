/* SPDX-License-Identifier: MIT */
/*
 * accel_thread_test.c - the accelerator works in one thread, pages are brought in another,
 * and one client after the other crashes in a third, with work and page requests wherever
 * they are then (semantics C-SC2). Threads count what went wrong and never assert.
 */
#include "tests/core/accels.h"

#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 12, SPINS = 1000 * 1000 };

struct scene {
    struct stand s;
    _Atomic bool done;
};

static void *server(void *ctx)
{
    struct scene *scene = ctx;
    struct uiommu *u = scene->s.rig->u;

    while (!atomic_load(&scene->done)) {
        (void)uiommu_poll(u);
        uiommu_serve(u);
        sched_yield();
    }
    return NULL;
}

static void *accelerator(void *ctx)
{
    struct scene *scene = ctx;

    while (!atomic_load(&scene->done))
        (void)machine_run(scene->s.rig->m);
    return NULL;
}

static void assert_done(struct stand *s, unsigned i)
{
    const uint8_t *record = s->client[i].mem + RECORD;

    for (unsigned n = 0; n < SPINS; n++) {
        if (accel_look(record).status != ACCEL_NONE)
            break;
        sched_yield();
    }
    assert_int_equal(accel_look(record).status, ACCEL_SUCCESS);
    assert_true(is_all(s->client[i].mem + DST, PART, mark_of(i)));
}

/* Whenever it is taken back, nothing of it is under way when that is done; and the next has
 * its number. */
static void crash(struct stand *s, unsigned round)
{
    struct client *c = &s->client[CRASHES];
    const uint32_t number = number_of(c);

    c->response = round % 2 ? UIOMMU_RESPONSE_LATER : UIOMMU_RESPONSE_SUCCESS;
    for (unsigned i = 0; i < CLIENTS; i++)
        submits(s, i);
    for (unsigned i = 0; i < round % 6; i++)
        sched_yield();
    client_end(c);
    assert_int_equal(sim_accel_carries(s->rig->m, s->dev, number), 0);
    memset(c->mem, 0xee, SIZE);
    for (unsigned i = 0; i < CLIENTS; i++)
        if (i != CRASHES)
            assert_done(s, i);
    assert_true(is_all(c->mem, SIZE, 0xee));
    memset(c, 0, sizeof(*c));
    client_begin(s, CRASHES);
    assert_int_equal(number_of(c), number);
}

static void c_sc2_clients_crash_while_others_work(struct rig *rig)
{
    struct scene scene = { .done = false };
    struct stand *s = &scene.s;
    pthread_t id[2];

    stand_open(s, rig);
    s->parts.drv.limit_ns = LONG;
    assert_int_equal(pthread_create(&id[0], NULL, server, &scene), 0);
    assert_int_equal(pthread_create(&id[1], NULL, accelerator, &scene), 0);
    for (unsigned round = 0; round < ROUNDS; round++)
        crash(s, round);
    own_begins(s);
    own_ends(s);
    atomic_store(&scene.done, true);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    rig_expect_stale(rig, sim_stale_count(rig->m)); /* between two stores */
    stand_close(s);
}

static const struct rig_test tests[] = {
    { .name = "c_sc2_clients_crash_while_others_work",
      .run = c_sc2_clients_crash_while_others_work,
      .prepare = with_pages,
      .once = "the host call that fails may be another thread's" },
    { 0 },
};

int main(void)
{
    return rig_run("accel and threads", tests);
}
