/* SPDX-License-Identifier: MIT */
/*
 * pasid_life_test.c - endpoints with a PASID while devices come, go and are reset
 * (semantics B.3, B.6, B.19).
 */
#include "tests/core/help.h"

#include <uiommu/interrupt.h>

#include "core/core.h"
#include "pci/pci.h"

#define BASE GIB(2)

/* ---- machines ---------------------------------------------------------------- */

static bool has_pasids(const struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY || rig->config.mode == SIM_STAGE_2) {
        *why = "no PASIDs in this mode";
        return false;
    }
    return true;
}

static bool with_pasids(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    rig->config.engine_caps |= SIM_PASID;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return has_pasids(rig, why);
}

/* Nobody waits for what it has cached. */
static bool without_ats(struct rig *rig, const char **why)
{
    bool applies = with_pasids(rig, why);

    rig->config.ats = false;
    return applies;
}

static bool with_interrupts(struct rig *rig, const char **why)
{
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return without_ats(rig, why) && rig_does(rig, RIG_INTERRUPTS, why);
}

/* What is below the two ports is one group: they redirect requests, so that PASIDs are
 * routed, and nothing else. */
enum { W_DOWN0 = 2, W_DOWN1, W_GPU, W_NPU };

static bool wide(struct rig *rig, const char **why)
{
    static const struct sim_function both[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },
        { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
        { "gpu", SIM_ENGINE, W_DOWN0, 0, SIM_PASID | SIM_ATS },
        { "npu", SIM_ENGINE, W_DOWN1, 0, SIM_PASID_BITS(6) },
    };

    rig->config.functions = both;
    rig->config.n_functions = sizeof(both) / sizeof(both[0]);
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND | UIOMMU_CONFIG_WIDE_PASIDS;
    return has_pasids(rig, why);
}

/* The npu is known before it is added. */
static bool wide_with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { GIB(3), RIG_PAGE, W_NPU },
    };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return wide(rig, why);
}

static struct uiommu_device *known(struct rig *rig, unsigned dev)
{
    const struct uiommu_pci at = rig->m->devices[dev].pci;

    uim_list_for_each(n, &rig->u->devices) {
        struct uiommu_device *d = uim_container(n, struct uiommu_device, node);

        if (d->pci.bus == at.bus && d->pci.devfn == at.devfn)
            return d;
    }
    fail_msg("not known");
    return NULL;
}

static void redirect_only(struct rig *rig, unsigned dev)
{
    const struct uiommu_host *h = &rig->m->host;
    struct uiommu_pci at = rig->m->devices[dev].pci;
    unsigned acs = uim_pci_find_ext(h, at, PCI_EXT_CAP_ACS);

    assert_true(acs > 0);
    h->pci_write(h->ctx, at, acs + PCI_REG_ACS_CTRL, 2,
                 PCI_ACS_RR | PCI_ACS_UF);
}

static void up_to(struct rig *rig, unsigned last)
{
    redirect_only(rig, W_DOWN0);
    redirect_only(rig, W_DOWN1);
    up_to_start(rig);
    for (unsigned dev = 0; dev <= last; dev++)
        rig_ok(rig_add(rig, dev));
}

/* ---- steps --------------------------------------------------------------------- */

static struct uiommu_endpoint *pasid(struct rig *rig, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, n), NULL, &ep));
    return ep;
}

static bool sends(struct rig *rig, unsigned n, uint32_t number, uint64_t iova)
{
    uint64_t value = 0;
    struct sim_request r = { .dev = rig_engine(rig, n),
                             .pasid = number,
                             .write = true,
                             .iova = iova,
                             .buf = &value,
                             .size = sizeof(value) };

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE;
}

static struct uiommu_domain *mapped(struct rig *rig, uint64_t phys)
{
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, BASE, phys);
    return d;
}

static void pull_out(struct rig *rig, unsigned n)
{
    unsigned dev = rig_engine(rig, n);

    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
}

/* ---- a device is pulled out ------------------------------------------------------- */

/* It would not answer: then this would take time, and fail. */
static void pasids_outlive_a_device_that_was_pulled_out(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, rig_pages(rig, 0)), *e;
    struct uiommu_endpoint *one = pasid(rig, 0), *two = pasid(rig, 0);
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_mode mode;
    uint64_t before;

    rig_ok(uiommu_set_domain(one, d, NULL));
    assert_true(sends(rig, 0, 1, BASE));
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    before = now_ns(rig);
    pull_out(rig, 0);
    assert_true(now_ns(rig) - before < 1000 * 1000);
    assert_ptr_equal(uiommu_endpoint_domain(one), uiommu_blocked(rig->u));
    assert_int_equal(uiommu_endpoint_pasid(two), 2);
    rig_is(uiommu_set_domain(one, d, NULL), UIOMMU_NODEV);
    rig_ok(uiommu_set_domain(one, uiommu_blocked(rig->u), NULL));
    rig_is(uiommu_domain_create(one, NULL, &e), UIOMMU_NODEV);
    rig_is(uiommu_dma_start(one, NULL), UIOMMU_NODEV);
    rig_is(uiommu_dma_stop(one), UIOMMU_INVAL);
    rig_is(uiommu_claim(one, &before), UIOMMU_NODEV);
    rig_ok(uiommu_effective_mode(one, &mode));
    assert_true(mode.quarantined && mode.sees == UIOMMU_DOMAIN_BLOCKED);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    uiommu_domain_put(d); /* nobody sees it */
    rig_ok(uiommu_pasid_destroy(two, false));
    rig_ok(uiommu_pasid_destroy(one, true));
}

/* What comes to its place has nothing to do with it. */
static void another_device_takes_the_place_meanwhile(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page);
    struct uiommu_endpoint *old = pasid(rig, 0), *ep;

    rig_ok(uiommu_set_domain(old, d, NULL));
    pull_out(rig, 0);
    assert_true(sim_plug(rig->m, rig_engine(rig, 0)));
    rig_ok(rig_add(rig, rig_engine(rig, 0)));
    assert_false(sends(rig, 0, 1, BASE));
    ep = pasid(rig, 0);
    assert_int_equal(uiommu_endpoint_pasid(ep), 1);
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_true(sends(rig, 0, 1, BASE));
    rig_ok(uiommu_pasid_destroy(old, true));
    assert_true(sends(rig, 0, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

static void
an_instance_stops_without_pasids_of_devices_that_went(struct rig *rig)
{
    struct uiommu_endpoint *ep = pasid(rig, 0);

    pull_out(rig, 0);
    for (unsigned dev = rig->m->n_devices; dev-- > 0;) {
        if (rig->device[dev])
            rig_ok(uiommu_device_remove(rig->device[dev]));
        rig->device[dev] = NULL;
    }
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(ep, true));
}

static void a_pasid_that_a_driver_uses_is_stopped_first(struct rig *rig)
{
    struct uiommu_endpoint *ep = pasid(rig, 0);
    unsigned dev = rig_engine(rig, 0);

    rig_ok(uiommu_dma_start(ep, NULL));
    sim_unplug(rig->m, dev);
    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    sim_advance(rig->m, 1);
    (void)!uiommu_dma_stop(ep); /* its device does not answer */
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    rig_ok(uiommu_pasid_destroy(ep, true));
}

/* ---- somebody uses its PASID while it goes ------------------------------------------- */

/* What another thread does just before this one has the mutex of the group once more. */
static struct {
    void (*lock)(void *ctx, void *lock);
    void *watched;
    unsigned when;
    enum uiommu_status (*use)(void);
    enum uiommu_status status;
    struct uiommu_endpoint *ep;
    struct uiommu_irq *irq;
} beside;

static void lock_after_another(void *ctx, void *lock)
{
    if (lock == beside.watched && beside.when > 0 && --beside.when == 0)
        beside.status = beside.use();
    beside.lock(ctx, lock);
}

static enum uiommu_status start_beside(void)
{
    return uiommu_dma_start(beside.ep, NULL);
}

static enum uiommu_status map_irq_beside(void)
{
    const struct uiommu_irq_target target = { .vector = 0x41 };

    return uiommu_irq_map(beside.ep, &target, 1, &beside.irq);
}

static void end_of_use(void)
{
    if (beside.irq)
        rig_ok(uiommu_irq_unmap(beside.irq));
    else
        rig_ok(uiommu_dma_stop(beside.ep));
    beside.irq = NULL;
}

static enum uiommu_status remove_beside(struct rig *rig, unsigned dev)
{
    struct uiommu_host *h = &rig->u->host;
    enum uiommu_status status;

    beside.watched = rig->device[dev]->group->lock;
    beside.lock = h->mutex_lock;
    h->mutex_lock = lock_after_another;
    status = uiommu_device_remove(rig->device[dev]);
    h->mutex_lock = beside.lock;
    return status;
}

/* Whoever came first has it, and the other hears of that. False: the removal was
 * through by then. */
static bool used_at(struct rig *rig, unsigned when)
{
    unsigned dev = rig_engine(rig, 0);
    bool first;

    beside.ep = pasid(rig, 0);
    beside.when = when;
    beside.status = UIOMMU_NODEV;
    sim_unplug(rig->m, dev);
    if (remove_beside(rig, dev) == UIOMMU_OK) {
        rig_is(beside.status, UIOMMU_NODEV);
    } else {
        rig_ok(beside.status);
        end_of_use();
        rig_ok(uiommu_device_remove(rig->device[dev]));
    }
    first = beside.when == 0;
    rig_ok(uiommu_pasid_destroy(beside.ep, true));
    assert_true(sim_plug(rig->m, dev));
    rig_ok(rig_add(rig, dev));
    return first;
}

static void use_it_beside(struct rig *rig, enum uiommu_status (*use)(void))
{
    unsigned when = 1;

    beside.use = use;
    while (used_at(rig, when))
        when++;
    assert_true(when > 2); /* before it is decided, and after that */
}

static void a_pasid_is_started_while_its_device_goes(struct rig *rig)
{
    use_it_beside(rig, start_beside);
}

static void interrupts_are_mapped_while_the_device_goes(struct rig *rig)
{
    use_it_beside(rig, map_irq_beside);
}

/* ---- others of its group ------------------------------------------------------------ */

/* The others of its group go on, and whoever has the number goes on deciding. */
static void others_of_a_wide_group_go_on(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep, *next = NULL;
    struct uiommu_domain *d;

    up_to(rig, W_NPU);
    d = mapped(rig, page);
    ep = pasid(rig, 0);
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_true(sends(rig, 1, 1, BASE));
    pull_out(rig, 0);
    assert_true(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_set_domain(ep, uiommu_blocked(rig->u), NULL));
    assert_false(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_true(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_false(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 1), NULL, &next));
    assert_int_equal(uiommu_endpoint_pasid(next), 1);
    rig_ok(uiommu_pasid_destroy(next, true));
    uiommu_domain_put(d);
}

/* The other is reset, and all that is left of the PASID is who has it. */
static void a_reset_leaves_a_pasid_to_its_owner(struct rig *rig)
{
    struct uiommu_endpoint *ep;

    up_to(rig, W_GPU);
    ep = pasid(rig, 0);
    pull_out(rig, 0);
    rig_ok(uiommu_device_reset_begin(rig->device[W_DOWN1]));
    rig_ok(uiommu_device_reset_end(rig->device[W_DOWN1], true));
    rig_ok(uiommu_pasid_destroy(ep, true));
}

/* ---- the lowest number, and while the machine sleeps ------------------------------------- */

static void the_lowest_free_number_is_given(struct rig *rig)
{
    static const uint32_t taken[] = { 5, 2, 3, 7 };
    static const uint32_t next[] = { 1, 4, 6, 8, 9 };
    struct uiommu_endpoint *ep[9];
    unsigned n = 0;

    for (; n < 4; n++) {
        const struct uiommu_pasid_config one = { .size = sizeof(one),
                                                 .first = taken[n],
                                                 .last = taken[n] };

        rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), &one, &ep[n]));
    }
    for (; n < 9; n++) {
        ep[n] = pasid(rig, 0);
        assert_int_equal(uiommu_endpoint_pasid(ep[n]), next[n - 4]);
    }
    while (n-- > 0)
        rig_ok(uiommu_pasid_destroy(ep[n], true));
}

static void nothing_ends_while_the_machine_sleeps(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, rig_pages(rig, 0));
    struct uiommu_endpoint *ep = pasid(rig, 0), *more = NULL;

    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_pasid_destroy(ep, true), UIOMMU_AGAIN);
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &more),
           UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(sends(rig, 0, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_false(sends(rig, 0, 1, BASE));
    uiommu_domain_put(d);
}

/* ---- a device comes to a wide group ------------------------------------------------------ */

static void who_comes_later_has_the_pasids_of_its_group(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep, *blocked;
    struct uiommu_domain *d;

    up_to(rig, W_GPU);
    d = mapped(rig, page);
    blocked = pasid(rig, 0);
    ep = pasid(rig, 0);
    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_ok(uiommu_pasid_destroy(pasid(rig, 0), false)); /* waits */
    rig_ok(rig_add(rig, W_NPU));
    assert_ptr_equal(uiommu_endpoint_group(rig_endpoint(rig, 0)),
                     uiommu_endpoint_group(rig_endpoint(rig, 1)));
    assert_false(sends(rig, 1, 1, BASE));
    assert_true(sends(rig, 1, 2, BASE));
    assert_false(sends(rig, 1, 3, BASE));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_false(sends(rig, 1, 2, BASE));
    map_page(d, BASE, page);
    rig_ok(uiommu_set_domain(blocked, d, NULL));
    assert_true(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_pasid_destroy(blocked, true));
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_false(sends(rig, 1, 2, BASE));
    uiommu_domain_put(d);
}

static void who_cannot_send_the_numbers_has_none(struct rig *rig)
{
    const struct uiommu_pasid_config high = { .size = sizeof(high),
                                              .first = 64,
                                              .last = 64 };
    struct uiommu_endpoint *ep = NULL, *low;
    uint32_t last = 0;

    up_to(rig, W_GPU);
    low = pasid(rig, 0);
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), &high, &ep));
    rig_ok(rig_add(rig, W_NPU));
    assert_says(sim_last_log(rig->m), "its PASIDs are not used");
    rig_is(uiommu_pasid_last(rig_endpoint(rig, 1), &last), UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    assert_true(last > 63);
    rig_ok(uiommu_pasid_destroy(low, true));
    rig_ok(uiommu_pasid_destroy(ep, true));
}

/* A driver relies on identity, which is not for what comes from outside. */
static void who_is_not_trusted_has_no_identity(struct rig *rig)
{
    const struct uiommu_dma_config config = { .size = sizeof(config),
                                              .kind = UIOMMU_DMA_IDENTITY };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_device_info info = { .size = sizeof(info),
                                       .flags = UIOMMU_DEVICE_UNTRUSTED };
    struct uiommu_endpoint *ep;
    uint32_t last;

    up_to(rig, W_GPU);
    ep = pasid(rig, 0);
    if (!ep->unit->pasid_identity) {
        rig_is(uiommu_dma_start(ep, &config), UIOMMU_OPNOTSUPP);
        rig_ok(uiommu_pasid_destroy(ep, true));
        return;
    }
    rig_ok(uiommu_dma_start(ep, &config));
    info.pci = rig->m->devices[W_NPU].pci;
    info.bridge = rig->device[W_DOWN1];
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[W_NPU]));
    assert_says(sim_last_log(rig->m), "its PASIDs are not used");
    rig_is(uiommu_pasid_last(rig_endpoint(rig, 1), &last), UIOMMU_OPNOTSUPP);
    assert_true(sends(rig, 0, 1, page));
    assert_false(sends(rig, 1, 1, page));
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(uiommu_pasid_destroy(ep, true));
}

/* It is what it was, and can be added later. */
static void who_had_no_memory_for_them_has_none(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct uiommu_device *npu;
    struct uiommu_endpoint *ep;
    unsigned failed = 0;

    up_to(rig, W_GPU);
    npu = known(rig, W_NPU);
    d = mapped(rig, page);
    ep = pasid(rig, 0);
    rig_ok(uiommu_set_domain(ep, d, NULL));
    for (unsigned call = 1; call < 200; call++, failed++) {
        enum uiommu_status status;

        sim_fail_nth(rig->m, call);
        status = rig_add(rig, W_NPU);
        sim_fail_nth(rig->m, 0);
        if (status == UIOMMU_OK)
            break;
        rig_is(status, UIOMMU_NOMEM);
        assert_false(npu->judged);
        assert_int_equal(npu->pasid_bits, 0);
        assert_true(uim_list_empty(&npu->endpoint->pasids));
        assert_false(sends(rig, 1, 1, BASE));
    }
    assert_true(failed > 0 && failed < 199);
    assert_ptr_equal(rig->device[W_NPU], npu);
    assert_true(sends(rig, 1, 1, BASE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* ---- numbers that wait ---------------------------------------------------------------- */

static void reset(struct rig *rig, unsigned n, bool worked)
{
    struct uiommu_device *d = rig->device[rig_engine(rig, n)];

    rig_ok(uiommu_device_reset_begin(d));
    rig_ok(uiommu_device_reset_end(d, worked));
}

static bool is_free(struct rig *rig, unsigned n, uint32_t number)
{
    struct uiommu_endpoint *ep = pasid(rig, n);
    bool yes = uiommu_endpoint_pasid(ep) == number;

    rig_ok(uiommu_pasid_destroy(ep, true));
    return yes;
}

/* Bridges of the group have no PASIDs, and need no reset. */
static void a_number_waits_for_all_who_could_send_it(struct rig *rig)
{
    up_to(rig, W_NPU);
    rig_ok(uiommu_pasid_destroy(pasid(rig, 0), false));
    assert_false(is_free(rig, 0, 1));
    reset(rig, 0, true);
    assert_false(is_free(rig, 0, 1));
    reset(rig, 0, true);
    assert_false(is_free(rig, 1, 1));
    rig_ok(uiommu_device_reset_begin(rig->device[W_NPU]));
    rig_ok(uiommu_device_reset_begin(rig->device[W_NPU]));
    rig_ok(uiommu_device_reset_end(rig->device[W_NPU], true));
    rig_ok(uiommu_device_reset_end(rig->device[W_NPU], true));
    assert_true(is_free(rig, 0, 1));
    /* Whoever was reset before may send it again. */
    rig_ok(uiommu_pasid_destroy(pasid(rig, 0), false));
    assert_false(is_free(rig, 0, 1));
}

static void who_went_sends_no_number(struct rig *rig)
{
    up_to(rig, W_NPU);
    rig_ok(uiommu_pasid_destroy(pasid(rig, 0), false));
    reset(rig, 1, true);
    assert_false(is_free(rig, 1, 1));
    pull_out(rig, 0);
    assert_true(is_free(rig, 1, 1));
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(pasids_outlive_a_device_that_was_pulled_out, with_pasids),
    RIG_TEST_ON(another_device_takes_the_place_meanwhile, with_pasids),
    RIG_TEST_ON(an_instance_stops_without_pasids_of_devices_that_went,
                with_pasids),
    RIG_TEST_ON(a_pasid_that_a_driver_uses_is_stopped_first, with_pasids),
    RIG_TEST_ON(the_lowest_free_number_is_given, with_pasids),
    RIG_TEST_ON(nothing_ends_while_the_machine_sleeps, with_pasids),
    { .name = "a_pasid_is_started_while_its_device_goes",
      .run = a_pasid_is_started_while_its_device_goes,
      .prepare = without_ats,
      .once = "another call begins inside" },
    { .name = "interrupts_are_mapped_while_the_device_goes",
      .run = interrupts_are_mapped_while_the_device_goes,
      .prepare = with_interrupts,
      .once = "another call begins inside" },
    RIG_COLD_ON(others_of_a_wide_group_go_on, wide),
    RIG_COLD_ON(a_reset_leaves_a_pasid_to_its_owner, wide),
    RIG_COLD_ON(who_comes_later_has_the_pasids_of_its_group, wide),
    RIG_COLD_ON(who_cannot_send_the_numbers_has_none, wide),
    RIG_COLD_ON(who_is_not_trusted_has_no_identity, wide),
    RIG_COLD_ON(who_had_no_memory_for_them_has_none, wide_with_region),
    RIG_COLD_ON(a_number_waits_for_all_who_could_send_it, wide),
    RIG_COLD_ON(who_went_sends_no_number, wide),
    { 0 },
};

int main(void)
{
    return rig_run("pasid_life", tests);
}
