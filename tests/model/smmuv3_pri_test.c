/* SPDX-License-Identifier: MIT */
/*
 * Page requests of the SMMUv3 model: the queue, its interrupt and its errors, what the
 * unit answers by itself and what software answers, all of IHI0070 chapter 8.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"
#include "tests/model/stream.h"

enum {
    R = UIE_R,
    W = UIE_W,
    X = UIE_X,
    P = UIE_PRIV,
    A = SMMU_A,
    D = SMMU_D,
    E = SMMU_E,
    UR = UIE_ERR_UR,
    SUCCESS = 0,
    INVALID = 1,
    FAILURE = 0xf,
    ENTRIES = 8,
    PRIQ_ABT_ERR = 8,
    LINE = 1,
    GROUP = 0x155,
    PPAR = 1 << 18,
    SMMUEN = 1,
    PRIQEN = 2,
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NO_SSID  UIE_NO_PASID
#define OVFLG    UIM_BIT(31)

static struct vm *started(const char *args)
{
    struct vm *vm;
    char all[80];

    strcpy(all, "pri=1");
    if (*args)
        strcat(strcat(all, ","), args);
    vm = smmu_create(all);
    smmu_start_pri(vm);
    return vm;
}

static int request(struct vm *vm, uint32_t rid, uint32_t pasid, uint32_t access,
                   uint32_t group, bool last)
{
    struct uie_page_request req = { .size = sizeof(req),
                                    .rid = rid,
                                    .pasid = pasid,
                                    .access = access,
                                    .group = group,
                                    .flags = last,
                                    .iova = UINT64_C(0xfedcba987654321) };

    return vm->ops->page_request(vm->m, &req);
}

static int ask(struct vm *vm, uint32_t pasid, bool last)
{
    return request(vm, E, pasid, R, GROUP, last);
}

/* As many as there is room for. */
static void fill(struct vm *vm)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        assert_int_equal(ask(vm, NO_SSID, false), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), ENTRIES);
    vm_forget(vm);
}

static void answered(struct vm *vm, unsigned n, uint32_t pasid, uint32_t code)
{
    assert_true(n < vm->n_response);
    assert_int_equal(vm->response[n].rid, E);
    assert_int_equal(vm->response[n].pasid, pasid);
    assert_int_equal(vm->response[n].group, GROUP);
    assert_int_equal(vm->response[n].code, code);
}

/* ---- the queue ------------------------------------------------------------------- */

/* X, Priv and SubstreamID belong to the PASID; without one SubstreamID is unknown. */
static void entries_have_their_fields(void **state)
{
    static const struct {
        uint32_t pasid, access;
        bool last;
        uint64_t word0;
    } rows[] = {
        { NO_SSID, R, false, UIM_BIT(60) },
        { NO_SSID, W, false, UIM_BIT(61) },
        { NO_SSID, R | W, true, UINT64_C(7) << 60 },
        { NO_SSID, R | X | P, true, UINT64_C(5) << 60 },
        { 0, R, false, UIM_BIT(63) | UIM_BIT(60) },
        { 0xabcde, R | X, true, UIM_BIT(63) | UIM_BIT(62) | UINT64_C(3) << 59 },
        { 5, W | P, false, UIM_BIT(63) | UIM_BIT(61) | UIM_BIT(58) },
        { 5, 0, true, UIM_BIT(63) | UIM_BIT(62) }, /* a stop marker */
    };
    struct vm *vm = started("");

    (void)state;
    for (unsigned i = 0; i < COUNT(rows); i++) {
        uint64_t at = SMMU_PRIQ + i * 16, word0;
        bool ssv = rows[i].pasid != NO_SSID;
        uint64_t ssid = UIM_MASK(51, 32);

        assert_int_equal(
            request(vm, E, rows[i].pasid, rows[i].access, GROUP, rows[i].last),
            0);
        word0 = vm_peek(vm, at);
        assert_int_equal(word0 & ~ssid, rows[i].word0 | E);
        if (ssv)
            assert_int_equal((word0 & ssid) >> 32, rows[i].pasid);
        assert_int_equal(vm_peek(vm, at + 8),
                         UINT64_C(0xfedcba987654000) | GROUP);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), i + 1);
    }
    assert_int_equal(vm->n_response, 0);
    vm_destroy(vm);
}

static void unknown_fields_are_unknown(void **state)
{
    struct vm *vm = started("cache=adversarial");

    (void)state;
    ask(vm, NO_SSID, true);
    assert_int_equal(vm_peek(vm, SMMU_PRIQ) & UIM_MASK(51, 32),
                     UIM_MASK(51, 32));
    vm_destroy(vm);
}

/* 8.2: neither STE.EATS nor ATSCHK nor the configuration of the stream has a say. */
static void every_stream_may_ask(void **state)
{
    static const uint32_t sids[] = { A, D, SMMU_NONE, 0xffff };
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0xf); /* ATSCHK */
    for (size_t i = 0; i < COUNT(sids); i++)
        assert_int_equal(request(vm, sids[i], NO_SSID, R, 1, true), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), COUNT(sids));
    assert_int_equal(vm_peek(vm, SMMU_PRIQ + 48) & UINT32_MAX, 0xffff);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

static void what_the_bus_cannot_say_is_refused(void **state)
{
    struct vm *vm = started("");

    (void)state;
    assert_int_equal(request(vm, E, NO_SSID, R, 0x200, true), UR);
    assert_int_equal(request(vm, E, 0x100000, R, 1, true), UR);
    assert_int_equal(request(vm, E, 0xfffff, R, 0x1ff, true), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 1);
    vm_destroy(vm);
}

/* Without substreams PASIDs are not seen. */
static void units_without_substreams(void **state)
{
    struct vm *vm = started("ssidsize=0");

    (void)state;
    assert_int_equal(ask(vm, 5, true), 0);
    assert_int_equal(vm_peek(vm, SMMU_PRIQ) & ~UIM_MASK(51, 32),
                     UIM_BIT(62) | UIM_BIT(60) | E);
    for (unsigned i = 1; i < ENTRIES; i++)
        ask(vm, NO_SSID, false);
    assert_int_equal(ask(vm, 5, true), 0);
    answered(vm, 0, NO_SSID, SUCCESS);
    vm_destroy(vm);
}

static void the_queue_wraps(void **state)
{
    struct vm *vm = started("");

    (void)state;
    for (unsigned i = 0; i < 3 * ENTRIES; i++) {
        assert_int_equal(request(vm, E, NO_SSID, R, i, false), 0);
        assert_int_equal(
            vm_peek(vm, SMMU_PRIQ + (i % ENTRIES) * 16 + 8) & 0x1ff, i);
        smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, (i + 1) % (2 * ENTRIES));
    }
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), ENTRIES);
    vm_destroy(vm);
}

/* LOG2SIZE beyond what IDR1 has is as much as that. */
static void the_queue_is_no_larger_than_offered(void **state)
{
    struct vm *vm = started("priqs=1");

    (void)state;
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IDR1) >> 11 & 31, 1);
    for (unsigned i = 0; i < 3; i++)
        ask(vm, NO_SSID, true);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | 2);
    vm_destroy(vm);
}

static void registers_are_guarded(void **state)
{
    static const struct {
        uint32_t reg;
        uint64_t value;
    } rows[] = {
        { SMMUV3_REG_PRIQ_BASE, UINT64_C(0x40000fffffffffff) },
        { SMMUV3_REG_PRIQ_PROD, 0x800fffff },
        { SMMUV3_REG_PRIQ_IRQ_CFG0, UINT64_C(0xffffffffffc) },
        { SMMUV3_REG_PRIQ_IRQ_CFG1, 0xffffffff },
        { SMMUV3_REG_PRIQ_IRQ_CFG2, 0x8000003f },
    };
    struct vm *vm = started("oas=44");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1e); /* PRIQEN counts, not SMMUEN */
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t before = smmu_rd(vm, rows[i].reg);

        smmu_wr(vm, rows[i].reg, UINT64_MAX);
        assert_int_equal(smmu_rd(vm, rows[i].reg), before);
    }
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
    for (size_t i = 0; i < COUNT(rows); i++) {
        smmu_wr(vm, rows[i].reg, UINT64_MAX);
        assert_int_equal(smmu_rd(vm, rows[i].reg), rows[i].value);
    }
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, UINT64_MAX);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_CONS), 0x800fffff);
    vm_destroy(vm);

    vm = smmu_create("pri=1"); /* the attributes of queues, while one is on */
    smmu_wr(vm, SMMUV3_REG_CR0, PRIQEN);
    smmu_wr(vm, SMMUV3_REG_CR1, 0xfff);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR1), 0xfc0);
    vm_destroy(vm);
}

static void units_without_page_requests(void **state)
{
    static const uint32_t regs[] = {
        SMMUV3_REG_PRIQ_BASE,     SMMUV3_REG_PRIQ_PROD,
        SMMUV3_REG_PRIQ_CONS,     SMMUV3_REG_PRIQ_IRQ_CFG0,
        SMMUV3_REG_PRIQ_IRQ_CFG1, SMMUV3_REG_PRIQ_IRQ_CFG2,
    };
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    for (size_t i = 0; i < COUNT(regs); i++) {
        smmu_wr(vm, regs[i], UINT64_MAX);
        assert_int_equal(smmu_rd(vm, regs[i]), 0);
    }
    smmu_wr(vm, SMMUV3_REG_CR0, 0xf);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0xd);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IRQ_CTRLACK), 5);
    assert_int_equal(ask(vm, NO_SSID, true), UR);
    assert_int_equal(ask(vm, 5, false), UR);
    assert_int_equal(vm->n_response, 0);
    vm_destroy(vm);
}

/* ---- interrupts ------------------------------------------------------------------ */

static void the_first_request_interrupts(void **state)
{
    struct vm *vm = started("");

    (void)state;
    ask(vm, NO_SSID, false);
    ask(vm, NO_SSID, true);
    assert_int_equal(vm->n_irq, 1);
    assert_int_equal(vm->irq[0].line, LINE);
    assert_int_equal(vm->irq[0].level, 2);
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, 2);
    ask(vm, NO_SSID, false);
    assert_int_equal(vm->n_irq, 2);
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, 3);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
    ask(vm, NO_SSID, true);
    assert_int_equal(vm->n_irq, 2);
    vm_destroy(vm);
}

static void messages_go_where_they_shall(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 0);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG0, SMMU_MSI);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG1, 0x66);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    ask(vm, NO_SSID, true);
    assert_int_equal(vm->n_irq, 0);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, SMMU_MSI);
    assert_int_equal(vm->msi[0].data, 0x66);
    vm_destroy(vm);
}

/* 6.3.36: LO holds for wires as well; stop markers have the bit too. */
static void only_the_last_interrupts(void **state)
{
    static const char *const args[] = { "", "msi=0" };

    (void)state;
    for (size_t i = 0; i < COUNT(args); i++) {
        struct vm *vm = started(args[i]);

        smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
        smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG2, UINT64_MAX);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_IRQ_CFG2),
                         i == 0 ? 0x8000003f : 0x80000000);
        smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
        ask(vm, NO_SSID, false);
        assert_int_equal(vm->n_irq, 0);
        ask(vm, NO_SSID, true);
        ask(vm, NO_SSID, true);
        assert_int_equal(vm->n_irq, 2);
        request(vm, E, 5, 0, GROUP, true);
        assert_int_equal(vm->n_irq, 3);
        vm_destroy(vm);
    }
}

/* Also when it is lost because of overflow, and then only. */
static void the_last_interrupts_although_it_is_lost(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG2, OVFLG);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    fill(vm);
    ask(vm, NO_SSID, false);
    assert_int_equal(vm->n_irq, 0);
    ask(vm, NO_SSID, true);
    assert_int_equal(vm->n_irq, 1);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    ask(vm, NO_SSID, true);
    assert_int_equal(vm->n_irq, 1);
    vm_destroy(vm);
}

/* ---- overflow (8.1) -------------------------------------------------------------- */

static void overflow_lasts_until_it_is_seen(void **state)
{
    struct vm *vm = started("");

    (void)state;
    fill(vm);
    assert_int_equal(ask(vm, NO_SSID, false), 0);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | ENTRIES);
    assert_int_equal(ask(vm, NO_SSID, true), 0);
    answered(vm, 0, NO_SSID, SUCCESS);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | ENTRIES);
    /* room, but nobody has seen the flag */
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, 3);
    assert_int_equal(ask(vm, NO_SSID, true), 0);
    assert_int_equal(vm->n_response, 2);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | ENTRIES);
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, OVFLG | 3);
    assert_int_equal(ask(vm, NO_SSID, true), 0);
    assert_int_equal(vm->n_response, 2);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | (ENTRIES + 1));
    assert_int_equal(vm_counter(vm, "page_requests"), ENTRIES + 4);
    assert_int_equal(vm_counter(vm, "page_requests_lost"), 3);
    assert_int_equal(vm_counter(vm, "page_responses"), 2);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
    vm_destroy(vm);
}

/* The second time the flag goes back. */
static void overflow_is_said_by_toggling(void **state)
{
    struct vm *vm = started("");

    (void)state;
    fill(vm);
    ask(vm, NO_SSID, false);
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, OVFLG);
    ask(vm, NO_SSID, false);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), ENTRIES);
    vm_destroy(vm);
}

/* What the entry of E becomes, and where the table is. */
static void overflow_with(struct vm *vm, uint64_t q0, uint64_t q1_set, bool far,
                          unsigned log2size, uint64_t cr2)
{
    smmu_wr(vm, SMMUV3_REG_CR0, 0xe);
    smmu_wr(vm, SMMUV3_REG_CR2, cr2);
    smmu_wr(vm, SMMUV3_REG_STRTAB_BASE, far ? VM_OUTSIDE : SMMU_STRTAB);
    smmu_wr(vm, SMMUV3_REG_STRTAB_BASE_CFG, log2size);
    vm_poke(vm, smmu_ste(E), q0);
    vm_poke(vm, smmu_ste(E) + 8, vm_peek(vm, smmu_ste(E) + 8) | q1_set);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    fill(vm);
}

static void pasids_of_answers_to_overflow(void **state)
{
    enum { REC = 8, RECINVSID = 2 };
    static const struct {
        const char *args;
        uint64_t q0, q1; /* of the STE; 1: as it is */
        bool far;
        unsigned log2size;
        uint32_t pasid, answer;
        uint32_t code;
        unsigned event; /* with REC_CFG_ATS and RECINVSID */
    } rows[] = {
        { "", 1, 0, false, 6, NO_SSID, NO_SSID, SUCCESS, 0 },
        { "", 1, PPAR, false, 6, NO_SSID, NO_SSID, SUCCESS, 0 },
        { "", 1, 0, false, 6, 5, NO_SSID, SUCCESS, 0 },
        { "", 1, PPAR, false, 6, 5, 5, SUCCESS, 0 },
        { "", 1, PPAR, false, 6, 0, 0, SUCCESS, 0 },
        { "pps=1", 1, 0, false, 6, 5, 5, SUCCESS, 0 },
        { "pps=1", 0, 0, false, 6, 5, 5, SUCCESS, 0 },
        { "pps=1", 1, PPAR, false, 6, NO_SSID, NO_SSID, SUCCESS, 0 },
        /* valid, and aborts */
        { "", 2, PPAR, false, 6, 5, 5, SUCCESS, 0 },
        /* no entry that could be asked */
        { "", 0, PPAR, false, 6, 5, NO_SSID, FAILURE, 0x04 },
        { "", 0, PPAR, false, 6, NO_SSID, NO_SSID, SUCCESS, 0 },
        { "", 1, PPAR, true, 6, 5, NO_SSID, FAILURE, 0x03 },
        { "", 1, PPAR, false, 3, 5, NO_SSID, FAILURE, 0x02 },
    };

    (void)state;
    for (size_t i = 0; i < 4 * COUNT(rows); i++) {
        size_t k = i / 4;
        uint64_t cr2 = (i & 1 ? REC : 0) | (i & 2 ? RECINVSID : 0);
        bool said = (cr2 & REC) && (rows[k].event != 2 || (cr2 & RECINVSID));
        struct vm *vm = started(rows[k].args);
        uint64_t q0 = vm_peek(vm, smmu_ste(E));

        overflow_with(vm, rows[k].q0 == 1 ? q0 : rows[k].q0 >> 1, rows[k].q1,
                      rows[k].far, rows[k].log2size, cr2);
        assert_int_equal(ask(vm, rows[k].pasid, true), 0);
        assert_int_equal(vm->n_response, 1);
        answered(vm, 0, rows[k].answer, rows[k].code);
        assert_int_equal(smmu_event_id(vm), said ? rows[k].event : 0);
        vm_destroy(vm);
    }
}

/* ---- off, and broken (8.2) ------------------------------------------------------- */

/* Each request fails: the last by an answer of the unit, others by the VMM's. */
static void denied(struct vm *vm)
{
    uint64_t prod = smmu_rd(vm, SMMUV3_REG_PRIQ_PROD);

    vm_forget(vm);
    assert_int_equal(ask(vm, 5, true), 0);
    assert_int_equal(vm->n_response, 1);
    answered(vm, 0, NO_SSID, FAILURE);
    assert_int_equal(ask(vm, NO_SSID, true), 0);
    answered(vm, 1, NO_SSID, FAILURE);
    assert_int_equal(ask(vm, 5, false), UR);
    assert_int_equal(ask(vm, NO_SSID, false), UR);
    assert_int_equal(request(vm, E, 5, 0, GROUP, true), 0); /* stop marker */
    assert_int_equal(vm->n_response, 2);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), prod);
    assert_int_equal(vm->n_irq, 0);
}

static void requests_fail_while_the_queue_is_off(void **state)
{
    struct vm *vm = started("pps=1");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    denied(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1e); /* SMMUEN 0 */
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0x1e);
    denied(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    assert_int_equal(ask(vm, 5, false), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 1);
    vm_destroy(vm);
}

static void a_queue_without_memory(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    smmu_wr(vm, SMMUV3_REG_PRIQ_BASE, VM_OUTSIDE | 3);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    assert_int_equal(ask(vm, 5, true), 0);
    answered(vm, 0, NO_SSID, FAILURE);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), PRIQ_ABT_ERR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 0);
    assert_int_equal(vm->n_irq, 1);
    assert_int_equal(vm->irq[0].line, 3);
    /* until it is acknowledged */
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    smmu_wr(vm, SMMUV3_REG_PRIQ_BASE, SMMU_PRIQ | 3);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    denied(vm);
    smmu_wr(vm, SMMUV3_REG_GERRORN, PRIQ_ABT_ERR);
    assert_int_equal(ask(vm, 5, true), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 1);
    vm_destroy(vm);
}

static void the_one_that_is_not_written_is_refused(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    smmu_wr(vm, SMMUV3_REG_PRIQ_BASE, VM_OUTSIDE | 3);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f);
    assert_int_equal(ask(vm, 5, false), UR);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), PRIQ_ABT_ERR);
    vm_destroy(vm);
}

static void messages_that_do_not_arrive(void **state)
{
    static const struct {
        const char *args;
        unsigned line;
        uint64_t gerror;
    } rows[] = {
        { "pri=1", 0, 1 << 5 }, { "pri=1", 1, 1 << 6 }, { "pri=1", 2, 1 << 4 },
        { "pri=1", 3, 1 << 7 }, { "", 1, 0 },           { "pri=1,msi=0", 1, 0 },
        { "pri=1", 4, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);

        smmu_start(vm);
        uim_check_inject(vm->model,
                         &(struct uim_check_inject){ UIM_CHECK_ERROR_MESSAGE,
                                                     rows[i].line, 0 });
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), rows[i].gerror);
        assert_int_equal(vm->n_irq, rows[i].gerror != 0);
        smmu_wr(vm, SMMUV3_REG_GERRORN, rows[i].gerror);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERRORN), rows[i].gerror);
        vm_destroy(vm);
    }
}

/* ---- stop markers ---------------------------------------------------------------- */

static void stop_markers_are_not_answered(void **state)
{
    struct vm *vm = started("");

    (void)state;
    fill(vm);
    assert_int_equal(request(vm, E, 5, 0, GROUP, true), 0);
    assert_int_equal(request(vm, E, 5, X | P, GROUP, true), 0);
    assert_int_equal(vm->n_response, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), OVFLG | ENTRIES);
    /* the same without a PASID is a request */
    assert_int_equal(request(vm, E, NO_SSID, 0, GROUP, true), 0);
    answered(vm, 0, NO_SSID, SUCCESS);
    vm_destroy(vm);
}

/* ---- responses of software (4.5.2) ----------------------------------------------- */

static uint64_t pri_resp(uint32_t sid)
{
    return 0x41 | (uint64_t)sid << 32;
}

static void responses_go_to_the_device(void **state)
{
    static const uint32_t codes[] = { FAILURE, INVALID, SUCCESS };
    struct vm *vm = started("");

    (void)state;
    for (unsigned resp = 0; resp < 3; resp++) {
        vm_forget(vm);
        smmu_submit(vm, pri_resp(E), GROUP | resp << 12);
        smmu_submit(vm, pri_resp(E) | 1 << 11 | 0xabcdeu << 12,
                    GROUP | resp << 12);
        assert_true(smmu_drained(vm));
        assert_int_equal(vm->n_response, 2);
        answered(vm, 0, NO_SSID, codes[resp]);
        answered(vm, 1, 0xabcde, codes[resp]);
    }
    assert_int_equal(vm_counter(vm, "page_responses"), 6);
    vm_destroy(vm);
}

static void responses_that_are_illegal(void **state)
{
    static const struct {
        const char *args;
        uint64_t lo, hi;
    } rows[] = {
        { "pri=1", 0x41, 3 << 12 },
        { "pri=1", 0x41 | 1 << 10, 2 << 12 }, /* SSec */
        { "", 0x41, 2 << 12 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);

        smmu_start(vm);
        smmu_submit(vm, rows[i].lo, rows[i].hi);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1 << 24);
        assert_int_equal(vm->n_response, 0);
        vm_destroy(vm);
    }
}

static void responses_are_ignored_while_off(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f & ~SMMUEN);
    smmu_submit(vm, pri_resp(E), 2 << 12);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm->n_response, 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1f & ~PRIQEN);
    smmu_submit(vm, pri_resp(E), 2 << 12);
    assert_int_equal(vm->n_response, 1);
    vm_destroy(vm);
}

/* SSV without substreams: ignored, or the command is. */
static void responses_with_a_pasid_that_nobody_knows(void **state)
{
    struct vm *vm = started("ssidsize=0,cache=normal");

    (void)state;
    smmu_submit(vm, pri_resp(E) | 1 << 11 | 5 << 12, GROUP | 2 << 12);
    assert_int_equal(vm->n_response, 1);
    answered(vm, 0, NO_SSID, SUCCESS);
    vm_destroy(vm);
    vm = started("ssidsize=0,cache=adversarial");
    smmu_submit(vm, pri_resp(E) | 1 << 11 | 5 << 12, GROUP | 2 << 12);
    assert_int_equal(vm->n_response, 0);
    smmu_submit(vm, pri_resp(E), GROUP | 2 << 12);
    answered(vm, 0, NO_SSID, SUCCESS);
    vm_destroy(vm);
}

/* ---- life ------------------------------------------------------------------------ */

/* Overflow is not over when the unit is moved, nor is what is in the queue. */
static void requests_are_moved(void **state)
{
    static const uint32_t regs[] = {
        SMMUV3_REG_PRIQ_BASE,     SMMUV3_REG_PRIQ_PROD,
        SMMUV3_REG_PRIQ_CONS,     SMMUV3_REG_PRIQ_IRQ_CFG0,
        SMMUV3_REG_PRIQ_IRQ_CFG1, SMMUV3_REG_PRIQ_IRQ_CFG2,
        SMMUV3_REG_CR0ACK,        SMMUV3_REG_IRQ_CTRLACK,
    };
    struct vm *vm = started(""), *to = smmu_create("pri=1");
    struct stream *s;

    (void)state;
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 5);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG0, SMMU_MSI);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG1, 0x66);
    smmu_wr(vm, SMMUV3_REG_PRIQ_IRQ_CFG2, OVFLG);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    fill(vm);
    ask(vm, NO_SSID, false);
    smmu_wr(vm, SMMUV3_REG_PRIQ_CONS, 3);
    s = stream_save(vm);
    memcpy(to->memory, vm->memory, VM_MEMORY);
    assert_int_equal(stream_load(to, s), 0);
    for (size_t i = 0; i < COUNT(regs); i++)
        assert_int_equal(smmu_rd(to, regs[i]), smmu_rd(vm, regs[i]));
    assert_int_equal(ask(to, NO_SSID, true), 0);
    answered(to, 0, NO_SSID, SUCCESS);
    assert_int_equal(to->n_msi, 1);
    smmu_wr(to, SMMUV3_REG_PRIQ_CONS, OVFLG | 3);
    assert_int_equal(ask(to, NO_SSID, true), 0);
    assert_int_equal(to->n_response, 1);
    assert_int_equal(to->n_msi, 2);
    free(s);
    vm_destroy(to);
    vm_destroy(vm);
}

static void reset_forgets_requests(void **state)
{
    struct vm *vm = started("");

    (void)state;
    fill(vm);
    ask(vm, NO_SSID, true);
    vm->ops->reset(vm->m);
    vm->tail = 0;
    smmu_start_pri(vm);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 0);
    assert_int_equal(ask(vm, NO_SSID, true), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_PRIQ_PROD), 1);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_have_their_fields),
        cmocka_unit_test(unknown_fields_are_unknown),
        cmocka_unit_test(every_stream_may_ask),
        cmocka_unit_test(what_the_bus_cannot_say_is_refused),
        cmocka_unit_test(units_without_substreams),
        cmocka_unit_test(the_queue_wraps),
        cmocka_unit_test(the_queue_is_no_larger_than_offered),
        cmocka_unit_test(registers_are_guarded),
        cmocka_unit_test(units_without_page_requests),
        cmocka_unit_test(the_first_request_interrupts),
        cmocka_unit_test(messages_go_where_they_shall),
        cmocka_unit_test(only_the_last_interrupts),
        cmocka_unit_test(the_last_interrupts_although_it_is_lost),
        cmocka_unit_test(overflow_lasts_until_it_is_seen),
        cmocka_unit_test(overflow_is_said_by_toggling),
        cmocka_unit_test(pasids_of_answers_to_overflow),
        cmocka_unit_test(requests_fail_while_the_queue_is_off),
        cmocka_unit_test(a_queue_without_memory),
        cmocka_unit_test(the_one_that_is_not_written_is_refused),
        cmocka_unit_test(messages_that_do_not_arrive),
        cmocka_unit_test(stop_markers_are_not_answered),
        cmocka_unit_test(responses_go_to_the_device),
        cmocka_unit_test(responses_that_are_illegal),
        cmocka_unit_test(responses_are_ignored_while_off),
        cmocka_unit_test(responses_with_a_pasid_that_nobody_knows),
        cmocka_unit_test(requests_are_moved),
        cmocka_unit_test(reset_forgets_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
