/* SPDX-License-Identifier: MIT */
/*
 * raw.h - a unit by hand, without a line of the library: what a machine does is shown
 * independently of the driver that it is to test. VT-d in legacy mode and, with the
 * layouts of src/spec, in scalable mode; SMMUv3 with stage 1 or stage 2; all with tables
 * of four levels and 4 KiB pages.
 */
#ifndef UIM_TESTS_QTEST_RAW_H
#define UIM_TESTS_QTEST_RAW_H

#include "hosts/machine.h"

enum { RAW_BLOCKS = 64 };

struct raw {
    const struct raw_ops *ops;
    struct machine *m;
    void *regs;
    uint64_t *sources;  /* by requester: root table, stream table  */
    uint64_t *table;    /* the one of the last level               */
    uint64_t *context;  /* what leads to it: SMMUv3's context
                         * descriptor, VT-d's PASID directory      */
    uint64_t *commands; /* the queues                              */
    uint64_t *events;   /* VT-d: what a wait writes                */
    unsigned n_blocks;
    struct {
        void *virt;
        uint64_t phys;
        unsigned order;
    } blocks[RAW_BLOCKS];
};

enum raw_reason {
    RAW_NO_CONTEXT,
    RAW_NO_READ,
    RAW_NO_WRITE,
    RAW_OTHER,
};

struct raw_fault {
    bool pending;
    enum raw_reason reason;
    uint16_t source;
    bool has_iova;
    uint64_t iova;
    unsigned code;  /* VT-d: the reason as the unit calls it */
    bool has_pasid; /* VT-d in scalable mode                 */
    uint32_t pasid;
};

struct raw_ops {
    void (*start)(struct raw *raw);
    void (*stop)(struct raw *raw);
    void (*set)(struct raw *raw, struct uiommu_pci pci, bool present);
    uint64_t (*leaf)(uint64_t phys, unsigned rights);
    uint64_t link; /* low bits of an entry that leads to a table */
    void (*invalidate)(struct raw *raw);
    struct raw_fault (*fault)(struct raw *raw);
    uint64_t base, size; /* of the registers */
    const char
        *refused; /* part of what QEMU says of a page that is not there */
};

extern const struct raw_ops raw_vtd, raw_scalable, raw_first_stage;
extern const struct raw_ops raw_smmu, raw_smmu_stage2;

/** Translation on, one table, no requester has a context yet. */
void raw_start(struct raw *raw, const struct raw_ops *ops, struct machine *m);
/** Translation off, all pages given back. */
void raw_stop(struct raw *raw);

/* None of them invalidates anything. */
void raw_context(struct raw *raw, struct uiommu_pci pci, bool present);
void raw_map(struct raw *raw, uint64_t iova, uint64_t phys, unsigned rights);
void raw_map_area(struct raw *raw, unsigned dev);

void raw_invalidate(struct raw *raw);

/** Read and clear the oldest fault record, and forget the others. */
struct raw_fault raw_fault(struct raw *raw);

/* ---- scalable mode: raw_context() is an entry with PASID 0 of the directory in
 * raw->context, which leads to raw->table */

/** Whatever of this number leads to the table; NULL: nowhere. */
void raw_pasid(struct raw *raw, uint64_t *directory, uint32_t pasid,
               const uint64_t *table);
/** Requests of the device that carry no PASID have this one. */
void raw_pasid_context(struct raw *raw, struct uiommu_pci pci,
                       const uint64_t *directory, uint32_t rid_pasid);
/** Invalidate what is cached of all translations with this number. */
void raw_pasid_invalidate(struct raw *raw, uint32_t pasid,
                          const uint64_t *table);
/** As raw_ops has it. */
struct raw_fault raw_vtd_fault(struct raw *raw);

/* ---- for those who make raw_ops, and for registers as such */

uint32_t raw_read32(struct raw *raw, unsigned offset);
uint64_t raw_read64(struct raw *raw, unsigned offset);
void raw_write32(struct raw *raw, unsigned offset, uint32_t value);
void raw_write64(struct raw *raw, unsigned offset, uint64_t value);
/** Zeroed, until raw_stop(). */
uint64_t *raw_new(struct raw *raw, unsigned order);
uint64_t raw_phys(const struct raw *raw, const void *virt);
/** The table below *entry, which is made if there is none. */
uint64_t *raw_below(struct raw *raw, uint64_t *entry, uint64_t low);

#endif
