/* SPDX-License-Identifier: MIT */
/*
 * Page requests on their way to the queue of the VT-d model: the drain (7.7), requests
 * that arrive late, and a machine that is saved meanwhile.
 */
#include <stdlib.h>

#include "tests/model/vtd_page.h"

/* ---- requests on their way -------------------------------------------------------------- */

static struct vm *held(void)
{
    struct vm *vm = start(PAGES);

    uim_check_hold(vm->model, true);
    return vm;
}

/* 7.7: a wait that does not say so is not behind the requests before it. */
static void only_a_drain_waits_for_requests(void **state)
{
    struct vm *vm = held();

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    ask_last(vm, VM_PASID_FS, 2);
    vm_submit(vm, vm_wait(7, true, false), VM_STATUS);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 7);
    assert_int_equal(queued(vm), 0);
    assert_int_equal(vm->n_msi, 0);
    assert_false(vm->command[0].drain_pages);
    vm_submit(vm, drain(8), VM_STATUS);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 8);
    assert_int_equal(queued(vm), 2);
    assert_true(vm->command[1].drain_pages);
    assert_int_equal(vm->n_msi, 1);
    vm_destroy(vm);
}

/* All that was received before the device TLB answered, whenever it was ordered. */
static void a_drain_covers_what_comes_before_it_is_over(void **state)
{
    struct vm *vm = held();
    uint32_t tag;

    (void)state;
    vm_post(vm, 3 | (uint64_t)VM_A << 32, UINT64_C(0x7ffffffffffff001));
    vm_submit(vm, drain(8), VM_STATUS);
    assert_int_equal(uim_check_run(vm->model, 2), 2);
    tag = vm->inval[0].tag;
    ask_last(vm, VM_PASID_FS, 1);
    assert_int_equal(queued(vm), 0);
    vm->ops->devtlb_done(vm->m, tag, 0);
    assert_int_equal(vm_peek(vm, VM_STATUS), 8);
    assert_int_equal(queued(vm), 1);
    vm_destroy(vm);
}

/* The requests are there to be seen when the status is. */
static void a_drain_comes_first(void **state)
{
    struct vm *vm = held();

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    vm_submit(vm, drain(8), VM_STATUS);
    vm_forget(vm);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    for (unsigned i = 0; i < vm->n_fetch; i++) {
        if (vm->fetch[i].gpa == VM_STATUS)
            fail_msg("the status comes first");
        if (vm->fetch[i].gpa == VM_PAGE_QUEUE && vm->fetch[i].write) {
            assert_true(vm->fetch[i].snooped);
            break;
        }
    }
    assert_int_equal(vm_fetched(vm, VM_PAGE_QUEUE, 32), 1);
    assert_int_equal(vm_fetched(vm, VM_STATUS, 4), 1);
    vm_destroy(vm);
}

/* A drain that finds the queue full answers for software, which has to repeat it. */
static void a_drain_may_overflow(void **state)
{
    struct vm *vm = full_queue();

    (void)state;
    uim_check_hold(vm->model, true);
    ask_last(vm, VM_PASID_FS, 300);
    assert_int_equal(vm->n_response, 0);
    vm_submit(vm, drain(8), VM_STATUS);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    check_response(vm, 0, VM_PASID_FS, 300, VTD_RC_SUCCESS);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PPR | PRO);
    vm_destroy(vm);
}

static void requests_arrive_in_time(void **state)
{
    struct vm *vm = held();

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    ask_last(vm, VM_PASID_FS, 2);
    ask_last(vm, VM_PASID_FS, 3);
    vm_submit(vm, vm_wait(7, false, false), VM_STATUS);
    assert_int_equal(uim_check_run(vm->model, 2), 2); /* commands first */
    assert_int_equal(vm_peek(vm, VM_STATUS), 7);
    assert_int_equal(queued(vm), 1);
    vm_submit(vm, vm_wait(8, false, false), VM_STATUS);
    assert_int_equal(uim_check_requests(vm->model, 1), 1);
    assert_int_equal(queued(vm), 2);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 7);
    assert_int_equal(queued(vm), 3);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 0);
    assert_int_equal(
        vtd_prq_desc_hi_prgi((struct vtd_prq_desc_hi){ word(vm, 2, 1) }),
        3); /* in their order */
    vm_destroy(vm);
}

static void a_unit_holds_few_requests(void **state)
{
    struct vm *vm = held();

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        ask_last(vm, VM_PASID_FS, i);
    assert_int_equal(queued(vm), 0);
    ask_last(vm, VM_PASID_FS, 8);
    assert_int_equal(queued(vm), 1);
    uim_check_silent(vm->model, true);
    assert_true(ask(vm, request(VM_PASID_FS, R, 9)) < 0);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 0);
    uim_check_silent(vm->model, false);
    uim_check_hold(vm->model, false);
    assert_int_equal(queued(vm), 9);
    vm_destroy(vm);
}

/* Translation that is off when the unit comes to a request: nobody is left waiting. */
static void requests_on_their_way_when_translation_ends(void **state)
{
    struct vm *vm = held();

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    vm_gcmd(vm, 31, false);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 1);
    check_response(vm, 0, VM_PASID_FS, 1, VTD_RC_INVALID_REQUEST);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

static void a_reset_forgets_requests(void **state)
{
    struct vm *vm = held();

    (void)state;
    ask_last(vm, VM_PASID_FS, 1);
    vm->ops->reset(vm->m);
    assert_int_equal(vm_rd(vm, VTD_REG_PECTL), 0x80000000);
    assert_int_equal(vm_rd(vm, VTD_REG_PQA), 0);
    page_queue_on(vm);
    vm_set_root(vm, TTM(1));
    vm_gcmd(vm, 31, true);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 0);
    assert_int_equal(vm->n_response, 0);
    vm_destroy(vm);
}

/* ---- a machine that moves --------------------------------------------------------------- */

static void requests_on_their_way_are_saved(void **state)
{
    struct vm *vm = held();
    struct uie_page_request more = request(NONE, W | PRIV, 6);
    struct stream *s;

    (void)state;
    ask_last(vm, VM_PASID_FS, 5);
    more.flags = 0;
    assert_int_equal(ask(vm, more), 0);
    s = stream_save(vm);
    vm->ops->reset(vm->m);
    assert_int_equal(stream_load(vm, s), 0);
    assert_int_equal(uim_check_requests(vm->model, UIM_CHECK_EVERY), 2);
    assert_int_equal(word(vm, 0, 0), 0x0000000600180101);
    assert_int_equal(word(vm, 0, 1), VM_HOLE | 5 << 3 | 5);
    assert_int_equal(word(vm, 1, 1), VM_HOLE | 6 << 3 | 2);
    free(s);
    vm_destroy(vm);
}

/* No more than a unit has room for, and only such as there can be. */
static void requests_that_cannot_be_are_refused(void **state)
{
    static const struct {
        int behind; /* of the address of the first */
        uint64_t becomes;
        bool loads;
    } changes[] = {
        { -1, 0, false },      { -1, 9, false },     { 1, 0xffffffff, true },
        { 2, 1 << 20, false }, { 2, 0xfffff, true }, { 3, 512, false },
        { 3, 511, true },      { 4, 16, false },     { 5, 2, false },
    };
    struct vm *vm = held();
    struct uie_page_request req = request(VM_PASID_FS, R, 5);
    struct stream *good, *s = malloc(sizeof(*s));

    (void)state;
    req.iova = UINT64_C(0xabcdef123000);
    assert_int_equal(ask(vm, req), 0);
    good = stream_save(vm);
    for (size_t i = 0; i < COUNT(changes); i++) {
        const size_t at = stream_find(good, req.iova);

        *s = *good;
        stream_set_number(s, at + (size_t)changes[i].behind,
                          changes[i].becomes);
        stream_seal(s);
        if (changes[i].loads)
            assert_int_equal(stream_load(vm, s), 0);
        else
            stream_check_refused(vm, s, NULL);
    }
    free(good);
    free(s);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_drain_waits_for_requests),
        cmocka_unit_test(a_drain_covers_what_comes_before_it_is_over),
        cmocka_unit_test(a_drain_comes_first),
        cmocka_unit_test(a_drain_may_overflow),
        cmocka_unit_test(requests_arrive_in_time),
        cmocka_unit_test(a_unit_holds_few_requests),
        cmocka_unit_test(requests_on_their_way_when_translation_ends),
        cmocka_unit_test(a_reset_forgets_requests),
        cmocka_unit_test(requests_on_their_way_are_saved),
        cmocka_unit_test(requests_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
