/* SPDX-License-Identifier: MIT */
/*
 * The stall model (3.12.2): a transaction with a fault of translation waits until
 * software says RESUME or STALL_TERM, or switches translation off. The VMM knows it
 * by its tag, software by stream and STAG.
 *
 * Its event is never lost: it is held until the queue takes it and fewer records than
 * IDR5.STALL_MAX wait for an answer. STAGs are used again as early as may be.
 *
 * An adversarial unit suppresses records like another (3.12.2.1), retries early
 * (3.12.2.2), also what is terminated (4.7.1), loses a record whose write fails (7.2.2),
 * and ignores a STALL_TERM whose result is unpredictable (4.7.2).
 */
#include "model/smmuv3/smmuv3.h"

#include "base/mem.h"

enum code { RETRY = 0, ABORT = 1 };

/* ---- ends ------------------------------------------------------------------------ */

static void tell(struct msmmu *m, const struct msmmu_stall *s, enum code code)
{
    const struct uim_model_host *host = m->base.host;

    if (!s->ended)
        host->page_response(host->ctx, &(struct uim_model_page_response){
                                           s->rid, s->pasid, s->tag, code });
}

static void end(struct msmmu *m, uint32_t i, enum code code)
{
    tell(m, &m->stall[i], code);
    m->n_stalls--;
    memmove(&m->stall[i], &m->stall[i + 1],
            (m->n_stalls - i) * sizeof(m->stall[0]));
}

/* One ends, and those of its stream that have no record are retried: each may get
 * one. */
static void end_and_wake(struct msmmu *m, uint32_t i, enum code code)
{
    uint32_t sid = m->stall[i].rid;

    end(m, i, code);
    for (i = m->n_stalls; i-- > 0;) {
        if (m->stall[i].state == MSMMU_STALL_SUPPRESSED &&
            m->stall[i].rid == sid)
            end(m, i, RETRY);
    }
}

static bool would_pass(struct msmmu *m, const struct msmmu_stall *s)
{
    const struct uim_model_req req = {
        .rid = s->rid, .pasid = s->pasid, .access = s->access, .iova = s->iova
    };

    return msmmu_would_pass(m, &req);
}

void msmmu_stall_resume(struct msmmu *m, uint32_t sid, uint16_t stag,
                        bool retry)
{
    for (uint32_t i = 0; i < m->n_stalls; i++) {
        const struct msmmu_stall *s = &m->stall[i];

        if (s->state != MSMMU_STALL_RECORDED || s->rid != sid ||
            s->stag != stag)
            continue;
        if (!retry && msmmu_adversarial(m))
            retry = would_pass(m, s);
        end_and_wake(m, i, retry ? RETRY : ABORT);
        return;
    }
}

/* Whether its next transaction could be more than terminated. */
static bool is_in_use(struct msmmu *m, uint32_t sid)
{
    const struct uim_model_req req = { .rid = sid,
                                       .pasid = UIM_MODEL_NO_PASID,
                                       .access = UIM_MODEL_R };
    struct msmmu_trip t = { .req = &req, .speculative = true };

    return msmmu_locate_ste(m, &t) == 0;
}

void msmmu_stall_term(struct msmmu *m, uint32_t sid)
{
    if (smmuv3_cr0_smmuen(msmmu_cr0(m)) && is_in_use(m, sid)) {
        uim_unit_warn(&m->base, "ends the stalls of a stream in use", sid);
        if (msmmu_adversarial(m))
            return;
    }
    for (uint32_t i = m->n_stalls; i-- > 0;) {
        if (m->stall[i].rid == sid)
            end(m, i, ABORT);
    }
}

void msmmu_stalls_abort(struct msmmu *m)
{
    while (m->n_stalls > 0)
        end(m, m->n_stalls - 1, ABORT);
}

/* ---- records --------------------------------------------------------------------- */

/* m->n_stalls: there is none. */
static uint32_t first_held(const struct msmmu *m)
{
    uint32_t i = 0;

    while (i < m->n_stalls && m->stall[i].state != MSMMU_STALL_HELD)
        i++;
    return i;
}

static uint32_t records(const struct msmmu *m)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->n_stalls; i++)
        n += m->stall[i].state == MSMMU_STALL_RECORDED;
    return n;
}

static bool stag_in_use(const struct msmmu *m, uint16_t stag)
{
    for (uint32_t i = 0; i < m->n_stalls; i++) {
        if (m->stall[i].state == MSMMU_STALL_RECORDED &&
            m->stall[i].stag == stag)
            return true;
    }
    return false;
}

/* The last one that is free: all bits count. */
static uint16_t free_stag(const struct msmmu *m)
{
    uint16_t stag = UINT16_MAX;

    while (stag_in_use(m, stag))
        stag--;
    return stag;
}

/* What could not be written goes on being held, or is lost. */
static void record(struct msmmu *m, struct msmmu_stall *s)
{
    struct smmuv3_evt_translation_q1 q1 = { s->word[1] };
    uint64_t word[4];

    s->stag = free_stag(m);
    memcpy(word, s->word, sizeof(word));
    q1 = smmuv3_evt_translation_q1_set_stall(q1, 1);
    word[1] = smmuv3_evt_translation_q1_set_stag(q1, s->stag).raw;
    if (msmmu_event_put(m, word) || msmmu_adversarial(m))
        s->state = MSMMU_STALL_RECORDED;
}

bool msmmu_stall_step(struct msmmu *m)
{
    uint32_t i = first_held(m);

    if (i == m->n_stalls || !msmmu_events_writable(m))
        return false;
    if (m->stall[i].outdated) {
        end_and_wake(m, i, RETRY);
        return true;
    }
    if (records(m) >= m->args.stall_max)
        return false;
    record(m, &m->stall[i]);
    return true;
}

/* ---- stalls ---------------------------------------------------------------------- */

/* 3.12.2, 5.5: what ATS asks for is answered, what nobody asked for has no event. */
static bool may_stall(const struct msmmu *m, const struct msmmu_trip *t,
                      unsigned event)
{
    if (!m->args.stall || !smmuv3_event_of_translation(event) ||
        msmmu_probes(t) || (t->req->flags & UIM_MODEL_ATS))
        return false;
    return t->fault.s2 ? t->s2.stall : t->s1.on && t->s1.stall;
}

static bool tag_in_use(const struct msmmu *m, uint32_t tag)
{
    for (uint32_t i = 0; i < m->n_stalls; i++) {
        if (m->stall[i].tag == tag)
            return true;
    }
    return false;
}

static uint32_t new_tag(struct msmmu *m)
{
    do {
        m->stall_tag = (m->stall_tag + 1) | MSMMU_STALL_TAG;
    } while (tag_in_use(m, m->stall_tag));
    return m->stall_tag;
}

/* The same fault of the same page, of which software knows, or will. */
static bool is_like(const struct msmmu_stall *a, const struct msmmu_stall *b)
{
    return a->state != MSMMU_STALL_SUPPRESSED && !a->ended &&
           a->word[0] == b->word[0] && a->word[1] == b->word[1] &&
           a->word[3] == b->word[3] &&
           (a->iova ^ b->iova) >> MSMMU_PAGE_LG2 == 0;
}

static bool suppressed(const struct msmmu *m, const struct msmmu_stall *s)
{
    for (uint32_t i = 0; i < m->n_stalls && msmmu_adversarial(m); i++) {
        if (is_like(&m->stall[i], s))
            return true;
    }
    return false;
}

bool msmmu_stall(struct msmmu *m, const struct msmmu_trip *t, unsigned event,
                 uint32_t *tag)
{
    struct msmmu_stall *s = &m->stall[m->n_stalls];

    if (!may_stall(m, t, event) || m->n_stalls == MSMMU_STALLS)
        return false;
    *s = (struct msmmu_stall){ .state = MSMMU_STALL_HELD,
                               .tag = new_tag(m),
                               .rid = t->req->rid,
                               .pasid = t->req->pasid,
                               .access = t->req->access,
                               .iova = t->req->iova };
    msmmu_event_describe(t, event, s->word);
    if (suppressed(m, s))
        s->state = MSMMU_STALL_SUPPRESSED;
    m->n_stalls++;
    m->counter[MSMMU_N_stalls]++;
    *tag = s->tag;
    if (&m->stall[first_held(m)] == s)
        (void)msmmu_stall_step(m);
    return true;
}

/* ---- SYNC ------------------------------------------------------------------------ */

/* The one that has waited longest. Software has to answer its record all the same. */
static void retry_early(struct msmmu *m)
{
    uint32_t i = 0;

    while (i < m->n_stalls &&
           (m->stall[i].ended || m->stall[i].state != MSMMU_STALL_RECORDED))
        i++;
    if (i == m->n_stalls || !would_pass(m, &m->stall[i]))
        return;
    tell(m, &m->stall[i], RETRY);
    m->stall[i].ended = true;
}

/* 4.7.3: what was found before must not be recorded any more. */
void msmmu_stalls_sync(struct msmmu *m)
{
    for (uint32_t i = 0; i < m->n_stalls; i++)
        m->stall[i].outdated = m->stall[i].state == MSMMU_STALL_HELD;
    if (msmmu_adversarial(m) && smmuv3_cr0_smmuen(msmmu_cr0(m)))
        retry_early(m);
}

/* ---- states ---------------------------------------------------------------------- */

static bool is_good(const struct msmmu *m, uint32_t i)
{
    const struct msmmu_stall *s = &m->stall[i];

    for (uint32_t k = 0; k < i; k++) {
        const struct msmmu_stall *o = &m->stall[k];

        if (o->tag == s->tag ||
            (o->state == MSMMU_STALL_RECORDED &&
             s->state == MSMMU_STALL_RECORDED && o->stag == s->stag))
            return false;
    }
    return (s->tag & MSMMU_STALL_TAG) &&
           (!s->ended || s->state == MSMMU_STALL_RECORDED) &&
           (!s->outdated || s->state == MSMMU_STALL_HELD);
}

bool msmmu_stalls_good(const struct msmmu *m)
{
    if (m->n_stalls > 0 && (!m->args.stall || !smmuv3_cr0_smmuen(msmmu_cr0(m))))
        return false;
    for (uint32_t i = 0; i < m->n_stalls; i++) {
        if (!is_good(m, i))
            return false;
    }
    return records(m) <= m->args.stall_max;
}
