/* SPDX-License-Identifier: MIT */
/*
 * quality_test.c - units that stop DMA in other ways than by an entry that refuses, or not
 * at all (semantics A.S1), and one whose tags no request carries (S3.37). All of them are
 * scripted.
 */
#include "tests/core/scripted.h"

static const char OWNER[] = "owner";

#define BASE GIB(2)

static void set_to(struct script *s, unsigned dev, struct uiommu_domain *d)
{
    rig_ok(uiommu_set_domain(scripted_endpoint(s, dev), d, NULL));
}

/* A domain with one page in it. */
static struct uiommu_domain *domain_with(struct script *s, uint64_t phys)
{
    struct uiommu_domain *d;

    rig_ok(uiommu_domain_create(scripted_endpoint(s, 0), NULL, &d));
    map_page(d, BASE, phys);
    return d;
}

static struct uiommu_mode mode(struct script *s, unsigned dev)
{
    struct uiommu_mode m;

    rig_ok(uiommu_effective_mode(scripted_endpoint(s, dev), &m));
    return m;
}

/* ---- what is said ------------------------------------------------------------------ */

/* S1.13 */
static void rests_on(struct script *s, struct uiommu_domain *domain)
{
    struct uiommu_endpoint *ep = scripted_endpoint(s, 0);
    struct uiommu_domain_info info;

    uiommu_domain_info(domain, &info);
    assert_ptr_equal(uiommu_core_domain(ep), domain);
    assert_ptr_equal(uiommu_endpoint_domain(ep), domain);
    assert_int_equal(mode(s, 0).sees, info.kind);
}

static void each_quality_is_told(void **state)
{
    (void)state;
    for (unsigned q = UIOMMU_BLOCK_ABORT; q <= UIOMMU_BLOCK_NONE; q++) {
        struct script s = { .quality = (enum uiommu_block_quality)q };
        struct uiommu_unit_info info;

        scripted_open(&s);
        rig_ok(uiommu_unit_info(s.u, 0, &info));
        assert_int_equal(info.block_quality, q);
        assert_int_equal(mode(&s, 0).block_quality, q);
        rests_on(&s, q == UIOMMU_BLOCK_NONE ? uiommu_identity(s.u)
                                            : uiommu_blocked(s.u));
        scripted_close(&s);
    }
}

static void whoever_does_not_say_is_not_used(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_UNSAID };

    (void)state;
    scripted_machine(&s);
    rig_is(scripted_try(&s), UIOMMU_OPNOTSUPP);
    s.quality = UIOMMU_BLOCK_NONE;
    s.no_identity = true;
    rig_is(scripted_try(&s), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(s.m), "neither stop DMA nor let it pass");
    s.quality = UIOMMU_BLOCK_EMPTY;
    rig_ok(scripted_try(&s));
    scripted_close(&s);
}

/* ---- who may be claimed ---------------------------------------------------------------- */

static void claim(enum uiommu_block_quality quality,
                  enum uiommu_block_quality least)
{
    const enum uiommu_block_quality asked =
        least == UIOMMU_BLOCK_UNSAID ? UIOMMU_BLOCK_EMPTY : least;
    struct script s = {
        .quality = quality,
        .config = { .flags = UIOMMU_CONFIG_UNSAFE_INTERRUPTS,
                    .block_quality = least },
    };

    scripted_open(&s);
    if (quality <= asked) {
        rig_ok(uiommu_claim(scripted_endpoint(&s, 0), OWNER));
        assert_int_equal(mode(&s, 0).owned_by, UIOMMU_OWNED_BY_USER);
        rig_ok(uiommu_release(scripted_endpoint(&s, 0), OWNER));
    } else {
        rig_is(uiommu_claim(scripted_endpoint(&s, 0), OWNER), UIOMMU_OPNOTSUPP);
        assert_says(sim_last_log(s.m),
                    quality == UIOMMU_BLOCK_NONE   ? "cannot stop its DMA"
                    : quality == UIOMMU_BLOCK_SINK ? "scratch page"
                                                   : "no entry that refuses");
        assert_int_equal(mode(&s, 0).owned_by, UIOMMU_OWNED_BY_NOBODY);
    }
    scripted_close(&s);
}

static void devices_are_claimed_where_they_can_be_stopped(void **state)
{
    (void)state;
    for (unsigned q = UIOMMU_BLOCK_ABORT; q <= UIOMMU_BLOCK_NONE; q++)
        for (unsigned l = UIOMMU_BLOCK_UNSAID; l <= UIOMMU_BLOCK_NONE; l++)
            claim((enum uiommu_block_quality)q, (enum uiommu_block_quality)l);
}

/* ---- what blocked is ---------------------------------------------------------------------- */

static void every_move(struct script *s, uint64_t refused)
{
    struct uiommu_domain *d = domain_with(s, MIB(1));
    struct uiommu_domain *const all[] = { uiommu_blocked(s->u),
                                          uiommu_identity(s->u), d };
    const uint64_t lands[] = { refused, BASE, MIB(1) };

    assert_int_equal(scripted_lands(s, 0, BASE), refused);
    for (unsigned from = 0; from < 3; from++)
        for (unsigned to = 0; to < 3; to++) {
            set_to(s, 0, all[from]);
            assert_int_equal(scripted_lands(s, 0, BASE), lands[from]);
            set_to(s, 0, all[to]);
            assert_int_equal(scripted_lands(s, 0, BASE), lands[to]);
            assert_ptr_equal(uiommu_endpoint_domain(scripted_endpoint(s, 0)),
                             all[to]);
        }
    set_to(s, 0, all[0]);
    assert_int_equal(scripted_lands(s, 0, BASE), refused);
    uiommu_domain_put(d);
}

static void blocked_is_as_good_as_the_unit(void **state)
{
    (void)state;
    for (unsigned q = UIOMMU_BLOCK_ABORT; q <= UIOMMU_BLOCK_SINK; q++) {
        struct script s = { .quality = (enum uiommu_block_quality)q };

        scripted_open(&s);
        every_move(&s, q == UIOMMU_BLOCK_SINK ? SCRIPT_SINK : NOWHERE);
        assert_int_equal(s.asked_to_block > 0, q == UIOMMU_BLOCK_ABORT);
        assert_int_equal(s.unit->nothing != NULL, q != UIOMMU_BLOCK_ABORT);
        scripted_close(&s);
    }
}

/* The next call of the host that can fail does not come. */
static void to_block_takes_nothing(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_EMPTY };
    struct uiommu_domain *d;

    (void)state;
    scripted_open(&s);
    d = domain_with(&s, MIB(1));
    set_to(&s, 0, d);
    sim_fail_nth(s.m, 1);
    set_to(&s, 0, uiommu_blocked(s.u));
    assert_int_equal(sim_failed(s.m), 0);
    set_to(&s, 1, uiommu_identity(s.u));
    set_to(&s, 1, uiommu_blocked(s.u));
    assert_int_equal(sim_failed(s.m), 0);
    sim_fail_nth(s.m, 0);
    assert_int_equal(scripted_lands(&s, 0, BASE), NOWHERE);
    uiommu_domain_put(d);
    scripted_close(&s);
}

/* What its entry leads to outlives it. */
static void a_device_that_went_is_stopped(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_EMPTY };
    struct uiommu_domain *d;

    (void)state;
    scripted_open(&s);
    d = domain_with(&s, MIB(1));
    set_to(&s, 1, d);
    rig_ok(uiommu_device_remove(s.device[1]));
    s.device[1] = NULL;
    uiommu_domain_put(d);
    assert_ptr_equal(s.entry[1][0], s.unit->nothing);
    assert_int_equal(scripted_lands(&s, 1, BASE), NOWHERE);
    scripted_close(&s);
}

static void whoever_is_cut_sees_nothing(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_EMPTY };
    struct uiommu_domain *d;

    (void)state;
    scripted_open(&s);
    d = domain_with(&s, MIB(1));
    set_to(&s, 0, d);
    s.silent = true;
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_true(s.n_cuts > 0);
    assert_int_equal(scripted_lands(&s, 0, BASE), NOWHERE);
    assert_true(mode(&s, 0).quarantined);
    assert_int_equal(mode(&s, 0).sees, UIOMMU_DOMAIN_BLOCKED);
    s.silent = false;
    uiommu_domain_put(d);
    scripted_close(&s);
}

/* At each call of the host in turn. */
static void a_start_that_fails_leaves_nothing(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_SINK };
    enum uiommu_status status = UIOMMU_NOMEM;

    (void)state;
    scripted_machine(&s);
    for (unsigned nth = 1; status != UIOMMU_OK; nth++) {
        struct sim_counts c;

        assert_true(nth < 100);
        sim_fail_nth(s.m, nth);
        status = scripted_try(&s);
        sim_fail_nth(s.m, 0);
        sim_counts(s.m, &c);
        if (status != UIOMMU_OK)
            assert_int_equal(c.allocs + c.pages + c.spins + c.mutexes, 0);
    }
    scripted_close(&s);
}

/* ---- none at all ------------------------------------------------------------------------ */

static void what_cannot_be_stopped_is_not_said_to_be(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_NONE };
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;
    unsigned sets;

    (void)state;
    scripted_open(&s);
    ep = scripted_endpoint(&s, 0);
    assert_int_equal(mode(&s, 0).sees, UIOMMU_DOMAIN_IDENTITY);
    assert_ptr_equal(uiommu_core_domain(ep), uiommu_identity(s.u));
    assert_int_equal(scripted_lands(&s, 0, BASE), BASE);
    d = domain_with(&s, MIB(1));
    set_to(&s, 0, d);
    sets = s.n_sets;
    rig_is(uiommu_set_domain(ep, uiommu_blocked(s.u), NULL), UIOMMU_OPNOTSUPP);
    assert_int_equal(s.n_sets, sets);
    assert_ptr_equal(uiommu_endpoint_domain(ep), d);
    assert_int_equal(scripted_lands(&s, 0, BASE), MIB(1));
    set_to(&s, 0, uiommu_identity(s.u));
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_stop(ep));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_identity(s.u));
    set_to(&s, 0, d);
    rig_ok(uiommu_device_remove(s.device[0]));
    s.device[0] = NULL;
    assert_int_equal(scripted_lands(&s, 0, BASE), BASE);
    uiommu_domain_put(d);
    assert_int_equal(s.asked_to_block, 0);
    scripted_close(&s);
}

static void who_is_cut_in_vain_is_said_to_pass(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_NONE };
    struct uiommu_domain *d;

    (void)state;
    scripted_open(&s);
    d = domain_with(&s, MIB(1));
    set_to(&s, 0, d);
    s.silent = true;
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    assert_true(mode(&s, 0).quarantined && mode(&s, 0).unit_broken);
    assert_int_equal(mode(&s, 0).sees, UIOMMU_DOMAIN_IDENTITY);
    s.silent = false;
    uiommu_domain_put(d);
    scripted_close(&s);
}

/* ---- tags ---------------------------------------------------------------------------------- */

static struct uiommu_endpoint *tagged(struct script *s, unsigned dev)
{
    struct uiommu_endpoint *ep;

    rig_ok(uiommu_pasid_create(scripted_endpoint(s, dev), NULL, &ep));
    return ep;
}

static uint64_t lands_tagged(struct script *s, unsigned dev, uint32_t tag)
{
    s->tag[dev] = tag;
    return scripted_lands(s, dev, BASE);
}

/* The device says in a register whose work it does, and the unit looks there. */
static void contexts_in_a_register(struct script *s)
{
    struct uiommu_endpoint *a, *b;
    struct uiommu_domain *d[3];
    uint32_t last, tag[2];

    scripted_open(s);
    rig_ok(uiommu_pasid_last(scripted_endpoint(s, 0), &last));
    assert_int_equal(last, 7);
    a = tagged(s, 0);
    b = tagged(s, 0);
    tag[0] = uiommu_endpoint_pasid(a);
    tag[1] = uiommu_endpoint_pasid(b);
    assert_true(tag[0] != tag[1]);
    for (unsigned i = 0; i < 3; i++)
        d[i] = domain_with(s, MIB(1 + i));
    set_to(s, 0, d[0]);
    assert_int_equal(lands_tagged(s, 0, tag[0]), NOWHERE);
    rig_ok(uiommu_set_domain(a, d[1], NULL));
    rig_ok(uiommu_set_domain(b, d[2], NULL));
    assert_int_equal(lands_tagged(s, 0, 0), MIB(1));
    assert_int_equal(lands_tagged(s, 0, tag[0]), MIB(2));
    assert_int_equal(lands_tagged(s, 0, tag[1]), MIB(3));
    assert_int_equal(lands_tagged(s, 1, tag[1]), NOWHERE);
    rig_ok(uiommu_unmap(d[1], BASE, RIG_PAGE, NULL));
    assert_int_equal(lands_tagged(s, 0, tag[0]), NOWHERE);
    assert_int_equal(lands_tagged(s, 0, tag[1]), MIB(3));
    rig_ok(uiommu_pasid_destroy(b, true));
    assert_int_equal(lands_tagged(s, 0, tag[1]), NOWHERE);
    assert_int_equal(lands_tagged(s, 0, 0), MIB(1));
    rig_ok(uiommu_pasid_destroy(a, true));
    for (unsigned i = 0; i < 3; i++)
        set_to(s, 0, uiommu_blocked(s->u)), uiommu_domain_put(d[i]);
    scripted_close(s);
}

static void a_tag_in_a_register_is_a_pasid(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT,
                        .own_tags = true,
                        .pasid_bits = 3 };

    (void)state;
    contexts_in_a_register(&s);
}

/* No capability of PCI, and no way that requests take, has a say. */
static void without_a_register_the_device_needs_pasids(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT, .pasid_bits = 3 };
    uint32_t last;

    (void)state;
    scripted_open(&s);
    rig_is(uiommu_pasid_last(scripted_endpoint(&s, 0), &last),
           UIOMMU_OPNOTSUPP);
    scripted_close(&s);
}

/* Each tag has its link to what stands for blocked, which stays with the entry. */
static void a_tag_is_blocked_by_a_domain_too(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_EMPTY,
                        .own_tags = true,
                        .link_by_pasid = true,
                        .pasid_bits = 3 };

    (void)state;
    contexts_in_a_register(&s);
    assert_int_equal(s.asked_to_block, 0);
}

static void whoever_cannot_be_stopped_has_no_tags(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_NONE,
                        .own_tags = true,
                        .pasid_bits = 3 };
    uint32_t last;

    (void)state;
    scripted_open(&s);
    rig_is(uiommu_pasid_last(scripted_endpoint(&s, 0), &last),
           UIOMMU_OPNOTSUPP);
    scripted_close(&s);
}

/* A driver's own DMA, in a context beside that of the rest. */
static void a_driver_uses_a_tag(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT,
                        .own_tags = true,
                        .pasid_bits = 3 };
    struct uiommu_endpoint *ep;
    uint64_t iova;

    (void)state;
    scripted_open(&s);
    ep = tagged(&s, 0);
    rig_ok(uiommu_dma_start(ep, NULL));
    rig_ok(uiommu_dma_map(ep, MIB(1), RIG_PAGE, RIG_RW, &iova));
    s.tag[0] = uiommu_endpoint_pasid(ep);
    assert_int_equal(scripted_lands(&s, 0, iova), MIB(1));
    s.tag[0] = 0;
    assert_int_equal(scripted_lands(&s, 0, iova), NOWHERE);
    rig_ok(uiommu_dma_unmap(ep, iova, RIG_PAGE));
    rig_ok(uiommu_dma_stop(ep));
    rig_ok(uiommu_pasid_destroy(ep, true));
    scripted_close(&s);
}

/* ---- audit ---------------------------------------------------------------------------- */

static void count_rows(void *ctx, const struct uiommu_audit *row)
{
    unsigned *n = ctx;

    assert_int_equal(row->kind, UIOMMU_AUDIT_UNABLE);
    assert_string_equal(row->driver, "scripted");
    assert_says(row->text, "cannot be audited");
    ++*n;
}

static void whoever_does_not_tell_its_tables_is_not_audited(void **state)
{
    struct script s = { .quality = UIOMMU_BLOCK_ABORT };
    unsigned n = 0;

    (void)state;
    scripted_open(&s);
    rig_ok(uiommu_audit(s.u, count_rows, &n));
    assert_int_equal(n, 1);
    scripted_close(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_quality_is_told),
        cmocka_unit_test(whoever_does_not_say_is_not_used),
        cmocka_unit_test(devices_are_claimed_where_they_can_be_stopped),
        cmocka_unit_test(blocked_is_as_good_as_the_unit),
        cmocka_unit_test(to_block_takes_nothing),
        cmocka_unit_test(a_device_that_went_is_stopped),
        cmocka_unit_test(whoever_is_cut_sees_nothing),
        cmocka_unit_test(a_start_that_fails_leaves_nothing),
        cmocka_unit_test(what_cannot_be_stopped_is_not_said_to_be),
        cmocka_unit_test(who_is_cut_in_vain_is_said_to_pass),
        cmocka_unit_test(a_tag_in_a_register_is_a_pasid),
        cmocka_unit_test(without_a_register_the_device_needs_pasids),
        cmocka_unit_test(a_tag_is_blocked_by_a_domain_too),
        cmocka_unit_test(whoever_cannot_be_stopped_has_no_tags),
        cmocka_unit_test(a_driver_uses_a_tag),
        cmocka_unit_test(whoever_does_not_tell_its_tables_is_not_audited),
    };

    return cmocka_run_group_tests_name("quality", tests, NULL, NULL);
}
