/* SPDX-License-Identifier: MIT */
/*
 * tables.c - tables that anybody wrote: the input is a kind of unit, its registers, and all
 * the memory there is, from address 0 on. Whoever is in them is found and followed down to
 * leaves, as an audit does.
 */
#include "fuzz/fuzz.h"

#include "base/bits.h"
#include "walk/requesters.h"

#define RULES(X)                                                               \
    X(reads_are_aligned)                                                       \
    X(an_entry_takes_few_reads)                                                \
    X(what_comes_next_is_further_on)                                           \
    X(a_pasid_has_20_bits_at_most)                                             \
    X(a_table_has_a_format_and_a_level)                                        \
    X(a_walk_reads_an_entry_a_level)                                           \
    X(a_leaf_is_no_larger_than_addresses)
FUZZ_RULES(RULES);

enum {
    ENTRY_READS = 1 + UIM_ENTRY_WORDS,
    IDS = 2048,    /* that are looked at, and PASIDs of each               */
    PASIDS = 64,
    STEPS = 64,    /* through page tables                                  */
};

static struct fuzz_input memory;
static unsigned reads;

static bool read_word(void *ctx, uint64_t phys, uint64_t *value)
{
    (void)ctx;
    phys += fuzz_lies(RULE_reads_are_aligned);
    fuzz_check(phys % 8 == 0, RULE_reads_are_aligned);
    reads++;
    if (memory.left < 8 || phys > memory.left - 8)
        return false;
    *value = 0;
    for (unsigned i = 0; i < 8; i++)
        *value |= (uint64_t)memory.data[phys + i] << 8 * i;
    return true;
}

/* ---- page tables ------------------------------------------------------------- */

static uint64_t step(const struct uim_sight *sight, uint64_t iova)
{
    struct uim_walk_result at;
    unsigned lg2;

    reads =
        fuzz_lies(RULE_a_walk_reads_an_entry_a_level) ? UIM_WALK_LEVELS + 1 : 0;
    uim_walk(&sight->params, read_word, NULL, sight->root, iova, &at);
    fuzz_check(reads <= UIM_WALK_LEVELS, RULE_a_walk_reads_an_entry_a_level);
    lg2 = uim_walk_shift(&sight->params, at.level);
    if (at.end.kind == UIM_WALK_LEAF)
        lg2 = at.end.lg2 +
              (fuzz_lies(RULE_a_leaf_is_no_larger_than_addresses) ? 64u : 0u);
    fuzz_check(lg2 < 64, RULE_a_leaf_is_no_larger_than_addresses);
    return uim_align_down(iova, UIM_BIT(lg2)) + UIM_BIT(lg2);
}

static void follow(const struct uim_sight *sight)
{
    const struct uim_walk_params *p = &sight->params;
    const unsigned top =
        p->top + (fuzz_lies(RULE_a_table_has_a_format_and_a_level)
                      ? UIM_WALK_LEVELS
                      : 0u);
    uint64_t iova = 0;

    if (sight->kind != UIM_SIGHT_TABLE)
        return;
    fuzz_check(p->format && top < UIM_WALK_LEVELS,
               RULE_a_table_has_a_format_and_a_level);
    for (unsigned i = 0; i < STEPS && uim_walk_fits(p, iova); i++)
        iova = step(sight, iova);
}

/* ---- requesters ---------------------------------------------------------------- */

static void look_at_pasids(const struct uim_requesters *t,
                           const struct uim_requester *r)
{
    struct uim_sight sight;
    uint32_t pasid = 0;

    for (unsigned i = 0; i < PASIDS; i++) {
        if (!uim_requester_next(t, read_word, NULL, r, &pasid, &sight))
            return;
        pasid += fuzz_lies(RULE_a_pasid_has_20_bits_at_most) ? 1u << 20 : 0;
        fuzz_check(pasid >> 20 == 0, RULE_a_pasid_has_20_bits_at_most);
        follow(&sight);
        pasid++;
    }
}

static uint64_t look(const struct uim_requesters *t, uint32_t id)
{
    uint64_t words[UIM_ENTRY_WORDS], phys, next;
    enum uim_walk_found found;
    struct uim_requester r;

    reads = fuzz_lies(RULE_an_entry_takes_few_reads) ? ENTRY_READS + 1 : 0;
    found = uim_walk_entry_of(&t->ids, read_word, NULL, id, words, &phys);
    fuzz_check(reads <= ENTRY_READS, RULE_an_entry_takes_few_reads);
    next = uim_walk_skip(&t->ids, found, id);
    if (fuzz_lies(RULE_what_comes_next_is_further_on))
        next = id;
    fuzz_check(next > id && next <= UIM_BIT(t->ids.bits),
               RULE_what_comes_next_is_further_on);
    if (found != UIM_WALK_FOUND)
        return next;
    uim_requester_read(t, read_word, NULL, id, &r);
    follow(&r.own);
    look_at_pasids(t, &r);
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    const unsigned kind = (unsigned)fuzz_take(&in, 1) % 3;
    const uint64_t base = fuzz_take(&in, 8);
    const uint32_t cfg = (uint32_t)fuzz_take(&in, 4);
    struct uim_requesters t = {
        .page_sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30),
        .phys_bits = 46,
        .passes = true,
    };
    uint64_t id = 0;

    memory = in;
    if (kind == 0)
        uim_requesters_vtd_legacy(&t, base);
    else if (kind == 1)
        uim_requesters_vtd_scalable(&t, base);
    else
        uim_requesters_smmuv3(&t, base, cfg);
    for (unsigned i = 0; i < IDS && id >> t.ids.bits == 0; i++)
        id = look(&t, (uint32_t)id);
    return 0;
}
