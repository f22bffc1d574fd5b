/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the invalidation queue (6.5.2).
 *
 * A submission takes the ring slots it needs and one wait descriptor that makes
 * hardware write a number into a status word of its own; all under queue.lock,
 * so that its slots are adjacent. It then waits for that word without the lock.
 *
 * Whoever finds an error in FSTS deals with it for everybody (6.5.2.10): a bad
 * descriptor is replaced by one that does nothing, and its submitter alone
 * fails; when a device TLB did not answer, hardware drops the waits it had
 * fetched, and their submitters submit again. queue_errors.c does that.
 *
 * The ring and the status page are always snooped, whatever ECAP.C says.
 */
#include "drv/vtd/queue.h"

enum {
    STATUS_LINE = 8, /* words */
};

/* PCIe 10.3.2: a function has a minute, and half of that again, to answer an
 * invalidation. So long may a device hold up those behind it in the queue. */
#define DEVICE_PATIENCE_NS (UINT64_C(90) * 1000 * 1000 * 1000)

/* ---- places -------------------------------------------------------------- */

static unsigned index_of(const struct vtd_queue *q, const struct vtd_waiter *w)
{
    return (unsigned)(w - q->waiter);
}

static uim_word *status_word(const struct vtd_queue *q, unsigned line)
{
    return &q->status[line * STATUS_LINE];
}

static uint64_t status_phys(const struct vtd_queue *q, unsigned line)
{
    return q->status_phys + line * STATUS_LINE * sizeof(uim_word);
}

/* Hardware writes the low half, the sequence number is never 0. */
bool vtd_queue_answered(const struct vtd_queue *q, const struct vtd_waiter *w)
{
    uint64_t status = uim_ld64(status_word(q, index_of(q, w)));

    return (uint32_t)status == w->sequence;
}

void vtd_queue_answer(struct vtd_queue *q, const struct vtd_waiter *w)
{
    uim_st64(status_word(q, index_of(q, w)), w->sequence);
}

static void put(struct vtd_queue *q, uint32_t position, struct vtd_desc desc)
{
    unsigned words = q->wide ? 4 : 2;
    uim_word *slot = &q->ring[position % VTD_QUEUE_ENTRIES * words];

    /* Words 2 and 3 of a wide one are 0 from the start. */
    uim_st64(&slot[0], desc.lo);
    uim_st64(&slot[1], desc.hi);
}

void vtd_queue_put_nop(struct vtd_queue *q, uint32_t position)
{
    put(q, position, vtd_wait_desc(status_phys(q, VTD_SCRATCH_LINE), 1, false));
}

/* Slots before the tail are hardware's from here on. */
void vtd_queue_ring(struct vtd_unit *v)
{
    struct vtd_queue *q = &v->queue;
    uint64_t slot = q->tail % VTD_QUEUE_ENTRIES;
    struct vtd_iqt_fields iqt = { .qt = q->wide ? slot << 1 : slot };

    /* What is to be invalidated, the slots and the status word first. */
    uim_fence(v->unit.host);
    vtd_wr64(v, VTD_REG_IQT, vtd_iqt_pack(&iqt).raw);
}

void vtd_queue_read_head(struct vtd_unit *v)
{
    struct vtd_queue *q = &v->queue;
    const struct vtd_iqh iqh = { vtd_rd64(v, VTD_REG_IQH) };
    uint32_t slot = (uint32_t)vtd_iqh_qh(iqh) >> (q->wide ? 1 : 0);
    uint32_t moved = (slot - q->head) % VTD_QUEUE_ENTRIES;

    if (moved <= q->tail - q->head)
        q->head += moved;
}

/* ---- waiters ------------------------------------------------------------- */

static struct vtd_waiter *take_waiter(struct vtd_queue *q)
{
    struct vtd_waiter *w;

    if (q->free == 0)
        return NULL;
    w = &q->waiter[uim_ctz(q->free)];
    q->free &= ~UIM_BIT(index_of(q, w));
    return w;
}

/* Hardware may write a status word as long as neither it nor the software that
 * saw the wait dropped has answered. */
static void reclaim(struct vtd_queue *q)
{
    for (uint64_t left = q->left; left != 0; left &= left - 1) {
        unsigned i = uim_ctz(left);

        if (!vtd_queue_answered(q, &q->waiter[i]))
            continue;
        q->left &= ~UIM_BIT(i);
        q->free |= UIM_BIT(i);
    }
}

static void drop_waiter(struct vtd_unit *v, const struct vtd_waiter *w)
{
    struct vtd_queue *q = &v->queue;

    uim_spin_lock(&v->unit, q->lock);
    q->left |= UIM_BIT(index_of(q, w));
    reclaim(q);
    uim_spin_unlock(&v->unit, q->lock);
}

/* ---- posting ------------------------------------------------------------- */

static uint32_t room(const struct vtd_queue *q)
{
    return VTD_QUEUE_ENTRIES - 1 - (q->tail - q->head);
}

static void fill(struct vtd_unit *v, struct vtd_waiter *w,
                 const struct vtd_batch *b)
{
    struct vtd_queue *q = &v->queue;
    const unsigned line = index_of(q, w);

    if (++q->sequence == 0)
        q->sequence = 1;
    w->sequence = q->sequence;
    w->ats = b->ats;
    w->sid = b->sid;
    atomic_store(&w->outcome, VTD_PENDING);
    w->first = q->tail;
    for (unsigned i = 0; i < b->n; i++)
        put(q, q->tail++, b->desc[i]);
    w->wait = q->tail;
    put(q, q->tail++,
        vtd_wait_desc(status_phys(q, line), w->sequence, b->drains));
    vtd_queue_ring(v);
}

static struct vtd_waiter *try_post(struct vtd_unit *v,
                                   const struct vtd_batch *b)
{
    struct vtd_queue *q = &v->queue;
    struct vtd_waiter *w = NULL;

    uim_spin_lock(&v->unit, q->lock);
    if (room(q) <= b->n)
        vtd_queue_read_head(v);
    if (q->free == 0)
        reclaim(q);
    if (room(q) > b->n)
        w = take_waiter(q);
    if (w)
        fill(v, w, b);
    uim_spin_unlock(&v->unit, q->lock);
    return w;
}

/* Does `other` hold up `w` without being to blame for it itself? NULL stands for
 * who is not in the queue yet. */
static bool holds_up(const struct vtd_queue *q, const struct vtd_waiter *other,
                     const struct vtd_waiter *w)
{
    if (!other->ats || vtd_queue_answered(q, other))
        return false;
    if (!w)
        return true;
    return (int32_t)(w->first - other->first) > 0 &&
           (!w->ats || w->sid.id != other->sid.id);
}

/* Is there a device that was asked before and did not answer? */
static bool held_up(struct vtd_unit *v, const struct vtd_waiter *w)
{
    struct vtd_queue *q = &v->queue;
    bool found = false;

    uim_spin_lock(&v->unit, q->lock);
    for (unsigned i = 0; i < VTD_WAITERS && !found; i++)
        found = !(q->free & UIM_BIT(i)) && holds_up(q, &q->waiter[i], w);
    uim_spin_unlock(&v->unit, q->lock);
    return found;
}

static bool out_of_patience(struct vtd_unit *v, const struct vtd_waiter *w,
                            uint64_t waited)
{
    if (waited <= v->unit.timeout_ns)
        return false;
    return waited > DEVICE_PATIENCE_NS || !held_up(v, w);
}

static struct vtd_waiter *post(struct vtd_unit *v, const struct vtd_batch *b)
{
    struct vtd_waiter *w = try_post(v, b);
    uint64_t start, waited;

    if (w)
        return w;
    start = uim_now(&v->unit);
    while (!atomic_load(&v->unit.broken)) {
        waited = uim_now(&v->unit) - start;
        w = try_post(v, b);
        if (w)
            return w;
        if (out_of_patience(v, NULL, waited)) {
            uim_break(&v->unit, "its invalidation queue stays full");
            break;
        }
        vtd_queue_errors(v);
        uim_relax(&v->unit);
    }
    return NULL;
}

/* ---- waiting ------------------------------------------------------------- */

static enum vtd_outcome look(const struct vtd_unit *v,
                             const struct vtd_waiter *w)
{
    bool answered = vtd_queue_answered(&v->queue, w);
    enum vtd_outcome known;

    uim_fence_acquire();
    known = (enum vtd_outcome)atomic_load(&w->outcome);
    if (answered)
        return known == VTD_PENDING ? VTD_DONE : known;
    if (known == VTD_LATE)
        return known;
    return atomic_load(&v->unit.broken) ? VTD_SILENT : VTD_PENDING;
}

/* A device that is silent is no reason to give up the unit. */
static enum vtd_outcome give_up(struct vtd_unit *v, const struct vtd_waiter *w)
{
    if (!w->ats) {
        uim_break(&v->unit, "an invalidation is not completed");
        return VTD_SILENT;
    }
    uim_log(v->unit.u, UIOMMU_LOG_WARN,
            "vtd unit at 0x%lx: no answer yet from the device TLB of "
            "%04x:%02x:%02x.%u",
            v->unit.base, (unsigned)v->unit.segment, w->sid.id >> 8u,
            w->sid.id >> 3u & 0x1fu, w->sid.id & 7u);
    return VTD_LATE;
}

/* Most invalidations are complete at the first look, without the clock. */
static enum vtd_outcome wait_for(struct vtd_unit *v, const struct vtd_waiter *w)
{
    enum vtd_outcome outcome = look(v, w);
    uint64_t start, waited;

    if (outcome != VTD_PENDING)
        return outcome;
    start = uim_now(&v->unit);
    for (;;) {
        /* Before the look, see uim_wait64(). */
        waited = uim_now(&v->unit) - start;
        outcome = look(v, w);
        if (outcome != VTD_PENDING)
            return outcome;
        if (out_of_patience(v, w, waited))
            return give_up(v, w);
        vtd_queue_errors(v);
        uim_relax(&v->unit);
    }
}

static enum vtd_outcome attempt(struct vtd_unit *v, const struct vtd_batch *b)
{
    struct vtd_waiter *w = post(v, b);
    enum vtd_outcome outcome;

    if (!w)
        return VTD_SILENT;
    outcome = wait_for(v, w);
    drop_waiter(v, w);
    return outcome;
}

/* Where a wait was dropped, what came before it was carried out (6.5.2.11). */
static enum uiommu_status status_of(const struct vtd_batch *b,
                                    enum vtd_outcome outcome)
{
    if (outcome == VTD_DONE || (outcome == VTD_ABORTED && b->once))
        return UIOMMU_OK;
    if (outcome == VTD_REFUSED)
        return UIOMMU_IO;
    return UIOMMU_TIMEDOUT;
}

enum uiommu_status vtd_submit(struct vtd_unit *v, const struct vtd_batch *b)
{
    enum vtd_outcome outcome;
    uint64_t start;

    /* Also one that did not come back from a sleep: it may have kept translating. */
    if (atomic_load(&v->unit.broken))
        return UIOMMU_TIMEDOUT;
    if (!v->live)
        return UIOMMU_OK;
    if (!vtd_ecap_qi(v->ecap))
        return vtd_submit_by_registers(v, b);
    /* Somebody else's device may take it along again and again. */
    start = uim_now(&v->unit);
    do
        outcome = attempt(v, b);
    while (outcome == VTD_ABORTED && !b->once &&
           uim_now(&v->unit) - start < DEVICE_PATIENCE_NS);
    return status_of(b, outcome);
}

/* ---- on and off ---------------------------------------------------------- */

enum uiommu_status vtd_queue_create(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;
    struct vtd_queue *q = &v->queue;

    if (!vtd_ecap_qi(v->ecap))
        return UIOMMU_OK;
    q->wide = vtd_has_pasids(v);
    q->lock = h->spin_create(h->ctx);
    q->ring = uim_pages_alloc(&v->unit, v->coherent, q->wide, &q->ring_phys);
    q->status = uim_pages_alloc(&v->unit, v->coherent, 0, &q->status_phys);
    return q->lock && q->ring && q->status ? UIOMMU_OK : UIOMMU_NOMEM;
}

void vtd_queue_destroy(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;
    struct vtd_queue *q = &v->queue;

    if (!v->stuck) {
        uim_pages_free(&v->unit, q->ring, q->ring_phys, q->wide);
        uim_pages_free(&v->unit, q->status, q->status_phys, 0);
    }
    if (q->lock)
        h->spin_destroy(h->ctx, q->lock);
}

/* 6.5.2: off only while it is empty. One that is stuck on an error, left by
 * firmware, is switched off as it is. */
enum uiommu_status vtd_queue_stop(struct vtd_unit *v)
{
    const uint32_t qie = VTD_GCMD_BIT(qie);
    uint64_t tail;

    if (!vtd_ecap_qi(v->ecap) || !(vtd_rd32(v, VTD_REG_GSTS) & qie))
        return UIOMMU_OK;
    tail = vtd_rd64(v, VTD_REG_IQT);
    if (!uim_wait64(&v->unit, VTD_REG_IQH, vtd_iqh_DEFINED,
                    tail & vtd_iqt_DEFINED))
        uim_log(v->unit.u, UIOMMU_LOG_WARN,
                "vtd unit at 0x%lx: its invalidation queue does not empty",
                v->unit.base);
    return vtd_gcmd_switch(v, qie, false);
}

static void reset(struct vtd_queue *q)
{
    q->head = q->tail = 0;
    q->free = UIM_MASK(VTD_WAITERS - 1, 0);
    q->left = 0;
    atomic_store(&q->given_up, false);
    for (unsigned i = 0; i < VTD_WAITERS; i++)
        uim_st64(status_word(q, i), 0);
}

enum uiommu_status vtd_queue_start(struct vtd_unit *v)
{
    struct vtd_queue *q = &v->queue;
    struct vtd_fsts_fields errors = { .iqe = 1, .ice = 1, .ite = 1 };
    struct vtd_iqa_fields iqa = {
        .iqa = q->ring_phys >> 12,
        .dw = q->wide,
        .qs = q->wide,
    };

    if (!vtd_ecap_qi(v->ecap))
        return UIOMMU_OK;
    reset(q);
    vtd_wr32(v, VTD_REG_FSTS, (uint32_t)vtd_fsts_pack(&errors).raw);
    uim_fence(v->unit.host);
    vtd_wr64(v, VTD_REG_IQT, 0);
    vtd_wr64(v, VTD_REG_IQA, vtd_iqa_pack(&iqa).raw);
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(qie), true);
}
