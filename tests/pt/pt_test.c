/* SPDX-License-Identifier: MIT */
/*
 * Page tables without a unit: the contract of src/pt/pt.h, for every format, number of
 * levels, mix of page sizes, with a unit that snoops and one that does not.
 */
#include "entry.h"
#include "pt_rig.h"

/* pt_test [PATTERN]: only tests whose names match, with * for anything. */
int main(int argc, char **argv)
{
    static const struct pt_test *const groups[] = {
        pt_map_tests,   pt_unmap_tests, pt_split_tests,
        pt_guard_tests, pt_fault_tests, pt_rig_tests,
        pt_run_tests,   pt_root_tests,  NULL,
    };
    int failed = pt_run("pt", groups, "vtd", 3, argc > 1 ? argv[1] : NULL);

    failed += entry_tests();
    return failed != 0;
}
