/* SPDX-License-Identifier: MIT */
/*
 * The stall model of the SMMUv3 model (IHI0070 3.12.2): what stalls, what software is
 * told, and every way in which the wait ends.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"
#include "tests/model/stream.h"

enum {
    R = UIE_R,
    W = UIE_W,
    X = UIE_X,
    P = UIE_PRIV,
    A = SMMU_A,
    B = SMMU_B,
    C = SMMU_C,
    D = SMMU_D,
    E = SMMU_E,
    UR = UIE_ERR_UR,
    STE_A = SMMU_STRTAB + A * 64,
    STE_B = SMMU_STRTAB + B * 64,
    STE_C = SMMU_STRTAB + C * 64,
    CD_A = SMMU_CD,
    CD_C = SMMU_CD_NESTED,
    S1_3 = SMMU_S1 + 0x3000,
    S2_3 = SMMU_S2 + 0x3000,
    N_1 = SMMU_S2_NESTED + 0x1000,
    LEAF_X = VM_X >> 12 << 3,
    PAGE_X = VM_PAGES + VM_X,
    HOLE = S1_3 + (VM_HOLE >> 12) * 8,
    PAGE_HOLE = VM_PAGES + VM_HOLE,
    EVENTQ_ABT_ERR = 4,
    SYNC = 0x46,
    EVENTS = 16, /* in the queue */
    MOST = 64,   /* that wait at once */
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NO_SSID  UIE_NO_PASID
#define NORMAL   "stall=1,cache=normal"
#define ADV      "stall=1,cache=adversarial"
#define AF       UIM_BIT(10)
#define CD_S     UIM_BIT(44)
#define CD_R     UIM_BIT(45)
#define S2S      UIM_BIT(57)
#define S2R      UIM_BIT(58)
#define S1STALLD UIM_BIT(27)
#define EATS     UIM_MASK(29, 28)
#define TAG      UINT32_C(0x80000000)

/* Of word 1. */
#define STALL UIM_BIT(31)
#define PNU   UIM_BIT(33)
#define IND   UIM_BIT(34)
#define RNW   UIM_BIT(35)
#define S2    UIM_BIT(39)
#define TT    UIM_BIT(40)
#define IN    UIM_BIT(41)
#define TTRNW UIM_BIT(44)

static void change(struct vm *vm, uint64_t at, uint64_t clear, uint64_t set)
{
    vm_poke(vm, at, (vm_peek(vm, at) & ~clear) | set);
}

/* Everything stalls that can: with S2S there is no ATS. */
static void let_stall(struct vm *vm)
{
    change(vm, CD_A, CD_R, CD_S);
    change(vm, CD_C, CD_R, CD_S);
    for (unsigned i = 0; i < 64; i++)
        change(vm, SMMU_CD_MANY + i * 64, CD_R, CD_S);
    change(vm, STE_B + 16, S2R, S2S);
    change(vm, STE_C + 16, S2R, S2S);
    change(vm, STE_B + 8, EATS, 0);
    change(vm, STE_C + 8, EATS, 0);
}

static struct vm *started(const char *args)
{
    struct vm *vm = smmu_create(args);

    let_stall(vm);
    smmu_start(vm);
    return vm;
}

/* Its tag. */
static uint32_t stall(struct vm *vm, uint32_t sid, uint32_t access,
                      uint64_t iova)
{
    struct uie_xlat x;

    assert_int_equal(smmu_ask(vm, sid, NO_SSID, access, 0, iova, &x),
                     UIE_STALLED);
    assert_true(x.tag & TAG);
    return x.tag;
}

/* The STAG of the oldest event, which is a stall of that address. */
static uint16_t stag_of(struct vm *vm, uint64_t iova)
{
    uint64_t word[EVENT_WORDS];

    assert_true(smmu_event(vm, word));
    assert_true(word[1] & STALL);
    assert_int_equal(word[2], iova);
    return (uint16_t)word[1];
}

static void resume(struct vm *vm, uint32_t sid, uint16_t stag, unsigned acab)
{
    smmu_submit(vm, 0x44 | (uint64_t)acab << 12 | (uint64_t)sid << 32, stag);
    assert_true(smmu_drained(vm));
}

enum { TERMINATE = 0, RETRY = 1, ABORT = 2, RETRY_AB = 3 };

static void ended(struct vm *vm, unsigned n, uint32_t sid, uint32_t tag,
                  bool retry)
{
    assert_true(n < vm->n_response);
    assert_int_equal(vm->response[n].rid, sid);
    assert_int_equal(vm->response[n].pasid, NO_SSID);
    assert_int_equal(vm->response[n].group, tag);
    assert_int_equal(vm->response[n].code == 0, retry);
}

/* Without the commands that an adversarial unit makes something of. */
static void map_hole(struct vm *vm)
{
    vm_poke(vm, HOLE, PAGE_HOLE | S1_PAGE);
}

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

/* ---- RESUME (4.7.1) -------------------------------------------------------------- */

static void a_retry_sees_what_memory_says(void **state)
{
    struct vm *vm = started("stall=1");
    uint32_t tag = stall(vm, A, R, VM_HOLE), again;
    uint16_t stag = stag_of(vm, VM_HOLE);

    (void)state;
    resume(vm, A, stag, RETRY);
    ended(vm, 0, A, tag, true);
    again = stall(vm, A, R, VM_HOLE); /* nothing was mended */
    assert_int_not_equal(again, tag);
    map_hole(vm);
    resume(vm, A, stag_of(vm, VM_HOLE), RETRY_AB);
    ended(vm, 1, A, again, true);
    assert_int_equal(smmu_go(vm, A, R, VM_HOLE), PAGE_HOLE);
    assert_int_equal(vm->n_response, 2);
    vm_destroy(vm);
}

/* TERM_MODEL is 1: Ab makes no difference. */
static void a_termination_is_an_abort(void **state)
{
    struct vm *vm = started("stall=1");

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t tag = stall(vm, A, W, VM_HOLE);

        resume(vm, A, stag_of(vm, VM_HOLE), i ? ABORT : TERMINATE);
        ended(vm, i, A, tag, false);
    }
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

static void what_is_not_there_is_not_resumed(void **state)
{
    struct vm *vm = started("stall=1");
    uint32_t tag = stall(vm, A, R, VM_HOLE);
    uint16_t stag = stag_of(vm, VM_HOLE);

    (void)state;
    resume(vm, B, stag, RETRY);
    resume(vm, A, (uint16_t)(stag ^ 1), RETRY);
    resume(vm, A, (uint16_t)(stag ^ 0x8000), ABORT);
    assert_int_equal(vm->n_response, 0);
    resume(vm, A, stag, RETRY);
    resume(vm, A, stag, RETRY);
    resume(vm, A, stag, ABORT);
    assert_int_equal(vm->n_response, 1);
    ended(vm, 0, A, tag, true);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
    vm_destroy(vm);
}

/* Those of one stream are told apart, in any order; others go on meanwhile. */
static void several_wait(void **state)
{
    static const uint64_t iova[] = { VM_HOLE, VM_HOLE + 0x3000,
                                     VM_HOLE + 0x4000 };
    struct vm *vm = started("stall=1");
    uint32_t tag[3], b;
    uint16_t stag[3], of_b;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        tag[i] = stall(vm, A, R, iova[i]);
        assert_int_equal(smmu_go(vm, A, R, VM_X), PAGE_X);
    }
    b = stall(vm, B, R, VM_HOLE);
    for (unsigned i = 0; i < 3; i++)
        stag[i] = stag_of(vm, iova[i]);
    of_b = stag_of(vm, VM_HOLE);
    assert_true(stag[0] != stag[1] && stag[1] != stag[2] &&
                stag[0] != stag[2] && of_b != stag[0] && of_b != stag[1] &&
                of_b != stag[2]);
    resume(vm, A, stag[1], ABORT);
    ended(vm, 0, A, tag[1], false);
    resume(vm, B, of_b, RETRY);
    ended(vm, 1, B, b, true);
    resume(vm, A, stag[2], RETRY);
    ended(vm, 2, A, tag[2], true);
    resume(vm, A, stag[0], RETRY);
    ended(vm, 3, A, tag[0], true);
    vm_destroy(vm);
}

/* A STAG is free for the next one as soon as it was answered. */
static void stags_are_used_again(void **state)
{
    struct vm *vm = started("stall=1");
    uint16_t stag[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stall(vm, A, R, VM_HOLE);
        stag[i] = stag_of(vm, VM_HOLE);
        resume(vm, A, stag[i], ABORT);
    }
    assert_int_equal(stag[0], stag[1]);
    vm_destroy(vm);
}

/* ---- records that wait ----------------------------------------------------------- */

static void fill_queue(struct vm *vm)
{
    for (unsigned i = 0; i < EVENTS; i++)
        smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), EVENTS);
}

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

/* ---- other ends ------------------------------------------------------------------ */

/* STE.Config 0: every transaction ends. */
static void stop_stream(struct vm *vm, uint32_t sid)
{
    change(vm, smmu_ste(sid), 0xe, 0);
    smmu_submit(vm, smmu_cfgi_ste(sid), 0);
}

static uint64_t stall_term(uint32_t sid)
{
    return 0x45 | (uint64_t)sid << 32;
}

static void all_of_a_stream_end(void **state)
{
    struct vm *vm = started("stall=1,stall_max=2");
    uint32_t tag[3], b;

    (void)state;
    tag[0] = stall(vm, A, R, VM_HOLE);
    b = stall(vm, B, R, VM_HOLE);
    tag[1] = stall(vm, A, R, VM_HOLE + 0x3000); /* no record yet */
    tag[2] = stall(vm, A, R, VM_HOLE + 0x4000);
    stop_stream(vm, A);
    smmu_submit(vm, stall_term(A), 0);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm->n_response, 3);
    for (unsigned i = 0; i < 3; i++)
        ended(vm, i, A, tag[2 - i], false);
    stag_of(vm, VM_HOLE);
    resume(vm, B, stag_of(vm, VM_HOLE), RETRY);
    ended(vm, 3, B, b, true);
    assert_int_equal(smmu_event_id(vm), 0);
    smmu_submit(vm, stall_term(A), 0);
    assert_int_equal(vm->n_response, 4);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 0);
    vm_destroy(vm);
}

/* 4.7.2: of a stream that is in use the result is unpredictable. */
static void streams_in_use(void **state)
{
    static const char *const args[] = { NORMAL, ADV };

    (void)state;
    for (size_t i = 0; i < COUNT(args); i++) {
        struct vm *vm = started(args[i]);

        stall(vm, A, R, VM_HOLE);
        smmu_submit(vm, stall_term(A), 0);
        assert_true(smmu_drained(vm));
        assert_int_equal(vm->n_response, i == 0);
        assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
        vm_destroy(vm);
    }
}

static void all_end_with_translation(void **state)
{
    struct vm *vm = started("stall=1,stall_max=1");
    uint32_t a = stall(vm, A, R, VM_HOLE), b = stall(vm, B, R, VM_HOLE);
    uint16_t stag = stag_of(vm, VM_HOLE);

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    assert_int_equal(vm->n_response, 2);
    ended(vm, 0, B, b, false);
    ended(vm, 1, A, a, false);
    resume(vm, A, stag, RETRY);
    assert_int_equal(vm->n_response, 2);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

/* As at power on; devices are reset as well, and nobody is told. */
static void reset_forgets_stalls(void **state)
{
    struct vm *vm = started("stall=1");
    uint16_t stag;

    (void)state;
    stall(vm, A, R, VM_HOLE);
    stag = stag_of(vm, VM_HOLE);
    vm->ops->reset(vm->m);
    vm->tail = 0;
    smmu_start(vm);
    resume(vm, A, stag, RETRY);
    assert_int_equal(vm->n_response, 0);
    vm_destroy(vm);
}

/* ---- what only an adversarial unit does ------------------------------------------ */

/* 3.12.2.1: one record is enough for what is alike; the others are retried when it is
 * answered. */
static void one_record_for_several(void **state)
{
    struct vm *vm = started(ADV);
    uint32_t first = stall(vm, A, R, VM_HOLE);
    uint32_t second = stall(vm, A, R, VM_HOLE + 8);
    uint32_t other = stall(vm, A, W, VM_HOLE);
    uint16_t stag = stag_of(vm, VM_HOLE);

    (void)state;
    stag_of(vm, VM_HOLE); /* it writes: another record */
    assert_int_equal(smmu_event_id(vm), 0);
    resume(vm, A, stag, ABORT);
    assert_int_equal(vm->n_response, 2);
    ended(vm, 0, A, first, false);
    ended(vm, 1, A, second, true);
    stop_stream(vm, A);
    smmu_submit(vm, stall_term(A), 0);
    ended(vm, 2, A, other, false);
    vm_destroy(vm);
}

/* 3.12.2.2: what would pass is retried before software says so, and the record has to
 * be answered all the same. */
static void a_retry_comes_early(void **state)
{
    struct vm *vm = started(ADV);
    uint32_t tag = stall(vm, A, R, VM_HOLE), next;
    uint16_t stag = stag_of(vm, VM_HOLE);

    (void)state;
    smmu_sync(vm);
    assert_int_equal(vm->n_response, 0);
    map_hole(vm);
    smmu_submit(vm, smmu_tlbi(0x12, 0, SMMU_ASID), VM_HOLE);
    smmu_sync(vm);
    ended(vm, 0, A, tag, true);
    next = stall(vm, A, R, VM_HOLE + 0x3000);
    assert_int_not_equal(stag_of(vm, VM_HOLE + 0x3000), stag);
    resume(vm, A, stag, ABORT);
    assert_int_equal(vm->n_response, 1);
    stop_stream(vm, A);
    smmu_submit(vm, stall_term(A), 0);
    ended(vm, 1, A, next, false);
    vm_destroy(vm);
}

/* 7.2.2: a record that cannot be written may be lost: STALL_TERM alone ends it. */
static void a_record_is_lost(void **state)
{
    struct vm *vm = started(ADV);
    uint32_t tag;

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 9);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, VM_OUTSIDE | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    tag = stall(vm, A, R, VM_HOLE);
    smmu_wr(vm, SMMUV3_REG_CR0, 9);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, SMMU_EVENTQ | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    smmu_wr(vm, SMMUV3_REG_GERRORN, EVENTQ_ABT_ERR);
    assert_int_equal(smmu_event_id(vm), 0);
    stop_stream(vm, A);
    smmu_submit(vm, stall_term(A), 0);
    ended(vm, 0, A, tag, false);
    vm_destroy(vm);
}

/* ---- states ---------------------------------------------------------------------- */

/* One of each kind: recorded, suppressed, held. */
static struct vm *waiting(const char *args, uint32_t tag[3])
{
    struct vm *vm = started(args);

    tag[0] = stall(vm, A, R, VM_HOLE);
    tag[1] = stall(vm, A, R, VM_HOLE + 8);
    tag[2] = stall(vm, B, W, VM_HOLE);
    return vm;
}

static struct vm *moved(struct vm *from, const char *args)
{
    struct stream *s = stream_save(from), *again;
    struct vm *to = smmu_create(args);

    memcpy(to->memory, from->memory, VM_MEMORY);
    to->tail = from->tail;
    assert_int_equal(stream_load(to, s), 0);
    again = stream_save(to);
    assert_true(stream_same(s, again));
    free(again);
    free(s);
    vm_forget(to);
    return to;
}

static void stalls_are_moved(void **state)
{
    const char *args = "stall=1,stall_max=1,cache=adversarial";
    uint32_t tag[3];
    struct vm *vm = waiting(args, tag), *to = moved(vm, args);

    (void)state;
    resume(to, A, stag_of(to, VM_HOLE), ABORT);
    ended(to, 0, A, tag[0], false);
    ended(to, 1, A, tag[1], true);
    resume(to, B, stag_of(to, VM_HOLE), RETRY);
    ended(to, 2, B, tag[2], true);
    assert_int_not_equal(stall(to, A, R, VM_HOLE), tag[2]);
    vm_destroy(to);
    vm_destroy(vm);
}

/* Where a state has its first stall: kind, ended, outdated, STAG, tag, stream. */
static size_t first_stall(const struct stream *s, uint32_t tag)
{
    return stream_find(s, tag) - 4;
}

enum { KIND, ENDED, OUTDATED, STAG, TAGS, NUMBERS = 13 };

static void states_that_cannot_be(void **state)
{
    static const struct {
        unsigned stall, at;
        uint64_t value;
    } wrong[] = {
        { 0, KIND, 3 },       { 0, ENDED, 2 },    { 0, OUTDATED, 1 },
        { 0, STAG, 0x10000 }, { 0, TAGS, 1 },     { 1, ENDED, 1 },
        { 2, ENDED, 1 },      { 1, OUTDATED, 1 }, { 1, KIND, 2 },
        { 2, KIND, 2 },
    };
    const char *args = "stall=1,stall_max=1,cache=adversarial";
    uint32_t tag[3];
    struct vm *vm = waiting(args, tag);
    struct stream *good = stream_save(vm), *s = malloc(sizeof(*s));

    (void)state;
    assert_non_null(s);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        *s = *good;
        stream_set_number(s,
                          first_stall(good, tag[0]) + wrong[i].stall * NUMBERS +
                              wrong[i].at,
                          wrong[i].value);
        stream_seal(s);
        print_message("# row %zu\n", i);
        stream_check_refused(vm, s, NULL);
    }
    *s = *good; /* two with one tag */
    stream_set_number(s, first_stall(good, tag[0]) + NUMBERS + TAGS, tag[0]);
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    free(s);
    free(good);
    vm_destroy(vm);
}

/* Whoever gets such a unit can end what waits. */
static void use(struct vm *vm)
{
    struct uie_xlat x;

    smmu_wr(vm, SMMUV3_REG_GERRORN, smmu_rd(vm, SMMUV3_REG_GERROR));
    smmu_ask(vm, A, NO_SSID, R, 0, VM_HOLE, &x);
    smmu_submit(vm, 0x44 | UINT64_C(1) << 12 | (uint64_t)A << 32, 0xffff);
    smmu_submit(vm, SYNC, 0);
    smmu_event_id(vm);
    smmu_submit(vm, stall_term(B), 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    vm_forget(vm);
}

static void every_number_becomes_another(void **state)
{
    uint32_t tag[3];
    struct vm *vm = waiting("stall=1,stall_max=1,pri=1,priqs=3," ADV, tag);

    (void)state;
    stream_try_each_number(vm, 0, use);
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
        cmocka_unit_test(a_retry_sees_what_memory_says),
        cmocka_unit_test(a_termination_is_an_abort),
        cmocka_unit_test(what_is_not_there_is_not_resumed),
        cmocka_unit_test(several_wait),
        cmocka_unit_test(stags_are_used_again),
        cmocka_unit_test(stalls_wait_for_space),
        cmocka_unit_test(terminations_are_lost_meanwhile),
        cmocka_unit_test(stalls_wait_for_the_queue),
        cmocka_unit_test(stalls_wait_for_an_acknowledgement),
        cmocka_unit_test(records_are_limited),
        cmocka_unit_test(one_too_many_ends),
        cmocka_unit_test(what_is_held_is_retried_behind_a_sync),
        cmocka_unit_test(all_of_a_stream_end),
        cmocka_unit_test(streams_in_use),
        cmocka_unit_test(all_end_with_translation),
        cmocka_unit_test(reset_forgets_stalls),
        cmocka_unit_test(one_record_for_several),
        cmocka_unit_test(a_retry_comes_early),
        cmocka_unit_test(a_record_is_lost),
        cmocka_unit_test(stalls_are_moved),
        cmocka_unit_test(states_that_cannot_be),
        cmocka_unit_test(every_number_becomes_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
