/* SPDX-License-Identifier: MIT */
#ifndef UIM_TOOLS_RUN_H
#define UIM_TOOLS_RUN_H

/* `uiommu run`; argv[0] is "run". 0: all shown as it should be; 1: something was
 * not, or the machine failed; 2: usage. */
int tool_run(int argc, char **argv);

#endif
