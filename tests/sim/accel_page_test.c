/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator asks for pages: what waits, what goes on with the answer, and
 * what is left of a question when nobody waits any more.
 */
#include "tests/sim/accel_rig.h"

#include "model/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum {
    BEFORE = 0x400, /* bytes of a copy before the page that is not there */
    SIZE = 0x800,
    FLR = 0x8000,
    DEVCTL = 8,
    STATUS = 6,
    UPRGI = 2,
    LAST = 1 << 2,
    READS = 1 << 0,
    WRITES = 1 << 1,
};

static void open_with(struct accel_rig *rig, uint32_t pasid)
{
    accel_rig_open(rig, SIM_ATS | SIM_PRI);
    one_queue(rig, (struct accel_queue){
                       .size = 8, .block_on_fault = true, .pasid = pasid });
}

static void close_all(struct accel_rig *rig)
{
    uint64_t word[2];

    while (raw_page_request(&rig->raw, word))
        ;
    while (raw_fault(&rig->raw))
        ;
    accel_rig_close(rig);
}

static struct accel_desc waiting(struct accel_desc d)
{
    desc_flag(&d, ACCEL_FLAG_BOF, 0);
    return d;
}

/* To where the first page is and the second is not. */
static struct accel_desc copy_beyond(unsigned record)
{
    return waiting(copy_desc(ACCEL_BEYOND - BEFORE, at(0x4000), SIZE, record));
}

static void bring_page(struct accel_rig *rig, uint32_t pasid)
{
    rig->raw.pml4 = rig->space[space_of(pasid)].pml4;
    raw_map(&rig->raw, ACCEL_BEYOND, rig->space[space_of(pasid)].phys,
            RAW_READ | RAW_WRITE);
}

/* ---- questions and answers ------------------------------------------------- */

struct question {
    uint64_t word[2];
};

/* The only one. */
static struct question asked(struct accel_rig *rig)
{
    struct question q, other;

    assert_true(raw_page_request(&rig->raw, q.word));
    assert_false(raw_page_request(&rig->raw, other.word));
    return q;
}

static void nothing_is_asked(struct accel_rig *rig)
{
    struct question q;

    assert_false(raw_page_request(&rig->raw, q.word));
}

static void answer(struct accel_rig *rig, const struct question *q,
                   unsigned code)
{
    raw_page_response(&rig->raw, q->word, code);
    assert_true(raw_wait(&rig->raw, false));
}

static struct question waits(struct accel_rig *rig, unsigned wq,
                             const struct accel_desc *d)
{
    submit(rig, wq, d);
    steps(rig, 20);
    assert_int_equal(record_of(rig, 0, 0).status, ACCEL_NONE);
    assert_int_equal(sim_page_groups(rig->m, rig->dev), 1);
    return asked(rig);
}

static void is_question(const struct question *q, uint32_t pasid,
                        unsigned access)
{
    assert_int_equal(q->word[0] >> 8 & 1, pasid != 0);
    if (pasid != 0)
        assert_int_equal(q->word[0] >> 32 & 0xfffff, pasid);
    assert_int_equal(q->word[1] & 7, access | LAST);
    assert_int_equal(q->word[1] & ~UINT64_C(0xfff), ACCEL_BEYOND);
}

static bool is_stop_marker(const struct question *q)
{
    return (q->word[1] & (READS | WRITES | LAST)) == LAST;
}

/* ---- the whole way ---------------------------------------------------------- */

/* The answer it is that it waits for, not the page; one that came too soon is followed
 * by another question. */
static void goes_on_when_it_is_answered(uint32_t pasid)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct accel_record r;
    struct question q;

    open_with(&rig, pasid);
    memset(memory_of(&rig, pasid) + 0x4000, 0x77, SIZE);
    q = waits(&rig, 0, &d);
    is_question(&q, pasid, WRITES);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    steps(&rig, 20);
    q = asked(&rig);
    is_question(&q, pasid, WRITES);
    bring_page(&rig, pasid);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, pasid, 0).status, ACCEL_NONE);
    assert_int_equal(memory_of(&rig, pasid)[0], 0);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    settle(&rig);
    r = record_of(&rig, pasid, 0);
    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_int_equal(r.bytes, 0);
    for (unsigned i = 0; i < SIZE - BEFORE; i++)
        assert_int_equal(memory_of(&rig, pasid)[i], 0x77);
    nothing_is_asked(&rig);
    close_all(&rig);
}

static void a_descriptor_waits_for_its_page(void **state)
{
    (void)state;
    goes_on_when_it_is_answered(0);
    goes_on_when_it_is_answered(5);
}

/* Groups of one number are told apart by their PASIDs: the other's answer is not its. */
static void an_answer_is_to_its_pasid(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct question q, other;

    (void)state;
    open_with(&rig, 5);
    q = waits(&rig, 0, &d);
    assert_int_equal(
        sim_page_request(
            rig.m, &(struct sim_page_request){ .dev = rig.dev,
                                               .pasid = UIOMMU_NO_PASID,
                                               .iova = ACCEL_BEYOND,
                                               .access = UIOMMU_READ,
                                               .last = true,
                                               .group = q.word[1] >> 3 & 511 }),
        SIM_NOT_STOPPED);
    other = asked(&rig);
    assert_int_equal(other.word[1] >> 3 & 511, q.word[1] >> 3 & 511);
    answer(&rig, &other, SIM_PAGE_INVALID);
    bring_page(&rig, 5);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    close_all(&rig);
}

/* The record says where, and how far it came. */
static void in_vain(const struct accel_desc *d, unsigned access, unsigned code)
{
    struct accel_rig rig;
    struct accel_record r;
    struct question q;

    open_with(&rig, 0);
    q = waits(&rig, 0, d);
    is_question(&q, 0, access);
    bring_page(&rig, 0); /* it does not try again */
    answer(&rig, &q, code);
    settle(&rig);
    r = record_of(&rig, 0, 0);
    assert_int_equal(r.status, ACCEL_PAGE_INVALID);
    assert_int_equal(r.bytes, BEFORE);
    assert_int_equal(r.fault, ACCEL_BEYOND);
    assert_int_equal(r.fault_write, access == WRITES);
    nothing_is_asked(&rig);
    close_all(&rig);
}

static void a_page_request_may_be_in_vain(void **state)
{
    const struct accel_desc to = copy_beyond(0);
    const struct accel_desc from =
        waiting(copy_desc(at(0x4000), ACCEL_BEYOND - BEFORE, SIZE, 0));

    (void)state;
    in_vain(&to, WRITES, SIM_PAGE_INVALID);
    in_vain(&from, READS, SIM_PAGE_INVALID);
    in_vain(&from, READS, SIM_PAGE_FAILURE);
}

static void who_may_not_block_does_not_ask(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_beyond(0);

    (void)state;
    open_with(&rig, 0);
    desc_flag(&d, 0, ACCEL_FLAG_BOF);
    assert_int_equal(execute(&rig, &d).status, ACCEL_PAGE_FAULT);
    accel_rig_credits(&rig, 0);
    desc_flag(&d, ACCEL_FLAG_BOF, 0);
    assert_int_equal(execute(&rig, &d).status, ACCEL_PAGE_FAULT);
    nothing_is_asked(&rig);
    close_all(&rig);
}

/* What is not in the device TLB's way is no matter of pages: it is not known. */
static void without_a_device_tlb_nobody_asks(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, SIM_ATS | SIM_PRI);
    accel_rig_credits(&rig, 0);
    config_write(rig.m, rig.dev, ext_cap(rig.m, rig.dev, ATS_ID) + 6, 2, 0);
    accel_rig_credits(&rig, 8);
    expect_violation(rig.m, "PRI enabled while ATS is not");
    one_queue(&rig, (struct accel_queue){ .size = 4, .block_on_fault = true });
    assert_int_equal(execute(&rig, &d).status, ACCEL_PAGE_FAULT);
    assert_true(raw_fault(&rig.raw));
    nothing_is_asked(&rig);
    accel_rig_close(&rig);
}

/* After it the device asks for nothing, and whoever waited did so in vain. */
static void a_failure_is_everybody_s(void **state)
{
    const struct accel_desc d[] = { copy_beyond(0), copy_beyond(1) };
    struct accel_rig rig;
    struct question q, other;

    (void)state;
    open_with(&rig, 0);
    q = waits(&rig, 0, &d[0]);
    submit(&rig, 0, &d[1]);
    steps(&rig, 5);
    other = asked(&rig);
    answer(&rig, &q, SIM_PAGE_FAILURE);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_PAGE_INVALID);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_PAGE_INVALID);
    answer(&rig, &other, SIM_PAGE_SUCCESS);
    assert_int_equal(execute(&rig, &d[0]).status, ACCEL_PAGE_FAULT);
    nothing_is_asked(&rig);
    close_all(&rig);
}

/* Its flag is about sources and destinations: records, and lists of descriptors, are
 * waited for without, as they are if the queue does not let any descriptor wait. */
static void a_record_waits_for_its_page(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct question q;

    (void)state;
    open_with(&rig, 0);
    desc_put(&d, 1, ACCEL_BEYOND);
    q = waits(&rig, 0, &d);
    is_question(&q, 0, WRITES);
    bring_page(&rig, 0);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    settle(&rig);
    assert_int_equal(accel_look(memory_of(&rig, 0)).status, ACCEL_SUCCESS);
    close_all(&rig);
}

static void a_batch_waits_for_its_pages(void **state)
{
    enum { LIST = 0xc000 };
    struct accel_rig rig;
    struct accel_desc list = accel_desc(ACCEL_OP_BATCH, 0, record_at(0));
    struct accel_desc inner[2] = { copy_beyond(1),
                                   copy_desc(at(0x8000), at(0), 64, 2) };
    struct question q;

    (void)state;
    open_with(&rig, 0);
    accel_desc_batch(&list, ACCEL_BEYOND - ACCEL_DESC_SIZE, 2);
    memcpy(memory_of(&rig, 0) + ACCEL_BYTES - ACCEL_DESC_SIZE, &inner[0],
           sizeof(inner[0]));
    q = waits(&rig, 0, &list);
    is_question(&q, 0, WRITES); /* the first's */
    bring_page(&rig, 0);
    memcpy(memory_of(&rig, 0), &inner[1], sizeof(inner[1]));
    answer(&rig, &q, SIM_PAGE_INVALID);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_PAGE_INVALID);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 2).status, ACCEL_SUCCESS);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_BATCH_FAIL);
    close_all(&rig);
}

static void a_list_waits_in_vain(void **state)
{
    struct accel_desc list = accel_desc(ACCEL_OP_BATCH, 0, record_at(0));
    struct accel_rig rig;
    struct question q;

    (void)state;
    accel_rig_open(&rig, SIM_ATS | SIM_PRI);
    one_queue(&rig, (struct accel_queue){ .size = 8 });
    accel_desc_batch(&list, ACCEL_BEYOND, 2);
    q = waits(&rig, 0, &list);
    is_question(&q, 0, READS);
    answer(&rig, &q, SIM_PAGE_INVALID);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_BATCH_FAULT);
    close_all(&rig);
}

/* A record that could not be written: the descriptor is discarded. */
static void a_record_waits_in_vain(void **state)
{
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_rig rig;
    struct question q;

    (void)state;
    accel_rig_open(&rig, SIM_ATS | SIM_PRI);
    one_queue(&rig, (struct accel_queue){ .size = 8 });
    desc_put(&d, 1, ACCEL_BEYOND);
    accel_desc_handle(&d, 1);
    q = waits(&rig, 0, &d);
    is_question(&q, 0, WRITES);
    answer(&rig, &q, SIM_PAGE_INVALID);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_RECORD_FAULT);
    assert_int_equal(reg_read(&rig, 0x3000), 0); /* nor is an interrupt due */
    close_all(&rig);
}

/* Of operations that move nothing the flag is reserved. */
static void only_what_moves_bytes_may_block(void **state)
{
    static const struct {
        unsigned opcode;
        bool may;
    } row[] = {
        { ACCEL_OP_NOOP, false },   { ACCEL_OP_BATCH, false },
        { ACCEL_OP_DRAIN, false },  { ACCEL_OP_MEMMOVE, true },
        { ACCEL_OP_FILL, true },    { ACCEL_OP_COMPARE, true },
        { ACCEL_OP_COMPVAL, true }, { ACCEL_OP_CRCGEN, true },
    };
    struct accel_rig rig;

    (void)state;
    open_with(&rig, 0);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d =
            waiting(accel_desc(row[i].opcode, 0, record_at(0)));
        struct accel_record r = execute(&rig, &d);

        assert_int_equal(r.status == ACCEL_BAD_FLAGS, !row[i].may);
        if (!row[i].may)
            assert_int_equal(r.special, ACCEL_FLAG_BOF);
    }
    close_all(&rig);
}

/* 5.2: a queue that lets descriptors block, on a function that may not ask. */
static void a_queue_that_blocks_needs_page_requests(void **state)
{
    const struct accel_queue queue = { .size = 4, .block_on_fault = true };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, SIM_ATS | SIM_PRI);
    assert_int_equal(accel_queue_setup(&rig.drv, 0, &queue), UIOMMU_OK);
    assert_int_equal(accel_enable(&rig.drv), UIOMMU_OK);
    accel_rig_credits(&rig, 0);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_WQ, 0), ACCEL_CMD_WQ_BOF);
    accel_rig_credits(&rig, 1);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_WQ, 0), ACCEL_CMD_OK);
    close_all(&rig);
}

/* ---- others ---------------------------------------------------------------- */

static void others_go_on_meanwhile(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    const struct accel_desc other = copy_desc(at(0x8000), at(0), 64, 1);
    struct accel_rig rig;
    struct question q;

    (void)state;
    open_with(&rig, 0);
    q = waits(&rig, 0, &d);
    submit(&rig, 0, &other);
    steps(&rig, 5);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
    answer(&rig, &q, SIM_PAGE_INVALID);
    close_all(&rig);
}

/* One of two asks when the other has its answer. */
static void who_has_no_credit_asks_later(void **state)
{
    const struct accel_desc d[] = { copy_beyond(0), copy_beyond(1) };
    struct accel_rig rig;
    struct question q;

    (void)state;
    open_with(&rig, 0);
    accel_rig_credits(&rig, 1);
    q = waits(&rig, 0, &d[0]);
    submit(&rig, 0, &d[1]);
    steps(&rig, 20);
    nothing_is_asked(&rig);
    answer(&rig, &q, SIM_PAGE_INVALID);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_PAGE_INVALID);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_NONE);
    q = asked(&rig);
    answer(&rig, &q, SIM_PAGE_INVALID);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_PAGE_INVALID);
    close_all(&rig);
}

/* ---- nobody waits any more --------------------------------------------------- */

static void assert_expected(struct accel_rig *rig, unsigned code)
{
    unsigned n = sim_page_responses(rig->m, rig->dev);
    unsigned pri = ext_cap(rig->m, rig->dev, PRI_ID);
    struct sim_page_response r;

    assert_true(n > 0);
    r = sim_page_response_at(rig->m, rig->dev, n - 1);
    assert_true(r.expected);
    assert_int_equal(r.code, code);
    assert_false(config_read(rig->m, rig->dev, pri + STATUS, 2) & UPRGI);
}

/* A drain waits for the answer, an abort does not: it says that nothing follows, and
 * what comes then gives the credit back. */
static void aborted(unsigned code, uint32_t operand, uint32_t pasid)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct question q, marker;

    open_with(&rig, pasid);
    q = waits(&rig, 0, &d);
    assert_int_equal(command(&rig, code, operand), ACCEL_CMD_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    if (pasid != 0) {
        marker = asked(&rig);
        assert_true(is_stop_marker(&marker));
        assert_int_equal(marker.word[0] >> 32 & 0xfffff, pasid);
    }
    nothing_is_asked(&rig);
    assert_int_equal(sim_page_groups(rig.m, rig.dev), 1);
    bring_page(&rig, pasid);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    assert_expected(&rig, SIM_PAGE_SUCCESS);
    assert_int_equal(sim_page_groups(rig.m, rig.dev), 0);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, pasid, 0).status, ACCEL_NONE);
    assert_int_equal(memory_of(&rig, pasid)[0], 0);
    close_all(&rig);
}

static void what_waits_for_a_page_can_be_aborted(void **state)
{
    (void)state;
    aborted(ACCEL_CMD_ABORT_WQ, 1, 0);
    aborted(ACCEL_CMD_ABORT_WQ, 1, 5);
    aborted(ACCEL_CMD_ABORT_PASID, 5, 5);
    aborted(ACCEL_CMD_ABORT_ALL, 0, 5);
    aborted(ACCEL_CMD_RESET_WQ, 1, 5);
    aborted(ACCEL_CMD_RESET_DEVICE, 0, 5);
}

/* The next to wait has a question of its own, for whom the late answer is none. */
static void a_late_answer_is_nobody_s(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct question q, marker, next;

    (void)state;
    open_with(&rig, 5);
    q = waits(&rig, 0, &d);
    assert_int_equal(command(&rig, ACCEL_CMD_ABORT_WQ, 1), ACCEL_CMD_OK);
    marker = asked(&rig);
    assert_true(is_stop_marker(&marker));
    submit(&rig, 0, &d);
    steps(&rig, 20);
    next = asked(&rig);
    assert_int_equal(sim_page_groups(rig.m, rig.dev), 2);
    answer(&rig, &q, SIM_PAGE_INVALID);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    answer(&rig, &next, SIM_PAGE_INVALID);
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_PAGE_INVALID);
    close_all(&rig);
}

static void a_drain_waits_for_the_answer(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct question q;

    (void)state;
    open_with(&rig, 0);
    q = waits(&rig, 0, &d);
    command_start(&rig, ACCEL_CMD_DISABLE_WQ, 1);
    steps(&rig, 20);
    assert_true(command_active(&rig));
    bring_page(&rig, 0);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    steps(&rig, 20);
    assert_false(command_active(&rig));
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_SUCCESS);
    close_all(&rig);
}

static void begin_again(struct accel_rig *rig)
{
    sim_advance(rig->m, UINT64_C(100000000));
    sim_firmware(rig->m, rig->dev);
}

static void reset_function(struct accel_rig *rig)
{
    config_write(rig->m, rig->dev, std_cap(rig->m, rig->dev, 0x10) + DEVCTL, 2,
                 FLR);
}

/* Nothing is left to be answered, and who does it all the same does no harm. */
static void a_function_reset_forgets_what_it_asked(void **state)
{
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct question q;

    (void)state;
    open_with(&rig, 5);
    q = waits(&rig, 0, &d);
    reset_function(&rig);
    assert_int_equal(sim_page_groups(rig.m, rig.dev), 0);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    begin_again(&rig);
    answer(&rig, &q, SIM_PAGE_SUCCESS);
    steps(&rig, 20);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    nothing_is_asked(&rig);
    close_all(&rig);
}

/* ---- a step that takes its time: its question is on the way to the queue ------- */

struct slow {
    struct accel_rig *rig;
    _Atomic bool asked, go, reset;
};

static void hold(void *ctx, const struct uim_check_fetch *fetch)
{
    struct slow *slow = ctx;

    if (!fetch->write || fetch->gpa >> 12 != slow->rig->raw.page_queue >> 12)
        return;
    slow->asked = true;
    while (!slow->go)
        sched_yield();
}

static void *run_once(void *ctx)
{
    machine_run(((struct slow *)ctx)->rig->m);
    return NULL;
}

static void *reset(void *ctx)
{
    struct slow *slow = ctx;

    reset_function(slow->rig);
    slow->reset = true;
    return NULL;
}

static void a_reset_ends_when_the_step_has(void **state)
{
    const struct timespec while_it_could_end = { .tv_nsec = 20 * 1000 * 1000 };
    const struct accel_desc d = copy_beyond(0);
    struct accel_rig rig;
    struct slow slow = { .rig = &rig };
    const struct uim_check hooks = { .ctx = &slow, .on_fetch = hold };
    pthread_t runner, resetter;

    (void)state;
    open_with(&rig, 0);
    sim_hooks(rig.m, &hooks);
    submit(&rig, 0, &d);
    steps(&rig, 1); /* what is before the page */
    assert_int_equal(pthread_create(&runner, NULL, run_once, &slow), 0);
    while (!slow.asked)
        sched_yield();
    assert_int_equal(pthread_create(&resetter, NULL, reset, &slow), 0);
    nanosleep(&while_it_could_end, NULL);
    assert_false(slow.reset);
    slow.go = true;
    pthread_join(runner, NULL);
    pthread_join(resetter, NULL);
    sim_hooks(rig.m, NULL);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_NONE);
    begin_again(&rig);
    close_all(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_waits_for_its_page),
        cmocka_unit_test(an_answer_is_to_its_pasid),
        cmocka_unit_test(a_page_request_may_be_in_vain),
        cmocka_unit_test(who_may_not_block_does_not_ask),
        cmocka_unit_test(without_a_device_tlb_nobody_asks),
        cmocka_unit_test(a_failure_is_everybody_s),
        cmocka_unit_test(a_record_waits_for_its_page),
        cmocka_unit_test(a_batch_waits_for_its_pages),
        cmocka_unit_test(a_list_waits_in_vain),
        cmocka_unit_test(a_record_waits_in_vain),
        cmocka_unit_test(only_what_moves_bytes_may_block),
        cmocka_unit_test(a_queue_that_blocks_needs_page_requests),
        cmocka_unit_test(others_go_on_meanwhile),
        cmocka_unit_test(who_has_no_credit_asks_later),
        cmocka_unit_test(what_waits_for_a_page_can_be_aborted),
        cmocka_unit_test(a_late_answer_is_nobody_s),
        cmocka_unit_test(a_drain_waits_for_the_answer),
        cmocka_unit_test(a_function_reset_forgets_what_it_asked),
        cmocka_unit_test(a_reset_ends_when_the_step_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
