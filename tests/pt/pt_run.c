/* SPDX-License-Identifier: MIT */
/*
 * pt_run.c - groups of tests on every case. Each test gets a fresh table; what it may
 * not leave behind is checked when it ends.
 */
#include "pt_rig.h"
#include "fuzz/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 120 };

/* One row: a test on a case. */
struct row {
    const struct pt_test *test;
    struct pt_case c;
    char name[NAME];
};

static const struct row *current;

void rig_say_na(struct pt_rig *r, const char *reason)
{
    (void)r;
    printf("NA: %s: %s\n", current->name, reason);
}

static void run(void **state)
{
    struct pt_rig *r;

    current = *state;
    r = pt_rig_open(&current->c);
    current->test->fn(r);
    pt_rig_close(r);
}

/* At most. */
static unsigned count_rows(const struct pt_test *const *groups)
{
    struct pt_case c;
    unsigned n_tests = 0, n_cases = 0, g;
    const struct pt_test *t;

    for (g = 0; groups[g]; g++)
        for (t = groups[g]; t->name; t++)
            n_tests++;
    while (pt_case(n_cases, &c))
        n_cases++;
    return n_tests * n_cases;
}

static void add_row(struct row *row, struct CMUnitTest *unit)
{
    char name[NAME / 2];

    pt_case_name(&row->c, name, sizeof(name));
    snprintf(row->name, sizeof(row->name), "%s/%s", row->test->name, name);
    *unit = (struct CMUnitTest){
        .name = row->name,
        .test_func = run,
        .initial_state = row,
    };
}

static bool is_of(const struct pt_case *c, const char *formats, unsigned levels)
{
    return c->levels >= levels &&
           strncmp(c->ops->name, formats, strlen(formats)) == 0;
}

/* How many there are. */
static unsigned fill_rows(const struct pt_test *const *groups,
                          const char *formats, unsigned levels,
                          struct row *rows, struct CMUnitTest *units)
{
    const struct pt_test *t;
    unsigned g, n, place, nth = 0, at = 0;

    for (g = 0; groups[g]; g++)
        for (t = groups[g]; t->name; t++, nth++)
            for (n = place = 0; pt_case(n, &rows[at].c); n++) {
                if (!is_of(&rows[at].c, formats, levels) ||
                    !in_share(nth, place++))
                    continue;
                rows[at].test = t;
                add_row(&rows[at], &units[at]);
                at++;
            }
    return at;
}

int pt_run(const char *name, const struct pt_test *const *groups,
           const char *formats, unsigned levels, const char *pattern)
{
    unsigned n = count_rows(groups);
    struct row *rows = calloc(n + 1, sizeof(*rows));
    struct CMUnitTest *units = calloc(n, sizeof(*units));
    int failed;

    n = fill_rows(groups, formats, levels, rows, units);
    if (pattern)
        cmocka_set_test_filter(pattern);
    failed = _cmocka_run_group_tests(name, units, n, NULL, NULL);
    free(rows);
    free(units);
    return failed;
}
