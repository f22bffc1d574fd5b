/* SPDX-License-Identifier: MIT */
/*
 * instants.h - what a call does, instant by instant, as devices and other CPUs see it.
 */
#ifndef UIM_TESTS_CORE_INSTANTS_H
#define UIM_TESTS_CORE_INSTANTS_H

#include "tests/core/requests.h"

#include "core/driver.h"
#include "spec/smmuv3.h"
#include "spec/vtd.h"

/* ---- what a call does ------------------------------------------------------------------- */

/*
 * A request changes its device and the unit's queue, and what the unit does with it hangs on
 * its tables. So two instants are one for it if the call has meanwhile written no register
 * (what the unit is told to do it does inside of that write), none of the device, and read
 * none of the queue's. Between any two such accesses there is an instant here. What is stored
 * for the unit is one with the write that tells it: where stores can be seen (programs ending
 * in -hooked) each is an instant. Handlers share what locks guard, and for them it is an
 * instant, too, when the call is about to take a spin lock and has none.
 */
static struct uiommu_host of_host; /* as it was                              */
static const struct uim_unit_ops *of_unit;
static struct uim_unit_ops watched;
static void (*at_instant)(void);
static bool locks_are_instants, drains, drained;

/* Locks that a second thread must not wait for. */
static _Atomic unsigned spins;

static inline void instant_is_here(void)
{
    if (at_instant)
        at_instant();
}

static inline void lock_watched(void *ctx, void *lock)
{
    if (locks_are_instants && atomic_load(&spins) == 0)
        instant_is_here();
    of_host.spin_lock(ctx, lock);
    atomic_fetch_add(&spins, 1);
}

static inline void unlock_watched(void *ctx, void *lock)
{
    atomic_fetch_sub(&spins, 1);
    of_host.spin_unlock(ctx, lock);
}

static inline bool is_of_queue(size_t offset)
{
    return offset == VTD_REG_PQT || offset == VTD_REG_PRS ||
           offset == SMMUV3_REG_PRIQ_PROD || offset == SMMUV3_REG_PRIQ_CONS;
}

static inline uint32_t read32_watched(void *ctx, void *mmio, size_t offset)
{
    if (is_of_queue(offset))
        instant_is_here();
    return of_host.mmio_read32(ctx, mmio, offset);
}

static inline uint64_t read64_watched(void *ctx, void *mmio, size_t offset)
{
    if (is_of_queue(offset))
        instant_is_here();
    return of_host.mmio_read64(ctx, mmio, offset);
}

/* What was on its way is there when the unit has done the first that a drain asks of it. */
static inline void written(void)
{
    drained |= drains;
    instant_is_here();
}

static inline void write32_watched(void *ctx, void *mmio, size_t offset,
                                   uint32_t value)
{
    instant_is_here();
    of_host.mmio_write32(ctx, mmio, offset, value);
    written();
}

static inline void write64_watched(void *ctx, void *mmio, size_t offset,
                                   uint64_t value)
{
    instant_is_here();
    of_host.mmio_write64(ctx, mmio, offset, value);
    written();
}

static inline void pci_write_watched(void *ctx, struct uiommu_pci where,
                                     unsigned offset, unsigned bytes,
                                     uint32_t value)
{
    instant_is_here();
    of_host.pci_write(ctx, where, offset, bytes, value);
    instant_is_here();
}

static inline enum uiommu_status drain_watched(struct uiommu_endpoint *ep)
{
    enum uiommu_status status;

    drains = ep->pasid == 1;
    status = of_unit->drain(ep);
    drains = false;
    return status;
}

static inline void watch_locks(struct rig *rig)
{
    of_host = rig->u->host;
    rig->u->host.spin_lock = lock_watched;
    rig->u->host.spin_unlock = unlock_watched;
}

static inline void watch(struct rig *rig)
{
    struct uiommu_host *h = &rig->u->host;

    watch_locks(rig);
    h->mmio_read32 = read32_watched;
    h->mmio_read64 = read64_watched;
    h->mmio_write32 = write32_watched;
    h->mmio_write64 = write64_watched;
    h->pci_write = pci_write_watched;
    of_unit = rig->u->unit[0]->ops;
    watched = *of_unit;
    watched.drain = drain_watched;
    rig->u->unit[0]->ops = &watched;
}

static inline void watch_no_more(struct rig *rig)
{
    rig->u->host = of_host;
    if (of_unit)
        rig->u->unit[0]->ops = of_unit;
    of_unit = NULL;
}

/* As if nobody had asked. */
static inline void forget(struct pager *p)
{
    if (p->groups > 0)
        rig_ok(uiommu_unmap(p->d, BASE, MIB(2), NULL));
    p->groups = p->n = 0;
}

#endif
