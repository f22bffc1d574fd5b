/* SPDX-License-Identifier: MIT */
/*
 * accel.h - streaming accelerators of the simulated machine: functions with
 * SIM_ACCEL. Registers and portals are in BARs 0 and 2, reached by host.mmio_map as
 * the hardware's are; what is here is what CPUs do beside loads and stores, and what
 * tests do to the device. The layout is in accel_layout.h, docs/accel.md says more,
 * and accel_driver.h drives one.
 *
 * The device works while the machine runs: machine_run(), or a round of relax, is a
 * step in which each engine does one bounded thing, at most a page of a copy.
 * Commands complete in steps, and interrupts go out at the end of them.
 *
 * Any function may be called from any thread, but not by a pager. `dev` has to be an
 * accelerator.
 */
#ifndef UIM_HOSTS_SIM_ACCEL_H
#define UIM_HOSTS_SIM_ACCEL_H

#include "sim.h"

/* ---- what a CPU does ----------------------------------------------------- */

/* MOVDIR64B: 64 bytes to a physical address, at once. It is posted: nobody is told
 * what became of it. */
void sim_movdir64b(struct machine *m, uint64_t addr, const void *bytes);

/* ENQCMD, in a process with that PASID, which replaces what the descriptor says, as
 * does user privilege. False: not accepted, try again (ZF). */
bool sim_enqcmd(struct machine *m, uint64_t addr, uint32_t pasid,
                const void *bytes);
/* ENQCMDS: the descriptor says whose it is. */
bool sim_enqcmds(struct machine *m, uint64_t addr, const void *bytes);

/* ---- what tests do to the device ----------------------------------------- */

/* Engines stand still, with what they have under way; commands do not. */
void sim_accel_pause(struct machine *m, unsigned dev, bool on);

/* Descriptors that were accepted and did not end: not those of a batch. */
unsigned sim_accel_busy(struct machine *m, unsigned dev);

/* What becomes of a page request. */
enum sim_accel_answer {
    SIM_ACCEL_NO_PAGER, /* none can be sent */
    SIM_ACCEL_PAGE_COMES, /* asked for or there: the next step tries again */
    SIM_ACCEL_NO_PAGE,    /* there is no such page */
};

struct sim_accel_fault {
    unsigned dev;
    uint32_t pasid; /* UIOMMU_NO_PASID: none */
    bool write, priv;
    uint64_t iova;
};

/* Who is asked for the page of a fault that a descriptor may block on; called by
 * the thread that runs the machine, be it in uiommu's relax, so that it must not call
 * uiommu. NULL, as at first: nobody, and the descriptor ends with the fault. */
typedef enum sim_accel_answer (*sim_accel_pager_fn)(
    void *ctx, const struct sim_accel_fault *request);
void sim_accel_pager(struct machine *m, unsigned dev, sim_accel_pager_fn fn,
                     void *ctx);

#endif
