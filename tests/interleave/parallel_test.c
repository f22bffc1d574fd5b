/* SPDX-License-Identifier: MIT */
/*
 * parallel_test.c - the programs on real threads, as they come; meant for the
 * thread sanitizer (scripts/check-threads.sh). UIOMMU_ROUNDS=n: n times as many.
 */
#include "tests/interleave/programs.h"

#include <pthread.h>
#include <stdlib.h>

#include "tests/core/doorbells.h"

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

static void each(struct rig *rig, enum on on)
{
    const char *rounds = getenv("UIOMMU_ROUNDS");
    unsigned n = ROUNDS * (rounds ? (unsigned)atoi(rounds) : 1);
    const struct program *p = NULL;
    struct trial t;

    if (on == ON_DOORBELLS)
        find_and_start(rig);
    else
        up(rig);
    trial_open(&t, rig);
    while ((p = program_after(p, on)) != NULL)
        for (unsigned i = 0; i < n; i++)
            try(&t, p);
    trial_close(&t);
    rig_down(rig);
}

#define ON(name, on)                                                           \
    static void name(struct rig *rig)                                          \
    {                                                                          \
        each(rig, on);                                                         \
    }                                                                          \
    static bool prepare_##name(struct rig *rig, const char **why)              \
    {                                                                          \
        return prepare_on(rig, on, why);                                       \
    }

ON(programs_keep_their_promises, ON_ANY)
ON(programs_with_ats_keep_their_promises, ON_ATS)
ON(programs_with_pasids_keep_their_promises, ON_PASIDS)
ON(programs_with_storms_keep_their_promises, ON_BUDGET)
ON(programs_with_doorbells_keep_their_promises, ON_DOORBELLS)

#define ROW(name) RIG_COLD_ON(name, prepare_##name)

static const struct rig_test tests[] = {
    ROW(programs_keep_their_promises),
    ROW(programs_with_ats_keep_their_promises),
    ROW(programs_with_pasids_keep_their_promises),
    ROW(programs_with_storms_keep_their_promises),
    ROW(programs_with_doorbells_keep_their_promises),
    { 0 },
};

int main(void)
{
    return rig_run("parallel", tests);
}
