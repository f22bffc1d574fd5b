/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: requests with a PASID. Who may send them, which ports let them through,
 * and what a device TLB keeps of them (PCIe 6.x, 6.20 and 10).
 */
#include "hosts/sim/private.h" /* first: POSIX, and not just C */

#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

enum { ENGINE_DEVFN = 3 << 3, PASID_CTRL = 6, ENABLE = 1, EXEC = 2, PRIV = 4 };
enum { XLATED = 8, ATS_ENABLE = 0x8000 };

#define IOVA   UINT64_C(0x12345678000)
#define BEYOND (IOVA + UINT64_C(0x1000))

struct rig {
    struct machine *m;
    struct raw raw;
    unsigned dev;
    uint64_t plain, five, six; /* where requests without, with 5, with 6 go */
};

/* A table of its own for each, with IOVA in all of them. */
static uint64_t add_table(struct rig *rig, uint32_t pasid)
{
    uint64_t phys = sim_ram_alloc(rig->m, 8192);

    raw_table(&rig->raw);
    raw_map(&rig->raw, IOVA, phys, RAW_READ | RAW_WRITE);
    raw_map(&rig->raw, BEYOND, phys + 4096, RAW_READ | RAW_WRITE);
    raw_pasid(&rig->raw, pasid);
    return phys;
}

static void rig_open(struct rig *rig, unsigned caps)
{
    struct sim_config config = { .mode = SIM_SCALABLE,
                                 .ats = (caps & SIM_ATS) != 0,
                                 .engine_caps = caps };

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    rig->dev = dev_of(rig->m, "engine0");
    rig->raw.scalable = true;
    raw_start(&rig->raw, rig->m);
    raw_context(&rig->raw, 0, ENGINE_DEVFN, config.ats);
    rig->plain = add_table(rig, 0);
    rig->five = add_table(rig, 5);
    rig->six = add_table(rig, 6);
}

static void rig_close(struct rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

static void enable(struct rig *rig, unsigned id, uint32_t value)
{
    unsigned at = ext_cap(rig->m, rig->dev, id);

    assert_int_not_equal(at, 0);
    config_write(rig->m, rig->dev, at + PASID_CTRL, 2, value);
}

static struct sim_request request(struct rig *rig, uint32_t pasid,
                                  uint64_t iova)
{
    static uint8_t byte = 0x5a;

    return (struct sim_request){ .dev = rig->dev,
                                 .pasid = pasid,
                                 .write = true,
                                 .iova = iova,
                                 .buf = &byte,
                                 .size = 1 };
}

/* Where a write ends, 0: nowhere. */
static uint64_t goes_to(struct rig *rig, uint32_t pasid, uint64_t iova)
{
    struct sim_request r = request(rig, pasid, iova);

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE ? r.addr : 0;
}

static enum sim_stop stops_at(struct rig *rig, struct sim_request r)
{
    enum machine_dma done = sim_dma(rig->m, &r);

    assert_int_equal(done == MACHINE_DMA_DONE, r.stop == SIM_NOT_STOPPED);
    return r.stop;
}

/* ---- who may ------------------------------------------------------------- */

static void each_pasid_sees_its_own_table(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, SIM_PASID);
    enable(&rig, PASID_ID, ENABLE);
    assert_int_equal(goes_to(&rig, 0, IOVA), rig.plain);
    assert_int_equal(goes_to(&rig, 5, IOVA), rig.five);
    assert_int_equal(goes_to(&rig, 6, IOVA), rig.six);
    assert_int_equal(stops_at(&rig, request(&rig, 7, IOVA)), SIM_BY_UNIT);
    assert_true(raw_fault(&rig.raw));
    rig_close(&rig);
}

static void a_device_sends_what_is_enabled(void **state)
{
    struct rig rig;
    struct sim_request exec, priv;

    (void)state;
    rig_open(&rig, SIM_PASID_BITS(3));
    exec = priv = request(&rig, 5, IOVA);
    exec.exec = true;
    priv.priv = true;
    assert_int_equal(stops_at(&rig, request(&rig, 5, IOVA)), SIM_BY_DEVICE);
    enable(&rig, PASID_ID, ENABLE);
    assert_int_equal(stops_at(&rig, request(&rig, 5, IOVA)), SIM_NOT_STOPPED);
    assert_int_equal(stops_at(&rig, request(&rig, 8, IOVA)), SIM_BY_DEVICE);
    assert_int_equal(stops_at(&rig, exec), SIM_BY_DEVICE);
    assert_int_equal(stops_at(&rig, priv), SIM_BY_DEVICE);
    enable(&rig, PASID_ID, ENABLE | EXEC);
    assert_int_equal(stops_at(&rig, priv), SIM_BY_DEVICE);
    enable(&rig, PASID_ID, ENABLE | PRIV);
    assert_int_equal(stops_at(&rig, exec), SIM_BY_DEVICE);
    assert_false(raw_fault(&rig.raw));
    assert_int_equal(stops_at(&rig, priv), SIM_BY_UNIT); /* SRE is 0 */
    rig_close(&rig);
}

static void features_that_are_not_there_stay_off(void **state)
{
    static const struct {
        unsigned caps;
        uint32_t cap, all;
    } row[] = {
        { SIM_PASID, 20 << 8 | 6, 7 },
        { SIM_PASID_PLAIN, 20 << 8, 1 },
        { SIM_PASID_BITS(5) | SIM_PASID_XLATED, 5 << 8 | 14, 15 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct sim_config config = { .engine_caps = row[i].caps };
        struct machine *m = open_sim(&config);
        unsigned dev = dev_of(m, "engine0");
        unsigned at = ext_cap(m, dev, PASID_ID);

        assert_int_equal(config_read(m, dev, at + 4, 2), row[i].cap);
        config_write(m, dev, at + PASID_CTRL, 2, row[i].all);
        assert_int_equal(sim_violations(m), 0);
        assert_int_equal(config_read(m, dev, at + PASID_CTRL, 2), row[i].all);
        config_write(m, dev, at + PASID_CTRL, 2, 0xfff1);
        assert_int_equal(config_read(m, dev, at + PASID_CTRL, 2), 1);
        if (row[i].all != 15) {
            config_write(m, dev, at + PASID_CTRL, 2, 15);
            expect_violation(m, "that the function lacks");
            assert_int_equal(config_read(m, dev, at + PASID_CTRL, 2),
                             row[i].all);
        }
        close_sim(m);
    }
}

/* ---- ports --------------------------------------------------------------- */

/* A PASID behind a switch, one port of which may lack prefixes. */
static void prefixes_pass_where_every_port_takes_them(void **state)
{
    static const char *const port[] = { NULL, "root", "up", "down" };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct sim_function row[] = {
            { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, 0 },
            { "up", SIM_UPSTREAM, 0, 0, 0 },
            { "down", SIM_DOWNSTREAM, 1, 0, 0 },
            { "engine", SIM_ENGINE, 2, 0, SIM_PASID },
        };
        struct sim_config config = { .mode = SIM_SCALABLE,
                                     .functions = row,
                                     .n_functions = 4 };
        struct rig rig = { .raw.scalable = true };

        if (i > 0)
            row[i - 1].caps = SIM_NO_PREFIX;
        rig.m = open_sim(&config);
        rig.dev = dev_of(rig.m, "engine");
        raw_start(&rig.raw, rig.m);
        raw_context(&rig.raw, 3, 0, false);
        rig.plain = add_table(&rig, 0);
        rig.five = add_table(&rig, 5);
        enable(&rig, PASID_ID, ENABLE);
        assert_int_equal(stops_at(&rig, request(&rig, 5, IOVA)),
                         port[i] ? SIM_BY_PREFIX : SIM_NOT_STOPPED);
        assert_int_equal(goes_to(&rig, 0, IOVA), rig.plain);
        assert_false(raw_fault(&rig.raw));
        if (port[i])
            assert_int_equal(prefix_bits(rig.m, dev_of(rig.m, port[i])), 0);
        assert_int_equal(prefix_bits(rig.m, rig.dev), 3);
        rig_close(&rig);
    }
}

/* ---- device TLBs --------------------------------------------------------- */

static void ats_open(struct rig *rig, unsigned pasid_control)
{
    rig_open(rig, SIM_PASID | SIM_PASID_XLATED | SIM_ATS);
    enable(rig, PASID_ID, pasid_control);
    enable(rig, ATS_ID, ATS_ENABLE);
}

static void fill(struct rig *rig)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(goes_to(rig, 0, IOVA + 4096 * i),
                         rig->plain + 4096 * i);
        assert_int_equal(goes_to(rig, 5, IOVA + 4096 * i),
                         rig->five + 4096 * i);
        assert_int_equal(goes_to(rig, 6, IOVA + 4096 * i), rig->six + 4096 * i);
    }
    assert_int_equal(sim_devtlb_entries(rig->m, rig->dev), 6);
}

/* All leaves are gone; those of a bit in `kept` the device still has: without a PASID,
 * with 5, with 6; IOVA, then BEYOND. */
static void assert_kept(struct rig *rig, const char *kept)
{
    static const uint32_t pasid[] = { 0, 5, 6 };

    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(goes_to(rig, pasid[i / 2], IOVA + 4096 * (i % 2)) != 0,
                         kept[i] == '1');
}

static void unmap_all(struct rig *rig)
{
    for (uint32_t pasid = 0; pasid <= 6; pasid += pasid ? 1 : 5) {
        raw_table(&rig->raw);
        raw_pasid(&rig->raw, pasid);
    }
}

static void invalidations_reach_what_their_pasid_says(void **state)
{
    static const struct {
        uint32_t pasid;
        const char *kept;
    } row[] = {
        { 5, "110111" },
        { 6, "111101" },
        { 9, "111111" },
        { 0, "010000" }, /* with a PASID, at all addresses */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rig rig;

        ats_open(&rig, ENABLE);
        fill(&rig);
        unmap_all(&rig);
        assert_kept(&rig, "111111");
        assert_true(raw_invalidate_devtlb_page(&rig.raw, 0, ENGINE_DEVFN,
                                               row[i].pasid, IOVA));
        assert_kept(&rig, row[i].kept);
        sim_forget(rig.m);
        rig_close(&rig);
    }
}

/* VT-d refuses those that have one (SCT.10); to the others it does what requests
 * without PASID may do. */
static void translated_requests_have_a_pasid_if_enabled(void **state)
{
    struct rig rig;

    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        ats_open(&rig, ENABLE | (on ? XLATED : 0));
        assert_int_equal(stops_at(&rig, request(&rig, 5, IOVA)),
                         on ? SIM_BY_UNIT : SIM_NOT_STOPPED);
        assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 1);
        assert_int_equal(raw_fault(&rig.raw), on);
        rig_close(&rig);
    }
}

/* What is said to a request for reading and writing is not enough to execute. */
static void the_right_to_execute_is_asked_for(void **state)
{
    struct rig rig;
    struct sim_request r;

    (void)state;
    ats_open(&rig, ENABLE | EXEC);
    assert_int_equal(goes_to(&rig, 5, IOVA), rig.five);
    r = request(&rig, 5, IOVA);
    r.write = false;
    r.exec = true;
    assert_int_equal(stops_at(&rig, r), SIM_BY_UNIT);
    rig_close(&rig);
}

/* A unit that calls everything global, which VT-d never does. */
static int translate_global(void *model, const struct uie_req *req,
                            struct uie_xlat *out)
{
    int result = uiommu_embed(UIE_ABI)->translate(model, req, out);

    if (req->flags & UIE_REQ_ATS && req->pasid != UIE_NO_PASID)
        out->flags |= UIE_XLAT_GLOBAL;
    return result;
}

static void be_told_to_invalidate(struct rig *rig, uint32_t pasid)
{
    const struct uie_inval inval = { .size = sizeof(inval),
                                     .what = UIE_INV_DEVTLB,
                                     .rid = ENGINE_DEVFN,
                                     .pasid = pasid,
                                     .iova = IOVA,
                                     .len = 4096 };

    sim_notify(sim_of(rig->m), &inval);
    assert_true(machine_run(rig->m));
}

static void global_entries_hold_for_every_pasid(void **state)
{
    struct uie_ops ops = *uiommu_embed(UIE_ABI);
    struct rig rig;

    (void)state;
    ops.translate = translate_global;
    ats_open(&rig, ENABLE);
    sim_of(rig.m)->ops = &ops;
    assert_int_equal(goes_to(&rig, 5, IOVA), rig.five);
    assert_int_equal(goes_to(&rig, 6, IOVA), rig.five);
    assert_int_equal(goes_to(&rig, 0, IOVA), rig.plain);
    be_told_to_invalidate(&rig, 5);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 2);
    be_told_to_invalidate(&rig, UIE_ANY_PASID);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 0);
    sim_of(rig.m)->ops = uiommu_embed(UIE_ABI);
    rig_close(&rig);
}

/* The unit lets the one, not the other: SRE is 0. */
static void privileged_requests_have_entries_of_their_own(void **state)
{
    struct rig rig;
    struct sim_request r;

    (void)state;
    ats_open(&rig, ENABLE | PRIV);
    assert_int_equal(goes_to(&rig, 5, IOVA), rig.five);
    r = request(&rig, 5, IOVA);
    r.priv = true;
    assert_int_equal(stops_at(&rig, r), SIM_BY_UNIT);
    assert_int_equal(goes_to(&rig, 5, IOVA), rig.five);
    rig_close(&rig);
}

static void stopping_pasids_empties_the_device_tlb(void **state)
{
    struct rig rig;

    (void)state;
    ats_open(&rig, ENABLE);
    fill(&rig);
    enable(&rig, ATS_ID, 0);
    enable(&rig, PASID_ID, 0);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 0);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pasid_sees_its_own_table),
        cmocka_unit_test(a_device_sends_what_is_enabled),
        cmocka_unit_test(features_that_are_not_there_stay_off),
        cmocka_unit_test(prefixes_pass_where_every_port_takes_them),
        cmocka_unit_test(invalidations_reach_what_their_pasid_says),
        cmocka_unit_test(translated_requests_have_a_pasid_if_enabled),
        cmocka_unit_test(the_right_to_execute_is_asked_for),
        cmocka_unit_test(global_entries_hold_for_every_pasid),
        cmocka_unit_test(privileged_requests_have_entries_of_their_own),
        cmocka_unit_test(stopping_pasids_empties_the_device_tlb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
