/* SPDX-License-Identifier: MIT */
/*
 * raw.h - VT-d by hand, second stage, so that hosts/sim is tested without the driver
 * that it is to test. Layouts: VT-d 6.5.2, 9.1 to 9.8, 11.4.
 */
#ifndef UIM_TESTS_SIM_RAW_H
#define UIM_TESTS_SIM_RAW_H

#include "hosts/sim/sim.h"

enum {
    RAW_PAGES = 64,
    RAW_READ = 1,
    RAW_WRITE = 2,
    RAW_FSTS_ITE = 1 << 6,
};

struct raw {
    struct machine *m;
    void *regs;
    bool no_flush; /* a driver that forgets about caches */
    bool scalable; /* with PASIDs: all requesters see one directory of them */
    bool pages;    /* who has ATS may ask for pages; scalable */
    uint64_t root, queue, status, dir, page_queue;
    unsigned page_head; /* entry of page_queue that raw_page_request() reads */
    uint64_t pml4; /* what entries lead to and raw_map() changes */
    unsigned domain;
    unsigned tail;
    uint32_t token;
    unsigned n_pages;
    struct {
        void *virt;
        uint64_t phys;
    } page[RAW_PAGES];
};

/** Translation on, the queue too; no requester has a context. */
void raw_start(struct raw *r, struct machine *m);
/** Translation off, everything given back. */
void raw_stop(struct raw *r);

/** A page for a table, the driver's own; raw_stop() frees it. */
uint64_t raw_page(struct raw *r);
void raw_put(struct raw *r, uint64_t phys, uint64_t value);

/** Requester bus:devfn sees the one table there is; with ATS or not. */
void raw_context(struct raw *r, uint8_t bus, uint8_t devfn, bool ats);
/** rights 0: not mapped. Returns where the leaf is. Invalidates nothing. */
uint64_t raw_map(struct raw *r, uint64_t iova, uint64_t phys, unsigned rights);

/** Requests with that PASID (0: with none) see the present table. Scalable. */
void raw_pasid(struct raw *r, uint32_t pasid);
/** A new table, with its domain, becomes the present one. */
void raw_table(struct raw *r);

/** Everything but device TLBs, and waits. */
void raw_invalidate(struct raw *r);
/** The same without a wait. */
void raw_post_invalidate(struct raw *r);
/** The IOTLB, without waiting for DMA under way. */
void raw_invalidate_undrained(struct raw *r);
/** The same of a whole device TLB. */
void raw_post_invalidate_devtlb(struct raw *r, uint8_t bus, uint8_t devfn);
/** The whole device TLB of bus:devfn. False: the wait did not complete. */
bool raw_invalidate_devtlb(struct raw *r, uint8_t bus, uint8_t devfn);
/** The same of 4 KiB at iova; pasid 0: the command has none. */
bool raw_invalidate_devtlb_page(struct raw *r, uint8_t bus, uint8_t devfn,
                                uint32_t pasid, uint64_t iova);

/** The next request in the page queue, as two words, out of it. False: none. */
bool raw_page_request(struct raw *r, uint64_t word[2]);
/** Answers it, with its PASID or without. */
void raw_page_response(struct raw *r, const uint64_t word[2], unsigned code);
/** Whether the queue overflowed; forgets it. */
bool raw_page_overflow(struct raw *r);
/** A wait; with page requests drained, or not. */
bool raw_wait(struct raw *r, bool drain);

uint32_t raw_read32(struct raw *r, unsigned offset);
void raw_write32(struct raw *r, unsigned offset, uint32_t value);
/** Whether a fault is recorded; forgets it. */
bool raw_fault(struct raw *r);

#endif
