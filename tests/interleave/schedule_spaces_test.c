/* SPDX-License-Identifier: MIT */
/*
 * schedule_spaces_test.c - each program about what carries a PASID in
 * many orders. explore.h says what may be asked for.
 */
#include "tests/interleave/explore.h"

#include <stdio.h>

int main(void)
{
    struct rig_test tests[PROGRAMS + 1] = { { 0 } };
    int failed;

    (void)program_tests(tests, space_programs, explore, hooked_once);
    failed = rig_run("schedule_spaces", tests);
    printf("# %lu executions\n", executions);
    return failed;
}
