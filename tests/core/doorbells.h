/* SPDX-License-Identifier: MIT */
/*
 * doorbells.h - interrupt messages on units that translate them.
 */
#ifndef UIM_TESTS_CORE_DOORBELLS_H
#define UIM_TESTS_CORE_DOORBELLS_H

#include "tests/core/help.h"

static inline bool is_smmuv3(const struct rig *rig)
{
    return rig->config.mode >= SIM_STAGE_1;
}

static inline bool translates_messages(struct rig *rig, const char **why)
{
    *why = "messages are not translated";
    return is_smmuv3(rig);
}

static inline bool has_a_window(struct rig *rig, const char **why)
{
    *why = "messages are translated as any write";
    return !is_smmuv3(rig);
}

enum { EVENT = 0x41 };

/* With all tables. */
static inline void find_and_start(struct rig *rig)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd,
        &uiommu_driver_smmuv3,
    };

    rig_ok(rig_create(rig));
    rig_ok(uiommu_find_tables(rig->u, drivers, 2));
    rig_is(uiommu_find_tables(rig->u, drivers, 2), UIOMMU_NOENT);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
}

/* Does a message of engine n to this address arrive, and as that engine's? */
static inline bool arrives(struct rig *rig, unsigned n, uint64_t addr)
{
    const unsigned dev = rig_engine(rig, n);
    const struct uiommu_pci pci = rig->m->devices[dev].pci;
    const unsigned before = sim_msi_count(rig->m);
    struct sim_msi msi;

    assert_int_equal(machine_send_irq(rig->m, dev, addr, EVENT),
                     MACHINE_DMA_DONE);
    if (sim_msi_count(rig->m) == before)
        return false;
    msi = sim_msi_at(rig->m, before);
    assert_int_equal(msi.addr, SIM_TRANSLATER);
    assert_int_equal(msi.data, EVENT);
    assert_int_equal(sim_msi_device(rig->m, before), pci.bus << 8 | pci.devfn);
    return true;
}

#endif
