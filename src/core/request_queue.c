/* SPDX-License-Identifier: MIT */
/*
 * request_queue.c - page requests for somebody who reads them (semantics B.17.8, D-13 to
 * D-16).
 *
 * A queue has no memory of its own: a group stays in the slots of its device, and is the
 * queue's from the moment that it is whole until somebody has answered it. It is in no
 * other list then but that of time limits, and whoever moves its endpoint, closes the queue
 * or answers takes it from there under one lock.
 */
#include "core/slots.h"

enum { USUAL = 64 };

bool uim_request_queue_is_of(const struct uiommu_request_queue *queue,
                             const struct uiommu *u)
{
    return !queue || queue->u == u;
}

void uim_request_queue_get(struct uiommu_request_queue *queue)
{
    if (queue)
        atomic_fetch_add(&queue->refs, 1);
}

void uim_request_queue_put(struct uiommu_request_queue *queue)
{
    if (queue && atomic_fetch_sub(&queue->refs, 1) == 1)
        uim_free(queue->u, queue, sizeof(*queue));
}

/* ---- what comes -------------------------------------------------------------------------- */

enum uiommu_response uim_queue_admits(const struct uiommu_domain *d,
                                      const struct uim_requests *r)
{
    const struct uiommu_request_queue *q = d->request_queue;

    if (!q)
        return UIOMMU_RESPONSE_LATER;
    if (q->closed)
        return UIOMMU_RESPONSE_INVALID;
    return q->n < q->most && r->queued < q->most_of_device
               ? UIOMMU_RESPONSE_LATER
               : UIOMMU_RESPONSE_SUCCESS;
}

bool uim_queue_take(struct slot *s)
{
    struct uiommu_request_queue *q = s->endpoint->domain->request_queue;
    struct uiommu *u = s->endpoint->unit->u;

    if (!q)
        return false;
    s->state = LEFT;
    s->queue = q;
    s->unread = true;
    s->since_ns = u->host.now_ns(u->host.ctx);
    s->requests->queued++;
    q->n++;
    uim_list_add_tail(&u->left, &s->turn);
    if (q->notify)
        q->notify(q->ctx);
    return true;
}

void uim_queue_leave(struct slot *s)
{
    if (!s->queue)
        return;
    s->queue->n--;
    s->requests->queued--;
    s->queue = NULL;
}

/* ---- who reads ----------------------------------------------------------------------------- */

/* The oldest. What endpoints have asked for that move now is answered for them. */
static struct slot *next_unread(const struct uiommu_request_queue *q)
{
    uim_list_for_each(n, &q->u->left) {
        struct slot *s = uim_slot_of_turn(n);

        if (s->queue == q && s->unread && !s->endpoint->deaf)
            return s;
    }
    return NULL;
}

static unsigned size_of(const struct slot *s)
{
    unsigned n = 1;

    uim_list_for_each(m, &s->members)
        n++;
    return n;
}

static void copy(const struct slot *s, struct uiommu_page_request *out)
{
    uim_list_for_each(m, &s->members) {
        *out = uim_slot_of(m)->told;
        out->next = out + 1;
        out++;
    }
    *out = s->told;
    out->next = NULL;
}

static enum uiommu_status read_locked(struct slot *s,
                                      struct uiommu_page_request *requests,
                                      unsigned most,
                                      struct uiommu_request_group *group)
{
    const unsigned n = size_of(s);

    group->n = n;
    if (n > most)
        return UIOMMU_OVERFLOW;
    copy(s, requests);
    group->endpoint = uim_slot_client(s);
    group->cookie = s->cookie;
    group->first = requests;
    s->unread = false;
    return UIOMMU_OK;
}

enum uiommu_status
uiommu_request_queue_read(struct uiommu_request_queue *queue,
                          struct uiommu_page_request *requests, unsigned most,
                          struct uiommu_request_group *group)
{
    enum uiommu_status status = UIOMMU_NOENT;
    struct slot *s;

    if (!queue || !group || (!requests && most > 0))
        return UIOMMU_INVAL;
    uim_requests_lock(queue->u);
    s = next_unread(queue);
    if (s)
        status = read_locked(s, requests, most, group);
    uim_requests_unlock(queue->u);
    return status;
}

/* ---- who answers --------------------------------------------------------------------------- */

/* Of those that were read, or NULL. cookie 0: the first of all that it has. */
static struct slot *claim(struct uiommu_request_queue *q, uint64_t cookie)
{
    uim_list_for_each(n, &q->u->left) {
        struct slot *s = uim_slot_of_turn(n);

        if (s->queue != q ||
            (cookie != 0 && (s->unread || s->cookie != cookie)))
            continue;
        uim_slot_claim(s);
        return s;
    }
    return NULL;
}

enum uiommu_status
uiommu_request_queue_respond(struct uiommu_request_queue *queue,
                             uint64_t cookie, enum uiommu_response response)
{
    struct slot *s;

    if (!queue || (response != UIOMMU_RESPONSE_SUCCESS &&
                   response != UIOMMU_RESPONSE_INVALID))
        return UIOMMU_INVAL;
    if (cookie == 0)
        return UIOMMU_NOENT;
    uim_requests_lock(queue->u);
    s = claim(queue, cookie);
    uim_requests_unlock(queue->u);
    return s ? uim_slot_answer(s, response) : UIOMMU_NOENT;
}

/* ---- come and go ---------------------------------------------------------------------------- */

static unsigned or_usual(unsigned most)
{
    return most > 0 ? most : USUAL;
}

enum uiommu_status
uiommu_request_queue_create(struct uiommu *u,
                            const struct uiommu_request_queue_config *config,
                            struct uiommu_request_queue **out)
{
    static const struct uiommu_request_queue_config usual = {
        .size = sizeof(usual),
    };
    struct uiommu_request_queue *q;

    if (!config)
        config = &usual;
    if (!u || !out || config->size != sizeof(*config))
        return UIOMMU_INVAL;
    q = uim_alloc(u, sizeof(*q));
    if (!q)
        return UIOMMU_NOMEM;
    q->u = u;
    q->most = or_usual(config->groups);
    q->most_of_device = or_usual(config->groups_of_device);
    q->notify = config->notify;
    q->ctx = config->notify_ctx;
    atomic_store(&q->refs, 1);
    *out = q;
    return UIOMMU_OK;
}

void uiommu_request_queue_destroy(struct uiommu_request_queue *queue)
{
    struct slot *s;

    if (!queue)
        return;
    do {
        uim_requests_lock(queue->u);
        queue->closed = true;
        s = claim(queue, 0);
        uim_requests_unlock(queue->u);
        if (s)
            (void)!uim_slot_answer(s, UIOMMU_RESPONSE_INVALID);
    } while (s);
    uim_request_queue_put(queue);
}
