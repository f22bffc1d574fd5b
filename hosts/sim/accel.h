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
 * Any function may be called from any thread. `dev` has to be an accelerator.
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
/* Those of a PASID; UIOMMU_NO_PASID: without one. */
unsigned sim_accel_carries(struct machine *m, unsigned dev, uint32_t pasid);

/* Queue `wq` does not stop until the function is reset: what it has and gets goes on whatever
 * it is told, and commands about it do not end. */
void sim_accel_stick(struct machine *m, unsigned dev, unsigned wq);

#endif
