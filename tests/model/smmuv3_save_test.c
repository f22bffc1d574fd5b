/* SPDX-License-Identifier: MIT */
/*
 * Save and load of the SMMUv3 model: a unit that is moved while everything is under
 * way, and states that are not what they say. That a guest notices nothing is shown
 * by the other tests here, which run once more with a snapshot before each call.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"
#include "tests/model/stream.h"

enum {
    R = UIE_R,
    W = UIE_W,
    LEAF_X = SMMU_S1 + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define ADV      "cache=adversarial"

static const char *const kinds[] = { "", "httu=2,ats=0,msi=0", "stage=1", ADV,
                                     "stage=2,oas=44" };

/* Everything cached that can be, events in the queue, and commands in it that wait
 * for two devices. */
static struct vm *busy(const char *args)
{
    struct vm *vm = smmu_create(args);
    bool ats = !strstr(args, "ats=0");

    if (strstr(args, "oas=44")) /* S2T0SZ 20 */
        vm_poke(vm, smmu_ste(SMMU_B) + 16,
                vm_peek(vm, smmu_ste(SMMU_B) + 16) | UINT64_C(4) << 32);
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    smmu_go(vm, SMMU_B, R, VM_X);
    smmu_go(vm, SMMU_C, R, VM_LARGE);
    smmu_go_ssid(vm, SMMU_F, 5, R, VM_Y);
    smmu_go(vm, SMMU_NONE, W, VM_X);
    smmu_submit(vm, ats ? smmu_atc_inv(SMMU_A) : 0x46, 0);
    smmu_submit(vm, ats ? smmu_atc_inv(SMMU_B) : 0x46, 0);
    smmu_post(vm, 0x46 | 1 << 12, 0);
    smmu_submit(vm, 0x30, 0);
    return vm;
}

/* The other machine: the same memory. */
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

static void registers_come_back(void **state)
{
    static const uint32_t regs[] = {
        SMMUV3_REG_CR0,
        SMMUV3_REG_CR0ACK,
        SMMUV3_REG_CR1,
        SMMUV3_REG_CR2,
        SMMUV3_REG_GBPA,
        SMMUV3_REG_IRQ_CTRL,
        SMMUV3_REG_IRQ_CTRLACK,
        SMMUV3_REG_GERROR,
        SMMUV3_REG_GERRORN,
        SMMUV3_REG_STRTAB_BASE,
        SMMUV3_REG_CMDQ_BASE,
        SMMUV3_REG_CMDQ_PROD,
        SMMUV3_REG_CMDQ_CONS,
        SMMUV3_REG_EVENTQ_BASE,
        SMMUV3_REG_EVENTQ_PROD,
        SMMUV3_REG_EVENTQ_CONS,
        SMMUV3_REG_STRTAB_BASE_CFG,
    };

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct vm *vm = busy(kinds[k]), *to = moved(vm, kinds[k]);

        for (size_t i = 0; i < COUNT(regs); i++)
            assert_int_equal(smmu_rd(to, regs[i]), smmu_rd(vm, regs[i]));
        vm_destroy(to);
        vm_destroy(vm);
    }
}

static void devices_answer_after_load(void **state)
{
    struct vm *vm = busy(""), *to = moved(vm, "");
    uint32_t a = vm->inval[0].tag, b = vm->inval[1].tag;

    (void)state;
    assert_int_equal(vm->inval[1].what, UIE_INV_DEVTLB);
    to->ops->devtlb_done(to->m, b, 0);
    assert_int_equal(to->n_irq, 0);
    to->ops->devtlb_done(to->m, a, 1);
    assert_int_equal(smmu_rd(to, SMMUV3_REG_CMDQ_CONS), 3 << 24 | 2);
    smmu_wr(to, SMMUV3_REG_GERRORN, 1);
    assert_true(smmu_drained(to));
    vm_destroy(to);
    vm_destroy(vm);
}

/* A device failed, and the SYNC that says so comes after the move. */
static void failures_are_not_forgotten(void **state)
{
    struct vm *vm = smmu_create(""), *to;

    (void)state;
    smmu_start(vm);
    smmu_submit(vm, smmu_atc_inv(SMMU_A), 0);
    vm->ops->devtlb_done(vm->m, vm->inval[0].tag, 1);
    to = moved(vm, "");
    smmu_submit(to, 0x46, 0);
    assert_int_equal(smmu_rd(to, SMMUV3_REG_CMDQ_CONS), 3 << 24 | 1);
    vm_destroy(to);
    vm_destroy(vm);
}

static void caches_and_forgotten_invalidations_come_along(void **state)
{
    struct vm *vm = smmu_create(ADV), *to;

    (void)state;
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    vm_poke(vm, LEAF_X, 0);
    to = moved(vm, ADV);
    assert_int_equal(smmu_go(to, SMMU_A, R, VM_X), PAGE_X);
    assert_int_equal(to->n_stale, 1);
    vm_destroy(to);
    vm_destroy(vm);
}

static void global_answers_are_remembered(void **state)
{
    struct vm *vm = smmu_create(""), *to;

    (void)state;
    vm_poke(vm, LEAF_X, PAGE_X | (S1_PAGE & ~UIM_BIT(11)));
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    to = moved(vm, "");
    smmu_submit(to, smmu_tlbi(0x12, 0, 99), VM_X);
    assert_int_equal(to->inval[0].what, UIE_INV_ALL);
    vm_destroy(to);
    vm_destroy(vm);
}

static void early_fetches_go_on(void **state)
{
    struct vm *vm = smmu_create(ADV), *to;

    (void)state;
    smmu_start(vm);
    smmu_go(vm, SMMU_A, R, VM_X);
    to = moved(vm, ADV);
    smmu_submit(to, 0x30, 0);
    uim_check_memory_changed(to->model, 0, 8);
    vm_poke(to, LEAF_X, 0);
    assert_int_equal(smmu_go(to, SMMU_A, R, VM_X), PAGE_X);
    vm_destroy(to);
    vm_destroy(vm);
}

/* ---- states that are not what they say --------------------------------------------- */

static void states_of_others(void **state)
{
    struct vm *vm = busy(""), *vtd = vm_create("");
    struct stream *s = stream_save(vtd), *own = stream_save(vm);

    (void)state;
    stream_set_number(s, 1, stream_number(own, 1));
    stream_seal(s);
    stream_check_refused(vm, s, "another model");
    stream_set_number(own, 1, 99);
    stream_seal(own);
    stream_check_refused(vm, own, "another version");
    free(s);
    free(own);
    vm_destroy(vtd);
    vm_destroy(vm);
}

static void states_of_other_arguments(void **state)
{
    static const char *const others[] = {
        "base=0x9100000", "irq=3",       "stage=1",     "sidsize=8",
        "ssidsize=4",     "oas=44",      "cmdqs=4",     "eventqs=4",
        "gran4k=0",       "gran16k=0",   "gran64k=0",   "msi=0",
        "ats=0",          "ril=0",       "abort=1",     "httu=1",
        "bbml=1",         "cd2l=0",      "st_level=0",  "coherent=0",
        "asid16=0",       "vmid16=0",    "pri=1",       "stall=1",
        "priqs=4",        "stall_max=4", "pri=1,pps=1",
    };
    struct vm *vm = busy("");
    struct stream *s = stream_save(vm);

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct vm *other = smmu_create(others[i]);

        stream_check_refused(other, s, "other arguments");
        vm_destroy(other);
    }
    free(s);
    vm_destroy(vm);
}

/* Behind the name and the arguments: the registers in the order of their rows. */
enum { IDR0 = 0, CR0ACK = 6, GERROR = 12 };

static size_t registers(const struct stream *s)
{
    return 6 + (size_t)stream_number(s, 5);
}

static void registers_that_cannot_be(void **state)
{
    static const struct {
        size_t at;
        uint64_t bit;
    } rows[] = {
        { IDR0, 1 },        { CR0ACK, 1 << 1 },  /* PRIQEN */
        { CR0ACK, 1 << 5 }, { GERROR, 1 << 3 }, { GERROR, 1 << 8 },
    };
    struct vm *vm = busy("");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stream *s = stream_save(vm);
        size_t at = registers(s) + rows[i].at;

        stream_set_number(s, at, stream_number(s, at) ^ rows[i].bit);
        stream_seal(s);
        stream_check_refused(vm, s, "cannot be");
        free(s);
        vm_destroy(vm);
        vm = busy("");
    }
    vm_destroy(vm);
}

static void two_devices_with_one_tag(void **state)
{
    struct vm *vm = busy("");
    struct stream *s = stream_save(vm);
    size_t i = registers(s);

    (void)state;
    while (stream_number(s, i + 1) != SMMU_A ||
           stream_number(s, i + 3) != SMMU_B)
        i++;
    stream_set_number(s, i + 2, stream_number(s, i));
    stream_seal(s);
    stream_check_refused(vm, s, "contradicts itself");
    free(s);
    vm_destroy(vm);
}

/* Whoever gets such a unit can work with it, and reset it. */
static void use(struct vm *vm)
{
    static const uint32_t sids[] = { SMMU_A, SMMU_B, SMMU_C, SMMU_F };
    struct uie_xlat x;

    for (unsigned i = 0; i < 8; i++) {
        smmu_ask(vm, sids[i / 2], i & 1 ? 5 : UIE_NO_PASID, i & 1 ? R : W, 0,
                 i & 1 ? VM_X : VM_LARGE, &x);
        assert_int_equal(x.gpa & x.mask, 0);
    }
    uim_check_memory_changed(vm->model, 0, 8);
    smmu_wr(vm, SMMUV3_REG_GERRORN, smmu_rd(vm, SMMUV3_REG_GERROR));
    smmu_submit(vm, smmu_tlbi(0x12, 0, SMMU_ASID), VM_X);
    smmu_submit(vm, smmu_cfgi_ste(SMMU_A), 0);
    for (unsigned tag = 0; tag < 4; tag++)
        vm->ops->devtlb_done(vm->m, tag, tag == 3);
    smmu_submit(vm, 0x46 | 1 << 12, SMMU_MSI);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_come_back),
        cmocka_unit_test(devices_answer_after_load),
        cmocka_unit_test(failures_are_not_forgotten),
        cmocka_unit_test(caches_and_forgotten_invalidations_come_along),
        cmocka_unit_test(global_answers_are_remembered),
        cmocka_unit_test(early_fetches_go_on),
        cmocka_unit_test(states_of_others),
        cmocka_unit_test(states_of_other_arguments),
        cmocka_unit_test(registers_that_cannot_be),
        cmocka_unit_test(two_devices_with_one_tag),
        cmocka_unit_test(every_number_becomes_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
