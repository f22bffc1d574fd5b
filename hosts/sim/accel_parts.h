/* SPDX-License-Identifier: MIT */
/*
 * accel_parts.h - the upper half of a streaming accelerator's driver: work of its own, for
 * the host, without a PASID and by uiommu's DMA calls (dma.h); and queues that it lends to
 * clients as mediated devices of the kind PASID (mediated.h), each with an endpoint to see
 * domains by and a portal to submit to, so that a client needs the driver no more until it
 * gives its queue back.
 *
 * Queue 0 is the driver's. Calls are made by one thread at a time, as those of uiommu about
 * the device are; clients submit and wait whenever they like.
 */
#ifndef UIM_HOSTS_SIM_ACCEL_PARTS_H
#define UIM_HOSTS_SIM_ACCEL_PARTS_H

#include "accel_driver.h"

enum { ACCEL_PARTS = 7 };

struct accel_parts;

/* A queue, and who has it. */
struct accel_part {
    struct accel_parts *parts;
    unsigned wq;
    struct uiommu_endpoint *endpoint; /* NULL: nobody */
    bool stuck;  /* it did not stop: only a reset of the function helps */
};

/* A copy for the host. */
struct accel_own {
    bool under_way;
    bool off; /* its queue: it did not stop, or the function is being reset */
    bool over; /* and only to be unmapped */
    bool src_mapped, dst_mapped;
    uint64_t src, dst; /* what the device sees */
    uint32_t size;
    /* What accel_parts_wait() says, in two: OK, IO or TIMEDOUT; and as uiommu_dma_unmap(). */
    enum uiommu_status copied, unmapped;
};

struct accel_parts {
    struct accel_driver drv;
    struct uiommu_device *device;
    uint8_t *page; /* completion records and descriptors of its own */
    uint64_t page_phys, page_iova;
    struct accel_own own;
    unsigned n;    /* queues to lend */
    struct accel_part part[ACCEL_PARTS];
    enum uiommu_status came_back; /* of a reset: queues */
    enum uiommu_status reset;     /* what the device said when it was stopped */
};

/* Of `device`, which is added. As accel_start(), uiommu_dma_start(), uiommu_dma_map(); NOMEM.
 * After a failure nothing is left, but p->page as after accel_parts_stop(). */
UIOMMU_MUST_CHECK enum uiommu_status
accel_parts_start(struct accel_parts *p, struct uiommu_device *device,
                  const struct uiommu_host *host, struct uiommu_pci pci,
                  const struct accel_cpu *cpu);
/* BUSY, and nothing happens: a queue is lent, or a copy is under way. AGAIN: suspended; to be
 * called again. NODEV, TIMEDOUT, IO: the device did not confirm its reset, or a unit that the
 * device reaches nothing; it is stopped all the same, and if p->page is not NULL, that page is
 * for the caller to free (order 0) once uiommu_device_remove() has answered OK. */
UIOMMU_MUST_CHECK enum uiommu_status accel_parts_stop(struct accel_parts *p);

/* ---- its own work -------------------------------------------------------- */

/* From one physical address to another, an even number of bytes, at most 4 MiB: mapped,
 * copied as a batch of two, and when that was waited for, unmapped. BUSY: one is under way
 * already, or its queue does not stop, until the function was reset; else as uiommu_dma_map(). */
UIOMMU_MUST_CHECK enum uiommu_status accel_parts_copy(struct accel_parts *p,
                                                      uint64_t dst,
                                                      uint64_t src,
                                                      uint32_t size);
/* INVAL: none is under way. AGAIN: suspended; it is over and still mapped; to be called again.
 * Else none is under way any more. IO: not all of it was copied. TIMEDOUT: nor will it be, in
 * that time or as the function was reset; or as uiommu_dma_unmap(). Which of these it is,
 * p->own says: unless `unmapped` is OK, the device may still reach the memory. */
UIOMMU_MUST_CHECK enum uiommu_status accel_parts_wait(struct accel_parts *p,
                                                      uint64_t ns);

/* ---- lending ------------------------------------------------------------- */

/* A queue of one's own, of which the endpoint is blocked: it is on while that sees a domain.
 * NOSPC: all are lent, or do not stop. As uiommu_mdev_register(). */
UIOMMU_MUST_CHECK enum uiommu_status accel_lend(struct accel_parts *p,
                                                struct accel_part **out);
/* As uiommu_mdev_unregister(): BUSY if it is claimed, or started for DMA. */
UIOMMU_MUST_CHECK enum uiommu_status accel_take_back(struct accel_part *part);

/* ---- resets -------------------------------------------------------------- */

/* Around a reset of the function by whoever calls: uiommu_device_reset_begin() and _end().
 * A copy that is under way is thrown away, with what clients have.
 * At its end queues are as they were and empty; if it did not work, or the device does not
 * come up, all of it stays blocked until it is removed, and what is lent is taken back. Else
 * what else _end() says but OK is of a queue that did not come on: its client submits in vain
 * until it is blocked. */
UIOMMU_MUST_CHECK enum uiommu_status
accel_parts_reset_begin(struct accel_parts *p);
UIOMMU_MUST_CHECK enum uiommu_status
accel_parts_reset_end(struct accel_parts *p, bool worked);

#endif
