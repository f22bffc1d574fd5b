/* SPDX-License-Identifier: MIT */
/*
 * schedule_test.c - each program about tables and endpoints in many orders; and that the
 * scheduler notices what is missing. explore.h says what may be asked for.
 */
#include "tests/interleave/explore.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/core/help.h"
#include "tests/hook/hook.h"

enum { FAILS = 42, EVERYWHERE = 1000 };

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
    take_down(&t);
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

static const struct rig_test more[] = {
    RIG_COLD_ON(a_missing_exchange_is_noticed, hooked_and_coherent),
    RIG_COLD_ON(a_missing_host_fence_is_noticed, hooked_and_prompt),
    { 0 },
};

int main(void)
{
    struct rig_test tests[1 + PROGRAMS + sizeof(more) / sizeof(more[0])] = {
        RIG_COLD_ON(devices_come_and_go_at_every_point, hooked)
    };
    unsigned n =
        1 + program_tests(&tests[1], programs, explore, hooked_program);
    int failed;

    memcpy(&tests[n], more, sizeof(more));
    failed = rig_run("schedule", tests);
    printf("# %lu executions\n", executions);
    return failed;
}
