/* SPDX-License-Identifier: MIT */
/*
 * pasid_test.c - endpoints with a PASID: what carries the number sees its domain and
 * nothing else does (semantics B.6 to B.8, S0.5 to S0.8, D-61 to D-71).
 */
#include "tests/core/pasids.h"

#include "core/core.h"
#include "pci/pci.h"

#define BASE GIB(2)

/* ---- what it is for -------------------------------------------------------------- */

static void a_pasid_sees_its_domain_and_nothing_else(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0),
             c = rig_pages(rig, 0);
    struct uiommu_domain *da = mapped(rig, BASE, a);
    struct uiommu_domain *db = mapped(rig, BASE, b);
    struct uiommu_domain *dc = mapped(rig, BASE, c);
    struct uiommu_endpoint *one = pasid(rig, 0), *two = pasid(rig, 0);

    assert_int_equal(uiommu_endpoint_pasid(one), 1);
    assert_int_equal(uiommu_endpoint_pasid(two), 2);
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    see(one, da);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, a));
    assert_true(rig_pasid_refused(rig, 0, 2, BASE));
    assert_true(rig_refused(rig, 0, BASE));
    see(two, db);
    set(rig, 0, dc);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, a));
    assert_true(rig_pasid_reaches(rig, 0, 2, BASE, b));
    assert_true(rig_reaches(rig, 0, BASE, c));
    assert_true(rig_pasid_refused(rig, 1, 1, BASE));
    see(one, db);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, b));
    rig_ok(uiommu_pasid_destroy(one, true));
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    assert_true(rig_pasid_reaches(rig, 0, 2, BASE, b));
    assert_true(rig_reaches(rig, 0, BASE, c));
    rig_ok(uiommu_pasid_destroy(two, true));
    rig_drop(rig, 0, dc);
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

static void what_is_unmapped_is_gone_for_every_pasid(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct uiommu_endpoint *ep[3];
    uint64_t unmapped;

    set(rig, 1, d);
    for (unsigned i = 0; i < 3; i++)
        see(ep[i] = pasid(rig, 0), d);
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t i = 1; i <= 3; i++)
            assert_true(rig_pasid_reaches(rig, 0, i, BASE, page));
        assert_true(rig_reaches(rig, 1, BASE, page));
        rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, &unmapped));
        for (uint32_t i = 1; i <= 3; i++)
            assert_true(rig_pasid_refused(rig, 0, i, BASE));
        assert_true(rig_refused(rig, 1, BASE));
        map_page(d, BASE, page);
    }
    for (unsigned i = 0; i < 3; i++)
        rig_ok(uiommu_pasid_destroy(ep[i], true));
    rig_drop(rig, 1, d);
}

/* S3.36: the same pages in two contexts; one loses them while the other goes on. */
static void a_buffer_is_taken_from_one_context_of_two(struct rig *rig)
{
    uint64_t buffer = rig_pages(rig, 1);
    struct uiommu_domain *d[2];
    struct uiommu_endpoint *ep[2];

    for (unsigned i = 0; i < 2; i++) {
        d[i] = rig_domain(rig, 0);
        rig_ok(uiommu_map(d[i], BASE, buffer, 2 * RIG_PAGE,
                          UIOMMU_READ | UIOMMU_WRITE));
        see(ep[i] = pasid(rig, 0), d[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(rig_pasid_reaches(rig, 0, 1, BASE + i * RIG_PAGE,
                                      buffer + i * RIG_PAGE));
        assert_true(rig_pasid_reaches(rig, 0, 2, BASE + i * RIG_PAGE,
                                      buffer + i * RIG_PAGE));
        rig_ok(uiommu_unmap(d[0], BASE + i * RIG_PAGE, RIG_PAGE, NULL));
        assert_true(rig_pasid_refused(rig, 0, 1, BASE + i * RIG_PAGE));
        assert_true(rig_pasid_reaches(rig, 0, 2, BASE + i * RIG_PAGE,
                                      buffer + i * RIG_PAGE));
    }
    for (unsigned i = 0; i < 2; i++) {
        rig_ok(uiommu_pasid_destroy(ep[i], true));
        uiommu_domain_put(d[i]);
    }
}

/* The domain of requests without a PASID changes in every way while a PASID is live,
 * and the other way round (B.7). */
static void neither_disturbs_the_other(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = mapped(rig, a, a), *db = mapped(rig, b, b);
    struct uiommu_domain *way[] = {
        uiommu_identity(rig->u), db,
        uiommu_blocked(rig->u),  db,
        uiommu_identity(rig->u), uiommu_blocked(rig->u)
    };
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, da);
    for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        set(rig, 0, way[i]);
        assert_true(rig_pasid_reaches(rig, 0, 1, a, a));
        assert_true(rig_pasid_refused(rig, 0, 1, b));
        assert_int_equal(rig_reaches(rig, 0, b, b),
                         way[i] != uiommu_blocked(rig->u));
        for (unsigned j = 0; j < 2; j++) {
            see(ep, j == 0 ? uiommu_blocked(rig->u) : da);
            assert_int_equal(rig_reaches(rig, 0, b, b),
                             way[i] != uiommu_blocked(rig->u));
            assert_int_equal(rig_pasid_reaches(rig, 0, 1, a, a), j == 1);
        }
    }
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

static void identity_is_for_pasids_where_the_unit_has_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = pasid(rig, 0);

    if (ep->unit->pasid_identity) {
        see(ep, uiommu_identity(rig->u));
        assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
        assert_true(rig_refused(rig, 0, page));
    } else {
        rig_is(uiommu_set_domain(ep, uiommu_identity(rig->u), NULL),
               UIOMMU_INVAL);
    }
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_true(rig_pasid_refused(rig, 0, 1, page));
}

/* A private space for each context of a GPU: 1,000 of them come and go (S3.18). */
static void contexts_come_and_go(struct rig *rig)
{
    enum { CONTEXTS = 1000, LIVE = 5 };
    struct uiommu_endpoint *ep[LIVE] = { NULL };
    struct uiommu_domain *d[LIVE] = { NULL };
    uint64_t page[LIVE];

    for (unsigned i = 0; i < LIVE; i++)
        page[i] = rig_pages(rig, 0);
    for (unsigned i = 0; i < CONTEXTS + LIVE; i++) {
        unsigned at = i % LIVE;

        if (ep[at]) {
            rig_ok(uiommu_pasid_destroy(ep[at], true));
            uiommu_domain_put(d[at]);
            assert_true(rig_pasid_refused(rig, 0, at + 1, BASE));
            ep[at] = NULL;
        }
        if (i >= CONTEXTS)
            continue;
        d[at] = mapped(rig, BASE, page[at]);
        ep[at] = pasid(rig, 0);
        assert_int_equal(uiommu_endpoint_pasid(ep[at]), at + 1);
        see(ep[at], d[at]);
        assert_true(rig_pasid_reaches(rig, 0, at + 1, BASE, page[at]));
    }
}

static void high_numbers_need_larger_tables_and_get_them(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct uiommu_endpoint *ep[20];
    uint32_t last;
    unsigned n = 0;

    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    set(rig, 0, d);
    for (uint32_t number = 1; number < last; number = number * 4 + 3, n++) {
        ep[n] = pasid_number(rig, 0, number);
        see(ep[n], d);
    }
    ep[n] = pasid_number(rig, 0, last);
    see(ep[n++], d);
    for (unsigned i = 0; i < n; i++)
        assert_true(rig_pasid_reaches(rig, 0, ep[i]->pasid, BASE, page));
    assert_true(rig_pasid_refused(rig, 0, last - 1, BASE));
    assert_true(rig_reaches(rig, 0, BASE, page));
    while (n > 0)
        rig_ok(uiommu_pasid_destroy(ep[--n], true));
    rig_drop(rig, 0, d);
}

/* ---- numbers --------------------------------------------------------------------- */

static enum uiommu_status try(struct rig *rig, unsigned n, uint32_t first,
                              uint32_t last, uint32_t flags, uint32_t *number)
{
    const struct uiommu_pasid_config config = {
        .size = sizeof(config), .flags = flags, .first = first, .last = last
    };
    struct uiommu_endpoint *ep = NULL;
    enum uiommu_status status =
        uiommu_pasid_create(rig_endpoint(rig, n), &config, &ep);

    if (status == UIOMMU_OK && number)
        *number = uiommu_endpoint_pasid(ep);
    if (status == UIOMMU_OK)
        rig_ok(uiommu_pasid_destroy(ep, true));
    return status;
}

static void numbers_are_of_the_range_asked_for(struct rig *rig)
{
    struct uiommu_endpoint *five = pasid_number(rig, 0, 5);
    uint32_t last, number;

    rig_ok(uiommu_pasid_last(rig_endpoint(rig, 0), &last));
    assert_true(last > 100);
    rig_ok(try(rig, 0, 5, 9, 0, &number));
    assert_int_equal(number, 6);
    rig_is(try(rig, 0, 5, 5, 0, NULL), UIOMMU_BUSY);
    rig_is(try(rig, 0, 6, 5, 0, NULL), UIOMMU_INVAL);
    rig_is(try(rig, 0, last + 1, last + 1, 0, NULL), UIOMMU_INVAL);
    rig_is(try(rig, 0, last + 1, 0, 0, NULL), UIOMMU_INVAL);
    rig_ok(try(rig, 0, last, last + 1, 0, &number));
    assert_int_equal(number, last);
    rig_ok(try(rig, 1, 5, 5, 0, NULL)); /* another device's are its own */
    rig_ok(try(rig, 1, 5, 0, UIOMMU_PASID_GLOBAL, &number));
    assert_int_equal(number, 6);
    rig_is(try(rig, 1, 5, 5, UIOMMU_PASID_GLOBAL, NULL), UIOMMU_BUSY);
    rig_is(try(rig, 0, 0, 0, 1u << 1, NULL), UIOMMU_INVAL);
    rig_ok(uiommu_pasid_destroy(five, true));
}

/* The second one looked at may have what was free in the first, and so on. */
static void a_global_number_is_nobody_s(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 1);
    struct uiommu_endpoint *ep[3];
    uint32_t number = 0;

    ep[0] = pasid_number(rig, 0, 6);
    ep[1] = pasid_number(rig, 1, 5);
    ep[2] = pasid_number(rig, 1, 7);
    rig_ok(try(rig, 2, 5, 0, UIOMMU_PASID_GLOBAL, &number));
    assert_int_equal(number, 8);
    sim_unplug(rig->m, dev);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    rig_ok(try(rig, 2, 5, 0, UIOMMU_PASID_GLOBAL, &number));
    assert_int_equal(number, 8); /* whoever has them has them still */
    for (unsigned i = 0; i < 3; i++)
        rig_ok(uiommu_pasid_destroy(ep[i], true));
}

static void a_full_range_is_no_space(struct rig *rig)
{
    struct uiommu_endpoint *ep[3];

    for (uint32_t i = 0; i < 3; i++)
        ep[i] = pasid_number(rig, 0, 7 + i);
    rig_is(try(rig, 0, 7, 9, 0, NULL), UIOMMU_NOSPC);
    rig_ok(uiommu_pasid_destroy(ep[1], true));
    rig_ok(try(rig, 0, 7, 9, 0, NULL));
    rig_ok(uiommu_pasid_destroy(ep[0], true));
    rig_ok(uiommu_pasid_destroy(ep[2], true));
}

/* C.4: the device may go on sending it. */
static void a_number_that_did_not_stop_waits(struct rig *rig)
{
    struct uiommu_endpoint *ep = pasid_number(rig, 0, 1);
    const int owner = 0;

    rig_ok(uiommu_pasid_destroy(ep, false));
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    ep = pasid(rig, 0);
    assert_int_equal(uiommu_endpoint_pasid(ep), 2);
    rig_is(try(rig, 0, 1, 1, 0, NULL), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &owner));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &owner));
}

/* ---- who may ------------------------------------------------------------------------ */

static void malformed_calls_are_refused(struct rig *rig)
{
    struct uiommu_pasid_config config = { .size = sizeof(config) - 1 };
    struct uiommu_endpoint *ep = pasid(rig, 0), *other = NULL;
    uint32_t last;

    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), &config, &other),
           UIOMMU_INVAL);
    rig_is(uiommu_pasid_create(NULL, NULL, &other), UIOMMU_INVAL);
    rig_is(uiommu_pasid_create(ep, NULL, &other), UIOMMU_INVAL);
    rig_is(uiommu_pasid_create(ep, NULL, NULL), UIOMMU_INVAL);
    rig_is(uiommu_pasid_last(ep, &last), UIOMMU_INVAL);
    rig_is(uiommu_pasid_last(rig_endpoint(rig, 0), NULL), UIOMMU_INVAL);
    rig_is(uiommu_pasid_destroy(rig_endpoint(rig, 0), true), UIOMMU_INVAL);
    rig_is(uiommu_pasid_destroy(NULL, true), UIOMMU_INVAL);
    assert_null(other);
    rig_ok(uiommu_pasid_destroy(ep, true));
}

static bool with_owners(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return with_pasids(rig, why);
}

static void pasids_are_the_owner_s(struct rig *rig)
{
    const int a = 0, b = 0;
    struct uiommu_pasid_config config = { .size = sizeof(config) };
    struct uiommu_endpoint *ep = pasid(rig, 0), *other = NULL;

    rig_is(uiommu_claim(rig_endpoint(rig, 0), &a), UIOMMU_BUSY);
    rig_is(uiommu_device_remove(rig->device[rig_engine(rig, 0)]), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), &a));
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &ep), UIOMMU_PERM);
    config.owner = &b;
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), &config, &ep),
           UIOMMU_PERM);
    config.owner = &a;
    rig_ok(uiommu_pasid_create(rig_endpoint(rig, 0), &config, &other));
    rig_is(uiommu_set_domain(other, uiommu_blocked(rig->u), &b), UIOMMU_PERM);
    rig_ok(uiommu_set_domain(other, uiommu_blocked(rig->u), &a));
    rig_is(uiommu_release(rig_endpoint(rig, 0), &a), UIOMMU_BUSY);
    rig_ok(uiommu_pasid_destroy(other, true));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), &a));
}

static void without_the_capability_there_are_none(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;
    uint32_t last;

    rig_is(uiommu_pasid_last(rig_endpoint(rig, 0), &last), UIOMMU_OPNOTSUPP);
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &ep),
           UIOMMU_OPNOTSUPP);
    assert_null(ep);
}

/* ---- the way to the root (S0.5 to S0.7) ------------------------------------------------ */

static const struct sim_function below_switch[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
    { "up", SIM_UPSTREAM, 0, 0, 0 },
    { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },
    { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
    { "gpu", SIM_ENGINE, 2, 0, SIM_PASID },
    { "nic", SIM_ENGINE, 3, 0, 0 },
};

static bool below(struct rig *rig, const char **why)
{
    rig->config.functions = below_switch;
    rig->config.n_functions = sizeof(below_switch) / sizeof(below_switch[0]);
    return has_pasids(rig, why);
}

static bool below_as_found(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND;
    return below(rig, why);
}

static void acs_is_switched_on_for_pasids(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, BASE, page);
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, d);
    assert_true(rig_pasid_reaches(rig, 0, 1, BASE, page));
    assert_ptr_not_equal(rig_endpoint(rig, 0)->view->group,
                         rig_endpoint(rig, 1)->view->group);
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

static void without_acs_pasids_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = NULL;

    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &ep),
           UIOMMU_OPNOTSUPP);
    assert_null(ep);
    assert_ptr_equal(rig_endpoint(rig, 0)->view->group,
                     rig_endpoint(rig, 1)->view->group);
}

/* ---- ATS (B.7, B.8, D-48, D-71) --------------------------------------------------------- */

static bool ats_is_on(struct rig *rig, unsigned n)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    struct uim_pci_ats ats;

    rig_ok(uim_pci_ats(&rig->m->host, at, &ats));
    return ats.enabled;
}

static void ats_is_on_while_any_of_the_device_wants_it(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page, page);
    struct uiommu_endpoint *ep = pasid(rig, 0);
    bool alone = !ep->unit->ats_needs_own;

    assert_false(ats_is_on(rig, 0));
    see(ep, d);
    assert_int_equal(ats_is_on(rig, 0), alone);
    assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
    set(rig, 0, d);
    assert_true(rig_reaches(rig, 0, page, page));
    see(ep, uiommu_blocked(rig->u));
    assert_true(ats_is_on(rig, 0));
    assert_true(rig_pasid_refused(rig, 0, 1, page));
    assert_true(rig_reaches(rig, 0, page, page));
    see(ep, d);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_int_equal(ats_is_on(rig, 0), alone);
    assert_true(rig_refused(rig, 0, page));
    assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
    rig_ok(uiommu_unmap(d, page, RIG_PAGE, NULL));
    assert_true(rig_pasid_refused(rig, 0, 1, page));
    rig_ok(uiommu_pasid_destroy(ep, true));
    assert_false(ats_is_on(rig, 0));
    uiommu_domain_put(d);
}

/* And not for longer off than it takes. */
static void ats_goes_on_when_the_id_moves(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page, page);
    struct uiommu_domain *way[] = { uiommu_identity(rig->u), d,
                                    uiommu_identity(rig->u) };
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, d);
    for (unsigned i = 0; i < 3; i++) {
        set(rig, 0, way[i]);
        assert_true(ats_is_on(rig, 0));
        assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
        assert_true(rig_reaches(rig, 0, page, page));
    }
    rig_ok(uiommu_unmap(d, page, RIG_PAGE, NULL));
    assert_true(rig_pasid_refused(rig, 0, 1, page));
    rig_ok(uiommu_pasid_destroy(ep, true));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_false(ats_is_on(rig, 0));
    uiommu_domain_put(d);
}

#define REGION MIB(32)

static bool with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { REGION, RIG_PAGE, 0 },
    };

    rig->config.regions = region;
    rig->config.n_regions = 1;
    return with_pasids_and_ats(rig, why);
}

/* D-38: a PASID switches ATS on for what the device had seen since units were started. */
static void what_it_sees_from_the_start_is_counted(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page, page);
    struct uiommu_domain *rest = uiommu_core_domain(rig_endpoint(rig, 0));
    struct uiommu_endpoint *ep = pasid(rig, 0);

    see(ep, d);
    assert_true(ats_is_on(rig, 0));
    assert_true(rig_reaches(rig, 0, REGION, REGION));
    rig_ok(uiommu_unmap(rest, REGION, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, REGION));
    rig_ok(
        uiommu_map(rest, REGION, REGION, RIG_PAGE, UIOMMU_READ | UIOMMU_WRITE));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
}

/* What one PASID had cached is not had by the next owner of the number. */
static void a_number_that_comes_back_has_nothing_cached(struct rig *rig)
{
    uint64_t a = rig_pages(rig, 0), b = rig_pages(rig, 0);
    struct uiommu_domain *da = mapped(rig, BASE, a), *db = mapped(rig, BASE, b);

    for (unsigned i = 0; i < 3; i++) {
        struct uiommu_endpoint *ep = pasid_number(rig, 0, 1);

        assert_true(rig_pasid_refused(rig, 0, 1, BASE));
        see(ep, i % 2 == 0 ? da : db);
        assert_true(rig_pasid_reaches(rig, 0, 1, BASE, i % 2 == 0 ? a : b));
        rig_ok(uiommu_pasid_destroy(ep, true));
    }
    assert_true(rig_pasid_refused(rig, 0, 1, BASE));
    uiommu_domain_put(da);
    uiommu_domain_put(db);
}

/* ---- what does not answer ------------------------------------------------------------------ */

/* A device that may still have translations is cut with all it asks. */
static void a_silent_device_is_cut_with_all_its_pasids(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page, page);
    struct uiommu_endpoint *one = pasid(rig, 0), *two = pasid(rig, 0);
    struct uiommu_endpoint *beside = pasid(rig, 1), *late = NULL;

    set(rig, 0, d);
    see(one, d);
    see(two, uiommu_blocked(rig->u));
    see(beside, d);
    assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_FAILS);
    assert_true(uiommu_unmap(d, page, RIG_PAGE, NULL) >= UIOMMU_TIMEDOUT);
    assert_true(rig_pasid_refused(rig, 0, 1, page));
    assert_true(rig_refused(rig, 0, page));
    rig_is(uiommu_set_domain(two, d, NULL), UIOMMU_NODEV);
    rig_is(uiommu_pasid_create(rig_endpoint(rig, 0), NULL, &late),
           UIOMMU_NODEV);
    assert_true(rig_pasid_refused(rig, 1, 1, page));
    map_page(d, page, page);
    assert_true(rig_pasid_reaches(rig, 1, 1, page, page));
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    rig_ok(uiommu_pasid_destroy(beside, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
}

/* And so it is if only a PASID saw what is unmapped. */
static void a_device_is_cut_for_what_a_pasid_had(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), other = rig_pages(rig, 0);
    struct uiommu_domain *d = mapped(rig, page, page);
    struct uiommu_domain *e = mapped(rig, other, other);
    struct uiommu_endpoint *one = pasid(rig, 0), *two = pasid(rig, 0);

    set(rig, 0, uiommu_identity(rig->u));
    see(one, d);
    see(two, e);
    assert_true(rig_pasid_reaches(rig, 0, 1, page, page));
    assert_true(rig_pasid_reaches(rig, 0, 2, other, other));
    sim_devtlb(rig->m, rig_engine(rig, 0), SIM_DEVTLB_FAILS);
    assert_true(uiommu_unmap(d, page, RIG_PAGE, NULL) >= UIOMMU_TIMEDOUT);
    assert_true(rig_pasid_refused(rig, 0, 1, page));
    assert_true(rig_pasid_refused(rig, 0, 2, other));
    assert_true(rig_refused(rig, 0, other));
    rig_ok(uiommu_pasid_destroy(one, true));
    rig_ok(uiommu_pasid_destroy(two, true));
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
    uiommu_domain_put(e);
}

static bool in_a_hurry_with_pasids(struct rig *rig, const char **why)
{
    return in_a_hurry(rig, why) && with_pasids(rig, why);
}

/* The unit may still have what it had. */
static void a_number_that_was_not_confirmed_waits(struct rig *rig)
{
    struct uiommu_domain *d = mapped(rig, BASE, rig_pages(rig, 0));
    struct uiommu_endpoint *ep = pasid_number(rig, 0, 1);

    see(ep, d);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_pasid_destroy(ep, true), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    rig_is(try(rig, 0, 1, 1, 0, NULL), UIOMMU_BUSY);
    uiommu_domain_put(d);
}

static struct uiommu_endpoint *read_meanwhile;
static unsigned waited;

static void read_on(void *ctx)
{
    (void)ctx;
    if (++waited == 3)
        atomic_store(&read_meanwhile->readers, 0);
}

/* Whoever has a pointer to it, without a lock. */
static void a_pasid_is_there_while_it_is_read(struct rig *rig)
{
    struct uiommu_endpoint *ep = pasid(rig, 0);
    void (*relax)(void *ctx) = rig->u->host.relax;

    read_meanwhile = ep;
    waited = 0;
    atomic_store(&ep->readers, 1);
    rig->u->host.relax = read_on;
    rig_ok(uiommu_pasid_destroy(ep, true));
    rig->u->host.relax = relax;
    assert_int_equal(waited, 3);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_pasid_sees_its_domain_and_nothing_else, with_pasids),
    RIG_TEST_ON(what_is_unmapped_is_gone_for_every_pasid, with_pasids),
    RIG_TEST_ON(neither_disturbs_the_other, with_pasids),
    RIG_TEST_ON(identity_is_for_pasids_where_the_unit_has_it, with_pasids),
    RIG_TEST_ON(contexts_come_and_go, with_pasids),
    RIG_TEST_ON(high_numbers_need_larger_tables_and_get_them, with_pasids),
    RIG_TEST_ON(numbers_are_of_the_range_asked_for, with_pasids),
    RIG_TEST_ON(a_global_number_is_nobody_s, with_pasids),
    RIG_TEST_ON(a_full_range_is_no_space, with_pasids),
    RIG_TEST_ON(a_number_that_did_not_stop_waits, with_owners),
    RIG_TEST_ON(malformed_calls_are_refused, with_pasids),
    RIG_TEST_ON(pasids_are_the_owner_s, with_owners),
    RIG_TEST(without_the_capability_there_are_none),
    RIG_TEST_ON(acs_is_switched_on_for_pasids, below),
    RIG_TEST_ON(without_acs_pasids_are_refused, below_as_found),
    RIG_TEST_ON(a_pasid_sees_its_domain_and_nothing_else, with_pasids_and_ats),
    RIG_TEST_ON(what_is_unmapped_is_gone_for_every_pasid, with_pasids_and_ats),
    RIG_TEST_ON(neither_disturbs_the_other, with_pasids_and_ats),
    RIG_TEST_ON(ats_is_on_while_any_of_the_device_wants_it,
                with_pasids_and_ats),
    RIG_TEST_ON(ats_goes_on_when_the_id_moves, with_pasids_and_ats),
    RIG_TEST_ON(what_it_sees_from_the_start_is_counted, with_region),
    RIG_TEST_ON(a_number_that_comes_back_has_nothing_cached,
                with_pasids_and_ats),
    RIG_TEST_ON(a_buffer_is_taken_from_one_context_of_two, with_pasids_and_ats),
    RIG_TEST_ON(a_silent_device_is_cut_with_all_its_pasids,
                with_pasids_and_ats),
    RIG_TEST_ON(a_device_is_cut_for_what_a_pasid_had, with_pasids_and_ats),
    RIG_TEST_ON(a_number_that_was_not_confirmed_waits, in_a_hurry_with_pasids),
    { .name = "a_pasid_is_there_while_it_is_read",
      .run = a_pasid_is_there_while_it_is_read,
      .prepare = with_pasids,
      .once = "what reads it does so once" },
    { 0 },
};

int main(void)
{
    return rig_run("pasid", tests);
}
