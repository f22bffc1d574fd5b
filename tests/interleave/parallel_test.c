/* SPDX-License-Identifier: MIT */
/*
 * parallel_test.c - the programs on real threads, as they come; meant for the
 * thread sanitizer (scripts/check-threads.sh). UIOMMU_ROUNDS=n: n times as many.
 */
#include "tests/interleave/programs.h"

#include <pthread.h>
#include <stdlib.h>

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
    struct side side[3];
    const unsigned n = program_cpus(p);

    pthread_barrier_init(&begin, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        side[i] = (struct side){ .begin = &begin, .fn = p->cpu[i], .t = t };
        assert_int_equal(
            pthread_create(&side[i].thread, NULL, thread, &side[i]), 0);
    }
    for (unsigned i = 0; i < n; i++)
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

static void each(struct rig *rig)
{
    const char *rounds = getenv("UIOMMU_ROUNDS");
    unsigned n = ROUNDS * (rounds ? (unsigned)atoi(rounds) : 1);
    struct trial t;

    trial_up(&t, rig);
    t.at_once = true;
    for (unsigned i = 0; i < n; i++)
        try(&t, program_of(rig));
    trial_down(&t);
}

int main(void)
{
    static const struct program *const lists[] = { programs, device_programs,
                                                   part_programs,
                                                   space_programs };
    struct rig_test tests[4 * PROGRAMS] = { { 0 } };
    unsigned n = 0;

    for (unsigned i = 0; i < 4; i++)
        n += program_tests(&tests[n], lists[i], each, prepare_program);
    return rig_run("parallel", tests);
}
