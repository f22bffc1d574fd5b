/* SPDX-License-Identifier: MIT */
/*
 * Registers (11.4), as a table: where, how wide, what a write changes, what it
 * sets off. What ECAP and CAP say is not there has no row: it reads 0.
 */
#include "model/vtd/vtd.h"

#include "model/state.h"

struct row {
    uint16_t offset;
    uint8_t bytes;
    bool write_only;
    bool ir, eim, prs; /* there only with ECAP.IR, ECAP.EIM, ECAP.PRS */
    size_t field;     /* in struct mvtd_regs */
    uint64_t rw, w1c; /* masks of bits; all others are read-only             */
    uint64_t unit;    /* and of those that the unit changes besides          */
    uint64_t (*unit_of)(const struct mvtd *m); /* if that depends on it      */
    /* After the change. `touched`: bits that the access covered. */
    void (*written)(struct mvtd *m, uint64_t value, uint64_t touched);
};

static void set_status(struct mvtd *m, uint64_t bits, bool on)
{
    m->reg.gsts = on ? m->reg.gsts | bits : m->reg.gsts & ~bits;
}

#define STATUS(field)                                                          \
    (vtd_gsts_pack(&(struct vtd_gsts_fields){ .field = 1 }).raw)

/* Without ESRTPS caches stay as they are, that is for software to do. */
static void set_root(struct mvtd *m)
{
    struct vtd_rtaddr root = { m->reg.rtaddr };

    if (m->args.esrtps)
        mvtd_caches_clear_dma(m);
    else if ((m->reg.gsts & STATUS(tes)) &&
             vtd_rtaddr_ttm(root) != vtd_rtaddr_ttm(m->root))
        uim_unit_warn(&m->base, "changes RTADDR.TTM while translation is on",
                      root.raw);
    m->root = root;
    set_status(m, STATUS(rtps), true);
    uim_unit_note_all(&m->base); /* rule 9 of the ABI */
}

/* As with SRTP: ESIRTPS is 0. */
static void set_interrupt_table(struct mvtd *m)
{
    m->irta.raw = m->reg.irta;
    set_status(m, STATUS(irtps), true);
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_MSI });
}

static void set_remapping(struct mvtd *m, uint64_t bit, bool on)
{
    set_status(m, bit, on);
    uim_unit_note(&m->base,
                  &(struct uim_model_inval){ .what = UIM_MODEL_INV_MSI });
}

static void flush_write_buffer(struct mvtd *m)
{
    struct uim_check_inval inval = { .kind = UIM_CHECK_WRITE_BUFFER,
                                     .scope = UIM_CHECK_GLOBAL,
                                     .did = UIM_CHECK_NONE,
                                     .rid = UIM_CHECK_NONE,
                                     .pasid = UIM_CHECK_NONE,
                                     .by_register = true };

    uim_door_invalidate(&m->base, &inval);
    set_status(m, STATUS(wbfs), false);
}

static void set_queue(struct mvtd *m, bool on)
{
    set_status(m, STATUS(qies), on);
    if (!on)
        mvtd_queue_reset(m);
}

/* 11.4.4: with SMTS, switching it off invalidates what DMA uses. */
static void set_translation(struct mvtd *m, bool on)
{
    set_status(m, STATUS(tes), on);
    if (!on && vtd_ecap_smts(mvtd_ecap(m)))
        mvtd_caches_clear_dma(m);
    uim_unit_note_all(&m->base);
}

/* GCMD and GSTS have the same bits in the same places. */
static uint64_t commands_of(const struct mvtd *m)
{
    uint64_t dma = STATUS(tes) | STATUS(rtps) | STATUS(wbfs) | STATUS(qies);

    return m->args.ir ? dma | STATUS(ires) | STATUS(irtps) | STATUS(cfis) : dma;
}

/* What GSTS can show. Without CAP.RWBF no flush is ever under way. */
static uint64_t status_of(const struct mvtd *m)
{
    return vtd_cap_rwbf(mvtd_cap(m)) ? commands_of(m)
                                     : commands_of(m) & ~STATUS(wbfs);
}

/* Those that stay: the others are done once. */
static uint64_t levels(void)
{
    return STATUS(tes) | STATUS(qies) | STATUS(ires) | STATUS(cfis);
}

static void complain(struct mvtd *m, uint64_t cmd, uint64_t changes)
{
    if ((changes & (changes - 1)) != 0)
        uim_unit_warn(&m->base, "gives several global commands at once", cmd);
    if (cmd & ~commands_of(m))
        uim_unit_warn(&m->base, "gives a global command that is not there",
                      cmd);
}

/* 7.2.2: with both off, recording starts again at the first record. */
static void rewind_records(struct mvtd *m)
{
    if (!(m->reg.gsts & (STATUS(tes) | STATUS(ires))))
        m->next_record = 0;
}

bool mvtd_gcmd_step(struct mvtd *m)
{
    uint64_t cmd = m->reg.gcmd & commands_of(m);
    uint64_t changes =
        ((cmd ^ m->reg.gsts) & levels() & commands_of(m)) | (cmd & ~levels());

    if (!m->gcmd_pending)
        return false;
    m->gcmd_pending = false;
    complain(m, m->reg.gcmd, changes);
    if (changes & STATUS(rtps))
        set_root(m);
    if (changes & STATUS(irtps))
        set_interrupt_table(m);
    if (changes & STATUS(wbfs))
        flush_write_buffer(m);
    if (changes & STATUS(qies))
        set_queue(m, (cmd & STATUS(qies)) != 0);
    if (changes & STATUS(tes))
        set_translation(m, (cmd & STATUS(tes)) != 0);
    if (changes & STATUS(cfis))
        set_remapping(m, STATUS(cfis), (cmd & STATUS(cfis)) != 0);
    if (changes & STATUS(ires))
        set_remapping(m, STATUS(ires), (cmd & STATUS(ires)) != 0);
    if (changes & (STATUS(tes) | STATUS(ires)))
        rewind_records(m);
    return true;
}

/* One-shot commands show that they are under way until they are done. */
static void gcmd_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    struct vtd_gcmd cmd = { value };

    (void)touched;
    m->gcmd_pending = true;
    if (vtd_gcmd_srtp(cmd))
        set_status(m, STATUS(rtps), false);
    if (vtd_gcmd_sirtp(cmd) && m->args.ir)
        set_status(m, STATUS(irtps), false);
    if (vtd_gcmd_wbf(cmd) && vtd_cap_rwbf(mvtd_cap(m)))
        set_status(m, STATUS(wbfs), true);
}

static void fsts_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    (void)value;
    (void)touched;
    mvtd_fault_update(m);
}

static void fectl_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    (void)value;
    (void)touched;
    mvtd_event_send(m, &m->reg.fault);
}

static void iectl_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    (void)value;
    (void)touched;
    mvtd_event_send(m, &m->reg.inval);
}

static void ics_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    struct vtd_iectl ctl = { m->reg.inval.ctl };

    (void)value;
    (void)touched;
    if (!vtd_ics_iwc((struct vtd_ics){ m->reg.ics }))
        m->reg.inval.ctl = vtd_iectl_set_ip(ctl, 0).raw;
}

static void pectl_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    (void)value;
    (void)touched;
    mvtd_event_send(m, &m->reg.pages);
}

/* 7.5: with nothing left to be served, the event is not wanted any more. */
static void prs_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    struct vtd_pectl ctl = { m->reg.pages.ctl };

    (void)value;
    (void)touched;
    if (m->reg.prs == 0)
        m->reg.pages.ctl = vtd_pectl_set_ip(ctl, 0).raw;
}

/* Writes without ICC or IVT in the half that has it start nothing. */
static void ccmd_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    if (touched & UIM_BIT(63))
        m->reg.ccmd =
            vtd_ccmd_set_caig((struct vtd_ccmd){ m->reg.ccmd }, 0).raw;
    (void)value;
}

static void iotlb_written(struct mvtd *m, uint64_t value, uint64_t touched)
{
    if (touched & UIM_BIT(63))
        m->reg.iotlb =
            vtd_iotlb_set_iaig((struct vtd_iotlb){ m->reg.iotlb }, 0).raw;
    (void)value;
}

#define AT(member) .field = offsetof(struct mvtd_regs, member)
#define ALL        UINT64_MAX

static const struct row rows[] = {
    { VTD_REG_VER, 4, AT(ver) },
    { VTD_REG_CAP, 8, AT(cap) },
    { VTD_REG_ECAP, 8, AT(ecap) },
    { VTD_REG_GCMD, 4, AT(gcmd), .rw = ALL, .write_only = true,
      .written = gcmd_written },
    { VTD_REG_GSTS, 4, AT(gsts), .unit_of = status_of },
    { VTD_REG_RTADDR, 8, AT(rtaddr), .rw = ~UIM_MASK(9, 0) },
    { VTD_REG_CCMD, 8, AT(ccmd), .rw = UIM_MASK(63, 61) | UIM_MASK(33, 0),
      .unit = UIM_MASK(60, 59), .written = ccmd_written },
    { VTD_REG_FSTS, 4, AT(fsts), .w1c = UIM_MASK(6, 4) | UIM_BIT(0),
      .unit = UIM_MASK(15, 8) | UIM_BIT(1), .written = fsts_written },
    { VTD_REG_FECTL, 4, AT(fault.ctl), .rw = UIM_BIT(31), .unit = UIM_BIT(30),
      .written = fectl_written },
    { VTD_REG_FEDATA, 4, AT(fault.data), .rw = UIM_MASK(15, 0) },
    { VTD_REG_FEADDR, 4, AT(fault.addr), .rw = UIM_MASK(31, 2) },
    { VTD_REG_FEUADDR, 4, AT(fault.uaddr), .rw = UIM_MASK(31, 0), .eim = true },
    { VTD_REG_IQH, 8, AT(iqh), .unit = UIM_MASK(18, 4) },
    { VTD_REG_IQT, 8, AT(iqt), .rw = UIM_MASK(18, 4) },
    { VTD_REG_IQA, 8, AT(iqa), .rw = ~UIM_MASK(10, 3) },
    { VTD_REG_ICS, 4, AT(ics), .w1c = UIM_BIT(0), .written = ics_written },
    { VTD_REG_IECTL, 4, AT(inval.ctl), .rw = UIM_BIT(31), .unit = UIM_BIT(30),
      .written = iectl_written },
    { VTD_REG_IEDATA, 4, AT(inval.data), .rw = UIM_MASK(15, 0) },
    { VTD_REG_IEADDR, 4, AT(inval.addr), .rw = UIM_MASK(31, 2) },
    { VTD_REG_IEUADDR, 4, AT(inval.uaddr), .rw = UIM_MASK(31, 0), .eim = true },
    { VTD_REG_IRTA, 8, AT(irta), .rw = ~UIM_MASK(10, 4), .ir = true },
    { VTD_REG_IQERCD, 8, AT(iqercd),
      .unit = UIM_MASK(63, 32) | UIM_MASK(3, 0) },
    { VTD_REG_PQH, 8, AT(pqh), .rw = UIM_MASK(18, 5), .prs = true },
    { VTD_REG_PQT, 8, AT(pqt), .rw = UIM_MASK(18, 5), .prs = true },
    { VTD_REG_PQA, 8, AT(pqa), .rw = ~UIM_MASK(11, 3), .prs = true },
    { VTD_REG_PRS, 4, AT(prs), .w1c = UIM_MASK(1, 0), .prs = true,
      .written = prs_written },
    { VTD_REG_PECTL, 4, AT(pages.ctl), .rw = UIM_BIT(31), .unit = UIM_BIT(30),
      .prs = true, .written = pectl_written },
    { VTD_REG_PEDATA, 4, AT(pages.data), .rw = UIM_MASK(15, 0), .prs = true },
    { VTD_REG_PEADDR, 4, AT(pages.addr), .rw = UIM_MASK(31, 2), .prs = true },
    { VTD_REG_PEUADDR, 4, AT(pages.uaddr), .rw = UIM_MASK(31, 0), .eim = true,
      .prs = true },
    { MVTD_IRO + VTD_IVA_OFFSET, 8, AT(iva), .rw = ~UIM_MASK(11, 7),
      .write_only = true },
    { MVTD_IRO + VTD_IOTLB_OFFSET, 8, AT(iotlb),
      .rw = UIM_BIT(63) | UIM_MASK(61, 60) | UIM_MASK(49, 32),
      .unit = UIM_MASK(58, 57), .written = iotlb_written },
};

/* A register takes its width, and one of 64 bits also its aligned halves. */
static bool takes(uint32_t offset, uint32_t bytes, uint64_t off, uint32_t len)
{
    return off >= offset && off < offset + bytes && len >= 4 && len <= bytes &&
           (off & (len - 1)) == 0;
}

static bool is_there(const struct mvtd *m, const struct row *r)
{
    return (!r->ir || m->args.ir) && (!r->eim || m->args.eim) &&
           (!r->prs || m->args.prs);
}

static const struct row *find(const struct mvtd *m, uint64_t off, uint32_t len)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];

        if (takes(r->offset, r->bytes, off, len))
            return is_there(m, r) ? r : NULL;
    }
    return NULL;
}

static uint64_t *field_of(struct mvtd *m, const struct row *r)
{
    return (uint64_t *)(void *)((char *)&m->reg + r->field);
}

static uint64_t covered(uint64_t shift, uint32_t len)
{
    return (len == 8 ? UINT64_MAX : UIM_MASK(31, 0)) << shift;
}

/* The 64-bit half record at `off`; NULL: there is none. */
static uint64_t *record_at(struct mvtd *m, uint64_t off, uint32_t len)
{
    uint64_t n = (off - MVTD_FRO) >> 4;

    if (off < MVTD_FRO || n >= MVTD_RECORDS ||
        !takes((uint32_t)(off & ~UINT64_C(7)), 8, off, len))
        return NULL;
    return off & 8 ? &m->frcd_hi[n].raw : &m->frcd_lo[n].raw;
}

static uint64_t read_locked(struct mvtd *m, uint64_t off, uint32_t len)
{
    const struct row *r = find(m, off, len);
    uint64_t *record = record_at(m, off, len);
    uint64_t value = 0;

    if (record)
        value = *record;
    else if (r && !r->write_only)
        value = *field_of(m, r);
    else
        return 0;
    return (value >> ((off & 4 && (record || r->bytes == 8)) ? 32 : 0)) &
           covered(0, len);
}

uint64_t mvtd_mmio_read(struct uim_model *model, uint32_t window, uint64_t off,
                        uint32_t len)
{
    struct mvtd *m = mvtd_of(model);
    uint64_t value;

    if (window != 0)
        return 0;
    uim_unit_lock(&m->base);
    value = read_locked(m, off, len);
    uim_unit_unlock(&m->base);
    return value;
}

/* F, bit 63 of the high half, is all that can be written: one clears it. */
static void write_record(struct mvtd *m, uint64_t *record, uint64_t off,
                         uint64_t val, uint32_t len)
{
    if (!(off & 8))
        return;
    if (off & 4)
        val <<= 32;
    else if (len == 4)
        val = 0;
    *record &= ~(val & UIM_BIT(63));
    mvtd_fault_update(m);
}

static void write_row(struct mvtd *m, const struct row *r, uint64_t off,
                      uint64_t val, uint32_t len)
{
    uint64_t shift = (off - r->offset) * 8;
    uint64_t touched = covered(shift, len);
    uint64_t *field = field_of(m, r);

    val = (val << shift) & touched;
    *field = (*field & ~(touched & r->rw)) | (val & r->rw);
    *field &= ~(val & r->w1c);
    if (r->written)
        r->written(m, val, touched);
}

static void write_locked(struct mvtd *m, uint64_t off, uint64_t val,
                         uint32_t len)
{
    const struct row *r = find(m, off, len);
    uint64_t *record = record_at(m, off, len);

    if (record)
        write_record(m, record, off, val, len);
    else if (r)
        write_row(m, r, off, val, len);
}

void mvtd_mmio_write(struct uim_model *model, uint32_t window, uint64_t off,
                     uint64_t val, uint32_t len)
{
    struct mvtd *m = mvtd_of(model);

    if (window != 0)
        return;
    uim_unit_lock(&m->base);
    write_locked(m, off, val, len);
    uim_unit_unlock(&m->base);
    uim_unit_settle(&m->base);
}

void mvtd_regs_state(struct mvtd *m, struct uim_state *s)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];
        uint64_t all = is_there(m, r) ? covered(0, r->bytes) : 0;
        uint64_t unit = r->unit_of ? r->unit_of(m) : r->unit;

        uim_state_bits(s, field_of(m, r), (r->rw | r->w1c | unit) & all);
    }
}
