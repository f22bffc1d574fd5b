/* SPDX-License-Identifier: MIT */
/*
 * `uiommu explain` as a command: text, JSON, names out of DMAR tables, and what it
 * says when it cannot read something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "command_help.h"
#include "tools/explain.h"

#define LOGS   UIM_CORPUS_DIR "/faults/"
#define TABLES UIM_CORPUS_DIR "/acpi/"

#define out command_out
#define err command_err

#define RUN(...)                                                               \
    command_run(tool_explain, "explain",                                       \
                (const char *const[]){ __VA_ARGS__, NULL })

/* A log of its own, which is there until the next one. */
static const char *log_with(const char *text)
{
    return command_file(text, strlen(text));
}

/* ---- output -------------------------------------------------------------- */

static void text_has_sentences_and_causes(void **state)
{
    (void)state;
    assert_int_equal(RUN(LOGS "vtd-129-decimal.txt"), 0);
    assert_string_equal(
        out,
        "41:00.0 (vtd): read at 0x7ecdcd000 with PASID 1 refused: a user "
        "request "
        "for a page of the supervisor [reason 81h, SGN.2]. The unit is in "
        "scalable mode. Other faults were lost (fault status 3h: PFO PPF).\n"
        "  maybe: the first-stage entries were made without the U/S bit\n"
        "  maybe: a process does DMA to an address of the kernel\n");
    assert_string_equal(err, "");
}

static void json_is_an_array(void **state)
{
    cJSON *faults;

    (void)state;
    assert_int_equal(RUN("--json", LOGS "vtd-01-root-not-present.txt"), 0);
    faults = cJSON_Parse(out);
    assert_true(cJSON_IsArray(faults));
    assert_int_equal(cJSON_GetArraySize(faults), 2);
    cJSON_Delete(faults);
    assert_string_equal(err, "");
}

static void the_last_line_may_lack_its_end(void **state)
{
    (void)state;
    assert_int_equal(RUN(log_with("DMAR: DRHD: handling fault status reg 40")),
                     0);
    assert_says(out, "vtd: fault status 40h: ITE");
    assert_int_equal(RUN("--json", log_with("FSTS 2;FSTS 40")), 0);
    assert_says(out, "}, {");
}

static void standard_input_is_read(void **state)
{
    int kept = dup(STDIN_FILENO);
    FILE *log = fopen(LOGS "vtd-ir-22.txt", "rb");

    (void)state;
    assert_non_null(log);
    dup2(fileno(log), STDIN_FILENO);
    assert_int_equal(RUN("--json"), 0);
    assert_says(out, "interrupt with index 0x1d refused");
    dup2(kept, STDIN_FILENO);
    clearerr(stdin);
    close(kept);
    fclose(log);
}

/* ---- names --------------------------------------------------------------- */

#define INTR(source)                                                           \
    "DMAR: [INTR-REMAP] Request device [" source "] fault index 0x1 [fault "   \
    "reason 0x22] Present\n"

static void check_name(const char *table, const char *line, const char *words)
{
    assert_int_equal(RUN("--json", "--fw", table, log_with(line)), 0);
    assert_says(out, words);
}

static void scopes_that_are_no_pci_devices_have_names(void **state)
{
    static const char table[] = TABLES "surface-book-2/DMAR.bin";

    (void)state;
    check_name(table, INTR("f0:1f.0"), "\"f0:1f.0, IOAPIC 2 (vtd): ");
    check_name(table, INTR("f0:1f.0"), "\"source\":\t\"f0:1f.0\"");
    check_name(table, INTR("00:1f.0"), "\"00:1f.0, HPET 0 (vtd): ");
    check_name(table, INTR("0000:00:15.1"),
               "\"0000:00:15.1, ACPI device 2 \\\\_SB.PCI0.I2C1 (vtd): ");
    check_name(table, INTR("0001:00:15.1"), "\"0001:00:15.1 (vtd): ");
    check_name(table, INTR("00:02.0"), "\"00:02.0 (vtd): ");
    check_name(table, "FSTS 40", "\"vtd: fault status 40h");
    check_name(TABLES "hp-dl360-g7/DMAR.bin", INTR("00:13.0"),
               ", IOAPIC 0 (vtd)");
    check_name(TABLES "hp-dl360-g7/DMAR.bin", INTR("00:1c.4"),
               "\"00:1c.4 (vtd): ");
}

/* ---- memory -------------------------------------------------------------- */

/* With so many calls until there is no more. */
static int run_with(size_t calls, size_t *most, const char *log)
{
    const char *const args[] = { "--json", log, NULL };

    return command_run_with(calls, most, tool_explain, "explain", args);
}

static void many_faults_need_no_more_memory(void **state)
{
    enum { N = 4000 };
    char *log = malloc(7 * N + 1);
    size_t most;

    (void)state;
    for (size_t i = 0; i < N; i++)
        memcpy(log + 7 * i, "FSTS 2;", 8);
    assert_int_equal(run_with(SIZE_MAX, &most, log_with(log)), 0);
    assert_true(most > 100 && most < 16384);
    free(log);
}

static void every_failed_allocation_is_said(void **state)
{
    const char *log = log_with("FSTS 40\n" INTR("f0:1f.0") "FSTS 2\n");
    size_t calls = 0;

    (void)state;
    for (; run_with(calls, NULL, log) != 0; calls++) {
        assert_says(err, ": no memory\n");
        assert_null(cJSON_Parse(out));
    }
    assert_true(calls > 60);
    assert_string_equal(err, "");
}

/* ---- refusals ------------------------------------------------------------ */

static void without_a_fault_the_status_is_1(void **state)
{
    (void)state;
    assert_int_equal(RUN("--json", UIM_CORPUS_DIR "/README.md"), 1);
    assert_string_equal(out, "[]\n");
    assert_string_equal(err, "uiommu explain: " UIM_CORPUS_DIR
                             "/README.md: no fault in there\n");
    assert_int_equal(RUN(log_with("")), 1);
    assert_string_equal(out, "");
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(RUN(LOGS "no-such-file"), 2);
    assert_says(err, "no-such-file: No such file");
    assert_int_equal(RUN("--json", UIM_CORPUS_DIR), 2);
    assert_says(err, UIM_CORPUS_DIR ": Is a directory");
    assert_string_equal(out, "");
}

static void tables_have_to_be_right(void **state)
{
    static const char log[] = LOGS "vtd-ir-22.txt";

    (void)state;
    assert_int_equal(RUN("--fw", TABLES "no-such-file", log), 2);
    assert_says(err, "no-such-file: No such file");
    assert_int_equal(RUN("--fw", UIM_CORPUS_DIR, log), 2);
    assert_says(err, "Is a directory");
    assert_int_equal(RUN("--fw", UIM_CORPUS_DIR "/README.md", log), 2);
    assert_says(err, "README.md: not a DMAR table");
    assert_int_equal(RUN("--fw", log, log), 2);
    assert_says(err, "vtd-ir-22.txt: DMAR: the header says");
    assert_int_equal(RUN("--fw", log_with("DMA"), log), 2);
    assert_says(err, "not a DMAR table");
    assert_int_equal(RUN("--fw", log_with("DMAR and no more"), log), 2);
    assert_says(err, "uiommu explain: /tmp/uiommu-command-");
    assert_string_equal(out, "");
    assert_int_equal(RUN("--fw", log_with(""), log), 2);
    log_with("");
}

static void wrong_usage_has_status_2(void **state)
{
    static const char log[] = LOGS "vtd-ir-22.txt";

    (void)state;
    assert_int_equal(RUN("--jsno", log), 2);
    assert_says(err, "usage: uiommu explain");
    assert_int_equal(RUN(log, "--fw"), 2);
    assert_int_equal(RUN(log, log), 2);
    assert_string_equal(out, "");
    assert_int_equal(RUN("--help"), 0);
    assert_says(out, "usage: uiommu explain");
}

static int remove_log(void **state)
{
    (void)state;
    return command_file(NULL, 0) != NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_sentences_and_causes),
        cmocka_unit_test(json_is_an_array),
        cmocka_unit_test(the_last_line_may_lack_its_end),
        cmocka_unit_test(standard_input_is_read),
        cmocka_unit_test(scopes_that_are_no_pci_devices_have_names),
        cmocka_unit_test(many_faults_need_no_more_memory),
        cmocka_unit_test(every_failed_allocation_is_said),
        cmocka_unit_test(without_a_fault_the_status_is_1),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(tables_have_to_be_right),
        cmocka_unit_test(wrong_usage_has_status_2),
    };

    return cmocka_run_group_tests_name("uiommu explain", tests, NULL,
                                       remove_log);
}
