/* SPDX-License-Identifier: MIT */
/*
 * The VT-d driver against a fake unit that goes wrong on command: what firmware
 * left, entries, timeouts, fault storms (semantics B.13, B.18, B.23; D-49 to
 * D-51, D-85 to D-89).
 */
#include "steps.h"

/* ---- modes --------------------------------------------------------------- */

static void auto_takes_the_best_mode(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    assert_string_equal(f.unit->mode, "legacy");
    assert_int_equal(f.unit->iova_bits, 48);
    assert_int_equal(f.unit->levels, 4);
    assert_true(f.unit->page_sizes == 0x40201000);
    fake_stop(&f);

    fake_init(&f);
    add_first_stage(&f);
    start(&f);
    assert_string_equal(f.unit->mode, "first-stage");
    assert_int_equal(f.unit->iova_bits, 47);
    assert_true(f.unit->page_sizes == 0x201000);
    fake_stop(&f);

    fake_init(&f);
    add_first_stage(&f);
    add_scalable(&f);
    start(&f);
    assert_string_equal(f.unit->mode, "scalable");
    assert_true(f.unit->coherent);
    fake_stop(&f);
}

/* CAP 00d2008c40660462 of many desktops: 4 levels, 39 bits. */
static void depth_and_width_are_two_things(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.cap = vtd_cap_set_mgaw((struct vtd_cap){ f.cap }, 38).raw;
    f.cap = vtd_cap_set_sagaw((struct vtd_cap){ f.cap }, 4).raw;
    start(&f);
    assert_int_equal(f.unit->iova_bits, 39);
    assert_int_equal(f.unit->levels, 4);
    fake_stop(&f);
}

static void missing_modes_are_refused(void **state)
{
    static const enum vtd_mode modes[] = { VTD_SCALABLE, VTD_FIRST_STAGE };
    struct fake f;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fake_init(&f);
        f.options.mode = modes[i];
        assert_int_equal(fake_probe(&f), UIOMMU_OPNOTSUPP);
        assert_non_null(strstr(f.log, "it has no scalable mode"));
        fake_end(&f);
    }
    fake_init(&f);
    f.cap = vtd_cap_set_sagaw((struct vtd_cap){ f.cap }, 0).raw;
    assert_int_equal(fake_probe(&f), UIOMMU_OPNOTSUPP);
    assert_non_null(strstr(f.log, "CAP.SAGAW is 0"));
    fake_end(&f);
}

static void flush_is_needed_where_walks_do_not_snoop(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.ecap &= ~FEATURE(c);
    f.host.flush = NULL;
    assert_int_equal(fake_probe(&f), UIOMMU_OPNOTSUPP);
    assert_non_null(strstr(f.log, "no flush()"));
    fake_end(&f);
}

static void nothing_there_is_no_unit(void **state)
{
    static const uint64_t caps[] = { 0, UINT64_MAX };
    struct fake f;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fake_init(&f);
        f.cap = caps[i];
        assert_int_equal(fake_probe(&f), UIOMMU_NODEV);
        fake_end(&f);
    }
}

/* CAP and ECAP say where fault records and IOTLB registers are. */
static void all_registers_are_mapped(void **state)
{
    static const struct {
        unsigned fro, records, iro;
        size_t size;
    } row[] = {
        { FAKE_FRO, 1, FAKE_IRO, 4096 }, { 0xff, 1, FAKE_IRO, 4096 },
        { 0xff, 2, FAKE_IRO, 8192 },     { 0x100, 1, FAKE_IRO, 8192 },
        { FAKE_FRO, 1, 0xff, 4096 },     { FAKE_FRO, 1, 0x100, 8192 },
        { 0x1ff, 1, 0x200, 12288 },
    };
    struct fake f;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        fake_init(&f);
        f.cap = vtd_cap_set_fro((struct vtd_cap){ f.cap }, row[i].fro).raw;
        f.cap =
            vtd_cap_set_nfr((struct vtd_cap){ f.cap }, row[i].records - 1).raw;
        f.ecap = vtd_ecap_set_iro((struct vtd_ecap){ f.ecap }, row[i].iro).raw;
        assert_int_equal(fake_probe(&f), UIOMMU_OK);
        assert_int_equal(f.mapped, row[i].size);
        fake_end(&f);
    }
}

static void options_are_read(void **state)
{
    enum uiommu_status (*option)(void *, const char *, const char *) =
        uiommu_driver_vtd.option;
    struct vtd_options o = { .mode = VTD_AUTO };

    (void)state;
    assert_int_equal(option(&o, "mode", "first-stage"), UIOMMU_OK);
    assert_int_equal(o.mode, VTD_FIRST_STAGE);
    assert_int_equal(option(&o, "mode", "first"), UIOMMU_INVAL);
    assert_int_equal(option(&o, "mode", ""), UIOMMU_INVAL);
    assert_int_equal(option(&o, "modes", "auto"), UIOMMU_NOENT);
    assert_int_equal(option(&o, "timeout_ms", "250"), UIOMMU_OK);
    assert_int_equal(o.timeout_ms, 250);
    assert_int_equal(option(&o, "timeout_ms", "0"), UIOMMU_INVAL);
    assert_int_equal(option(&o, "timeout_ms", "-1"), UIOMMU_INVAL);
    assert_int_equal(option(&o, "timeout_ms", "10s"), UIOMMU_INVAL);
    assert_int_equal(option(&o, "timeout_ms", "4294967297"), UIOMMU_INVAL);
    assert_int_equal(o.timeout_ms, 250);
}

/* ---- what firmware left -------------------------------------------------- */

static void same_mode_is_taken_over_without_a_gap(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.gsts = TES;
    assert_int_equal(fake_start(&f), UIOMMU_OK);
    assert_int_equal(f.te_off, 0);
    assert_int_equal(f.n_warnings, 0);
    assert_true((f.rtaddr & ~UINT64_C(0xfff)) == f.v->root_phys);
    /* Global context, then global IOTLB; then the wait. */
    assert_int_equal(fake_type(&f, 0), VTD_QI_CONTEXT);
    assert_int_equal(fake_type(&f, 1), VTD_QI_IOTLB);
    fake_stop(&f);
}

static void another_mode_needs_a_gap_and_says_so(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    f.gsts = TES;
    start(&f);
    assert_int_equal(f.te_off, 1);
    assert_int_equal(f.n_warnings, 1);
    fake_stop(&f);

    fake_init(&f);
    add_scalable(&f);
    f.cap |= CAPABILITY(esrtps);
    f.gsts = TES;
    assert_int_equal(fake_start(&f), UIOMMU_OK);
    assert_int_equal(f.te_off, 0);
    assert_int_equal(f.n_commands, 0); /* SRTP has invalidated */
    fake_stop(&f);
}

static void old_queue_and_remapping_are_switched_off(void **state)
{
    static uim_word old_ring[512];
    struct fake f;

    (void)state;
    fake_init(&f);
    f.gsts = QIES | IRES;
    f.iqa = (uintptr_t)old_ring & ~(uintptr_t)0xfff;
    f.iqh = f.iqt = 0x50;
    f.fsts = 0x71;
    f.pmen = 0x80000001;
    for (unsigned i = 0; i < FAKE_RECORDS; i++)
        f.record_hi[i].raw = UINT64_C(1) << 63;
    assert_int_equal(fake_probe(&f), UIOMMU_OK);
    assert_int_equal(f.unit->ops->prepare(f.unit), UIOMMU_OK);
    assert_int_equal(f.gsts & (IRES | QIES | TES), QIES);
    assert_int_equal(f.fsts, 0); /* D-89: before it is enabled */
    for (unsigned i = 0; i < FAKE_RECORDS; i++)
        assert_true(f.record_hi[i].raw == 0);
    assert_int_equal(f.unit->ops->enable(f.unit), UIOMMU_OK);
    assert_int_equal(f.gsts & (IRES | QIES | TES), QIES | TES);
    assert_true((f.iqa & ~UINT64_C(0xfff)) == f.v->queue.ring_phys);
    assert_int_equal(f.pmen, 0);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.n_faults, 0);
    fake_stop(&f);
}

static void units_that_hear_nothing_fail_the_start(void **state)
{
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    f.options.timeout_ms = 50;
    assert_int_equal(fake_probe(&f), UIOMMU_OK);
    assert_int_equal(f.unit->ops->prepare(f.unit), UIOMMU_OK);
    f.deaf = true;
    began = f.now;
    assert_int_equal(f.unit->ops->enable(f.unit), UIOMMU_TIMEDOUT);
    assert_true(f.now - began < 1000ull * MS);
    f.deaf = false;
    fake_stop(&f);
}

/* Memory that the unit may still read is not given back. */
static void tables_stay_if_translation_does_not_stop(void **state)
{
    void *pages[3];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    pages[0] = f.v->root;
    pages[1] = f.v->queue.ring;
    pages[2] = f.v->queue.status;
    f.deaf = true;
    f.unit->ops->disable(f.unit);
    fake_end(&f);
    assert_int_equal(f.pages, 3);
    for (unsigned i = 0; i < 3; i++)
        free(pages[i]);
}

static void every_allocation_may_fail(void **state)
{
    struct fake f;

    (void)state;
    for (int nth = 1; nth <= 3; nth++) {
        fake_init(&f);
        f.gsts = QIES; /* firmware's */
        f.fail_pages = nth;
        assert_int_equal(fake_start(&f), UIOMMU_NOMEM);
        fake_end(&f);
        assert_int_equal(f.pages, 0);
        assert_int_equal(f.gsts, QIES);
    }
}

static void interrupts_go_where_the_host_says(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    f.msi = true;
    start(&f);
    assert_int_equal(f.event[0][0], 0);
    assert_int_equal(f.event[0][1], 0x4041);
    assert_int_equal(f.event[0][2], 0xfee00000);
    assert_int_equal(f.event[0][3], 1);
    assert_int_equal(f.event[1][0], 0x80000000);
    f.unit->ops->disable(f.unit);
    assert_int_equal(f.event[0][0], 0x80000000);
    fake_stop(&f);
}

static void sleep_and_wake(void **state)
{
    struct fake_domain d;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &d, 0x1000000);
    assert_int_equal(f.unit->ops->suspend(f.unit), UIOMMU_OK);
    assert_int_equal(f.gsts & (TES | QIES), TES);
    f.gsts = 0; /* power was off */
    f.rtaddr = f.iqa = f.iqt = f.iqh = 0;
    assert_int_equal(f.unit->ops->resume(f.unit), UIOMMU_OK);
    assert_true((f.rtaddr & ~UINT64_C(0xfff)) == f.v->root_phys);
    assert_int_equal(fake_type(&f, 0), VTD_QI_CONTEXT);
    fake_forget(&f);
    assert_int_equal(f.unit->ops->invalidate(&d.link, &everything), UIOMMU_OK);
    assert_int_equal(fake_type(&f, 0), VTD_QI_IOTLB);
    remove_domain(&d);
    fake_stop(&f);
}

/* ---- entries ------------------------------------------------------------- */

/* At each invalidation that retires an entry, it must be blocked already. */
struct watch {
    const struct uiommu_endpoint *ep;
    unsigned blocked, present;
};

static uim_word *entry_of(struct fake *f, const struct uiommu_endpoint *ep)
{
    uim_word *e = vtd_context(f->v, vtd_sid(ep));

    if (e && vtd_has_pasids(f->v))
        return vtd_pasid_entry(f->v, uim_ld64(e), VTD_RID_PASID);
    return e;
}

static void watch_entry(struct fake *f, struct vtd_desc d)
{
    struct watch *w = f->ctx;
    const uim_word *e = entry_of(f, w->ep);

    (void)d;
    if (e && (uim_ld64(e) & VTD_ENTRY_P))
        w->present++;
    else
        w->blocked++;
}

static void check_legacy(struct fake *f, const struct uiommu_device *dev,
                         uint64_t lo, uint64_t hi)
{
    const uim_word *e = entry_of(f, dev->endpoint);

    assert_true(uim_ld64(&e[0]) == lo);
    assert_true(uim_ld64(&e[1]) == hi);
}

static void check_types(const struct fake *f, const unsigned *types, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(fake_type(f, i), types[i]);
    assert_int_equal(f->n_commands, n);
}

static void legacy_entries(void **state)
{
    static const unsigned retire[] = { VTD_QI_CONTEXT, VTD_QI_IOTLB,
                                       VTD_QI_WAIT };
    struct uiommu_device dev;
    struct fake_domain a, b;
    struct watch w;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_domain(&f, &b, 0x2000000);
    assert_int_equal(a.link.id, 2);
    fake_device(&f, &dev, SID);
    w = (struct watch){ dev.endpoint, 0, 0 };
    f.on_command = watch_entry;
    f.ctx = &w;

    /* Blocked needs no tables. */
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &f.u->blocked),
                     UIOMMU_OK);
    assert_null(entry_of(&f, dev.endpoint));
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0x1000001, 2 << 8 | 2);
    assert_int_equal(f.n_commands, 0);

    assert_int_equal(vtd_set(dev.endpoint, &b.domain, &a.domain), UIOMMU_OK);
    check_legacy(&f, &dev, 0x2000001, 3 << 8 | 2);
    check_types(&f, retire, 3);
    /* Device-selective for the old domain and this requester. */
    assert_true(f.command[0].lo == (UINT64_C(0x18) << 32 | 2 << 16 | 0x31));
    assert_true(f.command[1].lo == (2 << 16 | 0xe2));
    assert_int_equal(w.present, 0);

    /* ATS changes one word: never blocked. */
    fake_forget(&f);
    w = (struct watch){ dev.endpoint, 0, 0 };
    dev.endpoint->ats = true;
    assert_int_equal(vtd_set(dev.endpoint, &b.domain, &b.domain), UIOMMU_OK);
    check_legacy(&f, &dev, 0x2000005, 3 << 8 | 2);
    check_types(&f, retire, 3);
    assert_int_equal(w.blocked, 0);

    dev.endpoint->ats = false;
    assert_int_equal(vtd_set(dev.endpoint, &f.u->identity, &b.domain),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0x9, 1 << 8 | 2);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &f.u->identity),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0, 0);
    remove_domain(&a);
    remove_domain(&b);
    fake_stop(&f);
}

static void check_pasid_entry(struct fake *f, const struct uiommu_device *dev,
                              uint64_t q0, uint64_t q1, uint64_t q2)
{
    const uim_word *e = entry_of(f, dev->endpoint);

    assert_true(uim_ld64(&e[0]) == q0);
    assert_true(uim_ld64(&e[1]) == q1);
    assert_true(uim_ld64(&e[2]) == q2);
}

static void scalable_entries(void **state)
{
    static const unsigned retire[] = { VTD_QI_PASID_CACHE, VTD_QI_IOTLB,
                                       VTD_QI_WAIT };
    static const unsigned context[] = { VTD_QI_CONTEXT, VTD_QI_PASID_CACHE,
                                        VTD_QI_IOTLB, VTD_QI_WAIT };
    const uint64_t pwsnp = 1 << 23;
    struct uiommu_device dev;
    struct fake_domain a, b;
    struct watch w;
    struct fake f;
    uim_word *c;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_domain(&f, &b, 0x2000000);
    fake_device(&f, &dev, 0x12ff); /* upper half of the bus */
    w = (struct watch){ dev.endpoint, 0, 0 };
    f.on_command = watch_entry;
    f.ctx = &w;
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    c = vtd_context(f.v, vtd_sid(dev.endpoint));
    assert_int_equal(uim_ld64(c) & 0xfff, 1);
    assert_true(uim_ld64(c + 1) == 0);
    assert_true(uim_ld64(&f.v->root[0x12 * 2]) == 0);
    assert_true(uim_ld64(&f.v->root[0x12 * 2 + 1]) & 1);
    check_pasid_entry(&f, &dev, 0x1000000 | 2 << 6 | 2 << 2 | 1, pwsnp | 2, 0);
    assert_int_equal(f.n_commands, 0);

    assert_int_equal(vtd_set(dev.endpoint, &b.domain, &a.domain), UIOMMU_OK);
    check_pasid_entry(&f, &dev, 0x2000000 | 2 << 6 | 2 << 2 | 1, pwsnp | 3, 0);
    check_types(&f, retire, 3);
    assert_true(f.command[0].lo == (2 << 16 | 0x17));
    assert_int_equal(w.present, 0);

    fake_forget(&f);
    w = (struct watch){ dev.endpoint, 0, 0 };
    dev.endpoint->ats = true;
    assert_int_equal(vtd_set(dev.endpoint, &b.domain, &b.domain), UIOMMU_OK);
    assert_int_equal(uim_ld64(c) & 0xfff, 5);
    check_types(&f, context, 4);
    assert_int_equal(w.blocked, 0);

    fake_forget(&f);
    dev.endpoint->ats = false;
    assert_int_equal(vtd_set(dev.endpoint, &f.u->identity, &b.domain),
                     UIOMMU_OK);
    assert_int_equal(uim_ld64(c) & 0xfff, 1);
    check_pasid_entry(&f, &dev, 4 << 6 | 2 << 2 | 1, pwsnp | 1, 0);
    check_types(&f, context, 4);

    fake_forget(&f);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &f.u->identity),
                     UIOMMU_OK);
    check_pasid_entry(&f, &dev, 0, 0, 0);
    check_types(&f, context, 4); /* pass-through: see add_stale() */
    remove_domain(&a);
    remove_domain(&b);
    fake_stop(&f);
}

static void first_stage_entries(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    add_first_stage(&f);
    f.ecap |= FEATURE(sc);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    check_pasid_entry(&f, &dev, 1 << 6 | 2 << 2 | 1, 3 << 23 | 2, 0x1000000);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    assert_true(f.command[0].lo == (2 << 16 | 0x26));
    fake_forget(&f);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &a.domain),
                     UIOMMU_OK);
    assert_true(f.command[0].lo == (2 << 16 | 0x17));
    assert_true(f.command[1].lo == (2 << 16 | 0x26));
    remove_domain(&a);
    fake_stop(&f);
}

/* CM=1: what was not present may be cached, under domain id 0. */
static void caching_mode_announces_new_entries(void **state)
{
    static const unsigned types[] = {
        VTD_QI_CONTEXT, VTD_QI_IOTLB, VTD_QI_WAIT, /* root entry  */
        VTD_QI_CONTEXT, VTD_QI_IOTLB, VTD_QI_WAIT, /* the context */
    };
    struct uim_inval page = { .start = 0x5000, .last = 0x5fff };
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.cap |= CAPABILITY(cm);
    start(&f);
    assert_true(f.unit->map_sync);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    check_types(&f, types, 6);
    assert_true(f.command[0].lo == 0x11);
    assert_true(f.command[3].lo == (UINT64_C(0x18) << 32 | 0x31));
    assert_true(f.command[4].lo == 0xe2);
    fake_forget(&f);
    assert_int_equal(vtd_map_sync(&a.link, &page), UIOMMU_OK);
    assert_true(f.command[0].hi == 0x5000);
    remove_domain(&a);
    fake_stop(&f);
}

/* RWBF: nothing else makes the unit see a new entry (6.8). */
static void write_buffers_are_flushed(void **state)
{
    const struct uim_inval page = { .start = 0x5000, .last = 0x5fff };
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.cap |= CAPABILITY(rwbf);
    start(&f);
    assert_true(f.unit->map_sync);
    assert_int_equal(f.n_wbf, 1); /* before SRTP */
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    assert_int_equal(f.n_wbf, 2);
    assert_int_equal(vtd_map_sync(&a.link, &page), UIOMMU_OK);
    assert_int_equal(f.n_wbf, 3);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &a.domain),
                     UIOMMU_OK);
    assert_int_equal(f.n_wbf, 3); /* an invalidation came after the store */
    remove_domain(&a);
    fake_stop(&f);
}

/* Cut drops what the unit has cached; set relies on that only if it was told so
 * by an invalidation of its own. */
static void cut_is_finished_by_set(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    vtd_cut(dev.endpoint); /* nothing there yet */
    assert_int_equal(f.n_commands, 0);
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    vtd_cut(dev.endpoint);
    check_legacy(&f, &dev, 0x1000000, 2 << 8 | 2);
    assert_int_equal(f.n_commands, 3);
    assert_int_equal(fake_type(&f, 0), VTD_QI_CONTEXT);
    assert_int_equal(fake_type(&f, 1), VTD_QI_IOTLB);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &a.domain),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0, 0);
    assert_int_equal(fake_type(&f, 3), VTD_QI_CONTEXT);
    remove_domain(&a);
    fake_stop(&f);
}

/* A failed set leaves the requester blocked, and does not forget the tag. */
static void silence_leaves_it_blocked(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a, b;
    struct fake f;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_domain(&f, &b, 0x2000000);
    fake_device(&f, &dev, SID);
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    f.silent = true;
    assert_int_equal(vtd_set(dev.endpoint, &b.domain, &a.domain),
                     UIOMMU_TIMEDOUT);
    check_pasid_entry(&f, &dev, 0x1000000 | 2 << 6 | 2 << 2, 1 << 23 | 2, 0);
    assert_int_equal(vtd_set(dev.endpoint, &f.u->blocked, &a.domain),
                     UIOMMU_TIMEDOUT);
    assert_false(uim_ld64(entry_of(&f, dev.endpoint)) & VTD_ENTRY_P);
    remove_domain(&a);
    fake_stop(&f);
}

static void no_memory_leaves_no_trace(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;
    int pages;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    pages = f.pages;
    for (int nth = 1; nth <= 3; nth++) {
        f.fail_pages = nth;
        assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                         UIOMMU_NOMEM);
        assert_int_equal(f.pages, pages);
    }
    assert_int_equal(vtd_set(dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    remove_domain(&a);
    fake_stop(&f);
}

/* ND=0: 16 ids, two of them taken. An id comes back after it was flushed. */
static void domain_ids_run_out_and_come_back(void **state)
{
    struct fake_domain d[15];
    struct fake f;

    (void)state;
    fake_init(&f);
    f.cap = vtd_cap_set_nd((struct vtd_cap){ f.cap }, 0).raw;
    start(&f);
    for (unsigned i = 0; i < 14; i++) {
        fake_domain(&f, &d[i], 0x1000000);
        assert_int_equal(d[i].link.id, 2 + i);
    }
    d[14] = d[0];
    d[14].link.domain = &d[14].domain;
    assert_int_equal(vtd_link(&d[14].link), UIOMMU_NOSPC);
    remove_domain(&d[5]);
    assert_true(f.command[0].lo == (7 << 16 | 0x21));
    assert_true(f.command[1].lo == (7 << 16 | 0xe2));
    assert_int_equal(vtd_link(&d[14].link), UIOMMU_OK);
    assert_int_equal(d[14].link.id, 7);
    f.bad_did = 7;
    remove_domain(&d[14]);
    f.bad_did = -1;
    assert_int_equal(vtd_link(&d[14].link), UIOMMU_NOSPC);
    fake_stop(&f);
}

static void tables_of_other_units_are_refused(void **state)
{
    struct fake_domain d;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &d, 0x1000000);
    d.domain.pt.top = 4;
    assert_int_equal(vtd_link(&d.link), UIOMMU_INVAL);
    d.domain.pt.top = 2;
    d.domain.last_iova = UINT64_C(1) << 48;
    assert_int_equal(vtd_link(&d.link), UIOMMU_INVAL);
    fake_stop(&f);
}

/* ---- register-based invalidation ----------------------------------------- */

static void units_without_a_queue(void **state)
{
    struct uim_inval page = { .start = 0x5000,
                              .last = 0x5fff,
                              .leaf_only = true };
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    f.ecap &= ~(FEATURE(qi) | FEATURE(dt));
    start(&f);
    assert_int_equal(f.gsts & QIES, 0);
    assert_true(f.ccmd >> 59 == 5); /* global asked for and done */
    fake_domain(&f, &a, 0x1000000);
    assert_int_equal(vtd_invalidate(&a.link, &page), UIOMMU_OK);
    assert_true(f.iva == 0x5040);
    assert_true(f.iotlb == UINT64_C(0x3603000200000000));
    f.silent = true;
    assert_int_equal(vtd_invalidate(&a.link, &page), UIOMMU_TIMEDOUT);
    assert_true(f.unit->broken);
    fake_stop(&f);
    fake_init(&f);
    f.ecap &= ~(FEATURE(qi) | FEATURE(dt));
    f.major = 6;
    assert_int_equal(fake_probe(&f), UIOMMU_OPNOTSUPP);
    fake_end(&f);
}

/* ---- faults -------------------------------------------------------------- */

static void faults_are_read_and_cleared(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_fault(&f, 0x1234, 6, 0xabcdef123456);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.n_faults, 1);
    assert_int_equal(f.fault.source.bus, 0x12);
    assert_int_equal(f.fault.source.devfn, 0x34);
    assert_int_equal(f.fault.reason, 6);
    assert_int_equal(f.fault.access, UIOMMU_READ);
    assert_int_equal(f.fault.pasid, UIOMMU_NO_PASID);
    assert_true(f.fault.has_iova && f.fault.iova == 0xabcdef123000);
    assert_false(f.fault.overflow);
    assert_int_equal(f.fault.kind, UIOMMU_FAULT_DMA);
    assert_false(f.fault.has_index);
    fake_fault(&f, SID, VTD_FR_IR_SOURCE, UINT64_C(0xf123) << 48);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.n_faults, 2);
    assert_int_equal(f.fault.kind, UIOMMU_FAULT_INTERRUPT);
    assert_true(!f.fault.has_iova && f.fault.iova == 0);
    assert_true(f.fault.has_index && f.fault.index == 0xf123);
    fake_fault(&f, SID, VTD_FR_IR_COMPAT, UINT64_C(0xf123) << 48);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.fault.kind, UIOMMU_FAULT_INTERRUPT);
    assert_false(f.fault.has_index);
    assert_int_equal(f.fault.index, 0);
    fake_stop(&f);
}

static struct uiommu_fault fault_with(struct fake *f,
                                      struct vtd_frcd_hi_fields hi)
{
    hi.f = 1;
    f->record_hi[0] = vtd_frcd_hi_pack(&hi);
    (void)f->unit->ops->poll(f->unit);
    return f->fault;
}

#define FAULT_WITH(f, ...)                                                     \
    fault_with((f), (struct vtd_frcd_hi_fields){ __VA_ARGS__ })

/* T1 and T2 say what it did; PV means something with PP only, PP in units with PASIDs. */
static void a_fault_is_what_the_record_says(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    assert_int_equal(FAULT_WITH(&f, .t1 = 0).access, UIOMMU_WRITE);
    assert_int_equal(FAULT_WITH(&f, .t2 = 1).access, 0); /* page request */
    assert_int_equal(FAULT_WITH(&f, .t1 = 1).access, UIOMMU_READ);
    assert_int_equal(FAULT_WITH(&f, .t1 = 1, .t2 = 1).access,
                     UIOMMU_READ | UIOMMU_WRITE);
    assert_int_equal(FAULT_WITH(&f, .pv = 0x123).pasid, UIOMMU_NO_PASID);
    assert_int_equal(FAULT_WITH(&f, .pp = 1, .pv = 0xabcde).pasid, 0xabcde);
    fake_stop(&f);
    fake_init(&f);
    start(&f);
    assert_int_equal(FAULT_WITH(&f, .pp = 1, .pv = 5).pasid, UIOMMU_NO_PASID);
    assert_int_equal(f.n_faults, 1);
    fake_stop(&f);
}

/* All its registers read as ones. */
static void a_unit_that_is_gone_tells_of_nothing(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    f.gone = true;
    assert_false(f.unit->ops->poll(f.unit));
    assert_int_equal(f.n_faults, 0);
    f.gone = false;
    fake_stop(&f);
}

static void overflow_is_told_and_cleared(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    for (unsigned round = 0; round < 1000; round++) {
        unsigned before = f.n_faults;

        for (unsigned i = 0; i < 1 + round % 9; i++)
            fake_fault(&f, SID, 5, 0x1000);
        f.unit->ops->poll(f.unit);
        assert_int_equal(f.n_faults - before, 1 + round % 9 < FAKE_RECORDS
                                                  ? 1 + round % 9
                                                  : FAKE_RECORDS);
        assert_int_equal(f.fault.overflow, 1 + round % 9 > FAKE_RECORDS);
        assert_int_equal(f.fsts, 0);
    }
    fake_stop(&f);
}

enum { BURST = 5 };

static unsigned more; /* faults, one for each that is handled; then a burst */

static void fault_again(struct fake *f)
{
    if (more > BURST)
        fake_fault(f, SID, 5, 0x1000);
    while (more > 0 && more <= BURST) {
        fake_fault(f, SID, 5, 0x1000);
        more--;
    }
    if (more > BURST)
        more--;
}

/* However late the overflow comes in a poll, the device is heard again. */
static void a_poll_that_meets_an_overflow_ends_it(void **state)
{
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    f.on_fault = fault_again;
    for (unsigned n = 0; n < 15; n++) {
        more = n + BURST;
        fake_fault(&f, SID, 5, 0x1000);
        f.unit->ops->poll(f.unit);
        assert_int_equal(more, 0);
        assert_int_equal(f.fsts, 0);
        assert_int_equal(vtd_frcd_hi_f(f.record_hi[0]), 0);
    }
    fake_stop(&f);
}

static void fault_always(struct fake *f)
{
    fake_fault(f, SID, 5, 0x1000);
}

/* It is not heard for ever, but what is pending then is not the last that is ever
 * heard: hardware tells of a fault only if no other is pending. */
static void a_poll_leaves_nothing_pending(void **state)
{
    struct fake f;
    unsigned heard;

    (void)state;
    fake_init(&f);
    start(&f);
    f.on_fault = fault_always;
    fake_fault(&f, SID, 5, 0x1000);
    f.unit->ops->poll(f.unit);
    heard = f.n_faults;
    assert_in_range(heard, FAKE_RECORDS, 10 * FAKE_RECORDS);
    for (unsigned i = 0; i < FAKE_RECORDS; i++)
        assert_int_equal(vtd_frcd_hi_f(f.record_hi[i]), 0);
    f.on_fault = NULL;
    for (unsigned i = 1; i < 3; i++) {
        fake_fault(&f, SID, 5, 0x1000);
        f.unit->ops->poll(f.unit);
        assert_int_equal(f.n_faults, heard + i);
        assert_int_equal(f.fault.overflow, i == 1);
    }
    fake_stop(&f);
}

static void *storm(void *arg)
{
    for (unsigned i = 0; i < 20000; i++)
        fake_fault(arg, SID, 5, 0x1000);
    return NULL;
}

static void *poller(void *arg)
{
    struct fake *f = arg;

    for (unsigned i = 0; i < 2000; i++)
        f->unit->ops->poll(f->unit);
    return NULL;
}

static void several_threads_poll_in_a_storm(void **state)
{
    pthread_t t[4];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    for (unsigned i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, i == 0 ? storm : poller, &f);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.fsts, 0);
    for (unsigned i = 0; i < FAKE_RECORDS; i++)
        assert_false(vtd_frcd_hi_f(f.record_hi[i]));
    fake_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_takes_the_best_mode),
        cmocka_unit_test(depth_and_width_are_two_things),
        cmocka_unit_test(missing_modes_are_refused),
        cmocka_unit_test(flush_is_needed_where_walks_do_not_snoop),
        cmocka_unit_test(nothing_there_is_no_unit),
        cmocka_unit_test(all_registers_are_mapped),
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(same_mode_is_taken_over_without_a_gap),
        cmocka_unit_test(another_mode_needs_a_gap_and_says_so),
        cmocka_unit_test(old_queue_and_remapping_are_switched_off),
        cmocka_unit_test(units_that_hear_nothing_fail_the_start),
        cmocka_unit_test(tables_stay_if_translation_does_not_stop),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(interrupts_go_where_the_host_says),
        cmocka_unit_test(sleep_and_wake),
        cmocka_unit_test(legacy_entries),
        cmocka_unit_test(scalable_entries),
        cmocka_unit_test(first_stage_entries),
        cmocka_unit_test(caching_mode_announces_new_entries),
        cmocka_unit_test(write_buffers_are_flushed),
        cmocka_unit_test(cut_is_finished_by_set),
        cmocka_unit_test(silence_leaves_it_blocked),
        cmocka_unit_test(no_memory_leaves_no_trace),
        cmocka_unit_test(domain_ids_run_out_and_come_back),
        cmocka_unit_test(tables_of_other_units_are_refused),
        cmocka_unit_test(units_without_a_queue),
        cmocka_unit_test(faults_are_read_and_cleared),
        cmocka_unit_test(a_fault_is_what_the_record_says),
        cmocka_unit_test(a_unit_that_is_gone_tells_of_nothing),
        cmocka_unit_test(overflow_is_told_and_cleared),
        cmocka_unit_test(a_poll_that_meets_an_overflow_ends_it),
        cmocka_unit_test(a_poll_leaves_nothing_pending),
        cmocka_unit_test(several_threads_poll_in_a_storm),
    };

    return cmocka_run_group_tests_name("VT-d driver on a fake unit", tests,
                                       NULL, NULL);
}
