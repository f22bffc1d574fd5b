/* SPDX-License-Identifier: MIT */
/*
 * run.c - `uiommu run [--machine NAME] [--mode MODE] [--scenario NAME] [--json]`.
 */
#include "tools/run.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/machines.h"
#include "tools/scenario.h"

struct options {
    const char *machine;
    const char *mode;
    const char *scenario;
    bool json;
    bool verbose;
};

static int usage(FILE *out)
{
    fprintf(out,
            "usage: uiommu run [--machine NAME] [--mode MODE] "
            "[--scenario NAME] [--json]\n"
            "                  [--verbose]\n\nmachines, and their modes:\n");
    for (const struct machine_row *row = machine_rows; row->name; row++)
        fprintf(out, "  %-17s %s\n", row->name, row->mode);
    fprintf(out, "\nscenarios:\n");
    for (const struct scenario *row = scenarios; row->name; row++)
        fprintf(out, "  %-17s %s\n", row->name, row->what);
    fprintf(out, "\nBrings the machine up from its firmware table and runs the "
                 "scenario on it. Exit\nstatus 0: all is as promised; 1: "
                 "something is not.\n");
    return out == stdout ? 0 : 2;
}

/* The word after argv[*i], or NULL. */
static const char *word(int argc, char **argv, int *i)
{
    return *i + 1 < argc ? argv[++*i] : NULL;
}

/* 0: go on; otherwise exit with one less. */
static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--verbose") == 0)
            o->verbose = true;
        else if (strcmp(argv[i], "--machine") == 0)
            o->machine = word(argc, argv, &i);
        else if (strcmp(argv[i], "--mode") == 0)
            o->mode = word(argc, argv, &i);
        else if (strcmp(argv[i], "--scenario") == 0)
            o->scenario = word(argc, argv, &i);
        else
            return 1 + usage(strcmp(argv[i], "--help") == 0 ? stdout : stderr);
    }
    return o->machine && o->scenario ? 0 : 1 + usage(stderr);
}

static void log_line(void *ctx, enum uiommu_log_level level, const char *text)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };

    (void)ctx;
    fprintf(stderr, "uiommu: %s: %s\n", levels[level], text);
}

static void tell_text(void *ctx, const struct scenario_step *step)
{
    (void)ctx;
    printf("%-6s %s\n         %s\n", step->ok ? "ok" : "FAILED", step->what,
           step->detail);
}

static void tell_json(void *ctx, const struct scenario_step *step)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "what", step->what);
    cJSON_AddBoolToObject(row, "ok", step->ok);
    cJSON_AddStringToObject(row, "detail", step->detail);
    cJSON_AddItemToArray(ctx, row);
}

static void print_json(const struct options *o, cJSON *steps, bool ok,
                       const char *error)
{
    cJSON *root = cJSON_CreateObject();
    char *text;

    cJSON_AddStringToObject(root, "machine", o->machine);
    cJSON_AddStringToObject(root, "mode", o->mode);
    cJSON_AddStringToObject(root, "scenario", o->scenario);
    cJSON_AddItemToObject(root, "steps", steps);
    cJSON_AddStringToObject(root, "error", error);
    cJSON_AddBoolToObject(root, "ok", ok);
    text = cJSON_Print(root);
    puts(text);
    free(text);
    cJSON_Delete(root);
}

int tool_run(int argc, char **argv)
{
    struct options o = { .machine = "sim:vtd", .scenario = scenarios[0].name };
    const struct scenario *scenario;
    char error[256] = "";
    struct machine *m;
    cJSON *steps;
    bool ok = false;
    int end = parse(argc, argv, &o);

    if (end > 0)
        return end - 1;
    scenario = scenario_find(o.scenario);
    if (!scenario)
        return usage(stderr);
    if (!o.mode && scenario->shares)
        o.mode = machine_mode_that_shares(o.machine);
    if (!o.mode && scenario->pasids)
        o.mode = machine_mode_with_pasids(o.machine);
    m = machine_open(o.machine, o.mode, error, sizeof(error));
    if (!m && !o.json)
        fprintf(stderr, "uiommu run: %s\n", error);
    steps = cJSON_CreateArray();
    if (m) {
        if (o.verbose)
            m->host.log = log_line;
        if (!o.json)
            printf("%s, %s\n\n", m->name, m->options);
        ok = scenario_run(m, scenario, o.json ? tell_json : tell_text, steps);
        snprintf(error, sizeof(error), "%s", m->error);
        machine_close(m);
    }
    if (o.json)
        print_json(&o, steps, ok, error);
    else
        cJSON_Delete(steps);
    return ok ? 0 : 1;
}
