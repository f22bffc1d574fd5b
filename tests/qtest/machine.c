/* SPDX-License-Identifier: MIT */
/* machine.c - what a machine is made of. */
#include "tests/qtest/common.h"

#include <string.h>

void opens_in_each_mode(void **state)
{
    /* ECAP of qemu-intel_iommu in each mode: SMTS is bit 43, SSTS bit 46, FSTS
     * bit 47.                                                               */
    static const struct {
        enum qtest_mode mode;
        uint64_t bits;
    } rows[] = {
        { QTEST_LEGACY, 0 },
        { QTEST_SCALABLE, UINT64_C(9) << 43 },
        { QTEST_FIRST_STAGE, UINT64_C(0x11) << 43 },
    };
    const uint64_t mask = UINT64_C(0x19) << 43;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct qtest_config config = test_config;
        uint64_t start = test_now_ms();
        struct machine *m;
        void *regs;

        config.mode = rows[i].mode;
        m = test_open_config(&config);
        assert_true(test_now_ms() - start < 1000);
        assert_true(qtest_version(m) >= 100000);
        regs = m->host.mmio_map(m->host.ctx, 0xfed90000, 4096);
        assert_non_null(regs);
        assert_int_equal(m->host.mmio_read64(m->host.ctx, regs, 0x10) & mask,
                         rows[i].bits);
        test_close(m);
    }
}

void options_reach_the_unit(void **state)
{
    struct qtest_config config = { .options = "caching-mode=on,aw-bits=39" };
    struct machine *m = test_open_config(&config);
    void *regs = m->host.mmio_map(m->host.ctx, 0xfed90000, 4096);
    uint64_t cap = m->host.mmio_read64(m->host.ctx, regs, 8);

    (void)state;
    assert_int_equal(cap >> 7 & 1, 1);      /* CM   */
    assert_int_equal(cap >> 16 & 0x3f, 38); /* MGAW */
    assert_int_equal(m->n_devices, 0);
    test_close(m);
}

void most_engines_there_can_be(void **state)
{
    struct qtest_config config = { .n_engines = QTEST_MAX_ENGINES };
    struct machine *m = test_open_config(&config);
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    (void)state;
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

void firmware_gives_a_valid_dmar(void **state)
{
    struct machine *m = test_open();
    const uint8_t *table = m->table;
    const void *other;
    uint8_t sum = 0;
    size_t size;

    (void)state;
    assert_memory_equal(table, "DMAR", 4);
    assert_true(m->table_size >= 48);
    for (size_t i = 0; i < m->table_size; i++) {
        sum = (uint8_t)(sum + table[i]);
    }
    assert_int_equal(sum, 0);
    assert_ptr_equal(m->host.map_table(m->host.ctx, "DMAR", 0, &size), table);
    assert_int_equal(size, m->table_size);
    assert_null(m->host.map_table(m->host.ctx, "DMAR", 1, &size));
    other = m->host.map_table(m->host.ctx, "FACP", 0, &size);
    assert_non_null(other);
    test_close(m);
}

/* Tables made before bus numbers were assigned lack what is behind bridges. */
void dmar_was_made_after_bus_numbers(void **state)
{
    struct machine *m = test_open();
    const uint8_t *drhd = (const uint8_t *)m->table + 48;
    size_t last = drhd[2] | (size_t)drhd[3] << 8;
    bool found = false;

    (void)state;
    for (size_t i = 16; i + 6 <= last && drhd[i + 1] != 0; i += drhd[i + 1]) {
        /* Scope type 2, a bridge, at the root port's path. */
        if (drhd[i] == 2 && drhd[i + 6] == m->devices[PORT].pci.devfn >> 3) {
            found = true;
        }
    }
    assert_true(found);
    test_close(m);
}

void devices_can_be_configured(void **state)
{
    struct machine *m = test_open();
    struct uiommu_pci nobody = { .bus = 9 }, elsewhere = { .segment = 1 };

    (void)state;
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

void registers_are_mapped_where_there_are_some(void **state)
{
    struct machine *m = test_open();

    (void)state;
    assert_non_null(m->host.mmio_map(m->host.ctx, 0xfed90000, 0x230));
    assert_null(m->host.mmio_map(m->host.ctx, 0xfed90000, 0x2000));
    assert_null(m->host.mmio_map(m->host.ctx, 0x2000000, 4096));
    test_close(m);
}

void pages_are_counted(void **state)
{
    struct machine *m = test_open();
    void *ctx = m->host.ctx;
    uint64_t phys[4];
    uint8_t *virt[4];

    (void)state;
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

void pages_run_out(void **state)
{
    struct machine *m = test_open();
    uint64_t phys, first = 0;
    unsigned n = 0;

    (void)state;
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

void pages_of_a_former_owner_stay(void **state)
{
    struct machine *m = test_open();
    uint64_t phys[2], again;
    uint8_t *old = m->host.pages_alloc(m->host.ctx, 1, 0, &phys[0]);
    uint8_t *new;

    (void)state;
    memset(old, 1, 8192);
    qtest_hand_over(m);
    assert_int_equal(qtest_live_pages(m), 0);
    new = m->host.pages_alloc(m->host.ctx, 0, 0, &phys[1]);
    assert_int_equal(qtest_live_pages(m), 1);
    assert_true(test_all_are(old, 8192, 1));
    qtest_reclaim(m);
    assert_false(test_all_are(old, 4096, 1));
    assert_false(test_all_are(old + 4096, 4096, 1));
    assert_true(test_all_are(new, 4096, 0));
    assert_int_equal(qtest_live_pages(m), 1);
    test_page_free(m, new, phys[1]);
    do {
        new = m->host.pages_alloc(m->host.ctx, 1, 0, &again);
        assert_non_null(new); /* the first two are among them again */
    } while (again != phys[0]);
    qtest_hand_over(m);
    test_close(m);
}

void memory_is_shown_where_there_is_some(void **state)
{
    const uint64_t end = UINT64_C(256) << 20;
    struct machine *m = test_open();
    const void *view[4];

    (void)state;
    assert_null(m->host.memory_map(m->host.ctx, end, 4096));
    assert_null(m->host.memory_map(m->host.ctx, end - 4096, 8192));
    assert_null(m->host.memory_map(m->host.ctx, UINT64_MAX - 4095, 4096));
    assert_null(m->host.memory_map(m->host.ctx, 8, 4096));
    for (unsigned i = 0; i < 4; i++) {
        view[i] = m->host.memory_map(m->host.ctx, end - 4096, 4096);
        assert_non_null(view[i]);
    }
    assert_null(m->host.memory_map(m->host.ctx, 0, 4096));
    for (unsigned i = 0; i < 4; i++) {
        m->host.memory_unmap(m->host.ctx, view[i], 4096);
    }
    test_close(m);
}
