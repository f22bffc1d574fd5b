/* SPDX-License-Identifier: MIT */
/*
 * Guests that mean harm, and many threads: whatever is in registers and memory,
 * the VT-d model neither crashes nor runs on. Meant to be run with sanitizers.
 */
#include <pthread.h>

#include "tests/model/vm.h"

static uint64_t random64(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Mostly things that mean something: addresses in memory, few bits set. */
static uint64_t some_value(uint64_t *seed)
{
    uint64_t v = random64(seed);

    switch (v & 7) {
    case 0:
        return random64(seed);
    case 1:
        return random64(seed) & random64(seed) & random64(seed);
    case 2:
        return UIM_BIT(random64(seed) & 63);
    default:
        return (random64(seed) % VM_MEMORY & ~UINT64_C(0xfff)) |
               (random64(seed) & random64(seed) & 0xfff);
    }
}

static void poke_something(struct vm *vm, uint64_t *seed)
{
    uint64_t at = random64(seed) & 1 ? VM_ROOT + random64(seed) % 0x8000
                                     : random64(seed) % (VM_MEMORY - 8);

    vm_poke(vm, at & ~UINT64_C(7), some_value(seed));
}

static void write_something(struct vm *vm, uint64_t *seed)
{
    static const uint32_t lens[] = { 1, 2, 4, 4, 4, 8, 8, 8 };
    uint32_t len = lens[random64(seed) & 7];
    uint64_t off = random64(seed) % (random64(seed) & 3 ? 0x110 : 0x1000);

    off &= ~(uint64_t)(len - 1);
    vm->ops->mmio_write(vm->m, 0, off, some_value(seed), len);
    vm->ops->mmio_read(vm->m, 0, random64(seed) & 0xff8, 8);
}

static void ask_something(struct vm *vm, uint64_t *seed)
{
    uint64_t r = random64(seed);
    struct uie_xlat x;
    int answer = vm_ask(
        vm, (uint32_t)(r & 0x1ff), r & 0x1000 ? (r >> 16) & 15 : UIE_NO_PASID,
        (uint32_t)(r >> 8) & 15, (uint32_t)(r >> 24) & 7, some_value(seed), &x);

    assert_true(answer == 0 || answer == UIE_ERR_UR || answer == UIE_ERR_CA);
    assert_int_equal(x.gpa & x.mask, 0);
    assert_true(x.mask >= 0xfff);
}

static void finish_device_tlbs(struct vm *vm, uint64_t *seed)
{
    for (unsigned i = 0; i < vm->n_inval && i < VM_MANY; i++) {
        if (vm->inval[i].what == UIE_INV_DEVTLB)
            vm->ops->devtlb_done(vm->m, vm->inval[i].tag,
                                 (random64(seed) & 7) == 0);
    }
    vm->ops->devtlb_done(vm->m, (uint32_t)random64(seed), 0);
    vm->n_inval = 0;
}

static void misuse(const char *args, uint64_t seed, unsigned rounds)
{
    struct vm *vm = vm_create(args);

    vm_start(vm);
    for (unsigned i = 0; i < rounds; i++) {
        uint64_t r = random64(&seed);

        poke_something(vm, &seed);
        if ((r & 3) == 0)
            write_something(vm, &seed);
        ask_something(vm, &seed);
        if ((r & 0x3f0) == 0)
            uim_check_memory_changed(vm->model, 0, 8);
        if ((r & 0xf000) == 0)
            finish_device_tlbs(vm, &seed);
        if ((r & 0xfff0000) == 0)
            vm->ops->reset(vm->m);
        if ((r & 0xff00000000) == 0)
            vm_start(vm);
        vm_submit(vm, some_value(&seed) & 0xffff00fff, some_value(&seed));
    }
    vm_destroy(vm);
}

static void hostile_guests(void **state)
{
    static const char *const args[] = {
        "",
        "cache=none,coherent=0,dt=0",
        "cache=adversarial,cm=1,bits=57",
        "scalable=1",
        "scalable=1,cache=none,coherent=0",
        "scalable=1,cache=adversarial,cm=1",
        "scalable=1,cache=adversarial,bits=57",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(args) / sizeof(*args); i++) {
        for (uint64_t seed = 1; seed <= 4; seed++)
            misuse(args[i], seed * UINT64_C(0x9e3779b97f4a7c15) + i,
                   vm_rounds(3000));
    }
}

/* The guest's own register offsets up to the end of the window, all of memory
 * full of noise. */
static void noise(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (unsigned round = 0; round < 6; round++) {
        struct vm *vm = vm_create(round & 1 ? "scalable=1" : "");
        struct uie_xlat x;

        for (uint64_t at = 0; at < VM_MEMORY; at += 8)
            vm_poke(vm, at, some_value(&seed));
        vm_start(vm);
        for (uint32_t i = 0; i < vm_rounds(20000); i++)
            vm_ask(vm, i, i & 1 ? i & 0xff : UIE_NO_PASID, 1 + i % 3, 0,
                   some_value(&seed), &x);
        vm_destroy(vm);
    }
}

/* A full queue of the largest size: bounded, and not one notification too few. */
static void longest_queue(void **state)
{
    struct vm *vm = vm_create("");
    const uint64_t queue = 0x100000, size = 0x80000;

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_IQA, queue | 7);
    for (uint64_t at = 0; at < size; at += 16)
        vm_poke(vm, queue + at, vm_iotlb(2, (unsigned)(at >> 4)));
    vm_wr(vm, VTD_REG_IQT, size - 16);
    assert_int_equal(vm_rd(vm, VTD_REG_IQH), size - 16);
    assert_int_equal(vm->n_inval, size / 16 - 1);
    vm_destroy(vm);
}

/* ---- threads --------------------------------------------------------------------- */

struct asker {
    struct vm *vm;
    unsigned good;
};

static void *keep_asking(void *arg)
{
    struct asker *a = arg;
    struct uie_xlat x;

    for (unsigned i = 0; i < vm_rounds(20000); i++)
        a->good += vm_ask(a->vm, i & 1 ? VM_A : VM_B, UIE_NO_PASID, UIE_R, 0,
                          VM_X, &x) == 0;
    return NULL;
}

/* translate comes from any thread while the guest invalidates. */
static void translations_from_many_threads(void **state)
{
    struct vm *vm = vm_create("cache=adversarial");
    struct asker a[3];
    pthread_t thread[3];

    (void)state;
    vm_start(vm);
    uim_check_hooks(vm->model, NULL);
    for (unsigned i = 0; i < 3; i++) {
        a[i] = (struct asker){ vm, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, keep_asking, &a[i]),
                         0);
    }
    for (unsigned i = 0; i < 2000; i++)
        vm_submit(vm, i & 1 ? vm_iotlb(1, 0) : vm_cc(1, 0, 0, 0), 0);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(a[i].good, vm_rounds(20000));
    }
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_guests),
        cmocka_unit_test(noise),
        cmocka_unit_test(longest_queue),
        cmocka_unit_test(translations_from_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
