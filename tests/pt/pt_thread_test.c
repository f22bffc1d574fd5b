/* SPDX-License-Identifier: MIT */
/* Page tables with several threads: thread_tests.c. */
#include "pt_rig.h"

int main(int argc, char **argv)
{
    static const struct pt_test *const groups[] = { pt_thread_tests, NULL };

    return pt_run("pt_thread", groups, "", 3, argc > 1 ? argv[1] : NULL) != 0;
}
