/* SPDX-License-Identifier: MIT */
/*
 * explain.c - faults with anything in them, into buffers of any size.
 */
#include "fuzz/fuzz.h"

#include <uiommu/uiommu.h>

#define RULES(X)                                                               \
    X(a_fault_has_a_sentence)                                                  \
    X(nothing_is_written_behind_the_buffer)                                    \
    X(a_sentence_is_cut_where_the_buffer_ends)                                 \
    X(the_length_does_not_depend_on_the_buffer)
FUZZ_RULES(RULES);

static const char *const drivers[] = { "vtd", "smmuv3", "", "vtd2" };

static struct uiommu_range range(struct fuzz_input *in)
{
    uint64_t iova = fuzz_take(in, 8);

    return (struct uiommu_range){ iova, fuzz_take(in, 8) };
}

static struct uiommu_fault fault(struct fuzz_input *in)
{
    uint8_t bits = (uint8_t)fuzz_take(in, 1);

    return (struct uiommu_fault){
        .driver = drivers[fuzz_take(in, 1) % 4],
        .unit = (unsigned)fuzz_take(in, 4),
        .source = { .segment = (uint16_t)fuzz_take(in, 2),
                    .bus = (uint8_t)fuzz_take(in, 1),
                    .devfn = (uint8_t)fuzz_take(in, 1) },
        .reason = (uint32_t)fuzz_take(in, bits & 1 ? 1 : 4),
        .pasid = bits & 2 ? UIOMMU_NO_PASID : (uint32_t)fuzz_take(in, 4),
        .access = (unsigned)fuzz_take(in, 1),
        .has_iova = bits & 4,
        .iova = fuzz_take(in, 8),
        .overflow = bits & 8,
        .has_trace = bits & 16,
        .mapped = bits & 32,
        .rights = (unsigned)fuzz_take(in, 1),
        .level = (uint8_t)fuzz_take(in, 1),
        .domain_kind = (uint8_t)fuzz_take(in, 1),
        .below = range(in),
        .above = range(in),
        .kind = bits >> 6 & 1,
        .has_index = bits >> 7,
        .index = (uint32_t)fuzz_take(in, 4),
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct uiommu_fault f = fault(&in);
    size_t room = fuzz_take(&in, 2) % 1024, wanted;
    char *text = malloc(room + 1);

    memset(text, 'x', room + 1);
    wanted = uiommu_explain_fault(&f, text, room);
    text[room] ^= fuzz_lies(RULE_nothing_is_written_behind_the_buffer);
    if (fuzz_lies(RULE_a_sentence_is_cut_where_the_buffer_ends) && room > 0)
        text[0] = '\0';
    if (fuzz_lies(RULE_a_fault_has_a_sentence))
        wanted = 0;
    fuzz_check(wanted > 0 && wanted < 4096, RULE_a_fault_has_a_sentence);
    fuzz_check(text[room] == 'x', RULE_nothing_is_written_behind_the_buffer);
    if (room > 0)
        fuzz_check(strnlen(text, room) == (wanted < room ? wanted : room - 1),
                   RULE_a_sentence_is_cut_where_the_buffer_ends);
    wanted += fuzz_lies(RULE_the_length_does_not_depend_on_the_buffer);
    fuzz_check(uiommu_explain_fault(&f, NULL, 0) == wanted,
               RULE_the_length_does_not_depend_on_the_buffer);
    free(text);
    return 0;
}
