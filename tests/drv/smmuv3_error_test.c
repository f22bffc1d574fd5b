/* SPDX-License-Identifier: MIT */
/*
 * What takes a unit that goes wrong at the wrong time: a queue that is full to the last
 * entry, two errors at once, GBPA that is slower than CR0 (IHI0070 3.5.1, 6.3.14, 7.5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"

enum {
    SID = 0x123,
    ENTRIES = 16,
    EVENTQ_ABT_ERR = 1 << 2,
    ABORT = 1 << 20,
};

#define UPDATE (UINT32_C(1) << 31)

static const struct uim_inval everything = { .all = true };

/* ---- a full queue -------------------------------------------------------- */

/* As many as there is room for between CONS and PROD. */
static void no_more_than_fit(struct smmu *s, size_t reg, uint64_t value)
{
    if (reg == SMMUV3_REG_CMDQ_PROD)
        assert_true(((value - smmu_reg(s, SMMUV3_REG_CMDQ_CONS)) &
                     (2 * ENTRIES - 1)) <= ENTRIES);
}

static enum uiommu_status ask_device(struct smmu *s)
{
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_atc_inv(&b, (struct smmuv3_sid){ SID }, UIOMMU_NO_PASID,
                       &everything);
    return smmuv3_submit(s->v, &b);
}

/* Nobody waits for the SYNCs of a device that does not answer, but they are there. */
static void a_queue_is_never_fuller_than_full(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        struct smmuv3_batch b = { .n = 0 };

        smmu_init(&s);
        s.idr0.ats = 1;
        s.idr1.cmdqs = 4;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        s.on_write = no_more_than_fit;
        s.dead_sid = SID;
        s.step_ns = 100 * 1000 * 1000;
        for (unsigned i = 0; i < ENTRIES / 2 - 1; i++)
            assert_int_equal(ask_device(&s), UIOMMU_TIMEDOUT);
        while (b.n < n)
            smmuv3_add_cfgi_ste(&b, (struct smmuv3_sid){ SID });
        assert_int_equal(smmuv3_submit(s.v, &b), UIOMMU_TIMEDOUT);
        /* The first ATC_INV was taken: there was room for three. */
        assert_non_null(strstr(s.log, n < 3 ? "a command is not completed"
                                            : "its command queue stays full"));
        smmu_answer(&s);
        smmu_stop(&s);
    }
}

/* ---- two errors at once -------------------------------------------------- */

static bool event_queue_failed(const struct smmu *s)
{
    return ((smmu_reg(s, SMMUV3_REG_GERROR) ^ smmu_reg(s, SMMUV3_REG_GERRORN)) &
            EVENTQ_ABT_ERR) != 0;
}

static void one_error_does_not_hide_another(void **state)
{
    struct smmuv3_batch b = { .n = 0 };
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_gerror(&s, EVENTQ_ABT_ERR);
    s.bad_opcode = SMMUV3_CMD_CFGI_STE;
    smmuv3_add_cfgi_ste(&b, (struct smmuv3_sid){ SID });
    assert_int_equal(smmuv3_submit(s.v, &b), UIOMMU_IO);
    assert_true(event_queue_failed(&s));
    s.unit->ops->poll(s.unit);
    assert_non_null(strstr(s.log, "could not write to its event queue"));
    assert_false(event_queue_failed(&s));
    smmu_stop(&s);
}

/* ---- GBPA that is slow --------------------------------------------------- */

static void gbpa_takes_longer(struct smmu *s, size_t reg, uint64_t value)
{
    (void)value;
    if (reg == SMMUV3_REG_GBPA)
        s->late = 100;
    else if (reg == SMMUV3_REG_CR0)
        s->late = 0;
}

/* SMMUEN only falls when what comes then is known to the unit. */
static void watch_off(struct smmu *s)
{
    const bool on = smmu_cr0ack(s, SMMUV3_CR0_BIT(smmuen));

    if (s->seen && !on)
        assert_int_equal(smmu_reg(s, SMMUV3_REG_GBPA) & (UPDATE | ABORT),
                         ABORT);
    s->seen = on;
}

static void gbpa_is_taken_over_before_translation_ends(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_prepare(&s), UIOMMU_OK);
    smmu_reg_set(&s, SMMUV3_REG_CR0, SMMUV3_CR0_BIT(smmuen), 4);
    smmu_reg_set(&s, SMMUV3_REG_CR0ACK, SMMUV3_CR0_BIT(smmuen), 4);
    assert_false(smmu_aborts(&s));
    s.seen = 1;
    s.on_write = gbpa_takes_longer;
    s.on_change = watch_off;
    assert_int_equal(s.unit->ops->enable(s.unit), UIOMMU_OK);
    assert_int_equal(s.seen, 1); /* it fell, and rose */
    s.on_change = NULL;
    smmu_stop(&s);
    assert_int_equal(smmu_reg(&s, SMMUV3_REG_GBPA) & ABORT, 0);
}

/* ---- a unit that stays on ------------------------------------------------ */

/* Queues, the stream table and what it leads to: all that it may read. */
static void nothing_is_freed_under_it(void **state)
{
    struct uiommu_device dev;
    struct smmu_domain d;
    struct smmu s;
    int pages;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_domain(&s, &d, 0x10000);
    smmu_device(&s, &dev, SID);
    assert_int_equal(smmu_set(&s, &dev, &d.domain), UIOMMU_OK);
    pages = s.pages;
    s.deaf = true;
    assert_int_equal(s.unit->ops->disable(s.unit), UIOMMU_TIMEDOUT);
    s.early = 0; /* nobody waits for it any more */
    smmu_end(&s);
    assert_int_equal(s.pages, pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_is_never_fuller_than_full),
        cmocka_unit_test(one_error_does_not_hide_another),
        cmocka_unit_test(gbpa_is_taken_over_before_translation_ends),
        cmocka_unit_test(nothing_is_freed_under_it),
    };

    return cmocka_run_group_tests_name("smmuv3_error", tests, NULL, NULL);
}
