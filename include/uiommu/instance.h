/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_INSTANCE_H
#define UIOMMU_INSTANCE_H

#include <uiommu/dma.h>
#include <uiommu/fault.h>
#include <uiommu/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The life of an instance:
 *
 *     create -> add_table ... -> start -> (devices, domains, poll) -> stop
 *                                                                  -> destroy
 *
 * Calls of this header are made by one thread at a time, except uiommu_poll()
 * and uiommu_irq(), which may run beside anything between start and stop.
 */

enum {
    /* Never enable ATS, whatever firmware and devices allow. */
    UIOMMU_CONFIG_NO_ATS = 1u << 0,
    /* Units refuse all interrupts of devices but those of interrupt.h: start fails
     * where one cannot. The host must have mapped what it needs soon after.    */
    UIOMMU_CONFIG_REMAP_INTERRUPTS = 1u << 1,
    /* With it: destinations have 32 bits (x2APIC), where all units can; else start
     * fails, and where firmware opts out of x2APIC (DMAR.X2APIC_OPT_OUT): software is
     * required to look at that before it takes x2APIC for supported (VT-d 8.1). */
    UIOMMU_CONFIG_X2APIC = 1u << 2,
    /* Devices may be claimed although they can forge interrupts (semantics B.4); the
     * log warns of each, once. */
    UIOMMU_CONFIG_UNSAFE_INTERRUPTS = 1u << 3,
    /* Units that translate already go on with what they translate; handover.h. */
    UIOMMU_CONFIG_ADOPT = 1u << 4,
    /* A PASID belongs to a whole group; see pasid.h. */
    UIOMMU_CONFIG_WIDE_PASIDS = 1u << 5,
    /* Leave access control services (ACS) of ports and functions as they are found;
     * else uiommu_device_add() switches on what keeps devices apart.           */
    UIOMMU_CONFIG_ACS_AS_FOUND = 1u << 6,
    /* Paging domains have no window for doorbells: the host maps them.        */
    UIOMMU_CONFIG_NO_DOORBELL_WINDOW = 1u << 7,
};

#define UIOMMU_STORM_USUAL UINT32_C(1000)

/* How a unit stops DMA (semantics A.S1), best first. */
enum uiommu_block_quality {
    UIOMMU_BLOCK_UNSAID,
    UIOMMU_BLOCK_ABORT, /* an entry that refuses                            */
    UIOMMU_BLOCK_EMPTY, /* translation with nothing mapped                  */
    UIOMMU_BLOCK_SINK,  /* accesses go to a scratch page, and seem to succeed */
    UIOMMU_BLOCK_NONE,  /* not at all                                       */
};

struct uiommu_config {
    uint32_t size; /* sizeof(struct uiommu_config) of the embedder */
    uint32_t flags;

    /* Faults that no domain handler took; see fault.h. Optional. */
    uiommu_fault_fn on_fault;
    void *fault_ctx;

    /* "driver.key=value,..." or NULL; a driver or key that nobody knows fails
     * uiommu_start() with a sentence. Keys are listed in drivers.h.         */
    const char *options;

    /* With UIOMMU_CONFIG_ADOPT: what the last owner left, see handover.h; it is read
     * by uiommu_start(). Optional.                                            */
    const struct uiommu_record *record;
    size_t record_size;

    /* What drivers of the host start with that do not ask (dma.h): ANY is TRANSLATED.
     * IDENTITY only for devices that are trusted.                             */
    enum uiommu_dma_kind default_domain;
    /* The least that a unit needs for its devices to be claimed; 0: EMPTY.    */
    enum uiommu_block_quality block_quality;

    /* Where uiommu_irq_doorbell() maps doorbells, in domains of units that translate
     * interrupt messages: multiples of 64 KiB, one doorbell in each. Size 0: 1 MiB at
     * 0x8000000.                                                              */
    uint64_t doorbell_start, doorbell_size;

    /* Page requests wait for uiommu_serve(). Any context, as uiommu_poll(), maybe with
     * mutexes of uiommu held: it calls nothing back. Not called again for what was there
     * before. Optional: then call it after each poll. */
    void (*on_request)(void *ctx);
    void *request_ctx;
    /* A group that a handler left for LATER is answered with INVALID after so many
     * nanoseconds, at the next uiommu_poll(), uiommu_irq() or uiommu_serve(); 0: never. */
    uint64_t request_limit_ns;
    /* Faults of one id in a second that are heard before its device is shut off, see
     * fault.h. 0: however many. UIOMMU_STORM_USUAL is more than what a device that is
     * merely broken, or told a wrong address, comes to.                       */
    uint32_t storm_budget;
    /* As uiommu_domain_config.events, of default domains (dma.h).             */
    uint32_t default_events;
};

/**
 * A new instance. `host` must outlive it; `config` may be NULL and is copied.
 *
 * May sleep. INVAL: a host member that level 2 needs is missing (the log names
 * it), a size is unknown, or an unknown flag is set. NOMEM.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_create(const struct uiommu_host *host,
              const struct uiommu_config *config, struct uiommu **out);

/**
 * Give one ACPI table before start; it is copied. DMAR and IORT name units; with IORT
 * goes the MADT ("APIC"), which says where Arm's interrupt messages go: see region.h.
 * Without it, or if what it says is wrong, only that is not known.
 *
 * May sleep. INVAL: too short, wrong length or checksum; the log says which. The
 * structures inside are checked by uiommu_start(), which knows the parsers. EXIST:
 * a table of that signature is there already. BUSY: already started. NOMEM.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_add_table(struct uiommu *u, const void *table, size_t size);

/**
 * Ask the host's map_table for every table that `drivers` can read, and add what is
 * found and not there yet: all of it, or nothing. A MADT that cannot be added is
 * logged and left out. NOENT: nothing new. OPNOTSUPP: the host has no map_table.
 * Other failures as uiommu_add_table().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_find_tables(struct uiommu *u, const struct uiommu_driver *const *drivers,
                   size_t n);

/**
 * Bring every unit that the tables name from whatever firmware left to
 * translation enabled with every requester blocked. Requesters with firmware
 * regions (RMRR, RMR) keep exactly those regions, and had them before the switch.
 *
 * May sleep. NOENT: no table names a unit. INVAL: a table or option is wrong. NODEV:
 * a unit is not there or cannot be driven. OPNOTSUPP: a unit lacks the mode or the
 * interrupt remapping asked for, or does not snoop and the host has no flush. BUSY:
 * started before. NOMEM; TIMEDOUT, IO: a unit failed. The log has the reason.
 * On failure no unit is left half done: those that were switched are off again, or, if
 * they were adopted, as they were.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_start(struct uiommu *u, const struct uiommu_driver *const *drivers,
             size_t n);

/**
 * Read and deliver what the units have to say: fault records, queue errors.
 * Any context but spin; never sleeps. Without interrupts, call it regularly.
 *
 * True: a device faults as fast as it is heard, and something is left. No interrupt
 * will tell of it, nor of the fault of any other device: call again soon, from a
 * timer or thread, until it is false. Faults that it had to drop are told as
 * `overflow` of the next. After uiommu_start() and uiommu_resume(), call it once.
 */
bool uiommu_poll(struct uiommu *u);

/** Interrupt n of a unit arrived. As uiommu_poll(), for that unit alone. Before
 *  uiommu_start() and after uiommu_stop() nothing happens. */
bool uiommu_irq(struct uiommu *u, unsigned unit, unsigned n);

/**
 * Around a sleep of the machine that loses the units' registers. All state
 * lives in memory; resume programs the registers anew, all caches invalidated,
 * before any DMA may start. Devices are quiet, and no other call is under way,
 * when suspend is called; until resume, what needs a unit answers AGAIN: moving
 * endpoints, owners, devices, and unmap and split in domains that devices saw.
 *
 * May sleep. BUSY: not started, or not suspended. TIMEDOUT, IO: a unit failed. A
 * suspend that failed leaves all units running; a resume that failed may be
 * tried again, or given up: then uiommu_irq_unmap(), uiommu_release() and
 * uiommu_device_remove() no longer answer AGAIN, but TIMEDOUT where a unit did not
 * come back (what they take away is gone all the same), and uiommu_stop() ends it.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_suspend(struct uiommu *u);
UIOMMU_MUST_CHECK enum uiommu_status uiommu_resume(struct uiommu *u);

/**
 * Switch translation and interrupt remapping off. May sleep. BUSY: not started, or
 * devices that the host added or interrupts that it mapped are still there, or an
 * adoption has not ended: DMA that nothing confines must not begin by accident.
 * TIMEDOUT: a unit goes on translating; it is given up, and tables that it may
 * read stay allocated for ever. Not from a fault handler.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_stop(struct uiommu *u);

/**
 * Free everything. BUSY, and nothing happens, while started or while the
 * embedder still holds domains or devices. May sleep.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_destroy(struct uiommu *u);

/* ---- units --------------------------------------------------------------- */

struct uiommu_unit_info {
    const char *driver; /* "vtd"                                          */
    unsigned index;     /* as msi_alloc and uiommu_irq use it             */
    uint64_t base;      /* of its registers                               */
    uint16_t segment;
    bool coherent;      /* walks snoop the CPU's caches                   */
    uint8_t iova_bits;  /* widest domain                                  */
    uint64_t page_sizes; /* bit n: leaves of 2^n bytes                    */
    const char *mode;   /* the driver's word for how it runs: "legacy"    */
    bool remaps;        /* interrupts: only those of interrupt.h pass     */
    enum uiommu_block_quality block_quality;
};

/** Describe unit `index` of a started instance. NOENT: there are fewer. */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_unit_info(struct uiommu *u, unsigned index,
                 struct uiommu_unit_info *out);

#ifdef __cplusplus
}
#endif
#endif
