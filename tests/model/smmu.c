/* SPDX-License-Identifier: MIT */
#include "tests/model/smmu.h"

#include <string.h>

#include "spec/smmuv3.h"

/* ---- tables --------------------------------------------------------------------- */

#define TABLE UINT64_C(3)

static void put_leaf(struct vm *vm, uint64_t tables, uint64_t iova,
                     uint64_t bits)
{
    vm_poke(vm, tables + 0x3000 + (iova >> 12) * 8, (VM_PAGES + iova) | bits);
}

static void put_tables(struct vm *vm, uint64_t tables, uint64_t page)
{
    for (uint64_t i = 0; i < 3; i++)
        vm_poke(vm, tables + i * 0x1000, (tables + (i + 1) * 0x1000) | TABLE);
    put_leaf(vm, tables, VM_X, page);
    put_leaf(vm, tables, VM_Y, page);
    put_leaf(vm, tables, VM_Z, page);
    vm_poke(vm, tables + 0x2000 + 8, VM_LARGE | (page & ~UINT64_C(2)));
}

static void put_stage_1(struct vm *vm)
{
    put_tables(vm, SMMU_S1, S1_PAGE);
    put_leaf(vm, SMMU_S1, VM_READ_ONLY, S1_PAGE | 1 << 7);
    put_leaf(vm, SMMU_S1, VM_WRITE_ONLY, S1_PAGE & ~UIM_BIT(6));
}

static void put_stage_2(struct vm *vm)
{
    put_tables(vm, SMMU_S2, S2_PAGE);
    put_leaf(vm, SMMU_S2, VM_READ_ONLY, S2_PAGE & ~UIM_BIT(7));
    put_leaf(vm, SMMU_S2, VM_WRITE_ONLY, S2_PAGE & ~UIM_BIT(6));
    for (uint64_t i = 0; i < 512; i++)
        vm_poke(vm, SMMU_S2_NESTED + 0x1000 + i * 8, i << 12 | S2_PAGE);
    vm_poke(vm, SMMU_S2_NESTED, (SMMU_S2_NESTED + 0x1000) | TABLE);
    vm_poke(vm, SMMU_S2_NESTED + 8, VM_LARGE | (S2_PAGE & ~UINT64_C(2)));
}

uint64_t smmu_ste(uint32_t sid)
{
    return SMMU_STRTAB + (uint64_t)sid * 64;
}

static void put_ste(struct vm *vm, uint32_t sid, unsigned config, uint64_t cd,
                    unsigned cdmax)
{
    vm_poke(vm, smmu_ste(sid),
            1 | (uint64_t)config << 1 | cd | (uint64_t)cdmax << 59);
    /* S1CIR, S1COR, S1CSH; EATS */
    vm_poke(vm, smmu_ste(sid) + 8,
            1 << 2 | 1 << 4 | 3 << 6 | (config == 4 ? 0 : UIM_BIT(28)));
}

/* S2VMID, S2T0SZ, S2SL0, S2IR0, S2OR0, S2SH0, S2PS 48 bits, S2AA64, S2R */
static void put_s2(struct vm *vm, uint32_t sid, unsigned vmid, unsigned t0sz,
                   unsigned sl0, uint64_t ttb)
{
    vm_poke(vm, smmu_ste(sid) + 16,
            vmid | (uint64_t)t0sz << 32 | (uint64_t)sl0 << 38 | UIM_BIT(40) |
                UIM_BIT(42) | UINT64_C(3) << 44 | UINT64_C(5) << 48 |
                UIM_BIT(51) | UIM_BIT(58));
    vm_poke(vm, smmu_ste(sid) + 24, ttb);
}

/* T0SZ 16, IR0, OR0, SH0, EPD1, V, IPS 48 bits, AA64, R, A, ASID */
static void put_cd(struct vm *vm, uint64_t at, unsigned asid)
{
    vm_poke(vm, at,
            16 | 1 << 8 | 1 << 10 | 3 << 12 | UIM_BIT(30) | UIM_BIT(31) |
                UINT64_C(5) << 32 | UIM_BIT(41) | UIM_BIT(45) | UIM_BIT(46) |
                (uint64_t)asid << 48);
    vm_poke(vm, at + 8, SMMU_S1);
    vm_poke(vm, at + 24, 0xff);
}

static void put_streams(struct vm *vm)
{
    put_ste(vm, SMMU_A, 5, SMMU_CD, 0);
    put_ste(vm, SMMU_B, 6, 0, 0);
    put_s2(vm, SMMU_B, SMMU_VMID, 16, 2, SMMU_S2);
    put_ste(vm, SMMU_C, 7, SMMU_CD_NESTED, 0);
    put_s2(vm, SMMU_C, SMMU_VMID_NESTED, 34, 0, SMMU_S2_NESTED);
    put_ste(vm, SMMU_D, 4, 0, 0);
    put_ste(vm, SMMU_E, 5, SMMU_CD_MANY, 6);
    put_ste(vm, SMMU_F, 5, SMMU_L1CD | 1 << 4, 8);
    vm_poke(vm, SMMU_L1STD, SMMU_STRTAB | 7);
    vm_poke(vm, SMMU_L1CD, SMMU_CD_MANY | 1);
    put_cd(vm, SMMU_CD, SMMU_ASID);
    put_cd(vm, SMMU_CD_NESTED, SMMU_ASID_NESTED);
    for (uint64_t i = 0; i < 64; i++)
        put_cd(vm, SMMU_CD_MANY + i * 64, SMMU_ASID + (unsigned)i);
}

struct vm *smmu_create(const char *args)
{
    struct vm *vm = vm_create_empty("smmuv3", args);

    vm->wired = true;
    put_stage_1(vm);
    put_stage_2(vm);
    put_streams(vm);
    return vm;
}

/* ---- registers --------------------------------------------------------------------- */

#define WIDTH_CASE(name, offset, bits)                                         \
    case offset:                                                               \
        return (bits) / 8;

static uint32_t width_of(uint32_t reg)
{
    switch (reg) {
        SMMUV3_REGISTERS(WIDTH_CASE)
    default:
        return 4;
    }
}

uint64_t smmu_rd(struct vm *vm, uint32_t reg)
{
    return vm->ops->mmio_read(vm->m, reg >> 16, reg & 0xffff, width_of(reg));
}

void smmu_wr(struct vm *vm, uint32_t reg, uint64_t value)
{
    vm->ops->mmio_write(vm->m, reg >> 16, reg & 0xffff, value, width_of(reg));
}

static void start(struct vm *vm, uint64_t strtab, uint64_t cfg)
{
    smmu_wr(vm, SMMUV3_REG_CR1, 0xd75); /* write-back, inner shareable */
    smmu_wr(vm, SMMUV3_REG_CR2, 2);     /* RECINVSID */
    smmu_wr(vm, SMMUV3_REG_STRTAB_BASE, strtab);
    smmu_wr(vm, SMMUV3_REG_STRTAB_BASE_CFG, cfg);
    smmu_wr(vm, SMMUV3_REG_CMDQ_BASE, SMMU_CMDQ | 8);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, SMMU_EVENTQ | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc); /* CMDQEN, EVENTQEN */
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0xd);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IRQ_CTRLACK), 5);
    vm_forget(vm);
}

void smmu_start(struct vm *vm)
{
    start(vm, SMMU_STRTAB, 6);
}

void smmu_start_two_level(struct vm *vm)
{
    start(vm, SMMU_L1STD, 8 | 6 << 6 | 1 << 16);
}

void smmu_start_pri(struct vm *vm)
{
    smmu_start(vm);
    smmu_wr(vm, SMMUV3_REG_PRIQ_BASE, SMMU_PRIQ | 3);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0x1f);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IRQ_CTRLACK), 7);
    vm_forget(vm);
}

/* ---- commands -------------------------------------------------------------------- */

void smmu_post(struct vm *vm, uint64_t lo, uint64_t hi)
{
    uint64_t at = SMMU_CMDQ + (vm->tail & 255) * 16;

    vm_poke(vm, at, lo);
    vm_poke(vm, at + 8, hi);
    vm->tail = (vm->tail + 1) & 511;
}

void smmu_submit(struct vm *vm, uint64_t lo, uint64_t hi)
{
    smmu_post(vm, lo, hi);
    smmu_wr(vm, SMMUV3_REG_CMDQ_PROD, vm->tail);
}

bool smmu_drained(struct vm *vm)
{
    return (smmu_rd(vm, SMMUV3_REG_CMDQ_CONS) & 0xfffff) == vm->tail;
}

void smmu_sync(struct vm *vm)
{
    smmu_submit(vm, 0x46, 0);
    assert_true(smmu_drained(vm));
}

uint64_t smmu_cfgi_ste(uint32_t sid)
{
    return 0x03 | (uint64_t)sid << 32;
}

uint64_t smmu_cfgi_cd(uint32_t sid, uint32_t ssid)
{
    return 0x05 | (uint64_t)ssid << 12 | (uint64_t)sid << 32;
}

uint64_t smmu_tlbi(unsigned opcode, unsigned vmid, unsigned asid)
{
    return opcode | (uint64_t)vmid << 32 | (uint64_t)asid << 48;
}

uint64_t smmu_atc_inv(uint32_t sid)
{
    return 0x40 | (uint64_t)sid << 32;
}

/* ---- transactions ---------------------------------------------------------------- */

int smmu_ask(struct vm *vm, uint32_t sid, uint32_t ssid, uint32_t access,
             uint32_t flags, uint64_t iova, struct uie_xlat *out)
{
    return vm_ask(vm, sid, ssid, access, flags, iova, out);
}

uint64_t smmu_go_ssid(struct vm *vm, uint32_t sid, uint32_t ssid,
                      uint32_t access, uint64_t iova)
{
    struct uie_xlat x;

    if (smmu_ask(vm, sid, ssid, access, 0, iova, &x) != 0)
        return 0;
    assert_int_equal(x.perm & access, access);
    return x.gpa + (iova & x.mask);
}

uint64_t smmu_go(struct vm *vm, uint32_t sid, uint32_t access, uint64_t iova)
{
    return smmu_go_ssid(vm, sid, UIE_NO_PASID, access, iova);
}

/* ---- events ---------------------------------------------------------------------- */

bool smmu_event(struct vm *vm, uint64_t word[EVENT_WORDS])
{
    uint64_t prod = smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD);
    uint64_t cons = smmu_rd(vm, SMMUV3_REG_EVENTQ_CONS);
    uint64_t at = SMMU_EVENTQ + (cons & 15) * 32;

    if (((prod ^ cons) & 31) == 0)
        return false;
    for (unsigned i = 0; i < EVENT_WORDS; i++)
        word[i] = vm_peek(vm, at + 8 * i);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_CONS,
            ((cons + 1) & 31) | (cons & UIM_BIT(31)));
    return true;
}

unsigned smmu_event_id(struct vm *vm)
{
    uint64_t word[EVENT_WORDS];

    return smmu_event(vm, word) ? (unsigned)(word[0] & 0xff) : 0;
}
