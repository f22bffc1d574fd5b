/* SPDX-License-Identifier: MIT */
/*
 * The stall model of the SMMUv3 model (IHI0070 3.12.2): what stalls, and what software
 * is told. How the wait ends is in smmuv3_resume_test.
 */
#include "tests/model/stall.h"

/* ---- what stalls ----------------------------------------------------------------- */

struct row {
    unsigned event;
    uint64_t at, clear, set; /* how one word of memory changes */
    uint32_t sid, ssid, access;
    uint64_t iova;
    uint64_t word1, word3;
};

/* clang-format off */
static const struct row rows[] = {
    { 0x10, 0, 0, 0, A, NO_SSID, R, VM_HOLE, IN | RNW, 0 },
    { 0x10, 0, 0, 0, A, NO_SSID, R | W, VM_HOLE, IN, 0 },
    { 0x10, 0, 0, 0, A, NO_SSID, R, UIM_BIT(48), IN | RNW, 0 },
    { 0x10, 0, 0, 0, E, 2, X | P, VM_HOLE, IN | RNW | IND | PNU, 0 },
    { 0x11, S1_3 + LEAF_X, 0, UIM_BIT(47), A, NO_SSID, W, VM_X, IN, 0 },
    { 0x12, S1_3 + LEAF_X, AF, 0, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x13, 0, 0, 0, A, NO_SSID, W, VM_READ_ONLY, IN, 0 },
    { 0x10, 0, 0, 0, B, NO_SSID, W, VM_HOLE + 0x123, S2 | IN, VM_HOLE },
    { 0x11, S2_3 + LEAF_X, 0, UIM_BIT(47), B, NO_SSID, W, VM_X, S2 | IN, VM_X },
    { 0x12, S2_3 + LEAF_X, AF, 0, B, NO_SSID, R, VM_X, S2 | IN | RNW, VM_X },
    { 0x13, 0, 0, 0, B, NO_SSID, W, VM_READ_ONLY, S2 | IN, VM_READ_ONLY },
    { 0x10, 0, 0, 0, C, NO_SSID, R, VM_HOLE, IN | RNW, 0 },
    { 0x10, N_1 + (PAGE_X >> 9), 1, 0, C, NO_SSID, R, VM_X, S2 | IN | RNW, PAGE_X },
    { 0x10, N_1 + (CD_C >> 9), 1, 0, C, NO_SSID, R, VM_X, S2 | RNW, CD_C },
    { 0x12, N_1 + (S1_3 >> 9), AF, 0, C, NO_SSID, R, VM_X, S2 | TT | RNW, S1_3 },
    { 0x13, N_1 + (S1_3 >> 9), 1 << 6, 0, C, NO_SSID, W, VM_X, S2 | TT | TTRNW, S1_3 },
};

/* What is wrong with configuration, or with memory, ends a transaction (5.5). */
static const struct row others[] = {
    { 0x02, 0, 0, 0, 64, NO_SSID, R, VM_X, 0, 0 },
    { 0x04, STE_A, 1, 0, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x06, 0, 0, 0, E, NO_SSID, R, VM_X, 0, 0 },
    { 0x08, 0, 0, 0, A, 1, R, VM_X, 0, 0 },
    { 0x09, STE_A, UIM_MASK(55, 6), VM_OUTSIDE, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x0a, CD_A, UIM_BIT(31), 0, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x0b, SMMU_S1, UINT64_MAX, VM_OUTSIDE | 3, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x0b, SMMU_S2, UINT64_MAX, VM_OUTSIDE | 3, B, NO_SSID, R, VM_X, 0, 0 },
    { 0x11, 0, 0, 0, D, NO_SSID, R, UIM_BIT(44), 0, 0 }, /* no stage that could */
};
/* clang-format on */

static struct vm *prepared(const struct row *row)
{
    struct vm *vm = smmu_create("stall=1,oas=44");

    change(vm, STE_B + 16, 0, UINT64_C(4) << 32); /* S2T0SZ 20 */
    let_stall(vm);
    if (row->at)
        change(vm, row->at, row->clear, row->set);
    smmu_start(vm);
    return vm;
}

static uint64_t who(const struct row *row)
{
    uint64_t word = row->event | (uint64_t)row->sid << 32;

    if (row->ssid == NO_SSID)
        return word;
    return word | (uint64_t)row->ssid << 12 | 1 << 11;
}

/* R and S2R are 0: what stalls is recorded all the same. */
static void faults_of_translation_stall(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct vm *vm = prepared(row);
        uint64_t word[EVENT_WORDS];
        struct uie_xlat x;

        print_message("# row %zu: event %02x\n", i, row->event);
        assert_int_equal(
            smmu_ask(vm, row->sid, row->ssid, row->access, 0, row->iova, &x),
            UIE_STALLED);
        assert_true(smmu_event(vm, word));
        assert_int_equal(word[0], who(row));
        assert_int_equal(word[1] & ~UINT64_C(0xffff), row->word1 | STALL);
        assert_int_equal(word[2], row->iova);
        assert_int_equal(word[3], row->word3);
        assert_int_equal(vm->n_irq, 1);
        assert_int_equal(vm->irq[0].line, 0);
        assert_int_equal(vm->n_response, 0);
        resume(vm, row->sid, (uint16_t)word[1], RETRY);
        assert_int_equal(vm->n_response, 1);
        assert_int_equal(vm->response[0].rid, row->sid);
        assert_int_equal(vm->response[0].pasid, row->ssid);
        assert_int_equal(vm->response[0].group, x.tag);
        assert_int_equal(vm->response[0].code, 0);
        assert_int_equal(vm_counter(vm, "stalls"), 1);
        vm_destroy(vm);
    }
}

static void nothing_else_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        const struct row *row = &others[i];
        struct vm *vm = prepared(row);
        uint64_t word[EVENT_WORDS];
        struct uie_xlat x;

        print_message("# row %zu: event %02x\n", i, row->event);
        assert_int_equal(
            smmu_ask(vm, row->sid, row->ssid, row->access, 0, row->iova, &x),
            UR);
        assert_true(smmu_event(vm, word));
        assert_int_equal(word[0] & 0xff, row->event);
        assert_int_equal(word[1] & STALL, 0);
        assert_int_equal(vm_counter(vm, "stalls"), 0);
        vm_destroy(vm);
    }
}

/* 3.12.5: CD.S decides for stage 1, S2S for stage 2, also where both are on. */
static void each_stage_has_its_own_bit(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        struct vm *vm = smmu_create("stall=1");
        struct uie_xlat x;

        if (bits & 1)
            change(vm, CD_C, 0, CD_S);
        if (bits & 2)
            change(vm, STE_C + 16, 0, S2S);
        change(vm, STE_C + 8, EATS, 0);
        change(vm, N_1 + (PAGE_X >> 9), 1, 0);
        smmu_start(vm);
        assert_int_equal(smmu_ask(vm, C, NO_SSID, R, 0, VM_HOLE, &x),
                         bits & 1 ? UIE_STALLED : UR);
        assert_int_equal(smmu_ask(vm, C, NO_SSID, R, 0, VM_X, &x),
                         bits & 2 ? UIE_STALLED : UR);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 2);
        vm_destroy(vm);
    }
}

static void nobody_waits_for_a_probe(void **state)
{
    struct vm *vm = started("stall=1");
    struct uie_xlat x;

    (void)state;
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, UIE_REQ_PROBE, VM_HOLE, &x),
                     UR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    assert_int_equal(vm_counter(vm, "stalls"), 0);
    vm_destroy(vm);
}

static void translation_requests_are_answered(void **state)
{
    struct vm *vm = started("stall=1");
    struct uie_xlat x;

    (void)state;
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, UIE_REQ_ATS, VM_HOLE, &x), 0);
    assert_int_equal(x.perm, 0);
    assert_int_equal(
        smmu_ask(vm, A, NO_SSID, R, UIE_REQ_XLATED, UIM_BIT(48), &x), UR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    vm_destroy(vm);
}

/* ---- what software may write ----------------------------------------------------- */

static void identification(void **state)
{
    static const struct {
        const char *args;
        unsigned model, max;
    } args[] = { { "", 1, 0 },
                 { "stall=1", 0, 16 },
                 { "stall=1,stall_max=64", 0, 64 },
                 { "stall_max=3", 1, 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(args); i++) {
        struct vm *vm = smmu_create(args[i].args);

        assert_int_equal(smmu_rd(vm, SMMUV3_REG_IDR0) >> 24 & 3, args[i].model);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_IDR0) >> 26 & 1, 1);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_IDR5) >> 16, args[i].max);
        vm_destroy(vm);
    }
}

static void legal_and_illegal(void **state)
{
    static const struct {
        const char *args;
        uint64_t at, set, clear;
        uint64_t at_2, set_2;
        uint32_t sid;
        unsigned event;
    } entries[] = {
        { "stall=1", STE_A + 8, S1STALLD, 0, 0, 0, A, 0 },
        { "stall=1", CD_A, CD_S, 0, 0, 0, A, 0 },
        { "stall=1", STE_A + 8, S1STALLD, 0, CD_A, CD_S, A, 0x0a },
        { "stall=1", STE_B + 16, S2S, 0, 0, 0, B, 0x04 }, /* and EATS */
        { "stall=1", STE_B + 16, S2S, 0, STE_B + 8, UIM_BIT(29), B, 0 },
        { "stall=1,ats=0", STE_B + 16, S2S, 0, 0, 0, B, 0 },
        { "stall=1", STE_A + 16, S2S, 0, 0, 0, A, 0 }, /* no stage 2 */
        { "", STE_A + 8, S1STALLD, 0, 0, 0, A, 0x04 },
        { "", CD_A, CD_S, 0, 0, 0, A, 0x0a },
        { "ats=0", STE_B + 16, S2S, 0, 0, 0, B, 0x04 },
        { "stall=1", CD_A, 0, UIM_BIT(46), 0, 0, A, 0x0a }, /* A: TERM_MODEL */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        struct vm *vm = smmu_create(entries[i].args);

        print_message("# row %zu\n", i);
        change(vm, entries[i].at, entries[i].clear, entries[i].set);
        if (entries[i].at_2) /* EATS 1 becomes 3, which is as 0 */
            change(vm, entries[i].at_2, 0, entries[i].set_2);
        smmu_start(vm);
        assert_int_equal(smmu_go(vm, entries[i].sid, R, VM_X),
                         entries[i].event ? 0 : PAGE_X);
        assert_int_equal(smmu_event_id(vm), entries[i].event);
        vm_destroy(vm);
    }
}

static void commands_where_nothing_stalls(void **state)
{
    static const struct {
        const char *args;
        uint64_t lo;
        bool legal;
    } commands[] = {
        { "", 0x44, false },
        { "", 0x45, false },
        { "stall=1", 0x44 | 1 << 10, false }, /* SSec */
        { "stall=1", 0x45 | 1 << 10, false },
        { "stall=1", 0x44, true },
        { "stall=1", 0x45, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct vm *vm = smmu_create(commands[i].args);

        smmu_start(vm);
        smmu_submit(vm, commands[i].lo, 0);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS),
                         commands[i].legal ? 1 : 1 << 24);
        vm_destroy(vm);
    }
}

/* ---- records that wait ----------------------------------------------------------- */

/* 7.4: held until there is space, in the order in which they came, and that is no
 * overflow. */
static void stalls_wait_for_space(void **state)
{
    struct vm *vm = started("stall=1");
    uint32_t first, second;

    (void)state;
    fill_queue(vm);
    first = stall(vm, A, R, VM_HOLE);
    second = stall(vm, A, R, VM_HOLE + 0x3000);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), EVENTS);
    assert_int_equal(vm_counter(vm, "events_lost"), 0);
    assert_int_equal(smmu_event_id(vm), 4);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), EVENTS + 1);
    for (unsigned i = 1; i < EVENTS; i++)
        assert_int_equal(smmu_event_id(vm), 4);
    resume(vm, A, stag_of(vm, VM_HOLE), RETRY);
    ended(vm, 0, A, first, true);
    resume(vm, A, stag_of(vm, VM_HOLE + 0x3000), ABORT);
    ended(vm, 1, A, second, false);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

/* What ends is lost as ever, also behind one that waits. */
static void terminations_are_lost_meanwhile(void **state)
{
    struct vm *vm = started("stall=1");

    (void)state;
    fill_queue(vm);
    stall(vm, A, R, VM_HOLE);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm_counter(vm, "events_lost"), 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), UIM_BIT(31) | EVENTS);
    smmu_event_id(vm);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD),
                     UIM_BIT(31) | (EVENTS + 1));
    vm_destroy(vm);
}

static void stalls_wait_for_the_queue(void **state)
{
    struct vm *vm = started("stall=1");
    uint32_t tag;

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 9); /* EVENTQEN 0 */
    tag = stall(vm, A, R, VM_HOLE);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(vm->n_irq, 1);
    resume(vm, A, stag_of(vm, VM_HOLE), RETRY);
    ended(vm, 0, A, tag, true);
    vm_destroy(vm);
}

static void stalls_wait_for_an_acknowledgement(void **state)
{
    struct vm *vm = started(NORMAL);
    uint32_t tag;

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 9);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, VM_OUTSIDE | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    tag = stall(vm, A, R, VM_HOLE);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), EVENTQ_ABT_ERR);
    smmu_wr(vm, SMMUV3_REG_CR0, 9);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, SMMU_EVENTQ | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    smmu_wr(vm, SMMUV3_REG_GERRORN, EVENTQ_ABT_ERR);
    resume(vm, A, stag_of(vm, VM_HOLE), RETRY);
    ended(vm, 0, A, tag, true);
    vm_destroy(vm);
}

/* 6.3.6: never more records than STALL_MAX wait for an answer. */
static void records_are_limited(void **state)
{
    struct vm *vm = started("stall=1,stall_max=2");
    uint32_t tag[4];
    uint16_t stag[2];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        tag[i] = stall(vm, A, R, VM_HOLE + i * 0x10000);
    for (unsigned i = 0; i < 2; i++)
        stag[i] = stag_of(vm, VM_HOLE + i * 0x10000);
    assert_int_equal(smmu_event_id(vm), 0);
    resume(vm, A, stag[1], ABORT);
    ended(vm, 0, A, tag[1], false);
    stag[1] = stag_of(vm, VM_HOLE + 0x20000);
    assert_int_equal(smmu_event_id(vm), 0);
    resume(vm, A, stag[0], ABORT);
    resume(vm, A, stag[1], ABORT);
    ended(vm, 2, A, tag[2], false);
    resume(vm, A, stag_of(vm, VM_HOLE + 0x30000), ABORT);
    ended(vm, 3, A, tag[3], false);
    vm_destroy(vm);
}

/* There is an end to what the unit can keep. */
static void one_too_many_ends(void **state)
{
    struct vm *vm = started("stall=1,stall_max=64");
    uint64_t word[EVENT_WORDS];
    struct uie_xlat x;

    (void)state;
    change(vm, CD_A, 0, CD_R);
    for (unsigned i = 0; i < MOST; i++) {
        stall(vm, A, R, 0x10000 + i * 0x1000);
        assert_true(smmu_event(vm, word));
    }
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, 0, VM_HOLE + 0x3000, &x), UR);
    assert_true(smmu_event(vm, word));
    assert_int_equal(word[0] & 0xff, 0x10);
    assert_int_equal(word[1] & (STALL | 0xffff), 0);
    assert_int_equal(vm_counter(vm, "stalls"), MOST);
    vm_destroy(vm);
}

/* 4.7.3: what was found before the SYNC must not be recorded behind it. */
static void what_is_held_is_retried_behind_a_sync(void **state)
{
    struct vm *vm = started("stall=1");
    uint32_t tag;

    (void)state;
    fill_queue(vm);
    tag = stall(vm, A, R, VM_HOLE);
    map_hole(vm);
    smmu_submit(vm, smmu_tlbi(0x12, 0, SMMU_ASID), VM_HOLE);
    smmu_sync(vm);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(smmu_event_id(vm), 4);
    assert_int_equal(vm->n_response, 1);
    ended(vm, 0, A, tag, true);
    for (unsigned i = 1; i < EVENTS; i++)
        assert_int_equal(smmu_event_id(vm), 4);
    assert_int_equal(smmu_event_id(vm), 0);
    assert_int_equal(smmu_go(vm, A, R, VM_HOLE), PAGE_HOLE);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_translation_stall),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(each_stage_has_its_own_bit),
        cmocka_unit_test(nobody_waits_for_a_probe),
        cmocka_unit_test(translation_requests_are_answered),
        cmocka_unit_test(identification),
        cmocka_unit_test(legal_and_illegal),
        cmocka_unit_test(commands_where_nothing_stalls),
        cmocka_unit_test(stalls_wait_for_space),
        cmocka_unit_test(terminations_are_lost_meanwhile),
        cmocka_unit_test(stalls_wait_for_the_queue),
        cmocka_unit_test(stalls_wait_for_an_acknowledgement),
        cmocka_unit_test(records_are_limited),
        cmocka_unit_test(one_too_many_ends),
        cmocka_unit_test(what_is_held_is_retried_behind_a_sync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
