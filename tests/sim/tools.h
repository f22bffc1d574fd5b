/* SPDX-License-Identifier: MIT */
/* What the tests of hosts/sim share. */
#ifndef UIM_TESTS_SIM_TOOLS_H
#define UIM_TESTS_SIM_TOOLS_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts/sim/sim.h"

/** Opens or fails the test. What is left at close is not printed. */
struct machine *open_sim(const struct sim_config *config);

/** Closes; nothing may be left, and no rule broken. */
void close_sim(struct machine *m);

/** Exactly one violation since the last call, with `part` in its sentence. */
void expect_violation(struct machine *m, const char *part);

/** Device number of a function of that name. */
unsigned dev_of(struct machine *m, const char *name);

/** A write of `size` bytes of 0x5a by device `dev`; the whole request back. */
struct sim_request dma_write(struct machine *m, unsigned dev, uint64_t iova,
                             size_t size);

/* ---- configuration space ------------------------------------------------- */

enum { ACS_ID = 0x0d, ATS_ID = 0x0f, PRI_ID = 0x13, PASID_ID = 0x1b };

uint32_t config_read(struct machine *m, unsigned dev, unsigned offset,
                     unsigned width);
void config_write(struct machine *m, unsigned dev, unsigned offset,
                  unsigned width, uint32_t value);
/** Where the capability is, 0: it has none. */
unsigned std_cap(struct machine *m, unsigned dev, unsigned id);
unsigned ext_cap(struct machine *m, unsigned dev, unsigned id);
/** End-end TLP prefix supported, extended Fmt supported. */
unsigned prefix_bits(struct machine *m, unsigned dev);

#endif
