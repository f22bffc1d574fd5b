/* SPDX-License-Identifier: MIT */
/*
 * Page tables of Arm without a unit, as pt_test.c has those of VT-d.
 */
#include "pt_rig.h"

/* pt_vmsa_test [PATTERN]: only tests whose names match, with * for anything. */
int main(int argc, char **argv)
{
    static const struct pt_test *const groups[] = {
        pt_map_tests,   pt_unmap_tests, pt_split_tests,
        pt_guard_tests, pt_fault_tests, pt_rig_tests,
        pt_run_tests,   pt_root_tests,  NULL,
    };

    return pt_run("pt_vmsa", groups, "vmsa", 3, argc > 1 ? argv[1] : NULL) != 0;
}
