/* SPDX-License-Identifier: MIT */
/*
 * board.h - a machine of QEMU's with one of its IOMMUs: what there is, and where.
 * Nothing else in this folder knows one from another.
 */
#ifndef UIM_HOSTS_QTEST_BOARD_H
#define UIM_HOSTS_QTEST_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts/qtest/log.h"

/* A way the unit can be. */
struct qt_mode {
    const char *name;    /* NULL: the list ends */
    const char *machine; /* -machine */
    const char *options; /* of the unit, or NULL */
};

struct qt_board {
    const char *iommu; /* as struct qtest_config calls it */
    const char *name;  /* as struct machine does */
    const char *binary;
    const char *cpu;             /* NULL: any */
    uint64_t halt; /* code, low byte first: a CPU waits for ever in it */
    const struct qt_mode *modes; /* the first is what NULL means */
    const struct qt_event *events;

    uint64_t ram;     /* where it begins */
    uint64_t bars;    /* QT_N_BARS times QT_BAR_STEP for memory BARs */
    uint64_t ecam;    /* PCI configuration, of bus 0 */
    bool ecam_off;    /* until PCIEXBAR of the host bridge says so */
    uint64_t fw_cfg;  /* its DMA address register... */
    bool fw_cfg_port; /* ...a port, or in memory */

    const char *unit;              /* what QEMU calls it */
    bool unit_is_device;           /* we add it; else the machine has it */
    uint64_t unit_base, unit_size; /* its registers */
    bool unit_msi;                 /* it sends messages; else it has wires */
    const char *table;             /* that announces it */
    const char *ioapic; /* its place in QEMU's tree; NULL: there is none */
};

/** By the name of its IOMMU; NULL means the first, and is the answer if there is
 *  none.                                                                    */
const struct qt_board *qt_board_find(const char *iommu);
/** By its name; NULL means the first, and is the answer if there is none. */
const struct qt_mode *qt_board_mode(const struct qt_board *board,
                                    const char *name);

extern const struct qt_board qt_board_q35, qt_board_virt;

#endif
