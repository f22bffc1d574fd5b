/* SPDX-License-Identifier: MIT */
#include "tests/core/audited.h"
#include "tests/core/handover.h"

#include "drv/smmuv3/smmuv3.h"
#include "drv/vtd/vtd.h"

/* ---- what was told ----------------------------------------------------------------- */

static struct audited last;

/* Each audit begins with its first unit: where calls are made again and again, the last
 * one counts. */
static void add(void *ctx, const struct uiommu_audit *row)
{
    struct audited *a = ctx;

    if (!row->of_requester && row->unit == 0 &&
        row->kind != UIOMMU_AUDIT_UNFINISHED &&
        (a->n == 0 || a->row[a->n - 1].of_requester ||
         a->row[a->n - 1].unit > 0)) {
        const enum uiommu_status status = a->status;

        memset(a, 0, sizeof(*a));
        a->status = status;
    }
    assert_true(a->n < ROWS);
    assert_non_null(row->text);
    assert_true(strlen(row->text) > 10 && strlen(row->text) < ROW_TEXT);
    strcpy(a->text[a->n], row->text);
    a->row[a->n] = *row;
    a->row[a->n].text = a->text[a->n];
    a->n++;
    a->kinds[row->kind]++;
    a->findings += uiommu_audit_is_finding(row->kind);
}

const struct audited *audit_of(struct uiommu *u)
{
    memset(&last, 0, sizeof(last));
    last.status = uiommu_audit(u, add, &last);
    return &last;
}

const struct audited *audit(struct rig *rig)
{
    return audit_of(rig->u);
}

const struct audited *audited_last(void)
{
    return &last;
}

static void print(const struct audited *a)
{
    for (unsigned i = 0; i < a->n; i++)
        print_message("%s %s\n",
                      uiommu_audit_is_finding(a->row[i].kind) ? "!" : " ",
                      a->text[i]);
}

const struct uiommu_audit *row_of(const struct audited *a,
                                  const struct uiommu_endpoint *ep)
{
    const struct uiommu_audit *found = NULL;

    for (unsigned i = 0; i < a->n; i++) {
        const struct uiommu_audit *row = &a->row[i];

        if (!row->of_requester || row->id != ep->id ||
            row->pasid != ep->pasid || row->kind == UIOMMU_AUDIT_ATS)
            continue;
        assert_null(found);
        found = row;
    }
    assert_non_null(found);
    return found;
}

void finds_nothing(struct rig *rig)
{
    const struct audited *a = audit(rig);

    rig_ok(a->status);
    if (a->findings > 0)
        print(a);
    assert_int_equal(a->findings, 0);
}

static const struct uiommu_audit *finds_one(struct rig *rig,
                                            enum uiommu_audit_kind kind)
{
    const struct audited *a = audit(rig);
    const struct uiommu_audit *found = NULL;

    if (a->findings != 1 || a->kinds[kind] != 1)
        print(a);
    assert_int_equal(a->kinds[kind], 1);
    assert_int_equal(a->findings, 1);
    rig_is(a->status,
           kind == UIOMMU_AUDIT_UNREADABLE ? UIOMMU_NOMEM : UIOMMU_OK);
    for (unsigned i = 0; i < a->n; i++)
        if (a->row[i].kind == kind)
            found = &a->row[i];
    return found;
}

void finds_unit(struct rig *rig, enum uiommu_audit_kind kind, const char *says)
{
    const struct uiommu_audit *row = finds_one(rig, kind);

    assert_false(row->of_requester);
    assert_says(row->text, says);
    assert_says(row->text, "unit");
}

void finds_id(struct rig *rig, enum uiommu_audit_kind kind, uint32_t id,
              uint32_t pasid)
{
    const struct uiommu_audit *row = finds_one(rig, kind);

    assert_true(row->of_requester);
    assert_int_equal(row->id, id);
    assert_int_equal(row->pasid, pasid);
    assert_string_equal(row->driver, rig_arch(rig)->driver->name);
}

void finds(struct rig *rig, enum uiommu_audit_kind kind,
           struct uiommu_endpoint *ep)
{
    finds_id(rig, kind, ep->id, ep->pasid);
    for (unsigned i = 0; i < last.n; i++)
        if (last.row[i].kind == kind)
            assert_ptr_equal(last.row[i].device, ep->device);
}

/* ---- words that change --------------------------------------------------------------- */

void change(struct changes *c, uim_word *word, uint64_t value)
{
    assert_true(c->n < CHANGES);
    c->at[c->n].word = word;
    c->at[c->n].was = uim_ld64(word);
    c->n++;
    uim_st64(word, value);
}

void change_bits(struct changes *c, uim_word *word, uint64_t mask,
                 uint64_t value)
{
    change(c, word, (uim_ld64(word) & ~mask) | value);
}

void change_back(struct changes *c)
{
    while (c->n > 0) {
        c->n--;
        uim_st64(c->at[c->n].word, c->at[c->n].was);
    }
}

/* ---- entries --------------------------------------------------------------------------- */

static struct vtd_unit *vtd_of(struct uiommu_endpoint *ep)
{
    return ep->unit->driver == &uiommu_driver_vtd ? vtd_unit(ep->unit) : NULL;
}

static struct smmuv3_unit *smmuv3_of(struct uiommu_endpoint *ep)
{
    return smmuv3_unit(ep->unit);
}

static uim_word *ste_of(struct uiommu_endpoint *ep)
{
    return smmuv3_ste(smmuv3_of(ep), smmuv3_sid(ep));
}

/* Where requests of the endpoint find their descriptor; NULL: second stage. */
static uim_word *cd_of(struct uiommu_endpoint *ep)
{
    uim_word *ste = ste_of(ep);
    struct smmuv3_cds cds;

    if (!smmuv3_first_stage(smmuv3_of(ep)))
        return NULL;
    if (smmuv3_has_table(uim_ld64(ste)))
        return smmuv3_cd(smmuv3_of(ep), uim_ld64(ste), ep->pasid);
    smmuv3_cds(smmuv3_of(ep), ste, &cds);
    return cds.current;
}

uim_word *entry_of_id(struct uiommu_endpoint *like, uint32_t id)
{
    if (vtd_of(like))
        return vtd_context(vtd_of(like), (struct vtd_sid){ (uint16_t)id });
    return smmuv3_ste(smmuv3_of(like), (struct smmuv3_sid){ id });
}

uim_word *audited_entry(struct uiommu_endpoint *ep)
{
    if (!vtd_of(ep))
        return cd_of(ep) ? cd_of(ep) : ste_of(ep);
    if (vtd_of(ep)->mode == VTD_LEGACY)
        return entry_of_id(ep, ep->id);
    return vtd_pasid_entry_of(vtd_of(ep), vtd_sid(ep), ep->pasid);
}

unsigned entry_words(struct uiommu_endpoint *ep)
{
    if (!vtd_of(ep))
        return SMMUV3_STE_WORDS;
    return (vtd_has_pasids(vtd_of(ep)) ? VTD_CONTEXT_SCALABLE_BYTES
                                       : VTD_CONTEXT_LEGACY_BYTES) /
           8;
}

void copy_entry(struct changes *c, const uim_word *from, uim_word *to,
                unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        change(c, &to[i], uim_ld64(&from[i]));
}

void let_all_pass(struct changes *c, struct uiommu_endpoint *ep)
{
    uim_word *e = vtd_of(ep) ? audited_entry(ep) : ste_of(ep);

    if (!vtd_of(ep))
        change_bits(c, e, 0xe, SMMUV3_STE_BYPASS << 1);
    else if (vtd_of(ep)->mode == VTD_LEGACY)
        change_bits(c, e, 0xc, VTD_TT_PASSTHROUGH << 2);
    else
        change_bits(c, e, 0x1c0, VTD_PGTT_PT << 6);
}

/* Which word has the address of the root, and where below. */
static uim_word *root_word(struct uiommu_endpoint *ep)
{
    uim_word *e = audited_entry(ep);

    if (!vtd_of(ep))
        return cd_of(ep) ? &e[1] : &e[3];
    return vtd_of(ep)->mode == VTD_FIRST_STAGE ? &e[2] : &e[0];
}

void use_root(struct changes *c, struct uiommu_endpoint *ep, uint64_t root)
{
    change_bits(c, root_word(ep), UINT64_C(0xfffffffffff000), root);
}

/* One more, or fewer addresses. */
void use_levels(struct changes *c, struct uiommu_endpoint *ep)
{
    uim_word *e = audited_entry(ep);
    uint64_t aw;

    if (!vtd_of(ep)) {
        if (cd_of(ep))
            change(c, e, uim_ld64(e) + 8); /* T0SZ */
        else
            change(c, &e[2], uim_ld64(&e[2]) + (UINT64_C(1) << 32));
        return;
    }
    if (vtd_of(ep)->mode == VTD_FIRST_STAGE) {
        change(c, &e[2], uim_ld64(&e[2]) ^ 1u << 2);
        return;
    }
    if (vtd_of(ep)->mode == VTD_LEGACY)
        e++;
    aw = vtd_of(ep)->mode == VTD_LEGACY ? 1 : 1 << 2;
    change(c, e, uim_ld64(e) ^ 3 * aw); /* 39 and 48 bits */
}

void use_tag(struct changes *c, struct uiommu_endpoint *ep, uint32_t tag)
{
    uim_word *e = audited_entry(ep);

    if (!vtd_of(ep) && cd_of(ep))
        change_bits(c, e, UINT64_C(0xffff) << 48, (uint64_t)tag << 48);
    else if (!vtd_of(ep))
        change_bits(c, &e[2], 0xffff, tag);
    else if (vtd_of(ep)->mode == VTD_LEGACY)
        change_bits(c, &e[1], 0xffff00, (uint64_t)tag << 8);
    else
        change_bits(c, &e[1], 0xffff, tag);
}

void answer_ats(struct changes *c, struct uiommu_endpoint *ep)
{
    if (!vtd_of(ep))
        change_bits(c, &ste_of(ep)[1], UINT64_C(3) << 28,
                    (uint64_t)SMMUV3_EATS_FULL << 28);
    else if (vtd_of(ep)->mode == VTD_LEGACY)
        change_bits(c, audited_entry(ep), 0xc, VTD_TT_ATS << 2);
    else
        change_bits(c, entry_of_id(ep, ep->id), 4, 4);
}

void damage(struct changes *c, struct uiommu_endpoint *ep)
{
    uim_word *e = audited_entry(ep);

    if (!vtd_of(ep) && cd_of(ep))
        change_bits(c, e, UINT64_C(1) << 41, 0); /* AA64 */
    else if (!vtd_of(ep))
        change_bits(c, &e[2], UINT64_C(1) << 51, 0); /* S2AA64 */
    else if (vtd_of(ep)->mode == VTD_LEGACY)
        change_bits(c, e, 0x10, 0x10);
    else
        change_bits(c, e, 0x1c0, 0x1c0); /* PGTT 7 */
}

bool lose_entry(struct changes *c, struct uiommu_endpoint *ep, uint64_t phys)
{
    const uint64_t address = UINT64_C(0xfffffffffff000);
    struct vtd_unit *v = vtd_of(ep);

    if (v && vtd_has_pasids(v)) {
        change_bits(c, entry_of_id(ep, ep->id), address, phys);
        return true;
    }
    if (v) {
        change_bits(c, &v->root[(ep->id >> 8) * 2], address, phys);
        return true;
    }
    if (!cd_of(ep))
        return false;
    change_bits(c, ste_of(ep), address | 0xfc0, phys);
    return true;
}

uim_word *pte_of(struct rig *rig, struct uiommu_domain *d, uint64_t iova,
                 unsigned level)
{
    const struct uiommu_host *h = &rig->m->host;
    uim_word *table = d->pt.root;

    for (unsigned at = d->pt.top;; at--) {
        const unsigned index = iova >> (12 + 9 * at) & 0x1ff;

        if (at == level)
            return &table[index];
        table = uim_phys_to_virt(h, uim_ld64(&table[index]) &
                                        UINT64_C(0xfffffffff000));
    }
}

/* ---- scene -------------------------------------------------------------------------------- */

void open_scene(struct rig *rig, struct scene *s)
{
    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < 3; i++)
        s->ep[i] = rig_endpoint(rig, i);
    for (unsigned i = 0; i < 2; i++) {
        s->page[i] = rig_pages(rig, 0);
        s->d[i] = attached_with(rig, i, BASE, s->page[i]);
    }
    finds_nothing(rig);
}

void close_scene(struct rig *rig, struct scene *s)
{
    change_back(&s->c);
    finds_nothing(rig);
    for (unsigned i = 0; i < 2; i++)
        rig_drop(rig, i, s->d[i]);
}

/* ---- registers ----------------------------------------------------------------------------- */

void poke_register(struct rig *rig, uint32_t offset, uint32_t bytes,
                   uint64_t value)
{
    sim_ops(rig->m)->mmio_write(sim_model(rig->m), 0, offset, value, bytes);
}

enum { TE_BIT = 31 };

static bool is_vtd(struct rig *rig)
{
    return rig_arch(rig)->driver == &uiommu_driver_vtd;
}

static void vtd_te(struct rig *rig, bool on)
{
    uint64_t gsts = rig_register(rig, VTD_REG_GSTS, 4) & VTD_GSTS_KEEP;

    gsts &= ~(UINT64_C(1) << TE_BIT);
    poke_register(rig, VTD_REG_GCMD, 4, gsts | (uint64_t)on << TE_BIT);
}

static void smmuv3_gbpa_poke(struct rig *rig, uint64_t abort_bit)
{
    poke_register(rig, SMMUV3_REG_GBPA, 4, abort_bit << 20 | UINT64_C(1) << 31);
}

void switch_off(struct rig *rig)
{
    if (is_vtd(rig)) {
        vtd_te(rig, false);
        return;
    }
    smmuv3_gbpa_poke(rig, 0);
    poke_register(rig, SMMUV3_REG_CR0, 4,
                  rig_register(rig, SMMUV3_REG_CR0, 4) & ~UINT64_C(1));
}

void switch_on(struct rig *rig)
{
    if (is_vtd(rig)) {
        vtd_te(rig, true);
        return;
    }
    poke_register(rig, SMMUV3_REG_CR0, 4,
                  rig_register(rig, SMMUV3_REG_CR0, 4) | 1);
    smmuv3_gbpa_poke(rig, 1);
}
