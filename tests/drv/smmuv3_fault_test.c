/* SPDX-License-Identifier: MIT */
/*
 * The event queue of the SMMUv3 driver: every record is heard once, in its order, with
 * what it says; what was lost is said, and the queue goes on (IHI0070 3.5.2, 7.2, 7.3;
 * semantics B.18, D-85 to D-87).
 */
#include "smmu_stand.h"

#define AT UINT64_C(0x40000000)

enum {
    EVENTS = 8, /* in a queue of eventqs=3 */
    C_BAD_STE = 0x04,
    F_TRANSLATION = 0x10,
    F_PERMISSION = 0x13,
    OVFLG = 31,
};

/* A machine that is asked, and does not tell by itself. */
static struct uiommu_domain *open_point(struct stand *s, unsigned point)
{
    struct uiommu_domain *d;

    stand_point(s, point);
    s->config.args = "eventqs=3";
    stand_up(s);
    sim_auto_irq(s->m, false);
    d = stand_domain(s, 0);
    stand_set(s, 0, d);
    ok(uiommu_map(d, AT - 16 * STAND_PAGE, stand_ram(s, 16), 16 * STAND_PAGE,
                  UIOMMU_READ));
    s->n_faults = 0;
    return d;
}

static void close_point(struct stand *s, struct uiommu_domain *d)
{
    stand_block(s, 0);
    uiommu_domain_put(d);
    stand_down(s);
}

static void access(struct stand *s, bool write, uint64_t iova)
{
    uint64_t value = 0;

    assert_int_equal(machine_dma(s->m, (unsigned)sim_engine(s->m, 0), write,
                                 iova, &value, sizeof(value)),
                     MACHINE_DMA_REFUSED);
}

static void poll(struct stand *s)
{
    uiommu_poll(s->u);
    stand_forget(s);
}

/* ---- what it says -------------------------------------------------------- */

static void check_fault(const struct stand *s, unsigned n, unsigned reason,
                        unsigned rights, uint64_t iova)
{
    const struct uiommu_fault *f = &s->fault[n];

    assert_true(n < s->n_faults);
    assert_string_equal(f->driver, "smmuv3");
    assert_int_equal(f->reason, reason);
    assert_int_equal(f->id, 3 << 3);
    assert_int_equal(f->pasid, UIOMMU_NO_PASID);
    assert_int_equal(f->access, rights);
    assert_true(f->has_iova);
    assert_true((f->iova ^ iova) < STAND_PAGE);
    assert_false(f->overflow);
}

static void who_what_and_where(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        d = open_point(&s, point);
        access(&s, true, AT + 0x5000);
        access(&s, false, AT + 0x7000);
        access(&s, true, AT - 0x3000);
        poll(&s);
        assert_int_equal(s.n_faults, 3);
        check_fault(&s, 0, F_TRANSLATION, UIOMMU_WRITE, AT + 0x5000);
        check_fault(&s, 1, F_TRANSLATION, UIOMMU_READ, AT + 0x7000);
        check_fault(&s, 2, F_PERMISSION, UIOMMU_WRITE, AT - 0x3000);
        close_point(&s, d);
    }
}

/* A stream that is blocked has no address to tell of. */
static void of_blocked_streams_too(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    d = open_point(&s, 0);
    stand_block(&s, 0);
    access(&s, true, AT);
    poll(&s);
    assert_int_equal(s.n_faults, 1);
    assert_int_equal(s.fault[0].reason, C_BAD_STE);
    assert_int_equal(s.fault[0].id, 3 << 3);
    assert_false(s.fault[0].has_iova);
    assert_int_equal(s.fault[0].access, 0);
    close_point(&s, d);
}

/* ---- round and round ----------------------------------------------------- */

static void each_once_and_in_order(void **state)
{
    struct uiommu_domain *d;
    unsigned told = 0;
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++, told = 0) {
        d = open_point(&s, point);
        /* So many at a time that the queue comes round in every way. */
        for (unsigned n = 1; n <= EVENTS; n++) {
            s.n_faults = 0;
            for (unsigned i = 0; i < n; i++)
                access(&s, true, AT + (uint64_t)(told + i) * STAND_PAGE);
            poll(&s);
            assert_int_equal(s.n_faults, n);
            for (unsigned i = 0; i < n; i++)
                check_fault(&s, i, F_TRANSLATION, UIOMMU_WRITE,
                            AT + (uint64_t)(told + i) * STAND_PAGE);
            told += n;
        }
        close_point(&s, d);
    }
}

/* An interrupt comes when the queue was empty: what was not read would wait for ever. */
static void interrupts_are_enough(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    d = open_point(&s, 0);
    for (unsigned i = 1; i <= 5 * EVENTS; i++) {
        access(&s, true, AT);
        assert_true(machine_run(s.m));
        assert_int_equal(s.n_faults, i);
        stand_forget(&s);
    }
    assert_true(sim_irqs_pending(s.m) == 0);
    close_point(&s, d);
}

/* ---- more than there is room for (D-85) ---------------------------------- */

static bool overflow_is_acknowledged(struct stand *s)
{
    return ((stand_reg(s, EVENTQ_PROD, 4) ^ stand_reg(s, EVENTQ_CONS, 4)) >>
            OVFLG) == 0;
}

static void what_was_lost_is_said_each_time(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        d = open_point(&s, point);
        for (unsigned round = 0; round < 3; round++) {
            s.n_faults = 0;
            for (unsigned i = 0; i < EVENTS + 3; i++)
                access(&s, true, AT + i * STAND_PAGE);
            assert_false(overflow_is_acknowledged(&s));
            poll(&s);
            assert_int_equal(s.n_faults, EVENTS);
            assert_true(s.fault[0].overflow);
            assert_true(overflow_is_acknowledged(&s));
            access(&s, false, AT);
            poll(&s);
            assert_int_equal(s.n_faults, EVENTS + 1);
            check_fault(&s, EVENTS, F_TRANSLATION, UIOMMU_READ, AT);
        }
        close_point(&s, d);
    }
}

/* ---- sleep --------------------------------------------------------------- */

/* What was not heard before is not heard after, and nothing is heard twice. */
static void a_queue_begins_anew(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned reset = 0; reset < 2; reset++) {
        d = open_point(&s, 0);
        for (unsigned i = 0; i < 5; i++)
            access(&s, true, AT);
        poll(&s);
        assert_int_equal(s.n_faults, 5);
        ok(uiommu_suspend(s.u));
        if (reset)
            sim_reset_units(s.m);
        ok(uiommu_resume(s.u));
        poll(&s);
        assert_int_equal(s.n_faults, 5);
        access(&s, true, AT);
        poll(&s);
        assert_int_equal(s.n_faults, 6);
        close_point(&s, d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_what_and_where),
        cmocka_unit_test(of_blocked_streams_too),
        cmocka_unit_test(each_once_and_in_order),
        cmocka_unit_test(interrupts_are_enough),
        cmocka_unit_test(what_was_lost_is_said_each_time),
        cmocka_unit_test(a_queue_begins_anew),
    };

    return cmocka_run_group_tests_name("smmuv3_fault", tests, NULL, NULL);
}
