/* SPDX-License-Identifier: MIT */
/*
 * request_end_test.c - no group is left behind or has two answers where asking pauses for
 * somebody else, others go on asking, or a unit errs or is gone (semantics B.17.10).
 */
#include "tests/core/requests.h"

#include "core/unit.h"
#include "spec/smmuv3.h"
#include "spec/vtd.h"

/* ---- asking pauses --------------------------------------------------------------------- */

/* Of a PASID, whose id moves: on some units the device stops asking meanwhile, and when it
 * begins again it waits for nothing. */
static void what_a_pasid_asked_ends_before_its_id_moved(struct rig *rig)
{
    struct uiommu_endpoint *ep = free_pasid(rig, 0);
    struct pager p;

    open_pager(rig, &p, 0);
    p.response = UIOMMU_RESPONSE_INVALID;
    see(ep, p.d);
    for (uint16_t group = 0; group < 6; group++) {
        const unsigned before = answers(rig, 0);
        struct uiommu_domain *d = rig_domain(rig, 0);

        ask(rig, 0, 1, BASE, group, true);
        set(rig, 0, d);
        collect_and_serve(rig);
        assert_int_equal(answers(rig, 0), before + 1);
        assert_true(answer(rig, 0, before).expected);
        assert_true(may_ask(rig, 0));
        set(rig, 0, uiommu_identity(rig->u));
        uiommu_domain_put(d);
    }
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(p.d);
}

/* ---- others go on asking ----------------------------------------------------------------- */

enum { MANY = 12 };

static struct rig *others;
static unsigned asked;

/* The next, as soon as one was collected. */
static void ask_once_more(void *ctx)
{
    (void)ctx;
    if (others && asked < MANY) {
        asked++;
        ask(others, 1, UIOMMU_NO_PASID, BASE, (uint16_t)asked, true);
    }
}

static bool with_others(struct rig *rig, const char **why)
{
    rig->setup.on_request = ask_once_more;
    return with_requests(rig, why);
}

/* Whoever drains is told of them, and nobody else. */
static void a_drain_leaves_nothing_in_the_queue(struct rig *rig)
{
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 1);
    q.response = UIOMMU_RESPONSE_INVALID;
    set(rig, 0, p.d);
    set(rig, 1, q.d);
    asked = 0;
    others = rig;
    ask_once_more(NULL);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_serve(rig->u);
    others = NULL;
    /* Adversarial units show requests late. */
    if (!rig->config.adversarial)
        assert_int_equal(q.groups, MANY);
    rig_drop(rig, 1, q.d);
    uiommu_domain_put(p.d);
}

/* It may be enabled and ask for nothing: PCIe Base 10.5.2.3. */
static bool is_let_ask(struct rig *rig)
{
    return may_ask(rig, 0) && !pri_of(rig, 0).failed;
}

/* ---- a unit that cannot write --------------------------------------------------------------- */

static bool with_smmuv3(struct rig *rig, const char **why)
{
    if (!with_requests(rig, why))
        return false;
    *why = "another unit, or it shows requests late";
    return rig_lacks(rig, RIG_DMAR) && !rig->config.adversarial;
}

/* 0xe0000000: no memory. */
static void move_queue(struct rig *rig, uint64_t base)
{
    const struct uim_unit *unit = rig->u->unit[0];
    const uint32_t cr0 = uim_rd32(unit, SMMUV3_REG_CR0);

    uim_wr32(unit, SMMUV3_REG_CR0, cr0 & ~UINT32_C(2)); /* PRIQEN */
    uim_wr64(unit, SMMUV3_REG_PRIQ_BASE, base);
    uim_wr32(unit, SMMUV3_REG_CR0, cr0);
}

/* PRIQ_ABT_ERR: what was recorded before is collected before groups are forgotten. */
static void after_an_error_groups_begin_anew(struct rig *rig)
{
    const struct uim_unit *unit = rig->u->unit[0];
    const uint64_t base = uim_rd64(unit, SMMUV3_REG_PRIQ_BASE);
    const struct sim_page_request lost =
        request_of(rig, 1, UIOMMU_NO_PASID, BASE, 4, true);
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 1);
    p.response = UIOMMU_RESPONSE_INVALID;
    set(rig, 0, p.d);
    set(rig, 1, q.d); /* is told to ask no more */
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, false);
    assert_int_not_equal(uim_rd32(unit, 0x100c8), 0); /* PRIQ_PROD */
    move_queue(rig, UINT64_C(0xe0000000) | (base & 31));
    (void)sim_page_request(rig->m, &lost);
    assert_int_not_equal(uim_rd32(unit, SMMUV3_REG_GERROR) ^
                             uim_rd32(unit, SMMUV3_REG_GERRORN),
                         0);
    move_queue(rig, base);
    collect(rig);
    assert_int_equal(uim_rd32(unit, SMMUV3_REG_GERROR) ^
                         uim_rd32(unit, SMMUV3_REG_GERRORN),
                     0);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.n, 1);
    rig_drop(rig, 0, p.d);
    rig_drop(rig, 1, q.d);
}

/* ---- a device that was told to ask no more ------------------------------------------------- */

/* For one of its PASIDs, or without: all that it has are concerned. */
static void whoever_sees_another_domain_asks_again(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    set(rig, 0, p.d);
    ep = pasid(rig, 0);
    rig_ok(uiommu_set_domain(ep, p.d, NULL));
    p.response = UIOMMU_RESPONSE_FAILURE;
    ask(rig, 0, uiommu_endpoint_pasid(ep), BASE, 1, true);
    collect_and_serve(rig);
    is_answer(rig, 0, 0, 1, SIM_PAGE_FAILURE);
    assert_false(is_let_ask(rig));
    set(rig, 0, q.d);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    ask(rig, 0, uiommu_endpoint_pasid(ep), BASE, 3, true);
    collect_and_serve(rig);
    assert_int_equal(q.groups, 1);
    assert_int_equal(p.groups, 2);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_drop(rig, 0, q.d);
    uiommu_domain_put(p.d);
}

/* The unit itself said so, as it could not write: 8.1. */
static void who_asked_while_the_unit_could_not_write_asks_again(struct rig *rig)
{
    const struct uim_unit *unit = rig->u->unit[0];
    const uint64_t base = uim_rd64(unit, SMMUV3_REG_PRIQ_BASE);
    const struct sim_page_request lost =
        request_of(rig, 0, UIOMMU_NO_PASID, BASE, 4, true);
    struct pager p, q;

    open_pager(rig, &p, 0);
    open_pager(rig, &q, 0);
    set(rig, 0, p.d);
    move_queue(rig, UINT64_C(0xe0000000) | (base & 31));
    (void)sim_page_request(rig->m, &lost);
    move_queue(rig, base);
    collect(rig);
    assert_false(is_let_ask(rig));
    set(rig, 0, q.d);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 5, true);
    collect_and_serve(rig);
    assert_int_equal(q.groups, 1);
    rig_drop(rig, 0, q.d);
    uiommu_domain_put(p.d);
}

/* ---- a device that is quick ---------------------------------------------------------------- */

static struct rig *hooked;
static void (*config_write)(void *ctx, struct uiommu_pci where, unsigned offset,
                            unsigned width, uint32_t to);

/* It asks as soon as it may, and its unit's interrupt comes at once. */
static void write_and_ask(void *ctx, struct uiommu_pci where, unsigned offset,
                          unsigned width, uint32_t to)
{
    struct rig *rig = hooked;

    config_write(ctx, where, offset, width, to);
    if (!rig || !may_ask(rig, 0))
        return;
    hooked = NULL;
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    collect(rig);
}

/* The domain that it comes to see has a handler: it is not told that there is none. */
static void who_asks_at_once_is_to_ask_again(struct rig *rig)
{
    struct uiommu_domain *plain = rig_attached(rig, 0);
    struct uiommu_host *h = &rig->u->host;
    struct pager p;

    open_pager(rig, &p, 0);
    hooked = rig;
    config_write = h->pci_write;
    h->pci_write = write_and_ask;
    set(rig, 0, p.d);
    h->pci_write = config_write;
    assert_null(hooked);
    is_answer(rig, 0, 0, 1, SIM_PAGE_SUCCESS);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    rig_drop(rig, 0, p.d);
    uiommu_domain_put(plain);
}

/* ---- others that ask without end ------------------------------------------------------------ */

static bool with_vtd(struct rig *rig, const char **why)
{
    if (!with_requests(rig, why))
        return false;
    *why = "another unit";
    return !rig_lacks(rig, RIG_DMAR);
}

static uint32_t (*read32_of_host)(void *ctx, void *mmio, size_t offset);

/* As if its queue were full again each time somebody looks, a millisecond later. */
static uint32_t overflows(void *ctx, void *mmio, size_t offset)
{
    if (offset == VTD_REG_PRS)
        sim_advance(hooked->m, 1000 * 1000);
    return read32_of_host(ctx, mmio, offset) |
           (offset == VTD_REG_PRS ? UINT32_C(2) /* PRO */ : 0);
}

/* Something that it asked for may come yet: it sees nothing any more. */
static void a_drain_that_finds_no_end_gives_up(struct rig *rig)
{
    struct pager p;

    open_pager(rig, &p, 0);
    set(rig, 0, p.d);
    hooked = rig;
    read32_of_host = rig->u->host.mmio_read32;
    rig->u->host.mmio_read32 = overflows;
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_TIMEDOUT);
    rig->u->host.mmio_read32 = read32_of_host;
    hooked = NULL;
    assert_true(rig_refused(rig, 0, BASE));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), p.d, NULL), UIOMMU_NODEV);
    uiommu_domain_put(p.d);
}

/* ---- a unit that is gone ---------------------------------------------------------------------- */

static uint64_t (*read_of_host)(void *ctx, void *mmio, size_t offset);

static uint64_t no_tail(void *ctx, void *mmio, size_t offset)
{
    return offset == VTD_REG_PQT ? UINT64_MAX : read_of_host(ctx, mmio, offset);
}

/* Between two reads. */
static void all_ones_are_no_index(struct rig *rig)
{
    struct pager p;

    answer_with(rig, &p, UIOMMU_RESPONSE_INVALID);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 1, true);
    read_of_host = rig->u->host.mmio_read64;
    rig->u->host.mmio_read64 = no_tail;
    collect_and_serve(rig);
    rig->u->host.mmio_read64 = read_of_host;
    assert_int_equal(p.groups, 0);
    ask(rig, 0, UIOMMU_NO_PASID, BASE, 2, true);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 2);
    rig_drop(rig, 0, p.d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(what_a_pasid_asked_ends_before_its_id_moved,
                with_pasid_requests),
    RIG_TEST_ON(a_drain_leaves_nothing_in_the_queue, with_others),
    RIG_TEST_ON(after_an_error_groups_begin_anew, with_smmuv3),
    RIG_TEST_ON(whoever_sees_another_domain_asks_again, with_pasid_requests),
    RIG_TEST_ON(who_asked_while_the_unit_could_not_write_asks_again,
                with_smmuv3),
    RIG_TEST_ON(who_asks_at_once_is_to_ask_again, with_requests),
    RIG_TEST_ON(a_drain_that_finds_no_end_gives_up, with_vtd),
    RIG_TEST_ON(all_ones_are_no_index, with_vtd),
    { 0 },
};

int main(void)
{
    return rig_run("page requests that end", tests);
}
