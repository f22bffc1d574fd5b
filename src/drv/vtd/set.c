/* SPDX-License-Identifier: MIT */
/*
 * set.c - what a requester sees, without a PASID and with each.
 *
 * Replacing an entry (6.5.3.3, semantics B.13): P=0 in one store, then the
 * invalidations that the manual asks for, then the other words, then the word
 * with P. So a requester sees its old domain, nothing, or its new domain. The
 * entry itself says what has to be invalidated: the domain id stays in it until
 * that is confirmed, also when vtd_cut() cleared P long before.
 */
#include "drv/vtd/vtd.h"

#include "base/mem.h"

/* Words of an entry that are ever used. */
enum {
    LEGACY_WORDS = VTD_CONTEXT_LEGACY_BYTES / 8,
    PASID_WORDS = 3,
    MOST_WORDS = 3,
};

/* ---- what entries say ---------------------------------------------------- */

static struct vtd_did did_of(const struct vtd_unit *v,
                             const struct uiommu_endpoint *ep,
                             struct uiommu_domain *domain)
{
    const struct uim_link *link;

    if (domain->kind == UIOMMU_DOMAIN_IDENTITY)
        return v->did_identity;
    link = uim_link_of(domain, ep);
    return (struct vtd_did){ (uint16_t)link->id };
}

/* VTD_AW_* of second-stage tables; level 2 is the root of 39 bits. */
static unsigned aw_of(const struct uim_pt *pt)
{
    return pt->top - 1u;
}

/* 9.3. For pass-through AW is the most that the unit has. */
static void legacy_words(const struct vtd_unit *v,
                         const struct uiommu_endpoint *ep,
                         struct uiommu_domain *d, uint64_t *w)
{
    struct vtd_ctx_legacy_lo_fields lo = { .p = 1, .tt = VTD_TT_PASSTHROUGH };
    struct vtd_ctx_legacy_hi_fields hi = { .aw = v->aw_max };

    hi.did = did_of(v, ep, d).id;
    if (uim_has_tables(d)) {
        lo.tt = ep->ats ? VTD_TT_ATS : VTD_TT_UNTRANSLATED;
        lo.ssptptr = d->pt.root_phys >> 12;
        hi.aw = aw_of(&d->pt);
    }
    w[0] = vtd_ctx_legacy_lo_pack(&lo).raw;
    w[1] = vtd_ctx_legacy_hi_pack(&hi).raw;
}

/* Of a PASID table entry, 9.6. */
struct fields {
    struct vtd_pasid_entry_q0_fields q0;
    struct vtd_pasid_entry_q1_fields q1;
    struct vtd_pasid_entry_q2_fields q2;
};

static void pass_through(const struct vtd_unit *v, struct fields *f)
{
    f->q0.pgtt = VTD_PGTT_PT;
    f->q0.aw = v->aw_max;
}

/* 9.6, bits 127:96: memory types, as IA32_PAT has them, of which they are the lower
 * three bits of each byte. */
static uint64_t memory_types(uint64_t pat)
{
    uint64_t w = 0;

    for (unsigned i = 0; i < 8; i++)
        w |= (pat >> 8 * i & 7) << (32 + 4 * i);
    return w;
}

/* AW does not matter to the first stage, but QEMU checks addresses against it;
 * where the unit has no second stage the field is reserved. PGSNP gives every
 * leaf what UIOMMU_CACHE asks for: first-stage leaves have no bit. */
static void first_stage(const struct vtd_unit *v, const struct uiommu_domain *d,
                        struct fields *f)
{
    const struct uim_pt *pt = &d->pt;

    f->q0.pgtt = VTD_PGTT_FS;
    f->q0.aw = v->aw_max;
    f->q1.pgsnp = vtd_ecap_sc(v->ecap);
    f->q2.fsptptr = pt->root_phys >> 12;
    f->q2.fspm = pt->top == 4 ? VTD_FSPM_FIVE_LEVEL : VTD_FSPM_FOUR_LEVEL;
}

static void second_stage(const struct uim_pt *pt, struct fields *f)
{
    f->q0.pgtt = VTD_PGTT_SS;
    f->q0.aw = aw_of(pt);
    f->q0.ssptptr = pt->root_phys >> 12;
}

/* Our tables say nothing of privilege: privileged requests, which there are with a PASID
 * only, may what others may. Those of a process are for nobody who is privileged: what
 * they have of the kernel is not the device's. */
static void privilege(const struct vtd_unit *v, struct fields *f)
{
    f->q2.sre = vtd_ecap_srs(v->ecap);
    f->q2.wpe = f->q2.sre && f->q0.pgtt == VTD_PGTT_FS;
}

/* PWSNP: walks snoop where they can, as unit.coherent promises. */
static void pasid_words(const struct vtd_unit *v,
                        const struct uiommu_endpoint *ep,
                        struct uiommu_domain *d, uint64_t *w)
{
    struct fields f = { .q0 = { .p = 1 } };

    f.q1.did = did_of(v, ep, d).id;
    f.q1.pwsnp = vtd_ecap_smpwcs(v->ecap);
    if (d->kind == UIOMMU_DOMAIN_IDENTITY)
        pass_through(v, &f);
    else if (vtd_is_first_stage(d))
        first_stage(v, d, &f);
    else
        second_stage(&d->pt, &f);
    if (ep->pasid != UIOMMU_NO_PASID && !d->foreign)
        privilege(v, &f);
    w[0] = vtd_pasid_entry_q0_pack(&f.q0).raw;
    w[1] = vtd_pasid_entry_q1_pack(&f.q1).raw;
    if (d->foreign && vtd_ecap_mts(v->ecap))
        w[1] |= memory_types(d->attributes);
    w[2] = vtd_pasid_entry_q2_pack(&f.q2).raw;
}

static bool entry_is(const uim_word *entry, const uint64_t *value,
                     unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        if (uim_ld64(&entry[i]) != value[i])
            return false;
    return true;
}

static bool entry_used(const uim_word *entry, unsigned words)
{
    static const uint64_t zeros[MOST_WORDS];

    return !entry_is(entry, zeros, words);
}

/* ---- legacy mode --------------------------------------------------------- */

/* 6.5.3.3, context entry: context cache of the device, then IOTLB of the
 * domain. */
static enum uiommu_status legacy_retire(struct vtd_unit *v, struct vtd_sid sid,
                                        uint64_t hi_word)
{
    const struct vtd_ctx_legacy_hi hi = { hi_word };
    const struct vtd_did did = { (uint16_t)vtd_ctx_legacy_hi_did(hi) };
    struct vtd_batch b = { .n = 0 };

    vtd_add_context(&b, VTD_CC_DEVICE, did, sid);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, did);
    return vtd_submit(v, &b);
}

/* An entry became present. CM=1: that it was not may be cached, under domain id
 * 0 (6.1). Else a store may still sit in a write buffer (6.8). */
static enum uiommu_status legacy_announce(struct vtd_unit *v,
                                          struct vtd_sid sid)
{
    struct vtd_batch b = { .n = 0 };

    if (!vtd_cap_cm(v->cap))
        return vtd_write_buffer_flush(v);
    vtd_add_context(&b, VTD_CC_DEVICE, VTD_DID_ABSENT, sid);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, VTD_DID_ABSENT);
    return vtd_submit(v, &b);
}

/* Only the word with P differs, as when ATS is switched on or off: one store
 * does it, and the requester is not blocked in between. */
static bool one_word_differs(const uim_word *entry, const uint64_t *want)
{
    return (uim_ld64(&entry[0]) & want[0] & VTD_ENTRY_P) &&
           uim_ld64(&entry[1]) == want[1];
}

static enum uiommu_status legacy_replace(struct vtd_unit *v,
                                         const struct uiommu_endpoint *ep,
                                         uim_word *entry, const uint64_t *want)
{
    const struct vtd_sid sid = vtd_sid(ep);
    enum uiommu_status status = UIOMMU_OK;

    if (one_word_differs(entry, want)) {
        if (!uim_entry_open(&v->unit, ep, v->coherent, entry, want[0],
                            VTD_ENTRY_P))
            return UIOMMU_TIMEDOUT;
        return legacy_retire(v, sid, want[1]);
    }
    vtd_entry_block(v, entry);
    if (entry_used(entry, LEGACY_WORDS)) {
        status = legacy_retire(v, sid, uim_ld64(&entry[1]));
        if (status != UIOMMU_OK)
            return status;
        vtd_entry_zero(v, entry, LEGACY_WORDS);
    }
    if (!(want[0] & VTD_ENTRY_P))
        return UIOMMU_OK;
    status = vtd_entry_open(v, ep, entry, want, LEGACY_WORDS);
    return status == UIOMMU_OK ? legacy_announce(v, sid) : status;
}

static enum uiommu_status set_legacy(struct vtd_unit *v,
                                     struct uiommu_endpoint *ep,
                                     struct uiommu_domain *next)
{
    const struct vtd_sid sid = vtd_sid(ep);
    uim_word *entry = vtd_context(v, sid);
    uint64_t want[LEGACY_WORDS] = { 0 };
    enum uiommu_status status;

    if (vtd_is_adopted(v, sid)) {
        status = vtd_adopted_drop(v, sid, entry);
        if (status != UIOMMU_OK)
            return status;
    }
    if (next->kind != UIOMMU_DOMAIN_BLOCKED)
        legacy_words(v, ep, next, want);
    else if (!entry)
        return UIOMMU_OK;
    if (!entry) {
        status = vtd_context_create(v, sid, &entry);
        if (status != UIOMMU_OK)
            return status;
    }
    if (entry_is(entry, want, LEGACY_WORDS))
        return UIOMMU_OK;
    status = legacy_replace(v, ep, entry, want);
    if (status != UIOMMU_OK)
        vtd_entry_block(v, entry);
    return status;
}

/* ---- scalable mode ------------------------------------------------------- */

/* The two entries on the way, as found and as wanted. */
struct path {
    struct vtd_sid sid;
    uint32_t pasid;
    bool over; /* what it is to show: the entry is left to cut_scalable() */
    uim_word *context;
    uim_word *entry;           /* of the PASID table; NULL: there is none,
                                * and none is needed                      */
    uint64_t context_word;     /* wanted; its other words are 0           */
    struct vtd_retired *retired; /* the directory before, or NULL         */
    uint64_t want[PASID_WORDS]; /* all 0: blocked                         */
};

/* 9.4. EPTR stays 0: what a device has translated carries no PASID, so that the entry of
 * requests without one is the one that it passes. */
static uint64_t context_word(uint64_t link, const struct uiommu_endpoint *own)
{
    struct vtd_ctx_scalable_q0 q0 = { link };

    q0 = vtd_ctx_scalable_q0_set_dte(q0, own->ats);
    q0 = vtd_ctx_scalable_q0_set_pre(q0, own->pri);
    return vtd_ctx_scalable_q0_set_paside(q0, own->device->pasid_bits > 0).raw;
}

/* Nothing leads to new tables until context_word is stored, but where they are behind a
 * directory that was there: such a table is empty, and stays. */
static enum uiommu_status add_tables(struct vtd_unit *v, struct path *p,
                                     const struct uiommu_endpoint *ep,
                                     uint64_t *link)
{
    struct vtd_pasid_tables tables;
    enum uiommu_status status = vtd_pasid_tables_create(
        v, *link, p->pasid, ep->device->pasid_bits, &tables);

    if (status == UIOMMU_OK && !p->context) {
        status = vtd_context_create(v, p->sid, &p->context);
        if (status != UIOMMU_OK)
            vtd_pasid_tables_destroy(v, tables.link);
    }
    if (status != UIOMMU_OK)
        return status;
    p->retired = tables.retired;
    *link = tables.link;
    return UIOMMU_OK;
}

/* The entries of an endpoint, with tables as far as there are none of ours. A blocked one
 * needs none. */
static enum uiommu_status find_path(struct vtd_unit *v, struct path *p,
                                    struct uiommu_endpoint *ep, bool blocked)
{
    enum uiommu_status status;
    uint64_t link = 0;

    p->context = vtd_context(v, p->sid);
    if (p->context && !vtd_is_adopted(v, p->sid))
        link = uim_ld64(p->context);
    if (!blocked && !vtd_pasid_entry(v, link, p->pasid)) {
        status = add_tables(v, p, ep, &link);
        if (status != UIOMMU_OK)
            return status;
    }
    p->entry = vtd_pasid_entry(v, link, p->pasid);
    if (link & VTD_ENTRY_P)
        p->context_word = context_word(link, uim_own(ep));
    return UIOMMU_OK;
}

/* 6.5.3.3, a context entry that was present: everything that was found by way of it. */
static void add_stale_context(struct vtd_batch *b, const struct vtd_unit *v,
                              const struct path *p)
{
    struct vtd_dids dids;

    vtd_pasid_dids(v, p->context_word, &dids);
    vtd_add_context(b, VTD_CC_DEVICE, dids.n > 0 ? dids.did[0] : VTD_DID_ABSENT,
                    p->sid);
    if (dids.more) {
        vtd_add_pasid_cache(b, VTD_PC_GLOBAL, VTD_DID_ABSENT, 0);
        vtd_add_iotlb(b, v, VTD_IOTLB_GLOBAL, VTD_DID_ABSENT);
        return;
    }
    for (unsigned i = 0; i < dids.n; i++)
        vtd_add_pasid_cache(b, VTD_PC_DOMAIN, dids.did[i], 0);
    for (unsigned i = 0; i < dids.n; i++)
        vtd_add_iotlb(b, v, VTD_IOTLB_DOMAIN, dids.did[i]);
}

/* And a PASID entry that was present. QEMU, up to 10.0 at least, leaves its pass-through
 * shortcut only for an invalidation of the context entry: without one the requester would
 * go on untranslated. The manual does not ask for it, and it does no harm. */
static void add_stale_entry(struct vtd_batch *b, const struct vtd_unit *v,
                            const struct path *p)
{
    const struct vtd_pasid_entry_q0 q0 = { uim_ld64(&p->entry[0]) };
    const struct vtd_pasid_entry_q1 q1 = { uim_ld64(&p->entry[1]) };
    const struct vtd_did did = { (uint16_t)vtd_pasid_entry_q1_did(q1) };
    const uint64_t pgtt = vtd_pasid_entry_q0_pgtt(q0);

    if (!entry_used(p->entry, PASID_WORDS))
        return;
    if (pgtt == VTD_PGTT_PT) {
        vtd_add_context(b, VTD_CC_DEVICE, did, p->sid);
        vtd_add_pasid_cache(b, VTD_PC_DOMAIN, did, 0);
    } else {
        vtd_add_pasid_cache(b, VTD_PC_PASID, did, p->pasid);
    }
    if (pgtt == VTD_PGTT_FS)
        vtd_add_piotlb(b, did, p->pasid);
    else
        vtd_add_iotlb(b, v, VTD_IOTLB_DOMAIN, did);
}

/* As legacy_announce(). The manual does not say whether a PASID entry that was
 * not present is cached under domain id 0 or under the new one: both. */
static enum uiommu_status scalable_announce(struct vtd_unit *v,
                                            const struct path *p)
{
    const struct vtd_pasid_entry_q1 q1 = { p->want[1] };
    const struct vtd_did did = { (uint16_t)vtd_pasid_entry_q1_did(q1) };
    struct vtd_batch b = { .n = 0 };

    if (!vtd_cap_cm(v->cap))
        return vtd_write_buffer_flush(v);
    vtd_add_context(&b, VTD_CC_DEVICE, VTD_DID_ABSENT, p->sid);
    vtd_add_pasid_cache(&b, VTD_PC_PASID, VTD_DID_ABSENT, p->pasid);
    vtd_add_pasid_cache(&b, VTD_PC_PASID, did, p->pasid);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, VTD_DID_ABSENT);
    vtd_add_iotlb(&b, v, VTD_IOTLB_DOMAIN, did);
    return vtd_submit(v, &b);
}

/* The context entry of a present path changes in DTE, PASIDE and the directory, which
 * holds the same as before: one store, and nobody is blocked by it. What leads to a
 * PASID entry goes with it, so one list of commands is enough for both. */
static enum uiommu_status
scalable_retire(struct vtd_unit *v, const struct path *p, bool entry_changes)
{
    uint64_t found = uim_ld64(p->context);
    bool context_changes = found != p->context_word;
    struct vtd_batch b = { .n = 0 };

    if (entry_changes)
        vtd_entry_block(v, p->entry);
    if (context_changes) /* FPD is mute()'s, which may come at any time */
        uim_entry_change(&v->unit, v->coherent, p->context,
                         ~(uint64_t)VTD_ENTRY_FPD,
                         p->context_word & ~(uint64_t)VTD_ENTRY_FPD);
    if (context_changes && (found & VTD_ENTRY_P))
        add_stale_context(&b, v, p);
    else if (entry_changes)
        add_stale_entry(&b, v, p);
    return b.n > 0 ? vtd_submit(v, &b) : UIOMMU_OK;
}

static enum uiommu_status scalable_replace(struct vtd_unit *v,
                                           const struct uiommu_endpoint *ep,
                                           const struct path *p)
{
    bool entry_changes =
        p->entry && !p->over && !entry_is(p->entry, p->want, PASID_WORDS);
    enum uiommu_status status;

    if (!entry_changes && uim_ld64(p->context) == p->context_word)
        return UIOMMU_OK;
    status = scalable_retire(v, p, entry_changes);
    vtd_retire(v, p->retired, status == UIOMMU_OK);
    if (status != UIOMMU_OK || !entry_changes)
        return status;
    if (entry_used(p->entry, PASID_WORDS))
        vtd_entry_zero(v, p->entry, PASID_WORDS);
    if (!(p->want[0] & VTD_ENTRY_P))
        return UIOMMU_OK;
    status = vtd_entry_open(v, ep, p->entry, p->want, PASID_WORDS);
    return status == UIOMMU_OK ? scalable_announce(v, p) : status;
}

/* On failure the new tables, which nothing leads to, go again. */
static enum uiommu_status leave_adopted(struct vtd_unit *v,
                                        const struct path *p)
{
    enum uiommu_status status = vtd_adopted_drop(v, p->sid, p->context);

    if (status != UIOMMU_OK)
        vtd_pasid_tables_destroy(v, p->context_word);
    return status;
}

static enum uiommu_status set_scalable(struct vtd_unit *v,
                                       struct uiommu_endpoint *ep,
                                       struct uiommu_domain *next)
{
    bool blocked = next->kind == UIOMMU_DOMAIN_BLOCKED;
    struct path p = {
        .sid = vtd_sid(ep),
        .pasid = ep->pasid,
        .over = !blocked && atomic_load(&ep->over),
    };
    enum uiommu_status status;

    /* What has no PASID goes on with tables that are not ours to change. */
    if (ep->pasid != UIOMMU_NO_PASID && vtd_is_adopted(v, p.sid))
        return blocked ? UIOMMU_OK : UIOMMU_BUSY;
    status = find_path(v, &p, ep, blocked);
    if (status == UIOMMU_OK && vtd_is_adopted(v, p.sid))
        status = leave_adopted(v, &p);
    if (status != UIOMMU_OK || !(p.context_word & VTD_ENTRY_P))
        return status;
    if (!blocked)
        pasid_words(v, ep, next, p.want);
    status = scalable_replace(v, ep, &p);
    if (status != UIOMMU_OK && p.entry)
        vtd_entry_block(v, p.entry);
    return status;
}

/* ---- what is not recorded -------------------------------------------------- */

/* An entry with P=0 may be cached with CM=1, under domain id 0, and one with P=1 under
 * that of any of its PASIDs: what changes once in a storm may be forgotten for all. */
static enum uiommu_status forget_contexts(struct vtd_unit *v)
{
    struct vtd_batch b = { .n = 0 };

    vtd_add_context(&b, VTD_CC_GLOBAL, VTD_DID_ABSENT, (struct vtd_sid){ 0 });
    return vtd_submit(v, &b);
}

/* FPD of the context entry, which counts for the id with all its PASIDs, becomes what the
 * mark of the id says. Copies of somebody's entries are not ours to change. */
static enum uiommu_status mute(struct vtd_unit *v,
                               struct uiommu_endpoint *endpoint)
{
    const bool muted = atomic_load(&uim_own(endpoint)->muted);
    const struct vtd_sid sid = vtd_sid(endpoint);
    uim_word *entry = vtd_context(v, sid);

    if (!entry || vtd_is_adopted(v, sid) ||
        ((uim_ld64(entry) & VTD_ENTRY_FPD) != 0) == muted)
        return UIOMMU_OK;
    uim_entry_change(&v->unit, v->coherent, entry, VTD_ENTRY_FPD,
                     muted ? VTD_ENTRY_FPD : 0);
    return forget_contexts(v);
}

enum uiommu_status vtd_make_entry(struct uiommu_endpoint *endpoint)
{
    struct vtd_unit *v = vtd_unit(endpoint->unit);
    uim_word *entry;

    return vtd_context_create(v, vtd_sid(endpoint), &entry);
}

/* Only what carries this PASID. What a device has translated passes as long as the entry
 * without PASID is present (3.14), whatever it was translated for: so it is that of the
 * endpoint without PASID that stops a device TLB. */
static enum uiommu_status cut_scalable(struct vtd_unit *v,
                                       const struct uiommu_endpoint *ep)
{
    struct path p = { .sid = vtd_sid(ep), .pasid = ep->pasid };
    struct vtd_batch b = { .n = 0 };

    p.entry = vtd_pasid_entry_of(v, p.sid, p.pasid);
    if (!p.entry)
        return UIOMMU_OK;
    /* What is refused of an address space that has ended is of interest to nobody. */
    uim_entry_change(&v->unit, v->coherent, p.entry, VTD_ENTRY_P,
                     atomic_load(&ep->over) ? VTD_ENTRY_FPD : 0);
    add_stale_entry(&b, v, &p);
    return b.n > 0 ? vtd_submit(v, &b) : UIOMMU_OK;
}

/* ---- operations ---------------------------------------------------------- */

/* Entries are made anew here and there: FPD goes before that, and comes after it. */
enum uiommu_status vtd_set(struct uiommu_endpoint *endpoint,
                           struct uiommu_domain *next,
                           struct uiommu_domain *old)
{
    struct vtd_unit *v = vtd_unit(endpoint->unit);
    const bool block = next->kind == UIOMMU_DOMAIN_BLOCKED;
    enum uiommu_status status, before;

    (void)old; /* the entry knows */
    if (!block && endpoint->pasid >> endpoint->device->pasid_bits != 0)
        return UIOMMU_INVAL;
    before = mute(v, endpoint);
    if (before != UIOMMU_OK && !block)
        return before;
    status = vtd_has_pasids(v) ? set_scalable(v, endpoint, next)
                               : set_legacy(v, endpoint, next);
    if (status == UIOMMU_OK && !block && atomic_load(&endpoint->over))
        status = cut_scalable(v, endpoint);
    if (status == UIOMMU_OK)
        status = mute(v, endpoint);
    return status == UIOMMU_OK ? before : status;
}

/* What the unit still has cached of the entry would let DMA go on. */
static enum uiommu_status cut_legacy(struct vtd_unit *v, struct vtd_sid sid)
{
    uim_word *entry = vtd_context(v, sid);

    if (!entry)
        return UIOMMU_OK;
    uim_entry_block(&v->unit, v->coherent, entry, VTD_ENTRY_P);
    return legacy_retire(v, sid, uim_ld64(&entry[1]));
}

static enum uiommu_status cut(struct vtd_unit *v,
                              const struct uiommu_endpoint *endpoint)
{
    const struct vtd_sid sid = vtd_sid(endpoint);
    enum uiommu_status status;

    if (vtd_is_adopted(v, sid) &&
        vtd_adopted_cut(v, sid, vtd_context(v, sid), &status))
        return status;
    if (vtd_has_pasids(v))
        return cut_scalable(v, endpoint);
    return cut_legacy(v, sid);
}

enum uiommu_status vtd_cut(struct uiommu_endpoint *endpoint)
{
    struct vtd_unit *v = vtd_unit(endpoint->unit);
    enum uiommu_status status = cut(v, endpoint);

    return status == UIOMMU_OK ? mute(v, endpoint) : status;
}
