/* SPDX-License-Identifier: MIT */
/*
 * accel.c - the streaming accelerator's life, its steps, its way to memory, and how
 * others reach its BARs.
 */
#include "accel_device.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---------------------------------------------------------------- */

void accel_forget(struct sim_accel *a, bool command)
{
    accel_regs_reset(a, command);
    a->stuck = 0;
    memset(a->job, 0, sizeof(a->job));
    memset(&a->command, 0, sizeof(a->command));
}

bool sim_accel_open(struct sim *s, struct sim_func *f)
{
    struct sim_accel *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        return false;
    }
    a->s = s;
    a->f = f;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->idle, NULL);
    accel_forget(a, false);
    f->accel = a;
    return true;
}

void sim_accel_close(struct sim_func *f)
{
    if (f->accel != NULL) {
        pthread_cond_destroy(&f->accel->idle);
        pthread_mutex_destroy(&f->accel->lock);
        free(f->accel);
    }
}

void sim_accel_reset(struct sim_func *f)
{
    struct sim_accel *a = f->accel;

    pthread_mutex_lock(&a->lock);
    while (a->stepping) {
        pthread_cond_wait(&a->idle, &a->lock);
    }
    accel_forget(a, false);
    pthread_mutex_unlock(&a->lock);
}

/* ---- steps --------------------------------------------------------------- */

/* False: somebody steps it already, be it further up in this thread. */
static bool begin_step(struct sim_accel *a, bool *paused)
{
    bool mine;

    pthread_mutex_lock(&a->lock);
    mine = !a->stepping;
    a->stepping = true;
    *paused = a->paused;
    pthread_mutex_unlock(&a->lock);
    return mine;
}

static void end_step(struct sim_accel *a)
{
    pthread_mutex_lock(&a->lock);
    a->stepping = false;
    pthread_cond_broadcast(&a->idle);
    pthread_mutex_unlock(&a->lock);
}

static void step(struct sim_accel *a)
{
    bool paused;

    if (!begin_step(a, &paused)) {
        return;
    }
    accel_command_step(a);
    accel_send_markers(a);
    for (unsigned i = 0; !paused && i < ACCEL_ENGINES; i++) {
        accel_engine_step(a, i);
    }
    accel_send_irqs(a);
    end_step(a);
}

void sim_accels_run(struct sim *s)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        if (s->pci.func[i].accel != NULL) {
            step(s->pci.func[i].accel);
        }
    }
}

/* ---- its DMA ------------------------------------------------------------- */

enum accel_reach accel_access(struct sim_accel *a, struct accel_job *job,
                              const struct accel_task *t, bool write,
                              uint64_t iova, void *buf, size_t size)
{
    struct sim_request r = {
        .dev = (unsigned)(a->f - a->s->pci.func),
        .pasid = job->work.pasid,
        .priv = job->work.priv && job->work.pasid != UIOMMU_NO_PASID,
        .write = write,
        .iova = iova,
        .buf = buf,
        .size = size,
    };

    if (accel_is_refused(job, &r)) {
        return ACCEL_INVALID;
    }
    if (sim_transfer(a->s, &r)) {
        return ACCEL_REACHED;
    }
    return r.stop == SIM_BY_UNIT ? accel_ask(a, job, t, &r) : ACCEL_LOST;
}

/* ---- its BARs ------------------------------------------------------------ */

enum {
    BAR0 = 0x10,
    BAR2 = 0x18,
    BAR_64 = 4, /* the next register is its upper half */
    MSIX_ID = 0x11,
    MSIX_WRITABLE = 0xc000, /* enable, mask all */
};

static void bar_config(struct sim_func *f, unsigned at, uint32_t size)
{
    sim_config_put(f, at, 4, BAR_64);
    sim_config_mask(f, at, 4, ~(size - 1));
    sim_config_mask(f, at + 4, 4, UINT32_MAX);
}

void sim_accel_config(struct sim_func *f)
{
    sim_config_put(f, 0x02, 2, ACCEL_DEVICE_ID);
    bar_config(f, BAR0, SIM_ACCEL_BAR0_SIZE);
    bar_config(f, BAR2, SIM_ACCEL_BAR2_SIZE);
    sim_config_put(f, ACCEL_MSIX_AT, 1, MSIX_ID);
    sim_config_put(f, ACCEL_MSIX_AT + 1, 1, SIM_PCIE_AT);
    sim_config_put(f, ACCEL_MSIX_AT + 2, 2, ACCEL_VECTORS - 1);
    sim_config_mask(f, ACCEL_MSIX_AT + 2, 2, MSIX_WRITABLE);
    sim_config_put(f, ACCEL_MSIX_AT + 4, 4, ACCEL_AT_MSIX);
    sim_config_put(f, ACCEL_MSIX_AT + 8, 4, ACCEL_AT_PBA);
}

void sim_accel_firmware(struct sim_func *f)
{
    sim_config_put(f, BAR0, 4, (uint32_t)f->bar_start | BAR_64);
    sim_config_put(f, BAR2, 4, (uint32_t)f->bar2_start | BAR_64);
}

uint64_t sim_accel_bar2(const struct sim_func *f)
{
    return (sim_config32(f, BAR2) & ~UINT32_C(0xf)) |
           (uint64_t)sim_config32(f, BAR2 + 4) << 32;
}

bool sim_accel_has(const struct sim_func *f, uint64_t addr)
{
    return addr - sim_bar_base(f) < SIM_ACCEL_BAR0_SIZE ||
           addr - sim_accel_bar2(f) < SIM_ACCEL_BAR2_SIZE;
}

/* Of which BAR, and where in it. pci. */
static bool find_offset(struct sim *s, const struct sim_func *f, uint64_t addr,
                        uint64_t *offset)
{
    bool portal;

    pthread_mutex_lock(&s->pci.lock);
    portal = addr - sim_accel_bar2(f) < SIM_ACCEL_BAR2_SIZE;
    *offset = addr - (portal ? sim_accel_bar2(f) : sim_bar_base(f));
    pthread_mutex_unlock(&s->pci.lock);
    return portal;
}

static void load_desc(const uint8_t *bytes, uint64_t q[8])
{
    for (unsigned i = 0; i < 8; i++) {
        q[i] = uim_le_bytes(bytes + 8 * i, 8);
    }
}

/* Aligned accesses of 1, 2 and 4 bytes, and any number of words. */
static bool shape_good(uint64_t offset, size_t size)
{
    bool aligned = size == 1 || (size == 2 && offset % 2 == 0) ||
                   (offset % 4 == 0 && size % 4 == 0);

    return aligned && offset < ACCEL_BAR0_SIZE &&
           size <= ACCEL_BAR0_SIZE - offset;
}

static void read_regs(struct sim_accel *a, uint64_t offset, uint8_t *buf,
                      size_t size)
{
    memset(buf, 0xff, size);
    for (size_t i = 0; shape_good(offset, size) && i < size; i++) {
        uint64_t word = accel_read_word(a, (offset + i) & ~UINT64_C(7));

        buf[i] = (uint8_t)(word >> (offset + i) % 8 * 8);
    }
}

/* Bytes of a word that are not written are not enabled. */
static void write_regs(struct sim_accel *a, uint64_t offset, const uint8_t *buf,
                       size_t size)
{
    unsigned width = size < 4 ? (unsigned)size : 4;
    unsigned shift = offset % 4 * 8;
    uint32_t enabled = (uint32_t)(UIM_BIT(8 * width) - 1) << shift;

    for (size_t i = 0; shape_good(offset, size) && i < size; i += width) {
        accel_write_half(a, (offset + i) & ~UINT64_C(3),
                         (uint32_t)uim_le_bytes(buf + i, width) << shift,
                         enabled);
    }
}

static enum accel_taken write_portal(struct sim_accel *a, uint64_t offset,
                                     const uint8_t *buf, size_t size,
                                     bool deferrable)
{
    uint64_t q[8];

    if (offset % ACCEL_DESC_SIZE != 0 || size != ACCEL_DESC_SIZE) {
        return ACCEL_DROPPED;
    }
    load_desc(buf, q);
    return accel_accept(a, offset, q, deferrable);
}

void sim_accel_access(struct sim *s, struct sim_func *f, bool write,
                      uint64_t addr, uint8_t *buf, size_t size)
{
    struct sim_accel *a = f->accel;
    uint64_t offset;
    bool portal = find_offset(s, f, addr, &offset);

    pthread_mutex_lock(&a->lock);
    if (!write && portal) {
        memset(buf, 0xff, size);
    } else if (!write) {
        read_regs(a, offset, buf, size);
    } else if (portal) {
        (void)write_portal(a, offset, buf, size, false);
    } else {
        write_regs(a, offset, buf, size);
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- CPUs ---------------------------------------------------------------- */

static struct sim_func *accel_at(struct sim *s, uint64_t addr)
{
    struct sim_func *f;

    pthread_mutex_lock(&s->pci.lock);
    f = sim_is_ram(s, addr, 1) ? NULL : sim_bar_at(s, addr);
    pthread_mutex_unlock(&s->pci.lock);
    return f != NULL && f->accel != NULL ? f : NULL;
}

uint64_t sim_accel_read(struct sim *s, uint64_t addr, unsigned width)
{
    struct sim_func *f = accel_at(s, addr);
    uint8_t buf[8];

    if (f == NULL) {
        return ~UINT64_C(0);
    }
    if (s->machine.host.relax == NULL) { /* looking is the only way to wait */
        sim_devices_step(s);
    }
    sim_accel_access(s, f, false, addr, buf, width);
    return uim_le_bytes(buf, width);
}

void sim_accel_write(struct sim *s, uint64_t addr, unsigned width,
                     uint64_t value)
{
    struct sim_func *f = accel_at(s, addr);
    uint8_t buf[8];

    if (f != NULL) {
        sim_table_put(buf, width, value);
        sim_accel_access(s, f, true, addr, buf, width);
    }
}

void sim_movdir64b(struct machine *m, uint64_t addr, const void *bytes)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = accel_at(s, addr);
    uint8_t buf[ACCEL_DESC_SIZE];

    if (f != NULL) {
        memcpy(buf, bytes, sizeof(buf));
        sim_accel_access(s, f, true, addr, buf, sizeof(buf));
    }
}

bool sim_enqcmds(struct machine *m, uint64_t addr, const void *bytes)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = accel_at(s, addr);
    enum accel_taken taken = ACCEL_RETRY;
    uint64_t offset;

    if (f == NULL || !find_offset(s, f, addr, &offset)) {
        return false;
    }
    pthread_mutex_lock(&f->accel->lock);
    taken = write_portal(f->accel, offset, bytes, ACCEL_DESC_SIZE, true);
    pthread_mutex_unlock(&f->accel->lock);
    return taken == ACCEL_ACCEPTED;
}

bool sim_enqcmd(struct machine *m, uint64_t addr, uint32_t pasid,
                const void *bytes)
{
    uint8_t buf[ACCEL_DESC_SIZE];
    struct accel_desc_q0 q0;

    memcpy(buf, bytes, sizeof(buf));
    q0.raw = uim_le_bytes(buf, 8);
    q0.raw &= accel_desc_q0_DEFINED;
    q0 = accel_desc_q0_set_pasid(q0, pasid);
    q0 = accel_desc_q0_set_priv(q0, 0);
    sim_table_put(buf, 8, q0.raw);
    return sim_enqcmds(m, addr, buf);
}

/* ---- tests --------------------------------------------------------------- */

static struct sim_accel *accel_of(struct machine *m, unsigned dev)
{
    return sim_of(m)->pci.func[dev].accel;
}

void sim_accel_pause(struct machine *m, unsigned dev, bool on)
{
    struct sim_accel *a = accel_of(m, dev);

    pthread_mutex_lock(&a->lock);
    while (on && a->stepping) {
        pthread_cond_wait(&a->idle, &a->lock);
    }
    a->paused = on;
    pthread_mutex_unlock(&a->lock);
}

static bool is_of(const struct accel_work *work, const uint32_t *pasid)
{
    return pasid == NULL || work->pasid == *pasid;
}

static unsigned count_queue(const struct accel_wq *wq, const uint32_t *pasid)
{
    unsigned n = 0;

    for (unsigned i = 0; i < wq->n; i++) {
        n += is_of(&wq->ring[(wq->head + i) % ACCEL_ENTRIES], pasid);
    }
    return n;
}

/* NULL: of anybody. */
static unsigned count(struct sim_accel *a, const uint32_t *pasid)
{
    unsigned n = 0;

    pthread_mutex_lock(&a->lock);
    while (a->stepping) {
        pthread_cond_wait(&a->idle, &a->lock);
    }
    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        n += count_queue(&a->wq[i], pasid);
    }
    for (unsigned i = 0; i < ACCEL_ENGINES; i++) {
        n += a->job[i].active && is_of(&a->job[i].work, pasid);
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

unsigned sim_accel_busy(struct machine *m, unsigned dev)
{
    return count(accel_of(m, dev), NULL);
}

unsigned sim_accel_carries(struct machine *m, unsigned dev, uint32_t pasid)
{
    return count(accel_of(m, dev), &pasid);
}

void sim_accel_stick(struct machine *m, unsigned dev, unsigned wq)
{
    struct sim_accel *a = accel_of(m, dev);

    pthread_mutex_lock(&a->lock);
    a->stuck |= 1u << wq;
    pthread_mutex_unlock(&a->lock);
}
