/* SPDX-License-Identifier: MIT */
/* stall.h - an SMMUv3 whose transactions wait, and what software does about it. */
#ifndef TESTS_MODEL_STALL_H
#define TESTS_MODEL_STALL_H

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    R = UIE_R,
    W = UIE_W,
    X = UIE_X,
    P = UIE_PRIV,
    A = SMMU_A,
    B = SMMU_B,
    C = SMMU_C,
    D = SMMU_D,
    E = SMMU_E,
    UR = UIE_ERR_UR,
    STE_A = SMMU_STRTAB + A * 64,
    STE_B = SMMU_STRTAB + B * 64,
    STE_C = SMMU_STRTAB + C * 64,
    CD_A = SMMU_CD,
    CD_C = SMMU_CD_NESTED,
    S1_3 = SMMU_S1 + 0x3000,
    S2_3 = SMMU_S2 + 0x3000,
    N_1 = SMMU_S2_NESTED + 0x1000,
    LEAF_X = VM_X >> 12 << 3,
    PAGE_X = VM_PAGES + VM_X,
    HOLE = S1_3 + (VM_HOLE >> 12) * 8,
    PAGE_HOLE = VM_PAGES + VM_HOLE,
    EVENTQ_ABT_ERR = 4,
    SYNC = 0x46,
    EVENTS = 16, /* in the queue */
    MOST = 64,   /* that wait at once */
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NO_SSID  UIE_NO_PASID
#define NORMAL   "stall=1,cache=normal"
#define ADV      "stall=1,cache=adversarial"
#define AF       UIM_BIT(10)
#define CD_S     UIM_BIT(44)
#define CD_R     UIM_BIT(45)
#define S2S      UIM_BIT(57)
#define S2R      UIM_BIT(58)
#define S1STALLD UIM_BIT(27)
#define EATS     UIM_MASK(29, 28)
#define TAG      UINT32_C(0x80000000)

/* Of word 1. */
#define STALL UIM_BIT(31)
#define PNU   UIM_BIT(33)
#define IND   UIM_BIT(34)
#define RNW   UIM_BIT(35)
#define S2    UIM_BIT(39)
#define TT    UIM_BIT(40)
#define IN    UIM_BIT(41)
#define TTRNW UIM_BIT(44)

static inline void change(struct vm *vm, uint64_t at, uint64_t clear,
                          uint64_t set)
{
    vm_poke(vm, at, (vm_peek(vm, at) & ~clear) | set);
}

/* Everything stalls that can: with S2S there is no ATS. */
static inline void let_stall(struct vm *vm)
{
    change(vm, CD_A, CD_R, CD_S);
    change(vm, CD_C, CD_R, CD_S);
    for (unsigned i = 0; i < 64; i++)
        change(vm, SMMU_CD_MANY + i * 64, CD_R, CD_S);
    change(vm, STE_B + 16, S2R, S2S);
    change(vm, STE_C + 16, S2R, S2S);
    change(vm, STE_B + 8, EATS, 0);
    change(vm, STE_C + 8, EATS, 0);
}

static inline struct vm *started(const char *args)
{
    struct vm *vm = smmu_create(args);

    let_stall(vm);
    smmu_start(vm);
    return vm;
}

/* Its tag. */
static inline uint32_t stall(struct vm *vm, uint32_t sid, uint32_t access,
                             uint64_t iova)
{
    struct uie_xlat x;

    assert_int_equal(smmu_ask(vm, sid, NO_SSID, access, 0, iova, &x),
                     UIE_STALLED);
    assert_true(x.tag & TAG);
    return x.tag;
}

/* The STAG of the oldest event, which is a stall of that address. */
static inline uint16_t stag_of(struct vm *vm, uint64_t iova)
{
    uint64_t word[EVENT_WORDS];

    assert_true(smmu_event(vm, word));
    assert_true(word[1] & STALL);
    assert_int_equal(word[2], iova);
    return (uint16_t)word[1];
}

static inline void resume(struct vm *vm, uint32_t sid, uint16_t stag,
                          unsigned acab)
{
    smmu_submit(vm, 0x44 | (uint64_t)acab << 12 | (uint64_t)sid << 32, stag);
    assert_true(smmu_drained(vm));
}

enum { TERMINATE = 0, RETRY = 1, ABORT = 2, RETRY_AB = 3 };

static inline void ended(struct vm *vm, unsigned n, uint32_t sid, uint32_t tag,
                         bool retry)
{
    assert_true(n < vm->n_response);
    assert_int_equal(vm->response[n].rid, sid);
    assert_int_equal(vm->response[n].pasid, NO_SSID);
    assert_int_equal(vm->response[n].group, tag);
    assert_int_equal(vm->response[n].code == 0, retry);
}

/* Without the commands that an adversarial unit makes something of. */
static inline void map_hole(struct vm *vm)
{
    vm_poke(vm, HOLE, PAGE_HOLE | S1_PAGE);
}

static inline void fill_queue(struct vm *vm)
{
    for (unsigned i = 0; i < EVENTS; i++)
        smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), EVENTS);
}

/* STE.Config 0: every transaction ends. */
static inline void stop_stream(struct vm *vm, uint32_t sid)
{
    change(vm, smmu_ste(sid), 0xe, 0);
    smmu_submit(vm, smmu_cfgi_ste(sid), 0);
}

static inline uint64_t stall_term(uint32_t sid)
{
    return 0x45 | (uint64_t)sid << 32;
}

#endif
