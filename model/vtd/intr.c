/* SPDX-License-Identifier: MIT */
/*
 * One interrupt message (5.1): passed as it is, remapped by its table entry, or
 * refused and recorded. Posted interrupts are not offered (CAP.PI is 0), so IM is
 * a reserved bit.
 */
#include "model/vtd/vtd.h"

enum { INDEXES = 0x10000, FI_INDEX_SHIFT = 48 };

/* ---- entries ----------------------------------------------------------------- */

static unsigned n_entries(const struct mvtd *m)
{
    return 1u << (vtd_irta_s(m->irta) + VTD_IRTA_ENTRIES_SHIFT);
}

static uint64_t entry_gpa(const struct mvtd *m, unsigned index)
{
    return (vtd_irta_irta(m->irta) << 12) + index * (uint64_t)VTD_IRTE_BYTES;
}

/* In the table, and below the host's width. A table that begins there cannot
 * wrap. */
static bool in_reach(const struct mvtd *m, unsigned index)
{
    return index < n_entries(m) &&
           vtd_irta_irta(m->irta) << 12 >> m->haw == 0 &&
           entry_gpa(m, index) >> m->haw == 0;
}

bool mvtd_fetch_irte(struct mvtd *m, unsigned index, bool recheck,
                     uint64_t raw[2])
{
    return uim_door_read(&m->base, entry_gpa(m, index), raw, 2,
                         vtd_ecap_c(mvtd_ecap(m)), recheck);
}

static bool extended(const struct mvtd *m)
{
    return m->args.eim && vtd_irta_eime(m->irta);
}

#define BITS_OF(L) (UINT64_C(0) L(UIM_F_OR, unused))

/* 9.9. Without EIME a destination has 8 bits. */
static bool reserved_bits(const struct mvtd *m, const uint64_t raw[2])
{
    uint64_t lo = BITS_OF(VTD_IRTE_REMAPPED_LO);
    struct vtd_irte_remapped_lo e = { raw[0] };
    struct vtd_irte_remapped_hi hi = { raw[1] };

    if (!extended(m))
        lo &= ~(UIM_MASK(63, 48) | UIM_MASK(39, 32));
    return (raw[0] & ~lo) || (raw[1] & ~BITS_OF(VTD_IRTE_REMAPPED_HI)) ||
           vtd_irte_remapped_lo_im(e) ||
           vtd_irte_remapped_hi_svt(hi) > VTD_SVT_BUS_RANGE;
}

/* 9.9, SVT: may this requester use the entry? */
static bool source_fits(const uint64_t raw[2], uint32_t rid)
{
    static const uint16_t ignored[] = {
        [VTD_SQ_ALL] = 0,
        [VTD_SQ_IGNORE_BIT2] = 4,
        [VTD_SQ_IGNORE_BITS_2_1] = 6,
        [VTD_SQ_IGNORE_BITS_2_0] = 7,
    };
    struct vtd_irte_remapped_hi hi = { raw[1] };
    uint64_t sid = vtd_irte_remapped_hi_sid(hi);
    uint32_t bus = rid >> 8 & 0xff;

    switch (vtd_irte_remapped_hi_svt(hi)) {
    case VTD_SVT_SID:
        return ((sid ^ rid) & 0xffff &
                ~(uint64_t)ignored[vtd_irte_remapped_hi_sq(hi)]) == 0;
    case VTD_SVT_BUS_RANGE:
        return bus >= sid >> 8 && bus <= (sid & 0xff);
    default:
        return true;
    }
}

/* ---- the cache ----------------------------------------------------------------- */

/* Entries that are not present or wrong are cached only where CAP.CM says so
 * (6.1). */
static void keep(struct mvtd *m, unsigned index, const uint64_t raw[2])
{
    struct vtd_irte_remapped_lo lo = { raw[0] };
    bool good = vtd_irte_remapped_lo_p(lo) && !reserved_bits(m, raw);
    struct mvtd_irte_slot *s;

    if (!mvtd_caching(m) || (!good && !m->args.cm))
        return;
    s = uim_cache_add(&m->irtes, mvtd_irte_hash(index, 0), index, 0);
    if (!s)
        return;
    s->raw[0] = raw[0];
    s->raw[1] = raw[1];
}

static struct mvtd_irte_slot *cached(struct mvtd *m, unsigned index)
{
    if (!mvtd_caching(m))
        return NULL;
    return uim_cache_find(&m->irtes, mvtd_irte_hash(index, 0), index, 0);
}

static bool find_entry(struct mvtd *m, const struct mvtd_trip *t,
                       unsigned index, uint64_t raw[2])
{
    struct mvtd_irte_slot *s = cached(m, index);

    if (s) {
        m->counter[MVTD_N_interrupt_hits]++;
        if (mvtd_looks(m, t))
            mvtd_check_irte(m, t, index, s);
        raw[0] = s->raw[0];
        raw[1] = s->raw[1];
        return true;
    }
    m->counter[MVTD_N_interrupt_misses]++;
    if (!mvtd_fetch_irte(m, index, false, raw))
        return false;
    keep(m, index, raw);
    return true;
}

static void remember(struct mvtd *m, unsigned index)
{
    for (unsigned i = 0; i < MVTD_RECENT && i < m->n_recent_irtes; i++) {
        if (m->recent_irte[i] == index)
            return;
    }
    m->recent_irte[m->n_recent_irtes % MVTD_RECENT] = (uint16_t)index;
    m->n_recent_irtes++;
    if (m->n_recent_irtes >= 2 * MVTD_RECENT)
        m->n_recent_irtes -= MVTD_RECENT;
}

void mvtd_prefetch_irtes(struct mvtd *m)
{
    uint64_t raw[2];

    if (!vtd_gsts_ires((struct vtd_gsts){ m->reg.gsts }))
        return;
    for (unsigned i = 0; i < MVTD_RECENT && i < m->n_recent_irtes; i++) {
        unsigned index = m->recent_irte[i];

        if (in_reach(m, index) && !cached(m, index) &&
            mvtd_fetch_irte(m, index, false, raw))
            keep(m, index, raw);
    }
}

/* ---- requests -------------------------------------------------------------------- */

/* handle, and for SHV the low half of the data, is the index (5.1.2.2). */
static unsigned index_of(uint64_t addr, uint32_t data)
{
    struct vtd_msi_address_remappable a = { addr & UINT32_MAX };
    unsigned handle = (unsigned)(vtd_msi_address_remappable_handle_15(a) << 15 |
                                 vtd_msi_address_remappable_handle_14_0(a));

    if (vtd_msi_address_remappable_shv(a))
        handle += data & 0xffff;
    return handle;
}

static bool request_reserved(uint64_t addr, uint32_t data)
{
    struct vtd_msi_address_remappable a = { addr & UINT32_MAX };

    return vtd_msi_address_remappable_shv(a) && data >> 16 != 0;
}

/* 5.1.4, in this order. */
static unsigned check(struct mvtd *m, struct mvtd_trip *t, unsigned index,
                      uint64_t raw[2])
{
    struct vtd_irte_remapped_lo lo;

    if (!in_reach(m, index))
        return VTD_FR_IR_INDEX;
    if (!find_entry(m, t, index, raw))
        return VTD_FR_IR_FETCH;
    lo.raw = raw[0];
    t->fpd = vtd_irte_remapped_lo_fpd(lo);
    if (!vtd_irte_remapped_lo_p(lo))
        return VTD_FR_IR_NOT_PRESENT;
    if (reserved_bits(m, raw))
        return VTD_FR_IR_RSVD;
    return source_fits(raw, t->req->rid) ? 0 : VTD_FR_IR_SOURCE;
}

enum { MSI_DEST_SHIFT = 12, MSI_RH = 1 << 3, MSI_DM = 1 << 2 };
enum { MSI_DLM_SHIFT = 8, MSI_ASSERT = 1 << 14, MSI_LEVEL = 1 << 15 };

/* As the platform's interrupt controller takes it; see remap_msi in embed.h. */
static void compose(const struct mvtd *m, uint64_t raw, uint64_t *addr,
                    uint32_t *data)
{
    struct vtd_irte_remapped_lo e = { raw };
    uint64_t dst = vtd_irte_remapped_lo_dst(e);

    if (!extended(m))
        dst >>= 8;
    *addr = MVTD_MSI_BASE | (dst & 0xff) << MSI_DEST_SHIFT | dst >> 8 << 40;
    if (vtd_irte_remapped_lo_rh(e))
        *addr |= MSI_RH;
    if (vtd_irte_remapped_lo_dm(e))
        *addr |= MSI_DM;
    *data = (uint32_t)(vtd_irte_remapped_lo_v(e) | vtd_irte_remapped_lo_dlm(e)
                                                       << MSI_DLM_SHIFT);
    if (vtd_irte_remapped_lo_tm(e))
        *data |= MSI_LEVEL | MSI_ASSERT;
}

/* 5.1.2.1: blocked when extended mode is on, else let through by CFI. */
static bool compatible_passes(const struct mvtd *m)
{
    return !extended(m) && vtd_gsts_cfis((struct vtd_gsts){ m->reg.gsts });
}

static int refuse(struct mvtd *m, struct mvtd_trip *t,
                  struct uim_model_req *req, unsigned index, unsigned reason)
{
    /* 7.3: the index is where an address would be. */
    req->iova = (uint64_t)(index % INDEXES) << FI_INDEX_SHIFT;
    return mvtd_fault(m, t, reason);
}

static int remap(struct mvtd *m, struct uim_model_req *req, uint32_t data_in,
                 uint64_t *addr, uint32_t *data)
{
    struct mvtd_trip t = { .req = req, .want = UIM_MODEL_W };
    struct vtd_msi_address_remappable a = { req->iova & UINT32_MAX };
    unsigned index = index_of(req->iova, data_in), reason;
    uint64_t raw[2];

    if (!vtd_msi_address_remappable_interrupt_format(a))
        return compatible_passes(m) ? 0
                                    : refuse(m, &t, req, 0, VTD_FR_IR_COMPAT);
    if (request_reserved(req->iova, data_in))
        return refuse(m, &t, req, index, VTD_FR_IR_REQUEST_RSVD);
    if (mvtd_adversarial(m) && index < INDEXES)
        remember(m, index);
    reason = check(m, &t, index, raw);
    if (reason)
        return refuse(m, &t, req, index, reason);
    compose(m, raw[0], addr, data);
    return 0;
}

int mvtd_remap_msi(struct uim_model *model, uint32_t rid, uint32_t flags,
                   uint64_t addr, uint32_t data, uint64_t *oaddr,
                   uint32_t *odata)
{
    struct mvtd *m = mvtd_of(model);
    struct uim_model_req req = { .rid = rid,
                                 .pasid = UIM_MODEL_NO_PASID,
                                 .access = UIM_MODEL_W,
                                 .flags = flags & UIM_MODEL_PROBE,
                                 .iova = addr };
    int r = 0;

    *oaddr = addr;
    *odata = data;
    uim_unit_lock(&m->base);
    m->counter[MVTD_N_interrupt_requests]++;
    if (vtd_gsts_ires((struct vtd_gsts){ m->reg.gsts }))
        r = remap(m, &req, data, oaddr, odata);
    uim_unit_unlock(&m->base);
    return r;
}
