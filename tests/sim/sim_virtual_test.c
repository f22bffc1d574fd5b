/* SPDX-License-Identifier: MIT */
/* hosts/sim: virtual functions (PCIe 6.x, 9). */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

enum { SRIOV_ID = 0x10, CTRL = 8, NUM_VF = 0x10, VF_BAR = 0x24 };
enum { COMMAND = 4, MASTER = 4, VF_ENABLE = 1, VF_MEMORY = 8, FLR = 0x8000 };

#define DEVFN(device, function) ((device) << 3 | (function))

#define IOVA  UINT64_C(0x12345678000)
#define MS100 (UINT64_C(100) * 1000 * 1000)

enum { ROOT, PF, VF0, VF1, VF2, BESIDE };

struct rig {
    struct machine *m;
    struct raw raw;
    unsigned sriov;
};

static void rig_open(struct rig *rig, unsigned caps)
{
    const struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), SIM_ACS },
        { "pf", SIM_ENGINE, ROOT, 0, SIM_ATS | SIM_PASID | SIM_PRI | caps },
        { "vf0", SIM_VIRTUAL, PF, DEVFN(2, 0), SIM_ATS },
        { "vf1", SIM_VIRTUAL, PF, DEVFN(2, 3), SIM_ACS },
        { "vf2", SIM_VIRTUAL, PF, DEVFN(2, 6), SIM_PRI },
        { "beside", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(3, 0), 0 },
    };
    struct sim_config config = { .mode = SIM_SCALABLE,
                                 .ats = true,
                                 .functions = row,
                                 .n_functions = sizeof(row) / sizeof(row[0]) };

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    rig->sriov = ext_cap(rig->m, PF, SRIOV_ID);
    assert_int_not_equal(rig->sriov, 0);
    rig->raw.scalable = true;
    raw_start(&rig->raw, rig->m);
    raw_map(&rig->raw, IOVA, sim_ram_alloc(rig->m, 4096), RAW_WRITE);
    raw_pasid(&rig->raw, 0);
    raw_pasid(&rig->raw, 5);
}

static void rig_close(struct rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

static void set(struct rig *rig, unsigned offset, uint32_t value)
{
    config_write(rig->m, PF, rig->sriov + offset, 2, value);
}

static void enable(struct rig *rig, unsigned n)
{
    set(rig, NUM_VF, n);
    set(rig, CTRL, VF_ENABLE | VF_MEMORY);
    sim_advance(rig->m, MS100);
    for (unsigned i = 0; i < n; i++)
        config_write(rig->m, VF0 + i, COMMAND, 2, MASTER);
}

static bool is_there(struct rig *rig, unsigned dev)
{
    return config_read(rig->m, dev, COMMAND, 4) != UINT32_MAX;
}

static void virtual_functions_are_there_when_enabled(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, 0);
    assert_int_equal(config_read(rig.m, PF, rig.sriov + 0xc, 4), 0x30003);
    assert_int_equal(config_read(rig.m, PF, rig.sriov + 0x14, 4), 0x30010);
    assert_int_equal(config_read(rig.m, PF, 0x0e, 1), 0);
    for (unsigned n = 0; n <= 3; n++) {
        enable(&rig, n);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(is_there(&rig, VF0 + i), i < n);
            assert_int_equal(dma_write(rig.m, VF0 + i, IOVA, 4).stop,
                             i < n ? SIM_BY_UNIT : SIM_BY_DEVICE);
        }
        set(&rig, CTRL, 0);
    }
    raw_fault(&rig.raw);
    set(&rig, CTRL, VF_ENABLE);
    set(&rig, NUM_VF, 1);
    expect_violation(rig.m, "NumVFs changed while they are enabled");
    rig_close(&rig);
}

/* What they have of their own in configuration space. */
static void virtual_functions_have_little_of_their_own(void **state)
{
    struct rig rig;
    unsigned ats;

    (void)state;
    rig_open(&rig, 0);
    enable(&rig, 3);
    assert_int_equal(config_read(rig.m, VF0, 0, 4), UINT32_MAX);
    config_write(rig.m, VF0, COMMAND, 2, 0xffff);
    assert_int_equal(config_read(rig.m, VF0, COMMAND, 2), MASTER);
    config_write(rig.m, VF0, 0x10, 4, UINT32_MAX);
    assert_int_equal(config_read(rig.m, VF0, 0x10, 4), 0);
    ats = ext_cap(rig.m, VF0, ATS_ID);
    config_write(rig.m, VF0, ats + 6, 2, 0x801f);
    assert_int_equal(config_read(rig.m, VF0, ats + 6, 2), 0x8000);
    assert_int_equal(ext_cap(rig.m, VF0, PASID_ID), 0);
    assert_int_equal(ext_cap(rig.m, VF2, PRI_ID), 0);
    assert_int_not_equal(ext_cap(rig.m, VF1, ACS_ID), 0);
    rig_close(&rig);
}

static void requests_carry_the_id_of_the_virtual_function(void **state)
{
    struct rig rig;
    uint8_t byte = 1;
    struct sim_request r = { .dev = VF1,
                             .pasid = 5,
                             .write = true,
                             .iova = IOVA,
                             .buf = &byte,
                             .size = 1 };
    unsigned pasid;

    (void)state;
    rig_open(&rig, SIM_VFS_ON);
    raw_context(&rig.raw, 1, DEVFN(2, 3), true);
    assert_int_equal(dma_write(rig.m, VF1, IOVA, 4).target, SIM_AT_RAM);
    assert_int_equal(dma_write(rig.m, VF0, IOVA, 4).stop, SIM_BY_UNIT);
    assert_int_equal(dma_write(rig.m, PF, IOVA, 4).stop, SIM_BY_UNIT);
    raw_fault(&rig.raw);
    /* The PASID capability of the physical function speaks for it. */
    assert_int_equal(sim_dma(rig.m, &r), MACHINE_DMA_REFUSED);
    pasid = ext_cap(rig.m, PF, PASID_ID);
    config_write(rig.m, PF, pasid + 6, 2, 1);
    assert_int_equal(sim_dma(rig.m, &r), MACHINE_DMA_DONE);
    rig_close(&rig);
}

static void a_virtual_function_has_a_device_tlb_of_its_own(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, SIM_VFS_ON);
    raw_context(&rig.raw, 1, DEVFN(2, 0), true);
    config_write(rig.m, VF0, ext_cap(rig.m, VF0, ATS_ID) + 6, 2, 0x8000);
    assert_int_equal(dma_write(rig.m, VF0, IOVA, 4).moved, 4);
    assert_int_equal(sim_devtlb_entries(rig.m, VF0), 1);
    assert_true(raw_invalidate_devtlb(&rig.raw, 1, 0));
    assert_int_equal(sim_devtlb_entries(rig.m, VF0), 1);
    assert_true(raw_invalidate_devtlb(&rig.raw, 1, DEVFN(2, 0)));
    assert_int_equal(sim_devtlb_entries(rig.m, VF0), 0);
    assert_int_equal(dma_write(rig.m, VF0, IOVA, 4).moved, 4);
    config_write(rig.m, PF, ext_cap(rig.m, PF, PASID_ID) + 6, 2, 1);
    expect_violation(rig.m, "PASID control changed while ATS is enabled");
    set(&rig, CTRL, 0);
    assert_false(raw_invalidate_devtlb(&rig.raw, 1, DEVFN(2, 0)));
    assert_int_equal(sim_devtlb_entries(rig.m, VF0), 0);
    rig_close(&rig);
}

/* Their memory lies where the physical function says, and while it says so. */
static void memory_of_virtual_functions_is_the_physical_ones(void **state)
{
    struct rig rig;
    uint32_t base;

    (void)state;
    rig_open(&rig, SIM_VFS_ON);
    base = config_read(rig.m, PF, rig.sriov + VF_BAR, 4);
    assert_int_equal(base, sim_bar_addr(rig.m, PF) + SIM_BAR_SIZE);
    assert_int_equal(sim_bar_addr(rig.m, VF1), base + SIM_BAR_SIZE);
    assert_int_equal(dma_write(rig.m, VF0, base + SIM_BAR_SIZE, 4).target,
                     SIM_AT_PEER);
    assert_int_equal(*sim_bar(rig.m, VF1), 0x5a);
    assert_int_equal(dma_write(rig.m, PF, base, 4).target, SIM_AT_PEER);
    set(&rig, CTRL, VF_ENABLE);
    assert_int_equal(dma_write(rig.m, PF, base, 4).target, SIM_NOWHERE);
    set(&rig, CTRL, VF_ENABLE | VF_MEMORY);
    /* VF 1 can hold its own back. */
    config_write(rig.m, VF1, ext_cap(rig.m, VF1, ACS_ID) + 6, 2, SIM_ACS_RR);
    config_write(rig.m, ROOT, ext_cap(rig.m, ROOT, ACS_ID) + 6, 2, SIM_ACS_UF);
    assert_int_equal(dma_write(rig.m, VF1, base, 4).stop, SIM_BY_UNIT);
    assert_int_equal(dma_write(rig.m, VF2, base, 4).target, SIM_AT_PEER);
    assert_int_equal(dma_write(rig.m, PF, base, 4).target, SIM_AT_PEER);
    raw_fault(&rig.raw);
    rig_close(&rig);
}

static void a_reset_of_the_physical_function_takes_them_along(void **state)
{
    struct rig rig;
    unsigned devctl;

    (void)state;
    rig_open(&rig, SIM_VFS_ON);
    devctl = std_cap(rig.m, VF1, 0x10) + 8;
    config_write(rig.m, VF1, devctl, 2, FLR);
    sim_advance(rig.m, MS100);
    assert_int_equal(config_read(rig.m, VF1, COMMAND, 2), 0);
    assert_int_equal(config_read(rig.m, VF0, COMMAND, 2), MASTER);
    raw_context(&rig.raw, 1, DEVFN(2, 0), true);
    config_write(rig.m, VF0, ext_cap(rig.m, VF0, ATS_ID) + 6, 2, 0x8000);
    assert_int_equal(dma_write(rig.m, VF0, IOVA, 4).moved, 4);
    config_write(rig.m, PF, devctl, 2, FLR);
    sim_advance(rig.m, MS100);
    assert_false(is_there(&rig, VF0));
    assert_int_equal(sim_devtlb_entries(rig.m, VF0), 0);
    assert_int_equal(config_read(rig.m, PF, rig.sriov + NUM_VF, 2), 0);
    enable(&rig, 1);
    assert_int_equal(config_read(rig.m, VF0, COMMAND, 2), MASTER);
    sim_unplug(rig.m, PF);
    assert_false(is_there(&rig, VF0));
    assert_true(sim_plug(rig.m, PF));
    assert_int_equal(config_read(rig.m, VF2, COMMAND, 2), MASTER);
    assert_int_equal(dma_write(rig.m, VF2, IOVA, 4).stop, SIM_BY_UNIT);
    raw_fault(&rig.raw);
    rig_close(&rig);
}

static void virtual_functions_have_a_place(void **state)
{
    static const struct {
        struct sim_function row[4];
        const char *text;
    } wrong[] = {
        { { { "v", SIM_VIRTUAL, MACHINE_NO_BRIDGE, 1, 0 } }, "an engine's" },
        { { { "p", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0, 0 },
            { "v", SIM_VIRTUAL, 0, 1, 0 } },
          "an engine's" },
        { { { "p", SIM_ENGINE, MACHINE_NO_BRIDGE, 8, 0 },
            { "v", SIM_VIRTUAL, 0, 1, 0 } },
          "a stride apart" },
        { { { "p", SIM_ENGINE, MACHINE_NO_BRIDGE, 8, 0 },
            { "v", SIM_VIRTUAL, 0, 9, 0 },
            { "v", SIM_VIRTUAL, 0, 11, 0 },
            { "v", SIM_VIRTUAL, 0, 14, 0 } },
          "a stride apart" },
        { { { "p", SIM_ENGINE, MACHINE_NO_BRIDGE, 8, 0 },
            { "q", SIM_ENGINE, MACHINE_NO_BRIDGE, 9, 0 },
            { "v", SIM_VIRTUAL, 0, 9, 0 } },
          "has that place" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct sim_config config = { .functions = wrong[i].row };
        char error[256] = "";

        while (config.n_functions < 4 && wrong[i].row[config.n_functions].name)
            config.n_functions++;
        assert_null(sim_open(&config, error, sizeof(error)));
        if (!strstr(error, wrong[i].text))
            fail_msg("\"%s\" does not say \"%s\"", error, wrong[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_functions_are_there_when_enabled),
        cmocka_unit_test(virtual_functions_have_little_of_their_own),
        cmocka_unit_test(requests_carry_the_id_of_the_virtual_function),
        cmocka_unit_test(a_virtual_function_has_a_device_tlb_of_its_own),
        cmocka_unit_test(memory_of_virtual_functions_is_the_physical_ones),
        cmocka_unit_test(a_reset_of_the_physical_function_takes_them_along),
        cmocka_unit_test(virtual_functions_have_a_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
