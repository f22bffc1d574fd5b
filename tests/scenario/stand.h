/* SPDX-License-Identifier: MIT */
/*
 * stand.h - a machine for tests about interrupts, whoever provides it, with uiommu
 * on it; messages that its devices send, and what becomes of them.
 */
#ifndef UIM_TESTS_SCENARIO_STAND_H
#define UIM_TESTS_SCENARIO_STAND_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts/machine.h"

#define STAND_FEE UINT64_C(0xfee00000)

enum { STAND_DEVICES = 8, STAND_ENGINES = 3 };

/* What of interrupt remapping the unit offers. */
enum stand_unit { STAND_PLAIN, STAND_REMAPS, STAND_X2APIC };

struct stand_place {
    const char *machine; /* "sim" or "qemu" */
    const char *mode;    /* as of the driver's option */
    unsigned mode_index; /* into enum sim_mode */
    bool qemu;
};

struct stand {
    const struct stand_place *place;
    const char *name; /* of the test, with its machine */
    uint32_t flags;   /* of it, for uiommu_create() */
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device[STAND_DEVICES];
    unsigned engine[STAND_ENGINES]; /* the last is behind a root port */
    unsigned faults;
    struct uiommu_fault fault; /* the last one */
    char sentence[512];        /* and what it says */
};

struct stand_test {
    const char *name;
    void (*run)(struct stand *s);
    enum stand_unit unit;
    uint32_t flags; /* UIOMMU_CONFIG_... */
    bool cold;      /* the machine only: nothing is started */
};

/* Runs each test on each machine in each mode; what main() returns. */
int stand_run(const char *suite, const struct stand_test *tests, unsigned n);

#define stand_ok(status) assert_int_equal(status, UIOMMU_OK)

/* What is done before and after tests that are not cold. */
enum uiommu_status stand_start(struct stand *s, uint32_t flags);
void stand_up(struct stand *s, uint32_t flags);
void stand_down(struct stand *s);

/** Interrupts of the unit are handed on, as they are from the start. */
void stand_hear(struct stand *s);

struct uiommu_endpoint *stand_endpoint(struct stand *s, unsigned n);

/** The machine does not do what the manual says: how, and where that is. Not
 *  applicable, then: it is no witness.                                      */
void stand_differs(struct stand *s, const char *how);

/* ---- registers and memory --------------------------------------------------- */

uint32_t stand_gsts(struct stand *s);
/** Write, and wait for these bits of GSTS. */
void stand_gcmd(struct stand *s, uint32_t gcmd, uint32_t gsts);
uint64_t stand_irta(struct stand *s);
void stand_set_irta(struct stand *s, uint64_t value);
/* Words of memory, as the unit sees them. */
uint64_t stand_peek(struct stand *s, uint64_t phys);
void stand_poke(struct stand *s, uint64_t phys, uint64_t value);

/** Whatever was used although it was stale was so on purpose. */
void stand_forget(struct stand *s);

/** The next invalidation of entries was of all, or of this one, and the last: QEMU
 *  says so. Our model finds what is missing by itself (stale uses).          */
void stand_invalidated(struct stand *s, bool all, unsigned index);

/* ---- messages --------------------------------------------------------------- */

struct uiommu_irq_target stand_to(uint8_t vector, uint32_t apic);
struct uiommu_irq *stand_map(struct stand *s, unsigned n,
                             struct uiommu_irq_target target);
struct uiommu_irq_message stand_message(const struct uiommu_irq *irq);

/** Engine n sends it. */
void stand_send(struct stand *s, unsigned n, uint64_t addr, uint32_t data);
/** It did arrive, and nothing else. */
void stand_arrived(struct stand *s, struct uiommu_irq_target as);
void stand_arrives(struct stand *s, unsigned n, struct uiommu_irq_message m,
                   struct uiommu_irq_target as);
void stand_forget_faults(struct stand *s);
/** Of the last fault since; 0: there was none. */
unsigned stand_reason(struct stand *s);
/** Nothing arrived, and one fault since says why. */
void stand_faulted(struct stand *s, unsigned reason);
/** It does not arrive, and the fault says why, and from whom. */
void stand_refused(struct stand *s, unsigned n, uint64_t addr, uint32_t data,
                   unsigned reason);

#endif
