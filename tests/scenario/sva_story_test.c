/* SPDX-License-Identifier: MIT */
/*
 * The story of processes whose memory a device uses, in every mode; it is short of its end
 * where there are no PASIDs, and of what Linux cannot do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hosts/process/process.h"
#include "tools/machines.h"
#include "tools/scenario.h"

/* Of the first three, one is about a unit without a first stage. */
enum { SIMULATED = 3, REAL = 3, OTHERS = 4 };

struct story {
    unsigned steps, failed;
    char last_failed[128];
};

static void tell(void *ctx, const struct scenario_step *step)
{
    struct story *story = ctx;

    story->steps++;
    if (step->ok)
        return;
    story->failed++;
    snprintf(story->last_failed, sizeof(story->last_failed), "%s", step->what);
    printf("# not ok: %s: %s\n", step->what, step->detail);
}

static struct story tell_of(const char *machine, const char *mode)
{
    struct story story = { 0 };
    char error[256];
    struct machine *m = machine_open(machine, mode, error, sizeof(error));

    if (!m)
        fail_msg("%s, %s: %s", machine, mode, error);
    assert_true(scenario_run(m, scenario_find("sva"), tell, &story) ==
                (story.failed == 0));
    machine_close(m);
    return story;
}

static unsigned real_steps(void)
{
    char why[200];

    return process_supported(why, sizeof(why)) ? REAL : 1;
}

static void is_told(const char *machine, const char *mode, unsigned simulated)
{
    struct story story = tell_of(machine, mode);

    assert_int_equal(story.failed, 0);
    assert_int_equal(story.steps, OTHERS + simulated + real_steps());
}

static void a_device_uses_the_memory_of_processes(void **state)
{
    (void)state;
    is_told("sim:vtd", "first-stage", SIMULATED);
    is_told("sim:vtd", "scalable", 1);
    is_told("sim:smmuv3", "stage1", SIMULATED);
}

static void no_process_without_pasids(void **state)
{
    struct story story = tell_of("sim:vtd", "legacy");

    (void)state;
    assert_int_equal(story.failed, 1);
    assert_string_equal(story.last_failed,
                        "a device has PASIDs and asks for pages");
}

static void a_mode_is_found_that_shares(void **state)
{
    (void)state;
    assert_string_equal(machine_mode_that_shares("sim:vtd"), "first-stage");
    assert_string_equal(machine_mode_that_shares("sim:smmuv3"), "stage1");
    assert_null(machine_mode_that_shares("qemu:intel-iommu"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_uses_the_memory_of_processes),
        cmocka_unit_test(no_process_without_pasids),
        cmocka_unit_test(a_mode_is_found_that_shares),
    };

    return cmocka_run_group_tests_name("sva_story", tests, NULL, NULL);
}
