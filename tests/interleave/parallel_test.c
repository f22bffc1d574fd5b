/* SPDX-License-Identifier: MIT */
/*
 * parallel_test.c - the programs on real threads, as they come; meant for the
 * thread sanitizer (scripts/check-threads.sh). UIOMMU_ROUNDS=n: n times as many.
 */
#include "tests/interleave/programs.h"

#include <pthread.h>
#include <stdlib.h>

#include "tests/core/help.h"

enum { ROUNDS = 20 };

struct side {
    pthread_t thread;
    pthread_barrier_t *begin;
    void (*fn)(void *ctx);
    struct trial *t;
};

static void *thread(void *arg)
{
    struct side *s = arg;

    pthread_barrier_wait(s->begin);
    s->fn(s->t);
    return NULL;
}

static void run(struct trial *t, const struct program *p)
{
    pthread_barrier_t begin;
    struct side side[2];

    pthread_barrier_init(&begin, NULL, 2);
    for (unsigned i = 0; i < 2; i++) {
        side[i] = (struct side){ .begin = &begin, .fn = p->cpu[i], .t = t };
        assert_int_equal(
            pthread_create(&side[i].thread, NULL, thread, &side[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(side[i].thread, NULL);
    pthread_barrier_destroy(&begin);
}

static void try(struct trial *t, const struct program *p)
{
    trial_next(t);
    if (p->before)
        p->before(t);
    run(t, p);
    trial_forget(t); /* stale uses while calls were under way */
    if (p->after)
        p->after(t);
    if (t->wrong[0])
        fail_msg("%s: %s: %s", t->rig->name, p->name, t->wrong);
}

static void each(struct rig *rig, bool ats)
{
    const char *rounds = getenv("UIOMMU_ROUNDS");
    unsigned n = ROUNDS * (rounds ? (unsigned)atoi(rounds) : 1);
    struct trial t;

    trial_open(&t, rig);
    for (const struct program *p = programs; p->name; p++)
        for (unsigned i = 0; p->ats == ats && i < n; i++)
            try(&t, p);
    trial_close(&t);
}

static void programs_keep_their_promises(struct rig *rig)
{
    each(rig, false);
}

static void programs_with_ats_keep_their_promises(struct rig *rig)
{
    each(rig, true);
}

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static const struct rig_test tests[] = {
    RIG_TEST(programs_keep_their_promises),
    RIG_TEST_ON(programs_with_ats_keep_their_promises, with_ats),
    { 0 },
};

int main(void)
{
    return rig_run("parallel", tests);
}
