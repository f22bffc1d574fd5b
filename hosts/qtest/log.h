/* SPDX-License-Identifier: MIT */
/*
 * log.h - what QEMU says it did, from its trace log: what its IOMMU refused, and
 * which interrupts its APICs took. NVMe controllers do not notice a refusal, fault
 * records show one of many and may be switched off; and no CPU runs that could
 * take an interrupt.
 */
#ifndef UIM_HOSTS_QTEST_LOG_H
#define UIM_HOSTS_QTEST_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hosts/qtest/qtest.h"

enum { QT_LOG_KEEP = 64 }; /* interrupts and commands nobody asked for yet */

struct qt_log {
    int fd;
    off_t seen;
    bool refused;
    char refusal[120]; /* the first line about it */
    uint64_t message; /* address of the last one that the unit let through */
    unsigned n_irqs, n_iecs;
    struct uiommu_irq_target irqs[QT_LOG_KEEP];
    struct qtest_iec iecs[QT_LOG_KEEP];
};

/* Trace points that say it. */
extern const char *const qt_log_events[];

bool qt_log_open(struct qt_log *log, char *error, size_t size);
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

/** Those of reset and firmware. */
void qt_log_forget_irqs(struct qt_log *log);

#endif
