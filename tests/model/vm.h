/* SPDX-License-Identifier: MIT */
/*
 * vm.h - a machine of a few megabytes around one model, for tests of the model
 * itself; with VT-d tables if it is a VT-d unit (smmu.h: an SMMUv3). It does what a
 * guest would do by hand and remembers what the model told it. Everything goes
 * through the C ABI, but for the door.
 */
#ifndef TESTS_MODEL_VM_H
#define TESTS_MODEL_VM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <uiommu/embed.h>

#include "model/check.h"
#include "spec/vtd.h"

enum {
    VM_MEMORY = 4 << 20,
    VM_MANY = 64,

    /* Where things are in every test. */
    VM_ROOT = 0x1000,
    VM_CONTEXT = 0x2000,       /* of bus 0; scalable: devfn below 128      */
    VM_CONTEXT_UPPER = 0x3000,
    VM_PASID_DIR = 0x4000,
    VM_PASID_TABLE = 0x5000,
    VM_PASID_DIR_B = 0x6000,
    VM_PASID_TABLE_B = 0x7000,
    VM_QUEUE = 0x8000,
    VM_STATUS = 0x9000,
    VM_SS = 0x10000,           /* four tables, the root first              */
    VM_FS = 0x20000,
    VM_FS_2 = 0x28000,
    VM_PAGES = 0x80000,        /* what is mapped: page of iova 0x5000 ...  */
    VM_OUTSIDE = 0x40000000,   /* no memory, but an address                */

    VM_A = 0x18,               /* two requesters                           */
    VM_B = 0x20,
    VM_DID_A = 5,              /* second stage, all modes                  */
    VM_DID_B = 9,
    VM_DID_FS = 6,
    VM_DID_PT = 7,
    VM_RID_PASID = 2,          /* scalable: A and B without PASID          */
    VM_PASID_SS = 5,           /* A: the same tables as without            */
    VM_PASID_FS = 6,
    VM_PASID_PT = 7,
    VM_PASID_FS_2 = 8,

    /* Mapped in VM_SS, VM_FS and VM_FS_2 alike. */
    VM_X = 0x5000,
    VM_Y = 0x6000,
    VM_Z = 0x9000,
    VM_READ_ONLY = 0x7000,
    VM_WRITE_ONLY = 0xa000,    /* first stage: supervisor only             */
    VM_HOLE = 0x8000,
    VM_LARGE = 0x200000,       /* 2 MiB page, the same address             */
};

struct vm_fetch {
    uint64_t gpa;
    bool snooped, write, recheck;
};

struct vm {
    const struct uie_ops *ops;
    void *m;
    struct uim_model *model;
    struct uie_host host;
    struct uim_check hooks;
    bool scalable;
    bool wired;              /* there are wired interrupts                 */
    bool cas_fails;          /* mem_cas says: no such memory               */
    unsigned cas_races;      /* so many times another CPU was faster       */
    uint8_t *memory;
    uint64_t tail;           /* of the queue, bytes                        */

    struct uie_inval inval[VM_MANY];
    unsigned n_inval;
    struct {
        uint64_t addr;
        uint32_t data;
    } msi[VM_MANY];
    unsigned n_msi;
    struct {
        uint32_t line;
        int level;
    } irq[VM_MANY];
    unsigned n_irq;
    struct uie_page_response response[VM_MANY];
    unsigned n_response;
    unsigned n_log[4];
    char last_log[256];
    struct vm_fetch fetch[VM_MANY];
    unsigned n_fetch;
    struct uim_check_inval command[VM_MANY];
    unsigned n_command;
    struct uim_check_stale stale[VM_MANY];
    char stale_text[256];    /* of the last one                            */
    unsigned n_stale;
};

/* How units cache whose arguments do not say it: UIOMMU_CACHE, else normal. With
 * UIOMMU_SNAPSHOTS a model is saved, reset and loaded before each call. */
bool vm_cache(const char *mode); /* is it this one?                         */
/* Where each takes longer, or UIOMMU_SHARE says so: every how-many-th, and how many of
 * n that makes. */
unsigned vm_step(void);
unsigned vm_rounds(unsigned n);

/* Fails the test if the model cannot be created. Tables are in place; nothing is
 * switched on. `args` with scalable=1 get scalable tables. */
struct vm *vm_create(const char *args);
void vm_destroy(struct vm *vm);
/* The same with a model of any kind, and nothing in memory. */
struct vm *vm_create_empty(const char *model, const char *args);
/* Only the host: for tests of create itself. */
struct vm *vm_create_bare(void);

uint64_t vm_peek(const struct vm *vm, uint64_t gpa);
void vm_poke(struct vm *vm, uint64_t gpa, uint64_t value);

uint64_t vm_rd(struct vm *vm, uint32_t reg); /* of the register's width    */
void vm_wr(struct vm *vm, uint32_t reg, uint64_t value);
/* GCMD with one bit of GSTS changed. */
void vm_gcmd(struct vm *vm, uint32_t bit, bool on);

/* RTADDR and SRTP; the queue where the mode has one; TE. */
void vm_set_root(struct vm *vm, uint64_t rtaddr);
void vm_queue_on(struct vm *vm);
void vm_start(struct vm *vm);

/* Appends to the queue and writes the tail. */
void vm_submit(struct vm *vm, uint64_t lo, uint64_t hi);
void vm_post(struct vm *vm, uint64_t lo, uint64_t hi); /* tail not written */

int vm_ask(struct vm *vm, uint32_t rid, uint32_t pasid, uint32_t access,
           uint32_t flags, uint64_t iova, struct uie_xlat *out);
/* Without PASID, by A; the address it leads to, 0 if refused. */
uint64_t vm_go(struct vm *vm, uint32_t access, uint64_t iova);
/* The same with a PASID. */
uint64_t vm_go_pasid(struct vm *vm, uint32_t pasid, uint32_t access,
                     uint64_t iova);

/* The reason in record n, 0 if it is free. */
unsigned vm_fault(struct vm *vm, unsigned n);
void vm_clear_fault(struct vm *vm, unsigned n);
uint64_t vm_counter(struct vm *vm, const char *name);

/* Fetches in [gpa, gpa+len) since vm_forget(). */
unsigned vm_fetched(const struct vm *vm, uint64_t gpa, uint64_t len);
/* Forgets what the model told so far. */
void vm_forget(struct vm *vm);

/* Descriptors. */
uint64_t vm_cc(unsigned g, unsigned did, unsigned sid, unsigned fm);
uint64_t vm_pc(unsigned g, unsigned did, unsigned pasid);
uint64_t vm_iotlb(unsigned g, unsigned did);
uint64_t vm_piotlb(unsigned g, unsigned did, unsigned pasid);
uint64_t vm_page(uint64_t iova, unsigned am, unsigned ih);
uint64_t vm_wait(uint32_t status, bool fence, bool interrupt);

#endif
