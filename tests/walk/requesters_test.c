/* SPDX-License-Identifier: MIT */
/*
 * requesters_test.c - entries of requesters by tables that are written here word by word,
 * in some kilobytes of memory that is all there is: what leads out of it is unread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "walk/requesters.h"

enum { WORDS = 4096, PAGE = 4096 };

#define NOWHERE UINT64_C(0x7fff000)

static uint64_t memory[WORDS];

static int begin(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    return 0;
}

static bool read_word(void *ctx, uint64_t phys, uint64_t *value)
{
    unsigned *reads = ctx;

    if (reads)
        ++*reads;
    assert_int_equal(phys % 8, 0);
    if (phys / 8 >= WORDS)
        return false;
    *value = memory[phys / 8];
    return true;
}

static void put(uint64_t phys, unsigned word, uint64_t value)
{
    memory[phys / 8 + word] = value;
}

static struct uim_requester look(const struct uim_requesters *t, uint32_t id)
{
    struct uim_requester r;

    uim_requester_read(t, read_word, NULL, id, &r);
    return r;
}

static struct uim_requesters tables(void)
{
    return (struct uim_requesters){
        .page_sizes = UIM_BIT(12),
        .phys_bits = 46,
        .passes = true,
    };
}

/* ---- by a number ----------------------------------------------------------------- */

static const struct uim_walk_link spanned = {
    .present = 0x1f,
    .next = UINT64_C(0xfffffffffff000),
    .span = 0x1f,
    .lg2 = 3,
};

static void a_span_says_how_many_there_are(void **state)
{
    const struct uim_walk_index index = {
        .link = &spanned,
        .bits = 9,
        .low_bits = 8,
        .entry_lg2 = 4,
    };
    uint64_t words[UIM_ENTRY_WORDS], phys;

    (void)state;
    put(0, 1, 0x1000 | 4); /* 8 entries */
    put(0x1000, 7 * 2 + 1, 99);
    assert_int_equal(
        uim_walk_entry_of(&index, read_word, NULL, 0x107, words, &phys),
        UIM_WALK_FOUND);
    assert_int_equal(phys, 0x1070);
    assert_int_equal(words[1], 99);
    assert_int_equal(
        uim_walk_entry_of(&index, read_word, NULL, 0x108, words, &phys),
        UIM_WALK_ABSENT);
    assert_int_equal(
        uim_walk_entry_of(&index, read_word, NULL, 7, words, &phys),
        UIM_WALK_ABSENT);
    assert_int_equal(
        uim_walk_entry_of(&index, read_word, NULL, 0x200, words, &phys),
        UIM_WALK_ABSENT);
}

static void what_need_not_be_looked_at_is_skipped(void **state)
{
    const struct uim_walk_index two = {
        .link = &spanned,
        .bits = 16,
        .low_bits = 8,
        .entry_lg2 = 4,
    };
    const struct uim_walk_index one = { .bits = 7, .entry_lg2 = 6 };

    (void)state;
    assert_int_equal(uim_walk_skip(&two, UIM_WALK_FOUND, 3), 4);
    assert_int_equal(uim_walk_skip(&two, UIM_WALK_ABSENT, 3), 0x100);
    assert_int_equal(uim_walk_skip(&two, UIM_WALK_UNREAD, 0x103), 0x200);
    assert_int_equal(uim_walk_skip(&two, UIM_WALK_FOUND, 0xffff), 0x10000);
    assert_int_equal(uim_walk_skip(&one, UIM_WALK_UNREAD, 3), 64);
    assert_int_equal(uim_walk_skip(&one, UIM_WALK_UNREAD, 64), 128);
}

/* ---- VT-d ------------------------------------------------------------------------- */

static void legacy_entries_are_read(void **state)
{
    struct uim_requesters t = tables();
    struct uim_requester r;

    (void)state;
    uim_requesters_vtd_legacy(&t, 0x1000);
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_NOTHING);
    put(0x1000, 2 * 2, 0x2000 | 1);
    put(0x2000, 0x18 * 2, 0x3000 | 1);
    put(0x2000, 0x18 * 2 + 1, 7 << 8 | 2);
    r = look(&t, 0x218);
    assert_int_equal(r.own.kind, UIM_SIGHT_TABLE);
    assert_int_equal(r.own.phys, 0x2180);
    assert_int_equal(r.own.root, 0x3000);
    assert_int_equal(r.own.tag, 7);
    assert_int_equal(r.own.params.top, 3);
    assert_ptr_equal(r.own.params.format, &uim_walk_vtd_ss);
    assert_false(r.ats || r.with_pasid);
    put(0x2000, 0x18 * 2, 0x3000 | 1 << 2 | 1);
    assert_true(look(&t, 0x218).ats);
    put(0x2000, 0x18 * 2, 2 << 2 | 1);
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_ALL);
    t.passes = false;
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_MALFORMED);
    put(0x2000, 0x18 * 2, 3 << 2 | 1);
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_MALFORMED);
    put(0x2000, 0x18 * 2, 0x3000 | 1);
    put(0x2000, 0x18 * 2 + 1, 7 << 8 | 4);
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_MALFORMED);
    put(0x1000, 2 * 2, NOWHERE | 1);
    assert_int_equal(look(&t, 0x218).own.kind, UIM_SIGHT_UNREAD);
}

/* Root at 1000, context table of devfn 80 and up at 2000, directory at 3000, PASID table
 * at 4000. */
static void scalable(struct uim_requesters *t, uint64_t context_bits)
{
    *t = tables();
    uim_requesters_vtd_scalable(t, 0x1000);
    put(0x1000, 1, 0x2000 | 1);
    put(0x2000, 8 * 4, 0x3000 | context_bits | 1);
    put(0x3000, 0, 0x4000 | 1);
}

static void scalable_entries_are_read(void **state)
{
    struct uim_requesters t;
    struct uim_requester r;

    (void)state;
    scalable(&t, 4);
    assert_int_equal(look(&t, 0x88).own.kind, UIM_SIGHT_NOTHING);
    put(0x4000, 0, 0x5000 | 2 << 6 | 1 << 2 | 1);
    put(0x4000, 1, 12);
    r = look(&t, 0x88);
    assert_int_equal(r.own.kind, UIM_SIGHT_TABLE);
    assert_int_equal(r.own.phys, 0x4000);
    assert_int_equal(r.own.params.top, 2);
    assert_int_equal(r.own.tag, 12);
    assert_true(r.ats);
    put(0x4000, 0, 3 << 6 | 1 << 2 | 1);
    assert_true(look(&t, 0x88).own.more);
    put(0x4000, 0, 1 << 6 | 1);
    put(0x4000, 2, 0x6000 | 1 << 2);
    r = look(&t, 0x88);
    assert_ptr_equal(r.own.params.format, &uim_walk_vtd_fs);
    assert_int_equal(r.own.params.top, 4);
    assert_int_equal(r.own.root, 0x6000);
    put(0x2000, 8 * 4 + 1, 5); /* RID_PASID */
    put(0x4000, 5 * 8, 4 << 6 | 1);
    assert_int_equal(look(&t, 0x88).own.kind, UIM_SIGHT_ALL);
    put(0x2000, 8 * 4 + 2, 1);
    assert_int_equal(look(&t, 0x88).own.kind, UIM_SIGHT_MALFORMED);
}

static void pasids_are_found_one_by_one(void **state)
{
    struct uim_requesters t;
    struct uim_requester r;
    struct uim_sight sight;
    uint32_t pasid = 0;
    unsigned reads = 0;

    (void)state;
    scalable(&t, 8);
    put(0x3000, 3, 0x5000 | 1);
    put(0x4000, 0, 4 << 6 | 1);
    put(0x4000, 9 * 8, 4 << 6 | 1);
    put(0x5000, 1 * 8, 4 << 6 | 1);
    r = look(&t, 0x88);
    assert_true(uim_requester_next(&t, read_word, &reads, &r, &pasid, &sight));
    assert_int_equal(pasid, 9);
    assert_int_equal(sight.phys, 0x4000 + 9 * 64);
    pasid++;
    assert_true(uim_requester_next(&t, read_word, &reads, &r, &pasid, &sight));
    assert_int_equal(pasid, 3 * 64 + 1);
    pasid++;
    assert_false(uim_requester_next(&t, read_word, &reads, &r, &pasid, &sight));
    assert_true(reads < 4096);
    put(0x2000, 8 * 4, 0x3000 | 1); /* PASIDE is 0 */
    r = look(&t, 0x88);
    pasid = 0;
    assert_false(uim_requester_next(&t, read_word, &reads, &r, &pasid, &sight));
    put(0x3000, 3, NOWHERE | 1);
    put(0x2000, 8 * 4, 0x3000 | 8 | 1);
    r = look(&t, 0x88);
    pasid = 64;
    assert_true(uim_requester_next(&t, read_word, &reads, &r, &pasid, &sight));
    assert_int_equal(pasid, 3 * 64);
    assert_int_equal(sight.kind, UIM_SIGHT_UNREAD);
}

/* ---- SMMUv3 ------------------------------------------------------------------------ */

enum { BYPASS = 4 << 1, S1 = 5 << 1, S2 = 6 << 1, BOTH = 7 << 1 };

static void cd_at(uint64_t phys)
{
    /* ASID 3, AA64, IPS 48 bits, V, EPD1, 48 bits of input, 4 KiB */
    put(phys, 0,
        UINT64_C(3) << 48 | UINT64_C(1) << 41 | UINT64_C(5) << 32 |
            UINT64_C(1) << 31 | 1 << 30 | 16);
    put(phys, 1, 0x6000);
}

static void streams_are_read(void **state)
{
    struct uim_requesters t = tables();
    struct uim_requester r;

    (void)state;
    uim_requesters_smmuv3(&t, 0x1000, 5); /* linear, 32 streams */
    assert_int_equal(look(&t, 2).own.kind, UIM_SIGHT_NOTHING);
    assert_int_equal(look(&t, 32).own.kind, UIM_SIGHT_NOTHING);
    put(0x1000, 2 * 8, BYPASS | 1);
    assert_int_equal(look(&t, 2).own.kind, UIM_SIGHT_ALL);
    put(0x1000, 2 * 8, 1); /* abort */
    assert_int_equal(look(&t, 2).own.kind, UIM_SIGHT_NOTHING);
    cd_at(0x2000);
    put(0x1000, 2 * 8, 0x2000 | S1 | 1);
    put(0x1000, 2 * 8 + 1, 1 << 28);
    r = look(&t, 2);
    assert_int_equal(r.own.kind, UIM_SIGHT_TABLE);
    assert_int_equal(r.own.tag, 3);
    assert_int_equal(r.own.root, 0x6000);
    assert_int_equal(r.own.params.top, 3);
    assert_int_equal(r.own.params.input_bits, 48);
    assert_int_equal(r.own.params.phys_bits, 46);
    assert_true(r.ats && !r.with_pasid && !r.own.more);
    put(0x2000, 0, memory[0x2000 / 8] & ~(UINT64_C(1) << 30)); /* EPD1 */
    assert_true(look(&t, 2).own.more);
    put(0x2000, 0, memory[0x2000 / 8] & ~(UINT64_C(1) << 41));
    assert_int_equal(look(&t, 2).own.kind, UIM_SIGHT_MALFORMED);
    put(0x2000, 0, 0);
    assert_int_equal(look(&t, 2).own.kind, UIM_SIGHT_NOTHING);
}

static void two_levels_of_streams_are_read(void **state)
{
    struct uim_requesters t = tables();

    (void)state;
    uim_requesters_smmuv3(&t, 0x1000, 1 << 16 | 8 << 6 | 16);
    put(0x1000, 2, 0x2000 | 3); /* 4 streams */
    put(0x2000, 3 * 8, BYPASS | 1);
    put(0x2000, 4 * 8, BYPASS | 1);
    assert_int_equal(look(&t, 0x203).own.kind, UIM_SIGHT_ALL);
    assert_int_equal(look(&t, 0x204).own.kind, UIM_SIGHT_NOTHING);
    assert_int_equal(look(&t, 0x303).own.kind, UIM_SIGHT_NOTHING);
    put(0x1000, 2, NOWHERE | 9);
    assert_int_equal(look(&t, 0x203).own.kind, UIM_SIGHT_UNREAD);
}

static void second_stages_are_read(void **state)
{
    const uint64_t q2 = UINT64_C(1) << 51 | UINT64_C(4) << 48 |
                        UINT64_C(2) << 38 | UINT64_C(20) << 32 | 9;
    struct uim_requesters t = tables();
    struct uim_requester r;

    (void)state;
    uim_requesters_smmuv3(&t, 0x1000, 5);
    put(0x1000, 8, S2 | 1);
    put(0x1000, 8 + 2, q2);
    put(0x1000, 8 + 3, 0x7000);
    r = look(&t, 1);
    assert_int_equal(r.own.kind, UIM_SIGHT_TABLE);
    assert_ptr_equal(r.own.params.format, &uim_walk_vmsa_s2_4k);
    assert_int_equal(r.own.params.top, 3);
    assert_int_equal(r.own.params.input_bits, 44);
    assert_int_equal(r.own.params.phys_bits, 44);
    assert_int_equal(r.own.tag, 9);
    assert_int_equal(r.own.root, 0x7000);
    put(0x1000, 8, BOTH | 1);
    assert_true(look(&t, 1).own.more);
    put(0x1000, 8 + 2, q2 | UINT64_C(3) << 38);
    assert_int_equal(look(&t, 1).own.kind, UIM_SIGHT_MALFORMED);
}

static void substreams_are_found(void **state)
{
    const uint64_t table = 0x2000 | UINT64_C(7) << 59 | 1 << 4 | S1 | 1;
    struct uim_requesters t = tables();
    struct uim_requester r;
    struct uim_sight sight;
    uint32_t pasid = 0;

    (void)state;
    uim_requesters_smmuv3(&t, 0x1000, 5);
    put(0x1000, 8, table);
    put(0x2000, 0, 0x3000 | 1);
    put(0x2000, 1, 0x4000 | 1);
    cd_at(0x3000);
    cd_at(0x4040);
    put(0x1000, 8 + 1, 2); /* S1DSS: descriptor 0 */
    r = look(&t, 1);
    assert_int_equal(r.own.kind, UIM_SIGHT_TABLE);
    assert_true(uim_requester_next(&t, read_word, NULL, &r, &pasid, &sight));
    assert_int_equal(pasid, 65);
    assert_int_equal(sight.phys, 0x4040);
    put(0x1000, 8 + 1, 1); /* bypass */
    r = look(&t, 1);
    assert_int_equal(r.own.kind, UIM_SIGHT_ALL);
    pasid = 0;
    assert_true(uim_requester_next(&t, read_word, NULL, &r, &pasid, &sight));
    assert_int_equal(pasid, 0);
    put(0x1000, 8 + 1, 0);
    assert_int_equal(look(&t, 1).own.kind, UIM_SIGHT_NOTHING);
    put(0x1000, 8 + 1, 3);
    assert_int_equal(look(&t, 1).own.kind, UIM_SIGHT_MALFORMED);
}

#define TEST(fn) cmocka_unit_test_setup(fn, begin)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_span_says_how_many_there_are),
        TEST(what_need_not_be_looked_at_is_skipped),
        TEST(legacy_entries_are_read),
        TEST(scalable_entries_are_read),
        TEST(pasids_are_found_one_by_one),
        TEST(streams_are_read),
        TEST(two_levels_of_streams_are_read),
        TEST(second_stages_are_read),
        TEST(substreams_are_found),
    };

    return cmocka_run_group_tests_name("requesters", tests, NULL, NULL);
}
