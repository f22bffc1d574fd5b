/* SPDX-License-Identifier: MIT */
/*
 * lines.c - any text as a log: what `uiommu explain --json` makes of it.
 */
#include "fuzz/fuzz.h"

#include <cJSON.h>

#include "tools/explain.h"

#define RULES(X)                                                               \
    X(faults_are_fewer_than_bytes)                                             \
    X(a_fault_has_a_sentence)                                                  \
    X(the_output_is_ascii)                                                     \
    X(the_output_can_be_read_again)
FUZZ_RULES(RULES);

static void check_sentences(const cJSON *faults)
{
    const cJSON *fault;

    cJSON_ArrayForEach(fault, faults)
    {
        const char *sentence =
            cJSON_GetStringValue(cJSON_GetObjectItem(fault, "sentence"));

        if (fuzz_lies(RULE_a_fault_has_a_sentence))
            sentence = NULL;
        fuzz_check(sentence && strlen(sentence) > 20 && strlen(sentence) < 1000,
                   RULE_a_fault_has_a_sentence);
    }
}

static void check_printed(const cJSON *faults)
{
    char *text = cJSON_PrintUnformatted(faults);
    cJSON *again;

    if (fuzz_lies(RULE_the_output_is_ascii))
        text[0] = '\x80';
    for (const char *c = text; *c != '\0'; c++)
        fuzz_check(*c >= 0x20 && *c <= 0x7e, RULE_the_output_is_ascii);
    if (fuzz_lies(RULE_the_output_can_be_read_again))
        text[0] = '}';
    again = cJSON_Parse(text);
    fuzz_check(cJSON_Compare(again, faults, true),
               RULE_the_output_can_be_read_again);
    cJSON_Delete(again);
    cJSON_free(text);
}

static bool collect(void *ctx, cJSON *fault)
{
    return cJSON_AddItemToArray(ctx, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + !size); /* the sanitizer sees what is behind */
    cJSON *faults = cJSON_CreateArray();
    size_t n;

    memcpy(text, data, size);
    (void)explain_text(text, size, NULL, collect, faults);
    n = (size_t)cJSON_GetArraySize(faults);
    if (fuzz_lies(RULE_faults_are_fewer_than_bytes))
        n += size;
    fuzz_check(n <= size / 5, RULE_faults_are_fewer_than_bytes);
    check_sentences(faults);
    check_printed(faults);
    cJSON_Delete(faults);
    free(text);
    return 0;
}
