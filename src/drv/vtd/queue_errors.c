/* SPDX-License-Identifier: MIT */
/*
 * queue_errors.c - what can go wrong in the invalidation queue (6.5.2.10,
 * 11.4.8, semantics B.19). Any thread that waits, and vtd_poll(), may end up
 * here.
 */
#include "drv/vtd/queue.h"

/* What is to be said, once the lock is released. */
struct report {
    bool iqe, ite, ice;
    struct vtd_iqercd error;
    struct vtd_desc refused;
};

static bool passed(const struct vtd_queue *q, uint32_t position)
{
    return (int32_t)(q->head - position) > 0;
}

static bool in_use(const struct vtd_queue *q, unsigned i)
{
    return !(q->free & UIM_BIT(i)) && !vtd_queue_answered(q, &q->waiter[i]);
}

static void conclude(struct vtd_waiter *w, enum vtd_outcome outcome)
{
    if (atomic_load(&w->outcome) == VTD_PENDING)
        atomic_store(&w->outcome, outcome);
}

/* ---- ITE: a device TLB did not answer ------------------------------------ */

/*
 * Hardware forgets the waits it has fetched and fetches nothing more until ITE
 * is cleared. A wait behind the head is answered in its place. One that was not
 * fetched yet will complete, although the command before it never did: so what
 * was for that device fails wherever its wait is. SID 0 means that the unit
 * does not tell.
 */
static void time_out(struct vtd_queue *q, struct vtd_waiter *w, uint16_t sid)
{
    bool dropped = passed(q, w->wait);

    if (w->ats && w->sid.id == sid && passed(q, w->first))
        conclude(w, VTD_LATE);
    else if (dropped || (sid == 0 && w->ats && passed(q, w->first)))
        conclude(w, VTD_ABORTED);
    if (!dropped)
        return;
    uim_fence_release(); /* the outcome before the answer */
    vtd_queue_answer(q, w);
}

static void on_ite(struct vtd_unit *v, struct report *r)
{
    struct vtd_queue *q = &v->queue;
    struct vtd_fsts_fields ite = { .ite = 1 };

    vtd_queue_read_head(v);
    for (unsigned i = 0; i < VTD_WAITERS; i++)
        if (in_use(q, i))
            time_out(q, &q->waiter[i], (uint16_t)vtd_iqercd_itesid(r->error));
    vtd_wr32(v, VTD_REG_FSTS, (uint32_t)vtd_fsts_pack(&ite).raw);
}

/* ---- IQE: a descriptor is in error --------------------------------------- */

static struct vtd_waiter *owner(struct vtd_queue *q, uint32_t position)
{
    for (unsigned i = 0; i < VTD_WAITERS; i++) {
        struct vtd_waiter *w = &q->waiter[i];

        if (in_use(q, i) && position - w->first <= w->wait - w->first)
            return w;
    }
    return NULL;
}

static struct vtd_desc desc_at(const struct vtd_queue *q, uint32_t position)
{
    unsigned words = q->wide ? 4 : 2;
    const uim_word *slot = &q->ring[position % VTD_QUEUE_ENTRIES * words];

    return (struct vtd_desc){ uim_ld64(&slot[0]), uim_ld64(&slot[1]) };
}

/* The head stays on the bad descriptor, and hardware tries it again when IQE is
 * cleared; QEMU only when the tail is written. */
static bool on_iqe(struct vtd_unit *v, struct report *r)
{
    struct vtd_queue *q = &v->queue;
    struct vtd_fsts_fields iqe = { .iqe = 1 };
    struct vtd_waiter *w;

    vtd_queue_read_head(v);
    w = owner(q, q->head);
    if (!w)
        return false;
    r->refused = desc_at(q, q->head);
    conclude(w, VTD_REFUSED);
    vtd_queue_put_nop(q, q->head);
    if (q->head == w->wait) {
        uim_fence_release();
        vtd_queue_answer(q, w);
    }
    uim_fence(v->unit.host); /* the no-op before hardware looks again */
    vtd_wr32(v, VTD_REG_FSTS, (uint32_t)vtd_fsts_pack(&iqe).raw);
    vtd_queue_ring(v);
    return true;
}

/* ---- all of them --------------------------------------------------------- */

static struct vtd_fsts errors_now(const struct vtd_unit *v)
{
    const struct vtd_fsts_fields all = { .iqe = 1, .ice = 1, .ite = 1 };
    uint32_t fsts = vtd_rd32(v, VTD_REG_FSTS);

    /* All ones: nobody is there. The waiters' patience ends that. */
    if (fsts == UINT32_MAX)
        fsts = 0;
    return (struct vtd_fsts){ fsts & vtd_fsts_pack(&all).raw };
}

/* False: it is the queue that is in error, not a descriptor. */
static bool handle(struct vtd_unit *v, struct report *r)
{
    const struct vtd_fsts_fields ice = { .ice = 1 };
    const struct vtd_fsts fsts = errors_now(v);

    r->iqe = vtd_fsts_iqe(fsts);
    r->ite = vtd_fsts_ite(fsts);
    r->ice = vtd_fsts_ice(fsts);
    if (fsts.raw != 0)
        r->error.raw = vtd_rd64(v, VTD_REG_IQERCD);
    if (r->ice) /* an answer to nothing; hardware carries on */
        vtd_wr32(v, VTD_REG_FSTS, (uint32_t)vtd_fsts_pack(&ice).raw);
    if (r->ite)
        on_ite(v, r);
    return !r->iqe || on_iqe(v, r);
}

static const char *const iqei_text[] = {
    [VTD_IQEI_NONE] = "no reason given",
    [VTD_IQEI_INVALID_TAIL] = "the tail is beyond the queue",
    [VTD_IQEI_FETCH_ERROR] = "the descriptor cannot be read",
    [VTD_IQEI_INVALID_TYPE] = "the unit has no such command",
    [VTD_IQEI_RESERVED_FIELD] = "a reserved field is not zero",
    [VTD_IQEI_INVALID_DESCRIPTOR_WIDTH] =
        "descriptors of this width do not go with the translation mode",
    [VTD_IQEI_TAIL_MISALIGNED] = "the tail is not at a descriptor",
    [VTD_IQEI_INVALID_TTM] = "the translation mode is not valid",
};

static const char *iqei_text_of(struct vtd_iqercd error)
{
    uint64_t iqei = vtd_iqercd_iqei(error);

    if (iqei < sizeof(iqei_text) / sizeof(iqei_text[0]))
        return iqei_text[iqei];
    return "unknown reason";
}

static void say(const struct vtd_unit *v, const struct report *r)
{
    unsigned sid;

    if (r->iqe)
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "vtd unit at 0x%lx refuses invalidation descriptor %016lx "
                "%016lx: %s",
                v->unit.base, r->refused.hi, r->refused.lo,
                iqei_text_of(r->error));
    if (!r->ite && !r->ice)
        return;
    sid = (unsigned)(r->ite ? vtd_iqercd_itesid(r->error)
                            : vtd_iqercd_icesid(r->error));
    uim_log(v->unit.u, UIOMMU_LOG_WARN,
            "vtd unit at 0x%lx: %s %04x:%02x:%02x.%u", v->unit.base,
            r->ite ? "no answer in time from the device TLB of"
                   : "a device-TLB answer that nobody waits for from",
            (unsigned)v->unit.segment, sid >> 8, sid >> 3 & 0x1fu, sid & 7u);
}

/* IQE comes back as long as the queue is on, and while it is set no fault raises
 * an interrupt (7.3). Nobody uses the queue of a unit that is broken. */
static void give_up(struct vtd_unit *v, const struct report *r)
{
    const struct vtd_fsts_fields iqe = { .iqe = 1 };

    uim_break(&v->unit, iqei_text_of(r->error));
    if (vtd_gcmd_switch(v, VTD_GCMD_BIT(qie), false) == UIOMMU_OK)
        vtd_wr32(v, VTD_REG_FSTS, (uint32_t)vtd_fsts_pack(&iqe).raw);
}

bool vtd_queue_in_error(const struct vtd_unit *v)
{
    return vtd_ecap_qi(v->ecap) && !atomic_load(&v->queue.given_up) &&
           errors_now(v).raw != 0;
}

void vtd_queue_errors(struct vtd_unit *v)
{
    struct vtd_queue *q = &v->queue;
    struct report r = { .iqe = false };
    uint32_t n;
    bool usable;

    if (!vtd_queue_in_error(v))
        return;
    uim_spin_lock(&v->unit, q->lock);
    usable = handle(v, &r); /* looks again: others may have been faster */
    n = q->errors;
    q->errors += r.iqe || r.ite || r.ice;
    if (!usable)
        usable = atomic_exchange(&q->given_up, true);
    uim_spin_unlock(&v->unit, q->lock);
    /* A device can cause ICE and ITE as often as it likes: the sentences are
     * those of the 1st, 2nd, 4th, 8th ... error. */
    if (!usable)
        give_up(v, &r);
    else if ((n & (n + 1)) == 0)
        say(v, &r);
}
