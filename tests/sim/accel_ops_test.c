/* SPDX-License-Identifier: MIT */
/*
 * The streaming accelerator: what it says it is, and its operations against plain C,
 * through an IOMMU whose tables were written by hand.
 */
#include "tests/sim/accel_rig.h"

#include <stdlib.h>

/* ---- what it says it is -------------------------------------------------- */

static void registers_say_what_there_is(void **state)
{
    static const struct {
        uint64_t offset, value;
    } row[] = {
        { 0x00, 0x200 },
        { 0x10, 0x80000000 | 6 << 21 | 21 << 16 | 0x13 },
        { 0x20, UINT64_C(0x53) << 48 | 1 << 24 | 8 << 16 | 128 },
        { 0x30, 4 },
        { 0x38, 4 },
        { 0x40, 0x1007f },
        { 0x48, 0 },
        { 0x60, UINT64_C(7) << 32 | 5 << 16 | 4 },
        { 0xb0, 0x1ffe },
    };
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_int_equal(reg_read(&rig, row[i].offset), row[i].value);
        reg_write(&rig, row[i].offset, ~row[i].value);
        assert_int_equal(reg_read(&rig, row[i].offset), row[i].value);
    }
    accel_rig_close(&rig);
}

static void the_machine_shows_it(void **state)
{
    struct accel_rig rig;
    struct machine_device shown;

    (void)state;
    accel_rig_open(&rig, 0);
    shown = rig.m->devices[rig.dev];
    assert_string_equal(shown.name, "accel0");
    assert_true(shown.engine);
    assert_true(shown.accel);
    assert_int_equal(shown.pci.devfn, ACCEL_DEVFN);
    assert_int_equal(config_read(rig.m, rig.dev, 2, 2), 0x0b25);
    assert_false(rig.m->devices[0].accel);
    assert_int_not_equal(std_cap(rig.m, rig.dev, 0x11), 0);
    assert_null(sim_bar(rig.m, rig.dev));
    accel_rig_close(&rig);
}

/* 64 KiB and 128 KiB, with 64 bits of address each. */
static void bars_say_their_size(void **state)
{
    struct accel_rig rig;
    uint32_t low;

    (void)state;
    accel_rig_open(&rig, 0);
    for (unsigned bar = 0; bar < 2; bar++) {
        low = config_read(rig.m, rig.dev, 0x10 + 8 * bar, 4);
        config_write(rig.m, rig.dev, 0x10 + 8 * bar, 4, UINT32_MAX);
        assert_int_equal(config_read(rig.m, rig.dev, 0x10 + 8 * bar, 4),
                         bar == 0 ? 0xffff0004 : 0xfffe0004);
        config_write(rig.m, rig.dev, 0x14 + 8 * bar, 4, UINT32_MAX);
        assert_int_equal(config_read(rig.m, rig.dev, 0x14 + 8 * bar, 4),
                         UINT32_MAX);
        config_write(rig.m, rig.dev, 0x14 + 8 * bar, 4, 0);
        config_write(rig.m, rig.dev, 0x10 + 8 * bar, 4, low);
        assert_int_equal(config_read(rig.m, rig.dev, 0x10 + 8 * bar, 4), low);
    }
    accel_rig_close(&rig);
}

static uint64_t version_of(struct machine *m, unsigned dev)
{
    const struct uiommu_host *h = &m->host;
    void *regs = h->mmio_map(h->ctx, sim_bar_addr(m, dev), 4096);
    uint64_t version = h->mmio_read64(h->ctx, regs, 0);

    h->mmio_unmap(h->ctx, regs, 4096);
    return version;
}

static void several_fit_into_a_machine(void **state)
{
    struct sim_config config = { .engines = 26, .accels = SIM_MAX_ACCELS };
    struct machine *m = open_sim(&config);
    char error[256], name[] = "accel0";

    (void)state;
    for (unsigned i = 0; i < SIM_MAX_ACCELS; i++, name[5]++) {
        unsigned dev = dev_of(m, name);

        assert_int_equal(sim_bar_addr(m, dev) % 0x20000, 0);
        assert_int_equal(version_of(m, dev), 0x200);
    }
    close_sim(m);
    config.accels++;
    assert_null(sim_open(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "accelerators"));
}

static void one_may_be_behind_a_switch(void **state)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, 0 },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "down", SIM_DOWNSTREAM, 1, 0, 0 },
        { "nic", SIM_ENGINE, 2, 0, SIM_BAR },
        { "far", SIM_ENGINE, 2, 1, SIM_ACCEL | SIM_PASID },
        { "vf", SIM_VIRTUAL, 4, 2, 0 },
    };
    struct sim_config config = { .functions = row, .n_functions = 6 };
    struct machine *m = open_sim(&config);

    (void)state;
    assert_true(m->devices[dev_of(m, "far")].accel);
    assert_false(m->devices[dev_of(m, "vf")].accel);
    assert_int_equal(version_of(m, dev_of(m, "far")), 0x200);
    assert_int_equal(version_of(m, dev_of(m, "nic")), UINT64_MAX);
    config_write(m, dev_of(m, "down"), 4, 2, 4);
    assert_int_equal(version_of(m, dev_of(m, "far")), UINT64_MAX);
    close_sim(m);
}

static void only_engines_on_pcie_are_accelerators(void **state)
{
    static const enum sim_kind kind[] = { SIM_PCI_ENGINE, SIM_ROOT_PORT,
                                          SIM_VIRTUAL };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct sim_function row[] = {
            { "pf", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
            { "wrong", kind[i], kind[i] == SIM_VIRTUAL ? 0 : MACHINE_NO_BRIDGE,
              4 << 3, SIM_ACCEL },
        };
        struct sim_config config = { .functions = row, .n_functions = 2 };
        char error[256];

        assert_null(sim_open(&config, error, sizeof(error)));
        assert_non_null(strstr(error, "an accelerator is an engine"));
    }
}

/* ---- copies, fills ------------------------------------------------------- */

static void randomize(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)rand();
}

/* As memmove() does, whatever overlaps. */
static void copies_are_as_memmove_s(void **state)
{
    static const struct {
        uint32_t dst, src, size;
        bool backward;
    } row[] = {
        { 0x8000, 0x0000, 1, false },    { 0x8000, 0x0000, 4096, false },
        { 0x8123, 0x0ffd, 9000, false }, { 0x0000, 0x0001, 20000, false },
        { 0x0001, 0x0000, 20000, true }, { 0x1000, 0x0000, 0x3000, true },
        { 0x0ffe, 0x0fff, 2, false },    { 0x0fff, 0x0ffe, 2, true },
        { 0x2abc, 0x2000, 12345, true }, { 0x2000, 0x2abc, 12345, false },
        { 0x3000, 0x3000, 5000, false }, { 0x4000, 0x3000, 0x1000, false },
    };
    static uint8_t want[ACCEL_RECORDS_AT];
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct accel_desc d =
            copy_desc(at(row[i].dst), at(row[i].src), row[i].size, 0);
        struct accel_record r;

        randomize(memory_of(&rig, 0), sizeof(want));
        memcpy(want, memory_of(&rig, 0), sizeof(want));
        memmove(want + row[i].dst, want + row[i].src, row[i].size);
        r = execute(&rig, &d);
        assert_int_equal(r.status, ACCEL_SUCCESS);
        assert_int_equal(r.bytes, 0); /* nothing is left */
        assert_int_equal(r.result, row[i].backward);
        assert_memory_equal(memory_of(&rig, 0), want, sizeof(want));
    }
    accel_rig_close(&rig);
}

static void fills_repeat_their_pattern(void **state)
{
    static const uint32_t size[] = { 1, 7, 8, 9, 4096, 4097, 20001 };
    static uint8_t want[ACCEL_RECORDS_AT];
    const uint64_t pattern = UINT64_C(0x8877665544332211);
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct accel_desc d = accel_desc(ACCEL_OP_FILL, 0, record_at(0));
        const uint32_t dst = 0xffb;

        accel_desc_fill(&d, at(dst), pattern, size[i]);
        memset(memory_of(&rig, 0), 0xee, sizeof(want));
        memset(want, 0xee, sizeof(want));
        for (uint32_t j = 0; j < size[i]; j++)
            want[dst + j] = (uint8_t)(0x11 * (j % 8 + 1));
        assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
        assert_memory_equal(memory_of(&rig, 0), want, sizeof(want));
    }
    accel_rig_close(&rig);
}

/* ---- comparisons --------------------------------------------------------- */

static struct accel_record compare(struct accel_rig *rig, uint32_t one,
                                   uint32_t other, uint32_t size, int expected)
{
    struct accel_desc d = accel_desc(
        ACCEL_OP_COMPARE, expected >= 0 ? ACCEL_FLAG_CR : 0, record_at(0));

    accel_desc_compare(&d, at(one), at(other), size);
    if (expected >= 0)
        desc_put(&d, 5, (uint64_t)expected);
    return execute(rig, &d);
}

static void comparisons_find_the_first_difference(void **state)
{
    static const uint32_t where[] = { 0, 1, 4095, 4096, 8191, 9999 };
    struct accel_rig rig;
    struct accel_record r;
    uint8_t *mem;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    mem = memory_of(&rig, 0);
    randomize(mem, 10000);
    memcpy(mem + 0x8003, mem, 10000);
    r = compare(&rig, 0, 0x8003, 10000, -1);
    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_int_equal(r.result, 0);
    assert_int_equal(r.bytes, 0);
    for (unsigned i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        mem[0x8003 + where[i]] ^= 0x40;
        r = compare(&rig, 0, 0x8003, 10000, -1);
        assert_int_equal(r.status, ACCEL_SUCCESS);
        assert_int_equal(r.result, 1);
        assert_int_equal(r.bytes, where[i]);
        mem[0x8003 + where[i]] ^= 0x40;
    }
    accel_rig_close(&rig);
}

static void an_unexpected_result_has_its_status(void **state)
{
    struct accel_rig rig;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memory_of(&rig, 0)[5] = 1;
    assert_int_equal(compare(&rig, 0, 0x1000, 4, 0).status, ACCEL_SUCCESS);
    assert_int_equal(compare(&rig, 0, 0x1000, 4, 1).status, ACCEL_UNEXPECTED);
    assert_int_equal(compare(&rig, 0, 0x1000, 8, 1).status, ACCEL_SUCCESS);
    assert_int_equal(compare(&rig, 0, 0x1000, 8, 0).status, ACCEL_UNEXPECTED);
    /* bit 0 of the byte it is */
    assert_int_equal(compare(&rig, 0, 0x1000, 4, 0xfe).status, ACCEL_SUCCESS);
    assert_int_equal(compare(&rig, 0, 0x1000, 8, 0xff).status, ACCEL_SUCCESS);
    assert_int_equal(compare(&rig, 0, 0x1000, 8, 0x80).status,
                     ACCEL_UNEXPECTED);
    accel_rig_close(&rig);
}

static void patterns_are_compared_with(void **state)
{
    struct accel_rig rig;
    struct accel_record r;
    struct accel_desc d;
    uint8_t *mem;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    mem = memory_of(&rig, 0);
    for (unsigned i = 0; i < 6000; i++)
        mem[0xffd + i] = (uint8_t)(i % 8 + 1);
    d = accel_desc(ACCEL_OP_COMPVAL, 0, record_at(0));
    accel_desc_compare_value(&d, at(0xffd), UINT64_C(0x0807060504030201), 6000);
    r = execute(&rig, &d);
    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_int_equal(r.result, 0);
    mem[0xffd + 5555] ^= 1;
    r = execute(&rig, &d);
    assert_int_equal(r.result, 1);
    assert_int_equal(r.bytes, 5555);
    accel_rig_close(&rig);
}

/* ---- CRC ----------------------------------------------------------------- */

static uint32_t crc32c(uint32_t seed, const uint8_t *p, size_t n)
{
    uint32_t crc = ~seed;

    while (n-- > 0) {
        crc ^= *p++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    return ~crc;
}

static uint32_t crc_by_device(struct accel_rig *rig, uint32_t src,
                              uint32_t seed, uint32_t size)
{
    struct accel_desc d = accel_desc(ACCEL_OP_CRCGEN, 0, record_at(0));
    struct accel_record r;

    accel_desc_crc(&d, at(src), seed, size);
    r = execute(rig, &d);
    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_int_equal(r.bytes, 0);
    return r.special;
}

/* The check value is that of RFC 3720. */
static void crcs_are_those_of_castagnoli(void **state)
{
    struct accel_rig rig;
    uint8_t *mem;
    uint32_t half;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    mem = memory_of(&rig, 0);
    memcpy(mem + 0xffc, "123456789", 9);
    assert_int_equal(crc_by_device(&rig, 0xffc, 0, 9), 0xe3069283);
    half = crc_by_device(&rig, 0xffc, 0, 5);
    assert_int_equal(crc_by_device(&rig, 0xffc + 5, half, 4), 0xe3069283);
    randomize(mem, 30000);
    assert_int_equal(crc_by_device(&rig, 17, 0x12345678, 29000),
                     crc32c(0x12345678, mem + 17, 29000));
    accel_rig_close(&rig);
}

static uint32_t reflect(uint32_t value, unsigned bits)
{
    uint32_t out = 0;

    for (unsigned i = 0; i < bits; i++)
        out = out << 1 | (value >> i & 1);
    return out;
}

/* As polynomials are divided: x^31 on the left. */
static uint32_t divided(uint32_t seed, const uint8_t *p, size_t n, bool raw,
                        bool msb)
{
    uint32_t left = raw ? seed : reflect(~seed, 32);

    for (size_t i = 0; i < n; i++) {
        left ^= (msb ? p[i] : reflect(p[i], 8)) << 24;
        for (unsigned bit = 0; bit < 8; bit++)
            left = left << 1 ^ (left >> 31 ? 0x1edc6f41 : 0);
    }
    return raw ? left : ~reflect(left, 32);
}

/* Of seeds and results flag 17 is, of data flag 18 (table 8-19). */
static void crcs_have_their_bits_in_the_order_that_is_asked(void **state)
{
    enum { RAW = 1 << 17, MSB = 1 << 18 };
    struct accel_rig rig;
    struct accel_record r;
    uint8_t *mem;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    mem = memory_of(&rig, 0);
    randomize(mem, 5000);
    for (unsigned i = 0; i < 4; i++) {
        const uint32_t flags = (i & 1 ? RAW : 0) | (i & 2 ? MSB : 0);
        struct accel_desc d = accel_desc(ACCEL_OP_CRCGEN, flags, record_at(0));

        accel_desc_crc(&d, at(0), 0x12345678, 4999);
        r = execute(&rig, &d);
        assert_int_equal(r.status, ACCEL_SUCCESS);
        assert_int_equal(r.special,
                         divided(0x12345678, mem, 4999, i & 1, i & 2));
    }
    assert_int_equal(divided(0, (const uint8_t *)"123456789", 9, false, false),
                     0xe3069283);
    accel_rig_close(&rig);
}

static void a_seed_can_be_in_memory(void **state)
{
    struct accel_rig rig;
    struct accel_desc d;
    uint8_t *mem;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    mem = memory_of(&rig, 0);
    randomize(mem, 100);
    memcpy(mem + 0x1ffc, "\x78\x56\x34\x12", 4);
    d = accel_desc(ACCEL_OP_CRCGEN, ACCEL_FLAG_CRC_SEED, record_at(0));
    accel_desc_crc(&d, at(0), 0, 100);
    desc_put(&d, 6, at(0x1ffc));
    assert_int_equal(execute(&rig, &d).special, crc32c(0x12345678, mem, 100));
    accel_rig_close(&rig);
}

/* ---- all of them --------------------------------------------------------- */

struct reference {
    uint8_t mem[ACCEL_RECORDS_AT];
    uint8_t result;
    uint32_t bytes, special;
};

static uint32_t first_difference(const uint8_t *one, const uint8_t *other,
                                 uint32_t size)
{
    uint32_t n = 0;

    while (n < size && one[n] == other[n])
        n++;
    return n;
}

static void refer(struct reference *ref, unsigned opcode, uint32_t a,
                  uint32_t b, uint32_t size)
{
    ref->bytes = 0;
    ref->result = 0;
    ref->special = 0;
    if (opcode == ACCEL_OP_MEMMOVE) {
        ref->result = b > a && b - a < size;
        memmove(ref->mem + b, ref->mem + a, size);
    } else if (opcode == ACCEL_OP_FILL) {
        for (uint32_t i = 0; i < size; i++)
            ref->mem[b + i] = (uint8_t)(at(a) >> i % 8 * 8);
    } else if (opcode == ACCEL_OP_COMPARE) {
        uint32_t same = first_difference(ref->mem + a, ref->mem + b, size);

        ref->result = same < size;
        ref->bytes = ref->result ? same : 0;
    } else if (opcode == ACCEL_OP_CRCGEN) {
        ref->special = crc32c(0, ref->mem + a, size);
    }
}

/* Words 2 and 3 mean what the operation makes of them. */
static struct accel_desc describe(unsigned opcode, uint32_t a, uint32_t b,
                                  uint32_t size)
{
    struct accel_desc d = accel_desc(opcode, 0, record_at(0));

    desc_put(&d, 2, at(a));
    desc_put(&d, 3, opcode == ACCEL_OP_CRCGEN ? 0 : at(b));
    desc_put(&d, 4, size);
    return d;
}

static void random_descriptors_do_what_c_does(void **state)
{
    static const unsigned opcode[] = { ACCEL_OP_MEMMOVE, ACCEL_OP_FILL,
                                       ACCEL_OP_COMPARE, ACCEL_OP_CRCGEN };
    static struct reference ref;
    struct accel_rig rig;

    (void)state;
    srand(1);
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    randomize(ref.mem, sizeof(ref.mem));
    memcpy(memory_of(&rig, 0), ref.mem, sizeof(ref.mem));
    for (unsigned round = 0; round < 600; round++) {
        unsigned op = opcode[(unsigned)rand() % 4];
        uint32_t size = 1 + (uint32_t)rand() % 14000;
        uint32_t a = (uint32_t)rand() % (ACCEL_RECORDS_AT - size);
        uint32_t b = (uint32_t)rand() % (ACCEL_RECORDS_AT - size);
        struct accel_desc d = describe(op, a, b, size);
        struct accel_record r;

        refer(&ref, op, a, b, size);
        r = execute(&rig, &d);
        assert_int_equal(r.status, ACCEL_SUCCESS);
        assert_int_equal(r.bytes, ref.bytes);
        assert_int_equal(r.result, ref.result);
        assert_int_equal(r.special, ref.special);
        assert_memory_equal(memory_of(&rig, 0), ref.mem, sizeof(ref.mem));
    }
    accel_rig_close(&rig);
}

static void nothing_is_done_by_a_noop(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = accel_desc(ACCEL_OP_NOOP, 0, record_at(0));

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    assert_int_equal(execute(&rig, &d).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

/* ---- batches ------------------------------------------------------------- */

enum { LIST = 0xc000 };

static void put_list(struct accel_rig *rig, unsigned i,
                     const struct accel_desc *d)
{
    memcpy(memory_of(rig, 0) + LIST + 64 * i, d, sizeof(*d));
}

static struct accel_desc batch_of(uint32_t n)
{
    struct accel_desc d = accel_desc(ACCEL_OP_BATCH, 0, record_at(0));

    accel_desc_batch(&d, at(LIST), n);
    return d;
}

/* Each sees what those before it wrote. */
static void batches_do_all_in_order(void **state)
{
    struct accel_rig rig;
    struct accel_desc d, batch = batch_of(5);
    struct accel_record r;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memset(memory_of(&rig, 0), 0x77, 0x1000);
    for (unsigned i = 0; i < 5; i++) {
        d = copy_desc(at(0x1000 * (i + 1)), at(0x1000 * i), 0x1000, i + 1);
        put_list(&rig, i, &d);
    }
    r = execute(&rig, &batch);
    assert_int_equal(r.status, ACCEL_SUCCESS);
    assert_int_equal(r.bytes, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(record_of(&rig, 0, i + 1).status, ACCEL_SUCCESS);
        assert_int_equal(memory_of(&rig, 0)[0x1000 * (i + 1) + i], 0x77);
    }
    accel_rig_close(&rig);
}

/* The second fails; the third has a fence or not. */
static void a_fence_stops_a_batch_that_failed(void **state)
{
    (void)state;
    for (unsigned fence = 0; fence < 2; fence++) {
        struct accel_rig rig;
        struct accel_desc d, batch = batch_of(4);
        struct accel_record r;

        accel_rig_open(&rig, 0);
        plain_queue(&rig);
        for (unsigned i = 0; i < 4; i++) {
            d = copy_desc(i == 1 ? ACCEL_BEYOND : at(0x1000), at(0), 64, i + 1);
            if (i == 2 && fence)
                desc_flag(&d, ACCEL_FLAG_FENCE, 0);
            put_list(&rig, i, &d);
        }
        r = execute(&rig, &batch);
        assert_int_equal(r.status, ACCEL_BATCH_FAIL);
        assert_int_equal(r.bytes, fence ? 2 : 4);
        assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
        assert_int_equal(record_of(&rig, 0, 2).status, ACCEL_PAGE_FAULT);
        assert_int_equal(record_of(&rig, 0, 4).status,
                         fence ? ACCEL_NONE : ACCEL_SUCCESS);
        accel_rig_close(&rig);
    }
}

/* A fence of a good batch is none. */
static void a_fence_alone_stops_nothing(void **state)
{
    struct accel_rig rig;
    struct accel_desc d, batch = batch_of(2);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    for (unsigned i = 0; i < 2; i++) {
        d = copy_desc(at(0x1000), at(0), 64, i + 1);
        desc_flag(&d, ACCEL_FLAG_FENCE, 0);
        put_list(&rig, i, &d);
    }
    assert_int_equal(execute(&rig, &batch).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

/* ---- order --------------------------------------------------------------- */

/* Engines work beside each other; what is behind a drain waits for none of them, but
 * the drain for all before it. */
static void a_drain_ends_after_those_before_it(void **state)
{
    struct accel_rig rig;
    struct accel_desc big = copy_desc(at(0x8000), at(0), 0x6000, 1);
    struct accel_desc drain = accel_desc(ACCEL_OP_DRAIN, 0, record_at(2));
    unsigned rounds = 0;

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    submit(&rig, 0, &big);
    submit(&rig, 0, &drain);
    while (record_of(&rig, 0, 2).status == ACCEL_NONE && rounds++ < 100) {
        steps(&rig, 1);
        if (record_of(&rig, 0, 1).status == ACCEL_NONE)
            assert_int_equal(record_of(&rig, 0, 2).status, ACCEL_NONE);
    }
    assert_in_range(rounds, 6, 20);
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
    assert_int_equal(record_of(&rig, 0, 2).status, ACCEL_SUCCESS);
    accel_rig_close(&rig);
}

/* A step of the machine is at most a page of a copy. */
static void a_copy_takes_its_steps(void **state)
{
    struct accel_rig rig;
    struct accel_desc d = copy_desc(at(0x8000), at(0), 0x4000, 1);

    (void)state;
    accel_rig_open(&rig, 0);
    plain_queue(&rig);
    memset(memory_of(&rig, 0), 0x11, 0x4000);
    submit(&rig, 0, &d);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_NONE);
        assert_int_equal(memory_of(&rig, 0)[0x8000 + 0x1000 * i], 0);
        assert_int_equal(sim_accel_busy(rig.m, rig.dev), 1);
        steps(&rig, 1);
        assert_int_equal(memory_of(&rig, 0)[0x8fff + 0x1000 * i], 0x11);
    }
    assert_int_equal(record_of(&rig, 0, 1).status, ACCEL_SUCCESS);
    assert_int_equal(sim_accel_busy(rig.m, rig.dev), 0);
    accel_rig_close(&rig);
}

/* ---- the layout once more ------------------------------------------------ */

static void put32(struct accel_rig *rig, uint64_t offset, uint32_t value)
{
    rig->m->host.mmio_write32(rig->m->host.ctx, rig->drv.regs, offset, value);
    steps(rig, 1);
}

/* By its numbers alone: queue 2 of group 1, with PASID 5, which copies 0x40 bytes. */
static void everything_is_where_it_was_published(void **state)
{
    static uint8_t desc[64] = {
        [0] = 0xff,  [2] = 0x0f,  [4] = 0x0c, [7] = 0x03, /* ignored; MEMMOVE */
        [9] = 0xf0,  [11] = 0x10,                        /* the record */
        [17] = 0x10, [19] = 0x10,                        /* source */
        [25] = 0x20, [27] = 0x10,                        /* destination */
        [32] = 0x40,
    };
    struct accel_rig rig;
    uint8_t *mem;

    (void)state;
    accel_rig_open(&rig, 0);
    mem = memory_of(&rig, 5);
    memset(mem + 0x1000, 0x99, 0x40);
    put32(&rig, 0x440, 1 << 2);
    put32(&rig, 0x460, 1 << 3);
    put32(&rig, 0x580, 16);
    put32(&rig, 0x588, 1 | 1 << 4 | 5 << 8 | 1 << 28);
    put32(&rig, 0x58c, 21 | 6 << 5);
    put32(&rig, 0xa0, 1 << 20);
    assert_int_equal(reg_read(&rig, 0x90) & 3, 1);
    put32(&rig, 0xa0, 6 << 20 | 2);
    assert_int_equal(reg_read(&rig, 0xa8), 0);
    assert_int_equal(reg_read(&rig, 0x598) >> 30 & 3, 1);
    sim_movdir64b(rig.m, sim_bar_addr(rig.m, rig.dev) + 0x20000 + 0x8000, desc);
    steps(&rig, 2);
    assert_int_equal(mem[0x203f], 0x99);
    assert_memory_equal(mem + 0xf000, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    desc[26] = 1; /* beyond */
    sim_movdir64b(rig.m, sim_bar_addr(rig.m, rig.dev) + 0x20000 + 0x9fc0, desc);
    steps(&rig, 2);
    assert_memory_equal(mem + 0xf000, "\x83\0\0\0\0\0\0\0\0\x20\1\x10\0\0\0\0",
                        16);
    (void)raw_fault(&rig.raw);
    desc[7] = 0x42;
    desc[4] = 0;
    sim_movdir64b(rig.m, sim_bar_addr(rig.m, rig.dev) + 0x20000 + 0x8000, desc);
    steps(&rig, 2);
    assert_int_equal(reg_read(&rig, 0xc0), UINT64_C(5) << 40 |
                                               UINT64_C(0x42) << 32 | 2 << 16 |
                                               0x10 << 8 | 0xd);
    put32(&rig, 0xa0, 7 << 20 | 1 << 2);
    assert_int_equal(reg_read(&rig, 0x598) >> 30 & 3, 0);
    accel_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_say_what_there_is),
        cmocka_unit_test(the_machine_shows_it),
        cmocka_unit_test(bars_say_their_size),
        cmocka_unit_test(several_fit_into_a_machine),
        cmocka_unit_test(one_may_be_behind_a_switch),
        cmocka_unit_test(only_engines_on_pcie_are_accelerators),
        cmocka_unit_test(copies_are_as_memmove_s),
        cmocka_unit_test(fills_repeat_their_pattern),
        cmocka_unit_test(comparisons_find_the_first_difference),
        cmocka_unit_test(an_unexpected_result_has_its_status),
        cmocka_unit_test(patterns_are_compared_with),
        cmocka_unit_test(crcs_are_those_of_castagnoli),
        cmocka_unit_test(crcs_have_their_bits_in_the_order_that_is_asked),
        cmocka_unit_test(a_seed_can_be_in_memory),
        cmocka_unit_test(random_descriptors_do_what_c_does),
        cmocka_unit_test(nothing_is_done_by_a_noop),
        cmocka_unit_test(batches_do_all_in_order),
        cmocka_unit_test(a_fence_stops_a_batch_that_failed),
        cmocka_unit_test(a_fence_alone_stops_nothing),
        cmocka_unit_test(a_drain_ends_after_those_before_it),
        cmocka_unit_test(a_copy_takes_its_steps),
        cmocka_unit_test(everything_is_where_it_was_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
