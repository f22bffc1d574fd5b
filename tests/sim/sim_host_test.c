/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim as a host: each thing it looks for is done wrong once, and has
 * to be noticed; done right, nothing may be said.
 */
#include "tests/sim/tools.h"

#include <pthread.h>
#include <string.h>

/* ---- pages --------------------------------------------------------------- */

static void *pages(struct machine *m, unsigned order, uint64_t *phys)
{
    return m->host.pages_alloc(m->host.ctx, order, 0, phys);
}

static bool all_are(const uint8_t *p, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (p[i] != value)
            return false;
    }
    return true;
}

static void pages_are_as_the_contract_says(void **state)
{
    struct machine *m = open_sim(NULL);

    (void)state;
    for (unsigned order = 0; order < 6; order++) {
        uint64_t size = UINT64_C(4096) << order;
        uint64_t phys = 1;
        uint8_t *virt = pages(m, order, &phys);

        assert_non_null(virt);
        assert_int_equal(phys % size, 0);
        assert_true(all_are(virt, size, 0));
        assert_true(m->host.direct_map);
        assert_int_equal(phys + m->host.direct_offset, (uintptr_t)virt);
        m->host.pages_free(m->host.ctx, virt, phys, order);
    }
    close_sim(m);
}

static void high_ram_is_used_first(void **state)
{
    struct sim_config config = { .high_ram_size = 1 << 20,
                                 .phys_to_virt = true };
    struct machine *m = open_sim(&config);
    uint64_t phys;
    void *virt = pages(m, 0, &phys);

    (void)state;
    assert_true(phys >> 32 == 1);
    assert_ptr_equal(m->host.phys_to_virt(m->host.ctx, phys), virt);
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    m->host.phys_to_virt(m->host.ctx, phys);
    expect_violation(m, "freed");
    close_sim(m);
}

static void memory_ends(void **state)
{
    struct sim_config config = { .ram_size = 2 << 20 };
    struct machine *m = open_sim(&config);
    uint64_t phys, first;
    void *virt = pages(m, 8, &first); /* all but the first MiB */

    (void)state;
    assert_non_null(virt);
    assert_null(pages(m, 0, &phys));
    m->host.pages_free(m->host.ctx, virt, first, 8);
    close_sim(m);
}

static void page_misuse_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys, other;
    uint8_t *virt = pages(m, 1, &phys);
    uint8_t *next = pages(m, 0, &other);

    (void)state;
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    expect_violation(m, "another order");
    m->host.pages_free(m->host.ctx, virt, other, 1);
    expect_violation(m, "do not belong together");
    m->host.pages_free(m->host.ctx, virt + 4096, phys + 4096, 0);
    expect_violation(m, "did not give");
    m->host.pages_free(m->host.ctx, virt, phys, 1);
    m->host.pages_free(m->host.ctx, virt, phys, 1);
    expect_violation(m, "free already");
    m->host.pages_free(m->host.ctx, next, other, 0);
    close_sim(m);
}

static void write_after_free_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys;
    uint8_t *virt = pages(m, 0, &phys);

    (void)state;
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    virt[100] = 0;
    assert_int_equal(sim_check_leaks(m), 1);
    expect_violation(m, "after it was freed");
    close_sim(m);
}

/* ---- bytes --------------------------------------------------------------- */

static const void *view(struct machine *m, uint64_t phys, size_t size)
{
    return m->host.memory_map(m->host.ctx, phys, size);
}

static void unview(struct machine *m, const void *virt, size_t size)
{
    m->host.memory_unmap(m->host.ctx, virt, size);
}

static void views_are_counted_and_matched(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys = sim_ram_alloc(m, 8192);
    const uint8_t *v[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        v[i] = view(m, phys, i < 2 ? 4096 : 8192);
        assert_ptr_equal(v[i], sim_ram(m, phys, 1));
    }
    assert_null(view(m, phys, 4096));
    expect_violation(m, "more than 4");
    unview(m, v[0] + 4096, 4096);
    expect_violation(m, "did not give");
    unview(m, v[0], 12288);
    expect_violation(m, "did not give");
    unview(m, v[0], 0);
    expect_violation(m, "did not give");
    for (unsigned i = 0; i < 4; i++)
        unview(m, v[i], i < 2 ? 4096 : 8192);
    unview(m, v[0], 4096);
    expect_violation(m, "did not give");
    sim_ram_free(m, phys, 8192);
    close_sim(m);
}

static void views_of_nothing_are_noticed(void **state)
{
    const uint64_t size = UINT64_C(2) << 20;
    struct machine *m = open_sim(NULL);
    uint64_t phys = sim_ram_alloc(m, size);
    uint64_t nowhere[] = { UINT64_C(1) << 40, 0xfed90000, phys + size };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_null(view(m, nowhere[i], 4096));
        expect_violation(m, "nobody has these");
    }
    sim_hostile(m, true);
    for (unsigned i = 0; i < 3; i++)
        assert_null(view(m, nowhere[i], 4096));
    assert_null(view(m, phys + 8, 4096)); /* rules are rules all the same */
    expect_violation(m, "nobody has these");
    assert_null(view(m, phys, size));
    expect_violation(m, "nobody has these");
    sim_hostile(m, false);
    assert_non_null(view(m, phys, size / 2));
    sim_ram_free(m, phys, size);
    assert_int_equal(sim_check_leaks(m), 1);
    expect_violation(m, "memory_map");
    sim_forget(m);
    (void)sim_close(m);
}

static void pages_of_a_former_owner_stay(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys[2];
    uint8_t *old = pages(m, 1, &phys[0]);
    uint8_t *new;

    (void)state;
    memset(old, 1, 8192);
    assert_int_equal(sim_hand_over(m), 2);
    assert_int_equal(sim_hand_over(m), 0);
    new = pages(m, 0, &phys[1]);
    assert_true(all_are(old, 8192, 1));
    m->host.pages_free(m->host.ctx, old, phys[0], 1);
    expect_violation(m, "pages_free");
    sim_reclaim(m);
    assert_false(all_are(old, 4096, 1));
    assert_true(all_are(new, 4096, 0));
    m->host.pages_free(m->host.ctx, new, phys[1], 0);
    close_sim(m);
}

static void bytes_are_rubbish_at_first(void **state)
{
    struct machine *m = open_sim(NULL);
    struct sim_counts counts;
    uint8_t *p = m->host.alloc(m->host.ctx, 100);

    (void)state;
    assert_non_null(p);
    for (unsigned i = 0; i < 100; i++)
        assert_int_not_equal(p[i], 0);
    sim_counts(m, &counts);
    assert_int_equal(counts.allocs, 1);
    assert_int_equal(counts.bytes, 100);
    m->host.free(m->host.ctx, p, 100);
    sim_counts(m, &counts);
    assert_int_equal(counts.allocs, 0);
    assert_int_equal(counts.bytes, 0);
    close_sim(m);
}

static void byte_misuse_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    uint8_t *p = m->host.alloc(m->host.ctx, 100);
    uint8_t *q = m->host.alloc(m->host.ctx, 10);
    uint8_t local;

    (void)state;
    m->host.free(m->host.ctx, p, 99);
    expect_violation(m, "size 99 of an allocation of 100");
    m->host.free(m->host.ctx, p, 100);
    expect_violation(m, "freed before");
    m->host.free(m->host.ctx, &local, 1);
    expect_violation(m, "did not give");
    q[10] = 0;
    m->host.free(m->host.ctx, q, 10);
    expect_violation(m, "bytes behind");
    close_sim(m);
}

/* ---- leaks --------------------------------------------------------------- */

static void leak_pages(struct machine *m)
{
    uint64_t phys;

    assert_non_null(pages(m, 2, &phys));
}

static void leak_bytes(struct machine *m)
{
    assert_non_null(m->host.alloc(m->host.ctx, 24));
}

static void leak_mutex(struct machine *m)
{
    assert_non_null(m->host.mutex_create(m->host.ctx));
}

static void leak_held_spin(struct machine *m)
{
    m->host.spin_lock(m->host.ctx, m->host.spin_create(m->host.ctx));
}

static void leak_mapping(struct machine *m)
{
    assert_non_null(m->host.mmio_map(m->host.ctx, 0xfed90000, 4096));
}

static void leak_msi(struct machine *m)
{
    uint64_t addr;
    uint32_t data;

    assert_int_equal(m->host.msi_alloc(m->host.ctx, 0, 0, &addr, &data),
                     UIOMMU_OK);
}

static void leak_table(struct machine *m)
{
    size_t size;

    assert_non_null(m->host.map_table(m->host.ctx, "DMAR", 0, &size));
    assert_int_equal(size, m->table_size);
}

static void leaks_are_found(void **state)
{
    static const struct {
        void (*leak)(struct machine *m);
        const char *text;
    } row[] = {
        { leak_pages, "leak: 2^2 pages" },
        { leak_bytes, "leak: 24 bytes" },
        { leak_mutex, "leak: mutex 1" },
        { leak_held_spin, "leak: spin lock 1, and it is held" },
        { leak_mapping, "leak: mapping of 4096 bytes" },
        { leak_msi, "leak: interrupt 0 of unit 0" },
        { leak_table, "leak: 1 times map_table" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct machine *m = open_sim(NULL);

        row[i].leak(m);
        assert_int_equal(sim_check_leaks(m), 1);
        expect_violation(m, row[i].text);
        assert_int_equal(sim_close(m), 0);
        m = open_sim(NULL);
        row[i].leak(m);
        assert_int_equal(sim_close(m), 1);
    }
}

static void memory_of_tests_is_no_leak(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys = sim_ram_alloc(m, 5000);

    (void)state;
    assert_int_equal(phys % 8192, 0);
    assert_true(all_are(sim_ram(m, phys, 5000), 5000, 0));
    assert_null(sim_ram(m, 0xe0000000, 1));
    close_sim(m);
}

/* ---- fault injection ----------------------------------------------------- */

static void the_nth_call_fails_once(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    uint64_t before = sim_calls(m);
    uint64_t phys, addr;
    uint32_t data;

    (void)state;
    sim_fail_nth(m, 1);
    assert_null(h->alloc(h->ctx, 8));
    sim_fail_nth(m, 1);
    assert_null(h->pages_alloc(h->ctx, 0, 0, &phys));
    sim_fail_nth(m, 1);
    assert_null(h->mmio_map(h->ctx, 0xfed90000, 4096));
    sim_fail_nth(m, 1);
    assert_null(h->mutex_create(h->ctx));
    sim_fail_nth(m, 1);
    assert_null(h->spin_create(h->ctx));
    sim_fail_nth(m, 1);
    assert_int_equal(h->msi_alloc(h->ctx, 0, 0, &addr, &data), UIOMMU_NOSPC);
    assert_int_equal(sim_calls(m) - before, 6);
    assert_int_equal(sim_failed(m), 1);
    close_sim(m);
}

static void two_calls_fail_if_so_asked(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    bool fails[6];

    (void)state;
    sim_fail_nth(m, 2);
    sim_fail_then(m, 3);
    for (unsigned i = 0; i < 6; i++) {
        void *p = h->alloc(h->ctx, 8);

        fails[i] = !p;
        if (p)
            h->free(h->ctx, p, 8);
    }
    assert_true(!fails[0] && fails[1] && !fails[2]);
    assert_true(!fails[3] && fails[4] && !fails[5]);
    assert_int_equal(sim_failed(m), 2);
    close_sim(m);
}

/* ---- registers ----------------------------------------------------------- */

static void register_misuse_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    void *regs = h->mmio_map(h->ctx, 0xfed90000, 4096);
    void *old;

    (void)state;
    h->mmio_read32(h->ctx, regs, 2);
    expect_violation(m, "not aligned");
    h->mmio_read64(h->ctx, regs, 4096);
    expect_violation(m, "outside");
    h->mmio_write64(h->ctx, regs, 4092, 0);
    expect_violation(m, "not aligned");
    h->mmio_unmap(h->ctx, regs, 8192);
    expect_violation(m, "another size");
    old = regs;
    h->mmio_unmap(h->ctx, regs, 4096);
    h->mmio_read32(h->ctx, old, 0);
    expect_violation(m, "unmapped handle");
    h->mmio_unmap(h->ctx, old, 4096);
    expect_violation(m, "unmapped before");
    close_sim(m);
}

static void nothing_answers_where_nothing_is(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    void *regs = h->mmio_map(h->ctx, 0xfeda0000, 4096);

    (void)state;
    assert_non_null(regs);
    assert_int_equal(h->mmio_read32(h->ctx, regs, 0), UINT32_MAX);
    h->mmio_write32(h->ctx, regs, 0, 0);
    h->mmio_unmap(h->ctx, regs, 4096);
    assert_null(h->mmio_map(h->ctx, 0x1000, 4096)); /* RAM */
    close_sim(m);
}

struct seen {
    unsigned n;
    enum sim_event event[8];
    uint64_t where[8], value[8];
    size_t size[8];
};

static void see(void *ctx, enum sim_event event, uint64_t where, size_t size,
                uint64_t value)
{
    struct seen *seen = ctx;

    if (seen->n < 8) {
        seen->event[seen->n] = event;
        seen->where[seen->n] = where;
        seen->size[seen->n] = size;
        seen->value[seen->n] = value;
    }
    seen->n++;
}

static void watchers_see_each_step(void **state)
{
    struct sim_config config = { .split64 = true };
    struct machine *m = open_sim(&config);
    const struct uiommu_host *h = &m->host;
    uint64_t phys = sim_ram_alloc(m, 4096);
    void *regs = h->mmio_map(h->ctx, 0xfed90000, 4096);
    struct seen seen = { 0 };

    (void)state;
    sim_watch(m, see, &seen);
    h->flush(h->ctx, sim_ram(m, phys + 8, 8), 8);
    h->fence(h->ctx);
    h->mmio_write64(h->ctx, regs, 0x20, UINT64_C(0x123456789000));
    sim_watch(m, NULL, NULL);
    assert_int_equal(seen.n, 6);
    assert_int_equal(seen.event[0], SIM_FLUSH);
    assert_int_equal(seen.where[0], phys + 8);
    assert_int_equal(seen.event[1], SIM_FENCE);
    assert_int_equal(seen.event[2], SIM_MMIO_WRITE);
    assert_int_equal(seen.event[3], SIM_MMIO_WRITTEN);
    assert_int_equal(seen.where[2], 0x20); /* the low half first */
    assert_int_equal(seen.size[2], 4);
    assert_int_equal(seen.value[2], 0x56789000);
    assert_int_equal(seen.where[4], 0x24);
    assert_int_equal(seen.value[4], 0x1234);
    assert_true(h->mmio_read64(h->ctx, regs, 0x20) == UINT64_C(0x123456789000));
    h->mmio_unmap(h->ctx, regs, 4096);
    close_sim(m);
}

/* ---- views of memory ----------------------------------------------------- */

static void only_flushed_lines_reach_ram(void **state)
{
    struct sim_config config = { .non_coherent = true };
    struct machine *m = open_sim(&config);
    const struct uiommu_host *h = &m->host;
    uint64_t phys;
    uint8_t *cpu = pages(m, 0, &phys);
    const uint8_t *ram = sim_ram_uncached(m, phys, 4096);
    struct sim_counts counts;

    (void)state;
    assert_int_not_equal(ram[0], 0); /* zeroes are in the cache, not in RAM */
    memset(cpu, 0x11, 4096);
    h->flush(h->ctx, cpu + 100, 40);
    assert_int_not_equal(ram[63], 0x11);
    assert_true(all_are(ram + 64, 128, 0x11));
    assert_int_not_equal(ram[192], 0x11);
    sim_counts(m, &counts);
    assert_int_equal(counts.flushes, 1);
    assert_int_equal(counts.flushed_lines, 2);
    h->flush(h->ctx, &counts, sizeof(counts));
    expect_violation(m, "flush of memory");
    m->host.pages_free(m->host.ctx, cpu, phys, 0);
    close_sim(m);
}

/* ---- time, log ----------------------------------------------------------- */

static void time_is_virtual(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t start = m->host.now_ns(m->host.ctx);

    (void)state;
    m->host.relax(m->host.ctx);
    assert_int_equal(m->host.now_ns(m->host.ctx) - start, 1100);
    sim_advance(m, 1000000);
    assert_int_equal(m->host.now_ns(m->host.ctx) - start, 1001200);
    close_sim(m);
}

static void the_log_is_kept(void **state)
{
    struct machine *m = open_sim(NULL);
    struct sim_counts counts;

    (void)state;
    m->host.log(m->host.ctx, UIOMMU_LOG_WARN, "hello");
    assert_string_equal(sim_last_log(m), "hello");
    sim_counts(m, &counts);
    assert_int_equal(counts.logs[UIOMMU_LOG_WARN], 1);
    m->host.log(m->host.ctx, UIOMMU_LOG_WARN, "hello\n");
    expect_violation(m, "line break");
    close_sim(m);
}

/* ---- threads ------------------------------------------------------------- */

static void *busy(void *arg)
{
    struct machine *m = arg;
    const struct uiommu_host *h = &m->host;
    void *spin = h->spin_create(h->ctx);

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t phys;
        void *virt, *bytes;

        h->spin_lock(h->ctx, spin);
        virt = h->pages_alloc(h->ctx, i % 3, UIOMMU_PAGES_ATOMIC, &phys);
        h->spin_unlock(h->ctx, spin);
        bytes = h->alloc(h->ctx, i + 1);
        h->free(h->ctx, bytes, i + 1);
        h->pages_free(h->ctx, virt, phys, i % 3);
    }
    h->spin_destroy(h->ctx, spin);
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    struct machine *m = open_sim(NULL);
    struct sim_counts counts;
    pthread_t thread[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, busy, m), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    sim_counts(m, &counts);
    assert_int_equal(counts.pages, 0);
    assert_int_equal(counts.bytes, 0);
    assert_int_equal(counts.calls, 4 * (2 * 2000 + 1));
    close_sim(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_as_the_contract_says),
        cmocka_unit_test(high_ram_is_used_first),
        cmocka_unit_test(memory_ends),
        cmocka_unit_test(page_misuse_is_noticed),
        cmocka_unit_test(write_after_free_is_noticed),
        cmocka_unit_test(views_are_counted_and_matched),
        cmocka_unit_test(views_of_nothing_are_noticed),
        cmocka_unit_test(pages_of_a_former_owner_stay),
        cmocka_unit_test(bytes_are_rubbish_at_first),
        cmocka_unit_test(byte_misuse_is_noticed),
        cmocka_unit_test(leaks_are_found),
        cmocka_unit_test(memory_of_tests_is_no_leak),
        cmocka_unit_test(the_nth_call_fails_once),
        cmocka_unit_test(two_calls_fail_if_so_asked),
        cmocka_unit_test(register_misuse_is_noticed),
        cmocka_unit_test(nothing_answers_where_nothing_is),
        cmocka_unit_test(watchers_see_each_step),
        cmocka_unit_test(only_flushed_lines_reach_ram),
        cmocka_unit_test(time_is_virtual),
        cmocka_unit_test(the_log_is_kept),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
