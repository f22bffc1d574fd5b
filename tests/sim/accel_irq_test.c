/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of the streaming accelerator: by completions, commands and errors; masked, ignored,
 * and of vectors of others.
 */
#include "tests/sim/accel_rig.h"

#define MSI UINT64_C(0xfee00000)

static void completions_can_interrupt(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    accel_irq_setup(&rig.drv, 3, MSI | 1 << 12, 0x45, UIOMMU_NO_PASID);
    accel_irq_enable(&rig.drv, true);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    assert_int_equal(sim_msi_count(rig.m), 0);
    accel_desc_handle(&d, 3);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    assert_int_equal(sim_msi_count(rig.m), 1);
    assert_int_equal(sim_msi_at(rig.m, 0).addr, MSI | 1 << 12);
    assert_int_equal(sim_msi_at(rig.m, 0).data, 0x45);
    accel_desc_copy(&d, ACCEL_BEYOND, at(0), 64); /* errors, too */
    assert_int_equal(execute(&rig, &d).status, ACCEL_PAGE_FAULT);
    assert_int_equal(sim_msi_count(rig.m), 2);
    (void)raw_fault(&rig.raw);
    accel_rig_close(&rig);
}

/* By the entry, by the function, or because MSI-X is off: it is pending, and sent when
 * it may be. */
static void masked_interrupts_are_pending(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    unsigned msix;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    msix = std_cap(rig.m, rig.dev, 0x11);
    accel_irq_setup(&rig.drv, 1, MSI, 0x41, UIOMMU_NO_PASID);
    accel_desc_handle(&d, 1);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t control = i == 0 ? 0 : i == 1 ? 0xc000 : 0x8000;
        uint64_t entry = UINT64_C(0x41) | (uint64_t)(i == 2) << 32;

        config_write(rig.m, rig.dev, msix + 2, 2, control);
        reg_write(&rig, rig.drv.msix + 24, entry);
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        steps(&rig, 2);
        assert_int_equal(sim_msi_count(rig.m), i);
        assert_int_equal(reg_read(&rig, 0x3000), 1 << 1);
        reg_write(&rig, rig.drv.msix + 24, 0x41);
        config_write(rig.m, rig.dev, msix + 2, 2, 0x8000);
        steps(&rig, 1);
        assert_int_equal(sim_msi_count(rig.m), i + 1);
        assert_int_equal(reg_read(&rig, 0x3000), 0);
    }
    accel_rig_close(&rig);
}

/* A handle is a vector's number; which PASID it is for, the permission table says. */
static void handles_are_checked(void **state)
{
    static const struct {
        uint32_t pasid; /* of the table */
        unsigned vector;
        bool good;
    } row[] = {
        { 5, 2, true },  { 6, 2, false },      { 0, 2, false },
        { 5, 9, false }, { 5, 0xffff, false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_rig rig;
        struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
        struct accel_swerr e;

        accel_rig_open(&rig, 0);
        one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
        accel_irq_setup(&rig.drv, 2, MSI, 0x41, row[i].pasid);
        accel_irq_enable(&rig.drv, true);
        accel_desc_handle(&d, row[i].vector);
        sim_movdir64b(rig.m, rig.drv.portals, &d);
        settle(&rig);
        assert_int_equal(record_of(&rig, 5, 0).status,
                         row[i].good ? ACCEL_SUCCESS : ACCEL_BAD_HANDLE);
        assert_int_equal(sim_msi_count(rig.m), row[i].good);
        /* SWERR says it, too */
        assert_int_equal(accel_take_error(&rig.drv, &e), !row[i].good);
        if (!row[i].good) {
            assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_BAD_HANDLE);
            assert_true(accel_swerr_q0_info_valid(e.q0));
            assert_int_equal(accel_swerr_q1_info(e.q1), row[i].vector);
        }
        accel_rig_close(&rig);
    }
}

/* What the entry ignores is how descriptors end; whose it is, it checks all the same. */
static void an_ignored_vector_is_neither_sent_nor_pending(void **state)
{
    enum { IGNORE = 1 << 2, PASID = 1 << 3 };
    static const struct {
        uint32_t perm;
        unsigned status;
    } row[] = {
        { IGNORE | PASID | 5 << 12, ACCEL_SUCCESS },
        { IGNORE | PASID | 6 << 12, ACCEL_BAD_HANDLE },
        { IGNORE, ACCEL_BAD_HANDLE },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_rig rig;
        struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

        accel_rig_open(&rig, 0);
        one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
        accel_irq_setup(&rig.drv, 2, MSI, 0x41, 5);
        reg_write(&rig, rig.drv.msix_perm + 16, row[i].perm);
        accel_irq_enable(&rig.drv, true);
        accel_desc_handle(&d, 2);
        submit(&rig, 0, &d);
        settle(&rig);
        assert_int_equal(record_of(&rig, 5, 0).status, row[i].status);
        assert_int_equal(sim_msi_count(rig.m), 0);
        assert_int_equal(reg_read(&rig, 0x3000), 0);
        accel_rig_close(&rig);
    }
}

/* For whom GENCFG.12 is. The flag is reserved for others, whatever else is wrong. */
static void users_have_interrupts_if_they_are_let(void **state)
{
    static const struct {
        uint32_t pasid, gencfg;
        bool good;
    } row[] = {
        { 5, 0, false },
        { 5, 1 << 12, true },
        { UIOMMU_NO_PASID, 0, true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct accel_queue queue = { .size = 4, .pasid = row[i].pasid };
        struct accel_rig rig;
        struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
        struct accel_desc wrong = accel_desc(0x77, 0, record_at(1));
        struct accel_record r;

        accel_rig_open(&rig, 0);
        assert_int_equal(accel_queue_setup(&rig.drv, 0, &queue), UIOMMU_OK);
        reg_write(&rig, ACCEL_REG_GENCFG, row[i].gencfg);
        assert_int_equal(command(&rig, ACCEL_CMD_ENABLE_DEVICE, 0),
                         ACCEL_CMD_OK);
        assert_int_equal(accel_queue_on(&rig.drv, 0), UIOMMU_OK);
        accel_irq_setup(&rig.drv, 2, MSI, 0x41, row[i].pasid);
        accel_irq_enable(&rig.drv, true);
        accel_desc_handle(&d, 2);
        submit(&rig, 0, &d);
        settle(&rig);
        r = record_of(&rig, row[i].pasid, 0);
        assert_int_equal(r.status,
                         row[i].good ? ACCEL_SUCCESS : ACCEL_BAD_FLAGS);
        if (!row[i].good)
            assert_int_equal(r.special, ACCEL_FLAG_RCI);
        accel_desc_handle(&wrong, 2);
        submit(&rig, 0, &wrong);
        settle(&rig);
        assert_int_equal(sim_msi_count(rig.m), row[i].good ? 2 : 0);
        accel_rig_close(&rig);
    }
}

static void the_driver_lets_users_have_interrupts(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    reg_write(&rig, ACCEL_REG_GENCFG, UINT32_MAX);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENCFG), 1 << 12);
    reg_write(&rig, ACCEL_REG_GENCFG, 0);
    plain_queue(&rig);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENCFG), 1 << 12);
    reg_write(&rig, ACCEL_REG_GENCFG, 0); /* the device is on */
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENCFG), 1 << 12);
    accel_rig_close(&rig);
}

/* A handle that nobody looked at, as something else was wrong before it. */
static void a_wrong_handle_of_a_wrong_descriptor_is_none(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = accel_desc(0x77, 0, record_at(0));

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    accel_irq_enable(&rig.drv, true);
    accel_desc_handle(&d, 0xfffe);
    assert_int_equal(execute(&rig, &d).status, ACCEL_BAD_OPCODE);
    assert_int_equal(reg_read(&rig, 0x3000), 0);
    accel_rig_close(&rig);
}

static void commands_and_errors_interrupt_by_vector_0(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = accel_desc(0x77, 0, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    accel_irq_setup(&rig.drv, 0, MSI, 0x40, UIOMMU_NO_PASID);
    accel_irq_enable(&rig.drv, true);
    assert_int_equal(command(&rig, ACCEL_CMD_DRAIN_ALL, 0), ACCEL_CMD_OK);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(sim_msi_count(rig.m), 0);
    assert_int_equal(swerr(&rig), ACCEL_BAD_OPCODE);
    reg_write(&rig, ACCEL_REG_INTCAUSE, 0xffffffff);

    rig.m->host.mmio_write32(rig.m->host.ctx, rig.drv.regs, ACCEL_REG_CMD,
                             ACCEL_CMD_DRAIN_ALL << 20 | 1u << 31);
    steps(&rig, 1);
    assert_int_equal(sim_msi_count(rig.m), 1);
    assert_int_equal(reg_read(&rig, ACCEL_REG_INTCAUSE), ACCEL_CAUSE_COMMAND);
    reg_write(&rig, ACCEL_REG_GENCTRL, 1);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(sim_msi_count(rig.m), 2);
    assert_int_equal(reg_read(&rig, ACCEL_REG_INTCAUSE),
                     ACCEL_CAUSE_COMMAND | ACCEL_CAUSE_ERROR);
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completions_can_interrupt),
        cmocka_unit_test(masked_interrupts_are_pending),
        cmocka_unit_test(handles_are_checked),
        cmocka_unit_test(an_ignored_vector_is_neither_sent_nor_pending),
        cmocka_unit_test(users_have_interrupts_if_they_are_let),
        cmocka_unit_test(the_driver_lets_users_have_interrupts),
        cmocka_unit_test(a_wrong_handle_of_a_wrong_descriptor_is_none),
        cmocka_unit_test(commands_and_errors_interrupt_by_vector_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
