/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 driver's queues: what commands and events do when indices wrap, commands
 * are refused, devices do not answer, records overflow, registers go away (3.5, 4.7,
 * 7.1, 7.4; semantics B.18, D-49 to D-51).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define SECOND      (UINT64_C(1000) * 1000 * 1000)

enum {
    SID = 0x123,
    OTHER_SID = 0x124,
    ROOT = 0x10000,
    SYNC_ERRORS = 5,
};

static const struct uim_inval everything = { .all = true };

static void start(struct smmu *s)
{
    s->idr0.ats = 1;
    assert_int_equal(smmu_start(s), UIOMMU_OK);
    smmu_forget(s);
}

static enum uiommu_status submit(struct smmu *s, unsigned n)
{
    struct smmuv3_batch b = { .n = 0 };

    while (b.n < n)
        smmuv3_add_cfgi_ste(&b, (struct smmuv3_sid){ SID });
    return smmuv3_submit(s->v, &b);
}

/* ---- positions --------------------------------------------------------------- */

/* The queue is empty there; positions count on where slots and indices wrap. */
static void go_to(struct smmu *s, uint32_t position)
{
    const uint32_t mask = (UINT32_C(2) << s->v->queue.log2size) - 1;

    s->v->queue.head = s->v->queue.tail = position;
    smmu_reg_set(s, SMMUV3_REG_CMDQ_PROD, position & mask, 4);
    smmu_reg_set(s, SMMUV3_REG_CMDQ_CONS, position & mask, 4);
}

static void commands_go_around(void **state)
{
    static const unsigned log2size[] = { 4, 5, 8, 19 };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(log2size); i++) {
        smmu_init(&s);
        s.idr1.cmdqs = log2size[i];
        start(&s);
        assert_int_equal(s.v->queue.log2size,
                         log2size[i] < 8 ? log2size[i] : 8);
        go_to(&s, UINT32_MAX - 300);
        for (unsigned n = 0; n < 100; n++) {
            smmu_forget(&s);
            assert_int_equal(submit(&s, 1 + n % SMMUV3_BATCH), UIOMMU_OK);
            assert_int_equal(s.n_commands, 2 + n % SMMUV3_BATCH);
        }
        assert_true(s.v->queue.head < 10000); /* past the end of numbers */
        assert_int_equal(s.v->queue.head, s.v->queue.tail);
        smmu_stop(&s);
    }
}

/* ---- refused commands --------------------------------------------------------- */

static void an_illegal_command_fails_its_submitter_alone(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.bad_opcode = SMMUV3_CMD_CFGI_STE;
    assert_int_equal(submit(&s, 2), UIOMMU_IO);
    assert_int_equal(s.n_errors_raised, 2);
    /* each became a SYNC, and their own follows */
    assert_int_equal(smmu_count(&s, SMMUV3_CMD_SYNC), 3);
    assert_non_null(strstr(s.logs, "refuses command 0000000000000000 "
                                   "0000012300000003"));
    assert_false(atomic_load(&s.unit->broken));
    s.bad_opcode = -1;
    assert_int_equal(submit(&s, 2), UIOMMU_OK);
    smmu_stop(&s);
}

/* A device that has its driver make such commands does not fill the log. */
static void sentences_get_rarer(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.n_errors = 0;
    s.bad_opcode = SMMUV3_CMD_CFGI_STE;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(submit(&s, 1), UIOMMU_IO);
    assert_int_equal(s.n_errors_raised, 100);
    assert_int_equal(s.n_errors, 7); /* 1, 2, 4, 8, 16, 32, 64 */
    smmu_stop(&s);
}

static void an_unreadable_queue_is_the_end_of_the_unit(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.unreadable = true;
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_true(atomic_load(&s.unit->broken));
    assert_non_null(strstr(s.log, "its command queue cannot be read"));
    /* Not acknowledged: it would try again. */
    assert_int_equal(s.n_errors_raised, 1);
    s.unit->ops->poll(s.unit);
    assert_int_equal(s.n_errors_raised, 1);
    smmu_stop(&s);
}

/* It died between two looks, and somebody woke it up again: the sentence is about what
 * this look found. */
static void resurrect(struct smmu *s)
{
    s->v->queue.dead = false;
}

static void what_is_said_is_what_was_found_under_the_lock(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.unreadable = true;
    s.on_unlocked = resurrect;
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_non_null(strstr(s.logs, "its command queue cannot be read"));
    s.on_unlocked = NULL;
    smmu_stop(&s);
}

static void errors_that_were_left_are_not_ours(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    smmu_gerror(&s, 1 << 0 | 1 << 2); /* CMDQ, EVENTQ_ABT */
    start(&s);
    assert_false(s.unit->ops->poll(s.unit));
    assert_false(atomic_load(&s.unit->broken));
    assert_int_equal(s.n_errors, 0);
    smmu_stop(&s);
}

/* What has failed does not translate, however often it is started or woken up. */
static void a_unit_that_has_failed_is_not_started(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    smmu_gerror(&s, 1 << 8);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(i == 0 ? smmu_prepare(&s) : UIOMMU_OK, UIOMMU_OK);
        assert_int_equal(s.unit->ops->enable(s.unit), UIOMMU_TIMEDOUT);
        assert_non_null(strstr(s.logs, "it has failed and aborts everything"));
        assert_false(smmu_cr0ack(&s, SMMUV3_CR0_BIT(smmuen)));
        assert_int_equal(s.unit->ops->disable(s.unit), UIOMMU_OK);
    }
    smmu_stop(&s);
}

static void a_unit_that_has_failed_does_not_wake_up(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned polled = 0; polled < 2; polled++) {
        smmu_init(&s);
        start(&s);
        smmu_gerror(&s, 1 << 8);
        if (polled)
            assert_false(s.unit->ops->poll(s.unit));
        assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_TIMEDOUT);
            assert_true(atomic_load(&s.unit->broken));
            assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
        }
        /* But as a new one, after its power was away. */
        smmu_reg_set(&s, SMMUV3_REG_GERROR, 0, 8);
        assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
        assert_int_equal(submit(&s, 1), UIOMMU_OK);
        smmu_stop(&s);
    }
}

/* ---- silence ------------------------------------------------------------------ */

static void a_silent_unit_is_given_up_in_time(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.options.timeout_ms = 50;
    start(&s);
    s.silent = true;
    s.now = 0;
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_true(s.now >= 50 * 1000 * 1000 && s.now < 60 * 1000 * 1000);
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_true(s.now < 60 * 1000 * 1000); /* nobody waits again */
    assert_int_equal(s.v->queue.waiters.next == &s.v->queue.waiters, true);
    smmu_stop(&s);
}

/* CONS of a unit that is gone is no index: nothing is confirmed by it, wherever the
 * positions are. */
static void all_ones_confirm_nothing(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        smmu_init(&s);
        s.idr1.cmdqs = 4;
        start(&s);
        go_to(&s, i);
        s.gone_cons = s.silent = true;
        assert_int_equal(submit(&s, 12), UIOMMU_TIMEDOUT);
        assert_int_equal(s.v->queue.head, i);
        smmu_stop(&s);
    }
}

/* ---- device TLBs ---------------------------------------------------------------- */

static enum uiommu_status ask(struct smmu *s, uint32_t sid)
{
    struct uiommu_device dev;

    smmu_device(s, &dev, sid);
    return s->unit->ops->devtlb(dev.endpoint, &everything);
}

static void a_device_that_is_late_is_told_of(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.dead_sid = SID;
    s.atc_ns = SECOND / 10;
    assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT);
    assert_false(atomic_load(&s.unit->broken));
    assert_non_null(strstr(s.log, "no answer in time from the device TLB of "
                                  "stream 0x123"));
    assert_int_equal(s.n_errors_raised, 1);
    s.dead_sid = -1;
    /* The SYNC behind it was carried out again. */
    assert_int_equal(submit(&s, 1), UIOMMU_OK);
    assert_int_equal(ask(&s, OTHER_SID), UIOMMU_OK);
    assert_int_equal(s.n_errors_raised, 1);
    smmu_stop(&s);
}

/* As long as the unit itself waits for the device, so do others; and where it does
 * without end, only so long as a device may take (PCIe 10.3.2). */
static void others_wait_for_a_silent_device_but_not_for_ever(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.step_ns = SECOND / 100;
    s.dead_sid = SID;
    assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT);
    assert_non_null(strstr(s.log, "no answer yet"));
    assert_false(atomic_load(&s.unit->broken));
    assert_true(s.v->queue.any_left);
    s.now = 0;
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_true(s.now > 89 * SECOND && s.now < 92 * SECOND);
    assert_true(atomic_load(&s.unit->broken));
    smmu_stop(&s);
}

static unsigned said(const struct smmu *s, const char *what)
{
    unsigned n = 0;

    for (const char *p = s->logs; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

/* Whoever asks a device that never answers learns it each time; the log does not: the
 * 1st, 2nd, 4th and 8th time. */
static void the_log_is_not_full_of_a_silent_device(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.step_ns = SECOND / 10;
    s.dead_sid = SID;
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT);
    assert_int_equal(said(&s, "no answer yet from the device TLB"), 4);
    assert_false(atomic_load(&s.unit->broken));
    smmu_stop(&s);
}

/* Answers once somebody has waited for long. */
static void answer_late(struct smmu *s)
{
    if (s->now > 20 * SECOND)
        smmu_answer(s);
}

static void a_device_that_answers_late_lets_the_others_go_on(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.step_ns = SECOND / 100;
    s.dead_sid = SID;
    assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT);
    assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT); /* to blame for itself */
    s.now = 0;
    s.on_unlocked = answer_late;
    assert_int_equal(submit(&s, 1), UIOMMU_OK);
    assert_true(s.now > 20 * SECOND && s.now < 22 * SECOND);
    /* Passed, and forgotten: a silent unit is now judged by its own time, also when
     * positions have gone all the way around. */
    assert_false(s.v->queue.any_left);
    s.on_unlocked = NULL;
    go_to(&s, s.v->queue.left + UINT32_C(0x80000005));
    s.silent = true;
    s.now = 0;
    assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
    assert_true(s.now < 2 * SECOND);
    smmu_stop(&s);
}

/* Two gave up, the later one first: what is left is the later one. */
static uint32_t second_sync;

static void second_gives_up(struct smmu *s)
{
    if (s->now < SECOND / 2 || second_sync != 0)
        return;
    second_sync = 1;
    assert_int_equal(ask(s, OTHER_SID), UIOMMU_TIMEDOUT);
    second_sync = s->v->queue.left;
}

static void what_is_left_only_moves_forwards(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    second_sync = 0;
    s.dead_sid = SID;
    s.step_ns = SECOND / 100;
    s.on_unlocked = second_gives_up;
    s.now = 0;
    assert_int_equal(ask(&s, SID), UIOMMU_TIMEDOUT);
    assert_true(second_sync > 1);
    assert_true(s.v->queue.any_left);
    assert_int_equal(s.v->queue.left, second_sync);
    s.on_unlocked = NULL;
    smmu_answer(&s);
    assert_int_equal(submit(&s, 1), UIOMMU_OK);
    assert_false(s.v->queue.any_left);
    smmu_stop(&s);
}

/* ---- events ------------------------------------------------------------------------ */

static void send(struct smmu *s, uint64_t q0, uint64_t q1, uint64_t address)
{
    const uint64_t word[4] = { q0, q1, address };

    assert_true(smmu_event(s, word));
    assert_false(s->unit->ops->poll(s->unit));
}

static void a_fault_is_what_the_record_says(void **state)
{
    static const struct {
        uint64_t q0, q1;
        unsigned access;
        bool iova;
        uint32_t pasid;
    } row[] = {
        { 0x10, 0, UIOMMU_WRITE, true, UIOMMU_NO_PASID },
        { 0x10, UINT64_C(1) << 35, UIOMMU_READ, true, UIOMMU_NO_PASID },
        { 0x13 | 1 << 11 | 5 << 12, 0, UIOMMU_WRITE, true, 5 },
        { 0x05, 0, UIOMMU_READ, true, UIOMMU_NO_PASID },
        { 0x04, 0, 0, false, UIOMMU_NO_PASID },
        { 0x02, 0, 0, false, UIOMMU_NO_PASID },
        { 0x08 | 7 << 12, 0, 0, false, 7 },
        { 0x06 | 1 << 11 | 5 << 12, 0, 0, false, UIOMMU_NO_PASID },
    };
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    for (unsigned i = 0; i < ROWS(row); i++) {
        send(&s, row[i].q0 | (uint64_t)SID << 32, row[i].q1, 0x5678);
        assert_int_equal(s.n_faults, i + 1);
        assert_int_equal(s.fault.id, SID);
        assert_int_equal(s.fault.reason, row[i].q0 & 0xff);
        assert_int_equal(s.fault.access, row[i].access);
        assert_int_equal(s.fault.has_iova, row[i].iova);
        assert_int_equal(s.fault.iova, row[i].iova ? 0x5678 : 0);
        assert_int_equal(s.fault.pasid, row[i].pasid);
    }
    send(&s, SMMUV3_EVT_E_PAGE_REQUEST, 0, 0); /* a hint, and no fault */
    assert_int_equal(s.n_faults, ROWS(row));
    smmu_stop(&s);
}

static void events_go_around_and_overflow(void **state)
{
    static const unsigned log2size[] = { 0, 1, 7, 19 };
    const uint64_t word[4] = { 0x04 };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(log2size); i++) {
        const unsigned n = log2size[i] < 9 ? 1u << log2size[i] : 1u << 9;

        smmu_init(&s);
        s.idr1.eventqs = log2size[i];
        start(&s);
        for (unsigned round = 0; round < 5; round++) {
            s.n_faults = 0;
            s.overflow = false;
            for (unsigned j = 0; j < n; j++)
                assert_true(smmu_event(&s, word));
            if (round & 1)
                assert_false(smmu_event(&s, word));
            assert_false(s.unit->ops->poll(s.unit));
            assert_int_equal(s.n_faults, n);
            assert_int_equal(s.overflow, round & 1);
        }
        smmu_stop(&s);
    }
}

static void events_that_could_not_be_written_are_told_of(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    smmu_gerror(&s, 1 << 2);
    assert_false(s.unit->ops->poll(s.unit));
    assert_non_null(strstr(s.log, "could not write to its event queue"));
    assert_int_equal(s.reg[SMMUV3_REG_GERROR / 4],
                     s.reg[SMMUV3_REG_GERRORN / 4]);
    send(&s, 0x04, 0, 0);
    assert_true(s.overflow);
    s.n_logs = 0;
    assert_false(s.unit->ops->poll(s.unit));
    assert_int_equal(s.n_logs, 0);
    smmu_gerror(&s, 1 << SYNC_ERRORS);
    assert_false(s.unit->ops->poll(s.unit));
    assert_non_null(strstr(s.log, "a message of its own did not arrive"));
    assert_false(atomic_load(&s.unit->broken));
    smmu_gerror(&s, 1 << 8);
    assert_false(s.unit->ops->poll(s.unit));
    assert_non_null(strstr(s.log, "SFM"));
    assert_true(atomic_load(&s.unit->broken));
    smmu_stop(&s);
}

/* Each kind by itself; what was lost is said in the events each time. */
static void errors_without_end_do_not_fill_the_log(void **state)
{
    static const uint32_t error[] = { 1 << 2, 1 << 5, 1 << 7 };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(error); i++) {
        smmu_init(&s);
        start(&s);
        s.n_errors = 0;
        for (unsigned n = 0; n < 100; n++) {
            smmu_gerror(&s, error[i]);
            s.overflow = false;
            send(&s, 0x04, 0, 0);
            assert_int_equal(s.overflow, error[i] == 1 << 2);
        }
        assert_int_equal(s.n_errors, 7); /* 1, 2, 4, 8, 16, 32, 64 */
        smmu_gerror(&s, i == 0 ? 1 << 5 : 1 << 2);
        assert_false(s.unit->ops->poll(s.unit));
        assert_int_equal(s.n_errors, 8);
        smmu_stop(&s);
    }
}

/* A device that faults without end does not keep the CPU here. */
static void keep_full(struct smmu *s)
{
    const uint64_t word[4] = { 0x04 };

    s->now += 1000;
    if (s->v && s->v->live)
        while (smmu_event(s, word))
            ;
}

static void a_storm_ends_the_poll_all_the_same(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    s.on_unlocked = keep_full;
    assert_true(s.unit->ops->poll(s.unit));
    assert_int_equal(s.n_faults, 4 * 128);
    s.on_unlocked = NULL;
    assert_false(s.unit->ops->poll(s.unit));
    assert_true(s.overflow);
    smmu_stop(&s);
}

/* ---- sleep ------------------------------------------------------------------------- */

/* As on another CPU, or between two instructions: where no lock keeps it out. */
static void interrupt(struct smmu *s, size_t reg, uint64_t value)
{
    (void)reg;
    (void)value;
    if (s->spins_held > 0 || s->seen)
        return;
    s->seen = true; /* but not by itself */
    s->n_polls++;
    assert_false(s->unit->ops->poll(s->unit));
    s->seen = false;
}

/* A suspend that is taken back, while life goes on (uiommu_suspend()). */
static void sleep_among_interrupts(struct smmu *s, bool kept)
{
    s->n_polls = 0;
    s->on_write = interrupt;
    assert_int_equal(s->unit->ops->suspend(s->unit), UIOMMU_OK);
    if (!kept)
        smmu_reg_set(s, SMMUV3_REG_STRTAB_BASE, 0, 8);
    assert_int_equal(s->unit->ops->resume(s->unit), UIOMMU_OK);
    s->on_write = NULL;
    assert_true(s->n_polls > 5);
}

static void events_are_heard_once_around_a_sleep(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned n = 0; n < 2 * 128; n += 5) {
        smmu_init(&s);
        start(&s);
        for (unsigned i = 0; i < n; i++)
            send(&s, 0x04, 0, 0);
        sleep_among_interrupts(&s, n & 1);
        assert_int_equal(s.n_faults, n);
        send(&s, 0x04, 0, 0);
        assert_int_equal(s.n_faults, n + 1);
        assert_false(s.overflow);
        smmu_stop(&s);
    }
}

/* The error that killed the queue is over when its end is. */
static void an_error_of_before_the_sleep_is_not_found_again(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned kept = 0; kept < 2; kept++) {
        smmu_init(&s);
        start(&s);
        assert_int_equal(submit(&s, 3), UIOMMU_OK);
        s.unreadable = true;
        assert_int_equal(submit(&s, 1), UIOMMU_TIMEDOUT);
        s.unreadable = false;
        sleep_among_interrupts(&s, kept);
        assert_false(atomic_load(&s.unit->broken));
        assert_int_equal(submit(&s, 3), UIOMMU_OK);
        smmu_stop(&s);
    }
}

/* As another CPU has to find it, which interrupt() is not. */
static void indices_change_under_their_locks(struct smmu *s, size_t reg,
                                             uint64_t value)
{
    const bool *queue = s->v->queue.lock, *events = s->v->event_lock;

    (void)value;
    if (reg == SMMUV3_REG_GERRORN || reg == SMMUV3_REG_CMDQ_BASE ||
        reg == SMMUV3_REG_CMDQ_PROD || reg == SMMUV3_REG_CMDQ_CONS)
        assert_true(*queue);
    if (reg == SMMUV3_REG_EVENTQ_BASE || reg == SMMUV3_REG_EVENTQ_PROD ||
        reg == SMMUV3_REG_EVENTQ_CONS)
        assert_true(*events);
    if (reg == SMMUV3_REG_CMDQ_CONS || reg == SMMUV3_REG_EVENTQ_CONS)
        s->seen++;
}

static void a_queue_is_set_up_under_its_lock(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    start(&s);
    assert_int_equal(submit(&s, 1), UIOMMU_OK);
    assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
    smmu_gerror(&s, 1 << 0 | 1 << 2);
    s.seen = 0;
    s.on_write = indices_change_under_their_locks;
    assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
    s.on_write = NULL;
    assert_int_equal(s.seen, 2);
    smmu_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_go_around),
        cmocka_unit_test(an_illegal_command_fails_its_submitter_alone),
        cmocka_unit_test(sentences_get_rarer),
        cmocka_unit_test(an_unreadable_queue_is_the_end_of_the_unit),
        cmocka_unit_test(what_is_said_is_what_was_found_under_the_lock),
        cmocka_unit_test(errors_that_were_left_are_not_ours),
        cmocka_unit_test(a_unit_that_has_failed_is_not_started),
        cmocka_unit_test(a_unit_that_has_failed_does_not_wake_up),
        cmocka_unit_test(a_silent_unit_is_given_up_in_time),
        cmocka_unit_test(all_ones_confirm_nothing),
        cmocka_unit_test(a_device_that_is_late_is_told_of),
        cmocka_unit_test(others_wait_for_a_silent_device_but_not_for_ever),
        cmocka_unit_test(the_log_is_not_full_of_a_silent_device),
        cmocka_unit_test(a_device_that_answers_late_lets_the_others_go_on),
        cmocka_unit_test(what_is_left_only_moves_forwards),
        cmocka_unit_test(a_fault_is_what_the_record_says),
        cmocka_unit_test(events_go_around_and_overflow),
        cmocka_unit_test(events_that_could_not_be_written_are_told_of),
        cmocka_unit_test(errors_without_end_do_not_fill_the_log),
        cmocka_unit_test(a_storm_ends_the_poll_all_the_same),
        cmocka_unit_test(events_are_heard_once_around_a_sleep),
        cmocka_unit_test(an_error_of_before_the_sleep_is_not_found_again),
        cmocka_unit_test(a_queue_is_set_up_under_its_lock),
    };

    return cmocka_run_group_tests_name("SMMUv3 queues", tests, NULL, NULL);
}
