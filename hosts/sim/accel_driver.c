/* SPDX-License-Identifier: MIT */
#include "accel_driver.h"

#include "base/store.h"

#include <string.h>

enum {
    BAR0 = 0x10,
    BAR2 = 0x18,
    COMMAND = 0x04,
    COMMAND_MEMORY = 1u << 1,
    CAP_LIST = 0x34,
    CAP_MSIX = 0x11,
    MSIX_ENABLE = 1u << 15,
    FIRST_EXTENDED = 0x100,
    CAP_PRI = 0x13,
    PRI_CONTROL = 4,
    PRI_ENABLE = 1,
    MOST_CAPS = 48,
    MOST_MAJOR = 3, /* what is used here is the same in versions 1 to 3 */
};

#define COMMAND_NS (UINT64_C(1000) * 1000 * 1000)

/* ---- registers ----------------------------------------------------------- */

static uint64_t read64(const struct accel_driver *d, uint64_t offset)
{
    return d->host->mmio_read64(d->host->ctx, d->regs, offset);
}

static uint32_t read32(const struct accel_driver *d, uint64_t offset)
{
    return d->host->mmio_read32(d->host->ctx, d->regs, offset);
}

static void write64(struct accel_driver *d, uint64_t offset, uint64_t value)
{
    d->host->mmio_write64(d->host->ctx, d->regs, offset, value);
}

static void write32(struct accel_driver *d, uint64_t offset, uint32_t value)
{
    d->host->mmio_write32(d->host->ctx, d->regs, offset, value);
}

static uint32_t config(const struct accel_driver *d, unsigned offset,
                       unsigned width)
{
    return d->host->pci_read(d->host->ctx, d->pci, offset, width);
}

static uint64_t bar(const struct accel_driver *d, unsigned offset)
{
    return (config(d, offset, 4) & ~UINT32_C(0xf)) |
           (uint64_t)config(d, offset + 4, 4) << 32;
}

static uint64_t wq_at(const struct accel_driver *d, unsigned wq, unsigned word)
{
    return d->wqcfg + wq * d->wqcfg_size + 8 * word;
}

/* ---- commands ------------------------------------------------------------ */

static uint64_t now_ns(const struct accel_driver *d)
{
    return d->cpu.now_ns != NULL ? d->cpu.now_ns(d->cpu.ctx)
                                 : d->host->now_ns(d->host->ctx);
}

static bool is_late(const struct accel_driver *d, uint64_t until)
{
    return now_ns(d) > until;
}

static void relax(const struct accel_driver *d)
{
    if (d->host->relax != NULL) {
        d->host->relax(d->host->ctx);
    }
}

/* Active falls in that time, or it does not. It is looked at once more after that: the
 * thread may have slept in between. */
static bool wait_command(const struct accel_driver *d, struct accel_cmdsts *sts)
{
    uint64_t until = now_ns(d) + d->limit_ns;

    for (bool late = false;; late = is_late(d, until)) {
        sts->raw = read32(d, ACCEL_REG_CMDSTS);
        if (!accel_cmdsts_active(*sts)) {
            return true;
        }
        if (late) {
            return false;
        }
        relax(d);
    }
}

enum uiommu_status accel_command(struct accel_driver *d,
                                 enum accel_command command, uint32_t operand)
{
    struct accel_cmdsts sts;
    struct accel_cmd cmd = accel_cmd_pack(
        &(struct accel_cmd_fields){ .operand = operand, .cmd = command });

    if (d->regs == NULL) {
        return UIOMMU_NODEV;
    }
    if (!wait_command(d, &sts)) {
        return UIOMMU_BUSY;
    }
    write32(d, ACCEL_REG_CMD, (uint32_t)cmd.raw);
    if (!wait_command(d, &sts)) {
        return UIOMMU_TIMEDOUT;
    }
    if (accel_cmdsts_err(sts) == ACCEL_CMD_OK) {
        return UIOMMU_OK;
    }
    d->error = (uint32_t)accel_cmdsts_err(sts);
    return UIOMMU_IO;
}

/* ---- up and down --------------------------------------------------------- */

static unsigned find_msix(const struct accel_driver *d)
{
    unsigned at = config(d, CAP_LIST, 1);

    for (unsigned i = 0; i < MOST_CAPS && at >= 0x40; i++) {
        if (config(d, at & 0xfc, 1) == CAP_MSIX) {
            return at & 0xfc;
        }
        at = config(d, (at & 0xfc) + 1, 1);
    }
    return 0;
}

static void read_capabilities(struct accel_driver *d)
{
    struct accel_wqcap wqcap = { read64(d, ACCEL_REG_WQCAP) };
    struct accel_engcap engcap = { read64(d, ACCEL_REG_ENGCAP) };
    struct accel_offsets_q0 offsets = { read64(d, ACCEL_REG_OFFSETS) };

    d->wqs = (unsigned)accel_wqcap_num_wqs(wqcap);
    d->entries = (unsigned)accel_wqcap_total_wq_size(wqcap);
    d->wqcfg_size = (uint64_t)ACCEL_WQCFG_MIN << accel_wqcap_wqcfg_size(wqcap);
    d->engines = (unsigned)accel_engcap_num_engines(engcap);
    d->grpcfg = accel_offsets_q0_grpcfg(offsets) * ACCEL_TABLE_UNIT;
    d->wqcfg = accel_offsets_q0_wqcfg(offsets) * ACCEL_TABLE_UNIT;
    d->msix_perm = accel_offsets_q0_msix_perm(offsets) * ACCEL_TABLE_UNIT;
    d->msix = config(d, find_msix(d) + 4, 4) & ~UINT32_C(7);
}

static bool is_one(const struct accel_driver *d)
{
    return (config(d, COMMAND, 2) & COMMAND_MEMORY) != 0 &&
           config(d, 0x02, 2) == ACCEL_DEVICE_ID && find_msix(d) != 0;
}

static bool is_known(const struct accel_driver *d)
{
    uint32_t major = read32(d, ACCEL_REG_VERSION) >> 8 & 0xff;

    return major > 0 && major <= MOST_MAJOR;
}

/* A command that does not end is in the way of this one, too. */
enum uiommu_status accel_reset(struct accel_driver *d)
{
    enum uiommu_status status;

    if (d->regs == NULL || !is_one(d) || !is_known(d)) {
        return UIOMMU_NODEV;
    }
    status = accel_command(d, ACCEL_CMD_RESET_DEVICE, 0);
    return status == UIOMMU_BUSY ? UIOMMU_TIMEDOUT : status;
}

static void unmap(struct accel_driver *d)
{
    d->host->mmio_unmap(d->host->ctx, d->regs, ACCEL_BAR0_SIZE);
    d->regs = NULL;
}

enum uiommu_status accel_start(struct accel_driver *d,
                               const struct uiommu_host *host,
                               struct uiommu_pci pci,
                               const struct accel_cpu *cpu)
{
    enum uiommu_status status;

    memset(d, 0, sizeof(*d));
    d->host = host;
    d->pci = pci;
    d->cpu = *cpu;
    d->limit_ns = COMMAND_NS;
    if (!is_one(d)) {
        return UIOMMU_NODEV;
    }
    d->portals = bar(d, BAR2);
    d->regs = host->mmio_map(host->ctx, bar(d, BAR0), ACCEL_BAR0_SIZE);
    if (d->regs == NULL) {
        return UIOMMU_NOMEM;
    }
    read_capabilities(d);
    status = accel_reset(d);
    if (status != UIOMMU_OK) {
        unmap(d);
    }
    return status;
}

enum uiommu_status accel_stop(struct accel_driver *d)
{
    enum uiommu_status status;

    if (d->regs == NULL) {
        return UIOMMU_OK;
    }
    status = accel_reset(d);
    accel_irq_enable(d, false);
    unmap(d);
    return status;
}

/* Which vectors a user's descriptor may name, their permissions say. */
enum uiommu_status accel_enable(struct accel_driver *d)
{
    struct accel_gencfg cfg;

    if (d->regs == NULL) {
        return UIOMMU_NODEV;
    }
    cfg.raw = read32(d, ACCEL_REG_GENCFG);
    cfg = accel_gencfg_set_user_int_en(cfg, 1);
    write32(d, ACCEL_REG_GENCFG, (uint32_t)cfg.raw);
    return accel_command(d, ACCEL_CMD_ENABLE_DEVICE, 0);
}

/* ---- queues -------------------------------------------------------------- */

static enum uiommu_status check_wq(const struct accel_driver *d, unsigned wq)
{
    if (d->regs == NULL) {
        return UIOMMU_NODEV;
    }
    return wq < d->wqs ? UIOMMU_OK : UIOMMU_INVAL;
}

static uint64_t limits_or(uint8_t wanted, uint64_t most)
{
    return wanted > 0 ? wanted : most;
}

static uint64_t q1_of(const struct accel_driver *d,
                      const struct accel_queue *queue)
{
    struct accel_gencap cap = { read64(d, ACCEL_REG_GENCAP) };
    bool pasid = queue->shared || queue->pasid != UIOMMU_NO_PASID;
    const struct accel_wqcfg_q1_fields q1 = {
        .mode = queue->shared ? ACCEL_MODE_SHARED : ACCEL_MODE_DEDICATED,
        .bof = queue->block_on_fault,
        .priority = 1,
        .pasid = queue->shared ? 0 : queue->pasid,
        .pasid_en = pasid,
        .max_xfer_shift =
            limits_or(queue->max_xfer_shift, accel_gencap_max_xfer_shift(cap)),
        .max_batch_shift = limits_or(queue->max_batch_shift,
                                     accel_gencap_max_batch_shift(cap)),
    };

    return accel_wqcfg_q1_pack(&q1).raw;
}

/* One group has everything. */
enum uiommu_status accel_queue_setup(struct accel_driver *d, unsigned wq,
                                     const struct accel_queue *queue)
{
    const struct accel_wqcfg_q0_fields q0 = { .size = queue->size,
                                              .thresh = queue->threshold > 0
                                                            ? queue->threshold
                                                            : queue->size };
    uint64_t engines = d->grpcfg + 8 * ACCEL_GRPCFG_ENGINES;
    enum uiommu_status status = check_wq(d, wq);

    if (status != UIOMMU_OK) {
        return status;
    }
    if (queue->size == 0 || queue->size > d->entries ||
        (queue->shared && queue->pasid != UIOMMU_NO_PASID)) {
        return UIOMMU_INVAL;
    }
    d->blocks[wq] = queue->block_on_fault;
    write64(d, wq_at(d, wq, 0), accel_wqcfg_q0_pack(&q0).raw);
    write64(d, wq_at(d, wq, 1), q1_of(d, queue));
    write64(d, d->grpcfg + wq / 64 * 8,
            read64(d, d->grpcfg + wq / 64 * 8) | UIM_BIT(wq % 64));
    write64(d, engines, UIM_BIT(d->engines) - 1);
    return UIOMMU_OK;
}

/* Does the function let anybody ask for pages? */
static bool may_ask(const struct accel_driver *d)
{
    unsigned at = FIRST_EXTENDED;

    for (unsigned i = 0; i < MOST_CAPS && at >= FIRST_EXTENDED; i++) {
        uint32_t header = config(d, at, 4);

        if ((header & 0xffff) == CAP_PRI) {
            return (config(d, at + PRI_CONTROL, 2) & PRI_ENABLE) != 0;
        }
        at = header >> 20 & 0xffc;
    }
    return false;
}

/* The device refuses a queue that blocks if it may not ask; that may change while the
 * queue is off. */
static void put_blocking(struct accel_driver *d, unsigned wq)
{
    struct accel_wqcfg_q1 q1 = { read64(d, wq_at(d, wq, 1)) };

    write64(d, wq_at(d, wq, 1), accel_wqcfg_q1_set_bof(q1, may_ask(d)).raw);
}

enum uiommu_status accel_queue_on(struct accel_driver *d, unsigned wq)
{
    enum uiommu_status status = check_wq(d, wq);

    if (status != UIOMMU_OK) {
        return status;
    }
    if (d->blocks[wq]) {
        put_blocking(d, wq);
    }
    return accel_command(d, ACCEL_CMD_ENABLE_WQ, wq);
}

/* As commands of several queues name one. */
static uint32_t mask_of(unsigned wq)
{
    return 1u << wq % 16 | wq / 16 << 16;
}

enum uiommu_status accel_queue_off(struct accel_driver *d, unsigned wq)
{
    enum uiommu_status status = check_wq(d, wq);

    return status == UIOMMU_OK
               ? accel_command(d, ACCEL_CMD_DISABLE_WQ, mask_of(wq))
               : status;
}

static bool is_on(const struct accel_driver *d, unsigned wq)
{
    struct accel_wqcfg_q3 q3 = { read64(d, wq_at(d, wq, 3)) };

    return accel_wqcfg_q3_state(q3) != 0;
}

/* PASID and mode are read-only while the queue is on. */
static void put_pasid(struct accel_driver *d, unsigned wq, uint32_t pasid)
{
    struct accel_wqcfg_q1 q1 = { read64(d, wq_at(d, wq, 1)) };

    q1 = accel_wqcfg_q1_set_pasid(q1, pasid);
    q1 = accel_wqcfg_q1_set_pasid_en(q1, pasid != UIOMMU_NO_PASID);
    write64(d, wq_at(d, wq, 1), q1.raw);
}

enum uiommu_status accel_queue_pasid(struct accel_driver *d, unsigned wq,
                                     uint32_t pasid)
{
    enum uiommu_status status = check_wq(d, wq);

    if (status == UIOMMU_OK && is_on(d, wq)) {
        status = accel_queue_off(d, wq);
    }
    if (status != UIOMMU_OK) {
        return status;
    }
    put_pasid(d, wq, pasid);
    return accel_queue_on(d, wq);
}

/* Of a queue's configuration RESET_WQ leaves the size. */
static enum uiommu_status reset_wq(struct accel_driver *d, unsigned wq)
{
    uint64_t q0 = read64(d, wq_at(d, wq, 0)), q1 = read64(d, wq_at(d, wq, 1));
    enum uiommu_status status =
        accel_command(d, ACCEL_CMD_RESET_WQ, mask_of(wq));

    if (status == UIOMMU_OK) {
        write64(d, wq_at(d, wq, 0), q0);
        write64(d, wq_at(d, wq, 1), q1);
        put_pasid(d, wq, UIOMMU_NO_PASID);
    }
    return status;
}

/* One command that closes the queue and aborts what it has. ABORT_WQ would leave it open, and
 * DISABLE_WQ waits for what may never end; nor do parts of DSA wait for translations then
 * (its errata, 843306). One that was given up may turn the queue on as long as it is active. */
enum uiommu_status accel_queue_clear(struct accel_driver *d, unsigned wq)
{
    enum uiommu_status status = check_wq(d, wq);
    struct accel_cmdsts sts;

    if (status != UIOMMU_OK) {
        return status;
    }
    if (!wait_command(d, &sts)) {
        return UIOMMU_BUSY;
    }
    return is_on(d, wq) ? reset_wq(d, wq) : UIOMMU_OK;
}

/* ---- interrupts ---------------------------------------------------------- */

void accel_irq_setup(struct accel_driver *d, unsigned n, uint64_t addr,
                     uint32_t data, uint32_t pasid)
{
    uint64_t at = d->msix + n * (uint64_t)ACCEL_VECTOR_SIZE;
    const struct accel_perm_fields perm = { .pasid_en =
                                                pasid != UIOMMU_NO_PASID,
                                            .pasid = pasid };

    if (d->regs == NULL) {
        return;
    }
    write64(d, d->msix_perm + 8 * (uint64_t)n, accel_perm_pack(&perm).raw);
    write64(d, at, addr);
    write64(d, at + 8, data);
}

void accel_irq_enable(struct accel_driver *d, bool on)
{
    unsigned msix = find_msix(d);
    uint32_t control;

    if (msix == 0) {
        return;
    }
    control = config(d, msix + 2, 2);
    control = on ? control | MSIX_ENABLE : control & ~(uint32_t)MSIX_ENABLE;
    d->host->pci_write(d->host->ctx, d->pci, msix + 2, 2, control);
}

/* ---- descriptors --------------------------------------------------------- */

static uint64_t get(const struct accel_desc *d, unsigned i)
{
    return uim_le64(d->q[i]);
}

static void put(struct accel_desc *d, unsigned i, uint64_t value)
{
    d->q[i] = uim_le64(value);
}

static void put_size(struct accel_desc *d, uint32_t size)
{
    struct accel_desc_q4 q4 = { get(d, 4) };

    put(d, 4, accel_desc_q4_set_size(q4, size).raw);
}

struct accel_desc accel_desc(enum accel_opcode opcode, uint32_t flags,
                             uint64_t record)
{
    struct accel_desc d = { { 0 } };
    const struct accel_desc_q0_fields q0 = {
        .opcode = opcode,
        .flags = flags | (record != 0 ? ACCEL_FLAG_CRAV | ACCEL_FLAG_RCR : 0u),
    };

    put(&d, 0, accel_desc_q0_pack(&q0).raw);
    put(&d, 1, record);
    return d;
}

void accel_desc_copy(struct accel_desc *d, uint64_t dst, uint64_t src,
                     uint32_t size)
{
    put(d, 2, src);
    put(d, 3, dst);
    put_size(d, size);
}

void accel_desc_fill(struct accel_desc *d, uint64_t dst, uint64_t pattern,
                     uint32_t size)
{
    put(d, 2, pattern);
    put(d, 3, dst);
    put_size(d, size);
}

void accel_desc_compare(struct accel_desc *d, uint64_t one, uint64_t other,
                        uint32_t size)
{
    put(d, 2, one);
    put(d, 3, other);
    put_size(d, size);
}

void accel_desc_compare_value(struct accel_desc *d, uint64_t src,
                              uint64_t pattern, uint32_t size)
{
    put(d, 2, src);
    put(d, 3, pattern);
    put_size(d, size);
}

void accel_desc_crc(struct accel_desc *d, uint64_t src, uint32_t seed,
                    uint32_t size)
{
    put(d, 2, src);
    put(d, 5, seed);
    put_size(d, size);
}

void accel_desc_batch(struct accel_desc *d, uint64_t list, uint32_t count)
{
    put(d, 2, list);
    put_size(d, count);
}

void accel_desc_handle(struct accel_desc *d, unsigned vector)
{
    struct accel_desc_q4 q4 = { get(d, 4) };
    struct accel_desc_q0 q0 = { get(d, 0) };

    put(d, 4, accel_desc_q4_set_int_handle(q4, vector).raw);
    q0 = accel_desc_q0_set_flags(q0, accel_desc_q0_flags(q0) | ACCEL_FLAG_RCI);
    put(d, 0, q0.raw);
}

void accel_desc_pasid(struct accel_desc *d, uint32_t pasid)
{
    struct accel_desc_q0 q0 = { get(d, 0) };

    put(d, 0, accel_desc_q0_set_pasid(q0, pasid).raw);
}

/* ---- submission ---------------------------------------------------------- */

uint64_t accel_portal(const struct accel_driver *d, unsigned wq)
{
    return d->portals + (uint64_t)wq * ACCEL_PORTALS * ACCEL_PORTAL_SIZE +
           (uint64_t)ACCEL_PORTAL_LIMITED * ACCEL_PORTAL_SIZE;
}

enum uiommu_status accel_submit(struct accel_driver *d, unsigned wq,
                                bool shared, uint32_t pasid,
                                const struct accel_desc *desc)
{
    const uint64_t portal = accel_portal(d, wq);
    struct accel_desc copy = *desc;

    if (d->regs == NULL) {
        return UIOMMU_NODEV;
    }
    d->host->fence(d->host->ctx); /* buffers before the descriptor */
    if (!shared) {
        d->cpu.movdir64b(d->cpu.ctx, portal, &copy);
        return UIOMMU_OK;
    }
    accel_desc_pasid(&copy, pasid);
    return d->cpu.enqcmds(d->cpu.ctx, portal, &copy) ? UIOMMU_OK : UIOMMU_AGAIN;
}

/* ---- results ------------------------------------------------------------- */

struct accel_record accel_look(const void *record)
{
    const uint64_t *word = record;
    struct accel_record_q0 q0 = { uim_le64(
        __atomic_load_n(word, __ATOMIC_ACQUIRE)) };
    struct accel_record out = {
        .status = (enum accel_status)accel_record_q0_status(q0)
    };

    if (out.status != ACCEL_NONE) {
        out.fault_write = accel_record_q0_fault_write(q0);
        out.result = (uint8_t)accel_record_q0_result(q0);
        out.bytes = (uint32_t)accel_record_q0_bytes(q0);
        out.fault = uim_le64(word[1]);
        out.special = (uint32_t)uim_le64(word[2]);
    }
    return out;
}

enum uiommu_status accel_wait(struct accel_driver *d, const void *record,
                              uint64_t ns, struct accel_record *out)
{
    uint64_t until = now_ns(d) + ns;
    struct accel_record seen = accel_look(record);

    for (bool late = false; seen.status == ACCEL_NONE && !late;) {
        relax(d);
        if (d->host->relax == NULL && d->regs != NULL) {
            (void)read64(d, ACCEL_REG_GENSTS);
        }
        late = is_late(d, until);
        seen = accel_look(record);
    }
    if (seen.status == ACCEL_NONE) {
        return UIOMMU_TIMEDOUT;
    }
    *out = seen;
    return UIOMMU_OK;
}

bool accel_take_error(struct accel_driver *d, struct accel_swerr *out)
{
    if (d->regs == NULL) {
        return false;
    }
    out->q0.raw = read64(d, ACCEL_REG_SWERR);
    if (!accel_swerr_q0_valid(out->q0)) {
        return false;
    }
    out->q1.raw = read64(d, ACCEL_REG_SWERR + 8);
    out->fault = read64(d, ACCEL_REG_SWERR + 16);
    /* An error that comes now has its own bit, which is not among these. */
    write32(d, ACCEL_REG_SWERR, (uint32_t)(out->q0.raw & 3));
    return true;
}
