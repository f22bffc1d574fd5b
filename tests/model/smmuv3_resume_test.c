/* SPDX-License-Identifier: MIT */
/*
 * The stall model of the SMMUv3 model (IHI0070 3.12.2, 4.7): every way in which a wait
 * ends, what only an adversarial unit does, and states with transactions that wait.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/model/stall.h"
#include "tests/model/stream.h"

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

/* ---- other ends ------------------------------------------------------------------ */

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

/* 4.7.1: one that is to be terminated may be retried before, and pass. */
static void a_retry_comes_before_the_end(void **state)
{
    static const char *const args[] = { NORMAL, ADV };

    (void)state;
    for (size_t i = 0; i < COUNT(args); i++) {
        struct vm *vm = started(args[i]);
        uint32_t tag = stall(vm, A, R, VM_HOLE);

        map_hole(vm);
        resume(vm, A, stag_of(vm, VM_HOLE), ABORT);
        ended(vm, 0, A, tag, i == 1);
        vm_destroy(vm);
    }
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
        cmocka_unit_test(a_retry_sees_what_memory_says),
        cmocka_unit_test(a_termination_is_an_abort),
        cmocka_unit_test(what_is_not_there_is_not_resumed),
        cmocka_unit_test(several_wait),
        cmocka_unit_test(stags_are_used_again),
        cmocka_unit_test(all_of_a_stream_end),
        cmocka_unit_test(streams_in_use),
        cmocka_unit_test(all_end_with_translation),
        cmocka_unit_test(reset_forgets_stalls),
        cmocka_unit_test(one_record_for_several),
        cmocka_unit_test(a_retry_comes_early),
        cmocka_unit_test(a_retry_comes_before_the_end),
        cmocka_unit_test(a_record_is_lost),
        cmocka_unit_test(stalls_are_moved),
        cmocka_unit_test(states_that_cannot_be),
        cmocka_unit_test(every_number_becomes_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
