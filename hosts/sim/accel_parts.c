/* SPDX-License-Identifier: MIT */
#include "accel_parts.h"

#include <string.h>

enum {
    PAGE = 4096,
    OWN_QUEUE = 0,
    OWN_SIZE = 16,  /* entries; the others' is what is left */
    RECORD_AT = 0,  /* in the page */
    LIST_AT = 1024, /* descriptors */
    HALVES = 2,
};

#define RW (UIOMMU_READ | UIOMMU_WRITE)

static struct uiommu_endpoint *own_endpoint(const struct accel_parts *p)
{
    return uiommu_device_endpoint(p->device);
}

/* ---- the mediator (semantics C.5) ----------------------------------------- */

/* Whatever was submitted does not matter any more: its client has gone, or goes on
 * elsewhere. What waits for a page does not wait either. */
static bool clear(void *ctx, struct uiommu_endpoint *endpoint, uint32_t pasid)
{
    struct accel_part *part = ctx;

    (void)endpoint;
    (void)pasid;
    if (!part->stuck) {
        part->stuck =
            accel_queue_clear(&part->parts->drv, part->wq) != UIOMMU_OK;
    }
    return !part->stuck;
}

/* If that does not end in time the queue may be on all the same. */
static enum uiommu_status install(void *ctx, struct uiommu_endpoint *endpoint,
                                  uint32_t pasid)
{
    struct accel_part *part = ctx;
    enum uiommu_status status =
        accel_queue_pasid(&part->parts->drv, part->wq, pasid);

    if (status == UIOMMU_TIMEDOUT) {
        (void)clear(part, endpoint, pasid);
    }
    return status;
}

/* Queues that have a PASID had it before the reset. One that does not come back is off: its
 * client submits in vain. */
static void on_reset(void *ctx, struct uiommu_endpoint *endpoint,
                     enum uiommu_mdev_reset what)
{
    struct accel_part *part = ctx;
    uint32_t pasid = uiommu_endpoint_pasid(endpoint);
    enum uiommu_status status = UIOMMU_OK;

    if (pasid == UIOMMU_NO_PASID) {
        return;
    }
    if (what == UIOMMU_MDEV_RESET_BEGIN) {
        (void)clear(part, endpoint, pasid);
    }
    if (what == UIOMMU_MDEV_RESET_END) {
        status = install(part, endpoint, pasid);
    }
    if (status != UIOMMU_OK) {
        part->parts->came_back = status;
    }
}

static const struct uiommu_mediator mediator = {
    .pasid_install = install,
    .pasid_clear = clear,
    .parent_reset = on_reset,
};

static struct accel_part *unused(struct accel_parts *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        if (p->part[i].endpoint == NULL && !p->part[i].stuck) {
            return &p->part[i];
        }
    }
    return NULL;
}

enum uiommu_status accel_lend(struct accel_parts *p, struct accel_part **out)
{
    struct accel_part *part = unused(p);
    const struct uiommu_mdev_config config = {
        .size = sizeof(config),
        .kind = UIOMMU_MDEV_PASID,
        .mediator = &mediator,
        .ctx = part,
    };
    enum uiommu_status status;

    if (part == NULL) {
        return UIOMMU_NOSPC;
    }
    status = uiommu_mdev_register(p->device, &config, &part->endpoint);
    if (status == UIOMMU_OK) {
        *out = part;
    }
    return status;
}

enum uiommu_status accel_take_back(struct accel_part *part)
{
    enum uiommu_status status = uiommu_mdev_unregister(part->endpoint);

    if (status != UIOMMU_BUSY && status != UIOMMU_AGAIN) {
        part->endpoint = NULL;
    }
    return status;
}

/* ---- its own work -------------------------------------------------------- */

static enum uiommu_status map_own(struct accel_parts *p, uint64_t dst,
                                  uint64_t src)
{
    struct uiommu_endpoint *ep = own_endpoint(p);
    enum uiommu_status status =
        uiommu_dma_map(ep, src, p->own.size, UIOMMU_READ, &p->own.src);

    if (status != UIOMMU_OK) {
        return status;
    }
    status = uiommu_dma_map(ep, dst, p->own.size, RW, &p->own.dst);
    if (status != UIOMMU_OK) {
        (void)!uiommu_dma_unmap(ep, p->own.src, p->own.size);
    }
    p->own.src_mapped = p->own.dst_mapped = status == UIOMMU_OK;
    return status;
}

/* False: suspended. */
static bool unmap_half(struct accel_parts *p, uint64_t iova, bool *mapped)
{
    enum uiommu_status status;

    if (!*mapped) {
        return true;
    }
    status = uiommu_dma_unmap(own_endpoint(p), iova, p->own.size);
    *mapped = status == UIOMMU_AGAIN;
    if (!*mapped && p->own.unmapped == UIOMMU_OK) {
        p->own.unmapped = status;
    }
    return !*mapped;
}

/* What went before the machine was suspended is not there to go again. */
static bool unmap_own(struct accel_parts *p)
{
    return unmap_half(p, p->own.dst, &p->own.dst_mapped) &&
           unmap_half(p, p->own.src, &p->own.src_mapped);
}

static enum uiommu_status submit_own(struct accel_parts *p)
{
    const uint32_t half = p->own.size / HALVES;
    struct accel_desc batch =
        accel_desc(ACCEL_OP_BATCH, 0, p->page_iova + RECORD_AT);

    for (unsigned i = 0; i < HALVES; i++) {
        struct accel_desc d = accel_desc(ACCEL_OP_MEMMOVE, 0, 0);

        accel_desc_copy(&d, p->own.dst + i * half, p->own.src + i * half, half);
        memcpy(p->page + LIST_AT + i * sizeof(d), &d, sizeof(d));
    }
    memset(p->page + RECORD_AT, 0, ACCEL_RECORD_SIZE);
    accel_desc_batch(&batch, p->page_iova + LIST_AT, HALVES);
    return accel_submit(&p->drv, OWN_QUEUE, false, 0, &batch);
}

enum uiommu_status accel_parts_copy(struct accel_parts *p, uint64_t dst,
                                    uint64_t src, uint32_t size)
{
    enum uiommu_status status;

    if (size == 0 || size % HALVES != 0) {
        return UIOMMU_INVAL;
    }
    if (p->own.under_way || p->own.off) {
        return UIOMMU_BUSY;
    }
    p->own.size = size;
    status = map_own(p, dst, src);
    if (status != UIOMMU_OK) {
        return status;
    }
    p->own.under_way = true;
    p->own.over = false;
    p->own.unmapped = UIOMMU_OK;
    return submit_own(p);
}

static enum uiommu_status start_own(struct accel_parts *p)
{
    enum uiommu_status status = accel_queue_on(&p->drv, OWN_QUEUE);

    p->own.off = status != UIOMMU_OK;
    return status;
}

/* True: and it may go on with other work. Else what it still does is nobody's: that reads and
 * writes its page, so that nothing else is put there. */
static bool stop_own(struct accel_parts *p)
{
    bool was_on = !p->own.off;

    p->own.off = true;
    return was_on && accel_queue_clear(&p->drv, OWN_QUEUE) == UIOMMU_OK;
}

/* Its memory is unmapped, whether it stops or not. */
static void give_up_own(struct accel_parts *p)
{
    if (stop_own(p)) {
        (void)!start_own(p);
    }
}

static enum uiommu_status end_own(struct accel_parts *p, uint64_t ns)
{
    struct accel_record record = { .status = ACCEL_NONE };
    enum uiommu_status status =
        accel_wait(&p->drv, p->page + RECORD_AT, ns, &record);

    if (status == UIOMMU_OK && record.status != ACCEL_SUCCESS) {
        status = UIOMMU_IO;
    }
    if (status == UIOMMU_TIMEDOUT) {
        give_up_own(p);
    }
    return status;
}

enum uiommu_status accel_parts_wait(struct accel_parts *p, uint64_t ns)
{
    if (!p->own.under_way) {
        return UIOMMU_INVAL;
    }
    if (!p->own.over) {
        p->own.copied = end_own(p, ns);
        p->own.over = true;
    }
    if (!unmap_own(p)) {
        return UIOMMU_AGAIN;
    }
    p->own.under_way = false;
    return p->own.copied != UIOMMU_OK ? p->own.copied : p->own.unmapped;
}

/* ---- up and down --------------------------------------------------------- */

static enum uiommu_status set_up_queues(struct accel_parts *p)
{
    struct accel_queue queue = { .size = OWN_SIZE };
    enum uiommu_status status = accel_queue_setup(&p->drv, OWN_QUEUE, &queue);

    queue.size = (uint16_t)((p->drv.entries - OWN_SIZE) / p->n);
    queue.block_on_fault = true;
    for (unsigned i = 0; status == UIOMMU_OK && i < p->n; i++) {
        status = accel_queue_setup(&p->drv, p->part[i].wq, &queue);
    }
    if (status == UIOMMU_OK) {
        status = accel_enable(&p->drv);
    }
    return status == UIOMMU_OK ? start_own(p) : status;
}

static void number_parts(struct accel_parts *p)
{
    p->n = p->drv.wqs - 1 < ACCEL_PARTS ? p->drv.wqs - 1 : ACCEL_PARTS;
    for (unsigned i = 0; i < p->n; i++) {
        p->part[i].parts = p;
        p->part[i].wq = i + 1;
    }
}

/* Unless the device may still reach it. */
static void free_page(struct accel_parts *p, enum uiommu_status unmapped)
{
    const struct uiommu_host *h = p->drv.host;

    if (unmapped != UIOMMU_TIMEDOUT && unmapped != UIOMMU_IO) {
        h->pages_free(h->ctx, p->page, p->page_phys, 0);
        p->page = NULL;
    }
}

/* What the device reads and writes for the driver. */
static enum uiommu_status map_page(struct accel_parts *p)
{
    const struct uiommu_host *h = p->drv.host;
    enum uiommu_status status;

    p->page = h->pages_alloc(h->ctx, 0, 0, &p->page_phys);
    if (p->page == NULL) {
        return UIOMMU_NOMEM;
    }
    status =
        uiommu_dma_map(own_endpoint(p), p->page_phys, PAGE, RW, &p->page_iova);
    if (status != UIOMMU_OK) {
        free_page(p, status);
    }
    return status;
}

static enum uiommu_status start_dma(struct accel_parts *p)
{
    enum uiommu_status status = uiommu_dma_start(own_endpoint(p), NULL);

    if (status != UIOMMU_OK) {
        return status;
    }
    status = map_page(p);
    if (status != UIOMMU_OK) {
        (void)!uiommu_dma_stop(own_endpoint(p));
    }
    return status;
}

static enum uiommu_status stop_dma(struct accel_parts *p)
{
    enum uiommu_status unmapped =
        uiommu_dma_unmap(own_endpoint(p), p->page_iova, PAGE);
    enum uiommu_status stopped;

    if (unmapped == UIOMMU_AGAIN) {
        return unmapped;
    }
    free_page(p, unmapped);
    stopped = uiommu_dma_stop(own_endpoint(p));
    return unmapped != UIOMMU_OK ? unmapped : stopped;
}

static bool is_used(const struct accel_parts *p)
{
    bool used = p->own.under_way;

    for (unsigned i = 0; i < p->n; i++) {
        used |= p->part[i].endpoint != NULL;
    }
    return used;
}

enum uiommu_status accel_parts_stop(struct accel_parts *p)
{
    enum uiommu_status reset, status;

    if (is_used(p)) {
        return UIOMMU_BUSY;
    }
    reset = accel_stop(&p->drv);
    if (reset != UIOMMU_OK) {
        p->reset = reset; /* asked again, a driver that has stopped says OK */
    }
    status = stop_dma(p);
    return status != UIOMMU_OK ? status : p->reset;
}

enum uiommu_status accel_parts_start(struct accel_parts *p,
                                     struct uiommu_device *device,
                                     const struct uiommu_host *host,
                                     struct uiommu_pci pci,
                                     const struct accel_cpu *cpu)
{
    enum uiommu_status status;

    memset(p, 0, sizeof(*p));
    p->device = device;
    status = accel_start(&p->drv, host, pci, cpu);
    if (status != UIOMMU_OK) {
        return status;
    }
    number_parts(p);
    status = start_dma(p);
    if (status != UIOMMU_OK) {
        (void)!accel_stop(&p->drv);
        return status;
    }
    status = set_up_queues(p);
    if (status != UIOMMU_OK) {
        (void)!accel_parts_stop(p);
    }
    return status;
}

/* ---- resets -------------------------------------------------------------- */

/* What is under way for the host is thrown away before it is refused. */
enum uiommu_status accel_parts_reset_begin(struct accel_parts *p)
{
    bool stopped = stop_own(p);
    enum uiommu_status status = uiommu_device_reset_begin(p->device);

    if (stopped && (status == UIOMMU_BUSY || status == UIOMMU_AGAIN)) {
        (void)!start_own(p);
    }
    return status;
}

/* What did not stop has, once the device says that it is reset. */
static enum uiommu_status come_up(struct accel_parts *p)
{
    enum uiommu_status status = accel_reset(&p->drv);

    if (status != UIOMMU_OK) {
        return status;
    }
    for (unsigned i = 0; i < p->n; i++) {
        p->part[i].stuck = false;
    }
    return set_up_queues(p);
}

/* Queues get their PASIDs back from within, once the function may send them again. */
enum uiommu_status accel_parts_reset_end(struct accel_parts *p, bool worked)
{
    enum uiommu_status up = worked ? come_up(p) : UIOMMU_OK, status;

    p->came_back = UIOMMU_OK;
    status = uiommu_device_reset_end(p->device, worked && up == UIOMMU_OK);
    if (up != UIOMMU_OK) {
        return up;
    }
    return status != UIOMMU_OK ? status : p->came_back;
}
