/* SPDX-License-Identifier: MIT */
/*
 * Page requests in the VT-d model (7.4 to 7.7): what is written to the queue, what is
 * answered instead, the event, and answers of software.
 */
#include "tests/model/vtd_page.h"

/* ---- what is offered ---------------------------------------------------------------- */

static void registers_are_there_if_it_is_offered(void **state)
{
    static const struct {
        uint32_t off, sticks;
    } rows[] = {
        { 0xc0, 0x0007ffe0 }, { 0xc4, 0 },          { 0xc8, 0x0007ffe0 },
        { 0xcc, 0 },          { 0xd0, 0xfffff007 }, { 0xd4, 0xffffffff },
        { 0xdc, 0 },          { 0xe0, 0x80000000 }, { 0xe4, 0x0000ffff },
        { 0xe8, 0xfffffffc }, { 0xec, 0xffffffff },
    };
    struct vm *with = vm_create(PAGES ",ir=1,eim=1");
    struct vm *without = vm_create("scalable=1,ir=1,eim=1");

    (void)state;
    assert_int_equal(vm_rd(with, VTD_REG_PECTL), 0x80000000);
    for (size_t i = 0; i < COUNT(rows); i++) {
        with->ops->mmio_write(with->m, 0, rows[i].off, 0xffffffff, 4);
        without->ops->mmio_write(without->m, 0, rows[i].off, 0xffffffff, 4);
        assert_int_equal(with->ops->mmio_read(with->m, 0, rows[i].off, 4),
                         rows[i].sticks);
        assert_int_equal(without->ops->mmio_read(without->m, 0, rows[i].off, 4),
                         0);
    }
    vm_destroy(with);
    vm_destroy(without);
}

/* Not a word to anybody: the VMM tells the device. */
static void requests_that_no_unit_can_get_are_refused(void **state)
{
    struct vm *vm = start(PAGES), *without = vm_create("scalable=1");
    struct uie_page_request req = request(VM_PASID_FS, R, 1);

    (void)state;
    vm_start(without);
    assert_true(ask(without, req) < 0);
    req.group = 512;
    assert_true(ask(vm, req) < 0);
    req = request(1 << 20, R, 1);
    assert_true(ask(vm, req) < 0);
    req.size--;
    assert_true(ask(vm, req) < 0);
    vm_gcmd(vm, 31, false);
    assert_true(ask(vm, request(VM_PASID_FS, R, 1)) < 0);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(queued(vm), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
    vm_destroy(without);
}

/* ---- what is written ---------------------------------------------------------------- */

static void a_descriptor_says_what_was_asked(void **state)
{
    static const struct {
        uint32_t pasid, access, group, last;
        uint64_t iova, lo, hi;
    } rows[] = {
        { VM_PASID_FS, R, 0, 1, VM_X, 0x0000000600180101, 0x5005 },
        { VM_PASID_FS, W, 511, 1, VM_X, 0x0000000600180101, 0x5ffe },
        { VM_PASID_FS, R | W, 5, 0, VM_X + 0xfff, 0x0000000600180101, 0x502b },
        { VM_PASID_FS, R | X, 1, 1, VM_X, 0x0010000600180101, 0x500d },
        { VM_PASID_FS, R | PRIV, 1, 1, VM_X, 0x0020000600180101, 0x500d },
        { VM_PASID_SS, W, 1, 1, B48, 0x0000000500180101, B48 | 0xe },
        { VM_PASID_FS, W, 1, 1, UINT64_C(0x7000123456789000),
          0x0000000600180101, UINT64_C(0x700012345678900e) },
    };
    struct vm *vm = start(PAGES);

    (void)state;
    for (unsigned i = 0; i < COUNT(rows); i++) {
        struct uie_page_request req =
            request(rows[i].pasid, rows[i].access, rows[i].group);

        req.flags = rows[i].last;
        req.iova = rows[i].iova;
        assert_int_equal(ask(vm, req), 0);
        assert_int_equal(queued(vm), i + 1);
        assert_int_equal(word(vm, i, 0), rows[i].lo);
        assert_int_equal(word(vm, i, 1), rows[i].hi);
        assert_int_equal(word(vm, i, 2) | word(vm, i, 3), 0);
    }
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PPR);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(vm_counter(vm, "page_requests"), COUNT(rows));
    assert_int_equal(vm_counter(vm, "page_requests_queued"), COUNT(rows));
    vm_destroy(vm);
}

/* Without a PASID, rights that come with one have no meaning. */
static void requests_without_a_pasid(void **state)
{
    struct vm *vm = start(PAGES);
    struct vtd_prq_desc_lo lo;

    (void)state;
    assert_int_equal(ask(vm, request(NONE, R | X | PRIV, 3)), 0);
    lo.raw = word(vm, 0, 0);
    assert_int_equal(vtd_prq_desc_lo_pp(lo), 0);
    assert_int_equal(vtd_prq_desc_lo_exr(lo) | vtd_prq_desc_lo_pmr(lo), 0);
    assert_int_equal(vtd_prq_desc_lo_rid(lo), VM_A);
    assert_int_equal(word(vm, 0, 1), VM_HOLE | 3 << 3 | 5);
    vm_destroy(vm);
}

/* Fields that the manual calls undefined hold what nobody expects. */
static void check_undefined(const char *args, uint64_t pasid, uint64_t prgi)
{
    struct vm *vm = start(args);
    struct vtd_prq_desc_lo lo;
    struct vtd_prq_desc_hi hi;

    ask_last(vm, NONE, 0);
    ask_marker(vm, VM_PASID_FS);
    lo.raw = word(vm, 0, 0);
    hi.raw = word(vm, 1, 1);
    assert_int_equal(vtd_prq_desc_lo_pasid(lo), pasid);
    assert_int_equal(vtd_prq_desc_hi_prgi(hi), prgi);
    vm_destroy(vm);
}

static void undefined_fields_are_undefined(void **state)
{
    (void)state;
    check_undefined(PAGES ",cache=normal", 0, 0);
    check_undefined(PAGES ",cache=adversarial", 0xfffff, 511);
}

static void queues_have_every_size(void **state)
{
    (void)state;
    for (unsigned size = 0; size < 8; size++) {
        const unsigned entries = QUEUE_SIZE << size;
        struct vm *vm = start(PAGES);

        vm_wr(vm, VTD_REG_PQA, 0x100000 | size);
        vm_wr(vm, VTD_REG_PQH, (entries - 2) * VTD_PRQ_ENTRY_BYTES);
        vm_wr(vm, VTD_REG_PQT, (entries - 2) * VTD_PRQ_ENTRY_BYTES);
        for (unsigned i = 0; i < 3; i++)
            ask_last(vm, VM_PASID_FS, i);
        assert_int_equal(vm_rd(vm, VTD_REG_PQT), VTD_PRQ_ENTRY_BYTES);
        assert_int_not_equal(vm_peek(vm, 0x100000 + entries * 32 - 32), 0);
        assert_int_not_equal(vm_peek(vm, 0x100000), 0);
        vm_destroy(vm);
    }
}

/* The unit does not write beyond its queue, whatever its tail says. */
static void offsets_beyond_the_queue_are_cut(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    vm_wr(vm, VTD_REG_PQT, 0x7ffe0);
    ask_last(vm, VM_PASID_FS, 1);
    assert_int_equal(vm_peek(vm, VM_PAGE_QUEUE + 0x7ffe0), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PRO); /* head is 0 */
    vm_wr(vm, VTD_REG_PRS, PRO);
    vm_wr(vm, VTD_REG_PQH, 0x1000 + 64);
    ask_last(vm, VM_PASID_FS, 1);
    assert_int_not_equal(word(vm, QUEUE_SIZE - 1, 0), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_PQT), 0);
    vm_destroy(vm);
}

static void a_queue_without_memory_answers(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    vm_wr(vm, VTD_REG_PQA, NOBODY);
    ask_more(vm, VM_PASID_FS, 7);
    ask_last(vm, VM_PASID_FS, 7);
    assert_int_equal(vm->n_response, 1);
    check_response(vm, 0, VM_PASID_FS, 7, VTD_RC_INVALID_REQUEST);
    assert_int_equal(vm_rd(vm, VTD_REG_PQT) | vm_rd(vm, VTD_REG_PRS), 0);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 2);
    vm_destroy(vm);
}

/* ---- errors in tables ---------------------------------------------------------------- */

struct row {
    unsigned reason;
    bool qualified; /* FPD=1 hides the record */
    struct {
        uint64_t at, value;
    } poke[2];
    uint64_t rtaddr; /* 0: as usual */
    uint32_t pasid;
};

/* Table 30, the columns of page requests. */
/* clang-format off */
static const struct row rows[] = {
    { 0x30, 0, { { 0, 0 } }, TTM(2), NONE },
    { 0x32, 0, { { 0, 0 } }, VM_ROOT, NONE },
    { 0x32, 0, { { 0, 0 } }, VM_ROOT, VM_PASID_FS },
    { 0x33, 0, { { 0, 0 } }, TTM(3), NONE },
    { 0x38, 0, { { 0, 0 } }, NOBODY | TTM(1), NONE },
    { 0x39, 0, { { VM_ROOT, 0 } }, 0, NONE },
    { 0x3a, 0, { { VM_ROOT, VM_CONTEXT | 3 } }, 0, NONE },
    { 0x40, 0, { { VM_ROOT, NOBODY | 1 } }, 0, NONE },
    { 0x41, 1, { { SA, WITH_ALL ^ 1 } }, 0, NONE },
    { 0x42, 1, { { SA, WITH_ALL | 1 << 7 } }, 0, NONE },
    { 0x43, 1, { { SA, WITH_ALL ^ 1 << 2 } }, 0, NONE }, /* PRE without DTE */
    { 0x43, 1, { { SA + 8, 0x2000 } }, 0, NONE },
    { 0x45, 1, { { SA, WITH_ALL ^ 1 << 3 } }, 0, VM_PASID_FS },
    { 0x46, 1, { { 0, 0 } }, 0, 0x2000 },
    { 0x47, 1, { { SA, WITH_ALL ^ PRE } }, 0, NONE },
    { 0x47, 1, { { SA, WITH_ALL ^ PRE } }, 0, VM_PASID_FS },
    { 0x47, 1, { { SA, WITH_ALL ^ PRE ^ 1 << 2 } }, 0, NONE },
    { 0x48, 1, { { 0, 0 } }, 0, VM_RID_PASID },
    { 0x50, 0, { { SA, NOBODY | 0x1d } }, 0, VM_PASID_FS },
    { 0x51, 1, { { VM_PASID_DIR, 0 } }, 0, VM_PASID_FS },
    { 0x52, 1, { { VM_PASID_DIR, VM_PASID_TABLE | 5 } }, 0, VM_PASID_FS },
    { 0x58, 0, { { VM_PASID_DIR, NOBODY | 1 } }, 0, VM_PASID_FS },
    { 0x59, 1, { { E_FS, 0 } }, 0, VM_PASID_FS },
    { 0x59, 1, { { E_RID, 0 } }, 0, NONE },
    { 0x5a, 1, { { E_FS + 24, 1 } }, 0, VM_PASID_FS },
    { 0x5b, 1, { { E_FS, 1 } }, 0, VM_PASID_FS },
    { 0x5b, 1, { { E_FS, 1 | 3 << 6 } }, 0, VM_PASID_FS },
};
/* clang-format on */

static struct vm *start_row(const struct row *row, bool fpd)
{
    struct vm *vm = vm_create(PAGES);

    vm_poke(vm, SA, WITH_ALL);
    for (unsigned i = 0; i < COUNT(row->poke); i++) {
        if (row->poke[i].at)
            vm_poke(vm, row->poke[i].at, row->poke[i].value);
    }
    if (fpd)
        vm_poke(vm, SA, vm_peek(vm, SA) | 2);
    page_queue_on(vm);
    vm_set_root(vm, row->rtaddr ? row->rtaddr : TTM(1));
    vm_gcmd(vm, 31, true);
    vm_forget(vm);
    return vm;
}

/* One of each kind: only who waits gets an answer, each leaves a record. */
static void run_row(const struct row *row, bool fpd)
{
    struct vm *vm = start_row(row, fpd);
    const unsigned recorded = fpd && row->qualified ? 0 : row->reason;

    ask_more(vm, row->pasid, 9);
    assert_int_equal(vm->n_response, 0);
    ask_last(vm, row->pasid, 9);
    assert_int_equal(vm->n_response, 1);
    check_response(vm, 0, row->pasid, 9, VTD_RC_INVALID_REQUEST);
    ask_marker(vm, row->pasid); /* which without a PASID is none */
    assert_int_equal(vm->n_response, row->pasid == NONE ? 2 : 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vm_fault(vm, i), recorded);
    assert_int_equal(vm_fault(vm, 3), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_PQT) | vm_rd(vm, VTD_REG_PRS), 0);
    assert_int_equal(vm_counter(vm, "page_requests_refused"), 3);
    vm_destroy(vm);
}

static void errors_in_tables_are_answered_and_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_row(&rows[i], false);
        run_row(&rows[i], true);
    }
}

static void records_say_that_it_was_a_page_request(void **state)
{
    struct vm *vm = start(PAGES);
    struct uie_page_request req = request(VM_PASID_FS, R | W | PRIV, 1);
    struct vtd_frcd_hi hi;

    (void)state;
    vm_poke(vm, E_FS, 0);
    req.iova = UINT64_C(0x123456789abc);
    assert_int_equal(ask(vm, req), 0);
    hi.raw = vm_rd(vm, 0x228);
    assert_int_equal(vm_rd(vm, 0x220), UINT64_C(0x123456789000));
    assert_int_equal(vtd_frcd_hi_t1(hi) << 1 | vtd_frcd_hi_t2(hi),
                     VTD_FAULT_PAGE_REQUEST);
    assert_int_equal(vtd_frcd_hi_sid(hi), VM_A);
    assert_int_equal(vtd_frcd_hi_pp(hi), 1);
    assert_int_equal(vtd_frcd_hi_pv(hi), VM_PASID_FS);
    assert_int_equal(vtd_frcd_hi_priv(hi), 1);
    assert_int_equal(vtd_frcd_hi_exe(hi) | vtd_frcd_hi_at(hi), 0);
    vm_destroy(vm);
}

/* What the tables say of the page, and of such accesses, is for software to judge. */
static void only_the_way_to_the_domain_is_checked(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    vm_poke(vm, E_FS + 16, NOBODY); /* SRE 0, no tables */
    assert_int_equal(ask(vm, request(VM_PASID_FS, R | PRIV, 1)), 0);
    assert_int_equal(ask(vm, request(VM_PASID_FS, R | X, 2)), 0);
    assert_int_equal(queued(vm), 2);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(vm_fetched(vm, NOBODY, 4096), 0);
    vm_destroy(vm);
}

/* PRE without DTE is wrong for everybody. */
static void other_requests_see_wrong_entries_too(void **state)
{
    struct vm *vm = vm_create(PAGES);

    (void)state;
    vm_poke(vm, SA, WITH_ALL ^ 1 << 2);
    vm_start(vm);
    assert_int_equal(vm_go(vm, R, VM_X), 0);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SCT_4);
    vm_destroy(vm);
}

/* ---- overflow ------------------------------------------------------------------------ */

static void a_full_queue_overflows(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    ask_more(vm, VM_PASID_FS, 300);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PPR | PRO);
    ask_last(vm, VM_PASID_FS, 300);
    check_response(vm, 0, VM_PASID_FS, 300, VTD_RC_SUCCESS);
    ask_last(vm, NONE, 301);
    check_response(vm, 1, NONE, 301, VTD_RC_SUCCESS);
    ask_marker(vm, VM_PASID_FS);
    assert_int_equal(vm->n_response, 2);
    assert_int_equal(vm_rd(vm, VTD_REG_PQT), (QUEUE_SIZE - 1) * 32);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

/* What has no PASID is a request, even for nothing: it has its number and its answer. */
static void a_request_for_nothing_is_no_stop_marker(void **state)
{
    struct vm *vm = start(PAGES ",cache=adversarial");
    struct vtd_prq_desc_hi hi;

    (void)state;
    assert_int_equal(ask(vm, request(NONE, 0, 77)), 0);
    hi.raw = word(vm, 0, 1);
    assert_int_equal(vtd_prq_desc_hi_prgi(hi), 77);
    assert_int_equal(vtd_prq_desc_hi_lpig(hi), 1);
    assert_int_equal(vtd_prq_desc_hi_rdr(hi) | vtd_prq_desc_hi_wrr(hi), 0);
    vm_destroy(vm);
    vm = full_queue();
    assert_int_equal(ask(vm, request(NONE, 0, 78)), 0);
    check_response(vm, 0, NONE, 78, VTD_RC_SUCCESS);
    vm_destroy(vm);
}

/* Until software clears PRO, room changes nothing. */
static void overflow_lasts_until_it_is_cleared(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    ask_last(vm, VM_PASID_FS, 300);
    vm_wr(vm, VTD_REG_PRS, PPR);
    vm_wr(vm, VTD_REG_PQH, vm_rd(vm, VTD_REG_PQT));
    ask_last(vm, VM_PASID_FS, 301);
    ask_more(vm, VM_PASID_FS, 302);
    assert_int_equal(vm->n_response, 2);
    check_response(vm, 1, VM_PASID_FS, 301, VTD_RC_SUCCESS);
    assert_int_equal(queued(vm), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PRO);
    vm_wr(vm, VTD_REG_PRS, PRO);
    ask_last(vm, VM_PASID_FS, 303);
    assert_int_equal(vm->n_response, 2);
    assert_int_equal(queued(vm), 1);
    vm_destroy(vm);
}

/* A table that is wrong is worse than a queue that is full. */
static void errors_count_while_the_queue_is_full(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    ask_last(vm, VM_RID_PASID, 1);
    check_response(vm, 0, VM_RID_PASID, 1, VTD_RC_INVALID_REQUEST);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PPR);
    assert_int_equal(vm_fault(vm, 0), VTD_FR_SCT_9);
    vm_destroy(vm);
}

/* ---- the event ----------------------------------------------------------------------- */

static void an_event_is_sent_once(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    ask_last(vm, VM_PASID_FS, 2);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, EVENT_ADDR);
    assert_int_equal(vm->msi[0].data, EVENT);
    vm_wr(vm, VTD_REG_PRS, PPR);
    assert_int_equal(vm->n_msi, 1); /* what is in the queue is no new event */
    ask_last(vm, VM_PASID_FS, 3);
    assert_int_equal(vm->n_msi, 2);
    vm_destroy(vm);
}

static void a_masked_event_waits(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    vm_wr(vm, VTD_REG_PECTL, 1u << 31);
    ask_last(vm, VM_PASID_FS, 1);
    assert_int_equal(vm_rd(vm, VTD_REG_PECTL), 3u << 30);
    vm_wr(vm, VTD_REG_PECTL, 0);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm_rd(vm, VTD_REG_PECTL), 0);
    vm_wr(vm, VTD_REG_PECTL, 1u << 31);
    vm_wr(vm, VTD_REG_PRS, PPR);
    ask_last(vm, VM_PASID_FS, 2);
    vm_wr(vm, VTD_REG_PRS, PPR); /* served: not wanted any more */
    assert_int_equal(vm_rd(vm, VTD_REG_PECTL), 1u << 31);
    vm_wr(vm, VTD_REG_PECTL, 0);
    assert_int_equal(vm->n_msi, 1);
    vm_destroy(vm);
}

/* Clearing one of two conditions does not make the other a new one: who clears PPR
 * behind its last look, and leaves PRO, hears nothing of either again. */
static void one_condition_hides_the_other(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    ask_last(vm, VM_PASID_FS, 300);
    assert_int_equal(vm->n_msi, 1);
    vm_wr(vm, VTD_REG_PRS, PPR);
    vm_wr(vm, VTD_REG_PQH, vm_rd(vm, VTD_REG_PQT));
    ask_last(vm, VM_PASID_FS, 301);
    assert_int_equal(vm->n_msi, 1);
    vm_wr(vm, VTD_REG_PRS, PRO);
    ask_last(vm, VM_PASID_FS, 302);
    assert_int_equal(vm->n_msi, 2);
    vm_destroy(vm);
}

static void overflow_is_an_event(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    vm_wr(vm, VTD_REG_PRS, PPR);
    ask_last(vm, VM_PASID_FS, 300);
    assert_int_equal(vm->n_msi, 2);
    vm_destroy(vm);
}

/* ---- answers of software -------------------------------------------------------------- */

static void answers_reach_the_device(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    vm_submit(vm, response_lo(VM_A, VM_PASID_FS, VTD_RC_SUCCESS),
              response_hi(5));
    vm_submit(vm, response_lo(VM_A, NONE, VTD_RC_INVALID_REQUEST),
              response_hi(511));
    vm_submit(vm, response_lo(VM_A, 0xfffff, VTD_RC_RESPONSE_FAILURE),
              response_hi(0) | 1 << 2); /* ignored */
    vm_submit(vm, response_lo(VM_A, NONE, 0) | UINT64_C(7) << 32,
              response_hi(1)); /* PP is 0: so is the PASID */
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(vm->n_response, 4);
    check_response(vm, 0, VM_PASID_FS, 5, 0);
    check_response(vm, 1, NONE, 511, 1);
    check_response(vm, 2, 0xfffff, 0, 15);
    check_response(vm, 3, NONE, 1, 0);
    assert_int_equal(vm_counter(vm, "page_responses"), 4);
    vm_destroy(vm);
}

/* D-17: a driver that sends its own numbers fails loudly. */
static void reserved_codes_are_failures(void **state)
{
    struct vm *vm = start(PAGES);

    (void)state;
    for (unsigned code = 2; code < 15; code++) {
        vm_submit(vm, response_lo(VM_A, NONE, code), response_hi(1));
        check_response(vm, code - 2, NONE, 1, VTD_RC_RESPONSE_FAILURE);
    }
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 13);
    vm_destroy(vm);
}

static unsigned queue_error(const char *args, uint64_t lo, uint64_t hi)
{
    struct vm *vm = vm_create(args);
    unsigned error;

    vm_start(vm);
    vm_submit(vm, lo, hi);
    error = vm_rd(vm, VTD_REG_FSTS) & 1 << 4
                ? (unsigned)vm_rd(vm, VTD_REG_IQERCD) & 15
                : 0;
    assert_int_equal(vm->n_response, 0);
    vm_destroy(vm);
    return error;
}

static void wrong_answers_are_queue_errors(void **state)
{
    const uint64_t lo = response_lo(VM_A, NONE, 0), hi = response_hi(1);

    (void)state;
    assert_int_equal(queue_error(PAGES, lo | 1 << 5, hi), 4);
    assert_int_equal(queue_error(PAGES, lo | UIM_BIT(52), hi), 4);
    assert_int_equal(queue_error(PAGES, lo, hi | 1), 4);
    assert_int_equal(queue_error(PAGES, lo, hi | 1 << 12), 4);
    assert_int_equal(queue_error("scalable=1", lo, hi), 3);
    assert_int_equal(queue_error("scalable=1", lo | 1 << 5, hi), 3);
    assert_int_equal(queue_error("", lo, hi), 3);
    assert_int_equal(queue_error("scalable=1", drain(1), VM_STATUS), 4);
}

/* 7.8: what was answered before an invalidation arrives before it. */
static void answers_stay_in_order(void **state)
{
    struct vm *vm = start(PAGES);
    const uint64_t all = UINT64_C(0x7ffffffffffff001);

    (void)state;
    uim_check_hold(vm->model, true);
    vm_post(vm, response_lo(VM_A, VM_PASID_FS, 0), response_hi(1));
    vm_post(vm, 3 | (uint64_t)VM_A << 32, all);
    vm_submit(vm, response_lo(VM_A, VM_PASID_FS, 0), response_hi(2));
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm->n_response, 1);
    assert_int_equal(vm->n_inval, 0);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(vm->n_response, 1);
    assert_int_equal(uim_check_run(vm->model, 5), 1);
    assert_int_equal(vm->n_response, 2);
    vm_destroy(vm);
}

/* ---- implicit invalidation --------------------------------------------------------- */

#define LEAVES(tables) (tables) + 0x3000, 0x1000

static const struct {
    uint32_t asks;      /* with this PASID */
    uint32_t pasid;     /* whose entry */
    uint64_t iova;
    uint64_t gpa, len;  /* fetched again if it is gone */
    bool gone;
} implicit[] = {
    { VM_PASID_FS, VM_PASID_FS, VM_X, LEAVES(VM_FS), true },
    { VM_PASID_FS, VM_PASID_FS, VM_Y, LEAVES(VM_FS), false },
    { VM_PASID_FS, VM_PASID_FS_2, VM_X, LEAVES(VM_FS_2), false },
    { VM_PASID_FS, VM_PASID_FS, VM_Z, VM_FS, 0x1000, true }, /* IH is 0 */
    { VM_PASID_FS, NONE, VM_X, LEAVES(VM_SS), false },
    { VM_PASID_SS, VM_PASID_SS, VM_X, LEAVES(VM_SS), true },
    { VM_PASID_SS, NONE, VM_X, LEAVES(VM_SS), true }, /* one domain */
    { VM_PASID_SS, VM_PASID_SS, VM_Y, LEAVES(VM_SS), false },
    { VM_PASID_SS, VM_PASID_FS, VM_X, LEAVES(VM_FS), false },
    { NONE, NONE, VM_X, LEAVES(VM_SS), true },
    { NONE, NONE, VM_Y, LEAVES(VM_SS), false },
};

static void read_at(struct vm *vm, uint32_t pasid, uint64_t iova)
{
    struct uie_xlat x;

    assert_int_equal(vm_ask(vm, VM_A, pasid, R, 0, iova, &x), 0);
}

static void a_request_invalidates_its_page(void **state)
{
    (void)state;
    if (vm_cache("none"))
        return;
    for (size_t i = 0; i < COUNT(implicit); i++) {
        struct vm *vm = start(PAGES);
        struct uie_page_request req = request(implicit[i].asks, R, 1);

        read_at(vm, implicit[i].pasid,
                implicit[i].iova == VM_Z ? VM_X : implicit[i].iova);
        req.iova = VM_X;
        assert_int_equal(ask(vm, req), 0);
        vm_forget(vm);
        read_at(vm, implicit[i].pasid, implicit[i].iova);
        if ((vm_fetched(vm, implicit[i].gpa, implicit[i].len) > 0) !=
            implicit[i].gone)
            fail_msg("row %zu", i);
        vm_destroy(vm);
    }
}

/* Whoever keeps what translate said hears of it; it is no command of software. */
static void the_machine_is_told(void **state)
{
    struct vm *vm = start(PAGES);
    struct uie_page_request req = request(VM_PASID_FS, R, 1);

    (void)state;
    req.iova = VM_X + 5;
    assert_int_equal(ask(vm, req), 0);
    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(vm->inval[0].what, UIE_INV_DOMAIN);
    assert_int_equal(vm->inval[0].domain, VM_DID_FS);
    assert_int_equal(vm->inval[0].iova, VM_X);
    assert_int_equal(vm->inval[0].len, 0x1000);
    assert_int_equal(vm->n_command, 0);
    vm_destroy(vm);
}

static void refused_requests_invalidate_nothing(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    vm_forget(vm);
    ask_last(vm, VM_PASID_FS, 300);
    ask_last(vm, VM_PASID_FS, 301);
    assert_int_equal(vm->n_inval, 0);
    vm_destroy(vm);
}

/* A right that was granted meanwhile is seen, without an invalidation. */
static void rights_that_were_added_are_seen(void **state)
{
    struct vm *vm = start(PAGES);
    const uint64_t leaf = VM_FS + 0x3000 + (VM_READ_ONLY >> 12) * 8;
    struct uie_page_request req = request(VM_PASID_FS, W, 1);

    (void)state;
    assert_int_not_equal(vm_go_pasid(vm, VM_PASID_FS, R, VM_READ_ONLY), 0);
    vm_poke(vm, leaf, vm_peek(vm, leaf) | 2);
    req.iova = VM_READ_ONLY;
    assert_int_equal(ask(vm, req), 0);
    assert_int_not_equal(vm_go_pasid(vm, VM_PASID_FS, W, VM_READ_ONLY), 0);
    assert_int_equal(vm->n_stale, 0);
    vm_destroy(vm);
}

/* Page requests use what is cached of the way to the domain, stale or not. */
static void stale_entries_are_reported(void **state)
{
    struct vm *vm = start(PAGES ",cache=adversarial");

    (void)state;
    read_at(vm, VM_PASID_FS, VM_X);
    vm_poke(vm, E_FS, 0);
    ask_last(vm, VM_PASID_FS, 1);
    assert_int_equal(queued(vm), 1);
    assert_int_equal(vm->n_stale, 1);
    assert_int_equal(vm->stale[0].cache, UIM_CHECK_CACHE_PASID);
    vm_submit(vm, vm_pc(VTD_PC_PASID, VM_DID_FS, VM_PASID_FS), 0);
    ask_last(vm, VM_PASID_FS, 2);
    assert_int_equal(queued(vm), 1);
    check_response(vm, 0, VM_PASID_FS, 2, VTD_RC_INVALID_REQUEST);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_there_if_it_is_offered),
        cmocka_unit_test(requests_that_no_unit_can_get_are_refused),
        cmocka_unit_test(a_descriptor_says_what_was_asked),
        cmocka_unit_test(requests_without_a_pasid),
        cmocka_unit_test(a_request_for_nothing_is_no_stop_marker),
        cmocka_unit_test(undefined_fields_are_undefined),
        cmocka_unit_test(queues_have_every_size),
        cmocka_unit_test(offsets_beyond_the_queue_are_cut),
        cmocka_unit_test(a_queue_without_memory_answers),
        cmocka_unit_test(errors_in_tables_are_answered_and_recorded),
        cmocka_unit_test(records_say_that_it_was_a_page_request),
        cmocka_unit_test(only_the_way_to_the_domain_is_checked),
        cmocka_unit_test(other_requests_see_wrong_entries_too),
        cmocka_unit_test(a_full_queue_overflows),
        cmocka_unit_test(overflow_lasts_until_it_is_cleared),
        cmocka_unit_test(errors_count_while_the_queue_is_full),
        cmocka_unit_test(an_event_is_sent_once),
        cmocka_unit_test(a_masked_event_waits),
        cmocka_unit_test(one_condition_hides_the_other),
        cmocka_unit_test(overflow_is_an_event),
        cmocka_unit_test(answers_reach_the_device),
        cmocka_unit_test(reserved_codes_are_failures),
        cmocka_unit_test(wrong_answers_are_queue_errors),
        cmocka_unit_test(answers_stay_in_order),
        cmocka_unit_test(a_request_invalidates_its_page),
        cmocka_unit_test(the_machine_is_told),
        cmocka_unit_test(refused_requests_invalidate_nothing),
        cmocka_unit_test(rights_that_were_added_are_seen),
        cmocka_unit_test(stale_entries_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
