/* SPDX-License-Identifier: MIT */
/*
 * `uiommu run` as a command: what it prints of a scenario, as lines and as JSON, and on
 * which machine it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "tests/tools/command_help.h"
#include "tools/run.h"

#define out command_out
#define err command_err
#define RUN(...)                                                               \
    command_run(tool_run, "run", (const char *[]){ __VA_ARGS__, NULL })

static const char *text_of(const cJSON *row, const char *key)
{
    const cJSON *item = cJSON_GetObjectItem(row, key);

    assert_true(cJSON_IsString(item));
    return item->valuestring;
}

static unsigned steps_of(const cJSON *root)
{
    const cJSON *row;
    unsigned n = 0;

    cJSON_ArrayForEach(row, cJSON_GetObjectItem(root, "steps"))
    {
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(row, "ok")));
        assert_true(text_of(row, "what")[0] != '\0');
        assert_true(text_of(row, "detail")[0] != '\0');
        n++;
    }
    return n;
}

static void says_in_json(const char *machine, const char *scenario,
                         const char *mode, unsigned steps, const char *words)
{
    cJSON *root;

    assert_int_equal(
        RUN("--machine", machine, "--scenario", scenario, "--json"), 0);
    assert_says(out, words);
    root = cJSON_Parse(out);
    assert_non_null(root);
    assert_string_equal(text_of(root, "machine"), machine);
    assert_string_equal(text_of(root, "scenario"), scenario);
    assert_string_equal(text_of(root, "mode"), mode);
    assert_string_equal(text_of(root, "error"), "");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(root, "ok")));
    assert_int_equal(steps_of(root), steps);
    cJSON_Delete(root);
}

/* A mode with PASIDs, as nobody asked for another. */
static void json_has_each_step(void **state)
{
    (void)state;
    says_in_json("sim:vtd", "mdev", "scalable", 12, "with PASID 1 refused");
    says_in_json("sim:smmuv3", "mdev", "stage1", 12, "(software unit 0)");
    says_in_json("sim:vtd", "gpu", "scalable", 9, "PASIDs up to 2");
    says_in_json("sim:smmuv3", "gpu", "stage1", 9, "1000 contexts");
}

static void a_mode_without_pasids_says_so(void **state)
{
    (void)state;
    assert_int_equal(RUN("--mode", "legacy", "--scenario", "mdev"), 0);
    assert_says(out, "sim:vtd, vtd.mode=legacy\n");
    assert_says(out, "not in this mode: the unit has no PASIDs");
    assert_int_equal(RUN("--mode", "legacy", "--scenario", "gpu"), 1);
    assert_says(out, "none of this machine asks for pages in this mode");
}

static void what_there_is_not_is_said(void **state)
{
    (void)state;
    assert_int_equal(RUN("--scenario", "of-nothing"), 2);
    assert_says(err, "  gpu ");
    assert_int_equal(RUN("--mode", "stage1"), 1);
    assert_says(err, "uiommu run: sim:vtd, stage1: it has no such mode");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_each_step),
        cmocka_unit_test(a_mode_without_pasids_says_so),
        cmocka_unit_test(what_there_is_not_is_said),
    };

    return cmocka_run_group_tests_name("run_command", tests, NULL, NULL);
}
