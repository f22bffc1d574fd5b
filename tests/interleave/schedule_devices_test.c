/* SPDX-License-Identifier: MIT */
/*
 * schedule_devices_test.c - each program about what devices do in
 * many orders. explore.h says what may be asked for.
 */
#include "tests/interleave/explore.h"

#include <stdio.h>

int main(void)
{
    struct rig_test tests[PROGRAMS + 1] = { { 0 } };
    int failed;

    (void)program_tests(tests, device_programs, explore, hooked_once);
    failed = rig_run("schedule_devices", tests);
    printf("# %lu executions\n", executions);
    return failed;
}
