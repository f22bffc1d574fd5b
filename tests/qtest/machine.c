/* SPDX-License-Identifier: MIT */
/* machine.c - what a machine is made of. */
#include "tests/qtest/common.h"

#include <string.h>

static void check_mode(const struct test_board *b, const char *mode,
                       const struct test_bits *has)
{
    uint64_t start = test_now_ms();
    struct machine *m = test_open_mode(b, mode);

    assert_true(test_now_ms() - start < 1000);
    assert_true(qtest_version(m) >= 100000);
    test_has_bits(m, b, has);
    test_close(m);
}

void opens_in_each_mode(const struct test_board *b)
{
    check_mode(b, NULL, &b->modes[0].has);
    for (unsigned i = 0; b->modes[i].name != NULL; i++) {
        check_mode(b, b->modes[i].name, &b->modes[i].has);
    }
}

void options_reach_the_unit(const struct test_board *b)
{
    struct qtest_config config = { .iommu = b->config.iommu,
                                   .mode = b->options_mode,
                                   .options = b->options };
    struct machine *m = test_open_config(&config);

    test_has_bits(m, b, &b->options_set[0]);
    test_has_bits(m, b, &b->options_set[1]);
    assert_int_equal(m->n_devices, 0);
    test_close(m);
}

void most_engines_there_can_be(const struct test_board *b)
{
    struct qtest_config config = { .iommu = b->config.iommu,
                                   .n_engines = QTEST_MAX_ENGINES };
    struct machine *m = test_open_config(&config);
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    assert_int_equal(m->n_devices, QTEST_MAX_ENGINES);
    for (unsigned i = 0; i < m->n_devices; i++) {
        uint8_t byte = (uint8_t)(i + 1);

        assert_int_equal(machine_dma(m, i, true, phys + i, &byte, 1),
                         MACHINE_DMA_DONE);
        assert_int_equal(virt[i], byte);
    }
    test_page_free(m, virt, phys);
    test_close(m);
}

void firmware_gives_a_valid_table(const struct test_board *b)
{
    static const char *const others[] = { "FACP", "APIC", "MCFG" };
    struct machine *m = test_open(b);
    void *ctx = m->host.ctx;
    const uint8_t *table = m->table;
    uint8_t sum = 0;
    size_t size;

    assert_memory_equal(table, b->table, 4);
    assert_true(m->table_size >= 48);
    for (size_t i = 0; i < m->table_size; i++) {
        sum = (uint8_t)(sum + table[i]);
    }
    assert_int_equal(sum, 0);
    assert_ptr_equal(m->host.map_table(ctx, b->table, 0, &size), table);
    assert_int_equal(size, m->table_size);
    assert_null(m->host.map_table(ctx, b->table, 1, &size));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_non_null(m->host.map_table(ctx, others[i], 0, &size));
    }
    assert_null(m->host.map_table(ctx, "NONE", 0, &size));
    test_close(m);
}

/* Tables made before bus numbers were assigned lack what is behind bridges. */
void table_was_made_after_bus_numbers(const struct test_board *b)
{
    const struct uiommu_pci nobody = { .bus = 9, .devfn = 0xf8 };
    struct machine *m = test_open(b);

    assert_false(b->table_knows(m->table, nobody, nobody));
    assert_true(
        b->table_knows(m->table, m->devices[PORT].pci, m->devices[BEHIND].pci));
    test_close(m);
}

void devices_can_be_configured(const struct test_board *b)
{
    struct machine *m = test_open(b);
    struct uiommu_pci nobody = { .bus = 9 }, elsewhere = { .segment = 1 };

    assert_int_equal(m->n_devices, 3);
    assert_int_equal(test_config_read(m, PORT, 0x0a, 2), 0x0604);
    assert_int_equal(test_config_read(m, ENGINE, 0x0a, 2), 0x0108);
    assert_int_equal(test_config_read(m, BEHIND, 0x0a, 2), 0x0108);
    assert_int_equal(test_config_read(m, BEHIND, 0x0b, 1), 0x01);
    assert_int_equal(test_config_read(m, PORT, 0x19, 1),
                     m->devices[BEHIND].pci.bus);
    assert_int_equal(m->devices[BEHIND].bridge, PORT);
    assert_int_equal(m->devices[ENGINE].bridge, MACHINE_NO_BRIDGE);
    assert_int_equal(test_config_read(m, PORT, 0x100, 2), 1); /* AER */
    assert_int_equal(m->host.pci_read(m->host.ctx, nobody, 0, 4), UINT32_MAX);
    assert_int_equal(m->host.pci_read(m->host.ctx, elsewhere, 0, 2), 0xffff);
    m->host.pci_write(m->host.ctx, m->devices[ENGINE].pci, 0x3c, 1, 0x5a);
    assert_int_equal(test_config_read(m, ENGINE, 0x3c, 1), 0x5a);
    test_close(m);
}

void registers_are_mapped_where_there_are_some(const struct test_board *b)
{
    struct machine *m = test_open(b);

    const uint64_t unit = b->raw->base, size = b->raw->size;

    assert_non_null(m->host.mmio_map(m->host.ctx, unit, 0x230));
    assert_non_null(m->host.mmio_map(m->host.ctx, unit + size - 4, 4));
    assert_null(m->host.mmio_map(m->host.ctx, unit, size + 1));
    assert_null(m->host.mmio_map(m->host.ctx, unit - 4, 8));
    assert_non_null(m->host.mmio_map(m->host.ctx, b->bars, 4096));
    assert_null(m->host.mmio_map(m->host.ctx, b->ram, 4096));
    test_close(m);
}

void pages_are_counted(const struct test_board *b)
{
    struct machine *m = test_open(b);
    void *ctx = m->host.ctx;
    uint64_t phys[4];
    uint8_t *virt[4];

    for (unsigned order = 0; order < 4; order++) {
        virt[order] = m->host.pages_alloc(ctx, order, 0, &phys[order]);
        assert_non_null(virt[order]);
        assert_int_equal(phys[order] % (4096u << order), 0);
        assert_ptr_equal(
            virt[order],
            (void *)(uintptr_t)(phys[order] + m->host.direct_offset));
        assert_ptr_equal(m->host.phys_to_virt(ctx, phys[order]), virt[order]);
        assert_true(test_all_are(virt[order], 4096u << order, 0));
        memset(virt[order], 1, 4096u << order);
    }
    assert_int_equal(qtest_live_pages(m), 15);
    for (unsigned order = 0; order < 4; order++) {
        m->host.pages_free(ctx, virt[order], phys[order], order);
        assert_false(test_all_are(virt[order], 4096, 1));
    }
    test_close(m);
}

void pages_run_out(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint64_t phys, first = 0;
    unsigned n = 0;

    while (m->host.pages_alloc(m->host.ctx, 10, 0, &phys) != NULL) {
        first = n++ == 0 ? phys : first;
    }
    assert_int_equal(n, (256 - 32) / 4);
    assert_null(m->host.pages_alloc(m->host.ctx, 0, 0, &phys));
    for (unsigned i = 0; i < n; i++) {
        phys = first + i * UINT64_C(0x400000);
        m->host.pages_free(m->host.ctx, m->host.phys_to_virt(m->host.ctx, phys),
                           phys, 10);
    }
    test_close(m);
}
