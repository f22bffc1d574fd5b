/* SPDX-License-Identifier: MIT */
/*
 * requesters_vtd.c - root, context and PASID tables of VT-d (D51397 rev 5.10, 3.4, 9.1 to
 * 9.6).
 */
#include "walk/requesters.h"

#include "spec/vtd.h"

#define PLACE(P, n, hi, lo) P##_##n##_HIGH = (hi), P##_##n##_LOW = (lo),
enum { VTD_ROOT_LO(PLACE, vtd_root_lo) };
#define BITS(field) UIM_MASK(field##_HIGH, field##_LOW)

/* Root and PASID directory entries are alike in this, but those of the root have 128 bits
 * in legacy mode. */
static const struct uim_walk_link link = {
    .present = BITS(vtd_root_lo_p),
    .next = BITS(vtd_root_lo_ctp),
    .lg2 = 3,
};

static const struct uim_walk_link legacy_link = {
    .present = BITS(vtd_root_lo_p),
    .next = BITS(vtd_root_lo_ctp),
    .lg2 = 4,
};

enum {
    ID_BITS = 16,
    DEVFN_BITS = 8,
    PASID_LOW_BITS = 6,
    PASID_BITS = 20,
    TOP_OF_AW = 1,  /* VTD_AW_* n: the root is a table of level n + 1        */
    FS_TOP = 3,
};

/* ---- page tables ------------------------------------------------------------- */

static void page_tables(const struct uim_requesters *t,
                        const struct uim_walk_format *format, unsigned top,
                        uint64_t root, struct uim_sight *out)
{
    out->kind = UIM_SIGHT_TABLE;
    out->root = root;
    out->params = (struct uim_walk_params){
        .format = format,
        .page_sizes = t->page_sizes,
        .unreserved = t->unreserved,
        .top = (uint8_t)top,
        .phys_bits = t->phys_bits,
    };
}

static void second_stage(const struct uim_requesters *t, uint64_t aw,
                         uint64_t root, struct uim_sight *out)
{
    if (aw < VTD_AW_39 || aw > VTD_AW_57)
        out->kind = UIM_SIGHT_MALFORMED;
    else
        page_tables(t, &uim_walk_vtd_ss, (unsigned)aw + TOP_OF_AW, root, out);
}

static void pass_through(const struct uim_requesters *t, struct uim_sight *out)
{
    out->kind = t->passes ? UIM_SIGHT_ALL : UIM_SIGHT_MALFORMED;
}

/* ---- legacy mode ------------------------------------------------------------- */

/* 9.3 */
static void decode_legacy(const struct uim_requesters *t, const uint64_t *words,
                          struct uim_requester *out)
{
    const struct vtd_ctx_legacy_lo lo = { words[0] };
    const struct vtd_ctx_legacy_hi hi = { words[1] };
    const uint64_t tt = vtd_ctx_legacy_lo_tt(lo);

    if (!vtd_ctx_legacy_lo_p(lo))
        return;
    out->own.tag = (uint32_t)vtd_ctx_legacy_hi_did(hi);
    out->ats = tt == VTD_TT_ATS;
    if ((lo.raw & ~vtd_ctx_legacy_lo_DEFINED) ||
        (hi.raw & ~vtd_ctx_legacy_hi_DEFINED))
        out->own.kind = UIM_SIGHT_MALFORMED;
    else if (tt == VTD_TT_PASSTHROUGH)
        pass_through(t, &out->own);
    else if (tt == VTD_TT_UNTRANSLATED || tt == VTD_TT_ATS)
        second_stage(t, vtd_ctx_legacy_hi_aw(hi),
                     vtd_ctx_legacy_lo_ssptptr(lo) << 12, &out->own);
    else
        out->own.kind = UIM_SIGHT_MALFORMED;
}

/* ---- scalable mode ------------------------------------------------------------ */

/* 9.4. Bits of words 2 and 3 are reserved. */
static void decode_scalable(const struct uim_requesters *t,
                            const uint64_t *words, struct uim_requester *out)
{
    const struct vtd_ctx_scalable_q0 q0 = { words[0] };
    const struct vtd_ctx_scalable_q1 q1 = { words[1] };
    const unsigned bits = (unsigned)vtd_ctx_scalable_q0_pdts(q0) +
                          VTD_PDTS_ENTRIES_SHIFT + PASID_LOW_BITS;

    (void)t;
    if (!vtd_ctx_scalable_q0_p(q0))
        return;
    if ((q0.raw & ~vtd_ctx_scalable_q0_DEFINED) ||
        (q1.raw & ~vtd_ctx_scalable_q1_DEFINED) || words[2] || words[3]) {
        out->own.kind = UIM_SIGHT_MALFORMED;
        return;
    }
    out->own_below = true;
    out->own_pasid = (uint32_t)vtd_ctx_scalable_q1_rid_pasid(q1);
    out->with_pasid = vtd_ctx_scalable_q0_paside(q0) != 0;
    out->ats = vtd_ctx_scalable_q0_dte(q0) != 0;
    out->pasids = (struct uim_walk_index){
        .link = &link,
        .root = vtd_ctx_scalable_q0_pasiddirptr(q0) << 12,
        .bits = (uint8_t)(bits < PASID_BITS ? bits : PASID_BITS),
        .low_bits = PASID_LOW_BITS,
        .entry_lg2 = 6,
    };
}

static void first_stage(const struct uim_requesters *t,
                        struct vtd_pasid_entry_q2 q2, struct uim_sight *out)
{
    const uint64_t mode = vtd_pasid_entry_q2_fspm(q2);

    if (mode > VTD_FSPM_FIVE_LEVEL)
        out->kind = UIM_SIGHT_MALFORMED;
    else
        page_tables(t, &uim_walk_vtd_fs, FS_TOP + (unsigned)mode,
                    vtd_pasid_entry_q2_fsptptr(q2) << 12, out);
}

/* 9.6 */
static void decode_pasid(const struct uim_requesters *t, const uint64_t *words,
                         struct uim_sight *out)
{
    const struct vtd_pasid_entry_q0 q0 = { words[0] };
    const struct vtd_pasid_entry_q1 q1 = { words[1] };
    const struct vtd_pasid_entry_q2 q2 = { words[2] };
    const uint64_t aw = vtd_pasid_entry_q0_aw(q0);
    const uint64_t root = vtd_pasid_entry_q0_ssptptr(q0) << 12;

    if (!vtd_pasid_entry_q0_p(q0))
        return;
    out->tag = (uint32_t)vtd_pasid_entry_q1_did(q1);
    switch (vtd_pasid_entry_q0_pgtt(q0)) {
    case VTD_PGTT_FS:
        first_stage(t, q2, out);
        break;
    case VTD_PGTT_SS:
        second_stage(t, aw, root, out);
        break;
    case VTD_PGTT_NESTED:
        second_stage(t, aw, root, out);
        out->more = true;
        break;
    case VTD_PGTT_PT:
        pass_through(t, out);
        break;
    default:
        out->kind = UIM_SIGHT_MALFORMED;
        break;
    }
}

/* ---- roots --------------------------------------------------------------------- */

static const struct uim_requester_format legacy = {
    .name = "vtd_legacy",
    .decode = decode_legacy,
};

static const struct uim_requester_format scalable = {
    .name = "vtd_scalable",
    .decode = decode_scalable,
    .decode_pasid = decode_pasid,
};

static uint64_t root_of(uint64_t rtaddr)
{
    return vtd_rtaddr_rta((struct vtd_rtaddr){ rtaddr }) << 12;
}

void uim_requesters_vtd_legacy(struct uim_requesters *t, uint64_t rtaddr)
{
    t->format = &legacy;
    t->ids = (struct uim_walk_index){
        .link = &legacy_link,
        .root = root_of(rtaddr),
        .bits = ID_BITS,
        .low_bits = DEVFN_BITS,
        .entry_lg2 = 4,
    };
}

void uim_requesters_vtd_scalable(struct uim_requesters *t, uint64_t rtaddr)
{
    t->format = &scalable;
    t->ids = (struct uim_walk_index){
        .link = &link,
        .root = root_of(rtaddr),
        .bits = ID_BITS,
        .low_bits = DEVFN_BITS - 1, /* 3.4.3 */
        .entry_lg2 = 5,
    };
}
