/* SPDX-License-Identifier: MIT */
/*
 * The VT-d driver against a fake unit that goes wrong on command: what firmware
 * left, timeouts, errors of the invalidation queue with many threads in it,
 * fault storms (semantics B.13, B.18, B.19, B.23; D-49 to D-51, D-79 to D-89).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "fake_unit.h"

#define TES (1u << 31)

enum {
    QIES = 1 << 26,
    IRES = 1 << 25,
    SID = 0x0018, /* 00:03.0 */
    OTHER_SID = 0x0020,
    MS = 1000 * 1000,
};

#define FEATURE(field)                                                         \
    vtd_ecap_pack(&(struct vtd_ecap_fields){ .field = 1 }).raw
#define CAPABILITY(field)                                                      \
    vtd_cap_pack(&(struct vtd_cap_fields){ .field = 1 }).raw

static const struct uim_inval everything = { .all = true };

static void add_scalable(struct fake *f)
{
    f->ecap |= FEATURE(smts) | FEATURE(ssts) | FEATURE(smpwcs);
}

static void add_first_stage(struct fake *f)
{
    f->ecap |= FEATURE(smts) | FEATURE(fsts) | FEATURE(smpwcs);
}

static void start(struct fake *f)
{
    assert_int_equal(fake_start(f), UIOMMU_OK);
    fake_forget(f);
}

static void remove_domain(struct fake_domain *d)
{
    d->link.unit->ops->unlink(&d->link);
}

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
    f.record_hi[2].raw = UINT64_C(1) << 63;
    start(&f);
    assert_int_equal(f.gsts & (IRES | QIES | TES), QIES | TES);
    assert_true((f.iqa & ~UINT64_C(0xfff)) == f.v->queue.ring_phys);
    assert_int_equal(f.fsts, 0);
    assert_true(f.record_hi[2].raw == 0);
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
    const uim_word *e = entry_of(f, &dev->endpoint);

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
    struct watch w = { &dev.endpoint, 0, 0 };
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_domain(&f, &b, 0x2000000);
    assert_int_equal(a.link.id, 2);
    fake_device(&f, &dev, SID);
    f.on_command = watch_entry;
    f.ctx = &w;

    /* Blocked needs no tables. */
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &f.u->blocked),
                     UIOMMU_OK);
    assert_null(entry_of(&f, &dev.endpoint));
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0x1000001, 2 << 8 | 2);
    assert_int_equal(f.n_commands, 0);

    assert_int_equal(vtd_set(&dev.endpoint, &b.domain, &a.domain), UIOMMU_OK);
    check_legacy(&f, &dev, 0x2000001, 3 << 8 | 2);
    check_types(&f, retire, 3);
    /* Device-selective for the old domain and this requester. */
    assert_true(f.command[0].lo == (UINT64_C(0x18) << 32 | 2 << 16 | 0x31));
    assert_true(f.command[1].lo == (2 << 16 | 0xe2));
    assert_int_equal(w.present, 0);

    /* ATS changes one word: never blocked. */
    fake_forget(&f);
    w = (struct watch){ &dev.endpoint, 0, 0 };
    dev.endpoint.ats = true;
    assert_int_equal(vtd_set(&dev.endpoint, &b.domain, &b.domain), UIOMMU_OK);
    check_legacy(&f, &dev, 0x2000005, 3 << 8 | 2);
    check_types(&f, retire, 3);
    assert_int_equal(w.blocked, 0);

    dev.endpoint.ats = false;
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->identity, &b.domain),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0x9, 1 << 8 | 2);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &f.u->identity),
                     UIOMMU_OK);
    check_legacy(&f, &dev, 0, 0);
    remove_domain(&a);
    remove_domain(&b);
    fake_stop(&f);
}

static void check_pasid_entry(struct fake *f, const struct uiommu_device *dev,
                              uint64_t q0, uint64_t q1, uint64_t q2)
{
    const uim_word *e = entry_of(f, &dev->endpoint);

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
    struct watch w = { &dev.endpoint, 0, 0 };
    struct fake f;
    uim_word *c;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_domain(&f, &b, 0x2000000);
    fake_device(&f, &dev, 0x12ff); /* upper half of the bus */
    f.on_command = watch_entry;
    f.ctx = &w;
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    c = vtd_context(f.v, vtd_sid(&dev.endpoint));
    assert_int_equal(uim_ld64(c) & 0xfff, 1);
    assert_true(uim_ld64(c + 1) == 0);
    assert_true(uim_ld64(&f.v->root[0x12 * 2]) == 0);
    assert_true(uim_ld64(&f.v->root[0x12 * 2 + 1]) & 1);
    check_pasid_entry(&f, &dev, 0x1000000 | 2 << 6 | 2 << 2 | 1, pwsnp | 2, 0);
    assert_int_equal(f.n_commands, 0);

    assert_int_equal(vtd_set(&dev.endpoint, &b.domain, &a.domain), UIOMMU_OK);
    check_pasid_entry(&f, &dev, 0x2000000 | 2 << 6 | 2 << 2 | 1, pwsnp | 3, 0);
    check_types(&f, retire, 3);
    assert_true(f.command[0].lo == (2 << 16 | 0x17));
    assert_int_equal(w.present, 0);

    fake_forget(&f);
    w = (struct watch){ &dev.endpoint, 0, 0 };
    dev.endpoint.ats = true;
    assert_int_equal(vtd_set(&dev.endpoint, &b.domain, &b.domain), UIOMMU_OK);
    assert_int_equal(uim_ld64(c) & 0xfff, 5);
    check_types(&f, context, 4);
    assert_int_equal(w.blocked, 0);

    fake_forget(&f);
    dev.endpoint.ats = false;
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->identity, &b.domain),
                     UIOMMU_OK);
    assert_int_equal(uim_ld64(c) & 0xfff, 1);
    check_pasid_entry(&f, &dev, 4 << 6 | 2 << 2 | 1, pwsnp | 1, 0);
    check_types(&f, context, 4);

    fake_forget(&f);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &f.u->identity),
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
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    check_pasid_entry(&f, &dev, 1 << 6 | 2 << 2 | 1, 3 << 23 | 2, 0x1000000);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    assert_true(f.command[0].lo == (2 << 16 | 0x26));
    fake_forget(&f);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &a.domain),
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
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
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
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    assert_int_equal(f.n_wbf, 2);
    assert_int_equal(vtd_map_sync(&a.link, &page), UIOMMU_OK);
    assert_int_equal(f.n_wbf, 3);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &a.domain),
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
    vtd_cut(&dev.endpoint); /* nothing there yet */
    assert_int_equal(f.n_commands, 0);
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    vtd_cut(&dev.endpoint);
    check_legacy(&f, &dev, 0x1000000, 2 << 8 | 2);
    assert_int_equal(f.n_commands, 3);
    assert_int_equal(fake_type(&f, 0), VTD_QI_CONTEXT);
    assert_int_equal(fake_type(&f, 1), VTD_QI_IOTLB);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &a.domain),
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
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                     UIOMMU_OK);
    f.silent = true;
    assert_int_equal(vtd_set(&dev.endpoint, &b.domain, &a.domain),
                     UIOMMU_TIMEDOUT);
    check_pasid_entry(&f, &dev, 0x1000000 | 2 << 6 | 2 << 2, 1 << 23 | 2, 0);
    assert_int_equal(vtd_set(&dev.endpoint, &f.u->blocked, &a.domain),
                     UIOMMU_TIMEDOUT);
    assert_false(uim_ld64(entry_of(&f, &dev.endpoint)) & VTD_ENTRY_P);
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
        assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
                         UIOMMU_NOMEM);
        assert_int_equal(f.pages, pages);
    }
    assert_int_equal(vtd_set(&dev.endpoint, &a.domain, &f.u->blocked),
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

/* ---- the queue with many threads ----------------------------------------- */

enum { THREADS = 8 };

struct worker {
    pthread_t thread;
    struct fake_domain d;
    struct uiommu_device dev;
    struct fake *f;
    bool devtlb;
    unsigned rounds;
    unsigned n_ok, n_io, n_timedout;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < w->rounds; i++) {
        uint64_t start = (uint64_t)i << 12;
        const struct uim_inval inval = {
            .start = start,
            .last = start + (i % 7 << 12 | 0xfff),
        };
        enum uiommu_status status;

        if (w->devtlb)
            status = vtd_devtlb(&w->dev.endpoint, &inval);
        else
            status = vtd_invalidate(&w->d.link, &inval);
        w->n_ok += status == UIOMMU_OK;
        w->n_io += status == UIOMMU_IO;
        w->n_timedout += status == UIOMMU_TIMEDOUT;
    }
    return NULL;
}

static void run(struct fake *f, struct worker *w, unsigned rounds)
{
    for (unsigned i = 0; i < THREADS; i++) {
        w[i].f = f;
        w[i].rounds = rounds;
        w[i].n_ok = w[i].n_io = w[i].n_timedout = 0;
        pthread_create(&w[i].thread, NULL, work, &w[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(w[i].thread, NULL);
}

static void hire(struct fake *f, struct worker *w)
{
    memset(w, 0, THREADS * sizeof(*w));
    for (unsigned i = 0; i < THREADS; i++) {
        fake_domain(f, &w[i].d, 0x1000000);
        fake_device(f, &w[i].dev, (uint16_t)(SID + i));
    }
}

static void fire(struct worker *w)
{
    for (unsigned i = 0; i < THREADS; i++)
        remove_domain(&w[i].d);
}

static void threads_share_the_queue(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        fake_init(&f);
        if (mode)
            add_scalable(&f);
        start(&f);
        hire(&f, w);
        w[0].devtlb = w[5].devtlb = true;
        run(&f, w, 2000);
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(w[i].n_ok, 2000);
        fire(w);
        fake_stop(&f);
    }
}

/* IQE: only the submitter of the bad descriptor fails. */
static void bad_descriptors_fail_their_submitter_only(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    hire(&f, w);
    f.bad_did = (int)w[3].d.link.id;
    run(&f, w, 500);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(w[i].n_io, i == 3 ? 500 : 0);
        assert_int_equal(w[i].n_ok, i == 3 ? 0 : 500);
    }
    assert_true(f.n_iqe >= 500);
    assert_true(f.n_errors < 20); /* not a sentence for each */
    assert_false(f.unit->broken);
    f.bad_did = -1;
    fire(w);
    fake_stop(&f);
}

static void bad_waits_end(void **state)
{
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    f.bad_waits = true;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_IO);
    f.bad_waits = false;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    remove_domain(&a);
    fake_stop(&f);
}

/* ITE: the device that does not answer fails, others submit again (D-80). */
static void dead_devices_fail_alone(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    hire(&f, w);
    w[2].devtlb = w[6].devtlb = true;
    f.dead_sid = SID + 2;
    f.ite_steps = 20;
    run(&f, w, 100);
    for (unsigned i = 0; i < THREADS; i++) {
        if (i == 2)
            assert_int_equal(w[i].n_timedout, 100);
        else
            assert_int_equal(w[i].n_ok, 100);
    }
    assert_true(f.n_ite > 0);
    assert_false(f.unit->broken);
    f.dead_sid = -1;
    fire(w);
    fake_stop(&f);
}

/* Old units do not say which device it was. */
static void dead_devices_without_a_name(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    f.hide_sid = true;
    f.ite_steps = 5;
    assert_int_equal(vtd_devtlb(&dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_false(f.unit->broken);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    remove_domain(&a);
    fake_stop(&f);
}

/* No answer and no ITE: its own submitter gives up in time; those behind it
 * wait for as long as PCIe gives a device, then the unit counts as dead. */
static void devices_that_never_answer(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    began = f.now;
    assert_int_equal(vtd_devtlb(&dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_in_range(f.now - began, 1000ull * MS, 1010ull * MS);
    assert_false(f.unit->broken);
    f.ite_steps = 300 * 1000; /* 30 s */
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    assert_int_equal(f.n_ite, 1);

    f.ite_steps = 0;
    assert_int_equal(vtd_devtlb(&dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_TIMEDOUT);
    assert_true(f.unit->broken);
    fake_stop(&f);
}

static void dead_units_are_not_waited_for_twice(void **state)
{
    struct worker w[THREADS];
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    f.options.timeout_ms = 20;
    start(&f);
    hire(&f, w);
    f.silent = true;
    run(&f, w, 50);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(w[i].n_timedout, 50);
    assert_true(f.unit->broken);
    assert_int_equal(f.n_errors, 1);
    began = f.now;
    assert_int_equal(vtd_invalidate(&w[0].d.link, &everything),
                     UIOMMU_TIMEDOUT);
    assert_true(f.now == began);
    fire(w);
    fake_stop(&f);
}

/* More than the ring holds, while it stands still; then it moves again. */
static void *later(void *arg)
{
    struct fake *f = arg;
    bool full = false;

    while (!full) {
        pthread_mutex_lock(&f->lock);
        full = (f->iqt - f->iqh) % 4096 >= (VTD_QUEUE_ENTRIES - 9) * 16;
        pthread_mutex_unlock(&f->lock);
    }
    pthread_mutex_lock(&f->lock);
    f->silent = false;
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void *big_one(void *arg)
{
    struct fake *f = arg;
    struct vtd_batch b = { .n = 0 };

    for (unsigned i = 0; i < VTD_BATCH; i++)
        vtd_add_iotlb(&b, f->v, VTD_IOTLB_DOMAIN, (struct vtd_did){ 2 });
    assert_int_equal(vtd_submit(f->v, &b), UIOMMU_OK);
    return NULL;
}

static void full_queues_are_waited_for(void **state)
{
    enum { MANY = 40 }; /* 9 slots each */
    pthread_t thread[MANY], other;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    f.silent = true;
    f.step_ns = 0; /* patience is not what this is about */
    for (unsigned i = 0; i < MANY; i++)
        pthread_create(&thread[i], NULL, big_one, &f);
    pthread_create(&other, NULL, later, &f);
    for (unsigned i = 0; i < MANY; i++)
        pthread_join(thread[i], NULL);
    pthread_join(other, NULL);
    assert_int_equal(f.n_commands, MANY * (VTD_BATCH + 1));
    fake_stop(&f);
}

/* D-82: nothing but the wait. */
static void empty_batches_complete(void **state)
{
    const struct vtd_batch none = { .n = 0 };
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    assert_int_equal(vtd_submit(f.v, &none), UIOMMU_OK);
    assert_int_equal(f.n_commands, 1);
    fake_stop(&f);
}

/* Everything at once, and nobody waits for ever. */
static void all_errors_at_once(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    hire(&f, w);
    w[1].devtlb = w[4].devtlb = w[7].devtlb = true;
    f.dead_sid = SID + 4;
    f.ite_steps = 10;
    f.bad_did = (int)w[2].d.link.id;
    run(&f, w, 100);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(w[i].n_ok + w[i].n_io + w[i].n_timedout, 100);
        assert_int_equal(w[i].n_timedout, i == 4 ? 100 : 0);
        assert_int_equal(w[i].n_io, i == 2 ? 100 : 0);
    }
    f.bad_did = f.dead_sid = -1;
    fire(w);
    fake_stop(&f);
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
    fake_fault(&f, SID, VTD_FR_IR_SOURCE, 0);
    f.unit->ops->poll(f.unit);
    assert_int_equal(f.n_faults, 2);
    assert_false(f.fault.has_iova);
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
        cmocka_unit_test(threads_share_the_queue),
        cmocka_unit_test(bad_descriptors_fail_their_submitter_only),
        cmocka_unit_test(bad_waits_end),
        cmocka_unit_test(dead_devices_fail_alone),
        cmocka_unit_test(dead_devices_without_a_name),
        cmocka_unit_test(devices_that_never_answer),
        cmocka_unit_test(dead_units_are_not_waited_for_twice),
        cmocka_unit_test(full_queues_are_waited_for),
        cmocka_unit_test(empty_batches_complete),
        cmocka_unit_test(all_errors_at_once),
        cmocka_unit_test(faults_are_read_and_cleared),
        cmocka_unit_test(overflow_is_told_and_cleared),
        cmocka_unit_test(several_threads_poll_in_a_storm),
    };

    return cmocka_run_group_tests_name("VT-d driver on a fake unit", tests,
                                       NULL, NULL);
}
