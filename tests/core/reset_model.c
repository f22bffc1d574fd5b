/* SPDX-License-Identifier: MIT */
/* reset_model.c - see reset_model.h. */
#include "tests/core/reset_model.h"

/* ---- questions ------------------------------------------------------------------- */

static bool has_id(const struct world_shape *shape, const struct world *w,
                   unsigned device, unsigned id)
{
    return w->device[device].there && (shape->ids[device] >> id & 1) != 0;
}

static bool somebody_has(const struct world_shape *shape, const struct world *w,
                         unsigned id)
{
    for (unsigned i = 0; i < shape->n; i++)
        if (has_id(shape, w, i, id))
            return true;
    return false;
}

static bool has_pasids(const struct world_shape *shape, const struct world *w,
                       unsigned device)
{
    return w->device[device].there && w->device[device].able &&
           (shape->pasids >> device & 1) != 0;
}

static bool is_reset(const struct world *w, unsigned device)
{
    return w->device[device].depth > 0 || w->physical.depth > 0;
}

static bool is_held(const struct world_shape *shape, const struct world *w,
                    unsigned id)
{
    for (unsigned i = 0; i < shape->n; i++)
        if (has_id(shape, w, i, id) && is_reset(w, i))
            return true;
    return false;
}

static bool is_dead(const struct world *w, unsigned id)
{
    return w->device[id].dead;
}

/* Of all ids of the group: is one of them so? */
static bool group_is(const struct world_shape *shape, const struct world *w,
                     bool pasids, bool dead)
{
    for (unsigned id = 0; id < shape->n; id++) {
        if (!somebody_has(shape, w, id))
            continue;
        if (pasids && !has_pasids(shape, w, id))
            continue;
        if (dead ? is_dead(w, id) : is_held(shape, w, id))
            return true;
    }
    return false;
}

static bool group_is_held(const struct world_shape *shape,
                          const struct world *w)
{
    return group_is(shape, w, false, false);
}

enum world_sight world_sees(const struct world_shape *shape,
                            const struct world *w, unsigned id)
{
    if (!somebody_has(shape, w, id) || is_held(shape, w, id) || is_dead(w, id))
        return SEES_NOTHING;
    return w->sees;
}

enum world_sight world_pasid_sees(const struct world_shape *shape,
                                  const struct world *w, unsigned id)
{
    if (!w->has_pasid || !has_pasids(shape, w, id) || is_held(shape, w, id) ||
        is_dead(w, id))
        return SEES_NOTHING;
    return w->pasid_sees;
}

uint64_t world_key(const struct world *w)
{
    uint64_t key = (uint64_t)w->physical.there << 4 |
                   (uint64_t)w->physical.failed << 3 |
                   (uint64_t)w->physical.dead << 2 | w->physical.depth;

    for (unsigned i = 0; i < WORLD_DEVICES; i++)
        key = key << 8 | (uint64_t)w->device[i].sends << 7 |
              (uint64_t)w->device[i].caches << 6 |
              (uint64_t)w->device[i].able << 5 |
              (uint64_t)w->device[i].there << 4 |
              (uint64_t)w->device[i].failed << 3 |
              (uint64_t)w->device[i].dead << 2 | w->device[i].depth;
    return key << 6 | (uint64_t)w->owned << 5 | (uint64_t)w->has_pasid << 4 |
           (uint64_t)w->sees << 2 | w->pasid_sees;
}

/* ---- calls ------------------------------------------------------------------------- */

static void list(struct world_op op[WORLD_OPS], unsigned *n,
                 enum world_call call, unsigned who, unsigned args)
{
    for (unsigned arg = 0; arg < args; arg++)
        op[(*n)++] = (struct world_op){ call, who, arg };
}

unsigned world_ops(const struct world_shape *shape,
                   struct world_op op[WORLD_OPS])
{
    unsigned n = 0;

    if (shape->virtuals) {
        list(op, &n, CALL_PHYSICAL_BEGIN, 0, 1);
        list(op, &n, CALL_PHYSICAL_END, 0, 2);
        list(op, &n, CALL_PHYSICAL_REMOVE, 0, 1);
        list(op, &n, CALL_PHYSICAL_ADD, 0, 1);
    }
    for (unsigned i = 0; i < shape->n; i++) {
        list(op, &n, CALL_BEGIN, i, 1);
        list(op, &n, CALL_END, i, 2);
        list(op, &n, CALL_REMOVE, i, 1);
        list(op, &n, CALL_ADD, i, 1);
        if (shape->claims) {
            list(op, &n, CALL_CLAIM, i, 1);
            list(op, &n, CALL_RELEASE, i, 1);
        }
        list(op, &n, CALL_SET, i, WORLD_SIGHTS);
        if (!(shape->pasids >> i & 1))
            continue;
        list(op, &n, CALL_PASID_CREATE, i, 1);
        list(op, &n, CALL_PASID_SET, i, WORLD_SIGHTS - 1);
        list(op, &n, CALL_PASID_DESTROY, i, 2);
    }
    return n;
}

/* A domain is set through any of them. */
static bool is_first(const struct world *w, unsigned who)
{
    for (unsigned i = 0; i < who; i++)
        if (w->device[i].there)
            return false;
    return w->device[who].there;
}

bool world_may(const struct world_shape *shape, const struct world *w,
               struct world_op op)
{
    const bool there = w->device[op.who].there;

    switch (op.call) {
    case CALL_ADD:
        return !there;
    case CALL_BEGIN:
        return there && w->device[op.who].depth < shape->depth;
    case CALL_SET:
        return is_first(w, op.who);
    case CALL_CLAIM:
        return there && !w->owned;
    case CALL_PASID_CREATE:
        return there && !w->has_pasid;
    case CALL_PASID_SET:
    case CALL_PASID_DESTROY:
        return there && w->has_pasid;
    case CALL_PHYSICAL_BEGIN:
        return w->physical.there && w->physical.depth < shape->depth;
    case CALL_PHYSICAL_END:
    case CALL_PHYSICAL_REMOVE:
        return w->physical.there;
    case CALL_PHYSICAL_ADD:
        return !w->physical.there;
    default:
        return there;
    }
}

/* One of its resets failed: it is blocked for as long as somebody has its ids. */
static uint32_t end_reset(const struct world_shape *shape, struct world *w,
                          unsigned who)
{
    const bool worked = !w->device[who].failed;
    uint32_t says = WORLD_SAYS(UIOMMU_OK);

    w->device[who].failed = false;
    for (unsigned id = 0; id < shape->n; id++) {
        if (!has_id(shape, w, who, id))
            continue;
        if (worked && is_dead(w, id))
            says = is_held(shape, w, id) ? says | WORLD_SAYS(UIOMMU_NODEV)
                                         : WORLD_SAYS(UIOMMU_NODEV);
        if (!worked)
            w->device[id].dead = true;
    }
    if (worked)
        w->device[who].sends = false;
    return says;
}

static uint32_t end(const struct world_shape *shape, struct world *w,
                    unsigned who, bool worked)
{
    if (w->device[who].depth == 0)
        return WORLD_SAYS(UIOMMU_INVAL);
    if (!worked)
        w->device[who].failed = true;
    w->device[who].depth--;
    if (is_reset(w, who))
        return WORLD_SAYS(UIOMMU_OK);
    return end_reset(shape, w, who);
}

/* Of what two say, the worse. */
static uint32_t worse(uint32_t a, uint32_t b)
{
    const uint32_t bad = WORLD_SAYS(UIOMMU_NODEV);

    return a == bad || b == bad ? bad : a | b;
}

/* Each that it took along is through if it is in no reset of its own. */
static uint32_t end_physical(const struct world_shape *shape, struct world *w,
                             bool worked)
{
    uint32_t says = WORLD_SAYS(UIOMMU_OK);

    if (w->physical.depth == 0)
        return WORLD_SAYS(UIOMMU_INVAL);
    w->physical.failed |= !worked;
    w->physical.depth--;
    if (w->physical.depth == 0) {
        if (w->physical.failed)
            w->physical.dead = true;
        else if (w->physical.dead)
            says = WORLD_SAYS(UIOMMU_NODEV);
        w->physical.failed = false;
    }
    for (unsigned i = 0; i < shape->n; i++) {
        if (!w->device[i].there)
            continue;
        w->device[i].failed |= !worked;
        if (!is_reset(w, i))
            says = worse(says, end_reset(shape, w, i));
    }
    return says;
}

/* It goes after them. */
static uint32_t remove_physical(const struct world_shape *shape,
                                struct world *w)
{
    for (unsigned i = 0; i < shape->n; i++)
        if (w->device[i].there)
            return WORLD_SAYS(UIOMMU_BUSY);
    w->physical.there = w->physical.failed = w->physical.dead = false;
    w->physical.depth = 0;
    return WORLD_SAYS(UIOMMU_OK);
}

static bool anybody_sees(const struct world_shape *shape, const struct world *w)
{
    for (unsigned id = 0; id < shape->n; id++)
        if (somebody_has(shape, w, id) && !is_dead(w, id))
            return true;
    return shape->others;
}

/* What may be said to who sets something that cannot be: of several reasons, any. */
static uint32_t refuses(const struct world_shape *shape, const struct world *w,
                        bool pasids, enum world_sight next)
{
    uint32_t says = 0;

    if (group_is(shape, w, pasids, false))
        says |= WORLD_SAYS(UIOMMU_BUSY);
    if (group_is(shape, w, pasids, true) && next != SEES_NOTHING)
        says |= WORLD_SAYS(UIOMMU_NODEV);
    return says;
}

/* A domain that nobody is left to see is forgotten when another was refused, but for a
 * reset, after which somebody may. */
static uint32_t set(const struct world_shape *shape, struct world *w,
                    enum world_sight next)
{
    uint32_t says = refuses(shape, w, false, next);

    if (says == 0)
        w->sees = next;
    else if (!group_is_held(shape, w) && !anybody_sees(shape, w))
        w->sees = SEES_NOTHING;
    return says == 0 ? WORLD_SAYS(UIOMMU_OK) : says;
}

static uint32_t pasid_set(const struct world_shape *shape, struct world *w,
                          enum world_sight next)
{
    uint32_t says = refuses(shape, w, true, next);

    if (says != 0)
        return says;
    w->pasid_sees = next;
    return WORLD_SAYS(UIOMMU_OK);
}

/* The number waits: somebody could go on sending it. */
static bool is_sent(const struct world *w)
{
    for (unsigned i = 0; i < WORLD_DEVICES; i++)
        if (w->device[i].sends)
            return true;
    return false;
}

static uint32_t pasid_create(const struct world_shape *shape, struct world *w,
                             unsigned who)
{
    if (group_is_held(shape, w))
        return WORLD_SAYS(UIOMMU_BUSY);
    if (!has_pasids(shape, w, who))
        return WORLD_SAYS(UIOMMU_OPNOTSUPP);
    if (is_sent(w))
        return WORLD_SAYS(UIOMMU_BUSY);
    if (group_is(shape, w, true, true))
        return WORLD_SAYS(UIOMMU_NODEV);
    w->has_pasid = true;
    w->pasid_sees = SEES_NOTHING;
    return WORLD_SAYS(UIOMMU_OK);
}

static uint32_t pasid_destroy(const struct world_shape *shape, struct world *w,
                              bool stopped)
{
    w->has_pasid = false;
    w->pasid_sees = SEES_NOTHING;
    for (unsigned i = 0; i < shape->n; i++)
        w->device[i].sends = !stopped && has_pasids(shape, w, i);
    return WORLD_SAYS(UIOMMU_OK);
}

static uint32_t add_device(const struct world_shape *shape, struct world *w,
                           unsigned who)
{
    if (shape->virtuals && !w->physical.there)
        return WORLD_SAYS(UIOMMU_NODEV);
    if (w->physical.depth > 0)
        return WORLD_SAYS(UIOMMU_BUSY);
    w->device[who].able =
        shape->ids[who] == 1u << who && !somebody_has(shape, w, who);
    w->device[who].caches = w->device[who].able;
    w->device[who].there = true;
    for (unsigned id = 0; id < shape->n; id++)
        if (id != who && has_id(shape, w, who, id))
            w->device[id].caches = false;
    return WORLD_SAYS(UIOMMU_OK);
}

struct world world_new(const struct world_shape *shape)
{
    struct world w = { .physical = { .there = shape->virtuals } };

    for (unsigned i = 0; i < shape->n; i++)
        (void)add_device(shape, &w, i);
    return w;
}

static uint32_t remove_device(const struct world_shape *shape, struct world *w,
                              unsigned who)
{
    bool empty = !shape->others;

    if (w->owned || (w->has_pasid && has_pasids(shape, w, who)))
        return WORLD_SAYS(UIOMMU_BUSY);
    w->device[who].there = false;
    w->device[who].able = false;
    w->device[who].caches = false;
    w->device[who].sends = false;
    w->device[who].depth = 0;
    w->device[who].failed = false;
    for (unsigned id = 0; id < shape->n; id++) {
        if (!somebody_has(shape, w, id))
            w->device[id].dead = false;
        else
            empty = false;
    }
    if (empty)
        w->sees = SEES_NOTHING;
    return WORLD_SAYS(UIOMMU_OK);
}

static uint32_t claim(const struct world_shape *shape, struct world *w)
{
    if (w->has_pasid || group_is_held(shape, w) || w->sees != SEES_NOTHING)
        return WORLD_SAYS(UIOMMU_BUSY);
    w->owned = true;
    return WORLD_SAYS(UIOMMU_OK);
}

/* Has to succeed, whatever is being reset. */
static uint32_t release(struct world *w)
{
    if (!w->owned)
        return WORLD_SAYS(UIOMMU_PERM);
    if (w->has_pasid)
        return WORLD_SAYS(UIOMMU_BUSY);
    w->owned = false;
    w->sees = SEES_NOTHING;
    return WORLD_SAYS(UIOMMU_OK);
}

static uint32_t change(const struct world_shape *shape, struct world *w,
                       struct world_op op)
{
    switch (op.call) {
    case CALL_BEGIN:
        w->device[op.who].depth++;
        return WORLD_SAYS(UIOMMU_OK);
    case CALL_END:
        return end(shape, w, op.who, op.arg != 0);
    case CALL_SET:
        return set(shape, w, (enum world_sight)op.arg);
    case CALL_REMOVE:
        return remove_device(shape, w, op.who);
    case CALL_ADD:
        return add_device(shape, w, op.who);
    case CALL_CLAIM:
        return claim(shape, w);
    case CALL_RELEASE:
        return release(w);
    case CALL_PASID_CREATE:
        return pasid_create(shape, w, op.who);
    case CALL_PASID_SET:
        return pasid_set(shape, w, (enum world_sight)op.arg);
    case CALL_PASID_DESTROY:
        return pasid_destroy(shape, w, op.arg != 0);
    case CALL_PHYSICAL_BEGIN:
        w->physical.depth++;
        return WORLD_SAYS(UIOMMU_OK);
    case CALL_PHYSICAL_END:
        return end_physical(shape, w, op.arg != 0);
    case CALL_PHYSICAL_REMOVE:
        return remove_physical(shape, w);
    case CALL_PHYSICAL_ADD:
        w->physical.there = true;
        return WORLD_SAYS(UIOMMU_OK);
    }
    return 0;
}

struct world world_after(const struct world_shape *shape, struct world w,
                         struct world_op op, uint32_t *answers)
{
    *answers = change(shape, &w, op);
    return w;
}
