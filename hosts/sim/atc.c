/* SPDX-License-Identifier: MIT */
/*
 * atc.c - the devices' own TLBs (spec/pci.md section 7). A device keeps what
 * it was told, right to the moment when it answers an invalidation, and
 * answers as late as it may: not before uiommu waits. Lock: the function's
 * tlb for entries, text for the list of invalidations.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

enum { SLOW_ROUNDS = 100 };

/* ---- entries ------------------------------------------------------------- */

/* Global entries hold for every PASID of the device (7.2). */
static bool is_for(const struct sim_atc_entry *e, const struct uie_req *req)
{
    if (req->pasid == UIE_NO_PASID || e->pasid == UIE_NO_PASID) {
        return e->pasid == req->pasid;
    }
    return (e->pasid == req->pasid || (e->flags & UIE_XLAT_GLOBAL) != 0) &&
           e->priv == ((req->access & UIE_PRIV) != 0);
}

static struct sim_atc_entry *lookup(struct sim_func *f,
                                    const struct uie_req *req)
{
    for (unsigned i = 0; i < SIM_ATC_ENTRIES; i++) {
        struct sim_atc_entry *e = &f->atc[i];

        if (e->used && (req->iova & ~e->mask) == e->iova && is_for(e, req)) {
            return e;
        }
    }
    return NULL;
}

static struct sim_atc_entry *fill(struct sim_func *f, const struct uie_req *req,
                                  const struct uie_xlat *x)
{
    struct sim_atc_entry *e = &f->atc[f->atc_next];

    f->atc_next = (f->atc_next + 1) % SIM_ATC_ENTRIES;
    e->used = true;
    e->pasid = req->pasid;
    e->priv = (req->access & UIE_PRIV) != 0;
    e->iova = req->iova & ~x->mask;
    e->mask = x->mask;
    e->gpa = x->gpa;
    e->perm = x->perm;
    e->flags = x->flags;
    return e;
}

static void put_answer(const struct sim_atc_entry *e, struct uie_xlat *out)
{
    out->size = sizeof(*out);
    out->perm = e->perm;
    out->gpa = e->gpa;
    out->mask = e->mask;
    out->flags = e->flags;
}

/* A translation request (AT=01) is routed by its address like any other: a peer
 * that gets one does not support it. */
static enum sim_stop ask_unit(struct sim *s, struct sim_func *f,
                              const struct uie_req *req, struct uie_xlat *out)
{
    struct uie_req ask = *req;
    struct sim_packet packet = { .addr = req->iova,
                                 .at = SIM_ASKING,
                                 .prefix = req->pasid != UIE_NO_PASID };
    struct sim_route route;

    sim_find_route(s, f, &packet, &route);
    if (route.way != SIM_WAY_UP) {
        return route.way == SIM_WAY_PEER ? SIM_UNCLAIMED : route.stop;
    }
    ask.rid = route.rid;
    ask.flags |= UIE_REQ_ATS;
    ask.iova &= ~(uint64_t)(SIM_PAGE_SIZE - 1);
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    return s->ops->translate(s->model, &ask, out) == 0 ? SIM_NOT_STOPPED
                                                       : SIM_BY_UNIT;
}

/* An answer without rights is not kept (7.2); one that lacks the right
 * wanted is asked for again, since granting more needs no invalidation. */
enum sim_stop sim_atc_translate(struct sim *s, struct sim_func *f,
                                const struct uie_req *req, struct uie_xlat *out,
                                bool *no_page)
{
    struct sim_atc_entry *e = lookup(f, req);
    uint32_t wanted = req->access & (UIE_R | UIE_W);
    enum sim_stop stop;

    if (req->pasid != UIE_NO_PASID) {
        wanted |= req->access & UIE_X; /* without, there is no such bit */
    }
    if (e != NULL && (e->perm & wanted) == wanted) {
        put_answer(e, out);
        return SIM_NOT_STOPPED;
    }
    if (e != NULL) {
        e->used = false;
    }
    stop = ask_unit(s, f, req, out);
    if (stop != SIM_NOT_STOPPED || (out->flags & UIE_XLAT_U) != 0) {
        return stop;
    }
    if (out->perm == 0 || (out->perm & wanted) != wanted) {
        *no_page = true;
        return SIM_BY_UNIT;
    }
    put_answer(fill(f, req, out), out);
    return SIM_NOT_STOPPED;
}

void sim_atc_flush(struct sim_func *f)
{
    pthread_mutex_lock(&f->tlb_lock);
    memset(f->atc, 0, sizeof(f->atc));
    pthread_mutex_unlock(&f->tlb_lock);
}

unsigned sim_devtlb_entries(struct machine *m, unsigned dev)
{
    struct sim_func *f = &sim_of(m)->pci.func[dev];
    unsigned n = 0;

    pthread_mutex_lock(&f->tlb_lock);
    for (unsigned i = 0; i < SIM_ATC_ENTRIES; i++) {
        n += f->atc[i].used;
    }
    pthread_mutex_unlock(&f->tlb_lock);
    return n;
}

/* An invalidation without PASID takes entries without one in the range, and all
 * entries with one; one with a PASID leaves what is global (7.3). Which of the
 * former two UIE_ANY_PASID was, models do not say. */
static bool covers(const struct uie_inval *inv, const struct sim_atc_entry *e)
{
    bool in_range = inv->len == 0 || (e->iova <= inv->iova + (inv->len - 1) &&
                                      e->iova + e->mask >= inv->iova);

    if (inv->pasid == UIE_ANY_PASID || inv->pasid == UIE_NO_PASID) {
        return in_range || e->pasid != UIE_NO_PASID;
    }
    return in_range && e->pasid == inv->pasid &&
           (e->flags & UIE_XLAT_GLOBAL) == 0;
}

static void invalidate(struct sim_func *f, const struct uie_inval *inv)
{
    pthread_mutex_lock(&f->tlb_lock);
    for (unsigned i = 0; i < SIM_ATC_ENTRIES; i++) {
        if (covers(inv, &f->atc[i])) {
            f->atc[i].used = false;
        }
    }
    pthread_mutex_unlock(&f->tlb_lock);
}

/* ---- invalidations on their way ------------------------------------------ */

static void job_add(struct sim *s, const struct sim_devtlb_job *job)
{
    struct sim_jobs *j = &s->jobs;
    struct sim_devtlb_job *bigger;

    pthread_mutex_lock(&s->text_lock);
    bigger = realloc(j->job, (j->n + 1) * sizeof(*bigger));
    if (bigger != NULL) {
        bigger[j->n++] = *job;
        j->job = bigger;
    }
    pthread_mutex_unlock(&s->text_lock);
}

/* Called by the model. Translations that are not a device TLB's are kept by
 * nobody here longer than one part of a DMA takes, and those are waited for:
 * that is the drain. */
void sim_notify(void *opaque, const struct uie_inval *inv)
{
    struct sim *s = opaque;

    if (inv->what == UIE_INV_DEVTLB) {
        job_add(s, &(struct sim_devtlb_job){ .inval = *inv });
        return;
    }
    if (!sim_in_traffic()) { /* else translate itself has something to say */
        sim_traffic_drain(s);
    }
}

/* Who is there of that id, or else who was. */
static struct sim_func *func_of(struct sim *s, uint32_t rid)
{
    struct sim_func *found = NULL;

    pthread_mutex_lock(&s->pci.lock);
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (sim_rid(f) == rid && (found == NULL || !sim_is_gone(f))) {
            found = f;
        }
    }
    pthread_mutex_unlock(&s->pci.lock);
    return found;
}

void sim_devtlbs_lose(struct sim *s, const struct sim_func *f)
{
    pthread_mutex_lock(&s->text_lock);
    for (unsigned i = 0; i < s->jobs.n; i++) {
        s->jobs.job[i].lost |= s->jobs.job[i].inval.rid == sim_rid(f);
    }
    pthread_mutex_unlock(&s->text_lock);
}

static bool func_is_gone(struct sim *s, const struct sim_func *f)
{
    bool gone;

    pthread_mutex_lock(&s->pci.lock);
    gone = sim_is_gone(f);
    pthread_mutex_unlock(&s->pci.lock);
    return gone;
}

enum answer { ANSWER_LATER, ANSWER_DONE, ANSWER_FAILED };

/* What comes of an invalidation in this round. */
static enum answer answer(struct sim *s, struct sim_devtlb_job *job)
{
    struct sim_func *f = func_of(s, job->inval.rid);

    job->rounds++;
    if (f == NULL || job->lost || func_is_gone(s, f)) {
        return f != NULL && f->devtlb == SIM_DEVTLB_SILENT ? ANSWER_LATER
                                                           : ANSWER_FAILED;
    }
    if (f->ats == 0) {
        sim_report(s, "device-TLB invalidation for %s, which has none",
                   f->name);
        return ANSWER_FAILED;
    }
    switch (atomic_load(&f->devtlb)) {
    case SIM_DEVTLB_SLOW:
        return job->rounds < SLOW_ROUNDS ? ANSWER_LATER : ANSWER_DONE;
    case SIM_DEVTLB_SILENT:
        return ANSWER_LATER;
    case SIM_DEVTLB_FAILS:
        return ANSWER_FAILED;
    default:
        return ANSWER_DONE;
    }
}

static void answer_now(struct sim *s, const struct uie_inval *inv,
                       enum answer how)
{
    if (how == ANSWER_DONE) {
        invalidate(func_of(s, inv->rid), inv);
        sim_messages_arrive(s, inv->rid);
    }
    pthread_mutex_lock(&s->unit_lock);
    s->ops->devtlb_done(s->model, inv->tag, how == ANSWER_FAILED);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
}

/* All that wait now, taken out of the list. */
static struct sim_jobs take_jobs(struct sim *s)
{
    struct sim_jobs taken;

    pthread_mutex_lock(&s->text_lock);
    taken = s->jobs;
    s->jobs.job = NULL;
    s->jobs.n = 0;
    pthread_mutex_unlock(&s->text_lock);
    return taken;
}

void sim_devtlbs_run(struct sim *s)
{
    struct sim_jobs jobs = take_jobs(s);

    /* What a unit sent before, another thread may not have delivered (VT-d 7.8). */
    sim_posts_deliver(s);
    for (unsigned i = 0; i < jobs.n; i++) {
        enum answer how = answer(s, &jobs.job[i]);

        if (how == ANSWER_LATER) {
            job_add(s, &jobs.job[i]); /* which keeps its age */
        } else {
            answer_now(s, &jobs.job[i].inval, how);
        }
    }
    free(jobs.job);
}

void sim_devtlbs_close(struct sim *s)
{
    free(s->jobs.job);
}

void sim_devtlb(struct machine *m, unsigned dev, enum sim_devtlb how)
{
    sim_of(m)->pci.func[dev].devtlb = how;
}
