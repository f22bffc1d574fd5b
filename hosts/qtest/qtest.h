/* SPDX-License-Identifier: MIT */
/*
 * qtest.h - a machine (hosts/machine.h) in QEMU with an IOMMU of QEMU's own and NVMe
 * controllers for DMA: a PC (q35) or its Arm machine (virt). QEMU is an ordinary
 * process; it runs no guest, and no CPU unless there are conventional devices.
 * Registers go over its qtest socket, RAM is shared memory.
 *
 * Calls on one machine may come from several threads. The thread that opens it
 * has to outlive it: when that thread ends, so does QEMU.
 */
#ifndef UIM_HOSTS_QTEST_QTEST_H
#define UIM_HOSTS_QTEST_QTEST_H

#include <sys/types.h>

#include "hosts/machine.h"

enum {
    QTEST_MAX_ENGINES = 8,
    QTEST_MAX_EDUS = 4,
    QTEST_MAX_DMA = 512 * 1024, /* bytes of one machine_dma()            */
};

struct qtest_config {
    const char *iommu; /* "intel-iommu" (or NULL), "smmuv3"                */
    /* What the unit offers; the driver's mode has to fit it. NULL is the first.
     * intel-iommu: "legacy", "scalable" (second stage only), "first-stage"
     * (scalable, first stage only). smmuv3: "nested" (both), "stage1",
     * "stage2".                                                           */
    const char *mode;
    const char *options; /* more of its options, "caching-mode=on", or NULL */
    unsigned n_engines;  /* NVMe controllers                             */
    bool root_port;      /* the last engine is behind a PCIe root port   */
    /* Conventional PCI devices (QEMU's "edu"), all behind one PCIe-to-PCI bridge,
     * which has a root port of its own. Their DMA takes time of the machine's, so
     * that a CPU has to run: it waits for ever. They come last in the list.  */
    unsigned n_edus;
    const char *binary;  /* NULL: "qemu-system-...", from the path       */
    unsigned timeout_ms; /* how long QEMU may be silent; 0: 10 s         */

    /* Where what uiommu logs goes; NULL: errors and warnings to stderr.  */
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);
    void *log_ctx;
};

/**
 * Start QEMU and bring the machine to where firmware hands over: bus numbers
 * and BARs assigned, ACPI tables in RAM, bus mastering on, the IOMMU off. NULL:
 * a sentence of why in error[size]. Close with machine_close().
 *
 * DMA takes any iova and any size up to QTEST_MAX_DMA, to the byte; but not the
 * address of the engine's own BAR. What the IOMMU refused is
 * MACHINE_DMA_REFUSED by QEMU's own account, be it the data or the rings in
 * machine_engine_area(); a part may have been done, and buf of a read is what
 * the device got.
 *
 * Interrupt messages are sent by the engine's MSI-X at the end of a command, so it
 * has to reach its rings; an edu sends none here. The last 64 interrupts that arrived
 * are kept.
 *
 * On a PC, vectors f0h to f7h of APIC 0 are the unit's, whoever sends them. The Arm
 * machine has an ITS at 8080000h (messages go to 8090040h) and no I/O APIC; its unit
 * has wires: event queue, PRI queue, CMD_SYNC, GERROR are 0 to 3 of on_irq().
 */
struct machine *qtest_open(const struct qtest_config *config, char *error,
                           size_t size);

/* An invalidation of interrupt remapping entries. */
struct qtest_iec {
    bool global;
    unsigned index, mask; /* if not: 2^mask entries */
};

/** The oldest command for it, as QEMU read it, that was not taken yet; false: there
 *  is none. The last 64 are kept.                                           */
bool qtest_take_iec(struct machine *m, struct qtest_iec *out);

/** Pages that pages_alloc gave out and pages_free has not had back. */
size_t qtest_live_pages(struct machine *m);

/** Pages that are live are a former owner's from now on: they stay as they are, and
 *  memory_map shows them. And then that is over: they are overwritten and free. */
void qtest_hand_over(struct machine *m);
void qtest_reclaim(struct machine *m);

/** The version of QEMU: 100002 is 10.0.2. */
unsigned qtest_version(const struct machine *m);

/** The process; the one thing a test may do with it is send signals. */
pid_t qtest_pid(const struct machine *m);

#endif
