/* SPDX-License-Identifier: MIT */
/*
 * msi.h - vectors of CPU 0 for the IOMMU's own interrupts. No CPU takes them:
 * machine_run() finds in the log that they arrived.
 */
#ifndef UIM_HOSTS_QTEST_MSI_H
#define UIM_HOSTS_QTEST_MSI_H

#include <pthread.h>

#include <uiommu/interrupt.h>

enum { QT_MSIS = 8 };

struct qt_msis {
    pthread_mutex_t lock;
    struct {
        bool used;
        unsigned unit, n;
    } slot[QT_MSIS];
};

void qt_msis_init(struct qt_msis *msis);
void qt_msis_close(struct qt_msis *msis);

/* As msi_alloc and msi_free of struct uiommu_host. */
enum uiommu_status qt_msi_alloc(struct qt_msis *msis, unsigned unit, unsigned n,
                                uint64_t *addr, uint32_t *data);
void qt_msi_free(struct qt_msis *msis, unsigned unit, unsigned n);

/** Whether that is one of those vectors. */
bool qt_msi_is(const struct uiommu_irq_target *irq);
/** If so, whose; false: it was given back. */
bool qt_msi_owner(struct qt_msis *msis, const struct uiommu_irq_target *irq,
                  unsigned *unit, unsigned *n);

#endif
