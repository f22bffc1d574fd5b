/* SPDX-License-Identifier: MIT */
/*
 * lookout.h - asks at every step of a call what devices may reach (semantics B.1).
 *
 * A step is a store (in -hooked programs), a register write, a flush or a fence.
 * At each, every place is read and written twice: as the unit's caches have it, and
 * as tables alone say. What is changing answers old, new or nothing; everything else
 * what it always did.
 */
#ifndef UIM_TESTS_CORE_LOOKOUT_H
#define UIM_TESTS_CORE_LOOKOUT_H

#include "tests/core/help.h"

enum { PLACES = 16 };

/* One page of one engine, or of one PASID of it. With old == new it must not change
 * at all. */
struct place {
    unsigned engine;
    uint32_t pasid;
    uint64_t iova, old, new;
    uint64_t passing;   /* besides, but not in the end; 0: none */
    bool never_blocked; /* not even for a moment */
    bool dma; /* and read by the device, through its TLB if it has one */
};

struct lookout {
    struct rig *rig;
    struct place place[PLACES];
    unsigned n, looked, wrong;
    struct place last_wrong;
    uint64_t said;
};

void watch_for(struct lookout *l, unsigned engine, uint64_t iova, uint64_t old,
               uint64_t new);

/* As watch_for(), with DMA; old and new are pages of the test, or NOWHERE. */
void watch_dma(struct lookout *l, struct rig *rig, unsigned engine,
               uint64_t iova, uint64_t old, uint64_t new);

/* As watch_dma(), of what carries a PASID. */
void watch_pasid(struct lookout *l, struct rig *rig, unsigned engine,
                 uint32_t pasid, uint64_t iova, uint64_t old, uint64_t new);

/* From here on, and until here: then what is new is so, and nothing stale used. */
void begin(struct rig *rig, struct lookout *l);
void end(struct rig *rig, struct lookout *l);
/* As end(), where a unit has not confirmed: its caches may be as they were. */
void end_unconfirmed(struct rig *rig, struct lookout *l);

/* It was looked so often while the call was made, where stores are seen; elsewhere
 * once. */
bool saw(const struct lookout *l, unsigned stores);

#endif
