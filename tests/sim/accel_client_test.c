/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator with several clients: whose memory descriptors see, and what its
 * device TLB keeps of it.
 */
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
