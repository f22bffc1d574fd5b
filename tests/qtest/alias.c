/* SPDX-License-Identifier: MIT */
/*
 * alias.c - two conventional devices behind a PCIe-to-PCI bridge: requests of both carry
 * the bridge's id, which is its secondary bus and nothing else (semantics B.9.1). A CPU
 * waits in this machine, see qtest.h.
 */
#include "tests/qtest/common.h"

#include <string.h>

#define IOVA UINT64_C(0x12345678000)
#define RW   (UIOMMU_READ | UIOMMU_WRITE)

/* Devices of the machine. */
enum { BRIDGE_PORT, BRIDGE, OLD0, OLD1, N_DEVICES };

static struct machine *open_bridged(const struct test_board *b,
                                    const char *mode)
{
    struct qtest_config config = { .iommu = b->config.iommu,
                                   .mode = mode,
                                   .n_edus = 2 };

    return test_open_config(&config);
}

static struct uiommu_pci made_up(const struct machine *m)
{
    return (struct uiommu_pci){ .bus = m->devices[OLD0].pci.bus };
}

/* ---- the machine ----------------------------------------------------------- */

void conventional_devices_can_be_configured(const struct test_board *b)
{
    struct machine *m = open_bridged(b, NULL);

    assert_int_equal(m->n_devices, N_DEVICES);
    assert_int_equal(test_config_read(m, BRIDGE_PORT, 0x0a, 2), 0x0604);
    assert_int_equal(test_config_read(m, BRIDGE, 0x0a, 2), 0x0604);
    assert_int_equal(m->devices[BRIDGE].bridge, BRIDGE_PORT);
    assert_int_equal(test_config_read(m, BRIDGE_PORT, 0x19, 1),
                     m->devices[BRIDGE].pci.bus);
    for (unsigned dev = OLD0; dev < N_DEVICES; dev++) {
        assert_int_equal(test_config_read(m, dev, 0, 4), 0x11e81234);
        assert_int_equal(m->devices[dev].bridge, BRIDGE);
        assert_int_equal(test_config_read(m, BRIDGE, 0x19, 1),
                         m->devices[dev].pci.bus);
        assert_true(m->devices[dev].engine);
        assert_true(m->devices[dev].pci.devfn != 0);
    }
    test_close(m);
}

void conventional_dma_is_exact_to_the_byte(const struct test_board *b)
{
    static const size_t sizes[] = { 1, 3, 4, 512, 4096, 4097, 12288 };
    struct machine *m = open_bridged(b, NULL);
    uint8_t byte = 0;
    uint64_t phys;
    uint8_t *virt = m->host.pages_alloc(m->host.ctx, 2, 0, &phys);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        test_dma_is_exact(m, OLD0, virt, phys, 0, sizes[i]);
        test_dma_is_exact(m, OLD1, virt, phys, 509, sizes[i]);
    }
    assert_int_equal(machine_dma(m, BRIDGE, true, phys, &byte, 1),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "no engine");
    assert_int_equal(machine_send_irq(m, OLD0, 0, 0), MACHINE_DMA_REFUSED);
    test_says(m->error, "no engine that sends messages");
    m->host.pages_free(m->host.ctx, virt, phys, 2);
    test_close(m);
}

/* ---- whose id ----------------------------------------------------------------- */

static void assert_fault(struct raw *raw, enum raw_reason reason)
{
    struct raw_fault fault = raw_fault(raw);

    assert_true(fault.pending);
    assert_int_equal(fault.reason, reason);
    assert_int_equal(fault.source, made_up(raw->m).bus << 8);
}

static void lands(struct machine *m, unsigned dev, uint8_t *virt)
{
    uint8_t out[64], in[64] = { 0 };

    test_fill(out, sizeof(out), dev);
    memset(virt, 0, 4096);
    assert_int_equal(machine_dma(m, dev, true, IOVA, out, sizeof(out)),
                     MACHINE_DMA_DONE);
    assert_memory_equal(virt, out, sizeof(out));
    assert_int_equal(machine_dma(m, dev, false, IOVA, in, sizeof(in)),
                     MACHINE_DMA_DONE);
    assert_memory_equal(in, out, sizeof(in));
}

/* They have a context each, under the ids that configuration space knows; that is
 * nobody's. One under the bridge's is of both. */
static void check_ids(const struct test_board *b, const struct test_raw *how)
{
    struct machine *m = open_bridged(b, how->mode);
    uint8_t out[64] = { 1 };
    struct raw raw;
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    raw_start(&raw, how->ops, m);
    for (unsigned dev = OLD0; dev < N_DEVICES; dev++) {
        raw_context(&raw, m->devices[dev].pci, true);
        raw_map_area(&raw, dev);
    }
    raw_context(&raw, m->devices[BRIDGE].pci, true);
    raw_map(&raw, IOVA, phys, RW);
    raw_invalidate(&raw);
    for (unsigned dev = OLD0; dev < N_DEVICES; dev++) {
        assert_int_equal(machine_dma(m, dev, true, IOVA, out, sizeof(out)),
                         MACHINE_DMA_REFUSED);
        test_says(m->error, "edu cannot reach its page: ");
        assert_fault(&raw, RAW_NO_CONTEXT);
    }
    assert_true(test_all_are(virt, 4096, 0));
    for (unsigned dev = BRIDGE; dev < N_DEVICES; dev++) {
        raw_context(&raw, m->devices[dev].pci, false);
    }
    raw_context(&raw, made_up(m), true);
    raw_invalidate(&raw);
    lands(m, OLD0, virt);
    lands(m, OLD1, virt);
    assert_false(raw_fault(&raw).pending);
    for (unsigned dev = OLD0; dev < N_DEVICES; dev++) {
        assert_int_equal(
            machine_dma(m, dev, true, IOVA + 4096, out, sizeof(out)),
            MACHINE_DMA_REFUSED);
        test_says(m->error, how->ops->refused);
        assert_fault(&raw, RAW_NO_WRITE);
        assert_int_equal(
            machine_dma(m, dev, false, IOVA + 4096, out, sizeof(out)),
            MACHINE_DMA_REFUSED);
        assert_fault(&raw, RAW_NO_READ);
    }
    raw_stop(&raw);
    test_page_free(m, virt, phys);
    test_close(m);
}

void dma_through_a_bridge_carries_its_id(const struct test_board *b)
{
    for (const struct test_raw *how = b->raws; how->ops != NULL; how++) {
        check_ids(b, how);
    }
}
