/* SPDX-License-Identifier: MIT */
#include "plan_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain_help.h"

static bool read_dump(const char *text, size_t size, struct plan_machine *m)
{
    struct plan_ids ids;
    const char *why;
    bool good;

    assert_true(plan_ids_open(&ids, UIM_CORPUS_DIR "/pci/pci.ids", &why));
    good = plan_read(text, size, &ids, m);
    plan_ids_close(&ids);
    return good;
}

void plan_of_text(const char *text, size_t size, struct plan_machine *m)
{
    *m = (struct plan_machine){ 0 };
    if (!read_dump(text, size, m))
        fail_msg("%s", m->why);
    assert_string_equal(m->why, "");
}

void plan_of_file(const char *name, struct plan_machine *m)
{
    char path[200];
    size_t size;
    char *text;

    snprintf(path, sizeof(path), "pci/%s", name);
    text = corpus_file(path, &size);
    plan_of_text(text, size, m);
    free(text);
}

const char *plan_refusal(const char *text, size_t size)
{
    static char why[PLAN_WHY_SIZE];
    struct plan_machine m = { 0 };

    assert_false(read_dump(text, size, &m));
    memcpy(why, m.why, sizeof(why));
    plan_machine_free(&m);
    return why;
}

unsigned plan_number_of(const struct plan_machine *m, const char *address)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++)
        if (strcmp(plan_address(m->functions[i].at, text), address) == 0)
            return i;
    fail_msg("there is no %s", address);
    return 0;
}

struct uim_pci_function *plan_at(const struct plan_machine *m,
                                 const char *address)
{
    return &m->functions[plan_number_of(m, address)];
}

unsigned *plan_groups_of(const struct plan_machine *m, bool like_linux)
{
    unsigned *group = calloc(m->n + 1, sizeof(*group));

    assert_non_null(group);
    plan_groups(m, like_linux, group);
    return group;
}
