/* SPDX-License-Identifier: MIT */
/*
 * fault.c - fault records (7.2, 7.3; semantics B.18).
 *
 * Hardware fills the records in a circle and sets F last; software clears F,
 * and PFO after the records: as long as that is set nothing more is recorded.
 * Records are taken one by one under fault_lock and delivered without it, so
 * that several threads may poll.
 */
#include "drv/vtd/vtd.h"

#define FSTS_BIT(field)                                                        \
    ((uint32_t)vtd_fsts_pack(&(struct vtd_fsts_fields){ .field = 1 }).raw)

/* Rounds in which records are delivered: a device that faults without end must not
 * keep the CPU here. And how long the rest of them may take. */
enum { ROUNDS = 4, PATIENCE_NS = 100 * 1000 };

struct record {
    struct vtd_frcd_lo lo;
    struct vtd_frcd_hi hi;
};

static unsigned records(const struct vtd_unit *v)
{
    return (unsigned)vtd_cap_nfr(v->cap) + 1;
}

static size_t record_offset(const struct vtd_unit *v, unsigned i)
{
    return ((size_t)vtd_cap_fro(v->cap) + i) * 16;
}

/* ---- decoding ------------------------------------------------------------ */

static unsigned access_of(struct vtd_frcd_hi hi)
{
    unsigned type = (unsigned)(vtd_frcd_hi_t1(hi) << 1 | vtd_frcd_hi_t2(hi));

    switch (type) {
    case VTD_FAULT_WRITE:
        return UIOMMU_WRITE;
    case VTD_FAULT_READ:
        return UIOMMU_READ;
    case VTD_FAULT_ATOMIC:
        return UIOMMU_READ | UIOMMU_WRITE;
    default:
        return 0; /* a page request */
    }
}

/* Such a record has an index where others have an address. */
static struct uiommu_fault interrupt(struct uiommu_fault f,
                                     const struct record *r)
{
    const struct vtd_frcd_ir_lo lo = { r->lo.raw };

    f.kind = UIOMMU_FAULT_INTERRUPT;
    f.has_iova = false;
    f.iova = 0;
    f.has_index = vtd_fault_has_index(f.reason);
    f.index = f.has_index ? (uint32_t)vtd_frcd_ir_lo_index(lo) : 0;
    return f;
}

static struct uiommu_fault decode(const struct vtd_unit *v,
                                  const struct record *r, bool overflow)
{
    const uint64_t sid = vtd_frcd_hi_sid(r->hi);
    /* PV means nothing without PP. */
    bool has_pasid = vtd_frcd_hi_pp(r->hi) && vtd_has_pasids(v);
    const struct uiommu_fault f = {
        .driver = "vtd",
        .unit = v->unit.index,
        .id = (uint32_t)sid,
        .has_source = true,
        .source = {
            .segment = v->unit.segment,
            .bus = (uint8_t)(sid >> 8),
            .devfn = (uint8_t)sid,
        },
        .reason = (uint32_t)vtd_frcd_hi_fr(r->hi),
        .pasid = has_pasid ? (uint32_t)vtd_frcd_hi_pv(r->hi) : UIOMMU_NO_PASID,
        .access = access_of(r->hi),
        .has_iova = true,
        .iova = vtd_frcd_lo_fi(r->lo) << 12,
        .overflow = overflow,
    };

    return vtd_fault_of_interrupt(f.reason) ? interrupt(f, r) : f;
}

/* ---- taking -------------------------------------------------------------- */

/* Reads record i if it is pending, and gives it back to hardware. */
static bool take(const struct vtd_unit *v, unsigned i, struct record *r)
{
    const struct vtd_frcd_hi_fields f = { .f = 1 };
    size_t offset = record_offset(v, i);

    r->hi.raw = vtd_rd64(v, offset + VTD_FRCD_HI_OFFSET);
    if (!vtd_frcd_hi_f(r->hi))
        return false;
    r->lo.raw = vtd_rd64(v, offset + VTD_FRCD_LO_OFFSET);
    /* Only the dword with F: the rest is not writable. */
    vtd_wr32(v, offset + VTD_FRCD_HI_OFFSET + 4,
             (uint32_t)(vtd_frcd_hi_pack(&f).raw >> 32));
    return true;
}

/* fault_next follows hardware around the circle; the search is for when it does
 * not, after firmware or a reset. */
static bool take_next(struct vtd_unit *v, struct record *r)
{
    unsigned n = records(v);

    for (unsigned i = 0; i < n; i++) {
        unsigned at = v->fault_next;

        v->fault_next = at + 1 < n ? at + 1 : 0;
        if (take(v, at, r))
            return true;
    }
    return false;
}

/* A unit that is gone reads as all ones. */
static struct vtd_fsts status_now(const struct vtd_unit *v)
{
    uint32_t fsts = vtd_rd32(v, VTD_REG_FSTS);

    return (struct vtd_fsts){ fsts == UINT32_MAX ? 0 : fsts };
}

/* One pending record; when there are no more, makes hardware record again. */
static bool next_fault(struct vtd_unit *v, struct record *r, bool *overflow)
{
    struct vtd_fsts fsts;
    bool found;

    uim_spin_lock(&v->unit, v->fault_lock);
    fsts = status_now(v);
    *overflow = vtd_fsts_pfo(fsts) != 0;
    found = vtd_fsts_ppf(fsts) && take_next(v, r);
    if (found && v->faults_dropped) {
        *overflow = true;
        v->faults_dropped = false;
    }
    if (!found && *overflow)
        vtd_wr32(v, VTD_REG_FSTS, FSTS_BIT(pfo));
    uim_spin_unlock(&v->unit, v->fault_lock);
    return found;
}

/* Nobody hears this one; the next that is heard says so. */
static void drop(struct vtd_unit *v)
{
    uim_spin_lock(&v->unit, v->fault_lock);
    v->faults_dropped = true;
    uim_spin_unlock(&v->unit, v->fault_lock);
}

static void deliver(struct vtd_unit *v, const struct record *r, bool overflow)
{
    struct uiommu_fault fault = decode(v, r, overflow);

    uim_fault(&v->unit, &fault);
}

/* ---- polling ------------------------------------------------------------- */

static bool quiet(const struct vtd_unit *v)
{
    const uint32_t events = FSTS_BIT(ppf) | FSTS_BIT(pfo);

    return !(status_now(v).raw & events) && !vtd_queue_in_error(v);
}

/* One look more than there are records: it clears PFO. */
static bool look_round(struct vtd_unit *v, bool heard)
{
    bool overflow;
    struct record r;

    vtd_queue_errors(v);
    for (unsigned i = 0; i <= records(v); i++) {
        if (!next_fault(v, &r, &overflow))
            break;
        if (heard)
            deliver(v, &r, overflow);
        else
            drop(v);
    }
    return quiet(v);
}

/* Until nothing at all is pending: an event is a change of FSTS from none of PPF,
 * PFO, IQE, ICE, ITE to any (7.3), so what is left would be the last that is ever
 * told by interrupt. */
static bool poll_faults(struct vtd_unit *v)
{
    uint64_t start;

    for (unsigned i = 0; i < ROUNDS; i++)
        if (look_round(v, true))
            return false;
    start = uim_now(&v->unit);
    do
        if (look_round(v, false))
            return false;
    while (uim_now(&v->unit) - start < PATIENCE_NS);
    return true;
}

bool vtd_poll(struct uim_unit *unit)
{
    const bool requests = uim_requests_poll(unit);

    return poll_faults(vtd_unit(unit)) || requests;
}

void vtd_faults_clear(struct vtd_unit *v)
{
    struct record r;

    for (unsigned i = 0; i < records(v); i++)
        (void)take(v, i, &r);
    vtd_wr32(v, VTD_REG_FSTS, FSTS_BIT(pfo));
    v->fault_next = 0;
}
