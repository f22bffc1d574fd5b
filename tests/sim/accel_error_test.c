/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator: what it says of descriptors that are wrong, of memory that
 * is not there, and of submissions that it does not take.
 */
#include "tests/sim/accel_rig.h"

enum { LIST = 0xc000 };

static struct accel_desc op(unsigned opcode)
{
    struct accel_desc d = accel_desc(opcode, 0, record_at(0));

    desc_put(&d, 2, at(0));
    if (opcode != ACCEL_OP_CRCGEN)
        desc_put(&d, 3, at(0x2000));
    desc_put(&d, 4, 64);
    return d;
}

static struct accel_desc bare(unsigned opcode)
{
    return accel_desc(opcode, 0, record_at(0));
}

/* ---- descriptors --------------------------------------------------------- */

static void unknown_operations_are_refused(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct accel_desc d = bare(opcode);
        bool known = opcode <= ACCEL_OP_COMPVAL || opcode == ACCEL_OP_CRCGEN;

        assert_int_equal(execute(&rig, &d).status == ACCEL_BAD_OPCODE, !known);
    }
    accel_rig_close(&rig);
}

/* WQCFG says which a queue takes. */
static void a_queue_takes_the_operations_of_its_bits(void **state)
{
    const struct accel_queue queue = { .size = 16 };
    struct accel_rig rig;
    struct accel_desc fill = op(ACCEL_OP_FILL), copy = op(ACCEL_OP_MEMMOVE);

    (void)state;
    accel_rig_open(&rig, 0);
    assert_int_equal(accel_queue_setup(&rig.drv, 0, &queue), UIOMMU_OK);
    reg_write(&rig, rig.drv.wqcfg + 32, 1 << ACCEL_OP_MEMMOVE);
    assert_int_equal(accel_enable(&rig.drv), UIOMMU_OK);
    assert_int_equal(accel_queue_on(&rig.drv, 0), UIOMMU_OK);
    assert_int_equal(execute(&rig, &copy).status, ACCEL_SUCCESS);
    assert_int_equal(execute(&rig, &fill).status, ACCEL_BAD_OPCODE);
    accel_rig_close(&rig);
}

/* Each of the 24, alone beside those that ask for a record. */
static void flags_that_mean_nothing_are_refused(void **state)
{
    static const struct {
        unsigned opcode;
        uint32_t good;
    } row[] = {
        { ACCEL_OP_NOOP, 0x00101c },    { ACCEL_OP_BATCH, 0x00121c },
        { ACCEL_OP_DRAIN, 0x00101c },   { ACCEL_OP_MEMMOVE, 0x00361c },
        { ACCEL_OP_FILL, 0x00341c },    { ACCEL_OP_COMPARE, 0x00169c },
        { ACCEL_OP_COMPVAL, 0x00129c }, { ACCEL_OP_CRCGEN, 0x07121c },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        for (unsigned bit = 0; bit < 24; bit++) {
            struct accel_desc d = op(row[i].opcode);
            struct accel_record r;

            desc_flag(&d, 1u << bit, 0);
            r = execute(&rig, &d);
            if (row[i].good >> bit & 1) {
                assert_int_not_equal(r.status, ACCEL_BAD_FLAGS);
            } else {
                assert_int_equal(r.status, ACCEL_BAD_FLAGS);
                assert_int_equal(r.special, 1u << bit);
            }
        }
    }
    accel_rig_close(&rig);
}

/* Flags that are about something that another flag says is not there. */
static void flags_have_their_conditions(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_CRCGEN);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    desc_put(&d, 6, at(0)); /* of a seed in memory, its traffic class */
    desc_flag(&d, ACCEL_FLAG_CRC_SEED | ACCEL_FLAG_TC_3, 0);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    desc_flag(&d, 0, ACCEL_FLAG_CRC_SEED);
    assert_int_equal(execute(&rig, &d).special, ACCEL_FLAG_TC_3);
    d = accel_desc(ACCEL_OP_NOOP, ACCEL_FLAG_TC_CR, 0);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_int_equal(accel_swerr_q1_info(e.q1), ACCEL_FLAG_TC_CR);
    d = accel_desc(ACCEL_OP_DRAIN, 0, 0); /* of which nobody would hear */
    submit(&rig, 0, &d);
    settle(&rig);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_BAD_FLAGS);
    assert_int_equal(accel_swerr_q1_info(e.q1),
                     ACCEL_FLAG_RCR | ACCEL_FLAG_RCI);
    accel_desc_handle(&d, 1);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), 0);
    accel_rig_close(&rig);
}

/* 8.3.12 */
static void seeds_are_in_one_place_only_and_aligned(void **state)
{
    static const struct {
        uint32_t flags, seed;
        uint64_t at;
        unsigned status;
    } row[] = {
        { 0, 7, 0, ACCEL_SUCCESS },
        { 0, 0, 0x2000, ACCEL_NOT_ZERO },
        { ACCEL_FLAG_CRC_SEED, 0, 0x2004, ACCEL_SUCCESS },
        { ACCEL_FLAG_CRC_SEED, 7, 0x2004, ACCEL_NOT_ZERO },
        { ACCEL_FLAG_CRC_SEED, 0, 0x2002, ACCEL_BAD_ALIGN },
        { ACCEL_FLAG_CRC_SEED, 0, 0x2ffd, ACCEL_BAD_ALIGN },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d = op(ACCEL_OP_CRCGEN);

        desc_flag(&d, row[i].flags, 0);
        desc_put(&d, 5, row[i].seed);
        desc_put(&d, 6, row[i].at > 0 ? at(row[i].at) : 0);
        assert_int_equal(execute(&rig, &d).status, row[i].status);
    }
    accel_rig_close(&rig);
}

/* Results are for a record; a record has an address. What has none is SWERR's. */
static void a_result_needs_its_record(void **state)
{
    static const unsigned opcode[] = { ACCEL_OP_COMPARE, ACCEL_OP_COMPVAL,
                                       ACCEL_OP_CRCGEN };
    struct accel_rig rig;
    struct accel_desc d;
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < 3; i++) {
        d = op(opcode[i]);
        desc_flag(&d, 0, ACCEL_FLAG_RCR);
        assert_int_equal(execute(&rig, &d).status, ACCEL_BAD_FLAGS);
        desc_flag(&d, 0, ACCEL_FLAG_CRAV);
        submit(&rig, 0, &d);
        settle(&rig);
        assert_true(accel_take_error(&rig.drv, &e));
        assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_BAD_FLAGS);
        assert_int_equal(accel_swerr_q1_info(e.q1), 0x0c);
        assert_true(accel_swerr_q0_desc_valid(e.q0));
        assert_true(accel_swerr_q0_wq_idx_valid(e.q0));
        assert_int_equal(accel_swerr_q0_operation(e.q0), opcode[i]);
    }
    d = op(ACCEL_OP_FILL);
    desc_flag(&d, 0, ACCEL_FLAG_CRAV);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_BAD_FLAGS);
    accel_rig_close(&rig);
}

/* Bits of words that the operation has no use for. */
static void reserved_bits_are_zero(void **state)
{
    static const struct {
        unsigned opcode;
        uint64_t used[8];
    } row[] = {
        { ACCEL_OP_NOOP, { 0, 0, 0, 0, 0, 0, 0, 0 } },
        { ACCEL_OP_DRAIN, { 0, 0, 0, 0, 0, 0, 0, 0 } },
        { ACCEL_OP_MEMMOVE, { 0, 0, ~0ull, ~0ull, ~0u, 0, 0, 0 } },
        { ACCEL_OP_FILL, { 0, 0, ~0ull, ~0ull, ~0u, 0, 0, 0 } },
        { ACCEL_OP_COMPARE, { 0, 0, ~0ull, ~0ull, ~0u, 0xff, 0, 0 } },
        { ACCEL_OP_COMPVAL, { 0, 0, ~0ull, ~0ull, ~0u, 0xff, 0, 0 } },
        { ACCEL_OP_CRCGEN, { 0, 0, ~0ull, 0, ~0u, ~0u, 0, 0 } },
        { ACCEL_OP_BATCH, { 0, 0, ~0ull, 0, ~0u, 0, 0, 0 } },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        for (unsigned bit = 64; bit < 512; bit++) {
            struct accel_desc d = bare(row[i].opcode);
            uint64_t used = row[i].used[bit / 64];

            if (bit / 64 == 1)
                continue; /* the record's address */
            desc_put(&d, bit / 64, desc_word(&d, bit / 64) | UIM_BIT(bit % 64));
            assert_int_equal(execute(&rig, &d).status == ACCEL_NOT_ZERO,
                             (used >> bit % 64 & 1) == 0);
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) { /* nor is there a record */
        struct accel_desc d = accel_desc(ACCEL_OP_NOOP, 0, 0);

        desc_put(&d, 1, UIM_BIT(bit));
        submit(&rig, 0, &d);
        settle(&rig);
        assert_int_equal(swerr(&rig), ACCEL_NOT_ZERO);
    }
    for (unsigned bit = 20; bit < 31; bit++) {
        struct accel_desc d = bare(ACCEL_OP_NOOP);

        desc_put(&d, 0, desc_word(&d, 0) | UIM_BIT(bit));
        assert_int_equal(execute(&rig, &d).status, ACCEL_NOT_ZERO);
    }
    accel_rig_close(&rig);
}

static void sizes_are_within_the_queue_s_limits(void **state)
{
    static const struct {
        uint32_t size;
        bool good;
    } row[] = {
        { 0, false },    { 1, true },           { 8192, true },
        { 8193, false }, { UINT32_MAX, false },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    one_queue(&rig, (struct accel_queue){ .size = 4, .max_xfer_shift = 13 });
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d = op(ACCEL_OP_FILL);

        accel_desc_fill(&d, at(0), 0, row[i].size);
        assert_int_equal(execute(&rig, &d).status,
                         row[i].good ? ACCEL_SUCCESS : ACCEL_BAD_SIZE);
    }
    accel_rig_close(&rig);
}

static void batches_have_their_limits(void **state)
{
    struct accel_rig rig;
    struct accel_desc d;

    (void)state;
    accel_rig_open(&rig, 0);
    one_queue(&rig, (struct accel_queue){ .size = 4, .max_batch_shift = 2 });
    for (uint32_t n = 0; n < 7; n++) {
        d = bare(ACCEL_OP_BATCH);
        accel_desc_batch(&d, at(LIST), n); /* of noops */
        assert_int_equal(execute(&rig, &d).status,
                         n >= 2 && n <= 4 ? ACCEL_SUCCESS : ACCEL_BAD_COUNT);
    }
    accel_desc_batch(&d, at(LIST + 32), 2);
    assert_int_equal(execute(&rig, &d).status, ACCEL_LIST_ALIGN);
    accel_rig_close(&rig);
}

/* In a batch there is neither another nor a drain. */
static void some_operations_are_not_for_batches(void **state)
{
    static const unsigned opcode[] = { ACCEL_OP_BATCH, ACCEL_OP_DRAIN };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < 2; i++) {
        struct accel_desc d = accel_desc(opcode[i], 0, record_at(1));
        struct accel_desc batch = bare(ACCEL_OP_BATCH);

        if (opcode[i] == ACCEL_OP_BATCH)
            accel_desc_batch(&d, at(LIST), 2); /* itself */
        memcpy(memory_of(&rig, 0) + LIST, &d, sizeof(d));
        memset(memory_of(&rig, 0) + LIST + 64, 0, 64);
        accel_desc_batch(&batch, at(LIST), 2);
        assert_int_equal(execute(&rig, &batch).status, ACCEL_BATCH_FAIL);
        assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_BAD_OPCODE);
    }
    accel_rig_close(&rig);
}

static void records_lie_at_multiples_of_their_size(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_FILL);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    desc_put(&d, 1, record_at(0) + 16);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_RECORD_ALIGN);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_NONE);
    d = accel_desc(0x77, 0, record_at(0) + 8); /* whatever else is wrong */
    accel_desc_handle(&d, 1);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_RECORD_ALIGN);
    assert_int_equal(reg_read(&rig, 0x3000), 0); /* it is discarded */
    accel_rig_close(&rig);
}

static void success_has_no_record_unless_asked(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_FILL);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    desc_flag(&d, 0, ACCEL_FLAG_RCR);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_NONE);
    accel_desc_fill(&d, ACCEL_BEYOND, 0, 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_PAGE_FAULT);
    assert_int_equal(swerr(&rig), 0);
    accel_rig_close(&rig);
}

/* A batch in which something failed: who wants to know asks for a record. */
static void a_failed_batch_has_no_record_unless_asked(void **state)
{
    struct accel_rig rig;
    struct accel_desc wrong = accel_desc(0x55, 0, record_at(1));
    struct accel_desc d = bare(ACCEL_OP_BATCH);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memcpy(memory_of(&rig, 0) + LIST, &wrong, sizeof(wrong));
    accel_desc_batch(&d, at(LIST), 2);
    for (unsigned i = 0; i < 2; i++) {
        desc_flag(&d, 0, i == 0 ? ACCEL_FLAG_RCR : ACCEL_FLAG_CRAV);
        desc_put(&d, 1, i == 0 ? record_at(0) : 0);
        clear_records(&rig);
        submit(&rig, 0, &d);
        settle(&rig);
        assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_BAD_OPCODE);
        assert_int_equal(record_of(&rig, 0, 0).status, ACCEL_NONE);
        assert_int_equal(swerr(&rig), 0);
    }
    accel_rig_close(&rig);
}

/* ---- memory -------------------------------------------------------------- */

static void faults_say_where_and_how_far(void **state)
{
    const uint64_t last = ACCEL_BEYOND - 100;
    struct {
        struct accel_desc d;
        uint64_t fault;
        uint32_t bytes;
        bool write;
        uint8_t result;
    } row[] = {
        { copy_desc(at(0), last, 200, 0), ACCEL_BEYOND, 100, false, 0 },
        { copy_desc(last, at(0), 200, 0), ACCEL_BEYOND, 100, true, 0 },
        { copy_desc(ACCEL_BEYOND, at(0), 200, 0), ACCEL_BEYOND, 0, true, 0 },
        { op(ACCEL_OP_FILL), ACCEL_BEYOND, 100, true, 0 },
        { op(ACCEL_OP_COMPARE), ACCEL_BEYOND, 100, false, 0 },
        { op(ACCEL_OP_COMPVAL), ACCEL_BEYOND, 100, false, 0 },
        { op(ACCEL_OP_CRCGEN), ACCEL_BEYOND, 100, false, 0 },
        /* from its end */
        { copy_desc(at(0) - 96, at(0) - 100, 200, 0), at(0) - 4, 100, false,
          1 },
    };
    struct accel_rig rig;

    (void)state;
    accel_desc_fill(&row[3].d, last, 0, 200);
    accel_desc_compare(&row[4].d, last, last, 200);
    accel_desc_compare_value(&row[5].d, last, 0, 200);
    accel_desc_crc(&row[6].d, last, 0, 200);
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_record r;

        memset(rig.space[0].mem, 0, ACCEL_BYTES);
        r = execute(&rig, &row[i].d);
        assert_int_equal(r.status, ACCEL_PAGE_FAULT);
        assert_int_equal(r.fault_write, row[i].write);
        assert_int_equal(r.bytes, row[i].bytes);
        assert_int_equal(r.result, row[i].result);
        assert_int_equal(r.fault, row[i].fault);
        assert_true(raw_fault(&rig.raw));
    }
    accel_rig_close(&rig);
}

/* A queue that does not block has no descriptors that do. */
static void blocking_is_the_queue_s_to_allow(void **state)
{
    struct accel_desc d = copy_desc(at(0x2000), at(0), 64, 0);
    struct accel_rig rig;
    struct accel_record r;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    desc_flag(&d, ACCEL_FLAG_BOF, 0);
    r = execute(&rig, &d);
    assert_int_equal(r.status, ACCEL_BAD_FLAGS);
    assert_int_equal(r.special, ACCEL_FLAG_BOF);
    accel_rig_close(&rig);
}

static void a_record_that_cannot_be_written_is_an_error(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_FILL);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    desc_put(&d, 1, ACCEL_BEYOND + 64);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_RECORD_FAULT);
    assert_true(accel_swerr_q0_fault_rw(e.q0));
    assert_int_equal(e.fault, ACCEL_BEYOND + 64);
    assert_true(raw_fault(&rig.raw));
    accel_rig_close(&rig);
}

static void a_list_that_is_not_there_ends_the_batch(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = bare(ACCEL_OP_BATCH);
    struct accel_record r;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memset(memory_of(&rig, 0) + ACCEL_BYTES - 128, 0, 128);
    accel_desc_batch(&d, ACCEL_BEYOND - 128, 4); /* two noops, and no more */
    r = execute(&rig, &d);
    assert_int_equal(r.status, ACCEL_BATCH_FAULT);
    assert_int_equal(r.bytes, 2);
    assert_int_equal(r.fault, ACCEL_BEYOND);
    (void)raw_fault(&rig.raw);
    accel_rig_close(&rig);
}

/* The IOMMU lets it through to where nobody is. */
static void memory_that_nobody_has_is_a_hardware_error(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0), ACCEL_BEYOND, 64, 0);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    rig.raw.pml4 = rig.space[0].pml4;
    raw_map(&rig.raw, ACCEL_BEYOND, UINT64_C(0xb0000000), RAW_READ | RAW_WRITE);
    assert_int_equal(execute(&rig, &d).status, ACCEL_HARDWARE);
    accel_desc_copy(&d, ACCEL_BEYOND, at(0), 64);
    assert_int_equal(execute(&rig, &d).status, ACCEL_HARDWARE_WRITE);
    desc_put(&d, 1, ACCEL_BEYOND);
    accel_desc_copy(&d, at(0x1000), at(0), 64);
    submit(&rig, 0, &d);
    settle(&rig);
    assert_int_equal(swerr(&rig), ACCEL_HARDWARE_WRITE);
    accel_rig_close(&rig);
}

static void an_error_in_a_batch_says_which(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = accel_desc(0x55, 0, 0), batch = bare(ACCEL_OP_BATCH);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memcpy(memory_of(&rig, 0) + LIST + 128, &d, sizeof(d));
    accel_desc_batch(&batch, at(LIST), 3);
    assert_int_equal(execute(&rig, &batch).status, ACCEL_BATCH_FAIL);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_true(accel_swerr_q0_batch(e.q0));
    assert_int_equal(accel_swerr_q1_batch_idx(e.q1), 2);
    assert_int_equal(accel_swerr_q0_operation(e.q0), 0x55);
    accel_rig_close(&rig);
}

/* ---- SWERR --------------------------------------------------------------- */

static void the_first_error_is_kept(void **state)
{
    struct accel_rig rig;
    struct accel_desc first = accel_desc(0x55, 0, 0);
    struct accel_desc second = accel_desc(0x66, 0, 0);
    struct accel_swerr e;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    submit(&rig, 0, &first);
    settle(&rig);
    submit(&rig, 0, &second);
    settle(&rig);
    assert_int_equal(reg_read(&rig, ACCEL_REG_SWERR) & 3, 3);
    reg_write(&rig, ACCEL_REG_SWERR, 2);
    assert_int_equal(reg_read(&rig, ACCEL_REG_SWERR) & 3, 1);
    submit(&rig, 0, &second);
    settle(&rig);
    assert_true(accel_take_error(&rig.drv, &e));
    assert_true(accel_swerr_q0_overflow(e.q0));
    assert_int_equal(accel_swerr_q0_operation(e.q0), 0x55);
    assert_false(accel_take_error(&rig.drv, &e));
    assert_int_equal(reg_read(&rig, ACCEL_REG_INTCAUSE), 0);
    reg_write(&rig, ACCEL_REG_GENCTRL, 1);
    submit(&rig, 0, &second);
    settle(&rig);
    assert_int_equal(reg_read(&rig, ACCEL_REG_INTCAUSE), ACCEL_CAUSE_ERROR);
    reg_write(&rig, ACCEL_REG_INTCAUSE, ACCEL_CAUSE_ERROR);
    assert_int_equal(reg_read(&rig, ACCEL_REG_INTCAUSE), 0);
    accel_rig_close(&rig);
}

/* ---- submissions --------------------------------------------------------- */

/* Of too many only it is said; what is posted to where nothing may be is nothing. */
static void posted_submissions_that_are_wrong_are_dropped(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_FILL);
    uint64_t portal;

    (void)state;
    accel_rig_open(&rig, 0);
    portal = rig.drv.portals;
    submit(&rig, 0, &d); /* it is off */
    assert_int_equal(swerr(&rig), 0);
    one_queue(&rig, (struct accel_queue){ .size = 2 });
    sim_accel_pause(rig.m, rig.dev, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(swerr(&rig), 0);
        submit(&rig, 0, &d);
    }
    assert_int_equal(swerr(&rig), 0x53);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 2);
    sim_movdir64b(rig.m, portal + 32, &d); /* not 64 bytes of it */
    assert_int_equal(swerr(&rig), 0);
    assert_false(sim_enqcmds(rig.m, portal, &d)); /* it is dedicated */
    assert_int_equal(swerr(&rig), 0);
    sim_accel_pause(rig.m, rig.dev, false);
    settle(&rig);
    sim_movdir64b(rig.m, portal + 0x2000,
                  &d); /* of a table that is not there */
    sim_movdir64b(rig.m, portal + 0x3000, &d);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    assert_int_equal(swerr(&rig), 0);
    sim_movdir64b(rig.m, portal + 0x1fc0, &d); /* anywhere in its page */
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
    accel_rig_close(&rig);
}

/* Two portals to one queue: the limited one leaves some room. */
static void thresholds_hold_for_limited_portals(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = op(ACCEL_OP_FILL);
    uint64_t unlimited;

    (void)state;
    accel_rig_open(&rig, 0);
    one_queue(&rig, (struct accel_queue){
                        .size = 4, .threshold = 2, .shared = true });
    unlimited = rig.drv.portals;
    sim_accel_pause(rig.m, rig.dev, true);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(accel_submit(&rig.drv, 0, true, 5, &d), UIOMMU_OK);
    assert_int_equal(accel_submit(&rig.drv, 0, true, 5, &d), UIOMMU_AGAIN);
    for (unsigned i = 0; i < 2; i++)
        assert_true(sim_enqcmd(rig.m, unlimited, 5, &d));
    assert_false(sim_enqcmd(rig.m, unlimited, 5, &d));
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 4);
    assert_int_equal(reg_read(&rig, rig.drv.wqcfg + 24) & 0xffff, 4);
    sim_movdir64b(rig.m, unlimited, &d);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 4);
    assert_int_equal(swerr(&rig), 0);
    sim_accel_pause(rig.m, rig.dev, false);
    settle(&rig);
    assert_false(sim_enqcmd(rig.m, unlimited + 0x2000, 5, &d));
    assert_false(sim_enqcmd(rig.m, unlimited + 0x3000, 5, &d));
    assert_false(sim_enqcmd(rig.m, unlimited + 0x4000, 5, &d)); /* not on */
    assert_false(sim_enqcmd(rig.m, rig.space[0].phys, 5, &d)); /* no portal */
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_operations_are_refused),
        cmocka_unit_test(a_queue_takes_the_operations_of_its_bits),
        cmocka_unit_test(flags_that_mean_nothing_are_refused),
        cmocka_unit_test(flags_have_their_conditions),
        cmocka_unit_test(seeds_are_in_one_place_only_and_aligned),
        cmocka_unit_test(a_result_needs_its_record),
        cmocka_unit_test(reserved_bits_are_zero),
        cmocka_unit_test(sizes_are_within_the_queue_s_limits),
        cmocka_unit_test(batches_have_their_limits),
        cmocka_unit_test(some_operations_are_not_for_batches),
        cmocka_unit_test(records_lie_at_multiples_of_their_size),
        cmocka_unit_test(success_has_no_record_unless_asked),
        cmocka_unit_test(a_failed_batch_has_no_record_unless_asked),
        cmocka_unit_test(faults_say_where_and_how_far),
        cmocka_unit_test(blocking_is_the_queue_s_to_allow),
        cmocka_unit_test(a_record_that_cannot_be_written_is_an_error),
        cmocka_unit_test(a_list_that_is_not_there_ends_the_batch),
        cmocka_unit_test(memory_that_nobody_has_is_a_hardware_error),
        cmocka_unit_test(an_error_in_a_batch_says_which),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(posted_submissions_that_are_wrong_are_dropped),
        cmocka_unit_test(thresholds_hold_for_limited_portals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
