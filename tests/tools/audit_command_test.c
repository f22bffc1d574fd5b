/* SPDX-License-Identifier: MIT */
/*
 * `uiommu audit` as a command: on each simulated machine nothing is found, and with
 * --corrupt the one that is not confined; text, JSON, and what it says of wrong words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "command_help.h"
#include "tools/audit.h"

#define out command_out
#define err command_err

#define RUN(...)                                                               \
    command_run(tool_audit, "audit", (const char *const[]){ __VA_ARGS__, NULL })

static const char *const machines[][2] = {
    { "sim:vtd", "legacy" },      { "sim:vtd", "scalable" },
    { "sim:vtd", "first-stage" }, { "sim:smmuv3", "stage1" },
    { "sim:smmuv3", "stage2" },
};
enum { MACHINES = sizeof(machines) / sizeof(machines[0]) };

#define ON(i) "--machine", machines[i][0], "--mode", machines[i][1]

static void everybody_is_confined_or_allowed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        assert_int_equal(RUN(ON(i)), 0);
        assert_says(out, "engine0      -      paging    confined\n");
        assert_says(out, "engine1      -      paging    confined\n");
        assert_says(out, "engine2      -      identity  allowed\n");
        assert_says(out, "port         -      blocked   confined\n");
        assert_says(out, "\n0 findings\n");
        assert_string_equal(err, "");
    }
}

static void a_changed_entry_is_a_finding(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        assert_int_equal(RUN(ON(i), "--corrupt", "entry"), 1);
        assert_says(out, "engine0      -      paging    confined\n");
        assert_says(out, "engine1      -      paging    other tables\n");
        assert_says(out, "\n1 finding\n  0000:00:04.0 is shown page tables "
                         "that are not its domain's\n");
        assert_string_equal(err, "");
    }
}

static void a_changed_leaf_is_a_finding(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MACHINES; i++) {
        assert_int_equal(RUN(ON(i), "--corrupt", "leaf"), 1);
        assert_says(out, "engine0      -      paging    mapping\n");
        assert_says(out, "engine1      -      paging    confined\n");
        assert_says(out, "\n1 finding\n  0000:00:03.0 is not confined by its "
                         "page tables: at iova 0x12345000 it may write");
    }
}

static const char *text_of(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(row, key);

    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static void json_has_the_same(void **state)
{
    const cJSON *row, *found = NULL;
    unsigned requesters = 0;
    cJSON *root;

    (void)state;
    assert_int_equal(RUN(ON(1), "--json", "--corrupt", "leaf"), 1);
    root = cJSON_Parse(out);
    assert_non_null(root);
    assert_string_equal(text_of(root, "machine"), "sim:vtd");
    assert_string_equal(text_of(root, "corrupted"), "leaf");
    assert_string_equal(text_of(root, "error"), "");
    assert_int_equal(cJSON_GetObjectItem(root, "findings")->valueint, 1);
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(root, "rows"))
    {
        requesters += cJSON_HasObjectItem(row, "requester");
        if (cJSON_IsTrue(cJSON_GetObjectItem(row, "finding")))
            found = row;
    }
    assert_int_equal(requesters, 5);
    assert_non_null(found);
    assert_string_equal(text_of(found, "requester"), "engine0");
    assert_string_equal(text_of(found, "verdict"), "mapping");
    assert_string_equal(text_of(found, "iova"), "0x12345000");
    assert_string_equal(text_of(found, "id"), "0x18");
    cJSON_Delete(root);
    assert_int_equal(RUN(ON(3), "--json"), 0);
    assert_says(out, "\"findings\":\t0");
}

static void wrong_words_are_told(void **state)
{
    (void)state;
    assert_int_equal(RUN("--nonsense"), 2);
    assert_says(err, "usage: uiommu audit");
    assert_int_equal(RUN("--corrupt", "everything"), 2);
    assert_int_equal(RUN("--machine"), 2);
    assert_int_equal(RUN("--help"), 0);
    assert_says(out, "--corrupt");
    assert_int_equal(RUN("--machine", "sim:none"), 1);
    assert_says(err, "uiommu audit: sim:none: no such machine");
    assert_int_equal(RUN("--machine", "sim:none", "--json"), 1);
    assert_says(out, "no such machine");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_confined_or_allowed),
        cmocka_unit_test(a_changed_entry_is_a_finding),
        cmocka_unit_test(a_changed_leaf_is_a_finding),
        cmocka_unit_test(json_has_the_same),
        cmocka_unit_test(wrong_words_are_told),
    };

    return cmocka_run_group_tests_name("audit_command", tests, NULL, NULL);
}
