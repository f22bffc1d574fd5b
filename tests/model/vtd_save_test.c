/* SPDX-License-Identifier: MIT */
/*
 * Save and load of the VT-d model: a machine that is moved while everything is
 * under way. That a guest notices nothing is shown by the other tests here, which
 * run once more with a snapshot before each call.
 */
#include "tests/model/saved.h"

/* ---- a machine that moves ------------------------------------------------------- */

/* Another machine that goes on where this one is. */
static struct vm *move(struct vm *from, const char *args)
{
    struct stream *s = stream_save(from), *again;
    struct vm *to = vm_create(args);

    memcpy(to->memory, from->memory, VM_MEMORY);
    to->tail = from->tail;
    assert_int_equal(stream_load(to, s), 0);
    assert_int_equal(s->read, s->size);
    again = stream_save(to);
    assert_true(stream_same(s, again));
    free(s);
    free(again);
    return to;
}

static void compare_registers(struct vm *a, struct vm *b)
{
    for (uint64_t off = 0; off < 0x1000; off += 4)
        assert_int_equal(a->ops->mmio_read(a->m, 0, off, 4),
                         b->ops->mmio_read(b->m, 0, off, 4));
}

/* ---- what is saved ---------------------------------------------------------------- */

static void state_says_what_it_is(void **state)
{
    struct vm *vm = busy("scalable=1");
    struct stream *s = stream_save(vm);

    (void)state;
    assert_memory_equal(s->bytes, "UIMSTATE", 8);
    assert_int_equal(s->bytes[8], 3);
    assert_int_equal(stream_number(s, 2), s->size / 8);
    assert_int_equal(s->size % 8, 0);
    assert_memory_equal(s->bytes + 24, "vtd\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    free(s);
    vm_destroy(vm);
}

static void registers_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct vm *a = busy(kinds[i]), *b = move(a, kinds[i]);

        assert_int_equal(b->n_inval + b->n_msi + b->n_fetch, 0);
        compare_registers(a, b);
        assert_int_equal(vm_rd(b, VTD_REG_FEADDR), 0xfee0b00c);
        assert_int_equal(vm_rd(b, VTD_REG_IQH), a->tail);
        assert_int_equal(vm_counter(b, "faults_recorded"), 3);
        vm_destroy(a);
        vm_destroy(b);
    }
}

struct sums {
    uint64_t n, of_all;
};

static void add_counter(void *ctx, const char *name, uint64_t value)
{
    struct sums *sums = ctx;

    (void)name;
    sums->n++;
    sums->of_all = sums->of_all * 3 + value;
}

static void counters_come_back(void **state)
{
    struct vm *a = busy("cache=adversarial"), *b;
    struct sums of_a = { 0, 0 }, of_b = { 0, 0 };

    (void)state;
    vm_poke(a, LEAF_X, 0);
    vm_go(a, R, VM_X);
    assert_int_equal(vm_counter(a, "stale_uses"), 1);
    b = move(a, "cache=adversarial");
    a->ops->counters(a->m, add_counter, &of_a);
    b->ops->counters(b->m, add_counter, &of_b);
    assert_memory_equal(&of_a, &of_b, sizeof(of_a));
    vm_destroy(a);
    vm_destroy(b);
}

/* A unit that has a past of its own, or that of another, forgets it. */
static void nothing_else_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct vm *fresh = vm_create(kinds[i]), *used = busy(kinds[i]);
        struct stream *s = stream_save(fresh), *again;

        assert_int_equal(stream_load(used, s), 0);
        again = stream_save(used);
        assert_true(stream_same(s, again));
        free(s);
        free(again);
        vm_destroy(fresh);
        vm_destroy(used);
    }
}

/* The root that counts is the one that was latched, not what RTADDR says. */
static void translations_go_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct vm *a = busy(kinds[i]), *b = move(a, kinds[i]);

        assert_int_equal(vm_go(b, R, VM_X), PAGE_X);
        assert_int_equal(vm_go(b, W, VM_READ_ONLY), 0);
        if (b->scalable)
            assert_int_equal(vm_go_pasid(b, VM_PASID_FS, W, VM_X), PAGE_X);
        if (remaps(b))
            assert_int_equal(send(b, 2), 0x42);
        vm_destroy(a);
        vm_destroy(b);
    }
}

/* By the table that was latched, and the entries that are cached. */
static void messages_go_on(void **state)
{
    struct vm *a = busy("ir=1,cache=normal"), *b;

    (void)state;
    vm_wr(a, VTD_REG_IRTA, VM_OUTSIDE);
    set_vector(a, 3, 0x53);
    set_vector(a, 4, 0x54);
    b = move(a, "ir=1,cache=normal");
    vm_forget(b);
    assert_int_equal(send(b, 3), 0x43);
    assert_int_equal(b->n_fetch, 0);
    assert_int_equal(send(b, 4), 0x54);
    assert_int_equal(send(b, 256), 0);
    vm_destroy(a);
    vm_destroy(b);
}

static void records_and_events_go_on(void **state)
{
    struct vm *a = busy(""), *b = move(a, "");

    (void)state;
    assert_int_equal(vm_fault(b, 0), 0);
    assert_int_equal(vm_fault(b, 1), 6);
    assert_int_equal(vm_fault(b, 2), 6);
    vm_go(b, W, VM_HOLE);
    assert_int_equal(vm_fault(b, 3), 5);
    vm_wr(b, VTD_REG_FECTL, 0);
    assert_int_equal(b->n_msi, 1);
    assert_int_equal(b->msi[0].addr, 0xfee0b00c);
    assert_int_equal(b->msi[0].data, 0x4cfe);
    vm_destroy(a);
    vm_destroy(b);
}

/* The devices answer the machine that they are in now. */
static void device_tlbs_answer_after_load(void **state)
{
    struct vm *a = busy(""), *b = move(a, "");

    (void)state;
    assert_int_equal(a->inval[0].what, UIE_INV_DEVTLB);
    vm_submit(b, vm_iotlb(1, 0), 0); /* behind a fence */
    b->ops->devtlb_done(b->m, a->inval[1].tag, 0);
    assert_int_equal(vm_peek(b, VM_STATUS), 0);
    b->ops->devtlb_done(b->m, a->inval[0].tag, 0);
    assert_int_equal(vm_peek(b, VM_STATUS), 2);
    assert_int_equal(vm_peek(b, VM_STATUS + 8), 3);
    assert_int_equal(vm_rd(b, VTD_REG_ICS), 1);
    assert_int_equal(vm_rd(b, VTD_REG_IQH), b->tail);
    vm_submit(b, devtlb(VM_A), 0);
    assert_int_not_equal(b->inval[b->n_inval - 1].tag, a->inval[0].tag);
    assert_int_not_equal(b->inval[b->n_inval - 1].tag, a->inval[1].tag);
    vm_destroy(a);
    vm_destroy(b);
}

static void device_tlb_fails_after_load(void **state)
{
    struct vm *a = busy(""), *b = move(a, "");

    (void)state;
    b->ops->devtlb_done(b->m, a->inval[1].tag, 1);
    assert_int_equal(vm_rd(b, VTD_REG_FSTS) & 0x40, 0x40);
    assert_int_equal(vm_rd(b, VTD_REG_IQERCD), (uint64_t)VM_B << 32);
    b->ops->devtlb_done(b->m, a->inval[0].tag, 0);
    assert_int_equal(vm_peek(b, VM_STATUS), 0);
    vm_destroy(a);
    vm_destroy(b);
}

/* Serials are numbered anew, in their order: however many requests there were,
 * waits stand where they stood. */
static void states_do_not_run_out_of_serials(void **state)
{
    struct vm *a = vm_create(""), *b;
    uint32_t first, last;
    struct stream *s;

    (void)state;
    vm_start(a);
    vm_submit(a, devtlb(VM_A), 0);
    first = a->inval[a->n_inval - 1].tag;
    for (unsigned i = 0; i < 500; i++) {
        vm_submit(a, devtlb(VM_B), 0);
        last = a->inval[(a->n_inval - 1) % VM_MANY].tag;
        a->ops->devtlb_done(a->m, last, 0);
    }
    vm_post(a, vm_wait(2, false, false), VM_STATUS);
    vm_submit(a, devtlb(VM_B), 0);
    last = a->inval[(a->n_inval - 1) % VM_MANY].tag;
    vm_submit(a, vm_wait(3, false, false), VM_STATUS + 8);
    s = stream_save(a);
    assert_in_range(stream_number(s, registers(s) + DEVTLB_SERIAL), 2, 3);
    free(s);
    b = move(a, "");
    b->ops->devtlb_done(b->m, first, 0);
    assert_int_equal(vm_peek(b, VM_STATUS), 2);
    assert_int_equal(vm_peek(b, VM_STATUS + 8), 0);
    vm_submit(b, vm_wait(4, false, false), VM_STATUS + 16);
    b->ops->devtlb_done(b->m, last, 0);
    assert_int_equal(vm_peek(b, VM_STATUS + 8), 3);
    assert_int_equal(vm_peek(b, VM_STATUS + 16), 4);
    vm_destroy(a);
    vm_destroy(b);
}

static void queue_error_goes_on(void **state)
{
    struct vm *a = vm_create(""), *b;

    (void)state;
    vm_start(a);
    vm_post(a, vm_iotlb(1, 0), 0);
    vm_post(a, 0xf, 0);
    vm_submit(a, vm_wait(2, false, false), VM_STATUS);
    b = move(a, "");
    assert_int_equal(vm_rd(b, VTD_REG_FSTS), 1 << 4);
    assert_int_equal(vm_rd(b, VTD_REG_IQERCD), 3);
    assert_int_equal(vm_rd(b, VTD_REG_IQH), 16);
    vm_poke(b, VM_QUEUE + 16, vm_iotlb(1, 0));
    vm_wr(b, VTD_REG_FSTS, 1 << 4);
    assert_int_equal(vm_rd(b, VTD_REG_IQH), 48);
    assert_int_equal(vm_peek(b, VM_STATUS), 2);
    vm_destroy(a);
    vm_destroy(b);
}

/* What was ordered and is not done yet is done by the other machine. */
static void pending_commands_go_on(void **state)
{
    struct vm *a = vm_create(""), *b;

    (void)state;
    vm_start(a);
    uim_check_silent(a->model, true);
    vm_gcmd(a, 31, false);
    vm_submit(a, vm_wait(7, false, false), VM_STATUS);
    b = move(a, "");
    assert_int_equal(vm_rd(b, VTD_REG_GSTS) >> 31, 1);
    uim_check_silent(b->model, false);
    assert_int_equal(vm_rd(b, VTD_REG_GSTS) >> 31, 0);
    assert_int_equal(vm_peek(b, VM_STATUS), 7);
    vm_destroy(a);
    vm_destroy(b);
}

/* A snapshot forgives nothing. */
static void forgotten_invalidations_are_still_found(void **state)
{
    struct vm *a = busy("cache=adversarial"), *b;

    (void)state;
    vm_poke(a, LEAF_X, 0);
    b = move(a, "cache=adversarial");
    vm_forget(b);
    assert_int_equal(vm_go(b, R, VM_X), PAGE_X);
    assert_int_equal(b->n_stale, 1);
    vm_poke(b, LEAF_X, PAGE_X | 3);
    vm_poke(b, VM_CONTEXT + VM_A * 16, 0);
    uim_check_memory_changed(b->model, 0, 8);
    vm_go(b, R, VM_X);
    assert_int_equal(b->stale[1].cache, UIM_CHECK_CACHE_CONTEXT);
    vm_destroy(a);
    vm_destroy(b);
}

/* What an adversarial unit was asked for, it fetches early again. */
static void early_fetches_go_on(void **state)
{
    struct vm *a = busy("cache=adversarial"), *b;

    (void)state;
    vm_poke(a, LEAF_X, 0);
    uim_check_caches_drop(a->model);
    b = move(a, "cache=adversarial");
    vm_poke(b, LEAF_X, (PAGE_X + 0x1000) | 3);
    uim_check_memory_changed(b->model, LEAF_X, 8);
    vm_poke(b, LEAF_X, PAGE_X | 3);
    assert_int_equal(vm_go(b, R, VM_X), PAGE_X + 0x1000);
    assert_int_equal(b->n_stale, 1);
    vm_destroy(a);
    vm_destroy(b);
}

/* An answer from the IOTLB is the same in every respect. */
static void cached_answers_are_the_same(void **state)
{
    struct vm *a = vm_create("cache=normal,scalable=1"), *b;
    struct uie_xlat x, y;

    (void)state;
    vm_poke(a, LEAF_X, PAGE_X | 3 | UIM_BIT(11)); /* SNP */
    vm_start(a);
    vm_ask(a, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_X, &x);
    assert_int_equal(x.flags, UIE_XLAT_NOSNOOP);
    vm_poke(a, LEAF_X, 0);
    b = move(a, "cache=normal,scalable=1");
    vm_ask(b, VM_A, UIE_NO_PASID, R, UIE_REQ_ATS, VM_X, &y);
    assert_memory_equal(&x, &y, sizeof(x));
    vm_destroy(a);
    vm_destroy(b);
}

/* A guest that fills the log does so once. */
static void warnings_are_counted_on(void **state)
{
    struct vm *a = vm_create(""), *b;

    (void)state;
    vm_start(a);
    for (unsigned i = 0; i < 20; i++)
        vm_submit(a, vm_wait(1, false, false), VM_OUTSIDE);
    b = move(a, "");
    for (unsigned i = 0; i < 20; i++)
        vm_submit(b, vm_wait(1, false, false), VM_OUTSIDE);
    assert_int_equal(a->n_log[UIE_LOG_WARN], 20);
    assert_int_equal(b->n_log[UIE_LOG_WARN], 12);
    vm_destroy(a);
    vm_destroy(b);
}

/* By page, first-stage answers of a domain go as a whole (6.5.2.3). */
static void first_stage_domains_are_remembered(void **state)
{
    struct vm *a = busy("scalable=1"), *b = move(a, "scalable=1");

    (void)state;
    b->ops->devtlb_done(b->m, a->inval[0].tag, 0);
    b->ops->devtlb_done(b->m, a->inval[1].tag, 0);
    vm_forget(b);
    vm_submit(b, vm_iotlb(3, VM_DID_FS), vm_page(VM_Y, 0, 1));
    assert_int_equal(b->inval[0].domain, VM_DID_FS);
    assert_int_equal(b->inval[0].len, 0);
    vm_destroy(a);
    vm_destroy(b);
}

/* What the test door holds is no part of it. */
static void door_is_not_saved(void **state)
{
    struct vm *vm = vm_create("");
    struct stream *s;

    (void)state;
    vm_start(vm);
    uim_check_hold(vm->model, true);
    vm_submit(vm, vm_wait(7, false, false), VM_STATUS);
    s = stream_save(vm);
    vm->ops->reset(vm->m);
    assert_int_equal(stream_load(vm, s), 0);
    vm_submit(vm, vm_wait(8, false, false), VM_STATUS);
    assert_int_equal(vm_peek(vm, VM_STATUS), 0);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(vm_peek(vm, VM_STATUS), 7);
    free(s);
    vm_destroy(vm);
}

/* ---- streams that fail ----------------------------------------------------------- */

static void writer_that_fails(void **state)
{
    struct vm *vm = busy("scalable=1");
    struct stream *good = stream_save(vm), *s = calloc(1, sizeof(*s));

    (void)state;
    for (unsigned nth = 1; nth <= good->calls; nth++) {
        *s = (struct stream){ .failing_call = nth };
        assert_true(vm->ops->save(vm->m, stream_put, s) < 0);
        assert_int_equal(s->calls, nth); /* and is left alone from then on */
        assert_int_equal(vm->n_log[UIE_LOG_ERROR], nth);
        assert_non_null(strstr(vm->last_log, "could not be written"));
    }
    assert_true(good->calls > 1);
    *s = (struct stream){ .failing_call = 0 };
    assert_int_equal(vm->ops->save(vm->m, stream_put, s), 0);
    assert_true(stream_same(s, good));
    free(good);
    free(s);
    vm_destroy(vm);
}

static void stream_that_ends_early(void **state)
{
    struct vm *vm = busy("");
    struct stream *s = stream_save(vm);
    size_t all = s->size;

    (void)state;
    for (s->size = 0; s->size < all; s->size++)
        stream_check_refused(vm, s, "could not be read");
    assert_int_equal(stream_load(vm, s), 0);
    free(s);
    vm_destroy(vm);
}

/* A VMM has more to save than its IOMMU. */
static void stream_that_goes_on(void **state)
{
    struct vm *vm = busy("");
    struct stream *s = stream_save(vm);
    size_t all = s->size;

    (void)state;
    s->size += 5000;
    assert_int_equal(stream_load(vm, s), 0);
    assert_int_equal(s->read, all);
    free(s);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_says_what_it_is),
        cmocka_unit_test(registers_come_back),
        cmocka_unit_test(counters_come_back),
        cmocka_unit_test(nothing_else_is_left),
        cmocka_unit_test(translations_go_on),
        cmocka_unit_test(messages_go_on),
        cmocka_unit_test(records_and_events_go_on),
        cmocka_unit_test(device_tlbs_answer_after_load),
        cmocka_unit_test(device_tlb_fails_after_load),
        cmocka_unit_test(states_do_not_run_out_of_serials),
        cmocka_unit_test(queue_error_goes_on),
        cmocka_unit_test(pending_commands_go_on),
        cmocka_unit_test(forgotten_invalidations_are_still_found),
        cmocka_unit_test(early_fetches_go_on),
        cmocka_unit_test(cached_answers_are_the_same),
        cmocka_unit_test(warnings_are_counted_on),
        cmocka_unit_test(first_stage_domains_are_remembered),
        cmocka_unit_test(door_is_not_saved),
        cmocka_unit_test(writer_that_fails),
        cmocka_unit_test(stream_that_ends_early),
        cmocka_unit_test(stream_that_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
