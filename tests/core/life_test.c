/* SPDX-License-Identifier: MIT */
/*
 * life_test.c - from create to destroy: what is refused and with which
 * sentence, what may be called when, and that nothing is left whatever failed.
 */
#include "tests/core/help.h"

#include <stdlib.h>

#include "core/driver.h"

#define BASE GIB(2)

/* ---- create -------------------------------------------------------------- */

#define MEMBER(name) offsetof(struct uiommu_host, name)

struct member {
    size_t offset;
    const char *word; /* that the log must have */
};

static void forget_member(struct uiommu_host *host, size_t offset)
{
    memset((char *)host + offset, 0, sizeof(void (*)(void)));
}

static void a_host_without_something_needed_is_refused_by_name(struct rig *rig)
{
    static const struct member needed[] = {
        { MEMBER(alloc), "alloc" },
        { MEMBER(free), "free" },
        { MEMBER(pages_alloc), "pages_alloc" },
        { MEMBER(pages_free), "pages_free" },
        { MEMBER(mmio_map), "mmio_map" },
        { MEMBER(mmio_unmap), "mmio_unmap" },
        { MEMBER(mmio_read32), "read32" },
        { MEMBER(mmio_read64), "read64" },
        { MEMBER(mmio_write32), "write32" },
        { MEMBER(mmio_write64), "write64" },
        { MEMBER(pci_read), "pci_read" },
        { MEMBER(pci_write), "pci_write" },
        { MEMBER(mutex_create), "mutex" },
        { MEMBER(mutex_destroy), "mutex" },
        { MEMBER(mutex_lock), "mutex" },
        { MEMBER(mutex_unlock), "mutex" },
        { MEMBER(spin_create), "spin" },
        { MEMBER(spin_destroy), "spin" },
        { MEMBER(spin_lock), "spin" },
        { MEMBER(spin_unlock), "spin" },
        { MEMBER(now_ns), "now_ns" },
        { MEMBER(msi_alloc), "msi_alloc" },
        { MEMBER(msi_free), "msi_free" },
    };
    struct rig_state before = rig_state(rig);

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        struct uiommu_host host = rig->m->host;
        struct uiommu *u = NULL;

        forget_member(&host, needed[i].offset);
        rig_is(uiommu_create(&host, &rig->setup, &u), UIOMMU_INVAL);
        assert_null(u);
        assert_says(sim_last_log(rig->m), needed[i].word);
    }
    rig_assert_same(rig, &before);
}

static void a_host_that_cannot_translate_addresses_is_refused(struct rig *rig)
{
    struct uiommu_host host = rig->m->host;
    struct uiommu *u = NULL;

    host.direct_map = false;
    host.phys_to_virt = NULL;
    rig_is(uiommu_create(&host, NULL, &u), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "phys_to_virt");
    host = rig->m->host;
    host.size = 8;
    rig_is(uiommu_create(&host, NULL, &u), UIOMMU_INVAL);
    host.size = sizeof(host) + 8;
    rig_is(uiommu_create(&host, NULL, &u), UIOMMU_INVAL);
    assert_null(u);
}

static void a_malformed_config_is_refused_with_a_sentence(struct rig *rig)
{
    struct uiommu_config config = rig->setup;
    struct uiommu *u = NULL;

    config.flags = 1u << 31;
    rig_is(uiommu_create(&rig->m->host, &config, &u), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "flags");
    config = rig->setup;
    config.size--;
    rig_is(uiommu_create(&rig->m->host, &config, &u), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "size");
    assert_null(u);
    rig_ok(uiommu_create(&rig->m->host, NULL, &u));
    rig_ok(uiommu_destroy(u));
}

/* ---- machines and hosts of other kinds ----------------------------------- */

static void a_short_life(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up(rig);
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 0, BASE));
    set(rig, 2, uiommu_identity(rig->u));
    assert_true(rig_reaches(rig, 2, page, page));
    rig_drop(rig, 0, d);
    rig_down(rig);
}

static void optional_members_may_be_missing(struct rig *rig)
{
    rig->m->host.map_table = NULL;
    rig->m->host.unmap_table = NULL;
    rig->m->host.log = NULL;
    rig->m->host.relax = NULL;
    rig->m->host.fence = NULL;
    rig->m->host.msi_alloc = NULL;
    rig->m->host.msi_free = NULL;
    if (!rig->config.non_coherent)
        rig->m->host.flush = NULL;
    a_short_life(rig);
}

static bool polling(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.polling = true;
    return true;
}

static bool by_callback(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.phys_to_virt = true;
    return true;
}

static bool in_halves(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.split64 = true;
    return true;
}

static bool everything_odd(struct rig *rig, const char **why)
{
    rig->config.high_ram_size = MIB(32);
    return polling(rig, why) && by_callback(rig, why) && in_halves(rig, why);
}

static void a_host_without_interrupts_works(struct rig *rig)
{
    a_short_life(rig);
}

static void a_host_that_translates_by_callback_works(struct rig *rig)
{
    a_short_life(rig);
}

static void a_host_that_halves_register_accesses_works(struct rig *rig)
{
    a_short_life(rig);
}

static void a_host_with_all_of_these_works(struct rig *rig)
{
    a_short_life(rig);
}

static bool not_snooping(struct rig *rig, const char **why)
{
    *why = "every unit snoops";
    return rig->config.non_coherent;
}

static void a_host_that_cannot_flush_is_refused_by_the_unit(struct rig *rig)
{
    rig->m->host.flush = NULL;
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "flush");
    rig_down(rig);
}

/* ---- tables -------------------------------------------------------------- */

static void a_table_is_taken_once(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size),
           UIOMMU_EXIST);
    rig_is(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS),
           rig->config.its ? UIOMMU_OK : UIOMMU_NOENT); /* the MADT is left */
    rig_is(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS), UIOMMU_NOENT);
    rig_ok(rig_start(rig));
    rig_is(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size),
           UIOMMU_BUSY);
    rig_down(rig);
}

static void a_broken_table_is_refused_with_a_sentence(struct rig *rig)
{
    size_t size = rig->m->table_size;
    uint8_t *copy = malloc(size);

    assert_non_null(copy);
    memcpy(copy, rig->m->table, size);
    rig_ok(rig_create(rig));
    copy[size - 1] ^= 1;
    rig_is(uiommu_add_table(rig->u, copy, size), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "checksum");
    copy[size - 1] ^= 1;
    rig_is(uiommu_add_table(rig->u, copy, size - 1), UIOMMU_INVAL);
    rig_is(uiommu_add_table(rig->u, copy, 20), UIOMMU_INVAL);
    rig_is(uiommu_add_table(rig->u, copy, 0), UIOMMU_INVAL);
    rig_is(rig_start(rig), UIOMMU_NOENT);
    assert_says(sim_last_log(rig->m), "unit");
    rig_ok(uiommu_add_table(rig->u, copy, size));
    memset(copy, 0, size);
    free(copy); /* it was copied */
    rig_ok(rig_start(rig));
    rig_down(rig);
}

/* D-88: structures that lead out of the table, out of themselves, or nowhere. */
static void a_table_that_leads_astray_is_refused(struct rig *rig)
{
    static const struct {
        const char *says;
        uint8_t size, bytes[32];
    } row[] = {
        { "shorter than its fixed part", 8, { 0, 0, 8, 0 } },
        { "no room for its type and length", 3, { 0, 0, 3 } },
        { "shorter than its type and length", 4, { 0x77, 0, 0, 0 } },
        { "ends after the table", 6, { 0x77, 0, 7, 0, 0, 0 } },
        { "ends after the table", 6, { 0x77, 0, 0xff, 0xff, 0, 0 } },
        { "no room for its fixed part", 28, { 1, 0, 28, 0, [24] = 1, 8 } },
        { "shorter than its fixed part", 32, { 1, 0, 32, 0, [24] = 1, 0 } },
        { "ends after its structure", 32, { 1, 0, 32, 0, [24] = 1, 10 } },
        { "half an element", 31, { 1, 0, 31, 0, [24] = 1, 7 } },
        { "its name does not end", 9, { 4, 0, 9, 0, 0, 0, 0, 1, 'x' } },
    };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct table t;

        table_copy(rig, &t);
        table_append(&t, row[i].bytes, row[i].size);
        create_with(rig, &t);
        rig_is(rig_start(rig), UIOMMU_INVAL);
        assert_says(sim_last_log(rig->m), row[i].says);
        rig_down(rig);
    }
}

static bool with_dmar(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_DMAR, why);
}

static void tables_are_found_through_the_host(struct rig *rig)
{
    struct sim_counts counts;

    rig_ok(rig_create(rig));
    rig_ok(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS));
    rig_is(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS), UIOMMU_NOENT);
    sim_counts(rig->m, &counts);
    assert_int_equal(counts.tables, 0);
    rig_ok(rig_start(rig));
    rig_down(rig);
    rig->m->host.map_table = NULL;
    rig_ok(rig_create(rig));
    rig_is(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS),
           UIOMMU_OPNOTSUPP);
    rig_down(rig);
}

/* ---- options ------------------------------------------------------------- */

static void an_option_that_nobody_knows_fails_the_start(struct rig *rig)
{
    static const char *const bad[] = {
        "amd.mode=legacy",
        "vtd.color=red",
        "vtd.mode=fast",
        "vtd.timeout_ms=",
        "vtd.timeout_ms=x",
        "vtd.mode",
        "vtd",
        "mode=legacy",
        "vtd.=1",
        "=",
        "vtdx.mode=auto",
        "vt.mode=auto",
        "smmuv3.mode=legacy",
        "smmuv3.stage=3",
        "smmuv3.granule=8k",
        "smmuv3.timeout_ms=",
        "smmuv3.stage",
        "smmuv3.=1",
        "smmuv3x.stage=1",
        "smmuv.stage=1",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        rig->setup.options = bad[i];
        rig_ok(rig_create(rig));
        rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
        if (rig_start(rig) != UIOMMU_INVAL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_says(sim_last_log(rig->m), "option");
        rig_down(rig);
    }
}

static void options_are_copied_and_take_effect(struct rig *rig)
{
    struct uiommu_unit_info info;
    char options[128];

    snprintf(options, sizeof(options), "%s,%s.timeout_ms=7", rig->options,
             rig_arch(rig)->driver->name);
    rig->setup.options = options;
    rig_ok(rig_create(rig));
    memset(options, 'x', sizeof(options) - 1);
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(rig_start(rig));
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_string_equal(info.mode, rig_arch(rig)->mode);
    rig_down(rig);
}

static void a_mode_that_the_unit_lacks_fails_the_start(struct rig *rig)
{
    rig->setup.options = rig_arch(rig)->other_mode;
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "unit");
    rig_down(rig);
}

static void without_options_a_mode_is_found(struct rig *rig)
{
    struct uiommu_unit_info info;

    rig->setup.options = NULL;
    up_to_start(rig);
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_string_equal(info.mode, rig_arch(rig)->mode);
    rig_add_all(rig);
    rig_down(rig);
}

/* ---- start, stop, destroy ------------------------------------------------ */

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
    rig_down(rig);
}

/* NODEV: registers that cannot be mapped. */
static void a_start_that_fails_leaves_nothing(struct rig *rig)
{
    rig_each_failure(rig, whole_start, whole_stop, NULL, UIOMMU_NODEV);
}

static void a_start_that_failed_can_be_repeated(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    rig_ok(rig_create(rig));
    rig_is(rig_start(rig), UIOMMU_NOENT);
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(uiommu_start(rig->u, rig_drivers, 0), UIOMMU_INVAL);
    sim_fail_nth(rig->m, 3);
    rig_is(rig_start(rig), UIOMMU_NOMEM);
    sim_fail_nth(rig->m, 0);
    rig_ok(rig_start(rig));
    rig_add_all(rig);
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
    rig_down(rig);
}

/* A host names all drivers it has; the machine has tables for one. */
static void a_driver_without_a_table_does_no_harm(struct rig *rig)
{
    const struct uiommu_driver *const present = rig_arch(rig)->driver;
    struct uim_fw_ops fw = *present->fw;
    struct uiommu_driver absent = *present;
    const struct uiommu_driver *both[] = { &absent, present };
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    memcpy(fw.signature, "NONE", 5);
    absent.name = "absent";
    absent.fw = &fw;
    rig->setup.options = NULL;
    for (unsigned i = 0; i < 2; i++) {
        rig_ok(rig_create(rig));
        rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
        rig_ok(uiommu_start(rig->u, both, 2));
        rig->started = true;
        rig_add_all(rig);
        d = attached_with(rig, 0, BASE, page);
        assert_true(rig_reaches(rig, 0, BASE, page));
        rig_drop(rig, 0, d);
        rig_down(rig);
        both[0] = present;
        both[1] = &absent;
    }
}

static void calls_out_of_order_are_refused(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_is(rig_add(rig, 0), UIOMMU_AGAIN);
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_suspend(rig->u), UIOMMU_BUSY);
    uiommu_poll(rig->u);
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(rig_start(rig));
    rig_is(uiommu_start(rig->u, rig_drivers, RIG_DRIVERS), UIOMMU_BUSY);
    rig_is(uiommu_resume(rig->u), UIOMMU_BUSY);
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    rig_ok(rig_add(rig, 0));
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    assert_true(rig_refused(rig, 0, 0));
    rig_down(rig);
}

static void a_domain_that_lives_keeps_the_instance(struct rig *rig)
{
    struct uiommu_domain *d;

    up(rig);
    d = attached_with(rig, 0, BASE, rig_pages(rig, 0));
    uiommu_domain_get(d);
    rig_drop(rig, 0, d);
    for (unsigned i = RIG_DEVICES; i-- > 0; rig->device[i] = NULL)
        if (rig->device[i])
            rig_ok(uiommu_device_remove(rig->device[i]));
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    rig_is(uiommu_destroy(rig->u), UIOMMU_BUSY);
    uiommu_domain_put(d);
    rig_down(rig);
}

static void a_unit_says_what_it_is(struct rig *rig)
{
    struct uiommu_unit_info info;
    struct uiommu_domain_info domain;
    struct uiommu_domain *d;

    up(rig);
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_string_equal(info.driver, rig_arch(rig)->driver->name);
    assert_string_equal(info.mode, rig_arch(rig)->mode);
    assert_int_equal(info.coherent, !rig->config.non_coherent);
    assert_int_equal(info.page_sizes, rig_arch(rig)->page_sizes);
    assert_int_equal(info.index, 0);
    assert_int_equal(info.segment, 0);
    assert_true(info.base != 0);
    rig_is(uiommu_unit_info(rig->u, 1, &info), UIOMMU_NOENT);
    d = rig_domain(rig, 0);
    uiommu_domain_info(d, &domain);
    assert_int_equal(domain.kind, UIOMMU_DOMAIN_PAGING);
    assert_string_equal(domain.format, rig_arch(rig)->format);
    assert_int_equal(domain.iova_bits, info.iova_bits);
    uiommu_domain_info(uiommu_identity(rig->u), &domain);
    assert_int_equal(domain.kind, UIOMMU_DOMAIN_IDENTITY);
    uiommu_domain_info(uiommu_blocked(rig->u), &domain);
    assert_int_equal(domain.kind, UIOMMU_DOMAIN_BLOCKED);
    uiommu_domain_put(d);
    rig_down(rig);
}

static const struct rig_test tests[] = {
    RIG_COLD(a_host_without_something_needed_is_refused_by_name),
    RIG_COLD(a_host_that_cannot_translate_addresses_is_refused),
    RIG_COLD(a_malformed_config_is_refused_with_a_sentence),
    RIG_COLD(optional_members_may_be_missing),
    RIG_COLD_ON(a_host_without_interrupts_works, polling),
    RIG_COLD_ON(a_host_that_translates_by_callback_works, by_callback),
    RIG_COLD_ON(a_host_that_halves_register_accesses_works, in_halves),
    RIG_COLD_ON(a_host_with_all_of_these_works, everything_odd),
    RIG_COLD_ON(a_host_that_cannot_flush_is_refused_by_the_unit, not_snooping),
    RIG_COLD(a_table_is_taken_once),
    RIG_COLD(a_broken_table_is_refused_with_a_sentence),
    RIG_COLD_ON(a_table_that_leads_astray_is_refused, with_dmar),
    RIG_COLD(tables_are_found_through_the_host),
    RIG_COLD(an_option_that_nobody_knows_fails_the_start),
    RIG_COLD(options_are_copied_and_take_effect),
    RIG_COLD(a_mode_that_the_unit_lacks_fails_the_start),
    RIG_COLD(without_options_a_mode_is_found),
    RIG_COLD(a_start_that_fails_leaves_nothing),
    RIG_COLD(a_start_that_failed_can_be_repeated),
    RIG_COLD(a_driver_without_a_table_does_no_harm),
    RIG_COLD(calls_out_of_order_are_refused),
    RIG_COLD(a_domain_that_lives_keeps_the_instance),
    RIG_COLD(a_unit_says_what_it_is),
    { 0 },
};

int main(void)
{
    return rig_run("life", tests);
}
