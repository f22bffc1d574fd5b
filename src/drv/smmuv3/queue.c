/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the command queue (3.5.1, 4.7), and what can go wrong in it (7.1).
 *
 * A submission takes the slots it needs and one for a SYNC, adjacent because all of it
 * happens under queue.lock, and then waits until CONS has passed the SYNC: a SYNC is
 * consumed when everything before it has taken effect.
 *
 * Whoever finds GERROR.CMDQ_ERR deals with it for everybody: an illegal command becomes
 * a SYNC, and its submitter alone fails; when a device did not answer an ATC_INV, the
 * SYNC behind it is carried out again.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    LOG2SIZE_MOST = 8,
    WORDS = SMMUV3_CMD_BYTES / 8,
};

/* PCIe 10.3.2: a function has a minute, and half of that again, to answer an
 * invalidation. So long may a device hold up those behind it in the queue. */
#define DEVICE_PATIENCE_NS (UINT64_C(90) * 1000 * 1000 * 1000)

enum outcome {
    PENDING,
    DONE,
    REFUSED, /* one of its commands is illegal                              */
    LATE,    /* its device did not answer                                   */
    SILENT,  /* the unit did not answer                                     */
};

static uint32_t entries(const struct smmuv3_queue *q)
{
    return UINT32_C(1) << q->log2size;
}

static uim_word *slot(const struct smmuv3_queue *q, uint32_t position)
{
    return &q->ring[(size_t)(position & (entries(q) - 1)) * WORDS];
}

static void put(const struct smmuv3_unit *v, uint32_t position,
                struct smmuv3_cmd cmd)
{
    uim_word *word = slot(&v->queue, position);

    uim_st64(&word[0], cmd.q0);
    uim_st64(&word[1], cmd.q1);
    uim_flush(v->unit.host, v->coherent, word, SMMUV3_CMD_BYTES);
}

static bool passed(const struct smmuv3_queue *q, uint32_t position)
{
    return (int32_t)(q->head - position) > 0;
}

/* Index and wrap bit of a position (3.5.1). */
static uint32_t wrapped(const struct smmuv3_queue *q, uint32_t position)
{
    return position & (2 * entries(q) - 1);
}

static struct smmuv3_cmdq_cons read_head(struct smmuv3_unit *v)
{
    struct smmuv3_queue *q = &v->queue;
    const struct smmuv3_cmdq_cons cons = { uim_rd32(&v->unit,
                                                    SMMUV3_REG_CMDQ_CONS) };
    uint32_t ahead = wrapped(q, (uint32_t)smmuv3_cmdq_cons_rd(cons) - q->head);

    /* Beyond the tail there is nothing, and a unit that is gone reads as all ones: such
     * a register is not one. */
    if (ahead <= q->tail - q->head && cons.raw != UINT32_MAX)
        q->head += ahead;
    if (q->any_left && passed(q, q->left))
        q->any_left = false;
    return cons;
}

/* ---- errors ---------------------------------------------------------------- */

/* What is to be said, once the lock is released. */
struct report {
    unsigned error;
    bool new;
    struct smmuv3_cmd cmd;
    const struct smmuv3_waiter *waiter;
    struct smmuv3_sid sid;
};

static struct smmuv3_waiter *owner(struct smmuv3_queue *q, uint32_t position)
{
    uim_list_for_each(n, &q->waiters) {
        struct smmuv3_waiter *w = uim_container(n, struct smmuv3_waiter, node);

        if (position - w->first <= w->sync - w->first)
            return w;
    }
    return NULL;
}

static bool cmdq_err(const struct smmuv3_unit *v, uint32_t *gerrorn)
{
    const struct smmuv3_gerror_fields f = { .cmdq_err = 1 };
    const uint32_t bit = (uint32_t)smmuv3_gerror_pack(&f).raw;
    uint32_t gerror = uim_rd32(&v->unit, SMMUV3_REG_GERROR);

    *gerrorn = uim_rd32(&v->unit, SMMUV3_REG_GERRORN);
    if (gerror == UINT32_MAX || !((gerror ^ *gerrorn) & bit))
        return false;
    *gerrorn ^= bit; /* to acknowledge this one, and no other */
    return true;
}

/* Consumption has stopped at the head. */
static void handle(struct smmuv3_unit *v, struct report *r)
{
    struct smmuv3_queue *q = &v->queue;
    struct smmuv3_waiter *w;

    r->error = (unsigned)smmuv3_cmdq_cons_err(read_head(v));
    r->cmd = (struct smmuv3_cmd){ uim_ld64(&slot(q, q->head)[0]),
                                  uim_ld64(&slot(q, q->head)[1]) };
    w = owner(q, q->head);
    r->waiter = w;
    if (r->error == SMMUV3_CERROR_ATC_INV_SYNC) {
        if (w && w->atc) {
            r->sid = w->sid;
            w->late = true;
        }
    } else if (r->error == SMMUV3_CERROR_ILL) {
        if (w)
            w->refused = true;
        put(v, q->head, smmuv3_sync());
    } else {
        q->dead = true;
    }
}

static void say(struct smmuv3_unit *v, const struct report *r)
{
    if (r->error == SMMUV3_CERROR_ILL)
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "smmuv3 unit at 0x%lx refuses command %016lx %016lx",
                v->unit.base, r->cmd.q1, r->cmd.q0);
    else if (r->error == SMMUV3_CERROR_ATC_INV_SYNC && r->waiter)
        uim_log(
            v->unit.u, UIOMMU_LOG_WARN,
            "smmuv3 unit at 0x%lx: no answer in time from the device TLB of "
            "stream 0x%x",
            v->unit.base, r->sid.id);
}

/* queue.lock is held, and released for the sentences only. */
static void errors_locked(struct smmuv3_unit *v)
{
    struct smmuv3_queue *q = &v->queue;
    struct report r = { .error = SMMUV3_CERROR_NONE };
    uint32_t gerrorn;
    bool dead;

    if (q->dead || !cmdq_err(v, &gerrorn))
        return;
    handle(v, &r);
    /* A device can cause these as often as it likes. */
    r.new = smmuv3_rare(&q->errors);
    dead = q->dead;
    if (!dead) {
        uim_fence(v->unit.host); /* the SYNC before the unit looks again */
        uim_wr32(&v->unit, SMMUV3_REG_GERRORN, gerrorn);
    }
    uim_spin_unlock(&v->unit, q->lock);
    if (dead)
        uim_break(&v->unit, "its command queue cannot be read");
    else if (r.new)
        say(v, &r);
    uim_spin_lock(&v->unit, q->lock);
}

void smmuv3_queue_errors(struct smmuv3_unit *v)
{
    uim_spin_lock(&v->unit, v->queue.lock);
    errors_locked(v);
    uim_spin_unlock(&v->unit, v->queue.lock);
}

/* ---- posting --------------------------------------------------------------- */

static uint32_t room(const struct smmuv3_queue *q)
{
    return entries(q) - (q->tail - q->head);
}

static void fill(struct smmuv3_unit *v, struct smmuv3_waiter *w,
                 const struct smmuv3_batch *b)
{
    struct smmuv3_queue *q = &v->queue;
    struct smmuv3_cmdq_prod_fields prod = { .wr = 0 };

    w->atc = b->atc;
    w->sid = b->sid;
    w->first = q->tail;
    for (unsigned i = 0; i < b->n; i++)
        put(v, q->tail++, b->cmd[i]);
    w->sync = q->tail;
    put(v, q->tail++, smmuv3_sync());
    uim_list_add_tail(&q->waiters, &w->node);
    /* What is to be invalidated, and the commands, first. */
    uim_fence(v->unit.host);
    prod.wr = wrapped(q, q->tail);
    uim_wr32(&v->unit, SMMUV3_REG_CMDQ_PROD,
             (uint32_t)smmuv3_cmdq_prod_pack(&prod).raw);
}

static bool try_post(struct smmuv3_unit *v, struct smmuv3_waiter *w,
                     const struct smmuv3_batch *b)
{
    struct smmuv3_queue *q = &v->queue;
    bool fits;

    uim_spin_lock(&v->unit, q->lock);
    if (room(q) <= b->n) {
        (void)read_head(v);
        errors_locked(v);
    }
    fits = room(q) > b->n;
    if (fits)
        fill(v, w, b);
    uim_spin_unlock(&v->unit, q->lock);
    return fits;
}

/* ---- waiting --------------------------------------------------------------- */

/* Does `o` hold up `w` without being to blame for it itself? */
static bool before(const struct smmuv3_waiter *o, const struct smmuv3_waiter *w)
{
    if (!w)
        return true;
    return (int32_t)(w->first - o->first) > 0 &&
           (!w->atc || w->sid.id != o->sid.id);
}

/* Is there a device that was asked before, and did not answer? NULL stands for who is
 * not in the queue yet. queue.lock is held. */
static bool held_up(const struct smmuv3_queue *q, const struct smmuv3_waiter *w)
{
    if (q->any_left)
        return true;
    uim_list_for_each(n, &q->waiters) {
        const struct smmuv3_waiter *o =
            uim_container(n, struct smmuv3_waiter, node);

        if (o->atc && !passed(q, o->sync) && before(o, w))
            return true;
    }
    return false;
}

/* Since when somebody waits; and since when for the unit alone, which begins anew when
 * a device that held it up does so no more. */
struct patience {
    uint64_t start, since;
    bool held;
};

static bool out_of_patience(struct smmuv3_unit *v,
                            const struct smmuv3_waiter *w, uint64_t now,
                            struct patience *p)
{
    const bool was_held = p->held;

    if (now - p->since <= v->unit.timeout_ns)
        return false;
    uim_spin_lock(&v->unit, v->queue.lock);
    p->held = held_up(&v->queue, w);
    uim_spin_unlock(&v->unit, v->queue.lock);
    p->since = now;
    return now - p->start > DEVICE_PATIENCE_NS || !(p->held || was_held);
}

static bool post(struct smmuv3_unit *v, struct smmuv3_waiter *w,
                 const struct smmuv3_batch *b)
{
    struct patience p = { .held = false };
    uint64_t now;

    if (try_post(v, w, b))
        return true;
    p.start = p.since = uim_now(&v->unit);
    while (!atomic_load(&v->unit.broken)) {
        now = uim_now(&v->unit);
        if (try_post(v, w, b))
            return true;
        if (out_of_patience(v, NULL, now, &p)) {
            uim_break(&v->unit, "its command queue stays full");
            break;
        }
        uim_relax(&v->unit);
    }
    return false;
}

static enum outcome look(struct smmuv3_unit *v, const struct smmuv3_waiter *w)
{
    struct smmuv3_queue *q = &v->queue;
    enum outcome outcome = PENDING;

    uim_spin_lock(&v->unit, q->lock);
    if (!passed(q, w->sync)) {
        (void)read_head(v);
        errors_locked(v);
    }
    if (w->late)
        outcome = LATE; /* its SYNC may be tried again for long */
    else if (passed(q, w->sync))
        outcome = w->refused ? REFUSED : DONE;
    else if (atomic_load(&v->unit.broken))
        outcome = SILENT;
    uim_spin_unlock(&v->unit, q->lock);
    return outcome;
}

/* A device that is silent is no reason to give up the unit. */
static enum outcome give_up(struct smmuv3_unit *v,
                            const struct smmuv3_waiter *w)
{
    bool rare;

    if (!w->atc) {
        uim_break(&v->unit, "a command is not completed");
        return SILENT;
    }
    uim_spin_lock(&v->unit, v->queue.lock);
    rare = smmuv3_rare(&v->queue.unanswered);
    uim_spin_unlock(&v->unit, v->queue.lock);
    if (rare)
        uim_log(v->unit.u, UIOMMU_LOG_WARN,
                "smmuv3 unit at 0x%lx: no answer yet from the device TLB of "
                "stream 0x%x",
                v->unit.base, w->sid.id);
    return LATE;
}

/* Most commands are complete at the first look, without the clock. */
static enum outcome wait_for(struct smmuv3_unit *v,
                             const struct smmuv3_waiter *w)
{
    enum outcome outcome = look(v, w);
    struct patience p = { .held = false };
    uint64_t now;

    if (outcome != PENDING)
        return outcome;
    p.start = p.since = uim_now(&v->unit);
    for (;;) {
        /* Before the look, see uim_wait64(). */
        now = uim_now(&v->unit);
        outcome = look(v, w);
        if (outcome != PENDING)
            return outcome;
        if (out_of_patience(v, w, now, &p))
            return give_up(v, w);
        uim_relax(&v->unit);
    }
}

/* Of two that are left the last counts, whoever left first. */
static void leave(struct smmuv3_queue *q, uint32_t sync)
{
    if (!q->any_left || (int32_t)(sync - q->left) > 0)
        q->left = sync;
    q->any_left = true;
}

static void drop(struct smmuv3_unit *v, struct smmuv3_waiter *w)
{
    struct smmuv3_queue *q = &v->queue;

    uim_spin_lock(&v->unit, q->lock);
    uim_list_del(&w->node);
    if (w->atc && !passed(q, w->sync))
        leave(q, w->sync);
    uim_spin_unlock(&v->unit, q->lock);
}

enum uiommu_status smmuv3_submit(struct smmuv3_unit *v,
                                 const struct smmuv3_batch *b)
{
    struct smmuv3_waiter w = { .refused = false };
    enum outcome outcome;

    /* Also one that did not come back from a sleep: it may have kept translating. */
    if (atomic_load(&v->unit.broken))
        return UIOMMU_TIMEDOUT;
    if (!v->live)
        return UIOMMU_OK;
    if (!post(v, &w, b))
        return UIOMMU_TIMEDOUT;
    outcome = wait_for(v, &w);
    drop(v, &w);
    if (outcome == DONE)
        return UIOMMU_OK;
    return outcome == REFUSED ? UIOMMU_IO : UIOMMU_TIMEDOUT;
}

/* ---- on and off ------------------------------------------------------------ */

enum uiommu_status smmuv3_queue_create(struct smmuv3_unit *v)
{
    const struct uiommu_host *h = v->unit.host;
    struct smmuv3_queue *q = &v->queue;
    uint64_t most = smmuv3_idr1_cmdqs(v->idr1);

    uim_list_init(&q->waiters);
    q->log2size = (uint8_t)(most < LOG2SIZE_MOST ? most : LOG2SIZE_MOST);
    q->lock = h->spin_create(h->ctx);
    q->ring = uim_pages_alloc(
        &v->unit, v->coherent,
        smmuv3_order((uint64_t)entries(q) * SMMUV3_CMD_BYTES), &q->ring_phys);
    return q->lock && q->ring ? UIOMMU_OK : UIOMMU_NOMEM;
}

void smmuv3_queue_destroy(struct smmuv3_unit *v)
{
    struct smmuv3_queue *q = &v->queue;

    if (!v->stuck)
        uim_pages_free(&v->unit, q->ring, q->ring_phys,
                       smmuv3_order((uint64_t)entries(q) * SMMUV3_CMD_BYTES));
    uim_spin_free(&v->unit, q->lock);
}

/* An error that somebody left is acknowledged first: the queue would not start. */
static void forget_errors(struct smmuv3_unit *v)
{
    uint32_t gerrorn;

    if (cmdq_err(v, &gerrorn))
        uim_wr32(&v->unit, SMMUV3_REG_GERRORN, gerrorn);
}

/* An interrupt may come meanwhile, and look for errors. */
enum uiommu_status smmuv3_queue_start(struct smmuv3_unit *v)
{
    struct smmuv3_queue *q = &v->queue;
    const struct smmuv3_cmdq_base_fields base = {
        .ra = 1,
        .addr = q->ring_phys >> 5,
        .log2size = q->log2size,
    };

    uim_spin_lock(&v->unit, q->lock);
    q->head = q->tail = 0;
    q->any_left = false;
    q->dead = false;
    forget_errors(v);
    uim_wr64(&v->unit, SMMUV3_REG_CMDQ_BASE, smmuv3_cmdq_base_pack(&base).raw);
    uim_wr32(&v->unit, SMMUV3_REG_CMDQ_PROD, 0);
    uim_wr32(&v->unit, SMMUV3_REG_CMDQ_CONS, 0);
    uim_spin_unlock(&v->unit, q->lock);
    return smmuv3_cr0(v, SMMUV3_CR0_BIT(cmdqen), SMMUV3_CR0_BIT(cmdqen));
}
