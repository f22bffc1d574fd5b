/* SPDX-License-Identifier: MIT */
#include "fake_smmu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec/iort.h"

#define PAGE ((size_t)4096)

enum {
    ARENA_ALIGN = 4 << 20,
    BASE = 0x2b400000,
    /* of an SMMUv3 node */
    RECORD_MODEL = 40,
};

/* ---- host: memory, locks, time ------------------------------------------- */

static void *host_alloc(void *ctx, size_t size)
{
    struct smmu *s = ctx;

    s->bytes++;
    return malloc(size);
}

static void host_free(void *ctx, void *p, size_t size)
{
    struct smmu *s = ctx;

    (void)size;
    s->bytes--;
    free(p);
}

static bool is_free(const struct smmu *s, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s->used[first + i])
            return false;
    return true;
}

static void *host_pages_alloc(void *ctx, unsigned order, unsigned flags,
                              uint64_t *phys)
{
    struct smmu *s = ctx;
    const size_t n = (size_t)1 << order;

    if (s->fail_pages > 0 && --s->fail_pages == 0)
        return NULL;
    for (size_t i = 0; i + n <= SMMU_PAGES; i += n) {
        if (!is_free(s, i, n))
            continue;
        memset(&s->used[i], true, n);
        memset(&s->unflushed[i], !(flags & UIOMMU_PAGES_COHERENT), n);
        s->order_of[i] = order;
        s->pages += (int)n;
        *phys = s->ram_phys + i * PAGE;
        memset(s->ram + i * PAGE, 0, n * PAGE);
        if (s->on_pages)
            s->on_pages(s, s->ram + i * PAGE, n * PAGE);
        return s->ram + i * PAGE;
    }
    return NULL;
}

static void host_pages_free(void *ctx, void *virt, uint64_t phys,
                            unsigned order)
{
    struct smmu *s = ctx;
    const size_t n = (size_t)1 << order;
    const size_t i = (size_t)(phys - s->ram_phys) / PAGE;

    assert_ptr_equal(virt, s->ram + i * PAGE);
    assert_int_equal(s->order_of[i], order);
    assert_true(s->used[i]);
    memset(&s->used[i], false, n);
    memset(&s->unflushed[i], false, n);
    s->pages -= (int)n;
}

static void *host_phys_to_virt(void *ctx, uint64_t phys)
{
    const struct smmu *s = ctx;

    assert_true(phys >= s->ram_phys && phys < s->ram_phys + SMMU_PAGES * PAGE);
    return s->ram + (phys - s->ram_phys);
}

void *smmu_virt(const struct smmu *s, uint64_t phys)
{
    return host_phys_to_virt((void *)(uintptr_t)s, phys);
}

static void *host_lock_create(void *ctx)
{
    struct smmu *s = ctx;

    s->mutexes++;
    return calloc(1, sizeof(bool));
}

static void host_lock_destroy(void *ctx, void *lock)
{
    struct smmu *s = ctx;

    s->mutexes--;
    free(lock);
}

static void host_lock(void *ctx, void *lock)
{
    bool *held = lock;

    (void)ctx;
    assert_false(*held);
    *held = true;
}

static void host_unlock(void *ctx, void *lock)
{
    bool *held = lock;

    (void)ctx;
    assert_true(*held);
    *held = false;
}

static void unlocked(struct smmu *s)
{
    if (s->on_unlocked && s->spins_held == 0)
        s->on_unlocked(s);
}

static void host_spin_lock(void *ctx, void *lock)
{
    struct smmu *s = ctx;

    unlocked(s);
    assert_int_equal(s->spins_held, 0); /* all are leaves */
    host_lock(ctx, lock);
    s->spins_held++;
}

static void host_spin_unlock(void *ctx, void *lock)
{
    struct smmu *s = ctx;

    host_unlock(ctx, lock);
    s->spins_held--;
    unlocked(s);
}

static uint64_t host_now(void *ctx)
{
    return ((struct smmu *)ctx)->now;
}

static void host_relax(void *ctx)
{
    struct smmu *s = ctx;

    s->now += s->step_ns;
}

static void host_flush(void *ctx, const void *p, size_t size)
{
    struct smmu *s = ctx;

    s->n_flushes++;
    if (s->on_flush)
        s->on_flush(s, p, size);
    if (size >= PAGE)
        memset(&s->unflushed[((const uint8_t *)p - s->ram) / PAGE], false,
               size / PAGE);
}

bool smmu_any_unflushed(const struct smmu *s)
{
    return memchr(s->unflushed, true, sizeof(s->unflushed)) != NULL;
}

static void host_log(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct smmu *s = ctx;
    const size_t at = strlen(s->logs);

    s->n_logs++;
    s->n_errors += level == UIOMMU_LOG_ERROR;
    s->n_warnings += level == UIOMMU_LOG_WARN;
    snprintf(s->log, sizeof(s->log), "%s", text);
    snprintf(s->logs + at, sizeof(s->logs) - at, "%s\n", text);
}

static enum uiommu_status host_msi_alloc(void *ctx, unsigned unit, unsigned n,
                                         uint64_t *addr, uint32_t *data)
{
    (void)ctx;
    *addr = UINT64_C(0x8090040) + unit;
    *data = 0x4041 + n;
    return UIOMMU_OK;
}

static void host_msi_free(void *ctx, unsigned unit, unsigned n)
{
    (void)ctx;
    (void)unit;
    (void)n;
}

/* ---- registers ----------------------------------------------------------- */

static uint32_t *at(struct smmu *s, size_t reg)
{
    return &s->reg[reg / 4];
}

uint64_t smmu_reg(const struct smmu *s, size_t reg)
{
    return s->reg[reg / 4] | (uint64_t)s->reg[reg / 4 + 1] << 32;
}

void smmu_reg_set(struct smmu *s, size_t reg, uint64_t value, unsigned bytes)
{
    s->reg[reg / 4] = (uint32_t)value;
    if (bytes == 8)
        s->reg[reg / 4 + 1] = (uint32_t)(value >> 32);
}

static struct smmuv3_cr0 cr0ack(const struct smmu *s)
{
    return (struct smmuv3_cr0){ s->reg[SMMUV3_REG_CR0ACK / 4] };
}

bool smmu_cr0ack(const struct smmu *s, uint32_t bit)
{
    return (s->reg[SMMUV3_REG_CR0ACK / 4] & bit) != 0;
}

bool smmu_aborts(const struct smmu *s)
{
    return smmuv3_gbpa_abort(
        (struct smmuv3_gbpa){ s->reg[SMMUV3_REG_GBPA / 4] });
}

/* A unit without page 1 has these elsewhere. */
static size_t event_reg(const struct smmu *s, size_t reg)
{
    return s->small ? reg & 0xffff : reg;
}

#define GBPA_UPDATE (UINT32_C(1) << 31)

static bool due(struct smmu *s, unsigned n)
{
    if (s->pending[n] > 0)
        s->pending[n]--;
    return s->pending[n] == 0;
}

/* True: something took effect. */
static bool follow(struct smmu *s, unsigned n, size_t reg, size_t ack)
{
    if (*at(s, ack) == *at(s, reg) || !due(s, n))
        return false;
    *at(s, ack) = *at(s, reg);
    return true;
}

static void update(struct smmu *s)
{
    bool any;

    if (s->deaf)
        return;
    any = follow(s, SMMU_CR0, SMMUV3_REG_CR0, SMMUV3_REG_CR0ACK);
    any |=
        follow(s, SMMU_IRQ_CTRL, SMMUV3_REG_IRQ_CTRL, SMMUV3_REG_IRQ_CTRLACK);
    if ((*at(s, SMMUV3_REG_GBPA) & GBPA_UPDATE) && due(s, SMMU_GBPA)) {
        *at(s, SMMUV3_REG_GBPA) &= ~GBPA_UPDATE;
        any = true;
    }
    if (any && s->on_change)
        s->on_change(s);
}

/* ---- the command queue --------------------------------------------------- */

unsigned smmu_opcode(struct smmuv3_cmd c)
{
    return (unsigned)smmuv3_cmd_any_q0_opcode(
        (struct smmuv3_cmd_any_q0){ c.q0 });
}

unsigned smmu_count(const struct smmu *s, unsigned opcode)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_commands; i++)
        n += smmu_opcode(s->command[i]) == opcode;
    return n;
}

void smmu_forget(struct smmu *s)
{
    s->n_commands = 0;
}

static bool error_active(const struct smmu *s)
{
    return ((s->reg[SMMUV3_REG_GERROR / 4] ^ s->reg[SMMUV3_REG_GERRORN / 4]) &
            1) != 0;
}

void smmu_gerror(struct smmu *s, uint32_t bits)
{
    uint32_t active = *at(s, SMMUV3_REG_GERROR) ^ *at(s, SMMUV3_REG_GERRORN);

    *at(s, SMMUV3_REG_GERROR) ^= bits & ~active;
}

static void raise_error(struct smmu *s, unsigned error)
{
    struct smmuv3_cmdq_cons cons = { *at(s, SMMUV3_REG_CMDQ_CONS) };

    s->n_errors_raised++;
    *at(s, SMMUV3_REG_CMDQ_CONS) =
        (uint32_t)smmuv3_cmdq_cons_set_err(cons, error).raw;
    smmu_gerror(s, 1);
}

/* CERROR_*; -1: not yet. */
static int run_one(struct smmu *s, struct smmuv3_cmd c)
{
    const unsigned opcode = smmu_opcode(c);

    if (s->unreadable)
        return SMMUV3_CERROR_ABT;
    if ((int)opcode == s->bad_opcode)
        return SMMUV3_CERROR_ILL;
    if (opcode == SMMUV3_CMD_SYNC && s->atc_open)
        return -1;
    if (opcode == SMMUV3_CMD_SYNC && s->atc_failed) {
        s->atc_failed = false;
        return SMMUV3_CERROR_ATC_INV_SYNC;
    }
    if (opcode == SMMUV3_CMD_ATC_INV && s->dead_sid >= 0 &&
        (int)(c.q0 >> 32) == s->dead_sid && !s->atc_open) {
        s->atc_open = true;
        s->atc_since = s->now;
    }
    return SMMUV3_CERROR_NONE;
}

static void look_at_clock(struct smmu *s)
{
    if (!s->atc_open || s->atc_ns == 0 || s->now - s->atc_since < s->atc_ns)
        return;
    s->atc_open = false;
    s->atc_failed = true;
}

static void run_queue(struct smmu *s)
{
    const struct smmuv3_cmdq_base base = { smmu_reg(s, SMMUV3_REG_CMDQ_BASE) };
    const uint32_t size = UINT32_C(1) << smmuv3_cmdq_base_log2size(base);
    uint32_t *cons = at(s, SMMUV3_REG_CMDQ_CONS);

    look_at_clock(s);
    while (smmuv3_cr0_cmdqen(cr0ack(s)) && !s->silent && !error_active(s) &&
           ((*cons ^ *at(s, SMMUV3_REG_CMDQ_PROD)) & (2 * size - 1)) != 0) {
        const uim_word *slot =
            smmu_virt(s, (smmuv3_cmdq_base_addr(base) << 5) +
                             (*cons & (size - 1)) * SMMUV3_CMD_BYTES);
        const struct smmuv3_cmd c = { uim_ld64(&slot[0]), uim_ld64(&slot[1]) };
        const int outcome = run_one(s, c);

        if (outcome < 0)
            return;
        if (outcome > 0) {
            raise_error(s, (unsigned)outcome);
            return;
        }
        if (s->n_commands < SMMU_COMMANDS)
            s->command[s->n_commands++] = c;
        *cons = (*cons & ~(2 * size - 1) & 0xfffff) |
                ((*cons + 1) & (2 * size - 1));
        if (s->on_command)
            s->on_command(s, c);
    }
}

void smmu_answer(struct smmu *s)
{
    s->dead_sid = -1;
    s->atc_open = false;
}

/* ---- events -------------------------------------------------------------- */

bool smmu_event(struct smmu *s, const uint64_t word[4])
{
    const struct smmuv3_eventq_base base = { smmu_reg(s,
                                                      SMMUV3_REG_EVENTQ_BASE) };
    const uint32_t size = UINT32_C(1) << smmuv3_eventq_base_log2size(base);
    uint32_t *prod = at(s, event_reg(s, SMMUV3_REG_EVENTQ_PROD));
    const uint32_t *cons = at(s, event_reg(s, SMMUV3_REG_EVENTQ_CONS));
    uim_word *slot;

    assert_true(smmuv3_cr0_eventqen(cr0ack(s)));
    if (((*prod ^ *cons) & (2 * size - 1)) == size) {
        if (((*prod ^ *cons) >> 31) == 0)
            *prod ^= UINT32_C(1) << 31;
        return false;
    }
    slot = smmu_virt(s, (smmuv3_eventq_base_addr(base) << 5) +
                            (*prod & (size - 1)) * SMMUV3_EVENT_BYTES);
    for (unsigned i = 0; i < 4; i++)
        uim_st64(&slot[i], word[i]);
    *prod = (*prod & ~(2 * size - 1)) | ((*prod + 1) & (2 * size - 1));
    return true;
}

/* ---- accesses ------------------------------------------------------------ */

static size_t registers(const struct smmu *s)
{
    return s->small ? SMMU_REGISTERS_SMALL : SMMU_REGISTERS;
}

static void *host_mmio_map(void *ctx, uint64_t phys, size_t size)
{
    struct smmu *s = ctx;

    assert_true(phys == BASE);
    s->maps++;
    s->mapped = size;
    return s;
}

static void host_mmio_unmap(void *ctx, void *mmio, size_t size)
{
    struct smmu *s = ctx;

    (void)mmio;
    assert_int_equal(size, s->mapped);
    s->maps--;
}

static void enter(struct smmu *s, size_t reg)
{
    assert_true(reg < s->mapped && reg < registers(s));
    update(s);
    run_queue(s);
}

static uint32_t host_read32(void *ctx, void *mmio, size_t reg)
{
    struct smmu *s = ctx;

    (void)mmio;
    enter(s, reg);
    if (s->gone || (s->gone_cons && reg == SMMUV3_REG_CMDQ_CONS))
        return UINT32_MAX;
    return *at(s, reg);
}

static uint64_t host_read64(void *ctx, void *mmio, size_t reg)
{
    struct smmu *s = ctx;

    (void)mmio;
    enter(s, reg);
    return s->gone ? UINT64_MAX : smmu_reg(s, reg);
}

/* 6.3: what may be written only while something is off. */
static bool in_use(const struct smmu *s, size_t reg)
{
    const struct smmuv3_cr0 on = { s->reg[SMMUV3_REG_CR0 / 4] |
                                   s->reg[SMMUV3_REG_CR0ACK / 4] };

    switch (reg) {
    case SMMUV3_REG_STRTAB_BASE:
    case SMMUV3_REG_STRTAB_BASE_CFG:
    case SMMUV3_REG_CR2:
        return smmuv3_cr0_smmuen(on);
    case SMMUV3_REG_CMDQ_BASE:
    case SMMUV3_REG_CMDQ_CONS:
        return smmuv3_cr0_cmdqen(on);
    case SMMUV3_REG_EVENTQ_BASE:
        return smmuv3_cr0_eventqen(on);
    case SMMUV3_REG_CR1:
        return (on.raw & ~SMMUV3_CR0_BIT(atschk)) != 0;
    default:
        return reg == event_reg(s, SMMUV3_REG_EVENTQ_PROD) &&
               smmuv3_cr0_eventqen(on);
    }
}

/* 6.3.9: a field must not be changed again before the change is acknowledged. */
static void note_early(struct smmu *s, size_t reg, uint32_t value)
{
    uint32_t ack;

    if (reg != SMMUV3_REG_CR0 && reg != SMMUV3_REG_IRQ_CTRL)
        return;
    ack = *at(s, reg + 4);
    if ((*at(s, reg) ^ ack) & (*at(s, reg) ^ value))
        s->early++;
    s->pending[reg == SMMUV3_REG_CR0 ? SMMU_CR0 : SMMU_IRQ_CTRL] = s->late;
}

static void write_gerrorn(struct smmu *s, uint32_t value)
{
    uint32_t active = *at(s, SMMUV3_REG_GERROR) ^ *at(s, SMMUV3_REG_GERRORN);

    *at(s, SMMUV3_REG_GERRORN) ^= (value ^ *at(s, SMMUV3_REG_GERRORN)) & active;
}

static void write_reg(struct smmu *s, size_t reg, uint64_t value,
                      unsigned bytes)
{
    if (s->on_write)
        s->on_write(s, reg, value);
    if (in_use(s, reg)) {
        s->in_use++;
        return;
    }
    note_early(s, reg, (uint32_t)value);
    if (reg == SMMUV3_REG_GERRORN) {
        write_gerrorn(s, (uint32_t)value);
    } else if (reg == SMMUV3_REG_GBPA) {
        assert_true(value >> 31 != 0);
        s->early += *at(s, reg) >> 31;
        s->pending[SMMU_GBPA] = s->late;
        *at(s, reg) = (uint32_t)value;
    } else {
        smmu_reg_set(s, reg, value, bytes);
    }
}

static void host_write32(void *ctx, void *mmio, size_t reg, uint32_t value)
{
    struct smmu *s = ctx;

    (void)mmio;
    enter(s, reg);
    write_reg(s, reg, value, 4);
    run_queue(s);
}

static void host_write64(void *ctx, void *mmio, size_t reg, uint64_t value)
{
    struct smmu *s = ctx;

    (void)mmio;
    enter(s, reg);
    write_reg(s, reg, value, 8);
}

/* ---- life ---------------------------------------------------------------- */

static const struct uiommu_host host = {
    .size = sizeof(host),
    .log = host_log,
    .alloc = host_alloc,
    .free = host_free,
    .pages_alloc = host_pages_alloc,
    .pages_free = host_pages_free,
    .phys_to_virt = host_phys_to_virt,
    .flush = host_flush,
    .mmio_map = host_mmio_map,
    .mmio_unmap = host_mmio_unmap,
    .mmio_read32 = host_read32,
    .mmio_read64 = host_read64,
    .mmio_write32 = host_write32,
    .mmio_write64 = host_write64,
    .mutex_create = host_lock_create,
    .mutex_destroy = host_lock_destroy,
    .mutex_lock = host_lock,
    .mutex_unlock = host_unlock,
    .spin_create = host_lock_create,
    .spin_destroy = host_lock_destroy,
    .spin_lock = host_spin_lock,
    .spin_unlock = host_spin_unlock,
    .now_ns = host_now,
    .relax = host_relax,
};

void smmu_init(struct smmu *s)
{
    memset(s, 0, sizeof(*s));
    s->ram = aligned_alloc(ARENA_ALIGN, SMMU_PAGES * PAGE);
    assert_non_null(s->ram);
    s->ram_phys = UINT64_C(0x80000000);
    s->bad_opcode = -1;
    s->dead_sid = -1;
    s->late = 1;
    s->step_ns = SMMU_STEP_NS;
    s->idr0 = (struct smmuv3_idr0_fields){
        .s1p = 1,
        .s2p = 1,
        .ttf = SMMUV3_TTF_AARCH64,
        .cohacc = 1,
        .asid16 = 1,
        .vmid16 = 1,
        .ttendian = SMMUV3_TTENDIAN_LITTLE,
        .stall_model = SMMUV3_STALL_MODEL_TERMINATE_ONLY,
        .st_level = SMMUV3_ST_LEVEL_TWO_LEVEL,
    };
    s->idr1 = (struct smmuv3_idr1_fields){
        .cmdqs = 8,
        .eventqs = 7,
        .sidsize = 16,
    };
    s->idr3 = (struct smmuv3_idr3_fields){ .ril = 1 };
    s->idr5 = (struct smmuv3_idr5_fields){
        .oas = SMMUV3_OAS_BITS_48,
        .gran4k = 1,
        .gran16k = 1,
        .gran64k = 1,
    };
    s->host = host;
    s->host.ctx = s;
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct smmu *s = ctx;

    s->fault = *fault;
    s->overflow |= fault->overflow;
    s->n_faults++;
    return true;
}

static void identify(struct smmu *s)
{
    *at(s, SMMUV3_REG_IDR0) = (uint32_t)smmuv3_idr0_pack(&s->idr0).raw;
    *at(s, SMMUV3_REG_IDR1) = (uint32_t)smmuv3_idr1_pack(&s->idr1).raw;
    *at(s, SMMUV3_REG_IDR3) = (uint32_t)smmuv3_idr3_pack(&s->idr3).raw;
    *at(s, SMMUV3_REG_IDR5) = (uint32_t)smmuv3_idr5_pack(&s->idr5).raw;
    *at(s, SMMUV3_REG_AIDR) = s->aidr;
}

enum uiommu_status smmu_probe(struct smmu *s)
{
    const struct uiommu_config config = {
        .size = sizeof(config),
        .on_fault = on_fault,
        .fault_ctx = s,
    };
    const struct uim_fw_unit info = {
        .base = BASE,
        .size = registers(s),
        .usable = true,
        .record = s->record,
    };
    enum uiommu_status status;

    identify(s);
    s->record[RECORD_MODEL] = (uint8_t)s->model;
    if (s->msi) {
        s->host.msi_alloc = host_msi_alloc;
        s->host.msi_free = host_msi_free;
    }
    assert_int_equal(uiommu_create(&s->host, &config, &s->u), UIOMMU_OK);
    status = uiommu_driver_smmuv3.probe(s->u, &s->options, &info, &s->unit);
    if (status != UIOMMU_OK)
        return status;
    s->v = smmuv3_unit(s->unit);
    return uiommu_driver_smmuv3.settle(&s->options, &s->unit, 1);
}

enum uiommu_status smmu_prepare(struct smmu *s)
{
    enum uiommu_status status = smmu_probe(s);

    return status == UIOMMU_OK ? s->unit->ops->prepare(s->unit) : status;
}

enum uiommu_status smmu_start(struct smmu *s)
{
    enum uiommu_status status = smmu_prepare(s);

    if (status == UIOMMU_OK)
        status = s->unit->ops->enable(s->unit);
    return status;
}

void smmu_end(struct smmu *s)
{
    if (s->unit)
        s->unit->ops->release(s->unit);
    assert_int_equal(uiommu_destroy(s->u), UIOMMU_OK);
    assert_int_equal(s->bytes, 0);
    assert_int_equal(s->mutexes, 0);
    assert_int_equal(s->maps, 0);
    assert_int_equal(s->early, 0);
    assert_int_equal(s->in_use, 0);
    free(s->ram);
}

void smmu_stop(struct smmu *s)
{
    assert_int_equal(s->unit->ops->disable(s->unit), UIOMMU_OK);
    smmu_end(s);
    assert_int_equal(s->pages, 0);
    assert_int_equal(*at(s, SMMUV3_REG_CR0ACK) & ~SMMUV3_CR0_BIT(atschk), 0);
    assert_int_equal(*at(s, SMMUV3_REG_IRQ_CTRLACK), 0);
}

/* ---- without the core ---------------------------------------------------- */

void smmu_domain(struct smmu *s, struct smmu_domain *d, uint64_t root)
{
    memset(d, 0, sizeof(*d));
    d->domain.u = s->u;
    d->domain.kind = UIOMMU_DOMAIN_PAGING;
    d->domain.pt.ops = s->unit->format;
    d->domain.pt.root_phys = root;
    d->domain.pt.top = 3;
    d->domain.pt.input_bits = 48;
    d->domain.pt.phys_bits = s->unit->phys_bits;
    d->link.unit = s->unit;
    d->link.domain = &d->domain;
    atomic_store(&d->domain.links, &d->link);
    assert_int_equal(s->unit->ops->link(&d->link), UIOMMU_OK);
}

void smmu_device(struct smmu *s, struct uiommu_device *dev, uint32_t sid)
{
    memset(dev, 0, sizeof(*dev));
    dev->u = s->u;
    dev->unit = s->unit;
    dev->endpoint = &s->endpoint[s->n_endpoints++ % FAKE_DEVICES];
    memset(dev->endpoint, 0, sizeof(*dev->endpoint));
    dev->endpoint->unit = s->unit;
    dev->endpoint->id = sid;
    dev->endpoint->device = dev;
    dev->endpoint->domain = &s->u->blocked;
}

enum uiommu_status smmu_set(struct smmu *s, struct uiommu_device *dev,
                            struct uiommu_domain *next)
{
    enum uiommu_status status =
        s->unit->ops->set(dev->endpoint, next, dev->endpoint->domain);

    if (status == UIOMMU_OK)
        dev->endpoint->domain = next;
    return status;
}

void smmu_pasid(struct smmu *s, struct uiommu_device *dev,
                struct uiommu_endpoint *ep, uint32_t pasid)
{
    memset(ep, 0, sizeof(*ep));
    ep->unit = s->unit;
    ep->id = dev->endpoint->id;
    ep->pasid = pasid;
    ep->device = dev;
    ep->domain = &s->u->blocked;
}

enum uiommu_status smmu_set_pasid(struct smmu *s, struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next)
{
    enum uiommu_status status = s->unit->ops->set(ep, next, ep->domain);

    if (status == UIOMMU_OK)
        ep->domain = next;
    return status;
}

const uim_word *smmu_ste(const struct smmu *s, uint32_t sid)
{
    return smmuv3_ste(s->v, (struct smmuv3_sid){ sid });
}
