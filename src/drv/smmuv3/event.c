/* SPDX-License-Identifier: MIT */
/*
 * event.c - the event queue (3.5.2, 7.2 to 7.4) and global errors (7.5; semantics
 * B.18).
 *
 * The unit adds records and moves PROD; software takes them and moves CONS. Records
 * are taken one by one under event_lock and delivered without it, so that several
 * threads may poll. The queue's memory is one that CPUs read as the unit writes it.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    LOG2SIZE_MOST = 9,
    WORDS = SMMUV3_EVENT_BYTES / 8,
    /* Queues full that are delivered: a device that faults without end must not keep
     * the CPU here. And how long the rest may take. */
    ROUNDS = 4,
    PATIENCE_NS = 100 * 1000,
};

static uint32_t entries(const struct smmuv3_events *e)
{
    return UINT32_C(1) << e->log2size;
}

/* ---- decoding ------------------------------------------------------------ */

static bool has_address(unsigned id)
{
    switch (id) {
    case SMMUV3_EVT_F_UUT:
    case SMMUV3_EVT_F_BAD_ATS_TREQ:
    case SMMUV3_EVT_F_TRANSL_FORBIDDEN:
    case SMMUV3_EVT_F_WALK_EABT:
    case SMMUV3_EVT_F_TLB_CONFLICT:
        return true;
    default:
        return smmuv3_event_of_translation(id);
    }
}

/* RnW is where it is in all events that have it; translation requests are reads. */
static unsigned access_of(unsigned id, uint64_t q1)
{
    const struct smmuv3_evt_uut_q1 uut = { q1 };

    if (!has_address(id))
        return 0;
    if (id == SMMUV3_EVT_F_BAD_ATS_TREQ || smmuv3_evt_uut_q1_rnw(uut))
        return UIOMMU_READ;
    return UIOMMU_WRITE;
}

static bool has_ssid(unsigned id, struct smmuv3_evt_q0 q0)
{
    if (id == SMMUV3_EVT_F_STREAM_DISABLED)
        return false;
    return id == SMMUV3_EVT_C_BAD_SUBSTREAMID || smmuv3_evt_q0_ssv(q0);
}

static struct uiommu_fault decode(const struct smmuv3_unit *v,
                                  const struct smmuv3_record *r, bool overflow)
{
    const struct smmuv3_evt_q0 q0 = { r->w[0] };
    const unsigned id = (unsigned)smmuv3_evt_q0_id(q0);

    return (struct uiommu_fault){
        .driver = "smmuv3",
        .unit = v->unit.index,
        .id = (uint32_t)smmuv3_evt_q0_sid(q0),
        .reason = id,
        .pasid = has_ssid(id, q0) ? (uint32_t)smmuv3_evt_q0_ssid(q0)
                                  : UIOMMU_NO_PASID,
        .access = access_of(id, r->w[1]),
        .has_iova = has_address(id),
        .iova = has_address(id) ? r->w[2] : 0,
        .overflow = overflow,
    };
}

/* 3.12.2: it waits for RESUME. */
static bool is_stalled(const struct smmuv3_record *r)
{
    return smmuv3_event_of_translation(
               (unsigned)smmuv3_evt_q0_id((struct smmuv3_evt_q0){ r->w[0] })) &&
           smmuv3_evt_translation_q1_stall(
               (struct smmuv3_evt_translation_q1){ r->w[1] });
}

static unsigned access_stalled(struct smmuv3_evt_translation_q1 q1)
{
    const unsigned access =
        smmuv3_evt_translation_q1_rnw(q1) ? UIOMMU_READ : UIOMMU_WRITE;

    return access | (smmuv3_evt_translation_q1_ind(q1) ? UIOMMU_EXEC : 0) |
           (smmuv3_evt_translation_q1_pnu(q1) ? UIOMMU_PRIV : 0);
}

/* True: somebody was asked for its page. Else it was ended: a fault as any other. */
static bool is_asked_for(struct smmuv3_unit *v, struct smmuv3_record *r)
{
    const struct smmuv3_evt_q0 q0 = { r->w[0] };
    const struct smmuv3_evt_translation_q1 q1 = { r->w[1] };
    const struct uim_page_request request = {
        .id = (uint32_t)smmuv3_evt_q0_sid(q0),
        .pasid = smmuv3_evt_q0_ssv(q0) ? (uint32_t)smmuv3_evt_q0_ssid(q0)
                                       : UIOMMU_NO_PASID,
        .group = (uint16_t)smmuv3_evt_translation_q1_stag(q1),
        .last = true,
        .access = access_stalled(q1),
        .iova = r->w[2] & ~UINT64_C(4095),
        .stalled = true,
    };

    r->w[1] = smmuv3_evt_translation_q1_set_stall(q1, 0).raw;
    return uim_request(&v->unit, &request);
}

static void settled(struct smmuv3_events *e)
{
    atomic_fetch_sub(&e->stalls, 1);
}

/* ---- taking -------------------------------------------------------------- */

static void take(struct smmuv3_events *e, struct smmuv3_record *r)
{
    const uim_word *slot =
        &e->ring[(size_t)(e->next & (entries(e) - 1)) * WORDS];

    for (unsigned i = 0; i < WORDS; i++)
        r->w[i] = uim_ld64(&slot[i]);
    e->next = (e->next + 1) & (2 * entries(e) - 1);
}

/* The slot is the unit's again, and it may tell of the next overflow. */
static void give_back(struct smmuv3_unit *v, struct smmuv3_eventq_prod prod)
{
    const struct smmuv3_eventq_cons_fields cons = {
        .rd = v->events.next,
        .ovackflg = smmuv3_eventq_prod_ovflg(prod),
    };

    uim_fence(v->unit.host); /* the record was read */
    uim_wr32(&v->unit, v->events.cons,
             (uint32_t)smmuv3_eventq_cons_pack(&cons).raw);
}

/* A unit that is gone reads as all ones: that is no index. */
static bool pending(const struct smmuv3_events *e,
                    struct smmuv3_eventq_prod prod)
{
    uint32_t wr = (uint32_t)smmuv3_eventq_prod_wr(prod);

    return ((wr - e->next) & (2 * entries(e) - 1)) - 1 < entries(e) &&
           prod.raw != UINT32_MAX;
}

/* event_lock is held, as for what follows. */
static bool take_next(struct smmuv3_unit *v, struct smmuv3_record *r)
{
    struct smmuv3_events *e = &v->events;
    const struct smmuv3_eventq_prod prod = { uim_rd32(&v->unit, e->prod) };
    const struct smmuv3_eventq_cons cons = { uim_rd32(&v->unit, e->cons) };

    if (!pending(e, prod))
        return false;
    uim_fence_acquire(); /* PROD before the record */
    take(e, r);
    if (smmuv3_eventq_prod_ovflg(prod) != smmuv3_eventq_cons_ovackflg(cons))
        e->dropped = true;
    if (is_stalled(r))
        atomic_fetch_add(&e->stalls, 1);
    give_back(v, prod);
    return true;
}

static bool take_kept(struct smmuv3_events *e, struct smmuv3_record *r)
{
    if (e->n_given == e->n_kept)
        return false;
    *r = e->kept[e->n_given++ % SMMUV3_EVENTS_KEPT];
    return true;
}

static void keep(struct smmuv3_events *e, const struct smmuv3_record *r)
{
    if (e->n_kept - e->n_given < SMMUV3_EVENTS_KEPT)
        e->kept[e->n_kept++ % SMMUV3_EVENTS_KEPT] = *r;
    else
        e->dropped = true;
}

static void keep_fault(struct smmuv3_unit *v, const struct smmuv3_record *r)
{
    uim_spin_lock(&v->unit, v->event_lock);
    keep(&v->events, r);
    uim_spin_unlock(&v->unit, v->event_lock);
}

static bool next_event(struct smmuv3_unit *v, struct smmuv3_record *r,
                       bool *overflow)
{
    struct smmuv3_events *e = &v->events;
    bool found;

    uim_spin_lock(&v->unit, v->event_lock);
    found = take_kept(e, r) || take_next(v, r);
    if (found) {
        *overflow = e->dropped;
        e->dropped = false;
    }
    uim_spin_unlock(&v->unit, v->event_lock);
    return found;
}

/* What does not wait is kept for who may deliver it. */
static bool next_stalled(struct smmuv3_unit *v, struct smmuv3_record *r)
{
    struct smmuv3_events *e = &v->events;
    uint32_t left = entries(e);
    bool found = false;

    uim_spin_lock(&v->unit, v->event_lock);
    while (!found && left-- > 0 && take_next(v, r)) {
        found = is_stalled(r);
        if (!found)
            keep(e, r);
    }
    uim_spin_unlock(&v->unit, v->event_lock);
    return found;
}

/* Nobody hears this one; the next that is heard says so. */
static void drop(struct smmuv3_unit *v)
{
    uim_spin_lock(&v->unit, v->event_lock);
    v->events.dropped = true;
    uim_spin_unlock(&v->unit, v->event_lock);
}

/* ---- global errors ------------------------------------------------------- */

#define GERROR_BIT(field)                                                      \
    ((uint32_t)smmuv3_gerror_pack(                                             \
         &(struct smmuv3_gerror_fields){ .field = 1 })                         \
         .raw)

/* Those of `which` that are active are, but SFM_ERR, which never is: it tells whoever asks
 * next, also after a sleep, that the unit has failed. Returns all that are active. */
static uint32_t acknowledge(struct smmuv3_unit *v, uint32_t which)
{
    uint32_t gerror, gerrorn, active, over;

    uim_spin_lock(&v->unit, v->queue.lock); /* who writes GERRORN */
    gerror = uim_rd32(&v->unit, SMMUV3_REG_GERROR);
    gerrorn = uim_rd32(&v->unit, SMMUV3_REG_GERRORN);
    active = gerror == UINT32_MAX ? 0 : gerror ^ gerrorn;
    over = active & which & ~GERROR_BIT(sfm_err);
    if (over)
        uim_wr32(&v->unit, SMMUV3_REG_GERRORN, gerrorn ^ over);
    uim_spin_unlock(&v->unit, v->queue.lock);
    return active;
}

/* But CMDQ_ERR, which is when it is dealt with. */
static uint32_t all_errors(void)
{
    return (uint32_t)smmuv3_gerror_DEFINED & ~GERROR_BIT(cmdq_err);
}

void smmuv3_requests_acknowledge(struct smmuv3_unit *v)
{
    (void)acknowledge(v, GERROR_BIT(priq_abt_err));
}

static enum uiommu_status check_failed(struct smmuv3_unit *v, uint32_t active)
{
    if (active & GERROR_BIT(sfm_err))
        return uim_break(&v->unit, "it has failed and aborts everything (SFM)");
    return UIOMMU_OK;
}

enum uiommu_status smmuv3_errors_start(struct smmuv3_unit *v)
{
    return check_failed(v, acknowledge(v, all_errors()));
}

/* Devices can cause these as often as they like. */
static bool is_rare(struct smmuv3_unit *v, uint32_t *errors)
{
    bool rare;

    uim_spin_lock(&v->unit, v->event_lock);
    rare = smmuv3_rare(errors);
    uim_spin_unlock(&v->unit, v->event_lock);
    return rare;
}

static void events_lost(struct smmuv3_unit *v)
{
    drop(v);
    if (is_rare(v, &v->events.unwritten))
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "smmuv3 unit at 0x%lx: it could not write to its event queue; "
                "events were lost",
                v->unit.base);
}

/* Whoever asked meanwhile was told to ask for nothing any more (8.1). Whoever empties the
 * queue acknowledges it. */
static void requests_lost(struct smmuv3_unit *v)
{
    atomic_store(&v->requests.unwritten, true);
    if (is_rare(v, &v->events.unwritten))
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "smmuv3 unit at 0x%lx: it could not write to its PRI queue; "
                "page requests were lost",
                v->unit.base);
}

static void message_lost(struct smmuv3_unit *v)
{
    if (is_rare(v, &v->events.unsent))
        uim_log(v->unit.u, UIOMMU_LOG_ERROR,
                "smmuv3 unit at 0x%lx: a message of its own did not arrive; "
                "uiommu_poll() reads what it has to say",
                v->unit.base);
}

static void global_errors(struct smmuv3_unit *v)
{
    uint32_t active;

    smmuv3_queue_errors(v);
    active = acknowledge(v, all_errors() & ~GERROR_BIT(priq_abt_err));
    (void)check_failed(v, active);
    if (active & GERROR_BIT(eventq_abt_err))
        events_lost(v);
    if (active & GERROR_BIT(priq_abt_err))
        requests_lost(v);
    if (active &
        (GERROR_BIT(msi_eventq_abt_err) | GERROR_BIT(msi_gerror_abt_err) |
         GERROR_BIT(msi_priq_abt_err)))
        message_lost(v);
}

/* ---- polling ------------------------------------------------------------- */

/* At most as many as fit the queue. True: it is empty. */
static bool look_round(struct smmuv3_unit *v, bool heard)
{
    struct uiommu_fault fault;
    struct smmuv3_record r;
    bool overflow;

    for (uint32_t i = 0; i < entries(&v->events); i++) {
        if (!next_event(v, &r, &overflow))
            return true;
        fault = decode(v, &r, overflow);
        if (is_stalled(&r)) {
            const bool asked = is_asked_for(v, &r);

            settled(&v->events);
            if (asked)
                continue;
        }
        if (!heard)
            drop(v);
        else if (fault.reason != SMMUV3_EVT_E_PAGE_REQUEST)
            uim_fault(&v->unit, &fault);
    }
    return false;
}

/* Faults are delivered without a lock, and whoever moves an endpoint has some. Of others,
 * what somebody has taken meanwhile, too. */
void smmuv3_stalls_take(struct smmuv3_unit *v)
{
    struct smmuv3_record r;

    for (uint32_t i = 0; i < entries(&v->events) && next_stalled(v, &r); i++) {
        if (!is_asked_for(v, &r))
            keep_fault(v, &r);
        settled(&v->events);
    }
    while (atomic_load(&v->events.stalls) > 0)
        uim_relax(&v->unit);
}

/* Whoever moves an endpoint has some, or kept them after who polls had looked: no interrupt
 * tells of those. */
static bool are_held(struct smmuv3_unit *v)
{
    const struct smmuv3_events *e = &v->events;
    bool held;

    uim_spin_lock(&v->unit, v->event_lock);
    held = atomic_load(&e->stalls) > 0 || e->n_given != e->n_kept;
    uim_spin_unlock(&v->unit, v->event_lock);
    return held;
}

/* An interrupt comes when the queue is no longer empty (3.18): until it is empty, none
 * does. */
static bool poll_events(struct smmuv3_unit *v)
{
    uint64_t start;

    for (unsigned i = 0; i < ROUNDS; i++)
        if (look_round(v, true))
            return false;
    start = uim_now(&v->unit);
    do
        if (look_round(v, false))
            return false;
    while (uim_now(&v->unit) - start < PATIENCE_NS);
    return true;
}

bool smmuv3_poll(struct uim_unit *unit)
{
    struct smmuv3_unit *v = smmuv3_unit(unit);
    bool requests;

    global_errors(v);
    requests = uim_requests_poll(unit);
    return poll_events(v) || are_held(v) || requests;
}

/* ---- on and off ---------------------------------------------------------- */

static unsigned order_of(const struct smmuv3_events *e)
{
    return smmuv3_order((uint64_t)entries(e) * SMMUV3_EVENT_BYTES);
}

enum uiommu_status smmuv3_events_create(struct smmuv3_unit *v)
{
    struct smmuv3_events *e = &v->events;
    uint64_t most = smmuv3_idr1_eventqs(v->idr1);

    e->log2size = (uint8_t)(most < LOG2SIZE_MOST ? most : LOG2SIZE_MOST);
    e->ring = uim_pages_alloc_read(&v->unit, order_of(e), &e->ring_phys);
    return e->ring ? UIOMMU_OK : UIOMMU_NOMEM;
}

void smmuv3_events_destroy(struct smmuv3_unit *v)
{
    struct smmuv3_events *e = &v->events;

    if (!v->stuck)
        uim_pages_free(&v->unit, e->ring, e->ring_phys, order_of(e));
}

/* An interrupt may come meanwhile: of indices and registers it sees the old, or the
 * new. */
enum uiommu_status smmuv3_events_start(struct smmuv3_unit *v)
{
    struct smmuv3_events *e = &v->events;
    const struct smmuv3_eventq_base_fields base = {
        .wa = 1,
        .addr = e->ring_phys >> 5,
        .log2size = e->log2size,
    };

    uim_spin_lock(&v->unit, v->event_lock);
    e->next = 0;
    e->dropped = false;
    uim_wr64(&v->unit, SMMUV3_REG_EVENTQ_BASE,
             smmuv3_eventq_base_pack(&base).raw);
    uim_wr32(&v->unit, e->prod, 0);
    uim_wr32(&v->unit, e->cons, 0);
    uim_spin_unlock(&v->unit, v->event_lock);
    return smmuv3_cr0(v, SMMUV3_CR0_BIT(eventqen), SMMUV3_CR0_BIT(eventqen));
}
