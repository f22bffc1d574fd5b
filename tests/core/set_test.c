/* SPDX-License-Identifier: MIT */
/*
 * set_test.c - the one verb: from any domain to any other (semantics B.5), with
 * the device seeing its old domain, its new one or nothing; and who may use it
 * (B.4).
 */
#include "tests/core/help.h"

static const char OWNER[] = "owner";
static const char OTHER[] = "other";

/* ---- every transition ---------------------------------------------------- */

enum sight { BLOCKED, IDENTITY, PAGING_A, PAGING_B, SIGHTS };

/* One address that each domain translates differently. */
struct sights {
    uint64_t at;
    struct uiommu_domain *domain[SIGHTS];
    uint64_t phys[SIGHTS];
};

static void sights_open(struct rig *rig, struct sights *s)
{
    s->at = rig_pages(rig, 0);
    s->domain[BLOCKED] = uiommu_blocked(rig->u);
    s->phys[BLOCKED] = NOWHERE;
    s->domain[IDENTITY] = uiommu_identity(rig->u);
    s->phys[IDENTITY] = s->at;
    for (unsigned i = PAGING_A; i < SIGHTS; i++) {
        s->domain[i] = rig_domain(rig, 0);
        s->phys[i] = rig_pages(rig, 0);
        map_page(s->domain[i], s->at, s->phys[i]);
    }
}

static void sights_close(struct rig *rig, struct sights *s)
{
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, uiommu_blocked(rig->u));
    uiommu_domain_put(s->domain[PAGING_A]);
    uiommu_domain_put(s->domain[PAGING_B]);
}

static void assert_sees(struct rig *rig, unsigned n, const struct sights *s,
                        unsigned which)
{
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, n)),
                     s->domain[which]);
    if (s->phys[which] == NOWHERE)
        assert_true(rig_refused(rig, n, s->at));
    else
        assert_true(rig_reaches(rig, n, s->at, s->phys[which]));
    assert_int_equal(lands(rig, n, s->at + RIG_PAGE, UIOMMU_READ),
                     which == IDENTITY ? s->at + RIG_PAGE : NOWHERE);
}

static void each_transition(struct rig *rig, unsigned n)
{
    struct sights s;

    sights_open(rig, &s);
    for (unsigned from = 0; from < SIGHTS; from++) {
        for (unsigned to = 0; to < SIGHTS; to++) {
            set(rig, n, s.domain[from]);
            assert_sees(rig, n, &s, from);
            set(rig, n, s.domain[to]);
            assert_sees(rig, n, &s, to);
        }
    }
    sights_close(rig, &s);
}

static void every_transition_shows_exactly_the_new_domain(struct rig *rig)
{
    each_transition(rig, 0);
}

static void a_device_behind_a_port_makes_every_transition(struct rig *rig)
{
    each_transition(rig, 2);
}

static bool with_caching_mode(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.caching_mode = true;
    return true;
}

static void a_unit_that_caches_holes_makes_every_transition(struct rig *rig)
{
    each_transition(rig, 1);
}

static void setting_the_same_domain_touches_no_hardware(struct rig *rig)
{
    struct sights s;
    struct rig_state before, after;

    sights_open(rig, &s);
    for (unsigned i = 0; i < SIGHTS; i++) {
        set(rig, 0, s.domain[i]);
        before = rig_state(rig);
        set(rig, 0, s.domain[i]);
        after = rig_state(rig);
        assert_int_equal(after.counts.mmio_writes, before.counts.mmio_writes);
        assert_int_equal(after.counts.mmio_reads, before.counts.mmio_reads);
        assert_int_equal(after.counts.flushes, before.counts.flushes);
        rig_assert_same(rig, &before);
        assert_sees(rig, 0, &s, i);
    }
    sights_close(rig, &s);
}

/* ---- failure ------------------------------------------------------------- */

struct change {
    struct sights s;
    struct uiommu_domain *fresh;
    unsigned from;
};

static enum uiommu_status set_fresh(struct rig *rig, void *ctx)
{
    struct change *c = ctx;
    enum uiommu_status status;

    status = uiommu_domain_create(rig_endpoint(rig, 0), NULL, &c->fresh);
    if (status != UIOMMU_OK)
        return status;
    status = uiommu_set_domain(rig_endpoint(rig, 0), c->fresh, NULL);
    if (status != UIOMMU_OK) {
        assert_sees(rig, 0, &c->s, c->from);
        uiommu_domain_put(c->fresh);
    }
    return status;
}

static void set_back(struct rig *rig, void *ctx)
{
    struct change *c = ctx;

    set(rig, 0, c->s.domain[c->from]);
    assert_sees(rig, 0, &c->s, c->from);
    uiommu_domain_put(c->fresh);
}

static void a_failed_set_leaves_the_old_domain(struct rig *rig)
{
    struct change c;

    sights_open(rig, &c.s);
    set(rig, 0, c.s.domain[PAGING_A]); /* tables of the unit exist now */
    for (c.from = 0; c.from < SIGHTS; c.from++) {
        set(rig, 0, c.s.domain[c.from]);
        rig_each_failure(rig, set_fresh, set_back, &c, UIOMMU_NOMEM);
    }
    sights_close(rig, &c.s);
}

/* A device that never saw anything: its tables are made on the way. */
static enum uiommu_status set_first(struct rig *rig, void *ctx)
{
    struct uiommu_domain **d = ctx;
    enum uiommu_status status;

    status = uiommu_domain_create(rig_endpoint(rig, 2), NULL, d);
    if (status != UIOMMU_OK)
        return status;
    status = uiommu_set_domain(rig_endpoint(rig, 2), *d, NULL);
    if (status != UIOMMU_OK) {
        assert_true(rig_refused(rig, 2, 0));
        uiommu_domain_put(*d);
    }
    return status;
}

static void the_first_set_of_a_device_fails_without_trace(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    fails_without_trace(rig, set_first, &d);
    map_page(d, 0, page);
    assert_true(rig_reaches(rig, 2, 0, page));
    rig_drop(rig, 2, d);
}

static void blocking_allocates_nothing(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t calls = sim_calls(rig->m);

    set(rig, 0, uiommu_blocked(rig->u));
    assert_int_equal(sim_calls(rig->m), calls);
    uiommu_domain_put(d);
}

/* ---- two devices --------------------------------------------------------- */

static void two_devices_see_domains_of_their_own(struct rig *rig)
{
    struct sights s;

    sights_open(rig, &s);
    set(rig, 0, s.domain[PAGING_A]);
    set(rig, 1, s.domain[PAGING_B]);
    assert_sees(rig, 0, &s, PAGING_A);
    assert_sees(rig, 1, &s, PAGING_B);
    assert_sees(rig, 2, &s, BLOCKED);
    set(rig, 0, s.domain[BLOCKED]);
    assert_sees(rig, 0, &s, BLOCKED);
    assert_sees(rig, 1, &s, PAGING_B);
    set(rig, 1, s.domain[IDENTITY]);
    assert_sees(rig, 0, &s, BLOCKED);
    set(rig, 0, s.domain[PAGING_B]);
    assert_sees(rig, 1, &s, IDENTITY);
    assert_sees(rig, 0, &s, PAGING_B);
    sights_close(rig, &s);
}

static void leaving_a_shared_domain_does_not_touch_the_others(struct rig *rig)
{
    struct sights s;

    sights_open(rig, &s);
    for (unsigned n = 0; n < 3; n++)
        set(rig, n, s.domain[PAGING_A]);
    set(rig, 1, s.domain[PAGING_B]);
    assert_sees(rig, 0, &s, PAGING_A);
    assert_sees(rig, 1, &s, PAGING_B);
    assert_sees(rig, 2, &s, PAGING_A);
    rig_ok(uiommu_unmap(s.domain[PAGING_A], s.at, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, s.at));
    assert_true(rig_refused(rig, 2, s.at));
    assert_sees(rig, 1, &s, PAGING_B);
    sights_close(rig, &s);
}

static void each_device_has_a_group_and_no_pasid(struct rig *rig)
{
    struct uiommu_endpoint *a = rig_endpoint(rig, 0), *b = rig_endpoint(rig, 1);

    assert_non_null(uiommu_endpoint_group(a));
    assert_ptr_not_equal(uiommu_endpoint_group(a), uiommu_endpoint_group(b));
    assert_int_equal(uiommu_endpoint_pasid(a), UIOMMU_NO_PASID);
    assert_ptr_equal(uiommu_endpoint_domain(a), uiommu_blocked(rig->u));
    assert_ptr_equal(uiommu_core_domain(a), uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, 0));
}

/* ---- domains come and go ------------------------------------------------- */

static void an_attachment_keeps_a_domain_that_was_put(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *warm = rig_attached(rig, 0);
    struct rig_state before;
    struct uiommu_domain *d;

    rig_drop(rig, 0, warm);
    before = rig_state(rig);
    d = attached_with(rig, 0, 0, page);
    uiommu_domain_put(d);
    assert_true(rig_reaches(rig, 0, 0, page));
    map_page(d, MIB(2), page);
    assert_true(rig_reaches(rig, 0, MIB(2), page));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, 0));
    rig_assert_same_seen(rig, &before);
}

static void
two_hundred_domains_in_a_row_show_nothing_of_each_other(struct rig *rig)
{
    uint64_t pages = rig_pages(rig, 1);

    for (unsigned i = 0; i < 200; i++) {
        uint64_t at = MIB(4) + (i % 2) * RIG_PAGE;
        uint64_t not = MIB(4) + (1 - i % 2) * RIG_PAGE;
        struct uiommu_domain *d = attached_with(rig, 0, at, pages);

        assert_int_equal(lands(rig, 0, at, UIOMMU_WRITE), pages);
        assert_int_equal(lands(rig, 0, not, UIOMMU_WRITE), NOWHERE);
        rig_drop(rig, 0, d);
        assert_int_equal(lands(rig, 0, at, UIOMMU_WRITE), NOWHERE);
    }
}

static void a_hundred_domains_live_side_by_side(struct rig *rig)
{
    enum { N = 100 };
    struct uiommu_domain *d[N];
    uint64_t pages = rig_pages(rig, 7);

    for (unsigned i = 0; i < N; i++) {
        d[i] = rig_domain(rig, 0);
        map_page(d[i], 0, pages + i * RIG_PAGE);
    }
    for (unsigned i = 0; i < N; i++) {
        set(rig, 0, d[i]);
        set(rig, 1, d[(i * 7 + 3) % N]);
        assert_int_equal(lands(rig, 0, 0, UIOMMU_READ), pages + i * RIG_PAGE);
        assert_int_equal(lands(rig, 1, 0, UIOMMU_READ),
                         pages + (i * 7 + 3) % N * RIG_PAGE);
    }
    set(rig, 1, uiommu_blocked(rig->u));
    set(rig, 0, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < N; i++)
        uiommu_domain_put(d[i]);
}

/* ---- which domains fit --------------------------------------------------- */

static void malformed_domain_configs_are_refused(struct rig *rig)
{
    const struct uiommu_domain_config good = { .size = sizeof(good) };
    struct uiommu_domain_config bad[6];
    struct rig_state before = rig_state(rig);

    for (unsigned i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].size = sizeof(good) - 1;
    bad[1].size = 0;
    bad[2].flags = 1;
    bad[3].iova_bits = 64;
    bad[4].page_sizes = RIG_PAGE | UINT64_C(1) << 13;
    bad[5].page_sizes = MIB(2);
    for (unsigned i = 0; i < 6; i++) {
        struct uiommu_domain *d = NULL;

        rig_is(uiommu_domain_create(rig_endpoint(rig, 0), &bad[i], &d),
               UIOMMU_INVAL);
        assert_null(d);
    }
    rig_assert_same(rig, &before);
}

static void try_width(struct rig *rig, uint8_t bits)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .iova_bits = bits };
    uint64_t limit = UINT64_C(1) << bits;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    rig_ok(uiommu_domain_create(rig_endpoint(rig, 0), &config, &d));
    assert_int_equal(last_iova(d), limit - 1);
    set(rig, 0, d);
    map_page(d, limit - RIG_PAGE, page);
    rig_is(uiommu_map(d, limit, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 0, limit - RIG_PAGE, page));
    assert_true(rig_refused(rig, 0, limit));
    rig_drop(rig, 0, d);
}

static void narrow_domains_end_where_they_say(struct rig *rig)
{
    struct uiommu_unit_info info;

    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    try_width(rig, info.iova_bits);
    try_width(rig, (uint8_t)(info.iova_bits - 1));
    try_width(rig, 39);
    try_width(rig, 32);
}

static void a_domain_of_another_instance_is_refused(struct rig *rig)
{
    struct rig other = { .config = rig->config, .setup = rig->setup };
    struct uiommu_domain *d;
    char error[128];

    other.m = sim_open(&other.config, error, sizeof(error));
    assert_non_null(other.m);
    rig_ok(rig_create(&other));
    rig_ok(uiommu_add_table(other.u, other.m->table, other.m->table_size));
    rig_ok(rig_start(&other));
    rig_add_all(&other);
    d = rig_domain(&other, 0);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_INVAL);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_identity(other.u), NULL),
        UIOMMU_INVAL);
    assert_true(rig_refused(rig, 0, 0));
    uiommu_domain_put(d);
    rig_down(&other);
    assert_int_equal(sim_close(other.m), 0);
}

/* ---- owners -------------------------------------------------------------- */

static void a_claimed_device_obeys_its_owner_only(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, 0, page);
    rig_ok(uiommu_claim(ep, OWNER));
    assert_true(rig_refused(rig, 0, 0));
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_PERM);
    rig_is(uiommu_set_domain(ep, d, OTHER), UIOMMU_PERM);
    rig_is(uiommu_claim(ep, OTHER), UIOMMU_PERM);
    rig_is(uiommu_release(ep, OTHER), UIOMMU_PERM);
    assert_true(rig_refused(rig, 0, 0));
    rig_ok(uiommu_set_domain(ep, d, OWNER));
    assert_true(rig_reaches(rig, 0, 0, page));
    assert_ptr_equal(uiommu_core_domain(ep), uiommu_blocked(rig->u));
    rig_ok(uiommu_release(ep, OWNER));
    assert_true(rig_refused(rig, 0, 0));
    rig_is(uiommu_set_domain(ep, d, OWNER), UIOMMU_PERM);
    uiommu_domain_put(d);
}

static void claims_are_counted(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_is(uiommu_release(ep, OWNER), UIOMMU_PERM);
    rig_ok(uiommu_claim(ep, OWNER));
    rig_ok(uiommu_claim(ep, OWNER));
    rig_ok(uiommu_release(ep, OWNER));
    rig_is(uiommu_claim(ep, OTHER), UIOMMU_PERM);
    rig_ok(uiommu_release(ep, OWNER));
    rig_is(uiommu_release(ep, OWNER), UIOMMU_PERM);
    rig_ok(uiommu_claim(ep, OTHER));
    rig_ok(uiommu_release(ep, OTHER));
}

static void only_a_device_at_rest_can_be_claimed(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d = rig_attached(rig, 0);

    rig_is(uiommu_claim(ep, NULL), UIOMMU_INVAL);
    rig_is(uiommu_release(ep, NULL), UIOMMU_INVAL);
    rig_is(uiommu_claim(ep, OWNER), UIOMMU_BUSY);
    set(rig, 0, uiommu_identity(rig->u));
    rig_is(uiommu_claim(ep, OWNER), UIOMMU_BUSY);
    rig_drop(rig, 0, d);
    rig_ok(uiommu_claim(ep, OWNER));
    rig_is(uiommu_device_remove(rig->device[rig_engine(rig, 0)]), UIOMMU_BUSY);
    rig_ok(uiommu_release(ep, OWNER));
}

static void null_arguments_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_domain *d;

    rig_is(uiommu_set_domain(ep, NULL, NULL), UIOMMU_INVAL);
    rig_is(uiommu_set_domain(NULL, uiommu_blocked(rig->u), NULL), UIOMMU_INVAL);
    rig_is(uiommu_domain_create(NULL, NULL, &d), UIOMMU_INVAL);
    rig_is(uiommu_domain_create(ep, NULL, NULL), UIOMMU_INVAL);
}

static const struct rig_test tests[] = {
    RIG_TEST(every_transition_shows_exactly_the_new_domain),
    RIG_TEST(a_device_behind_a_port_makes_every_transition),
    RIG_TEST_ON(a_unit_that_caches_holes_makes_every_transition,
                with_caching_mode),
    RIG_TEST(setting_the_same_domain_touches_no_hardware),
    RIG_TEST(a_failed_set_leaves_the_old_domain),
    RIG_TEST(the_first_set_of_a_device_fails_without_trace),
    RIG_TEST(blocking_allocates_nothing),
    RIG_TEST(two_devices_see_domains_of_their_own),
    RIG_TEST(leaving_a_shared_domain_does_not_touch_the_others),
    RIG_TEST(each_device_has_a_group_and_no_pasid),
    RIG_TEST(an_attachment_keeps_a_domain_that_was_put),
    RIG_TEST(two_hundred_domains_in_a_row_show_nothing_of_each_other),
    RIG_TEST(a_hundred_domains_live_side_by_side),
    RIG_TEST(malformed_domain_configs_are_refused),
    RIG_TEST(narrow_domains_end_where_they_say),
    RIG_TEST(a_domain_of_another_instance_is_refused),
    RIG_TEST(a_claimed_device_obeys_its_owner_only),
    RIG_TEST(claims_are_counted),
    RIG_TEST(only_a_device_at_rest_can_be_claimed),
    RIG_TEST(null_arguments_are_refused),
    { 0 },
};

int main(void)
{
    return rig_run("set", tests);
}
