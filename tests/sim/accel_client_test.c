/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator with several clients: whose memory descriptors see, and what its
 * device TLB keeps of it.
 */
#include "fuzz/share.h"
#include "tests/sim/accel_rig.h"

enum { CTRL = 6, PASID_ON = 1, PASID_PRIV = 4 };

/* ---- whose memory -------------------------------------------------------- */

/* The descriptor says 6, which a dedicated queue does not read. */
static void a_dedicated_queue_has_its_own_pasid(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
    accel_desc_pasid(&d, 6);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(mark(&rig, 5), 0x11);
    assert_int_equal(mark(&rig, 6), 0);
    assert_int_equal(mark(&rig, 0), 0);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

/* ENQCMD puts the process's in, and zeros above it, whatever the descriptor says. */
static void a_shared_queue_has_its_clients_pasids(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .shared = true });
    accel_desc_pasid(&d, 6);
    desc_put(&d, 0, desc_word(&d, 0) | UIM_MASK(30, 20));
    assert_true(sim_enqcmd(rig.m, rig.drv.portals, 5, &d));
    settle(&rig);
    assert_int_equal(mark(&rig, 5), 0x11);
    assert_int_equal(mark(&rig, 6), 0);
    desc_put(&d, 0, desc_word(&d, 0) & ~UIM_MASK(30, 20));
    assert_true(sim_enqcmds(rig.m, rig.drv.portals, &d));
    settle(&rig);
    assert_int_equal(mark(&rig, 6), 0x12);
    assert_int_equal(mark(&rig, 0), 0);
    assert_false(sim_enqcmd(rig.m, rig.drv.portals, 0, &d));
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    accel_rig_close(&rig);
}

/* One whose PASID is nobody's faults alone, and cannot be told. */
static void a_client_without_tables_harms_nobody(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .shared = true });
    assert_true(sim_enqcmd(rig.m, rig.drv.portals, 7, &d));
    assert_true(sim_enqcmd(rig.m, rig.drv.portals, 5, &d));
    settle(&rig);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_RECORD_FAULT);
    assert_int_equal(accel_swerr_q0_pasid(e.q0), 7);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    assert_true(raw_fault(&rig.raw));
    accel_rig_close(&rig);
}

static void a_pasid_s_missing_page_is_in_its_record(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), ACCEL_BEYOND - 64, 128, 0);
    struct accel_record r;

    (void)state;
    accel_rig_open(&rig, 0);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 6 });
    submit(&rig, 0, &d);
    settle(&rig);
    r = record_of(&rig, 6, 0);
    assert_int_equal(r.status, ACCEL_PAGE_FAULT);
    assert_int_equal(r.fault, ACCEL_BEYOND);
    assert_int_equal(r.bytes, 64);
    assert_true(raw_fault(&rig.raw));
    accel_rig_close(&rig);
}

/* Descriptors of a batch belong to whoever the batch does. */
static void a_batch_is_one_client_s(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 1);
    struct accel_desc batch = accel_desc(ACCEL_OP_BATCH, 0, record_at(0));

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .shared = true });
    accel_desc_pasid(&d, 6);
    memcpy(memory_of(&rig, 5) + 0xc000, &d, 64);
    memcpy(memory_of(&rig, 5) + 0xc040, &d, 64);
    accel_desc_batch(&batch, at(0xc000), 2);
    assert_true(sim_enqcmd(rig.m, rig.drv.portals, 5, &batch));
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    assert_int_equal(mark(&rig, 5), 0x11);
    assert_int_equal(mark(&rig, 6), 0);
    accel_rig_close(&rig);
}

/* Users are never privileged; others if configuration space lets the function. */
static void privilege_is_the_supervisor_s(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_desc_q0 q0;

    (void)state;
    accel_rig_open(&rig, 0);
    one_queue(&rig, (struct accel_queue){ .size = 4, .shared = true });
    accel_desc_pasid(&d, 5);
    q0.raw = desc_word(&d, 0);
    desc_put(&d, 0, accel_desc_q0_set_priv(q0, 1).raw);
    assert_true(sim_enqcmd(rig.m, rig.drv.portals, 5, &d));
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    clear_records(&rig);
    assert_true(sim_enqcmds(rig.m, rig.drv.portals, &d));
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    assert_int_equal(swerr(&rig), ACCEL_BAD_PRIV); /* nor can its record be */
    config_write(rig.m, rig.dev, ext_cap(rig.m, rig.dev, PASID_ID) + CTRL, 2,
                 PASID_ON | PASID_PRIV);
    assert_true(sim_enqcmds(rig.m, rig.drv.portals, &d));
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_RECORD_FAULT); /* SRE is 0 */
    assert_true(raw_fault(&rig.raw));
    accel_rig_close(&rig);
}

/* PASIDs that go off take queues' work with them. */
static void without_pasids_nothing_gets_out(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
    config_write(rig.m, rig.dev, ext_cap(rig.m, rig.dev, PASID_ID) + CTRL, 2,
                 0);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_HARDWARE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig.space[i].mem[0x8000], 0);
    assert_false(raw_fault(&rig.raw));
    accel_rig_close(&rig);
}

<<<<<<< HEAD
/* ---- what a mediator does ------------------------------------------------ */

static void a_queue_gets_another_pasid_when_it_is_drained(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
    submit(&rig, 0, &d);
    assert_int_equal(accel_queue_pasid(&rig.drv, 0, 6), UIOMMU_OK);
    assert_int_equal(mark(&rig, 5), 0x11);
    assert_int_equal(mark(&rig, 6), 0);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(mark(&rig, 6), 0x12);
    accel_rig_close(&rig);
}

static void a_queue_that_is_cleared_has_nothing_under_way(void **state)
{
    const struct accel_queue queue = { .size = 4,
                                       .threshold = 3,
                                       .pasid = 5,
                                       .max_xfer_shift = 15,
                                       .max_batch_shift = 2 };
    struct accel_rig rig;
    struct accel_wqcfg_q1 q1;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x4000, 0);
    uint64_t q0;

    (void)state;
    accel_rig_open(&rig, 0);
    put_marks(&rig);
    one_queue(&rig, queue);
    q0 = reg_read(&rig, rig.drv.wqcfg);
    q1.raw = reg_read(&rig, rig.drv.wqcfg + 8);
    submit(&rig, 0, &d);
    submit(&rig, 0, &d);
    steps(&rig, 1);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_NONE);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_OK);
    submit(&rig, 0, &d); /* which nobody hears of */
    assert_int_equal(swerr(&rig), 0);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    /* all but whose it is is as before */
    q1 = accel_wqcfg_q1_set_pasid(q1, UIOMMU_NO_PASID);
    q1 = accel_wqcfg_q1_set_pasid_en(q1, 0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg), q0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg + 8), q1.raw);
    accel_rig_close(&rig);
}

static void the_driver_refuses_what_makes_no_sense(void **state)
{
    static const struct accel_queue wrong[] = {
        { .size = 0 },
        { .size = 129 },
        { .size = 4, .shared = true, .pasid = 5 },
    };
    struct accel_rig rig;
    struct accel_queue good = { .size = 4 };
    struct accel_cpu cpu;
    struct accel_driver other;

    (void)state;
    accel_rig_open(&rig, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(accel_queue_setup(&rig.drv, 0, &wrong[i]),
                         UIOMMU_INVAL);
    assert_int_equal(accel_queue_setup(&rig.drv, 8, &good), UIOMMU_INVAL);
    assert_int_equal(accel_queue_pasid(&rig.drv, 8, 5), UIOMMU_INVAL);
    assert_int_equal(accel_queue_clear(&rig.drv, 8), UIOMMU_INVAL);
    assert_int_equal(accel_queue_on(&rig.drv, 0), UIOMMU_IO);
    assert_int_equal(rig.drv.error, ACCEL_CMD_DEVICE_OFF);
    cpu = accel_rig_cpu(rig.m);
    assert_int_equal(
        accel_start(&other, &rig.m->host, rig.m->devices[0].pci, &cpu),
        UIOMMU_NODEV);
    sim_fail_nth(rig.m, 1);
    assert_int_equal(
        accel_start(&other, &rig.m->host, rig.m->devices[rig.dev].pci, &cpu),
        UIOMMU_NOMEM);
    accel_rig_close(&rig);
}

/* Nor is anything done for who has stopped it. */
static void a_driver_that_has_stopped_says_so(void **state)
{
    const struct accel_queue queue = { .size = 4 };
    struct accel_rig rig;
    struct accel_driver *drv = &rig.drv;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    assert_int_equal(accel_stop(drv), UIOMMU_OK);
    assert_int_equal(accel_stop(drv), UIOMMU_OK);
    assert_int_equal(accel_reset(drv), UIOMMU_NODEV);
    assert_int_equal(accel_command(drv, ACCEL_CMD_DRAIN_ALL, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_setup(drv, 0, &queue), UIOMMU_NODEV);
    assert_int_equal(accel_enable(drv), UIOMMU_NODEV);
    assert_int_equal(accel_queue_on(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_off(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_queue_pasid(drv, 0, 5), UIOMMU_NODEV);
    assert_int_equal(accel_queue_clear(drv, 0), UIOMMU_NODEV);
    assert_int_equal(accel_submit(drv, 0, false, 0, &d), UIOMMU_NODEV);
    assert_false(accel_take_error(drv, &e));
    accel_irq_setup(drv, 0, MSI, 0x40, UIOMMU_NO_PASID);
    accel_rig_close(&rig);
}

static void waiting_has_an_end(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);
    struct accel_record r = { .bytes = 77 };

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    sim_accel_pause(rig.m, rig.dev, true);
    submit(&rig, 0, &d);
    assert_int_equal(accel_wait(&rig.drv, memory_of(&rig, 0) + ACCEL_RECORDS_AT,
                                1000000, &r),
                     UIOMMU_TIMEDOUT);
    assert_int_equal(r.bytes, 77);
    rig.drv.limit_ns = 1000000;
    assert_int_equal(accel_queue_off(&rig.drv, 0), UIOMMU_TIMEDOUT);
    assert_int_equal(accel_queue_clear(&rig.drv, 0), UIOMMU_BUSY);
    sim_accel_pause(rig.m, rig.dev, false);
    accel_rig_close(&rig);
}

=======
>>>>>>> s13-b
/* ---- device TLB ---------------------------------------------------------- */

static void its_device_tlb_keeps_what_it_was_told(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, SIM_ATS);
    put_marks(&rig);
    one_queue(&rig, (struct accel_queue){ .size = 4, .pasid = 5 });
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 3);
    rig.raw.pml4 = rig.space[1].pml4;
    raw_map(&rig.raw, at(0), 0, 0);
    raw_invalidate(&rig.raw);
    clear_records(&rig);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_SUCCESS); /* stale */
    assert_true(raw_invalidate_devtlb_page(&rig.raw, 0, ACCEL_DEVFN, 5, at(0)));
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 2);
    clear_records(&rig);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(record_of(&rig, 5, 0).status, ACCEL_PAGE_FAULT);
    (void)raw_fault(&rig.raw);
    sim_forget(rig.m);
    accel_rig_close(&rig);
}

<<<<<<< HEAD
/* ---- interrupts ---------------------------------------------------------- */

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

/* ---- into itself --------------------------------------------------------- */

static void map_at(struct accel_rig *rig, uint64_t iova, uint64_t phys)
{
    rig->raw.pml4 = rig->space[0].pml4;
    raw_map(&rig->raw, iova, phys, RAW_READ | RAW_WRITE);
}

/* A copy of a descriptor to a portal is a submission like any other. */
static void a_copy_may_submit_a_descriptor(void **state)
{
    struct accel_rig rig;
    struct accel_desc inner = copy_desc(at(0x8000), at(0x1000), 64, 1);
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, rig.drv.portals);
    memcpy(memory_of(&rig, 0), &inner, sizeof(inner));
    memset(memory_of(&rig, 0) + 0x1000, 0x44, 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
    assert_int_equal(mark(&rig, 0), 0x44);
    accel_desc_copy(&d, ACCEL_BEYOND, at(0), 32);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    settle(&rig);
    assert_int_equal(swerr(&rig), 0);
    assert_int_equal(mark(&rig, 0), 0x44);
    accel_rig_close(&rig);
}

/* One that submits itself for ever does not keep the device from being reset. */
static void a_copy_that_submits_itself_can_be_stopped(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, rig.drv.portals);
    memcpy(memory_of(&rig, 0), &d, sizeof(d));
    submit(&rig, 0, &d);
    steps(&rig, 100);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
    assert_int_equal(command(&rig, ACCEL_CMD_DRAIN_ALL, 0), ACCEL_CMD_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
    assert_int_equal(command(&rig, ACCEL_CMD_DISABLE_WQ, 1), ACCEL_CMD_OK);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    accel_rig_close(&rig);
}

/* Its own registers are memory to it as any other: here a reset by itself. */
static void a_copy_may_command_the_device(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND + ACCEL_REG_CMD, at(0), 4, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, rig.dev));
    memcpy(memory_of(&rig, 0), "\0\0\x50\0", 4);
    submit(&rig, 0, &d);
    steps(&rig, 10);
    assert_int_equal(reg_read(&rig, ACCEL_REG_GENSTS), 0);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg), 0);
    accel_rig_close(&rig);
}

/* Registers have 1, 2, 4 and 8 bytes, aligned (chapter 9), of which others do not change. */
static void registers_are_read_and_written_by_bytes(void **state)
{
    static const struct {
        unsigned at, size;
        uint64_t threshold; /* what it is then; it was 0x1111 */
    } row[] = {
        { 4, 1, 0x11aa }, { 5, 1, 0xaa11 }, { 4, 2, 0xaaaa },
        { 5, 2, 0x1111 }, { 3, 2, 0x1111 }, { 4, 4, 0xaaaa },
    };
    struct accel_rig rig;
    uint64_t wq0;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    wq0 = rig.drv.wqcfg;
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, rig.dev));
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d =
            copy_desc(ACCEL_BEYOND + wq0 + row[i].at, at(0), row[i].size, 0);

        memset(memory_of(&rig, 0), 0xaa, 8);
        reg_write(&rig, wq0, UINT64_C(0x1111) << 32);
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        assert_int_equal(reg_read(&rig, wq0), row[i].threshold << 32 | 16);
        accel_desc_copy(&d, at(0), ACCEL_BEYOND + wq0 + row[i].at, row[i].size);
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        assert_int_equal(memory_of(&rig, 0)[0],
                         row[i].at % row[i].size == 0 ? 0xaa : 0xff);
        assert_int_equal(memory_of(&rig, 0)[row[i].size], 0xaa);
    }
    accel_rig_close(&rig);
}

static void a_copy_may_go_to_a_peer(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(ACCEL_BEYOND, at(0), 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    map_at(&rig, ACCEL_BEYOND, sim_bar_addr(rig.m, 0));
    memset(memory_of(&rig, 0), 0x66, 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    assert_int_equal(sim_bar(rig.m, 0)[63], 0x66);
    accel_rig_close(&rig);
}

/* ---- threads ------------------------------------------------------------- */

struct runner {
    struct machine *m;
    _Atomic bool stop;
};

static void *run(void *ctx)
{
    struct runner *r = ctx;

    while (!r->stop)
        machine_run(r->m);
    return NULL;
}

/* After the reset nothing moves, although somebody else makes the device go. */
static void a_reset_holds_against_other_threads(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x4000, 0);
    struct runner runner;
    pthread_t thread[2];
    unsigned pcie;

    (void)state;
    accel_rig_open(&rig, 0);
    pcie = std_cap(rig.m, rig.dev, 0x10);
    runner = (struct runner){ .m = rig.m };
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &runner), 0);
    for (unsigned round = 0; round <= 50 / share(); round++) {
        plain_queue(&rig);
        for (unsigned i = 0; i < 8; i++)
            submit(&rig, 0, &d);
        config_write(rig.m, rig.dev, pcie + DEVCTL, 2, FLR);
        sim_advance(rig.m, UINT64_C(100000000));
        sim_firmware(rig.m, rig.dev);
        memset(memory_of(&rig, 0) + 0x8000, (int)round, 0x4000);
        assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
        for (unsigned i = 0x8000; i < 0xc000; i++)
            assert_int_equal(memory_of(&rig, 0)[i], round);
    }
    runner.stop = true;
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    accel_rig_close(&rig);
}

=======
>>>>>>> s13-b
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dedicated_queue_has_its_own_pasid),
        cmocka_unit_test(a_shared_queue_has_its_clients_pasids),
        cmocka_unit_test(a_client_without_tables_harms_nobody),
        cmocka_unit_test(a_pasid_s_missing_page_is_in_its_record),
        cmocka_unit_test(a_batch_is_one_client_s),
        cmocka_unit_test(privilege_is_the_supervisor_s),
        cmocka_unit_test(without_pasids_nothing_gets_out),
        cmocka_unit_test(its_device_tlb_keeps_what_it_was_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
