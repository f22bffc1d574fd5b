/* SPDX-License-Identifier: MIT */
#include "tests/sim/accel_rig.h"

#include "base/store.h"

enum {
    CONTROL = 6,
    ON = 1,
    ATS_ON = 0x8000,
    PRI_CONTROL = 4,
    PRI_CREDITS = 12
};

unsigned space_of(uint32_t pasid)
{
    return pasid == 0 ? 0 : pasid - 4;
}

uint8_t *memory_of(struct accel_rig *rig, uint32_t pasid)
{
    return rig->space[space_of(pasid)].mem;
}

/* ---- the machine --------------------------------------------------------- */

static void add_space(struct accel_rig *rig, uint32_t pasid)
{
    unsigned n = space_of(pasid);

    rig->space[n].phys = sim_ram_alloc(rig->m, ACCEL_BYTES);
    assert_int_not_equal(rig->space[n].phys, 0);
    rig->space[n].mem = sim_ram(rig->m, rig->space[n].phys, ACCEL_BYTES);
    raw_table(&rig->raw);
    rig->space[n].pml4 = rig->raw.pml4;
    for (uint64_t i = 0; i < ACCEL_BYTES; i += 4096)
        raw_map(&rig->raw, ACCEL_IOVA + i, rig->space[n].phys + i,
                RAW_READ | RAW_WRITE);
    raw_pasid(&rig->raw, pasid);
}

static void movdir64b(void *ctx, uint64_t addr, const void *bytes)
{
    sim_movdir64b(ctx, addr, bytes);
}

static bool enqcmds(void *ctx, uint64_t addr, const void *bytes)
{
    return sim_enqcmds(ctx, addr, bytes);
}

struct accel_cpu accel_rig_cpu(struct machine *m)
{
    return (struct accel_cpu){ movdir64b, enqcmds, m, sim_device_ns };
}

void accel_rig_open(struct accel_rig *rig, unsigned caps)
{
    struct sim_config config = { .mode = SIM_SCALABLE,
                                 .ats = (caps & SIM_ATS) != 0,
                                 .pri = (caps & SIM_PRI) != 0,
                                 .engine_caps = caps,
                                 .accels = 1 };
    struct accel_cpu cpu;

    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    rig->dev = dev_of(rig->m, "accel0");
    rig->raw.scalable = true;
    rig->raw.pages = config.pri;
    raw_start(&rig->raw, rig->m);
    raw_context(&rig->raw, 0, ACCEL_DEVFN, config.ats);
    add_space(rig, 0);
    add_space(rig, 5);
    add_space(rig, 6);
    config_write(rig->m, rig->dev,
                 ext_cap(rig->m, rig->dev, PASID_ID) + CONTROL, 2, ON);
    if (config.ats)
        config_write(rig->m, rig->dev,
                     ext_cap(rig->m, rig->dev, ATS_ID) + CONTROL, 2, ATS_ON);
    if (config.pri)
        accel_rig_credits(rig, 8);
    cpu = accel_rig_cpu(rig->m);
    assert_int_equal(accel_start(&rig->drv, &rig->m->host,
                                 rig->m->devices[rig->dev].pci, &cpu),
                     UIOMMU_OK);
}

void accel_rig_credits(struct accel_rig *rig, unsigned credits)
{
    unsigned pri = ext_cap(rig->m, rig->dev, PRI_ID);

    config_write(rig->m, rig->dev, pri + PRI_CONTROL, 2, 0);
    config_write(rig->m, rig->dev, pri + PRI_CREDITS, 4, credits);
    config_write(rig->m, rig->dev, pri + PRI_CONTROL, 2, credits > 0);
}

void accel_rig_close(struct accel_rig *rig)
{
    assert_int_equal(accel_stop(&rig->drv), UIOMMU_OK);
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

void one_queue(struct accel_rig *rig, struct accel_queue queue)
{
    assert_int_equal(accel_queue_setup(&rig->drv, 0, &queue), UIOMMU_OK);
    assert_int_equal(accel_enable(&rig->drv), UIOMMU_OK);
    assert_int_equal(accel_queue_on(&rig->drv, 0), UIOMMU_OK);
}

void plain_queue(struct accel_rig *rig)
{
    one_queue(rig, (struct accel_queue){ .size = 16 });
}

/* ---- memory -------------------------------------------------------------- */

uint64_t at(uint64_t offset)
{
    return ACCEL_IOVA + offset;
}

uint64_t record_at(unsigned n)
{
    return at(ACCEL_RECORDS_AT + n * (uint64_t)ACCEL_RECORD_SIZE);
}

struct accel_record record_of(struct accel_rig *rig, uint32_t pasid, unsigned n)
{
    return accel_look(memory_of(rig, pasid) + (record_at(n) - ACCEL_IOVA));
}

void clear_records(struct accel_rig *rig)
{
    for (unsigned i = 0; i < 3; i++)
        memset(rig->space[i].mem + ACCEL_RECORDS_AT, 0, 4096);
}

void put_marks(struct accel_rig *rig)
{
    for (unsigned i = 0; i < 3; i++)
        memset(rig->space[i].mem, (int)(0x10 + i), 0x1000);
}

uint8_t mark(struct accel_rig *rig, uint32_t pasid)
{
    return memory_of(rig, pasid)[0x8000];
}

/* ---- work ---------------------------------------------------------------- */

void submit(struct accel_rig *rig, unsigned wq, const struct accel_desc *desc)
{
    assert_int_equal(accel_submit(&rig->drv, wq, false, 0, desc), UIOMMU_OK);
}

struct accel_record execute(struct accel_rig *rig,
                            const struct accel_desc *desc)
{
    uint8_t *record = memory_of(rig, 0) + ACCEL_RECORDS_AT;
    struct accel_record out;

    memset(record, 0, ACCEL_RECORD_SIZE);
    submit(rig, 0, desc);
    assert_int_equal(accel_wait(&rig->drv, record, ACCEL_WAIT, &out),
                     UIOMMU_OK);
    return out;
}

struct accel_desc copy_desc(uint64_t dst, uint64_t src, uint32_t size,
                            unsigned record)
{
    struct accel_desc d = accel_desc(ACCEL_OP_MEMMOVE, 0, record_at(record));

    accel_desc_copy(&d, dst, src, size);
    return d;
}

uint64_t desc_word(const struct accel_desc *d, unsigned i)
{
    return uim_le64(d->q[i]);
}

void desc_put(struct accel_desc *d, unsigned i, uint64_t value)
{
    d->q[i] = uim_le64(value);
}

void desc_flag(struct accel_desc *d, uint32_t set, uint32_t clear)
{
    struct accel_desc_q0 q0 = { desc_word(d, 0) };
    uint64_t flags = (accel_desc_q0_flags(q0) | set) & ~(uint64_t)clear;

    desc_put(d, 0, accel_desc_q0_set_flags(q0, flags).raw);
}

void steps(struct accel_rig *rig, unsigned n)
{
    while (n-- > 0)
        assert_true(machine_run(rig->m));
}

void settle(struct accel_rig *rig)
{
    for (unsigned i = 0; i < ACCEL_STEPS; i++) {
        if (sim_accel_busy(rig->m, rig->dev) == 0)
            return;
        steps(rig, 1);
    }
    fail_msg("the accelerator does not come to an end");
}

unsigned swerr(struct accel_rig *rig)
{
    struct accel_swerr e;

    return accel_take_error(&rig->drv, &e)
               ? (unsigned)accel_swerr_q0_error(e.q0)
               : 0;
}

/* ---- registers ----------------------------------------------------------- */

uint64_t reg_read(struct accel_rig *rig, uint64_t offset)
{
    return rig->m->host.mmio_read64(rig->m->host.ctx, rig->drv.regs, offset);
}

void reg_write(struct accel_rig *rig, uint64_t offset, uint64_t value)
{
    rig->m->host.mmio_write64(rig->m->host.ctx, rig->drv.regs, offset, value);
}

bool command_active(struct accel_rig *rig)
{
    struct accel_cmdsts sts = { reg_read(rig, ACCEL_REG_CMDSTS) };

    return accel_cmdsts_active(sts);
}

void command_start(struct accel_rig *rig, unsigned code, uint32_t operand)
{
    rig->m->host.mmio_write32(rig->m->host.ctx, rig->drv.regs, ACCEL_REG_CMD,
                              code << 20 | operand);
}

unsigned command(struct accel_rig *rig, unsigned code, uint32_t operand)
{
    struct accel_cmdsts sts;

    command_start(rig, code, operand);
    for (unsigned i = 0; i < ACCEL_STEPS && command_active(rig); i++)
        steps(rig, 1);
    sts.raw = reg_read(rig, ACCEL_REG_CMDSTS);
    assert_false(accel_cmdsts_active(sts));
    return (unsigned)accel_cmdsts_err(sts);
}
