/* SPDX-License-Identifier: MIT */
/*
 * Registers (6.3), as a table: where, how wide, what a write changes, when it may.
 * CR0, IRQ_CTRL and GBPA take effect in a later step, which their acknowledgements
 * show. What the identification registers say is not there has no row: it reads 0.
 */
#include "model/smmuv3/smmuv3.h"

#include "model/state.h"

/* What has to be off while a register is written; a write then does nothing. */
enum guard { ALWAYS, SMMU_OFF, CMDQ_OFF, EVENTQ_OFF, PRIQ_OFF, PRIQ_IRQ_OFF };

struct row {
    uint32_t offset;
    uint8_t bytes;
    uint8_t guard;  /* enum guard */
    bool msi;       /* there only with IDR0.MSI */
    bool pri;       /* there only with IDR0.PRI */
    bool address;   /* no wider than OAS */
    size_t field;   /* in struct msmmu_regs */
    uint64_t rw;    /* mask of bits; all others are read-only                */
    uint64_t (*unit_of)(const struct msmmu *m); /* if that depends on it      */
    /* After the change. `value`: what was written. */
    void (*written)(struct msmmu *m, uint64_t value);
};

/* ---- CR0, IRQ_CTRL, GBPA ------------------------------------------------------- */

static uint64_t cr0_bits(const struct msmmu *m)
{
    return smmuv3_cr0_pack(&(struct smmuv3_cr0_fields){ .atschk = m->args.ats,
                                                        .cmdqen = 1,
                                                        .eventqen = 1,
                                                        .priqen = m->args.pri,
                                                        .smmuen = 1 })
        .raw;
}

static uint64_t irq_ctrl_bits(const struct msmmu *m)
{
    return smmuv3_irq_ctrl_pack(
               &(struct smmuv3_irq_ctrl_fields){ .eventq_irqen = 1,
                                                 .priq_irqen = m->args.pri,
                                                 .gerror_irqen = 1 })
        .raw;
}

/* Whether traffic is translated, and what becomes of it else, is nothing that the
 * VMM may remember (rule 9 of the ABI). */
static void switch_cr0(struct msmmu *m)
{
    struct smmuv3_cr0 was = msmmu_cr0(m);

    m->reg.cr0ack = m->reg.cr0 & cr0_bits(m);
    if (smmuv3_cr0_smmuen(was) != smmuv3_cr0_smmuen(msmmu_cr0(m)) ||
        smmuv3_cr0_atschk(was) != smmuv3_cr0_atschk(msmmu_cr0(m)))
        uim_unit_note_all(&m->base);
    if (!smmuv3_cr0_smmuen(msmmu_cr0(m)))
        msmmu_stalls_abort(m);
}

static uint64_t update_bit(void)
{
    return smmuv3_gbpa_pack(&(struct smmuv3_gbpa_fields){ .update = 1 }).raw;
}

static uint64_t gbpa_bits(const struct msmmu *m)
{
    (void)m;
    return smmuv3_gbpa_DEFINED;
}

/* The errors that there can be. Messages are posted, and only the door fails them. */
static uint64_t errors(const struct msmmu *m)
{
    uint64_t msi = m->args.msi, pri = m->args.pri;

    return smmuv3_gerror_pack(
               &(struct smmuv3_gerror_fields){ .cmdq_err = 1,
                                               .eventq_abt_err = 1,
                                               .priq_abt_err = pri,
                                               .msi_cmdq_abt_err = msi,
                                               .msi_eventq_abt_err = msi,
                                               .msi_priq_abt_err = msi & pri,
                                               .msi_gerror_abt_err = msi })
        .raw;
}

bool msmmu_update_step(struct msmmu *m)
{
    if (((m->reg.cr0 ^ m->reg.cr0ack) & cr0_bits(m)) != 0) {
        switch_cr0(m);
        return true;
    }
    if (((m->reg.irq_ctrl ^ m->reg.irq_ctrlack) & irq_ctrl_bits(m)) != 0) {
        m->reg.irq_ctrlack = m->reg.irq_ctrl & irq_ctrl_bits(m);
        return true;
    }
    if (m->reg.gbpa & update_bit()) {
        m->reg.gbpa &= ~update_bit();
        uim_unit_note_all(&m->base);
        return true;
    }
    return msmmu_stall_step(m);
}

/* 6.3.14: a write without Update is ignored. */
static void gbpa_written(struct msmmu *m, uint64_t value)
{
    const uint64_t kept = smmuv3_gbpa_DEFINED;

    if (m->reg.gbpa & update_bit())
        uim_unit_warn(&m->base, "writes GBPA while it is updated", value);
    else if (value & update_bit())
        m->reg.gbpa = value & kept;
}

/* 6.3.20: only what is active can be acknowledged. */
static void gerrorn_written(struct msmmu *m, uint64_t value)
{
    uint64_t active = m->reg.gerror ^ m->reg.gerrorn;
    uint64_t changed = (value ^ m->reg.gerrorn) & smmuv3_gerror_DEFINED;

    if (changed & ~active)
        uim_unit_warn(&m->base, "acknowledges an error that is not active",
                      value);
    m->reg.gerrorn ^= changed & active;
}

/* ---- the table ------------------------------------------------------------------ */

#define AT(member) .field = offsetof(struct msmmu_regs, member)
#define ALL        UIM_MASK(31, 0)
#define INDEX      UIM_MASK(19, 0)
#define FLAG       UIM_BIT(31)
#define IRQ(name, member)                                                      \
    { SMMUV3_REG_##name##_IRQ_CFG0,                                            \
      8,                                                                       \
      AT(member.cfg0),                                                         \
      .msi = true,                                                             \
      .address = true,                                                         \
      .rw = UIM_MASK(55, 2) },                                                 \
        { SMMUV3_REG_##name##_IRQ_CFG1, 4, AT(member.cfg1), .msi = true,       \
          .rw = ALL },                                                         \
    {                                                                          \
        SMMUV3_REG_##name##_IRQ_CFG2, 4, AT(member.cfg2), .msi = true,         \
                                                          .rw = UIM_MASK(5, 0) \
    }

/* clang-format off */
static const struct row rows[] = {
    { SMMUV3_REG_IDR0, 4, AT(idr0) },
    { SMMUV3_REG_IDR1, 4, AT(idr1) },
    { SMMUV3_REG_IDR3, 4, AT(idr3) },
    { SMMUV3_REG_IDR5, 4, AT(idr5) },
    { SMMUV3_REG_AIDR, 4, AT(aidr) },
    { SMMUV3_REG_CR0, 4, AT(cr0), .rw = ALL },
    { SMMUV3_REG_CR0ACK, 4, AT(cr0ack), .unit_of = cr0_bits },
    { SMMUV3_REG_CR1, 4, AT(cr1), .rw = UIM_MASK(11, 0) },
    { SMMUV3_REG_CR2, 4, SMMU_OFF, AT(cr2), .rw = UIM_MASK(3, 0) },
    { SMMUV3_REG_GBPA, 4, AT(gbpa), .unit_of = gbpa_bits, .written = gbpa_written },
    { SMMUV3_REG_IRQ_CTRL, 4, AT(irq_ctrl), .rw = ALL },
    { SMMUV3_REG_IRQ_CTRLACK, 4, AT(irq_ctrlack), .unit_of = irq_ctrl_bits },
    { SMMUV3_REG_GERROR, 4, AT(gerror), .unit_of = errors },
    { SMMUV3_REG_GERRORN, 4, AT(gerrorn), .unit_of = errors,
      .written = gerrorn_written },
    IRQ(GERROR, gerror_irq),
    { SMMUV3_REG_STRTAB_BASE, 8, SMMU_OFF, AT(strtab_base), .address = true,
      .rw = UIM_BIT(62) | UIM_MASK(55, 6) },
    { SMMUV3_REG_STRTAB_BASE_CFG, 4, SMMU_OFF, AT(strtab_base_cfg),
      .rw = UIM_MASK(17, 16) | UIM_MASK(10, 0) },
    { SMMUV3_REG_CMDQ_BASE, 8, CMDQ_OFF, AT(cmdq_base), .address = true,
      .rw = UIM_BIT(62) | UIM_MASK(55, 5) | UIM_MASK(4, 0) },
    { SMMUV3_REG_CMDQ_PROD, 4, AT(cmdq_prod), .rw = INDEX },
    { SMMUV3_REG_CMDQ_CONS, 4, CMDQ_OFF, AT(cmdq_cons),
      .rw = UIM_MASK(30, 24) | INDEX },
    { SMMUV3_REG_EVENTQ_BASE, 8, EVENTQ_OFF, AT(eventq_base), .address = true,
      .rw = UIM_BIT(62) | UIM_MASK(55, 5) | UIM_MASK(4, 0) },
    IRQ(EVENTQ, eventq_irq),
    { SMMUV3_REG_EVENTQ_PROD, 4, EVENTQ_OFF, AT(eventq_prod),
      .rw = FLAG | INDEX },
    { SMMUV3_REG_EVENTQ_CONS, 4, AT(eventq_cons), .rw = FLAG | INDEX },
    { SMMUV3_REG_PRIQ_BASE, 8, PRIQ_OFF, AT(priq_base), .pri = true,
      .address = true, .rw = UIM_BIT(62) | UIM_MASK(55, 5) | UIM_MASK(4, 0) },
    { SMMUV3_REG_PRIQ_IRQ_CFG0, 8, PRIQ_IRQ_OFF, AT(priq_irq.cfg0), .msi = true,
      .pri = true, .address = true, .rw = UIM_MASK(55, 2) },
    { SMMUV3_REG_PRIQ_IRQ_CFG1, 4, PRIQ_IRQ_OFF, AT(priq_irq.cfg1), .msi = true,
      .pri = true, .rw = ALL },
    { SMMUV3_REG_PRIQ_IRQ_CFG2, 4, PRIQ_IRQ_OFF, AT(priq_irq.cfg2), .pri = true,
      .rw = FLAG | UIM_MASK(5, 0) },
    { SMMUV3_REG_PRIQ_PROD, 4, PRIQ_OFF, AT(priq_prod), .pri = true,
      .rw = FLAG | INDEX },
    { SMMUV3_REG_PRIQ_CONS, 4, AT(priq_cons), .pri = true, .rw = FLAG | INDEX },
};
/* clang-format on */

/* A register takes its width, and one of 64 bits also its aligned halves. */
static bool takes(const struct row *r, uint64_t off, uint32_t len)
{
    return off >= r->offset && off < r->offset + r->bytes && len >= 4 &&
           len <= r->bytes && (off & (len - 1)) == 0;
}

static bool there(const struct msmmu *m, const struct row *r)
{
    return (!r->msi || m->args.msi) && (!r->pri || m->args.pri);
}

static const struct row *find(const struct msmmu *m, uint64_t off, uint32_t len)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (takes(&rows[i], off, len))
            return there(m, &rows[i]) ? &rows[i] : NULL;
    }
    return NULL;
}

static uint64_t *field_of(struct msmmu *m, const struct row *r)
{
    return (uint64_t *)(void *)((char *)&m->reg + r->field);
}

/* Bits above OAS are reserved; LO is there without messages (6.3.1, MSI). */
static uint64_t bits_of(const struct msmmu *m, const struct row *r)
{
    if (r->offset == SMMUV3_REG_PRIQ_IRQ_CFG2 && !m->args.msi)
        return FLAG;
    return r->address ? r->rw & (UIM_BIT(62) | UIM_MASK(m->args.oas - 1, 0))
                      : r->rw;
}

static uint64_t covered(uint64_t shift, uint32_t len)
{
    return (len == 8 ? UINT64_MAX : UIM_MASK(31, 0)) << shift;
}

/* On, or about to be. */
static bool guarded(const struct msmmu *m, enum guard guard)
{
    struct smmuv3_cr0 cr0 = { m->reg.cr0 | m->reg.cr0ack };
    struct smmuv3_irq_ctrl irq = { m->reg.irq_ctrl | m->reg.irq_ctrlack };

    switch (guard) {
    case SMMU_OFF:
        return smmuv3_cr0_smmuen(cr0);
    case CMDQ_OFF:
        return smmuv3_cr0_cmdqen(cr0);
    case EVENTQ_OFF:
        return smmuv3_cr0_eventqen(cr0);
    case PRIQ_OFF:
        return smmuv3_cr0_priqen(cr0);
    case PRIQ_IRQ_OFF:
        return smmuv3_irq_ctrl_priq_irqen(irq);
    default:
        return false;
    }
}

/* 6.3.11: two halves of CR1 depend on different things. */
static uint64_t cr1_in_use(const struct msmmu *m)
{
    uint64_t queues = UIM_MASK(5, 0), tables = UIM_MASK(11, 6);
    bool queue_on = guarded(m, CMDQ_OFF) || guarded(m, EVENTQ_OFF) ||
                    (m->args.pri && guarded(m, PRIQ_OFF));

    return (queue_on ? queues : 0) | (guarded(m, SMMU_OFF) ? tables : 0);
}

/* The two windows are one space of offsets. */
static bool offset_of(uint32_t window, uint64_t *off)
{
    if (window > 1)
        return false;
    *off += (uint64_t)window * MSMMU_PAGE_1;
    return true;
}

uint64_t msmmu_mmio_read(struct uim_model *model, uint32_t window, uint64_t off,
                         uint32_t len)
{
    struct msmmu *m = msmmu_of(model);
    const struct row *r;
    uint64_t value = 0;

    if (!offset_of(window, &off))
        return 0;
    uim_unit_lock(model);
    r = find(m, off, len);
    if (r)
        value = *field_of(m, r) >> ((off - r->offset) * 8) & covered(0, len);
    uim_unit_unlock(model);
    return value;
}

static void write_row(struct msmmu *m, const struct row *r, uint64_t off,
                      uint64_t val, uint32_t len)
{
    uint64_t shift = (off - r->offset) * 8;
    uint64_t touched = covered(shift, len);
    uint64_t *field = field_of(m, r);
    uint64_t rw = bits_of(m, r);

    if (r->offset == SMMUV3_REG_CR1)
        rw &= ~cr1_in_use(m);
    if (guarded(m, (enum guard)r->guard)) {
        uim_unit_warn(&m->base, "writes a register while it is in use",
                      r->offset);
        return;
    }
    val = (val << shift) & touched;
    *field = (*field & ~(touched & rw)) | (val & rw);
    if (r->written)
        r->written(m, val);
}

void msmmu_mmio_write(struct uim_model *model, uint32_t window, uint64_t off,
                      uint64_t val, uint32_t len)
{
    struct msmmu *m = msmmu_of(model);
    const struct row *r;

    if (!offset_of(window, &off))
        return;
    uim_unit_lock(model);
    r = find(m, off, len);
    if (r)
        write_row(m, r, off, val, len);
    uim_unit_unlock(model);
    uim_unit_settle(model);
}

void msmmu_regs_state(struct msmmu *m, struct uim_state *s)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];
        uint64_t unit = r->unit_of ? r->unit_of(m) : 0;

        uim_state_bits(s, field_of(m, r),
                       there(m, r) ? bits_of(m, r) | unit : 0);
    }
}
