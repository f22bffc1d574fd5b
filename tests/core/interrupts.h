/* SPDX-License-Identifier: MIT */
/*
 * interrupts.h - a machine whose interrupts go through the unit, and what its engines
 * send.
 */
#ifndef UIM_TESTS_CORE_INTERRUPTS_H
#define UIM_TESTS_CORE_INTERRUPTS_H

#include "tests/core/help.h"

#include "base/store.h"

#define FEE UINT64_C(0xfee00000)

enum { IOAPIC_ID = 0 };

static inline bool remapped(struct rig *rig, const char **why)
{
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return rig_does(rig, RIG_INTERRUPTS, why);
}

static inline bool in_a_hurry_remapped(struct rig *rig, const char **why)
{
    hurry(rig);
    return remapped(rig, why);
}

/* ---- messages ------------------------------------------------------------ */

static inline struct uiommu_irq_target to(uint8_t vector, uint32_t apic)
{
    return (struct uiommu_irq_target){ .vector = vector, .destination = apic };
}

/* What a fixed, physical, edge interrupt looks like when it arrives. */
static inline struct sim_msi arrives_as(uint8_t vector, uint32_t apic)
{
    return (struct sim_msi){
        .addr = FEE | (apic & 0xff) << 12 | (uint64_t)(apic >> 8) << 40,
        .data = vector,
    };
}

static inline struct uiommu_irq *map_irq(struct rig *rig, unsigned n,
                                         struct uiommu_irq_target target)
{
    struct uiommu_irq *irq;

    rig_ok(uiommu_irq_map(rig_endpoint(rig, n), &target, 1, &irq));
    return irq;
}

static inline struct uiommu_irq_message message_of(const struct uiommu_irq *irq)
{
    struct uiommu_irq_message m;

    uiommu_irq_message(irq, &m);
    return m;
}

/* Engine n sends it. */
static inline bool sends(struct rig *rig, unsigned n, uint64_t addr,
                         uint32_t data)
{
    uint8_t bytes[] = { (uint8_t)data, (uint8_t)(data >> 8),
                        (uint8_t)(data >> 16), (uint8_t)(data >> 24) };

    return machine_dma(rig->m, rig_engine(rig, n), true, addr, bytes,
                       sizeof(bytes)) == MACHINE_DMA_DONE;
}

static inline void assert_arrives(struct rig *rig, unsigned n,
                                  struct uiommu_irq_message m,
                                  struct sim_msi as)
{
    unsigned before = sim_msi_count(rig->m);
    struct sim_msi got;

    assert_true(sends(rig, n, m.addr, m.data));
    assert_int_equal(sim_msi_count(rig->m), before + 1);
    got = sim_msi_at(rig->m, before);
    assert_true(got.addr == as.addr);
    assert_int_equal(got.data, as.data);
}

static inline void assert_refused(struct rig *rig, unsigned n, uint64_t addr,
                                  uint32_t data, unsigned reason)
{
    unsigned before = sim_msi_count(rig->m), faults;

    rig_poll(rig);
    faults = rig->faults;
    assert_false(sends(rig, n, addr, data));
    assert_int_equal(sim_msi_count(rig->m), before);
    rig_poll(rig);
    assert_int_equal(rig->faults, faults + 1);
    assert_int_equal(rig->fault.reason, reason);
}

static inline void drop(struct uiommu_irq *irq)
{
    rig_ok(uiommu_irq_unmap(irq));
}

/* A word of the entry that messages to `addr` use. */
static inline uint64_t entry_word(struct rig *rig, uint64_t addr, unsigned word)
{
    enum { IRTA = 0xb8 };
    uint64_t table =
        sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0, IRTA, 8) >> 12 << 12;

    return uim_ld64((uim_word *)sim_ram(
        rig->m, table + (addr >> 5 & 0x7fff) * 16 + word * 8, 8));
}

/* ---- a change that is watched -------------------------------------------- */

/* It leads to the old or the new place whenever it is looked at. */
struct watched {
    struct rig *rig;
    struct uiommu_irq_message m;
    struct sim_msi old, new;
    unsigned looked, wrong;
    bool may_be_refused;
};

static inline void look_once(struct watched *w)
{
    struct sim_msi got = { 0 };
    int r = sim_ops(w->rig->m)->remap_msi(
        sim_model(w->rig->m), rig_endpoint(w->rig, 0) ? 0x18 : 0, 1, w->m.addr,
        w->m.data, &got.addr, &got.data);
    bool old = got.addr == w->old.addr && got.data == w->old.data;
    bool new = got.addr == w->new.addr &&got.data == w->new.data;

    w->wrong += r == 0 ? !old && !new : !w->may_be_refused;
}

#endif
