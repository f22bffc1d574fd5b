/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim with a unit that lets DMA wait (SMMUv3, stall=1): an engine that waits, is
 * retried, aborted, or left waiting. Tables and commands by hand: IHI0070 chapters 4
 * to 7, DDI0487 D8.
 */
#include "tests/sim/tools.h"

#include <pthread.h>
#include <string.h>

#include "base/store.h"

enum {
    REGISTERS = 0x20000,
    REG_CR0 = 0x20,
    REG_CR1 = 0x28,
    REG_IRQ_CTRL = 0x50,
    REG_STRTAB = 0x80,
    REG_STRTAB_CFG = 0x88,
    REG_CMDQ = 0x90,
    REG_CMDQ_PROD = 0x98,
    REG_CMDQ_CONS = 0x9c,
    REG_EVENTQ = 0xa0,
    REG_EVENTQ_MSI = 0xb0,
    REG_EVENTQ_DATA = 0xb8,
    REG_EVENTQ_PROD = 0x100a8,
    REG_EVENTQ_CONS = 0x100ac,

    ROUNDS = 2000,
    FIRST_SID = 3 << 3, /* of the engines: 00:03.0, 00:04.0 */
    STREAMS = 64,
    RETRY = 1,
    ABORT = 2,
    PAGE = 0x743, /* a page that everybody reads and writes */
};

#define IOVA UINT64_C(0x45000)

struct unit {
    struct machine *m;
    void *regs;
    uint64_t strtab, cd, l2, l3, cmdq, eventq, ram;
    unsigned prod;
    bool deaf;      /* interrupts are not looked at */
    bool lazy;      /* nothing is mapped before the retry */
    unsigned taken; /* events */
};

static const struct sim_config configs[] = {
    { .mode = SIM_STAGE_1, .args = "stall=1" },
    { .mode = SIM_STAGE_1, .args = "stall=1", .adversarial = true },
    { .mode = SIM_STAGE_1, .args = "stall=1", .snapshots = true },
    { .mode = SIM_STAGE_1, .args = "stall=1", .ats = true },
};

enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

/* ---- the unit -------------------------------------------------------------------- */

static const struct uiommu_host *host(const struct unit *u)
{
    return &u->m->host;
}

static uint32_t rd(struct unit *u, unsigned reg)
{
    return host(u)->mmio_read32(host(u)->ctx, u->regs, reg);
}

static void wr(struct unit *u, unsigned reg, uint32_t value)
{
    host(u)->mmio_write32(host(u)->ctx, u->regs, reg, value);
}

static void wr64(struct unit *u, unsigned reg, uint64_t value)
{
    host(u)->mmio_write64(host(u)->ctx, u->regs, reg, value);
}

static void put(struct unit *u, uint64_t at, uint64_t value)
{
    *(uint64_t *)sim_ram(u->m, at, 8) = uim_le64(value);
}

static uint64_t get(struct unit *u, uint64_t at)
{
    return uim_le64(*(uint64_t *)sim_ram(u->m, at, 8));
}

static void command(struct unit *u, uint64_t lo, uint64_t hi)
{
    put(u, u->cmdq + (u->prod & 255) * 16, lo);
    put(u, u->cmdq + (u->prod & 255) * 16 + 8, hi);
    u->prod = (u->prod + 1) & 511;
    wr(u, REG_CMDQ_PROD, u->prod);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if ((rd(u, REG_CMDQ_CONS) & 0xfffff) == u->prod)
            return;
        host(u)->relax(host(u)->ctx);
    }
    fail_msg("command 0x%llx is not taken", (unsigned long long)lo);
}

static void map(struct unit *u, uint64_t iova, bool on)
{
    put(u, u->l3 + (iova >> 12 & 511) * 8,
        on ? (u->ram + (iova & 0xf000)) | PAGE : 0);
}

/* The STAG of the oldest event, which is a stall; -1: there is none. */
static int take_event(struct unit *u, uint32_t *sid)
{
    uint32_t cons = rd(u, REG_EVENTQ_CONS);
    uint64_t at = u->eventq + (cons & 15) * 32;

    if (((rd(u, REG_EVENTQ_PROD) ^ cons) & 31) == 0)
        return -1;
    *sid = (uint32_t)(get(u, at) >> 32);
    assert_true(get(u, at + 8) >> 31 & 1);
    wr(u, REG_EVENTQ_CONS, (cons + 1) & 31);
    u->taken++;
    return (int)(get(u, at + 8) & 0xffff);
}

static void resume(struct unit *u, uint32_t sid, int stag, unsigned how)
{
    assert_true(stag >= 0);
    command(u, 0x44 | how << 12 | (uint64_t)sid << 32, (uint64_t)stag);
}

/* Every page there is becomes present where it faulted. */
static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct unit *u = ctx;
    uint32_t sid;
    int stag;

    (void)unit;
    (void)n;
    while (!u->deaf && (stag = take_event(u, &sid)) >= 0) {
        map(u, IOVA, !u->lazy);
        map(u, IOVA + 0x1000, !u->lazy);
        resume(u, sid, stag, RETRY);
    }
}

/* One table for all streams: 25 bits, two levels. */
static void put_tables(struct unit *u)
{
    for (uint64_t sid = 0; sid < STREAMS; sid++) {
        put(u, u->strtab + sid * 64, 1 | 5 << 1 | u->cd);
        put(u, u->strtab + sid * 64 + 8, 1 << 2 | 1 << 4 | 3 << 6);
    }
    /* T0SZ, IR0, OR0, SH0, EPD1, V, IPS, AA64, S, A */
    put(u, u->cd,
        39 | 1 << 8 | 1 << 10 | 3 << 12 | 1u << 30 | 1u << 31 |
            UINT64_C(5) << 32 | UINT64_C(1) << 41 | UINT64_C(1) << 44 |
            UINT64_C(1) << 46);
    put(u, u->cd + 8, u->l2);
    put(u, u->l2, u->l3 | 3);
}

static void switch_on(struct unit *u)
{
    uint64_t addr;
    uint32_t data;

    assert_int_equal(host(u)->msi_alloc(host(u)->ctx, 0, 0, &addr, &data),
                     UIOMMU_OK);
    wr(u, REG_CR1, 0xd75);
    wr64(u, REG_STRTAB, u->strtab);
    wr(u, REG_STRTAB_CFG, 6);
    wr64(u, REG_CMDQ, u->cmdq | 8);
    wr64(u, REG_EVENTQ, u->eventq | 4);
    wr64(u, REG_EVENTQ_MSI, addr);
    wr(u, REG_EVENTQ_DATA, data);
    wr(u, REG_CR0, 0xc);
    wr(u, REG_IRQ_CTRL, 4);
    wr(u, REG_CR0, 0xd);
}

static void unit_open(struct unit *u, const struct sim_config *config)
{
    memset(u, 0, sizeof(*u));
    u->m = open_sim(config);
    u->regs = host(u)->mmio_map(host(u)->ctx, 0xfed00000, REGISTERS);
    u->strtab = sim_ram_alloc(u->m, 4096);
    u->cd = sim_ram_alloc(u->m, 4096);
    u->l2 = sim_ram_alloc(u->m, 4096);
    u->l3 = sim_ram_alloc(u->m, 4096);
    u->cmdq = sim_ram_alloc(u->m, 4096);
    u->eventq = sim_ram_alloc(u->m, 4096);
    u->ram = sim_ram_alloc(u->m, 0x10000);
    u->m->on_irq = on_irq;
    u->m->irq_ctx = u;
    put_tables(u);
    switch_on(u);
}

static void unit_close(struct unit *u)
{
    host(u)->msi_free(host(u)->ctx, 0, 0);
    host(u)->mmio_unmap(host(u)->ctx, u->regs, REGISTERS);
    close_sim(u->m);
}

/* ---- DMA ------------------------------------------------------------------------- */

static const uint8_t *page(struct unit *u, uint64_t iova)
{
    return sim_ram(u->m, u->ram + (iova & 0xffff), 1);
}

static void waits(struct unit *u, const struct sim_request *r, size_t moved)
{
    assert_int_equal(r->stop, SIM_STALLED);
    assert_int_equal(r->moved, moved);
    assert_int_equal(r->target, SIM_NOWHERE);
    assert_int_equal(sim_stall(u->m, r->tag), SIM_STALL_WAITS);
}

static struct sim_request write_of(unsigned dev, uint64_t iova, size_t size)
{
    static uint8_t bytes[0x2000];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(1 + i % 251);
    return (struct sim_request){ .dev = dev,
                                 .pasid = UIOMMU_NO_PASID,
                                 .write = true,
                                 .iova = iova,
                                 .buf = bytes,
                                 .size = size };
}

static void a_write_arrives_after_its_retry(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONFIGS; i++) {
        struct unit u;
        struct sim_request r = write_of(0, IOVA, 16);
        uint32_t sid = 0;

        unit_open(&u, &configs[i]);
        assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
        waits(&u, &r, 0);
        assert_int_equal(sim_stalls(u.m), 1);
        assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
        waits(&u, &r, 0);
        map(&u, IOVA, true);
        resume(&u, FIRST_SID, take_event(&u, &sid), RETRY);
        assert_int_equal(sid, FIRST_SID);
        assert_int_equal(sim_stall(u.m, r.tag), SIM_STALL_RETRY);
        assert_int_equal(sim_stalls(u.m), 0);
        assert_int_equal(*page(&u, IOVA), 0);
        assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_DONE);
        assert_int_equal(r.moved, 16);
        assert_int_equal(*page(&u, IOVA), 1);
        assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
        unit_close(&u);
    }
}

static void a_write_is_aborted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONFIGS; i++) {
        struct unit u;
        struct sim_request r = write_of(0, IOVA, 16);
        uint32_t sid;

        unit_open(&u, &configs[i]);
        assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
        resume(&u, FIRST_SID, take_event(&u, &sid), ABORT);
        map(&u, IOVA, true);
        assert_int_equal(sim_stall(u.m, r.tag), SIM_STALL_ABORT);
        assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
        assert_int_equal(r.stop, SIM_BY_UNIT);
        assert_int_equal(*page(&u, IOVA), 0);
        unit_close(&u);
    }
}

/* What moved before stays, and the rest goes on. */
static void a_write_waits_in_its_middle(void **state)
{
    struct unit u;
    struct sim_request r = write_of(1, IOVA + 0x800, 0x1000);
    uint32_t sid;

    (void)state;
    unit_open(&u, &configs[0]);
    map(&u, IOVA, true);
    assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
    waits(&u, &r, 0x800);
    assert_int_equal(*page(&u, IOVA + 0xfff), 1 + 0x7ff % 251);
    map(&u, IOVA + 0x1000, true);
    resume(&u, FIRST_SID + 8, take_event(&u, &sid), RETRY);
    assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_DONE);
    assert_int_equal(r.moved, 0x1000);
    assert_int_equal(*page(&u, IOVA + 0x17ff), 1 + 0xfff % 251);
    assert_int_equal(*page(&u, IOVA + 0x1800), 0);
    unit_close(&u);
}

/* It may stall once more, under another tag. */
static void a_retry_that_waits_again(void **state)
{
    struct unit u;
    struct sim_request r = write_of(0, IOVA, 16);
    uint32_t sid, tag;

    (void)state;
    unit_open(&u, &configs[0]);
    assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
    tag = r.tag;
    resume(&u, FIRST_SID, take_event(&u, &sid), RETRY);
    assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
    waits(&u, &r, 0);
    assert_int_not_equal(r.tag, tag);
    resume(&u, FIRST_SID, take_event(&u, &sid), ABORT);
    assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    unit_close(&u);
}

static void several_engines_wait(void **state)
{
    struct unit u;
    struct sim_request a = write_of(0, IOVA, 16), b = write_of(1, IOVA, 16);
    uint32_t sid_a, sid_b;
    int stag_a, stag_b;

    (void)state;
    unit_open(&u, &configs[0]);
    assert_int_equal(sim_dma(u.m, &a), MACHINE_DMA_REFUSED);
    assert_int_equal(sim_dma(u.m, &b), MACHINE_DMA_REFUSED);
    assert_int_equal(sim_stalls(u.m), 2);
    stag_a = take_event(&u, &sid_a);
    stag_b = take_event(&u, &sid_b);
    assert_int_equal(sid_b, FIRST_SID + 8);
    map(&u, IOVA, true);
    resume(&u, sid_b, stag_b, RETRY);
    assert_int_equal(sim_stalls(u.m), 1);
    assert_int_equal(sim_dma_resume(u.m, &a), MACHINE_DMA_REFUSED);
    waits(&u, &a, 0);
    assert_int_equal(sim_dma_resume(u.m, &b), MACHINE_DMA_DONE);
    resume(&u, sid_a, stag_a, ABORT);
    assert_int_equal(sim_dma_resume(u.m, &a), MACHINE_DMA_REFUSED);
    assert_int_equal(a.stop, SIM_BY_UNIT);
    unit_close(&u);
}

/* ---- interrupts meanwhile -------------------------------------------------------- */

static void the_engine_waits_for_the_handler(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONFIGS; i++) {
        struct unit u;
        struct sim_request r = write_of(0, IOVA, 0x2000);

        unit_open(&u, &configs[i]);
        sim_auto_irq(u.m, true);
        assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_DONE);
        assert_int_equal(r.moved, 0x2000);
        assert_int_equal(u.taken, 1);
        assert_int_equal(*page(&u, IOVA + 0x1fff), 1 + 0x1fff % 251);
        unit_close(&u);
    }
}

static void nobody_answers(void **state)
{
    struct unit u;
    struct sim_request r = write_of(0, IOVA, 16);

    (void)state;
    unit_open(&u, &configs[0]);
    u.deaf = true;
    sim_auto_irq(u.m, true);
    assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
    waits(&u, &r, 0);
    u.deaf = false;
    on_irq(&u, 0, 0);
    assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_DONE);
    unit_close(&u);
}

static void a_handler_that_mends_nothing(void **state)
{
    struct unit u;
    struct sim_request r = write_of(0, IOVA, 16);

    (void)state;
    unit_open(&u, &configs[0]);
    u.lazy = true;
    sim_auto_irq(u.m, true);
    assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    expect_violation(u.m, "retried for ever");
    unit_close(&u);
}

/* ---- two CPUs -------------------------------------------------------------------- */

enum { PAGES = 40 };

static struct sim_request page_write(unsigned n)
{
    static uint8_t byte = 1;
    struct sim_request r = write_of(0, (uint64_t)n << 12, 1);

    r.buf = &byte;
    return r;
}

/* One byte into each page, none of which is there. */
static void *run_engine(void *ctx)
{
    struct unit *u = ctx;

    for (unsigned i = 0; i < PAGES; i++) {
        struct sim_request r = page_write(i);
        enum machine_dma result = sim_dma(u->m, &r);

        while (result != MACHINE_DMA_DONE && r.stop == SIM_STALLED)
            result = sim_dma_resume(u->m, &r);
        if (result != MACHINE_DMA_DONE)
            return u;
    }
    return NULL;
}

/* The answer may be there before the engine knows that it waits. */
static void an_engine_beside_its_handler(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct unit u;
        pthread_t engine;
        void *failed;

        unit_open(&u, &configs[i]);
        assert_int_equal(pthread_create(&engine, NULL, run_engine, &u), 0);
        while (u.taken < PAGES) {
            unsigned next = u.taken;
            uint32_t sid;
            int stag = take_event(&u, &sid);

            if (stag < 0)
                continue;
            map(&u, (uint64_t)next << 12, true);
            resume(&u, sid, stag, RETRY);
        }
        assert_int_equal(pthread_join(engine, &failed), 0);
        assert_null(failed);
        assert_int_equal(sim_stalls(u.m), 0);
        unit_close(&u);
    }
}

/* A machine that slept has forgotten what waited. */
static void a_reset_ends_the_wait(void **state)
{
    struct unit u;
    struct sim_request r = write_of(0, IOVA, 16);

    (void)state;
    unit_open(&u, &configs[0]);
    assert_int_equal(sim_dma(u.m, &r), MACHINE_DMA_REFUSED);
    sim_reset_units(u.m);
    assert_int_equal(sim_stalls(u.m), 0);
    assert_int_equal(sim_dma_resume(u.m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    unit_close(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_arrives_after_its_retry),
        cmocka_unit_test(a_write_is_aborted),
        cmocka_unit_test(a_write_waits_in_its_middle),
        cmocka_unit_test(a_retry_that_waits_again),
        cmocka_unit_test(several_engines_wait),
        cmocka_unit_test(the_engine_waits_for_the_handler),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(a_handler_that_mends_nothing),
        cmocka_unit_test(an_engine_beside_its_handler),
        cmocka_unit_test(a_reset_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
