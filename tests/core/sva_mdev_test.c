/* SPDX-License-Identifier: MIT */
/*
 * sva_mdev_test.c - mediated devices in the address space of a process (semantics C.4,
 * C-SC4, B.20): parts with numbers of their own, heirs as the device that they are of.
 */
#include "tests/core/mdevs.h"
#include "tests/core/sva.h"

static struct uiommu_endpoint *bind_part(struct process *s, struct part *part,
                                         const void *owner)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_sva_bind(part->ep, s->provider, owner, &ep));
    assert_ptr_equal(ep, part->ep);
    return ep;
}

static void open_two(struct rig *rig, struct process s[2], uint32_t flags)
{
    struct kernel *k = kernel_open(rig->m, is_arm(rig));

    for (unsigned i = 0; i < 2; i++) {
        s[i] = start_process(rig, k, flags);
        assert_true(kernel_mmap(s[i].p, VA, 8, RW));
    }
}

static void close_two(struct process s[2])
{
    end_process(&s[0]);
    close_process(&s[1]);
}

static void faults_in(struct process *s, struct part *part, unsigned nth)
{
    const uint64_t va = VA + nth * RIG_PAGE;
    const unsigned n = answers(s->rig, 0);
    uint64_t value = nth;

    assert_false(rig_dma(s->rig, 0, part->pasid, true, va, &value));
    ask(s->rig, 0, part->pasid, va, (uint16_t)nth, true);
    collect_and_serve(s->rig);
    is_answer(s->rig, 0, n, nth, SIM_PAGE_SUCCESS);
    assert_true(shares(s, 0, part->pasid, va));
}

/* Two numbers, two domains, one parent; one process ends while its part asks. */
static void c_sc4_processes_on_parts_of_one_device(struct rig *rig)
{
    struct process s[2];
    struct part part[2];
    unsigned n;

    set(rig, 0, uiommu_identity(rig->u));
    open_two(rig, s, 0);
    for (unsigned i = 0; i < 2; i++) {
        lend(rig, 0, &part[i]);
        (void)bind_part(&s[i], &part[i], NULL);
        assert_int_equal(part[i].installs, 1);
    }
    assert_true(part[0].pasid != part[1].pasid);
    assert_ptr_not_equal(uiommu_endpoint_domain(part[0].ep),
                         uiommu_endpoint_domain(part[1].ep));
    for (unsigned i = 0; i < 2; i++)
        faults_in(&s[i], &part[i], 1);
    ask(rig, 0, part[0].pasid, VA + 2 * RIG_PAGE, 5, true);
    ask(rig, 0, part[1].pasid, VA + 2 * RIG_PAGE, 6, true);
    collect(rig);
    n = answers(rig, 0);
    kernel_exit(s[0].p);
    is_answer(rig, 0, n, 5, SIM_PAGE_INVALID);
    uiommu_serve(rig->u);
    is_answer(rig, 0, n + 1, 6, SIM_PAGE_SUCCESS);
    assert_true(rig_pasid_refused(rig, 0, part[0].pasid, VA + RIG_PAGE));
    assert_true(shares(&s[1], 0, part[1].pasid, VA + 2 * RIG_PAGE));
    ask(rig, 0, part[0].pasid, VA, 7, true);
    rig->faults = 0;
    unbind(part[0].ep);
    is_answer(rig, 0, n + 2, 7, SIM_PAGE_INVALID);
    assert_int_equal(part[0].clears, 1);
    assert_true(shares(&s[1], 0, part[1].pasid, VA + 3 * RIG_PAGE));
    unbind(part[1].ep);
    for (unsigned i = 0; i < 2; i++)
        take_home(&part[i]);
    close_two(s);
}

/* One process, its parts by their own numbers and the device by the process's. */
static void a_part_keeps_its_own_number(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0), *other = NULL;
    struct part part;

    lend(rig, 0, &part);
    (void)bind_part(&s, &part, NULL);
    (void)bind_part(&s, &part, NULL);
    assert_int_equal(part.installs, 1);
    assert_true(part.pasid != uiommu_endpoint_pasid(ep));
    assert_ptr_equal(uiommu_endpoint_domain(part.ep),
                     uiommu_endpoint_domain(ep));
    assert_true(shares(&s, 0, part.pasid, VA));
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    rig_is(uiommu_set_domain(part.ep, uiommu_blocked(rig->u), NULL),
           UIOMMU_BUSY);
    rig_is(uiommu_mdev_unregister(part.ep), UIOMMU_BUSY);
    unbind(part.ep);
    assert_true(shares(&s, 0, part.pasid, VA));
    unbind(part.ep);
    assert_int_equal(part.pasid, 0);
    rig_is(uiommu_sva_unbind(part.ep, true), UIOMMU_INVAL);
    other = part.ep;
    rig_ok(uiommu_set_domain(other, uiommu_endpoint_domain(ep), NULL));
    assert_true(shares(&s, 0, part.pasid, VA));
    rig_is(uiommu_sva_bind(part.ep, s.provider, NULL, &other), UIOMMU_BUSY);
    rig_ok(uiommu_set_domain(other, uiommu_blocked(rig->u), NULL));
    take_home(&part);
    unbind(ep);
    close_process(&s);
}

static bool with_owners(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_sva(rig, why);
}

static void who_claimed_a_part_binds_it(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = NULL;
    const int owner = 0;
    struct part part;

    lend(rig, 0, &part);
    rig_ok(uiommu_claim(part.ep, &owner));
    rig_is(uiommu_sva_bind(part.ep, s.provider, NULL, &ep), UIOMMU_PERM);
    ep = bind_part(&s, &part, &owner);
    assert_true(shares(&s, 0, part.pasid, VA));
    rig_is(uiommu_release(part.ep, &owner), UIOMMU_BUSY);
    unbind(ep);
    rig_ok(uiommu_release(part.ep, &owner));
    take_home(&part);
    close_process(&s);
}

static const struct uiommu_mediator no_numbers = { .parent_reset = part_reset };

static void let_go(void *ctx, struct uiommu_endpoint *ep, uint64_t iova,
                   uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

static const struct uiommu_mediator software = { .parent_reset = part_reset,
                                                 .unmapped = let_go };

/* As on the device itself. */
static void an_heir_has_the_numbers_of_its_parent(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = NULL, *other = bind(&s, 1);
    struct uiommu_mdev_config config;
    struct part heir = { 0 };

    config = part_config(&heir, rig, 0);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    config.mediator = &no_numbers;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    rig_ok(uiommu_sva_bind(heir.ep, s.provider, NULL, &ep));
    assert_int_equal(uiommu_endpoint_pasid(ep), uiommu_endpoint_pasid(other));
    assert_true(shares(&s, 0, uiommu_endpoint_pasid(ep), VA));
    unbind(ep);
    unbind(other);
    rig_ok(uiommu_mdev_unregister(heir.ep));
    close_process(&s);
}

static struct uiommu_provider *provider_without_tables(struct rig *rig)
{
    const struct uiommu_provider_config config = { .size = sizeof(config) };
    struct uiommu_provider *p = NULL;

    rig_ok(uiommu_provider_create(rig->u, &config, &p));
    return p;
}

static struct uiommu_endpoint *bind_to(struct uiommu_endpoint *of,
                                       struct uiommu_provider *p)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_sva_bind(of, p, NULL, &ep));
    return ep;
}

/* A part with few addresses beside a device with many: each has what it can have of the
 * process, and loses all of it. */
static void a_part_with_few_addresses_is_in_nobodys_way(struct rig *rig)
{
    const uint64_t top = GIB(4) - RIG_PAGE, phys = rig_pages(rig, 1);
    struct uiommu_provider *p = provider_without_tables(rig);
    struct uiommu_endpoint *wide = bind_to(rig_endpoint(rig, 1), p);
    const uint32_t number = uiommu_endpoint_pasid(wide);
    struct uiommu_mdev_config config;
    struct part part = { 0 };

    config = part_config(&part, rig, 0);
    config.iova_bits = 32;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    (void)bind_to(part.ep, p);
    rig_ok(uiommu_provider_map(p, top, phys, 2 * RIG_PAGE, RW));
    rig_ok(uiommu_provider_map(p, VA, phys, RIG_PAGE, RW));
    assert_true(rig_pasid_reaches(rig, 1, number, top, phys));
    assert_true(rig_pasid_reaches(rig, 1, number, GIB(4), phys + RIG_PAGE));
    assert_true(rig_pasid_reaches(rig, 1, number, VA, phys));
    assert_true(rig_pasid_reaches(rig, 0, part.pasid, top, phys));
    rig_is(uiommu_provider_unmap(p, top, 0), UIOMMU_INVAL);
    rig_is(uiommu_provider_unmap(p, UINT64_MAX - RIG_PAGE + 1, 2 * RIG_PAGE),
           UIOMMU_INVAL);
    rig_is(uiommu_provider_map(p, UINT64_MAX - RIG_PAGE + 1, phys, 2 * RIG_PAGE,
                               RW),
           UIOMMU_INVAL);
    rig_ok(uiommu_provider_unmap(p, top, VA - top + RIG_PAGE));
    assert_true(rig_pasid_refused(rig, 1, number, top));
    assert_true(rig_pasid_refused(rig, 1, number, GIB(4)));
    assert_true(rig_pasid_refused(rig, 1, number, VA));
    assert_true(rig_pasid_refused(rig, 0, part.pasid, top));
    unbind(part.ep);
    unbind(wide);
    take_home(&part);
    uiommu_provider_put(p);
}

/* It does not get a domain of others that is too wide for it. */
static void an_heir_with_few_addresses_has_its_own(struct rig *rig)
{
    struct uiommu_provider *p = provider_without_tables(rig);
    struct uiommu_endpoint *wide = bind_to(rig_endpoint(rig, 1), p), *ep;
    struct process s = open_process(rig);
    struct uiommu_mdev_config config;
    struct uiommu_domain_info info;
    struct part heir = { 0 };

    config = part_config(&heir, rig, 0);
    config.kind = UIOMMU_MDEV_RID_INHERIT;
    config.mediator = &no_numbers;
    config.iova_bits = 32;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &heir.ep));
    ep = bind_to(heir.ep, p);
    uiommu_domain_info(uiommu_endpoint_domain(ep), &info);
    assert_int_equal(info.iova_bits, 32);
    unbind(ep);
    unbind(wide);
    wide = bind(&s, 1);
    for (unsigned i = 0; i < 2; i++) {
        rig_is(uiommu_sva_bind(heir.ep, s.provider, NULL, &ep),
               UIOMMU_OPNOTSUPP);
        assert_says(sim_last_log(rig->m), "fewer");
        if (i == 0)
            unbind(wide);
    }
    rig_ok(uiommu_mdev_unregister(heir.ep));
    uiommu_provider_put(p);
    close_process(&s);
}

/* What is emulated has no hardware that could walk the tables. */
static void what_is_emulated_has_no_tables(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = NULL, *bound = bind(&s, 0);
    struct uiommu_mdev_config config;
    struct uiommu_domain *d = NULL;
    struct part part = { 0 };

    config = part_config(&part, rig, 0);
    config.kind = UIOMMU_MDEV_EMULATED;
    config.mediator = &software;
    rig_ok(uiommu_mdev_register(parent(rig, 0), &config, &part.ep));
    rig_is(uiommu_sva_bind(part.ep, s.provider, NULL, &ep), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_sva_domain(part.ep, s.provider, &d), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_set_domain(part.ep, uiommu_endpoint_domain(bound), NULL),
           UIOMMU_OPNOTSUPP);
    rig_ok(uiommu_mdev_unregister(part.ep));
    unbind(bound);
    close_process(&s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(c_sc4_processes_on_parts_of_one_device, with_sva_requests),
    RIG_TEST_ON(a_part_keeps_its_own_number, with_sva),
    RIG_TEST_ON(who_claimed_a_part_binds_it, with_owners),
    RIG_TEST_ON(an_heir_has_the_numbers_of_its_parent, with_sva),
    RIG_TEST_ON(a_part_with_few_addresses_is_in_nobodys_way, with_sva),
    RIG_TEST_ON(an_heir_with_few_addresses_has_its_own, with_sva),
    RIG_TEST_ON(what_is_emulated_has_no_tables, with_sva),
    { 0 },
};

int main(void)
{
    return rig_run("mediated devices in address spaces", tests);
}
