/* SPDX-License-Identifier: MIT */
/*
 * smmu_stand.h - the SMMUv3 driver on a simulated machine, and a record of all that it
 * does to the unit: writes to registers, fences, commands word by word. Numbers in
 * tests are the manual's (IHI0070), not the layouts of src/spec, so that the two are
 * compared.
 */
#ifndef UIM_TESTS_DRV_SMMU_STAND_H
#define UIM_TESTS_DRV_SMMU_STAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "drv/smmuv3/smmuv3.h"
#include "hosts/sim/sim.h"
#include "model/check.h"

enum {
    STAND_PAGE = 4096,
    STAND_DEVICES = 8,
    STAND_LOG = 4096,
    STAND_FAULTS = 64,

    /* Registers (6.2). */
    IDR0 = 0x0,
    CR0 = 0x20,
    CR0ACK = 0x24,
    CR1 = 0x28,
    CR2 = 0x2c,
    GBPA = 0x44,
    IRQ_CTRL = 0x50,
    GERROR = 0x60,
    GERRORN = 0x64,
    GERROR_IRQ_CFG0 = 0x68,
    STRTAB_BASE = 0x80,
    STRTAB_BASE_CFG = 0x88,
    CMDQ_BASE = 0x90,
    CMDQ_PROD = 0x98,
    CMDQ_CONS = 0x9c,
    EVENTQ_BASE = 0xa0,
    EVENTQ_IRQ_CFG0 = 0xb0,
    EVENTQ_PROD = 0x100a8, /* on page 1 */
    EVENTQ_CONS = 0x100ac,

    /* Commands (4.1.1). */
    CFGI_STE = 0x03,
    CFGI_ALL = 0x04,
    CFGI_CD = 0x05,
    TLBI_NH_ASID = 0x11,
    TLBI_NH_VA = 0x12,
    TLBI_S12_VMALL = 0x28,
    TLBI_S2_IPA = 0x2a,
    TLBI_NSNH_ALL = 0x30,
    ATC_INV = 0x40,
    SYNC = 0x46,
};

/* What the unit could notice, in its order. */
enum stand_kind { STAND_REGISTER, STAND_COMMAND, STAND_FENCE };

struct stand_step {
    enum stand_kind kind;
    uint32_t reg;
    uint64_t value[2]; /* written; or the words of the command */
};

struct stand {
    struct sim_config config; /* of the machine, until stand_up()           */
    char options[96];
    struct machine *m;
    struct uiommu *u;
    struct smmuv3_unit *v;
    struct uiommu_device *device[STAND_DEVICES];
    struct stand_step step[STAND_LOG];
    unsigned n_steps;
    struct uiommu_fault fault[STAND_FAULTS];
    unsigned n_faults;
    /* Called at each of these steps, each flush and, in programs ending in -hooked,
     * each store to a table. */
    void (*look)(struct stand *s, void *ctx);
    void *ctx;
};

/* A point of the cross product of stages, coherence and how the unit caches. */
enum { STAND_POINTS = 8 };
void stand_point(struct stand *s, unsigned n);
void stand_init(struct stand *s, enum sim_mode mode);
/* The machine; then uiommu on it, and its devices. */
void stand_open(struct stand *s);
enum uiommu_status stand_start(struct stand *s);
void stand_add(struct stand *s);
void stand_up(struct stand *s); /* all of these */
/* Nothing may be left, no rule broken, and nothing stale used. */
void stand_down(struct stand *s);

bool stand_first_stage(const struct stand *s);
uint64_t stand_reg(struct stand *s, uint32_t offset, uint32_t bytes);

/* Of the record since stand_forget(). */
void stand_forget(struct stand *s);
unsigned stand_commands(const struct stand *s);
/* The nth command's word; fails the test if there are not so many. */
uint64_t stand_command(const struct stand *s, unsigned n, unsigned word);
unsigned stand_opcode(const struct stand *s, unsigned n);
/* Opcodes of all commands, in their order. */
void stand_check_opcodes(const struct stand *s, const unsigned *opcodes,
                         unsigned n);
#define stand_opcodes(s, ...)                                                  \
    stand_check_opcodes((s), (const unsigned[]){ __VA_ARGS__ },                \
                        sizeof((unsigned[]){ __VA_ARGS__ }) /                  \
                            sizeof(unsigned))
/* Index of the first, or the last, write to a register; -1: none. */
int stand_first(const struct stand *s, uint32_t reg);
int stand_last(const struct stand *s, uint32_t reg);
/* The first write, not before step `from`, of a value that has these bits as said; -1:
 * none. */
int stand_write_of(const struct stand *s, int from, uint32_t reg, uint64_t mask,
                   uint64_t bits);

/* Engine n, its stream, its entry. */
struct uiommu_endpoint *stand_endpoint(struct stand *s, unsigned n);
uint32_t stand_sid(struct stand *s, unsigned n);
const uim_word *stand_ste(struct stand *s, unsigned n);
uint64_t stand_ste_word(struct stand *s, unsigned n, unsigned word);
/* The context descriptor that its entry leads to. */
uint64_t stand_cd_word(struct stand *s, unsigned n, unsigned word);

struct uiommu_domain *stand_domain(struct stand *s, unsigned n);
void stand_set(struct stand *s, unsigned n, struct uiommu_domain *d);
void stand_block(struct stand *s, unsigned n);
/* A page of RAM; and mapped. */
uint64_t stand_ram(struct stand *s, unsigned pages);
uint64_t stand_map(struct stand *s, struct uiommu_domain *d, uint64_t iova);
/* A write of engine n arrives at phys; is refused. */
bool stand_reaches(struct stand *s, unsigned n, uint64_t iova, uint64_t phys);
bool stand_refused(struct stand *s, unsigned n, uint64_t iova);

/* A PASID of engine n, made by hand: what the core would do, step by step. Blocked. */
void stand_pasid(struct stand *s, struct uiommu_endpoint *ep, unsigned n,
                 uint32_t pasid);
enum uiommu_status stand_pasid_try(struct stand *s, struct uiommu_endpoint *ep,
                                   struct uiommu_domain *d);
void stand_pasid_set(struct stand *s, struct uiommu_endpoint *ep,
                     struct uiommu_domain *d);
/* Made by hand or not. */
bool stand_pasid_reaches(struct stand *s, const struct uiommu_endpoint *ep,
                         uint64_t iova, uint64_t phys);
bool stand_pasid_refused(struct stand *s, const struct uiommu_endpoint *ep,
                         uint64_t iova);
/* Where the unit would let a read go; UINT64_MAX: nowhere. No trace. */
uint64_t stand_lands(struct stand *s, unsigned n, uint32_t pasid,
                     uint64_t iova);

#define ok(status) assert_int_equal(status, UIOMMU_OK)

#endif
