/* SPDX-License-Identifier: MIT */
/*
 * A cmocka program that does what its argument says, for run_test.py: the runner
 * has to understand what the real library prints.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *what;

static void passes(void **state)
{
    (void)state;
}

static void varies(void **state)
{
    (void)state;
    if (strcmp(what, "fails") == 0)
        assert_int_equal(1, 2);
    if (strcmp(what, "skips") == 0)
        skip();
    if (strcmp(what, "not-applicable") == 0)
        printf("NA: varies: sample: says so\n");
    if (strcmp(what, "aborts") == 0)
        abort();
    if (strcmp(what, "leaves") == 0)
        exit(0);
    if (strcmp(what, "hangs") == 0)
        pause();
}

static int group_setup(void **state)
{
    (void)state;
    return strcmp(what, "setup-fails") == 0 ? -1 : 0;
}

static int group_teardown(void **state)
{
    (void)state;
    return strcmp(what, "teardown-fails") == 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(varies),
    };

    what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "empty") == 0)
        return 0;
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
