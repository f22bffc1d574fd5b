/* SPDX-License-Identifier: MIT */
/*
 * bench.c - the command: which rows, which formats, how to show them.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "bench/limits.h"
#include "bench/rows.h"

struct options {
    const char *rows, *formats; /* "a,b"; NULL: all                          */
    unsigned runs;
    bool json;
};

/* One row on one format, measured. */
struct result {
    const struct bench_row *row;
    const char *format;
    struct bench_figure figure;
    double limit_ns;
};

struct report {
    const struct options *options;
    cJSON *limits, *rows; /* NULL: as text                                   */
    bool ok;
};

/* Whether `name` is one of the words of "a,b,c". */
static bool chosen(const char *words, const char *name)
{
    size_t length = strlen(name);

    if (!words)
        return true;
    for (;;) {
        const char *comma = strchr(words, ',');
        size_t n = comma ? (size_t)(comma - words) : strlen(words);

        if (n == length && strncmp(words, name, n) == 0)
            return true;
        if (!comma)
            return false;
        words = comma + 1;
    }
}

/* ---- showing ------------------------------------------------------------- */

static void show_limit(const struct report *report,
                       const struct bench_limit *limit, double ns)
{
    if (report->limits)
        cJSON_AddNumberToObject(report->limits, limit->name, ns);
    else
        printf("%-24s %8.2f ns  %s\n", limit->name, ns, limit->what);
}

static cJSON *row_as_json(const struct result *r)
{
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "row", r->row->name);
    cJSON_AddStringToObject(row, "format", r->format);
    cJSON_AddStringToObject(row, "per", r->row->per);
    cJSON_AddNumberToObject(row, "ns", r->figure.ns);
    cJSON_AddNumberToObject(row, "min_ns", r->figure.min_ns);
    cJSON_AddStringToObject(row, "limit", r->row->limit);
    cJSON_AddNumberToObject(row, "limit_ns", r->limit_ns);
    cJSON_AddNumberToObject(row, "ratio", r->figure.ns / r->limit_ns);
    cJSON_AddNumberToObject(row, "goal_ratio", r->row->goal_ratio);
    cJSON_AddNumberToObject(row, "runs", r->figure.runs);
    cJSON_AddNumberToObject(row, "units", (double)r->figure.units);
    return row;
}

static void show_row_head(void)
{
    printf("\n%-24s %-14s %-5s %8s %8s  %-13s %8s %6s %5s\n", "row", "format",
           "per", "ns", "min", "limit", "limit ns", "ratio", "goal");
}

static void show_row(const struct report *report, const struct result *r)
{
    if (report->rows) {
        cJSON_AddItemToArray(report->rows, row_as_json(r));
        return;
    }
    printf("%-24s %-14s %-5s %8.2f %8.2f  %-13s %8.2f %6.2f %5.2f\n",
           r->row->name, r->format, r->row->per, r->figure.ns, r->figure.min_ns,
           r->row->limit, r->limit_ns, r->figure.ns / r->limit_ns,
           r->row->goal_ratio);
    fflush(stdout);
}

/* ---- measuring ----------------------------------------------------------- */

static bool measure_row(struct report *report, const struct bench_row *row,
                        const char *format, char *error, size_t size)
{
    const struct bench_limit *limit = bench_limit_find(row->limit);
    struct result r = { .row = row, .format = format };
    unsigned runs = report->options->runs;

    /* Just before the row: on a busy machine the limit moves as well. Rows
     * without one of the machine's limits measure their own.                */
    if (limit)
        r.limit_ns = limit->measure(runs);
    if (!bench_row_measure(row, format, runs, &r.figure, &r.limit_ns, error,
                           size))
        return false;
    if (!(r.limit_ns > 0)) {
        snprintf(error, size, "%s: no memory", row->limit);
        return false;
    }
    show_row(report, &r);
    return true;
}

static void measure_on(struct report *report, const struct bench_row *row,
                       const char *format)
{
    const struct options *o = report->options;
    char error[256];

    if (!chosen(o->rows, row->name) || !chosen(o->formats, format))
        return;
    if (row->possible && !row->possible(error, sizeof(error))) {
        fprintf(stderr, "uiommu bench: %s: not applicable: %s\n", row->name,
                error);
        return;
    }
    if (measure_row(report, row, format, error, sizeof(error)))
        return;
    fprintf(stderr, "uiommu bench: %s\n", error);
    report->ok = false;
}

static void measure_rows(struct report *report, const struct bench_row *rows)
{
    for (const struct bench_row *row = rows; row->name; row++) {
        if (row->format)
            measure_on(report, row, row->format);
        for (unsigned i = 0; !row->format && bench_formats[i]; i++)
            measure_on(report, row, bench_formats[i]);
    }
}

/* Whether one of the chosen rows is compared with it. */
static bool is_needed(const char *words, const struct bench_row *rows,
                      const char *limit)
{
    for (; rows->name; rows++)
        if (chosen(words, rows->name) && strcmp(rows->limit, limit) == 0)
            return true;
    return false;
}

static void measure_limits(struct report *report)
{
    const struct options *o = report->options;
    const struct bench_limit *limit;

    for (limit = bench_limits; limit->name; limit++) {
        if (!chosen(o->rows, limit->name) &&
            !is_needed(o->rows, bench_rows, limit->name))
            continue;
        show_limit(report, limit, limit->measure(o->runs));
    }
}

static int measure_all(const struct options *options)
{
    struct report report = { .options = options, .ok = true };
    cJSON *all = options->json ? cJSON_CreateObject() : NULL;
    char *text;

    if (all) {
        report.limits = cJSON_AddObjectToObject(all, "limits");
        report.rows = cJSON_AddArrayToObject(all, "rows");
    }
    measure_limits(&report);
    if (!all)
        show_row_head();
    measure_rows(&report, bench_rows);
    measure_rows(&report, bench_thread_rows);
    measure_rows(&report, bench_process_rows);
    text = all ? cJSON_Print(all) : NULL;
    if (text)
        puts(text);
    free(text);
    cJSON_Delete(all);
    return report.ok ? 0 : 1;
}

/* ---- arguments ----------------------------------------------------------- */

/* Rows of processes are the same for each of their formats, which follow each other. */
static bool is_another(unsigned i)
{
    return strcmp(bench_process_rows[i].format,
                  bench_process_rows[i - 1].format) != 0;
}

static bool is_of_first(unsigned i)
{
    return bench_process_rows[i].name &&
           strcmp(bench_process_rows[i].format, bench_process_rows[0].format) ==
               0;
}

static int usage(FILE *out)
{
    fprintf(out,
            "usage: uiommu bench [--rows a,b] [--formats x,y] [--runs N] "
            "[--json]\n\n"
            "Every figure is a ratio to what this machine can do, measured "
            "in the same run.\nRows:");
    for (unsigned i = 0; bench_limits[i].name; i++)
        fprintf(out, " %s", bench_limits[i].name);
    for (unsigned i = 0; bench_rows[i].name; i++)
        fprintf(out, " %s", bench_rows[i].name);
    for (unsigned i = 0; bench_thread_rows[i].name; i++)
        fprintf(out, " %s", bench_thread_rows[i].name);
    for (unsigned i = 0; is_of_first(i); i++)
        fprintf(out, " %s", bench_process_rows[i].name);
    fprintf(out, "\nFormats:");
    for (unsigned i = 0; bench_formats[i]; i++)
        fprintf(out, " %s", bench_formats[i]);
    for (unsigned i = 0; bench_process_rows[i].name; i++)
        if (i == 0 || is_another(i))
            fprintf(out, " %s", bench_process_rows[i].format);
    fprintf(out, "\n");
    return out == stdout ? 0 : 2;
}

static bool known_row(const char *name)
{
    for (unsigned i = 0; bench_limits[i].name; i++)
        if (strcmp(bench_limits[i].name, name) == 0)
            return true;
    for (unsigned i = 0; bench_rows[i].name; i++)
        if (strcmp(bench_rows[i].name, name) == 0)
            return true;
    for (unsigned i = 0; bench_thread_rows[i].name; i++)
        if (strcmp(bench_thread_rows[i].name, name) == 0)
            return true;
    for (unsigned i = 0; bench_process_rows[i].name; i++)
        if (strcmp(bench_process_rows[i].name, name) == 0)
            return true;
    return false;
}

static bool known_format(const char *name)
{
    for (unsigned i = 0; bench_formats[i]; i++)
        if (strcmp(bench_formats[i], name) == 0)
            return true;
    for (unsigned i = 0; bench_process_rows[i].name; i++)
        if (strcmp(bench_process_rows[i].format, name) == 0)
            return true;
    return false;
}

/* All words of "a,b" are known; NULL is none. */
static bool all_known(const char *words, bool (*known)(const char *))
{
    char word[64];

    while (words && *words) {
        size_t n = strcspn(words, ",");

        snprintf(word, sizeof(word), "%.*s", (int)n, words);
        if (!known(word)) {
            fprintf(stderr, "uiommu bench: no such row or format: %s\n", word);
            return false;
        }
        words += n + (words[n] == ',');
    }
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (!value)
            return false;
        if (strcmp(argv[i], "--rows") == 0)
            o->rows = value;
        else if (strcmp(argv[i], "--formats") == 0)
            o->formats = value;
        else if (strcmp(argv[i], "--runs") == 0)
            o->runs = (unsigned)strtoul(value, NULL, 10);
        else
            return false;
        i++;
    }
    return o->runs >= 1 && o->runs <= BENCH_MAX_RUNS &&
           all_known(o->rows, known_row) && all_known(o->formats, known_format);
}

int uim_bench_main(int argc, char **argv)
{
    struct options options = { .runs = 15 };

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!parse(argc, argv, &options))
        return usage(stderr);
    return measure_all(&options);
}
