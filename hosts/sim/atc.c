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

static struct sim_atc_entry *lookup(struct sim_func *f, uint32_t pasid,
                                    uint64_t iova)
{
    for (unsigned i = 0; i < SIM_ATC_ENTRIES; i++) {
        struct sim_atc_entry *e = &f->atc[i];

        if (e->used && e->pasid == pasid && (iova & ~e->mask) == e->iova) {
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

/* A translation request (AT=01), which ports with translation blocking drop. No
 * BAR has address 0, so it only climbs. */
static bool ask_unit(struct sim *s, struct sim_func *f,
                     const struct uie_req *req, struct uie_xlat *out)
{
    struct uie_req ask = *req;
    struct sim_route route;

    sim_find_route(s, f, 0, true, &route);
    if (route.way != SIM_WAY_UP) {
        return false;
    }
    ask.rid = route.rid;
    ask.flags |= UIE_REQ_ATS;
    ask.iova &= ~(uint64_t)(SIM_PAGE_SIZE - 1);
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    return s->ops->translate(s->model, &ask, out) == 0;
}

/* An answer without rights is not kept (7.2); one that lacks the right
 * wanted is asked for again, since granting more needs no invalidation. */
bool sim_atc_translate(struct sim *s, struct sim_func *f,
                       const struct uie_req *req, struct uie_xlat *out)
{
    struct sim_atc_entry *e = lookup(f, req->pasid, req->iova);
    uint32_t wanted = req->access & (UIE_R | UIE_W);

    if (e != NULL && (e->perm & wanted) == wanted) {
        put_answer(e, out);
        return true;
    }
    if (e != NULL) {
        e->used = false;
    }
    if (!ask_unit(s, f, req, out)) {
        return false;
    }
    if (out->flags & UIE_XLAT_U) {
        return true;
    }
    if (out->perm == 0 || (out->perm & wanted) != wanted) {
        return false;
    }
    put_answer(fill(f, req, out), out);
    return true;
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
 * entries with one (7.3). */
static bool covers(const struct uie_inval *inv, const struct sim_atc_entry *e)
{
    bool in_range = inv->len == 0 || (e->iova <= inv->iova + (inv->len - 1) &&
                                      e->iova + e->mask >= inv->iova);

    if (inv->pasid == UIE_ANY_PASID || inv->pasid == UIE_NO_PASID) {
        return in_range || e->pasid != UIE_NO_PASID;
    }
    return in_range && e->pasid == inv->pasid;
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

static void job_add(struct sim *s, const struct uie_inval *inv)
{
    struct sim_jobs *j = &s->jobs;
    struct sim_devtlb_job *bigger;

    pthread_mutex_lock(&s->text_lock);
    bigger = realloc(j->job, (j->n + 1) * sizeof(*bigger));
    if (bigger != NULL) {
        bigger[j->n] = (struct sim_devtlb_job){ .inval = *inv, .rounds = 0 };
        j->job = bigger;
        j->n++;
    }
    pthread_mutex_unlock(&s->text_lock);
}

/* Parts of a DMA that this thread has under way. */
static _Thread_local unsigned traffic_depth;

void sim_traffic_enter(struct sim *s)
{
    pthread_mutex_lock(&s->gate);
    pthread_rwlock_rdlock(&s->traffic);
    pthread_mutex_unlock(&s->gate);
    traffic_depth++;
}

void sim_traffic_leave(struct sim *s)
{
    traffic_depth--;
    pthread_rwlock_unlock(&s->traffic);
}

/* Called by the model. Translations that are not a device TLB's are kept by
 * nobody here longer than one part of a DMA takes, and those are waited for:
 * that is the drain. */
void sim_notify(void *opaque, const struct uie_inval *inv)
{
    struct sim *s = opaque;

    if (inv->what == UIE_INV_DEVTLB) {
        job_add(s, inv);
        return;
    }
    if (traffic_depth > 0) {
        return; /* translate itself has something to say */
    }
    pthread_mutex_lock(&s->gate);
    pthread_rwlock_wrlock(&s->traffic);
    pthread_rwlock_unlock(&s->traffic);
    pthread_mutex_unlock(&s->gate);
}

static struct sim_func *func_of(struct sim *s, uint32_t rid)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (((uint32_t)f->bus << 8 | f->row.devfn) == rid) {
            return f;
        }
    }
    return NULL;
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
    if (f == NULL || func_is_gone(s, f)) {
        return ANSWER_FAILED;
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

/* One that is not answered keeps its age. */
static void put_back(struct sim *s, const struct sim_devtlb_job *job)
{
    job_add(s, &job->inval);
    pthread_mutex_lock(&s->text_lock);
    if (s->jobs.n > 0) {
        s->jobs.job[s->jobs.n - 1].rounds = job->rounds;
    }
    pthread_mutex_unlock(&s->text_lock);
}

void sim_devtlbs_run(struct sim *s)
{
    struct sim_jobs jobs = take_jobs(s);

    for (unsigned i = 0; i < jobs.n; i++) {
        enum answer how = answer(s, &jobs.job[i]);

        if (how == ANSWER_LATER) {
            put_back(s, &jobs.job[i]);
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
