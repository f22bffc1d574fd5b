/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 driver from what firmware left to translation on, and back: which register
 * when, and that traffic never reaches more than it did (IHI0070 3.11, 6.3.9, 6.3.14,
 * 6.3.24; semantics B.23, D-89, D-90).
 */
#include "smmu_stand.h"

#include <uiommu/embed.h>

#include "fuzz/share.h"

#define AT UINT64_C(0x1000)

enum {
    SMMUEN = 1 << 0,
    EVENTQEN = 1 << 2,
    CMDQEN = 1 << 3,
    ATSCHK = 1 << 4,
    ABORT = 1 << 20,
};

#define UPDATE (UINT32_C(1) << 31)

/* ---- order --------------------------------------------------------------- */

/* A register is not written while a change of it, or of another, is under way. */
static void watch_updates(struct stand *s, void *ctx)
{
    const uint32_t defined = SMMUEN | EVENTQEN | CMDQEN | ATSCHK;

    (void)ctx;
    if (s->n_steps == 0 || s->step[s->n_steps - 1].kind != STAND_REGISTER)
        return;
    assert_true(((stand_reg(s, CR0, 4) ^ stand_reg(s, CR0ACK, 4)) & defined) ==
                0);
    assert_true((stand_reg(s, GBPA, 4) & UPDATE) == 0);
    assert_true(
        ((stand_reg(s, IRQ_CTRL, 4) ^ stand_reg(s, IRQ_CTRL + 4, 4)) & 5) == 0);
}

static void check_order(const struct stand *s)
{
    const uint32_t all = SMMUEN | EVENTQEN | CMDQEN;
    const int off = stand_write_of(s, 0, CR0, all, 0);
    const int cmdq = stand_write_of(s, off, CR0, CMDQEN, CMDQEN);
    const int eventq = stand_write_of(s, off, CR0, EVENTQEN, EVENTQEN);
    const int on = stand_write_of(s, off, CR0, SMMUEN, SMMUEN);
    const int irqs = stand_write_of(s, 0, IRQ_CTRL, 5, 5);

    assert_true(off >= 0);
    assert_true(stand_first(s, CR1) > off && stand_last(s, CR1) < cmdq);
    assert_true(stand_first(s, CMDQ_BASE) > off &&
                stand_last(s, CMDQ_BASE) < cmdq);
    assert_true(stand_first(s, STRTAB_BASE) > off &&
                stand_last(s, STRTAB_BASE) < on);
    assert_true(stand_last(s, STRTAB_BASE_CFG) < on);
    assert_true(stand_first(s, EVENTQ_BASE) > off &&
                stand_last(s, EVENTQ_BASE) < eventq);
    assert_true(stand_last(s, EVENTQ_PROD) < eventq);
    assert_true(cmdq >= 0 && cmdq < eventq && eventq < on);
    /* 6.3.15: where a message goes is written while there is none. */
    assert_true(stand_write_of(s, 0, IRQ_CTRL, 5, 0) <
                stand_first(s, EVENTQ_IRQ_CFG0));
    assert_true(stand_first(s, EVENTQ_IRQ_CFG0) >= 0 &&
                stand_last(s, EVENTQ_IRQ_CFG0 + 12) < irqs);
    assert_true(stand_first(s, GERROR_IRQ_CFG0) >= 0 &&
                stand_last(s, GERROR_IRQ_CFG0 + 12) < irqs);
    /* Everything is invalidated before it is used. */
    assert_true(stand_last(s, CMDQ_PROD) > cmdq &&
                stand_last(s, CMDQ_PROD) < on);
}

static void start_in_order(void **state)
{
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * STAND_POINTS; i++) {
        if (!in_share(0, i))
            continue;
        stand_point(&s, i / 2);
        s.config.ats = i % 2;
        stand_open(&s);
        s.look = watch_updates;
        ok(stand_start(&s));
        s.look = NULL;
        check_order(&s);
        stand_opcodes(&s, CFGI_ALL, TLBI_NSNH_ALL, SYNC);
        assert_true(stand_command(&s, 0, 0) == CFGI_ALL);
        assert_true(stand_command(&s, 0, 1) == 31);
        /* Write-back, inner shareable: tables, then queues. PTM, RECINVSID. */
        assert_int_equal(stand_reg(&s, CR1, 4), 0xd75);
        assert_int_equal(stand_reg(&s, CR2, 4), 6);
        assert_int_equal(stand_reg(&s, CR0, 4),
                         SMMUEN | EVENTQEN | CMDQEN | (i % 2 ? ATSCHK : 0));
        stand_down(&s);
    }
}

/* ---- what firmware left -------------------------------------------------- */

static int probe(struct stand *s, uint32_t access)
{
    return sim_probe(s->m, (unsigned)sim_engine(s->m, 0), UIOMMU_NO_PASID, AT,
                     access, NULL);
}

static void watch_dma(struct stand *s, void *ctx)
{
    unsigned *steps = ctx;

    (*steps)++;
    assert_true(probe(s, UIOMMU_READ) != 0);
    assert_true(probe(s, UIOMMU_WRITE) != 0);
}

static void write_reg(struct stand *s, uint32_t offset, uint32_t value)
{
    sim_ops(s->m)->mmio_write(sim_model(s->m), 0, offset, value, 4);
    for (unsigned i = 0; i < 64; i++) /* takes effect when it is looked for */
        s->m->host.relax(s->m->host.ctx);
}

/* Translating with a table that has nobody in it, and all of GBPA else. */
static void firmware_left_it_on(struct stand *s, uint32_t gbpa)
{
    write_reg(s, GBPA, gbpa | UPDATE);
    write_reg(s, CR0, SMMUEN | CMDQEN | EVENTQEN);
    assert_int_equal(stand_reg(s, CR0ACK, 4), SMMUEN | CMDQEN | EVENTQEN);
    stand_forget(s);
}

/* Where traffic was not let through, it is not on the way. */
static void no_gap_when_it_was_on(void **state)
{
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        unsigned steps = 0;

        if (!in_share(1, point))
            continue;
        stand_point(&s, point);
        stand_open(&s);
        firmware_left_it_on(&s, 0); /* it would bypass */
        s.look = watch_dma;
        s.ctx = &steps;
        ok(stand_start(&s));
        s.look = NULL;
        assert_true(steps > 10);
        assert_true(
            stand_write_of(&s, 0, GBPA, UPDATE | ABORT, UPDATE | ABORT) >= 0);
        check_order(&s);
        stand_down(&s);
    }
}

/* It is as it was. */
static void gbpa_comes_back(void **state)
{
    static const uint32_t found[] = { 0x1000, 0x1000 | ABORT, 0x200f | 1 << 4 };
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        stand_init(&s, SIM_STAGE_1);
        stand_open(&s);
        firmware_left_it_on(&s, found[i]);
        ok(stand_start(&s));
        ok(uiommu_stop(s.u));
        s.v = NULL; /* stopped */
        assert_int_equal(stand_reg(&s, GBPA, 4), found[i]);
        assert_int_equal(stand_reg(&s, CR0ACK, 4) & SMMUEN, 0);
        stand_down(&s);
    }
}

/* Its queue is switched off under the driver: commands are not carried out. */
static void fail_it(struct stand *s, void *ctx)
{
    watch_dma(s, ctx);
    if (stand_last(s, CMDQ_PROD) > stand_first(s, CMDQ_CONS) &&
        (stand_reg(s, CR0, 4) & CMDQEN))
        write_reg(s, CR0, stand_reg(s, CR0, 4) & ~(uint32_t)CMDQEN);
}

/* What confined devices is gone, and nothing came instead. */
static void a_start_that_fails_lets_nothing_through(void **state)
{
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        unsigned steps = 0;

        if (!in_share(2, point))
            continue;
        stand_point(&s, point);
        stand_open(&s);
        firmware_left_it_on(&s, 0); /* it would bypass */
        s.look = fail_it;
        s.ctx = &steps;
        assert_int_equal(stand_start(&s), UIOMMU_TIMEDOUT);
        s.look = NULL;
        assert_true(steps > 10);
        assert_int_equal(stand_reg(&s, CR0ACK, 4) & SMMUEN, 0);
        assert_int_equal(stand_reg(&s, GBPA, 4), ABORT);
        assert_true(probe(&s, UIOMMU_WRITE) != 0);
        stand_down(&s);
    }
}

/* ---- sleep --------------------------------------------------------------- */

static void a_unit_that_slept_is_set_up_anew(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * STAND_POINTS; i++) {
        uint64_t phys;

        if (!in_share(3, i))
            continue;
        stand_point(&s, i / 2);
        stand_up(&s);
        d = stand_domain(&s, 0);
        phys = stand_map(&s, d, AT << 16);
        stand_set(&s, 0, d);
        assert_true(stand_reaches(&s, 0, AT << 16, phys));
        ok(uiommu_suspend(s.u));
        if (i % 2)
            sim_reset_units(s.m);
        stand_forget(&s);
        s.look = watch_updates;
        ok(uiommu_resume(s.u));
        s.look = NULL;
        if (i % 2)
            check_order(&s);
        else /* it was kept translating, and goes on so */
            assert_int_equal(stand_write_of(&s, 0, CR0, 1, 0), -1);
        stand_opcodes(&s, CFGI_ALL, TLBI_NSNH_ALL, SYNC);
        assert_true(stand_reaches(&s, 0, AT << 16, phys));
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_in_order),
        cmocka_unit_test(no_gap_when_it_was_on),
        cmocka_unit_test(gbpa_comes_back),
        cmocka_unit_test(a_start_that_fails_lets_nothing_through),
        cmocka_unit_test(a_unit_that_slept_is_set_up_anew),
    };

    return cmocka_run_group_tests_name("smmuv3_start", tests, NULL, NULL);
}
