/* SPDX-License-Identifier: MIT */
/* common.c - see common.h. */
#include "tests/qtest/common.h"

#include <string.h>
#include <time.h>

uint64_t test_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct machine *test_open_config(const struct qtest_config *config)
{
    char error[256];
    struct machine *m = qtest_open(config, error, sizeof(error));

    if (m == NULL) {
        fail_msg("%s", error);
    }
    return m;
}

struct machine *test_open_mode(const struct test_board *b, const char *mode)
{
    struct qtest_config config = b->config;

    config.mode = mode;
    return test_open_config(&config);
}

struct machine *test_open(const struct test_board *b)
{
    return test_open_config(&b->config);
}

void test_close(struct machine *m)
{
    assert_int_equal(qtest_live_pages(m), 0);
    machine_close(m);
}

void test_says(const char *sentence, const char *part)
{
    if (strstr(sentence, part) == NULL) {
        fail_msg("'%s' does not say '%s'", sentence, part);
    }
}

/* That opening fails, in time, and what it says. */
void test_open_fails(const struct qtest_config *config, const char *part)
{
    uint64_t start = test_now_ms();
    char error[256] = "";

    assert_null(qtest_open(config, error, sizeof(error)));
    assert_true(test_now_ms() - start < 3000);
    test_says(error, part);
}

void *test_unit(struct machine *m, const struct test_board *b)
{
    void *regs = m->host.mmio_map(m->host.ctx, b->raw->base, b->raw->size);

    assert_non_null(regs);
    return regs;
}

void test_has_bits(struct machine *m, const struct test_board *b,
                   const struct test_bits *has)
{
    uint32_t value =
        m->host.mmio_read32(m->host.ctx, test_unit(m, b), has->offset);

    assert_int_equal(value & has->mask, has->bits);
}

struct test_message test_message(struct machine *m, const struct test_board *b,
                                 unsigned dev, unsigned n)
{
    struct test_message message = b->messages[n];
    struct uiommu_pci pci = m->devices[dev].pci;

    if (b->names_source) {
        message.as.destination = (uint32_t)pci.bus << 8 | pci.devfn;
    }
    return message;
}

struct test_message test_vector(struct machine *m, const struct test_board *b,
                                unsigned dev, uint8_t vector)
{
    struct test_message message = test_message(m, b, dev, 0);

    message.data = vector;
    message.as.vector = vector;
    return message;
}

uint8_t *test_page(struct machine *m, uint64_t *phys)
{
    uint8_t *virt = m->host.pages_alloc(m->host.ctx, 0, 0, phys);

    assert_non_null(virt);
    return virt;
}

void test_page_free(struct machine *m, void *virt, uint64_t phys)
{
    m->host.pages_free(m->host.ctx, virt, phys, 0);
}

uint32_t test_config_read(struct machine *m, unsigned dev, unsigned offset,
                          unsigned width)
{
    return m->host.pci_read(m->host.ctx, m->devices[dev].pci, offset, width);
}

void test_fill(uint8_t *buf, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        buf[i] = (uint8_t)(i * 7 + (i >> 8) + seed);
    }
}

bool test_all_are(const uint8_t *buf, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (buf[i] != value) {
            return false;
        }
    }
    return true;
}

void test_dma_is_exact(struct machine *m, unsigned dev, uint8_t *virt,
                       uint64_t phys, size_t offset, size_t size)
{
    uint8_t buf[3 * 4096];

    memset(virt, 0xee, 4 * 4096);
    test_fill(buf, size, (unsigned)(offset + size));
    assert_int_equal(machine_dma(m, dev, true, phys + offset, buf, size),
                     MACHINE_DMA_DONE);
    assert_memory_equal(virt + offset, buf, size);
    assert_true(test_all_are(virt, offset, 0xee));
    assert_true(
        test_all_are(virt + offset + size, 4 * 4096 - offset - size, 0xee));
    virt[offset] ^= 0xff;
    assert_int_equal(machine_dma(m, dev, false, phys + offset, buf, size),
                     MACHINE_DMA_DONE);
    assert_memory_equal(virt + offset, buf, size);
    assert_string_equal(m->error, "");
}
