/* SPDX-License-Identifier: MIT */
/*
 * schedule_devices_test.c - each program about what devices do in many orders. explore.h
 * says what may be asked for.
 */
#include "tests/interleave/explore.h"

#include <stdio.h>

static void programs_with_pasids_keep_their_promises(struct rig *rig)
{
    explore_all(rig, ON_PASIDS);
}

static void programs_with_storms_keep_their_promises(struct rig *rig)
{
    explore_all(rig, ON_BUDGET);
}

static void programs_with_doorbells_keep_their_promises(struct rig *rig)
{
    explore_all(rig, ON_DOORBELLS);
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

static const struct rig_test tests[] = {
    RIG_COLD_ON(programs_with_pasids_keep_their_promises, hooked_with_pasids),
    RIG_COLD_ON(programs_with_storms_keep_their_promises, hooked_with_a_budget),
    RIG_COLD_ON(programs_with_doorbells_keep_their_promises,
                hooked_with_doorbells),
    { 0 },
};

int main(void)
{
    int failed = rig_run("schedule_devices", tests);

    printf("# %lu executions\n", executions);
    return failed;
}
