/* SPDX-License-Identifier: MIT */
/*
 * log.h - what QEMU says it did, from its trace log: what its IOMMU refused, and
 * which interrupts its interrupt controllers took. NVMe controllers do not notice a
 * refusal, fault records show one of many and may be switched off; and no CPU runs
 * that could take an interrupt.
 */
#ifndef UIM_HOSTS_QTEST_LOG_H
#define UIM_HOSTS_QTEST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hosts/qtest/qtest.h"

enum { QT_LOG_KEEP = 64 }; /* interrupts and commands nobody asked for yet */

struct qt_log;

/* A trace point. */
struct qt_event {
    const char *name; /* NULL: the list ends */
    /* Reads a line of it; false: it cannot. NULL: something was refused. */
    bool (*take)(struct qt_log *log, const char *line);
};

struct qt_log {
    const struct qt_event *events;
    int fd;
    off_t seen;
    bool refused;
    char refusal[120]; /* the first line about it */
    uint64_t message; /* address of the last one that the unit let through */
    unsigned n_irqs, n_iecs;
    struct uiommu_irq_target irqs[QT_LOG_KEEP];
    unsigned wires; /* of the unit; bit n: wire n rose since it was asked for */
    struct qtest_iec iecs[QT_LOG_KEEP];
};

bool qt_log_open(struct qt_log *log, const struct qt_event *events, char *error,
                 size_t size);
void qt_log_close(struct qt_log *log);

/** Whether something was refused since this was last asked; if so the first line
 *  about it.                                                                */
bool qt_log_refusal(struct qt_log *log, char *line, size_t size);

/* The oldest that was not taken yet, of interrupts the oldest that `wanted` is true
 * of; false: there is none.                                                 */
bool qt_log_irq(struct qt_log *log,
                bool (*wanted)(const struct uiommu_irq_target *irq),
                struct uiommu_irq_target *out);
bool qt_log_iec(struct qt_log *log, struct qtest_iec *out);
/** Of the unit's wires that rose the first, however often it did. */
bool qt_log_wire(struct qt_log *log, unsigned *out);

/** Those of reset and firmware. */
void qt_log_forget_irqs(struct qt_log *log);

/* ---- what readers of lines found */

void qt_log_add_irq(struct qt_log *log, struct uiommu_irq_target irq);
/** Wire n of the unit, below 32, rose. */
void qt_log_add_wire(struct qt_log *log, unsigned n);
void qt_log_add_iec(struct qt_log *log, struct qtest_iec iec);

#endif
