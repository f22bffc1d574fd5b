/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_REQUEST_H
#define UIOMMU_REQUEST_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Page requests (semantics B.17; PCIe Base 10.4): a device that is refused a translation
 * asks for the page and waits for the answer; or its unit lets its DMA wait and asks for it
 * (SMMUv3 3.12.2), where firmware says that the device puts up with that. Who answers is
 * said when a domain is made: struct uiommu_domain_config, on_request or request_queue.
 * Only devices that can ask see such a domain, and only while one is seen is asking
 * switched on: set_domain answers OPNOTSUPP (logged) where device, unit or firmware
 * cannot, and for virtual functions, whose asking is that of the physical one; BUSY where
 * requests of an earlier time are still open.
 *
 * Units collect requests in uiommu_irq() and uiommu_poll(); handlers run in
 * uiommu_serve(), which uiommu_config.on_request asks for. Every group is answered exactly
 * once. Malformed requests, and those of devices that may not ask now, come to no handler
 * and are answered INVALID. What an endpoint had asked for and was not answered is answered
 * when it sees something else: try again if that has a handler too, else invalid. Only then
 * uiommu_set_domain() or uiommu_pasid_destroy() returns, so that its number can be given to
 * somebody else. uiommu_suspend() and uiommu_hand_over() let nobody ask any more and answer
 * all that is open with try again; after uiommu_resume() devices ask as before.
 */

enum uiommu_response {
    UIOMMU_RESPONSE_SUCCESS, /* try again: what was asked for is mapped        */
    UIOMMU_RESPONSE_INVALID, /* some of it cannot be had; DMA that waits is aborted */
    UIOMMU_RESPONSE_FAILURE, /* the device is to ask for nothing any more, whatever
                              * the PASID, until asking is switched on again; for
                              * DMA that waits as INVALID                      */
    UIOMMU_RESPONSE_LATER, /* of handlers: uiommu_page_respond() comes       */
};

/* A page that the device asked for. */
struct uiommu_page_request {
    const struct uiommu_page_request
        *next;     /* in the order of asking; NULL: the last */
    uint64_t iova; /* of its 4 KiB page                                      */
    unsigned
        access; /* UIOMMU_READ, _WRITE, _EXEC, _PRIV                      */
};

/* What is answered together. */
struct uiommu_request_group {
    struct uiommu_endpoint *endpoint;
    uint64_t cookie; /* names it, as long as it was not answered             */
    unsigned n;      /* requests: some may have been lost, never the last    */
    const struct uiommu_page_request *first; /* valid during the handler     */
};

/**
 * Answers a group. Called by uiommu_serve() with no lock held; it may sleep, map and
 * unmap. It must call nothing that changes what endpoints see, devices, or domains, or that
 * asks for these: such calls wait
 * for handlers to return. Handlers of different groups run in as many threads at once as
 * call uiommu_serve(), and may end in any order.
 */
typedef enum uiommu_response (*uiommu_request_fn)(
    void *ctx, const struct uiommu_request_group *group);

/** Hand what was asked to handlers until nothing waits. May sleep. From any number of
 *  threads; not from a handler. */
void uiommu_serve(struct uiommu *u);

/**
 * Answer a group whose handler said LATER, maybe before it has said so. Any context.
 * NOENT: no such group is open: it was answered, by a time limit or because the endpoint
 * sees something else. INVAL: no answer. TIMEDOUT, IO: the unit did not take it; the
 * device waits for ever.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_page_respond(struct uiommu_endpoint *endpoint, uint64_t cookie,
                    enum uiommu_response response);

/*
 * Queues: instead of being asked, somebody reads what was asked, and answers; a process,
 * say, by way of its kernel. struct uiommu_domain_config, request_queue: of any number of
 * domains of the instance that it was made for. A group is in one queue from the moment
 * that it is whole, without uiommu_serve(), and until it is answered: by who read it,
 * because its endpoint sees something else, by config.request_limit_ns counted from the
 * moment that it came, or because the queue goes. uiommu_page_respond() knows nothing of it.
 */
struct uiommu_request_queue;

struct uiommu_request_queue_config {
    uint32_t size;   /* sizeof(struct uiommu_request_queue_config)            */
    unsigned groups; /* that are in it, read or not; 0: 64. A device that asks
                      * beyond that is told to try again                      */
    unsigned groups_of_device; /* of one device, in all queues; 0: 64         */
    /* There is one more to read. Any context, with a lock held: it calls nothing of
     * uiommu. Optional.                                                      */
    void (*notify)(void *ctx);
    void *notify_ctx;
};

/** `config` may be NULL. May sleep. INVAL, NOMEM. */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_request_queue_create(struct uiommu *u,
                            const struct uiommu_request_queue_config *config,
                            struct uiommu_request_queue **out);

/**
 * The oldest group that nobody has read, whole: its requests are copied to `requests` and
 * linked there. group->endpoint is there for as long as the caller keeps it. Any context,
 * from any number of threads: each group is read once.
 *
 * NOENT: there is none. OVERFLOW: it has more than `most` requests; group->n says how many,
 * and it stays for the next that reads. INVAL.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_request_queue_read(struct uiommu_request_queue *queue,
                          struct uiommu_page_request *requests, unsigned most,
                          struct uiommu_request_group *group);

/**
 * Answer a group that was read from this queue. Any context. INVAL: the answer is neither
 * SUCCESS nor INVALID: nothing else is for users to say. NOENT: none of the cookie was read
 * here, or it was answered meanwhile. TIMEDOUT, IO: as uiommu_page_respond().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_request_queue_respond(struct uiommu_request_queue *queue,
                             uint64_t cookie, enum uiommu_response response);

/**
 * What is in it is answered with INVALID, read or not, and so is all that comes for its
 * domains from then on. Nobody else may use it any more. May sleep. NULL: nothing.
 */
void uiommu_request_queue_destroy(struct uiommu_request_queue *queue);

#ifdef __cplusplus
}
#endif
#endif
