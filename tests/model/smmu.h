/* SPDX-License-Identifier: MIT */
/*
 * smmu.h - an SMMUv3 in the machine of vm.h: streams of every kind, with tables
 * written by hand. Numbers, not the layouts of src/spec, so that the two are
 * compared.
 */
#ifndef TESTS_MODEL_SMMU_H
#define TESTS_MODEL_SMMU_H

#include "tests/model/vm.h"

enum {
    SMMU_CMDQ = 0x8000,       /* 256 commands                              */
    SMMU_EVENTQ = 0x9000,     /* 16 events                                 */
    SMMU_PRIQ = 0xa000,       /* 8 page requests                           */
    SMMU_STRTAB = 0x10000,    /* 64 streams                                */
    SMMU_L1STD = 0x11000,     /* the same 64 streams, in four tables of 64 */
    SMMU_CD = 0x12000,        /* of A; of E: 64                            */
    SMMU_CD_NESTED = 0x13000,
    SMMU_CD_MANY = 0x14000,
    SMMU_L1CD = 0x15000,      /* of F: the first leaf is CD_MANY           */
    SMMU_S1 = 0x20000,        /* four tables, the root first               */
    SMMU_S2 = 0x30000,
    SMMU_S2_NESTED = 0x38000, /* two tables: 2 MiB, the same addresses     */
    SMMU_MSI = 0x40000,       /* where messages go in tests; RAM           */

    SMMU_STREAMS = 64,
    SMMU_A = 0x18,  /* stage 1 */
    SMMU_B = 0x20,  /* stage 2 */
    SMMU_C = 0x28,  /* both: VA to IPA as stage 1 of A, IPA to the same    */
    SMMU_D = 0x30,  /* bypass  */
    SMMU_E = 0x38,  /* stage 1 with 64 substreams */
    SMMU_F = 0x3c,  /* the same, two levels */
    SMMU_NONE = 1,  /* V is 0 */

    SMMU_ASID = 5, /* of A, E, F */
    SMMU_ASID_NESTED = 6,
    SMMU_VMID = 9,
    SMMU_VMID_NESTED = 7,

    /* Mapped in both stages as in vm.h: VM_X, VM_Y, VM_Z, VM_READ_ONLY, VM_LARGE,
     * and VM_WRITE_ONLY: stage 1 privileged only, stage 2 write only. */

    EVENT_WORDS = 4,
};

/* Bits of descriptors */
#define S1_PAGE (UINT64_C(3) | 1 << 10 | 3 << 8 | 1 << 6 | 1 << 11)
#define S2_PAGE (UINT64_C(3) | 1 << 10 | 3 << 8 | 3 << 6 | 0xf << 2)

/* "cache=..." as vm_create. Nothing is switched on. */
struct vm *smmu_create(const char *args);
/* Queues, the linear stream table, events, interrupts; then SMMUEN. */
void smmu_start(struct vm *vm);
/* The same with the two-level table. */
void smmu_start_two_level(struct vm *vm);

/* The same with page requests and ATS; with pri=1. */
void smmu_start_pri(struct vm *vm);

uint64_t smmu_rd(struct vm *vm, uint32_t reg); /* of the register's width   */
void smmu_wr(struct vm *vm, uint32_t reg, uint64_t value);

/* Where the STE of a stream is. */
uint64_t smmu_ste(uint32_t sid);

/* Appends to the command queue. */
void smmu_submit(struct vm *vm, uint64_t lo, uint64_t hi);
void smmu_post(struct vm *vm, uint64_t lo, uint64_t hi); /* PROD not written */
void smmu_sync(struct vm *vm);
bool smmu_drained(struct vm *vm);

int smmu_ask(struct vm *vm, uint32_t sid, uint32_t ssid, uint32_t access,
             uint32_t flags, uint64_t iova, struct uie_xlat *out);
/* The address it leads to, 0 if refused. */
uint64_t smmu_go(struct vm *vm, uint32_t sid, uint32_t access, uint64_t iova);
uint64_t smmu_go_ssid(struct vm *vm, uint32_t sid, uint32_t ssid,
                      uint32_t access, uint64_t iova);

/* Takes the oldest event off the queue. False: there is none. */
bool smmu_event(struct vm *vm, uint64_t word[EVENT_WORDS]);
/* Its number, 0 if there is none; the others are for smmu_event(). */
unsigned smmu_event_id(struct vm *vm);

/* Commands, low words. */
uint64_t smmu_cfgi_ste(uint32_t sid);
uint64_t smmu_cfgi_cd(uint32_t sid, uint32_t ssid);
uint64_t smmu_tlbi(unsigned opcode, unsigned vmid, unsigned asid);
uint64_t smmu_atc_inv(uint32_t sid);

#endif
