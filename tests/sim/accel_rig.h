/* SPDX-License-Identifier: MIT */
/*
 * accel_rig.h - a simulated machine with a streaming accelerator, its driver, and
 * tables by hand: without PASID, and with 5 and 6, the device sees ACCEL_PAGES pages
 * at ACCEL_IOVA, of other memory each.
 */
#ifndef UIM_TESTS_SIM_ACCEL_RIG_H
#define UIM_TESTS_SIM_ACCEL_RIG_H

#include "hosts/sim/accel.h"
#include "hosts/sim/accel_driver.h"
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

enum {
    ACCEL_PAGES = 16,
    ACCEL_BYTES = ACCEL_PAGES * 4096,
    ACCEL_RECORDS_AT =
        ACCEL_BYTES - 4096, /* completion records: the last page */
    ACCEL_DEVFN = 0x1d << 3,
    ACCEL_STEPS = 5000,
};

#define ACCEL_IOVA   UINT64_C(0x10000000)
#define ACCEL_BEYOND (ACCEL_IOVA + ACCEL_BYTES) /* nothing is there */
#define ACCEL_WAIT   UINT64_C(50000000)

struct accel_rig {
    struct machine *m;
    struct raw raw;
    unsigned dev;
    struct accel_driver drv;
    struct {
        uint64_t phys, pml4;
        uint8_t *mem;
    } space[3]; /* by space_of() */
};

/** 0, 5, 6: which space it is. */
unsigned space_of(uint32_t pasid);
uint8_t *memory_of(struct accel_rig *rig, uint32_t pasid);

/** `caps` beside SIM_PASID; with SIM_ATS the device TLB is on, with SIM_PRI it may ask
 * for pages. The driver has started, PASIDs are on. */
void accel_rig_open(struct accel_rig *rig, unsigned caps);
/** It may ask for so many at once; 0: for none. */
void accel_rig_credits(struct accel_rig *rig, unsigned credits);
void accel_rig_close(struct accel_rig *rig);
struct accel_cpu accel_rig_cpu(struct machine *m);

/** The device with one queue, number 0, that is on. */
void one_queue(struct accel_rig *rig, struct accel_queue queue);
/** The usual one: dedicated, no PASID, 16 entries. */
void plain_queue(struct accel_rig *rig);

/** What the device sees at an offset of its memory; of record `n`. */
uint64_t at(uint64_t offset);
uint64_t record_at(unsigned n);
struct accel_record record_of(struct accel_rig *rig, uint32_t pasid,
                              unsigned n);
void clear_records(struct accel_rig *rig);
/** A page of each space has bytes of its own, to be copied to where mark() looks: at 0x8000. */
void put_marks(struct accel_rig *rig);
uint8_t mark(struct accel_rig *rig, uint32_t pasid);

/** Submits to queue 0, which is dedicated, and waits for record 0. */
struct accel_record execute(struct accel_rig *rig,
                            const struct accel_desc *desc);
void submit(struct accel_rig *rig, unsigned wq, const struct accel_desc *desc);

struct accel_desc copy_desc(uint64_t dst, uint64_t src, uint32_t size,
                            unsigned record);
/** A word of a descriptor. */
uint64_t desc_word(const struct accel_desc *d, unsigned i);
void desc_put(struct accel_desc *d, unsigned i, uint64_t value);
void desc_flag(struct accel_desc *d, uint32_t set, uint32_t clear);

/** So many steps. */
void steps(struct accel_rig *rig, unsigned n);
/** Steps until nothing is under way. */
void settle(struct accel_rig *rig);

/** The error in SWERR, which is cleared; 0: none. */
unsigned swerr(struct accel_rig *rig);

uint64_t reg_read(struct accel_rig *rig, uint64_t offset);
void reg_write(struct accel_rig *rig, uint64_t offset, uint64_t value);
/** A command, and how it ended. */
unsigned command(struct accel_rig *rig, unsigned code, uint32_t operand);
void command_start(struct accel_rig *rig, unsigned code, uint32_t operand);
bool command_active(struct accel_rig *rig);

#endif
