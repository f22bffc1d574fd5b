/* SPDX-License-Identifier: MIT */
/*
 * group_firmware_test.c - groups of devices that must reach memory of firmware's, and
 * groups of which some were found translating (semantics B.9, B.10, B.23).
 */
#include "tests/core/handover.h"

#include "tests/core/groups.h"

#include "core/core.h"

static const char owner_cookie;
#define OWNER (&owner_cookie)

#define START  MIB(32)
#define SECOND MIB(40)
#define SIZE   (2 * (uint64_t)RIG_PAGE)

static const struct sim_region of_c[] = { { START, SIZE, SW_C } };
static const struct sim_region of_a_and_c[] = { { START, SIZE, SW_A },
                                                { SECOND, SIZE, SW_C } };
static const struct sim_region of_old0[] = { { START, SIZE, OLD0 } };
static const struct sim_region of_f1[] = { { START, SIZE, F1 } };
static const struct sim_region of_f0_and_f2[] = { { START, SIZE, F0 },
                                                  { SECOND, SIZE, F2 } };

#define REGIONS(rig, rows)                                                     \
    ((rig)->config.regions = (rows),                                           \
     (rig)->config.n_regions = sizeof(rows) / sizeof((rows)[0]))

static bool with_region_of_c(struct rig *rig, const char **why)
{
    REGIONS(rig, of_c);
    return with_no_acs(rig, why);
}

static bool with_regions_of_a_and_c(struct rig *rig, const char **why)
{
    REGIONS(rig, of_a_and_c);
    return with_no_acs(rig, why);
}

static bool with_region_of_old0(struct rig *rig, const char **why)
{
    REGIONS(rig, of_old0);
    return with_bridge(rig, why);
}

static bool with_regions_of_f0_and_f2(struct rig *rig, const char **why)
{
    REGIONS(rig, of_f0_and_f2);
    return with_go_between(rig, why);
}

static void assert_one_to_one(struct rig *rig, unsigned n, uint64_t start)
{
    assert_true(rig_reaches(rig, n, start, start));
    assert_true(rig_reaches(rig, n, start + SIZE - 8, start + SIZE - 8));
    assert_true(rig_refused(rig, n, start + SIZE));
    assert_true(rig_refused(rig, n, start - 8));
}

/* ---- at rest -------------------------------------------------------------------- */

/* Firmware's table names the device, and nothing of what bridges do to its requests. */
static void a_region_is_reached_through_a_bridge(struct rig *rig)
{
    uint16_t made = (uint16_t)(rig->m->devices[OLD0].pci.bus << 8);

    up_to_start(rig);
    assert_true(
        reaches_as(rig, ENGINE_BESIDE, rid_of(rig, OLD0), START, START));
    add_devices(rig, PORT, BESIDE);
    assert_groups(rig, "01114");
    assert_one_to_one(rig, ENGINE_OLD0, START);
    assert_one_to_one(rig, ENGINE_OLD1, START);
    assert_true(reaches_as(rig, ENGINE_BESIDE, made, START, START));
    assert_true(rig_refused(rig, ENGINE_BESIDE, START));
    assert_ptr_equal(sees(rig, BRIDGE), sees(rig, OLD0));
    assert_ptr_equal(sees(rig, OLD1),
                     uiommu_core_domain(endpoint_of(rig, OLD0)));
    rig_is(uiommu_claim(endpoint_of(rig, OLD1), OWNER), UIOMMU_INVAL);
    rig_is(uiommu_claim(endpoint_of(rig, BRIDGE), OWNER), UIOMMU_INVAL);
}

static void groups_that_become_one_reach_the_regions_of_both(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up_to_start(rig);
    assert_one_to_one(rig, 0, START);
    assert_one_to_one(rig, 2, SECOND);
    add_devices(rig, SW_PORT, SW_C);
    for (unsigned n = 0; n < 3; n++) {
        assert_one_to_one(rig, n, START);
        assert_one_to_one(rig, n, SECOND);
        rig_is(uiommu_claim(rig_endpoint(rig, n), OWNER), UIOMMU_INVAL);
    }
    d = attached_with(rig, 1, BASE, page);
    for (unsigned n = 0; n < 3; n++) {
        assert_one_to_one(rig, n, START);
        assert_one_to_one(rig, n, SECOND);
        assert_true(rig_reaches(rig, n, BASE, page));
    }
    remove_device(rig, SW_C);
    assert_true(rig_refused(rig, 2, SECOND));
    assert_one_to_one(rig, 0, SECOND);
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0),
                             uiommu_core_domain(rig_endpoint(rig, 0)), NULL));
    assert_one_to_one(rig, 1, SECOND);
    uiommu_domain_put(d);
    rig_ok(rig_add(rig, SW_C));
    assert_one_to_one(rig, 2, START);
}

/* ---- requesters with one id -------------------------------------------------------- */

static const struct uim_fw_ops *fw_of_one;

/* The table gives f2 the id of f0, as it may of what is behind one translator. */
static enum uiommu_status one_id(const void *table,
                                 const struct uim_fw_device *device,
                                 unsigned index, unsigned *unit, uint32_t *id)
{
    struct uim_fw_device f0 = *device;

    if (device->acpi_path || device->pci.devfn != go_between[F2].devfn)
        return fw_of_one->owner(table, device, index, unit, id);
    f0.pci.devfn = go_between[F0].devfn;
    return fw_of_one->owner(table, &f0, index, unit, id);
}

/* What the caller has must outlive the instance. */
struct one {
    struct uiommu_driver driver;
    struct uim_fw_ops fw;
};

static void start_with_one_id(struct rig *rig, struct one *one)
{
    const struct uiommu_driver *const drivers[] = { &one->driver };

    one->driver = *rig_arch(rig)->driver;
    fw_of_one = one->driver.fw;
    one->fw = *fw_of_one;
    one->fw.owner = one_id;
    one->driver.fw = &one->fw;
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(uiommu_start(rig->u, drivers, 1));
    rig->started = true;
}

static void requesters_that_share_an_id_share_their_regions(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;
    struct one one;

    start_with_one_id(rig, &one);
    assert_one_to_one(rig, 0, START);
    assert_one_to_one(rig, 0, SECOND);
    assert_true(rig_refused(rig, 2, SECOND)); /* it has not that id */
    rig_ok(rig_add(rig, F2));
    rig_ok(rig_add(rig, F0));
    assert_groups(rig, "0-0-");
    assert_ptr_equal(endpoint_of(rig, F0), endpoint_of(rig, F2));
    rig_is(uiommu_claim(endpoint_of(rig, F2), OWNER), UIOMMU_INVAL);
    d = attached_with(rig, 0, BASE, page);
    assert_one_to_one(rig, 0, START);
    assert_one_to_one(rig, 0, SECOND);
    remove_device(rig, F0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    remove_device(rig, F2);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 0, START));
    uiommu_domain_put(d);
    rig_down(rig); /* while there is the driver */
}

#define FAR (UINT64_C(1) << 50)

static const struct sim_region near_and_far[] = { { START, SIZE, F0 },
                                                  { FAR, SIZE, F2 } };

static bool with_a_far_region(struct rig *rig, const char **why)
{
    REGIONS(rig, near_and_far);
    *why = "the simulated DMAR says that no address is so high";
    return rig->config.mode >= SIM_STAGE_1 && with_go_between(rig, why);
}

/* One id cannot be blocked and have regions: who came first has it. */
static void who_cannot_share_an_id_does_not_stop_the_start(struct rig *rig)
{
    struct rig_state before;
    struct one one;

    start_with_one_id(rig, &one);
    assert_one_to_one(rig, 0, START);
    rig_ok(rig_add(rig, F0));
    before = rig_state(rig);
    rig_is(rig_add(rig, F2), UIOMMU_BUSY);
    assert_says(sim_last_log(rig->m), "cannot share domain and owner with");
    rig_assert_same(rig, &before);
    assert_one_to_one(rig, 0, START);
    rig_down(rig);
}

/* ---- in use --------------------------------------------------------------------- */

static struct uiommu_domain *in_use_without_c(struct rig *rig, uint64_t page)
{
    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_B);
    assert_one_to_one(rig, 2, START);
    return attached_with(rig, 0, BASE, page);
}

static void whoever_joins_brings_its_regions(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = in_use_without_c(rig, page);

    assert_true(rig_refused(rig, 0, START));
    rig_ok(rig_add(rig, SW_C));
    for (unsigned n = 0; n < 3; n++) {
        assert_one_to_one(rig, n, START);
        assert_true(rig_reaches(rig, n, BASE, page));
    }
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 1),
                             uiommu_core_domain(rig_endpoint(rig, 1)), NULL));
    for (unsigned n = 0; n < 3; n++) {
        assert_one_to_one(rig, n, START);
        assert_true(rig_refused(rig, n, BASE));
    }
    uiommu_domain_put(d);
}

/* B.19: what is blocked for its reset goes on to be, and sees what its group does then. */
static void whoever_has_regions_joins_a_group_in_a_reset(struct rig *rig)
{
    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_B);
    rig_ok(uiommu_device_reset_begin(rig->device[SW_A]));
    rig_ok(rig_add(rig, SW_C));
    assert_groups(rig, "00000000");
    assert_true(rig_refused(rig, 0, START));
    assert_one_to_one(rig, 1, START);
    assert_one_to_one(rig, 2, START);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 1), uiommu_blocked(rig->u), NULL),
        UIOMMU_BUSY);
    rig_ok(uiommu_device_reset_end(rig->device[SW_A], true));
    for (unsigned n = 0; n < 3; n++)
        assert_one_to_one(rig, n, START);
}

/* It stays blocked, and the others do not mind. */
static void whoever_finds_no_memory_after_a_reset_is_blocked(struct rig *rig)
{
    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_B);
    rig_ok(uiommu_device_reset_begin(rig->device[SW_A]));
    rig_ok(rig_add(rig, SW_C));
    sim_fail_nth(rig->m, 1);
    rig_is(uiommu_device_reset_end(rig->device[SW_A], true), UIOMMU_NOMEM);
    sim_fail_nth(rig->m, 0);
    assert_true(rig_refused(rig, 0, START));
    assert_one_to_one(rig, 1, START);
    assert_one_to_one(rig, 2, START);
    rig_ok(uiommu_device_remove(rig->device[SW_A]));
    rig->device[SW_A] = NULL;
    rig_ok(rig_add(rig, SW_A));
    assert_one_to_one(rig, 0, START);
}

static void c_is_refused(struct rig *rig)
{
    struct rig_state before = rig_state(rig);

    rig_is(rig_add(rig, SW_C), UIOMMU_BUSY);
    rig_assert_same(rig, &before);
    assert_says(sim_last_log(rig->m), "cannot share domain and owner with");
    assert_one_to_one(rig, 2, START);
    assert_true(rig_refused(rig, 2, BASE));
}

static void whoever_has_regions_does_not_join_an_owner(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = in_use_without_c(rig, page);

    set(rig, 0, uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    c_is_refused(rig);
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, OWNER));
    c_is_refused(rig);
    assert_true(rig_refused(rig, 0, START));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), OWNER));
    rig_ok(rig_add(rig, SW_C));
    assert_one_to_one(rig, 0, START);
    uiommu_domain_put(d);
}

static void whose_regions_are_taken_does_not_join(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = in_use_without_c(rig, page);

    map_page(d, START + RIG_PAGE, page);
    c_is_refused(rig);
    assert_true(rig_reaches(rig, 0, START + RIG_PAGE, page));
    assert_true(rig_refused(rig, 0, START));
    rig_ok(uiommu_unmap(d, START + RIG_PAGE, RIG_PAGE, NULL));
    rig_ok(rig_add(rig, SW_C));
    assert_one_to_one(rig, 0, START);
    set(rig, 0, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
}

/* A USB controller's region ends with a claim. */
static bool with_relaxable_region_of_c(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_RELAXABLE, why) && with_region_of_c(rig, why);
}

static void a_region_that_ends_with_a_claim_joins_an_owner(struct rig *rig)
{
    const uint32_t usb = 0x0c033000;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    sim_config_poke(rig->m, SW_C, 8, 4, usb);
    d = in_use_without_c(rig, page);
    set(rig, 0, uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), OWNER));
    rig_ok(uiommu_set_domain(rig_endpoint(rig, 0), d, OWNER));
    rig_ok(rig_add(rig, SW_C));
    assert_true(rig_reaches(rig, 2, BASE, page));
    assert_true(rig_refused(rig, 2, START));
    rig_ok(uiommu_release(rig_endpoint(rig, 2), OWNER));
    for (unsigned n = 0; n < 3; n++)
        assert_one_to_one(rig, n, START);
    uiommu_domain_put(d);
}

/* ---- some of them were found translating ------------------------------------------ */

/* A first owner, to whom f1 has no id but its own. */
static struct uiommu_domain *first_of_go_between(struct rig *rig, uint64_t page)
{
    up(rig);
    return attached_with(rig, 0, BASE, page);
}

static void next_of_go_between(struct rig *rig, struct uiommu_domain *d)
{
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(d);
    first_is_gone(rig);
    make_phantom(rig, F1);
    create_next(rig);
    rig_ok(rig_start(rig));
}

static bool adoption(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_ADOPTION, why) && with_go_between(rig, why);
}

static void part_of_a_group_goes_on(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0), mine = rig_pages(rig, 0);
    struct uiommu_domain *d;

    next_of_go_between(rig, first_of_go_between(rig, page));
    for (unsigned dev = F2; dev <= F2; dev--) {
        rig_ok(rig_add(rig, dev));
        assert_true(rig_reaches(rig, 0, BASE, page));
        assert_true(rig_refused(rig, 1, BASE));
        assert_true(rig_refused(rig, 2, BASE));
    }
    assert_groups(rig, "000-");
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, page));
    assert_ptr_equal(sees(rig, F0), uiommu_inherited(rig->u));
    assert_ptr_equal(sees(rig, F1), uiommu_blocked(rig->u));
    d = attached_with(rig, 2, OTHER, mine);
    for (unsigned n = 0; n < 3; n++) {
        assert_true(rig_reaches(rig, n, OTHER, mine));
        assert_true(rig_refused(rig, n, BASE));
    }
    assert_int_equal(adopted(rig), 0);
    end_adoption(rig);
    rig_drop(rig, 0, d);
}

static void adoption_ends_for_a_part_of_a_group(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);

    next_of_go_between(rig, first_of_go_between(rig, page));
    add_devices(rig, F0, F2);
    assert_true(rig_reaches(rig, 0, BASE, page));
    for (unsigned n = 0; n < 3; n++) /* nothing would lead back to it */
        rig_is(uiommu_device_reset_begin(rig->device[n]), UIOMMU_BUSY);
    assert_true(rig_reaches(rig, 0, BASE, page));
    end_adoption(rig);
    for (unsigned n = 0; n < 3; n++) {
        assert_true(rig_refused(rig, n, BASE));
        assert_ptr_equal(sees(rig, n), uiommu_blocked(rig->u));
        rig_ok(uiommu_device_reset_begin(rig->device[n]));
        rig_ok(uiommu_device_reset_end(rig->device[n], true));
    }
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), OWNER));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), OWNER));
}

static bool adoption_with_regions(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_ADOPTION, why) &&
           with_regions_of_f0_and_f2(rig, why);
}

/* f0 goes on and f2 rests on regions; so does whoever joins them. */
static void what_goes_on_and_what_rests_become_one_group(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = first_of_go_between(rig, page);

    set(rig, 2, uiommu_blocked(rig->u));
    next_of_go_between(rig, d);
    assert_one_to_one(rig, 2, SECOND);
    add_devices(rig, F0, F2);
    assert_groups(rig, "000-");
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_one_to_one(rig, 2, SECOND);
    assert_one_to_one(rig, 2, START);
    assert_ptr_equal(sees(rig, F2), uiommu_core_domain(endpoint_of(rig, F0)));
    end_adoption(rig);
    for (unsigned n = 0; n < 3; n++) {
        assert_one_to_one(rig, n, START);
        assert_one_to_one(rig, n, SECOND);
        assert_true(rig_refused(rig, n, BASE));
    }
}

/* It goes on until it has its regions. */
static void what_could_not_end_ends_later(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = first_of_go_between(rig, page);

    set(rig, 2, uiommu_blocked(rig->u));
    next_of_go_between(rig, d);
    add_devices(rig, F0, F0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    sabotage_begin(rig, 1, 0, UIOMMU_NOSPC, NULL);
    rig_is(uiommu_adopted_end(rig->u), UIOMMU_NOSPC);
    sabotage_end(rig);
    assert_int_equal(sabotage.failed, 1);
    assert_true(rig_reaches(rig, 0, BASE, page));
    end_adoption(rig);
    assert_one_to_one(rig, 0, START);
    assert_true(rig_refused(rig, 0, BASE));
}

static bool adoption_with_region_of_f1(struct rig *rig, const char **why)
{
    REGIONS(rig, of_f1);
    return adoption(rig, why);
}

/* Firmware named f1; that f0's id is its too is known when it is added. */
static void an_id_that_goes_on_is_met_at_rest(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = first_of_go_between(rig, page);

    set(rig, 1, uiommu_blocked(rig->u));
    next_of_go_between(rig, d);
    assert_one_to_one(rig, 1, START);
    rig_ok(rig_add(rig, F1));
    assert_true(reaches_as(rig, 1, rid_of(rig, F0), BASE, page));
    assert_one_to_one(rig, 1, START);
    add_devices(rig, F0, F0);
    assert_true(rig_reaches(rig, 0, BASE, page));
    end_adoption(rig);
    for (unsigned n = 0; n < 2; n++) {
        assert_one_to_one(rig, n, START);
        assert_true(rig_refused(rig, n, BASE));
    }
}

/* One of the group does not answer: the others rest where they should. */
static void adoption_ends_beside_a_quarantine(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = first_of_go_between(rig, page);

    set(rig, 2, uiommu_blocked(rig->u));
    next_of_go_between(rig, d);
    add_devices(rig, F0, F2);
    rig_ok(uim_quarantine(endpoint_of(rig, F0)));
    assert_true(rig_refused(rig, 0, BASE));
    rig_ok(uiommu_adopted_end(rig->u));
    assert_true(rig_refused(rig, 0, START));
    assert_one_to_one(rig, 1, START);
    assert_one_to_one(rig, 2, SECOND);
    sim_reclaim(rig->m);
}

/* As it is documented, and only there (handover.h). */
#define FOUND                                                                  \
    "nothing leads back to what was found, so one of a group that fails "      \
    "after "                                                                   \
    "another has moved leaves that one blocked"
#define TABLES "a reset ends, or whoever was reset is blocked: reset.h"

#define COLD_ONCE(fn, prep)                                                    \
    {                                                                          \
        .name = #fn, .run = fn, .prepare = prep, .cold = true, .once = FOUND   \
    }

static const struct rig_test tests[] = {
    RIG_COLD_ON(a_region_is_reached_through_a_bridge, with_region_of_old0),
    RIG_COLD_ON(groups_that_become_one_reach_the_regions_of_both,
                with_regions_of_a_and_c),
    RIG_COLD_ON(requesters_that_share_an_id_share_their_regions,
                with_regions_of_f0_and_f2),
    RIG_COLD_ON(who_cannot_share_an_id_does_not_stop_the_start,
                with_a_far_region),
    RIG_COLD_ON(whoever_joins_brings_its_regions, with_region_of_c),
    { .name = "whoever_has_regions_joins_a_group_in_a_reset",
      .run = whoever_has_regions_joins_a_group_in_a_reset,
      .prepare = with_region_of_c,
      .cold = true,
      .once = TABLES },
    { .name = "whoever_finds_no_memory_after_a_reset_is_blocked",
      .run = whoever_finds_no_memory_after_a_reset_is_blocked,
      .prepare = with_region_of_c,
      .cold = true,
      .once = TABLES },
    RIG_COLD_ON(whoever_has_regions_does_not_join_an_owner, with_region_of_c),
    RIG_COLD_ON(whose_regions_are_taken_does_not_join, with_region_of_c),
    RIG_COLD_ON(a_region_that_ends_with_a_claim_joins_an_owner,
                with_relaxable_region_of_c),
    COLD_ONCE(part_of_a_group_goes_on, adoption),
    RIG_COLD_ON(adoption_ends_for_a_part_of_a_group, adoption),
    COLD_ONCE(what_goes_on_and_what_rests_become_one_group,
              adoption_with_regions),
    COLD_ONCE(what_could_not_end_ends_later, adoption_with_regions),
    RIG_COLD_ON(an_id_that_goes_on_is_met_at_rest, adoption_with_region_of_f1),
    COLD_ONCE(adoption_ends_beside_a_quarantine, adoption_with_regions),
    { 0 },
};

int main(void)
{
    return rig_run("group_firmware", tests);
}
