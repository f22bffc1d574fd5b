/* SPDX-License-Identifier: MIT */
/*
 * accel_irq.c - MSI-X of the streaming accelerator. Messages are writes of the
 * function without PASID, and meet what such writes meet.
 */
#include "accel_device.h"

enum {
    MSIX_CONTROL = ACCEL_MSIX_AT + 2,
    MSIX_ENABLE = 1u << 15,
    MSIX_MASK_ALL = 1u << 14,
};

static bool may_send(struct sim_accel *a)
{
    unsigned control;

    pthread_mutex_lock(&a->s->pci.lock);
    control = sim_config16(a->f, MSIX_CONTROL);
    pthread_mutex_unlock(&a->s->pci.lock);
    return (control & (MSIX_ENABLE | MSIX_MASK_ALL)) == MSIX_ENABLE;
}

static bool take_due(struct sim_accel *a, unsigned v, uint64_t *addr,
                     uint32_t *data)
{
    bool due;

    pthread_mutex_lock(&a->lock);
    due = (a->pending >> v & 1) != 0 && (a->vector[v][1] >> 32 & 1) == 0;
    if (due) {
        a->pending &= ~UIM_BIT(v);
        *addr = a->vector[v][0];
        *data = (uint32_t)a->vector[v][1];
    }
    pthread_mutex_unlock(&a->lock);
    return due;
}

static void send(struct sim_accel *a, uint64_t addr, uint32_t data)
{
    uint8_t bytes[4];
    struct sim_request r = {
        .dev = (unsigned)(a->f - a->s->pci.func),
        .pasid = UIOMMU_NO_PASID,
        .write = true,
        .iova = addr,
        .buf = bytes,
        .size = sizeof(bytes),
    };

    sim_table_put(bytes, 4, data);
    (void)sim_transfer(a->s, &r);
}

void accel_send_irqs(struct sim_accel *a)
{
    uint64_t addr;
    uint32_t data;

    if (!may_send(a)) {
        return;
    }
    for (unsigned v = 0; v < ACCEL_VECTORS; v++) {
        if (take_due(a, v, &addr, &data)) {
            send(a, addr, data);
        }
    }
}
