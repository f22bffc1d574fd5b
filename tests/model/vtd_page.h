/* SPDX-License-Identifier: MIT */
/*
 * vtd_page.h - a guest of the VT-d model that takes page requests, for the tests of
 * the queue and of requests on their way to it.
 */
#ifndef UIM_TESTS_MODEL_VTD_PAGE_H
#define UIM_TESTS_MODEL_VTD_PAGE_H

#include "tests/model/stream.h"

enum {
    SA = VM_CONTEXT + VM_A * 32,
    SB = VM_CONTEXT + VM_B * 32,
    E_RID = VM_PASID_TABLE + VM_RID_PASID * 64,
    E_FS = VM_PASID_TABLE + VM_PASID_FS * 64,
    PRE = 1 << 4,
    WITH_ALL = VM_PASID_DIR | 0x1d, /* P, DTE, PASIDE, PRE */
    NOBODY = VM_OUTSIDE,
    QUEUE_SIZE = 128, /* entries of one page */
    R = UIE_R,
    W = UIE_W,
    X = UIE_X,
    PRIV = UIE_PRIV,
    PPR = 1,
    PRO = 2,
    EVENT = 0x4242,
};

#define PAGES      "scalable=1,prs=1"
#define NONE       UIE_NO_PASID
#define TTM(n)     (VM_ROOT | (uint64_t)(n) << 10)
#define B48        UINT64_C(0x1000000000000)
#define EVENT_ADDR UINT64_C(0xfee01000)
#define COUNT(a)   (sizeof(a) / sizeof(*(a)))

static inline void page_queue_on(struct vm *vm)
{
    vm_wr(vm, VTD_REG_PQH, 0);
    vm_wr(vm, VTD_REG_PQT, 0);
    vm_wr(vm, VTD_REG_PQA, VM_PAGE_QUEUE);
    vm_wr(vm, VTD_REG_PEADDR, EVENT_ADDR);
    vm_wr(vm, VTD_REG_PEDATA, EVENT);
    vm_wr(vm, VTD_REG_PECTL, 0);
}

static inline struct vm *start(const char *args)
{
    struct vm *vm = vm_create(args);

    vm_poke(vm, SA, WITH_ALL);
    page_queue_on(vm);
    vm_start(vm);
    return vm;
}

static inline struct uie_page_request request(uint32_t pasid, uint32_t access,
                                              unsigned group)
{
    return (struct uie_page_request){ .size = sizeof(struct uie_page_request),
                                      .rid = VM_A,
                                      .pasid = pasid,
                                      .access = access,
                                      .group = group,
                                      .flags = 1,
                                      .iova = VM_HOLE };
}

static inline int ask(struct vm *vm, struct uie_page_request req)
{
    return vm->ops->page_request(vm->m, &req);
}

/* The last one of a group, which has to be taken. */
static inline void ask_last(struct vm *vm, uint32_t pasid, unsigned group)
{
    assert_int_equal(ask(vm, request(pasid, R, group)), 0);
}

static inline void ask_more(struct vm *vm, uint32_t pasid, unsigned group)
{
    struct uie_page_request req = request(pasid, R, group);

    req.flags = 0;
    assert_int_equal(ask(vm, req), 0);
}

static inline void ask_marker(struct vm *vm, uint32_t pasid)
{
    assert_int_equal(ask(vm, request(pasid, 0, 0)), 0);
}

static inline unsigned queued(struct vm *vm)
{
    uint64_t mask = (UINT64_C(4096) << (vm_rd(vm, VTD_REG_PQA) & 7)) - 1;

    return (
        unsigned)(((vm_rd(vm, VTD_REG_PQT) - vm_rd(vm, VTD_REG_PQH)) & mask) /
                  VTD_PRQ_ENTRY_BYTES);
}

static inline uint64_t word(struct vm *vm, unsigned entry, unsigned n)
{
    return vm_peek(vm, VM_PAGE_QUEUE + entry * VTD_PRQ_ENTRY_BYTES + n * 8);
}

static inline void check_response(const struct vm *vm, unsigned n,
                                  uint32_t pasid, unsigned group, unsigned code)
{
    assert_true(n < vm->n_response);
    assert_int_equal(vm->response[n].rid, VM_A);
    assert_int_equal(vm->response[n].pasid, pasid);
    assert_int_equal(vm->response[n].group, group);
    assert_int_equal(vm->response[n].code, code);
}

static inline uint64_t response_lo(unsigned rid, uint32_t pasid, unsigned code)
{
    bool pp = pasid != NONE;

    return vtd_qi_page_response_lo_pack(
               &(struct vtd_qi_page_response_lo_fields){
                   .type = VTD_QI_PAGE_RESPONSE,
                   .pp = pp,
                   .pasid = pp ? pasid : 0,
                   .rid = rid,
                   .rc = code })
        .raw;
}

static inline uint64_t response_hi(unsigned group)
{
    return vtd_qi_page_response_hi_pack(
               &(struct vtd_qi_page_response_hi_fields){ .prgi = group })
        .raw;
}

static inline uint64_t drain(uint32_t status)
{
    return vm_wait(status, false, false) | 1 << 7;
}

static inline struct vm *full_queue(void)
{
    struct vm *vm = start(PAGES);

    for (unsigned i = 0; i < QUEUE_SIZE - 1; i++)
        ask_last(vm, VM_PASID_FS, i);
    assert_int_equal(vm_rd(vm, VTD_REG_PRS), PPR);
    assert_int_equal(vm->n_response, 0);
    return vm;
}

#endif
