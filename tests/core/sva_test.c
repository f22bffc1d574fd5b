/* SPDX-License-Identifier: MIT */
/*
 * sva_test.c - devices in the address space of a process, whose tables the unit walks
 * (semantics B.20, S0.1 to S0.4, S0.16, S3.22, D-01, D-02, D-21, D-23 to D-25).
 */
#include "tests/core/sva.h"

/* ---- memory ------------------------------------------------------------------------ */

static void memory_of_a_process(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_true(shares(&s, 0, pasid, VA));
    assert_true(shares(&s, 0, pasid, VA + 3 * RIG_PAGE));
    assert_true(rig_pasid_refused(rig, 0, pasid, VA + 5 * RIG_PAGE));
    kernel_munmap(s.p, VA, 1);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA));
    assert_true(shares(&s, 0, pasid, VA + 3 * RIG_PAGE));
    kernel_protect(s.p, VA + 3 * RIG_PAGE, 1, false);
    assert_true(lands_with(rig, 0, pasid, VA + 3 * RIG_PAGE, UIOMMU_READ) !=
                NOWHERE);
    assert_true(lands_with(rig, 0, pasid, VA + 3 * RIG_PAGE, UIOMMU_WRITE) ==
                NOWHERE);
    unbind(ep);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA + 3 * RIG_PAGE));
    close_process(&s);
}

/* S0.1 */
static void a_device_uses_the_memory_of_a_process(struct rig *rig)
{
    memory_of_a_process(rig);
}

static void a_device_with_a_tlb_does(struct rig *rig)
{
    set(rig, 0, uiommu_identity(rig->u));
    memory_of_a_process(rig);
}

/* The same place gets other memory again and again: nobody is found with the old. */
static void reuse(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    for (unsigned i = 0; i < 8; i++) {
        assert_true(shares(&s, 0, pasid, VA + i % 3 * RIG_PAGE));
        kernel_munmap(s.p, VA, 4);
        assert_true(rig_pasid_refused(rig, 0, pasid, VA + i % 3 * RIG_PAGE));
        assert_true(kernel_mmap(s.p, VA, 4, RW));
    }
    unbind(ep);
    close_process(&s);
}

static void memory_is_used_again(struct rig *rig)
{
    reuse(rig);
}

static void memory_is_used_again_behind_a_tlb(struct rig *rig)
{
    set(rig, 0, uiommu_identity(rig->u));
    reuse(rig);
}

/* The rig can fail: whoever says nothing is caught. */
static void who_is_not_told_uses_what_is_gone(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    uint64_t value = 1;

    assert_true(shares(&s, 0, pasid, VA));
    kernel_follow(s.p, NULL);
    kernel_munmap(s.p, VA, 1);
    if (rig->config.adversarial) {
        assert_true(rig_dma(rig, 0, pasid, true, VA, &value));
        rig->dirty = true;
    }
    kernel_follow(s.p, s.provider);
    rig_ok(uiommu_sva_invalidate(s.provider, 0, UINT64_MAX));
    assert_true(rig_pasid_refused(rig, 0, pasid, VA));
    unbind(ep);
    close_process(&s);
}

/* Pages of 16 and of 64 KiB: all of a page comes and goes at once. */
static void use_pages(struct rig *rig, unsigned page_lg2)
{
    const uint64_t page = UIM_BIT(page_lg2), at = VA & ~(page - 1);
    struct kernel *k = kernel_open_granule(rig->m, page_lg2);
    struct process s = start_process(rig, k, UIOMMU_PROVIDER_RESIDENT);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    for (unsigned i = 0; i < 3; i++) {
        assert_true(kernel_mmap(s.p, at, 4, RW));
        for (uint64_t in = 0; in < 4 * page; in += page / 2)
            assert_true(shares(&s, 0, pasid, at + in));
        kernel_munmap(s.p, at + page, 2);
        for (uint64_t in = page; in < 3 * page; in += RIG_PAGE)
            assert_true(rig_pasid_refused(rig, 0, pasid, at + in));
        assert_true(shares(&s, 0, pasid, at + 4 * page - RIG_PAGE));
        kernel_munmap(s.p, at, 4);
    }
    unbind(ep);
    end_process(&s);
    kernel_close(k);
}

static void pages_are_as_large_as_the_granule(struct rig *rig)
{
    set(rig, 0, uiommu_identity(rig->u));
    use_pages(rig, 14);
    use_pages(rig, 16);
    use_pages(rig, 12);
}

static bool with_granules(struct rig *rig, const char **why)
{
    if (!is_arm(rig))
        *why = "pages of x86-64 have 4 KiB";
    return is_arm(rig) && with_sva(rig, why);
}

static bool with_granules_page_by_page(struct rig *rig, const char **why)
{
    rig->config.args = "ril=0";
    return with_granules(rig, why);
}

static bool with_granules_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_granules(rig, why);
}

/* SMMUv3 does not set AF, nor takes it for set: whoever serves the fault sets it. */
static void what_was_not_accessed_yet_is_refused(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_true(kernel_touch(s.p, VA, true) != 0);
    kernel_age(s.p, VA);
    if (is_arm(rig)) {
        assert_true(rig_pasid_refused(rig, 0, pasid, VA));
        assert_true(shares(&s, 0, pasid, VA));
        rig->faults = 0;
    } else {
        assert_true(
            rig_pasid_reaches(rig, 0, pasid, VA, kernel_touch(s.p, VA, true)));
    }
    unbind(ep);
    close_process(&s);
}

static bool with_sva_and_httu(struct rig *rig, const char **why)
{
    if (is_arm(rig))
        rig->config.args = "httu=2";
    return with_sva(rig, why);
}

/* What the device writes the processor finds marked. */
static void writes_are_marked_in_the_tables(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    uint64_t value = 7;
    bool dirty;

    assert_true(kernel_touch(s.p, VA, true) != 0);
    assert_true(rig_dma(rig, 0, pasid, false, VA, &value));
    (void)kernel_lookup(s.p, VA, &dirty);
    assert_true(dirty == is_arm(rig)); /* there the kernel does it itself */
    assert_true(rig_dma(rig, 0, pasid, true, VA, &value));
    (void)kernel_lookup(s.p, VA, &dirty);
    assert_true(dirty);
    unbind(ep);
    close_process(&s);
}

/* ---- the kernel's half --------------------------------------------------------------- */

static bool reads(struct rig *rig, unsigned n, uint32_t pasid, uint64_t iova)
{
    uint64_t value;

    return rig_dma(rig, n, pasid, false, iova, &value);
}

/* D-01: whoever was there remembers the way to what is beside it. */
static void tables_of_the_kernel_go(struct rig *rig)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct process s[2];
    struct uiommu_endpoint *ep[2];

    kernel_vmap(k);
    for (unsigned i = 0; i < 2; i++) {
        s[i] = start_process(rig, k, UIOMMU_PROVIDER_RESIDENT);
        ep[i] = bind(&s[i], i);
        assert_true(reads(rig, i, uiommu_endpoint_pasid(ep[i]),
                          KERNEL_HALF + RIG_PAGE));
        assert_false(reads(rig, i, uiommu_endpoint_pasid(ep[i]), KERNEL_HALF));
    }
    kernel_vfree(k, rig->u);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned page = 0; page < 3; page++)
            assert_false(reads(rig, i, uiommu_endpoint_pasid(ep[i]),
                               KERNEL_HALF + page * RIG_PAGE));
    for (unsigned i = 0; i < 2; i++) {
        unbind(ep[i]);
        end_process(&s[i]);
    }
    kernel_close(k);
}

static bool privileged_reads(struct rig *rig, uint32_t pasid, uint64_t iova)
{
    uint64_t value;
    struct sim_request r = { .dev = rig_engine(rig, 0),
                             .pasid = pasid,
                             .priv = true,
                             .rogue = true,
                             .iova = iova,
                             .buf = &value,
                             .size = sizeof(value) };

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE;
}

/* Whatever a device says that it is: both halves hang on one root. */
static void the_privileged_reach_nothing_of_the_kernel(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    kernel_vmap(s.k);
    assert_true(shares(&s, 0, pasid, VA));
    assert_false(privileged_reads(rig, pasid, KERNEL_HALF));
    assert_true(rig_pasid_refused(rig, 0, pasid, KERNEL_HALF));
    assert_true(shares(&s, 0, pasid, VA));
    kernel_vfree(s.k, rig->u);
    unbind(ep);
    close_process(&s);
}

/* Who is privileged would go by other bits of the entries than the process does. */
static void the_privileged_reach_nothing_of_a_process(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_true(shares(&s, 0, pasid, VA));
    assert_false(privileged_reads(rig, pasid, VA));
    assert_true(shares(&s, 0, pasid, VA));
    rig->faults = 0;
    unbind(ep);
    close_process(&s);
}

/* A process may execute it and not read it, and to who is privileged it looks like the
 * kernel's. */
static void nor_what_a_process_only_executes(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);
    const uint64_t at = VA + 64 * RIG_PAGE;

    assert_true(kernel_mmap(s.p, at, 1, UIOMMU_EXEC));
    assert_int_equal(kernel_fault(s.p, at, UIOMMU_EXEC), UIOMMU_OK);
    assert_false(privileged_reads(rig, pasid, at));
    assert_true(rig_pasid_refused(rig, 0, pasid, at));
    rig->faults = 0;
    unbind(ep);
    close_process(&s);
}

static bool with_epan(struct rig *rig, const char **why)
{
    rig->config.args = "epan=1";
    return with_granules(rig, why);
}

static bool with_both_halves(struct rig *rig, const char **why)
{
    if (is_arm(rig)) {
        *why = "the kernel has a root of its own, which units never see";
        return false;
    }
    return with_sva(rig, why);
}

/* ---- several ------------------------------------------------------------------------- */

/* S3.22 */
static void devices_share_a_domain_and_a_number(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *mine = pasid(rig, 1), *ep[2];
    uint32_t number;

    for (unsigned i = 0; i < 2; i++)
        ep[i] = bind(&s, i);
    number = uiommu_endpoint_pasid(ep[0]);
    assert_int_equal(number, 2); /* 1 is taken on one of them */
    assert_int_equal(uiommu_endpoint_pasid(ep[1]), number);
    assert_ptr_equal(uiommu_endpoint_domain(ep[0]),
                     uiommu_endpoint_domain(ep[1]));
    for (unsigned i = 0; i < 2; i++)
        assert_true(shares(&s, i, number, VA));
    kernel_munmap(s.p, VA, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_true(rig_pasid_refused(rig, i, number, VA));
    unbind(ep[0]);
    assert_true(shares(&s, 1, number, VA + RIG_PAGE));
    unbind(ep[1]);
    rig_ok(uiommu_pasid_destroy(mine, true));
    close_process(&s);
}

/* D-21 */
static void each_process_is_where_it_was_bound(struct rig *rig)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct uiommu_endpoint *ep[3][2];
    struct process s[3];

    for (unsigned i = 0; i < 3; i++) {
        s[i] = start_process(rig, k, UIOMMU_PROVIDER_RESIDENT);
        assert_true(kernel_mmap(s[i].p, VA, 1, RW));
        for (unsigned n = 0; n < 2; n++)
            ep[i][n] = bind(&s[i], (i + n) % 2);
    }
    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n < 2; n++)
            assert_true(shares(&s[i], (i + n) % 2,
                               uiommu_endpoint_pasid(ep[i][n]), VA));
    unbind(ep[1][0]);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(shares(&s[0], n, uiommu_endpoint_pasid(ep[0][n]), VA));
        assert_true(shares(&s[2], n, uiommu_endpoint_pasid(ep[2][n % 2]), VA));
    }
    unbind(ep[1][1]);
    for (unsigned n = 0; n < 2; n++) {
        unbind(ep[0][n]);
        unbind(ep[2][n]);
    }
    for (unsigned i = 0; i < 3; i++)
        end_process(&s[i]);
    kernel_close(k);
}

/* S0.4 */
static void binds_of_a_pair_are_counted(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_ptr_equal(bind(&s, 0), ep);
    assert_ptr_equal(bind(&s, 0), ep);
    unbind(ep);
    unbind(ep);
    assert_true(shares(&s, 0, pasid, VA));
    unbind(ep);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA));
    close_process(&s);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static bool can_have(struct rig *rig, unsigned n, uint32_t number)
{
    const struct uiommu_pasid_config config = { .size = sizeof(config),
                                                .first = number,
                                                .last = number };
    struct uiommu_endpoint *ep;
    enum uiommu_status status =
        uiommu_pasid_create(rig_endpoint(rig, n), &config, &ep);

    if (status == UIOMMU_OK)
        rig_ok(uiommu_pasid_destroy(ep, true));
    else
        rig_is(status, UIOMMU_BUSY);
    return status == UIOMMU_OK;
}

/* S0.16: from its first bind until the process is gone, on all devices. */
static void a_number_is_a_processs_on_all_devices(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep, *other;
    uint32_t number;

    assert_true(can_have(rig, 0, 1));
    ep = bind(&s, 0);
    number = uiommu_endpoint_pasid(ep);
    assert_int_equal(number, 1);
    assert_false(can_have(rig, 1, number));
    other = pasid(rig, 1);
    assert_int_equal(uiommu_endpoint_pasid(other), 2);
    unbind(ep);
    assert_false(can_have(rig, 0, number));
    ep = bind(&s, 1);
    assert_int_equal(uiommu_endpoint_pasid(ep), number);
    unbind(ep);
    rig_ok(uiommu_pasid_destroy(other, true));
    close_process(&s);
    assert_true(can_have(rig, 0, number));
    assert_true(can_have(rig, 1, number));
}

/* What a process is to have and another has it does not get, until that is gone. */
static void a_number_is_of_one_process(struct rig *rig)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct uiommu_endpoint *ep, *none = NULL;
    struct kernel_process *p[2];
    struct uiommu_provider *provider[2];

    for (unsigned i = 0; i < 2; i++) {
        struct uiommu_provider_config c;

        c = kernel_provider(p[i] = kernel_process_create(k));
        c.flags = UIOMMU_PROVIDER_RESIDENT;
        c.first = c.last = 5;
        rig_ok(uiommu_provider_create(rig->u, &c, &provider[i]));
        kernel_follow(p[i], provider[i]);
    }
    rig_ok(uiommu_sva_bind(rig_endpoint(rig, 0), provider[0], NULL, &ep));
    assert_int_equal(uiommu_endpoint_pasid(ep), 5);
    for (unsigned n = 0; n < 2; n++)
        rig_is(uiommu_sva_bind(rig_endpoint(rig, n), provider[1], NULL, &none),
               UIOMMU_BUSY);
    unbind(ep);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), provider[1], NULL, &none),
           UIOMMU_BUSY);
    assert_null(none);
    kernel_exit(p[0]);
    uiommu_provider_put(provider[0]);
    rig_ok(uiommu_sva_bind(rig_endpoint(rig, 1), provider[1], NULL, &ep));
    assert_int_equal(uiommu_endpoint_pasid(ep), 5);
    unbind(ep);
    kernel_exit(p[1]);
    uiommu_provider_put(provider[1]);
    for (unsigned i = 0; i < 2; i++)
        kernel_process_free(p[i]);
    kernel_close(k);
}

/* C.4: a device may send it still, although nobody has it. */
static void a_number_that_may_be_sent_waits(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t number = uiommu_endpoint_pasid(ep);
    struct uiommu_device *d = rig->device[rig_engine(rig, 0)];

    rig_ok(uiommu_sva_unbind(ep, false));
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 0), s.provider, NULL, &ep),
           UIOMMU_BUSY);
    close_process(&s);
    assert_false(can_have(rig, 0, number));
    assert_true(can_have(rig, 1, number));
    rig_ok(uiommu_device_reset_begin(d));
    rig_ok(uiommu_device_reset_end(d, true));
    assert_true(can_have(rig, 0, number));
}

/* D-25, D-23 */
static void who_cannot_send_the_number_is_not_bound(struct rig *rig)
{
    struct rig_state before;
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct kernel_process *p = kernel_process_create(k);
    struct uiommu_provider_config config = kernel_provider(p);
    struct uiommu_endpoint *wide, *narrow = NULL;
    struct uiommu_provider *provider;

    config.flags = UIOMMU_PROVIDER_RESIDENT;
    config.first = 100;
    rig_ok(uiommu_provider_create(rig->u, &config, &provider));
    kernel_follow(p, provider);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), provider, NULL, &narrow),
           UIOMMU_OVERFLOW);
    rig_ok(uiommu_sva_bind(rig_endpoint(rig, 0), provider, NULL, &wide));
    assert_int_equal(uiommu_endpoint_pasid(wide), 100);
    before = rig_state(rig);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), provider, NULL, &narrow),
           UIOMMU_OVERFLOW);
    rig_assert_same(rig, &before);
    assert_null(narrow);
    unbind(wide);
    kernel_exit(p);
    uiommu_provider_put(provider);
    kernel_process_free(p);
    kernel_close(k);
}

static bool one_is_narrow(struct rig *rig, const char **why)
{
    static const struct sim_function both[] = {
        { "wide", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, SIM_PASID },
        { "narrow", SIM_ENGINE, MACHINE_NO_BRIDGE, 4 << 3, SIM_PASID_BITS(6) },
    };

    rig->config.functions = both;
    rig->config.n_functions = sizeof(both) / sizeof(both[0]);
    if (!has_pasids(rig, why) || !walks_snoop(rig, why))
        return false;
    if (rig->config.mode == SIM_SCALABLE)
        rig->config.args = "fs=1";
    return true;
}

/* ---- the verb ------------------------------------------------------------------------------ */

/* S0.2, S0.3 */
static void an_address_space_is_a_domain(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_domain *d = NULL, *again = NULL;
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct uiommu_domain_info info;

    rig_ok(uiommu_sva_domain(rig_endpoint(rig, 0), s.provider, &d));
    rig_ok(uiommu_sva_domain(ep, s.provider, &again));
    assert_ptr_equal(d, again);
    uiommu_domain_put(again);
    uiommu_domain_info(d, &info);
    assert_int_equal(info.kind, UIOMMU_DOMAIN_SVA);
    assert_true(info.last_iova >= VA);
    see(ep, d);
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_INVAL);
    see(ep, uiommu_blocked(rig->u));
    assert_true(rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), VA));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
    close_process(&s);
}

/* S3.32 */
static void nobody_maps_in_it(struct rig *rig)
{
    const struct uiommu_segment segment = { rig_pages(rig, 0), RIG_PAGE };
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    struct uiommu_domain *d = uiommu_endpoint_domain(ep);
    struct uiommu_trace trace;
    uint64_t n = 77;

    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_is(uiommu_map(d, BASE, segment.phys, RIG_PAGE, RW), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_map_sg(d, BASE, &segment, 1, RW), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_unmap(d, VA, RIG_PAGE, &n), UIOMMU_OPNOTSUPP);
    assert_int_equal(n, 77);
    rig_is(uiommu_unmap_gather(d, VA, RIG_PAGE, &g), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_split(d, VA, RIG_PAGE), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_walk(d, VA, &trace), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_provider_map(s.provider, BASE, segment.phys, RIG_PAGE, RW),
           UIOMMU_OPNOTSUPP);
    rig_is(uiommu_provider_unmap(s.provider, VA, RIG_PAGE), UIOMMU_OPNOTSUPP);
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    unbind(ep);
    close_process(&s);
}

static void what_is_bound_stays_bound(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *mine = pasid(rig, 0);
    const int owner = 0;

    rig_is(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL), UIOMMU_BUSY);
    rig_is(uiommu_pasid_destroy(ep, true), UIOMMU_BUSY);
    rig_is(uiommu_dma_start(ep, NULL), UIOMMU_BUSY);
    rig_is(uiommu_sva_unbind(mine, true), UIOMMU_INVAL);
    rig_is(uiommu_sva_unbind(rig_endpoint(rig, 0), true), UIOMMU_INVAL);
    rig_is(uiommu_sva_bind(ep, s.provider, NULL, &mine), UIOMMU_INVAL);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 0), s.provider, &owner, &mine),
           UIOMMU_PERM);
    rig_is(uiommu_sva_bind(rig_endpoint(rig, 1), s.provider, &owner, &mine),
           UIOMMU_PERM);
    rig_is(uiommu_device_remove(rig->device[rig_engine(rig, 0)]), UIOMMU_BUSY);
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_ok(uiommu_pasid_destroy(mine, true));
    unbind(ep);
    close_process(&s);
}

/* ---- who can ------------------------------------------------------------------------------- */

static enum uiommu_status try_domain(struct rig *rig,
                                     const struct uiommu_provider_config *c)
{
    struct uiommu_provider *p = NULL;
    struct uiommu_domain *d;
    enum uiommu_status status = uiommu_provider_create(rig->u, c, &p);

    if (status != UIOMMU_OK)
        return status;
    status = uiommu_sva_domain(rig_endpoint(rig, 0), p, &d);
    if (status == UIOMMU_OK)
        uiommu_domain_put(d);
    uiommu_provider_put(p);
    return status;
}

/* S3.31 */
static void has_private_pasids(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);

    see(ep, d);
    assert_true(
        rig_pasid_reaches(rig, 0, uiommu_endpoint_pasid(ep), BASE, page));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* D-02 */
static void a_unit_that_does_not_snoop_cannot(struct rig *rig)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct kernel_process *p = kernel_process_create(k);
    const struct uiommu_provider_config config = kernel_provider(p);

    rig_is(try_domain(rig, &config), UIOMMU_OPNOTSUPP);
    assert_int_equal(kernel_released(p), 1);
    has_private_pasids(rig);
    kernel_process_free(p);
    kernel_close(k);
}

static bool without_snooping(struct rig *rig, const char **why)
{
    if (!rig->config.non_coherent)
        *why = "walks snoop";
    return rig->config.non_coherent && with_both_stages(rig, why);
}

/* Other tables than the unit walks are refused for what they are. */
static void tables_that_a_unit_does_not_walk(struct rig *rig)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));
    struct kernel_process *p = kernel_process_create(k);
    const struct uiommu_provider_config good = kernel_provider(p);
    struct uiommu_provider_config c = good;

    rig_ok(try_domain(rig, &good));
    c.tables = is_arm(rig) ? UIOMMU_TABLES_X86_64 : UIOMMU_TABLES_VMSA_4K;
    rig_is(try_domain(rig, &c), UIOMMU_OPNOTSUPP);
    c = good;
    c.page_sizes |= UIM_BIT(39);
    rig_is(try_domain(rig, &c), UIOMMU_OPNOTSUPP);
    c = good;
    c.root = UIM_BIT(55);
    rig_is(try_domain(rig, &c), UIOMMU_OPNOTSUPP);
    if (!is_arm(rig)) {
        c = good;
        c.va_bits = 57; /* the unit has no 5 levels */
        rig_is(try_domain(rig, &c), UIOMMU_OPNOTSUPP);
    }
    kernel_process_free(p);
    kernel_close(k);
}

static void a_granule_that_a_unit_does_not_walk(struct rig *rig)
{
    for (unsigned lg2 = 12; lg2 <= 16; lg2 += 2) {
        struct kernel *k = kernel_open_granule(rig->m, lg2);
        struct kernel_process *p = kernel_process_create(k);
        const struct uiommu_provider_config c = kernel_provider(p);

        rig_is(try_domain(rig, &c), lg2 == 12 ? UIOMMU_OK : UIOMMU_OPNOTSUPP);
        kernel_process_free(p);
        kernel_close(k);
    }
}

static bool with_one_granule(struct rig *rig, const char **why)
{
    rig->config.args = "gran16k=0,gran64k=0";
    return with_granules(rig, why);
}

static void providers_that_say_nonsense_are_refused(struct rig *rig)
{
    const struct uiommu_provider_config good = {
        .size = sizeof(good),
        .tables = UIOMMU_TABLES_X86_64,
        .va_bits = 48,
        .page_sizes = RIG_PAGE,
    };
    struct uiommu_provider_config bad[9];
    struct uiommu_provider *p = NULL;

    for (unsigned i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].size--;
    bad[1].flags = 1u << 31;
    bad[2].tables = (enum uiommu_tables)7;
    bad[3].va_bits = 47;
    bad[4].root = 8;
    bad[5].page_sizes = 1u << 11;
    bad[6].first = 9, bad[6].last = 8;
    bad[7].tables = UIOMMU_TABLES_NONE;
    bad[8].tables = UIOMMU_TABLES_NONE, bad[8].va_bits = 0,
    bad[8].page_sizes = 3 * RIG_PAGE;
    for (unsigned i = 0; i < 9; i++)
        rig_is(uiommu_provider_create(rig->u, &bad[i], &p), UIOMMU_INVAL);
    /* Of 48 bits 4 KiB have a root of 4 KiB, 16 KiB one of 2 entries. */
    bad[0] = good;
    bad[0].root = 64;
    bad[0].tables = UIOMMU_TABLES_VMSA_4K;
    rig_is(uiommu_provider_create(rig->u, &bad[0], &p), UIOMMU_INVAL);
    bad[0].tables = UIOMMU_TABLES_VMSA_64K;
    rig_is(uiommu_provider_create(rig->u, &bad[0], &p), UIOMMU_INVAL);
    bad[0].tables = UIOMMU_TABLES_VMSA_16K;
    bad[0].root = 32;
    rig_is(uiommu_provider_create(rig->u, &bad[0], &p), UIOMMU_INVAL);
    bad[0].root = 64;
    assert_null(p);
    rig_ok(uiommu_provider_create(rig->u, &bad[0], &p));
    uiommu_provider_put(p);
    p = NULL;
    rig_is(uiommu_provider_create(NULL, &good, &p), UIOMMU_INVAL);
    rig_is(uiommu_provider_create(rig->u, NULL, &p), UIOMMU_INVAL);
    assert_null(p);
    rig_ok(uiommu_provider_create(rig->u, &good, &p));
    rig_is(uiommu_sva_invalidate(p, 2, 1), UIOMMU_INVAL);
    rig_is(uiommu_sva_invalidate(NULL, 0, 1), UIOMMU_INVAL);
    rig_is(uiommu_sva_tables_freed(NULL), UIOMMU_INVAL);
    rig_is(uiommu_provider_exit(NULL), UIOMMU_INVAL);
    rig_is(uiommu_sva_unbind(NULL, true), UIOMMU_INVAL);
    uiommu_provider_put(p);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_device_uses_the_memory_of_a_process, with_sva),
    RIG_TEST_ON(a_device_with_a_tlb_does, with_sva_and_ats),
    RIG_TEST_ON(memory_is_used_again, with_sva),
    RIG_TEST_ON(memory_is_used_again_behind_a_tlb, with_sva_and_ats),
    RIG_TEST_ON(who_is_not_told_uses_what_is_gone, with_sva),
    RIG_TEST_ON(pages_are_as_large_as_the_granule, with_granules),
    RIG_TEST_ON(pages_are_as_large_as_the_granule, with_granules_page_by_page),
    RIG_TEST_ON(pages_are_as_large_as_the_granule, with_granules_and_ats),
    RIG_TEST_ON(what_was_not_accessed_yet_is_refused, with_sva),
    RIG_TEST_ON(what_was_not_accessed_yet_is_refused, with_sva_and_httu),
    RIG_TEST_ON(writes_are_marked_in_the_tables, with_sva),
    RIG_TEST_ON(tables_of_the_kernel_go, with_both_halves),
    RIG_TEST_ON(the_privileged_reach_nothing_of_the_kernel, with_both_halves),
    RIG_TEST_ON(the_privileged_reach_nothing_of_a_process, with_sva),
    RIG_TEST_ON(the_privileged_reach_nothing_of_a_process, with_sva_and_ats),
    RIG_TEST_ON(nor_what_a_process_only_executes, with_epan),
    RIG_TEST_ON(devices_share_a_domain_and_a_number, with_sva),
    RIG_TEST_ON(each_process_is_where_it_was_bound, with_sva),
    RIG_TEST_ON(binds_of_a_pair_are_counted, with_sva),
    RIG_TEST_ON(a_number_is_a_processs_on_all_devices, with_sva),
    RIG_TEST_ON(a_number_is_of_one_process, with_sva),
    RIG_TEST_ON(a_number_that_may_be_sent_waits, with_sva),
    RIG_TEST_ON(who_cannot_send_the_number_is_not_bound, one_is_narrow),
    RIG_TEST_ON(an_address_space_is_a_domain, with_sva),
    RIG_TEST_ON(nobody_maps_in_it, with_sva),
    RIG_TEST_ON(what_is_bound_stays_bound, with_sva),
    RIG_TEST_ON(a_unit_that_does_not_snoop_cannot, without_snooping),
    RIG_TEST_ON(tables_that_a_unit_does_not_walk, with_sva),
    RIG_TEST_ON(a_granule_that_a_unit_does_not_walk, with_one_granule),
    RIG_TEST(providers_that_say_nonsense_are_refused),
    { 0 },
};

int main(void)
{
    return rig_run("sva", tests);
}
