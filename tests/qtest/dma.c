/* SPDX-License-Identifier: MIT */
/* dma.c - DMA with the IOMMU off: the engines. */
#include "tests/qtest/common.h"

#include <pthread.h>
#include <string.h>

void dma_is_exact_to_the_byte(const struct test_board *b)
{
    static const size_t sizes[] = { 1, 3, 4, 64, 511, 512, 513, 4096, 12288 };
    static const size_t offsets[] = { 0, 1, 4, 508, 4095 };
    struct machine *m = test_open(b);
    uint64_t phys;
    uint8_t *virt = m->host.pages_alloc(m->host.ctx, 2, 0, &phys);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
            if (offsets[k] + sizes[i] <= 4 * 4096) {
                test_dma_is_exact(m, ENGINE, virt, phys, offsets[k], sizes[i]);
            }
        }
        test_dma_is_exact(m, BEHIND, virt, phys, 8, sizes[i]);
    }
    m->host.pages_free(m->host.ctx, virt, phys, 2);
    test_close(m);
}

void largest_dma(const struct test_board *b)
{
    static uint8_t out[QTEST_MAX_DMA], in[QTEST_MAX_DMA];
    struct machine *m = test_open(b);
    uint64_t phys;
    uint8_t *virt = m->host.pages_alloc(m->host.ctx, 8, 0, &phys);

    test_fill(out, sizeof(out), 3);
    assert_int_equal(
        machine_dma(m, ENGINE, true, phys + 12, out, QTEST_MAX_DMA),
        MACHINE_DMA_DONE);
    assert_memory_equal(virt + 12, out, QTEST_MAX_DMA);
    assert_int_equal(
        machine_dma(m, ENGINE, false, phys + 12, in, QTEST_MAX_DMA),
        MACHINE_DMA_DONE);
    assert_memory_equal(in, out, QTEST_MAX_DMA);
    assert_int_equal(machine_dma(m, ENGINE, true, phys, out, QTEST_MAX_DMA + 1),
                     MACHINE_DMA_REFUSED);
    m->host.pages_free(m->host.ctx, virt, phys, 8);
    test_close(m);
}

void senseless_dma_is_refused_with_a_sentence(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint8_t buf[64] = { 0 };

    assert_int_equal(machine_dma(m, ENGINE, true, b->ram, buf, 0),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "0 bytes");
    assert_int_equal(machine_dma(m, ENGINE, true, UINT64_MAX - 3, buf, 8),
                     MACHINE_DMA_REFUSED);
    assert_int_equal(machine_dma(m, PORT, true, b->ram, buf, 8),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "no engine");
    assert_int_equal(machine_dma(m, ENGINE, true, b->bars, buf, 8),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "nvme refused a command with status 0x");
    assert_int_equal(machine_dma(m, 99, true, b->ram, buf, 8),
                     MACHINE_DMA_REFUSED);
    test_close(m);
}

/* Queues have 64 entries. */
void dma_goes_on_when_queues_wrap(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    for (uint32_t i = 1; i <= 300; i++) {
        uint32_t got = 0;

        assert_int_equal(machine_dma(m, ENGINE, true, phys, &i, 4),
                         MACHINE_DMA_DONE);
        memcpy(&got, virt, 4);
        assert_int_equal(got, i);
    }
    test_page_free(m, virt, phys);
    test_close(m);
}

struct worker {
    struct machine *m;
    unsigned dev;
    bool ok;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct machine *m = worker->m;
    uint64_t phys;
    uint8_t *virt = m->host.pages_alloc(m->host.ctx, 0, 0, &phys);

    worker->ok = virt != NULL;
    for (uint32_t i = 1; worker->ok && i <= 100; i++) {
        worker->ok = machine_dma(m, worker->dev, true, phys, &i, 4) ==
                         MACHINE_DMA_DONE &&
                     memcmp(virt, &i, 4) == 0 &&
                     test_config_read(m, worker->dev, 0x0a, 2) == 0x0108;
    }
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    return NULL;
}

void threads_share_a_machine(const struct test_board *b)
{
    struct machine *m = test_open(b);
    struct worker workers[2] = { { m, ENGINE, false }, { m, BEHIND, false } };
    pthread_t threads[2];

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]),
                         0);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].ok);
    }
    test_close(m);
}
