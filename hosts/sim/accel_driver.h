/* SPDX-License-Identifier: MIT */
/*
 * accel_driver.h - a thin driver of a streaming accelerator: brings it up, configures
 * queues, builds descriptors, submits them, waits. It knows the device by its BARs and
 * memory only, and the machine by its host functions and two instructions, so that it
 * would run on a real one; it knows nothing of IOMMUs: addresses in descriptors are
 * what the device sees, PASIDs are numbers that somebody else obtained.
 *
 * Who shares a device between clients gives each a queue: accel_queue_setup() once,
 * accel_queue_pasid() when the queue gets a PASID or another, accel_queue_clear() when
 * it loses it, after which nothing with that PASID is under way in the device.
 *
 * A struct accel_driver is used by one thread at a time, but accel_submit() and
 * accel_wait() by any number.
 */
#ifndef UIM_HOSTS_SIM_ACCEL_DRIVER_H
#define UIM_HOSTS_SIM_ACCEL_DRIVER_H

#include <uiommu/uiommu.h>

#include "accel_layout.h"

/* Instructions that host functions do not have; sim_movdir64b() and so on. */
struct accel_cpu {
    void (*movdir64b)(void *ctx, uint64_t addr, const void *bytes);
    bool (*enqcmds)(void *ctx, uint64_t addr, const void *bytes);
    void *ctx;
    /* How long the device has run, where it may stand still: limits are of that. NULL: the
     * host's clock. */
    uint64_t (*now_ns)(void *ctx);
};

struct accel_driver {
    const struct uiommu_host *host;
    struct uiommu_pci pci;
    struct accel_cpu cpu;
    void *regs;            /* BAR 0; NULL: not started, and calls are NODEV */
    uint64_t portals;      /* physical address of BAR 2 */
    unsigned wqs, engines; /* that there are */
    unsigned entries;      /* to be shared by the queues */
    uint64_t grpcfg, wqcfg, msix_perm, msix, wqcfg_size;
    uint32_t error; /* of the last command that failed */
    bool blocks[256]; /* queues whose descriptors may block on faults */
    uint64_t
        limit_ns; /* how long a command may take; accel_start(): a second */
};

struct accel_queue {
    uint16_t size, threshold; /* threshold 0: size */
    bool shared;
    bool block_on_fault; /* if the function may ask for pages when it goes on */
    uint32_t pasid;           /* UIOMMU_NO_PASID: dedicated, and without one */
    uint8_t max_xfer_shift;   /* 0: the device's */
    uint8_t max_batch_shift;  /* 0: the device's */
};

/* Memory space has to be on; nothing is enabled.
 * NODEV: no such device, or another version; NOMEM: no mapping; TIMEDOUT. */
UIOMMU_MUST_CHECK enum uiommu_status accel_start(struct accel_driver *d,
                                                 const struct uiommu_host *host,
                                                 struct uiommu_pci pci,
                                                 const struct accel_cpu *cpu);
/* It is as it was then: what it had under way is gone, without a record. Also after a reset of
 * the function, whose registers in configuration space are as they were. NODEV: it is not
 * there. TIMEDOUT: it goes on. */
UIOMMU_MUST_CHECK enum uiommu_status accel_reset(struct accel_driver *d);
/* The last of it, as accel_reset(): what is under way may go on if that says so. OK if it was
 * not started. */
UIOMMU_MUST_CHECK enum uiommu_status accel_stop(struct accel_driver *d);

/* A command by its number. IO: the device refused, d->error says why (CMDSTS.err). TIMEDOUT: it
 * did not end in time, and may still. BUSY: one before it did not, and this one was not given. */
UIOMMU_MUST_CHECK enum uiommu_status accel_command(struct accel_driver *d,
                                                   enum accel_command command,
                                                   uint32_t operand);

/* Before accel_enable(): size and mode of queue `wq`, which gets all engines. */
UIOMMU_MUST_CHECK enum uiommu_status
accel_queue_setup(struct accel_driver *d, unsigned wq,
                  const struct accel_queue *queue);
/* All of the device; queues are still off. Users' descriptors may ask for interrupts. */
UIOMMU_MUST_CHECK enum uiommu_status accel_enable(struct accel_driver *d);
UIOMMU_MUST_CHECK enum uiommu_status accel_queue_on(struct accel_driver *d,
                                                    unsigned wq);
/* Waits for what was submitted, of which no more is accepted. */
UIOMMU_MUST_CHECK enum uiommu_status accel_queue_off(struct accel_driver *d,
                                                     unsigned wq);
/* A dedicated queue is turned on with this PASID, or without one; if it was on, after
 * all that it had has ended. TIMEDOUT: that does not end. */
UIOMMU_MUST_CHECK enum uiommu_status
accel_queue_pasid(struct accel_driver *d, unsigned wq, uint32_t pasid);
/* Throws away what is under way, and turns the queue off, which has no PASID then and is
 * configured as before. OK: nothing of it moves any more, whatever was submitted meanwhile.
 * Anything else: it may. */
UIOMMU_MUST_CHECK enum uiommu_status accel_queue_clear(struct accel_driver *d,
                                                       unsigned wq);

/* Vector `n` sends this message, of descriptors with that PASID or none; masked until
 * then. accel_irq_enable() is for all of them. */
void accel_irq_setup(struct accel_driver *d, unsigned n, uint64_t addr,
                     uint32_t data, uint32_t pasid);
void accel_irq_enable(struct accel_driver *d, bool on);

/* ---- descriptors --------------------------------------------------------- */

struct accel_desc {
    uint64_t q[8]; /* in the byte order of the device */
};

/* `flags` of enum accel_flag; a record is wanted if `record` is not 0. */
struct accel_desc accel_desc(enum accel_opcode opcode, uint32_t flags,
                             uint64_t record);
void accel_desc_copy(struct accel_desc *d, uint64_t dst, uint64_t src,
                     uint32_t size);
void accel_desc_fill(struct accel_desc *d, uint64_t dst, uint64_t pattern,
                     uint32_t size);
void accel_desc_compare(struct accel_desc *d, uint64_t one, uint64_t other,
                        uint32_t size);
/* Of a COMPVAL. */
void accel_desc_compare_value(struct accel_desc *d, uint64_t src,
                              uint64_t pattern, uint32_t size);
void accel_desc_crc(struct accel_desc *d, uint64_t src, uint32_t seed,
                    uint32_t size);
void accel_desc_batch(struct accel_desc *d, uint64_t list, uint32_t count);
void accel_desc_handle(struct accel_desc *d, unsigned vector);
/* Of a shared queue; accel_submit() puts it in. */
void accel_desc_pasid(struct accel_desc *d, uint32_t pasid);

/* The page of a queue for whoever may submit to it by himself: the physical address at
 * which 64 bytes are written at once. */
uint64_t accel_portal(const struct accel_driver *d, unsigned wq);
/* To a shared queue with the PASID, which else is ignored. AGAIN: a shared queue takes
 * no more now. Whether a dedicated one had room, its user knows. */
UIOMMU_MUST_CHECK enum uiommu_status
accel_submit(struct accel_driver *d, unsigned wq, bool shared, uint32_t pasid,
             const struct accel_desc *desc);

struct accel_record {
    enum accel_status status;
    bool fault_write;
    uint8_t result;
    uint32_t bytes;
    uint64_t fault;
    uint32_t special; /* the CRC, or the flags that were wrong */
};

/* A completion record in memory; NONE: not written yet. The word with the status has to
 * be 0 before the descriptor is submitted. */
struct accel_record accel_look(const void *record);
/* Until it is written. TIMEDOUT: not within `ns`. */
UIOMMU_MUST_CHECK enum uiommu_status accel_wait(struct accel_driver *d,
                                                const void *record, uint64_t ns,
                                                struct accel_record *out);

/* What SWERR has, which is cleared; false: nothing. */
struct accel_swerr {
    struct accel_swerr_q0 q0;
    struct accel_swerr_q1 q1;
    uint64_t fault;
};
bool accel_take_error(struct accel_driver *d, struct accel_swerr *out);

#endif
