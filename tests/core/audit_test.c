/* SPDX-License-Identifier: MIT */
/*
 * audit_test.c - who is confined by the tables that units really read: nothing is found on
 * a machine that nobody touched, and each kind of finding, and it alone, on one whose
 * tables or registers were changed behind uiommu's back.
 */
#include "tests/core/audited.h"
#include "tests/core/doorbells.h"
#include "tests/core/handover.h"

#include "drv/smmuv3/smmuv3.h"
#include "drv/vtd/vtd.h"

static struct uim_link *link_of(const struct scene *s, unsigned n)
{
    return uim_link_of(s->d[n], s->ep[n]);
}

/* ---- all is well ------------------------------------------------------------------- */

static void row_is(const struct audited *a, struct rig *rig, unsigned n,
                   enum uiommu_audit_kind kind)
{
    const struct uiommu_audit *row = row_of(a, rig_endpoint(rig, n));

    assert_int_equal(row->kind, kind);
    assert_ptr_equal(row->device, rig->device[rig_engine(rig, n)]);
    assert_ptr_equal(row->domain, uiommu_endpoint_domain(rig_endpoint(rig, n)));
    assert_false(row->has_iova);
}

static void everybody_is_where_he_was_put(struct rig *rig)
{
    struct scene s;
    const struct audited *a;

    finds_nothing(rig);
    open_scene(rig, &s);
    set(rig, 2, uiommu_identity(rig->u));
    a = audit(rig);
    assert_int_equal(a->findings, 0);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_UNIT], 1);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_ALLOWED], 1);
    row_is(a, rig, 0, UIOMMU_AUDIT_CONFINED);
    row_is(a, rig, 1, UIOMMU_AUDIT_CONFINED);
    row_is(a, rig, 2, UIOMMU_AUDIT_ALLOWED);
    assert_int_not_equal(row_of(a, s.ep[0])->entry, 0);
    set(rig, 2, uiommu_blocked(rig->u));
    row_is(audit(rig), rig, 2, UIOMMU_AUDIT_CONFINED);
    close_scene(rig, &s);
}

static void who_may_be_asked_and_when(struct rig *rig)
{
    const void *(*map)(void *, uint64_t, size_t) = rig->u->host.memory_map;

    rig_is(uiommu_audit(NULL, NULL, NULL), UIOMMU_INVAL);
    rig_is(uiommu_audit(rig->u, NULL, NULL), UIOMMU_INVAL);
    rig->u->host.memory_map = NULL;
    rig_is(audit(rig)->status, UIOMMU_OPNOTSUPP);
    rig->u->host.memory_map = map;
    rig_ok(uiommu_suspend(rig->u));
    rig_is(audit(rig)->status, UIOMMU_AGAIN);
    assert_int_equal(audit(rig)->n, 0);
    rig_ok(uiommu_resume(rig->u));
    finds_nothing(rig);
}

static void not_before_the_start(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_is(audit(rig)->status, UIOMMU_BUSY);
    assert_int_equal(audit(rig)->n, 0);
}

/* ---- entries ----------------------------------------------------------------------- */

static void an_entry_that_passes_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    let_all_pass(&s.c, s.ep[0]);
    finds(rig, UIOMMU_AUDIT_PASSES, s.ep[0]);
    close_scene(rig, &s);
}

static void tables_of_another_are_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    use_root(&s.c, s.ep[1], s.d[0]->pt.root_phys);
    finds(rig, UIOMMU_AUDIT_TABLE, s.ep[1]);
    change_back(&s.c);
    use_levels(&s.c, s.ep[0]);
    finds(rig, UIOMMU_AUDIT_TABLE, s.ep[0]);
    close_scene(rig, &s);
}

static void tables_where_all_should_pass_are_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    set(rig, 2, uiommu_identity(rig->u));
    copy_entry(&s.c, entry_of_id(s.ep[0], s.ep[0]->id),
               entry_of_id(s.ep[2], s.ep[2]->id), entry_words(s.ep[0]));
    finds(rig, UIOMMU_AUDIT_TABLE, s.ep[2]);
    change_back(&s.c);
    set(rig, 2, uiommu_blocked(rig->u));
    close_scene(rig, &s);
}

static void a_wrong_tag_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    use_tag(&s.c, s.ep[0], 77);
    finds(rig, UIOMMU_AUDIT_TAG, s.ep[0]);
    change_back(&s.c);
    use_tag(&s.c, s.ep[1], link_of(&s, 0)->id);
    finds(rig, UIOMMU_AUDIT_SHARED_TAG, s.ep[1]);
    close_scene(rig, &s);
}

static void a_tag_that_two_were_given_is_found(struct rig *rig)
{
    struct scene s;
    uint32_t id;
    const struct audited *a;

    open_scene(rig, &s);
    id = link_of(&s, 1)->id;
    use_tag(&s.c, s.ep[1], link_of(&s, 0)->id);
    link_of(&s, 1)->id = link_of(&s, 0)->id;
    a = audit(rig);
    assert_int_equal(a->findings, 2);
    assert_int_equal(row_of(a, s.ep[0])->kind, UIOMMU_AUDIT_SHARED_TAG);
    assert_int_equal(row_of(a, s.ep[1])->kind, UIOMMU_AUDIT_SHARED_TAG);
    link_of(&s, 1)->id = id;
    close_scene(rig, &s);
}

static void an_open_entry_of_a_blocked_one_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    set(rig, 1, uiommu_blocked(rig->u));
    finds_nothing(rig);
    copy_entry(&s.c, entry_of_id(s.ep[0], s.ep[0]->id),
               entry_of_id(s.ep[1], s.ep[1]->id), entry_words(s.ep[0]));
    finds(rig, UIOMMU_AUDIT_OPEN, s.ep[1]);
    change_back(&s.c);
    set(rig, 1, s.d[1]);
    close_scene(rig, &s);
}

static void one_that_is_reset_is_to_be_blocked(struct rig *rig)
{
    struct uiommu_device *device = rig->device[rig_engine(rig, 0)];
    struct scene s;

    open_scene(rig, &s);
    rig_ok(uiommu_device_reset_begin(device));
    finds_nothing(rig);
    copy_entry(&s.c, entry_of_id(s.ep[1], s.ep[1]->id),
               entry_of_id(s.ep[0], s.ep[0]->id), entry_words(s.ep[0]));
    finds(rig, UIOMMU_AUDIT_OPEN, s.ep[0]);
    change_back(&s.c);
    rig_ok(uiommu_device_reset_end(device, true));
    close_scene(rig, &s);
}

/* Another function of the device, which is not there. */
static void an_id_of_nobody_is_found(struct rig *rig)
{
    struct scene s;
    uint32_t id;

    open_scene(rig, &s);
    id = s.ep[0]->id + 1;
    copy_entry(&s.c, entry_of_id(s.ep[0], s.ep[0]->id),
               entry_of_id(s.ep[0], id), entry_words(s.ep[0]));
    finds_id(rig, UIOMMU_AUDIT_STRAY, id, UIOMMU_NO_PASID);
    assert_null(
        row_of(audit(rig), &(struct uiommu_endpoint){ .id = id })->device);
    close_scene(rig, &s);
}

static void a_damaged_entry_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    damage(&s.c, s.ep[1]);
    finds(rig, UIOMMU_AUDIT_DAMAGED, s.ep[1]);
    close_scene(rig, &s);
}

static bool with_one_engine(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.engines = 1;
    return true;
}

/* Alone on its bus, so that nobody else is behind what cannot be read. */
static void an_entry_out_of_memory_is_found(struct rig *rig)
{
    struct changes c = { 0 };
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));

    finds_nothing(rig);
    sim_hostile(rig->m, true);
    if (lose_entry(&c, rig_endpoint(rig, 0), GIB(3)))
        finds(rig, UIOMMU_AUDIT_UNREADABLE, rig_endpoint(rig, 0));
    change_back(&c);
    sim_hostile(rig->m, false);
    finds_nothing(rig);
    rig_drop(rig, 0, d);
}

/* ---- ATS ----------------------------------------------------------------------------- */

static bool with_ats_unit(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static void ats_that_is_asked_for_is_none(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    assert_true(s.ep[0]->ats);
    close_scene(rig, &s);
}

static bool without_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    rig->setup.flags |= UIOMMU_CONFIG_NO_ATS;
    return true;
}

static void ats_that_nobody_asked_for_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    assert_false(s.ep[0]->ats);
    answer_ats(&s.c, s.ep[0]);
    finds(rig, UIOMMU_AUDIT_ATS, s.ep[0]);
    close_scene(rig, &s);
}

/* ---- PASIDs --------------------------------------------------------------------------- */

static bool with_pasids(struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY || rig->config.mode == SIM_STAGE_2) {
        *why = "no PASIDs in this mode";
        return false;
    }
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    rig->config.engine_caps |= SIM_PASID;
    return true;
}

static struct uiommu_endpoint *pasid(struct rig *rig, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, n), NULL, &ep));
    return ep;
}

static void entries_of_pasids_are_found(struct rig *rig)
{
    struct uiommu_endpoint *one, *two;
    struct scene s;

    open_scene(rig, &s);
    one = pasid(rig, 0);
    two = pasid(rig, 0);
    rig_ok(uiommu_set_domain(one, s.d[1], NULL));
    finds_nothing(rig);
    assert_int_equal(row_of(audit(rig), one)->kind, UIOMMU_AUDIT_CONFINED);
    use_root(&s.c, one, s.d[0]->pt.root_phys);
    finds(rig, UIOMMU_AUDIT_TABLE, one);
    change_back(&s.c);
    copy_entry(&s.c, audited_entry(one), audited_entry(two), 8);
    finds(rig, UIOMMU_AUDIT_OPEN, two);
    change_back(&s.c);
    copy_entry(&s.c, audited_entry(one), audited_entry(two) + 8, 8);
    finds_id(rig, UIOMMU_AUDIT_STRAY_PASID, two->id, two->pasid + 1);
    change_back(&s.c);
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    close_scene(rig, &s);
}

static void a_stray_pasid_of_a_blocked_one_is_found(struct rig *rig)
{
    struct uiommu_endpoint *one;
    struct scene s;

    open_scene(rig, &s);
    one = pasid(rig, 0);
    rig_ok(uiommu_set_domain(one, s.d[1], NULL));
    set(rig, 0, uiommu_blocked(rig->u));
    finds_nothing(rig);
    copy_entry(&s.c, audited_entry(one), audited_entry(one) + 8 * 5, 8);
    finds_id(rig, UIOMMU_AUDIT_STRAY_PASID, one->id, one->pasid + 5);
    change_back(&s.c);
    rig_ok(uiommu_pasid_destroy(one, true));
    set(rig, 0, s.d[0]);
    close_scene(rig, &s);
}

static void tables_of_pasids_out_of_memory_are_found(struct rig *rig)
{
    struct uiommu_endpoint *one;
    const struct audited *a;
    struct scene s;

    open_scene(rig, &s);
    one = pasid(rig, 0);
    rig_ok(uiommu_set_domain(one, s.d[1], NULL));
    sim_hostile(rig->m, true);
    assert_true(lose_entry(&s.c, s.ep[0], GIB(3)));
    a = audit(rig);
    rig_is(a->status, UIOMMU_NOMEM);
    assert_int_equal(a->findings, 2);
    assert_int_equal(row_of(a, s.ep[0])->kind, UIOMMU_AUDIT_UNREADABLE);
    assert_int_equal(row_of(a, one)->kind, UIOMMU_AUDIT_UNREADABLE);
    change_back(&s.c);
    sim_hostile(rig->m, false);
    rig_ok(uiommu_pasid_destroy(one, true));
    close_scene(rig, &s);
}

static bool with_directories(struct rig *rig, const char **why)
{
    if (!with_pasids(rig, why))
        return false;
    *why = "the directory is looked up in a context entry";
    return rig_arch(rig)->driver == &uiommu_driver_vtd;
}

/* Two tables are lost, the next one has an entry of nobody: the loss is told once, and
 * what is behind it as well. */
static void a_stray_pasid_behind_a_lost_table_is_found(struct rig *rig)
{
    const uint64_t table = rig_pages(rig, 0);
    const struct audited *a;
    uim_word *directory;
    struct scene s;

    open_scene(rig, &s);
    directory = sim_ram(rig->m,
                        uim_ld64(entry_of_id(s.ep[0], s.ep[0]->id)) &
                            UINT64_C(0xfffffffff000),
                        RIG_PAGE);
    copy_entry(&s.c, audited_entry(s.ep[1]),
               (uim_word *)sim_ram(rig->m, table, RIG_PAGE) + 8 * 5, 8);
    sim_hostile(rig->m, true);
    change(&s.c, &directory[1], GIB(3) | 1);
    change(&s.c, &directory[2], GIB(3) | 1);
    change(&s.c, &directory[3], table | 1);
    a = audit(rig);
    rig_is(a->status, UIOMMU_NOMEM);
    assert_int_equal(a->findings, 2);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_UNREADABLE], 1);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_STRAY_PASID], 1);
    change(&s.c, &directory[0], GIB(3) | 1);
    a = audit(rig);
    assert_int_equal(a->findings, 2);
    assert_int_equal(row_of(a, s.ep[0])->kind, UIOMMU_AUDIT_UNREADABLE);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_STRAY_PASID], 1);
    change_back(&s.c);
    sim_hostile(rig->m, false);
    close_scene(rig, &s);
}

/* ---- units -------------------------------------------------------------------------------- */

static void a_unit_that_is_off_is_found(struct rig *rig)
{
    struct scene s;

    open_scene(rig, &s);
    switch_off(rig);
    finds_unit(rig, UIOMMU_AUDIT_OFF, "reaches all memory");
    switch_on(rig);
    close_scene(rig, &s);
}

static void tables_that_are_not_ours_are_found(struct rig *rig)
{
    const bool vtd = rig_arch(rig)->driver == &uiommu_driver_vtd;
    const uint32_t at = vtd ? VTD_REG_RTADDR : SMMUV3_REG_STRTAB_BASE;
    struct scene s;
    uint64_t copy, was, root;

    open_scene(rig, &s);
    was = rig_register(rig, at, 8);
    root = was & UINT64_C(0xfffffffffff000);
    copy = rig_pages(rig, vtd ? 0 : 10);
    memcpy(sim_ram(rig->m, copy, 4096), sim_ram(rig->m, root, 4096), 4096);
    if (!vtd)
        poke_register(rig, SMMUV3_REG_CR0, 4,
                      rig_register(rig, SMMUV3_REG_CR0, 4) & ~UINT64_C(1));
    poke_register(rig, at, 8, (was & ~UINT64_C(0xfffffffffff000)) | copy);
    if (!vtd)
        poke_register(rig, SMMUV3_REG_CR0, 4,
                      rig_register(rig, SMMUV3_REG_CR0, 4) | 1);
    assert_int_equal(audit(rig)->kinds[UIOMMU_AUDIT_FOREIGN], 1);
    assert_int_equal(audit(rig)->findings, 1);
    if (!vtd)
        poke_register(rig, SMMUV3_REG_CR0, 4,
                      rig_register(rig, SMMUV3_REG_CR0, 4) & ~UINT64_C(1));
    poke_register(rig, at, 8, was);
    if (!vtd)
        poke_register(rig, SMMUV3_REG_CR0, 4,
                      rig_register(rig, SMMUV3_REG_CR0, 4) | 1);
    close_scene(rig, &s);
}

static bool in_haste(struct rig *rig, const char **why)
{
    return in_a_hurry(rig, why);
}

static void a_unit_that_did_not_confirm_is_found(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, BASE, rig_pages(rig, 0));

    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    finds_unit(rig, UIOMMU_AUDIT_UNCONFIRMED, "not known");
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    finds_nothing(rig);
    uiommu_domain_put(d);
}

static bool with_interrupts(struct rig *rig, const char **why)
{
    rig->config.args = "ir=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return rig_does(rig, RIG_INTERRUPTS, why);
}

static void interrupts_that_pass_are_found(struct rig *rig)
{
    const uint64_t ire = UINT64_C(1) << 25, cfi = UINT64_C(1) << 23;
    uint64_t gsts, irta;
    struct scene s;

    open_scene(rig, &s);
    gsts = rig_register(rig, VTD_REG_GSTS, 4) & VTD_GSTS_KEEP;
    irta = rig_register(rig, VTD_REG_IRTA, 8);
    poke_register(rig, VTD_REG_GCMD, 4, gsts & ~ire);
    finds_unit(rig, UIOMMU_AUDIT_INTERRUPTS, "is off");
    poke_register(rig, VTD_REG_GCMD, 4, gsts | ire);
    poke_register(rig, VTD_REG_GCMD, 4, gsts | cfi);
    finds_unit(rig, UIOMMU_AUDIT_INTERRUPTS, "compatibility format");
    poke_register(rig, VTD_REG_GCMD, 4, gsts);
    poke_register(rig, VTD_REG_IRTA, 8, irta + RIG_PAGE);
    finds_unit(rig, UIOMMU_AUDIT_INTERRUPTS, "not uiommu's");
    poke_register(rig, VTD_REG_IRTA, 8, irta);
    close_scene(rig, &s);
}

/* Whatever tables say. */
static void a_unit_that_lets_nothing_through_confines(struct rig *rig)
{
    const bool vtd = rig_arch(rig)->driver == &uiommu_driver_vtd;
    const uint32_t at = vtd ? VTD_REG_RTADDR : SMMUV3_REG_CR0;
    const uint32_t bytes = vtd ? 8 : 4;
    struct scene s;
    uint64_t was;

    open_scene(rig, &s);
    let_all_pass(&s.c, s.ep[0]);
    finds(rig, UIOMMU_AUDIT_PASSES, s.ep[0]);
    was = rig_register(rig, at, bytes);
    if (!vtd)
        poke_register(rig, SMMUV3_REG_GBPA, 4, UINT64_C(0x80100000));
    poke_register(rig, at, bytes,
                  vtd ? was | (uint64_t)VTD_TTM_ABORT << 10 : was & ~1u);
    finds_nothing(rig);
    poke_register(rig, at, bytes, was);
    close_scene(rig, &s);
}

static bool smmuv3_with_ats(struct rig *rig, const char **why)
{
    *why = "no such switch";
    rig->config.ats = true;
    return rig->config.mode == SIM_STAGE_1 || rig->config.mode == SIM_STAGE_2;
}

static void a_unit_that_believes_devices_is_found(struct rig *rig)
{
    const uint64_t atschk = UINT64_C(1) << 4;
    struct scene s;
    uint64_t was;

    open_scene(rig, &s);
    was = rig_register(rig, SMMUV3_REG_CR0, 4);
    assert_true(was & atschk);
    poke_register(rig, SMMUV3_REG_CR0, 4, was & ~UINT64_C(1));
    poke_register(rig, SMMUV3_REG_CR0, 4, was & ~atschk & ~UINT64_C(1));
    poke_register(rig, SMMUV3_REG_CR0, 4, was & ~atschk);
    finds_unit(rig, UIOMMU_AUDIT_ATS, "believed");
    poke_register(rig, SMMUV3_REG_CR0, 4, was & ~atschk & ~UINT64_C(1));
    poke_register(rig, SMMUV3_REG_CR0, 4, was & ~UINT64_C(1));
    poke_register(rig, SMMUV3_REG_CR0, 4, was);
    close_scene(rig, &s);
}

static bool with_dmar(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_DMAR, why);
}

/* Of a segment of its own, and nowhere. */
static void a_unit_that_is_not_there_is_found(struct rig *rig)
{
    static const uint8_t drhd[16] = { 0, 0, 16, 0, 1, 0, 1 };
    struct table t;

    table_copy(rig, &t);
    table_append(&t, drhd, sizeof(drhd));
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    finds_unit(rig, UIOMMU_AUDIT_NO_UNIT, "is not driven");
}

/* ---- adopted ---------------------------------------------------------------------------- */

static bool with_adoption(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_ADOPTION, why);
}

/* Nobody is judged who goes on as he was found, known or not; who was moved is. */
static void whoever_was_found_so_is_told_so(struct rig *rig)
{
    const struct audited *a;
    struct changes c = { 0 };
    struct uiommu_domain *d;
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    create_next(rig);
    rig_ok(rig_start(rig));
    a = audit(rig);
    assert_int_equal(a->findings, 0);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_INHERITED], adopted(rig));
    assert_int_equal(adopted(rig), 2);
    rig_add_all(rig);
    d = rig_attached(rig, 0);
    a = audit(rig);
    assert_int_equal(a->findings, 0);
    assert_int_equal(row_of(a, rig_endpoint(rig, 0))->kind,
                     UIOMMU_AUDIT_CONFINED);
    assert_int_equal(row_of(a, rig_endpoint(rig, 1))->kind,
                     UIOMMU_AUDIT_INHERITED);
    let_all_pass(&c, rig_endpoint(rig, 0));
    finds(rig, UIOMMU_AUDIT_PASSES, rig_endpoint(rig, 0));
    change_back(&c);
    end_adoption(rig);
    finds_nothing(rig);
    rig_drop(rig, 0, d);
}

/* ---- too much --------------------------------------------------------------------------- */

static bool on_one_machine(struct rig *rig, const char **why)
{
    *why = "once is enough";
    return rig->config.mode == SIM_SCALABLE && !rig->config.non_coherent &&
           !rig->config.adversarial;
}

/* Every entry of a table leads to the one below, but for the gigabyte in which messages
 * are. */
static void fan_out(struct rig *rig, struct uiommu_domain *d, bool on)
{
    for (unsigned level = d->pt.top; level > 0; level--) {
        uim_word *first = pte_of(rig, d, 0, level);

        for (unsigned i = 1; i < 512; i++)
            if (level != 2 || i != 3)
                uim_st64(first + i, on ? uim_ld64(first) : 0);
    }
}

static void tables_without_end_are_left(struct rig *rig)
{
    struct uiommu_domain *d = attached_with(rig, 0, 0, rig_pages(rig, 0));
    const struct uiommu_audit *row;
    const struct audited *a;

    fan_out(rig, d, true);
    a = audit(rig);
    rig_ok(a->status);
    assert_int_equal(a->findings, 1);
    row = row_of(a, rig_endpoint(rig, 0));
    assert_int_equal(row->kind, UIOMMU_AUDIT_UNFINISHED);
    assert_true(row->has_iova && row->iova > GIB(1));
    fan_out(rig, d, false);
    finds_nothing(rig);
    rig_drop(rig, 0, d);
}

static bool with_five_levels(struct rig *rig, const char **why)
{
    rig->config.args = rig_arch(rig)->wide;
    return on_one_machine(rig, why);
}

/* A page in each: all of them are read, each of them once. */
static void tables_that_a_domain_has_are_read(struct rig *rig)
{
    enum { TABLES = 8400, APART = 1 << 21 };
    struct uiommu_domain *d = rig_attached(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    struct sim_counts before, after;

    for (unsigned i = 0; i < TABLES; i++)
        map_page(d, GIB(4) + (uint64_t)i * APART, page);
    assert_int_equal(d->pt.top, 4);
    assert_true(d->pt.tables > TABLES);
    sim_counts(rig->m, &before);
    finds_nothing(rig);
    sim_counts(rig->m, &after);
    assert_true(after.memory_mapped - before.memory_mapped <
                (uint64_t)(d->pt.tables + TABLES / 8) * RIG_PAGE);
    rig_ok(uiommu_unmap(d, GIB(4), (uint64_t)TABLES * APART, NULL));
    rig_drop(rig, 0, d);
}

static void says_unfinished(const struct audited *a, const char *why)
{
    const struct uiommu_audit *row = &a->row[a->n - 1];

    assert_int_equal(row->kind, UIOMMU_AUDIT_UNFINISHED);
    assert_false(row->of_requester);
    assert_says(row->text, why);
}

static uim_word *root_table(struct rig *rig)
{
    return sim_ram(rig->m, rig_register(rig, VTD_REG_RTADDR, 8) & ADDRESS,
                   RIG_PAGE);
}

/* The last ids have as many PASIDs as there can be, which see nothing: so many words are
 * not read, and the last of all ids is not done with. */
static void the_last_id_may_be_too_much(struct rig *rig)
{
    enum { ORDER = 5, LINKS = (RIG_PAGE << ORDER) / 8, LAST = 4 };
    const uint64_t contexts = rig_pages(rig, 0), links = rig_pages(rig, ORDER),
                   none = rig_pages(rig, 0), all = UINT64_C(7) << 9;
    uim_word *directory = sim_ram(rig->m, links, (uint64_t)LINKS * 8);
    uim_word *context = sim_ram(rig->m, contexts, RIG_PAGE);
    struct changes c = { 0 };
    struct scene s;

    open_scene(rig, &s);
    memset(sim_ram(rig->m, none, RIG_PAGE), 0, RIG_PAGE);
    memset(context, 0, RIG_PAGE);
    for (unsigned i = 0; i < LINKS; i++)
        uim_st64(&directory[i], none | 1);
    for (unsigned i = 128 - LAST; i < 128; i++)
        uim_st64(&context[i * 4], links | all | 9); /* PASIDE, P */
    change(&c, &root_table(rig)[511], contexts | 1);
    assert_int_equal(audit(rig)->findings, 1);
    says_unfinished(audited_last(), "more tables than");
    change_back(&c);
    close_scene(rig, &s);
}

static void many_tables_may_be_lost(struct rig *rig)
{
    enum { MOST = CHANGES };
    struct changes c = { 0 };
    const struct audited *a;
    struct scene s;

    open_scene(rig, &s);
    sim_hostile(rig->m, true);
    for (unsigned i = 400; i < 400 + MOST; i++)
        change(&c, &root_table(rig)[i], GIB(3) | 1);
    a = audit(rig);
    assert_int_equal(a->kinds[UIOMMU_AUDIT_UNREADABLE], MOST);
    assert_int_equal(a->findings, MOST + 1);
    says_unfinished(a, "no memory");
    change_back(&c);
    sim_hostile(rig->m, false);
    close_scene(rig, &s);
}

static bool is_told(const struct audited *a, const struct uiommu_endpoint *ep)
{
    for (unsigned i = 0; i < a->n; i++)
        if (a->row[i].of_requester && a->row[i].id == ep->id &&
            a->row[i].pasid == ep->pasid)
            return true;
    return false;
}

/* Every word that says who sees what is rubbish; it ends, and what is known is told. */
static void rubbish_is_survived(struct rig *rig)
{
    uint64_t seed = 0x9e3779b97f4a7c15;
    struct scene s;

    open_scene(rig, &s);
    sim_hostile(rig->m, true);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 2; i++) {
            uim_word *entry = entry_of_id(s.ep[i], s.ep[i]->id);

            for (unsigned k = 0; k < entry_words(s.ep[i]); k++)
                change(&s.c, &entry[k], next_random(&seed));
        }
        for (unsigned level = 0; level <= s.d[0]->pt.top; level++)
            change(&s.c, &s.d[0]->pt.root[pick(&seed, 512)],
                   next_random(&seed));
        (void)audit(rig);
        for (unsigned i = 0; i < 3; i++)
            assert_true(is_told(audited_last(), s.ep[i]));
        change_back(&s.c);
    }
    sim_hostile(rig->m, false);
    close_scene(rig, &s);
}

static const struct rig_test tests[] = {
    RIG_TEST(everybody_is_where_he_was_put),
    RIG_TEST(who_may_be_asked_and_when),
    RIG_COLD(not_before_the_start),
    RIG_TEST(an_entry_that_passes_is_found),
    RIG_TEST(tables_of_another_are_found),
    RIG_TEST(tables_where_all_should_pass_are_found),
    RIG_TEST(a_wrong_tag_is_found),
    RIG_TEST(a_tag_that_two_were_given_is_found),
    RIG_TEST(an_open_entry_of_a_blocked_one_is_found),
    RIG_TEST(one_that_is_reset_is_to_be_blocked),
    RIG_TEST(an_id_of_nobody_is_found),
    RIG_TEST(a_damaged_entry_is_found),
    RIG_TEST_ON(an_entry_out_of_memory_is_found, with_one_engine),
    RIG_TEST_ON(ats_that_is_asked_for_is_none, with_ats_unit),
    RIG_TEST_ON(ats_that_nobody_asked_for_is_found, without_ats),
    RIG_TEST_ON(entries_of_pasids_are_found, with_pasids),
    RIG_TEST_ON(a_stray_pasid_of_a_blocked_one_is_found, with_pasids),
    RIG_TEST_ON(tables_of_pasids_out_of_memory_are_found, with_pasids),
    RIG_TEST_ON(a_stray_pasid_behind_a_lost_table_is_found, with_directories),
    RIG_TEST(a_unit_that_is_off_is_found),
    RIG_TEST(tables_that_are_not_ours_are_found),
    RIG_TEST_ON(a_unit_that_did_not_confirm_is_found, in_haste),
    RIG_TEST_ON(interrupts_that_pass_are_found, with_interrupts),
    RIG_TEST(a_unit_that_lets_nothing_through_confines),
    RIG_TEST_ON(a_unit_that_believes_devices_is_found, smmuv3_with_ats),
    RIG_COLD_ON(a_unit_that_is_not_there_is_found, with_dmar),
    RIG_COLD_ON(whoever_was_found_so_is_told_so, with_adoption),
    { .name = "tables_without_end_are_left",
      .run = tables_without_end_are_left,
      .prepare = on_one_machine,
      .once = "it takes long" },
    { .name = "tables_that_a_domain_has_are_read",
      .run = tables_that_a_domain_has_are_read,
      .prepare = with_five_levels,
      .once = "it takes long" },
    { .name = "the_last_id_may_be_too_much",
      .run = the_last_id_may_be_too_much,
      .prepare = on_one_machine,
      .once = "it takes long" },
    { .name = "many_tables_may_be_lost",
      .run = many_tables_may_be_lost,
      .prepare = on_one_machine,
      .once = "its rows are counted" },
    RIG_TEST(rubbish_is_survived),
    { 0 },
};

int main(void)
{
    return rig_run("audit", tests);
}
