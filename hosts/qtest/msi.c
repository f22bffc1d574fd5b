/* SPDX-License-Identifier: MIT */
/* msi.c - see msi.h. */
#include "hosts/qtest/msi.h"

enum { FIRST_VECTOR = 0xf0 };

#define CPU0 UINT64_C(0xfee00000)

void qt_msis_init(struct qt_msis *msis)
{
    *msis = (struct qt_msis){ 0 };
    (void)pthread_mutex_init(&msis->lock, NULL);
}

void qt_msis_close(struct qt_msis *msis)
{
    (void)pthread_mutex_destroy(&msis->lock);
}

enum uiommu_status qt_msi_alloc(struct qt_msis *msis, unsigned unit, unsigned n,
                                uint64_t *addr, uint32_t *data)
{
    unsigned i = 0;

    (void)pthread_mutex_lock(&msis->lock);
    while (i < QT_MSIS && msis->slot[i].used) {
        i++;
    }
    if (i < QT_MSIS) {
        msis->slot[i].used = true;
        msis->slot[i].unit = unit;
        msis->slot[i].n = n;
        *addr = CPU0;
        *data = FIRST_VECTOR + i;
    }
    (void)pthread_mutex_unlock(&msis->lock);
    return i < QT_MSIS ? UIOMMU_OK : UIOMMU_NOSPC;
}

void qt_msi_free(struct qt_msis *msis, unsigned unit, unsigned n)
{
    (void)pthread_mutex_lock(&msis->lock);
    for (unsigned i = 0; i < QT_MSIS; i++) {
        if (msis->slot[i].unit == unit && msis->slot[i].n == n) {
            msis->slot[i].used = false;
        }
    }
    (void)pthread_mutex_unlock(&msis->lock);
}

bool qt_msi_is(const struct uiommu_irq_target *irq)
{
    return irq->destination == 0 && irq->vector >= FIRST_VECTOR &&
           irq->vector < FIRST_VECTOR + QT_MSIS;
}

bool qt_msi_owner(struct qt_msis *msis, const struct uiommu_irq_target *irq,
                  unsigned *unit, unsigned *n)
{
    unsigned i = irq->vector - FIRST_VECTOR;
    bool used;

    (void)pthread_mutex_lock(&msis->lock);
    used = msis->slot[i].used;
    *unit = msis->slot[i].unit;
    *n = msis->slot[i].n;
    (void)pthread_mutex_unlock(&msis->lock);
    return used;
}
