/* SPDX-License-Identifier: MIT */
/*
 * slots.h - what was asked and is not answered: request.c, and queues of it.
 */
#ifndef UIM_CORE_SLOTS_H
#define UIM_CORE_SLOTS_H

#include "core/core.h"

enum state {
    FREE,
    PARTIAL,  /* its group is not complete                                   */
    WAITS,    /* a group for uiommu_serve()                                  */
    HANDLED,  /* a handler has it                                            */
    LEFT,     /* the handler said LATER, or it is in a queue                 */
    ANSWERED, /* or it is about to be                                        */
};

struct slot {
    struct uim_node node;  /* requests->free or partial, or members          */
    struct uiommu_page_request told;
    struct uim_page_request asked;
    /* Of the last of a group: */
    struct uim_node members; /* all others, in order                         */
    struct uim_node open;    /* requests->groups                             */
    struct uim_node turn;    /* u->waiting, or u->left                       */
    struct uiommu_endpoint *endpoint;
    struct uim_requests *requests;
    enum state state;
    unsigned holds;          /* the handler that has it, whoever answers it  */
    uint64_t cookie;
    uint64_t since_ns;       /* LEFT                                         */
    struct uiommu_request_queue *queue; /* LEFT: that it is in; or NULL      */
    bool unread;             /* and nobody has read it                       */
};

struct uim_requests {
    struct uim_node free, partial, groups;
    unsigned n, queued;      /* slots; groups in queues                      */
    struct slot slot[];
};

/* All under u->request_lock but for what is constant. */
struct uiommu_request_queue {
    struct uiommu *u;
    _Atomic uint32_t refs;   /* its maker, domains                           */
    unsigned most, most_of_device;
    unsigned n;              /* groups                                       */
    bool closed;
    void (*notify)(void *ctx);
    void *ctx;
};

static inline struct slot *uim_slot_of(struct uim_node *n)
{
    return uim_container(n, struct slot, node);
}

static inline struct slot *uim_slot_of_turn(struct uim_node *n)
{
    return uim_container(n, struct slot, turn);
}

/* The one that is told. */
static inline struct uiommu_endpoint *uim_slot_client(const struct slot *s)
{
    return s->endpoint->client ? s->endpoint->client : s->endpoint;
}

static inline void uim_requests_lock(struct uiommu *u)
{
    u->host.spin_lock(u->host.ctx, u->request_lock);
}

static inline void uim_requests_unlock(struct uiommu *u)
{
    u->host.spin_unlock(u->host.ctx, u->request_lock);
}

/* Whose it is from now on to answer it. The lock is held. */
void uim_slot_claim(struct slot *s);
/* Without the lock, once it is claimed. */
enum uiommu_status uim_slot_answer(struct slot *s,
                                   enum uiommu_response response);

/* What is answered to one more group of a device that sees the domain, LATER: nothing yet.
 * The endpoint is not deaf, and the lock is held; so too for what follows. */
enum uiommu_response uim_queue_admits(const struct uiommu_domain *domain,
                                      const struct uim_requests *requests);
/* The group is in the queue of what its endpoint sees; false: there is none. */
bool uim_queue_take(struct slot *s);
/* It was claimed. */
void uim_queue_leave(struct slot *s);

#endif
