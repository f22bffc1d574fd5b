/* SPDX-License-Identifier: MIT */
/*
 * schedule_test.c - each program in many orders, with stores that arrive late.
 *
 *     UIOMMU_SCHEDULE=...  only that schedule, as a failure printed it
 *     UIOMMU_ROUNDS=n      n times as many
 *     UIOMMU_SEED=n        others than usual where they are drawn
 */
#include "tests/interleave/programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/core/doorbells.h"
#include "tests/hook/hook.h"
#include "tests/interleave/sched.h"

enum { SINGLES = 24, DRAWN = 12, FAILS = 42, EVERYWHERE = 1000 };

static unsigned long executions;

static uint64_t from_environment(const char *name, uint64_t usual)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : usual;
}

/* ---- one execution ------------------------------------------------------- */

/* What is so in the end has to be so without stale entries. */
static const char *finish(struct trial *t, const struct program *p)
{
    struct machine *m = t->rig->m;

    trial_forget(t);
    if (p->after)
        p->after(t);
    if (sim_stale_count(m) > 0 && !t->wrong[0])
        snprintf(t->wrong, sizeof(t->wrong), "%s", sim_stale_text(m, 0));
    trial_forget(t);
    return t->wrong[0] ? t->wrong : NULL;
}

/* NULL: nothing was wrong. */
static const char *execute(struct trial *t, const struct program *p,
                           const struct sched_plan *plan, unsigned *points)
{
    struct sched_result r;

    executions++;
    trial_next(t);
    if (p->before)
        p->before(t);
    r = sched_run(plan, p->cpu, program_cpus(p), t);
    *points = r.points;
    return r.wrong ? r.wrong : finish(t, p);
}

static void try_plan(struct trial *t, const struct program *p,
                     const struct sched_plan *plan, unsigned *points)
{
    const char *wrong = execute(t, p, plan, points);
    char text[100];

    if (!wrong)
        return;
    sched_print(plan, text, sizeof(text));
    fail_msg("%s: %s: %s\n    again: UIOMMU_SCHEDULE=%s", t->rig->name, p->name,
             wrong, text);
}

/* ---- which schedules ----------------------------------------------------- */

/* Each place for one switch, if there are not too many. */
static void one_switch(struct trial *t, const struct program *p,
                       struct sched_plan plan, unsigned rounds)
{
    unsigned points, ignored, step;

    plan.n = 0;
    try_plan(t, p, &plan, &points);
    step = 1 + points / (SINGLES * rounds);
    plan.n = 1;
    for (unsigned at = 1; at <= points; at += step) {
        plan.change[0] =
            (struct sched_switch){ at, at / step % (program_cpus(p) - 1) };
        try_plan(t, p, &plan, &ignored);
    }
}

static void drawn_switches(struct trial *t, const struct program *p,
                           struct sched_plan plan, uint64_t *seed,
                           unsigned rounds)
{
    unsigned points;

    plan.n = 0;
    try_plan(t, p, &plan, &points);
    for (unsigned i = 0; i < DRAWN * rounds; i++) {
        unsigned at = 0;

        plan.n = 2 + pick(seed, SCHED_SWITCHES - 1);
        for (unsigned j = 0; j < plan.n; j++) {
            at += 1 + pick(seed, 1 + points / 2);
            plan.change[j] =
                (struct sched_switch){ at, pick(seed, program_cpus(p) - 1) };
        }
        try_plan(t, p, &plan, &(unsigned){ 0 });
    }
}

static void explore(struct trial *t, const struct program *p)
{
    unsigned rounds = (unsigned)from_environment("UIOMMU_ROUNDS", 1);
    uint64_t seed = from_environment("UIOMMU_SEED", 2024);
    const char *given = getenv("UIOMMU_SCHEDULE");
    struct sched_plan plan = { .stores = SCHED_AT_ONCE };
    unsigned points;

    if (given) {
        assert_true(sched_parse(given, &plan));
        try_plan(t, p, &plan, &points);
        return;
    }
    for (unsigned i = 0; i < program_cpus(p) * SCHED_STORES; i++) {
        plan.stores = (enum sched_stores)(i / program_cpus(p));
        plan.first = i % program_cpus(p);
        one_switch(t, p, plan, rounds);
        drawn_switches(t, p, plan, &seed, rounds);
    }
}

/* ---- the rig ------------------------------------------------------------- */

static void bring_up(struct rig *rig, struct trial *t)
{
    sched_host(&rig->m->host);
    if (rig->config.its)
        find_and_start(rig);
    else
        up(rig);
    trial_open(t, rig);
}

static void take_down(struct rig *rig, struct trial *t)
{
    trial_close(t);
    rig_down(rig);
    sched_host(NULL);
}

static void each(struct rig *rig, enum on on)
{
    const struct program *p = NULL;
    struct trial t;

    bring_up(rig, &t);
    while ((p = program_after(p, on)) != NULL)
        explore(&t, p);
    take_down(rig, &t);
}

static void programs_keep_their_promises(struct rig *rig)
{
    each(rig, ON_ANY);
}

static void programs_with_ats_keep_their_promises(struct rig *rig)
{
    each(rig, ON_ATS);
}

static void programs_with_pasids_keep_their_promises(struct rig *rig)
{
    each(rig, ON_PASIDS);
}

static void programs_with_storms_keep_their_promises(struct rig *rig)
{
    each(rig, ON_BUDGET);
}

static void programs_with_doorbells_keep_their_promises(struct rig *rig)
{
    each(rig, ON_DOORBELLS);
}

static bool hooked(struct rig *rig, const char **why)
{
    (void)rig;
    *why = "stores cannot be seen here";
    return uim_store_hooked();
}

static bool hooked_with_ats(struct rig *rig, const char **why)
{
    return hooked(rig, why) && prepare_on(rig, ON_ATS, why);
}

/* These are about marks, lists and locks. */
static bool hooked_once(struct rig *rig, enum on on, const char **why)
{
    *why = "whether it snoops is nothing to them";
    return !rig->config.non_coherent && hooked(rig, why) &&
           prepare_on(rig, on, why);
}

static bool hooked_with_pasids(struct rig *rig, const char **why)
{
    return hooked_once(rig, ON_PASIDS, why);
}

static bool hooked_with_a_budget(struct rig *rig, const char **why)
{
    return hooked_once(rig, ON_BUDGET, why);
}

static bool hooked_with_doorbells(struct rig *rig, const char **why)
{
    return hooked_once(rig, ON_DOORBELLS, why);
}

static const struct program *find(const char *name)
{
    const struct program *p = programs;

    while (strcmp(p->name, name) != 0)
        p++;
    return p;
}

/* D-66: what is found under a lock is pinned under it, so one place counts. */
static void devices_come_and_go_at_every_point(struct rig *rig)
{
    static const char *const names[] = { "add_beside_poll",
                                         "remove_beside_poll" };
    struct sched_plan plan = { .stores = SCHED_AT_ONCE };
    struct trial t;

    bring_up(rig, &t);
    for (unsigned i = 0; i < 4; i++) {
        plan.first = i % 2;
        one_switch(&t, find(names[i / 2]), plan, EVERYWHERE);
    }
    take_down(rig, &t);
}

/* ---- can it fail? -------------------------------------------------------- */

/* Whether some schedule shows it. */
static bool fails(struct trial *t, const struct program *p,
                  struct sched_plan plan)
{
    unsigned points, ignored;

    for (unsigned i = 0; i < 4; i++) {
        plan.stores = i < 2 ? SCHED_LATE : SCHED_NEWEST;
        plan.first = i % 2;
        plan.n = 0;
        if (execute(t, p, &plan, &points))
            return true;
        plan.n = 1;
        for (unsigned at = 1; at <= points; at++) {
            plan.change[0] = (struct sched_switch){ at, 0 };
            if (execute(t, p, &plan, &ignored))
                return true;
        }
    }
    return false;
}

/* In a process of its own: what was broken cannot be used again. */
static bool fails_without(struct rig *rig, const char *name,
                          struct sched_plan plan)
{
    pid_t child = fork();
    struct trial t;
    int status = 0;

    if (child == 0) {
        bring_up(rig, &t);
        _exit(fails(&t, find(name), plan) ? FAILS : 0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == FAILS;
}

/* D-39: between its store to the tables and its look at who sees the domain, unmap
 * has an exchange, which is a full fence. */
static void a_missing_exchange_is_noticed(struct rig *rig)
{
    const struct sched_plan plan = { .no_atomic = true };

    assert_true(fails_without(rig, "set_beside_unmap", plan));
    assert_true(fails_without(rig, "map_beside_map", plan));
}

/* Descriptors arrive before the register that tells of them. */
static void a_missing_host_fence_is_noticed(struct rig *rig)
{
    const struct sched_plan plan = { .no_host = true };

    assert_true(fails_without(rig, "two_submitters", plan));
    assert_true(fails_without(rig, "unmap_beside_dma", plan));
}

static bool hooked_and_coherent(struct rig *rig, const char **why)
{
    *why =
        "flushes have fences of their own, early fetches hide it, and stores "
        "cannot be seen everywhere";
    return uim_store_hooked() && !rig->config.non_coherent &&
           !rig->config.adversarial;
}

static bool hooked_and_prompt(struct rig *rig, const char **why)
{
    if (!hooked(rig, why))
        return false;
    return !rig->config.adversarial || rig_does(rig, RIG_PROMPT, why);
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(programs_keep_their_promises, hooked),
    RIG_COLD_ON(programs_with_ats_keep_their_promises, hooked_with_ats),
    RIG_COLD_ON(programs_with_pasids_keep_their_promises, hooked_with_pasids),
    RIG_COLD_ON(programs_with_storms_keep_their_promises, hooked_with_a_budget),
    RIG_COLD_ON(programs_with_doorbells_keep_their_promises,
                hooked_with_doorbells),
    RIG_COLD_ON(devices_come_and_go_at_every_point, hooked),
    RIG_COLD_ON(a_missing_exchange_is_noticed, hooked_and_coherent),
    RIG_COLD_ON(a_missing_host_fence_is_noticed, hooked_and_prompt),
    { 0 },
};

int main(void)
{
    int failed = rig_run("schedule", tests);

    printf("# %lu executions\n", executions);
    return failed;
}
