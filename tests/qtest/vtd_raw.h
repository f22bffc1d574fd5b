/* SPDX-License-Identifier: MIT */
/*
 * vtd_raw.h - VT-d in legacy mode by hand, without a line of the library: what
 * a machine does is shown independently of the driver that it is to test.
 * Register and table layouts: VT-d 9.1, 9.3, 9.8, 10.4.
 */
#ifndef UIM_TESTS_QTEST_VTD_RAW_H
#define UIM_TESTS_QTEST_VTD_RAW_H

#include "hosts/machine.h"

enum { VTD_RAW_PAGES = 64 };

struct vtd_raw {
    struct machine *m;
    void *regs;
    uint64_t *root, *pml4;
    unsigned n_pages;
    struct {
        void *virt;
        uint64_t phys;
    } pages[VTD_RAW_PAGES];
};

struct vtd_raw_fault {
    bool pending;
    unsigned reason;
    uint16_t source;
    bool read;
    uint64_t iova;
};

/** Translation on, one table, no requester has a context yet. */
void vtd_raw_start(struct vtd_raw *vtd, struct machine *m);
/** Translation off, all pages given back. */
void vtd_raw_stop(struct vtd_raw *vtd);

/* Present or not; neither of them invalidates anything. */
void vtd_raw_context(struct vtd_raw *vtd, struct uiommu_pci pci, bool present);
void vtd_raw_map(struct vtd_raw *vtd, uint64_t iova, uint64_t phys,
                 unsigned rights);
void vtd_raw_map_area(struct vtd_raw *vtd, unsigned dev);

void vtd_raw_invalidate(struct vtd_raw *vtd);

/** Read and clear the fault record. */
struct vtd_raw_fault vtd_raw_fault(struct vtd_raw *vtd);

#endif
