/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator: its commands, what they do to work under way, resets, and
 * what configuration space has to say.
 */
#include "tests/sim/accel_rig.h"

enum { FLR = 0x8000, DEVCTL = 8, COMMAND = 4, MEMORY = 2, BUS_MASTER = 4 };

static uint64_t wq_word(struct accel_rig *rig, unsigned wq, unsigned word)
{
    return rig->drv.wqcfg + 64 * wq + 8 * word;
}

static uint64_t state_of(struct accel_rig *rig)
{
    return accel_gensts_state(
        (struct accel_gensts){ reg_read(rig, ACCEL_REG_GENSTS) });
}

static uint64_t wq_state(struct accel_rig *rig, unsigned wq)
{
    return accel_wqcfg_q3_state(
        (struct accel_wqcfg_q3){ reg_read(rig, wq_word(rig, wq, 3)) });
}

static bool wq_on(struct accel_rig *rig, unsigned wq)
{
    return wq_state(rig, wq) != 0;
}

static void setup(struct accel_rig *rig, unsigned wq, uint32_t pasid)
{
    const struct accel_queue queue = { .size = 16, .pasid = pasid };

    assert_int_equal(accel_queue_setup(&rig->drv, wq, &queue), UIOMMU_OK);
}

/* Three queues: without PASID, with 5, with 6. */
static void open_three(struct accel_rig *rig)
{
    accel_rig_open(rig, 0);
    for (unsigned i = 0; i < 3; i++)
        setup(rig, i, i == 0 ? 0 : 4 + i);
    assert_int_equal(accel_enable(&rig->drv), UIOMMU_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(accel_queue_on(&rig->drv, i), UIOMMU_OK);
}

/* A copy of many steps on each queue, with record `n`; and one behind it. */
static void submit_three(struct accel_rig *rig)
{
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x6000, 0);

    for (unsigned i = 0; i < 3; i++) {
        desc_put(&d, 1, record_at(0));
        submit(rig, i, &d);
        desc_put(&d, 1, record_at(1));
        submit(rig, i, &d);
    }
}

static bool ended(struct accel_rig *rig, unsigned wq)
{
    return record_of(rig, wq == 0 ? 0 : 4 + wq, 1).status != ACCEL_NONE;
}

static bool begun(struct accel_rig *rig, unsigned wq)
{
    return record_of(rig, wq == 0 ? 0 : 4 + wq, 0).status != ACCEL_NONE;
}

/* ---- numbers ------------------------------------------------------------- */

static void wrong_commands_say_so(void **state)
{
    static const struct {
        unsigned code;
        uint32_t operand;
        unsigned error;
    } row[] = {
        { 0, 0, ACCEL_CMD_UNKNOWN },
        { 13, 0, ACCEL_CMD_UNKNOWN },
        { 31, 0, ACCEL_CMD_UNKNOWN },
        { ACCEL_CMD_ENABLE_DEVICE, 0, ACCEL_CMD_NOT_DISABLED },
        { ACCEL_CMD_ENABLE_WQ, 8, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_ENABLE_WQ, 0xfffff, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_ENABLE_WQ, 0, ACCEL_CMD_WQ_NOT_DISABLED },
        { ACCEL_CMD_ENABLE_WQ, 1, ACCEL_CMD_WQ_SIZE_0 },
        { ACCEL_CMD_DISABLE_WQ, 0, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_DISABLE_WQ, 0x100, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_DISABLE_WQ, 0x10001, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_DRAIN_WQ, 3, ACCEL_CMD_WQ_NOT_ENABLED },
        { ACCEL_CMD_ABORT_WQ, 2, ACCEL_CMD_WQ_NOT_ENABLED },
        { ACCEL_CMD_RESET_WQ, 0x80, ACCEL_CMD_OK },
        { ACCEL_CMD_RESET_WQ, 0x100, ACCEL_CMD_WQ_INDEX },
        { ACCEL_CMD_DRAIN_PASID, 0xfffff, ACCEL_CMD_OK },
        { ACCEL_CMD_DRAIN_ALL, 0, ACCEL_CMD_OK },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        assert_int_equal(command(&rig, row[i].code, row[i].operand),
                         row[i].error);
    /* reserved bits */
    rig.m->host.mmio_write32(rig.m->host.ctx, rig.drv.regs, ACCEL_REG_CMD,
                             ACCEL_CMD_DRAIN_ALL << 20 | 1 << 25);
    steps(&rig, 1);
    assert_int_equal(reg_read(&rig, ACCEL_REG_CMDSTS), ACCEL_CMD_RESERVED);
    accel_rig_close(&rig);
}

/* From 2 on (table 5-8): what can wait for nothing has nothing to wait for. */
static void a_device_that_is_off_takes_few_commands(void **state)
{
    static const unsigned error[] = {
        ACCEL_CMD_NOT_ENABLED,
        ACCEL_CMD_OK,
        ACCEL_CMD_OK,
        ACCEL_CMD_OK,
        ACCEL_CMD_DEVICE_OFF,
        ACCEL_CMD_WQ_NOT_ENABLED,
        ACCEL_CMD_WQ_NOT_ENABLED,
        ACCEL_CMD_WQ_NOT_ENABLED,
        ACCEL_CMD_OK,
        ACCEL_CMD_OK,
        ACCEL_CMD_OK,
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    setup(&rig, 0, 0);
    for (unsigned i = 0; i < sizeof(error) / sizeof(error[0]); i++) {
        assert_int_equal(command(&rig, i + 2, 1), error[i]);
        assert_int_equal(state_of(&rig), ACCEL_DISABLED);
    }
    setup(&rig, 0, 0);
    assert_int_not_equal(reg_read(&rig, wq_word(&rig, 0, 1)), 0);
    assert_int_equal(command(&rig, ACCEL_CMD_RESET_WQ, 1), ACCEL_CMD_OK);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 0)), 16);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 1)), 0);
    accel_rig_close(&rig);
}

static void one_command_at_a_time(void **state)
{
    struct accel_rig rig;

    (void)state;
    open_three(&rig);
    submit_three(&rig);
    command_start(&rig, ACCEL_CMD_DRAIN_ALL, 0);
    steps(&rig, 1);
    assert_true(command_active(&rig));
    command_start(&rig, ACCEL_CMD_ABORT_ALL, 0);
    assert_int_equal(swerr(&rig), 0x52);
    settle(&rig);
    steps(&rig, 1);
    assert_false(command_active(&rig));
    assert_true(ended(&rig, 0) && ended(&rig, 1) && ended(&rig, 2));
    accel_rig_close(&rig);
}

/* ---- what is enabled ----------------------------------------------------- */

static void wrong_groups_are_found(void **state)
{
    static const struct {
        uint64_t wqs[2], engines[2];
        unsigned error;
    } row[] = {
        { { 1, 0 }, { 1, 0 }, ACCEL_CMD_OK },
        { { 1, 0 }, { 0, 0 }, ACCEL_CMD_GROUP_LACKS },
        { { 1, 0 }, { 1, 2 }, ACCEL_CMD_GROUP_LACKS },
        { { 1, 1 }, { 1, 2 }, ACCEL_CMD_GROUP_WQ },
        { { 1, 4 }, { 1, 1 }, ACCEL_CMD_GROUP_ENGINE },
        { { 2, 0 }, { 1, 0 }, ACCEL_CMD_GROUP_WQ }, /* 0 is in none */
        { { 1, 4 }, { 1, 2 }, ACCEL_CMD_OK },
        { { 1, 2 }, { 1, 2 }, ACCEL_CMD_GROUP_WQ }, /* 1 is inactive */
        { { 3, 0 }, { 1, 0 }, ACCEL_CMD_GROUP_WQ },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        reg_write(&rig, wq_word(&rig, 0, 0), 16);
        reg_write(&rig, wq_word(&rig, 2, 0), row[i].wqs[1] & 4 ? 16 : 0);
        for (unsigned g = 0; g < 2; g++) {
            reg_write(&rig, rig.drv.grpcfg + 64 * g, row[i].wqs[g]);
            reg_write(&rig, rig.drv.grpcfg + 64 * g + 32, row[i].engines[g]);
        }
        assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_DEVICE, 0),
                         row[i].error);
        assert_int_equal(state_of(&rig), row[i].error == ACCEL_CMD_OK
                                             ? ACCEL_ENABLED
                                             : ACCEL_DISABLED);
        assert_int_equal(command(&rig, ACCEL_CMD_RESET_DEVICE, 0),
                         ACCEL_CMD_OK);
    }
    accel_rig_close(&rig);
}

static void sizes_fit_into_the_device(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    setup(&rig, 0, 0);
    reg_write(&rig, wq_word(&rig, 0, 0), 127);
    setup(&rig, 1, 0);
    reg_write(&rig, wq_word(&rig, 1, 0), 2);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_DEVICE, 0),
                     ACCEL_CMD_WQ_SIZES);
    reg_write(&rig, wq_word(&rig, 1, 0), 1);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_DEVICE, 0), ACCEL_CMD_OK);
    accel_rig_close(&rig);
}

static void a_device_without_bus_master_stays_off(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    setup(&rig, 0, 0);
    config_write(rig.m, rig.dev, COMMAND, 2, MEMORY);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_DEVICE, 0),
                     ACCEL_CMD_BUS_MASTER);
    assert_int_equal(state_of(&rig), ACCEL_DISABLED);
    accel_rig_close(&rig);
}

static void wrong_queues_are_found(void **state)
{
    const uint64_t good = 1 | 1 << 4 | UINT64_C(21) << 32 | UINT64_C(6) << 37;
    const struct {
        uint64_t q1;
        unsigned error;
    } row[] = {
        { good | 2, ACCEL_CMD_WQ_BOF }, /* the function may not ask */
        { good & ~(UINT64_C(0xf) << 37), ACCEL_CMD_WQ_MAX_BATCH },
        { good + (UINT64_C(1) << 32), ACCEL_CMD_WQ_MAX_XFER },
        { good + (UINT64_C(1) << 37), ACCEL_CMD_WQ_MAX_BATCH },
        { good & ~UINT64_C(1), ACCEL_CMD_WQ_PASID },   /* shared without */
        { good | 1 << 28, ACCEL_CMD_WQ_PASID },        /* of PASID 0 */
        { good | 1 << 28 | 5 << 8 | 1 << 29, ACCEL_CMD_WQ_PRIV },
        { (good | 1 << 28 | 5 << 8) & ~UINT64_C(0xf0), ACCEL_CMD_OK },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    setup(&rig, 0, 0);
    assert_int_equal(accel_enable(&rig.drv), UIOMMU_OK);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        reg_write(&rig, wq_word(&rig, 0, 1), row[i].q1);
        assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_WQ, 0), row[i].error);
        assert_int_equal(wq_on(&rig, 0), row[i].error == ACCEL_CMD_OK);
    }
    accel_rig_close(&rig);
}

static void pasids_have_to_be_on_for_a_queue_that_has_one(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    setup(&rig, 0, 5);
    assert_int_equal(accel_enable(&rig.drv), UIOMMU_OK);
    config_write(rig.m, rig.dev, ext_cap(rig.m, rig.dev, PASID_ID) + 6, 2, 0);
    assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_WQ, 0), ACCEL_CMD_WQ_PASID);
    accel_rig_close(&rig);
}

/* All ones are written; what remains is what may be written in that state. */
static void configuration_is_fixed_while_it_is_used(void **state)
{
    const uint64_t thresh = UINT64_C(0xffff) << 32;
    struct accel_rig rig;
    uint64_t q0, q1;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    q0 = reg_read(&rig, wq_word(&rig, 0, 0));
    q1 = reg_read(&rig, wq_word(&rig, 0, 1));
    for (unsigned w = 0; w < 8; w++)
        reg_write(&rig, wq_word(&rig, 0, w), ~UINT64_C(0));
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 0)), q0 | thresh);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 1)), q1);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 4)), 0x1007f);
    assert_int_equal(command(&rig, ACCEL_CMD_DISABLE_WQ, 1), ACCEL_CMD_OK);
    for (unsigned w = 0; w < 8; w++)
        reg_write(&rig, wq_word(&rig, 0, w), ~UINT64_C(0));
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 0)), q0 | thresh);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 0, 1)),
                     UINT64_C(0x1ff3ffffff3));
    for (unsigned w = 0; w < 6; w++)
        reg_write(&rig, rig.drv.grpcfg + 64 + 8 * w, ~UINT64_C(0));
    for (unsigned w = 0; w < 6; w++)
        assert_int_equal(reg_read(&rig, rig.drv.grpcfg + 64 + 8 * w), 0);
    assert_int_equal(command(&rig, ACCEL_CMD_DISABLE_DEVICE, 0), ACCEL_CMD_OK);
    for (unsigned w = 0; w < 6; w++)
        reg_write(&rig, rig.drv.grpcfg + 64 + 8 * w, ~UINT64_C(0));
    assert_int_equal(reg_read(&rig, rig.drv.grpcfg + 64), 0xff);
    assert_int_equal(reg_read(&rig, rig.drv.grpcfg + 64 + 8), 0);
    assert_int_equal(reg_read(&rig, rig.drv.grpcfg + 64 + 32), 0xf);
    assert_int_equal(reg_read(&rig, rig.drv.grpcfg + 64 + 40), 0);
    accel_rig_close(&rig);
}

/* ---- drains -------------------------------------------------------------- */

/* Each is done when those it is about have ended, with records; others go on. */
static void drains_wait_for_those_they_name(void **state)
{
    static const struct {
        unsigned code;
        uint32_t operand;
        const char *waits; /* for queue 0, 1, 2 */
    } row[] = {
        { ACCEL_CMD_DRAIN_ALL, 0, "111" },
        { ACCEL_CMD_DRAIN_WQ, 1 << 1, "010" },
        { ACCEL_CMD_DRAIN_WQ, 1 << 0 | 1 << 2, "101" },
        { ACCEL_CMD_DRAIN_PASID, 5, "010" },
        { ACCEL_CMD_DRAIN_PASID, 6, "001" },
        { ACCEL_CMD_DRAIN_PASID, 7, "000" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_rig rig;
        unsigned rounds = 0;

        open_three(&rig);
        submit_three(&rig);
        command_start(&rig, row[i].code, row[i].operand);
        do {
            steps(&rig, 1);
        } while (command_active(&rig) && rounds++ < 100);
        assert_false(command_active(&rig));
        for (unsigned wq = 0; wq < 3; wq++)
            if (row[i].waits[wq] == '1')
                assert_true(ended(&rig, wq));
        if (strcmp(row[i].waits, "000") == 0)
            assert_int_equal(rounds, 0);
        settle(&rig);
        assert_true(ended(&rig, 0) && ended(&rig, 1) && ended(&rig, 2));
        assert_true(wq_on(&rig, 0) && wq_on(&rig, 1) && wq_on(&rig, 2));
        accel_rig_close(&rig);
    }
}

/* Somebody who goes on submitting does not keep a drain from its end. */
static void a_drain_is_not_held_up_by_what_comes_later(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x2000, 0);
    unsigned rounds = 0;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    submit(&rig, 0, &d);
    command_start(&rig, ACCEL_CMD_DRAIN_WQ, 1);
    do {
        submit(&rig, 0, &d);
        steps(&rig, 1);
    } while (command_active(&rig) && rounds++ < 50);
    assert_in_range(rounds, 1, 10);
    settle(&rig);
    accel_rig_close(&rig);
}

/* ---- aborts -------------------------------------------------------------- */

/* Nothing of it moves afterwards, and no record is written; that of others is. */
static void aborts_end_those_they_name(void **state)
{
    static const struct {
        unsigned code;
        uint32_t operand;
        const char *gone;
    } row[] = {
        { ACCEL_CMD_ABORT_ALL, 0, "111" },
        { ACCEL_CMD_ABORT_WQ, 1 << 1, "010" },
        { ACCEL_CMD_RESET_WQ, 1 << 0 | 1 << 2, "101" },
        { ACCEL_CMD_ABORT_PASID, 5, "010" },
        { ACCEL_CMD_ABORT_PASID, 0, "100" },
        { ACCEL_CMD_ABORT_PASID, 9, "000" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_rig rig;

        open_three(&rig);
        submit_three(&rig);
        steps(&rig, 2);
        command_start(&rig, row[i].code, row[i].operand);
        steps(&rig, 1);
        assert_false(command_active(&rig));
        for (unsigned wq = 0; wq < 3; wq++)
            if (row[i].gone[wq] == '1')
                memset(rig.space[wq].mem + 0x8000, 0xee, 0x6000);
        settle(&rig);
        for (unsigned wq = 0; wq < 3; wq++) {
            bool gone = row[i].gone[wq] == '1';

            assert_int_equal(ended(&rig, wq), !gone);
            assert_int_equal(begun(&rig, wq), !gone);
            assert_int_equal(rig.space[wq].mem[0xdfff], gone ? 0xee : 0);
        }
        accel_rig_close(&rig);
    }
}

static void a_reset_queue_is_off_and_empty_but_has_its_size(void **state)
{
    struct accel_rig rig;

    (void)state;
    open_three(&rig);
    assert_int_equal(command(&rig, ACCEL_CMD_RESET_WQ, 1 << 1), ACCEL_CMD_OK);
    assert_false(wq_on(&rig, 1));
    assert_int_equal(reg_read(&rig, wq_word(&rig, 1, 0)), 16);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 1, 1)), 0);
    assert_true(wq_on(&rig, 0) && wq_on(&rig, 2));
    accel_rig_close(&rig);
}

/* ---- off ----------------------------------------------------------------- */

static void
a_queue_that_goes_off_takes_no_more_and_ends_what_it_has(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 2);

    (void)state;
    open_three(&rig);
    submit_three(&rig);
    command_start(&rig, ACCEL_CMD_DISABLE_WQ, 1);
    steps(&rig, 1);
    assert_true(command_active(&rig));
    assert_int_equal(wq_state(&rig, 0), ACCEL_DRAINING);
    assert_int_equal(wq_state(&rig, 1), ACCEL_ENABLED);
    assert_int_equal(wq_state(&rig, 3), ACCEL_DISABLED);
    assert_int_equal(state_of(&rig), ACCEL_ENABLED);
    submit(&rig, 0, &d);
    submit(&rig, 1, &d);
    assert_int_equal(swerr(&rig), 0);
    settle(&rig);
    steps(&rig, 1);
    assert_false(command_active(&rig));
    assert_false(wq_on(&rig, 0));
    assert_true(ended(&rig, 0));
    assert_int_equal(record_of(&rig, 0, 2).status, ACCEL_NONE);
    assert_int_equal(record_of(&rig, 5, 2).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

static void a_device_that_goes_off_ends_what_it_has(void **state)
{
    struct accel_rig rig;

    (void)state;
    open_three(&rig);
    submit_three(&rig);
    command_start(&rig, ACCEL_CMD_DISABLE_DEVICE, 0);
    steps(&rig, 1);
    assert_int_equal(state_of(&rig), ACCEL_DRAINING);
    assert_int_equal(wq_state(&rig, 2), ACCEL_DRAINING);
    assert_int_equal(wq_state(&rig, 3), ACCEL_DISABLED);
    settle(&rig);
    steps(&rig, 1);
    assert_false(command_active(&rig));
    assert_true(ended(&rig, 0) && ended(&rig, 1) && ended(&rig, 2));
    assert_false(wq_on(&rig, 0) || wq_on(&rig, 1) || wq_on(&rig, 2));
    assert_int_equal(state_of(&rig), ACCEL_DISABLED);
    assert_int_equal(reg_read(&rig, wq_word(&rig, 2, 0)) & 0xffff, 16);
    accel_rig_close(&rig);
}

/* ---- resets -------------------------------------------------------------- */

/* GENSTS says no reset is needed, whichever it was. */
static void assert_as_new(struct accel_rig *rig)
{
    assert_int_equal(reg_read(rig, ACCEL_REG_GENSTS), 0);
    assert_int_equal(reg_read(rig, ACCEL_REG_GENCFG), 0);
    assert_int_equal(reg_read(rig, ACCEL_REG_GENCTRL), 0);
    assert_int_equal(reg_read(rig, ACCEL_REG_INTCAUSE), 0);
    assert_int_equal(reg_read(rig, rig->drv.msix_perm + 8), 0);
    assert_int_equal(reg_read(rig, 0x3000), 0);
    for (unsigned wq = 0; wq < 8; wq++) {
        assert_int_equal(reg_read(rig, wq_word(rig, wq, 0)), 0);
        assert_int_equal(reg_read(rig, wq_word(rig, wq, 1)), 0);
        assert_false(wq_on(rig, wq));
    }
    assert_int_equal(reg_read(rig, rig->drv.grpcfg), 0);
    assert_int_equal(reg_read(rig, rig->drv.grpcfg + 32), 0);
    assert_int_equal(sim_accel_busy(rig->m, rig->dev), 0);
}

static void assert_nothing_arrives(struct accel_rig *rig)
{
    for (unsigned i = 0; i < 3; i++)
        memset(rig->space[i].mem, 0xee, ACCEL_BYTES);
    steps(rig, 50);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < ACCEL_BYTES; j++)
            assert_int_equal(rig->space[i].mem[j], 0xee);
}

/* Vector 1 is due and masked, as an error and a command are. */
static void leave_traces(struct accel_rig *rig)
{
    struct accel_desc wrong = accel_desc(0x77, 0, 0);

    accel_irq_setup(&rig->drv, 1, 0xfee00000, 0x41, UIOMMU_NO_PASID);
    reg_write(rig, rig->drv.msix_perm + 8, 5 << 12);
    reg_write(rig, ACCEL_REG_GENCTRL, 1);
    accel_desc_handle(&wrong, 1);
    submit(rig, 0, &wrong);
    settle(rig);
    assert_int_equal(reg_read(rig, 0x3000), 3);
    assert_int_equal(reg_read(rig, ACCEL_REG_INTCAUSE), ACCEL_CAUSE_ERROR);
}

static void assert_error_and_vector(struct accel_rig *rig, bool kept)
{
    assert_int_equal(reg_read(rig, rig->drv.msix + 16), kept ? 0xfee00000 : 0);
    assert_int_equal(reg_read(rig, rig->drv.msix + 24),
                     kept ? 0x41 : UINT64_C(1) << 32);
    assert_int_equal(swerr(rig), kept ? ACCEL_BAD_OPCODE : 0);
}

/* Table 9-3: but for the error and the table of messages. */
static void a_reset_device_forgets_what_it_was_told(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    leave_traces(&rig);
    assert_int_equal(command(&rig, ACCEL_CMD_RESET_DEVICE, 0), ACCEL_CMD_OK);
    assert_as_new(&rig);
    assert_error_and_vector(&rig, true);
    accel_rig_close(&rig);
}

static void a_reset_device_has_nothing_under_way(void **state)
{
    struct accel_rig rig;

    (void)state;
    open_three(&rig);
    submit_three(&rig);
    steps(&rig, 2);
    assert_int_equal(command(&rig, ACCEL_CMD_RESET_DEVICE, 0), ACCEL_CMD_OK);
    assert_as_new(&rig);
    assert_nothing_arrives(&rig);
    accel_rig_close(&rig);
}

static void a_function_reset_is_one_of_the_device(void **state)
{
    struct accel_rig rig;
    unsigned pcie;

    (void)state;
    open_three(&rig);
    leave_traces(&rig);
    submit_three(&rig);
    command_start(&rig, ACCEL_CMD_DRAIN_ALL, 0);
    steps(&rig, 2);
    pcie = std_cap(rig.m, rig.dev, 0x10);
    config_write(rig.m, rig.dev, pcie + DEVCTL, 2, FLR);
    sim_advance(rig.m, UINT64_C(100000000));
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENSTS), UINT64_MAX);
    sim_firmware(rig.m, rig.dev);
    assert_as_new(&rig);
    assert_error_and_vector(&rig, false);
    assert_false(command_active(&rig));
    assert_nothing_arrives(&rig);
    accel_rig_close(&rig);
}

/* ---- configuration space ------------------------------------------------- */

/* A descriptor that ends is told of by nobody: neither can it write its record. */
static void without_bus_master_nothing_gets_out(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memset(memory_of(&rig, 0), 0x11, 64);
    submit(&rig, 0, &d);
    config_write(rig.m, rig.dev, COMMAND, 2, MEMORY);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_HARDWARE);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_NONE);
    assert_int_equal(memory_of(&rig, 0)[0x8000], 0);
    config_write(rig.m, rig.dev, COMMAND, 2, MEMORY | BUS_MASTER);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

static void without_memory_space_nobody_is_there(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_driver other;
    struct accel_cpu cpu;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    config_write(rig.m, rig.dev, COMMAND, 2, BUS_MASTER);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENSTS), UINT64_MAX);
    reg_write(&rig, ACCEL_REG_GENCTRL, 3);
    submit(&rig, 0, &d);
    assert_false(sim_enqcmds(rig.m, rig.drv.portals, &d));
    cpu = accel_rig_cpu(rig.m);
    assert_int_equal(
        accel_start(&other, &rig.m->host, rig.m->devices[rig.dev].pci, &cpu),
        UIOMMU_NODEV);
    config_write(rig.m, rig.dev, COMMAND, 2, MEMORY | BUS_MASTER);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENCTRL), 0);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    accel_rig_close(&rig);
}

/* Registers move with their BAR, to above 4 GiB even. */
static void bars_can_be_elsewhere(void **state)
{
    struct accel_rig rig;
    void *regs;

    (void)state;
    accel_rig_open(&rig, 0);
    config_write(rig.m, rig.dev, 0x14, 4, 0x12);
    assert_int_equal(reg_read(&rig, ACCEL_REG_VERSION), UINT64_MAX);
    regs = rig.m->host.mmio_map(rig.m->host.ctx, sim_bar_addr(rig.m, rig.dev),
                                4096);
    assert_true(sim_bar_addr(rig.m, rig.dev) >> 32 == 0x12);
    assert_int_equal(rig.m->host.mmio_read64(rig.m->host.ctx, regs, 0), 0x200);
    rig.m->host.mmio_unmap(rig.m->host.ctx, regs, 4096);
    config_write(rig.m, rig.dev, 0x14, 4, 0);
    assert_int_equal(reg_read(&rig, ACCEL_REG_VERSION), 0x200);
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_commands_say_so),
        cmocka_unit_test(a_device_that_is_off_takes_few_commands),
        cmocka_unit_test(one_command_at_a_time),
        cmocka_unit_test(wrong_groups_are_found),
        cmocka_unit_test(sizes_fit_into_the_device),
        cmocka_unit_test(a_device_without_bus_master_stays_off),
        cmocka_unit_test(wrong_queues_are_found),
        cmocka_unit_test(pasids_have_to_be_on_for_a_queue_that_has_one),
        cmocka_unit_test(configuration_is_fixed_while_it_is_used),
        cmocka_unit_test(drains_wait_for_those_they_name),
        cmocka_unit_test(a_drain_is_not_held_up_by_what_comes_later),
        cmocka_unit_test(aborts_end_those_they_name),
        cmocka_unit_test(a_reset_queue_is_off_and_empty_but_has_its_size),
        cmocka_unit_test(
            a_queue_that_goes_off_takes_no_more_and_ends_what_it_has),
        cmocka_unit_test(a_device_that_goes_off_ends_what_it_has),
        cmocka_unit_test(a_reset_device_forgets_what_it_was_told),
        cmocka_unit_test(a_reset_device_has_nothing_under_way),
        cmocka_unit_test(a_function_reset_is_one_of_the_device),
        cmocka_unit_test(without_bus_master_nothing_gets_out),
        cmocka_unit_test(without_memory_space_nobody_is_there),
        cmocka_unit_test(bars_can_be_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
