/* SPDX-License-Identifier: MIT */
/*
 * saved.h - states of a VT-d model as the numbers that they are, and machines that
 * have something of everything to save.
 */
#ifndef TESTS_MODEL_SAVED_H
#define TESTS_MODEL_SAVED_H

#include <stdlib.h>
#include <string.h>

#include "spec/vtd_intr.h"
#include "tests/model/stream.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum {
    R = UIE_R,
    W = UIE_W,
    LEAF_X = VM_SS + 0x3000 + (VM_X >> 12) * 8,
    PAGE_X = VM_PAGES + VM_X,
    IRT = 0xa000,
    EIME = 1 << 11,
};

/* ---- what is where in a state -------------------------------------------------- */

/* Where the registers begin, in the order of their offsets: behind the name and
 * the arguments. After them the latched root, the latched table of interrupts and
 * the numbers of the unit. */
enum { GSTS = 4, LATCHED = 32, DEVTLB_SERIAL = LATCHED + 8 };

static inline size_t registers(const struct stream *s)
{
    return 6 + (size_t)stream_number(s, 5);
}

/* Tag, source and serial of the first open request of busy(): that of the second
 * is three on. */
static inline size_t open_requests(const struct stream *s)
{
    size_t i = registers(s);

    while (i + 4 < s->size / 8 &&
           (stream_number(s, i + 1) != VM_A || stream_number(s, i + 4) != VM_B))
        i++;
    assert_true(i + 4 < s->size / 8);
    return i;
}

/* ---- machines ------------------------------------------------------------------ */

static inline uint64_t devtlb(unsigned sid)
{
    return vtd_qi_devtlb_lo_pack(&(struct vtd_qi_devtlb_lo_fields){
                                     .type = VTD_QI_DEVTLB, .sid = sid })
        .raw;
}

static inline bool remaps(struct vm *vm)
{
    return vtd_ecap_ir((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) });
}

static inline bool extends(struct vm *vm)
{
    return vtd_ecap_eim((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) });
}

static inline void set_vector(struct vm *vm, unsigned index, unsigned vector)
{
    vm_poke(vm, IRT + index * 16,
            vtd_irte_remapped_lo_pack(
                &(struct vtd_irte_remapped_lo_fields){ .p = 1, .v = vector })
                .raw);
}

/* The vector that it becomes; 0: refused. */
static inline unsigned send(struct vm *vm, unsigned index)
{
    uint64_t addr;
    uint32_t data;
    int r = vm->ops->remap_msi(vm->m, VM_A, 0, 0xfee00010 | index << 5, 0,
                               &addr, &data);

    assert_true(r == 0 || r == UIE_ERR_UR);
    return r == 0 ? data & 0xff : 0;
}

/* Entries 1 to 3 lead somewhere and are cached. */
static inline void remap(struct vm *vm)
{
    vm_wr(vm, VTD_REG_IRTA, IRT | 7 | (extends(vm) ? EIME : 0));
    vm_gcmd(vm, 24, true);
    vm_gcmd(vm, 25, true);
    for (unsigned i = 1; i <= 3; i++) {
        set_vector(vm, i, 0x40 + i);
        assert_int_equal(send(vm, i), 0x40 + i);
    }
}

/* A page request in the queue, and its event withheld. */
static inline void ask_for_a_page(struct vm *vm)
{
    const struct uie_page_request req = { .size = sizeof(req),
                                          .rid = VM_A,
                                          .pasid = VM_PASID_FS,
                                          .access = W,
                                          .flags = 1,
                                          .iova = VM_HOLE };

    vm_wr(vm, VTD_REG_PQA, VM_PAGE_QUEUE);
    vm_wr(vm, VTD_REG_PEADDR, 0xfee0c000);
    assert_int_equal(vm->ops->page_request(vm->m, &req), 0);
}

/* Something of everything: faults, of which the first is cleared and an event is
 * withheld; open requests to device TLBs and waits behind them; full caches. */
static inline struct vm *busy(const char *args)
{
    struct vm *vm = vm_create(args);
    struct uie_xlat x;

    if (vm->pages)
        vm_poke(vm, VM_CONTEXT + VM_A * 32, VM_PASID_DIR | 0x1d); /* PRE */
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
    if (vm->pages)
        ask_for_a_page(vm);
    vm_post(vm, devtlb(VM_A), 0);
    vm_post(vm, vm_wait(2, false, false), VM_STATUS);
    vm_post(vm, devtlb(VM_B), 0);
    vm_submit(vm, vm_wait(3, true, true), VM_STATUS + 8);
    return vm;
}

static const char *const kinds[] = { "",
                                     "scalable=1",
                                     "cache=adversarial",
                                     "cache=adversarial,scalable=1,cm=1",
                                     "cache=none,scalable=1",
                                     "ir=1,cache=normal",
                                     "ir=1,eim=1,cache=adversarial,cm=1",
                                     "scalable=1,prs=1,cache=adversarial" };

#endif
