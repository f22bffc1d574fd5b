/* SPDX-License-Identifier: MIT */
/*
 * VT-d: what requests with a PASID see. Entries bit by bit, the commands of each
 * transition, and that endpoints of one requester do not disturb each other (9.4 to 9.6,
 * 6.5.3.3, semantics B.7, B.13, B.15.4, D-48, D-51).
 */
#include "vtd_pasids.h"

/* ---- what units offer ----------------------------------------------------- */

static void capabilities_say_how_many(void **state)
{
    static const struct {
        enum vtd_mode mode;
        bool pasid, pt;
        unsigned pss, bits;
    } row[] = {
        { VTD_SCALABLE, true, true, 19, 20 },
        { VTD_SCALABLE, true, false, 0, 1 },
        { VTD_SCALABLE, true, true, 31, 20 },
        { VTD_SCALABLE, false, true, 19, 0 },
        { VTD_FIRST_STAGE, true, true, 15, 16 },
        { VTD_LEGACY, true, true, 19, 0 },
    };
    struct fake f;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        fake_init(&f);
        add_scalable(&f);
        add_first_stage(&f);
        f.ecap = vtd_ecap_set_pss((struct vtd_ecap){ f.ecap }, row[i].pss).raw;
        f.ecap =
            vtd_ecap_set_pasid((struct vtd_ecap){ f.ecap }, row[i].pasid).raw;
        f.ecap = vtd_ecap_set_pt((struct vtd_ecap){ f.ecap }, row[i].pt).raw;
        f.options.mode = row[i].mode;
        ok(fake_probe(&f));
        assert_int_equal(f.unit->pasid_bits, row[i].bits);
        assert_int_equal(f.unit->pasid_identity, row[i].bits > 0 && row[i].pt);
        assert_ptr_equal(f.unit->link_by_pasid,
                         row[i].mode == VTD_LEGACY ? NULL : &uim_pt_vtd_fs);
        fake_end(&f);
    }
}

static void change_ecap(struct fake *f, uint64_t set, uint64_t clear)
{
    f->v->ecap.raw = (f->v->ecap.raw | set) & ~clear;
}

/* Units that differ run in a mode that all have, each with what it has in it. */
static void units_agree_on_a_mode_and_on_nothing_else(void **state)
{
    struct vtd_options options = { .mode = VTD_AUTO };
    struct uim_unit *both[2];
    struct fake f[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fake_init(&f[i]);
        add_scalable(&f[i]);
        add_first_stage(&f[i]);
        f[i].ecap |= FEATURE(pasid);
        f[i].ecap =
            vtd_ecap_set_pss((struct vtd_ecap){ f[i].ecap }, i == 0 ? 19 : 7)
                .raw;
        ok(fake_probe(&f[i]));
        both[i] = f[i].unit;
    }
    f[0].v->cap.raw |= CAPABILITY(fs1gp) | CAPABILITY(fs5lp);
    f[1].v->cap = vtd_cap_set_sslps(f[1].v->cap, 1);
    ok(vtd_settle(&options, both, 2));
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(both[i]->mode, "scalable");
        assert_int_equal(both[i]->pasid_bits, i == 0 ? 20 : 8);
        assert_true(both[i]->page_sizes == (i == 0 ? 0x40201000u : 0x201000u));
    }

    change_ecap(&f[1], 0, FEATURE(ssts));
    ok(vtd_settle(&options, both, 2));
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(both[i]->mode, "first-stage");
        assert_ptr_equal(both[i]->link_by_pasid, both[i]->format);
        assert_int_equal(both[i]->levels, i == 0 ? 5 : 4);
        assert_true(both[i]->page_sizes == (i == 0 ? 0x40201000u : 0x201000u));
    }

    /* Neither stage is on both; none has PASIDs in legacy mode. */
    change_ecap(&f[0], 0, FEATURE(fsts));
    ok(vtd_settle(&options, both, 2));
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(both[i]->mode, "legacy");
        assert_int_equal(both[i]->pasid_bits, 0);
        assert_false(both[i]->pasid_identity || both[i]->link_by_pasid);
        fake_end(&f[i]);
    }
}

/* D-73, 7.10: what cannot be drained is not offered. */
static void pages_are_asked_for_where_that_can_be_drained(void **state)
{
    static const struct {
        enum vtd_mode mode;
        bool dt, prs, pds, requests;
    } row[] = {
        { VTD_SCALABLE, true, true, true, true },
        { VTD_FIRST_STAGE, true, true, true, true },
        { VTD_SCALABLE, true, true, false, false },
        { VTD_SCALABLE, true, false, true, false },
        { VTD_SCALABLE, false, true, true, false },
        { VTD_LEGACY, true, true, true, false },
    };
    struct vtd_ecap ecap;
    struct fake f;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        fake_init(&f);
        add_scalable(&f);
        add_first_stage(&f);
        ecap = vtd_ecap_set_dt((struct vtd_ecap){ f.ecap }, row[i].dt);
        ecap = vtd_ecap_set_prs(ecap, row[i].prs);
        f.ecap = vtd_ecap_set_pds(ecap, row[i].pds).raw;
        f.options.mode = row[i].mode;
        ok(fake_probe(&f));
        assert_int_equal(f.unit->requests, row[i].requests);
        fake_end(&f);
    }
}

/* ---- entries ---------------------------------------------------------------- */

static void second_stage_entries(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, &five, &s.domain[0]);
    pasids_no_commands(&s); /* nothing was there */
    /* One page of directory: PDTS=2; PASIDE, P. */
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 1 << 3 | 1);
    pasids_check_entry(&s, 5, 0x1000000 | 2 << 6 | 2 << 2 | 1, PWSNP | 2, 0);
    assert_false(pasids_present(&s, 0));

    pasids_set(&s, &five, &s.f.u->identity);
    pasids_check_entry(&s, 5, 4 << 6 | 2 << 2 | 1, PWSNP | 1, 0);
    pasids_block(&s, &five);
    pasids_check_entry(&s, 5, 0, 0, 0);
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 1 << 3 | 1);
    pasids_close(&s);
}

/* SRE and WPE: privileged requests may what others may, where the unit knows them. */
static void first_stage_entries(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_init(&s, true);
    s.f.ecap |= FEATURE(srs) | FEATURE(sc);
    pasids_up(&s);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, &five, &s.domain[0]);
    pasids_check_entry(&s, 5, 1 << 6 | 2 << 2 | 1, 3 << 23 | 2,
                       0x1000000 | 1 << 4 | 1);
    pasids_set(&s, &five, &s.f.u->identity);
    pasids_check_entry(&s, 5, 4 << 6 | 2 << 2 | 1, PWSNP | 1, 1);
    /* Without a PASID there is no privilege. */
    pasids_set(&s, s.dev.endpoint, &s.domain[1]);
    pasids_check_entry(&s, 0, 1 << 6 | 2 << 2 | 1, 3 << 23 | 3, 0x2000000);
    pasids_close(&s);

    pasids_open(&s, true);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, &five, &s.domain[0]);
    pasids_check_entry(&s, 5, 1 << 6 | 2 << 2 | 1, PWSNP | 2, 0x1000000);
    pasids_close(&s);
}

/* Tables of a process, beside the second stage: types of memory are its own, and nobody is
 * privileged. */
static void entries_of_a_process(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_init(&s, false);
    s.f.ecap |= FEATURE(srs) | FEATURE(fsts) | FEATURE(mts);
    pasids_up(&s);
    fake_pasid(&s.dev, 5, &five);
    s.domain[0].kind = UIOMMU_DOMAIN_SVA;
    s.domain[0].foreign = true;
    s.domain[0].attributes = UINT64_C(0x0007040600070406);
    s.domain[0].pt.ops = &uim_pt_vtd_fs;
    pasids_set(&s, &five, &s.domain[0]);
    pasids_check_entry(&s, 5, 1 << 6 | 2 << 2 | 1,
                       UINT64_C(0x07460746) << 32 | PWSNP | 2, 0x1000000);
    pasids_close(&s);
}

/* PDTS as the device needs it, a page at most; and none where it has none. */
static void directories_are_as_small_as_may_be(void **state)
{
    static const struct {
        unsigned bits, low;
    } row[] = {
        { 0, 1 },          { 1, 1 << 3 | 1 },          { 13, 1 << 3 | 1 },
        { 14, 0x200 | 9 }, { 15, 0x400 | 1 << 3 | 1 }, { 16, 0x400 | 9 },
        { 20, 0x400 | 9 },
    };
    struct pasids s;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        pasids_open(&s, i & 1);
        s.dev.pasid_bits = (uint8_t)row[i].bits;
        pasids_set(&s, s.dev.endpoint, &s.domain[0]);
        assert_int_equal(pasids_context(&s) & 0xfff, row[i].low);
        pasids_close(&s);
    }
}

/* 64 PASIDs have a table. */
static void tables_come_with_the_first_of_64(void **state)
{
    static const uint32_t pasid[] = { 1, 63, 64, 127, 128, 32767 };
    static const int pages[] = { 3, 0, 1, 0, 1, 1 };
    struct uiommu_endpoint ep;
    struct pasids s;
    int before;

    (void)state;
    pasids_open(&s, false);
    for (unsigned i = 0; i < 6; i++) {
        fake_pasid(&s.dev, pasid[i], &ep);
        before = s.f.pages;
        pasids_set(&s, &ep, &s.domain[0]);
        assert_int_equal(s.f.pages - before, pages[i]);
        pasids_no_commands(&s);
    }
    for (unsigned i = 0; i < 6; i++) {
        pasids_check_domain(&s, pasid[i], 0);
        fake_pasid(&s.dev, pasid[i], &ep);
        pasids_block(&s, &ep);
        pasids_check_entry(&s, pasid[i], 0, 0, 0);
    }
    pasids_close(&s);
}

static void more_than_the_device_has_is_refused(void **state)
{
    struct uiommu_endpoint ep;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    s.dev.pasid_bits = 4;
    fake_pasid(&s.dev, 16, &ep);
    assert_int_equal(pasids_try(&s, &ep, &s.domain[0]), UIOMMU_INVAL);
    pasids_block(&s, &ep);
    assert_true(pasids_context(&s) == 0);
    fake_pasid(&s.dev, 15, &ep);
    pasids_set(&s, &ep, &s.domain[0]);
    pasids_close(&s);
}

/* ---- the commands of each transition ---------------------------------------- */

/* P=0, then PASID-in-domain of the PASID cache; then for the second stage the domain, for
 * the first the PASID of the IOTLB. */
static void replacing_invalidates_what_the_table_says(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 5, &five);
        pasids_set(&s, &five, &s.domain[0]);
        pasids_set(&s, &five, &s.domain[1]);
        if (first)
            pasids_commands(&s, PC_PASID(2, 5), PIOTLB_PASID(2, 5));
        else
            pasids_commands(&s, PC_PASID(2, 5), IOTLB_DOMAIN(2));
        pasids_check_domain(&s, 5, 1);
        pasids_set(&s, &five, &s.f.u->identity);
        pasids_set(&s, &five, &s.domain[0]);
        pasids_commands(&s, CC_DEVICE(1), PC_DOMAIN(1), IOTLB_DOMAIN(1));
        pasids_block(&s, &five);
        if (first)
            pasids_commands(&s, PC_PASID(2, 5), PIOTLB_PASID(2, 5));
        else
            pasids_commands(&s, PC_PASID(2, 5), IOTLB_DOMAIN(2));
        pasids_block(&s, &five);
        pasids_no_commands(&s);
        pasids_close(&s);
    }
}

/* The same domain: one id in the second stage, one for each PASID in the first. */
static void domains_have_ids_by_stage(void **state)
{
    struct uiommu_endpoint five, six;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 5, &five);
        fake_pasid(&s.dev, 6, &six);
        pasids_set(&s, s.dev.endpoint, &s.domain[0]);
        pasids_set(&s, &five, &s.domain[0]);
        pasids_set(&s, &six, &s.domain[0]);
        assert_int_equal(uim_ld64(&pasids_entry(&s, 0)[1]) & 0xffff, 2);
        assert_int_equal(uim_ld64(&pasids_entry(&s, 5)[1]) & 0xffff,
                         first ? 3 : 2);
        assert_int_equal(uim_ld64(&pasids_entry(&s, 6)[1]) & 0xffff,
                         first ? 4 : 2);
        pasids_close(&s);
    }
}

/* CM=1: nothing is found of the new entry that was cached before it was there. */
static void caching_mode_is_told_of_tables_and_entries(void **state)
{
    struct uiommu_endpoint five, far;
    struct pasids s;

    (void)state;
    pasids_init(&s, false);
    s.f.cap |= CAPABILITY(cm);
    pasids_up(&s);
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, &five, &s.domain[1]);
    pasids_commands(&s, CC_DEVICE(0), PC_PASID(0, 5), PC_PASID(3, 5),
                    IOTLB_DOMAIN(0), IOTLB_DOMAIN(3));
    /* A table for 64 PASIDs that was not there. */
    fake_pasid(&s.dev, 70, &far);
    pasids_set(&s, &far, &s.domain[1]);
    assert_int_equal(s.f.command[0].lo, PC_DOMAIN(0));
    assert_int_equal(s.f.command[1].lo, IOTLB_DOMAIN(0));
    assert_int_equal(fake_type(&s.f, 2), VTD_QI_WAIT);
    assert_int_equal(s.f.command[4].lo, PC_PASID(0, 70));
    assert_int_equal(s.f.n_commands, 9);
    pasids_close(&s);
}

/* ---- ATS: DTE of the context entry ------------------------------------------- */

static void ats_changes_the_context_entry_too(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    s.dev.endpoint->ats = true;
    pasids_set(&s, &five, &s.domain[1]);
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 1 << 3 | 1 << 2 | 1);
    pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), IOTLB_DOMAIN(2));

    /* Both entries change: everything that led there, once. */
    s.dev.endpoint->ats = false;
    pasids_set(&s, &five, &s.domain[2]);
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 1 << 3 | 1);
    pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), PC_DOMAIN(3),
                    IOTLB_DOMAIN(2), IOTLB_DOMAIN(3));
    pasids_check_domain(&s, 5, 2);

    /* Without a PASID; blocked: DTE is as it was said. */
    s.dev.endpoint->ats = true;
    pasids_block(&s, s.dev.endpoint);
    assert_int_equal(pasids_context(&s) & 0xfff, 2 << 9 | 1 << 3 | 1 << 2 | 1);
    pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), PC_DOMAIN(4),
                    IOTLB_DOMAIN(2), IOTLB_DOMAIN(4));
    pasids_check_domain(&s, 5, 2);
    assert_false(pasids_present(&s, 0));
    pasids_close(&s);
}

/* Of more domains than a batch has room for: everything. */
static void many_domains_are_invalidated_together(void **state)
{
    struct uiommu_endpoint ep;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    for (unsigned i = 0; i < 4; i++) {
        fake_pasid(&s.dev, 100 * i + 1, &ep);
        pasids_set(&s, &ep, &s.domain[i]);
        s.dev.endpoint->ats = i & 1;
        pasids_block(&s, s.dev.endpoint);
        if (i == 2)
            pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), PC_DOMAIN(3),
                            PC_DOMAIN(4), IOTLB_DOMAIN(2), IOTLB_DOMAIN(3),
                            IOTLB_DOMAIN(4));
    }
    pasids_commands(&s, CC_DEVICE(2), PC_GLOBAL, IOTLB_GLOBAL);
    pasids_close(&s);
}

/* ---- one beside the other ---------------------------------------------------- */

struct beside {
    struct pasids *s;
    uint32_t pasid; /* goes on */
    unsigned n, other, looks, present;
};

static void look_beside(struct fake *f, struct vtd_desc d)
{
    struct beside *b = f->ctx;

    (void)d;
    pasids_check_domain(b->s, b->pasid, b->n);
    b->looks++;
    b->present += pasids_present(b->s, b->other);
}

/* At each command: the one is as it was, the other not present. */
static void endpoints_do_not_disturb_each_other(void **state)
{
    struct uiommu_endpoint five;
    struct beside b;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 5, &five);
        pasids_set(&s, s.dev.endpoint, &s.domain[0]);
        pasids_set(&s, &five, &s.domain[1]);
        s.f.ctx = &b;
        s.f.on_command = look_beside;
        b = (struct beside){ &s, 5, 1, 0, 0, 0 };
        pasids_set(&s, s.dev.endpoint, &s.domain[2]);
        pasids_block(&s, s.dev.endpoint);
        assert_int_equal(b.looks, 6);
        assert_int_equal(b.present, 0);
        s.f.on_command = NULL;
        pasids_set(&s, s.dev.endpoint, &s.domain[3]);
        s.f.on_command = look_beside;
        b = (struct beside){ &s, 0, 3, 5, 0, 0 };
        pasids_set(&s, &five, &s.domain[2]);
        pasids_block(&s, &five);
        assert_int_equal(b.looks, 6);
        assert_int_equal(b.present, 0);
        s.f.on_command = NULL;
        pasids_close(&s);
    }
}

static void a_cut_is_of_one(void **state)
{
    struct uiommu_endpoint five, none;
    struct pasids s;

    (void)state;
    pasids_open(&s, true);
    fake_pasid(&s.dev, 5, &five);
    fake_pasid(&s.dev, 99999, &none);
    ok(vtd_cut(&five)); /* nothing there yet */
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    pasids_set(&s, &five, &s.domain[1]);
    ok(vtd_cut(&none));
    pasids_no_commands(&s);
    ok(vtd_cut(&five));
    pasids_commands(&s, PC_PASID(3, 5), PIOTLB_PASID(3, 5));
    /* The tag stays, for set. */
    pasids_check_entry(&s, 5, 1 << 6 | 2 << 2, PWSNP | 3, 0x2000000);
    pasids_check_domain(&s, 0, 0);
    fake_forget(&s.f);
    ok(vtd_cut(s.dev.endpoint));
    pasids_commands(&s, PC_PASID(2, 0), PIOTLB_PASID(2, 0));
    assert_false(pasids_present(&s, 0));
    pasids_block(&s, &five);
    pasids_commands(&s, PC_PASID(3, 5), PIOTLB_PASID(3, 5));
    pasids_close(&s);
}

/* What was cut is not known to be out of all caches until set says so. */
static void what_was_cut_is_still_invalidated_with_the_rest(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    fake_pasid(&s.dev, 5, &five);
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    pasids_set(&s, &five, &s.domain[1]);
    ok(vtd_cut(&five));
    s.dev.endpoint->ats = true;
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    pasids_commands(&s, CC_DEVICE(2), PC_DOMAIN(2), PC_DOMAIN(3),
                    IOTLB_DOMAIN(2), IOTLB_DOMAIN(3));
    pasids_close(&s);
}

static void what_was_cut_is_not_opened(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    fake_pasid(&s.dev, 5, &five);
    atomic_store(&five.quarantined, true);
    assert_int_equal(pasids_try(&s, &five, &s.domain[0]), UIOMMU_TIMEDOUT);
    assert_false(pasids_present(&s, 5));
    /* The mark of one is no mark of another. */
    pasids_set(&s, s.dev.endpoint, &s.domain[0]);
    pasids_check_domain(&s, 0, 0);
    pasids_block(&s, &five);
    pasids_close(&s);
}

/* The tag stays, and the others go on. */
static void silence_leaves_one_blocked(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 5, &five);
        pasids_set(&s, s.dev.endpoint, &s.domain[0]);
        pasids_set(&s, &five, &s.domain[1]);
        s.f.silent = true;
        assert_int_equal(pasids_try(&s, &five, &s.domain[2]), UIOMMU_TIMEDOUT);
        assert_int_equal(uim_ld64(pasids_entry(&s, 5)) & 1, 0);
        assert_int_equal(uim_ld64(&pasids_entry(&s, 5)[1]) & 0xffff, 3);
        assert_int_equal(vtd_set(&five, &s.f.u->blocked, &s.domain[1]),
                         UIOMMU_TIMEDOUT);
        assert_int_equal(uim_ld64(&pasids_entry(&s, 5)[1]) & 0xffff, 3);
        pasids_check_domain(&s, 0, 0);
        s.f.silent = false;
        pasids_close(&s);
    }
}

/* ---- a domain changes --------------------------------------------------------- */

static void invalidations_are_by_pasid_in_the_first_stage(void **state)
{
    const struct uim_inval page = { .start = 0x5000, .last = 0x5fff };
    struct uiommu_endpoint five;
    struct uim_link *link;
    struct pasids s;

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        pasids_open(&s, first);
        fake_pasid(&s.dev, 5, &five);
        pasids_set(&s, s.dev.endpoint, &s.domain[0]);
        pasids_set(&s, &five, &s.domain[0]);
        link = uim_link_of(&s.domain[0], &five);
        fake_forget(&s.f);
        ok(vtd_invalidate(link, &page));
        pasids_commands(&s, first ? PIOTLB_PAGE(3, 5) : IOTLB_PAGE(2));
        assert_true(s.f.command[0].hi == 0x5000);
        fake_forget(&s.f);
        ok(vtd_invalidate(link, &everything));
        pasids_commands(&s, first ? PIOTLB_PASID(3, 5) : IOTLB_DOMAIN(2));
        fake_forget(&s.f);
        ok(vtd_invalidate(uim_link_of(&s.domain[0], s.dev.endpoint), &page));
        pasids_commands(&s, first ? PIOTLB_PAGE(2, 0) : IOTLB_PAGE(2));
        pasids_close(&s);
    }
}

/* An id that is given back is flushed for whatever PASID it was used. */
static void ids_are_flushed_before_they_are_used_again(void **state)
{
    struct uiommu_endpoint five, six;
    struct pasids s;

    (void)state;
    pasids_open(&s, true);
    fake_pasid(&s.dev, 5, &five);
    fake_pasid(&s.dev, 6, &six);
    pasids_set(&s, &five, &s.domain[0]);
    pasids_block(&s, &five);
    fake_forget(&s.f);
    uim_link_put(&s.domain[0], s.f.unit, 5);
    s.n_links = 0;
    pasids_commands(&s, PC_DOMAIN(2), IOTLB_DOMAIN(2));
    pasids_set(&s, &six, &s.domain[1]);
    assert_int_equal(pasids_did(&s, &six, &s.domain[1]), 2);
    pasids_close(&s);
}

/* ---- device TLBs --------------------------------------------------------------- */

static void device_tlbs_are_told_which_pasid(void **state)
{
    const struct uim_inval some = { .start = 0x40000, .last = 0x47fff };
    struct uiommu_endpoint far;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    s.dev.ats_queue = 6;
    fake_pasid(&s.dev, 0x54321, &far);
    ok(vtd_devtlb(&far, &some));
    pasids_commands(&s, UINT64_C(0x54321) << 32 | SID << 16 | 6 << 4 | 8);
    /* 8 pages: the lowest clear bit is 14; S in bit 11. */
    assert_true(s.f.command[0].hi == (0x43000 | 1 << 11));
    fake_forget(&s.f);
    ok(vtd_devtlb(&far, &everything));
    assert_true(s.f.command[0].hi == (UINT64_C(0x7ffffffffffff000) | 1 << 11));

    /* Without one: the form that reaches all of them. */
    fake_forget(&s.f);
    ok(vtd_devtlb(s.dev.endpoint, &some));
    pasids_commands(&s, (uint64_t)SID << 32 | 6 << 16 | 3);
    assert_true(s.f.command[0].hi == (0x43000 | 1));
    pasids_close(&s);
}

static void a_device_that_does_not_answer(void **state)
{
    struct uiommu_endpoint five;
    struct pasids s;

    (void)state;
    pasids_open(&s, false);
    fake_pasid(&s.dev, 5, &five);
    s.f.dead_sid = SID;
    s.f.ite_steps = 3;
    assert_int_equal(vtd_devtlb(&five, &everything), UIOMMU_TIMEDOUT);
    assert_int_equal(s.f.n_ite, 1);
    assert_false(atomic_load(&s.f.unit->broken));
    pasids_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities_say_how_many),
        cmocka_unit_test(pages_are_asked_for_where_that_can_be_drained),
        cmocka_unit_test(units_agree_on_a_mode_and_on_nothing_else),
        cmocka_unit_test(second_stage_entries),
        cmocka_unit_test(first_stage_entries),
        cmocka_unit_test(entries_of_a_process),
        cmocka_unit_test(directories_are_as_small_as_may_be),
        cmocka_unit_test(tables_come_with_the_first_of_64),
        cmocka_unit_test(more_than_the_device_has_is_refused),
        cmocka_unit_test(replacing_invalidates_what_the_table_says),
        cmocka_unit_test(domains_have_ids_by_stage),
        cmocka_unit_test(caching_mode_is_told_of_tables_and_entries),
        cmocka_unit_test(ats_changes_the_context_entry_too),
        cmocka_unit_test(many_domains_are_invalidated_together),
        cmocka_unit_test(endpoints_do_not_disturb_each_other),
        cmocka_unit_test(a_cut_is_of_one),
        cmocka_unit_test(what_was_cut_is_still_invalidated_with_the_rest),
        cmocka_unit_test(what_was_cut_is_not_opened),
        cmocka_unit_test(silence_leaves_one_blocked),
        cmocka_unit_test(invalidations_are_by_pasid_in_the_first_stage),
        cmocka_unit_test(ids_are_flushed_before_they_are_used_again),
        cmocka_unit_test(device_tlbs_are_told_which_pasid),
        cmocka_unit_test(a_device_that_does_not_answer),
    };

    return cmocka_run_group_tests_name("VT-d driver, PASIDs", tests, NULL,
                                       NULL);
}
