/* SPDX-License-Identifier: MIT */
#include "fake_unit.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"

#define GCMD_LATCH (VTD_GCMD_BIT(srtp) | VTD_GCMD_BIT(sirtp))

static const struct uim_fw_unit unit_info = {
    .base = 0xfed90000,
    .size = 4096,
    .phys_bits = 48,
    .usable = true,
};

/* ---- host: memory, locks, time ------------------------------------------- */

static void *host_alloc(void *ctx, size_t size)
{
    struct fake *f = ctx;

    if (f->fail_alloc > 0 && --f->fail_alloc == 0)
        return NULL;
    f->bytes++;
    return malloc(size);
}

static void host_free(void *ctx, void *p, size_t size)
{
    struct fake *f = ctx;

    (void)size;
    f->bytes--;
    free(p);
}

static void *host_pages_alloc(void *ctx, unsigned order, unsigned flags,
                              uint64_t *phys)
{
    struct fake *f = ctx;
    size_t size = (size_t)4096 << order;
    void *p;

    (void)flags;
    if (f->fail_pages > 0 && --f->fail_pages == 0)
        return NULL;
    p = aligned_alloc(size, size);
    memset(p, 0, size);
    *phys = (uintptr_t)p;
    f->pages += 1 << order;
    return p;
}

static void host_pages_free(void *ctx, void *virt, uint64_t phys,
                            unsigned order)
{
    struct fake *f = ctx;

    assert_true((uintptr_t)virt == phys);
    f->pages -= 1 << order;
    free(virt);
}

static void *host_mutex_create(void *ctx)
{
    struct fake *f = ctx;
    pthread_mutex_t *m = malloc(sizeof(*m));

    pthread_mutex_init(m, NULL);
    f->mutexes++;
    return m;
}

static void host_mutex_destroy(void *ctx, void *mutex)
{
    struct fake *f = ctx;

    pthread_mutex_destroy(mutex);
    f->mutexes--;
    free(mutex);
}

static void host_lock(void *ctx, void *mutex)
{
    (void)ctx;
    pthread_mutex_lock(mutex);
}

static void host_unlock(void *ctx, void *mutex)
{
    (void)ctx;
    pthread_mutex_unlock(mutex);
}

static uint64_t host_now(void *ctx)
{
    struct fake *f = ctx;

    return f->now;
}

static void host_relax(void *ctx)
{
    struct fake *f = ctx;

    f->now += f->step_ns;
    sched_yield();
}

static void host_flush(void *ctx, const void *p, size_t size)
{
    (void)ctx;
    (void)p;
    (void)size;
}

static void host_log(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct fake *f = ctx;

    f->n_logs++;
    f->n_errors += level == UIOMMU_LOG_ERROR;
    f->n_warnings += level == UIOMMU_LOG_WARN;
    pthread_mutex_lock(&f->lock);
    snprintf(f->log, sizeof(f->log), "%s", text);
    pthread_mutex_unlock(&f->lock);
}

static enum uiommu_status host_msi_alloc(void *ctx, unsigned unit, unsigned n,
                                         uint64_t *addr, uint32_t *data)
{
    (void)ctx;
    *addr = UINT64_C(0x1fee00000) + unit;
    *data = 0x4041 + n;
    return UIOMMU_OK;
}

static void host_msi_free(void *ctx, unsigned unit, unsigned n)
{
    (void)ctx;
    (void)unit;
    (void)n;
}

/* ---- the queue ----------------------------------------------------------- */

static bool wide(const struct fake *f)
{
    return vtd_iqa_dw((struct vtd_iqa){ f->iqa }) != 0;
}

static struct vtd_desc desc_at(const struct fake *f, uint64_t offset)
{
    uint64_t base = vtd_iqa_iqa((struct vtd_iqa){ f->iqa }) << 12;
    uim_word *slot = (uim_word *)(uintptr_t)(base + offset);

    return (struct vtd_desc){ uim_ld64(&slot[0]), uim_ld64(&slot[1]) };
}

static unsigned type_of(struct vtd_desc d)
{
    return (unsigned)vtd_qi_any_lo_type((struct vtd_qi_any_lo){ d.lo });
}

static void complete(struct vtd_desc d)
{
    struct vtd_qi_wait_lo lo = { d.lo };
    uint64_t at = vtd_qi_wait_hi_staddr((struct vtd_qi_wait_hi){ d.hi }) << 2;

    assert_true(vtd_qi_wait_lo_sw(lo) && !vtd_qi_wait_lo_if_(lo));
    uim_st64((uim_word *)(uintptr_t)at, vtd_qi_wait_lo_stdata(lo));
}

/* Whose device TLB it is for; -1: it is for none. */
static int devtlb_sid(struct vtd_desc d)
{
    if (type_of(d) == VTD_QI_DEVTLB)
        return (int)vtd_qi_devtlb_lo_sid((struct vtd_qi_devtlb_lo){ d.lo });
    if (type_of(d) == VTD_QI_PDEVTLB)
        return (int)vtd_qi_pdevtlb_lo_sid((struct vtd_qi_pdevtlb_lo){ d.lo });
    return -1;
}

static bool in_error(const struct fake *f, struct vtd_desc d)
{
    struct vtd_qi_iotlb_lo lo = { d.lo };
    struct vtd_qi_wait_lo wait = { d.lo };

    if (type_of(d) == VTD_QI_WAIT)
        return f->bad_waits && vtd_qi_wait_lo_stdata(wait) != 1;
    return devtlb_sid(d) < 0 && f->bad_did >= 0 &&
           (int)vtd_qi_iotlb_lo_did(lo) == f->bad_did;
}

static void run_one(struct fake *f, struct vtd_desc d)
{
    if (f->n_commands < FAKE_COMMANDS)
        f->command[f->n_commands++] = d;
    if (f->on_command)
        f->on_command(f, d);
    if (f->dead_sid >= 0 && devtlb_sid(d) == f->dead_sid && !f->ats_open) {
        f->ats_open = true;
        f->ats_since = f->now;
    }
    if (type_of(d) != VTD_QI_WAIT)
        return;
    if (f->ats_open)
        f->held[f->n_held++] = d;
    else
        complete(d);
}

static void run_queue(struct fake *f)
{
    const uint32_t stop = 0x50; /* IQE, ITE */
    uint64_t size = wide(f) ? 32 : 16;

    if (!(f->gsts & VTD_GCMD_BIT(qie)) || f->silent)
        return;
    while (f->iqh != f->iqt && !(f->fsts & stop)) {
        struct vtd_desc d = desc_at(f, f->iqh);

        if (in_error(f, d)) {
            f->n_iqe++;
            f->refused = d;
            f->fsts |= 0x10;
            f->iqercd = VTD_IQEI_RESERVED_FIELD;
            return;
        }
        f->iqh = (f->iqh + size) % (VTD_QUEUE_ENTRIES * size);
        run_one(f, d);
    }
}

/* Time passed: a device TLB that did not answer is given up. */
static void look_at_clock(struct fake *f)
{
    uint64_t limit = (uint64_t)f->ite_steps * FAKE_STEP_NS;

    if (!f->ats_open || f->ite_steps == 0 || f->now - f->ats_since < limit)
        return;
    f->ats_open = false;
    f->n_held = 0;
    f->n_ite++;
    f->fsts |= 0x40;
    f->iqercd = f->hide_sid ? 0 : (uint64_t)f->dead_sid << 32;
}

void fake_answer(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    f->dead_sid = -1;
    f->ats_open = false;
    for (unsigned i = 0; i < f->n_held; i++)
        complete(f->held[i]);
    f->n_held = 0;
    pthread_mutex_unlock(&f->lock);
}

/* ---- registers ----------------------------------------------------------- */

static void write_gcmd(struct fake *f, uint32_t value)
{
    uint32_t levels = f->gsts & VTD_GSTS_KEEP;
    uint32_t change = value ^ levels;

    if (change == 0 || (change & (change - 1)) != 0)
        f->gcmd_many++;
    if (f->deaf)
        return;
    f->n_wbf += (value & VTD_GCMD_BIT(wbf)) != 0;
    if ((levels & ~value) & VTD_GCMD_BIT(te))
        f->te_off++;
    if ((levels & ~value) & VTD_GCMD_BIT(qie))
        f->iqh = 0;
    f->gsts =
        (value & VTD_GSTS_KEEP) | (f->gsts & GCMD_LATCH) | (value & GCMD_LATCH);
}

static uint32_t fsts_now(const struct fake *f)
{
    uint32_t fsts = f->fsts;

    for (unsigned i = 0; i < FAKE_RECORDS; i++)
        if (vtd_frcd_hi_f(f->record_hi[i]))
            fsts |= 2;
    return fsts;
}

static uint64_t *small_register(struct fake *f, size_t offset)
{
    switch (offset) {
    case VTD_REG_CAP:
        return &f->cap;
    case VTD_REG_ECAP:
        return &f->ecap;
    case VTD_REG_RTADDR:
        return &f->rtaddr;
    case VTD_REG_IQH:
        return &f->iqh;
    case VTD_REG_IQT:
        return &f->iqt;
    case VTD_REG_IQA:
        return &f->iqa;
    case VTD_REG_IQERCD:
        return &f->iqercd;
    case VTD_REG_CCMD:
        return &f->ccmd;
    case FAKE_IRO * 16 + VTD_IVA_OFFSET:
        return &f->iva;
    case FAKE_IRO * 16 + VTD_IOTLB_OFFSET:
        return &f->iotlb;
    default:
        return NULL;
    }
}

static uint32_t *event_register(struct fake *f, size_t offset)
{
    if (offset >= VTD_REG_FECTL && offset <= VTD_REG_FEUADDR)
        return &f->event[0][(offset - VTD_REG_FECTL) / 4];
    if (offset >= VTD_REG_IECTL && offset <= VTD_REG_IEUADDR)
        return &f->event[1][(offset - VTD_REG_IECTL) / 4];
    if (offset >= VTD_REG_PECTL && offset <= VTD_REG_PEUADDR)
        return &f->event[2][(offset - VTD_REG_PECTL) / 4];
    return NULL;
}

static uint32_t read32(struct fake *f, size_t offset)
{
    if (event_register(f, offset))
        return *event_register(f, offset);
    switch (offset) {
    case VTD_REG_VER:
        return (uint32_t)f->major << 4;
    case VTD_REG_GSTS:
        return f->gsts;
    case VTD_REG_FSTS:
        return fsts_now(f);
    case VTD_REG_PMEN:
        return f->pmen;
    default:
        fail_msg("read32 %zx", offset);
    }
    return 0;
}

static void write32(struct fake *f, size_t offset, uint32_t value)
{
    const size_t frcd = FAKE_FRO * 16;

    if (event_register(f, offset)) {
        *event_register(f, offset) = value;
    } else if (offset >= frcd && offset < frcd + FAKE_RECORDS * 16) {
        assert_int_equal(offset % 16, 12);
        if (value >> 31)
            f->record_hi[(offset - frcd) / 16].raw &= ~(UINT64_C(1) << 63);
    } else if (offset == VTD_REG_GCMD) {
        write_gcmd(f, value);
    } else if (offset == VTD_REG_FSTS) {
        f->fsts &= ~(value & 0x71);
        run_queue(f);
    } else if (offset == VTD_REG_PMEN) {
        f->pmen = (value & 0x80000000u) | value >> 31;
    } else {
        fail_msg("write32 %zx", offset);
    }
}

static uint64_t read64(struct fake *f, size_t offset)
{
    const size_t frcd = FAKE_FRO * 16;

    if (offset >= frcd && offset < frcd + FAKE_RECORDS * 16)
        return offset % 16 ? f->record_hi[(offset - frcd) / 16].raw
                           : f->record_lo[(offset - frcd) / 16].raw;
    if (!small_register(f, offset))
        fail_msg("read64 %zx", offset);
    return *small_register(f, offset);
}

/* Register invalidations are done at once, exactly as asked. */
static void write64(struct fake *f, size_t offset, uint64_t value)
{
    if (!small_register(f, offset))
        fail_msg("write64 %zx", offset);
    *small_register(f, offset) = value;
    if (offset == VTD_REG_CCMD && !f->silent)
        f->ccmd = (value & ~(UINT64_C(1) << 63) & ~(UINT64_C(3) << 59)) |
                  (value >> 2 & (UINT64_C(3) << 59));
    if (offset == FAKE_IRO * 16 + VTD_IOTLB_OFFSET && !f->silent)
        f->iotlb =
            (value & ~(UINT64_C(1) << 63)) | (value >> 3 & (UINT64_C(3) << 57));
    if (offset == VTD_REG_IQT)
        run_queue(f);
}

static void *host_mmio_map(void *ctx, uint64_t phys, size_t size)
{
    struct fake *f = ctx;

    assert_true(phys == unit_info.base && size >= 4096);
    f->maps++;
    f->mapped = size;
    return f;
}

static void host_mmio_unmap(void *ctx, void *mmio, size_t size)
{
    struct fake *f = ctx;

    (void)mmio;
    (void)size;
    f->maps--;
}

static void enter(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    look_at_clock(f);
    run_queue(f);
}

static void leave(struct fake *f)
{
    pthread_mutex_unlock(&f->lock);
}

static uint32_t host_read32(void *ctx, void *mmio, size_t offset)
{
    uint32_t value;

    (void)mmio;
    enter(ctx);
    value = read32(ctx, offset);
    if (((struct fake *)ctx)->gone)
        value = UINT32_MAX;
    leave(ctx);
    return value;
}

static uint64_t host_read64(void *ctx, void *mmio, size_t offset)
{
    uint64_t value;

    (void)mmio;
    enter(ctx);
    value = read64(ctx, offset);
    if (((struct fake *)ctx)->gone)
        value = UINT64_MAX;
    leave(ctx);
    return value;
}

static void host_write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    (void)mmio;
    enter(ctx);
    write32(ctx, offset, value);
    leave(ctx);
}

static void host_write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    (void)mmio;
    enter(ctx);
    write64(ctx, offset, value);
    leave(ctx);
}

/* ---- for tests ----------------------------------------------------------- */

void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    pthread_mutex_init(&f->lock, NULL);
    f->bad_did = -1;
    f->dead_sid = -1;
    f->major = 1;
    f->step_ns = FAKE_STEP_NS;
    f->cap = vtd_cap_pack(&(struct vtd_cap_fields){
                              .nd = 6,
                              .sagaw = 6,
                              .mgaw = 47,
                              .fro = FAKE_FRO,
                              .sslps = 3,
                              .psi = 1,
                              .nfr = FAKE_RECORDS - 1,
                              .mamv = 18,
                              .dwd = 1,
                              .drd = 1,
                              .plmr = 1,
                          })
                 .raw;
    f->ecap = vtd_ecap_pack(&(struct vtd_ecap_fields){
                                .c = 1,
                                .qi = 1,
                                .dt = 1,
                                .pt = 1,
                                .iro = FAKE_IRO,
                            })
                  .raw;
    f->host = (struct uiommu_host){
        .size = sizeof(f->host),
        .ctx = f,
        .log = host_log,
        .alloc = host_alloc,
        .free = host_free,
        .pages_alloc = host_pages_alloc,
        .pages_free = host_pages_free,
        .direct_map = true,
        .flush = host_flush,
        .mmio_map = host_mmio_map,
        .mmio_unmap = host_mmio_unmap,
        .mmio_read32 = host_read32,
        .mmio_read64 = host_read64,
        .mmio_write32 = host_write32,
        .mmio_write64 = host_write64,
        .mutex_create = host_mutex_create,
        .mutex_destroy = host_mutex_destroy,
        .mutex_lock = host_lock,
        .mutex_unlock = host_unlock,
        .spin_create = host_mutex_create,
        .spin_destroy = host_mutex_destroy,
        .spin_lock = host_lock,
        .spin_unlock = host_unlock,
        .now_ns = host_now,
        .relax = host_relax,
    };
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct fake *f = ctx;

    pthread_mutex_lock(&f->lock);
    f->fault = *fault;
    pthread_mutex_unlock(&f->lock);
    f->n_faults++;
    if (f->on_fault)
        f->on_fault(f);
    return true;
}

enum uiommu_status fake_probe(struct fake *f)
{
    const struct uiommu_config config = {
        .size = sizeof(config),
        .on_fault = on_fault,
        .fault_ctx = f,
    };
    enum uiommu_status status;

    if (f->msi) {
        f->host.msi_alloc = host_msi_alloc;
        f->host.msi_free = host_msi_free;
    }
    assert_int_equal(uiommu_create(&f->host, &config, &f->u), UIOMMU_OK);
    status = uiommu_driver_vtd.probe(f->u, &f->options, &unit_info, &f->unit);
    if (status != UIOMMU_OK)
        return status;
    f->v = vtd_unit(f->unit);
    return uiommu_driver_vtd.settle(&f->options, &f->unit, 1);
}

enum uiommu_status fake_start(struct fake *f)
{
    enum uiommu_status status = fake_probe(f);

    if (status == UIOMMU_OK)
        status = f->unit->ops->prepare(f->unit);
    if (status == UIOMMU_OK)
        status = f->unit->ops->enable(f->unit);
    return status;
}

void fake_end(struct fake *f)
{
    if (f->unit)
        f->unit->ops->release(f->unit);
    assert_int_equal(uiommu_destroy(f->u), UIOMMU_OK);
    assert_int_equal(f->bytes, 0);
    assert_int_equal(f->mutexes, 0);
    assert_int_equal(f->maps, 0);
    assert_int_equal(f->gcmd_many, 0);
    pthread_mutex_destroy(&f->lock);
}

void fake_stop(struct fake *f)
{
    f->unit->ops->disable(f->unit);
    fake_end(f);
    assert_int_equal(f->pages, 0);
    assert_int_equal(f->gsts & ~GCMD_LATCH, 0);
}

void fake_fault(struct fake *f, uint16_t sid, unsigned reason, uint64_t iova)
{
    struct vtd_frcd_hi_fields hi = {
        .f = 1,
        .t1 = 1,
        .fr = reason,
        .sid = sid,
    };

    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < FAKE_RECORDS && !(f->fsts & 1); i++) {
        if (vtd_frcd_hi_f(f->record_hi[i]))
            continue;
        f->record_lo[i].raw = iova & ~UINT64_C(0xfff);
        f->record_hi[i] = vtd_frcd_hi_pack(&hi);
        pthread_mutex_unlock(&f->lock);
        return;
    }
    f->fsts |= 1; /* PFO */
    pthread_mutex_unlock(&f->lock);
}

void fake_forget(struct fake *f)
{
    pthread_mutex_lock(&f->lock);
    f->n_commands = 0;
    pthread_mutex_unlock(&f->lock);
}

unsigned fake_type(const struct fake *f, unsigned i)
{
    return i < f->n_commands ? type_of(f->command[i]) : 0;
}

void fake_domain(struct fake *f, struct fake_domain *d, uint64_t root)
{
    memset(d, 0, sizeof(*d));
    d->domain.u = f->u;
    d->domain.kind = UIOMMU_DOMAIN_PAGING;
    d->domain.pt.ops = f->unit->format;
    d->domain.pt.root_phys = root;
    d->domain.pt.top = 3;
    d->domain.last_iova = (UINT64_C(1) << f->unit->iova_bits) - 1;
    d->link.unit = f->unit;
    d->link.domain = &d->domain;
    atomic_store(&d->domain.links, &d->link);
    assert_int_equal(f->unit->ops->link(&d->link), UIOMMU_OK);
}

void fake_device(struct fake *f, struct uiommu_device *dev, uint16_t sid)
{
    memset(dev, 0, sizeof(*dev));
    dev->u = f->u;
    dev->unit = f->unit;
    dev->endpoint = &f->endpoint[f->n_endpoints++ % FAKE_DEVICES];
    memset(dev->endpoint, 0, sizeof(*dev->endpoint));
    dev->endpoint->unit = f->unit;
    dev->endpoint->id = sid;
    dev->pci.bus = (uint8_t)(sid >> 8);
    dev->pci.devfn = (uint8_t)sid;
    dev->ats_queue = 32;
    dev->endpoint->device = dev;
}

void fake_pasid(struct uiommu_device *dev, uint32_t pasid,
                struct uiommu_endpoint *out)
{
    memset(out, 0, sizeof(*out));
    out->unit = dev->unit;
    out->id = dev->endpoint->id;
    out->pasid = pasid;
    out->device = dev;
}
