/* SPDX-License-Identifier: MIT */
/*
 * fabric.c - DMA of the engines: cut at 4 KiB, routed, translated, carried out.
 *
 * A part counts as traffic from its translation until its data have moved; the
 * model's notify waits for traffic, so that an invalidation completes only when no DMA
 * is under way that used the old translation.
 */
#include "private.h"

#include <stdio.h>
#include <string.h>

enum { MOST_RETRIES = 100 }; /* of one part of a DMA that stalls */

static uint32_t access_of(const struct sim_request *r)
{
    return (r->write ? UIE_W : UIE_R) | (r->exec ? UIE_X : 0u) |
           (r->priv ? UIE_PRIV : 0u);
}

/* What the request asks of the unit, `bare`: without its prefix, which says PASID
 * and rights beyond reading and writing. */
static struct uie_req req_of(const struct sim_request *r, uint32_t rid,
                             uint64_t iova, bool bare)
{
    uint32_t access = access_of(r);

    return (struct uie_req){
        .size = sizeof(struct uie_req),
        .rid = rid,
        .pasid = bare || r->pasid == UIOMMU_NO_PASID ? UIE_NO_PASID : r->pasid,
        .access = bare ? access & (UIE_R | UIE_W) : access,
        .iova = iova,
    };
}

/* ---- what is at an address ----------------------------------------------- */

static void bar_access(struct sim *s, struct sim_func *f, bool write,
                       uint64_t addr, uint8_t *buf, size_t size)
{
    uint8_t *at;

    if (f->accel != NULL) {
        sim_accel_access(s, f, write, addr, buf, size);
        return;
    }
    at = f->bar + (addr - sim_bar_base(f));
    if (write) {
        sim_copy_to(at, buf, size);
    } else {
        sim_copy_from(buf, at, size);
    }
}

static bool land_in(struct sim *s, struct sim_request *r, struct sim_func *f,
                    enum sim_target target, uint64_t addr, uint8_t *buf,
                    size_t size)
{
    bar_access(s, f, r->write, addr, buf, size);
    r->target = target;
    r->peer = (unsigned)(f - s->pci.func);
    r->addr = addr;
    return true;
}

static struct sim_func *any_bar_at(struct sim *s, uint64_t addr)
{
    struct sim_func *f;

    pthread_mutex_lock(&s->pci.lock);
    f = sim_bar_at(s, addr);
    pthread_mutex_unlock(&s->pci.lock);
    return f;
}

static uint32_t get32(const uint8_t *buf)
{
    return buf[0] | (uint32_t)buf[1] << 8 | (uint32_t)buf[2] << 16 |
           (uint32_t)buf[3] << 24;
}

/* The rest of the frame reads as zero and ignores writes. */
static bool land_in_its(struct sim *s, struct sim_request *r, uint32_t rid,
                        uint64_t addr, uint8_t *buf, size_t size)
{
    if (!r->write) {
        memset(buf, 0, size);
    }
    if (addr == SIM_TRANSLATER && r->write && size == 4) {
        sim_msi_arrives(s, addr, get32(buf), rid);
        r->target = SIM_AT_MSI;
    }
    return true;
}

static bool land_in_foreign(struct sim_request *r, const struct sim_foreign *f,
                            uint64_t addr, uint8_t *buf, size_t size)
{
    if (!f->ops->access(f->ctx, r->write, addr - f->start, buf, size)) {
        r->stop = SIM_ABORTED;
        return false;
    }
    r->target = SIM_AT_FOREIGN;
    return true;
}

/* The root complex sends a translated part where it belongs. */
static bool land(struct sim *s, struct sim_request *r, uint32_t rid,
                 uint64_t addr, uint8_t *buf, size_t size)
{
    const struct sim_foreign *foreign = sim_foreign_at(s, addr);
    struct sim_func *f;

    r->addr = addr;
    if (foreign != NULL) {
        return land_in_foreign(r, foreign, addr, buf, size);
    }
    if (s->its && addr - SIM_DOORBELL < SIM_DOORBELL_SIZE) {
        return land_in_its(s, r, rid, addr, buf, size);
    }
    if (sim_is_ram(s, addr, size)) {
        sim_memory_dma(s, r->write, addr, buf, size);
        r->target = SIM_AT_RAM;
        return true;
    }
    f = any_bar_at(s, addr);
    return f != NULL && land_in(s, r, f, SIM_AT_BAR, addr, buf, size);
}

/* Only an aligned write of 4 bytes is an interrupt message. */
static bool land_msi(struct sim *s, struct sim_request *r, uint32_t rid,
                     uint64_t addr, const uint8_t *buf, size_t size)
{
    uint64_t out_addr = 0;
    uint32_t out_data = 0;
    uint32_t data;
    int result;

    r->addr = addr;
    if (!r->write || size != 4 || addr % 4 != 0) {
        return false;
    }
    data = get32(buf);
    pthread_mutex_lock(&s->unit_lock);
    result =
        s->ops->remap_msi(s->model, rid, 0, addr, data, &out_addr, &out_data);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
    if (result == 0) {
        sim_msi_arrives(s, out_addr, out_data, 0);
    }
    if (result >= 0) {
        r->target = SIM_AT_MSI;
    }
    return result >= 0;
}

/* ---- one part ------------------------------------------------------------ */

struct part {
    struct sim_func *f;
    unsigned control;
    uint64_t iova;
    uint8_t *buf;
    size_t size;
    /* results: what reached the root complex is an interrupt message */
    bool is_msi;
    uint32_t rid;
};

/* What the IOMMU lets through goes to what is at that address. */
static bool send_up(struct sim *s, struct sim_request *r, struct part *p,
                    struct uie_req *req)
{
    struct uie_xlat x = { .size = sizeof(x) };
    uint64_t addr = req->iova;
    int result = s->ops->translate(s->model, req, &x);

    if (result == UIE_STALLED) {
        sim_stall_begin(s, x.tag);
        r->tag = x.tag;
        r->stop = SIM_STALLED;
        return false;
    }
    if (result != 0) {
        r->stop = SIM_BY_UNIT;
        return false;
    }
    sim_flight_begin(s, r, addr, x.domain);
    addr = x.gpa + (addr & x.mask);
    if (x.flags & UIE_XLAT_MSI) {
        p->is_msi = true;
        r->addr = addr;
        return true;
    }
    r->stop = SIM_UNCLAIMED;
    if (!land(s, r, p->rid, addr, p->buf, p->size)) {
        return false;
    }
    r->stop = SIM_NOT_STOPPED;
    return true;
}

/* An untranslated or, with UIE_REQ_XLATED, translated request to `addr`. The
 * latter has no PASID unless that is enabled too. */
static bool send(struct sim *s, struct sim_request *r, struct part *p,
                 uint64_t addr, uint32_t flags)
{
    bool xlated = (flags & UIE_REQ_XLATED) != 0;
    bool bare = xlated && (p->control & SIM_CONTROL_XLATED) == 0;
    struct uie_req req = req_of(r, 0, addr, bare);
    const struct sim_packet packet = {
        .addr = addr,
        .at = xlated ? SIM_TRANSLATED : SIM_UNTRANSLATED,
        .prefix = req.pasid != UIE_NO_PASID,
        .any_id = !xlated,
    };
    struct sim_route route;

    sim_find_route(s, p->f, &packet, &route);
    r->stop = route.stop;
    if (route.way == SIM_WAY_PEER) {
        return land_in(s, r, route.peer, SIM_AT_PEER, addr, p->buf, p->size);
    }
    p->rid = req.rid = route.rid;
    req.flags = flags;
    return route.way == SIM_WAY_UP && send_up(s, r, p, &req);
}

/* Through the device TLB, whose lock is held until the data have moved: an
 * invalidation is not answered while an entry is in use. */
static bool send_by_atc(struct sim *s, struct sim_request *r, struct part *p)
{
    struct uie_req req = req_of(r, 0, p->iova, false);
    struct uie_xlat x;
    bool done;

    pthread_mutex_lock(&p->f->tlb_lock);
    r->stop = sim_atc_translate(s, p->f, &req, &x, &r->no_page);
    done = r->stop == SIM_NOT_STOPPED;
    if (done && (x.flags & UIE_XLAT_U)) {
        done = send(s, r, p, p->iova, 0);
    } else if (done) {
        done = send(s, r, p, x.gpa + (p->iova & x.mask), UIE_REQ_XLATED);
    }
    pthread_mutex_unlock(&p->f->tlb_lock);
    return done;
}

static bool may_tag(const struct sim_request *r, const struct part *p)
{
    unsigned need = SIM_CONTROL_PASID | (r->exec ? SIM_CONTROL_EXEC : 0u) |
                    (r->priv ? SIM_CONTROL_PRIV : 0u);

    return r->pasid >> p->f->pasid_bits == 0 && (p->control & need) == need;
}

static bool may_send(const struct sim_request *r, const struct part *p)
{
    if (r->rogue) {
        return true;
    }
    return (p->control & SIM_CONTROL_BUS_MASTER) != 0 &&
           (r->pasid == UIOMMU_NO_PASID || may_tag(r, p));
}

/* What configuration space says is read while the part counts as traffic: who changes
 * it and then waits for traffic is followed by nothing old. */
static bool send_part(struct sim *s, struct sim_request *r, struct part *p)
{
    p->control = sim_control(s, p->f);
    if (!may_send(r, p)) {
        r->stop = SIM_BY_DEVICE;
        return false;
    }
    if ((p->control & SIM_CONTROL_ATS) != 0 && !r->rogue) {
        return send_by_atc(s, r, p);
    }
    return send(s, r, p, p->iova, 0);
}

static bool move_part(struct sim *s, struct sim_request *r, struct part *p)
{
    bool done;

    p->is_msi = false;
    sim_traffic_enter(s);
    done = send_part(s, r, p);
    sim_traffic_leave(s);
    /* Outside: who holds the unit's lock may be waiting for traffic. */
    if (done && p->is_msi) {
        done = land_msi(s, r, p->rid, r->addr, p->buf, p->size);
    }
    sim_posts_deliver(s);
    return done;
}

/* ---- whole transactions -------------------------------------------------- */

/* Of one that waits in the unit: it is to be retried. */
static bool goes_on(struct sim *s, struct sim_request *r)
{
    switch (sim_stall_wait(s, r->tag)) {
    case SIM_STALL_RETRY:
        return true;
    case SIM_STALL_ABORT:
        r->stop = SIM_BY_UNIT;
        return false;
    default:
        return false;
    }
}

static bool move_or_wait(struct sim *s, struct sim_request *r, struct part *p)
{
    for (unsigned i = 0; i < MOST_RETRIES; i++) {
        if (move_part(s, r, p)) {
            return true;
        }
        if (r->stop != SIM_STALLED || !goes_on(s, r)) {
            return false;
        }
    }
    sim_report(s, "DMA of device %u to 0x%llx is retried for ever", r->dev,
               (unsigned long long)p->iova);
    r->stop = SIM_BY_UNIT;
    return false;
}

/* False: refused, and r->moved says how far it came. */
static bool move_all(struct sim *s, struct sim_request *r)
{
    struct part p = { .f = &s->pci.func[r->dev],
                      .buf = (uint8_t *)r->buf + r->moved };

    while (r->moved < r->size) {
        size_t left = r->size - r->moved;

        p.iova = r->iova + r->moved;
        p.size = SIM_PAGE_SIZE - (p.iova & (SIM_PAGE_SIZE - 1));
        p.size = p.size < left ? p.size : left;
        if (!move_or_wait(s, r, &p)) {
            r->target = SIM_NOWHERE;
            return false;
        }
        p.buf += p.size;
        r->moved += p.size;
    }
    return true;
}

bool sim_transfer(struct sim *s, struct sim_request *r)
{
    r->moved = 0;
    r->target = SIM_NOWHERE;
    r->addr = 0;
    r->peer = 0;
    r->stop = SIM_NOT_STOPPED;
    r->no_page = false;
    r->tag = 0;
    return move_all(s, r);
}

static enum machine_dma ended(struct machine *m, bool done)
{
    if (sim_of(m)->auto_irq) {
        machine_run(m);
    }
    return done ? MACHINE_DMA_DONE : MACHINE_DMA_REFUSED;
}

enum machine_dma sim_dma(struct machine *m, struct sim_request *r)
{
    return ended(m, sim_transfer(sim_of(m), r));
}

enum machine_dma sim_dma_resume(struct machine *m, struct sim_request *r)
{
    if (r->stop != SIM_STALLED || !goes_on(sim_of(m), r)) {
        return MACHINE_DMA_REFUSED;
    }
    return ended(m, move_all(sim_of(m), r));
}

enum machine_dma sim_machine_dma(struct machine *m, unsigned dev, bool write,
                                 uint64_t iova, void *buf, size_t size)
{
    struct sim_request r = {
        .dev = dev, .write = write, .iova = iova, .buf = buf, .size = size
    };

    if (dev >= m->n_devices || !m->devices[dev].engine) {
        return MACHINE_DMA_REFUSED;
    }
    return sim_dma(m, &r);
}

/* A posted write: whether it is refused the engine does not hear. */
enum machine_dma sim_machine_send_irq(struct machine *m, unsigned dev,
                                      uint64_t addr, uint32_t data)
{
    uint8_t bytes[4] = { (uint8_t)data, (uint8_t)(data >> 8),
                         (uint8_t)(data >> 16), (uint8_t)(data >> 24) };

    if (dev >= m->n_devices || !m->devices[dev].engine) {
        snprintf(m->error, sizeof(m->error), "device %u is no engine", dev);
        return MACHINE_DMA_REFUSED;
    }
    (void)sim_machine_dma(m, dev, true, addr, bytes, sizeof(bytes));
    return MACHINE_DMA_DONE;
}

int sim_probe(struct machine *m, unsigned dev, uint32_t pasid, uint64_t iova,
              unsigned access, struct uie_xlat *out)
{
    struct sim *s = sim_of(m);
    struct sim_request r = { .pasid = pasid };
    const struct sim_packet packet = { .addr = UINT64_MAX };
    struct uie_xlat unwanted;
    struct sim_route route;
    struct uie_req req;

    if (out == NULL) {
        out = &unwanted;
    }
    memset(out, 0, sizeof(*out));
    out->size = sizeof(*out);
    /* An address that no window has: only the requester id is wanted. */
    sim_find_route(s, &s->pci.func[dev], &packet, &route);
    req = req_of(&r, route.rid, iova, false);
    req.access = (access & UIOMMU_READ ? UIE_R : 0u) |
                 (access & UIOMMU_WRITE ? UIE_W : 0u);
    req.flags = UIE_REQ_PROBE;
    return s->ops->translate(s->model, &req, out);
}
