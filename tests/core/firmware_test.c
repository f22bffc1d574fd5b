/* SPDX-License-Identifier: MIT */
/*
 * firmware_test.c - requesters that firmware's regions belong to (RMRR,
 * semantics B.10): they reach these before, during and after everything, and
 * nothing else.
 */
#include "fw/iort.h"
#include "tests/core/help.h"

#define BASE  GIB(2)
#define START MIB(32)
#define SIZE  (4 * (uint64_t)RIG_PAGE)
#define OTHER (START + MIB(4))

/* Rows of the default topology. */
enum { ENGINE0, ENGINE1, PORT, ENGINE2 };

static bool with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { START, SIZE, ENGINE0 } };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 1;
    return true;
}

static bool with_rmr(struct rig *rig, const char **why)
{
    *why = "a DMAR says nothing of privileges";
    return rig->config.mode >= SIM_STAGE_1 && with_region(rig, why);
}

/* Engine n reaches [start, start + size) one to one, and not a byte beside
 * it. */
static void assert_confined(struct rig *rig, unsigned n, uint64_t start,
                            uint64_t size)
{
    for (uint64_t at = start; at < start + size; at += RIG_PAGE)
        assert_true(rig_reaches(rig, n, at, at));
    assert_true(rig_reaches(rig, n, start + size - 8, start + size - 8));
    assert_true(rig_refused(rig, n, start - 8));
    assert_true(rig_refused(rig, n, start + size));
    assert_true(rig_refused(rig, n, 0));
    assert_true(rig_refused(rig, n, MIB(1)));
    assert_true(rig_refused(rig, n, BASE));
}

static bool is_one_to_one(struct uiommu_domain *d, uint64_t iova)
{
    struct uiommu_trace t;

    return uiommu_walk(d, iova, &t) == UIOMMU_OK && t.phys == iova &&
           t.flags == RIG_RW;
}

static bool is_hole(struct uiommu_domain *d, uint64_t iova)
{
    struct uiommu_trace t;

    return uiommu_walk(d, iova, &t) == UIOMMU_NOENT;
}

/* ---- before anybody added it --------------------------------------------- */

static void a_requester_keeps_its_region_when_units_start(struct rig *rig)
{
    up_to_start(rig);
    assert_confined(rig, 0, START, SIZE);
    assert_true(rig_refused(rig, 1, START));
    assert_true(rig_refused(rig, 2, START));
}

static void adding_the_device_changes_nothing_it_sees(struct rig *rig)
{
    struct uiommu_domain_info info;
    struct uiommu_endpoint *ep;

    up_to_start(rig);
    assert_true(rig_reaches(rig, 0, START, START));
    rig_add_all(rig);
    ep = rig_endpoint(rig, 0);
    assert_confined(rig, 0, START, SIZE);
    uiommu_domain_info(uiommu_core_domain(ep), &info);
    assert_int_equal(info.kind, UIOMMU_DOMAIN_PAGING);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_ptr_equal(uiommu_core_domain(rig_endpoint(rig, 1)),
                     uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 1, START));
}

/* Pass-through until the switch; from then on, only the region. */
struct during {
    struct rig *rig;
    unsigned looked, region_lost, came_back;
    bool confined[2];
};

static void look_at(struct during *s, unsigned n, uint64_t iova)
{
    bool passes = lands(s->rig, n, iova, UIOMMU_WRITE) == iova;

    if (!passes)
        s->confined[n] = true;
    else if (s->confined[n])
        s->came_back++;
}

static void look_during(void *ctx)
{
    struct during *s = ctx;

    s->looked++;
    if (lands(s->rig, 0, START, UIOMMU_WRITE) != START ||
        lands(s->rig, 0, START + SIZE - 1, UIOMMU_READ) != START + SIZE - 1)
        s->region_lost++;
    look_at(s, 0, START + SIZE);
    look_at(s, 1, START);
}

static void start_never_takes_the_region_away(struct rig *rig)
{
    struct during s = { .rig = rig };

    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_watch(rig, look_during, &s);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    look_during(&s);
    rig_watch(rig, NULL, NULL);
    assert_true(s.looked > 10);
    assert_int_equal(s.region_lost, 0);
    assert_int_equal(s.came_back, 0);
    assert_true(s.confined[0] && s.confined[1]);
    assert_confined(rig, 0, START, SIZE);
}

static enum uiommu_status whole_start(struct rig *rig, void *ctx)
{
    enum uiommu_status status = rig_create(rig);

    (void)ctx;
    if (status != UIOMMU_OK)
        return status;
    status = uiommu_add_table(rig->u, rig->m->table, rig->m->table_size);
    if (status == UIOMMU_OK)
        status = rig_start(rig);
    if (status != UIOMMU_OK)
        rig_down(rig);
    return status;
}

static void whole_stop(struct rig *rig, void *ctx)
{
    (void)ctx;
    assert_confined(rig, 0, START, SIZE);
    rig_down(rig);
}

static void a_start_that_fails_leaves_nothing(struct rig *rig)
{
    rig_each_failure(rig, whole_start, whole_stop, NULL, UIOMMU_NODEV);
}

static void the_region_outlives_remove_and_add(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);

    for (unsigned i = 0; i < 2; i++) {
        assert_confined(rig, 0, START, SIZE);
        rig_ok(uiommu_device_remove(rig->device[dev]));
        rig->device[dev] = NULL;
        rig_ok(rig_add(rig, dev));
    }
    assert_confined(rig, 0, START, SIZE);
}

/* ---- other domains ------------------------------------------------------- */

static void a_paging_domain_gets_the_region_one_to_one(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    map_page(d, BASE, page);
    set(rig, 1, d);
    assert_true(is_hole(d, START)); /* engine 1 has no region */
    set(rig, 0, d);
    for (uint64_t at = START; at < START + SIZE; at += RIG_PAGE)
        assert_true(is_one_to_one(d, at));
    assert_true(is_hole(d, START - RIG_PAGE) && is_hole(d, START + SIZE));
    assert_true(rig_reaches(rig, 0, START, START));
    assert_true(rig_reaches(rig, 0, BASE, page));
    set(rig, 0, uiommu_core_domain(ep));
    assert_confined(rig, 0, START, SIZE);
    set(rig, 1, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
}

static void make_privileged(struct table *t)
{
    const struct acpi_iort_rmr_flags_fields flags = {
        .access_privilege = 1,
        .access_attributes = IORT_RMR_NORMAL_IWB_OWB,
    };
    struct uim_iort_node node = { 0 };

    while (node.type != IORT_NODE_RMR)
        assert_true(uim_iort_next(t->bytes, &node));
    t->bytes[node.offset + acpi_iort_rmr_flags_OFFSET] =
        (uint8_t)acpi_iort_rmr_flags_pack(&flags).raw;
}

/* Stage 2 does not tell privileges apart: any access reaches it there. Of those without
 * a PASID none is privileged. */
static void is_privileged(struct rig *rig, struct uiommu_domain *d)
{
    assert_true(is_one_to_one(d, START));
    assert_true(is_one_to_one(d, START + SIZE - RIG_PAGE));
    assert_true(is_hole(d, START + SIZE));
    if (rig->config.mode == SIM_STAGE_2)
        assert_confined(rig, 0, START, SIZE);
    else
        assert_true(rig_refused(rig, 0, START));
}

static void a_region_for_privileged_accesses_is_mapped(struct rig *rig)
{
    struct uiommu_domain *d;
    struct table t;

    table_copy(rig, &t);
    make_privileged(&t);
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    is_privileged(rig, uiommu_core_domain(rig_endpoint(rig, 0)));
    d = rig_attached(rig, 0);
    is_privileged(rig, d);
    set(rig, 0, uiommu_core_domain(rig_endpoint(rig, 0)));
    uiommu_domain_put(d);
}

static void blocked_and_identity_are_what_they_say(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 0, START));
    set(rig, 0, uiommu_identity(rig->u));
    assert_true(rig_reaches(rig, 0, START, START));
    assert_true(rig_reaches(rig, 0, page, page));
    set(rig, 0, uiommu_core_domain(ep));
    assert_confined(rig, 0, START, SIZE);
}

static void a_domain_that_conflicts_is_refused(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct rig_state before;

    map_page(d, START + 2 * RIG_PAGE, page);
    set(rig, 1, d);
    before = rig_state(rig);
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_INVAL);
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_true(is_hole(d, START) && is_hole(d, START + RIG_PAGE));
    assert_true(is_hole(d, START + 3 * RIG_PAGE));
    assert_true(rig_refused(rig, 1, START));
    assert_true(rig_reaches(rig, 1, START + 2 * RIG_PAGE, page));
    assert_confined(rig, 0, START, SIZE);
    rig_ok(uiommu_unmap(d, START + 2 * RIG_PAGE, RIG_PAGE, NULL));
    (void)before;
    set(rig, 0, d);
    assert_true(
        rig_reaches(rig, 0, START + 2 * RIG_PAGE, START + 2 * RIG_PAGE));
    set(rig, 0, uiommu_core_domain(ep));
    rig_drop(rig, 1, d);
}

static void what_is_one_to_one_already_stays_when_a_set_fails(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    map_page(d, START + RIG_PAGE, START + RIG_PAGE);
    map_page(d, START + 3 * RIG_PAGE, page);
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_INVAL);
    assert_true(is_hole(d, START));
    assert_true(is_one_to_one(d, START + RIG_PAGE));
    assert_true(is_hole(d, START + 2 * RIG_PAGE));
    assert_confined(rig, 0, START, SIZE);
    uiommu_domain_put(d);
}

struct change {
    struct uiommu_domain *d;
};

static enum uiommu_status set_fresh(struct rig *rig, void *ctx)
{
    struct change *c = ctx;
    enum uiommu_status status;

    status = uiommu_domain_create(rig_endpoint(rig, 0), NULL, &c->d);
    if (status != UIOMMU_OK)
        return status;
    status = uiommu_set_domain(rig_endpoint(rig, 0), c->d, NULL);
    if (status != UIOMMU_OK) {
        assert_true(is_hole(c->d, START));
        assert_true(rig_reaches(rig, 0, START, START));
        uiommu_domain_put(c->d);
    }
    return status;
}

static void set_back(struct rig *rig, void *ctx)
{
    struct change *c = ctx;

    assert_confined(rig, 0, START, SIZE);
    set(rig, 0, uiommu_core_domain(rig_endpoint(rig, 0)));
    uiommu_domain_put(c->d);
}

static void a_set_that_fails_takes_the_regions_out_again(struct rig *rig)
{
    struct change c;

    rig_each_failure(rig, set_fresh, set_back, &c, UIOMMU_NOMEM);
    assert_confined(rig, 0, START, SIZE);
}

/* D-74. */
static void a_device_with_a_region_cannot_be_claimed(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);

    rig_is(uiommu_claim(ep, rig), UIOMMU_INVAL);
    assert_confined(rig, 0, START, SIZE);
    set(rig, 0, uiommu_blocked(rig->u));
    rig_is(uiommu_claim(ep, rig), UIOMMU_INVAL);
    set(rig, 0, uiommu_core_domain(ep));
    assert_confined(rig, 0, START, SIZE);
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), rig));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), rig));
}

/* ---- several regions ----------------------------------------------------- */

static bool with_overlap(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { START, SIZE, ENGINE0 },
        { START + SIZE / 2, SIZE, ENGINE0 },
        { OTHER, RIG_PAGE, ENGINE0 },
        { START + SIZE / 2, SIZE, ENGINE1 },
    };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 4;
    return true;
}

static void regions_that_overlap_are_one(struct rig *rig)
{
    up_to_start(rig);
    assert_confined(rig, 0, START, SIZE + SIZE / 2);
    assert_confined(rig, 0, OTHER, RIG_PAGE);
    assert_confined(rig, 1, START + SIZE / 2, SIZE);
    assert_true(rig_refused(rig, 1, OTHER));
    rig_add_all(rig);
    assert_confined(rig, 0, START, SIZE + SIZE / 2);
    assert_confined(rig, 1, START + SIZE / 2, SIZE);
}

static void two_devices_bring_their_regions_into_one_domain(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);

    set(rig, 0, d);
    set(rig, 1, d);
    assert_confined(rig, 0, OTHER, RIG_PAGE);
    assert_true(rig_reaches(rig, 1, OTHER, OTHER)); /* one domain, one view */
    assert_true(rig_reaches(rig, 1, START, START));
    set(rig, 0, uiommu_core_domain(rig_endpoint(rig, 0)));
    set(rig, 1, uiommu_core_domain(rig_endpoint(rig, 1)));
    assert_true(rig_refused(rig, 1, OTHER));
    uiommu_domain_put(d);
}

static bool behind_a_port(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { START, SIZE, ENGINE2 } };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = 1;
    return true;
}

static void a_requester_behind_a_port_keeps_its_region(struct rig *rig)
{
    struct uiommu_domain *core;

    up_to_start(rig);
    assert_confined(rig, 2, START, SIZE);
    assert_true(rig_refused(rig, 0, START));
    rig_add_all(rig);
    assert_confined(rig, 2, START, SIZE);
    core = uiommu_core_domain(rig_endpoint(rig, 2));
    set(rig, 2, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 2, START));
    set(rig, 2, core);
    assert_confined(rig, 2, START, SIZE);
}

static void the_region_is_there_again_after_a_sleep(struct rig *rig)
{
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_confined(rig, 0, START, SIZE);
    assert_true(rig_refused(rig, 1, START));
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(a_requester_keeps_its_region_when_units_start, with_region),
    RIG_COLD_ON(adding_the_device_changes_nothing_it_sees, with_region),
    RIG_COLD_ON(start_never_takes_the_region_away, with_region),
    RIG_COLD_ON(a_start_that_fails_leaves_nothing, with_region),
    RIG_TEST_ON(the_region_outlives_remove_and_add, with_region),
    RIG_TEST_ON(a_paging_domain_gets_the_region_one_to_one, with_region),
    RIG_TEST_ON(blocked_and_identity_are_what_they_say, with_region),
    RIG_TEST_ON(a_domain_that_conflicts_is_refused, with_region),
    RIG_TEST_ON(what_is_one_to_one_already_stays_when_a_set_fails, with_region),
    RIG_TEST_ON(a_set_that_fails_takes_the_regions_out_again, with_region),
    RIG_TEST_ON(a_device_with_a_region_cannot_be_claimed, with_region),
    RIG_COLD_ON(regions_that_overlap_are_one, with_overlap),
    { .name = "two_devices_bring_their_regions_into_one_domain",
      .run = two_devices_bring_their_regions_into_one_domain,
      .prepare = with_overlap,
      .once =
          "a region that is taken out again leaves empty tables: others may "
          "be mapping below them" },
    RIG_COLD_ON(a_requester_behind_a_port_keeps_its_region, behind_a_port),
    RIG_TEST_ON(the_region_is_there_again_after_a_sleep, with_region),
    RIG_COLD_ON(a_region_for_privileged_accesses_is_mapped, with_rmr),
    { 0 },
};

int main(void)
{
    return rig_run("firmware", tests);
}
