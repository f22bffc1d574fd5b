/* SPDX-License-Identifier: MIT */
/*
 * Invalidation requests (6.5): by register, and by queue.
 *
 * The queue takes one descriptor a step. All invalidations are done when their
 * step is over, but for device-TLB requests: these stay open until the VMM calls
 * devtlb_done, and hold the waits behind them.
 */
#include "model/vtd/vtd.h"

/* What is in the queue: types 6 to 10 use 256 bits, but not words 2 and 3. */
struct descriptor {
    uint64_t word[4];
};

static void store_iqei(struct mvtd *m, unsigned iqei)
{
    struct vtd_iqercd r = { m->reg.iqercd };

    m->reg.iqercd = vtd_iqercd_set_iqei(r, iqei).raw;
}

void mvtd_queue_error(struct mvtd *m, unsigned iqei)
{
    m->counter[MVTD_N_queue_errors]++;
    store_iqei(m, iqei);
    mvtd_fault_status(m,
                      vtd_fsts_pack(&(struct vtd_fsts_fields){ .iqe = 1 }).raw);
}

void mvtd_queue_timeout(struct mvtd *m, uint16_t sid)
{
    struct vtd_iqercd r = { m->reg.iqercd };

    m->n_waits = 0; /* all pending waits are aborted (6.5.2.11) */
    if (vtd_fsts_ite((struct vtd_fsts){ m->reg.fsts }))
        return;
    m->reg.iqercd = vtd_iqercd_set_itesid(r, sid).raw;
    mvtd_fault_status(m,
                      vtd_fsts_pack(&(struct vtd_fsts_fields){ .ite = 1 }).raw);
}

void mvtd_queue_bad_completion(struct mvtd *m, uint16_t sid)
{
    struct vtd_iqercd r = { m->reg.iqercd };

    m->reg.iqercd = vtd_iqercd_set_icesid(r, sid).raw;
    mvtd_fault_status(m,
                      vtd_fsts_pack(&(struct vtd_fsts_fields){ .ice = 1 }).raw);
}

void mvtd_queue_reset(struct mvtd *m)
{
    m->reg.iqh = 0;
    m->n_waits = 0;
    for (unsigned i = 0; i < MVTD_PENDING; i++)
        m->devtlb[i].open = false;
}

/* ---- waits and device-TLB requests --------------------------------------- */

/* 7.7: with PD, software sees all page requests that were received before it sees
 * that the wait is over. */
static void complete_wait(struct mvtd *m, const struct mvtd_wait *w)
{
    uint64_t gpa = vtd_qi_wait_hi_staddr(w->hi) << 2;
    struct vtd_ics ics = { m->reg.ics };

    if (vtd_qi_wait_lo_pd(w->lo))
        mvtd_pages_drain(m);
    if (vtd_qi_wait_lo_sw(w->lo) &&
        !uim_door_write32(&m->base, gpa,
                          (uint32_t)vtd_qi_wait_lo_stdata(w->lo)))
        uim_unit_warn(&m->base, "wants a wait status where no memory is", gpa);
    if (!vtd_qi_wait_lo_if_(w->lo))
        return;
    m->reg.ics = vtd_ics_set_iwc(ics, 1).raw;
    mvtd_event_raise(m, &m->reg.inval, vtd_ics_iwc(ics));
}

uint64_t mvtd_oldest_devtlb(const struct mvtd *m)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        if (m->devtlb[i].open && m->devtlb[i].serial < oldest)
            oldest = m->devtlb[i].serial;
    }
    return oldest;
}

static void complete_waits(struct mvtd *m)
{
    uint64_t oldest = mvtd_oldest_devtlb(m);
    unsigned done = 0;

    while (done < m->n_waits && m->wait[done].serial < oldest)
        complete_wait(m, &m->wait[done++]);
    for (unsigned i = done; i < m->n_waits; i++)
        m->wait[i - done] = m->wait[i];
    m->n_waits -= done;
}

/* FN=1 keeps later descriptors from being fetched. */
static bool fenced(const struct mvtd *m)
{
    for (unsigned i = 0; i < m->n_waits; i++) {
        if (vtd_qi_wait_lo_fn(m->wait[i].lo))
            return true;
    }
    return false;
}

/* MVTD_PENDING: none is free. */
static unsigned free_devtlb(const struct mvtd *m)
{
    unsigned i = 0;

    while (i < MVTD_PENDING && m->devtlb[i].open)
        i++;
    return i;
}

static bool tag_is_open(const struct mvtd *m, uint32_t tag)
{
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        if (m->devtlb[i].open && m->devtlb[i].tag == tag)
            return true;
    }
    return false;
}

enum { EVERYTHING_LG2 = 52 };

/* log2 of the pages meant. 6.5.2.5: with S the lowest clear bit of ADDR tells; a
 * clear bit 63, or none at all, means everything. */
static unsigned devtlb_lg2(uint64_t page, bool s)
{
    unsigned lg2 = 0;

    if (!s)
        return 0;
    while (lg2 < EVERYTHING_LG2 && (page & UIM_BIT(lg2)))
        lg2++;
    return lg2 + 1;
}

static void devtlb_range(uint64_t page, bool s, struct uim_model_inval *note)
{
    unsigned lg2 = devtlb_lg2(page, s);

    if (lg2 >= EVERYTHING_LG2)
        return;
    note->iova = uim_align_down(page << MVTD_PAGE_LG2, UIM_BIT(lg2 + 12));
    note->len = UIM_BIT(lg2 + 12);
}

/* The same for the door. */
static void devtlb_cover(uint64_t page, bool s, struct mvtd_inval *inval)
{
    unsigned lg2 = devtlb_lg2(page, s);

    inval->scope = lg2 >= EVERYTHING_LG2 ? UIM_CHECK_ONE : UIM_CHECK_PAGE;
    if (lg2 >= EVERYTHING_LG2)
        return;
    inval->am = (uint8_t)lg2;
    inval->addr = uim_align_down(page << MVTD_PAGE_LG2, UIM_BIT(lg2 + 12));
}

/* There is a free place: takes_more() saw to that. */
static void devtlb_open(struct mvtd *m, uint16_t sid, uint32_t pasid,
                        uint64_t page, bool s)
{
    struct mvtd_devtlb *d = &m->devtlb[free_devtlb(m)];
    struct uim_model_inval note = { .what = UIM_MODEL_INV_DEVTLB,
                                    .rid = sid,
                                    .pasid = pasid };

    do {
        m->devtlb_tag++;
    } while (tag_is_open(m, m->devtlb_tag));
    *d = (struct mvtd_devtlb){ .serial = ++m->devtlb_serial,
                               .tag = m->devtlb_tag,
                               .sid = sid,
                               .open = true };
    note.tag = d->tag;
    devtlb_range(page, s, &note);
    uim_unit_note(&m->base, &note);
}

void mvtd_devtlb_done(struct uim_model *model, uint32_t tag, bool failed)
{
    struct mvtd *m = mvtd_of(model);

    uim_unit_lock(&m->base);
    for (unsigned i = 0; i < MVTD_PENDING; i++) {
        struct mvtd_devtlb *d = &m->devtlb[i];

        if (!d->open || d->tag != tag)
            continue;
        d->open = false;
        if (failed)
            mvtd_queue_timeout(m, d->sid);
        else
            complete_waits(m);
        break;
    }
    uim_unit_unlock(&m->base);
    uim_unit_settle(&m->base);
}

/* ---- descriptors ---------------------------------------------------------- */

/* Tells the door; true if the command is swallowed. */
static bool swallowed(struct mvtd *m, enum uim_check_kind kind,
                      const struct mvtd_inval *inval, uint64_t dr, uint64_t dw,
                      bool by_register)
{
    bool devtlb = kind == UIM_CHECK_DEVTLB || kind == UIM_CHECK_PASID_DEVTLB;
    bool has_did = !devtlb && kind != UIM_CHECK_INTERRUPT &&
                   inval->scope != UIM_CHECK_GLOBAL;
    bool has_rid =
        devtlb || (kind == UIM_CHECK_DEVICE && inval->scope == UIM_CHECK_ONE);
    struct uim_check_inval said = {
        .kind = kind,
        .scope = inval->scope,
        .did = has_did ? inval->did : UIM_CHECK_NONE,
        .rid = has_rid ? inval->sid : UIM_CHECK_NONE,
        .pasid = inval->pasid,
        .addr = inval->addr,
        .am = inval->am,
        .leaf_only = inval->leaf_only,
        .drain_read = dr != 0,
        .drain_write = dw != 0,
        .by_register = by_register,
    };

    return uim_door_invalidate(&m->base, &said);
}

/* The 2-bit granularities of cc_inv and iotlb_inv, CCMD and IOTLB are alike:
 * global, domain, then device or page. 0 is reserved. */
static enum uim_check_scope scope_of(uint64_t g, enum uim_check_scope third)
{
    if (g == 3)
        return third;
    return g == 2 ? UIM_CHECK_DOMAIN : UIM_CHECK_GLOBAL;
}

static unsigned do_context(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_context_lo lo = { d->word[0] };
    struct mvtd_inval inval = {
        .scope = scope_of(vtd_qi_context_lo_g(lo), UIM_CHECK_ONE),
        .did = (uint16_t)vtd_qi_context_lo_did(lo),
        .sid = (uint16_t)vtd_qi_context_lo_sid(lo),
        .fm = (uint8_t)vtd_qi_context_lo_fm(lo),
        .pasid = UIM_CHECK_NONE,
    };

    if (vtd_qi_context_lo_g(lo) == 0)
        return VTD_IQEI_RESERVED_FIELD;
    if (!swallowed(m, UIM_CHECK_DEVICE, &inval, 0, 0, false))
        mvtd_inv_context(m, &inval);
    return 0;
}

static unsigned do_iotlb(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_iotlb_lo lo = { d->word[0] };
    struct vtd_qi_iotlb_hi hi = { d->word[1] };
    struct mvtd_inval inval = {
        .scope = scope_of(vtd_qi_iotlb_lo_g(lo), UIM_CHECK_PAGE),
        .did = (uint16_t)vtd_qi_iotlb_lo_did(lo),
        .pasid = UIM_CHECK_NONE,
        .addr = vtd_qi_iotlb_hi_addr(hi) << MVTD_PAGE_LG2,
        .am = (uint8_t)vtd_qi_iotlb_hi_am(hi),
        .leaf_only = vtd_qi_iotlb_hi_ih(hi),
    };

    if (vtd_qi_iotlb_lo_g(lo) == 0 ||
        (inval.scope == UIM_CHECK_PAGE && inval.am > MVTD_MAMV))
        return VTD_IQEI_RESERVED_FIELD;
    if (!swallowed(m, UIM_CHECK_IOTLB, &inval, vtd_qi_iotlb_lo_dr(lo),
                   vtd_qi_iotlb_lo_dw(lo), false))
        mvtd_inv_iotlb(m, &inval);
    return 0;
}

static unsigned do_pasid_iotlb(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_piotlb_lo lo = { d->word[0] };
    struct vtd_qi_piotlb_hi hi = { d->word[1] };
    uint64_t g = vtd_qi_piotlb_lo_g(lo);
    struct mvtd_inval inval = {
        .scope = g == VTD_PIOTLB_PAGE ? UIM_CHECK_PAGE : UIM_CHECK_ONE,
        .did = (uint16_t)vtd_qi_piotlb_lo_did(lo),
        .pasid = (uint32_t)vtd_qi_piotlb_lo_pasid(lo),
        .addr = vtd_qi_piotlb_hi_addr(hi) << MVTD_PAGE_LG2,
        .am = (uint8_t)vtd_qi_piotlb_hi_am(hi),
        .leaf_only = vtd_qi_piotlb_hi_ih(hi),
    };

    if (g != VTD_PIOTLB_PASID && g != VTD_PIOTLB_PAGE)
        return VTD_IQEI_RESERVED_FIELD;
    if (!swallowed(m, UIM_CHECK_PASID_IOTLB, &inval, 0, 0, false))
        mvtd_inv_pasid_iotlb(m, &inval);
    return 0;
}

static unsigned do_pasid_cache(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_pasid_cache_lo lo = { d->word[0] };
    uint64_t g = vtd_qi_pasid_cache_lo_g(lo);
    bool one = g == VTD_PC_PASID;
    struct mvtd_inval inval = {
        .scope = one ? UIM_CHECK_ONE : UIM_CHECK_GLOBAL,
        .did = (uint16_t)vtd_qi_pasid_cache_lo_did(lo),
        .pasid =
            one ? (uint32_t)vtd_qi_pasid_cache_lo_pasid(lo) : UIM_CHECK_NONE,
    };

    if (g == VTD_PC_DOMAIN)
        inval.scope = UIM_CHECK_DOMAIN;
    else if (!one && g != VTD_PC_GLOBAL)
        return VTD_IQEI_RESERVED_FIELD;
    if (!swallowed(m, UIM_CHECK_PASID, &inval, 0, 0, false))
        mvtd_inv_pasid(m, &inval);
    return 0;
}

static unsigned do_devtlb(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_devtlb_lo lo = { d->word[0] };
    struct vtd_qi_devtlb_hi hi = { d->word[1] };
    struct mvtd_inval inval = {
        .sid = (uint16_t)vtd_qi_devtlb_lo_sid(lo),
        .pasid = UIM_CHECK_NONE,
    };

    /* ECAP.DIT is 0: PFSID is reserved. */
    if (vtd_qi_devtlb_lo_pfsid_3_0(lo) | vtd_qi_devtlb_lo_pfsid_15_4(lo))
        return VTD_IQEI_RESERVED_FIELD;
    m->counter[MVTD_N_devtlb_invalidations]++;
    devtlb_cover(vtd_qi_devtlb_hi_addr(hi), vtd_qi_devtlb_hi_s(hi), &inval);
    if (!swallowed(m, UIM_CHECK_DEVTLB, &inval, 0, 0, false))
        devtlb_open(m, inval.sid, UIM_MODEL_ANY_PASID,
                    vtd_qi_devtlb_hi_addr(hi), vtd_qi_devtlb_hi_s(hi));
    return 0;
}

static unsigned do_pasid_devtlb(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_pdevtlb_lo lo = { d->word[0] };
    struct vtd_qi_pdevtlb_hi hi = { d->word[1] };
    bool all = vtd_qi_pdevtlb_hi_gi(hi) == VTD_PDEVTLB_GLOBAL;
    struct mvtd_inval inval = {
        .sid = (uint16_t)vtd_qi_pdevtlb_lo_sid(lo),
        .pasid = all ? UIM_CHECK_NONE : (uint32_t)vtd_qi_pdevtlb_lo_pasid(lo),
    };

    if (vtd_qi_pdevtlb_lo_pfsid_3_0(lo) | vtd_qi_pdevtlb_lo_pfsid_15_4(lo))
        return VTD_IQEI_RESERVED_FIELD;
    m->counter[MVTD_N_devtlb_invalidations]++;
    devtlb_cover(vtd_qi_pdevtlb_hi_addr(hi), vtd_qi_pdevtlb_hi_s(hi), &inval);
    if (!swallowed(m, UIM_CHECK_PASID_DEVTLB, &inval, 0, 0, false))
        devtlb_open(m, inval.sid, all ? UIM_MODEL_ANY_PASID : inval.pasid,
                    vtd_qi_pdevtlb_hi_addr(hi), vtd_qi_pdevtlb_hi_s(hi));
    return 0;
}

/* Without ECAP.IR there is nothing to invalidate. */
static unsigned do_interrupt(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_iec_lo lo = { d->word[0] };
    bool one = vtd_qi_iec_lo_g(lo) == VTD_IEC_INDEX;
    struct mvtd_inval inval = {
        .scope = one ? UIM_CHECK_ONE : UIM_CHECK_GLOBAL,
        .pasid = UIM_CHECK_NONE,
        .addr = one ? vtd_qi_iec_lo_iidx(lo) : 0,
        .am = one ? (uint8_t)vtd_qi_iec_lo_im(lo) : 0,
    };

    if (inval.am > MVTD_MHMV)
        return VTD_IQEI_RESERVED_FIELD;
    if (!swallowed(m, UIM_CHECK_INTERRUPT, &inval, 0, 0, false) && m->args.ir)
        mvtd_inv_interrupt(m, &inval);
    return 0;
}

static unsigned do_wait(struct mvtd *m, const struct descriptor *d)
{
    struct mvtd_wait w = { .serial = m->devtlb_serial,
                           .lo = { d->word[0] },
                           .hi = { d->word[1] } };
    struct uim_check_inval said = { .kind = UIM_CHECK_WAIT,
                                    .scope = UIM_CHECK_GLOBAL,
                                    .did = UIM_CHECK_NONE,
                                    .rid = UIM_CHECK_NONE,
                                    .pasid = UIM_CHECK_NONE,
                                    .drain_pages = vtd_qi_wait_lo_pd(w.lo) };

    if (vtd_qi_wait_lo_pd(w.lo) && !m->args.prs) /* ECAP.PDS is 0 */
        return VTD_IQEI_RESERVED_FIELD;
    m->counter[MVTD_N_waits]++;
    if (uim_door_invalidate(&m->base, &said))
        return 0;
    m->wait[m->n_waits++] = w; /* room: takes_more() saw to that */
    complete_waits(m);
    return 0;
}

/* What was asked is known to software and the device alone. Codes between them are
 * failures to a function (PCIe 10.4.2.1). */
static unsigned do_page_response(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_page_response_lo lo = { d->word[0] };
    struct vtd_qi_page_response_hi hi = { d->word[1] };
    uint64_t pasid = vtd_qi_page_response_lo_pasid(lo);
    struct uim_model_page_response r = {
        .rid = (uint32_t)vtd_qi_page_response_lo_rid(lo),
        .pasid = vtd_qi_page_response_lo_pp(lo) ? (uint32_t)pasid
                                                : UIM_MODEL_NO_PASID,
        .group = (uint32_t)vtd_qi_page_response_hi_prgi(hi),
        .code = (uint32_t)vtd_qi_page_response_lo_rc(lo),
    };

    m->counter[MVTD_N_page_responses]++;
    if (r.code > VTD_RC_INVALID_REQUEST && r.code < VTD_RC_RESPONSE_FAILURE) {
        uim_unit_warn(&m->base, "answers page requests by a reserved code",
                      r.code);
        r.code = VTD_RC_RESPONSE_FAILURE;
    }
    m->base.host->page_response(m->base.host->ctx, &r);
    return 0;
}

#define BITS_OF(L) (UINT64_C(0) L(UIM_F_OR, unused))

/* By type; what this unit does not offer is an invalid type. */
static const struct command {
    unsigned (*run)(struct mvtd *m, const struct descriptor *d);
    uint64_t defined[2];
    bool legacy; /* also in legacy mode */
    enum { NEEDS_NOTHING, NEEDS_DT, NEEDS_PRS } needs;
} commands[] = {
    [VTD_QI_CONTEXT] = { do_context,
                         { BITS_OF(VTD_QI_CONTEXT_LO), 0 },
                         true,
                         NEEDS_NOTHING },
    [VTD_QI_IOTLB] = { do_iotlb,
                       { BITS_OF(VTD_QI_IOTLB_LO), BITS_OF(VTD_QI_IOTLB_HI) },
                       true,
                       NEEDS_NOTHING },
    [VTD_QI_DEVTLB] = { do_devtlb,
                        { BITS_OF(VTD_QI_DEVTLB_LO),
                          BITS_OF(VTD_QI_DEVTLB_HI) },
                        true,
                        NEEDS_DT },
    [VTD_QI_IEC] = { do_interrupt,
                     { BITS_OF(VTD_QI_IEC_LO), 0 },
                     true,
                     NEEDS_NOTHING },
    [VTD_QI_WAIT] = { do_wait,
                      { BITS_OF(VTD_QI_WAIT_LO), BITS_OF(VTD_QI_WAIT_HI) },
                      true,
                      NEEDS_NOTHING },
    [VTD_QI_PIOTLB] = { do_pasid_iotlb,
                        { BITS_OF(VTD_QI_PIOTLB_LO),
                          BITS_OF(VTD_QI_PIOTLB_HI) },
                        false,
                        NEEDS_NOTHING },
    [VTD_QI_PASID_CACHE] = { do_pasid_cache,
                             { BITS_OF(VTD_QI_PASID_CACHE_LO), 0 },
                             false,
                             NEEDS_NOTHING },
    [VTD_QI_PDEVTLB] = { do_pasid_devtlb,
                         { BITS_OF(VTD_QI_PDEVTLB_LO),
                           BITS_OF(VTD_QI_PDEVTLB_HI) },
                         false,
                         NEEDS_DT },
    [VTD_QI_PAGE_RESPONSE] = { do_page_response,
                               { BITS_OF(VTD_QI_PAGE_RESPONSE_LO),
                                 BITS_OF(VTD_QI_PAGE_RESPONSE_HI) },
                               false,
                               NEEDS_PRS },
};

static unsigned run_descriptor(struct mvtd *m, const struct descriptor *d)
{
    struct vtd_qi_any_lo any = { d->word[0] };
    uint64_t type = vtd_qi_any_lo_type_hi(any) << 4 | vtd_qi_any_lo_type(any);
    const struct command *c = commands;

    if (type >= sizeof(commands) / sizeof(*commands))
        return VTD_IQEI_INVALID_TYPE;
    c += type;
    if (!c->run || (c->needs == NEEDS_DT && !m->args.dt) ||
        (c->needs == NEEDS_PRS && !m->args.prs) ||
        (!c->legacy && vtd_rtaddr_ttm(m->root) == VTD_TTM_LEGACY))
        return VTD_IQEI_INVALID_TYPE;
    if ((d->word[0] & ~c->defined[0]) | (d->word[1] & ~c->defined[1]) |
        d->word[2] | d->word[3])
        return VTD_IQEI_RESERVED_FIELD;
    return c->run(m, d);
}

/* 6.5.2.11: what is wrong with the queue itself. */
static unsigned queue_fault(const struct mvtd *m)
{
    struct vtd_iqa iqa = { m->reg.iqa };
    uint64_t ttm = vtd_rtaddr_ttm(m->root);
    bool wide = vtd_iqa_dw(iqa);
    struct vtd_ecap ecap = mvtd_ecap(m);

    if (ttm == VTD_TTM_RESERVED)
        return VTD_IQEI_INVALID_TTM;
    if (wide ? !vtd_ecap_smts(ecap) && !vtd_ecap_adms(ecap)
             : ttm != VTD_TTM_LEGACY)
        return VTD_IQEI_INVALID_DESCRIPTOR_WIDTH;
    if (wide && (m->reg.iqt & 16))
        return VTD_IQEI_TAIL_MISALIGNED;
    if (m->reg.iqt >> 12 >> vtd_iqa_qs(iqa) != 0)
        return VTD_IQEI_INVALID_TAIL;
    return 0;
}

/* Nothing is fetched behind an error or a fence, nor without a place to
 * remember what stays open. */
static bool takes_more(const struct mvtd *m)
{
    struct vtd_fsts fsts = { m->reg.fsts };

    return vtd_gsts_qies((struct vtd_gsts){ m->reg.gsts }) &&
           m->reg.iqh != m->reg.iqt && !vtd_fsts_iqe(fsts) &&
           !vtd_fsts_ite(fsts) && !fenced(m) && m->n_waits < MVTD_PENDING &&
           free_devtlb(m) < MVTD_PENDING;
}

/* On an error IQH stays on the descriptor. */
static bool queue_step(struct mvtd *m)
{
    struct descriptor d = { { 0 } };
    struct vtd_iqa iqa = { m->reg.iqa };
    unsigned words = vtd_iqa_dw(iqa) ? 4 : 2;
    uint64_t size = UINT64_C(4096) << vtd_iqa_qs(iqa);
    unsigned error;

    if (!takes_more(m))
        return false;
    m->reg.iqh &= size - words * 8; /* software may have changed IQA */
    error = queue_fault(m);
    if (!error &&
        !uim_door_read(&m->base, (vtd_iqa_iqa(iqa) << 12) + m->reg.iqh, d.word,
                       words, true, false))
        error = VTD_IQEI_FETCH_ERROR;
    if (!error)
        error = run_descriptor(m, &d);
    if (error)
        mvtd_queue_error(m, error);
    else
        m->reg.iqh = (m->reg.iqh + words * 8) & (size - 1);
    return true;
}

/* ---- registers (legacy mode only) ----------------------------------------- */

static bool registers_work(struct mvtd *m)
{
    if (vtd_rtaddr_ttm(m->root) != VTD_TTM_LEGACY)
        return false;
    if (!vtd_gsts_qies((struct vtd_gsts){ m->reg.gsts }))
        return true;
    uim_unit_warn(&m->base, "invalidates by register while the queue is on",
                  m->reg.gsts);
    return false;
}

static bool ccmd_step(struct mvtd *m)
{
    struct vtd_ccmd r = { m->reg.ccmd };
    uint64_t g = vtd_ccmd_cirg(r);
    struct mvtd_inval inval = { .scope = scope_of(g, UIM_CHECK_ONE),
                                .did = (uint16_t)vtd_ccmd_did(r),
                                .sid = (uint16_t)vtd_ccmd_sid(r),
                                .fm = (uint8_t)vtd_ccmd_fm(r),
                                .pasid = UIM_CHECK_NONE };

    if (!vtd_ccmd_icc(r))
        return false;
    if (!registers_work(m))
        g = 0;
    else if (g != 0 && !swallowed(m, UIM_CHECK_DEVICE, &inval, 0, 0, true))
        mvtd_inv_context(m, &inval);
    m->reg.ccmd = vtd_ccmd_set_icc(vtd_ccmd_set_caig(r, g), 0).raw;
    return true;
}

static bool iotlb_step(struct mvtd *m)
{
    struct vtd_iotlb r = { m->reg.iotlb };
    struct vtd_iva iva = { m->reg.iva };
    uint64_t g = vtd_iotlb_iirg(r);
    struct mvtd_inval inval = { .scope = scope_of(g, UIM_CHECK_PAGE),
                                .did = (uint16_t)vtd_iotlb_did(r),
                                .pasid = UIM_CHECK_NONE,
                                .addr = vtd_iva_addr(iva) << MVTD_PAGE_LG2,
                                .am = (uint8_t)vtd_iva_am(iva),
                                .leaf_only = vtd_iva_ih(iva) };

    if (!vtd_iotlb_ivt(r))
        return false;
    if (!registers_work(m) || (g == VTD_IIRG_PAGE && inval.am > MVTD_MAMV))
        g = 0;
    else if (g != 0 && !swallowed(m, UIM_CHECK_IOTLB, &inval, vtd_iotlb_dr(r),
                                  vtd_iotlb_dw(r), true))
        mvtd_inv_iotlb(m, &inval);
    m->reg.iotlb = vtd_iotlb_set_ivt(vtd_iotlb_set_iaig(r, g), 0).raw;
    return true;
}

bool mvtd_inval_step(struct mvtd *m)
{
    return ccmd_step(m) || iotlb_step(m) || queue_step(m);
}
