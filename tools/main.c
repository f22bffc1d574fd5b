/* SPDX-License-Identifier: MIT */
/*
 * main.c - the `uiommu` command: picks the subcommand.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "tools/audit.h"
#include "tools/explain.h"
#include "tools/fw.h"
#include "tools/plan.h"
#include "tools/run.h"

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *what;
} commands[] = {
    { "run", tool_run, "bring a machine up and show that it is confined" },
    { "audit", tool_audit, "say who reaches what by the tables of the IOMMU" },
    { "fw", tool_fw, "decode firmware tables" },
    { "explain", tool_explain, "say what the IOMMU faults of a log mean" },
    { "plan", tool_plan, "say which devices can be kept apart" },
    { "bench", uim_bench_main, "measure speed against the machine's limits" },
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int usage(FILE *out)
{
    fprintf(out, "usage: uiommu COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].what);
    fprintf(out, "\nuiommu COMMAND --help says more.\n");
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].main(argc - 1, argv + 1);
    fprintf(stderr, "uiommu: no such command: %s\n", argv[1]);
    return usage(stderr);
}
