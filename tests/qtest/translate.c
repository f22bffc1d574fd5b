/* SPDX-License-Identifier: MIT */
/* translate.c - DMA with the IOMMU on: it can be seen to work and to refuse. */
#include "tests/qtest/common.h"

#include <string.h>

#define IOVA UINT64_C(0x12345678000)

static void assert_fault(struct raw *raw, unsigned dev, enum raw_reason reason,
                         uint64_t iova)
{
    struct raw_fault fault = raw_fault(raw);
    struct uiommu_pci pci = raw->m->devices[dev].pci;

    assert_true(fault.pending);
    assert_int_equal(fault.reason, reason);
    assert_int_equal(fault.source, pci.bus << 8 | pci.devfn);
    if (fault.has_iova) {
        assert_int_equal(fault.iova & ~UINT64_C(0xfff),
                         iova & ~UINT64_C(0xfff));
    }
}

/* A context for the device, with its queues and IOVA mapped. */
static void confine(struct raw *raw, unsigned dev, uint64_t phys)
{
    raw_context(raw, raw->m->devices[dev].pci, true);
    raw_map_area(raw, dev);
    raw_map(raw, IOVA, phys, UIOMMU_READ | UIOMMU_WRITE);
    raw_invalidate(raw);
}

static void check_translation(const struct test_board *b,
                              const struct test_raw *how, unsigned dev)
{
    struct machine *m = test_open_mode(b, how->mode);
    uint8_t out[512], in[512];
    struct raw raw;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, how->ops, m);
    confine(&raw, dev, phys);
    test_fill(out, sizeof(out), 1);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 256, out, 512),
                     MACHINE_DMA_DONE);
    assert_memory_equal(virt + 256, out, 512);
    assert_int_equal(machine_dma(m, dev, false, IOVA + 256, in, 512),
                     MACHINE_DMA_DONE);
    assert_memory_equal(in, out, 512);
    assert_false(raw_fault(&raw).pending);
    raw_stop(&raw);
    test_page_free(m, virt, phys);
    test_close(m);
}

void translated_dma_lands(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_translation(b, how, ENGINE);
    }
}

void translated_dma_lands_from_behind_a_bridge(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_translation(b, how, BEHIND);
    }
}

static void check_refusals(const struct test_board *b,
                           const struct test_raw *how, unsigned dev)
{
    struct machine *m = test_open_mode(b, how->mode);
    uint8_t buf[512];
    struct raw raw;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, how->ops, m);
    confine(&raw, dev, phys);
    raw_map(&raw, IOVA + 0x2000, phys, UIOMMU_READ);
    memset(buf, 1, sizeof(buf));
    memset(virt, 2, 4096);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 0x1000, buf, 512),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, how->ops->refused);
    assert_fault(&raw, dev, RAW_NO_WRITE, IOVA + 0x1000);
    assert_int_equal(machine_dma(m, dev, true, IOVA + 0x2004, buf, 4),
                     MACHINE_DMA_REFUSED);
    assert_fault(&raw, dev, RAW_NO_WRITE, IOVA + 0x2000);
    assert_true(test_all_are(virt, 4096, 2));
    assert_int_equal(machine_dma(m, dev, false, IOVA + 0x1000, buf, 512),
                     MACHINE_DMA_REFUSED);
    assert_fault(&raw, dev, RAW_NO_READ, IOVA + 0x1000);
    assert_int_equal(machine_dma(m, dev, false, IOVA + 0x2000, buf, 512),
                     MACHINE_DMA_DONE);
    assert_true(test_all_are(buf, 512, 2));
    assert_false(raw_fault(&raw).pending);
    raw_stop(&raw);
    test_page_free(m, virt, phys);
    test_close(m);
}

void dma_to_nowhere_is_refused_and_recorded(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_refusals(b, how, ENGINE);
    }
}

void refusals_behind_a_bridge_name_the_device(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_refusals(b, how, BEHIND);
    }
}

/* The second page is not there. */
static void check_half(const struct test_board *b, const struct test_raw *how)
{
    struct machine *m = test_open_mode(b, how->mode);
    uint8_t buf[512] = { 0 };
    struct raw raw;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, how->ops, m);
    confine(&raw, ENGINE, phys);
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA + 0xf00, buf, 512),
                     MACHINE_DMA_REFUSED);
    assert_fault(&raw, ENGINE, RAW_NO_WRITE, IOVA + 0x1000);
    raw_stop(&raw);
    test_page_free(m, virt, phys);
    test_close(m);
}

void dma_that_is_half_refused_is_refused(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_half(b, how);
    }
}

/* That a missing invalidation can be seen is what QEMU is for. */
static void check_stale(const struct test_board *b, const struct test_raw *how)
{
    struct machine *m = test_open_mode(b, how->mode);
    uint32_t word = 1;
    struct raw raw;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, how->ops, m);
    confine(&raw, ENGINE, phys);
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_DONE);
    raw_map(&raw, IOVA, 0, 0);
    word = 2;
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_DONE);
    assert_int_equal(virt[0], 2);
    raw_invalidate(&raw);
    word = 3;
    assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                     MACHINE_DMA_REFUSED);
    assert_int_equal(virt[0], 2);
    assert_fault(&raw, ENGINE, RAW_NO_WRITE, IOVA);
    raw_stop(&raw);
    test_page_free(m, virt, phys);
    test_close(m);
}

void stale_translation_is_used(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_stale(b, how);
    }
}

/* Blocked as a whole it cannot even fetch its commands; it comes back. */
void blocked_engine_recovers(const struct test_board *b)
{
    struct machine *m = test_open(b);
    struct uiommu_range area = machine_engine_area(m, ENGINE);
    uint64_t start = test_now_ms();
    struct raw raw;
    uint32_t word = 1;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, b->raw, m);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                         MACHINE_DMA_REFUSED);
        test_says(m->error, "queues");
        assert_true(raw_fault(&raw).pending);
        confine(&raw, ENGINE, phys);
        word++;
        assert_int_equal(machine_dma(m, ENGINE, true, IOVA, &word, 4),
                         MACHINE_DMA_DONE);
        assert_memory_equal(virt, &word, 4);
        raw_context(&raw, m->devices[ENGINE].pci, false);
        raw_invalidate(&raw);
    }
    assert_int_equal(machine_dma(m, ENGINE, false, IOVA, &word, 4),
                     MACHINE_DMA_REFUSED);
    assert_fault(&raw, ENGINE, RAW_NO_CONTEXT, area.iova + 0x2000);
    assert_true(test_now_ms() - start < 3000);
    raw_stop(&raw);
    assert_int_equal(machine_dma(m, ENGINE, true, phys, &word, 4),
                     MACHINE_DMA_DONE);
    test_page_free(m, virt, phys);
    test_close(m);
}
