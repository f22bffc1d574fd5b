/* SPDX-License-Identifier: MIT */
/*
 * group_test.c - which devices move together, why, and that they do: under every id
 * that their DMA may carry (semantics B.9).
 */
#include "tests/core/groups.h"

#include "pci/pci.h"

/* ---- who ------------------------------------------------------------------ */

static void what_a_bridge_hides_is_one_group(struct rig *rig)
{
    assert_groups(rig, "01114");
}

static void a_switch_without_acs_is_one_group(struct rig *rig)
{
    assert_groups(rig, "00000000");
}

static void a_switch_with_acs_is_told_apart(struct rig *rig)
{
    assert_groups(rig, "01234567");
}

static void
functions_are_one_group_unless_they_keep_to_themselves(struct rig *rig)
{
    assert_groups(rig, "0023");
}

/* ---- ACS ------------------------------------------------------------------ */

static unsigned acs_of(struct rig *rig, unsigned dev)
{
    struct uim_pci_function f;

    uim_pci_function_read(&rig->m->host, rig->m->devices[dev].pci, &f);
    return f.acs_ctrl;
}

static enum sim_target peer_write(struct rig *rig, unsigned from, unsigned to)
{
    uint64_t value = 1;
    struct sim_request r = { .dev = from,
                             .write = true,
                             .iova = sim_bar_addr(rig->m, to),
                             .buf = &value,
                             .size = sizeof(value) };

    (void)sim_dma(rig->m, &r);
    return r.target;
}

static void acs_is_switched_on_when_a_port_is_added(struct rig *rig)
{
    up_to_start(rig);
    assert_int_equal(acs_of(rig, SW_DOWN0) & uim_pci_acs_isolation, 0);
    assert_int_equal(peer_write(rig, SW_A, SW_B), SIM_AT_PEER);
    add_devices(rig, SW_PORT, SW_C);
    for (unsigned dev = SW_PORT; dev <= SW_DOWN2; dev++)
        if (dev != SW_UP)
            assert_int_equal(acs_of(rig, dev) & uim_pci_acs_isolation,
                             uim_pci_acs_isolation);
    assert_groups(rig, "01234567");
    assert_int_equal(peer_write(rig, SW_A, SW_B), SIM_NOWHERE);
}

static bool with_acs_as_found(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND;
    return with_acs_off(rig, why);
}

static void acs_is_left_as_it_was_found_if_so_configured(struct rig *rig)
{
    up_to_start(rig);
    add_devices(rig, SW_PORT, SW_C);
    for (unsigned dev = SW_PORT; dev <= SW_C; dev++)
        assert_int_equal(acs_of(rig, dev), 0);
    assert_groups(rig, "00000000");
    assert_int_equal(peer_write(rig, SW_A, SW_B), SIM_AT_PEER);
}

static bool with_found_acs_on(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND;
    return with_acs_on(rig, why);
}

/* ---- under which ids --------------------------------------------------------- */

static struct uiommu_domain *page_for(struct rig *rig, unsigned n,
                                      uint64_t phys)
{
    struct uiommu_domain *d = rig_domain(rig, n);

    map_page(d, BASE, phys);
    return d;
}

static void all_members_see(struct rig *rig, unsigned first, unsigned last,
                            struct uiommu_domain *domain)
{
    for (unsigned dev = first; dev <= last; dev++)
        assert_ptr_equal(sees(rig, dev), domain);
}

static void set_on_one_member_moves_all(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = page_for(rig, 0, page);

    for (unsigned n = 0; n < 3; n++) {
        set(rig, n, d);
        all_members_see(rig, SW_PORT, SW_C, d);
        for (unsigned i = 0; i < 3; i++)
            assert_true(rig_reaches(rig, i, BASE, page));
        rig_ok(uiommu_set_domain(endpoint_of(rig, SW_PORT),
                                 uiommu_blocked(rig->u), NULL));
        for (unsigned i = 0; i < 3; i++)
            assert_true(rig_refused(rig, i, BASE));
    }
    uiommu_domain_put(d);
}

static void dma_sees_the_same_under_each_id(struct rig *rig)
{
    uint16_t made = (uint16_t)(rig->m->devices[OLD0].pci.bus << 8);
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = page_for(rig, ENGINE_OLD0, page);
    const uint16_t ids[] = { made, rid_of(rig, OLD0), rid_of(rig, OLD1),
                             rid_of(rig, BRIDGE) };

    set(rig, ENGINE_OLD1, d);
    for (unsigned i = 0; i < 4; i++)
        assert_true(reaches_as(rig, ENGINE_BESIDE, ids[i], BASE, page));
    assert_true(rig_refused(rig, ENGINE_BESIDE, BASE));
    assert_true(rig_reaches(rig, ENGINE_OLD0, BASE, page));
    set(rig, ENGINE_OLD0, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < 4; i++)
        assert_true(refused_as(rig, ENGINE_BESIDE, ids[i], BASE));
    uiommu_domain_put(d);
}

/* Nobody can say which of them it was. */
static void what_comes_through_a_bridge_faults_as_the_bridge(struct rig *rig)
{
    for (unsigned n = ENGINE_OLD0; n <= ENGINE_OLD1; n++) {
        rig->faults = 0;
        assert_false(rig_write(rig, n, BASE, 1));
        rig_poll(rig);
        assert_int_equal(rig->faults, 1);
        assert_ptr_equal(rig->fault.device, rig->device[BRIDGE]);
        assert_ptr_equal(rig->fault.domain, uiommu_blocked(rig->u));
    }
}

static void phantom_ids_move_with_their_function(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    uint16_t zero, one;
    struct uiommu_domain *d;

    make_phantom(rig, 1);
    up_to_start(rig);
    rig_ok(rig_add(rig, 1)); /* function 0 is not there yet */
    zero = rid_of(rig, 0);
    one = rid_of(rig, 1);
    d = page_for(rig, 1, page);
    set(rig, 1, d);
    assert_true(reaches_as(rig, 1, zero, BASE, page));
    assert_true(reaches_as(rig, 1, one, BASE, page));
    rig_ok(rig_add(rig, 0)); /* its id is in use */
    assert_ptr_equal(sees(rig, 0), d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(rig_add(rig, 2));
    rig_ok(rig_add(rig, 3));
    assert_groups(rig, "0023");
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(refused_as(rig, 1, zero, BASE));
    assert_true(rig_refused(rig, 1, BASE));
    uiommu_domain_put(d);
}

static const struct sim_function phantoms[] = {
    { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, SIM_ACS_ON },
    { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, SIM_ACS_ON },
    { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1a, SIM_ACS_ON },
    { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, 0 },
};

static bool with_phantoms(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, phantoms);
}

/* ---- questions ------------------------------------------------------------------ */

struct heard {
    struct rig *rig;
    unsigned n, seen[RIG_DEVICES];
    char said[16][UIM_PCI_REASON_TEXT];
    struct uiommu_device *pair[16][2];
};

static void on_device(void *ctx, struct uiommu_device *device)
{
    struct heard *h = ctx;

    for (unsigned dev = 0; dev < RIG_DEVICES; dev++)
        if (h->rig->device[dev] == device)
            h->seen[dev]++;
    h->n++;
}

static void a_group_says_who_is_in_it(struct rig *rig)
{
    struct heard h = { .rig = rig };

    uiommu_group_devices(group_of(rig, OLD1), on_device, &h);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.seen[BRIDGE], 1);
    assert_int_equal(h.seen[OLD0], 1);
    assert_int_equal(h.seen[OLD1], 1);
    h = (struct heard){ .rig = rig };
    uiommu_group_devices(group_of(rig, BESIDE), on_device, &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.seen[BESIDE], 1);
}

static void on_pair(void *ctx, struct uiommu_device *a, struct uiommu_device *b,
                    const char *why)
{
    struct heard *h = ctx;

    assert_true(h->n < 16);
    h->pair[h->n][0] = a;
    h->pair[h->n][1] = b;
    snprintf(h->said[h->n++], sizeof(h->said[0]), "%s", why);
}

static const char *why_joined(const struct heard *h, unsigned a, unsigned b)
{
    const struct uiommu_device *x = h->rig->device[a], *y = h->rig->device[b];

    for (unsigned i = 0; i < h->n; i++)
        if ((h->pair[i][0] == x && h->pair[i][1] == y) ||
            (h->pair[i][0] == y && h->pair[i][1] == x))
            return h->said[i];
    return "";
}

static void a_group_says_why_its_devices_are_joined(struct rig *rig)
{
    struct heard h = { .rig = rig };
    char id[16];

    uiommu_group_explain(group_of(rig, OLD0), on_pair, &h);
    assert_int_equal(h.n, 3);
    snprintf(id, sizeof(id), "%02x:00.0",
             (unsigned)rig->m->devices[OLD0].pci.bus);
    assert_says(why_joined(&h, OLD0, OLD1), "the DMA of both may carry");
    assert_says(why_joined(&h, OLD0, OLD1), id);
    assert_says(why_joined(&h, BRIDGE, OLD0), "conventional bus");
    assert_says(why_joined(&h, BRIDGE, OLD1), "conventional bus");
    h.n = 0;
    uiommu_group_explain(group_of(rig, BESIDE), on_pair, &h);
    assert_int_equal(h.n, 0);
}

static void a_group_names_the_function_that_lacks_acs(struct rig *rig)
{
    struct heard h = { .rig = rig };

    uiommu_group_explain(group_of(rig, 0), on_pair, &h);
    assert_int_equal(h.n, 1);
    assert_says(why_joined(&h, 0, 1), "00:03.");
    assert_says(why_joined(&h, 0, 1), "reach other functions");
}

/* ---- in any order -------------------------------------------------------------------- */

static bool may_be_next(const struct rig *rig, unsigned dev)
{
    int bridge = rig->m->devices[dev].bridge;

    return !rig->device[dev] &&
           (bridge == MACHINE_NO_BRIDGE || rig->device[bridge]);
}

static void add_in_some_order(struct rig *rig, uint64_t *seed)
{
    for (unsigned left = rig->m->n_devices; left > 0; left--) {
        unsigned dev = pick(seed, rig->m->n_devices);

        while (!may_be_next(rig, dev))
            dev = (dev + 1) % rig->m->n_devices;
        rig_ok(rig_add(rig, dev));
    }
}

static void remove_in_reverse(struct rig *rig)
{
    for (unsigned dev = rig->m->n_devices; dev-- > 0;)
        remove_device(rig, dev);
}

static void the_order_makes_no_difference(struct rig *rig)
{
    char first[RIG_DEVICES + 1], now[RIG_DEVICES + 1];
    uint64_t seed = 0x9e0;

    up_to_start(rig);
    add_devices(rig, 0, rig->m->n_devices - 1);
    partition(rig, first);
    for (unsigned i = 0; i < 40; i++) {
        remove_in_reverse(rig);
        add_in_some_order(rig, &seed);
        partition(rig, now);
        assert_string_equal(now, first);
    }
}

static void nor_does_it_behind_a_bridge(struct rig *rig)
{
    the_order_makes_no_difference(rig);
}

static void nor_does_it_without_acs(struct rig *rig)
{
    the_order_makes_no_difference(rig);
}

static void nor_does_it_of_functions(struct rig *rig)
{
    the_order_makes_no_difference(rig);
}

static void nor_does_it_with_phantom_ids(struct rig *rig)
{
    make_phantom(rig, 1);
    the_order_makes_no_difference(rig);
    assert_groups(rig, "0023");
}

/* Bridges in a row, one of which gives another id to what the other gave one. */
static const struct sim_function bridges[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
    { "bridge", SIM_PCI_BRIDGE, 0, 0, 0 },
    { "deeper", SIM_PCI_PCI_BRIDGE, 1, 3 << 3, 0 },
    { "old", SIM_PCI_ENGINE, 2, 1 << 3, 0 },
    { "older", SIM_PCI_ENGINE, 1, 0, 0 }, /* its own id is the bridge's */
    { "beside", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
};

static bool with_bridges(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, bridges);
}

static void bridges_in_a_row_are_one_group(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    the_order_makes_no_difference(rig);
    assert_groups(rig, "011115");
    d = page_for(rig, 0, page);
    set(rig, 1, d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    assert_true(rig_reaches(rig, 1, BASE, page));
    assert_true(rig_refused(rig, 2, BASE));
    assert_true(reaches_as(rig, 2, rid_of(rig, 2), BASE, page));
    assert_true(reaches_as(rig, 2, rid_of(rig, 3), BASE, page));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_true(rig_refused(rig, 1, BASE));
    uiommu_domain_put(d);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(what_a_bridge_hides_is_one_group, with_bridge),
    RIG_TEST_ON(a_switch_without_acs_is_one_group, with_no_acs),
    RIG_TEST_ON(a_switch_with_acs_is_told_apart, with_found_acs_on),
    RIG_TEST_ON(functions_are_one_group_unless_they_keep_to_themselves,
                with_functions),
    RIG_COLD_ON(acs_is_switched_on_when_a_port_is_added, with_acs_off),
    RIG_COLD_ON(acs_is_left_as_it_was_found_if_so_configured,
                with_acs_as_found),
    RIG_TEST_ON(set_on_one_member_moves_all, with_no_acs),
    RIG_TEST_ON(dma_sees_the_same_under_each_id, with_bridge),
    RIG_TEST_ON(what_comes_through_a_bridge_faults_as_the_bridge, with_bridge),
    RIG_COLD_ON(phantom_ids_move_with_their_function, with_phantoms),
    RIG_TEST_ON(a_group_says_who_is_in_it, with_bridge),
    RIG_TEST_ON(a_group_says_why_its_devices_are_joined, with_bridge),
    RIG_TEST_ON(a_group_names_the_function_that_lacks_acs, with_functions),
    RIG_COLD_ON(the_order_makes_no_difference, with_acs_off),
    RIG_COLD_ON(nor_does_it_behind_a_bridge, with_bridge),
    RIG_COLD_ON(nor_does_it_without_acs, with_no_acs),
    RIG_COLD_ON(nor_does_it_of_functions, with_functions),
    RIG_COLD_ON(nor_does_it_with_phantom_ids, with_phantoms),
    RIG_COLD_ON(bridges_in_a_row_are_one_group, with_bridges),
    { 0 },
};

int main(void)
{
    return rig_run("group", tests);
}
