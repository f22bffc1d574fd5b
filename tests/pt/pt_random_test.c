/* SPDX-License-Identifier: MIT */
/* Random calls on page tables, compared with an array: random_tests.c. */
#include "pt_rig.h"

int main(int argc, char **argv)
{
    static const struct pt_test *const groups[] = { pt_random_tests, NULL };

    return pt_run("pt_random", groups, "", 2, argc > 1 ? argv[1] : NULL) != 0;
}
