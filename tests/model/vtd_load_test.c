/* SPDX-License-Identifier: MIT */
/*
 * Load of the VT-d model: states that are not what they say are refused in one
 * sentence, and whatever is loaded, the model can be used.
 */
#include "tests/model/saved.h"

/* ---- states that are not what they say ------------------------------------------- */

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
        "esrtps=1",
        "scalable=1,prs=1",
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

/* ---- states that mean harm ------------------------------------------------------- */

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

static void every_number_becomes_another(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct vm *vm = busy(kinds[k]);

        stream_try_each_number(vm, k, use);
        vm_destroy(vm);
    }
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
            stream_try(vm, s, use);
        }
        free(good);
        vm_destroy(vm);
    }
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
