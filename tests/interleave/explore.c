/* SPDX-License-Identifier: MIT */
#include "tests/interleave/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/core/help.h"
#include "tests/hook/hook.h"

enum { SINGLES = 24, DRAWN = 12 };

unsigned long executions;

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
const char *execute(struct trial *t, const struct program *p,
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

/* Where the first place is, if not every one has its turn: other machines, stores and
 * CPUs that begin have others. */
static unsigned first_place(const struct rig *rig,
                            const struct sched_plan *plan, unsigned step)
{
    unsigned turn = 2 * (unsigned)rig->config.mode + rig->config.adversarial;

    turn = (turn * SCHED_STORES + (unsigned)plan->stores) * SCHED_CPUS;
    return 1 + (turn + plan->first) % step;
}

/* Each place for one switch, if there are not too many. */
void one_switch(struct trial *t, const struct program *p,
                struct sched_plan plan, unsigned rounds)
{
    unsigned points, ignored, step;

    plan.n = 0;
    try_plan(t, p, &plan, &points);
    step = 1 + points / (SINGLES * rounds);
    plan.n = 1;
    for (unsigned at = first_place(t->rig, &plan, step); at <= points;
         at += step) {
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

static void explore_program(struct trial *t, const struct program *p)
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

void bring_up(struct rig *rig, struct trial *t)
{
    sched_host(&rig->m->host);
    trial_up(t, rig);
}

void take_down(struct trial *t)
{
    trial_down(t);
    sched_host(NULL);
}

void explore(struct rig *rig)
{
    const unsigned long before = executions;
    struct trial t;

    bring_up(rig, &t);
    explore_program(&t, program_of(rig));
    take_down(&t);
    assert_true(executions - before > 1 || getenv("UIOMMU_SCHEDULE"));
}

bool hooked(struct rig *rig, const char **why)
{
    (void)rig;
    *why = "stores cannot be seen here";
    return uim_store_hooked();
}

bool hooked_program(struct rig *rig, const char **why)
{
    return hooked(rig, why) && prepare_program(rig, why);
}

bool hooked_once(struct rig *rig, const char **why)
{
    *why = "whether it snoops is nothing to them";
    return !rig->config.non_coherent && hooked_program(rig, why);
}
