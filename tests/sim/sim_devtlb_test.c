/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: who may still use an old translation, and until when. Device TLBs
 * until they answer, DMA under way until the unit has drained it.
 */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { ENGINE_DEVFN = 3 << 3, PORT_DEVFN = 0x1c << 3 };

#define IOVA UINT64_C(0x12345678000)

/* ---- device TLBs --------------------------------------------------------- */

struct ats_rig {
    struct machine *m;
    struct raw raw;
    unsigned dev;
    uint64_t phys;
};

static void ats_open(struct ats_rig *rig)
{
    struct sim_config config = { .ats = true };
    const struct uiommu_host *h;

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    h = &rig->m->host;
    rig->dev = dev_of(rig->m, "engine0");
    rig->phys = sim_ram_alloc(rig->m, 4096);
    raw_start(&rig->raw, rig->m);
    raw_map(&rig->raw, IOVA, rig->phys, RAW_READ | RAW_WRITE);
    raw_context(&rig->raw, 0, ENGINE_DEVFN, true);
    h->pci_write(h->ctx, rig->m->devices[rig->dev].pci, 0x106, 2, 0x8000);
    assert_int_equal(dma_write(rig->m, rig->dev, IOVA, 4).moved, 4);
    assert_int_equal(sim_devtlb_entries(rig->m, rig->dev), 1);
}

static void ats_close(struct ats_rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

static size_t ats_dma(struct ats_rig *rig)
{
    return dma_write(rig->m, rig->dev, IOVA, 4).moved;
}

static void device_tlbs_keep_until_told(void **state)
{
    struct ats_rig rig;

    (void)state;
    ats_open(&rig);
    raw_map(&rig.raw, IOVA, 0, 0);
    raw_invalidate(&rig.raw);
    assert_int_equal(ats_dma(&rig), 4); /* the unit was not asked */
    assert_true(raw_invalidate_devtlb(&rig.raw, 0, ENGINE_DEVFN));
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 0);
    assert_int_equal(ats_dma(&rig), 0);
    ats_close(&rig);
}

static void ats_enable_empties_the_device_tlb(void **state)
{
    struct ats_rig rig;
    const struct uiommu_host *h;

    (void)state;
    ats_open(&rig);
    h = &rig.m->host;
    h->pci_write(h->ctx, rig.m->devices[rig.dev].pci, 0x106, 2, 0);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 1);
    h->pci_write(h->ctx, rig.m->devices[rig.dev].pci, 0x106, 2, 0x8000);
    assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), 0);
    ats_close(&rig);
}

static void devices_answer_as_they_are_told(void **state)
{
    static const struct {
        enum sim_devtlb how;
        bool completes;
        uint32_t ite;
    } row[] = {
        { SIM_DEVTLB_ANSWERS, true, 0 },
        { SIM_DEVTLB_SLOW, true, 0 },
        { SIM_DEVTLB_SILENT, false, 0 },
        { SIM_DEVTLB_FAILS, false, RAW_FSTS_ITE },
    };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct ats_rig rig;

        ats_open(&rig);
        sim_devtlb(rig.m, rig.dev, row[i].how);
        assert_int_equal(raw_invalidate_devtlb(&rig.raw, 0, ENGINE_DEVFN),
                         row[i].completes);
        assert_int_equal(raw_read32(&rig.raw, 0x34) & RAW_FSTS_ITE, row[i].ite);
        assert_int_equal(sim_devtlb_entries(rig.m, rig.dev), !row[i].completes);
        ats_close(&rig);
    }
}

static void who_is_gone_does_not_answer(void **state)
{
    struct ats_rig rig;

    (void)state;
    ats_open(&rig);
    sim_unplug(rig.m, rig.dev);
    assert_false(raw_invalidate_devtlb(&rig.raw, 0, ENGINE_DEVFN));
    assert_int_equal(raw_read32(&rig.raw, 0x34) & RAW_FSTS_ITE, RAW_FSTS_ITE);
    assert_int_equal(ats_dma(&rig), 0);
    ats_close(&rig);
}

static void invalidating_what_has_no_device_tlb_is_noticed(void **state)
{
    struct ats_rig rig;

    (void)state;
    ats_open(&rig);
    assert_false(raw_invalidate_devtlb(&rig.raw, 0, PORT_DEVFN));
    expect_violation(rig.m, "device-TLB invalidation for port");
    ats_close(&rig);
}

static void translation_blocking_stops_ats(void **state)
{
    struct sim_config config = { .ats = true };
    struct machine *m = open_sim(&config);
    const struct uiommu_host *h = &m->host;
    unsigned dev = dev_of(m, "engine2");
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, sim_ram_alloc(m, 4096), RAW_WRITE);
    raw_context(&r, 1, 0, true);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    h->pci_write(h->ctx, m->devices[dev].pci, 0x106, 2, 0x8000);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    h->pci_write(h->ctx, m->devices[dev_of(m, "port")].pci, 0x106, 2, 0x2);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 0);
    raw_stop(&r);
    close_sim(m);
}

/* ---- threads ------------------------------------------------------------- */

struct traffic {
    struct machine *m;
    unsigned dev;
    atomic_bool stop;
    atomic_uint done;
};

static void *make_traffic(void *arg)
{
    struct traffic *t = arg;
    static uint8_t buf[4096];

    while (!t->stop) {
        if (machine_dma(t->m, t->dev, true, IOVA, buf, sizeof(buf)) ==
            MACHINE_DMA_DONE)
            t->done++;
    }
    return NULL;
}

static void wait_for_traffic(struct traffic *t)
{
    unsigned before = t->done;

    while (t->done == before)
        sched_yield();
}

/* A page that was unmapped and invalidated is freed at once: with drain, no DMA
 * that was under way can hit it. */
static void invalidation_waits_for_dma_under_way(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    struct traffic t = { .m = m, .dev = dev_of(m, "engine0") };
    struct raw r = { 0 };
    pthread_t thread;

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, 0, 0);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(pthread_create(&thread, NULL, make_traffic, &t), 0);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t phys;
        void *virt = h->pages_alloc(h->ctx, 0, 0, &phys);

        raw_map(&r, IOVA, phys, RAW_WRITE);
        wait_for_traffic(&t);
        raw_map(&r, IOVA, 0, 0);
        raw_invalidate(&r);
        h->pages_free(h->ctx, virt, phys, 0);
    }
    t.stop = true;
    pthread_join(thread, NULL);
    raw_stop(&r);
    close_sim(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_tlbs_keep_until_told),
        cmocka_unit_test(ats_enable_empties_the_device_tlb),
        cmocka_unit_test(devices_answer_as_they_are_told),
        cmocka_unit_test(who_is_gone_does_not_answer),
        cmocka_unit_test(invalidating_what_has_no_device_tlb_is_noticed),
        cmocka_unit_test(translation_blocking_stops_ats),
        cmocka_unit_test(invalidation_waits_for_dma_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
