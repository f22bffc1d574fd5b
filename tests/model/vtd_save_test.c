/* SPDX-License-Identifier: MIT */
/*
 * Save and load of the VT-d model: a machine that is moved while everything is
 * under way, and states that are not what they say. That a guest notices nothing
 * is shown by the other tests here, which run once more with a snapshot before
 * each call.
 */
#include <stdlib.h>
#include <string.h>

#include "model/state.h"
#include "spec/vtd_intr.h"
#include "tests/model/stream.h"

enum {
    R = UIE_R,
    W = UIE_W,
    LEAF_X = VM_SS + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
    IRT = 0xa000,
    EIME = 1 << 11,
};

/* Where the registers begin, in the order of their offsets: behind the name and
 * the arguments. After them the latched root, the latched table of interrupts and
 * the numbers of the unit. */
enum { GSTS = 4, LATCHED = 24, DEVTLB_SERIAL = LATCHED + 8 };

static size_t registers(const struct stream *s)
{
    return 6 + (size_t)stream_number(s, 5);
}

/* Tag, source and serial of the first open request of busy(): that of the second
 * is three on. */
static size_t open_requests(const struct stream *s)
{
    size_t i = registers(s);

    while (i + 4 < s->size / 8 &&
           (stream_number(s, i + 1) != VM_A || stream_number(s, i + 4) != VM_B))
        i++;
    assert_true(i + 4 < s->size / 8);
    return i;
}

/* ---- machines ------------------------------------------------------------------ */

static uint64_t devtlb(unsigned sid)
{
    return vtd_qi_devtlb_lo_pack(&(struct vtd_qi_devtlb_lo_fields){
                                     .type = VTD_QI_DEVTLB, .sid = sid })
        .raw;
}

static bool remaps(struct vm *vm)
{
    return vtd_ecap_ir((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) });
}

static bool extends(struct vm *vm)
{
    return vtd_ecap_eim((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) });
}

static void set_vector(struct vm *vm, unsigned index, unsigned vector)
{
    vm_poke(vm, IRT + index * 16,
            vtd_irte_remapped_lo_pack(
                &(struct vtd_irte_remapped_lo_fields){ .p = 1, .v = vector })
                .raw);
}

/* The vector that it becomes; 0: refused. */
static unsigned send(struct vm *vm, unsigned index)
{
    uint64_t addr;
    uint32_t data;
    int r = vm->ops->remap_msi(vm->m, VM_A, 0, 0xfee00010 | index << 5, 0,
                               &addr, &data);

    assert_true(r == 0 || r == UIE_ERR_UR);
    return r == 0 ? data & 0xff : 0;
}

/* Entries 1 to 3 lead somewhere and are cached. */
static void remap(struct vm *vm)
{
    vm_wr(vm, VTD_REG_IRTA, IRT | 7 | (extends(vm) ? EIME : 0));
    vm_gcmd(vm, 24, true);
    vm_gcmd(vm, 25, true);
    for (unsigned i = 1; i <= 3; i++) {
        set_vector(vm, i, 0x40 + i);
        assert_int_equal(send(vm, i), 0x40 + i);
    }
}

/* Something of everything: faults, of which the first is cleared and an event is
 * withheld; open requests to device TLBs and waits behind them; full caches. */
static struct vm *busy(const char *args)
{
    struct vm *vm = vm_create(args);
    struct uie_xlat x;

    vm_start(vm);
    if (remaps(vm))
        remap(vm);
    vm_wr(vm, VTD_REG_FEADDR, 0xfee0b00c);
    vm_wr(vm, VTD_REG_FEDATA, 0x4cfe);
    vm_wr(vm, VTD_REG_RTADDR, 0x123456000);
    for (unsigned i = 0; i < 3; i++)
        vm_go(vm, R, VM_HOLE);
    vm_clear_fault(vm, 0);
    vm_go(vm, R, VM_X);
    vm_go(vm, R, VM_LARGE);
    vm_ask(vm, VM_B, UIE_NO_PASID, R, 0, VM_Y, &x);
    if (vm->scalable)
        vm_go_pasid(vm, VM_PASID_FS, W, VM_X);
    vm_post(vm, devtlb(VM_A), 0);
    vm_post(vm, vm_wait(2, false, false), VM_STATUS);
    vm_post(vm, devtlb(VM_B), 0);
    vm_submit(vm, vm_wait(3, true, true), VM_STATUS + 8);
    return vm;
}

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

static const char *const kinds[] = { "",
                                     "scalable=1",
                                     "cache=adversarial",
                                     "cache=adversarial,scalable=1,cm=1",
                                     "cache=none,scalable=1",
                                     "ir=1,cache=normal",
                                     "ir=1,eim=1,cache=adversarial,cm=1" };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

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
    assert_int_equal(s->bytes[8], 2);
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

/* ---- streams that fail --------------------------------------------------------------- */

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

/* ---- states that are not what they say ------------------------------------------------- */

static void states_of_others(void **state)
{
    static const struct {
        size_t at; /* which number */
        const char *why;
    } rows[] = {
        { 0, "is no state of a model" },
        { 1, "is of another version" },
        { 3, "is of another model" },
        { 4, "is of another model" },
        { 5, "is of another version" }, /* how many arguments */
        { 6, "is of a model with other arguments" },
    };
    struct vm *vm = busy("");
    struct stream *good = stream_save(vm), *s = malloc(sizeof(*s));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        *s = *good;
        stream_set_number(s, rows[i].at, stream_number(s, rows[i].at) + 1);
        stream_seal(s);
        stream_check_refused(vm, s, rows[i].why);
    }
    assert_int_equal(stream_load(vm, good), 0);
    free(good);
    free(s);
    vm_destroy(vm);
}

static void states_of_other_arguments(void **state)
{
    static const char *const args[] = {
        "base=0x12345000",
        "ioapic=1:0xff00",
        "ioapic=0:0xff01",
        "irq=3",
        "rid=8",
        "cache=none",
        "cm=1",
        "coherent=0",
        "scalable=1",
        "fs=0",
        "ss=0",
        "bits=39",
        "dt=0",
        "rwbf=1",
        "ir=1",
    };
    struct vm *vm = busy("cache=normal");
    struct stream *s = stream_save(vm);

    (void)state;
    for (size_t i = 0; i < COUNT(args); i++) {
        struct vm *other = vm_create("cache=normal");

        other->ops->destroy(other->m);
        other->m = other->ops->create("vtd", &other->host, args[i]);
        stream_check_refused(other, s, "is of a model with other arguments");
        vm_destroy(other);
    }
    free(s);
    vm_destroy(vm);
}

static void lengths_that_are_wrong(void **state)
{
    static const struct {
        uint64_t add;
        const char *why;
    } rows[] = {
        { 1, "is longer than it can be" },
        { UINT64_MAX, "is shorter than it has to be" },
        { UIM_STATE_MOST, "holds a number that cannot be" },
        { UINT64_C(1) << 63, "holds a number that cannot be" },
    };
    struct vm *vm = busy("");
    struct stream *good = stream_save(vm), *s = malloc(sizeof(*s));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        *s = *good;
        s->size += 8;
        stream_set_number(s, 2, stream_number(s, 2) + rows[i].add);
        if (rows[i].add == 1) { /* the sum is right where it is looked for */
            s->size -= 8;
            stream_seal(s);
            s->size += 8;
        }
        stream_check_refused(vm, s, rows[i].why);
    }
    for (uint64_t n = 0; n < UIM_STATE_HEAD + 3; n++) {
        *s = *good;
        stream_set_number(s, 2, n);
        stream_check_refused(vm, s, "is shorter than it has to be");
    }
    free(good);
    free(s);
    vm_destroy(vm);
}

static void every_byte_counts(void **state)
{
    static const uint8_t flips[] = { 0x01, 0x80, 0xff };
    struct vm *vm = busy(""), *other = vm_create("");
    struct stream *good = stream_save(vm);

    (void)state;
    for (size_t i = 0; i < good->size; i++) {
        good->bytes[i] ^= flips[i % COUNT(flips)];
        stream_check_refused(other, good, NULL);
        good->bytes[i] ^= flips[i % COUNT(flips)];
    }
    assert_int_equal(stream_load(other, good), 0);
    free(good);
    vm_destroy(vm);
    vm_destroy(other);
}

/* Numbers no unit has: each is known by its value, and refused as another. */
static void numbers_that_cannot_be(void **state)
{
    static const struct {
        uint64_t is, becomes;
        const char *why;
    } rows[] = {
        { 0x12340, 0x12341, "number" },         /* IQT: never reached */
        { 0xfee0b00c, 0xfee0b00d, "number" },   /* FEADDR: not aligned */
        { 0x123456000, 0x123456001, "number" }, /* RTADDR: reserved */
        { 0x50007, 0x50087, "number" },         /* IVA: reserved */
        { 0x20000a5a5, 0x4000a5a5a, "number" }, /* CCMD: reserved */
    };
    struct vm *vm = vm_create("");
    struct stream *good, *s = malloc(sizeof(*s));

    (void)state;
    vm_wr(vm, VTD_REG_IQT, 0x12340);
    vm_wr(vm, VTD_REG_FEADDR, 0xfee0b00c);
    vm_wr(vm, VTD_REG_RTADDR, 0x123456000);
    vm_wr(vm, VTD_REG_CCMD, 0x20000a5a5);
    vm_wr(vm, 0xf0, 0x50007);
    good = stream_save(vm);
    for (size_t i = 0; i < COUNT(rows); i++) {
        *s = *good;
        stream_set_number(s, stream_find(s, rows[i].is), rows[i].becomes);
        stream_seal(s);
        stream_check_refused(vm, s, rows[i].why);
    }
    free(good);
    free(s);
    vm_destroy(vm);
}

static bool loads_with(const char *args, size_t at, uint64_t number_there)
{
    struct vm *vm = vm_create(args);
    struct stream *s;
    bool loads;

    vm_start(vm);
    s = stream_save(vm);
    stream_set_number(s, registers(s) + at, number_there);
    stream_seal(s);
    loads = stream_load(vm, s) == 0;
    if (!loads)
        stream_check_refused(vm, s, "holds a number that cannot be");
    free(s);
    vm_destroy(vm);
    return loads;
}

/* What is not offered is never on: a guest could not switch it off. */
static void status_that_cannot_be(void **state)
{
    static const struct {
        const char *args;
        unsigned bit;
        bool loads;
    } rows[] = {
        { "", 31, true },      { "", 23, false },     { "", 24, false },
        { "", 25, false },     { "", 27, false },     { "", 28, false },
        { "", 29, false },     { "", 22, false },     { "rwbf=1", 27, true },
        { "ir=1", 23, true },  { "ir=1", 24, true },  { "ir=1", 25, true },
        { "ir=1", 27, false }, { "ir=1", 28, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(loads_with(rows[i].args, GSTS, UIM_BIT(rows[i].bit)),
                         rows[i].loads);
}

/* Registers as they were latched hold what registers hold. */
static void roots_that_cannot_be(void **state)
{
    (void)state;
    assert_true(loads_with("", LATCHED, 0x12345c00));
    assert_false(loads_with("", LATCHED, 0x12345100));
    assert_true(loads_with("ir=1", LATCHED + 1, 0x1234580f));
    assert_false(loads_with("ir=1", LATCHED + 1, 0x12345010));
    assert_false(loads_with("", LATCHED + 1, 0x12345000));
}

/* Answers that no table could have given. */
static void cache_entries_that_cannot_be(void **state)
{
    const struct {
        uint64_t behind; /* this number, so many on */
        unsigned n;
        uint64_t becomes;
    } rows[] = {
        { PAGE_X, 0, PAGE_X + 8 },             /* not the start of a page */
        { PAGE_X, 0, UIM_BIT(50) },            /* above the host's width */
        { PAGE_X, 1, 13 },                     /* not the size of a page */
        { PAGE_X, 1, 21 },                     /* nor that of its tag */
        { PAGE_X, 2, 5 },                      /* a failure, without CM */
        { VM_SS + 0x3000, 0, VM_SS + 0x3008 }, /* a table that is none */
        { VM_SS + 0x3000, 0, UIM_BIT(50) },
        { VM_SS + 0x3000, 3, 1234 }, /* not the domain of its tag */
        { VM_SS + 0x3000, 4, 2 },    /* not its level */
    };
    struct vm *vm = vm_create("cache=normal");
    struct stream *good, *s = malloc(sizeof(*s));

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_X);
    good = stream_save(vm);
    for (size_t i = 0; i < COUNT(rows); i++) {
        *s = *good;
        stream_set_number(s, stream_find(s, rows[i].behind) + rows[i].n,
                          rows[i].becomes);
        stream_seal(s);
        stream_check_refused(vm, s, "holds a cache entry that cannot be");
    }
    free(good);
    free(s);
    vm_destroy(vm);
}

static void interrupt_entries_that_cannot_be(void **state)
{
    struct vm *vm = busy("ir=1,cache=normal"), *cm;
    struct stream *s = stream_save(vm);
    const size_t at = stream_find(s, vm_peek(vm, IRT + 3 * 16));
    const uint64_t tag = stream_number(s, at - 3);

    (void)state;
    assert_int_equal(tag, 3);
    stream_set_number(s, at, 0); /* a hole, without CM */
    stream_seal(s);
    stream_check_refused(vm, s, "holds a cache entry that cannot be");
    stream_set_number(s, at, 1);
    stream_set_number(s, at - 3, 0x10000);
    stream_seal(s);
    stream_check_refused(vm, s, "holds a cache entry that cannot be");
    stream_set_number(s, at - 3, 2); /* there twice */
    stream_seal(s);
    stream_check_refused(vm, s, "holds a cache entry that cannot be");
    free(s);
    cm = busy("ir=1,eim=1,cache=adversarial,cm=1");
    s = stream_save(cm);
    stream_set_number(s, stream_find(s, vm_peek(cm, IRT + 3 * 16)), 0);
    stream_seal(s);
    assert_int_equal(stream_load(cm, s), 0);
    assert_int_equal(send(cm, 3), 0);
    free(s);
    vm_destroy(cm);
    vm_destroy(vm);
}

/* An entry is found by its tags, whatever they were before. */
static void entries_are_where_their_tags_say(void **state)
{
    struct vm *vm = vm_create("cache=normal");
    struct stream *s;
    size_t at;

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_X);
    s = stream_save(vm);
    at = stream_find(s, VM_X | 12);
    stream_set_number(s, at, VM_Y | 12);
    assert_int_equal(stream_number(s, stream_find(s, PAGE_X) - 3), VM_X);
    stream_set_number(s, stream_find(s, PAGE_X) - 3, VM_Y);
    stream_seal(s);
    assert_int_equal(stream_load(vm, s), 0);
    assert_int_equal(vm_go(vm, R, VM_Y), PAGE_X);
    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_Y, 0, 1));
    assert_int_equal(vm_go(vm, R, VM_Y), VM_PAGES + VM_Y);
    free(s);
    vm_destroy(vm);
}

/* Which sizes of pages there are, and which domains have first-stage entries: if a
 * state could say that there are none, invalidations would pass them by. */
static void what_follows_from_entries_is_not_believed(void **state)
{
    struct vm *vm = vm_create("scalable=1,cache=normal");
    const uint64_t leaf = VM_FS + 0x3000 + (VM_X >> 12) * 8;
    struct stream *s;
    size_t end;

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_X);
    vm_go_pasid(vm, VM_PASID_FS, R, VM_X);
    s = stream_save(vm);
    end = stream_find(s, UIM_BIT(16)); /* of the domains */
    assert_int_equal(stream_number(s, end - 1), VM_DID_FS);
    stream_set_number(s, end - 1, VM_DID_PT);
    stream_set_number(s, end + 1, 0);
    stream_seal(s);
    assert_int_equal(stream_load(vm, s), 0);
    vm_poke(vm, leaf, 0);
    vm_poke(vm, LEAF_X, 0);
    vm_submit(vm, vm_iotlb(3, VM_DID_FS), vm_page(VM_Y, 0, 1));
    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_X, 0, 1));
    vm_go(vm, R, VM_Z); /* now there are pages of 4 KiB in any case */
    assert_int_equal(vm_go_pasid(vm, VM_PASID_FS, R, VM_X), 0);
    assert_int_equal(vm_go(vm, R, VM_X), 0);
    free(s);
    vm_destroy(vm);
}

/* A wait behind nothing would never be done; two requests of one tag. */
static void states_that_contradict_themselves(void **state)
{
    struct vm *vm = busy("");
    struct stream *good = stream_save(vm), *s = malloc(sizeof(*s));
    const uint64_t wait = vm_wait(3, true, true);
    const size_t at = stream_find(good, wait), tags = open_requests(good);

    (void)state;
    *s = *good;
    stream_set_number(s, at - 1, 0); /* its serial */
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    stream_set_number(s, at - 1, 3);
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    *s = *good;
    stream_set_number(s, at, wait ^ 1);
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    *s = *good;
    stream_set_number(s, tags + 3, stream_number(s, tags));
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    free(good);
    free(s);
    vm_destroy(vm);
}

/* Requests have serials, each its own, up to the last one given. */
static void serials_that_cannot_be(void **state)
{
    static const struct {
        uint64_t serial;
        const char *why;
    } rows[] = {
        { 0, "contradicts itself" },
        { 1, "contradicts itself" }, /* that of the first */
        { 3, "contradicts itself" },
        { 1000, "holds a number that cannot be" },
    };
    struct vm *vm = busy("");
    struct stream *good = stream_save(vm), *s = malloc(sizeof(*s));
    const size_t second = open_requests(good) + 2;

    (void)state;
    assert_int_equal(stream_number(good, second), 2);
    for (size_t i = 0; i < COUNT(rows); i++) {
        *s = *good;
        stream_set_number(s, second, rows[i].serial);
        stream_seal(s);
        stream_check_refused(vm, s, rows[i].why);
    }
    *s = *good; /* the next save would fail */
    stream_set_number(s, registers(s) + DEVTLB_SERIAL, UINT64_MAX / 2);
    stream_seal(s);
    stream_check_refused(vm, s, "holds a number that cannot be");
    free(good);
    free(s);
    vm_destroy(vm);
}

/* ---- states that mean harm ----------------------------------------------------------------- */

static uint64_t random64(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* It can be moved on, too. */
static void move_on(struct vm *vm)
{
    static struct stream s;

    s.size = 0;
    s.calls = 0;
    assert_int_equal(vm->ops->save(vm->m, stream_put, &s), 0);
    vm->ops->reset(vm->m);
    assert_int_equal(stream_load(vm, &s), 0);
}

/* Whoever gets such a unit can work with it, and reset it. */
static void use(struct vm *vm)
{
    struct uie_xlat x;

    for (unsigned i = 0; i < 4; i++) {
        vm_ask(vm, i & 1 ? VM_A : VM_B, i & 2 ? VM_PASID_FS : UIE_NO_PASID,
               i & 1 ? R : W, 0, i & 2 ? VM_X : VM_LARGE, &x);
        assert_int_equal(x.gpa & x.mask, 0);
    }
    for (unsigned i = 0; i < 8; i++)
        (void)send(vm, i);
    uim_check_memory_changed(vm->model, 0, 8);
    vm_submit(vm, vm_iotlb(3, VM_DID_A), vm_page(VM_X, 0, 0));
    vm_submit(vm, devtlb(VM_A), 0);
    move_on(vm);
    for (unsigned tag = 0; tag < 4; tag++)
        vm->ops->devtlb_done(vm->m, tag, tag == 3);
    vm_wr(vm, VTD_REG_FSTS, UINT32_MAX);
    vm_submit(vm, vm_wait(1, false, true), VM_STATUS);
    vm_forget(vm);
}

static void try_state(struct vm *vm, struct stream *s)
{
    stream_seal(s);
    if (stream_load(vm, s) < 0) {
        stream_check_refused(vm, s, NULL);
        return;
    }
    use(vm);
    vm->ops->reset(vm->m);
}

static const uint64_t nasty[] = {
    0,       1,          0x3f,       0x40,           0xffff,
    0x10000, UINT32_MAX, UINT64_MAX, UINT64_MAX / 2, UIM_BIT(63),
};

static void every_number_becomes_another(void **state)
{
    struct stream *s = malloc(sizeof(*s));
    const size_t step = 20 / vm_rounds(20);

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct vm *vm = busy(kinds[k]);
        struct stream *good = stream_save(vm);

        for (size_t i = 0; i < good->size / 8 - 1; i += step) {
            *s = *good;
            for (size_t n = 0; n < COUNT(nasty) + 2; n++) {
                uint64_t other = n < COUNT(nasty) ? nasty[n]
                                 : n == COUNT(nasty)
                                     ? stream_number(good, i) + 1
                                     : stream_number(good, i) - 1;

                stream_set_number(s, i, other);
                try_state(vm, s);
            }
        }
        free(good);
        vm_destroy(vm);
    }
    free(s);
}

static void many_numbers_become_others(void **state)
{
    struct stream *s = malloc(sizeof(*s));
    uint64_t seed = 4711;

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct vm *vm = busy(kinds[k]);
        struct stream *good = stream_save(vm);

        for (unsigned round = 0; round < vm_rounds(2000); round++) {
            *s = *good;
            for (uint64_t n = 1 + random64(&seed) % 4; n > 0; n--)
                stream_set_number(
                    s,
                    UIM_STATE_HEAD +
                        random64(&seed) % (s->size / 8 - UIM_STATE_HEAD),
                    stream_number(good, random64(&seed) % (s->size / 8)) ^
                        (random64(&seed) & random64(&seed) & 0xff));
            try_state(vm, s);
        }
        free(good);
        vm_destroy(vm);
    }
    free(s);
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
        cmocka_unit_test(states_of_others),
        cmocka_unit_test(states_of_other_arguments),
        cmocka_unit_test(lengths_that_are_wrong),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(numbers_that_cannot_be),
        cmocka_unit_test(status_that_cannot_be),
        cmocka_unit_test(roots_that_cannot_be),
        cmocka_unit_test(cache_entries_that_cannot_be),
        cmocka_unit_test(interrupt_entries_that_cannot_be),
        cmocka_unit_test(entries_are_where_their_tags_say),
        cmocka_unit_test(what_follows_from_entries_is_not_believed),
        cmocka_unit_test(states_that_contradict_themselves),
        cmocka_unit_test(serials_that_cannot_be),
        cmocka_unit_test(every_number_becomes_another),
        cmocka_unit_test(many_numbers_become_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
