/* SPDX-License-Identifier: MIT */
/*
 * reset_model.h - what resets mean, a second time and without tables: who may reach what
 * after each call (semantics B.6, B.19, D-68).
 *
 * It is about one group. Each device has an id of its own, and may send under those of
 * others; there is one PASID, which all members with PASIDs have. They may be virtual
 * functions, whose physical one is of another group, and takes them along.
 */
#ifndef UIM_TESTS_CORE_RESET_MODEL_H
#define UIM_TESTS_CORE_RESET_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <uiommu/status.h>

enum { WORLD_DEVICES = 3 };

enum world_sight { SEES_NOTHING, SEES_A, SEES_B, WORLD_SIGHTS };

/* What never changes. Ids are numbered as the devices whose own they are. */
struct world_shape {
    unsigned n;                   /* devices                               */
    unsigned depth;               /* of resets, at most                    */
    unsigned ids[WORLD_DEVICES];  /* bits: that its DMA may carry          */
    unsigned pasids;              /* bits: devices that have them          */
    bool claims;                  /* somebody may own it                   */
    bool others;                  /* the group has more members, which stay */
    bool virtuals;                /* they are virtual functions            */
};

struct world {
    struct {
        bool there, failed;       /* failed: one of the resets under way   */
        bool able;                /* had its id for itself when it came: has
                                   * PASIDs, if it can                     */
        bool caches;              /* and ever since: may have ATS          */
        bool sends;               /* could send the number that waits      */
        unsigned depth;           /* of resets                             */
        bool dead;                /* its id: until all are gone that have it */
    } device[WORLD_DEVICES];
    struct {
        bool there, failed, dead;
        unsigned depth;
    } physical;                   /* so too, of that function              */
    enum world_sight sees, pasid_sees;
    bool owned, has_pasid;
};

enum world_call {
    CALL_BEGIN,
    CALL_END,                     /* arg: whether it worked                */
    CALL_SET,                     /* arg: enum world_sight                 */
    CALL_REMOVE,
    CALL_ADD,
    CALL_CLAIM,
    CALL_RELEASE,
    CALL_PASID_CREATE,
    CALL_PASID_SET,               /* arg: enum world_sight                 */
    CALL_PASID_DESTROY,           /* arg: whether it has stopped           */
    CALL_PHYSICAL_BEGIN,          /* of the physical function; as above    */
    CALL_PHYSICAL_END,
    CALL_PHYSICAL_REMOVE,
    CALL_PHYSICAL_ADD,
};

struct world_op {
    enum world_call call;
    unsigned who, arg;
};

struct world world_new(const struct world_shape *shape);
/* All calls that there are. */
enum { WORLD_OPS = 48 };
unsigned world_ops(const struct world_shape *shape,
                   struct world_op op[WORLD_OPS]);
/* Whether the call is one to make: on devices that are there, and resets not too deep. */
bool world_may(const struct world_shape *shape, const struct world *w,
               struct world_op op);

/* The world after it; in *answers, as bits, what the call may say. */
#define WORLD_SAYS(status) (1u << (status))
struct world world_after(const struct world_shape *shape, struct world w,
                         struct world_op op, uint32_t *answers);

enum world_sight world_sees(const struct world_shape *shape,
                            const struct world *w, unsigned id);
enum world_sight world_pasid_sees(const struct world_shape *shape,
                                  const struct world *w, unsigned id);
/* A number for it. */
uint64_t world_key(const struct world *w);

#endif
