/* SPDX-License-Identifier: MIT */
/* irq.c - interrupts with the IOMMU off: what is sent arrives, in order, once. */
#include "tests/qtest/common.h"

enum { KEPT = 64 }; /* as qtest.h says */

static void assert_took(struct machine *m, struct uiommu_irq_target as)
{
    struct uiommu_irq_target got = { 0 };

    assert_true(machine_take_irq(m, &got));
    assert_int_equal(got.destination, as.destination);
    assert_int_equal(got.vector, as.vector);
    assert_int_equal(got.delivery, as.delivery);
    assert_int_equal(got.logical, as.logical);
    assert_int_equal(got.hint, as.hint);
    assert_int_equal(got.level, as.level);
}

static void assert_nothing(struct machine *m)
{
    struct uiommu_irq_target got;

    assert_false(machine_take_irq(m, &got));
}

static enum machine_dma send(struct machine *m, unsigned dev,
                             struct test_message message)
{
    return machine_send_irq(m, dev, message.addr, message.data);
}

void interrupts_arrive_as_sent(const struct test_board *b)
{
    struct machine *m = test_open(b);

    assert_nothing(m); /* of reset */
    for (unsigned i = 0; i < b->n_messages; i++) {
        for (unsigned dev = ENGINE; dev <= BEHIND; dev++) {
            struct test_message message = test_message(m, b, dev, i);

            assert_int_equal(send(m, dev, message), MACHINE_DMA_DONE);
            assert_took(m, message.as);
            assert_nothing(m);
        }
    }
    assert_int_equal(send(m, PORT, test_message(m, b, PORT, 0)),
                     MACHINE_DMA_REFUSED);
    test_says(m->error, "no engine");
    assert_nothing(m);
    test_close(m);
}

/* An engine does both, in any order. */
void interrupts_do_not_disturb_dma(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint64_t phys;
    uint8_t *virt = test_page(m, &phys);

    for (uint8_t i = 0x40; i < 0xc0; i++) {
        struct test_message message;

        assert_int_equal(machine_dma(m, ENGINE, true, phys, &i, 1),
                         MACHINE_DMA_DONE);
        assert_int_equal(virt[0], i);
        assert_nothing(m);
        message = test_vector(m, b, ENGINE, i);
        assert_int_equal(send(m, ENGINE, message), MACHINE_DMA_DONE);
        assert_took(m, message.as);
    }
    test_page_free(m, virt, phys);
    test_close(m);
}

void last_interrupts_are_kept(const struct test_board *b)
{
    struct machine *m = test_open(b);

    for (unsigned i = 0; i < KEPT + 3; i++) {
        assert_int_equal(
            send(m, ENGINE, test_vector(m, b, ENGINE, (uint8_t)(0x20 + i))),
            MACHINE_DMA_DONE);
    }
    for (unsigned i = 3; i < KEPT + 3; i++) {
        assert_took(m, test_vector(m, b, ENGINE, (uint8_t)(0x20 + i)).as);
    }
    assert_nothing(m);
    test_close(m);
}

/* Level-triggered ones, too, though nobody ends them. */
void pins_send_what_their_entry_says(const struct test_board *b)
{
    struct machine *m = test_open(b);

    for (unsigned i = 0; i < 4; i++) {
        uint8_t vector = (uint8_t)(0x61 + i);
        uint64_t rte = UINT64_C(5) << 56 | vector | i << 15;

        assert_int_equal(machine_raise_pin(m, rte & ~UINT64_C(0x10000)),
                         MACHINE_DMA_DONE);
        assert_took(m, (struct uiommu_irq_target){ .vector = vector,
                                                   .destination = 5,
                                                   .level = (i & 1) != 0 });
        assert_nothing(m);
    }
    assert_int_equal(machine_raise_pin(m, 0x10061), MACHINE_DMA_DONE);
    assert_nothing(m); /* masked */
    test_close(m);
}

void missing_pins_are_a_sentence(const struct test_board *b)
{
    struct machine *m = test_open(b);

    assert_int_equal(machine_raise_pin(m, 0x61), MACHINE_DMA_REFUSED);
    test_says(m->error, "there is no I/O APIC");
    assert_nothing(m);
    test_close(m);
}

void blocked_engine_cannot_send(const struct test_board *b)
{
    struct machine *m = test_open(b);
    struct test_message message = test_message(m, b, ENGINE, 0);
    struct raw raw;

    raw_start(&raw, b->raw, m);
    assert_int_equal(send(m, ENGINE, message), MACHINE_DMA_REFUSED);
    test_says(m->error, "queues");
    assert_nothing(m);
    raw_stop(&raw);
    assert_int_equal(send(m, ENGINE, message), MACHINE_DMA_DONE);
    assert_took(m, message.as);
    test_close(m);
}

struct heard {
    unsigned count, unit, n;
};

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct heard *heard = ctx;

    *heard = (struct heard){ heard->count + 1, unit, n };
}

/* Who sent it makes no difference to an interrupt controller. */
void interrupts_of_units_are_handed_on(const struct test_board *b)
{
    struct machine *m = test_open(b);
    struct heard heard = { 0 };
    uint64_t addr;
    uint32_t data;

    m->on_irq = on_irq;
    m->irq_ctx = &heard;
    assert_int_equal(m->host.msi_alloc(m->host.ctx, 3, 4, &addr, &data),
                     UIOMMU_OK);
    assert_int_equal(machine_send_irq(m, ENGINE, addr, data), MACHINE_DMA_DONE);
    assert_nothing(m);
    assert_int_equal(heard.count, 0);
    assert_true(machine_run(m));
    assert_true(heard.count == 1 && heard.unit == 3 && heard.n == 4);
    assert_true(machine_run(m));
    assert_int_equal(heard.count, 1);
    m->host.msi_free(m->host.ctx, 3, 4);
    assert_int_equal(machine_send_irq(m, ENGINE, addr, data), MACHINE_DMA_DONE);
    assert_true(machine_run(m));
    assert_int_equal(heard.count, 1);
    assert_nothing(m);
    test_close(m);
}

void vectors_run_out(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint32_t data, other;
    uint64_t addr;
    unsigned n = 0;

    while (m->host.msi_alloc(m->host.ctx, 0, n, &addr, &data) == UIOMMU_OK) {
        n++;
    }
    assert_int_equal(n, 8);
    m->host.msi_free(m->host.ctx, 0, 2);
    assert_int_equal(m->host.msi_alloc(m->host.ctx, 1, 0, &addr, &other),
                     UIOMMU_OK);
    assert_int_equal(other, data - 5);
    test_close(m);
}
