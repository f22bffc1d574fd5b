/* SPDX-License-Identifier: MIT */
/* vtd.c - DMA with the IOMMU on: it can be seen to work and to refuse. */
#include "tests/qtest/common.h"

#include <string.h>

#include "tests/qtest/vtd_raw.h"

/* Reasons of VT-d 7.1.3. */
enum {
    NO_CONTEXT = 0x2,
    NO_WRITE = 0x5,
    NO_READ = 0x6,
};

#define IOVA UINT64_C(0x12345678000)

static void assert_fault(struct vtd_raw *vtd, unsigned dev, unsigned reason,
                         uint64_t iova)
{
    struct vtd_raw_fault fault = vtd_raw_fault(vtd);
    struct uiommu_pci pci = vtd->m->devices[dev].pci;

    assert_true(fault.pending);
    assert_int_equal(fault.reason, reason);
    assert_int_equal(fault.source, pci.bus << 8 | pci.devfn);
    assert_int_equal(fault.iova, iova & ~UINT64_C(0xfff));
    if (reason == NO_READ || reason == NO_WRITE) {
        assert_int_equal(fault.read, reason == NO_READ);
    }
}

/* A context for the device, with its queues and IOVA mapped. */
static void confine(struct vtd_raw *vtd, unsigned dev, uint64_t phys)
{
    vtd_raw_context(vtd, vtd->m->devices[dev].pci, true);
    vtd_raw_map_area(vtd, dev);
    vtd_raw_map(vtd, IOVA, phys, UIOMMU_READ | UIOMMU_WRITE);
    vtd_raw_invalidate(vtd);
}

static void check_translation(unsigned dev)
{
    struct machine *m = test_open();
    uint8_t out[512], in[512];
    struct vtd_raw vtd;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    vtd_raw_start(&vtd, m);
    confine(&vtd, dev, phys);
    test_fill(out, sizeof(out), 1);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 256, out, 512),
                     MACHINE_DMA_DONE);
    assert_memory_equal(virt + 256, out, 512);
    assert_int_equal(machine_dma(m, dev, false, IOVA + 256, in, 512),
                     MACHINE_DMA_DONE);
    assert_memory_equal(in, out, 512);
    assert_false(vtd_raw_fault(&vtd).pending);
    vtd_raw_stop(&vtd);
    test_page_free(m, virt, phys);
    test_close(m);
}

void translated_dma_lands(void **state)
{
    (void)state;
    check_translation(ENGINE);
}

void translated_dma_lands_from_behind_a_bridge(void **state)
{
    (void)state;
    check_translation(BEHIND);
}

static void check_refusals(unsigned dev)
{
    struct machine *m = test_open();
    uint8_t buf[512];
    struct vtd_raw vtd;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    vtd_raw_start(&vtd, m);
    confine(&vtd, dev, phys);
    vtd_raw_map(&vtd, IOVA + 0x2000, phys, UIOMMU_READ);
    memset(buf, 1, sizeof(buf));
    memset(virt, 2, 4096);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 0x1000, buf, 512),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "fault 5");
    assert_fault(&vtd, dev, NO_WRITE, IOVA + 0x1000);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 0x2004, buf, 4),
                     MACHINE_DMA_REFUSED);
    assert_fault(&vtd, dev, NO_WRITE, IOVA + 0x2000);
    assert_true(test_all_are(virt, 4096, 2));
    assert_int_equal(machine_dma(m, dev, false, IOVA + 0x1000, buf, 512),
                     MACHINE_DMA_REFUSED);
    assert_fault(&vtd, dev, NO_READ, IOVA + 0x1000);
    assert_int_equal(machine_dma(m, dev, false, IOVA + 0x2000, buf, 512),
                     MACHINE_DMA_DONE);
    assert_true(test_all_are(buf, 512, 2));
    assert_false(vtd_raw_fault(&vtd).pending);
    vtd_raw_stop(&vtd);
    test_page_free(m, virt, phys);
    test_close(m);
}

void dma_to_nowhere_is_refused_and_recorded(void **state)
{
    (void)state;
    check_refusals(ENGINE);
}

void refusals_behind_a_bridge_name_the_device(void **state)
{
    (void)state;
    check_refusals(BEHIND);
}

/* The second page is not there. */
void dma_that_is_half_refused_is_refused(void **state)
{
    struct machine *m = test_open();
    uint8_t buf[512] = { 0 };
    struct vtd_raw vtd;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    (void)state;
    vtd_raw_start(&vtd, m);
    confine(&vtd, ENGINE, phys);
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA + 0xf00, buf, 512),
                     MACHINE_DMA_REFUSED);
    assert_fault(&vtd, ENGINE, NO_WRITE, IOVA + 0x1000);
    vtd_raw_stop(&vtd);
    test_page_free(m, virt, phys);
    test_close(m);
}

/* That a missing invalidation can be seen is what QEMU is for. */
void stale_translation_is_used(void **state)
{
    struct machine *m = test_open();
    uint32_t word = 1;
    struct vtd_raw vtd;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    (void)state;
    vtd_raw_start(&vtd, m);
    confine(&vtd, ENGINE, phys);
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_DONE);
    vtd_raw_map(&vtd, IOVA, 0, 0);
    word = 2;
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_DONE);
    assert_int_equal(virt[0], 2);
    vtd_raw_invalidate(&vtd);
    word = 3;
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_REFUSED);
    assert_int_equal(virt[0], 2);
    assert_fault(&vtd, ENGINE, NO_WRITE, IOVA);
    vtd_raw_stop(&vtd);
    test_page_free(m, virt, phys);
    test_close(m);
}

/* Blocked as a whole it cannot even fetch its commands; it comes back. */
void blocked_engine_recovers(void **state)
{
    struct machine *m = test_open();
    struct uiommu_range area = machine_engine_area(m, ENGINE);
    uint64_t start = test_now_ms();
    struct vtd_raw vtd;
    uint32_t word = 1;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    (void)state;
    vtd_raw_start(&vtd, m);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                         MACHINE_DMA_REFUSED);
        test_says(m->error, "queues");
        assert_true(vtd_raw_fault(&vtd).pending);
        confine(&vtd, ENGINE, phys);
        word++;
        assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                         MACHINE_DMA_DONE);
        assert_memory_equal(virt, &word, 4);
        vtd_raw_context(&vtd, m->devices[ENGINE].pci, false);
        vtd_raw_invalidate(&vtd);
    }
    assert_int_equal(machine_dma(m, ENGINE, false, IOVA, &word, 4),
                     MACHINE_DMA_REFUSED);
    assert_fault(&vtd, ENGINE, NO_CONTEXT, area.iova + 0x2000);
    assert_true(test_now_ms() - start < 3000);
    vtd_raw_stop(&vtd);
    assert_int_equal(machine_dma(m, ENGINE, true, phys, &word, 4),
                     MACHINE_DMA_DONE);
    test_page_free(m, virt, phys);
    test_close(m);
}
