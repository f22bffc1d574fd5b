/* SPDX-License-Identifier: MIT */
/*
 * plan.c - any text as a dump of a machine: what `uiommu plan --json` makes of it.
 */
#include "fuzz/fuzz.h"

#include <cJSON.h>

#include "tools/plan.h"

#define RULES(X)                                                               \
    X(a_refusal_is_a_sentence)                                                 \
    X(functions_are_fewer_than_bytes)                                          \
    X(functions_are_in_order)                                                  \
    X(buses_grow_on_the_way_down)                                              \
    X(what_is_unseen_has_a_reason)                                             \
    X(groups_are_numbered_as_they_come)                                        \
    X(nothing_is_apart_that_linux_has_together)                                \
    X(each_member_but_one_has_a_reason)                                        \
    X(the_output_is_ascii)                                                     \
    X(the_output_can_be_read_again)
FUZZ_RULES(RULES);

/* Groups of more take long. */
enum { MOST_FUNCTIONS = 128 };

static bool is_sentence(const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    return n > 10 && n < PLAN_WHY_SIZE;
}

static uint32_t order(const struct uim_pci_function *f)
{
    return (uint32_t)f->at.segment << 16 | (uint32_t)f->at.bus << 8 |
           f->at.devfn;
}

static void check_function(const struct plan_machine *m, unsigned i)
{
    struct uim_pci_function *f = &m->functions[i];
    bool unseen = f->unseen;

    if (fuzz_lies(RULE_functions_are_in_order) && i > 0)
        f->at = f[-1].at;
    fuzz_check(i == 0 || order(&f[-1]) < order(f), RULE_functions_are_in_order);
    if (fuzz_lies(RULE_buses_grow_on_the_way_down) && f->bridge)
        f->bridge = f;
    fuzz_check(!f->bridge || (f->bridge->at.bus < f->bridge->secondary &&
                              f->bridge->secondary <= f->at.bus &&
                              f->at.bus <= f->bridge->subordinate),
               RULE_buses_grow_on_the_way_down);
    unseen ^= fuzz_lies(RULE_what_is_unseen_has_a_reason);
    fuzz_check(unseen == (m->seen[i].unseen != NULL),
               RULE_what_is_unseen_has_a_reason);
}

static void check_machine(const struct plan_machine *m, size_t size)
{
    size_t n = m->n;

    if (fuzz_lies(RULE_functions_are_fewer_than_bytes))
        n += size;
    fuzz_check(n <= size / 8, RULE_functions_are_fewer_than_bytes);
    for (unsigned i = 0; i < m->n; i++)
        check_function(m, i);
}

/* ---- groups ---------------------------------------------------------------- */

static void check_numbers(const struct plan_machine *m, unsigned *group)
{
    unsigned n = 0;

    if (fuzz_lies(RULE_groups_are_numbered_as_they_come))
        group[m->n - 1] = m->n;
    for (unsigned i = 0; i < m->n; i++) {
        fuzz_check(group[i] <= n, RULE_groups_are_numbered_as_they_come);
        n += group[i] == n;
    }
}

static void check_coarser(const struct plan_machine *m, const unsigned *own,
                          unsigned *linux_)
{
    for (unsigned i = 1; i < m->n; i++) {
        if (fuzz_lies(RULE_nothing_is_apart_that_linux_has_together))
            linux_[i] = linux_[i - 1];
        for (unsigned j = 0; j < i; j++)
            fuzz_check(linux_[i] != linux_[j] || own[i] == own[j],
                       RULE_nothing_is_apart_that_linux_has_together);
    }
}

static int length(const cJSON *object, const char *name)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(object, name));
}

static void check_plan(const cJSON *plan)
{
    const cJSON *group;

    cJSON_ArrayForEach(group, cJSON_GetObjectItem(plan, "groups"))
    {
        int reasons = length(group, "reasons") +
                      fuzz_lies(RULE_each_member_but_one_has_a_reason);

        fuzz_check(reasons + 1 == length(group, "devices"),
                   RULE_each_member_but_one_has_a_reason);
    }
}

static void check_printed(const cJSON *plan)
{
    char *text = cJSON_PrintUnformatted(plan);
    cJSON *again;

    if (fuzz_lies(RULE_the_output_is_ascii))
        text[0] = '\x80';
    for (const char *c = text; *c != '\0'; c++)
        fuzz_check(*c >= 0x20 && *c <= 0x7e, RULE_the_output_is_ascii);
    if (fuzz_lies(RULE_the_output_can_be_read_again))
        text[0] = '}';
    again = cJSON_Parse(text);
    fuzz_check(cJSON_Compare(again, plan, true),
               RULE_the_output_can_be_read_again);
    cJSON_Delete(again);
    cJSON_free(text);
}

static void check_groups(const struct plan_machine *m)
{
    const struct plan_table none = { 0 };
    unsigned own[MOST_FUNCTIONS], linux_[MOST_FUNCTIONS];
    cJSON *plan;

    plan_groups(m, false, own);
    plan_groups(m, true, linux_);
    plan = plan_describe(m, own, NULL, &none);
    check_plan(plan);
    check_printed(plan);
    cJSON_Delete(plan);
    check_coarser(m, own, linux_);
    check_numbers(m, own);
    check_numbers(m, linux_);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char names[] =
        "8086  Intel Corporation\n\t9d10  Root Port #1\n"
        "C 06  Bridge\n\t04  PCI bridge\n\t07  CardBus bridge";
    struct plan_ids ids;
    char *text = malloc(size + !size); /* the sanitizer sees what is behind */
    struct plan_machine m = { 0 };
    bool good;

    memcpy(text, data, size);
    if (!plan_ids_take(&ids, strdup(names)))
        abort();
    good = plan_read(text, size, &ids, &m);
    if (fuzz_lies(RULE_a_refusal_is_a_sentence))
        m.why[0] = '\0';
    fuzz_check(good || is_sentence(m.why), RULE_a_refusal_is_a_sentence);
    if (good)
        check_machine(&m, size);
    if (good && m.n > 0 && m.n <= MOST_FUNCTIONS)
        check_groups(&m);
    plan_machine_free(&m);
    plan_ids_close(&ids);
    free(text);
    return 0;
}
