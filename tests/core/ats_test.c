/* SPDX-License-Identifier: MIT */
/*
 * ats_test.c - devices with translation caches of their own (semantics B.8):
 * when ATS is on, in which order it is switched, and that nothing stays in
 * there.
 */
#include "tests/core/help.h"

#include "core/driver.h"
#include "pci/pci.h"

#define BASE GIB(2)

static bool with_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return true;
}

static unsigned ats_control(struct rig *rig, unsigned n)
{
    const struct uiommu_host *h = &rig->m->host;
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(h, at, &ats));
    return h->pci_read(h->ctx, at, ats.offset + 6u, 2);
}

static bool ats_on(struct rig *rig, unsigned n)
{
    return (ats_control(rig, n) & 0x8000) != 0;
}

static unsigned tlb_entries(struct rig *rig, unsigned n)
{
    return sim_devtlb_entries(rig->m, rig_engine(rig, n));
}

/* ---- when ---------------------------------------------------------------- */

/* How many invalidations it takes at once goes into each command for it. */
static void the_queue_of_a_device_is_known(struct rig *rig)
{
    const struct uiommu_device *dev = rig_endpoint(rig, 0)->device;
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(&rig->m->host, dev->pci, &ats));
    assert_true(ats.queue_depth > 0);
    assert_int_equal(dev->ats_queue, ats.queue_depth);
}

static void ats_is_on_while_a_device_sees_a_paging_domain(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);

    assert_false(ats_on(rig, 0));
    map_page(d, page, page);
    for (unsigned i = 0; i < 3; i++) {
        set(rig, 0, d);
        assert_true(ats_on(rig, 0));
        assert_int_equal(ats_control(rig, 0) & 0x1f, 0);
        assert_true(rig_reaches(rig, 0, page, page));
        assert_true(tlb_entries(rig, 0) > 0);
        set(rig, 0, uiommu_identity(rig->u));
        assert_false(ats_on(rig, 0));
        assert_true(rig_reaches(rig, 0, page, page));
        set(rig, 0, d);
        assert_true(rig_reaches(rig, 0, page, page));
        set(rig, 0, uiommu_blocked(rig->u));
        assert_false(ats_on(rig, 0));
        assert_true(rig_refused(rig, 0, page));
    }
    assert_false(ats_on(rig, 1));
    uiommu_domain_put(d);
}

/* 8.8: firmware says that the device cannot do without ATS. In legacy mode hardware
 * lets it ask, and software keeps its hands off. */
static void ats_that_hardware_switches_on_is_left_alone(struct rig *rig)
{
    uint8_t devfn, satc[] = { 5, 0, 16, 0, 1, 0, 0, 0,  /* ATC_REQUIRED */
                              1, 8, 0,  0, 0, 0, 0, 0 };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct table t;

    table_copy(rig, &t);
    devfn = rig->m->devices[rig_engine(rig, 0)].pci.devfn;
    satc[14] = devfn >> 3;
    satc[15] = devfn & 7;
    table_append(&t, satc, sizeof(satc));
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    d = attached_with(rig, 0, BASE, page);
    assert_true(ats_on(rig, 0) == (rig->config.mode != SIM_LEGACY));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

static bool listed(struct rig *rig, const char **why)
{
    return with_ats(rig, why) && rig_does(rig, RIG_DMAR, why);
}

static bool forbidden(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_NO_ATS;
    return with_ats(rig, why);
}

static void no_ats_is_on_where_the_config_forbids_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, page);

    assert_false(ats_on(rig, 0));
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, d);
}

static void an_untrusted_device_gets_no_ats(struct rig *rig)
{
    struct uiommu_device_info info = { .size = sizeof(info),
                                       .flags = UIOMMU_DEVICE_UNTRUSTED };
    unsigned dev = rig_engine(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct trace t;

    up_to_start(rig);
    info.pci = rig->m->devices[dev].pci;
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[dev]));
    rig_ok(rig_add(rig, rig_engine(rig, 1)));
    d = attached_with(rig, 0, BASE, page);
    set(rig, 1, d);
    assert_false(ats_on(rig, 0));
    assert_true(ats_on(rig, 1));
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_reaches(rig, 1, BASE, page));
    trace_start(rig, &t);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, ANY_DEVTLB), 1);
    assert_int_equal(t.cmd[first_of(&t, ANY_DEVTLB)].scope, UIM_CHECK_PAGE);
    assert_true(t.cmd[first_of(&t, ANY_DEVTLB)].addr == BASE);
    assert_int_equal(t.cmd[first_of(&t, ANY_DEVTLB)].am, 0);
    /* It leaves, and takes no count of those with ATS along (D-38). */
    set(rig, 0, uiommu_blocked(rig->u));
    map_page(d, BASE, page);
    assert_true(rig_reaches(rig, 1, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 1, BASE));
    assert_int_equal(t.cmd[first_of(&t, ANY_DEVTLB)].rid,
                     rig->m->devices[rig_engine(rig, 1)].pci.devfn);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, BASE));
    set(rig, 1, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* Whether the unit lets through what engine n says was translated before. */
static bool passes_translated(struct rig *rig, unsigned n, uint64_t phys)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    struct uie_req req = { .size = sizeof(req),
                           .rid = (uint32_t)at.bus << 8 | at.devfn,
                           .pasid = UIE_NO_PASID,
                           .access = UIE_R | UIE_W,
                           .flags = UIE_REQ_PROBE | UIE_REQ_XLATED,
                           .iova = phys };
    struct uie_xlat x = { .size = sizeof(x) };

    return sim_ops(rig->m)->translate(sim_model(rig->m), &req, &x) == 0;
}

/* D-72: such requests meet no tables, so whoever may send them reaches
 * everything. */
static void
what_an_untrusted_device_says_is_translated_is_refused(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_device_info info = { .size = sizeof(info),
                                       .flags = UIOMMU_DEVICE_UNTRUSTED };
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_domain *d;

    up_to_start(rig);
    info.pci = rig->m->devices[dev].pci;
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[dev]));
    rig_ok(rig_add(rig, rig_engine(rig, 1)));
    d = attached_with(rig, 0, BASE, pages);
    set(rig, 1, d);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(passes_translated(rig, 1, pages)); /* it would be noticed */
    assert_false(passes_translated(rig, 0, pages));
    assert_false(passes_translated(rig, 0, pages + RIG_PAGE));
    for (unsigned n = 0; n < 2; n++)
        set(rig, n, uiommu_identity(rig->u));
    for (unsigned n = 0; n < 2; n++)
        assert_false(passes_translated(rig, n, pages));
    for (unsigned n = 0; n < 2; n++)
        set(rig, n, uiommu_blocked(rig->u));
    for (unsigned n = 0; n < 2; n++)
        assert_false(passes_translated(rig, n, pages));
    uiommu_domain_put(d);
}

/* ---- nothing stays ------------------------------------------------------- */

static void unmap_empties_the_device_tlb(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    map_page(d, BASE + RIG_PAGE, pages + RIG_PAGE);
    set(rig, 2, d);
    for (unsigned n = 0; n < 3; n += 2) {
        assert_true(rig_reaches(rig, n, BASE, pages));
        assert_true(rig_reaches(rig, n, BASE + RIG_PAGE, pages + RIG_PAGE));
    }
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    for (unsigned n = 0; n < 3; n += 2) {
        assert_true(rig_refused(rig, n, BASE));
        assert_true(rig_reaches(rig, n, BASE + RIG_PAGE, pages + RIG_PAGE));
    }
    set(rig, 2, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

/* D-37. */
static void a_change_of_domain_empties_the_device_tlb(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *a = attached_with(rig, 0, BASE, pages);
    struct uiommu_domain *b = rig_domain(rig, 0);

    map_page(b, BASE, pages + RIG_PAGE);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rig_reaches(rig, 0, BASE, pages));
        set(rig, 0, b);
        assert_true(rig_reaches(rig, 0, BASE, pages + RIG_PAGE));
        set(rig, 0, a);
    }
    uiommu_domain_put(b);
    rig_drop(rig, 0, a);
}

static void large_leaves_leave_the_device_tlb_too(struct rig *rig)
{
    uint64_t phys = rig_pages(rig, 9);
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_ok(uiommu_map(d, BASE, phys, MIB(2), RIG_RW));
    assert_true(rig_reaches(rig, 0, BASE + MIB(1), phys + MIB(1)));
    rig_ok(uiommu_split(d, BASE, RIG_PAGE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_reaches(rig, 0, BASE + MIB(1), phys + MIB(1)));
    rig_ok(uiommu_unmap(d, BASE + RIG_PAGE, MIB(2) - RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE + MIB(1)));
    rig_drop(rig, 0, d);
}

/* D-29 and D-32, judged by a device that keeps what it is not told to
 * forget. */
static void a_range_of_any_place_and_size_leaves_the_device_tlb(struct rig *rig)
{
    uint64_t seed = 0xa75, phys = rig_pages(rig, 6);
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned round = 0; round < 60; round++) {
        unsigned pages = 1 + pick(&seed, 60);
        uint64_t at = BASE + (uint64_t)pick(&seed, 1 << 20) * RIG_PAGE;
        uint64_t size = (uint64_t)pages * RIG_PAGE;

        rig_ok(uiommu_map(d, at, phys, size, RIG_RW));
        for (uint64_t i = 0; i < size; i += RIG_PAGE)
            assert_true(rig_write(rig, 0, at + i, round));
        rig_ok(uiommu_unmap(d, at, size, NULL));
        for (uint64_t i = 0; i < size; i += RIG_PAGE)
            if (rig_write(rig, 0, at + i, round))
                fail_msg("page %llu of %u at 0x%llx stayed",
                         (unsigned long long)(i / RIG_PAGE), pages,
                         (unsigned long long)at);
    }
    rig_drop(rig, 0, d);
}

static void a_slow_device_is_waited_for(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);
    struct uiommu_domain *d = attached_with(rig, 0, BASE, pages);

    set(rig, 1, d);
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_SLOW);
    assert_true(rig_reaches(rig, 0, BASE, pages));
    assert_true(rig_reaches(rig, 1, BASE, pages));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, BASE));
    map_page(d, BASE, pages + RIG_PAGE);
    assert_true(rig_reaches(rig, 0, BASE, pages + RIG_PAGE));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 1, d);
}

/* ---- every tag gets the same range (D-33) -------------------------------- */

static bool same_command(const struct uim_check_inval *a,
                         const struct uim_check_inval *b)
{
    return a->kind == b->kind && a->scope == b->scope && a->rid == b->rid &&
           a->addr == b->addr && a->am == b->am && a->leaf_only == b->leaf_only;
}

static unsigned count_same(const struct trace *t,
                           const struct uim_check_inval *cmd)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->n; i++)
        n += same_command(&t->cmd[i], cmd);
    return n;
}

static void assert_same_set(const struct trace *a, const struct trace *b)
{
    assert_int_equal(count_kinds(a, ~KIND(WAIT)), count_kinds(b, ~KIND(WAIT)));
    for (unsigned i = 0; i < a->n; i++)
        if (!is_kind(&a->cmd[i], KIND(WAIT)))
            assert_int_equal(count_same(a, &a->cmd[i]),
                             count_same(b, &a->cmd[i]));
}

/* Those of an unmap of a range that takes several commands for each, if these must not
 * cover more than was asked for. */
static void unmap_seen_by(struct rig *rig, struct uiommu_domain *d,
                          const uint8_t *order, uint64_t pages, struct trace *t)
{
    const uint64_t at = BASE + 60 * RIG_PAGE, size = 8 * RIG_PAGE;

    for (unsigned i = 0; i < 3; i++)
        set(rig, order[i], d);
    rig_ok(uiommu_map(d, at, pages, size, RIG_RW));
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_reaches(rig, n, at + size - 8, pages + size - 8));
    trace_start(rig, t);
    rig_ok(uiommu_unmap(d, at, size, NULL));
    trace_stop(rig, t);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, at + size - 8));
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, uiommu_blocked(rig->u));
}

static void
in_any_order_of_its_endpoints_an_unmap_sends_the_same(struct rig *rig)
{
    static const uint8_t order[6][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
        { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
    };
    struct uiommu_domain *d = rig_domain(rig, 0);
    uint64_t pages = rig_pages(rig, 3);
    struct trace first, t;

    unmap_seen_by(rig, d, order[0], pages, &first);
    assert_true(count_kinds(&first, ANY_DEVTLB) >=
                3 * rig_arch(rig)->devtlb_parts);
    assert_true(count_kinds(&first, ANY_IOTLB) >= 1);
    for (unsigned i = 1; i < 6; i++) {
        unmap_seen_by(rig, d, order[i], pages, &t);
        assert_same_set(&first, &t);
    }
    uiommu_domain_put(d);
}

/* D-38: whatever came before, the count of devices with ATS is right. */
static void
after_any_changes_unmap_still_reaches_the_device_tlbs(struct rig *rig)
{
    uint64_t seed = 0x38, page = rig_pages(rig, 0);
    struct uiommu_domain *d[] = { rig_domain(rig, 0), rig_domain(rig, 0),
                                  uiommu_blocked(rig->u),
                                  uiommu_identity(rig->u) };
    unsigned sees[3] = { 2, 2, 2 };

    for (unsigned i = 0; i < 60; i++) {
        unsigned n = pick(&seed, 3), inside = 0;
        struct trace t;

        sees[n] = pick(&seed, 4);
        set(rig, n, d[sees[n]]);
        map_page(d[0], BASE, page);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal(rig_write(rig, k, BASE, 1), sees[k] == 0);
            inside += sees[k] == 0;
        }
        trace_start(rig, &t);
        rig_ok(uiommu_unmap(d[0], BASE, RIG_PAGE, NULL));
        trace_stop(rig, &t);
        assert_int_equal(count_kinds(&t, ANY_DEVTLB), inside);
        for (unsigned k = 0; k < 3; k++)
            assert_false(rig_write(rig, k, BASE, 1));
    }
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, uiommu_blocked(rig->u));
    uiommu_domain_put(d[0]);
    uiommu_domain_put(d[1]);
}

/* ---- at the moment of the switch ----------------------------------------- */

/* The device asks as soon as its ATS is on, and another CPU unmaps the page. */
static struct {
    struct rig *rig;
    void (*pci_write)(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value);
    struct uiommu_domain *d;
    uint64_t page;
    bool done;
} moment;

static void unmap_when_on(void *ctx, struct uiommu_pci where, unsigned offset,
                          unsigned width, uint32_t value)
{
    moment.pci_write(ctx, where, offset, width, value);
    if (!moment.d || moment.done || !ats_on(moment.rig, 0))
        return;
    moment.done = true;
    assert_true(rig_reaches(moment.rig, 0, BASE, moment.page));
    rig_ok(uiommu_unmap(moment.d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(moment.rig, 0, BASE));
}

static void
an_unmap_reaches_a_device_that_has_just_begun_to_ask(struct rig *rig)
{
    memset(&moment, 0, sizeof(moment));
    moment.rig = rig;
    moment.page = rig_pages(rig, 0);
    moment.pci_write = rig->m->host.pci_write;
    rig->m->host.pci_write = unmap_when_on;
    up(rig);
    moment.d = rig_domain(rig, 0);
    map_page(moment.d, BASE, moment.page);
    set(rig, 0, moment.d);
    assert_true(moment.done);
    assert_true(rig_refused(rig, 0, BASE));
    rig_drop(rig, 0, moment.d);
}

/* ---- in which order ------------------------------------------------------ */

enum what { ATS_ON, ATS_OFF, ENTRY, LEAVES, DEVICE_TLB };

/* What was done to engine 0 and its unit, in order. */
static struct {
    struct rig *rig;
    void (*pci_write)(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value);
    struct uim_check hooks;
    enum what step[64];
    unsigned n;
} diary;

static void note(enum what what)
{
    if (diary.n < 64)
        diary.step[diary.n] = what;
    diary.n++;
}

static void note_pci(void *ctx, struct uiommu_pci where, unsigned offset,
                     unsigned width, uint32_t value)
{
    bool was, is;

    was = ats_on(diary.rig, 0);
    diary.pci_write(ctx, where, offset, width, value);
    is = ats_on(diary.rig, 0);
    if (was != is)
        note(is ? ATS_ON : ATS_OFF);
}

static void note_command(void *ctx, const struct uim_check_inval *inval)
{
    (void)ctx;
    if (is_kind(inval, KIND(DEVICE) | KIND(PASID)))
        note(ENTRY);
    else if (is_kind(inval, ANY_IOTLB))
        note(LEAVES);
    else if (is_kind(inval, ANY_DEVTLB))
        note(DEVICE_TLB);
}

static void diary_open(struct rig *rig)
{
    memset(&diary, 0, sizeof(diary));
    diary.rig = rig;
    diary.pci_write = rig->m->host.pci_write;
    rig->m->host.pci_write = note_pci;
    diary.hooks.on_invalidate = note_command;
    sim_hooks(rig->m, &diary.hooks);
}

static int when(enum what what)
{
    for (unsigned i = 0; i < diary.n; i++)
        if (diary.step[i] == what)
            return (int)i;
    return -1;
}

/* What the device could fill its TLB from again went before. */
static void assert_devtlb_is_emptied_last(const struct rig *rig)
{
    assert_true(when(ENTRY) >= 0);
    assert_true(when(LEAVES) > when(ENTRY));
    assert_true(when(DEVICE_TLB) > when(ENTRY));
    if (rig_arch(rig)->does & RIG_TLB_FIRST)
        assert_true(when(DEVICE_TLB) > when(LEAVES));
}

static void set_noted(struct rig *rig, struct uiommu_domain *d)
{
    diary.n = 0;
    set(rig, 0, d);
    assert_true(diary.n <= 64);
}

static void ats_goes_on_last_and_off_first(struct rig *rig)
{
    struct uiommu_domain *d;
    int last;

    diary_open(rig);
    up(rig);
    d = rig_domain(rig, 0);
    set_noted(rig, d);
    last = (int)diary.n - 1;
    assert_int_equal(when(ATS_ON), last);
    assert_true(when(DEVICE_TLB) >= 0); /* its contents were not known */
    assert_int_equal(when(ATS_OFF), -1);
    set_noted(rig, uiommu_blocked(rig->u));
    assert_int_equal(when(ATS_OFF), 0);
    assert_devtlb_is_emptied_last(rig);
    sim_hooks(rig->m, NULL);
    uiommu_domain_put(d);
}

static void a_change_between_paging_domains_leaves_ats_on(struct rig *rig)
{
    struct uiommu_domain *a, *b;

    diary_open(rig);
    up(rig);
    a = rig_attached(rig, 0);
    b = rig_domain(rig, 0);
    set_noted(rig, b);
    assert_int_equal(when(ATS_ON), -1);
    assert_int_equal(when(ATS_OFF), -1);
    assert_devtlb_is_emptied_last(rig);
    sim_hooks(rig->m, NULL);
    uiommu_domain_put(a);
    rig_drop(rig, 0, b);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(the_queue_of_a_device_is_known, with_ats),
    RIG_TEST_ON(ats_is_on_while_a_device_sees_a_paging_domain, with_ats),
    RIG_COLD_ON(ats_that_hardware_switches_on_is_left_alone, listed),
    RIG_COLD_ON(an_unmap_reaches_a_device_that_has_just_begun_to_ask, with_ats),
    RIG_TEST_ON(no_ats_is_on_where_the_config_forbids_it, forbidden),
    RIG_COLD_ON(an_untrusted_device_gets_no_ats, with_ats),
    RIG_COLD_ON(what_an_untrusted_device_says_is_translated_is_refused,
                with_ats),
    RIG_TEST_ON(in_any_order_of_its_endpoints_an_unmap_sends_the_same,
                with_ats),
    RIG_TEST_ON(unmap_empties_the_device_tlb, with_ats),
    RIG_TEST_ON(a_change_of_domain_empties_the_device_tlb, with_ats),
    RIG_TEST_ON(large_leaves_leave_the_device_tlb_too, with_ats),
    RIG_TEST_ON(a_range_of_any_place_and_size_leaves_the_device_tlb, with_ats),
    RIG_TEST_ON(a_slow_device_is_waited_for, with_ats),
    RIG_TEST_ON(after_any_changes_unmap_still_reaches_the_device_tlbs,
                with_ats),
    RIG_COLD_ON(ats_goes_on_last_and_off_first, with_ats),
    RIG_COLD_ON(a_change_between_paging_domains_leaves_ats_on, with_ats),
    { 0 },
};

int main(void)
{
    return rig_run("ats", tests);
}
