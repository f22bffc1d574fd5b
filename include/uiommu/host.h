/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_HOST_H
#define UIOMMU_HOST_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What uiommu needs from whoever embeds it. Every function takes `ctx` first.
 *
 * Fill in what the level you use asks for and leave the rest NULL:
 *   level 0  nothing           decoders, uiommu_explain_fault()
 *   level 1  log               firmware discovery (map_table, unmap_table too, if
 *                              uiommu_find_tables() shall look for the tables)
 *   level 2  all but those marked optional: drivers
 *
 * "Spin context" below means: called while uiommu holds one of the spin locks it
 * created, or from a call that the embedder made with interrupts off. Functions
 * that may be called there must not sleep. docs/locking.md has the lock order.
 */

enum uiommu_log_level {
    UIOMMU_LOG_ERROR, /* hardware or firmware is broken, or protection is lost */
    UIOMMU_LOG_WARN,
    UIOMMU_LOG_INFO,
    UIOMMU_LOG_DEBUG,
};

enum {
    UIOMMU_PAGES_ATOMIC = 1u << 0, /* must not sleep */
    /* A unit writes there, and the CPU reads: where a unit does not snoop, memory that
     * the CPU does not cache. */
    UIOMMU_PAGES_COHERENT = 1u << 1,
};

struct uiommu_host {
    uint32_t size; /* sizeof(struct uiommu_host) of the embedder */
    void *ctx;

    /* ---- level 1: discovery ------------------------------------------- */

    /* The index-th ACPI table with this signature: its address and, in *size,
     * its whole length; NULL if there is none. May sleep. Optional.         */
    const void *(*map_table)(void *ctx, const char signature[4], unsigned index,
                             size_t *size);
    /* Give back what map_table returned. May sleep. Optional. */
    void (*unmap_table)(void *ctx, const void *table, size_t size);
    /* One sentence, NUL-terminated, no newline. Any context. Optional. */
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);

    /* ---- level 2: memory ---------------------------------------------- */

    /* Bytes, aligned for any type, contents undefined; NULL: none left. May
     * sleep; never called in spin context.                                  */
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *ptr, size_t size);

    /* 2^order pages of 4096 bytes, zeroed, physically contiguous, aligned to
     * their size, with the bus address in *phys; NULL: none left. Must not
     * sleep if flags has UIOMMU_PAGES_ATOMIC.                               */
    void *(*pages_alloc)(void *ctx, unsigned order, unsigned flags,
                         uint64_t *phys);
    /* Must not sleep. */
    void (*pages_free)(void *ctx, void *virt, uint64_t phys, unsigned order);

    /* The CPU address of what pages_alloc returned for `phys`. Any context.
     * Where that is `phys + direct_offset` for all such pages, set direct_map
     * instead: table walks then make no calls.                              */
    void *(*phys_to_virt)(void *ctx, uint64_t phys);
    bool direct_map;
    uint64_t direct_offset;

    /* Write back the CPU cache lines of [virt, virt + size), so that a unit
     * which does not snoop reads what was stored. Any context. May be NULL
     * where every unit snoops: a unit that does not is then refused.        */
    void (*flush)(void *ctx, const void *virt, size_t size);
    /* Stores made before are visible to devices before stores, flushes and MMIO
     * made after. Any context. NULL: a sequentially consistent fence.       */
    void (*fence)(void *ctx);

    /* ---- level 2: registers ------------------------------------------- */

    /* A handle for `size` bytes of registers at physical address `phys`,
     * uncached; NULL: cannot. May sleep.                                    */
    void *(*mmio_map)(void *ctx, uint64_t phys, size_t size);
    void (*mmio_unmap)(void *ctx, void *mmio, size_t size);
    /* One access of that width, little-endian registers, never combined or
     * reordered with another. `offset` is aligned. Any context. Hosts that
     * cannot do 64 bits at once do the low half first.                      */
    uint32_t (*mmio_read32)(void *ctx, void *mmio, size_t offset);
    uint64_t (*mmio_read64)(void *ctx, void *mmio, size_t offset);
    void (*mmio_write32)(void *ctx, void *mmio, size_t offset, uint32_t value);
    void (*mmio_write64)(void *ctx, void *mmio, size_t offset, uint64_t value);

    /* PCI configuration space; width 1, 2 or 4 bytes, offset aligned to it and
     * below 4096. Where nothing answers: all ones, and writes are dropped.
     * May sleep. Optional where no PCI devices are added.                   */
    uint32_t (*pci_read)(void *ctx, struct uiommu_pci where, unsigned offset,
                         unsigned width);
    void (*pci_write)(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value);

    /* ---- level 2: locks and time --------------------------------------- */

    /* Sleeping locks. NULL from create: none left. */
    void *(*mutex_create)(void *ctx);
    void (*mutex_destroy)(void *ctx, void *mutex);
    void (*mutex_lock)(void *ctx, void *mutex);
    void (*mutex_unlock)(void *ctx, void *mutex);
    /* Spin locks: keep interrupts off on this CPU while held. */
    void *(*spin_create)(void *ctx);
    void (*spin_destroy)(void *ctx, void *spin);
    void (*spin_lock)(void *ctx, void *spin);
    void (*spin_unlock)(void *ctx, void *spin);

    /* Monotonic nanoseconds. Any context. */
    uint64_t (*now_ns)(void *ctx);
    /* Called in each round of a wait for hardware; may yield if not in spin
     * context. Any context. Optional.                                       */
    void (*relax)(void *ctx);

    /* ---- level 2: interrupts of the units ------------------------------ */

    /* An MSI for interrupt n of a unit (its index as in uiommu_unit_info): where
     * the unit has to write what. When it arrives the host calls
     * uiommu_irq(u, unit, n). May sleep. Optional: without it the embedder
     * calls uiommu_poll() now and then.                                     */
    enum uiommu_status (*msi_alloc)(void *ctx, unsigned unit, unsigned n,
                                    uint64_t *addr, uint32_t *data);
    void (*msi_free)(void *ctx, unsigned unit, unsigned n);

    /* ---- level 2: tables of somebody else -------------------------------- */

    /* The CPU address of `size` bytes, up to 1 MiB, of RAM at bus address `phys`,
     * page-aligned, to be read only: where units that are adopted have their tables,
     * see handover.h, and what audit.h reads, also of pages_alloc()'s. That address is
     * the last owner's word alone, or of a table that anybody may have written: NULL
     * where it is no RAM. Up to four at a time. May sleep. Optional.          */
    const void *(*memory_map)(void *ctx, uint64_t phys, size_t size);
    void (*memory_unmap)(void *ctx, const void *virt, size_t size);

    /* ---- level 2: threads ------------------------------------------------ */

    /* Which thread calls: not 0, and never the same for two at a time. Any context.
     * Optional: without it whoever would change endpoints of a device while its mediator
     * is called is taken for that mediator, see mediated.h.                 */
    uintptr_t (*thread)(void *ctx);
};

#ifdef __cplusplus
}
#endif
#endif
